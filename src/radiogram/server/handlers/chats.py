"""Server layer: basic groups (C5)."""

from __future__ import annotations

from radiogram.server import chat_store, peers, render, rooms, store
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.updates import Changes
from radiogram.tl import api

MAX_CHATS = 200
"""Chats in one messages.getChats."""


@handles(api.messages.CreateChat, bots=False)
def create_chat(ctx: Context, request: api.messages.CreateChat) -> api.messages.InvitedUsers:
    """Make a basic group of the caller and the accounts named."""
    title = rooms.check_title(request.title)
    users = {row.id: row for row in (peers.resolve_user(ctx, user) for user in request.users)}
    users.pop(ctx.user_id, None)
    if not users:
        raise RpcFault(400, "USERS_TOO_FEW")
    if len(users) >= ctx.world.settings.chat_size_max:
        raise RpcFault(400, "USERS_TOO_MUCH")
    room = rooms.create(ctx, chat_store.GROUP, title)
    for user_id in users:
        rooms.add_member(ctx, room.chat, user_id, inviter_id=ctx.user_id)
    chat_store.recount(ctx.tx, room.chat.id)
    room = peers.room_of(ctx, room.chat.id)
    changes = Changes(ctx, room.people)
    members = chat_store.select_members(ctx.tx, room.chat.id)
    everybody = [row.user_id for row in members]
    changes.tell(
        everybody, api.UpdateChatParticipants(participants=rooms.participants(members, room.chat))
    )
    action = api.MessageActionChatCreate(title=title, users=everybody)
    rooms.announce(ctx, changes, room, action)
    changes.finish()
    return api.messages.InvitedUsers(updates=changes.result(room.user), missing_invitees=[])


@handles(api.messages.GetChats)
def get_chats(ctx: Context, request: api.messages.GetChats) -> api.messages.Chats:
    """Return basic groups in which the caller is or was."""
    if len(request.id) > MAX_CHATS:
        raise RpcFault(400, "CHAT_ID_INVALID")
    for chat_id in request.id:
        peers.resolve_group(ctx, chat_id, "CHAT_ID_INVALID")
    people = render.People(ctx.tx, ctx.now)
    return api.messages.Chats(chats=people.chats_seen_by(ctx.user_id, request.id))


@handles(api.messages.GetFullChat)
def get_full_chat(ctx: Context, request: api.messages.GetFullChat) -> api.messages.ChatFull:
    """Return what there is to know of a basic group."""
    room = peers.resolve_group(ctx, request.chat_id, "CHAT_ID_INVALID")
    chat = room.chat
    members: api.TypeChatParticipants = api.ChatParticipantsForbidden(chat_id=chat.id)
    if room.standing.is_present:
        rows = chat_store.select_members(ctx.tx, chat.id)
        members = rooms.participants(rows, chat)
    full = api.ChatFull(
        id=chat.id,
        about=chat.about,
        participants=members,
        notify_settings=api.PeerNotifySettings(),
        can_set_username=room.standing.is_creator,
        pinned_msg_id=store.last_pinned_id(ctx.tx, ctx.user_id, room.peer),
    )
    shown = room.people.mentioned(ctx.user_id, full, chats=[chat.id])
    return api.messages.ChatFull(full_chat=full, **shown)
