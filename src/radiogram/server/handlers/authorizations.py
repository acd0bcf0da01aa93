"""Server layer: the sessions of an account: listed, confirmed and ended from elsewhere (C1).

Knows the keys that are logged in to the caller's account.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, or_, select, update

from radiogram.server import accounts
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import auth_keys
from radiogram.tl import api

MAX_TTL_DAYS = 366


@handles(api.account.GetAuthorizations, bots=False)
def get_authorizations(
    ctx: Context, request: api.account.GetAuthorizations
) -> api.account.Authorizations:
    rows = ctx.tx.execute(
        select(auth_keys)
        .where(
            or_(auth_keys.c.user_id == ctx.user_id, auth_keys.c.pending_user_id == ctx.user_id),
            auth_keys.c.origin.is_(None),
        )
        .order_by(auth_keys.c.last_active.desc(), auth_keys.c.created.desc())
    ).all()
    mine = _mine(ctx)
    listed = sorted(rows, key=lambda row: bytes(row.key_id) != mine)
    return api.account.Authorizations(
        authorization_ttl_days=accounts.own(ctx.tx, ctx.user_id).session_ttl_days,
        authorizations=[shown(ctx, row, current=row.key_id == mine) for row in listed],
    )


def shown(ctx: Context, row: Row[Any], *, current: bool) -> api.Authorization:
    """Return a row of ``auth_keys`` as its owner sees it."""
    return api.Authorization(
        current=current,
        password_pending=row.pending_user_id is not None,
        encrypted_requests_disabled=row.no_secret_chats,
        call_requests_disabled=row.no_calls,
        unconfirmed=row.unconfirmed,
        hash=0 if current else row.hash,
        device_model=row.device_model or "",
        platform=row.lang_pack or "",
        system_version=row.system_version or "",
        api_id=row.api_id or 0,
        app_name=f"App {row.api_id or 0}",
        app_version=row.app_version or "",
        date_created=row.created,
        date_active=row.last_active,
        ip=ctx.world.authorizations.address_of(bytes(row.key_id)),
        country=ctx.world.settings.country,
        region="",
    )


def _mine(ctx: Context) -> bytes:
    """Return the key with which the caller logged in; in another DC that is not the calling one."""
    authorization = ctx.caller.authorization
    return authorization.origin or authorization.key_id


def _find(ctx: Context, number: int, *, current: bool = False) -> Row[Any]:
    """Return another session by its hash; with `current`, 0 is the calling one."""
    chosen = auth_keys.c.hash == number
    if current and number == 0:
        chosen = auth_keys.c.key_id == _mine(ctx)
    else:
        chosen &= auth_keys.c.key_id != _mine(ctx)
    row = ctx.tx.execute(
        select(auth_keys).where(
            or_(auth_keys.c.user_id == ctx.user_id, auth_keys.c.pending_user_id == ctx.user_id),
            auth_keys.c.origin.is_(None),
            chosen,
        )
    ).first()
    if row is None:
        raise RpcFault(400, "HASH_INVALID")
    return row


def check_age(ctx: Context, fault: str = "FRESH_RESET_AUTHORISATION_FORBIDDEN") -> None:
    """Refuse a session that is too new to decide about others, or about the account."""
    logged_in = ctx.tx.execute(
        select(auth_keys.c.logged_in).where(auth_keys.c.key_id == _mine(ctx))
    ).scalar()
    if ctx.now < (logged_in or 0) + ctx.world.settings.fresh_reset_wait:
        raise RpcFault(406, fault)


@handles(api.account.ResetAuthorization, bots=False)
def reset_authorization(ctx: Context, request: api.account.ResetAuthorization) -> bool:
    row = _find(ctx, request.hash)
    check_age(ctx)
    ctx.world.authorizations.log_out(ctx, bytes(row.key_id), fault="SESSION_REVOKED")
    return True


@handles(api.auth.ResetAuthorizations, bots=False)
def reset_authorizations(ctx: Context, request: api.auth.ResetAuthorizations) -> bool:
    check_age(ctx)
    ctx.world.authorizations.log_out_all(ctx, ctx.user_id, "SESSION_REVOKED", but=_mine(ctx))
    return True


@handles(api.account.ChangeAuthorizationSettings, bots=False)
def change_authorization_settings(
    ctx: Context, request: api.account.ChangeAuthorizationSettings
) -> bool:
    row = _find(ctx, request.hash, current=True)
    values: dict[str, bool] = {}
    if request.confirmed:
        values["unconfirmed"] = False
    if request.encrypted_requests_disabled is not None:
        values["no_secret_chats"] = request.encrypted_requests_disabled
    if request.call_requests_disabled is not None:
        values["no_calls"] = request.call_requests_disabled
    if values:
        ctx.tx.execute(update(auth_keys).where(auth_keys.c.key_id == row.key_id).values(**values))
    return True


@handles(api.account.SetAuthorizationTTL, bots=False)
def set_authorization_ttl(ctx: Context, request: api.account.SetAuthorizationTTL) -> bool:
    days = request.authorization_ttl_days
    if not 1 <= days <= MAX_TTL_DAYS:
        raise RpcFault(400, "TTL_DAYS_INVALID")
    check_age(ctx)
    ctx.world.change_account(ctx.tx, ctx.user_id, session_ttl_days=days)
    return True


@handles(api.account.GetWebAuthorizations, bots=False)
def get_web_authorizations(
    ctx: Context, request: api.account.GetWebAuthorizations
) -> api.account.WebAuthorizations:
    return api.account.WebAuthorizations(authorizations=[], users=[])
