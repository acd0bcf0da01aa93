"""Layer 4, client: what an update says about the line it belongs to.

Knows the shapes of updates and messages, and no state.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s
from typing import Any

import msgspec

from radiogram.tl import api


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where an update belongs."""

    channel_id: int | None
    """The channel whose line counts it; None for the account's."""
    pts: int
    """Where the line stands after it."""
    moves: int
    """By how much it moves the line."""


_CHANNEL_MESSAGES = ("updateNewChannelMessage", "updateEditChannelMessage")


def place_of(update: Any) -> Place | None:
    """Return where an update belongs; None if it is counted by no pts."""
    pts = getattr(update, "pts", None)
    if pts is None:
        return None
    moves = getattr(update, "pts_count", 0)
    if update.TL_NAME in _CHANNEL_MESSAGES:
        peer = getattr(update.message, "peer_id", None)
        channel_id = getattr(peer, "channel_id", None)
        return None if channel_id is None else Place(channel_id, pts, moves)
    channel_id = getattr(update, "channel_id", None)
    if channel_id is not None:
        return Place(channel_id, pts, moves)
    return Place(None, pts, moves) if hasattr(update, "pts_count") else None


def key_of(update: Any) -> str:
    """Name what happened, alike whether it was pushed or fetched by difference."""
    name = update.TL_NAME.removeprefix("update")
    place = place_of(update)
    line = "" if place is None or place.channel_id is None else f"{place.channel_id}:"
    if update.TL_NAME in _NEW_MESSAGES:
        return f"{line}{name}:{getattr(update.message, 'id', 0)}"
    if isinstance(update, api.UpdateNewEncryptedMessage):
        return f"{name}:{update.message.chat_id}:{update.message.random_id}"
    if place is not None:
        return f"{line}{name}:{place.pts}{_part(update)}"
    qts = getattr(update, "qts", None)
    return f"{name}:{qts}" if qts else f"{name}:{_digest(update)}"


_NEW_MESSAGES = ("updateNewMessage", "updateNewChannelMessage")


def _part(update: Any) -> str:
    """Tell apart what moves no line, and so shares its pts with others of its kind."""
    if isinstance(update, api.UpdateReadChannelInbox):
        return f":{update.max_id}"
    if isinstance(update, api.UpdateWebPage | api.UpdateChannelWebPage):
        return f":{getattr(update.webpage, 'id', 0)}"
    return ""


def _digest(update: Any) -> str:
    """Name an update that nothing counts by what it says."""
    return blake2s(repr(update).encode(errors="surrogatepass"), digest_size=8).hexdigest()


def order(update: Any) -> tuple[int, int, int]:
    """Sort what no pts counts first, then the account's line, then qts, then each channel's."""
    place = place_of(update)
    if place is None:
        qts = getattr(update, "qts", None)
        return (2, 0, qts) if qts else (0, 0, 0)
    if place.channel_id is None:
        return (1, 0, place.pts - place.moves)
    return (3, place.channel_id, place.pts - place.moves)


def referenced(message: Any, self_id: int) -> list[int]:
    """Return the users whom a message names: partner, sender, origin, bot, mentions."""
    found = [
        getattr(message.peer_id, "user_id", None),
        getattr(message.from_id, "user_id", None),
    ]
    return _others(found + _named_in(message), self_id)


def _named_in(message: Any) -> list[int | None]:
    found: list[int | None] = []
    if message.fwd_from is not None:
        found += [
            getattr(message.fwd_from.from_id, "user_id", None),
            getattr(message.fwd_from.saved_from_peer, "user_id", None),
        ]
    found.append(message.via_bot_id)
    found += [
        entity.user_id
        for entity in message.entities or ()
        if isinstance(entity, api.MessageEntityMentionName)
    ]
    return found


def _others(ids: Iterable[int | None], self_id: int) -> list[int]:
    return [number for number in dict.fromkeys(ids) if number and number != self_id]


def short_ids(update: Any, self_id: int) -> list[int]:
    """Return the users whom a short form names."""
    first = update.user_id if isinstance(update, api.UpdateShortMessage) else update.from_id
    return _others([first, *_named_in(update)], self_id)


def sent_message(
    request: Any, result: api.UpdateShortSentMessage, self_id: int
) -> api.UpdateNewMessage | None:
    """Return the message that a call has sent, of which the result tells only id and date.

    None if the call was none that is known.
    """
    if not isinstance(request, api.messages.SendMessage):
        return None
    peer: api.TypePeer
    match request.peer:
        case api.InputPeerUser() | api.InputPeerUserFromMessage():
            peer = api.PeerUser(user_id=request.peer.user_id)
        case api.InputPeerChat():
            peer = api.PeerChat(chat_id=request.peer.chat_id)
        case api.InputPeerSelf():
            peer = api.PeerUser(user_id=self_id)
        case _:
            return None
    reply_to = None
    if isinstance(request.reply_to, api.InputReplyToMessage):
        reply_to = api.MessageReplyHeader(reply_to_msg_id=request.reply_to.reply_to_msg_id)
    message = api.Message(
        id=result.id,
        out=result.out,
        silent=request.silent,
        from_id=api.PeerUser(user_id=self_id),
        peer_id=peer,
        reply_to=reply_to,
        date=result.date,
        message=request.message,
        media=result.media,
        entities=result.entities,
        ttl_period=result.ttl_period,
    )
    return api.UpdateNewMessage(message=message, pts=result.pts, pts_count=result.pts_count)


def expand(update: Any, self_id: int) -> api.UpdateNewMessage:
    """Return the long form of a short one (C0.3.7)."""
    peer: api.TypePeer
    if isinstance(update, api.UpdateShortMessage):
        peer = api.PeerUser(user_id=update.user_id)
        sender = self_id if update.out else update.user_id
    else:
        peer = api.PeerChat(chat_id=update.chat_id)
        sender = update.from_id
    message = api.Message(
        id=update.id,
        out=update.out,
        mentioned=update.mentioned,
        media_unread=update.media_unread,
        silent=update.silent,
        from_id=api.PeerUser(user_id=sender),
        peer_id=peer,
        fwd_from=update.fwd_from,
        via_bot_id=update.via_bot_id,
        reply_to=update.reply_to,
        date=update.date,
        message=update.message,
        entities=update.entities,
        ttl_period=update.ttl_period,
    )
    return api.UpdateNewMessage(message=message, pts=update.pts, pts_count=update.pts_count)
