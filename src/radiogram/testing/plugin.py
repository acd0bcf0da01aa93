"""Top layer, testing: the pytest plugin: its fixtures, and the traffic of a test that failed.

pytest loads this module in every project of an environment: it imports nothing of Radiogram until
a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from random import randrange
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.thread import LoopThread
    from radiogram.server.clock import Clock
    from radiogram.server.faults import Faults
    from radiogram.testing.clients import ClientMaker
    from radiogram.testing.server import Account, TelegramServer

SECTION = "telegram traffic"
FAULTS_SECTION = "telegram faults"
SEED = "--telegram-seed"
PREFIX = "radiogram_prefix"
PATIENCE = 30.0
"""Seconds after which a server that does not answer a test counts as hung."""
_SERVER = pytest.StashKey["TelegramServer"]()
_SEED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a project rename the fixtures that others may want to have, too."""
    parser.addini(
        PREFIX,
        "put before the names of Radiogram's fixtures client, make_client, make_user, make_bot,"
        " clock and faults",
        default="",
    )
    parser.addoption(
        SEED,
        metavar="N",
        default="0",
        help="Number from which everything follows that Radiogram's server does by chance if a test"
        " wants chaos; `random` takes another one each time. It is shown when a test fails.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Offer the fixtures under the names that the project wants."""
    config.stash[_SEED] = _seed(str(config.getoption(SEED)))
    config.pluginmanager.register(_short_names(config.getini(PREFIX)), "radiogram short names")
    manager = config.pluginmanager
    if manager.hasplugin("asyncio"):
        from radiogram.testing import with_asyncio

        for scope in with_asyncio.SCOPES:
            manager.register(with_asyncio.fixtures(scope), f"radiogram asyncio {scope}")
    if manager.hasplugin("anyio"):
        from radiogram.testing import with_anyio

        manager.register(with_anyio, "radiogram anyio")


def _seed(given: str) -> int:
    if given == "random":
        return randrange(2**32)
    try:
        return int(given)
    except ValueError:
        raise pytest.UsageError(
            f"{SEED} {given}: not a number; give a whole number, or `random`"
        ) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what went over the server if the test has failed."""
    report = yield
    server = item.stash.get(_SERVER, None)
    if server is not None and report.failed:
        text = str(server.traffic)
        if text:
            report.sections.append((SECTION, text))
        faults = server.fault_report()
        if faults:
            again = f"(again with {SEED}={server.faults.seed})"
            report.sections.append((FAULTS_SECTION, f"{faults}\n{again}"))
    return report


@pytest.fixture(scope="session")
def _radiogram_thread() -> Iterator[LoopThread]:
    """The thread in which all servers of this process live, one after the other."""
    from radiogram.client.thread import LoopThread

    thread = LoopThread("telegram server", patience=PATIENCE)
    thread.start()
    yield thread
    thread.stop()


@pytest.fixture
def telegram_server(
    request: pytest.FixtureRequest, _radiogram_thread: LoopThread
) -> Iterator[TelegramServer]:
    """A Telegram server on this machine, with an empty world."""
    from radiogram.testing.server import TelegramServer

    server = TelegramServer(_radiogram_thread, fault_seed=request.config.stash[_SEED])
    request.node.stash[_SERVER] = server
    try:
        server.start()
        yield server
    finally:
        server.close()


def _in_its_loop(request: pytest.FixtureRequest, fixture: str) -> Any:
    """Return the value of a fixture of ours that runs in the event loop of the test."""
    if "anyio_backend" in request.fixturenames:
        loop = "anyio"
    elif request.config.pluginmanager.hasplugin("asyncio"):
        from radiogram.testing.with_asyncio import scope_of

        loop = scope_of(request)
    else:
        raise pytest.UsageError(
            "a connected client needs an event loop: install pytest-asyncio or anyio"
        )
    return request.getfixturevalue(f"_radiogram_{fixture}_{loop}")


def _short_names(prefix: str) -> object:
    """Return a plugin with the fixtures whose names others may want to have, too."""

    class Fixtures:
        @pytest.fixture(name=f"{prefix}make_user")
        def make_user(self, telegram_server: TelegramServer) -> Callable[..., Account]:
            """Make an account of a person: ``make_user("Ada", username="ada")``."""
            return telegram_server.make_user

        @pytest.fixture(name=f"{prefix}make_bot")
        def make_bot(self, telegram_server: TelegramServer) -> Callable[..., Account]:
            """Make a bot: ``make_bot("Echo", username="echo_bot")``."""
            return telegram_server.make_bot

        @pytest.fixture(name=f"{prefix}clock")
        def clock(self, telegram_server: TelegramServer) -> Clock:
            """The server's clock."""
            return telegram_server.clock

        @pytest.fixture(name=f"{prefix}faults")
        def faults(self, telegram_server: TelegramServer) -> Faults:
            """What goes wrong on purpose."""
            return telegram_server.faults

        @pytest.fixture(name=f"{prefix}make_client")
        def make_client(self, request: pytest.FixtureRequest) -> ClientMaker:
            """Connect as an account, and close the client after the test."""
            maker: ClientMaker = _in_its_loop(request, "make_client")
            return maker

        @pytest.fixture(name=f"{prefix}client")
        def client(self, request: pytest.FixtureRequest) -> TelegramClient:
            """A connected client, signed in as a user."""
            connected: TelegramClient = _in_its_loop(request, "client")
            return connected

    return Fixtures()
