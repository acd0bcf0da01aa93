"""The command: ``python -m tests.fuzz --inputs 1000000 --seed 7 --jobs 2``."""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import secrets
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from operator import add

from .run import Report, feed, run_by_name, targets


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=50_000, help="inputs over all targets")
    parser.add_argument("--seed", default=None, help="repeat the inputs of an earlier run")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", action="append", metavar="TARGET", help="leave out the others")
    parser.add_argument("--memory", type=int, default=400, help="MiB that a process may reach")
    parser.add_argument("--replay", nargs=2, metavar=("TARGET", "HEX"), help="feed one input")
    options = parser.parse_args()

    known = targets()
    if options.replay:
        name, data = options.replay
        outcome, failure = feed(known[name], bytes.fromhex(data.replace("-", "")))
        print(failure or f"{name}: {outcome}")
        return 1 if failure else 0

    names = options.only or list(known)
    seed = options.seed or str(secrets.randbelow(1 << 32))
    per_job = -(-options.inputs // (len(names) * options.jobs))
    print(f"seed {seed}, {per_job * options.jobs * len(names):,} inputs over {len(names)} targets")

    failed = False
    with ProcessPoolExecutor(options.jobs, max_tasks_per_child=1) as pool:
        waiting = {
            name: [
                pool.submit(run_by_name, name, per_job, f"{seed}/{n}") for n in range(options.jobs)
            ]
            for name in names
        }
        for jobs in waiting.values():
            report = reduce(add, (waited.result() for waited in jobs))
            show(report)
            failed = failed or bool(report.failures) or report.peak > options.memory << 20
    print("FAILED" if failed else "only documented errors, memory bounded")
    return 1 if failed else 0


def show(report: Report) -> None:
    """Print what came of one target."""
    rate = report.inputs / report.seconds if report.seconds else 0
    print(
        f"{report.target:<20} {report.inputs:>9,} inputs  {rate:>8,.0f}/s  "
        f"peak {report.peak / (1 << 20):,.0f} MiB"
    )
    for outcome, count in report.outcomes.most_common():
        print(f"    {count:>9,}  {outcome}")
    for failure in report.failures:
        print(failure)


if __name__ == "__main__":
    sys.exit(main())
