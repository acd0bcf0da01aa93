"""Telegram's API in the newest layer: every constructor, method and abstract type by name.

``api.InputPeerUser`` is a constructor, ``api.messages.UpdatePinnedMessage`` a method,
``api.TypeInputPeer`` the base of all constructors of a type. Importing this reads nothing; a
class is made when it is first touched. Other layers: :func:`radiogram.tl.build.registry`.
"""

from __future__ import annotations

LAYER = 232
"""The newest layer that the package knows; clients speak it."""

PeerLike = UserLike = ChannelLike = DialogPeerLike = NotifyPeerLike = object
MessageLike = PhotoLike = DocumentLike = PasswordLike = object
# What a client makes an InputPeer, InputUser ... of, for annotations; the stub says what that is.


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from radiogram.tl.build import registry

    found: object = getattr(registry().api, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    from radiogram.tl.build import registry

    return sorted({*globals(), *dir(registry().api)})
