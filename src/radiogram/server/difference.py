"""Server layer: what a client missed (C6).

Knows the event log and how its rows become an answer to ``updates.getDifference``. Changes
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from radiogram.server import render, store
from radiogram.server.store import UserRow
from radiogram.server.updates import EventKind
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def state(ctx: Context, user: UserRow, *, pts: int | None = None) -> api.updates.State:
    """Return the state of an account, or the intermediate one at an earlier `pts`."""
    return api.updates.State(
        pts=user.pts if pts is None else pts,
        qts=user.qts,
        date=ctx.now,
        seq=0,
        unread_count=store.unread_total(ctx.tx, user.id),
    )


def difference(
    ctx: Context, user: UserRow, pts: int, *, limit: int
) -> api.updates.Difference | api.updates.DifferenceSlice:
    """Tell everything that happened to a box after `pts`, or the first `limit` events of it."""
    events = store.events_after(ctx.tx, user.id, pts, limit=limit + 1)
    complete = len(events) <= limit
    del events[limit:]
    rows = store.find_messages(
        ctx.tx, user.id, {event.message_id for event in events if event.message_id is not None}
    )
    new = {event.message_id or 0 for event in events if event.kind == EventKind.NEW}
    edits = [event for event in events if event.kind == EventKind.EDIT]
    last_edit = {event.message_id or 0: event.pts for event in edits}
    sent: list[api.TypeUpdate] = []
    others: list[api.TypeUpdate] = []
    for event in events:
        if event.kind == EventKind.OTHER:
            others.append(cast(api.TypeUpdate, render.decode(event.payload or b"")))
            continue
        row = rows.get(event.message_id or 0)
        if row is None:  # deleted since; that is an event of its own
            continue
        if event.kind == EventKind.NEW:
            if event.random_id is not None:
                sent.append(api.UpdateMessageID(id=row.id, random_id=event.random_id))
        elif row.id not in new and last_edit[row.id] == event.pts:
            others.append(
                api.UpdateEditMessage(
                    message=render.message(row), pts=event.pts, pts_count=event.pts_count
                )
            )
    messages = [render.message(rows[number]) for number in sorted(new & rows.keys())]
    mentioned: set[int] = set().union(*map(render.user_ids, [*messages, *others]))
    users = render.People(ctx.tx, ctx.now).seen_by(user.id, mentioned)
    if complete:
        return api.updates.Difference(
            new_messages=messages,
            new_encrypted_messages=[],
            other_updates=sent + others,
            chats=[],
            users=users,
            state=state(ctx, user),
        )
    return api.updates.DifferenceSlice(
        new_messages=messages,
        new_encrypted_messages=[],
        other_updates=sent + others,
        chats=[],
        users=users,
        intermediate_state=state(ctx, user, pts=events[-1].pts),
    )
