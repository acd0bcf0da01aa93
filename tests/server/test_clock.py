"""The clock that can be set (A15.1)."""

from __future__ import annotations

import asyncio
import time

import pytest

from radiogram.server.clock import Clock


def test_it_shows_the_time_of_the_machine() -> None:
    assert Clock().now() == pytest.approx(time.time(), abs=5)


def test_it_can_be_set_and_runs_on() -> None:
    clock = Clock()
    clock.set(1000.0)
    assert 1000.0 <= clock.now() < 1005.0
    clock.advance(3600)
    assert 4600.0 <= clock.now() < 4605.0


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = Clock()
    clock.freeze(500.0)
    assert clock.now() == 500.0
    clock.advance(2)
    assert clock.now() == 502.0
    clock.set(10)
    assert clock.now() == 10.0
    clock.resume()
    assert 10.0 <= clock.now() < 15.0


def test_timers_run_in_the_order_of_their_times() -> None:
    clock = Clock()
    clock.freeze(0.0)
    rung: list[str] = []
    clock.call_at(3, lambda: rung.append("third"))
    clock.call_later(1, lambda: rung.append("first"))
    clock.call_at(2, lambda: rung.append("second"))
    cancelled = clock.call_at(2, lambda: rung.append("never"))
    cancelled.cancel()
    clock.advance(1)
    assert rung == ["first"]
    clock.advance(10)
    assert rung == ["first", "second", "third"]


def test_a_timer_set_by_a_timer_waits_for_the_next_look() -> None:
    clock = Clock()
    clock.freeze(0.0)
    rung: list[float] = []

    def again() -> None:
        rung.append(clock.now())
        clock.call_at(clock.now(), again)

    clock.call_at(1, again)
    clock.advance(1)
    assert rung == [1.0]
    clock.advance(0)
    assert rung == [1.0, 1.0]


def test_cancelled_timers_are_thrown_away() -> None:
    clock = Clock()
    clock.freeze(0.0)
    for number in range(10_000):
        clock.call_at(100 + number, lambda: None).cancel()
    assert len(clock._timers) < 1000


async def test_the_loop_wakes_the_clock_up() -> None:
    clock = Clock()
    rung = asyncio.Event()
    clock.call_later(0.0, rung.set)
    assert not rung.is_set(), "never before call_later returns"
    await asyncio.wait_for(rung.wait(), 5)


async def test_setting_the_clock_moves_what_the_loop_waits_for() -> None:
    clock = Clock()
    rung = asyncio.Event()
    timer = clock.call_later(1000, rung.set)
    clock.advance(999.99)
    await asyncio.wait_for(rung.wait(), 5)
    timer.cancel()
    clock.call_later(1000, lambda: None)
    clock.close()
