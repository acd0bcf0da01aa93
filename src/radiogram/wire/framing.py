"""Layer 1, bytes <-> packets: abridged, intermediate, padded intermediate and full (A1.3).

Knows where a packet begins and ends, for either end of a connection.  Must not know what is in
one; only the padded transport looks at a payload's first bytes, to find the end of the payload.

Theory of operation.  A framing says by ``_size`` how many bytes the frame at hand takes, as far as
the bytes at hand can tell: the size of its head while that is incomplete, afterwards the size of
the whole.  :meth:`Framing.feed` compares that with what it has, and nothing else decides whether a
frame is complete.  Until then bytes wait in one buffer, and no byte is looked at again before
there are as many as were asked for: so feeding costs the same however small the pieces are.  A
length that is not allowed is refused as soon as the head is there, so that the buffer never holds
more than one packet of the allowed size and one piece.

A kind of framing and an end of the connection are two halves of a class: ``Abridged`` knows
lengths, ``ServerEnd`` knows that the top bit of a length asks for a quick acknowledgement, and
``ClientEnd`` that it is one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from struct import Struct
from typing import ClassVar
from zlib import crc32

from radiogram.errors import FramingError, LocalProtocolError
from radiogram.wire.base import Buffer, ErrorCode, Frame, Packet, QuickAck, Random

FLAG = 0x80000000
"""The bit of a length, or of a token, that speaks of quick acknowledgement (A1.6)."""

View = bytes | memoryview

_U32 = Struct("<I")
_I32 = Struct("<i")
_TWO_U32 = Struct("<II")
_MOST_PADDING = 15
_PLAIN_HEAD = 20
"""The smallest payload, a plain message without a body: key id, msg_id and length (A3.1)."""
_SEALED_HEAD = 24
_NO_KEY = bytes(8)
_CODES = range(-999, -1)
"""Transport errors; -1 is no such thing, since it opens the packet of a token."""


class Framing(ABC):
    """What all framings share: the cutting of a stream, and the checks of what is sent."""

    name: ClassVar[str]
    tag: ClassVar[bytes]
    """What a client sends first to name the transport."""
    most: ClassVar[int] = (1 << 31) - 32
    """The largest payload whose length can be written."""
    receives_tokens: ClassVar[bool]
    """Whether a set top bit marks a token that stands alone, rather than a wish for one."""

    def __init__(self, *, random: Random, max_packet: int) -> None:
        self._random = random
        self._max_packet = min(max_packet, self.most)
        self._buffer = bytearray()
        self._need = 0
        self._failure = ""

    @property
    def broken(self) -> bool:
        return bool(self._failure)

    @property
    def ready(self) -> bool:
        return True

    def outgoing(self) -> bytes:
        return b""

    def farewell(self) -> bytes:
        return b""

    def feed(self, data: Buffer) -> list[Frame]:
        if self._failure:
            raise FramingError(self._failure)
        buffer = self._buffer
        if buffer:
            buffer += data
            if len(buffer) < self._need:
                return []
            data = buffer
        frames: list[Frame] = []
        start, end = 0, len(data)
        # Slices of bytes are payloads as they are; of anything else a view spares a copy.
        view = data if type(data) is bytes else memoryview(data)
        try:
            while start < end:
                size = self._size(view, start, end - start)
                if size > end - start:
                    self._need = size
                    break
                frames.append(self._open(view, start, size))
                start += size
            if data is not buffer and start < end:
                buffer += view[start:]
        except FramingError as error:
            self._failure = str(error)
            if not frames:
                raise
            start = end
        finally:
            if type(view) is memoryview:
                view.release()  # else the buffer could not change its size
        if data is buffer:
            del buffer[:start]
        return frames

    @abstractmethod
    def _size(self, view: View, start: int, available: int) -> int:
        """Return how many bytes the frame at ``start`` takes; at least one is available."""

    @abstractmethod
    def _open(self, view: View, start: int, size: int) -> Frame:
        """Return the frame in those bytes, which are all there."""

    @abstractmethod
    def _wrap(self, payload: bytes, *, flagged: bool = False) -> bytes:
        """Return the frame that carries a payload."""

    @abstractmethod
    def _token(self, token: int) -> bytes:
        """Return the frame that is a quick acknowledgement."""

    @abstractmethod
    def _received(self, payload: bytes, *, flagged: bool) -> Frame:
        """Return what a payload means to this end of the connection."""

    def _allowed(self, length: int) -> int:
        """Return a declared length of a payload if it is allowed, before it is waited for."""
        if length <= 0 or length & 3 or length > self._max_packet:
            raise FramingError(f"a packet of {length} bytes is not allowed ({self.name})")
        return length

    def _sendable(self, payload: bytes) -> bytes:
        length = len(payload)
        if not length or length & 3 or length > self._max_packet:
            raise LocalProtocolError(f"a packet of {length} bytes cannot be sent ({self.name})")
        return payload


class Abridged(Framing):
    """The length in words: one byte, or ``7f`` and three."""

    name = "abridged"
    tag = b"\xef"
    most = (1 << 26) - 4

    def _size(self, view: View, start: int, available: int) -> int:
        first = view[start]
        if first & 0x80 and self.receives_tokens:
            return 4
        words = first & 0x7F
        if words < 0x7F:
            return 1 + self._allowed(words * 4)
        if available < 4:
            return 4
        return 4 + self._allowed((_U32.unpack_from(view, start)[0] >> 8) * 4)

    def _open(self, view: View, start: int, size: int) -> Frame:
        first = view[start]
        flagged = first & 0x80 != 0
        if flagged and self.receives_tokens:
            return QuickAck(int.from_bytes(view[start : start + 4], "big"))
        head = 1 if first & 0x7F < 0x7F else 4
        return self._received(bytes(view[start + head : start + size]), flagged=flagged)

    def _wrap(self, payload: bytes, *, flagged: bool = False) -> bytes:
        words = len(payload) >> 2
        bit = 0x80 if flagged else 0
        if words < 0x7F:
            return bytes((words | bit,)) + payload
        return _U32.pack(words << 8 | 0x7F | bit) + payload

    def _token(self, token: int) -> bytes:
        # Reversed, so that the byte with the flag comes first, where a length would be.
        return token.to_bytes(4, "big")


class Intermediate(Framing):
    """The length in bytes, in four bytes."""

    name = "intermediate"
    tag = b"\xee\xee\xee\xee"

    def _size(self, view: View, start: int, available: int) -> int:
        if available < 4:
            return 4
        length: int = _U32.unpack_from(view, start)[0]
        if length & FLAG:
            if self.receives_tokens:
                return 4
            length ^= FLAG
        return 4 + self._allowed(length)

    def _open(self, view: View, start: int, size: int) -> Frame:
        length: int = _U32.unpack_from(view, start)[0]
        flagged = length & FLAG != 0
        if flagged and self.receives_tokens:
            return QuickAck(length)
        return self._received(bytes(view[start + 4 : start + size]), flagged=flagged)

    def _wrap(self, payload: bytes, *, flagged: bool = False) -> bytes:
        return _U32.pack(len(payload) | FLAG if flagged else len(payload)) + payload

    def _token(self, token: int) -> bytes:
        return _U32.pack(token)


class Padded(Intermediate):
    """As intermediate, with up to 15 random bytes behind the payload, counted in the length."""

    name = "padded"
    tag = b"\xdd\xdd\xdd\xdd"
    most_padding = _MOST_PADDING
    """Bytes that this end adds at most."""

    def _allowed(self, length: int) -> int:
        if not 4 <= length <= self._max_packet + _MOST_PADDING:
            raise FramingError(f"a packet of {length} bytes is not allowed ({self.name})")
        return length

    def _wrap(self, payload: bytes, *, flagged: bool = False) -> bytes:
        return super()._wrap(self._padded(payload, self.most_padding), flagged=flagged)

    def _token(self, token: int) -> bytes:
        # Here a token is a packet of its own; a whole one stays within 16 bytes (A1.7).
        return super()._wrap(self._padded(_TWO_U32.pack(0xFFFFFFFF, token), 8))

    def _padded(self, payload: bytes, most: int) -> bytes:
        noise = self._random(1 + most)
        return payload + noise[1 : 1 + noise[0] % (1 + most)]

    def _open(self, view: View, start: int, size: int) -> Frame:
        return super()._open(view, start, 4 + _without_padding(view, start + 4, size - 4))


def _without_padding(view: View, start: int, size: int) -> int:
    """Return the size of a payload: nothing but itself tells how much padding follows."""
    if size >= _PLAIN_HEAD and view[start : start + 8] == _NO_KEY:
        end = _PLAIN_HEAD + int(_U32.unpack_from(view, start + 16)[0])
        return end if size - _MOST_PADDING <= end < size else size
    if size >= _SEALED_HEAD:
        return size - (size - _SEALED_HEAD) % 16
    return size


class Full(Framing):
    """Length, number and checksum: the numbers of each direction count from 0 (A1.3, A1.4)."""

    name = "full"
    tag = b""

    def __init__(self, *, random: Random, max_packet: int) -> None:
        super().__init__(random=random, max_packet=max_packet)
        self._incoming = 0
        self._outgoing = 0

    def _size(self, view: View, start: int, available: int) -> int:
        if available < 4:
            return 4
        return 12 + self._allowed(_U32.unpack_from(view, start)[0] - 12)

    def _open(self, view: View, start: int, size: int) -> Frame:
        end = start + size - 4
        if _U32.unpack_from(view, end)[0] != crc32(view[start:end]):
            raise FramingError("the checksum of a packet is wrong (full)")
        number: int = _U32.unpack_from(view, start + 4)[0]
        if number != self._incoming:
            raise FramingError(f"packet {number} came where {self._incoming} was due (full)")
        self._incoming = number + 1 & 0xFFFFFFFF
        return self._received(bytes(view[start + 8 : end]), flagged=False)

    def _wrap(self, payload: bytes, *, flagged: bool = False) -> bytes:
        if flagged:
            raise LocalProtocolError("the full transport has no quick acknowledgements")
        body = _TWO_U32.pack(len(payload) + 12, self._outgoing) + payload
        self._outgoing = self._outgoing + 1 & 0xFFFFFFFF
        return body + _U32.pack(crc32(body))

    def _token(self, token: int) -> bytes:
        raise LocalProtocolError("the full transport has no quick acknowledgements")


class ServerEnd(Framing):
    """The end that answers: it reads wishes for quick acknowledgement, and sends them."""

    receives_tokens = False

    def pack(self, payload: bytes, *, quick_ack: bool = False) -> bytes:
        if quick_ack:
            raise LocalProtocolError("only a client asks for quick acknowledgement")
        return self._wrap(self._sendable(payload))

    def pack_error(self, code: int) -> bytes:
        if code not in _CODES:
            raise LocalProtocolError(f"{code} is no transport error")
        return self._wrap(_I32.pack(code))

    def pack_quick_ack(self, token: int) -> bytes:
        return self._token(token)

    def _received(self, payload: bytes, *, flagged: bool) -> Frame:
        return Packet(payload, flagged)


class ClientEnd(Framing):
    """The end that begins: it names the transport, and reads errors and tokens."""

    receives_tokens = True

    def __init__(self, *, random: Random, max_packet: int, named: bool = True) -> None:
        """Start without the name of the transport if somebody else sends it."""
        super().__init__(random=random, max_packet=max_packet)
        self._opening = self.tag if named else b""

    def pack(self, payload: bytes, *, quick_ack: bool = False) -> bytes:
        frame = self._wrap(self._sendable(payload), flagged=quick_ack)
        if self._opening:
            frame = self._opening + frame
            self._opening = b""
        return frame

    def pack_error(self, code: int) -> bytes:
        raise LocalProtocolError("only a server sends transport errors")

    def pack_quick_ack(self, token: int) -> bytes:
        raise LocalProtocolError("only a server sends quick acknowledgements")

    def _received(self, payload: bytes, *, flagged: bool) -> Frame:
        if len(payload) == 4:
            return ErrorCode(_I32.unpack(payload)[0])
        return Packet(payload)


class _AbridgedServer(Abridged, ServerEnd):
    pass


class _AbridgedClient(Abridged, ClientEnd):
    pass


class _IntermediateServer(Intermediate, ServerEnd):
    pass


class _IntermediateClient(Intermediate, ClientEnd):
    pass


class _PaddedServer(Padded, ServerEnd):
    pass


class _PaddedClient(Padded, ClientEnd):
    def _received(self, payload: bytes, *, flagged: bool) -> Frame:
        # Errors and tokens are padded too; neither can be as long as the shortest message.
        if len(payload) >= _PLAIN_HEAD:
            return super()._received(payload, flagged=flagged)
        code: int = _I32.unpack_from(payload)[0]
        if code == -1 and len(payload) >= 8:
            return QuickAck(_U32.unpack_from(payload, 4)[0])
        return ErrorCode(code)


class _FullServer(Full, ServerEnd):
    pass


class _FullClient(Full, ClientEnd):
    # Some servers put the bare code where the length would be.
    def _size(self, view: View, start: int, available: int) -> int:
        if available >= 4 and _I32.unpack_from(view, start)[0] in _CODES:
            return 4
        return super()._size(view, start, available)

    def _open(self, view: View, start: int, size: int) -> Frame:
        if size == 4:
            return ErrorCode(_I32.unpack_from(view, start)[0])
        return super()._open(view, start, size)


SERVER_ENDS: dict[str, type[ServerEnd]] = {
    "abridged": _AbridgedServer,
    "intermediate": _IntermediateServer,
    "padded": _PaddedServer,
    "full": _FullServer,
}
CLIENT_ENDS: dict[str, type[ClientEnd]] = {
    "abridged": _AbridgedClient,
    "intermediate": _IntermediateClient,
    "padded": _PaddedClient,
    "full": _FullClient,
}
