from __future__ import annotations

import pytest

from radiogram.crypto.prime import is_prime, is_safe_prime

from ..vectors import load

CASES = load("crypto")["primality"]["cases"]


@pytest.mark.parametrize(
    ("number", "prime"), CASES, ids=[f"{int(n).bit_length()} bits, {n[-9:]}" for n, _ in CASES]
)
@pytest.mark.slow
def test_published_numbers(number: str, prime: bool) -> None:
    assert is_prime(int(number)) is prime


def test_small_numbers() -> None:
    sieve = [n for n in range(2, 2000) if all(n % d for d in range(2, n))]
    assert [n for n in range(-3, 2000) if is_prime(n)] == sieve
    safe = [n for n in sieve if n >= 5 and (n - 1) // 2 in sieve]
    assert [n for n in range(-3, 2000) if is_safe_prime(n)] == safe


@pytest.mark.parametrize(
    "number",
    [
        # Strong pseudoprimes: each passes the test for the first 1, 2, 3, ... primes as bases.
        *(2047, 1373653, 25326001, 3215031751, 2152302898747, 3474749660383, 341550071728321),
        *(3825123056546413051, 318665857834031151167461, 3317044064679887385961981),
        # Carmichael numbers.
        *(561, 1729, 9746347772161),
    ],
)
def test_pseudoprimes(number: int) -> None:
    assert not is_prime(number)
    assert not is_safe_prime(number)


def test_large_numbers() -> None:
    mersenne = (1 << 521) - 1
    assert is_prime(mersenne)
    assert not is_safe_prime(mersenne)
    assert not is_prime(mersenne * ((1 << 127) - 1))
    assert is_prime((1 << 64) - 59)
    assert is_prime((1 << 64) + 13)


def test_large_safe_prime() -> None:
    # The smallest above 2^256.
    p = (1 << 256) + 230191
    assert is_safe_prime(p)
    assert not is_safe_prime(p + 2)
