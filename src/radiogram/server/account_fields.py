"""Server layer: what the program that embeds a server says of the accounts that it makes.

Knows when a phone number, a name, a code, a token or a username will do, and what to say if it
will not. Knows nothing of how accounts are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from radiogram.errors import RadiogramError
from radiogram.server import accounts, usernames
from radiogram.server.tables import PEER_USER

if TYPE_CHECKING:
    from sqlalchemy import Connection


class WorldError(RadiogramError, ValueError):
    """An account cannot be made as it was described."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account that :class:`World` made."""

    id: int
    first_name: str
    last_name: str = ""
    username: str | None = None
    phone: str | None = None
    token: str | None = None
    """Of a bot: what auth.importBotAuthorization wants."""


def check_phone(phone: str) -> str:
    """Return the digits of a phone number. Raises WorldError."""
    digits = accounts.normalise_phone(phone)
    if not digits:
        raise WorldError(f"phone: {phone!r} is not a number; write 5 to 15 digits")
    return digits


def check_name(name: str, field: str = "first_name") -> str:
    """Return a first name, or that of a bot, without space around it. Raises WorldError."""
    name = name.strip()
    if not 1 <= len(name) <= 64:
        raise WorldError(f"{field}: {name!r} has not between 1 and 64 characters; give another")
    return name


def check_code(code: str | None) -> str | None:
    """Return a login code, or None. Raises WorldError."""
    if code is not None and not (code.isascii() and code.isdigit() and 3 <= len(code) <= 10):
        raise WorldError(f"code: {code!r} is not a login code; write 3 to 10 digits")
    return code


def check_token(token: str) -> int:
    """Return the id in a bot's token. Raises WorldError."""
    bot_id = accounts.token_id(token)
    if not bot_id:
        raise WorldError(
            f"token: {token!r} is no bot token; write an id, a colon and 35 letters and digits"
        )
    return bot_id


def check_username(tx: Connection, username: str | None, *, owner: int | None) -> str | None:
    """Return a username that is free, or is `owner`'s; None for none. Raises WorldError."""
    if not username:
        return None
    username = username.removeprefix("@")
    if not accounts.is_username(username):
        raise WorldError(
            f"username: {username!r} is not allowed; write 5 to 32 letters, digits and"
            " underscores, starting with a letter"
        )
    taken = usernames.owner(tx, username)
    if taken is not None and taken != (PEER_USER, owner):
        raise WorldError(f"username: {username!r} is taken; choose another")
    return username
