"""Layer 0: one TL definition as a value.

Knows how a declaration is spelled, which of its fields depend on which flag bit, what Python
calls it, and how its id follows from its text. Knows nothing of tables, layers of a registry,
classes or bytes on a wire.
"""

from __future__ import annotations

import keyword
import re
import zlib

import msgspec

_NUMBERED = ("InputSingleMedia", "InputStorePaymentPurpose")
"""Types whose random_id numbers something new; elsewhere it names something that exists."""


class Field(msgspec.Struct, frozen=True, gc=False):
    """One parameter of a definition, in the order of the declaration."""

    name: str
    """Name in the schema."""
    type: str
    """TL type without its condition: ``int``, ``Vector<User>``, ``true``, ``#``, ``!X``."""
    word: str | None = None
    """Name of the flag word that the field depends on, None where it is always present."""
    bit: int = 0

    @property
    def attribute(self) -> str:
        """Name of the attribute: the schema's, with ``_`` after a Python keyword."""
        return f"{self.name}_" if keyword.iskeyword(self.name) else self.name

    @property
    def optional(self) -> bool:
        """True if a flag bit says whether the field is there."""
        return self.word is not None

    @property
    def is_flag(self) -> bool:
        """True if the field is nothing but its bit (``flags.N?true``)."""
        return self.type == "true" and self.word is not None

    def __str__(self) -> str:
        if self.word is None:
            return f"{self.name}:{self.type}"
        return f"{self.name}:{self.word}.{self.bit}?{self.type}"


class Definition(msgspec.Struct, frozen=True, gc=False):
    """A constructor or a method, as it was in some range of layers."""

    name: str
    """Name in the schema, ``messages.updatePinnedMessage``."""
    id: int
    """Constructor number, unsigned."""
    params: tuple[Field, ...]
    """Everything in the declaration, flag words included."""
    result: str
    """Abstract type of a constructor, type of the answer of a method."""
    is_method: bool = False
    first_layer: int = 0
    last_layer: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        """The parameters that carry a value: all but the flag words."""
        return tuple(p for p in self.params if p.type != "#")

    @property
    def arguments(self) -> tuple[Field, ...]:
        """The fields in the order of the class: those that must be given come first."""
        return tuple(sorted(self.fields, key=lambda f: (f.optional, self.may_omit(f))))

    def may_omit(self, field: Field) -> bool:
        """Tell whether a field that is always on the wire may be left out by a user.

        That is ``random_id``, where it numbers what is about to be made: the client makes it up.
        """
        return (
            field.name == "random_id"
            and field.type in ("int", "long", "Vector<long>")
            and field.word is None
            and (self.is_method or self.result in _NUMBERED)
        )

    @property
    def generic(self) -> bool:
        """True if the answer is that of the wrapped query (``{X:Type} ... query:!X = X``)."""
        return self.result == "X"

    @property
    def namespace(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def class_name(self) -> str:
        """Name of the Python class, without its namespace."""
        return class_name(self.name)

    @property
    def qualified_name(self) -> str:
        """Name of the Python class within its facade: ``messages.UpdatePinnedMessage``."""
        return f"{self.namespace}.{self.class_name}".lstrip(".")

    def field(self, attribute: str) -> Field | None:
        """Find a field by the name of its attribute."""
        return next((f for f in self.params if f.attribute == attribute), None)

    def __str__(self) -> str:
        words = [f"{self.name}#{self.id:08x}"]
        if self.generic or any(p.type in ("X", "!X") for p in self.params):
            words.append("{X:Type}")
        words += map(str, self.params)
        return " ".join([*words, "=", self.result])


def class_name(name: str) -> str:
    """Give the Python name of a TL name or type, namespace left out.

    Words are split at ``_`` and begin with a capital: ``req_DH_params`` is ``ReqDHParams``.
    """
    words = name.rpartition(".")[2].split("_")
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return f"{joined}_" if keyword.iskeyword(joined) else joined


def vector_item(tl_type: str) -> str | None:
    """Give the type of a vector's items, or None if the type is no vector."""
    return tl_type[7:-1] if tl_type[1:7] == "ector<" and tl_type[0] in "Vv" else None


def declared_id(declaration: str) -> int:
    """Compute the id that a declaration has unless it states another: CRC32 of its plain form.

    Left out: the stated id, ``;``, ``flags.N?true`` fields, braces. ``<`` and ``>`` become
    spaces and a plain ``bytes`` field counts as ``string``.
    """
    text = re.sub(r"#[0-9a-f]+(?= )", "", declaration.rstrip("; "), count=1)
    text = re.sub(r" \w+:\w+\.\d+\?true(?= )", "", text)
    text = re.sub(r":((?:\w+\.\d+\?)?)bytes(?= )", r":\1string", text)
    text = text.translate({ord("<"): " ", ord(">"): None, ord("{"): None, ord("}"): None})
    return zlib.crc32(" ".join(text.split()).encode())
