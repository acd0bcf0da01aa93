"""Layer 5, docs: sentences of our own, and the values of examples.

Reads ``texts/*.toml``, a file for each namespace. A table has the name of a method, constructor or
type, with ``about`` (one sentence), ``details`` (more, if there is more to say), ``result``,
``related`` (names) and the tables ``params`` and ``errors`` (what an error means here, where that
is more than it means everywhere). Names without a namespace are in ``base.toml``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from radiogram.errors import RadiogramError


class TextsError(RadiogramError, ValueError):
    """A file of texts is not as it must be; the message names file, table and key."""


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of one name."""

    about: str = ""
    details: str = ""
    result: str = ""
    params: dict[str, str] = msgspec.field(default_factory=dict)
    errors: dict[str, str] = msgspec.field(default_factory=dict)
    related: tuple[str, ...] = ()
    guide: str = ""
    """Guide that tells more."""
    section: str = ""
    """Section of that guide that the page shows."""


NOTHING = Text()


def text(name: str) -> Text:
    """Give what is said of a method, constructor or type; nothing if nobody wrote about it."""
    return read(name.rpartition(".")[0] or "base").get(name, NOTHING)


@cache
def read(namespace: str) -> dict[str, Text]:
    """Read the texts of one namespace. Raises TextsError."""
    path = files("radiogram.docs") / "texts" / f"{namespace}.toml"
    return parse(path) if path.is_file() else {}


def parse(path: Traversable) -> dict[str, Text]:
    """Read one file. Raises TextsError."""
    return {
        name: _convert(table, f"{path.name}: [{name!r}]") for name, table in read_toml(path).items()
    }


def read_toml(path: Traversable) -> dict[str, Any]:
    """Read a TOML file. Raises TextsError, which names it."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise TextsError(f"{path.name}: {error}") from None


def _convert(table: object, where: str) -> Text:
    try:
        return msgspec.convert(table, Text)
    except msgspec.ValidationError as error:
        raise TextsError(f"{where}: {error}") from None
