"""users.*: what an account looks like to another (C2, C0.1)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server.rpc import RpcFault
from radiogram.tl import api

from .stage import Stage


def refused(stage: Stage, who: int, request: Any) -> str:
    with pytest.raises(RpcFault) as caught:
        stage.call(who, request)
    return caught.value.message


def test_get_users(stage: Stage) -> None:
    found = stage.call(
        stage.ann,
        api.users.GetUsers(
            id=[
                stage.input_user(stage.ann, stage.bob),
                api.InputUserSelf(),
                stage.input_user(stage.ann, stage.bot),
                api.InputUser(user_id=12345, access_hash=1),
                api.InputUserEmpty(),
            ]
        ),
    )
    assert [user.id for user in found] == [stage.bob, stage.ann, stage.bot, 12345, 0]
    bob, ann, bot, *unknown = found
    assert (bob.self, ann.self, bot.bot) == (False, True, True)
    assert (bob.phone, ann.phone, bot.bot_info_version) == (None, "9996621111", 1)
    assert [type(user) for user in unknown] == [api.UserEmpty, api.UserEmpty]


def test_c0_1_1_access_hashes_are_per_viewer(stage: Stage) -> None:
    of_ann = stage.hash_of(stage.ann, stage.bob)
    assert of_ann != stage.hash_of(stage.eve, stage.bob)
    stolen = api.InputUser(user_id=stage.bob, access_hash=of_ann)
    assert refused(stage, stage.eve, api.users.GetUsers(id=[stolen])) == "USER_ID_INVALID"
    assert refused(stage, stage.eve, api.users.GetFullUser(id=stolen)) == "USER_ID_INVALID"


def test_get_users_is_bounded(stage: Stage) -> None:
    request = api.users.GetUsers(id=[api.InputUserSelf()] * 201)
    assert refused(stage, stage.ann, request) == "LIMIT_INVALID"


def test_get_full_user_of_oneself(stage: Stage) -> None:
    found = stage.call(stage.ann, api.users.GetFullUser(id=api.InputUserSelf()))
    assert found.full_user.id == stage.ann
    assert found.full_user.settings == api.PeerSettings()
    assert found.full_user.can_pin_message
    assert [user.id for user in found.users] == [stage.ann]


def test_get_full_user_of_a_stranger_a_contact_and_a_bot(stage: Stage) -> None:
    bob = stage.input_user(stage.ann, stage.bob)
    full = stage.call(stage.ann, api.users.GetFullUser(id=bob)).full_user
    assert full.settings == api.PeerSettings(add_contact=True, block_contact=True)
    assert (full.bot_info, full.blocked, full.pinned_msg_id) == (None, False, None)

    stage.call(
        stage.ann,
        api.contacts.AddContact(id=bob, first_name="Bobby", last_name="", phone=""),
    )
    assert stage.call(stage.ann, api.users.GetFullUser(id=bob)).full_user.settings == (
        api.PeerSettings()
    )

    bot = stage.input_user(stage.ann, stage.bot)
    info = stage.call(stage.ann, api.users.GetFullUser(id=bot)).full_user.bot_info
    assert info.user_id == stage.bot


def test_get_full_user_names_the_pinned_message(stage: Stage) -> None:
    message_id = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, message_id)
    request = api.users.GetFullUser(id=stage.input_user(stage.ann, stage.bob))
    assert stage.call(stage.ann, request).full_user.pinned_msg_id == message_id


def test_get_full_user_shows_whom_one_has_blocked(stage: Stage) -> None:
    stage.call(stage.ann, api.contacts.Block(id=stage.input_peer(stage.ann, stage.bob)))
    request = api.users.GetFullUser(id=stage.input_user(stage.ann, stage.bob))
    assert stage.call(stage.ann, request).full_user.blocked
    mirrored = api.users.GetFullUser(id=stage.input_user(stage.bob, stage.ann))
    assert not stage.call(stage.bob, mirrored).full_user.blocked, "that is not told"


@pytest.mark.parametrize("who", [api.InputUserEmpty(), api.InputUser(user_id=1, access_hash=2)])
def test_get_full_user_of_nobody(stage: Stage, who: api.TypeInputUser) -> None:
    assert refused(stage, stage.ann, api.users.GetFullUser(id=who)) == "USER_ID_INVALID"
