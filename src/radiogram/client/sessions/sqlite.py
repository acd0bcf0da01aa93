"""Layer 4, client: a session in a file, which survives the process however it ends.

Knows SQLite and one table for each kind of fact. Must not know what the facts mean.

Every change is a transaction of its own in a write-ahead log: whoever kills the process finds the
file as of the last change. One process holds a file at a time: a lock on a second file, which the
system takes away with the process, says which.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import astuple, replace

from radiogram.client.sessions.base import PeerRecord, SessionData, State
from radiogram.errors import SessionError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

try:
    import fcntl
except ImportError:  # not a Unix: the file is not locked against other processes there
    fcntl = None  # type: ignore[assignment]

APPLICATION_ID = 0x52474D31
"""Marks a file as Radiogram's ("RGM1")."""
FORMAT = 1
SUFFIX = ".session"

_SCHEMA = """
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
_ACCOUNT = 0
"""Stands in ``lines`` for the account's own."""


class SqliteSession:
    """Keep the account's data in a file.

    `path` is the file; without a suffix it gets ``.session``. It is made, readable for its owner
    only, if it is missing. Whoever has the file has the account. Raises SessionError for a file
    that is none of Radiogram's, that is damaged (it is left as it is), or that another process
    holds. Close it, or use it in a ``with`` block.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.suffix:
            self.path = self.path.with_suffix(SUFFIX)
        self._lock = _hold(self.path)
        try:
            self._db = _open(self.path)
            self._data = self._load()
        except BaseException:
            _let_go(self._lock)
            raise

    def __repr__(self) -> str:
        return f"<SqliteSession {str(self.path)!r} {self._data}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back; the session cannot be used any more."""
        self._db.close()
        lock, self._lock = self._lock, None
        _let_go(lock)

    # ── where the account lives ──────────────────────────────────────────────────────────────

    @property
    def data(self) -> SessionData:
        """Where the account lives and how to get in."""
        return self._data

    @data.setter
    def data(self, value: SessionData) -> None:
        with self._db:
            self._db.execute("DELETE FROM data")
            self._db.execute("INSERT INTO data VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(value))
        self._data = value

    def _load(self) -> SessionData:
        row = self._db.execute("SELECT * FROM data").fetchone()
        if row is None:
            return SessionData()
        dc_id, host, port, auth_key, user_id, is_bot, test_mode = row
        return SessionData(dc_id, host, port, auth_key, user_id, bool(is_bot), bool(test_mode))

    # ── peers ────────────────────────────────────────────────────────────────────────────────

    def remember(self, peers: Iterable[PeerRecord]) -> None:
        """Keep these peers, in place of what was known of them."""
        new = [peer for peer in peers if self.by_id(peer.marked_id) != peer]
        if not new:
            return
        with self._db:
            for peer in new:
                self._db.execute("UPDATE peers SET phone = '' WHERE phone = ?", (peer.phone,))
                self._db.execute(
                    "INSERT OR REPLACE INTO peers VALUES (?, ?, ?)",
                    (peer.marked_id, peer.access_hash, peer.phone),
                )
                self._db.execute("DELETE FROM usernames WHERE marked_id = ?", (peer.marked_id,))
                self._db.executemany(
                    "INSERT OR REPLACE INTO usernames VALUES (?, ?, ?)",
                    [(name, peer.marked_id, number) for number, name in enumerate(peer.usernames)],
                )

    def by_id(self, marked_id: int) -> PeerRecord | None:
        """Find a peer by its marked id."""
        row = self._db.execute(
            "SELECT access_hash, phone FROM peers WHERE marked_id = ?", (marked_id,)
        ).fetchone()
        if row is None:
            return None
        names = self._db.execute(
            "SELECT username FROM usernames WHERE marked_id = ? ORDER BY position", (marked_id,)
        )
        return PeerRecord(marked_id, row[0], tuple(name for (name,) in names), row[1])

    def by_username(self, username: str) -> PeerRecord | None:
        """Find the peer last seen with a username (lower case, no "@")."""
        row = self._db.execute(
            "SELECT marked_id FROM usernames WHERE username = ?", (username,)
        ).fetchone()
        return None if row is None else self.by_id(row[0])

    def by_phone(self, phone: str) -> PeerRecord | None:
        """Find the user last seen with a phone number (digits)."""
        row = self._db.execute(
            "SELECT marked_id FROM peers WHERE phone = ? AND phone != ''", (phone,)
        ).fetchone()
        return None if row is None else self.by_id(row[0])

    # ── updates ──────────────────────────────────────────────────────────────────────────────

    def lines(self) -> tuple[State | None, dict[int, int]]:
        """Tell where updates stood: the account's state if any, and the pts of channels by id."""
        state: State | None = None
        channels: dict[int, int] = {}
        for channel_id, pts, qts, date, seq in self._db.execute("SELECT * FROM lines"):
            if channel_id == _ACCOUNT:
                state = State(pts, qts, date, seq)
            else:
                channels[channel_id] = pts
        return state, channels

    def keep_line(self, channel_id: int | None, state: State | int) -> None:
        """Note where updates stand: of a channel its pts, without a channel the account's state."""
        values = astuple(state) if isinstance(state, State) else (state, 0, 0, 0)
        with self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?)",
                (_ACCOUNT if channel_id is None else channel_id, *values),
            )

    def forget_line(self, channel_id: int) -> None:
        """Drop what is known of a channel's updates."""
        with self._db:
            self._db.execute("DELETE FROM lines WHERE channel_id = ?", (channel_id,))

    def forget(self) -> None:
        """Drop the key, the account, its updates and all peers; the address stays."""
        self.data = replace(self._data, auth_key=b"", user_id=0, is_bot=False)
        with self._db:
            for table in ("peers", "usernames", "lines"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own


def _open(path: Path) -> sqlite3.Connection:
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        db = sqlite3.connect(path, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise SessionError(
            f"the session file {path} cannot be opened ({error}); check the folder and the "
            "permissions"
        ) from None
    try:
        _prepare(db, path)
    except sqlite3.Error as error:
        db.close()
        raise SessionError(
            f"the session file {path} cannot be read ({error}); it was left as it is: take a copy "
            "from before, or sign in again with another file"
        ) from None
    except SessionError:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (mark,) = db.execute("PRAGMA application_id").fetchone()
    if tables and mark != APPLICATION_ID:
        raise SessionError(
            f"{path} is an SQLite file of another program; give another name, or convert it first"
        )
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if tables and version != FORMAT:
        raise SessionError(
            f"the session file {path} has format {version}, this version of Radiogram reads "
            f"{FORMAT}; use the version that wrote it"
        )
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # a kill loses nothing; the system's end may
    if not tables:
        db.executescript(
            f"BEGIN; {_SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {FORMAT}; COMMIT;"
        )
    elif db.execute("PRAGMA quick_check").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("it is damaged")


def _hold(path: Path) -> int | None:
    """Take the file for this process, or say who has it."""
    if fcntl is None:
        return None
    name = path.with_name(path.name + ".lock")
    try:
        lock = os.open(name, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise SessionError(
            f"the session file {path} cannot be used ({error.strerror}: {name}); give a folder "
            "that exists and can be written"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = {}
        with contextlib.suppress(OSError, ValueError):
            holder = json.loads(os.pread(lock, 1000, 0))
        os.close(lock)
        raise SessionError(
            f"the session file {path} is used by process {holder.get('pid', '?')} on "
            f"{holder.get('host', '?')}; end that one first, or use another session: one account "
            "may have many"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
    return lock


def _let_go(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)  # the lock goes with it; the file stays, or two might hold it
