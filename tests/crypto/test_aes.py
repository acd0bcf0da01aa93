from __future__ import annotations

from typing import Any
from zlib import crc32

import pytest

from radiogram.crypto.aes import Ctr, ige_decrypt, ige_encrypt

from ..vectors import load, named

VECTORS = load("crypto")
CHECKSUMS = VECTORS["checksums"]


def generated(length: int, iv_size: int) -> tuple[bytes, bytes, bytes]:
    """Return text, key and iv made by the rule in the vectors."""
    seed = length
    stream = bytearray()
    for _ in range(length + 32 + iv_size):
        seed = (seed * 123457567 + 987651241) % (1 << 32)
        stream.append(seed >> 23 & 255)
    return bytes(stream[:length]), bytes(stream[length : length + 32]), bytes(stream[length + 32 :])


@pytest.mark.parametrize("case", **named(VECTORS["ige"]))
def test_ige(case: dict[str, Any]) -> None:
    plain, cipher, key, iv = (
        bytes.fromhex(case[name]) for name in ("plain", "cipher", "key", "iv")
    )
    assert ige_encrypt(plain, key, iv) == cipher
    assert ige_decrypt(cipher, key, iv) == plain


@pytest.mark.parametrize(("length", "checksum"), CHECKSUMS["ige"])
def test_ige_checksums(length: int, checksum: int) -> None:
    plain, key, iv = generated(length, 32)
    cipher = ige_encrypt(plain, key, iv)
    assert crc32(cipher) == checksum
    assert ige_decrypt(cipher, key, iv) == plain


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_ige_takes_any_buffer(kind: type) -> None:
    data = kind(bytes(range(32)))
    cipher = ige_encrypt(data, bytes(32), bytes(32))
    assert type(cipher) is bytes
    assert ige_decrypt(kind(cipher), bytes(32), bytes(32)) == bytes(range(32))


@pytest.mark.parametrize("work", [ige_encrypt, ige_decrypt])
@pytest.mark.parametrize(
    ("data", "key", "iv"), [(15, 32, 32), (17, 32, 32), (16, 31, 32), (16, 32, 16)]
)
def test_ige_refuses_other_lengths(work: Any, data: int, key: int, iv: int) -> None:
    # cryptg itself would fill up the last block, or abort.
    with pytest.raises(ValueError, match="whole blocks"):
        work(bytes(data), bytes(key), bytes(iv))


@pytest.mark.parametrize("case", **named(VECTORS["ctr"]))
def test_ctr_is_one_stream(case: dict[str, Any]) -> None:
    stream = Ctr(bytes.fromhex(case["key"]), bytes.fromhex(case["iv"]))
    for given, expected in case["pieces"]:
        assert stream.process(bytes.fromhex(given)).hex() == expected


@pytest.mark.parametrize(
    ("length", "checksum", "wraps"),
    [(*pair, False) for pair in CHECKSUMS["ctr"]]
    + [(*pair, True) for pair in CHECKSUMS["ctr_counter_wraps"]],
)
def test_ctr_checksums(length: int, checksum: int, wraps: bool) -> None:
    plain, key, iv = generated(length, 16)
    if wraps:
        iv = b"\xff" * 16
    assert crc32(Ctr(key, iv).process(plain)) == checksum
    stream = Ctr(key, iv)
    pieces = [stream.process(memoryview(plain)[at : at + 997]) for at in range(0, length, 997)]
    assert crc32(b"".join(pieces)) == checksum


@pytest.mark.parametrize(("key", "iv"), [(16, 16), (32, 15), (33, 16)])
def test_ctr_refuses_other_lengths(key: int, iv: int) -> None:
    with pytest.raises(ValueError, match=r"(?i)invalid"):
        Ctr(bytes(key), bytes(iv))
