"""One account, several data centres: the client goes where it is sent, and remembers it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from radiogram import ServerAddress, TelegramClient, errors
from radiogram.client.sessions import MemorySession
from radiogram.server import Server, Settings
from radiogram.server.datacenter import DataCenter
from radiogram.tl import api

PHONE = "+9996621234"
GET_ME = api.users.GetUsers(id=[api.InputUserSelf()])


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(dcs=(1, 2, 4)) as server:
        server.world.add_user(PHONE, "Ann")
        yield server


def client(server: Server, session: Any = "", *, dc_id: int = 1, **options: Any) -> TelegramClient:
    """Make a client that knows one DC and no more."""
    one = server.addresses[dc_id]
    return TelegramClient(session, 1, "x", server=_only(one), **options)


def _only(one: DataCenter) -> ServerAddress:
    return ServerAddress(one.host, one.port, one.dc_id, one.public_key)


@pytest.mark.parametrize("pfs", [False, True])
async def test_a_migrating_account(server: Server, pfs: bool) -> None:
    """The phone lives in DC 2, the client begins in DC 1, a call goes to DC 4."""
    session = MemorySession()
    async with client(server, session, pfs=pfs) as one:
        assert (await one.invoke(api.help.GetConfig())).this_dc == 1
        me = await one.start(phone=PHONE, code="22222")
        assert me.first_name == "Ann"
        assert (await one.invoke(api.help.GetConfig())).this_dc == 2
        config = await one.invoke(api.help.GetConfig(), dc_id=4)
        assert config.this_dc == 4
        (same,) = await one.invoke(GET_ME, dc_id=4)
        assert isinstance(same, api.User)
        assert same.id == me.id
        (same,) = await one.invoke(GET_ME, purpose="media")
        assert isinstance(same, api.User)
        assert one.pool.open == [(2, "media"), (4, "home")]
        sessions = await one.invoke(api.account.GetAuthorizations())
        assert len(sessions.authorizations) == 1, "all of that is one login"
    data = session.data
    assert (data.dc_id, data.port) == (2, server.addresses[2].port)

    # A later run begins where the account lives, though it is told of DC 1 only.
    async with client(server, session, pfs=pfs) as later:
        assert (await later.get_me()).first_name == "Ann"
        assert (await later.invoke(api.help.GetConfig())).this_dc == 2


async def test_addresses_that_are_pushed_are_taken(server: Server) -> None:
    """updateDcOptions: where DC 4 is said to be now, the next connection goes."""
    async with client(server) as ann:
        await ann.start(phone=PHONE, code="22222")
        for port, reached in ((1, False), (0, True)):
            heard: asyncio.Queue[Any] = asyncio.Queue()
            stop = ann.on_update(heard.put_nowait)
            server.faults.push_dc_options(port)
            await asyncio.wait_for(heard.get(), 5)
            stop()
            if reached:
                assert (await ann.invoke(api.help.GetConfig(), dc_id=4)).this_dc == 4
            else:
                with pytest.raises(errors.ConnectionFailed, match=r"127\.0\.0\.1:1\b"):
                    await ann.invoke(api.help.GetConfig(), dc_id=4)


async def test_updates_come_from_the_new_home(server: Server) -> None:
    async with client(server) as ann, client(server, dc_id=4) as bob:
        me = await ann.start(phone=PHONE, code="22222")
        server.world.add_user("+4915112345678", "Bob", dc_id=4)
        other = await bob.start(phone="+4915112345678", code="12345")
        await ann.invoke(GET_ME, dc_id=4)
        await ann.invoke(GET_ME, purpose="media")
        seen: list[Any] = []
        arrived = asyncio.Event()

        def note(update: Any) -> None:
            seen.append(update)
            arrived.set()

        ann.on_update(note)
        assert (await bob.invoke(api.help.GetConfig())).this_dc == 4
        await bob.invoke(
            api.contacts.ImportContacts(
                contacts=[
                    api.InputPhoneContact(
                        client_id=1, phone=PHONE, first_name="A", last_name="", note=None
                    )
                ]
            )
        )
        await bob.send_message(me.id, "from DC 4")
        await asyncio.wait_for(arrived.wait(), 5)
        await ann.invoke(GET_ME)
        assert len(seen) == 1, "and only from there"
        assert other.id


async def test_a_bot_of_another_dc(server: Server) -> None:
    bot = server.world.add_bot("Bot", dc_id=4)
    async with client(server) as one:
        me = await one.start(bot_token=bot.token)
        assert me.id == bot.id
        assert one.session.data.dc_id == 4
        assert one.session.data.is_bot


async def test_calls_at_the_same_time_move_once(server: Server) -> None:
    async with client(server) as one:
        request = api.auth.SendCode(
            phone_number=PHONE, api_id=1, api_hash="x", settings=api.CodeSettings()
        )
        sent = await asyncio.gather(*[one.invoke(request) for _ in range(5)])
        assert all(isinstance(answer, api.auth.SentCode) for answer in sent)
        assert one.session.data.dc_id == 2
    with server.world.db.begin() as tx:
        count = tx.exec_driver_sql("SELECT count(*) FROM auth_keys").scalar()
    assert count == 2, "one key in DC 1, one in DC 2"


async def test_network_migrate(server: Server) -> None:  # E5
    server.faults.migrate("auth.sendCode", 2, "NETWORK", times=None)
    async with client(server) as one:
        me = await one.start(phone=PHONE, code="22222")
        assert me.first_name == "Ann"
        assert one.session.data.dc_id == 2


@pytest.mark.parametrize(("kind", "purpose"), [("FILE", "media"), ("STATS", "home")])
async def test_one_call_belongs_elsewhere(server: Server, kind: str, purpose: str) -> None:  # E5
    async with client(server) as one:
        await one.start(phone=PHONE, code="22222")
        server.faults.migrate("users.getUsers", 4, kind, times=None)
        (me,) = await one.invoke(GET_ME)
        assert isinstance(me, api.User)
        assert one.pool.open == [(4, purpose)]
        assert one.session.data.dc_id == 2, "the account stays"


async def test_an_account_that_is_signed_in_is_taken_along(server: Server) -> None:
    async with client(server) as one:
        me = await one.start(phone=PHONE, code="22222")
        server.faults.migrate("users.getUsers", 4, "USER", times=None)
        (same,) = await one.invoke(GET_ME)
        assert isinstance(same, api.User)
        assert same.id == me.id
        data = one.session.data
        assert (data.dc_id, data.user_id) == (4, me.id)


async def test_a_dc_that_cannot_be_reached_changes_nothing(server: Server) -> None:
    async with client(server, timeout=2) as one:
        before = one.session.data
        center = server.addresses[2]
        assert center.listener is not None
        center.listener.close()
        with pytest.raises(errors.ConnectionFailed):
            await one.send_code(PHONE)
        assert one.session.data == before
        assert (await one.invoke(api.help.GetConfig())).this_dc == 1, "and the client lives"


async def test_a_dc_that_nobody_plays(server: Server) -> None:
    async with client(server) as one:
        server.faults.migrate("auth.sendCode", 3, "PHONE")
        with pytest.raises(errors.PhoneMigrate):
            await one.send_code(PHONE)
        with pytest.raises(errors.ClientError, match="no address of DC 3"):
            await one.invoke(api.help.GetConfig(), dc_id=3)


async def test_test_numbering() -> None:  # D4, D5
    async with Server(dcs=(1, 2), settings=Settings(test_mode=True)) as server:
        server.world.add_user(PHONE, "Ann")
        async with client(server, test_mode=True, obfuscated=True) as one:
            assert (await one.start(phone=PHONE, code="22222")).first_name == "Ann"
            assert (await one.invoke(api.help.GetConfig())).test_mode
            assert one.session.data.test_mode
        with pytest.raises(errors.ConnectionFailed, match="-444"):
            await client(server).connect()


async def test_after_signing_out_the_next_account_is_imported_anew(server: Server) -> None:
    async with client(server) as one:
        await one.start(phone=PHONE, code="22222")
        await one.invoke(GET_ME, dc_id=4)
        await one.log_out()
    server.world.add_user("+9996621235", "Bob")
    async with one:
        await one.start(phone="+9996621235", code="22222")
        (me,) = await one.invoke(GET_ME, dc_id=4)
        assert isinstance(me, api.User)
        assert me.first_name == "Bob"
