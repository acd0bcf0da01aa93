"""Server layer: one socket: packets to key exchange or to sessions, transport errors back (A2).

Knows packets, auth keys and which session a packet is for. Knows nothing of messages inside a
session or of calls. State that must survive the socket is not here (A1.12).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from radiogram.errors import RadiogramError, SecurityError
from radiogram.mtproto.message import open_envelope, open_plain
from radiogram.net.driver import PacketConnection
from radiogram.server.doors import dc_of
from radiogram.server.faults.base import NOBODY, Who
from radiogram.server.faults.looking import methods_in
from radiogram.server.sinks import Cut, Gathering, Sink, Trickle
from radiogram.wire import ServerCodec
from radiogram.wire.base import ErrorCode, Packet, QuickAck

if TYPE_CHECKING:
    from radiogram.server.clock import Timer
    from radiogram.server.faults import PacketFault
    from radiogram.server.server import Server
    from radiogram.server.session import Session

log = logging.getLogger("radiogram.server.connection")

NOT_FOUND = -404
TOO_MANY = -429
INVALID_DC = -444
PLAIN = bytes(8)


class Connection:
    """The owner of one PacketConnection."""

    def __init__(self, server: Server, dc_id: int, *, proxied: bool = False) -> None:
        """Belong to a DC; with `proxied` to the one that the peer names when it has spoken."""
        self._proxied = proxied
        self.dc_id = dc_id
        """The DC that the peer has reached: that of the port, unless the peer names another."""
        self.sessions: set[Session] = set()
        """Sessions whose latest connection this is."""
        self.address = ""
        self._server = server
        self._packets: PacketConnection | None = None
        self._disconnect: Timer | None = None
        self._refusal: int | None = None
        self._is_stalled = False
        self._sink: Sink | None = None

    # -------------------------------------------------------------- what the driver tells

    def connection_made(self, conn: PacketConnection) -> None:
        self._packets = conn
        self.address = conn.peer.rpartition(":")[0]
        self._server.connection_made(self)
        if self._server.world.faults.lines:
            self._meet_line_faults(conn, NOBODY)

    def frames_received(
        self, conn: PacketConnection, frames: list[Packet | QuickAck | ErrorCode]
    ) -> None:
        if self._is_stalled:
            return
        self._server.hold()
        try:
            if self._proxied:
                self._proxied = False
                self._go_to_dc(conn)
            for frame in frames:
                if conn.closed:
                    break
                if isinstance(frame, Packet):
                    self._packet(conn, frame)
        except Exception:
            # Nothing a peer sends may end the server; what it sent is lost with its connection.
            log.exception("a packet of %s failed inside the server", conn.peer)
            conn.abort()
        self._server.flush()

    def connection_lost(self, conn: PacketConnection, error: Exception | None) -> None:
        if error is not None:
            log.info("connection of %s lost: %s", conn.peer, error)
        if self._disconnect is not None:
            self._disconnect.cancel()
        for session in list(self.sessions):
            session.connection_lost()
        self.sessions.clear()
        self._server.connection_lost(self)

    # -------------------------------------------------------------- what sessions may do

    def write(self, packets: list[bytes]) -> None:
        """Send packets now."""
        if self._packets is not None:
            self._packets.write(packets)

    def fail(self, code: int, *, close: bool = True) -> None:
        """Answer with a transport error, and close (A2.1)."""
        if self._packets is not None and not self._packets.closed:
            log.info("%s gets transport error %d", self._packets.peer, code)
            self._packets.send_error(code)
            if close:
                self.close()

    def close(self) -> None:
        """Close after what was written has left."""
        if self._packets is not None:
            if self._sink is not None:
                self._packets.write()
                self._sink.finish()
            self._packets.close()

    def abort(self, *, reset: bool = False) -> None:
        """Close at once; `reset`: as by a crash."""
        if self._packets is not None:
            if reset:
                self._packets.reset()
            else:
                self._packets.abort()

    async def wait_closed(self) -> None:
        """Wait until the socket is gone."""
        if self._packets is not None:
            await self._packets.wait_closed()

    def disconnect_after(self, delay: float) -> None:
        """Close in `delay` seconds of the server's clock, unless told again before (A10.2)."""
        if self._disconnect is not None:
            self._disconnect.cancel()
        self._disconnect = self._server.world.clock.call_later(delay, self.close)

    def refuse(self, code: int) -> None:
        """Answer the first packet, whatever it is, with a transport error, and close.

        An error cannot go out earlier: the peer has not said yet which framing it speaks.
        """
        self._refusal = code

    # -------------------------------------------------------------- packets

    def _packet(self, conn: PacketConnection, packet: Packet) -> None:
        payload = packet.payload
        if self._refusal is not None:
            self.fail(self._refusal)
            return
        if len(payload) < 20:
            self.fail(NOT_FOUND)
            return
        key_id = payload[:8]
        if key_id == PLAIN:
            self._plain(conn, payload)
            return
        server = self._server
        key = server.key(key_id, self.dc_id)
        if key is None or key.key is None:
            self.fail(NOT_FOUND)
            return
        try:
            envelope = open_envelope(key.key, payload, from_client=True)
        except SecurityError as error:
            log.info("a packet of %s does not open: %s", conn.peer, error)
            self.fail(NOT_FOUND)
            return
        faults = server.world.faults
        refusal = 0
        if faults.has_packets or faults.lines:
            who = Who(
                (key.permanent or key).user_id,
                int.from_bytes(key_id, "little"),
                envelope.session_id,
            )
            self._meet_line_faults(conn, who)
            fault = faults.of_packet(who, incoming=True, methods=lambda: methods_in(envelope.body))
            if fault is not None and fault.kind == "forget":
                server.forget_session(key, envelope.session_id)
            elif fault is not None and fault.kind in ("salt", "refuse"):
                refusal = 48 if fault.kind == "salt" else fault.code
                if refusal == 48:
                    server.rotate_salts(key)
            elif fault is not None:
                self._meet_fault(fault)
                return
        session = server.session(key, envelope.session_id)
        session.attach(self)
        if packet.quick_ack:
            conn.send_quick_ack(envelope.quick_ack_token)
        session.receive(envelope, refusal=refusal)

    def _meet_fault(self, fault: PacketFault) -> None:
        """Let a packet that came in be lost, and more, as a test wants it (E16, E17, E20)."""
        if fault.kind == "error":
            self.fail(fault.code, close=fault.close)
        elif fault.kind == "drop":
            self.abort(reset=fault.reset)

    def _meet_line_faults(self, conn: PacketConnection, who: Who) -> None:
        """Let a connection be as a test wants it (E17 to E19)."""
        faults = self._server.world.faults
        if who is NOBODY:  # it is new
            fault = faults.of_line(("refuse", "stall"))
            if fault is not None and fault.kind == "refuse":
                conn.reset()
                return
            self._is_stalled = fault is not None
        if self._sink is not None:
            return
        fault = faults.of_line(("fragment", "coalesce", "cut"), who)
        if fault is None:
            return
        if fault.kind == "fragment":
            self._sink = Trickle(conn, fault.size, fault.seconds)
        elif fault.kind == "coalesce":
            self._sink = Gathering(conn, fault.size)
        else:
            self._sink = Cut(conn, fault.size)
        conn.sink = self._sink

    def _go_to_dc(self, conn: PacketConnection) -> None:
        """Belong to the DC that a user of the MTProxy has named (A1.8, A1.10)."""
        codec = conn.codec
        assert isinstance(codec, ServerCodec)
        self.dc_id = dc_of(codec.dc_id, default=self.dc_id)
        if self.dc_id not in self._server.dcs:
            self.refuse(INVALID_DC)

    def _plain(self, conn: PacketConnection, payload: bytes) -> None:
        try:
            _, body = open_plain(payload)
        except RadiogramError as error:
            log.info("a plain message of %s is malformed: %s", conn.peer, error)
            self.fail(NOT_FOUND)
            return
        reply, error_code = self._server.key_exchange(self.dc_id, body)
        faults = self._server.world.faults
        late = faults.of_exchange("*") if faults.exchanges and reply is not None else None
        if late is not None and reply is not None:
            answer = reply
            self._server.world.clock.call_later(late.seconds, lambda: conn.send(answer))
        elif reply is not None:
            conn.send(reply)
        if error_code is not None:
            self.fail(error_code)
