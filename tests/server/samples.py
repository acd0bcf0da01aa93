"""Values of any type of any layer, for tests that go through the whole schema."""

from __future__ import annotations

from functools import cache
from typing import Any

from radiogram.tl.base import TLObject
from radiogram.tl.build import Registry
from radiogram.tl.schema.definition import vector_item

PLAIN: dict[str, Any] = {
    "int": 7,
    "long": 8,
    "double": 9.0,
    "string": "ten",
    "bytes": b"eleven",
    "int128": bytes(16),
    "int256": bytes(32),
    "true": True,
    "Bool": True,
}


def sample(source: Registry, target: Registry, tl_type: str, depth: int) -> Any:
    """Make a value of a type: the shortest, unless `depth` lets it grow."""
    if tl_type in PLAIN:
        return PLAIN[tl_type]
    item = vector_item(tl_type)
    if item is not None:
        return [sample(source, target, item, depth)] if depth > 0 else []
    return make(source, target, simplest(source, target, tl_type), depth)


@cache
def simplest(source: Registry, target: Registry, tl_type: str) -> str:
    """Name the constructor of a type that both layers have and that needs the least inside."""

    def cost(name: str) -> tuple[bool, int, int]:
        needed = [f for f in source.definition(name).fields if not f.optional]
        missing = target.find(name) is None
        return missing, sum(f.type not in PLAIN for f in needed), len(needed)

    return min(source.constructors(tl_type), key=cost)


def make(source: Registry, target: Registry, name: str, depth: int) -> TLObject:
    """Make an object with every field set, down to a depth; deeper only what must be set."""
    made = source.get(name)
    assert made is not None
    values = {
        field.attribute: sample(source, target, field.type, depth - 1)
        for field in source.definition(name).fields
        if depth > 0 or not field.optional
    }
    return made(**values)
