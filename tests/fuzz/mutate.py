"""Makes wrong inputs of right ones. Knows bytes and a little of how TL writes numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

NUMBERS = tuple(
    number.to_bytes(4, "little", signed=number < 0)
    for number in (
        *(0, 1, 2, 3, 4, 8, 127, 128, 253, 254, 255, 256, 1023, 1024, 1025, 8192, 65535, 1 << 24),
        *((1 << 31) - 1, -(1 << 31), -1, -4, -404),
        *(0x1CB5C415, 0x73F1F8DC, 0x3072CFA1, 0xF35C6D01, 0x997275B5, 0xBC799737),
    )
)
"""Values at the edges of lengths and counts; ids of vector, container, gzip, result, Bool."""

LONGEST = 4096
"""Bytes of an input made of nothing."""


def mutated(seeds: Sequence[bytes], random: Random) -> bytes:
    """Return one input: garbage now and then, else a seed with one to six things wrong."""
    if not seeds or random.random() < 0.05:
        return random.randbytes(
            random.choice((0, 1, 3, 4, 7, 8, 24, 64, random.randrange(LONGEST)))
        )
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        random.choice(CHANGES)(data, seeds, random)
    return bytes(data)


def _place(data: bytearray, random: Random) -> int:
    """Return an offset to change something at; mostly one where TL begins a value."""
    place = random.randrange(len(data) + 1)
    return place & ~3 if random.random() < 0.7 else place


def _flip(data: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(data: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    if data:
        data[random.randrange(len(data))] = random.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))


def _number(data: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    place = _place(data, random)
    data[place : place + 4] = random.choice(NUMBERS)


def _cut(data: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    del data[_place(data, random) :]


def _remove(data: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    place = _place(data, random)
    del data[place : place + random.choice((1, 4, 8, 32))]


def _insert(data: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    place = _place(data, random)
    data[place:place] = random.randbytes(random.choice((1, 4, 8, 32)))


def _repeat(data: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    place = _place(data, random)
    data[place:place] = data[place : place + random.choice((4, 16, 64))] * random.choice((1, 2, 50))


def _splice(data: bytearray, seeds: Sequence[bytes], random: Random) -> None:
    other = random.choice(seeds)
    place = random.randrange(len(other) + 1) & ~3
    data[_place(data, random) :] = other[place:]


CHANGES: tuple[Callable[[bytearray, Sequence[bytes], Random], None], ...] = (
    _flip,
    _set,
    _number,
    _number,
    _cut,
    _remove,
    _insert,
    _repeat,
    _splice,
)
