"""Runs targets in several processes. Knows how they share the work and are kept in bounds.

Each share of a target has a process of its own, so that its peak of memory is that of the target.
What the inputs are does not depend on the number of processes.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from .run import Report, run, targets

SHARE = 50_000
"""The most inputs of one process."""
TICK = 1.0
"""Seconds between two calls of `tick`."""

_done: Synchronized[int]


def run_all(
    names: list[str],
    *,
    inputs: int,
    seed: str,
    jobs: int,
    memory: int,
    tick: Callable[[int], None],
) -> Iterator[Report]:
    """Feed `inputs` inputs to each target; yield the reports in the order in which they are ready.

    `memory` is what a process may allocate beyond what it has at its start, in bytes: an input
    that wants more gets a MemoryError, and that is a failure. `tick` is called now and then with
    the number of inputs so far. What a process dies of comes out as BrokenProcessPool.
    """
    context = multiprocessing.get_context("spawn")
    done: Synchronized[int] = context.Value("q", 0)
    shares = [min(SHARE, inputs - start) for start in range(0, inputs, SHARE)]
    unfinished = dict.fromkeys(names, len(shares))
    reports = {name: Report(name) for name in names}
    with ProcessPoolExecutor(
        jobs,
        mp_context=context,
        initializer=_prepare,
        initargs=(done, memory),
        max_tasks_per_child=1,
    ) as pool:
        waiting: set[Future[Report]] = {
            pool.submit(_run_share, name, share, f"{seed}/{number}")
            for name in names
            for number, share in enumerate(shares)
        }
        while waiting:
            ready, waiting = wait(waiting, timeout=TICK, return_when=FIRST_COMPLETED)
            tick(done.value)
            for share in ready:
                report = share.result()
                name = report.target
                reports[name] += report
                unfinished[name] -= 1
                if not unfinished[name]:
                    yield reports[name]


def _prepare(done: Synchronized[int], memory: int) -> None:
    global _done  # noqa: PLW0603 - a process of a pool has no other place
    _done = done
    if sys.platform == "linux":  # elsewhere the limit is not kept, only the peak is looked at
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _run_share(name: str, inputs: int, seed: str) -> Report:
    return run(targets()[name], inputs=inputs, seed=seed, progress=_count)


def _count(inputs: int) -> None:
    with _done.get_lock():
        _done.value += inputs
