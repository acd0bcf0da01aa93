"""Layer 0: bytes -> objects.

Knows how to write the Python function that reads one definition, and how to explain why one
failed. Knows no tables: a :class:`Readers` asks its registry for definitions.

Theory of operation. A reader is ``read(data, position, depth) -> (object, position)``. Fields of
fixed size that follow each other are read by one ``unpack_from``, the constructor number or the
vector header behind them included. Optional fields start as None; a test of several bits at
once skips those that are rare. A nested value is read by the reader found under its number in
the dict of its abstract type, so a constructor of another type is refused for free. Readers do
not catch anything: whoever called :meth:`Readers.read` walks the traceback, in which each
frame's line names a field, and each frame's locals hold the position.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from radiogram.errors import DecodeError, SchemaError
from radiogram.tl.base import TLObject, maker
from radiogram.tl.codec import (
    FALSE_ID,
    FIXED,
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_OBJECTS,
    PATH_END,
    SIZES,
    TRUE_ID,
    VECTOR_ID,
    Malformed,
    read_bytes,
    read_string,
)
from radiogram.tl.schema.definition import Definition, Field, vector_item
from radiogram.tl.source import (
    Compiled,
    Source,
    bare_name,
    compile_function,
    compiled_from,
    is_bare,
    type_of_name,
    typed_name,
)

if TYPE_CHECKING:
    from radiogram.tl.build import Registry

Reader = Callable[[bytes, int, int], tuple[Any, int]]

_CHUNK = 4  # optional fields behind one common test
_MEANT = {
    "InputUser": {
        "inputPeerEmpty": "inputUserEmpty",
        "inputPeerSelf": "inputUserSelf",
        "inputPeerUser": "inputUser",
        "inputPeerUserFromMessage": "inputUserFromMessage",
    },
    "InputChannel": {
        "inputPeerEmpty": "inputChannelEmpty",
        "inputPeerChannel": "inputChannel",
        "inputPeerChannelFromMessage": "inputChannelFromMessage",
    },
}
"""What an InputPeer means where another type is expected. Its fields are the same there, Telegram
takes it, and Pyrogram and its successors write nothing else."""


def compile_reader(definition: Definition) -> Compiled:
    """Compile the reader of one definition; shared by all registries."""
    return compile_function("read", definition, lambda: _ReaderSource(definition).write())


class _ReaderSource:
    """Writes the source of one reader."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.out = Source("def read(_b, _p, _d, _make):")
        self.run: list[tuple[str, str, Field]] = []

    def write(self) -> Source:
        out, fields = self.out, self.definition.fields
        if any(_nests(f.type) for f in fields if not f.is_flag):
            out.add("_d -= 1")
            out.add("if _d < 0: raise _Malformed('nested too deeply')")
        optional = [f.attribute for f in fields if f.optional and not f.is_flag]
        for start in range(0, len(optional), 20):
            out.add(" = ".join(optional[start : start + 20]) + " = None")
        self.sequence(list(self.definition.params))
        self.flush()
        self.construct()
        return out

    def construct(self) -> None:
        fields = self.definition.arguments
        required = [f.attribute for f in fields if not f.optional]
        rest = [f for f in fields if f.optional]
        words = [p.name for p in self.definition.params if p.type == "#"]
        if rest and len(words) == 1:
            self.out.add(f"if not {words[0]}: return _make({', '.join(required)}), _p")
        flags = [f for f in rest if f.is_flag]
        values = [f"{f.word} & {1 << f.bit} != 0" if f.is_flag else f.attribute for f in rest]
        if len(flags) > 2:
            test = _any_bit(flags)
            plain = ["False" if f.is_flag else f.attribute for f in rest]
            self.out.add(f"if {test}: return _make({', '.join([*required, *values])}), _p")
            self.out.add(f"return _make({', '.join([*required, *plain])}), _p")
        else:
            self.out.add(f"return _make({', '.join([*required, *values])}), _p")

    def sequence(self, params: list[Field]) -> None:
        """Write the reading of several fields, the optional ones in groups."""
        index = 0
        while index < len(params):
            if not params[index].optional:
                self.value(params[index])
                index += 1
                continue
            group = []
            while index < len(params) and params[index].optional:
                if not params[index].is_flag:
                    group.append(params[index])
                index += 1
            cases = _cases(group)
            if cases:
                self.flush()
            for start in range(0, len(cases), _CHUNK):
                self.chunk(cases[start : start + _CHUNK])

    def chunk(self, cases: list[list[Field]]) -> None:
        """Write the reading of optional fields behind a common test."""
        common = len(cases) > 2
        if common:
            self.out.add(f"if {_any_bit([case[0] for case in cases])}:")
            self.out.indent += 1
        for case in cases:
            self.out.add(f"if {case[0].word} & {1 << case[0].bit}:")
            self.out.indent += 1
            for field in case:
                self.value(field)
            self.flush()
            self.out.indent -= 1
        self.out.indent -= common

    def value(self, field: Field) -> None:
        """Write the reading of one field that is there."""
        name, out = field.attribute, self.out
        item = vector_item(field.type)
        if field.type in FIXED:
            self.run.append((name, FIXED[field.type], field))
        elif field.type in ("string", "bytes"):
            self.flush()
            if field.optional:
                out.add(f"{name}, _p = _read_{field.type}(_b, _p)", field)
            else:
                self.text(field)
        elif field.type == "Bool":
            self.run.append((name, "I", field))
            self.flush()
            out.add(f"{name} = _bool[{name}]", field)
        elif item is not None:
            self.vector(field, item)
        elif field.type.startswith("!X"):
            self.flush()
            self.raw(field)
        else:
            self.nested(field)

    def text(self, field: Field) -> None:
        """Write out what :func:`read_bytes` does: strings are most of an answer."""
        name, out = field.attribute, self.out
        decode = ".decode('utf-8', 'surrogateescape')" if field.type == "string" else ""
        out.add("_n = _b[_p]", field)
        out.add("if _n < 254:", field)
        out.add("    _e = _p + 1 + _n", field)
        out.add(f"    {name} = _b[_p + 1:_e]{decode}", field)
        out.add("    _p = (_e + 3) & -4", field)
        out.add("    if _p > _len(_b):", field)
        out.add("        raise _Malformed('the data ends within', _p - _e + _n + 1)", field)
        out.add(f"else: {name}, _p = _read_{field.type}(_b, _p)", field)

    def raw(self, field: Field) -> None:
        """Write the reading of bytes that belong to somebody else."""
        _, _, length = field.type.partition(".")
        if not length:
            self.out.add(f"{field.attribute} = _b[_p:]", field)
            self.out.add("_p = _len(_b)", field)
            return
        self.out.add(f"if {length} < 0 or {length} & 3 or {length} > _len(_b) - _p:", field)
        self.out.add(f"    raise _Malformed(f'a body of {{{length}}} bytes')", field)
        self.out.add(f"{field.attribute} = _b[_p:_p + {length}]", field)
        self.out.add(f"_p += {length}", field)

    def nested(self, field: Field) -> None:
        if is_bare(field.type):
            self.flush()
            self.out.add(f"{field.attribute}, _p = {bare_name(field.type)}(_b, _p, _d)", field)
            return
        self.run.append(("_c", "I", field))
        self.flush()
        self.out.add(f"{field.attribute}, _p = {typed_name(field.type)}[_c](_b, _p, _d)", field)

    def vector(self, field: Field, item: str) -> None:
        name, out = field.attribute, self.out
        if field.type[0] == "V":
            self.run.append(("_c", "I", field))
        self.run.append(("_n", "I", field))
        self.flush()
        if field.type[0] == "V":
            out.add(f"if _c != {VECTOR_ID}: raise _Malformed('expected a vector', 8)", field)
        size = SIZES.get(FIXED.get(item, "I"), 4)
        out.add(f"if _n > (_len(_b) - _p) // {size}:", field)
        out.add(
            "    raise _Malformed(f'{_n} items announced, {_len(_b) - _p} bytes left', 4)", field
        )
        if not _counts_itself(item):
            out.add("if _n > _free: _count(_n)", field)
        if item in ("int", "long", "double"):
            out.add(f"{name} = [*_unpack(f'<{{_n}}{FIXED[item]}', _b, _p)]", field)
            out.add(f"_p += _n * {size}", field)
            return
        out.add(f"{name} = []", field)
        out.add("for _ in _range(_n):", field)
        if item in ("string", "bytes"):
            out.add(f"    _x, _p = _read_{item}(_b, _p)", field)
        elif item in FIXED:
            out.add(f"    _x = _b[_p:_p + {size}]; _p += {size}", field)
        elif item == "Bool" or vector_item(item) is not None:
            out.add(f"    _x, _p = _value({item!r}, _b, _p, _d)", field)
        elif is_bare(item):
            out.add(f"    _x, _p = {bare_name(item)}(_b, _p, _d)", field)
        else:
            out.add(f"    _x, _p = {typed_name(item)}[_U_I(_b, _p)[0]](_b, _p + 4, _d)", field)
        out.add(f"    {name}.append(_x)", field)

    def flush(self) -> None:
        """Write one unpack for the fields of fixed size that wait."""
        if not self.run:
            return
        codes = "".join(code for _, code, _ in self.run)
        names = ", ".join(name for name, _, _ in self.run)
        comma = "," if len(self.run) == 1 else ""
        fields = [field for _, _, field in self.run]
        self.out.add(f"{names}{comma} = _U_{codes}(_b, _p)", *fields)
        self.out.add(f"_p += {struct.calcsize('<' + codes)}")
        self.run.clear()


def _nests(tl_type: str) -> bool:
    item = vector_item(tl_type)
    if item is not None:
        return _nests(item)
    return not (tl_type in FIXED or tl_type in ("string", "bytes", "Bool", "!X"))


def _counts_itself(tl_type: str) -> bool:
    """Tell whether the values of a type go through :class:`_CountedTyped` one by one."""
    return vector_item(tl_type) is None and not is_bare(tl_type) and tl_type != "Bool"


def _cases(fields: list[Field]) -> list[list[Field]]:
    """Put neighbours that share a bit together."""
    cases: list[list[Field]] = []
    for field in fields:
        if cases and (cases[-1][0].word, cases[-1][0].bit) == (field.word, field.bit):
            cases[-1].append(field)
        else:
            cases.append([field])
    return cases


def _any_bit(fields: list[Field]) -> str:
    masks: dict[str | None, int] = {}
    for field in fields:
        masks[field.word] = masks.get(field.word, 0) | 1 << field.bit
    return " or ".join(f"{word} & {mask}" for word, mask in masks.items())


class _Typed(dict[int, Reader]):
    """Readers of the constructors of one abstract type, by number; filled when first met."""

    def __init__(self, readers: Readers, tl_type: str) -> None:
        self.readers = readers
        self.tl_type = tl_type

    def __missing__(self, id: int) -> Reader:
        reader = self[id] = self.readers.find(id, self.tl_type)
        return reader


class _CountedTyped(_Typed):
    """The same for inputs so large that their objects have to be counted."""

    def __getitem__(self, id: int) -> Reader:
        self.readers.count(1)
        return self.get(id) or self.__missing__(id)


class _Enum(dict[int, bool]):
    """Bool by its constructor number."""

    def __missing__(self, id: int) -> bool:
        raise Malformed(f"expected boolTrue or boolFalse, got {id:#010x}", 4)


_BOOL = _Enum({TRUE_ID: True, FALSE_ID: False})


class Readers:
    """The readers of one registry.

    With ``counted`` the number of objects in one input is limited; an input of less than four
    bytes per allowed object needs no counting.
    """

    def __init__(self, registry: Registry, *, counted: bool = False) -> None:
        self._registry = registry
        self._counted = counted
        self._objects = 0
        self._by_id: dict[int, Reader] = {}
        self._globals: dict[str, Any] = {
            "_Malformed": Malformed,
            "_bool": _BOOL,
            "_count": self.count,
            "_free": -1 if counted else MAX_LENGTH,
            "_len": len,
            "_range": range,
            "_read_bytes": read_bytes,
            "_read_string": read_string,
            "_unpack": struct.unpack_from,
            "_value": self.value,
        }

    def read(self, tl_type: str, data: bytes, offset: int) -> tuple[Any, int]:
        """Read one value of a type; DecodeError is all that comes out.

        ``offset`` must be a multiple of four.
        """
        self._objects = 0
        try:
            return self.value(tl_type, data, offset, MAX_DEPTH)
        except (Malformed, struct.error, IndexError, RecursionError) as error:
            raise _explain(error, data, offset) from None

    def value(self, tl_type: str, data: bytes, position: int, depth: int) -> tuple[Any, int]:
        """Read a value of any type, without the help of compiled code."""
        item = vector_item(tl_type)
        if item is not None:
            if tl_type[0] == "V":
                (id,) = _U_I(data, position)
                position += 4
                if id != VECTOR_ID:
                    raise Malformed(f"expected a vector, got {id:#010x}", 4)
            return self.vector(item, data, position, depth)
        if tl_type in FIXED:
            code = FIXED[tl_type]
            (value,) = struct.unpack_from(f"<{code}", data, position)
            return value, position + SIZES[code]
        if tl_type == "string":
            return read_string(data, position)
        if tl_type == "bytes":
            return read_bytes(data, position)
        if is_bare(tl_type):
            return self.bare(bare_name(tl_type))(data, position, depth)
        (id,) = _U_I(data, position)
        position += 4
        if tl_type == "Bool":
            return _BOOL[id], position
        return self.typed(tl_type)[id](data, position, depth)

    def vector(self, item: str, data: bytes, position: int, depth: int) -> tuple[list[Any], int]:
        """Read the count and the items of a vector."""
        if depth < 0:
            raise Malformed("nested too deeply")
        (count,) = _U_I(data, position)
        position += 4
        if count > (len(data) - position) // SIZES[FIXED.get(item, "I")]:
            raise Malformed(f"{count} items announced, {len(data) - position} bytes left", 4)
        if self._counted and not _counts_itself(item):
            self.count(count)
        items = []
        for _ in range(count):
            value, position = self.value(item, data, position, depth - 1)
            items.append(value)
        return items, position

    def typed(self, tl_type: str) -> _Typed:
        """Give the readers of one abstract type; ``Object`` and ``X`` stand for any."""
        name = typed_name(tl_type)
        found: _Typed | None = self._globals.get(name)
        if found is None:
            kind = _CountedTyped if self._counted else _Typed
            found = self._globals[name] = kind(self, type_of_name(name))
        return found

    def bare(self, name: str) -> Reader:
        """Give the reader of a bare type by the name of its global."""
        found: Reader | None = self._globals.get(name)
        if found is None:
            try:
                definition = self._registry.bare(type_of_name(name))
            except SchemaError as error:
                raise Malformed(str(error)) from None
            found = self._globals[name] = self._link(definition, name)
        return found

    def count(self, objects: int) -> None:
        """Count objects of a large input."""
        self._objects += objects
        if self._objects > MAX_OBJECTS:
            raise Malformed(f"more than {MAX_OBJECTS} objects")

    def find(self, id: int, tl_type: str) -> Reader:
        """Give the reader for a constructor number where a type is expected."""
        if tl_type == "Object":
            if id == VECTOR_ID:
                return lambda data, position, depth: self.vector(
                    "Object", data, position, depth - 1
                )
            if id in _BOOL:
                return lambda data, position, depth: (_BOOL[id], position)
        definition = self._registry.find_id(id)
        if definition is None:
            wanted = "" if tl_type == "Object" else f" where {tl_type} is expected"
            raise Malformed(f"no constructor {id:#010x} in {self._registry.description}{wanted}", 4)
        if tl_type != "Object" and (definition.is_method or definition.result != tl_type):
            meant = self._registry.find(_MEANT.get(tl_type, {}).get(definition.name, ""))
            if meant is None:
                raise Malformed(f"expected {tl_type}, got {definition.qualified_name}", 4)
            definition = meant
        reader = self._by_id.get(definition.id)
        if reader is None:
            reader = self._by_id[definition.id] = self._link(definition)
        return reader

    def _link(self, definition: Definition, name: str = "") -> Reader:
        """Make the reader of a definition for this registry, a global if ``name`` is given."""
        cls = self._registry.class_of(definition)
        if not definition.params:
            # All objects without fields are equal, so one will do.
            only = maker(cls)()
            return lambda data, position, depth: (only, position)
        code = _code(cls, definition)
        reader = FunctionType(code, self._globals, code.co_name, (maker(cls),))
        if name:
            # Before its own globals are: a bare type may hold itself.
            self._globals[name] = reader
        for other in code.co_names:
            if other[0] == "_" and other not in self._globals:
                self._provide(other)
        return reader

    def _provide(self, name: str) -> None:
        """Make a global that compiled code refers to."""
        kind = name[:3]
        if kind == "_U_":
            self._globals[name] = struct.Struct(f"<{name[3:]}").unpack_from
        elif kind == "_T_":
            self.typed(type_of_name(name))
        else:
            self.bare(name)


_U_I = struct.Struct("<I").unpack_from
_codes: dict[type[TLObject], Compiled] = {}


def _code(cls: type[TLObject], definition: Definition) -> CodeType:
    compiled = _codes.get(cls)
    if compiled is None:
        compiled = _codes[cls] = compile_reader(definition)
    return compiled.code


def _explain(error: Exception, data: bytes, offset: int) -> DecodeError:
    """Tell where in the value and in the data a reader failed, from its traceback."""
    path = ""
    position = offset
    fields: tuple[Field, ...] = ()
    in_vector = False
    traceback = error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        compiled = compiled_from(frame.f_code)
        if compiled is not None:
            path += "." if path else ""
            path += compiled.definition.qualified_name
            position = frame.f_locals["_p"]
            fields = compiled.fields[traceback.tb_lineno - 1]
            if len(fields) > 1:
                fields = (_short_field(fields, position, len(data)),)
            in_vector = False
            for field in fields:
                path += f".{field.attribute}"
                items = frame.f_locals.get(field.attribute)
                if vector_item(field.type) and isinstance(items, list):
                    path += f"[{len(items)}]"
                    in_vector = True
        elif in_vector and frame.f_code is Readers.find.__code__:
            # An item's number is looked up before the position moves behind it.
            position += 4
        elif frame.f_code in (Readers.value.__code__, Readers.vector.__code__):
            position = frame.f_locals["position"]
            if "items" in frame.f_locals:
                path += f"[{len(frame.f_locals['items'])}]"
        traceback = traceback.tb_next
    if len(path) > 2 * PATH_END:
        path = f"{path[:PATH_END]} ... {path[-PATH_END:]}"
    if isinstance(error, Malformed):
        return DecodeError(str(error), path=path, offset=position - error.back)
    if isinstance(error, RecursionError):
        return DecodeError("nested too deeply", path=path, offset=position)
    left = max(len(data) - position, 0)
    return DecodeError(f"the data ends, {left} bytes are left", path=path, offset=position)


def _short_field(fields: tuple[Field, ...], position: int, length: int) -> Field:
    """Of fields read together give the first that the data is too short for."""
    for field in fields[:-1]:
        item = vector_item(field.type)
        position += SIZES[FIXED.get(field.type, "I")] if item is None else 8
        if position > length:
            return field
    return fields[-1]
