"""Server layer: putting messages into boxes.

Knows who may write where (C3), what a reply refers to, and which boxes get a copy (B1.1): both
sides' in a private chat, every member's in a basic group, the channel's own in a supergroup or
channel. Knows nothing of the methods that lead here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from radiogram.server import (
    admin_log,
    business,
    chat_store,
    dialog_store,
    message_store,
    peers,
    render,
    text,
    topic_store,
)
from radiogram.server.peers import Private, Room, Target
from radiogram.server.rows import Content, MessageRow, Peer, UserRow
from radiogram.server.rpc import RpcFault
from radiogram.server.topic_store import GENERAL
from radiogram.server.updates import Changes
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context

MAX_QUOTE = 1024
"""Code points of the quoted part of a message."""


class Reply(NamedTuple):
    """What a new message replies to."""

    row: MessageRow | None = None
    """The caller's copy of the message, if it lies in the same chat."""
    header: bytes | None = None
    """What else the header says: a quote, or the origin in another chat."""
    topic_id: int | None = None
    """The topic of a forum to which the new message goes; None: General, or no forum."""


NO_REPLY = Reply()


class Draft(NamedTuple):
    """A message that is ready to be put into boxes."""

    content: Content
    reply: Reply = NO_REPLY
    random_id: int | None = None


def check_may_write(ctx: Context, target: Target, *, count: int = 1) -> None:
    """Refuse to write `count` messages where the caller must not.

    Faults of private chats: INPUT_USER_DEACTIVATED, USER_IS_BOT, YOU_BLOCKED_USER,
    USER_IS_BLOCKED (bots), PEER_ID_INVALID (bots, unless ``settings.bots_write_first``).
    Of groups and channels: those of :func:`check_is_in`, CHAT_ADMIN_REQUIRED (in broadcast
    channels), CHAT_SEND_PLAIN_FORBIDDEN, SLOWMODE_MULTI_MSGS_DISABLED, SLOWMODE_WAIT_X.
    """
    if isinstance(target, Room):
        check_is_free(target)
        _check_slow_mode(ctx, target, count)
        return
    if target.is_self:
        return
    me, other = target.me, target.other
    if other.user.deleted:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    if me.user.is_bot and other.user.is_bot:
        raise RpcFault(400, "USER_IS_BOT")
    if me.blocks:
        raise RpcFault(400, "YOU_BLOCKED_USER")
    if me.user.is_bot:
        if other.blocks:
            raise RpcFault(403, "USER_IS_BLOCKED")
        if other.dialog is None and not ctx.world.settings.bots_write_first:
            raise RpcFault(400, "PEER_ID_INVALID")


def check_is_in(room: Room) -> None:
    """Refuse whoever is no member now.

    Faults: CHAT_INVALID (of a basic group that is no more), USER_BANNED_IN_CHANNEL (limited
    accounts in channels), CHAT_WRITE_FORBIDDEN.
    """
    if room.chat.is_group and room.chat.deleted:
        raise RpcFault(400, "CHAT_INVALID")
    if room.chat.is_channel and room.user.limited:
        raise RpcFault(400, "USER_BANNED_IN_CHANNEL")
    if not room.standing.is_present:
        raise RpcFault(403, "CHAT_WRITE_FORBIDDEN")


def check_is_free(room: Room) -> None:
    """Refuse whoever must not write in a room at all, however slowly.

    Faults: those of :func:`check_is_in`, CHAT_ADMIN_REQUIRED, CHAT_SEND_PLAIN_FORBIDDEN.
    """
    check_is_in(room)
    standing = room.standing
    if room.chat.is_broadcast:
        if not standing.has_right("post_messages"):
            raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
        return
    if not standing.is_free("send_messages"):
        raise RpcFault(403, "CHAT_WRITE_FORBIDDEN")
    if not standing.is_free("send_plain"):
        raise RpcFault(403, "CHAT_SEND_PLAIN_FORBIDDEN")


def _check_slow_mode(ctx: Context, room: Room, count: int) -> None:
    member, wait = room.standing.member, room.chat.slowmode_seconds
    if not wait or member is None or room.standing.is_admin:
        return
    if count > 1:
        raise RpcFault(400, "SLOWMODE_MULTI_MSGS_DISABLED")
    left = member.last_sent + wait - ctx.now
    if left > 0:
        raise RpcFault(420, f"SLOWMODE_WAIT_{left}")


def find_reply(ctx: Context, target: Target, reply_to: api.TypeInputReplyTo | None) -> Reply:
    """Return what an InputReplyTo refers to, and the topic where the reply goes.

    Faults: REPLY_MESSAGE_ID_INVALID, QUOTE_TEXT_INVALID, CHAT_FORWARDS_RESTRICTED,
    STORY_ID_INVALID, REPLY_TO_MONOFORUM_PEER_INVALID, POLL_OPTION_INVALID, REPLY_TO_INVALID,
    TOPIC_DELETED, TOPIC_CLOSED, and those of :func:`peers.resolve`.
    """
    if not isinstance(target, Room) or not target.chat.forum:
        return NO_REPLY if reply_to is None else _find_message(ctx, target, reply_to)
    return _find_in_forum(ctx, target, reply_to)


def _find_in_forum(ctx: Context, room: Room, reply_to: api.TypeInputReplyTo | None) -> Reply:
    named: int | None = None
    root: int | None = None
    if isinstance(reply_to, api.InputReplyToMessage):
        named = reply_to.top_msg_id or None
        if reply_to.reply_to_peer_id is None:
            root = reply_to.reply_to_msg_id
    # The message that opened a topic stands for the topic, even if it was deleted.
    if root is not None and root not in (named, GENERAL):
        root = root if topic_store.find_state(ctx.tx, room.chat.id, root) else None
    reply = NO_REPLY if reply_to is None or root else _find_message(ctx, room, reply_to)
    topic_id = named or root or (None if reply.row is None else reply.row.topic_id)
    topic_id = None if topic_id == GENERAL else topic_id
    _check_topic(ctx, room, topic_id)
    return reply._replace(topic_id=topic_id)


def _check_topic(ctx: Context, room: Room, topic_id: int | None) -> None:
    topic = topic_store.find_state(ctx.tx, room.chat.id, topic_id or GENERAL)
    if topic is None:
        if topic_id is None:
            return  # General is there from the start
        raise RpcFault(400, "TOPIC_DELETED")
    if topic.closed and not (
        topic.creator_id == room.user.id or room.standing.has_right("manage_topics")
    ):
        raise RpcFault(400, "TOPIC_CLOSED")


def _find_message(ctx: Context, target: Target, reply_to: api.TypeInputReplyTo) -> Reply:
    if isinstance(reply_to, api.InputReplyToStory):
        raise RpcFault(400, "STORY_ID_INVALID")
    if not isinstance(reply_to, api.InputReplyToMessage) or reply_to.monoforum_peer_id is not None:
        raise RpcFault(400, "REPLY_TO_MONOFORUM_PEER_INVALID")
    if reply_to.poll_option is not None:
        raise RpcFault(400, "POLL_OPTION_INVALID")
    if reply_to.todo_item_id is not None or reply_to.quote_rich is not None:
        raise RpcFault(400, "REPLY_TO_INVALID")
    source = target
    if reply_to.reply_to_peer_id is not None:
        source = peers.resolve(ctx, reply_to.reply_to_peer_id)
    row = message_store.find_message(ctx.tx, source.box_id, reply_to.reply_to_msg_id)
    if row is None or row.peer != source.peer or not is_visible(source, row.id):
        raise RpcFault(400, "REPLY_MESSAGE_ID_INVALID")
    header = api.MessageReplyHeader()
    if reply_to.quote_text:
        _add_quote(ctx, header, row, reply_to)
    if source.peer == target.peer:
        return Reply(row, render.encode(header) if header.quote else None)
    if row.noforwards or (isinstance(source, Room) and source.chat.noforwards):
        raise RpcFault(400, "CHAT_FORWARDS_RESTRICTED")
    header.reply_from = origin(row)
    if isinstance(source, Room) and source.chat.is_channel:
        header.reply_to_peer_id = render.peer(source.peer)
        header.reply_to_msg_id = row.id
    # Ids of a common box mean nothing to others, so of those only author and date are told.
    return Reply(None, render.encode(header))


def is_visible(target: Target, message_id: int) -> bool:
    """Tell whether hidden prehistory leaves a message of a chat visible to the caller."""
    return message_id >= target.first_id


def _add_quote(
    ctx: Context,
    header: api.MessageReplyHeader,
    row: MessageRow,
    reply_to: api.InputReplyToMessage,
) -> None:
    try:
        quote = text.prepare(
            reply_to.quote_text or "",
            reply_to.quote_entities,
            limit=MAX_QUOTE,
            user_of=user_of(ctx),
            automatic=False,
        )
    except RpcFault as fault:
        if fault.message in ("MESSAGE_EMPTY", "MESSAGE_TOO_LONG"):
            raise RpcFault(400, "QUOTE_TEXT_INVALID") from None
        raise
    places = text.occurrences(row.text, quote.text)
    if not places:
        raise RpcFault(400, "QUOTE_TEXT_INVALID")
    hint = reply_to.quote_offset or 0
    header.quote = True
    header.quote_text = quote.text
    header.quote_entities = quote.entities or None
    header.quote_offset = min(places, key=lambda place: abs(place - hint)) or None


def user_of(ctx: Context) -> text.UserOf:
    """Return a function from an InputUser of the caller to the id of that account."""
    return lambda user: peers.resolve_user(ctx, user).id


def origin(row: MessageRow) -> api.MessageFwdHeader:
    """Return the header of a first forward of a message."""
    if row.post and row.from_chat_id is not None:
        return api.MessageFwdHeader(
            from_id=api.PeerChannel(channel_id=row.from_chat_id),
            date=row.date,
            channel_post=row.id,
            post_author=row.post_author,
        )
    return api.MessageFwdHeader(from_id=render.author(row), date=row.date)


def signed(room: Room, content: Content, send_as: int | None = None) -> Content:
    """Return a message of the caller as it appears in a room: as a post, or anonymous.

    `send_as` is a chat in whose name it is sent, as :func:`sender_chat` has checked it.
    """
    chat = room.chat
    if chat.is_broadcast:
        if chat.signature_profiles and send_as is None:
            return content._replace(post=True)
        name = f"{room.user.first_name} {room.user.last_name}".strip()
        return content._replace(
            post=True,
            from_chat_id=chat.id,
            post_author=name if chat.signatures else None,
        )
    if send_as is not None and send_as != chat.id:
        return content._replace(from_chat_id=send_as)
    if room.standing.is_anonymous:
        rank = room.standing.member.rank if room.standing.member is not None else None
        return content._replace(from_chat_id=chat.id, post_author=rank)
    return content


def sender_chat(ctx: Context, target: Target, send_as: api.TypeInputPeer | None) -> int | None:
    """Return the chat in whose name the caller wants to write; None: whatever is usual there.

    That may be the supergroup itself for an anonymous admin, the broadcast channel itself, and
    in a supergroup a broadcast channel that the caller made. Fault: SEND_AS_PEER_INVALID.
    """
    if send_as is None:
        return None
    try:
        shown = peers.resolve(ctx, send_as)
    except RpcFault:
        raise RpcFault(400, "SEND_AS_PEER_INVALID") from None
    if isinstance(shown, Private):
        anonymous = isinstance(target, Room) and target.standing.is_anonymous
        if shown.is_self and not anonymous:
            return None
    elif isinstance(target, Room) and target.chat.is_channel:
        itself = shown.chat.id == target.chat.id
        if itself and (target.standing.is_anonymous or target.chat.is_broadcast):
            return shown.chat.id
        owned = shown.chat.is_broadcast and shown.standing.is_creator
        if owned and not itself and not target.chat.is_broadcast:
            return shown.chat.id
    raise RpcFault(400, "SEND_AS_PEER_INVALID")


def deliver(
    ctx: Context,
    changes: Changes,
    target: Target,
    drafts: Sequence[Draft],
    *,
    recipients: Sequence[int] | None = None,
) -> list[MessageRow]:
    """Put messages into the boxes where they belong and return the caller's copies.

    In a private chat somebody who has blocked the caller gets none (C2, contacts.block). In a
    basic group all members get one, or `recipients`, the caller being among them. Nothing is
    checked here. Fault: RANDOM_ID_DUPLICATE.
    """
    if isinstance(target, Private):
        return _to_private(ctx, changes, target, drafts)
    if target.chat.is_channel:
        return _to_channel(ctx, changes, target, drafts)
    if recipients is None:
        recipients = chat_store.member_ids(ctx.tx, target.chat.id)
    return _to_group(ctx, changes, target, drafts, recipients)


def _to_private(
    ctx: Context, changes: Changes, target: Private, drafts: Sequence[Draft]
) -> list[MessageRow]:
    me, other = target.me, target.other
    users = [me.user]
    if not target.is_self and not other.blocks:
        users.append(other.user)
    copies = _put(
        ctx,
        changes,
        drafts,
        users,
        lambda user: target.peer if user is me.user else target.mirror,
        known=[(side.user.id, side.dialog.peer) for side in (me, other) if side.dialog is not None],
        outgoing=not target.is_self,
    )
    business.tell_written(ctx, changes, [row for rows in copies.values() for row in rows])
    return copies[me.user.id]


def deliver_to_other(ctx: Context, changes: Changes, target: Private, draft: Draft) -> None:
    """Put a message into the other's box of a private chat and nowhere else."""
    other = target.other
    known = [(other.user.id, other.dialog.peer)] if other.dialog is not None else []
    _put(ctx, changes, [draft], [other.user], lambda _: target.mirror, known=known, outgoing=False)


def _to_group(
    ctx: Context,
    changes: Changes,
    room: Room,
    drafts: Sequence[Draft],
    recipients: Sequence[int],
) -> list[MessageRow]:
    rows = changes.people.rows([room.user.id, *recipients])
    others = [rows[number] for number in recipients if number != room.user.id]
    copies = _put(
        ctx,
        changes,
        drafts,
        [room.user, *others],
        lambda _user: room.peer,
        known=[(user_id, room.peer) for user_id in dialog_store.dialog_owners(ctx.tx, room.peer)],
        outgoing=True,
    )
    return copies[room.user.id]


def _put(
    ctx: Context,
    changes: Changes,
    drafts: Sequence[Draft],
    users: Sequence[UserRow],
    peer_of: Callable[[UserRow], Peer],
    *,
    known: Iterable[tuple[int, Peer]],
    outgoing: bool,
) -> dict[int, list[MessageRow]]:
    """Store messages and a copy of each in the common boxes of `users`, the caller first."""
    me = users[0]
    boxes = [changes.box(user) for user in users]
    my_ids = [boxes[0].take_id() for _ in drafts]
    _remember(ctx, drafts, my_ids)
    replied_to = {draft.reply.row.content_id for draft in drafts if draft.reply.row is not None}
    replies = {
        (copy.box_id, copy.content_id): copy.id
        for copy in (message_store.find_copies(ctx.tx, replied_to) if len(users) > 1 else ())
    }
    copies: dict[int, list[MessageRow]] = {user.id: [] for user in users}
    for draft, my_id in zip(drafts, my_ids, strict=True):
        replied = draft.reply.row
        content = draft.content._replace(reply=draft.reply.header)
        content_id = message_store.insert_content(ctx.tx, content)
        for user, box in zip(users, boxes, strict=True):
            reply_to_id = None
            if replied is not None:
                key = (user.id, replied.content_id)
                reply_to_id = replied.id if user is me else replies.get(key)
            copies[user.id].append(
                message_store.copy_of(
                    content,
                    content_id,
                    box_id=user.id,
                    message_id=my_id if user is me else box.take_id(),
                    peer=peer_of(user),
                    out=outgoing and user is me,
                    reply_to_id=reply_to_id,
                )
            )
    message_store.insert_copies(ctx.tx, [row for rows in copies.values() for row in rows])
    raised = [
        (user.id, peer_of(user), copies[user.id][-1].id, 0 if user is me else len(drafts))
        for user in users
    ]
    dialog_store.raise_dialogs(ctx.tx, raised, known)
    for user, box in zip(users, boxes, strict=True):
        for row, draft in zip(copies[user.id], drafts, strict=True):
            box.add_new(row, draft.random_id if user is me else None)
    return copies


def _to_channel(
    ctx: Context, changes: Changes, room: Room, drafts: Sequence[Draft]
) -> list[MessageRow]:
    box = changes.channel(room.chat)
    ids = [box.take_id() for _ in drafts]
    _remember(ctx, drafts, ids)
    rows = []
    for draft, message_id in zip(drafts, ids, strict=True):
        replied = draft.reply.row
        content = draft.content._replace(reply=draft.reply.header)
        if draft.reply.topic_id is not None:
            content = content._replace(topic_id=draft.reply.topic_id)
        rows.append(
            message_store.copy_of(
                content,
                message_store.insert_content(ctx.tx, content),
                box_id=box.box_id,
                message_id=message_id,
                peer=room.peer,
                out=False,  # each reader is told by whom it is (render.message)
                reply_to_id=None if replied is None else replied.id,
            )
        )
    message_store.insert_copies(ctx.tx, rows)
    for row, draft in zip(rows, drafts, strict=True):
        box.add_new(row, draft.random_id)
    spoke = any(row.action is None for row in rows)
    if spoke and room.chat.is_broadcast:
        for row in rows:
            action = api.ChannelAdminLogEventActionSendMessage(message=render.message(row, 0))
            admin_log.log(ctx, room.chat, action)
    if spoke and room.chat.slowmode_seconds and room.standing.member is not None:
        chat_store.save_member(ctx.tx, room.chat.id, room.user.id, last_sent=ctx.now)
    return rows


def _remember(ctx: Context, drafts: Sequence[Draft], ids: Sequence[int]) -> None:
    pairs = [
        (draft.random_id, message_id)
        for draft, message_id in zip(drafts, ids, strict=True)
        if draft.random_id is not None
    ]
    if not pairs:
        return
    if not message_store.insert_random_ids(ctx.tx, ctx.user_id, pairs):
        raise RpcFault(ctx.world.settings.random_id_duplicate_code, "RANDOM_ID_DUPLICATE")
