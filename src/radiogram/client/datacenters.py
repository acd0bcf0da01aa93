"""Layer 4, client: where servers are, and whose key they must have.

Knows the published addresses of Telegram's data centres and how an address of one's own is
written. Must not know connections.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from radiogram.crypto import rsa
from radiogram.errors import ClientError, RadiogramError
from radiogram.net.dial import address

PORT = 443
DEFAULT_DC = 2
TEST_DC_OFFSET = 10_000
"""What a test data centre's id is raised by on the wire (D4)."""

PRODUCTION = {
    1: "149.154.175.53",
    2: "149.154.167.51",
    3: "149.154.175.100",
    4: "149.154.167.91",
    5: "91.108.56.130",
}
PRODUCTION_IPV6 = {
    1: "2001:b28:f23d:f001::a",
    2: "2001:67c:4e8:f002::a",
    3: "2001:b28:f23d:f003::a",
    4: "2001:67c:4e8:f004::a",
    5: "2001:b28:f23f:f005::a",
}
TEST = {
    1: "149.154.175.10",
    2: "149.154.167.40",
    3: "149.154.175.117",
}
TEST_IPV6 = {
    1: "2001:b28:f23d:f001::e",
    2: "2001:67c:4e8:f002::e",
    3: "2001:b28:f23d:f003::e",
}


class ServerLike(Protocol):
    """Anything that tells where a server is: a ServerAddress, or the embedded Server itself."""

    @property
    def host(self) -> str:
        """Name or address to dial."""
        ...

    @property
    def port(self) -> int:
        """TCP port."""
        ...

    @property
    def dc_id(self) -> int:
        """Data centre that the server plays."""
        ...

    @property
    def public_key(self) -> str:
        """The server's RSA key, as PEM."""
        ...


class ServerAddress(msgspec.Struct, frozen=True):
    """Where a server of one's own listens, and the RSA key that proves it is the one."""

    host: str
    port: int
    dc_id: int = DEFAULT_DC
    public_key: str = ""
    """PEM, "BEGIN RSA PUBLIC KEY"."""

    def __repr__(self) -> str:
        return f"<ServerAddress DC {self.dc_id} at {self.host}:{self.port}>"

    @classmethod
    def from_json(cls, line: str | bytes) -> ServerAddress:
        """Read the line that ``radiogram serve --json`` prints. Raises ClientError."""
        try:
            told = json.loads(line)
            host, port = told["host"], told["port"]
            dc_id, public_key = told["dc_id"], told["public_key"]
        except (ValueError, KeyError, TypeError) as error:
            raise ClientError(
                f"this is not the line that `radiogram serve --json` prints ({error!r})"
            ) from error
        if not (isinstance(host, str) and isinstance(public_key, str)) or not (
            type(port) is int and type(dc_id) is int
        ):
            raise ClientError("host and public_key must be text, port and dc_id numbers")
        return cls(host=host, port=port, dc_id=dc_id, public_key=public_key)


class Endpoint(msgspec.Struct, frozen=True):
    """One address to dial, as the client uses it."""

    host: str
    port: int
    dc_id: int
    """Plain id, 1 to 5 for Telegram's own."""
    wire_dc: int
    """The id as key exchange and obfuscation write it: higher for test data centres (D4)."""
    keys: tuple[rsa.PublicKey, ...]
    """Public keys, one of which the server must have."""
    own: bool
    """True for a server of one's own: no other address is tried for it."""

    def __str__(self) -> str:
        return f"DC {self.dc_id} at {address(self.host, self.port)}"


def own_endpoint(server: ServerLike) -> Endpoint:
    """Read `server=`. Raises ClientError when something is missing or malformed."""
    try:
        host, port, dc_id, pem = server.host, server.port, server.dc_id, server.public_key
    except (AttributeError, RadiogramError) as error:
        raise ClientError(
            "server= needs an object with host, port, dc_id and public_key, such as a "
            f"ServerAddress or a started Server ({error})"
        ) from error
    if not pem:
        raise ClientError(
            f"server= names {host}:{port} but no public_key; pass the PEM text that the server "
            "told when it started"
        )
    try:
        key = rsa.PublicKey.from_pem(pem)
    except (RadiogramError, ValueError) as error:
        raise ClientError(f"the public_key of server= cannot be read: {error}") from error
    return Endpoint(host=host, port=port, dc_id=dc_id, wire_dc=dc_id, keys=(key,), own=True)


def telegram_endpoint(
    dc_id: int,
    *,
    test_mode: bool,
    options: Iterable[Any] = (),
    host: str = "",
    port: int = 0,
    ipv6: bool = False,
) -> Endpoint:
    """Find one of Telegram's data centres.

    A `host` that a session remembers is preferred if it is of the wanted kind, then the
    `dc_options` of help.getConfig, then the built-in table. Raises ClientError for a data centre
    that none of them knows.
    """
    if not host or (":" in host) != ipv6:
        for option in options:
            if (
                option.id == dc_id
                and not (option.media_only or option.cdn or option.tcpo_only or option.secret)
                and option.ipv6 is ipv6
            ):
                host, port = option.ip_address, option.port
                break
        else:
            production, test = (PRODUCTION_IPV6, TEST_IPV6) if ipv6 else (PRODUCTION, TEST)
            table = test if test_mode else production
            if dc_id not in table:
                kind = "test" if test_mode else "production"
                raise ClientError(f"Telegram has no {kind} data centre {dc_id} that is known here")
            host, port = table[dc_id], PORT
    return Endpoint(
        host=host,
        port=port,
        dc_id=dc_id,
        wire_dc=dc_id + TEST_DC_OFFSET if test_mode else dc_id,
        keys=rsa.TEST_KEYS if test_mode else rsa.PRODUCTION_KEYS,
        own=False,
    )
