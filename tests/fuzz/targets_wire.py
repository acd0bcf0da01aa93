"""Layer 1: whatever arrives on a connection, at either end of it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from zlib import crc32

from radiogram import wire
from radiogram.errors import FramingError
from radiogram.wire import Codec, Frame, ServerCodec

DOCUMENTED = (FramingError,)

_TRANSPORTS = (
    *(("abridged", False), ("intermediate", False), ("padded", False), ("full", False)),
    *(("abridged", True), ("intermediate", True), ("padded", True)),
)
_CAP = 1 << 16


def fuzz_framing(data: bytes) -> None:
    """Feed the bytes to a server and to every client, whole and cut; raise what the server says.

    A difference between whole and cut is a failure, and so is a buffer beyond the cap.
    """
    size = 1 + crc32(data) % 61
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    for transport in _TRANSPORTS:
        _, whole, _ = _outcome(_client(transport), [data])
        _, parts, _ = _outcome(_client(transport), pieces)
        assert whole == parts, transport
    server, whole, error = _outcome(_server(), [data])
    _, parts, _ = _outcome(_server(), pieces)
    assert whole == parts, server
    if error is not None:
        raise error


def seeds_framing() -> list[bytes]:
    """Return what clients and servers of every transport send."""
    return [seed for transport in _TRANSPORTS for seed in _conversation(transport)]


def _conversation(transport: tuple[str, bool]) -> Iterator[bytes]:
    client, server = _client(transport), _server()
    quick = transport[0] != "full"
    plain = bytes(16) + (20).to_bytes(4, "little") + b"\x60" * 20
    sealed = b"\x5a" * (24 + 64)
    sent = client.pack(plain)
    server.feed(sent)
    yield sent
    yield sent + client.pack(sealed, quick_ack=quick) + client.pack(sealed * 8)
    answers = server.pack(plain) + server.pack(sealed)
    if quick:
        answers += server.pack_quick_ack(0x80000123)
    yield answers + server.pack_error(-404)


def _client(transport: tuple[str, bool]) -> Codec:
    name, obfuscated = transport
    random = Random(1).randbytes
    return wire.client_codec(name, obfuscated=obfuscated, random=random, max_packet=_CAP)


def _server() -> ServerCodec:
    return ServerCodec(random=Random(2).randbytes, max_packet=_CAP)


def _outcome(
    codec: Codec, pieces: list[bytes]
) -> tuple[Codec, list[Frame | str], FramingError | None]:
    """Return all frames, with the words of the error that ended them, and that error."""
    frames: list[Frame | str] = []
    try:
        for piece in pieces:
            frames += codec.feed(piece)
        if codec.broken:
            codec.feed(b"")
    except FramingError as error:
        return codec, [*frames, str(error)], error
    return codec, frames, None
