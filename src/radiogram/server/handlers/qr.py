"""Server layer: auth.*: logging in by a token that another session scans (C1, api/qr-login).

Knows the ``login_tokens`` table: who shows a token, and who has accepted it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from radiogram.server import accounts, logins
from radiogram.server.handlers.auth import check_api_id
from radiogram.server.handlers.authorizations import shown
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import auth_keys, login_tokens
from radiogram.tl import api

TOKENS_PER_KEY = 5
"""A scanned code may lag behind the one that is shown by now."""
KEPT = 300
"""Seconds for which a token is remembered after its end, to be called expired instead of
unknown."""
MAX_EXCEPT = 100


@handles(api.auth.ExportLoginToken, bots=False, login=False)
def export_login_token(ctx: Context, request: api.auth.ExportLoginToken) -> api.auth.TypeLoginToken:
    check_api_id(ctx, request.api_id)
    if ctx.user_id:  # a repetition of the call that logged in
        return api.auth.LoginTokenSuccess(authorization=logins.answer(ctx, ctx.user_id))
    key_id = ctx.caller.authorization.key_id
    ctx.tx.execute(delete(login_tokens).where(login_tokens.c.expires <= ctx.now - KEPT))
    mine = ctx.tx.execute(
        select(login_tokens)
        .where(login_tokens.c.key_id == key_id)
        .order_by(login_tokens.c.expires.desc())
    ).all()
    accepted = next((row for row in mine if row.user_id is not None), None)
    if accepted is not None:
        return _finish(ctx, accepted)
    for row in mine[TOKENS_PER_KEY - 1 :]:
        _forget(ctx, row)
    token = ctx.world.random(32)
    expires = ctx.now + ctx.world.settings.login_token_lifetime
    ctx.tx.execute(
        insert(login_tokens).values(
            token=token,
            key_id=key_id,
            expires=expires,
            except_ids=b"".join(
                number.to_bytes(8, "little", signed=True)
                for number in request.except_ids[:MAX_EXCEPT]
            ),
        )
    )
    return api.auth.LoginToken(expires=expires, token=token)


@handles(api.auth.ImportLoginToken, bots=False, login=False)
def import_login_token(ctx: Context, request: api.auth.ImportLoginToken) -> api.auth.TypeLoginToken:
    if ctx.user_id:
        raise RpcFault(400, "AUTH_TOKEN_ALREADY_ACCEPTED")
    row = _find(ctx, request.token)
    if row is None or row.user_id is None:
        raise RpcFault(400, "AUTH_TOKEN_INVALID")
    if ctx.now >= row.expires + KEPT:
        raise RpcFault(400, "AUTH_TOKEN_EXPIRED")
    return _finish(ctx, row)


def _finish(ctx: Context, row: Row[Any]) -> api.auth.TypeLoginToken:
    """Log in with a token that was accepted, or send the caller where its account lives."""
    account = accounts.by_id(ctx.tx, row.user_id)
    if account is None or account.deleted:
        raise RpcFault(400, "AUTH_TOKEN_INVALID")
    home = ctx.world.home_of(account)
    if home != ctx.dc_id:
        return api.auth.LoginTokenMigrateTo(dc_id=home, token=bytes(row.token))
    _forget(ctx, row)
    return api.auth.LoginTokenSuccess(authorization=logins.log_in(ctx, account.id))


@handles(api.auth.AcceptLoginToken, bots=False)
def accept_login_token(ctx: Context, request: api.auth.AcceptLoginToken) -> api.Authorization:
    row = _find(ctx, request.token)
    if row is None:
        raise RpcFault(400, "AUTH_TOKEN_INVALIDX")
    if row.user_id is not None:
        raise RpcFault(400, "AUTH_TOKEN_ALREADY_ACCEPTED")
    if ctx.now >= row.expires:
        raise RpcFault(400, "AUTH_TOKEN_EXPIRED")
    key_id = bytes(row.key_id)
    device = ctx.tx.execute(select(auth_keys).where(auth_keys.c.key_id == key_id)).first()
    own = ctx.user_id.to_bytes(8, "little", signed=True)
    excepted = bytes(row.except_ids)
    if device is None or own in {excepted[at : at + 8] for at in range(0, len(excepted), 8)}:
        raise RpcFault(400, "AUTH_TOKEN_EXCEPTION")
    ctx.tx.execute(
        update(login_tokens).where(login_tokens.c.token == row.token).values(user_id=ctx.user_id)
    )
    ctx.after_commit(lambda: _tell(ctx, key_id))
    return shown(ctx, device, current=False)


def _tell(ctx: Context, key_id: bytes) -> None:
    """Let the device that shows the token know that it was accepted."""
    news = api.UpdateShort(update=api.UpdateLoginToken(), date=ctx.now)
    for session in ctx.world.authorizations.sessions_of_key(key_id):
        if session.wants_updates:
            session.push(session.registry.encode(news))


def _find(ctx: Context, token: bytes) -> Row[Any] | None:
    return ctx.tx.execute(select(login_tokens).where(login_tokens.c.token == token)).first()


def _forget(ctx: Context, row: Row[Any]) -> None:
    ctx.tx.execute(delete(login_tokens).where(login_tokens.c.token == row.token))
