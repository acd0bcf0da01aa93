"""Server layer: account.*: the end of an account, wanted or by disuse (C1).

Knows when an account may be deleted by whom.
"""

from __future__ import annotations

from radiogram.server import accounts, passwords
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.service import send_service_message
from radiogram.tl import api

MAX_TTL_DAYS = 730


@handles(api.account.DeleteAccount, bots=False, login=False)
def delete_account(ctx: Context, request: api.account.DeleteAccount) -> bool:
    user_id = ctx.user_id or ctx.caller.authorization.pending_user_id
    if not user_id:
        raise RpcFault(401, "AUTH_KEY_UNREGISTERED")
    if request.password is not None:
        passwords.prove(ctx, user_id, request.password)
    elif passwords.is_set(passwords.load(ctx.tx, user_id)):
        _wait(ctx, user_id)
    ctx.world.erase_account(ctx, user_id)
    return True


def _wait(ctx: Context, user_id: int) -> None:
    """Have somebody without the password wait, and its owner know of it."""
    end = accounts.own(ctx.tx, user_id).deletion_at
    if end is None:
        end = ctx.now + ctx.world.settings.deletion_wait
        ctx.world.change_account(ctx.tx, user_id, deletion_at=end)
        send_service_message(
            ctx,
            user_id,
            "Somebody who does not know your password wants your account to be deleted. If that"
            " was not you, log in with your password: that calls it off.",
        )
    if ctx.now < end:
        raise RpcFault(420, f"2FA_CONFIRM_WAIT_{end - ctx.now}", keeps=True)


@handles(api.account.GetAccountTTL, bots=False)
def get_account_ttl(ctx: Context, request: api.account.GetAccountTTL) -> api.AccountDaysTTL:
    return api.AccountDaysTTL(days=accounts.own(ctx.tx, ctx.user_id).account_ttl_days)


@handles(api.account.SetAccountTTL, bots=False)
def set_account_ttl(ctx: Context, request: api.account.SetAccountTTL) -> bool:
    if not 1 <= request.ttl.days <= MAX_TTL_DAYS:
        raise RpcFault(400, "TTL_DAYS_INVALID")
    ctx.world.change_account(ctx.tx, ctx.user_id, account_ttl_days=request.ttl.days)
    return True
