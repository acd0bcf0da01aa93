"""The page about pins leaves nothing out."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from radiogram.server.settings import Settings
from radiogram.server.world import World
from tests.pins.cases import CASES

PAGE = (Path(__file__).parents[2] / "docs" / "pins.md").read_text("utf-8")

ERRORS = (
    "AUTH_KEY_UNREGISTERED",
    "BOT_ONESIDE_NOT_AVAIL",
    "BUSINESS_CONNECTION_INVALID",
    "BUSINESS_CONNECTION_NOT_ALLOWED",
    "BUSINESS_PEER_INVALID",
    "CHANNEL_INVALID",
    "CHANNEL_PRIVATE",
    "CHAT_ADMIN_REQUIRED",
    "CHAT_INVALID",
    "CHAT_NOT_MODIFIED",
    "CHAT_WRITE_FORBIDDEN",
    "INPUT_USER_DEACTIVATED",
    "MESSAGE_ID_INVALID",
    "PEER_ID_INVALID",
    "PIN_RESTRICTED",
    "USER_BANNED_IN_CHANNEL",
)
"""What Telegram documents for messages.updatePinnedMessage, and CHANNEL_INVALID (B4)."""


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_says_what_to_do(name: str) -> None:
    assert re.search(rf"^\| `{name}` \| .{{10,}} \| .{{5,}} \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", [one.name for one in fields(Settings) if "pin_" in one.name])
def test_every_setting_is_explained(name: str) -> None:
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("name", ["limit_account", "delete_account", "forbid_pins"])
def test_every_fixture_is_explained(name: str) -> None:
    assert hasattr(World, name)
    assert f"| `{name}(" in PAGE


def test_every_error_has_a_row() -> None:
    played = {case.result[2:] for case in CASES if case.result.startswith("! ")}
    assert set(ERRORS) - {"AUTH_KEY_UNREGISTERED"} <= played
