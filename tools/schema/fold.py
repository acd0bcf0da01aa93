"""Fold many declarations of one name into one line of the table.

A version is one (id, range of layers, fields). The fields of all versions of a name are merged
into one sequence in which each version is a subsequence; what not all versions have is marked
with the versions that have it.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from radiogram.tl.schema.definition import Definition, Field
from radiogram.tl.schema.tlfile import parse_line

FIRST_LAYER = 133
# No text of these layers was ever found: a name that seems absent in one keeps what it was before.
_UNSEEN = frozenset({141, 157, 175, 180, 213, 215, 219, 226, 229})

# Bodies that the codec leaves alone: the rest of the data, or as many bytes as another field says.
_RAW = {"rpc_result": {"result": "!X"}, "message": {"body": "!X.bytes"}}


@dataclass(frozen=True)
class Version:
    """A definition in a range of layers, and how many sources know it."""

    first: int
    last: int
    sources: int
    definition: Definition


def api_text(history: str, variants: str) -> str:
    """Give the text of the API's table."""
    changed: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(variants):
        changed[row["id"]].append(row)
    versions: dict[tuple[bool, str], list[Version]] = defaultdict(list)
    for row in _rows(history):
        if int(row["last_layer"]) < FIRST_LAYER:
            continue
        is_method = row["kind"] == "function"
        found = _settle(row, changed[row["id"]]) if row["id"] in changed else [row]
        for part in found:
            definition = parse_line(part["declaration"], is_method=is_method)
            first, last = int(part["first_layer"]), int(part["last_layer"])
            version = Version(first, last, len(row["sources"]), definition)
            versions[is_method, row["name"]].append(version)
    newest = max(v.last for group in versions.values() for v in group)
    bridged = {key: _bridge(group) for key, group in versions.items()}
    return _table(bridged, FIRST_LAYER, newest)


def mtproto_text(schema: str) -> str:
    """Give the text of the table of service messages.

    Left out: what has no id, and the method of a contest that is long over.
    """
    versions: dict[tuple[bool, str], list[Version]] = {}
    is_method = False
    for line in schema.splitlines():
        if line.startswith("---"):
            is_method = "functions" in line
        elif "#" in line.partition(" ")[0] and not line.startswith("contest."):
            definition = parse_line(line, is_method=is_method)
            raw = _RAW.get(definition.name, {})
            params = tuple(Field(p.name, raw.get(p.name, p.type)) for p in definition.params)
            definition = Definition(definition.name, definition.id, params, definition.result)
            versions[is_method, definition.name] = [Version(0, 0, 1, definition)]
    return _table(versions, 0, 0)


def _rows(text: str) -> csv.DictReader[str]:
    return csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


def _settle(row: dict[str, str], variants: list[dict[str, str]]) -> list[dict[str, str]]:
    """Decide which variant of one id held in each layer; gives disjoint ranges.

    A variant that a single source knows counts only where no other covers the layer. Of the
    rest the one that appeared last wins, and of two that appeared together the shorter-lived.
    A layer that no variant covers keeps the variant of the layer before it.
    """
    chosen: list[dict[str, str]] = []
    for layer in range(int(row["first_layer"]), int(row["last_layer"]) + 1):
        covering = [v for v in variants if int(v["first_layer"]) <= layer <= int(v["last_layer"])]
        covering.sort(
            key=lambda v: (len(v["sources"]) > 1, int(v["first_layer"]), -int(v["last_layer"]))
        )
        declaration = covering[-1]["declaration"] if covering else chosen[-1]["declaration"]
        if chosen and chosen[-1]["declaration"] == declaration:
            chosen[-1]["last_layer"] = str(layer)
        else:
            same = {"first_layer": str(layer), "last_layer": str(layer)}
            chosen.append(row | same | {"declaration": declaration})
    return chosen


def _bridge(versions: list[Version]) -> list[Version]:
    """Extend versions over layers of which no text is known."""
    covered = {layer for v in versions for layer in range(v.first, v.last + 1)}
    newest = max(covered)
    result = []
    for version in versions:
        last = version.last
        while last + 1 < newest and last + 1 in _UNSEEN and last + 1 not in covered:
            last += 1
        result.append(replace(version, last=last))
    return result


def _table(versions: dict[tuple[bool, str], list[Version]], first: int, last: int) -> str:
    lines = [f"layers {first}-{last}"]
    for is_method in (False, True):
        if is_method:
            lines.append("---methods---")
        for (kind, name), found in sorted(versions.items()):
            if kind == is_method:
                lines.append(_line(name, found, first, last))
    return "\n".join(lines) + "\n"


def _line(name: str, versions: list[Version], first: int, last: int) -> str:
    # Where two cover one layer the table lets the last listed answer to the name: the younger,
    # or, of two that appeared together, the one that more sources know.
    versions = sorted(versions, key=lambda v: (v.first, v.sources, -v.last))
    heads = [f"{v.definition.id:08x}{_layers(v.first, v.last, first, last)}" for v in versions]
    merged: list[tuple[str, list[int]]] = []
    for index, version in enumerate(versions):
        words = [*map(_word, version.definition.params), f"={version.definition.result}"]
        _merge(merged, words, index)
    params = [text + _where(which, len(versions)) for text, which in merged]
    return " ".join([name, ",".join(heads), *params])


def _layers(first: int, last: int, table_first: int, table_last: int) -> str:
    if (first, last) == (table_first, table_last):
        return ""
    return f":{'' if first == table_first else first}-{'' if last == table_last else last}"


def _word(field: Field) -> str:
    if field.word is None:
        return f"{field.name}:{field.type}"
    word = "" if field.word == "flags" else f"{field.word}."
    return f"{field.name}:{word}{field.bit}?{'' if field.is_flag else field.type}"


def _merge(merged: list[tuple[str, list[int]]], words: list[str], index: int) -> None:
    """Add a version's words to a merged sequence, sharing what stands in the same order."""
    old = [text for text, _ in merged]
    result: list[tuple[str, list[int]]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, words, autojunk=False).get_opcodes():
        if tag == "equal":
            result += [(text, [*which, index]) for text, which in merged[a:b]]
        else:
            result += merged[a:b]
            result += [(text, [index]) for text in words[c:d]]
    merged[:] = result


def _where(which: list[int], count: int) -> str:
    if len(which) == count:
        return ""
    position, found = 0, []
    for run in re.findall("1+|0+", "".join("01"[i in which] for i in range(count))):
        if run[0] == "1":
            first, last = position, position + len(run) - 1
            if first == last:
                found.append(str(first))
            else:
                found.append(f"{first or ''}-{'' if last == count - 1 else last}")
        position += len(run)
    return "@" + ",".join(found)
