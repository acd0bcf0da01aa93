"""What connection=, obfuscated=, websocket= and proxy= mean, together, and which way is taken."""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import Any

import pytest

from radiogram import errors
from radiogram.client.datacenters import Endpoint, ServerAddress, telegram_endpoint
from radiogram.client.environment import Environment
from radiogram.client.ways import AUTO_TELEGRAM, PATIENCE, MTProxy, Way, Ways, ways_of
from radiogram.net.dial import Route
from radiogram.net.proxy import Proxy
from radiogram.tl import api
from radiogram.wire import Codec
from radiogram.wire.secret import ProxySecret
from tests.client.fake import KEY, FakeServer

KEY16 = "52a493bdfb90eea55739eabff2d92a14"
LINK = f"tg://proxy?server=192.0.2.1&port=443&secret={KEY16}"
DD = f"tg://proxy?server=192.0.2.1&port=443&secret=dd{KEY16}"
EE = f"https://t.me/proxy?server=192.0.2.1&port=443&secret=ee{KEY16}{b'example.com'.hex()}"
OWN = Endpoint("127.0.0.1", 20443, 2, 2, (KEY.public,), own=True)
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize(
    ("connection", "more", "way"),
    [
        ("abridged", {}, Way("abridged")),
        ("full", {}, Way("full")),
        ("padded", {"obfuscated": True}, Way("padded", obfuscated=True)),
        ("abridged", {"websocket": True}, Way("abridged", obfuscated=True, websocket=True)),
        ("abridged", {"proxy": LINK}, Way("abridged", obfuscated=True)),
        ("intermediate", {"proxy": LINK}, Way("intermediate", obfuscated=True)),
        ("auto", {"proxy": LINK}, Way("padded", obfuscated=True)),
        ("abridged", {"proxy": DD}, Way("padded", obfuscated=True)),
        ("padded", {"proxy": EE}, Way("padded", obfuscated=True)),
        ("auto", {"proxy": EE}, Way("padded", obfuscated=True)),
        ("full", {"proxy": "socks5://host"}, Way("full")),
    ],
)
def test_what_options_mean(connection: str, more: dict[str, Any], way: Way) -> None:
    ways = ways_of(connection, **more)
    assert len(ways) == 1
    assert ways.best == way


@pytest.mark.parametrize(
    ("connection", "more", "error", "reason"),
    [
        ("tcp", {}, errors.LocalProtocolError, "abridged, intermediate, padded, full, or auto"),
        ("full", {"obfuscated": True}, errors.LocalProtocolError, "as obfuscated=True wants"),
        ("full", {"websocket": True}, errors.LocalProtocolError, "as websocket=True wants"),
        ("full", {"proxy": LINK}, errors.ClientError, "cannot be obfuscated"),
        ("auto", {"obfuscated": True}, errors.ClientError, "leave obfuscated= out"),
        ("auto", {"websocket": True}, errors.ClientError, "leave websocket= out"),
        ("abridged", {"websocket": True, "proxy": LINK}, errors.ClientError, "no WebSocket"),
        ("intermediate", {"proxy": DD}, errors.ClientError, "wants the padded framing"),
        ("abridged", {"ssl_context": True}, errors.ClientError, "takes an ssl.SSLContext"),
        ("abridged", {"ssl_context": CONTEXT}, errors.ClientError, "websocket=True"),
        ("abridged", {"proxy": "ftp://host"}, errors.ClientError, "no 'ftp'"),
        ("abridged", {"proxy": ("socks5", "host", 1)}, errors.ClientError, "takes a URL"),
        (
            "abridged",
            {"proxy": "tg://proxy?server=a&port=1&secret=1"},
            errors.ClientError,
            "proxy=",
        ),
        ("abridged", {"proxy": "mtproxy://[a"}, errors.ClientError, "proxy="),
    ],
)
def test_what_does_not_go_together(
    connection: str, more: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        ways_of(connection, **more)


def test_the_constructor_refuses() -> None:
    from radiogram import TelegramClient

    with pytest.raises(errors.ClientError, match="no WebSocket"):
        TelegramClient("", 1, "hash", websocket=True, proxy=LINK)


def test_the_order_of_auto() -> None:
    ways = ways_of("auto")
    assert [ways.pick(number) for number in range(4)] == [*AUTO_TELEGRAM]
    own = ways_of("auto", own=True)
    assert [str(own.pick(number)) for number in range(3)] == [
        "abridged",
        "obfuscated padded",
        "obfuscated padded over WebSocket",
    ]
    assert len(own) == 3


def test_without_the_library_auto_has_one_way_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets", None)
    assert len(ways_of("auto")) == 3
    with pytest.raises(errors.ClientError, match=r"pip install 'radiogram\[websocket\]'"):
        ways_of("abridged", websocket=True)


def test_the_way_that_worked_comes_first() -> None:
    ways = ways_of("auto")
    assert ways.patience(0, 10) == PATIENCE
    assert ways.patience(0, 1) == 1
    assert ways.patience(3, 10) == 10
    ways.worked(AUTO_TELEGRAM[2])
    assert ways.best == AUTO_TELEGRAM[2]
    assert [ways.pick(number) for number in range(4)] == [
        AUTO_TELEGRAM[2],
        AUTO_TELEGRAM[3],
        AUTO_TELEGRAM[0],
        AUTO_TELEGRAM[1],
    ]


class Dialled(Exception):
    """Where a way leads."""


async def where(ways: Ways, endpoint: Endpoint, number: int = 0) -> tuple[str, int, Route, bytes]:
    """Return what is dialled on a way: host, port, route, and the codec's first words."""

    async def dial(
        host: str, port: int, codec: Codec, *_: Any, timeout: float, route: Route | None = None
    ) -> Any:
        raise Dialled(host, port, route or Route(), codec.outgoing())

    with pytest.raises(Dialled) as caught:
        await ways.open(
            ways.pick(number),
            endpoint,
            None,
            Environment(dial=dial),
            timeout=1,  # type: ignore[arg-type]
        )
    return caught.value.args  # type: ignore[return-value]


async def test_where_telegram_listens() -> None:
    """The addresses that Telegram publishes for WebSocket, and its plain ports."""
    test = telegram_endpoint(2, test_mode=True)
    host, port, route, said = await where(ways_of("abridged", websocket=True), test)
    assert (host, port) == ("venus.web.telegram.org", 443)
    assert said.startswith(b"GET /apiws_test HTTP/1.1\r\n")
    assert route.tls is not None
    assert route.tls.verify_mode is ssl.CERT_REQUIRED
    assert route.tls.check_hostname
    home = telegram_endpoint(4, test_mode=False)
    assert (await where(ways_of("auto"), home))[:3] == ("149.154.167.91", 443, Route())
    assert (await where(ways_of("auto"), home, 2))[:2] == ("149.154.167.91", 80)
    host, _, _, said = await where(ways_of("auto"), home, 3)
    assert host == "vesta.web.telegram.org"
    assert said.startswith(b"GET /apiws HTTP/1.1\r\n")
    with pytest.raises(errors.ClientError, match="DC 203 has no address for WebSocket"):
        await ways_of("abridged", websocket=True).open(
            Way(websocket=True),
            Endpoint("h", 1, 203, 203, (), own=False),
            None,  # type: ignore[arg-type]
            Environment(),
            timeout=1,
        )


async def test_where_a_server_of_ones_own_listens() -> None:
    host, port, route, said = await where(ways_of("padded", websocket=True, own=True), OWN)
    assert (host, port, route) == ("127.0.0.1", 20443, Route())
    assert b"Host: 127.0.0.1:20443\r\n" in said
    secure = ways_of("padded", websocket=True, ssl_context=CONTEXT, own=True)
    assert (await where(secure, OWN))[2] == Route(tls=CONTEXT)


async def test_where_proxies_are() -> None:
    proxy = Proxy("socks5", "proxy.example", 1080)
    through = ways_of("abridged", proxy="socks5://proxy.example")
    assert (await where(through, OWN))[:3] == ("127.0.0.1", 20443, Route(proxy=proxy))
    for link, hello in ((LINK, b""), (DD, b""), (EE, b"\x16\x03\x01\x02\x00")):
        host, port, route, said = await where(ways_of("abridged", proxy=link), OWN)
        assert (host, port, route) == ("192.0.2.1", 443, Route())
        assert said[:5] == hello
    assert b"example.com" in said


def test_neither_secrets_nor_passwords_are_shown() -> None:
    shown = repr(MTProxy("host", 1, ProxySecret(bytes.fromhex(KEY16))))
    assert KEY16 not in shown
    assert repr(ways_of("auto", own=True)).count(",") == 2


# ── connection="auto" at work ────────────────────────────────────────────────────────────────


class Censor:
    """A network that lets only some ways through."""

    def __init__(self, server: FakeServer, *, blocked: set[str]) -> None:
        self.server = server
        self.blocked = blocked
        self.tried: list[str] = []

    async def dial(
        self, host: str, port: int, codec: Any, owner: Any, *, timeout: float, **_: Any
    ) -> Any:
        way = type(codec).__name__.strip("_").removesuffix("Client")
        self.tried.append(way)
        if way not in self.blocked:
            return await self.server.dial(host, port, codec, owner, timeout=timeout)
        raise errors.ConnectionFailed("connection refused")


def client_of(censor: Censor, **more: Any) -> Any:
    from radiogram import TelegramClient

    address = ServerAddress("127.0.0.1", 443, 2, KEY.public.to_pem())
    return TelegramClient(
        "",
        1,
        "hash",
        server=address,
        connection="auto",
        environment=Environment(dial=censor.dial, sleep=_no_time, jitter=lambda: 0.0),
        **more,
    )


async def _no_time(_: float) -> None:
    await asyncio.sleep(0)


async def test_the_first_way_is_tried_alone() -> None:
    censor = Censor(FakeServer(), blocked=set())
    async with client_of(censor):
        assert censor.tried == ["Abridged"]


async def test_the_next_way_is_tried_and_remembered() -> None:
    censor = Censor(FakeServer(), blocked={"Abridged"})
    client = client_of(censor)
    await client.connect()
    assert censor.tried == ["Abridged", "Obfuscated"]
    await client.disconnect()
    await client.connect()
    assert censor.tried == ["Abridged", "Obfuscated", "Obfuscated"]
    await client.disconnect()


async def test_a_lost_connection_is_looked_for_on_other_ways() -> None:
    server = FakeServer()
    censor = Censor(server, blocked=set())
    async with client_of(censor) as client:
        censor.blocked = {"Abridged"}
        server.break_connections()
        await client.invoke(api.help.GetConfig())
        assert censor.tried == ["Abridged", "Abridged", "Obfuscated"]


async def test_no_way_leads_there() -> None:
    censor = Censor(FakeServer(), blocked={"Abridged", "Obfuscated", "Tunnelled"})
    with pytest.raises(errors.ConnectionFailed, match="refused"):
        await client_of(censor).connect()
    assert censor.tried == ["Abridged", "Obfuscated", "Tunnelled"]
