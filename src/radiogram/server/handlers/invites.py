"""Server layer: invite links of groups and channels, and requests to join (C5)."""

from __future__ import annotations

from radiogram.server import admin_log, chat_store, invites, joining, peers, rooms, text, user_store
from radiogram.server.invites import InviteRow, UseRow
from radiogram.server.peers import Room
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.updates import Changes
from radiogram.tl import api

MAX_PAGE = 100
MAX_TITLE = 32
"""Code points of a link's name."""
MAX_USAGE_LIMIT = 99999
SHOWN = 10
"""Acquaintances who are named to somebody that looks at a link."""


# ------------------------------------------------------------------ using a link


@handles(api.messages.CheckChatInvite, bots=False)
def check_chat_invite(ctx: Context, request: api.messages.CheckChatInvite) -> api.TypeChatInvite:
    """Tell what a link leads to."""
    invite = _by_hash(ctx, request.hash)
    room = peers.room_of(ctx, invite.chat_id)
    if room.standing.is_present:
        (shown,) = room.people.chats_seen_by(ctx.user_id, [room.chat.id])
        return api.ChatInviteAlready(chat=shown)
    _check_open(ctx, room, invite, code=406)
    chat = room.chat
    return api.ChatInvite(
        channel=chat.is_channel,
        broadcast=chat.is_broadcast,
        public=chat.username is not None,
        megagroup=chat.is_channel and not chat.is_broadcast,
        request_needed=_needs_request(room, invite),
        title=chat.title,
        about=chat.about or None,
        photo=api.PhotoEmpty(id=0),
        participants_count=chat.participants_count,
        participants=_acquaintances(ctx, room),
        color=chat.id % 7,
    )


@handles(api.messages.ImportChatInvite, bots=False)
def import_chat_invite(
    ctx: Context, request: api.messages.ImportChatInvite
) -> api.messages.TypeChatInviteJoinResult:
    """Join by a link, or ask to be let in."""
    invite = _by_hash(ctx, request.hash)
    room = peers.room_of(ctx, invite.chat_id)
    if room.standing.is_present:
        raise RpcFault(400, "USER_ALREADY_PARTICIPANT")
    _check_open(ctx, room, invite, code=400)
    rooms.check_size(ctx, room.chat)
    if not rooms.has_room_for(ctx, ctx.user_id, room.chat):
        raise RpcFault(400, "CHANNELS_TOO_MUCH")
    changes = Changes(ctx, room.people)
    if _needs_request(room, invite):
        joining.ask(ctx, changes, room, invite)
    joining.join(ctx, changes, room, invite)
    changes.finish()
    return api.messages.ChatInviteJoinResultOk(updates=changes.result(room.user))


def _by_hash(ctx: Context, value: str) -> InviteRow:
    if not value:
        raise RpcFault(400, "INVITE_HASH_EMPTY")
    if not invites.is_hash(value):
        raise RpcFault(400, "INVITE_HASH_INVALID")
    invite = invites.find(ctx.tx, value)
    if invite is None:
        raise RpcFault(406, "INVITE_HASH_EXPIRED")
    return invite


def _check_open(ctx: Context, room: Room, invite: InviteRow, *, code: int) -> None:
    """Refuse whoever cannot join by a link: it is no good any more, or they were thrown out."""
    if room.chat.is_channel and room.standing.is_kicked:
        raise RpcFault(code, "CHANNEL_PRIVATE")
    member = room.standing.member
    banned = room.chat.is_group and member is not None and member.state == chat_store.KICKED
    if invite.is_expired(ctx.now) or room.chat.deleted or banned:
        raise RpcFault(406, "INVITE_HASH_EXPIRED")


def _needs_request(room: Room, invite: InviteRow) -> bool:
    return invite.request_needed or room.chat.join_request


def _acquaintances(ctx: Context, room: Room) -> list[api.TypeUser] | None:
    """Return members whom the caller has in its contacts; None where members are not shown."""
    if room.chat.is_broadcast or room.chat.participants_hidden:
        return None
    known = invites.contacts_in(ctx.tx, room.chat.id, ctx.user_id, limit=SHOWN)
    return room.people.seen_by(ctx.user_id, known) or None


# ------------------------------------------------------------------ making and changing links


@handles(api.messages.ExportChatInvite)
def export_chat_invite(
    ctx: Context, request: api.messages.ExportChatInvite
) -> api.TypeExportedChatInvite:
    """Make a link, or another primary link in place of the caller's."""
    room = _managed(ctx, request.peer)
    if request.subscription_pricing is not None:
        raise RpcFault(400, "PRICING_CHAT_INVALID")
    if request.legacy_revoke_permanent:
        return invites.exported(ctx.tx, invites.renew(ctx, room.chat.id, ctx.user_id))
    limit = _usage_limit(request.usage_limit)
    if request.request_needed and limit is not None:
        raise RpcFault(400, "USAGE_LIMIT_INVALID")
    invite = invites.insert(
        ctx,
        room.chat.id,
        ctx.user_id,
        expire_date=_expire_date(ctx, request.expire_date),
        usage_limit=limit,
        request_needed=request.request_needed,
        title=_title(request.title),
    )
    return invites.exported(ctx.tx, invite)


@handles(api.messages.EditExportedChatInvite)
def edit_exported_chat_invite(
    ctx: Context, request: api.messages.EditExportedChatInvite
) -> api.messages.TypeExportedChatInvite:
    """Change a link, or revoke it."""
    room = _managed(ctx, request.peer)
    invite = _of_room(ctx, room, request.link, change=True)
    if invite.revoked:
        raise RpcFault(400, "INVITE_HASH_EXPIRED")
    if request.revoked:
        return _revoke(ctx, room, invite)
    if invite.permanent:
        raise RpcFault(400, "CHAT_INVITE_PERMANENT")
    changed = invite
    if request.expire_date is not None:
        changed = changed._replace(expire_date=_expire_date(ctx, request.expire_date))
    if request.usage_limit is not None:
        changed = changed._replace(usage_limit=_usage_limit(request.usage_limit))
    if request.request_needed is not None:
        changed = changed._replace(request_needed=request.request_needed)
    if request.title is not None:
        changed = changed._replace(title=_title(request.title))
    if changed.request_needed and changed.usage_limit is not None:
        raise RpcFault(400, "USAGE_LIMIT_INVALID")
    invites.change(ctx.tx, invite, **changed._asdict())
    action = api.ChannelAdminLogEventActionExportedInviteEdit(
        prev_invite=invites.exported(ctx.tx, invite),
        new_invite=invites.exported(ctx.tx, changed),
    )
    admin_log.log(ctx, room.chat, action)
    return api.messages.ExportedChatInvite(
        invite=invites.exported(ctx.tx, changed),
        users=room.people.seen_by(ctx.user_id, [changed.admin_id]),
    )


def _revoke(ctx: Context, room: Room, invite: InviteRow) -> api.messages.TypeExportedChatInvite:
    old = invites.exported(ctx.tx, invites.change(ctx.tx, invite, revoked=True))
    admin_log.log(ctx, room.chat, api.ChannelAdminLogEventActionExportedInviteRevoke(invite=old))
    users = room.people.seen_by(ctx.user_id, [invite.admin_id])
    if not invite.permanent:
        return api.messages.ExportedChatInvite(invite=old, users=users)
    new = invites.insert(ctx, invite.chat_id, invite.admin_id, permanent=True)
    return api.messages.ExportedChatInviteReplaced(
        invite=old, new_invite=invites.exported(ctx.tx, new), users=users
    )


@handles(api.messages.DeleteExportedChatInvite, bots=False)
def delete_exported_chat_invite(
    ctx: Context, request: api.messages.DeleteExportedChatInvite
) -> bool:
    """Forget a revoked link."""
    room = _managed(ctx, request.peer)
    invite = _of_room(ctx, room, request.link)
    if not invite.revoked:
        raise RpcFault(400, "INVITE_REVOKED_MISSING")
    shown = invites.exported(ctx.tx, invite)
    admin_log.log(ctx, room.chat, api.ChannelAdminLogEventActionExportedInviteDelete(invite=shown))
    invites.delete_link(ctx.tx, invite)
    return True


@handles(api.messages.DeleteRevokedExportedChatInvites, bots=False)
def delete_revoked_exported_chat_invites(
    ctx: Context, request: api.messages.DeleteRevokedExportedChatInvites
) -> bool:
    """Forget all revoked links of an admin."""
    room = _managed(ctx, request.peer)
    invites.delete_revoked(ctx.tx, room.chat.id, _admin(ctx, room, request.admin_id))
    return True


# ------------------------------------------------------------------ reading links


@handles(api.messages.GetExportedChatInvites, bots=False)
def get_exported_chat_invites(
    ctx: Context, request: api.messages.GetExportedChatInvites
) -> api.messages.ExportedChatInvites:
    """Return one page of an admin's links, newest first."""
    room = _managed(ctx, request.peer)
    admin_id = _admin(ctx, room, request.admin_id)
    after = None
    if request.offset_date is not None and request.offset_link is not None:
        after = (request.offset_date, invites.hash_of(request.offset_link))
    total, rows = invites.select_of(
        ctx.tx,
        room.chat.id,
        admin_id,
        revoked=request.revoked,
        after=after,
        limit=_limit(request.limit),
    )
    return api.messages.ExportedChatInvites(
        count=total,
        invites=[invites.exported(ctx.tx, row) for row in rows],
        users=room.people.seen_by(ctx.user_id, [admin_id]),
    )


@handles(api.messages.GetExportedChatInvite, bots=False)
def get_exported_chat_invite(
    ctx: Context, request: api.messages.GetExportedChatInvite
) -> api.messages.ExportedChatInvite:
    """Return one link."""
    room = _managed(ctx, request.peer)
    invite = _of_room(ctx, room, request.link)
    return api.messages.ExportedChatInvite(
        invite=invites.exported(ctx.tx, invite),
        users=room.people.seen_by(ctx.user_id, [invite.admin_id]),
    )


@handles(api.messages.GetAdminsWithInvites, bots=False)
def get_admins_with_invites(
    ctx: Context, request: api.messages.GetAdminsWithInvites
) -> api.messages.ChatAdminsWithInvites:
    """Return who has made links, and how many; for the creator's eyes."""
    room = _managed(ctx, request.peer)
    if not room.standing.is_creator:
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    counts = invites.count_by_admin(ctx.tx, room.chat.id)
    admins: list[api.TypeChatAdminWithInvites] = [
        api.ChatAdminWithInvites(admin_id=number, invites_count=good, revoked_invites_count=bad)
        for number, (good, bad) in sorted(counts.items())
    ]
    return api.messages.ChatAdminsWithInvites(
        admins=admins, users=room.people.seen_by(ctx.user_id, counts)
    )


@handles(api.messages.GetChatInviteImporters, bots=False)
def get_chat_invite_importers(
    ctx: Context, request: api.messages.GetChatInviteImporters
) -> api.messages.ChatInviteImporters:
    """Return one page of who joined by a link, or of who wants to join; the latest first."""
    room = _managed(ctx, request.peer)
    if request.link is not None and request.q:
        raise RpcFault(400, "SEARCH_WITH_LINK_NOT_SUPPORTED")
    name = None
    if request.link is not None:
        name = _of_room(ctx, room, request.link).hash
    after = None
    if request.offset_date > 0:
        user = request.offset_user
        last = 0 if isinstance(user, api.InputUserEmpty) else peers.resolve_user(ctx, user).id
        after = (request.offset_date, last)
    limit, query = _limit(request.limit), text.clean(request.q or "")
    read = invites.select_requests if request.requested else invites.select_uses
    total, rows = read(ctx.tx, room.chat.id, name, after=after, limit=limit, query=query)
    importers: list[api.TypeChatInviteImporter] = [
        api.ChatInviteImporter(
            requested=request.requested,
            user_id=row.user_id,
            date=row.date,
            about=row.about or None if request.requested else None,
            approved_by=row.approved_by,
        )
        for row in rows
    ]
    shown = {row.user_id for row in rows} | {row.approved_by for row in rows if row.approved_by}
    return api.messages.ChatInviteImporters(
        count=total, importers=importers, users=room.people.seen_by(ctx.user_id, shown)
    )


# ------------------------------------------------------------------ requests


@handles(api.messages.HideChatJoinRequest)
def hide_chat_join_request(
    ctx: Context, request: api.messages.HideChatJoinRequest
) -> api.TypeUpdates:
    """Let in somebody who asks for it, or do not."""
    room = _managed(ctx, request.peer)
    user = peers.resolve_user(ctx, request.user_id)
    wanted = invites.find_request(ctx.tx, room.chat.id, user.id)
    if wanted is None:
        if chat_store.present_among(ctx.tx, room.chat.id, [user.id]):
            raise RpcFault(400, "USER_ALREADY_PARTICIPANT")
        raise RpcFault(400, "HIDE_REQUESTER_MISSING")
    if request.approved and user.deleted:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    if request.approved and not rooms.has_room_for(ctx, user.id, room.chat):
        raise RpcFault(403, "USER_CHANNELS_TOO_MUCH")
    return _decide(ctx, room, [wanted], approved=request.approved)


@handles(api.messages.HideAllChatJoinRequests, bots=False)
def hide_all_chat_join_requests(
    ctx: Context, request: api.messages.HideAllChatJoinRequests
) -> api.TypeUpdates:
    """Let in all who ask for it (by one link, if one is named), or none of them.

    Those whose accounts are no more are left outside, as are those in too many channels.
    """
    room = _managed(ctx, request.peer)
    name = None if request.link is None else _of_room(ctx, room, request.link).hash
    _, waiting = invites.select_requests(ctx.tx, room.chat.id, name)
    if not waiting:
        raise RpcFault(400, "HIDE_REQUESTER_MISSING")
    return _decide(ctx, room, waiting[::-1], approved=request.approved)


def _decide(ctx: Context, room: Room, waiting: list[UseRow], *, approved: bool) -> api.TypeUpdates:
    changes = Changes(ctx, room.people)
    users = room.people.rows([row.user_id for row in waiting])
    for row in waiting:
        user = users[row.user_id]
        invites.remove_request(ctx.tx, room.chat.id, user.id)
        if approved and not user.deleted and rooms.has_room_for(ctx, user.id, room.chat):
            room = joining.approve(ctx, changes, room, row, user)
    joining.tell_pending(ctx, changes, room)
    changes.finish()
    return changes.result(room.user)


# ------------------------------------------------------------------ checks


def _managed(ctx: Context, peer: api.TypeInputPeer) -> Room:
    """Return a room whose links the caller may manage."""
    room = rooms.resolve(ctx, peer)
    if not room.standing.has_right("invite_users"):
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    return room


def _of_room(ctx: Context, room: Room, link: str, *, change: bool = False) -> InviteRow:
    """Return a link of a room; others' links are for its creator only."""
    name = invites.hash_of(link)
    invite = invites.find(ctx.tx, name) if name else None
    if invite is None or invite.chat_id != room.chat.id:
        raise RpcFault(400, "INVITE_HASH_EXPIRED")
    if invite.admin_id != ctx.user_id:
        if not room.standing.is_creator:
            raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
        if change and user_store.load_users(ctx.tx, [invite.admin_id])[invite.admin_id].is_bot:
            raise RpcFault(403, "EDIT_BOT_INVITE_FORBIDDEN")
    return invite


def _admin(ctx: Context, room: Room, user: api.TypeInputUser) -> int:
    """Return an admin whose links the caller may see: itself, or any if it is the creator."""
    try:
        admin_id = peers.resolve_user(ctx, user).id
    except RpcFault:
        raise RpcFault(400, "ADMIN_ID_INVALID") from None
    if admin_id == ctx.user_id:
        return admin_id
    if not room.standing.is_creator:
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    member = chat_store.find_member(ctx.tx, room.chat.id, admin_id)
    has_links = admin_id in invites.count_by_admin(ctx.tx, room.chat.id)
    if not has_links and (member is None or not member.is_admin):
        raise RpcFault(400, "ADMIN_ID_INVALID")
    return admin_id


def _expire_date(ctx: Context, value: int | None) -> int | None:
    if not value:
        return None
    if value <= ctx.now:
        raise RpcFault(400, "EXPIRE_DATE_INVALID")
    return value


def _usage_limit(value: int | None) -> int | None:
    if not value:
        return None
    if not 0 < value <= MAX_USAGE_LIMIT:
        raise RpcFault(400, "USAGE_LIMIT_INVALID")
    return value


def _title(value: str | None) -> str | None:
    return text.clean(value or "").strip()[:MAX_TITLE] or None


def _limit(value: int) -> int:
    return min(value, MAX_PAGE) if value > 0 else MAX_PAGE
