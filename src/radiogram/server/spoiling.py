"""Server layer: packets that a client must not accept (E29).

Knows how an encrypted packet is made, and how to make it wrong in one respect. Knows no session.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack_into, unpack_from

from radiogram.crypto.aes import ige_encrypt
from radiogram.crypto.keys import AuthKey, unseal

HEADER = 32
"""Bytes of salt, session_id, msg_id, seq_no and length."""
AGES = {"too_old": -3600, "too_new": 3600}
"""Seconds by which the id of a message is off."""


def spoil(
    packet: bytes,
    auth_key: AuthKey,
    spoiling: str,
    *,
    last_id: int,
    random: Callable[[int], bytes],
) -> bytes:
    """Return a copy of a packet of the server's, sealed again, with one thing wrong.

    `last_id` is the id of an earlier message of the session.
    """
    if spoiling == "msg_key":
        return packet[:8] + bytes([packet[8] ^ 1]) + packet[9:]
    text = bytearray(unseal(auth_key, packet, from_client=False).plaintext)
    msg_id: int
    _, session_id, msg_id, _, length = unpack_from("<qqqii", text)
    if spoiling == "session_id":
        pack_into("<q", text, 8, session_id ^ 1)
    elif spoiling == "parity":
        pack_into("<q", text, 16, msg_id & ~3)
    elif spoiling in AGES:
        pack_into("<q", text, 16, msg_id + AGES[spoiling] * 2**32)
    elif spoiling == "repeated_id":
        pack_into("<q", text, 16, last_id)
    elif spoiling == "length":
        pack_into("<i", text, 28, len(text) - HEADER + 4)
    elif spoiling == "padding":
        # Whole blocks without the 12 bytes that have to be there, or, if that cannot be, too many.
        spare = -(HEADER + length) % 16
        text = text[: HEADER + length] + random(spare if spare < 12 else spare + 1024)
    direction = auth_key.server
    plain = bytes(text)
    msg_key = direction.msg_key_large(plain)[8:24]
    return auth_key.key_id + msg_key + ige_encrypt(plain, *direction.derive(msg_key))


def id_of(packet: bytes, auth_key: AuthKey) -> int:
    """Return the id of the message in a packet of the server's."""
    found: int = unpack_from("<q", unseal(auth_key, packet, from_client=False).plaintext, 16)[0]
    return found
