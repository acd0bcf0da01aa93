"""Server layer: the methods of ``updates.*`` (C6)."""

from __future__ import annotations

from collections.abc import Callable

from radiogram.server import peers, user_store
from radiogram.server.difference import channel_difference, difference, state
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.tl import api

MAX_CHANNEL_LIMIT = 100_000
"""Events in one answer to updates.getChannelDifference."""

MAX_RANGES = 100
"""Ranges of ids in one filter of updates.getChannelDifference."""


@handles(api.updates.GetState)
def get_state(ctx: Context, _request: api.updates.GetState) -> api.updates.State:
    """Return where the updates of the account stand."""
    return state(ctx, user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id])


@handles(api.updates.GetDifference)
def get_difference(ctx: Context, request: api.updates.GetDifference) -> api.updates.TypeDifference:
    """Return what happened since a pts (C6.2 to C6.5)."""
    if request.pts == 0:
        raise RpcFault(400, "PERSISTENT_TIMESTAMP_EMPTY")
    if request.date == 0:
        raise RpcFault(400, "DATE_EMPTY")
    user = user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id]
    if not 0 < request.pts <= user.pts or request.qts < 0:
        raise RpcFault(400, "PERSISTENT_TIMESTAMP_INVALID")
    total = request.pts_total_limit
    if total is not None and request.pts + max(total, 1) < user.pts:
        return api.updates.DifferenceTooLong(pts=user.pts)
    slice_size = max(1, ctx.world.settings.difference_slice)
    limit = slice_size
    if request.pts_limit is not None and request.pts_limit > 0:
        limit = min(limit, request.pts_limit)
    qts_limit = slice_size
    if request.qts_limit is not None and request.qts_limit > 0:
        qts_limit = min(slice_size, request.qts_limit)
    return difference(
        ctx,
        user,
        request.pts,
        date=request.date,
        qts=request.qts,
        limit=limit,
        qts_limit=qts_limit,
    )


@handles(api.updates.GetChannelDifference)
def get_channel_difference(
    ctx: Context, request: api.updates.GetChannelDifference
) -> api.updates.TypeChannelDifference:
    """Return what happened to a channel since a pts (C6.6, C6.7)."""
    room = peers.resolve_channel(ctx, request.channel)
    if request.pts == 0:
        raise RpcFault(400, "PERSISTENT_TIMESTAMP_EMPTY")
    if not 0 < request.pts <= room.chat.pts:
        raise RpcFault(400, "PERSISTENT_TIMESTAMP_INVALID")
    if not 0 < request.limit <= MAX_CHANNEL_LIMIT:
        raise RpcFault(400, "LIMIT_INVALID")
    if not room.standing.is_present:
        ctx.after_commit(lambda: ctx.world.watch(room.chat.id, ctx.user_id, ctx.now))
    limit = min(request.limit, max(1, ctx.world.settings.difference_slice))
    wanted = _wanted(request.filter)
    return channel_difference(ctx, room, request.pts, limit=limit, wanted=wanted)


def _wanted(given: api.TypeChannelMessagesFilter) -> Callable[[int], bool]:
    """Return which new messages a client wants to be told. Fault: RANGES_INVALID."""
    if not isinstance(given, api.ChannelMessagesFilter):
        return lambda _number: True
    ranges = [(one.min_id, one.max_id) for one in given.ranges]
    if len(ranges) > MAX_RANGES or any(low > high for low, high in ranges):
        raise RpcFault(400, "RANGES_INVALID")
    if given.exclude_new_messages:
        return lambda _number: False
    return lambda number: any(low <= number <= high for low, high in ranges)
