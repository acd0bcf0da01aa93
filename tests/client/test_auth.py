"""Signing in and the issue's example, against the embedded server: over TCP and in memory."""

from __future__ import annotations

import asyncio
import io
import socket
import sys
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from radiogram import ServerAddress, TelegramClient, api, errors
from radiogram.client.environment import Environment
from radiogram.net import memory
from radiogram.net.driver import PacketConnection, PacketOwner
from radiogram.server import Server
from radiogram.sessions import Session, StringSession
from radiogram.wire import Codec
from tests.client.fake import FakeServer, make_client
from tests.client.test_asking import type_in

PHONE, CODE = "+999 66 2 0001", "22222"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture(params=["tcp", "memory"])
def environment(request: pytest.FixtureRequest, server: Server) -> Environment:
    async def dial(
        host: str,
        port: int,
        codec: Codec,
        owner: PacketOwner,
        *,
        timeout: float,
        route: object = None,
    ) -> PacketConnection:
        factory = partial(server._accept, server.dc_id)
        return memory.link(owner, codec, factory, chop=lambda data: [data[:5], data[5:]])[0]

    return Environment() if request.param == "tcp" else Environment(dial=dial)


@pytest.fixture
async def client(server: Server, environment: Environment) -> AsyncIterator[TelegramClient]:
    client = TelegramClient("", 1, "hash", server=server, environment=environment)
    yield client
    await client.disconnect()


def another(server: Server, session: Session | str = "") -> TelegramClient:
    return TelegramClient(session, 1, "hash", server=server)


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))


# ── users ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_new_number_is_signed_up(server: Server, client: TelegramClient) -> None:
    me = await client.start(phone=PHONE, code=CODE, first_name="Anna", last_name="A")
    assert (me.first_name, me.last_name, me.phone) == ("Anna", "A", "9996620001")
    assert client.session.data.user_id == me.id
    assert not client.session.data.is_bot
    assert await client.is_authorized()
    assert await client.get_me() == me


async def test_a_known_number_is_signed_in(server: Server, client: TelegramClient) -> None:
    account = server.world.add_user(phone=PHONE, first_name="Ben")
    me = await client.start(phone=PHONE, code=int(CODE))
    assert me.id == account.id
    assert me.first_name == "Ben"


async def test_who_is_signed_in_already_is_not_asked(server: Server, no_terminal: None) -> None:
    session = StringSession("")
    async with another(server, session) as client:
        me = await client.start(phone=PHONE, code=CODE, first_name="Anna")
    async with another(server, session.save()) as client:
        assert await client.start() == me
        assert client.session.data.user_id == me.id


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_the_code_may_come_from_a_function(server: Server, kind: str) -> None:
    codes = ["11111", "", CODE]

    def plain() -> str:
        return codes.pop(0)

    async def later() -> str:
        return codes.pop(0)

    async with another(server) as client:
        me = await client.start(
            phone=PHONE, code=plain if kind == "plain" else later, first_name="Anna"
        )
        assert me.first_name == "Anna"
    assert codes == [], "a wrong code is asked for again"


async def test_a_function_that_is_always_wrong_ends(server: Server) -> None:
    tries = []
    async with another(server) as client:
        with pytest.raises(errors.PhoneCodeInvalid):
            await client.start(phone=PHONE, code=lambda: tries.append(1) or "11111")  # type: ignore[func-returns-value]
    assert len(tries) == 3


async def test_a_refused_login_is_told_at_once(server: Server) -> None:
    async with another(server) as client:
        with pytest.raises(errors.PhoneCodeInvalid):
            await client.start(phone=PHONE, code="11111")
        with pytest.raises(errors.PhoneNumberInvalid):
            await client.start(phone="+12", code="11111")
        assert not await client.is_authorized()
        with pytest.raises(errors.AuthKeyUnregistered):
            await client.get_me()


async def test_the_steps_one_by_one(server: Server) -> None:
    async with another(server) as client:
        sent = await client.send_code(PHONE)
        assert isinstance(sent.raw, api.auth.SentCode)
        assert await client.sign_in(PHONE, CODE, sent.phone_code_hash) is None
        me = await client.sign_up(PHONE, sent.phone_code_hash, "Anna")
        assert me.first_name == "Anna"


async def test_logging_out_forgets_everything_but_the_address(server: Server) -> None:
    client = another(server)
    await client.start(phone=PHONE, code=CODE, first_name="Anna")
    await client.log_out()
    assert not client.is_connected
    assert client.session.data.auth_key == b""
    assert client.session.data.user_id == 0
    async with client:
        assert not await client.is_authorized()


# ── servers that answer something else ───────────────────────────────────────────────────────────

ANNA = api.User(self=True, id=5, first_name="Anna")
SENT = api.auth.SentCode(type=api.auth.SentCodeTypeApp(length=5), phone_code_hash="hash")
ANSWERS: dict[type, Any] = {
    api.users.GetUsers: (401, "AUTH_KEY_UNREGISTERED"),
    api.auth.SendCode: SENT,
    api.auth.SignUp: api.auth.Authorization(user=ANNA),
}


def fake(answers: dict[type, Any]) -> TelegramClient:
    server = FakeServer()
    server.answer = lambda request: {**ANSWERS, **answers}.get(type(request))
    return make_client(server)


async def test_older_servers_say_it_is_new_with_an_error() -> None:
    unoccupied = (400, "PHONE_NUMBER_UNOCCUPIED")
    async with fake({api.auth.SignIn: unoccupied}) as client:
        assert (await client.start(phone=PHONE, code=CODE, first_name="Anna")).raw == ANNA


async def test_a_code_may_not_be_needed() -> None:
    success = api.auth.SentCodeSuccess(authorization=api.auth.Authorization(user=ANNA))
    async with fake({api.auth.SendCode: success}) as client:
        assert (await client.start(phone=PHONE)).raw == ANNA


async def test_a_way_to_sign_in_that_is_not_known() -> None:
    payment = api.auth.SentCodePaymentRequired(
        **{
            field.attribute: 0 if field.type in ("int", "long") else ""
            for field in api.auth.SentCodePaymentRequired.TL_DEFINITION.fields  # type: ignore[union-attr]
        }
    )
    async with fake({api.auth.SendCode: payment}) as client:
        with pytest.raises(errors.ClientError, match=r"sentCodePaymentRequired is not supported"):
            await client.start(phone=PHONE)


@pytest.mark.parametrize(
    "answer",
    [
        api.auth.AuthorizationSignUpRequired(),
        api.auth.Authorization(user=api.UserEmpty(id=5)),
    ],
)
async def test_a_login_without_a_user(answer: Any) -> None:
    required = api.auth.AuthorizationSignUpRequired()
    async with fake({api.auth.SignIn: required, api.auth.SignUp: answer}) as client:
        with pytest.raises(errors.ClientError, match="without a user"):
            await client.start(phone=PHONE, code=CODE, first_name="Anna")


@pytest.mark.parametrize("answer", [[], [api.UserEmpty(id=5)]])
async def test_an_account_that_is_nobody(answer: Any) -> None:
    async with fake({api.users.GetUsers: answer}) as client:
        with pytest.raises(errors.ClientError, match="did not tell who this account is"):
            await client.get_me()


async def test_a_session_that_was_revoked_is_not_signed_in_again() -> None:
    async with fake({api.users.GetUsers: (401, "SESSION_REVOKED")}) as client:
        with pytest.raises(errors.SessionRevoked):
            await client.start(phone=PHONE, code=CODE)


# ── the terminal ─────────────────────────────────────────────────────────────────────────────────


async def test_what_is_missing_is_asked_on_the_terminal(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = type_in(monkeypatch, PHONE, "", CODE, "Anna")
    async with another(server) as client:
        me = await client.start()
    assert me.first_name == "Anna"
    assert [question.split()[0] for question in asked] == ["Phone", "Login", "Login", PHONE[:4]]


async def test_a_wrong_code_on_the_terminal_is_asked_for_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.world.add_user(phone=PHONE, first_name="Ben")
    type_in(monkeypatch, "11111", CODE)
    async with another(server) as client:
        assert (await client.start(phone=PHONE)).first_name == "Ben"


@pytest.mark.parametrize(
    ("given", "missing"),
    [({}, "phone="), ({"phone": PHONE}, "code="), ({"phone": PHONE, "code": CODE}, "first_name=")],
)
async def test_without_a_terminal_the_missing_argument_is_named(
    server: Server, no_terminal: None, given: dict[str, Any], missing: str
) -> None:
    async with another(server) as client:
        with pytest.raises(errors.ClientError, match=missing):
            await client.start(**given)


async def test_a_terminal_that_ends_is_no_terminal(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch)
    async with another(server) as client:
        with pytest.raises(errors.ClientError, match="phone="):
            await client.start()


# ── bots ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_bot_signs_in_with_its_token(server: Server, client: TelegramClient) -> None:
    bot = server.world.add_bot(name="Helper", username="helper_bot")
    me = await client.start(bot_token=bot.token)
    assert me.is_bot
    assert me.username == "helper_bot"
    assert client.session.data.is_bot
    assert client.session.data.user_id == me.id


async def test_a_wrong_token_is_refused(server: Server) -> None:
    async with another(server) as client:
        with pytest.raises(errors.AccessTokenInvalid):
            await client.start(bot_token="1:wrong")


# ── the example ──────────────────────────────────────────────────────────────────────────────────


async def test_a_message_is_pinned_by_username_and_the_other_side_sees_it(
    server: Server, client: TelegramClient
) -> None:
    ben = server.world.add_user(phone="999 66 2 0002", first_name="Ben", username="username")
    await client.start(phone=PHONE, code=CODE, first_name="Anna")
    async with another(server) as other:
        await other.start(phone="+9996620002", code=CODE)
        stream = other.updates()
        sent = await client.invoke(api.messages.SendMessage(peer="username", message="hello"))
        message_id = sent.id if isinstance(sent, api.UpdateShortSentMessage) else 1
        result = await client.invoke(
            api.messages.UpdatePinnedMessage(peer="@username", id=message_id)
        )
        assert isinstance(result, api.TypeUpdates)
        async with asyncio.timeout(10):
            while True:
                update = await anext(stream)
                if isinstance(update, api.Updates) and any(
                    isinstance(part, api.UpdatePinnedMessages) for part in update.updates
                ):
                    break
    assert client.session.by_username("username").marked_id == ben.id  # type: ignore[union-attr]


async def test_an_error_of_the_example(server: Server) -> None:
    server.world.add_user(phone="9996620002", first_name="Ben", username="username")
    async with another(server) as client:
        await client.start(phone=PHONE, code=CODE, first_name="Anna")
        with pytest.raises(errors.MessageIdInvalid, match=r"messages\.updatePinnedMessage"):
            await client.invoke(
                api.messages.UpdatePinnedMessage(
                    peer="username", id=43, unpin=True, pm_oneside=True
                )
            )
        with pytest.raises(errors.PeerNotFound, match="@nobody_here"):
            await client.invoke(api.messages.UpdatePinnedMessage(peer="nobody_here", id=43))


async def test_a_phone_number_names_a_peer(server: Server) -> None:
    ben = server.world.add_user(phone="9996620002", first_name="Ben")
    async with another(server) as client:
        await client.start(phone=PHONE, code=CODE, first_name="Anna")
        await client.invoke(api.messages.SendMessage(peer="+9996620002", message="hello"))
        await client.invoke(api.messages.SendMessage(peer=ben.id, message="again"))


async def test_ids_work_after_a_restart_when_peers_were_saved(server: Server) -> None:
    ben = server.world.add_user(phone="9996620002", first_name="Ben", username="username")
    session = StringSession("")
    async with another(server, session) as client:
        await client.start(phone=PHONE, code=CODE, first_name="Anna")
        await client.invoke(api.messages.SendMessage(peer="username", message="hello"))
    async with another(server, session.save()) as client:
        with pytest.raises(errors.PeerNotFound, match="has not been seen"):
            await client.invoke(api.messages.SendMessage(peer=ben.id, message="again"))
    async with another(server, session.save(peers=True)) as client:
        await client.invoke(api.messages.SendMessage(peer=ben.id, message="again"))


# ── connections over TCP ─────────────────────────────────────────────────────────────────────────


async def test_a_dead_port_is_named() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        async with Server() as server:
            address = ServerAddress("127.0.0.1", port, 2, server.public_key)
            with pytest.raises(errors.ConnectionFailed, match=f"127.0.0.1:{port}"):
                await TelegramClient("", 1, "hash", server=address).connect()


async def test_a_port_that_accepts_and_stays_silent() -> None:
    async with Server() as server:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = ServerAddress("127.0.0.1", silent.getsockname()[1], 2, server.public_key)
            client = TelegramClient("", 1, "hash", server=address, timeout=0.05)
            with pytest.raises(errors.ConnectionFailed, match="did not answer"):
                await client.connect()


async def test_calls_survive_a_restart_of_the_server(tmp_path: Any) -> None:
    database = f"sqlite:///{tmp_path / 'world.db'}"
    is_back = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await is_back.wait()

    async with Server(database=database) as first:
        port = first.port
        client = TelegramClient("", 1, "hash", server=first, environment=Environment(sleep=sleep))
        await client.start(phone=PHONE, code=CODE, first_name="Anna")
    call = asyncio.ensure_future(client.invoke(api.help.GetNearestDc()))
    async with Server(database=database, port=port):
        is_back.set()
        async with asyncio.timeout(10):
            assert (await call).this_dc == 2
            assert await client.is_authorized()
        await client.disconnect()
