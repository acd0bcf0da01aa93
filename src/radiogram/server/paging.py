"""Server layer: pages of lists that are shown newest first (C0.4).

Knows offsets, limits and hashes, and counts; knows nothing of what is in the list.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_MASK = 0xFFFFFFFFFFFFFFFF


def bounded(limit: int, *, default: int = DEFAULT_LIMIT) -> int:
    """Return how many items a page has: `default` for 0 or less, and no more than 100."""
    return min(limit, MAX_LIMIT) if limit > 0 else default


def window(before: int, add_offset: int, limit: int, total: int) -> tuple[int, int]:
    """Return the slice of a list that a page is.

    `before` is the number of items up to and including the one that offset_id names.
    """
    start = before + add_offset
    end = start + limit
    return min(max(start, 0), total), min(max(end, 0), total)


def page(ids: Sequence[int], *, offset_id: int, add_offset: int, limit: int) -> Sequence[int]:
    """Cut one page from a list of ids in descending order."""
    before = 0 if offset_id <= 0 else bisect_left(ids, 1 - offset_id, key=lambda number: -number)
    start, end = window(before, add_offset, limit, len(ids))
    return ids[start:end]


def between(ids: Iterable[int], *, min_id: int, max_id: int) -> list[int]:
    """Drop ids that are not strictly between the bounds; 0 is no bound."""
    return [
        number
        for number in ids
        if (min_id <= 0 or number > min_id) and (max_id <= 0 or number < max_id)
    ]


def list_hash(ids: Iterable[int]) -> int:
    """Return the hash by which a client says which list it has; a signed 64-bit number."""
    value = 0
    for number in ids:
        value ^= value >> 21
        value ^= (value << 35) & _MASK
        value ^= value >> 4
        value = (value + number) & _MASK
    return value - (1 << 64) if value >> 63 else value
