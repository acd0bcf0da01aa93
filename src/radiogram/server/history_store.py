"""Server layer: the statements that go through one chat of a box: pages, pins, what is unread.

Knows the tables and SQL; gives and takes plain tuples. Knows no TL object, no update and no
rule of who may do what. Statements are built once, when the module is imported: SQLAlchemy then
finds their compiled form by a short key, which is most of the speed of a request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, bindparam, func, select

from radiogram.server.message_store import JOINED, MESSAGES, MINE
from radiogram.server.rows import MessageRow, Peer
from radiogram.server.statement import Statement
from radiogram.server.tables import PEER_USER, boxes, messages

_USER = bindparam("user", type_=BigInteger)
IN_PEER = and_(MINE, boxes.c.peer_type == bindparam("type"), boxes.c.peer_id == bindparam("peer"))
_PINNED_IDS = select(boxes.c.id).where(IN_PEER, boxes.c.pinned).order_by(boxes.c.id.desc())
_LAST_PINNED = select(func.max(boxes.c.id)).where(IN_PEER, boxes.c.pinned)
_LAST_PINNED_ANYWHERE = select(func.max(boxes.c.id)).where(MINE, boxes.c.pinned)
_LAST_ID = select(func.max(boxes.c.id)).where(IN_PEER)
_COUNT = select(func.count()).select_from(boxes).where(IN_PEER)
_COUNT_VISIBLE = _COUNT.where(boxes.c.id >= bindparam("first"))
_COUNT_UNREAD = _COUNT.where(~boxes.c.out, boxes.c.id > bindparam("after"))


def in_peer(box_id: int, peer: Peer) -> dict[str, Any]:
    """Return the parameters of `IN_PEER`."""
    return {"box": box_id, "type": peer.type, "peer": peer.id}


def select_messages(
    tx: Connection, box_id: int, peer: Peer | None, *conditions: ColumnElement[bool]
) -> Iterable[MessageRow]:
    """Read the messages of one peer, or of all, that meet conditions; newest id first."""
    statement = MESSAGES.where(boxes.c.box_id == box_id, *conditions)
    if peer is not None:
        statement = statement.where(boxes.c.peer_type == peer.type, boxes.c.peer_id == peer.id)
    return map(MessageRow._make, tx.execute(statement.order_by(boxes.c.id.desc())))


_BEFORE = IN_PEER & (boxes.c.id < bindparam("boundary"))
_FROM = IN_PEER & (boxes.c.id >= bindparam("boundary"))
_OLDER = (
    MESSAGES.where(_BEFORE)
    .order_by(boxes.c.id.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("skip"))
)
_NEWER = (
    MESSAGES.where(_FROM).order_by(boxes.c.id).limit(bindparam("limit")).offset(bindparam("skip"))
)
_LAST_BEFORE_DATE = (
    select(func.max(boxes.c.id))
    .select_from(JOINED)
    .where(IN_PEER, messages.c.date < bindparam("date"))
)
_HIGHEST_ID = 0x7FFFFFFF


def read_page(
    tx: Connection,
    box_id: int,
    peer: Peer,
    *,
    offset_id: int,
    offset_date: int,
    add_offset: int,
    limit: int,
) -> list[MessageRow]:
    """Read one page of a chat, newest first (C0.4), without reading what lies before it."""
    key = in_peer(box_id, peer)
    if offset_id > 0:
        boundary = offset_id
    elif offset_date > 0:
        last = tx.execute(_LAST_BEFORE_DATE, {**key, "date": offset_date}).scalar()
        boundary = (last or 0) + 1
    else:
        boundary = _HIGHEST_ID
    rows: list[MessageRow] = []
    ahead = max(0, -add_offset)  # messages of the page that are newer than the boundary
    if ahead:
        skip = max(0, ahead - limit)
        newer = tx.execute(
            _NEWER, {**key, "boundary": boundary, "limit": ahead - skip, "skip": skip}
        )
        rows.extend(map(MessageRow._make, newer))
        rows.reverse()
    if limit > ahead:
        older = tx.execute(
            _OLDER,
            {
                **key,
                "boundary": boundary,
                "limit": limit - ahead,
                "skip": max(0, add_offset),
            },
        )
        rows.extend(map(MessageRow._make, older))
    return rows


def count_messages(tx: Connection, box_id: int, peer: Peer, *, first_id: int = 0) -> int:
    """Count the messages of one peer in a box, from `first_id` on."""
    values = {**in_peer(box_id, peer), "first": first_id}
    return int(tx.execute(_COUNT_VISIBLE, values).scalar_one())


def last_message_id(tx: Connection, box_id: int, peer: Peer) -> int:
    """Return the id of the newest message of a peer, 0 if there is none."""
    return tx.execute(_LAST_ID, in_peer(box_id, peer)).scalar() or 0


def pinned_ids(tx: Connection, box_id: int, peer: Peer) -> list[int]:
    """Return the ids of the pinned messages of a peer, newest first."""
    return list(tx.execute(_PINNED_IDS, in_peer(box_id, peer)).scalars())


def last_pinned_id(tx: Connection, box_id: int, peer: Peer | None) -> int | None:
    """Return the highest pinned id (B8.1) of a peer, or of the whole box."""
    if peer is None:
        return tx.execute(_LAST_PINNED_ANYWHERE, {"box": box_id}).scalar()
    return tx.execute(_LAST_PINNED, in_peer(box_id, peer)).scalar()


def count_unread(tx: Connection, user_id: int, peer: Peer, *, after: int) -> int:
    """Count incoming messages with ids above `after`; one's own chat has none."""
    if peer == (PEER_USER, user_id):
        return 0
    row = tx.execute(_COUNT_UNREAD, {**in_peer(user_id, peer), "after": after})
    return int(row.scalar_one())


_COUNT_OF_OTHERS = Statement(
    select(func.count())
    .select_from(JOINED)
    .where(IN_PEER, messages.c.sender_id != _USER, boxes.c.id > bindparam("after"))
)


def count_unread_of_others(
    tx: Connection, box_id: int, peer: Peer, user_id: int, *, after: int
) -> int:
    """Count the messages of a channel with ids above `after` that an account has not sent."""
    values = {**in_peer(box_id, peer), "user": user_id, "after": after}
    return int(_COUNT_OF_OTHERS.rows(tx, values)[0][0])


_SENDERS = Statement(
    select(messages.c.sender_id, func.max(boxes.c.id))
    .select_from(JOINED)
    .where(
        IN_PEER,
        messages.c.sender_id != _USER,
        boxes.c.id > bindparam("after"),
        boxes.c.id <= bindparam("until"),
    )
    .group_by(messages.c.sender_id)
)


def senders(
    tx: Connection, box_id: int, peer: Peer, user_id: int, *, after: int, until: int
) -> dict[int, int]:
    """Return who else wrote what a reader of a channel has read, with ids in (after, until].

    The value is the highest id of each.
    """
    values = {**in_peer(box_id, peer), "user": user_id, "after": after, "until": until}
    return dict(_SENDERS.rows(tx, values))


_THEIRS = boxes.alias()
_LAST_COPIES = (
    select(_THEIRS.c.box_id, func.max(_THEIRS.c.id))
    .select_from(boxes.join(_THEIRS, _THEIRS.c.content_id == boxes.c.content_id))
    .where(
        IN_PEER,
        ~boxes.c.out,
        boxes.c.id > bindparam("after"),
        boxes.c.id <= bindparam("until"),
        _THEIRS.c.out,
    )
    .group_by(_THEIRS.c.box_id)
)


def last_copies(
    tx: Connection, reader_id: int, peer: Peer, *, after: int, until: int
) -> dict[int, int]:
    """Map what was read to the senders' ids.

    For each account that wrote what `reader_id` received in `peer` with ids in (after, until],
    return the highest id in its own box; who has kept none of it is left out.
    """
    values = {**in_peer(reader_id, peer), "after": after, "until": until}
    return dict(map(tuple, tx.execute(_LAST_COPIES, values)))
