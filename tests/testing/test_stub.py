"""StubTelegram: calls that were announced, and those that were not."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram import TelegramClient, api, errors, events
from radiogram.errors import EncodeError
from radiogram.testing import StubTelegram
from radiogram.testing.stub import UnexpectedCall

ADA = api.User(id=6, access_hash=1, first_name="Ada", username="Ada_Writes")


def message(text: str) -> api.UpdateNewMessage:
    return api.UpdateNewMessage(
        message=api.Message(id=1, peer_id=api.PeerUser(user_id=5), date=0, message=text),
        pts=2,
        pts_count=1,
    )


async def greet(client: TelegramClient) -> str:
    config = await client.invoke(api.help.GetNearestDc())
    await client(api.messages.SendMessage(peer="me", message=f"hello {config.country}"))
    return config.country


async def test_calls_are_answered_as_announced() -> None:
    with StubTelegram() as client:
        client.expect(api.help.GetNearestDc).answer(
            api.NearestDc(country="DE", this_dc=2, nearest_dc=2)
        )
        sent = client.expect("messages.sendMessage", message="hello DE")
        assert await greet(client) == "DE"
    assert sent.calls == [api.messages.SendMessage(peer="me", message="hello DE")]
    assert [call.TL_NAME for call in client.calls] == ["help.getNearestDc", "messages.sendMessage"]


async def test_an_unexpected_call_says_what_was_expected() -> None:
    client = StubTelegram()
    client.expect(api.messages.SendMessage, message="hello", peer=lambda peer: peer == "me")
    client.expect(api.help.GetConfig).times(2)
    with pytest.raises(UnexpectedCall) as caught:
        await client(api.messages.SendMessage(peer="me", message="goodbye"))
    assert str(caught.value).splitlines() == [
        "unexpected call messages.sendMessage(peer='me', message='goodbye')",
        "expected were:",
        "  messages.sendMessage(message='hello', peer=<fits <lambda>>) - message is 'goodbye'",
        "  help.getConfig(), 2 times - another method",
    ]
    with pytest.raises(UnexpectedCall):  # though the program may have swallowed it
        client.check()


async def test_a_call_that_is_missing_is_named() -> None:
    client = StubTelegram()
    client.expect(api.messages.SendMessage, message="hello")
    client.expect(api.help.GetConfig).times(None)
    with pytest.raises(
        AssertionError, match=r"not called:\n  messages.sendMessage\(message='hello"
    ):
        client.check()
    with pytest.raises(KeyError), client:  # an error in the block is not hidden by another
        raise KeyError


async def test_errors_are_raised() -> None:
    with StubTelegram() as client:
        client.expect(api.messages.SendMessage).flood_wait(30)
        client.expect(api.messages.SendMessage).error(400, "PEER_ID_INVALID").times(2)
        client.expect(api.messages.SendMessage).raises(errors.ConnectionFailed("away"))
        request = api.messages.SendMessage(peer="me", message="x")
        with pytest.raises(errors.FloodWait) as caught:
            await client(request)
        assert (caught.value.seconds, caught.value.request) == (30, request)
        for _ in range(2):
            with pytest.raises(errors.PeerIdInvalid):
                await client(request)
        with pytest.raises(errors.ConnectionFailed):
            await client(request)


async def test_the_order_may_matter() -> None:
    client = StubTelegram(ordered=True)
    client.expect(api.account.UpdateStatus, offline=False)
    client.expect(api.account.UpdateStatus, offline=True)
    with pytest.raises(UnexpectedCall, match="its turn comes later"):
        await client(api.account.UpdateStatus(offline=True))
    assert await client(api.account.UpdateStatus(offline=False)) is True
    assert await client(api.account.UpdateStatus(offline=True)) is True
    with pytest.raises(UnexpectedCall, match="was called already"):
        await client(api.account.UpdateStatus(offline=True))


async def test_answers_are_of_the_right_type() -> None:
    client = StubTelegram()
    with pytest.raises(EncodeError):
        client.expect(api.help.GetNearestDc).answer(True)  # type: ignore[arg-type]
    client.expect(api.help.GetNearestDc)
    with pytest.raises(AssertionError, match=r"what is the answer\? A NearestDc"):
        await client(api.help.GetNearestDc())
    client.expect(api.account.CheckUsername).answer(lambda call: call.username == "free").times(2)
    assert await client(api.account.CheckUsername(username="free"))
    assert not await client(api.account.CheckUsername(username="taken"))


def test_what_does_not_exist_cannot_be_expected() -> None:
    client = StubTelegram()
    with pytest.raises(TypeError, match=r"there is no method 'messages\.SendMessage'"):
        client.expect("messages.SendMessage")
    with pytest.raises(TypeError, match=r"no field 'text'; it has .*message"):
        client.expect(api.messages.SendMessage, text="x")


async def test_updates_reach_everybody() -> None:
    heard: list[Any] = []
    client = StubTelegram()
    client.on_update(heard.append)
    stream = client.updates()

    @client.on(events.NewMessage())
    async def handle(event: events.NewMessageEvent) -> None:
        heard.append(event.text)

    async with client:
        me = await client.start()
        await client.push(message("hi"), api.UpdatesTooLong())
    assert [update async for update in stream] == [heard[0], api.UpdatesTooLong()]
    assert heard[1:] == ["hi", api.UpdatesTooLong()]
    assert me == await client.get_me()
    assert await client.is_authorized()


async def test_a_conversation_is_scripted_with_events() -> None:
    with StubTelegram() as client:
        async with client.events(events.NewMessage()) as stream:
            await client.push(api.UpdateShort(update=message("early"), date=0))
            assert (await anext(stream)).text == "early"


async def test_friendly_methods_are_compared_by_what_the_program_wrote() -> None:
    with StubTelegram() as client:
        client.expect(api.messages.SendMessage, peer="@ada_lovelace", message="one")
        client.expect(api.messages.SendMessage, peer=5, message="two").times(2)
        client.expect(
            "messages.sendMessage", peer=api.InputPeerChannel(channel_id=3, access_hash=0)
        )
        client.expect("messages.sendMessage", peer="me")
        sent = await client.send_message("@ada_lovelace", "one")
        assert (sent.id, sent.text, sent.out) == (1, "one", True)
        assert sent.chat_id == await client.marked_id("@ada_lovelace")
        assert (await client.send_message(5, "two")).chat_id == 5
        await client.send_message(api.PeerUser(user_id=5), "two")
        await client.send_message(api.PeerChannel(channel_id=3), "three")
        await client.push(api.Updates(users=[ADA], updates=[], chats=[], date=0, seq=0))
        assert await client.marked_id("@ada_writes") == 6
        assert (await client.send_message("me", "four")).chat_id == client.me.id


async def test_an_event_is_answered() -> None:
    with StubTelegram() as client:

        @client.on(events.NewMessage())
        async def answer(event: events.NewMessageEvent) -> None:
            await event.reply("well")
            await event.respond("and more")

        client.expect(api.messages.SendMessage, peer=5, message="well")
        client.expect(api.messages.SendMessage, peer=5, message="and more", reply_to=None)
        message = api.Message(id=1, peer_id=api.PeerUser(user_id=5), date=0, message="hello")
        await client.push(api.UpdateNewMessage(message=message, pts=1, pts_count=1))


async def test_only_methods_are_called() -> None:
    with pytest.raises(EncodeError, match="takes a method"):
        await StubTelegram().invoke(api.InputPeerSelf())  # type: ignore[arg-type]
