"""Layer 3: one byte stream, cut into packets by a codec and handed to its owner.

Knows asyncio's transports and one codec. Must not know what a packet means.

Theory of operation. Bytes come in through ``BufferedProtocol``, into one buffer that all
connections of a thread share, so that an idle one costs nothing: a loop fills it and tells the
protocol in one step, and the protocol copies what was read. (On Windows a read stays under way
between two turns of the loop; there each connection has a buffer of its own.) The codec returns the
packets that the bytes complete and the owner gets them in the same call, without a queue or a task
in between. Packets going out are collected and leave in one ``transport.write`` per turn of the
event loop (:meth:`PacketConnection.send`), or at once when the owner has already collected them
(:meth:`PacketConnection.write`).

Memory is bounded in both directions. Inwards by the codec's largest packet. Outwards: when the
transport holds more than its high-water mark, :attr:`PacketConnection.paused` is true, an owner
that can wait should wait for ``drained``, and with ``throttle`` the peer is not read until it has
taken what it asked for. Beyond ``max_unsent`` bytes the connection is given up.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from socket import SO_LINGER, SOL_SOCKET
from struct import Struct
from typing import Any, Protocol, cast

from radiogram.errors import FramingError, TransportError
from radiogram.wire.base import Codec, Frame

READ_BUFFER = 128 * 1024
"""Bytes taken from the socket at once, at most."""
MAX_UNSENT = 64 * 1024 * 1024
"""Bytes that may wait for a peer that does not read."""
NO_LINGERING = Struct("ii").pack(1, 0)
"""``struct linger``: on, for 0 seconds."""


class PacketOwner(Protocol):
    """What a connection tells; every call happens on the loop's thread."""

    def connection_made(self, conn: PacketConnection) -> None:
        """Learn that the connection is open and may be written to."""

    def frames_received(self, conn: PacketConnection, frames: list[Frame]) -> None:
        """Take the packets that one read has completed, in order, at least one."""

    def connection_lost(self, conn: PacketConnection, error: Exception | None) -> None:
        """Learn, exactly once, that it is over; `error` is None for an orderly end."""


class PacketConnection(asyncio.BufferedProtocol):
    """One connection that speaks packets.

    `throttle` stops reading while the peer does not take what was written: right for a server,
    wrong for a client (two throttled ends can wait for each other for ever).
    """

    def __init__(
        self,
        codec: Codec,
        owner: PacketOwner,
        *,
        throttle: bool = False,
        max_unsent: int = MAX_UNSENT,
    ) -> None:
        self.codec = codec
        self.drained: Callable[[], None] | None = None
        """Called when `paused` turns false again."""
        self.sink: Callable[[bytes], None] | None = None
        """Takes what is to be written instead of the transport; see :meth:`write_bytes`."""
        self.paused = False
        """True while the transport holds more than it should."""
        self.closed = False
        """True from the moment that nothing more can be sent."""
        self._owner = owner
        self._throttle = throttle
        self._max_unsent = max_unsent
        self._buffer: memoryview | None = None
        self._out: list[bytes] = []
        self._flushing = False
        self._error: Exception | None = None
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._agreed: asyncio.Future[None] | None = None

    # ── what the owner may do ────────────────────────────────────────────────────────────────

    @property
    def peer(self) -> str:
        """The other end's address, for messages to people."""
        if self._transport is None:
            return "nobody yet"
        name: Any = self._transport.get_extra_info("peername")
        if isinstance(name, tuple) and len(name) >= 2:
            host = f"[{name[0]}]" if ":" in name[0] else name[0]
            return f"{host}:{name[1]}"
        return str(name) if name else "an unnamed peer"

    def send(self, payload: bytes, *, quick_ack: bool = False) -> None:
        """Queue one packet; it leaves at the end of this turn of the loop."""
        if not self.closed:
            self._queue(self.codec.pack(payload, quick_ack=quick_ack))

    def send_quick_ack(self, token: int) -> None:
        """Queue the quick acknowledgement of a packet."""
        if not self.closed:
            self._queue(self.codec.pack_quick_ack(token))

    def send_error(self, code: int) -> None:
        """Queue a transport error, a negative number."""
        if not self.closed:
            self._queue(self.codec.pack_error(code))

    def write(self, payloads: Iterable[bytes] = ()) -> None:
        """Write packets now, behind those already queued, in one call of the transport."""
        self._flushing = False
        if self.closed or self._transport is None:
            return
        out, pack = self._out, self.codec.pack
        out.extend([pack(payload) for payload in payloads])
        if not out:
            return
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        if self.sink is not None:
            self.sink(data)
            return
        self._transport.write(data)
        if self.paused and self._transport.get_write_buffer_size() > self._max_unsent:
            self.abort(TransportError(f"{self.peer} does not read what is sent to it"))

    def write_bytes(self, data: bytes) -> None:
        """Write bytes that are framed already: the other end of :attr:`sink`."""
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _queue(self, data: bytes) -> None:
        self._out.append(data)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.write)

    def close(self) -> None:
        """End the connection after what was queued has been written."""
        if self.closed:
            return
        if self._transport is not None:
            bye = self.codec.farewell()
            if bye:
                self._out.append(bye)
        self.write()
        self.closed = True
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """End the connection as a crash does: the other side is told of no orderly end."""
        if self._transport is not None:
            socket = self._transport.get_extra_info("socket")
            if socket is not None:
                # To linger for no time at all makes TCP send RST instead of FIN.
                socket.setsockopt(SOL_SOCKET, SO_LINGER, NO_LINGERING)
        self.abort()

    def abort(self, error: Exception | None = None) -> None:
        """End the connection now, dropping what was not written."""
        self.closed = True
        self._out.clear()
        if error is not None and self._error is None:
            self._error = error
        if self._transport is not None:
            self._transport.abort()

    async def wait_ready(self) -> None:
        """Wait until the codecs of both ends have agreed on how they talk.

        Raises the error that ended the connection before, or ConnectionResetError.
        """
        if self.codec.ready:
            return
        self._agreed = self._loop.create_future()
        waiting: list[asyncio.Future[None]] = [self._agreed, self._over]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not self._agreed.done():
            raise self._error or ConnectionResetError("closed by the other side")

    async def wait_closed(self, timeout: float = 1.0) -> None:
        """Wait until the transport is gone; after `timeout` seconds cut it off."""
        if self._transport is None:
            return
        await asyncio.wait([self._over], timeout=timeout)
        if not self._over.done():
            self.abort()
            await asyncio.wait([self._over])

    # ── what asyncio tells ───────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = _buffer_for(transport)
        if self.closed:
            self._transport.abort()
            return
        self._answer()
        self._owner.connection_made(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._buffer is None:
            self._buffer = memoryview(bytearray(READ_BUFFER))
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self.closed or self._buffer is None:
            return
        try:
            frames = self.codec.feed(bytes(self._buffer[:nbytes]))
        except FramingError as error:
            self._give_up(error)
            return
        self._answer()
        if frames:
            self._owner.frames_received(self, frames)
        if self.codec.broken:
            self._give_up(FramingError("the byte stream cannot be cut into packets any more"))

    def _answer(self) -> None:
        """Send what the codec has to say by itself, and tell when it has agreed with the peer's."""
        own = self.codec.outgoing()
        if own and not self.closed:
            self._out.append(own)  # behind packets that were queued: those are wrapped already
            self.write()
        if self._agreed is not None and self.codec.ready and not self._agreed.done():
            self._agreed.set_result(None)

    def _give_up(self, error: FramingError) -> None:
        """End a connection whose bytes make no sense, with the codec's last word if it has one."""
        last = self.codec.outgoing()
        if not last or self._transport is None or self.closed:
            self.abort(error)
            return
        if self._error is None:
            self._error = error
        self._transport.write(last)
        self.closed = True
        self._out.clear()
        self._transport.close()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.paused = True
        if self._throttle and self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self.paused = False
        if self._throttle and self._transport is not None:
            self._transport.resume_reading()
        if self.drained is not None and not self.closed:
            self.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._out.clear()
        if not self._over.done():
            self._over.set_result(None)
        self._owner.connection_lost(self, self._error or exc)


_shared = threading.local()


def _buffer_for(transport: asyncio.BaseTransport) -> memoryview | None:
    """Return the thread's buffer, if the transport fills it and tells so in one step."""
    if "proactor" in type(transport).__module__:
        return None
    buffer: memoryview | None = getattr(_shared, "buffer", None)
    if buffer is None:
        buffer = _shared.buffer = memoryview(bytearray(READ_BUFFER))
    return buffer
