"""Friendly methods against the embedded server, in every kind of chat, by users and by a bot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from radiogram import TelegramClient, api, errors
from radiogram.client.objects.chat import Chat
from radiogram.client.objects.message import Message
from radiogram.client.objects.user import User
from radiogram.server import Server
from radiogram.sessions import StringSession

KINDS = ["saved", "private", "group", "supergroup", "forum", "channel"]
TOKEN = f"777000111:{'a' * 35}"

MakeChat = Callable[[str], Awaitable[Any]]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        server.world.add_user("9996620001", "Ada", "Byron", username="ada_writes")
        server.world.add_user("9996620002", "Ben", username="ben_writes")
        server.world.add_user("9996620003", "Cat", username="cat_writes")
        server.world.add_bot("Robot", username="robot_bot", token=TOKEN)
        yield server


async def enter(server: Server, **who: str) -> TelegramClient:
    client = TelegramClient(StringSession(""), 1, "any", server=server)
    await client.start(**who)  # type: ignore[arg-type]
    return client


@pytest.fixture
async def ada(server: Server) -> AsyncIterator[TelegramClient]:
    async with await enter(server, phone="9996620001", code="22222") as client:
        yield client


@pytest.fixture
async def ben(server: Server) -> AsyncIterator[TelegramClient]:
    async with await enter(server, phone="9996620002", code="22222") as client:
        yield client


@pytest.fixture
async def bot(server: Server) -> AsyncIterator[TelegramClient]:
    async with await enter(server, bot_token=TOKEN) as client:
        yield client


@pytest.fixture
def make(ada: TelegramClient) -> MakeChat:
    """Make a chat of Ada's of a kind; of those with others, Ben is one."""

    async def make(kind: str) -> Any:
        match kind:
            case "saved":
                return "me"
            case "private":
                return "@ben_writes"
            case "group":
                return await ada.create_group("Friends", ["ben_writes"])
        chat = await ada.create_channel(
            "Friends", about="of ours", broadcast=kind == "channel", forum=kind == "forum"
        )
        assert await chat.invite("ben_writes") == []
        return chat

    return make


async def collect(found: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in found]


async def texts(found: AsyncIterator[Message]) -> list[str]:
    return [one.text async for one in found if one.text]


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_and_what_is_known_of_it(
    ada: TelegramClient, make: MakeChat, kind: str
) -> None:
    chat = await make(kind)
    before = datetime.now(UTC) - timedelta(minutes=1)
    message = await ada.send_message(chat, "hello", silent=True)
    assert isinstance(message, Message)
    me = (await ada.get_me()).id
    assert message.text == "hello"
    assert message.chat_id == await ada.marked_id(chat)
    assert message.sender_id == (None if kind == "channel" else me)
    assert message.out is (kind != "saved")
    assert message.date.tzinfo is UTC
    assert message.date > before
    assert (message.pinned, message.reply_to, message.action) == (False, None, None)
    assert isinstance(message.raw, api.Message)
    assert repr(message) == f"<Message {message.id} in {message.chat_id}: 'hello'>"

    answer = await message.reply("well")
    assert answer.reply_to == message.id
    assert answer.chat_id == message.chat_id
    found = await answer.get_reply_message()
    assert found is not None
    assert found.text == "hello"
    assert await message.get_reply_message() is None


@pytest.mark.parametrize("kind", KINDS)
async def test_pins(ada: TelegramClient, make: MakeChat, kind: str) -> None:
    chat = await make(kind)
    first, second, third = [await ada.send_message(chat, text) for text in "123"]
    service = await ada.pin_message(chat, first)
    if kind == "saved":
        assert service is None
    else:
        assert service is not None
        assert isinstance(service.action, api.MessageActionPinMessage)
        assert service.reply_to == first.id
        assert service.chat_id == first.chat_id
    if kind in {"saved", "private"}:
        assert await ada.pin_message(chat, first.id) is None, "it is pinned already"
    else:
        with pytest.raises(errors.ChatNotModified):
            await ada.pin_message(chat, first.id)
    await ada.pin_message(chat, second.raw, silent=True)
    await third.pin()
    assert await texts(ada.get_pinned_messages(chat)) == ["3", "2", "1"]
    assert await texts(ada.get_pinned_messages(chat, limit=2)) == ["3", "2"]
    async for message in ada.get_pinned_messages(chat):
        assert message.pinned
    await third.unpin()
    await ada.unpin_message(chat, second)
    assert await texts(ada.get_pinned_messages(chat)) == ["1"]
    await second.pin()
    assert await ada.unpin_all_messages(chat) == 2
    assert await collect(ada.get_pinned_messages(chat)) == []
    assert await ada.unpin_all_messages(chat) == 0


async def test_pins_of_one_side(ada: TelegramClient, ben: TelegramClient) -> None:
    message = await ada.send_message("ben_writes", "for me")
    assert await message.pin(one_sided=True) is None
    assert await texts(ada.get_pinned_messages("ben_writes")) == ["for me"]
    assert await texts(ben.get_pinned_messages("ada_writes")) == []
    await ada.unpin_message("ben_writes", message, one_sided=True)
    assert await texts(ada.get_pinned_messages("ben_writes")) == []


async def test_many_pins(ada: TelegramClient) -> None:
    chat = await ada.create_channel("Many")
    for number in range(103):
        await (await chat.send_message(str(number))).pin(silent=True)
    assert len(await collect(chat.get_pinned_messages())) == 103
    assert await chat.unpin_all_messages() == 103
    assert await collect(chat.get_pinned_messages()) == []


async def test_pins_of_a_topic(ada: TelegramClient, make: MakeChat) -> None:
    forum = await make("forum")
    result = await ada.invoke(api.messages.CreateForumTopic(peer=forum, title="Cakes"))
    topic = next(
        update.message.id
        for update in result.updates  # type: ignore[union-attr]
        if isinstance(update, api.UpdateNewChannelMessage)
    )
    inside = await ada.send_message(forum, "in it", topic=topic)
    outside = await ada.send_message(forum, "elsewhere")
    await inside.pin()
    await outside.pin()
    assert await texts(ada.get_pinned_messages(forum, topic=topic)) == ["in it"]
    assert await ada.unpin_all_messages(forum, topic=topic) == 1
    assert await texts(ada.get_pinned_messages(forum)) == ["elsewhere"]


@pytest.mark.parametrize("kind", KINDS)
async def test_edit_forward_delete(ada: TelegramClient, make: MakeChat, kind: str) -> None:
    chat = await make(kind)
    first = await ada.send_message(chat, "one")
    second = await ada.send_message(chat, "two")
    edited = await first.edit("ONE")
    assert (edited.id, edited.text) == (first.id, "ONE")
    assert (await ada.edit_message(chat, second.id, "TWO")).text == "TWO"

    forwarded = await ada.forward_messages("cat_writes", [first, second])
    assert [message.text for message in forwarded] == ["ONE", "TWO"]
    assert [message.text for message in await ada.forward_messages("me", first.id, chat)] == ["ONE"]
    assert (await second.forward("me", hide_sender=True)).text == "TWO"
    with pytest.raises(errors.ClientError, match="from_chat"):
        await ada.forward_messages("me", [first.id])

    one, gone, other = await ada.get_messages(chat, [first, 99999, forwarded[0].id])
    assert one is not None
    assert one.text == "ONE"
    assert gone is None
    if kind in {"saved", "private", "group"}:  # channels have numbers of their own
        assert other is None, "a message of another chat"
    assert await first.delete() == 1
    assert await ada.get_messages(chat, first) is None
    assert await ada.delete_messages(chat, [first.id, second]) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_reading_a_chat(ada: TelegramClient, make: MakeChat, kind: str) -> None:
    chat = await make(kind)
    sent = [await ada.send_message(chat, f"number {number}") for number in range(4)]
    assert await texts(ada.iter_messages(chat)) == [f"number {n}" for n in (3, 2, 1, 0)]
    assert await texts(ada.iter_messages(chat, limit=2)) == ["number 3", "number 2"]
    assert await texts(ada.iter_messages(chat, before=sent[2], after=sent[0])) == ["number 1"]
    assert await texts(ada.iter_messages(chat, search="2")) == ["number 2"]
    pinned = api.InputMessagesFilterPinned()
    assert await texts(ada.iter_messages(chat, filter=pinned)) == []
    assert await collect(ada.iter_messages(chat, limit=0)) == []
    if kind not in {"channel", "saved"}:
        assert len(await texts(ada.iter_messages(chat, sender="me"))) == 4


async def test_many_messages_come_in_pages(ada: TelegramClient) -> None:
    for number in range(203):
        await ada.send_message("me", str(number))
    found = await texts(ada.iter_messages("me"))
    assert found == [str(number) for number in reversed(range(203))]
    assert await texts(ada.iter_messages("me", limit=150)) == found[:150]


async def test_what_others_sent(ada: TelegramClient, ben: TelegramClient) -> None:
    me, other = (await ada.get_me()).id, (await ben.get_me()).id
    await ada.send_message("ben_writes", "hello")
    (message,) = await collect(ben.iter_messages("ada_writes"))
    assert (message.out, message.sender_id, message.chat_id) == (False, me, me)
    assert isinstance(message.sender, User)
    assert message.sender.name == "Ada Byron"
    assert message.sender == message.chat
    answer = await message.reply("hello, Ada")
    assert (answer.sender_id, answer.chat_id) == (other, me)


async def test_marking_as_read(ada: TelegramClient, ben: TelegramClient, make: MakeChat) -> None:
    for kind in KINDS[1:]:
        chat = await make(kind)
        for text in "123":
            await ada.send_message(chat, text)
    dialogs = [one async for one in ben.iter_dialogs() if one.unread_count]
    assert len(dialogs) == 5
    for dialog in dialogs:
        assert dialog.message is not None
        await dialog.message.read()
    assert not [one async for one in ben.iter_dialogs() if one.unread_count]
    for kind in KINDS[1:]:
        await ada.send_message(await make(kind), "more")
    for dialog in await collect(ben.iter_dialogs()):
        await dialog.read()
    assert not [one async for one in ben.iter_dialogs() if one.unread_count]


# ── chats ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS[2:])
async def test_groups_and_channels(
    ada: TelegramClient, ben: TelegramClient, make: MakeChat, kind: str
) -> None:
    chat = await make(kind)
    assert isinstance(chat, Chat)
    assert (chat.title, chat.kind, chat.is_creator, chat.left) == ("Friends", kind, True, False)
    assert repr(chat) == f"<Chat {chat.id} 'Friends', {kind}>"
    assert await ada.get_chat(chat.id) == await ada.get_chat(chat)

    cat = await ada.get_chat("cat_writes")
    assert await chat.invite(cat) == []
    found = {one.user.username: one async for one in chat.iter_participants()}
    assert set(found) == {"ada_writes", "ben_writes", "cat_writes"}
    assert found["ada_writes"].status == "creator"
    assert found["cat_writes"].status == "member"
    assert found["cat_writes"].date is not None
    assert len(await collect(chat.iter_participants(limit=2))) == 2
    assert [one.id for one in await collect(chat.iter_participants(search="be"))] == [
        found["ben_writes"].id
    ]

    await ada.set_admin(chat, "ben_writes")
    admins = await collect(chat.iter_participants(filter=api.ChannelParticipantsAdmins()))
    assert {one.id for one in admins} == {found["ada_writes"].id, found["ben_writes"].id}
    await ada.set_admin(chat, found["ben_writes"], False)
    admins = await collect(chat.iter_participants(filter=api.ChannelParticipantsAdmins()))
    assert [one.id for one in admins] == [found["ada_writes"].id]

    service = await ada.kick(chat, cat)
    if kind in {"group", "supergroup", "forum"}:
        assert service is not None
        assert isinstance(service.action, api.MessageActionChatDeleteUser)
    (seen,) = [one.chat async for one in ben.iter_dialogs() if one.id == chat.id]
    await seen.leave()
    assert [one.id async for one in chat.iter_participants()] == [found["ada_writes"].id]


@pytest.mark.parametrize("kind", ["supergroup", "channel"])
async def test_bans(ada: TelegramClient, ben: TelegramClient, make: MakeChat, kind: str) -> None:
    chat = await make(kind)
    await ada.invoke(api.channels.UpdateUsername(channel=chat, username="friends_of_ada"))
    await ada.ban(chat, "ben_writes")
    (banned,) = await collect(chat.iter_participants(filter=api.ChannelParticipantsKicked(q="")))
    assert banned.status == "banned"
    with pytest.raises(errors.RpcError):
        await ben.join("friends_of_ada")
    await ada.unban(chat, "ben_writes")
    joined = await ben.join("https://t.me/friends_of_ada")
    assert joined.id == chat.id
    assert joined.username == "friends_of_ada"
    assert not joined.left
    await ada.kick(chat, "ben_writes")
    assert (await ben.join("@friends_of_ada")).id == chat.id, "who was kicked may come back"


async def test_restrictions(ada: TelegramClient, ben: TelegramClient, make: MakeChat) -> None:
    chat = await make("supergroup")
    until = datetime.now(UTC) + timedelta(days=2)
    await ada.restrict(chat, "ben_writes", until=until)
    (seen,) = [one async for one in ben.iter_dialogs() if one.id == chat.id]
    with pytest.raises(errors.RpcError):
        await seen.send_message("may I?")
    (limited,) = [one async for one in chat.iter_participants() if one.status == "restricted"]
    assert limited.banned_rights is not None
    assert limited.banned_rights.send_messages
    assert limited.banned_rights.until_date == int(until.timestamp())
    await ada.restrict(chat, limited, api.ChatBannedRights(until_date=0))
    assert (await seen.send_message("I may")).text == "I may"
    await ada.set_admin(chat, "ben_writes", api.ChatAdminRights(pin_messages=True), rank="pins")
    (admin,) = [one async for one in chat.iter_participants() if one.status == "admin"]
    assert (admin.rank, admin.admin_rights.pin_messages) == ("pins", True)


@pytest.mark.parametrize("kind", KINDS[2:])
async def test_invitations(server: Server, ada: TelegramClient, make: MakeChat, kind: str) -> None:
    chat = await make(kind)
    invitation = await ada.invoke(api.messages.ExportChatInvite(peer=chat))
    assert isinstance(invitation, api.ChatInviteExported)
    async with await enter(server, phone="9996620003", code="22222") as cat:
        joined = await cat.join(invitation.link)
        assert (joined.id, joined.title) == (chat.id, "Friends")
        with pytest.raises(errors.RpcError):
            await cat.join(invitation.link)


async def test_a_private_chat_is_no_group(ada: TelegramClient) -> None:
    for call in (ada.leave("ben_writes"), ada.invite("me", "ben_writes")):
        with pytest.raises(errors.PeerNotFound, match="private chat"):
            await call


async def test_dialogs(ada: TelegramClient, make: MakeChat) -> None:
    for kind in KINDS:
        await ada.send_message(await make(kind), f"in {kind}")
    dialogs = await collect(ada.iter_dialogs())
    assert len(dialogs) == len({one.id for one in dialogs}) == 6
    by_text = {one.message.text: one for one in dialogs}
    assert by_text["in private"].name == "Ben"
    assert isinstance(by_text["in private"].chat, User)
    assert by_text["in forum"].chat.kind == "forum"
    assert by_text["in saved"].chat.is_self
    assert by_text["in group"].date is not None
    assert len(await collect(ada.iter_dialogs(limit=3))) == 3
    again = await by_text["in channel"].send_message("again")
    assert again.chat_id == by_text["in channel"].id


async def test_many_dialogs_come_in_pages(ada: TelegramClient) -> None:
    for number in range(105):
        await ada.create_channel(str(number))
    names = [one.name async for one in ada.iter_dialogs()]
    assert sorted(names, key=int) == [str(number) for number in range(105)]


async def test_get_chat(ada: TelegramClient) -> None:
    user = await ada.get_chat("ben_writes")
    assert isinstance(user, User)
    assert (user.name, user.username, user.is_bot, user.is_self) == (
        "Ben",
        "ben_writes",
        False,
        False,
    )
    assert (await user.send_message("hi")).chat_id == user.id
    assert await texts(user.iter_messages()) == ["hi"]
    me = await ada.get_chat("me")
    assert isinstance(me, User)
    assert me.is_self
    robot = await ada.get_chat("robot_bot")
    assert repr(robot) == f"<User {robot.id} @robot_bot bot>"
    with pytest.raises(errors.PeerNotFound):
        await ada.get_chat("nobody_at_all")


# ── friendly objects in raw requests ─────────────────────────────────────────────────────────────


async def test_raw_requests_take_friendly_objects(ada: TelegramClient, make: MakeChat) -> None:
    chat = await make("supergroup")
    message = await chat.send_message("text")
    full = await ada.invoke(api.channels.GetFullChannel(channel=chat))
    assert full.full_chat.about == "of ours"
    result = await ada.invoke(api.channels.GetMessages(channel=message, id=[message]))
    assert isinstance(result, api.messages.ChannelMessages)
    assert [one.id for one in result.messages] == [message.id]
    (dialog,) = [one async for one in ada.iter_dialogs() if one.id == chat.id]
    assert await ada.marked_id(dialog) == await ada.marked_id(message) == chat.id


# ── bots ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["private", "group", "supergroup", "channel"])
async def test_a_bot_pins(
    ada: TelegramClient, bot: TelegramClient, make: MakeChat, kind: str
) -> None:
    if kind == "private":
        await ada.send_message("robot_bot", "/start")
        chat: Any = (await ada.get_me()).id
    else:
        made = await make(kind)
        if kind == "group":
            await made.invite("robot_bot")
        await ada.set_admin(made, "robot_bot")
        chat = made.id
    first = await bot.send_message(chat, "first")
    second = await bot.send_message(chat, "second")
    await first.pin()
    service = await bot.pin_message(chat, second)
    assert service is not None
    assert await texts(bot.get_pinned_messages(chat)) == ["second"], "only the newest, for bots"
    assert await texts(bot.get_pinned_messages(chat, limit=0)) == []
    await second.unpin()
    assert await texts(bot.get_pinned_messages(chat)) == ["first"]
    assert await bot.unpin_all_messages(chat) == 1
    assert await texts(bot.get_pinned_messages(chat)) == []
    assert (await second.edit("changed")).text == "changed"
    assert await (await second.reply("an answer")).delete() == 1
    for refused in (bot.iter_messages(chat), bot.iter_dialogs()):
        with pytest.raises(errors.BotMethodInvalid):
            await collect(refused)


async def test_a_bot_keeps_order(ada: TelegramClient, bot: TelegramClient, make: MakeChat) -> None:
    chat = await make("supergroup")
    await chat.invite("cat_writes")
    everything = api.ChatAdminRights(ban_users=True, pin_messages=True, add_admins=True)
    await ada.set_admin(chat, "robot_bot", everything, rank="keeper")
    assert (await bot.get_chat(chat.id)).name == "Friends"

    async def status(name: str) -> str | None:
        found = [one async for one in bot.iter_participants(chat.id) if one.user.name == name]
        return found[0].status if found else None

    assert [await status(name) for name in ("Ada Byron", "Ben", "Robot")] == [
        "creator",
        "member",
        "admin",
    ]
    await bot.set_admin(chat.id, "ben_writes")
    assert await status("Ben") == "admin"
    await bot.set_admin(chat.id, "ben_writes", False)
    await bot.restrict(chat.id, "cat_writes")
    restricted = api.ChannelParticipantsBanned(q="")
    assert [one.user.name async for one in bot.iter_participants(chat.id, filter=restricted)] == [
        "Cat"
    ]
    await bot.unban(chat.id, "cat_writes")
    assert await bot.kick(chat.id, "cat_writes") is not None
    await bot.ban(chat.id, "ben_writes")
    assert [await status(name) for name in ("Ben", "Cat")] == [None, None]
    await bot.leave(chat.id)
    assert [one.user.name async for one in ada.iter_participants(chat)] == ["Ada Byron"]


async def test_what_bots_may_not(bot: TelegramClient, make: MakeChat) -> None:
    """Telegram's own error says so, and what to do."""
    chat = await make("supergroup")
    await chat.client.set_admin(chat, "robot_bot")
    for refused in (
        bot.create_group("Robots"),
        bot.create_channel("Robots"),
        bot.invite(chat.id, "cat_writes"),
        bot.join("t.me/+AbCdEfGh"),
        bot.read(chat.id),
    ):
        with pytest.raises(errors.BotMethodInvalid, match="Bots may not call this method"):
            await refused


# ── chats that change ────────────────────────────────────────────────────────────────────────────


async def test_nobody_gives_rights_that_they_do_not_have(
    ada: TelegramClient, ben: TelegramClient, make: MakeChat
) -> None:
    chat = await make("supergroup")
    await chat.invite("cat_writes")
    some = api.ChatAdminRights(pin_messages=True, add_admins=True)
    await ada.set_admin(chat, "ben_writes", some)
    await collect(ben.iter_dialogs())
    await ben.set_admin(chat.id, "cat_writes")
    admins = ada.iter_participants(chat, filter=api.ChannelParticipantsAdmins())
    (cat,) = [one async for one in admins if one.user is not None and one.user.name == "Cat"]
    assert cat.admin_rights == api.ChatAdminRights(pin_messages=True)


async def test_a_group_that_has_become_a_supergroup(ada: TelegramClient, make: MakeChat) -> None:
    """Its old messages stay where they are; the new chat is known by what the old one tells."""
    old = await make("group")
    before = await ada.send_message(old, "before")
    await ada.invoke(api.messages.MigrateChat(chat_id=old.raw.id))
    told = await ada.get_chat(old)
    assert isinstance(told, Chat)
    assert told.migrated_to is not None
    new = await ada.get_chat(told.migrated_to)
    assert isinstance(new, Chat)
    assert (new.kind, new.title) == ("supergroup", "Friends")
    after = await ada.send_message(new, "after")
    with pytest.raises(errors.ClientError, match=f"message {after.id} is in the chat {new.id}"):
        await ada.pin_message(old, after)
    with pytest.raises(errors.RpcError):
        await ada.pin_message(old, before)
    assert await after.pin() is not None
    assert "before" in await texts(ada.iter_messages(old))
    assert await texts(ada.iter_messages(new)) == ["after"]
