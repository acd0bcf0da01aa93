"""Layer 5, docs: who may call a method, and which errors it can be answered with.

Reads ``facts.tsv``, which ``tools/facts.py`` writes. Knows nothing of pages.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What is known of a method besides its declaration; None: not known."""

    users: bool | None = None
    bots: bool | None = None
    business: bool | None = None
    """Over a business connection, by a bot."""
    before_login: bool | None = None
    errors: tuple[tuple[int, str], ...] = ()
    """Code and name, in the order of codes."""


UNKNOWN = Facts()
_KNOWN = {"1": True, "0": False, "?": None}


def facts(method: str) -> Facts:
    """Give what is known of a method; nothing of one that is not in the table."""
    return _table().get(method, UNKNOWN)


@cache
def _table() -> dict[str, Facts]:
    text = (files("radiogram.docs") / "facts.tsv").read_text("utf-8")
    found = {}
    for line in text.splitlines()[1:]:
        name, who, errors = line.split("\t")
        found[name] = _parse(who, errors)
    return found


def _parse(who: str, errors: str) -> Facts:
    found = []
    for group in errors.split():
        code, _, names = group.partition(":")
        found += [(int(code), name) for name in names.split(",")]
    users, bots, business, before_login = (_KNOWN[mark] for mark in who)
    return Facts(users, bots, business, before_login, tuple(found))
