"""Texts and entities (C0.2.4, C0.2.5). Offsets are UTF-16 code units."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.server import text
from radiogram.server.rpc import RpcFault
from radiogram.server.text import Formatted
from radiogram.tl import api
from tests.server.stage import fault

GRIN = "\N{GRINNING FACE}"


def known_user(user: api.TypeInputUser) -> int:
    if isinstance(user, api.InputUser) and user.access_hash == 1:
        return user.user_id
    raise RpcFault(400, "USER_ID_INVALID")


def prepare(message: str, *entities: Any, automatic: bool = False) -> Formatted:
    return text.prepare(message, entities, limit=4096, user_of=known_user, automatic=automatic)


def bold(offset: int, length: int) -> api.MessageEntityBold:
    return api.MessageEntityBold(offset=offset, length=length)


# ------------------------------------------------------------------ bounds


@pytest.mark.parametrize(
    "entity",
    [bold(-1, 2), bold(0, -1), bold(0, 6), bold(5, 1), bold(2**31 - 1, 2**31 - 1)],
)
def test_c0_2_5_out_of_bounds(entity: Any) -> None:
    with fault("ENTITY_BOUNDS_INVALID"):
        prepare("hello", entity)


@pytest.mark.parametrize("entity", [bold(0, 2), bold(2, 2), bold(1, 4), bold(5, 1)])
def test_c0_2_5_within_bounds(entity: Any) -> None:
    assert prepare("hello!", entity).entities == [entity]


def test_c0_2_5_whole_surrogate_pair() -> None:
    assert prepare(f"a{GRIN}b", bold(1, 2)).entities == [bold(1, 2)]


@pytest.mark.parametrize("entity", [bold(2, 1), bold(0, 2), bold(1, 1)])
def test_c0_2_5_no_half_of_a_surrogate_pair(entity: Any) -> None:
    with fault("ENTITY_BOUNDS_INVALID"):
        prepare(f"a{GRIN}", entity)


def test_empty_and_unknown_entities_are_left_out() -> None:
    unknown = api.MessageEntityUnknown(offset=0, length=1)
    nowhere = api.MessageEntityTextUrl(offset=0, length=1, url="  ")
    hashless = api.MessageEntityMentionName(offset=0, length=1, user_id=5)
    assert prepare("hello", bold(2, 0), unknown, nowhere, hashless).entities == []


# ------------------------------------------------------------------ cleaning


def test_c0_2_4_trimming_moves_entities() -> None:
    found = prepare(" \n hello \n ", bold(0, 5), bold(3, 5), bold(6, 5), bold(8, 3))
    assert found == ("hello", [bold(0, 5), bold(0, 2), bold(3, 2)])


def test_carriage_returns_are_dropped() -> None:
    assert prepare("a\r\nb\r\nc", bold(3, 4)) == ("a\nb\nc", [bold(2, 3)])
    assert prepare("a\rb", bold(1, 1)) == ("ab", [])


def test_what_cannot_be_stored_is_replaced() -> None:
    assert prepare("a\x00\udcffb\x1fc").text == "a \N{REPLACEMENT CHARACTER}b c"
    assert prepare("tab\there\nthere").text == "tab\there\nthere"


def test_mention_of_a_user() -> None:
    user = api.InputUser(user_id=7, access_hash=1)
    mention = api.InputMessageEntityMentionName(offset=0, length=3, user_id=user)
    assert prepare("you there", mention).entities == [
        api.MessageEntityMentionName(offset=0, length=3, user_id=7)
    ]
    stranger = api.InputUser(user_id=7, access_hash=2)
    with fault("ENTITY_MENTION_USER_INVALID"):
        prepare("you", api.InputMessageEntityMentionName(offset=0, length=3, user_id=stranger))


def test_limits_of_entities() -> None:
    message = "x" * 4096
    many = [bold(number, 1) for number in range(300)]
    assert len(prepare(message, *many).entities) == text.MAX_ENTITIES
    link = api.MessageEntityTextUrl(offset=0, length=1, url="https://x/" + "y" * 1000)
    with fault("ENTITIES_TOO_LONG"):
        prepare(message, *[link] * 100)


# ------------------------------------------------------------------ automatic entities


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("see https://example.com/a?b=c.", [("Url", "https://example.com/a?b=c")]),
        ("(http://x.org/y)", [("Url", "http://x.org/y")]),
        ("http://x.org/a_(b)", [("Url", "http://x.org/a_(b)")]),
        ("www.telegram.org!", [("Url", "www.telegram.org")]),
        ("t.me/durov", [("Url", "t.me/durov")]),
        ("end.of sentence.Next", []),
        ("mail me@example.com now", [("Email", "me@example.com")]),
        ("@durov, hi", [("Mention", "@durov")]),
        ("a@durov @x", []),
        ("#tag #2nd #42 ##no", [("Hashtag", "#tag"), ("Hashtag", "#2nd")]),
        ("$USD 5$", [("Cashtag", "$USD")]),
        ("/start now /help@some_bot", [("BotCommand", "/start"), ("BotCommand", "/help@some_bot")]),
        ("and/or 1/2 a//b", []),
        ("call +4915112345678", [("Phone", "+4915112345678")]),
        ("1 + 1", []),
        (
            f"{GRIN} #ta\N{GREEK SMALL LETTER GAMMA}",
            [("Hashtag", "#ta\N{GREEK SMALL LETTER GAMMA}")],
        ),
    ],
)
def test_automatic(message: str, expected: list[tuple[str, str]]) -> None:
    units = message.encode("utf-16-le")
    found = [
        (
            type(entity).__name__.removeprefix("MessageEntity"),
            units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le"),
        )
        for entity in prepare(message, automatic=True).entities
    ]
    assert found == expected


def test_automatic_not_within_code() -> None:
    code = api.MessageEntityCode(offset=0, length=6)
    found = prepare("/start @durov", code, automatic=True)
    assert found.entities == [code, api.MessageEntityMention(offset=7, length=6)]
    styled = prepare("/start", bold(0, 6), automatic=True).entities
    assert styled == [bold(0, 6), api.MessageEntityBotCommand(offset=0, length=6)]


# ------------------------------------------------------------------ anything at all


@given(
    message=st.text(max_size=60),
    spans=st.lists(st.tuples(st.integers(-3, 70), st.integers(-3, 70)), max_size=5),
    automatic=st.booleans(),
)
def test_whatever_is_accepted_is_in_bounds(
    message: str, spans: list[tuple[int, int]], automatic: bool
) -> None:
    refusal = ""
    try:
        found = prepare(message, *(bold(*span) for span in spans), automatic=automatic)
    except RpcFault as error:
        refusal = error.message
    if refusal:
        assert refusal in ("ENTITY_BOUNDS_INVALID", "MESSAGE_EMPTY")
        return
    units = found.text.encode("utf-16-le")
    for entity in found.entities:
        part = units[2 * entity.offset : 2 * (entity.offset + entity.length)]
        assert len(part) == 2 * entity.length > 0
        part.decode("utf-16-le")
    again = prepare(
        found.text, *(e for e in found.entities if isinstance(e, api.MessageEntityBold))
    )
    assert again.text == found.text


@pytest.mark.parametrize("unit", ["a.", "/a", "@a", "#a", "$A", "+1", "a@", "http://", "a@a.", "."])
def test_long_texts_are_searched_in_linear_time(unit: str) -> None:
    prepare((unit * 4096)[:4096], automatic=True)
