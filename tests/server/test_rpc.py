"""From the bytes of a call to the bytes of its result: wrappers, refusals, failures (A11, A12)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from radiogram.server import accounts, rpc
from radiogram.server.dispatch import NotYet
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.tl import api
from radiogram.tl.build import registry

from .keyed import Keyed
from .samples import make
from .stage import MakeStage, Stage

NEWEST = registry(api.LAYER)
CONFIG = NEWEST.encode(api.help.GetConfig())
STATE = NEWEST.encode(api.updates.GetState())


@pytest.fixture
def device(stage: Stage) -> Keyed:
    return Keyed(stage.world)


@pytest.fixture
def user(device: Keyed) -> Keyed:
    sent = device.send_code("9996621111")
    device.call(
        api.auth.SignIn(
            phone_number="9996621111", phone_code_hash=sent.phone_code_hash, phone_code="22222"
        )
    )
    return device


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Register a handler of a method that has none, for the time of one test."""
    monkeypatch.setattr(rpc, "HANDLERS", dict(rpc.HANDLERS))
    return lambda function, method=api.help.GetUserInfo, **who: handles(method, **who)(function)


def refused(device: Keyed, body: bytes) -> str:
    with pytest.raises(RpcFault) as caught:
        device.run(body)
    return f"{caught.value.code} {caught.value.message}"


USER_INFO = NEWEST.encode(api.help.GetUserInfo(user_id=api.InputUserSelf()))

# ------------------------------------------------------------------ introduction


def test_a12_3_nothing_before_init_connection(stage: Stage) -> None:
    device = Keyed(stage.world, initialise=False)
    assert refused(device, CONFIG) == "400 CONNECTION_NOT_INITED"
    only_layer = NEWEST.encode(api.InvokeWithLayer(layer=api.LAYER, query=CONFIG))
    assert refused(device, only_layer) == "400 CONNECTION_NOT_INITED"


def test_a12_3_can_be_switched_off(make_stage: MakeStage) -> None:
    device = Keyed(make_stage(require_init=False).world, initialise=False)
    assert NEWEST.decode(device.run(CONFIG)).this_dc == 2


def test_a12_1_both_are_remembered_for_the_key(stage: Stage) -> None:
    device = Keyed(stage.world, layer=198)
    assert registry(198).decode(device.run(registry(198).encode(api.help.GetConfig())))
    device.forget()
    again = stage.world.authorizations.get(device.key.key_id)
    assert again is not None
    assert (again.layer, again.device_model) == (198, "Keyed")


@pytest.mark.parametrize("layer", [0, -1, 132, api.LAYER + 1, 2**31 - 1])
def test_a12_1_unknown_layers(device: Keyed, layer: int) -> None:
    body = NEWEST.encode(api.InvokeWithLayer(layer=layer, query=CONFIG))
    assert refused(device, body) == "400 CONNECTION_LAYER_INVALID"


def test_a12_1_init_connection_needs_a_layer(stage: Stage) -> None:
    device = Keyed(stage.world, initialise=False)
    body = device.introduce(CONFIG)
    inner = NEWEST.decode_request(body)
    assert isinstance(inner, api.InvokeWithLayer)
    assert isinstance(inner.query, bytes)
    assert refused(device, inner.query) == "400 CONNECTION_LAYER_INVALID"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"api_id": 0}, "CONNECTION_API_ID_INVALID"),
        ({"api_id": -5}, "CONNECTION_API_ID_INVALID"),
        ({"device_model": " "}, "CONNECTION_DEVICE_MODEL_EMPTY"),
        ({"system_version": ""}, "CONNECTION_SYSTEM_EMPTY"),
        ({"app_version": ""}, "CONNECTION_APP_VERSION_EMPTY"),
        ({"lang_pack": "\x00"}, "CONNECTION_LANG_PACK_INVALID"),
    ],
)
def test_a12_2_checks(device: Keyed, change: dict[str, Any], error: str) -> None:
    assert refused(device, device.introduce(CONFIG, **change)) == f"400 {error}"


def test_a12_2_the_client_is_remembered_even_if_its_call_fails(stage: Stage) -> None:
    device = Keyed(stage.world, initialise=False)
    assert refused(device, device.introduce(STATE)) == "401 AUTH_KEY_UNREGISTERED"
    assert device.authorization.layer == api.LAYER


# ------------------------------------------------------------------ other wrappers


def test_a12_7_without_updates(device: Keyed) -> None:
    device.wants_updates = False
    device.run(NEWEST.encode(api.InvokeWithoutUpdates(query=CONFIG)))
    assert not device.wants_updates
    device.run(CONFIG)
    assert device.wants_updates


def test_a12_10_proofs_are_accepted(device: Keyed) -> None:
    for wrapper in (
        api.InvokeWithGooglePlayIntegrity(nonce="a", token="b", query=CONFIG),
        api.InvokeWithApnsSecret(nonce="a", secret="b", query=CONFIG),
        api.InvokeWithReCaptcha(token="a", query=CONFIG),
        api.InvokeWithMessagesRange(range=api.MessageRange(min_id=1, max_id=2), query=CONFIG),
    ):
        assert NEWEST.decode(device.run(NEWEST.encode(wrapper)))


def test_a12_8_takeout(device: Keyed) -> None:
    body = NEWEST.encode(api.InvokeWithTakeout(takeout_id=1, query=CONFIG))
    assert refused(device, body) == "400 TAKEOUT_INVALID"


def test_a12_9_business(user: Keyed) -> None:
    body = NEWEST.encode(api.InvokeWithBusinessConnection(connection_id="x", query=CONFIG))
    assert refused(user, body) == "400 BUSINESS_CONNECTION_NOT_ALLOWED"
    user.authorization.is_bot = True
    assert refused(user, body) == "400 BUSINESS_CONNECTION_INVALID"


@pytest.mark.parametrize(
    ("outcome", "error"), [("unknown", None), ("ok", None), ("failed", "MSG_WAIT_FAILED")]
)
def test_a12_5_invoke_after(
    device: Keyed, monkeypatch: pytest.MonkeyPatch, outcome: str, error: str | None
) -> None:
    monkeypatch.setattr(Keyed, "outcome", lambda self, msg_id: outcome if msg_id == 4 else "ok")
    for wrapper in (
        api.InvokeAfterMsg(msg_id=4, query=CONFIG),
        api.InvokeAfterMsgs(msg_ids=[8, 4], query=CONFIG),
    ):
        body = NEWEST.encode(wrapper)
        if error is None:
            assert device.run(body)
        else:
            assert refused(device, body) == f"400 {error}"


def test_a12_5_a_call_waits_for_one_that_runs(
    device: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keyed, "outcome", lambda self, msg_id: "running")
    with pytest.raises(NotYet):
        device.run(NEWEST.encode(api.InvokeAfterMsg(msg_id=4, query=CONFIG)))


def test_wrappers_do_not_nest_for_ever(device: Keyed) -> None:
    body = CONFIG
    for _ in range(50):
        body = NEWEST.encode(api.InvokeWithoutUpdates(query=body))
    assert refused(device, body) == "400 INPUT_FETCH_FAIL"


# ------------------------------------------------------------------ what cannot be executed


@pytest.mark.parametrize("body", [b"", b"abc", CONFIG + b"\0\0\0\0", STATE[:2]])
def test_a11_5_malformed(user: Keyed, body: bytes) -> None:
    assert refused(user, body) in ("400 INPUT_FETCH_FAIL", "400 INPUT_FETCH_ERROR")


def test_a11_5_unknown_method(user: Keyed) -> None:
    assert refused(user, b"\x01\x02\x03\x04") == "400 INPUT_METHOD_INVALID_67305985_0"
    constructor = NEWEST.encode(api.InputPeerSelf())
    assert refused(user, constructor).startswith("400 INPUT_METHOD_INVALID_")


def test_a11_5_unknown_constructor_inside(user: Keyed) -> None:
    body = NEWEST.encode(api.users.GetUsers(id=[api.InputUserSelf()]))
    assert refused(user, body[:-4] + b"\xff\xff\xff\xff") == "400 INPUT_CONSTRUCTOR_INVALID"
    assert refused(user, body[:-4]) == "400 INPUT_FETCH_ERROR"


def test_a_method_of_another_layer_is_unknown(stage: Stage) -> None:
    device = Keyed(stage.world, layer=158)
    body = NEWEST.encode(api.auth.SignIn(phone_number="1", phone_code_hash="", phone_code="2"))
    newest_send = NEWEST.encode(
        api.messages.SendMessage(peer=api.InputPeerSelf(), message="x", random_id=1)
    )
    assert refused(device, newest_send).startswith("400 INPUT_METHOD_INVALID_")
    assert refused(device, body) == "400 PHONE_NUMBER_INVALID"


def test_every_method_of_the_schema_is_answered_by_name(user: Keyed) -> None:
    missing = 0
    for name in NEWEST.names():
        definition = NEWEST.definition(name)
        method: Any = NEWEST.get(name)
        if not definition.is_method or definition.generic or method in rpc.HANDLERS:
            continue
        body = NEWEST.encode(make(NEWEST, NEWEST, name, 1))
        assert refused(user, body) == f"404 METHOD_INVALID_{name.upper().replace('.', '_')}"
        missing += 1
    assert missing > 500


# ------------------------------------------------------------------ who may call


def test_a11_7_login_is_needed(device: Keyed) -> None:
    assert refused(device, STATE) == "401 AUTH_KEY_UNREGISTERED"
    for free in (CONFIG, NEWEST.encode(api.help.GetNearestDc())):
        assert device.run(free)


def test_a11_6_bots_and_users(stage: Stage) -> None:
    def error(who: int, request: Any) -> str:
        with pytest.raises(RpcFault) as caught:
            stage.world.call(who, request)
        return f"{caught.value.code} {caught.value.message}"

    assert error(stage.bot, api.account.UpdateStatus(offline=True)) == "400 BOT_METHOD_INVALID"
    status = api.help.SetBotUpdatesStatus(pending_updates_count=0, message="")
    assert error(stage.ann, status) == "400 USER_BOT_REQUIRED"
    assert stage.world.call(stage.bot, status) is True


# ------------------------------------------------------------------ failures


def test_a_handler_that_breaks_leaves_nothing_behind(
    user: Keyed, stage: Stage, handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    after: list[str] = []

    def broken(ctx: Context, request: Any) -> Any:
        accounts.change(ctx.tx, ctx.user_id, about="half done")
        ctx.push(ctx.user_id, api.UpdatesTooLong())
        ctx.after_commit(lambda: after.append("ran"))
        raise ZeroDivisionError

    handler(broken)
    stage.world.pushed.clear()
    with caplog.at_level(logging.ERROR):
        assert refused(user, USER_INFO) == "500 RPC_CALL_FAIL"
    assert "ZeroDivisionError" in caplog.text
    with stage.world.db.begin() as tx:
        assert accounts.own(tx, stage.ann).about == ""
    assert not stage.world.pushed
    assert not after
    assert user.run(STATE), "the server goes on"


def test_a_refusal_rolls_back_too(user: Keyed, stage: Stage, handler: Any) -> None:
    def refusing(ctx: Context, request: Any) -> Any:
        accounts.change(ctx.tx, ctx.user_id, about="half done")
        raise RpcFault(400, "NO_REASON")

    handler(refusing)
    assert refused(user, USER_INFO) == "400 NO_REASON"
    with stage.world.db.begin() as tx:
        assert accounts.own(tx, stage.ann).about == ""


def test_a_result_that_cannot_be_encoded_rolls_back(
    user: Keyed, stage: Stage, handler: Any
) -> None:
    def wrong(ctx: Context, request: Any) -> Any:
        accounts.change(ctx.tx, ctx.user_id, about="half done")
        return api.Config

    handler(wrong)
    assert refused(user, USER_INFO) == "500 RPC_CALL_FAIL"
    with stage.world.db.begin() as tx:
        assert accounts.own(tx, stage.ann).about == ""


def test_a_method_has_one_handler(handler: Any) -> None:
    handler(lambda ctx, request: True)
    with pytest.raises(RuntimeError, match=r"help\.getUserInfo has two handlers"):
        handler(lambda ctx, request: True)
    with pytest.raises(RuntimeError, match="cannot be shared"):
        handler(lambda ctx, request: True, api.help.GetPassportConfig, shared=True)


# ------------------------------------------------------------------ order, pushes, layers


def test_what_waits_for_the_commit_sees_it(user: Keyed, stage: Stage, handler: Any) -> None:
    seen: list[str] = []

    def writing(ctx: Context, request: Any) -> Any:
        accounts.change(ctx.tx, ctx.user_id, about="done")

        def look() -> None:
            with stage.world.db.begin() as tx:
                seen.append(accounts.own(tx, stage.ann).about)

        ctx.after_commit(look)
        return api.help.UserInfoEmpty()

    handler(writing)
    user.run(USER_INFO)
    assert seen == ["done"]


def test_a13_3_pushes_go_to_the_other_sessions(user: Keyed, stage: Stage) -> None:
    elsewhere = Keyed(stage.world, layer=198)
    elsewhere.authorization.user_id = 0
    sent = elsewhere.send_code("9996621111")
    elsewhere.call(
        api.auth.SignIn(
            phone_number="9996621111", phone_code_hash=sent.phone_code_hash, phone_code="22222"
        )
    )
    user.pushed.clear()
    user.call(api.account.UpdateUsername(username="annabel"))
    assert user.pushed == []
    (pushed,) = elsewhere.pushed
    assert pushed.updates[0].usernames[0].username == "annabel"
    assert type(pushed.users[0]) is registry(198).get("user"), "in the layer of that session"

    elsewhere.pushed.clear()
    elsewhere.wants_updates = False
    user.call(api.account.UpdateUsername(username="annabell"))
    assert elsewhere.pushed == [], "A13.1: it has not asked for any"


def test_an_update_that_cannot_be_said_makes_the_client_ask(user: Keyed, stage: Stage) -> None:
    unsayable = api.Updates(updates=[None], users=[], chats=[], date=0, seq=0)  # type: ignore[list-item]
    stage.world.deliver(stage.ann, unsayable)
    assert user.pushed == [api.UpdatesTooLong()]


@pytest.mark.parametrize("layer", [158, 198, 228, api.LAYER])
def test_results_are_in_the_layer_of_the_session(stage: Stage, layer: int) -> None:
    device = Keyed(stage.world, layer=layer)
    source: Any = registry(layer)
    sent = device.send_code("9996621111")
    authorization = device.call(
        source.get("auth.signIn")(
            phone_number="9996621111", phone_code_hash=sent.phone_code_hash, phone_code="22222"
        )
    )
    assert type(authorization.user) is source.get("user")
    full = device.call(api.users.GetFullUser(id=api.InputUserSelf()))
    assert type(full.full_user) is source.get("userFull")


def test_shared_results_are_kept_for_their_second(
    device: Keyed, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = device.run(CONFIG)
    assert device.run(CONFIG) is first
    stage.world.clock.advance(1)
    second = NEWEST.decode(device.run(CONFIG))
    assert second.date == NEWEST.decode(first).date + 1 == int(stage.world.clock.now())


def test_a_call_without_sql_opens_no_transaction(
    device: Keyed, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.world.db, "begin", lambda: pytest.fail("no SQL is needed"))
    stage.world.clock.advance(1)
    assert device.run(CONFIG)
