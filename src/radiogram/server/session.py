"""Server layer: one MTProto session of a client, alive across connections (A7, A1.12).

Ties the protocol engine (ServerSession) to the rpc layer: requests go down to dispatch, results
and pushes go back into the engine. Knows the connection it answers on only as something that
takes packets; knows no method.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from radiogram.mtproto import events
from radiogram.mtproto.message import Envelope
from radiogram.mtproto.server import SaltBook, ServerSession
from radiogram.server.authorizations import Authorization
from radiogram.server.dispatch import NotYet, dispatch
from radiogram.server.faults import Withheld
from radiogram.server.rpc import Caller, RpcFault
from radiogram.server.spoiling import id_of, spoil
from radiogram.tl import api, mtproto

if TYPE_CHECKING:
    from radiogram.server.clock import Timer
    from radiogram.server.connection import Connection
    from radiogram.server.server import Server

log = logging.getLogger("radiogram.server.session")

LATE = 0.01
"""Seconds after which a packet that is to be overtaken leaves, though nothing has come behind."""
MAX_PARKED = 128
"""Calls of one session that wait for others; more are refused."""


class Session(Caller):
    """One session, identified by its auth key and the client's 64-bit number."""

    def __init__(
        self, server: Server, key: Authorization, session_id: int, salts: SaltBook
    ) -> None:
        super().__init__(authorization=key.permanent or key, session_id=session_id)
        if key.key is None:
            raise ValueError("a session needs a key")
        self.key = key
        """The key that encrypts it; the account behind it is in ``authorization``."""
        self.connection: Connection | None = None
        """The connection that carried its last packet."""
        self.idle_since = 0.0
        """When it lost its connection."""
        self._server = server
        self._world = server.world
        self._engine = ServerSession(
            key.key,
            session_id,
            salts=salts,
            random=server.world.random,
            now=server.world.clock.now(),
        )
        self._parked: dict[int, events.Request] = {}
        self._last_id = 0
        """Of the packet that was spoilt last."""
        self._late: list[bytes] = []
        """Packets that leave behind the next ones, because a test wants it so."""
        self._timer: Timer | None = None
        self._timer_at = 0.0

    @property
    def encrypted_by(self) -> Authorization:
        return self.key

    # -------------------------------------------------------------- from the connection

    def attach(self, connection: Connection) -> None:
        """Answer on this connection from now on (A13.1)."""
        if self.connection is connection:
            return
        if self.connection is not None:
            self.connection.sessions.discard(self)
        self.connection = connection
        connection.sessions.add(self)
        self.authorization.address = connection.address
        self._engine.connection_made(now=self._world.clock.now())

    def connection_lost(self) -> None:
        """Keep what is not acknowledged for the next connection."""
        now = self._world.clock.now()
        self.connection = None
        self._late.clear()
        self.idle_since = now
        self._engine.connection_lost(now=now)
        self._server.idle(self)

    def receive(self, envelope: Envelope, *, refusal: int = 0) -> None:
        """Take one decrypted packet, and execute the calls in it.

        With `refusal` it is refused by that number instead.
        """
        now = self._world.clock.now()
        if refusal:
            self._engine.refuse(envelope, refusal, now=now)
        else:
            for event in self._engine.receive(envelope, now=now):
                self._handle(event)
        self._server.touched(self)

    def use_salts(self, salts: SaltBook) -> None:
        """Take other salts from now on."""
        self._engine.use_salts(salts)

    # -------------------------------------------------------------- from the rpc layer

    def outcome(self, msg_id: int) -> str:
        return self._engine.outcome(msg_id)

    def push(self, body: bytes) -> None:
        self._engine.push(body, now=self._world.clock.now())
        self._server.touched(self)

    # -------------------------------------------------------------- to the connection

    def flush(self) -> None:
        """Send what the engine has ready, and wake up again when it wants to."""
        if self.connection is not None:
            if self._engine.take_updates_lost():  # the client has to ask for them (C0.3.8)
                body = self.registry.encode(api.UpdatesTooLong())
                self._engine.push(body, now=self._world.clock.now())
            now = self._world.clock.now()
            faults = self._world.faults
            if faults.packets and faults.has_lost_acks and self._engine.acks_due(now=now):
                if faults.loses_ack(self.who):
                    self._engine.drop_acks()
            packets = self._engine.packets(now=now)
            if packets and faults.has_packets:
                packets = self._spoil(packets)
            if packets and self.connection is not None:
                self.connection.write(packets)
        self._arm()

    def _spoil(self, packets: list[bytes]) -> list[bytes]:
        """Carry out the faults that packets on their way out meet (E20)."""
        going: list[bytes] = []
        late: list[bytes] = []
        for packet in packets:
            fault = self._world.faults.of_packet(self.who, incoming=False)
            kind = fault.kind if fault is not None else ""
            if fault is not None and kind == "drop" and self.connection is not None:
                self.connection.abort(reset=fault.reset)
                return []
            if fault is not None and kind == "spoil":
                going.append(self._spoilt(packet, fault.spoiling))
                going += [] if fault.instead else [packet]
            elif kind == "reorder":
                late.append(packet)
            elif kind != "lose":
                going += [packet, packet] if kind == "repeat" else [packet]
        if going:
            going += self._late
            self._late = []
        if late and not self._late:
            # Nothing may follow: then it is late, but not for ever.
            asyncio.get_running_loop().call_later(LATE, self._release)
        self._late += late
        return going

    def _spoilt(self, packet: bytes, spoiling: str) -> bytes:
        """Return a packet that must not be accepted (E29)."""
        key = self.key.key
        if key is None:
            return packet
        last_id = self._last_id or id_of(packet, key)
        self._last_id = id_of(packet, key)
        return spoil(packet, key, spoiling, last_id=last_id, random=self._world.random)

    def _release(self) -> None:
        late, self._late = self._late, []
        if late and self.connection is not None:
            self.connection.write(late)

    def close(self) -> None:
        """Forget everything; the client will hear of a new session if it comes back (A7.3)."""
        if self.connection is not None:
            self.connection.sessions.discard(self)
            self.connection = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._parked.clear()

    def _arm(self) -> None:
        deadline = self._engine.next_deadline() if self.connection is not None else None
        if deadline is None:
            return
        if self._timer is not None:
            # A deadline moves back with nearly every packet: let the timer ring once too often.
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._world.clock.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._world.clock.now()
        deadline = self._engine.next_deadline()
        if self.connection is not None and deadline is not None and deadline <= now:
            for event in self._engine.handle_deadline(now=now):
                self._handle(event)
        self._server.touched(self)

    # -------------------------------------------------------------- events

    def _handle(self, event: events.Event) -> None:
        match event:
            case events.Request():
                self._execute(event)
                if self._parked:
                    self._retry_parked()
            case events.RequestDropped():
                self._parked.pop(event.msg_id, None)
            case events.SessionStarted():
                log.debug("session %x starts at %d", self.session_id, event.first_msg_id)
            case events.DestroySession():
                self._destroy_session(event)
            case events.DestroyAuthKey():
                self._destroy_auth_key(event)
            case events.DisconnectAfter():
                if self.connection is not None:
                    self.connection.disconnect_after(event.delay)
            case events.FloodError():
                if self.connection is not None:
                    self.connection.fail(event.code)

    def _execute(self, event: events.Request, *, last_chance: bool = False) -> None:
        clock = self._world.clock
        self.msg_id = event.msg_id
        try:
            result = dispatch(self._world, self, event.body)
        except RpcFault as fault:
            self._engine.reply_error(event.msg_id, fault.code, fault.message, now=clock.now())
            if fault.then is not None:
                fault.then()
        except Withheld as withheld:
            self._withhold(event.msg_id, withheld)
        except NotYet:
            if last_chance or len(self._parked) >= MAX_PARKED:
                self._engine.reply_error(event.msg_id, -503, "MSG_WAIT_TIMEOUT", now=clock.now())
                return
            self._parked[event.msg_id] = event
            clock.call_later(
                self._world.settings.wait_after_msg, lambda: self._give_up(event.msg_id)
            )
        else:
            self._engine.reply(event.msg_id, result, now=clock.now())

    def _withhold(self, msg_id: int, withheld: Withheld) -> None:
        """Carry out a fault that a test has asked for (part E)."""
        fault, answer = withheld.fault, withheld.answer
        if answer is None:
            self._engine.unread(msg_id)
        else:
            if fault.kind == "delay":
                self._world.clock.call_later(fault.delay, lambda: self._answer_late(msg_id, answer))
                return
            if fault.kind == "hold":
                self._world.faults.answers.append(lambda: self._answer_late(msg_id, answer))
                return
            # The answer is ready and kept, so that a repetition of the call gets it.
            self._engine.reply(msg_id, answer, now=self._world.clock.now())
            if fault.kind == "lose":
                self._engine.hold_back(msg_id)
            elif fault.kind == "repeat":
                asyncio.get_running_loop().call_soon(self._answer_again, msg_id)
        if fault.kind == "drop" and self.connection is not None:
            self.connection.abort(reset=fault.reset)

    def _answer_late(self, msg_id: int, answer: bytes) -> None:
        self._engine.reply(msg_id, answer, now=self._world.clock.now())
        self._server.touched(self)

    def _answer_again(self, msg_id: int) -> None:
        self.flush()  # the first time, so that it is not one packet
        self._engine.send_again(msg_id)
        self.flush()

    def _retry_parked(self) -> None:
        for msg_id, event in list(self._parked.items()):
            if self._parked.pop(msg_id, None) is not None:
                self._execute(event)

    def _give_up(self, msg_id: int) -> None:
        event = self._parked.pop(msg_id, None)
        if event is not None:
            self._execute(event, last_chance=True)
            self._server.touched(self)

    def _destroy_session(self, event: events.DestroySession) -> None:
        answer: mtproto.DestroySessionOk | mtproto.DestroySessionNone
        # The current session cannot be destroyed from within (A7.4).
        if event.session_id != self.session_id and self._server.forget_session(
            self.key, event.session_id
        ):
            answer = mtproto.DestroySessionOk(session_id=event.session_id)
        else:
            answer = mtproto.DestroySessionNone(session_id=event.session_id)
        self._engine.reply_service(
            event.msg_id, mtproto.REGISTRY.encode(answer), now=self._world.clock.now()
        )

    def _destroy_auth_key(self, event: events.DestroyAuthKey) -> None:
        self._engine.reply_service(
            event.msg_id,
            mtproto.REGISTRY.encode(mtproto.DestroyAuthKeyOk()),
            now=self._world.clock.now(),
        )
        self.flush()
        self._server.destroy_key(self.key)
