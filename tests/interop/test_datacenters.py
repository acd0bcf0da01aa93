"""Other people's clients go from one data centre to another, and use temporary keys.

The server is one of its own: it plays the DCs 1, 2 and 4. Every client is told of DC 1 only; the
others they find by help.getConfig.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import count

import pytest
import pytest_asyncio

from ..served import Address, Served
from .conftest import driver_of
from .drivers import CallError, Driver
from .node import Host, NodeDriver
from .plain import Plain

pytestmark = pytest.mark.asyncio(loop_scope="session")

USERS = 50
PHONES = [f"999662{number:04}" for number in range(USERS)]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    lines = [
        f'[[users]]\nphone = "{phone}"\nfirst_name = "User {number}"'
        for number, phone in enumerate(PHONES)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADIOGRAM_LOG", "DEBUG")  # so that the log tells of every call
        arguments = ("--dc-id", "1", "--dcs", "1,2,4")
        with Served(world="\n".join(lines), arguments=arguments) as served:
            yield served


@pytest.fixture(scope="module")
def phones() -> Iterator[str]:
    return (PHONES[number] for number in count())


@pytest_asyncio.fixture(loop_scope="session")
async def make(served: Served) -> AsyncIterator[Maker]:
    maker = Maker(served.address)
    yield maker
    await maker.close()


class Maker:
    """Makes drivers, and ends them."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._made: list[Driver] = []
        self._hosts: list[Host] = []

    async def __call__(self, library: str) -> Driver:
        kind = driver_of(library)
        if issubclass(kind, NodeDriver):
            host = Host(kind.script)
            await host.start()
            self._hosts.append(host)
            driver: Driver = kind(host)
        else:
            driver = kind()
        self._made.append(driver)
        return driver

    async def close(self) -> None:
        for driver in self._made:
            await driver.close()
        for host in self._hosts:
            await host.stop()


async def this_dc(driver: Driver) -> int:
    config = await driver.call("help.getConfig")
    return int(config.this_dc)


@pytest.mark.parametrize("library", ["telethon", "gramjs", "mtcute"])
async def test_a_login_that_begins_in_another_dc(
    make: Maker, phones: Iterator[str], library: str
) -> None:
    """PHONE_MIGRATE_2 leads each library to DC 2, where it goes on with a key of its own."""
    driver, phone = await make(library), next(phones)
    await driver.open(make.address)
    assert await this_dc(driver) == 1

    await driver.login(phone, "22222")

    assert await this_dc(driver) == 2
    (me,) = await driver.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert me.phone == phone


@pytest.mark.parametrize("library", ["telethon", "mtcute"])
async def test_a_call_in_another_dc(make: Maker, phones: Iterator[str], library: str) -> None:
    """The library exports the account to DC 4 and is somebody there: files will go this way."""
    driver, phone = await make(library), next(phones)
    await driver.open(make.address)
    await driver.login(phone, "22222")
    config = await driver.call_in(4, "help.getConfig")
    assert config.this_dc == 4
    (me,) = await driver.call_in(4, "users.getUsers", id=[Plain("inputUserSelf")])
    assert me.phone == phone
    listed = await driver.call("account.getAuthorizations")
    assert len(listed.authorizations) == 1


@pytest.mark.parametrize("library", ["telethon", "gramjs", "mtcute"])
async def test_the_errors_of_other_dcs(make: Maker, phones: Iterator[str], library: str) -> None:
    driver = await make(library)
    await driver.open(make.address)
    await driver.login(next(phones), "22222")
    for dc_id in (2, 3):
        with pytest.raises(CallError, match=r"^400 DC_ID_INVALID$"):
            await driver.call("auth.exportAuthorization", dc_id=dc_id)
    with pytest.raises(CallError, match=r"^400 AUTH_BYTES_INVALID$"):
        await driver.call("auth.importAuthorization", id=1, bytes=b"x" * 64)


@pytest.mark.parametrize("begin", [1, 2])
async def test_mtcute_with_temporary_keys(
    served: Served, make: Maker, phones: Iterator[str], begin: int
) -> None:
    """mtcute binds a temporary key in each DC, and the server takes its binding messages (A16)."""
    driver, phone = await make("mtcute"), next(phones)
    assert isinstance(driver, NodeDriver)
    driver.pfs = True
    before = served.log.count("auth.bindTempAuthKey of")
    ports = {one["dc_id"]: one["port"] for one in make.address.dcs}
    await driver.open(replace(make.address, dc_id=begin, port=ports[begin]))
    await driver.login(phone, "22222")
    (me,) = await driver.call("users.getUsers", id=[Plain("inputUserSelf")])
    assert me.phone == phone
    (me,) = await driver.call_in(4, "users.getUsers", id=[Plain("inputUserSelf")])
    assert me.phone == phone
    listed = await driver.call("account.getAuthorizations")
    assert len(listed.authorizations) == 1
    assert served.log.count("auth.bindTempAuthKey of") >= before + 2, "one in each DC at least"
