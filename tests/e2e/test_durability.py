"""What was acknowledged survives ``kill -9`` (see :mod:`durability`)."""

from __future__ import annotations

import pytest

from .durability import run


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost() -> None:
    outcome = await run(sends=1000, kills=3, seed=1)
    outcome.check()
