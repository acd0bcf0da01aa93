"""Layer 4, client: a sender with perfect forward secrecy: its keys are thrown away (A16).

Knows how a temporary key is made, bound to the permanent one, and replaced. Must not know what
calls mean.

Theory of operation. The permanent key encrypts nothing but the message that binds a temporary one
to it. A session belongs to its temporary key: it survives connections, but not the key. Calls wait
while a session is not bound yet (:attr:`_usable`).

A key is replaced before it ends, over the connection that is there: the new one is exchanged while
the old one works; then calls wait until what is under way is answered, the session changes, and the
new key is bound. A key that the server does not know any more (-404), or that is bound to nothing
(AUTH_KEY_PERM_EMPTY), is replaced with its connection. What had been called then is called again,
unless an earlier connection had carried it: that may have been executed.
"""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import Any

from radiogram.client.sender import FIRST_PAUSE, UNKNOWN_KEY, Answer, Sender
from radiogram.errors import ConnectionFailed, KeyUnknown, RadiogramError, TransportCode
from radiogram.mtproto.client import ClientSession
from radiogram.mtproto.handshake import HandshakeResult
from radiogram.net.deadline import Timer
from radiogram.net.driver import PacketConnection
from radiogram.wire.base import Frame, Packet

log = logging.getLogger("radiogram.client")

LIFETIME = 86_400
"""Seconds that a temporary key lives; it is replaced when three quarters have passed."""
PLAIN = bytes(8)
"""What stands in place of a key's id before a message of the key exchange."""
UNBOUND = "AUTH_KEY_PERM_EMPTY"
"""The answer to any call with a temporary key that is bound to nothing (A16.1)."""
REBIND = {"TEMP_AUTH_KEY_EMPTY", "TEMP_AUTH_KEY_ALREADY_BOUND", "EXPIRES_AT_INVALID"}
"""Answers to a binding that another temporary key may mend."""
MAX_BINDINGS = 4
"""Temporary keys that are tried in a row."""
YOUNG = 60.0
"""Seconds for which a permanent key is too young to be given up (A16.5)."""
DRAIN = 5.0
"""Seconds that a renewal waits for answers."""
RENEWAL_PAUSE = 30.0
"""Seconds after which a renewal that failed is tried again."""


class TemporaryKeySender(Sender):
    """A sender whose connections are encrypted with temporary keys."""

    def __init__(self, *args: Any, lifetime: int = LIFETIME, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lifetime = lifetime
        self._usable = asyncio.Event()
        """Set while the session takes calls."""
        self._temporary: HandshakeResult | None = None
        """The key of the session."""
        self._binding: asyncio.Future[Answer] | None = None
        self._former = b""
        """Id of the key before, from which packets may still be on their way."""
        self._permanent_since = -inf
        self._renewal = Timer(self._renewal_due, self._clock)
        self._renewing: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    async def request(self, body: bytes) -> Answer:
        """Do as every sender, over as many temporary keys as it takes."""
        for _ in range(MAX_BINDINGS):
            if not self._usable.is_set():
                await self._usable.wait()
            session = self._session
            try:
                answer = await super().request(body)
            except _NotExecuted:
                continue
            if isinstance(answer, bytes) or answer.message != UNBOUND:
                return answer
            if session is not None:
                self._replace(session)
        raise ConnectionFailed(
            f"{self.endpoint} accepts no temporary key for long; connect with pfs=False"
        )

    def _settle(self, call_id: int, answer: Answer) -> None:
        super()._settle(call_id, answer)
        if self._drained is not None and not self._calls and not self._drained.done():
            self._drained.set_result(None)

    # ── keys ─────────────────────────────────────────────────────────────────────────────────

    async def _start_session(self, conn: PacketConnection) -> ClientSession:
        """Make the keys that are missing, and a session that takes calls once it is bound."""
        self._usable.clear()
        if self._key is None:
            made = await self._exchange_keys(conn)
            self._key = made.auth_key
            self._permanent_since = self._clock()
            self._hooks.key_made(made.auth_key)
        self._temporary = await self._exchange_keys(conn, expires_in=self._lifetime)
        return self._session_of(self._temporary)

    def _session_of(self, made: HandshakeResult) -> ClientSession:
        return ClientSession(
            made.auth_key, salt=made.salt, time_offset=made.time_offset, random=self._env.random
        )

    async def _make_ready(self, conn: PacketConnection) -> None:
        """Bind the session's key, if that was not done over an earlier connection."""
        if self._usable.is_set():
            return
        try:
            for _ in range(MAX_BINDINGS):
                session = self._session
                if session is not None and await self._bind(session):
                    return
                self._conn = None  # a key exchange is what arrives now
                self._session = session = await self._start_session(conn)
                self._conn = conn
                session.connection_made(now=self._clock())
            raise ConnectionFailed(
                f"{self.endpoint} lets no temporary key be bound; connect with pfs=False"
            )
        except BaseException:
            self._conn = self._session = None
            conn.abort()
            raise

    async def _bind(self, session: ClientSession) -> bool:
        """Bind the key of a session. False if the server wants another one.

        Raises KeyUnknown when the server does not know the permanent key (A16.5), ConnectionFailed
        when it does not answer.
        """
        permanent, made = self._key, self._temporary
        assert permanent is not None
        assert made is not None
        assert made.expires_at is not None
        call_id = session.bind(permanent, expires_at=made.expires_at, now=self._clock())
        self._binding = self._calls[call_id] = self._loop.create_future()
        self._flush()
        try:
            async with asyncio.timeout(self._options.timeout):
                answer = await self._binding
        except TimeoutError:
            raise ConnectionFailed(
                f"{self.endpoint} did not let a temporary key be bound within "
                f"{self._options.timeout:g} seconds; connect with pfs=False if it knows none"
            ) from None
        finally:
            self._calls.pop(call_id, None)
            self._binding = None
        if isinstance(answer, bytes):
            ends = made.expires_at - session.time_offset
            self._renewal.set(ends - self._lifetime / 4)
            self.initialised = not self._options.init  # told anew after each binding (A12.4)
            self._usable.set()
            return True
        log.info("%s: auth.bindTempAuthKey: %s", self.endpoint, answer.message)
        if answer.message == "ENCRYPTED_MESSAGE_INVALID":
            # A key that is this young may not be known everywhere yet.
            if self._clock() - self._permanent_since < YOUNG:
                return False
            raise KeyUnknown(
                f"{self.endpoint} lets no temporary key be bound to this session's key: it was "
                "deleted, or belongs to another server; sign in again with a new session"
            )
        if answer.message in REBIND:
            return False
        raise ConnectionFailed(
            f"{self.endpoint} refuses temporary keys ({answer.message}); connect with pfs=False"
        )

    # ── another key ──────────────────────────────────────────────────────────────────────────

    def _replace(self, session: ClientSession) -> None:
        """Give up a session whose key is of no more use; the next connection makes another."""
        if session is not self._session:
            return
        self._usable.clear()
        self._session = None
        self._renewal.set(None)
        self._make_again(session)
        if self._conn is not None:
            self._conn.abort(ConnectionFailed("the temporary key is not valid any more"))

    def _make_again(self, session: ClientSession) -> None:
        for call_id, travelled in session.give_up():
            future = self._calls.pop(call_id, None)
            if future is None or future.done():
                continue
            if travelled:
                future.set_exception(
                    ConnectionFailed(
                        "the temporary key ended before the answer came; the call may have been "
                        "executed"
                    )
                )
            else:
                future.set_exception(_NotExecuted())

    def _renewal_due(self) -> None:
        if not self.over and (self._renewing is None or self._renewing.done()):
            self._renewing = self._loop.create_task(self._renew())

    async def _renew(self) -> None:
        """Change to a new key before the old one ends, without a call being lost."""
        session, conn = self._session, self._conn
        try:
            if session is None or conn is None:
                return  # a connection comes first
            made = await self._exchange_keys(conn, expires_in=self._lifetime)
            self._usable.clear()
            answered = await self._all_answered()
            if not answered and self._seconds_left(session) > 2 * RENEWAL_PAUSE:
                return
            if self._session is not session or self._conn is not conn:
                return  # there is a new key already, or a new connection under way
            self._make_again(session)
            session.connection_lost(now=self._clock())
            self._former, self._temporary = session.auth_key.key_id, made
            self._session = fresh = self._session_of(made)
            fresh.connection_made(now=self._clock())
            if not await self._bind(fresh):
                self._replace(fresh)
        except KeyUnknown as error:
            self._fail(error)
        except RadiogramError as error:
            log.info("%s: no new temporary key: %s", self.endpoint, error)
            if self._session is not session and self._session is not None:
                self._replace(self._session)
        finally:
            if self._session is session and not self.over:
                # Without a connection the next one is waited for; it will not take long.
                lost = self._conn is None or self._conn is not conn
                self._renewal.set(self._clock() + (FIRST_PAUSE if lost else RENEWAL_PAUSE))
                if session is not None:
                    self._usable.set()

    async def _all_answered(self) -> bool:
        """Wait a while for the answers that are missing."""
        if self._calls:
            self._drained = self._loop.create_future()
            await asyncio.wait([self._drained], timeout=DRAIN)
            self._drained = None
        return not self._calls

    def _seconds_left(self, session: ClientSession) -> float:
        made = self._temporary
        assert made is not None
        assert made.expires_at is not None
        return made.expires_at - session.time_offset - self._clock()

    # ── what the connection tells ────────────────────────────────────────────────────────────

    def frames_received(self, conn: PacketConnection, frames: list[Frame]) -> None:
        """Take packets of the key in use, and those of a key exchange beside it."""
        if conn is self._conn:
            frames = [one for one in frames if not self._is_beside(conn, one)]
            if self._session is None:
                return
        super().frames_received(conn, frames)

    def _is_beside(self, conn: PacketConnection, frame: Frame) -> bool:
        if not isinstance(frame, Packet):
            return False
        if frame.payload[:8] == PLAIN and self._exchange is not None:
            self._exchange.frames_received(conn, [frame])
            return True
        return frame.payload[:8] == self._former

    def connection_lost(self, conn: PacketConnection, error: Exception | None) -> None:
        """Tell whoever exchanges keys or binds one; else do as every sender."""
        if conn is not self._conn:
            super().connection_lost(conn, error)
            return
        if self._exchange is not None:
            self._exchange.connection_lost(conn, error)
        if self._binding is None or self._is_renewing:
            super().connection_lost(conn, error)
        else:
            self._conn = None
        if self._binding is not None and not self._binding.done():
            self._binding.set_exception(
                ConnectionFailed(
                    f"{self.endpoint} ended the connection while a temporary key was bound "
                    f"({error or 'closed in order'})"
                )
            )

    @property
    def _is_renewing(self) -> bool:
        return self._renewing is not None and not self._renewing.done()

    def _refused(self, conn: PacketConnection, code: int) -> None:
        """Take -404 as the end of the temporary key, whatever else it might mean."""
        if code != UNKNOWN_KEY:
            super()._refused(conn, code)
        elif self._binding is not None or self._session is None:
            conn.abort(TransportCode(code))
        else:
            self._replace(self._session)

    def _fail(self, error: RadiogramError) -> None:
        self._renewal.cancel()
        if self._renewing is not None and self._renewing is not asyncio.current_task():
            self._renewing.cancel()
        super()._fail(error)
        self._usable.set()


class _NotExecuted(RadiogramError):
    """The key ended before the server can have read the call: it may be made again."""
