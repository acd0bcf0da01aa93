"""Server layer: the list of chats, and reading and clearing them (C3, C4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radiogram.server import (
    deletion,
    dialog_list,
    dialog_store,
    history_store,
    paging,
    peers,
    reading,
    user_store,
)
from radiogram.server.dialog_list import Entry
from radiogram.server.difference import state
from radiogram.server.peers import Private, Room
from radiogram.server.rows import Peer
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import boxes, messages
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

MAX_PEERS = 100
"""Chats in one messages.getPeerDialogs."""


@handles(api.messages.GetDialogs, bots=False)
def get_dialogs(ctx: Context, request: api.messages.GetDialogs) -> api.messages.TypeDialogs:
    """Return one page of the list of chats, the one with the newest message first."""
    if request.folder_id not in (None, 0, 1):
        raise RpcFault(400, "FOLDER_ID_INVALID")
    peer = None
    if not isinstance(request.offset_peer, api.InputPeerEmpty):
        try:
            peer = peers.resolve(ctx, request.offset_peer).peer
        except RpcFault:
            raise RpcFault(400, "OFFSET_PEER_ID_INVALID") from None
    found = [] if request.folder_id == 1 else dialog_list.entries(ctx)
    left = dialog_list.after(
        found, date=request.offset_date, message_id=request.offset_id, peer=peer
    )
    page = left[: paging.bounded(request.limit)]
    if request.hash and request.hash == paging.list_hash(entry.row.top_message for entry in page):
        return api.messages.DialogsNotModified(count=len(found))
    shown: list[api.TypeDialog] = [dialog_list.dialog(ctx, entry) for entry in page]
    tops = dialog_list.top_messages(ctx, page)
    who = dialog_list.shown(ctx, page, tops)
    if len(page) == len(found):
        return api.messages.Dialogs(dialogs=shown, messages=tops, **who)
    return api.messages.DialogsSlice(count=len(found), dialogs=shown, messages=tops, **who)


@handles(api.messages.GetPeerDialogs, bots=False)
def get_peer_dialogs(
    ctx: Context, request: api.messages.GetPeerDialogs
) -> api.messages.PeerDialogs:
    """Return the chats that were asked for, also those that are not in the list."""
    if not request.peers:
        raise RpcFault(400, "INPUT_PEERS_EMPTY")
    if len(request.peers) > MAX_PEERS:
        raise RpcFault(400, "PEER_ID_INVALID")
    asked: dict[Peer, Entry] = {}
    for item in request.peers:
        if not isinstance(item, api.InputDialogPeer):
            continue  # a folder: there is nothing in the archive
        target = peers.resolve(ctx, item.peer)
        asked[target.peer] = dialog_list.entry_of(ctx, target)
    page = list(asked.values())
    tops = dialog_list.top_messages(ctx, page)
    return api.messages.PeerDialogs(
        dialogs=[dialog_list.dialog(ctx, entry) for entry in page],
        messages=tops,
        **dialog_list.shown(ctx, page, tops),
        state=state(ctx, user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id]),
    )


@handles(api.messages.ReadHistory, bots=False)
def read_history(ctx: Context, request: api.messages.ReadHistory) -> api.messages.AffectedMessages:
    """Mark a private chat or basic group as read up to a message; wholly if `max_id` is 0."""
    target = peers.resolve(ctx, request.peer)
    if isinstance(target, Room) and target.chat.is_channel:
        raise RpcFault(400, "PEER_ID_INVALID")
    changes = Changes(ctx, target.people)
    count = reading.read_common(ctx, changes, target, request.max_id)
    changes.finish()
    return api.messages.AffectedMessages(pts=changes.box(target.user).pts, pts_count=count)


@handles(api.messages.DeleteHistory, bots=False)
def delete_history(
    ctx: Context, request: api.messages.DeleteHistory
) -> api.messages.AffectedHistory:
    """Delete the messages of a private chat or basic group, for everybody with `revoke`.

    The chat leaves the list, unless only a part of it was deleted or `just_clear` was given.
    """
    target = peers.resolve(ctx, request.peer)
    if isinstance(target, Room) and target.chat.is_channel:
        raise RpcFault(400, "PEER_ID_INVALID")
    rows = list(
        history_store.select_messages(ctx.tx, ctx.user_id, target.peer, *_conditions(ctx, request))
    )
    if isinstance(target, Room) and request.revoke and not target.standing.is_admin:
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    batch = ctx.world.settings.affected_batch or len(rows)
    changes = Changes(ctx, target.people)
    box = changes.box(target.user)
    if isinstance(target, Private):
        changes.box(target.other.user)
    count = deletion.delete_copies(ctx, changes, rows[:batch], revoke=request.revoke)
    if not request.just_clear:
        lists = [(target.user.id, target.peer, target.dialog)]
        if isinstance(target, Private) and request.revoke:
            lists.append((target.other.user.id, target.mirror, target.other.dialog))
        for user_id, peer, dialog in lists:
            if dialog is not None and not history_store.last_message_id(ctx.tx, user_id, peer):
                dialog_store.save_dialog(ctx.tx, user_id, peer, hidden=True)
    changes.finish()
    return api.messages.AffectedHistory(
        pts=box.pts, pts_count=count, offset=len(rows) - len(rows[:batch])
    )


def _conditions(ctx: Context, request: api.messages.DeleteHistory) -> list[ColumnElement[bool]]:
    """Return which messages of the chat are to go."""
    if request.max_id < 0:
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    if request.min_date is not None and not 0 <= request.min_date <= ctx.now:
        raise RpcFault(400, "MIN_DATE_INVALID")
    if request.max_date is not None and not 0 <= request.max_date <= ctx.now:
        raise RpcFault(400, "MAX_DATE_INVALID")
    conditions: list[ColumnElement[bool]] = []
    if request.max_id:
        conditions.append(boxes.c.id <= request.max_id)
    if request.min_date:
        conditions.append(messages.c.date >= request.min_date)
    if request.max_date:
        conditions.append(messages.c.date <= request.max_date)
    return conditions
