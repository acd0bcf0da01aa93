"""QR logins: the link, its renewal on the clock, acceptance, migration, a password afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from radiogram import TelegramClient, api, errors
from radiogram.client.qr import QrLogin, read_token, token_url
from radiogram.crypto.keys import AuthKey
from tests.client.fake import KNOWN, Sleeps
from tests.client.test_login import DONE, Script
from tests.client.test_two_step import PASSWORD, question
from tests.vectors import load

LINKS = load("links")["qr_login"]


@pytest.mark.parametrize("case", LINKS, ids=[case["link"][:20] for case in LINKS])
def test_links(case: dict[str, Any]) -> None:
    if case["token"] is None:
        with pytest.raises(errors.ClientError, match="no login link"):
            read_token(case["link"])
    else:
        token = bytes.fromhex(case["token"])
        assert read_token(case["link"]) == token
        assert token_url(token) == case["link"].rstrip("=")
        assert read_token(token_url(token)) == token
        assert read_token(case["link"].partition("=")[2]) == token
        assert read_token(token) == token


@pytest.mark.parametrize("text", ["", "tg://login?token=", "tg://login?token=!!!!!!", "A=A=A="])
def test_other_texts_are_no_links(text: str) -> None:
    with pytest.raises(errors.ClientError, match="no login link"):
        read_token(text)


# ── the login ────────────────────────────────────────────────────────────────────────────────────


class Stage(Script):
    """A server that gives out tokens, and says when they were accepted."""

    def __init__(self, answers: dict[type, Any] | None = None) -> None:
        super().__init__(answers or {})
        self.exported = 0
        self.life = 30
        self.accepted = False
        self.needs_password = False
        self.server.answer = self._answer
        self.sleep = Pending()

    def _answer(self, request: Any) -> Any:
        if not isinstance(request, api.auth.ExportLoginToken):
            return self.answer(request)
        if self.accepted and self.needs_password:
            return (401, "SESSION_PASSWORD_NEEDED")
        if self.accepted:
            return api.auth.LoginTokenSuccess(authorization=DONE)
        self.exported += 1
        return api.auth.LoginToken(
            expires=int(self.server.clock()) + self.life, token=b"token %d" % self.exported
        )

    def accept(self) -> None:
        self.accepted = True
        update = api.UpdateShort(update=api.UpdateLoginToken(), date=0)
        self.server.push(update)

    def client(self, **options: Any) -> TelegramClient:
        return super().client(sleep=self.sleep, **options)


class Pending(Sleeps):
    """Sleep that lasts until the test says that the time has come."""

    def __init__(self) -> None:
        super().__init__()
        self.due = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.due.wait()
        self.due.clear()


async def turns(number: int = 50) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_code_is_shown_and_accepted() -> None:
    stage = Stage()
    shown: list[str] = []
    async with stage.client() as client, client.qr_login(show=shown.append) as qr:
        assert qr.url == token_url(b"token 1")
        assert (qr.token, qr.user) == (b"token 1", None)
        assert qr.expires == stage.server.clock() + 30
        assert repr(qr) == "<QrLogin waiting>"
        waiting = asyncio.create_task(qr.wait())
        await turns()
        assert not waiting.done()
        stage.accept()
        me = await waiting
        assert me.id == client.session.data.user_id == 5
        assert qr.user == me
        assert repr(qr) == "<QrLogin done>"
    assert shown == [token_url(b"token 1")]
    assert stage.sleep.pauses == [30]
    (request,) = stage.calls(api.auth.ExportLoginToken)[:1]
    assert (request.api_id, request.api_hash, request.except_ids) == (12345, "hash", [])


async def test_a_code_that_expires_is_replaced() -> None:
    stage = Stage()
    shown: list[str] = []
    async with stage.client() as client, client.qr_login(show=shown.append) as qr:
        waiting = asyncio.create_task(qr.wait())
        for number in (2, 3):
            await turns()
            stage.server.clock.now += 30
            stage.sleep.due.set()
            await turns()
            assert qr.url == token_url(b"token %d" % number)
        stage.accept()
        assert (await waiting).id == 5
    assert shown == [token_url(b"token %d" % number) for number in (1, 2, 3)]


@pytest.mark.parametrize(("life", "pause"), [(-3600, 1), (3600, 60)])
async def test_a_wrong_clock_neither_hurries_nor_waits(life: int, pause: float) -> None:
    stage = Stage()
    stage.life = life
    async with stage.client() as client, client.qr_login() as qr:
        waiting = asyncio.create_task(qr.wait())
        await turns()
        assert stage.sleep.pauses == [pause]
        waiting.cancel()


async def test_an_acceptance_before_anybody_waits_is_not_missed() -> None:
    stage = Stage()
    async with stage.client() as client, client.qr_login() as qr:
        stage.accept()
        await turns()
        assert (await qr.wait()).id == 5


async def test_a_wait_ends_when_told() -> None:
    async with Stage().client() as client, client.qr_login() as qr:
        with pytest.raises(TimeoutError):
            await qr.wait(timeout=0)
        assert qr.user is None


@pytest.mark.parametrize("given", [PASSWORD, lambda: PASSWORD])
async def test_a_password_is_given_afterwards(given: Any) -> None:
    stage = Stage({api.account.GetPassword: question(), api.auth.CheckPassword: DONE})
    stage.needs_password = True
    async with stage.client() as client, client.qr_login(password=given) as qr:
        stage.accept()
        assert (await qr.wait()).id == 5


async def test_an_account_elsewhere_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage({
        api.auth.ImportLoginToken: [
            api.auth.LoginTokenMigrateTo(dc_id=5, token=b"there"),
            api.auth.LoginTokenSuccess(authorization=DONE),
        ],
    })  # fmt: skip
    moves: list[int] = []

    async def move(dc_id: int) -> bool:
        moves.append(dc_id)
        return True

    async with stage.client() as client:
        monkeypatch.setattr(client, "move", move)
        async with client.qr_login(except_ids=[8]) as qr:
            script = stage.answer
            stage.server.answer = lambda request: (
                api.auth.LoginTokenMigrateTo(dc_id=4, token=b"here")
                if isinstance(request, api.auth.ExportLoginToken)
                else script(request)
            )
            await qr.renew()
            assert qr.user is not None
    assert moves == [4, 5]
    tokens = [request.token for request in stage.calls(api.auth.ImportLoginToken)]
    assert tokens == [b"here", b"there"]
    assert stage.calls(api.auth.ExportLoginToken)[0].except_ids == [8]


async def test_a_circle_of_data_centres_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    away = api.auth.LoginTokenMigrateTo(dc_id=4, token=b"here")
    stage = Script({api.auth.ExportLoginToken: away, api.auth.ImportLoginToken: away})

    async def move(dc_id: int) -> bool:
        return True

    async with stage.client() as client:
        monkeypatch.setattr(client, "move", move)
        with pytest.raises(errors.ClientError, match="from one data centre to the next"):
            async with client.qr_login():
                pass


async def test_a_given_server_is_the_only_place() -> None:
    away = api.auth.LoginTokenMigrateTo(dc_id=4, token=b"here")
    stage = Script({api.auth.ExportLoginToken: away})
    async with stage.client() as client:
        client.move = nowhere  # type: ignore[method-assign]
        with pytest.raises(errors.ClientError, match="lives in DC 4"):
            async with client.qr_login():
                pass


async def nowhere(dc_id: int) -> bool:
    return False


async def test_who_is_signed_in_needs_no_code() -> None:
    stage = Stage()
    async with stage.client() as client:
        client.session.data = type(client.session.data)(dc_id=2, auth_key=KNOWN.data, user_id=5)
        with pytest.raises(errors.ClientError, match="signed in already"):
            async with client.qr_login():
                pass
    assert AuthKey(client.session.data.auth_key) == KNOWN


async def test_waiting_has_its_place() -> None:
    async with Stage().client() as client:
        qr = client.qr_login()
        assert isinstance(qr, QrLogin)
        assert repr(qr) == "<QrLogin not begun>"
        with pytest.raises(errors.ClientError, match="async with"):
            await qr.wait()


# ── the other side ───────────────────────────────────────────────────────────────────────────────


async def test_somebody_else_is_let_in() -> None:
    session = api.Authorization(
        hash=9, device_model="Phone", platform="", system_version="", api_id=1, app_name="App",
        app_version="", date_created=0, date_active=0, ip="", country="", region="",
    )  # fmt: skip
    script = Script({api.auth.AcceptLoginToken: [session, (400, "AUTH_TOKEN_EXPIRED")]})
    async with script.client() as client:
        accepted = await client.accept_qr(token_url(b"token"))
        assert (accepted.id, accepted.app, accepted.device) == (9, "App", "Phone")
        with pytest.raises(errors.AuthTokenExpired, match="scan the one that is shown now"):
            await client.accept_qr(b"token")
        with pytest.raises(errors.ClientError, match="no login link"):
            await client.accept_qr("https://example.org")
    assert [call.token for call in script.calls(api.auth.AcceptLoginToken)] == [b"token"] * 2
