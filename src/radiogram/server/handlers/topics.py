"""Server layer: opening, changing, pinning and deleting the topics of a forum (C4).

Knows who may do it: whoever may manage topics, and who has opened a topic may change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from radiogram.server import (
    admin_log,
    deletion,
    delivery,
    history_store,
    message_store,
    paging,
    peers,
    render,
    rooms,
    text,
    topic_store,
    topics,
)
from radiogram.server.delivery import Draft
from radiogram.server.peers import Room
from radiogram.server.rows import Content
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import messages
from radiogram.server.topic_store import GENERAL, TopicRow
from radiogram.server.topics import Counters
from radiogram.server.updates import Changes
from radiogram.tl import api

# ------------------------------------------------------------------ opening and changing


@handles(api.messages.CreateForumTopic)
def create_forum_topic(ctx: Context, request: api.messages.CreateForumTopic) -> api.TypeUpdates:
    """Open a topic; it has the id of the message that says so."""
    room = _forum(ctx, request.peer)
    delivery.check_is_in(room)
    if not room.standing.may("manage_topics"):
        raise RpcFault(403, "CHAT_WRITE_FORBIDDEN")
    title = _check_title(request.title)
    if not request.random_id:
        raise RpcFault(400, "RANDOM_ID_EMPTY")
    color = (
        request.icon_color if request.icon_color in topic_store.COLORS else topic_store.COLORS[0]
    )
    emoji = request.icon_emoji_id or None
    action = api.MessageActionTopicCreate(title=title, icon_color=color, icon_emoji_id=emoji)
    content = Content(
        sender_id=ctx.user_id,
        date=ctx.now,
        topic_id=room.chat.next_message_id,
        action=render.encode(action),
    )
    content = delivery.signed(room, content, delivery.sender_chat(ctx, room, request.send_as))
    draft = Draft(content._replace(post_author=None), random_id=request.random_id)
    changes = Changes(ctx, room.people)
    (row,) = delivery.deliver(ctx, changes, room, [draft])
    topic = TopicRow(
        chat_id=room.chat.id,
        id=row.id,
        title=title,
        icon_color=color,
        icon_emoji_id=emoji,
        creator_id=ctx.user_id,
        date=ctx.now,
        closed=False,
        hidden=False,
        pinned_order=None,
    )
    topic_store.insert_topic(ctx.tx, topic)
    made = api.ChannelAdminLogEventActionCreateTopic(topic=topics.shown(ctx, topic))
    admin_log.log(ctx, room.chat, made)
    changes.finish()
    return changes.result(room.user, [(row.id, request.random_id)])


@handles(api.messages.EditForumTopic)
def edit_forum_topic(ctx: Context, request: api.messages.EditForumTopic) -> api.TypeUpdates:
    """Give a topic another title or icon, close or open it, or hide General."""
    room = _forum(ctx, request.peer)
    rooms.check_present(room)
    topic = _topic(ctx, room, request.topic_id)
    manages = room.standing.has_right("manage_topics")
    if not manages and (topic.creator_id != ctx.user_id or topic.id == GENERAL):
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    _check_edit(request)
    values = {
        name: value
        for name, value in (
            ("title", None if request.title is None else _check_title(request.title)),
            ("icon_emoji_id", request.icon_emoji_id),
            ("closed", request.closed),
            ("hidden", request.hidden),
        )
        if value is not None
    }
    if request.hidden:
        values["closed"] = True  # nobody writes where nobody looks
    if all((getattr(topic, name) or 0) == value for name, value in values.items()):
        raise RpcFault(400, "TOPIC_NOT_MODIFIED")
    changed = topic_store.change(ctx.tx, topic, **values)
    admin_log.log(
        ctx,
        room.chat,
        api.ChannelAdminLogEventActionEditTopic(
            prev_topic=topics.shown(ctx, topic), new_topic=topics.shown(ctx, changed)
        ),
    )
    changes = Changes(ctx, room.people)
    action = api.MessageActionTopicEdit(
        title=None if request.title is None else changed.title,
        icon_emoji_id=request.icon_emoji_id,
        closed=request.closed,
        hidden=request.hidden,
    )
    where = None if topic.id == GENERAL else topic.id
    rooms.announce(ctx, changes, room, action, topic_id=where)
    changes.finish()
    return changes.result(room.user)


def _check_edit(request: api.messages.EditForumTopic) -> None:
    """Refuse what cannot be said of a topic, or not at once."""
    looks = request.title is not None or request.icon_emoji_id is not None
    if request.topic_id == GENERAL and request.icon_emoji_id is not None:
        raise RpcFault(400, "GENERAL_MODIFY_ICON_FORBIDDEN")
    if request.topic_id != GENERAL and request.hidden is not None:
        raise RpcFault(400, "NOGENERAL_HIDE_FORBIDDEN")
    if request.hidden is not None and (looks or request.closed is not None):
        raise RpcFault(400, "TOPIC_HIDE_SEPARATELY")
    if request.closed is not None and looks:
        raise RpcFault(400, "TOPIC_CLOSE_SEPARATELY")


def _check_title(title: str) -> str:
    title = text.clean(title).strip()[: rooms.MAX_TITLE]
    if not title:
        raise RpcFault(400, "TOPIC_TITLE_EMPTY")
    return title


@handles(api.messages.DeleteTopicHistory)
def delete_topic_history(
    ctx: Context, request: api.messages.DeleteTopicHistory
) -> api.messages.AffectedHistory:
    """Delete a topic with all that is in it, for everybody."""
    room = _forum(ctx, request.peer)
    rooms.check_present(room)
    if request.top_msg_id == GENERAL:
        raise RpcFault(400, "TOPIC_ID_INVALID")
    topic = _topic(ctx, room, request.top_msg_id)
    inside = messages.c.topic_id == topic.id
    rows = list(history_store.select_messages(ctx.tx, room.box_id, room.peer, inside))
    mine = topic.creator_id == ctx.user_id and all(row.sender_id == ctx.user_id for row in rows)
    if not (mine or room.standing.has_right("delete_messages")):
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    batch = ctx.world.settings.affected_batch or len(rows)
    changes = Changes(ctx, room.people)
    count = deletion.delete_posts(ctx, changes, room, rows[:batch], logged=False)
    if count == len(rows):
        gone = api.ChannelAdminLogEventActionDeleteTopic(topic=topics.shown(ctx, topic))
        admin_log.log(ctx, room.chat, gone)
        topic_store.remove(ctx.tx, topic)
    changes.finish()
    return api.messages.AffectedHistory(
        pts=changes.channel(room.chat).pts, pts_count=count, offset=len(rows) - count
    )


# ------------------------------------------------------------------ pinning


@handles(api.messages.UpdatePinnedForumTopic, bots=False)
def update_pinned_forum_topic(
    ctx: Context, request: api.messages.UpdatePinnedForumTopic
) -> api.TypeUpdates:
    """Pin a topic above the others, or unpin it."""
    room = _managed(ctx, request.peer)
    topic = _topic(ctx, room, request.topic_id)
    if request.pinned == (topic.pinned_order is not None):
        raise RpcFault(400, "PINNED_TOPIC_NOT_MODIFIED")
    pinned = _pinned(ctx, room)
    if request.pinned and len(pinned) >= ctx.world.settings.topics_pinned_max:
        raise RpcFault(400, "PINNED_TOO_MUCH")
    order = max((row.pinned_order or 0 for row in pinned), default=0) + 1
    changed = topic_store.change(ctx.tx, topic, pinned_order=order if request.pinned else None)
    _note_pin(ctx, room, topic, changed)
    changes = Changes(ctx, room.people)
    changes.tell(
        changes.audience(room.chat),
        api.UpdatePinnedForumTopic(
            pinned=request.pinned, peer=render.peer(room.peer), topic_id=topic.id
        ),
    )
    changes.finish()
    return changes.result(room.user)


@handles(api.messages.ReorderPinnedForumTopics, bots=False)
def reorder_pinned_forum_topics(
    ctx: Context, request: api.messages.ReorderPinnedForumTopics
) -> api.TypeUpdates:
    """Say in which order the pinned topics stand; with `force`, which are pinned at all."""
    room = _managed(ctx, request.peer)
    found = topic_store.load(ctx.tx, room.chat)
    order = list(dict.fromkeys(request.order))
    pinned = {row.id for row in found.values() if row.pinned_order is not None}
    if any(number not in (found if request.force else pinned) for number in order):
        raise RpcFault(400, "TOPIC_ID_INVALID")
    if len(order) > ctx.world.settings.topics_pinned_max:
        raise RpcFault(400, "PINNED_TOO_MUCH")
    rest = [row.id for row in _sorted(found.values(), {}) if row.id in pinned - set(order)]
    if not request.force:
        order += rest
    for place, number in enumerate(reversed(order), 1):
        changed = topic_store.change(ctx.tx, found[number], pinned_order=place)
        if number not in pinned:
            _note_pin(ctx, room, found[number], changed)
    for number in pinned - set(order):
        changed = topic_store.change(ctx.tx, found[number], pinned_order=None)
        _note_pin(ctx, room, found[number], changed)
    changes = Changes(ctx, room.people)
    changes.tell(
        changes.audience(room.chat),
        api.UpdatePinnedForumTopics(peer=render.peer(room.peer), order=order),
    )
    changes.finish()
    return changes.result(room.user)


def _pinned(ctx: Context, room: Room) -> list[TopicRow]:
    found = topic_store.load(ctx.tx, room.chat).values()
    return [row for row in found if row.pinned_order is not None]


def _note_pin(ctx: Context, room: Room, before: TopicRow, after: TopicRow) -> None:
    said = topics.shown(ctx, after)
    admin_log.log(
        ctx,
        room.chat,
        api.ChannelAdminLogEventActionPinTopic(
            prev_topic=topics.shown(ctx, before) if before.pinned_order is not None else None,
            new_topic=said if after.pinned_order is not None else None,
        ),
    )


# ------------------------------------------------------------------ reading


@handles(api.messages.GetForumTopics, bots=False)
def get_forum_topics(
    ctx: Context, request: api.messages.GetForumTopics
) -> api.messages.ForumTopics:
    """Return a page of topics, pinned ones first, then by their newest messages."""
    room = _forum(ctx, request.peer)
    has = topics.counters(ctx, room)
    query = (request.q or "").strip().casefold()
    found = [
        row
        for row in _sorted(topic_store.load(ctx.tx, room.chat).values(), has.tops)
        if query in row.title.casefold()
    ]
    page = _after(ctx, room, found, has, request)[: paging.bounded(request.limit)]
    return _result(ctx, room, page, has, total=len(found))


@handles(api.messages.GetForumTopicsByID)
def get_forum_topics_by_id(
    ctx: Context, request: api.messages.GetForumTopicsByID
) -> api.messages.ForumTopics:
    """Return topics by id; ``forumTopicDeleted`` where there is none."""
    room = _forum(ctx, request.peer)
    if not request.topics:
        raise RpcFault(400, "TOPICS_EMPTY")
    if len(request.topics) > paging.MAX_LIMIT:
        raise RpcFault(400, "TOPIC_ID_INVALID")
    found = topic_store.load(ctx.tx, room.chat)
    ids = list(dict.fromkeys(request.topics))
    has = topics.counters(ctx, room)
    return _result(ctx, room, [found.get(number) or number for number in ids], has, total=len(ids))


def _sorted(found: Iterable[TopicRow], tops: dict[int, int]) -> list[TopicRow]:
    return sorted(
        found,
        key=lambda row: (row.pinned_order or 0, tops.get(row.id, row.id), row.id),
        reverse=True,
    )


def _after(
    ctx: Context,
    room: Room,
    found: Sequence[TopicRow],
    has: Counters,
    request: api.messages.GetForumTopics,
) -> Sequence[TopicRow]:
    """Return the rest of a list after the topic that the offsets name.

    Where it has moved meanwhile, the id and then the date of its top message decide.
    """
    for index, row in enumerate(found):
        top = has.tops.get(row.id, row.id)
        if row.id == request.offset_topic and request.offset_id in (0, top):
            return found[index + 1 :]
    if request.offset_id > 0:
        return [
            row
            for row in found
            if row.pinned_order is None and has.tops.get(row.id, row.id) < request.offset_id
        ]
    if request.offset_date > 0:
        dates = message_store.dates_of(ctx.tx, room.box_id, has.tops.values())
        return [
            row
            for row in found
            if row.pinned_order is None
            and dates.get(has.tops.get(row.id, 0), row.date) < request.offset_date
        ]
    return found


def _result(
    ctx: Context, room: Room, page: Sequence[TopicRow | int], has: Counters, *, total: int
) -> api.messages.ForumTopics:
    """Return topics (or ids of those that are no more) with their newest messages."""
    listed: list[api.TypeForumTopic] = [
        api.ForumTopicDeleted(id=row) if isinstance(row, int) else topics.shown(ctx, row, has)
        for row in page
    ]
    ids = {has.tops[row.id] for row in page if isinstance(row, TopicRow) and row.id in has.tops}
    rows = message_store.find_messages(ctx.tx, room.box_id, ids)
    shown: list[api.TypeMessage] = [
        render.message(rows[number], ctx.user_id) for number in sorted(rows, reverse=True)
    ]
    return api.messages.ForumTopics(
        count=total,
        topics=listed,
        messages=shown,
        pts=room.chat.pts,
        **room.people.mentioned(ctx.user_id, listed, shown, chats=[room.chat.id]),
    )


# ------------------------------------------------------------------ shared


def _forum(ctx: Context, peer: api.TypeInputPeer) -> Room:
    """Return a forum. Faults: PEER_ID_INVALID, CHANNEL_FORUM_MISSING, those of peers.resolve."""
    target = peers.resolve(ctx, peer)
    if not isinstance(target, Room) or target.chat.is_group:
        raise RpcFault(400, "PEER_ID_INVALID")
    if not target.chat.forum:
        raise RpcFault(400, "CHANNEL_FORUM_MISSING")
    return target


def _managed(ctx: Context, peer: api.TypeInputPeer) -> Room:
    """Return a forum whose topics the caller manages."""
    room = _forum(ctx, peer)
    rooms.check_present(room)
    if not room.standing.has_right("manage_topics"):
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    return room


def _topic(ctx: Context, room: Room, topic_id: int) -> TopicRow:
    topic = topic_store.find(ctx.tx, room.chat, topic_id)
    if topic is None:
        raise RpcFault(400, "TOPIC_ID_INVALID")
    return topic
