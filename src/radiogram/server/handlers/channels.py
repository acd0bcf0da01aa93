"""Server layer: supergroups and broadcast channels: made, read, named and deleted (C5).

Knows what the caller must be for it. Who is in a channel is the business of
:mod:`radiogram.server.handlers.participants`.
"""

from __future__ import annotations

from sqlalchemy import or_

from radiogram.server import (
    admin_log,
    chat_store,
    dialog_list,
    history_store,
    invites,
    message_store,
    peers,
    render,
    rights,
    rooms,
    user_store,
    usernames,
)
from radiogram.server.chat_store import MEMBER
from radiogram.server.peers import Private, Room
from radiogram.server.rows import Peer, UserRow
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import PEER_CHAT, members, users
from radiogram.server.updates import Changes
from radiogram.tl import api

MAX_CHANNELS = 200
"""Channels in one channels.getChannels, and in one channels.getLeftChannels."""
INACTIVE = 30 * 86400
"""Seconds after which a channel in which nothing happens is inactive."""

# ------------------------------------------------------------------ made and deleted


@handles(api.channels.CreateChannel, bots=False)
def create_channel(ctx: Context, request: api.channels.CreateChannel) -> api.TypeUpdates:
    """Make a broadcast channel, a supergroup, or a supergroup with topics."""
    title = rooms.check_title(request.title)
    about = rooms.check_about(request.about)
    group = request.megagroup or request.forum or request.for_import
    if group and request.broadcast:
        raise RpcFault(400, "CHAT_INVALID")
    if request.ttl_period:
        raise RpcFault(400, "TTL_PERIOD_INVALID")  # this server deletes no messages by itself
    if request.geo_point is not None:
        raise RpcFault(400, "ADDRESS_INVALID")  # it knows no places either
    if user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id].limited:
        raise RpcFault(406, "USER_RESTRICTED")
    if chat_store.count_channels(ctx.tx, ctx.user_id) >= ctx.world.settings.channels_max:
        raise RpcFault(400, "CHANNELS_TOO_MUCH")
    kind = chat_store.SUPERGROUP if group else chat_store.BROADCAST
    room = rooms.create(ctx, kind, title, about=about, forum=request.forum)
    changes = Changes(ctx, room.people)
    changes.tell([ctx.user_id], api.UpdateChannel(channel_id=room.chat.id))
    rooms.announce(ctx, changes, room, api.MessageActionChannelCreate(title=title))
    changes.finish()
    return changes.result(room.user)


@handles(api.channels.DeleteChannel, bots=False)
def delete_channel(ctx: Context, request: api.channels.DeleteChannel) -> api.TypeUpdates:
    """Delete a channel for everybody."""
    room = peers.resolve_channel(ctx, request.channel)
    rooms.check_present(room)
    if not room.standing.is_creator:
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    if room.chat.participants_count > ctx.world.settings.channel_delete_max:
        raise RpcFault(406, "CHANNEL_TOO_LARGE")
    changes = Changes(ctx, room.people)
    invites.revoke_all(ctx.tx, room.chat.id)
    chat = chat_store.change_chat(ctx.tx, room.chat.id, deleted=True, username=None)
    room = rooms.refresh(ctx, changes, room, chat)
    rooms.tell_changed(ctx, changes, room)
    changes.finish()
    return changes.result(room.user)


# ------------------------------------------------------------------ reading


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


@handles(api.channels.GetFullChannel)
def get_full_channel(ctx: Context, request: api.channels.GetFullChannel) -> api.messages.ChatFull:
    """Return what there is to know of a channel."""
    room = peers.resolve_channel(ctx, request.channel)
    chat, standing = room.chat, room.standing
    dialog = dialog_list.dialog(ctx, dialog_list.entry_of(ctx, room))
    settings = ctx.world.settings
    full = api.ChannelFull(
        can_view_participants=(
            standing.is_admin or not (chat.is_broadcast or chat.participants_hidden)
        ),
        can_set_username=standing.is_creator,
        hidden_prehistory=chat.prehistory_hidden,
        can_delete_channel=(
            standing.is_creator and chat.participants_count <= settings.channel_delete_max
        ),
        participants_hidden=chat.participants_hidden,
        id=chat.id,
        about=chat.about,
        participants_count=chat.participants_count,
        read_inbox_max_id=dialog.read_inbox_max_id,
        read_outbox_max_id=dialog.read_outbox_max_id,
        unread_count=dialog.unread_count if standing.is_present else 0,
        chat_photo=api.PhotoEmpty(id=0),
        notify_settings=api.PeerNotifySettings(),
        bot_info=_bots(ctx, room),
        pinned_msg_id=_last_pinned(ctx, room),
        available_min_id=room.first_id or None,
        slowmode_seconds=chat.slowmode_seconds or None,
        slowmode_next_send_date=_next_send_date(ctx, room),
        pts=chat.pts,
        available_reactions=api.ChatReactionsNone(),
    )
    shown = [chat.id]
    if chat.migrated_from is not None:
        old = Peer(PEER_CHAT, chat.migrated_from)
        full.migrated_from_chat_id = old.id
        full.migrated_from_max_id = history_store.last_message_id(ctx.tx, ctx.user_id, old)
        shown.append(old.id)
    if not chat.is_broadcast:
        online = chat_store.present_among(ctx.tx, chat.id, ctx.world.online())
        full.online_count = sum(not row.is_bot for row in _rows(room, online))
    if standing.is_admin:
        _add_for_admins(ctx, room, full)
    people = room.people.mentioned(ctx.user_id, full, chats=shown)
    return api.messages.ChatFull(full_chat=full, **people)


def _rows(room: Room, ids: list[int]) -> list[UserRow]:
    rows = room.people.rows(ids)
    return [rows[number] for number in ids]


def _bots(ctx: Context, room: Room) -> list[api.TypeBotInfo]:
    if room.chat.is_broadcast:
        return []
    rows = chat_store.select_members(
        ctx.tx, room.chat.id, members.c.state == MEMBER, users.c.is_bot
    )
    return [api.BotInfo(user_id=row.user_id, commands=[]) for row in rows]


def _last_pinned(ctx: Context, room: Room) -> int | None:
    """Return the newest pinned message that the caller may see (B8.1)."""
    number = history_store.last_pinned_id(ctx.tx, room.box_id, room.peer)
    return number if number is not None and number >= room.first_id else None


def _next_send_date(ctx: Context, room: Room) -> int | None:
    """Return when slow mode lets the caller write again, if it has to wait."""
    member, wait = room.standing.member, room.chat.slowmode_seconds
    if not wait or member is None or not member.is_present or member.is_admin:
        return None
    date = member.last_sent + wait
    return date if member.last_sent and date > ctx.now else None


def _add_for_admins(ctx: Context, room: Room, full: api.ChannelFull) -> None:
    chat_id = room.chat.id
    active = (
        members.c.banned_rights != 0,
        or_(members.c.until_date == 0, members.c.until_date > ctx.now),
    )
    kicked = members.c.banned_rights.bitwise_and(rights.VIEW) != 0
    full.admins_count = chat_store.count_members(
        ctx.tx,
        chat_id,
        members.c.state == MEMBER,
        or_(members.c.is_creator, members.c.admin_rights.is_not(None)),
    )
    full.kicked_count = chat_store.count_members(ctx.tx, chat_id, *active, kicked)
    full.banned_count = chat_store.count_members(ctx.tx, chat_id, *active, ~kicked)
    if room.standing.has_right("invite_users"):
        link = invites.primary(ctx.tx, chat_id, ctx.user_id)
        full.exported_invite = None if link is None else invites.exported(ctx.tx, link)
        pending, recent = invites.pending(ctx.tx, chat_id)
        full.requests_pending = pending or None
        full.recent_requesters = recent or None


@handles(api.channels.GetLeftChannels, bots=False)
def get_left_channels(
    ctx: Context, request: api.channels.GetLeftChannels
) -> api.messages.TypeChats:
    """Return the channels that the caller has left by itself and could see again."""
    found = chat_store.select_chats_of(
        ctx.tx, ctx.user_id, members.c.state == chat_store.LEFT, members.c.kicked_by.is_(None)
    )
    offset = max(request.offset, 0)
    page = [chat.id for chat in found[offset : offset + MAX_CHANNELS]]
    chats = render.People(ctx.tx, ctx.now).chats_seen_by(ctx.user_id, page)
    if len(page) == len(found):
        return api.messages.Chats(chats=chats)
    return api.messages.ChatsSlice(count=len(found), chats=chats)


@handles(api.channels.GetInactiveChannels, bots=False)
def get_inactive_channels(
    ctx: Context, request: api.channels.GetInactiveChannels
) -> api.messages.InactiveChats:
    """Return the channels of the caller in which nothing has happened for a month."""
    listed = [entry for entry in dialog_list.entries(ctx) if entry.pts is not None]
    quiet = [entry for entry in reversed(listed) if entry.date < ctx.now - INACTIVE]
    ids = [entry.row.peer_id for entry in quiet]
    found = {
        chat.id: chat for chat in render.People(ctx.tx, ctx.now).chats_seen_by(ctx.user_id, ids)
    }
    return api.messages.InactiveChats(
        dates=[entry.date for entry in quiet], chats=[found[number] for number in ids], users=[]
    )


@handles(api.channels.GetSendAs, bots=False)
def get_send_as(ctx: Context, request: api.channels.GetSendAs) -> api.channels.SendAsPeers:
    """Return in whose name the caller can write in a group or channel."""
    target = peers.resolve(ctx, request.peer)
    if isinstance(target, Private):
        raise RpcFault(400, "PEER_ID_INVALID")
    chat, standing = target.chat, target.standing
    ids = []
    itself: api.TypePeer = api.PeerUser(user_id=ctx.user_id)
    if chat.is_channel and (standing.is_anonymous or standing.has_right("post_messages")):
        itself = api.PeerChannel(channel_id=chat.id)
    if chat.is_channel and not chat.is_broadcast:
        owned = chat_store.select_chats_of(
            ctx.tx, ctx.user_id, members.c.state == MEMBER, members.c.is_creator
        )
        ids = [row.id for row in owned if row.is_broadcast]
    shown = [itself, *(api.PeerChannel(channel_id=number) for number in ids)]
    return api.channels.SendAsPeers(
        peers=[api.SendAsPeer(peer=peer) for peer in shown],
        **target.people.mentioned(ctx.user_id, shown, chats=[chat.id]),
    )


@handles(api.channels.ExportMessageLink, bots=False)
def export_message_link(
    ctx: Context, request: api.channels.ExportMessageLink
) -> api.ExportedMessageLink:
    """Return a link to a message, which members can open, or everybody if the channel is public."""
    room = peers.resolve_channel(ctx, request.channel)
    row = message_store.find_message(ctx.tx, room.box_id, request.id)
    if row is None or row.id < room.first_id or row.action is not None:
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    path = room.chat.username or f"c/{room.chat.id}"
    if request.thread and room.chat.forum:
        path += f"/{row.topic_id or 1}"
    html = ""
    if room.chat.username is not None:
        html = (
            '<script async src="https://telegram.org/js/telegram-widget.js"'
            f' data-telegram-post="{room.chat.username}/{row.id}" data-width="100%"></script>'
        )
    return api.ExportedMessageLink(link=f"https://t.me/{path}/{row.id}", html=html)


# ------------------------------------------------------------------ names


@handles(api.channels.EditTitle)
def edit_title(ctx: Context, request: api.channels.EditTitle) -> api.TypeUpdates:
    """Give a channel another title."""
    room = _editable(ctx, request.channel)
    return rooms.rename(ctx, room, request.title)


@handles(api.channels.EditPhoto)
def edit_photo(ctx: Context, request: api.channels.EditPhoto) -> api.TypeUpdates:
    """Refuse a picture: the server stores no files, so that no channel has one to take away."""
    _editable(ctx, request.channel)
    rooms.refuse_photo(request.photo)


def _editable(ctx: Context, channel: api.TypeInputChannel) -> Room:
    """Return a channel whose title and picture the caller may change."""
    room = peers.resolve_channel(ctx, channel)
    rooms.check_present(room)
    if not room.standing.may("change_info"):
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    return room


@handles(api.channels.CheckUsername, bots=False)
def check_username(ctx: Context, request: api.channels.CheckUsername) -> bool:
    """Tell whether a channel, or one that will be made, can have a name."""
    peer = None
    if isinstance(request.channel, api.InputChannelEmpty):
        _check_public_limit(ctx)
    else:
        room = peers.resolve_channel(ctx, request.channel)
        peer = room.peer
        if room.chat.username is None:
            _check_public_limit(ctx)
    return usernames.is_free(ctx.tx, request.username, peer)


@handles(api.channels.UpdateUsername, bots=False)
def update_username(ctx: Context, request: api.channels.UpdateUsername) -> bool:
    """Make a channel public under a name, or private with an empty one."""
    room = peers.resolve_channel(ctx, request.channel)
    rooms.check_present(room)
    if not room.standing.is_creator:
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    old, new = room.chat.username, request.username or None
    if new is not None and not usernames.is_free(ctx.tx, new, room.peer):
        raise RpcFault(400, "USERNAME_OCCUPIED")
    if new == old:
        raise RpcFault(400, "USERNAME_NOT_MODIFIED")
    if old is None:
        _check_public_limit(ctx)
    # Everybody can read a public channel from its start; only public ones can be asked to join.
    values = {"join_request": False} if new is None else {"prehistory_hidden": False}
    changes = Changes(ctx, room.people)
    chat = chat_store.change_chat(ctx.tx, room.chat.id, username=new, **values)
    room = rooms.refresh(ctx, changes, room, chat)
    action = api.ChannelAdminLogEventActionChangeUsername(prev_value=old or "", new_value=new or "")
    admin_log.log(ctx, chat, action)
    rooms.tell_changed(ctx, changes, room)
    changes.finish()
    return True


@handles(api.channels.GetAdminedPublicChannels, bots=False)
def get_admined_public_channels(
    ctx: Context, request: api.channels.GetAdminedPublicChannels
) -> api.messages.Chats:
    """Return the public channels that the caller owns, which count to a limit."""
    if request.check_limit and not request.by_location:
        _check_public_limit(ctx)
    owned = [] if request.by_location or request.for_community_peer else _public(ctx)
    ids = [chat.id for chat in owned if chat.is_broadcast or not request.for_personal]
    people = render.People(ctx.tx, ctx.now)
    return api.messages.Chats(chats=people.chats_seen_by(ctx.user_id, ids))


def _public(ctx: Context) -> list[chat_store.ChatRow]:
    mine = (members.c.state == MEMBER, members.c.is_creator)
    found = chat_store.select_chats_of(ctx.tx, ctx.user_id, *mine)
    return [chat for chat in found if chat.username is not None]


def _check_public_limit(ctx: Context) -> None:
    if len(_public(ctx)) >= ctx.world.settings.channels_public_max:
        raise RpcFault(400, "CHANNELS_ADMIN_PUBLIC_TOO_MUCH")
