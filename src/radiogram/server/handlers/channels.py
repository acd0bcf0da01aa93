"""Server layer: supergroups and broadcast channels (C5)."""

from __future__ import annotations

from radiogram.server import chat_store, peers, render, rooms
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.updates import Changes
from radiogram.tl import api

MAX_CHANNELS = 200
"""Channels in one channels.getChannels."""


@handles(api.channels.CreateChannel, bots=False)
def create_channel(ctx: Context, request: api.channels.CreateChannel) -> api.TypeUpdates:
    """Make a broadcast channel, a supergroup, or a supergroup with topics."""
    title = rooms.check_title(request.title)
    about = rooms.check_about(request.about)
    kind = chat_store.SUPERGROUP if request.megagroup or request.forum else chat_store.BROADCAST
    room = rooms.create(ctx, kind, title, about=about, forum=request.forum)
    changes = Changes(ctx, room.people)
    changes.tell([ctx.user_id], api.UpdateChannel(channel_id=room.chat.id))
    rooms.announce(ctx, changes, room, api.MessageActionChannelCreate(title=title))
    changes.finish()
    return changes.result(room.user)


@handles(api.channels.GetChannels)
def get_channels(ctx: Context, request: api.channels.GetChannels) -> api.messages.Chats:
    """Return channels by id and access hash; one that is closed to the caller as forbidden."""
    if len(request.id) > MAX_CHANNELS:
        raise RpcFault(400, "CHANNEL_INVALID")
    found = []
    for channel in request.id:
        try:
            found.append(peers.resolve_channel(ctx, channel).chat.id)
        except RpcFault as fault:
            if fault.message != "CHANNEL_PRIVATE" or not isinstance(channel, api.InputChannel):
                raise
            found.append(channel.channel_id)
    people = render.People(ctx.tx, ctx.now)
    return api.messages.Chats(chats=people.chats_seen_by(ctx.user_id, found))
