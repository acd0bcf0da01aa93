"""Server layer: what an account has read, and who is told (C4).

Knows the read marks of both kinds of boxes. Knows nothing of the methods that lead here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radiogram.server import chat_store, store
from radiogram.server.peers import Room
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def read_channel(ctx: Context, changes: Changes, room: Room, max_id: int) -> None:
    """Move the caller's read mark of a channel up to a message; backwards is no move.

    The caller's sessions are told, and in a supergroup those whose messages were read. A bot has
    no read marks, and neither has who is no member.
    """
    if not room.standing.is_present or room.user.is_bot:
        return
    mark = 0 if room.dialog is None else room.dialog.read_inbox_max_id
    if max_id <= mark:
        return
    chat = room.chat
    store.save_dialog(ctx.tx, ctx.user_id, room.peer, read_inbox_max_id=max_id)
    unread = store.count_unread_of_others(ctx.tx, chat.box_id, chat.peer, ctx.user_id, after=max_id)
    changes.tell_read(ctx.user_id, chat, max_id, unread)
    if chat.is_broadcast:
        return
    read = store.senders(
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
    marks = store.outbox_marks(ctx.tx, chat.peer, present)
    for sender_id in present:
        if read[sender_id] > marks.get(sender_id, 0):
            until = read[sender_id]
            store.save_dialog(ctx.tx, sender_id, chat.peer, read_outbox_max_id=until)
            update = api.UpdateReadChannelOutbox(channel_id=chat.id, max_id=until)
            changes.tell([sender_id], update)


__all__ = ["read_channel"]
