"""Sessions in files: one holder, no damage by a kill, nothing overwritten that is not ours."""

from __future__ import annotations

import contextlib
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from radiogram.client.sessions import lease, sealing
from radiogram.errors import (
    SessionDamaged,
    SessionError,
    SessionInUse,
    SessionTooNew,
    WrongPassphrase,
)
from radiogram.sessions import PeerRecord, SessionCopy, SessionData, SqliteSession, State
from tests.e2e.lease import make_format_1

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
        with pytest.raises(SessionInUse, match=f"used by process {holder.pid} on ") as caught:
            SqliteSession(path)
        assert caught.value.pid == holder.pid
        assert caught.value.host == lease.host_name()
        assert caught.value.session == str(path)
        copy = pickle.loads(pickle.dumps(caught.value))
        assert str(copy) == str(caught.value)
        start = time.monotonic()
        with pytest.raises(SessionInUse):
            SqliteSession(path, wait=0.2)
        assert time.monotonic() - start >= 0.2
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
    content = path.read_bytes()
    with pytest.raises(SessionTooNew, match="format 99, this version of Radiogram reads up to 2"):
        SqliteSession(path)
    assert path.read_bytes() == content
    with pytest.raises(SessionError, match="give a folder that exists"):
        SqliteSession(tmp_path / "missing" / "a")


# ── who holds it ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["", ".", "a\0b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(SessionError, match="is no name of a session file; give one such as"):
        SqliteSession(name)


def test_a_passphrase_is_text(tmp_path: Path) -> None:
    for wrong in (b"secret", 5):
        with pytest.raises(WrongPassphrase, match=f"is text, not {type(wrong).__name__}"):
            SqliteSession(tmp_path / "name", passphrase=wrong)  # type: ignore[arg-type]


def test_waiting_for_a_holder_that_gives_it_back(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    holder.stdin.close()  # it ends on its own while this process waits
    SqliteSession(path, wait=20).close()
    holder.wait()
    holder.stdout.close()


def test_a_pid_that_another_process_has_by_now_is_no_holder() -> None:
    me = lease.this_process()
    assert not me.is_gone
    if me.machine:
        assert msgspec.structs.replace(me, started="1").is_gone
        assert msgspec.structs.replace(me, pid=1 << 30).is_gone
    assert not msgspec.structs.replace(me, started="1", machine="another").is_gone
    assert not msgspec.structs.replace(me, started="1", machine="").is_gone


@pytest.mark.parametrize("left", [b"", b"no json", b"{}", b'{"pid": 7, "host": "older"}'])
def test_what_an_earlier_holder_wrote_holds_nothing(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "a.session.lock").write_bytes(left)
    SqliteSession(tmp_path / "a").close()


def test_a_holder_that_does_not_sign_is_reported_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_GRACE", 0.1)
    with SqliteSession(tmp_path / "a"):
        (tmp_path / "a.session.lock").write_bytes(b"")
        with pytest.raises(SessionInUse, match="used by another process; end that one") as caught:
            SqliteSession(tmp_path / "a")
    assert caught.value.pid is None


def test_a_program_without_a_lease_is_kept_out_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    with (
        SqliteSession(path),
        contextlib.closing(sqlite3.connect(path, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("SELECT * FROM data")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SessionInUse, match="another process"):
            SqliteSession(path)


def test_a_forked_process_leaves_it_to_its_parent(tmp_path: Path) -> None:
    session = SqliteSession(tmp_path / "a")
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            session.keep_line(None, State(1))
        except SessionError as error:
            os.write(write, str(error).encode())
        session.close()
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        assert "forked from the one that opened it" in said.read()
    os.waitpid(child, 0)
    session.keep_line(None, State(2))
    session.close()
    with pytest.raises(SessionError, match="was closed"):
        session.keep_line(None, State(3))
    with SqliteSession(tmp_path / "a") as again:
        assert again.lines()[0] == State(2)


# ── damage and formats ───────────────────────────────────────────────────────────────────────────


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("lock")
    }


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DROP TABLE peers", "no such table"),
        ("DROP TABLE meta", "no such table"),
        ("UPDATE data SET auth_key = x'0102'", "the key has 2 bytes"),
        ("UPDATE data SET dc_id = 'two'", "row with the key cannot be read"),
    ],
)
def test_a_damaged_session_is_reported_and_left_as_it_is(
    tmp_path: Path, statement: str, reason: str
) -> None:
    path = tmp_path / "a.session"
    with SqliteSession(path) as session:
        session.data = DATA
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()
    before = files(tmp_path)
    with pytest.raises(SessionDamaged, match=reason), SqliteSession(path) as session:
        session.by_id(1)
    assert files(tmp_path) == before


def test_a_file_cut_off_anywhere_is_reported_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    with SqliteSession(path) as session:
        session.data = DATA
        session.remember([ANNA])
    whole = path.read_bytes()
    for end in (1, 15, 16, 50, 99, 100, 1000, 4096, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(SessionDamaged, match="left as it is"):
            SqliteSession(path)
        assert files(tmp_path) == {path.name: whole[:end]}
    path.write_bytes(whole)
    with SqliteSession(path) as session:
        assert session.data == DATA


def test_the_first_format_is_upgraded_and_a_copy_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    make_format_1(path)
    assert SessionCopy.read(path).data.user_id == 5  # a look does not upgrade
    assert set(files(tmp_path)) == {"a.session"}
    with SqliteSession(path) as session:
        assert session.data.auth_key == DATA.auth_key
        session.data = DATA
    copy = tmp_path / "a.session.format1"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert SessionCopy.read(copy).data.auth_key == DATA.auth_key
    kept = copy.read_bytes()
    with SqliteSession(path) as session:
        assert session.data == DATA
    assert copy.read_bytes() == kept
    assert set(files(tmp_path)) == {"a.session", "a.session.format1"}


def test_a_full_disk_is_reported_and_loses_nothing(tmp_path: Path) -> None:
    with SqliteSession(tmp_path / "a") as session:
        session.data = DATA
        pages = session._db.execute("PRAGMA page_count").fetchone()[0]
        session._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(SessionError, match=r"full.* check the disk's space"):
            session.remember(PeerRecord(number, number) for number in range(1, 5000))
        assert session.data == DATA
        session.keep_line(None, State(1))
    with SqliteSession(tmp_path / "a") as session:
        assert session.data == DATA
        assert session.peers == ()


# ── encryption ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scrypt cost next to nothing."""
    monkeypatch.setattr(sealing, "_COST", (4, 8, 1))


@pytest.mark.usefixtures("quick")
def test_nothing_can_be_read_without_the_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    data = msgspec.structs.replace(DATA, host="very-secret-host", user_id=0x1122334455)
    secrets = [
        *(data.auth_key[at : at + 8] for at in range(0, 249, 8)),
        *(data.host.encode(), b"zoe", b"anna", ANNA.phone.encode(), b"of many words"),
        *(data.user_id.to_bytes(5, order) for order in ("big", "little")),
        *(ANNA.marked_id.to_bytes(5, order) for order in ("big", "little")),
    ]
    with SqliteSession(path, passphrase="of many words") as session:
        session.data = DATA
        session.data = data
        session.remember([ANNA])
        session.keep_line(None, State(7, 8, 9, 10))
        session.keep_line(77, 5)
        assert session.is_encrypted
        beside = {name: content for name, content in files(tmp_path).items() if "wal" in name}
        assert any(beside.values())
    for content in [*files(tmp_path).values(), *beside.values()]:
        for secret in secrets:
            assert secret not in content
    with SqliteSession(path, passphrase="of many words") as again:
        assert again.data == data
        assert again.by_username("anna") == again.by_phone("999660001") == ANNA
        assert again.lines() == (State(7, 8, 9, 10), {77: 5})
        again.forget_line(77)
        again.forget()
    with SqliteSession(path, passphrase="of many words") as again:
        assert again.data == msgspec.structs.replace(data, auth_key=b"", user_id=0)
        assert again.peers == ()
        assert again.lines() == (None, {})


@pytest.mark.usefixtures("quick")
def test_another_passphrase_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.session"
    with SqliteSession(path, passphrase="right") as session:
        session.data = DATA
    before = files(tmp_path)
    for passphrase, reason in [
        ("wrong", "not with this passphrase"),
        (None, "is encrypted; give its passphrase"),
        ("", "protects nothing"),
    ]:
        with pytest.raises(WrongPassphrase, match=reason):
            SqliteSession(path, passphrase=passphrase)
    assert files(tmp_path) == before
    SqliteSession(tmp_path / "b").close()
    with pytest.raises(WrongPassphrase, match="is not encrypted, but a passphrase was given"):
        SqliteSession(tmp_path / "b", passphrase="right")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sealed SET record = zeroblob(100)",
        "UPDATE sealed SET record = 'text'",
        "UPDATE sealed SET record = substr(record, 1, 30)",
        "UPDATE sealed SET label = x'00' WHERE label = (SELECT min(label) FROM sealed)",
        "UPDATE meta SET value = x'00' WHERE name = 'seal'",
        "UPDATE meta SET value = 'text' WHERE name = 'seal'",
        "UPDATE meta SET value = x'200801' || zeroblob(16) WHERE name = 'seal'",
    ],
)
def test_changed_records_are_damage(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "a.session"
    with SqliteSession(path, passphrase="right") as session:
        session.data = DATA
        session.remember([ANNA])
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()
    before = files(tmp_path)
    with pytest.raises(SessionDamaged, match="left as it is"):
        SqliteSession(path, passphrase="right")
    assert files(tmp_path) == before


def test_the_cost_of_guessing_is_what_is_recommended(tmp_path: Path) -> None:
    assert sealing._COST == (15, 8, 3)
    with SqliteSession(tmp_path / "a", passphrase="right") as session:
        session.data = DATA
    with SqliteSession(tmp_path / "a.session", passphrase="right") as session:
        assert session.data == DATA


@pytest.mark.usefixtures("quick")
def test_no_nonce_is_used_twice_under_a_key() -> None:
    first = sealing.Sealer("right")
    second = sealing.Sealer("right", first.head)
    heads = [sealer.seal(b"same", b"here")[:24] for sealer in [first, second] * 100]
    assert len(set(heads)) == 200
    sealed = first.seal(b"same", b"here")
    assert len(sealed) == len(b"same") + sealing.OVERHEAD
    assert second.open(sealed, b"here") == b"same"
    with pytest.raises(SessionDamaged):
        second.open(sealed, b"there")
