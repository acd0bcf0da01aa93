"""The client for scripts without an event loop, against a server in a thread of its own."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from radiogram import api, errors
from radiogram.sessions import MemorySession
from radiogram.sync import TelegramClient
from radiogram.testing.server import API_HASH, API_ID, TelegramServer


@pytest.fixture
def people(telegram_server: TelegramServer) -> tuple[Any, Any]:
    return (
        telegram_server.make_user("Ada", username="ada_at_sea"),
        telegram_server.make_user("Ben", username="ben_ashore"),
    )


def client_of(server: TelegramServer, account: Any) -> TelegramClient:
    session = MemorySession(server.sign_in(account))
    return TelegramClient(session, API_ID, API_HASH, server=server)


def test_calls_friendly_methods_and_iterators(telegram_server: Any, people: Any) -> None:
    ada, _ = people
    with client_of(telegram_server, ada) as client:
        sent = client.invoke(api.messages.SendMessage(peer="ben_ashore", message="one"))
        assert isinstance(sent, api.UpdateShortSentMessage)
        two = client.send_message("ben_ashore", "two")
        assert client.wait(two.reply("three")).reply_to == two.id
        assert [m.text for m in client.iter_messages("ben_ashore", limit=2)] == ["three", "two"]
        for message in client.iter_messages("ben_ashore"):
            assert message.text == "three"
            break  # the rest is not asked for
        assert client.get_me().username == "ada_at_sea"
        assert client.is_connected
    assert not client.is_connected


def test_errors_arrive_where_the_call_was_made(telegram_server: Any, people: Any) -> None:
    with client_of(telegram_server, people[0]) as client:
        with pytest.raises(errors.MessageIdInvalid):
            client(api.messages.UpdatePinnedMessage(peer="me", id=43))
        with pytest.raises(errors.PeerNotFound):
            client.send_message("nobody_of_that_name", "x")


def test_conversations_and_handlers(telegram_server: Any, people: Any) -> None:
    from radiogram import events

    ada, ben = people
    told = threading.Event()
    with client_of(telegram_server, ada) as one, client_of(telegram_server, ben) as other:

        @other.on(events.NewMessage())
        async def answer(event: Any) -> None:
            if event.message.text == "ping":
                with pytest.raises(errors.ClientError, match="own thread"):
                    other.send_message("ada_at_sea", "never")
                await event.message.reply("pong")
                told.set()

        with one.conversation("ben_ashore") as talk:
            talk.send("ping")
            assert talk.answer().message.text == "pong"
        assert told.wait(5)


def test_it_says_when_it_is_not_connected_and_can_connect_again(
    telegram_server: Any, people: Any
) -> None:
    client = client_of(telegram_server, people[0])
    with pytest.raises(errors.ClientError, match="not connected"):
        client.get_me()
    for _ in range(2):
        with client:
            assert client.get_me().first_name == "Ada"
    client.disconnect()
    assert "get_me" in dir(client)
    assert not hasattr(client, "no_such_method")


def test_a_failed_connection_leaves_no_thread(telegram_server: Any) -> None:
    before = threading.active_count()
    telegram_server.stop()
    client = TelegramClient(MemorySession(), API_ID, API_HASH, server=telegram_server)
    with pytest.raises(errors.ConnectionFailed):
        client.connect()
    assert threading.active_count() == before
