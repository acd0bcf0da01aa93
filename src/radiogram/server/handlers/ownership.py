"""Server layer: a group or channel gets another creator, for which its own gives a password (C5).

Knows who may give away what to whom.
"""

from __future__ import annotations

from sqlalchemy import select

from radiogram.server import chat_store, passwords, peers, rights, rooms
from radiogram.server.chat_store import MemberRow
from radiogram.server.peers import Room
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import auth_keys
from radiogram.server.updates import Changes
from radiogram.tl import api


@handles(api.messages.EditChatCreator, bots=False)
def edit_chat_creator(ctx: Context, request: api.messages.EditChatCreator) -> api.TypeUpdates:
    """Make a member the creator; who was it stays as an admin with every right."""
    room = rooms.resolve(ctx, request.peer)
    if not room.standing.is_creator:
        raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    user = peers.resolve_user(ctx, request.user_id)
    if user.deleted:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    _check_password(ctx, request.password)
    heir = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    if user.is_bot or user.id == ctx.user_id or heir is None or not heir.is_present:
        raise RpcFault(400, "USER_ID_INVALID")
    changes = Changes(ctx, room.people)
    _give(ctx, changes, room, heir)
    changes.finish()
    return changes.result(room.user)


def _check_password(ctx: Context, given: api.TypeInputCheckPasswordSRP) -> None:
    """Faults: PASSWORD_MISSING, those of a proof, PASSWORD_TOO_FRESH_X, SESSION_TOO_FRESH_X."""
    stored = passwords.load(ctx.tx, ctx.user_id)
    if stored is None or not passwords.is_set(stored):
        raise RpcFault(400, "PASSWORD_MISSING")
    passwords.prove(ctx, ctx.user_id, given)
    wait = ctx.world.settings.ownership_wait
    if ctx.now < stored.changed + wait:
        raise RpcFault(400, f"PASSWORD_TOO_FRESH_{stored.changed + wait - ctx.now}")
    key_id = ctx.caller.authorization.key_id
    since = ctx.tx.execute(
        select(auth_keys.c.logged_in).where(auth_keys.c.key_id == key_id)
    ).scalar()
    if since is not None and ctx.now < since + wait:
        raise RpcFault(400, f"SESSION_TOO_FRESH_{since + wait - ctx.now}")


def _give(ctx: Context, changes: Changes, room: Room, heir: MemberRow) -> None:
    chat_id = room.chat.id
    mask = rights.GROUP_ADMIN if room.chat.is_group else room.standing.admin_mask
    before = room.standing.member
    old = chat_store.save_member(
        ctx.tx,
        chat_id,
        ctx.user_id,
        is_creator=False,
        admin_rights=mask,
        promoted_by=heir.user_id,
        rank=None,
    )
    new = chat_store.save_member(
        ctx.tx,
        chat_id,
        heir.user_id,
        is_creator=True,
        admin_rights=None,
        promoted_by=None,
        rank=None,
    )
    chat_store.change_chat(ctx.tx, chat_id, creator_id=heir.user_id)
    room = rooms.count_again(ctx, changes, room, old, new)
    if not room.chat.is_group:
        rooms.tell_changed(ctx, changes, room)
        return
    rows = chat_store.select_members(ctx.tx, chat_id)
    full = api.UpdateChatParticipants(participants=rooms.participants(rows, room.chat))
    changes.tell(chat_store.member_ids(ctx.tx, chat_id), full)
    rooms.log_participant(ctx, changes, room.chat, before, old)
    rooms.log_participant(ctx, changes, room.chat, heir, new)
