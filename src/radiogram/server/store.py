"""Server layer: the statements that read and write messages, boxes and dialogs.

Knows the tables and SQL; gives and takes plain tuples. Knows no TL object, no update and no
rule of who may do what. Statements are built once, when the module is imported: SQLAlchemy then
finds their compiled form by a short key, which is most of the speed of a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from radiogram.server.db import (
    PEER_CHANNEL,
    PEER_USER,
    blocked,
    bot_events,
    boxes,
    chats,
    contacts,
    dialogs,
    events,
    members,
    messages,
    post_views,
    random_ids,
    topics,
    users,
)
from radiogram.server.statement import Statement

T = TypeVar("T")

_CHUNK = 500
"""Values in one IN list; every database takes as many."""


class Peer(NamedTuple):
    """A chat as the rows know it: one of the PEER_ constants, and an id."""

    type: int
    id: int


class UserRow(NamedTuple):
    """What the server needs to know of an account to show it or to write in its box."""

    id: int
    phone: str | None
    first_name: str
    last_name: str
    username: str | None
    is_bot: bool
    deleted: bool
    pts: int
    qts: int
    next_message_id: int
    access_secret: bytes
    online_until: int
    limited: bool


class Side(NamedTuple):
    """One of two accounts, and what it holds about the other one."""

    user: UserRow
    contact: ContactRow | None
    blocks: bool
    """Whether it has blocked the other."""
    dialog: DialogRow | None


class ContactRow(NamedTuple):
    """An entry of an address book."""

    owner_id: int
    user_id: int
    phone: str | None
    first_name: str
    last_name: str
    mutual: bool


class DialogRow(NamedTuple):
    """A chat in the list of an account."""

    user_id: int
    peer_type: int
    peer_id: int
    top_message: int
    read_inbox_max_id: int
    read_outbox_max_id: int
    unread_count: int
    hidden: bool
    can_pin: bool

    @property
    def peer(self) -> Peer:
        return Peer(self.peer_type, self.peer_id)


class Content(NamedTuple):
    """A message, without the copies of it."""

    sender_id: int
    date: int
    text: str = ""
    edit_date: int | None = None
    edit_hide: bool = False
    silent: bool = False
    mentions_all: bool = False
    noforwards: bool = False
    post: bool = False
    post_author: str | None = None
    from_chat_id: int | None = None
    topic_id: int | None = None
    entities: bytes | None = None
    reply: bytes | None = None
    fwd_from: bytes | None = None
    reply_markup: bytes | None = None
    action: bytes | None = None


class MessageRow(NamedTuple):
    """The copy of a message in one box, with its content."""

    box_id: int
    id: int
    content_id: int
    peer_type: int
    peer_id: int
    out: bool
    pinned: bool
    reply_to_id: int | None
    sender_id: int
    date: int
    text: str
    edit_date: int | None
    edit_hide: bool
    silent: bool
    mentions_all: bool
    noforwards: bool
    post: bool
    post_author: str | None
    from_chat_id: int | None
    topic_id: int | None
    entities: bytes | None
    reply: bytes | None
    fwd_from: bytes | None
    reply_markup: bytes | None
    action: bytes | None
    views: int | None = None
    forwards: int | None = None

    @property
    def peer(self) -> Peer:
        return Peer(self.peer_type, self.peer_id)


class EventRow(NamedTuple):
    """A change of a box, as the log of events keeps it."""

    box_id: int
    pts: int
    pts_count: int
    date: int
    kind: int
    message_id: int | None = None
    random_id: int | None = None
    payload: bytes | None = None


def columns(table: Any, names: Iterable[str]) -> list[Any]:
    """Return columns of a table by name."""
    return [table.c[name] for name in names]


def chunks(values: Iterable[T]) -> Iterable[list[T]]:
    """Cut values into lists that fit into one statement."""
    iterator = iter(values)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


# ------------------------------------------------------------------ accounts

_A = bindparam("a", type_=BigInteger)
_B = bindparam("b", type_=BigInteger)
_OTHER = case((users.c.id == _A, _B), else_=_A)

_SIDES = Statement(
    select(
        *columns(users, UserRow._fields),
        *columns(contacts, ContactRow._fields),
        blocked.c.owner_id,
        *columns(dialogs, DialogRow._fields),
    )
    .select_from(users)
    .outerjoin(contacts, and_(contacts.c.owner_id == users.c.id, contacts.c.user_id == _OTHER))
    .outerjoin(
        blocked,
        and_(
            blocked.c.owner_id == users.c.id,
            blocked.c.peer_type == PEER_USER,
            blocked.c.peer_id == _OTHER,
        ),
    )
    .outerjoin(
        dialogs,
        and_(
            dialogs.c.user_id == users.c.id,
            dialogs.c.peer_type == PEER_USER,
            dialogs.c.peer_id == _OTHER,
        ),
    )
    .where(or_(users.c.id == _A, users.c.id == _B))
)
_USER_END = len(UserRow._fields)
_CONTACT_END = _USER_END + len(ContactRow._fields)

_USERS = select(*columns(users, UserRow._fields)).where(
    users.c.id.in_(bindparam("ids", expanding=True))
)
_CONTACTS = select(*columns(contacts, ContactRow._fields)).where(
    or_(
        and_(contacts.c.owner_id == _A, contacts.c.user_id.in_(bindparam("ids", expanding=True))),
        and_(contacts.c.user_id == _A, contacts.c.owner_id.in_(bindparam("ids", expanding=True))),
    )
)
_SAVE_COUNTERS = Statement(
    update(users)
    .where(users.c.id == bindparam("u"))
    .values(pts=bindparam("p"), next_message_id=bindparam("n"))
)


def load_sides(tx: Connection, a: int, b: int) -> dict[int, Side]:
    """Read two accounts (or one, if they are the same) and what each holds about the other."""
    sides = {}
    for values in _SIDES.rows(tx, {"a": a, "b": b}):
        contact = values[_USER_END:_CONTACT_END]
        dialog = values[_CONTACT_END + 1 :]
        sides[values[0]] = Side(
            UserRow._make(values[:_USER_END]),
            ContactRow._make(contact) if contact[0] is not None else None,
            values[_CONTACT_END] is not None,
            DialogRow._make(dialog) if dialog[0] is not None else None,
        )
    return sides


def load_users(tx: Connection, ids: Iterable[int]) -> dict[int, UserRow]:
    """Read accounts by id; unknown ids are left out."""
    found = {}
    for chunk in chunks(ids):
        for row in tx.execute(_USERS, {"ids": chunk}):
            found[row[0]] = UserRow._make(row)
    return found


def load_contacts(tx: Connection, user_id: int, ids: Iterable[int]) -> list[ContactRow]:
    """Read the entries that one account has about others, and they about it."""
    found: list[ContactRow] = []
    for chunk in chunks(ids):
        rows = tx.execute(_CONTACTS, {"a": user_id, "ids": chunk})
        found.extend(map(ContactRow._make, rows))
    return found


_OWNERS: Any = bindparam("owners", expanding=True)
_OTHERS: Any = bindparam("ids", expanding=True)
_ALL_CONTACTS = select(*columns(contacts, ContactRow._fields)).where(
    or_(
        and_(contacts.c.owner_id.in_(_OWNERS), contacts.c.user_id.in_(_OTHERS)),
        and_(contacts.c.owner_id.in_(_OTHERS), contacts.c.user_id.in_(_OWNERS)),
        and_(contacts.c.owner_id.in_(_OWNERS), contacts.c.user_id == contacts.c.owner_id),
    )
)


def load_all_contacts(
    tx: Connection, owners: Iterable[int], ids: Iterable[int]
) -> list[ContactRow]:
    """Read what each of some accounts has in its address book about each of others.

    Both ways, and about themselves.
    """
    others = list(chunks(ids))
    found: list[ContactRow] = []
    for some in chunks(owners):
        for each in others:
            rows = tx.execute(_ALL_CONTACTS, {"owners": some, "ids": each})
            found.extend(map(ContactRow._make, rows))
    return found


def save_counters(tx: Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Write (user_id, pts, next_message_id) of boxes that changed."""
    _SAVE_COUNTERS.run_many(tx, ({"u": user, "p": pts, "n": last} for user, pts, last in rows))


# ------------------------------------------------------------------ messages

_INSERT_CONTENT = insert(messages)
_CONTENT_RETURNING = Statement(insert(messages).returning(messages.c.content_id), Content._fields)
_INSERT_RANDOM_IDS = Statement(insert(random_ids), ("user_id", "random_id", "message_id"))
_FIND_RANDOM_ID = Statement(
    select(random_ids.c.message_id).where(
        random_ids.c.user_id == bindparam("user"), random_ids.c.random_id == bindparam("random")
    )
)
_JOINED = boxes.join(messages, boxes.c.content_id == messages.c.content_id)
_COPY_FIELDS = MessageRow._fields[: MessageRow._fields.index("sender_id")]
_INSERT_COPIES = Statement(insert(boxes), _COPY_FIELDS)
_MESSAGES: Any = select(
    *columns(boxes, _COPY_FIELDS),
    *columns(messages, MessageRow._fields[len(_COPY_FIELDS) :]),
).select_from(_JOINED)

_USER = bindparam("user", type_=BigInteger)
_BOX = bindparam("box", type_=BigInteger)
_MINE = boxes.c.box_id == _BOX
_IN_PEER = and_(_MINE, boxes.c.peer_type == bindparam("type"), boxes.c.peer_id == bindparam("peer"))
_FIND_MESSAGE = Statement(_MESSAGES.where(_MINE, boxes.c.id == bindparam("id")))
_FIND_MESSAGES = _MESSAGES.where(_MINE, boxes.c.id.in_(bindparam("ids", expanding=True)))
_DATES = (
    select(boxes.c.id, messages.c.date)
    .select_from(_JOINED)
    .where(_MINE, boxes.c.id.in_(bindparam("ids", expanding=True)))
)
_COPIES = _MESSAGES.where(boxes.c.content_id.in_(bindparam("ids", expanding=True))).order_by(
    boxes.c.box_id, boxes.c.id
)
_DELETE_COPIES = delete(boxes).where(_MINE, boxes.c.id.in_(bindparam("ids", expanding=True)))
_DELETE_CONTENT = delete(messages).where(
    messages.c.content_id.in_(bindparam("ids", expanding=True)),
    ~select(boxes.c.id).where(boxes.c.content_id == messages.c.content_id).exists(),
)
_DELETE_VIEWS = delete(post_views).where(
    post_views.c.content_id.in_(bindparam("ids", expanding=True))
)
_SET_PINNED = (
    update(boxes)
    .where(_MINE, boxes.c.id.in_(bindparam("ids", expanding=True)))
    .values(pinned=bindparam("value"))
)
_PINNED_IDS = select(boxes.c.id).where(_IN_PEER, boxes.c.pinned).order_by(boxes.c.id.desc())
_LAST_PINNED = select(func.max(boxes.c.id)).where(_IN_PEER, boxes.c.pinned)
_LAST_PINNED_ANYWHERE = select(func.max(boxes.c.id)).where(_MINE, boxes.c.pinned)
_LAST_ID = select(func.max(boxes.c.id)).where(_IN_PEER)
_COUNT = select(func.count()).select_from(boxes).where(_IN_PEER)
_COUNT_VISIBLE = _COUNT.where(boxes.c.id >= bindparam("first"))
_COUNT_UNREAD = _COUNT.where(~boxes.c.out, boxes.c.id > bindparam("after"))


def _in(box_id: int, peer: Peer) -> dict[str, Any]:
    return {"box": box_id, "type": peer.type, "peer": peer.id}


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


def select_messages(
    tx: Connection, box_id: int, peer: Peer | None, *conditions: ColumnElement[bool]
) -> Iterable[MessageRow]:
    """Read the messages of one peer, or of all, that meet conditions; newest id first."""
    statement = _MESSAGES.where(boxes.c.box_id == box_id, *conditions)
    if peer is not None:
        statement = statement.where(boxes.c.peer_type == peer.type, boxes.c.peer_id == peer.id)
    return map(MessageRow._make, tx.execute(statement.order_by(boxes.c.id.desc())))


_BEFORE = _IN_PEER & (boxes.c.id < bindparam("boundary"))
_FROM = _IN_PEER & (boxes.c.id >= bindparam("boundary"))
_OLDER = (
    _MESSAGES.where(_BEFORE)
    .order_by(boxes.c.id.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("skip"))
)
_NEWER = (
    _MESSAGES.where(_FROM).order_by(boxes.c.id).limit(bindparam("limit")).offset(bindparam("skip"))
)
_LAST_BEFORE_DATE = (
    select(func.max(boxes.c.id))
    .select_from(_JOINED)
    .where(_IN_PEER, messages.c.date < bindparam("date"))
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
    key = _in(box_id, peer)
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


def count_messages(tx: Connection, box_id: int, peer: Peer, *, first_id: int = 0) -> int:
    """Count the messages of one peer in a box, from `first_id` on."""
    values = {**_in(box_id, peer), "first": first_id}
    return int(tx.execute(_COUNT_VISIBLE, values).scalar_one())


def last_message_id(tx: Connection, box_id: int, peer: Peer) -> int:
    """Return the id of the newest message of a peer, 0 if there is none."""
    return tx.execute(_LAST_ID, _in(box_id, peer)).scalar() or 0


# ------------------------------------------------------------------ views of posts

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


class TopicRow(NamedTuple):
    """What decides who may write in a topic of a forum."""

    id: int
    creator_id: int
    closed: bool


_FIND_TOPIC = select(*columns(topics, TopicRow._fields)).where(
    topics.c.chat_id == bindparam("chat"), topics.c.id == bindparam("topic")
)


def find_topic(tx: Connection, chat_id: int, topic_id: int) -> TopicRow | None:
    """Read a topic of a forum."""
    row = tx.execute(_FIND_TOPIC, {"chat": chat_id, "topic": topic_id}).first()
    return None if row is None else TopicRow._make(row)


# ------------------------------------------------------------------ pins


def set_pinned(tx: Connection, box_id: int, ids: Iterable[int], value: bool) -> None:
    """Mark copies in one box as pinned or not."""
    for chunk in chunks(ids):
        tx.execute(_SET_PINNED, {"box": box_id, "ids": chunk, "value": value})


def pinned_ids(tx: Connection, box_id: int, peer: Peer) -> list[int]:
    """Return the ids of the pinned messages of a peer, newest first."""
    return list(tx.execute(_PINNED_IDS, _in(box_id, peer)).scalars())


def last_pinned_id(tx: Connection, box_id: int, peer: Peer | None) -> int | None:
    """Return the highest pinned id (B8.1) of a peer, or of the whole box."""
    if peer is None:
        return tx.execute(_LAST_PINNED_ANYWHERE, {"box": box_id}).scalar()
    return tx.execute(_LAST_PINNED, _in(box_id, peer)).scalar()


# ------------------------------------------------------------------ dialogs

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
    .select_from(_JOINED)
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


def count_unread(tx: Connection, user_id: int, peer: Peer, *, after: int) -> int:
    """Count incoming messages with ids above `after`; one's own chat has none."""
    if peer == (PEER_USER, user_id):
        return 0
    row = tx.execute(_COUNT_UNREAD, {**_in(user_id, peer), "after": after})
    return int(row.scalar_one())


_COUNT_OF_OTHERS = Statement(
    select(func.count())
    .select_from(_JOINED)
    .where(_IN_PEER, messages.c.sender_id != _USER, boxes.c.id > bindparam("after"))
)


def count_unread_of_others(
    tx: Connection, box_id: int, peer: Peer, user_id: int, *, after: int
) -> int:
    """Count the messages of a channel with ids above `after` that an account has not sent."""
    values = {**_in(box_id, peer), "user": user_id, "after": after}
    return int(_COUNT_OF_OTHERS.rows(tx, values)[0][0])


_SENDERS = Statement(
    select(messages.c.sender_id, func.max(boxes.c.id))
    .select_from(_JOINED)
    .where(
        _IN_PEER,
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
    values = {**_in(box_id, peer), "user": user_id, "after": after, "until": until}
    return dict(_SENDERS.rows(tx, values))


def unread_total(tx: Connection, user_id: int) -> int:
    """Count the unread messages of all dialogs."""
    values = {"user": user_id}
    common = _UNREAD_TOTAL.rows(tx, values)[0][0] or 0
    return int(common + _UNREAD_OF_CHANNELS.rows(tx, values)[0][0])


_THEIRS = boxes.alias()
_LAST_COPIES = (
    select(_THEIRS.c.box_id, func.max(_THEIRS.c.id))
    .select_from(boxes.join(_THEIRS, _THEIRS.c.content_id == boxes.c.content_id))
    .where(
        _IN_PEER,
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
    values = {**_in(reader_id, peer), "after": after, "until": until}
    return dict(map(tuple, tx.execute(_LAST_COPIES, values)))


# ------------------------------------------------------------------ events

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
