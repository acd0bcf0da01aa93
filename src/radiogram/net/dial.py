"""Layer 3: open and accept connections: TCP, over IPv4 or IPv6, through a proxy, in TLS.

Knows sockets and addresses. Must not know what travels over them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable

import msgspec

from radiogram.errors import ConnectionFailed, ProxyFailed, TransportError
from radiogram.net.driver import PacketConnection, PacketOwner
from radiogram.net.proxy import Proxy, open_socket
from radiogram.wire.base import Codec


class Route(msgspec.Struct, frozen=True):
    """What lies between, other than plain TCP."""

    proxy: Proxy | None = None
    tls: ssl.SSLContext | None = None
    """Wrap everything in TLS, and check that the other side is the host that was dialled."""


async def connect(
    host: str,
    port: int,
    codec: Codec,
    owner: PacketOwner,
    *,
    timeout: float,
    route: Route | None = None,
) -> PacketConnection:
    """Open a connection within `timeout` seconds, until both codecs agree on how they talk.

    Raises ConnectionFailed, which names the address and the reason; ProxyFailed if it is the proxy.
    """
    conn = PacketConnection(codec, owner)
    where = address(host, port)
    try:
        async with asyncio.timeout(timeout):
            await _open(conn, host, port, route or Route(), timeout=timeout)
            await conn.wait_ready()
    except TimeoutError as error:
        conn.abort()
        if route is not None and route.proxy is not None:
            raise ProxyFailed(
                f"no answer from {where} through the proxy {route.proxy} within {timeout:g} "
                "seconds; check the proxy's kind, that it runs, and that it may reach that address"
            ) from error
        raise ConnectionFailed(
            f"no answer from {where} within {timeout:g} seconds; "
            "check the address, the network and a firewall in between"
        ) from error
    except socket.gaierror as error:
        raise ConnectionFailed(
            f"the host name {host!r} cannot be resolved ({error.strerror}); check its spelling"
        ) from error
    except ssl.SSLError as error:
        raise ConnectionFailed(_tls_reason(where, error)) from error
    except ConnectionFailed:
        raise
    except TransportError as error:
        conn.abort()
        raise ConnectionFailed(f"cannot talk to {where}: {error}") from error
    except (OSError, OverflowError) as error:
        conn.abort()
        raise ConnectionFailed(
            f"cannot connect to {where}: {_reason(error)}; "
            "check the address and that the server runs"
        ) from error
    except asyncio.CancelledError:
        conn.abort()
        raise
    return conn


async def _open(
    conn: PacketConnection, host: str, port: int, route: Route, *, timeout: float
) -> None:
    loop = asyncio.get_running_loop()
    if route.proxy is None:
        await loop.create_connection(lambda: conn, host, port, ssl=route.tls)
        return
    sock = await open_socket(route.proxy, host, port, timeout=timeout)
    try:
        await loop.create_connection(
            lambda: conn, sock=sock, ssl=route.tls, server_hostname=host if route.tls else None
        )
    except BaseException:
        sock.close()
        raise


async def listen(host: str, port: int, factory: Callable[[], PacketConnection]) -> asyncio.Server:
    """Accept TCP connections at an address, each with a connection of its own from `factory`.

    Port 0 takes a free one. Raises ConnectionFailed when the address cannot be used.
    """
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(factory, host, port, backlog=1024)
    except (OSError, OverflowError) as error:
        raise ConnectionFailed(
            f"cannot listen on {address(host, port)}: {_reason(error)}; choose another port or host"
        ) from error


async def stop(listeners: Iterable[asyncio.Server]) -> None:
    """Stop accepting connections, and close what listens.

    A connection that was accepted in this turn of the loop is made in the next two. In between a
    listener may not be closed, or the socket would be left open; so it first turns deaf.
    """
    closing = list(listeners)
    loop = asyncio.get_running_loop()
    for listener in closing:
        for sock in listener.sockets:
            with contextlib.suppress(NotImplementedError):  # the loop of Windows
                loop.remove_reader(sock.fileno())
    for _ in range(2):
        await asyncio.sleep(0)
    for listener in closing:
        listener.close()


def address(host: str, port: int) -> str:
    """Write an address as people do, with brackets around IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reason(error: Exception) -> str:
    """The system's words, without asyncio's list of every address tried."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    strerror = getattr(error, "strerror", None)
    return str(strerror or error)


def _tls_reason(where: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {where} is not accepted: {error.verify_message}; check the host "
            "name and the clock, or pass ssl_context= with the authority that signed it"
        )
    return f"{where} does not talk TLS: {error.reason or error}; check the port"
