"""Server layer: the methods of ``updates.*`` (C6)."""

from __future__ import annotations

from radiogram.server import store
from radiogram.server.difference import difference, state
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.tl import api


@handles(api.updates.GetState)
def get_state(ctx: Context, _request: api.updates.GetState) -> api.updates.State:
    """Return where the updates of the account stand."""
    return state(ctx, store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id])


@handles(api.updates.GetDifference)
def get_difference(ctx: Context, request: api.updates.GetDifference) -> api.updates.TypeDifference:
    """Return what happened since a pts (C6.2 to C6.5)."""
    if request.pts == 0:
        raise RpcFault(400, "PERSISTENT_TIMESTAMP_EMPTY")
    if request.date == 0:
        raise RpcFault(400, "DATE_EMPTY")
    user = store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id]
    if not 0 < request.pts <= user.pts or request.qts < 0:
        raise RpcFault(400, "PERSISTENT_TIMESTAMP_INVALID")
    if request.pts == user.pts:
        return api.updates.DifferenceEmpty(date=ctx.now, seq=0)
    total = request.pts_total_limit
    if total is not None and request.pts + max(total, 1) < user.pts:
        return api.updates.DifferenceTooLong(pts=user.pts)
    limit = max(1, ctx.world.settings.difference_slice)
    if request.pts_limit is not None and request.pts_limit > 0:
        limit = min(limit, request.pts_limit)
    return difference(ctx, user, request.pts, limit=limit)
