"""Server layer: what somebody is in a supergroup or channel, and who is told when it changes.

Knows rows of members, how they are shown (channelParticipant...), the bots that hear of changes
(C0.3.4) and which recent action a change is. Knows nothing of who may change what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radiogram.server import admin_log, bot_events, invites, peers, rights, user_store
from radiogram.server.chat_store import KICKED, MemberRow
from radiogram.server.invites import InviteRow
from radiogram.server.peers import Private, Room
from radiogram.server.rights import Standing
from radiogram.server.rows import UserRow
from radiogram.server.rpc import RpcFault
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def banned_mask(row: MemberRow | None, now: int) -> int:
    """Return the restrictions of somebody as bits, those that have ended left out."""
    if row is None or row.is_admin or 0 < row.until_date <= now:
        return 0
    return row.banned_rights


def is_kicked(row: MemberRow | None, now: int) -> bool:
    """Tell whether somebody was thrown out of a channel and may not come back."""
    return bool(banned_mask(row, now) & rights.VIEW)


def participant(
    row: MemberRow, now: int, viewer: Standing | None = None
) -> api.TypeChannelParticipant:
    """Return what somebody is in a channel, as a member of it (or nobody in particular) sees it."""
    who = api.PeerUser(user_id=row.user_id)
    mask = banned_mask(row, now)
    if mask:
        return api.ChannelParticipantBanned(
            left=not row.is_present,
            peer=who,
            kicked_by=row.kicked_by or 0,
            date=row.date,
            banned_rights=rights.banned_rights(mask, row.until_date),
            rank=row.rank,
        )
    if not row.is_present:
        return api.ChannelParticipantLeft(peer=who)
    myself = (
        viewer is not None and viewer.member is not None and row.user_id == viewer.member.user_id
    )
    if row.is_creator:
        anonymous = bool((row.admin_rights or 0) & rights.ADMIN["anonymous"])
        mask = rights.ALL_ADMIN if anonymous else rights.ALL_ADMIN & ~rights.ADMIN["anonymous"]
        return api.ChannelParticipantCreator(
            user_id=row.user_id, admin_rights=rights.admin_rights(mask), rank=row.rank
        )
    if row.admin_rights is not None:
        return api.ChannelParticipantAdmin(
            can_edit=viewer is not None and may_edit(viewer, row),
            self=myself,
            user_id=row.user_id,
            inviter_id=(row.inviter_id or 0) if myself else None,
            promoted_by=row.promoted_by or 0,
            date=row.date,
            admin_rights=rights.admin_rights(row.admin_rights),
            rank=row.rank,
        )
    if myself:
        return api.ChannelParticipantSelf(
            via_request=row.via_request,
            user_id=row.user_id,
            inviter_id=row.inviter_id or 0,
            date=row.date,
            rank=row.rank,
        )
    return api.ChannelParticipant(user_id=row.user_id, date=row.date, rank=row.rank)


def may_edit(viewer: Standing, row: MemberRow) -> bool:
    """Tell whether somebody may change an admin: the creator may, and whoever promoted them."""
    if row.is_creator or viewer.member is None or row.user_id == viewer.member.user_id:
        return False
    mine = row.promoted_by == viewer.member.user_id
    return viewer.is_creator or (mine and viewer.has_right("add_admins"))


def person(ctx: Context, peer: api.TypeInputPeer) -> UserRow:
    """Return the account that an InputPeer names. Faults also: PARTICIPANT_ID_INVALID."""
    match peer:
        case api.InputPeerSelf():
            return user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id]
        case api.InputPeerUser() if peer.user_id == ctx.user_id:
            user = api.InputUser(user_id=peer.user_id, access_hash=peer.access_hash)
            return peers.resolve_user(ctx, user)
        case api.InputPeerEmpty():
            raise RpcFault(400, "PARTICIPANT_ID_INVALID")
    target = peers.resolve(ctx, peer)
    if not isinstance(target, Private):
        raise RpcFault(400, "PARTICIPANT_ID_INVALID")
    return target.other.user


def changed(
    ctx: Context,
    changes: Changes,
    room: Room,
    before: MemberRow | None,
    after: MemberRow,
    *,
    invite: InviteRow | None = None,
) -> None:
    """Note in the log what the caller changed about somebody in a channel, and tell bots.

    Ask once the change is written.
    """
    _note(ctx, room, before, after, invite)
    was = participant(before, ctx.now) if before is not None else None
    now = participant(after, ctx.now)
    if isinstance(was, api.ChannelParticipantLeft):
        was = None
    shown = None if isinstance(now, api.ChannelParticipantLeft) else now
    bot_events.log_participant(ctx, changes, room.chat, after.user_id, was, shown, invite)


def _note(
    ctx: Context,
    room: Room,
    before: MemberRow | None,
    after: MemberRow,
    invite: InviteRow | None,
) -> None:
    chat, user_id = room.chat, after.user_id
    was = api.ChannelParticipantLeft(peer=api.PeerUser(user_id=user_id))
    prev = was if before is None else participant(before, ctx.now)
    now = participant(after, ctx.now)
    if banned_mask(before, ctx.now) != banned_mask(after, ctx.now) or after.state == KICKED:
        action = api.ChannelAdminLogEventActionParticipantToggleBan(
            prev_participant=prev, new_participant=now
        )
        admin_log.log(ctx, chat, action)
        return
    present = before is not None and before.is_present
    if present and not after.is_present:
        admin_log.log(ctx, chat, api.ChannelAdminLogEventActionParticipantLeave(), user_id=user_id)
        return
    if after.is_present and not present:
        _note_arrival(ctx, room, after, invite)
    old = (None, None) if before is None or not present else (before.admin_rights, before.rank)
    if old != (after.admin_rights, after.rank) and (present or after.is_admin):
        admin_log.log(
            ctx,
            chat,
            api.ChannelAdminLogEventActionParticipantToggleAdmin(
                prev_participant=prev, new_participant=now
            ),
        )


def _note_arrival(ctx: Context, room: Room, after: MemberRow, invite: InviteRow | None) -> None:
    action: api.TypeChannelAdminLogEventAction
    actor = after.user_id
    if after.via_request:
        link: api.TypeExportedChatInvite = api.ChatInvitePublicJoinRequests()
        if invite is not None:
            link = invites.exported(ctx.tx, invite)
        action = api.ChannelAdminLogEventActionParticipantJoinByRequest(
            invite=link, approved_by=ctx.user_id
        )
    elif invite is not None:
        action = api.ChannelAdminLogEventActionParticipantJoinByInvite(
            invite=invites.exported(ctx.tx, invite)
        )
    elif actor == ctx.user_id:
        action = api.ChannelAdminLogEventActionParticipantJoin()
    else:
        actor = ctx.user_id
        member = after._replace(admin_rights=None)
        action = api.ChannelAdminLogEventActionParticipantInvite(
            participant=participant(member, ctx.now)
        )
    admin_log.log(ctx, room.chat, action, user_id=actor)


__all__ = ["banned_mask", "changed", "is_kicked", "may_edit", "participant", "person"]
