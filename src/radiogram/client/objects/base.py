"""Layer 4, client: what all friendly objects have in common, and those who came with them.

Knows raw objects. Must not know how anything is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from radiogram.client.ids import mark_channel, mark_chat
from radiogram.tl import api
from radiogram.tl.base import TLObject

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient

R = TypeVar("R", bound=TLObject)


class Friendly(Generic[R]):
    """A raw object with the client that received it; equal to another over an equal raw object."""

    __slots__ = ("_client", "raw")

    def __init__(self, client: TelegramClient, raw: R) -> None:
        self._client = client
        self.raw = raw
        """The raw object."""

    @property
    def client(self) -> TelegramClient:
        """The client that received it."""
        return self._client

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Friendly):
            return NotImplemented
        return type(other) is type(self) and bool(other.raw == self.raw)

    def __hash__(self) -> int:
        return hash((type(self), getattr(self.raw, "id", None)))


class Company:
    """The users and chats that came with a result: whom its objects are about."""

    __slots__ = ("peers",)

    def __init__(self, users: Iterable[Any] = (), chats: Iterable[Any] = ()) -> None:
        self.peers: dict[int, Any] = {user.id: user for user in users}
        """Raw users and chats by marked id."""
        for chat in chats:
            self.peers[marked_chat(chat)] = chat

    @classmethod
    def of(cls, result: Any) -> Company:
        """Collect those of a result or of updates."""
        return cls(getattr(result, "users", None) or (), getattr(result, "chats", None) or ())


def marked_chat(chat: Any) -> int:
    """Return the marked id of a raw group or channel."""
    if isinstance(chat, api.Channel | api.ChannelForbidden):
        return mark_channel(chat.id)
    return mark_chat(int(chat.id))


def marked_peer(peer: Any) -> int | None:
    """Return the marked id of a Peer; None if it is none."""
    match peer:
        case api.PeerUser():
            return peer.user_id
        case api.PeerChat():
            return mark_chat(peer.chat_id)
        case api.PeerChannel():
            return mark_channel(peer.channel_id)
    return None


def moment(seconds: int | None) -> datetime | None:
    """Return Telegram's time as an aware datetime, in UTC; None for none."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def seconds_of(when: datetime | int | None) -> int | None:
    """Return a moment as Telegram counts it; naive datetimes are local time, as Python has it."""
    return int(when.timestamp()) if isinstance(when, datetime) else when
