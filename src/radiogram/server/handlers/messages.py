"""Server layer: the methods that write messages (C3)."""

from __future__ import annotations

from functools import partial
from typing import cast

from radiogram.server import (
    admin_log,
    business,
    deletion,
    delivery,
    dialog_store,
    markup,
    message_store,
    peers,
    reading,
    render,
    text,
    user_store,
)
from radiogram.server.botfather import BOTFATHER_ID
from radiogram.server.delivery import Draft
from radiogram.server.peers import Private, Room, Target
from radiogram.server.rows import Content, MessageRow
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.short import short_message
from radiogram.server.updates import Changes
from radiogram.tl import api

SCHEDULE_AT_ONCE = 10
"""A date no more than these seconds ahead means now."""
SCHEDULE_YEAR = 365 * 86400
WHEN_ONLINE = 0x7FFFFFFE

MAX_DELETED_IDS = 1000
"""Ids in one messages.deleteMessages; Telegram's own clients send 100."""


# ------------------------------------------------------------------ sending


@handles(api.messages.SendMessage)
def send_message(ctx: Context, request: api.messages.SendMessage) -> api.TypeUpdates:
    """Send a text."""
    target = peers.resolve(ctx, request.peer)
    _check_options(ctx, request)
    if request.random_id == 0:
        raise RpcFault(400, "RANDOM_ID_EMPTY")
    delivery.check_may_write(ctx, target)
    send_as = delivery.sender_chat(ctx, target, request.send_as)
    if request.rich_message is not None:
        raise RpcFault(400, "RICH_MESSAGE_UNSUPPORTED")
    formatted = _prepare(ctx, request.message, request.entities)
    reply = delivery.find_reply(ctx, target, request.reply_to)
    keyboard = _keyboard(ctx, request.reply_markup)
    content = Content(
        sender_id=ctx.user_id,
        date=ctx.now,
        text=formatted.text,
        entities=render.encode_entities(formatted.entities),
        silent=request.silent,
        noforwards=request.noforwards,
        reply_markup=keyboard,
    )
    if isinstance(target, Room):
        content = delivery.signed(target, content, send_as)
    changes = Changes(ctx, target.people)
    (row,) = delivery.deliver(ctx, changes, target, [Draft(content, reply, request.random_id)])
    _finish(ctx, changes, target, row)
    if isinstance(target, Private) and target.peer.id == BOTFATHER_ID != ctx.user_id:
        ctx.after_commit(partial(ctx.world.botfather.hear, ctx.user_id, formatted.text))
    # The short form says nothing of what the caller sent, so it must have been kept as it was.
    plain = request.reply_to is None and keyboard is None and not request.noforwards
    plain = plain and not (isinstance(target, Room) and target.chat.is_channel)
    if plain and formatted.text == request.message and ctx.world.settings.short_updates != "never":
        return api.UpdateShortSentMessage(
            out=row.out,
            id=row.id,
            pts=changes.box(target.user).pts,
            pts_count=1,
            date=row.date,
            entities=formatted.entities or None,
        )
    return changes.result(target.user, [(row.id, request.random_id)])


@handles(api.messages.ForwardMessages)
def forward_messages(ctx: Context, request: api.messages.ForwardMessages) -> api.TypeUpdates:
    """Send copies of messages that the caller has."""
    source = peers.resolve(ctx, request.from_peer)
    target = peers.resolve(ctx, request.to_peer)
    _check_options(ctx, request)
    if not request.id:
        raise RpcFault(400, "MESSAGE_IDS_EMPTY")
    if len(request.id) > ctx.world.settings.forwarded_count_max:
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    if len(request.id) != len(request.random_id) or 0 in request.random_id:
        raise RpcFault(400, "RANDOM_ID_INVALID")
    delivery.check_may_write(ctx, target, count=len(request.id))
    send_as = delivery.sender_chat(ctx, target, request.send_as)
    if isinstance(source, Room) and source.chat.noforwards:
        raise RpcFault(400, "CHAT_FORWARDS_RESTRICTED")
    rows = message_store.find_messages(ctx.tx, source.box_id, set(request.id))
    reply_to = request.reply_to
    if reply_to is None and request.top_msg_id:
        topic = request.top_msg_id
        reply_to = api.InputReplyToMessage(reply_to_msg_id=topic, top_msg_id=topic)
    reply = delivery.find_reply(ctx, target, reply_to)
    drafts = []
    posts = set()
    for message_id, random_id in zip(request.id, request.random_id, strict=True):
        row = rows.get(message_id)
        if row is None or row.peer != source.peer or not delivery.is_visible(source, row.id):
            continue  # deleted meanwhile: the others are forwarded all the same
        if row.action is not None:
            raise RpcFault(400, "MESSAGE_ID_INVALID")
        if row.noforwards:
            raise RpcFault(400, "CHAT_FORWARDS_RESTRICTED")
        header = None if request.drop_author else _forward_header(row, target)
        content = Content(
            sender_id=ctx.user_id,
            date=ctx.now,
            text=row.text,
            entities=row.entities,
            silent=request.silent,
            noforwards=request.noforwards,
            fwd_from=None if header is None else render.encode(header),
        )
        if isinstance(target, Room):
            content = delivery.signed(target, content, send_as)
        drafts.append(Draft(content, reply, random_id))
        if row.post:
            posts.add(row.content_id)
    if not drafts:
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    message_store.add_forwards(ctx.tx, posts)
    changes = Changes(ctx, target.people)
    sent = delivery.deliver(ctx, changes, target, drafts)
    _finish(ctx, changes, target, sent[-1])
    return changes.result(
        target.user,
        [
            (row.id, draft.random_id)
            for row, draft in zip(sent, drafts, strict=True)
            if draft.random_id is not None
        ],
    )


def _forward_header(row: MessageRow, target: Target) -> api.MessageFwdHeader:
    if row.fwd_from is None:
        header = delivery.origin(row)
    else:
        first = cast(api.MessageFwdHeader, render.decode(row.fwd_from))
        header = api.MessageFwdHeader(
            from_id=first.from_id,
            from_name=first.from_name,
            date=first.date,
            channel_post=first.channel_post,
            post_author=first.post_author,
        )
    if isinstance(target, Private) and target.is_self:
        header.saved_from_peer = render.peer(row.peer)
        header.saved_from_msg_id = row.id
        header.saved_out = row.out
        if row.fwd_from is not None:  # it was not written by whom it was taken from
            header.saved_from_id = delivery.origin(row).from_id
            header.saved_date = row.date
    return header


# ------------------------------------------------------------------ editing


@handles(api.messages.EditMessage)
def edit_message(ctx: Context, request: api.messages.EditMessage) -> api.TypeUpdates:
    """Change the text or the keyboard of a message that the caller wrote."""
    target = peers.resolve(ctx, request.peer)
    if isinstance(target, Room):
        _check_may_edit_in(target)
    elif target.other.user.deleted:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    row = message_store.find_message(ctx.tx, target.box_id, request.id)
    if row is None or row.peer != target.peer or not delivery.is_visible(target, row.id):
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    if row.action is not None or request.quick_reply_shortcut_id is not None:
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    may_edit = row.sender_id == ctx.user_id or (
        isinstance(target, Room) and row.post and target.standing.has_right("edit_messages")
    )
    if not may_edit or row.fwd_from is not None:
        raise RpcFault(403, "MESSAGE_AUTHOR_REQUIRED")
    age = ctx.now - row.date
    if age > ctx.world.settings.edit_time_limit and not _edits_for_ever(ctx, target):
        raise RpcFault(400, "MESSAGE_EDIT_TIME_EXPIRED")
    if request.schedule_date is not None:
        raise RpcFault(400, "SCHEDULE_DATE_INVALID")
    if request.rich_message is not None:
        raise RpcFault(400, "RICH_MESSAGE_UNSUPPORTED")
    if request.media is not None:
        raise RpcFault(400, "MEDIA_PREV_INVALID")  # a text does not become anything else

    written, entities = row.text, row.entities
    if request.message is not None:
        formatted = _prepare(ctx, request.message, request.entities)
        written, entities = formatted.text, render.encode_entities(formatted.entities)
    keyboard = row.reply_markup
    if ctx.is_bot and (request.message is not None or request.reply_markup is not None):
        keyboard = _keyboard(ctx, request.reply_markup)
    if (written, entities, keyboard) == (row.text, row.entities, row.reply_markup):
        raise RpcFault(400, "MESSAGE_NOT_MODIFIED")

    # A new keyboard alone does not make a message "edited".
    same_text = (written, entities) == (row.text, row.entities)
    hide = same_text and (row.edit_date is None or row.edit_hide)
    if isinstance(target, Room) and target.chat.is_group:
        deletion.leave_behind(ctx, row)
    message_store.edit_content(
        ctx.tx,
        row.content_id,
        text=written,
        entities=entities,
        reply_markup=keyboard,
        edit_date=ctx.now,
        edit_hide=hide,
    )
    changes = Changes(ctx, target.people)
    if isinstance(target, Room) and target.chat.is_channel:
        edited = message_store.find_message(ctx.tx, target.box_id, row.id)
        assert edited is not None
        action = api.ChannelAdminLogEventActionEditMessage(
            prev_message=render.message(row, 0), new_message=render.message(edited, 0)
        )
        admin_log.log(ctx, target.chat, action)
        changes.channel(target.chat).add_edit(edited)
    else:
        copies = message_store.find_copies(ctx.tx, [row.content_id])
        owners = changes.people.rows({copy.box_id for copy in copies})
        for copy in copies:
            changes.box(owners[copy.box_id]).add_edit(copy)
        business.tell_written(ctx, changes, copies, edited=True)
    changes.finish()
    return changes.result(target.user)


def _check_may_edit_in(room: Room) -> None:
    """Refuse to edit anything where the caller must not write any more."""
    delivery.check_is_in(room)
    standing = room.standing
    if room.chat.is_broadcast:
        if not (standing.has_right("post_messages") or standing.has_right("edit_messages")):
            raise RpcFault(400, "CHAT_ADMIN_REQUIRED")
    elif not standing.is_free("send_messages"):
        raise RpcFault(403, "CHAT_WRITE_FORBIDDEN")


def _edits_for_ever(ctx: Context, target: Target) -> bool:
    if ctx.is_bot:
        return True
    if isinstance(target, Private):
        return target.is_self
    # Posts too, and a supergroup's messages by whoever may pin them (C3, messages.editMessage).
    right = "edit_messages" if target.chat.is_broadcast else "pin_messages"
    return target.chat.is_channel and target.standing.has_right(right)


# ------------------------------------------------------------------ deleting


@handles(api.messages.DeleteMessages)
def delete_messages(
    ctx: Context, request: api.messages.DeleteMessages
) -> api.messages.AffectedMessages:
    """Delete copies from the caller's box and, with `revoke`, from everybody's."""
    if len(request.id) > MAX_DELETED_IDS:
        raise RpcFault(400, "MESSAGE_ID_INVALID")
    rows = list(message_store.find_messages(ctx.tx, ctx.user_id, set(request.id)).values())
    if request.revoke:
        deletion.check_may_revoke(ctx, rows)
    changes = Changes(ctx, render.People(ctx.tx, ctx.now))
    mine = deletion.delete_copies(ctx, changes, rows, revoke=request.revoke)
    changes.finish()
    user = user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id]
    return api.messages.AffectedMessages(pts=user.pts, pts_count=mine)


# ------------------------------------------------------------------ typing


@handles(api.messages.SetTyping)
def set_typing(ctx: Context, request: api.messages.SetTyping) -> bool:
    """Tell the other side what the caller is doing; nothing is stored (C0.3.9)."""
    target = peers.resolve(ctx, request.peer)
    if isinstance(target, Room):
        return _type_in_room(ctx, target, request)
    if target.is_self:
        return True
    me, other = target.me, target.other
    if other.user.deleted:
        raise RpcFault(400, "INPUT_USER_DEACTIVATED")
    if me.user.is_bot and other.user.is_bot:
        raise RpcFault(400, "USER_IS_BOT")
    if me.user.is_bot and other.blocks:
        raise RpcFault(403, "USER_IS_BLOCKED")
    action = request.action
    if isinstance(action, api.InputSendMessageRichMessageDraftAction):
        raise RpcFault(400, "TEXTDRAFT_PEER_INVALID")
    if isinstance(action, api.SendMessageTextDraftAction):
        if not me.user.is_bot:
            raise RpcFault(400, "TEXTDRAFT_PEER_INVALID")
        if len(action.text.text) > ctx.world.settings.message_length_max:
            raise RpcFault(400, "MESSAGE_TOO_LONG")
    if not (me.blocks or other.blocks or other.user.is_bot):
        update = api.UpdateUserTyping(user_id=ctx.user_id, action=action)
        ctx.push(other.user.id, api.UpdateShort(update=update, date=ctx.now))
    return True


def _type_in_room(ctx: Context, room: Room, request: api.messages.SetTyping) -> bool:
    if isinstance(
        request.action,
        api.SendMessageTextDraftAction | api.InputSendMessageRichMessageDraftAction,
    ):
        raise RpcFault(400, "TEXTDRAFT_PEER_INVALID")
    delivery.check_is_free(room)
    if room.chat.is_broadcast:
        return True
    who: api.TypePeer = api.PeerUser(user_id=ctx.user_id)
    if room.standing.is_anonymous:
        who = render.peer(room.peer)
    changes = Changes(ctx, room.people)
    update: api.TypeUpdate
    if room.chat.is_group:
        update = api.UpdateChatUserTyping(chat_id=room.chat.id, from_id=who, action=request.action)
    else:
        update = api.UpdateChannelUserTyping(
            channel_id=room.chat.id,
            from_id=who,
            action=request.action,
            top_msg_id=request.top_msg_id,
        )
    listeners = [number for number in changes.audience(room.chat) if number != ctx.user_id]
    bots = {number for number, row in changes.people.rows(listeners).items() if row.is_bot}
    changes.tell([number for number in listeners if number not in bots], update)
    changes.finish()
    return True


# ------------------------------------------------------------------ shared parts


def _check_options(
    ctx: Context, request: api.messages.SendMessage | api.messages.ForwardMessages
) -> None:
    """Refuse what this server does not have."""
    when = request.schedule_date
    if when is not None and when > ctx.now + SCHEDULE_AT_ONCE:
        if ctx.is_bot:
            raise RpcFault(400, "SCHEDULE_BOT_NOT_ALLOWED")
        if when == WHEN_ONLINE:
            raise RpcFault(400, "SCHEDULE_STATUS_PRIVATE")
        if when > ctx.now + SCHEDULE_YEAR:
            raise RpcFault(400, "SCHEDULE_DATE_TOO_LATE")
        raise RpcFault(400, "SCHEDULE_TOO_MUCH")  # no message is kept for later here
    if request.quick_reply_shortcut is not None:
        bot = "QUICK_REPLIES_BOT_NOT_ALLOWED"
        raise RpcFault(400, bot if ctx.is_bot else "QUICK_REPLIES_TOO_MUCH")
    if request.effect is not None:
        raise RpcFault(400, "EFFECT_ID_INVALID")
    if request.suggested_post is not None:
        raise RpcFault(400, "SUGGESTED_POST_PEER_INVALID")


def _prepare(
    ctx: Context, message: str, entities: list[api.TypeMessageEntity] | None
) -> text.Formatted:
    return text.prepare(
        message,
        entities,
        limit=ctx.world.settings.message_length_max,
        user_of=delivery.user_of(ctx),
    )


def _keyboard(ctx: Context, given: api.TypeReplyMarkup | None) -> bytes | None:
    """Return a keyboard for its column; users have none to attach, so theirs is left out."""
    if given is None or not ctx.is_bot:
        return None
    shown = markup.prepare(given, delivery.user_of(ctx))
    return None if shown is None else render.encode(shown)


def _finish(ctx: Context, changes: Changes, target: Target, last: MessageRow) -> None:
    """Write and push new messages, in the short form where the settings want it.

    Who writes in a channel has read it (B7.2).
    """
    if isinstance(target, Room) and target.chat.is_channel:
        reading.read_channel(ctx, changes, target, last.id)
    if ctx.world.settings.short_updates != "always":
        changes.finish()
        return
    knows: set[int]
    if isinstance(target, Private):
        sides = () if target.is_self else (target.me, target.other)
        knows = {side.user.id for side in sides if side.dialog is not None}
    else:
        knows = set(dialog_store.dialog_owners(ctx.tx, target.peer))
    changes.finish(lambda box: short_message(box) if box.box_id in knows else None)
