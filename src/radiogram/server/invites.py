"""Server layer: invite links and the requests to join that they lead to.

Knows their rows, what a link looks like, and when it is good for nothing any more. Knows nothing
of who may make links or of what joining does.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy import insert as insert_into

from radiogram.server.chat_store import MEMBER
from radiogram.server.rows import columns
from radiogram.server.tables import contacts, invite_uses, invites, join_requests, members, users
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context

PREFIX = "https://t.me/+"
RECENT = 3
"""Requesters who are named beside the number of requests."""

_HASH = re.compile(r"[A-Za-z0-9_-]{16}")
_LINK = re.compile(
    r"(?:(?:https?://)?(?:www\.)?t(?:elegram)?\.me/(?:\+|joinchat/)|tg://join\?invite=|\+)?"
    r"([A-Za-z0-9_-]+)/?"
)


class InviteRow(NamedTuple):
    """An invite link."""

    hash: str
    chat_id: int
    admin_id: int
    date: int
    expire_date: int | None
    usage_limit: int | None
    usage: int
    request_needed: bool
    permanent: bool
    """The admin's primary link, which has no limits."""
    revoked: bool
    title: str | None

    def is_expired(self, now: int) -> bool:
        """Whether nobody can join by the link any more."""
        over = self.expire_date is not None and self.expire_date <= now
        full = self.usage_limit is not None and self.usage >= self.usage_limit
        return self.revoked or over or full


class UseRow(NamedTuple):
    """Somebody who joined by a link, or asked to."""

    user_id: int
    date: int
    hash: str | None
    about: str = ""
    approved_by: int | None = None


_COLUMNS = columns(invites, InviteRow._fields)
_ORDER = (invites.c.date.desc(), invites.c.hash.desc())


# ------------------------------------------------------------------ links


def hash_of(link: str) -> str:
    """Return the hash in a link, or the text itself if that is what it is; "" for neither."""
    found = _LINK.fullmatch(link.strip())
    return found[1] if found is not None else ""


def is_hash(value: str) -> bool:
    """Tell whether a text could be the hash of a link."""
    return _HASH.fullmatch(value) is not None


def exported(tx: Connection, row: InviteRow) -> api.ChatInviteExported:
    """Return the TL form of a link."""
    requested = count_requests(tx, row.chat_id, row.hash) if row.request_needed else 0
    return api.ChatInviteExported(
        link=PREFIX + row.hash,
        admin_id=row.admin_id,
        date=row.date,
        expire_date=row.expire_date,
        usage_limit=row.usage_limit,
        usage=row.usage or None,
        requested=requested or None,
        request_needed=row.request_needed,
        permanent=row.permanent,
        revoked=row.revoked,
        title=row.title,
    )


def insert(ctx: Context, chat_id: int, admin_id: int, **values: Any) -> InviteRow:
    """Make a link of an admin; further `values` are columns of it."""
    name = urlsafe_b64encode(ctx.world.random(12)).decode()
    row = {"hash": name, "chat_id": chat_id, "admin_id": admin_id, "date": ctx.now, **values}
    ctx.tx.execute(insert_into(invites).values(**row))
    found = find(ctx.tx, name)
    assert found is not None
    return found


def find(tx: Connection, name: str) -> InviteRow | None:
    """Read a link by its hash, also one that has expired."""
    row = tx.execute(select(*_COLUMNS).where(invites.c.hash == name)).first()
    return None if row is None else InviteRow._make(row)


def primary(tx: Connection, chat_id: int, admin_id: int) -> InviteRow | None:
    """Read an admin's primary link."""
    statement = select(*_COLUMNS).where(
        invites.c.chat_id == chat_id,
        invites.c.admin_id == admin_id,
        invites.c.permanent,
        ~invites.c.revoked,
    )
    row = tx.execute(statement).first()
    return None if row is None else InviteRow._make(row)


def renew(ctx: Context, chat_id: int, admin_id: int) -> InviteRow:
    """Revoke an admin's primary link and make another."""
    old = primary(ctx.tx, chat_id, admin_id)
    if old is not None:
        change(ctx.tx, old, revoked=True)
    return insert(ctx, chat_id, admin_id, permanent=True)


def change(tx: Connection, row: InviteRow, **values: Any) -> InviteRow:
    """Write columns of a link and return it as it is then."""
    tx.execute(update(invites).where(invites.c.hash == row.hash).values(**values))
    return row._replace(**values)


def select_of(
    tx: Connection,
    chat_id: int,
    admin_id: int,
    *,
    revoked: bool,
    after: tuple[int, str] | None = None,
    limit: int = 100,
) -> tuple[int, list[InviteRow]]:
    """Read an admin's links, newest first, and how many there are.

    `after` are (date, hash) of the last link of the page before.
    """
    mine = _of(chat_id, admin_id, revoked=revoked)
    total = tx.execute(select(func.count()).where(*mine)).scalar_one()
    statement = select(*_COLUMNS).where(*mine).order_by(*_ORDER).limit(limit)
    if after is not None:
        date, name = after
        older = (invites.c.date == date) & (invites.c.hash < name)
        statement = statement.where((invites.c.date < date) | older)
    return int(total), list(map(InviteRow._make, tx.execute(statement)))


def count_by_admin(tx: Connection, chat_id: int) -> dict[int, tuple[int, int]]:
    """Return for each admin who has links how many are good and how many are revoked."""
    found: dict[int, tuple[int, int]] = {}
    statement = (
        select(invites.c.admin_id, invites.c.revoked, func.count())
        .where(invites.c.chat_id == chat_id)
        .group_by(invites.c.admin_id, invites.c.revoked)
    )
    for admin_id, revoked, number in tx.execute(statement):
        good, bad = found.get(admin_id, (0, 0))
        found[admin_id] = (good, bad + number) if revoked else (good + number, bad)
    return found


def delete_link(tx: Connection, row: InviteRow) -> None:
    """Forget a link and who joined by it."""
    tx.execute(delete(invite_uses).where(invite_uses.c.hash == row.hash))
    tx.execute(delete(invites).where(invites.c.hash == row.hash))


def delete_revoked(tx: Connection, chat_id: int, admin_id: int) -> None:
    """Forget an admin's revoked links."""
    mine = _of(chat_id, admin_id, revoked=True)
    names = select(invites.c.hash).where(*mine)
    tx.execute(delete(invite_uses).where(invite_uses.c.hash.in_(names)))
    tx.execute(delete(invites).where(*mine))


def revoke_all(tx: Connection, chat_id: int) -> None:
    """Make all links of a chat, and the requests to join it, good for nothing."""
    tx.execute(update(invites).where(invites.c.chat_id == chat_id).values(revoked=True))
    tx.execute(delete(join_requests).where(join_requests.c.chat_id == chat_id))


def hand_over(tx: Connection, chat_id: int, to_chat_id: int) -> None:
    """Let the links of a chat, and the requests to join it, lead to another one."""
    for table in (invites, join_requests):
        tx.execute(update(table).where(table.c.chat_id == chat_id).values(chat_id=to_chat_id))


def _of(chat_id: int, admin_id: int, *, revoked: bool) -> tuple[ColumnElement[bool], ...]:
    return (
        invites.c.chat_id == chat_id,
        invites.c.admin_id == admin_id,
        invites.c.revoked == revoked,
    )


# ------------------------------------------------------------------ uses


def add_use(
    tx: Connection, row: InviteRow, user_id: int, date: int, approved_by: int | None
) -> InviteRow:
    """Note that somebody joined by a link."""
    key = (invite_uses.c.hash == row.hash, invite_uses.c.user_id == user_id)
    tx.execute(delete(invite_uses).where(*key))
    tx.execute(
        insert_into(invite_uses).values(
            hash=row.hash, user_id=user_id, date=date, approved_by=approved_by
        )
    )
    return change(tx, row, usage=row.usage + 1)


def select_uses(
    tx: Connection,
    chat_id: int,
    name: str | None,
    *,
    after: tuple[int, int] | None,
    limit: int,
    query: str = "",
) -> tuple[int, list[UseRow]]:
    """Read who joined a chat by a link (or by any, if `name` is None), the latest first.

    `after` are (date, user id) of the last of the page before. Return their number, too.
    """
    conditions = [invites.c.chat_id == chat_id, *_named(query)]
    if name is not None:
        conditions.append(invite_uses.c.hash == name)
    source = invite_uses.join(invites, invites.c.hash == invite_uses.c.hash).join(
        users, users.c.id == invite_uses.c.user_id
    )
    return _page(tx, invite_uses, source, conditions, after, limit)


# ------------------------------------------------------------------ requests


def add_request(tx: Connection, chat_id: int, user_id: int, date: int, name: str | None) -> bool:
    """Note that somebody asks to join; False if they have asked before."""
    if find_request(tx, chat_id, user_id) is not None:
        return False
    tx.execute(
        insert_into(join_requests).values(chat_id=chat_id, user_id=user_id, date=date, hash=name)
    )
    return True


def find_request(tx: Connection, chat_id: int, user_id: int) -> UseRow | None:
    """Read somebody's request to join."""
    statement = select(join_requests.c.user_id, join_requests.c.date, join_requests.c.hash).where(
        join_requests.c.chat_id == chat_id, join_requests.c.user_id == user_id
    )
    row = tx.execute(statement).first()
    return None if row is None else UseRow(row.user_id, row.date, row.hash)


def remove_request(tx: Connection, chat_id: int, user_id: int) -> None:
    """Forget somebody's request to join, if there is one."""
    key = (join_requests.c.chat_id == chat_id, join_requests.c.user_id == user_id)
    tx.execute(delete(join_requests).where(*key))


def count_requests(tx: Connection, chat_id: int, name: str | None = None) -> int:
    """Count who waits to be let into a chat, or those of them who used one link."""
    statement = select(func.count()).where(join_requests.c.chat_id == chat_id)
    if name is not None:
        statement = statement.where(join_requests.c.hash == name)
    return int(tx.execute(statement).scalar_one())


def select_requests(
    tx: Connection,
    chat_id: int,
    name: str | None = None,
    *,
    after: tuple[int, int] | None = None,
    limit: int | None = None,
    query: str = "",
) -> tuple[int, list[UseRow]]:
    """Read who waits to be let into a chat, the latest first, and their number."""
    conditions = [join_requests.c.chat_id == chat_id, *_named(query)]
    if name is not None:
        conditions.append(join_requests.c.hash == name)
    source = join_requests.join(users, users.c.id == join_requests.c.user_id)
    return _page(tx, join_requests, source, conditions, after, limit)


def pending(tx: Connection, chat_id: int) -> tuple[int, list[int]]:
    """Return how many wait to be let into a chat, and the latest of them."""
    total, rows = select_requests(tx, chat_id, limit=RECENT)
    return total, [row.user_id for row in rows]


def contacts_in(tx: Connection, chat_id: int, user_id: int, *, limit: int) -> list[int]:
    """Return some members of a chat whom an account has in its contacts."""
    statement = (
        select(contacts.c.user_id)
        .join(members, (members.c.chat_id == chat_id) & (members.c.user_id == contacts.c.user_id))
        .where(contacts.c.owner_id == user_id, members.c.state == MEMBER)
        .order_by(contacts.c.user_id)
        .limit(limit)
    )
    return list(tx.execute(statement).scalars())


def _named(query: str) -> list[ColumnElement[bool]]:
    if not query:
        return []
    name = users.c.first_name + " " + users.c.last_name + " " + func.coalesce(users.c.username, "")
    return [name.icontains(query, autoescape=True)]


def _page(
    tx: Connection,
    table: Any,
    source: Any,
    conditions: list[ColumnElement[bool]],
    after: tuple[int, int] | None,
    limit: int | None,
) -> tuple[int, list[UseRow]]:
    total = tx.execute(select(func.count()).select_from(source).where(*conditions)).scalar_one()
    shown = [table.c.user_id, table.c.date, table.c.hash, users.c.about]
    if table is invite_uses:
        shown.append(table.c.approved_by)
    statement = (
        select(*shown)
        .select_from(source)
        .where(*conditions)
        .order_by(table.c.date.desc(), table.c.user_id.desc())
        .limit(limit)
    )
    if after is not None:
        date, user_id = after
        later = (table.c.date == date) & (table.c.user_id < user_id)
        statement = statement.where((table.c.date < date) | later)
    return int(total), [UseRow(*row) for row in tx.execute(statement)]
