"""Layer 0: the two modes of AES-256 that Telegram uses, IGE and CTR.

It knows nothing of messages.  The ciphers are libraries'; here their edges are made safe: cryptg
fills up a short last block when it encrypts and aborts on one when it decrypts.
"""

from __future__ import annotations

import cryptg

Buffer = bytes | bytearray | memoryview

BLOCK = 16


def ige_encrypt(data: Buffer, key: bytes, iv: bytes) -> bytes:
    """Encrypt whole blocks with AES-256-IGE.

    ``key`` and ``iv`` are 32 bytes; the first half of ``iv`` plays the previous ciphertext block,
    the second half the previous plaintext block.  ``ValueError`` for any other length.
    """
    _check(data, key, iv)
    return cryptg.encrypt_ige(data if type(data) is bytes else bytes(data), key, iv)


def ige_decrypt(data: Buffer, key: bytes, iv: bytes) -> bytes:
    """Decrypt whole blocks with AES-256-IGE; lengths as for :func:`ige_encrypt`."""
    _check(data, key, iv)
    return cryptg.decrypt_ige(data if type(data) is bytes else bytes(data), key, iv)


def _check(data: Buffer, key: bytes, iv: bytes) -> None:
    if len(data) % BLOCK or len(key) != 32 or len(iv) != 32:
        raise ValueError(
            f"AES-IGE takes whole blocks of {BLOCK} bytes, a key and an iv of 32 bytes, "
            f"not {len(data)}, {len(key)} and {len(iv)}"
        )


class Ctr:
    """One continuous AES-256-CTR keystream; the same object encrypts or decrypts one direction."""

    __slots__ = ("_update",)

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Start the keystream; ``key`` is 32 bytes and ``iv`` 16, else ``ValueError``."""
        # Slow to import, and only obfuscated connections need it.
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES256
        from cryptography.hazmat.primitives.ciphers.modes import CTR

        self._update = Cipher(AES256(key), CTR(iv)).encryptor().update

    def process(self, data: Buffer) -> bytes:
        """Return ``data`` with the next ``len(data)`` bytes of the keystream applied."""
        return self._update(data)
