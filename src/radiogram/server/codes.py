"""Server layer: login codes: made, sent in one of several ways, and checked (C1, part D).

Knows the ``phone_codes`` table and the settings about codes. Knows nothing of who logs in with
them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, func, insert, select, update

from radiogram.server import accounts
from radiogram.server.rpc import Context, RpcFault
from radiogram.server.service import send_service_message
from radiogram.server.tables import auth_keys, phone_codes
from radiogram.tl import api

if TYPE_CHECKING:
    from sqlalchemy import Row

    from radiogram.server.settings import CodeWay

log = logging.getLogger("radiogram.server.codes")

DAY = 86400
CODES_KEPT = 50
"""Codes of one number that are remembered; the oldest make room."""
ATTEMPTS_KEPT = 10_000
FLASH, MISSED = 1, 2
"""Bits of what a client lets be done with calls."""
CALLER = "42777"
"""Beginning of the numbers that seem to call."""

_WORDS = (
    "amber", "anchor", "autumn", "basket", "beacon", "bridge", "candle", "canyon", "cedar",
    "cherry", "comet", "copper", "coral", "desert", "ember", "falcon", "feather", "forest",
    "garden", "glacier", "granite", "harbor", "island", "jasmine", "lantern", "lemon", "maple",
    "meadow", "mirror", "nectar", "ocean", "orchid", "pebble", "pepper", "planet", "quartz",
    "raven", "river", "saddle", "silver", "summit", "temple", "thunder", "timber", "tulip",
    "velvet", "violet", "walnut", "willow", "winter",
)  # fmt: skip


class SentCode(NamedTuple):
    """A login code that went out."""

    phone: str
    code: str
    way: CodeWay


def send(
    ctx: Context, phone: str, *, calls: int = 0, after: CodeWay | None = None
) -> api.auth.SentCode:
    """Make a code, and bring it to where the number's owner sees it.

    `calls` are the bits of what the client allows. `after` is the way in which it has been tried
    already. Faults: PHONE_NUMBER_FLOOD, SEND_CODE_UNAVAILABLE.
    """
    ways = _ways(ctx, phone, calls)
    if after is not None:
        ways = ways[ways.index(after) + 1 :] if after in ways else []
    if not ways:
        raise RpcFault(406, "SEND_CODE_UNAVAILABLE")
    way = ways[0]
    _make_room(ctx, phone)
    account = accounts.by_phone(ctx.tx, phone)
    digits = accounts.login_code(
        ctx.world.settings, phone, account.login_code if account is not None else None
    )
    code = _code_of(ctx, way, digits)
    code_hash = ctx.world.random(9).hex()
    ctx.tx.execute(
        insert(phone_codes).values(
            phone=phone, hash=code_hash, code=code, created=ctx.now, state=way, calls=calls
        )
    )
    if way == "app" and account is not None:
        send_service_message(
            ctx,
            account.id,
            f"Login code: {code}. Do not give this code to anyone, even if they say they are from"
            " Telegram.",
        )
    ctx.after_commit(lambda: _show(ctx, SentCode(phone, code, way)))
    following = ways[1] if len(ways) > 1 else None
    return api.auth.SentCode(
        type=_type(way, code),
        phone_code_hash=code_hash,
        next_type=_NEXT[following]() if following is not None else None,
        timeout=ctx.world.settings.login_code_timeout if following is not None else None,
    )


def allowed_calls(settings: api.TypeCodeSettings) -> int:
    """Return the bits of what a client lets be done with calls."""
    calls = FLASH if settings.allow_flashcall else 0
    return calls | (MISSED if settings.allow_missed_call else 0)


def _show(ctx: Context, sent: SentCode) -> None:
    log.info("the login code of %s is %s (%s)", sent.phone, sent.code, sent.way)
    ctx.world.sent_codes.append(sent)


def _ways(ctx: Context, phone: str, calls: int) -> list[CodeWay]:
    """Return the ways that are open to a number, in their order."""
    shut: set[str] = set()
    if not _has_session(ctx, phone):
        shut.add("app")
    if not calls & FLASH:
        shut.add("flash_call")
    if not calls & MISSED:
        shut.add("missed_call")
    return [way for way in ctx.world.settings.login_code_ways if way not in shut]


def _has_session(ctx: Context, phone: str) -> bool:
    """Tell whether the account of a number is logged in with another key."""
    row = accounts.by_phone(ctx.tx, phone)
    if row is None:
        return False
    return (
        ctx.tx.execute(
            select(auth_keys.c.key_id).where(
                auth_keys.c.user_id == row.id,
                auth_keys.c.key_id != ctx.caller.authorization.key_id,
            )
        ).first()
        is not None
    )


def _make_room(ctx: Context, phone: str) -> None:
    settings = ctx.world.settings
    of_phone = phone_codes.c.phone == phone
    ctx.tx.execute(delete(phone_codes).where(of_phone, phone_codes.c.created <= ctx.now - DAY))
    sent = ctx.tx.execute(
        select(func.count()).select_from(phone_codes).where(of_phone)
    ).scalar_one()
    if settings.logins_per_number and sent >= settings.logins_per_number:
        raise RpcFault(400, "PHONE_NUMBER_FLOOD")
    if sent >= CODES_KEPT and not settings.logins_per_number:
        oldest = (
            select(phone_codes.c.hash)
            .where(of_phone)
            .order_by(phone_codes.c.created)
            .limit(sent - CODES_KEPT + 1)
            .scalar_subquery()
        )
        ctx.tx.execute(delete(phone_codes).where(of_phone, phone_codes.c.hash.in_(oldest)))


# ------------------------------------------------------------------ what a way looks like


def _code_of(ctx: Context, way: CodeWay, digits: str) -> str:
    if way == "flash_call":
        return CALLER + digits
    if way in ("word", "phrase"):
        count = 1 if way == "word" else 3
        return " ".join(_WORDS[byte % len(_WORDS)] for byte in ctx.world.random(count))
    return digits


def _type(way: CodeWay, code: str) -> api.auth.TypeSentCodeType:
    match way:
        case "app":
            return api.auth.SentCodeTypeApp(length=len(code))
        case "sms":
            return api.auth.SentCodeTypeSms(length=len(code))
        case "word":
            return api.auth.SentCodeTypeSmsWord(beginning=code[:1])
        case "phrase":
            return api.auth.SentCodeTypeSmsPhrase(beginning=code.split(maxsplit=1)[0])
        case "call":
            return api.auth.SentCodeTypeCall(length=len(code))
        case "flash_call":
            return api.auth.SentCodeTypeFlashCall(pattern=f"{CALLER}*")
        case "missed_call":
            return api.auth.SentCodeTypeMissedCall(prefix=CALLER, length=len(code))
        case "fragment":
            return api.auth.SentCodeTypeFragmentSms(
                url="https://fragment.com/my/numbers", length=len(code)
            )


_NEXT: dict[str, type[api.auth.TypeCodeType]] = {
    "app": api.auth.CodeTypeSms,
    "sms": api.auth.CodeTypeSms,
    "word": api.auth.CodeTypeSms,
    "phrase": api.auth.CodeTypeSms,
    "call": api.auth.CodeTypeCall,
    "flash_call": api.auth.CodeTypeFlashCall,
    "missed_call": api.auth.CodeTypeMissedCall,
    "fragment": api.auth.CodeTypeFragmentSms,
}

# ------------------------------------------------------------------ codes that come back


def find(ctx: Context, phone: str, code_hash: str) -> Row[Any]:
    """Return the code that a hash stands for, if it can still be used.

    Faults: PHONE_CODE_HASH_EMPTY, PHONE_CODE_EXPIRED.
    """
    if not code_hash:
        raise RpcFault(400, "PHONE_CODE_HASH_EMPTY")
    row = ctx.tx.execute(
        select(phone_codes).where(phone_codes.c.phone == phone, phone_codes.c.hash == code_hash)
    ).first()
    if (
        row is None
        or row.state == "used"
        or ctx.now >= row.created + ctx.world.settings.login_code_lifetime
    ):
        raise RpcFault(400, "PHONE_CODE_EXPIRED")
    return row


def check(ctx: Context, row: Row[Any], given: str) -> None:
    """Compare what somebody typed. Faults: PHONE_CODE_INVALID, PHONE_CODE_EXPIRED."""
    # Counted in memory: what a failing call writes is rolled back.
    attempts = ctx.world.code_attempts
    failed = attempts.get(row.hash, 0)
    if failed >= ctx.world.settings.login_code_attempts:
        raise RpcFault(400, "PHONE_CODE_EXPIRED")
    if " ".join(given.casefold().split()) in (row.code, ctx.world.settings.login_code):
        attempts.pop(row.hash, None)
        return
    attempts[row.hash] = failed + 1
    if len(attempts) > ATTEMPTS_KEPT:
        del attempts[next(iter(attempts))]
    raise RpcFault(400, "PHONE_CODE_INVALID")


def set_state(ctx: Context, row: Row[Any], state: str) -> None:
    """Note what became of a code. One that is used stays: it counts as a login of this day."""
    ctx.tx.execute(
        update(phone_codes)
        .where(phone_codes.c.phone == row.phone, phone_codes.c.hash == row.hash)
        .values(state=state)
    )


def invalidate(ctx: Context, phone: str, given: list[str]) -> None:
    """Make codes of a number worthless: their owner saw them where they should not be."""
    ctx.tx.execute(
        update(phone_codes)
        .where(phone_codes.c.phone == phone, phone_codes.c.code.in_(given[:CODES_KEPT]))
        .values(state="used")
    )
