"""Layer 0: what changed between two layers."""

from __future__ import annotations

import msgspec

from radiogram.errors import SchemaError
from radiogram.tl.schema.definition import Definition
from radiogram.tl.schema.table import Table
from radiogram.tl.schema.tables import api_table


class Change(msgspec.Struct, frozen=True):
    """One name that both layers have, with different declarations."""

    before: Definition
    after: Definition

    @property
    def name(self) -> str:
        return self.after.name

    @property
    def added_fields(self) -> tuple[str, ...]:
        """Fields that only the later declaration has, changed ones included, as written."""
        old = set(map(str, self.before.params))
        return tuple(str(p) for p in self.after.params if str(p) not in old)

    @property
    def removed_fields(self) -> tuple[str, ...]:
        """Fields that only the earlier declaration has, changed ones included, as written."""
        new = set(map(str, self.after.params))
        return tuple(str(p) for p in self.before.params if str(p) not in new)


class Diff(msgspec.Struct, frozen=True):
    """The difference between two layers, each part sorted by name."""

    added: tuple[Definition, ...]
    removed: tuple[Definition, ...]
    changed: tuple[Change, ...]


def diff(layer_a: int, layer_b: int, table: Table | None = None) -> Diff:
    """Compare two layers: what the second has added, removed and changed.

    SchemaError if a layer is not in the table.
    """
    table = table or api_table()
    for layer in (layer_a, layer_b):
        if not table.first_layer <= layer <= table.last_layer:
            raise SchemaError(
                f"layer {layer} is not in the table, "
                f"which has {table.first_layer} to {table.last_layer}"
            )
    added, removed, changed = [], [], []
    for name in sorted(table.names()):
        before, after = table.find(name, layer_a), table.find(name, layer_b)
        if before is after:
            continue
        if before is None and after is not None:
            added.append(after)
        elif before is not None and after is None:
            removed.append(before)
        elif before is not None and after is not None and str(before) != str(after):
            changed.append(Change(before, after))
    return Diff(tuple(added), tuple(removed), tuple(changed))
