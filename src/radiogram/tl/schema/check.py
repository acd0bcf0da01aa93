"""Layer 0: whether a definition that was read from a text can be used.

Knows which types the codec has by heart, and where a type may be boxed, bare or a vector. Reads
no text and makes no classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radiogram.errors import SchemaError
from radiogram.tl.schema.definition import Definition, vector_item

if TYPE_CHECKING:
    from typing import Protocol

    class Known(Protocol):
        """What a layer has, the definition under examination included."""

        def constructors(self, type_name: str) -> list[str]: ...
        def bare(self, tl_type: str) -> Definition: ...


_VALUES = frozenset(
    {"int", "long", "double", "string", "bytes", "int128", "int256", "Bool", "Object"}
)
_BY_HEART = {0x1CB5C415: "vector", 0x997275B5: "boolTrue", 0xBC799737: "boolFalse"}


def check(definition: Definition, known: Known) -> None:
    """Refuse what cannot be read and written; SchemaError says what, but not in which line."""
    name, id, result = definition.name, definition.id, definition.result
    if id == 0 or _BY_HEART.get(id, name) != name:
        raise SchemaError(f"{name} cannot have the id {id:08x}, {_BY_HEART.get(id, 'nothing')} has")
    if not definition.is_method and result == "Bool" and id not in _BY_HEART:
        raise SchemaError(f"{name} is neither boolTrue nor boolFalse, which Bool consists of")
    for field in definition.params:
        if field.type == "!X" and field is not definition.params[-1]:
            raise SchemaError(f"{name}.{field.name}: nothing can follow a field of type !X")
        if field.type not in ("#", "X", "!X"):
            _check_type(field.type, f"{name}.{field.name}", known)
    if definition.is_method:
        if result != "X":
            _check_type(result, f"the result of {name}", known)
    elif result == "X" or not _is_boxed(result) or vector_item(result) is not None:
        raise SchemaError(f"{name} is a constructor and cannot make a {result}")


def _check_type(tl_type: str, where: str, known: Known) -> None:
    item = vector_item(tl_type)
    if item is not None:
        _check_type(item, where, known)
    elif tl_type in _VALUES:
        return
    elif not _is_boxed(tl_type):
        try:
            definition = known.bare(tl_type)
        except SchemaError as error:
            raise SchemaError(f"{where}: {error}") from None
        if definition.is_method:
            raise SchemaError(f"{where}: {tl_type} is a method, not a type")
    elif not known.constructors(tl_type):
        raise SchemaError(f"{where}: no constructor makes a {tl_type}")


def _is_boxed(tl_type: str) -> bool:
    return tl_type.rpartition(".")[2][:1].isupper() and tl_type[0] != "%"
