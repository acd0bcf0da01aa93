"""Layer 4, client: where servers are, and whose key they must have.

Knows the published addresses of Telegram's data centres and how an address of one's own is
written. Must not know connections.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec.structs import replace

from radiogram.crypto import rsa
from radiogram.errors import ClientError, RadiogramError, SessionError
from radiogram.net.dial import address

if TYPE_CHECKING:
    from radiogram.client.sessions import SessionData
    from radiogram.tl import api

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
    dcs: tuple[tuple[int, str, int], ...] = ()
    """The data centres that it plays, if they are several: id, host and port of each."""

    @property
    def addresses(self) -> dict[int, ServerAddress]:
        """The address of each data centre, by its id."""
        return {
            dc_id: ServerAddress(host, port, dc_id, self.public_key)
            for dc_id, host, port in self.dcs or ((self.dc_id, self.host, self.port),)
        }

    def __repr__(self) -> str:
        return f"<ServerAddress DC {self.dc_id} at {self.host}:{self.port}>"

    @classmethod
    def from_json(cls, line: str | bytes) -> ServerAddress:
        """Read the line that ``radiogram serve --json`` prints. Raises ClientError."""
        try:
            told = json.loads(line)
            host, port = told["host"], told["port"]
            dc_id, public_key = told["dc_id"], told["public_key"]
            several = tuple(
                (int(one["dc_id"]), str(one["host"]), int(one["port"]))
                for one in told.get("dcs", ())
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ClientError(
                f"this is not the line that `radiogram serve --json` prints ({error!r})"
            ) from error
        if not (isinstance(host, str) and isinstance(public_key, str)) or not (
            type(port) is int and type(dc_id) is int
        ):
            raise ClientError("host and public_key must be text, port and dc_id numbers")
        return cls(
            host=host,
            port=port,
            dc_id=dc_id,
            public_key=public_key,
            dcs=several if len(several) > 1 else (),
        )


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
    behind: str = ""
    """The MTProxy that is dialled instead, which finds the data centre itself."""

    def __str__(self) -> str:
        where = f"behind {self.behind}" if self.behind else f"at {address(self.host, self.port)}"
        return f"DC {self.dc_id} {where}"

    @property
    def doubt(self) -> str:
        """What to look at when there is no MTProto."""
        if self.behind:
            return "check the proxy's address and secret"
        return "is this an MTProto server?"


def own_endpoint(server: ServerLike, *, test_mode: bool = False) -> Endpoint:
    """Read `server=`. Raises ClientError when something is missing or malformed.

    In `test_mode` its data centres have the numbers of test ones on the wire.
    """
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
    wire_dc = dc_id + TEST_DC_OFFSET if test_mode else dc_id
    return Endpoint(host=host, port=port, dc_id=dc_id, wire_dc=wire_dc, keys=(key,), own=True)


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


class Directory:
    """Where one client finds each data centre."""

    def __init__(
        self, server: ServerLike | None, *, test_mode: bool = False, ipv6: bool = False
    ) -> None:
        self.options: Sequence[api.TypeDcOption] = ()
        """What help.getConfig told last, and updateDcOptions since."""
        self._server = server
        self._test_mode = test_mode
        self._ipv6 = ipv6

    def learn(self, updates: api.TypeUpdates) -> None:
        """Take over the addresses that a server pushes; those of other data centres stay."""
        one: Any
        for one in getattr(updates, "updates", None) or (getattr(updates, "update", None),):
            if getattr(one, "TL_NAME", "") == "updateDcOptions":
                told = one.dc_options
                moved = {option.id for option in told}
                stay = (option for option in self.options if option.id not in moved)
                self.options = [*told, *stay]

    def home(self, data: SessionData) -> Endpoint:
        """Find where the account of a session lives, or where to begin. Raises ClientError."""
        if self._server is not None:
            own = own_endpoint(self._server, test_mode=self._test_mode)
            if not data.auth_key or data.dc_id in (0, own.dc_id):
                return own
            return self._played(own, data.dc_id) or self._remembered(own, data) or own
        if data.auth_key and self._test_mode and not data.test_mode:
            raise SessionError(
                "test_mode was asked for, but the session belongs to Telegram's production "
                "environment; use a new session for tests"
            )
        return telegram_endpoint(
            data.dc_id or DEFAULT_DC,
            test_mode=data.test_mode or self._test_mode,
            host=data.host,
            port=data.port,
            ipv6=self._ipv6,
        )

    def find(
        self,
        dc_id: int,
        purpose: str = "home",
        *,
        test_mode: bool = False,
        keys: tuple[rsa.PublicKey, ...] = (),
    ) -> Endpoint:
        """Find a data centre for a purpose: home, media or cdn. Raises ClientError.

        A CDN has `keys` of its own. For media the addresses that are meant for them come first.
        """
        option = self._option(dc_id, purpose)
        if self._server is not None:
            own = own_endpoint(self._server, test_mode=self._test_mode)
            found = self._played(own, dc_id) if purpose != "cdn" else None
            if option is not None and (found is None or option.media_only):
                found = replace(
                    own,
                    host=option.ip_address,
                    port=option.port,
                    dc_id=dc_id,
                    wire_dc=own.wire_dc - own.dc_id + dc_id,
                )
            if found is None:
                raise ClientError(
                    f"the server at {address(own.host, own.port)} tells no address of DC {dc_id}; "
                    "start it with that one among its dcs"
                )
        elif purpose == "cdn" and option is None:
            raise ClientError(f"help.getConfig names no address of the CDN {dc_id}")
        else:
            found = telegram_endpoint(
                dc_id,
                test_mode=test_mode or self._test_mode,
                options=self.options,
                host=option.ip_address if option is not None else "",
                port=option.port if option is not None else 0,
                ipv6=self._ipv6,
            )
        if purpose == "media":  # so the key exchange and the obfuscation say it (A3.7)
            return replace(found, wire_dc=-found.wire_dc)
        return replace(found, keys=keys) if keys else found

    def _option(self, dc_id: int, purpose: str) -> api.TypeDcOption | None:
        """Choose among what help.getConfig told."""
        candidates = [
            one
            for one in self.options
            if one.id == dc_id
            and not (one.tcpo_only or one.secret)
            and one.cdn == (purpose == "cdn")
            and (not one.media_only or purpose == "media")
            and (self._server is not None or one.ipv6 is self._ipv6)
        ]
        candidates.sort(key=lambda one: (not one.media_only, one.ipv6 is not self._ipv6))
        return candidates[0] if candidates else None

    def _played(self, own: Endpoint, dc_id: int) -> Endpoint | None:
        """Look a data centre up in what `server=` itself tells."""
        if dc_id == own.dc_id:
            return own
        one = getattr(self._server, "addresses", {}).get(dc_id)
        if one is None:
            return None
        wire_dc = own.wire_dc - own.dc_id + dc_id
        return replace(own, host=one.host, port=one.port, dc_id=dc_id, wire_dc=wire_dc)

    def _remembered(self, own: Endpoint, data: SessionData) -> Endpoint | None:
        """Take the address that the session remembers, if it is the same server's."""
        if data.host != own.host or not data.port:
            return None
        wire_dc = own.wire_dc - own.dc_id + data.dc_id
        return replace(own, port=data.port, dc_id=data.dc_id, wire_dc=wire_dc)
