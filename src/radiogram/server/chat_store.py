"""Server layer: the statements that read and write chats and who is in them.

Basic groups, supergroups and broadcast channels are rows of one table; their ids are one space.
Knows the tables and SQL; gives and takes plain tuples. Knows no TL object and no rule of who may
do what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, select, update

from radiogram.server.rows import DialogRow, Peer, chunks, columns
from radiogram.server.statement import Statement
from radiogram.server.tables import PEER_CHANNEL, PEER_CHAT, chats, dialogs, members, users

GROUP = 1
SUPERGROUP = 2
BROADCAST = 3
"""Values of ``chats.kind``."""

MEMBER = 1
LEFT = 2
KICKED = 3
"""Values of ``members.state``. Who never was in a chat has no row."""

FIRST_GROUP_ID = 400_000_000
FIRST_CHANNEL_ID = 1_400_000_000
LAST_CHANNEL_ID = 1_999_999_999


class ChatRow(NamedTuple):
    """A basic group, a supergroup or a broadcast channel."""

    id: int
    kind: int
    title: str
    about: str
    creator_id: int
    date: int
    version: int
    participants_count: int
    default_banned: int
    noforwards: bool
    deleted: bool
    migrated_to: int | None
    pts: int
    next_message_id: int
    username: str | None
    forum: bool
    forum_tabs: bool
    gigagroup: bool
    signatures: bool
    signature_profiles: bool
    slowmode_seconds: int
    prehistory_hidden: bool
    participants_hidden: bool
    join_to_send: bool
    join_request: bool
    migrated_from: int | None

    @property
    def is_group(self) -> bool:
        """Whether this is a basic group, whose messages lie in its members' common boxes."""
        return self.kind == GROUP

    @property
    def is_channel(self) -> bool:
        """Whether it has a box of its own: a supergroup or a broadcast channel."""
        return self.kind != GROUP

    @property
    def is_broadcast(self) -> bool:
        return self.kind == BROADCAST

    @property
    def peer(self) -> Peer:
        return Peer(PEER_CHAT if self.kind == GROUP else PEER_CHANNEL, self.id)

    @property
    def box_id(self) -> int:
        """The box of a channel."""
        return -self.id


class MemberRow(NamedTuple):
    """Somebody who is or was in a chat."""

    chat_id: int
    user_id: int
    state: int
    is_creator: bool
    admin_rights: int | None
    banned_rights: int
    until_date: int
    date: int
    inviter_id: int | None
    promoted_by: int | None
    kicked_by: int | None
    rank: str | None
    via_request: bool
    available_min_id: int
    last_sent: int

    @property
    def is_present(self) -> bool:
        """Whether they are in the chat now."""
        return self.state == MEMBER

    @property
    def is_admin(self) -> bool:
        """Whether they are in the chat as its creator or as an admin."""
        return self.state == MEMBER and (self.is_creator or self.admin_rights is not None)


_CHAT = columns(chats, ChatRow._fields)
_MEMBER = columns(members, MemberRow._fields)
_FIND_CHAT = Statement(select(*_CHAT).where(chats.c.id == bindparam("id")))
_FIND_BOTH = Statement(
    select(*_CHAT, *_MEMBER, *columns(dialogs, DialogRow._fields))
    .select_from(chats)
    .outerjoin(members, and_(members.c.chat_id == chats.c.id, members.c.user_id == bindparam("u")))
    .outerjoin(
        dialogs,
        and_(
            dialogs.c.user_id == bindparam("u"),
            dialogs.c.peer_type == bindparam("type"),
            dialogs.c.peer_id == chats.c.id,
        ),
    )
    .where(chats.c.id == bindparam("id"))
)
_FIND_MEMBER = Statement(
    select(*_MEMBER).where(
        members.c.chat_id == bindparam("chat"), members.c.user_id == bindparam("user")
    )
)
_CHAT_END = len(ChatRow._fields)
_MEMBER_END = _CHAT_END + len(MemberRow._fields)
_SAVE_COUNTERS = Statement(
    update(chats)
    .where(chats.c.id == bindparam("c"))
    .values(pts=bindparam("p"), next_message_id=bindparam("n"))
)


# ------------------------------------------------------------------ chats


def find_chat(tx: Connection, chat_id: int) -> ChatRow | None:
    """Read one chat, also a deleted one."""
    rows = _FIND_CHAT.rows(tx, {"id": chat_id})
    return ChatRow._make(rows[0]) if rows else None


def find_chat_of(
    tx: Connection, chat_id: int, user_id: int, peer_type: int
) -> tuple[ChatRow, MemberRow | None, DialogRow | None] | None:
    """Read a chat with what an account is in it and the account's entry in its list."""
    rows = _FIND_BOTH.rows(tx, {"id": chat_id, "u": user_id, "type": peer_type})
    if not rows:
        return None
    (values,) = rows
    member = values[_CHAT_END:_MEMBER_END]
    dialog = values[_MEMBER_END:]
    return (
        ChatRow._make(values[:_CHAT_END]),
        MemberRow._make(member) if member[0] is not None else None,
        DialogRow._make(dialog) if dialog[0] is not None else None,
    )


def load_chats(tx: Connection, ids: Iterable[int]) -> dict[int, ChatRow]:
    """Read chats by id; unknown ids are left out."""
    return {row.id: row for row in select_chats(tx, ids)}


def select_chats(tx: Connection, ids: Iterable[int]) -> list[ChatRow]:
    """Read chats by id, in no particular order."""
    found: list[ChatRow] = []
    for chunk in chunks(ids):
        found.extend(map(ChatRow._make, tx.execute(select(*_CHAT).where(chats.c.id.in_(chunk)))))
    return found


def find_by_username(tx: Connection, username: str) -> ChatRow | None:
    """Return the public channel with that username, in whatever case it is written."""
    row = tx.execute(select(*_CHAT).where(chats.c.username_key == username.casefold())).first()
    return None if row is None else ChatRow._make(row)


def search_public(tx: Connection, query: str, *, limit: int) -> list[ChatRow]:
    """Return the public channels whose usernames begin with a text."""
    statement = (
        select(*_CHAT)
        .where(
            chats.c.username_key.startswith(query.casefold(), autoescape=True),
            ~chats.c.deleted,
        )
        .order_by(chats.c.username_key)
        .limit(limit)
    )
    return list(map(ChatRow._make, tx.execute(statement)))


def insert_chat(tx: Connection, *, kind: int, **values: Any) -> int:
    """Store a new chat and return its id."""
    first, last = (
        (FIRST_GROUP_ID, FIRST_CHANNEL_ID - 1)
        if kind == GROUP
        else (FIRST_CHANNEL_ID, LAST_CHANNEL_ID)
    )
    highest = tx.execute(select(func.max(chats.c.id)).where(chats.c.id.between(first, last)))
    previous = highest.scalar() or first
    # Uneven steps, the same in every run: neighbours of an id should not exist.
    chat_id = previous + 1 + previous * 2654435761 % 9973
    tx.execute(insert(chats).values(id=chat_id, kind=kind, **values))
    return chat_id


def change_chat(tx: Connection, chat_id: int, **values: Any) -> ChatRow:
    """Write columns of a chat and return the row as it is then."""
    if "username" in values:
        username = values["username"]
        values["username_key"] = username.casefold() if username else None
    tx.execute(update(chats).where(chats.c.id == chat_id).values(**values))
    row = find_chat(tx, chat_id)
    assert row is not None
    return row


def save_counters(tx: Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Write (chat_id, pts, next_message_id) of channel boxes that changed."""
    _SAVE_COUNTERS.run_many(tx, ({"c": chat, "p": pts, "n": last} for chat, pts, last in rows))


# ------------------------------------------------------------------ members


def find_member(tx: Connection, chat_id: int, user_id: int) -> MemberRow | None:
    """Read what somebody is in a chat; None if they never were in it."""
    rows = _FIND_MEMBER.rows(tx, {"chat": chat_id, "user": user_id})
    return MemberRow._make(rows[0]) if rows else None


def load_members(tx: Connection, chat_id: int, user_ids: Iterable[int]) -> dict[int, MemberRow]:
    """Read what some accounts are in one chat."""
    found: dict[int, MemberRow] = {}
    for chunk in chunks(user_ids):
        statement = select(*_MEMBER).where(
            members.c.chat_id == chat_id, members.c.user_id.in_(chunk)
        )
        rows = map(MemberRow._make, tx.execute(statement))
        found.update((row.user_id, row) for row in rows)
    return found


def load_memberships(tx: Connection, user_id: int, chat_ids: Iterable[int]) -> list[MemberRow]:
    """Read what one account is in some chats."""
    found: list[MemberRow] = []
    for chunk in chunks(chat_ids):
        statement = select(*_MEMBER).where(
            members.c.user_id == user_id, members.c.chat_id.in_(chunk)
        )
        found.extend(map(MemberRow._make, tx.execute(statement)))
    return found


def member_ids(tx: Connection, chat_id: int) -> list[int]:
    """Return everybody who is in a chat, in the order of their ids. For basic groups."""
    statement = (
        select(members.c.user_id)
        .where(members.c.chat_id == chat_id, members.c.state == MEMBER)
        .order_by(members.c.user_id)
    )
    return list(tx.execute(statement).scalars())


def present_among(tx: Connection, chat_id: int, user_ids: Iterable[int]) -> list[int]:
    """Return those of some accounts who are in a chat."""
    found: list[int] = []
    for chunk in chunks(user_ids):
        statement = select(members.c.user_id).where(
            members.c.chat_id == chat_id,
            members.c.user_id.in_(chunk),
            members.c.state == MEMBER,
        )
        found.extend(tx.execute(statement).scalars())
    return sorted(found)


def select_members(
    tx: Connection, chat_id: int, *conditions: ColumnElement[bool]
) -> list[MemberRow]:
    """Read members of a chat that meet conditions (which may be about ``users`` too).

    Creator and admins first, then in the order in which they joined.
    """
    statement = (
        select(*_MEMBER)
        .select_from(members.join(users, users.c.id == members.c.user_id))
        .where(members.c.chat_id == chat_id, *conditions)
        .order_by(
            members.c.is_creator.desc(),
            members.c.admin_rights.is_(None),
            members.c.date,
            members.c.user_id,
        )
    )
    return list(map(MemberRow._make, tx.execute(statement)))


def page_members(
    tx: Connection,
    chat_id: int,
    *conditions: ColumnElement[bool],
    named: Callable[[str, str, str | None], bool] | None = None,
    newest_first: bool = False,
    offset: int,
    limit: int,
) -> tuple[int, list[MemberRow]]:
    """Read one page of the members that meet conditions, and how many there are in all.

    `named` chooses by first name, last name and username. The order is that of
    :func:`select_members`, or the latest first.
    """
    order: tuple[Any, ...] = (
        members.c.is_creator.desc(),
        members.c.admin_rights.is_(None),
        members.c.date,
        members.c.user_id,
    )
    if newest_first:
        order = (members.c.date.desc(), members.c.user_id.desc())
    source = members.join(users, users.c.id == members.c.user_id)
    where = (members.c.chat_id == chat_id, *conditions)
    if named is None:
        statement = select(*_MEMBER).select_from(source).where(*where).order_by(*order)
        page = tx.execute(statement.offset(offset).limit(limit))
        counted = select(func.count()).select_from(source).where(*where)
        return int(tx.execute(counted).scalar_one()), list(map(MemberRow._make, page))
    # Databases do not agree on what is the same letter in another case.
    names = select(*_MEMBER, users.c.first_name, users.c.last_name, users.c.username)
    found = [
        MemberRow._make(row[:-3])
        for row in tx.execute(names.select_from(source).where(*where).order_by(*order))
        if named(*row[-3:])
    ]
    return len(found), found[offset : offset + limit]


def count_members(tx: Connection, chat_id: int, *conditions: ColumnElement[bool]) -> int:
    """Count the rows of a chat's members that meet conditions."""
    statement = select(func.count()).where(members.c.chat_id == chat_id, *conditions)
    return int(tx.execute(statement).scalar_one())


def count_channels(tx: Connection, user_id: int) -> int:
    """Count the supergroups and channels that an account is in."""
    statement = (
        select(func.count())
        .select_from(members.join(chats, chats.c.id == members.c.chat_id))
        .where(
            members.c.user_id == user_id,
            members.c.state == MEMBER,
            chats.c.kind != GROUP,
            ~chats.c.deleted,
        )
    )
    return int(tx.execute(statement).scalar_one())


def select_chats_of(
    tx: Connection, user_id: int, *conditions: ColumnElement[bool], groups: bool = False
) -> list[ChatRow]:
    """Read the supergroups and channels that exist, of an account's rows that meet conditions.

    With `groups` basic groups too.
    """
    wanted = (GROUP, SUPERGROUP, BROADCAST) if groups else (SUPERGROUP, BROADCAST)
    statement = (
        select(*_CHAT)
        .select_from(members.join(chats, chats.c.id == members.c.chat_id))
        .where(
            members.c.user_id == user_id,
            chats.c.kind.in_(wanted),
            ~chats.c.deleted,
            *conditions,
        )
        .order_by(chats.c.id)
    )
    return list(map(ChatRow._make, tx.execute(statement)))


def save_member(tx: Connection, chat_id: int, user_id: int, **values: Any) -> MemberRow:
    """Change columns of a member, making the row if there is none; return it as it is then.

    A new row needs at least `state` and `date`.
    """
    key = (members.c.chat_id == chat_id, members.c.user_id == user_id)
    if not tx.execute(update(members).where(*key).values(**values)).rowcount:
        tx.execute(insert(members).values(chat_id=chat_id, user_id=user_id, **values))
    row = find_member(tx, chat_id, user_id)
    assert row is not None
    return row


def recount(tx: Connection, chat_id: int) -> ChatRow:
    """Write how many members a chat has, after some came or went."""
    count = count_members(tx, chat_id, members.c.state == MEMBER)
    return change_chat(tx, chat_id, participants_count=count)
