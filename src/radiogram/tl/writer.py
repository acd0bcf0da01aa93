"""Layer 0: objects -> bytes.

Knows how to write the Python function that lays out one definition, and how to explain why a
value did not fit. Knows no tables: a :class:`Writers` asks its registry for definitions.

Theory of operation. A writer is ``write(object, add)`` and calls ``add`` with pieces of bytes.
Attributes are fetched once, the flag words are computed, then the fields follow in the order of
the schema, neighbours of fixed size in one ``pack``. A nested object is written by the function
found under its class in the dict of the abstract type, so an object of another type is refused
for free. Writers do not catch anything: :meth:`Writers.write` walks the traceback, in which each
frame's line names the fields, and then looks which value does not fit and why.

An object of another layer's class is written by name: what this layer's definition needs is
taken from its attributes, what it does not have must be optional, what this layer does not know
is left out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from radiogram.errors import EncodeError, SchemaError
from radiogram.tl.base import TLObject, short
from radiogram.tl.codec import (
    BYTE_LENGTHS,
    FALSE,
    FIXED,
    INT_RANGES,
    PATH_END,
    TRUE,
    VECTOR_ID,
    Misfit,
    pack_bytes,
    pack_string,
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

Add = Callable[[bytes], object]
Writer = Callable[[Any, Add], None]


def compile_writer(definition: Definition, *, bare: bool, absent: frozenset[str]) -> Compiled:
    """Compile the writer of one definition for objects that lack some attributes."""
    return compile_function(
        "write", definition, lambda: _WriterSource(definition, bare, absent).write()
    )


class _WriterSource:
    """Writes the source of one writer."""

    def __init__(self, definition: Definition, bare: bool, absent: frozenset[str]) -> None:
        self.definition = definition
        self.absent = absent
        self.out = Source("def write(_o, _a):")
        self.run: list[tuple[str, str, Field | None]] = []
        if not bare:
            self.run.append((str(definition.id), "I", None))

    def write(self) -> Source:
        for field in self.definition.fields:
            name = field.attribute
            value = "None" if name in self.absent else f"_o.{name}"
            self.out.add(f"{name} = {value}", field)
        for word in self.definition.params:
            if word.type == "#":
                self.flag_word(word.name)
        for field in self.definition.params:
            self.field(field)
        self.flush()
        if not self.out.fields[1:]:
            self.out.add("pass")
        return self.out

    def flag_word(self, word: str) -> None:
        """Write the computation of a flag word from the fields that depend on it."""
        out = self.out
        by_bit: dict[int, list[Field]] = {}
        for field in self.definition.fields:
            if field.word == word and field.attribute not in self.absent:
                by_bit.setdefault(field.bit, []).append(field)
        out.add(f"{word} = 0")
        for bit, fields in by_bit.items():
            for field in fields:
                if field.is_flag:
                    out.add(f"if {field.attribute} is not False and {field.attribute} is not True:")
                    out.add("    raise _Misfit", field)
            given = [f"{f.attribute} is not {'False' if f.is_flag else 'None'}" for f in fields]
            out.add(f"if {' or '.join(given)}:")
            out.indent += 1
            if len(fields) > 1:
                values = ", ".join(f"{f.attribute!r}: {f.attribute}" for f in fields)
                out.add(f"if not ({' and '.join(given)}): raise _partial({{{values}}})")
            out.add(f"{word} |= {1 << bit}")
            out.indent -= 1

    def field(self, field: Field) -> None:
        """Write the laying out of one field, if it is there."""
        if field.type == "#":
            self.run.append((field.name, "I", None))
        elif field.is_flag or (field.optional and field.attribute in self.absent):
            return
        elif field.optional:
            self.flush()
            self.out.add(f"if {field.attribute} is not None:")
            self.out.indent += 1
            self.value(field)
            self.flush()
            self.out.indent -= 1
        else:
            self.value(field)

    def value(self, field: Field) -> None:
        name, out = field.attribute, self.out
        item = vector_item(field.type)
        if field.type in BYTE_LENGTHS:
            length = BYTE_LENGTHS[field.type]
            out.add(f"if _len({name}) != {length}: raise _Misfit", field)
            self.run.append((name, FIXED[field.type], field))
        elif field.type in FIXED:
            out.add(f"if {name} is True or {name} is False: raise _Misfit", field)
            self.run.append((name, FIXED[field.type], field))
        elif item is not None:
            self.vector(field, item)
        else:
            self.flush()
            out.add(self.plain(name, field.type), field)

    def plain(self, name: str, tl_type: str) -> str:
        """Give the line that lays out a value that is neither fixed nor a vector."""
        if tl_type in ("string", "bytes"):
            return f"_a(_pack_{tl_type}({name}))"
        if tl_type == "Bool":
            return f"_a(_bool({name}))"
        if tl_type.startswith("!X."):
            return f"_raw({name}, {tl_type[3:]}, _a)"
        if tl_type.startswith("!X"):
            return f"_raw({name}, None, _a)"
        if is_bare(tl_type):
            return f"{bare_name(tl_type)}[_type({name})]({name}, _a)"
        return f"{typed_name(tl_type)}[_type({name})]({name}, _a)"

    def vector(self, field: Field, item: str) -> None:
        name, out = field.attribute, self.out
        out.add(f"if not _isinstance({name}, (_list, _tuple)): raise _Misfit", field)
        if field.type[0] == "V":
            self.run.append((str(VECTOR_ID), "I", None))
        self.run.append((f"_len({name})", "I", field))
        self.flush()
        if item in ("int", "long", "double"):
            out.add(f"for _x in {name}:", field)
            out.add("    if _x is True or _x is False: raise _Misfit", field)
            out.add(f"_a(_pack(f'<{{_len({name})}}{FIXED[item]}', *{name}))", field)
            return
        out.add(f"for _x in {name}:", field)
        if item in FIXED or vector_item(item) is not None:
            out.add(f"    _value({item!r}, _x, _a)", field)
        else:
            out.add(f"    {self.plain('_x', item)}", field)

    def flush(self) -> None:
        """Write one pack for the values of fixed size that wait."""
        if not self.run:
            return
        codes = "".join(code for _, code, _ in self.run)
        values = ", ".join(value for value, _, _ in self.run)
        fields = [field for _, _, field in self.run if field is not None]
        self.out.add(f"_a(_P_{codes}({values}))", *fields)
        self.run.clear()


class _Typed(dict[type, Writer]):
    """Writers for the classes that one place accepts; filled when first met."""

    def __init__(self, find: Callable[[type], Writer]) -> None:
        self.find = find

    def __missing__(self, cls: type) -> Writer:
        writer = self[cls] = self.find(cls)
        return writer


_FAULTS = (
    Misfit,
    struct.error,
    AttributeError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
)
"""What values that do not fit raise in compiled code."""


class Writers:
    """The writers of one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._by_class: dict[tuple[type, bool], Writer] = {}
        self._globals: dict[str, Any] = {
            "_Misfit": Misfit,
            "_bool": _pack_bool,
            "_isinstance": isinstance,
            "_len": len,
            "_list": list,
            "_pack": struct.pack,
            "_pack_bytes": pack_bytes,
            "_pack_string": pack_string,
            "_partial": _partial,
            "_raw": self.raw,
            "_tuple": tuple,
            "_type": type,
            "_value": self.value,
        }

    def write(self, tl_type: str, value: Any) -> bytes:
        """Lay out one value of a type; EncodeError is all that comes out."""
        pieces: list[bytes] = []
        try:
            self.value(tl_type, value, pieces.append)
            return b"".join(pieces)
        except _FAULTS as error:
            raise _explain(error, tl_type, value) from None

    def value(self, tl_type: str, value: Any, add: Add) -> None:
        """Lay out a value of any type, without the help of compiled code."""
        item = vector_item(tl_type)
        if item is None and tl_type in ("Object", "X") and isinstance(value, (list, tuple)):
            tl_type, item = "Vector<Object>", "Object"
        if item is not None:
            if not isinstance(value, (list, tuple)):
                raise Misfit(misfit(tl_type, value))
            if tl_type.startswith("V"):
                add(VECTOR_ID.to_bytes(4, "little"))
            add(struct.pack("<I", len(value)))
            for index, element in enumerate(value):  # noqa: B007 the index is for _explain
                self.value(item, element, add)
            return
        problem = misfit(tl_type, value)
        if problem is not None:
            raise Misfit(problem)
        if tl_type in FIXED:
            add(struct.pack(f"<{FIXED[tl_type]}", value))
        elif tl_type == "string":
            add(pack_string(value))
        elif tl_type == "bytes":
            add(pack_bytes(value))
        elif tl_type == "Bool" or value is True or value is False:
            add(_pack_bool(value))
        elif is_bare(tl_type):
            self.bare(bare_name(tl_type))[type(value)](value, add)
        else:
            self.typed(tl_type)[type(value)](value, add)

    def raw(self, value: Any, length: int | None, add: Add) -> None:
        """Lay out what belongs to somebody else: ready bytes, or an object."""
        if isinstance(value, TLObject):
            pieces: list[bytes] = []
            self.typed("Object")[type(value)](value, pieces.append)
            value = b"".join(pieces)
        elif isinstance(value, (bytes, bytearray, memoryview)):
            value = bytes(value)
        else:
            raise Misfit
        if length is not None and length != len(value):
            raise Misfit(f"expected {length} bytes as announced, got {len(value)}")
        add(value)

    def typed(self, tl_type: str) -> _Typed:
        """Give the writers of one abstract type; ``Object`` and ``X`` stand for any."""
        name = typed_name(tl_type)
        found: _Typed | None = self._globals.get(name)
        if found is None:
            wanted = type_of_name(name)
            found = self._globals[name] = _Typed(lambda cls: self._find(cls, wanted))
        return found

    def bare(self, name: str) -> _Typed:
        """Give the writers of a bare type by the name of its global."""
        found: _Typed | None = self._globals.get(name)
        if found is None:
            try:
                wanted = self._registry.bare(type_of_name(name)).name
            except SchemaError as error:
                raise Misfit(str(error)) from None
            found = self._globals[name] = _Typed(lambda cls: self._find_bare(cls, wanted))
        return found

    def _find(self, cls: type, tl_type: str) -> Writer:
        if tl_type == "Object" and issubclass(cls, (bool, list, tuple)):
            return lambda value, add: self.value("Object", value, add)
        definition = self._known(cls)
        if tl_type != "Object" and (definition.is_method or definition.result != tl_type):
            raise Misfit
        return self._writer(cls, definition, bare=False)

    def _find_bare(self, cls: type, name: str) -> Writer:
        definition = self._known(cls)
        if definition.name != name:
            raise Misfit
        return self._writer(cls, definition, bare=True)

    def _known(self, cls: type) -> Definition:
        """Give the definition of a class of this family."""
        definition = cls.TL_DEFINITION if issubclass(cls, TLObject) else None
        if definition is None:
            raise Misfit
        if self._registry.family != cls.TL_FAMILY:  # type: ignore[attr-defined]
            raise Misfit(f"{definition.qualified_name} does not belong to {self._registry.family}")
        return definition

    def _writer(self, cls: type, definition: Definition, *, bare: bool) -> Writer:
        writer = self._by_class.get((cls, bare))
        if writer is None:
            writer = self._by_class[cls, bare] = self._link(cls, definition, bare=bare)
        return writer

    def _link(self, cls: type, theirs: Definition, *, bare: bool) -> Writer:
        """Make the writer of a class for this registry."""
        ours = self._registry.find_id(theirs.id)
        if ours is None or ours.name != theirs.name:
            ours = self._registry.find(theirs.name)
        if ours is None:
            raise Misfit(f"{theirs.qualified_name} does not exist in {self._registry.description}")
        known = {field.attribute for field in theirs.fields}
        absent = frozenset(f.attribute for f in ours.fields if f.attribute not in known)
        for field in ours.fields:
            if field.attribute in absent and not field.optional:
                raise Misfit(
                    f"{ours.qualified_name} needs {field.attribute!r} "
                    f"in {self._registry.description}"
                )
        code = _code(self._registry.class_of(ours), ours, bare, absent)
        for name in code.co_names:
            if name[0] == "_" and name not in self._globals:
                self._provide(name)
        return FunctionType(code, self._globals)

    def _provide(self, name: str) -> None:
        """Make a global that compiled code refers to."""
        kind = name[:3]
        if kind == "_P_":
            self._globals[name] = struct.Struct(f"<{name[3:]}").pack
        elif kind == "_T_":
            self.typed(type_of_name(name))
        else:
            self.bare(name)


_codes: dict[tuple[type, bool, frozenset[str]], Compiled] = {}


def _code(
    cls: type[TLObject], definition: Definition, bare: bool, absent: frozenset[str]
) -> CodeType:
    compiled = _codes.get((cls, bare, absent))
    if compiled is None:
        compiled = compile_writer(definition, bare=bare, absent=absent)
        _codes[cls, bare, absent] = compiled
    return compiled.code


def _pack_bool(value: Any) -> bytes:
    if value is True:
        return TRUE
    if value is False:
        return FALSE
    raise Misfit


def _partial(values: dict[str, Any]) -> Misfit:
    """Tell that fields which share one bit are not given together."""
    names: dict[bool, list[str]] = {True: [], False: []}
    for name, value in values.items():
        names[value is not None and value is not False].append(repr(name))
    given, missing = " and ".join(names[True]), " and ".join(names[False])
    return Misfit(f"{missing} must be given together with {given}: they share a flag bit")


def misfit(tl_type: str, value: Any) -> str | None:
    """Say why a value does not fit a type, None if it does; does not look into objects."""
    if tl_type in INT_RANGES:
        low, high, bits = INT_RANGES[tl_type]
        integer = isinstance(value, int) and not isinstance(value, bool)
        fits, expected = integer and low <= value < high, f"int ({bits})"
    elif tl_type == "double":
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and _finite(value)
        expected = "float"
    elif tl_type in BYTE_LENGTHS:
        length = BYTE_LENGTHS[tl_type]
        fits, expected = isinstance(value, bytes) and len(value) == length, f"{length} bytes"
    elif tl_type == "string":
        fits, expected = isinstance(value, str) and _encodable(value), "str"
        if isinstance(value, str):
            expected = "str without lone surrogates"
    elif tl_type == "bytes":
        fits, expected = isinstance(value, (bytes, bytearray, memoryview)), "bytes"
    elif tl_type == "Bool":
        fits, expected = isinstance(value, bool), "bool"
    elif tl_type.startswith("!X"):
        fits = isinstance(value, (bytes, bytearray, memoryview, TLObject))
        expected = "a TL object or bytes"
    elif vector_item(tl_type) is not None:
        fits, expected = isinstance(value, (list, tuple)), f"list of {vector_item(tl_type)}"
    elif tl_type in ("Object", "X"):
        fits, expected = isinstance(value, (TLObject, bool, list, tuple)), "a TL object"
    else:
        definition = value.TL_DEFINITION if isinstance(value, TLObject) else None
        fits = definition is not None and (
            tl_type in (definition.name, f"%{definition.result}", definition.result)
            and not definition.is_method
        )
        expected = tl_type
    return None if fits else f"expected {expected}, got {short(value)}"


def _finite(value: float) -> bool:
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _explain(error: Exception, tl_type: str, value: Any) -> EncodeError:
    """Tell which value a writer could not lay out, from its traceback."""
    path = ""
    reason = str(error) if isinstance(error, Misfit) else ""
    traceback = error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        compiled = compiled_from(frame.f_code)
        if compiled is not None:
            path += "." if path else ""
            path += compiled.definition.qualified_name
            step, found = _fault(compiled.fields[traceback.tb_lineno - 1], frame.f_locals)
            path += step
            reason = reason or found
        elif frame.f_code is Writers.value.__code__ and "index" in frame.f_locals:
            path += f"[{frame.f_locals['index']}]"
        traceback = traceback.tb_next
    if isinstance(error, RecursionError):
        reason = "nested too deeply"
    if path[:1] in ("", "["):
        anything = tl_type == "Object" and isinstance(value, TLObject)
        path = f"{type(value).__qualname__ if anything else tl_type}{path}"
    if len(path) > 2 * PATH_END:
        path = f"{path[:PATH_END]} ... {path[-PATH_END:]}"
    return EncodeError(f"{path}: {reason or misfit(tl_type, value) or error}")


def _fault(fields: tuple[Field, ...], values: dict[str, Any]) -> tuple[str, str]:
    """Of the fields of one line give the step into the one at fault, and what is wrong with it."""
    for field in fields:
        name, value = field.attribute, values.get(field.attribute)
        problem = misfit("Bool" if field.is_flag else field.type, value)
        if problem is not None:
            return f".{name}", problem
        item = vector_item(field.type)
        if item is not None:
            for index, element in enumerate(value or ()):
                problem = misfit(item, element)
                if problem is not None:
                    return f".{name}[{index}]", problem
    if not fields:
        return "", ""
    # The fault lies deeper.
    name = fields[0].attribute
    if vector_item(fields[0].type) is not None:
        for index, element in enumerate(values.get(name) or ()):
            if element is values.get("_x"):
                return f".{name}[{index}]", ""
    return f".{name}", ""
