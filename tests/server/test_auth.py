"""auth.*: codes, signing in and up, bots, and the way out (C1, part D)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from radiogram.server.dispatch import dispatch
from radiogram.server.rpc import Caller, RpcFault
from radiogram.tl import api
from radiogram.tl.build import registry

from .keyed import Keyed
from .stage import Stage

PHONE = "9996620001"


@pytest.fixture
def device(stage: Stage) -> Keyed:
    return Keyed(stage.world)


def sign_in(device: Keyed, phone: str, code: str | None = None) -> Any:
    sent = device.send_code(phone)
    return device.call(
        api.auth.SignIn(
            phone_number=phone,
            phone_code_hash=sent.phone_code_hash,
            phone_code=code or device.world.login_code(phone),
        )
    )


def refused(device: Keyed, request: Any) -> tuple[int, str]:
    with pytest.raises(RpcFault) as caught:
        device.call(request)
    return caught.value.code, caught.value.message


# ------------------------------------------------------------------ codes


@pytest.mark.parametrize("phone", ["", "123", "12345678901234567", "alpha", "+49x1234567", "42777"])
def test_a_number_that_is_none(device: Keyed, phone: str) -> None:
    request = api.auth.SendCode(
        phone_number=phone, api_id=1, api_hash="", settings=api.CodeSettings()
    )
    assert refused(device, request) == (400, "PHONE_NUMBER_INVALID")


@pytest.mark.parametrize("api_id", [0, -1])
def test_an_api_id_that_is_none(device: Keyed, api_id: int) -> None:
    request = api.auth.SendCode(
        phone_number=PHONE, api_id=api_id, api_hash="", settings=api.CodeSettings()
    )
    assert refused(device, request) == (400, "API_ID_INVALID")


def test_the_code_of_a_new_number_goes_to_the_phone(device: Keyed) -> None:
    sent = device.send_code("+999 66 2 0001")
    assert sent.type == api.auth.SentCodeTypeSms(length=5)
    assert sent.next_type == api.auth.CodeTypeCall()
    assert sent.timeout == 60
    assert len(sent.phone_code_hash) >= 16


def test_d9_codes(stage: Stage) -> None:
    world = stage.world
    world.add_user("4915112345", "Own", code="777")
    assert world.login_code("9996610000") == "11111"
    assert world.login_code("+999 66 3 1234") == "33333"
    assert world.login_code("4915112345") == "777"
    assert world.login_code("4915199999") == "12345"


def test_a_general_code_works_for_every_number(make_stage: Any) -> None:
    stage = make_stage(login_code="424242")
    device = Keyed(stage.world)
    assert stage.world.login_code("4915199999") == "424242"
    assert isinstance(sign_in(device, "9996621111", "424242"), api.auth.Authorization)
    assert isinstance(sign_in(Keyed(stage.world), "9996621111"), api.auth.Authorization)


def test_the_code_comes_as_a_message_when_there_is_another_session(stage: Stage) -> None:
    first = Keyed(stage.world)
    sign_in(first, "9996621111")
    stage.world.pushed.clear()
    sent = Keyed(stage.world).send_code("9996621111")
    assert sent.type == api.auth.SentCodeTypeApp(length=5)
    assert sent.next_type == api.auth.CodeTypeSms()
    (push,) = [push for push in stage.world.pushed if push.user_id == stage.ann]
    message = push.updates.updates[0].message
    assert "22222" in message.message
    assert message.from_id == api.PeerUser(user_id=777000)
    assert [user.id for user in push.updates.users if user.id == 777000]


def test_resend_goes_from_app_to_phone_and_no_further(make_stage: Any) -> None:
    stage = make_stage(login_code_ways=("app", "sms"))
    sign_in(Keyed(stage.world), "9996621111")
    device = Keyed(stage.world)
    first = device.send_code("9996621111")
    again = device.call(
        api.auth.ResendCode(phone_number="9996621111", phone_code_hash=first.phone_code_hash)
    )
    assert again.type == api.auth.SentCodeTypeSms(length=5)
    assert again.phone_code_hash != first.phone_code_hash
    request = api.auth.ResendCode(phone_number="9996621111", phone_code_hash=again.phone_code_hash)
    assert refused(device, request) == (406, "SEND_CODE_UNAVAILABLE")
    old = api.auth.SignIn(
        phone_number="9996621111", phone_code_hash=first.phone_code_hash, phone_code="22222"
    )
    assert refused(device, old) == (400, "PHONE_CODE_EXPIRED")


def test_a_cancelled_code_is_no_code(device: Keyed) -> None:
    sent = device.send_code(PHONE)
    request = api.auth.CancelCode(phone_number=PHONE, phone_code_hash=sent.phone_code_hash)
    assert device.call(request) is True
    assert refused(device, request) == (400, "PHONE_CODE_EXPIRED")
    empty = api.auth.CancelCode(phone_number=PHONE, phone_code_hash="")
    assert refused(device, empty) == (400, "PHONE_CODE_HASH_EMPTY")


def test_codes_of_one_number_can_be_limited(make_stage: Any) -> None:
    stage = make_stage(logins_per_number=2)
    device = Keyed(stage.world)
    device.send_code(PHONE)
    device.send_code(PHONE)
    request = api.auth.SendCode(
        phone_number=PHONE, api_id=1, api_hash="x", settings=api.CodeSettings()
    )
    assert refused(device, request) == (400, "PHONE_NUMBER_FLOOD")
    stage.world.clock.advance(86400)
    device.send_code(PHONE)


def test_codes_of_one_number_do_not_pile_up(device: Keyed) -> None:
    first = device.send_code(PHONE)
    for _ in range(60):
        device.world.clock.advance(1)
        device.send_code(PHONE)
    old = api.auth.SignIn(
        phone_number=PHONE, phone_code_hash=first.phone_code_hash, phone_code="22222"
    )
    assert refused(device, old) == (400, "PHONE_CODE_EXPIRED")


def test_d2_numbers_of_another_dc_can_be_sent_there(make_stage: Any) -> None:
    stage = make_stage(migrate_test_numbers=True)
    request = api.auth.SendCode(
        phone_number="9996610001", api_id=1, api_hash="x", settings=api.CodeSettings()
    )
    assert refused(Keyed(stage.world), request) == (303, "PHONE_MIGRATE_1")


# ------------------------------------------------------------------ in


def test_sign_in(device: Keyed, stage: Stage) -> None:
    authorization = sign_in(device, "9996621111")
    assert (authorization.user.id, authorization.user.self) == (stage.ann, True)
    assert device.call(api.users.GetUsers(id=[api.InputUserSelf()]))[0].id == stage.ann


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"phone_code": None}, "PHONE_CODE_EMPTY"),
        ({"phone_code": ""}, "PHONE_CODE_EMPTY"),
        ({"phone_code": "99999"}, "PHONE_CODE_INVALID"),
        ({"phone_code_hash": ""}, "PHONE_CODE_HASH_EMPTY"),
        ({"phone_code_hash": "nonsense"}, "PHONE_CODE_EXPIRED"),
        ({"phone_number": "9996622222"}, "PHONE_CODE_EXPIRED"),
        ({"phone_number": "x"}, "PHONE_NUMBER_INVALID"),
    ],
)
def test_sign_in_errors(device: Keyed, change: dict[str, Any], error: str) -> None:
    sent = device.send_code("9996621111")
    fields: dict[str, Any] = {
        "phone_number": "9996621111",
        "phone_code_hash": sent.phone_code_hash,
        "phone_code": "22222",
    }
    assert refused(device, api.auth.SignIn(**{**fields, **change})) == (400, error)
    device.call(api.auth.SignIn(**fields))
    assert refused(device, api.auth.SignIn(**fields)) == (400, "PHONE_CODE_EXPIRED")


def test_a_code_lives_for_a_while(device: Keyed) -> None:
    sent = device.send_code("9996621111")
    device.world.clock.advance(device.world.settings.login_code_lifetime)
    request = api.auth.SignIn(
        phone_number="9996621111", phone_code_hash=sent.phone_code_hash, phone_code="22222"
    )
    assert refused(device, request) == (400, "PHONE_CODE_EXPIRED")


def test_guessing_is_bounded(device: Keyed) -> None:
    sent = device.send_code("9996621111")
    request = api.auth.SignIn(
        phone_number="9996621111", phone_code_hash=sent.phone_code_hash, phone_code="00000"
    )
    for _ in range(device.world.settings.login_code_attempts):
        assert refused(device, request) == (400, "PHONE_CODE_INVALID")
    right = api.auth.SignIn(
        phone_number="9996621111", phone_code_hash=sent.phone_code_hash, phone_code="22222"
    )
    assert refused(device, right) == (400, "PHONE_CODE_EXPIRED")


def test_sign_up(device: Keyed) -> None:
    sent = device.send_code(PHONE)
    early = api.auth.SignUp(
        phone_number=PHONE, phone_code_hash=sent.phone_code_hash, first_name="Joe", last_name=""
    )
    assert refused(device, early) == (400, "PHONE_CODE_INVALID")
    required = device.call(
        api.auth.SignIn(
            phone_number=PHONE, phone_code_hash=sent.phone_code_hash, phone_code="22222"
        )
    )
    assert isinstance(required, api.auth.AuthorizationSignUpRequired)
    authorization = device.call(early)
    assert authorization.user.first_name == "Joe"
    assert device.call(api.updates.GetState()).pts >= 1
    assert refused(device, early) == (400, "PHONE_CODE_EXPIRED")


@pytest.mark.parametrize(
    ("first_name", "last_name", "error"),
    [
        ("", "", "FIRSTNAME_INVALID"),
        ("   ", "", "FIRSTNAME_INVALID"),
        ("x" * 65, "", "FIRSTNAME_INVALID"),
        ("x", "y" * 65, "LASTNAME_INVALID"),
    ],
)
def test_sign_up_names(device: Keyed, first_name: str, last_name: str, error: str) -> None:
    sent = device.send_code(PHONE)
    device.call(
        api.auth.SignIn(
            phone_number=PHONE, phone_code_hash=sent.phone_code_hash, phone_code="22222"
        )
    )
    request = api.auth.SignUp(
        phone_number=PHONE,
        phone_code_hash=sent.phone_code_hash,
        first_name=first_name,
        last_name=last_name,
    )
    assert refused(device, request) == (400, error)


def test_sign_up_is_for_new_numbers(device: Keyed, stage: Stage) -> None:
    sent = device.send_code(PHONE)
    device.call(
        api.auth.SignIn(
            phone_number=PHONE, phone_code_hash=sent.phone_code_hash, phone_code="22222"
        )
    )
    stage.world.add_user(PHONE, "Faster")
    request = api.auth.SignUp(
        phone_number=PHONE, phone_code_hash=sent.phone_code_hash, first_name="A", last_name=""
    )
    assert refused(device, request) == (400, "PHONE_NUMBER_OCCUPIED")


def test_bots_log_in_by_token(device: Keyed, stage: Stage) -> None:
    bot = stage.world.add_bot("Helper", "helper_bot")
    assert bot.token is not None
    assert len(bot.token.partition(":")[2]) == 35
    for token in ("", "1:x", bot.token[:-1] + "!", f"{bot.id}:{'A' * 35}"):
        request = api.auth.ImportBotAuthorization(
            flags=0, api_id=1, api_hash="x", bot_auth_token=token
        )
        assert refused(device, request) == (400, "ACCESS_TOKEN_INVALID")
    request = api.auth.ImportBotAuthorization(
        flags=0, api_id=1, api_hash="x", bot_auth_token=bot.token
    )
    user = device.call(request).user
    assert (user.id, user.bot, user.phone) == (bot.id, True, None)
    no_id = api.auth.ImportBotAuthorization(
        flags=0, api_id=0, api_hash="x", bot_auth_token=bot.token
    )
    assert refused(device, no_id) == (400, "API_ID_INVALID")


def test_other_sessions_hear_of_a_login(stage: Stage) -> None:
    device = Keyed(stage.world)
    sign_in(device, "9996621111")
    (push,) = [push for push in stage.world.pushed if push.user_id == stage.ann]
    assert push.updates.update == api.UpdateNewAuthorization(hash=device.authorization.hash)


# ------------------------------------------------------------------ out


def test_log_out_is_for_one_key(stage: Stage) -> None:
    first, second = Keyed(stage.world), Keyed(stage.world)
    sign_in(first, "9996621111")
    sign_in(second, "9996621111")
    assert first.call(api.auth.LogOut()) == api.auth.LoggedOut()
    assert refused(first, api.updates.GetState()) == (401, "AUTH_KEY_UNREGISTERED")
    assert second.call(api.updates.GetState())
    assert first.call(api.auth.LogOut()) == api.auth.LoggedOut(), "logging out twice does no harm"


def test_sessions_can_be_ended_from_elsewhere(stage: Stage) -> None:
    first, second, third = (Keyed(stage.world) for _ in range(3))
    for device in (first, second, third):
        sign_in(device, "9996621111")
    listed = first.call(api.account.GetAuthorizations()).authorizations
    assert [(one.current, one.hash == 0) for one in listed] == [
        (True, True),
        (False, False),
        (False, False),
    ]
    assert listed[0].device_model == "Keyed"
    hashes = {device.authorization.hash: device for device in (second, third)}
    victim = hashes[listed[1].hash]
    assert first.call(api.account.ResetAuthorization(hash=listed[1].hash)) is True
    assert refused(victim, api.updates.GetState()) == (401, "SESSION_REVOKED")
    assert refused(victim, api.updates.GetState()) == (401, "AUTH_KEY_UNREGISTERED")
    for number in (listed[1].hash, 0, first.authorization.hash):
        reset = api.account.ResetAuthorization(hash=number)
        assert refused(first, reset) == (400, "HASH_INVALID")
    assert first.call(api.auth.ResetAuthorizations()) is True
    assert len(first.call(api.account.GetAuthorizations()).authorizations) == 1


def test_there_is_no_other_dc(device: Keyed) -> None:
    sign_in(device, "9996621111")
    export = api.auth.ExportAuthorization(dc_id=4)
    assert refused(device, export) == (400, "DC_ID_INVALID")
    forged = api.auth.ImportAuthorization(id=1, bytes=b"x")
    assert refused(device, forged) == (400, "AUTH_BYTES_INVALID")


def test_a_key_is_known_again_after_a_restart(stage: Stage) -> None:
    device = Keyed(stage.world)
    sign_in(device, "9996621111")
    device.forget()
    again = stage.world.authorizations.get(device.key.key_id)
    assert again is not None
    assert (again.user_id, again.layer, again.api_id) == (stage.ann, api.LAYER, 1)
    caller = Caller(again)
    body = registry(api.LAYER).encode(api.updates.GetState())
    assert dispatch(stage.world, caller, body)


def test_api_ids_can_be_listed(stage: Stage) -> None:
    stage.world.settings = replace(stage.world.settings, api_ids=frozenset({7}))
    request = api.auth.SendCode(
        phone_number=PHONE, api_id=1, api_hash="x", settings=api.CodeSettings()
    )
    body = registry(api.LAYER).encode(request)
    device = Keyed(stage.world, initialise=False)
    device.authorization.layer = api.LAYER
    with pytest.raises(RpcFault, match="API_ID_INVALID"):
        dispatch(stage.world, device, body)


# ------------------------------------------------------------------ ways of a code


def test_a_code_goes_one_way_after_the_other(make_stage: Any) -> None:
    """C1: sentCode{type, next_type, timeout}, resendCode."""
    ways = ("sms", "word", "phrase", "call", "flash_call", "missed_call", "fragment")
    stage = make_stage(login_code_ways=ways)
    device = Keyed(stage.world)
    sent = device.call(
        api.auth.SendCode(
            phone_number=PHONE,
            api_id=1,
            api_hash="x",
            settings=api.CodeSettings(allow_flashcall=True, allow_missed_call=True),
        )
    )
    seen = [sent]
    for _ in ways[1:]:
        sent = device.call(
            api.auth.ResendCode(phone_number=PHONE, phone_code_hash=sent.phone_code_hash)
        )
        seen.append(sent)
    word, phrase = (one.code for one in list(stage.world.sent_codes)[1:3])
    assert [one.type for one in seen] == [
        api.auth.SentCodeTypeSms(length=5),
        api.auth.SentCodeTypeSmsWord(beginning=word[0]),
        api.auth.SentCodeTypeSmsPhrase(beginning=phrase.split()[0]),
        api.auth.SentCodeTypeCall(length=5),
        api.auth.SentCodeTypeFlashCall(pattern="42777*"),
        api.auth.SentCodeTypeMissedCall(prefix="42777", length=5),
        api.auth.SentCodeTypeFragmentSms(url="https://fragment.com/my/numbers", length=5),
    ]
    assert [type(one.next_type).__name__ for one in seen] == [
        "CodeTypeSms",
        "CodeTypeSms",
        "CodeTypeCall",
        "CodeTypeFlashCall",
        "CodeTypeMissedCall",
        "CodeTypeFragmentSms",
        "NoneType",
    ]
    last = api.auth.ResendCode(phone_number=PHONE, phone_code_hash=sent.phone_code_hash)
    assert refused(device, last) == (406, "SEND_CODE_UNAVAILABLE")
    report = api.auth.ReportMissingCode(
        phone_number=PHONE, phone_code_hash=sent.phone_code_hash, mnc="1"
    )
    assert device.call(report) is True


@pytest.mark.parametrize("way", ["word", "phrase", "flash_call", "fragment"])
def test_codes_that_are_not_five_digits(make_stage: Any, way: str) -> None:
    stage = make_stage(login_code_ways=("sms", way))
    device = Keyed(stage.world)
    sent = device.call(
        api.auth.SendCode(
            phone_number="9996621111",
            api_id=1,
            api_hash="x",
            settings=api.CodeSettings(allow_flashcall=True),
        )
    )
    sent = device.call(
        api.auth.ResendCode(phone_number="9996621111", phone_code_hash=sent.phone_code_hash)
    )
    code = stage.world.sent_codes[-1].code
    assert code == stage.world.login_code("9996621111")
    request = api.auth.SignIn(
        phone_number="9996621111", phone_code_hash=sent.phone_code_hash, phone_code=code.upper()
    )
    assert device.call(request).user.id == stage.ann


def test_calls_only_where_the_client_allows_them(make_stage: Any) -> None:
    stage = make_stage(login_code_ways=("sms", "flash_call", "missed_call"))
    assert Keyed(stage.world).send_code(PHONE).next_type is None


def test_numbers_that_may_not_log_in(make_stage: Any) -> None:
    """C1: PHONE_NUMBER_BANNED, PHONE_NUMBER_APP_SIGNUP_FORBIDDEN."""
    stage = make_stage(banned_numbers=frozenset({PHONE}), unknown_numbers="refuse")
    for phone, error in (
        (PHONE, "PHONE_NUMBER_BANNED"),
        ("9996620002", "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN"),
    ):
        request = api.auth.SendCode(
            phone_number=phone, api_id=1, api_hash="x", settings=api.CodeSettings()
        )
        assert refused(Keyed(stage.world), request) == (400, error)
    assert sign_in(Keyed(stage.world), "9996621111").user.id == stage.ann


def test_d9_unknown_numbers_can_get_an_account(make_stage: Any) -> None:
    stage = make_stage(unknown_numbers="create")
    user = sign_in(Keyed(stage.world), PHONE).user
    assert (user.first_name, user.phone) == ("User 0001", PHONE)


def test_terms_are_shown_before_somebody_signs_up(make_stage: Any) -> None:
    """C1: authorizationSignUpRequired{terms_of_service}."""
    stage = make_stage(terms="Be kind.")
    required = sign_in(Keyed(stage.world), PHONE)
    assert required.terms_of_service.text == "Be kind."
    accept = api.help.AcceptTermsOfService(id=required.terms_of_service.id)
    assert stage.world.call(stage.ann, accept) is True


def test_codes_can_be_made_worthless(stage: Stage) -> None:
    """C1, tier 3: account.invalidateSignInCodes."""
    owner, device = Keyed(stage.world), Keyed(stage.world)
    sign_in(owner, "9996621111")
    sent = device.send_code("9996621111")
    assert owner.call(api.account.InvalidateSignInCodes(codes=["22222"])) is True
    request = api.auth.SignIn(
        phone_number="9996621111", phone_code_hash=sent.phone_code_hash, phone_code="22222"
    )
    assert refused(device, request) == (400, "PHONE_CODE_EXPIRED")


@pytest.mark.parametrize("quiet", [False, True])
def test_those_who_have_the_number_hear_of_a_sign_up(stage: Stage, quiet: bool) -> None:
    """C1: messageActionContactSignUp unless no_joined_notifications."""
    entry = api.InputPhoneContact(client_id=1, phone=f"+{PHONE}", first_name="Joe", last_name="B")
    found = stage.world.call(stage.ann, api.contacts.ImportContacts(contacts=[entry]))
    assert found.imported == []
    stage.world.pushed.clear()
    device = Keyed(stage.world)
    sent = device.send_code(PHONE)
    known: Any = {"phone_number": PHONE, "phone_code_hash": sent.phone_code_hash}
    device.call(api.auth.SignIn(**known, phone_code="22222"))
    user = device.call(
        api.auth.SignUp(**known, first_name="Joseph", last_name="", no_joined_notifications=quiet)
    ).user
    (contact,) = stage.world.call(stage.ann, api.contacts.GetContacts(hash=0)).users
    assert (contact.id, contact.first_name, contact.last_name) == (user.id, "Joe", "B")
    pushes = [push for push in stage.world.pushed if push.user_id == stage.ann]
    if quiet:
        assert pushes == []
        return
    message = pushes[0].updates.updates[0].message
    assert message.action == api.MessageActionContactSignUp()
    assert message.peer_id == api.PeerUser(user_id=user.id)
    dialogs = device.call(
        api.messages.GetDialogs(
            offset_date=0, offset_id=0, offset_peer=api.InputPeerEmpty(), limit=10, hash=0
        )
    )
    assert dialogs.dialogs == [], "it is in the other's box only"


def test_a_number_can_be_awaited_no_longer(stage: Stage) -> None:
    entry = api.InputPhoneContact(client_id=1, phone=PHONE, first_name="Joe", last_name="")
    stage.world.call(stage.ann, api.contacts.ImportContacts(contacts=[entry]))
    stage.world.call(stage.ann, api.contacts.DeleteByPhones(phones=[PHONE]))
    device = Keyed(stage.world)
    sign_in(device, PHONE)
    assert stage.world.call(stage.ann, api.contacts.GetContacts(hash=0)).users == []
