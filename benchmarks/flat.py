"""Memory over a million updates: ``python -m benchmarks.flat --updates 1000000``.

A client in a process of its own is pushed so many new messages over a socket; its handler is called
with each, and the state kept after each. Its memory is looked at twenty times on the way.
Exits with 1 if it grew by more than :data:`ALLOWED` from the first quarter to the end.
"""

from __future__ import annotations

import argparse
import sys

from .requests import RIVALS
from .updates import pushing, run

MIB = 1 << 20
ALLOWED = 4 * MIB
"""What the allocator may take on the way; a leak of four bytes an update would be as much."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flat", description=__doc__)
    parser.add_argument("--updates", type=int, default=1_000_000)
    parser.add_argument("--client", choices=tuple(RIVALS), default="radiogram")
    options = parser.parse_args()
    with pushing() as server:
        result = run(options.client, server, options.updates)
    memory = result["memory"]
    print(f"{options.client}, {options.updates:,} updates, {result['rate']:,.0f}/s")
    print("MiB on the way: " + " ".join(f"{one / MIB:.1f}" for one in memory))
    grown = memory[-1] - memory[len(memory) // 4]
    print(f"from the first quarter to the end: {grown / MIB:+.1f} MiB")
    return int(grown > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
