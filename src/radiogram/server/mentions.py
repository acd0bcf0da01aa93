"""Server layer: whom TL objects mention (C0.1.2).

Knows which fields hold ids of accounts and chats. Whoever a result or an update mentions must be
listed beside it, or a client cannot show it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from radiogram.tl import api
from radiogram.tl.base import TLObject
from radiogram.tl.build import registry

_USER_FIELDS = frozenset(
    (
        "user_id",
        "inviter_id",
        "kicked_by",
        "promoted_by",
        "approved_by",
        "actor_id",
        "admin_id",
        "via_bot_id",
    )
)
_CHAT_FIELDS = frozenset(("chat_id", "channel_id", "linked_chat_id", "migrated_from_chat_id"))
_SCALARS = frozenset(
    ("int", "long", "double", "string", "bytes", "true", "Bool", "int128", "int256", "#")
)


class _Plan(NamedTuple):
    """The fields of one class that say something."""

    users: tuple[str, ...]
    user_lists: tuple[str, ...]
    chats: tuple[str, ...]
    objects: tuple[str, ...]
    vectors: tuple[str, ...]


class Mentions:
    """Ids of accounts and of chats (of all kinds: they share one space)."""

    __slots__ = ("chats", "users")

    def __init__(self, *values: object) -> None:
        self.users: set[int] = set()
        self.chats: set[int] = set()
        for value in values:
            self.add(value)

    def add(self, value: object) -> None:
        """Collect what an object, or each object of a list, mentions."""
        if isinstance(value, list | tuple):
            for item in value:
                self.add(item)
            return
        if not isinstance(value, TLObject):
            return
        plan = _plan(type(value))
        for name in plan.users:
            number = getattr(value, name)
            if number:
                self.users.add(number)
        for name in plan.user_lists:
            self.users.update(getattr(value, name) or ())
        for name in plan.chats:
            number = getattr(value, name)
            if number:
                self.chats.add(number)
        for name in plan.objects:
            item = getattr(value, name)
            if item is not None:
                self.add(item)
        for name in plan.vectors:
            for item in getattr(value, name) or ():
                self.add(item)


@cache
def _plan(kind: type[TLObject]) -> _Plan:
    definition = registry(api.LAYER).definition(kind.TL_NAME)
    users, user_lists, chats, objects, vectors = [], [], [], [], []
    for field in definition.fields:
        name: Any = field.name
        if field.type == "long" and field.name in _USER_FIELDS:
            users.append(name)
        elif field.type == "Vector<long>" and field.name in ("users", "recent_requesters"):
            user_lists.append(name)
        elif field.type == "long" and field.name in _CHAT_FIELDS:
            chats.append(name)
        elif field.type.startswith("Vector<"):
            if field.type[7:-1] not in _SCALARS:
                vectors.append(name)
        elif field.type not in _SCALARS:
            objects.append(name)
    return _Plan(tuple(users), tuple(user_lists), tuple(chats), tuple(objects), tuple(vectors))
