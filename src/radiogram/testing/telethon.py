"""Top layer, testing: Telethon's client at a server of a test.

Knows Telethon, which need not be installed for anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon import TelegramClient
from telethon.crypto import AuthKey, rsa
from telethon.sessions import MemorySession

if TYPE_CHECKING:
    from radiogram.testing.server import Account, TelegramServer


def make_client(
    server: TelegramServer, account: Account | None, options: dict[str, Any]
) -> TelegramClient:
    """Return a client that is not connected yet."""
    from radiogram.testing.server import API_HASH, API_ID

    rsa.add_key(server.public_key, old=False)
    session = MemorySession()
    session.set_dc(server.dc_id, server.host, server.port)
    if account is not None:
        session.auth_key = AuthKey(server.sign_in(account).auth_key)
    return TelegramClient(session, API_ID, API_HASH, **options)
