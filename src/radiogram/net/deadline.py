"""Layer 3: the one timer that an engine's deadlines need.

Knows the loop's `call_later` and the clock that the engine is given. Must not know what is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LONGEST = 10.0
"""Seconds after which the clock is looked at again: the timers of the loop stand still while the
machine sleeps, the clock does not."""


class Timer:
    """Calls back when the deadline set last is reached.

    An engine moves its deadline with every packet, nearly always to a later moment. The handle of
    the loop is therefore left alone until it fires, and armed again only for the time that is left.
    """

    def __init__(self, callback: Callable[[], None], clock: Callable[[], float]) -> None:
        self._callback = callback
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._deadline: float | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = 0.0

    def set(self, deadline: float | None) -> None:
        """Call back at `deadline`, in the clock's seconds; None: not at all."""
        self._deadline = deadline
        if deadline is None:
            return
        if self._handle is not None:
            if self._armed_for <= deadline:
                return
            self._handle.cancel()
        self._arm(deadline)

    def cancel(self) -> None:
        """Forget the deadline and release the loop."""
        self._deadline = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, deadline: float) -> None:
        now = self._clock()
        delay = min(max(0.0, deadline - now), LONGEST)
        self._armed_for = now + delay
        self._handle = self._loop.call_later(delay, self._fire)

    def _fire(self) -> None:
        self._handle = None
        deadline = self._deadline
        if deadline is None:
            return
        if deadline > self._clock():
            self._arm(deadline)
            return
        self._deadline = None
        self._callback()
