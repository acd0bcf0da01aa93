"""Every kind of event, made of the updates that Telegram has for it."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram import api, events
from radiogram.client.gaps import Delivery
from radiogram.events import Pattern, filters
from radiogram.testing import StubTelegram

ADA = api.PeerUser(user_id=5)
CLUB = api.PeerChat(chat_id=9)
ROOM = api.PeerChannel(channel_id=3)
TEXT = api.Message(id=1, peer_id=ADA, date=0, message="hello")
POST = api.Message(id=1, peer_id=ROOM, date=0, message="hello", post=True)
NOTICE = api.MessageService(id=2, peer_id=CLUB, date=0, action=api.MessageActionPinMessage())
TYPES = api.SendMessageTypingAction()

KINDS: list[tuple[Pattern[Any], Any, int | None, dict[str, Any]]] = [
    (
        events.NewMessage(),
        api.UpdateNewMessage(message=TEXT, pts=2, pts_count=1),
        5,
        {"text": "hello", "sender_id": 5, "is_private": True},
    ),
    (
        events.NewMessage(),
        api.UpdateNewChannelMessage(message=POST, pts=2, pts_count=1),
        -1_000_000_000_003,
        {"sender_id": None, "is_private": False},
    ),
    (
        events.MessageEdited(),
        api.UpdateEditMessage(message=TEXT, pts=2, pts_count=1),
        5,
        {"text": "hello"},
    ),
    (
        events.ChatAction(),
        api.UpdateNewMessage(message=NOTICE, pts=2, pts_count=1),
        -9,
        {"action": api.MessageActionPinMessage(), "is_group": True, "text": ""},
    ),
    (
        events.MessagesDeleted(),
        api.UpdateDeleteMessages(messages=[1, 2], pts=3, pts_count=2),
        None,
        {"ids": [1, 2]},
    ),
    (
        events.MessagesDeleted(),
        api.UpdateDeleteChannelMessages(channel_id=3, messages=[1], pts=3, pts_count=1),
        -1_000_000_000_003,
        {"ids": [1]},
    ),
    (
        events.MessagesPinned(),
        api.UpdatePinnedMessages(pinned=True, peer=ADA, messages=[1], pts=2, pts_count=1),
        5,
        {"ids": [1], "pinned": True},
    ),
    (
        events.MessagesPinned(),
        api.UpdatePinnedChannelMessages(channel_id=3, messages=[1], pts=2, pts_count=1),
        -1_000_000_000_003,
        {"ids": [1], "pinned": False},
    ),
    (
        events.MessagesRead(),
        api.UpdateReadHistoryInbox(peer=ADA, max_id=7, still_unread_count=0, pts=2, pts_count=1),
        5,
        {"max_id": 7, "outbox": False},
    ),
    (
        events.MessagesRead(),
        api.UpdateReadHistoryOutbox(peer=CLUB, max_id=7, pts=2, pts_count=1),
        -9,
        {"max_id": 7, "outbox": True},
    ),
    (
        events.MessagesRead(),
        api.UpdateReadChannelInbox(channel_id=3, max_id=7, still_unread_count=0, pts=2),
        -1_000_000_000_003,
        {"max_id": 7, "outbox": False},
    ),
    (
        events.MessagesRead(),
        api.UpdateReadChannelOutbox(channel_id=3, max_id=7),
        -1_000_000_000_003,
        {"max_id": 7, "outbox": True},
    ),
    (
        events.Typing(),
        api.UpdateUserTyping(user_id=5, action=TYPES),
        5,
        {"user_id": 5, "action": TYPES},
    ),
    (
        events.Typing(),
        api.UpdateChatUserTyping(chat_id=9, from_id=ADA, action=TYPES),
        -9,
        {"user_id": 5},
    ),
    (
        events.Typing(),
        api.UpdateChannelUserTyping(channel_id=3, from_id=ADA, action=TYPES),
        -1_000_000_000_003,
        {"user_id": 5},
    ),
    (
        events.CallbackQuery(),
        api.UpdateBotCallbackQuery(
            query_id=1, user_id=5, peer=CLUB, msg_id=2, chat_instance=0, data=b"yes"
        ),
        -9,
        {"data": b"yes", "user_id": 5},
    ),
    (
        events.CallbackQuery(),
        api.UpdateInlineBotCallbackQuery(
            query_id=1,
            user_id=5,
            msg_id=api.InputBotInlineMessageID(dc_id=2, id=1, access_hash=0),
            chat_instance=0,
        ),
        5,
        {"data": b"", "user_id": 5},
    ),
    (
        events.InlineQuery(),
        api.UpdateBotInlineQuery(query_id=1, user_id=5, query="tide", offset=""),
        5,
        {"query": "tide"},
    ),
    (events.UpdatesLost(), api.UpdatesTooLong(), None, {}),
    (
        events.UpdatesLost(),
        api.UpdateChannelTooLong(channel_id=3),
        -1_000_000_000_003,
        {},
    ),
    (
        events.Raw(types=[api.UpdateUserStatus]),
        api.UpdateUserStatus(user_id=5, status=api.UserStatusOnline(expires=1)),
        5,
        {},
    ),
]


def told(update: Any) -> Delivery:
    line = getattr(update, "channel_id", None)
    if line is None:
        peer = getattr(getattr(update, "message", None), "peer_id", None)
        line = getattr(peer, "channel_id", None)
    return Delivery(update=update, channel_id=line, key="key", users={}, chats={})


@pytest.mark.parametrize(
    ("pattern", "update", "chat_id", "facts"),
    KINDS,
    ids=[f"{type(one[0]).__name__}-{one[1].TL_NAME}" for one in KINDS],
)
def test_each_kind(
    pattern: Pattern[Any], update: Any, chat_id: int | None, facts: dict[str, Any]
) -> None:
    client = StubTelegram()
    event = pattern.match(client, told(update))
    assert event is not None
    assert event.chat_id == chat_id
    assert {name: getattr(event, name) for name in facts} == facts
    assert event.key in repr(event)
    assert event.update is update
    others = [
        other
        for other in {type(one[0]): one[0] for one in KINDS}.values()
        if type(other) is not type(pattern)
    ]
    assert not [other for other in others if other.match(client, told(update)) is not None]
    assert events.Raw().match(client, told(update)) is not None
    assert events.SessionEnded().match(client, told(update)) is None


def test_the_list_is_complete() -> None:
    patterns = {
        value
        for name in events.__all__
        if isinstance(value := getattr(events, name), type) and issubclass(value, Pattern)
    }
    elsewhere = {Pattern, events.Album, events.SessionEnded, events.ConnectionLost}
    assert {type(one[0]) for one in KINDS} == patterns - elsewhere


async def test_filters_combine() -> None:
    mine = events.NewMessage(~filters.incoming | filters.text("HELLO") & filters.sender(5))
    update = api.UpdateNewMessage(message=TEXT, pts=2, pts_count=1)
    assert mine.match(StubTelegram(), told(update)) is not None
    assert "text" in repr(mine)
