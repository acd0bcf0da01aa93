"""Layer 4, client: the tables of :mod:`radiogram.client.sessions.sql`.

Knows how the facts of a session stand in rows, in any database's SQL. Must not know who writes
when, nor what the facts mean.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import astuple
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from radiogram.client.sessions.base import PeerRecord, SessionData, State
from radiogram.client.sessions.lease import Holder
from radiogram.errors import SessionDamaged, SessionInUse

ACCOUNT = 0
"""Stands among the channels' lines for the account's own."""


metadata = sa.MetaData()
meta = sa.Table(
    "radiogram_meta",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)
sessions = sa.Table(
    "radiogram_sessions",
    metadata,
    sa.Column("name", sa.String(190), primary_key=True),
    sa.Column("dc_id", sa.Integer, nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("port", sa.Integer, nullable=False),
    sa.Column("auth_key", sa.LargeBinary(256), nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("is_bot", sa.Boolean, nullable=False),
    sa.Column("test_mode", sa.Boolean, nullable=False),
    sa.Column("token", sa.String(32), nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("renewed", sa.Float(53), nullable=False),
)
peers = sa.Table(
    "radiogram_peers",
    metadata,
    sa.Column("session", sa.String(190), primary_key=True),
    sa.Column("marked_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("access_hash", sa.BigInteger, nullable=False),
    sa.Column("usernames", sa.Text, nullable=False),
    sa.Column("phone", sa.String(40), nullable=False),
)
lines = sa.Table(
    "radiogram_lines",
    metadata,
    sa.Column("session", sa.String(190), primary_key=True),
    sa.Column("channel_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("pts", sa.Integer, nullable=False),
    sa.Column("qts", sa.Integer, nullable=False),
    sa.Column("date", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
)


def engine(url: sa.URL) -> sa.Engine:
    """Return an engine that keeps files to their owner, and begins with the lock for writing."""
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, pool_size=2)
    engine = sa.create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin below, with the lock for writing
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    if url.database:
        with contextlib.suppress(FileExistsError, OSError):
            os.close(os.open(url.database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return engine


def brief(error: SQLAlchemyError) -> str:
    """Return the driver's words without the statement, whose values are secret."""
    cause = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
    return "another program keeps it locked" if cause == "database is locked" else cause


def now(tx: sa.Connection) -> float:
    """Return the database's clock: the processes that share it may not agree on the time."""
    moment: datetime | None = tx.scalar(sa.select(sa.func.current_timestamp()))
    assert moment is not None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def format_of(tx: sa.Connection) -> str | None:
    """Return the format of the tables; None if there is none."""
    return tx.scalar(sa.select(meta.c.value).where(meta.c.name == "format"))


def mine(name: str, token: str) -> sa.ColumnElement[bool]:
    """Return the condition that a session is there and held with a token."""
    return sa.and_(sessions.c.name == name, sessions.c.token == token)


def holder(text: str) -> Holder | None:
    """Read who has a session; None if nobody can tell."""
    try:
        return msgspec.json.decode(text, type=Holder)
    except msgspec.MsgspecError:
        return None


def in_use(name: str, store: str, holder: Holder | None) -> SessionInUse:
    """Return the error for a session that another has."""
    if holder is None:
        return SessionInUse(f"{name!r} in {store}")
    return SessionInUse(
        f"{name!r} in {store}", pid=holder.pid, host=holder.host, since=holder.since
    )


def read_data(name: str, row: Any) -> SessionData:
    """Return who has a session, of its row. Raises SessionDamaged."""
    key = bytes(row.auth_key)
    if len(key) not in {0, 256}:
        raise SessionDamaged(
            f"the key of the session {name!r} has {len(key)} bytes, not 256; it was left "
            "as it is: restore the row from a backup"
        )
    return SessionData(
        row.dc_id,
        row.host,
        row.port,
        key,
        row.user_id,
        bool(row.is_bot),
        bool(row.test_mode),
    )


def read_peers(tx: sa.Connection, name: str) -> Iterator[PeerRecord]:
    """Yield the peers of a session."""
    for peer in tx.execute(sa.select(peers).where(peers.c.session == name)):
        usernames = tuple(peer.usernames.split())
        yield PeerRecord(peer.marked_id, peer.access_hash, usernames, peer.phone)


def read_lines(tx: sa.Connection, name: str) -> Iterator[tuple[int, State]]:
    """Yield the lines of a session by their channels, `ACCOUNT` for the account's own."""
    for line in tx.execute(sa.select(lines).where(lines.c.session == name)):
        yield line.channel_id, State(line.pts, line.qts, line.date, line.seq)


def write_peers(tx: sa.Connection, name: str, changed: dict[int, PeerRecord]) -> None:
    """Replace the rows of peers."""
    if not changed:
        return
    _delete(tx, peers, peers.c.marked_id, name, changed)
    rows = [
        {
            "session": name,
            "marked_id": peer.marked_id,
            "access_hash": peer.access_hash,
            "usernames": " ".join(peer.usernames),
            "phone": peer.phone,
        }
        for peer in changed.values()
    ]
    tx.execute(peers.insert(), rows)


def write_lines(tx: sa.Connection, name: str, changed: dict[int, State | int | None]) -> None:
    """Replace the rows of lines; None takes one away."""
    if not changed:
        return
    _delete(tx, lines, lines.c.channel_id, name, changed)
    rows = []
    for channel_id, state in changed.items():
        if state is not None:
            values = astuple(state) if isinstance(state, State) else (state, 0, 0, 0)
            named = dict(zip(("pts", "qts", "date", "seq"), values, strict=True))
            rows.append({"session": name, "channel_id": channel_id, **named})
    if rows:
        tx.execute(lines.insert(), rows)


def _delete(
    tx: sa.Connection, table: sa.Table, column: sa.Column[int], name: str, ids: Iterable[int]
) -> None:
    """Delete rows: what then is inserted replaces them, in any database's SQL."""
    tx.execute(
        table.delete().where(table.c.session == name, column == sa.bindparam("number")),
        [{"number": number} for number in ids],
    )
