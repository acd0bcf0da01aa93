"""How every number is taken. Knows no library."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any


def per_call(function: Callable[[], object], *, seconds: float = 1.0, runs: int = 5) -> float:
    """Return the seconds that one call takes: the median of `runs` runs of equal length."""
    count, took = 1, 0.0
    while took < seconds / runs / 4:
        count *= 2
        took = _time(function, count)
    count = max(1, int(count * seconds / runs / took))
    return median(_time(function, count) / count for _ in range(runs))


def _time(function: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        function()
    return time.perf_counter() - started


async def rate(
    call: Callable[[], Awaitable[object]], *, at_once: int, seconds: float
) -> tuple[float, float]:
    """Call for `seconds` with `at_once` calls under way.

    Return how many were answered in a second, and the CPU seconds of this process for each.
    """
    answered, used = 0, time.process_time()
    started = time.perf_counter()
    deadline = started + seconds

    async def caller() -> None:
        nonlocal answered
        while time.perf_counter() < deadline:
            await call()
            answered += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(caller())
    took = time.perf_counter() - started
    return answered / took, (time.process_time() - used) / answered


def child(*arguments: str, timeout: float = 300) -> Any:
    """Run ``python <arguments>`` in a process of its own and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    if done.returncode:
        raise RuntimeError(f"python {' '.join(arguments)[:200]} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def resident(pid: int) -> int:
    """Return the resident memory of a process in bytes (Linux; 0 elsewhere)."""
    try:
        with Path(f"/proc/{pid}/status").open(encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
