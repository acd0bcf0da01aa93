"""Layer 0: what every TL object can do.

Knows how objects are constructed by users, shown, compared, copied, pickled and turned into
plain data. Knows no schema: the classes are made in :mod:`radiogram.tl.build`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from radiogram.errors import EncodeError

if TYPE_CHECKING:
    from inspect import Signature

    from radiogram.tl.schema.definition import Definition

Result_co = TypeVar("Result_co", covariant=True)


describe: Callable[[Definition], str] | None = None
"""Gives the text that ``help()`` shows for a class; put in by whoever has such texts."""


class TLMeta(msgspec.StructMeta):
    """Metaclass of all TL classes: construction by keyword only, with errors that help."""

    __match_args__ = ()
    TL_ID: int
    TL_DEFINITION: Definition | None

    @property
    def __doc__(cls) -> str | None:  # type: ignore[override]  # noqa: N805 cls, of a metaclass
        if describe is None or cls.TL_DEFINITION is None:
            own: str | None = cls.__dict__.get("__doc__")
            return own
        return describe(cls.TL_DEFINITION)

    @property
    def __signature__(cls) -> Signature:  # noqa: N805 cls, of a metaclass
        """What ``help()`` and ``inspect`` show; types by name, since they may not be made yet."""
        from inspect import Parameter, Signature, get_annotations

        fields = cls.__struct_fields__
        defaults = (msgspec.NODEFAULT,) * len(fields) + cls.__struct_defaults__
        types = get_annotations(cls)
        return Signature(
            [
                Parameter(
                    name,
                    Parameter.KEYWORD_ONLY,
                    default=Parameter.empty if default is msgspec.NODEFAULT else default,
                    annotation=types.get(name, Parameter.empty),
                )
                for name, default in zip(fields, defaults[-len(fields) :], strict=False)
            ]
        )

    def __call__(cls, /, *args: Any, **values: Any) -> Any:  # noqa: N805 cls, of a metaclass
        if args or not cls.TL_ID:
            raise _refusal(cls, args, values)
        try:
            return _construct(cls, **values)
        except TypeError:
            raise _refusal(cls, args, values) from None


_INFINITY = float("inf")
_construct = msgspec.StructMeta.__call__


if TYPE_CHECKING:
    # A metaclass's __call__ would hide from checkers how the stubs say that objects are made.
    _Struct = msgspec.Struct
else:

    class _Struct(msgspec.Struct, metaclass=TLMeta, gc=False):
        """What the base is when it runs."""


class TLObject(_Struct, gc=False):
    """Base of every constructor and method.

    Objects compare by value, may be changed, copied and pickled, and work in ``match``.
    """

    TL_DEFINITION: ClassVar[Definition | None] = None
    """The declaration; None in abstract types."""
    TL_FAMILY: ClassVar[str] = ""
    """Schema family: ``api`` or ``mtproto``."""
    TL_NAME: ClassVar[str] = ""
    """Name in the schema, ``messages.updatePinnedMessage``."""
    TL_ID: ClassVar[int] = 0
    """Constructor number, unsigned."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in _shown(self))
        return f"{type(self).__qualname__}({shown})"

    def stringify(self) -> str:
        """Show the object over several lines, indented; default values are left out."""
        return stringify(self)

    def to_dict(self) -> dict[str, Any]:
        """Give the object as plain data: ``_`` holds the TL name, then every field."""
        plain: dict[str, Any] = _plain(self)
        return plain

    def to_json(self, *, indent: int | None = None) -> str:
        """Give :meth:`to_dict` as JSON, bytes in base64.

        Pure ASCII; bytes that were no UTF-8 in a string come out as lone surrogates, numbers that
        JSON does not have as ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.
        """
        import json

        plain = _plain(self)
        try:
            return json.dumps(plain, indent=indent, default=_base64, allow_nan=False)
        except ValueError:
            return json.dumps(_finite(plain), indent=indent, default=_base64)

    def __reduce__(self) -> tuple[Any, ...]:
        cls = type(self)
        return _rebuild, (cls, *(getattr(self, name) for name in cls.__struct_fields__))


class Request(TLObject, Generic[Result_co], gc=False):
    """Base of every method; the parameter is the type of its answer."""

    if not TYPE_CHECKING:

        def __class_getitem__(cls, _answer: Any) -> Any:
            # Parameters are for checkers: api.InvokeWithLayer[api.TypeUpdates](...) is the class.
            return cls


def maker(cls: type[TLObject]) -> Any:
    """Give the fast constructor of a class: positional, in the order of its struct fields."""
    return _construct.__get__(cls)


def _rebuild(cls: type[TLObject], *values: Any) -> Any:
    return maker(cls)(*values)


def _shown(obj: TLObject) -> list[tuple[str, Any]]:
    """List the fields worth showing, in the order of the declaration."""
    definition = type(obj).TL_DEFINITION
    found = []
    for field in definition.fields if definition else ():
        value = getattr(obj, field.attribute)
        if field.optional and (value is None or (value is False and field.is_flag)):
            continue
        found.append((field.attribute, value))
    return found


def stringify(value: object, depth: int = 0) -> str:
    """Show a value over several lines, `depth` steps indented: objects and lists item by item."""
    inner = "    " * (depth + 1)
    if isinstance(value, TLObject):
        parts = [f"{name}={stringify(item, depth + 1)}" for name, item in _shown(value)]
        opening, closing = f"{type(value).__qualname__}(", ")"
    elif isinstance(value, list) and value:
        parts = [stringify(item, depth + 1) for item in value]
        opening, closing = "[", "]"
    else:
        return repr(value)
    if not parts:
        return opening + closing
    lines = "".join(f"{inner}{part},\n" for part in parts)
    return f"{opening}\n{lines}{'    ' * depth}{closing}"


def _plain(value: Any) -> Any:
    if isinstance(value, TLObject):
        definition = type(value).TL_DEFINITION
        plain: dict[str, Any] = {"_": value.TL_NAME}
        for field in definition.fields if definition else ():
            plain[field.attribute] = _plain(getattr(value, field.attribute))
        return plain
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _finite(plain: Any) -> Any:
    """Replace the numbers that JSON does not have."""
    if isinstance(plain, dict):
        return {name: _finite(value) for name, value in plain.items()}
    if isinstance(plain, list):
        return [_finite(item) for item in plain]
    if isinstance(plain, float) and not -_INFINITY < plain < _INFINITY:
        return {_INFINITY: "Infinity", -_INFINITY: "-Infinity"}.get(plain, "NaN")
    return plain


def _base64(value: object) -> str:
    import base64

    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    raise EncodeError(f"{type(value).__name__} {value!r} has no JSON form")


def _refusal(cls: Any, args: tuple[Any, ...], values: dict[str, Any]) -> EncodeError:
    """Say why a class cannot be called like this."""
    definition: Definition | None = cls.TL_DEFINITION
    name = cls.__qualname__
    if definition is None:
        return EncodeError(f"{name} is an abstract type; use one of its constructors")
    fields = {field.attribute: field for field in definition.fields}
    optional = {a for a, field in fields.items() if field.optional or definition.may_omit(field)}
    expected = ", ".join(
        f"{attribute}: {field.type}{' (optional)' * (attribute in optional)}"
        for attribute, field in fields.items()
    )
    takes = f"it takes {expected}" if fields else "it takes no parameters"
    if args:
        came = ", ".join(short(arg) for arg in args)
        return EncodeError(f"{name}: parameters are given by keyword, got {came}; {takes}")
    for attribute, value in values.items():
        if attribute not in fields:
            hint = _closest(attribute, list(fields))
            return EncodeError(
                f"{name}: no parameter {attribute!r} (got {short(value)})"
                + (f"; did you mean {hint!r}?" if hint else "")
                + f"; {takes}"
            )
    missing = [
        f"{attribute!r} ({field.type})"
        for attribute, field in fields.items()
        if attribute not in optional and attribute not in values
    ]
    return EncodeError(f"{name}: missing {', '.join(missing)}; {takes}")


def _closest(name: str, names: list[str]) -> str | None:
    import difflib

    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    for candidate in (snake, f"{snake}_"):
        if candidate in names:
            return candidate
    found = difflib.get_close_matches(snake, names, 1, 0.6)
    return found[0] if found else None


def short(value: object) -> str:
    """Show a value and its type in an error text."""
    shown = repr(value)
    if len(shown) > 60:
        shown = f"{shown[:57]}..."
    return shown if isinstance(value, TLObject) else f"{type(value).__name__} {shown}"
