"""Server layer: the statements that read accounts and what they hold about each other.

Knows the tables and SQL; gives and takes plain tuples. Knows no TL object, no update and no
rule of who may do what. Statements are built once, when the module is imported: SQLAlchemy then
finds their compiled form by a short key, which is most of the speed of a request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, bindparam, case, or_, select

from radiogram.server.rows import ContactRow, DialogRow, Side, UserRow, chunks, columns
from radiogram.server.statement import Statement
from radiogram.server.tables import PEER_USER, blocked, contacts, dialogs, users

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
