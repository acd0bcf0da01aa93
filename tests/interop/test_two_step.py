"""Two-step verification as other people's clients do it, with their own arithmetic (C1.1)."""

from __future__ import annotations

import re
from typing import cast

import pytest

from .conftest import Guests, phone_of
from .drivers import CallError
from .plain import Plain

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "пароль 🔐 1"


async def test_set_log_in_change_remove(guests: Guests, library: str) -> None:
    """The library's own methods set a password, log in with it, change it and take it away."""
    user = await guests.user(library)
    phone = phone_of(user.number)
    await user.driver.set_password(None, PASSWORD, "as always")
    state = await user.call("account.getPassword")
    assert state.has_password
    assert state.hint == "as always"

    stopped = await guests.driver(library)
    with pytest.raises(CallError, match=r"^400 PASSWORD_HASH_INVALID$"):
        await stopped.login(phone, "22222", "wrong")
    with pytest.raises(CallError, match=r"^401 SESSION_PASSWORD_NEEDED$"):
        await stopped.call("updates.getState")  # C1: half logged in

    second = await guests.driver(library)
    await second.login(phone, "22222", PASSWORD)
    (me,) = await second.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert me.id == user.id

    with pytest.raises(CallError, match=r"^400 PASSWORD_HASH_INVALID$"):
        await second.set_password("wrong", "new")
    await second.set_password(PASSWORD, "new")
    await user.driver.set_password("new", None)
    assert not (await user.call("account.getPassword")).has_password
    third = await guests.driver(library)
    await third.login(phone, "22222")
    assert (await third.call("updates.getState")).kind == "updates.state"


async def test_one_sets_and_another_logs_in(guests: Guests, pair: tuple[str, str]) -> None:
    """A password is the same number to everybody, whoever has computed it (C1.1)."""
    user = await guests.user(pair[0])
    await user.driver.set_password(None, PASSWORD)
    other = await guests.driver(pair[1])
    await other.login(phone_of(user.number), "22222", PASSWORD)
    (me,) = await other.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert me.id == user.id
    await other.set_password(PASSWORD, None)


async def test_recovery_by_an_address(guests: Guests) -> None:
    """Telethon confirms an address with the code that the server shows in its log (C1.1)."""
    from .telethon_driver import TelethonDriver

    def shown(purpose: str) -> str:
        pattern = rf"an e-mail to telethon@example\.com: the code to {purpose} is (\d+)"
        return re.findall(pattern, guests.town.server.log)[-1]

    user = await guests.user("telethon")
    await cast(TelethonDriver, user.driver).set_password_with_email(
        PASSWORD, "telethon@example.com", lambda length: shown("confirm")
    )
    assert (await user.call("account.getPassword")).has_recovery

    forgetful = await guests.driver("telethon")
    with pytest.raises(CallError, match=r"^401 SESSION_PASSWORD_NEEDED$"):
        await forgetful.login(phone_of(user.number), "22222")
    found = await forgetful.call("auth.requestPasswordRecovery")
    assert found.email_pattern == "t******n@example.com"
    with pytest.raises(CallError, match=r"^400 CODE_INVALID$"):
        await forgetful.call("auth.recoverPassword", code="nonsense")
    answer = await forgetful.call("auth.recoverPassword", code=shown("recover"))
    assert answer.user.id == user.id
    assert not (await user.call("account.getPassword")).has_password
