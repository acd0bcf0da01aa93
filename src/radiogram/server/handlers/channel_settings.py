"""Server layer: the switches of supergroups and channels, and their recent actions (C5).

Each switch is told to everybody who is there and noted among the recent actions.
"""

from __future__ import annotations

from typing import Any

from radiogram.server import admin_log, chat_store, paging, peers, rooms
from radiogram.server.peers import Room
from radiogram.server.rights import to_mask
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.updates import Changes
from radiogram.tl import api

SLOW_MODE = frozenset((0, 5, 10, 30, 60, 300, 900, 3600))
"""Seconds between two messages that slow mode can ask for; 0: it is off."""


@handles(api.channels.ToggleSignatures, bots=False)
def toggle_signatures(ctx: Context, request: api.channels.ToggleSignatures) -> api.TypeUpdates:
    """Let posts show the names, or even the profiles, of who wrote them."""
    room = _room(ctx, request.channel, "change_info", broadcast=True)
    chat = room.chat
    names, profiles = request.signatures_enabled, request.profiles_enabled
    profiles = profiles and names
    if (names, profiles) == (chat.signatures, chat.signature_profiles):
        raise RpcFault(400, "CHAT_NOT_MODIFIED")
    if names != chat.signatures:
        admin_log.log(ctx, chat, api.ChannelAdminLogEventActionToggleSignatures(new_value=names))
    if profiles != chat.signature_profiles:
        action = api.ChannelAdminLogEventActionToggleSignatureProfiles(new_value=profiles)
        admin_log.log(ctx, chat, action)
    return _change(ctx, room, None, signatures=names, signature_profiles=profiles)


@handles(api.channels.ToggleSlowMode, bots=False)
def toggle_slow_mode(ctx: Context, request: api.channels.ToggleSlowMode) -> api.TypeUpdates:
    """Say how long members have to wait between two messages."""
    room = _room(ctx, request.channel, "ban_users")
    if request.seconds not in SLOW_MODE:
        raise RpcFault(400, "SECONDS_INVALID")
    action = api.ChannelAdminLogEventActionToggleSlowMode(
        prev_value=room.chat.slowmode_seconds, new_value=request.seconds
    )
    return _change(ctx, room, action, slowmode_seconds=request.seconds)


@handles(api.channels.TogglePreHistoryHidden, bots=False)
def toggle_pre_history_hidden(
    ctx: Context, request: api.channels.TogglePreHistoryHidden
) -> api.TypeUpdates:
    """Hide what was written before they came from those who will come, or show it."""
    room = _room(ctx, request.channel, "change_info")
    if request.enabled and room.chat.username is not None:
        raise RpcFault(400, "CHAT_LINK_EXISTS")
    if request.enabled and room.chat.forum:
        raise RpcFault(400, "FORUM_ENABLED")
    action = api.ChannelAdminLogEventActionTogglePreHistoryHidden(new_value=request.enabled)
    return _change(ctx, room, action, prehistory_hidden=request.enabled)


@handles(api.channels.ToggleJoinToSend, bots=False)
def toggle_join_to_send(ctx: Context, request: api.channels.ToggleJoinToSend) -> api.TypeUpdates:
    """Say whether one has to be a member to write."""
    room = _room(ctx, request.channel, "ban_users")
    return _change(ctx, room, None, join_to_send=request.enabled)


@handles(api.channels.ToggleJoinRequest, bots=False)
def toggle_join_request(ctx: Context, request: api.channels.ToggleJoinRequest) -> api.TypeUpdates:
    """Say whether admins decide who may join a public supergroup."""
    room = _room(ctx, request.channel, "ban_users")
    if request.guard_bot is not None:
        raise RpcFault(400, "BOT_INVALID")  # no bot decides here
    if room.chat.username is None:
        raise RpcFault(400, "CHAT_PUBLIC_REQUIRED")
    return _change(ctx, room, None, join_request=request.enabled)


@handles(api.channels.ToggleParticipantsHidden, bots=False)
def toggle_participants_hidden(
    ctx: Context, request: api.channels.ToggleParticipantsHidden
) -> api.TypeUpdates:
    """Show the members of a large supergroup to its admins only, or to everybody."""
    room = _room(ctx, request.channel, "ban_users")
    few = room.chat.participants_count < ctx.world.settings.hidden_members_min
    if request.enabled and few:
        raise RpcFault(400, "PARTICIPANTS_TOO_FEW")
    return _change(ctx, room, None, participants_hidden=request.enabled)


@handles(api.channels.ToggleForum, bots=False)
def toggle_forum(ctx: Context, request: api.channels.ToggleForum) -> api.TypeUpdates:
    """Make a supergroup a forum, or a forum a plain supergroup; its topics are kept."""
    room = _room(ctx, request.channel, None)
    values: dict[str, Any] = {
        "forum": request.enabled,
        "forum_tabs": request.enabled and request.tabs,
    }
    if request.enabled:
        values["prehistory_hidden"] = False
    action = api.ChannelAdminLogEventActionToggleForum(new_value=request.enabled)
    return _change(ctx, room, action if request.enabled != room.chat.forum else None, **values)


def _room(
    ctx: Context, channel: api.TypeInputChannel, right: str | None, *, broadcast: bool = False
) -> Room:
    """Return a channel for whose switch the caller has the right; without one, the creator has.

    Faults: CHAT_ID_INVALID (the other kind of channel), CHAT_ADMIN_REQUIRED.
    """
    room = peers.resolve_channel(ctx, channel)
    if room.chat.is_broadcast != broadcast:
        raise RpcFault(400, "CHAT_ID_INVALID")
    standing = room.standing
    if not (standing.is_creator if right is None else standing.has_right(right)):
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    return room


def _change(
    ctx: Context,
    room: Room,
    action: api.TypeChannelAdminLogEventAction | None,
    **values: Any,
) -> api.TypeUpdates:
    """Write columns of a channel and tell it. Fault: CHAT_NOT_MODIFIED."""
    if all(getattr(room.chat, name) == value for name, value in values.items()):
        raise RpcFault(400, "CHAT_NOT_MODIFIED")
    changes = Changes(ctx, room.people)
    chat = chat_store.change_chat(ctx.tx, room.chat.id, **values)
    if action is not None:
        admin_log.log(ctx, chat, action)
    room = rooms.refresh(ctx, changes, room, chat)
    rooms.tell_changed(ctx, changes, room)
    changes.finish()
    return changes.result(room.user)


# ------------------------------------------------------------------ recent actions


@handles(api.channels.GetAdminLog, bots=False)
def get_admin_log(ctx: Context, request: api.channels.GetAdminLog) -> api.channels.AdminLogResults:
    """Return what happened to a channel in the last two days."""
    room = peers.resolve_channel(ctx, request.channel)
    rooms.check_present(room)
    if not room.standing.is_admin:
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    wanted = request.events_filter
    user_ids = None
    if request.admins:
        user_ids = {peers.resolve_user(ctx, user).id for user in request.admins}
    events = admin_log.read(
        ctx,
        room.chat,
        query=request.q.strip(),
        kinds=0 if wanted is None else to_mask(wanted, admin_log.FILTER),
        user_ids=user_ids,
        max_id=request.max_id,
        min_id=request.min_id,
        limit=paging.bounded(request.limit),
    )
    shown = room.people.mentioned(ctx.user_id, events, chats=[room.chat.id])
    return api.channels.AdminLogResults(events=list(events), **shown)
