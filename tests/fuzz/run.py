"""Finds the targets, feeds them and counts what comes of it. Knows no layer of the package."""

from __future__ import annotations

import importlib
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType

from radiogram.errors import RadiogramError

from .mutate import mutated

SLOWEST = 10.0
"""Seconds after which one input counts as a hang."""


class Hang(BaseException):
    """An input took longer than SLOWEST. No `except Exception` of the code under test holds it."""


@dataclass(frozen=True)
class Target:
    """One entry point: what feeds it, what to start from, and what it may raise."""

    name: str
    feed: Callable[[bytes], object]
    seeds: Sequence[bytes]
    documented: tuple[type[Exception], ...]


@dataclass
class Failure:
    """An input that had an undocumented effect."""

    target: str
    data: bytes
    trace: str

    def __str__(self) -> str:
        return (
            f"{self.target}: {self.trace.strip().splitlines()[-1]}\n{self.trace}"
            f"reproduce: python -m tests.fuzz --replay {self.target} {self.data.hex() or '-'}"
        )


@dataclass
class Report:
    """What a run over one target came to."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    peak: int = 0
    """Largest resident memory of the process so far, in bytes."""

    def __add__(self, other: Report) -> Report:
        return Report(
            self.target,
            self.inputs + other.inputs,
            max(self.seconds, other.seconds),
            self.outcomes + other.outcomes,
            self.failures + other.failures,
            max(self.peak, other.peak),
        )


def targets() -> dict[str, Target]:
    """Return every target of the ``targets_*.py`` beside this file, by name."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("targets_*.py")):
        module = importlib.import_module(f"{__package__}.{path.stem}")
        documented = getattr(module, "DOCUMENTED", (RadiogramError,))
        for function, feed in vars(module).items():
            if function.startswith("fuzz_"):
                name = function.removeprefix("fuzz_")
                seeds = getattr(module, f"seeds_{name}")()
                found[name] = Target(name, feed, seeds, documented)
    return found


def feed(target: Target, data: bytes) -> tuple[str, Failure | None]:
    """Feed one input; return the name of the outcome, and the failure if it is one."""
    signal.setitimer(signal.ITIMER_REAL, SLOWEST)
    try:
        target.feed(data)
    except target.documented as error:
        return type(error).__name__, None
    except (Exception, Hang) as error:  # noqa: BLE001 - this is what we look for
        return type(error).__name__, Failure(target.name, data, traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    return "accepted", None


def run(target: Target, *, inputs: int, seed: str, failures: int = 5) -> Report:
    """Feed `inputs` inputs that `seed` determines; stop after that many failures."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise Hang

    previous = signal.signal(signal.SIGALRM, interrupt)
    random = Random(f"{seed}/{target.name}")
    report = Report(target.name)
    started = time.perf_counter()
    try:
        for seed_data in target.seeds:
            _, failure = feed(target, seed_data)
            report.failures += [failure] if failure else []
        while report.inputs < inputs and len(report.failures) < failures:
            outcome, failure = feed(target, mutated(target.seeds, random))
            report.inputs += 1
            report.outcomes[outcome] += 1
            report.failures += [failure] if failure else []
    finally:
        signal.signal(signal.SIGALRM, previous)
    report.seconds = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    report.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return report


def run_by_name(name: str, inputs: int, seed: str) -> Report:
    """Run one target in a process of a pool, which finds the target itself."""
    return run(targets()[name], inputs=inputs, seed=seed)
