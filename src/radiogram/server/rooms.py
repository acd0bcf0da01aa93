"""Server layer: what groups and channels have in common: making one, and its service messages.

Knows rows of chats and members, and how a change of a chat is told to those who are in it. Knows
nothing of the methods that lead here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radiogram.server import chat_store, delivery, peers, render, rights, store
from radiogram.server.chat_store import ChatRow, MemberRow
from radiogram.server.delivery import Draft, Reply
from radiogram.server.peers import Room
from radiogram.server.rpc import RpcFault
from radiogram.server.store import Content, MessageRow
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context

MAX_TITLE = 128
MAX_ABOUT = 255


def check_title(title: str) -> str:
    """Return a title without surrounding blanks. Fault: CHAT_TITLE_EMPTY."""
    title = title.strip()[:MAX_TITLE]
    if not title:
        raise RpcFault(400, "CHAT_TITLE_EMPTY")
    return title


def check_about(about: str) -> str:
    """Return a description. Fault: CHAT_ABOUT_TOO_LONG."""
    about = about.strip()
    if len(about) > MAX_ABOUT:
        raise RpcFault(400, "CHAT_ABOUT_TOO_LONG")
    return about


def create(ctx: Context, kind: int, title: str, **values: Any) -> Room:
    """Make a chat in which the caller is the creator and nobody else; nothing is told yet."""
    banned = 0
    if kind == chat_store.SUPERGROUP and ctx.world.settings.supergroup_pins == "admins":
        banned = rights.BANNED["pin_messages"]  # B2.4
    values.setdefault("default_banned", banned)
    chat_id = chat_store.insert_chat(
        ctx.tx,
        kind=kind,
        title=title,
        creator_id=ctx.user_id,
        date=ctx.now,
        participants_count=1,
        **values,
    )
    chat_store.save_member(
        ctx.tx,
        chat_id,
        ctx.user_id,
        state=chat_store.MEMBER,
        is_creator=True,
        date=ctx.now,
        inviter_id=ctx.user_id,
    )
    room = peers.room_of(ctx, chat_id)
    if room.chat.is_channel:
        store.save_dialog(ctx.tx, ctx.user_id, room.peer, hidden=False)
    return room


def add_member(
    ctx: Context, chat: ChatRow, user_id: int, *, inviter_id: int | None, **values: Any
) -> MemberRow:
    """Put somebody into a chat and, if it is a channel, into their list of chats.

    The number of members is not counted again: call :func:`chat_store.recount` in the end.
    """
    known = chat_store.find_member(ctx.tx, chat.id, user_id)
    first_id = 0
    if chat.prehistory_hidden and chat.username is None:
        first_id = chat.next_message_id
        if known is not None and known.is_admin:
            first_id = known.available_min_id
    returns = known is not None and known.is_creator
    member = chat_store.save_member(
        ctx.tx,
        chat.id,
        user_id,
        state=chat_store.MEMBER,
        date=ctx.now,
        inviter_id=inviter_id,
        available_min_id=0 if returns else first_id,
        **{"via_request": False, "kicked_by": None, **values},
    )
    if chat.is_channel:
        # What was written before is nothing that waits to be read.
        last = chat.next_message_id - 1
        store.save_dialog(ctx.tx, user_id, chat.peer, hidden=False, read_inbox_max_id=last)
    return member


def announce(
    ctx: Context,
    changes: Changes,
    room: Room,
    action: api.TypeMessageAction,
    *,
    recipients: Sequence[int] | None = None,
    reply: MessageRow | None = None,
    silent: bool = False,
    **values: Any,
) -> MessageRow:
    """Put a service message into a chat, from the caller, and return the caller's copy.

    `recipients` are those of :func:`delivery.deliver`. Further `values` are columns of the
    message.
    """
    content = Content(
        sender_id=ctx.user_id,
        date=ctx.now,
        silent=silent or room.chat.is_broadcast,
        action=render.encode(action),
        **values,
    )
    content = delivery.signed(room, content)._replace(post_author=None)
    (row,) = delivery.deliver(
        ctx, changes, room, [Draft(content, Reply(reply))], recipients=recipients
    )
    return row


def participants(tx_rows: Sequence[MemberRow], chat: ChatRow) -> api.ChatParticipants:
    """Return the member list of a basic group."""
    return api.ChatParticipants(
        chat_id=chat.id,
        participants=[participant(row) for row in tx_rows if row.is_present],
        version=chat.version,
    )


def participant(row: MemberRow) -> api.TypeChatParticipant:
    """Return one entry of the member list of a basic group."""
    if row.is_creator:
        return api.ChatParticipantCreator(user_id=row.user_id, rank=row.rank)
    kind = api.ChatParticipant if row.admin_rights is None else api.ChatParticipantAdmin
    return kind(user_id=row.user_id, inviter_id=row.inviter_id or 0, date=row.date, rank=row.rank)
