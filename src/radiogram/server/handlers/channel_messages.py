"""Server layer: messages of supergroups and broadcast channels (C3, C4, C5)."""

from __future__ import annotations

from radiogram.server import deletion, peers, reading, store
from radiogram.server.handlers import history
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.updates import Changes
from radiogram.tl import api

MAX_DELETED_IDS = 1000
"""Ids in one channels.deleteMessages; Telegram's own clients send 100."""


@handles(api.channels.GetMessages)
def get_messages(ctx: Context, request: api.channels.GetMessages) -> api.messages.ChannelMessages:
    """Return messages by id, in the order asked for; ``messageEmpty`` where there is none."""
    room = peers.resolve_channel(ctx, request.channel)
    found = history.by_id(ctx, room.box_id, room, request.id)
    return history.in_channel(ctx, room, found, len(found))


@handles(api.channels.DeleteMessages)
def delete_messages(
    ctx: Context, request: api.channels.DeleteMessages
) -> api.messages.AffectedMessages:
    """Delete messages for everybody; ids that do not exist do not matter."""
    room = peers.resolve_channel(ctx, request.channel)
    if len(request.id) > MAX_DELETED_IDS:
        raise RpcFault(400, "MSG_ID_INVALID")
    found = store.find_messages(ctx.tx, room.box_id, set(request.id)).values()
    rows = [row for row in found if row.id >= room.first_id]
    deletion.check_may_delete(room, rows)
    changes = Changes(ctx, room.people)
    count = deletion.delete_posts(ctx, changes, room, rows)
    changes.finish()
    return api.messages.AffectedMessages(pts=changes.channel(room.chat).pts, pts_count=count)


@handles(api.channels.ReadHistory, bots=False)
def read_history(ctx: Context, request: api.channels.ReadHistory) -> bool:
    """Mark a channel as read up to a message, or wholly if `max_id` is 0."""
    room = peers.resolve_channel(ctx, request.channel)
    last = store.last_message_id(ctx.tx, room.box_id, room.peer)
    changes = Changes(ctx, room.people)
    max_id = min(request.max_id, last) if request.max_id > 0 else last
    reading.read_channel(ctx, changes, room, max_id)
    changes.finish()
    return True
