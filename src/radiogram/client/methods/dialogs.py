"""Layer 4, client: the list of chats, and what a name stands for.

Knows how the list is paged. Must not know peers or updates.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from radiogram import errors
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.chat import Chat
    from radiogram.client.objects.dialog import Dialog
    from radiogram.client.objects.user import User

PAGE = 100
"""Dialogs that are asked for at a time: the most that Telegram gives."""


async def iter_dialogs(
    client: TelegramClient, *, limit: int | None = None, folder: int | None = None
) -> AsyncIterator[Dialog]:
    """Read the list of chats, as an app shows it: pinned ones first, then by the last message.

    `folder` is 0 for the main list, 1 for the archive. Bots have no list: the server answers them
    with BotMethodInvalid.
    """
    from radiogram.client.objects.base import Company, marked_peer
    from radiogram.client.objects.dialog import Dialog
    from radiogram.client.objects.message import Message

    seen: set[int] = set()
    request = api.messages.GetDialogs(
        folder_id=folder,
        offset_date=0,
        offset_id=0,
        offset_peer=api.InputPeerEmpty(),
        limit=PAGE,
        hash=0,
    )
    while limit is None or len(seen) < limit:
        result = await client.invoke(request)
        if isinstance(result, api.messages.DialogsNotModified):
            return
        company = Company.of(result)
        tops = {
            (marked_peer(raw.peer_id), raw.id): Message(client, raw, company)
            for raw in result.messages
            if isinstance(raw, api.Message | api.MessageService)
        }
        last: Dialog | None = None
        fresh = False
        for raw in result.dialogs:
            if not isinstance(raw, api.Dialog):
                continue
            top = tops.get((marked_peer(raw.peer), raw.top_message))
            dialog = Dialog(client, raw, top, company)
            last = dialog if top is not None else last
            if dialog.id in seen:
                continue
            fresh = True
            seen.add(dialog.id)
            yield dialog
            if limit is not None and len(seen) >= limit:
                return
        if isinstance(result, api.messages.Dialogs) or not fresh or last is None:
            return
        assert last.message is not None
        request.offset_date = last.message.raw.date
        request.offset_id = last.message.id
        request.offset_peer = await client.input_peer(last.raw.peer)
        request.exclude_pinned = True


async def get_chat(client: TelegramClient, chat: api.PeerLike) -> Chat | User:
    """Fetch a group, a channel or a user by anything that names one. Raises PeerNotFound."""
    from radiogram.client.objects.results import peer_object

    peer: Any = await client.input_peer(chat)
    found: Any
    if isinstance(peer, api.InputPeerChannel | api.InputPeerChannelFromMessage):
        found = (await client.invoke(api.channels.GetChannels(id=[peer]))).chats
    elif isinstance(peer, api.InputPeerChat):
        found = (await client.invoke(api.messages.GetChats(id=[peer.chat_id]))).chats
    else:
        found = await client.invoke(api.users.GetUsers(id=[peer]))
    result = peer_object(client, found[0] if found else None)
    if result is None:
        raise errors.PeerNotFound(f"the server tells nothing about {chat!r}")
    return result
