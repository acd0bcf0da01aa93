"""What it costs to import a library: time and memory, in a fresh process each time."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from .measure import child

SOURCE = """
import json, time
def resident():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    except OSError:
        return 0
before, started = resident(), time.perf_counter()
{statement}
took = time.perf_counter() - started
print(json.dumps([took, resident() - before]))
"""

STATEMENTS = {
    "asyncio and ssl alone": "import asyncio, ssl",
    "radiogram": "import radiogram",
    "radiogram, client and api": "from radiogram import TelegramClient, api; api.messages",
    "telethon": "from telethon import TelegramClient, functions, types",
    "kurigram": "from pyrogram import Client, raw",
}


@dataclass
class Import:
    """The cost of one import."""

    name: str
    seconds: float
    kibibytes: float


def measure(names: list[str], runs: int) -> list[Import]:
    """Import each of `names` `runs` times; return the medians. The first run only warms up."""
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(runs + 1):
        for name in names:
            results[name].append(child("-c", SOURCE.format(statement=STATEMENTS[name])))
    return [
        Import(
            name,
            median(seconds for seconds, _ in taken[1:]),
            median(memory for _, memory in taken[1:]),
        )
        for name, taken in results.items()
    ]
