"""Layer 0: the primitives of TL on the wire, and the limits.

Knows how numbers, strings, bytes and Bool are laid out and how much a hostile input may cost.
Knows no definitions: :mod:`~radiogram.tl.reader` and :mod:`~radiogram.tl.writer` compile those.
"""

from __future__ import annotations

import struct
from typing import Any

VECTOR_ID = 0x1CB5C415
TRUE_ID = 0x997275B5
FALSE_ID = 0xBC799737

MAX_DEPTH = 64
"""How deep objects may be nested in an input. The deepest honest ones reach about 20."""
MAX_OBJECTS = 1 << 18
"""How many objects one input may hold. The largest honest answers hold a tenth of that."""
MAX_LENGTH = (1 << 24) - 1
"""Longest string or bytes value that TL can express."""
PATH_END = 150
"""Characters of each end of a long path that an error shows."""

FIXED = {"int": "i", "long": "q", "double": "d", "int128": "16s", "int256": "32s", "#": "I"}
"""Types of fixed size and their :mod:`struct` codes."""
SIZES = {code: struct.calcsize("<" + code) for code in (*FIXED.values(), "I")}
INT_RANGES = {"int": (-(2**31), 2**31, "32-bit"), "long": (-(2**63), 2**63, "64-bit")}
BYTE_LENGTHS = {"int128": 16, "int256": 32}

TRUE = TRUE_ID.to_bytes(4, "little")
FALSE = FALSE_ID.to_bytes(4, "little")
_HEADS = tuple(bytes((n,)) for n in range(254))
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


class Malformed(Exception):
    """Raised inside of a reader; comes out as DecodeError with a path and an offset.

    ``back`` is how many bytes before the reader's position the fault lies.
    """

    def __init__(self, message: str, back: int = 0) -> None:
        super().__init__(message)
        self.back = back


class Misfit(Exception):
    """Raised inside of a writer; comes out as EncodeError with a path."""


def read_bytes(data: bytes, position: int) -> tuple[bytes, int]:
    """Read a bytes value that begins at a multiple of four; gives it and the next position.

    Padding is skipped without a look: other implementations do not always write zeros.
    """
    length = data[position]
    if length < 254:
        start = position + 1
    elif length == 254:
        start = position + 4
        length = data[position + 1] | data[position + 2] << 8 | data[position + 3] << 16
    else:
        raise Malformed("a length cannot begin with byte 255")
    end = start + length
    position = (end + 3) & -4
    if position > len(data):
        raise Malformed(f"{length} bytes announced, {max(len(data) - start, 0)} left")
    return data[start:end], position


def read_string(data: bytes, position: int) -> tuple[str, int]:
    """Read a string; bytes that are no UTF-8 become lone surrogates and survive."""
    value, position = read_bytes(data, position)
    return value.decode("utf-8", "surrogateescape"), position


def pack_bytes(value: Any) -> bytes:
    """Lay out a bytes value with its length and padding."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise Misfit
    data = bytes(value)
    length = len(data)
    if length < 254:
        return _HEADS[length] + data + _PADDING[(length + 1) & 3]
    if length > MAX_LENGTH:
        raise Misfit(f"expected at most {MAX_LENGTH} bytes, got {length}")
    return b"\xfe" + length.to_bytes(3, "little") + data + _PADDING[length & 3]


def pack_string(value: Any) -> bytes:
    """Lay out a string."""
    if not isinstance(value, str):
        raise Misfit
    data: bytes = value.encode("utf-8", "surrogateescape")
    length = len(data)
    if length < 254:
        return _HEADS[length] + data + _PADDING[(length + 1) & 3]
    return pack_bytes(data)
