"""Layer 5, docs: the examples on pages, as data, and what they printed when they were run.

Reads ``examples/*.toml``, a file for each namespace: for each method an array of tables with
``call`` (parameters as plain data), and where need be ``title``, ``actor`` (who calls, by default
Ada), ``steps`` (calls before it, each with ``method``, ``call`` and ``actor``), ``watch`` (whose
pushed updates are shown), ``fails`` (the error that it is about) and ``mask`` (fields that are not
the same every time, whose values are not shown). ``outputs.json`` is written by
``python -m radiogram.docs.run``. Runs nothing itself.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from radiogram.docs.code import Written
from radiogram.docs.texts import TextsError, read_toml


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that an example makes before the one that it is about."""

    method: str
    call: dict[str, Any] = msgspec.field(default_factory=dict)
    actor: str = ""
    """Who calls; empty: who acts in the example."""
    fails: str = ""
    """The error that it is answered with."""
    name: str = ""
    """Of a step that somebody else makes: the name under which the program has its answer from
    elsewhere (a scanned code), for references like ``$scanned.token``."""


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that can be made in the furnished world."""

    call: dict[str, Any] = msgspec.field(default_factory=dict)
    title: str = ""
    actor: str = "ada"
    steps: tuple[Step, ...] = ()
    watch: tuple[str, ...] = ()
    fails: str = ""
    mask: tuple[str, ...] = ()

    def written(self, method: str) -> list[Written]:
        """Give the calls that the acting account makes, as they are written in programs.

        Steps that somebody else makes are no part of the program; references to them need a name.
        """
        own = [Written(step.method, step.call, step.fails) for step in self.steps if not step.actor]
        return [*own, Written(method, self.call)]


class Output(msgspec.Struct, frozen=True):
    """What came of an example."""

    result: str = ""
    """As ``stringify()`` shows it."""
    error: str = ""
    """Name of the error instead of a result."""
    updates: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """What was pushed to whom, as ``stringify()`` shows it."""


def examples(method: str) -> tuple[Example, ...]:
    """Give the examples of a method, the one of its page first."""
    return read(method.rpartition(".")[0] or "base").get(method, ())


def outputs(method: str) -> tuple[Output, ...]:
    """Give what came of a method's examples when they were run last."""
    return _outputs().get(method, ())


def namespaces() -> list[str]:
    """Name the namespaces that have examples, sorted."""
    folder = files("radiogram.docs") / "examples"
    return sorted(one.name.removesuffix(".toml") for one in folder.iterdir())


@cache
def read(namespace: str) -> dict[str, tuple[Example, ...]]:
    """Read the examples of one namespace. Raises TextsError."""
    path = files("radiogram.docs") / "examples" / f"{namespace}.toml"
    if not path.is_file():
        return {}
    found = {}
    for method, tables in read_toml(path).items():
        try:
            found[method] = msgspec.convert(tables, tuple[Example, ...])
        except msgspec.ValidationError as error:
            raise TextsError(f"examples/{path.name}: [[{method!r}]]: {error}") from None
    return found


@cache
def _outputs() -> dict[str, tuple[Output, ...]]:
    path = files("radiogram.docs") / "outputs.json"
    if not path.is_file():
        return {}
    return msgspec.convert(json.loads(path.read_text("utf-8")), dict[str, tuple[Output, ...]])
