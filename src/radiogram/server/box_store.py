"""Server layer: the statements that move the counters of boxes and keep their logs.

Knows the tables and SQL; gives and takes plain tuples. Knows no TL object, no update and no
rule of who may do what. Statements are built once, when the module is imported: SQLAlchemy then
finds their compiled form by a short key, which is most of the speed of a request.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, bindparam, insert, select, update

from radiogram.server.rows import EventRow, columns
from radiogram.server.statement import Statement
from radiogram.server.tables import bot_events, events, users

_BOX = bindparam("box", type_=BigInteger)
_SAVE_COUNTERS = Statement(
    update(users)
    .where(users.c.id == bindparam("u"))
    .values(pts=bindparam("p"), next_message_id=bindparam("n"))
)


def save_counters(tx: Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Write (user_id, pts, next_message_id) of boxes that changed."""
    _SAVE_COUNTERS.run_many(tx, ({"u": user, "p": pts, "n": last} for user, pts, last in rows))


_INSERT_EVENTS = Statement(insert(events), EventRow._fields)
_EVENTS_AFTER = Statement(
    select(*columns(events, EventRow._fields))
    .where(events.c.box_id == _BOX, events.c.pts > bindparam("pts"))
    .order_by(events.c.pts)
    .limit(bindparam("limit"))
)


def insert_events(tx: Connection, rows: Sequence[EventRow]) -> None:
    """Append to the logs of boxes."""
    _INSERT_EVENTS.run_many(tx, (row._asdict() for row in rows))


_SAVE_QTS = update(users).where(users.c.id == bindparam("u")).values(qts=bindparam("q"))


def insert_bot_event(tx: Connection, user_id: int, qts: int, date: int, payload: bytes) -> None:
    """Append to the log of updates that an account counts by qts."""
    tx.execute(insert(bot_events).values(user_id=user_id, qts=qts, date=date, payload=payload))
    tx.execute(_SAVE_QTS, {"u": user_id, "q": qts})


def events_after(tx: Connection, box_id: int, pts: int, *, limit: int) -> list[EventRow]:
    """Read the first events of a box that are newer than a pts."""
    rows = _EVENTS_AFTER.rows(tx, {"box": box_id, "pts": pts, "limit": limit})
    return list(map(EventRow._make, rows))
