"""Parameters as they are typed: ``name=value`` -> plain data, and what can be typed next.

Top layer. Knows how each TL type is written on a command line. Must not know who is called.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click import UsageError

from radiogram.client.casts import CASTABLE
from radiogram.tl.build import Registry, registry
from radiogram.tl.plain import closest
from radiogram.tl.schema.definition import Definition, Field, vector_item

YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_BYTES = ("bytes", "int128", "int256")
MAX_FILE = 16 * 1024 * 1024


def method_of(name: str, layer: Registry | None = None) -> Definition:
    """Find a method by Telegram's name or Python's. Raises UsageError with the likeliest names."""
    layer = layer or registry()
    wanted = name.removeprefix("api.")
    space, _, last = wanted.rpartition(".")
    lower = f"{space}.{last[:1].lower()}{last[1:]}".lstrip(".")
    for guess in (wanted, lower):
        found = layer.find(guess)
        if found is not None and found.is_method:
            return found
    near = closest(name, methods(layer))
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f"there is no method {name!r}{hint}")


def methods(layer: Registry | None = None) -> list[str]:
    """Name every method, sorted."""
    layer = layer or registry()
    return sorted(name for name in layer.names() if layer.definition(name).is_method)


def read_all(definition: Definition, words: Iterable[str]) -> dict[str, Any]:
    """Read ``name=value`` words for the parameters of a method. Raises UsageError."""
    fields = {field.attribute: field for field in definition.fields}
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        field = fields.get(name) or fields.get(f"{name}_")
        if field is None:
            near = closest(name, fields)
            hint = f"did you mean {' or '.join(near)}?" if near else _takes(fields)
            raise UsageError(f"{definition.name} has no parameter {name!r}; {hint}")
        if field.attribute in found:
            raise UsageError(f"{name} is given twice")
        if not equals:
            if not field.is_flag and field.type != "Bool":
                raise UsageError(f"{name} needs a value: {name}={example(field)}")
            text = "true"
        found[field.attribute] = read(field, text)
    return found


def read(field: Field, text: str) -> Any:
    """Read one value as plain data. Raises UsageError, which names parameter and remedy."""
    return _read(field.attribute, field.type, text)


def _read(name: str, tl_type: str, text: str) -> Any:
    if tl_type in ("Bool", "true"):
        if text.lower() not in (*YES, *NO):
            raise UsageError(f"{name}={text}: give true or false")
        return text.lower() in YES
    if tl_type in ("int", "long"):
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise UsageError(f"{name}={text}: give a whole number")
        return int(text)
    if tl_type == "double":
        try:
            return float(text)
        except ValueError:
            raise UsageError(f"{name}={text}: give a number") from None
    if tl_type == "string":
        return _file(name, text).decode("utf-8", "replace") if text.startswith("@@") else text
    if tl_type in _BYTES:
        return base64.b64encode(_bytes(name, text)).decode()
    item = vector_item(tl_type)
    if item is not None and not text.lstrip().startswith("["):
        return [_read(name, item, part.strip()) for part in text.split(",")] if text else []
    if text.lstrip().startswith(("{", "[")):
        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(f"{name}: this is no JSON ({error})") from None
    if (
        tl_type in CASTABLE
        and tl_type != "InputCheckPasswordSRP"
        and re.fullmatch(r"-?[0-9]+", text)
    ):
        return int(text)
    return text  # a name of a peer, or of a constructor without fields


def _bytes(name: str, text: str) -> bytes:
    if text.startswith("@"):
        return _file(name, f"@{text}")
    kind, _, rest = text.partition(":")
    try:
        if kind == "hex":
            return bytes.fromhex(rest)
        return base64.b64decode(rest if kind == "base64" else text, validate=True)
    except (binascii.Error, ValueError):
        raise UsageError(f"{name}={text}: give bytes as hex:00ff, in base64, or as @FILE") from None


def _file(name: str, text: str) -> bytes:
    """Read what ``@@FILE`` names; ``@@-`` is standard input."""
    path = text[2:]
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"{name}: {path} cannot be read ({error.strerror})") from None
    if len(data) > MAX_FILE:
        raise UsageError(f"{name}: {path} has more than {MAX_FILE} bytes")
    return data


def example(field: Field) -> str:
    """Give something that could stand after ``name=``."""
    if field.type == "InputCheckPasswordSRP":
        return "PASSWORD"
    if field.type in CASTABLE:
        return "@username"
    if field.type in ("int", "long"):
        return "43"
    if field.type == "string":
        return "TEXT"
    if field.type in _BYTES:
        return "hex:00ff"
    if vector_item(field.type) is not None:
        return "'[...]'"
    return "'{\"_\": ...}'"


def complete(definition: Definition, given: Iterable[str], incomplete: str) -> list[str]:
    """Propose what a word could become: a parameter that is not given yet, or its values."""
    name, equals, text = incomplete.partition("=")
    fields = {field.attribute: field for field in definition.fields}
    if not equals:
        used = {word.partition("=")[0] for word in given}
        return [f"{one}=" for one in fields if one not in used and one.startswith(name)]
    field = fields.get(name)
    if field is None:
        return []
    return [f"{name}={one}" for one in _values(field.type) if one.startswith(text)]


def _values(tl_type: str) -> list[str]:
    if tl_type in ("Bool", "true"):
        return ["true", "false"]
    if tl_type in ("InputPeer", "InputUser", "InputDialogPeer"):
        return ["me"]
    known = registry()
    if tl_type.rpartition(".")[2][:1].isupper() and tl_type in known.types():
        plain = (known.definition(one) for one in known.constructors(tl_type))
        return [one.name for one in plain if all(field.optional for field in one.fields)]
    return []


def _takes(fields: Iterable[str]) -> str:
    names = ", ".join(fields)
    return f"it takes {names}" if names else "it takes none"
