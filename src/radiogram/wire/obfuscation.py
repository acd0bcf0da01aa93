"""Layer 1, bytes <-> packets: the obfuscated transport (A1.8, A1.9).

Knows the 64 bytes that open an obfuscated connection and the keystreams that follow from them.
Must not know the framing that runs inside, beyond its tag.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct

from radiogram.crypto.aes import Ctr
from radiogram.errors import FramingError, LocalProtocolError
from radiogram.wire.base import Buffer, Codec, Frame, Random

INIT_SIZE = 64
TAGS = {
    b"\xef\xef\xef\xef": "abridged",
    b"\xee\xee\xee\xee": "intermediate",
    b"\xdd\xdd\xdd\xdd": "padded",
}
"""What bytes 56 to 59 of the opening say, deciphered."""

# Openings that would be taken for another transport, for HTTP or for TLS.
_RESERVED = (b"HEAD", b"POST", b"GET ", b"OPTI", b"\xee" * 4, b"\xdd" * 4, b"\x16\x03\x01\x02")
_DRAWS = 64
_I16 = Struct("<h")


class Obfuscated:
    """A codec within two keystreams, one for each direction."""

    def __init__(self, inner: Codec, incoming: Ctr, outgoing: Ctr, opening: bytes = b"") -> None:
        """Wrap ``inner``; a client passes the ``opening`` to send before its first packet."""
        self._inner = inner
        self._incoming = incoming
        self._outgoing = outgoing
        self._opening = opening

    @property
    def broken(self) -> bool:
        return self._inner.broken

    @property
    def ready(self) -> bool:
        return True

    def outgoing(self) -> bytes:
        return b""

    def farewell(self) -> bytes:
        return b""

    def feed(self, data: Buffer) -> list[Frame]:
        return self._inner.feed(self._incoming.process(data))

    def pack(self, payload: bytes, *, quick_ack: bool = False) -> bytes:
        frame = self._outgoing.process(self._inner.pack(payload, quick_ack=quick_ack))
        if self._opening:
            frame = self._opening + frame
            self._opening = b""
        return frame

    def pack_error(self, code: int) -> bytes:
        return self._outgoing.process(self._inner.pack_error(code))

    def pack_quick_ack(self, token: int) -> bytes:
        return self._outgoing.process(self._inner.pack_quick_ack(token))


def make_opening(name: str, *, dc_id: int, secret: bytes, random: Random) -> tuple[bytes, Ctr, Ctr]:
    """Return the 64 bytes with which a client opens, and its incoming and outgoing keystream.

    ``dc_id`` is the number that a proxy wants to know (10000 more for a test DC, negative for
    media); with 0 nothing is said.  ``secret`` is a proxy's, 16 bytes or none.
    """
    tag = next(tag for tag, other in TAGS.items() if other == name)
    for _ in range(_DRAWS):
        init = bytearray(random(INIT_SIZE))
        if init[0] != 0xEF and bytes(init[:4]) not in _RESERVED and any(init[4:8]):
            break
    else:
        raise LocalProtocolError("the source of randomness gives only reserved openings")
    init[56:60] = tag
    if dc_id:
        init[60:62] = _I16.pack(dc_id)
    # The keys are taken before the tag is hidden, and do not reach that far.
    outgoing, incoming = _streams(bytes(init), secret)
    hidden = outgoing.process(init)
    return bytes(init[:56]) + hidden[56:], incoming, outgoing


def read_opening(init: bytes, *, secret: bytes) -> tuple[str, int, Ctr, Ctr]:
    """Return what a client's 64 bytes say to a server: the inner transport and the DC.

    Then the incoming and the outgoing keystream.  ``FramingError`` for an unknown transport.
    """
    incoming, outgoing = _streams(init, secret)
    plain = incoming.process(init)
    name = TAGS.get(plain[56:60])
    if name is None:
        raise FramingError("the connection opens with no transport that is known")
    return name, _I16.unpack_from(plain, 60)[0], incoming, outgoing


def _streams(init: bytes, secret: bytes) -> tuple[Ctr, Ctr]:
    """Return the keystream from client to server and the one back."""

    def stream(source: bytes) -> Ctr:
        key = source[8:40]
        return Ctr(sha256(key + secret).digest() if secret else key, source[40:56])

    return stream(init), stream(init[::-1])
