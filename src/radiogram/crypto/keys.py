"""Layer 0: the authorization key, and the keys of messages that derive from it.

Knows how a packet is sealed and opened (MTProto 2.0), and how the key exchange makes its
temporary keys and hashes.  Knows nothing of what a message contains, and keeps no state.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, NamedTuple

from radiogram.crypto.aes import ige_decrypt, ige_encrypt
from radiogram.errors import SecurityError

if TYPE_CHECKING:
    from hashlib import _Hash

Random = Callable[[int], bytes]

KEY_SIZE = 256
HEADER = 24
"""Bytes before the encrypted part of a packet: the key id (8) and the message key (16)."""
MIN_PADDING = 12
MIN_SEALED = 48
"""The smallest encrypted part: 32 bytes of message header and padding to whole blocks."""


class _Direction:
    """What every packet of one direction takes from the authorization key.

    The hashes are kept with the key's part already in them: copying one is cheaper than starting
    anew, and spares joining a large message to its prefix.
    """

    __slots__ = ("head", "large", "tail")

    def __init__(self, data: bytes, x: int) -> None:
        self.tail = data[x : x + 36]
        self.head: _Hash = sha256(data[40 + x : 76 + x])
        self.large: _Hash = sha256(data[88 + x : 120 + x])

    def msg_key_large(self, padded: bytes) -> bytes:
        digest = self.large.copy()
        digest.update(padded)
        return digest.digest()

    def derive(self, msg_key: bytes) -> tuple[bytes, bytes]:
        a = sha256(msg_key + self.tail).digest()
        digest = self.head.copy()
        digest.update(msg_key)
        b = digest.digest()
        return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


@dataclass(frozen=True, slots=True)
class AuthKey:
    """An authorization key: 256 bytes shared by one client and the server (A3.12)."""

    data: bytes = field(repr=False)
    """The key itself, big-endian as it comes from the key exchange."""
    key_id: bytes = field(init=False, compare=False)
    """The 8 bytes that open every packet sealed with this key."""
    id: int = field(init=False, repr=False, compare=False)
    """``key_id`` as an unsigned number."""
    aux_hash: bytes = field(init=False, repr=False, compare=False)
    """The 8 bytes by which the key exchange speaks of a key."""
    client: _Direction = field(init=False, repr=False, compare=False)
    server: _Direction = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.data) != KEY_SIZE or not any(self.data):
            raise ValueError(f"an authorization key is {KEY_SIZE} bytes, not all of them zero")
        digest = sha1(self.data).digest()
        put = object.__setattr__
        put(self, "data", bytes(self.data))
        put(self, "key_id", digest[12:])
        put(self, "id", int.from_bytes(digest[12:], "little"))
        put(self, "aux_hash", digest[:8])
        put(self, "client", _Direction(self.data, 0))
        put(self, "server", _Direction(self.data, 8))

    def __reduce__(self) -> tuple[type[AuthKey], tuple[bytes]]:
        # Begun hashes cannot be pickled or copied deeply, and need not be.
        return AuthKey, (self.data,)


class Sealed(NamedTuple):
    """What a packet held."""

    plaintext: bytes
    """The message with its header and padding."""
    quick_ack_token: int
    """What a quick acknowledgement of this packet says: 32 bits, the highest set (A1.7)."""


def seal(auth_key: AuthKey, plaintext: bytes, *, from_client: bool, random: Random) -> bytes:
    """Pad and encrypt one message into a packet (A4.1, A4.2).

    The padding is the least that is allowed: 12 to 27 bytes, up to a whole block.
    """
    direction = auth_key.client if from_client else auth_key.server
    padded = plaintext + random(MIN_PADDING + -(len(plaintext) + MIN_PADDING) % 16)
    msg_key = direction.msg_key_large(padded)[8:24]
    key, iv = direction.derive(msg_key)
    return auth_key.key_id + msg_key + ige_encrypt(padded, key, iv)


def unseal(auth_key: AuthKey, packet: bytes, *, from_client: bool) -> Sealed:
    """Decrypt a packet and check that it was sealed with this key, for this direction (A4.3).

    ``SecurityError`` if it was not.  The length inside the message is not looked at: that and
    the amount of padding are for whoever reads the header.
    """
    size = len(packet) - HEADER
    if size < MIN_SEALED or size % 16:
        raise SecurityError(f"a packet of {len(packet)} bytes cannot be an encrypted message")
    if packet[:8] != auth_key.key_id:
        raise SecurityError("the packet belongs to another authorization key")
    direction = auth_key.client if from_client else auth_key.server
    msg_key = packet[8:HEADER]
    key, iv = direction.derive(msg_key)
    plaintext = ige_decrypt(packet[HEADER:], key, iv)
    large = direction.msg_key_large(plaintext)
    if not hmac.compare_digest(large[8:24], msg_key):
        raise SecurityError("the message key does not fit the message")
    return Sealed(plaintext, int.from_bytes(large[:4], "little") | 0x80000000)


def packet_key_id(packet: bytes) -> bytes:
    """Return the 8 bytes that name the key of a packet; all zero for a plain message."""
    if len(packet) < 8:
        raise SecurityError(f"a packet of {len(packet)} bytes names no authorization key")
    return bytes(packet[:8])


def derive(auth_key: AuthKey, msg_key: bytes, from_client: bool) -> tuple[bytes, bytes]:
    """Return the AES key and iv of a message (MTProto 2.0)."""
    return (auth_key.client if from_client else auth_key.server).derive(msg_key)


def derive_v1(auth_key: AuthKey, msg_key: bytes, from_client: bool) -> tuple[bytes, bytes]:
    """Return the AES key and iv of a message of MTProto 1.0, as auth.bindTempAuthKey needs it."""
    x = 0 if from_client else 8
    data = auth_key.data
    a = sha1(msg_key + data[x : x + 32]).digest()
    b = sha1(data[32 + x : 48 + x] + msg_key + data[48 + x : 64 + x]).digest()
    c = sha1(data[64 + x : 96 + x] + msg_key).digest()
    d = sha1(msg_key + data[96 + x : 128 + x]).digest()
    return a[:8] + b[8:] + c[4:16], a[8:] + b[:8] + c[16:] + d[:8]


def msg_key_v1(plaintext: bytes) -> bytes:
    """Return the message key of MTProto 1.0; ``plaintext`` is without its padding (A16.3)."""
    return sha1(plaintext).digest()[4:]


def tmp_aes(new_nonce: bytes, server_nonce: bytes) -> tuple[bytes, bytes]:
    """Return the AES key and iv that hide the Diffie-Hellman values of a key exchange (A3.9)."""
    a = sha1(new_nonce + server_nonce).digest()
    b = sha1(server_nonce + new_nonce).digest()
    c = sha1(new_nonce + new_nonce).digest()
    return a + b[:12], b[12:] + c + new_nonce[:4]


def new_nonce_hash(new_nonce: bytes, n: int, auth_key: AuthKey) -> bytes:
    """Return the 16 bytes that prove a key: ``n`` is 1 for ok, 2 for retry, 3 for fail (A3.13)."""
    return sha1(new_nonce + bytes([n]) + auth_key.aux_hash).digest()[4:]


def first_salt(new_nonce: bytes, server_nonce: bytes) -> int:
    """Return the server salt that a fresh key starts with, as a signed TL long (A3.14)."""
    salt = bytes(a ^ b for a, b in zip(new_nonce[:8], server_nonce[:8], strict=True))
    return int.from_bytes(salt, "little", signed=True)
