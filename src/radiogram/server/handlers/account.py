"""Server layer: account.*: what an account changes about itself (C2).

Knows the caller's own row and who should hear of a change.
"""

from __future__ import annotations

from sqlalchemy import update

from radiogram.server import accounts, audience, render, text, usernames
from radiogram.server.handlers.auth import check_names
from radiogram.server.rows import Peer
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import PEER_USER, users
from radiogram.tl import api

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
