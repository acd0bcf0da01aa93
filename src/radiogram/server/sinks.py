"""Server layer: what happens to bytes on their way into a socket, if a test wants it (E17, E19).

A sink takes the bytes in the place of the socket, and writes them as it likes. Knows one
connection; knows neither packets nor accounts.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from radiogram.net.driver import PacketConnection

PATIENCE = 0.05
"""Seconds of real time for which a gathering waits for the next packet."""


class Sink(Protocol):
    """Takes bytes instead of a socket."""

    def __call__(self, data: bytes) -> None: ...

    def finish(self) -> None:
        """Write what is left, all at once."""


class Trickle:
    """Writes small pieces, one in each turn of the loop, or with a pause between them."""

    def __init__(self, conn: PacketConnection, size: int, seconds: float) -> None:
        self._conn = conn
        self._size = size
        self._seconds = seconds
        self._left = bytearray()
        self._runs = False

    def __call__(self, data: bytes) -> None:
        self._left += data
        if not self._runs:
            self._runs = True
            self._drip()

    def _drip(self) -> None:
        if not self._left:
            self._runs = False
            return
        piece = bytes(self._left[: self._size])
        del self._left[: self._size]
        self._conn.write_bytes(piece)
        loop = asyncio.get_running_loop()
        if self._seconds:
            loop.call_later(self._seconds, self._drip)
        else:
            loop.call_soon(self._drip)

    def finish(self) -> None:
        data = bytes(self._left)
        self._left.clear()
        self._conn.write_bytes(data)


class Gathering:
    """Writes only when several writes have come together."""

    def __init__(self, conn: PacketConnection, writes: int) -> None:
        self._conn = conn
        self._writes = writes
        self._left: list[bytes] = []
        self._alarm: asyncio.TimerHandle | None = None

    def __call__(self, data: bytes) -> None:
        self._left.append(data)
        if len(self._left) >= self._writes:
            self.finish()
        elif self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(PATIENCE, self.finish)

    def finish(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        data = b"".join(self._left)
        self._left.clear()
        self._conn.write_bytes(data)


class Cut:
    """Writes so many bytes more, and then the connection ends."""

    def __init__(self, conn: PacketConnection, size: int) -> None:
        self._conn = conn
        self._room = size

    def __call__(self, data: bytes) -> None:
        piece = data[: self._room]
        self._room -= len(piece)
        self._conn.write_bytes(piece)
        if len(piece) < len(data):
            self._conn.sink = None
            self._conn.close()

    def finish(self) -> None:
        """Nothing is left: what was not written never will be."""
