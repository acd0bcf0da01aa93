"""Layer 1, bytes <-> packets: what a codec gives and takes.

Knows the shape of a codec and of what comes out of one, and no transport in particular.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

Buffer = bytes | bytearray | memoryview
Random = Callable[[int], bytes]

MAX_PACKET = 16 * 1024 * 1024
"""The largest payload of a packet, unless a codec is told otherwise (A1.5)."""


class Packet(Struct, frozen=True):
    """One transport frame, without its framing."""

    payload: bytes
    quick_ack: bool = False
    """The client wants to hear at once that this packet was accepted (A1.6)."""


class QuickAck(Struct, frozen=True):
    """The server has accepted the packet that this token belongs to (A1.7)."""

    token: int
    """32 bits, the highest set; see :class:`radiogram.crypto.keys.Sealed`."""


class ErrorCode(Struct, frozen=True):
    """The server answers with a bare number instead of a packet (A2.1)."""

    code: int
    """Negative: -404, -429, -444 ..."""


Frame = Packet | QuickAck | ErrorCode


class Codec(Protocol):
    """One end of a connection: cuts what arrives into packets, and frames what leaves.

    What leaves must be sent in the order in which it was packed.
    """

    @property
    def broken(self) -> bool:
        """True once the incoming bytes cannot be cut any more: the connection is useless."""
        ...

    @property
    def ready(self) -> bool:
        """False while the two ends still agree on how they talk; what is packed then waits."""
        ...

    def outgoing(self) -> bytes:
        """Return, once, what the codec itself wants to say: a handshake, an answer to a ping."""
        ...

    def farewell(self) -> bytes:
        """Return what politely ends the connection, often nothing; nothing is packed after it."""
        ...

    def feed(self, data: Buffer) -> list[Frame]:
        """Take the next bytes that arrived and return what they complete.

        However the bytes are cut, the frames are the same: if the bytes break the rules after
        some good frames, those are returned, :attr:`broken` turns true, and the next call raises
        :class:`~radiogram.errors.FramingError`.  Without good frames this call raises.
        """
        ...

    def pack(self, payload: bytes, *, quick_ack: bool = False) -> bytes:
        """Frame one packet; a client's first one brings along the name of the transport.

        :class:`~radiogram.errors.LocalProtocolError` for a payload that cannot be sent, or for a
        quick acknowledgement where there is none.
        """
        ...

    def pack_error(self, code: int) -> bytes:
        """Frame a transport error, -999 to -2; only for servers."""
        ...

    def pack_quick_ack(self, token: int) -> bytes:
        """Frame a quick acknowledgement; only for servers, and not in the full transport."""
        ...
