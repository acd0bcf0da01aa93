"""Server layer, faults: whether there is what a fault is for.

Knows the names of methods and updates. A fault for a name that does not exist would never happen,
and the test that asked for it would pass.
"""

from __future__ import annotations

import difflib
import fnmatch
from functools import cache
from typing import Literal

from radiogram.server.faults.base import FaultError
from radiogram.tl.build import mtproto_registry, registry
from radiogram.tl.schema.tables import FIRST_LAYER

Kind = Literal["method", "update"]

_WILD = set("*?[")


def check(kind: Kind, pattern: str) -> None:
    """Raise FaultError if no method, or update, has such a name or fits such a pattern."""
    if pattern == "*" or _is_known(kind, pattern):
        return
    near = difflib.get_close_matches(pattern.lower(), _by_lower_case(), 10)
    names = [_by_lower_case()[name] for name in near]
    meant = next((name for name in names if _is_a(kind, name)), None)
    what = "fits the pattern" if _WILD & set(pattern) else "has the name"
    remedy = f"did you mean {meant}?" if meant else "names are those of TL, as messages.sendMessage"
    raise FaultError(f"{kind}: no {kind} {what} {pattern!r}; {remedy}")


@cache
def _is_known(kind: Kind, pattern: str) -> bool:
    if not _WILD & set(pattern):
        return _is_a(kind, pattern)
    return any(
        fnmatch.fnmatchcase(name, pattern) and _is_a(kind, name) for name in registry().names()
    )


def _is_a(kind: Kind, name: str) -> bool:
    # The oldest layer, too: clients that speak it call methods that were taken away since.
    for one in (registry(), registry(FIRST_LAYER), mtproto_registry()):
        found = one.find(name)
        if found is not None:
            return found.is_method == (kind == "method")
    return False


@cache
def _by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in registry().names()}
