"""Perfect forward secrecy: the client's temporary keys against the server (A16)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from radiogram import TelegramClient, errors
from radiogram.client.environment import Environment
from radiogram.client.sessions import MemorySession
from radiogram.client.temporary import LIFETIME, RENEWAL_PAUSE, TemporaryKeySender
from radiogram.server import Clock, Server
from radiogram.server.authorizations import Authorization
from radiogram.tl import api

PHONE = "+9996621234"
GET_ME = api.users.GetUsers(id=[api.InputUserSelf()])


async def no_pause(seconds: float) -> None:
    await asyncio.sleep(0)


class Stage:
    """A server, a client that is signed in, and one clock for both."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.clock = server.world.clock
        self.session = MemorySession()
        self.client = self.make_client()

    def make_client(self, **options: Any) -> TelegramClient:
        environment = Environment(clock=self.clock.now, sleep=no_pause, jitter=lambda: 0.0)
        return TelegramClient(
            self.session, 1, "x", server=self.server, pfs=True, environment=environment, **options
        )

    @property
    def key(self) -> Authorization:
        """The temporary key in use."""
        sender = self.client._sender
        assert isinstance(sender, TemporaryKeySender)
        assert sender._session is not None
        found = self.server.world.authorizations.get(sender._session.auth_key.key_id)
        assert found is not None
        return found

    async def wait_for_another_key(self, than: Authorization) -> None:
        async with asyncio.timeout(30):
            for turn in itertools.count(1):
                if turn % 200 == 0:  # a first renewal may have met the connection that was replaced
                    self.clock.advance(RENEWAL_PAUSE)
                sender = self.client._sender
                assert isinstance(sender, TemporaryKeySender)
                session = sender._session
                ready = sender._usable.is_set() and session is not None
                if ready and session.auth_key.key_id != than.key_id:
                    return
                await asyncio.sleep(0.005)


@pytest_asyncio.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    # The clock is moved by hand, so that it has to be looked at often.
    monkeypatch.setattr("radiogram.net.deadline.LONGEST", 0.01)
    clock = Clock()
    async with Server(clock=clock) as server:
        server.world.add_user(PHONE, "Ann")
        stage = Stage(server)
        async with stage.client:
            await stage.client.start(phone=PHONE, code="22222")
            yield stage
    clock.close()


async def test_the_permanent_key_encrypts_nothing(stage: Stage) -> None:
    key = stage.key
    assert key.expires_at is not None
    assert key.permanent is not None
    assert key.permanent.key is not None
    assert key.permanent.key.data == stage.session.data.auth_key
    assert key.permanent.user_id
    assert not any(session.key is key.permanent for session in stage.server._sessions.values())


async def test_a_reconnection_keeps_the_key(stage: Stage) -> None:
    before = stage.key.key_id
    sender = stage.client._sender
    assert sender is not None
    assert sender._conn is not None
    sender._conn.abort()
    (me,) = await stage.client.invoke(GET_ME)
    assert isinstance(me, api.User)
    assert stage.key.key_id == before


async def test_a_new_process_has_a_new_key(stage: Stage) -> None:
    before = stage.key.key_id
    await stage.client.disconnect()
    stage.client = stage.make_client()
    async with stage.client:
        assert (await stage.client.get_me()).first_name == "Ann"
        assert stage.key.key_id != before


async def test_a_key_is_replaced_before_it_ends(stage: Stage) -> None:
    before, connections = stage.key, set(stage.server._connections)
    stage.clock.advance(LIFETIME * 0.75 + 10)
    await stage.wait_for_another_key(before)
    (me,) = await stage.client.invoke(GET_ME)
    assert isinstance(me, api.User)
    # The machine seems to have slept, for which a connection is replaced too; keys are counted.
    assert stage.key.permanent is not None
    assert before.permanent is None, "the old one stands for nothing any more (A16.2)"
    assert connections


@pytest.mark.slow
async def test_calls_go_on_while_a_key_is_replaced() -> None:
    """Keys that live for two seconds, and calls all the time: none is lost, none made twice."""
    async with Server() as server:
        server.world.add_user(PHONE, "Ann")
        session = MemorySession()
        client = TelegramClient(session, 1, "x", server=server, pfs=True)
        client._kind = partial(TemporaryKeySender, lifetime=2)  # type: ignore[assignment]
        async with client:
            await client.start(phone=PHONE, code="22222")
            sender = client._sender
            assert isinstance(sender, TemporaryKeySender)
            used = set()
            made = 0
            async with asyncio.timeout(20):
                while len(used) < 4:
                    assert sender._temporary is not None
                    used.add(sender._temporary.auth_key.key_id)
                    texts = [f"{made + number}" for number in range(5)]
                    await asyncio.gather(*[client.send_message("me", text) for text in texts])
                    made += len(texts)
            found = [message.text async for message in client.iter_messages("me")]
            assert sorted(found, key=int) == [str(number) for number in range(made)]


async def test_updates_go_on_with_the_new_key(stage: Stage) -> None:
    before = stage.key
    stage.clock.advance(LIFETIME * 0.75 + 10)
    await stage.wait_for_another_key(before)
    arrived = asyncio.Event()
    stage.client.on_update(lambda update: arrived.set())
    await stage.client.invoke(GET_ME)
    stage.server.world.deliver(
        stage.session.data.user_id, api.UpdateShort(update=api.UpdateConfig(), date=1)
    )
    await asyncio.wait_for(arrived.wait(), 5)


async def test_a_key_that_the_server_has_dropped(stage: Stage) -> None:  # E27
    before = stage.key
    stage.server.faults.expire_temp_keys()
    (me,) = await stage.client.invoke(GET_ME)
    assert isinstance(me, api.User)
    assert stage.key.key_id != before.key_id


async def test_a_key_that_was_unbound(stage: Stage) -> None:  # E13
    before = stage.key
    rival = Stage(stage.server)
    rival.session.data = stage.session.data
    async with rival.client:
        assert (await rival.client.get_me()).first_name == "Ann"
        assert before.permanent is None
        (me,) = await stage.client.invoke(GET_ME)
        assert isinstance(me, api.User)
        assert stage.key.key_id != before.key_id


async def test_a_permanent_key_that_was_deleted(stage: Stage) -> None:  # A16.5
    permanent = stage.key.permanent
    assert permanent is not None
    stage.clock.advance(61)
    stage.server.destroy_key(permanent)
    with pytest.raises(errors.KeyUnknown, match="sign in again"):
        await stage.client.invoke(GET_ME)


async def test_a_young_permanent_key_gets_another_chance() -> None:  # A16.5
    async with Server() as server:
        server.faults.error("auth.bindTempAuthKey", 400, "ENCRYPTED_MESSAGE_INVALID", times=2)
        async with TelegramClient("", 1, "x", server=server, pfs=True) as client:
            assert (await client.invoke(api.help.GetConfig())).this_dc == 2
    async with Server() as server:
        server.faults.error("auth.bindTempAuthKey", 400, "ENCRYPTED_MESSAGE_INVALID", times=None)
        client = TelegramClient("", 1, "x", server=server, pfs=True)
        with pytest.raises(errors.ConnectionFailed, match="pfs=False"):
            await client.connect()


@pytest.mark.parametrize(
    "message", ["TEMP_AUTH_KEY_EMPTY", "TEMP_AUTH_KEY_ALREADY_BOUND", "EXPIRES_AT_INVALID"]
)
async def test_a_key_that_cannot_be_bound_is_replaced(message: str) -> None:
    async with Server() as server:
        server.faults.error("auth.bindTempAuthKey", 400, message, times=1)
        async with TelegramClient("", 1, "x", server=server, pfs=True) as client:
            assert (await client.invoke(api.help.GetConfig())).this_dc == 2


async def test_a_server_without_temporary_keys() -> None:
    async with Server() as server:
        server.faults.error("auth.bindTempAuthKey", 404, "METHOD_INVALID", times=None)
        client = TelegramClient("", 1, "x", server=server, pfs=True)
        with pytest.raises(errors.ConnectionFailed, match="connect with pfs=False"):
            await client.connect()


async def test_a_connection_that_breaks_while_a_key_is_bound(stage: Stage) -> None:
    before = stage.key
    stage.server.faults.drop_connection("auth.bindTempAuthKey", times=1)
    stage.server.world.authorizations.destroy(before)
    (me,) = await stage.client.invoke(GET_ME)
    assert isinstance(me, api.User)


async def test_media_has_a_temporary_key_of_its_own(stage: Stage) -> None:
    home = stage.key
    (me,) = await stage.client.invoke(GET_ME, purpose="media")
    assert isinstance(me, api.User)
    (again,) = await stage.client.invoke(GET_ME)
    assert again == me
    assert stage.key.key_id == home.key_id, "neither replaced the other"
    bound = [key for key in stage.server.world.authorizations._in_use.values() if key.permanent]
    assert {key.media for key in bound} == {False, True}
