"""Layer 0: Python names -> classes.

Knows how ``api.messages.UpdatePinnedMessage`` and ``api.TypeInputPeer`` are found in a registry.
Makes nothing itself and remembers what it has found.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from radiogram.tl.schema.definition import class_name

if TYPE_CHECKING:
    from radiogram.tl.build import Registry


class Namespace:
    """The classes of one namespace of a registry, as attributes; the root has the name ``""``."""

    def __init__(self, registry: Registry, name: str) -> None:
        self._registry = registry
        self._name = name

    def __getattr__(self, name: str) -> Any:
        # Dunder names are asked for by the import system and by debuggers: no schema for those.
        found = None if name.startswith("__") else self._find(name)
        if found is None:
            raise AttributeError(self._complaint(name))
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        return sorted(self._names)

    def __repr__(self) -> str:
        return f"<namespace {self._name or 'api'} of {self._registry.description}>"

    def _find(self, name: str) -> Any:
        registry = self._registry
        guess = self._full(name[:1].lower() + name[1:])
        found: Any = registry.get(guess)
        if found is not None and found.__name__ == name:
            return found
        target = self._names.get(name)
        if target is None:
            return None
        kind, full = target
        if kind == "namespace":
            return Namespace(registry, full)
        return registry.get(full) if kind == "class" else registry.get_type(full)

    def _full(self, name: str) -> str:
        return f"{self._name}.{name}" if self._name else name

    @cached_property
    def _names(self) -> dict[str, tuple[str, str]]:
        """Every Python name here, with what it is and its TL name."""
        names: dict[str, tuple[str, str]] = {}
        types = {}
        for full in self._registry.names():
            space, _, _ = full.rpartition(".")
            if space == self._name:
                names[class_name(full)] = ("class", full)
            elif not self._name:
                names[space] = ("namespace", space)
        for full in self._registry.types():
            if full.rpartition(".")[0] == self._name:
                types[f"Type{class_name(full)}"] = ("type", full)
        return types | names

    def _complaint(self, name: str) -> str:
        import difflib

        where = f"namespace {self._name!r}" if self._name else self._registry.family
        text = f"{self._registry.description} has no {name!r} in {where}"
        if name.startswith("__"):
            return text
        capital = name[:1].upper() + name[1:]
        hints = [
            f"{full.rpartition('.')[0]}.{class_name(full)}".lstrip(".")
            for full in self._registry.names()
            if class_name(full) in (name, capital)
        ]
        hints += difflib.get_close_matches(name, self._names, 3, 0.7)
        return f"{text}; did you mean {' or '.join(hints[:3])}?" if hints else text
