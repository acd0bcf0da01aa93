"""Marked ids: one number for every peer (D12)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.client.ids import MAX_ID, mark_channel, mark_chat, unmark


@given(st.integers(1, MAX_ID))
def test_users_keep_their_id(user_id: int) -> None:
    assert unmark(user_id) == ("user", user_id)


@given(st.integers(1, 10**12 - 1))
def test_basic_groups_are_negative(chat_id: int) -> None:
    assert mark_chat(chat_id) == -chat_id
    assert unmark(mark_chat(chat_id)) == ("chat", chat_id)


@given(st.integers(1, MAX_ID))
def test_channels_lie_below(channel_id: int) -> None:
    assert unmark(mark_channel(channel_id)) == ("channel", channel_id)


def test_a_channel_reads_as_bots_write_it() -> None:
    assert mark_channel(1234567890) == -1001234567890


@pytest.mark.parametrize("number", [0, MAX_ID + 1, -(10**12), -(10**12) - MAX_ID - 1])
def test_other_numbers_are_nobody(number: int) -> None:
    assert unmark(number) is None
