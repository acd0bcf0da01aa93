"""Layer 0: Diffie-Hellman as the key exchange uses it, for both sides, with every check.

Knows the prime that Telegram publishes and the rules of the security guidelines for any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from radiogram.crypto.prime import is_safe_prime
from radiogram.errors import SecurityError

Random = Callable[[int], bytes]

SIZE = 256
"""Bytes of the prime, of a secret, of a public value and of the key they make."""

PRIME = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f"
    "48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37"
    "20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64"
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4"
    "a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754"
    "fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4"
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f"
    "0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)
"""The 2048-bit safe prime that Telegram's servers use (A3.10)."""
GENERATOR = 3

_BAND = 1 << (2048 - 64)
_DRAWS = 32

# For each generator: the modulus and the residues of the prime for which it generates the
# subgroup of order (prime - 1) / 2, that is, for which it is a quadratic residue.
_RESIDUES: dict[int, tuple[int, tuple[int, ...]]] = {
    2: (8, (7,)),
    3: (3, (2,)),
    4: (1, (0,)),
    5: (5, (1, 4)),
    6: (24, (19, 23)),
    7: (7, (3, 5, 6)),
}


def check_prime(prime: int | bytes, g: int) -> None:
    """Check a group that a peer proposes; ``SecurityError`` unless it is a good one.

    The prime must be a safe prime of exactly 2048 bits, and ``g`` one of 2 to 7 that generates
    its subgroup of prime order.  Telegram's own prime costs nothing; another takes up to a
    second once, and is remembered.
    """
    p = _number(prime, "the prime")
    if p.bit_length() != 2048:
        raise SecurityError(f"the prime has {p.bit_length()} bits, not 2048")
    if not generates(g, p):
        raise SecurityError(f"{g} is no generator for this prime")
    if p != PRIME and not _known_safe(p):
        raise SecurityError("the number given as the prime is not a safe prime")


def generates(g: int, prime: int) -> bool:
    """Tell whether ``g`` may be used with a safe prime, whatever its size."""
    if g not in _RESIDUES:
        return False
    modulus, residues = _RESIDUES[g]
    return prime % modulus in residues


def check_public(value: int | bytes, prime: int | bytes) -> int:
    """Return a public value as a number; ``SecurityError`` unless it is well inside the group.

    That is strictly between 2^1984 and prime - 2^1984, so that neither side can have a tiny
    secret or a subgroup of a few elements (A3.10).
    """
    public = _number(value, "the public value")
    p = _number(prime, "the prime")
    if not _BAND < public < p - _BAND:
        raise SecurityError("the public value lies too near an end of its range")
    return public


@lru_cache(maxsize=8)
def _known_safe(prime: int) -> bool:
    return is_safe_prime(prime)


def _number(value: int | bytes, what: str) -> int:
    if isinstance(value, int):
        return value
    if len(value) > SIZE:
        raise SecurityError(f"{what} is {len(value)} bytes long, more than {SIZE}")
    return int.from_bytes(value, "big")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One side of an exchange: a secret of its own in a group that was checked."""

    prime: int
    g: int
    secret: int = field(repr=False)
    public: int

    @classmethod
    def new(cls, random: Random, *, prime: int | bytes = PRIME, g: int = GENERATOR) -> Exchange:
        """Check the group and draw a secret for it.

        ``SecurityError`` for a bad group, or when ``random`` never gives a usable secret.
        """
        check_prime(prime, g)
        p = _number(prime, "the prime")
        for _ in range(_DRAWS):
            secret = int.from_bytes(random(SIZE), "big")
            public = pow(g, secret, p)
            if _BAND < public < p - _BAND:
                return cls(p, g, secret, public)
        raise SecurityError("the source of randomness gives no usable secret")

    @property
    def public_bytes(self) -> bytes:
        """The public value to send: 256 bytes, big-endian."""
        return self.public.to_bytes(SIZE, "big")

    def shared(self, public: int | bytes) -> bytes:
        """Return the 256 bytes shared with the owner of ``public``, which is checked first."""
        return pow(check_public(public, self.prime), self.secret, self.prime).to_bytes(SIZE, "big")
