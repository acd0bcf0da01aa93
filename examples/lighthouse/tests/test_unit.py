"""One function of the bot, with a client that is scripted."""

from __future__ import annotations

from lighthouse import broadcast

from radiogram import api
from radiogram.testing import StubTelegram


async def test_who_has_blocked_the_bot_is_told():
    with StubTelegram() as client:
        client.expect(api.messages.SendMessage, peer=1, message="news")
        client.expect(api.messages.SendMessage, peer=2).error(403, "USER_IS_BLOCKED")
        client.expect(api.messages.SendMessage, peer=3)
        assert await broadcast(client, [1, 2, 3], "news") == [2]
