"""Server layer: statements that are compiled once and run by the driver.

SQLAlchemy writes the SQL, for whatever database there is; running a statement through it costs
50 µs each time, through the driver's own cursor 10, and sending a message takes eight. Only for
statements whose parameters are all named and never lists. An error is the driver's own and ends
the transaction.

Knows SQLAlchemy and DB-API; knows no table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql import Executable
from sqlalchemy.sql.compiler import SQLCompiler

_Convert = Callable[[Any], Any]


class _Compiled(NamedTuple):
    sql: str
    positions: Sequence[str] | None
    """Names of the parameters in their order, for drivers that count them."""
    constants: Mapping[str, Any]
    """Parameters that the clause itself gives."""
    to_driver: Sequence[tuple[str, _Convert]]
    """Parameters that do not go as their Python type."""
    from_driver: Sequence[tuple[int, _Convert]]
    """Columns that do not come as their Python type."""


class Statement:
    """One statement, ready for any database."""

    def __init__(self, clause: Executable, parameters: Iterable[str] | None = None) -> None:
        """Take a clause; of an INSERT also the names of the columns that it fills."""
        self._clause = clause
        self._columns = None if parameters is None else list(parameters)
        self._compiled: dict[Dialect, _Compiled] = {}

    def rows(self, tx: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it and return all rows, as plain tuples of Python values."""
        compiled = self._compiled.get(tx.dialect) or self._compile(tx.dialect)
        cursor = tx.connection.cursor()
        try:
            cursor.execute(compiled.sql, _arrange(compiled, values))
            rows = cursor.fetchall()
        finally:
            cursor.close()
        if not compiled.from_driver:
            return list(rows)
        converted = []
        for row in rows:
            cells = list(row)
            for index, convert in compiled.from_driver:
                cells[index] = convert(cells[index])
            converted.append(tuple(cells))
        return converted

    def run_many(self, tx: Connection, values: Iterable[Mapping[str, Any]]) -> None:
        """Run it once for each set of values."""
        compiled = self._compiled.get(tx.dialect) or self._compile(tx.dialect)
        cursor = tx.connection.cursor()
        try:
            cursor.executemany(compiled.sql, [_arrange(compiled, each) for each in values])
        finally:
            cursor.close()

    def _compile(self, dialect: Dialect) -> _Compiled:
        done: Any = self._clause.compile(dialect=dialect, column_keys=self._columns)  # type: ignore[attr-defined]
        assert isinstance(done, SQLCompiler)
        constants = {}
        to_driver = []
        for bind, name in done.bind_names.items():
            if not bind.required:
                constants[name] = bind.value
            convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                to_driver.append((name, convert))
        from_driver = []
        for index, column in enumerate(done._result_columns):
            convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
            if convert is not None:
                from_driver.append((index, convert))
        positions = list(done.positiontup or ()) if done.positional else None
        compiled = _Compiled(done.string, positions, constants, to_driver, from_driver)
        self._compiled[dialect] = compiled
        return compiled


def _arrange(compiled: _Compiled, values: Mapping[str, Any]) -> Any:
    given = {**compiled.constants, **values}
    for name, convert in compiled.to_driver:
        given[name] = convert(given[name])
    if compiled.positions is None:
        return given
    return [given[name] for name in compiled.positions]
