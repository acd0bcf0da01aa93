"""Layer 1, bytes <-> packets: what looks like TLS 1.3, as MTProxy's ``ee`` secrets want it.

Knows the two hellos, the proof of the secret that hides in their random numbers, and the records
that carry data. It protects nothing: what runs inside is obfuscated, and MTProto below that.

Theory of operation. The client's hello is an ordinary one, except that its 32 random bytes are an
HMAC of the whole hello under the secret, the last four mixed with the time. The server answers with
a hello whose random bytes are an HMAC over the client's and the whole answer. Then both send
records of "application data". Whoever does not know the secret can neither make a hello that is
accepted, nor use one again: a hello counts for as long as its time is near enough to the server's,
and :class:`Replays` remembers each for that long.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterator
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from radiogram.wire.base import Buffer, Random

MAX_SKEW = 120.0
"""Seconds by which the clock of a client may differ."""
REMEMBERED = 1 << 16
"""Hellos that are remembered at most; with more in MAX_SKEW, new ones are refused."""
MAX_HELLO = 4096
"""Bytes of a client's hello."""
MAX_ANSWER = 64 * 1024
"""Bytes of a server's answer."""
HELLO_SIZE = 517
"""Bytes that many browsers pad their hello to."""
MAX_RECORD = (1 << 14) + 256
MAX_EMPTY = 64
"""Records without data that may follow one another."""

CHANGE_CIPHER, ALERT, HANDSHAKE, DATA = 0x14, 0x15, 0x16, 0x17
CHANGE = bytes.fromhex("140303000101")
_HEAD = 5
_RANDOM = slice(11, 43)
"""Where the random bytes of a hello are: behind the heads of record and message, and a version."""
_CIPHERS = (0x1301, 0x1302, 0x1303)
_CLIENT_PIECE, _SERVER_PIECE = 2878, 1 << 14
"""Largest record that either end sends."""


class Replays:
    """Remembers which hellos were used, for as long as they could be used again. Bounded."""

    def __init__(self, *, remembered: int = REMEMBERED) -> None:
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._remembered = remembered

    def first_time(self, hello: bytes, *, now: float) -> bool:
        """Note a hello's random bytes; False if they were seen, or too much is going on."""
        seen = self._seen
        while seen and next(iter(seen.values())) < now:
            seen.popitem(last=False)
        if hello in seen or len(seen) >= self._remembered:
            return False
        seen[hello] = now + 2 * MAX_SKEW
        return True


class _FakeTls:
    """What both ends share: records, once the hellos are exchanged."""

    piece: int

    def __init__(self) -> None:
        self.ready = False
        self.failure = ""
        self._buffer = bytearray()
        self._out = b""
        self._empty = 0

    def receive(self, data: Buffer) -> bytes:
        if self.failure:
            return b""
        self._buffer += data
        if not self.ready:
            self._greet()
        return self._records() if self.ready else b""

    def wrap(self, data: bytes) -> bytes:
        pieces = [data[at : at + self.piece] for at in range(0, len(data), self.piece)]
        return b"".join(_record(DATA, piece) for piece in pieces)

    def outgoing(self) -> bytes:
        out, self._out = self._out, b""
        return out

    def farewell(self) -> bytes:
        return b""

    def _greet(self) -> None:
        raise NotImplementedError

    def _records(self) -> bytes:
        """Cut whole records off the buffer and return what is in them."""
        buffer, at, inside = self._buffer, 0, []
        while len(buffer) - at >= _HEAD:
            kind, size = buffer[at], int.from_bytes(buffer[at + 3 : at + 5], "big")
            if buffer[at + 1 : at + 3] != b"\x03\x03" or kind not in {CHANGE_CIPHER, DATA}:
                self.failure = f"a record of type {kind} is not expected within fake TLS"
                break
            if size > MAX_RECORD or (kind == CHANGE_CIPHER and size != 1):
                self.failure = f"a record of {size} bytes is not allowed within fake TLS"
                break
            if len(buffer) - at < _HEAD + size:
                break
            if kind == DATA and size:
                inside.append(bytes(buffer[at + _HEAD : at + _HEAD + size]))
                self._empty = 0
            else:
                self._empty += 1
                if self._empty > MAX_EMPTY:
                    self.failure = "nothing but empty records within fake TLS"
                    break
            at += _HEAD + size
        del buffer[:at]
        return b"".join(inside)


class FakeTlsServer(_FakeTls):
    """The server's end: accepts only whoever knows the secret."""

    piece = _SERVER_PIECE

    def __init__(
        self,
        key: bytes,
        *,
        domain: str = "",
        random: Random,
        now: Callable[[], float],
        replays: Replays,
    ) -> None:
        """Wait for a hello; with a `domain`, for one that names it."""
        super().__init__()
        self._key = key
        self._domain = domain
        self._random = random
        self._now = now
        self._replays = replays

    def _greet(self) -> None:
        buffer = self._buffer
        if len(buffer) < _HEAD:
            return
        size = _HEAD + int.from_bytes(buffer[3:5], "big")
        if buffer[:2] != b"\x16\x03" or not 43 <= size <= MAX_HELLO:
            self.failure = "this is no hello of a TLS client"
            return
        if len(buffer) < size:
            return
        hello = bytes(buffer[:size])
        del buffer[:size]
        try:
            session_id, cipher, domain = read_client_hello(hello)
        except ValueError as error:
            self.failure = f"this is no hello of a TLS client: {error}"
            return
        self.failure = self._judge(hello, domain)
        if not self.failure:
            self._out = self._answer(hello[_RANDOM], session_id, cipher)
            self.ready = True

    def _judge(self, hello: bytes, domain: str) -> str:
        random, now = hello[_RANDOM], self._now()
        proof = _proof(self._key, b"", hello)
        if not hmac.compare_digest(proof[:28], random[:28]):
            return "the hello of a TLS client was not made with the secret"
        time = int.from_bytes(_xor(proof[28:], random[28:]), "little")
        if abs(time - now) > MAX_SKEW:
            return f"the clock of a TLS client is {time - now:+.0f} seconds off"
        if self._domain and domain != self._domain:
            return f"the hello of a TLS client is for {domain!r}, not for {self._domain!r}"
        if not self._replays.first_time(random, now=now):
            return "the hello of a TLS client was seen before"
        return ""

    def _answer(self, client_random: bytes, session_id: bytes, cipher: int) -> bytes:
        random = self._random
        body = b"\x03\x03" + bytes(32) + bytes([len(session_id)]) + session_id
        body += cipher.to_bytes(2, "big") + b"\0"
        body += _sized(2, _extension(0x33, b"\0\x1d" + _sized(2, _public_key(random)))
                       + _extension(0x2B, b"\x03\x04"))  # fmt: skip
        hello = _record(HANDSHAKE, b"\x02" + _sized(3, body))
        # What a real server would send encrypted: its certificate and the like.
        noise = random(1024 + int.from_bytes(random(2), "big") % 3072)
        packet = hello + CHANGE + _record(DATA, noise)
        proof = _proof(self._key, client_random, packet)
        return packet[: _RANDOM.start] + proof + packet[_RANDOM.stop :]


class FakeTlsClient(_FakeTls):
    """The client's end: claims to want ``domain``, and believes only who knows the secret."""

    piece = _CLIENT_PIECE

    def __init__(
        self, key: bytes, domain: str, *, random: Random, now: Callable[[], float]
    ) -> None:
        super().__init__()
        self._key = key
        self._out = make_client_hello(key, domain, random=random, now=now())
        self._client_random = self._out[_RANDOM]
        self._changed = False

    def wrap(self, data: bytes) -> bytes:
        records = super().wrap(data)
        if records and not self._changed:
            self._changed = True
            return CHANGE + records
        return records

    def _greet(self) -> None:
        buffer = self._buffer
        end, wanted = 0, HANDSHAKE
        while True:
            if len(buffer) - end < _HEAD:
                return
            kind, size = buffer[end], int.from_bytes(buffer[end + 3 : end + 5], "big")
            if end and wanted == HANDSHAKE and kind == CHANGE_CIPHER:
                wanted = CHANGE_CIPHER
            if kind != wanted or buffer[end + 1 : end + 3] != b"\x03\x03":
                self.failure = "the answer is not that of a TLS server: is this an MTProxy?"
                return
            if size > MAX_RECORD or end + _HEAD + size > MAX_ANSWER:
                self.failure = "the answer of the TLS server is too long"
                return
            if len(buffer) - end < _HEAD + size:
                return
            end += _HEAD + size
            if kind == DATA:
                break
            if kind == CHANGE_CIPHER:
                wanted = DATA
        packet = bytes(buffer[:end])
        del buffer[:end]
        proof = _proof(self._key, self._client_random, packet)
        if len(packet) < _RANDOM.stop or not hmac.compare_digest(proof, packet[_RANDOM]):
            self.failure = (
                "the TLS server does not know the secret: it is wrong, or this is no MTProxy"
            )
            return
        self.ready = True


def make_client_hello(key: bytes, domain: str, *, random: Random, now: float) -> bytes:
    """Return a hello for a domain that proves the knowledge of the secret."""
    greases = [bytes([byte & 0xF0 | 0x0A] * 2) for byte in random(5)]
    ciphers = greases[0] + bytes.fromhex(
        "130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035"
    )
    share = greases[1] + b"\0\x01\0" + b"\0\x1d" + _sized(2, _public_key(random))
    name = domain.encode("ascii")
    extensions = (
        _extension(int.from_bytes(greases[2], "big"), b"")
        + _extension(0x00, _sized(2, b"\0" + _sized(2, name)))
        + _extension(0x17, b"")
        + _extension(0xFF01, b"\0")
        + _extension(0x0A, _sized(2, greases[1] + bytes.fromhex("001d00170018")))
        + _extension(0x0B, b"\x01\0")
        + _extension(0x23, b"")
        + _extension(0x10, _sized(2, _sized(1, b"h2") + _sized(1, b"http/1.1")))
        + _extension(0x05, b"\x01\0\0\0\0")
        + _extension(0x0D, _sized(2, bytes.fromhex("04030804040105030805050108060601")))
        + _extension(0x12, b"")
        + _extension(0x33, _sized(2, share))
        + _extension(0x2D, b"\x01\x01")
        + _extension(0x2B, _sized(1, greases[3] + bytes.fromhex("03040303")))
        + _extension(0x1B, b"\x02\0\x02")
        + _extension(int.from_bytes(_other(greases[4], greases[2]), "big"), b"\0")
    )
    start = b"\x03\x03" + bytes(32) + _sized(1, random(32)) + _sized(2, ciphers) + b"\x01\0"
    missing = HELLO_SIZE - _HEAD - 4 - len(start) - 2 - len(extensions) - 4
    if missing >= 0:
        extensions += _extension(0x15, bytes(missing))
    message = b"\x01" + _sized(3, start + _sized(2, extensions))
    hello = b"\x16\x03\x01" + _sized(2, message)
    proof = _proof(key, b"", hello)
    time = (int(now) & 0xFFFFFFFF).to_bytes(4, "little")
    return hello[: _RANDOM.start] + proof[:28] + _xor(proof[28:], time) + hello[_RANDOM.stop :]


def read_client_hello(record: bytes) -> tuple[bytes, int, str]:
    """Return session id, the first cipher of TLS 1.3 and the domain of a whole hello record.

    The domain is empty if none is named. Raises ValueError.
    """
    cursor = _Cursor(record, _HEAD)
    if cursor.take(1) != b"\x01":
        raise ValueError("another message")
    body = _Cursor(cursor.sized(3))
    cursor.end()
    body.take(2 + 32)
    session_id = body.sized(1)
    if len(session_id) > 32:
        raise ValueError("a long session id")
    offered = body.sized(2)
    ciphers = {int.from_bytes(offered[at : at + 2], "big") for at in range(0, len(offered), 2)}
    cipher = next((one for one in _CIPHERS if one in ciphers), None)
    if cipher is None:
        raise ValueError("no TLS 1.3")
    body.sized(1)
    extensions = _Cursor(body.sized(2))
    body.end()
    domain = ""
    for kind, content in extensions.extensions():
        if kind == 0:
            names = _Cursor(_Cursor(content).sized(2))
            if names.take(1) == b"\0":
                domain = names.sized(2).decode("ascii")  # UnicodeDecodeError is a ValueError
    return session_id, cipher, domain


class _Cursor:
    """Reads fields of TLS; ValueError beyond the end."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    def take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise ValueError("it ends too early")
        return self._data[start : self._at]

    def sized(self, width: int) -> bytes:
        return self.take(int.from_bytes(self.take(width), "big"))

    def end(self) -> None:
        if self._at != len(self._data):
            raise ValueError("something follows its end")

    def extensions(self) -> Iterator[tuple[int, bytes]]:
        while self._at < len(self._data):
            yield int.from_bytes(self.take(2), "big"), self.sized(2)


def _proof(key: bytes, before: bytes, packet: bytes) -> bytes:
    """Return the HMAC of a packet whose own random bytes count as zeros."""
    blank = packet[: _RANDOM.start] + bytes(32) + packet[_RANDOM.stop :]
    return hmac.digest(key, before + blank, sha256)


def _public_key(random: Random) -> bytes:
    """Return a point of the curve, as a real hello has; nobody will use it."""
    return X25519PrivateKey.from_private_bytes(random(32)).public_key().public_bytes_raw()


def _other(grease: bytes, than: bytes) -> bytes:
    """Return a reserved number that is not `than`: no extension stands there twice."""
    return bytes([grease[0] ^ 0x10] * 2) if grease == than else grease


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _sized(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + _sized(2, data)


def _record(kind: int, data: bytes) -> bytes:
    return bytes([kind]) + b"\x03\x03" + _sized(2, data)
