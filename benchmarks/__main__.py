"""The command: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import median

from tests.served import Served

from . import codec, imports
from .measure import child, resident

MODULES = {"radiogram": "radiogram", "telethon": "telethon", "kurigram": "pyrogram"}
PHONE, CODE, USERNAME = "999662{:04}", "22222", "receiver"
MIB = 1 << 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of everything; medians are shown")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each rate in each run")
    options = parser.parse_args()

    libraries = [name for name, module in MODULES.items() if importlib.util.find_spec(module)]
    for name in MODULES.keys() - libraries:
        print(f"{name} is not installed and left out: pip install '.[bench]' brings it.\n")

    print_imports(libraries, options.runs)
    print_codec(libraries)
    print_requests(libraries, options.runs, options.seconds)
    print_server(options.runs)


def table(title: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows in columns: the first to the left, the others to the right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    print(title)
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  " + "  ".join(cells))
    print()


def print_imports(libraries: list[str], runs: int) -> None:
    names = [name for name in imports.STATEMENTS if name not in MODULES or name in libraries]
    taken = imports.measure(names, runs)
    table(
        "import, in a fresh process",
        ("", "ms", "MiB"),
        ((one.name, f"{one.seconds * 1000:.1f}", f"{one.kibibytes / 1024:.1f}") for one in taken),
    )


def print_codec(libraries: list[str]) -> None:
    results = codec.measure(libraries)
    own = results["radiogram"]
    table(
        f"a page of {codec.MESSAGES} messages (messages.messagesSlice), {own.size / 1000:.1f} kB",
        ("", "decode, ms", "times ours", "encode, ms", "times ours"),
        (
            (
                name,
                f"{one.decode * 1000:.3f}",
                f"{one.decode / own.decode:.1f}",
                f"{one.encode * 1000:.3f}",
                f"{one.encode / own.encode:.1f}",
            )
            for name, one in results.items()
        ),
    )


def world(users: int) -> str:
    """Return a world file: one user to write to, and some who write."""
    lines = ["[[users]]", 'phone = "9996629999"', f'first_name = "R"\nusername = "{USERNAME}"']
    for n in range(users):
        lines += ["[[users]]", f'phone = "{PHONE.format(n)}"', f'first_name = "User {n}"']
    return "\n".join(lines)


def print_requests(libraries: list[str], runs: int, seconds: float) -> None:
    taken: dict[str, dict[str, list[tuple[float, float]]]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Served(
            database=f"sqlite:///{Path(folder, 'server.db')}", world=world(runs * len(libraries))
        ) as server,
    ):
        phones = map(PHONE.format, range(runs * len(libraries)))
        for run in range(runs):
            # Each library has each place in the order now and then.
            for library in libraries[run % len(libraries) :] + libraries[: run % len(libraries)]:
                given = {
                    "address": asdict(server.address),
                    "phone": next(phones),
                    "code": CODE,
                    "username": USERNAME,
                }
                arguments = (library, json.dumps(given), str(seconds))
                for name, one in child("-m", "benchmarks.requests", *arguments).items():
                    taken.setdefault(name, {}).setdefault(library, []).append(one)
        memory = resident(server.pid)
    for title, column, scale in (
        ("requests a second: one client, one connection, server on a file database", 0, 1),
        ("of that, CPU of the client for one request, in microseconds", 1, 1e6),
    ):
        table(
            title,
            ("", *libraries),
            (
                (
                    name,
                    *(f"{scale * median(one[column] for one in ofs[of]):,.0f}" for of in libraries),
                )
                for name, ofs in taken.items()
            ),
        )
    print(f"the server's memory after all that: {memory / MIB:.0f} MiB\n")


def print_server(runs: int) -> None:
    first, again, memory = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            server = Served(database=f"sqlite:///{Path(folder, 'server.db')}")
            with server:
                first.append(server.start_seconds)
                server.stop()
                server.start()
                again.append(server.start_seconds)
                memory.append(resident(server.pid))
    table(
        "radiogram serve, from the command to the line that tells its address",
        ("", "s", "MiB"),
        (
            ("new file database (makes its key)", f"{median(first):.2f}", ""),
            ("the same again", f"{median(again):.2f}", f"{median(memory) / MIB:.0f}"),
        ),
    )


if __name__ == "__main__":
    main()
    sys.exit(0)
