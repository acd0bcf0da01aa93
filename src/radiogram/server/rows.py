"""Server layer: what the statements give and take: rows of accounts, messages and dialogs.

Knows no table, no statement and no TL object.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

_CHUNK = 500
"""Values in one IN list; every database takes as many."""


class Peer(NamedTuple):
    """A chat as the rows know it: one of the PEER_ constants, and an id."""

    type: int
    id: int


class UserRow(NamedTuple):
    """What the server needs to know of an account to show it or to write in its box."""

    id: int
    phone: str | None
    first_name: str
    last_name: str
    username: str | None
    is_bot: bool
    deleted: bool
    pts: int
    qts: int
    next_message_id: int
    access_secret: bytes
    online_until: int
    limited: bool


class Side(NamedTuple):
    """One of two accounts, and what it holds about the other one."""

    user: UserRow
    contact: ContactRow | None
    blocks: bool
    """Whether it has blocked the other."""
    dialog: DialogRow | None


class ContactRow(NamedTuple):
    """An entry of an address book."""

    owner_id: int
    user_id: int
    phone: str | None
    first_name: str
    last_name: str
    mutual: bool


class DialogRow(NamedTuple):
    """A chat in the list of an account."""

    user_id: int
    peer_type: int
    peer_id: int
    top_message: int
    read_inbox_max_id: int
    read_outbox_max_id: int
    unread_count: int
    hidden: bool
    can_pin: bool

    @property
    def peer(self) -> Peer:
        return Peer(self.peer_type, self.peer_id)


class Content(NamedTuple):
    """A message, without the copies of it."""

    sender_id: int
    date: int
    text: str = ""
    edit_date: int | None = None
    edit_hide: bool = False
    silent: bool = False
    mentions_all: bool = False
    noforwards: bool = False
    post: bool = False
    post_author: str | None = None
    from_chat_id: int | None = None
    topic_id: int | None = None
    entities: bytes | None = None
    reply: bytes | None = None
    fwd_from: bytes | None = None
    reply_markup: bytes | None = None
    action: bytes | None = None


class MessageRow(NamedTuple):
    """The copy of a message in one box, with its content."""

    box_id: int
    id: int
    content_id: int
    peer_type: int
    peer_id: int
    out: bool
    pinned: bool
    reply_to_id: int | None
    sender_id: int
    date: int
    text: str
    edit_date: int | None
    edit_hide: bool
    silent: bool
    mentions_all: bool
    noforwards: bool
    post: bool
    post_author: str | None
    from_chat_id: int | None
    topic_id: int | None
    entities: bytes | None
    reply: bytes | None
    fwd_from: bytes | None
    reply_markup: bytes | None
    action: bytes | None
    views: int | None = None
    forwards: int | None = None

    @property
    def peer(self) -> Peer:
        return Peer(self.peer_type, self.peer_id)


class EventRow(NamedTuple):
    """A change of a box, as the log of events keeps it."""

    box_id: int
    pts: int
    pts_count: int
    date: int
    kind: int
    message_id: int | None = None
    random_id: int | None = None
    payload: bytes | None = None


def columns(table: Any, names: Iterable[str]) -> list[Any]:
    """Return columns of a table by name."""
    return [table.c[name] for name in names]


def chunks(values: Iterable[T]) -> Iterable[list[T]]:
    """Cut values into lists that fit into one statement."""
    iterator = iter(values)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
