"""Finds the targets, feeds them and counts what comes of it. Knows no layer of the package."""

from __future__ import annotations

import hashlib
import importlib
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from random import Random
from types import FrameType

from radiogram.errors import RadiogramError

from .mutate import mutated

SLOWEST = 10.0
"""Seconds after which one input counts as a hang."""
TOLD = 2048
"""Bytes of a failing input that are still printed; a longer one is only saved."""
STEP = 256
"""Inputs between two calls of `progress`."""


class Hang(BaseException):
    """An input took longer than SLOWEST. No `except Exception` of the code under test holds it."""


@dataclass(frozen=True)
class Target:
    """One entry point: what feeds it, what to start from, and what it may raise."""

    name: str
    feed: Callable[[bytes], object]
    make_seeds: Callable[[], Sequence[bytes]]
    documented: tuple[type[Exception], ...]

    @cached_property
    def seeds(self) -> Sequence[bytes]:
        return self.make_seeds()


@dataclass
class Failure:
    """An input that had an undocumented effect."""

    target: str
    data: bytes
    trace: str

    @property
    def file_name(self) -> str:
        """A name for the file of the input; the same input always has the same."""
        return f"{self.target}-{hashlib.sha256(self.data).hexdigest()[:12]}.bin"

    def __str__(self) -> str:
        told = self.data[:TOLD].hex() + ("..." if len(self.data) > TOLD else "")
        return (
            f"FAILURE of {self.target}: {self.trace.strip().splitlines()[-1]}\n{self.trace}"
            f"input of {len(self.data)} bytes: {told}\n"
        )


@dataclass
class Report:
    """What a run over one target came to."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    """Of all processes together."""
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    peak: int = 0
    """Largest resident memory that a process reached, in bytes."""

    def __add__(self, other: Report) -> Report:
        return Report(
            self.target,
            self.inputs + other.inputs,
            self.seconds + other.seconds,
            self.outcomes + other.outcomes,
            self.failures + other.failures,
            max(self.peak, other.peak),
        )

    def __str__(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0
        outcomes = ", ".join(f"{count:,} {name}" for name, count in self.outcomes.most_common())
        return (
            f"{self.target:<17} {self.inputs:>9,} inputs  {rate:>7,.0f}/s  "
            f"peak {self.peak / (1 << 20):>3,.0f} MiB  {outcomes}"
        )


@cache
def targets() -> dict[str, Target]:
    """Return every target of the ``targets_*.py`` beside this file, by name."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("targets_*.py")):
        module = importlib.import_module(f"{__package__}.{path.stem}")
        documented = getattr(module, "DOCUMENTED", (RadiogramError,))
        for function, feed in vars(module).items():
            if function.startswith("fuzz_"):
                name = function.removeprefix("fuzz_")
                found[name] = Target(name, feed, getattr(module, f"seeds_{name}"), documented)
    return found


def feed(target: Target, data: bytes) -> tuple[str, Failure | None]:
    """Feed one input; return the name of the outcome, and the failure if it is one."""
    try:
        # The alarm may also ring in the last moment, on the way out.
        signal.setitimer(signal.ITIMER_REAL, SLOWEST)
        try:
            target.feed(data)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    except target.documented as error:
        return type(error).__name__, None
    except (Exception, Hang) as error:  # noqa: BLE001 - this is what we look for
        return type(error).__name__, Failure(target.name, data, traceback.format_exc())
    return "accepted", None


def run(
    target: Target,
    *,
    inputs: int,
    seed: str,
    failures: int = 5,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Feed `inputs` inputs that `seed` determines; stop after that many failures.

    `progress` is called with the number of inputs since it was called before.
    """

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise Hang

    previous = signal.signal(signal.SIGALRM, interrupt)
    random = Random(f"{seed}/{target.name}")
    report = Report(target.name)
    for seed_data in target.seeds:
        _, failure = feed(target, seed_data)
        report.failures += [failure] if failure else []
    started = time.perf_counter()
    try:
        while report.inputs < inputs and len(report.failures) < failures:
            outcome, failure = feed(target, mutated(target.seeds, random))
            report.inputs += 1
            report.outcomes[outcome] += 1
            report.failures += [failure] if failure else []
            if report.inputs % STEP == 0:
                progress(STEP)
    finally:
        signal.signal(signal.SIGALRM, previous)
    progress(report.inputs % STEP)
    report.seconds = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    report.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return report
