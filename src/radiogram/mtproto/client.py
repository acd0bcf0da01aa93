"""Layer 2: the client's half of a session - calls, results, and what to do when refused.

Knows which calls are unanswered, the salt and the difference between the clocks.  Must not know
what a call means: bodies go in and out as bytes.

Theory of operation. A call is kept until its answer comes.  Whatever happens in between - a new
connection, a wrong salt, a clock that was off, a container the server took for a repetition - it is
sent again with its old msg_id and seq_no, so that the server can never execute it twice: it knows
the id, and gives the answer it has.  Only where the id or the seq_no itself is what the server
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
been executed already, out of another packet.  18, 34 and 35 therefore first divide it, like 64.

``new_session_created`` means that the server lost its memory of the session.  Unanswered calls with
ids below its ``first_msg_id`` are sent again, with their old ids: a server that has forgotten
executes them (again, if it had and forgot that too: MTProto promises no more), one that only got
the packets in another order does not.  Repairs of one call are bounded; then it fails.

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
from radiogram.errors import DecodeError, LocalProtocolError, RemoteProtocolError, SecurityError
from radiogram.mtproto.binding import Binding, write_call
from radiogram.mtproto.events import (
    AuthKeyDestroyed,
    CallDropped,
    CallFailed,
    ConnectionDead,
    Event,
    NewSession,
    Overslept,
    Result,
    ResultError,
    SaltChanged,
    TimeChanged,
    Update,
)
from radiogram.mtproto.message import (
    GZIP_PACKED,
    MAX_CONTAINER,
    MAX_IDS,
    MAX_INFLATED,
    MSG_CONTAINER,
    PART,
    Random,
    SeenIds,
    compress,
    open_envelope,
    split,
    time_of,
)
from radiogram.mtproto.rtt import RoundTrip
from radiogram.mtproto.salts import FutureSalt
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

RPC_RESULT = 0xF35C6D01
RPC_ERROR = 0x2144CA19
BAD_MSG_NOTIFICATION = 0xA7EFF811
BAD_SERVER_SALT = 0xEDAB447B
NEW_SESSION_CREATED = 0x9EC20908
PONG = 0x347773C5
FUTURE_SALTS = 0xAE500895
DESTROY_SESSION_OK = 0xE22045FC
DESTROY_SESSION_NONE = 0x62D350C9
DESTROY_AUTH_KEY_OK = 0xF660E1D4
DESTROY_AUTH_KEY_NONE = 0x0A9F2259
DESTROY_AUTH_KEY_FAIL = 0xEA109B13

MAX_BODY = MAX_CONTAINER - PART.size
"""Bytes of the largest call."""
MAX_REPAIRS = 10
"""How often one call is sent again because the server refused it or lost it."""
TOO_OLD, TOO_NEW = 300.0, 30.0
"""Seconds by which the id of a packet may lie behind or ahead of the server's time."""

END_OF_IDS = ((1 << 31) - 30 * 86400) << 32
"""Ids of messages from a month before their end in 2038; no clock is set by those."""

PING_INTERVAL = 60.0
DISCONNECT_DELAY = 75
"""Seconds after which the server may close a connection that sends no more pings."""
OVERSLEPT = DISCONNECT_DELAY - PING_INTERVAL
"""Seconds by which a ping may be late; by then the server has closed the connection."""
ANSWER_TIMEOUT = 15.0
"""Seconds without any packet after a question, before the connection is taken for dead."""
CHECK_AT_MOST = 60.0
"""Seconds between two questions about the same unanswered call, when many were asked."""
FIRST_SALTS, SALTS_RETRY = 20.0, 60.0
FUTURE_SALTS_WANTED = 32

_REQUEST_ID = Struct("<Iq")
_PING_DELAY = Struct("<Iqi")
_GET_FUTURE_SALTS = Struct("<Ii")
_BAD_MSG = Struct("<Iqii")
_BAD_MSG_ID = BAD_MSG_NOTIFICATION.to_bytes(4, "little")
_BAD_SALT = Struct("<Iqiiq")
_NEW_SESSION = Struct("<Iqqq")
_TWO_LONGS = Struct("<Iqq")
_DETAILED = Struct("<Iqqii")
_NEW_DETAILED = Struct("<Iqii")
_DESTROYED = Struct("<Iq")

_RPC_DROP_ANSWER = 0x58E4A740
_PING_DELAY_DISCONNECT = 0xF3427B8C
_GET_FUTURE_SALTS_ID = 0xB921BD04
_DESTROY_SESSION = 0xE7512126
_DESTROY_AUTH_KEY = 0xD1435160


class _Call(Outgoing):
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


class ClientSession(Session[_Call]):
    """A client's session with one server."""

    FROM_CLIENT = True
    ANSWER = NOTICE = 0
    ACK_DELAY = 5.0

    def __init__(
        self,
        auth_key: AuthKey,
        *,
        salt: int,
        random: Random,
        time_offset: float = 0.0,
        session_id: int | None = None,
        gzip_threshold: int | None = 1024,
    ) -> None:
        """`gzip_threshold`: calls of this many bytes are compressed if that helps; None: never."""
        super().__init__(
            auth_key, _new_id(random) if session_id is None else session_id, random=random
        )
        self.salt = salt
        self.time_offset = time_offset
        """Seconds to add to local time to get the server's."""
        self._gzip_threshold = gzip_threshold
        self._time_known = False
        self._newest = 0
        """Id of the newest packet that came over this connection."""
        self._calls: dict[int, _Call] = {}
        self._last_call_id = 0
        self._former: deque[int] = deque(maxlen=4)
        self._future: list[FutureSalt] = []
        self._state_requests: dict[int, tuple[float, tuple[int, ...]]] = {}
        """When what was asked, by the id of the question."""
        self._round_trip = RoundTrip()
        self._pings = 0
        self._ping_sent: tuple[int, float] = (0, 0.0)
        """Id of the last ping, and when it was sent."""
        self._ping_due = inf
        self._dead_due = inf
        self._salts_due = inf
        self._check_due = inf

    # ── calls ────────────────────────────────────────────────────────────────────────────────────

    @property
    def unanswered(self) -> int:
        """The number of calls without an answer."""
        return len(self._calls)

    def call(self, body: bytes, *, now: float, content_related: bool = True) -> int:
        """Queue a serialised method; return a number that stands for the call in events.

        Methods of MTProto itself (ping, get_future_salts ...) may be called too: their bare answer
        is the result.  ``LocalProtocolError`` if the body is too large or no whole number of words.
        """
        if len(body) % 4 or len(body) > MAX_BODY:
            raise LocalProtocolError(f"a call cannot have {len(body)} bytes")
        threshold = self._gzip_threshold
        if threshold is not None and len(body) >= threshold:
            body = compress(body) or body
        self._last_call_id += 1
        call = self._new_call(body, self._last_call_id, content_related, now)
        self._calls[call.call_id] = call
        return call.call_id

    def bind(self, permanent: AuthKey, *, expires_at: int, now: float) -> int:
        """Queue ``auth.bindTempAuthKey``: let this session's key stand for a permanent one (A16.3).

        Returns the number of the call. `expires_at` is unix time of the server's.
        """
        nonce = _new_id(self._random)

        def write(msg_id: int) -> bytes:
            binding = Binding(
                nonce=nonce,
                temp_auth_key_id=_signed(self.auth_key),
                perm_auth_key_id=_signed(permanent),
                temp_session_id=self.session_id,
                expires_at=expires_at,
            )
            return write_call(permanent, binding, msg_id=msg_id, random=self._random)

        self._last_call_id += 1
        call = self._new_call(b"", self._last_call_id, True, now)
        call.written = write
        call.body = write(call.msg_id)
        self._calls[call.call_id] = call
        return call.call_id

    def give_up(self) -> list[tuple[int, bool]]:
        """Take out every unanswered call, since the server will know this session no more.

        Returns their numbers, and of each whether a connection that is gone has carried it: then
        it may have been executed.
        """
        calls = [(call.call_id, call.travelled) for call in self._calls.values()]
        self._calls.clear()
        self._kept.clear()
        self._queue.clear()
        self._check_due = inf
        return calls

    def drop(self, call_id: int, *, now: float) -> None:
        """Forget a call and tell the server to drop its answer.

        A call that was not sent yet is simply not sent, and no event follows; neither does one if
        the call is not waiting for an answer any more.
        """
        call = self._calls.pop(call_id, None)
        if call is None:
            return
        del self._kept[call.msg_id]
        self._queue.pop(call.msg_id, None)
        if call.carrier:
            body = _REQUEST_ID.pack(_RPC_DROP_ANSWER, call.msg_id)
            self._new_call(body, call_id, True, now).dropping = True

    def msg_id_of(self, call_id: int) -> int:
        """Return the id of the message that carries an unanswered call, as invokeAfterMsg wants it.

        ``LocalProtocolError`` if there is no such call.
        """
        call = self._calls.get(call_id)
        if call is None:
            raise LocalProtocolError(f"no call {call_id} is waiting for an answer")
        return call.msg_id

    def _new_call(self, body: bytes, call_id: int, content_related: bool, now: float) -> _Call:
        msg_id = self._ids.next(now + self.time_offset, 0)
        call = _Call(msg_id, self._next_seq_no(content_related), body, call_id, content_related)
        self._kept[msg_id] = call
        if self.connected:
            self._queue[msg_id] = call
            if self._check_due == inf:
                self._check_due = now + self._round_trip.timeout
        return call

    def _answered(self, msg_id: int) -> _Call | None:
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

    # ── connection and time ──────────────────────────────────────────────────────────────────────

    def connection_made(self, *, now: float) -> None:
        """Take a new connection; unanswered calls go out on it again, under their old ids."""
        super().connection_made(now=now)
        self._time_known = False
        self._newest = 0
        self._state_requests.clear()
        self._dead_due = inf
        self._ping_due = now + PING_INTERVAL
        self._round_trip = RoundTrip()
        for call in self._kept.values():
            call.travelled = call.travelled or bool(call.carrier)
            call.asked = 0
        self._check_due = now + self._round_trip.timeout if self._kept else inf
        if not self._future:
            self._salts_due = now + FIRST_SALTS

    def next_deadline(self) -> float | None:
        """Return when ``handle_deadline`` and ``packets`` want to be called next."""
        if not self.connected:
            return None
        return min(self._ack_due, self._ping_due, self._dead_due, self._salts_due, self._check_due)

    def handle_deadline(self, *, now: float) -> list[Event]:
        """Do what is due: ping, ask for salts and about calls, notice a dead connection."""
        events: list[Event] = []
        if not self.connected:
            return events
        if now > self._ping_due + OVERSLEPT:
            self._ping_due = inf
            return [Overslept()]
        if now >= self._dead_due:
            self._dead_due = inf
            events.append(ConnectionDead())
        if now >= self._ping_due:
            self._ping_due = now + PING_INTERVAL
            self._pings += 1
            body = _PING_DELAY.pack(_PING_DELAY_DISCONNECT, self._pings, DISCONNECT_DELAY)
            self._ping_sent = (self._ask(body, now).msg_id, now)
        if now >= self._salts_due:
            if self._future:
                self._turn_salts(now, events)
            else:
                self._ask_salts(now)
        if now >= self._check_due:
            self._check_calls(now)
        return events

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

    def _ask_salts(self, now: float) -> None:
        self._salts_due = now + SALTS_RETRY
        body = _GET_FUTURE_SALTS.pack(_GET_FUTURE_SALTS_ID, FUTURE_SALTS_WANTED)
        self._control(body, self.NOTICE, now)

    def _turn_salts(self, now: float, events: list[Event]) -> None:
        """Use the latest salt whose time has come."""
        server_time = now + self.time_offset
        good = [s for s in self._future if s.valid_since <= server_time]
        if good:
            self._future = self._future[len(good) :]
            self._use_salt(good[-1].salt, events)
        due = self._future[0].valid_since if self._future else server_time + SALTS_RETRY
        self._salts_due = due - self.time_offset

    def _use_salt(self, salt: int, events: list[Event]) -> None:
        if salt != self.salt:
            self.salt = salt
            events.append(SaltChanged(salt))

    def _time(self, now: float) -> float:
        return now + self.time_offset

    def _salt(self, now: float) -> int:
        return self.salt

    # ── receiving ────────────────────────────────────────────────────────────────────────────────

    def receive(self, packet: bytes, *, now: float) -> list[Event]:
        """Open a packet from the server and return what it means.

        Packets that are merely too late, or belong to a session given up before, mean nothing.
        ``SecurityError`` if it cannot come from the server, ``RemoteProtocolError`` if it breaks
        the protocol; the connection is then of no use.  If some of it made sense, that is returned,
        and ``ConnectionDead`` behind it.
        """
        envelope = open_envelope(self.auth_key, packet, from_client=False)
        _, session_id, msg_id, seq_no, body, _ = envelope
        events: list[Event] = []
        if session_id != self.session_id:
            if session_id in self._former:
                return events
            raise SecurityError("the packet belongs to another session")
        if not msg_id & 1 or not 0 < msg_id < END_OF_IDS:
            raise SecurityError(f"the server cannot send a message with the id {msg_id}")
        if not self._timely(msg_id, body, now, events):
            return events
        if msg_id > self._newest:  # noqa: PLR1730  (as in SeenIds)
            self._newest = msg_id
        self._dead_due = inf
        self._inflatable = 2 * MAX_INFLATED
        try:
            if int.from_bytes(body[:4], "little") == MSG_CONTAINER:
                self._receive_container(msg_id, seq_no, body, now, events)
            else:
                self._deliver(msg_id, seq_no, body, now, events)
        except RemoteProtocolError:
            if not events:
                raise
            events.append(ConnectionDead())
        return events

    def _receive_container(
        self, msg_id: int, seq_no: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        seen = self._seen
        if msg_id in seen or msg_id < seen.floor:
            return
        parts = split(body)
        seen.add(msg_id, seq_no)
        for part_id, part_seq_no, part in parts:
            if not part_id & 1 or int.from_bytes(part[:4], "little") == MSG_CONTAINER:
                raise RemoteProtocolError(f"a container cannot hold the message {part_id}")
            self._deliver(part_id, part_seq_no, part, now, events)

    def _timely(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> bool:
        """Check the time of a packet; the first one of a connection sets the clock if it is off.

        So does one that complains of the clock.  Neither may be older than what came before, so
        that no repeated packet can turn time back.  Any other that is newer must not be lost, so
        the connection has to be replaced: the server then sends it again.
        """
        ahead = time_of(msg_id) - (now + self.time_offset)
        if -TOO_OLD <= ahead <= TOO_NEW:
            self._time_known = True
            return True
        if msg_id <= self._newest or msg_id in self._seen or msg_id < self._seen.floor:
            return False
        if self._time_known and not _blames_clock(body):
            events.append(ConnectionDead())
            return False
        self._set_time(time_of(msg_id), now, events)
        return True

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
            if isinstance(message, _Call):
                self._renew(message, now)

    # ── answers ──────────────────────────────────────────────────────────────────────────────────

    def _on_rpc_result(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        if len(body) < 16:
            raise RemoteProtocolError(f"rpc_result cannot have {len(body)} bytes")
        call = self._answered(int.from_bytes(body[4:12], "little", signed=True))
        if call is None:
            return
        result = body[12:]
        if not call.asked and not call.repairs:
            self._round_trip.measured(now - call.sent_at)
        if call.dropping:
            events.append(CallDropped(call.call_id))
            return
        try:
            constructor = int.from_bytes(result[:4], "little")
            if constructor == GZIP_PACKED:
                result = self._inflate(result)
                constructor = int.from_bytes(result[:4], "little")
            if constructor == RPC_ERROR:
                events.append(_read_error(call.call_id, result))
            else:
                events.append(Result(call.call_id, result))
        except RemoteProtocolError as error:
            events.append(CallFailed(call.call_id, error))

    def _api(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        if len(body) < 4:
            raise RemoteProtocolError(f"a message cannot have {len(body)} bytes")
        events.append(Update(body))

    def _answer_bare(self, msg_id: int, body: bytes, events: list[Event]) -> None:
        """Give a call of MTProto's own its answer."""
        call = self._answered(msg_id)
        if call is not None:
            events.append(Result(call.call_id, body))

    def _on_pong(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        ping_msg_id, _ = fields(_TWO_LONGS, body)
        if ping_msg_id == self._ping_sent[0]:
            self._round_trip.measured(now - self._ping_sent[1])
        self._answer_bare(ping_msg_id, body, events)

    def _on_future_salts(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        answer = _decode(body, mtproto.FutureSalts)
        future = sorted(
            FutureSalt(salt.valid_since, salt.valid_until, salt.salt) for salt in answer.salts
        )
        server_time = now + self.time_offset
        self._future = [s for s in future if s.valid_until > server_time][
            -2 * FUTURE_SALTS_WANTED :
        ]
        self._turn_salts(now, events)
        self._answer_bare(answer.req_msg_id, body, events)

    def _on_session_destroyed(
        self, msg_id: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        (session_id,) = fields(_DESTROYED, body)
        wanted = _REQUEST_ID.pack(_DESTROY_SESSION, session_id)
        for call in self._kept.values():
            if call.body == wanted:
                self._answer_bare(call.msg_id, body, events)
                return

    def _on_key_destroyed(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        wanted = _DESTROY_AUTH_KEY.to_bytes(4, "little")
        for call in self._kept.values():
            if call.body == wanted:
                self._answer_bare(call.msg_id, body, events)
                if int.from_bytes(body[:4], "little") == DESTROY_AUTH_KEY_OK:
                    events.append(AuthKeyDestroyed())
                return

    # ── repair ───────────────────────────────────────────────────────────────────────────────────

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

    def _may_repair(self, call: _Call, why: str, events: list[Event]) -> bool:
        call.repairs += 1
        if call.repairs <= MAX_REPAIRS:
            return True
        self._fail(call, f"{why}, {MAX_REPAIRS} times over", events)
        return False

    def _fail(self, call: _Call, why: str, events: list[Event]) -> None:
        self._answered(call.msg_id)
        if call.dropping:
            events.append(CallDropped(call.call_id))
        else:
            events.append(CallFailed(call.call_id, RemoteProtocolError(f"no answer: {why}")))

    def _renew(self, call: _Call, now: float) -> None:
        """Make a new message of a call."""
        del self._kept[call.msg_id]
        self._queue.pop(call.msg_id, None)
        call.msg_id = self._ids.next(now + self.time_offset, 0)
        call.seq_no = self._next_seq_no(call.content_related)
        call.carrier = 0
        if call.written is not None:
            call.body = call.written(call.msg_id)
        self._kept[call.msg_id] = self._queue[call.msg_id] = call

    def _start_over(self, refused: list[_Call], code: int, now: float, events: list[Event]) -> None:
        """Give up the session, in which the server finds the numbering wrong."""
        self._former.append(self.session_id)
        self.session_id = _new_id(self._random)
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

    def _on_new_session(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        first_msg_id, unique_id, salt = fields(_NEW_SESSION, body)
        self._use_salt(salt, events)
        events.append(NewSession(unique_id))
        for call in list(self._kept.values()):
            if call.carrier and call.msg_id < first_msg_id:
                self._send_again(call, "the server keeps losing its session", events)

    def _send_again(self, call: _Call, why: str, events: list[Event]) -> None:
        if self._may_repair(call, why, events):
            self._queue[call.msg_id] = call

    def _on_state_info(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        answer = _decode(body, mtproto.MsgsStateInfo)
        asked = self._state_requests.pop(answer.req_msg_id, None)
        if asked is not None:
            self._round_trip.measured(now - asked[0])
            self._learn_state(asked[1], answer.info, events)

    def _on_all_info(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        answer = _decode(body, mtproto.MsgsAllInfo)
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

    def _acked(self, msg_id: int) -> None:
        """A call is kept until it is answered, so there is nothing to note."""

    def _repeated(
        self, msg_id: int, seq_no: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        if seq_no & 1:
            self._acknowledge_at(msg_id, now + self.ACK_DELAY)

    def _forgotten(
        self, msg_id: int, seq_no: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        """Ignore it, as the security guidelines demand."""

    def _limit_exceeded(self, events: list[Event]) -> None:
        raise RemoteProtocolError(f"the server lists more than {MAX_IDS} messages at once")

    HANDLERS: ClassVar[Mapping[int, Handler]] = {
        **COMMON_HANDLERS,
        RPC_RESULT: _on_rpc_result,
        NEW_SESSION_CREATED: _on_new_session,
        BAD_MSG_NOTIFICATION: _on_bad_msg,
        BAD_SERVER_SALT: _on_bad_salt,
        PONG: _on_pong,
        FUTURE_SALTS: _on_future_salts,
        MSGS_STATE_INFO: _on_state_info,
        MSGS_ALL_INFO: _on_all_info,
        MSG_DETAILED_INFO: _on_detailed_info,
        MSG_NEW_DETAILED_INFO: _on_new_detailed_info,
        DESTROY_SESSION_OK: _on_session_destroyed,
        DESTROY_SESSION_NONE: _on_session_destroyed,
        DESTROY_AUTH_KEY_OK: _on_key_destroyed,
        DESTROY_AUTH_KEY_NONE: _on_key_destroyed,
        DESTROY_AUTH_KEY_FAIL: _on_key_destroyed,
    }


def _signed(key: AuthKey) -> int:
    """Return the id of a key as a TL long."""
    return int.from_bytes(key.key_id, "little", signed=True)


def _new_id(random: Random) -> int:
    return int.from_bytes(random(8), "little", signed=True)


def _blames_clock(body: bytes) -> bool:
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


_T = TypeVar("_T", bound=TLObject)


def _decode(body: bytes, kind: type[_T]) -> _T:
    """Read a message whose constructor was looked at before."""
    try:
        return cast(_T, mtproto.REGISTRY.decode(body))
    except DecodeError as error:
        raise RemoteProtocolError(str(error)) from error


def _read_error(call_id: int, body: bytes) -> ResultError:
    error = _decode(body, mtproto.RpcError)
    return ResultError(call_id, error.error_code, error.error_message)
