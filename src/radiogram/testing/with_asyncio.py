"""Top layer, testing: connected clients in the event loops of pytest-asyncio.

One fixture for each scope of a loop, since a client must live in the loop of its test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.testing.clients import ClientMaker
    from radiogram.testing.server import TelegramServer

SCOPES = ("function", "class", "module", "package", "session")


def scope_of(request: pytest.FixtureRequest) -> str:
    """Return the scope of the loop in which a test runs."""
    marker = request.node.get_closest_marker("asyncio")
    told = marker.kwargs.get("loop_scope") if marker is not None else None
    return told or request.config.getini("asyncio_default_test_loop_scope") or "function"


def fixtures(scope: Any) -> object:
    """Return a plugin with the fixtures for one scope."""

    class Fixtures:
        @pytest_asyncio.fixture(loop_scope=scope, name=f"_radiogram_make_client_{scope}")
        async def make_client(self, telegram_server: TelegramServer) -> AsyncIterator[ClientMaker]:
            from radiogram.testing.clients import maker_of_clients

            async with maker_of_clients(telegram_server) as maker:
                yield maker

        @pytest_asyncio.fixture(loop_scope=scope, name=f"_radiogram_client_{scope}")
        async def client(self, telegram_server: TelegramServer) -> AsyncIterator[TelegramClient]:
            from radiogram.testing.clients import one_client

            async with one_client(telegram_server) as client:
                yield client

    return Fixtures()
