"""Server layer: the list of chats, and reading and clearing them (C3, C4)."""

from __future__ import annotations

from collections.abc import Sequence

from radiogram.server import deletion, paging, peers, render, store
from radiogram.server.db import PEER_USER, boxes, messages
from radiogram.server.difference import state
from radiogram.server.peers import Room
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.store import DialogRow
from radiogram.server.updates import Changes
from radiogram.tl import api

MAX_PEERS = 100
"""Chats in one messages.getPeerDialogs."""


@handles(api.messages.GetDialogs, bots=False)
def get_dialogs(ctx: Context, request: api.messages.GetDialogs) -> api.messages.TypeDialogs:
    """Return one page of the list of chats, the one with the newest message first."""
    if request.folder_id not in (None, 0, 1):
        raise RpcFault(400, "FOLDER_ID_INVALID")
    if not isinstance(request.offset_peer, api.InputPeerEmpty):
        try:
            peers.resolve(ctx, request.offset_peer)
        except RpcFault:
            raise RpcFault(400, "OFFSET_PEER_ID_INVALID") from None
    rows = [] if request.folder_id == 1 else store.select_dialogs(ctx.tx, ctx.user_id)
    if request.offset_id > 0:
        left = [row for row in rows if row.top_message < request.offset_id]
    elif request.offset_date > 0:
        dates = store.dates_of(ctx.tx, ctx.user_id, (row.top_message for row in rows))
        left = [row for row in rows if dates.get(row.top_message, 0) < request.offset_date]
    else:
        left = rows
    shown = left[: paging.bounded(request.limit)]
    if request.hash and request.hash == paging.list_hash(row.top_message for row in shown):
        return api.messages.DialogsNotModified(count=len(rows))
    found, who = _with_messages(ctx, shown)
    dialogs: list[api.TypeDialog] = [render.dialog(row) for row in shown]
    if len(shown) == len(rows):
        return api.messages.Dialogs(dialogs=dialogs, messages=found, **who)
    return api.messages.DialogsSlice(count=len(rows), dialogs=dialogs, messages=found, **who)


@handles(api.messages.GetPeerDialogs, bots=False)
def get_peer_dialogs(
    ctx: Context, request: api.messages.GetPeerDialogs
) -> api.messages.PeerDialogs:
    """Return the chats that were asked for, also those that are not in the list."""
    if not request.peers:
        raise RpcFault(400, "INPUT_PEERS_EMPTY")
    if len(request.peers) > MAX_PEERS:
        raise RpcFault(400, "PEER_ID_INVALID")
    shown: dict[store.Peer, DialogRow] = {}
    for item in request.peers:
        if not isinstance(item, api.InputDialogPeer):
            continue  # a folder: there is nothing in the archive
        target = peers.resolve(ctx, item.peer)
        shown[target.peer] = target.dialog or DialogRow(
            ctx.user_id, *target.peer, 0, 0, 0, 0, hidden=True, can_pin=True
        )
    rows = list(shown.values())
    found, who = _with_messages(ctx, rows)
    return api.messages.PeerDialogs(
        dialogs=[render.dialog(row) for row in rows],
        messages=found,
        **who,
        state=state(ctx, store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id]),
    )


def _with_messages(
    ctx: Context, rows: Sequence[DialogRow]
) -> tuple[list[api.TypeMessage], render.Shown]:
    by_id = store.find_messages(ctx.tx, ctx.user_id, [row.top_message for row in rows])
    found: list[api.TypeMessage] = [
        render.message(by_id[row.top_message], ctx.user_id)
        for row in rows
        if row.top_message in by_id
    ]
    users = [row.peer_id for row in rows if row.peer_type == PEER_USER]
    chats = [row.peer_id for row in rows if row.peer_type != PEER_USER]
    people = render.People(ctx.tx, ctx.now)
    return found, people.mentioned(ctx.user_id, found, users=users, chats=chats)


@handles(api.messages.ReadHistory, bots=False)
def read_history(ctx: Context, request: api.messages.ReadHistory) -> api.messages.AffectedMessages:
    """Mark a chat as read up to a message, or wholly if `max_id` is 0."""
    target = peers.resolve(ctx, request.peer)
    if isinstance(target, Room):
        raise RpcFault(400, "PEER_ID_INVALID")
    me, other, dialog = target.me, target.other, target.me.dialog
    changes = Changes(ctx, target.people)
    box = changes.box(me.user)
    if dialog is None or target.is_self:
        return api.messages.AffectedMessages(pts=box.pts, pts_count=0)
    last = store.last_message_id(ctx.tx, ctx.user_id, target.peer)
    max_id = min(request.max_id, last) if request.max_id > 0 else last
    if max_id <= dialog.read_inbox_max_id:
        return api.messages.AffectedMessages(pts=box.pts, pts_count=0)
    unread = store.count_unread(ctx.tx, ctx.user_id, target.peer, after=max_id)
    store.save_dialog(
        ctx.tx, ctx.user_id, target.peer, read_inbox_max_id=max_id, unread_count=unread
    )
    box.add_read_inbox(target.peer, max_id, unread)
    if other.dialog is not None and not other.user.is_bot:  # bots are not told who reads them
        theirs = store.last_copy_of(
            ctx.tx,
            ctx.user_id,
            target.peer,
            other.user.id,
            after=dialog.read_inbox_max_id,
            until=max_id,
        )
        if theirs > other.dialog.read_outbox_max_id:
            store.save_dialog(ctx.tx, other.user.id, target.mirror, read_outbox_max_id=theirs)
            changes.box(other.user).add_read_outbox(target.mirror, theirs)
    changes.finish()
    return api.messages.AffectedMessages(pts=box.pts, pts_count=1)


@handles(api.messages.DeleteHistory, bots=False)
def delete_history(
    ctx: Context, request: api.messages.DeleteHistory
) -> api.messages.AffectedHistory:
    """Delete the messages of a chat, for both sides with `revoke`.

    The chat leaves the list, unless only a part of it was deleted or `just_clear` was given.
    """
    target = peers.resolve(ctx, request.peer)
    if isinstance(target, Room):
        raise RpcFault(400, "PEER_ID_INVALID")
    if request.max_id < 0:
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    if request.min_date is not None and not 0 <= request.min_date <= ctx.now:
        raise RpcFault(400, "MIN_DATE_INVALID")
    if request.max_date is not None and not 0 <= request.max_date <= ctx.now:
        raise RpcFault(400, "MAX_DATE_INVALID")
    conditions = []
    if request.max_id:
        conditions.append(boxes.c.id <= request.max_id)
    if request.min_date:
        conditions.append(messages.c.date >= request.min_date)
    if request.max_date:
        conditions.append(messages.c.date <= request.max_date)
    rows = list(store.select_messages(ctx.tx, ctx.user_id, target.peer, *conditions))
    batch = ctx.world.settings.affected_batch or len(rows)
    changes = Changes(ctx, target.people)
    box = changes.box(target.me.user)
    changes.box(target.other.user)
    count = deletion.delete_copies(ctx, changes, rows[:batch], revoke=request.revoke)
    if not request.just_clear:
        for side, peer in ((target.me, target.peer), (target.other, target.mirror)):
            mine = side is target.me
            if side.dialog is None or not (mine or request.revoke):
                continue
            if not store.last_message_id(ctx.tx, side.user.id, peer):
                store.save_dialog(ctx.tx, side.user.id, peer, hidden=True)
    changes.finish()
    return api.messages.AffectedHistory(
        pts=box.pts, pts_count=count, offset=len(rows) - len(rows[:batch])
    )
