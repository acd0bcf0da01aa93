"""Server layer: messages of supergroups and broadcast channels (C3, C4, C5)."""

from __future__ import annotations

from radiogram.server import chat_store, deletion, history_store, message_store, peers, reading
from radiogram.server.handlers import history
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import boxes, messages
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
    found = message_store.find_messages(ctx.tx, room.box_id, set(request.id)).values()
    rows = [row for row in found if row.id >= room.first_id]
    deletion.check_may_delete(room, rows)
    changes = Changes(ctx, room.people)
    count = deletion.delete_posts(ctx, changes, room, rows)
    changes.finish()
    return api.messages.AffectedMessages(pts=changes.channel(room.chat).pts, pts_count=count)


@handles(api.channels.DeleteHistory, bots=False)
def delete_history(ctx: Context, request: api.channels.DeleteHistory) -> api.TypeUpdates:
    """Delete the messages up to one, or all if `max_id` is 0, for everybody or for the caller.

    For the caller they are hidden, which is possible in supergroups only.
    """
    room = peers.resolve_channel(ctx, request.channel)
    if not room.standing.is_present:
        raise RpcFault(400, "CHANNEL_PARICIPANT_MISSING")
    last = history_store.last_message_id(ctx.tx, room.box_id, room.peer)
    max_id = min(request.max_id, last) if request.max_id > 0 else last
    changes = Changes(ctx, room.people)
    if request.for_everyone:
        if not room.standing.has_right("delete_messages"):
            raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
        up_to = boxes.c.id <= max_id
        rows = list(history_store.select_messages(ctx.tx, room.box_id, room.peer, up_to))
        deletion.delete_posts(ctx, changes, room, rows, logged=False)
    elif room.chat.is_broadcast:
        raise RpcFault(400, "CHANNEL_TOO_BIG")
    elif max_id >= room.first_id:
        first = max_id + 1
        chat_store.save_member(ctx.tx, room.chat.id, ctx.user_id, available_min_id=first)
        update = api.UpdateChannelAvailableMessages(channel_id=room.chat.id, available_min_id=first)
        changes.tell([ctx.user_id], update)
    changes.finish()
    return changes.result(room.user)


@handles(api.channels.DeleteParticipantHistory, bots=False)
def delete_participant_history(
    ctx: Context, request: api.channels.DeleteParticipantHistory
) -> api.messages.AffectedHistory:
    """Delete what somebody has written in a supergroup, for everybody."""
    room = peers.resolve_channel(ctx, request.channel)
    if room.chat.is_broadcast:
        raise RpcFault(400, "CHANNEL_INVALID")
    if not room.standing.is_present:
        raise RpcFault(403, "CHAT_WRITE_FORBIDDEN")
    if not room.standing.has_right("delete_messages"):
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    try:
        author = peers.resolve(ctx, request.participant).peer
    except RpcFault:
        raise RpcFault(400, "PARTICIPANT_ID_INVALID") from None
    theirs = (history.written_by(author), messages.c.action.is_(None))
    rows = list(history_store.select_messages(ctx.tx, room.box_id, room.peer, *theirs))
    batch = ctx.world.settings.affected_batch or len(rows)
    changes = Changes(ctx, room.people)
    count = deletion.delete_posts(ctx, changes, room, rows[:batch])
    changes.finish()
    return api.messages.AffectedHistory(
        pts=changes.channel(room.chat).pts, pts_count=count, offset=len(rows) - count
    )


@handles(api.channels.ReadMessageContents, bots=False)
def read_message_contents(ctx: Context, request: api.channels.ReadMessageContents) -> bool:
    """Note that voice notes were heard and mentions seen: there is nothing that waits for it."""
    peers.resolve_channel(ctx, request.channel)
    return True


@handles(api.channels.ReadHistory, bots=False)
def read_history(ctx: Context, request: api.channels.ReadHistory) -> bool:
    """Mark a channel as read up to a message, or wholly if `max_id` is 0."""
    room = peers.resolve_channel(ctx, request.channel)
    last = history_store.last_message_id(ctx.tx, room.box_id, room.peer)
    changes = Changes(ctx, room.people)
    max_id = min(request.max_id, last) if request.max_id > 0 else last
    reading.read_channel(ctx, changes, room, max_id)
    changes.finish()
    return True
