"""The command: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import operator
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.served import Served

from . import accounts, codec, imports, pins, server, updates
from .measure import child, resident
from .tables import Table

MODULES = {"radiogram": "radiogram", "telethon": "telethon", "kurigram": "pyrogram"}
PHONE, CODE, USERNAME = "999662{:04}", "22222", "receiver"
MIB = 1 << 20
UPDATES = 10_000
"""Pushed to each library in each run."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of everything; medians are shown")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each rate in each run")
    parser.add_argument(
        "--only",
        choices=("imports", "codec", "requests", "updates", "accounts", "server", "pins"),
        help="leave out the others",
    )
    parser.add_argument("--markdown", action="store_true", help="print tables of Markdown")
    options = parser.parse_args()
    # Installed packages come compiled; so shall the one that is run from its sources.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

    libraries = [name for name, module in MODULES.items() if importlib.util.find_spec(module)]
    print(machine(libraries) + "\n")
    for name in MODULES.keys() - libraries:
        print(f"{name} is not installed and left out: pip install '.[bench]' brings it.\n")
    bars = Bars()
    parts: dict[str, Callable[[], Iterator[Table]]] = {
        "imports": lambda: of_imports(libraries, options.runs, bars),
        "codec": lambda: of_codec(libraries, bars),
        "requests": lambda: of_requests(libraries, options.runs, options.seconds, bars),
        "updates": lambda: of_updates(libraries, options.runs, bars),
        "accounts": lambda: of_accounts(libraries, bars),
        "server": lambda: of_server(options.runs, bars),
        "pins": lambda: of_pins(options.runs, bars),
    }
    for name, measured in parts.items():
        if options.only in (None, name):
            for table in measured():
                show(table, markdown=options.markdown)
    show(bars.table(), markdown=options.markdown)


def show(table: Table, *, markdown: bool) -> None:
    print(table.markdown() if markdown else table.plain(), flush=True)


def machine(libraries: list[str]) -> str:
    """Return one line on when and on what the numbers were taken."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in libraries]
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {system}, {python}; {', '.join(versions)}"


class Bars:
    """What Radiogram wants to reach, beside what it did."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, ...]] = []

    def at_least(self, name: str, got: float, bar: float, unit: str = "") -> None:
        self._add(name, got, bar, unit, "at least", operator.ge)

    def below(self, name: str, got: float, bar: float, unit: str) -> None:
        self._add(name, got, bar, unit, "below", operator.lt)

    def _add(
        self,
        name: str,
        got: float,
        bar: float,
        unit: str,
        relation: str,
        holds: Callable[[float, float], bool],
    ) -> None:
        verdict = "reached" if holds(got, bar) else "MISSED"
        shown = f"{got:,.0f}" if got >= 1000 else f"{got:,.2f}"
        wanted = f"{relation} {bar:,g}{unit}"
        self._rows.append((name, wanted, f"{shown}{unit}", verdict))

    def table(self) -> Table:
        return Table("Bars", ("", "wanted", "got", ""), self._rows)


def of_imports(libraries: list[str], runs: int, bars: Bars) -> Iterator[Table]:
    names = [name for name in imports.STATEMENTS if name not in MODULES or name in libraries]
    taken = imports.measure(names, runs)
    bars.below("import radiogram", 1000 * taken[names.index("radiogram")].seconds, 40, " ms")
    yield Table(
        "Import, in a fresh process",
        ("", "ms", "MiB"),
        [(one.name, f"{one.seconds * 1000:.1f}", f"{one.kibibytes / 1024:.1f}") for one in taken],
    )


def of_codec(libraries: list[str], bars: Bars) -> Iterator[Table]:
    results = codec.measure(libraries)
    own = results["radiogram"]
    if "telethon" in results:
        times = results["telethon"].decode / own.decode
        bars.at_least("decoding, times as fast as Telethon", times, 2)
    yield Table(
        f"A page of {codec.MESSAGES} messages (messages.messagesSlice), {own.objects} objects, "
        f"{own.size / 1000:.1f} kB",
        ("", "decode, ms", "times ours", "encode, ms", "times ours"),
        [
            (
                name,
                f"{one.decode * 1000:.3f}",
                f"{one.decode / own.decode:.1f}",
                f"{one.encode * 1000:.3f}",
                f"{one.encode / own.encode:.1f}",
            )
            for name, one in results.items()
        ],
    )


def world(users: int) -> str:
    """Return a world file: one user to write to, and some who write."""
    lines = ["[[users]]", 'phone = "9996629999"', f'first_name = "R"\nusername = "{USERNAME}"']
    for n in range(users):
        lines += ["[[users]]", f'phone = "{PHONE.format(n)}"', f'first_name = "User {n}"']
    return "\n".join(lines)


def of_requests(libraries: list[str], runs: int, seconds: float, bars: Bars) -> Iterator[Table]:
    taken: dict[str, dict[str, list[tuple[float, float]]]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Served(
            database=f"sqlite:///{Path(folder, 'server.db')}", world=world(runs * len(libraries))
        ) as served,
    ):
        phones = map(PHONE.format, range(runs * len(libraries)))
        for run in range(runs):
            # Each library has each place in the order now and then.
            for library in libraries[run % len(libraries) :] + libraries[: run % len(libraries)]:
                given = {
                    "address": asdict(served.address),
                    "phone": next(phones),
                    "code": CODE,
                    "username": USERNAME,
                }
                arguments = (library, json.dumps(given), str(seconds))
                for name, one in child("-m", "benchmarks.requests", *arguments).items():
                    taken.setdefault(name, {}).setdefault(library, []).append(one)
        memory = resident(served.pid)
    middle = {
        name: {of: tuple(map(median, zip(*ofs[of], strict=True))) for of in libraries}
        for name, ofs in taken.items()
    }
    for name, ofs in middle.items():
        method, _, _ = name.partition(",")
        least = {"help.getConfig": 2000, "messages.sendMessage": 300}[method]
        bars.at_least(f"{name}: of the server on one connection", ofs["radiogram"][0], least, "/s")
    if "telethon" in libraries:
        for name, ofs in middle.items():
            times = ofs["radiogram"][0] / ofs["telethon"][0]
            bars.at_least(f"{name}: the client, times Telethon", times, 1)
    bars.below("the server's memory after all requests", memory / MIB, 80, " MiB")
    for title, column, scale in (
        ("Requests a second: one client, one connection, server on a file database", 0, 1),
        ("Of that, CPU of the client for one request, in microseconds", 1, 1e6),
    ):
        yield Table(
            title,
            ("", *libraries),
            [
                (name, *(f"{scale * ofs[of][column]:,.0f}" for of in libraries))
                for name, ofs in middle.items()
            ],
        )


def of_updates(libraries: list[str], runs: int, bars: Bars) -> Iterator[Table]:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in libraries}
    with updates.pushing() as served:
        for run in range(runs):
            # Each library has each place in the order now and then.
            for library in libraries[run % len(libraries) :] + libraries[: run % len(libraries)]:
                one = updates.run(library, served, UPDATES)
                taken[library].append((one["rate"], one["cpu"]))
    middle = {of: tuple(map(median, zip(*taken[of], strict=True))) for of in libraries}
    rate = middle["radiogram"][0]
    for rival in middle.keys() - {"radiogram"}:
        bars.at_least(f"updates a second, times {rival}", rate / middle[rival][0], 1)
    yield Table(
        f"{UPDATES:,} new messages, from the server's push to the return of the user's handler",
        ("", "a second", "times ours", "CPU of the client for one, microseconds"),
        [
            (of, f"{each:,.0f}", f"{each / rate:.2f}", f"{used * 1e6:,.0f}")
            for of, (each, used) in middle.items()
        ],
    )


def of_accounts(libraries: list[str], bars: Bars) -> Iterator[Table]:
    costs = {of: accounts.run(of) for of in libraries if of in accounts.OPENERS}
    ours = costs["radiogram"]
    name = f"memory of each client beyond the first, of {ours.clients}"
    bars.below(name, ours.each / 1000, 150, " kB")
    yield Table(
        f"{ours.clients} clients in one process, logged in and idle",
        ("", "kB for each beyond the first", "MiB in all", "s to connect all"),
        [
            (of, f"{one.each / 1000:,.0f}", f"{one.memory / MIB:,.0f}", f"{one.seconds:.1f}")
            for of, one in costs.items()
        ],
    )


def of_server(runs: int, bars: Bars) -> Iterator[Table]:
    starts = server.measure(runs)
    for one in starts:
        bars.below(f"start of the server {one.name}", one.seconds, 0.5, " s")
    yield Table(
        "`radiogram serve`, from the command to the line that tells its address",
        ("", "s", "MiB"),
        [(one.name, f"{one.seconds:.2f}", f"{one.memory / MIB:.0f}") for one in starts],
    )


def of_pins(runs: int, bars: Bars) -> Iterator[Table]:
    costs = pins.measure(runs * 100)
    first, last = costs[0], costs[-1]
    name = f"a pin among {last.members:,} members, times one among {first.members}"
    bars.below(name, last.pin / first.pin, 1.5, "")
    yield Table(
        f"A pin in a supergroup, {pins.ONLINE} members of it online: client, and server on a file",
        ("members", "pin, ms", "unpin, ms", "CPU for both, ms", "pushes for a pin"),
        [
            (
                f"{one.members:,}",
                f"{one.pin * 1000:.2f}",
                f"{one.unpin * 1000:.2f}",
                f"{one.cpu * 1000:.2f}",
                f"{one.pushes:.0f}",
            )
            for one in costs
        ],
    )


if __name__ == "__main__":
    main()
