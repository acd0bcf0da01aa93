"""Layer 3: connections that speak in lines, each way one line after the other.

Knows asyncio's transports, and how long a line may be. Must not know what a line means.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, cast

from radiogram.errors import ConnectionFailed

MAX_LINE = 64 * 1024
"""Bytes of a line that is read."""
MAX_UNSENT = 1024 * 1024
"""Bytes that may wait for a peer that does not read."""


class LineOwner(Protocol):
    """What a connection tells."""

    def line_received(self, conn: LineConnection, line: bytes) -> None:
        """Take a line, without its end."""

    def line_too_long(self, conn: LineConnection) -> None:
        """Learn that a line is longer than it may be; the connection ends after this."""

    def connection_lost(self, conn: LineConnection) -> None:
        """Learn that it is over."""


class LineConnection(asyncio.Protocol):
    """One connection."""

    def __init__(self, owner: LineOwner) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._is_closing = False

    def send(self, line: bytes) -> None:
        """Send a line; its end is added. A peer that does not read is cut off."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(line + b"\n")
        if transport.get_write_buffer_size() > MAX_UNSENT:
            transport.abort()

    def close(self) -> None:
        """End it after what was sent has left."""
        self._is_closing = True
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        start = 0
        while not self._is_closing:
            end = self._buffer.find(b"\n", start)
            if (len(self._buffer) if end < 0 else end) - start > MAX_LINE:
                self._owner.line_too_long(self)
                self.close()
                return
            if end < 0:
                break
            line = bytes(self._buffer[start:end])
            start = end + 1
            self._owner.line_received(self, line)
        del self._buffer[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.connection_lost(self)


async def listen_at_port(
    host: str, port: int, factory: Callable[[], LineConnection]
) -> asyncio.Server:
    """Accept TCP connections. Raises ConnectionFailed."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(factory, host, port)
    except (OSError, OverflowError) as error:
        raise ConnectionFailed(
            f"cannot listen on {host}:{port}: {error}; choose another port or host"
        ) from error


async def listen_at_path(path: str, factory: Callable[[], LineConnection]) -> asyncio.Server:
    """Accept connections to a socket in the file system, which is for its owner only.

    A socket that nobody listens to is replaced. Raises ConnectionFailed.
    """
    loop = asyncio.get_running_loop()
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_dead_socket(path)
        before = os.umask(0o177)
        try:
            made.bind(path)
        finally:
            os.umask(before)
        return await loop.create_unix_server(factory, sock=made)
    except (OSError, ValueError) as error:
        made.close()
        raise ConnectionFailed(
            f"cannot listen at {path}: {error}; give the path of a new file in a directory that"
            " can be written, not longer than 100 characters"
        ) from error


def _remove_dead_socket(path: str) -> None:
    """Take away what a process that was killed has left behind."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(Path(path).stat().st_mode):
            raise FileExistsError("it is a file, not a socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                Path(path).unlink()
            else:
                raise FileExistsError("another process listens there")
