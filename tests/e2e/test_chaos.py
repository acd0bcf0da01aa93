"""Nothing is lost and nothing is done twice, whatever fails (see :mod:`chaos`): a hundred seeds."""

from __future__ import annotations

import pytest

from .chaos import run


@pytest.mark.parametrize("seed", range(100))
async def test_everything_is_told(seed: int) -> None:
    outcome = await run(clients=3, messages=30, every=8, seed=seed)
    outcome.check()
    assert outcome.faults
