"""Top layer, testing: connected clients for one test, in the event loop of that test.

Knows how to connect and to clean up. Knows no test runner: :mod:`with_asyncio` and
:mod:`with_anyio` make fixtures of what is here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.testing.server import Account, TelegramServer


class ClientMaker:
    """Makes connected clients: ``await make_client(user)``; all are closed after the test."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        self._made: list[TelegramClient] = []

    async def __call__(self, account: Account | None = None, **options: Any) -> TelegramClient:
        """Connect, signed in as `account` if one is given; options as of TelegramClient."""
        client = self._server.client(account, **options)
        self._made.append(client)
        await client.connect()
        if account is not None:
            # A server pushes only to who has called something since he connected.
            await client.get_me()
        return client

    async def close(self) -> None:
        """Disconnect every client that was made."""
        while self._made:
            await self._made.pop().disconnect()


@asynccontextmanager
async def maker_of_clients(server: TelegramServer) -> AsyncIterator[ClientMaker]:
    """Give a maker of clients, and close what it has made."""
    maker = ClientMaker(server)
    try:
        yield maker
    finally:
        await maker.close()


@asynccontextmanager
async def one_client(server: TelegramServer) -> AsyncIterator[TelegramClient]:
    """Give a connected client of a new user, and close it."""
    client = server.client(server.make_user())
    async with client:
        await client.get_me()
        yield client
