"""Two-step verification against published proofs, and servers with bad numbers (C1.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from radiogram import TelegramClient, api, errors
from radiogram.client.objects.login import TwoStep
from radiogram.crypto import srp
from radiogram.crypto.dh import PRIME
from tests.client.test_asking import type_in
from tests.client.test_login import ANNA, DONE, NOBODY, PHONE, Script
from tests.vectors import load

ALGO = api.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow
PUBLISHED = next(case for case in load("srp")["checks"] if case["name"] == "grammers-2")
PASSWORD = bytes.fromhex(PUBLISHED["password"]).decode()
NEEDED = (401, "SESSION_PASSWORD_NEEDED")
WRONG = (400, "PASSWORD_HASH_INVALID")


def published(name: str) -> bytes:
    return bytes.fromhex(PUBLISHED[name])


def algo(**changes: Any) -> Any:
    values = {
        "salt1": published("salt1"),
        "salt2": published("salt2"),
        "g": PUBLISHED["g"],
        "p": PRIME.to_bytes(256, "big"),
    }
    return ALGO(**{**values, **changes})


def question(**changes: Any) -> api.account.Password:
    """Make account.getPassword's answer out of the published vector."""
    values: dict[str, Any] = {
        "has_password": True,
        "current_algo": algo(),
        "srp_B": published("B"),
        "srp_id": 77,
        "new_algo": algo(salt1=b"offered"),
        "new_secure_algo": api.SecurePasswordKdfAlgoUnknown(),
        "secure_random": b"",
        "hint": "numbers",
    }
    return api.account.Password(**{**values, **changes})


OFF = question(has_password=False, current_algo=None, srp_B=None, srp_id=None, hint=None)


def random(size: int) -> bytes:
    """Give the published secret of the proof, and fixed bytes for salts."""
    return published("a") if size == 256 else bytes(range(size))


def client_of(script: Script) -> TelegramClient:
    client = script.client()
    client._env = replace(client._env, random=fallback(client._env.random))
    return client


def fallback(other: Callable[[int], bytes]) -> Callable[[int], bytes]:
    return lambda size: random(size) if size in {32, 256} else other(size)


def check_is_published(proof: Any) -> None:
    assert proof == api.InputCheckPasswordSRP(srp_id=77, A=published("A"), M1=published("M1"))


# ── signing in ───────────────────────────────────────────────────────────────────────────────────


async def test_a_password_is_proved_as_published() -> None:
    script = Script({api.account.GetPassword: question(), api.auth.CheckPassword: DONE})
    async with client_of(script) as client:
        me = await client.sign_in(password=PASSWORD)
        assert me is not None
        assert me.id == client.session.data.user_id == 5
    (request,) = script.calls(api.auth.CheckPassword)
    check_is_published(request.password)


async def test_a_raw_call_takes_the_password_as_text() -> None:
    script = Script({api.account.GetPassword: question(), api.auth.CheckPassword: [WRONG, DONE]})
    async with client_of(script) as client:
        client._peers._random = client.environment.random
        with pytest.raises(errors.PasswordHashInvalid):
            await client(api.auth.CheckPassword(password="wrong"))
        await client(api.auth.CheckPassword(password=PASSWORD))
    wrong, right = script.calls(api.auth.CheckPassword)
    assert published("M1") != wrong.password.M1
    check_is_published(right.password)
    assert len(script.calls(api.account.GetPassword)) == 2  # a proof is good for one call


async def test_start_goes_on_with_the_password_and_tells_its_hint() -> None:
    script = Script({
        api.auth.SignIn: NEEDED,
        api.account.GetPassword: question(),
        api.auth.CheckPassword: [WRONG, DONE],
    })  # fmt: skip
    told: list[TwoStep] = []
    answers = iter(["wrong", PASSWORD])

    async def password(state: TwoStep) -> str:
        told.append(state)
        return next(answers)

    async with client_of(script) as client:
        await client.start(phone=PHONE, code="12345", password=password)
    assert [state.hint for state in told] == ["numbers", "numbers"]
    check_is_published(script.calls(api.auth.CheckPassword)[1].password)


async def test_a_person_is_asked_in_secret_and_may_be_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = Script({
        api.auth.SignIn: NEEDED,
        api.account.GetPassword: question(),
        api.auth.CheckPassword: [WRONG, DONE],
    })  # fmt: skip
    asked = type_in(monkeypatch, "wrong", PASSWORD)
    async with client_of(script) as client:
        await client.start(phone=PHONE, code="12345")
    assert asked[0] == "(hidden) Password of two-step verification (hint: numbers): "
    assert asked[1].startswith("(hidden) The password is wrong.")


@pytest.mark.parametrize("fixed", [True, False])
async def test_wrong_passwords_end(fixed: bool) -> None:
    script = Script({
        api.auth.SignIn: NEEDED, api.account.GetPassword: question(), api.auth.CheckPassword: WRONG,
    })  # fmt: skip
    async with client_of(script) as client:
        with pytest.raises(errors.PasswordHashInvalid):
            await client.start(
                phone=PHONE, code="12345", password="wrong" if fixed else lambda: "wrong"
            )
    assert len(script.calls(api.auth.CheckPassword)) == (1 if fixed else 3)


async def test_a_code_and_a_password_at_once() -> None:
    script = Script({
        api.auth.SignIn: NEEDED, api.account.GetPassword: question(), api.auth.CheckPassword: DONE,
    })  # fmt: skip
    async with client_of(script) as client:
        assert await client.sign_in(PHONE, "12345", "hash", password=PASSWORD) is not None


async def test_who_stopped_at_the_password_is_nobody_yet() -> None:
    async with Script({api.users.GetUsers: NEEDED}).client() as client:
        assert not await client.is_authorized()


@pytest.mark.parametrize("name", ["SRP_ID_INVALID", "SRP_PASSWORD_CHANGED"])
async def test_a_question_that_is_too_old_is_asked_again_once(name: str) -> None:
    script = Script({
        api.account.GetPassword: question(), api.auth.CheckPassword: [(400, name), DONE],
    })  # fmt: skip
    async with client_of(script) as client:
        await client.sign_in(password=PASSWORD)
        script.answers[api.auth.CheckPassword] = [(400, name)]
        with pytest.raises(errors.BadRequest, match=name):
            await client.sign_in(password=PASSWORD)


BAD: dict[str, dict[str, Any]] = {
    "a prime of another size": {"current_algo": algo(p=(PRIME >> 1).to_bytes(256, "big"))},
    "not a safe prime": {"current_algo": algo(p=(PRIME - 2**1000).to_bytes(256, "big"))},
    "a long prime": {"current_algo": algo(p=bytes(257))},
    "a generator of a small group": {"current_algo": algo(g=2)},
    "no generator": {"current_algo": algo(g=1)},
    "B is nothing": {"srp_B": b""},
    "B is zero": {"srp_B": bytes(256)},
    "B is one": {"srp_B": bytes(255) + b"\1"},
    "B is the prime": {"srp_B": PRIME.to_bytes(256, "big")},
    "B is too long": {"srp_B": b"\1" + published("B")},
    "an endless salt": {"current_algo": algo(salt1=bytes(10_000))},
}


async def test_without_a_password_the_proof_is_empty() -> None:
    script = Script({api.account.GetPassword: OFF, api.auth.CheckPassword: DONE})
    async with client_of(script) as client:
        await client.sign_in(password=PASSWORD)
    (request,) = script.calls(api.auth.CheckPassword)
    assert request.password == api.InputCheckPasswordEmpty()


@pytest.mark.parametrize("name", BAD)
async def test_a_server_with_bad_numbers_learns_nothing(name: str) -> None:  # C1.1
    script = Script({
        api.account.GetPassword: question(**BAD[name]), api.auth.CheckPassword: DONE,
    })  # fmt: skip
    async with client_of(script) as client:
        with pytest.raises(errors.SecurityError):
            await client.sign_in(password=PASSWORD)
    assert script.calls(api.auth.CheckPassword) == []


async def test_a_way_to_hash_that_is_not_known() -> None:
    unknown = question(current_algo=api.PasswordKdfAlgoUnknown())
    async with client_of(Script({api.account.GetPassword: unknown})) as client:
        with pytest.raises(errors.ClientError, match="passwordKdfAlgoUnknown"):
            await client.sign_in(password=PASSWORD)


# ── setting, changing, removing ──────────────────────────────────────────────────────────────────


@dataclass
class Editing:
    """What one edit_two_step() sent."""

    script: Script

    @property
    def sent(self) -> Any:
        (request,) = self.script.calls(api.account.UpdatePasswordSettings)
        return request


def verifier_of(settings: Any, password: str) -> bytes:
    chosen = settings.new_algo
    return srp.new_verifier(
        srp.Algo.of(chosen.salt1, chosen.salt2, chosen.g, chosen.p), password.encode()
    )


async def test_a_first_password() -> None:
    script = Script({
        api.account.GetPassword: [OFF, OFF, question()], api.account.UpdatePasswordSettings: True,
    })  # fmt: skip
    async with client_of(script) as client:
        state = await client.edit_two_step(new="secret", hint="what nobody knows")
    assert state.is_on
    sent = Editing(script).sent
    assert sent.password == api.InputCheckPasswordEmpty()
    settings = sent.new_settings
    assert settings.new_algo.salt1 == b"offered" + bytes(range(32))
    assert settings.new_password_hash == verifier_of(settings, "secret")
    assert (settings.hint, settings.email) == ("what nobody knows", None)


async def test_another_password_is_proved_with_the_old_one() -> None:
    script = Script({
        api.account.GetPassword: question(), api.account.UpdatePasswordSettings: True,
    })  # fmt: skip
    async with client_of(script) as client:
        await client.edit_two_step(PASSWORD, "secret")
    sent = Editing(script).sent
    check_is_published(sent.password)
    assert sent.new_settings.new_password_hash == verifier_of(sent.new_settings, "secret")


async def test_no_password_any_more() -> None:
    script = Script({
        api.account.GetPassword: [question(), question(), OFF],
        api.account.UpdatePasswordSettings: True,
    })  # fmt: skip
    async with client_of(script) as client:
        state = await client.edit_two_step(PASSWORD, "")
    assert not state.is_on
    assert repr(state) == "<TwoStep off>"
    settings = Editing(script).sent.new_settings
    assert settings.new_algo == api.PasswordKdfAlgoUnknown()
    assert settings.new_password_hash == b""


UNCONFIRMED = (400, "EMAIL_UNCONFIRMED_6")


async def test_an_email_address_is_confirmed_with_its_code() -> None:
    script = Script({
        api.account.GetPassword: question(),
        api.account.UpdatePasswordSettings: UNCONFIRMED,
        api.account.ConfirmPasswordEmail: [(400, "CODE_INVALID"), True],
    })  # fmt: skip
    codes = iter(["1", "2"])
    told = []
    async with client_of(script) as client:
        await client.edit_two_step(
            PASSWORD, email="a@b.c", email_code=lambda length: told.append(length) or next(codes)
        )
    settings = Editing(script).sent.new_settings
    assert (settings.email, settings.new_algo, settings.new_password_hash) == ("a@b.c", None, None)
    assert [call.code for call in script.calls(api.account.ConfirmPasswordEmail)] == ["1", "2"]
    assert told == [6, 6]


async def test_an_email_address_may_wait_for_its_code() -> None:
    waiting = question(email_unconfirmed_pattern="a*@b.c")
    script = Script({
        api.account.GetPassword: waiting,
        api.account.UpdatePasswordSettings: UNCONFIRMED,
        api.account.ConfirmPasswordEmail: True,
        api.account.ResendPasswordEmail: True,
        api.account.CancelPasswordEmail: True,
    })  # fmt: skip
    async with client_of(script) as client:
        state = await client.edit_two_step(PASSWORD, email="a@b.c")
        assert state.unconfirmed_email == "a*@b.c"
        await client.resend_two_step_email()
        await client.confirm_two_step_email(123456)
        await client.cancel_two_step_email()
    assert script.calls(api.account.ConfirmPasswordEmail)[0].code == "123456"


async def test_a_person_is_asked_for_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script({
        api.account.GetPassword: question(),
        api.account.UpdatePasswordSettings: [WRONG, UNCONFIRMED],
        api.account.ConfirmPasswordEmail: True,
    })  # fmt: skip
    asked = type_in(monkeypatch, "wrong", PASSWORD, "123456")
    async with client_of(script) as client:
        await client.edit_two_step(email="a@b.c")
    assert asked[0] == "(hidden) Current password: "
    assert asked[2] == "Code of 6 digits from the e-mail: "


@pytest.mark.parametrize(
    ("state", "given", "text"),
    [
        (question(), {}, "has nothing to do"),
        (question(), {"new": "secret"}, r"edit_two_step\(current=\) is needed"),
        (OFF, {"new": ""}, "no password to remove"),
        (OFF, {"email": "a@b.c"}, "needs a password first"),
    ],
)
async def test_what_cannot_be_done_is_told(state: Any, given: Any, text: str) -> None:
    script = Script({api.account.GetPassword: state})
    async with client_of(script) as client:
        with pytest.raises(errors.ClientError, match=text):
            await client.edit_two_step(**given)


async def test_the_group_of_a_new_password_is_checked_too() -> None:
    script = Script({
        api.account.GetPassword: replace(OFF, new_algo=algo(g=2)),
        api.account.UpdatePasswordSettings: True,
    })  # fmt: skip
    async with client_of(script) as client:
        with pytest.raises(errors.SecurityError):
            await client.edit_two_step(new="secret")
    assert script.calls(api.account.UpdatePasswordSettings) == []


# ── a forgotten password ─────────────────────────────────────────────────────────────────────────


async def test_a_forgotten_password_is_replaced_with_a_code() -> None:
    script = Script({
        api.account.GetPassword: question(),
        api.auth.RequestPasswordRecovery: api.auth.PasswordRecovery(email_pattern="a*@b.c"),
        api.auth.CheckRecoveryPassword: [(400, "CODE_INVALID"), True],
        api.auth.RecoverPassword: DONE,
    })  # fmt: skip
    codes = iter(["1", "2"])
    async with client_of(script) as client:
        assert await client.request_recovery() == "a*@b.c"
        me = await client.recover_two_step(lambda: next(codes), "secret", hint="new")
        assert me.id == 5
    (request,) = script.calls(api.auth.RecoverPassword)
    assert request.code == "2"
    assert request.new_settings.hint == "new"
    assert request.new_settings.new_password_hash == verifier_of(request.new_settings, "secret")


async def test_a_forgotten_password_may_just_go() -> None:
    script = Script({api.auth.CheckRecoveryPassword: True, api.auth.RecoverPassword: DONE})
    async with client_of(script) as client:
        await client.recover_two_step("1")
    assert script.calls(api.auth.RecoverPassword)[0].new_settings is None


async def test_a_reset_takes_its_time() -> None:
    script = Script({
        api.account.ResetPassword: [
            api.account.ResetPasswordRequestedWait(until_date=1_900_000_000),
            api.account.ResetPasswordFailedWait(retry_date=1_900_000_000),
            api.account.ResetPasswordOk(),
        ],
        api.account.DeclinePasswordReset: True,
        api.account.GetPassword: question(pending_reset_date=1_900_000_000),
    })  # fmt: skip
    async with client_of(script) as client:
        asked = await client.reset_two_step()
        state = await client.get_two_step()
        assert not asked.done
        assert asked.at == state.reset_at is not None
        await client.cancel_two_step_reset()
        refused = await client.reset_two_step()
        assert (refused.done, refused.at, refused.refused_until) == (False, None, asked.at)
        assert (await client.reset_two_step()).done


async def test_a_deletion_proves_the_password() -> None:
    script = Script({
        api.users.GetUsers: [NOBODY],
        api.account.GetPassword: question(),
        api.account.DeleteAccount: True,
    })  # fmt: skip
    script.answers[api.users.GetUsers] = [[ANNA]]
    client = client_of(script)
    await client.connect()
    await client.delete_account(phone=PHONE, password=PASSWORD)
    check_is_published(script.calls(api.account.DeleteAccount)[0].password)
