"""Top layer, testing: a server with a world of its own, made in milliseconds, for one test.

Knows how to put accounts into it, how to be signed in without a key exchange, and how to restart
it. Knows no test runner.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from radiogram.client.client import TelegramClient
from radiogram.client.datacenters import ServerAddress
from radiogram.client.environment import Environment
from radiogram.client.sessions import MemorySession, Session, SessionData
from radiogram.client.thread import LoopThread
from radiogram.server.clock import Clock
from radiogram.server.db import MemoryDatabase, open_database
from radiogram.server.faults import Faults
from radiogram.server.identity import key_of_process
from radiogram.server.server import META_KEY, Server
from radiogram.server.world import World
from radiogram.testing.thread import remote
from radiogram.testing.traffic import Call, Traffic
from radiogram.tl.base import Request

if TYPE_CHECKING:
    import telethon

R = TypeVar("R")

API_ID = 1
API_HASH = "0123456789abcdef0123456789abcdef"
"""This server takes any."""
SHORT = 0.02
"""Seconds that a client really waits before it looks again for a server that is away."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a test, and what is needed to sign in to it."""

    id: int
    name: str
    username: str | None = None
    phone: str | None = None
    """Of a user."""
    code: str | None = None
    """Of a user: the login code."""
    token: str | None = None
    """Of a bot."""

    @property
    def is_bot(self) -> bool:
        """Whether it is a bot."""
        return self.token is not None


class TelegramServer:
    """A server that runs beside the test, in a thread of its own; use it from any thread.

    It has what ``TelegramClient(server=...)`` wants: host, port, dc_id and public_key.
    """

    def __init__(self, thread: LoopThread, *, fault_seed: int = 0, **options: Any) -> None:
        self._thread = thread
        self._options = options
        self._server: Server | None = None
        self._key = key_of_process()
        self._clock = Clock()
        self._faults = Faults(fault_seed)
        self._database = _template().copy()
        self.host = "127.0.0.1"
        self.port = 0
        self.dc_id: int = options.get("dc_id", 2)
        self._addresses: dict[int, ServerAddress] = {}
        self.public_key = self._key.public.to_pem()
        """In PEM form."""
        self.fingerprint = self._key.public.fingerprint
        self.traffic = Traffic(self._clock.now)
        """What went over it so far; shown when a test fails."""
        self.traffic.watch(self._faults)
        self.clock: Clock = remote(thread, lambda: self._clock)
        """Its clock, which can be set, advanced, stopped and resumed."""
        self.faults: Faults = remote(thread, lambda: self._faults)
        """What goes wrong on purpose."""
        self.world: World = remote(thread, lambda: self._running.world)
        """Everything else that the server knows. Its methods run in the server's thread."""
        self._users = itertools.count(1)

    def __repr__(self) -> str:
        state = f"at {self.host}:{self.port}" if self.is_running else "not running"
        return f"<TelegramServer {state}>"

    # -------------------------------------------------------------- life

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the server is stopped; call telegram_server.start()")
        return self._server

    def start(self) -> None:
        """Listen, on the same port as before if there was one. Does nothing if it runs."""
        if self._server is None:
            self._server = self._thread.run(self._start())
            self.port = self._server.port
            for dc_id, one in self._server.addresses.items():
                self._addresses[dc_id] = ServerAddress(one.host, one.port, dc_id, self.public_key)

    def stop(self) -> None:
        """Close every connection and forget what is only in memory; accounts and messages stay."""
        server, self._server = self._server, None
        if server is not None:
            self._thread.run(self._stop(server))

    def restart(self) -> None:
        """Stop and start again, as after an update of the server."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and throw its world away."""
        try:
            self.stop()
        finally:
            self._database.close()

    async def _start(self) -> Server:
        server = Server(
            host=self.host,
            port=self.port,
            database=self._database.url,
            clock=self._clock,
            **self._options,
        )
        await server.start()
        server.world.faults = self._faults
        self._faults.attach(server)
        server.world.observer = self.traffic
        self.traffic.note("server", f"the server listens on {server.host}:{server.port}")
        return server

    async def _stop(self, server: Server) -> None:
        await server.close()
        self._clock.close()
        self.traffic.note("server", "the server is stopped")

    @property
    def addresses(self) -> dict[int, ServerAddress]:
        """Where each DC that it plays listens (option `dcs`), by its id."""
        return dict(self._addresses)

    def fault_report(self) -> str:
        """Tell seed, schedule and what was injected, line by line; nothing without any fault."""
        faults = self._faults
        if not faults.injected and not faults.waiting and faults.chaos_plan is None:
            return ""
        report: str = self.faults.report()
        return report

    # -------------------------------------------------------------- accounts

    def make_user(
        self,
        first_name: str = "",
        last_name: str = "",
        *,
        username: str | None = None,
        phone: str | None = None,
    ) -> Account:
        """Make an account of a person. Raises WorldError if it cannot be as described."""
        number = next(self._users)
        made = self.world.add_user(
            phone or f"99966{self.dc_id}{number:04}",
            first_name or f"User {number}",
            last_name,
            username,
        )
        self.traffic.name(made.id, made.first_name)
        return Account(
            made.id,
            f"{made.first_name} {made.last_name}".strip(),
            made.username,
            made.phone,
            code=self.world.login_code(made.phone or ""),
        )

    def make_bot(
        self, name: str = "", *, username: str | None = None, token: str | None = None
    ) -> Account:
        """Make a bot. Raises WorldError if it cannot be as described."""
        number = next(self._users)
        made = self.world.add_bot(name or f"Bot {number}", username or f"test{number}_bot", token)
        self.traffic.name(made.id, made.first_name)
        return Account(made.id, made.first_name, made.username, token=made.token)

    def sign_in(self, account: Account) -> SessionData:
        """Return a new session that is signed in already: no key exchange, no code."""
        return self._thread.call(self._sign_in, account)

    def _sign_in(self, account: Account) -> SessionData:
        key = self._running.world.sign_in(account.id)
        return SessionData(
            dc_id=self.dc_id,
            host=self.host,
            port=self.port,
            auth_key=key.data,
            user_id=account.id,
            is_bot=account.is_bot,
        )

    def call(self, account: Account | None, request: Request[R]) -> R:
        """Make a call as an account, in the server itself: no client, nothing to await.

        What it causes is pushed to the clients that are connected. Raises
        :class:`radiogram.server.RpcFault`.
        """
        result: R = self.world.call(0 if account is None else account.id, request)
        return result

    # -------------------------------------------------------------- clients

    @property
    def environment(self) -> Environment:
        """For ``TelegramClient(environment=...)``: waits take no time, the server's clock moves.

        A client that sleeps for thirty seconds, since the server asked for it, goes on at once, and
        thirty seconds have passed for the server, and for the client.
        """
        return Environment(clock=self._clock.now, sleep=self._sleep, jitter=lambda: 0.0)

    async def _sleep(self, seconds: float) -> None:
        if not self.is_running:
            await asyncio.sleep(SHORT)
            return
        if seconds >= 1:  # less is a pause between attempts, and nothing that anybody asked for
            self.clock.advance(seconds)
        await asyncio.sleep(0)

    def client(
        self,
        account: Account | None = None,
        *,
        session: Session | str | None = None,
        **options: Any,
    ) -> TelegramClient:
        """Return a Radiogram client that is not connected yet, signed in if an account is given.

        `session` is used instead of a new one; `options` are those of TelegramClient.
        """
        if session is None:
            session = MemorySession(self.sign_in(account) if account is not None else None)
        options.setdefault("environment", self.environment)
        options.setdefault("reconnect_attempts", None)
        return TelegramClient(session, API_ID, API_HASH, server=self, **options)

    def telethon_client(
        self, account: Account | None = None, **options: Any
    ) -> telethon.TelegramClient:
        """Return a Telethon client that is not connected yet, signed in if an account is given.

        `options` are those of Telethon's TelegramClient. Raises ImportError without Telethon.
        """
        from radiogram.testing.telethon import make_client

        return make_client(self, account, options)

    def to_json(self) -> str:
        """Return the line that ``radiogram serve --json`` prints, for a program elsewhere."""
        return json.dumps(
            {
                "host": self.host,
                "port": self.port,
                "dc_id": self.dc_id,
                "public_key": self.public_key,
                "fingerprint": self.fingerprint,
                "dcs": [
                    {"dc_id": dc_id, "host": one.host, "port": one.port}
                    for dc_id, one in self.addresses.items()
                ],
            }
        )

    # -------------------------------------------------------------- waiting

    def wait_for_call(
        self, method: str, by: Account | None = None, *, timeout: float = 5
    ) -> Awaitable[Call]:
        """Wait for the next call of a method (a TL name or a pattern), in the real time.

        It may have come already; every call is given out once. Raises TimeoutError.
        """
        future = self.traffic.next_call(method, by.id if by is not None else None)

        async def wait() -> Call:
            try:
                return await asyncio.wait_for(asyncio.wrap_future(future), timeout)
            except TimeoutError:
                whom = f" by {by.name}" if by is not None else ""
                raise TimeoutError(f"no {method}{whom} within {timeout:g} s") from None

        return wait()


# ------------------------------------------------------------------ a new world quickly


@cache
def _template() -> MemoryDatabase:
    """Return the database that is copied for each test: making the tables takes 20 ms."""
    template = MemoryDatabase()
    database = open_database(template.url)
    database.set_meta(META_KEY, key_of_process().to_pem().encode())
    database.close()
    return template
