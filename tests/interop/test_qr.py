"""Logging in by a QR code as other people's clients do it (C1, api/qr-login)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from .account import Account
from .conftest import Guests
from .plain import Plain

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "only mine"


def scanned_by(account: Account) -> Callable[[bytes], Awaitable[None]]:
    """Return what accepts a token with a session of `account`."""

    async def accept(token: bytes) -> None:
        accepted = await account.call("auth.acceptLoginToken", token=token)
        assert accepted.kind == "authorization"

    return accept


async def test_qr(guests: Guests, pair: tuple[str, str]) -> None:
    """One library shows a token and waits for updateLoginToken, another accepts it."""
    user = await guests.user(pair[1])
    shows = await guests.driver(pair[0])
    await shows.login_by_qr(scanned_by(user))
    (me,) = await shows.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert me.id == user.id
    await user.expect("updateNewAuthorization")


async def test_qr_and_password(guests: Guests, pair: tuple[str, str]) -> None:
    """An account with a password wants it after its token was accepted, too."""
    user = await guests.user(pair[1])
    await user.driver.set_password(None, PASSWORD)
    shows = await guests.driver(pair[0])
    await shows.login_by_qr(scanned_by(user), PASSWORD)
    (me,) = await shows.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert me.id == user.id
