"""Server layer: users.*: what an account looks like to another (C2)."""

from __future__ import annotations

from radiogram.server import accounts, history_store, peers, render, user_store
from radiogram.server.rows import Peer, Side
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import PEER_USER
from radiogram.tl import api

MAX_USERS = 200
"""Accounts in one users.getUsers."""


@handles(api.users.GetUsers)
def get_users(ctx: Context, request: api.users.GetUsers) -> list[api.TypeUser]:
    if len(request.id) > MAX_USERS:
        raise RpcFault(400, "LIMIT_INVALID")
    named = [item.user_id for item in request.id if isinstance(item, api.InputUser)]
    existing = user_store.load_users(ctx.tx, named) if named else {}
    people = render.People(ctx.tx, ctx.now)
    found: list[api.TypeUser] = []
    for item in request.id:
        if isinstance(item, api.InputUserEmpty):
            found.append(api.UserEmpty(id=0))
        elif isinstance(item, api.InputUser) and item.user_id not in existing:
            found.append(api.UserEmpty(id=item.user_id))
        else:
            row = peers.resolve_user(ctx, item)
            found += people.seen_by(ctx.user_id, [row.id])
    return found


@handles(api.users.GetFullUser)
def get_full_user(ctx: Context, request: api.users.GetFullUser) -> api.users.UserFull:
    target = peers.resolve_user(ctx, request.id)
    myself = target.id == ctx.user_id
    peer = Peer(PEER_USER, target.id)
    sides = user_store.load_sides(ctx.tx, ctx.user_id, target.id)
    me = sides[ctx.user_id]
    people = render.People(ctx.tx, ctx.now, sides.values())
    full = api.UserFull(
        id=target.id,
        blocked=me.blocks and not myself,
        about=accounts.own(ctx.tx, target.id).about or None,
        settings=settings_of(me, myself=myself),
        notify_settings=api.PeerNotifySettings(),
        common_chats_count=0,
        pinned_msg_id=history_store.last_pinned_id(ctx.tx, ctx.user_id, peer),
        can_pin_message=me.dialog is None or me.dialog.can_pin,
        bot_info=api.BotInfo(user_id=target.id, commands=[]) if target.is_bot else None,
    )
    return api.users.UserFull(
        full_user=full, chats=[], users=people.seen_by(ctx.user_id, [target.id])
    )


def settings_of(me: Side, *, myself: bool) -> api.PeerSettings:
    """Return what a client may offer above a chat: to add, share or block."""
    stranger = me.contact is None and not myself
    return api.PeerSettings(add_contact=stranger, block_contact=stranger and not me.blocks)
