"""One world in several data centres: addresses, keys, homes, and the way from one to another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from radiogram.errors import ConnectionFailed
from radiogram.server import RpcFault, Server, Settings, WorldError
from radiogram.server.serve import ServeError, _dcs
from radiogram.server.world import Address
from radiogram.tl import api
from tests.server.keyed import Keyed
from tests.server.raw import RawClient, dial, exchange_keys
from tests.server.stage import MakeStage, Stage

PHONE_2, PHONE_4 = "9996620001", "9996640001"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(dcs=(1, 2, 4)) as server:
        server.world.add_user(PHONE_2, "Ann")
        yield server


async def test_each_dc_has_a_port_and_the_same_key(server: Server) -> None:
    addresses = server.addresses
    assert list(addresses) == [1, 2, 4]
    assert [one.dc_id for one in addresses.values()] == [1, 2, 4]
    assert len({one.port for one in addresses.values()}) == 3
    assert {one.public_key for one in addresses.values()} == {server.public_key}
    assert (addresses[2].host, addresses[2].port) == (server.host, server.port)


async def test_the_ports_follow_each_other() -> None:
    async with Server(dcs=(5, 1)) as first:
        ports = {dc_id: one.port - first.port for dc_id, one in first.addresses.items()}
        assert ports == {2: 0, 1: 1, 5: 2}
    async with Server(dcs=(5, 1), port=first.port) as again:
        assert again.addresses[5].port == first.port + 2
        with pytest.raises(ConnectionFailed):
            await Server(dcs=(1, 2), port=first.port + 2).start()


@pytest.mark.parametrize("dcs", [(0,), (-1,), (2, 1000), ("2",)])
def test_numbers_that_no_dc_has(dcs: tuple[int, ...]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Server(dcs=dcs)


def test_the_option_of_the_command_line() -> None:
    assert _dcs(None) == ()
    assert _dcs("1, 2,4") == (1, 2, 4)
    for wrong in ("", "6", "1,,2", "one"):
        with pytest.raises(ServeError, match="numbers from 1 to 5"):
            _dcs(wrong)


async def test_the_configuration_of_each_dc(server: Server) -> None:  # C10
    for dc_id in server.dcs:
        client = await RawClient.start(server, dc_id=dc_id)
        async with client.line:
            config = await client.call(api.help.GetConfig())
            assert config.this_dc == dc_id
            told = {option.id: option.port for option in config.dc_options}
            assert told == {one: address.port for one, address in server.addresses.items()}
            nearest = await client.call(api.help.GetNearestDc())
            assert (nearest.this_dc, nearest.nearest_dc) == (dc_id, 2)


async def test_the_media_only_side() -> None:
    async with Server(dcs=(1, 2), settings=Settings(media_options=True)) as server:
        client = await RawClient.start(server)
        async with client.line:
            config = await client.call(api.help.GetConfig())
            told = [(option.id, option.media_only) for option in config.dc_options]
            assert told == [(1, False), (2, False), (1, True), (2, True)]


@pytest.mark.parametrize("test_mode", [False, True])
async def test_a_dc_answers_to_its_own_number_only(test_mode: bool) -> None:  # A3.7, D4
    async with Server(dcs=(1, 2), settings=Settings(test_mode=test_mode)) as server:
        offset = 10000 if test_mode else 0
        for number in (1 + offset, -1 - offset):
            async with await dial(server, dc_id=1) as line:
                await exchange_keys(server, line, dc=number)
        for number in (2 + offset, 1 + 10000 - offset):
            async with await dial(server, dc_id=1) as line:
                with pytest.raises(ConnectionError, match="-444"):
                    await exchange_keys(server, line, dc=number)


async def test_a_key_is_unknown_in_another_dc(server: Server) -> None:
    client = await RawClient.start(server, dc_id=1)
    await client.call(api.help.GetConfig())
    await client.line.close()
    client.line = await dial(server, dc_id=2)
    client.session.connection_lost(now=client.now)
    client.session.connection_made(now=client.now)
    async with client.line:
        with pytest.raises(ConnectionError, match="-404"):
            await client.call(api.help.GetConfig())


# ------------------------------------------------------------------ where accounts live


@pytest.fixture
def several(make_stage: MakeStage) -> Stage:
    """A world in the DCs 1, 2 and 4, without sockets."""
    stage = make_stage()
    for dc_id in (1, 2, 4):
        stage.world.addresses[dc_id] = Address("127.0.0.1", 20000 + dc_id)
    return stage


def test_where_an_account_lives(several: Stage) -> None:  # D1
    world = several.world

    def home(phone: str) -> int:
        return world.home_of_number(phone)

    assert [home(f"99966{dc}1234") for dc in (1, 2, 3)] == [1, 2, 2]
    assert home("4915112345678") == 2
    made = world.add_user("4915112345678", "Cy", dc_id=4)
    device = Keyed(world, dc_id=1)
    with pytest.raises(RpcFault, match=r"^303 PHONE_MIGRATE_4$"):
        send_code(device, made.phone or "")
    with pytest.raises(WorldError, match="does not play DC 3"):
        world.add_user("4915112345679", "Di", dc_id=3)


def send_code(device: Keyed, phone: str) -> api.auth.SentCode:
    sent = device.call(
        api.auth.SendCode(phone_number=phone, api_id=1, api_hash="x", settings=api.CodeSettings())
    )
    assert isinstance(sent, api.auth.SentCode)
    return sent


@pytest.mark.parametrize("dc_id", [1, 4])
def test_a_number_of_another_dc(several: Stage, dc_id: int) -> None:  # C1, D2
    device = Keyed(several.world, dc_id=dc_id)
    with pytest.raises(RpcFault, match=r"^303 PHONE_MIGRATE_2$"):
        send_code(device, "9996620009")
    sent = send_code(Keyed(several.world, dc_id=2), "9996620009")
    for request in (
        api.auth.SignIn(
            phone_number="9996620009", phone_code_hash=sent.phone_code_hash, phone_code="22222"
        ),
        api.auth.ResendCode(phone_number="9996620009", phone_code_hash=sent.phone_code_hash),
    ):
        with pytest.raises(RpcFault, match=r"^303 PHONE_MIGRATE_2$"):
            device.call(request)


def test_a_bot_of_another_dc(several: Stage) -> None:  # C1
    bot = several.world.add_bot("Bot", dc_id=4)
    request = api.auth.ImportBotAuthorization(
        flags=0, api_id=1, api_hash="x", bot_auth_token=bot.token or ""
    )
    with pytest.raises(RpcFault, match=r"^303 USER_MIGRATE_4$"):
        Keyed(several.world, dc_id=1).call(request)
    assert Keyed(several.world, dc_id=4).call(request).user.id == bot.id


def test_a_world_from_a_file(several: Stage, tmp_path: Path) -> None:
    file = tmp_path / "world.toml"
    file.write_text('[[users]]\nphone = "4915112345678"\nfirst_name = "Cy"\ndc_id = 4\n')
    several.world.load_toml(file)
    with pytest.raises(RpcFault, match="PHONE_MIGRATE_4"):
        send_code(Keyed(several.world), "4915112345678")
    file.write_text('[[users]]\nphone = "4915112345679"\nfirst_name = "Di"\ndc_id = "x"\n')
    with pytest.raises(WorldError, match="dc_id"):
        several.world.load_toml(file)


def test_a_redirection_that_a_test_wants_ends_where_it_leads(several: Stage) -> None:  # E5
    for kind in ("NETWORK", "FILE", "STATS"):
        several.world.faults.migrate("help.getNearestDc", 4, kind, times=None)
        with pytest.raises(RpcFault, match=f"^303 {kind}_MIGRATE_4$"):
            Keyed(several.world, dc_id=1).call(api.help.GetNearestDc())
        assert Keyed(several.world, dc_id=4).call(api.help.GetNearestDc()).this_dc == 4
        several.world.faults.clear()


# ------------------------------------------------------------------ export and import (C1)


def signed_in(stage: Stage) -> Keyed:
    """Return a device at home, in DC 2."""
    device = Keyed(stage.world)
    sent = send_code(device, PHONE_2)
    device.call(
        api.auth.SignIn(
            phone_number=PHONE_2, phone_code_hash=sent.phone_code_hash, phone_code="22222"
        )
    )
    return device


@pytest.fixture
def home(several: Stage) -> Keyed:
    several.world.add_user(PHONE_2, "Eve")
    return signed_in(several)


def export(device: Keyed, dc_id: int = 4) -> api.auth.ExportedAuthorization:
    exported = device.call(api.auth.ExportAuthorization(dc_id=dc_id))
    assert isinstance(exported, api.auth.ExportedAuthorization)
    return exported


def take(device: Keyed, exported: api.auth.ExportedAuthorization, user_id: int = 0) -> object:
    return device.call(
        api.auth.ImportAuthorization(id=user_id or exported.id, bytes=exported.bytes)
    )


def test_an_account_goes_to_another_dc(several: Stage, home: Keyed) -> None:
    away = Keyed(several.world, dc_id=4)
    answer = take(away, export(home))
    assert isinstance(answer, api.auth.Authorization)
    (me,) = away.call(api.users.GetUsers(id=[api.InputUserSelf()]))
    assert (me.id, me.first_name) == (answer.user.id, "Eve")


@pytest.mark.parametrize("dc_id", [0, 2, 3, 99, -4])
def test_a_dc_to_which_nothing_goes(home: Keyed, dc_id: int) -> None:
    with pytest.raises(RpcFault, match=r"^400 DC_ID_INVALID$"):
        export(home, dc_id)


def test_only_who_is_signed_in_is_exported(several: Stage) -> None:
    with pytest.raises(RpcFault, match=r"^401 AUTH_KEY_UNREGISTERED$"):
        export(Keyed(several.world))


def test_the_bytes_are_good_once(several: Stage, home: Keyed) -> None:
    exported = export(home)
    take(Keyed(several.world, dc_id=4), exported)
    with pytest.raises(RpcFault, match=r"^400 AUTH_BYTES_INVALID$"):
        take(Keyed(several.world, dc_id=4), exported)


def test_the_bytes_are_good_for_a_minute(several: Stage, home: Keyed) -> None:
    exported = export(home)
    several.world.clock.advance(60)
    with pytest.raises(RpcFault, match=r"^400 AUTH_BYTES_INVALID$"):
        take(Keyed(several.world, dc_id=4), exported)


def test_the_bytes_are_good_in_one_dc(several: Stage, home: Keyed) -> None:
    exported = export(home)
    with pytest.raises(RpcFault, match=r"^400 AUTH_BYTES_INVALID$"):
        take(Keyed(several.world, dc_id=1), exported)
    take(Keyed(several.world, dc_id=4), exported)  # and were not used up by that


@pytest.mark.parametrize("wrong", [b"", b"x" * 64])
def test_bytes_that_were_never_given_out(several: Stage, home: Keyed, wrong: bytes) -> None:
    exported = export(home)
    with pytest.raises(RpcFault, match=r"^400 AUTH_BYTES_INVALID$"):
        take(
            Keyed(several.world, dc_id=4),
            api.auth.ExportedAuthorization(id=exported.id, bytes=wrong),
        )


def test_the_bytes_are_good_for_one_account(several: Stage, home: Keyed) -> None:
    exported = export(home)
    away = Keyed(several.world, dc_id=4)
    with pytest.raises(RpcFault, match=r"^400 USER_ID_INVALID$"):
        take(away, exported, exported.id + 1)
    take(away, exported)


def test_who_logs_out_meanwhile_is_not_imported(several: Stage, home: Keyed) -> None:
    exported = export(home)
    home.call(api.auth.LogOut())
    with pytest.raises(RpcFault, match=r"^400 AUTH_BYTES_INVALID$"):
        take(Keyed(several.world, dc_id=4), exported)


def test_it_is_one_login_and_ends_as_one(several: Stage, home: Keyed) -> None:
    away = Keyed(several.world, dc_id=4)
    take(away, export(home))
    listed = home.call(api.account.GetAuthorizations())
    assert len(listed.authorizations) == 1
    home.call(api.auth.LogOut())
    with pytest.raises(RpcFault, match=r"^401 AUTH_KEY_UNREGISTERED$"):
        away.call(api.users.GetUsers(id=[api.InputUserSelf()]))


def test_updates_come_home_only(several: Stage, home: Keyed) -> None:  # A13.4
    away = Keyed(several.world, dc_id=4)
    me = take(away, export(home))
    assert isinstance(me, api.auth.Authorization)
    home.pushed.clear()
    away.pushed.clear()
    message = api.messages.SendMessage(
        peer=several.input_peer(several.ann, me.user.id), message="hello", random_id=1
    )
    several.call(several.ann, message)
    assert home.pushed
    assert not away.pushed


# ------------------------------------------------------------------ as a process


async def test_serve_tells_every_dc() -> None:
    process = await asyncio.create_subprocess_exec(
        *("python", "-m", "radiogram", "serve", "--json", "--port", "0", "--dcs", "1,2,4"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
    finally:
        process.terminate()
        await process.wait()
    assert [one["dc_id"] for one in told["dcs"]] == [1, 2, 4]
    assert {one["host"] for one in told["dcs"]} == {"127.0.0.1"}
    ports = {one["dc_id"]: one["port"] for one in told["dcs"]}
    assert ports[2] == told["port"]
    assert len(set(ports.values())) == 3
