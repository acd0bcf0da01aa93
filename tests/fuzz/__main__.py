"""The command: ``python -m tests.fuzz --inputs 1000000 --seed 7 --jobs 2``."""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from pathlib import Path

from .pool import run_all
from .run import Failure, feed, targets

MIB = 1 << 20


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Feed wrong inputs to what reads a peer's bytes."
    )
    parser.add_argument("--inputs", type=int, default=50_000, help="inputs over all targets")
    parser.add_argument("--seed", default=None, help="repeat the inputs of an earlier run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--only", action="append", metavar="TARGET", help="leave out the others")
    parser.add_argument(
        "--memory", type=int, default=128, help="MiB of resident memory that a process may reach"
    )
    parser.add_argument(
        "--save", type=Path, default=Path(".fuzz"), help="folder for inputs that fail"
    )
    parser.add_argument(
        "--replay", nargs=2, metavar=("TARGET", "INPUT"), help="feed one input: a file, or hex"
    )
    options = parser.parse_args()
    known = targets()
    names = options.only or ([options.replay[0]] if options.replay else list(known))
    if unknown := set(names) - known.keys():
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(known)}")
    if options.replay:
        return replay(*options.replay)

    seed = options.seed or str(secrets.randbelow(1 << 32))
    each = -(-options.inputs // len(names))
    total = each * len(names)
    print(f"seed {seed}: {total:,} inputs over {len(names)} targets", flush=True)
    started = time.monotonic()

    def tick(done: int) -> None:
        if sys.stderr.isatty():
            seconds = time.monotonic() - started
            sys.stderr.write(f"\r{done:,} of {total:,} inputs, {seconds:.0f} s \r")

    peak, fed, bad = 0, 0, 0
    memory = options.memory * MIB
    for report in run_all(
        names, inputs=each, seed=seed, jobs=options.jobs, memory=2 * memory, tick=tick
    ):
        print(report, flush=True)
        for failure in report.failures:
            print(failure, end="")
            print(f"again: python -m tests.fuzz --replay {failure.target} {keep(failure, options)}")
        peak, fed, bad = max(peak, report.peak), fed + report.inputs, bad + len(report.failures)

    print(f"{fed:,} inputs in {time.monotonic() - started:.0f} s, ", end="")
    print(f"{bad} failures; " if bad else "only documented errors; ", end="")
    print(f"memory at most {peak / MIB:.0f} MiB of {options.memory} MiB")
    return 1 if bad or peak > memory else 0


def keep(failure: Failure, options: argparse.Namespace) -> Path:
    """Write the failing input to a file."""
    options.save.mkdir(parents=True, exist_ok=True)
    path: Path = options.save / failure.file_name
    path.write_bytes(failure.data)
    return path


def replay(name: str, given: str) -> int:
    """Feed the input that a file holds, or that is given in hex."""
    path = Path(given)
    data = path.read_bytes() if path.is_file() else bytes.fromhex(given)
    outcome, failure = feed(targets()[name], data)
    print(failure or f"{name}: {outcome}")
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
