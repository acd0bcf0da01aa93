"""Server layer: accounts as rows: phone numbers, usernames, login codes, ids.

Knows the ``users`` table and the rules of parts C2 and D about what a number, a name or a token
looks like. Knows nothing of TL objects or of who is asking.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from radiogram.server.settings import Settings
from radiogram.server.tables import users

SERVICE_ID = 777000
"""The account that sends login codes and notices (C0.1.6)."""
SERVICE_PHONE = "42777"
SERVICE_NAME = "Telegram"
DEFAULT_CODE = "12345"

FIRST_ID = 5_000_000_000
LAST_ID = 5_999_999_999
"""Ids that the server hands out to users and bots. Basic groups and channels take theirs from
other ranges, so that no number names two peers even where a client drops the kind (D12)."""

_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{4,31}", re.ASCII)
_TOKEN = re.compile(r"([1-9][0-9]{0,15}):([A-Za-z0-9_-]{30,64})", re.ASCII)
_TEST_NUMBER = re.compile(r"99966([1-3])[0-9]{4}", re.ASCII)
_TOKEN_ALPHABET = (string.ascii_letters + string.digits + "_-").encode()


def normalise_phone(text: str) -> str:
    """Return the digits of a phone number; an empty string if it cannot be one."""
    if len(text) > 32 or re.search(r"[^\d+\s().-]", text, re.ASCII):
        return ""
    digits = re.sub(r"\D", "", text, flags=re.ASCII)
    return digits if 5 <= len(digits) <= 15 else ""


def test_number_dc(phone: str) -> int:
    """Return the DC that a test number names (D1), 0 for any other number."""
    match = _TEST_NUMBER.fullmatch(phone)
    return int(match[1]) if match else 0


def login_code(settings: Settings, phone: str, own: str | None) -> str:
    """Return the code with which a number logs in (D9): its own, the test one, or the fixed one."""
    if own:
        return own
    dc = test_number_dc(phone)
    return str(dc) * 5 if dc else settings.login_code or DEFAULT_CODE


def is_username(text: str) -> bool:
    """Tell whether a text has the form of a username (C2)."""
    return _USERNAME.fullmatch(text) is not None


def token_id(token: str) -> int:
    """Return the bot's id in a token, 0 if the token is malformed (D8)."""
    match = _TOKEN.fullmatch(token)
    return int(match[1]) if match else 0


def new_token(bot_id: int, random: Callable[[int], bytes]) -> str:
    """Make a token for a bot: its id, a colon and 35 characters."""
    secret = bytes(_TOKEN_ALPHABET[byte & 63] for byte in random(33))
    return f"{bot_id}:AA{secret.decode()}"


def by_phone(tx: Connection, phone: str) -> Row[Any] | None:
    """Return the account with that number (digits only)."""
    return tx.execute(select(users).where(users.c.phone == phone)).first()


def by_username(tx: Connection, username: str) -> Row[Any] | None:
    """Return the account with that username, in whatever case it is written."""
    return tx.execute(select(users).where(users.c.username_key == username.casefold())).first()


def by_id(tx: Connection, user_id: int) -> Row[Any] | None:
    """Return the account with that id."""
    return tx.execute(select(users).where(users.c.id == user_id)).first()


def own(tx: Connection, user_id: int) -> Row[Any]:
    """Return the account with an id that is known to exist: the caller's."""
    return tx.execute(select(users).where(users.c.id == user_id)).one()


def create(
    tx: Connection,
    *,
    now: int,
    random: Callable[[int], bytes],
    user_id: int | None = None,
    phone: str | None = None,
    first_name: str,
    last_name: str = "",
    username: str | None = None,
    is_bot: bool = False,
    bot_token: str | None = None,
    login_code: str | None = None,
    dc_id: int = 0,
) -> int:
    """Insert an account and return its id. Everything must have been checked before."""
    if user_id is None:
        user_id = _next_id(tx)
    tx.execute(
        insert(users).values(
            id=user_id,
            phone=phone,
            first_name=first_name,
            last_name=last_name,
            username=username,
            username_key=username.casefold() if username else None,
            is_bot=is_bot,
            bot_token=bot_token,
            login_code=login_code,
            dc_id=dc_id,
            access_secret=random(32),
            created=now,
        )
    )
    return user_id


def change(tx: Connection, user_id: int, **values: str | None) -> None:
    """Write columns of an account; everything must have been checked before."""
    if "username" in values:
        username = values["username"]
        values["username_key"] = username.casefold() if username else None
    tx.execute(update(users).where(users.c.id == user_id).values(**values))


def _next_id(tx: Connection) -> int:
    last = tx.execute(
        select(func.max(users.c.id)).where(users.c.id.between(FIRST_ID, LAST_ID))
    ).scalar()
    # Uneven steps, the same in every run: neighbours of an id should not exist.
    last = last or FIRST_ID
    return last + 1 + last * 2654435761 % 99991
