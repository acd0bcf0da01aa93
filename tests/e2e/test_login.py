"""Logins as a person does them, against the embedded server over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from radiogram import TelegramClient, errors
from radiogram.server import Server
from radiogram.server.settings import Settings

PHONE, CODE = "+9996620001", "22222"
PASSWORD = "correct horse"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(settings=Settings(future_auth_tokens="always")) as server:
        yield server


@pytest.fixture
def clients(server: Server) -> Clients:
    return Clients(server)


class Clients:
    """Makes clients of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __call__(self, session: Any = "", **options: Any) -> TelegramClient:
        return TelegramClient(session, 1, "hash", server=self._server, **options)


# ── codes ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_code_comes_to_the_app_and_then_by_sms(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    async with clients() as first, clients() as second:
        sent = await first.send_code(PHONE)
        assert sent.way == "sms"
        assert await sent.sign_in(CODE) is not None
        sent = await second.send_code(PHONE)
        assert (sent.way, sent.next_way, sent.length) == ("app", "sms", 5)
        old = sent.phone_code_hash
        await sent.resend()
        assert sent.way == "sms"
        me = await sent.sign_in(CODE)
        assert me is not None
        with pytest.raises(errors.PhoneCodeExpired):
            await second.sign_in(PHONE, CODE, old)


async def test_a_code_that_was_cancelled_lets_nobody_in(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    async with clients() as client:
        sent = await client.send_code(PHONE)
        await sent.cancel()
        with pytest.raises(errors.PhoneCodeExpired):
            await sent.sign_in(CODE)


async def test_a_code_that_expired_while_somebody_looked_for_it(
    server: Server, clients: Clients
) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    calls = 0

    def code() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            server.world.clock.advance(3600)
        return CODE

    async with clients() as client:
        me = await client.start(phone=PHONE, code=code)
    assert me.first_name == "Anna"
    assert calls == 2


async def test_the_second_login_after_a_log_out_needs_no_code(
    server: Server, clients: Clients
) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    client = clients()
    me = await client.start(phone=PHONE, code=CODE)
    await client.log_out()
    assert len(client.future_auth_tokens) == 1
    assert await client.start(phone=PHONE) == me, "no code was asked for"
    await client.disconnect()


# ── the password ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
async def test_a_password_is_set_wanted_changed_and_removed(
    server: Server, clients: Clients
) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    async with clients() as owner:
        await owner.start(phone=PHONE, code=CODE)
        state = await owner.edit_two_step(new=PASSWORD, hint="a comic")
        assert (state.is_on, state.hint, state.has_recovery) == (True, "a comic", False)
        async with clients() as other:
            with pytest.raises(errors.PasswordHashInvalid):
                await other.start(phone=PHONE, code=CODE, password="wrong")
            assert not await other.is_authorized()
            passwords = iter(["wrong", PASSWORD])
            await other.start(phone=PHONE, code=CODE, password=lambda: next(passwords))
            assert await other.is_authorized()
        await owner.edit_two_step(PASSWORD, "another", hint="")
        with pytest.raises(errors.PasswordHashInvalid):
            await owner.edit_two_step(PASSWORD, "third")
        assert not (await owner.edit_two_step("another", "")).is_on
        async with clients() as third:
            await third.start(phone=PHONE, code=CODE)


@pytest.mark.slow
async def test_a_forgotten_password_is_recovered_by_email(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    async with clients() as owner, clients() as other:
        await owner.start(phone=PHONE, code=CODE)
        state = await owner.edit_two_step(new=PASSWORD, email="anna@example.org")
        assert state.unconfirmed_email is not None
        assert not state.is_on, "the password waits for the address"
        state = await owner.confirm_two_step_email(mail(server))
        assert (state.is_on, state.has_recovery, state.unconfirmed_email) == (True, True, None)

        with pytest.raises(errors.ClientError, match="password="):
            await other.start(phone=PHONE, code=CODE)
        pattern = await other.request_recovery()
        assert pattern.endswith("example.org")
        me = await other.recover_two_step(mail(server), "another")
        assert me.first_name == "Anna"
        assert (await owner.get_two_step()).is_on
        assert not (await owner.edit_two_step("another", "")).is_on


@pytest.mark.slow
async def test_a_reset_waits_a_week_on_the_servers_clock(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    server.world.clock.freeze()
    async with clients() as owner:
        await owner.start(phone=PHONE, code=CODE)
        await owner.edit_two_step(new=PASSWORD)
        asked = await owner.reset_two_step()
        week = server.world.clock.now() + 7 * 86400
        assert asked.at == datetime.fromtimestamp(int(week), UTC)
        assert not asked.done
        assert (await owner.get_two_step()).reset_at == asked.at
        await owner.cancel_two_step_reset()
        assert (await owner.reset_two_step()).refused_until is not None
        server.world.clock.advance(7 * 86400)
        assert not (await owner.reset_two_step()).done
        server.world.clock.advance(7 * 86400)
        assert (await owner.reset_two_step()).done
        assert not (await owner.get_two_step()).is_on


# ── QR ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_code_is_scanned_by_another_device(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    async with clients() as phone, clients(app_version="desktop") as desktop:
        await phone.start(phone=PHONE, code=CODE)
        async with desktop.qr_login() as qr:
            waiting = asyncio.create_task(qr.wait(timeout=20))
            accepted = await phone.accept_qr(qr.url)
            assert "desktop" in accepted.app
            assert (await waiting).first_name == "Anna"
        assert await desktop.is_authorized()
        assert len(await phone.get_sessions()) == 2


@pytest.mark.slow
async def test_a_scanned_code_may_still_want_the_password(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    async with clients() as phone, clients() as desktop:
        await phone.start(phone=PHONE, code=CODE)
        await phone.edit_two_step(new=PASSWORD)
        async with desktop.qr_login(password=PASSWORD) as qr:
            await phone.accept_qr(qr.token)
            assert (await qr.wait(timeout=20)).first_name == "Anna"


async def test_an_old_code_is_refused_and_a_new_one_shown(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    due = asyncio.Event()
    renewed = asyncio.Event()

    def show(url: str) -> None:
        shown.append(url)
        if len(shown) == 2:
            renewed.set()

    async def sleep(_: float) -> None:
        await due.wait()
        due.clear()

    shown: list[str] = []
    async with clients() as phone, clients() as desktop:
        await phone.start(phone=PHONE, code=CODE)
        desktop._env = replace_sleep(desktop, sleep)
        async with desktop.qr_login(show=show) as qr:
            waiting = asyncio.create_task(qr.wait(timeout=20))
            server.world.clock.advance(31)
            with pytest.raises(errors.AuthTokenExpired):
                await phone.accept_qr(qr.url)
            due.set()
            async with asyncio.timeout(10):
                await renewed.wait()
            await phone.accept_qr(shown[1])
            await waiting
    assert len(set(shown)) == 2


async def test_an_account_in_another_data_centre_is_followed() -> None:
    async with Server(dc_id=2, dcs=(2, 4)) as server:
        server.world.add_user(phone=PHONE, first_name="Anna", dc_id=4)
        clients = Clients(server)
        async with clients() as phone, clients() as desktop:
            await phone.start(phone=PHONE, code=lambda: server.world.login_code("9996620001"))
            assert phone.session.data.dc_id == 4
            async with desktop.qr_login() as qr:
                assert desktop.session.data.dc_id == 2
                await phone.accept_qr(qr.url)
                assert (await qr.wait(timeout=20)).first_name == "Anna"
            assert desktop.session.data.dc_id == 4
            assert await desktop.is_authorized()


# ── sessions, and the end of an account ──────────────────────────────────────────────────────────


async def test_sessions_are_listed_and_ended(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    async with clients(device_model="Laptop") as here, clients(device_model="Phone") as there:
        await here.start(phone=PHONE, code=CODE)
        await there.start(phone=PHONE, code=CODE)
        sessions = await here.get_sessions()
        assert {one.raw.device_model: one.is_current for one in sessions} == {
            "Laptop": True, "Phone": False,
        }  # fmt: skip
        await next(one for one in sessions if not one.is_current).end()
        with pytest.raises(errors.Unauthorized):
            await there.get_me()
        with pytest.raises(errors.HashInvalid):
            await here.end_session(12345)
        async with clients() as third:
            await third.start(phone=PHONE, code=CODE)
            await here.end_other_sessions()
            assert len(await here.get_sessions()) == 1


async def test_another_number(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    server.world.add_user(phone="+9996620007", first_name="Berta")
    ways: list[str] = []

    def code(sent: Any) -> str:
        ways.append(sent.way)
        return CODE if len(ways) > 1 else "11111"

    async with clients() as client:
        me = await client.start(phone=PHONE, code=CODE)
        with pytest.raises(errors.PhoneNumberOccupied):
            await client.change_phone("+9996620007", code)
        with pytest.raises(errors.PhoneNumberInvalid):
            await client.change_phone("my new one", code)
        with pytest.raises(errors.AnswerMissing, match=r"change_phone\(code=\)"):
            await client.change_phone("+9996620008")
        changed = await client.change_phone("+9996620008", code)
        assert (changed.id, changed.phone) == (me.id, "9996620008")
        assert ways == ["sms", "sms"]
        assert (await client.get_me()).phone == "9996620008"


@pytest.mark.slow
async def test_an_account_ends(server: Server, clients: Clients) -> None:
    server.world.add_user(phone=PHONE, first_name="Anna")
    client = clients()
    await client.start(phone=PHONE, code=CODE)
    await client.edit_two_step(new=PASSWORD)
    with pytest.raises(errors.ClientError, match="nothing was deleted"):
        await client.delete_account(phone="+9996620002", password=PASSWORD)
    await client.delete_account(phone=PHONE, password=PASSWORD)
    assert not client.session.data.auth_key
    async with clients() as again:
        me = await again.start(phone=PHONE, code=CODE, first_name="Berta")
    assert me.first_name == "Berta"


def mail(server: Server) -> str:
    """Return the code of the last e-mail that the server would have sent."""
    return server.world.mails[-1].code


def replace_sleep(client: TelegramClient, sleep: Any) -> Any:
    from msgspec.structs import replace

    return replace(client.environment, sleep=sleep)
