"""Server layer: the statements that read and write the lists of chats of accounts.

Knows the tables and SQL; gives and takes plain tuples. Knows no TL object, no update and no
rule of who may do what. Statements are built once, when the module is imported: SQLAlchemy then
finds their compiled form by a short key, which is most of the speed of a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from radiogram.server.history_store import count_unread, last_message_id
from radiogram.server.message_store import JOINED
from radiogram.server.rows import DialogRow, Peer, chunks, columns
from radiogram.server.statement import Statement
from radiogram.server.tables import PEER_CHANNEL, boxes, chats, dialogs, members, messages

_USER = bindparam("user", type_=BigInteger)
_DIALOG_KEY = and_(
    dialogs.c.user_id == _USER,
    dialogs.c.peer_type == bindparam("type"),
    dialogs.c.peer_id == bindparam("peer"),
)
_FIND_DIALOG = select(*columns(dialogs, DialogRow._fields)).where(_DIALOG_KEY)
_RAISE_DIALOG = Statement(
    update(dialogs)
    .where(_DIALOG_KEY)
    .values(
        top_message=bindparam("top"),
        unread_count=dialogs.c.unread_count + bindparam("unread"),
        hidden=False,
    )
)
_INSERT_DIALOG = insert(dialogs)
_UNREAD_TOTAL = Statement(
    select(func.sum(dialogs.c.unread_count)).where(dialogs.c.user_id == _USER)
)
_OF_CHANNEL = and_(
    members.c.user_id == dialogs.c.user_id,
    members.c.chat_id == dialogs.c.peer_id,
    members.c.state == 1,  # chat_store.MEMBER
)
_IN_CHANNELS = and_(dialogs.c.user_id == _USER, dialogs.c.peer_type == PEER_CHANNEL)
_LISTED = and_(_IN_CHANNELS, ~dialogs.c.hidden, ~chats.c.deleted)
_UNREAD_OF_CHANNELS = Statement(
    select(func.count())
    .select_from(
        dialogs.join(members, _OF_CHANNEL)
        .join(chats, chats.c.id == dialogs.c.peer_id)
        .join(
            boxes,
            and_(
                boxes.c.box_id == -dialogs.c.peer_id,
                boxes.c.id > dialogs.c.read_inbox_max_id,
                boxes.c.id >= members.c.available_min_id,
            ),
        )
        .join(messages, messages.c.content_id == boxes.c.content_id)
    )
    .where(_LISTED, messages.c.sender_id != _USER)
)
_VISIBLE_IN_CHANNEL = and_(
    boxes.c.box_id == -dialogs.c.peer_id, boxes.c.id >= members.c.available_min_id
)
_TOP_OF_CHANNEL = select(func.max(boxes.c.id)).where(_VISIBLE_IN_CHANNEL).scalar_subquery()
_TOP_DATE_OF_CHANNEL = (
    select(messages.c.date)
    .select_from(JOINED)
    .where(_VISIBLE_IN_CHANNEL)
    .order_by(boxes.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_CHANNEL_DIALOGS = (
    select(
        *columns(dialogs, DialogRow._fields),
        chats.c.pts,
        members.c.available_min_id,
        _TOP_OF_CHANNEL,
        func.coalesce(_TOP_DATE_OF_CHANNEL, members.c.date),
    )
    .select_from(dialogs.join(members, _OF_CHANNEL).join(chats, chats.c.id == dialogs.c.peer_id))
    .where(_LISTED)
)


def _of(user_id: int, peer: Peer) -> dict[str, Any]:
    return {"user": user_id, "type": peer.type, "peer": peer.id}


def find_dialog(tx: Connection, user_id: int, peer: Peer) -> DialogRow | None:
    """Read what an account keeps about a chat."""
    row = tx.execute(_FIND_DIALOG, _of(user_id, peer)).first()
    return None if row is None else DialogRow._make(row)


def dialog_owners(tx: Connection, peer: Peer) -> list[int]:
    """Return the accounts that have a chat in their list, or had it."""
    statement = select(dialogs.c.user_id).where(
        dialogs.c.peer_type == peer.type, dialogs.c.peer_id == peer.id
    )
    return list(tx.execute(statement).scalars())


def select_dialogs(
    tx: Connection, user_id: int, *conditions: ColumnElement[bool]
) -> list[DialogRow]:
    """Read the chats of an account's list, without channels; the newest message first."""
    statement = (
        select(*columns(dialogs, DialogRow._fields))
        .where(
            dialogs.c.user_id == user_id,
            dialogs.c.peer_type != PEER_CHANNEL,
            ~dialogs.c.hidden,
            *conditions,
        )
        .order_by(dialogs.c.top_message.desc(), dialogs.c.peer_id)
    )
    return list(map(DialogRow._make, tx.execute(statement)))


class ChannelDialog(NamedTuple):
    """A supergroup or channel in the list of a member of it."""

    row: DialogRow
    pts: int
    first_id: int
    """The lowest id that the member may see."""
    top_message: int
    """The newest message that the member may see, 0 if there is none."""
    date: int
    """Of that message, or of when the member joined."""


def select_channel_dialogs(tx: Connection, user_id: int) -> list[ChannelDialog]:
    """Read the channels of an account's list, in no particular order."""
    width = len(DialogRow._fields)
    found = []
    for row in tx.execute(_CHANNEL_DIALOGS, {"user": user_id}):
        pts, first_id, top, date = row[width:]
        found.append(ChannelDialog(DialogRow._make(row[:width]), pts, first_id, top or 0, date))
    return found


def raise_dialogs(
    tx: Connection, rows: Sequence[tuple[int, Peer, int, int]], known: Iterable[tuple[int, Peer]]
) -> None:
    """Note (user_id, peer, top message, new unread messages); `known` dialogs exist already."""
    existing = set(known)
    old = [row for row in rows if (row[0], row[1]) in existing]
    new = [row for row in rows if (row[0], row[1]) not in existing]
    if old:
        _RAISE_DIALOG.run_many(
            tx,
            (
                {**_of(user_id, peer), "top": top, "unread": unread}
                for user_id, peer, top, unread in old
            ),
        )
    if new:
        tx.execute(
            _INSERT_DIALOG,
            [
                {
                    "user_id": user_id,
                    "peer_type": peer.type,
                    "peer_id": peer.id,
                    "top_message": top,
                    "unread_count": unread,
                }
                for user_id, peer, top, unread in new
            ],
        )


def save_dialog(tx: Connection, user_id: int, peer: Peer, **values: object) -> None:
    """Change columns of a dialog, making it if it does not exist."""
    key = (
        dialogs.c.user_id == user_id,
        dialogs.c.peer_type == peer.type,
        dialogs.c.peer_id == peer.id,
    )
    if not tx.execute(update(dialogs).where(*key).values(**values)).rowcount:
        tx.execute(
            insert(dialogs).values(user_id=user_id, peer_type=peer.type, peer_id=peer.id, **values)
        )


_OUTBOX_MARKS = select(dialogs.c.user_id, dialogs.c.read_outbox_max_id).where(
    dialogs.c.peer_type == bindparam("type"),
    dialogs.c.peer_id == bindparam("peer"),
    dialogs.c.user_id.in_(bindparam("ids", expanding=True)),
)


def outbox_marks(tx: Connection, peer: Peer, user_ids: Iterable[int]) -> dict[int, int]:
    """Return up to where others have read what some accounts wrote in a chat.

    Who does not have the chat in the list is left out.
    """
    found: dict[int, int] = {}
    for chunk in chunks(user_ids):
        values = {"type": peer.type, "peer": peer.id, "ids": chunk}
        found.update(map(tuple, tx.execute(_OUTBOX_MARKS, values)))
    return found


_SET_READ = Statement(
    update(dialogs)
    .where(_DIALOG_KEY)
    .values(read_inbox_max_id=bindparam("mark"), unread_count=bindparam("unread")),
)
_SET_READ_BY_OTHERS = Statement(
    update(dialogs).where(_DIALOG_KEY).values(read_outbox_max_id=bindparam("mark"))
)


def set_read_by_others(tx: Connection, peer: Peer, marks: Mapping[int, int]) -> None:
    """Write up to where others have read what some accounts wrote in a chat of theirs."""
    _SET_READ_BY_OTHERS.run_many(
        tx, ({**_of(user_id, peer), "mark": mark} for user_id, mark in marks.items())
    )


def set_read(tx: Connection, dialog: DialogRow, max_id: int, unread: int) -> None:
    """Write up to where an account has read one of its chats."""
    values = {**_of(dialog.user_id, dialog.peer), "mark": max_id, "unread": unread}
    _SET_READ.run_many(tx, [values])


def refresh_dialog(tx: Connection, user_id: int, peer: Peer) -> None:
    """Find a dialog's top message and unread messages again after some were deleted."""
    dialog = find_dialog(tx, user_id, peer)
    if dialog is None:
        return
    save_dialog(
        tx,
        user_id,
        peer,
        top_message=last_message_id(tx, user_id, peer),
        unread_count=count_unread(tx, user_id, peer, after=dialog.read_inbox_max_id),
    )


def unread_total(tx: Connection, user_id: int) -> int:
    """Count the unread messages of all dialogs."""
    values = {"user": user_id}
    common = _UNREAD_TOTAL.rows(tx, values)[0][0] or 0
    return int(common + _UNREAD_OF_CHANNELS.rows(tx, values)[0][0])
