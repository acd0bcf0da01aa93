"""Reading messages: by id, by page, by search (C0.4, C4)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.server import paging
from radiogram.tl import api
from tests.server.stage import NOON, Stage, fault


def ids(result: Any) -> list[int]:
    return [message.id for message in result.messages]


@pytest.fixture
def chat(stage: Stage) -> Stage:
    """Ten messages of Ann to Bob (ids 1, 3, 5 ... 19), one a minute, and as many notes."""
    for number in range(10):
        stage.send(stage.ann, stage.bob, f"message {number}")
        stage.send(stage.ann, stage.ann, "note")
        stage.world.clock.advance(60)
    return stage


# ------------------------------------------------------------------ getMessages


def test_get_messages_keeps_order_and_gaps(chat: Stage) -> None:
    wanted = [5, 99, 1, 5, 0, -3]
    found = chat.call(
        chat.ann, api.messages.GetMessages(id=[api.InputMessageID(id=i) for i in wanted])
    )
    assert ids(found) == wanted
    assert [type(message).__name__ for message in found.messages] == [
        "Message",
        "MessageEmpty",
        "Message",
        "Message",
        "MessageEmpty",
        "MessageEmpty",
    ]
    assert {user.id for user in found.users} == {chat.ann, chat.bob}


def test_get_messages_of_a_bot(stage: Stage) -> None:
    stage.send(stage.ann, stage.bot, "/start")
    answer = stage.send(
        stage.bot, stage.ann, "hi", reply_to=api.InputReplyToMessage(reply_to_msg_id=1)
    )
    found = stage.call(
        stage.bot,
        api.messages.GetMessages(
            id=[
                api.InputMessageReplyTo(id=answer),
                api.InputMessageReplyTo(id=1),
                api.InputMessageCallbackQuery(id=answer, query_id=5),
                api.InputMessagePinned(),
            ]
        ),
    )
    assert ids(found) == [1, 0, answer, 0]


def test_get_messages_is_bounded(stage: Stage) -> None:
    with fault("MESSAGE_IDS_EMPTY"):
        stage.call(stage.ann, api.messages.GetMessages(id=[]))
    many: list[api.TypeInputMessage] = [api.InputMessageID(id=1)] * 201
    with fault("MESSAGE_ID_INVALID"):
        stage.call(stage.ann, api.messages.GetMessages(id=many))


# ------------------------------------------------------------------ getHistory


def test_whole_history(chat: Stage) -> None:
    found = chat.history(chat.ann, chat.bob)
    assert isinstance(found, api.messages.Messages)
    assert ids(found) == list(range(19, 0, -2))
    assert {user.id for user in found.users} == {chat.ann, chat.bob}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"limit": 3}, [19, 17, 15]),
        ({"offset_id": 9, "limit": 3}, [7, 5, 3]),
        ({"offset_id": 10, "limit": 3}, [9, 7, 5]),  # an id of another chat
        ({"offset_id": 9, "add_offset": -1, "limit": 3}, [9, 7, 5]),
        ({"offset_id": 9, "add_offset": -3, "limit": 3}, [13, 11, 9]),
        ({"offset_id": 9, "add_offset": -5, "limit": 2}, [17, 15]),
        ({"offset_id": 9, "add_offset": 2, "limit": 3}, [3, 1]),
        ({"offset_id": 17, "add_offset": -5, "limit": 4}, [19]),  # clipped at the newest
        ({"offset_id": 1, "limit": 5}, []),
        ({"offset_id": 1, "add_offset": -2, "limit": 5}, [3, 1]),
        ({"add_offset": 8, "limit": 5}, [3, 1]),
        ({"add_offset": -5, "limit": 5}, []),
        ({"add_offset": -5, "limit": 6}, [19]),
        ({"offset_date": NOON + 180, "limit": 2}, [5, 3]),
        ({"offset_date": NOON, "limit": 2}, []),
        ({"offset_date": NOON, "add_offset": -2, "limit": 2}, [3, 1]),
        ({"max_id": 15, "min_id": 5, "limit": 20}, [13, 11, 9, 7]),
        ({"limit": 3, "max_id": 17}, [15]),  # after the page was cut
        ({"limit": 0}, list(range(19, 0, -2))),
        ({"limit": -7}, list(range(19, 0, -2))),
        ({"limit": 2**31 - 1, "add_offset": 2**31 - 1}, []),
        ({"limit": 2**31 - 1, "add_offset": -(2**31)}, []),
        ({"offset_id": 2**31 - 1, "limit": 1}, [19]),
        ({"offset_id": -5, "min_id": -5, "max_id": -5, "limit": 1}, [19]),
    ],
)
def test_c0_4_pages(chat: Stage, options: dict[str, int], expected: list[int]) -> None:
    found = chat.history(chat.ann, chat.bob, **options)
    assert ids(found) == expected
    if len(expected) < 10:
        assert found.count == 10


def test_c0_4_hash(chat: Stage) -> None:
    page = ids(chat.history(chat.ann, chat.bob, limit=3))
    known = paging.list_hash(page)
    same = chat.history(chat.ann, chat.bob, limit=3, hash=known)
    assert same == api.messages.MessagesNotModified(count=10)
    assert ids(chat.history(chat.ann, chat.bob, limit=4, hash=known)) == [*page, 13]


def test_c0_4_hash_is_a_signed_64_bit_number() -> None:
    # h = 0; each id: h ^= h >> 21; h ^= h << 35; h ^= h >> 4; h += id (modulo 2^64)
    assert paging.list_hash([]) == 0
    assert paging.list_hash([7]) == 7
    shifted = 1 | 1 << 35
    assert paging.list_hash([1, 1]) == (shifted ^ shifted >> 4) + 1
    assert -(2**63) <= paging.list_hash(range(1, 500)) < 2**63


def test_history_is_capped_at_a_hundred(stage: Stage) -> None:
    for _ in range(105):
        stage.send(stage.ann, stage.ann)
    assert ids(stage.history(stage.ann, stage.ann, limit=200)) == list(range(105, 5, -1))
    assert len(ids(stage.history(stage.ann, stage.ann, limit=0))) == 20


def test_history_of_nobody(stage: Stage) -> None:
    assert stage.history(stage.ann, stage.bob).messages == []
    with fault("PEER_ID_INVALID"):
        stage.call(
            stage.ann,
            api.messages.GetHistory(
                peer=api.InputPeerEmpty(),
                offset_id=0,
                offset_date=0,
                add_offset=0,
                limit=1,
                max_id=0,
                min_id=0,
                hash=0,
            ),
        )


def test_bots_have_no_history(stage: Stage) -> None:
    with fault("BOT_METHOD_INVALID"):
        stage.history(stage.bot, stage.ann)


@given(
    kept=st.sets(st.integers(1, 30), max_size=30),
    offset_id=st.integers(-1, 32),
    add_offset=st.integers(-40, 40),
    limit=st.integers(1, 40),
)
def test_c0_4_page_of_a_list(kept: set[int], offset_id: int, add_offset: int, limit: int) -> None:
    newest_first = sorted(kept, reverse=True)
    before = sum(1 for number in newest_first if number >= offset_id) if offset_id > 0 else 0
    expected = [
        number
        for place, number in enumerate(newest_first)
        if before + add_offset <= place < before + add_offset + limit
    ]
    found = paging.page(newest_first, offset_id=offset_id, add_offset=add_offset, limit=limit)
    assert list(found) == expected


# ------------------------------------------------------------------ search


@pytest.fixture
def library(stage: Stage) -> Stage:
    stage.send(stage.ann, stage.bob, "The STRASSE is long")
    stage.world.clock.advance(60)
    stage.send(stage.bob, stage.ann, "a straße https://example.com")
    stage.world.clock.advance(60)
    stage.send(stage.ann, stage.bob, "nothing here")
    stage.send(stage.ann, stage.eve, "strasse elsewhere")
    return stage


def test_search_text(library: Stage) -> None:
    assert ids(library.search(library.ann, library.bob, q="Strasse")) == [2, 1]
    assert ids(library.search(library.ann, None, q="strasse")) == [4, 2, 1]
    assert ids(library.search(library.ann, library.bob, q="nowhere")) == []


def test_search_by_sender_and_date(library: Stage) -> None:
    ann, bob = library.ann, library.bob
    from_bob = library.input_peer(ann, bob)
    assert ids(library.search(ann, bob, from_id=from_bob)) == [2]
    assert ids(library.search(ann, bob, q="s", from_id=api.InputPeerSelf())) == [1]
    assert ids(library.search(ann, bob, q="e", min_date=NOON)) == [3, 2]
    assert ids(library.search(ann, bob, q="e", max_date=NOON + 120)) == [2, 1]
    assert ids(library.search(ann, bob, q="e", min_date=NOON, max_date=NOON + 120)) == [2]


def test_search_filters(library: Stage) -> None:
    ann, bob = library.ann, library.bob
    assert ids(library.search(ann, bob, filter=api.InputMessagesFilterUrl())) == [2]
    for nothing in (
        api.InputMessagesFilterPhotos(),
        api.InputMessagesFilterDocument(),
        api.InputMessagesFilterMyMentions(),
        api.InputMessagesFilterPhoneCalls(),
        api.InputMessagesFilterPinned(),
    ):
        assert ids(library.search(ann, bob, filter=nothing)) == []


def test_search_pages(chat: Stage) -> None:
    found = chat.search(chat.ann, chat.bob, q="message", limit=2, offset_id=15)
    assert (ids(found), found.count) == ([13, 11], 10)
    found = chat.search(chat.ann, chat.bob, q="message", limit=4, max_id=17, min_id=15)
    assert (ids(found), found.count) == ([], 10)
    counted = chat.search(chat.ann, chat.bob, q="message", limit=0)
    assert (ids(counted), counted.count) == ([], 10)
    known = paging.list_hash([19, 17])
    same = chat.search(chat.ann, chat.bob, q="message", limit=2, hash=known)
    assert same == api.messages.MessagesNotModified(count=10)


def test_search_saved_messages_by_origin(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann, "from bob")
    stage.forward(stage.ann, stage.bob, [1], stage.ann)
    stage.send(stage.ann, stage.ann, "own note")
    found = stage.search(
        stage.ann, stage.ann, q="o", saved_peer_id=stage.input_peer(stage.ann, stage.bob)
    )
    assert ids(found) == [2]
    found = stage.search(stage.ann, stage.ann, q="o", saved_peer_id=api.InputPeerSelf())
    assert ids(found) == [3]
    with fault("PEER_ID_INVALID"):
        stage.search(stage.ann, stage.bob, q="o", saved_peer_id=api.InputPeerSelf())


def test_search_finds_nothing_by_what_does_not_exist(library: Stage) -> None:
    found = library.search(library.ann, library.bob, q="s", top_msg_id=1)
    assert (ids(found), len(found.messages)) == ([], 0)
    reaction = api.ReactionEmoji(emoticon="x")
    assert ids(library.search(library.ann, library.bob, q="s", saved_reaction=[reaction])) == []


def test_search_is_refused(stage: Stage) -> None:
    with fault("SEARCH_QUERY_EMPTY"):
        stage.search(stage.ann, stage.bob, q="  ")
    with fault("FROM_PEER_INVALID"):
        stage.search(stage.ann, stage.bob, q="x", from_id=api.InputPeerEmpty())
    with fault("BOT_METHOD_INVALID"):
        stage.search(stage.bot, stage.ann, q="x")
