"""Layer 4, client: calls to one data centre, over whatever connection is up at the moment.

Knows one protocol session, the futures of its calls, and how to get a connection again. Must not
know TL objects of the API, peers or sessions on disk: bodies are bytes.

Theory of operation. A call is handed to the engine and a future is kept under its id. Everything
called in one turn of the loop leaves together at its end (:meth:`Sender._flush`): the engine packs
it into containers, the connection writes once. What arrives goes through the engine within the same
function call, and its events settle the futures.

A connection that breaks after the server has proved itself (one packet that only the key's owner
can make) is replaced in a task of its own, with growing, jittered pauses; the engine then repeats
what was not answered under the old message ids, so that the server can tell repetitions from new
calls. A connection that breaks before is a failure, as are the errors that trying again cannot
mend: those end the sender, and every call with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from radiogram.client.datacenters import Endpoint
from radiogram.client.environment import Environment
from radiogram.client.exchange import KeyExchange
from radiogram.client.ways import Way, Ways
from radiogram.crypto.keys import AuthKey
from radiogram.errors import (
    ClientClosed,
    ConnectionFailed,
    KeyDestroyed,
    KeyUnknown,
    ProtocolError,
    RadiogramError,
    SecurityError,
    TransportCode,
    TransportError,
)
from radiogram.mtproto import events
from radiogram.mtproto.client import ClientSession
from radiogram.mtproto.handshake import HandshakeResult
from radiogram.net.deadline import Timer
from radiogram.net.driver import PacketConnection
from radiogram.wire.base import ErrorCode, Frame, Packet

log = logging.getLogger("radiogram.client")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
UNKNOWN_KEY, FLOOD = -404, -429
"""Transport errors with a meaning of their own (A2.2, A2.3)."""

Answer = bytes | events.ResultError


class SenderOptions(msgspec.Struct, frozen=True):
    """How a sender connects."""

    ways: Ways = msgspec.field(default_factory=Ways)
    """How the server is reached; shared by the senders of a client."""
    first: int = 0
    """How many of the ways have failed before this sender was made."""
    timeout: float = 10.0
    """Seconds for each of: opening the connection, key exchange, the first answer."""
    attempts: int | None = 10
    """How often in a row a lost connection is tried again; None: for ever."""
    init: bytes = b""
    """What goes before a call until one such call has succeeded (invokeWithLayer ...)."""


class SenderHooks(msgspec.Struct, frozen=True):
    """Whom a sender tells; called on the loop, must not raise."""

    key_made: Callable[[AuthKey], None]
    """A key exchange gave this key."""
    update: Callable[[bytes], None]
    """A pushed Updates, serialised."""
    updates_lost: Callable[[], None]
    """The server started over: what it pushed in between is gone."""
    ended: Callable[[RadiogramError], None]
    """This sender is over, and why."""


class Sender:
    """One data centre, reached through one connection at a time."""

    def __init__(
        self,
        endpoint: Endpoint,
        auth_key: AuthKey | None,
        *,
        options: SenderOptions,
        environment: Environment,
        hooks: SenderHooks,
    ) -> None:
        self.endpoint = options.ways.behind(endpoint)
        self.initialised = not options.init
        """False while calls go out behind `options.init`."""
        self._key = auth_key
        self._options = options
        self._env = environment
        self._clock = environment.clock
        self._hooks = hooks
        self._loop = asyncio.get_running_loop()
        self._timer = Timer(self._deadline_reached, environment.clock)
        self._session: ClientSession | None = None
        self._conn: PacketConnection | None = None
        self._exchange: KeyExchange | None = None
        self._calls: dict[int, asyncio.Future[Answer]] = {}
        self._flushing = False
        self._proved = False
        self._way: Way = options.ways.pick(options.first)
        self._sessions_started = 0
        self._attempt = 0
        self._repair: asyncio.Task[None] | None = None
        self._failure: RadiogramError | None = None

    @property
    def over(self) -> bool:
        """True once no call can be made any more."""
        return self._failure is not None

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    async def request(self, body: bytes) -> Answer:
        """Send one serialised call; give the serialised result, or the error it was answered with.

        Raises ClientClosed or ConnectionFailed when there can be no answer. Cancelling tells the
        server to drop the answer.
        """
        session = self._session
        if self._failure is not None:
            raise _again(self._failure)
        assert session is not None  # nobody has a sender that is not connected
        introduced = not self.initialised
        if introduced:
            body = self._options.init + body
        call_id = session.call(body, now=self._clock())
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._calls[call_id] = future
        self._flush_soon()
        try:
            answer = await future
        except asyncio.CancelledError:
            if self._calls.pop(call_id, None) is not None:
                session.drop(call_id, now=self._clock())
                self._flush_soon()
            raise
        if introduced and isinstance(answer, bytes):
            self.initialised = True
        return answer

    # ── life ─────────────────────────────────────────────────────────────────────────────────

    async def connect(self) -> None:
        """Open a connection, and make a key if there is none. Raises at once if that fails."""
        try:
            await self._open()
        except RadiogramError as error:
            self._fail(error)
            raise

    async def close(self) -> None:
        """End the connection and every call that was not answered."""
        self._flush()
        conn = self._conn
        self._fail(ClientClosed("the client was disconnected; call `await client.connect()` again"))
        if self._repair is not None:
            await asyncio.wait([self._repair])
        if conn is not None:
            await conn.wait_closed()

    def end(self, error: RadiogramError) -> None:
        """End at once and for good: calls under way and later ones raise this error."""
        self._fail(error)

    async def _open(self) -> None:
        """Get one connection that calls can go over."""
        endpoint, options = self.endpoint, self._options
        # The way that worked gets another chance before the others take turns.
        number = max(0, self._attempt - 1) if self._proved else options.first
        self._way = options.ways.pick(number)
        conn = await options.ways.open(
            self._way, endpoint, self, self._env, timeout=options.timeout
        )
        try:
            if self._session is None:
                self._session = await self._start_session(conn)
        except BaseException:
            conn.abort()
            raise
        if conn.closed:
            raise ConnectionFailed(f"{endpoint} closed the connection as soon as it was open")
        self._conn = conn
        conn.drained = self._flush
        self._session.connection_made(now=self._clock())
        self._flush()
        await self._make_ready(conn)

    async def _make_ready(self, conn: PacketConnection) -> None:
        """Do what must be done before calls can be made; here nothing."""

    async def _exchange_keys(
        self, conn: PacketConnection, *, expires_in: int | None = None
    ) -> HandshakeResult:
        self._exchange = KeyExchange(conn, self.endpoint, self._env)
        try:
            return await self._exchange.run(self._options.timeout, expires_in=expires_in)
        finally:
            self._exchange = None

    async def _start_session(self, conn: PacketConnection) -> ClientSession:
        key, salt, time_offset = self._key, 0, 0.0
        if key is None:
            made = await self._exchange_keys(conn)
            key, salt, time_offset = made.auth_key, made.salt, made.time_offset
            self._key = key
            self._hooks.key_made(key)
        return ClientSession(key, salt=salt, time_offset=time_offset, random=self._env.random)

    async def _reconnect(self, reason: Exception | None) -> None:
        """Try until a connection is open again; give up after as many attempts as allowed."""
        while self._failure is None:
            limit = self._options.attempts
            if limit is not None and self._attempt >= limit:
                self._fail(
                    ConnectionFailed(
                        f"the connection to {self.endpoint} was lost and {limit} attempts to get "
                        f"it back have failed ({reason or 'closed by the server'}); calls that "
                        "were not answered may have been executed"
                    )
                )
                return
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._attempt)
            self._attempt += 1
            await self._env.sleep(pause * (0.5 + 0.5 * self._env.jitter()))
            try:
                await self._open()
            except (TransportError, OSError) as error:  # ConnectionFailed is an OSError
                log.info("attempt %d to reach %s: %s", self._attempt, self.endpoint, error)
                reason = error
            except RadiogramError as error:
                self._fail(error)
            else:
                return

    def _fail(self, error: RadiogramError) -> None:
        """End the sender: every call gets this error, and so does whoever calls later."""
        if self._failure is not None:
            return
        self._failure = error
        self._timer.cancel()
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()
        if self._repair is not None and self._repair is not asyncio.current_task():
            self._repair.cancel()
        calls, self._calls = self._calls, {}
        for future in calls.values():
            if not future.done():
                future.set_exception(_again(error))
        self._hooks.ended(error)

    # ── what the connection tells ────────────────────────────────────────────────────────────

    def connection_made(self, conn: PacketConnection) -> None:
        """Nothing to do: whoever dialled goes on."""

    def frames_received(self, conn: PacketConnection, frames: list[Frame]) -> None:
        """Take packets from the connection in use, or from the one that exchanges keys."""
        if conn is not self._conn:
            if self._exchange is not None:
                self._exchange.frames_received(conn, frames)
            return
        session, options = self._session, self._options
        assert session is not None
        now = self._clock()
        try:
            for frame in frames:
                if isinstance(frame, Packet):
                    told = session.receive(frame.payload, now=now)
                    if self._attempt or not self._proved:
                        options.ways.worked(self._way)
                        self._proved, self._attempt = True, 0
                    self._handle(told)
                elif isinstance(frame, ErrorCode):
                    self._refused(conn, frame.code)
        except (SecurityError, ProtocolError) as error:
            conn.abort(error)
            return
        self._flush()

    def connection_lost(self, conn: PacketConnection, error: Exception | None) -> None:
        """Replace a connection that had worked; a first one that had not is a failure."""
        if conn is not self._conn:
            if self._exchange is not None:
                self._exchange.connection_lost(conn, error)
            return
        self._conn = None
        self._timer.cancel()
        if self._session is not None:
            self._session.connection_lost(now=self._clock())
        log.info("lost the connection to %s: %s", self.endpoint, error or "closed by the server")
        if self._proved:
            self._repair = self._loop.create_task(self._reconnect(error))
        elif isinstance(error, SecurityError):
            self._fail(SecurityError(f"{self.endpoint} cannot be trusted: {error}"))
        else:
            self._fail(
                ConnectionFailed(
                    f"{self.endpoint} ended the connection before it answered "
                    f"({error or 'closed in order'}); is this an MTProto server?"
                )
            )

    def _refused(self, conn: PacketConnection, code: int) -> None:
        """React to a transport error (A2)."""
        if code == UNKNOWN_KEY:
            self._fail(
                KeyUnknown(
                    f"{self.endpoint} does not know this session's key (-404): it was deleted, or "
                    "belongs to another server; sign in again with a new session"
                )
            )
        elif code == FLOOD and self._proved:
            conn.abort(TransportCode(code))
        elif code == FLOOD:
            self._fail(
                ConnectionFailed(f"{self.endpoint} has too many connections (-429); try later")
            )
        else:
            self._fail(ConnectionFailed(f"{self.endpoint} refuses this client (error {code})"))

    # ── what the engine tells ────────────────────────────────────────────────────────────────

    def _handle(self, told: list[events.Event]) -> None:
        for event in told:
            if isinstance(event, events.Result):
                self._settle(event.call_id, event.body)
            elif isinstance(event, events.ResultError):
                self._settle(event.call_id, event)
            elif isinstance(event, events.Update):
                self._hooks.update(event.body)
            elif isinstance(event, events.CallFailed):
                future = self._calls.pop(event.call_id, None)
                if future is not None and not future.done():
                    future.set_exception(event.error)
            elif isinstance(event, events.NewSession):
                self._session_started()
            elif isinstance(event, events.ConnectionDead):
                self._abandon("no longer answers")
            elif isinstance(event, events.Overslept):
                self._abandon("was not asked for too long: has this computer slept?")
                self._hooks.updates_lost()
            elif isinstance(event, events.AuthKeyDestroyed):
                self._fail(KeyDestroyed("the key of this session was destroyed; sign in again"))

    def _settle(self, call_id: int, answer: Answer) -> None:
        future = self._calls.pop(call_id, None)
        if future is not None and not future.done():
            future.set_result(answer)

    def _session_started(self) -> None:
        self._sessions_started += 1
        if self._sessions_started > 1:
            self.initialised = not self._options.init
            self._hooks.updates_lost()

    def _abandon(self, why: str) -> None:
        if self._conn is not None:
            self._conn.abort(ConnectionFailed(f"{self.endpoint} {why}"))

    # ── going out ────────────────────────────────────────────────────────────────────────────

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        conn, session = self._conn, self._session
        if conn is None or session is None or conn.paused:
            return
        now = self._clock()
        packets = session.packets(now=now)
        if packets:
            conn.write(packets)
        self._timer.set(session.next_deadline())

    def _deadline_reached(self) -> None:
        if self._session is not None and self._conn is not None:
            self._handle(self._session.handle_deadline(now=self._clock()))
            self._flush()


def _again(error: RadiogramError) -> RadiogramError:
    """Copy an error for one more caller, whose traceback is its own."""
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy
