"""Server layer: what goes wrong on purpose (part E).

A test tells a server which call, packet or update is to meet which fault, and how often; the other
parts of the server ask here at the moment when it could happen. Knows what each fault is and
whom it is for; knows nothing of how it is carried out.

Everything that was injected is written to :attr:`Faults.injected`, so that a test can say "the
client tried again exactly once".
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, NamedTuple

from radiogram.tl.base import Request

Moment = Literal["before", "after"]
"""Of a call: before it is executed, or after it was executed and its answer is ready."""


class Injected(NamedTuple):
    """One fault that was injected."""

    kind: str
    """What it was: ``error``, ``drop``, ``lose``, ``delay``, ``repeat``, ``push`` ..."""
    detail: str
    """The error, the method, or what else was meant."""
    user_id: int
    """The account whose call, packet or update it was; 0 if nobody was logged in."""


@dataclass(slots=True, kw_only=True)
class Aim:
    """Which calls, packets or updates a fault is for."""

    user_id: int | None = None
    """Only those of one account."""
    times: int | None = 1
    """How often; None: until it is cleared."""
    after: int = 0
    """Let so many pass first."""
    when: Callable[[Any], bool] | None = None
    """Only those for which this is true of the request, of the newest layer."""

    def hits(self, user_id: int, what: Any) -> bool:
        """Tell whether this one is meant, and count it."""
        if self.times == 0 or (self.user_id is not None and self.user_id != user_id):
            return False
        if self.when is not None and not self.when(what):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    @property
    def is_spent(self) -> bool:
        """Whether it will never hit again."""
        return self.times == 0


@dataclass(slots=True, kw_only=True)
class CallFault:
    """What happens to a call."""

    method: str
    aim: Aim
    moment: Moment = "before"
    error: tuple[int, str] | None = None
    """Code and message to answer with."""
    lose: bool = False
    """Answer nothing, though a later repetition is answered."""
    drop: bool = False
    """Close the connection."""
    delay: float = 0.0
    """Seconds of the server's clock by which the answer comes later."""

    @property
    def kind(self) -> str:
        if self.error is not None:
            return "error"
        return "drop" if self.drop else "lose" if self.lose else "delay"


@dataclass(slots=True, kw_only=True)
class PacketFault:
    """What happens to packets that the server sends or receives."""

    kind: Literal["drop", "error", "lose", "repeat", "reorder"]
    aim: Aim
    incoming: bool = False
    code: int = 0
    """The transport error, of kind ``error``."""


@dataclass(slots=True, kw_only=True)
class PushFault:
    """What happens to updates that are pushed."""

    kind: Literal["lose", "repeat", "hold", "too_long"]
    aim: Aim


@dataclass(slots=True)
class Chaos:
    """Faults by chance."""

    random: Random
    every: int
    """Packets between two faults, on average."""
    kinds: tuple[str, ...]


CHAOS_KINDS = ("drop", "lose", "repeat", "reorder", "push")
"""Faults that :meth:`Faults.chaos` can choose; ``push`` loses, repeats or holds back updates."""


class Faults:
    """The faults of one server. Every method adds some; :meth:`clear` takes all away.

    Methods of the API are named as in TL (``messages.sendMessage``), or by a pattern
    (``messages.*``). The keywords of :class:`Aim` (`user_id`, `times`, `after`, `when`) go with
    every fault. Nothing here touches a client that no fault is aimed at.
    """

    def __init__(self) -> None:
        self.injected: list[Injected] = []
        """What was injected so far, the oldest first."""
        self._calls: list[CallFault] = []
        self._packets: list[PacketFault] = []
        self._pushes: list[PushFault] = []
        self._chaos: Chaos | None = None
        self.held: list[Callable[[], None]] = []
        """What :meth:`hold_updates` has kept back."""

    @property
    def has_calls(self) -> bool:
        """Whether any fault waits for a call."""
        return bool(self._calls)

    @property
    def has_packets(self) -> bool:
        """Whether any fault waits for a packet."""
        return bool(self._packets) or self._chaos_hits(*CHAOS_KINDS[:-1])

    @property
    def has_pushes(self) -> bool:
        """Whether any fault waits for an update."""
        return bool(self._pushes) or self._chaos_hits("push")

    def clear(self) -> None:
        """Take away every fault that waits; updates that are held back go out now."""
        self._calls.clear()
        self._packets.clear()
        self._pushes.clear()
        self._chaos = None
        self.release_updates()

    def count(self, kind: str, detail: str = "*") -> int:
        """Count what was injected, by kind and by a pattern for the detail."""
        return sum(
            one.kind == kind and fnmatch.fnmatchcase(one.detail, detail) for one in self.injected
        )

    # -------------------------------------------------------------- calls: E1 to E15, E30, E31

    def error(
        self, method: str, code: int, message: str, *, executed: bool = False, **aim: Any
    ) -> None:
        """Answer calls with an error (E31); `executed`: after they have done their work (E8)."""
        moment: Moment = "after" if executed else "before"
        self._calls.append(
            CallFault(method=method, aim=Aim(**aim), moment=moment, error=(code, message))
        )

    def flood_wait(self, method: str, seconds: int, **aim: Any) -> None:
        """Answer FLOOD_WAIT_X (E1). 0 seconds are possible."""
        self.error(method, 420, f"FLOOD_WAIT_{seconds}", **aim)

    def slow_mode(self, seconds: int, method: str = "messages.send*", **aim: Any) -> None:
        """Answer SLOWMODE_WAIT_X to sends (E3)."""
        self.error(method, 420, f"SLOWMODE_WAIT_{seconds}", **aim)

    def internal_error(
        self, method: str, name: str = "RPC_CALL_FAIL", *, executed: bool = False, **aim: Any
    ) -> None:
        """Answer an error of the server's own (E8), before or after executing the call."""
        self.error(method, 500, name, executed=executed, **aim)

    def timeout(self, method: str, **aim: Any) -> None:
        """Answer that a bot or the back end was too slow (E6)."""
        self.error(method, -503, "Timeout", **aim)

    def migrate(self, method: str, dc_id: int, kind: str = "USER", **aim: Any) -> None:
        """Send a call to another data centre (E5): kind USER, PHONE, NETWORK, FILE or STATS."""
        self.error(method, 303, f"{kind}_MIGRATE_{dc_id}", **aim)

    def unauthorized(self, method: str = "*", name: str = "SESSION_REVOKED", **aim: Any) -> None:
        """Say that the login is over (E11, E12), without ending it."""
        self.error(method, 401, name, **aim)

    def duplicated_key(self, method: str = "*", **aim: Any) -> None:
        """Say that a key was used from two places at once (E14)."""
        self.error(method, 406, "AUTH_KEY_DUPLICATED", **aim)

    def not_initialised(self, method: str = "*", **aim: Any) -> None:
        """Ask for initConnection again (E30)."""
        self.error(method, 400, "CONNECTION_NOT_INITED", **aim)

    # -------------------------------------------------------------- answers: E17, E18, E20

    def lose_answer(self, method: str, **aim: Any) -> None:
        """Execute calls and never send the answer by itself (E20)."""
        self._calls.append(CallFault(method=method, aim=Aim(**aim), moment="after", lose=True))

    def delay_answer(self, method: str, seconds: float, **aim: Any) -> None:
        """Send answers later, by the server's clock (E18)."""
        self._calls.append(
            CallFault(method=method, aim=Aim(**aim), moment="after", delay=float(seconds))
        )

    def drop_connection(self, method: str, *, executed: bool = False, **aim: Any) -> None:
        """Close the connection instead of answering, before or after executing the call (E17)."""
        moment: Moment = "after" if executed else "before"
        self._calls.append(CallFault(method=method, aim=Aim(**aim), moment=moment, drop=True))

    # -------------------------------------------------------------- packets: E16, E17, E19, E20

    def drop_after_packets(self, packets: int, **aim: Any) -> None:
        """Close a connection when so many more packets have come from it (E17)."""
        aim.setdefault("after", packets)
        self._packets.append(PacketFault(kind="drop", aim=Aim(**aim), incoming=True))

    def transport_error(self, code: int, **aim: Any) -> None:
        """Answer packets with a transport error such as -404 or -429, and close (E16)."""
        self._packets.append(PacketFault(kind="error", aim=Aim(**aim), incoming=True, code=code))

    def lose_packets(self, *, incoming: bool = False, **aim: Any) -> None:
        """Let packets disappear, on their way out or in; acks go with them (E20)."""
        self._packets.append(PacketFault(kind="lose", aim=Aim(**aim), incoming=incoming))

    def repeat_packets(self, **aim: Any) -> None:
        """Send packets twice (E20)."""
        self._packets.append(PacketFault(kind="repeat", aim=Aim(**aim)))

    def reorder_packets(self, **aim: Any) -> None:
        """Send packets behind the next ones (E20)."""
        self._packets.append(PacketFault(kind="reorder", aim=Aim(**aim)))

    def chaos(self, *, every: int = 50, seed: int = 0, kinds: Iterable[str] = CHAOS_KINDS) -> None:
        """Let one packet in `every`, on average, meet a fault; the same ones for the same seed.

        Kinds: drop (close the connection), lose, repeat, reorder; push lets one update in `every`
        get lost, come twice or be overtaken by the next one for anybody.
        """
        chosen = tuple(kinds)
        unknown = sorted(set(chosen) - set(CHAOS_KINDS))
        if unknown or not chosen:
            raise ValueError(f"kinds: {unknown or 'none'}; choose from {', '.join(CHAOS_KINDS)}")
        if every < 1:
            raise ValueError(f"every: {every} is not a number of packets; give 1 or more")
        self._chaos = Chaos(Random(seed), every, chosen)

    # -------------------------------------------------------------- updates: E25

    def lose_updates(self, **aim: Any) -> None:
        """Do not push updates, though they happened: the client finds a gap (E25)."""
        self._pushes.append(PushFault(kind="lose", aim=Aim(**aim)))

    def repeat_updates(self, **aim: Any) -> None:
        """Push updates twice (E25)."""
        self._pushes.append(PushFault(kind="repeat", aim=Aim(**aim)))

    def hold_updates(self, **aim: Any) -> None:
        """Keep updates back until :meth:`release_updates`; later ones overtake them (E25)."""
        self._pushes.append(PushFault(kind="hold", aim=Aim(**aim)))

    def release_updates(self) -> None:
        """Push what was held back."""
        held, self.held = self.held, []
        for push in held:
            push()

    def updates_too_long(self, **aim: Any) -> None:
        """Push ``updatesTooLong`` in the place of updates (C0.3.8, E25)."""
        self._pushes.append(PushFault(kind="too_long", aim=Aim(**aim)))

    # -------------------------------------------------------------- asked by the server

    def of_call(self, request: Request[Any], user_id: int, moment: Moment) -> CallFault | None:
        """Return what happens to a call at this moment."""
        for fault in self._calls:
            if fault.moment != moment or not fnmatch.fnmatchcase(request.TL_NAME, fault.method):
                continue
            if fault.aim.hits(user_id, request):
                detail = request.TL_NAME
                if fault.error is not None:
                    detail = f"{fault.error[1]} {detail}"
                self._note(fault.kind, detail, user_id)
                self._calls = [one for one in self._calls if not one.aim.is_spent]
                return fault
        return None

    def of_packet(self, user_id: int, *, incoming: bool) -> PacketFault | None:
        """Return what happens to a packet."""
        for fault in self._packets:
            if fault.incoming == incoming and fault.aim.hits(user_id, None):
                self._note(fault.kind, "in" if incoming else "out", user_id)
                self._packets = [one for one in self._packets if not one.aim.is_spent]
                return fault
        chaos = self._chaos
        if chaos is None or chaos.random.randrange(chaos.every):
            return None
        kind: Any = chaos.random.choice(chaos.kinds)
        if kind == "push":
            return None
        if incoming and kind in ("repeat", "reorder"):
            return None
        self._note(kind, "in" if incoming else "out", user_id)
        return PacketFault(kind=kind, aim=Aim(), incoming=incoming)

    def of_push(self, user_id: int) -> PushFault | None:
        """Return what happens to updates for an account."""
        for fault in self._pushes:
            if fault.aim.hits(user_id, None):
                self._note("push", fault.kind, user_id)
                self._pushes = [one for one in self._pushes if not one.aim.is_spent]
                return fault
        chaos = self._chaos
        if chaos is None or "push" not in chaos.kinds:
            return None
        self.release_updates()  # the next one has overtaken them
        if chaos.random.randrange(chaos.every):
            return None
        kind: Any = chaos.random.choice(("lose", "repeat", "hold"))
        self._note("push", kind, user_id)
        return PushFault(kind=kind, aim=Aim())

    def _chaos_hits(self, *kinds: str) -> bool:
        return self._chaos is not None and not set(kinds).isdisjoint(self._chaos.kinds)

    def _note(self, kind: str, detail: str, user_id: int) -> None:
        self.injected.append(Injected(kind, detail, user_id))


class Withheld(Exception):
    """The answer to a call does not go out as it should; `answer` is ready if it was executed."""

    def __init__(self, fault: CallFault, answer: bytes | None = None) -> None:
        super().__init__(fault.kind)
        self.fault = fault
        self.answer = answer
