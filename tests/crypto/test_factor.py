from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiogram.crypto import factor
from radiogram.crypto.factor import factorise
from radiogram.crypto.prime import is_prime
from radiogram.errors import SecurityError

from ..vectors import load

PUBLISHED = [case for group in load("crypto")["pq"] for case in group["cases"]]
REFUSED = [pq for group in load("crypto")["pq_refused"] for pq in group["cases"]]
RUNS = load("auth_key")["runs"]


@pytest.mark.parametrize(("pq", "p", "q"), PUBLISHED)
def test_published(pq: int, p: int, q: int) -> None:
    assert factorise(pq) == (p, q)


@pytest.mark.parametrize("pq", REFUSED)
def test_published_but_refused(pq: int) -> None:
    """A3.2: two distinct odd primes, and below 2^63."""
    with pytest.raises(SecurityError):
        factorise(pq)


@pytest.mark.parametrize("run", [run for run in RUNS if "p" in run], ids=lambda run: run["name"])
def test_recorded_runs(run: dict[str, str]) -> None:
    """A3.2."""
    p, q = factorise(int(run["pq"], 16))
    assert (f"{p:x}", f"{q:x}") == (run["p"], run["q"])


def next_prime(n: int) -> int:
    n |= 1
    while not is_prime(n):
        n += 2
    return n


@settings(max_examples=20)
@given(st.integers(3, 1 << 31), st.integers(3, 1 << 31))
def test_products_of_two_primes(a: int, b: int) -> None:
    p, q = sorted((next_prime(a), next_prime(b)))
    if p == q:
        with pytest.raises(SecurityError):
            factorise(p * q)
    else:
        assert factorise(p * q) == (p, q)


def test_every_small_number() -> None:
    primes = [n for n in range(3, 700) if is_prime(n)]
    expected = {p * q: (p, q) for p in primes for q in primes if p < q and p * q < 2000}
    for n in range(-5, 2000):
        if n in expected:
            assert factorise(n) == expected[n]
        else:
            with pytest.raises(SecurityError):
                factorise(n)


def test_the_hardest() -> None:
    """Two primes as large and as near to each other as they can be."""
    below = [n for n in range(3037000499 - 200, 3037000500, 2) if is_prime(n)]
    p, q = list(pairwise(below))[-1]
    assert p * q < factor.LIMIT
    assert factorise(p * q) == (p, q)
    assert factorise(3 * 3074457345618258599) == (3, 3074457345618258599)


@pytest.mark.parametrize(
    "pq",
    [
        *(-15, 0, 1, 2, 3, 4, 5, 6, 9, 12),
        *((1 << 63) - 25, (1 << 61) - 1),  # primes
        *(1 << 62, (1 << 63) - 2),  # even
        *(3037000493**2, 2097143**3, 3**39, 3 * 5 * 7, 1000003 * 1000033 * 1000037),
        *((1 << 63) + 29 * 31, (1 << 64) - 1, 1 << 2048, (1 << 521) - 1),  # too large
    ],
)
def test_hostile_numbers(pq: int) -> None:
    with pytest.raises(SecurityError):
        factorise(pq)


def test_the_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factor, "_ROUNDS", 1)
    with pytest.raises(SecurityError, match="two primes"):
        factorise(1229739323 * 1402015859)
