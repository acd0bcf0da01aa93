"""Layer 4, client: the ways in which a server can be reached, and the choice among them.

Knows what ``connection``, ``obfuscated``, ``websocket`` and ``proxy`` mean, alone and together,
and where Telegram listens for which. Must not know sessions or calls.

Theory of operation. What the options say becomes one :class:`Way`, or with ``connection="auto"``
several in an order of preference: what is quickest first, what is hardest to block last. All
senders of a client share one :class:`Ways`, which remembers the way that worked: it comes first for
the next connection, and while a connection cannot be had again the others take turns. The first way
costs what it costs alone, since nothing else is tried beside it.
"""

from __future__ import annotations

import ssl

import msgspec
from msgspec.structs import replace

from radiogram import wire
from radiogram.client.datacenters import Endpoint
from radiogram.client.environment import Environment
from radiogram.errors import ClientError, ConnectionFailed, LocalProtocolError, ProxyFailed
from radiogram.net.dial import Route, address
from radiogram.net.driver import PacketConnection, PacketOwner
from radiogram.net.proxy import Proxy
from radiogram.wire.base import Codec
from radiogram.wire.faketls import FakeTlsClient
from radiogram.wire.secret import ProxySecret, read_link
from radiogram.wire.tunnel import Tunnelled
from radiogram.wire.websocket import WebSocketClient

AUTO = "auto"
PATIENCE = 4.0
"""Seconds that each step of a way may take while there is another one to try."""
WEBSOCKET_PORT = 443
WEBSOCKET_NAMES = {1: "pluto", 2: "venus", 3: "aurora", 4: "vesta", 5: "flora"}
"""Hosts of Telegram's data centres for WebSocket, each with a certificate for its name."""

_LINKS = ("tg://proxy?", "https://t.me/proxy?", "http://t.me/proxy?", "mtproxy://", "t.me/proxy?")


class Way(msgspec.Struct, frozen=True):
    """One way to talk to a server."""

    framing: str = "abridged"
    """abridged, intermediate, padded or full."""
    obfuscated: bool = False
    websocket: bool = False
    port: int = 0
    """Another port than usual, at Telegram's own servers."""

    def __str__(self) -> str:
        words = ["obfuscated"] * self.obfuscated + [self.framing]
        words += ["over WebSocket"] if self.websocket else []
        words += [f"on port {self.port}"] if self.port else []
        return " ".join(words)


AUTO_TELEGRAM = (
    Way("abridged"),
    Way("padded", obfuscated=True),
    Way("padded", obfuscated=True, port=80),
    Way("padded", obfuscated=True, websocket=True),
)
"""The order of ``connection="auto"``; a server of one's own has one port, and so no third."""


class MTProxy(msgspec.Struct, frozen=True):
    """A proxy that speaks MTProto's obfuscation, and chooses the DC by what that says."""

    host: str
    port: int
    secret: ProxySecret


class Ways:
    """All ways of one client, the one that worked first."""

    def __init__(
        self,
        ways: tuple[Way, ...] = (Way(),),
        *,
        proxy: Proxy | MTProxy | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._ways = ways
        self._best = 0
        self._proxy = proxy
        self._ssl = ssl_context

    def __len__(self) -> int:
        return len(self._ways)

    def __repr__(self) -> str:
        return f"<Ways {', '.join(map(str, self._ways))}>"

    @property
    def best(self) -> Way:
        """The way that worked last, before that the first."""
        return self._ways[self._best]

    def pick(self, number: int = 0) -> Way:
        """Return the way to take after `number` others have failed."""
        return self._ways[(self._best + number) % len(self._ways)]

    def worked(self, way: Way) -> None:
        """Remember that the server has answered on a way."""
        self._best = self._ways.index(way)

    def behind(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint as it is to be named: by the MTProxy, if one is between."""
        if not isinstance(self._proxy, MTProxy):
            return endpoint
        proxy = address(self._proxy.host, self._proxy.port)
        return replace(endpoint, behind=f"the MTProxy {proxy}")

    def patience(self, number: int, timeout: float) -> float:
        """Return how long a step of the way with that number may take."""
        return min(timeout, PATIENCE) if number + 1 < len(self._ways) else timeout

    async def open(
        self,
        way: Way,
        endpoint: Endpoint,
        owner: PacketOwner,
        environment: Environment,
        *,
        timeout: float,
    ) -> PacketConnection:
        """Connect to an endpoint on a way. Raises ConnectionFailed, ProxyFailed."""
        host, port = self._address(way, endpoint)
        codec, route = self._codec(way, endpoint, environment), self._route(way, endpoint)
        dial = environment.dial
        if isinstance(self._proxy, MTProxy):
            try:
                return await dial(host, port, codec, owner, timeout=timeout)
            except ConnectionFailed as error:
                more = ", and the proxy's secret" * bool(self._proxy.secret.domain)
                raise ProxyFailed(f"the MTProxy leads nowhere: {error}{more}") from error
        if route is None:
            return await dial(host, port, codec, owner, timeout=timeout)
        return await dial(host, port, codec, owner, timeout=timeout, route=route)

    def _address(self, way: Way, endpoint: Endpoint) -> tuple[str, int]:
        if isinstance(self._proxy, MTProxy):
            return self._proxy.host, self._proxy.port
        if endpoint.own:
            return endpoint.host, endpoint.port
        if way.websocket:
            name = WEBSOCKET_NAMES.get(endpoint.dc_id)
            if name is None:
                raise ClientError(
                    f"DC {endpoint.dc_id} has no address for WebSocket; connect without websocket="
                )
            return f"{name}.web.telegram.org", WEBSOCKET_PORT
        return endpoint.host, way.port or endpoint.port

    def _tls(self, endpoint: Endpoint) -> bool:
        return not endpoint.own or self._ssl is not None

    def _codec(self, way: Way, endpoint: Endpoint, outside: Environment) -> Codec:
        secret = self._proxy.secret if isinstance(self._proxy, MTProxy) else None
        codec = wire.client_codec(
            way.framing,
            obfuscated=way.obfuscated,
            dc_id=endpoint.wire_dc,
            secret=secret.key if secret is not None else b"",
            random=outside.random,
        )
        if secret is not None and secret.domain:
            tunnel = FakeTlsClient(
                secret.key, secret.domain, random=outside.random, now=outside.clock
            )
            return Tunnelled(codec, tunnel)
        if way.websocket:
            host, port = self._address(way, endpoint)
            host = f"[{host}]" if ":" in host else host
            scheme = "wss" if self._tls(endpoint) else "ws"
            test = "_test" if endpoint.wire_dc != endpoint.dc_id else ""
            return Tunnelled(codec, WebSocketClient(f"{scheme}://{host}:{port}/apiws{test}"))
        return codec

    def _route(self, way: Way, endpoint: Endpoint) -> Route | None:
        proxy = self._proxy if isinstance(self._proxy, Proxy) else None
        tls = None
        if way.websocket and self._tls(endpoint):
            if self._ssl is None:
                self._ssl = ssl.create_default_context()
            tls = self._ssl
        return Route(proxy, tls) if proxy is not None or tls is not None else None


def ways_of(
    connection: str,
    *,
    obfuscated: bool = False,
    websocket: bool = False,
    proxy: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
    own: bool = False,
) -> Ways:
    """Return what the options of a client mean; `own` for a server that is not Telegram's.

    Raises ClientError or LocalProtocolError for what does not go together.
    """
    through = _proxy_of(proxy)
    auto = connection == AUTO
    if not auto:
        _check_framing(connection)
    if auto and (obfuscated or websocket):
        option = "websocket" if websocket else "obfuscated"
        raise ClientError(
            f'connection="auto" tries several ways itself; leave {option}= out, or name a framing'
        )
    if ssl_context is not None and not isinstance(ssl_context, ssl.SSLContext):
        raise ClientError(
            "ssl_context= takes an ssl.SSLContext, such as ssl.create_default_context() makes, not "
            f"{type(ssl_context).__name__}"
        )
    if ssl_context is not None and not (websocket or auto):
        raise ClientError("ssl_context= is for wss: pass websocket=True too, or leave it out")
    if isinstance(through, MTProxy):
        return Ways((_through_mtproxy(connection, through, websocket),), proxy=through)
    if auto:
        ways = tuple(way for way in AUTO_TELEGRAM if not (own and way.port))
        if not _has_websockets():
            ways = tuple(way for way in ways if not way.websocket)
    else:
        if connection == "full" and (obfuscated or websocket):
            option = "websocket" if websocket else "obfuscated"
            raise LocalProtocolError(
                f"the full transport cannot be obfuscated, as {option}=True wants; leave that out, "
                'or use another connection=, such as "abridged"'
            )
        obfuscated = obfuscated or websocket
        if websocket and not _has_websockets():
            raise ClientError(
                "websocket=True needs the websockets package: pip install 'radiogram[websocket]'"
            )
        ways = (Way(connection, obfuscated=obfuscated, websocket=websocket),)
    return Ways(ways, proxy=through, ssl_context=ssl_context)


def _check_framing(connection: str) -> None:
    try:
        wire.check_transport(connection)
    except LocalProtocolError as error:
        raise LocalProtocolError(f"{error}, or {AUTO}") from None


def _proxy_of(url: str | None) -> Proxy | MTProxy | None:
    if url is None:
        return None
    if not isinstance(url, str):
        raise ClientError(
            f"proxy= takes a URL such as socks5://user:password@host:port, not {type(url).__name__}"
        )
    if not url.startswith(_LINKS):
        return Proxy.parse(url)
    try:
        return MTProxy(*read_link(url))
    except (LocalProtocolError, ValueError) as error:
        raise ClientError(f"proxy=: {error}") from None


def _through_mtproxy(connection: str, proxy: MTProxy, websocket: bool) -> Way:
    if websocket:
        raise ClientError(
            "an MTProxy speaks no WebSocket; leave websocket= out, or use a SOCKS or HTTP proxy"
        )
    if connection == "full":
        raise ClientError(
            "the full transport cannot be obfuscated, as an MTProxy wants; use another connection="
        )
    if not proxy.secret.padded:
        return Way("padded" if connection == AUTO else connection, obfuscated=True)
    if connection == "intermediate":
        raise ClientError(
            "the secret of this MTProxy (dd, ee) wants the padded framing; leave connection= out"
        )
    return Way("padded", obfuscated=True)


def _has_websockets() -> bool:
    try:
        import websockets  # noqa: F401 - told now, not at the first connection
    except ImportError:
        return False
    return True
