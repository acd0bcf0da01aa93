"""Layer 2: the message that binds a temporary key to a permanent one (A16.3).

Knows its layout and how it is encrypted: with the permanent key, in the manner of MTProto 1.0.
Must not know sessions, nor what a bound key may do. Client and server both use it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from struct import Struct

from radiogram.crypto.aes import ige_decrypt, ige_encrypt
from radiogram.crypto.keys import AuthKey, derive_v1, msg_key_v1
from radiogram.errors import SecurityError
from radiogram.mtproto.message import Random

BIND_AUTH_KEY_INNER = 0x75A3F765

BIND = 0xCDD42A05

_CALL = Struct("<Iqqi")
_INNER = Struct("<Iqqqqi")
_HEADER = Struct("<16xqii")
_SIZE = _HEADER.size + _INNER.size
_KEY_SIZE = 24
"""Bytes of key id and message key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Which temporary key is to stand for which permanent one, for one session, until when."""

    nonce: int
    temp_auth_key_id: int
    perm_auth_key_id: int
    temp_session_id: int
    expires_at: int
    """Unix time; the other numbers are signed, as TL longs are."""


def write_binding(permanent: AuthKey, binding: Binding, *, msg_id: int, random: Random) -> bytes:
    """Return the ``encrypted_message`` of the call that will travel under `msg_id`."""
    plaintext = (
        random(16)
        + _HEADER.pack(msg_id, 0, _INNER.size)[16:]
        + _INNER.pack(
            BIND_AUTH_KEY_INNER,
            binding.nonce,
            binding.temp_auth_key_id,
            binding.perm_auth_key_id,
            binding.temp_session_id,
            binding.expires_at,
        )
    )
    msg_key = msg_key_v1(plaintext)
    key, iv = derive_v1(permanent, msg_key, True)
    padded = plaintext + random(-len(plaintext) % 16)
    return permanent.key_id + msg_key + ige_encrypt(padded, key, iv)


def write_call(permanent: AuthKey, binding: Binding, *, msg_id: int, random: Random) -> bytes:
    """Return the whole call, serialised: ``auth.bindTempAuthKey``."""
    message = write_binding(permanent, binding, msg_id=msg_id, random=random)
    head = _CALL.pack(BIND, binding.perm_auth_key_id, binding.nonce, binding.expires_at)
    packed = bytes([len(message)]) + message  # a TL string of less than 254 bytes
    return head + packed + bytes(-len(packed) % 4)


def read_binding(permanent: AuthKey, message: bytes) -> tuple[int, Binding]:
    """Return the msg_id and the binding in an ``encrypted_message``.

    ``SecurityError`` unless it was made with this key and has exactly the form that it must have.
    """
    size = len(message) - _KEY_SIZE
    if size != _SIZE + -_SIZE % 16:
        raise SecurityError(f"a binding message has not {len(message)} bytes")
    if message[:8] != permanent.key_id:
        raise SecurityError("the binding message names another permanent key")
    msg_key = message[8:_KEY_SIZE]
    key, iv = derive_v1(permanent, msg_key, True)
    plaintext = ige_decrypt(message[_KEY_SIZE:], key, iv)[:_SIZE]
    if not hmac.compare_digest(msg_key_v1(plaintext), msg_key):
        raise SecurityError("the message key does not fit the binding message")
    msg_id, seq_no, length = _HEADER.unpack_from(plaintext)
    number, *inner = _INNER.unpack_from(plaintext, _HEADER.size)
    if (seq_no, length, number) != (0, _INNER.size, BIND_AUTH_KEY_INNER):
        raise SecurityError("the binding message holds something else")
    nonce, temp_auth_key_id, perm_auth_key_id, temp_session_id, expires_at = inner
    return msg_id, Binding(
        nonce=nonce,
        temp_auth_key_id=temp_auth_key_id,
        perm_auth_key_id=perm_auth_key_id,
        temp_session_id=temp_session_id,
        expires_at=expires_at,
    )
