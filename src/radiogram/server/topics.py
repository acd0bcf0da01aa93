"""Server layer: the topics of a forum (C4).

Knows their rows and how they are shown. A topic has the id of the message that opened it, and
the messages in it name it; General, 1, is there without a row until something about it changes,
and what names no topic is in it. Knows nothing of who may change a topic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from radiogram.server import chat_store, dialog_list, message_store, render, rights
from radiogram.server.peers import Room
from radiogram.server.rows import MessageRow
from radiogram.server.tables import boxes, messages
from radiogram.server.topic_store import GENERAL, TopicRow
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context

_TOPIC = func.coalesce(messages.c.topic_id, GENERAL)


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
    opened = message_store.find_message(ctx.tx, -row.chat_id, row.id) if row.id != GENERAL else None
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
