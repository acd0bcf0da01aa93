"""Layer 3: SOCKS and HTTP proxies, with the ``python-socks`` library.

Knows how a proxy is written as a URL, and how to get a socket through one. Must not know what
travels over it.
"""

from __future__ import annotations

import socket
from urllib.parse import unquote, urlsplit

import msgspec

from radiogram.errors import ClientError, ProxyFailed

KINDS = {"socks4": 1080, "socks5": 1080, "http": 80}
"""Kinds, and the ports that they have by habit."""

_INSTALL = "a proxy needs the python-socks package: pip install 'radiogram[proxy]'"


class Proxy(msgspec.Struct, frozen=True):
    """A proxy that passes any bytes on."""

    kind: str
    """socks4, socks5 or http."""
    host: str
    port: int
    username: str = ""
    password: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"  # without name and password

    __repr__ = __str__

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """Read ``socks5://user:password@host:port``. Raises ClientError, without the password."""
        try:
            parts = urlsplit(url)
            kind, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
        except ValueError:  # its text may have a part of the password
            raise ClientError(
                "proxy= has no usable host and port: write scheme://user:password@host:port, with "
                "/ ? # @ : and % in name or password as %2F %3F %23 %40 %3A %25"
            ) from None
        kind = {"socks5h": "socks5", "socks4a": "socks4"}.get(kind, kind)
        if kind == "https":
            raise ClientError("proxy= cannot be https://; HTTP proxies are spoken to as http://")
        if kind not in KINDS:
            raise ClientError(
                f"proxy= knows {', '.join(KINDS)} and mtproxy, but no {parts.scheme!r}; write "
                "scheme://user:password@host:port, or the link of an MTProxy"
            )
        if not host or parts.path not in {"", "/"} or parts.query:
            raise ClientError(f"proxy= needs a host: {kind}://host:{port or KINDS[kind]}")
        if port == 0:
            raise ClientError(f"proxy= needs a port from 1 to 65535, not 0: {kind}://host:port")
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
        if kind == "socks4" and password:
            raise ClientError("a SOCKS4 proxy takes no password; leave it out, or use socks5://")
        try:
            import python_socks  # noqa: F401 - told now, not at the first connection
        except ImportError:
            raise ClientError(_INSTALL) from None
        return cls(kind, host, KINDS[kind] if port is None else port, username, password)


async def open_socket(proxy: Proxy, host: str, port: int, *, timeout: float) -> socket.socket:
    """Return a socket that leads through the proxy to an address.

    Raises ProxyFailed, which names the proxy, the address and the reason.
    """
    from python_socks import ProxyConnectionError, ProxyTimeoutError, ProxyType
    from python_socks.async_.asyncio import Proxy as Through

    kinds = {"socks4": ProxyType.SOCKS4, "socks5": ProxyType.SOCKS5, "http": ProxyType.HTTP}
    through = Through(
        kinds[proxy.kind],
        proxy.host,
        proxy.port,
        username=proxy.username or None,
        password=proxy.password if proxy.username else None,
        rdns=True,
    )
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        return await through.connect(host, port, timeout=timeout)
    except (ProxyTimeoutError, TimeoutError):
        raise ProxyFailed(
            f"the proxy {proxy} did not connect to {target} within {timeout:g} seconds; check that "
            "it runs and may reach that address"
        ) from None
    except (ProxyConnectionError, OSError) as error:
        cause = error.__cause__ or error
        refused = isinstance(cause, ConnectionRefusedError)
        reason = "connection refused" if refused else getattr(cause, "strerror", None) or cause
        raise ProxyFailed(
            f"the proxy {proxy} cannot be reached: {reason}; check its address and that it runs"
        ) from error
    except Exception as error:  # whatever the library makes of an answer that is none
        raise ProxyFailed(
            f"the proxy {proxy} did not connect to {target}: {str(error) or type(error).__name__}; "
            "check its kind, name and password, and that it may reach that address"
        ) from error
