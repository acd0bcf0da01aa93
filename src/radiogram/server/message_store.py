"""Server layer: the statements that store, find, change and delete messages.

A message is stored once; what lies in the boxes are copies, which know its content id.
Knows the tables and SQL; gives and takes plain tuples. Knows no TL object, no update and no
rule of who may do what. Statements are built once, when the module is imported: SQLAlchemy then
finds their compiled form by a short key, which is most of the speed of a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, select, update

from radiogram.server.rows import Content, MessageRow, Peer, chunks, columns
from radiogram.server.statement import Statement
from radiogram.server.tables import boxes, messages, post_views, random_ids

_USER = bindparam("user", type_=BigInteger)
_INSERT_CONTENT = insert(messages)
_CONTENT_RETURNING = Statement(insert(messages).returning(messages.c.content_id), Content._fields)
_INSERT_RANDOM_IDS = Statement(insert(random_ids), ("user_id", "random_id", "message_id"))
_FIND_RANDOM_ID = Statement(
    select(random_ids.c.message_id).where(
        random_ids.c.user_id == bindparam("user"), random_ids.c.random_id == bindparam("random")
    )
)
JOINED = boxes.join(messages, boxes.c.content_id == messages.c.content_id)
_COPY_FIELDS = MessageRow._fields[: MessageRow._fields.index("sender_id")]
_INSERT_COPIES = Statement(insert(boxes), _COPY_FIELDS)
MESSAGES: Any = select(
    *columns(boxes, _COPY_FIELDS),
    *columns(messages, MessageRow._fields[len(_COPY_FIELDS) :]),
).select_from(JOINED)
_BOX = bindparam("box", type_=BigInteger)
MINE = boxes.c.box_id == _BOX
_FIND_MESSAGE = Statement(MESSAGES.where(MINE, boxes.c.id == bindparam("id")))
_FIND_MESSAGES = MESSAGES.where(MINE, boxes.c.id.in_(bindparam("ids", expanding=True)))
_DATES = (
    select(boxes.c.id, messages.c.date)
    .select_from(JOINED)
    .where(MINE, boxes.c.id.in_(bindparam("ids", expanding=True)))
)
_COPIES = MESSAGES.where(boxes.c.content_id.in_(bindparam("ids", expanding=True))).order_by(
    boxes.c.box_id, boxes.c.id
)
_DELETE_COPIES = delete(boxes).where(MINE, boxes.c.id.in_(bindparam("ids", expanding=True)))
_DELETE_CONTENT = delete(messages).where(
    messages.c.content_id.in_(bindparam("ids", expanding=True)),
    ~select(boxes.c.id).where(boxes.c.content_id == messages.c.content_id).exists(),
)
_DELETE_VIEWS = delete(post_views).where(
    post_views.c.content_id.in_(bindparam("ids", expanding=True))
)
_SET_PINNED = (
    update(boxes)
    .where(MINE, boxes.c.id.in_(bindparam("ids", expanding=True)))
    .values(pinned=bindparam("value"))
)


def insert_content(tx: Connection, content: Content) -> int:
    """Store a message and return its content id."""
    if tx.dialect.insert_returning:
        return int(_CONTENT_RETURNING.rows(tx, content._asdict())[0][0])
    key = tx.execute(_INSERT_CONTENT, content._asdict()).inserted_primary_key
    assert key is not None  # there is one row and it has one
    return int(key[0])


def edit_content(tx: Connection, content_id: int, **values: object) -> None:
    """Change columns of a stored message."""
    tx.execute(update(messages).where(messages.c.content_id == content_id).values(**values))


def part_copies(tx: Connection, copies: Sequence[MessageRow]) -> None:
    """Give copies of one message a content of their own, which is what it is now."""
    content = Content._make(getattr(copies[0], name) for name in Content._fields)
    content_id = insert_content(tx, content)
    for copy in copies:
        tx.execute(
            update(boxes)
            .where(boxes.c.box_id == copy.box_id, boxes.c.id == copy.id)
            .values(content_id=content_id)
        )


def insert_copies(tx: Connection, rows: Sequence[MessageRow]) -> None:
    """Store copies of messages whose content is stored already."""
    width = len(_COPY_FIELDS)
    _INSERT_COPIES.run_many(tx, (dict(zip(_COPY_FIELDS, row[:width], strict=True)) for row in rows))


def insert_random_ids(tx: Connection, user_id: int, pairs: Sequence[tuple[int, int]]) -> bool:
    """Remember (random_id, message_id) of sends; False if one of them is known (C0.2.2)."""
    if len({random_id for random_id, _ in pairs}) != len(pairs):
        return False
    for random_id, _ in pairs:
        if _FIND_RANDOM_ID.rows(tx, {"user": user_id, "random": random_id}):
            return False
    _INSERT_RANDOM_IDS.run_many(
        tx,
        (
            {"user_id": user_id, "random_id": random_id, "message_id": message_id}
            for random_id, message_id in pairs
        ),
    )
    return True


def copy_of(
    content: Content,
    content_id: int,
    *,
    box_id: int,
    message_id: int,
    peer: Peer,
    out: bool,
    reply_to_id: int | None,
) -> MessageRow:
    """Return a new copy of a message as its row will be."""
    head = (box_id, message_id, content_id, peer.type, peer.id, out, False, reply_to_id)
    return MessageRow._make((*head, *content, None, None))


def find_message(tx: Connection, box_id: int, message_id: int) -> MessageRow | None:
    """Read one copy from a box."""
    rows = _FIND_MESSAGE.rows(tx, {"box": box_id, "id": message_id})
    return MessageRow._make(rows[0]) if rows else None


def find_messages(tx: Connection, box_id: int, ids: Iterable[int]) -> dict[int, MessageRow]:
    """Read copies from a box by id; ids that are not there are left out."""
    found: dict[int, MessageRow] = {}
    for chunk in chunks(ids):
        rows = map(MessageRow._make, tx.execute(_FIND_MESSAGES, {"box": box_id, "ids": chunk}))
        found.update((row.id, row) for row in rows)
    return found


def find_copies(tx: Connection, content_ids: Iterable[int]) -> list[MessageRow]:
    """Read everybody's copies of some messages."""
    found: list[MessageRow] = []
    for chunk in chunks(content_ids):
        found.extend(map(MessageRow._make, tx.execute(_COPIES, {"ids": chunk})))
    return found


def dates_of(tx: Connection, box_id: int, ids: Iterable[int]) -> dict[int, int]:
    """Return the dates of messages in a box, by id."""
    found: dict[int, int] = {}
    for chunk in chunks(ids):
        found.update(map(tuple, tx.execute(_DATES, {"box": box_id, "ids": chunk})))
    return found


def delete_copies(tx: Connection, rows: Sequence[MessageRow]) -> None:
    """Remove copies, and the content of those that have no copy left."""
    by_box: dict[int, list[int]] = {}
    for row in rows:
        by_box.setdefault(row.box_id, []).append(row.id)
    for box_id, ids in by_box.items():
        for chunk in chunks(ids):
            tx.execute(_DELETE_COPIES, {"box": box_id, "ids": chunk})
    for content_ids in chunks({row.content_id for row in rows}):
        tx.execute(_DELETE_CONTENT, {"ids": content_ids})
    for content_ids in chunks({row.content_id for row in rows if row.post}):
        tx.execute(_DELETE_VIEWS, {"ids": content_ids})


_SEEN = select(post_views.c.content_id).where(
    post_views.c.user_id == _USER, post_views.c.content_id.in_(bindparam("ids", expanding=True))
)
_ADD_VIEW = (
    update(messages)
    .where(messages.c.content_id.in_(bindparam("ids", expanding=True)))
    .values(views=func.coalesce(messages.c.views, 1) + 1)
)
_ADD_FORWARD = (
    update(messages)
    .where(messages.c.content_id.in_(bindparam("ids", expanding=True)))
    .values(forwards=func.coalesce(messages.c.forwards, 0) + 1)
)


def add_views(tx: Connection, user_id: int, content_ids: Iterable[int]) -> None:
    """Count that an account sees posts; each post only the first time."""
    for chunk in chunks(content_ids):
        seen = set(tx.execute(_SEEN, {"user": user_id, "ids": chunk}).scalars())
        new = [number for number in chunk if number not in seen]
        if new:
            rows = [{"content_id": number, "user_id": user_id} for number in new]
            tx.execute(insert(post_views), rows)
            tx.execute(_ADD_VIEW, {"ids": new})


def add_forwards(tx: Connection, content_ids: Iterable[int]) -> None:
    """Count that posts were forwarded."""
    for chunk in chunks(content_ids):
        tx.execute(_ADD_FORWARD, {"ids": chunk})


def set_pinned(tx: Connection, box_id: int, ids: Iterable[int], value: bool) -> None:
    """Mark copies in one box as pinned or not."""
    for chunk in chunks(ids):
        tx.execute(_SET_PINNED, {"box": box_id, "ids": chunk, "value": value})
