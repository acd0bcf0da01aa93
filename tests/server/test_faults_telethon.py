"""Faults as somebody else's client meets them: Telethon, which knows nothing of this server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from radiogram.server.faults import Faults
from radiogram.testing import Account, TelegramServer

telethon = pytest.importorskip("telethon")
errors, events, functions = telethon.errors, telethon.events, telethon.functions

PATIENCE = 20.0

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def ada(telegram_server: TelegramServer) -> Account:
    return telegram_server.make_user("Ada", username="ada_ada")


@pytest.fixture
async def client(telegram_server: TelegramServer, ada: Account) -> AsyncIterator[Any]:
    client = telegram_server.telethon_client(
        ada, flood_sleep_threshold=0, retry_delay=0, connection_retries=5
    )
    await client.connect()
    await client.get_me()
    yield client
    await client.disconnect()


@pytest.fixture
def faults(telegram_server: TelegramServer, client: Any) -> Faults:
    """The faults, once the client is connected."""
    return telegram_server.faults


async def asked(client: Any) -> Any:
    return await asyncio.wait_for(client(functions.help.GetNearestDcRequest()), PATIENCE)


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda f: f.flood_wait("help.*", 31), "FloodWaitError"),
        (lambda f: f.premium_wait(31, "help.*"), "FloodPremiumWaitError"),
        (lambda f: f.slow_mode(31, "help.*"), "SlowModeWaitError"),
        (lambda f: f.special_wait("TAKEOUT_INIT_DELAY", 31, "help.*"), "TakeoutInitDelayError"),
        (lambda f: f.unauthorized("help.*", "SESSION_REVOKED"), "SessionRevokedError"),
        (lambda f: f.unbound_key("help.*"), "AuthKeyPermEmptyError"),
        (lambda f: f.duplicated_key("help.*"), "AuthKeyDuplicatedError"),
        (lambda f: f.file_error("FILE_PART_3_MISSING", "help.*"), "FilePartMissingError"),
        (lambda f: f.invalid_timestamp("help.*"), "PersistentTimestampInvalidError"),
        (lambda f: f.error("help.*", 400, "NEVER_HEARD_OF_IT"), "BadRequestError"),
    ],
)
async def test_errors_have_their_names(
    client: Any, faults: Faults, ask: Callable[[Faults], None], expected: str
) -> None:
    """E1 to E4, E10, E12 to E14, E26, E31."""
    ask(faults)
    with pytest.raises(errors.RPCError) as caught:
        await asked(client)
    assert type(caught.value).__name__ == expected
    if hasattr(caught.value, "seconds"):
        assert caught.value.seconds == 31


@pytest.mark.parametrize(
    "ask",
    [
        lambda f: f.drop_connection("help.*"),
        lambda f: f.drop_connection("help.*", reset=True),
        lambda f: f.drop_connection("help.*", executed=True),
        lambda f: f.drop_after_packets(1),
        lambda f: f.fragment(1),
        lambda f: f.coalesce(2),
        lambda f: f.repeat_answer("help.*"),
        lambda f: f.repeat_packets(times=3),
        lambda f: f.bad_salts(times=3),
        lambda f: f.rotate_salts(),
        lambda f: f.bad_msg(16, "help.*"),
        lambda f: f.bad_msg(17, "help.*"),
        lambda f: f.bad_msg(32, "help.*"),
        lambda f: f.bad_msg(33, "help.*"),
        lambda f: f.bad_msg(48, "help.*"),
        lambda f: f.forget_session("help.*"),
        lambda f: f.forget_sessions(),
        lambda f: f.forget_everything(),
        lambda f: f.spoil_packets("session_id"),
        lambda f: f.spoil_packets("too_old"),
        lambda f: f.spoil_packets("msg_key"),
    ],
    ids=[
        "E17-before", "E17-reset", "E17-after", "E17-packets", "E19-pieces", "E19-heaps",
        "E20-answer", "E20-packets", "E21-storm", "E21-rotated", "E23-16",
        "E23-17", "E23-32", "E23-33", "E23-48", "E24-one", "E24-all", "E24-everything",
        "E29-session", "E29-old", "E29-key",
    ],
)  # fmt: skip
async def test_what_it_survives(client: Any, faults: Faults, ask: Callable[[Faults], None]) -> None:
    ask(faults)
    for _ in range(3):
        assert (await asked(client)).this_dc == 2
    assert faults.injected


@pytest.mark.parametrize("seconds", [400, -100])
async def test_e22_it_finds_out_the_time(
    telegram_server: TelegramServer, ada: Account, seconds: int
) -> None:
    """E22: from the id of the refusal, which it reads whatever that id is."""
    telegram_server.faults.skew_clock(seconds)
    client = telegram_server.telethon_client(ada, retry_delay=0)
    await client.connect()
    assert (await asked(client)).this_dc == 2
    await client.disconnect()


async def test_e5_it_goes_where_it_is_sent(client: Any, faults: Faults) -> None:
    """E5: and does not find the data centre, which is not played here."""
    faults.migrate("help.getNearestDc", 4)
    with pytest.raises(Exception, match=r"DC|dc") as caught:
        await asked(client)
    assert not isinstance(caught.value, TimeoutError)


async def test_e25_a_gap_is_filled(
    client: Any, faults: Faults, telegram_server: TelegramServer, ada: Account
) -> None:
    heard: list[str] = []
    both = asyncio.Event()

    async def note(event: Any) -> None:
        heard.append(event.raw_text)
        if {"one", "two"} <= set(heard):
            both.set()

    client.add_event_handler(note, events.NewMessage())
    await client.catch_up()
    faults.lose_updates("updateNewMessage")
    from radiogram.tl import api

    for number, text in enumerate(("one", "two"), 1):
        telegram_server.call(
            ada,
            api.messages.SendMessage(peer=api.InputPeerSelf(), message=text, random_id=number),
        )
    await asyncio.wait_for(both.wait(), PATIENCE)
    assert faults.count("push", "lose") == 1


@pytest.mark.parametrize(
    "spoiling",
    ["unknown_fingerprint", "wrong_nonce", "bad_hash", "wrong_inner_nonce", "wrong_new_nonce_hash"],
)
async def test_e28_it_refuses_a_key_exchange_and_tries_again(
    telegram_server: TelegramServer, spoiling: str
) -> None:
    telegram_server.faults.spoil_exchange(spoiling)
    client = telegram_server.telethon_client(retry_delay=0)
    await asyncio.wait_for(client.connect(), PATIENCE)
    assert (await asked(client)).this_dc == 2
    assert telegram_server.faults.count("exchange", spoiling) == 1
    await client.disconnect()


async def test_e32_premium_is_seen(client: Any, faults: Faults, ada: Account) -> None:
    faults.premium_account(ada.id)
    assert (await client.get_me()).premium is True
