"""TLS on a port that speaks plainly, too; certificates are checked."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from radiogram import wire
from radiogram.errors import ConnectionFailed
from radiogram.net import dial
from radiogram.net.dial import Route
from radiogram.net.driver import PacketConnection
from radiogram.net.proxy import Proxy
from radiogram.net.tls import TlsServer, server_context
from radiogram.wire import ServerCodec, Tunnelled
from radiogram.wire.websocket import WebSocketClient
from tests.net.conftest import Recorder
from tests.proxies import make_certificate, proxy_of, trusting


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture
async def port(certificate: tuple[Path, Path]) -> AsyncIterator[int]:
    """An echoing server that speaks TLS besides everything else."""
    context = server_context(*certificate)
    accepted: list[PacketConnection] = []

    def accept() -> PacketConnection:
        codec = ServerCodec(random=os.urandom, tls=partial(TlsServer, context))
        accepted.append(PacketConnection(codec, Recorder(echo=True), throttle=True))
        return accepted[-1]

    server = await dial.listen("127.0.0.1", 0, accept)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for conn in accepted:
        conn.abort()
        await conn.wait_closed()
    await server.wait_closed()


def codec_of(port: int, *, websocket: bool) -> wire.Codec:
    inner = wire.client_codec("abridged", obfuscated=True, random=os.urandom)
    uri = f"wss://127.0.0.1:{port}/apiws"
    return Tunnelled(inner, WebSocketClient(uri)) if websocket else inner


@pytest.mark.parametrize("websocket", [True, False])
@pytest.mark.parametrize("proxied", [False, True])
async def test_packets_cross(
    port: int, certificate: tuple[Path, Path], websocket: bool, proxied: bool
) -> None:
    owner, codec = Recorder(), codec_of(port, websocket=websocket)
    async with proxy_of([]) as proxy_port:
        proxy = Proxy("socks5", "127.0.0.1", proxy_port) if proxied else None
        route = Route(proxy=proxy, tls=trusting(certificate[0]))
        conn = await dial.connect("127.0.0.1", port, codec, owner, timeout=10, route=route)
        big = os.urandom(1 << 20)
        conn.write([b"ping" * 6, big])
        await owner.until(lambda owner: len(owner.frames) == 2)
        conn.close()
        await conn.wait_closed()
    assert owner.payloads == [b"ping" * 6, big]


async def test_a_certificate_that_nobody_vouches_for(port: int) -> None:
    route = Route(tls=ssl.create_default_context())
    codec = codec_of(port, websocket=True)
    with pytest.raises(ConnectionFailed, match=r"certificate of 127.* ssl_context="):
        await dial.connect("127.0.0.1", port, codec, Recorder(), timeout=10, route=route)


async def test_a_certificate_for_another_host(
    port: int, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    codec, route = codec_of(port, websocket=True), Route(tls=trusting(certificate[0]))
    with pytest.raises(ConnectionFailed, match="not valid for 'localhost'"):
        await dial.connect("localhost", port, codec, Recorder(), timeout=10, route=route)


async def test_a_server_without_tls(certificate: tuple[Path, Path]) -> None:
    def accept() -> PacketConnection:
        return PacketConnection(ServerCodec(random=os.urandom), Recorder())

    server = await dial.listen("127.0.0.1", 0, accept)
    port = server.sockets[0].getsockname()[1]
    route = Route(tls=trusting(certificate[0]))
    with pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1"):
        await dial.connect(
            "127.0.0.1", port, codec_of(port, websocket=True), Recorder(), timeout=10, route=route
        )
    server.close()


def handshaken(certificate: tuple[Path, Path]) -> tuple[TlsServer, ssl.SSLObject, ssl.MemoryBIO]:
    """Return a server's end and a client of OpenSSL's after the handshake."""
    server = TlsServer(server_context(*certificate))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(certificate[0]).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    for _ in range(3):
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            for byte in outgoing.read():
                server.receive(bytes([byte]))
            incoming.write(server.outgoing())
    server.receive(outgoing.read())
    assert server.ready
    return server, client, outgoing


def test_cut_everywhere(certificate: tuple[Path, Path]) -> None:
    server, client, outgoing = handshaken(certificate)
    client.write(b"hello")
    client.write(b"world" * 10000)
    data = outgoing.read()
    assert b"".join(server.receive(data[at : at + 7]) for at in range(0, len(data), 7)) == (
        b"hello" + b"world" * 10000
    )
    assert not server.failure


def test_garbage_after_the_handshake(certificate: tuple[Path, Path]) -> None:
    server, _, _ = handshaken(certificate)
    assert server.receive(b"\x17\x03\x03\0\x20" + bytes(32)) == b""
    assert "TLS failed" in server.failure
    assert server.receive(b"more") == b""
    assert server.wrap(b"x") is not None


def test_the_end_of_tls(certificate: tuple[Path, Path]) -> None:
    server, client, outgoing = handshaken(certificate)
    client.write(b"last")
    with pytest.raises(ssl.SSLWantReadError):
        client.unwrap()
    assert server.receive(outgoing.read()) == b"last"
    assert server.failure == "TLS was ended by the other side"
    assert server.farewell()


@pytest.mark.parametrize("hello", [b"\x16\x03\x01\0\x05\x01\0\0\x01\0", b"\x16\x03\x01\0\x01\x01"])
async def test_hellos_that_are_none(port: int, hello: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(hello)
    writer.write_eof()
    async with asyncio.timeout(10):
        assert not (await reader.read()).startswith(b"\x16")
    writer.close()


def test_files_that_are_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("nothing")
    with pytest.raises(ConnectionFailed, match="TLS cannot be offered"):
        server_context(tmp_path / "a.pem", tmp_path / "a.pem")
    with pytest.raises(ConnectionFailed, match="No such file"):
        server_context(tmp_path / "b.pem", tmp_path / "a.pem")
