"""Layer 4, client: the tables of a session's file, in the clear or sealed.

Knows the columns, and which kind of fact a row holds. Must not know files, locks or what the facts
mean. Every change is one transaction, complete or not there at all.

In the clear, each fact has its columns, and a question is a query. Sealed, a row is a label that
tells nothing and a record that only the passphrase opens; the records are read once, and questions
are answered from memory.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import astuple, replace

from radiogram.client.sessions.base import PeerRecord, SessionData, State
from radiogram.client.sessions.memory import MemorySession
from radiogram.errors import SessionDamaged

if TYPE_CHECKING:
    from radiogram.client.sessions.sealing import Sealer

META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"

CLEAR = """
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
SEALED = "CREATE TABLE sealed (label BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;"

DATABASE_ERRORS = (sqlite3.Error, UnicodeError)
"""What SQLite's module raises over a damaged file: its messages quote from it, as UTF-8 or not."""

_ACCOUNT = 0
"""Stands among the channels' lines for the account's own."""


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one transaction: all of it is kept, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


class ClearTables:
    """A session's facts as rows that any SQLite tool reads."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        rows = db.execute("SELECT * FROM data").fetchall()
        self._data = checked_data(rows[0]) if rows else SessionData()

    @property
    def data(self) -> SessionData:
        return self._data

    @data.setter
    def data(self, value: SessionData) -> None:
        with transaction(self._db):
            self._write_data(value)
        self._data = value

    def _write_data(self, value: SessionData) -> None:
        self._db.execute("DELETE FROM data")
        self._db.execute("INSERT INTO data VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(value))

    @property
    def peers(self) -> tuple[PeerRecord, ...]:
        ids = self._db.execute("SELECT marked_id FROM peers").fetchall()
        return tuple(peer for (marked,) in ids if (peer := self.by_id(marked)) is not None)

    def remember(self, peers: Iterable[PeerRecord]) -> None:
        new = [peer for peer in peers if self.by_id(peer.marked_id) != peer]
        if not new:
            return
        db = self._db
        with transaction(db):
            for peer in new:
                if peer.phone:
                    db.execute("UPDATE peers SET phone = '' WHERE phone = ?", (peer.phone,))
                db.execute(
                    "INSERT OR REPLACE INTO peers VALUES (?, ?, ?)",
                    (peer.marked_id, peer.access_hash, peer.phone),
                )
                db.execute("DELETE FROM usernames WHERE marked_id = ?", (peer.marked_id,))
                db.executemany(
                    "INSERT OR REPLACE INTO usernames VALUES (?, ?, ?)",
                    [(name, peer.marked_id, number) for number, name in enumerate(peer.usernames)],
                )

    def by_id(self, marked_id: int) -> PeerRecord | None:
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
        row = self._db.execute(
            "SELECT marked_id FROM usernames WHERE username = ?", (username,)
        ).fetchone()
        return None if row is None else self.by_id(row[0])

    def by_phone(self, phone: str) -> PeerRecord | None:
        row = self._db.execute(
            "SELECT marked_id FROM peers WHERE phone = ? AND phone != ''", (phone,)
        ).fetchone()
        return None if row is None else self.by_id(row[0])

    def lines(self) -> tuple[State | None, dict[int, int]]:
        state: State | None = None
        channels: dict[int, int] = {}
        for channel_id, pts, qts, date, seq in self._db.execute("SELECT * FROM lines"):
            if channel_id == _ACCOUNT:
                state = State(pts, qts, date, seq)
            else:
                channels[channel_id] = pts
        return state, channels

    def keep_line(self, channel_id: int | None, state: State | int) -> None:
        values = astuple(state) if isinstance(state, State) else (state, 0, 0, 0)
        self._db.execute(  # a statement alone is a transaction
            "INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?)",
            (_ACCOUNT if channel_id is None else channel_id, *values),
        )

    def forget_line(self, channel_id: int) -> None:
        self._db.execute("DELETE FROM lines WHERE channel_id = ?", (channel_id,))

    def forget(self) -> None:
        value = replace(self._data, auth_key=b"", user_id=0, is_bot=False)
        with transaction(self._db):
            self._write_data(value)
            for table in ("peers", "usernames", "lines"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        self._data = value


class SealedTables(MemorySession):
    """A session's facts as records that only the passphrase opens.

    `rows` are labels and records. Raises SessionDamaged if one does not open: it was changed, or
    put in another's place; with `lost`, that list is told instead.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        sealer: Sealer,
        rows: Iterable[tuple[bytes, bytes]],
        lost: list[str] | None = None,
    ) -> None:
        super().__init__()
        self._db = db
        self._sealer = sealer
        for label, record in rows:
            try:
                self._take(sealer.open(record, label))
            except SessionDamaged as error:
                if lost is None:
                    raise
                lost.append(str(error))

    def _take(self, record: bytes) -> None:
        try:
            kind, body = record[:1], record[1:]
            if kind == b"d":
                self._data = msgspec.msgpack.decode(body, type=SessionData)
            elif kind == b"p":
                super().remember([msgspec.msgpack.decode(body, type=PeerRecord)])
            elif kind == b"s":
                self._state = msgspec.msgpack.decode(body, type=State)
            elif kind == b"c":
                channel_id, pts = msgspec.msgpack.decode(body, type=tuple[int, int])
                self._channels[channel_id] = pts
            else:
                raise SessionDamaged(f"an encrypted record is of the unknown kind {kind!r}")
        except msgspec.MsgspecError as error:
            raise SessionDamaged(f"an encrypted record cannot be read ({error})") from None

    def _put(self, name: bytes, value: object) -> None:
        label = self._sealer.label(name)
        record = name[:1] + msgspec.msgpack.encode(value)
        self._db.execute(
            "INSERT OR REPLACE INTO sealed VALUES (?, ?)", (label, self._sealer.seal(record, label))
        )

    @property
    def data(self) -> SessionData:
        return self._data

    @data.setter
    def data(self, value: SessionData) -> None:
        self._put(b"d", value)
        self._data = value

    def remember(self, peers: Iterable[PeerRecord]) -> None:
        new = [peer for peer in peers if self.by_id(peer.marked_id) != peer]
        if not new:
            return
        with transaction(self._db):
            for peer in new:
                self._put(b"p%d" % peer.marked_id, peer)
        super().remember(new)

    def keep_line(self, channel_id: int | None, state: State | int) -> None:
        if channel_id is None:
            self._put(b"s", state)
        else:
            self._put(b"c%d" % channel_id, (channel_id, state))
        super().keep_line(channel_id, state)

    def forget_line(self, channel_id: int) -> None:
        self._db.execute(
            "DELETE FROM sealed WHERE label = ?", (self._sealer.label(b"c%d" % channel_id),)
        )
        super().forget_line(channel_id)

    def forget(self) -> None:
        with transaction(self._db):
            self._db.execute("DELETE FROM sealed")
            self._put(b"d", replace(self._data, auth_key=b"", user_id=0, is_bot=False))
        super().forget()


def checked_data(row: tuple[object, ...]) -> SessionData:
    """Make the data of its row; SQLite lets any column hold anything."""
    *values, is_bot, test_mode = row
    try:
        data = msgspec.convert((*values, bool(is_bot), bool(test_mode)), _Row)
    except msgspec.ValidationError as error:
        raise SessionDamaged(f"the row with the key cannot be read ({error})") from None
    if len(data[3]) not in {0, 256}:
        raise SessionDamaged(f"the key has {len(data[3])} bytes, not 256")
    return SessionData(*data)


_Row = tuple[int, str, int, bytes, int, bool, bool]
