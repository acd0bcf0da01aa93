"""MTProto's own service messages and key exchange, by name.

``mtproto.ReqPqMulti``, ``mtproto.ServerDHParamsOk``, ``mtproto.TypeBadMsgNotification``.
Importing this reads nothing; a class is made when it is first touched. ``mtproto.REGISTRY``
reads and writes them.
"""

from __future__ import annotations


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from radiogram.tl.build import mtproto_registry

    registry = mtproto_registry()
    found: object = registry if name == "REGISTRY" else getattr(registry.api, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    from radiogram.tl.build import mtproto_registry

    return sorted({*globals(), "REGISTRY", *dir(mtproto_registry().api)})
