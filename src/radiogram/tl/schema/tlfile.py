"""Layer 0: the text of a ``.tl`` file -> definitions.

Knows the written language of schemas, comments and sections, and refuses what does not follow
it. Whether the types that a text names exist is for :mod:`~radiogram.tl.schema.check`. Knows no
layer but the one it is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from radiogram.errors import SchemaError
from radiogram.tl.schema.definition import Definition, Field, declared_id

_IDENT = r"[A-Za-z][A-Za-z0-9_]*"
_NAME = rf"{_IDENT}(?:\.{_IDENT})?"
_HEAD = re.compile(rf"({_NAME})(?:#([0-9a-fA-F]{{1,8}}))?\Z")
_FIELD = re.compile(rf"({_IDENT}):(?:({_IDENT})\.(\d+)\?)?(\S+)\Z")
_PLAIN = re.compile(rf"[!%]?{_NAME}\Z")
_GENERIC = re.compile(rf"\{{({_IDENT}):Type\}}\Z")
_LAYER = re.compile(r"^\s*//\s*LAYER\s+(\d{1,9})\s*$", re.MULTILINE)
# Written in many schemas for the sake of completeness: the codec knows them by heart.
_BUILTIN = re.compile(r"(int|long|double|string|bytes|int128|int256|[Vv]ector)[ #=]")
_SECTIONS = {"---types---": False, "---functions---": True}


def parse(text: str, *, layer: int = 0) -> list[Definition]:
    """Parse a schema.

    A definition without an id gets its computed one. SchemaError tells the line at fault.
    """
    return [definition for _, definition in declarations(text, layer=layer)]


def declarations(text: str, *, layer: int = 0) -> list[tuple[int, Definition]]:
    """Parse a schema; gives each definition with the line that it begins in.

    Names and ids are unique. SchemaError tells the line at fault.
    """
    found: list[tuple[int, Definition]] = []
    names: dict[str, int] = {}
    ids: dict[int, tuple[str, int]] = {}
    is_method = False
    for number, statement in _statements(text.removeprefix("\ufeff")):
        if statement.startswith("---"):
            if statement not in _SECTIONS:
                raise SchemaError(f"line {number}: {statement!r} is neither types nor functions")
            is_method = _SECTIONS[statement]
        elif not _BUILTIN.match(statement):
            definition = parse_line(statement, is_method=is_method, layer=layer, line=number)
            name, id = definition.name, definition.id
            if name in names:
                raise SchemaError(f"line {number}: {name} is already defined in line {names[name]}")
            if id in ids:
                other, where = ids[id]
                raise SchemaError(
                    f"line {number}: {name} has the id {id:08x} of {other} in line {where}"
                )
            names[name] = number
            ids[id] = name, number
            found.append((number, definition))
    return found


def stated_layer(text: str) -> int | None:
    """Give the layer that a comment ``// LAYER 232`` states; the last one counts."""
    stated = _LAYER.findall(text)
    return int(stated[-1]) if stated else None


def parse_line(text: str, *, is_method: bool = False, layer: int = 0, line: int = 1) -> Definition:
    """Parse one declaration, with or without its ``;``."""
    left, equals, right = text.rstrip("; \n").partition("=")
    if not equals:
        raise SchemaError(f"line {line}: expected 'name#id fields = Type;', got {text!r}")
    result = " ".join(right.split())
    bracketed = re.fullmatch(r"([Vv]ector) (\S+)", result)
    if bracketed:
        result = f"{bracketed[1]}<{bracketed[2]}>"
    head, *words = left.split() or [""]
    match = _HEAD.match(head)
    if match is None:
        raise SchemaError(f"line {line}: {head!r} is not a name with an id")
    generics = {g[1] for g in map(_GENERIC.match, words) if g}
    params = tuple(_field(word, generics, line) for word in words if not _GENERIC.match(word))
    if result in generics:
        result = "X"
    elif result[:1] in ("!", "#") or not _is_type(result):
        raise SchemaError(f"line {line}: {result!r} is not a type")
    _check(params, line)
    id = int(match[2], 16) if match[2] else declared_id(text)
    return Definition(match[1], id, params, _plain(result), is_method, layer, layer)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Cut a text at ``;`` and at section marks; gives the line each statement begins in."""
    pending: list[str] = []
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        line = line.partition("//")[0].strip()
        if line.startswith("---"):
            if pending:
                raise SchemaError(f"line {start}: {' '.join(pending)!r} does not end with ';'")
            yield number, line
            continue
        *complete, rest = line.split(";")
        for part in complete:
            statement = " ".join([*pending, part.strip()]).strip()
            if statement:
                yield start if pending else number, statement
            pending = []
        if rest.strip():
            if not pending:
                start = number
            pending.append(rest.strip())
    if pending:
        raise SchemaError(f"line {start}: {' '.join(pending)!r} does not end with ';'")


def _field(word: str, generics: set[str], line: int) -> Field:
    match = _FIELD.match(word)
    if match is None:
        raise SchemaError(f"line {line}: {word!r} is not 'name:type'")
    name, flag_word, bit, type = match.groups()
    if bit and int(bit) > 31:
        raise SchemaError(f"line {line}: {word!r} names bit {bit}, a word has 0 to 31")
    plain = type.removeprefix("!")
    if plain in generics:
        # Whatever the text calls its variable type.
        type = type.replace(plain, "X")
    elif type[0] == "!":
        raise SchemaError(f"line {line}: {type!r} is not declared: {{{plain}:Type}} is missing")
    elif not _is_type(type):
        raise SchemaError(f"line {line}: {word!r} is not 'name:type': {type!r} is no type")
    return Field(name, _plain(type), flag_word, int(bit or 0))


def _plain(type: str) -> str:
    """Write a bare vector in the shorter of its two ways."""
    return type.replace("%Vector<", "vector<").replace("%vector<", "vector<")


def _is_type(text: str) -> bool:
    """Tell whether a type is spelled well: ``#``, a name, or a name of another type."""
    while text[-1:] == ">":
        outer, _, text = text[:-1].partition("<")
        if not re.fullmatch(rf"%?{_NAME}", outer) or text == "#":
            return False
    return text == "#" or _PLAIN.match(text) is not None


def _check(params: tuple[Field, ...], line: int) -> None:
    seen: dict[str, str] = {}
    for field in params:
        attribute = field.attribute
        if attribute in seen:
            raise SchemaError(f"line {line}: field {field.name!r} appears twice")
        if attribute.startswith("TL_") or (field.type == "#" and attribute != field.name):
            raise SchemaError(f"line {line}: no field can be called {field.name!r} in Python")
        if field.word is not None and seen.get(field.word) != "#":
            raise SchemaError(
                f"line {line}: field {field.name!r} depends on {field.word!r}, "
                "which is not a flag word before it"
            )
        if field.word is not None and field.type == "#":
            raise SchemaError(f"line {line}: flag word {field.name!r} depends on another")
        seen[attribute] = field.type
