"""Server layer: what a client missed (C6).

Knows the event logs and how their rows become an answer to ``updates.getDifference`` or
``updates.getChannelDifference``. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import select

from radiogram.server import (
    box_store,
    dialog_list,
    dialog_store,
    history_store,
    message_store,
    render,
)
from radiogram.server.chat_store import MEMBER
from radiogram.server.peers import Room
from radiogram.server.rows import UserRow
from radiogram.server.tables import bot_events, chats, events, members
from radiogram.server.updates import EventKind
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def state(
    ctx: Context, user: UserRow, *, pts: int | None = None, qts: int | None = None
) -> api.updates.State:
    """Return the state of an account, or the intermediate one at an earlier `pts` and `qts`."""
    return api.updates.State(
        pts=user.pts if pts is None else pts,
        qts=user.qts if qts is None else qts,
        date=ctx.now,
        seq=0,
        unread_count=dialog_store.unread_total(ctx.tx, user.id),
    )


class Missed(NamedTuple):
    """What happened to one box since a pts."""

    messages: list[api.TypeMessage]
    updates: list[api.TypeUpdate]
    pts: int
    """Where it leads to."""
    is_complete: bool


def missed(ctx: Context, box_id: int, pts: int, *, limit: int, first_id: int = 0) -> Missed:
    """Read the first `limit` events of a box after `pts`, as the caller is told them.

    New messages with ids below `first_id` are left out: hidden prehistory.
    """
    found = box_store.events_after(ctx.tx, box_id, pts, limit=limit + 1)
    complete = len(found) <= limit
    del found[limit:]
    rows = message_store.find_messages(
        ctx.tx, box_id, {event.message_id for event in found if event.message_id is not None}
    )
    new = {event.message_id or 0 for event in found if event.kind == EventKind.NEW}
    edits = [event for event in found if event.kind == EventKind.EDIT]
    last_edit = {event.message_id or 0: event.pts for event in edits}
    sent: list[api.TypeUpdate] = []
    others: list[api.TypeUpdate] = []
    for event in found:
        if event.kind == EventKind.OTHER:
            others.append(cast(api.TypeUpdate, render.decode(event.payload or b"")))
            continue
        row = rows.get(event.message_id or 0)
        if row is None or row.id < first_id:  # deleted since; that is an event of its own
            continue
        if event.kind == EventKind.NEW:
            if event.random_id is not None and row.sender_id == ctx.user_id:
                sent.append(api.UpdateMessageID(id=row.id, random_id=event.random_id))
        elif row.id not in new and last_edit[row.id] == event.pts:
            edited = api.UpdateEditMessage if box_id > 0 else api.UpdateEditChannelMessage
            message = render.message(row, ctx.user_id)
            others.append(edited(message=message, pts=event.pts, pts_count=event.pts_count))
    shown = [number for number in sorted(new & rows.keys()) if number >= first_id]
    return Missed(
        messages=[render.message(rows[number], ctx.user_id) for number in shown],
        updates=sent + others,
        pts=found[-1].pts if found else pts,
        is_complete=complete,
    )


def difference(
    ctx: Context, user: UserRow, pts: int, *, date: int, qts: int, limit: int, qts_limit: int
) -> api.updates.TypeDifference:
    """Tell everything that happened to an account, or the first events of it.

    Those are no more than `limit` that pts counts and `qts_limit` that qts counts. Of channels it
    is only said which of them have news since `date` (C6.3).
    """
    own = missed(ctx, user.id, pts, limit=limit)
    counted, qts = _counted_by_qts(ctx, user, qts, qts_limit)
    updates = own.updates + counted
    complete = own.is_complete and qts >= user.qts
    if complete:
        updates += _channels_with_news(ctx, date)
        if not own.messages and not updates and own.pts == pts:
            return api.updates.DifferenceEmpty(date=ctx.now, seq=0)
    people = render.People(ctx.tx, ctx.now)
    shown = people.mentioned(user.id, own.messages, updates)
    if complete:
        return api.updates.Difference(
            new_messages=own.messages,
            new_encrypted_messages=[],
            other_updates=updates,
            state=state(ctx, user),
            **shown,
        )
    return api.updates.DifferenceSlice(
        new_messages=own.messages,
        new_encrypted_messages=[],
        other_updates=updates,
        intermediate_state=state(ctx, user, pts=own.pts, qts=qts),
        **shown,
    )


def _counted_by_qts(
    ctx: Context, user: UserRow, qts: int, limit: int
) -> tuple[list[api.TypeUpdate], int]:
    """Return the first updates after a qts, and the qts to which they lead."""
    if qts >= user.qts:
        return [], user.qts
    rows = ctx.tx.execute(
        select(bot_events.c.payload, bot_events.c.qts)
        .where(bot_events.c.user_id == user.id, bot_events.c.qts > qts)
        .order_by(bot_events.c.qts)
        .limit(limit)
    ).all()
    updates = [cast(api.TypeUpdate, render.decode(row.payload)) for row in rows]
    return updates, rows[-1].qts if rows else user.qts


def _channels_with_news(ctx: Context, date: int) -> list[api.TypeUpdate]:
    rows = ctx.tx.execute(
        select(chats.c.id, chats.c.pts)
        .select_from(
            members.join(chats, chats.c.id == members.c.chat_id).join(
                events, (events.c.box_id == -chats.c.id) & (events.c.pts == chats.c.pts)
            )
        )
        .where(
            members.c.user_id == ctx.user_id,
            members.c.state == MEMBER,
            ~chats.c.deleted,
            events.c.date >= date,
        )
        .order_by(chats.c.id)
    )
    return [api.UpdateChannelTooLong(channel_id=row.id, pts=row.pts) for row in rows]


def channel_difference(
    ctx: Context,
    room: Room,
    pts: int,
    *,
    limit: int,
    wanted: Callable[[int], bool] = lambda _number: True,
) -> api.updates.TypeChannelDifference:
    """Tell what happened to a channel, or the first `limit` events of it (C6.6).

    `wanted` says of which ids new messages are told.
    """
    settings = ctx.world.settings
    chat = room.chat
    if pts == chat.pts:
        return api.updates.ChannelDifferenceEmpty(
            final=True, pts=pts, timeout=settings.channel_poll_timeout
        )
    if chat.pts - pts > settings.channel_difference_window:
        return too_long(ctx, room, limit)
    news = missed(ctx, chat.box_id, pts, limit=limit, first_id=room.first_id)
    return api.updates.ChannelDifference(
        final=news.is_complete,
        pts=news.pts,
        timeout=settings.channel_poll_timeout,
        new_messages=[message for message in news.messages if wanted(message.id)],
        other_updates=news.updates,
        **room.people.mentioned(ctx.user_id, news.messages, news.updates, chats=[chat.id]),
    )


def too_long(ctx: Context, room: Room, limit: int) -> api.updates.ChannelDifferenceTooLong:
    """Show a channel as it is now, instead of what happened to it."""
    chat = room.chat
    rows = history_store.read_page(
        ctx.tx,
        chat.box_id,
        chat.peer,
        offset_id=0,
        offset_date=0,
        add_offset=0,
        limit=min(limit, 100),
    )
    messages = [render.message(row, ctx.user_id) for row in rows if row.id >= room.first_id]
    return api.updates.ChannelDifferenceTooLong(
        final=True,
        timeout=ctx.world.settings.channel_poll_timeout,
        dialog=dialog_list.dialog(ctx, dialog_list.entry_of(ctx, room)),
        messages=messages,
        **room.people.mentioned(ctx.user_id, messages, chats=[chat.id]),
    )


__all__ = [
    "Missed",
    "channel_difference",
    "difference",
    "missed",
    "state",
    "too_long",
]
