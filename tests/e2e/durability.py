"""A server is killed while it works, started again on its file, and must have lost nothing.

``python -m tests.e2e.durability --sends 1000`` runs it alone. Two clients write to each other
while the process gets ``kill -9`` several times; each time another process takes over the same
file and the same port, and the clients go on by themselves. In the end every message that was
acknowledged is there, on both sides, once, and the pts of both accounts have no gap.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from radiogram import ServerAddress, TelegramClient, api, errors
from radiogram.sessions import StringSession

from ..served import Served

API_ID, API_HASH = 94575, "a3406de8d171bb422bb6ddf3bbd800e2"
CODE = "22222"
WORLD = """
[[users]]
phone = "9996620001"
first_name = "Ann"
username = "ann_writes"

[[users]]
phone = "9996620002"
first_name = "Bob"
username = "bob_writes"
"""
AT_ONCE = 20
"""Sends of one client that wait for their answer at the same time."""


@dataclass
class Writer:
    """One account: its client, and what it was told about its messages."""

    phone: str
    other: str
    session: StringSession = field(default_factory=lambda: StringSession(""))
    acknowledged: dict[int, str] = field(default_factory=dict)
    """Texts by the id that the server gave them."""
    repeated: set[str] = field(default_factory=set)
    """Texts of which the server said that it has them already (RANDOM_ID_DUPLICATE, C0.2.2)."""

    def client(self, address: ServerAddress) -> TelegramClient:
        """Return a client with this account's session, which may have a key already."""
        return TelegramClient(
            self.session, API_ID, API_HASH, server=address, reconnect_attempts=None
        )


@dataclass(frozen=True)
class Box:
    """What a client that starts from nothing finds of one account."""

    by_history: dict[int, str]
    by_difference: dict[int, str]
    pts: int
    steps: int
    """Changes of pts that getDifference from pts 1 told of."""


@dataclass(frozen=True)
class Outcome:
    """What the run came to."""

    sends: int
    kills: int
    seconds: float
    writers: tuple[Writer, Writer]
    boxes: tuple[Box, Box]

    def __str__(self) -> str:
        acknowledged = sum(len(writer.acknowledged) for writer in self.writers)
        repeated = sum(len(writer.repeated) for writer in self.writers)
        lines = [
            (
                f"{self.sends} sends of two clients, {2 * AT_ONCE} at once; the server got "
                f"{self.kills - 1} times kill -9 meanwhile, once more after the last answer "
                f"({self.seconds:.1f} s):"
            ),
            (
                f"  {acknowledged} were acknowledged with an id, {repeated} as stored already "
                "(RANDOM_ID_DUPLICATE, after a resend)"
            ),
            "  each of them is in both accounts' history, once, under the id that was told",
            "  updates.getDifference from pts 1 tells of the same messages",
        ]
        for writer, box in zip(self.writers, self.boxes, strict=True):
            lines.append(
                f"  {writer.phone}: {len(box.by_history)} messages, pts 1 to {box.pts} "
                f"in {box.steps} steps without a gap"
            )
        return "\n".join(lines)

    def check(self) -> None:
        """Raise AssertionError unless nothing was lost."""
        texts = Counter(text for writer in self.writers for text in writer.acknowledged.values())
        texts.update(text for writer in self.writers for text in writer.repeated)
        assert len(texts) == self.sends
        for writer, box in zip(self.writers, self.boxes, strict=True):
            assert box.by_history.items() >= writer.acknowledged.items(), "a message is missing"
            assert box.by_difference == box.by_history
            # Every text is there, once, though some of them were sent twice.
            assert Counter(box.by_history.values()) == dict.fromkeys(texts, 1)
            assert box.pts == 1 + box.steps, "a gap in pts"


async def run(sends: int, kills: int, seed: int) -> Outcome:
    """Send `sends` texts while the server is killed `kills` times, and once more at the end."""
    started = time.monotonic()
    random = Random(seed)
    writers = Writer("9996620001", "bob_writes"), Writer("9996620002", "ann_writes")
    with ExitStack() as files:
        folder = files.enter_context(tempfile.TemporaryDirectory())
        database = f"sqlite:///{Path(folder, 'server.db')}"
        server = files.enter_context(Served(database=database, world=WORLD))
        said = server.address
        address = ServerAddress(said.host, said.port, said.dc_id, said.public_key)
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(writer.client(address)) for writer in writers
            ]
            for writer, client in zip(writers, clients, strict=True):
                await client.start(phone=writer.phone, code=CODE)
            await _write(server, writers, clients, sends, kills, random)
            # Once more right after the last answer: what was acknowledged is in the file by then.
            server.kill()
        server.start()
        boxes = [await _look(writer, address) for writer in writers]
    seconds = time.monotonic() - started
    return Outcome(sends, kills + 1, seconds, writers, (boxes[0], boxes[1]))


async def _write(
    server: Served,
    writers: tuple[Writer, Writer],
    clients: list[TelegramClient],
    sends: int,
    kills: int,
    random: Random,
) -> None:
    """Let both clients write; kill and start the server after so many acknowledged messages."""
    numbers = itertools.count(1)
    limits = sorted(random.sample(range(sends // 10, sends * 9 // 10), kills))
    moments = {limit: asyncio.Event() for limit in limits}

    async def killer() -> None:
        for moment in moments.values():
            await moment.wait()
            server.kill()
            await asyncio.to_thread(server.start)

    async def caller(writer: Writer, client: TelegramClient, mine: Iterator[int]) -> None:
        for number in mine:
            await _send(writer, client, number)
            done = sum(len(one.acknowledged) + len(one.repeated) for one in writers)
            for limit, moment in moments.items():
                if done >= limit:
                    moment.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(killer())
        mine = itertools.takewhile(lambda number: number <= sends, numbers)
        for _ in range(AT_ONCE):
            for writer, client in zip(writers, clients, strict=True):
                group.create_task(caller(writer, client, mine))


async def _send(writer: Writer, client: TelegramClient, number: int) -> None:
    text = f"text {number}"
    request = api.messages.SendMessage(peer=writer.other, message=text, random_id=number)
    try:
        result = await client.invoke(request)
    except errors.RpcError as error:
        if error.name != "RANDOM_ID_DUPLICATE":
            raise
        writer.repeated.add(text)
    else:
        match result:
            case api.UpdateShortSentMessage(id=message_id):
                writer.acknowledged[message_id] = text
            case api.Updates(updates=[api.UpdateMessageID(id=message_id), *_]):
                writer.acknowledged[message_id] = text
            case _:
                raise AssertionError(f"an unexpected result of sendMessage: {result}")


async def _look(writer: Writer, address: ServerAddress) -> Box:
    """Read everything that the account has, with the session that it made at the beginning."""
    async with writer.client(address) as client:
        by_history: dict[int, str] = {}
        offset = 0
        while True:
            page = await client.invoke(
                api.messages.GetHistory(
                    peer=writer.other,
                    offset_id=offset,
                    offset_date=0,
                    add_offset=0,
                    limit=100,
                    max_id=0,
                    min_id=0,
                    hash=0,
                )
            )
            assert isinstance(page, api.messages.Messages | api.messages.MessagesSlice)
            if not page.messages:
                break
            by_history |= _texts(page.messages)
            offset = page.messages[-1].id

        by_difference: dict[int, str] = {}
        state = await client.invoke(api.updates.GetState())
        pts, steps = 1, 0
        while pts < state.pts:
            part = await client.invoke(
                api.updates.GetDifference(pts=pts, date=state.date, qts=state.qts)
            )
            assert isinstance(part, api.updates.Difference | api.updates.DifferenceSlice)
            by_difference |= _texts(part.new_messages)
            steps += len(part.new_messages)
            match part:
                case api.updates.DifferenceSlice(intermediate_state=reached):
                    assert reached.pts == 1 + steps, "a gap in pts"
                    pts = reached.pts
                case api.updates.Difference(state=reached):
                    pts = reached.pts
        return Box(by_history, by_difference, state.pts, steps)


def _texts(messages: list[api.TypeMessage]) -> dict[int, str]:
    return {one.id: one.message for one in messages if isinstance(one, api.Message)}


def main() -> None:
    """Run what the command line asks for, and print what it came to."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.durability")
    parser.add_argument("--sends", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    outcome = asyncio.run(run(options.sends, options.kills, options.seed))
    outcome.check()
    print(outcome)  # noqa: T201


if __name__ == "__main__":
    main()
