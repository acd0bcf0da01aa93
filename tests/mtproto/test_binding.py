"""The binding message: both directions, and everything that makes it invalid (A16.3)."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from struct import pack
from typing import Any

import pytest

from radiogram.crypto.aes import ige_encrypt
from radiogram.crypto.keys import AuthKey, derive_v1, msg_key_v1
from radiogram.errors import SecurityError
from radiogram.mtproto.binding import Binding, read_binding, write_binding, write_call
from radiogram.tl import api
from radiogram.tl.build import registry

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "binding.json").read_text(encoding="utf-8")
)
(VECTOR,) = VECTORS["messages"]
PERMANENT = AuthKey(bytes.fromhex(VECTOR["perm_auth_key"]))
BINDING = Binding(
    nonce=VECTOR["nonce"],
    temp_auth_key_id=VECTOR["temp_auth_key_id"],
    perm_auth_key_id=VECTOR["perm_auth_key_id"],
    temp_session_id=VECTOR["temp_session_id"],
    expires_at=VECTOR["expires_at"],
)
MESSAGE = bytes.fromhex(VECTOR["encrypted_message"])


def fixed(size: int) -> bytes:
    """The randomness of the vector."""
    return b"\xcd" * size


def test_a_published_layout_is_written() -> None:
    written = write_binding(PERMANENT, BINDING, msg_id=VECTOR["msg_id"], random=fixed)
    assert written.hex() == VECTOR["encrypted_message"]


def test_a_published_layout_is_read() -> None:
    assert read_binding(PERMANENT, MESSAGE) == (VECTOR["msg_id"], BINDING)


def test_a_key_of_zeros_is_refused() -> None:
    with pytest.raises(ValueError, match="not all of them zero"):
        AuthKey(bytes(256))


def test_the_call_is_what_the_schema_says() -> None:
    body = write_call(PERMANENT, BINDING, msg_id=VECTOR["msg_id"], random=fixed)
    request = registry(api.LAYER).decode_request(body)
    assert request == api.auth.BindTempAuthKey(
        perm_auth_key_id=BINDING.perm_auth_key_id,
        nonce=BINDING.nonce,
        expires_at=BINDING.expires_at,
        encrypted_message=MESSAGE,
    )


def forge(plaintext: bytes, key: AuthKey = PERMANENT, msg_key: bytes | None = None) -> bytes:
    """Encrypt whatever a test wants to have said, as a permanent key's owner could."""
    msg_key = msg_key or msg_key_v1(plaintext)
    aes = derive_v1(key, msg_key, True)
    padded = plaintext + bytes(-len(plaintext) % 16)
    return key.key_id + msg_key + ige_encrypt(padded, *aes)


def plain(**changes: Any) -> bytes:
    fields = {"seq_no": 0, "length": 40, "number": 0x75A3F765} | changes
    inner = pack("<Iqqqqi", fields["number"], 1, 2, 3, 4, 5)
    return bytes(16) + pack("<qii", 4, fields["seq_no"], fields["length"]) + inner


def test_a_message_built_by_hand() -> None:
    msg_id, found = read_binding(PERMANENT, forge(plain()))
    assert (msg_id, found.nonce, found.expires_at) == (4, 1, 5)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"", id="empty"),
        pytest.param(MESSAGE[:-16], id="a block short"),
        pytest.param(MESSAGE + bytes(16), id="a block long"),
        pytest.param(MESSAGE[:-1], id="no whole block"),
        pytest.param(b"\0" * 8 + MESSAGE[8:], id="another key's name"),
        pytest.param(MESSAGE[:8] + bytes(16) + MESSAGE[24:], id="another message key"),
        pytest.param(MESSAGE[:40] + bytes(16) + MESSAGE[56:], id="another text"),
        pytest.param(forge(plain(seq_no=1)), id="a seq_no"),
        pytest.param(forge(plain(length=44)), id="another length"),
        pytest.param(forge(plain(number=0x12345678)), id="another object"),
        pytest.param(forge(plain(), msg_key=bytes(16)), id="a key that does not fit"),
        pytest.param(forge(plain() + bytes(32)), id="more than is wanted"),
    ],
)
def test_what_is_no_binding_message(message: bytes) -> None:
    with pytest.raises(SecurityError):
        read_binding(PERMANENT, message)


def test_another_permanent_key_cannot_make_it() -> None:
    other = AuthKey(os.urandom(256))
    message = PERMANENT.key_id + forge(plain(), other)[8:]
    with pytest.raises(SecurityError):
        read_binding(PERMANENT, message)


def test_every_bit_counts() -> None:
    for place in range(8, len(MESSAGE) - 8):
        spoiled = bytearray(MESSAGE)
        spoiled[place] ^= 1
        try:
            found = read_binding(PERMANENT, bytes(spoiled))
        except SecurityError:
            continue
        # Only the padding behind the text is not covered by the message key.
        assert place >= len(MESSAGE) - 16
        assert found == (VECTOR["msg_id"], replace(BINDING))
