"""Server layer: basic groups (C5), and what they share with channels."""

from __future__ import annotations

from collections.abc import Iterable

from radiogram.server import (
    admin_log,
    chat_store,
    closing,
    history_store,
    invites,
    peers,
    render,
    rights,
    rooms,
    user_store,
)
from radiogram.server.chat_store import MemberRow
from radiogram.server.peers import Room
from radiogram.server.rows import UserRow
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.updates import Changes
from radiogram.tl import api

MAX_CHATS = 200
"""Chats in one messages.getChats."""

FOREVER = 0x7FFFFFFF
"""An until_date that never comes."""

INVITED_USERS_LAYER = 177
"""The first layer that can say whom a call has not let in."""

# ------------------------------------------------------------------ making and reading


@handles(api.messages.CreateChat, bots=False)
def create_chat(ctx: Context, request: api.messages.CreateChat) -> api.messages.InvitedUsers:
    """Make a basic group of the caller and the accounts named."""
    title = rooms.check_title(request.title)
    if request.ttl_period:
        raise RpcFault(400, "TTL_PERIOD_INVALID")  # this server deletes no messages by itself
    if len(request.users) > ctx.world.settings.chat_size_max:
        raise RpcFault(400, "USERS_TOO_MUCH")
    users = {row.id: row for row in (peers.resolve_user(ctx, user) for user in request.users)}
    users.pop(ctx.user_id, None)
    if not users:
        raise RpcFault(400, "USERS_TOO_FEW")
    if len(users) >= ctx.world.settings.chat_size_max:
        raise RpcFault(400, "USERS_TOO_MUCH")
    if any(user.deleted for user in users.values()):
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    if user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id].limited:
        raise RpcFault(406, "USER_RESTRICTED")
    missing = rooms.blockers(ctx, users)

    room = rooms.create(ctx, chat_store.GROUP, title)
    for user_id in users:
        if user_id not in missing:
            rooms.add_member(ctx, room.chat, user_id, inviter_id=ctx.user_id)
    chat_store.recount(ctx.tx, room.chat.id)
    room = peers.room_of(ctx, room.chat.id)
    changes = Changes(ctx, room.people)
    rows = chat_store.select_members(ctx.tx, room.chat.id)
    everybody = [row.user_id for row in rows]
    changes.tell(
        everybody, api.UpdateChatParticipants(participants=rooms.participants(rows, room.chat))
    )
    for row in rows:
        if row.user_id in users and users[row.user_id].is_bot:
            rooms.log_participant(ctx, changes, room.chat, None, row)
    rooms.announce(ctx, changes, room, api.MessageActionChatCreate(title=title, users=everybody))
    changes.finish()
    return _invited(changes.result(room.user), missing)


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
    chat, standing = room.chat, room.standing
    listed: api.TypeChatParticipants = api.ChatParticipantsForbidden(chat_id=chat.id)
    link: api.TypeExportedChatInvite | None = None
    bots: list[api.TypeBotInfo] = []
    pending, recent = 0, list[int]()
    if standing.is_present:
        rows = [row for row in chat_store.select_members(ctx.tx, chat.id) if row.is_present]
        listed = rooms.participants(rows, chat)
        accounts = room.people.rows([row.user_id for row in rows])
        bots = [
            api.BotInfo(user_id=row.user_id, commands=[])
            for row in rows
            if accounts[row.user_id].is_bot
        ]
    if standing.has_right("invite_users") and not chat.deleted:
        own = invites.primary(ctx.tx, chat.id, ctx.user_id)
        link = None if own is None else invites.exported(ctx.tx, own)
        pending, recent = invites.pending(ctx.tx, chat.id)
    full = api.ChatFull(
        id=chat.id,
        about=chat.about,
        participants=listed,
        notify_settings=api.PeerNotifySettings(),
        can_set_username=standing.is_creator and not chat.deleted,
        exported_invite=link,
        bot_info=bots or None,
        pinned_msg_id=history_store.last_pinned_id(ctx.tx, ctx.user_id, room.peer),
        requests_pending=pending or None,
        recent_requesters=recent or None,
        available_reactions=api.ChatReactionsNone(),
    )
    shown = room.people.mentioned(ctx.user_id, full, chats=[chat.id])
    return api.messages.ChatFull(full_chat=full, **shown)


# ------------------------------------------------------------------ members


@handles(api.messages.AddChatUser, bots=False)
def add_chat_user(ctx: Context, request: api.messages.AddChatUser) -> api.messages.InvitedUsers:
    """Add somebody to a basic group, or return to one that the caller has left."""
    room = peers.resolve_group(ctx, request.chat_id, "CHAT_ID_INVALID")
    user = peers.resolve_user(ctx, request.user_id)
    own = room.standing.member
    returns = user.id == ctx.user_id and own is not None and own.state == chat_store.LEFT
    if not returns or room.chat.deleted:
        rooms.check_present(room)
    if not returns and not room.standing.may("invite_users"):
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    missing = () if returns else _check_may_add(ctx, room, user)
    rooms.check_size(ctx, room.chat)
    changes = Changes(ctx, room.people)
    if not missing:
        action = api.MessageActionChatAddUser(users=[user.id])
        shared = 0 if returns else request.fwd_limit
        rooms.admit(ctx, changes, room, user, action, inviter_id=ctx.user_id, shared=shared)
        changes.finish()
    return _invited(changes.result(room.user), missing)


def _check_may_add(ctx: Context, room: Room, user: UserRow) -> Iterable[int]:
    """Refuse to add whoever cannot be added; return them if they do not want to be."""
    if user.deleted:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    member = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    if member is not None and member.is_present:
        raise RpcFault(400, "USER_ALREADY_PARTICIPANT")
    sides = user_store.load_sides(ctx.tx, ctx.user_id, user.id)
    me, other = sides[ctx.user_id], sides[user.id]
    if me.blocks:
        raise RpcFault(400, "YOU_BLOCKED_USER")
    left = member is not None and member.state == chat_store.LEFT
    mutual = me.contact is not None and me.contact.mutual
    if left and not mutual and not user.is_bot:
        raise RpcFault(403, "USER_NOT_MUTUAL_CONTACT")
    if not other.blocks:
        return ()
    if ctx.layer < INVITED_USERS_LAYER:
        raise RpcFault(403, "USER_PRIVACY_RESTRICTED")
    return (user.id,)


def _invited(updates: api.Updates, missing: Iterable[int]) -> api.messages.InvitedUsers:
    return api.messages.InvitedUsers(
        updates=updates,
        missing_invitees=[api.MissingInvitee(user_id=number) for number in missing],
    )


@handles(api.messages.DeleteChatUser)
def delete_chat_user(ctx: Context, request: api.messages.DeleteChatUser) -> api.TypeUpdates:
    """Leave a basic group, or take somebody out of it."""
    room = peers.resolve_group(ctx, request.chat_id, "CHAT_ID_INVALID")
    user = peers.resolve_user(ctx, request.user_id)
    if user.id != ctx.user_id or room.chat.deleted:
        rooms.check_present(room)
    member = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    if member is None or not member.is_present:
        raise RpcFault(400, "USER_NOT_PARTICIPANT")
    if user.id != ctx.user_id and not _may_remove(room, member):
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    changes = Changes(ctx, room.people)
    rooms.remove(ctx, changes, room, member, revoke=request.revoke_history)
    changes.finish()
    return changes.result(room.user)


def _may_remove(room: Room, member: MemberRow) -> bool:
    """Tell whether the caller may take somebody else out of a basic group.

    The creator may take out anybody, admins those who are none, and others only whom they have
    brought in themselves, but bots nobody.
    """
    if room.standing.is_creator:
        return True
    if member.is_admin:
        return False
    return room.standing.is_admin or (member.inviter_id == room.user.id and not room.user.is_bot)


@handles(api.messages.EditChatAdmin, bots=False)
def edit_chat_admin(ctx: Context, request: api.messages.EditChatAdmin) -> bool:
    """Make a member of a basic group an admin, or an admin a member."""
    room = _own_group(ctx, request.chat_id)
    user = peers.resolve_user(ctx, request.user_id)
    member = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    if member is None or not member.is_present:
        raise RpcFault(400, "USER_NOT_PARTICIPANT")
    if member.is_creator:
        raise RpcFault(400, "USER_ID_INVALID")
    if member.is_admin == request.is_admin:
        return True
    changed = chat_store.save_member(
        ctx.tx,
        room.chat.id,
        user.id,
        admin_rights=rights.GROUP_ADMIN if request.is_admin else None,
        promoted_by=ctx.user_id if request.is_admin else None,
    )
    changes = Changes(ctx, room.people)
    chat = rooms.count_again(ctx, changes, room, changed).chat
    changes.tell(
        chat_store.member_ids(ctx.tx, chat.id),
        api.UpdateChatParticipantAdmin(
            chat_id=chat.id, user_id=user.id, is_admin=request.is_admin, version=chat.version
        ),
    )
    rooms.log_participant(ctx, changes, chat, member, changed)
    changes.finish()
    return True


# ------------------------------------------------------------------ what a chat is like


@handles(api.messages.EditChatTitle)
def edit_chat_title(ctx: Context, request: api.messages.EditChatTitle) -> api.TypeUpdates:
    """Give a basic group another name."""
    room = _editable_group(ctx, request.chat_id)
    return rooms.rename(ctx, room, request.title)


@handles(api.messages.EditChatPhoto)
def edit_chat_photo(ctx: Context, request: api.messages.EditChatPhoto) -> api.TypeUpdates:
    """Refuse a picture: the server stores no files, so that no group has one to take away."""
    _editable_group(ctx, request.chat_id)
    rooms.refuse_photo(request.photo)


@handles(api.messages.EditChatAbout)
def edit_chat_about(ctx: Context, request: api.messages.EditChatAbout) -> bool:
    """Describe a group or channel."""
    room = rooms.resolve(ctx, request.peer)
    if not room.standing.may("change_info"):
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    about = rooms.check_about(request.about)
    if about == room.chat.about:
        raise RpcFault(400, "CHAT_ABOUT_NOT_MODIFIED")
    changes = Changes(ctx, room.people)
    action = api.ChannelAdminLogEventActionChangeAbout(prev_value=room.chat.about, new_value=about)
    admin_log.log(ctx, room.chat, action)
    chat = chat_store.change_chat(ctx.tx, room.chat.id, about=about)
    room = rooms.refresh(ctx, changes, room, chat)
    rooms.tell_changed(ctx, changes, room)
    changes.finish()
    return True


@handles(api.messages.EditChatDefaultBannedRights)
def edit_chat_default_banned_rights(
    ctx: Context, request: api.messages.EditChatDefaultBannedRights
) -> api.TypeUpdates:
    """Say what members of a group or supergroup may not do."""
    room = rooms.resolve(ctx, request.peer)
    if room.chat.is_broadcast:
        raise RpcFault(400, "PEER_ID_INVALID")
    if not room.standing.has_right("ban_users"):
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    wanted = request.banned_rights
    mask = rights.to_mask(wanted, rights.BANNED)
    if mask & rights.VIEW:
        raise RpcFault(400, "BANNED_RIGHTS_INVALID")
    if wanted.until_date not in (0, FOREVER):
        raise RpcFault(400, "UNTIL_DATE_INVALID")
    if mask == room.chat.default_banned:
        raise RpcFault(400, "CHAT_NOT_MODIFIED")
    changes = Changes(ctx, room.people)
    chat = chat_store.change_chat(ctx.tx, room.chat.id, default_banned=mask)
    if chat.is_group:
        room = rooms.count_again(ctx, changes, room)
        changes.tell(
            changes.audience(room.chat),
            api.UpdateChatDefaultBannedRights(
                peer=render.peer(room.peer),
                default_banned_rights=rights.banned_rights(mask),
                version=room.chat.version,
            ),
        )
    else:
        action = api.ChannelAdminLogEventActionDefaultBannedRights(
            prev_banned_rights=rights.banned_rights(room.chat.default_banned),
            new_banned_rights=rights.banned_rights(mask),
        )
        admin_log.log(ctx, chat, action)
        room = rooms.refresh(ctx, changes, room, chat)
        rooms.tell_changed(ctx, changes, room)
    changes.finish()
    return changes.result(room.user)


@handles(api.messages.ToggleNoForwards, bots=False)
def toggle_no_forwards(ctx: Context, request: api.messages.ToggleNoForwards) -> api.TypeUpdates:
    """Forbid to forward what is written in a group or channel, or allow it again."""
    room = rooms.resolve(ctx, request.peer)
    if request.request_msg_id is not None:  # an answer to what is asked in private chats only
        raise RpcFault(400, "REQUEST_MSG_EXPIRED")
    if not room.standing.is_creator:
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    if request.enabled == room.chat.noforwards:
        raise RpcFault(400, "CHAT_NOT_MODIFIED")
    changes = Changes(ctx, room.people)
    action = api.ChannelAdminLogEventActionToggleNoForwards(new_value=request.enabled)
    admin_log.log(ctx, room.chat, action)
    chat = chat_store.change_chat(ctx.tx, room.chat.id, noforwards=request.enabled)
    room = rooms.refresh(ctx, changes, room, chat)
    rooms.tell_changed(ctx, changes, room)
    changes.finish()
    return changes.result(room.user)


# ------------------------------------------------------------------ the end of a group


@handles(api.messages.DeleteChat, bots=False)
def delete_chat(ctx: Context, request: api.messages.DeleteChat) -> bool:
    """Delete a basic group with everything in it, for all who are in it."""
    room = _own_group(ctx, request.chat_id)
    changes = Changes(ctx, room.people)
    closing.dissolve(ctx, changes, room)
    changes.finish()
    return True


@handles(api.messages.MigrateChat, bots=False)
def migrate_chat(ctx: Context, request: api.messages.MigrateChat) -> api.TypeUpdates:
    """Make a supergroup of a basic group, whose history stays where it is (B6.17)."""
    room = _own_group(ctx, request.chat_id, code=403)
    if chat_store.count_channels(ctx.tx, ctx.user_id) >= ctx.world.settings.channels_max:
        raise RpcFault(400, "CHANNELS_TOO_MUCH")
    changes = Changes(ctx, room.people)
    closing.migrate(ctx, changes, room)
    changes.finish()
    return changes.result(room.user)


def _own_group(ctx: Context, chat_id: int, *, code: int = 400) -> Room:
    """Return a basic group that is the caller's."""
    room = peers.resolve_group(ctx, chat_id, "CHAT_ID_INVALID")
    rooms.check_present(room)
    if not room.standing.is_creator:
        raise RpcFault(code, "CHAT_ADMIN_REQUIRED")
    return room


def _editable_group(ctx: Context, chat_id: int) -> Room:
    """Return a basic group whose name and picture the caller may change."""
    room = peers.resolve_group(ctx, chat_id, "CHAT_ID_INVALID")
    rooms.check_present(room)
    if not room.standing.may("change_info"):
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    return room
