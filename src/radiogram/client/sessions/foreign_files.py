"""Layer 4, client: SQLite files of other libraries, read and written.

Knows the tables of Telethon's and Pyrogram's sessions. Must not know sessions. Files are read by
the names of columns, so that one code reads every version there was; they are never changed.

Telethon's are written as version 7 and Pyrogram's as version 3, which newer versions of these
libraries bring up to date by themselves; Kurigram's as version 7, which has room for the address
and for where updates stand.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radiogram.client.ids import mark_channel, unmark
from radiogram.client.sessions.base import PeerRecord, SessionData, State
from radiogram.client.sessions.foreign import check
from radiogram.client.sessions.tables import DATABASE_ERRORS, transaction
from radiogram.errors import SessionDamaged, SessionError, SessionInUse

if TYPE_CHECKING:
    from radiogram.client.sessions.copies import SessionCopy

Row = dict[str, Any]

_RADIOGRAM = 0x52474D31
_LIBRARIES = {"telethon": "entities", "pyrogram": "peers"}
"""Which table, beside ``sessions`` and ``version``, tells a file's library."""

_TELETHON = """
CREATE TABLE version (version INTEGER PRIMARY KEY);
CREATE TABLE sessions (
    dc_id INTEGER PRIMARY KEY, server_address TEXT, port INTEGER, auth_key BLOB, takeout_id INTEGER
);
CREATE TABLE entities (
    id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, username TEXT, phone INTEGER, name TEXT,
    date INTEGER
);
CREATE TABLE sent_files (
    md5_digest BLOB, file_size INTEGER, type INTEGER, id INTEGER, hash INTEGER,
    PRIMARY KEY (md5_digest, file_size, type)
);
CREATE TABLE update_state (
    id INTEGER PRIMARY KEY, pts INTEGER, qts INTEGER, date INTEGER, seq INTEGER
)
"""
_PYROGRAM = """
CREATE TABLE sessions (
    dc_id INTEGER PRIMARY KEY, api_id INTEGER, test_mode INTEGER, auth_key BLOB,
    date INTEGER NOT NULL, user_id INTEGER, is_bot INTEGER
);
CREATE TABLE peers (
    id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL, username TEXT,
    phone_number TEXT,
    last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER))
);
CREATE TABLE version (number INTEGER PRIMARY KEY);
CREATE INDEX idx_peers_id ON peers (id);
CREATE INDEX idx_peers_username ON peers (username);
CREATE INDEX idx_peers_phone_number ON peers (phone_number)
"""
_KURIGRAM = """
CREATE TABLE sessions (
    dc_id INTEGER PRIMARY KEY, server_address TEXT, port INTEGER, api_id INTEGER,
    test_mode INTEGER, auth_key BLOB, date INTEGER NOT NULL, user_id INTEGER, is_bot INTEGER
);
CREATE TABLE peers (
    id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL, phone_number TEXT,
    last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER))
);
CREATE TABLE usernames (id INTEGER, username TEXT, FOREIGN KEY (id) REFERENCES peers(id));
CREATE TABLE update_state (
    id INTEGER PRIMARY KEY, pts INTEGER, qts INTEGER, date INTEGER, seq INTEGER
);
CREATE TABLE version (number INTEGER PRIMARY KEY);
CREATE INDEX idx_peers_id ON peers (id);
CREATE INDEX idx_peers_phone_number ON peers (phone_number);
CREATE INDEX idx_usernames_id ON usernames (id);
CREATE INDEX idx_usernames_username ON usernames (username)
"""
_TRIGGER = """
CREATE TRIGGER trg_peers_last_update_on AFTER UPDATE ON peers BEGIN
    UPDATE peers SET last_update_on = CAST(STRFTIME('%s', 'now') AS INTEGER) WHERE id = NEW.id;
END
"""


def kind_of(path: Path) -> str:
    """Tell whose SQLite file it is. Raises SessionError if it is none that is known."""
    with path.open("rb") as file:
        head = file.read(100)
    if int.from_bytes(head[68:72], "big") == _RADIOGRAM:
        return "radiogram"
    with _opened(path) as db:
        if db.execute("PRAGMA application_id").fetchone()[0] == _RADIOGRAM:
            return "radiogram"  # of a process that was killed before this got into the file itself
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        for kind, table in _LIBRARIES.items():
            if {"sessions", "version", table} <= tables:
                return kind
    raise SessionError(
        f"{path} is an SQLite file, but no session of Radiogram, Telethon, Pyrogram or Kurigram"
    )


def read(path: Path, kind: str) -> dict[str, Any]:
    """Read another library's file, and return the parameters of a SessionCopy."""
    with _opened(path) as db:
        try:
            read = _read_telethon(db) if kind == "telethon" else _read_pyrogram(db)
            check(read["data"])
        except SessionError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise SessionDamaged(
                f"{path} is not as {kind} writes its sessions ({error!r}); it was left as it is"
            ) from None
        return read


def write(copy: SessionCopy, kind: str, path: Path) -> None:
    """Write a new file for another library; it is complete or not there at all."""
    if not copy.data.auth_key:
        raise SessionError(
            "the session has no key yet, so there is nothing to write; connect or log in first"
        )
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise SessionError(f"{path} exists already, and is not overwritten") from None
    except OSError as error:
        raise SessionError(f"{path} cannot be made ({error.strerror}); check the folder") from None
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db, transaction(db):
            _WRITERS[kind](db, copy)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
        ) as db:
            db.row_factory = None
            yield db
    except DATABASE_ERRORS as error:
        if "locked" in str(error):
            raise SessionInUse(str(path)) from None
        raise SessionDamaged(
            f"{path} cannot be read ({error}); it was left as it is: end the program that uses it, "
            "or take a copy from before"
        ) from None


def _rows(db: sqlite3.Connection, table: str) -> list[Row]:
    """Return the rows of a table by the names of its columns; none if there is no such table."""
    known = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    if known.fetchone() is None:
        return []
    cursor = db.execute(f"SELECT * FROM {table}")  # noqa: S608 - names of our own
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _account(db: sqlite3.Connection) -> Row:
    rows = _rows(db, "sessions")
    if not rows or not rows[0]["auth_key"]:
        raise SessionError("nobody is logged in with that file: it holds no key")
    key = rows[0]["auth_key"]
    if not isinstance(key, bytes) or len(key) != 256:
        raise ValueError("the key is not 256 bytes")
    return rows[0]


def _lines(db: sqlite3.Connection) -> tuple[State | None, dict[int, int]]:
    state: State | None = None
    channels: dict[int, int] = {}
    for row in _rows(db, "update_state"):
        number, pts = int(row["id"]), int(row["pts"] or 0)
        if not pts:
            continue
        if number == 0:
            date = int(row["date"] or 0)
            state = State(pts, int(row["qts"] or 0), date, int(row["seq"] or 0))
        else:
            peer = unmark(number)  # Kurigram's are marked, Telethon's are not
            channels[peer.id if peer is not None and peer.kind == "channel" else number] = pts
    return state, channels


def _peer(marked: object, access_hash: object, names: list[str], phone: object) -> PeerRecord:
    digits = "".join(filter(str.isdecimal, str(phone or "")))
    usernames = tuple(name.lower() for name in names if name)
    return PeerRecord(int(str(marked)), int(str(access_hash or 0)), usernames, digits)


def _name_of(record: PeerRecord) -> str | None:
    return record.usernames[0] if record.usernames else None


# ── Telethon ─────────────────────────────────────────────────────────────────────────────────────


def _read_telethon(db: sqlite3.Connection) -> Row:
    from radiogram.client.sessions.copies import is_test_address

    account = _account(db)
    user_id = 0
    peers = []
    for row in _rows(db, "entities"):
        if row["id"] == 0:  # no peer: the account's own id stands where others have their hash
            user_id = int(row["hash"])
        elif unmark(row["id"]) is not None:
            peers.append(_peer(row["id"], row["hash"], [row["username"]], row["phone"]))
    state, channels = _lines(db)
    host = account["server_address"] or ""
    data = SessionData(
        dc_id=int(account["dc_id"]),
        host=host,
        port=int(account["port"] or 0),
        auth_key=account["auth_key"],
        user_id=user_id,
        test_mode=is_test_address(host),
    )
    return {
        "data": data,
        "peers": tuple(peers),
        "state": state,
        "channels": channels,
        "format": "telethon",
    }


def _write_telethon(db: sqlite3.Connection, copy: SessionCopy) -> None:
    from radiogram.client.sessions.foreign import where

    data, now = copy.data, int(time.time())
    _create(db, _TELETHON)
    db.execute("INSERT INTO version VALUES (7)")
    db.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, NULL)", (data.dc_id, *where(data), data.auth_key)
    )
    rows: list[tuple[object, ...]] = [
        (
            peer.marked_id,
            peer.access_hash,
            _name_of(peer),
            int(peer.phone) if peer.phone else None,
            None,
            now,
        )
        for peer in copy.peers
    ]
    if data.user_id:
        rows.append((0, data.user_id, None, None, None, now))
    db.executemany("INSERT INTO entities VALUES (?, ?, ?, ?, ?, ?)", rows)
    _write_lines(db, copy, lambda channel_id: channel_id)


# ── Pyrogram and Kurigram ────────────────────────────────────────────────────────────────────────


def _read_pyrogram(db: sqlite3.Connection) -> Row:
    account = _account(db)
    names: dict[int, list[str]] = {}
    for row in _rows(db, "usernames"):
        names.setdefault(row["id"], []).append(row["username"])
    peers = [
        _peer(
            row["id"],
            row["access_hash"],
            names.get(row["id"]) or [row.get("username") or ""],
            row["phone_number"],
        )
        for row in _rows(db, "peers")
        if unmark(row["id"]) is not None
    ]
    state, channels = _lines(db)
    data = SessionData(
        dc_id=int(account["dc_id"]),
        host=account.get("server_address") or "",
        port=int(account.get("port") or 0),
        auth_key=account["auth_key"],
        user_id=int(account["user_id"] or 0),
        is_bot=bool(account["is_bot"]),
        test_mode=bool(account["test_mode"]),
    )
    return {
        "data": data,
        "peers": tuple(peers),
        "state": state,
        "channels": channels,
        "api_id": int(account.get("api_id") or 0),
        "format": "kurigram" if "server_address" in account else "pyrogram",
    }


def _type_of(peer: PeerRecord) -> str:
    """Return a type of Pyrogram's: its finer ones lead to the same kind of peer."""
    found = unmark(peer.marked_id)
    assert found is not None
    return {"user": "user", "chat": "group", "channel": "channel"}[found.kind]


def _account_values(copy: SessionCopy) -> tuple[object, ...]:
    data = copy.data
    return (
        copy.api_id or None,
        int(data.test_mode),
        data.auth_key,
        int(time.time()),
        data.user_id or None,
        int(data.is_bot),
    )


def _write_pyrogram(db: sqlite3.Connection, copy: SessionCopy) -> None:
    _create(db, _PYROGRAM)
    db.execute("INSERT INTO version VALUES (3)")
    db.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (copy.data.dc_id, *_account_values(copy)),
    )
    db.executemany(
        "INSERT INTO peers (id, access_hash, type, username, phone_number) VALUES (?, ?, ?, ?, ?)",
        [
            (peer.marked_id, peer.access_hash, _type_of(peer), _name_of(peer), peer.phone or None)
            for peer in copy.peers
        ],
    )


def _write_kurigram(db: sqlite3.Connection, copy: SessionCopy) -> None:
    from radiogram.client.sessions.foreign import where

    _create(db, _KURIGRAM)
    db.execute(_TRIGGER)
    db.execute("INSERT INTO version VALUES (7)")
    db.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (copy.data.dc_id, *where(copy.data), *_account_values(copy)),
    )
    db.executemany(
        "INSERT INTO peers (id, access_hash, type, phone_number) VALUES (?, ?, ?, ?)",
        [
            (peer.marked_id, peer.access_hash, _type_of(peer), peer.phone or None)
            for peer in copy.peers
        ],
    )
    db.executemany(
        "INSERT INTO usernames VALUES (?, ?)",
        [(peer.marked_id, name) for peer in copy.peers for name in peer.usernames],
    )
    _write_lines(db, copy, mark_channel)


_WRITERS: dict[str, Callable[[sqlite3.Connection, SessionCopy], None]] = {
    "telethon": _write_telethon,
    "pyrogram": _write_pyrogram,
    "kurigram": _write_kurigram,
}


def _write_lines(db: sqlite3.Connection, copy: SessionCopy, number: Callable[[int], int]) -> None:
    if copy.state is not None:
        state = copy.state
        db.execute(
            "INSERT INTO update_state VALUES (0, ?, ?, ?, ?)",
            (state.pts, state.qts, state.date, state.seq),
        )
    db.executemany(
        "INSERT INTO update_state VALUES (?, ?, 0, 0, 0)",
        [(number(channel_id), pts) for channel_id, pts in copy.channels.items()],
    )


def _create(db: sqlite3.Connection, script: str) -> None:
    for statement in script.split(";"):
        db.execute(statement)
