"""A server without semantics: the protocol's own engine, and answers that a test writes.

It is reached over links in memory, and can do what real servers should not: refuse, stay silent,
break connections between a call and its answer, forget its sessions.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from radiogram import wire
from radiogram.client.client import TelegramClient
from radiogram.client.datacenters import ServerAddress
from radiogram.client.environment import Environment
from radiogram.crypto.keys import AuthKey
from radiogram.crypto.rsa import PrivateKey
from radiogram.errors import ConnectionFailed
from radiogram.mtproto import events
from radiogram.mtproto.handshake import ServerHandshakes
from radiogram.mtproto.message import open_envelope, open_plain, pack_plain
from radiogram.mtproto.salts import SaltBook
from radiogram.mtproto.server import ServerSession
from radiogram.net import memory
from radiogram.net.driver import PacketConnection, PacketOwner
from radiogram.sessions import Session, SessionData, StringSession
from radiogram.tl import api
from radiogram.tl.build import registry
from radiogram.wire import Codec, Frame, Packet

KEY = PrivateKey.generate()
OTHER_KEY = PrivateKey.generate()
KNOWN = AuthKey(os.urandom(256))
"""A key that every server here knows: a key exchange takes its time."""
START = 1_900_000_000.0

Answer = Callable[[Any], Any]
"""Gives the result of a request, (code, message) for an error, or None for no answer yet."""


def config(**more: Any) -> api.Config:
    """Make an answer to help.getConfig."""
    numbers = {
        field.attribute: 0
        for field in api.Config.TL_DEFINITION.fields
        if field.type == "int" and not field.optional
    }
    values: dict[str, Any] = {
        **numbers,
        "test_mode": False,
        "this_dc": 2,
        "dc_options": [],
        "dc_txt_domain_name": "",
        "me_url_prefix": "https://t.me/",
        **more,
    }
    return api.Config(**values)


class Clock:
    """The time of both ends; passes when told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class FakeServer(PacketOwner):
    """One data centre."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.calls: list[Any] = []
        """Every request that was executed, without its wrappers."""
        self.wrapped: list[bool] = []
        """For each of them, whether it came behind initConnection."""
        self.dropped: list[int] = []
        """Message ids whose answers the client does not want any more."""
        self.dialled: list[tuple[str, int]] = []
        self.incoming: list[int] = []
        """How many requests each packet brought."""
        self.answer: Answer = lambda request: None
        self.failures: list[Exception] = []
        """What the next attempts to connect fail with."""
        self.silent = False
        """True while nothing is read, and nothing said."""
        self.deaf_to_calls = False
        """True while packets are lost on their way in, after key exchange."""
        self.error: int | None = None
        """A transport error to answer every packet with."""
        self.chop: memory.Chop | None = None
        self.keys: dict[bytes, AuthKey] = {KNOWN.key_id: KNOWN}
        self.sessions: dict[tuple[bytes, int], ServerSession] = {}
        self.connections: list[PacketConnection] = []
        self.unanswered: list[tuple[ServerSession, int, Any]] = []
        self.handshakes = ServerHandshakes(
            KEY, dc_id=2, random=os.urandom, accept_dc=lambda _: True, is_taken=lambda _: False
        )
        self._registry = registry()
        self._secret = os.urandom(32)

    @property
    def address(self) -> ServerAddress:
        return ServerAddress("fake.invalid", 443, 2, KEY.public.to_pem())

    # ── connections ──────────────────────────────────────────────────────────────────────────

    async def dial(
        self, host: str, port: int, codec: Codec, owner: PacketOwner, *, timeout: float
    ) -> PacketConnection:
        self.dialled.append((host, port))
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        client, _ = memory.link(
            owner,
            codec,
            lambda: PacketConnection(wire.ServerCodec(random=os.urandom), self),
            chop=self.chop,
        )
        return client

    def connection_made(self, conn: PacketConnection) -> None:
        self.connections.append(conn)

    def connection_lost(self, conn: PacketConnection, error: Exception | None) -> None:
        self.connections.remove(conn)
        for session in self.sessions.values():
            session.connection_lost(now=self.clock())

    def break_connections(self) -> None:
        for conn in self.connections:
            conn.abort()

    def frames_received(self, conn: PacketConnection, frames: list[Frame]) -> None:
        for frame in frames:
            if self.silent or not isinstance(frame, Packet):
                continue
            if self.error is not None:
                conn.send_error(self.error)
            elif frame.payload[:8] == bytes(8):
                self._handshake(conn, frame.payload)
            elif frame.payload[:8] not in self.keys:
                conn.send_error(-404)
            elif not self.deaf_to_calls:
                self._encrypted(conn, frame.payload)

    def _handshake(self, conn: PacketConnection, packet: bytes) -> None:
        msg_id, body = open_plain(packet)
        outcome = self.handshakes.handle(body, now=self.clock())
        if outcome.result is not None:
            self.keys[outcome.result.auth_key.key_id] = outcome.result.auth_key
        if outcome.error is not None:
            conn.send_error(outcome.error)
        if outcome.reply is not None:
            conn.send(pack_plain(msg_id | 1, outcome.reply))

    # ── sessions ─────────────────────────────────────────────────────────────────────────────

    def _encrypted(self, conn: PacketConnection, packet: bytes) -> None:
        key = self.keys[packet[:8]]
        envelope = open_envelope(key, packet, from_client=True)
        name = (key.key_id, envelope.session_id)
        now = self.clock()
        session = self.sessions.get(name)
        if session is None:
            salts = SaltBook(self._secret, key.key_id)
            session = self.sessions[name] = ServerSession(
                key, envelope.session_id, salts=salts, random=os.urandom, now=now
            )
        if not session.connected:
            session.connection_made(now=now)
        told = session.receive(envelope, now=now)
        self.incoming.append(sum(isinstance(event, events.Request) for event in told))
        for event in told:
            if isinstance(event, events.Request):
                self._request(session, event)
            elif isinstance(event, events.RequestDropped):
                self.dropped.append(event.msg_id)
        self.flush()

    def _request(self, session: ServerSession, event: events.Request) -> None:
        request = self._registry.decode_request(event.body)
        wrapped = isinstance(request, api.InvokeWithLayer)
        while isinstance(request, api.InvokeWithLayer | api.InitConnection):
            request = self._registry.decode_request(request.query)
        self.calls.append(request)
        self.wrapped.append(wrapped)
        self._reply(session, event.msg_id, request)

    def _reply(self, session: ServerSession, msg_id: int, request: Any) -> None:
        now = self.clock()
        answer = self.answer(request)
        if answer is None and isinstance(request, api.help.GetConfig):
            answer = config()
        if answer is None:
            self.unanswered.append((session, msg_id, request))
        elif isinstance(answer, tuple):
            session.reply_error(msg_id, *answer, now=now)
        else:
            session.reply(msg_id, self._registry.encode_result(request, answer), now=now)

    def answer_now(self, answer: Answer) -> None:
        """Answer what was left without one."""
        self.answer = answer
        waiting, self.unanswered = self.unanswered, []
        for session, msg_id, request in waiting:
            self._reply(session, msg_id, request)
        self.flush()

    def push(self, update: Any) -> None:
        for session in self.sessions.values():
            session.push(self._registry.encode(update), now=self.clock())
        self.flush()

    def flush(self) -> None:
        for session in self.sessions.values():
            for packet in session.packets(now=self.clock()):
                if self.connections:
                    self.connections[-1].send(packet)

    def executed(self, kind: type) -> int:
        """Count how often a method was executed."""
        return sum(isinstance(call, kind) for call in self.calls)


class Sleeps:
    """Sleep that takes no time, and writes down how long it would have."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


def known_session() -> StringSession:
    """Make a session whose key the server knows."""
    session = StringSession()
    session.data = SessionData(dc_id=2, auth_key=KNOWN.data)
    return session


def make_client(
    server: FakeServer, session: Session | str | None = None, /, **options: Any
) -> TelegramClient:
    """Make a client that dials the fake server, on its clock; by default with a known key."""
    options.setdefault("server", server.address)
    environment = Environment(
        dial=server.dial,
        clock=server.clock,
        sleep=options.pop("sleep", None) or Sleeps(),
        jitter=options.pop("jitter", lambda: 1.0),
    )
    return TelegramClient(
        known_session() if session is None else session,
        12345,
        "hash",
        environment=environment,
        **options,
    )


def refused() -> ConnectionFailed:
    return ConnectionFailed("cannot connect to fake.invalid:443: connection refused")
