"""A client signed in at a server without semantics, whose answers are written down by method."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from radiogram.client.client import TelegramClient
from radiogram.client.ids import mark_channel, mark_chat
from radiogram.sessions import PeerRecord, SessionData, StringSession
from radiogram.tl import api
from radiogram.tl.base import TLObject
from tests.client.fake import KNOWN, FakeServer, make_client

ME, ANNA, BEN, CLUB, ROOM, NEWS = 100, 101, 102, 55, 66, 77
"""This account, two users, a basic group, a supergroup, a channel."""
CLUB_ID, ROOM_ID, NEWS_ID = mark_chat(CLUB), mark_channel(ROOM), mark_channel(NEWS)
USER_ANNA = api.InputUser(user_id=ANNA, access_hash=1)
USER_BEN = api.InputUser(user_id=BEN, access_hash=2)
IN_ROOM = api.InputChannel(channel_id=ROOM, access_hash=6)
IN_NEWS = api.InputChannel(channel_id=NEWS, access_hash=7)

PEERS: dict[str, tuple[Any, api.TypePeer, api.TypeInputPeer]] = {
    "saved": ("me", api.PeerUser(user_id=ME), api.InputPeerSelf()),
    "private": (
        ANNA,
        api.PeerUser(user_id=ANNA),
        api.InputPeerUser(user_id=ANNA, access_hash=1),
    ),
    "group": (CLUB_ID, api.PeerChat(chat_id=CLUB), api.InputPeerChat(chat_id=CLUB)),
    "supergroup": (
        ROOM_ID,
        api.PeerChannel(channel_id=ROOM),
        api.InputPeerChannel(channel_id=ROOM, access_hash=6),
    ),
    "channel": (
        NEWS_ID,
        api.PeerChannel(channel_id=NEWS),
        api.InputPeerChannel(channel_id=NEWS, access_hash=7),
    ),
}
"""Kinds of chat: how the tests name the one they have, its Peer, and its InputPeer."""

Answer = Any
"""A result, an error as (code, message), or a function that makes either of the request."""


class Script(FakeServer):
    """Answers by method; a list of answers is used up one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[type, Answer] = {}
        self.answer = self._by_method

    def on(self, method: type, *answers: Answer) -> None:
        """Answer a method: in turn, or always the same if there is only one answer."""
        self.answers[method] = answers[0] if len(answers) == 1 else list(answers)

    def _by_method(self, request: Any) -> Any:
        answer = self.answers.get(type(request))
        if isinstance(answer, list):
            answer = answer.pop(0)
        return answer(request) if callable(answer) and not isinstance(answer, TLObject) else answer

    @property
    def asked(self) -> list[Any]:
        """What was called since the client is there."""
        return [call for call in self.calls if not isinstance(call, api.help.GetConfig)]


def signed_in(server: Script, *, is_bot: bool = False) -> TelegramClient:
    """Make a client that knows everybody here."""
    session = StringSession()
    session.data = SessionData(dc_id=2, auth_key=KNOWN.data, user_id=ME, is_bot=is_bot)
    session.remember(
        [
            PeerRecord(ANNA, 1, ("anna",)),
            PeerRecord(BEN, 2, ("ben",)),
            PeerRecord(ROOM_ID, 6, ("the_room",)),
            PeerRecord(NEWS_ID, 7, ("the_news",)),
        ]
    )
    return make_client(server, session)


# ── raw objects ──────────────────────────────────────────────────────────────────────────────────


def user(user_id: int, name: str = "", **more: Any) -> api.User:
    return api.User(id=user_id, access_hash=user_id - 100 or 9, first_name=name or None, **more)


def group(title: str = "Club", **more: Any) -> api.Chat:
    photo = api.ChatPhotoEmpty()
    more = {"participants_count": 3, "date": 5, "version": 1, **more}
    return api.Chat(id=CLUB, title=title, photo=photo, **more)


def channel(channel_id: int = ROOM, title: str = "Room", **more: Any) -> api.Channel:
    photo = api.ChatPhotoEmpty()
    more = {"access_hash": 6, "megagroup": channel_id == ROOM, **more}
    if not more["megagroup"]:
        more = {"broadcast": True, **more}
    return api.Channel(id=channel_id, title=title, photo=photo, date=5, **more)


def message(message_id: int, peer: api.TypePeer, text: str = "hello", **more: Any) -> api.Message:
    more.setdefault("from_id", api.PeerUser(user_id=ME))
    return api.Message(id=message_id, peer_id=peer, date=1_700_000_000, message=text, **more)


def service(
    message_id: int, peer: api.TypePeer, action: api.TypeMessageAction, **more: Any
) -> api.MessageService:
    more.setdefault("from_id", api.PeerUser(user_id=ME))
    return api.MessageService(
        id=message_id, peer_id=peer, date=1_700_000_000, action=action, **more
    )


def new(raw: api.TypeMessage) -> api.TypeUpdate:
    """Wrap a new message as the box of its chat does."""
    make: Callable[..., api.TypeUpdate] = api.UpdateNewMessage
    if isinstance(getattr(raw, "peer_id", None), api.PeerChannel):
        make = api.UpdateNewChannelMessage
    return make(message=raw, pts=10, pts_count=1)


def edited(raw: api.TypeMessage) -> api.TypeUpdate:
    make: Callable[..., api.TypeUpdate] = api.UpdateEditMessage
    if isinstance(getattr(raw, "peer_id", None), api.PeerChannel):
        make = api.UpdateEditChannelMessage
    return make(message=raw, pts=10, pts_count=1)


def sent_as(number: int) -> api.UpdateMessageID:
    return api.UpdateMessageID(id=number, random_id=1)


def updates(*inner: api.TypeUpdate, users: Iterable[Any] = (), chats: Iterable[Any] = ()) -> Any:
    return api.Updates(
        updates=list(inner), users=list(users), chats=list(chats), date=1_700_000_000, seq=0
    )


def listed(
    *found: api.TypeMessage, count: int | None = None, users: Any = (), chats: Any = ()
) -> api.messages.TypeMessages:
    """List messages: all there are, or with a count some of them."""
    company: dict[str, Any] = {"users": list(users), "chats": list(chats)}
    more = {"messages": list(found), "topics": [], **company}
    if count is None:
        return api.messages.Messages(**more)
    return api.messages.MessagesSlice(count=count, **more)
