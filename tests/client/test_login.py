"""start() and its steps against servers that answer in every way the API has."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram import TelegramClient, api, errors
from radiogram.client.objects.login import LoginCode
from tests.client.fake import FakeServer, known_session, make_client
from tests.client.test_asking import type_in

PHONE = "+999660001"
ANNA = api.User(self=True, id=5, first_name="Anna", phone="999660001")
DONE = api.auth.Authorization(user=ANNA)
NOBODY = (401, "AUTH_KEY_UNREGISTERED")
WRONG = (400, "PHONE_CODE_INVALID")
EXPIRED = (400, "PHONE_CODE_EXPIRED")


def sent(kind: Any, *, next_type: Any = None, code_hash: str = "hash") -> api.auth.SentCode:
    return api.auth.SentCode(type=kind, phone_code_hash=code_hash, next_type=next_type, timeout=60)


APP = sent(api.auth.SentCodeTypeApp(length=5), next_type=api.auth.CodeTypeSms())
SMS = sent(api.auth.SentCodeTypeSms(length=5), code_hash="other")


class Script:
    """A server whose answers are lists, one list for each method; the last one stays."""

    def __init__(self, answers: dict[type, Any]) -> None:
        usual = {api.users.GetUsers: NOBODY, api.auth.SendCode: APP, api.auth.SignIn: DONE}
        self.answers = {
            method: list(answer) if isinstance(answer, list) else [answer]
            for method, answer in {**usual, **answers}.items()
        }
        self.server = FakeServer()
        self.server.answer = self.answer

    def answer(self, request: Any) -> Any:
        answers = self.answers.get(type(request))
        if answers is None:
            return None
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(request) if callable(answer) else answer

    def client(self, **options: Any) -> TelegramClient:
        return make_client(self.server, known_session(), **options)

    def calls(self, method: type) -> list[Any]:
        return [call for call in self.server.calls if type(call) is method]


# ── codes ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "way", "words", "length"),
    [
        (api.auth.SentCodeTypeApp(length=5), "app", "Telegram app", 5),
        (api.auth.SentCodeTypeSms(length=6), "sms", "SMS", 6),
        (api.auth.SentCodeTypeSmsWord(beginning="s"), "sms_word", "begins with s", None),
        (api.auth.SentCodeTypeSmsPhrase(), "sms_phrase", "a phrase", None),
        (api.auth.SentCodeTypeCall(length=5), "call", "phone call", 5),
        (api.auth.SentCodeTypeFlashCall(pattern="+7**"), "flash_call", "+7**", None),
        (api.auth.SentCodeTypeMissedCall(prefix="+44", length=6), "missed_call", "+44", 6),
        (api.auth.SentCodeTypeEmailCode(email_pattern="a*@b.c", length=6), "email", "a*@b.c", 6),
        (api.auth.SentCodeTypeFragmentSms(url="https://f", length=5), "fragment", "https://f", 5),
        (api.auth.SentCodeTypeFirebaseSms(length=5), "firebase", "official apps", 5),
        (api.auth.SentCodeTypeSetUpEmailRequired(), "set_up_email", "was set up", None),
    ],
)
async def test_every_kind_of_code_is_told(
    kind: Any, way: str, words: str, length: int | None
) -> None:
    script = Script({api.auth.SendCode: sent(kind)})
    async with script.client() as client:
        code = await client.send_code(PHONE)
    assert isinstance(code, LoginCode)
    assert (code.way, code.length, code.timeout, code.next_way) == (way, length, 60, None)
    assert words in code.where
    assert repr(code).startswith(f"<LoginCode {way}, ")


async def test_a_code_is_sent_again_in_the_next_way_and_cancelled() -> None:
    script = Script({api.auth.ResendCode: SMS, api.auth.CancelCode: True})
    async with script.client() as client:
        code = await client.send_code(PHONE)
        assert (code.way, code.next_way) == ("app", "sms")
        assert await code.resend() is code
        assert (code.way, code.next_way, code.phone_code_hash) == ("sms", None, "other")
        await code.sign_in("12345")
        await code.cancel()
    assert script.calls(api.auth.ResendCode)[0].phone_code_hash == "hash"
    assert script.calls(api.auth.SignIn)[0].phone_code_hash == "other"
    assert script.calls(api.auth.CancelCode)[0].phone_code_hash == "other"


async def test_no_other_way_is_told() -> None:
    script = Script({api.auth.ResendCode: (406, "SEND_CODE_UNAVAILABLE")})
    async with script.client() as client:
        code = await client.send_code(PHONE)
        with pytest.raises(errors.SendCodeUnavailable, match="no other way"):
            await code.resend()


async def test_a_code_by_email_is_given_as_such() -> None:
    kind = api.auth.SentCodeTypeEmailCode(email_pattern="a*@b.c", length=6)
    script = Script({api.auth.SendCode: sent(kind)})
    async with script.client() as client:
        await client.start(phone=PHONE, code="123456")
    (request,) = script.calls(api.auth.SignIn)
    assert request.email_verification == api.EmailVerificationCode(code="123456")
    assert request.phone_code is None


async def test_codes_for_official_apps_are_asked_for_in_another_way() -> None:
    firebase = sent(api.auth.SentCodeTypeFirebaseSms(length=5), next_type=api.auth.CodeTypeSms())
    script = Script({api.auth.SendCode: firebase, api.auth.ResendCode: SMS})
    async with script.client() as client:
        await client.start(phone=PHONE, code="12345")
    assert script.calls(api.auth.SignIn)[0].phone_code_hash == "other"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (api.auth.SentCodeTypeFirebaseSms(length=5), "sign in by QR code"),
        (api.auth.SentCodeTypeSetUpEmailRequired(), "do it once in an official app"),
    ],
)
async def test_a_login_that_only_official_apps_can_do_says_so(kind: Any, text: str) -> None:
    script = Script({api.auth.SendCode: sent(kind)})
    async with script.client() as client:
        with pytest.raises(errors.ClientError, match=text):
            await client.start(phone=PHONE, code="12345")


async def test_an_interrupted_login_is_begun_again_once() -> None:
    script = Script({api.auth.SendCode: [(500, "AUTH_RESTART"), APP]})
    async with script.client() as client:
        assert (await client.send_code(PHONE)).way == "app"
    script = Script({api.auth.SendCode: (500, "AUTH_RESTART")})
    async with script.client() as client:
        with pytest.raises(errors.AuthRestart):
            await client.send_code(PHONE)
    assert len(script.calls(api.auth.SendCode)) == 2


# ── start ────────────────────────────────────────────────────────────────────────────────────────


async def test_everything_may_be_a_function_or_an_awaitable() -> None:
    script = Script({
        api.auth.SignIn: api.auth.AuthorizationSignUpRequired(),
        api.auth.SignUp: DONE,
    })  # fmt: skip
    told: list[LoginCode] = []

    async def code(sent: LoginCode) -> int:
        told.append(sent)
        return 12345

    async def name() -> str:
        return "Anna"

    async with script.client() as client:
        me = await client.start(phone=lambda: PHONE, code=code, first_name=name())
    assert me.id == 5
    assert told[0].way == "app"
    assert script.calls(api.auth.SignUp)[0].first_name == "Anna"


async def test_a_function_can_have_the_code_sent_again() -> None:
    script = Script({api.auth.ResendCode: SMS})

    async def code(sent: LoginCode) -> str:
        await sent.resend()
        return "12345"

    async with script.client() as client:
        await client.start(phone=PHONE, code=code)
    assert script.calls(api.auth.SignIn)[0].phone_code_hash == "other"


async def test_an_expired_code_is_replaced() -> None:
    script = Script({api.auth.SendCode: [APP, SMS], api.auth.SignIn: [EXPIRED, DONE]})
    async with script.client() as client:
        await client.start(phone=PHONE, code=lambda: "12345")
    assert [call.phone_code_hash for call in script.calls(api.auth.SignIn)] == ["hash", "other"]


async def test_a_fixed_code_that_expired_is_not_tried_again() -> None:
    script = Script({api.auth.SignIn: EXPIRED})
    async with script.client() as client:
        with pytest.raises(errors.PhoneCodeExpired):
            await client.start(phone=PHONE, code="12345")
    assert len(script.calls(api.auth.SendCode)) == 1


async def test_a_person_may_be_wrong_and_have_it_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = Script({
        api.auth.SendCode: [(406, "PHONE_NUMBER_INVALID"), APP],
        api.auth.ResendCode: SMS,
        api.auth.SignIn: [WRONG, api.auth.AuthorizationSignUpRequired()],
        api.auth.SignUp: [(400, "FIRSTNAME_INVALID"), DONE],
    })  # fmt: skip
    asked = type_in(monkeypatch, "12", PHONE, "resend", "11111", "12345", "!", "Anna")
    async with script.client() as client:
        assert (await client.start()).id == 5
    assert asked[0] == "Phone number in international form: "
    assert "'resend': by sms" in asked[2]
    assert asked[3] == f"Login code, sent to {PHONE} by SMS: "
    assert "wrong" in asked[4]
    assert asked[5] == f"{PHONE} is new to Telegram. First name: "


async def test_a_person_may_give_the_token_of_a_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = api.User(self=True, id=6, bot=True, bot_info_version=1, first_name="Bot")
    script = Script({api.auth.ImportBotAuthorization: api.auth.Authorization(user=bot)})
    type_in(monkeypatch, "6:secret")
    async with script.client() as client:
        assert (await client.start()).is_bot


async def test_a_function_may_give_another_token() -> None:
    bot = api.User(self=True, id=6, bot=True, bot_info_version=1, first_name="Bot")
    answers = [(400, "ACCESS_TOKEN_INVALID"), api.auth.Authorization(user=bot)]
    script = Script({api.auth.ImportBotAuthorization: answers})
    tokens = iter(["6:wrong", "6:right"])
    async with script.client() as client:
        assert (await client.start(bot_token=lambda: next(tokens))).id == 6


async def test_sign_in_says_what_it_takes() -> None:
    async with Script({}).client() as client:
        with pytest.raises(errors.ClientError, match="phone, code and phone_code_hash"):
            await client.sign_in(PHONE, "12345")


# ── out, and in again without a code ─────────────────────────────────────────────────────────────


def out(token: bytes | None) -> api.auth.LoggedOut:
    return api.auth.LoggedOut(future_auth_token=token)


async def test_the_token_of_a_log_out_is_used_at_the_next_login() -> None:
    success = api.auth.SentCodeSuccess(authorization=DONE)
    script = Script({
        api.users.GetUsers: [NOBODY, [ANNA], NOBODY],
        api.auth.LogOut: out(b"token"),
        api.auth.SendCode: [APP, success],
    })  # fmt: skip
    client = script.client()
    await client.start(phone=PHONE, code="12345")
    await client.log_out()
    assert client.future_auth_tokens == (b"token",)
    assert not client.session.data.user_id
    client.session.data = known_session().data
    async with client:
        code = await client.send_code(PHONE)
        assert code.user is not None
        assert code.user.id == client.session.data.user_id == 5
    first, second = script.calls(api.auth.SendCode)
    assert first.settings.logout_tokens is None
    assert second.settings.logout_tokens == [b"token"]


async def test_tokens_are_handed_on_to_another_client_and_bounded() -> None:
    script = Script({api.auth.LogOut: out(b"new")})
    tokens = [bytes([number]) for number in range(20)]
    client = script.client(future_auth_tokens=tokens)
    await client.connect()
    await client.log_out()
    assert client.future_auth_tokens == (*tokens[1:], b"new")


async def test_a_log_out_without_a_token_keeps_none() -> None:
    client = Script({api.auth.LogOut: out(None)}).client()
    await client.connect()
    await client.log_out()
    assert client.future_auth_tokens == ()


async def test_a_token_may_come_with_a_login() -> None:
    done = api.auth.Authorization(user=ANNA, future_auth_token=b"token")
    async with Script({api.auth.SignIn: done}).client() as client:
        await client.start(phone=PHONE, code="12345")
        assert client.future_auth_tokens == (b"token",)


# ── the sessions of the account, and its end ─────────────────────────────────────────────────────


def login(number: int, **more: Any) -> api.Authorization:
    return api.Authorization(
        hash=number, device_model="Phone", platform="Linux", system_version="6", api_id=1,
        app_name="Radiogram", app_version="0.1", date_created=1_900_000_000,
        date_active=1_900_000_100, ip="127.0.0.1", country="Nowhere", region="", **more,
    )  # fmt: skip


async def test_sessions_are_listed_and_ended() -> None:
    listed = api.account.Authorizations(
        authorization_ttl_days=365,
        authorizations=[login(0, current=True), login(7, official_app=True, unconfirmed=True)],
    )
    script = Script({
        api.account.GetAuthorizations: listed,
        api.account.ResetAuthorization: True,
        api.auth.ResetAuthorizations: True,
    })  # fmt: skip
    async with script.client() as client:
        here, there = await client.get_sessions()
        assert (here.is_current, here.id, there.is_official, there.id) == (True, 0, True, 7)
        assert (there.app, there.device, there.place, there.ip) == (
            "Radiogram 0.1", "Phone, Linux 6", "Nowhere", "127.0.0.1",
        )  # fmt: skip
        assert there.created is not None
        assert there.last_active is not None
        assert (there.last_active - there.created).total_seconds() == 100
        assert there.is_unconfirmed
        assert not there.needs_password
        assert repr(here) == "<LoginSession 0 'Radiogram 0.1' on 'Phone, Linux 6', this one>"
        await there.end()
        await client.end_session(9)
        await client.end_other_sessions()
        with pytest.raises(errors.ClientError, match=r"log_out\(\) ends this one"):
            await client.end_session(here)
    assert [call.hash for call in script.calls(api.account.ResetAuthorization)] == [7, 9]
    assert len(script.calls(api.auth.ResetAuthorizations)) == 1


async def test_an_account_is_deleted_by_its_own_number_only() -> None:
    script = Script({api.users.GetUsers: [ANNA], api.account.DeleteAccount: True})
    script.answers[api.users.GetUsers] = [[ANNA]]
    client = script.client()
    await client.connect()
    for phone in ("+999660002", "", "none"):
        with pytest.raises(errors.ClientError, match="nothing was deleted"):
            await client.delete_account(phone=phone)
    assert script.calls(api.account.DeleteAccount) == []
    await client.delete_account(phone="+999 66 00 01", reason="enough")
    assert script.calls(api.account.DeleteAccount)[0].reason == "enough"
    assert not client.is_connected
    assert client.session.data.auth_key == b""


async def test_a_bot_cannot_be_deleted_so() -> None:
    bot = api.User(self=True, id=6, bot=True, bot_info_version=1, first_name="Bot")
    script = Script({})
    script.answers[api.users.GetUsers] = [[bot]]
    async with script.client() as client:
        with pytest.raises(errors.ClientError, match="nothing was deleted"):
            await client.delete_account(phone=PHONE)


async def test_a_week_is_told_where_the_password_lacks() -> None:
    script = Script({api.account.DeleteAccount: (420, "2FA_CONFIRM_WAIT_604800")})
    async with script.client() as client:
        with pytest.raises(errors.ClientError, match="own number"):
            await client.delete_account(phone="")
        with pytest.raises(errors.TwoFaConfirmWait) as raised:
            await client.delete_account(phone=PHONE)
        assert raised.value.seconds == 604800
        assert client.is_connected
