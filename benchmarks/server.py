"""What ``radiogram serve`` takes to start, and the memory it has then."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.served import Served

from .measure import resident


@dataclass
class Start:
    """From the command to the line that tells the address, in seconds; and the memory after it."""

    name: str
    seconds: float
    memory: int


def measure(runs: int) -> list[Start]:
    """Start a server in memory, on a new file, and on that file again; return the medians."""
    taken: dict[str, list[tuple[float, int]]] = {}

    def note(name: str, server: Served) -> None:
        taken.setdefault(name, []).append((server.start_seconds, resident(server.pid)))

    for _ in range(runs + 1):
        with Served() as server:
            note("in memory", server)
        with (
            tempfile.TemporaryDirectory() as folder,
            Served(database=f"sqlite:///{Path(folder, 'server.db')}") as server,
        ):
            note("on a new file, with a new key", server)
            server.stop()
            server.start()
            note("on that file again", server)
    return [
        # The first run only warms up.
        Start(name, median(s for s, _ in ofs[1:]), max(memory for _, memory in ofs[1:]))
        for name, ofs in taken.items()
    ]
