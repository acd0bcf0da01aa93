"""What the tests of transports share: codecs of both ends, payloads, and the cutting of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from random import Random

from hypothesis import strategies as st

from radiogram import wire
from radiogram.errors import FramingError
from radiogram.wire import Codec, Frame, ServerCodec

TRANSPORTS = [
    ("abridged", False),
    ("intermediate", False),
    ("padded", False),
    ("full", False),
    ("abridged", True),
    ("intermediate", True),
    ("padded", True),
]
"""Framing, and whether it is obfuscated."""
PLAIN = ["abridged", "intermediate", "padded", "full"]
QUICK = [transport for transport in TRANSPORTS if transport[0] != "full"]
"""Those that know quick acknowledgement."""


def label(value: object) -> str | None:
    """Name a transport in the id of a test."""
    match value:
        case (str(name), True):
            return f"obfuscated {name}"
        case (str(name), False):
            return name
    return None


def client_of(transport: tuple[str, bool], *, max_packet: int = wire.MAX_PACKET) -> Codec:
    name, obfuscated = transport
    return wire.client_codec(
        name, obfuscated=obfuscated, random=Random(1).randbytes, max_packet=max_packet
    )


def server_of(*, max_packet: int = wire.MAX_PACKET) -> ServerCodec:
    return ServerCodec(random=Random(2).randbytes, max_packet=max_packet)


def pair_of(transport: tuple[str, bool]) -> tuple[Codec, ServerCodec, bytes]:
    """Return both ends after the client has sent one packet, and that packet."""
    client, server = client_of(transport), server_of()
    payload = sealed(1)
    assert server.feed(client.pack(payload)) == [wire.Packet(payload)]
    return client, server, payload


def sealed(blocks: int, fill: bytes = b"\xaa") -> bytes:
    """Return what looks like an encrypted message."""
    return fill * (24 + 16 * blocks)


def plain(words: int) -> bytes:
    """Return what looks like a plain message."""
    body = bytes(range(4)) * words
    return bytes(8) + b"\x01" * 8 + len(body).to_bytes(4, "little") + body


payloads = st.one_of(
    st.builds(sealed, st.sampled_from([1, 2, 3, 30, 31, 32, 127, 300])),
    st.builds(plain, st.sampled_from([0, 1, 5, 17, 121, 122, 123])),
)


def cut(data: bytes, places: Iterable[int]) -> Iterator[bytes]:
    """Cut the bytes at these places, counted from the start, modulo the length."""
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    for start, end in pairwise(ends):
        yield data[start:end]


def stream_of(codec: Codec, pieces: Iterable[bytes]) -> list[Frame | str]:
    """Feed the pieces and return everything that comes out, and at the end how it broke."""
    frames: list[Frame | str] = []
    for piece in pieces:
        try:
            frames += codec.feed(piece)
        except FramingError as error:
            assert codec.broken
            return [*frames, str(error)]
    if codec.broken:
        try:
            codec.feed(b"")
        except FramingError as error:
            return [*frames, str(error)]
        raise AssertionError("a broken codec takes bytes")
    return frames


def single_bytes(data: bytes) -> Sequence[bytes]:
    return [data[at : at + 1] for at in range(len(data))]
