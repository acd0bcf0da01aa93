"""What a server's ports accept besides plain connections, and what the MTProxy refuses."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from random import Random

import pytest

from radiogram import wire
from radiogram.errors import ConnectionFailed, LocalProtocolError
from radiogram.mtproto.message import pack_plain
from radiogram.server import Server
from radiogram.server.doors import dc_of
from radiogram.server.serve import ServeError, _tls
from radiogram.wire import Codec, ErrorCode, Frame, Packet
from radiogram.wire.faketls import make_client_hello
from radiogram.wire.secret import read_link

KEY = "367a189aee18fa31c190054efd4a8e95"
SECRET = bytes.fromhex(KEY)
REQ_PQ = pack_plain(1 << 32, bytes.fromhex("f18e7ebe") + bytes(range(16)))
"""``req_pq_multi``; a resPQ is the answer."""


async def asked(port: int, codec: Codec, *, first: bytes = REQ_PQ) -> list[Frame]:
    """Send a first packet to a port, and return what one answer brings; nothing if it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(codec.pack(first))
        async with asyncio.timeout(10):
            while data := await reader.read(1 << 16):
                frames = codec.feed(data)
                if frames:
                    return frames
        return []
    except ConnectionResetError:
        return []
    finally:
        writer.close()


def proxied(dc_id: int, *, secret: bytes = SECRET) -> Codec:
    return wire.client_codec(
        "padded", obfuscated=True, dc_id=dc_id, secret=secret, random=os.urandom
    )


@pytest.mark.parametrize(
    ("named", "dc_id"), [(2, 2), (-2, 2), (10002, 2), (-10004, 4), (0, 5), (None, 5), (-10000, 5)]
)
def test_how_a_dc_is_named(named: int | None, dc_id: int) -> None:
    """D4; MTKruto's transport/1_transport_provider_test.ts has the same pairs."""
    assert dc_of(named, default=5) == dc_id


async def test_a_user_of_the_proxy_gets_the_dc_that_it_names() -> None:
    async with Server(dcs=(2, 4), mtproxy_secret=KEY) as server:
        for dc_id in (2, 4, -4, 10004):
            (frame,) = await asked(server.mtproxy_port, proxied(dc_id))
            assert isinstance(frame, Packet)
            assert frame.payload[20:24] == bytes.fromhex("63241605")  # resPQ
        for dc_id in (1, -3, 203):  # A2: invalid DC
            assert await asked(server.mtproxy_port, proxied(dc_id)) == [ErrorCode(-444)]


async def test_the_proxy_wants_its_secret() -> None:
    async with Server(mtproxy_secret=f"dd{KEY}") as server:
        assert await asked(server.mtproxy_port, proxied(2, secret=bytes(16))) == []
        for name in ("abridged", "intermediate", "padded", "full"):
            plain = wire.client_codec(name, random=os.urandom)
            assert await asked(server.mtproxy_port, plain) == []
        assert server.mtproxy_link is not None
        assert read_link(server.mtproxy_link)[2].padded
    async with Server() as server:
        assert server.mtproxy_link is None
        assert server.mtproxy_port == 0


async def test_a_hello_is_accepted_once_whoever_sends_it() -> None:
    """A recording of a user's connection is worth nothing."""
    async with Server(mtproxy_secret=f"ee{KEY}{b'example.com'.hex()}") as server:
        now, random = server.world.clock.now(), Random(1).randbytes
        hello = make_client_hello(SECRET, "example.com", random=random, now=now)
        assert (await said(server.mtproxy_port, hello))[:3] == b"\x16\x03\x03"
        assert await said(server.mtproxy_port, hello) == b""
        for domain, skew in (("example.org", 0), ("example.com", 3600), ("example.com", -3600)):
            other = make_client_hello(SECRET, domain, random=random, now=now + skew)
            assert await said(server.mtproxy_port, other) == b""
        wrong = make_client_hello(bytes(16), "example.com", random=random, now=now)
        assert await said(server.mtproxy_port, wrong) == b""
        fresh = make_client_hello(SECRET, "example.com", random=random, now=now)
        assert (await said(server.mtproxy_port, fresh))[:3] == b"\x16\x03\x03"


async def said(port: int, data: bytes) -> bytes:
    """Return the first answer to some bytes; nothing if the connection is closed instead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(10):
            return await reader.read(1 << 16)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_browser_is_told_where_websocket_is() -> None:
    async with Server() as server:
        answer = await said(server.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert b"/apiws" in answer


@pytest.mark.parametrize("secret", ["", "abc", f"ee{KEY}", f"{KEY}00"])
def test_secrets_that_are_none(secret: str) -> None:
    with pytest.raises(LocalProtocolError, match="mtproxy_secret: this is no secret") as caught:
        Server(mtproxy_secret=secret)
    assert not secret or secret not in str(caught.value)


async def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    server = Server(tls=(tmp_path / "certificate.pem", tmp_path / "key.pem"))
    with pytest.raises(ConnectionFailed, match="TLS cannot be offered"):
        await server.start()


def test_half_a_certificate() -> None:
    assert _tls(None, None) is None
    assert _tls("c", "k") == ("c", "k")
    with pytest.raises(ServeError, match="--tls-key is missing"):
        _tls("c", None)
    with pytest.raises(ServeError, match="--tls-cert is missing"):
        _tls(None, "k")


class Late(asyncio.Transport):
    """The transport of a connection that the system accepted as the server was closing."""

    is_cut = False

    def abort(self) -> None:
        self.is_cut = True


async def test_a_connection_that_was_accepted_at_the_last_moment_is_cut_off() -> None:
    """Its packets would find a closed database."""
    async with Server() as server:
        connection = server._accept(server.dc_id)
    transport = Late({"peername": ("127.0.0.1", 40000)})
    connection.connection_made(transport)
    assert transport.is_cut
    connection.connection_lost(None)
