"""Server layer: the embedded Telegram server: a listening socket in front of a world.

Knows which connections, keys and sessions are alive, and for how long. Knows no packet's inside
and no method.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from random import SystemRandom
from types import TracebackType
from typing import Self

from radiogram.crypto.rsa import PrivateKey
from radiogram.errors import ConnectionFailed
from radiogram.mtproto.handshake import ServerHandshakes
from radiogram.mtproto.message import pack_plain
from radiogram.mtproto.server import SaltBook
from radiogram.net.dial import listen
from radiogram.net.driver import PacketConnection
from radiogram.server.authorizations import Authorization
from radiogram.server.clock import Clock
from radiogram.server.connection import TOO_MANY, Connection
from radiogram.server.db import open_database
from radiogram.server.faults import Faults
from radiogram.server.identity import key_of_process
from radiogram.server.session import Session
from radiogram.server.settings import Settings
from radiogram.server.world import World
from radiogram.wire import ServerCodec

log = logging.getLogger("radiogram.server")

DEFAULT_PORT = 20443
MAX_PORT = 32767
"""Higher ports do not fit into the session strings of GramJS."""
TEST_DC = 10000
META_SALTS = "salt_secret"
META_KEY = "rsa_key"


class Server:
    """A Telegram server on a local port.

    ::

        async with Server() as server:
            client = TelegramClient(session, 1, "hash", server=server)

    `database` is an SQLAlchemy URL (default: in memory). `key` is an RSA private key in PEM form;
    without it one is made and kept in the database. `port` 0 takes a free one, None the first free
    one from 20443 on; all below 32768. `seed` makes everything random repeatable. The same object
    cannot be started twice.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int | None = 0,
        dc_id: int = 2,
        database: str | None = None,
        key: str | bytes | None = None,
        clock: Clock | None = None,
        login_code: str | None = None,
        settings: Settings | None = None,
        seed: int | None = None,
    ) -> None:
        self.host = _reachable(host)
        """The address to dial; after the start, together with :attr:`port`."""
        self.port = port or 0
        self._bind = host, port
        self.dc_id = dc_id
        self._database = database
        self._key_pem = key.encode() if isinstance(key, str) else key
        self._clock = clock
        self._settings = settings or Settings()
        if login_code is not None:
            self._settings = replace(self._settings, login_code=login_code)
        self._seed = seed
        self._private_key: PrivateKey | None = None
        self._world: World | None = None
        self._handshakes: ServerHandshakes | None = None
        self._listener: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._per_address: Counter[str] = Counter()
        self._sessions: dict[tuple[bytes, int], Session] = {}
        self._touched: set[Session] = set()
        self._flush_planned = False
        self._last_plain_id = 0
        self._salt_secret = b""

    # -------------------------------------------------------------- life

    async def start(self) -> None:
        """Open the database and listen. Raises ConnectionFailed, DatabaseError, ValueError."""
        if self._world is not None:
            raise RuntimeError("this server was started already; make another one")
        db = open_database(self._database)
        try:
            world = World(
                db=db,
                dc_id=self.dc_id,
                clock=self._clock,
                settings=self._settings,
                seed=self._seed,
            )
            self._world = world
            self._private_key = self._load_key(world)
            self._salt_secret = _keep(world, META_SALTS, lambda: world.random(32))
            self._handshakes = ServerHandshakes(
                self._private_key,
                dc_id=self.dc_id,
                random=world.random,
                accept_dc=self._accepts_dc,
                is_taken=world.authorizations.exists,
            )
            self._listener = await self._listen()
        except BaseException:
            db.close()
            raise
        self.port = self._listener.sockets[0].getsockname()[1]
        world.host, world.port = self.host, self.port
        log.info("DC %d listens on %s:%d", self.dc_id, self.host, self.port)

    async def close(self) -> None:
        """Stop listening, close every connection, and close the database."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in list(self._connections):
            connection.close()
        for connection in list(self._connections):
            await connection.wait_closed()
        for session in list(self._sessions.values()):
            self._drop(session)
        if self._world is not None:
            if self._clock is None:
                self._world.clock.close()
            self._world.db.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    # -------------------------------------------------------------- what it shows

    @property
    def world(self) -> World:
        """Accounts, clock and settings. Raises RuntimeError before the server was started."""
        if self._world is None:
            raise RuntimeError("the server was not started; use `async with Server() as server`")
        return self._world

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose. Raises RuntimeError before the server was started."""
        return self.world.faults

    @property
    def public_key(self) -> str:
        """The key that a client needs, in PEM form (PKCS#1)."""
        return self._key.public.to_pem()

    @property
    def fingerprint(self) -> int:
        """The key's fingerprint as a signed 64-bit number."""
        return self._key.public.fingerprint

    @property
    def _key(self) -> PrivateKey:
        if self._private_key is None:
            raise RuntimeError("the server was not started; use `async with Server() as server`")
        return self._private_key

    # -------------------------------------------------------------- connections

    def connection_made(self, connection: Connection) -> None:
        """Count a new connection, or turn it away (A2.3)."""
        self._connections.add(connection)
        self._per_address[connection.address] += 1
        if self._per_address[connection.address] > self.world.settings.connections_per_address:
            connection.refuse(TOO_MANY)

    def connection_lost(self, connection: Connection) -> None:
        """Forget a connection; its sessions stay for a while."""
        self._connections.discard(connection)
        self._per_address[connection.address] -= 1
        if self._per_address[connection.address] <= 0:
            del self._per_address[connection.address]

    def key_exchange(self, body: bytes) -> tuple[bytes | None, int | None]:
        """Take one step of a key exchange: the packet to answer with, the error to answer with."""
        world = self.world
        if self._handshakes is None:
            return None, None
        now = world.clock.now()
        outcome = self._handshakes.handle(body, now=now)
        if outcome.result is not None:  # kept before the client hears of it
            world.authorizations.add(
                outcome.result.auth_key,
                first_salt=outcome.result.salt,
                expires_at=outcome.result.expires_at,
            )
        if outcome.reply is None:
            return None, outcome.error
        # Server ids of answers are 1 modulo 4, and never repeat (A3.1, A4.5).
        msg_id = max(int(now * 2**32) & ~3 | 1, self._last_plain_id + 4)
        self._last_plain_id = msg_id
        return pack_plain(msg_id, outcome.reply), outcome.error

    def _accepts_dc(self, dc: int) -> bool:
        """Tell whether this server plays that DC (A3.7); negative: its media-only side."""
        mine = self.dc_id + (TEST_DC if self.world.settings.test_mode else 0)
        return abs(dc) == mine

    # -------------------------------------------------------------- keys and sessions

    def key(self, key_id: bytes) -> Authorization | None:
        """Return the auth key of that id."""
        return self.world.authorizations.get(key_id)

    def session(self, key: Authorization, session_id: int) -> Session:
        """Return the session, made anew if it is unknown (A7.1)."""
        name = (key.key_id, session_id)
        session = self._sessions.get(name)
        if session is None:
            self._make_room(key)
            salts = SaltBook(
                self._salt_secret, key.key_id, first=key.first_salt, created=key.created
            )
            session = Session(self, key, session_id, salts)
            self._sessions[name] = session
            self.world.authorizations.attach(session, session.authorization)
        return session

    def forget_session(self, key: Authorization, session_id: int) -> bool:
        """Drop a session and all that waits in it. Return False if there is none."""
        session = self._sessions.get((key.key_id, session_id))
        if session is None:
            return False
        self._drop(session)
        return True

    def destroy_key(self, key: Authorization) -> None:
        """Forget a key with all its sessions (A7.5)."""
        for session in [one for one in self._sessions.values() if one.key is key]:
            self._drop(session)
        self.world.authorizations.destroy(key)

    def idle(self, session: Session) -> None:
        """Drop a session if it stays without a connection for too long."""

        def check() -> None:
            if session.connection is None and session.idle_since == since:
                self._drop(session)

        since = session.idle_since
        self.world.clock.call_later(self.world.settings.session_idle_timeout, check)

    def _make_room(self, key: Authorization) -> None:
        of_key = [one for one in self._sessions.values() if one.key.key_id == key.key_id]
        if len(of_key) >= self.world.settings.sessions_per_key:
            self._drop(min(of_key, key=lambda one: (one.connection is not None, one.idle_since)))

    def _drop(self, session: Session) -> None:
        if self._sessions.pop((session.key.key_id, session.session_id), None) is None:
            return
        self._touched.discard(session)
        session.close()
        self.world.authorizations.detach(session, session.authorization)

    # -------------------------------------------------------------- sending

    def touched(self, session: Session) -> None:
        """Note that a session may have something to send; it leaves in this turn of the loop."""
        self._touched.add(session)
        if not self._flush_planned:
            self._flush_planned = True
            asyncio.get_running_loop().call_soon(self.flush)

    def hold(self) -> None:
        """Collect what becomes ready until :meth:`flush`, which the caller promises to call."""
        self._flush_planned = True

    def flush(self) -> None:
        """Send what all touched sessions have ready."""
        self._flush_planned = False
        while self._touched:
            self._touched.pop().flush()

    # -------------------------------------------------------------- the parts of start

    def _load_key(self, world: World) -> PrivateKey:
        if self._key_pem is not None:
            return PrivateKey.from_pem(self._key_pem.decode())
        if self._database is None:
            return key_of_process()
        kept = _keep(world, META_KEY, lambda: PrivateKey.generate().to_pem().encode())
        return PrivateKey.from_pem(kept.decode(), check=False)

    async def _listen(self) -> asyncio.Server:
        host, port = self._bind
        if port:
            return await listen(host, port, self._accept)
        if port is None:
            candidates = list(range(DEFAULT_PORT, DEFAULT_PORT + 100))
        else:
            candidates = SystemRandom().sample(range(20000, MAX_PORT + 1), 100)
        for candidate in candidates[:-1]:
            with suppress(ConnectionFailed):
                return await listen(host, candidate, self._accept)
        return await listen(host, candidates[-1], self._accept)

    def _accept(self) -> PacketConnection:
        return PacketConnection(
            ServerCodec(random=self.world.random, max_packet=self.world.settings.max_packet),
            Connection(self),
            throttle=True,
        )


def _keep(world: World, name: str, make: Callable[[], bytes]) -> bytes:
    value = world.db.get_meta(name)
    if value is None:
        value = make()
        world.db.set_meta(name, value)
    return value


def _reachable(host: str) -> str:
    """Return an address under which the server can be dialled from this machine."""
    wildcards = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not bound
    return "127.0.0.1" if host == "localhost" else wildcards.get(host, host)
