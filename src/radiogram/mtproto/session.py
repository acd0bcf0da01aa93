"""Layer 2: the half of a session that client and server have in common.

Knows message ids, seq_nos, containers, acknowledgements, repetition and questions about state.
Must not know salts, calls or results, nor on which side it is: the subclasses bring handler tables
and a few methods.

Theory of operation. A message that must arrive is kept in ``_kept`` until the subclass knows that
it did, and waits in ``_queue`` to be packed. :meth:`Session.packets` empties the queue into as few
packets as possible and adds the acknowledgements that are due. A message keeps its id whenever it
is sent again, and is then wrapped in a container with a fresh id: so the receiver can recognise it
as known, and an old id is no offence. ``carrier`` names the packet a message went out in last,
because that is what a refusal names.

Incoming messages pass the window of known ids and are handed to a function by constructor id; what
no table knows belongs to the API.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from math import inf
from struct import Struct, pack, unpack_from
from typing import Any, ClassVar, Generic, TypeVar

from radiogram.crypto.keys import AuthKey, seal
from radiogram.errors import RemoteProtocolError
from radiogram.mtproto.events import Event
from radiogram.mtproto.message import (
    ENVELOPE,
    GZIP_PACKED,
    MAX_CONTAINER,
    MAX_IDS,
    MAX_INFLATED,
    MAX_PARTS,
    MAX_RATIO,
    MSG_CONTAINER,
    PART,
    MessageIds,
    Part,
    Random,
    SeenIds,
    inflate,
    join,
    tl_bytes,
)

MSG_COPY = 0xE06046B2
MSGS_ACK = 0x62D6B459
MSGS_STATE_REQ = 0xDA69FB52
MSGS_STATE_INFO = 0x04DEB57D
MSGS_ALL_INFO = 0x8CC0D131
MSG_RESEND_REQ = 0x7D861A08
MSG_RESEND_ANS_REQ = 0x8610BAEB
MSG_DETAILED_INFO = 0x276D3EC6
MSG_NEW_DETAILED_INFO = 0x809DB6DF
VECTOR = 0x1CB5C415

ACK_BATCH = 16
"""Acknowledgements that are sent at once instead of waiting for company."""
FRESH = 60.0
"""Seconds for which an unsent message may still go without a container."""

Handler = Callable[[Any, int, bytes, float, list[Event]], None]
"""What is done with a message: session, msg_id, body, now, events to add to."""


class Outgoing:
    """A message on its way to the peer."""

    __slots__ = ("body", "carrier", "msg_id", "sent_at", "seq_no")

    def __init__(self, msg_id: int, seq_no: int, body: bytes) -> None:
        self.msg_id = msg_id
        self.seq_no = seq_no
        self.body = body
        self.carrier = 0
        """Id of the message that went out as a packet with this one in it; 0 before that."""
        self.sent_at = 0.0


Kept = TypeVar("Kept", bound=Outgoing)


class Session(Generic[Kept]):
    """Messages in both directions under one key and one session id."""

    HANDLERS: ClassVar[Mapping[int, Handler]]
    FROM_CLIENT: ClassVar[bool]
    """The direction of what this side seals."""
    ANSWER: ClassVar[int]
    """Remainder of ids of messages that answer the peer, and of containers."""
    NOTICE: ClassVar[int]
    """Remainder of ids of all other messages."""
    ACK_DELAY: ClassVar[float]
    """Seconds that an acknowledgement may wait."""

    def __init__(self, auth_key: AuthKey, session_id: int, *, random: Random) -> None:
        self.auth_key = auth_key
        self.session_id = session_id
        self.connected = False
        """Whether there is a connection to pack packets for."""
        self._random = random
        self._ids = MessageIds()
        self._content_count = 0
        self._seen = SeenIds()
        self._kept: dict[int, Kept] = {}
        self._queue: dict[int, Outgoing] = {}
        self._acks: dict[int, None] = {}
        self._ack_due = inf
        self._sent_acks: deque[Outgoing] = deque(maxlen=16)
        self._container_limit = MAX_PARTS
        self._inflatable = 0

    # ── connection ───────────────────────────────────────────────────────────────────────────────

    def connection_made(self, *, now: float) -> None:
        """Take a new connection; everything the peer may not have got goes out on it again."""
        self.connected = True
        self._queue = {**self._kept}
        self._ack_due = now if self._acks else inf
        self._container_limit = MAX_PARTS

    def connection_lost(self, *, now: float) -> None:
        """Give up the connection; what was waiting for it and need not arrive is forgotten."""
        self.connected = False
        self._queue.clear()

    # ── sending ──────────────────────────────────────────────────────────────────────────────────

    def packets(self, *, now: float) -> list[bytes]:
        """Return the sealed packets that should be sent now; nothing while unconnected."""
        if not self.connected:
            return []
        queue = self._queue
        acks = self._acks
        if acks and (len(queue) > 1 or now >= self._ack_due or len(acks) >= ACK_BATCH):
            self._acknowledge(now)
        if not queue:
            return []
        self._queue = {}
        waiting = list(queue.values())
        if len(waiting) == 1:
            return [self._pack(waiting, now)]
        packets = []
        batch: list[Outgoing] = []
        room = MAX_CONTAINER
        newest = self._ids.last + 3
        for message in waiting:
            if message.msg_id > newest:
                packets.append(self._pack([message], now))
                continue
            size = len(message.body) + PART.size
            if batch and (size > room or len(batch) >= self._container_limit):
                packets.append(self._pack(batch, now))
                batch, room = [], MAX_CONTAINER
            batch.append(message)
            room -= size
        if batch:
            packets.append(self._pack(batch, now))
        return packets

    def _pack(self, batch: list[Outgoing], now: float) -> bytes:
        """Seal some messages into one packet: a bare message if it may be one, else a container."""
        first = batch[0]
        stale = (self._time(now) - FRESH) * 4294967296
        # What went out before the clock was set back is newer than any container may be.
        if len(batch) == 1 and (
            first.msg_id > self._ids.last + 3 or (not first.carrier and first.msg_id > stale)
        ):
            msg_id, seq_no, body = first.msg_id, first.seq_no, first.body
        else:
            msg_id = self._ids.next(self._time(now), self.ANSWER)
            seq_no = self._content_count * 2
            body = join([Part(m.msg_id, m.seq_no, m.body) for m in batch])
        for message in batch:
            message.carrier = msg_id
            message.sent_at = now
        head = ENVELOPE.pack(self._salt(now), self.session_id, msg_id, seq_no, len(body))
        return seal(self.auth_key, head + body, from_client=self.FROM_CLIENT, random=self._random)

    def _control(self, body: bytes, remainder: int, now: float) -> Outgoing:
        """Queue a message that needs no acknowledgement and is not sent again."""
        msg_id = self._ids.next(self._time(now), remainder)
        message = Outgoing(msg_id, self._content_count * 2, body)
        self._queue[msg_id] = message
        return message

    def _next_seq_no(self, content_related: bool) -> int:
        seq_no = self._content_count * 2
        if content_related:
            self._content_count += 1
            return seq_no + 1
        return seq_no

    def _acknowledge(self, now: float) -> None:
        ids = list(self._acks)
        self._acks.clear()
        self._ack_due = inf
        for start in range(0, len(ids), MAX_IDS):
            message = self._control(
                pack_ids(MSGS_ACK, ids[start : start + MAX_IDS]), self.NOTICE, now
            )
            self._sent_acks.append(message)

    def _acknowledge_again(self, carrier: int, now: float) -> None:
        """Repeat the acknowledgements that were in a packet the peer refused."""
        for message in self._sent_acks:
            if message.carrier == carrier:
                self._acks.update(dict.fromkeys(unpack_ids(message.body)))
                self._ack_due = now

    def _acknowledge_at(self, msg_id: int, due: float) -> None:
        self._acks[msg_id] = None
        self._ack_due = min(self._ack_due, due)

    def _settle_ack(self, msg_id: int) -> None:
        """Forget an acknowledgement that an answer makes needless (A8.1)."""
        self._acks.pop(msg_id, None)
        if not self._acks:
            self._ack_due = inf

    # ── receiving ────────────────────────────────────────────────────────────────────────────────

    def _deliver(
        self, msg_id: int, seq_no: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        """Handle one message, whether it was a packet of its own or part of a container."""
        seen = self._seen
        if msg_id in seen.seq_nos:
            self._repeated(msg_id, seq_no, body, now, events)
            return
        if msg_id < seen.floor:
            self._forgotten(msg_id, seq_no, body, now, events)
            return
        gone = seen.add(msg_id, seq_no)
        if gone:
            self._left_window(gone)
        if seq_no & 1:
            if not self._acks:
                self._ack_due = now + self.ACK_DELAY
            self._acks[msg_id] = None
        handler = self.HANDLERS.get(int.from_bytes(body[:4], "little"))
        if handler is None:
            self._api(msg_id, body, now, events)
        else:
            handler(self, msg_id, body, now, events)

    def _inflate(self, body: bytes) -> bytes:
        """Inflate a body; all that one packet brings may not exceed twice what one body may.

        A body that fails counts with what it can have inflated to, since that work was done.
        """
        limit = min(self._inflatable, MAX_INFLATED)
        cost = min(limit, len(body) * MAX_RATIO)
        try:
            data = inflate(body, limit=limit)
            cost = len(data)
        finally:
            self._inflatable -= cost
        return data

    def _on_gzip_packed(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        inner = self._inflate(body)
        constructor = int.from_bytes(inner[:4], "little")
        if constructor in (GZIP_PACKED, MSG_CONTAINER, MSG_COPY):
            raise RemoteProtocolError(f"a compressed message cannot hold {constructor:#010x}")
        handler = self.HANDLERS.get(constructor)
        if handler is None:
            self._api(msg_id, inner, now, events)
        else:
            handler(self, msg_id, inner, now, events)

    def _on_msg_copy(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        self._deliver(*copied(body), now, events)

    def _on_msgs_ack(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        ids = self._ids_of(body, events)
        for acked in ids:
            self._acked(acked)

    def _on_msgs_state_req(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        ids = self._ids_of(body, events)
        if ids:
            self._tell_state(msg_id, ids, now)

    def _tell_state(self, req_msg_id: int, ids: Iterable[int], now: float) -> None:
        info = bytes(self._state(i) for i in ids)
        body = pack("<Iq", MSGS_STATE_INFO, req_msg_id) + tl_bytes(info)
        self._control(body, self.ANSWER, now)
        self._settle_ack(req_msg_id)

    def _state(self, msg_id: int) -> int:
        """Return the state byte of a message of the peer's (A8.4)."""
        seq_no = self._seen.seq_nos.get(msg_id)
        if seq_no is None:
            if msg_id < self._seen.floor:
                return 1
            return 3 if msg_id > self._seen.highest else 2
        if not seq_no & 1:
            return 4 | 16
        return 4 if msg_id in self._acks else 4 | 8

    def _on_msg_resend_req(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        ids = self._ids_of(body, events)
        found = [message for message in map(self._find, ids) if message is not None]
        for message in found:
            self._queue[message.msg_id] = message
        if len(found) < len(ids):
            self._tell_state(msg_id, ids, now)

    def _find(self, msg_id: int) -> Outgoing | None:
        """Return what a peer means that asks for a message by this id."""
        return self._kept.get(msg_id)

    def _ids_of(self, body: bytes, events: list[Event]) -> tuple[int, ...]:
        """Return the ids a message lists; none, and a complaint, if there are too many (A9.5)."""
        if len(body) >= 12 and int.from_bytes(body[8:12], "little") > MAX_IDS:
            self._limit_exceeded(events)
            return ()
        return unpack_ids(body)

    # ── what a subclass decides ──────────────────────────────────────────────────────────────────

    def _time(self, now: float) -> float:
        """Return the server's time, as far as this side knows it."""
        raise NotImplementedError

    def _salt(self, now: float) -> int:
        """Return the salt to send with."""
        raise NotImplementedError

    def _api(self, msg_id: int, body: bytes, now: float, events: list[Event]) -> None:
        """Handle a message that belongs to the API."""
        raise NotImplementedError

    def _acked(self, msg_id: int) -> None:
        """Note that the peer has a message of this side's, if there is one by this id."""
        raise NotImplementedError

    def _repeated(
        self, msg_id: int, seq_no: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        """Handle a message that was received before."""
        raise NotImplementedError

    def _forgotten(
        self, msg_id: int, seq_no: int, body: bytes, now: float, events: list[Event]
    ) -> None:
        """Handle a message too old to tell whether it was received before."""
        raise NotImplementedError

    def _left_window(self, msg_id: int) -> None:
        """Note that an id left the window of received ids."""

    def _limit_exceeded(self, events: list[Event]) -> None:
        """Complain of a service message that lists too many ids."""
        raise NotImplementedError


COMMON_HANDLERS: Mapping[int, Handler] = {
    GZIP_PACKED: Session._on_gzip_packed,
    MSG_COPY: Session._on_msg_copy,
    MSGS_ACK: Session._on_msgs_ack,
    MSGS_STATE_REQ: Session._on_msgs_state_req,
    MSG_RESEND_REQ: Session._on_msg_resend_req,
    MSG_RESEND_ANS_REQ: Session._on_msg_resend_req,
}
"""What both roles do with messages about messages."""


def fields(layout: Struct, body: bytes) -> tuple[Any, ...]:
    """Read a service message whose fields all have a fixed size, without its constructor id."""
    if len(body) != layout.size:
        constructor = int.from_bytes(body[:4], "little")
        raise RemoteProtocolError(f"{constructor:#010x} cannot have {len(body)} bytes")
    return layout.unpack(body)[1:]


def copied(body: bytes) -> Part:
    """Take the message out of a ``msg_copy`` (A9.6)."""
    if len(body) < 4 + PART.size:
        raise RemoteProtocolError("a copied message ends inside its header")
    msg_id, seq_no, length = PART.unpack_from(body, 4)
    inner = body[4 + PART.size :]
    if length != len(inner) or int.from_bytes(inner[:4], "little") in (MSG_CONTAINER, MSG_COPY):
        raise RemoteProtocolError(f"a copied message cannot have {length} bytes here")
    return Part(msg_id, seq_no, inner)


def pack_ids(constructor: int, ids: list[int]) -> bytes:
    """Make a service message that lists message ids."""
    return pack(f"<IIi{len(ids)}q", constructor, VECTOR, len(ids), *ids)


def unpack_ids(body: bytes) -> tuple[int, ...]:
    """Read a service message that lists message ids."""
    count, spare = divmod(len(body) - 12, 8)
    if count < 0 or spare:
        raise RemoteProtocolError(f"a list of message ids cannot have {len(body)} bytes")
    _, vector, declared = unpack_from("<III", body)
    if vector != VECTOR or declared != count:
        raise RemoteProtocolError(f"a list of {declared} message ids in {len(body)} bytes")
    return unpack_from(f"<{count}q", body, 12)
