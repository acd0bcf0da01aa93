"""What a client is made with: each value that makes no sense is refused at once, by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from radiogram import TelegramClient, errors
from radiogram.sessions import MemorySession, StringSession


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"session": None}, 'session= .* not NoneType; for a file give SqliteSession\\("name"\\)'),
        ({"session": Path("ada.session")}, "session= takes a session string"),
        ({"session": StringSession}, "session= takes a session string"),
        ({"api_id": 0}, "api_id must be the positive number"),
        ({"api_id": True}, "api_id must be"),
        ({"api_hash": None}, "api_hash must be text, not NoneType"),
        ({"timeout": 0}, "timeout= takes a number of seconds above 0, not 0"),
        ({"timeout": "10"}, "timeout= .* not '10'"),
        ({"timeout": float("nan")}, "timeout= .* not nan"),
        ({"flood_sleep_threshold": -1}, "flood_sleep_threshold= .* not -1"),
        ({"reconnect_attempts": -1}, "reconnect_attempts= .* not -1"),
        ({"reconnect_attempts": 1.5}, "reconnect_attempts= .* not 1.5"),
        ({"future_auth_tokens": "token"}, "future_auth_tokens= takes a list of bytes"),
        ({"future_auth_tokens": b"token"}, "future_auth_tokens= takes a list of bytes"),
        ({"future_auth_tokens": ["token"]}, "future_auth_tokens= takes a list of bytes"),
    ],
)
def test_what_makes_no_sense(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(errors.ClientError, match=reason):
        TelegramClient(**{"session": "", "api_id": 1, "api_hash": "hash"} | options)


def test_what_does() -> None:
    client = TelegramClient(
        MemorySession(),
        1,
        "",
        timeout=0.5,
        flood_sleep_threshold=0,
        reconnect_attempts=None,
        future_auth_tokens=[b"token"],
    )
    assert client.future_auth_tokens == (b"token",)
