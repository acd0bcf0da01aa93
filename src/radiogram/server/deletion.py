"""Server layer: taking messages out of boxes, and which copies a change reaches.

Knows who may delete whose messages (C3) and which copies of a message go (B1.2); a pin goes with
its copy (B10.1). Knows nothing of the methods that lead here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radiogram.server import (
    admin_log,
    business,
    chat_store,
    dialog_store,
    message_store,
    peers,
    render,
)
from radiogram.server.peers import Room
from radiogram.server.rows import MessageRow
from radiogram.server.rpc import RpcFault
from radiogram.server.tables import PEER_CHAT
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def check_may_revoke(ctx: Context, rows: Sequence[MessageRow]) -> None:
    """Refuse to delete others' copies where the caller must not.

    In a private chat both sides may delete everything; in a basic group one needs to be in it,
    and to be an admin for what others wrote. Fault: MESSAGE_DELETE_FORBIDDEN.
    """
    for chat_id in {row.peer_id for row in rows if row.peer_type == PEER_CHAT}:
        standing = peers.room_of(ctx, chat_id).standing
        theirs = any(row.peer_id == chat_id and row.sender_id != ctx.user_id for row in rows)
        if not standing.is_present or (theirs and not standing.is_admin):
            raise RpcFault(403, "MESSAGE_DELETE_FORBIDDEN")


def check_may_delete(room: Room, rows: Sequence[MessageRow]) -> None:
    """Refuse to delete messages of a channel, which go for everybody.

    Faults: CHAT_ADMIN_REQUIRED (outsiders, and in broadcast channels), MESSAGE_DELETE_FORBIDDEN.
    """
    standing = room.standing
    if standing.has_right("delete_messages"):
        return
    mine = all(row.sender_id == room.user.id for row in rows)
    if not standing.is_present:
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    if room.chat.is_broadcast and not (mine and standing.has_right("post_messages")):
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    if not mine:
        raise RpcFault(403, "MESSAGE_DELETE_FORBIDDEN")


def delete_copies(
    ctx: Context, changes: Changes, rows: Sequence[MessageRow], *, revoke: bool
) -> int:
    """Delete the caller's copies, and others' with `revoke`; what is checked is checked before.

    Who has left a basic group keeps what was written there. Return how many were the caller's.
    """
    if not rows:
        return 0
    doomed = list(rows)
    if revoke:
        doomed = reached(ctx, message_store.find_copies(ctx.tx, {row.content_id for row in rows}))
    business.tell_deleted(ctx, changes, doomed)
    message_store.delete_copies(ctx.tx, doomed)
    by_user: dict[int, list[MessageRow]] = {}
    for row in doomed:
        by_user.setdefault(row.box_id, []).append(row)
    users = changes.people.rows(by_user)
    for user_id, gone in by_user.items():
        changes.box(users[user_id]).add_deletion(sorted(row.id for row in gone))
        for peer in {row.peer for row in gone}:
            dialog_store.refresh_dialog(ctx.tx, user_id, peer)
    return len(by_user.get(ctx.user_id, ()))


def delete_posts(
    ctx: Context,
    changes: Changes,
    room: Room,
    rows: Sequence[MessageRow],
    *,
    logged: bool = True,
) -> int:
    """Delete messages of a channel, for everybody. Return how many there were.

    Each is found among the recent actions, unless `logged` is false.
    """
    for row in rows if logged else ():
        action = api.ChannelAdminLogEventActionDeleteMessage(message=render.message(row, 0))
        admin_log.log(ctx, room.chat, action)
    if rows:
        message_store.delete_copies(ctx.tx, rows)
        changes.channel(room.chat).add_deletion(sorted(row.id for row in rows))
    return len(rows)


def reached(ctx: Context, copies: Sequence[MessageRow]) -> list[MessageRow]:
    """Drop copies of a basic group's messages that lie with people who are not in it now.

    The caller's own copies remain.
    """
    inside = {
        chat_id: set(chat_store.member_ids(ctx.tx, chat_id)) | {ctx.user_id}
        for chat_id in {copy.peer_id for copy in copies if copy.peer_type == PEER_CHAT}
    }
    return [
        copy
        for copy in copies
        if copy.peer_type != PEER_CHAT or copy.box_id in inside[copy.peer_id]
    ]


def leave_behind(ctx: Context, row: MessageRow) -> None:
    """Part copies with people who have left a basic group from a message that will be edited.

    They keep it as it was when they left: an edit is not for their eyes.
    """
    copies = message_store.find_copies(ctx.tx, [row.content_id])
    inside = set(reached(ctx, copies))
    outside = [copy for copy in copies if copy not in inside]
    if outside:
        message_store.part_copies(ctx.tx, outside)


__all__ = [
    "check_may_delete",
    "check_may_revoke",
    "delete_copies",
    "delete_posts",
    "leave_behind",
    "reached",
]
