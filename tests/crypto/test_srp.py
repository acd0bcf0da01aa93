"""The proof of a two-step verification password against what other libraries published (C1.1)."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from radiogram.crypto import srp
from radiogram.crypto.dh import PRIME
from radiogram.crypto.srp import Algo, ClientProof, ServerProof
from radiogram.errors import SecurityError

from ..vectors import load, named

SRP = load("srp")
PASSWORD = "пароль 🔐".encode()
ALGO = Algo(b"salt one", b"salt two")


def _hex(case: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(case[name])


def _number(case: dict[str, Any], name: str) -> int:
    return PRIME if case[name] == "prime" else int(case[name], 16)


def _algo(case: dict[str, Any]) -> Algo:
    return Algo(_hex(case, "salt1"), _hex(case, "salt2"), case["g"], _number(case, "p"))


@pytest.fixture(scope="module")
def x() -> int:
    return srp.password_hash(PASSWORD, ALGO.salt1, ALGO.salt2)


# ------------------------------------------------------------------ published values


@pytest.mark.parametrize("case", **named(SRP["checks"]))
def test_proofs(case: dict[str, Any]) -> None:
    """C1.1."""
    algo = _algo(case)
    x = srp.password_hash(_hex(case, "password"), algo.salt1, algo.salt2)
    if "x" in case:
        assert x == _number(case, "x")
    if "v" in case:
        assert srp.verifier(x, algo.g, algo.p) == _number(case, "v")
    proof = ClientProof.compute(algo, _number(case, "B"), x, _number(case, "a"))
    assert int.from_bytes(proof.A, "big") == _number(case, "A")
    assert len(proof.A) == 256
    assert _hex(case, "M1") == proof.M1


@pytest.mark.parametrize("case", **named(SRP["new_passwords"]))
def test_new_passwords(case: dict[str, Any]) -> None:
    """C1.1."""
    salt1 = srp.new_salt(_hex(case, "offered_salt1"), lambda n: _hex(case, "random"))
    algo = Algo(salt1, _hex(case, "salt2"), case["g"])
    v = srp.new_verifier(algo, _hex(case, "password"))
    assert int.from_bytes(v, "big") == _number(case, "v")
    assert len(v) == 256


def test_the_slow_hash() -> None:
    """C1.1."""
    (case,) = (case for case in SRP["components"] if case["function"] == "PH2")
    x = srp.password_hash(_hex(case, "in"), _hex(case, "salt1"), _hex(case, "salt2"))
    assert x == _number(case, "out")


# ------------------------------------------------------------------ both roles


def test_the_server_believes_a_right_proof_only(x: int) -> None:
    """C1.1."""
    random = Random(1).randbytes
    v = srp.verifier(x)
    server = ServerProof(ALGO, v, random)
    proof = ClientProof.check(ALGO, server.B, PASSWORD, random)
    assert server.verify(proof.A, proof.M1)
    assert not server.verify(proof.A, bytes(32))
    assert not server.verify(proof.A, proof.M1[:-1])
    assert not ServerProof(ALGO, v, random).verify(proof.A, proof.M1)
    assert ServerProof(ALGO, v, secret=server.secret).verify(proof.A, proof.M1)
    wrong = ClientProof.check(ALGO, server.B, b"another", random)
    assert not server.verify(wrong.A, wrong.M1)


@pytest.mark.parametrize(
    "public",
    [0, 1, PRIME - 1, PRIME, PRIME + 1, 2**2048 - 1],
    ids=["0", "1", "p-1", "p", "p+1", "max"],
)
def test_a_senseless_public_value_proves_nothing(public: int, x: int) -> None:
    """C1.1: 1 < A < p - 1."""
    server = ServerProof(ALGO, srp.verifier(x), Random(2).randbytes)
    # With A = 0 or p the shared secret would be zero, whatever the password is.
    evidence = srp._evidence(ALGO, public, int.from_bytes(server.B, "big"), 0)
    assert not server.verify(public.to_bytes(256, "big"), evidence)


def test_a_public_value_that_is_too_long(x: int) -> None:
    server = ServerProof(ALGO, srp.verifier(x), Random(2).randbytes)
    assert not server.verify(bytes(255) + b"\x05" + bytes(2), bytes(32))
    assert not server.verify(b"", b"")


@pytest.mark.parametrize("public", [0, 1, PRIME - 1, PRIME, PRIME + 5])
def test_the_client_refuses_a_senseless_public_value(public: int) -> None:
    """A3.10, C1.1."""
    with pytest.raises(SecurityError, match="public value"):
        ClientProof.check(ALGO, public.to_bytes(256, "big"), PASSWORD, Random(3).randbytes)


def test_the_client_refuses_a_bad_group() -> None:
    """A3.10."""
    for algo in (Algo(b"", b"", 3, PRIME + 2), Algo(b"", b"", 2, PRIME), Algo(b"", b"", 3, 47)):
        with pytest.raises(SecurityError):
            ClientProof.check(algo, bytes(256), PASSWORD, Random(3).randbytes)
        with pytest.raises(SecurityError):
            srp.new_verifier(algo, PASSWORD)


def test_fields_of_a_peer_are_bounded() -> None:
    assert Algo.of(b"1", b"2", 3, PRIME.to_bytes(256, "big")) == Algo(b"1", b"2")
    with pytest.raises(SecurityError, match="salt"):
        Algo.of(bytes(200), b"", 3, PRIME)
    with pytest.raises(SecurityError, match="prime"):
        Algo.of(b"", b"", 3, bytes(257))


def test_a_source_without_randomness() -> None:
    server = ServerProof(ALGO, 5, Random(4).randbytes)
    with pytest.raises(SecurityError, match="randomness"):
        ClientProof.check(ALGO, server.B, PASSWORD, bytes)
    with pytest.raises(ValueError, match="secret"):
        ServerProof(ALGO, 5)
