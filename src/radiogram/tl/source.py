"""Layer 0: Python source that is being written for one definition.

Knows lines and which fields each line handles, so that a traceback's line number names the
field at fault. Used by :mod:`~radiogram.tl.reader` and :mod:`~radiogram.tl.writer`.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from types import CodeType

import msgspec

from radiogram.tl.schema.definition import Definition, Field

_DOT = "\u00b7"  # a letter to Python, and in no name of TL


def typed_name(tl_type: str) -> str:
    """Give the global under which a boxed type is found; X and Object stand for any."""
    return f"_T_{'Object' if tl_type == 'X' else tl_type.replace('.', _DOT)}"


def bare_name(tl_type: str) -> str:
    """Give the global under which a bare type (``future_salt``, ``%FutureSalt``) is found."""
    return f"_B_{tl_type.lstrip('%').replace('.', _DOT)}"


def type_of_name(name: str) -> str:
    """Give the type that one of these globals is about."""
    return name[3:].replace(_DOT, ".")


def is_bare(tl_type: str) -> bool:
    """Tell whether a type, no vector, is laid out without its constructor number."""
    return tl_type[0] == "%" or tl_type.rpartition(".")[2][0].islower()


class Source:
    """Lines of a function, indented, each with the fields it handles."""

    def __init__(self, head: str) -> None:
        self._lines = [head]
        self.fields: list[tuple[Field, ...]] = [()]
        self.indent = 1

    def add(self, text: str, *fields: Field) -> None:
        """Add one line."""
        self._lines.append("    " * self.indent + text)
        self.fields.append(fields)

    @property
    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


class Compiled(msgspec.Struct, frozen=True):
    """A function's code, and what a traceback through it means."""

    code: CodeType
    definition: Definition
    fields: list[tuple[Field, ...]]


# By identity: code objects compare by value, and many definitions have the same shape.
_compiled: dict[int, Compiled] = {}


def compile_function(kind: str, definition: Definition, write: Callable[[], Source]) -> Compiled:
    """Compile what ``write`` gives: a module with one function.

    The source can be seen in tracebacks; it is written again when one is printed.
    """
    source = write()
    # No angle brackets: linecache would not ask for the source then.
    filename = f"radiogram.tl.{kind} {definition.name}#{definition.id:08x} {definition.first_layer}"
    module = compile(source.text, filename, "exec", dont_inherit=True)
    linecache.cache[filename] = (lambda: write().text,)
    code = next(const for const in module.co_consts if isinstance(const, CodeType))
    compiled = Compiled(code, definition, source.fields)
    _compiled[id(code)] = compiled
    return compiled


def compiled_from(code: CodeType) -> Compiled | None:
    """Give what is known about a code object, None if it was not compiled here."""
    return _compiled.get(id(code))
