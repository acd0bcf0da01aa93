"""Time goes on: however the system's clock is set, and while the computer sleeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from radiogram import api, errors, events
from radiogram.client.client import TelegramClient
from radiogram.client.clock import STEADY, _elapsed, forward, steady
from radiogram.client.environment import Environment
from radiogram.mtproto.client import ClientSession
from radiogram.mtproto.events import CallFailed, Event
from tests.client.fake import Clock, FakeServer, Sleeps, known_session

PING = api.help.GetNearestDc
PONG = api.NearestDc(country="", this_dc=2, nearest_dc=2)
STATE = api.updates.State(pts=1, qts=0, date=1, seq=0, unread_count=0)
HOUR = 3600.0


def test_setting_the_systems_clock_moves_nothing() -> None:
    wall, passed = [1000.0], [50.0]
    clock = steady(lambda: wall[0], lambda: passed[0])
    assert clock() == 1000
    for jump in (HOUR, -2 * HOUR):
        wall[0] += jump
        assert clock() == 1000
    passed[0] += 8 * HOUR  # and a night's sleep is time
    assert clock() == 1000 + 8 * HOUR


def test_a_clock_that_is_turned_back_goes_on() -> None:
    moments = iter([100.0, 101.0, 50.0, 51.0, 200.0, 10.0])
    clock = forward(lambda: next(moments))
    assert [clock() for _ in range(5)] == [101, 101, 102, 251, 251]


def test_the_clock_of_this_process() -> None:
    assert abs(STEADY() - time.time()) < 60
    assert STEADY() <= STEADY()
    assert Environment().clock is STEADY


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_clock_that_goes_on_during_sleep_is_chosen(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    if platform != "linux":
        monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    monkeypatch.setattr(time, "CLOCK_MONOTONIC", 1, raising=False)
    monkeypatch.setattr(time, "clock_gettime", float, raising=False)
    wanted = {"linux": 7.0, "darwin": 1.0, "win32": 99.0}
    assert _elapsed(lambda: 99.0)() == wanted[platform]


# ── a client whose clock jumps ───────────────────────────────────────────────────────────────────


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not happen")


class Laptop:
    """A client that is signed in and follows updates, with a clock of its own."""

    def __init__(self) -> None:
        self.server = FakeServer()
        self.server.answer = self._answer
        self.clock = Clock()
        self.sleeps = Sleeps()
        self.told: list[Event] = []
        session = known_session()
        session.data = replace(session.data, user_id=7)
        environment = Environment(
            dial=self.server.dial, clock=self.clock, sleep=self.sleeps, jitter=lambda: 1.0
        )
        self.client = TelegramClient(
            session, 1, "hash", server=self.server.address, environment=environment
        )
        self.lost: list[events.UpdatesLostEvent] = []
        self.client.add_handler(self._lost, events.UpdatesLost())

    async def _lost(self, event: events.UpdatesLostEvent) -> None:
        self.lost.append(event)

    @staticmethod
    def _answer(request: Any) -> Any:
        if isinstance(request, api.updates.GetState):
            return STATE
        if isinstance(request, api.updates.GetDifference):
            return api.updates.DifferenceEmpty(date=1, seq=0)
        return PONG if isinstance(request, PING) else None

    @property
    def session(self) -> ClientSession:
        sender = self.client._sender
        assert sender is not None
        assert sender._session is not None
        return sender._session

    @property
    def differences(self) -> int:
        return self.server.executed(api.updates.GetDifference)

    async def pass_time(self, seconds: float, *, here: bool = True, there: bool = True) -> None:
        """Let clocks go on or jump, and the timer look at it, as it does every ten seconds."""
        self.clock.now += seconds * here
        self.server.clock.now += seconds * there
        await self.tick()

    async def tick(self) -> None:
        sender = self.client._sender
        assert sender is not None
        sender._deadline_reached()
        for _ in range(200):
            await asyncio.sleep(0)

    async def works(self) -> None:
        """Make a call which succeeds and is executed once."""
        before = self.server.executed(PING)
        assert await self.client.invoke(PING()) == PONG
        assert self.server.executed(PING) == before + 1


@pytest.fixture
async def laptop(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Laptop]:
    laptop = Laptop()
    receive = ClientSession.receive

    def watched(session: ClientSession, packet: bytes, **more: Any) -> list[Event]:
        told = receive(session, packet, **more)
        laptop.told += told
        return told

    monkeypatch.setattr(ClientSession, "receive", watched)
    async with laptop.client as client:
        await client.updates.started()
        await laptop.works()
        yield laptop
    assert not [event for event in laptop.told if isinstance(event, CallFailed)]
    assert not laptop.lost


async def test_a_night_of_sleep(laptop: Laptop) -> None:
    """One new connection, one difference; what was called before is answered once."""
    laptop.server.deaf_to_calls = True
    waiting = asyncio.ensure_future(laptop.client.invoke(PING()))
    await asyncio.sleep(0)
    laptop.server.deaf_to_calls = False
    before, executed = laptop.differences, laptop.server.executed(PING)
    await laptop.pass_time(8 * HOUR)
    await until(lambda: laptop.differences == before + 1)
    assert await waiting == PONG
    assert laptop.server.executed(PING) == executed + 1
    assert len(laptop.server.dialled) == 2
    assert laptop.sleeps.pauses == [0.5]
    await laptop.works()
    for _ in range(5):
        await laptop.pass_time(10)
    assert (len(laptop.server.dialled), laptop.differences) == (2, before + 1)
    assert abs(laptop.session.time_offset) < 1


async def test_a_nap_that_the_connection_survives(laptop: Laptop) -> None:
    await laptop.pass_time(70)
    await laptop.works()
    assert len(laptop.server.dialled) == 1


@pytest.mark.parametrize("hours", [3, 48])
async def test_a_clock_set_forward(laptop: Laptop, hours: int) -> None:
    """An injected clock that jumps ahead of the server's (E22); the default one does not."""
    before = laptop.differences
    await laptop.pass_time(hours * HOUR, there=False)
    await until(lambda: laptop.differences == before + 1)
    await laptop.works()
    assert len(laptop.server.dialled) == 2
    assert laptop.session.time_offset == pytest.approx(-hours * HOUR, abs=2)
    await laptop.pass_time(10)
    assert laptop.differences == before + 1


@pytest.mark.parametrize("hours", [3, 48])
async def test_a_clock_set_back(laptop: Laptop, hours: int) -> None:
    """Nothing happens at all, and deadlines are not put off by hours."""
    await laptop.pass_time(-hours * HOUR, there=False)
    await laptop.works()
    assert len(laptop.server.dialled) == 1
    assert laptop.session.time_offset == pytest.approx(0, abs=2)
    for _ in range(6):
        await laptop.pass_time(10)
    assert laptop.session._pings == 1


@pytest.mark.parametrize("hours", [-48, -3, 3, 48])
async def test_the_servers_clock_is_set(laptop: Laptop, hours: int) -> None:
    """A5 16 and 17, A5.6, E22: time is taken over from the server's message ids."""
    await laptop.pass_time(hours * HOUR, here=False)
    await laptop.works()
    assert laptop.session.time_offset == pytest.approx(hours * HOUR, abs=2)
    assert len(laptop.server.dialled) <= 2
    await laptop.works()


async def test_sleep_without_a_network_at_waking(laptop: Laptop) -> None:
    laptop.server.failures = [errors.ConnectionFailed("network is unreachable") for _ in range(4)]
    before = laptop.differences
    await laptop.pass_time(8 * HOUR)
    await until(lambda: laptop.differences == before + 1)
    assert len(laptop.server.dialled) == 6
    assert laptop.sleeps.pauses == [0.5, 1, 2, 4, 8]
    await laptop.works()


async def test_a_half_open_connection_is_found_by_the_ping(laptop: Laptop) -> None:
    """Nobody calls, and nothing comes: after 60 s it is pinged, 15 s later replaced (A10)."""
    before = laptop.differences
    await laptop.pass_time(59)
    laptop.server.silent = True
    await laptop.pass_time(1)
    assert len(laptop.server.dialled) == 1
    await laptop.pass_time(14)
    assert len(laptop.server.dialled) == 1
    laptop.server.silent = False
    await laptop.pass_time(1)
    await until(lambda: len(laptop.server.dialled) == 2)
    assert laptop.sleeps.pauses == [0.5]
    await laptop.works()
    assert laptop.differences == before, "the session lives: nothing was missed"
