"""What ends a session: an event, one named error for every call, and not one attempt more.

The server here answers as the rules about errors and keys have it: E11, E12, E14, A2.2, A7.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from radiogram import errors, events
from radiogram.client.client import TelegramClient
from radiogram.mtproto import events as engine
from radiogram.sessions import SqliteSession
from radiogram.tl import api
from tests.client.fake import KNOWN, FakeServer, Sleeps, known_session, make_client, refused

STATE = api.updates.State(pts=1, qts=0, date=1, seq=0, unread_count=0)
PING = api.help.GetNearestDc
PONG = api.NearestDc(country="", this_dc=2, nearest_dc=2)

ENDINGS = [
    (401, "AUTH_KEY_UNREGISTERED"),  # E11
    (401, "AUTH_KEY_INVALID"),  # E12
    (401, "SESSION_REVOKED"),
    (401, "SESSION_EXPIRED"),
    (401, "USER_DEACTIVATED"),
    (401, "USER_DEACTIVATED_BAN"),
    (406, "AUTH_KEY_DUPLICATED"),  # E14
]


def ordinary(request: Any) -> Any:
    if isinstance(request, api.updates.GetState):
        return STATE
    if isinstance(request, api.updates.GetDifference):
        return api.updates.DifferenceEmpty(date=1, seq=0)
    return PONG if isinstance(request, PING) else None


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not happen")


async def settle() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.answer = ordinary
    return server


class Party:
    """A client that is signed in, follows its updates, and notes how it ends."""

    def __init__(self, server: FakeServer, **options: Any) -> None:
        self.server = server
        self.sleeps = Sleeps()
        session = options.pop("session", None) or known_session()
        session.data = replace(session.data, user_id=7)
        self.client = make_client(server, session, sleep=self.sleeps, **options)
        self.ended: list[events.SessionEndedEvent] = []
        self.lost: list[events.ConnectionLostEvent] = []
        self.raw: list[events.Event] = []

        @self.client.on(events.SessionEnded())
        async def ended(event: events.SessionEndedEvent) -> None:
            self.ended.append(event)

        @self.client.on(events.ConnectionLost())
        async def lost(event: events.ConnectionLostEvent) -> None:
            self.lost.append(event)

        @self.client.on(events.Raw())
        async def raw(event: events.Event) -> None:
            self.raw.append(event)

    async def come(self) -> TelegramClient:
        await self.client.connect()
        await self.client.updates.started()
        await settle()
        return self.client


@pytest.mark.parametrize(("code", "name"), ENDINGS, ids=[name for _, name in ENDINGS])
async def test_an_error_that_ends_the_session(server: FakeServer, code: int, name: str) -> None:
    party = Party(server)
    client = await party.come()
    other = asyncio.ensure_future(client.invoke(api.help.GetSupport()))  # is left without an answer
    await until(lambda: server.executed(api.help.GetSupport))
    before = len(server.calls)
    server.answer = lambda request: (code, name)
    error = type(errors.rpc_error(code, name))
    for call in (client.invoke(PING()), other, client.invoke(PING()), client.invoke(PING())):
        with pytest.raises(error) as raised:
            await call
        assert raised.value.code == code
    await settle()
    assert len(server.calls) == before + 1, "one call was answered; no other was sent"
    assert len(server.dialled) == 1
    assert party.sleeps.pauses == []
    assert not client.is_connected
    (event,) = party.ended
    assert (event.reason, event.key) == (name, f"Ended:{name}")
    assert isinstance(event.error, error)
    assert "sign in" in event.remedy
    assert event.chat_id is None
    assert not party.lost
    assert not party.raw
    assert client.session.data.auth_key == KNOWN.data, "the session is left as it is"
    assert client.session.data.user_id == 7
    await client.disconnect()


@pytest.mark.parametrize("waiting", [False, True])
async def test_a_key_that_the_server_does_not_know(server: FakeServer, waiting: bool) -> None:
    """A2.2, A2.6; found by a call, or when a lost connection is replaced."""
    party = Party(server)
    client = await party.come()
    server.keys.clear()
    if waiting:
        server.break_connections()
        await until(lambda: len(server.dialled) == 2)
    for _ in range(3):
        with pytest.raises(errors.KeyUnknown, match="-404"):
            await client.invoke(PING())
    await settle()
    assert len(server.dialled) == 1 + waiting
    assert [event.reason for event in party.ended] == ["KEY_UNKNOWN"]
    await client.disconnect()


async def test_a_key_that_was_destroyed(server: FakeServer) -> None:  # A7.5
    party = Party(server)
    client = await party.come()
    sender = client._sender
    assert sender is not None
    sender._handle([engine.AuthKeyDestroyed()])
    with pytest.raises(errors.KeyDestroyed):
        await client.invoke(PING())
    await settle()
    assert len(server.dialled) == 1
    assert [event.reason for event in party.ended] == ["KEY_DESTROYED"]
    await client.disconnect()


async def test_giving_up_is_told_as_well(server: FakeServer) -> None:
    party = Party(server, reconnect_attempts=3)
    client = await party.come()
    server.failures = [refused() for _ in range(10)]
    server.break_connections()
    await until(lambda: party.lost)
    (event,) = party.lost
    assert isinstance(event.error, errors.ConnectionFailed)
    assert event.reason == "ConnectionFailed"
    assert "connect()" in event.remedy
    assert not party.ended
    assert len(server.dialled) == 4
    await settle()
    assert len(server.dialled) == 4
    await client.disconnect()


async def test_after_a_lost_connection_updates_go_on(server: FakeServer) -> None:
    party = Party(server, reconnect_attempts=1)
    client = await party.come()
    begun: list[str] = []
    hang = asyncio.Event()

    @client.on(events.Typing())
    async def slow(event: events.TypingEvent) -> None:
        begun.append(event.key)
        await hang.wait()

    typing = api.UpdateShort(
        update=api.UpdateUserTyping(user_id=1, action=api.SendMessageTypingAction()), date=1
    )
    server.push(typing)
    await until(lambda: begun)
    server.failures = [refused()]
    server.break_connections()
    await until(lambda: party.lost)
    before = server.executed(api.updates.GetDifference)
    await client.connect()
    await client.updates.started()
    await until(lambda: server.executed(api.updates.GetDifference) == before + 1)
    server.push(typing)
    await until(lambda: len(begun) == 2)
    await client.disconnect()


async def test_readers_are_told_before_they_end(server: FakeServer) -> None:
    party = Party(server)
    client = await party.come()
    async with client.events(events.SessionEnded()) as ends, client.events(events.Typing()) as more:
        server.answer = lambda request: (401, "SESSION_REVOKED")
        with pytest.raises(errors.SessionRevoked):
            await client.invoke(PING())
        assert (await anext(aiter(ends))).reason == "SESSION_REVOKED"
        for stream in (ends, more):
            with pytest.raises(errors.SessionRevoked):
                await anext(aiter(stream))
    await client.disconnect()


@pytest.mark.parametrize("how", ["disconnect", "connect"])
async def test_a_handler_may_go_on(server: FakeServer, how: str) -> None:
    party = Party(server)
    client = await party.come()
    done = asyncio.Event()

    @client.on(events.SessionEnded())
    async def react(event: events.SessionEndedEvent) -> None:
        action: Callable[[], Awaitable[None]] = getattr(event.client, how)
        await action()
        done.set()

    server.answer = lambda request: (401, "SESSION_REVOKED") if isinstance(request, PING) else None
    with pytest.raises(errors.SessionRevoked):
        await client.invoke(PING())
    await done.wait()
    assert client.is_connected == (how == "connect")
    await client.disconnect()


async def test_handlers_hear_of_it_though_the_program_disconnects_at_once(
    server: FakeServer,
) -> None:
    party = Party(server)
    await party.come()
    server.answer = lambda request: (401, "SESSION_REVOKED")
    with pytest.raises(errors.SessionRevoked):
        async with party.client as client:
            await client.invoke(PING())
    assert len(party.ended) == 1


@pytest.mark.parametrize(("code", "name"), ENDINGS[:1] + ENDINGS[2:6], ids=str)
async def test_nobody_signed_in_is_no_end(server: FakeServer, code: int, name: str) -> None:
    """Asking who is signed in, or signing in to a deleted account, gets the same answers."""
    client = make_client(server)
    async with client:
        server.answer = lambda request: (code, name)
        with pytest.raises(errors.Unauthorized):
            await client.invoke(PING())
        assert client.is_connected


async def test_other_errors_of_401_are_no_end(server: FakeServer) -> None:
    party = Party(server)
    client = await party.come()
    server.answer = lambda request: (401, "SESSION_PASSWORD_NEEDED")
    with pytest.raises(errors.SessionPasswordNeeded):
        await client.invoke(PING())
    assert client.is_connected
    await client.disconnect()


async def test_signing_in_again_with_a_session_that_was_ended(server: FakeServer) -> None:
    party = Party(server)
    client = party.client
    user = api.User(id=8, access_hash=1, first_name="Ada")

    def answer(request: Any) -> Any:
        if isinstance(request, api.auth.ImportBotAuthorization):
            return api.auth.Authorization(user=user)
        if isinstance(request, api.users.GetUsers):
            return (401, "AUTH_KEY_UNREGISTERED")
        return ordinary(request)

    server.answer = answer
    await client.start(bot_token="1:token")
    assert client.session.data.user_id == 8
    assert client.session.data.auth_key == KNOWN.data
    assert [event.reason for event in party.ended] == ["AUTH_KEY_UNREGISTERED"]
    await client.disconnect()


async def test_the_file_of_a_session_stays(server: FakeServer, tmp_path: Any) -> None:
    path = tmp_path / "ada.session"
    session = SqliteSession(path)
    session.data = known_session().data
    party = Party(server, session=session)
    client = await party.come()
    server.answer = lambda request: (406, "AUTH_KEY_DUPLICATED")
    with pytest.raises(errors.AuthKeyDuplicated):
        await client.invoke(PING())
    await client.disconnect()
    session.close()
    again = SqliteSession(path)
    assert (again.data.auth_key, again.data.user_id) == (KNOWN.data, 7)
    again.close()
