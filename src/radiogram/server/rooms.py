"""Server layer: what happens in groups and channels: made, entered, left, and told of.

Knows rows of chats and members, how a change of a chat is told to those who are in it, and which
messages of service it leaves behind. Knows nothing of the methods that lead here.

Theory of operation. The member list of a basic group has a version, and each change of it raises
the version by one and is told to all members with it, so that a client knows whether it has
missed one. Such updates carry no pts: who is offline sees the new version in the next chat
object and asks for the list (C5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import select

from radiogram.server import (
    admin_log,
    bot_events,
    chat_store,
    deletion,
    delivery,
    dialog_store,
    history_store,
    invites,
    membership,
    message_store,
    peers,
    render,
    rights,
    text,
)
from radiogram.server.chat_store import ChatRow, MemberRow
from radiogram.server.delivery import Draft, Reply
from radiogram.server.peers import Private, Room
from radiogram.server.rows import Content, MessageRow, UserRow, chunks
from radiogram.server.rpc import RpcFault
from radiogram.server.tables import PEER_USER, blocked, boxes, messages
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context

MAX_TITLE = 128
MAX_ABOUT = 255
MAX_SHARED = 100
"""Messages of the past that a new member of a basic group can be given."""

# ------------------------------------------------------------------ checks


def check_title(title: str) -> str:
    """Return a title without surrounding blanks. Fault: CHAT_TITLE_EMPTY."""
    title = text.clean(title).strip()[:MAX_TITLE]
    if not title:
        raise RpcFault(400, "CHAT_TITLE_EMPTY")
    return title


def check_about(about: str) -> str:
    """Return a description. Fault: CHAT_ABOUT_TOO_LONG."""
    about = text.clean(about).strip()
    if len(about) > MAX_ABOUT:
        raise RpcFault(400, "CHAT_ABOUT_TOO_LONG")
    return about


def resolve(ctx: Context, peer: api.TypeInputPeer) -> Room:
    """Return the group or channel that an InputPeer names, in which the caller must be.

    Faults: those of :func:`peers.resolve` and :func:`check_present`; PEER_ID_INVALID also for
    private chats.
    """
    target = peers.resolve(ctx, peer)
    if isinstance(target, Private):
        raise RpcFault(400, "PEER_ID_INVALID")
    check_present(target)
    return target


def check_present(room: Room) -> None:
    """Refuse whoever is not in a room.

    Faults: CHAT_INVALID (of a basic group that is no more, B6.17), CHAT_WRITE_FORBIDDEN.
    """
    if room.chat.is_group and room.chat.deleted:
        raise RpcFault(400, "CHAT_INVALID")
    if not room.standing.is_present:
        raise RpcFault(403, "CHAT_WRITE_FORBIDDEN")


# ------------------------------------------------------------------ rows


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
    invites.insert(ctx, chat_id, ctx.user_id, permanent=True)
    room = peers.room_of(ctx, chat_id)
    if room.chat.is_channel:
        dialog_store.save_dialog(ctx.tx, ctx.user_id, room.peer, hidden=False)
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
        inviter_id=inviter_id,
        available_min_id=0 if returns else first_id,
        **{"date": ctx.now, "via_request": False, "kicked_by": None, **values},
    )
    if chat.is_channel:
        # What was written before is nothing that waits to be read.
        last = chat.next_message_id - 1
        dialog_store.save_dialog(ctx.tx, user_id, chat.peer, hidden=False, read_inbox_max_id=last)
    return member


def count_again(ctx: Context, changes: Changes, room: Room, *changed: MemberRow) -> Room:
    """Count the members after some came, went or changed, and return the room as it is then.

    `changed` are their rows as they are by now. Of a basic group the version of the member list
    goes up by one.
    """
    chat = chat_store.recount(ctx.tx, room.chat.id)
    if chat.is_group:
        chat = chat_store.change_chat(ctx.tx, chat.id, version=chat.version + 1)
    return refresh(ctx, changes, room, chat, *changed)


def refresh(ctx: Context, changes: Changes, room: Room, chat: ChatRow, *changed: MemberRow) -> Room:
    """Return a room as it is after its rows were written; whoever is told of it sees it so."""
    changes.people.keep_chat(chat, changed)
    own = {row.user_id: row for row in changed}.get(room.user.id, room.standing.member)
    standing = room.standing._replace(chat=chat, member=own)
    return room._replace(standing=standing, people=changes.people)


def acting(ctx: Context, room: Room, user: UserRow) -> Room:
    """Return the same room as another account is in it, to announce something in its name."""
    member = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    standing = rights.Standing(room.chat, member, user.is_bot, ctx.now)
    return room._replace(user=user, standing=standing, dialog=None)


# ------------------------------------------------------------------ coming and going


def admit(
    ctx: Context,
    changes: Changes,
    room: Room,
    user: UserRow,
    action: api.TypeMessageAction,
    *,
    inviter_id: int | None,
    shared: int = 0,
    invite: invites.InviteRow | None = None,
    via_request: bool = False,
) -> Room:
    """Let an account into a room, tell everybody, and return the room as it is then.

    `action` is announced in the name of whoever acts in `room`; in a broadcast channel nothing
    is. `shared` is how many messages of the past of a basic group the newcomer is given. Nothing
    is checked here but the size. Fault: USERS_TOO_MUCH.
    """
    check_size(ctx, room.chat)
    before = chat_store.find_member(ctx.tx, room.chat.id, user.id)
    member = add_member(ctx, room.chat, user.id, inviter_id=inviter_id, via_request=via_request)
    invites.remove_request(ctx.tx, room.chat.id, user.id)
    room = count_again(ctx, changes, room, member)
    chat = room.chat
    if chat.is_channel:
        changes.tell([user.id], api.UpdateChannel(channel_id=chat.id))
        membership.changed(ctx, changes, room, before, member, invite=invite)
    else:
        tell_added(ctx, changes, chat, member)
        log_participant(ctx, changes, chat, before, member, invite=invite)
        if shared > 0 and not user.is_bot:
            share_history(ctx, changes, room, user, shared)
    if not chat.is_broadcast:
        announce(ctx, changes, room, action)
    return room


def check_size(ctx: Context, chat: ChatRow, *, more: int = 1) -> None:
    """Refuse more members than a room can have. Fault: USERS_TOO_MUCH."""
    settings = ctx.world.settings
    limit = settings.chat_size_max if chat.is_group else settings.megagroup_size_max
    if not chat.is_broadcast and chat.participants_count + more > limit:
        raise RpcFault(400, "USERS_TOO_MUCH")


def has_room_for(ctx: Context, user_id: int, chat: ChatRow) -> bool:
    """Tell whether an account can be in one more chat of a kind; of basic groups always."""
    if chat.is_group:
        return True
    return chat_store.count_channels(ctx.tx, user_id) < ctx.world.settings.channels_max


def remove(
    ctx: Context, changes: Changes, room: Room, member: MemberRow, *, revoke: bool = False
) -> Room:
    """Take somebody out of a basic group, by whoever acts in it; return it as it is then.

    Who goes gets the message that says so, and nothing after it. With `revoke` everything that
    they wrote goes too, from the boxes of all who are in the group until then.
    """
    chat = room.chat
    everybody = chat_store.member_ids(ctx.tx, chat.id)
    if revoke:
        _revoke_history(ctx, changes, room, member.user_id)
    leaves = member.user_id == room.user.id
    gone = chat_store.save_member(
        ctx.tx,
        chat.id,
        member.user_id,
        state=chat_store.LEFT if leaves else chat_store.KICKED,
        date=ctx.now,
        admin_rights=None,
        promoted_by=None,
        rank=None,
        kicked_by=None if leaves else room.user.id,
    )
    room = count_again(ctx, changes, room, gone)
    chat = room.chat
    changes.tell(
        [number for number in everybody if number != gone.user_id],
        api.UpdateChatParticipantDelete(
            chat_id=chat.id, user_id=gone.user_id, version=chat.version
        ),
    )
    closed = api.ChatParticipantsForbidden(chat_id=chat.id)
    changes.tell([gone.user_id], api.UpdateChatParticipants(participants=closed))
    log_participant(ctx, changes, chat, member, gone)
    action = api.MessageActionChatDeleteUser(user_id=gone.user_id)
    announce(ctx, changes, room, action, recipients=everybody)
    return room


def _revoke_history(ctx: Context, changes: Changes, room: Room, user_id: int) -> None:
    theirs = (messages.c.sender_id == user_id, messages.c.action.is_(None))
    found = {
        row.content_id: row
        for box_id in (user_id, room.user.id)  # each may have deleted some for itself
        for row in history_store.select_messages(ctx.tx, box_id, room.peer, *theirs)
    }
    deletion.delete_copies(ctx, changes, list(found.values()), revoke=True)


def blockers(ctx: Context, ids: Iterable[int]) -> list[int]:
    """Return those of some accounts that have blocked the caller and so cannot be added."""
    found: list[int] = []
    for chunk in chunks(ids):
        statement = select(blocked.c.owner_id).where(
            blocked.c.peer_type == PEER_USER,
            blocked.c.peer_id == ctx.user_id,
            blocked.c.owner_id.in_(chunk),
        )
        found.extend(ctx.tx.execute(statement).scalars())
    return sorted(found)


def share_history(ctx: Context, changes: Changes, room: Room, user: UserRow, limit: int) -> None:
    """Give somebody copies of the newest messages of a basic group that the caller has.

    They are new to the newcomer's box; what it holds already is not given twice. Pins are not
    given along (B6.7).
    """
    page = history_store.read_page(
        ctx.tx,
        room.user.id,
        room.peer,
        offset_id=0,
        offset_date=0,
        add_offset=0,
        limit=min(limit, MAX_SHARED),
    )
    contents = {row.id: row.content_id for row in page}
    held = history_store.select_messages(
        ctx.tx, user.id, room.peer, boxes.c.content_id.in_(contents.values())
    )
    ids = {row.content_id: row.id for row in held}
    box = changes.box(user)
    copies = []
    for row in reversed(page):
        if row.content_id in ids:
            continue
        ids[row.content_id] = box.take_id()
        copies.append(
            row._replace(
                box_id=user.id,
                id=ids[row.content_id],
                out=row.sender_id == user.id,
                pinned=False,
                reply_to_id=ids.get(contents.get(row.reply_to_id or 0, 0)),
            )
        )
    if not copies:
        return
    message_store.insert_copies(ctx.tx, copies)
    unread = sum(not copy.out for copy in copies)
    known = dialog_store.find_dialog(ctx.tx, user.id, room.peer)
    dialog_store.raise_dialogs(
        ctx.tx,
        [(user.id, room.peer, copies[-1].id, unread)],
        [] if known is None else [(user.id, room.peer)],
    )
    for copy in copies:
        box.add_new(copy)


# ------------------------------------------------------------------ what is told


def tell_added(ctx: Context, changes: Changes, chat: ChatRow, member: MemberRow) -> None:
    """Tell a basic group of a new member, and the new member who is there.

    That a creator comes back takes the whole list, since the short update cannot say it.
    """
    rows = [row for row in chat_store.select_members(ctx.tx, chat.id) if row.is_present]
    others = [row.user_id for row in rows if row.user_id != member.user_id]
    full = api.UpdateChatParticipants(participants=participants(rows, chat))
    short = api.UpdateChatParticipantAdd(
        chat_id=chat.id,
        user_id=member.user_id,
        inviter_id=member.inviter_id or 0,
        date=member.date,
        version=chat.version,
    )
    changes.tell(others, full if member.is_creator else short)
    changes.tell([member.user_id], full)


def tell_changed(ctx: Context, changes: Changes, room: Room) -> None:
    """Tell those who are in a room that its object, or more about it, is to be read again."""
    chat = room.chat
    update: api.TypeUpdate = (
        api.UpdateChat(chat_id=chat.id) if chat.is_group else api.UpdateChannel(channel_id=chat.id)
    )
    audience = changes.audience(chat)
    changes.people.prepare_chat(chat.id, audience)
    changes.tell(audience, update)


def log_participant(
    ctx: Context,
    changes: Changes,
    chat: ChatRow,
    before: MemberRow | None,
    after: MemberRow,
    *,
    invite: invites.InviteRow | None = None,
) -> None:
    """Tell the bots of a basic group what somebody was in it and is now (C0.3.4)."""
    was = participant(before) if before is not None and before.is_present else None
    now = participant(after) if after.is_present else None
    bot_events.log_participant(ctx, changes, chat, after.user_id, was, now, invite)


def rename(ctx: Context, room: Room, title: str) -> api.Updates:
    """Give a room another title and tell everybody. Faults: CHAT_TITLE_EMPTY, CHAT_NOT_MODIFIED."""
    title, old = check_title(title), room.chat.title
    if title == old:
        raise RpcFault(400, "CHAT_NOT_MODIFIED")
    changes = Changes(ctx, room.people)
    chat = chat_store.change_chat(ctx.tx, room.chat.id, title=title)
    room = refresh(ctx, changes, room, chat)
    action = api.ChannelAdminLogEventActionChangeTitle(prev_value=old, new_value=title)
    admin_log.log(ctx, chat, action)
    if chat.is_channel:  # of a basic group the service message says it all
        tell_changed(ctx, changes, room)
    announce(ctx, changes, room, api.MessageActionChatEditTitle(title=title))
    changes.finish()
    return changes.result(room.user)


def refuse_photo(photo: api.TypeInputChatPhoto) -> NoReturn:
    """Refuse a picture: there are no files. Faults: CHAT_NOT_MODIFIED, PHOTO_INVALID."""
    empty = isinstance(photo, api.InputChatPhotoEmpty)
    raise RpcFault(400, "CHAT_NOT_MODIFIED" if empty else "PHOTO_INVALID")


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
    """Put a service message into a chat, from whoever acts in it, and return their copy.

    `recipients` are those of :func:`delivery.deliver`. Further `values` are columns of the
    message.
    """
    content = Content(
        sender_id=room.user.id,
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
