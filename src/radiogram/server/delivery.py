"""Server layer: putting messages into the boxes of a private chat.

Knows who may write to whom (C3), what a reply refers to, and that each side gets its own copy
with its own id (B1.1). Knows nothing of the methods that lead here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from radiogram.server import peers, render, store, text
from radiogram.server.peers import Target
from radiogram.server.rpc import RpcFault
from radiogram.server.store import Content, MessageRow
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


NO_REPLY = Reply()


class Draft(NamedTuple):
    """A message that is ready to be put into boxes."""

    content: Content
    reply: Reply = NO_REPLY
    random_id: int | None = None


def check_may_write(ctx: Context, target: Target) -> None:
    """Refuse to write where the caller must not.

    Faults: INPUT_USER_DEACTIVATED, USER_IS_BOT, YOU_BLOCKED_USER, USER_IS_BLOCKED (bots),
    PEER_ID_INVALID (bots, unless ``settings.bots_write_first``).
    """
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


def find_reply(ctx: Context, target: Target, reply_to: api.TypeInputReplyTo | None) -> Reply:
    """Return what an InputReplyTo refers to.

    Faults: REPLY_MESSAGE_ID_INVALID, QUOTE_TEXT_INVALID, CHAT_FORWARDS_RESTRICTED,
    STORY_ID_INVALID, REPLY_TO_MONOFORUM_PEER_INVALID, POLL_OPTION_INVALID, REPLY_TO_INVALID, and
    those of :func:`peers.resolve`.
    """
    if reply_to is None:
        return NO_REPLY
    if isinstance(reply_to, api.InputReplyToStory):
        raise RpcFault(400, "STORY_ID_INVALID")
    if not isinstance(reply_to, api.InputReplyToMessage) or reply_to.monoforum_peer_id is not None:
        raise RpcFault(400, "REPLY_TO_MONOFORUM_PEER_INVALID")
    if reply_to.poll_option is not None:
        raise RpcFault(400, "POLL_OPTION_INVALID")
    if reply_to.todo_item_id is not None or reply_to.quote_rich is not None:
        raise RpcFault(400, "REPLY_TO_INVALID")
    chat = target.peer
    if reply_to.reply_to_peer_id is not None:
        chat = peers.resolve(ctx, reply_to.reply_to_peer_id).peer
    row = store.find_message(ctx.tx, ctx.user_id, reply_to.reply_to_msg_id)
    if row is None or row.peer != chat:
        raise RpcFault(400, "REPLY_MESSAGE_ID_INVALID")
    header = api.MessageReplyHeader()
    if reply_to.quote_text:
        _add_quote(ctx, header, row, reply_to)
    if chat == target.peer:
        return Reply(row, render.encode(header) if header.quote else None)
    # Ids of another private chat mean nothing to whoever reads this one, so only the author
    # and the date are told.
    if row.noforwards:
        raise RpcFault(400, "CHAT_FORWARDS_RESTRICTED")
    header.reply_from = origin(row)
    return Reply(None, render.encode(header))


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
    return api.MessageFwdHeader(from_id=api.PeerUser(user_id=row.sender_id), date=row.date)


def deliver(
    ctx: Context, changes: Changes, target: Target, drafts: Sequence[Draft]
) -> list[MessageRow]:
    """Put messages into the boxes of both sides and return the caller's copies.

    Somebody who has blocked the caller gets none (C2, contacts.block). Nothing is checked here.
    Fault: RANDOM_ID_DUPLICATE.
    """
    me, other = target.me, target.other
    my_box = changes.box(me.user)
    reaches = not target.is_self and not other.blocks
    their_box = changes.box(other.user) if reaches else None
    my_ids = [my_box.take_id() for _ in drafts]
    _remember(ctx, drafts, my_ids)
    their_replies: dict[int, int] = {}
    if reaches:
        wanted = {draft.reply.row.content_id for draft in drafts if draft.reply.row is not None}
        their_replies = {
            copy.content_id: copy.id
            for copy in store.find_copies(ctx.tx, wanted)
            if copy.user_id == other.user.id
        }

    mine: list[MessageRow] = []
    theirs: list[MessageRow] = []
    for draft, my_id in zip(drafts, my_ids, strict=True):
        replied = draft.reply.row
        content = draft.content._replace(reply=draft.reply.header)
        content_id = store.insert_content(ctx.tx, content)
        mine.append(
            store.copy_of(
                content,
                content_id,
                user_id=me.user.id,
                message_id=my_id,
                peer=target.peer,
                out=not target.is_self,
                reply_to_id=None if replied is None else replied.id,
            )
        )
        if their_box is not None:
            theirs.append(
                store.copy_of(
                    content,
                    content_id,
                    user_id=other.user.id,
                    message_id=their_box.take_id(),
                    peer=target.mirror,
                    out=False,
                    reply_to_id=None if replied is None else their_replies.get(replied.content_id),
                )
            )
    store.insert_copies(ctx.tx, mine + theirs)

    raised = [(me.user.id, target.peer, mine[-1].id, 0)]
    if theirs:
        raised.append((other.user.id, target.mirror, theirs[-1].id, len(theirs)))
    known = [(side.user.id, side.dialog.peer) for side in (me, other) if side.dialog is not None]
    store.raise_dialogs(ctx.tx, raised, known)
    for row, draft in zip(mine, drafts, strict=True):
        my_box.add_new(row, draft.random_id)
    if their_box is not None:
        for row in theirs:
            their_box.add_new(row)
    return mine


def _remember(ctx: Context, drafts: Sequence[Draft], ids: Sequence[int]) -> None:
    pairs = [
        (draft.random_id, message_id)
        for draft, message_id in zip(drafts, ids, strict=True)
        if draft.random_id is not None
    ]
    if not pairs:
        return
    if not store.insert_random_ids(ctx.tx, ctx.user_id, pairs):
        raise RpcFault(ctx.world.settings.random_id_duplicate_code, "RANDOM_ID_DUPLICATE")
