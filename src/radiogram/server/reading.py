"""Server layer: what an account has read, and who is told (C4).

Knows the read marks of both kinds of boxes. Knows nothing of the methods that lead here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radiogram.server import chat_store, dialog_store, history_store
from radiogram.server.peers import Private, Room, Target
from radiogram.server.rows import Peer
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def read_common(ctx: Context, changes: Changes, target: Target, max_id: int) -> int:
    """Mark a private chat or basic group as read up to a message, wholly if `max_id` is 0.

    The caller's box and those of everybody whose messages were read learn of it, unless the
    caller has left the group. Return how many changes the caller's box has got. Backwards is no
    move, and one's own chat is always read.
    """
    mine, dialog = target.user, target.dialog
    if dialog is None or (isinstance(target, Private) and target.is_self):
        return 0
    last = history_store.last_message_id(ctx.tx, mine.id, target.peer)
    max_id = min(max_id, last) if max_id > 0 else last
    if max_id <= dialog.read_inbox_max_id:
        return 0
    unread = history_store.count_unread(ctx.tx, mine.id, target.peer, after=max_id)
    dialog_store.set_read(ctx.tx, dialog, max_id, unread)
    changes.box(mine).add_read_inbox(target.peer, max_id, unread)
    if isinstance(target, Room) and not target.standing.is_present:
        return 1
    read = history_store.last_copies(
        ctx.tx, mine.id, target.peer, after=dialog.read_inbox_max_id, until=max_id
    )
    read.pop(mine.id, None)
    if not read:
        return 1
    peer = target.mirror if isinstance(target, Private) else target.peer
    if isinstance(target, Room):
        present = chat_store.present_among(ctx.tx, target.chat.id, read)
        read = {number: read[number] for number in present}
    users = changes.people.rows(read)
    raised = _raised(ctx, peer, {one: read[one] for one in sorted(read) if not users[one].is_bot})
    for sender_id, until in raised.items():
        changes.box(users[sender_id]).add_read_outbox(peer, until)
    return 1


def read_channel(ctx: Context, changes: Changes, room: Room, max_id: int) -> None:
    """Move the caller's read mark of a channel up to a message; backwards is no move.

    The caller's sessions are told, and in a supergroup those whose messages were read. A bot has
    no read marks, and neither has who is no member.
    """
    if not room.standing.is_present or room.user.is_bot:
        return
    chat, dialog = room.chat, room.dialog
    mark = 0 if dialog is None else dialog.read_inbox_max_id
    if max_id <= mark:
        return
    if dialog is None:
        dialog_store.save_dialog(ctx.tx, ctx.user_id, room.peer, read_inbox_max_id=max_id)
    else:
        dialog_store.set_read(
            ctx.tx, dialog, max_id, 0
        )  # what is unread in a channel is counted anew
    unread = history_store.count_unread_of_others(
        ctx.tx, chat.box_id, chat.peer, ctx.user_id, after=max_id
    )
    changes.tell_read(ctx.user_id, chat, max_id, unread)
    if chat.is_broadcast:
        return
    read = history_store.senders(
        ctx.tx,
        chat.box_id,
        chat.peer,
        ctx.user_id,
        after=max(mark, room.first_id - 1),
        until=max_id,
    )
    if not read:
        return
    present = chat_store.present_among(ctx.tx, chat.id, read)
    raised = _raised(ctx, chat.peer, {sender_id: read[sender_id] for sender_id in present})
    for sender_id, until in raised.items():
        update = api.UpdateReadChannelOutbox(channel_id=chat.id, max_id=until)
        changes.tell([sender_id], update)


def _raised(ctx: Context, peer: Peer, read: dict[int, int]) -> dict[int, int]:
    """Move the marks of senders up to what was read of theirs; return those that moved."""
    marks = dialog_store.outbox_marks(ctx.tx, peer, read)
    raised = {
        sender_id: until
        for sender_id, until in read.items()
        if sender_id in marks and until > marks[sender_id]
    }
    dialog_store.set_read_by_others(ctx.tx, peer, raised)
    return raised


__all__ = ["read_channel", "read_common"]
