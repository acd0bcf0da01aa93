"""Server layer: what bots are told of chats, counted by qts (C0.3.4).

Knows which bots hear of a change of somebody's standing in a chat, and how an update gets its
qts and its place in the log that updates.getDifference reads. Knows nothing of the changes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from radiogram.server import chat_store, invites
from radiogram.server.chat_store import ChatRow
from radiogram.server.invites import InviteRow
from radiogram.server.tables import members, users
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def log(ctx: Context, changes: Changes, bot_id: int, make: Callable[[int], api.TypeUpdate]) -> None:
    """Tell a bot an update that is kept for its difference; `make` gets the qts after it."""
    changes.tell_by_qts(changes.people.rows([bot_id])[bot_id], make)


def admins(ctx: Context, chat: ChatRow) -> list[int]:
    """Return the bots that are admins of a chat."""
    rows = chat_store.select_members(
        ctx.tx,
        chat.id,
        members.c.state == chat_store.MEMBER,
        members.c.admin_rights.is_not(None),
        users.c.is_bot,
    )
    return [row.user_id for row in rows]


def listeners(ctx: Context, changes: Changes, chat: ChatRow, user_id: int) -> list[int]:
    """Return the bots that hear what happens to an account in a chat.

    That is the account itself, if it is a bot, and the bots that are admins. Ask once the change
    is written; a bot that was an admin before and is no more hears it as the account itself.
    """
    heard = set(admins(ctx, chat))
    if changes.people.rows([user_id])[user_id].is_bot:
        heard.add(user_id)
    return sorted(heard)


def log_participant(
    ctx: Context,
    changes: Changes,
    chat: ChatRow,
    user_id: int,
    was: api.TypeChatParticipant | api.TypeChannelParticipant | None,
    now: api.TypeChatParticipant | api.TypeChannelParticipant | None,
    invite: InviteRow | None,
) -> None:
    """Tell the bots of a chat what somebody was in it and is now."""
    for bot_id in listeners(ctx, changes, chat, user_id):
        said: dict[str, Any] = {
            "date": ctx.now,
            "actor_id": ctx.user_id,
            "user_id": user_id,
            "prev_participant": was,
            "new_participant": now,
            "invite": None if invite is None else invites.exported(ctx.tx, invite),
        }
        log(ctx, changes, bot_id, partial(_participant, chat, said))


def _participant(chat: ChatRow, said: dict[str, Any], qts: int) -> api.TypeUpdate:
    if chat.is_channel:
        return api.UpdateChannelParticipant(channel_id=chat.id, qts=qts, **said)
    return api.UpdateChatParticipant(chat_id=chat.id, qts=qts, **said)
