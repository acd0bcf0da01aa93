"""Layer 3: open and accept TCP connections.

Knows sockets and addresses. Must not know what travels over them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from radiogram.errors import ConnectionFailed
from radiogram.net.driver import PacketConnection, PacketOwner
from radiogram.wire.base import Codec


async def connect(
    host: str, port: int, codec: Codec, owner: PacketOwner, *, timeout: float
) -> PacketConnection:
    """Open a TCP connection within `timeout` seconds.

    Raises ConnectionFailed, which names the address and the reason.
    """
    loop = asyncio.get_running_loop()
    conn = PacketConnection(codec, owner)
    try:
        async with asyncio.timeout(timeout):
            await loop.create_connection(lambda: conn, host, port)
    except TimeoutError as error:
        conn.abort()
        raise ConnectionFailed(
            f"no answer from {host}:{port} within {timeout:g} seconds; "
            "check the address, the network and a firewall in between"
        ) from error
    except socket.gaierror as error:
        raise ConnectionFailed(
            f"the host name {host!r} cannot be resolved ({error.strerror}); check its spelling"
        ) from error
    except (OSError, OverflowError) as error:
        raise ConnectionFailed(
            f"cannot connect to {host}:{port}: {_reason(error)}; "
            "check the address and that the server runs"
        ) from error
    return conn


async def listen(host: str, port: int, factory: Callable[[], PacketConnection]) -> asyncio.Server:
    """Accept TCP connections at an address, each with a connection of its own from `factory`.

    Port 0 takes a free one. Raises ConnectionFailed when the address cannot be used.
    """
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(factory, host, port, backlog=1024)
    except (OSError, OverflowError) as error:
        raise ConnectionFailed(
            f"cannot listen on {host}:{port}: {_reason(error)}; choose another port or host"
        ) from error


def _reason(error: Exception) -> str:
    """The system's words, without asyncio's list of every address tried."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    strerror = getattr(error, "strerror", None)
    return str(strerror or error)
