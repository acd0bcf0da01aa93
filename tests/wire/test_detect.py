from __future__ import annotations

from random import Random

import pytest

from radiogram import wire
from radiogram.errors import FramingError, LocalProtocolError
from radiogram.wire import Packet, ServerCodec
from radiogram.wire.detect import detect

from .helpers import PLAIN, TRANSPORTS, client_of, label, plain, sealed, server_of

NOISE = bytes(range(1, 65))


@pytest.mark.parametrize(
    ("opening", "enough", "name"),
    [
        (b"\xef" + NOISE, 1, "abridged"),
        (b"\xee\xee\xee\xee" + NOISE, 4, "intermediate"),
        (b"\xdd\xdd\xdd\xdd" + NOISE, 4, "padded"),
        (b"\x28\x00\x00\x00" + bytes(4) + NOISE, 8, "full"),
        (NOISE, 64, "obfuscated"),
        (b"\xee\xee\xee" + NOISE, 64, "obfuscated"),
        (b"\xdd\xdd\xdd\xee" + NOISE, 64, "obfuscated"),
        # Tags come before zeros (A1.1).
        (b"\xee\xee\xee\xee" + bytes(60), 4, "intermediate"),
        (b"\xef" + bytes(60), 1, "abridged"),
    ],
)
def test_order_of_detection(opening: bytes, enough: int, name: str) -> None:
    """A1.1."""
    for size in range(enough):
        assert detect(opening[:size]) is None
    for size in range(enough, len(opening)):
        assert detect(opening[:size]) == name


@pytest.mark.parametrize("start", [b"POST", b"HEAD", b"OPTI"])
def test_http(start: bytes) -> None:
    server = server_of()
    assert server.feed(start[:3]) == []
    with pytest.raises(FramingError, match="HTTP"):
        server.feed(start[3:] + b" /api HTTP/1.1\r\n")
    assert server.broken
    with pytest.raises(FramingError, match="HTTP"):
        server.feed(b"more")


def test_nothing_that_is_known() -> None:
    server = ServerCodec(random=bytes)
    assert server.feed(NOISE[:63]) == []
    assert not server.broken
    with pytest.raises(FramingError, match="no transport"):
        server.feed(NOISE[63:])
    assert server.broken
    with pytest.raises(FramingError, match="no transport"):
        server.feed(b"")


@pytest.mark.parametrize("transport", TRANSPORTS, ids=label)
def test_detected(transport: tuple[str, bool]) -> None:
    client, server = client_of(transport), server_of()
    assert (server.name, server.obfuscated, server.dc_id, server.broken) == (
        None,
        False,
        None,
        False,
    )
    data = client.pack(plain(5)) + client.pack(sealed(1))
    assert server.feed(data) == [Packet(plain(5)), Packet(sealed(1))]
    assert (server.name, server.obfuscated) == transport


@pytest.mark.parametrize("transport", TRANSPORTS, ids=label)
@pytest.mark.parametrize("size", [16, 16384])
def test_pieces_of_one_three_and_the_rest(transport: tuple[str, bool], size: int) -> None:
    client, server = client_of(transport), server_of()
    payload = Random(size).randbytes(size)
    if transport[0] == "padded":
        payload = sealed(size // 16)
    data = client.pack(payload)
    assert server.feed(data[:1]) == []
    assert server.feed(data[1:4]) == []
    assert server.feed(data[4:]) == [Packet(payload)]


def test_server_is_silent_before_the_client_speaks() -> None:
    server = server_of()
    for attempt in (
        lambda: server.pack(sealed(1)),
        lambda: server.pack_error(-429),
        lambda: server.pack_quick_ack(0x80000000),
    ):
        with pytest.raises(LocalProtocolError, match="before the client"):
            attempt()


@pytest.mark.parametrize("name", PLAIN)
def test_limit_of_packets(name: str) -> None:
    client, server = client_of((name, False)), server_of(max_packet=1024)
    with pytest.raises(FramingError, match="not allowed"):
        server.feed(client.pack(sealed(100)))
    assert server.broken
    assert server.name == name


def test_an_mtproxy_pads_as_others_do() -> None:
    """At most three bytes: Telethon takes no more off."""
    secret = bytes(range(16))
    random = Random(1).randbytes
    client = wire.client_codec("padded", obfuscated=True, secret=secret, random=random)
    server = ServerCodec(random=random, secret=secret)
    server.feed(client.pack(sealed(1)))
    sizes = {len(server.pack(sealed(1))) - len(sealed(1)) - 4 for _ in range(100)}
    assert sizes == {0, 1, 2, 3}


def test_a_proxy_s_secret_is_wanted() -> None:
    secret = bytes(range(16))
    for other in (b"", bytes(16)):
        client = wire.client_codec(
            "padded", obfuscated=True, secret=other, random=Random(1).randbytes
        )
        with pytest.raises(FramingError, match="no transport"):
            ServerCodec(random=bytes, secret=secret).feed(client.pack(sealed(1)))
    for opening in (b"\xef", b"\xee" * 4, b"\xdd" * 4, bytes(8), b"GET / HTTP/1.1\r\n"):
        with pytest.raises(FramingError, match="only obfuscated"):
            ServerCodec(random=bytes, secret=secret).feed(opening)
