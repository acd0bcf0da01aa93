from __future__ import annotations

import copy
import dataclasses
import pickle
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.crypto import keys
from radiogram.crypto.aes import ige_decrypt, ige_encrypt
from radiogram.crypto.keys import AuthKey
from radiogram.errors import SecurityError

from ..vectors import load, named

CRYPTO = load("crypto")
EXCHANGE = load("auth_key")
SOME = AuthKey(bytes(range(256)))
OTHER = AuthKey(bytes(range(1, 256)) + b"\x00")


# ── the key itself ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", **named(EXCHANGE["runs"] + EXCHANGE["derived"]))
def test_identity(case: dict[str, Any]) -> None:
    """A3.12."""
    key = AuthKey(bytes.fromhex(case["auth_key"]))
    assert key.key_id.hex() == case["key_id"]
    assert key.id == int.from_bytes(bytes.fromhex(case["key_id"]), "little")
    if "aux_hash" in case:
        assert key.aux_hash.hex() == case["aux_hash"]


@pytest.mark.parametrize("data", [b"", bytes(255), bytes(range(256)) + b"\x00", bytes(256)])
def test_what_is_no_key(data: bytes) -> None:
    with pytest.raises(ValueError, match="256 bytes"):
        AuthKey(data)


def test_key_is_a_value_that_keeps_its_secret() -> None:
    same = AuthKey(bytearray(range(256)))  # type: ignore[arg-type]
    assert same == SOME
    assert hash(same) == hash(SOME)
    assert OTHER != SOME
    assert "key_id" in repr(SOME)
    assert len(repr(SOME)) < 60
    assert copy.deepcopy(SOME) == pickle.loads(pickle.dumps(SOME)) == SOME
    with pytest.raises(dataclasses.FrozenInstanceError):
        SOME.data = b""  # type: ignore[misc]


# ── keys of messages ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", **named(CRYPTO["message_aes"]))
def test_derivation(case: dict[str, Any]) -> None:
    """A4.2, and A16.3 for version 1."""
    derive = {1: keys.derive_v1, 2: keys.derive}[case["version"]]
    key, iv = derive(
        AuthKey(bytes.fromhex(case["auth_key"])),
        bytes.fromhex(case["msg_key"]),
        case["from_client"],
    )
    assert (key.hex(), iv.hex()) == (case["key"], case["iv"])


@pytest.mark.parametrize("case", CRYPTO["message_key_v1"])
def test_message_key_v1(case: dict[str, Any]) -> None:
    assert keys.msg_key_v1(bytes.fromhex(case["plain"])).hex() == case["msg_key"]


@pytest.mark.parametrize("case", CRYPTO["message_key_v2"])
def test_message_key_v2(case: dict[str, Any]) -> None:
    key = AuthKey(bytes.fromhex(case["auth_key"]))
    direction = key.client if case["from_client"] else key.server
    large = direction.msg_key_large(bytes.fromhex(case["plain"] + case["padding"]))
    assert large[8:24].hex() == case["msg_key"]


def test_binding_message() -> None:
    """What auth.bindTempAuthKey carries is made of the parts that are here (A16.3)."""
    case = CRYPTO["binding"]
    key = AuthKey(bytes.fromhex(case["perm_auth_key"]))
    plain = bytes.fromhex(case["plain"])
    padded = plain + bytes.fromhex(case["padding"])
    msg_key = keys.msg_key_v1(plain)
    assert key.key_id.hex() == case["key_id"]
    assert msg_key.hex() == case["msg_key"]
    sealed = ige_encrypt(padded, *keys.derive_v1(key, msg_key, from_client=True))
    assert (key.key_id + msg_key + sealed).hex() == case["packet"]
    assert ige_decrypt(sealed, *keys.derive_v1(key, msg_key, from_client=True)) == padded


# ── packets ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", **named([c for c in CRYPTO["packets"] if "padding" in c]))
def test_seal(case: dict[str, Any]) -> None:
    """A4.1, A4.2."""
    padding = bytes.fromhex(case["padding"])

    def random(n: int) -> bytes:
        assert n == len(padding)
        return padding

    packet = keys.seal(
        AuthKey(bytes.fromhex(case["auth_key"])),
        bytes.fromhex(case["plain"]),
        from_client=case["from_client"],
        random=random,
    )
    assert packet.hex() == case["packet"]


@pytest.mark.parametrize("case", **named(CRYPTO["packets"]))
def test_unseal(case: dict[str, Any]) -> None:
    """A4.3. What is wrong with a message inside a well sealed packet is not seen here."""
    key = AuthKey(bytes.fromhex(case["auth_key"]))
    packet = bytes.fromhex(case["packet"])
    if case["opened"] is None:
        with pytest.raises(SecurityError, match="does not fit"):
            keys.unseal(key, packet, from_client=case["from_client"])
    else:
        sealed = keys.unseal(key, packet, from_client=case["from_client"])
        assert sealed.plaintext.hex() == case["opened"]
        with pytest.raises(SecurityError, match="does not fit"):
            keys.unseal(key, packet, from_client=not case["from_client"])


def test_quick_ack_token() -> None:
    """A1.7."""
    case = load("transport")["quick_ack"]
    key = AuthKey(bytes.fromhex(case["auth_key"]))
    whole = bytes.fromhex(case["plain_with_padding"])
    plain, padding = whole[:-16], whole[-16:]
    packet = keys.seal(key, plain, from_client=True, random=lambda n: padding[-n:])
    sealed = keys.unseal(key, packet, from_client=True)
    assert sealed.plaintext == whole
    assert sealed.quick_ack_token == int.from_bytes(bytes.fromhex(case["token"]), "little")


@pytest.mark.parametrize(("length", "least"), CRYPTO["padding"]["cases"])
def test_padding(length: int, least: int) -> None:
    """A4.1: the least padding that is allowed."""
    packet = keys.seal(SOME, bytes(length), from_client=True, random=bytes)
    assert len(packet) == 24 + length + least


@given(plain=st.binary(min_size=32, max_size=3000), from_client=st.booleans(), seed=st.integers())
def test_what_was_sealed_opens(plain: bytes, from_client: bool, seed: int) -> None:
    packet = keys.seal(SOME, plain, from_client=from_client, random=Random(seed).randbytes)
    assert keys.packet_key_id(packet) == SOME.key_id
    sealed = keys.unseal(SOME, packet, from_client=from_client)
    assert sealed.plaintext[: len(plain)] == plain
    assert 12 <= len(sealed.plaintext) - len(plain) <= 27
    assert sealed.quick_ack_token >> 31 == 1


@given(place=st.integers(0, 24 + 48 - 1), change=st.integers(1, 255))
def test_one_changed_byte_is_noticed(place: int, change: int) -> None:
    packet = bytearray(keys.seal(SOME, bytes(32), from_client=True, random=bytes))
    packet[place] ^= change
    with pytest.raises(SecurityError):
        keys.unseal(SOME, bytes(packet), from_client=True)


@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    for packet in (data, SOME.key_id + data):
        with pytest.raises(SecurityError):
            keys.unseal(SOME, packet, from_client=False)


@pytest.mark.parametrize("size", [0, 7, 8, 23, 24, 24 + 16, 24 + 32, 24 + 47, 24 + 49])
def test_impossible_sizes(size: int) -> None:
    with pytest.raises(SecurityError, match="cannot be"):
        keys.unseal(SOME, (SOME.key_id + bytes(size))[:size], from_client=True)


def test_another_key() -> None:
    packet = keys.seal(OTHER, bytes(32), from_client=True, random=bytes)
    with pytest.raises(SecurityError, match="another"):
        keys.unseal(SOME, packet, from_client=True)


def test_key_id_of_a_packet() -> None:
    assert keys.packet_key_id(bytes(8) + b"rest") == bytes(8)
    with pytest.raises(SecurityError):
        keys.packet_key_id(bytes(7))


# ── the key exchange ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", **named(EXCHANGE["tmp_aes"]))
def test_tmp_aes(case: dict[str, Any]) -> None:
    """A3.9."""
    nonces = bytes.fromhex(case["new_nonce"]), bytes.fromhex(case["server_nonce"])
    key, iv = keys.tmp_aes(*nonces)
    assert (key.hex(), iv.hex()) == (case["key"], case["iv"])


@pytest.mark.parametrize("case", **named(EXCHANGE["runs"]))
def test_values_of_a_run(case: dict[str, Any]) -> None:
    """A3.9, A3.13, A3.14."""
    new_nonce, server_nonce = (bytes.fromhex(case[n]) for n in ("new_nonce", "server_nonce"))
    key, iv = keys.tmp_aes(new_nonce, server_nonce)
    assert (key.hex(), iv.hex()) == (case["tmp_aes_key"], case["tmp_aes_iv"])
    answer = ige_decrypt(bytes.fromhex(case["encrypted_answer"]), key, iv)
    assert answer.hex() == case["answer_with_hash"]
    auth_key = AuthKey(bytes.fromhex(case["auth_key"]))
    assert keys.new_nonce_hash(new_nonce, 1, auth_key).hex() == case["new_nonce_hash1"]
    salt = keys.first_salt(new_nonce, server_nonce)
    assert salt.to_bytes(8, "little", signed=True).hex() == case["first_salt"]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_new_nonce_hashes(n: int) -> None:
    """A3.13."""
    case = next(c for c in EXCHANGE["derived"] if "new_nonce" in c)
    found = keys.new_nonce_hash(
        bytes.fromhex(case["new_nonce"]), n, AuthKey(bytes.fromhex(case["auth_key"]))
    )
    assert found.hex() == case[f"new_nonce_hash{n}"]
