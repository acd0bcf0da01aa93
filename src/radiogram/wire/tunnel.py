"""Layer 1, bytes <-> packets: a codec inside a tunnel: WebSocket, TLS, or what looks like TLS.

Knows how a tunnel and a codec work together. Must not know any tunnel in particular, nor what runs
inside of one.

Theory of operation. A tunnel turns the bytes of a connection into the bytes inside, and back. It
may have to talk before anything passes (``ready``), and in between (a ping is answered): what it
says waits in ``outgoing`` for whoever owns the socket. A codec inside does not notice: packets that
are packed too early are kept, and leave as soon as the tunnel is ready.
"""

from __future__ import annotations

from typing import Protocol

from radiogram.errors import FramingError
from radiogram.wire.base import Buffer, Codec, Frame


class Tunnel(Protocol):
    """One end of a tunnel; sans-I/O."""

    @property
    def ready(self) -> bool:
        """True from the moment that bytes can pass."""
        ...

    @property
    def failure(self) -> str:
        """Why no more bytes can come out; empty while all is well."""
        ...

    def receive(self, data: Buffer) -> bytes:
        """Take bytes that arrived, return those that were inside; sets `failure`, never raises."""
        ...

    def wrap(self, data: bytes) -> bytes:
        """Return what carries these bytes; only when ready."""
        ...

    def outgoing(self) -> bytes:
        """Return, once, what the tunnel itself wants to say."""
        ...

    def farewell(self) -> bytes:
        """Return what ends the tunnel politely; only when ready."""
        ...


class Tunnelled:
    """A codec inside a tunnel, for either end."""

    def __init__(self, inner: Codec, tunnel: Tunnel) -> None:
        self._inner = inner
        self._tunnel = tunnel
        self._early: list[bytes] = []

    @property
    def broken(self) -> bool:
        return bool(self._tunnel.failure) or self._inner.broken

    @property
    def ready(self) -> bool:
        return self._tunnel.ready and self._inner.ready

    def feed(self, data: Buffer) -> list[Frame]:
        # What the codec inside has to complain about came first, wherever the bytes were cut.
        if self._inner.broken:
            return self._inner.feed(b"")
        if self._tunnel.failure:
            raise FramingError(self._tunnel.failure)
        frames = self._inner.feed(self._tunnel.receive(data))
        if self._tunnel.failure and not frames and not self._inner.broken:
            raise FramingError(self._tunnel.failure)
        return frames

    def outgoing(self) -> bytes:
        tunnel = self._tunnel
        own = tunnel.outgoing()
        if not tunnel.ready:
            return own
        if self._early:
            own += tunnel.wrap(b"".join(self._early))
            self._early.clear()
        said = self._inner.outgoing()
        return own + tunnel.wrap(said) if said else own

    def farewell(self) -> bytes:
        if not self._tunnel.ready:
            return b""
        said = self._inner.farewell()
        return (self._tunnel.wrap(said) if said else b"") + self._tunnel.farewell()

    def pack(self, payload: bytes, *, quick_ack: bool = False) -> bytes:
        return self._wrap(self._inner.pack(payload, quick_ack=quick_ack))

    def pack_error(self, code: int) -> bytes:
        return self._wrap(self._inner.pack_error(code))

    def pack_quick_ack(self, token: int) -> bytes:
        return self._wrap(self._inner.pack_quick_ack(token))

    def _wrap(self, data: bytes) -> bytes:
        if self._tunnel.ready:
            return self._tunnel.wrap(data)
        self._early.append(data)
        return b""
