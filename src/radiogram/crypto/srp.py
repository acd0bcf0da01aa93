"""Layer 0: the proof of a two-step verification password, for both sides, with every check.

The protocol is SRP with Telegram's own choice of hashes (C1.1): neither the password nor what the
server stores of it ever crosses the connection.  Knows numbers and bytes only; whoever maps
``passwordKdfAlgo...`` constructors and error names does so above.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from radiogram.crypto.dh import GENERATOR, PRIME, SIZE, check_prime, check_public
from radiogram.errors import SecurityError

Random = Callable[[int], bytes]

ITERATIONS = 100_000
SALT_RANDOM = 32
"""Bytes that a client adds to the first salt which the server offers for a new password."""
MAX_SALT = 128
_DRAWS = 32


@dataclass(frozen=True, slots=True)
class Algo:
    """What one stored password was hashed with: two salts, and the group of the proof.

    ``p`` is taken as a number or as big-endian bytes.  Nothing is checked here: a client calls
    :meth:`check_group` (the functions that make a proof do) before it trusts what a server sent.
    """

    salt1: bytes
    salt2: bytes
    g: int = GENERATOR
    p: int = PRIME

    @classmethod
    def of(cls, salt1: bytes, salt2: bytes, g: int, p: int | bytes) -> Algo:
        """Take the fields of a TL constructor; ``SecurityError`` if one of them is too long."""
        if len(salt1) > MAX_SALT or len(salt2) > MAX_SALT:
            raise SecurityError(f"a salt of the password is longer than {MAX_SALT} bytes")
        if isinstance(p, bytes):
            if len(p) > SIZE:
                raise SecurityError(f"the prime is {len(p)} bytes long, more than {SIZE}")
            p = int.from_bytes(p, "big")
        return cls(bytes(salt1), bytes(salt2), g, p)

    def check_group(self) -> None:
        """``SecurityError`` unless the prime is a safe one of 2048 bits and ``g`` fits it."""
        check_prime(self.p, self.g)


# ------------------------------------------------------------------ the password


def password_hash(password: bytes, salt1: bytes, salt2: bytes) -> int:
    """Return x, the secret number that stands for a password (about 0.1 s of one core).

    The heavy part runs outside the interpreter lock, so a thread is the place to call this from.
    """
    first = _salted(_salted(password, salt1), salt2)
    slow = hashlib.pbkdf2_hmac("sha512", first, salt1, ITERATIONS)
    return int.from_bytes(_salted(slow, salt2), "big")


def verifier(x: int, g: int = GENERATOR, p: int = PRIME) -> int:
    """Return v, all that a server keeps of a password: g to the power of x."""
    return pow(g, x, p)


def new_verifier(algo: Algo, password: bytes) -> bytes:
    """Return what a client sends as ``new_password_hash``: 256 bytes, big-endian.

    ``algo`` already holds the whole first salt (see :func:`new_salt`).  ``SecurityError`` for a
    bad group.
    """
    algo.check_group()
    x = password_hash(password, algo.salt1, algo.salt2)
    return _wide(verifier(x, algo.g, algo.p))


def new_salt(offered: bytes, random: Random) -> bytes:
    """Return the first salt of a new password: what the server offers and 32 random bytes."""
    return offered + random(SALT_RANDOM)


# ------------------------------------------------------------------ the proof


@dataclass(frozen=True, slots=True)
class ClientProof:
    """What a client sends to show that it knows a password: ``A`` and ``M1`` of the check."""

    A: bytes
    M1: bytes = field(repr=False)

    @classmethod
    def check(cls, algo: Algo, srp_b: bytes, password: bytes, random: Random) -> ClientProof:
        """Prove a password against what ``account.getPassword`` answered.

        Takes about 0.2 s of one core.  ``SecurityError`` when the server's group or its ``srp_b``
        is not acceptable: then nothing about the password was given away.
        """
        algo.check_group()
        public = check_public(srp_b, algo.p)
        x = password_hash(password, algo.salt1, algo.salt2)
        for _ in range(_DRAWS):
            a = int.from_bytes(random(SIZE), "big")
            try:
                check_public(pow(algo.g, a, algo.p), algo.p)
            except SecurityError:
                continue
            return cls.compute(algo, public, x, a)
        raise SecurityError("the source of randomness gives no usable secret")

    @classmethod
    def compute(cls, algo: Algo, b_public: int, x: int, a: int) -> ClientProof:
        """Apply the formulas to a hashed password ``x`` and a secret ``a``, unchecked.

        ``SecurityError`` only if the two public values cannot be mixed.
        """
        p = algo.p
        a_public = pow(algo.g, a, p)
        u = _mix(a_public, b_public)
        base = (b_public - _multiplier(algo) * verifier(x, algo.g, p)) % p
        secret = pow(base, a + u * x, p)
        return cls(_wide(a_public), _evidence(algo, a_public, b_public, secret))


class ServerProof:
    """The server's half of one check: made for one try, and worthless after it."""

    def __init__(
        self, algo: Algo, v: int, random: Random | None = None, *, secret: int | None = None
    ) -> None:
        """Begin a check of the password whose verifier is ``v``.

        Either ``random`` draws the secret number, or the ``secret`` of an earlier object goes on.
        """
        if secret is None:
            if random is None:
                raise ValueError("ServerProof takes a source of randomness or a secret")
            secret = int.from_bytes(random(SIZE), "big")
        self._algo = algo
        self._v = v
        self._secret = secret
        self._B = (_multiplier(algo) * v + pow(algo.g, secret, algo.p)) % algo.p

    @property
    def B(self) -> bytes:  # noqa: N802 - its name in every text
        """``srp_B``, to send to the client: 256 bytes, big-endian."""
        return _wide(self._B)

    @property
    def secret(self) -> int:
        """The number to keep if the check goes on in another object; never to be shown."""
        return self._secret

    def verify(self, srp_a: bytes, evidence: bytes) -> bool:
        """Tell whether a client proved the password; a senseless ``srp_a`` proves nothing."""
        p = self._algo.p
        public = int.from_bytes(srp_a, "big") if len(srp_a) <= SIZE else 0
        if not 1 < public < p - 1:
            return False
        try:
            u = _mix(public, self._B)
        except SecurityError:
            return False
        secret = pow(public * pow(self._v, u, p), self._secret, p)
        right = _evidence(self._algo, public, self._B, secret)
        return hmac.compare_digest(right, bytes(evidence))


# ------------------------------------------------------------------ formulas


def _salted(data: bytes, salt: bytes) -> bytes:
    return hashlib.sha256(salt + data + salt).digest()


def _wide(number: int) -> bytes:
    """A number as every formula takes it: 256 bytes, big-endian."""
    return number.to_bytes(SIZE, "big")


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _multiplier(algo: Algo) -> int:
    return int.from_bytes(_hash(_wide(algo.p), _wide(algo.g)), "big")


def _mix(a_public: int, b_public: int) -> int:
    u = int.from_bytes(_hash(_wide(a_public), _wide(b_public)), "big")
    if u == 0:
        raise SecurityError("the public values of the check hash to zero")
    return u


def _evidence(algo: Algo, a_public: int, b_public: int, secret: int) -> bytes:
    group = bytes(a ^ b for a, b in zip(_hash(_wide(algo.p)), _hash(_wide(algo.g)), strict=True))
    key = _hash(_wide(secret))
    salts = _hash(algo.salt1) + _hash(algo.salt2)
    return _hash(group, salts, _wide(a_public), _wide(b_public), key)
