"""Proxies: how they are written, a foreign one that works, and answers of ones that do not."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator

import pytest

from radiogram import wire
from radiogram.errors import ClientError, ProxyFailed
from radiogram.net import dial
from radiogram.net.dial import Route
from radiogram.net.driver import PacketConnection
from radiogram.net.proxy import Proxy
from tests.net.conftest import Recorder
from tests.proxies import KINDS, proxy_of


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        # mtcute's packages/core/src/network/transports/proxy.test.ts
        ("socks5://user:pass@127.0.0.1:1080", Proxy("socks5", "127.0.0.1", 1080, "user", "pass")),
        ("socks4://127.0.0.1:1080", Proxy("socks4", "127.0.0.1", 1080)),
        ("socks5://127.0.0.1", Proxy("socks5", "127.0.0.1", 1080)),
        (
            "http://user:pass@proxy.example.com:8080",
            Proxy("http", "proxy.example.com", 8080, "user", "pass"),
        ),
        ("http://proxy.example.com", Proxy("http", "proxy.example.com", 80)),
        # and further
        ("SOCKS5://[::1]:9/", Proxy("socks5", "::1", 9)),
        ("socks5h://tor:9050", Proxy("socks5", "tor", 9050)),
        ("socks4a://name@host:1", Proxy("socks4", "host", 1, "name")),
        ("http://a%40b:p%3Aw@host", Proxy("http", "host", 80, "a@b", "p:w")),
    ],
)
def test_urls(url: str, proxy: Proxy) -> None:
    assert Proxy.parse(url) == proxy


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com", "no 'ftp'"),
        ("https://proxy.example.com", "cannot be https"),
        ("127.0.0.1:1080", "write scheme://"),
        ("socks5://", "needs a host"),
        ("socks5://host/path", "needs a host"),
        ("socks5://host?x=1", "needs a host"),
        ("socks5://user:hidden@host:port", "no usable host and port"),
        ("socks5://user:hidden@host:99999", "no usable host and port"),
        ("socks5://user:hidden@[::1", "no usable host and port"),
        ("socks5://user:hidden/more@host:1", "password as %2F"),
        ("socks5://host:0", "a port from 1 to 65535"),
        ("socks4://user:hidden@host", "takes no password"),
    ],
)
def test_urls_that_are_none(url: str, reason: str) -> None:
    with pytest.raises(ClientError, match=reason) as caught:
        Proxy.parse(url)
    assert "hidden" not in str(caught.value)


def test_a_proxy_does_not_show_its_password() -> None:
    proxy = Proxy.parse("socks5://user:hidden@[::1]:9")
    assert repr(proxy) == str(proxy) == "socks5://[::1]:9"


def test_without_the_library_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_socks", None)
    with pytest.raises(ClientError, match=r"pip install 'radiogram\[proxy\]'"):
        Proxy.parse("socks5://host")


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    def accept() -> PacketConnection:
        return PacketConnection(wire.ServerCodec(random=os.urandom), Recorder(echo=True))

    server = await dial.listen("127.0.0.1", 0, accept)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def through(url: str, port: int, owner: Recorder, *, timeout: float = 10) -> PacketConnection:
    codec = wire.client_codec("abridged", obfuscated=True, random=os.urandom)
    route = Route(proxy=Proxy.parse(url))
    return await dial.connect("127.0.0.1", port, codec, owner, timeout=timeout, route=route)


@pytest.mark.parametrize("kind", KINDS)
async def test_packets_cross(kind: str, echo_port: int) -> None:
    seen: list[str] = []
    owner = Recorder()
    async with proxy_of(seen) as port:
        conn = await through(f"{kind}://127.0.0.1:{port}", echo_port, owner)
        conn.write([b"ping" * 8])
        await owner.until(lambda owner: bool(owner.frames))
        conn.close()
        await conn.wait_closed()
    assert owner.payloads == [b"ping" * 8]
    assert len(seen) == 1
    assert kind in seen[0]
    assert str(echo_port) in seen[0]


REFUSALS = [
    ("socks5", [b"\x05\xff"], "auth"),
    ("socks5", [b"\x05\0", b"\x05\x02\0\x01" + bytes(6)], "not allowed"),
    ("socks5", [b"\x05\0", b"\x05\x05\0\x01" + bytes(6)], "refused"),
    ("socks5", [b"nonsense"], "did not connect"),
    ("socks5", [b"\x05\0", b"\x05\0\0\x09" + bytes(6)], "did not connect"),
    ("socks4", [b"\0\x5b" + bytes(6)], "rejected"),
    ("socks4", [b"\xff" * 8], "did not connect"),
    ("http", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"], "407"),
    ("http", [b"HTTP/1.1 403 Forbidden\r\n\r\n"], "403"),
    ("http", [b"\xff\xfe\r\n\r\n"], "did not connect"),
    ("http", [], "did not connect"),
]


@pytest.mark.parametrize(("kind", "script", "reason"), REFUSALS)
async def test_refusals_are_named(kind: str, script: list[bytes], reason: str) -> None:
    """What RFC 1928, the SOCKS4 memo and HTTP let a proxy answer, and what is none of these."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in script:
            await reader.read(1000)
            writer.write(answer)
        if not script:
            await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with pytest.raises(ProxyFailed, match=rf"(?i){kind}://127\.0\.0\.1:{port}.*{reason}"):
            await through(f"{kind}://127.0.0.1:{port}", 1, Recorder())
    finally:
        server.close()


async def test_a_proxy_that_is_not_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(
            ProxyFailed, match=rf"127\.0\.0\.1:{port} cannot be reached: connection refused"
        ):
            await through(f"socks5://127.0.0.1:{port}", 1, Recorder())


async def test_a_proxy_that_says_nothing() -> None:
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with pytest.raises(ProxyFailed, match=rf"the proxy socks5://127.0.0.1:{port}.* 0\.05 seconds"):
        await through(f"socks5://127.0.0.1:{port}", 1, Recorder(), timeout=0.05)
    silent.close()
    for writer in writers:
        writer.close()
        await writer.wait_closed()
