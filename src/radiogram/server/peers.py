"""Server layer: which account or chat an InputPeer or InputUser of a caller names.

Knows access hashes (C0.1.1) and which error says that a name is wrong. Knows nothing of what
the caller then wants to do with the peer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from radiogram.server import render, store
from radiogram.server.db import PEER_USER
from radiogram.server.rpc import RpcFault
from radiogram.server.store import Peer, Side, UserRow
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


class Target(NamedTuple):
    """A private chat, or Saved Messages, as the caller named it."""

    peer: Peer
    me: Side
    """The caller, and what it holds about the other."""
    other: Side
    """The other account; the same object as `me` in Saved Messages."""
    people: render.People

    @property
    def is_self(self) -> bool:
        """Whether these are the caller's Saved Messages."""
        return self.me is self.other

    @property
    def mirror(self) -> Peer:
        """The same chat as the other account knows it."""
        return Peer(PEER_USER, self.me.user.id)


def resolve(ctx: Context, peer: api.TypeInputPeer) -> Target:
    """Return the chat that an InputPeer names.

    Faults: PEER_ID_INVALID, MSG_ID_INVALID (of ``inputPeerUserFromMessage``), CHANNEL_INVALID.
    """
    match peer:
        case api.InputPeerSelf():
            return _private(ctx, ctx.user_id, None)
        case api.InputPeerUser():
            return _private(ctx, peer.user_id, peer.access_hash)
        case api.InputPeerUserFromMessage():
            _check_mention(ctx, peer.peer, peer.msg_id, peer.user_id, "PEER_ID_INVALID")
            return _private(ctx, peer.user_id, None)
        case api.InputPeerChannel() | api.InputPeerChannelFromMessage():
            raise RpcFault(400, "CHANNEL_INVALID")
        case _:  # no peer at all, or a basic group, of which there are none
            raise RpcFault(400, "PEER_ID_INVALID")


def resolve_user(ctx: Context, user: api.TypeInputUser) -> UserRow:
    """Return the account that an InputUser names. Faults: USER_ID_INVALID, MSG_ID_INVALID."""
    user_id: int
    match user:
        case api.InputUserSelf():
            user_id = ctx.user_id
        case api.InputUser():
            user_id = user.user_id
        case api.InputUserFromMessage():
            user_id = user.user_id
            _check_mention(ctx, user.peer, user.msg_id, user_id, "USER_ID_INVALID")
        case _:
            raise RpcFault(400, "USER_ID_INVALID")
    rows = store.load_users(ctx.tx, {ctx.user_id, user_id})
    target = rows.get(user_id)
    if target is None:
        raise RpcFault(400, "USER_ID_INVALID")
    if isinstance(user, api.InputUser):
        expected = render.access_hash(rows[ctx.user_id].access_secret, user_id)
        if user.access_hash != expected:
            raise RpcFault(400, "USER_ID_INVALID")
    return target


def _private(ctx: Context, user_id: int, given_hash: int | None) -> Target:
    sides = store.load_sides(ctx.tx, ctx.user_id, user_id)
    me = sides[ctx.user_id]
    other = sides.get(user_id)
    if other is None:
        raise RpcFault(400, "PEER_ID_INVALID")
    expected = render.access_hash(me.user.access_secret, user_id)
    if given_hash is not None and given_hash != expected:
        raise RpcFault(400, "PEER_ID_INVALID")
    if me is other and me.user.is_bot:  # bots have no Saved Messages (B2)
        raise RpcFault(400, "PEER_ID_INVALID")
    people = render.People(ctx.tx, ctx.now, {me.user.id: me, user_id: other}.values())
    return Target(Peer(PEER_USER, user_id), me, other, people)


def _check_mention(
    ctx: Context, peer: api.TypeInputPeer, message_id: int, user_id: int, error: str
) -> None:
    """Check that a message which the caller has really mentions an account."""
    if isinstance(peer, api.InputPeerUserFromMessage | api.InputPeerChannelFromMessage):
        raise RpcFault(400, error)  # they do not nest
    chat = resolve(ctx, peer).peer
    row = store.find_message(ctx.tx, ctx.user_id, message_id)
    if row is None or row.peer != chat:
        raise RpcFault(400, "MSG_ID_INVALID")
    if user_id not in render.user_ids(render.message(row)):
        raise RpcFault(400, error)
