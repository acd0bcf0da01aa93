"""The timer, on a clock that is set by hand."""

from __future__ import annotations

import asyncio

import pytest

from radiogram.net.deadline import LONGEST, Timer


class Loop:
    """Stands in for the loop's call_later; time passes when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.armed: list[tuple[float, Handle]] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self.call_later)

    def call_later(self, delay: float, callback: object) -> Handle:
        assert delay >= 0
        handle = Handle(callback)
        self.armed.append((self.now + delay, handle))
        return handle

    def pass_until(self, moment: float) -> None:
        while due := [item for item in self.armed if item[0] <= moment]:
            when, handle = min(due, key=lambda item: item[0])
            self.armed.remove((when, handle))
            self.now = max(self.now, when)
            if not handle.cancelled:
                handle.callback()  # type: ignore[operator]
        self.now = moment

    @property
    def live(self) -> int:
        return sum(not handle.cancelled for _, handle in self.armed)


class Handle:
    def __init__(self, callback: object) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture
async def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    return Loop(monkeypatch)


async def test_it_fires_once_at_its_deadline(loop: Loop) -> None:
    fired: list[float] = []
    timer = Timer(lambda: fired.append(loop.now), lambda: loop.now)
    timer.set(1005.0)
    loop.pass_until(1004.9)
    assert fired == []
    loop.pass_until(1100.0)
    assert fired == [1005.0]


async def test_a_deadline_that_moves_away_keeps_its_handle(loop: Loop) -> None:
    fired: list[float] = []
    timer = Timer(lambda: fired.append(loop.now), lambda: loop.now)
    for n in range(100):
        timer.set(1005.0 + n)
    assert len(loop.armed) == 1
    loop.pass_until(1103.9)
    assert fired == []
    loop.pass_until(1104.0)
    assert fired == [1104.0]


async def test_an_earlier_deadline_counts(loop: Loop) -> None:
    fired: list[float] = []
    timer = Timer(lambda: fired.append(loop.now), lambda: loop.now)
    timer.set(1050.0)
    timer.set(1002.0)
    assert loop.live == 1
    loop.pass_until(1100.0)
    assert fired == [1002.0]


async def test_none_means_never(loop: Loop) -> None:
    fired: list[float] = []
    timer = Timer(lambda: fired.append(loop.now), lambda: loop.now)
    timer.set(1001.0)
    timer.set(None)
    loop.pass_until(1100.0)
    assert fired == []


async def test_a_cancelled_timer_leaves_nothing_behind_and_may_be_set_again(loop: Loop) -> None:
    fired: list[float] = []
    timer = Timer(lambda: fired.append(loop.now), lambda: loop.now)
    timer.set(1001.0)
    timer.cancel()
    assert loop.live == 0
    timer.set(1003.0)
    loop.pass_until(1010.0)
    assert fired == [1003.0]


async def test_a_deadline_in_the_past_fires_at_once(loop: Loop) -> None:
    fired: list[float] = []
    timer = Timer(lambda: fired.append(loop.now), lambda: loop.now)
    timer.set(1.0)
    loop.pass_until(loop.now)
    assert fired == [1000.0]


async def test_it_is_late_by_seconds_only_when_the_machine_has_slept(loop: Loop) -> None:
    """The loop's timers stand still meanwhile; the clock does not."""
    slept = 0.0
    fired: list[float] = []
    timer = Timer(lambda: fired.append(loop.now), lambda: loop.now + slept)
    timer.set(1060.0)
    loop.pass_until(1005.0)
    slept = 3600.0
    loop.pass_until(1005.0 + LONGEST)
    assert len(fired) == 1
