"""The sessions of an account: listed, confirmed, ended; ways in that are not played (C1)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server.rpc import RpcFault
from radiogram.tl import api

from .keyed import Keyed
from .stage import Stage
from .two_step import PHONE, check, refused, sign_in

DAY = 86400


def listed(device: Keyed) -> list[Any]:
    return device.call(api.account.GetAuthorizations()).authorizations


def test_a_new_session_may_not_end_others(make_stage: Any) -> None:
    """C1: 406 FRESH_RESET_AUTHORISATION_FORBIDDEN for a session younger than a day."""
    stage = make_stage(fresh_reset_wait=DAY)
    old, new = Keyed(stage.world), Keyed(stage.world)
    sign_in(old)
    stage.world.clock.advance(DAY)
    sign_in(new)
    forbidden = (406, "FRESH_RESET_AUTHORISATION_FORBIDDEN")
    (other,) = [one.hash for one in listed(new) if not one.current]
    assert refused(new, api.account.ResetAuthorization(hash=other)) == forbidden
    assert refused(new, api.auth.ResetAuthorizations()) == forbidden
    assert refused(new, api.account.SetAuthorizationTTL(authorization_ttl_days=7)) == forbidden
    assert old.call(api.auth.ResetAuthorizations()) is True
    assert refused(new, api.updates.GetState()) == (401, "SESSION_REVOKED")


def test_a_session_ended_while_it_was_away(stage: Stage) -> None:
    """C1: its next call is SESSION_REVOKED, however long after."""
    first, second = Keyed(stage.world), Keyed(stage.world)
    sign_in(first)
    sign_in(second)
    second.forget()
    first.call(api.auth.ResetAuthorizations())
    found = stage.world.authorizations.get(second.key.key_id)
    assert found is not None
    assert (found.user_id, found.fault) == (0, "SESSION_REVOKED")
    second.authorization = found
    stage.world.authorizations.attach(second, found)
    assert refused(second, api.updates.GetState()) == (401, "SESSION_REVOKED")
    assert refused(second, api.updates.GetState()) == (401, "AUTH_KEY_UNREGISTERED")
    sign_in(second)
    assert second.call(api.updates.GetState())


def test_logins_can_need_to_be_confirmed(make_stage: Any) -> None:
    """C1: updateNewAuthorization{unconfirmed, date, device, location}."""
    stage = make_stage(confirm_logins=True)
    first, second = Keyed(stage.world), Keyed(stage.world)
    sign_in(first)
    first.call(api.account.ChangeAuthorizationSettings(hash=0, confirmed=True))
    first.pushed.clear()
    sign_in(second)
    news = first.pushed[-1].update
    assert (news.unconfirmed, news.device, news.location) == (True, "Keyed", "DE")
    assert [one.unconfirmed for one in listed(first)] == [False, True]
    settings = api.account.ChangeAuthorizationSettings(
        hash=news.hash,
        confirmed=True,
        encrypted_requests_disabled=True,
        call_requests_disabled=True,
    )
    assert first.call(settings) is True
    (other,) = [one for one in listed(first) if not one.current]
    assert (other.unconfirmed, other.encrypted_requests_disabled, other.call_requests_disabled) == (
        False,
        True,
        True,
    )
    settings.hash = 12345
    assert refused(first, settings) == (400, "HASH_INVALID")


def test_sessions_end_by_disuse(stage: Stage) -> None:
    """C1: account.setAuthorizationTTL."""
    first, second = Keyed(stage.world), Keyed(stage.world)
    sign_in(first)
    sign_in(second)
    for days in (0, -1, 367):
        request = api.account.SetAuthorizationTTL(authorization_ttl_days=days)
        assert refused(first, request) == (400, "TTL_DAYS_INVALID")
    assert first.call(api.account.SetAuthorizationTTL(authorization_ttl_days=7)) is True
    assert first.call(api.account.GetAuthorizations()).authorization_ttl_days == 7
    second.forget()
    stage.world.clock.advance(7 * DAY)
    found = stage.world.authorizations.get(second.key.key_id)
    assert found is not None
    assert (found.user_id, found.fault) == (0, "SESSION_EXPIRED")
    assert first.call(api.updates.GetState()), "a session that is connected is in use"


def test_the_end_of_an_unused_account(stage: Stage) -> None:
    """C2: account.getAccountTTL, setAccountTTL."""
    device = Keyed(stage.world)
    sign_in(device)
    assert device.call(api.account.GetAccountTTL()) == api.AccountDaysTTL(days=365)
    for days in (0, 731):
        request = api.account.SetAccountTTL(ttl=api.AccountDaysTTL(days=days))
        assert refused(device, request) == (400, "TTL_DAYS_INVALID")
    assert device.call(api.account.SetAccountTTL(ttl=api.AccountDaysTTL(days=90))) is True
    assert device.call(api.account.GetAccountTTL()).days == 90
    assert device.call(api.account.GetWebAuthorizations()).authorizations == []


# ------------------------------------------------------------------ coming back


def send_with(device: Keyed, *tokens: bytes) -> Any:
    return device.call(
        api.auth.SendCode(
            phone_number=PHONE,
            api_id=1,
            api_hash="x",
            settings=api.CodeSettings(logout_tokens=list(tokens)),
        )
    )


def test_a_future_token_saves_the_code(make_stage: Any) -> None:
    """C1: a valid future auth token in settings.logout_tokens gives sentCodeSuccess, once."""
    stage = make_stage(future_auth_tokens="always")
    device = Keyed(stage.world)
    sign_in(device)
    token = device.call(api.auth.LogOut()).future_auth_token
    assert token
    assert refused(device, api.updates.GetState()) == (401, "AUTH_KEY_UNREGISTERED")
    assert isinstance(send_with(device, b"another"), api.auth.SentCode)
    success = send_with(device, b"another", token)
    assert success.authorization.user.id == stage.ann
    assert device.call(api.updates.GetState())
    assert isinstance(send_with(Keyed(stage.world), token), api.auth.SentCode)


def test_a_future_token_does_not_save_the_password(stage: Stage) -> None:
    """C1: or SESSION_PASSWORD_NEEDED."""
    device = Keyed(stage.world)
    sign_in(device)
    assert device.call(api.auth.LogOut()).future_auth_token is None, "there was no password"
    sign_in(device)
    stage.world.set_password(stage.ann, "pw")
    token = device.call(api.auth.LogOut()).future_auth_token
    with pytest.raises(RpcFault, match="401 SESSION_PASSWORD_NEEDED"):
        send_with(device, token)
    assert device.call(check(device, "pw")).user.id == stage.ann
    assert isinstance(send_with(Keyed(stage.world), token), api.auth.SentCode)


# ------------------------------------------------------------------ ways that are not played


def test_ways_that_nobody_has_set_up(stage: Stage) -> None:
    """C1, tier 3."""
    fresh, device = Keyed(stage.world), Keyed(stage.world)
    sign_in(device)
    credential = api.InputPasskeyCredentialPublicKey(
        id="1", raw_id="1", response=api.InputPasskeyResponseRegister(
            client_data=api.DataJSON(data="{}"), attestation_data=b""
        )
    )  # fmt: skip
    setup = api.EmailVerifyPurposeLoginSetup(phone_number=PHONE, phone_code_hash="x")
    change = api.EmailVerifyPurposeLoginChange()
    verification = api.EmailVerificationCode(code="1")
    for caller, request, error in (
        (fresh, api.account.SendVerifyEmailCode(purpose=setup, email="a@b.c"), "EMAIL_NOT_ALLOWED"),
        (device, api.account.SendVerifyEmailCode(purpose=change, email="a@b.c"), "EMAIL_NOT_SETUP"),
        (
            fresh,
            api.account.VerifyEmail(purpose=setup, verification=verification),
            "EMAIL_VERIFY_EXPIRED",
        ),
        (
            fresh,
            api.auth.ResetLoginEmail(phone_number=PHONE, phone_code_hash="x"),
            "EMAIL_INSTALL_MISSING",
        ),
        (
            fresh,
            api.auth.InitPasskeyLogin(api_id=1, api_hash="x"),
            "PASSKEY_CREDENTIAL_NOT_FOUND",
        ),
        (fresh, api.auth.FinishPasskeyLogin(credential=credential), "CREDENTIAL_INVALID"),
        (device, api.account.RegisterPasskey(credential=credential), "CREDENTIAL_INVALID"),
        (device, api.account.DeletePasskey(id="1"), "PASSKEY_CREDENTIAL_NOT_FOUND"),
        (
            fresh,
            api.auth.ImportWebTokenAuthorization(api_id=1, api_hash="x", web_auth_token="x"),
            "WEBAUTH_TOKEN_EXPIRED",
        ),
    ):
        assert refused(caller, request) == (400, error)
    assert refused(device, api.account.InitPasskeyRegistration()) == (403, "ACCESS_DENIED")
    assert device.call(api.account.GetPasskeys()).passkeys == []
