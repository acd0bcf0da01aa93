"""Layer 0: the package's own table of definitions, over all layers it knows.

Knows the form of the table and finds a definition by name or by id in a layer. Makes no classes.

Theory of operation. One line holds everything that ever had one name::

    name version,version... param param... =Type

A version is ``id``, ``id:first-last``, ``id:first-`` or ``id:-last``; an end that is left out is
the end of the table. A param is ``name:type``; behind it ``@1-3,5`` may name the versions that
have it (all, if nothing is said). A condition on the word ``flags`` is written ``5?int``, on
another word ``flags2.5?int``; a bare bit is ``5?``. The result is a param without a name. Where
two versions cover one layer, the one listed last answers to the name; both answer to their ids.

Nothing is parsed before it is asked for: the first question splits the text into lines by name
(1 ms), the first question about an id indexes the ids (1 ms), and a line is parsed when one of
its versions is met.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from radiogram.errors import SchemaError
from radiogram.tl.schema.definition import Definition, Field

_METHODS = "\n---methods---\n"


class Table:
    """All definitions of one family of schemas (the API, or MTProto's own messages).

    ``name`` is the family's name: classes of different families never mix.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        head, _, body = text.partition("\n")
        label, _, layers = head.partition(" ")
        first, _, last = layers.partition("-")
        if label != "layers" or not (first.isdecimal() and last.isdecimal()):
            raise SchemaError(f"table {name!r} does not begin with its layers but with {head!r}")
        self.first_layer, self.last_layer = int(first), int(last)
        self._lines: dict[str, tuple[str, str]] = {}
        types, _, methods = body.partition(_METHODS)
        for part in (types, methods):
            for line in part.splitlines():
                full, versions, rest = line.split(" ", 2)
                self._lines[full] = versions, rest
        self._methods_from = methods.partition(" ")[0]
        self._methods: frozenset[str] | None = None
        self._ids: dict[str, str] = {}
        self._parsed: dict[str, tuple[Definition, ...]] = {}

    @classmethod
    def load(cls, name: str) -> Table:
        """Read a table that comes with the package."""
        # pathlib would cost 4 ms, the reading itself costs less than one.
        path = os.path.join(os.path.dirname(__file__), f"{name}.txt")  # noqa: PTH118, PTH120
        with open(path, encoding="ascii") as file:  # noqa: PTH123
            return cls(name, file.read())

    def names(self) -> list[str]:
        """List every name that any layer had: constructors first, then methods."""
        return list(self._lines)

    def results(self, layer: int) -> Iterator[tuple[str, str]]:
        """Give every name of a layer with its result, without parsing a whole line of it."""
        for name, (versions, rest) in self._lines.items():
            heads = versions.split(",")
            for index in reversed(range(len(heads))):
                first, last = self._layers(heads[index])
                if first <= layer <= last:
                    yield name, _result(rest, index, len(heads))
                    break

    def _layers(self, head: str) -> tuple[int, int]:
        first, _, last = head[9:].partition("-")
        return int(first) if first else self.first_layer, int(last) if last else self.last_layer

    def versions(self, name: str) -> tuple[Definition, ...]:
        """Give every version of a name, oldest first; empty if the name is unknown."""
        versions = self._parsed.get(name)
        if versions is None:
            line = self._lines.get(name)
            if line is None:
                return ()
            versions = self._parsed[name] = self._parse(name, *line)
        return versions

    def find(self, name: str, layer: int) -> Definition | None:
        """Give what a name meant in a layer."""
        for definition in reversed(self.versions(name)):
            if definition.first_layer <= layer <= definition.last_layer:
                return definition
        return None

    def find_id(self, id: int, layer: int) -> Definition | None:
        """Give the definition that had an id in a layer."""
        if not self._ids:
            for name, (versions, _) in self._lines.items():
                for version in versions.split(","):
                    self._ids[version[:8]] = name
        name = self._ids.get(f"{id:08x}", "")
        for definition in reversed(self.versions(name)):
            if definition.id == id and definition.first_layer <= layer <= definition.last_layer:
                return definition
        return None

    def is_method(self, name: str) -> bool:
        if self._methods is None:
            names = list(self._lines)
            start = names.index(self._methods_from) if self._methods_from else len(names)
            self._methods = frozenset(names[start:])
        return name in self._methods

    def _parse(self, name: str, versions: str, rest: str) -> tuple[Definition, ...]:
        heads = versions.split(",")
        params: list[list[Field]] = [[] for _ in heads]
        results = [""] * len(heads)
        for word in rest.split(" "):
            text, _, where = word.partition("@")
            chosen = _indexes(where, len(heads))
            if text[0] == "=":
                for index in chosen:
                    results[index] = text[1:]
            else:
                field = _parse_field(text)
                for index in chosen:
                    params[index].append(field)
        is_method = self.is_method(name)
        found = []
        for head, fields, result in zip(heads, params, results, strict=True):
            id, layers = int(head[:8], 16), self._layers(head)
            found.append(Definition(name, id, tuple(fields), result, is_method, *layers))
        return tuple(found)


def _indexes(where: str, count: int) -> list[int]:
    if not where:
        return list(range(count))
    found: list[int] = []
    for part in where.split(","):
        first, dash, last = part.partition("-")
        start = int(first) if first else 0
        if not dash:
            found.append(start)
        else:
            found += range(start, int(last) + 1 if last else count)
    return found


def _result(rest: str, index: int, count: int) -> str:
    """Give the result of one version."""
    found = (part.partition(" ")[0].partition("@") for part in f" {rest}".split(" =")[1:])
    return next(text for text, _, where in found if not where or index in _indexes(where, count))


def _parse_field(text: str) -> Field:
    name, _, type = text.partition(":")
    condition, question, value = type.partition("?")
    if not question:
        return Field(name, type)
    word, _, bit = condition.rpartition(".")
    return Field(name, value or "true", word or "flags", int(bit))
