"""Server layer: the recent actions of a supergroup or channel (B8.6, C5).

Whatever changes a channel calls :func:`log`; its admins read it for two days. Knows the rows and
which filter an action answers to. Knows nothing of the methods that lead here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, cast

from sqlalchemy import insert, select

from radiogram.server import render
from radiogram.server.chat_store import ChatRow
from radiogram.server.mentions import Mentions
from radiogram.server.rights import bits_of
from radiogram.server.tables import admin_log
from radiogram.tl import api
from radiogram.tl.base import TLObject

if TYPE_CHECKING:
    from radiogram.server.rpc import Context

KEPT = 48 * 3600
"""Seconds for which an action can be read."""

FILTER = bits_of("channelAdminLogEventsFilter")
"""The bit of each kind of action, by its name in TL."""

_INFO = (
    api.ChannelAdminLogEventActionChangeAbout,
    api.ChannelAdminLogEventActionChangePhoto,
    api.ChannelAdminLogEventActionChangeTitle,
    api.ChannelAdminLogEventActionChangeUsername,
)
_SETTINGS = (
    api.ChannelAdminLogEventActionDefaultBannedRights,
    api.ChannelAdminLogEventActionToggleForum,
    api.ChannelAdminLogEventActionToggleInvites,
    api.ChannelAdminLogEventActionToggleNoForwards,
    api.ChannelAdminLogEventActionTogglePreHistoryHidden,
    api.ChannelAdminLogEventActionToggleSignatureProfiles,
    api.ChannelAdminLogEventActionToggleSignatures,
    api.ChannelAdminLogEventActionToggleSlowMode,
)
_FORUMS = (
    api.ChannelAdminLogEventActionCreateTopic,
    api.ChannelAdminLogEventActionDeleteTopic,
    api.ChannelAdminLogEventActionEditTopic,
    api.ChannelAdminLogEventActionPinTopic,
)
_LINKS = (
    api.ChannelAdminLogEventActionExportedInviteDelete,
    api.ChannelAdminLogEventActionExportedInviteEdit,
    api.ChannelAdminLogEventActionExportedInviteRevoke,
)
_JOINS_BY_LINK = (
    api.ChannelAdminLogEventActionParticipantJoinByInvite,
    api.ChannelAdminLogEventActionParticipantJoinByRequest,
)
_NAMES: dict[type[TLObject], tuple[str, ...]] = {
    **dict.fromkeys(_INFO, ("info",)),
    **dict.fromkeys(_SETTINGS, ("settings",)),
    **dict.fromkeys(_FORUMS, ("forums",)),
    **dict.fromkeys(_LINKS, ("invites",)),
    **dict.fromkeys(_JOINS_BY_LINK, ("join", "invites")),
    api.ChannelAdminLogEventActionDeleteMessage: ("delete",),
    api.ChannelAdminLogEventActionEditMessage: ("edit",),
    api.ChannelAdminLogEventActionParticipantEditRank: ("edit_rank",),
    api.ChannelAdminLogEventActionParticipantInvite: ("invite",),
    api.ChannelAdminLogEventActionParticipantJoin: ("join",),
    api.ChannelAdminLogEventActionParticipantLeave: ("leave",),
    api.ChannelAdminLogEventActionSendMessage: ("send",),
    api.ChannelAdminLogEventActionUpdatePinned: ("pinned",),
}


def log(
    ctx: Context,
    chat: ChatRow,
    action: api.TypeChannelAdminLogEventAction,
    *,
    user_id: int | None = None,
) -> None:
    """Note what the caller (or another account) did to a channel; basic groups keep no log.

    Messages in the action should be rendered for nobody (viewer 0).
    """
    if chat.is_group:
        return
    ctx.tx.execute(
        insert(admin_log).values(
            chat_id=chat.id,
            user_id=ctx.user_id if user_id is None else user_id,
            date=ctx.now,
            kinds=sum(FILTER[name] for name in _kinds(action)),
            action=render.encode(action),
        )
    )


def read(
    ctx: Context,
    chat: ChatRow,
    *,
    query: str = "",
    kinds: int = 0,
    user_ids: Collection[int] | None = None,
    max_id: int = 0,
    min_id: int = 0,
    limit: int,
) -> list[api.ChannelAdminLogEvent]:
    """Return what happened to a channel, newest first.

    Only ids below `max_id` and above `min_id` (0: no bound), only actions of `kinds` (bits of
    FILTER, 0: all) by `user_ids` (None: everybody) that contain `query`.
    """
    statement = (
        select(admin_log)
        .where(admin_log.c.chat_id == chat.id, admin_log.c.date > ctx.now - KEPT)
        .order_by(admin_log.c.id.desc())
    )
    if kinds:
        statement = statement.where(admin_log.c.kinds.bitwise_and(kinds) != 0)
    if user_ids is not None:
        statement = statement.where(admin_log.c.user_id.in_(user_ids))
    if max_id > 0:
        statement = statement.where(admin_log.c.id < max_id)
    if min_id > 0:
        statement = statement.where(admin_log.c.id > min_id)
    if not query:
        statement = statement.limit(limit)
    people = render.People(ctx.tx, ctx.now)
    found: list[api.ChannelAdminLogEvent] = []
    for row in ctx.tx.execute(statement).all():
        action = cast(api.TypeChannelAdminLogEventAction, render.decode(row.action))
        event = api.ChannelAdminLogEvent(
            id=row.id, date=row.date, user_id=row.user_id, action=action
        )
        if not query or _contains(people, event, query.casefold()):
            found.append(event)
            if len(found) == limit:
                break
    return found


def _kinds(action: api.TypeChannelAdminLogEventAction) -> Iterable[str]:
    """Return the names of the filters that show an action."""
    match action:
        case api.ChannelAdminLogEventActionParticipantToggleAdmin():
            was, now = _rights(action.prev_participant), _rights(action.new_participant)
            changed = (("promote", now - was or now == was), ("demote", was - now))
            return [name for name, said in changed if said]
        case api.ChannelAdminLogEventActionParticipantToggleBan():
            was, now = _bans(action.prev_participant), _bans(action.new_participant)
            out = "view_messages"
            return [
                name
                for name, said in (
                    ("kick", out in now - was),
                    ("unkick", out in was - now),
                    ("ban", now - was and out not in now),
                    ("unban", was - now and out not in was),
                )
                if said
            ]
    return _NAMES[type(action)]


def _rights(participant: api.TypeChannelParticipant) -> set[str]:
    rights = getattr(participant, "admin_rights", None)
    return set() if rights is None else _flags(rights)


def _bans(participant: api.TypeChannelParticipant) -> set[str]:
    if not isinstance(participant, api.ChannelParticipantBanned):
        return set()
    return _flags(participant.banned_rights)


def _flags(rights: api.ChatAdminRights | api.ChatBannedRights) -> set[str]:
    return {name for name in rights.__struct_fields__ if getattr(rights, name) is True}


def _contains(people: render.People, event: api.ChannelAdminLogEvent, query: str) -> bool:
    users = Mentions(event).users
    rows = people.rows(users)
    names = (
        f"{row.first_name} {row.last_name} {row.username or ''}"
        for row in map(rows.get, users)
        if row
    )
    return any(query in said.casefold() for said in (*_texts(event), *names))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, TLObject):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))


__all__ = ["FILTER", "KEPT", "log", "read"]
