"""Giving a group or channel to somebody else (C5, editCreator)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.tl import api

from .keyed import Keyed
from .stage import Stage, fault
from .two_step import proof, sign_in

pytestmark = pytest.mark.usefixtures("remembered_hashes")


def give(stage: Stage, device: Keyed, room: int, target: int, password: str = "pw") -> Any:
    return device.call(
        api.messages.EditChatCreator(
            peer=stage.input_peer(stage.ann, room),
            user_id=stage.input_user(stage.ann, target),
            password=proof(device, password),
        )
    )


@pytest.fixture
def device(stage: Stage) -> Keyed:
    device = Keyed(stage.world)
    sign_in(device)
    stage.world.set_password(stage.ann, "pw")
    return device


def test_a_group_is_given_away(stage: Stage, device: Keyed) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve, stage.bot)
    with fault("PASSWORD_HASH_INVALID"):
        give(stage, device, group, stage.bob, "wrong")
    for target in (stage.ann, stage.bot, stage.bot2):
        with fault("USER_ID_INVALID"):
            give(stage, device, group, target)
    result = give(stage, device, group, stage.bob)
    update = next(one for one in result.updates if isinstance(one, api.UpdateChatParticipants))
    kinds = {one.user_id: type(one).__name__ for one in update.participants.participants}
    assert (kinds[stage.ann], kinds[stage.bob], kinds[stage.eve]) == (
        "ChatParticipantAdmin",
        "ChatParticipantCreator",
        "ChatParticipant",
    )
    with fault("CHAT_ADMIN_REQUIRED"):
        give(stage, device, group, stage.eve)


def test_a_channel_is_given_away(stage: Stage, device: Keyed) -> None:
    room = stage.channel(stage.ann, stage.bob)
    with fault("USER_ID_INVALID"):
        give(stage, device, room, stage.eve)
    give(stage, device, room, stage.bob)
    found = stage.world.call(
        stage.bob,
        api.channels.GetChannels(
            id=[api.InputChannel(channel_id=room, access_hash=stage.channel_hash(stage.bob, room))]
        ),
    )
    assert found.chats[0].creator
    with fault("CHAT_ADMIN_REQUIRED"):
        give(stage, device, room, stage.bob)


def test_neither_password_nor_session_may_be_new(make_stage: Any) -> None:
    """C5: PASSWORD_TOO_FRESH_X, SESSION_TOO_FRESH_X."""
    stage = make_stage(ownership_wait=100)
    device = Keyed(stage.world)
    sign_in(device)
    group = stage.group(stage.ann, stage.bob)
    stage.world.set_password(stage.ann, "pw")
    with fault("PASSWORD_TOO_FRESH_100"):
        give(stage, device, group, stage.bob)
    stage.world.clock.advance(100)
    other = Keyed(stage.world)
    with fault("SESSION_PASSWORD_NEEDED", 401):
        sign_in(other)
    other.call(api.auth.CheckPassword(password=proof(other, "pw")))
    with fault("SESSION_TOO_FRESH_100"):
        give(stage, other, group, stage.bob)
    assert give(stage, device, group, stage.bob)
