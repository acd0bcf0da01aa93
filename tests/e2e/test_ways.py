"""Every way in: framing x obfuscation x TCP or WebSocket x proxies x forward secrecy.

One server for all, with TLS and an MTProxy; the SOCKS and HTTP proxy is a foreign one. Each way
connects, calls, loses its connection, and calls again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from radiogram import TelegramClient, api, errors
from radiogram.client import ways
from radiogram.client.environment import Environment
from radiogram.server import Server
from radiogram.sessions import StringSession

from ..proxies import make_certificate, proxy_of, trusting

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "367a189aee18fa31c190054efd4a8e95"
SECRETS = {
    "plain": KEY,
    "dd": f"dd{KEY}",
    "ee": f"ee{KEY}{b'example.com'.hex()}",
}
FRAMINGS = ("abridged", "intermediate", "padded")
DIRECT = [(name, carrier) for name in FRAMINGS for carrier in ("tcp", "obfuscated", "ws")]
DIRECT += [("full", "tcp"), ("abridged", "wss")]
OVER_MTPROXY = [(name, "mtproxy plain") for name in FRAMINGS]
OVER_MTPROXY += [("padded", "mtproxy dd"), ("padded", "mtproxy ee")]
MATRIX = [
    *product(DIRECT, ("direct", "socks5", "http")),
    (("abridged", "tcp"), "socks4"),
    (("padded", "wss"), "socks4"),
    *((way, "mtproxy") for way in OVER_MTPROXY),
]


@dataclass
class Net:
    """The server, and what leads to it."""

    server: Server
    proxy_port: int
    proxied: list[str]
    """A line for each connection through the proxy."""
    certificate: Path
    session: str
    """With a key for DC 2: key exchange takes its time, and is played over each way with pfs."""

    def options(self, framing: str, carrier: str, proxy: str) -> dict[str, Any]:
        options: dict[str, Any] = {"connection": framing, "server": self.server}
        if carrier == "obfuscated":
            options["obfuscated"] = True
        if carrier.startswith("ws"):
            options["websocket"] = True
        if carrier == "wss":
            options["ssl_context"] = trusting(self.certificate)
        if proxy == "mtproxy":
            secret = SECRETS[carrier.removeprefix("mtproxy ")]
            options["proxy"] = f"mtproxy://127.0.0.1:{self.server.mtproxy_port}/{secret}"
        elif proxy != "direct":
            options["proxy"] = f"{proxy}://127.0.0.1:{self.proxy_port}"
        return options


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


def client_of(*, session: str = "", **options: Any) -> TelegramClient:
    environment = Environment(sleep=_at_once, jitter=lambda: 0.0)
    return TelegramClient(StringSession(session), 1, "hash", environment=environment, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Net]:
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")
    seen: list[str] = []
    async with (
        Server(dcs=(2, 4), tls=(certificate, key), mtproxy_secret=KEY) as server,
        proxy_of(seen) as proxy_port,
    ):
        async with client_of(server=server) as client:
            session = client.session.save()
        yield Net(server, proxy_port, seen, certificate, session)


@pytest.mark.parametrize("pfs", [False, True], ids=["", "pfs"])
@pytest.mark.parametrize(
    ("way", "proxy"), MATRIX, ids=[f"{name}-{via}-{proxy}" for (name, via), proxy in MATRIX]
)
async def test_connects_calls_and_reconnects(
    net: Net, way: tuple[str, str], proxy: str, pfs: bool
) -> None:
    """A1.3, A1.8, A1.9, A1.11."""
    net.proxied.clear()
    options = net.options(*way, proxy)
    async with client_of(session=net.session, **options, pfs=pfs) as client:
        assert (await client.invoke(api.help.GetNearestDc())).this_dc == 2
        _check_way(net, way)
        net.server.drop_connections(None)
        config = await client.invoke(api.help.GetConfig())
        assert config.this_dc == 2
        _check_way(net, way)
    assert len(net.proxied) >= 2 * (proxy in {"socks4", "socks5", "http"})
    assert all(proxy in line for line in net.proxied)


def _check_way(net: Net, way: tuple[str, str]) -> None:
    """Look at what the server detected: that the way was really taken."""
    framing, carrier = way
    (codec,) = {
        connection._packets.codec for connection in net.server._connections if connection._packets
    }
    tunnels = {"ws": ("websocket",), "wss": ("tls", "websocket"), "mtproxy ee": ("tls",)}
    assert codec.tunnels == tunnels.get(carrier, ())
    assert codec.name == framing
    assert codec.obfuscated == (carrier != "tcp")


async def test_the_link_of_the_server_leads_to_every_dc(net: Net) -> None:
    link = net.server.mtproxy_link
    assert link == f"tg://proxy?server=127.0.0.1&port={net.server.mtproxy_port}&secret={KEY}"
    for dc_id, address in net.server.addresses.items():
        async with client_of(server=address, proxy=link) as client:
            assert (await client.invoke(api.help.GetNearestDc())).this_dc == dc_id


async def test_auto_goes_the_first_way(net: Net) -> None:
    async with client_of(server=net.server, connection="auto"):
        _check_way(net, ("abridged", "tcp"))


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize(
    ("blocked", "way"),
    [(("plain",), ("padded", "obfuscated")), (("plain", "other"), ("padded", "ws"))],
)
async def test_auto_finds_a_way_around_a_censor(
    net: Net,
    silent: bool,
    blocked: tuple[str, ...],
    way: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Connections are accepted; what is not wanted is cut, or never answered."""
    monkeypatch.setattr(ways, "PATIENCE", 0.7)
    writers: list[asyncio.StreamWriter] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        head = await reader.read(1000)
        kind = "plain" if head[:1] == b"\xef" else "http" if head[:4] == b"GET " else "other"
        if kind in blocked:
            if not silent:
                writer.close()
            return
        there, out = await asyncio.open_connection("127.0.0.1", net.server.port)
        writers.append(out)
        out.write(head)
        await asyncio.gather(_pump(reader, out), _pump(there, writer))

    middle = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = middle.sockets[0].getsockname()[1]
    address = net.server.addresses[2]
    elsewhere = _Moved("127.0.0.1", port, address.dc_id, address.public_key)
    client = client_of(session=net.session, server=elsewhere, connection="auto")
    for _ in range(2):  # the second time it knows the way
        async with client:
            assert (await client.invoke(api.help.GetNearestDc())).this_dc == 2
            _check_way(net, way)
    middle.close()
    for writer in writers:
        writer.close()


@dataclass
class _Moved:
    """An address that is another one in truth."""

    host: str
    port: int
    dc_id: int
    public_key: str


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


async def test_a_server_that_has_no_websocket_is_named(net: Net) -> None:
    """The MTProxy's port, say."""
    elsewhere = _Moved("127.0.0.1", net.server.mtproxy_port, 2, net.server.public_key)
    with pytest.raises(errors.ConnectionFailed, match=str(net.server.mtproxy_port)):
        await client_of(server=elsewhere, websocket=True, timeout=5).connect()


async def test_an_mtproxy_is_named_when_it_leads_nowhere(net: Net) -> None:
    port = net.server.mtproxy_port
    told = rf"the MTProxy .*127\.0\.0\.1:{port}.*; check the .*secret"
    for secret in (KEY[::-1], f"dd{KEY[::-1]}", f"ee{KEY[::-1]}{b'example.com'.hex()}"):
        link = f"mtproxy://127.0.0.1:{port}/{secret}"
        with pytest.raises(errors.ConnectionFailed, match=told) as raised:
            await client_of(server=net.server, proxy=link, timeout=5).connect()
        assert secret not in str(raised.value)
    link = f"mtproxy://127.0.0.1:1/{KEY}"
    with pytest.raises(errors.ProxyFailed, match=r"MTProxy .* 127\.0\.0\.1:1: connection refused"):
        await client_of(server=net.server, proxy=link, timeout=5).connect()


async def test_ipv6() -> None:
    try:
        server = Server(host="::1", mtproxy_secret=KEY)
        await server.start()
    except errors.ConnectionFailed as error:
        pytest.skip(f"no IPv6 here: {error}")
    try:
        for options in ({}, {"websocket": True}, {"proxy": server.mtproxy_link}):
            async with client_of(server=server, **options) as client:
                config = await client.invoke(api.help.GetConfig())
                option = config.dc_options[0]
                assert (option.ip_address, option.port, option.ipv6) == ("::1", server.port, True)
    finally:
        await server.close()
