"""What type checkers see of the friendly methods; checked by mypy and pyright, never run."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from radiogram import TelegramClient, api, events
from radiogram.types import Chat, Dialog, Message, Participant, User


async def messages(client: TelegramClient, chat: Chat, user: User) -> None:
    message = await client.send_message("@username", "hello", silent=True, topic=5)
    assert_type(message, Message)
    assert_type(message.id, int)
    assert_type(message.date, datetime)
    assert_type(message.raw, api.Message | api.MessageService)
    assert_type(message.sender, Chat | User | None)
    assert_type(await message.reply("again"), Message)
    assert_type(await client.edit_message(chat, message, "better"), Message)
    assert_type(await client.delete_messages(chat, [message, 5]), int)
    assert_type(await client.forward_messages(user, message), list[Message])
    assert_type(await client.get_messages(chat, 5), Message | None)
    assert_type(await client.get_messages(chat, [5, message]), list[Message | None])
    async for one in client.iter_messages(chat, limit=10, sender=user):
        assert_type(one, Message)
    await client.read(chat)


async def pins(client: TelegramClient, chat: Chat, message: Message) -> None:
    notice = await client.pin_message(chat, message, silent=True, one_sided=True)
    assert_type(notice, Message | None)
    assert_type(await message.pin(), Message | None)
    await client.unpin_message(chat, 5)
    assert_type(await client.unpin_all_messages(chat), int)
    async for one in client.get_pinned_messages(chat):
        assert_type(one, Message)
    await client.pin_message(chat, "5")  # type: ignore[arg-type]
    await client.pin_message(chat, message, quiet=True)  # type: ignore[call-arg]


async def chats(client: TelegramClient, user: User) -> None:
    assert_type(await client.create_group("Title", [user, "@username"]), Chat)
    channel = await client.create_channel("Title", forum=True)
    assert_type(channel, Chat)
    assert_type(channel.raw, api.TypeChat)
    assert_type(await client.invite(channel, user), list[User])
    assert_type(await client.join("t.me/name"), Chat)
    assert_type(await client.get_chat(-5), Chat | User)
    assert_type(await client.kick(channel, user), Message | None)
    async for participant in client.iter_participants(channel):
        assert_type(participant, Participant)
        assert_type(participant.user, Chat | User | None)
    async for dialog in client.iter_dialogs():
        assert_type(dialog, Dialog)
        assert_type(dialog.chat, Chat | User)


async def raw(client: TelegramClient, chat: Chat, user: User, message: Message) -> None:
    """Friendly objects name peers in raw requests too."""
    await client.invoke(api.messages.UpdatePinnedMessage(peer=chat, id=message.id))
    await client.invoke(api.channels.GetParticipant(channel=chat, participant=user))
    await client.invoke(api.messages.GetMessages(id=[message]))
    await client.invoke(api.messages.SendMessage(peer=message, message="in the same chat"))


async def handled(client: TelegramClient) -> None:
    """Events give friendly objects."""

    @client.on(events.NewMessage())
    async def note(event: events.NewMessageEvent) -> None:
        assert_type(event.message, Message)
        assert_type(event.raw, api.Message | api.MessageService)
        assert_type(event.sender, Chat | User | None)
        assert_type(await event.reply("well", silent=True), Message)
        await event.respond("well", quiet=True)  # type: ignore[call-arg]

    @client.on(events.Album())
    async def album(event: events.AlbumEvent) -> None:
        assert_type(event.messages, list[Message])

    async with client.conversation("@username") as talk:
        assert_type(await talk.send("hello"), Message)
        assert_type((await talk.answer()).message, Message)
