"""Layer 2: how long an answer may be waited for, learnt from answers that came (RFC 6298).

Knows only seconds. Must not know what was asked.
"""

from __future__ import annotations

FIRST = 1.0
"""Seconds that are waited as long as nothing was measured."""
SHORTEST, LONGEST = 0.5, 10.0
"""Bounds of what is waited: less would ask about calls that merely take a while to execute."""


class RoundTrip:
    """The round trips of one connection: their mean, and how far they stray from it."""

    __slots__ = ("_mean", "_stray", "timeout")

    def __init__(self) -> None:
        self._mean = self._stray = 0.0
        self.timeout = FIRST
        """Seconds after which an answer is overdue."""

    def measured(self, seconds: float) -> None:
        """Learn from one round trip. Those of a clock that was turned back teach nothing."""
        if seconds < 0:
            return
        if self._mean:
            self._stray += (abs(seconds - self._mean) - self._stray) / 4
            self._mean += (seconds - self._mean) / 8
        else:
            self._mean, self._stray = seconds, seconds / 2
        self.timeout = min(max(self._mean + 4 * self._stray, SHORTEST), LONGEST)
