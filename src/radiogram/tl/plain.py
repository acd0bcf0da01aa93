"""Layer 0: plain data, as JSON and command lines have it -> objects.

The way back from :meth:`~radiogram.tl.base.TLObject.to_dict` and ``to_json``: an object is a
mapping with its TL name under ``_``. Knows which plain values fit which TL type. Knows nothing of
peers: a type that a client converts (``InputPeer``) takes text and numbers as they are if the
caller says so.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from radiogram.errors import EncodeError
from radiogram.tl.base import Request, TLObject, short
from radiogram.tl.build import Registry, registry
from radiogram.tl.codec import MAX_DEPTH
from radiogram.tl.schema.definition import Definition, Field, vector_item

_SIZES = {"int": 32, "long": 64}
_BYTES = {"bytes": None, "int128": 16, "int256": 32}
_NOT_JSON = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": -float("inf")}


def request_from_plain(
    name: str,
    values: Mapping[str, object],
    *,
    castable: Collection[str] = (),
    layer: Registry | None = None,
) -> Request[Any]:
    """Make the request of a method from its parameters.

    `name` is Telegram's (``messages.sendMessage``); `castable` are the types whose values may be
    text or numbers that a client will convert. Raises EncodeError, which names the parameter, its
    value and what would fit.
    """
    builder = _Builder(layer or registry(), castable)
    made = builder.make(builder.method(name), values, name, 0)
    assert isinstance(made, Request)
    return made


def object_from_plain(
    plain: object,
    tl_type: str = "Object",
    *,
    castable: Collection[str] = (),
    layer: Registry | None = None,
) -> Any:
    """Make a value of a TL type from plain data. Raises EncodeError."""
    return _Builder(layer or registry(), castable).value(plain, tl_type, tl_type, 0)


def closest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Give the names that are most like one that does not exist, the likeliest first.

    Case and underscores do not count; the last part of a name may do for the whole.
    """
    squeezed: dict[str, list[str]] = {}
    for one in names:
        squeezed.setdefault(_squeeze(one), []).append(one)
        if "." in one:
            squeezed.setdefault(_squeeze(one.rpartition(".")[2]), []).append(one)
    wanted = _squeeze(name)
    scores = {one: difflib.SequenceMatcher(None, wanted, one).ratio() for one in squeezed}
    for one in squeezed:
        if len(wanted) > 3 and wanted in one:  # a word of the name was meant
            scores[one] = max(scores[one], 0.7)
    best = max(scores.values(), default=0.0)
    likely = sorted(
        (one for one in scores if scores[one] >= max(0.6, best - 0.08)), key=scores.__getitem__
    )
    return list(dict.fromkeys(full for one in reversed(likely) for full in squeezed[one]))[:count]


def _squeeze(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.lower())


class _Builder:
    """Makes objects of one layer."""

    def __init__(self, layer: Registry, castable: Collection[str]) -> None:
        self._layer = layer
        self._castable = castable

    def method(self, name: str) -> Definition:
        definition = self._layer.find(name)
        if definition is not None and definition.is_method:
            return definition
        methods = (one for one in self._layer.names() if self._layer.definition(one).is_method)
        raise EncodeError(f"there is no method {name!r}{_hint(closest(name, methods))}")

    def make(
        self, definition: Definition, values: Mapping[str, object], path: str, depth: int
    ) -> TLObject:
        fields = {field.attribute: field for field in definition.fields}
        given = {}
        for name, value in values.items():
            if name == "_":
                continue
            field = fields.get(name) or fields.get(f"{name}_")
            if field is None:
                hint = _hint(closest(name, fields)) or _takes(fields.values())
                raise EncodeError(f"{path}: no parameter {name!r} (got {short(value)}){hint}")
            if value is not None or not field.optional:
                given[field.attribute] = self.value(
                    value, field.type, f"{path}.{field.attribute}", depth + 1
                )
        cls = self._layer.class_of(definition)
        made: TLObject = cls(**given)
        return made

    def value(self, value: object, tl_type: str, path: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise EncodeError(f"{path}: nested more than {MAX_DEPTH} deep")
        item = vector_item(tl_type)
        if item is not None:
            if not isinstance(value, (list, tuple)):
                raise _misfit(path, value, f"a list of {item}")
            return [
                self.value(one, item, f"{path}[{index}]", depth + 1)
                for index, one in enumerate(value)
            ]
        if tl_type in _SIZES:
            return _number(value, _SIZES[tl_type], path)
        if tl_type in _BYTES:
            return _bytes(value, _BYTES[tl_type], path)
        if tl_type in ("Bool", "true"):
            if not isinstance(value, bool):
                raise _misfit(path, value, "true or false")
            return value
        if tl_type == "string":
            if not isinstance(value, str):
                raise _misfit(path, value, "text")
            return value
        if tl_type == "double":
            return _double(value, path)
        return self._boxed(value, tl_type, path, depth)

    def _boxed(self, value: object, tl_type: str, path: str, depth: int) -> Any:
        if isinstance(value, TLObject):
            return value
        if isinstance(value, Mapping):
            name = value.get("_")
            definition = self._layer.find(name) if isinstance(name, str) else None
            if definition is None or not self._fits(definition, tl_type):
                raise EncodeError(f"{path}: '_' is {short(name)}{self._choices(name, tl_type)}")
            return self.make(definition, value, f"{path}({definition.name})", depth)
        if tl_type in self._castable and isinstance(value, (str, int)):
            return value
        if isinstance(value, str):
            definition = self._layer.find(value)
            if definition is not None and self._fits(definition, tl_type):
                return self.make(definition, {}, f"{path}({value})", depth)
            raise EncodeError(f"{path}: got {short(value)}{self._choices(value, tl_type)}")
        text = "a name, a number or " if tl_type in self._castable else ""
        example = next(iter(self._names(tl_type)), "messages.sendMessage")
        raise EncodeError(
            f"{path}: got {short(value)}, but it wants {text}an object of the type {tl_type}, "
            f'such as {{"_": "{example}", ...}}'
        )

    def _fits(self, definition: Definition, tl_type: str) -> bool:
        if tl_type.startswith("!"):
            return definition.is_method
        if tl_type in ("Object", "X"):
            return True
        return not definition.is_method and definition.result == tl_type

    def _names(self, tl_type: str) -> list[str]:
        if tl_type.startswith("!") or tl_type in ("Object", "X"):
            return []
        return self._layer.constructors(tl_type)

    def _choices(self, name: object, tl_type: str) -> str:
        names = self._names(tl_type)
        if not names:
            every = self._layer.names()
            return _hint(closest(name, every)) if isinstance(name, str) else "; give a TL name"
        if len(names) > 8 and isinstance(name, str) and (near := closest(name, names)):
            return _hint(near)
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        return f", but {tl_type} is one of: {shown}"


def _hint(near: list[str]) -> str:
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _takes(fields: Iterable[Field]) -> str:
    names = ", ".join(field.attribute for field in fields)
    return f"; it takes {names}" if names else "; it takes no parameters"


def _misfit(path: str, value: object, wanted: str) -> EncodeError:
    return EncodeError(f"{path}: got {short(value)}, but it wants {wanted}")


def _number(value: object, bits: int, path: str) -> int:
    # Numbers of 64 bits are often text in JSON, which has no exact ones of that size.
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value):
        value = int(value)
    if type(value) is not int:
        raise _misfit(path, value, "a whole number")
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise _misfit(path, value, f"a number that fits into {bits} bits with a sign")
    return value


def _double(value: object, path: str) -> float:
    if isinstance(value, str) and value in _NOT_JSON:
        return _NOT_JSON[value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _misfit(path, value, "a number")
    try:
        return float(value)
    except OverflowError:
        raise _misfit(path, value, "a number that fits into a double") from None


def _bytes(value: object, size: int | None, path: str) -> bytes:
    if isinstance(value, str):
        try:
            value = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise _misfit(path, value, "bytes in base64") from None
    if not isinstance(value, (bytes, bytearray)):
        raise _misfit(path, value, "bytes in base64")
    if size is not None and len(value) != size:
        raise _misfit(path, value, f"exactly {size} bytes")
    return bytes(value)
