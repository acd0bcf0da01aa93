"""Sessions in databases: SQLite always, PostgreSQL where a server can be started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from radiogram.client.sessions import lease, sql, sql_rows
from radiogram.errors import SessionDamaged, SessionError, SessionInUse, SessionTooNew
from radiogram.sessions import PeerRecord, PostgresSession, SessionData, SqlSession, State
from tests.client import postgres

pytestmark = pytest.mark.slow

DATA = SessionData(dc_id=2, host="127.0.0.1", port=20443, auth_key=bytes(range(256)), user_id=5)
ANNA = PeerRecord(5_000_000_002, -111, ("zoe", "anna"), "999660001")
PATIENCE = 20.0

HOLD = """
import sys
from radiogram.sessions import SqlSession, State
session = SqlSession(sys.argv[1], "anna")
number = session.lines()[0].pts if session.lines()[0] else 0
print("held", flush=True)
for line in sys.stdin:
    number += 1
    session.keep_line(None, State(number))
    session.flush()
    session.keep_line(None, State(number))
    print(number, flush=True)
"""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    reason = postgres.missing()
    if reason is not None:
        pytest.skip(reason)
    with postgres.serving() as url:
        yield url.replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture
def database(postgres_server: str) -> str:
    engine = sa.create_engine(postgres_server)
    sql_rows.metadata.drop_all(engine)
    engine.dispose()
    return postgres_server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'accounts.sqlite'}"
    found: str = request.getfixturevalue("database")
    return found


def change(url: str, **values: object) -> None:
    """Change the rows of all sessions behind their holders' back."""
    engine = sa.create_engine(url)
    with engine.begin() as tx:
        tx.execute(sql_rows.sessions.update().values(**values))
    engine.dispose()


def holding(url: str) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def ended(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()


def test_many_accounts_live_in_one_database(url: str) -> None:
    with SqlSession(url, "anna") as anna, SqlSession(url, "ben") as ben:
        anna.data = DATA
        anna.remember([ANNA])
        anna.keep_line(None, State(7, 8, 9, 10))
        anna.keep_line(77, 5)
        anna.keep_line(78, 5)
        anna.forget_line(78)
        ben.remember([PeerRecord(ANNA.marked_id, 222)])
        assert anna._store is ben._store
    with SqlSession(url, "anna") as anna, SqlSession(url, "ben") as ben:
        assert anna.data == DATA
        assert anna.by_username("anna") == anna.by_phone("999660001") == ANNA
        assert anna.lines() == (State(7, 8, 9, 10), {77: 5})
        assert ben.by_id(ANNA.marked_id) == PeerRecord(ANNA.marked_id, 222)
        assert ben.data == SessionData()
        assert DATA.auth_key.hex() not in repr(anna)
        anna.forget()
        anna.remember([ANNA])
    with SqlSession(url, "anna") as anna:
        assert anna.data == SessionData(dc_id=2, host="127.0.0.1", port=20443)
        assert anna.peers == (ANNA,)
        assert anna.lines() == (None, {})
    assert SqlSession.names(url) == ["anna", "ben"]


def test_changes_are_written_behind_without_being_asked(url: str) -> None:
    with SqlSession(url, "anna") as anna:
        for number in range(1, 1000):
            anna.remember([PeerRecord(number, number)])
            anna.keep_line(None, State(number))
        deadline = time.monotonic() + PATIENCE
        written = None
        while written != 999:
            assert time.monotonic() < deadline
            time.sleep(0.01)  # the thread has to get its turn
            with anna._store.transaction() as tx:
                written = tx.scalar(sa.select(sql_rows.lines.c.pts))
        with anna._store.transaction() as tx:
            assert tx.scalar(sa.select(sa.func.count()).select_from(sql_rows.peers)) == 999


def test_the_holder_is_named_and_a_killed_one_is_followed_at_once(url: str) -> None:
    holder = holding(url)
    try:
        with pytest.raises(SessionInUse, match=f"'anna' in .* is used by process {holder.pid} on"):
            SqlSession(url, "anna")
        start = time.monotonic()
        with pytest.raises(SessionInUse):
            SqlSession(url, "anna", wait=0.2)
        assert time.monotonic() - start >= 0.2
        SqlSession(url, "ben").close()
    finally:
        ended(holder)
    SqlSession(url, "anna").close()


def test_kills_lose_nothing_that_was_flushed(url: str) -> None:
    last = 0
    for lines in (1, 3, 10):
        writer = holding(url)
        assert writer.stdin is not None
        assert writer.stdout is not None
        for _ in range(lines):
            writer.stdin.write("\n")
            writer.stdin.flush()
            last = int(writer.stdout.readline())
        ended(writer)
        with SqlSession(url, "anna") as session:
            assert session.lines()[0] == State(last)


def test_one_process_cannot_have_it_twice(url: str) -> None:
    with SqlSession(url, "anna"), pytest.raises(SessionInUse, match=f"process {os.getpid()} on"):
        SqlSession(url, "anna")


def holder(**changes: object) -> str:
    return msgspec.json.encode(msgspec.structs.replace(lease.this_process(), **changes)).decode()


def test_a_session_is_free_when_its_holder_is_gone_or_silent(url: str) -> None:
    SqlSession(url, "anna").close()
    with SqlSession(url, "ben") as ben, ben._store.transaction() as tx:
        now = sql_rows.now(tx)
    # A process of this machine that has the pid of one that ended:
    change(url, token="x", renewed=now, holder=holder(started="1"))
    if lease.machine():
        SqlSession(url, "anna").close()
    # One of another machine, of which only the sign of life tells:
    change(url, token="x", renewed=now, holder=holder(machine="another", host="far", pid=1))
    with pytest.raises(SessionInUse, match="process 1 on far"):
        SqlSession(url, "anna")
    change(url, renewed=now - sql.LEASE)
    SqlSession(url, "anna").close()
    change(url, token="x", renewed=now, holder="no json")
    with pytest.raises(SessionInUse, match="another process"):
        SqlSession(url, "anna")


def test_signs_of_life_are_given(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "BEAT", 0.02)
    with SqlSession(url, "anna") as anna:
        with anna._store.transaction() as tx:
            now = sql_rows.now(tx)
        with anna._store._writing:
            change(url, renewed=now - 20)
        deadline = time.monotonic() + PATIENCE
        while True:
            with anna._store.transaction() as tx:
                if tx.scalar(sa.select(sql_rows.sessions.c.renewed)) >= now:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_who_lost_a_session_cannot_write_to_it(url: str) -> None:
    with SqlSession(url, "anna") as anna:
        anna.data = DATA
        change(url, token="another's", holder=holder(machine="another", host="far", pid=1))
        anna.keep_line(None, State(99))
        with pytest.raises(SessionInUse, match="process 1 on far"):
            anna.flush()
        with pytest.raises(SessionInUse):
            anna.data = SessionData()
        with pytest.raises(SessionInUse):
            anna.keep_line(None, State(100))
    change(url, token="")
    with SqlSession(url, "anna") as anna:
        assert anna.data == DATA
        assert anna.lines() == (None, {})


def test_what_could_not_be_written_is_written_later(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqlSession(url, "anna") as anna:
        write = sql_rows.write_lines
        with monkeypatch.context() as broken:

            def fail(*_: object) -> None:
                raise sa.exc.OperationalError("statement", {}, Exception("the cable is out"))

            broken.setattr(sql_rows, "write_lines", fail)
            anna.remember([ANNA])
            anna.keep_line(None, State(7))
            with pytest.raises(SessionError, match="cable is out") as caught:
                anna.flush()
            assert "statement" not in str(caught.value)
            with pytest.raises(SessionError):
                anna.data = DATA
            assert anna.data == SessionData()
            anna.keep_line(None, State(8))
        assert sql_rows.write_lines is write
        anna.flush()
    with SqlSession(url, "anna") as anna:
        assert anna.by_id(ANNA.marked_id) == ANNA
        assert anna.lines()[0] == State(8)


def test_an_interpreter_that_ends_writes_what_is_left(url: str) -> None:
    code = (
        "import sys; from radiogram.sessions import SqlSession, State\n"
        "session = SqlSession(sys.argv[1], 'anna'); session.keep_line(None, State(41))\n"
    )
    subprocess.run([sys.executable, "-c", code, url], check=True)
    with SqlSession(url, "anna") as anna:
        assert anna.lines()[0] == State(41)


def test_a_forked_process_leaves_it_to_its_parent(url: str) -> None:
    with SqlSession(url, "anna") as anna:
        child = os.fork()
        if not child:
            try:
                anna.keep_line(None, State(1))
            except SessionError as error:
                os._exit(7 if "forked" in str(error) else 1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        anna.keep_line(None, State(2))
    with pytest.raises(SessionError, match="was closed"):
        anna.keep_line(None, State(3))
    with SqlSession(url, "anna") as anna:
        assert anna.lines()[0] == State(2)


def test_newer_formats_and_damaged_keys_are_refused(url: str) -> None:
    SqlSession(url, "anna").close()
    change(url, auth_key=b"short")
    with pytest.raises(SessionDamaged, match="has 5 bytes"):
        SqlSession(url, "anna")
    engine = sa.create_engine(url)
    with engine.begin() as tx:
        assert tx.scalar(sa.select(sql_rows.sessions.c.auth_key)) == b"short"
        tx.execute(sql_rows.meta.update().values(value="99"))
    engine.dispose()
    with pytest.raises(SessionTooNew, match="format 99"):
        SqlSession(url, "anna")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nothing", "URL cannot be used"),
        ("mysql+nothing://a", "URL cannot be used"),
        ("sqlite:////missing/folder/a", "cannot be used"),
        ("postgresql+psycopg://u:secret@127.0.0.1:1/x?password=secret", "cannot be used"),
    ],
)
def test_databases_that_cannot_be_used(url: str, reason: str) -> None:
    with pytest.raises(SessionError, match=reason) as caught:
        SqlSession(url, "anna")
    assert "secret" not in str(caught.value)


def test_names_and_urls_are_checked(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="1 to 190 characters"):
        SqlSession("sqlite://", "")
    with pytest.raises(SessionError, match="begins with postgresql://, not 'sqlite://'"):
        PostgresSession("sqlite://", "anna")
    path = tmp_path / "a.sqlite"
    SqlSession(f"sqlite:///{path}", "anna").close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SessionError, match="psycopg, is not installed; install it"):
        SqlSession("postgresql+psycopg://nobody@/other", "anna")


def test_postgres_by_its_own_name(database: str) -> None:
    with PostgresSession(database.replace("+psycopg", ""), "by its name") as session:
        session.data = DATA
    with PostgresSession(database, "by its name") as session:
        assert session.data == DATA
