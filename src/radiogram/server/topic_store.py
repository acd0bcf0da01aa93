"""Server layer: the statements that read and write the topics of forums.

General, 1, is there without a row until something about it changes. Knows the tables and SQL;
knows no TL object and nothing of who may change a topic.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from radiogram.server.chat_store import ChatRow
from radiogram.server.rows import columns
from radiogram.server.tables import topics

GENERAL = 1
"""The topic of a forum that is always there."""

COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)
"""The colours that the icon of a topic can have; the first is that of whoever chooses none."""


class TopicRow(NamedTuple):
    """A topic of a forum."""

    chat_id: int
    id: int
    title: str
    icon_color: int
    icon_emoji_id: int | None
    creator_id: int
    date: int
    closed: bool
    hidden: bool
    pinned_order: int | None
    """None: not pinned; the highest comes first."""


_COLUMNS = columns(topics, TopicRow._fields)


class TopicState(NamedTuple):
    """What decides who may write in a topic of a forum."""

    id: int
    creator_id: int
    closed: bool


_STATE = select(*columns(topics, TopicState._fields)).where(
    topics.c.chat_id == bindparam("chat"), topics.c.id == bindparam("topic")
)


def find_state(tx: Connection, chat_id: int, topic_id: int) -> TopicState | None:
    """Read a topic of a forum."""
    row = tx.execute(_STATE, {"chat": chat_id, "topic": topic_id}).first()
    return None if row is None else TopicState._make(row)


def insert_topic(tx: Connection, row: TopicRow) -> None:
    """Store a new topic."""
    tx.execute(insert(topics).values(**row._asdict()))


def load(tx: Connection, chat: ChatRow) -> dict[int, TopicRow]:
    """Read all topics of a forum, by id."""
    statement = select(*_COLUMNS).where(topics.c.chat_id == chat.id)
    found = {row.id: row for row in map(TopicRow._make, tx.execute(statement))}
    found.setdefault(GENERAL, _general(chat))
    return found


def find(tx: Connection, chat: ChatRow, topic_id: int) -> TopicRow | None:
    """Read one topic of a forum."""
    return load(tx, chat).get(topic_id)


def change(tx: Connection, row: TopicRow, **values: Any) -> TopicRow:
    """Write columns of a topic and return it as it is then."""
    changed = row._replace(**values)
    key = (topics.c.chat_id == row.chat_id, topics.c.id == row.id)
    if not tx.execute(update(topics).where(*key).values(**values)).rowcount:
        insert_topic(tx, changed)
    return changed


def remove(tx: Connection, row: TopicRow) -> None:
    """Forget a topic."""
    tx.execute(delete(topics).where(topics.c.chat_id == row.chat_id, topics.c.id == row.id))


def _general(chat: ChatRow) -> TopicRow:
    return TopicRow(
        chat_id=chat.id,
        id=GENERAL,
        title="General",
        icon_color=COLORS[0],
        icon_emoji_id=None,
        creator_id=chat.creator_id,
        date=chat.date,
        closed=False,
        hidden=False,
        pinned_order=None,
    )
