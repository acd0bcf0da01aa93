"""Many clients in one process: each for itself, not all at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from radiogram import ClientPool, TelegramClient, errors, events
from radiogram.client.many import connect
from radiogram.tl import api
from tests.client.fake import FakeServer, known_session, make_client, refused

STATE = api.updates.State(pts=1, qts=0, date=1, seq=0, unread_count=0)
COUNT = 6


def ordinary(request: Any) -> Any:
    if isinstance(request, api.updates.GetState):
        return STATE
    if isinstance(request, api.help.GetNearestDc):
        return api.NearestDc(country="", this_dc=2, nearest_dc=2)
    return None


class Party:
    """Clients, each with a server of its own."""

    def __init__(self, count: int = COUNT) -> None:
        self.servers = [FakeServer() for _ in range(count)]
        self.clients = [self.make(server) for server in self.servers]

    def make(self, server: FakeServer) -> TelegramClient:
        server.answer = ordinary
        session = known_session()
        session.data = replace(session.data, user_id=7)
        return make_client(server, session)


async def test_all_start_and_stop() -> None:
    party = Party()
    pool = ClientPool(party.clients)
    assert len(pool) == COUNT
    assert not pool.running
    async with pool as same:
        assert same is pool
        assert list(pool) == pool.running == party.clients
        assert party.clients[0] in pool
        assert repr(pool) == f"<ClientPool of {COUNT}, {COUNT} running>"
    assert not pool.running
    assert len(pool) == COUNT


async def test_one_that_fails_stops_no_other_and_can_be_tried_again() -> None:
    party = Party()
    broken = party.clients[2]
    party.servers[2].failures = [refused()]
    async with ClientPool(party.clients) as pool:
        assert pool.running == [one for one in party.clients if one is not broken]
        assert isinstance(pool.failures[broken], errors.ConnectionFailed)
        assert await pool.start() == {}
        assert pool.running == party.clients


async def test_not_more_than_so_many_start_at_once() -> None:
    party = Party()
    starting = most = 0

    async def start(client: TelegramClient) -> None:
        nonlocal starting, most
        starting += 1
        most = max(most, starting)
        await asyncio.sleep(0)
        await client.connect()
        starting -= 1

    async with ClientPool(party.clients, at_once=2, start=start) as pool:
        assert len(pool.running) == COUNT
    assert most == 2


async def test_nobody_signed_in_is_a_failure_that_says_what_to_do() -> None:
    client = make_client(FakeServer())
    async with ClientPool([client]) as pool:
        assert "give the pool a `start=` function" in str(pool.failures[client])
        assert not pool.running


async def test_each_gives_results_in_order_and_errors_in_their_place() -> None:
    party = Party()
    party.servers[1].answer = lambda request: (
        (400, "PEER_ID_INVALID")
        if isinstance(request, api.help.GetNearestDc)
        else ordinary(request)
    )
    async with ClientPool(party.clients) as pool:
        results = await pool.each(lambda client: client.invoke(api.help.GetNearestDc()))
    assert [result.client for result in results] == party.clients
    assert isinstance(results[1].error, errors.PeerIdInvalid)
    assert results[1].value is None
    others = [result for result in results if result.client is not party.clients[1]]
    assert all(result.value is not None and result.error is None for result in others)


async def test_handlers_are_for_those_who_come_later_too() -> None:
    party = Party()
    pool = ClientPool(party.clients[:1])
    heard: list[TelegramClient] = []

    @pool.on(events.Raw(types=[api.UpdateUserStatus]))
    async def note(event: events.Event) -> None:
        heard.append(event.client)

    pool.add(party.clients[1])
    status = api.UpdateUserStatus(user_id=1, status=api.UserStatusRecently())
    async with pool:
        for server in party.servers[:2]:
            server.push(api.UpdateShort(update=status, date=1))
        for _ in range(1000):
            await asyncio.sleep(0)
            if len(heard) == 2:
                break
        assert heard == party.clients[:2]


async def test_clients_come_and_go() -> None:
    party = Party()
    async with ClientPool(party.clients[:2]) as pool:
        late = pool.add(party.clients[2])
        assert late not in pool.running
        await pool.start()
        assert late in pool.running
        await pool.remove(late)
        assert late not in pool
        assert not late.is_connected
        with pytest.raises(errors.ClientError, match="not in this pool"):
            await pool.remove(late)
        with pytest.raises(errors.ClientError, match="add each client once"):
            pool.add(party.clients[0])


async def test_a_start_that_is_cancelled_leaves_nobody_running() -> None:
    party = Party()
    party.servers[3].answer = lambda _request: None

    async def enter() -> None:
        async with ClientPool(party.clients):
            raise AssertionError("one of them has no answer")

    entering = asyncio.create_task(enter())
    for _ in range(1000):
        await asyncio.sleep(0)
        if any(client.is_connected for client in party.clients):
            break
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert not any(client.is_connected for client in party.clients)


@pytest.mark.parametrize("wrong", [0, -1, True, "many"])
def test_a_number_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(errors.ClientError, match="at_once"):
        ClientPool(at_once=wrong)


async def test_connect_is_what_starts_a_client() -> None:
    party = Party(1)
    await connect(party.clients[0])
    assert party.clients[0].is_connected
    await party.clients[0].disconnect()


def test_only_clients_are_taken() -> None:
    for wrong in ("session", 1, None):
        with pytest.raises(errors.ClientError, match=f"takes clients, not {type(wrong).__name__}"):
            ClientPool([wrong])  # type: ignore[list-item]
