"""Objects of any definition, the same on every run: what the round-trip tests read and write."""

from __future__ import annotations

import random
from typing import Any

from radiogram.tl.base import TLObject
from radiogram.tl.build import Registry
from radiogram.tl.schema.definition import Definition, vector_item
from radiogram.tl.source import is_bare

INTS = (0, 1, -1, 2**31 - 1, -(2**31), 1_700_000_000)
LONGS = (0, 1, -1, 2**63 - 1, -(2**63), 5_000_000_000_000_000_000)
STRINGS = (
    "",
    "a",
    "abc",
    "Привет",
    "\N{GRINNING FACE}",
    "x" * 253,
    "y" * 254,
    "z" * 300,
    "\udcff!",
)


class Maker:
    """Makes objects of one registry from a seed."""

    def __init__(self, registry: Registry, seed: int) -> None:
        self.registry = registry
        self.random = random.Random(seed)
        self._flat: dict[str, str] = {}

    def make(self, definition: Definition, depth: int = 2) -> TLObject:
        """Make an object; nested ones become plainer until ``depth`` is used up."""
        chosen = {
            (field.word, field.bit): self.random.random() < (0.5 if depth > 0 else 0)
            for field in definition.fields
            if field.optional
        }
        values: dict[str, Any] = {
            field.attribute: True if field.is_flag else self.value(field.type, depth)
            for field in definition.fields
            if not field.optional or chosen[field.word, field.bit]
        }
        # A body of announced length (message in a container) has to have it.
        for field in definition.fields:
            if field.type.startswith("!X."):
                values[field.type[3:]] = len(values[field.attribute])
        return self.registry.class_of(definition)(**values)

    def value(self, tl_type: str, depth: int) -> Any:
        item = vector_item(tl_type)
        if item is not None:
            count = self.random.choice((0, 1, 3)) if depth > 0 else 0
            return [self.value(item, depth - 1) for _ in range(count)]
        if tl_type == "int":
            return self.random.choice(INTS)
        if tl_type == "long":
            return self.random.choice(LONGS)
        if tl_type == "double":
            return self.random.choice((0.0, -1.5, 1e300, float("inf")))
        if tl_type == "string":
            return self.random.choice(STRINGS)
        if tl_type == "bytes":
            return self.random.randbytes(self.random.choice((0, 1, 2, 3, 4, 253, 254, 257)))
        if tl_type in ("int128", "int256"):
            return self.random.randbytes(16 if tl_type == "int128" else 32)
        if tl_type == "Bool":
            return self.random.random() < 0.5
        if tl_type.startswith("!X"):
            return self.random.randbytes(8)
        if tl_type == "Object":
            return self.registry.get("true")()  # type: ignore[misc]
        if is_bare(tl_type):
            return self.make(self.registry.bare(tl_type), depth - 1)
        if depth <= 0:
            _, name = self.flattest(tl_type, frozenset())
        else:
            name = self.random.choice(self.registry.constructors(tl_type))
        return self.make(self.registry.definition(name), depth - 1)

    def flattest(self, tl_type: str, seen: frozenset[str]) -> tuple[int, str]:
        """Find the constructor that needs the fewest levels of other objects."""
        known = self._flat.get(tl_type)
        if known is not None:
            return 1, known
        best = (1000, "")
        for name in self.registry.constructors(tl_type):
            height = 1
            for field in self.registry.definition(name).fields:
                if field.optional or vector_item(field.type) or not field.type[-1].isalpha():
                    continue
                inner = field.type
                if inner in ("Bool", "Object") or inner.rpartition(".")[2][0].islower():
                    continue
                if inner == tl_type or inner in seen:
                    height = 1000
                    break
                height = max(height, 1 + self.flattest(inner, seen | {tl_type})[0])
            best = min(best, (height, name))
        if not seen:
            self._flat[tl_type] = best[1]
        return best
