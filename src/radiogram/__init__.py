"""Telegram's API for Python: a client, and a server to develop and test against.

The façade: public names, each looked up when it is first used, so that ``import radiogram`` costs
next to nothing and nobody loads the part that they do not use. Knows where things live and nothing
else.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take this name for true; typing itself would cost 10 ms
if TYPE_CHECKING:
    from radiogram import errors, events, sessions, types
    from radiogram.client.client import TelegramClient
    from radiogram.client.datacenters import ServerAddress
    from radiogram.client.many import ClientPool
    from radiogram.tl import api

__version__ = "0.1.0"

__all__ = [
    "ClientPool",
    "ServerAddress",
    "TelegramClient",
    "api",
    "errors",
    "events",
    "sessions",
    "types",
]

_HOMES = {
    "ClientPool": "radiogram.client.many:ClientPool",
    "ServerAddress": "radiogram.client.datacenters:ServerAddress",
    "TelegramClient": "radiogram.client.client:TelegramClient",
    "api": "radiogram.tl.api",
    "errors": "radiogram.errors",
    "events": "radiogram.events",
    "sessions": "radiogram.sessions",
    "types": "radiogram.types",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    value: object = import_module(module)
    if name == "api":
        vars(import_module("radiogram.tl.base"))["describe"] = _describe
    if attribute:
        value = getattr(value, attribute)
    globals()[name] = value
    return value


def _describe(definition: object) -> str:
    """Give what help() shows for a class of ``api``: its page, read when it is asked for."""
    text: str = import_module("radiogram.docs.help").text_for(definition)
    return text


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
