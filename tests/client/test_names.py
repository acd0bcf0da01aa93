"""Texts that name a peer, and texts that look as if they did."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.client.names import Marked, Me, Name, Phone, Username, read_name
from radiogram.errors import PeerNotFound


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("username", Username("username")),
        ("@username", Username("username")),
        (" @UserName ", Username("username")),
        ("a_b_c", Username("a_b_c")),
        ("me", Me()),
        ("self", Me()),
        ("Me", Me()),
        ("+999661234", Phone("999661234")),
        ("+49 (151) 123-45.67", Phone("491511234567")),
        ("999661234", Phone("999661234")),
        ("-1001234567890", Marked(-1001234567890)),
        ("-42", Marked(-42)),
        ("https://t.me/UserName", Username("username")),
        ("http://t.me/username/123", Username("username")),
        ("t.me/username?start=x", Username("username")),
        ("T.ME/username", Username("username")),
        ("https://telegram.me/@username", Username("username")),
        ("telegram.dog/username", Username("username")),
        ("https://t.me/s/username", Username("username")),
        ("https://username.t.me", Username("username")),
        ("username.t.me/5", Username("username")),
        ("https://t.me/c/1234567890/5", Marked(-1001234567890)),
        ("https://t.me/+491511234567", Phone("491511234567")),
        ("t.me/%2B491511234567", Phone("491511234567")),
        ("tg://resolve?domain=UserName&start=x", Username("username")),
        ("tg:resolve?domain=username", Username("username")),
        ("tg://resolve?phone=491511234567", Phone("491511234567")),
        ("tg://user?id=5000000001", Marked(5000000001)),
        ("tg://privatepost?channel=1234567890&post=5", Marked(-1001234567890)),
    ],
)
def test_names(text: str, name: Name) -> None:
    assert read_name(text) == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no username"),
        ("@", "no username"),
        ("1abc", "no username"),
        ("a", "no username"),
        ("_abc", "no username"),
        ("abc_", "no username"),
        ("a__b", "no username"),
        ("ж" * 5, "no username"),
        ("two words", "no username"),
        ("a" * 33, "no username"),
        ("-", "no username"),
        ("+12", "no username"),
        ("https://example.com/username", "another site"),
        ("https://t.me", "names nobody"),
        ("https://t.me/", "names nobody"),
        ("https://t.me/joinchat/AAAAAEkk2WdoDrB4-Q8-gg", "an invitation"),
        ("https://t.me/+AAAAAEkk2WdoDrB4", "an invitation"),
        ("tg://join?invite=AAAAAEkk2WdoDrB4", "an invitation"),
        ("https://t.me/addstickers/Animals", "something else"),
        ("https://t.me/c/name/5", "no username"),
        ("tg://settings", "something else"),
        ("tg://user?id=x", "something else"),
        ("https://[t.me/username", "no link"),
        ("tg://[", "no link"),
    ],
)
def test_what_names_nobody_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(PeerNotFound, match=reason):
        read_name(text)


@given(st.text(max_size=40) | st.text("tme.c/+@-_ 019ab:?=", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        name = read_name(text)
    except PeerNotFound:
        return
    assert isinstance(name, Me | Username | Phone | Marked)


@given(st.text("tg.me/:?=&[]@#%", max_size=30))
def test_any_link_is_read_or_refused(rest: str) -> None:
    for start in ("https://", "tg://", "t.me/"):
        with contextlib.suppress(PeerNotFound):
            read_name(start + rest)
