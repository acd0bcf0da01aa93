"""Signing up, signing in and out, users and bots (C1, D8, D9), by other people's clients."""

from __future__ import annotations

import pytest

from .conftest import Guests, phone_of
from .drivers import API_HASH, API_ID, CallError, Driver
from .plain import Plain

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def send_code(driver: Driver, phone: str) -> Plain:
    return await driver.call(
        "auth.sendCode",
        phone_number=phone,
        api_id=API_ID,
        api_hash=API_HASH,
        settings=Plain("codeSettings"),
    )


async def test_sign_up(guests: Guests, library: str) -> None:
    """An unknown number gets an account by signUp with the code that signIn accepted (D9)."""
    driver = await guests.driver(library)
    phone = guests.town.new_phone()

    sent = await send_code(driver, phone)
    assert sent.kind == "auth.sentCode"
    assert sent.type == Plain("auth.sentCodeTypeSms", length=5)  # no other session: C1, sendCode

    known = {"phone_number": phone, "phone_code_hash": sent.phone_code_hash}
    with pytest.raises(CallError, match=r"^400 PHONE_CODE_INVALID$"):
        await driver.call("auth.signIn", **known, phone_code="11111")

    answer = await driver.call("auth.signIn", **known, phone_code="22222")
    assert answer.kind == "auth.authorizationSignUpRequired"

    with pytest.raises(CallError, match=r"^400 FIRSTNAME_INVALID$"):
        await driver.call("auth.signUp", **known, first_name="", last_name="")
    answer = await driver.call("auth.signUp", **known, first_name="Ada", last_name="L")
    assert answer.kind == "auth.authorization"
    assert (answer.user.first_name, answer.user.last_name) == ("Ada", "L")
    assert answer.user.phone == phone
    assert answer.user.self

    state = await driver.call("updates.getState")
    assert state.pts >= 1  # C6.1: Telethon takes 0 for "no state"


async def test_sign_up_by_the_library(guests: Guests) -> None:
    """GramJS's own start() signs an unknown number up; Telethon gave that up."""
    driver = await guests.driver("gramjs")
    phone = guests.town.new_phone()

    await driver.login(phone, "22222")

    (me,) = await driver.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert (me.phone, me.first_name) == (phone, "Nobody")


async def test_the_code_of_a_number_is_used_once(guests: Guests, library: str) -> None:
    """A hash that was used, or never given out, is expired (C1, signIn)."""
    driver = await guests.driver(library)
    phone = phone_of(next(guests.town.users))
    sent = await send_code(driver, phone)
    for code_hash in ("", "never-given-out"):
        with pytest.raises(CallError, match=r"^400 PHONE_CODE_(EXPIRED|HASH_EMPTY)$"):
            await driver.call(
                "auth.signIn", phone_number=phone, phone_code_hash=code_hash, phone_code="22222"
            )
    answer = await driver.call(
        "auth.signIn",
        phone_number=phone,
        phone_code_hash=sent.phone_code_hash,
        phone_code="22222",
    )
    assert answer.user.phone == phone
    with pytest.raises(CallError, match=r"^400 PHONE_CODE_EXPIRED$"):
        await driver.call(
            "auth.signIn",
            phone_number=phone,
            phone_code_hash=sent.phone_code_hash,
            phone_code="22222",
        )


async def test_second_session_is_told_to_the_first(guests: Guests, pair: tuple[str, str]) -> None:
    """With a session elsewhere the code comes by the app, from 777000 (C1, sendCode; D9)."""
    first = await guests.user(pair[0])
    second = await guests.driver(pair[1])

    sent = await send_code(second, phone_of(first.number))
    assert sent.type == Plain("auth.sentCodeTypeApp", length=5)
    message = await first.expect_message()
    assert message.peer_id == Plain("peerUser", user_id=777000)
    assert "22222" in message.message

    answer = await second.call(
        "auth.signIn",
        phone_number=phone_of(first.number),
        phone_code_hash=sent.phone_code_hash,
        phone_code="22222",
    )
    assert answer.user.id == first.id
    await first.expect("updateNewAuthorization")

    known = await first.call("account.getAuthorizations")
    assert [entry.hash for entry in known.authorizations if entry.current] == [0]
    assert len(known.authorizations) == 2


async def test_bot_login(guests: Guests, library: str) -> None:
    """A bot signs in by its token; a token nobody has is refused (C1, D8)."""
    bot = await guests.bot(library)
    assert bot.user.bot
    assert bot.user.bot_info_version
    assert bot.user.phone is None
    assert bot.user.username == bot.username

    driver = await guests.driver(library)
    with pytest.raises(CallError, match=r"^400 ACCESS_TOKEN_INVALID$"):
        await driver.call(
            "auth.importBotAuthorization",
            flags=0,
            api_id=API_ID,
            api_hash=API_HASH,
            bot_auth_token="7000000:nobody-has-this-token-nobody-at-all",
        )


async def test_without_login(guests: Guests, library: str) -> None:
    """Before login most methods are refused, and a later login mends it (A11.7)."""
    driver = await guests.driver(library)
    with pytest.raises(CallError, match=r"^401 AUTH_KEY_UNREGISTERED$"):
        await driver.call("updates.getState")
    await driver.login(phone_of(next(guests.town.users)), "22222")
    assert (await driver.call("updates.getState")).kind == "updates.state"


async def test_another_number(guests: Guests, pair: tuple[str, str]) -> None:
    """account.changePhone: the account is found under its new number, and nobody else is (C1)."""
    user = await guests.user(pair[0])
    phone = guests.town.new_phone()
    sent = await user.call(
        "account.sendChangePhoneCode", phone_number=phone, settings=Plain("codeSettings")
    )
    assert sent.type == Plain("auth.sentCodeTypeSms", length=5)
    known = {"phone_number": phone, "phone_code_hash": sent.phone_code_hash}
    with pytest.raises(CallError, match=r"^400 PHONE_CODE_INVALID$"):
        await user.call("account.changePhone", **known, phone_code="11111")
    changed = await user.call("account.changePhone", **known, phone_code="22222")
    assert (changed.id, changed.phone, changed.self) == (user.id, phone, True)

    second = await guests.driver(pair[1])
    await second.login(phone, "22222")
    (me,) = await second.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert (me.id, me.phone) == (user.id, phone)


async def test_log_out_ends_this_session_only(guests: Guests, pair: tuple[str, str]) -> None:
    """auth.logOut makes the key unregistered; other sessions go on (C1, logOut)."""
    staying = await guests.user(pair[1])
    leaving = await guests.user(pair[0], staying.number)
    assert leaving.id == staying.id

    assert (await leaving.call("auth.logOut")).kind == "auth.loggedOut"
    leaving.gone = True

    with pytest.raises(CallError, match=r"^401 AUTH_KEY_UNREGISTERED$"):
        await leaving.call("users.getUsers", id=[Plain("inputUserSelf")])
    (me,) = await staying.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert me.id == staying.id


async def test_reconnecting_keeps_the_login(guests: Guests, library: str) -> None:
    """A session that comes back with its key is still logged in (A7.6)."""
    user = await guests.user(library)
    await user.driver.leave()
    await user.driver.come_back()
    (me,) = await user.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert me.id == user.id
