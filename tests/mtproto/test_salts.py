"""Server salts: which one is announced, which are accepted, which are told in advance (A6)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.mtproto.salts import EPOCH, SaltBook

from .pair import START, new_book

KEY_ID = b"key id 8"
BEGIN = START - START % EPOCH
"""When the salt that is current at START became so."""


def test_lasts_for_an_hour() -> None:
    """A6.1."""
    book = new_book()
    salt = book.current(BEGIN)
    assert book.current(BEGIN + EPOCH - 1) == salt
    assert book.current(BEGIN + EPOCH) != salt
    assert book.accepted(salt, BEGIN)
    assert book.accepted(salt, BEGIN + 2 * EPOCH - 1)
    assert not book.accepted(salt, BEGIN + 2 * EPOCH)
    assert not book.accepted(salt, BEGIN - 1)


def test_first_salt() -> None:
    """A6.2."""
    book = SaltBook(b"secret", KEY_ID, first=77, created=START)
    assert book.accepted(77, START)
    assert book.accepted(77, START + 2 * EPOCH - 1)
    assert not book.accepted(77, START + 2 * EPOCH)
    assert SaltBook(b"secret", KEY_ID, first=77).accepted(77, START + 1e6)
    assert not SaltBook(b"secret", KEY_ID).accepted(77, START)


@pytest.mark.parametrize("first", [None, 0])
def test_no_salt_is_none(first: int | None) -> None:
    """A6.2: 0 is what a restored session starts with."""
    assert not SaltBook(b"secret", KEY_ID, first=first).accepted(0, START)


@given(st.integers(-(2**31), 2**31 - 1), st.floats(0, 2**31 - 10**6))
def test_future_salts(count: int, now: float) -> None:
    """A6.3."""
    book = new_book()
    salts = book.future(count, now)
    assert len(salts) == max(1, min(count, 64))
    assert salts[0].salt == book.current(now)
    for salt, following in pairwise(salts):
        assert salt.valid_since + EPOCH == following.valid_since
    for salt in salts:
        assert salt.valid_until == salt.valid_since + 2 * EPOCH
        assert book.current(salt.valid_since) == salt.salt
        assert book.accepted(salt.salt, salt.valid_until - 1)
        assert not book.accepted(salt.salt, salt.valid_until)


def test_depends_on_secret_and_key_only() -> None:
    """A restart changes nothing."""
    salt = SaltBook(b"secret", KEY_ID).current(START)
    assert SaltBook(b"secret", KEY_ID).current(START) == salt
    assert SaltBook(b"Secret", KEY_ID).current(START) != salt
    assert SaltBook(b"secret", b"key id 9").current(START) != salt
