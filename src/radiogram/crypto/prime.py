"""Layer 0: primality, without a source of randomness.

The bases of the test for large numbers are hashes of the number itself, so that whoever chooses
the number cannot choose it to suit the bases.
"""

from __future__ import annotations

from hashlib import sha256

_SMALL = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_ROUNDS = 40


def is_prime(n: int) -> bool:
    """Tell whether ``n`` is prime: surely below 2^64, above that wrong once in 2^80."""
    if n < 2:
        return False
    for p in _SMALL:
        if n % p == 0:
            return n == p
    if n < 1 << 64:
        return all(_passes(n, base) for base in _SMALL)
    return all(_passes(n, _base(n, i)) for i in range(_ROUNDS))


def is_safe_prime(p: int) -> bool:
    """Tell whether both ``p`` and ``(p - 1) / 2`` are prime."""
    if p < 5 or p % 2 == 0:
        return False
    if p < 1 << 64:
        return is_prime(p) and is_prime(p // 2)
    # Cheap refusals first: one power shows almost every composite.  Once q = (p - 1) / 2 is known
    # to be prime, Pocklington's criterion makes that same power a proof for p = 2 * q + 1: with
    # 2^(p - 1) = 1 modulo p, only gcd(2^2 - 1, p) = 1 is wanted.
    return p % 3 != 0 and pow(2, p - 1, p) == 1 and is_prime(p // 2)


def _base(n: int, i: int) -> int:
    size = (n.bit_length() + 7) // 8
    seed = i.to_bytes(2, "big") + n.to_bytes(size, "big")
    return 2 + int.from_bytes(sha256(seed).digest(), "big") % (n - 3)


def _passes(n: int, base: int) -> bool:
    """Run one round of Miller and Rabin's test."""
    shift = ((n - 1) & -(n - 1)).bit_length() - 1
    x = pow(base, (n - 1) >> shift, n)
    if x in (1, n - 1):
        return True
    for _ in range(shift - 1):
        x = x * x % n
        if x == n - 1:
            return True
    return False
