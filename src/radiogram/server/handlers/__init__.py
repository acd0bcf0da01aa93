"""Server layer: the methods, one module per namespace of the API.

Every module here registers its handlers when it is imported; :func:`load` imports them all. A
handler knows rows and TL objects of the newest layer; it must not know sockets, sessions or the
layer of its caller.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Register every handler."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
