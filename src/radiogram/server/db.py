"""Server layer: the database, and one connection to it.

Knows SQLAlchemy's engines, and how tables are made and recognised; nothing of what is in them.
The server is single-threaded, so one connection is enough: every request runs in one transaction
on it (``with database.begin() as tx``).
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

from radiogram.errors import RadiogramError
from radiogram.server.tables import SCHEMA_VERSION, meta, metadata

_numbers = itertools.count(1)


class DatabaseError(RadiogramError):
    """The database cannot be used by this version of the server."""


class Database:
    """One connection to the tables. Not for use by two threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._connection = engine.connect()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Run one transaction: committed at the end of the block, undone if it raises."""
        with self._connection.begin():
            yield self._connection

    def get_meta(self, name: str) -> bytes | None:
        """Read one value that the server keeps about itself."""
        with self.begin() as tx:
            value = tx.execute(select(meta.c.value).where(meta.c.name == name)).scalar()
        return None if value is None else bytes(value)

    def set_meta(self, name: str, value: bytes) -> None:
        """Write one value that the server keeps about itself."""
        with self.begin() as tx:
            tx.execute(meta.delete().where(meta.c.name == name))
            tx.execute(insert(meta).values(name=name, value=value))

    def close(self) -> None:
        """Give the connection back; a database in memory is gone with it."""
        self._connection.close()
        self.engine.dispose()


class MemoryDatabase:
    """A database in memory that outlives those who open it by :attr:`url`, and can be copied."""

    def __init__(self) -> None:
        name = f"file:radiogram-{os.getpid()}-{next(_numbers)}?mode=memory&cache=shared"
        self.url = f"sqlite:///{name}&uri=true"
        """For :func:`open_database` in this process."""
        self._keeper = sqlite3.connect(name, uri=True, check_same_thread=False)

    def copy(self) -> MemoryDatabase:
        """Return another one with the same in it."""
        copy = MemoryDatabase()
        self._keeper.backup(copy._keeper)
        return copy

    def close(self) -> None:
        """Let go of it; when nobody has it open any more it is gone."""
        self._keeper.close()


def open_database(url: str | None = None) -> Database:
    """Open the database of an SQLAlchemy URL, making its tables if it is empty.

    Without `url` the database lives in memory. An SQLite file keeps every committed
    transaction through a kill of the process or a loss of power. Raises DatabaseError if a
    newer version of Radiogram has written the tables, or something else has.
    """
    engine = _make_engine(url or "sqlite://")
    try:
        database = Database(engine)
    except Exception:
        engine.dispose()
        raise
    try:
        _prepare(database, engine.url.render_as_string(hide_password=True))
    except Exception:
        database.close()
        raise
    return database


def _make_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed)
    # One connection is all there is: no pool, and no thread check, since an embedding test may
    # build the server in one thread and run its event loop in another.
    engine = create_engine(
        parsed,
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": 10},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: object, _record: object) -> None:
        # The driver's own idea of when a transaction starts leaves out SELECT; ours does not.
        connection.isolation_level = None  # type: ignore[attr-defined]
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _prepare(database: Database, shown_url: str) -> None:
    present = set(inspect(database.engine).get_table_names())
    if not present:
        with database.begin() as tx:
            metadata.create_all(tx)
            tx.execute(insert(meta).values(name="schema_version", value=b"%d" % SCHEMA_VERSION))
        return
    version = database.get_meta("schema_version") if meta.name in present else None
    if version is None:
        raise DatabaseError(f"{shown_url} holds tables that are not Radiogram's")
    if int(version) != SCHEMA_VERSION:
        raise DatabaseError(
            f"{shown_url} has schema version {int(version)}, and this version of Radiogram"
            f" reads only {SCHEMA_VERSION}: open it with the version that wrote it"
        )
