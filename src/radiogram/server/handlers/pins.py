"""Server layer: pinning in Saved Messages and private chats (part B)."""

from __future__ import annotations

from radiogram.server import delivery, peers, render, store
from radiogram.server.delivery import Draft, Reply
from radiogram.server.peers import Private, Room
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.store import Content, MessageRow
from radiogram.server.updates import Changes
from radiogram.tl import api


@handles(api.messages.UpdatePinnedMessage)
def update_pinned_message(
    ctx: Context, request: api.messages.UpdatePinnedMessage
) -> api.TypeUpdates:
    """Pin or unpin one message; the checks come in the order of B3."""
    target = _resolve(ctx, request.peer)
    _check_may_pin(ctx, target, one_side=request.pm_oneside)
    row = store.find_message(ctx.tx, ctx.user_id, request.id)
    if row is None or row.peer != target.peer or row.action is not None:
        raise RpcFault(400, "MESSAGE_ID_INVALID")

    pinned = not request.unpin
    changes = Changes(ctx, target.people)
    copies = [
        copy
        for copy in _touched(ctx, target, row, one_side=request.pm_oneside)
        if copy.pinned != pinned
    ]
    if not copies:  # B5.6; B5.7 looks at all copies
        if ctx.world.settings.pin_noop == "error":
            raise RpcFault(400, "CHAT_NOT_MODIFIED")
        return changes.result(target.me.user)
    owners = {side.user.id: side.user for side in (target.me, target.other)}
    for copy in copies:
        store.set_pinned(ctx.tx, copy.box_id, [copy.id], pinned)
        changes.box(owners[copy.box_id]).add_pins(copy.peer, [copy.id], pinned=pinned)
    if pinned and not target.is_self and not request.pm_oneside:  # B5.4
        notice = Content(
            sender_id=ctx.user_id,
            date=ctx.now,
            silent=True,  # in a private chat always (B5.5)
            action=render.encode(api.MessageActionPinMessage()),
        )
        delivery.deliver(ctx, changes, target, [Draft(notice, Reply(row))])
    changes.finish()
    return changes.result(target.me.user)


@handles(api.messages.UnpinAllMessages)
def unpin_all_messages(
    ctx: Context, request: api.messages.UnpinAllMessages
) -> api.messages.AffectedHistory:
    """Unpin everything in a chat, on both sides (B9)."""
    target = _resolve(ctx, request.peer)
    _check_may_pin(ctx, target, one_side=False)
    mine = store.pinned_ids(ctx.tx, ctx.user_id, target.peer)
    theirs: list[int] = []
    if request.saved_peer_id is not None:
        mine = _within(ctx, target, mine, request.saved_peer_id)
    elif request.top_msg_id is not None:
        mine = []  # a private chat has no threads
    elif not target.is_self and not target.other.blocks:
        theirs = store.pinned_ids(ctx.tx, target.other.user.id, target.mirror)
    if not mine and not theirs and ctx.world.settings.pin_noop == "error":
        raise RpcFault(400, "CHAT_NOT_MODIFIED")

    batch = ctx.world.settings.affected_batch or max(len(mine), len(theirs))
    changes = Changes(ctx, target.people)
    box = changes.box(target.me.user)
    for side, peer, ids in (
        (target.me, target.peer, mine[:batch]),
        (target.other, target.mirror, theirs[:batch]),
    ):
        if ids:
            store.set_pinned(ctx.tx, side.user.id, ids, False)
            changes.box(side.user).add_pins(peer, sorted(ids), pinned=False)
    changes.finish()
    return api.messages.AffectedHistory(
        pts=box.pts,
        pts_count=len(mine[:batch]),
        offset=max(len(mine[batch:]), len(theirs[batch:])),
    )


def _resolve(ctx: Context, peer: api.TypeInputPeer) -> Private:
    target = peers.resolve(ctx, peer)
    if isinstance(target, Room):
        raise RpcFault(400, "PEER_ID_INVALID")
    return target


def _check_may_pin(ctx: Context, target: Private, *, one_side: bool) -> None:
    if target.other.user.deleted:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    if ctx.is_bot and one_side:
        raise RpcFault(400, "BOT_ONESIDE_NOT_AVAIL")
    if ctx.is_bot and target.other.blocks and ctx.world.settings.pin_blocked_bot:
        raise RpcFault(400, "USER_IS_BLOCKED")
    if target.me.dialog is not None and not target.me.dialog.can_pin:
        raise RpcFault(400, "PIN_RESTRICTED")


def _touched(ctx: Context, target: Private, row: MessageRow, *, one_side: bool) -> list[MessageRow]:
    """Return the copies that a call is about, the caller's first (B6.1 to B6.6)."""
    if one_side or target.is_self or target.other.blocks:
        return [row]
    others = store.find_copies(ctx.tx, [row.content_id])
    return [row, *(copy for copy in others if copy.box_id == target.other.user.id)]


def _within(
    ctx: Context, target: Private, ids: list[int], saved_peer_id: api.TypeInputPeer
) -> list[int]:
    """Keep the messages that were saved from one chat."""
    if not target.is_self:
        raise RpcFault(400, "PEER_ID_INVALID")
    wanted = render.peer(peers.resolve(ctx, saved_peer_id).peer)
    rows = store.find_messages(ctx.tx, ctx.user_id, ids)
    saved = {number: render.message(rows[number], ctx.user_id).saved_peer_id for number in ids}
    return [number for number in ids if saved[number] == wanted]
