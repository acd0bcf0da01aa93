"""Logging in by a QR code as other people's clients do it (C1, api/qr-login)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from ..served import Served
from .account import Account
from .conftest import Guests, Town
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


@pytest.mark.parametrize("library", ["telethon", "gramjs", "mtcute"])
async def test_qr_of_an_account_that_lives_elsewhere(town: Town, library: str) -> None:
    """loginTokenMigrateTo: the library goes to the account's DC, and imports the token there.

    Kurigram is pointed at one address by its driver, so it cannot follow.
    """
    world = '[[users]]\nphone = "4915112345"\nfirst_name = "Far"\ncode = "12345"\ndc_id = "4"\n'
    with Served(world=world, arguments=("--dcs", "2,4")) as server:
        (far,) = [one for one in server.address.dcs if one["dc_id"] == 4]
        elsewhere = replace(server.address, **far)
        scanner, shows = await town.driver(library), await town.driver(library)
        await scanner.open(elsewhere)
        await scanner.login("4915112345", "12345")

        async def accept(token: bytes) -> None:
            await scanner.call("auth.acceptLoginToken", token=token)

        await shows.open(server.address)
        await shows.login_by_qr(accept)
        (me,) = await shows.call("users.getUsers", id=[Plain("inputUserSelf")])
        assert me.first_name == "Far"
        await shows.close()
        await scanner.close()
        assert "Traceback" not in server.log
