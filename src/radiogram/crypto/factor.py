"""Layer 0: splitting the number that a server gives as proof of work.

Knows that a peer may send anything: the work is bounded, and whatever is not the product of two
distinct odd primes is refused.
"""

from __future__ import annotations

from math import gcd, isqrt

from radiogram.crypto.prime import is_prime
from radiogram.errors import SecurityError

LIMIT = 1 << 63
_ROUNDS = 1 << 19
"""Steps for one polynomial.  The smaller prime is below 2^31.5, which takes some 2^16 steps."""
_BATCH = 128
_POLYNOMIALS = 8


def factorise(pq: int) -> tuple[int, int]:
    """Split ``pq`` into its two primes, the smaller one first (A3.2).

    ``SecurityError`` unless it is a product of two distinct odd primes below 2^63.
    """
    if not 15 <= pq < LIMIT or pq % 2 == 0:
        raise SecurityError(f"pq {pq} is not a product of two odd primes below 2^63")
    # A prime would keep the search below busy to its bound; a square has no second prime.
    if is_prime(pq) or isqrt(pq) ** 2 == pq:
        raise SecurityError(f"pq {pq} is not a product of two distinct primes")
    for c in range(1, _POLYNOMIALS + 1):
        factor = _brent(pq, c)
        if factor is not None:
            p, q = sorted((factor, pq // factor))
            if p == q or not (is_prime(p) and is_prime(q)):
                break
            return p, q
    raise SecurityError(f"pq {pq} is not a product of two primes")


def _brent(n: int, c: int) -> int | None:
    """Look for a factor of ``n`` with Brent's cycle search over ``y * y + c``."""
    x = y = start = 2
    product = factor = 1
    length = 1
    while factor == 1:
        if length > _ROUNDS:
            return None
        x = y
        for _ in range(length):
            y = (y * y + c) % n
        done = 0
        while done < length and factor == 1:
            start = y
            for _ in range(min(_BATCH, length - done)):
                y = (y * y + c) % n
                product = product * abs(x - y) % n
            factor = gcd(product, n)
            done += _BATCH
        length *= 2
    if factor == n:
        # Both primes fell into one batch: go through it again step by step.
        factor, y = 1, start
        while factor == 1:
            y = (y * y + c) % n
            factor = gcd(abs(x - y), n)
    return factor if factor != n else None
