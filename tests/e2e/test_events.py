"""Events against the embedded server: nothing is lost, whatever the server does on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from radiogram import TelegramClient, api, errors, events
from radiogram.events import StopPropagation, filters
from radiogram.server import Server
from radiogram.sessions import StringSession

Client = Callable[..., Awaitable[TelegramClient]]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        server.world.add_user("9996620001", "Ada", username="ada_writes")
        server.world.add_user("9996620002", "Ben", username="ben_writes")
        yield server


@pytest.fixture
async def sign_in(server: Server) -> AsyncIterator[Client]:
    clients: list[TelegramClient] = []

    async def sign_in(number: int, session: str = "") -> TelegramClient:
        client = TelegramClient(StringSession(session), 1, "any", server=server)
        clients.append(client)
        await client.start(phone=f"999662000{number}", code="22222")
        return client

    yield sign_in
    for client in clients:
        await client.disconnect()


@pytest.fixture
async def ada(sign_in: Client) -> TelegramClient:
    return await sign_in(1)


@pytest.fixture
async def ben(sign_in: Client) -> TelegramClient:
    return await sign_in(2)


async def write(client: TelegramClient, peer: str, text: str) -> None:
    await client.invoke(api.messages.SendMessage(peer=peer, message=text))


async def until(client: TelegramClient, condition: Callable[[], object]) -> None:
    """Wait for something that the client learns by its connection, or after a gap's half second."""
    async with asyncio.timeout(30):
        while not condition():
            await client.invoke(api.help.GetNearestDc())


def collect(client: TelegramClient, *wanted: Any) -> list[str]:
    """Note the texts that a handler is given."""
    seen: list[str] = []

    @client.on(events.NewMessage(*wanted))
    async def note(event: events.NewMessageEvent) -> None:
        seen.append(event.text)

    return seen


async def test_a_handler_sees_what_comes(ada: TelegramClient, ben: TelegramClient) -> None:
    everything = collect(ben)
    commands = collect(ben, filters.command("start") & filters.private & filters.incoming)
    await ben.updates.started()
    for text in ("hello", "/start", "/start@somebody now", "/started"):
        await write(ada, "ben_writes", text)
    await until(ben, lambda: len(everything) == 4)
    assert commands == ["/start", "/start@somebody now"]


async def test_own_messages_from_the_same_client_are_seen_once(ben: TelegramClient) -> None:
    seen = collect(ben)
    await ben.updates.started()
    await ben.invoke(
        api.messages.SendMessage(
            peer="me",
            message="note",
            entities=[api.MessageEntityBold(offset=0, length=4)],
            noforwards=True,
        )
    )
    await until(ben, lambda: seen)
    assert seen == ["note"]


async def test_an_answer_in_the_handler(ada: TelegramClient, ben: TelegramClient) -> None:
    @ben.on(events.NewMessage(filters.incoming))
    async def answer(event: events.NewMessageEvent) -> None:
        await event.reply(event.text.upper())

    await ben.updates.started()
    async with ada.conversation("ben_writes") as talk:
        await talk.send("quiet")
        heard = await talk.answer()
    assert heard.text == "QUIET"
    assert heard.message.reply_to is not None
    assert heard.message.sender == heard.sender == heard.chat
    assert heard.message.raw is heard.raw


async def test_a_conversation_in_a_handler_does_not_wait_for_itself(
    ada: TelegramClient, ben: TelegramClient
) -> None:
    said: list[str] = []

    @ben.on(events.NewMessage(filters.text("/name")))
    async def ask(event: events.NewMessageEvent) -> None:
        assert event.chat_id is not None
        async with ben.conversation(event.chat_id) as talk:
            await talk.send("Your name?")
            said.append((await talk.answer()).text)

    await ben.updates.started()
    async with ada.conversation("ben_writes") as talk:
        await talk.send("/name")
        assert (await talk.answer()).text == "Your name?"
        await talk.send("Ada")
    await until(ben, lambda: said)
    assert said == ["Ada"]


async def test_a_quick_answer_is_not_missed(ada: TelegramClient, ben: TelegramClient) -> None:
    async with ada.conversation("ben_writes") as talk:
        await write(ben, "ada_writes", "too quick")
        await talk.send("?")
        assert (await talk.answer(timeout=5)).text == "too quick"
    with pytest.raises(TimeoutError):
        await ada.wait_for(events.NewMessage(), timeout=0.01)


async def test_lost_pushes_are_fetched(
    server: Server, ada: TelegramClient, ben: TelegramClient
) -> None:
    seen = collect(ben)
    await ben.updates.started()
    me = (await ben.get_me()).id
    server.faults.lose_updates(user_id=me, times=3)
    for number in range(6):
        await write(ada, "ben_writes", str(number))
    await until(ben, lambda: len(seen) == 6)
    assert seen == list("012345")
    assert ben.updates.health().gaps >= 1


async def test_held_and_repeated_pushes_are_put_in_order(
    server: Server, ada: TelegramClient, ben: TelegramClient
) -> None:
    seen = collect(ben)
    await ben.updates.started()
    me = (await ben.get_me()).id
    server.faults.hold_updates(user_id=me)
    server.faults.repeat_updates(user_id=me, times=2)
    for number in range(3):
        await write(ada, "ben_writes", str(number))
    server.faults.release_updates()
    await until(ben, lambda: len(seen) >= 3)
    assert seen == list("012")


async def test_too_long_is_answered_by_a_difference(
    server: Server, ada: TelegramClient, ben: TelegramClient
) -> None:
    seen = collect(ben)
    await ben.updates.started()
    server.faults.updates_too_long(user_id=(await ben.get_me()).id)
    await write(ada, "ben_writes", "text")
    await until(ben, lambda: seen)
    assert seen == ["text"]


async def test_the_next_run_is_told_what_was_missed(
    ada: TelegramClient, ben: TelegramClient, sign_in: Client
) -> None:
    seen = collect(ben)
    await ben.updates.started()
    await write(ada, "ben_writes", "before")
    await until(ben, lambda: seen)
    assert isinstance(ben.session, StringSession)
    saved = ben.session.save(updates=True)
    await ben.disconnect()
    await write(ada, "ben_writes", "meanwhile")
    again = TelegramClient(StringSession(saved), 1, "any", server=ada._server)
    later = collect(again)
    async with again:
        await again.updates.started()
        await until(again, lambda: later)
    assert (seen, later) == (["before"], ["meanwhile"])


async def test_what_was_not_handled_comes_again(ada: TelegramClient, ben: TelegramClient) -> None:
    begun = asyncio.Event()
    keys: list[str] = []

    async def never(event: events.NewMessageEvent) -> None:
        keys.append(event.key)
        begun.set()
        await asyncio.Event().wait()

    ben.add_handler(never, events.NewMessage())
    await ben.updates.started()
    await write(ada, "ben_writes", "text")
    await begun.wait()
    await ben.disconnect()
    assert ben.remove_handler(never) == 1
    again: list[str] = []

    async def note(event: events.NewMessageEvent) -> None:
        again.append(event.key)

    ben.add_handler(note, events.NewMessage())
    await ben.connect()
    await until(ben, lambda: again)
    assert again == keys


async def test_what_qts_count_is_told_after_a_pause(
    server: Server, ada: TelegramClient, sign_in: Client
) -> None:  # C0.3.4
    token = server.world.add_bot("Porter", "porter_bot").token
    seen: list[str] = []

    def make(session: str = "") -> TelegramClient:
        bot = TelegramClient(StringSession(session), 1, "any", server=server)

        async def note(event: events.Event) -> None:
            seen.append(event.key)

        bot.add_handler(note, events.Raw(types=[api.UpdateChannelParticipant]))
        return bot

    group = await ada.create_channel("The house")
    async with make() as bot:
        await bot.start(bot_token=token)
        await bot.updates.started()
        await ada.set_admin(group, "porter_bot")
        await until(ada, lambda: len(seen) == 2)
        assert isinstance(bot.session, StringSession)
        saved = bot.session.save(updates=True)
    await ada.invite(group, "ben_writes")
    await ada.kick(group, "ben_writes")
    async with make(saved) as bot:
        await until(ada, lambda: "ChannelParticipant:5" in seen)
    # Two to make an admin of the bot; then one who came, was banned, and let go again.
    assert seen == [f"ChannelParticipant:{qts}" for qts in range(1, 6)]


async def test_a_handler_may_disconnect(
    ada: TelegramClient, ben: TelegramClient, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    over = asyncio.Event()
    three = asyncio.Event()

    async def once(event: events.NewMessageEvent) -> None:
        seen.append(event.text)
        await three.wait()
        await ben.disconnect()
        over.set()

    ben.add_handler(once, events.NewMessage())
    await ben.updates.started()
    pushed = ben.updates()
    for text in ("one", "two", "three"):
        await write(ada, "ben_writes", text)
        await anext(pushed)
    three.set()
    await over.wait()
    assert seen == ["one"]
    ben.remove_handler(once)
    later = collect(ben)
    await ben.connect()
    await until(ben, lambda: len(later) == 2)
    assert later == ["two", "three"], "the one that disconnected was dealt with"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_order_groups_middleware_and_failures(
    ada: TelegramClient, ben: TelegramClient
) -> None:
    seen: list[str] = []

    async def first(event: events.NewMessageEvent) -> None:
        seen.append("first")
        if event.text == "stop":
            raise StopPropagation

    async def broken(_event: events.NewMessageEvent) -> None:
        seen.append("broken")
        raise RuntimeError("a handler that fails")

    async def last(event: events.NewMessageEvent) -> None:
        seen.append(f"last {event.text}")

    async def around(event: events.Event, call: Any) -> None:
        seen.append("(")
        try:
            await call(event)
        finally:
            seen.append(")")

    ben.add_handler(last, events.NewMessage(), group=1)
    ben.add_handler(first, events.NewMessage())
    ben.add_handler(broken, events.NewMessage())
    ben.use(around)
    await ben.updates.started()
    await write(ada, "ben_writes", "go")
    await write(ada, "ben_writes", "stop")
    await until(ben, lambda: len(seen) == 12)
    assert seen == ["(", "first", ")", "(", "broken", ")", "(", "last go", ")", "(", "first", ")"]
    assert ben.updates.health().failures == 1
    with pytest.raises(TypeError, match="async"):
        ben.add_handler(print, events.NewMessage())  # type: ignore[arg-type]


async def test_pins_edits_reads_typing_and_deletions(
    ada: TelegramClient, ben: TelegramClient
) -> None:
    seen: list[Any] = []

    async def note(event: Any) -> None:
        seen.append(event)

    for pattern in (
        events.MessagesPinned(),
        events.MessageEdited(),
        events.ChatAction(),
        events.MessagesDeleted(),
        events.MessagesRead(),
        events.Typing(),
    ):
        ben.add_handler(note, pattern)
    await ben.updates.started()
    sent = await ada.invoke(api.messages.SendMessage(peer="ben_writes", message="one"))
    assert isinstance(sent, api.UpdateShortSentMessage)
    await ada.invoke(
        api.messages.SetTyping(peer="ben_writes", action=api.SendMessageTypingAction())
    )
    await ada.invoke(api.messages.EditMessage(peer="ben_writes", id=sent.id, message="two"))
    await ada.invoke(api.messages.UpdatePinnedMessage(peer="ben_writes", id=sent.id))
    await ada.invoke(api.messages.DeleteMessages(id=[sent.id], revoke=True))
    await write(ben, "ada_writes", "three")
    await ada.invoke(api.messages.ReadHistory(peer="ben_writes", max_id=0))
    await until(ben, lambda: len(seen) == 6)
    me = (await ada.get_me()).id
    assert {type(event).__name__ for event in seen} == {
        "TypingEvent",
        "MessageEditedEvent",
        "MessagesPinnedEvent",
        "ActionEvent",
        "MessagesDeletedEvent",
        "MessagesReadEvent",
    }
    by_kind = {type(event).__name__: event for event in seen}
    assert by_kind["TypingEvent"].user_id == by_kind["TypingEvent"].chat_id == me
    assert by_kind["MessageEditedEvent"].text == "two"
    assert by_kind["MessagesPinnedEvent"].pinned
    assert by_kind["MessagesPinnedEvent"].chat_id == me
    assert by_kind["MessagesPinnedEvent"].ids == by_kind["MessagesDeletedEvent"].ids
    assert by_kind["ActionEvent"].action == api.MessageActionPinMessage()
    assert by_kind["MessagesReadEvent"].outbox


async def test_a_stream_counts_an_event_as_handled_when_the_next_is_wanted(
    ada: TelegramClient, ben: TelegramClient
) -> None:
    async with ben.events(events.NewMessage()) as stream:
        await write(ada, "ben_writes", "one")
        await write(ada, "ben_writes", "two")
        assert (await anext(stream)).text == "one"  # type: ignore[type-var]
        assert ben.updates.health().open >= 1
        assert (await anext(stream)).text == "two"  # type: ignore[type-var]
    await until(ben, lambda: not ben.updates.health().open)


async def test_what_does_not_come_is_named(ada: TelegramClient, ben: TelegramClient) -> None:
    with pytest.raises(TimeoutError, match=r"^NewMessage\(outgoing\) did not come within 0 s; a"):
        await ben.wait_for(events.NewMessage(filters.outgoing), timeout=0)
    async with ben.conversation("ada_writes", timeout=0) as talk:
        with pytest.raises(TimeoutError, match="an answer of 'ada_writes' did not come"):
            await talk.answer()
    with pytest.raises(TimeoutError, match=r"^$"):  # somebody else's limit stays theirs
        async with asyncio.timeout(0):
            await ben.wait_for(events.NewMessage())


def test_mistakes_are_told_at_once() -> None:
    client = TelegramClient(StringSession(""), 1, "any")

    async def handler(event: Any) -> None:
        """Never called."""

    with pytest.raises(TypeError, match=r"NewMessage is a class: NewMessage\(\)"):
        client.on(events.NewMessage)(handler)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"such as events.NewMessage\(\), not 'hello'"):
        client.add_handler(handler, "hello")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"takes filters, such as filters.text\('hello'\)"):
        events.NewMessage("hello")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="middleware is an async function"):
        client.use(lambda event, call: None)  # type: ignore[arg-type, return-value]
    client.add_handler(partial(handler), events.NewMessage())


async def test_health_without_handlers(ben: TelegramClient) -> None:
    with pytest.raises(errors.ClientError, match="add a handler"):
        ben.updates.health()
