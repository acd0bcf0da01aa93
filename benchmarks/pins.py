"""What a pin costs in a supergroup, by the number of its members, few of whom are online.

Server, on a file database, and clients are one process: the numbers are of both. The groups take
turns, so that what else the machine does meets all of them alike.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

from radiogram import TelegramClient, api
from radiogram.server import Server, chat_store
from radiogram.server.tables import PEER_CHANNEL, dialogs, members, users
from radiogram.sessions import StringSession

SIZES = (10, 1_000, 10_000)
ONLINE = 5
"""Members who have a session, the one who pins among them."""


@dataclass(frozen=True)
class Cost:
    """What one pin took in one group, in the median; in seconds."""

    members: int
    pin: float
    unpin: float
    cpu: float
    """Of the process, for a pin and its unpin."""
    pushes: float
    """How many the server sent for each pin."""


class Group:
    """A supergroup, and its owner who pins and unpins a message in it."""

    def __init__(self, server: Server, client: TelegramClient, member_ids: list[int]) -> None:
        self._world = server.world
        self._client = client
        self._member_ids = member_ids
        self._taken: dict[bool, list[float]] = {False: [], True: []}
        self._cpu: list[float] = []
        self._pushes: list[int] = []
        self._peer: Any = None
        self._message_id = 0

    async def open(self) -> None:
        """Make the group, put its members into it and write the message."""
        request = api.channels.CreateChannel(title="Group", about="", megagroup=True)
        made: Any = await self._client.invoke(request)
        (channel,) = made.chats
        with self._world.db.begin() as tx:
            rows = [{"user_id": number} for number in self._member_ids[1:]]
            tx.execute(
                insert(members).values(chat_id=channel.id, state=chat_store.MEMBER, date=0), rows
            )
            tx.execute(insert(dialogs).values(peer_type=PEER_CHANNEL, peer_id=channel.id), rows)
            chat_store.recount(tx, channel.id)
        self._peer = api.InputPeerChannel(channel_id=channel.id, access_hash=channel.access_hash)
        sent: Any = await self._client.invoke(
            api.messages.SendMessage(peer=self._peer, message="Read this")
        )
        (self._message_id,) = [
            update.id for update in sent.updates if isinstance(update, api.UpdateMessageID)
        ]

    async def play(self, *, note: bool) -> None:
        """Pin and unpin the message once."""
        cpu = time.process_time()
        for unpin in (False, True):
            self._world.pushed.clear()
            started = time.perf_counter()
            await self._client.invoke(
                api.messages.UpdatePinnedMessage(peer=self._peer, id=self._message_id, unpin=unpin)
            )
            if note:
                self._taken[unpin].append(time.perf_counter() - started)
                if not unpin:
                    self._pushes.append(len(self._world.pushed))
        if note:
            self._cpu.append(time.process_time() - cpu)

    def cost(self) -> Cost:
        """Return what it took."""
        return Cost(
            len(self._member_ids),
            median(self._taken[False]),
            median(self._taken[True]),
            median(self._cpu),
            median(self._pushes),
        )


def measure(rounds: int) -> list[Cost]:
    """Pin and unpin so often in a group of each size."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder, "server.db"), rounds))


async def _measure(path: Path, rounds: int) -> list[Cost]:
    async with Server(database=f"sqlite:///{path}") as server:
        clients = [
            TelegramClient(StringSession(""), 1, "any", server=server) for _ in range(ONLINE)
        ]
        ids = []
        for n, client in enumerate(clients):
            me = await client.start(phone=f"999662{n:04}", code="22222", first_name=f"Online {n}")
            ids.append(me.id)
        ids += _add_members(server, max(SIZES) - ONLINE)
        groups = [Group(server, clients[0], ids[:size]) for size in SIZES]
        for group in groups:
            await group.open()
        for turn in range(rounds + 1):  # the first one only warms up
            for group in groups:
                await group.play(note=turn > 0)
        for client in clients:
            await client.disconnect()
    return [group.cost() for group in groups]


def _add_members(server: Server, count: int) -> list[int]:
    """Make accounts that are never online."""
    ids = range(1_000_000, 1_000_000 + count)
    made = [{"id": n, "first_name": f"Offline {n}", "access_secret": bytes(32)} for n in ids]
    with server.world.db.begin() as tx:
        tx.execute(insert(users).values(created=0), made)
    return list(ids)
