"""Server layer: pinning, in every kind of chat (part B).

A pin is a property of a copy: of one in each box in a private chat or a basic group, of the only
one in a channel. So a call first finds the copies that it is about, then changes those that are
not yet as it wants them, each with the next pts of its box.
"""

from __future__ import annotations

from collections.abc import Iterable

from radiogram.server import (
    admin_log,
    chat_store,
    delivery,
    history_store,
    message_store,
    peers,
    render,
    rooms,
)
from radiogram.server.delivery import Draft, Reply
from radiogram.server.peers import Private, Room, Target
from radiogram.server.rows import Content, MessageRow
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.topic_store import GENERAL
from radiogram.server.updates import Changes
from radiogram.tl import api


@handles(api.messages.UpdatePinnedMessage)
def update_pinned_message(
    ctx: Context, request: api.messages.UpdatePinnedMessage
) -> api.TypeUpdates:
    """Pin or unpin one message; the checks come in the order of B3."""
    target = peers.resolve(ctx, request.peer)
    _check_may_pin(ctx, target, one_side=request.pm_oneside)
    row = message_store.find_message(ctx.tx, target.box_id, request.id)
    if row is None or row.peer != target.peer or row.action is not None:
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    if not delivery.is_visible(target, row.id):
        raise RpcFault(400, "MESSAGE_ID_INVALID")

    pinned = not request.unpin
    one_side = request.pm_oneside and isinstance(target, Private)
    changes = Changes(ctx, target.people)
    copies = [
        copy for copy in _touched(ctx, target, row, one_side=one_side) if copy.pinned != pinned
    ]
    if not copies:  # B5.6; B5.7 looks at all copies
        _refuse_nothing(ctx, target)
        return changes.result(target.user)
    _apply(ctx, changes, target, copies, pinned=pinned)
    if pinned and not one_side:
        _announce(ctx, changes, target, row, silent=request.silent)
    changes.finish()
    return changes.result(target.user)


@handles(api.messages.UnpinAllMessages)
def unpin_all_messages(
    ctx: Context, request: api.messages.UnpinAllMessages
) -> api.messages.AffectedHistory:
    """Unpin everything in a chat, for everybody in it (B9)."""
    target = peers.resolve(ctx, request.peer)
    _check_may_pin(ctx, target, one_side=False)
    copies = _all_pinned(ctx, target, request)
    if not copies and ctx.world.settings.pin_noop == "error":
        raise RpcFault(400, "CHAT_NOT_MODIFIED")

    messages = list(dict.fromkeys(copy.content_id for copy in copies))
    batch = set(messages[: ctx.world.settings.affected_batch or None])
    now = [copy for copy in copies if copy.content_id in batch]
    changes = Changes(ctx, target.people)
    _apply(ctx, changes, target, now, pinned=False)
    changes.finish()
    mine = [copy for copy in now if copy.box_id == target.box_id]
    if isinstance(target, Room) and target.chat.is_channel:
        pts = changes.channel(target.chat).pts
    else:
        pts = changes.box(target.user).pts
    return api.messages.AffectedHistory(
        pts=pts, pts_count=len(mine), offset=len(messages) - len(batch)
    )


# ------------------------------------------------------------------ who may


def _check_may_pin(ctx: Context, target: Target, *, one_side: bool) -> None:
    """Refuse whoever must not pin here (B2, B4)."""
    if isinstance(target, Room):
        _check_room(ctx, target)
        return
    if target.other.user.deleted:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    if ctx.is_bot and one_side:
        raise RpcFault(400, "BOT_ONESIDE_NOT_AVAIL")
    if ctx.is_bot and target.other.blocks and ctx.world.settings.pin_blocked_bot:
        raise RpcFault(400, "USER_IS_BLOCKED")
    if target.dialog is not None and not target.dialog.can_pin:
        raise RpcFault(400, "PIN_RESTRICTED")


def _check_room(ctx: Context, room: Room) -> None:
    delivery.check_is_in(room)
    standing = room.standing
    if room.chat.is_broadcast:
        allowed = standing.has_right("edit_messages")
    else:
        allowed = standing.may("pin_messages")
        if not allowed and not standing.is_free("send_messages"):
            raise RpcFault(403, "CHAT_WRITE_FORBIDDEN")
    if not allowed:
        named = ctx.world.settings.pin_restricted_for_groups
        raise RpcFault(400, "PIN_RESTRICTED" if named else "CHAT_ADMIN_REQUIRED")


def _refuse_nothing(ctx: Context, target: Target) -> None:
    """Say that nothing would change, where that is an error (B5.6)."""
    noop = ctx.world.settings.pin_noop
    if noop == "error" or (noop == "split" and isinstance(target, Room)):
        raise RpcFault(400, "CHAT_NOT_MODIFIED")


# ------------------------------------------------------------------ which copies


def _touched(ctx: Context, target: Target, row: MessageRow, *, one_side: bool) -> list[MessageRow]:
    """Return the copies that a call is about, the caller's first (B6.1 to B6.11)."""
    boxes = _boxes(ctx, target, one_side=one_side)
    if boxes == {row.box_id}:
        return [row]
    others = message_store.find_copies(ctx.tx, [row.content_id])
    mine = row.box_id
    return [row, *(copy for copy in others if copy.box_id in boxes and copy.box_id != mine)]


def _boxes(ctx: Context, target: Target, *, one_side: bool) -> set[int]:
    """Return the boxes in which a call may change something."""
    if isinstance(target, Private):
        if one_side or target.is_self or target.other.blocks:  # B6.6
            return {target.box_id}
        return {target.user.id, target.other.user.id}
    if target.chat.is_channel:
        return {target.box_id}
    return set(chat_store.member_ids(ctx.tx, target.chat.id))  # who left keeps theirs (B6.9)


def _all_pinned(
    ctx: Context, target: Target, request: api.messages.UnpinAllMessages
) -> list[MessageRow]:
    """Return the pinned copies that unpinAllMessages is about, the newest messages first."""
    boxes = _boxes(ctx, target, one_side=request.saved_peer_id is not None)
    found: list[MessageRow] = []
    for box_id in sorted(boxes, key=lambda number: number != target.box_id):
        peer = target.peer
        if isinstance(target, Private) and box_id != target.box_id:
            peer = target.mirror
        ids = history_store.pinned_ids(ctx.tx, box_id, peer)
        rows = message_store.find_messages(ctx.tx, box_id, ids)
        found += [rows[number] for number in ids]
    if request.saved_peer_id is not None:
        return _within(ctx, target, found, request.saved_peer_id)
    if request.top_msg_id is not None:
        if not isinstance(target, Room) or not target.chat.forum:
            return []  # there are no threads here
        topic = None if request.top_msg_id == GENERAL else request.top_msg_id
        return [row for row in found if row.topic_id == topic]
    return found


def _within(
    ctx: Context, target: Target, rows: Iterable[MessageRow], saved_peer_id: api.TypeInputPeer
) -> list[MessageRow]:
    """Keep the messages that were saved from one chat."""
    if not isinstance(target, Private) or not target.is_self:
        raise RpcFault(400, "PEER_ID_INVALID")
    wanted = render.peer(peers.resolve(ctx, saved_peer_id).peer)
    return [row for row in rows if render.message(row, ctx.user_id).saved_peer_id == wanted]


# ------------------------------------------------------------------ what happens


def _apply(
    ctx: Context, changes: Changes, target: Target, copies: list[MessageRow], *, pinned: bool
) -> None:
    """Change copies; one update for each box (B5.3, B9.4)."""
    by_box: dict[int, list[MessageRow]] = {}
    for copy in copies:
        by_box.setdefault(copy.box_id, []).append(copy)
    owners = changes.people.rows([box_id for box_id in by_box if box_id > 0])
    for box_id, rows in by_box.items():
        ids = sorted(row.id for row in rows)
        message_store.set_pinned(ctx.tx, box_id, ids, pinned)
        if isinstance(target, Room) and target.chat.is_channel:
            changes.channel(target.chat).add_pins(target.peer, ids, pinned=pinned)
        else:
            changes.box(owners[box_id]).add_pins(rows[0].peer, ids, pinned=pinned)
    if isinstance(target, Room):
        for row in by_box.get(target.box_id, ()):  # B8.6
            message = render.message(row._replace(pinned=pinned), 0)
            action = api.ChannelAdminLogEventActionUpdatePinned(message=message)
            admin_log.log(ctx, target.chat, action)


def _announce(
    ctx: Context, changes: Changes, target: Target, row: MessageRow, *, silent: bool
) -> None:
    """Write the service message of a pin, where there is one (B5.4, B5.5)."""
    action = api.MessageActionPinMessage()
    if isinstance(target, Room):
        mentions = ctx.world.settings.pin_mentions_members and not target.chat.is_broadcast
        rooms.announce(
            ctx,
            changes,
            target,
            action,
            reply=row,
            silent=silent,
            topic_id=row.topic_id,
            mentions_all=mentions and not silent,
        )
    elif not target.is_self:
        notice = Content(
            sender_id=ctx.user_id,
            date=ctx.now,
            silent=True,  # in a private chat always
            action=render.encode(action),
        )
        delivery.deliver(ctx, changes, target, [Draft(notice, Reply(row))])
