"""Top layer, testing: connected clients in the event loops of anyio's plugin for pytest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.testing.clients import ClientMaker
    from radiogram.testing.server import TelegramServer


@pytest.fixture
async def _radiogram_make_client_anyio(
    telegram_server: TelegramServer, anyio_backend: object
) -> AsyncIterator[ClientMaker]:
    from radiogram.testing.clients import maker_of_clients

    async with maker_of_clients(telegram_server) as maker:
        yield maker


@pytest.fixture
async def _radiogram_client_anyio(
    telegram_server: TelegramServer, anyio_backend: object
) -> AsyncIterator[TelegramClient]:
    from radiogram.testing.clients import one_client

    async with one_client(telegram_server) as client:
        yield client
