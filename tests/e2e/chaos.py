"""Many clients write, pin and go away while the network and the server fail by chance.

``python -m tests.e2e.chaos --clients 20 --messages 10000`` is the long run. In the end every client
has been told everything that happened to its account, to a basic group and to a supergroup, at
least once and in order within each chat, and nothing was sent twice.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from radiogram import TelegramClient, api, errors, events
from radiogram.client.environment import Environment
from radiogram.client.gaps import CHANNEL_LIMIT
from radiogram.server import Server
from radiogram.sessions import MemorySession

from ..served import free_port

FAULTS = ("drop", "repeat", "reorder", "push")


async def _short_pause(_seconds: float) -> None:
    await asyncio.sleep(0.001)


ENVIRONMENT = Environment(sleep=_short_pause, jitter=lambda: 0.0)


@dataclass
class Person:
    """One account: its client of the moment, and what its handlers were told."""

    number: int
    random: Random
    session: MemorySession = field(default_factory=MemorySession)
    client: TelegramClient | None = None
    told: dict[object, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Keys, by the chat in which it happened."""
    starts: int = 0

    @property
    def phone(self) -> str:
        return f"99966200{self.number:02}"

    @property
    def keys(self) -> set[str]:
        return {key for chat in self.told.values() for key in chat}

    async def come(self, server: Server) -> TelegramClient:
        """Start a client with the session that the last one left."""
        client = TelegramClient(
            self.session, 1, "any", server=server, reconnect_attempts=None, environment=ENVIRONMENT
        )
        self.client = client
        self.starts += 1

        @client.on(events.Raw())
        async def note(event: events.Event) -> None:
            if self.random.random() < 0.05:
                await asyncio.sleep(0)
            self.told[event.chat_id].append(event.key)

        for _ in range(50):  # a first connection that is dropped is an error at once
            try:
                await client.start(phone=self.phone, code="22222", first_name=f"P{self.number}")
            except (errors.ConnectionFailed, errors.ClientClosed):
                await client.disconnect()
            else:
                break
        await client.updates.started()
        return client

    async def go(self) -> None:
        """Stop in the middle of whatever happens; handlers that run are cancelled."""
        if self.client is not None:
            await self.client.disconnect()
            self.client = None


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    seconds: float
    messages: int
    faults: int
    restarts: int
    missing: dict[int, set[str]]
    """Keys that an account was never told, by its number."""
    disorder: int
    """Chats in which new messages were told out of order."""
    twice: int
    """Texts that are in a chat more than once."""

    def check(self) -> None:
        """Raise AssertionError unless all was told and nothing done twice."""
        assert not any(self.missing.values()), self.missing
        assert not self.disorder
        assert not self.twice

    def __str__(self) -> str:
        lost = sum(map(len, self.missing.values()))
        return (
            f"{self.messages} messages and pins in {self.seconds:.1f} s, {self.faults} faults, "
            f"{self.restarts} restarts: {lost} updates missing, {self.disorder} chats out of "
            f"order, {self.twice} messages twice"
        )


async def run(
    *, clients: int, messages: int, every: int, seed: int, server_restarts: int = 1
) -> Outcome:
    """Play it once."""
    started = time.monotonic()
    random = Random(seed)
    port = free_port()
    people = [Person(number, Random(seed * 1000 + number)) for number in range(clients)]
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder, 'server.db')}"

        def serve() -> Server:
            return Server(port=port, database=url)

        server = serve()
        await server.start()
        try:
            for person in people:
                await person.come(server)
            rooms = await _make_rooms(people)
            share = messages // (server_restarts + 1)
            sent = 0
            for part in range(server_restarts + 1):
                server.faults.chaos(every=every, seed=seed * 100 + part, kinds=FAULTS)
                last = part == server_restarts
                count = messages - sent if last else share
                await asyncio.gather(
                    _write(server, people, rooms, random, sent, count),
                    _come_and_go(server, people, random, count // 50 + 1),
                )
                sent += count
                faults += len(server.faults.injected)
                if not last:
                    await server.close()
                    server = serve()
                    await server.start()
            server.faults.clear()
            outcome = await _look(server, people, rooms)
        finally:
            for person in people:
                await person.go()
            await server.close()
    return Outcome(
        time.monotonic() - started,
        messages,
        faults,
        sum(person.starts for person in people) - clients + server_restarts,
        *outcome,
    )


Rooms = tuple[int, int]
"""Marked ids of the basic group and of the supergroup."""


async def _make_rooms(people: list[Person]) -> Rooms:
    owner = people[0].client
    assert owner is not None
    phones = [
        api.InputPhoneContact(client_id=one.number, phone=one.phone, first_name="x", last_name="")
        for one in people
    ]
    found = await owner.invoke(api.contacts.ImportContacts(contacts=phones))
    others = [user.id for user in found.users if user.id != owner.session.data.user_id]
    made = await owner.invoke(api.messages.CreateChat(users=others, title="Group"))
    created = await owner.invoke(
        api.channels.CreateChannel(title="Supergroup", about="", megagroup=True)
    )
    assert isinstance(made.updates, api.Updates)
    assert isinstance(created, api.Updates)
    channel = created.chats[0]
    await owner.invoke(api.channels.InviteToChannel(channel=channel, users=others))
    return -made.updates.chats[0].id, -1_000_000_000_000 - channel.id


async def _write(
    server: Server, people: list[Person], rooms: Rooms, random: Random, first: int, count: int
) -> None:
    """Send texts, and pin some of them, from whoever is there."""
    del server
    numbers = iter(range(first, first + count))

    async def writer() -> None:
        for number in numbers:
            while True:
                person = random.choice(people)
                client = person.client
                if client is None or not client.is_connected:
                    await asyncio.sleep(0)
                    continue
                peer: Any = rooms[number % 2] if number % 3 else "me"
                request = api.messages.SendMessage(
                    peer=peer, message=f"text {number}", random_id=number + 1
                )
                try:
                    result = await client.invoke(request)
                    await _pin(client, peer, number, result)
                except errors.RpcError as error:
                    if error.name != "RANDOM_ID_DUPLICATE":
                        raise
                except errors.PeerNotFound:
                    continue  # has not heard of the room yet
                except errors.RadiogramError:
                    pass  # went away in between: whether it was sent, the server knows
                break

    await asyncio.gather(*(writer() for _ in range(8)))


async def _pin(client: TelegramClient, peer: Any, number: int, result: Any) -> None:
    if number % 10 == 9 and peer == "me" and isinstance(result, api.UpdateShortSentMessage):
        await client.invoke(api.messages.UpdatePinnedMessage(peer=peer, id=result.id))


async def _come_and_go(server: Server, people: list[Person], random: Random, times: int) -> None:
    """Restart clients in the middle of everything."""
    for _ in range(times):
        person = random.choice(people)
        for _ in range(random.randrange(50)):
            await asyncio.sleep(0)
        await person.go()
        for _ in range(random.randrange(50)):
            await asyncio.sleep(0)
        await person.come(server)


async def _look(
    server: Server, people: list[Person], rooms: Rooms
) -> tuple[dict[int, set[str]], int, int]:
    """Compare what everybody was told with what a client that starts from nothing finds."""
    missing: dict[int, set[str]] = {}
    disorder = twice = 0
    for person in people:
        client = person.client
        if client is None:
            client = await person.come(server)
        truth, texts = await _truth(client, rooms)
        if person is not people[0]:  # joined after the channel was made
            truth.discard(f"{-1_000_000_000_000 - rooms[1]}:NewChannelMessage:1")
        for _ in range(500):
            if truth <= person.keys:
                break
            # The last push may be among the lost: then a client learns of it after a silence of
            # fifteen minutes, which this stands for.
            client.updates.missed()
            await client.invoke(api.help.GetNearestDc())
        missing[person.number] = truth - person.keys
        twice += len(texts) - len(set(texts))
        disorder += sum(not _in_order(keys) for keys in person.told.values())
    return missing, disorder, twice


def _in_order(keys: Iterable[str]) -> bool:
    """Tell whether new messages came in the order of their ids, repetitions left out."""
    seen: set[str] = set()
    ids = []
    for key in keys:
        if "NewMessage:" in key or "NewChannelMessage:" in key:
            if key not in seen:
                ids.append(int(key.rpartition(":")[2]))
            seen.add(key)
    return all(before < after for before, after in pairwise(ids))


async def _truth(client: TelegramClient, rooms: Rooms) -> tuple[set[str], list[str]]:
    """Return the keys of all that happened, and the texts of all messages, by differences."""
    keys: set[str] = set()
    texts: list[str] = []
    pts = 1
    while True:
        part = await client.invoke(api.updates.GetDifference(pts=pts, date=2**31 - 1, qts=0))
        if isinstance(part, api.updates.DifferenceEmpty):
            break
        assert isinstance(part, api.updates.Difference | api.updates.DifferenceSlice)
        keys.update(f"NewMessage:{message.id}" for message in part.new_messages)
        keys.update(
            f"PinnedMessages:{update.pts}"
            for update in part.other_updates
            if isinstance(update, api.UpdatePinnedMessages)
        )
        texts += [m.message for m in part.new_messages if isinstance(m, api.Message)]
        if isinstance(part, api.updates.Difference):
            break
        pts = part.intermediate_state.pts
    channel_id = -1_000_000_000_000 - rooms[1]
    pts = 1
    while True:
        request = api.updates.GetChannelDifference(
            channel=rooms[1],
            filter=api.ChannelMessagesFilterEmpty(),
            pts=pts,
            limit=CHANNEL_LIMIT,
        )
        news = await client.invoke(request)
        if not isinstance(news, api.updates.ChannelDifference):
            break
        keys.update(f"{channel_id}:NewChannelMessage:{message.id}" for message in news.new_messages)
        texts += [m.message for m in news.new_messages if isinstance(m, api.Message)]
        pts = news.pts
        if news.final:
            break
    return keys, texts


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=50, help="packets between two faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many runs, each with its seed")
    parser.add_argument("--server-restarts", type=int, default=3)
    options = parser.parse_args()
    for seed in range(options.seed, options.seed + options.seeds):
        outcome = asyncio.run(
            run(
                clients=options.clients,
                messages=options.messages,
                every=options.every,
                seed=seed,
                server_restarts=options.server_restarts,
            )
        )
        print(f"seed {seed}: {outcome}")  # noqa: T201
        outcome.check()


if __name__ == "__main__":
    main()
