"""Server layer, faults: what can happen to connections and packets (E16 to E24, E28, E29).

Knows which fault is for which packet. Knows neither sockets nor what is inside a packet.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from typing import Any

from radiogram.server.faults import names
from radiogram.server.faults.base import (
    NOBODY,
    Aim,
    Board,
    ExchangeFault,
    FaultError,
    LineFault,
    PacketFault,
    Who,
)
from radiogram.server.faults.chaos import CHAOS_KINDS, Chaos, Planned

BAD_MSG_CODES = (16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64)
SPOILINGS = (
    "msg_key",
    "session_id",
    "parity",
    "too_old",
    "too_new",
    "repeated_id",
    "padding",
    "length",
)
"""What can be wrong with a packet (E29)."""
EXCHANGE_STEPS = {
    "unknown_fingerprint": "resPQ",
    "wrong_nonce": "resPQ",
    "bad_prime": "server_DH_params",
    "bad_g_a": "server_DH_params",
    "bad_hash": "server_DH_params",
    "wrong_inner_nonce": "server_DH_params",
    "retry": "dh_gen",
    "fail": "dh_gen",
    "wrong_new_nonce_hash": "dh_gen",
}
"""What can be wrong in a key exchange, and in which answer (E28)."""


class WireFaults(Board):
    """Faults of connections, packets and key exchanges."""

    # -------------------------------------------------------------- connections: E17, E18, E19

    def refuse_connections(self, **aim: Any) -> None:
        """Reset new connections at once (E18)."""
        self._line("refuse", aim)

    def stall_connections(self, **aim: Any) -> None:
        """Accept new connections, and never answer on them (E18)."""
        self._line("stall", aim)

    def fragment(self, size: int = 1, *, seconds: float = 0.0, **aim: Any) -> None:
        """Write what goes over a connection in pieces of so many bytes (E19).

        Between two pieces pass `seconds` of real time. One time is one connection.
        """
        if size < 1:
            raise FaultError(f"size: {size} bytes never arrive; give 1 or more")
        self._line("fragment", aim, size=size, seconds=seconds, detail=str(size))

    def coalesce(self, packets: int = 2, **aim: Any) -> None:
        """Write what goes over a connection only when so many packets have gathered (E19).

        Fewer leave when nothing comes for a twentieth of a second. One time is one connection.
        """
        if packets < 2:
            raise FaultError(f"packets: {packets} is no gathering; give 2 or more")
        self._line("coalesce", aim, size=packets, detail=str(packets))

    def cut_connection(self, size: int, **aim: Any) -> None:
        """Send so many more bytes over a connection and then close it, within a frame or not (E17).

        One time is one connection.
        """
        if size < 0:
            raise FaultError(f"size: {size} bytes cannot be sent; give 0 or more")
        self._line("cut", aim, size=size, detail=str(size))

    # -------------------------------------------------------------- packets: E16, E17, E20

    def drop_after_packets(self, packets: int, *, reset: bool = False, **aim: Any) -> None:
        """Close a connection when so many more packets have come from it (E17)."""
        aim.setdefault("after", packets)
        self._packet("drop", aim, incoming=True, reset=reset)

    def transport_error(
        self, code: int, method: str | None = None, *, close: bool = True, **aim: Any
    ) -> None:
        """Answer packets with a transport error such as -404 or -429 (E16).

        And close the connection, unless told not to. `method`: only packets with such a call.
        """
        if code >= 0:
            raise FaultError(f"code: {code} is no transport error; give one below 0, such as -404")
        self._packet(
            "error", aim, incoming=True, code=code, method=method, close=close, detail=str(code)
        )

    def lose_packets(self, *, incoming: bool = False, **aim: Any) -> None:
        """Let packets disappear, on their way out or in; acks go with them (E20)."""
        self._packet("lose", aim, incoming=incoming)

    def repeat_packets(self, **aim: Any) -> None:
        """Send packets twice (E20)."""
        self._packet("repeat", aim)

    def reorder_packets(self, **aim: Any) -> None:
        """Send packets behind the next ones (E20)."""
        self._packet("reorder", aim)

    def lose_acks(self, **aim: Any) -> None:
        """Never send acknowledgements that are due (E20)."""
        self._packet("ack", aim)

    # -------------------------------------------------------------- messages: E21, E23, E24, E29

    def bad_salts(self, method: str | None = None, **aim: Any) -> None:
        """Answer packets with bad_server_salt, each with a new salt (E21)."""
        self._packet("salt", aim, incoming=True, method=method)

    def bad_msg(self, code: int, method: str | None = None, **aim: Any) -> None:
        """Answer packets with bad_msg_notification, and do not read them (E23).

        Codes: 16 to 20, 32 to 35, 48 (that is bad_server_salt) and 64.
        """
        if code not in BAD_MSG_CODES:
            known = ", ".join(map(str, BAD_MSG_CODES))
            raise FaultError(f"code: {code} is not known to clients; choose from {known}")
        self._packet("refuse", aim, incoming=True, code=code, method=method, detail=str(code))

    def forget_session(self, method: str | None = None, **aim: Any) -> None:
        """Forget the session that sends a packet before reading it: new_session_created (E24)."""
        self._packet("forget", aim, incoming=True, method=method)

    def spoil_packets(self, spoiling: str, *, instead: bool = False, **aim: Any) -> None:
        """Send packets that a client must not accept (E29), before the good ones or `instead`.

        What is wrong: msg_key, session_id, parity (the msg_id is a client's), too_old, too_new,
        repeated_id, padding, or length (more than there is).
        """
        if spoiling not in SPOILINGS:
            raise FaultError(
                f"spoiling: {spoiling!r} is not known; choose from {', '.join(SPOILINGS)}"
            )
        self._packet("spoil", aim, spoiling=spoiling, instead=instead, detail=spoiling)

    # -------------------------------------------------------------- key exchanges: E28

    def spoil_exchange(self, spoiling: str, **aim: Any) -> None:
        """Answer something in a key exchange that a client must refuse, or repeat (E28).

        In resPQ: unknown_fingerprint, wrong_nonce. In server_DH_params_ok: bad_prime, bad_g_a,
        bad_hash, wrong_inner_nonce. At the end: retry, fail, wrong_new_nonce_hash.
        """
        if spoiling not in EXCHANGE_STEPS:
            raise FaultError(
                f"spoiling: {spoiling!r} is not known; choose from {', '.join(EXCHANGE_STEPS)}"
            )
        step = EXCHANGE_STEPS[spoiling]
        self.exchanges.append(ExchangeFault(kind=spoiling, aim=self._aim(**aim), step=step))

    def delay_exchange(self, seconds: float, **aim: Any) -> None:
        """Answer the steps of a key exchange later, by the server's clock (E28)."""
        self.exchanges.append(
            ExchangeFault(kind="delay", aim=self._aim(**aim), step="*", seconds=float(seconds))
        )

    # -------------------------------------------------------------- chance

    def chaos(
        self,
        *,
        every: int = 50,
        seed: int | None = None,
        kinds: Sequence[str] = CHAOS_KINDS,
    ) -> None:
        """Let one packet in `every`, on average, meet a fault; the same ones for the same seed.

        Without `seed` it is :attr:`seed`. Kinds: drop (close the connection), lose, repeat,
        reorder; push lets one update in `every` get lost, come twice or be overtaken by the next
        one for anybody. Only on request: salt (bad_server_salt), spoil (a packet that must not be
        accepted comes first) and forget (the session, so that a repeated call is executed twice).
        What happens to the nth packet of an account depends on nothing but the seed.
        """
        self.chaos_plan = Chaos.of(self.seed if seed is None else seed, every, kinds)

    # -------------------------------------------------------------- asked by the server

    @property
    def has_packets(self) -> bool:
        """Whether any fault waits for a packet."""
        return bool(self.packets) or (
            self.chaos_plan is not None and self.chaos_plan.may("in", "out")
        )

    def of_line(self, kinds: tuple[str, ...], who: Who = NOBODY) -> LineFault | None:
        """Return what happens to a connection: one of some kinds.

        Who it belongs to is not known before its first packet: until then it can be nobody's.
        """
        for fault in self.lines:
            aim = fault.aim
            aimed = (aim.user_id, aim.key_id, aim.session_id) != (None, None, None)
            if fault.kind not in kinds or (aimed and who is NOBODY):
                continue
            if aim.hits(who, None, self._now()):
                self._spent(fault.kind, fault.detail, who)
                return fault
        return None

    def of_packet(
        self,
        who: Who,
        *,
        incoming: bool,
        methods: Callable[[], set[str]] = set,
    ) -> PacketFault | None:
        """Return what happens to a packet. `methods` tells which calls are in it."""
        planned = self._by_chance("in" if incoming else "out", who)
        for fault in self.packets:
            if fault.incoming != incoming or fault.kind == "ack":
                continue
            if fault.method is not None and not fnmatch.filter(methods(), fault.method):
                continue
            if fault.aim.hits(who, None, self._now()):
                self._spent(fault.kind, fault.detail or ("in" if incoming else "out"), who)
                return fault
        if planned is None:
            return None
        direction = "in" if incoming else "out"
        self.note(planned.kind, direction, who.user_id, planned.number)
        return PacketFault(kind=planned.kind, aim=Aim(), incoming=incoming, spoiling="msg_key")

    def loses_ack(self, who: Who) -> bool:
        """Tell whether acknowledgements that are due are not to be sent."""
        for fault in self.packets:
            if fault.kind == "ack" and fault.aim.hits(who, None, self._now()):
                self._spent("ack", "out", who)
                return True
        return False

    @property
    def has_lost_acks(self) -> bool:
        """Whether acknowledgements may have to be lost."""
        return any(fault.kind == "ack" for fault in self.packets)

    def of_exchange(self, step: str) -> ExchangeFault | None:
        """Return what happens to an answer of a key exchange; ``*`` asks for a delay of any."""
        for fault in self.exchanges:
            if fault.step == step and fault.aim.hits(NOBODY, None, self._now()):
                self._spent("exchange", fault.kind, NOBODY)
                return fault
        return None

    def _by_chance(self, direction: str, who: Who) -> Planned | None:
        return None if self.chaos_plan is None else self.chaos_plan.next(direction, who.user_id)

    def _spent(self, kind: str, detail: str, who: Who) -> None:
        """Note a fault, and take away those that are over."""
        now = self._now()
        self.note(kind, detail, who.user_id)
        self.packets = [one for one in self.packets if not one.aim.is_over(now)]
        self.lines = [one for one in self.lines if not one.aim.is_over(now)]
        self.exchanges = [one for one in self.exchanges if not one.aim.is_over(now)]

    # -------------------------------------------------------------- adding

    def _packet(self, kind: str, aim: dict[str, Any], **more: Any) -> None:
        if more.get("method") is not None:
            names.check("method", more["method"])
        self.packets.append(PacketFault(kind=kind, aim=self._aim(**aim), **more))

    def _line(self, kind: str, aim: dict[str, Any], **more: Any) -> None:
        self.lines.append(LineFault(kind=kind, aim=self._aim(**aim), **more))
