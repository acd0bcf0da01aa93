"""Layer 4, client: messages that were sent together, as one album.

Knows ``grouped_id``, and that the messages of an album follow each other in their chat. Has no
task or clock: time is an argument, and the wait is a deadline. Must not know who handles albums.

Theory of operation. Telegram tells of an album as of so many single messages, and never how many
there are. An album is complete when another message comes in its chat, when it has as many as an
album can have, or when nothing came for a moment; the wait is bounded as a whole too. A message
that comes later than that makes another album of the same ``grouped_id``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from radiogram.client.gaps import Delivery
from radiogram.tl import api

WAIT = 0.3
"""Seconds without another message after which an album counts as complete."""
LONGEST_WAIT = 1.0
"""Seconds after the first message after which it does in any case."""
MOST = 10
"""Messages that an album has at most."""

T = TypeVar("T")

_NEW = (api.UpdateNewMessage, api.UpdateNewChannelMessage)


class Album(msgspec.Struct, frozen=True):
    """Messages with the same ``grouped_id``: what an event of an album carries as update."""

    messages: tuple[api.Message, ...]
    """In the order of their ids."""
    grouped_id: int

    @property
    def message(self) -> api.Message:
        """The first message: where and whose the album is."""
        return self.messages[0]


class Complete(NamedTuple, Generic[T]):
    """An album whose turn has come."""

    delivery: Delivery
    tokens: list[T]
    """What was given along with its messages."""


class _Open(Generic[T]):
    __slots__ = ("ends", "grouped_id", "parts", "until")

    def __init__(self, grouped_id: int, now: float) -> None:
        self.grouped_id = grouped_id
        self.parts: list[tuple[Delivery, T]] = []
        self.ends = now + LONGEST_WAIT
        self.until = now


class Albums(Generic[T]):
    """The albums of one account that are not complete."""

    def __init__(self) -> None:
        self._open: dict[object, _Open[T]] = {}

    def add(self, delivery: Delivery, chat: object, now: float) -> Iterator[Complete[T]]:
        """Look at an update before it is handed out; give the album that it completes."""
        update = delivery.update
        if chat not in self._open or not isinstance(update, _NEW):
            return
        if grouped_id_of(delivery) != self._open[chat].grouped_id:
            yield self._close(chat)

    def keep(self, delivery: Delivery, chat: object, token: T, now: float) -> Iterator[Complete[T]]:
        """Take a message of an album after it was handed out; give the album if it is full."""
        grouped_id = grouped_id_of(delivery)
        assert grouped_id is not None
        album = self._open.get(chat)
        if album is None:
            album = self._open[chat] = _Open(grouped_id, now)
        album.parts.append((delivery, token))
        album.until = min(now + WAIT, album.ends)
        if len(album.parts) >= MOST:
            yield self._close(chat)

    def next_deadline(self) -> float | None:
        """Return when :meth:`handle_deadline` is to be called next."""
        return min((album.until for album in self._open.values()), default=None)

    def handle_deadline(self, now: float) -> list[Complete[T]]:
        """Give the albums that were waited for long enough."""
        return [self._close(c) for c, album in list(self._open.items()) if album.until <= now]

    def _close(self, chat: object) -> Complete[T]:
        album = self._open.pop(chat)
        parts = [delivery for delivery, _ in album.parts]
        users: dict[int, Any] = {}
        chats: dict[int, Any] = {}
        for part in parts:
            users.update(part.users)
            chats.update(part.chats)
        found: dict[int, Any] = {}
        for part in parts:
            message: Any = part.update
            found[message.message.id] = message.message
        messages = tuple(found[number] for number in sorted(found))
        line = parts[0].channel_id
        key = "" if line is None else f"{line}:"
        delivery = Delivery(
            update=Album(messages=messages, grouped_id=album.grouped_id),
            channel_id=line,
            key=f"{key}Album:{album.grouped_id}:{messages[0].id}",
            users=users,
            chats=chats,
        )
        return Complete(delivery, [token for _, token in album.parts])


def grouped_id_of(delivery: Delivery) -> int | None:
    """Return the album that a new message belongs to; None if it is none, or belongs to none."""
    update: Any = delivery.update
    if not isinstance(update, _NEW):
        return None
    grouped_id: int | None = getattr(update.message, "grouped_id", None)
    return grouped_id
