"""The short run of the fuzzer: the same targets and inputs as ``python -m tests.fuzz``."""

from __future__ import annotations

import pytest

from .run import run, targets

TARGETS = targets()


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_only_documented_errors(name: str) -> None:
    report = run(TARGETS[name], inputs=3000, seed="pytest")
    assert not report.failures, "\n".join(map(str, report.failures))
    assert report.inputs == 3000
    # Seeds that nothing ever accepts would mean that the target is never really reached.
    assert report.outcomes["accepted"], report.outcomes
