"""Server layer: what every way of logging in ends with (C1).

Knows that an account may want its password first, and who hears of a new login. Knows none of
the ways.
"""

from __future__ import annotations

from sqlalchemy import update

from radiogram.server import passwords, render
from radiogram.server.rpc import Context, RpcFault
from radiogram.server.tables import auth_keys
from radiogram.tl import api


def log_in(ctx: Context, user_id: int, *, proved: bool = False) -> api.auth.Authorization:
    """Make the calling key act for a user, and tell the user's other sessions.

    `proved`: the password was given. Without that an account which has one stays half logged in.
    Fault: SESSION_PASSWORD_NEEDED.
    """
    if not proved and passwords.is_set(passwords.load(ctx.tx, user_id)):
        ctx.world.authorizations.half_log_in(ctx, user_id)
        raise RpcFault(401, "SESSION_PASSWORD_NEEDED", keeps=True)
    authorization = ctx.caller.authorization
    ctx.world.authorizations.log_in(ctx, user_id, is_bot=False)
    news = api.UpdateNewAuthorization(hash=authorization.hash)
    if ctx.world.settings.confirm_logins:
        ctx.tx.execute(
            update(auth_keys)
            .where(auth_keys.c.key_id == authorization.key_id)
            .values(unconfirmed=True)
        )
        news = api.UpdateNewAuthorization(
            unconfirmed=True,
            hash=authorization.hash,
            date=ctx.now,
            device=authorization.device_model,
            location=ctx.world.settings.country,
        )
    ctx.push(user_id, api.UpdateShort(update=news, date=ctx.now))
    return answer(ctx, user_id)


def log_in_bot(ctx: Context, bot_id: int) -> api.auth.Authorization:
    """Make the calling key act for a bot."""
    ctx.world.authorizations.log_in(ctx, bot_id, is_bot=True)
    return answer(ctx, bot_id)


def answer(ctx: Context, user_id: int) -> api.auth.Authorization:
    """Return what a client is told of the account that it acts for now."""
    (user,) = render.People(ctx.tx, ctx.now).seen_by(user_id, [user_id])
    return api.auth.Authorization(user=user)
