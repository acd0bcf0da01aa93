"""account.*: profile, username, status (C2)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server.rpc import RpcFault
from radiogram.tl import api

from .stage import NOON, Stage


def refused(stage: Stage, request: Any, who: int | None = None) -> str:
    with pytest.raises(RpcFault) as caught:
        stage.call(who or stage.ann, request)
    assert caught.value.code == 400
    return caught.value.message


def me(stage: Stage, who: int) -> Any:
    return stage.call(who, api.users.GetUsers(id=[api.InputUserSelf()]))[0]


# ------------------------------------------------------------------ usernames


@pytest.mark.parametrize(
    "username", ["abcd", "x" * 33, "1abcd", "_abcd", "abc-d", "abc d", "\u00e4bcdef", "abcde\n"]
)
def test_usernames_that_are_none(stage: Stage, username: str) -> None:
    assert refused(stage, api.account.CheckUsername(username=username)) == "USERNAME_INVALID"
    assert refused(stage, api.account.UpdateUsername(username=username)) == "USERNAME_INVALID"


def test_check_username(stage: Stage) -> None:
    def free(who: int, username: str) -> bool:
        return bool(stage.call(who, api.account.CheckUsername(username=username)))

    assert free(stage.bob, "bobby")
    assert not free(stage.bob, "annie")
    assert not free(stage.bob, "ANNIE")
    assert not free(stage.bob, "botty_bot")
    assert free(stage.ann, "Annie"), "one's own name is not taken"
    assert refused(stage, api.account.CheckUsername(username="")) == "USERNAME_INVALID"


def test_update_username(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann)
    user = stage.call(stage.ann, api.account.UpdateUsername(username="ann_new"))
    assert (user.username, user.self) == ("ann_new", True)
    assert stage.pushed_to() == {stage.ann, stage.bob}, "her sessions and who has a chat with her"
    (news,) = stage.pushes(stage.bob)
    assert news == api.UpdateUserName(
        user_id=stage.ann,
        first_name="Ann",
        last_name="",
        usernames=[api.Username(username="ann_new", editable=True, active=True)],
    )
    found = stage.call(stage.eve, api.contacts.ResolveUsername(username="ANN_new"))
    assert found.peer == api.PeerUser(user_id=stage.ann)
    assert refused(stage, api.contacts.ResolveUsername(username="annie")) == "USERNAME_NOT_OCCUPIED"


def test_update_username_refusals(stage: Stage) -> None:
    def update(name: str) -> Any:
        return api.account.UpdateUsername(username=name)

    assert refused(stage, update("annie")) == "USERNAME_NOT_MODIFIED"
    assert refused(stage, update("Botty_Bot")) == "USERNAME_OCCUPIED"
    assert stage.call(stage.ann, update("ANNIE")).username == "ANNIE", "only the case changes"
    assert stage.call(stage.ann, update("")).username is None
    assert refused(stage, update("")) == "USERNAME_NOT_MODIFIED"
    assert stage.call(stage.bob, update("annie")).username == "annie"


# ------------------------------------------------------------------ profile


def test_update_profile(stage: Stage) -> None:
    request = api.account.UpdateProfile(first_name=" Anna ", last_name="B.", about=" hello ")
    user = stage.call(stage.ann, request)
    assert (user.first_name, user.last_name) == ("Anna", "B.")
    full = stage.call(stage.ann, api.users.GetFullUser(id=api.InputUserSelf()))
    assert full.full_user.about == "hello"
    assert isinstance(stage.world.pushed, object)
    stage.call(stage.ann, api.account.UpdateProfile(last_name=""))
    assert (me(stage, stage.ann).first_name, me(stage, stage.ann).last_name) == ("Anna", None)


def test_what_changes_decides_who_hears_of_it(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann)
    stage.call(stage.ann, api.account.UpdateProfile(first_name="Anna"))
    assert isinstance(stage.pushes(stage.bob)[0], api.UpdateUserName)
    stage.call(stage.ann, api.account.UpdateProfile(about="new"))
    assert stage.pushes(stage.bob) == [api.UpdateUser(user_id=stage.ann)]
    stage.call(stage.ann, api.account.UpdateProfile(about="new", first_name="Anna"))
    assert not stage.pushed_to(), "nothing has changed"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"first_name": ""}, "FIRSTNAME_INVALID"),
        ({"first_name": "x" * 65}, "FIRSTNAME_INVALID"),
        ({"last_name": "x" * 65}, "LASTNAME_INVALID"),
        ({"about": "x" * 71}, "ABOUT_TOO_LONG"),
    ],
)
def test_update_profile_refusals(stage: Stage, fields: dict[str, str], error: str) -> None:
    assert refused(stage, api.account.UpdateProfile(**fields)) == error


# ------------------------------------------------------------------ status


def test_update_status(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann)
    stage.call(stage.ann, api.account.UpdateStatus(offline=False))
    (push,) = stage.world.pushed
    assert (push.user_id, push.updates) == (
        stage.bob,
        api.UpdateShort(
            update=api.UpdateUserStatus(
                user_id=stage.ann, status=api.UserStatusOnline(expires=NOON + 300)
            ),
            date=NOON,
        ),
    )
    seen = [stage.input_user(stage.bob, stage.ann)]
    assert stage.call(stage.bob, api.users.GetUsers(id=seen))[0].status == api.UserStatusOnline(
        expires=NOON + 300
    )
    stage.call(stage.ann, api.account.UpdateStatus(offline=True))
    assert stage.call(stage.bob, api.users.GetUsers(id=seen))[0].status == api.UserStatusOffline(
        was_online=NOON
    )
