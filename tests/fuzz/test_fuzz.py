"""The short run of the fuzzer: the same targets and inputs as ``python -m tests.fuzz``."""

from __future__ import annotations

import pytest

from .run import Target, run, targets

TARGETS = targets()


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_only_documented_errors(name: str) -> None:
    report = run(TARGETS[name], inputs=1000, seed="pytest")
    assert not report.failures, "\n".join(map(str, report.failures))
    assert report.inputs == 1000
    # Seeds that nothing ever accepts would mean that the target is never really reached.
    assert report.outcomes["accepted"], report.outcomes


def test_what_is_not_documented_is_a_failure() -> None:
    """The referee sees: another error, a wrong result, and memory that nobody has."""

    def wrong(data: bytes) -> None:
        if len(data) == 3:
            raise KeyError(data)
        if len(data) == 4:
            bytearray(1 << 60)
        assert data != b"five!"
        raise ValueError("documented")

    seeds = [b"abc", b"abcd", b"five!", b"sixsix"]
    report = run(Target("wrong", wrong, lambda: seeds, (ValueError,)), inputs=0, seed="1")
    assert [failure.data for failure in report.failures] == seeds[:3]
    assert "KeyError" in report.failures[0].trace
    assert "MemoryError" in report.failures[1].trace
    assert b"abc".hex() in str(report.failures[0])


def test_a_run_can_be_repeated_and_made_longer() -> None:
    def inputs_of(seed: str, count: int) -> list[bytes]:
        fed: list[bytes] = []
        seeds = [b"a seed of some length", b"another one"]
        run(Target("any", fed.append, lambda: seeds, ()), inputs=count, seed=seed)
        return fed[len(seeds) :]

    assert inputs_of("7", 50) == inputs_of("7", 100)[:50]
    assert inputs_of("7", 50) != inputs_of("8", 50)
