"""Top layer: Radiogram in tests: the pytest plugin, and a client that is scripted.

Knows client and server, and is known by neither. The names are looked up when first used: pytest
loads this package in every project of an environment, also where nobody asks for a server.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take this name for true; typing itself would cost 10 ms
if TYPE_CHECKING:
    from radiogram.testing.clients import ClientMaker
    from radiogram.testing.server import Account, TelegramServer
    from radiogram.testing.stub import Expectation, StubTelegram
    from radiogram.testing.traffic import Call, Traffic

__all__ = [
    "Account",
    "Call",
    "ClientMaker",
    "Expectation",
    "StubTelegram",
    "TelegramServer",
    "Traffic",
]

_HOMES = {
    "Account": "server",
    "Call": "traffic",
    "ClientMaker": "clients",
    "Expectation": "stub",
    "StubTelegram": "stub",
    "TelegramServer": "server",
    "Traffic": "traffic",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
