from __future__ import annotations

from hashlib import sha1
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.crypto.rsa import PRODUCTION_KEYS, TEST_KEYS, PrivateKey, PublicKey

from ..vectors import load, named

CRYPTO = load("crypto")
EXCHANGE = load("auth_key")
KEYS = EXCHANGE["rsa_keys"]
RUN = next(run for run in EXCHANGE["runs"] if "rsa_padding" in run)


class Script:
    """A source of randomness that gives what it was told to, in the sizes it expects."""

    def __init__(self, *draws: bytes) -> None:
        self.draws = list(draws)

    def __call__(self, n: int) -> bytes:
        draw = self.draws.pop(0)
        assert len(draw) == n
        return draw


@pytest.fixture(scope="module")
def private() -> PrivateKey:
    return PrivateKey.generate()


# ── keys as text ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", KEYS, ids=[str(case["fingerprint"]) for case in KEYS])
def test_public_keys(case: dict[str, Any]) -> None:
    """A3.3."""
    key = PublicKey(int(case["n"], 16), case["e"])
    assert key.fingerprint == case["fingerprint"]
    if "pem" in case:
        assert PublicKey.from_pem(case["pem"]) == key
    assert PublicKey.from_pem(key.to_pem().encode()) == key
    assert key.to_pem().startswith("-----BEGIN RSA PUBLIC KEY-----\n")


def test_built_in_keys() -> None:
    by_role = {case["role"]: case["fingerprint"] for case in KEYS}
    assert [key.fingerprint for key in PRODUCTION_KEYS] == [by_role["current production"]]
    assert [key.fingerprint for key in TEST_KEYS] == [by_role["current test DC"]]


def test_private_key_as_text(private: PrivateKey) -> None:
    pem = private.to_pem()
    assert pem.startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    assert PrivateKey.from_pem(pem) == private
    assert str(private.d) not in repr(private)
    assert private.public.n.bit_length() == 2048
    assert private.public.e == 65537


def test_other_forms_of_pem(private: PrivateKey) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(private.to_pem().encode(), None)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert PrivateKey.from_pem(pkcs8) == private
    spki = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert PublicKey.from_pem(spki) == private.public
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(ValueError, match="unencrypted"):
        PrivateKey.from_pem(locked)


def test_other_kinds_of_keys() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    short = generate_private_key(65537, 1024)
    for key in (Ed25519PrivateKey.generate(), short):
        with pytest.raises(ValueError, match="2048 bits"):
            PrivateKey.from_pem(
                key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            )
    curve = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(ValueError, match="not the PEM"):
        PublicKey.from_pem(
            curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        )


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----", "ключ"],
)
def test_text_that_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="not the PEM"):
        PublicKey.from_pem(text)
    with pytest.raises(ValueError, match="not the PEM"):
        PrivateKey.from_pem(text)


# ── RSA_PAD ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", **named(CRYPTO["rsa_pad"]))
def test_pad(case: dict[str, Any]) -> None:
    """A3.5; a temporary key that leads beyond the modulus is drawn anew."""
    key = PublicKey(int(case["n"], 16))
    draws = [bytes.fromhex(draw) for draw in (case["padding"], *case["temp_keys"])]
    random = Script(*draws)
    assert key.encrypt_pad(bytes.fromhex(case["data"]), random).hex() == case["encrypted"]
    assert not random.draws


def test_pad_in_a_recorded_run() -> None:
    key = next(key for key in TEST_KEYS if key.fingerprint == RUN["rsa_fingerprint"])
    random = Script(bytes.fromhex(RUN["rsa_padding"]), bytes.fromhex(RUN["rsa_temp_key"]))
    assert key.encrypt_pad(bytes.fromhex(RUN["inner"]), random).hex() == RUN["rsa_encrypted"]


@pytest.mark.parametrize("case", **named(CRYPTO["rsa_power"]))
def test_power(case: dict[str, Any]) -> None:
    number = pow(int(case["input"], 16), case["e"], int(case["n"], 16))
    assert number.to_bytes(256, "big").hex() == case["output"]


def test_too_much_data() -> None:
    key = PRODUCTION_KEYS[0]
    with pytest.raises(ValueError, match="144"):
        key.encrypt_pad(bytes(145), bytes)
    with pytest.raises(ValueError, match="235"):
        key.encrypt_sha1(bytes(236), bytes)


def test_short_key() -> None:
    key = next(PublicKey(int(case["n"], 16)) for case in KEYS if "1024" in case["role"])
    with pytest.raises(ValueError, match="1024 bits"):
        key.encrypt_pad(b"", bytes)
    with pytest.raises(ValueError, match="1024 bits"):
        key.encrypt_sha1(b"", bytes)


def test_randomness_that_repeats_itself_does_not_hang() -> None:
    case = CRYPTO["rsa_pad"][0]
    unfit = bytes.fromhex(case["temp_keys"][0])
    padding = bytes.fromhex(case["padding"])
    with pytest.raises(ValueError, match="randomness"):
        PublicKey(int(case["n"], 16)).encrypt_pad(
            bytes.fromhex(case["data"]), lambda n: unfit if n == 32 else padding
        )


# ── the server's side ─────────────────────────────────────────────────────────────────────────


@given(data=st.binary(max_size=144), seed=st.integers())
def test_pad_comes_off(private: PrivateKey, data: bytes, seed: int) -> None:
    encrypted = private.public.encrypt_pad(data, Random(seed).randbytes)
    assert len(encrypted) == 256
    (padded,) = private.decrypt(encrypted)
    assert len(padded) == 192
    assert padded[: len(data)] == data


@given(words=st.integers(1, 58), seed=st.integers())
def test_older_padding_comes_off(private: PrivateKey, words: int, seed: int) -> None:
    """A3.6: the data come without what was filled in behind them."""
    random = Random(seed).randbytes
    data = random(words * 4)
    assert private.decrypt(private.public.encrypt_sha1(data, random)) == (data,)


def raw(private: PrivateKey, block: bytes) -> bytes:
    """Encrypt a block of 256 bytes without any padding."""
    number = int.from_bytes(block, "big")
    return pow(number, private.public.e, private.public.n).to_bytes(256, "big")


@pytest.mark.parametrize(
    "block",
    [
        bytes(256),
        b"\x00" + bytes(range(255)),
        b"\x00" + sha1(b"word").digest() + b"ward" + bytes(231),
        b"\x00" + sha1(b"odd").digest() + b"odd" + b"\xff" * 232,
        b"\x01" + sha1(b"word").digest() + b"word" + bytes(231),
    ],
    ids=["zero", "no hash", "another hash", "not words", "too large"],
)
def test_no_padding_fits(private: PrivateKey, block: bytes) -> None:
    """A3.4, A3.5: hash and form are checked."""
    assert private.decrypt(raw(private, block)) == ()


def test_number_not_below_the_modulus(private: PrivateKey) -> None:
    """A3.4: a second name of the same number is not taken."""
    n = private.public.n
    encrypted = int.from_bytes(private.public.encrypt_sha1(b"word", bytes), "big")
    assert private.decrypt(encrypted.to_bytes(256, "big")) == (b"word",)
    if encrypted + n < 1 << 2048:
        assert private.decrypt((encrypted + n).to_bytes(256, "big")) == ()
    assert private.decrypt(n.to_bytes(256, "big")) == ()
    assert private.decrypt(b"\xff" * 256) == ()


@given(st.one_of(st.binary(max_size=300), st.binary(min_size=256, max_size=256)))
def test_garbage_holds_nothing(private: PrivateKey, data: bytes) -> None:
    assert private.decrypt(data) == ()


def test_keys_are_different() -> None:
    other = PrivateKey.generate()
    encrypted = other.public.encrypt_sha1(b"word", bytes)
    assert PrivateKey.generate().decrypt(encrypted) == ()
