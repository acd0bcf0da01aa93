"""What goes wrong on purpose (part E), as a client over TCP meets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from radiogram import TelegramClient, api, errors
from radiogram.client.environment import Environment
from radiogram.server import Server
from radiogram.server.faults import Faults, Injected
from radiogram.sessions import StringSession


async def no_pause(_seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[TelegramClient]:
    server.world.add_user("9996620001", "Ada")
    client = TelegramClient(
        StringSession(""),
        1,
        "any",
        server=server,
        environment=Environment(sleep=no_pause, jitter=lambda: 0.0),
    )
    async with client:
        await client.start(phone="9996620001", code="22222")
        yield client


@pytest.fixture
def faults(server: Server, client: TelegramClient) -> Faults:
    """The faults, once the client is logged in."""
    return server.faults


async def until(condition: Callable[[], object]) -> None:
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")


async def send(client: TelegramClient, text: str = "text") -> Any:
    return await client.invoke(api.messages.SendMessage(peer="me", message=text))


async def texts(client: TelegramClient) -> list[str]:
    found = await client.invoke(
        api.messages.GetHistory(
            peer="me",
            offset_id=0,
            offset_date=0,
            add_offset=0,
            limit=100,
            max_id=0,
            min_id=0,
            hash=0,
        )
    )
    return [message.message for message in reversed(found.messages)]  # type: ignore[union-attr]


async def test_e1_flood_wait_is_slept_through_and_then_the_call_is_made(
    client: TelegramClient, faults: Faults
) -> None:
    faults.flood_wait("messages.sendMessage", seconds=30, times=2)
    await send(client)
    assert (
        faults.injected
        == [Injected("error", "FLOOD_WAIT_30 messages.sendMessage", (await client.get_me()).id)] * 2
    )
    assert await texts(client) == ["text"]


async def test_e1_a_long_wait_is_raised(client: TelegramClient, faults: Faults) -> None:
    faults.flood_wait("messages.*", seconds=3600)
    with pytest.raises(errors.FloodWait) as caught:
        await send(client)
    assert caught.value.seconds == 3600


@pytest.mark.parametrize("executed", [False, True])
async def test_e8_internal_errors_are_repeated_and_nothing_is_done_twice(
    client: TelegramClient, faults: Faults, executed: bool
) -> None:
    faults.internal_error("messages.sendMessage", executed=executed)
    if executed:  # the repetition has the same random_id
        with pytest.raises(errors.RpcError, match="RANDOM_ID_DUPLICATE"):
            await send(client)
    else:
        await send(client)
    assert await texts(client) == ["text"]


async def test_e11_a_login_that_is_over_is_told(client: TelegramClient, faults: Faults) -> None:
    faults.unauthorized("help.getNearestDc", "SESSION_REVOKED")
    with pytest.raises(errors.SessionRevoked):
        await client.invoke(api.help.GetNearestDc())


async def test_e30_a_client_that_is_unknown_introduces_itself_again(
    client: TelegramClient, faults: Faults
) -> None:
    faults.not_initialised("help.getNearestDc")
    assert (await client.invoke(api.help.GetNearestDc())).country == "DE"
    assert faults.count("error", "CONNECTION_NOT_INITED*") == 1


async def test_a_fault_is_aimed(client: TelegramClient, faults: Faults) -> None:
    faults.error("messages.sendMessage", 400, "PEER_ID_INVALID", user_id=1)
    faults.error("messages.sendMessage", 400, "CHAT_INVALID", after=1)
    faults.error(
        "messages.sendMessage", 400, "MSG_ID_INVALID", when=lambda call: call.message == "this"
    )
    await send(client, "one")
    with pytest.raises(errors.ChatInvalid):
        await send(client, "two")
    with pytest.raises(errors.MsgIdInvalid):
        await send(client, "this")
    faults.clear()
    await send(client, "three")
    assert await texts(client) == ["one", "three"]


@pytest.mark.parametrize("executed", [False, True])
async def test_e17_a_dropped_connection_repeats_the_call_and_executes_it_once(
    client: TelegramClient, faults: Faults, executed: bool
) -> None:
    faults.drop_connection("messages.sendMessage", executed=executed)
    await send(client)
    assert faults.count("drop") == 1
    assert await texts(client) == ["text"]


async def test_e17_a_connection_is_dropped_after_some_packets(
    client: TelegramClient, faults: Faults
) -> None:
    faults.drop_after_packets(3)
    for number in range(10):
        await send(client, str(number))
    assert faults.count("drop", "in") == 1
    assert await texts(client) == [str(number) for number in range(10)]


async def test_e18_an_answer_comes_late_by_the_servers_clock(
    server: Server, client: TelegramClient, faults: Faults
) -> None:
    faults.delay_answer("messages.sendMessage", seconds=20)
    waiting = asyncio.create_task(send(client))
    await until(lambda: faults.injected)
    assert not waiting.done()
    server.world.clock.advance(20)
    await waiting
    assert await texts(client) == ["text"]


async def test_e20_a_lost_answer_is_there_after_a_reconnection(
    client: TelegramClient, faults: Faults
) -> None:
    faults.lose_answer("messages.sendMessage")
    waiting = asyncio.create_task(send(client))
    await until(lambda: faults.injected)
    faults.drop_connection("help.getNearestDc")
    await client.invoke(api.help.GetNearestDc())
    await waiting
    assert await texts(client) == ["text"]


async def test_e16_a_transport_error_ends_a_key_that_is_unknown(
    client: TelegramClient, faults: Faults
) -> None:
    faults.transport_error(-404)
    with pytest.raises(errors.RadiogramError):
        await send(client)
    assert faults.count("error", "-404") == 1


async def test_e20_packets_that_come_twice_or_late_change_nothing(
    client: TelegramClient, faults: Faults
) -> None:
    faults.repeat_packets(times=5)
    faults.reorder_packets(times=3)
    await asyncio.gather(*(send(client, str(number)) for number in range(20)))
    assert sorted(await texts(client), key=int) == [str(number) for number in range(20)]


@pytest.mark.parametrize("seed", range(5))
async def test_chaos_is_repeatable_and_nothing_is_done_twice(
    client: TelegramClient, faults: Faults, seed: int
) -> None:
    faults.chaos(every=8, seed=seed, kinds=["drop", "repeat", "reorder"])
    for number in range(40):
        await send(client, str(number))
    assert faults.injected
    assert await texts(client) == [str(number) for number in range(40)]


def test_chaos_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="choose from drop, lose, repeat, reorder, push"):
        Faults().chaos(kinds=["burn"])
    with pytest.raises(ValueError, match="give 1 or more"):
        Faults().chaos(every=0)


def test_what_does_not_exist_cannot_fail() -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=r"'messages.sendMesage'; did you mean messages.sendMes"):
        faults.flood_wait("messages.sendMesage", 3)
    with pytest.raises(ValueError, match=r"'messages.SendMessage'; did you mean messages.sendM"):
        faults.bad_msg(64, "messages.SendMessage")
    with pytest.raises(ValueError, match=r"fits the pattern 'massages.\*'"):
        faults.timeout("massages.*")
    with pytest.raises(ValueError, match="no method has the name 'updateNewMessage'"):
        faults.timeout("updateNewMessage")
    with pytest.raises(ValueError, match="no update has the name 'newMessage'"):
        faults.lose_updates("newMessage")
    with pytest.raises(ValueError, match=r"update: no update has the name 'messages.sendM"):
        faults.repeat_updates("messages.sendMessage")
    faults.timeout("messages.s?nd*")
    faults.lose_updates("update*Message")
    assert len(faults.waiting) == 2


class TestPushes:
    """E25: what happens to updates on their way; the account's other session is told."""

    @pytest.fixture
    async def told(
        self, server: Server, client: TelegramClient
    ) -> AsyncIterator[list[api.TypeUpdates]]:
        other = TelegramClient(StringSession(""), 1, "any", server=server)
        told: list[api.TypeUpdates] = []
        async with other:
            await other.start(phone="9996620001", code="22222")
            other.on_update(told.append)
            await other.invoke(api.updates.GetState())
            yield told
            self.other = other

    async def heard(self, client: TelegramClient, told: list[Any], count: int) -> list[str]:
        for _ in range(1000):
            if len(told) >= count:
                break
            await client.invoke(api.help.GetNearestDc())
        return [
            item.message.message if not isinstance(update, api.UpdatesTooLong) else "too long"
            for update in told
            for item in getattr(update, "updates", [None])
        ]

    async def test_lost(self, client: TelegramClient, faults: Faults, told: list[Any]) -> None:
        faults.lose_updates()
        await send(client, "one")
        await send(client, "two")
        assert await self.heard(client, told, 1) == ["two"]
        assert told[0].updates[0].pts - 1 > 2  # a gap

    async def test_repeated(self, client: TelegramClient, faults: Faults, told: list[Any]) -> None:
        faults.repeat_updates()
        await send(client, "one")
        assert await self.heard(client, told, 2) == ["one", "one"]

    async def test_held(self, client: TelegramClient, faults: Faults, told: list[Any]) -> None:
        faults.hold_updates()
        await send(client, "one")
        await send(client, "two")
        assert await self.heard(client, told, 1) == ["two"]
        faults.release_updates()
        assert await self.heard(client, told, 2) == ["two", "one"]

    async def test_too_long(self, client: TelegramClient, faults: Faults, told: list[Any]) -> None:
        faults.updates_too_long()
        await send(client, "one")
        assert await self.heard(client, told, 1) == ["too long"]
