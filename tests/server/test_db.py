"""The database: durability, versions, other databases."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Dialect, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

from radiogram.server import (
    box_store,
    db,
    dialog_store,
    history_store,
    message_store,
    tables,
    user_store,
)
from radiogram.server.db import DatabaseError, open_database
from radiogram.server.statement import Statement


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def make_user(database: db.Database, user_id: int) -> None:
    with database.begin() as tx:
        tx.execute(
            insert(tables.users).values(
                id=user_id, access_secret=bytes(32), created=1, phone=str(user_id)
            )
        )


def test_memory_is_empty_and_gone() -> None:
    first, second = open_database(), open_database()
    make_user(first, 1)
    with second.begin() as tx:
        assert user_store.load_users(tx, [1]) == {}
    first.close()
    second.close()


def test_file_keeps_what_was_committed(tmp_path: Path) -> None:
    database = open_database(url_of(tmp_path / "a.db"))
    make_user(database, 1)
    database.set_meta("key", b"\x00\xff")
    with pytest.raises(IntegrityError), database.begin() as tx:
        tx.execute(
            insert(tables.users), [{"id": n, "access_secret": b"", "created": 1} for n in (2, 1)]
        )
    # Not closed: another process finds what was committed, as after a kill.
    other = sqlite3.connect(tmp_path / "a.db")
    assert other.execute("SELECT id FROM users").fetchall() == [(1,)]
    other.close()
    database.close()
    again = open_database(url_of(tmp_path / "a.db"))
    assert again.get_meta("key") == b"\x00\xff"
    assert again.get_meta("other") is None
    again.close()


def test_file_is_durable(tmp_path: Path) -> None:
    database = open_database(url_of(tmp_path / "a.db"))
    with database.begin() as tx:
        assert tx.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    database.close()


def test_failed_transaction_leaves_the_connection_usable() -> None:
    database = open_database()
    make_user(database, 1)
    with pytest.raises(IntegrityError):
        make_user(database, 1)
    make_user(database, 2)
    database.close()


def test_newer_version_is_refused(tmp_path: Path) -> None:
    database = open_database(url_of(tmp_path / "a.db"))
    database.set_meta("schema_version", b"%d" % (tables.SCHEMA_VERSION + 1))
    database.close()
    with pytest.raises(DatabaseError, match=f"schema version {tables.SCHEMA_VERSION + 1}"):
        open_database(url_of(tmp_path / "a.db"))


def test_tables_of_others_are_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "a.db")
    other.execute("CREATE TABLE things (id INTEGER)")
    other.commit()
    other.close()
    with pytest.raises(DatabaseError, match="not Radiogram's"):
        open_database(url_of(tmp_path / "a.db"))


DIALECTS = pytest.mark.parametrize(
    "dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"]
)


@DIALECTS
def test_tables_are_portable(dialect: Dialect) -> None:
    for table in tables.metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))


@DIALECTS
def test_statements_compile_for_every_database(dialect: Dialect) -> None:
    found = [
        value
        for module in (user_store, box_store, message_store, history_store, dialog_store)
        for value in vars(module).values()
        if isinstance(value, Statement)
    ]
    assert len(found) >= 15
    for statement in found:
        assert statement._compile(dialect).sql


def test_statement_gives_python_values() -> None:
    database = open_database()
    make_user(database, 7)
    statement = Statement(
        select(tables.users.c.id, tables.users.c.deleted, tables.users.c.access_secret)
    )
    with database.begin() as tx:
        (row,) = statement.rows(tx, {})
    assert row == (7, False, bytes(32))
    assert type(row[1]) is bool
    database.close()
