"""Server layer: the short forms of a new message, which name nobody and list nobody (C0.3.7).

Knows when they can say everything that there is to say. Knows nothing of who gets them.
"""

from __future__ import annotations

from typing import Any

from radiogram.server.mentions import Mentions
from radiogram.server.updates import Box
from radiogram.tl import api


def short_message(box: Box) -> api.TypeUpdates | None:
    """Return the short form of the only new message of a box, if it can say everything."""
    if len(box.updates) != 1:
        return None
    (update,) = box.updates
    if not isinstance(update, api.UpdateNewMessage):
        return None
    message = update.message
    if not isinstance(message, api.Message) or isinstance(message.peer_id, api.PeerChannel):
        return None
    if message.noforwards or message.reply_markup is not None:
        return None
    said, peer, author = Mentions(message), message.peer_id, message.from_id
    if isinstance(peer, api.PeerUser):
        if said.chats or said.users - {box.box_id, peer.user_id}:
            return None
        return api.UpdateShortMessage(user_id=peer.user_id, **_said(update, message))
    if not isinstance(author, api.PeerUser) or said.users - {box.box_id, author.user_id}:
        return None
    if said.chats - {peer.chat_id}:
        return None
    return api.UpdateShortChatMessage(
        from_id=author.user_id, chat_id=peer.chat_id, **_said(update, message)
    )


def _said(update: api.UpdateNewMessage, message: api.Message) -> dict[str, Any]:
    return {
        "out": message.out,
        "silent": message.silent,
        "id": message.id,
        "message": message.message,
        "pts": update.pts,
        "pts_count": update.pts_count,
        "date": message.date,
        "fwd_from": message.fwd_from,
        "reply_to": message.reply_to,
        "entities": message.entities,
    }
