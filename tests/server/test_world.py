"""Accounts made by a program or a file, and calls in process."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from radiogram.server import accounts, passwords
from radiogram.server.account_fields import WorldError
from radiogram.server.db import open_database
from radiogram.server.rpc import RpcFault
from radiogram.server.world import World
from radiogram.tl import api
from radiogram.tl.build import registry

from .stage import Stage, fault


def make_world(database: str | None = None) -> World:
    return World(db=open_database(database), dc_id=2, seed=7)


@pytest.fixture
def world(stage: Stage) -> World:
    return stage.world


# ------------------------------------------------------------------ by call


def test_add_user(world: World) -> None:
    account = world.add_user("+49 (151) 1234-5678", " Joe ", "Doe", username="@joe_doe")
    assert (account.phone, account.first_name, account.username) == (
        "4915112345678",
        "Joe",
        "joe_doe",
    )
    (user,) = world.call(account.id, api.users.GetUsers(id=[api.InputUserSelf()]))
    assert (user.last_name, user.phone) == ("Doe", "4915112345678")


def test_ids_look_real_and_repeat(stage: Stage) -> None:
    ids = [stage.ann, stage.bob, stage.eve, stage.bot, stage.bot2]
    assert len(set(ids)) == 5
    assert all(5_000_000_000 < number < 6_000_000_000 for number in ids)
    assert ids == sorted(ids)
    assert all(after - before > 1 for before, after in pairwise(ids))
    other = make_world()
    assert other.add_user("1234567", "A").id == stage.ann
    other.db.close()


def test_a_seed_makes_everything_repeatable() -> None:
    worlds = [make_world(), make_world()]
    tokens = {world.add_bot("B", "bot_bot").token for world in worlds}
    assert len(tokens) == 1
    for world in worlds:
        world.db.close()


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"phone": "12"}, "phone: '12' is not a number"),
        ({"phone": "9996621111"}, "phone: 9996621111 has an account already"),
        ({"first_name": " "}, "first_name"),
        ({"username": "x"}, "username: 'x' is not allowed"),
        ({"username": "Annie"}, "username: 'Annie' is taken"),
        ({"code": "12a"}, "code: '12a' is not a login code"),
    ],
)
def test_add_user_refusals(world: World, fields: dict[str, str], complaint: str) -> None:
    values = {"phone": "1234567", "first_name": "Joe", **fields}
    with pytest.raises(WorldError, match=complaint):
        world.add_user(**values)


def test_add_bot(world: World) -> None:
    given = world.add_bot("Known", "known_bot", token=f"777:{'A' * 35}")
    assert (given.id, given.token) == (777, f"777:{'A' * 35}")
    made = world.add_bot("Made")
    assert made.token is not None
    assert made.token.startswith(f"{made.id}:")
    with pytest.raises(WorldError, match="token: the id 777 is taken"):
        world.add_bot("Again", token=f"777:{'B' * 35}")
    with pytest.raises(WorldError, match="token: 'x' is no bot token"):
        world.add_bot("Bad", token="x")


# ------------------------------------------------------------------ by file

TOML = """
[[users]]
phone = "+999 66 2 0001"
first_name = "Alice"
last_name = "A."
username = "alice_w"
code = "1234"

[[users]]
phone = 9996620002
first_name = "Bob"

[[bots]]
name = "Helper"
username = "helper_bot"
token = "555:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""


def test_load_toml(world: World, tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_text(TOML)
    alice, bob, helper = world.load_toml(path)
    assert (alice.phone, alice.username) == ("9996620001", "alice_w")
    assert world.login_code("9996620001") == "1234"
    assert (bob.phone, bob.username) == ("9996620002", None)
    assert (helper.id, helper.token) == (555, f"555:{'A' * 35}")
    found = world.call(bob.id, api.contacts.ResolveUsername(username="helper_bot"))
    assert found.users[0].bot


def test_the_same_file_can_be_loaded_again(world: World, tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_text(TOML)
    first = world.load_toml(path)
    path.write_text(TOML.replace("alice_w", "alice_x").replace("Helper", "Helped"))
    second = world.load_toml(path)
    assert [one.id for one in first] == [one.id for one in second]
    assert (second[0].username, second[2].first_name) == ("alice_x", "Helped")
    (user,) = world.call(second[0].id, api.users.GetUsers(id=[api.InputUserSelf()]))
    assert user.username == "alice_x"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[users", "not valid TOML"),
        ("[[groups]]\ntitle = 'x'", "unknown table 'groups'"),
        ("[users]\nphone = '1234567'", r"users: write \[\[users\]\] with double brackets"),
        ("users = [1]", r"\[\[users\]\] entry 1: not a table"),
        ("[[users]]\nfirst_name = 'x'", r"\[\[users\]\] entry 1: phone: missing; add a line"),
        ("[[users]]\nphone = '1234567'", r"entry 1: first_name: missing"),
        (
            "[[users]]\nphone = '1234567'\nfirst_name = 'x'\nage = '3'",
            "entry 1: age: unknown field; known are phone",
        ),
        (
            "[[users]]\nphone = '1234567'\nfirst_name = true",
            "entry 1: first_name: not a text; put it in quotes",
        ),
        (
            "[[bots]]\nname = 'x'\n[[users]]\nphone = 'abc'\nfirst_name = 'y'",
            "entry 1: phone: 'abc' is not a number",
        ),
        (
            "[[users]]\nphone = '1234567'\nfirst_name = 'x'\nusername = 'annie'",
            "entry 1: username: 'annie' is taken",
        ),
        ("[[bots]]\nusername = 'abc_bot'", "entry 1: name: missing"),
        ("[[bots]]\nname = 'x'\ntoken = '1:2'", "entry 1: token: '1:2' is no bot token"),
        ("[[bots]]\nname = 'x'\nusername = 'annie'", "entry 1: a user has that id or username"),
    ],
)
def test_files_that_cannot_be_used(world: World, tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(WorldError, match=complaint) as caught:
        world.load_toml(path)
    assert str(caught.value).startswith(str(path))
    with world.db.begin() as tx:
        assert accounts.by_phone(tx, "1234567") is None, "nothing of the file was kept"


def test_a_file_that_cannot_be_read(world: World, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="cannot be read"):
        world.load_toml(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorldError, match="not UTF-8"):
        world.load_toml(binary)


# ------------------------------------------------------------------ calls


def test_calls_in_process_take_the_way_of_all_calls(stage: Stage) -> None:
    older: Any = registry(198)
    request = older.get("users.getFullUser")(id=api.InputUserSelf())
    found = stage.world.call(stage.ann, request, layer=198)
    assert type(found.full_user) is older.get("userFull")
    with pytest.raises(RpcFault, match="401 AUTH_KEY_UNREGISTERED"):
        stage.world.call(0, api.updates.GetState())
    with pytest.raises(WorldError, match="there is no account 99"):
        stage.world.call(99, api.updates.GetState())


def test_accounts_stay_in_the_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    first = make_world(url)
    account = first.add_user("1234567", "Joe")
    first.db.close()
    second = make_world(url)
    (user,) = second.call(account.id, api.users.GetUsers(id=[api.InputUserSelf()]))
    assert user.first_name == "Joe"
    second.db.close()


# ------------------------------------------------------------------ what Telegram does to accounts


def test_b4_a_limited_account_may_not_write_in_channels(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    stage.world.limit_account(stage.bob)
    with fault("USER_BANNED_IN_CHANNEL"):
        stage.send(stage.bob, room)
    stage.send(stage.bob, stage.ann)
    stage.world.limit_account(stage.bob, limited=False)
    stage.send(stage.bob, room)


def test_b4_a_deleted_account_gets_nothing_more(stage: Stage) -> None:
    number = stage.send(stage.ann, stage.bob)
    stage.world.delete_account(stage.bob)
    with fault("INPUT_USER_DEACTIVATED"):
        stage.pin(stage.ann, stage.bob, number)
    (shown,) = stage.call(
        stage.ann, api.users.GetUsers(id=[stage.input_user(stage.ann, stage.bob)])
    )
    assert (shown.deleted, shown.first_name, shown.phone) == (True, None, None)
    stage.world.add_user("9996622222", "Somebody else")


def test_b2_1_pins_can_be_forbidden_in_one_chat(stage: Stage) -> None:
    number = stage.send(stage.ann, stage.bob)
    stage.world.forbid_pins(stage.ann, stage.bob)
    with fault("PIN_RESTRICTED"):
        stage.pin(stage.ann, stage.bob, number)
    full = stage.call(stage.ann, api.users.GetFullUser(id=stage.input_user(stage.ann, stage.bob)))
    assert not full.full_user.can_pin_message
    stage.pin(stage.bob, stage.ann, 1)
    stage.world.forbid_pins(stage.ann, stage.bob, forbidden=False)
    stage.pin(stage.ann, stage.bob, number, pm_oneside=True, unpin=True)


def test_accounts_that_do_not_exist(stage: Stage) -> None:
    for call in (stage.world.limit_account, stage.world.delete_account):
        with pytest.raises(WorldError, match="add_user"):
            call(1)
    with pytest.raises(WorldError, match="add_user"):
        stage.world.forbid_pins(stage.ann, 1)


def test_passwords_in_a_world_file(world: World, tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    entry = '[[users]]\nphone = "9996620001"\nfirst_name = "Ann"\npassword = "secret"\n'
    path.write_text(entry + 'password_hint = "no secret"\npassword_email = "ann@example.com"\n')
    (ann,) = world.load_toml(path)
    with world.db.begin() as tx:
        first = passwords.load(tx, ann.id)
    assert first is not None
    assert (first.hint, first.email) == ("no secret", "ann@example.com")
    path.write_text(entry)
    world.load_toml(path)
    with world.db.begin() as tx:
        second = passwords.load(tx, ann.id)
    assert second is not None
    assert (second.verifier, second.version) == (first.verifier, first.version), "it is the same"
    assert (second.hint, second.email) == ("", None)
    path.write_text(entry + 'password_email = "nowhere"\n')
    with pytest.raises(
        WorldError, match=r"entry 1: password_email: 'nowhere' is no address; write one"
    ):
        world.load_toml(path)
    with pytest.raises(WorldError, match="no account 7"):
        world.set_password(7, "x")
