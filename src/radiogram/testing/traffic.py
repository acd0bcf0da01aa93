"""Top layer, testing: a record of what a server was asked and what it told.

Knows calls, answers, pushes and faults, and how to show them in a few lines. Knows no test runner.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from radiogram.server.faults import Faults, Injected
from radiogram.tl.base import Request, TLObject

if TYPE_CHECKING:
    from radiogram.server.rpc import Caller, RpcFault
    from radiogram.tl import api

LIMIT = 1000
"""Entries that are kept; the oldest go first."""
SHOWN = 100
"""Entries that a report shows."""
WIDTH = 160
"""Characters of a line that a report shows."""
DEEP = 4
"""Objects within objects that a line shows."""
LONG = 40
"""Characters of a text, or items of a list, that a line shows."""


class Call(NamedTuple):
    """A call that the server got."""

    user_id: int
    """The account that called; 0 if nobody was signed in."""
    request: Request[Any]
    """In the newest layer, whatever the client speaks."""


class Entry(NamedTuple):
    """One line of the record."""

    time: float
    """Of the server's clock, unix seconds."""
    user_id: int
    kind: str
    """``call``, ``result``, ``error``, ``push``, ``fault`` or ``server``."""
    what: Any


@dataclass(slots=True, eq=False)
class _Wish:
    """Somebody waits for a call."""

    method: str
    user_id: int | None
    found: Future[Call] = field(default_factory=Future)

    def fits(self, call: Call) -> bool:
        return (self.user_id is None or self.user_id == call.user_id) and fnmatchcase(
            call.request.TL_NAME, self.method
        )


class Traffic:
    """What went over one server, in order. Filled in the server's thread, read in any."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._start = now()
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=LIMIT)
        self._count = 0
        self._unseen: deque[Call] = deque(maxlen=LIMIT)
        self._wishes: list[_Wish] = []
        self._names: dict[int, str] = {}

    # -------------------------------------------------------------- reading

    @property
    def entries(self) -> list[Entry]:
        """Everything that is kept, the oldest first."""
        with self._lock:
            return list(self._entries)

    def calls(self, method: str = "*", user_id: int | None = None) -> list[Call]:
        """Return the calls of a method or pattern, the oldest first."""
        wish = _Wish(method, user_id)
        found = [Call(one.user_id, one.what) for one in self.entries if one.kind == "call"]
        return [call for call in found if wish.fits(call)]

    def next_call(self, method: str, user_id: int | None = None) -> Future[Call]:
        """Return the next call of a method that this function has not returned before.

        It may have come already. Every call is given out once.
        """
        wish = _Wish(method, user_id)
        with self._lock:
            for call in self._unseen:
                if wish.fits(call):
                    self._unseen.remove(call)
                    wish.found.set_result(call)
                    return wish.found
            self._wishes = [one for one in self._wishes if not one.found.done()]
            self._wishes.append(wish)
        return wish.found

    def __str__(self) -> str:
        entries = self.entries
        shown = entries[-SHOWN:]
        lines = [self._line(one) for one in shown]
        left_out = self._count - len(shown)
        if left_out:
            lines.insert(0, f"({left_out} earlier entries are not shown)")
        return "\n".join(lines)

    def _line(self, entry: Entry) -> str:
        who = self._names.get(entry.user_id) or (str(entry.user_id) if entry.user_id else "-")
        sign = {"call": "->", "result": "<-", "error": "<-", "push": "<~"}.get(entry.kind, "**")
        what = entry.what
        if isinstance(what, Injected):
            text = f"fault: {what.kind} {what.detail}"
        else:
            text = what if isinstance(what, str) else brief(what)
        if len(text) > WIDTH:
            text = f"{text[: WIDTH - 3]}..."
        return f"{entry.time - self._start:+9.3f}  {who:<12} {sign} {text}"

    # -------------------------------------------------------------- filling

    def name(self, user_id: int, name: str) -> None:
        """Show an account by this name."""
        self._names[user_id] = name

    def note(self, kind: str, what: Any, user_id: int = 0) -> None:
        """Add an entry."""
        with self._lock:
            self._entries.append(Entry(self._now(), user_id, kind, what))
            self._count += 1

    def watch(self, faults: Faults) -> None:
        """Add an entry whenever a fault is injected."""
        faults.injected = _Told(faults.injected, self)

    def called(self, caller: Caller, request: Request[Any]) -> None:
        call = Call(caller.authorization.user_id, request)
        self.note("call", request, call.user_id)
        with self._lock:
            for wish in self._wishes:
                # False if whoever waited has given up.
                if wish.fits(call) and wish.found.set_running_or_notify_cancel():
                    self._wishes.remove(wish)
                    break
            else:
                self._unseen.append(call)
                return
        wish.found.set_result(call)

    def answered(self, caller: Caller, request: Request[Any], result: Any) -> None:
        self.note("result", result, caller.authorization.user_id)

    def refused(self, caller: Caller, fault: RpcFault) -> None:
        self.note("error", f"{fault.code} {fault.message}", caller.authorization.user_id)

    def pushed(self, user_id: int, updates: api.TypeUpdates) -> None:
        self.note("push", updates, user_id)


class _Told(list[Injected]):
    """A list of faults that tells of every new one."""

    def __init__(self, items: Iterable[Injected], traffic: Traffic) -> None:
        super().__init__(items)
        self._traffic = traffic

    def append(self, item: Injected) -> None:
        super().append(item)
        self._traffic.note("fault", item, item.user_id)


def brief(value: Any, depth: int = DEEP) -> str:
    """Show a TL value in one line: no defaults, nothing long, nothing deep."""
    if isinstance(value, TLObject):
        fields = []
        for name in value.__struct_fields__:
            part = getattr(value, name)
            if part is not None and part is not False and part != [] and part != 0:
                fields.append(f"{name}={brief(part, depth - 1)}")
        inside = ", ".join(fields) if depth > 0 or not fields else "..."
        return f"{value.TL_NAME}({inside})"
    if isinstance(value, list):
        if depth <= 0 and value:
            return f"[{len(value)}]"
        more = ", ..." if len(value) > LONG else ""
        return f"[{', '.join(brief(item, depth - 1) for item in value[:LONG])}{more}]"
    if isinstance(value, bytes) and len(value) > LONG:
        return f"<{len(value)} bytes>"
    if isinstance(value, str) and len(value) > LONG:
        return f"{value[:LONG]!r}..."
    return repr(value)
