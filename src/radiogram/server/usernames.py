"""Server layer: public names, which users, bots, supergroups and channels share (C2, C5).

Knows whose a name is. What a name looks like is known to :mod:`radiogram.server.accounts`.
"""

from __future__ import annotations

from sqlalchemy import Connection

from radiogram.server import accounts, chat_store
from radiogram.server.rows import Peer
from radiogram.server.rpc import RpcFault
from radiogram.server.tables import PEER_CHANNEL, PEER_USER


def owner(tx: Connection, username: str) -> Peer | None:
    """Return the account or channel that has a name, in whatever case it is written."""
    user = accounts.by_username(tx, username)
    if user is not None:
        return Peer(PEER_USER, user.id)
    chat = chat_store.find_by_username(tx, username)
    return None if chat is None else Peer(PEER_CHANNEL, chat.id)


def is_free(tx: Connection, username: str, peer: Peer | None) -> bool:
    """Tell whether an account or channel may have a name. Fault: USERNAME_INVALID."""
    if not accounts.is_username(username):
        raise RpcFault(400, "USERNAME_INVALID")
    return owner(tx, username) in (None, peer)


__all__ = ["is_free", "owner"]
