"""Key exchange and transports: the first bytes of every client (A1, A3)."""

from __future__ import annotations

import pytest

from .conftest import Guests

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRANSPORTS = [
    ("telethon", "full"),
    ("telethon", "abridged"),
    ("telethon", "intermediate"),
    ("telethon", "obfuscated"),
    ("gramjs", "full"),
    ("gramjs", "abridged"),
    ("gramjs", "obfuscated"),
    ("kurigram", "abridged"),
    ("kurigram", "full"),
    ("kurigram", "intermediate"),
    ("kurigram", "padded"),
    ("kurigram", "obfuscated"),
    ("kurigram", "obfuscated intermediate"),
    ("mtcute", "intermediate"),
    ("mtcute", "padded"),
    ("mtcute", "obfuscated"),
]


@pytest.mark.parametrize(("library", "transport"), TRANSPORTS)
async def test_key_exchange_and_first_call(guests: Guests, library: str, transport: str) -> None:
    """Every framing a client can speak is detected (A1.1), and a call is answered."""
    server = guests.town.address
    driver = await guests.driver(library, transport)

    config = await driver.call("help.getConfig")

    assert config.kind == "config"
    assert config.this_dc == server.dc_id
    assert (server.host, server.port) in [
        (option.ip_address, option.port)
        for option in config.dc_options
        if option.id == server.dc_id and not option.ipv6
    ]
    assert config.message_length_max == 4096  # C0.2.4


async def test_two_sessions_on_one_server_have_their_own_state(
    guests: Guests, library: str
) -> None:
    """Keys and sessions are told apart, whoever comes first (A1.12)."""
    first = await guests.driver(library)
    second = await guests.driver(library)

    for driver in (first, second, first):
        assert (await driver.call("help.getNearestDc")).this_dc == guests.town.address.dc_id
