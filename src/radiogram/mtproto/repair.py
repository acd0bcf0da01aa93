"""Layer 2: what becomes of a client's calls that the server refuses, loses or forgets.

Knows which calls are unanswered, the salt and the difference between the clocks. Must not know
what a call means, nor what its answer is.

Theory of operation. A call is kept until its answer comes. Whatever happens in between - a new
connection, a wrong salt, a clock that was off, a container the server took for a repetition - it is
sent again with its old msg_id and seq_no, so that the server can never execute it twice: it knows
the id, and gives the answer it has. Only where the id or the seq_no itself is what the server
objects to does a call become a new message; then the old one has not been executed:

====== ============================================================================================
code   what happens
====== ============================================================================================
16     the clock is set by the notification's packet, then sent again in a new container
17     the same, with a new id if the server names the call itself or can accept no such id yet; if
       that does not help, as 32
18     new id
19     sent again in another container
20     new id if the call itself is named, since the server then has no record of it
32, 33 new session; what had been sent before fails, since it may have been executed
34, 35 new id and seq_no, content-related or not as the server wants it
48     the salt is replaced, then sent again
64     sent again in smaller containers
====== ============================================================================================

A refused container says nothing about which of its messages is at fault, and the others may have
been executed already, out of another packet. 18, 34 and 35 therefore first divide it, like 64.

``new_session_created`` means that the server lost its memory of the session. Unanswered calls with
ids below its ``first_msg_id`` are sent again, with their old ids: a server that has forgotten
executes them (again, if it had and forgot that too: MTProto promises no more), one that only got
the packets in another order does not. Repairs of one call are bounded; then it fails.

A call that stays unanswered for longer than the round trips of the connection explain is asked
about with ``msgs_state_req``, and sent again if the server does not have it or says that it
answered. Each further question about the same call waits twice as long. Round trips are measured by
pongs, states, and calls that were answered before they were asked about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from struct import Struct
from typing import ClassVar, TypeVar, cast

from radiogram.crypto.keys import AuthKey
from radiogram.errors import DecodeError, RemoteProtocolError
from radiogram.mtproto.events import (
    CallDropped,
    CallFailed,
    Event,
    NewSession,
    SaltChanged,
    TimeChanged,
)
from radiogram.mtproto.message import MAX_IDS, MSG_CONTAINER, Random, SeenIds, split, time_of
from radiogram.mtproto.rtt import RoundTrip
from radiogram.mtproto.session import (
    COMMON_HANDLERS,
    MSG_DETAILED_INFO,
    MSG_NEW_DETAILED_INFO,
    MSG_RESEND_REQ,
    MSGS_ALL_INFO,
    MSGS_STATE_INFO,
    MSGS_STATE_REQ,
    Handler,
    Outgoing,
    Session,
    fields,
    pack_ids,
)
from radiogram.tl import mtproto
from radiogram.tl.base import TLObject

BAD_MSG_NOTIFICATION = 0xA7EFF811
BAD_SERVER_SALT = 0xEDAB447B
NEW_SESSION_CREATED = 0x9EC20908

MAX_REPAIRS = 10
"""How often one call is sent again because the server refused it or lost it."""
TOO_OLD, TOO_NEW = 300.0, 30.0
"""Seconds by which the id of a packet may lie behind or ahead of the server's time."""
ANSWER_TIMEOUT = 15.0
"""Seconds without any packet after a question, before the connection is taken for dead."""
CHECK_AT_MOST = 60.0
"""Seconds between two questions about the same unanswered call, when many were asked."""

_BAD_MSG = Struct("<Iqii")
_BAD_MSG_ID = BAD_MSG_NOTIFICATION.to_bytes(4, "little")
_BAD_SALT = Struct("<Iqiiq")
_NEW_SESSION = Struct("<Iqqq")
_DETAILED = Struct("<Iqqii")
_NEW_DETAILED = Struct("<Iqii")


class Call(Outgoing):
    """An unanswered call."""

    __slots__ = (
        "asked",
        "asked_at",
        "call_id",
        "content_related",
        "dropping",
        "repairs",
        "travelled",
        "written",
    )

    def __init__(
        self, msg_id: int, seq_no: int, body: bytes, call_id: int, content_related: bool
    ) -> None:
        super().__init__(msg_id, seq_no, body)
        self.call_id = call_id
        self.content_related = content_related
        self.repairs = 0
        self.asked = 0
        """How often the server was asked whether it has it."""
        self.asked_at = 0.0
        self.dropping = False
        """True for ``rpc_drop_answer``: `call_id` then names the dropped call."""
        self.travelled = False
        """Whether a connection that is gone has carried it."""
        self.written: Callable[[int], bytes] | None = None
        """Makes the body for the msg_id that it is to have, where the body depends on that."""

    def overdue_at(self, timeout: float) -> float:
        """Return when to ask about it, if an answer usually comes within `timeout` seconds."""
        pause = min(timeout * (1 << min(self.asked, 10)), CHECK_AT_MOST)
        return max(self.sent_at, self.asked_at) + pause


class Repairing(Session[Call]):
    """The part of a client's session that keeps its calls alive."""

    FROM_CLIENT = True
    ANSWER = NOTICE = 0
    ACK_DELAY = 5.0

    def __init__(
        self, auth_key: AuthKey, session_id: int, *, salt: int, time_offset: float, random: Random
    ) -> None:
        super().__init__(auth_key, session_id, random=random)
        self.salt = salt
        self.time_offset = time_offset
        """Seconds to add to local time to get the server's."""
        self._time_known = False
        self._newest = 0
        """Id of the newest packet that came over this connection."""
        self._calls: dict[int, Call] = {}
        self._former: deque[int] = deque(maxlen=4)
        self._state_requests: dict[int, tuple[float, tuple[int, ...]]] = {}
        """When what was asked, by the id of the question."""
        self._round_trip = RoundTrip()
        self._dead_due = inf
        self._check_due = inf

    def _time(self, now: float) -> float:
        return now + self.time_offset

    def _salt(self, now: float) -> int:
        return self.salt

    # ── calls ────────────────────────────────────────────────────────────────────────────────────

    def _new_call(self, body: bytes, call_id: int, content_related: bool, now: float) -> Call:
        msg_id = self._ids.next(now + self.time_offset, 0)
        call = Call(msg_id, self._next_seq_no(content_related), body, call_id, content_related)
        self._kept[msg_id] = call
        if self.connected:
            self._queue[msg_id] = call
            if self._check_due == inf:
                self._check_due = now + self._round_trip.timeout
        return call

    def _answered(self, msg_id: int) -> Call | None:
        """Take a call out of everything, since its answer came."""
        call = self._kept.pop(msg_id, None)
        if call is None:
            return None
        self._queue.pop(msg_id, None)
        if not call.dropping:
            del self._calls[call.call_id]
        if not self._kept:
            self._check_due = inf
        return call

    def _fail(self, call: Call, why: str, events: list[Event]) -> None:
        self._answered(call.msg_id)
        if call.dropping:
            events.append(CallDropped(call.call_id))
        else:
            events.append(CallFailed(call.call_id, RemoteProtocolError(f"no answer: {why}")))

    def _renew(self, call: Call, now: float) -> None:
        """Make a new message of a call."""
        del self._kept[call.msg_id]
        self._queue.pop(call.msg_id, None)
        call.msg_id = self._ids.next(now + self.time_offset, 0)
        call.seq_no = self._next_seq_no(call.content_related)
        call.carrier = 0
        if call.written is not None:
            call.body = call.written(call.msg_id)
        self._kept[call.msg_id] = self._queue[call.msg_id] = call

    def _send_again(self, call: Call, why: str, events: list[Event]) -> None:
        if self._may_repair(call, why, events):
            self._queue[call.msg_id] = call

    def _may_repair(self, call: Call, why: str, events: list[Event]) -> bool:
        call.repairs += 1
        if call.repairs <= MAX_REPAIRS:
            return True
        self._fail(call, f"{why}, {MAX_REPAIRS} times over", events)
        return False

    # ── what the server refuses ──────────────────────────────────────────────────────────────────

    def _on_bad_msg(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        bad_id, _, code = fields(_BAD_MSG, body)
        self._refused(bad_id, code, now, events)

    def _on_bad_salt(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        bad_id, _, code, salt = fields(_BAD_SALT, body)
        self._use_salt(salt, events)
        self._refused(bad_id, code, now, events)

    def _refused(self, bad_id: int, code: int, now: float, events: list[Event]) -> None:
        """Send again what the server refused, differently where that is the point.

        A refusal names a packet; of the calls that were in it, those that went out in another one
        since are not meant.
        """
        if code in (16, 17):
            # A notification that was long on its way must not turn the clock the wrong way.
            further = max if code == 16 else min
            self._set_time(further(time_of(self._newest), self._time(now)), now, events)
        self._acknowledge_again(bad_id, now)
        calls = [c for c in self._kept.values() if bad_id in (c.carrier, c.msg_id)]
        # Ids of a session never become smaller, so they hide it if the server's clock was set back.
        hidden = code == 17 and any(call.repairs >= 2 for call in calls)
        if calls and (code in (32, 33) or hidden):
            self._start_over(calls, code, now, events)
            return
        alone = len(calls) == 1
        if code == 64 or (code in (18, 34, 35) and not alone):
            self._container_limit = max(1, min(self._container_limit, len(calls)) // 4)
        too_new = self._newest + int(TOO_NEW * 4294967296)
        for call in calls:
            if not self._may_repair(call, f"the server refuses it with code {code}", events):
                continue
            if (
                (code in (17, 20) and call.msg_id == bad_id)
                or (code == 17 and call.msg_id > too_new)
                or (code in (18, 34, 35) and alone)
            ):
                call.content_related = call.content_related if code < 34 else code == 35
                self._renew(call, now)
            else:
                self._queue[call.msg_id] = call

    def _start_over(self, refused: list[Call], code: int, now: float, events: list[Event]) -> None:
        """Give up the session, in which the server finds the numbering wrong."""
        self._former.append(self.session_id)
        self.session_id = new_id(self._random)
        self._content_count = 0
        self._seen = SeenIds()
        self._newest = 0
        self._acks.clear()
        self._ack_due = inf
        self._sent_acks.clear()
        self._state_requests.clear()
        self._queue.clear()
        for call in list(self._kept.values()):
            if call.carrier and call not in refused:
                why = f"the server gave up the session with code {code}; it may have been executed"
                self._fail(call, why, events)
            elif self._may_repair(call, f"the server refuses it with code {code}", events):
                self._renew(call, now)

    def _set_time(self, server_time: float, now: float, events: list[Event]) -> None:
        """Correct the clock; what was not sent yet under an id that is too new gets another one.

        What was sent keeps its id until the server refuses it: it may be accepted yet.
        """
        change = server_time - now - self.time_offset
        self._time_known = True
        if abs(change) >= 1:
            self.time_offset += change
            events.append(TimeChanged(self.time_offset))
        limit = int((server_time + TOO_NEW) * 4294967296)
        if self._ids.last <= limit:
            return
        self._ids.turn_back(max((i for i in self._kept if i <= limit), default=0))
        for message in [m for m in self._queue.values() if m.msg_id > limit and not m.carrier]:
            del self._queue[message.msg_id]
            if isinstance(message, Call):
                self._renew(message, now)

    def _use_salt(self, salt: int, events: list[Event]) -> None:
        if salt != self.salt:
            self.salt = salt
            events.append(SaltChanged(salt))

    # ── what was lost ────────────────────────────────────────────────────────────────────────────

    def _ask(self, body: bytes, now: float) -> Outgoing:
        """Send something that makes the server answer if the connection works."""
        self._dead_due = min(self._dead_due, now + ANSWER_TIMEOUT)
        return self._control(body, self.NOTICE, now)

    def _check_calls(self, now: float) -> None:
        """Ask about calls whose answer is overdue."""
        timeout = self._round_trip.timeout
        overdue: list[int] = []
        next_due = inf
        for call in self._kept.values():
            due = call.overdue_at(timeout) if call.carrier else now + timeout
            if due <= now and len(overdue) < MAX_IDS:
                overdue.append(call.msg_id)
                call.asked += 1
                call.asked_at = now
                due = call.overdue_at(timeout)
            next_due = min(next_due, due)
        self._check_due = next_due
        if overdue:
            question = self._ask(pack_ids(MSGS_STATE_REQ, overdue), now)
            if len(self._state_requests) >= 8:
                del self._state_requests[next(iter(self._state_requests))]
            self._state_requests[question.msg_id] = (now, tuple(overdue))

    def _on_new_session(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        first_msg_id, unique_id, salt = fields(_NEW_SESSION, body)
        self._use_salt(salt, events)
        events.append(NewSession(unique_id))
        for call in list(self._kept.values()):
            if call.carrier and call.msg_id < first_msg_id:
                self._send_again(call, "the server keeps losing its session", events)

    def _on_state_info(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        answer = decode(body, mtproto.MsgsStateInfo)
        asked = self._state_requests.pop(answer.req_msg_id, None)
        if asked is not None:
            self._round_trip.measured(now - asked[0])
            self._learn_state(asked[1], answer.info, events)

    def _on_all_info(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        answer = decode(body, mtproto.MsgsAllInfo)
        self._learn_state(answer.msg_ids, answer.info, events)

    def _learn_state(
        self, ids: list[int] | tuple[int, ...], info: bytes, events: list[Event]
    ) -> None:
        """Send again what the server does not have, or has answered into the void."""
        for msg_id, state in zip(ids, info, strict=False):
            call = self._kept.get(msg_id)
            if call is not None and (state & 7 < 4 or state & 64):
                self._send_again(call, "the server keeps losing it", events)

    def _on_detailed_info(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        _, answer_id, _, _ = fields(_DETAILED, body)
        self._want(answer_id, now)

    def _on_new_detailed_info(
        self, msg_id: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        answer_id, _, _ = fields(_NEW_DETAILED, body)
        self._want(answer_id, now)

    def _want(self, answer_id: int, now: float) -> None:
        """Ask for a message that the server offers, or acknowledge it if it came already."""
        if answer_id in self._seen:
            self._acknowledge_at(answer_id, now)
        else:
            self._control(pack_ids(MSG_RESEND_REQ, [answer_id]), self.NOTICE, now)

    HANDLERS: ClassVar[Mapping[int, Handler]] = {
        **COMMON_HANDLERS,
        NEW_SESSION_CREATED: _on_new_session,
        BAD_MSG_NOTIFICATION: _on_bad_msg,
        BAD_SERVER_SALT: _on_bad_salt,
        MSGS_STATE_INFO: _on_state_info,
        MSGS_ALL_INFO: _on_all_info,
        MSG_DETAILED_INFO: _on_detailed_info,
        MSG_NEW_DETAILED_INFO: _on_new_detailed_info,
    }


def new_id(random: Random) -> int:
    """Return an id that was never used: of a session, or a nonce."""
    return int.from_bytes(random(8), "little", signed=True)


_T = TypeVar("_T", bound=TLObject)


def decode(body: bytes, kind: type[_T]) -> _T:
    """Read a message whose constructor was looked at before."""
    try:
        return cast(_T, mtproto.REGISTRY.decode(body))
    except DecodeError as error:
        raise RemoteProtocolError(str(error)) from error


def blames_clock(body: bytes) -> bool:
    """Tell whether a packet says that the client's clock is off."""
    bodies = [body]
    if int.from_bytes(body[:4], "little") == MSG_CONTAINER:
        try:
            bodies = [part.body for part in split(body)]
        except RemoteProtocolError:
            return False
    return any(
        len(b) == _BAD_MSG.size and b[:4] == _BAD_MSG_ID and b[16] in (16, 17) for b in bodies
    )
