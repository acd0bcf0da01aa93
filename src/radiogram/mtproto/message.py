"""Layer 2: the message - its id, header, containers and compression.

Knows how one packet holds one message, and one message several.  Must not know what a message
means, nor which of them were sent or seen: sessions do.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from heapq import heappush, heappushpop
from struct import Struct
from typing import NamedTuple

from radiogram.crypto.keys import HEADER, AuthKey, unseal
from radiogram.errors import RemoteProtocolError, SecurityError

Random = Callable[[int], bytes]

MSG_CONTAINER = 0x73F1F8DC
GZIP_PACKED = 0x3072CFA1

MAX_PARTS = 1020
"""Messages that this side puts into one container; the peer refuses more than 1024."""
MAX_PARTS_ACCEPTED = 1024
MAX_CONTAINER = (1 << 20) - 4096
"""Bytes of messages that this side puts into one container, so that a packet stays below 1 MiB."""
MAX_IDS = 8192
"""Ids in one acknowledgement, state request or request to send again."""
MAX_INFLATED = 16 << 20
"""Bytes that one compressed body may inflate to."""
MAX_RATIO = 1032
"""Bytes that one byte of DEFLATE can inflate to."""

MIN_PADDING, MAX_PADDING = 12, 1024

PLAIN = Struct("<qqi")
ENVELOPE = Struct("<qqqii")
PART = Struct("<qii")
_CONTAINER_HEAD = Struct("<Ii")


class Envelope(NamedTuple):
    """One message as it came out of a packet, before anything in it was looked at."""

    salt: int
    session_id: int
    msg_id: int
    seq_no: int
    body: bytes
    quick_ack_token: int = 0


class Part(NamedTuple):
    """One message of a container."""

    msg_id: int
    seq_no: int
    body: bytes


# ── packets ──────────────────────────────────────────────────────────────────────────────────────


def pack_plain(msg_id: int, body: bytes) -> bytes:
    """Make the packet of an unencrypted message (A3.1)."""
    return PLAIN.pack(0, msg_id, len(body)) + body


def open_plain(packet: bytes) -> tuple[int, bytes]:
    """Return msg_id and body of an unencrypted message; padding of the transport is cut off.

    ``SecurityError`` if it is encrypted or its length is not that of a body.
    """
    if len(packet) < PLAIN.size:
        raise SecurityError(f"a packet of {len(packet)} bytes cannot be a plain message")
    key_id, msg_id, length = PLAIN.unpack_from(packet)
    if key_id:
        raise SecurityError("the packet belongs to an authorization key, it is not a plain message")
    if length < 0 or length % 4 or length > len(packet) - PLAIN.size:
        raise SecurityError(f"a plain message cannot have {length} bytes here")
    return msg_id, bytes(packet[PLAIN.size : PLAIN.size + length])


def open_envelope(auth_key: AuthKey, packet: bytes, *, from_client: bool) -> Envelope:
    """Decrypt a packet and check everything that does not depend on a session (A4.3).

    Up to 15 bytes behind the last block are the transport's padding and are cut off.
    ``SecurityError`` if any check fails.
    """
    spare = (len(packet) - HEADER) % 16
    if spare:
        packet = packet[:-spare]
    plaintext, token = unseal(auth_key, packet, from_client=from_client)
    salt, session_id, msg_id, seq_no, length = ENVELOPE.unpack_from(plaintext)
    padding = len(plaintext) - ENVELOPE.size - length
    if length < 0 or length % 4 or not MIN_PADDING <= padding <= MAX_PADDING:
        raise SecurityError(f"the message has {length} bytes and {padding} bytes of padding")
    end = ENVELOPE.size + length
    return Envelope(salt, session_id, msg_id, seq_no, plaintext[ENVELOPE.size : end], token)


# ── ids ──────────────────────────────────────────────────────────────────────────────────────────


def time_of(msg_id: int) -> float:
    """Return the unix time that a message id carries."""
    return msg_id / 4294967296


class MessageIds:
    """Gives out message ids: unix time times 2^32, strictly increasing, none of them twice.

    They are 2^-22 seconds apart, which is what a float tells of the time.  The bits below that
    count how often the clock was set back, so that no id of a time gone through twice is repeated.
    """

    __slots__ = ("_turn", "last")

    def __init__(self) -> None:
        self.last = 0
        """The last id given out, without its remainder."""
        self._turn = 0

    def next(self, now: float, remainder: int) -> int:
        """Return the next id; `remainder` modulo 4 tells who sends it, and what for (A4.5)."""
        msg_id = int(now * 4294967296) & -1024 | self._turn
        if msg_id <= self.last:
            msg_id = (self.last & -1024) + 1024 | self._turn
        self.last = msg_id
        return msg_id | remainder

    def turn_back(self, last: int) -> None:
        """Go on from a smaller id than the last one."""
        self.last = last
        self._turn = (self._turn + 4) % 1024


class SeenIds:
    """The window of received message ids, with the seq_no of each (A5.4).

    Once it is full the smallest id leaves; from then on nothing below the smallest one can be told
    from a repetition.
    """

    __slots__ = ("_capacity", "_heap", "floor", "highest", "seq_nos")

    def __init__(self, capacity: int = 1024) -> None:
        self._capacity = capacity
        self._heap: list[int] = []
        self.seq_nos: dict[int, int] = {}
        self.floor = 0
        """Nothing below this can be told from a repetition."""
        self.highest = 0

    def __contains__(self, msg_id: int) -> bool:
        return msg_id in self.seq_nos

    def add(self, msg_id: int, seq_no: int) -> int:
        """Remember an id that is neither known nor below the floor; return the one that had to go.

        That is 0 as long as there is room.
        """
        self.seq_nos[msg_id] = seq_no
        if msg_id > self.highest:  # noqa: PLR1730  (max() costs as much as all the rest)
            self.highest = msg_id
        heap = self._heap
        if len(heap) < self._capacity:
            heappush(heap, msg_id)
            if len(heap) == self._capacity:
                self.floor = heap[0]
            return 0
        gone = heappushpop(heap, msg_id)
        self.floor = heap[0]
        del self.seq_nos[gone]
        return gone


# ── containers ───────────────────────────────────────────────────────────────────────────────────


def join(parts: Sequence[Part]) -> bytes:
    """Make the body of a container; the parts are bare."""
    chunks = [_CONTAINER_HEAD.pack(MSG_CONTAINER, len(parts))]
    for msg_id, seq_no, body in parts:
        chunks.append(PART.pack(msg_id, seq_no, len(body)))
        chunks.append(body)
    return b"".join(chunks)


def part_count(body: bytes) -> int:
    """Return how many messages a container says it holds; -1 if it ends before saying so."""
    return int.from_bytes(body[4:8], "little") if len(body) >= 8 else -1


def split(body: bytes) -> list[Part]:
    """Take a container apart; ``RemoteProtocolError`` unless the lengths add up (A9.1)."""
    parts = []
    offset, end = 8, len(body)
    for _ in range(_checked_count(body)):
        if offset + PART.size > end:
            raise RemoteProtocolError("a container ends inside the header of a message")
        msg_id, seq_no, length = PART.unpack_from(body, offset)
        offset += PART.size
        if length < 0 or length % 4 or length > end - offset:
            raise RemoteProtocolError(f"a message in a container cannot have {length} bytes")
        parts.append(Part(msg_id, seq_no, body[offset : offset + length]))
        offset += length
    if offset != end:
        raise RemoteProtocolError(f"{end - offset} bytes behind the last message of a container")
    return parts


def _checked_count(body: bytes) -> int:
    count = part_count(body)
    if not 0 <= count <= MAX_PARTS_ACCEPTED:
        raise RemoteProtocolError(f"a container of {count} messages")
    return count


# ── compression ──────────────────────────────────────────────────────────────────────────────────

_SAMPLE = 1024
_LEVEL = 4
_LONGEST = (1 << 24) - 1
"""Bytes that a TL byte string can hold."""


def compress(body: bytes) -> bytes | None:
    """Return ``gzip_packed`` of a body, or None if that would not be smaller.

    A sample of a long body is tried first: media, which cannot be compressed, is most of what is
    long, and compressing it in vain is the largest cost of a transfer.
    """
    size = len(body)
    if size > _LONGEST:
        return None
    if size > 8 * _SAMPLE:
        middle = size // 2
        sample = body[middle : middle + _SAMPLE]
        if len(zlib.compress(sample, 1)) > _SAMPLE - _SAMPLE // 8:
            return None
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    packed = GZIP_PACKED.to_bytes(4, "little") + tl_bytes(packer.compress(body) + packer.flush())
    return packed if len(packed) < size else None


def inflate(body: bytes, *, limit: int = MAX_INFLATED) -> bytes:
    """Return what a ``gzip_packed`` body holds.

    ``RemoteProtocolError`` if it is damaged, or would be larger than `limit` bytes.
    """
    packed = _unpack_bytes(body)
    stream = zlib.decompressobj(47)  # gzip, and zlib's own format, which mtcute packs requests in
    try:
        data = stream.decompress(packed, limit + 1)
    except zlib.error as error:
        raise RemoteProtocolError(f"a compressed body cannot be inflated: {error}") from None
    if len(data) > limit:
        raise RemoteProtocolError(f"a compressed body inflates to more than {limit} bytes")
    if not stream.eof:
        raise RemoteProtocolError("a compressed body ends too early")
    return data


def tl_bytes(data: bytes) -> bytes:
    """Write a TL byte string."""
    size = len(data)
    head = bytes([size]) if size < 254 else b"\xfe" + size.to_bytes(3, "little")
    return b"".join((head, data, bytes(-(len(head) + size) % 4)))


def _unpack_bytes(body: bytes) -> memoryview:
    view = memoryview(body)
    if len(body) >= 8 and body[4] == 254:
        start, length = 8, int.from_bytes(body[5:8], "little")
    elif len(body) >= 8 and body[4] < 254:
        start, length = 5, body[4]
    else:
        raise RemoteProtocolError("a compressed body has no length")
    end = start + length
    if len(body) != end + -end % 4:
        raise RemoteProtocolError(f"a compressed body of {length} bytes in {len(body)}")
    return view[start:end]
