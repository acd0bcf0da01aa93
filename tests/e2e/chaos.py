"""Many clients write, pin and go away while the network and the server fail by chance.

``python -m tests.e2e.chaos --clients 20 --messages 10000`` is the long run; with ``--client
telethon`` Telethon plays the clients, for comparison. In the end every client's handler has been
told everything that happened to its account, in private chats, a group, a supergroup and a channel,
at least once and in order within each box, and no call took effect twice.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from radiogram.crypto.rsa import PrivateKey
from radiogram.server import Server
from radiogram.server.faults import ALL_KINDS

from ..served import free_port
from .chaos_keys import out_of_order
from .chaos_people import Person, RadiogramPerson, WentAway
from .chaos_world import (
    Executions,
    Room,
    Sent,
    Start,
    Truth,
    choose,
    close_room,
    make_rooms,
    phone_of,
    start_of,
    truth_of,
)

AT_ONCE = 8
"""Calls under way."""
PER_RESTART = 50
"""Messages between two restarts of clients."""
PER_PIN = 5
"""Messages of which one is pinned."""
SETTLE = 60.0
"""Seconds that a client has in the end to learn what it has missed."""

KINDS = tuple(kind for kind in ALL_KINDS if kind != "forget")
"""All faults but the one by which the server itself executes calls twice."""
KEY = PrivateKey.generate().to_pem()

Maker = Callable[[int, Random, Path | None], Person]


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    seed: int
    seconds: float
    messages: int
    pins: int
    packets: int
    faults: Counter[str]
    client_restarts: int
    server_restarts: int
    happened: int
    """Updates that all accounts together were to be told."""
    handled: int
    """Calls of handlers for them."""
    missing: dict[int, list[str]]
    """What a handler was never told, by the number of its account."""
    disorder: int
    """Boxes in which new messages were told out of order."""
    twice: int
    """Calls that took effect twice, and texts that are in a box more than once."""
    ambiguous: int
    """Keys of events that stand for two happenings, or happenings with two keys."""
    undone: int
    """Messages that a sender was told to be sent, and that are nowhere."""
    given_up: int
    """Calls that were never answered while their client was there."""

    def check(self) -> None:
        """Raise AssertionError unless all was told, in order, and nothing was done twice."""
        wrong = self.disorder + self.twice + self.ambiguous + self.undone + self.given_up
        assert not wrong, self
        assert not any(self.missing.values()), f"{self}\n  {self.missing}"

    def __str__(self) -> str:
        lost = [key for keys in self.missing.values() for key in keys]
        pins = sum("pin" in key for key in lost)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        return (
            f"seed {self.seed}: {self.messages} messages and {self.pins} pins "
            f"in {self.seconds:.0f} s\n"
            f"  {self.packets} packets, {self.faults.total()} faults ({kinds})\n"
            f"  {self.client_restarts} restarts of clients, {self.server_restarts} of the server\n"
            f"  {self.happened} updates to tell, handlers were called {self.handled} times\n"
            f"  {len(lost)} missing ({len(lost) - pins} messages, {pins} pins), "
            f"{self.disorder} boxes out of order, {self.twice} done twice, "
            f"{self.ambiguous} ambiguous keys, {self.undone} confirmed and not done, "
            f"{self.given_up} calls given up"
        )


class Run:
    """One run, from an empty world to its outcome."""

    def __init__(
        self,
        people: Sequence[Person],
        folder: Path,
        *,
        messages: int,
        every: int,
        seed: int,
        server_restarts: int,
        kinds: Sequence[str],
    ) -> None:
        self.people = people
        self.messages = messages
        self.every = every
        self.seed = seed
        self.kinds = kinds
        self.executions = Executions()
        self.pins = 0
        self.sent: list[Sent] = []
        self._random = Random(seed)
        self._port = free_port()
        self._url = f"sqlite:///{folder / 'server.db'}"
        self._served = 0
        self._rooms: list[Room] = []
        self._starts: dict[int, Start] = {}
        part = messages // (server_restarts + 1) + 1
        self._server_restarts = {part * (n + 1) for n in range(server_restarts)} - {0}
        self._moves: set[asyncio.Task[None]] = set()

    async def play(self) -> Outcome:
        """Let it happen, and look."""
        started = time.monotonic()
        self.server = self._serve()
        await self.server.start()
        try:
            await self._open()
            self._go_wrong()
            numbers = iter(range(self.messages))
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._write(numbers, group))
            return await self._look(started)
        finally:
            await asyncio.gather(*(person.go() for person in self.people))
            await self.server.close()

    def _serve(self) -> Server:
        return Server(port=self._port, database=self._url, key=KEY)

    async def _open(self) -> None:
        world = self.server.world
        ids = [
            world.add_user(phone_of(person.number), f"P{person.number}").id
            for person in self.people
        ]
        self._rooms = make_rooms(world, ids)
        for person in self.people:
            await person.come(self.server)
            assert person.user_id == ids[person.number]
        for person in self.people:
            self._starts[person.number] = start_of(world, person.user_id, self._rooms)

    def _go_wrong(self) -> None:
        """Watch the server of the moment, and let it fail by chance."""
        self.executions.watch(self.server)
        self._served += 1
        self.server.faults.chaos(
            every=self.every, seed=self.seed * 100 + self._served, kinds=self.kinds
        )

    # ── what happens ─────────────────────────────────────────────────────────────────────────

    async def _write(self, numbers: Iterator[int], group: asyncio.TaskGroup) -> None:
        """Send texts and pin some of them, from whoever is there; have others come and go."""
        for number in numbers:
            if number % PER_RESTART == PER_RESTART // 2:
                group.create_task(self._come_and_go(self._random.choice(self.people)))
            if number in self._server_restarts:
                group.create_task(self._restart_server())
            room = choose(self._rooms, self._random)
            person = self.people[self._random.choice(room.writers)]
            while not person.is_there:
                await asyncio.sleep(0.001)
                person = self.people[self._random.choice(room.writers)]
            text = f"text {number}"
            try:
                message_id = await person.send(room, text, number + 1)
                if message_id:
                    self.sent.append(Sent(room, person.number, text, message_id))
                    if number % PER_PIN == 0:
                        self.pins += 1
                        await person.pin(room, message_id)
            except WentAway:
                pass  # whether it was executed, the server knows

    async def _come_and_go(self, person: Person) -> None:
        async with person.moving:
            await person.go()
            for _ in range(self._random.randrange(50)):
                await asyncio.sleep(0)
            await person.come(self.server)

    async def _restart_server(self) -> None:
        await self.server.close()
        self.executions.count_faults()
        self.server = self._serve()
        await self.server.start()
        self._go_wrong()

    # ── what came of it ──────────────────────────────────────────────────────────────────────

    async def _look(self, started: float) -> Outcome:
        self.server.faults.clear()
        self.executions.count_faults()
        world = self.server.world
        for room in self._rooms:
            # The last update of a box may be among the lost: the next one shows the gap.
            close_room(world, room, self.people[room.writers[0]].user_id)
        truths = {
            person.number: truth_of(
                world, person.number, person.user_id, self._starts[person.number], self._rooms
            )
            for person in self.people
        }
        wanted = {person.number: person.due(truths[person.number]) for person in self.people}
        missing = await asyncio.gather(
            *(self._settle(person, wanted[person.number]) for person in self.people)
        )
        return Outcome(
            seed=self.seed,
            seconds=time.monotonic() - started,
            messages=self.messages,
            pins=self.pins,
            packets=self.executions.packets,
            faults=self.executions.faults,
            client_restarts=sum(person.starts for person in self.people) - len(self.people),
            server_restarts=self._served - 1,
            happened=sum(map(len, wanted.values())),
            handled=sum(person.calls for person in self.people),
            missing={
                person.number: sorted(keys)
                for person, keys in zip(self.people, missing, strict=True)
            },
            disorder=sum(
                out_of_order(keys) for person in self.people for keys in person.told.values()
            ),
            twice=self.executions.twice + sum(map(_repeated, truths.values())),
            ambiguous=sum(person.ambiguous for person in self.people),
            undone=sum(not _is_there(sent, truths[sent.sender]) for sent in self.sent),
            given_up=sum(person.given_up for person in self.people),
        )

    async def _settle(self, person: Person, wanted: set[str]) -> set[str]:
        """Wait until a person knows everything; return what it never learned."""
        if not person.is_there:
            await self._come_and_go(person)
        deadline, pause = time.monotonic() + SETTLE, 0.05
        while (missing := wanted - person.keys) and time.monotonic() < deadline:
            await person.look_again()
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)
        return missing


def _repeated(truth: Truth) -> int:
    return truth.texts.total() - len(truth.texts)


def _is_there(sent: Sent, truth: Truth) -> bool:
    line = sent.room.id if sent.room.kind in ("supergroup", "channel") else 0
    return (line, sent.text) in truth.texts


async def run(
    *,
    clients: int,
    messages: int,
    every: int,
    seed: int,
    server_restarts: int = 1,
    person: Maker = RadiogramPerson,
    files: bool = False,
    kinds: Sequence[str] = KINDS,
) -> Outcome:
    """Play it once. `files`: clients keep their sessions in files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        people = [
            person(number, Random(seed * 1000 + number), folder if files else None)
            for number in range(clients)
        ]
        played = Run(
            people,
            folder,
            messages=messages,
            every=every,
            seed=seed,
            server_restarts=server_restarts,
            kinds=kinds,
        )
        return await played.play()


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.chaos", description=__doc__)
    parser.add_argument("--client", choices=("radiogram", "telethon"), default="radiogram")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=50, help="packets between two faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many runs, each with its seed")
    parser.add_argument("--server-restarts", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", default=KINDS, help="of faults")
    options = parser.parse_args()
    person: Maker = RadiogramPerson
    if options.client == "telethon":
        from .chaos_telethon import TelethonPerson

        person = TelethonPerson
    for seed in range(options.seed, options.seed + options.seeds):
        outcome = asyncio.run(
            run(
                clients=options.clients,
                messages=options.messages,
                every=options.every,
                seed=seed,
                server_restarts=options.server_restarts,
                person=person,
                files=True,
                kinds=options.kinds,
            )
        )
        print(f"{options.client}, {options.clients} clients, {outcome}", flush=True)  # noqa: T201
        if options.client == "radiogram":
            outcome.check()


if __name__ == "__main__":
    main()
