"""Server layer: the one clock of a server (A15.1).

It drives message ids, dates, salts and timers, and it can be shifted, stopped and stepped, so
that a test of an hour needs no hour. Knows the event loop only to wake up for its own timers;
knows nothing of sessions or accounts.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable


class Timer:
    """One callback that a :class:`Clock` will make; :meth:`cancel` calls it off."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], object]) -> None:
        self.when = when
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """Call it off; harmless when it has already run."""
        self.callback = None


class Clock:
    """Unix time that can be set. It runs like the machine's own until told otherwise."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen: float | None = None
        self._timers: list[tuple[float, int, Timer]] = []
        self._number = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._compact_at = 256

    def now(self) -> float:
        """Return the unix time in seconds."""
        if self._frozen is not None:
            return self._frozen
        return time.time() + self._offset

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen is not None

    def set(self, when: float) -> None:
        """Make it `when` o'clock now (unix seconds); a frozen clock stays frozen."""
        if self._frozen is not None:
            self._frozen = when
        else:
            self._offset = when - time.time()
        self._run_due()

    def advance(self, seconds: float) -> None:
        """Step forward (or back) by `seconds`, and run the timers that became due."""
        self.set(self.now() + seconds)

    def freeze(self, at: float | None = None) -> None:
        """Stop at `at`, or at the present time; only :meth:`set` and :meth:`advance` move it."""
        self._frozen = self.now() if at is None else at
        self._run_due()

    def resume(self) -> None:
        """Let a frozen clock run on from where it stands."""
        if self._frozen is not None:
            self._offset = self._frozen - time.time()
            self._frozen = None
            self._run_due()

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call back when the clock shows `when` or later. Never before this call returns."""
        timer = Timer(when, callback)
        if len(self._timers) >= self._compact_at:  # most are cancelled: throw those away
            self._timers = [entry for entry in self._timers if entry[2].callback is not None]
            heapq.heapify(self._timers)
            self._compact_at = max(256, 2 * len(self._timers))
        heapq.heappush(self._timers, (when, next(self._number), timer))
        self._arm()
        return timer

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Call back `delay` seconds of this clock from now."""
        return self.call_at(self.now() + delay, callback)

    def close(self) -> None:
        """Forget all timers."""
        self._timers.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _run_due(self) -> None:
        now = self.now()
        due = []
        # Taken out first: a callback that sets a timer for `now` again must not loop for ever.
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for timer in due:
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
        self._arm()

    def _arm(self) -> None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers or self._frozen is not None:
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None
            return
        when = self._timers[0][0]
        if self._alarm is not None:
            if self._alarm_at == when - self._offset:
                return
            self._alarm.cancel()
            self._alarm = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # outside a loop only set() and advance() make timers run
        self._alarm_at = when - self._offset
        self._alarm = loop.call_later(max(0.0, when - self.now()), self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._run_due()
