"""Server layer: auth.*: an account in other DCs, and temporary keys (C1, A16).

Knows which keys stand for an account besides the one it logged in with: those to which it was
exported, and those that were bound. Knows nothing of codes and passwords.
"""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import delete, insert, select

from radiogram.errors import SecurityError
from radiogram.mtproto.binding import Binding, read_binding
from radiogram.server import accounts, render
from radiogram.server.authorizations import Authorization
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import exported_authorizations
from radiogram.tl import api

SECRET_SIZE = 64

# ------------------------------------------------------------------ other DCs


@handles(api.auth.ExportAuthorization)
def export_authorization(
    ctx: Context, request: api.auth.ExportAuthorization
) -> api.auth.ExportedAuthorization:
    if request.dc_id not in ctx.world.dcs or request.dc_id == ctx.dc_id:
        raise RpcFault(400, "DC_ID_INVALID")
    secret = ctx.world.random(SECRET_SIZE)
    expired = ctx.now - ctx.world.settings.exported_authorization_lifetime
    ctx.tx.execute(
        delete(exported_authorizations).where(exported_authorizations.c.created <= expired)
    )
    authorization = ctx.caller.authorization
    ctx.tx.execute(
        insert(exported_authorizations).values(
            secret=sha256(secret).digest(),
            user_id=ctx.user_id,
            dc_id=request.dc_id,
            origin=authorization.origin or authorization.key_id,
            created=ctx.now,
        )
    )
    return api.auth.ExportedAuthorization(id=ctx.user_id, bytes=secret)


@handles(api.auth.ImportAuthorization, login=False)
def import_authorization(
    ctx: Context, request: api.auth.ImportAuthorization
) -> api.auth.TypeAuthorization:
    exports = exported_authorizations
    secret = sha256(request.bytes).digest()
    row = ctx.tx.execute(select(exports).where(exports.c.secret == secret)).first()
    lifetime = ctx.world.settings.exported_authorization_lifetime
    if row is None or row.dc_id != ctx.dc_id or ctx.now >= row.created + lifetime:
        raise RpcFault(400, "AUTH_BYTES_INVALID")
    if row.user_id != request.id:
        raise RpcFault(400, "USER_ID_INVALID")
    origin = ctx.world.authorizations.get(bytes(row.origin))
    account = accounts.by_id(ctx.tx, row.user_id)
    if origin is None or origin.user_id != row.user_id or account is None:  # logged out since
        raise RpcFault(400, "AUTH_BYTES_INVALID")
    ctx.tx.execute(delete(exports).where(exports.c.secret == secret))
    away = ctx.world.home_of(account) != ctx.dc_id
    ctx.world.authorizations.log_in(
        ctx, account.id, is_bot=account.is_bot, origin=origin.key_id if away else None
    )
    (user,) = render.People(ctx.tx, ctx.now).seen_by(account.id, [account.id])
    return api.auth.Authorization(user=user)


# ------------------------------------------------------------------ temporary keys


@handles(api.auth.BindTempAuthKey, login=False)
def bind_temp_auth_key(ctx: Context, request: api.auth.BindTempAuthKey) -> bool:
    key = ctx.caller.encrypted_by
    if key.expires_at is None:
        raise RpcFault(400, "TEMP_AUTH_KEY_EMPTY")
    permanent = _permanent(ctx, request.perm_auth_key_id)
    if key.permanent is not None and key.permanent is not permanent:
        raise RpcFault(400, "TEMP_AUTH_KEY_ALREADY_BOUND")
    if not ctx.now < request.expires_at <= key.expires_at + ctx.world.settings.expires_at_slack:
        raise RpcFault(400, "EXPIRES_AT_INVALID")
    if permanent is None or permanent.key is None:
        raise RpcFault(400, "ENCRYPTED_MESSAGE_INVALID")
    expected = Binding(
        nonce=request.nonce,
        temp_auth_key_id=int.from_bytes(key.key_id, "little", signed=True),
        perm_auth_key_id=request.perm_auth_key_id,
        temp_session_id=ctx.session_id,
        expires_at=request.expires_at,
    )
    try:
        msg_id, found = read_binding(permanent.key, request.encrypted_message)
    except SecurityError:
        raise RpcFault(400, "ENCRYPTED_MESSAGE_INVALID") from None
    if msg_id != ctx.caller.msg_id or found != expected:
        raise RpcFault(400, "ENCRYPTED_MESSAGE_INVALID")
    expires_at = min(request.expires_at, key.expires_at)
    ctx.world.authorizations.bind(ctx, key, permanent, expires_at)
    return True


def _permanent(ctx: Context, key_id: int) -> Authorization | None:
    """Find the permanent key that is named, among those of this DC."""
    found = ctx.world.authorizations.get(key_id.to_bytes(8, "little", signed=True))
    if found is None or found.expires_at is not None or found.dc_id != ctx.dc_id:
        return None
    return found


@handles(api.auth.DropTempAuthKeys)
def drop_temp_auth_keys(ctx: Context, request: api.auth.DropTempAuthKeys) -> bool:
    spared = {one.to_bytes(8, "little", signed=True) for one in request.except_auth_keys}
    # The key that carries the call has to carry the answer.
    spared.add(ctx.caller.encrypted_by.key_id)
    ctx.world.authorizations.drop_temporary(ctx, ctx.caller.authorization, spared)
    return True
