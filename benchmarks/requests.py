"""Requests per second of one client library, in a process of its own.

``python -m benchmarks.requests LIBRARY SERVER SECONDS`` prints them as JSON; SERVER is the
line of ``radiogram serve --json`` with the accounts to use.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from .measure import rate

API_ID, API_HASH = 94575, "a3406de8d171bb422bb6ddf3bbd800e2"
AT_ONCE = 50


class Rival(ABC):
    """One logged-in client of some library, and the two calls that are measured."""

    def __init__(self) -> None:
        self.random_ids = itertools.count(1)

    @abstractmethod
    async def open(self, server: dict[str, Any], phone: str, code: str, username: str) -> None:
        """Connect, sign in, and find the user to write to."""

    @abstractmethod
    async def get_config(self) -> object:
        """Call help.getConfig."""

    @abstractmethod
    async def send_message(self) -> object:
        """Call messages.sendMessage to the user found."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect."""


class Radiogram(Rival):
    """Our own client."""

    async def open(self, server: dict[str, Any], phone: str, code: str, username: str) -> None:
        from radiogram import ServerAddress, TelegramClient, api
        from radiogram.sessions import MemorySession

        self.api = api
        address = ServerAddress(
            server["host"], server["port"], server["dc_id"], server["public_key"]
        )
        self.client = TelegramClient(MemorySession(), API_ID, API_HASH, server=address)
        await self.client.connect()
        await self.client.start(phone=phone, code=code)
        found = await self.client.invoke(api.contacts.ResolveUsername(username=username))
        (user,) = found.users
        assert isinstance(user, api.User)
        assert user.access_hash is not None
        self.peer = api.InputPeerUser(user_id=user.id, access_hash=user.access_hash)

    async def get_config(self) -> object:
        return await self.client.invoke(self.api.help.GetConfig())

    async def send_message(self) -> object:
        return await self.client.invoke(
            self.api.messages.SendMessage(
                peer=self.peer, message="benchmark", random_id=next(self.random_ids)
            )
        )

    async def close(self) -> None:
        await self.client.disconnect()


class Telethon(Rival):
    """Telethon 1.45, with cryptg, which it takes if it is there."""

    async def open(self, server: dict[str, Any], phone: str, code: str, username: str) -> None:
        from telethon import TelegramClient, functions, types
        from telethon.crypto import rsa
        from telethon.sessions import MemorySession

        self.functions = functions
        rsa.add_key(server["public_key"], old=False)
        session = MemorySession()
        session.set_dc(server["dc_id"], server["host"], server["port"])
        self.client = TelegramClient(session, API_ID, API_HASH)
        await self.client.connect()
        await self.client.send_code_request(phone)
        await self.client.sign_in(phone, code)
        found = await self.client(functions.contacts.ResolveUsernameRequest(username))
        user = found.users[0]
        self.peer = types.InputPeerUser(user.id, user.access_hash)

    async def get_config(self) -> object:
        return await self.client(self.functions.help.GetConfigRequest())

    async def send_message(self) -> object:
        return await self.client(
            self.functions.messages.SendMessageRequest(
                self.peer, "benchmark", random_id=next(self.random_ids)
            )
        )

    async def close(self) -> None:
        await self.client.disconnect()


class Kurigram(Rival):
    """Kurigram 2.2, with TgCrypto if it is there."""

    async def open(self, server: dict[str, Any], phone: str, code: str, username: str) -> None:
        from pyrogram import Client, raw
        from pyrogram.connection import Connection
        from pyrogram.crypto import rsa

        from radiogram.crypto.rsa import PublicKey

        def dial(**options: Any) -> Connection:
            options |= {"server_address": server["host"], "port": server["port"]}
            return Connection(**options)

        self.raw = raw
        key = PublicKey.from_pem(server["public_key"])
        rsa.server_public_keys[key.fingerprint] = rsa.PublicKey(key.n, key.e)
        self.client = Client("benchmark", API_ID, API_HASH, in_memory=True, connection_factory=dial)
        await self.client.connect()
        sent = await self.client.send_phone_number_code(phone)
        await self.client.sign_in(phone, sent.phone_code_hash, code)
        found = await self.client.invoke(raw.functions.contacts.ResolveUsername(username=username))
        user = found.users[0]
        self.peer = raw.types.InputPeerUser(user_id=user.id, access_hash=user.access_hash)

    async def get_config(self) -> object:
        return await self.client.invoke(self.raw.functions.help.GetConfig())

    async def send_message(self) -> object:
        return await self.client.invoke(
            self.raw.functions.messages.SendMessage(
                peer=self.peer, message="benchmark", random_id=next(self.random_ids)
            )
        )

    async def close(self) -> None:
        await self.client.disconnect()


RIVALS: dict[str, Callable[[], Rival]] = {
    "radiogram": Radiogram,
    "telethon": Telethon,
    "kurigram": Kurigram,
}


async def measure(
    library: str, server: dict[str, Any], seconds: float
) -> dict[str, tuple[float, float]]:
    """Return calls a second, and CPU seconds of the client for each, by kind of call."""
    rival = RIVALS[library]()
    async with asyncio.timeout(60):
        await rival.open(server["address"], server["phone"], server["code"], server["username"])
    rates = {}
    for name, call in (
        ("help.getConfig", rival.get_config),
        ("messages.sendMessage", rival.send_message),
    ):
        await rate(call, at_once=1, seconds=seconds / 10)  # warm up
        rates[f"{name}, one by one"] = await rate(call, at_once=1, seconds=seconds)
        rates[f"{name}, {AT_ONCE} at once"] = await rate(call, at_once=AT_ONCE, seconds=seconds)
    await rival.close()
    return rates


if __name__ == "__main__":
    library, server, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(library, json.loads(server), float(seconds)))))
