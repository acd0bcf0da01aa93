"""Server layer: lists of the members of supergroups and channels, and what each is there (C5).

Knows which lists are for admins only: those of a broadcast channel, of hidden members, and of
whoever is banned. An anonymous admin is seen by admins only (B6.15).
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from radiogram.server import chat_store, membership, paging, peers, rights
from radiogram.server.chat_store import MEMBER
from radiogram.server.peers import Room
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import contacts, members, users
from radiogram.tl import api

MAX_PARTICIPANTS = 200
"""Members in one channels.getParticipants."""


@handles(api.channels.GetParticipants)
def get_participants(
    ctx: Context, request: api.channels.GetParticipants
) -> api.channels.TypeChannelParticipants:
    """Return a page of the members, or of those who are none any more."""
    room = peers.resolve_channel(ctx, request.channel)
    chat, kind = room.chat, request.filter
    _check_may_list(room, kind)
    conditions = [members.c.state == MEMBER]
    banned = (
        members.c.banned_rights != 0,
        or_(members.c.until_date == 0, members.c.until_date > ctx.now),
    )
    kicked = members.c.banned_rights.bitwise_and(rights.VIEW) != 0
    match kind:
        case api.ChannelParticipantsAdmins():
            conditions.append(or_(members.c.is_creator, members.c.admin_rights.is_not(None)))
        case api.ChannelParticipantsBots():
            conditions.append(users.c.is_bot)
        case api.ChannelParticipantsKicked():
            conditions = [*banned, kicked]
        case api.ChannelParticipantsBanned():
            conditions = [*banned, ~kicked]
        case api.ChannelParticipantsContacts():
            mine = select(contacts.c.user_id).where(contacts.c.owner_id == ctx.user_id)
            conditions.append(members.c.user_id.in_(mine))
    if not room.standing.is_admin:
        conditions.append(_is_shown(ctx))
    query = (getattr(kind, "q", None) or "").strip().casefold().removeprefix("@")
    total, rows = chat_store.page_members(
        ctx.tx,
        chat.id,
        *conditions,
        named=(lambda *names: _is_named(query, *names)) if query else None,
        newest_first=isinstance(kind, api.ChannelParticipantsRecent),
        offset=min(max(request.offset, 0), chat_store.LAST_CHANNEL_ID),
        limit=min(max(request.limit, 0), MAX_PARTICIPANTS),
    )
    if request.hash and request.hash == paging.list_hash(row.user_id for row in rows):
        return api.channels.ChannelParticipantsNotModified()
    listed = [membership.participant(row, ctx.now, room.standing) for row in rows]
    shown = room.people.mentioned(ctx.user_id, listed, chats=[chat.id])
    return api.channels.ChannelParticipants(count=total, participants=listed, **shown)


def _check_may_list(room: Room, kind: api.TypeChannelParticipantsFilter) -> None:
    """Refuse lists that only admins see: of a channel, of those banned, and of hidden members."""
    if room.standing.is_admin:
        return
    banned = isinstance(kind, api.ChannelParticipantsKicked | api.ChannelParticipantsBanned)
    known = isinstance(kind, api.ChannelParticipantsAdmins | api.ChannelParticipantsBots)
    hidden = room.chat.participants_hidden and not known
    if room.chat.is_broadcast or banned or hidden:
        raise RpcFault(403, "CHAT_ADMIN_REQUIRED")


def _is_shown(ctx: Context) -> ColumnElement[bool]:
    """Return the condition that a member is not hidden as an anonymous admin."""
    anonymous = members.c.admin_rights.bitwise_and(rights.ADMIN["anonymous"])
    return or_(members.c.admin_rights.is_(None), anonymous == 0, members.c.user_id == ctx.user_id)


def _is_named(query: str, first_name: str, last_name: str, username: str | None) -> bool:
    """Tell whether a name, or a later word of it, begins with what is searched for."""
    name = f"{first_name} {last_name}".casefold()
    if (username or "").casefold().startswith(query):
        return True
    return f" {query}" in f" {name}"


@handles(api.channels.GetParticipant)
def get_participant(
    ctx: Context, request: api.channels.GetParticipant
) -> api.channels.ChannelParticipant:
    """Return what somebody is in a channel."""
    room = peers.resolve_channel(ctx, request.channel)
    user = membership.person(ctx, request.participant)
    standing = room.standing
    row = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    if not standing.is_admin and user.id != ctx.user_id:
        is_admin = row is not None and row.is_admin
        if room.chat.is_broadcast or (room.chat.participants_hidden and not is_admin):
            raise RpcFault(403, "CHAT_ADMIN_REQUIRED")
        hidden = row is not None and (
            rights.Standing(room.chat, row, user.is_bot, ctx.now).is_anonymous or not row.is_present
        )
        if hidden:
            raise RpcFault(400, "USER_NOT_PARTICIPANT")
    if row is None or not (row.is_present or membership.banned_mask(row, ctx.now)):
        raise RpcFault(400, "USER_NOT_PARTICIPANT")
    found = membership.participant(row, ctx.now, standing)
    shown = room.people.mentioned(ctx.user_id, found, users=[user.id], chats=[room.chat.id])
    return api.channels.ChannelParticipant(participant=found, **shown)
