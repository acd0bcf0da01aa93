"""Layer 0: definitions -> classes, and the registry of one layer.

Knows which class stands for a definition and which definitions a layer has. The classes are made
when they are first met. Knows nothing of connections, messages or peers.
"""

from __future__ import annotations

import copyreg
import threading
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from radiogram.errors import DecodeError, EncodeError, SchemaError
from radiogram.tl.base import Request, TLMeta, TLObject, short
from radiogram.tl.codec import MAX_OBJECTS
from radiogram.tl.names import Namespace
from radiogram.tl.reader import Readers
from radiogram.tl.schema.definition import Definition, class_name, vector_item
from radiogram.tl.schema.table import Table
from radiogram.tl.schema.tables import FIRST_LAYER, LAYER, api_table, mtproto_table
from radiogram.tl.writer import Writers

if TYPE_CHECKING:
    from typing import Protocol

    class Definitions(Protocol):
        """Where a registry finds what its layer knows."""

        def find(self, name: str) -> Definition | None: ...
        def find_id(self, id: int) -> Definition | None: ...
        def results(self) -> Iterable[tuple[str, str]]:
            """Give every name with its result: constructors first, then methods."""
            ...

        def is_method(self, name: str) -> bool: ...


_PYTHON_TYPES = {
    "int": "int",
    "long": "int",
    "double": "float",
    "string": "str",
    "bytes": "bytes",
    "int128": "bytes",
    "int256": "bytes",
    "Bool": "bool",
    "!X": "object",
    "X": "object",
    "Object": "object",
}

_lock = threading.RLock()
_types: dict[tuple[str, str], type[TLObject]] = {}
_classes: dict[tuple[str, bool, str], type[TLObject]] = {}


class _Layer:
    """One layer of a table."""

    def __init__(self, table: Table, layer: int) -> None:
        self._table = table
        self._layer = layer

    def find(self, name: str) -> Definition | None:
        return self._table.find(name, self._layer)

    def find_id(self, id: int) -> Definition | None:
        return self._table.find_id(id, self._layer)

    def results(self) -> Iterable[tuple[str, str]]:
        return self._table.results(self._layer)

    def is_method(self, name: str) -> bool:
        return self._table.is_method(name)


class _Overlay:
    """Definitions that were read at run time, in front of those of another registry."""

    def __init__(self, definitions: Iterable[Definition], base: Registry) -> None:
        self._base = base
        self._names = {d.name: d for d in definitions}
        self._ids = {d.id: d for d in self._names.values()}
        # Who has a new name keeps its id, so the name that had it is gone.
        renamed = {found.name for id in self._ids if (found := base.find_id(id)) is not None}
        self._hidden = renamed | self._names.keys()

    def find(self, name: str) -> Definition | None:
        return self._names.get(name) if name in self._hidden else self._base.find(name)

    def find_id(self, id: int) -> Definition | None:
        own = self._ids.get(id)
        if own is not None:
            return own
        found = self._base.find_id(id)
        return None if found is None or found.name in self._hidden else found

    def results(self) -> Iterable[tuple[str, str]]:
        own = self._names.items()
        theirs = [x for x in self._base._definitions.results() if x[0] not in self._hidden]
        for methods in (False, True):
            yield from ((name, d.result) for name, d in own if d.is_method is methods)
            yield from (x for x in theirs if self._base._definitions.is_method(x[0]) is methods)

    def is_method(self, name: str) -> bool:
        own = self._names.get(name)
        return self._base._definitions.is_method(name) if own is None else own.is_method


class Registry:
    """Everything one layer knows: names, ids, classes, reading and writing."""

    def __init__(self, family: str, layer: int, definitions: Definitions) -> None:
        self.family = family
        """``api`` or ``mtproto``; classes of different families never mix."""
        self.layer = layer
        self._definitions = definitions
        self._readers = Readers(self)
        self._counted = Readers(self, counted=True)
        self._writers = Writers(self)

    @classmethod
    def from_tl(
        cls, text: str, *, layer: int | None = None, base: Registry | None = None
    ) -> Registry:
        """Make a registry of a ``.tl`` text, for a layer that the package does not know yet.

        The layer is the one that the text states in a comment (``// LAYER 233``) unless given.
        What the text does not define is taken from ``base``, the newest layer unless given.
        SchemaError tells the line that cannot be used.
        """
        from radiogram.tl.schema.check import check
        from radiogram.tl.schema.tlfile import declarations, stated_layer

        base = base or registry()
        layer = layer or stated_layer(text)
        if layer is None:
            raise SchemaError("the text states no layer ('// LAYER 233'), and none is given")
        declared = declarations(text, layer=layer)
        made = cls(base.family, layer, _Overlay((d for _, d in declared), base))
        for line, definition in declared:
            try:
                check(definition, made)
            except SchemaError as error:
                raise SchemaError(f"line {line}: {error}") from None
        return made

    def __repr__(self) -> str:
        return f"<Registry {self.description}>"

    @property
    def description(self) -> str:
        """Name of the layer in error texts."""
        return f"layer {self.layer}" if self.family == "api" else "MTProto"

    @cached_property
    def api(self) -> Namespace:
        """The classes of this layer by their Python names, ``registry(198).api.Message``."""
        return Namespace(self, "")

    # Definitions and classes

    def find(self, name: str) -> Definition | None:
        """Give the definition of a TL name, None if the layer has none."""
        return self._definitions.find(name)

    def find_id(self, id: int) -> Definition | None:
        """Give the definition of a constructor number, None if the layer has none."""
        return self._definitions.find_id(id)

    def definition(self, name: str) -> Definition:
        """Give the definition of a TL name; SchemaError if the layer has none."""
        found = self.find(name)
        if found is None:
            raise SchemaError(f"{self.description} has no {name!r}")
        return found

    def names(self) -> list[str]:
        """List every TL name of the layer, constructors first."""
        return [name for name, _ in self._definitions.results()]

    def class_of(self, definition: Definition) -> type[TLObject]:
        """Give the class of a definition; the same for every layer that has it."""
        return _class_of(self.family, definition)

    def get(self, name: str) -> type[TLObject] | None:
        """Give the class of a TL name."""
        found = self.find(name)
        return None if found is None else self.class_of(found)

    def get_by_id(self, id: int) -> type[TLObject] | None:
        """Give the class of a constructor number."""
        found = self.find_id(id)
        return None if found is None else self.class_of(found)

    def get_type(self, name: str) -> type[TLObject] | None:
        """Give the class of an abstract type, base of its constructors."""
        return _type_of(self.family, name) if name in self._types else None

    def types(self) -> list[str]:
        """List every abstract type of the layer that has constructors."""
        return list(self._types)

    def constructors(self, type_name: str) -> list[str]:
        """List the TL names of the constructors of an abstract type."""
        return list(self._types.get(type_name, ()))

    @cached_property
    def _types(self) -> dict[str, list[str]]:
        types: dict[str, list[str]] = {}
        for name, result in self._definitions.results():
            if not self._definitions.is_method(name):
                types.setdefault(result, []).append(name)
        return types

    def bare(self, tl_type: str) -> Definition:
        """Give the definition that a bare type (``future_salt``, ``%FutureSalt``) stands for.

        SchemaError if there is none, or a choice.
        """
        name = tl_type.lstrip("%")
        if name.rpartition(".")[2][0].isupper():
            names = self.constructors(name)
            if len(names) != 1:
                raise SchemaError(f"{tl_type} has {len(names)} constructors: it cannot be bare")
            name = names[0]
        return self.definition(name)

    # Reading

    def decode(self, data: bytes | bytearray | memoryview, offset: int = 0) -> Any:
        """Read one boxed value of any type that fills the data; DecodeError."""
        return self._decode("Object", data, offset)

    def decode_prefix(
        self, data: bytes | bytearray | memoryview, offset: int = 0
    ) -> tuple[Any, int]:
        """Read one boxed value of any type; gives it and the offset of what follows it."""
        return self._read("Object", data, offset)

    def decode_request(self, data: bytes | bytearray | memoryview) -> Request[Any]:
        """Read a method.

        In a wrapper (``query:!X``) the field holds the bytes that remain: the wrapped method.
        """
        request = self._decode("Object", data, 0)
        if not isinstance(request, Request):
            raise DecodeError(f"expected a method, got {short(request)}")
        return request

    def decode_result(
        self,
        method: type[Request[Any]] | Request[Any],
        data: bytes | bytearray | memoryview,
    ) -> Any:
        """Read the answer to a method, by the type of its answer.

        An answer to a wrapper is that of the method within, if the wrapper holds an object.
        """
        return self._decode(self._result(method), data, 0)

    def _read(
        self, tl_type: str, data: bytes | bytearray | memoryview, offset: int
    ) -> tuple[Any, int]:
        if not isinstance(data, bytes):
            data = bytes(data)
        if offset & 3:
            # Padding counts from the beginning of a value, so that has to be a multiple of four.
            value, end = self._read(tl_type, data[offset:], 0)
            return value, end + offset
        readers = self._readers if len(data) <= MAX_OBJECTS * 4 else self._counted
        return readers.read(tl_type, data, offset)

    def _decode(self, tl_type: str, data: bytes | bytearray | memoryview, offset: int) -> Any:
        value, end = self._read(tl_type, data, offset)
        if end != len(data):
            raise DecodeError(
                f"{len(data) - end} bytes follow the value", path=_root(value), offset=end
            )
        return value

    # Writing

    def encode(self, obj: Any) -> bytes:
        """Lay out one boxed object or method; EncodeError names the value that does not fit.

        An object of another layer's class is laid out by the names of its fields.
        """
        return self._writers.write("Object", obj)

    def encode_result(self, method: type[Request[Any]] | Request[Any], value: Any) -> bytes:
        """Lay out the answer to a method, by the type of its answer."""
        return self._writers.write(self._result(method), value)

    def _result(self, method: type[Request[Any]] | Request[Any]) -> str:
        """Give the type of the answer to a method in this layer."""
        cls = method if isinstance(method, type) else type(method)
        if not issubclass(cls, Request) or not cls.TL_ID:
            raise EncodeError(f"{short(method)} is not a method")
        definition = self.find_id(cls.TL_ID)
        if definition is None or definition.name != cls.TL_NAME:
            definition = self.find(cls.TL_NAME)
        if definition is None or self.family != cls.TL_FAMILY or not definition.is_method:
            raise EncodeError(f"{cls.TL_NAME} is not a method of {self.description}")
        if definition.generic and isinstance(method, Request):
            query = getattr(method, "query", None)
            if isinstance(query, Request):
                return self._result(query)
        return definition.result


def _root(value: Any) -> str:
    return type(value).__qualname__ if isinstance(value, TLObject) else ""


_registries: dict[int | str, Registry] = {}


def registry(layer: int = LAYER) -> Registry:
    """Give the registry of a layer of Telegram's API; SchemaError outside of the table."""
    found = _registries.get(layer)
    if found is None:
        if not FIRST_LAYER <= layer <= LAYER:
            raise SchemaError(
                f"layer {layer} is not in the table, which has {FIRST_LAYER} to {LAYER}"
            )
        with _lock:
            found = _registries.setdefault(
                layer, Registry("api", layer, _Layer(api_table(), layer))
            )
    return found


def mtproto_registry() -> Registry:
    """Give the registry of MTProto's own service messages."""
    found = _registries.get("mtproto")
    if found is None:
        with _lock:
            found = _registries.setdefault(
                "mtproto", Registry("mtproto", 0, _Layer(mtproto_table(), 0))
            )
    return found


# Classes


def _type_of(family: str, name: str) -> type[TLObject]:
    """Give the class of an abstract type, making it when first asked for."""
    found = _types.get((family, name))
    if found is None:
        with _lock:
            found = _types.get((family, name))
            if found is None:
                space, _, _ = name.rpartition(".")
                short_name = f"Type{class_name(name)}"
                namespace = {
                    "__module__": f"radiogram.tl.{family}",
                    "__qualname__": f"{space}.{short_name}".lstrip("."),
                    "__doc__": f"Base of all constructors of {name}.",
                }
                found = _types[family, name] = _new_class(short_name, TLObject, namespace)
    return found


def _class_of(family: str, definition: Definition) -> type[TLObject]:
    """Give the class of a definition, making it when first asked for."""
    key = (family, definition.is_method, str(definition))
    found = _classes.get(key)
    if found is None:
        with _lock:
            found = _classes.get(key)
            if found is None:
                found = _classes[key] = _make_class(family, definition)
    return found


def _make_class(family: str, definition: Definition) -> type[TLObject]:
    # Decoders construct by position: what is always there comes first.
    fields = definition.arguments
    namespace: dict[str, Any] = {
        "__module__": f"radiogram.tl.{family}",
        "__qualname__": definition.qualified_name,
        "__doc__": str(definition),
        "__annotations__": {
            field.attribute: "bool" if field.is_flag else _annotation(field.type)
            for field in fields
        },
        "TL_DEFINITION": definition,
        "TL_FAMILY": family,
        "TL_NAME": definition.name,
        "TL_ID": definition.id,
    }
    for field in fields:
        if field.optional:
            namespace[field.attribute] = False if field.is_flag else None
            if not field.is_flag:
                namespace["__annotations__"][field.attribute] += " | None"
        elif definition.may_omit(field):
            namespace[field.attribute] = [] if vector_item(field.type) else 0
    base: type[TLObject] = Request if definition.is_method else _type_of(family, definition.result)
    return _new_class(definition.class_name, base, namespace)


def _new_class(name: str, base: type[TLObject], namespace: dict[str, Any]) -> type[TLObject]:
    # Objects form trees, so the cycle collector need not look at them.
    return cast(type[TLObject], TLMeta(name, (base,), namespace, gc=False))


def _annotation(tl_type: str) -> str:
    item = vector_item(tl_type)
    if item is not None:
        return f"list[{_annotation(item)}]"
    plain = _PYTHON_TYPES.get(tl_type)
    if plain is not None:
        return plain
    space, _, _ = tl_type.rpartition(".")
    return f"{space}.Type{class_name(tl_type)}".lstrip(".")


# Pickling: a class is named by what it stands for, so that those of older layers and of texts
# read at run time come back too.


def _reduce_class(cls: type[TLObject]) -> Any:
    definition = cls.TL_DEFINITION
    if definition is not None and _class_of(cls.TL_FAMILY, definition) is cls:
        return _restore_class, (cls.TL_FAMILY, definition.is_method, str(definition))
    for (family, name), found in _types.items():
        if found is cls:
            return _type_of, (family, name)
    return cls.__qualname__


def _restore_class(family: str, is_method: bool, declaration: str) -> type[TLObject]:
    found = _classes.get((family, is_method, declaration))
    if found is not None:
        return found
    table = api_table() if family == "api" else mtproto_table()
    for definition in table.versions(declaration.partition("#")[0]):
        if str(definition) == declaration:
            return _class_of(family, definition)
    from radiogram.tl.schema.tlfile import parse_line

    return _class_of(family, parse_line(declaration, is_method=is_method))


copyreg.pickle(TLMeta, _reduce_class)  # type: ignore[arg-type]
