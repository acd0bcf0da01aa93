"""Layer 4, client: the time that a client goes by.

Knows the clocks of the system. Must not know what they are used for.

Two things happen to computers that a protocol with deadlines, and times in its message ids, does
not like. The system's clock is set: Unix time then jumps by seconds or by hours, either way. And
the machine is suspended: what Python calls monotonic time stands still meanwhile, and so do the
timers of the event loop, while the server goes on. The clock here is not moved by the first and
goes on during the second, so that a jump of it means exactly one thing: this program did not run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Clock = Callable[[], float]


def _elapsed(seconds: Clock = time.monotonic) -> Clock:
    """Find a clock that nobody sets and that goes on while the machine sleeps."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    if boot is None and sys.platform == "darwin":  # there this one goes on, unlike on Linux
        boot = time.CLOCK_MONOTONIC
    if boot is None:
        return seconds  # on Windows it goes on
    kind: int = boot
    return lambda: time.clock_gettime(kind)


def steady(wall: Clock = time.time, elapsed: Clock | None = None) -> Clock:
    """Make a clock that begins with Unix time, and then is moved by nothing but time."""
    passed = elapsed or _elapsed()
    began = wall() - passed()
    return lambda: began + passed()


def forward(clock: Clock) -> Clock:
    """Make a clock of another one that goes on from where it was when the other is turned back."""
    latest = clock()
    ahead = 0.0

    def now() -> float:
        nonlocal latest, ahead
        moment = clock() + ahead
        if moment < latest:
            ahead += latest - moment
            return latest
        latest = moment
        return moment

    return now


STEADY = steady()
"""The clock of this process."""
