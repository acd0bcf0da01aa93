"""Layer 1, bytes <-> packets: the server's end, which learns the transport from the first bytes.

Knows the order in which transports are told apart (A1.1), and hands over to the one it found.
"""

from __future__ import annotations

from radiogram.errors import FramingError, LocalProtocolError
from radiogram.wire.base import MAX_PACKET, Buffer, Codec, Frame, Random
from radiogram.wire.framing import SERVER_ENDS, Abridged, Intermediate, Padded
from radiogram.wire.obfuscation import INIT_SIZE, Obfuscated, read_opening

_HTTP = (b"POST", b"GET ", b"HEAD", b"OPTI")


def detect(head: bytes) -> str | None:
    """Name the transport that a connection opens with, or ``None`` while that is open.

    Anything that is nothing else counts as ``obfuscated`` once all of its opening is there.
    ``FramingError`` for HTTP, which is not served here.
    """
    if head[:1] == Abridged.tag:
        return Abridged.name
    if len(head) < 4:
        return None
    first = head[:4]
    if first == Intermediate.tag:
        return Intermediate.name
    if first == Padded.tag:
        return Padded.name
    if first in _HTTP:
        raise FramingError("HTTP is not spoken here")
    if len(head) >= 8 and not any(head[4:8]):
        return "full"
    return "obfuscated" if len(head) >= INIT_SIZE else None


class ServerCodec:
    """The codec of a server: none in particular until the client has shown which one it speaks."""

    def __init__(
        self, *, random: Random, max_packet: int = MAX_PACKET, secret: bytes = b""
    ) -> None:
        """Wait for a client; ``secret`` is wanted of obfuscated ones if it is not empty."""
        self._random = random
        self._max_packet = max_packet
        self._secret = secret
        self._head = b""
        self._codec: Codec | None = None
        self._failure = ""
        self.name: str | None = None
        """The framing that was detected, also where it is obfuscated."""
        self.obfuscated = False
        self.dc_id: int | None = None
        """The DC that an obfuscated client names, which may be chance (A1.10)."""

    @property
    def broken(self) -> bool:
        return bool(self._failure) if self._codec is None else self._codec.broken

    def feed(self, data: Buffer) -> list[Frame]:
        if self._codec is not None:
            return self._codec.feed(data)
        if self._failure:
            raise FramingError(self._failure)
        self._head += bytes(data)
        try:
            used = self._begin()
        except FramingError as error:
            self._failure = str(error)
            raise
        if self._codec is None:
            return []
        rest, self._head = self._head[used:], b""
        return self._codec.feed(rest)

    def pack(self, payload: bytes, *, quick_ack: bool = False) -> bytes:
        return self._known().pack(payload, quick_ack=quick_ack)

    def pack_error(self, code: int) -> bytes:
        return self._known().pack_error(code)

    def pack_quick_ack(self, token: int) -> bytes:
        return self._known().pack_quick_ack(token)

    def _begin(self) -> int:
        """Set the codec if the head tells which; return how much of the head that uses up."""
        name = detect(self._head)
        if name is None:
            return 0
        if name != "obfuscated":
            self.name = name
            end = SERVER_ENDS[name](random=self._random, max_packet=self._max_packet)
            self._codec = end
            return len(end.tag)
        name, dc_id, incoming, outgoing = read_opening(self._head[:INIT_SIZE], secret=self._secret)
        self.name, self.dc_id, self.obfuscated = name, dc_id, True
        end = SERVER_ENDS[name](random=self._random, max_packet=self._max_packet)
        self._codec = Obfuscated(end, incoming, outgoing)
        return INIT_SIZE

    def _known(self) -> Codec:
        if self._codec is None:
            raise LocalProtocolError("nothing can be sent before the client has sent something")
        return self._codec
