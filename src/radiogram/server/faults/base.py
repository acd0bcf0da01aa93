"""Server layer, faults: what a fault is, whom it is for, and the board on which they wait.

Knows the kinds of faults as data, and how a fault finds its victim. Carries out nothing.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from radiogram.errors import RadiogramError

if TYPE_CHECKING:
    from radiogram.server.faults.chaos import Chaos
    from radiogram.server.rpc import Context
    from radiogram.server.server import Server
    from radiogram.tl.base import Request

Moment = Literal["before", "result", "after"]
"""Of a call: before it is executed; when its result is known but not encoded; when the answer is
ready and everything is written down."""


class FaultError(RadiogramError, ValueError):
    """A fault cannot be as it was described; the text names the field, its value and a remedy."""


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault that was injected."""

    kind: str
    """What it was: ``error``, ``drop``, ``lose``, ``delay``, ``repeat``, ``push`` ..."""
    detail: str
    """The error, the method, or what else was meant."""
    user_id: int
    """The account whose call, packet or update it was; 0 if nobody was logged in."""
    at: int = field(default=0, compare=False)
    """Of chaos: which packet or update of that account it was, counted from 1; otherwise 0."""


class Who(NamedTuple):
    """Whose call or packet it is."""

    user_id: int = 0
    key_id: int = 0
    """Id of the auth key, unsigned."""
    session_id: int = 0


NOBODY = Who()


@dataclass(slots=True, kw_only=True)
class Aim:
    """Which calls, packets or updates a fault is for."""

    user_id: int | None = None
    """Only those of one account."""
    key_id: int | None = None
    """Only those under one auth key."""
    session_id: int | None = None
    """Only those of one MTProto session."""
    times: int | None = 1
    """How often; None: until it is cleared."""
    after: int = 0
    """Let so many pass first."""
    until: float | None = None
    """Only before this unix time of the server's clock."""
    when: Callable[[Any], bool] | None = None
    """Only those for which this is true of the request, of the newest layer, or of the update."""

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise FaultError(f"times: {self.times} is not a number of times; give 1 or more")
        if self.after < 0:
            raise FaultError(f"after: {self.after} cannot pass first; give 0 or more")

    def hits(self, who: Who, what: Any, now: float = 0.0) -> bool:
        """Tell whether this one is meant, and count it."""
        if (
            self.times == 0
            or (self.user_id is not None and self.user_id != who.user_id)
            or (self.key_id is not None and self.key_id != who.key_id)
            or (self.session_id is not None and self.session_id != who.session_id)
            or (self.until is not None and now >= self.until)
            or (self.when is not None and not self.when(what))
        ):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def is_over(self, now: float) -> bool:
        """Whether it will never hit again."""
        return self.times == 0 or (self.until is not None and now >= self.until)

    def __str__(self) -> str:
        parts = [
            f"{name}={getattr(self, name)}"
            for name in ("user_id", "key_id", "session_id", "until")
            if getattr(self, name) is not None
        ]
        parts.append(f"times={'all' if self.times is None else self.times}")
        if self.after:
            parts.append(f"after={self.after}")
        return ",".join(parts)


@dataclass(slots=True, kw_only=True)
class Fault:
    """Something that waits for its victim."""

    kind: str
    aim: Aim
    detail: str = ""
    """What else there is to say of it: a code, a number, a name."""

    def __str__(self) -> str:
        return f"{self.kind} {self.detail},{self.aim}".replace(" ,", ",")


@dataclass(slots=True, kw_only=True)
class CallFault(Fault):
    """What happens to a call. Exactly one of the fields below says it, and `kind` names that."""

    method: str
    """Its TL name, or a pattern."""
    moment: Moment = "before"
    error: tuple[int, str] | None = None
    """Code and message to answer with."""
    popup: str | None = None
    """With an error: what a service notification behind it says."""
    ends_login: bool = False
    """With an error: the key is logged out."""
    reset: bool = False
    """Of kind ``drop``: as by a crash, without an orderly end."""
    delay: float = 0.0
    """Of kind ``delay``: seconds of the server's clock by which the answer comes later."""
    alter: Callable[[Request[Any]], Request[Any]] | None = None
    """Makes another request of it."""
    answer: Callable[[Request[Any]], object] | None = None
    """Gives the result in the place of the handler."""
    change: Callable[[Context, Request[Any], Any], object] | None = None
    """Makes another result of it."""
    layer: int = 0
    """Encode the result in this layer."""

    def __str__(self) -> str:
        return f"{self.kind} {self.method} {self.detail},{self.aim}".replace(" ,", ",")


@dataclass(slots=True, kw_only=True)
class PacketFault(Fault):
    """What happens to packets that the server sends or receives."""

    incoming: bool = False
    code: int = 0
    """The transport error, or the number of a refusal."""
    method: str | None = None
    """Only packets with a call of this method in them."""
    close: bool = True
    """Of kind ``error``: whether the connection ends with it."""
    reset: bool = False
    """Of kind ``drop``: as by a crash."""
    spoiling: str = ""
    """Of kind ``spoil``: what is wrong with the packet."""
    instead: bool = False
    """Of kind ``spoil``: the good packet is not sent at all."""


@dataclass(slots=True, kw_only=True)
class LineFault(Fault):
    """What happens to a connection."""

    size: int = 0
    """Bytes or packets, according to kind."""
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class PushFault(Fault):
    """What happens to updates that are pushed."""

    update: str = "*"
    """Only pushes with an update of this name or pattern."""
    number: int = 0


@dataclass(slots=True, kw_only=True)
class ExchangeFault(Fault):
    """What happens to a key exchange."""

    step: str
    """The answer it is for: ``resPQ``, ``server_DH_params`` or ``dh_gen``."""
    seconds: float = 0.0


class Withheld(Exception):
    """The answer to a call does not go out as it should; `answer` is ready if it was executed."""

    def __init__(self, fault: CallFault, answer: bytes | None = None) -> None:
        super().__init__(fault.kind)
        self.fault = fault
        self.answer = answer


class Board:
    """The faults that wait, and those that happened: what the classes of this package share."""

    def __init__(self, seed: int = 0) -> None:
        self.injected: list[Injected] = []
        """What was injected so far, the oldest first."""
        self.seed = seed
        """What chaos does by chance follows from this number, unless it is given another."""
        self.held: list[Callable[[], None]] = []
        """Updates that were kept back."""
        self.overtaken: dict[int, list[Callable[[], None]]] = {}
        """Updates that wait for the next ones of their account, by its id."""
        self.answers: list[Callable[[], None]] = []
        """Answers that were kept back."""
        self.states: dict[int, set[str]] = {}
        """What has become of accounts: ``frozen``, ``limited`` or ``premium``, by id."""
        self.chaos_plan: Chaos | None = None
        self.calls: list[CallFault] = []
        self.packets: list[PacketFault] = []
        self.lines: list[LineFault] = []
        self.pushes: list[PushFault] = []
        self.exchanges: list[ExchangeFault] = []
        self.frozen_since: dict[int, int] = {}
        """When accounts were frozen."""
        self._server: Server | None = None

    def attach(self, server: Server) -> None:
        """Let the faults be those of a server that has started."""
        self._server = server

    @property
    def server(self) -> Server:
        """The server. Raises FaultError if there is none."""
        if self._server is None:
            raise FaultError("these faults belong to no server that runs; start one first")
        return self._server

    @property
    def waiting(self) -> list[Fault]:
        """The faults that were added and have not spent themselves."""
        found = [*self.calls, *self.packets, *self.lines, *self.pushes, *self.exchanges]
        now = self._now()
        return [one for one in found if not one.aim.is_over(now)]

    def count(self, kind: str, detail: str = "*") -> int:
        """Count what was injected, by kind and by a pattern for the detail."""
        return sum(
            one.kind == kind and fnmatch.fnmatchcase(one.detail, detail) for one in self.injected
        )

    def note(self, kind: str, detail: str, user_id: int = 0, at: int = 0) -> None:
        """Write down that a fault was injected."""
        self.injected.append(Injected(kind, detail, user_id, at))

    def _aim(self, *, lasting: float | None = None, **aim: Any) -> Aim:
        """Make an aim; `lasting` is in seconds of the server's clock from now on."""
        if lasting is not None:
            aim["until"] = self.server.world.clock.now() + lasting
            aim.setdefault("times", None)
        try:
            return Aim(**aim)
        except TypeError:
            unknown = sorted(set(aim) - set(Aim.__dataclass_fields__))
            raise FaultError(
                f"{', '.join(unknown)}: a fault cannot be aimed by that; use user_id, key_id,"
                " session_id, times, after, lasting or when"
            ) from None

    def _now(self) -> float:
        return 0.0 if self._server is None else self._server.world.clock.now()
