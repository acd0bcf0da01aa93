"""Layer 3: a link between two ends in one process, with the transport interface of asyncio.

Knows how bytes cross; may cut them into any pieces on the way. Must not know what they mean. Both
ends are ordinary :class:`~radiogram.net.driver.PacketConnection` objects, so that what runs over
it in a test is what runs over TCP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from radiogram.net.driver import PacketConnection, PacketOwner
from radiogram.wire.base import Codec

HIGH_WATER = 64 * 1024
"""Bytes on the way in one direction above which its writer is asked to pause."""

Chop = Callable[[bytes], Iterable[bytes]]
"""Cuts what was written at once into the pieces in which it arrives."""


def link(
    client_owner: PacketOwner,
    client_codec: Codec,
    server_factory: Callable[[], PacketConnection],
    *,
    chop: Chop | None = None,
) -> tuple[PacketConnection, PacketConnection]:
    """Connect a client to a server's connection; both are open when this returns."""
    client = PacketConnection(client_codec, client_owner)
    server = server_factory()
    near = MemoryTransport(client, "memory", chop)
    far = MemoryTransport(server, "memory", chop)
    near.other, far.other = far, near
    server.connection_made(far)
    client.connection_made(near)
    return client, server


class MemoryTransport(asyncio.Transport):
    """One end of a link: what is written here arrives at the other end's protocol.

    Every delivery is a turn of the loop of its own, as with a socket.
    """

    def __init__(self, protocol: PacketConnection, name: str, chop: Chop | None) -> None:
        super().__init__({"peername": name})
        self.other: MemoryTransport
        self._protocol = protocol
        self._chop = chop
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[bytes] = deque()
        self._unread = 0
        self._reading = True
        self._delivering = False
        self._asked_to_pause = False
        self._ended_by_peer = False
        self._closing = False
        self._lost = False

    # ── what the protocol may do ─────────────────────────────────────────────────────────────

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Send bytes to the other end."""
        if self._closing or self.other._lost or not data:
            return
        written = bytes(data)
        pieces = [written] if self._chop is None else [p for p in self._chop(written) if p]
        self.other._arrive(pieces)
        if not self._asked_to_pause and self.get_write_buffer_size() > HIGH_WATER:
            self._asked_to_pause = True
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        """Bytes that the other end has not taken yet."""
        return self.other._unread

    def pause_reading(self) -> None:
        """Leave what arrives where it is."""
        self._reading = False

    def resume_reading(self) -> None:
        """Take what has arrived, and go on."""
        self._reading = True
        self._schedule()

    def is_reading(self) -> bool:
        """Tell whether what arrives is delivered."""
        return self._reading and not self._closing

    def is_closing(self) -> bool:
        """Tell whether the end has been decided."""
        return self._closing

    def close(self) -> None:
        """End the link; what was written before still arrives."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._lose)
            self.other._end()

    def abort(self) -> None:
        """End the link and drop what has not arrived."""
        if not self._lost:
            self._closing = True
            self._loop.call_soon(self._lose)
            self.other._inbox.clear()
            self.other._unread = 0
            self.other._end()

    # ── delivery ─────────────────────────────────────────────────────────────────────────────

    def _arrive(self, pieces: list[bytes]) -> None:
        self._inbox.extend(pieces)
        self._unread += sum(map(len, pieces))
        self._schedule()

    def _end(self) -> None:
        self._ended_by_peer = True
        self._schedule()

    def _schedule(self) -> None:
        if not self._delivering and self._reading:
            self._delivering = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._delivering = False
        if self._lost or not self._reading:
            return
        if self._inbox and not self._closing:
            piece = self._inbox.popleft()
            buffer = self._protocol.get_buffer(len(piece))
            taken = min(len(piece), len(buffer))
            buffer[:taken] = piece[:taken]
            if taken < len(piece):
                self._inbox.appendleft(piece[taken:])
            self._unread -= taken
            self._protocol.buffer_updated(taken)
            self.other._room()
        elif self._ended_by_peer:
            self._closing = True
            self._lose()
            return
        if self._inbox or self._ended_by_peer:
            self._schedule()

    def _room(self) -> None:
        if self._asked_to_pause and self.get_write_buffer_size() <= HIGH_WATER // 4:
            self._asked_to_pause = False
            if not self._lost:
                self._protocol.resume_writing()

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self._inbox.clear()
            self._unread = 0
            self._protocol.connection_lost(None)
