"""Server layer: who hears of a change of an account that is no message.

Knows address books and lists of chats. Such updates carry no pts: who is offline learns of them
with the next object of the account that it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, union

from radiogram.server import render
from radiogram.server.tables import PEER_USER, contacts, dialogs
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def of(ctx: Context) -> list[int]:
    """Return the accounts that have the caller in their contacts or chats, without the caller."""
    rows = ctx.tx.execute(
        union(
            select(contacts.c.owner_id).where(contacts.c.user_id == ctx.user_id),
            select(dialogs.c.user_id).where(
                dialogs.c.peer_type == PEER_USER, dialogs.c.peer_id == ctx.user_id
            ),
        )
    ).scalars()
    return sorted(set(rows) - {ctx.user_id})


def tell(ctx: Context, update: api.TypeUpdate) -> None:
    """Push an update about the caller to them and to the caller's other sessions."""
    people = render.People(ctx.tx, ctx.now)
    for user_id in [ctx.user_id, *of(ctx)]:
        ctx.push(user_id, wrap(ctx, user_id, [update], [ctx.user_id], people))


def tell_phone(ctx: Context, phone: str) -> None:
    """Push the caller's new number to the caller's other sessions and to who may see it."""
    people = render.People(ctx.tx, ctx.now)
    news = api.UpdateUserPhone(user_id=ctx.user_id, phone=phone)
    for viewer_id in [ctx.user_id, *of(ctx)]:
        (seen,) = people.seen_by(viewer_id, [ctx.user_id])
        if isinstance(seen, api.User) and seen.phone == phone:
            ctx.push(viewer_id, wrap(ctx, viewer_id, [news], [ctx.user_id], people))


def wrap(
    ctx: Context,
    viewer_id: int,
    updates: list[api.TypeUpdate],
    user_ids: list[int],
    people: render.People | None = None,
) -> api.Updates:
    """Return updates that carry no pts with the accounts they mention, as a viewer sees them."""
    people = people or render.People(ctx.tx, ctx.now)
    return api.Updates(
        updates=updates,
        users=people.seen_by(viewer_id, user_ids),
        chats=[],
        date=ctx.now,
        seq=0,
    )
