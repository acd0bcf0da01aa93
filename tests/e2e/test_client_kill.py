"""A client that is killed misses nothing (see :mod:`client_kill`)."""

from __future__ import annotations

import pytest

from .client_kill import run


@pytest.mark.slow
async def test_a_killed_client_misses_nothing() -> None:
    outcome = await run(points=15, seed=1)
    outcome.check()
    assert outcome.sent > outcome.points
