"""Server layer: joining a chat by a link, at once or after an admin has agreed (C5).

Knows links, requests and who hears of them. Knows nothing of the methods that lead here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from radiogram.server import accounts, bot_events, chat_store, invites, render, rooms, user_store
from radiogram.server.chat_store import ChatRow
from radiogram.server.invites import InviteRow, UseRow
from radiogram.server.peers import Room
from radiogram.server.rights import Standing
from radiogram.server.rows import UserRow
from radiogram.server.rpc import RpcFault
from radiogram.server.tables import members
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def join(ctx: Context, changes: Changes, room: Room, invite: InviteRow) -> Room:
    """Let the caller into a chat by a link, and return the chat as it is then."""
    rooms.check_size(ctx, room.chat)
    invite = invites.add_use(ctx.tx, invite, ctx.user_id, ctx.now, None)
    action = api.MessageActionChatJoinedByLink(inviter_id=invite.admin_id)
    return rooms.admit(
        ctx, changes, room, room.user, action, inviter_id=invite.admin_id, invite=invite
    )


def ask(ctx: Context, changes: Changes, room: Room, invite: InviteRow | None) -> NoReturn:
    """Note that the caller wants to join, tell those who decide, and say so by a fault.

    The fault is the answer, and yet what was written stays: the call is committed here. `invite`
    is the link by which they came. Fault: INVITE_REQUEST_SENT.
    """
    name = None if invite is None else invite.hash
    if invites.add_request(ctx.tx, room.chat.id, ctx.user_id, ctx.now, name):
        _tell_bots(ctx, changes, room, invite)
        tell_pending(ctx, changes, room)
        changes.finish()
        ctx.commit()
    raise RpcFault(400, "INVITE_REQUEST_SENT")


def approve(ctx: Context, changes: Changes, room: Room, request: UseRow, user: UserRow) -> Room:
    """Let somebody in who asked for it; they say so themselves. Return the chat as it is then."""
    rooms.check_size(ctx, room.chat)
    invite = invites.find(ctx.tx, request.hash) if request.hash else None
    if invite is not None:
        invite = invites.add_use(ctx.tx, invite, user.id, ctx.now, ctx.user_id)
    theirs = rooms.acting(ctx, room, user)
    action = api.MessageActionChatJoinedByRequest()
    after = rooms.admit(
        ctx,
        changes,
        theirs,
        user,
        action,
        inviter_id=ctx.user_id,
        invite=invite,
        via_request=True,
    )
    return rooms.refresh(ctx, changes, room, after.chat)


def tell_pending(ctx: Context, changes: Changes, room: Room) -> None:
    """Tell who may decide how many wait to be let into a chat."""
    total, recent = invites.pending(ctx.tx, room.chat.id)
    changes.tell(
        _deciders(ctx, room.chat, bots=False),
        api.UpdatePendingJoinRequests(
            peer=render.peer(room.peer), requests_pending=total, recent_requesters=recent
        ),
    )


def _tell_bots(ctx: Context, changes: Changes, room: Room, invite: InviteRow | None) -> None:
    about = accounts.own(ctx.tx, ctx.user_id).about
    shown: api.TypeExportedChatInvite = api.ChatInvitePublicJoinRequests()
    if invite is not None:
        shown = invites.exported(ctx.tx, invite)
    for bot_id in _deciders(ctx, room.chat, bots=True):
        bot_events.log(
            ctx,
            changes,
            bot_id,
            lambda qts: api.UpdateBotChatInviteRequester(
                peer=render.peer(room.peer),
                date=ctx.now,
                user_id=ctx.user_id,
                about=about,
                invite=shown,
                qts=qts,
            ),
        )


def _deciders(ctx: Context, chat: ChatRow, *, bots: bool) -> list[int]:
    """Return who may let others into a chat: its creator and admins with that right."""
    rows = chat_store.select_members(
        ctx.tx,
        chat.id,
        members.c.state == chat_store.MEMBER,
        members.c.is_creator | members.c.admin_rights.is_not(None),
    )
    found = user_store.load_users(ctx.tx, [row.user_id for row in rows])
    return [
        row.user_id
        for row in rows
        if found[row.user_id].is_bot == bots
        and Standing(chat, row, bots, ctx.now).has_right("invite_users")
    ]
