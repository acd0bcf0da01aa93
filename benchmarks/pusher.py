"""A server that pushes messages as fast as a client's handlers deal with them.

``python -m benchmarks.pusher`` prints the line of ``radiogram serve --json`` with one port more,
the control port. Whoever connects there writes ``COUNT`` and then a line for every :data:`STEP`
updates that its handler has seen; so many come, never more than :data:`WINDOW` on their way.

The updates are new messages of ten people, as the server pushes them, each in a packet of its own.
They are in no database, so that the client is what is measured, not the disk.
"""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any

from radiogram.server import Server
from radiogram.server.layers import downgrade
from radiogram.tl import api

PHONE, CODE = "9996620001", "22222"
SENDERS = 10
WINDOW = 1000
STEP = 100
TURN = 50
"""Packets between two looks at what else there is to do."""


class Pusher:
    """Pushes to one account of one server."""

    def __init__(self, server: Server) -> None:
        self._world = server.world
        self._server = server
        self._me = self._world.add_user(PHONE, "Receiver", username="receiver").id
        self._people = [self._make_sender(number) for number in range(SENDERS)]
        self._pts = count(1)

    def _make_sender(self, number: int) -> api.TypeUser:
        username = f"sender_{number}"
        self._world.add_user(f"99966210{number:02}", f"Sender {number}", username=username)
        wanted = api.contacts.ResolveUsername(username=username)
        (user,) = self._world.call(self._me, wanted).users
        return user  # type: ignore[no-any-return]

    def _updates(self, number: int) -> api.Updates:
        user: Any = self._people[number % SENDERS]
        peer = api.PeerUser(user_id=user.id)
        message = api.Message(
            id=1000 + number,
            peer_id=peer,
            date=1_800_000_000 + number // 100,
            message=f"message {number} about the weather, which has been better",
            entities=[api.MessageEntityBold(offset=0, length=7)] if number % 3 == 0 else None,
        )
        new = api.UpdateNewMessage(message=message, pts=next(self._pts), pts_count=1)
        return api.Updates(updates=[new], users=[user], chats=[], date=message.date, seq=0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Push what one client wants."""
        wanted = int(await reader.readline())
        state = self._world.call(self._me, api.updates.GetState())
        self._pts = count(state.pts + 1)  # as far as this client knows
        free = asyncio.Semaphore(WINDOW // STEP)

        async def count_down() -> None:
            while await reader.readline():
                free.release()

        counting = asyncio.create_task(count_down())
        for first in range(0, wanted, STEP):
            await free.acquire()
            for number in range(first, min(first + STEP, wanted)):
                self._push(self._updates(number))
                if number % TURN == TURN - 1:
                    await asyncio.sleep(0)
        await counting
        writer.close()

    def _push(self, updates: api.Updates) -> None:
        for session in self._world.authorizations.sessions_of(self._me):
            if session.wants_updates and getattr(session, "connection", None) is not None:
                registry = session.registry
                session.push(registry.encode(downgrade(updates, registry)))
        self._server.flush()


async def main() -> None:
    async with Server() as server:
        control = await asyncio.start_server(Pusher(server).serve, "127.0.0.1", 0)
        line = {
            "host": server.host,
            "port": server.port,
            "dc_id": server.dc_id,
            "public_key": server.public_key,
            "control": control.sockets[0].getsockname()[1],
        }
        print(json.dumps(line), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
