"""Server layer: messages from Telegram itself, account 777000 (C0.1.6).

Knows how to write to somebody without a caller who writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radiogram.server import render, user_store
from radiogram.server.accounts import SERVICE_ID
from radiogram.server.delivery import Draft, deliver, deliver_to_other
from radiogram.server.peers import Private
from radiogram.server.rows import Content, Peer
from radiogram.server.tables import PEER_USER
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def send_service_message(ctx: Context, user_id: int, text: str) -> None:
    """Send a text from 777000 to an account, as part of the transaction of the call."""
    sides = user_store.load_sides(ctx.tx, SERVICE_ID, user_id)
    people = render.People(ctx.tx, ctx.now, sides.values())
    target = Private(Peer(PEER_USER, user_id), sides[SERVICE_ID], sides[user_id], people)
    changes = Changes(ctx, people)
    deliver(
        ctx,
        changes,
        target,
        [Draft(Content(sender_id=SERVICE_ID, date=ctx.now, text=text))],
    )
    changes.finish()


def send_joined(ctx: Context, user_id: int, to_id: int) -> None:
    """Tell somebody that a contact has signed up: in their own box only (C1, signUp)."""
    sides = user_store.load_sides(ctx.tx, user_id, to_id)
    people = render.People(ctx.tx, ctx.now, sides.values())
    target = Private(Peer(PEER_USER, to_id), sides[user_id], sides[to_id], people)
    changes = Changes(ctx, people)
    action = render.encode(api.MessageActionContactSignUp())
    content = Content(sender_id=user_id, date=ctx.now, action=action)
    deliver_to_other(ctx, changes, target, Draft(content))
    changes.finish()
