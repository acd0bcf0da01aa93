"""Nothing is lost and nothing is done twice, whatever fails (see :mod:`chaos`): a hundred seeds."""

from __future__ import annotations

import asyncio

import pytest

from .chaos import run

TOGETHER = 5
"""Runs beside each other: most of the time a client waits for what got lost."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(0, 100, TOGETHER))
async def test_everything_is_told(first: int) -> None:
    outcomes = await asyncio.gather(
        *(run(clients=3, messages=30, every=8, seed=first + n) for n in range(TOGETHER))
    )
    for outcome in outcomes:
        outcome.check()
        assert outcome.faults
