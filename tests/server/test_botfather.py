"""BotFather: bots and tokens made by writing to an account (D8)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from radiogram.server import Server
from radiogram.server.botfather import BOTFATHER_ID
from radiogram.server.rpc import RpcFault
from radiogram.tl import api

from .keyed import Keyed
from .raw import RawClient
from .stage import Stage

TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{35}")


def say(stage: Stage, text: str, who: int | None = None) -> api.Message:
    """Write to BotFather, and return what it answers."""
    user_id = who or stage.ann
    found = stage.world.call(user_id, api.contacts.ResolveUsername(username="BotFather"))
    peer = api.InputPeerUser(user_id=BOTFATHER_ID, access_hash=found.users[0].access_hash)
    stage.world.call(
        user_id,
        api.messages.SendMessage(
            peer=peer, message=text, random_id=int.from_bytes(stage.world.random(8), "little") >> 1
        ),
    )
    history = stage.world.call(
        user_id,
        api.messages.GetHistory(
            peer=peer, offset_id=0, offset_date=0, add_offset=0, limit=1, max_id=0, min_id=0, hash=0
        ),
    )
    (answer,) = history.messages
    assert not answer.out
    return answer


def make(stage: Stage, name: str, username: str, who: int | None = None) -> str:
    say(stage, "/newbot", who)
    say(stage, name, who)
    return TOKEN.findall(say(stage, username, who).message)[0]


def log_in(stage: Stage, token: str) -> Any:
    device = Keyed(stage.world)
    request = api.auth.ImportBotAuthorization(flags=0, api_id=1, api_hash="x", bot_auth_token=token)
    return device, device.call(request).user


def test_a_bot_is_made(stage: Stage) -> None:
    assert "/newbot" in say(stage, "/start").message
    token = make(stage, "Plant  Care", "@PlantCareBot")
    _, user = log_in(stage, token)
    assert (user.first_name, user.username, user.bot) == ("Plant Care", "PlantCareBot", True)
    assert token.startswith(f"{user.id}:")
    assert "@PlantCareBot - Plant Care" in say(stage, "/mybots").message
    assert "no bots" in say(stage, "/mybots", stage.bob).message


def test_the_token_is_marked(stage: Stage) -> None:
    make(stage, "Plant", "PlantCareBot")
    answer = say(stage, "/token @plantcarebot")
    (entity,) = [one for one in answer.entities if isinstance(one, api.MessageEntityCode)]
    marked = answer.message[entity.offset : entity.offset + entity.length]
    assert TOKEN.fullmatch(marked)


@pytest.mark.parametrize(
    ("username", "reason"),
    [
        ("bot", "5 to 32"),
        ("1plantbot", "begins with a letter"),
        ("plant-bot", "letters, digits"),
        ("x" * 30 + "bot", "5 to 32"),
        ("plantcare", "ends in `bot`"),
        ("botty_bot", "already"),
        ("BOTTY_BOT", "already"),
    ],
)
def test_usernames_of_bots(stage: Stage, username: str, reason: str) -> None:
    say(stage, "/newbot")
    say(stage, "Plant")
    assert reason in say(stage, username).message
    assert TOKEN.search(say(stage, "fine_bot").message), "one may try again"


def test_names_of_bots(stage: Stage) -> None:
    say(stage, "/newbot")
    assert "1 to 64" in say(stage, "x" * 65).message
    assert "username" in say(stage, "Plant").message


def test_a_revoked_token_is_expired(stage: Stage) -> None:
    """C1: ACCESS_TOKEN_EXPIRED; the sessions of the bot end."""
    old = make(stage, "Plant", "plant_bot")
    make(stage, "Other", "other_bot")
    device, bot = log_in(stage, old)
    asked = say(stage, "/revoke")
    rows = [button.text for row in asked.reply_markup.rows for button in row.buttons]
    assert rows == ["@plant_bot", "@other_bot"]
    assert "none of your bots" in say(stage, "@botty_bot").message
    new = TOKEN.findall(say(stage, "@plant_bot").message)[0]
    assert new != old
    with pytest.raises(RpcFault, match="401 SESSION_REVOKED"):
        device.call(api.updates.GetState())
    with pytest.raises(RpcFault, match="400 ACCESS_TOKEN_EXPIRED"):
        log_in(stage, old)
    assert log_in(stage, new)[1].id == bot.id


def test_talks_can_be_dropped(stage: Stage) -> None:
    assert "nothing" in say(stage, "/cancel").message
    say(stage, "/newbot")
    assert say(stage, "/cancel").message == "Dropped."
    assert "do not know" in say(stage, "Plant").message
    assert "no bots" in say(stage, "/token").message


def test_bots_of_one_owner_are_limited(make_stage: Any) -> None:
    stage = make_stage(bots_per_owner=1)
    make(stage, "Plant", "plant_bot")
    assert "more than that nobody" in say(stage, "/newbot").message


def test_nobody_logs_in_as_botfather(stage: Stage) -> None:
    with pytest.raises(RpcFault, match="ACCESS_TOKEN_INVALID"):
        log_in(stage, f"{BOTFATHER_ID}:{'A' * 35}")


async def test_over_the_wire_the_answer_follows_the_result() -> None:
    """C0.3: the answer is a push of its own, with the pts after the caller's message."""
    async with Server() as server:
        server.world.add_user("9996620001", "Ann")
        client = await RawClient.start(server)
        await client.log_in("9996620001")
        found = await client.call(api.contacts.ResolveUsername(username="botfather"))
        (father,) = found.users
        peer = api.InputPeerUser(user_id=father.id, access_hash=father.access_hash)
        before = await client.call(api.updates.GetState())
        client.pushed.clear()
        sent = await client.call(
            api.messages.SendMessage(peer=peer, message="/newbot", random_id=1)
        )
        assert not client.pushed
        push = await client.next_push()
        assert (sent.pts, push.updates[0].pts) == (before.pts + 1, before.pts + 2)
        assert "name" in push.updates[0].message.message
        await client.close()
