"""Server layer: auth.*: logging in by phone or token, and out (C1, part D).

Knows which step may follow which. Codes are made and compared in :mod:`radiogram.server.codes`;
what every login ends with is in :mod:`radiogram.server.logins`.
"""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import delete, insert, select

from radiogram.server import accounts, address_book, codes, logins, passwords, text
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import future_tokens, revoked_tokens
from radiogram.tl import api

MAX_NAME = 64
FUTURE_TOKENS = 20
"""Tokens that an account has, and that a client sends, at most."""


# ------------------------------------------------------------------ codes


@handles(api.auth.SendCode, bots=False, login=False)
def send_code(ctx: Context, request: api.auth.SendCode) -> api.auth.TypeSentCode:
    check_api_id(ctx, request.api_id)
    phone = _phone(ctx, request.phone_number)
    settings = request.settings
    account = accounts.by_phone(ctx.tx, phone)
    if phone in ctx.world.settings.banned_numbers:
        raise RpcFault(400, "PHONE_NUMBER_BANNED")
    if account is None and ctx.world.settings.unknown_numbers == "refuse":
        raise RpcFault(400, "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN")
    if account is not None:
        if ctx.world.password_checks.wait(account.id, ctx.world.clock.now()):
            raise RpcFault(406, "PHONE_PASSWORD_FLOOD")
        if _spend_future_token(ctx, account.id, settings.logout_tokens or []):
            return api.auth.SentCodeSuccess(authorization=logins.log_in(ctx, account.id))
    return codes.send(ctx, phone, calls=codes.allowed_calls(settings))


@handles(api.auth.ResendCode, bots=False, login=False)
def resend_code(ctx: Context, request: api.auth.ResendCode) -> api.auth.TypeSentCode:
    phone = _sent_to(ctx, request.phone_number)
    row = codes.find(ctx, phone, request.phone_code_hash)
    sent = codes.send(ctx, phone, calls=row.calls, after=row.state)
    codes.set_state(ctx, row, "used")
    return sent


@handles(api.auth.CancelCode, bots=False, login=False)
def cancel_code(ctx: Context, request: api.auth.CancelCode) -> bool:
    phone = _sent_to(ctx, request.phone_number)
    codes.set_state(ctx, codes.find(ctx, phone, request.phone_code_hash), "used")
    return True


@handles(api.auth.ReportMissingCode, bots=False, login=False)
def report_missing_code(ctx: Context, request: api.auth.ReportMissingCode) -> bool:
    codes.find(ctx, _sent_to(ctx, request.phone_number), request.phone_code_hash)
    return True


@handles(api.account.InvalidateSignInCodes, bots=False)
def invalidate_sign_in_codes(ctx: Context, request: api.account.InvalidateSignInCodes) -> bool:
    codes.invalidate(ctx, accounts.own(ctx.tx, ctx.user_id).phone, request.codes)
    return True


def check_api_id(ctx: Context, api_id: int) -> None:
    """Refuse an application that nobody registered. Fault: API_ID_INVALID."""
    known = ctx.world.settings.api_ids
    if api_id <= 0 or (known and api_id not in known):
        raise RpcFault(400, "API_ID_INVALID")


def _sent_to(ctx: Context, given: str) -> str:
    """Return the digits of a number that a code was sent to.

    Who is logged in wants to change to that number, which moves nobody to its DC.
    """
    return _phone(ctx, given, moves=not ctx.user_id)


def _phone(ctx: Context, given: str, *, moves: bool = True) -> str:
    """Return the digits of a number, or refuse it; one of another DC `moves` the caller there."""
    phone = accounts.normalise_phone(given)
    if not phone or phone == accounts.SERVICE_PHONE:
        raise RpcFault(400, "PHONE_NUMBER_INVALID")
    row = accounts.by_phone(ctx.tx, phone)
    home = ctx.world.home_of(row) if row is not None else ctx.world.home_of_number(phone)
    dc = accounts.test_number_dc(phone)
    if ctx.world.settings.migrate_test_numbers and dc and dc not in ctx.world.dcs:
        home = dc
    if home != ctx.dc_id and moves:
        raise RpcFault(303, f"PHONE_MIGRATE_{home}")
    return phone


# ------------------------------------------------------------------ in


@handles(api.auth.SignIn, bots=False, login=False)
def sign_in(ctx: Context, request: api.auth.SignIn) -> api.auth.TypeAuthorization:
    phone = _phone(ctx, request.phone_number)
    if not request.phone_code:
        raise RpcFault(400, "PHONE_CODE_EMPTY")
    row = codes.find(ctx, phone, request.phone_code_hash)
    codes.check(ctx, row, request.phone_code)
    account = accounts.by_phone(ctx.tx, phone)
    if account is None and ctx.world.settings.unknown_numbers == "sign_up":
        codes.set_state(ctx, row, "checked")  # stays good for auth.signUp
        return api.auth.AuthorizationSignUpRequired(terms_of_service=_terms(ctx))
    codes.set_state(ctx, row, "used")
    return logins.log_in(ctx, account.id if account else _create(ctx, phone, f"User {phone[-4:]}"))


def _terms(ctx: Context) -> api.help.TermsOfService | None:
    terms = ctx.world.settings.terms
    if not terms:
        return None
    name = sha256(terms.encode()).hexdigest()[:16]
    return api.help.TermsOfService(
        popup=True, id=api.DataJSON(data=f'{{"id":"{name}"}}'), text=terms, entities=[]
    )


@handles(api.auth.SignUp, bots=False, login=False)
def sign_up(ctx: Context, request: api.auth.SignUp) -> api.auth.TypeAuthorization:
    phone = _phone(ctx, request.phone_number)
    row = codes.find(ctx, phone, request.phone_code_hash)
    if row.state != "checked":
        raise RpcFault(400, "PHONE_CODE_INVALID")
    if accounts.by_phone(ctx.tx, phone) is not None:
        raise RpcFault(400, "PHONE_NUMBER_OCCUPIED")
    first_name, last_name = check_names(request.first_name, request.last_name)
    codes.set_state(ctx, row, "used")
    user_id = _create(ctx, phone, first_name, last_name)
    address_book.joined(ctx, user_id, phone, quiet=request.no_joined_notifications)
    return logins.log_in(ctx, user_id)


def _create(ctx: Context, phone: str, first_name: str, last_name: str = "") -> int:
    return accounts.create(
        ctx.tx,
        now=ctx.now,
        random=ctx.world.random,
        phone=phone,
        first_name=first_name,
        last_name=last_name,
        dc_id=ctx.dc_id,
    )


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
    check_api_id(ctx, request.api_id)
    token = request.bot_auth_token
    bot_id = accounts.token_id(token)
    row = accounts.by_id(ctx.tx, bot_id) if bot_id else None
    if row is None or row.bot_token != token:
        revoked = select(revoked_tokens.c.token).where(revoked_tokens.c.token == token)
        known = row is not None and ctx.tx.execute(revoked).first() is not None
        raise RpcFault(400, "ACCESS_TOKEN_EXPIRED" if known else "ACCESS_TOKEN_INVALID")
    home = ctx.world.home_of(row)
    if home != ctx.dc_id:
        raise RpcFault(303, f"USER_MIGRATE_{home}")
    return logins.log_in_bot(ctx, row.id)


# ------------------------------------------------------------------ out


@handles(api.auth.LogOut, login=False)
def log_out(ctx: Context, request: api.auth.LogOut) -> api.auth.LoggedOut:
    token = None
    user_id = ctx.user_id
    if user_id and not ctx.is_bot and _may_come_back(ctx, user_id):
        token = ctx.world.random(32)
        ctx.tx.execute(
            insert(future_tokens).values(
                token=sha256(token).digest(), user_id=user_id, created=ctx.now
            )
        )
        spare = (
            select(future_tokens.c.token)
            .where(future_tokens.c.user_id == user_id)
            .order_by(future_tokens.c.created.desc())
            .offset(FUTURE_TOKENS)
        )
        old = ctx.tx.execute(spare).scalars().all()
        ctx.tx.execute(delete(future_tokens).where(future_tokens.c.token.in_(old)))
    ctx.world.authorizations.log_out(ctx, ctx.caller.authorization.key_id)
    return api.auth.LoggedOut(future_auth_token=token)


def _may_come_back(ctx: Context, user_id: int) -> bool:
    choice = ctx.world.settings.future_auth_tokens
    if choice == "two_step":
        return passwords.is_set(passwords.load(ctx.tx, user_id))
    return choice == "always"


def _spend_future_token(ctx: Context, user_id: int, tokens: list[bytes]) -> bool:
    """Tell whether a client has a token with which the account once logged out; it is gone then."""
    hashes = [sha256(token).digest() for token in tokens[:FUTURE_TOKENS]]
    spent = ctx.tx.execute(
        delete(future_tokens).where(
            future_tokens.c.user_id == user_id, future_tokens.c.token.in_(hashes)
        )
    )
    return spent.rowcount > 0
