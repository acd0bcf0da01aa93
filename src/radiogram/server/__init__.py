"""Layer 4b: the embedded Telegram server.

Stands on net, mtproto, wire, crypto and tl; never imports the client. What a program needs is
here: :class:`Server`, the :class:`Settings` it takes and the :class:`Clock` it can be given.
The names are looked up when first used, so that one part can be imported without the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radiogram.server.account_fields import Account, WorldError
    from radiogram.server.clock import Clock
    from radiogram.server.rpc import RpcFault
    from radiogram.server.server import Server
    from radiogram.server.settings import Settings
    from radiogram.server.world import World

__all__ = ["Account", "Clock", "RpcFault", "Server", "Settings", "World", "WorldError"]

_HOMES = {
    "Account": "account_fields",
    "Clock": "clock",
    "RpcFault": "rpc",
    "Server": "server",
    "Settings": "settings",
    "World": "world",
    "WorldError": "account_fields",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
