"""Layer 0: the text of a ``.tl`` file -> definitions.

Knows the written language of schemas, comments and sections. Knows no layer but the one it is
told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from radiogram.errors import SchemaError
from radiogram.tl.schema.definition import Definition, Field, declared_id

_NAME = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?"
_TYPE = r"!?%?[A-Za-z][A-Za-z0-9_.]*(?:<[^<>?]*(?:<[^<>?]*>)?>)?|#"
_HEAD = re.compile(rf"({_NAME})(?:#([0-9a-fA-F]{{1,8}}))?\Z")
_FIELD = re.compile(rf"([A-Za-z][A-Za-z0-9_]*):(?:([A-Za-z][A-Za-z0-9_]*)\.(\d+)\?)?({_TYPE})\Z")
_RESULT = re.compile(rf"(?:{_TYPE})\Z")
_SECTION = re.compile(r"---(types|functions)---\Z")
# Written in many schemas for the sake of completeness: the codec knows them by heart.
_BUILTIN = re.compile(r"(int|long|double|string|bytes|int128|int256|[Vv]ector)[ #=]")


def parse(text: str, *, layer: int = 0) -> list[Definition]:
    """Parse a schema.

    A definition without an id gets its computed one. SchemaError tells the line at fault.
    """
    definitions: list[Definition] = []
    names: dict[str, int] = {}
    is_method = False
    for number, statement in _statements(text):
        section = _SECTION.match(statement)
        if section is None and statement.startswith("---"):
            raise SchemaError(f"line {number}: {statement!r} is neither types nor functions")
        if section:
            is_method = section[1] == "functions"
        elif not _BUILTIN.match(statement):
            definition = parse_line(statement, is_method=is_method, layer=layer, line=number)
            if definition.name in names:
                raise SchemaError(
                    f"line {number}: {definition.name} is already defined "
                    f"in line {names[definition.name]}"
                )
            names[definition.name] = number
            definitions.append(definition)
    return definitions


def parse_line(text: str, *, is_method: bool = False, layer: int = 0, line: int = 1) -> Definition:
    """Parse one declaration, with or without its ``;``."""
    left, equals, right = text.rstrip("; \n").partition("=")
    if not equals:
        raise SchemaError(f"line {line}: expected 'name#id fields = Type;', got {text!r}")
    result = " ".join(right.split())
    bracketed = re.fullmatch(r"([Vv]ector) (\S+)", result)
    if bracketed:
        result = f"{bracketed[1]}<{bracketed[2]}>"
    if not _RESULT.match(result):
        raise SchemaError(f"line {line}: {result!r} is not a type")
    head, *words = left.split() or [""]
    match = _HEAD.match(head)
    if match is None:
        raise SchemaError(f"line {line}: {head!r} is not a name with an id")
    generics = {word[1:-6] for word in words if word[0] == "{" and word.endswith(":Type}")}
    params = tuple(_field(word, line) for word in words if word[0] != "{")
    _check(params, generics, line)
    id = int(match[2], 16) if match[2] else declared_id(text)
    return Definition(match[1], id, params, result, is_method, layer, layer)


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


def _field(word: str, line: int) -> Field:
    match = _FIELD.match(word)
    if match is None:
        raise SchemaError(f"line {line}: {word!r} is not 'name:type'")
    name, flag_word, bit, type = match.groups()
    if bit and int(bit) > 31:
        raise SchemaError(f"line {line}: {word!r} names bit {bit}, a word has 32")
    return Field(name, type, flag_word, int(bit or 0))


def _check(params: tuple[Field, ...], generics: set[str], line: int) -> None:
    seen: dict[str, str] = {}
    for field in params:
        if field.name in seen:
            raise SchemaError(f"line {line}: field {field.name!r} appears twice")
        if field.word is not None and seen.get(field.word) != "#":
            raise SchemaError(
                f"line {line}: field {field.name!r} depends on {field.word!r}, "
                "which is not a flag word before it"
            )
        generic = re.search(r"!(\w+)", field.type)
        if generic is not None and generic[1] not in generics:
            raise SchemaError(f"line {line}: {field.type!r} is not declared: {{X:Type}} is missing")
        seen[field.name] = field.type
