"""One session's file and many processes, and one that is killed in its writes.

``python -m tests.e2e.lease --processes 200 --points 400`` runs three sweeps:

- Processes open one file at the same moment. One gets it, each of the others is told by whom.
- A process that writes is killed with SIGKILL at one point after the other: between any two
  instructions of SQLite's machine, from making or upgrading the file on. Whatever it had been told
  was written is there afterwards, and nothing by halves.
- The write-ahead log is cut off at one byte after the other, as a kill within a write leaves it.

With ``--strace`` the second sweep is repeated with kills at system calls, by that program.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radiogram.client.sessions import sealing, sqlite
from radiogram.client.sessions.base import PeerRecord, Session, SessionData, State
from radiogram.client.sessions.memory import MemorySession
from radiogram.client.sessions.sqlite import SqliteSession
from radiogram.errors import SessionInUse

ROOT = Path(__file__).parents[2]
DATA = SessionData(dc_id=2, host="127.0.0.1", port=20443, auth_key=bytes(range(256)), user_id=5)
PASSPHRASE = "of many words"
QUICK = (4, 8, 1)
"""Costs of scrypt that let a sweep end."""

FORMAT_1 = """
CREATE TABLE data (
    dc_id INTEGER NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL, auth_key BLOB NOT NULL,
    user_id INTEGER NOT NULL, is_bot INTEGER NOT NULL, test_mode INTEGER NOT NULL
);
CREATE TABLE peers (
    marked_id INTEGER PRIMARY KEY, access_hash INTEGER NOT NULL, phone TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX peers_phone ON peers (phone) WHERE phone != '';
CREATE TABLE usernames (
    username TEXT PRIMARY KEY, marked_id INTEGER NOT NULL, position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX usernames_peer ON usernames (marked_id);
CREATE TABLE lines (
    channel_id INTEGER PRIMARY KEY, pts INTEGER NOT NULL, qts INTEGER NOT NULL,
    date INTEGER NOT NULL, seq INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""The tables as the first version made them."""


def make_format_1(path: Path) -> None:
    """Make a file as the first version of the package did, with DATA in it."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(
            f"PRAGMA journal_mode = WAL; BEGIN; {FORMAT_1}"
            "PRAGMA application_id = 0x52474D31; PRAGMA user_version = 1; COMMIT;"
        )
        db.execute(
            "INSERT INTO data VALUES (?, ?, ?, ?, ?, 0, 0)",
            (DATA.dc_id, DATA.host, DATA.port, DATA.auth_key, DATA.user_id),
        )
        db.commit()


# ── what is written, and what must be there ──────────────────────────────────────────────────────


def change(session: Session, number: int) -> None:
    """Make the change of this number; the same one for every session."""
    peer = PeerRecord(number + 1, number, (f"a{number}", f"b{number}"), f"99966{number:05}")
    match number % 8:
        case 1:
            session.remember([peer, PeerRecord(-number, 0), PeerRecord(3, number, ("moves",))])
        case 2:
            session.keep_line(None, State(number, number, number, number))
        case 3:
            session.keep_line(number, number)
        case 4:
            session.forget_line(number - 1)
        case 5:
            session.data = SessionData(2, "10.0.0.1", number, bytes([number % 256]) * 256, 5)
        case 6:
            session.keep_line(7, number)
        case 7 if number % 32 == 31:
            session.forget()
        case _:
            session.remember([peer])


def facts(session: Any) -> object:
    """Return all that a session holds, to be compared."""
    return session.data, frozenset(session.peers), session.lines()


def after(count: int, start: SessionData) -> object:
    """Return what a session holds after so many changes."""
    session = MemorySession(start)
    for number in range(count):
        change(session, number)
    return facts(session)


def write(path: Path, passphrase: str | None, count: int, say: Callable[[int], None]) -> None:
    """Be the process that writes: say the number of changes after each."""
    session = SqliteSession(path, passphrase=passphrase)
    say(0)
    for number in range(count):
        change(session, number)
        say(number + 1)


# ── processes at once ────────────────────────────────────────────────────────────────────────────


@dataclass
class Crowd:
    """What became of processes that opened one file at once."""

    processes: int
    held: list[int] = field(default_factory=list)
    told: list[int | None] = field(default_factory=list)
    """Which process the others were told has it."""
    other: list[str] = field(default_factory=list)
    """Any other end, such as SQLite's own error."""
    seconds: float = 0.0

    def check(self) -> None:
        """Raise AssertionError unless one has it and all others were told so."""
        assert not self.other, self.other[:3]
        assert len(self.held) == 1, self.held
        assert len(self.told) == self.processes - 1
        assert set(self.told) == set(self.held), self.told

    def __str__(self) -> str:
        return (
            f"{self.processes} processes at once: {len(self.held)} held the session, "
            f"{len(self.told)} were told by whom, {len(self.other)} saw another error "
            f"({self.seconds:.1f} s)"
        )


def crowd(path: Path, processes: int) -> Crowd:
    """Let processes open one file at the same moment."""
    outcome = Crowd(processes)
    start_read, start_write = os.pipe()
    end_read, end_write = os.pipe()
    answers_read, answers_write = os.pipe()
    children = []
    for _ in range(processes):
        child = os.fork()
        if not child:
            os.close(start_write)
            os.close(end_write)
            os.read(start_read, 1)  # until the parent closes it, for all at once
            try:
                with SqliteSession(path):
                    os.write(answers_write, f"held {os.getpid()}\n".encode())
                    os.read(end_read, 1)
            except SessionInUse as error:
                os.write(answers_write, f"told {error.pid}\n".encode())
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
                os.write(answers_write, f"other {error!r:.200}\n".encode())
            os._exit(0)
        children.append(child)
    os.close(answers_write)
    began = time.monotonic()
    os.close(start_write)
    with os.fdopen(answers_read) as answers:
        for _ in range(processes):
            word, _, value = answers.readline().rstrip("\n").partition(" ")
            if word == "other":
                outcome.other.append(value)
            elif word == "held":
                outcome.held.append(int(value))
            else:
                outcome.told.append(None if value == "None" else int(value))
        outcome.seconds = time.monotonic() - began
        os.close(end_write)
        for child in children:
            os.waitpid(child, 0)
    for descriptor in (start_read, end_read):
        os.close(descriptor)
    return outcome


# ── kills ────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Kills:
    """What became of files whose writers were killed."""

    name: str
    points: int = 0
    killed: int = 0
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def check(self) -> None:
        """Raise AssertionError if a file did not open or lacked anything."""
        assert not self.lost, self.lost[:3]
        assert self.killed, "the sweep never hit a write"

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.points} points, {self.killed} kills, {len(self.lost)} sessions "
            f"that did not open or lacked something ({self.seconds:.1f} s)"
        )


@contextlib.contextmanager
def dying_at(instruction: int) -> Iterator[None]:
    """Kill this process when SQLite comes to an instruction, counted over all connections."""
    connect = sqlite3.connect
    left = instruction

    def count() -> int:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def counted(*args: Any, **options: Any) -> sqlite3.Connection:
        db = connect(*args, **options)
        db.set_progress_handler(count, 1)
        return db

    sqlite.sqlite3.connect = counted  # type: ignore[assignment]
    try:
        yield
    finally:
        sqlite.sqlite3.connect = connect


def killed_at(
    instruction: int, path: Path, passphrase: str | None, count: int
) -> tuple[bool, int | None]:
    """Let a process write and die; tell whether it died, and what it had said last."""
    read, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        with dying_at(instruction):
            write(path, passphrase, count, lambda number: _say(write_end, number))
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read) as said:
        numbers = said.read().split()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status == -signal.SIGKILL, int(numbers[-1]) if numbers else None


def _say(descriptor: int, number: int) -> None:
    os.write(descriptor, f"{number}\n".encode())


def judge(path: Path, passphrase: str | None, said: int | None, start: SessionData) -> str | None:
    """Open what a killed process left; return what is wrong with it."""
    try:
        with SqliteSession(path, passphrase=passphrase) as session:
            found = facts(session)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return f"does not open: {error!r}"
    # What was said to be written is there, and the change in progress wholly or not at all.
    if found not in (after(said or 0, start), after((said or 0) + 1, start)):
        return f"after {said} changes: {found!r:.200}"
    return None


def kills(name: str, points: int, folder: Path, *, count: int = 24) -> Kills:
    """Kill a writer at instructions spread evenly over its life."""
    outcome = Kills(name)
    passphrase = PASSPHRASE if name == "encrypted" else None
    start = DATA if name == "upgraded" else SessionData()
    began = time.monotonic()
    instruction, step = 1, 1
    while True:
        path = folder / f"{name}-{instruction}.session"
        if name == "upgraded":
            make_format_1(path)
        killed, said = killed_at(instruction, path, passphrase, count)
        outcome.points += 1
        outcome.killed += killed
        wrong = judge(path, passphrase, said, start)
        if wrong is not None:
            outcome.lost.append(f"killed at {instruction}: {wrong}")
        else:
            for left in folder.glob(path.name + "*"):
                left.unlink()
        if not killed:
            break
        instruction += step
        if outcome.points == points // 2:  # every instruction of the beginning, then wider steps
            step = max(1, (_life(folder, passphrase, count) - instruction) // (points // 2 or 1))
    outcome.seconds = time.monotonic() - began
    return outcome


def _life(folder: Path, passphrase: str | None, count: int) -> int:
    """Count the instructions of a writer that lives."""
    total = 0

    def tally() -> int:
        nonlocal total
        total += 1
        return 0

    connect = sqlite3.connect

    def counted(*args: Any, **options: Any) -> sqlite3.Connection:
        db = connect(*args, **options)
        db.set_progress_handler(tally, 1)
        return db

    sqlite.sqlite3.connect = counted  # type: ignore[assignment]
    try:
        path = folder / "life.session"
        with SqliteSession(path, passphrase=passphrase) as session:
            for number in range(count):
                change(session, number)
    finally:
        sqlite.sqlite3.connect = connect
    for left in folder.glob("life.session*"):
        left.unlink()
    return total


def cuts(points: int, folder: Path) -> Kills:
    """Cut the log of a killed writer off at bytes spread evenly over it."""
    outcome = Kills("log cut off")
    began = time.monotonic()
    path = folder / "cut.session"
    log = path.with_name(path.name + "-wal")
    read, write_end = os.pipe()
    child = os.fork()
    if not child:
        session = SqliteSession(path)
        session.data = DATA
        for number in range(1, 400):
            if number % 8 in {1, 2, 3, 4, 6, 0}:
                change(session, number)
                os.write(write_end, f"{number} {log.stat().st_size}\n".encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read) as said:
        ends = [tuple(map(int, line.split())) for line in said]
    os.waitpid(child, 0)
    size = log.stat().st_size
    model = MemorySession(DATA)
    todo = list(ends)
    for number in range(points + 1):
        cut = size * number // points
        while todo and todo[0][1] <= cut:
            change(model, todo.pop(0)[0])
        copy = folder / f"cut-{cut}.session"
        shutil.copy(path, copy)
        copy.with_name(copy.name + "-wal").write_bytes(log.read_bytes()[:cut])
        outcome.points += 1
        outcome.killed += 1
        try:
            with SqliteSession(copy) as session:
                if facts(session) != facts(model):
                    outcome.lost.append(f"cut at {cut} of {size}: {facts(session)!r:.200}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            outcome.lost.append(f"cut at {cut} of {size}: {error!r}")
        for left in folder.glob(copy.name + "*"):
            left.unlink()
    outcome.seconds = time.monotonic() - began
    return outcome


def traced(points: int, folder: Path) -> Kills:
    """Kill a writer at its system calls, with strace."""
    outcome = Kills("system calls")
    began = time.monotonic()
    calls = "pwrite64,write,ftruncate,fdatasync,fsync,unlink,openat,flock,fcntl"
    for number in range(points):
        path = folder / f"traced-{number}.session"
        done = subprocess.run(
            [
                *("strace", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"),
                *("-P", str(path), "-P", f"{path}-wal", "-P", f"{path}.lock"),
                *("-e", f"inject={calls}:signal=KILL:when={number + 1}"),
                *(sys.executable, "-m", "tests.e2e.lease", "--write", str(path)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout.split()
        outcome.points += 1
        outcome.killed += done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
        wrong = judge(path, None, int(said[-1]) if said else None, SessionData())
        if wrong is not None:
            outcome.lost.append(f"killed at call {number}: {wrong}")
        if done.returncode == 0:
            break
    outcome.seconds = time.monotonic() - began
    return outcome


def main() -> None:
    """Run the sweeps, and fail if one of them does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=200)
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--strace", action="store_true", help="kill at system calls, too")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write is not None:
        write(options.write, None, 24, lambda number: _say(1, number))
        os._exit(0)
    sealing._COST = QUICK
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outcomes: list[Crowd | Kills] = [crowd(folder / "crowd.session", options.processes)]
        outcomes += [
            kills(kind, options.points, folder) for kind in ("clear", "encrypted", "upgraded")
        ]
        outcomes.append(cuts(options.points, folder))
        if options.strace:
            outcomes.append(traced(options.points, folder))
    for outcome in outcomes:
        print(outcome)  # noqa: T201
    for outcome in outcomes:
        outcome.check()


if __name__ == "__main__":
    main()
