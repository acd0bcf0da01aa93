"""Fixtures of the interop tests: the server process, node, and accounts in pairs.

Everything lives for the whole run of one worker: one server process, one node process, one event
loop. Tests share nothing but them: each takes accounts that nobody took before, so the order does
not matter.
"""

from __future__ import annotations

import asyncio
import fcntl
import functools
import importlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from ..served import Address, Served
from .account import Account
from .drivers import Driver
from .node import Host, NodeDriver

USERS = 600
BOTS = 100
"""Accounts of the world; phones 99966 2 YYYY sign in with 22222 (D1, D9)."""

LIBRARIES = {
    "telethon": "telethon_driver.TelethonDriver",
    "gramjs": "gramjs_driver.GramJSDriver",
    "kurigram": "kurigram_driver.KurigramDriver",
    "mtcute": "mtcute_driver.MtcuteDriver",
}
"""The drivers; imported only when needed, since a library may be missing."""

MTPROXY_SECRET = "367a189aee18fa31c190054efd4a8e95"

PAIRS = ("telethon-gramjs", "gramjs-kurigram", "kurigram-mtcute", "mtcute-telethon")
"""Who acts and who watches: each library is both."""

REQUIRED = os.environ.get("RADIOGRAM_REQUIRE_INTEROP") == "1" or os.environ.get("CI") == "true"


def unavailable(sentence: str) -> None:
    """Skip for want of a library, unless this run must not skip."""
    if REQUIRED:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@functools.cache
def missing(library: str) -> str | None:
    """Install what `library` needs if that is possible; else say what is missing."""
    module = {"telethon": "telethon", "kurigram": "pyrogram"}.get(library)
    if module is not None:
        if importlib.util.find_spec(module) is None:
            return f"{library} is not installed: pip install 'radiogram[test]' brings it."
        return None
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed: {library} is tested with Node.js 20 or later."
    folder = Path(__file__).parent / library
    installed = folder / "node_modules" / ".package-lock.json"
    if installed.exists():
        return None
    with Path(tempfile.gettempdir(), f"radiogram-{library}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other workers wait here, then find it installed
        if installed.exists():
            return None
        npm = subprocess.run(
            ["npm", "ci", "--ignore-scripts"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if npm.returncode:
            return f"npm ci in {folder} failed: {npm.stderr.strip()[-500:]}"
    return None


def driver_of(library: str) -> type[Driver]:
    """Return the driver's class; skip if its library cannot be had."""
    sentence = missing(library)
    if sentence is not None:
        unavailable(sentence)
    module, name = LIBRARIES[library].split(".")
    return getattr(importlib.import_module(f".{module}", __package__), name)


@dataclass
class Town:
    """The accounts of the server's world; each is handed out once."""

    server: Served
    hosts: dict[str, Host] = field(default_factory=dict)
    users: Iterator[int] = field(default_factory=lambda: iter(range(USERS)))
    bots: Iterator[int] = field(default_factory=lambda: iter(range(BOTS)))
    newcomers: Iterator[int] = field(default_factory=lambda: iter(range(5000, 9999)))

    @property
    def address(self) -> Address:
        return self.server.address

    async def driver(self, library: str) -> Driver:
        """Return a driver that has not connected yet."""
        kind = driver_of(library)
        if not issubclass(kind, NodeDriver):
            return kind()
        if library not in self.hosts:
            self.hosts[library] = Host(kind.script)
            await self.hosts[library].start()
        return kind(self.hosts[library])

    def new_phone(self) -> str:
        """Return a test number of DC 2 that has no account yet."""
        return f"999662{next(self.newcomers):04}"


def phone_of(number: int) -> str:
    """Return the phone of a user of the world."""
    return f"999662{number:04}"


def token_of(number: int) -> str:
    """Return the token of a bot of the world."""
    return f"{7000000 + number}:{'interop-' * 4}{number:03}"


def world() -> str:
    """Return the world file: users u0, u1 ... and bots bot0_bot, bot1_bot ..."""
    lines = []
    for n in range(USERS):
        lines += ["[[users]]", f'phone = "{phone_of(n)}"', f'first_name = "User {n}"']
        lines += [f'username = "user{n:04}"']
    for n in range(BOTS):
        lines += ["[[bots]]", f'name = "Bot {n}"', f'username = "bot{n:04}_bot"']
        lines += [f'token = "{token_of(n)}"']
    return "\n".join(lines)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town() -> AsyncIterator[Town]:
    """The server process with its accounts. Its log must be free of failures afterwards."""
    with Served(world=world(), arguments=("--mtproxy", MTPROXY_SECRET)) as server:
        town = Town(server)
        yield town
        for host in town.hosts.values():
            await host.stop()
        code = server.stop()
        if code or "Traceback" in server.log:
            pytest.fail(f"the server ended with {code}; its log:\n{server.log[-4000:]}")


class Guests:
    """Makes the accounts of one test, and closes and audits them after it."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.accounts: list[Account] = []
        self.drivers: list[Driver] = []

    async def driver(self, library: str, transport: str | None = None) -> Driver:
        """Return a connected client that is not logged in."""
        driver = await self.town.driver(library)
        try:
            await driver.open(self.town.address, transport=transport)
        except Exception:  # noqa: BLE001 - each library has its own
            # Both libraries lose the leading zeros of an auth key, so that one key exchange in
            # 256 fails whatever the server does: once more, with another key.
            driver = await self.town.driver(library)
            await driver.open(self.town.address, transport=transport)
        self.drivers.append(driver)
        return driver

    async def user(self, library: str, number: int | None = None) -> Account:
        """Sign a user in: one whom nobody took before, or the one with `number` once more."""
        if number is None:
            number = next(self.town.users)
        driver = await self.driver(library)
        account = Account(driver, f"user{number:04}", number=number)
        await driver.login(phone_of(number), "22222")
        return await self._admit(account)

    async def bot(self, library: str) -> Account:
        """Sign a bot in whom nobody took before."""
        number = next(self.town.bots)
        driver = await self.driver(library)
        account = Account(driver, f"bot{number:04}_bot", number=number)
        await driver.login_bot(token_of(number))
        return await self._admit(account)

    async def close(self) -> None:
        """Audit the accounts and close everything."""
        async with AsyncExitStack() as stack:
            for driver in self.drivers:
                stack.push_async_callback(_close, driver)
            for account in self.accounts:
                if not account.gone:
                    await account.balance()

    async def _admit(self, account: Account) -> Account:
        await account.settle()
        self.accounts.append(account)
        return account


@pytest_asyncio.fixture(loop_scope="session")
async def guests(town: Town) -> AsyncIterator[Guests]:
    """A maker of accounts; at the end the pts of each of them must add up (C0.3.2)."""
    guests = Guests(town)
    yield guests
    await guests.close()


async def _close(driver: Driver) -> None:
    with suppress(Exception):  # a test may have closed it
        async with asyncio.timeout(10):
            await driver.close()


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Names of the library that acts and of the one that watches."""
    actor, watcher = request.param.split("-")
    return actor, watcher


@pytest.fixture(params=tuple(LIBRARIES))
def library(request: pytest.FixtureRequest) -> str:
    """Name of one library, for what needs no second one."""
    return request.param


@pytest_asyncio.fixture(loop_scope="session")
async def duo(guests: Guests, pair: tuple[str, str]) -> tuple[Account, Account]:
    """Two users who have not met yet: the one who acts, the one who watches."""
    return await guests.user(pair[0]), await guests.user(pair[1])
