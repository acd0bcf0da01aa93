"""Server layer, faults: faults by chance, the same ones for the same seed.

Knows numbers only. What happens to the nth packet of an account follows from the seed, the account
and n, and from nothing else: however threads and sockets interleave, the schedule stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count, islice
from random import Random
from typing import NamedTuple

from radiogram.server.faults.base import FaultError

Stream = tuple[str, int]
"""``in``, ``out`` or ``push``, and the account."""

OF_STREAM = {
    "in": ("drop", "lose", "salt", "forget"),
    "out": ("drop", "lose", "repeat", "reorder", "spoil"),
    "push": ("push",),
}
"""Which kinds can happen to packets coming in and going out, and to updates."""
CHAOS_KINDS = ("drop", "lose", "repeat", "reorder", "push")
"""Faults of chaos without further wishes; ``push`` loses, repeats or holds back updates."""
ALL_KINDS = (*CHAOS_KINDS, "salt", "spoil", "forget")
"""Faults that chaos can choose. ``forget`` lets a call be executed twice, as Telegram may, too."""
PUSH_KINDS = ("lose", "repeat", "hold")


class Planned(NamedTuple):
    """One entry of the schedule."""

    number: int
    """Which packet or update of its stream, counted from 1."""
    kind: str


@dataclass(slots=True)
class Chaos:
    """Faults by chance."""

    seed: int
    every: int
    """Packets between two faults, on average."""
    kinds: tuple[str, ...]
    _streams: dict[Stream, tuple[Random, tuple[str, ...]]] = field(default_factory=dict)
    _counts: dict[Stream, int] = field(default_factory=dict)

    @classmethod
    def of(cls, seed: int, every: int, kinds: Iterable[str]) -> Chaos:
        """Check the wishes. Raises FaultError."""
        chosen = tuple(kinds)
        unknown = sorted(set(chosen) - set(ALL_KINDS))
        if unknown or not chosen:
            raise FaultError(f"kinds: {unknown or 'none'}; choose from {', '.join(ALL_KINDS)}")
        if every < 1:
            raise FaultError(f"every: {every} is not a number of packets; give 1 or more")
        return cls(seed, every, chosen)

    def __str__(self) -> str:
        return f"chaos,every={self.every},seed={self.seed},kinds={'+'.join(self.kinds)}"

    def may(self, *streams: str) -> bool:
        """Tell whether anything can happen in streams of these directions."""
        return any(set(OF_STREAM[one]) & set(self.kinds) for one in streams)

    def next(self, direction: str, user_id: int) -> Planned | None:
        """Count one packet or update, and return what is planned for it."""
        stream = direction, user_id
        number = self._counts[stream] = self._counts.get(stream, 0) + 1
        made = self._streams.get(stream)
        if made is None:
            made = self._streams[stream] = self._make(direction, user_id)
        kind = self._draw(*made)
        return None if kind is None else Planned(number, kind)

    def schedule(self, direction: str, user_id: int, numbers: int) -> list[Planned]:
        """Return what is planned for the first packets or updates of an account."""
        made = self._make(direction, user_id)
        drawn = islice(((n, self._draw(*made)) for n in count(1)), numbers)
        return [Planned(number, kind) for number, kind in drawn if kind is not None]

    def _make(self, direction: str, user_id: int) -> tuple[Random, tuple[str, ...]]:
        kinds: tuple[str, ...] = tuple(one for one in self.kinds if one in OF_STREAM[direction])
        if direction == "push" and kinds:
            kinds = PUSH_KINDS
        return Random(f"{self.seed}/{direction}/{user_id}"), kinds

    def _draw(self, random: Random, kinds: tuple[str, ...]) -> str | None:
        if not kinds or random.randrange(self.every):
            return None
        return random.choice(kinds)
