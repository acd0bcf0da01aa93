"""Updates per second from the server's push to the user's handler, for one client library.

``python -m benchmarks.updates LIBRARY SERVER COUNT`` prints, as JSON, updates a second, CPU seconds
of the client for each, and the resident memory as it went; SERVER is the line of
:mod:`benchmarks.pusher`. The client keeps state as it always does: Radiogram writes down after
every handler where its session stands.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .measure import child, resident
from .pusher import CODE, PHONE, STEP
from .requests import RIVALS, Kurigram, Radiogram, Rival, Telethon

SAMPLES = 20
"""How often memory is looked at."""


class Counter:
    """The user's handler: counts, and lets the server push more."""

    def __init__(self, wanted: int, writer: asyncio.StreamWriter) -> None:
        self.wanted = wanted
        self.seen = 0
        self.memory: list[int] = []
        self.done = asyncio.Event()
        self._writer = writer

    async def handle(self, text: str) -> None:
        """Deal with one message."""
        assert text
        self.seen += 1
        if self.seen % STEP == 0:
            self._writer.write(b"+\n")
        if self.seen % max(1, self.wanted // SAMPLES) == 0:
            self.memory.append(resident(os.getpid()))
        if self.seen == self.wanted:
            self.done.set()


def listen(rival: Rival, handle: Callable[[str], Awaitable[None]]) -> None:
    """Call `handle` with the text of every new message, in the library's usual way."""
    if isinstance(rival, Radiogram):
        from radiogram import events

        @rival.client.on(events.NewMessage())
        async def on_message(event: Any) -> None:
            await handle(event.text)

    elif isinstance(rival, Telethon):
        from telethon import events as telethon_events

        @rival.client.on(telethon_events.NewMessage())
        async def on_telethon(event: Any) -> None:
            await handle(event.raw_text)

    elif isinstance(rival, Kurigram):

        @rival.client.on_message()
        async def on_kurigram(_client: Any, message: Any) -> None:
            await handle(message.text)


async def start(rival: Rival) -> None:
    """Let the stream of updates run."""
    if isinstance(rival, Radiogram):
        await rival.client.get_me()
        await rival.client.updates.started()
    elif isinstance(rival, Kurigram):
        rival.client.me = await rival.client.get_me()
        await rival.client.initialize()


async def measure(library: str, server: dict[str, Any], wanted: int) -> dict[str, Any]:
    rival = RIVALS[library]()
    _, writer = await asyncio.open_connection(server["host"], server["control"])
    counter = Counter(wanted, writer)
    async with asyncio.timeout(60):
        await rival.open(server, PHONE, CODE, "sender_0")
        listen(rival, counter.handle)
        await start(rival)
    used, started = time.process_time(), time.perf_counter()
    writer.write(b"%d\n" % wanted)
    async with asyncio.timeout(60 + wanted / 500):
        await counter.done.wait()
    took, used = time.perf_counter() - started, time.process_time() - used
    writer.close()
    if isinstance(rival, Kurigram):
        await rival.client.terminate()
    await rival.close()
    return {"rate": wanted / took, "cpu": used / wanted, "memory": counter.memory}


@contextmanager
def pushing() -> Iterator[dict[str, Any]]:
    """Run the server in a process of its own; give its line."""
    command = [sys.executable, "-m", "benchmarks.pusher"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def run(library: str, server: dict[str, Any], wanted: int) -> dict[str, Any]:
    """Measure one library in a process of its own."""
    result: dict[str, Any] = child(
        "-m",
        "benchmarks.updates",
        library,
        json.dumps(server),
        str(wanted),
        timeout=120 + wanted / 500,
    )
    return result


if __name__ == "__main__":
    library, server, wanted = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(library, json.loads(server), int(wanted)))))
