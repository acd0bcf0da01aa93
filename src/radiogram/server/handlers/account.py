"""Server layer: account.*: what an account changes about itself, and its sessions (C2, C1).

Knows the caller's own row and who should hear of a change.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from radiogram.server import accounts, audience, render, text, usernames
from radiogram.server.db import PEER_USER, auth_keys, users
from radiogram.server.handlers.auth import check_names
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.store import Peer
from radiogram.tl import api

TTL_DAYS = 365
"""Days after which an unused session is said to end."""


# ------------------------------------------------------------------ profile


@handles(api.account.UpdateProfile, bots=False)
def update_profile(ctx: Context, request: api.account.UpdateProfile) -> api.TypeUser:
    row = accounts.own(ctx.tx, ctx.user_id)
    values: dict[str, str | None] = {}
    if request.first_name is not None or request.last_name is not None:
        first_name = row.first_name if request.first_name is None else request.first_name
        last_name = row.last_name if request.last_name is None else request.last_name
        first_name, last_name = check_names(first_name, last_name)
        if (first_name, last_name) != (row.first_name, row.last_name):
            values.update(first_name=first_name, last_name=last_name)
    if request.about is not None:
        about = text.clean(request.about).strip()
        if len(about) > ctx.world.settings.about_length_max:
            raise RpcFault(400, "ABOUT_TOO_LONG")
        if about != row.about:
            values["about"] = about
    if values:
        accounts.change(ctx.tx, ctx.user_id, **values)
    if "first_name" in values:
        _tell_names(ctx)
    elif values:
        audience.tell(ctx, api.UpdateUser(user_id=ctx.user_id))
    return _myself(ctx)


@handles(api.account.CheckUsername, bots=False)
def check_username(ctx: Context, request: api.account.CheckUsername) -> bool:
    return usernames.is_free(ctx.tx, request.username, Peer(PEER_USER, ctx.user_id))


@handles(api.account.UpdateUsername, bots=False)
def update_username(ctx: Context, request: api.account.UpdateUsername) -> api.TypeUser:
    username = request.username or None
    free = username is None or usernames.is_free(ctx.tx, username, Peer(PEER_USER, ctx.user_id))
    if username == accounts.own(ctx.tx, ctx.user_id).username:
        raise RpcFault(400, "USERNAME_NOT_MODIFIED")
    if not free:
        raise RpcFault(400, "USERNAME_OCCUPIED")
    accounts.change(ctx.tx, ctx.user_id, username=username)
    _tell_names(ctx)
    return _myself(ctx)


@handles(api.account.UpdateStatus, bots=False)
def update_status(ctx: Context, request: api.account.UpdateStatus) -> bool:
    until = ctx.now if request.offline else ctx.now + ctx.world.settings.online_period
    ctx.tx.execute(update(users).where(users.c.id == ctx.user_id).values(online_until=until))
    status: api.TypeUserStatus
    if request.offline:
        status = api.UserStatusOffline(was_online=ctx.now)
    else:
        status = api.UserStatusOnline(expires=until)
    news = api.UpdateShort(
        update=api.UpdateUserStatus(user_id=ctx.user_id, status=status), date=ctx.now
    )
    for user_id in audience.of(ctx):
        ctx.push(user_id, news)
    return True


def _tell_names(ctx: Context) -> None:
    row = accounts.own(ctx.tx, ctx.user_id)
    usernames = (
        [api.Username(username=row.username, editable=True, active=True)] if row.username else []
    )
    audience.tell(
        ctx,
        api.UpdateUserName(
            user_id=row.id,
            first_name=row.first_name,
            last_name=row.last_name,
            usernames=usernames,
        ),
    )


def _myself(ctx: Context) -> api.TypeUser:
    return render.People(ctx.tx, ctx.now).seen_by(ctx.user_id, [ctx.user_id])[0]


# ------------------------------------------------------------------ sessions


@handles(api.account.GetAuthorizations, bots=False)
def get_authorizations(
    ctx: Context, request: api.account.GetAuthorizations
) -> api.account.Authorizations:
    rows = ctx.tx.execute(
        select(auth_keys)
        .where(auth_keys.c.user_id == ctx.user_id, auth_keys.c.origin.is_(None))
        .order_by(auth_keys.c.last_active.desc(), auth_keys.c.created.desc())
    ).all()
    mine = ctx.caller.authorization.key_id
    listed = sorted(rows, key=lambda row: bytes(row.key_id) != mine)
    return api.account.Authorizations(
        authorization_ttl_days=TTL_DAYS,
        authorizations=[_authorization(ctx, row, current=row.key_id == mine) for row in listed],
    )


@handles(api.account.ResetAuthorization, bots=False)
def reset_authorization(ctx: Context, request: api.account.ResetAuthorization) -> bool:
    row = ctx.tx.execute(
        select(auth_keys.c.key_id).where(
            auth_keys.c.user_id == ctx.user_id,
            auth_keys.c.hash == request.hash,
            auth_keys.c.key_id != ctx.caller.authorization.key_id,
        )
    ).first()
    if row is None:
        raise RpcFault(400, "HASH_INVALID")
    ctx.world.authorizations.log_out(ctx, bytes(row.key_id), fault="SESSION_REVOKED")
    return True


def _authorization(ctx: Context, row: Row[Any], *, current: bool) -> api.Authorization:
    return api.Authorization(
        current=current,
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
