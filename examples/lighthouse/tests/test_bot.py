"""The bot at work, against a Telegram server that lives as long as one test."""

from __future__ import annotations

import pytest
from lighthouse import Lighthouse


@pytest.fixture
def keeper(make_user):
    return make_user("Keeper", username="the_keeper")


@pytest.fixture
async def bot(make_bot, make_client, keeper):
    """The program, running."""
    account = make_bot("Lighthouse", username="lighthouse_bot")
    bot = Lighthouse(await make_client(account), keeper.id)
    await bot.client.updates.started()
    return bot


async def say(client, text):
    """Write to the bot, and give what it answers."""
    async with client.conversation("@lighthouse_bot", timeout=5) as talk:
        await talk.send(text)
        return (await talk.answer()).text


async def test_readers_sign_up_and_off(bot, client):
    me = await client.get_me()
    assert await say(client, "/start") == "You will see the light."
    assert bot.readers == {me.id}
    assert await say(client, "/stop") == "Good bye."
    assert bot.readers == set()


async def test_the_keepers_words_reach_the_readers(bot, client, make_client, keeper):
    await say(client, "/start")
    words = await make_client(keeper)
    async with client.conversation("@lighthouse_bot", timeout=5) as talk:
        await words.send_message("@lighthouse_bot", "Storm ahead")
        assert (await talk.answer()).text == "Storm ahead"


async def test_a_flood_wait_delays_and_loses_nothing(
    bot, client, make_client, keeper, faults, clock
):
    await say(client, "/start")
    words = await make_client(keeper)
    faults.flood_wait(
        "messages.sendMessage", seconds=30, times=2, when=lambda call: call.message == "Fog"
    )
    before = clock.now()
    async with client.conversation("@lighthouse_bot", timeout=5) as talk:
        await words.send_message("@lighthouse_bot", "Fog")
        assert (await talk.answer()).text == "Fog"
    assert clock.now() - before >= 60
    assert faults.count("error", "FLOOD_WAIT_30*") == 2


async def test_it_goes_on_after_a_restart_of_the_server(bot, client, telegram_server):
    await say(client, "/start")
    telegram_server.restart()
    assert await say(client, "/stop") == "Good bye."
