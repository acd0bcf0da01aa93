"""auth.*LoginToken: logging in by a token that another session accepts (C1, api/qr-login)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import Server
from radiogram.server.rpc import RpcFault
from radiogram.server.world import Address
from radiogram.tl import api

from .keyed import Keyed
from .raw import RawClient
from .stage import NOON, Stage
from .two_step import PHONE, check, refused, sign_in


def export(*except_ids: int) -> api.auth.ExportLoginToken:
    return api.auth.ExportLoginToken(api_id=1, api_hash="x", except_ids=list(except_ids))


@pytest.fixture
def scanner(stage: Stage) -> Keyed:
    scanner = Keyed(stage.world)
    sign_in(scanner)
    return scanner


@pytest.fixture
def shower(stage: Stage) -> Keyed:
    return Keyed(stage.world)


def test_a_token_is_accepted(stage: Stage, scanner: Keyed, shower: Keyed) -> None:
    """C1: loginToken, updateLoginToken, and the next export is loginTokenSuccess."""
    shown = shower.call(export())
    assert shown.expires == NOON + 30
    accepted = scanner.call(api.auth.AcceptLoginToken(token=shown.token))
    assert (accepted.device_model, accepted.hash) == ("Keyed", shower.authorization.hash)
    (update,) = shower.pushed
    assert update.update == api.UpdateLoginToken()
    success = shower.call(export())
    assert success.authorization.user.id == stage.ann
    assert shower.call(api.updates.GetState())
    again = shower.call(export())
    assert again.authorization.user.id == stage.ann, "a repetition gives the same"
    news = scanner.pushed[-1].update
    assert news == api.UpdateNewAuthorization(hash=shower.authorization.hash)


def test_only_the_device_that_shows_it_logs_in(stage: Stage, scanner: Keyed, shower: Keyed) -> None:
    token = shower.call(export()).token
    scanner.call(api.auth.AcceptLoginToken(token=token))
    assert isinstance(Keyed(stage.world).call(export()), api.auth.LoginToken)


def test_an_older_code_that_was_scanned_late(scanner: Keyed, shower: Keyed, stage: Stage) -> None:
    """The code on the screen is a newer one by the time the older is accepted."""
    token = shower.call(export()).token
    stage.world.clock.advance(10)
    shower.call(export())
    scanner.call(api.auth.AcceptLoginToken(token=token))
    assert isinstance(shower.call(export()), api.auth.LoginTokenSuccess)


def test_tokens_that_cannot_be_accepted(stage: Stage, scanner: Keyed, shower: Keyed) -> None:
    """C1: AUTH_TOKEN_INVALIDX, AUTH_TOKEN_ALREADY_ACCEPTED, AUTH_TOKEN_EXPIRED."""
    unknown = api.auth.AcceptLoginToken(token=bytes(32))
    assert refused(scanner, unknown) == (400, "AUTH_TOKEN_INVALIDX")
    request = api.auth.AcceptLoginToken(token=shower.call(export()).token)
    scanner.call(request)
    assert refused(scanner, request) == (400, "AUTH_TOKEN_ALREADY_ACCEPTED")
    late = api.auth.AcceptLoginToken(token=Keyed(stage.world).call(export()).token)
    stage.world.clock.advance(30)
    assert refused(scanner, late) == (400, "AUTH_TOKEN_EXPIRED")
    stage.world.clock.advance(300)
    shower.call(export())
    assert refused(Keyed(stage.world), late) == (401, "AUTH_KEY_UNREGISTERED")


def test_accounts_that_the_device_has_already(stage: Stage, scanner: Keyed, shower: Keyed) -> None:
    """C1: except_ids filter own accounts."""
    token = shower.call(export(stage.bob, stage.ann)).token
    request = api.auth.AcceptLoginToken(token=token)
    assert refused(scanner, request) == (400, "AUTH_TOKEN_EXCEPTION")


def test_an_account_with_a_password(stage: Stage, scanner: Keyed, shower: Keyed) -> None:
    """C1: 2FA gives SESSION_PASSWORD_NEEDED, and then the password logs in."""
    stage.world.set_password(stage.ann, "pw")
    scanner.call(api.auth.AcceptLoginToken(token=shower.call(export()).token))
    assert refused(shower, export()) == (401, "SESSION_PASSWORD_NEEDED")
    assert shower.call(check(shower, "pw")).user.id == stage.ann


def test_an_account_that_lives_in_another_dc(stage: Stage, shower: Keyed) -> None:
    """C1: loginTokenMigrateTo, and importLoginToken there."""
    world = stage.world
    world.addresses.update({2: Address("127.0.0.1", 1), 4: Address("127.0.0.1", 2)})
    faraway = world.add_user("4915112345", "Far", dc_id=4)
    scanner, there = Keyed(world, dc_id=4), Keyed(world, dc_id=4)
    sign_in(scanner, "4915112345")
    token = shower.call(export()).token
    early = api.auth.ImportLoginToken(token=token)
    assert refused(there, early) == (400, "AUTH_TOKEN_INVALID")
    scanner.call(api.auth.AcceptLoginToken(token=token))
    moved = shower.call(export())
    assert moved == api.auth.LoginTokenMigrateTo(dc_id=4, token=token)
    success = there.call(api.auth.ImportLoginToken(token=moved.token))
    assert success.authorization.user.id == faraway.id
    assert there.call(api.updates.GetState())
    assert refused(there, api.auth.ImportLoginToken(token=moved.token)) == (
        400,
        "AUTH_TOKEN_ALREADY_ACCEPTED",
    )
    other = Keyed(world, dc_id=4)
    assert refused(other, api.auth.ImportLoginToken(token=token)) == (400, "AUTH_TOKEN_INVALID")


def test_an_accepted_token_expires_too(stage: Stage, scanner: Keyed, shower: Keyed) -> None:
    token = shower.call(export()).token
    scanner.call(api.auth.AcceptLoginToken(token=token))
    stage.world.clock.advance(330)
    other = Keyed(stage.world)
    assert refused(other, api.auth.ImportLoginToken(token=token)) == (400, "AUTH_TOKEN_EXPIRED")
    assert isinstance(shower.call(export()), api.auth.LoginToken)


def test_bots_have_no_codes(stage: Stage, shower: Keyed) -> None:
    bot = stage.world.add_bot("Helper", "helper_bot")
    device = Keyed(stage.world)
    device.call(
        api.auth.ImportBotAuthorization(
            flags=0, api_id=1, api_hash="x", bot_auth_token=bot.token or ""
        )
    )
    request: Any = api.auth.AcceptLoginToken(token=shower.call(export()).token)
    assert refused(device, request) == (400, "BOT_METHOD_INVALID")
    assert refused(device, export()) == (400, "BOT_METHOD_INVALID")
    bad = api.auth.ExportLoginToken(api_id=0, api_hash="x", except_ids=[])
    assert refused(shower, bad) == (400, "API_ID_INVALID")


async def test_over_the_wire() -> None:
    """C1: updateLoginToken reaches a key that is not logged in yet."""
    async with Server() as server:
        server.world.add_user(PHONE, "Ann")
        scanner, shower = await RawClient.start(server), await RawClient.start(server)
        user = await scanner.log_in(PHONE)
        shown = await shower.call(export())
        await scanner.call(api.auth.AcceptLoginToken(token=shown.token))
        push = await shower.next_push()
        assert push.update == api.UpdateLoginToken()
        success = await shower.call(export())
        assert success.authorization.user.id == user.id
        await scanner.close()
        await shower.close()


async def test_a_session_that_was_ended_hears_of_it_at_once() -> None:
    """C1: its next call is SESSION_REVOKED; updatesTooLong makes it call."""
    async with Server() as server:
        server.world.add_user(PHONE, "Ann")
        first, second = await RawClient.start(server), await RawClient.start(server)
        await first.log_in(PHONE)
        await second.log_in(PHONE)
        second.pushed.clear()
        await first.call(api.auth.ResetAuthorizations())
        assert await second.next_push() == api.UpdatesTooLong()
        with pytest.raises(RpcFault, match="401 SESSION_REVOKED"):
            await second.call(api.updates.GetState())
        with pytest.raises(RpcFault, match="401 AUTH_KEY_UNREGISTERED"):
            await second.call(api.updates.GetState())
        await first.close()
        await second.close()
