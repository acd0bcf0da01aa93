"""A connection that suffers what the embedded server can do to it (part E): nothing is done twice.

Over real sockets and real time; so a repair is not only correct, it is also quick.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from radiogram import TelegramClient, api, errors, events
from radiogram.client.environment import Environment
from radiogram.server import Server
from radiogram.sessions import StringSession

PROMPT = 2.0
"""Seconds within which whatever was lost is repaired."""


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        server.world.add_user("9996620001", "Ada", username="ada_writes")
        server.world.add_user("9996620002", "Ben", username="ben_writes")
        yield server


class Pauses:
    """Real time, but for the pauses between attempts to connect, which are noted."""

    def __init__(self) -> None:
        self.noted: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.noted.append(seconds)
        await asyncio.sleep(0.001)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def ada(server: Server, pauses: Pauses) -> AsyncIterator[TelegramClient]:
    environment = Environment(sleep=pauses, jitter=lambda: 1.0)
    client = TelegramClient(StringSession(""), 1, "any", server=server, environment=environment)
    async with client:
        await client.start(phone="9996620001", code="22222")
        yield client


async def notes(client: TelegramClient) -> list[str]:
    """Return what is in Saved Messages, oldest first."""
    return [one.text async for one in client.iter_messages("me")][::-1]


async def until(client: TelegramClient, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await client.invoke(api.help.GetNearestDc())


@pytest.mark.slow
@pytest.mark.parametrize("incoming", [True, False], ids=["the call", "the answer"])
async def test_a_packet_is_lost_and_the_connection_lives(
    server: Server, ada: TelegramClient, pauses: Pauses, incoming: bool
) -> None:
    """E20, A8.4, A5.3."""
    server.faults.lose_packets(incoming=incoming)
    began = time.monotonic()
    await ada.send_message("me", "once")
    assert 0.3 < time.monotonic() - began < PROMPT
    assert await notes(ada) == ["once"]
    assert server.faults.count("lose") == 1
    assert pauses.noted == [], "on the same connection"


@pytest.mark.slow
async def test_chaos_of_losses(server: Server, ada: TelegramClient) -> None:
    server.faults.chaos(every=8, seed=3, kinds=["lose"])
    seconds = []
    for number in range(20):
        began = time.monotonic()
        await ada.send_message("me", str(number))
        seconds.append(time.monotonic() - began)
    lost = server.faults.count("lose")
    server.faults.clear()
    assert lost >= 3
    assert sorted(seconds)[int(len(seconds) * 0.9)] < PROMPT
    assert await notes(ada) == [str(number) for number in range(20)]


@pytest.mark.parametrize("executed", [False, True])
async def test_a_connection_breaks_around_a_call(
    server: Server, ada: TelegramClient, pauses: Pauses, executed: bool
) -> None:
    """E17, A8.2."""
    server.faults.drop_connection("messages.sendMessage", executed=executed)
    await ada.send_message("me", "once")
    assert await notes(ada) == ["once"]
    assert pauses.noted == [0.5]


async def test_salts_change(server: Server, ada: TelegramClient, pauses: Pauses) -> None:
    """E21, A6."""
    for number in range(3):
        server.faults.rotate_salts()
        await ada.send_message("me", str(number))
    assert await notes(ada) == ["0", "1", "2"]
    assert pauses.noted == []


@pytest.mark.parametrize("seconds", [-7200.0, -90.0, 90.0, 7200.0])
async def test_the_servers_clock_is_skewed(
    server: Server, ada: TelegramClient, seconds: float
) -> None:
    """E22, A5 16 and 17."""
    server.faults.skew_clock(seconds)
    await ada.send_message("me", "once")
    assert await notes(ada) == ["once"]


async def test_the_server_forgets_the_session(server: Server, ada: TelegramClient) -> None:
    """E24, A7.3: what was pushed into the void is fetched by a difference."""
    seen: list[str] = []

    @ada.on(events.NewMessage())
    async def note(event: events.NewMessageEvent) -> None:
        seen.append(event.text)

    await ada.updates.started()
    ben = TelegramClient(StringSession(""), 1, "any", server=server)
    async with ben:
        await ben.start(phone="9996620002", code="22222")
        server.faults.forget_sessions(user_id=(await ada.get_me()).id)
        await ben.send_message("ada_writes", "unheard")
        await until(ada, lambda: seen)
    assert seen == ["unheard"]


ENDS = [
    (401, "SESSION_REVOKED"),
    (401, "USER_DEACTIVATED_BAN"),
    (401, "AUTH_KEY_UNREGISTERED"),
    (406, "AUTH_KEY_DUPLICATED"),
]


@pytest.mark.parametrize(("code", "name"), ENDS, ids=[name for _, name in ENDS])
async def test_the_session_ends(
    server: Server, ada: TelegramClient, pauses: Pauses, code: int, name: str
) -> None:
    """E11, E12, E14: one call gets the error, the others are not even sent."""
    ended: list[Any] = []

    @ada.on(events.SessionEnded())
    async def note(event: events.SessionEndedEvent) -> None:
        ended.append(event.reason)

    await ada.updates.started()
    server.faults.error("*", code, name, times=None)
    for _ in range(5):
        with pytest.raises(errors.RpcError) as raised:
            await ada.send_message("me", "never")
        assert raised.value.name == name
    await ada.disconnect()
    assert ended == [name]
    assert server.faults.count("error") == 1
    assert pauses.noted == []


async def test_an_unknown_key_ends_it_after_one_packet(
    server: Server, ada: TelegramClient, pauses: Pauses
) -> None:
    """A2.2, E16."""
    server.faults.transport_error(-404, times=None)
    for _ in range(5):
        with pytest.raises(errors.KeyUnknown):
            await ada.send_message("me", "never")
    assert server.faults.count("error") == 1
    assert pauses.noted == []


async def test_failures_inside_the_server_pass(
    server: Server, ada: TelegramClient, pauses: Pauses
) -> None:
    """E6, E8: repeated with growing pauses, three times at most."""
    server.faults.timeout("messages.sendMessage")
    server.faults.internal_error("messages.sendMessage", times=2)
    await ada.send_message("me", "once")
    assert await notes(ada) == ["once"]
    assert pauses.noted == [0.5, 1, 2]
    server.faults.internal_error("messages.sendMessage", times=None)
    with pytest.raises(errors.RpcCallFail):
        await ada.send_message("me", "never")
    assert server.faults.count("error") == 3 + 4


async def test_the_first_call_of_a_connection_is_repeated_too(
    server: Server, ada: TelegramClient, pauses: Pauses
) -> None:
    """E6, E8."""
    await ada.disconnect()
    server.faults.timeout("help.getConfig")
    server.faults.internal_error("help.getConfig")
    await ada.connect()
    assert pauses.noted == [0.5, 1]
    await ada.send_message("me", "once")


async def test_waits_are_slept_or_raised(
    server: Server, ada: TelegramClient, pauses: Pauses
) -> None:
    """E1."""
    server.faults.flood_wait("messages.sendMessage", seconds=59)
    await ada.send_message("me", "once")
    assert sum(pauses.noted) == pytest.approx(59, abs=1)
    server.faults.flood_wait("messages.sendMessage", seconds=61)
    with pytest.raises(errors.FloodWait) as raised:
        await ada.send_message("me", "later")
    assert raised.value.seconds == 61
