"""Layer 4, client: many accounts in one process.

Knows clients as things that are started and stopped. Must not know what a client does in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from radiogram.client.events import Event, Pattern
from radiogram.errors import ClientError

if TYPE_CHECKING:
    from typing import Self

    from radiogram.client.client import TelegramClient

E = TypeVar("E", bound=Event)
R = TypeVar("R")

log = logging.getLogger("radiogram.client")

AT_ONCE = 20
"""Clients that start, or do something for :meth:`ClientPool.each`, at the same time."""


class Result(msgspec.Struct, Generic[R], frozen=True):
    """What :meth:`ClientPool.each` got from one client."""

    client: TelegramClient
    value: R | None = None
    """What the function returned."""
    error: Exception | None = None
    """What it raised instead."""


async def connect(client: TelegramClient) -> None:
    """Connect a client whose session is signed in; ClientError for one that is not."""
    if not client.session.data.user_id:
        raise ClientError(
            f"{client!r}: nobody is signed in with this session; sign in first (`radiogram login` "
            "writes a session), or give the pool a `start=` function that does"
        )
    await client.connect()
    await client.updates.started()


class ClientPool:
    """Hundreds of clients in one process, each for itself.

    ::

        pool = ClientPool(TelegramClient(session, api_id, api_hash) for session in sessions)

        @pool.on(events.NewMessage())
        async def answer(event): ...

        async with pool:
            await asyncio.Event().wait()

    Not more than `at_once` clients start at the same time. One that cannot start is noted in
    :attr:`failures` and keeps nothing from the others. `start` is called with each client to start
    it; without it the client connects, and must have been signed in before. Clients may be added
    and removed at any time.
    """

    def __init__(
        self,
        clients: Iterable[TelegramClient] = (),
        *,
        at_once: int = AT_ONCE,
        start: Callable[[TelegramClient], Awaitable[object]] = connect,
    ) -> None:
        if type(at_once) is not int or at_once < 1:
            raise ClientError(f"at_once: {at_once!r} is not a number of clients; give 1 or more")
        self.failures: dict[TelegramClient, Exception] = {}
        """Clients that could not be started, and why; empty again after a start that worked."""
        self._at_once = at_once
        self._start = start
        self._clients: dict[TelegramClient, None] = {}
        self._handlers: list[tuple[Callable[[Any], Awaitable[object]], Pattern[Any], int]] = []
        for client in clients:
            self.add(client)

    def __repr__(self) -> str:
        return f"<ClientPool of {len(self)}, {len(self.running)} running>"

    # ── who is in it ─────────────────────────────────────────────────────────────────────────

    def add(self, client: TelegramClient) -> TelegramClient:
        """Take a client in, and give it back; start it with :meth:`start`, or by yourself."""
        if not hasattr(client, "is_connected") or not hasattr(client, "add_handler"):
            raise ClientError(f"a pool takes clients, not {type(client).__name__}")
        if client in self._clients:
            raise ClientError(f"{client!r} is in this pool already; add each client once")
        self._clients[client] = None
        for function, pattern, group in self._handlers:
            client.add_handler(function, pattern, group=group)
        return client

    async def remove(self, client: TelegramClient) -> None:
        """Disconnect a client and let it go. Its handlers stay with it."""
        if client not in self._clients:
            raise ClientError(f"{client!r} is not in this pool")
        del self._clients[client]
        self.failures.pop(client, None)
        await client.disconnect()

    def __len__(self) -> int:
        return len(self._clients)

    def __contains__(self, client: object) -> bool:
        return client in self._clients

    def __iter__(self) -> Iterator[TelegramClient]:
        return iter(list(self._clients))

    @property
    def running(self) -> list[TelegramClient]:
        """The clients that are connected, in the order in which they were added."""
        return [client for client in self._clients if client.is_connected]

    def on(
        self, pattern: Pattern[E], *, group: int = 0
    ) -> Callable[[Callable[[E], Awaitable[object]]], Callable[[E], Awaitable[object]]]:
        """Call a function with the events of every client, also of those that are added later.

        ``event.client`` says whose event it is.
        """

        def register(function: Callable[[E], Awaitable[object]]) -> Any:
            for client in self._clients:
                client.add_handler(function, pattern, group=group)
            self._handlers.append((function, pattern, group))
            return function

        return register

    # ── life ─────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> dict[TelegramClient, Exception]:
        """Start every client that does not run. Returns :attr:`failures`; raises none of them."""

        async def begin(client: TelegramClient) -> None:
            try:
                await self._start(client)
            except BaseException:
                await client.disconnect()
                raise

        waiting = [client for client in self._clients if not client.is_connected]
        for result in await self._each(waiting, begin):
            if result.error is None:
                self.failures.pop(result.client, None)
            elif result.client in self._clients:
                log.warning("a client of the pool could not be started: %s", result.error)
                self.failures[result.client] = result.error
        return dict(self.failures)

    async def stop(self) -> None:
        """Disconnect every client. They stay in the pool, and can be started again."""
        for result in await self._each(list(self._clients), lambda client: client.disconnect()):
            if result.error is not None:
                log.warning("a client of the pool could not be stopped: %s", result.error)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # ── all together ─────────────────────────────────────────────────────────────────────────

    async def each(self, function: Callable[[TelegramClient], Awaitable[R]]) -> list[Result[R]]:
        """Await ``function(client)`` for every client that runs, so many at once as may start.

        Gives what came of it in the order of the clients; an error is in its result and stops
        nobody else.
        """
        return await self._each(self.running, function)

    async def _each(
        self,
        clients: Iterable[TelegramClient],
        function: Callable[[TelegramClient], Awaitable[R]],
    ) -> list[Result[R]]:
        results: dict[int, Result[R]] = {}
        waiting = enumerate(clients)

        async def work() -> None:
            for number, client in waiting:
                try:
                    results[number] = Result(client, await function(client))
                except Exception as error:  # noqa: BLE001 - it is handed back
                    results[number] = Result(client, error=error)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._at_once):
                group.create_task(work())
        return [results[number] for number in sorted(results)]
