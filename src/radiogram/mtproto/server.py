"""Layer 2: the server's half of a session - checks, requests, replies and pushes.

Knows the rules for what a client may send, which requests run or were answered, and what the client
has not acknowledged.  Must not know methods, users or layers: bodies go in and out as bytes.

Theory of operation. A message passes the checks of A5 in their order; what fails is refused by
number and leaves no trace.  A request is executed once per msg_id: its record stays while the id is
in the window of known ids, and beyond that until the client has acknowledged the answer, so that a
repetition gets the answer again.  Answers and pushes are kept until they are acknowledged, within
bounds: what has to go first is the oldest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import inf
from struct import Struct, pack
from typing import ClassVar, Literal

from radiogram.crypto.keys import AuthKey
from radiogram.errors import LocalProtocolError, RemoteProtocolError
from radiogram.mtproto.events import (
    DestroyAuthKey,
    DestroySession,
    DisconnectAfter,
    Event,
    FloodError,
    Request,
    RequestDropped,
    SessionStarted,
)
from radiogram.mtproto.message import (
    GZIP_PACKED,
    MAX_INFLATED,
    MAX_PARTS_ACCEPTED,
    MSG_CONTAINER,
    Envelope,
    Part,
    Random,
    compress,
    part_count,
    split,
    time_of,
    tl_bytes,
)
from radiogram.mtproto.salts import SaltBook
from radiogram.mtproto.session import (
    ACK_BATCH,
    COMMON_HANDLERS,
    MSG_COPY,
    MSG_DETAILED_INFO,
    MSG_NEW_DETAILED_INFO,
    MSGS_ACK,
    MSGS_ALL_INFO,
    MSGS_STATE_INFO,
    Handler,
    Outgoing,
    Session,
    copied,
    fields,
)

__all__ = ["SaltBook", "ServerSession"]

PING = 0x7ABE77EC
PING_DELAY_DISCONNECT = 0xF3427B8C
GET_FUTURE_SALTS = 0xB921BD04
RPC_DROP_ANSWER = 0x58E4A740
DESTROY_SESSION = 0xE7512126
DESTROY_AUTH_KEY = 0xD1435160
HTTP_WAIT = 0x9299359F

_RPC_RESULT = 0xF35C6D01
_RPC_ERROR = 0x2144CA19
_PONG = 0x347773C5
_FUTURE_SALTS = 0xAE500895
_NEW_SESSION_CREATED = 0x9EC20908
_BAD_MSG_NOTIFICATION = 0xA7EFF811
_BAD_SERVER_SALT = 0xEDAB447B
_RPC_ANSWER_UNKNOWN = 0x5E2AD36E
_RPC_ANSWER_DROPPED_RUNNING = 0xCD78E586
_RPC_ANSWER_DROPPED = 0xA43AD8B7
_DESTROY_SESSION_NONE = 0x62D350C9

TOO_OLD, TOO_NEW = 300.0, 30.0
"""Seconds by which the id of a packet may lie behind or ahead of the server's clock (A5)."""
MUST_BE_EVEN = frozenset((MSG_CONTAINER, MSG_COPY))
"""What a client must not send as content-related (A5, code 34). Nor should it `msgs_ack`, but
mtcute does, and no harm comes of it: only a strict server refuses that."""
IDEMPOTENT = frozenset(
    (PING, PING_DELAY_DISCONNECT, GET_FUTURE_SALTS, DESTROY_SESSION, DESTROY_AUTH_KEY)
)
"""Queries with a bare answer, which is not kept: a repetition is simply answered anew."""
SMALL = 16384
"""Bytes up to which the answer to a repeated request is sent again without being asked (A5.3)."""
MAX_KEPT, MAX_KEPT_BYTES = 2048, 32 << 20
"""Unacknowledged messages, and their bytes, that one session keeps."""
MAX_REQUESTS = 4096
"""Requests that one session has records of."""
MAX_REFUSED = 2048
"""Ids that came too early, of which one session keeps a record."""

_ONE_LONG = Struct("<Iq")
_PING_DELAY = Struct("<Iqi")
_ONE_INT = Struct("<Ii")
_CONSTRUCTOR = Struct("<I")

Outcome = Literal["unknown", "running", "ok", "failed"]
_State = Literal["running", "ok", "failed", "dropped", "unread"]


class _Pushed(Outgoing):
    """A message that the client has to acknowledge."""

    __slots__ = ("request", "update")

    def __init__(self, msg_id: int, seq_no: int, body: bytes) -> None:
        super().__init__(msg_id, seq_no, body)
        self.request: _Request | None = None
        """What it answers."""
        self.update = False
        """True if losing it loses updates."""


class _Request:
    """A request that was received."""

    __slots__ = ("acked", "answer_id", "msg_id", "state")

    def __init__(self, msg_id: int) -> None:
        self.msg_id = msg_id
        self.state: _State = "running"
        self.answer_id = 0
        self.acked = False


class ServerSession(Session[_Pushed]):
    """One session of one client."""

    FROM_CLIENT = False
    ANSWER, NOTICE = 1, 3
    ACK_DELAY = 1.0

    def __init__(
        self,
        auth_key: AuthKey,
        session_id: int,
        *,
        salts: SaltBook,
        random: Random,
        now: float,
        strict_seqno: bool = False,
        gzip_threshold: int | None = 512,
    ) -> None:
        """Make a session that has seen nothing yet.

        `strict_seqno` refuses messages out of order with codes 32 and 33 (A5.2); results longer
        than `gzip_threshold` bytes are compressed if that helps, None: never.
        """
        super().__init__(auth_key, session_id, random=random)
        self.unique_id = int.from_bytes(random(8), "little", signed=True)
        """Tells the client which making of the session this is."""
        self._salts = salts
        self._strict = strict_seqno
        self._gzip_threshold = gzip_threshold
        self._ids.next(now, 0)
        self._first_msg_id: int | None = None
        self._requests: dict[int, _Request] = {}
        self._refused: dict[int, None] = {}
        self._kept_bytes = 0
        self._updates_lost = False

    # ── what the server says ─────────────────────────────────────────────────────────────────────

    def reply(self, msg_id: int, body: bytes, *, now: float) -> None:
        """Answer a request with a serialised result.

        Ignored if the client dropped the request; ``LocalProtocolError`` if it was answered before.
        """
        threshold = self._gzip_threshold
        if threshold is not None and len(body) > threshold:
            body = compress(body) or body
        self._reply(msg_id, body, "ok", now)

    def reply_error(self, msg_id: int, code: int, message: str, *, now: float) -> None:
        """Answer a request with ``rpc_error``; otherwise like ``reply``."""
        self._reply(msg_id, _error(code, message), "failed", now)

    def unread(self, msg_id: int) -> None:
        """Forget that a request was read: a repetition is executed (E17)."""
        request = self._requests.get(msg_id)
        if request is not None:
            request.state = "unread"
            self._settle_ack(msg_id)

    def hold_back(self, msg_id: int) -> None:
        """Keep the answer to a request unsent until the client asks for it or reconnects (E20)."""
        request = self._requests.get(msg_id)
        if request is not None:
            self._queue.pop(request.answer_id, None)

    def reply_service(self, msg_id: int, body: bytes, *, now: float) -> None:
        """Answer a query of MTProto's own with a bare message, not with ``rpc_result``."""
        self._settle_ack(msg_id)
        self._control(body, self.ANSWER, now)

    def push(self, body: bytes, *, now: float) -> int:
        """Queue serialised updates until the client acknowledges them; return their msg_id."""
        message = self._content(body, self.NOTICE, now)
        message.update = True
        return message.msg_id

    def outcome(self, msg_id: int) -> Outcome:
        """Tell how a request went, as invokeAfterMsg asks (A12.5)."""
        request = self._requests.get(msg_id)
        if request is None:
            return "unknown"
        if request.state == "unread":
            return "unknown"
        return "failed" if request.state == "dropped" else request.state

    def take_updates_lost(self) -> bool:
        """Tell, once, whether pushes were given up because the client acknowledged none."""
        lost, self._updates_lost = self._updates_lost, False
        return lost

    def _reply(self, msg_id: int, result: bytes, state: _State, now: float) -> None:
        request = self._requests.get(msg_id)
        if request is not None:
            if request.state == "dropped":
                return
            if request.state != "running":
                raise LocalProtocolError(f"request {msg_id} was answered before")
            request.state = state
        self._settle_ack(msg_id)
        answer = self._content(_ONE_LONG.pack(_RPC_RESULT, msg_id) + result, self.ANSWER, now)
        if request is not None:
            answer.request = request
            request.answer_id = answer.msg_id

    def _content(self, body: bytes, remainder: int, now: float) -> _Pushed:
        msg_id = self._ids.next(now, remainder)
        message = _Pushed(msg_id, self._next_seq_no(True), body)
        self._kept[msg_id] = message
        if self.connected:
            self._queue[msg_id] = message
        self._kept_bytes += len(body)
        while len(self._kept) > MAX_KEPT or (
            self._kept_bytes > MAX_KEPT_BYTES and len(self._kept) > 1
        ):
            self._give_up(self._kept[next(iter(self._kept))])
        return message

    def _give_up(self, message: _Pushed) -> None:
        """Let an unacknowledged message go; if it is queued, it still goes out once."""
        self._release(message)
        self._updates_lost |= message.update

    def _release(self, message: _Pushed) -> None:
        del self._kept[message.msg_id]
        self._kept_bytes -= len(message.body)

    # ── checks ───────────────────────────────────────────────────────────────────────────────────

    def refuse(self, envelope: Envelope, code: int, *, now: float) -> None:
        """Refuse a message by a number, whatever is in it (E23), and leave no trace of it."""
        self._refuse(envelope, code, now)

    def use_salts(self, salts: SaltBook) -> None:
        """Take other salts from now on (E21)."""
        self._salts = salts

    def send_again(self, msg_id: int) -> None:
        """Send the answer to a request once more with the next packets (E20)."""
        request = self._requests.get(msg_id)
        answer = self._kept.get(request.answer_id) if request is not None else None
        if answer is not None:
            self._queue[answer.msg_id] = answer

    def acks_due(self, *, now: float) -> bool:
        """Tell whether :meth:`packets` would acknowledge something now."""
        return bool(self._acks) and (
            len(self._queue) > 1 or now >= self._ack_due or len(self._acks) >= ACK_BATCH
        )

    def drop_acks(self) -> None:
        """Forget the acknowledgements that are due (E20)."""
        self._acks.clear()
        self._ack_due = inf

    def receive(self, envelope: Envelope, *, now: float) -> list[Event]:
        """Check a message of this session and return what the client wants (A5).

        Answers that need nothing from above are queued at once.  Raises nothing: what a client gets
        wrong, it is told.
        """
        events: list[Event] = []
        salt, _, msg_id, seq_no, body, _ = envelope
        self._inflatable = 2 * MAX_INFLATED
        if not self._salts.accepted(salt, now):
            self._refuse(envelope, 48, now)
            return events
        code = self._mistimed(msg_id, now)
        if code:
            if code == 17:
                self._forbid(envelope, now)
            self._refuse(envelope, code, now)
            return events
        constructor = int.from_bytes(body[:4], "little")
        if constructor == GZIP_PACKED:
            body = self._uncover(body)
            constructor = int.from_bytes(body[:4], "little")
        if constructor == MSG_CONTAINER:
            self._receive_container(envelope, body, now, events)
            return events
        code = self._misnumbered(msg_id, seq_no, constructor)
        if code:
            self._refuse(envelope, code, now)
            return events
        if self._first_msg_id is None or msg_id < self._first_msg_id:
            self._start((msg_id,), now, events)
        self._take(msg_id, seq_no, body, now, events)
        return events

    def _take(self, msg_id: int, seq_no: int, body: bytes, now: float, events: list[Event]) -> None:
        try:
            self._deliver(msg_id, seq_no, body, now, events)
        except RemoteProtocolError:
            self._undecodable(msg_id, now)

    def _mistimed(self, msg_id: int, now: float) -> int:
        """Return the code by which the id of a packet is refused, 0 if it is good."""
        if msg_id & 3:
            return 18
        age = now - time_of(msg_id)
        if age > TOO_OLD:
            return 16
        return 17 if age < -TOO_NEW or msg_id in self._refused else 0

    def _forbid(self, envelope: Envelope, now: float) -> None:
        """Never accept the ids of a packet that came too early.

        The client sends the same under other ids; this packet, or another with the same messages,
        may come again when these ids would be good.
        """
        limit = int((now + TOO_NEW) * 4294967296)
        ids = [envelope.msg_id]
        if int.from_bytes(envelope.body[:4], "little") == MSG_CONTAINER:
            with suppress(RemoteProtocolError):
                ids += [part.msg_id for part in split(envelope.body) if part.msg_id > limit]
        self._refused.update(dict.fromkeys(ids))
        while len(self._refused) > MAX_REFUSED:
            del self._refused[next(iter(self._refused))]

    def _misnumbered(self, msg_id: int, seq_no: int, constructor: int) -> int:
        """Return the code by which the seq_no of a message is refused, 0 if it is good."""
        if self._strict and seq_no & 1:
            code = self._out_of_order(msg_id, seq_no)
            if code:
                return code
        if seq_no & 1:
            even = constructor in MUST_BE_EVEN or (self._strict and constructor == MSGS_ACK)
            return 34 if even else 0
        return 0 if constructor in self.HANDLERS and constructor != GZIP_PACKED else 35

    def _out_of_order(self, msg_id: int, seq_no: int) -> int:
        seen = self._seen.seq_nos
        if msg_id in seen:
            return 0
        content = [(i, n) for i, n in seen.items() if n & 1]
        if any(i < msg_id and n >= seq_no for i, n in content):
            return 32
        return 33 if any(i > msg_id and n <= seq_no for i, n in content) else 0

    def _receive_container(
        self, envelope: Envelope, body: bytes, now: float, events: list[Event]
    ) -> None:
        """Check a container as a whole, then handle its messages in their order (A9.1, A9.2)."""
        if part_count(body) > MAX_PARTS_ACCEPTED:
            self._limit_exceeded(events)
            return
        msg_id = envelope.msg_id
        parts: list[Part] = []
        try:
            parts = split(body)
            code = self._bad_container(msg_id, envelope.seq_no, parts)
        except RemoteProtocolError:
            code = 64
        if code:
            self._refuse(envelope, code, now)
            return
        self._seen.add(msg_id, envelope.seq_no)
        if parts:
            self._start([part.msg_id for part in parts], now, events)
        for part_id, part_seq_no, part in parts:
            if part_id in self._refused:
                self._refuse(Envelope(0, self.session_id, part_id, part_seq_no, part), 17, now)
            else:
                self._take(part_id, part_seq_no, part, now, events)

    def _bad_container(self, msg_id: int, seq_no: int, parts: Sequence[Part]) -> int:
        """Return the code by which a container is refused, 0 if it is good."""
        if msg_id in self._seen:
            return 19
        if msg_id < self._seen.floor:
            return 20
        if seq_no & 1:
            return 34
        for part_id, part_seq_no, part in parts:
            constructor = int.from_bytes(part[:4], "little")
            if part_id >= msg_id or constructor == MSG_CONTAINER:
                return 64
            code = 18 if part_id & 3 else self._misnumbered(part_id, part_seq_no, constructor)
            if code:
                return code
        return 0

    def _uncover(self, body: bytes) -> bytes:
        """Inflate a body that may hide a container; leave a damaged one to whoever handles it."""
        try:
            return self._inflate(body)
        except RemoteProtocolError:
            return body

    def _refuse(self, envelope: Envelope, code: int, now: float) -> None:
        """Tell the client by number why a message, or the container it names, was not taken."""
        _, _, msg_id, seq_no, _, _ = envelope
        if code == 48:
            salt = self._salts.current(now)
            body = pack("<Iqiiq", _BAD_SERVER_SALT, msg_id, seq_no, code, salt)
        else:
            body = pack("<Iqii", _BAD_MSG_NOTIFICATION, msg_id, seq_no, code)
        self._control(body, self.ANSWER, now)

    def _start(self, ids: Sequence[int], now: float, events: list[Event]) -> None:
        """Announce the session with its first message, and with any that is older (A7.1, A7.2)."""
        lowest = min(ids)
        first = self._first_msg_id
        if first is not None and lowest >= first:
            return
        if lowest in self._seen or lowest < self._seen.floor:
            return
        self._first_msg_id = lowest
        salt = self._salts.current(now)
        body = pack("<Iqqq", _NEW_SESSION_CREATED, lowest, self.unique_id, salt)
        self._content(body, self.ANSWER, now)
        if first is None:
            events.append(SessionStarted(lowest))

    # ── requests ─────────────────────────────────────────────────────────────────────────────────

    def _record(self, msg_id: int) -> None:
        if len(self._requests) >= MAX_REQUESTS:
            del self._requests[next(iter(self._requests))]
        self._requests[msg_id] = _Request(msg_id)

    def _api(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        self._record(msg_id)
        events.append(Request(msg_id, body))

    def _on_gzip(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        try:
            self._on_gzip_packed(msg_id, body, now, events)
        except RemoteProtocolError:
            self._undecodable(msg_id, now)

    def _on_copy(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        self._take(*copied(body), now, events)

    def _undecodable(self, msg_id: int, now: float) -> None:
        """Answer what nobody can read like a request that nobody can read (A9.4, A11.5)."""
        if self._seen.seq_nos.get(msg_id, 0) & 1:
            self._record(msg_id)
            self.reply_error(msg_id, 400, "INPUT_FETCH_FAIL", now=now)

    def _repeated(
        self, msg_id: int, seq_no: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        """Answer a repeated request as before, without executing it again (A5.3)."""
        request = self._requests.get(msg_id)
        if request is not None and request.state == "unread":
            request.state = "running"
            events.append(Request(msg_id, body))
            return
        if request is None or request.acked or request.state in ("running", "dropped"):
            constructor = int.from_bytes(body[:4], "little")
            if constructor in IDEMPOTENT:
                self.HANDLERS[constructor](self, msg_id, body, now, events)
            elif seq_no & 1:
                self._acknowledge_at(msg_id, now)
            return
        answer = self._kept.get(request.answer_id)
        if answer is None:
            # Given up for want of space.  What the request did cannot be told any more.
            body = _ONE_LONG.pack(_RPC_RESULT, msg_id) + _error(-503, "Timeout")
            answer = self._content(body, self.ANSWER, now)
            answer.request = request
            request.answer_id = answer.msg_id
        elif len(answer.body) <= SMALL:
            self._queue[answer.msg_id] = answer
        elif answer.msg_id not in self._queue:
            info = pack("<Iqqii", MSG_DETAILED_INFO, msg_id, answer.msg_id, len(answer.body), 0)
            self._control(info, self.ANSWER, now)

    def _forgotten(
        self, msg_id: int, seq_no: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        if msg_id in self._requests:
            self._repeated(msg_id, seq_no, body, now, events)
            return
        self._refuse(Envelope(0, self.session_id, msg_id, seq_no, body), 20, now)

    def _left_window(self, msg_id: int) -> None:
        request = self._requests.get(msg_id)
        if request is not None and (request.acked or request.state == "dropped"):
            del self._requests[msg_id]

    def _acked(self, msg_id: int) -> None:
        message = self._kept.get(msg_id)
        if message is None:
            return
        self._release(message)
        self._queue.pop(msg_id, None)
        request = message.request
        if request is not None:
            request.acked = True
            if request.msg_id not in self._seen:
                self._requests.pop(request.msg_id, None)

    def _state(self, msg_id: int) -> int:
        request = self._requests.get(msg_id)
        if request is None:
            return super()._state(msg_id)
        if request.state == "running":
            return 4 | 32 | (0 if msg_id in self._acks else 8)
        return 4 | 8 | 32 | 64 | (128 if request.acked else 0)

    def _find(self, msg_id: int) -> Outgoing | None:
        request = self._requests.get(msg_id)
        return self._kept.get(msg_id if request is None else request.answer_id)

    def _on_drop_answer(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        """Take back a request or its answer (A11.4)."""
        (dropped,) = fields(_ONE_LONG, body)
        request = self._requests.get(dropped)
        self._record(msg_id)
        if request is None:
            result = _CONSTRUCTOR.pack(_RPC_ANSWER_UNKNOWN)
        elif request.state == "running":
            result = _CONSTRUCTOR.pack(_RPC_ANSWER_DROPPED_RUNNING)
            self._reply(dropped, result, "dropped", now)
            events.append(RequestDropped(dropped))
        else:
            answer = self._kept.get(request.answer_id)
            if answer is None:
                result = _CONSTRUCTOR.pack(_RPC_ANSWER_UNKNOWN)
            else:
                self._release(answer)
                self._queue.pop(answer.msg_id, None)
                request.state, request.acked = "dropped", True
                head = _ONE_LONG.pack(_RPC_ANSWER_DROPPED, answer.msg_id)
                result = head + pack("<ii", answer.seq_no, len(answer.body))
        self._reply(msg_id, result, "ok", now)

    # ── queries of MTProto's own ─────────────────────────────────────────────────────────────────

    def _on_ping(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        (ping_id,) = fields(_ONE_LONG, body)
        self._pong(msg_id, ping_id, now)

    def _on_ping_delay(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        ping_id, delay = fields(_PING_DELAY, body)
        self._pong(msg_id, ping_id, now)
        events.append(DisconnectAfter(float(max(delay, 0))))

    def _pong(self, msg_id: int, ping_id: int, now: float) -> None:
        self.reply_service(msg_id, pack("<Iqq", _PONG, msg_id, ping_id), now=now)

    def _on_get_salts(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        (count,) = fields(_ONE_INT, body)
        salts = self._salts.future(count, now)
        head = pack("<Iqii", _FUTURE_SALTS, msg_id, int(now), len(salts))
        answer = head + b"".join(pack("<iiq", *salt) for salt in salts)
        self.reply_service(msg_id, answer, now=now)

    def _on_destroy_session(
        self, msg_id: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        (session_id,) = fields(_ONE_LONG, body)
        if session_id == self.session_id:
            none = _ONE_LONG.pack(_DESTROY_SESSION_NONE, session_id)
            self.reply_service(msg_id, none, now=now)
        else:
            events.append(DestroySession(msg_id, session_id))

    def _on_destroy_key(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        fields(_CONSTRUCTOR, body)
        events.append(DestroyAuthKey(msg_id))

    def _ignore(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        """Accept what needs no answer (A8.6)."""

    def _limit_exceeded(self, events: list[Event]) -> None:
        events.append(FloodError())

    # ── what the shared half asks ────────────────────────────────────────────────────────────────

    def next_deadline(self) -> float | None:
        """Return when ``packets`` wants to be called next, for an acknowledgement that is due."""
        return self._ack_due if self.connected and self._acks else None

    def handle_deadline(self, *, now: float) -> list[Event]:
        """Do what is due: nothing here, acknowledgements leave with ``packets``."""
        return []

    def _time(self, now: float) -> float:
        return now

    def _salt(self, now: float) -> int:
        return self._salts.current(now)

    HANDLERS: ClassVar[Mapping[int, Handler]] = {
        **COMMON_HANDLERS,
        GZIP_PACKED: _on_gzip,
        MSG_COPY: _on_copy,
        PING: _on_ping,
        PING_DELAY_DISCONNECT: _on_ping_delay,
        GET_FUTURE_SALTS: _on_get_salts,
        RPC_DROP_ANSWER: _on_drop_answer,
        DESTROY_SESSION: _on_destroy_session,
        DESTROY_AUTH_KEY: _on_destroy_key,
        HTTP_WAIT: _ignore,
        MSGS_STATE_INFO: _ignore,
        MSGS_ALL_INFO: _ignore,
        MSG_DETAILED_INFO: _ignore,
        MSG_NEW_DETAILED_INFO: _ignore,
    }


def _error(code: int, message: str) -> bytes:
    return _ONE_INT.pack(_RPC_ERROR, code) + tl_bytes(message.encode())
