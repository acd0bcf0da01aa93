"""Two-step verification on the server: set, proved, changed, forgotten, reset (C1.1)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.crypto import srp
from radiogram.server.rpc import RpcFault
from radiogram.tl import api

from .keyed import Keyed
from .stage import NOON, Stage
from .two_step import PHONE, algo_of, change, check, new_settings, proof, refused, sign_in

WEEK = 7 * 86400

pytestmark = pytest.mark.usefixtures("remembered_hashes")


@pytest.fixture
def device(stage: Stage) -> Keyed:
    device = Keyed(stage.world)
    sign_in(device)
    return device


@pytest.fixture
def guarded(stage: Stage, device: Keyed) -> Keyed:
    """A device of an account whose password is `old`."""
    stage.world.set_password(stage.ann, "old", hint="not new", email="ann@example.com")
    return device


# ------------------------------------------------------------------ what there is


def test_no_password(device: Keyed) -> None:
    """C1.1: has_password absent, no current_algo, no srp_*; but what a new one needs."""
    state = device.call(api.account.GetPassword())
    assert (state.has_password, state.current_algo, state.srp_B, state.srp_id) == (
        False,
        None,
        None,
        None,
    )
    algo_of(state.new_algo).check_group()
    assert len(state.new_algo.salt1) >= 8
    assert isinstance(state.new_secure_algo, api.SecurePasswordKdfAlgoPBKDF2HMACSHA512iter100000)
    assert len(state.secure_random) == 256
    empty = api.InputCheckPasswordEmpty()
    assert device.call(api.account.GetPasswordSettings(password=empty)).email is None


def test_set_and_log_in_and_change_and_remove(stage: Stage, device: Keyed) -> None:
    """C1.1, C1: signIn answers 401 SESSION_PASSWORD_NEEDED, checkPassword logs in."""
    assert device.call(change(device, "", "correct horse", hint="battery")) is True
    state = device.call(api.account.GetPassword())
    assert (state.has_password, state.has_recovery, state.hint) == (True, False, "battery")
    assert len(state.srp_B) == 256

    other = Keyed(stage.world)
    with pytest.raises(RpcFault, match="401 SESSION_PASSWORD_NEEDED"):
        sign_in(other)
    assert refused(other, api.updates.GetState()) == (401, "SESSION_PASSWORD_NEEDED")
    assert refused(other, check(other, "wrong")) == (400, "PASSWORD_HASH_INVALID")
    stage.world.pushed.clear()
    assert other.call(check(other, "correct horse")).user.id == stage.ann
    assert other.call(api.updates.GetState())
    (push,) = [push for push in stage.world.pushed if push.user_id == stage.ann]
    assert push.updates.update.hash == other.authorization.hash

    assert refused(device, change(device, "wrong", "new")) == (400, "PASSWORD_HASH_INVALID")
    assert device.call(change(device, "correct horse", "new"))
    assert refused(other, change(other, "correct horse", "")) == (400, "PASSWORD_HASH_INVALID")
    assert other.call(change(other, "new", ""))
    assert not device.call(api.account.GetPassword()).has_password
    assert sign_in(Keyed(stage.world)).user.id == stage.ann


def test_the_half_way_outlives_the_session(stage: Stage, guarded: Keyed) -> None:
    other = Keyed(stage.world)
    with pytest.raises(RpcFault, match="SESSION_PASSWORD_NEEDED"):
        sign_in(other)
    other.forget()
    again = stage.world.authorizations.get(other.key.key_id)
    assert again is not None
    assert (again.user_id, again.pending_user_id) == (0, stage.ann)
    listed = guarded.call(api.account.GetAuthorizations()).authorizations
    assert [one.password_pending for one in listed] == [False, True]


def test_nobody_asks_for_a_password_without_a_login(stage: Stage) -> None:
    device = Keyed(stage.world)
    for request in (
        api.account.GetPassword(),
        api.auth.RequestPasswordRecovery(),
        api.auth.CheckPassword(password=api.InputCheckPasswordEmpty()),
        api.account.DeleteAccount(reason=""),
    ):
        assert refused(device, request) == (401, "AUTH_KEY_UNREGISTERED")


# ------------------------------------------------------------------ proofs


def test_a_check_is_good_once(guarded: Keyed) -> None:
    """C1.1: srp_id is single use; a used or unknown one is SRP_ID_INVALID."""
    request = check(guarded, "old")
    assert guarded.call(request)
    assert refused(guarded, request) == (400, "SRP_ID_INVALID")
    wrong = check(guarded, "wrong")
    assert refused(guarded, wrong) == (400, "PASSWORD_HASH_INVALID")
    assert refused(guarded, wrong) == (400, "SRP_ID_INVALID"), "also used up by a wrong proof"
    unknown = api.InputCheckPasswordSRP(srp_id=1, A=b"\2" * 256, M1=bytes(32))
    assert refused(guarded, api.auth.CheckPassword(password=unknown)) == (400, "SRP_ID_INVALID")


def test_a_check_expires(stage: Stage, guarded: Keyed) -> None:
    """C1.1."""
    request = check(guarded, "old")
    stage.world.clock.advance(stage.world.settings.password_check_lifetime)
    assert refused(guarded, request) == (400, "SRP_ID_INVALID")


def test_a_check_is_of_one_account(stage: Stage, guarded: Keyed) -> None:
    stage.world.set_password(stage.bob, "old")
    other = Keyed(stage.world)
    with pytest.raises(RpcFault, match="SESSION_PASSWORD_NEEDED"):
        sign_in(other, "9996622222")
    request = check(other, "old")
    assert refused(guarded, request) == (400, "SRP_ID_INVALID")


def test_a_password_that_changed_meanwhile(stage: Stage, guarded: Keyed) -> None:
    """C1.1: SRP_PASSWORD_CHANGED."""
    request = check(guarded, "old")
    stage.world.set_password(stage.ann, "newer")
    assert refused(guarded, request) == (400, "SRP_PASSWORD_CHANGED")


@pytest.mark.parametrize("public", [0, 1, srp.PRIME - 1, srp.PRIME])
def test_a_senseless_public_value(guarded: Keyed, public: int) -> None:
    """C1.1: 1 < A < p - 1."""
    state = guarded.call(api.account.GetPassword())
    given = api.InputCheckPasswordSRP(
        srp_id=state.srp_id, A=public.to_bytes(256, "big"), M1=bytes(32)
    )
    request = api.auth.CheckPassword(password=given)
    assert refused(guarded, request) == (400, "PASSWORD_HASH_INVALID")


def test_no_proof_is_no_proof(guarded: Keyed) -> None:
    empty = api.InputCheckPasswordEmpty()
    for request in (
        api.auth.CheckPassword(password=empty),
        api.account.GetPasswordSettings(password=empty),
        api.account.UpdatePasswordSettings(
            password=empty, new_settings=new_settings(guarded, "mine now")
        ),
        api.account.DeleteAccount(reason="", password=empty),
    ):
        assert refused(guarded, request) == (400, "PASSWORD_HASH_INVALID")


def test_guessing_can_be_limited(make_stage: Any) -> None:
    """C1: PHONE_PASSWORD_FLOOD."""
    stage = make_stage(password_attempts=2)
    stage.world.set_password(stage.ann, "old")
    device = Keyed(stage.world)
    with pytest.raises(RpcFault, match="SESSION_PASSWORD_NEEDED"):
        sign_in(device)
    for _ in range(2):
        assert refused(device, check(device, "wrong")) == (400, "PASSWORD_HASH_INVALID")
    code, message = refused(device, check(device, "old"))
    assert (code, message) == (420, "FLOOD_WAIT_86401")
    send = api.auth.SendCode(
        phone_number=PHONE, api_id=1, api_hash="x", settings=api.CodeSettings()
    )
    assert refused(Keyed(stage.world), send) == (406, "PHONE_PASSWORD_FLOOD")
    stage.world.clock.advance(86400)
    assert device.call(check(device, "old"))


# ------------------------------------------------------------------ settings


def test_a_new_salt_begins_as_offered(device: Keyed) -> None:
    """C1.1: NEW_SALT_INVALID."""
    for change_of in ("other", "short", "long", "second"):
        settings = new_settings(device, "pw")
        algo: Any = settings.new_algo
        if change_of == "other":
            algo.salt1 = bytes(len(algo.salt1))
        elif change_of == "short":
            algo.salt1 = algo.salt1[:8]
        elif change_of == "long":
            algo.salt1 += bytes(200)
        else:
            algo.salt2 = bytes(16)
        request = api.account.UpdatePasswordSettings(
            password=api.InputCheckPasswordEmpty(), new_settings=settings
        )
        assert refused(device, request) == (400, "NEW_SALT_INVALID")


def test_a_salt_is_offered_once(device: Keyed) -> None:
    settings = new_settings(device, "pw")
    assert device.call(
        api.account.UpdatePasswordSettings(
            password=api.InputCheckPasswordEmpty(), new_settings=settings
        )
    )
    again = api.account.UpdatePasswordSettings(password=proof(device, "pw"), new_settings=settings)
    assert refused(device, again) == (400, "NEW_SALT_INVALID")


@pytest.mark.parametrize("fields", [{"new_password_hash": b"\0" * 256}, {"hint": "x" * 300}])
def test_settings_that_make_no_sense(device: Keyed, fields: dict[str, Any]) -> None:
    """C1.1: NEW_SETTINGS_INVALID."""
    settings = new_settings(device, "pw")
    for name, value in fields.items():
        setattr(settings, name, value)
    request = api.account.UpdatePasswordSettings(
        password=api.InputCheckPasswordEmpty(), new_settings=settings
    )
    assert refused(device, request) == (400, "NEW_SETTINGS_INVALID")


def test_settings_that_say_nothing(device: Keyed, stage: Stage) -> None:
    """C1.1: NEW_SETTINGS_EMPTY."""
    nothing = api.account.PasswordInputSettings()
    address = api.account.PasswordInputSettings(email="ann@example.com")
    for settings in (nothing, address, new_settings(device, "")):
        request = api.account.UpdatePasswordSettings(
            password=api.InputCheckPasswordEmpty(), new_settings=settings
        )
        assert refused(device, request) == (400, "NEW_SETTINGS_EMPTY")


def test_secrets_that_the_server_only_keeps(guarded: Keyed) -> None:
    secure = api.SecureSecretSettings(
        secure_algo=api.SecurePasswordKdfAlgoPBKDF2HMACSHA512iter100000(salt=b"s"),
        secure_secret=bytes(32),
        secure_secret_id=5,
    )
    settings = api.account.PasswordInputSettings(new_secure_settings=secure)
    assert guarded.call(
        api.account.UpdatePasswordSettings(password=proof(guarded, "old"), new_settings=settings)
    )
    assert guarded.call(api.account.GetPassword()).has_secure_values
    found = guarded.call(api.account.GetPasswordSettings(password=proof(guarded, "old")))
    assert found.secure_settings == secure


def test_temporary_passwords(guarded: Keyed, stage: Stage) -> None:
    found = guarded.call(api.account.GetTmpPassword(password=proof(guarded, "old"), period=10**6))
    assert found.tmp_password
    assert found.valid_until == NOON + 86400
    bob = Keyed(stage.world)
    sign_in(bob, "9996622222")
    empty = api.InputCheckPasswordEmpty()
    request = api.account.GetTmpPassword(password=empty, period=60)
    assert refused(bob, request) == (400, "TMP_PASSWORD_DISABLED")


# ------------------------------------------------------------------ e-mail


def test_every_e_mail_may_have_one_code() -> None:
    stage = Stage(email_code="271828")
    device = Keyed(stage.world)
    sign_in(device)
    request = change(device, "", "pw", email="ann@example.com")
    assert refused(device, request) == (400, "EMAIL_UNCONFIRMED_6")
    assert device.call(api.account.ConfirmPasswordEmail(code="271828"))
    assert [mail.code for mail in stage.world.mails] == ["271828"]


def test_an_address_is_confirmed_before_the_password_holds(stage: Stage, device: Keyed) -> None:
    """C1.1: EMAIL_UNCONFIRMED_X, X being the length of the code."""
    request = change(device, "", "pw", email="ann@example.com")
    assert refused(device, request) == (400, "EMAIL_UNCONFIRMED_6")
    state = device.call(api.account.GetPassword())
    assert not state.has_password
    assert state.email_unconfirmed_pattern == "a***n@example.com"
    (mail,) = stage.world.mails
    assert (mail.to, mail.purpose) == ("ann@example.com", "confirm")
    wrong = "0" * 6 if mail.code != "0" * 6 else "1" * 6
    confirm = api.account.ConfirmPasswordEmail(code=wrong)
    assert refused(device, confirm) == (400, "CODE_INVALID")
    assert device.call(api.account.ResendPasswordEmail())
    newest = stage.world.mails[-1]
    assert device.call(api.account.ConfirmPasswordEmail(code=newest.code))
    state = device.call(api.account.GetPassword())
    assert (state.has_password, state.has_recovery) == (True, True)
    assert state.email_unconfirmed_pattern is None
    found = device.call(api.account.GetPasswordSettings(password=proof(device, "pw")))
    assert found.email == "ann@example.com"


def test_an_address_that_is_none(guarded: Keyed) -> None:
    for email in ("x", "a@b", "a b@example.com", "@example.com", f"{'x' * 200}@example.com"):
        settings = api.account.PasswordInputSettings(email=email)
        request = api.account.UpdatePasswordSettings(
            password=proof(guarded, "old"), new_settings=settings
        )
        assert refused(guarded, request) == (400, "EMAIL_INVALID")


def test_another_address_waits_and_can_be_called_off(guarded: Keyed, stage: Stage) -> None:
    settings = api.account.PasswordInputSettings(email="other@example.com")
    request = api.account.UpdatePasswordSettings(
        password=proof(guarded, "old"), new_settings=settings
    )
    assert refused(guarded, request) == (400, "EMAIL_UNCONFIRMED_6")
    assert guarded.call(api.account.CancelPasswordEmail())
    for method in (
        api.account.CancelPasswordEmail(),
        api.account.ResendPasswordEmail(),
        api.account.ConfirmPasswordEmail(code=stage.world.mails[-1].code),
    ):
        assert refused(guarded, method) == (400, "EMAIL_HASH_EXPIRED")
    none = api.account.PasswordInputSettings(email="")
    assert guarded.call(
        api.account.UpdatePasswordSettings(password=proof(guarded, "old"), new_settings=none)
    )
    assert not guarded.call(api.account.GetPassword()).has_recovery


def test_a_code_from_an_e_mail_expires(stage: Stage, guarded: Keyed) -> None:
    settings = api.account.PasswordInputSettings(email="other@example.com")
    request = api.account.UpdatePasswordSettings(
        password=proof(guarded, "old"), new_settings=settings
    )
    assert refused(guarded, request) == (400, "EMAIL_UNCONFIRMED_6")
    stage.world.clock.advance(stage.world.settings.email_code_lifetime)
    confirm = api.account.ConfirmPasswordEmail(code=stage.world.mails[-1].code)
    assert refused(guarded, confirm) == (400, "EMAIL_HASH_EXPIRED")


# ------------------------------------------------------------------ forgotten


@pytest.fixture
def stopped(stage: Stage, guarded: Keyed) -> Keyed:
    """A device that wants the password of the account of `guarded`."""
    device = Keyed(stage.world)
    with pytest.raises(RpcFault, match="SESSION_PASSWORD_NEEDED"):
        sign_in(device)
    return device


def test_recovery_by_e_mail(stage: Stage, stopped: Keyed) -> None:
    """C1.1: requestPasswordRecovery, checkRecoveryPassword, recoverPassword."""
    found = stopped.call(api.auth.RequestPasswordRecovery())
    assert found.email_pattern == "a***n@example.com"
    mail = stage.world.mails[-1]
    assert mail.purpose == "recover"
    wrong = "0" * 6 if mail.code != "0" * 6 else "1" * 6
    for method in (api.auth.CheckRecoveryPassword, api.auth.RecoverPassword):
        assert refused(stopped, method(code="")) == (400, "CODE_EMPTY")
        assert refused(stopped, method(code=wrong)) == (400, "CODE_INVALID")
    assert stopped.call(api.auth.CheckRecoveryPassword(code=mail.code)) is True
    assert stopped.call(api.auth.RecoverPassword(code=mail.code)).user.id == stage.ann
    assert not stopped.call(api.account.GetPassword()).has_password
    assert refused(stopped, api.auth.RecoverPassword(code=mail.code)) == (
        400,
        "PASSWORD_RECOVERY_EXPIRED",
    )


def test_recovery_with_a_new_password(stage: Stage, stopped: Keyed) -> None:
    stopped.call(api.auth.RequestPasswordRecovery())
    settings = new_settings(stopped, "new", hint="again")
    code = stage.world.mails[-1].code
    assert stopped.call(api.auth.RecoverPassword(code=code, new_settings=settings)).user
    state = stopped.call(api.account.GetPassword())
    assert (state.has_password, state.has_recovery, state.hint) == (True, True, "again")
    assert stopped.call(check(stopped, "new"))


def test_recovery_that_cannot_be(stage: Stage, stopped: Keyed, device: Keyed) -> None:
    """C1.1: PASSWORD_RECOVERY_NA, PASSWORD_EMPTY."""
    stage.world.set_password(stage.ann, "without an address")
    recover = api.auth.RequestPasswordRecovery()
    assert refused(stopped, recover) == (400, "PASSWORD_RECOVERY_NA")
    stage.world.set_password(stage.ann, "")
    assert refused(stopped, recover) == (400, "PASSWORD_EMPTY")


def test_a_recovery_expires(stage: Stage, stopped: Keyed) -> None:
    stopped.call(api.auth.RequestPasswordRecovery())
    stage.world.clock.advance(stage.world.settings.email_code_lifetime)
    request = api.auth.CheckRecoveryPassword(code=stage.world.mails[-1].code)
    assert refused(stopped, request) == (400, "PASSWORD_RECOVERY_EXPIRED")


def test_guessing_a_recovery_is_bounded(stage: Stage, stopped: Keyed) -> None:
    stopped.call(api.auth.RequestPasswordRecovery())
    code = stage.world.mails[-1].code
    wrong = "0" * 6 if code != "0" * 6 else "1" * 6
    for _ in range(stage.world.settings.login_code_attempts):
        stopped_by = refused(stopped, api.auth.CheckRecoveryPassword(code=wrong))
        assert stopped_by == (400, "CODE_INVALID")
    assert refused(stopped, api.auth.CheckRecoveryPassword(code=code)) == (400, "CODE_INVALID")


# ------------------------------------------------------------------ reset


def test_a_reset_waits_a_week(stage: Stage, guarded: Keyed) -> None:
    """C1.1: resetPasswordRequestedWait (7 days), later resetPasswordOk."""
    wait = api.account.ResetPasswordRequestedWait(until_date=NOON + WEEK)
    assert guarded.call(api.account.ResetPassword()) == wait
    assert guarded.call(api.account.GetPassword()).pending_reset_date == NOON + WEEK
    stage.world.clock.advance(WEEK - 1)
    assert guarded.call(api.account.ResetPassword()) == wait
    stage.world.clock.advance(1)
    assert guarded.call(api.account.ResetPassword()) == api.account.ResetPasswordOk()
    assert not guarded.call(api.account.GetPassword()).has_password
    assert refused(guarded, api.account.ResetPassword()) == (400, "PASSWORD_EMPTY")


def test_a_reset_that_was_declined(stage: Stage, guarded: Keyed) -> None:
    """C1.1: after a cancel resetPasswordFailedWait."""
    decline = api.account.DeclinePasswordReset()
    assert refused(guarded, decline) == (400, "RESET_REQUEST_MISSING")
    guarded.call(api.account.ResetPassword())
    assert guarded.call(decline) is True
    assert guarded.call(api.account.GetPassword()).pending_reset_date is None
    failed = api.account.ResetPasswordFailedWait(retry_date=NOON + WEEK)
    assert guarded.call(api.account.ResetPassword()) == failed
    stage.world.clock.advance(WEEK)
    again = guarded.call(api.account.ResetPassword())
    assert again == api.account.ResetPasswordRequestedWait(until_date=NOON + 2 * WEEK)


def test_a_reset_is_told_and_called_off_by_the_password(stage: Stage, guarded: Keyed) -> None:
    stage.world.pushed.clear()
    guarded.call(api.account.ResetPassword())
    (push,) = [push for push in stage.world.pushed if push.user_id == stage.ann]
    assert "reset" in push.updates.updates[0].message.message
    guarded.call(check(guarded, "old"))
    assert guarded.call(api.account.GetPassword()).pending_reset_date is None


# ------------------------------------------------------------------ deletion


def test_deletion(stage: Stage, device: Keyed) -> None:
    """C1, tier 3."""
    other = Keyed(stage.world)
    sign_in(other)
    assert device.call(api.account.DeleteAccount(reason="done")) is True
    assert refused(other, api.updates.GetState()) == (401, "USER_DEACTIVATED")
    assert refused(other, api.updates.GetState()) == (401, "AUTH_KEY_UNREGISTERED")
    fresh = Keyed(stage.world)
    assert isinstance(sign_in(fresh), api.auth.AuthorizationSignUpRequired)


def test_deletion_with_the_password(stage: Stage, stopped: Keyed) -> None:
    wrong = api.account.DeleteAccount(reason="", password=proof(stopped, "wrong"))
    assert refused(stopped, wrong) == (400, "PASSWORD_HASH_INVALID")
    request = api.account.DeleteAccount(reason="", password=proof(stopped, "old"))
    assert stopped.call(request) is True


def test_deletion_without_the_password_waits_a_week(stage: Stage, stopped: Keyed) -> None:
    """C1: 2FA_CONFIRM_WAIT_X 420."""
    request = api.account.DeleteAccount(reason="Forgot password")
    assert refused(stopped, request) == (420, f"2FA_CONFIRM_WAIT_{WEEK}")
    stage.world.clock.advance(WEEK - 60)
    assert refused(stopped, request) == (420, "2FA_CONFIRM_WAIT_60")
    stage.world.clock.advance(60)
    assert stopped.call(request) is True


def test_the_password_calls_a_deletion_off(stage: Stage, stopped: Keyed, guarded: Keyed) -> None:
    request = api.account.DeleteAccount(reason="Forgot password")
    assert refused(stopped, request) == (420, f"2FA_CONFIRM_WAIT_{WEEK}")
    guarded.call(check(guarded, "old"))
    stage.world.clock.advance(WEEK)
    assert refused(stopped, request) == (420, f"2FA_CONFIRM_WAIT_{WEEK}")
