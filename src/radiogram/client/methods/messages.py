"""Layer 4, client: messages: sending, changing, finding, pinning.

Knows which method of the API is right for which kind of chat. Must not know peers or updates.

Wherever a chat is wanted, anything that names a peer will do, friendly objects too; wherever a
message is wanted, an id, a raw message or a friendly one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, overload

from radiogram import errors
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.message import Message, MessageLike

PAGE = 100
"""Messages that are asked for at a time: the most that Telegram gives."""


# ── sending and changing ─────────────────────────────────────────────────────────────────────────


async def send_message(
    client: TelegramClient,
    chat: api.PeerLike,
    text: str,
    *,
    reply_to: MessageLike | api.TypeInputReplyTo | None = None,
    topic: int | None = None,
    silent: bool = False,
    entities: Sequence[api.TypeMessageEntity] | None = None,
    buttons: api.TypeReplyMarkup | None = None,
    link_preview: bool = True,
    protect: bool = False,
    schedule: datetime | int | None = None,
    send_as: api.PeerLike | None = None,
) -> Message:
    """Write into a chat; gives the message that is there then.

    `topic` is the id of a forum's topic; `silent` makes no sound; `protect` forbids forwarding;
    `schedule` is when to send it (a datetime, or seconds since 1970); `send_as` is the channel in
    whose name it is sent. Raises the RpcError with which the server refuses.
    """
    from radiogram.client.objects.base import seconds_of
    from radiogram.client.objects.message import Message
    from radiogram.client.objects.results import sent

    peer = await client.input_peer(chat)
    reply = await _reply_to(client, peer, reply_to, topic)
    result = await client.invoke(
        api.messages.SendMessage(
            peer=peer,
            message=text,
            reply_to=reply,
            silent=silent,
            entities=None if entities is None else list(entities),
            reply_markup=buttons,
            no_webpage=not link_preview,
            noforwards=protect,
            schedule_date=seconds_of(schedule),
            send_as=send_as,
        )
    )
    if isinstance(result, api.UpdateShortSentMessage):
        return Message(client, await _expanded(client, peer, text, reply, result))
    for message in sent(client, result):
        return message
    raise errors.ClientError(f"the server answered with {result.TL_NAME}, which holds no message")


async def _reply_to(
    client: TelegramClient,
    peer: api.TypeInputPeer,
    message: MessageLike | api.TypeInputReplyTo | None,
    topic: int | None,
) -> api.TypeInputReplyTo | None:
    from radiogram.client.objects.message import chat_of, message_id

    if isinstance(message, api.TypeInputReplyTo):
        return message
    if message is None:
        return None if topic is None else api.InputReplyToMessage(reply_to_msg_id=topic)
    source = chat_of(message)
    elsewhere = None
    if source is not None and source != await client.marked_id(peer):
        elsewhere = await client.input_peer(source)
    return api.InputReplyToMessage(
        reply_to_msg_id=message_id(message), top_msg_id=topic, reply_to_peer_id=elsewhere
    )


async def _expanded(
    client: TelegramClient,
    peer: api.TypeInputPeer,
    text: str,
    reply: api.TypeInputReplyTo | None,
    short: api.UpdateShortSentMessage,
) -> api.Message:
    """Make the message from the short form, which has only what the sender does not know."""
    header = None
    if isinstance(reply, api.InputReplyToMessage):
        header = api.MessageReplyHeader(reply_to_msg_id=reply.reply_to_msg_id)
    return api.Message(
        out=short.out,
        id=short.id,
        from_id=api.PeerUser(user_id=client.session.data.user_id),
        peer_id=await _peer(client, peer),
        reply_to=header,
        date=short.date,
        message=text,
        media=short.media,
        entities=short.entities,
        ttl_period=short.ttl_period,
    )


async def _peer(client: TelegramClient, peer: api.TypeInputPeer) -> api.TypePeer:
    match peer:
        case api.InputPeerChannel() | api.InputPeerChannelFromMessage():
            return api.PeerChannel(channel_id=peer.channel_id)
        case api.InputPeerChat():
            return api.PeerChat(chat_id=peer.chat_id)
    return api.PeerUser(user_id=await client.marked_id(peer))


async def edit_message(
    client: TelegramClient,
    chat: api.PeerLike,
    message: MessageLike,
    text: str,
    *,
    entities: Sequence[api.TypeMessageEntity] | None = None,
    buttons: api.TypeReplyMarkup | None = None,
    link_preview: bool = True,
) -> Message:
    """Change the text of a message; gives it as it is then. Raises MessageNotModified ..."""
    from radiogram.client.objects.results import in_updates

    peer, (number,) = await _find(client, chat, [message])
    result = await client.invoke(
        api.messages.EditMessage(
            peer=peer,
            id=number,
            message=text,
            entities=None if entities is None else list(entities),
            reply_markup=buttons,
            no_webpage=not link_preview,
        )
    )
    for found in in_updates(client, result):
        if found.id == number:
            return found
    raise errors.ClientError(f"the server answered with {result.TL_NAME}, which holds no message")


async def delete_messages(
    client: TelegramClient,
    chat: api.PeerLike,
    messages: MessageLike | Iterable[MessageLike],
    *,
    revoke: bool = True,
) -> int:
    """Delete one message or several; gives how many were there.

    For everybody, or with ``revoke=False`` for this account only; in supergroups and channels it is
    always for everybody.
    """
    peer, ids = await _find(client, chat, messages)
    deleted = 0
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        request = (
            api.channels.DeleteMessages(channel=peer, id=page)
            if _is_channel(peer)
            else api.messages.DeleteMessages(id=page, revoke=revoke)
        )
        deleted += (await client.invoke(request)).pts_count
    return deleted


async def forward_messages(
    client: TelegramClient,
    chat: api.PeerLike,
    messages: MessageLike | Iterable[MessageLike],
    from_chat: api.PeerLike | None = None,
    *,
    silent: bool = False,
    hide_sender: bool = False,
    protect: bool = False,
    topic: int | None = None,
) -> list[Message]:
    """Forward one message or several to a chat; gives what is there then, in the same order.

    `from_chat` is where they are; it may be left out unless they are given as ids.
    """
    from radiogram.client.objects.message import chat_of
    from radiogram.client.objects.results import sent

    listed = list(messages) if isinstance(messages, Iterable) else [messages]
    if from_chat is None:
        from_chat = next((where for one in listed if (where := chat_of(one)) is not None), None)
        if from_chat is None:
            raise errors.ClientError("ids alone do not tell where the messages are: add from_chat=")
    source, ids = await _find(client, from_chat, listed)
    found: list[Message] = []
    for start in range(0, len(ids), PAGE):
        result = await client.invoke(
            api.messages.ForwardMessages(
                from_peer=source,
                id=ids[start : start + PAGE],
                to_peer=chat,
                silent=silent,
                drop_author=hide_sender,
                noforwards=protect,
                top_msg_id=topic,
            )
        )
        found.extend(sent(client, result))
    return found


# ── finding ──────────────────────────────────────────────────────────────────────────────────────


@overload
async def get_messages(
    client: TelegramClient, chat: api.PeerLike, messages: MessageLike
) -> Message | None: ...
@overload
async def get_messages(
    client: TelegramClient, chat: api.PeerLike, messages: Iterable[MessageLike]
) -> list[Message | None]: ...
async def get_messages(
    client: TelegramClient, chat: api.PeerLike, messages: MessageLike | Iterable[MessageLike]
) -> Message | list[Message | None] | None:
    """Fetch messages of a chat by id: one, or a list of as many as were asked for.

    None where there is no such message in the chat.
    """
    from radiogram.client.objects.results import list_messages

    peer, ids = await _find(client, chat, messages)
    marked_id = await client.marked_id(peer)
    found: dict[int, Message] = {}
    for start in range(0, len(ids), PAGE):
        result = await _by_id(client, peer, ids[start : start + PAGE])
        for message in list_messages(client, result):
            if message.chat_id == marked_id:
                found[message.id] = message
    several = [found.get(number) for number in ids]
    return several if isinstance(messages, Iterable) else several[0]


async def _find(
    client: TelegramClient, chat: api.PeerLike, messages: MessageLike | Iterable[MessageLike]
) -> tuple[Any, list[int]]:
    """Give the InputPeer of a chat, and the ids of messages in it.

    Raises ClientError for a message that is known to be in another chat: its id stands for
    something else here, or Telegram would not look at the chat at all.
    """
    from radiogram.client.objects.message import chat_of, message_ids

    listed = list(messages) if isinstance(messages, Iterable) else [messages]
    ids = message_ids(listed)
    peer = await client.input_peer(chat)
    marked_id = await client.marked_id(peer)
    for message in listed:
        if chat_of(message) not in {None, marked_id}:
            raise errors.ClientError(
                f"message {message_ids(message)[0]} is in the chat {chat_of(message)}, not in "
                f"{marked_id}: a message's id means something in its own chat only"
            )
    return peer, ids


def _is_channel(peer: api.TypeInputPeer) -> bool:
    return isinstance(peer, api.InputPeerChannel | api.InputPeerChannelFromMessage)


async def _by_id(
    client: TelegramClient, peer: api.TypeInputPeer, wanted: Sequence[int | api.TypeInputMessage]
) -> api.messages.TypeMessages:
    items: Any = list(wanted)
    if _is_channel(peer):
        channel: Any = peer
        return await client.invoke(api.channels.GetMessages(channel=channel, id=items))
    return await client.invoke(api.messages.GetMessages(id=items))


async def iter_messages(
    client: TelegramClient,
    chat: api.PeerLike,
    *,
    limit: int | None = None,
    before: MessageLike = 0,
    after: MessageLike = 0,
    search: str = "",
    sender: api.PeerLike | None = None,
    filter: api.TypeMessagesFilter | None = None,
) -> AsyncIterator[Message]:
    """Read the messages of a chat, newest first; pages are fetched as they are needed.

    `before` and `after` are messages to stay between; `search`, `sender` and `filter` choose. Bots
    may not list messages: the server answers them with BotMethodInvalid.
    """
    from radiogram.client.objects.message import message_id

    minimum = message_id(after)
    peer = await client.input_peer(chat)

    def page(offset_id: int, size: int) -> Any:
        bounds = {"offset_id": offset_id, "limit": size, "min_id": minimum, "max_id": 0}
        if not search and sender is None and filter is None:
            return api.messages.GetHistory(peer=peer, offset_date=0, add_offset=0, hash=0, **bounds)
        return _search(peer, bounds, q=search, from_id=sender, filter=filter)

    async for message in _pages(client, page, message_id(before), limit):
        yield message


def _search(peer: Any, bounds: dict[str, Any], **more: Any) -> api.messages.Search:
    more["filter"] = more.get("filter") or api.InputMessagesFilterEmpty()
    return api.messages.Search(
        peer=peer, min_date=0, max_date=0, add_offset=0, hash=0, **bounds, **more
    )


async def _pages(
    client: TelegramClient, page: Any, offset_id: int, limit: int | None
) -> AsyncIterator[Message]:
    """Go through pages of messages; each begins where the one before it ended."""
    from radiogram.client.objects.results import list_messages

    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        result = await client.invoke(page(offset_id, size))
        # What is gone is in its place as messageEmpty, and a page may be nothing but gaps.
        ids = [raw.id for raw in getattr(result, "messages", ())]
        if offset_id:  # a server that repeats itself would be asked for ever
            ids = [number for number in ids if number < offset_id]
        if not ids:
            return
        for message in list_messages(client, result):
            if offset_id and message.id >= offset_id:
                continue
            if left is not None:
                if left <= 0:
                    return
                left -= 1
            yield message
        offset_id = min(ids)


async def read(client: TelegramClient, chat: api.PeerLike, message: MessageLike = 0) -> None:
    """Mark a chat as read: all of it, or up to a message."""
    peer, (number,) = await _find(client, chat, [message])
    if _is_channel(peer):
        await client.invoke(api.channels.ReadHistory(channel=peer, max_id=number))
    else:
        await client.invoke(api.messages.ReadHistory(peer=peer, max_id=number))


# ── pinning ──────────────────────────────────────────────────────────────────────────────────────


async def pin_message(
    client: TelegramClient,
    chat: api.PeerLike,
    message: MessageLike,
    *,
    silent: bool = False,
    one_sided: bool = False,
) -> Message | None:
    """Pin a message; gives the service message about it, None where Telegram makes none.

    `silent` makes no sound; `one_sided` pins in a private chat for this account only. No service
    message comes of pinning in Saved Messages or on one side. What is pinned already stays so: in
    groups and channels Telegram calls that ChatNotModified.
    """
    from radiogram.client.objects.results import service_message

    peer, (number,) = await _find(client, chat, [message])
    result = await client.invoke(
        api.messages.UpdatePinnedMessage(peer=peer, id=number, silent=silent, pm_oneside=one_sided)
    )
    return service_message(client, result, api.MessageActionPinMessage)


async def unpin_message(
    client: TelegramClient, chat: api.PeerLike, message: MessageLike, *, one_sided: bool = False
) -> None:
    """Unpin a message; with `one_sided`, in a private chat, for this account only.

    Raises ChatNotModified in groups and channels when it is not pinned.
    """
    peer, (number,) = await _find(client, chat, [message])
    await client.invoke(
        api.messages.UpdatePinnedMessage(peer=peer, id=number, unpin=True, pm_oneside=one_sided)
    )


async def unpin_all_messages(
    client: TelegramClient, chat: api.PeerLike, *, topic: int | None = None
) -> int:
    """Unpin everything in a chat, or in a forum's topic; gives how many were unpinned.

    The server does it piece by piece; this returns when nothing is left.
    """
    peer = await client.input_peer(chat)
    unpinned = 0
    while True:
        result = await client.invoke(api.messages.UnpinAllMessages(peer=peer, top_msg_id=topic))
        unpinned += result.pts_count
        if result.offset <= 0 or result.pts_count <= 0:
            return unpinned


async def get_pinned_messages(
    client: TelegramClient,
    chat: api.PeerLike,
    *,
    topic: int | None = None,
    limit: int | None = None,
) -> AsyncIterator[Message]:
    """Read the pinned messages of a chat, or of a forum's topic, newest first.

    Bots may not search: they are given the newest pinned message only, and none for a topic.
    """
    peer = await client.input_peer(chat)
    if client.session.data.is_bot:
        if topic is None and limit != 0:
            async for message in _newest_pinned(client, peer):
                yield message
        return

    def page(offset_id: int, size: int) -> Any:
        bounds = {"offset_id": offset_id, "limit": size, "min_id": 0, "max_id": 0}
        pinned = api.InputMessagesFilterPinned()
        return _search(peer, bounds, q="", filter=pinned, top_msg_id=topic)

    async for message in _pages(client, page, 0, limit):
        yield message


async def _newest_pinned(client: TelegramClient, peer: Any) -> AsyncIterator[Message]:
    """Read what a bot may see: channels have a name for it, of others the full object tells."""
    from radiogram.client.objects.results import list_messages

    wanted: int | api.TypeInputMessage | None
    if _is_channel(peer):
        wanted = api.InputMessagePinned()
    elif isinstance(peer, api.InputPeerChat):
        full = await client.invoke(api.messages.GetFullChat(chat_id=peer.chat_id))
        wanted = getattr(full.full_chat, "pinned_msg_id", None)
    else:
        wanted = (await client.invoke(api.users.GetFullUser(id=peer))).full_user.pinned_msg_id
    if wanted:
        for message in list_messages(client, await _by_id(client, peer, [wanted])):
            yield message
