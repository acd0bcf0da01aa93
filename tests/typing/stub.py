"""What type checkers see in tests with a scripted client; read by mypy and pyright, never run."""

from __future__ import annotations

from typing import Any, assert_type

from radiogram import TelegramClient, api
from radiogram.testing import ClientMaker, Expectation, StubTelegram, TelegramServer


async def expectations(client: StubTelegram) -> None:
    expected = client.expect(api.help.GetNearestDc)
    assert_type(expected, Expectation[api.NearestDc])
    expected.answer(api.NearestDc(country="DE", this_dc=2, nearest_dc=2)).times(2)
    client.expect(api.account.CheckUsername).answer(lambda call: call.username == "free")
    client.expect(api.account.CheckUsername).answer(True)
    assert_type(client.expect("help.getConfig"), Expectation[Any])
    assert_type(await client(api.help.GetNearestDc()), api.NearestDc)


async def mistakes(client: StubTelegram) -> None:
    client.expect(api.help.GetNearestDc).answer(True)  # type: ignore[arg-type]
    client.expect(api.InputPeerSelf)  # type: ignore[arg-type]


async def stands_in(client: StubTelegram) -> TelegramClient:
    return client


async def fixtures(telegram_server: TelegramServer, make_client: ClientMaker) -> None:
    ada = telegram_server.make_user("Ada")
    assert_type(telegram_server.call(ada, api.help.GetNearestDc()), api.NearestDc)
    assert_type(await make_client(ada), TelegramClient)
    telegram_server.clock.advance(3600)
    telegram_server.faults.flood_wait("messages.*", seconds=30)
    call = await telegram_server.wait_for_call("messages.*", by=ada)
    assert_type(call.user_id, int)
