"""Server layer: the TOML file of accounts with which a server is started.

Knows its tables and fields. Knows nothing of how accounts are stored.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from radiogram.server import accounts
from radiogram.server.account_fields import (
    Account,
    WorldError,
    check_code,
    check_name,
    check_phone,
    check_token,
    check_username,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from radiogram.server.world import World

_FIELDS = {
    "users": (
        "phone",
        "first_name",
        "last_name",
        "username",
        "code",
        "dc_id",
        "password",
        "password_hint",
        "password_email",
    ),
    "bots": ("name", "username", "token", "dc_id"),
}


def load_toml(world: World, path: str | Path) -> list[Account]:
    """Make the accounts of a file, or bring them up to date. Raises WorldError."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise WorldError(
            f"{path}: cannot be read ({reason}); check the name and the permissions"
        ) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorldError(f"{path}: not valid TOML: {error}; correct that place") from None
    unknown = sorted(set(document) - set(_FIELDS))
    if unknown:
        raise WorldError(f"{path}: unknown table {unknown[0]!r}; use [[users]] and [[bots]] only")
    made = []
    with world.db.begin() as tx:
        for table, known in _FIELDS.items():
            entries = document.get(table, [])
            if not isinstance(entries, list):
                raise WorldError(f"{path}: {table}: write [[{table}]] with double brackets")
            for number, entry in enumerate(entries, 1):
                try:
                    fields = _check_fields(entry, known)
                    load = _load_bot if table == "bots" else _load_user
                    made.append(load(world, tx, fields))
                except WorldError as error:
                    raise WorldError(f"{path}: [[{table}]] entry {number}: {error}") from None
    return made


def _load_user(world: World, tx: Connection, fields: Mapping[str, str]) -> Account:
    digits = check_phone(_required(fields, "phone"))
    first_name = check_name(_required(fields, "first_name"))
    last_name = fields.get("last_name", "")
    code = check_code(fields.get("code"))
    home = _read_dc(world, fields)
    row = accounts.by_phone(tx, digits)
    username = check_username(tx, fields.get("username"), owner=row.id if row else None)
    if row is None:
        user_id = accounts.create(
            tx,
            now=int(world.clock.now()),
            random=world.random,
            phone=digits,
            first_name=first_name,
            last_name=last_name,
            username=username,
            login_code=code,
            dc_id=home or world.home_of_number(digits),
        )
    else:
        user_id = row.id
        accounts.change(
            tx,
            user_id,
            first_name=first_name,
            last_name=last_name,
            username=username,
            login_code=code,
        )
    if "password" in fields:
        world.change_password(
            tx,
            user_id,
            fields["password"],
            fields.get("password_hint", ""),
            fields.get("password_email", ""),
        )
    return Account(user_id, first_name, last_name, username, digits)


def _read_dc(world: World, fields: Mapping[str, str]) -> int:
    told = fields.get("dc_id")
    if told is not None and not (told.isascii() and told.isdigit()):
        raise WorldError(f"dc_id: {told!r} is not a number; write that of a data centre")
    return world.check_dc(int(told) if told is not None else None)


def _load_bot(world: World, tx: Connection, fields: Mapping[str, str]) -> Account:
    name = check_name(_required(fields, "name"), field="name")
    token = fields.get("token")
    username = fields.get("username")
    home = _read_dc(world, fields)
    token_id = check_token(token) if token is not None else None
    row = None
    if token_id is not None:
        row = accounts.by_id(tx, token_id)
    elif username is not None:
        row = accounts.by_username(tx, username.removeprefix("@"))
    if row is not None and not row.is_bot:
        raise WorldError("a user has that id or username already; take another one")
    username = check_username(tx, username, owner=row.id if row else None)
    if row is None:
        bot_id = accounts.create(
            tx,
            now=int(world.clock.now()),
            random=world.random,
            user_id=token_id,
            first_name=name,
            username=username,
            is_bot=True,
            dc_id=home,
        )
    else:
        bot_id = row.id
        token = token or row.bot_token
    token = token or accounts.new_token(bot_id, world.random)
    accounts.change(tx, bot_id, first_name=name, username=username, bot_token=token)
    return Account(bot_id, name, "", username, None, token)


def _check_fields(entry: object, known: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(entry, dict):
        raise WorldError('not a table; write its fields as name = "value" lines')
    for name, value in entry.items():
        if name not in known:
            raise WorldError(f"{name}: unknown field; known are {', '.join(known)}")
        if isinstance(value, int) and not isinstance(value, bool):
            entry[name] = str(value)  # phone = 9996621234 is clear enough
        elif not isinstance(value, str):
            raise WorldError(f"{name}: not a text; put it in quotes")
    return entry


def _required(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise WorldError(f'{name}: missing; add a line {name} = "..."')
    return fields[name]
