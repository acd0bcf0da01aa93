"""Server layer: the methods that read messages (C4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import and_, false

from radiogram.server import (
    history_store,
    message_store,
    paging,
    peers,
    render,
    text,
    user_store,
)
from radiogram.server.peers import Room, Target
from radiogram.server.rows import MessageRow, Peer
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import PEER_USER, boxes, messages
from radiogram.tl import api

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

MAX_IDS = 200
"""Messages in one messages.getMessages."""
MAX_FILTERS = 32
"""Filters in one messages.getSearchCounters."""
MAX_QUERY = 256
"""Characters of a search text that are heeded."""


# ------------------------------------------------------------------ by id, by page


@handles(api.messages.GetMessages)
def get_messages(ctx: Context, request: api.messages.GetMessages) -> api.messages.TypeMessages:
    """Return messages by id, in the order asked for; ``messageEmpty`` where there is none."""
    return _all(ctx, by_id(ctx, ctx.user_id, None, request.id))


def by_id(
    ctx: Context, box_id: int, room: Room | None, items: Sequence[api.TypeInputMessage]
) -> list[api.TypeMessage]:
    """Return what the caller's names of messages in a box stand for, one for each name.

    The box is the caller's own, or that of the channel `room`. Faults: MESSAGE_IDS_EMPTY,
    MESSAGE_ID_INVALID (too many).
    """
    if not items:
        raise RpcFault(400, "MESSAGE_IDS_EMPTY")
    if len(items) > MAX_IDS:
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    # A service message or a reply points to another one, which takes a second look.
    asked = message_store.find_messages(
        ctx.tx,
        box_id,
        {item.id for item in items if not isinstance(item, api.InputMessagePinned)},
    )
    first_id = 0 if room is None else room.first_id
    pinned = 0
    if any(isinstance(item, api.InputMessagePinned) for item in items):
        pinned = (
            history_store.last_pinned_id(ctx.tx, box_id, None if room is None else room.peer) or 0
        )
    wanted = [_named(item, asked, pinned) for item in items]
    rows = asked | message_store.find_messages(ctx.tx, box_id, set(wanted) - asked.keys())
    peer = None if room is None else render.peer(room.peer)
    return [
        render.message(rows[number], ctx.user_id)
        if number in rows and number >= first_id
        else api.MessageEmpty(id=number, peer_id=peer)
        for number in wanted
    ]


def _named(item: api.TypeInputMessage, asked: dict[int, MessageRow], pinned: int) -> int:
    match item:
        case api.InputMessagePinned():
            return pinned
        case api.InputMessageReplyTo():
            row = asked.get(item.id)
            return 0 if row is None else row.reply_to_id or row.topic_id or 0
        case api.InputMessageID() | api.InputMessageCallbackQuery():
            return item.id
        case _:
            return 0


@handles(api.messages.GetHistory, bots=False)
def get_history(ctx: Context, request: api.messages.GetHistory) -> api.messages.TypeMessages:
    """Return one page of a chat (C0.4)."""
    target = peers.resolve(ctx, request.peer)
    rows = history_store.read_page(
        ctx.tx,
        target.box_id,
        target.peer,
        offset_id=request.offset_id,
        offset_date=request.offset_date,
        add_offset=request.add_offset,
        limit=paging.bounded(request.limit),
    )
    shown = set(
        paging.between((row.id for row in rows), min_id=request.min_id, max_id=request.max_id)
    )
    first = target.first_id
    total = history_store.count_messages(ctx.tx, target.box_id, target.peer, first_id=first)
    found = [row for row in rows if row.id in shown and row.id >= first]
    return _page(ctx, target, found, total, request.hash)


# ------------------------------------------------------------------ search


@handles(api.messages.Search, bots=False)
def search(ctx: Context, request: api.messages.Search) -> api.messages.TypeMessages:
    """Return one page of the messages that match, and their number."""
    target = None
    if not isinstance(request.peer, api.InputPeerEmpty):
        target = peers.resolve(ctx, request.peer)
    unfiltered = isinstance(request.filter, api.InputMessagesFilterEmpty)
    if unfiltered and not request.q.strip() and request.from_id is None:
        raise RpcFault(400, "SEARCH_QUERY_EMPTY")
    conditions: list[ColumnElement[bool]] = []
    if request.from_id is not None:
        conditions.append(written_by(_sender(ctx, request.from_id)))
    if request.min_date > 0:
        conditions.append(messages.c.date > request.min_date)
    if request.max_date > 0:
        conditions.append(messages.c.date < request.max_date)
    if request.top_msg_id:
        conditions.append(_in_topic(target, request.top_msg_id))
    if request.saved_reaction:
        ids: Sequence[int] = ()  # there are no reactions
    else:
        rows = _matching(ctx, target, request.filter, request.q, conditions)
        if request.saved_peer_id is not None:
            rows = _saved_from(ctx, target, rows, request.saved_peer_id)
        ids = [row.id for row in rows]
    found: list[int] = []
    if request.limit > 0:
        cut = paging.page(
            ids,
            offset_id=request.offset_id,
            add_offset=request.add_offset,
            limit=paging.bounded(request.limit),
        )
        found = paging.between(cut, min_id=request.min_id, max_id=request.max_id)
    by_id = message_store.find_messages(ctx.tx, _box(ctx, target), found)
    return _page(ctx, target, [by_id[number] for number in found], len(ids), request.hash)


@handles(api.messages.GetSearchCounters, bots=False)
def get_search_counters(
    ctx: Context, request: api.messages.GetSearchCounters
) -> list[api.messages.SearchCounter]:
    """Count what a search with each filter would find (B8.3)."""
    target = peers.resolve(ctx, request.peer)
    conditions = [_in_topic(target, request.top_msg_id)] if request.top_msg_id else []
    counters = []
    for wanted in request.filters[:MAX_FILTERS]:
        rows = _matching(ctx, target, wanted, "", conditions)
        if request.saved_peer_id is not None:
            rows = _saved_from(ctx, target, rows, request.saved_peer_id)
        count = sum(1 for _ in rows)
        counters.append(api.messages.SearchCounter(filter=wanted, count=count))
    return counters


def _sender(ctx: Context, from_id: api.TypeInputPeer) -> Peer:
    try:
        return peers.resolve(ctx, from_id).peer
    except RpcFault:
        raise RpcFault(400, "FROM_PEER_INVALID") from None


def written_by(peer: Peer) -> ColumnElement[bool]:
    """Return the condition that a message says that it is from somebody.

    Who is anonymous is not found by what they wrote.
    """
    if peer.type == PEER_USER:
        return and_(messages.c.sender_id == peer.id, messages.c.from_chat_id.is_(None))
    return messages.c.from_chat_id == peer.id


_LINKS = (api.MessageEntityUrl, api.MessageEntityTextUrl)


def _box(ctx: Context, target: Target | None) -> int:
    return ctx.user_id if target is None else target.box_id


def _in_topic(target: Target | None, top_msg_id: int) -> ColumnElement[bool]:
    """Return the condition that a message is in a topic; General is all that is in none."""
    if not isinstance(target, Room) or not target.chat.forum:
        return false()
    return messages.c.topic_id.is_(None) if top_msg_id == 1 else messages.c.topic_id == top_msg_id


def _matching(
    ctx: Context,
    target: Target | None,
    wanted: api.TypeMessagesFilter,
    query: str,
    conditions: list[ColumnElement[bool]],
) -> Iterable[MessageRow]:
    """Return the messages that pass a filter and contain a text, newest first."""
    needs_link = False
    match wanted:
        case api.InputMessagesFilterEmpty():
            pass
        case api.InputMessagesFilterPinned():
            conditions = [*conditions, boxes.c.pinned]
        case api.InputMessagesFilterUrl():
            conditions = [*conditions, messages.c.entities.is_not(None)]
            needs_link = True
        case _:  # media of some kind, mentions in groups, calls: there are none
            return ()
    # Compared here rather than in SQL: what LIKE does with case differs between databases.
    needle = text.clean(query[:MAX_QUERY]).strip().casefold()
    peer, first_id = (None, 0) if target is None else (target.peer, target.first_id)
    rows = history_store.select_messages(
        ctx.tx, _box(ctx, target), peer, boxes.c.id >= first_id, *conditions
    )
    return (
        row
        for row in rows
        if (not needle or needle in row.text.casefold()) and (not needs_link or _has_link(row))
    )


def _has_link(row: MessageRow) -> bool:
    return any(isinstance(entity, _LINKS) for entity in render.decode_entities(row.entities))


def _saved_from(
    ctx: Context,
    target: Target | None,
    rows: Iterable[MessageRow],
    saved_peer_id: api.TypeInputPeer,
) -> Iterable[MessageRow]:
    """Keep the messages that were saved from one chat."""
    origin = peers.resolve(ctx, saved_peer_id).peer
    if target is None or target.peer != (PEER_USER, ctx.user_id):
        raise RpcFault(400, "PEER_ID_INVALID")
    wanted = render.peer(origin)
    return (row for row in rows if render.message(row, ctx.user_id).saved_peer_id == wanted)


# ------------------------------------------------------------------ views and mentions


@handles(api.messages.GetMessagesViews, bots=False)
def get_messages_views(
    ctx: Context, request: api.messages.GetMessagesViews
) -> api.messages.MessageViews:
    """Return how often posts were seen and forwarded; with `increment` the caller sees them now.

    Everybody counts once, and the author from the start.
    """
    target = peers.resolve(ctx, request.peer)
    if len(request.id) > MAX_IDS:
        raise RpcFault(400, "MSG_ID_INVALID")
    found: dict[int, MessageRow] = {}
    if isinstance(target, Room) and target.chat.is_channel:
        found = _posts(ctx, target, request.id)
        if request.increment:
            new = {row.content_id for row in found.values() if row.sender_id != ctx.user_id}
            message_store.add_views(ctx.tx, ctx.user_id, new)
            found = _posts(ctx, target, request.id)
    views: list[api.TypeMessageViews] = [
        api.MessageViews(views=found[number].views or 1, forwards=found[number].forwards or 0)
        if number in found
        else api.MessageViews()
        for number in request.id
    ]
    return api.messages.MessageViews(views=views, chats=[], users=[])


def _posts(ctx: Context, room: Room, ids: Iterable[int]) -> dict[int, MessageRow]:
    rows = message_store.find_messages(ctx.tx, room.box_id, set(ids))
    return {number: row for number, row in rows.items() if row.post and number >= room.first_id}


@handles(api.messages.GetUnreadMentions, bots=False)
def get_unread_mentions(
    ctx: Context, request: api.messages.GetUnreadMentions
) -> api.messages.TypeMessages:
    """Return the messages that mention the caller and wait to be seen: none are kept."""
    return _page(ctx, peers.resolve(ctx, request.peer), [], 0, 0)


@handles(api.messages.ReadMentions, bots=False)
def read_mentions(ctx: Context, request: api.messages.ReadMentions) -> api.messages.AffectedHistory:
    """Mark all mentions as seen, of which there are none."""
    target = peers.resolve(ctx, request.peer)
    pts = target.user.pts
    if isinstance(target, Room) and target.chat.is_channel:
        pts = target.chat.pts
    return api.messages.AffectedHistory(pts=pts, pts_count=0, offset=0)


@handles(api.messages.ReadMessageContents, bots=False)
def read_message_contents(
    ctx: Context, _request: api.messages.ReadMessageContents
) -> api.messages.AffectedMessages:
    """Note that voice notes were heard and mentions seen: there is nothing that waits for it."""
    user = user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id]
    return api.messages.AffectedMessages(pts=user.pts, pts_count=0)


@handles(api.messages.ReceivedMessages, bots=False)
def received_messages(
    _ctx: Context, _request: api.messages.ReceivedMessages
) -> list[api.ReceivedNotifyMessage]:
    """Take note of what a client without updates has received, which matters to nobody."""
    return []


# ------------------------------------------------------------------ results


def _page(
    ctx: Context, target: Target | None, rows: Sequence[MessageRow], total: int, known_hash: int
) -> api.messages.TypeMessages:
    if known_hash and known_hash == paging.list_hash(row.id for row in rows):
        return api.messages.MessagesNotModified(count=total)
    found: list[api.TypeMessage] = [render.message(row, ctx.user_id) for row in rows]
    if isinstance(target, Room) and target.chat.is_channel:
        return in_channel(ctx, target, found, total)
    if len(found) == total:
        return _all(ctx, found)
    return api.messages.MessagesSlice(count=total, messages=found, topics=[], **_shown(ctx, found))


def in_channel(
    ctx: Context, room: Room, found: list[api.TypeMessage], total: int
) -> api.messages.ChannelMessages:
    """Return messages of a channel with the pts of its box."""
    return api.messages.ChannelMessages(
        pts=room.chat.pts,
        count=total,
        messages=found,
        topics=[],
        **room.people.mentioned(ctx.user_id, found, chats=[room.chat.id]),
    )


def _all(ctx: Context, found: Sequence[api.TypeMessage]) -> api.messages.Messages:
    return api.messages.Messages(messages=list(found), topics=[], **_shown(ctx, found))


def _shown(ctx: Context, found: Sequence[api.TypeMessage]) -> render.Shown:
    return render.People(ctx.tx, ctx.now).mentioned(ctx.user_id, list(found))
