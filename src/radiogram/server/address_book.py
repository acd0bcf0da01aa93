"""Server layer: address books as rows: contacts, and numbers that have no account yet (C2).

Knows the ``contacts`` and ``awaited_contacts`` tables, and what happens when somebody who is
awaited signs up. Knows no method.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from radiogram.server import text
from radiogram.server.rpc import Context
from radiogram.server.service import send_joined
from radiogram.server.tables import awaited_contacts, contacts

MAX_NAME = 64
MAX_AWAITED = 5000
"""Numbers without an account that one address book keeps."""


def save(
    ctx: Context,
    owner_id: int,
    user_id: int,
    *,
    phone: str | None,
    first_name: str,
    last_name: str,
) -> None:
    """Write an entry of an address book, and whether it is mutual."""
    pair = (contacts.c.owner_id == owner_id, contacts.c.user_id == user_id)
    reverse = (contacts.c.owner_id == user_id, contacts.c.user_id == owner_id)
    mutual = ctx.tx.execute(select(contacts.c.user_id).where(*reverse)).first() is not None
    values = {
        "phone": phone,
        "first_name": text.clean(first_name)[:MAX_NAME],
        "last_name": text.clean(last_name)[:MAX_NAME],
        "mutual": mutual,
    }
    if ctx.tx.execute(update(contacts).where(*pair).values(**values)).rowcount == 0:
        ctx.tx.execute(insert(contacts).values(owner_id=owner_id, user_id=user_id, **values))
    if mutual:
        ctx.tx.execute(update(contacts).where(*reverse).values(mutual=True))


def await_account(ctx: Context, phone: str, first_name: str, last_name: str) -> None:
    """Keep a number of the caller's address book until somebody signs up with it."""
    forget_awaited(ctx, [phone])
    mine = select(awaited_contacts.c.phone).where(awaited_contacts.c.owner_id == ctx.user_id)
    if len(ctx.tx.execute(mine).all()) >= MAX_AWAITED:
        return
    ctx.tx.execute(
        insert(awaited_contacts).values(
            owner_id=ctx.user_id,
            phone=phone,
            first_name=text.clean(first_name)[:MAX_NAME],
            last_name=text.clean(last_name)[:MAX_NAME],
        )
    )


def forget_awaited(ctx: Context, phones: list[str]) -> None:
    """Take numbers without an account out of the caller's address book."""
    ctx.tx.execute(
        delete(awaited_contacts).where(
            awaited_contacts.c.owner_id == ctx.user_id, awaited_contacts.c.phone.in_(phones)
        )
    )


def joined(ctx: Context, user_id: int, phone: str, *, quiet: bool) -> None:
    """Make a new account a contact of all who await its number; tell them unless `quiet`."""
    awaiting = ctx.tx.execute(
        select(awaited_contacts)
        .where(awaited_contacts.c.phone == phone)
        .order_by(awaited_contacts.c.owner_id)
    ).all()
    ctx.tx.execute(delete(awaited_contacts).where(awaited_contacts.c.phone == phone))
    for row in awaiting:
        first_name = row.first_name or phone
        save(
            ctx, row.owner_id, user_id, phone=phone, first_name=first_name, last_name=row.last_name
        )
        if not quiet:
            send_joined(ctx, user_id, row.owner_id)
