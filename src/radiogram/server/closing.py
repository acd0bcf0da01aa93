"""Server layer: how a basic group ends: deleted, or made a supergroup (C5, B6.17).

Knows the rows that this changes and what everybody is told. Knows nothing of who may do it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radiogram.server import (
    chat_store,
    deletion,
    dialog_store,
    history_store,
    invites,
    peers,
    rights,
    rooms,
)
from radiogram.server.peers import Room
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


def dissolve(ctx: Context, changes: Changes, room: Room) -> None:
    """Delete a basic group, with what was written in it, for all who are in it."""
    chat_id = room.chat.id
    everybody = chat_store.member_ids(ctx.tx, chat_id)
    for number in everybody:
        rows = list(history_store.select_messages(ctx.tx, number, room.peer))
        deletion.delete_copies(ctx, changes, rows, revoke=False)
        dialog_store.save_dialog(ctx.tx, number, room.peer, hidden=True)
    gone = [
        chat_store.save_member(
            ctx.tx,
            chat_id,
            number,
            state=chat_store.KICKED,
            admin_rights=None,
            kicked_by=room.user.id,
        )
        for number in everybody
    ]
    invites.revoke_all(ctx.tx, chat_id)
    chat_store.change_chat(ctx.tx, chat_id, deleted=True)
    rooms.count_again(ctx, changes, room, *gone)
    closed = api.ChatParticipantsForbidden(chat_id=chat_id)
    changes.tell(everybody, api.UpdateChatParticipants(participants=closed))


def migrate(ctx: Context, changes: Changes, room: Room) -> Room:
    """Make a supergroup of a basic group, and return it.

    Members and admins, what members may not do, links and requests go along; the history and
    its pins stay in everybody's own box (B6.17).
    """
    old = room.chat
    rows = chat_store.select_members(ctx.tx, old.id)
    present = [row for row in rows if row.is_present]
    everybody = [row.user_id for row in present]
    new = rooms.create(
        ctx,
        chat_store.SUPERGROUP,
        old.title,
        about=old.about,
        default_banned=old.default_banned,
        noforwards=old.noforwards,
        migrated_from=old.id,
    )
    for row in present:
        if row.user_id == ctx.user_id:
            continue
        promoted = row.admin_rights is not None
        rooms.add_member(
            ctx,
            new.chat,
            row.user_id,
            inviter_id=row.inviter_id,
            date=row.date,
            rank=row.rank,
            admin_rights=rights.fitting(new.chat, rights.GROUP_ADMIN) if promoted else None,
            promoted_by=row.promoted_by,
        )
    invites.revoke_all(ctx.tx, new.chat.id)
    invites.delete_revoked(ctx.tx, new.chat.id, ctx.user_id)
    invites.hand_over(ctx.tx, old.id, new.chat.id)
    moved = chat_store.change_chat(ctx.tx, old.id, deleted=True, migrated_to=new.chat.id)
    room = rooms.refresh(ctx, changes, room, moved)
    chat = chat_store.recount(ctx.tx, new.chat.id)
    new = peers.room_of(ctx, chat.id)
    changes.people.keep_chat(chat)
    changes.tell(everybody, api.UpdateChat(chat_id=old.id))
    changes.tell(everybody, api.UpdateChannel(channel_id=chat.id))
    rooms.announce(ctx, changes, room, api.MessageActionChatMigrateTo(channel_id=chat.id))
    action = api.MessageActionChannelMigrateFrom(title=old.title, chat_id=old.id)
    rooms.announce(ctx, changes, new, action)
    return new
