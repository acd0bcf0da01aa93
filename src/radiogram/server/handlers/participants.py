"""Server layer: who is in supergroups and channels: coming, going, admins and bans (C5).

Knows who may do it and what else is in the way; how it is shown and told is known to
:mod:`radiogram.server.membership`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import or_

from radiogram.server import (
    chat_store,
    invites,
    joining,
    membership,
    peers,
    rights,
    rooms,
    text,
    user_store,
)
from radiogram.server.chat_store import KICKED, LEFT, MEMBER, MemberRow
from radiogram.server.peers import Room
from radiogram.server.rows import UserRow
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import members, users
from radiogram.server.updates import Changes
from radiogram.tl import api

MAX_RANK = 16
"""Characters of an admin's title."""
INVITED_USERS_LAYER = 177
"""The first layer that can say whom a call has not let in."""

# ------------------------------------------------------------------ coming


@handles(api.channels.InviteToChannel, bots=False)
def invite_to_channel(
    ctx: Context, request: api.channels.InviteToChannel
) -> api.messages.InvitedUsers:
    """Make accounts members; those who are already do not matter."""
    room = peers.resolve_channel(ctx, request.channel)
    rooms.check_present(room)
    if room.user.limited:
        raise RpcFault(400, "USER_BANNED_IN_CHANNEL")
    if not room.standing.may("invite_users"):
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    if len(request.users) > ctx.world.settings.chat_size_max:
        raise RpcFault(400, "USERS_TOO_MUCH")
    wanted = {row.id: row for row in (peers.resolve_user(ctx, user) for user in request.users)}
    present = chat_store.present_among(ctx.tx, room.chat.id, wanted)
    new = [row for number, row in wanted.items() if number not in present]
    if room.chat.is_broadcast and any(user.is_bot for user in new):
        raise RpcFault(400, "USER_BOT")  # they can only be admins there
    missing = _check_may_add(ctx, room, new)
    new = [user for user in new if user.id not in missing]
    _check_space(ctx, room, new)
    changes = Changes(ctx, room.people)
    if new:
        _let_in(ctx, changes, room, new)
    changes.finish()
    return api.messages.InvitedUsers(
        updates=changes.result(room.user),
        missing_invitees=[api.MissingInvitee(user_id=number) for number in sorted(missing)],
    )


@dataclass(slots=True)
class _Obstacle:
    """An error that some of those who are to be added stand for."""

    code: int
    name: str
    users: set[int] = field(default_factory=set)


def _check_may_add(ctx: Context, room: Room, new: Iterable[UserRow]) -> set[int]:
    """Refuse to add whoever cannot be added; return those who do not want to be.

    If there is nobody else, or the caller's layer cannot say it, that is an error too.
    """
    new = list(new)
    unwilling = _Obstacle(403, "USER_PRIVACY_RESTRICTED")
    strangers = _Obstacle(403, "USER_NOT_MUTUAL_CONTACT")
    busy = _Obstacle(403, "USER_CHANNELS_TOO_MUCH")
    for user in new:
        if user.deleted:
            raise RpcFault(400, "INPUT_USER_DEACTIVATED")
        member = chat_store.find_member(ctx.tx, room.chat.id, user.id)
        if membership.is_kicked(member, ctx.now):
            raise RpcFault(400, "USER_KICKED")
        sides = user_store.load_sides(ctx.tx, ctx.user_id, user.id)
        me, other = sides[ctx.user_id], sides[user.id]
        if me.blocks:
            raise RpcFault(400, "USER_BLOCKED")
        left = member is not None and member.state == LEFT and member.kicked_by is None
        mutual = me.contact is not None and me.contact.mutual
        if other.blocks:
            unwilling.users.add(user.id)
        elif left and not mutual and not user.is_bot:
            strangers.users.add(user.id)
        elif chat_store.count_channels(ctx.tx, user.id) >= ctx.world.settings.channels_max:
            busy.users.add(user.id)
    missing = unwilling.users | strangers.users | busy.users
    for obstacle in (unwilling, strangers, busy):
        alone = len(new) == 1 and obstacle is not unwilling
        if obstacle.users and (alone or ctx.layer < INVITED_USERS_LAYER):
            raise RpcFault(obstacle.code, obstacle.name)
    return missing


def _check_space(ctx: Context, room: Room, new: list[UserRow]) -> None:
    settings = ctx.world.settings
    rooms.check_size(ctx, room.chat, more=len(new))
    # The first subscribers of a channel can be added; the others have to come themselves.
    if room.chat.is_broadcast and new:
        if room.chat.participants_count + len(new) > settings.chat_size_max:
            raise RpcFault(400, "USERS_TOO_MUCH")
    bots = sum(user.is_bot for user in new)
    if bots and not room.chat.is_broadcast:
        there = chat_store.select_members(
            ctx.tx, room.chat.id, members.c.state == MEMBER, users.c.is_bot
        )
        if len(there) + bots > settings.bots_max:
            raise RpcFault(400, "BOTS_TOO_MUCH")


def _let_in(ctx: Context, changes: Changes, room: Room, new: list[UserRow]) -> Room:
    """Add accounts, tell everybody, and return the room as it is then."""
    ids = [user.id for user in new]
    before = chat_store.load_members(ctx.tx, room.chat.id, ids)
    after = []
    for number in ids:
        after.append(rooms.add_member(ctx, room.chat, number, inviter_id=ctx.user_id))
        invites.remove_request(ctx.tx, room.chat.id, number)
    room = rooms.count_again(ctx, changes, room, *after)
    changes.tell(ids, api.UpdateChannel(channel_id=room.chat.id))
    for row in after:
        membership.changed(ctx, changes, room, before.get(row.user_id), row)
    if not room.chat.is_broadcast:
        rooms.announce(ctx, changes, room, api.MessageActionChatAddUser(users=ids))
    return room


@handles(api.channels.JoinChannel, bots=False)
def join_channel(
    ctx: Context, request: api.channels.JoinChannel
) -> api.messages.TypeChatInviteJoinResult:
    """Become a member of a public channel, or ask for it where admins decide."""
    room = peers.resolve_channel(ctx, request.channel)
    if room.standing.is_present:
        raise RpcFault(400, "USER_ALREADY_PARTICIPANT")
    if chat_store.count_channels(ctx.tx, ctx.user_id) >= ctx.world.settings.channels_max:
        raise RpcFault(400, "CHANNELS_TOO_MUCH")
    changes = Changes(ctx, room.people)
    if room.chat.join_request:
        joining.ask(ctx, changes, room, None)
    action = api.MessageActionChatAddUser(users=[ctx.user_id])
    rooms.admit(ctx, changes, room, room.user, action, inviter_id=None)
    changes.finish()
    return api.messages.ChatInviteJoinResultOk(updates=changes.result(room.user))


# ------------------------------------------------------------------ going


@handles(api.channels.LeaveChannel)
def leave_channel(ctx: Context, request: api.channels.LeaveChannel) -> api.TypeUpdates:
    """Be no member any more. An admin is none then; who is restricted stays so."""
    room = peers.resolve_channel(ctx, request.channel)
    member = room.standing.member
    if member is None or not member.is_present:
        raise RpcFault(400, "USER_NOT_PARTICIPANT")
    if member.is_creator:
        raise RpcFault(400, "USER_CREATOR")
    changes = Changes(ctx, room.people)
    gone = chat_store.save_member(
        ctx.tx,
        room.chat.id,
        ctx.user_id,
        state=LEFT,
        date=ctx.now,
        admin_rights=None,
        promoted_by=None,
        rank=None,
    )
    room = rooms.count_again(ctx, changes, room, gone)
    changes.tell([ctx.user_id], api.UpdateChannel(channel_id=room.chat.id))
    membership.changed(ctx, changes, room, member, gone)
    if not room.chat.is_broadcast:
        action = api.MessageActionChatDeleteUser(user_id=ctx.user_id)
        rooms.announce(ctx, changes, room, action)
    changes.finish()
    return changes.result(room.user)


@handles(api.channels.EditBanned)
def edit_banned(ctx: Context, request: api.channels.EditBanned) -> api.TypeUpdates:
    """Throw somebody out, forbid them something, or allow it again."""
    room = peers.resolve_channel(ctx, request.channel)
    rooms.check_present(room)
    if not room.standing.has_right("ban_users"):
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    user = membership.person(ctx, request.participant)
    if user.id == ctx.user_id:
        raise RpcFault(400, "USER_ID_INVALID")
    before = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    if before is not None and (before.is_admin or before.is_creator):
        if not membership.may_edit(room.standing, before):
            raise RpcFault(400, "USER_ADMIN_INVALID")
    if user.deleted and before is None:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    mask = rights.to_mask(request.banned_rights, rights.BANNED)
    if room.chat.is_broadcast and mask and not mask & rights.VIEW:
        raise RpcFault(406, "BANNED_RIGHTS_INVALID")  # members may do nothing there anyway
    until = rights.normal_until(request.banned_rights.until_date, ctx.now) if mask else 0
    changes = Changes(ctx, room.people)
    if _would_change(before, mask, until, ctx.now):
        _restrict(ctx, changes, room, user, before, mask, until)
    changes.finish()
    return changes.result(room.user)


def _would_change(before: MemberRow | None, mask: int, until: int, now: int) -> bool:
    if before is None or not mask:
        return bool(mask or membership.banned_mask(before, now))
    return (membership.banned_mask(before, now), before.until_date) != (mask, until)


def _restrict(
    ctx: Context,
    changes: Changes,
    room: Room,
    user: UserRow,
    before: MemberRow | None,
    mask: int,
    until: int,
) -> None:
    present = before is not None and before.is_present
    kicked = bool(mask & rights.VIEW)
    values = {"date": ctx.now} if kicked or before is None else {}
    if mask:
        values.update(kicked_by=ctx.user_id)
        invites.remove_request(ctx.tx, room.chat.id, user.id)
    after = chat_store.save_member(
        ctx.tx,
        room.chat.id,
        user.id,
        state=KICKED if kicked else MEMBER if present else LEFT,
        banned_rights=mask,
        until_date=until,
        **({"admin_rights": None, "promoted_by": None, "rank": None} if mask else {}),
        **values,
    )
    room = rooms.count_again(ctx, changes, room, after)
    changes.tell([user.id], api.UpdateChannel(channel_id=room.chat.id))
    membership.changed(ctx, changes, room, before, after)
    if kicked and present and not room.chat.is_broadcast:
        rooms.announce(ctx, changes, room, api.MessageActionChatDeleteUser(user_id=user.id))


# ------------------------------------------------------------------ admins


@handles(api.channels.EditAdmin)
def edit_admin(ctx: Context, request: api.channels.EditAdmin) -> api.TypeUpdates:
    """Give somebody rights of an admin, change them, or take them away (no right at all).

    Who is no member becomes one. The creator can choose to be anonymous, and everybody to be no
    admin any more.
    """
    room = peers.resolve_channel(ctx, request.channel)
    rooms.check_present(room)
    user = peers.resolve_user(ctx, request.user_id)
    asked = rights.to_mask(request.admin_rights, rights.ADMIN)
    mask = rights.fitting(room.chat, asked)
    steps_down = user.id == ctx.user_id and not mask
    if not room.standing.has_right("add_admins") and not (room.standing.is_admin and steps_down):
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    rank = _check_rank(request.rank)
    before = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    if ctx.is_bot and room.chat.is_broadcast and mask != asked:
        raise RpcFault(400, "BOT_CHANNELS_NA")
    _check_may_promote(room, user, before, mask)
    changes = Changes(ctx, room.people)
    if before is not None and before.is_creator:
        mask &= rights.ADMIN["anonymous"]
    if mask and not (before is not None and before.is_present):
        room = _add_admin_to_be(ctx, changes, room, user)
    current = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    if current is not None and current.is_present:
        _promote(ctx, changes, room, user, current, mask or None, rank)
    changes.finish()
    return changes.result(room.user)


def _check_rank(rank: str | None) -> str | None:
    if rank is None:
        return None
    rank = text.clean(rank).strip()
    if len(rank) > MAX_RANK:
        raise RpcFault(400, "ADMIN_RANK_INVALID")
    if any(ord(sign) >= 0x1F000 or 0x2600 <= ord(sign) < 0x27C0 for sign in rank):
        raise RpcFault(400, "ADMIN_RANK_EMOJI_NOT_ALLOWED")
    return rank


def _check_may_promote(room: Room, user: UserRow, before: MemberRow | None, mask: int) -> None:
    standing = room.standing
    if before is not None and before.is_creator:
        if not standing.is_creator:
            raise RpcFault(400, "USER_CREATOR")
        return
    myself = user.id == room.user.id
    if before is not None and before.is_admin and not myself:
        if not membership.may_edit(standing, before):
            raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
    # "other" stands for an admin without any right.
    beyond = mask & ~(standing.admin_mask | rights.ADMIN["other"])
    if mask and (myself or (beyond and not standing.is_creator)):
        raise RpcFault(403, "RIGHT_FORBIDDEN")
    if mask and user.deleted:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")


def _add_admin_to_be(ctx: Context, changes: Changes, room: Room, user: UserRow) -> Room:
    if not room.standing.may("invite_users"):
        raise RpcFault(403, "CHAT_ADMIN_INVITE_REQUIRED")
    if _check_may_add(ctx, room, [user]):
        raise RpcFault(403, "USER_PRIVACY_RESTRICTED")
    _check_space(ctx, room, [user])
    return _let_in(ctx, changes, room, [user])


def _promote(
    ctx: Context,
    changes: Changes,
    room: Room,
    user: UserRow,
    before: MemberRow,
    mask: int | None,
    rank: str | None,
) -> None:
    newly = mask is not None and not before.is_admin
    if newly:
        admins = chat_store.count_members(
            ctx.tx,
            room.chat.id,
            members.c.state == MEMBER,
            or_(members.c.is_creator, members.c.admin_rights.is_not(None)),
        )
        if admins >= ctx.world.settings.admins_max:
            raise RpcFault(400, "ADMINS_TOO_MUCH")
    rank = before.rank if rank is None else rank or None
    if room.chat.is_broadcast or (mask is None and not before.is_creator):
        rank = None
    if (mask, rank) == (before.admin_rights, before.rank):
        return
    values: dict[str, int | None] = {"promoted_by": None if mask is None else ctx.user_id}
    if newly:
        values.update(banned_rights=0, until_date=0, kicked_by=None)
    after = chat_store.save_member(
        ctx.tx, room.chat.id, user.id, admin_rights=mask, rank=rank, **values
    )
    room = rooms.refresh(ctx, changes, room, room.chat, after)
    changes.tell([user.id], api.UpdateChannel(channel_id=room.chat.id))
    membership.changed(ctx, changes, room, before, after)
