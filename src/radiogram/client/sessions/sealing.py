"""Layer 4, client: bytes that only a passphrase opens.

Knows scrypt and AES-GCM, as the package ``cryptography`` has them. Must not know what is sealed.

A passphrase and a random salt make a master key (scrypt). No sealed value is written under the
master key itself: each :class:`Sealer` draws 16 random bytes, derives a key of its own from them,
and counts its nonces, so that no nonce is used twice however much is written over the years.

A sealed value: those 16 bytes, the nonce's counter (8), the ciphertext with its tag (16 more than
what was sealed).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from radiogram.errors import SessionDamaged, WrongPassphrase

SALT_BYTES = 16
OVERHEAD = 16 + 8 + 16
"""What a sealed value is longer than its content."""

_HEAD = struct.Struct(">BBB16s")
HEAD_BYTES = _HEAD.size
_COST = (15, 8, 3)
"""Logarithm of scrypt's N, r and p: 32 MiB of memory, a fraction of a second."""
_LIMITS = (20, 16, 16)
_COUNTER = struct.Struct(">Q")
_MARK = b"radiogram session"


class Sealer:
    """Seals and opens under one passphrase.

    `head` is what :attr:`head` was when the values were sealed; without it, a new salt is drawn.
    Raises SessionDamaged for a head that none wrote. Making one takes a fraction of a second.
    """

    def __init__(self, passphrase: str, head: bytes | None = None) -> None:
        if not isinstance(passphrase, str):
            raise WrongPassphrase(
                f"a passphrase is text, not {type(passphrase).__name__}; decode it first"
            )
        if not passphrase:
            raise WrongPassphrase(
                "an empty passphrase protects nothing; give one, or None for no encryption"
            )
        if head is None:
            head = _HEAD.pack(*_COST, os.urandom(SALT_BYTES))
        if not isinstance(head, bytes) or len(head) != HEAD_BYTES:
            raise SessionDamaged(f"the head of the encryption is not {HEAD_BYTES} bytes")
        *cost, salt = _HEAD.unpack(head)
        log_n, r, p = cost
        if not all(0 < value <= limit for value, limit in zip(cost, _LIMITS, strict=True)):
            raise SessionDamaged(
                f"the cost of the encryption (2**{log_n}, {r}, {p}) is beyond what any version uses"
            )
        self.head = head
        """Salt and cost; no secret, and needed to open again."""
        self._master = Scrypt(salt=salt, length=32, n=1 << log_n, r=r, p=p).derive(
            passphrase.encode("utf-8", "surrogatepass")
        )
        self._run = os.urandom(16)
        self._keys: dict[bytes, AESGCM] = {}
        self._count = 0
        self._labels = self._derive(b"labels")

    def label(self, name: bytes) -> bytes:
        """Return 16 bytes that stand for a name and tell nothing of it."""
        return hmac.digest(self._labels, name, hashlib.sha256)[:16]

    def seal(self, content: bytes, place: bytes) -> bytes:
        """Seal bytes so that they open only in the place they were sealed for."""
        nonce = _COUNTER.pack(self._count)
        self._count += 1
        return self._run + nonce + self._key(self._run).encrypt(_nonce(nonce), content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Open what :meth:`seal` returned; raise SessionDamaged for anything else."""
        try:
            return self._key(sealed[:16]).decrypt(_nonce(sealed[16:24]), sealed[24:], place)
        except (InvalidTag, ValueError, TypeError):
            raise SessionDamaged("an encrypted part was changed or cut off") from None

    def mark(self) -> bytes:
        """Return a value by which :meth:`check` knows the passphrase."""
        return self.seal(_MARK, self.head)

    def check(self, mark: bytes, session: str) -> None:
        """Raise WrongPassphrase if the mark was made under another passphrase."""
        try:
            right = self.open(mark, self.head) == _MARK
        except SessionDamaged:
            right = False
        if not right:
            raise WrongPassphrase(
                f"{session} is encrypted, and not with this passphrase; check for typing errors "
                "and the keyboard's layout (there is no way in without it)"
            )

    def _derive(self, purpose: bytes) -> bytes:
        return hmac.digest(self._master, purpose, hashlib.sha256)

    def _key(self, run: bytes) -> AESGCM:
        key = self._keys.get(run)
        if key is None:
            key = self._keys[run] = AESGCM(self._derive(b"run" + run))
        return key


def _nonce(counter: bytes) -> bytes:
    return b"\0\0\0\0" + counter
