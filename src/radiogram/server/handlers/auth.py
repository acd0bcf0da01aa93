"""Server layer: auth.*: logging in and out (C1, part D).

Knows phone codes and which key belongs to whom. Every right answer here changes what the calling
key may do, so all of it is written in the transaction of the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from radiogram.server import accounts, render, text
from radiogram.server.db import auth_keys, phone_codes
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.service import send_service_message
from radiogram.tl import api

if TYPE_CHECKING:
    from sqlalchemy import Row

DAY = 86400
MAX_NAME = 64
CODES_KEPT = 50
"""Codes of one number that are remembered; the oldest make room."""
ATTEMPTS_KEPT = 10_000


# ------------------------------------------------------------------ codes


@handles(api.auth.SendCode, bots=False, login=False)
def send_code(ctx: Context, request: api.auth.SendCode) -> api.auth.TypeSentCode:
    known = ctx.world.settings.api_ids
    if request.api_id <= 0 or (known and request.api_id not in known):
        raise RpcFault(400, "API_ID_INVALID")
    phone = _phone(ctx, request.phone_number)
    return _send(ctx, phone, in_app=_has_session(ctx, phone))


@handles(api.auth.ResendCode, bots=False, login=False)
def resend_code(ctx: Context, request: api.auth.ResendCode) -> api.auth.TypeSentCode:
    phone = _phone(ctx, request.phone_number)
    row = _code(ctx, phone, request.phone_code_hash)
    if row.state != "app":  # a code that was sent to the phone has nowhere else to go
        raise RpcFault(406, "SEND_CODE_UNAVAILABLE")
    _forget(ctx, row)
    return _send(ctx, phone, in_app=False)


@handles(api.auth.CancelCode, bots=False, login=False)
def cancel_code(ctx: Context, request: api.auth.CancelCode) -> bool:
    phone = _phone(ctx, request.phone_number)
    _forget(ctx, _code(ctx, phone, request.phone_code_hash))
    return True


def _phone(ctx: Context, given: str) -> str:
    """Return the digits of a number, or refuse it."""
    phone = accounts.normalise_phone(given)
    if not phone or phone == accounts.SERVICE_PHONE:
        raise RpcFault(400, "PHONE_NUMBER_INVALID")
    row = accounts.by_phone(ctx.tx, phone)
    home = ctx.world.home_of(row) if row is not None else ctx.world.home_of_number(phone)
    dc = accounts.test_number_dc(phone)
    if ctx.world.settings.migrate_test_numbers and dc and dc not in ctx.world.dcs:
        home = dc
    if home != ctx.dc_id:
        raise RpcFault(303, f"PHONE_MIGRATE_{home}")
    return phone


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


def _send(ctx: Context, phone: str, *, in_app: bool) -> api.auth.SentCode:
    """Make a code, and bring it to where the number's owner sees it."""
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
    row = accounts.by_phone(ctx.tx, phone)
    code = accounts.login_code(settings, phone, row.login_code if row is not None else None)
    code_hash = ctx.world.random(9).hex()
    ctx.tx.execute(
        insert(phone_codes).values(
            phone=phone,
            hash=code_hash,
            code=code,
            created=ctx.now,
            state="app" if in_app else "sms",
        )
    )
    if in_app and row is not None:
        send_service_message(
            ctx,
            row.id,
            f"Login code: {code}. Do not give this code to anyone, even if they say they are from"
            " Telegram.",
        )
        return api.auth.SentCode(
            type=api.auth.SentCodeTypeApp(length=len(code)),
            phone_code_hash=code_hash,
            next_type=api.auth.CodeTypeSms(),
            timeout=60,
        )
    return api.auth.SentCode(
        type=api.auth.SentCodeTypeSms(length=len(code)), phone_code_hash=code_hash
    )


def _code(ctx: Context, phone: str, code_hash: str) -> Row[Any]:
    """Return the code that a hash stands for, if it can still be used."""
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


def _set_state(ctx: Context, row: Row[Any], state: str) -> None:
    ctx.tx.execute(
        update(phone_codes)
        .where(phone_codes.c.phone == row.phone, phone_codes.c.hash == row.hash)
        .values(state=state)
    )


def _forget(ctx: Context, row: Row[Any]) -> None:
    # The row stays: it counts as a login of this day.
    _set_state(ctx, row, "used")


# ------------------------------------------------------------------ in


@handles(api.auth.SignIn, bots=False, login=False)
def sign_in(ctx: Context, request: api.auth.SignIn) -> api.auth.TypeAuthorization:
    phone = _phone(ctx, request.phone_number)
    if not request.phone_code:
        raise RpcFault(400, "PHONE_CODE_EMPTY")
    row = _code(ctx, phone, request.phone_code_hash)
    _check_code(ctx, row, request.phone_code)
    account = accounts.by_phone(ctx.tx, phone)
    if account is None:
        _set_state(ctx, row, "checked")  # stays good for auth.signUp
        return api.auth.AuthorizationSignUpRequired()
    if account.deleted:
        raise RpcFault(400, "PHONE_NUMBER_BANNED")
    _set_state(ctx, row, "used")
    return _log_in(ctx, account.id, is_bot=False)


def _check_code(ctx: Context, row: Row[Any], code: str) -> None:
    # Counted in memory: what a failing call writes is rolled back.
    attempts = ctx.world.code_attempts
    failed = attempts.get(row.hash, 0)
    if failed >= ctx.world.settings.login_code_attempts:
        raise RpcFault(400, "PHONE_CODE_EXPIRED")
    if code in (row.code, ctx.world.settings.login_code):
        attempts.pop(row.hash, None)
        return
    attempts[row.hash] = failed + 1
    if len(attempts) > ATTEMPTS_KEPT:
        del attempts[next(iter(attempts))]
    raise RpcFault(400, "PHONE_CODE_INVALID")


@handles(api.auth.SignUp, bots=False, login=False)
def sign_up(ctx: Context, request: api.auth.SignUp) -> api.auth.TypeAuthorization:
    phone = _phone(ctx, request.phone_number)
    row = _code(ctx, phone, request.phone_code_hash)
    if row.state != "checked":
        raise RpcFault(400, "PHONE_CODE_INVALID")
    if accounts.by_phone(ctx.tx, phone) is not None:
        raise RpcFault(400, "PHONE_NUMBER_OCCUPIED")
    first_name, last_name = check_names(request.first_name, request.last_name)
    _set_state(ctx, row, "used")
    user_id = accounts.create(
        ctx.tx,
        now=ctx.now,
        random=ctx.world.random,
        phone=phone,
        first_name=first_name,
        last_name=last_name,
        dc_id=ctx.dc_id,
    )
    return _log_in(ctx, user_id, is_bot=False)


def check_names(first_name: str, last_name: str) -> tuple[str, str]:
    """Return the names as they are stored. Faults: FIRSTNAME_INVALID, LASTNAME_INVALID."""
    first_name, last_name = text.clean(first_name).strip(), text.clean(last_name).strip()
    if not 1 <= len(first_name) <= MAX_NAME:
        raise RpcFault(400, "FIRSTNAME_INVALID")
    if len(last_name) > MAX_NAME:
        raise RpcFault(400, "LASTNAME_INVALID")
    return first_name, last_name


@handles(api.auth.ImportBotAuthorization, login=False)
def import_bot_authorization(
    ctx: Context, request: api.auth.ImportBotAuthorization
) -> api.auth.TypeAuthorization:
    known = ctx.world.settings.api_ids
    if request.api_id <= 0 or (known and request.api_id not in known):
        raise RpcFault(400, "API_ID_INVALID")
    bot_id = accounts.token_id(request.bot_auth_token)
    row = accounts.by_id(ctx.tx, bot_id) if bot_id else None
    if row is None or row.bot_token != request.bot_auth_token:
        raise RpcFault(400, "ACCESS_TOKEN_INVALID")
    home = ctx.world.home_of(row)
    if home != ctx.dc_id:
        raise RpcFault(303, f"USER_MIGRATE_{home}")
    return _log_in(ctx, row.id, is_bot=True)


def _log_in(ctx: Context, user_id: int, *, is_bot: bool) -> api.auth.Authorization:
    authorization = ctx.caller.authorization
    ctx.world.authorizations.log_in(ctx, user_id, is_bot=is_bot)
    if not is_bot:
        news = api.UpdateNewAuthorization(hash=authorization.hash)
        ctx.push(user_id, api.UpdateShort(update=news, date=ctx.now))
    (user,) = render.People(ctx.tx, ctx.now).seen_by(user_id, [user_id])
    return api.auth.Authorization(user=user)


# ------------------------------------------------------------------ out


@handles(api.auth.LogOut, login=False)
def log_out(ctx: Context, request: api.auth.LogOut) -> api.auth.LoggedOut:
    ctx.world.authorizations.log_out(ctx, ctx.caller.authorization.key_id)
    return api.auth.LoggedOut()


@handles(api.auth.ResetAuthorizations, bots=False)
def reset_authorizations(ctx: Context, request: api.auth.ResetAuthorizations) -> bool:
    others = ctx.tx.execute(
        select(auth_keys.c.key_id).where(
            auth_keys.c.user_id == ctx.user_id,
            auth_keys.c.key_id != ctx.caller.authorization.key_id,
        )
    ).scalars()
    for key_id in others.all():
        ctx.world.authorizations.log_out(ctx, bytes(key_id), fault="SESSION_REVOKED")
    return True
