"""Ways in beside plain TCP: WebSocket and the MTProxy's port, as other libraries take them."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import LIBRARIES, Guests, phone_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAYS = [
    ("telethon", "mtproxy abridged"),
    ("telethon", "mtproxy intermediate"),
    ("telethon", "mtproxy dd"),
    ("gramjs", "websocket"),
    ("gramjs", "mtproxy"),
    ("mtcute", "mtproxy"),
    ("mtcute", "mtproxy dd"),
    ("mtcute", "mtproxy ee"),
]


@pytest.mark.parametrize(("library", "transport"), WAYS)
async def test_signs_in_and_comes_back(guests: Guests, library: str, transport: str) -> None:
    """Key exchange, login, a long answer, and a second connection with the same key (A1.9, A1.11).

    A client names its DC to the MTProxy, and gets no other.
    """
    number = next(guests.town.users)
    driver = await guests.driver(library, transport)
    config = await driver.call("help.getConfig")
    assert config.this_dc == guests.town.address.dc_id
    await driver.login(phone_of(number), "22222")
    peer = f"@user{next(guests.town.users):04}"
    sent = await driver.send(peer, "x" * 4000)
    await driver.leave()
    await driver.come_back()
    (found,) = await driver.history(peer, 1)
    assert (found.id, found.message) == (sent.id, "x" * 4000)


@pytest.mark.parametrize("library", LIBRARIES)
async def test_the_library_s_own_default(guests: Guests, library: str) -> None:
    driver = await guests.driver(library)
    answers = await asyncio.gather(*(driver.call("help.getNearestDc") for _ in range(3)))
    assert {answer.this_dc for answer in answers} == {guests.town.address.dc_id}
