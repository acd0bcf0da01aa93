"""Server layer: what the ports of a server accept, besides plain connections: TLS, and an MTProxy.

Knows certificates, an MTProxy's secret and how its users name a DC. Knows no packet.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from radiogram.errors import LocalProtocolError
from radiogram.net.tls import TlsServer, server_context
from radiogram.server.datacenter import TEST_DC
from radiogram.server.world import World
from radiogram.wire import ServerCodec
from radiogram.wire.faketls import FakeTlsServer, Replays
from radiogram.wire.secret import ProxySecret
from radiogram.wire.tunnel import Tunnel

Certificate = tuple[str | Path, str | Path]
"""PEM files: a certificate, with its chain, and its key."""


class Doors:
    """Makes the codec of every connection that is accepted."""

    def __init__(
        self, world: World, *, tls: Certificate | None, secret: ProxySecret | None
    ) -> None:
        """Read the certificate. Raises ConnectionFailed."""
        self._world = world
        self._secret = secret
        self._context = server_context(*tls) if tls is not None else None
        self._replays = Replays()

    def direct(self) -> ServerCodec:
        """Return the codec for a connection to a DC: any transport, also in WebSocket or TLS."""
        return ServerCodec(
            random=self._world.random,
            max_packet=self._world.settings.max_packet,
            tls=None if self._context is None else partial(TlsServer, self._context),
        )

    def proxied(self) -> ServerCodec:
        """Return the codec for a connection to the MTProxy: whoever knows the secret."""
        assert self._secret is not None
        return ServerCodec(
            random=self._world.random,
            max_packet=self._world.settings.max_packet,
            secret=self._secret.key,
            tls=self._fake_tls,
        )

    def _fake_tls(self) -> Tunnel:
        assert self._secret is not None
        return FakeTlsServer(
            self._secret.key,
            domain=self._secret.domain,
            random=self._world.random,
            now=self._world.clock.now,
            replays=self._replays,
        )


def read_secret(text: str) -> ProxySecret:
    """Read ``mtproxy_secret``. Raises LocalProtocolError, which does not repeat it."""
    try:
        return ProxySecret.parse(text)
    except LocalProtocolError as error:
        raise LocalProtocolError(f"mtproxy_secret: {error}") from None


def dc_of(named: int | None, *, default: int) -> int:
    """Return the DC that a user of the proxy wants: negative for media, more for test DCs (D4)."""
    wanted = abs(named or 0) % TEST_DC
    return wanted or default
