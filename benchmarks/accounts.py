"""Memory of many clients in one process, logged in and idle, for one client library.

``python -m benchmarks.accounts LIBRARY SERVER`` prints it as JSON; SERVER is the line of
``python -m benchmarks.accounts serve COUNT``, which has an account and a key for each client. Every
client has its connection, a handler and a stream of updates that has started.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from radiogram.crypto.keys import AuthKey
from radiogram.server import Server
from radiogram.server.tables import auth_keys
from radiogram.tl import api

from .measure import child, resident
from .requests import API_HASH, API_ID

CLIENTS = 500
AT_ONCE = 20
"""Clients that connect at the same time."""


@dataclass
class Cost:
    """What the clients of one library take."""

    clients: int
    each: float
    """Bytes of each beyond the first."""
    memory: int
    """Bytes of the process with all of them."""
    seconds: float
    """From the second to the last being connected."""


def key_of(number: int) -> bytes:
    """Make the auth key of an account: no secret, so that it need not be told."""
    return hashlib.shake_256(b"account %d" % number).digest(256)


async def serve(count: int) -> None:
    """Be the server: print where it is, with the accounts and their keys, and stay."""
    async with Server() as server:
        world = server.world
        accounts = []
        for number in range(count):
            user_id = world.add_user(f"999662{number:04}", f"User {number}").id
            key = AuthKey(key_of(number))
            world.authorizations.add(key, first_salt=0, expires_at=None, dc_id=server.dc_id)
            with world.db.begin() as tx:
                mine = auth_keys.update().where(auth_keys.c.key_id == key.key_id)
                tx.execute(mine.values(user_id=user_id))
            accounts.append(user_id)
        line = {
            "host": server.host,
            "port": server.port,
            "dc_id": server.dc_id,
            "public_key": server.public_key,
            "accounts": accounts,
        }
        print(json.dumps(line), flush=True)
        await asyncio.Event().wait()


async def _radiogram(server: dict[str, Any], user_id: int, key: bytes) -> object:
    from radiogram import ServerAddress, TelegramClient, events
    from radiogram.client.sessions import SessionData
    from radiogram.sessions import MemorySession

    host, port, dc_id = server["host"], server["port"], server["dc_id"]
    data = SessionData(dc_id=dc_id, host=host, port=port, auth_key=key, user_id=user_id)
    address = ServerAddress(host, port, dc_id, server["public_key"])
    client = TelegramClient(MemorySession(data), API_ID, API_HASH, server=address)

    @client.on(events.NewMessage())
    async def handle(event: events.NewMessageEvent) -> None:
        assert event.text

    await client.connect()
    await client.updates.started()
    await client.invoke(api.help.GetNearestDc())
    return client


async def _telethon(server: dict[str, Any], user_id: int, key: bytes) -> object:
    from telethon import TelegramClient, events, functions
    from telethon.crypto import AuthKey as TelethonKey
    from telethon.crypto import rsa
    from telethon.sessions import MemorySession

    del user_id
    rsa.add_key(server["public_key"], old=False)
    session = MemorySession()
    session.set_dc(server["dc_id"], server["host"], server["port"])
    session.auth_key = TelethonKey(key)
    client = TelegramClient(session, API_ID, API_HASH)

    @client.on(events.NewMessage())
    async def handle(event: Any) -> None:
        assert event.text

    await client.connect()
    await client.get_me()
    await client(functions.help.GetNearestDcRequest())
    return client


OPENERS: dict[str, Callable[[dict[str, Any], int, bytes], Awaitable[object]]] = {
    "radiogram": _radiogram,
    "telethon": _telethon,
}


async def measure(library: str, server: dict[str, Any]) -> dict[str, Any]:
    opener = OPENERS[library]
    first, *others = server["accounts"]
    clients: list[Any] = [await opener(server, first, key_of(0))]
    gc.collect()
    before, started = resident(os.getpid()), time.perf_counter()
    waiting = iter(list(enumerate(others, 1)))

    async def opening() -> None:
        for number, user_id in waiting:
            clients.append(await opener(server, user_id, key_of(number)))

    await asyncio.gather(*(opening() for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - started
    await asyncio.sleep(1)
    gc.collect()
    memory = resident(os.getpid())
    await asyncio.gather(*(client.disconnect() for client in clients))
    return {
        "clients": len(clients),
        "each": (memory - before) / len(others),
        "memory": memory,
        "seconds": seconds,
    }


def run(library: str, clients: int = CLIENTS) -> Cost:
    """Measure one library: server and clients each in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.accounts", "serve", str(clients)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            return Cost(**child("-m", "benchmarks.accounts", library, line))
        finally:
            process.terminate()


if __name__ == "__main__":
    what, given = sys.argv[1:]
    if what == "serve":
        asyncio.run(serve(int(given)))
    else:
        print(json.dumps(asyncio.run(measure(what, json.loads(given)))))
