"""Layer 1: whatever arrives on a connection, at either end of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from zlib import crc32

from radiogram import wire
from radiogram.errors import FramingError
from radiogram.wire import Codec, Frame, ServerCodec, Tunnelled
from radiogram.wire.faketls import FakeTlsClient, FakeTlsServer, Replays, make_client_hello
from radiogram.wire.websocket import WebSocketClient

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


def fuzz_websocket(data: bytes) -> None:
    """Feed the bytes to a server, as a request, then as frames, and to a client as an answer."""
    _same(_server, data)
    _same(_upgraded, data)
    _same(_asking, data)
    _same(_answered, data)


def seeds_websocket() -> list[bytes]:
    """Return a request, what follows it, and an answer."""
    client, server = _asking(), _server()
    request = client.outgoing()
    server.feed(request)
    answer = server.outgoing()
    client.feed(answer)
    frames = client.pack(b"\x5a" * 88) + client.pack(b"\x5a" * 888)
    server.feed(frames)
    pings = b"\x89\x85abcd" + b"\x09\x07\x0f\x08\x0e"
    back = server.pack(b"\x5a" * 88) + server.farewell()
    return [request, request + frames, frames, pings + frames, answer, answer + back]


def fuzz_fake_tls(data: bytes) -> None:
    """Feed the bytes to a server and to a client before their hellos, and to both after them."""
    _same(_fake_tls_server, data)
    _same(_fake_tls_client, data)
    for end in (0, 1):
        _same(lambda end=end: _greeted()[end], data)


def seeds_fake_tls() -> list[bytes]:
    """Return hellos, answers and records."""
    client, server = _greeted()
    sent = client.pack(b"\x5a" * 88)
    server.feed(sent)
    back = server.pack(b"\x5a" * 88) + server.pack(b"\x5a" * 8888)
    hello = make_client_hello(_KEY, "example.com", random=Random(3).randbytes, now=_NOW)
    answering = _fake_tls_server()
    answering.feed(hello)
    return [hello, hello + sent, sent, back, answering.outgoing(), b"\x14\x03\x03\0\x01\x01"]


_KEY = bytes(range(16))
_NOW = 1_900_000_000.0


def _fake_tls_server() -> ServerCodec:
    random = Random(2).randbytes

    def tls() -> FakeTlsServer:
        return FakeTlsServer(_KEY, random=random, now=lambda: _NOW, replays=Replays())

    return ServerCodec(random=random, max_packet=_CAP, secret=_KEY, tls=tls)


def _fake_tls_client() -> Codec:
    random = Random(1).randbytes
    inner = wire.client_codec(
        "padded", obfuscated=True, secret=_KEY, random=random, max_packet=_CAP
    )
    return Tunnelled(inner, FakeTlsClient(_KEY, "example.com", random=random, now=lambda: _NOW))


def _greeted() -> tuple[Codec, ServerCodec]:
    client, server = _fake_tls_client(), _fake_tls_server()
    server.feed(client.outgoing())
    client.feed(server.outgoing())
    return client, server


def _asking() -> Codec:
    return Tunnelled(
        _client(("abridged", True)), WebSocketClient("ws://localhost/apiws", max_packet=_CAP)
    )


def _upgraded() -> ServerCodec:
    server = _server()
    server.feed(_asking().outgoing())
    return server


def _answered() -> Codec:
    client, server = _asking(), _server()
    server.feed(client.outgoing())
    client.feed(server.outgoing())
    return client


def _same(make: Callable[[], Codec], data: bytes) -> None:
    """Check that cutting changes nothing."""
    size = 1 + crc32(data) % 61
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    _, whole, _ = _outcome(make(), [data])
    _, parts, _ = _outcome(make(), pieces)
    assert whole == parts


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
