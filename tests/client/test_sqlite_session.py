"""Sessions in files: one holder, no damage by a kill, nothing overwritten that is not ours."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from radiogram.errors import SessionError
from radiogram.sessions import PeerRecord, SessionData, SqliteSession, State

DATA = SessionData(dc_id=2, host="127.0.0.1", port=20443, auth_key=bytes(range(256)), user_id=5)
ANNA = PeerRecord(5_000_000_002, 111, ("zoe", "anna"), "999660001")

HOLD = """
import sys
from radiogram.sessions import SqliteSession
session = SqliteSession(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""

WRITE = """
import sys
from radiogram.sessions import SqliteSession, State
session = SqliteSession(sys.argv[1])
number = session.lines()[0].pts if session.lines()[0] else 0
while True:
    number += 1
    session.keep_line(None, State(number))
    print(number, flush=True)
"""


def test_everything_is_there_in_the_next_run(tmp_path: Path) -> None:
    with SqliteSession(tmp_path / "a") as session:
        session.data = DATA
        session.remember([ANNA])
        session.keep_line(None, State(7))
        assert session.path == tmp_path / "a.session"
    assert stat.S_IMODE(session.path.stat().st_mode) == 0o600
    with SqliteSession(session.path) as again:
        assert again.data == DATA
        assert again.by_username("anna") == ANNA
        assert again.lines() == (State(7), {})
        assert "zoe" not in repr(again)
        assert DATA.auth_key.hex() not in repr(again)


def test_a_second_process_is_told_who_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(SessionError, match=f"used by process {holder.pid} on "):
            SqliteSession(path)
    finally:
        holder.kill()
        holder.communicate()
    SqliteSession(path).close()  # the lock went with the process


def test_one_process_cannot_hold_it_twice_either(tmp_path: Path) -> None:
    held = SqliteSession(tmp_path / "a")
    with pytest.raises(SessionError, match=f"process {os.getpid()}"):
        SqliteSession(tmp_path / "a")
    held.close()
    SqliteSession(tmp_path / "a").close()


def test_a_kill_at_any_moment_leaves_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    last = 0
    for lines in range(1, 40, 3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(lines):
            last = int(writer.stdout.readline())
        writer.kill()
        rest = writer.communicate()[0].split()
        with SqliteSession(path) as session:
            state, _ = session.lines()
            assert state is not None
            # Everything that was said to be written is; one more may be.
            assert state.pts >= max([last, *map(int, rest[:-1])])
            last = state.pts


def test_files_of_others_are_refused_and_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.session"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE entities (id INTEGER)")
    db.commit()
    db.close()
    before = other.read_bytes()
    with pytest.raises(SessionError, match="another program"):
        SqliteSession(other)
    assert other.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"no database at all, but some text that is long", b"x" * 5000]
)
def test_damaged_files_are_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.session"
    path.write_bytes(content)
    with pytest.raises(SessionError, match="left as it is"):
        SqliteSession(path)
    assert path.read_bytes() == content


def test_a_damaged_page_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    with SqliteSession(path) as session:
        session.data = DATA
        session.remember(PeerRecord(number, number, (f"name{number}",)) for number in range(1, 999))
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 5 : 4096 * 6] = os.urandom(4096)
    path.write_bytes(damaged)
    with pytest.raises(SessionError, match="left as it is"):
        SqliteSession(path)
    assert path.read_bytes() == damaged


def test_newer_formats_and_missing_folders(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    SqliteSession(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    with pytest.raises(SessionError, match="format 99"):
        SqliteSession(path)
    with pytest.raises(SessionError, match="give a folder that exists"):
        SqliteSession(tmp_path / "missing" / "a")
