"""Server layer: the topics of a forum (C4).

Knows their rows and how they are shown. A topic has the id of the message that opened it, and
the messages in it name it; General, 1, is there without a row until something about it changes,
and what names no topic is in it. Knows nothing of who may change a topic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from radiogram.server import chat_store, dialog_list, render, rights, store
from radiogram.server.chat_store import ChatRow
from radiogram.server.db import boxes, messages, topics
from radiogram.server.delivery import GENERAL
from radiogram.server.peers import Room
from radiogram.server.store import MessageRow, columns
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context

COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)
"""The colours that the icon of a topic can have; the first is that of whoever chooses none."""


class TopicRow(NamedTuple):
    """A topic of a forum."""

    chat_id: int
    id: int
    title: str
    icon_color: int
    icon_emoji_id: int | None
    creator_id: int
    date: int
    closed: bool
    hidden: bool
    pinned_order: int | None
    """None: not pinned; the highest comes first."""


_COLUMNS = columns(topics, TopicRow._fields)
_TOPIC = func.coalesce(messages.c.topic_id, GENERAL)


def insert_topic(tx: Connection, row: TopicRow) -> None:
    """Store a new topic."""
    tx.execute(insert(topics).values(**row._asdict()))


def load(tx: Connection, chat: ChatRow) -> dict[int, TopicRow]:
    """Read all topics of a forum, by id."""
    statement = select(*_COLUMNS).where(topics.c.chat_id == chat.id)
    found = {row.id: row for row in map(TopicRow._make, tx.execute(statement))}
    found.setdefault(GENERAL, _general(chat))
    return found


def find(tx: Connection, chat: ChatRow, topic_id: int) -> TopicRow | None:
    """Read one topic of a forum."""
    return load(tx, chat).get(topic_id)


def change(tx: Connection, row: TopicRow, **values: Any) -> TopicRow:
    """Write columns of a topic and return it as it is then."""
    changed = row._replace(**values)
    key = (topics.c.chat_id == row.chat_id, topics.c.id == row.id)
    if not tx.execute(update(topics).where(*key).values(**values)).rowcount:
        insert_topic(tx, changed)
    return changed


def remove(tx: Connection, row: TopicRow) -> None:
    """Forget a topic."""
    tx.execute(delete(topics).where(topics.c.chat_id == row.chat_id, topics.c.id == row.id))


def _general(chat: ChatRow) -> TopicRow:
    return TopicRow(
        chat_id=chat.id,
        id=GENERAL,
        title="General",
        icon_color=COLORS[0],
        icon_emoji_id=None,
        creator_id=chat.creator_id,
        date=chat.date,
        closed=False,
        hidden=False,
        pinned_order=None,
    )


# ------------------------------------------------------------------ shown


class Counters(NamedTuple):
    """What a reader has of the topics of a forum, by their ids."""

    tops: dict[int, int]
    """The newest message that the reader may see."""
    unread: dict[int, int]
    read_inbox_max_id: int
    read_outbox_max_id: int


NO_COUNTERS = Counters({}, {}, 0, 0)


def counters(ctx: Context, room: Room) -> Counters:
    """Return what the caller has of the topics of a forum."""
    entry = dialog_list.entry_of(ctx, room).row
    source = boxes.join(messages, messages.c.content_id == boxes.c.content_id)
    visible = (boxes.c.box_id == room.box_id, boxes.c.id >= room.first_id)
    tops = select(_TOPIC, func.max(boxes.c.id)).select_from(source).where(*visible).group_by(_TOPIC)
    unread: dict[int, int] = {}
    if room.standing.is_present:
        counted = (
            select(_TOPIC, func.count())
            .select_from(source)
            .where(
                *visible,
                boxes.c.id > entry.read_inbox_max_id,
                messages.c.sender_id != ctx.user_id,
            )
            .group_by(_TOPIC)
        )
        unread = {row[0]: row[1] for row in ctx.tx.execute(counted)}
    return Counters(
        {row[0]: row[1] for row in ctx.tx.execute(tops)},
        unread,
        entry.read_inbox_max_id,
        entry.read_outbox_max_id,
    )


def shown(ctx: Context, row: TopicRow, has: Counters = NO_COUNTERS) -> api.ForumTopic:
    """Return a topic as the caller sees it; without counters, as the recent actions keep it."""
    opened = store.find_message(ctx.tx, -row.chat_id, row.id) if row.id != GENERAL else None
    return api.ForumTopic(
        my=row.creator_id == ctx.user_id and has is not NO_COUNTERS,
        closed=row.closed,
        pinned=row.pinned_order is not None,
        hidden=row.hidden,
        id=row.id,
        date=row.date,
        peer=api.PeerChannel(channel_id=row.chat_id),
        title=row.title,
        icon_color=row.icon_color,
        icon_emoji_id=row.icon_emoji_id,
        top_message=has.tops.get(row.id, row.id),
        read_inbox_max_id=has.read_inbox_max_id,
        read_outbox_max_id=has.read_outbox_max_id,
        unread_count=has.unread.get(row.id, 0),
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        from_id=_author(ctx, row, opened),
        notify_settings=api.PeerNotifySettings(),
    )


def _author(ctx: Context, row: TopicRow, opened: MessageRow | None) -> api.TypePeer:
    """Return who opened a topic: the forum itself, if they are anonymous."""
    author = None if opened is None else render.author(opened)
    if author is None and row.id == GENERAL:
        creator = chat_store.find_member(ctx.tx, row.chat_id, row.creator_id)
        mask = 0 if creator is None else creator.admin_rights or 0
        if not mask & rights.ADMIN["anonymous"]:
            author = api.PeerUser(user_id=row.creator_id)
    return author or api.PeerChannel(channel_id=row.chat_id)
