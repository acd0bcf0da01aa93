"""WebSocket (A1.11): both ends, hostile peers, and any cutting."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram import wire
from radiogram.errors import FramingError
from radiogram.wire import Codec, Packet, ServerCodec, Tunnelled
from radiogram.wire.websocket import MAX_HEAD, WebSocketClient, WebSocketServer

from .helpers import cut, payloads, sealed, single_bytes, stream_of

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The pair of RFC 6455, section 1.3."""
REQUEST = (
    "GET /apiws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: binary\r\n\r\n"
).encode()


def client_of(framing: str = "abridged", *, uri: str = "ws://127.0.0.1:80/apiws") -> Codec:
    random = Random(1).randbytes
    inner = wire.client_codec(framing, obfuscated=True, random=random, max_packet=1 << 16)
    return Tunnelled(inner, WebSocketClient(uri, max_packet=1 << 16))


def server_of() -> ServerCodec:
    return ServerCodec(random=Random(2).randbytes, max_packet=1 << 16)


def pair(framing: str = "abridged") -> tuple[Codec, ServerCodec]:
    """Return both ends after the handshake."""
    client, server = client_of(framing), server_of()
    assert server.feed(client.outgoing()) == []
    assert client.feed(server.outgoing()) == []
    assert client.ready
    return client, server


def frame(payload: bytes, *, opcode: int = 2, fin: bool = True, mask: bytes = b"abcd") -> bytes:
    """Write a client's frame by RFC 6455, section 5.2."""
    head = bytes([opcode | 0x80 * fin])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    else:
        head += bytes([0x80 | 126]) + len(payload).to_bytes(2, "big")
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def test_the_handshake_of_the_rfc() -> None:
    """A server that is asked what RFC 6455 asks answers what it answers."""
    server = server_of()
    assert server.feed(REQUEST) == []
    answer = server.outgoing().decode()
    assert answer.startswith("HTTP/1.1 101 ")
    assert f"Sec-WebSocket-Accept: {ACCEPT}\r\n" in answer
    assert "Sec-WebSocket-Protocol: binary\r\n" in answer
    assert server.tunnels == ("websocket",)
    assert server.name is None


def test_what_a_client_asks() -> None:
    request = client_of(uri="wss://venus.web.telegram.org/apiws_test").outgoing().decode()
    lines = request.split("\r\n")
    assert lines[0] == "GET /apiws_test HTTP/1.1"
    assert "Host: venus.web.telegram.org" in lines
    assert "Sec-WebSocket-Protocol: binary" in lines
    assert "Sec-WebSocket-Version: 13" in lines


@pytest.mark.parametrize("framing", ["abridged", "intermediate", "padded"])
def test_packets_cross(framing: str) -> None:
    client, server = pair(framing)
    assert server.feed(client.pack(sealed(1), quick_ack=True)) == [Packet(sealed(1), True)]
    assert (server.name, server.obfuscated, server.ready) == (framing, True, True)
    assert client.feed(server.pack(sealed(500)) + server.pack(sealed(2))) == [
        Packet(sealed(500)),
        Packet(sealed(2)),
    ]
    assert client.feed(server.pack_error(-404)) == [wire.ErrorCode(-404)]
    assert client.feed(server.pack_quick_ack(0x80000001)) == [wire.QuickAck(0x80000001)]


def test_what_is_packed_early_waits() -> None:
    client, server = client_of(), server_of()
    assert client.pack(sealed(1)) == client.pack(sealed(2)) == b""
    assert not client.ready
    server.feed(client.outgoing())
    client.feed(server.outgoing())
    assert server.feed(client.outgoing()) == [Packet(sealed(1)), Packet(sealed(2))]
    assert client.outgoing() == b""


def test_a_packet_in_fragments_and_packets_in_one_message() -> None:
    server = server_of()
    server.feed(REQUEST)
    inner = wire.client_codec("abridged", obfuscated=True, random=Random(1).randbytes)
    data = inner.pack(sealed(3)) + inner.pack(sealed(4))
    parts = frame(data[:10], fin=False) + frame(data[10:30], opcode=0, fin=False)
    parts += frame(data[30:], opcode=0)
    assert server.feed(parts) == [Packet(sealed(3)), Packet(sealed(4))]


def test_a_ping_is_answered() -> None:
    server = server_of()
    server.feed(REQUEST)
    server.outgoing()
    assert server.feed(frame(b"hello", opcode=9)) == []
    assert server.outgoing() == b"\x8a\x05hello"


@pytest.mark.parametrize(
    ("sent", "answer", "reason"),
    [
        (frame(b"text", opcode=1), b"\x88\x14\x03\xebbinary frames only", "carries text"),
        (frame(b"", opcode=8), b"\x88\x00", "closed by the other side"),
        (b"\x82\x01x", b"\x88", "is over"),  # no mask
        (frame(b"", opcode=3), b"\x88", "is over"),
        (b"\x82\xff\x7f" + bytes(7) + b"abcd", b"\x88", "is over"),  # 2^63 bytes
        (b"\x82\xff" + (1 << 20).to_bytes(8, "big") + b"abcd", b"\x88", "is over"),
        (frame(b"x", opcode=0), b"\x88", "is over"),  # nothing to go on with
        (frame(b"x", opcode=9, fin=False), b"\x88", "is over"),
    ],
)
def test_frames_that_end_it(sent: bytes, answer: bytes, reason: str) -> None:
    server = server_of()
    server.feed(REQUEST)
    server.outgoing()
    with pytest.raises(FramingError, match=reason):
        server.feed(sent)
    assert server.broken
    assert server.outgoing().startswith(answer)
    with pytest.raises(FramingError, match=reason):
        server.feed(frame(b"more"))


def test_only_obfuscated_transports_run_inside() -> None:
    """A1.11."""
    for opening in (b"\xef", b"\xee" * 4, b"\xdd" * 4, b"\x28\0\0\0" + bytes(4), REQUEST):
        server = server_of()
        server.feed(REQUEST)
        with pytest.raises(FramingError, match="only obfuscated"):
            server.feed(frame(opening + sealed(1)))


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        (REQUEST.replace(b"/apiws", b"/"), b"404", "Not Found"),
        (REQUEST.replace(b"binary", b"chat"), b"400", "subprotocol"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"404", "Not Found"),
        (b"GET /apiws HTTP/1.1\r\nHost: a\r\n\r\n", b"426", "Connection"),
        (REQUEST.replace(b"13", b"12"), b"400", "Version"),
        (REQUEST.replace(KEY.encode(), b"short"), b"400", "Key"),
        (b"GET nonsense\r\n\r\n", b"", "valid HTTP request"),
        (b"GET /apiws HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431", "header"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"414", "8192 bytes"),
        (b"GET /apiws HTTP/1.1\r\n" + b"a" * MAX_HEAD, b"", "exceeds"),
        (b"GET /apiws HTTP/1.1\r\n" + b"a" * MAX_HEAD + b"\r\n\r\n", b"", "exceeds"),
    ],
)
def test_requests_that_are_refused(request_: bytes, status: bytes, reason: str) -> None:
    server = server_of()
    with pytest.raises(FramingError, match=reason):
        server.feed(request_)
    answer = server.outgoing()
    assert answer.startswith(b"HTTP/1.1 " + status if status else b"")
    assert bool(answer) == bool(status)
    assert server.broken
    assert not server.ready


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n", "404 Not Found"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "200 OK"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "no WebSocket handshake"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + ACCEPT.encode() + b"\r\n\r\n",
            "no WebSocket handshake",
        ),
        (b"\x15\x03\x01\0\x02\x02\x28\r\n\r\n", "refused"),
        (b"x" * (MAX_HEAD + 1), "exceeds"),
    ],
)
def test_answers_that_are_none(answer: bytes, reason: str) -> None:
    client = client_of()
    client.outgoing()
    with pytest.raises(FramingError, match=reason):
        client.feed(answer)
    assert client.broken
    assert not client.ready


def test_a_farewell() -> None:
    client, server = pair()
    with pytest.raises(FramingError, match="closed by the other side"):
        server.feed(client.farewell())
    assert server.farewell() == b"\x88\x02\x03\xe8"
    assert client_of().farewell() == b""
    assert client.pack(sealed(1)) == b""  # there is nobody to hear it


@given(
    st.lists(payloads, max_size=4), st.lists(st.integers(0, 1 << 16), max_size=10), st.booleans()
)
def test_however_it_is_cut(sent: list[bytes], cuts: list[int], polite: bool) -> None:
    """Handshake, frames and farewell, in both directions."""
    client, server = client_of(), server_of()
    request = client.outgoing()
    server.feed(request)
    answer = server.outgoing()
    client.feed(answer)
    first = client.pack(sealed(1))
    data = request + first + b"".join(map(client.pack, sent))
    data += client.farewell() if polite else b""
    whole = stream_of(server_of(), [data])
    assert whole[: len(sent) + 1] == [Packet(sealed(1)), *map(Packet, sent)]
    assert stream_of(server_of(), cut(data, cuts)) == whole
    server.feed(first)
    data = b"".join(map(server.pack, sent)) + (server.farewell() if polite else b"")

    def frames(pieces: list[bytes]) -> list[object]:
        fresh, other = client_of(), server_of()
        other.feed(fresh.outgoing())
        fresh.feed(other.outgoing())
        return [*stream_of(fresh, pieces)]

    whole = frames([data])
    assert whole[: len(sent)] == list(map(Packet, sent))
    assert frames([*cut(data, cuts)]) == whole


@given(st.binary(max_size=400), st.lists(st.integers(0, 1 << 10), max_size=6))
def test_garbage_after_the_handshake(data: bytes, cuts: list[int]) -> None:
    whole = stream_of(server_of(), [REQUEST + data])
    assert stream_of(server_of(), [REQUEST, *cut(data, cuts)]) == whole
    assert stream_of(server_of(), [REQUEST, *single_bytes(data)]) == whole


def test_the_server_s_end_is_bounded() -> None:
    tunnel = WebSocketServer(max_packet=1024)
    for _ in range(200):
        tunnel.receive(b"G" * 100)
    assert "exceeds" in tunnel.failure
    assert tunnel.receive(b"more") == b""
