"""Server layer: the embedded Telegram server: a listening socket in front of a world.

Knows which connections, keys and sessions are alive, and for how long. Knows no packet's inside
and no method.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import SystemRandom
from typing import Self

from radiogram.crypto.rsa import PrivateKey
from radiogram.errors import ConnectionFailed
from radiogram.mtproto.server import SaltBook
from radiogram.net.dial import listen, stop
from radiogram.net.driver import PacketConnection
from radiogram.server.authorizations import Authorization
from radiogram.server.clock import Clock
from radiogram.server.connection import TOO_MANY, Connection
from radiogram.server.datacenter import DataCenter
from radiogram.server.db import open_database
from radiogram.server.doors import Certificate, Doors, read_secret
from radiogram.server.faults import Faults
from radiogram.server.identity import key_of_process
from radiogram.server.session import Session
from radiogram.server.settings import Settings
from radiogram.server.world import Address, World
from radiogram.wire.secret import make_link

log = logging.getLogger("radiogram.server")

DEFAULT_PORT = 20443
MAX_DC = 1000
MAX_PORT = 32767
"""Higher ports do not fit into the session strings of GramJS."""
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

    `dcs` names the data centres that it plays, `dc_id` among them: one world, each DC with a port
    of its own: that of `dc_id` first, the others after it.

    WebSocket (`/apiws`) is spoken on the same ports; `tls`, the files of a certificate and of its
    key, adds wss. `mtproxy_secret` (16 bytes, dd or ee, as in links) opens one more port, the next
    one, that is an MTProxy to all DCs.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int | None = 0,
        dc_id: int = 2,
        dcs: Iterable[int] = (),
        database: str | None = None,
        key: str | bytes | None = None,
        clock: Clock | None = None,
        login_code: str | None = None,
        settings: Settings | None = None,
        seed: int | None = None,
        tls: Certificate | None = None,
        mtproxy_secret: str | None = None,
    ) -> None:
        self.host = _reachable(host)
        """The address to dial; after the start, together with :attr:`port`."""
        self.port = port or 0
        self._bind = host, port
        self.dc_id = dc_id
        """The DC of the address above, and the home of accounts that name no other."""
        self.dcs = tuple(sorted({*dcs, dc_id}))
        """Ids of the DCs that it plays."""
        if any(type(one) is not int or not 0 < one < MAX_DC for one in self.dcs):
            raise ValueError(f"dcs: a DC has a number from 1 to {MAX_DC - 1}, not {self.dcs}")
        self._database = database
        self._key_pem = key.encode() if isinstance(key, str) else key
        self._clock = clock
        self._settings = settings or Settings()
        if login_code is not None:
            self._settings = replace(self._settings, login_code=login_code)
        self._seed = seed
        self._tls = tls
        self._secret = read_secret(mtproxy_secret) if mtproxy_secret is not None else None
        self._doors: Doors | None = None
        self._proxy: asyncio.Server | None = None
        self.mtproxy_port = 0
        """Where the MTProxy listens, after the start and if there is one."""
        self._private_key: PrivateKey | None = None
        self._world: World | None = None
        self._centers: dict[int, DataCenter] = {}
        self._connections: set[Connection] = set()
        self._is_closed = False
        self._per_address: Counter[str] = Counter()
        self._sessions: dict[tuple[bytes, int], Session] = {}
        self._touched: set[Session] = set()
        self._flush_planned = False
        self._salt_secret = b""
        self._salt_secrets: dict[bytes, bytes] = {}
        """Of keys whose salts were changed before their time."""
        self._salts_since = 0
        """When all salts were changed before their time; first salts of older keys are void."""

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
            world.faults.attach(self)
            world.authorizations.gone = self._drop_sessions_of
            self._private_key = self._load_key(world)
            self._salt_secret = _keep(world, META_SALTS, lambda: world.random(32))
            self._doors = Doors(world, tls=self._tls, secret=self._secret)
            for dc_id in self.dcs:
                self._centers[dc_id] = DataCenter(dc_id, self._private_key, world, host=self.host)
            await self._listen()
        except BaseException:
            self._stop_listening()
            db.close()
            raise
        self.port = self._centers[self.dc_id].port
        for dc_id, center in self._centers.items():
            world.addresses[dc_id] = Address(center.host, center.port)
            log.info("DC %d listens on %s:%d", dc_id, center.host, center.port)

    async def close(self) -> None:
        """Stop listening, close every connection, and close the database."""
        self._is_closed = True
        await stop(self._listeners())
        self._stop_listening()
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

    async def __aexit__(self, *_: object) -> None:
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

    def counts(self) -> dict[str, int]:
        """How many connections and sessions are alive."""
        return {"connections": len(self._connections), "sessions": len(self._sessions)}

    @property
    def addresses(self) -> dict[int, DataCenter]:
        """Where each DC listens, by its id: with host, port, dc_id and public_key.

        Any of them can be the ``server=`` of a client.
        """
        return dict(self._centers)

    @property
    def mtproxy_link(self) -> str | None:
        """The ``tg://proxy`` link of the MTProxy, with its secret; None without one."""
        if self._secret is None or not self.mtproxy_port:
            return None
        return make_link(self.host, self.mtproxy_port, self._secret)

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
        if self._is_closed:  # it was accepted at the last moment
            connection.abort()
        elif self._per_address[connection.address] > self.world.settings.connections_per_address:
            connection.refuse(TOO_MANY)

    def connection_lost(self, connection: Connection) -> None:
        """Forget a connection; its sessions stay for a while."""
        self._connections.discard(connection)
        self._per_address[connection.address] -= 1
        if self._per_address[connection.address] <= 0:
            del self._per_address[connection.address]

    def key_exchange(self, dc_id: int, body: bytes) -> tuple[bytes | None, int | None]:
        """Take one step of a key exchange: the packet to answer with, the error to answer with."""
        center = self._centers.get(dc_id)
        return center.key_exchange(body) if center is not None else (None, None)

    # -------------------------------------------------------------- keys and sessions

    def key(self, key_id: bytes, dc_id: int) -> Authorization | None:
        """Return the auth key of that id; a key is unknown outside the DC where it was made."""
        found = self.world.authorizations.get(key_id)
        return found if found is not None and found.dc_id == dc_id else None

    def session(self, key: Authorization, session_id: int) -> Session:
        """Return the session, made anew if it is unknown (A7.1)."""
        name = (key.key_id, session_id)
        session = self._sessions.get(name)
        if session is None:
            self._make_room(key)
            session = Session(self, key, session_id, self._salts_of(key))
            self._sessions[name] = session
            self.world.authorizations.attach(session, key)
        return session

    def forget_session(self, key: Authorization, session_id: int) -> bool:
        """Drop a session and all that waits in it. Return False if there is none."""
        session = self._sessions.get((key.key_id, session_id))
        if session is None:
            return False
        self._drop(session)
        return True

    def forget_sessions(self, user_id: int | None) -> int:
        """Drop the sessions of an account, or all (E24). Return how many."""
        found = [
            one
            for one in self._sessions.values()
            if user_id is None or one.authorization.user_id == user_id
        ]
        for session in found:
            self._drop(session)
        return len(found)

    def forget_exchanges(self) -> None:
        """Forget the key exchanges that are under way (E24)."""
        for center in self._centers.values():
            center.forget_exchanges()

    def drop_connections(self, user_id: int | None, *, reset: bool = False) -> int:
        """Close the connections of an account, or all (E17). Return how many."""
        found = [
            one
            for one in self._connections
            if user_id is None or any(s.authorization.user_id == user_id for s in one.sessions)
        ]
        for connection in found:
            connection.abort(reset=reset)
        return len(found)

    def expire_temp_keys(self, user_id: int | None) -> int:
        """Let the temporary keys in use be over (E27). Return how many."""
        found = {
            one.key
            for one in self._sessions.values()
            if one.key.expires_at is not None
            and (user_id is None or one.authorization.user_id == user_id)
        }
        for key in found:
            self.destroy_key(key)
        return len(found)

    def rotate_salts(self, key: Authorization | None = None) -> None:
        """Change the salts of a key, or of all, before their time (E21)."""
        if key is None:
            self._salt_secret = self.world.random(32)
            self._salt_secrets.clear()
            self._salts_since = int(self.world.clock.now()) + 1
        else:
            self._salt_secrets[key.key_id] = self.world.random(32)
        for session in self._sessions.values():
            if key is None or session.key is key:
                session.use_salts(self._salts_of(session.key))

    def _salts_of(self, key: Authorization) -> SaltBook:
        secret = self._salt_secrets.get(key.key_id)
        if secret is not None:
            return SaltBook(secret, key.key_id)
        first = key.first_salt if key.created >= self._salts_since else None
        return SaltBook(self._salt_secret, key.key_id, first=first, created=key.created)

    def destroy_key(self, key: Authorization) -> None:
        """Forget a key with all its sessions (A7.5)."""
        self.world.authorizations.destroy(key)

    def _drop_sessions_of(self, key: Authorization) -> None:
        for session in [one for one in self._sessions.values() if one.key is key]:
            self._drop(session)

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
        self.world.authorizations.detach(session, session.key)

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

    async def _listen(self) -> None:
        """Take one port for each DC, next to each other, so that a restart finds the same ones."""
        _, port = self._bind
        if port:
            await self._listen_from(port)
            return
        if port is None:
            candidates = list(range(DEFAULT_PORT, DEFAULT_PORT + 100))
        else:
            last = MAX_PORT + 1 - len(self.dcs)
            candidates = SystemRandom().sample(range(20000, last), 100)
        for candidate in candidates[:-1]:
            with suppress(ConnectionFailed):
                await self._listen_from(candidate)
                return
        await self._listen_from(candidates[-1])

    async def _listen_from(self, port: int) -> None:
        host, _ = self._bind
        centers = sorted(self._centers.values(), key=lambda one: one.dc_id != self.dc_id)
        try:
            for center in centers:
                accept = partial(self._accept, center.dc_id)
                center.listener = await listen(host, port, accept)
                center.port = port
                port += 1
            if self._secret is not None:
                self._proxy = await listen(host, port, self._accept_proxied)
                self.mtproxy_port = port
        except ConnectionFailed:
            self._stop_listening()
            raise

    def _listeners(self) -> list[asyncio.Server]:
        found = [*(center.listener for center in self._centers.values()), self._proxy]
        return [listener for listener in found if listener is not None]

    def _stop_listening(self) -> None:
        for center in self._centers.values():
            if center.listener is not None:
                center.listener.close()
                center.listener = None
        if self._proxy is not None:
            self._proxy.close()
            self._proxy = None

    def _accept(self, dc_id: int) -> PacketConnection:
        assert self._doors is not None
        return PacketConnection(self._doors.direct(), Connection(self, dc_id), throttle=True)

    def _accept_proxied(self) -> PacketConnection:
        assert self._doors is not None
        connection = Connection(self, self.dc_id, proxied=True)
        return PacketConnection(self._doors.proxied(), connection, throttle=True)


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
