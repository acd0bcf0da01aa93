"""A client is killed while updates come, started again on its session, and has missed nothing.

``python -m tests.e2e.client_kill --points 200`` runs the sweep. A process with a SqliteSession
notes every message in a file from its handler. It gets ``kill -9`` at one point after the other:
before it is ready, in a handler, between handlers, while it fetches a difference. In the end the
file has every message, whatever was repeated.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from radiogram import ServerAddress, TelegramClient, api, events
from radiogram.server import Server
from radiogram.sessions import SqliteSession

PHONE, CODE = "9996620001", "22222"


async def listen(folder: Path, address: ServerAddress) -> None:
    """Be the client: note every message, and say when all is quiet."""
    notes = (folder / "notes").open("a", buffering=1)
    client = TelegramClient(SqliteSession(folder / "client"), 1, "any", server=address)

    @client.on(events.NewMessage())
    async def note(event: events.NewMessageEvent) -> None:
        notes.write(f"{event.text}\n")

    async with client:
        await client.start(phone=PHONE, code=CODE)
        await client.updates.started()
        print("ready", flush=True)  # noqa: T201
        await asyncio.Event().wait()


@dataclass(frozen=True)
class Outcome:
    """What the sweep came to."""

    points: int
    sent: int
    missing: list[str]
    repeated: int
    seconds: float

    def check(self) -> None:
        """Raise AssertionError if anything was missed."""
        assert not self.missing, self.missing

    def __str__(self) -> str:
        return (
            f"{self.points} kills while {self.sent} messages came, in {self.seconds:.1f} s: "
            f"{len(self.missing)} missed, {self.repeated} handled more than once"
        )


async def run(*, points: int, seed: int) -> Outcome:
    """Kill a client at `points` points."""
    started = time.monotonic()
    random = Random(seed)
    sent = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "notes").touch()
        async with Server() as server:
            ada = server.world.add_user("9996620002", "Ada").id
            server.world.add_user(PHONE, "Ben", username="ben_listens")
            found = server.world.call(ada, api.contacts.ResolveUsername(username="ben_listens"))
            ben = api.InputPeerUser(
                user_id=found.users[0].id, access_hash=found.users[0].access_hash
            )

            def write() -> None:
                nonlocal sent
                sent += 1
                server.world.call(
                    ada,
                    api.messages.SendMessage(peer=ben, message=f"text {sent}", random_id=sent),
                )

            process = await _begin(folder, server, wait=True)  # from here on nothing may be missed
            for _ in range(points):
                for _ in range(random.randrange(1, 6)):
                    write()
                    await asyncio.sleep(0)
                if random.random() < 0.8:  # at a moment of its own, often in the middle
                    await asyncio.sleep(random.random() * 0.004)
                process.kill()
                await process.wait()
                for _ in range(random.randrange(3)):
                    write()
                process = await _begin(folder, server, wait=random.random() < 0.7)
            process.kill()
            await process.wait()
            process = await _begin(folder, server, wait=True)
            wanted = {f"text {number}" for number in range(1, sent + 1)}
            for _ in range(400):
                if wanted <= set(_notes(folder)):
                    break
                await asyncio.sleep(0.01)
            process.kill()
            await process.wait()
            counts = Counter(_notes(folder))
    missing = sorted(wanted - counts.keys())
    repeated = sum(1 for count in counts.values() if count > 1)
    return Outcome(points, sent, missing, repeated, time.monotonic() - started)


def _notes(folder: Path) -> list[str]:
    return (folder / "notes").read_text().split("\n")[:-1]


async def _begin(folder: Path, server: Server, *, wait: bool) -> asyncio.subprocess.Process:
    address = {
        "host": server.host,
        "port": server.port,
        "dc_id": server.dc_id,
        "public_key": server.public_key,
        "fingerprint": server.fingerprint,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.e2e.client_kill",
        "--listen",
        str(folder),
        json.dumps(address),
        stdout=asyncio.subprocess.PIPE,
    )
    if wait:
        assert process.stdout is not None
        line = await process.stdout.readline()
        assert line == b"ready\n", line
    return process


def main() -> None:
    """Run the sweep from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listen", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.listen:
        folder, line = options.listen
        asyncio.run(listen(Path(folder), ServerAddress.from_json(line)))
        return
    outcome = asyncio.run(run(points=options.points, seed=options.seed))
    print(outcome)  # noqa: T201
    outcome.check()


if __name__ == "__main__":
    main()
