"""Layer 2: the client's half of a session: calls, results, updates, and what time demands.

Knows how calls are made, dropped and answered, and what is due when. Must not know what a call
means: bodies go in and out as bytes.

A call is kept until its answer comes. What becomes of it until then, when the server refuses it or
loses it, is told in :mod:`radiogram.mtproto.repair`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from struct import Struct
from typing import ClassVar

from radiogram.crypto.keys import AuthKey
from radiogram.errors import LocalProtocolError, RemoteProtocolError, SecurityError
from radiogram.mtproto.binding import Binding, write_call
from radiogram.mtproto.events import (
    AuthKeyDestroyed,
    CallDropped,
    CallFailed,
    ConnectionDead,
    Event,
    Overslept,
    Result,
    ResultError,
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
    compress,
    open_envelope,
    split,
    time_of,
)
from radiogram.mtproto.repair import (
    TOO_NEW,
    TOO_OLD,
    Repairing,
    blames_clock,
    decode,
    new_id,
)
from radiogram.mtproto.rtt import RoundTrip
from radiogram.mtproto.salts import FutureSalt
from radiogram.mtproto.session import (
    Handler,
    fields,
)
from radiogram.tl import mtproto

RPC_RESULT = 0xF35C6D01
RPC_ERROR = 0x2144CA19
PONG = 0x347773C5
FUTURE_SALTS = 0xAE500895
DESTROY_SESSION_OK = 0xE22045FC
DESTROY_SESSION_NONE = 0x62D350C9
DESTROY_AUTH_KEY_OK = 0xF660E1D4
DESTROY_AUTH_KEY_NONE = 0x0A9F2259
DESTROY_AUTH_KEY_FAIL = 0xEA109B13

MAX_BODY = MAX_CONTAINER - PART.size
"""Bytes of the largest call."""

END_OF_IDS = ((1 << 31) - 30 * 86400) << 32
"""Ids of messages from a month before their end in 2038; no clock is set by those."""

PING_INTERVAL = 60.0
DISCONNECT_DELAY = 75
"""Seconds after which the server may close a connection that sends no more pings."""
OVERSLEPT = DISCONNECT_DELAY - PING_INTERVAL
"""Seconds by which a ping may be late; by then the server has closed the connection."""
FIRST_SALTS, SALTS_RETRY = 20.0, 60.0
FUTURE_SALTS_WANTED = 32

_REQUEST_ID = Struct("<Iq")
_PING_DELAY = Struct("<Iqi")
_GET_FUTURE_SALTS = Struct("<Ii")
_TWO_LONGS = Struct("<Iqq")
_DESTROYED = Struct("<Iq")

_RPC_DROP_ANSWER = 0x58E4A740
_PING_DELAY_DISCONNECT = 0xF3427B8C
_GET_FUTURE_SALTS_ID = 0xB921BD04
_DESTROY_SESSION = 0xE7512126
_DESTROY_AUTH_KEY = 0xD1435160


class ClientSession(Repairing):
    """A client's session with one server."""

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
            auth_key,
            new_id(random) if session_id is None else session_id,
            salt=salt,
            time_offset=time_offset,
            random=random,
        )
        self._gzip_threshold = gzip_threshold
        self._last_call_id = 0
        self._future: list[FutureSalt] = []
        self._pings = 0
        self._ping_sent: tuple[int, float] = (0, 0.0)
        """Id of the last ping, and when it was sent."""
        self._ping_due = inf
        self._salts_due = inf

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
        nonce = new_id(self._random)

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
        if self._time_known and not blames_clock(body):
            events.append(ConnectionDead())
            return False
        self._set_time(time_of(msg_id), now, events)
        return True

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
        answer = decode(body, mtproto.FutureSalts)
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
        **Repairing.HANDLERS,
        RPC_RESULT: _on_rpc_result,
        PONG: _on_pong,
        FUTURE_SALTS: _on_future_salts,
        DESTROY_SESSION_OK: _on_session_destroyed,
        DESTROY_SESSION_NONE: _on_session_destroyed,
        DESTROY_AUTH_KEY_OK: _on_key_destroyed,
        DESTROY_AUTH_KEY_NONE: _on_key_destroyed,
        DESTROY_AUTH_KEY_FAIL: _on_key_destroyed,
    }


def _signed(key: AuthKey) -> int:
    """Return the id of a key as a TL long."""
    return int.from_bytes(key.key_id, "little", signed=True)


def _read_error(call_id: int, body: bytes) -> ResultError:
    error = decode(body, mtproto.RpcError)
    return ResultError(call_id, error.error_code, error.error_message)
