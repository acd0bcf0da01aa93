from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiogram.crypto import dh
from radiogram.crypto.dh import GENERATOR, PRIME, Exchange, check_prime, check_public
from radiogram.crypto.prime import is_safe_prime
from radiogram.errors import SecurityError

from ..vectors import load, named

CRYPTO = load("crypto")
RUNS = [run for run in load("auth_key")["runs"] if "b" in run]
BAND = 1 << 1984

# Another safe prime of 2048 bits, from RFC 3526 (group 14).
MODP_2048 = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74"
    "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
    "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05"
    "98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb"
    "9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718"
    "3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff",
    16,
)


# ── the group ─────────────────────────────────────────────────────────────────────────────────


def test_telegrams_prime() -> None:
    """A3.10."""
    case = CRYPTO["prime"]
    assert case["p"] == f"{PRIME:x}"
    assert GENERATOR in case["generators"]
    for g in case["generators"]:
        check_prime(PRIME, g)
        check_prime(bytes.fromhex(case["p"]), g)
    for g in [*case["refused"], -3, 1 << 31]:
        with pytest.raises(SecurityError, match="generator"):
            check_prime(PRIME, g)


@pytest.mark.parametrize(("p", "g", "good"), CRYPTO["small_groups"]["cases"])
def test_small_groups(p: int, g: int, good: bool) -> None:
    """The rules for prime and generator, apart from the size."""
    assert (is_safe_prime(p) and dh.generates(g, p)) is good
    with pytest.raises(SecurityError, match="bits"):
        check_prime(p, g)


@pytest.mark.slow
def test_another_safe_prime() -> None:
    for g in range(2, 8):
        check_prime(MODP_2048.to_bytes(256, "big"), g)
    with pytest.raises(SecurityError, match="generator"):
        check_prime(MODP_2048, 8)


@pytest.mark.slow
def test_telegrams_prime_is_one() -> None:
    """The constant is not taken on trust."""
    assert is_safe_prime(PRIME)


def test_numbers_that_are_no_safe_primes() -> None:
    merely_prime = [
        int(n) for n, prime in CRYPTO["primality"]["cases"] if prime and int(n).bit_length() == 2048
    ]
    assert merely_prime
    for p in [*merely_prime, PRIME + 2, PRIME - 2, 1 << 2047, (1 << 2048) - 1, MODP_2048 - 12]:
        with pytest.raises(SecurityError, match="not a safe prime"):
            check_prime(p, 4)


@pytest.mark.parametrize("p", [-PRIME, 0, 1, PRIME >> 1, PRIME << 1, b"", bytes(256), bytes(300)])
def test_sizes_of_primes(p: int | bytes) -> None:
    with pytest.raises(SecurityError):
        check_prime(p, 4)


# ── public values ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "value",
    [0, 1, -1, BAND, PRIME - BAND, PRIME - 1, PRIME, PRIME + BAND, b"", bytes(256), bytes(257)],
)
def test_public_values_at_the_ends(value: int | bytes) -> None:
    """A3.10, A3.11."""
    with pytest.raises(SecurityError):
        check_public(value, PRIME)
    with pytest.raises(SecurityError):
        Exchange.new(Random(1).randbytes).shared(value)


@pytest.mark.parametrize("value", [BAND + 1, PRIME - BAND - 1, PRIME // 2])
def test_public_values_inside(value: int) -> None:
    assert check_public(value, PRIME) == value
    assert check_public(value.to_bytes(256, "big"), PRIME.to_bytes(256, "big")) == value


# ── the exchange ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("run", **named(RUNS))
def test_recorded_runs(run: dict[str, Any]) -> None:
    """A3.12."""
    secret = bytes.fromhex(run["b"])
    if run["name"] == "official-classic":
        # It uses 2, which does not generate the right subgroup: no longer to be accepted.
        with pytest.raises(SecurityError, match="generator"):
            Exchange.new(lambda _: secret, prime=bytes.fromhex(run["dh_prime"]), g=run["g"])
        return
    side = Exchange.new(lambda _: secret, prime=bytes.fromhex(run["dh_prime"]), g=run["g"])
    assert side.public_bytes.hex() == run["g_b"]
    assert side.shared(bytes.fromhex(run["g_a"])).hex() == run["auth_key"]


@settings(max_examples=5)
@given(st.integers())
def test_both_sides_agree(seed: int) -> None:
    random = Random(seed).randbytes
    client, server = Exchange.new(random), Exchange.new(random)
    shared = client.shared(server.public_bytes)
    assert shared == server.shared(client.public)
    assert len(shared) == 256
    assert str(client.secret) not in repr(client)


def test_useless_secrets_are_drawn_again() -> None:
    draws = [bytes(256), bytes(255) + b"\x05", Random(3).randbytes(256)]
    last = draws[-1]
    assert Exchange.new(lambda _: draws.pop(0)).secret == int.from_bytes(last, "big")
    assert not draws


def test_randomness_that_repeats_itself_does_not_hang() -> None:
    with pytest.raises(SecurityError, match="randomness"):
        Exchange.new(bytes)
