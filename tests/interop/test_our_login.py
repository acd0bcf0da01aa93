"""Our client and Telethon at one account: each takes the other's password and QR code (C1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from telethon import TelegramClient as TelethonClient
from telethon import errors as telethon_errors
from telethon.tl.functions.auth import AcceptLoginTokenRequest

from radiogram import TelegramClient, errors
from radiogram.client.qr import read_token
from radiogram.testing.server import TelegramServer

PHONE, CODE = "+9996620077", "22222"
PASSWORD = "пароль 🔐 1"


@pytest.fixture
async def ours(telegram_server: TelegramServer) -> AsyncIterator[TelegramClient]:
    async with telegram_server.client() as client:
        yield client


@pytest.fixture
async def theirs(telegram_server: TelegramServer) -> AsyncIterator[TelethonClient]:
    client = telegram_server.telethon_client()
    await client.connect()
    yield client
    await client.disconnect()


async def test_a_password_of_one_is_a_password_of_the_other(
    telegram_server: TelegramServer, ours: TelegramClient, theirs: TelethonClient
) -> None:
    telegram_server.make_user("Anna", phone=PHONE)
    await theirs.send_code_request(PHONE)
    await theirs.sign_in(PHONE, CODE)
    await theirs.edit_2fa(new_password=PASSWORD, hint="as always")
    with pytest.raises(errors.PasswordHashInvalid):
        await ours.start(phone=PHONE, code=CODE, password="wrong")
    me = await ours.start(phone=PHONE, code=CODE, password=PASSWORD)
    assert me.first_name == "Anna"
    assert (await ours.get_two_step()).hint == "as always"

    await ours.edit_two_step(PASSWORD, "another", hint="new")
    await theirs.log_out()
    third = telegram_server.telethon_client()
    await third.connect()
    try:
        await third.send_code_request(PHONE)
        with pytest.raises(telethon_errors.SessionPasswordNeededError):
            await third.sign_in(PHONE, CODE)
        with pytest.raises(telethon_errors.PasswordHashInvalidError):
            await third.sign_in(password=PASSWORD)
        assert (await third.sign_in(password="another")).first_name == "Anna"
        await third.edit_2fa(current_password="another")
        assert not (await ours.get_two_step()).is_on
    finally:
        await third.disconnect()


async def test_ours_scans_what_telethon_shows(
    telegram_server: TelegramServer, ours: TelegramClient, theirs: TelethonClient
) -> None:
    telegram_server.make_user("Anna", phone=PHONE)
    await ours.start(phone=PHONE, code=CODE)
    shown = await theirs.qr_login()
    waiting = asyncio.ensure_future(shown.wait(20))
    await asyncio.sleep(0)
    session = await ours.accept_qr(shown.url)
    assert (await waiting).first_name == "Anna"
    assert session.id in {one.id for one in await ours.get_sessions()}
    await session.end()
    with pytest.raises((telethon_errors.UnauthorizedError, telethon_errors.RPCError)):
        await theirs(AcceptLoginTokenRequest(token=b"token"))


async def test_telethon_scans_what_ours_shows(
    telegram_server: TelegramServer, ours: TelegramClient, theirs: TelethonClient
) -> None:
    telegram_server.make_user("Anna", phone=PHONE)
    await theirs.send_code_request(PHONE)
    await theirs.sign_in(PHONE, CODE)
    await theirs.edit_2fa(new_password=PASSWORD)
    async with ours.qr_login(password=lambda: PASSWORD) as qr:
        await theirs(AcceptLoginTokenRequest(token=read_token(qr.url)))
        assert (await qr.wait(20)).first_name == "Anna"
