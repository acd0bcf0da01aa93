"""Layer 4, client: put what a user wrote into the types that a request wants, at any depth.

Knows, from the schema, which fields of a class want a type that can be converted, or a random_id.
Must not know how peers are found: whoever walks brings the functions that convert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, NamedTuple

from radiogram.tl.base import TLObject
from radiogram.tl.schema.definition import vector_item

Cast = Callable[[Any], Any]
"""Gives the value to send for the value that was written; the same object if it can stay."""

CASTABLE = frozenset(
    {"InputPeer", "InputUser", "InputChannel", "InputDialogPeer", "InputNotifyPeer", "InputMessage"}
    | {"InputCheckPasswordSRP"}
)
"""Types for which a client takes text and numbers (see :class:`radiogram.client.peers.Peers`)."""

_BITS = {"long": 64, "int": 32, "Vector<long>": 64}
"""Sizes of the numbers that are made up."""


class Plan(NamedTuple):
    """What there is to do in objects of one class."""

    converts: tuple[tuple[str, Cast], ...]
    """Attribute, and how to convert what it holds."""
    random_bits: int = 0
    """Size of the random_id that may have to be made up; 0: there is none."""
    many: bool = False
    """True if it takes one random_id for each item of `id`."""


_NOTHING = Plan(())


class Caster:
    """Walks requests.

    `casts` converts values by the abstract type that is wanted (``InputPeer``); `random_number`
    gives a signed number other than 0 of that many bits.
    """

    def __init__(self, casts: Mapping[str, Cast], random_number: Callable[[int], int]) -> None:
        self._casts = casts
        self._random_number = random_number
        self._plans: dict[type, Plan] = {}

    def cast(self, obj: Any, /) -> Any:
        """Give the object with everything in it converted.

        The object itself is left as it is: where something changes, a copy takes its place.
        """
        plan = self._plans.get(type(obj))
        if plan is None:
            plan = self._plans[type(obj)] = self._make_plan(type(obj))
        if plan is _NOTHING:
            return obj
        changed: dict[str, Any] = {}
        for attribute, convert in plan.converts:
            before = getattr(obj, attribute)
            if before is not None:
                after = convert(before)
                if after is not before:
                    changed[attribute] = after
        if plan.random_bits and not obj.random_id:
            changed["random_id"] = self._make_up(obj, plan)
        if not changed:
            return obj
        result = copy(obj)
        for attribute, value in changed.items():
            setattr(result, attribute, value)
        return result

    def _make_up(self, obj: Any, plan: Plan) -> int | list[int]:
        if not plan.many:
            return self._random_number(plan.random_bits)
        count = len(obj.id) if isinstance(obj.id, (list, tuple)) else 0
        return [self._random_number(plan.random_bits) for _ in range(count)]

    # ── plans ────────────────────────────────────────────────────────────────────────────────

    def _make_plan(self, cls: type) -> Plan:
        definition = cls.TL_DEFINITION if issubclass(cls, TLObject) else None
        if definition is None:
            return _NOTHING
        converts = []
        bits, many = 0, False
        for field in definition.fields:
            if field.name == "random_id" and definition.may_omit(field):
                bits, many = _BITS[field.type], vector_item(field.type) is not None
                continue
            convert = self._converter(field.type)
            if convert is not None:
                converts.append((field.attribute, convert))
        return Plan(tuple(converts), bits, many) if converts or bits else _NOTHING

    def _converter(self, tl_type: str) -> Cast | None:
        """Choose how to convert values of a field; None if there is nothing to convert."""
        item = vector_item(tl_type)
        if item is not None:
            one = self._converter(item)
            return None if one is None else _each(one)
        wanted = self._casts.get(tl_type)
        if wanted is not None:
            return self._chain(wanted)
        abstract = tl_type.rpartition(".")[2][:1].isupper() and tl_type != "Bool"
        return self.cast if abstract or tl_type.startswith("!") else None

    def _chain(self, wanted: Cast) -> Cast:
        """Convert a value, and then what is inside of it if it was an object from the start."""

        def convert(value: Any) -> Any:
            return self.cast(wanted(value))

        return convert


def _each(one: Cast) -> Cast:
    def convert(values: Any) -> Any:
        if not isinstance(values, (list, tuple)):
            return values  # the encoder says what is wrong with it
        converted = [one(value) for value in values]
        if all(map(_same, converted, values)):
            return values
        return converted

    return convert


def _same(one: object, other: object) -> bool:
    return one is other
