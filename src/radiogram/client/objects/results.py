"""Layer 4, client: friendly objects out of results.

Knows where results and updates hold messages, chats and users. Must not know requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from radiogram import errors
from radiogram.client.ids import unmark
from radiogram.client.objects.base import Company
from radiogram.client.objects.chat import Chat
from radiogram.client.objects.message import Message
from radiogram.client.objects.user import User
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient

_NEW = (
    api.UpdateNewMessage,
    api.UpdateNewChannelMessage,
    api.UpdateNewScheduledMessage,
    api.UpdateEditMessage,
    api.UpdateEditChannelMessage,
)


def peer_object(client: TelegramClient, raw: Any) -> Chat | User | None:
    """Make the friendly object of a raw user or chat; None for None."""
    if raw is None:
        return None
    return User(client, raw) if isinstance(raw, api.TypeUser) else Chat(client, raw)


def known_peer(client: TelegramClient, raw: Any, marked_id: int) -> Chat | User:
    """Make the friendly object; one that knows no more than the id if the server left it out."""
    found = peer_object(client, raw)
    if found is not None:
        return found
    peer = unmark(marked_id)
    assert peer is not None
    if peer.kind == "user":
        return User(client, api.UserEmpty(id=peer.id))
    if peer.kind == "chat":
        return Chat(client, api.ChatEmpty(id=peer.id))
    photo = api.ChatPhotoEmpty()
    return Chat(client, api.Channel(id=peer.id, min=True, title="", photo=photo, date=0))


def list_messages(client: TelegramClient, result: Any) -> list[Message]:
    """Make the messages of a messages.Messages; those that are gone are left out."""
    company = Company.of(result)
    return [
        Message(client, raw, company)
        for raw in getattr(result, "messages", ())
        if isinstance(raw, api.Message | api.MessageService)
    ]


def in_updates(client: TelegramClient, updates: Any) -> Iterator[Message]:
    """Make the messages, new and edited, that a method which returns Updates tells about."""
    company = Company.of(updates)
    found = getattr(updates, "updates", None)
    if found is None:
        found = [getattr(updates, "update", None)]
    for update in found:
        if isinstance(update, _NEW) and isinstance(
            update.message, api.Message | api.MessageService
        ):
            yield Message(client, update.message, company)


def sent(client: TelegramClient, updates: Any) -> list[Message]:
    """Make the messages that a call has sent, in the order in which they were asked for."""
    ids = [
        update.id
        for update in getattr(updates, "updates", ())
        if isinstance(update, api.UpdateMessageID)
    ]
    found = {message.id: message for message in in_updates(client, updates)}
    return [found[number] for number in sorted(ids) if number in found]


def service_message(client: TelegramClient, updates: Any, *actions: type) -> Message | None:
    """Find the service message about what a call has done; None if it made none (B7.4)."""
    for message in in_updates(client, updates):
        if isinstance(message.raw, api.MessageService) and isinstance(message.raw.action, actions):
            return message
    return None


def only_chat(client: TelegramClient, updates: Any, marked_id: int | None = None) -> Chat:
    """Find the group or channel that a call was about; by default the only one it tells of.

    Raises ClientError if it is not there.
    """
    for known, raw in Company.of(updates).peers.items():
        if known < 0 and marked_id in {None, known}:
            return Chat(client, raw)
    raise errors.ClientError(
        f"the server answered with {getattr(updates, 'TL_NAME', updates)!r}, which tells of no chat"
    )
