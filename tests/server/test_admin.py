"""The admin socket, and the commands at its other end."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from radiogram.cli import cli
from radiogram.errors import ConnectionFailed
from radiogram.net.lines import MAX_LINE
from radiogram.server import Server
from radiogram.server.admin import COMMANDS, MAX_CONNECTIONS, AdminError, AdminSocket
from radiogram.server.admin_client import AdminClient, AdminClientError
from radiogram.tl import api

from ..served import Served
from .raw import PATIENCE, RawClient

PHONE = "9996620001"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        server.world.add_user(PHONE, "Ada", "Lovelace", "ada_ada")
        yield server


@pytest.fixture
async def socket(server: Server, tmp_path: Path) -> AsyncIterator[AdminSocket]:
    async with AdminSocket(server, path=str(tmp_path / "admin")) as socket:
        yield socket


class Talk:
    """One connection, and lines over it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, socket: AdminSocket) -> Talk:
        if socket.path is not None:
            return cls(*await asyncio.open_unix_connection(socket.path))
        return cls(*await asyncio.open_connection(socket.host, socket.port))

    async def say(self, line: bytes) -> Any:
        self.writer.write(line + b"\n")
        return json.loads(await asyncio.wait_for(self.reader.readline(), PATIENCE))

    async def ask(self, do: Any, **fields: Any) -> Any:
        answer = await self.say(json.dumps({"do": do, **fields}).encode())
        return answer["result"] if answer["ok"] else answer["error"]

    async def is_over(self) -> bool:
        return await asyncio.wait_for(self.reader.read(), PATIENCE) == b""

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


@pytest.fixture
async def talk(socket: AdminSocket) -> AsyncIterator[Talk]:
    talk = await Talk.to(socket)
    yield talk
    await talk.close()


async def test_faults_are_added_and_told(server: Server, talk: Talk) -> None:
    spec = "error:help.getNearestDc:400:PEER_ID_INVALID,times=2"
    assert await talk.ask("fault.add", spec=spec) == [
        "error help.getNearestDc PEER_ID_INVALID,times=2"
    ]
    client = await RawClient.start(server)
    with pytest.raises(Exception, match="400 PEER_ID_INVALID"):
        await client.call(api.help.GetNearestDc())
    assert await talk.ask("fault.waiting") == ["error help.getNearestDc PEER_ID_INVALID,times=1"]
    (told,) = await talk.ask("fault.injected")
    assert told == {
        "kind": "error",
        "detail": "PEER_ID_INVALID help.getNearestDc",
        "user_id": 0,
        "at": 0,
    }
    assert await talk.ask("fault.injected", since=1) == []
    await talk.ask("fault.add", spec="chaos,every=9,seed=3")
    assert (await talk.ask("fault.waiting"))[0].startswith("chaos,every=9,seed=3")
    assert await talk.ask("fault.clear") is None
    assert await talk.ask("fault.waiting") == []
    await talk.ask("fault.add", spec="hold_answers:help.*")
    waiting = asyncio.create_task(client.call(api.help.GetNearestDc()))
    while not server.faults.answers:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    await talk.ask("fault.release")
    await waiting
    await client.close()


async def test_the_clock(server: Server, talk: Talk) -> None:
    frozen = await talk.ask("clock.freeze")
    assert frozen["frozen"] is True
    assert (await talk.ask("clock.set", to=1_800_000_000))["now"] == 1_800_000_000
    assert (await talk.ask("clock.advance", seconds=-0.5))["now"] == 1_799_999_999.5
    assert server.world.clock.now() == 1_799_999_999.5
    assert (await talk.ask("clock.freeze", frozen=False))["frozen"] is False
    assert (await talk.ask("clock.get"))["now"] > 1_799_999_999


async def test_accounts_connections_and_state(server: Server, talk: Talk) -> None:
    client = await RawClient.start(server)
    me = await client.log_in(PHONE)
    people = {one["id"]: one for one in await talk.ask("user.list")}
    assert people[me.id] == {
        "id": me.id,
        "phone": PHONE,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "username": "ada_ada",
        "is_bot": False,
        "deleted": False,
        "online": True,
    }
    assert len(await talk.ask("user.list", since=1, limit=1)) == 1
    assert await talk.ask("user.code", phone=PHONE) == "22222"
    state = await talk.ask("state")
    assert state["dcs"] == {"2": f"{server.host}:{server.port}"}
    assert (state["connections"], state["sessions"], state["online"]) == (1, 1, 1)
    assert (state["users"], state["waiting"], state["injected"]) == (len(people), 0, 0)
    assert await talk.ask("connection.drop", user_id=me.id + 1) == "0 connections"
    assert await talk.ask("connection.drop", user_id=me.id, reset=True) == "1 connections"
    while await client.line.next() is not None:
        pass


async def test_passwords_and_e_mails(server: Server, talk: Talk) -> None:
    client = await RawClient.start(server)
    me = await client.log_in(PHONE)
    await talk.ask("user.password", user_id=me.id, password="pw", email="ada@example.com")
    assert (await client.call(api.account.GetPassword())).has_recovery
    await client.call(api.auth.RequestPasswordRecovery())
    (mail,) = await talk.ask("mail.list")
    assert (mail["to"], mail["purpose"]) == ("ada@example.com", "recover")
    assert len(mail["code"]) == 6
    await client.close()


@pytest.mark.parametrize(
    ("line", "field", "value", "remedy"),
    [
        (b"nonsense", "line", "nonsense", 'send one line of JSON, such as {"do": "state"}'),
        (b"\xff", "line", "\N{REPLACEMENT CHARACTER}", "send one line of JSON"),
        (b"[1]", "line", "[1]", "send an object"),
        (b"{}", "do", None, "choose from state, fault.add"),
        (b'{"do": 1}', "do", 1, "choose from state, fault.add"),
        (b'{"do": "fly"}', "do", "fly", "choose from state, fault.add"),
        (b'{"do": "state", "more": 1}', "more", 1, "this request takes nothing else"),
        (b'{"do": "fault.add"}', "spec", None, "give a text"),
        (b'{"do": "fault.add", "spec": 1}', "spec", 1, "give a text"),
        (b'{"do": "fault.add", "spec": "x"}', "spec", None, "known are bad_msg"),
        (b'{"do": "fault.add", "spec": "bad_msg:1"}', "spec", None, "choose from 16, 17"),
        (b'{"do": "clock.set", "to": true}', "to", True, "give a number"),
        (b'{"do": "clock.set", "to": 1e400}', "to", "inf", "give a number"),
        (b'{"do": "clock.set", "to": -1}', "to", -1, "give unix seconds"),
        (b'{"do": "clock.advance", "seconds": NaN}', "line", None, "send one line of JSON"),
        (b'{"do": "fault.injected", "since": -1}', "since", -1, "give how many of the first"),
        (b'{"do": "user.list", "limit": 0}', "limit", 0, "give how many are wanted, up to 1000"),
        (b'{"do": "user.code", "phone": "abc"}', "do", None, "write 5 to 15 digits"),
        (b'{"do": "auth", "token": 1}', "token", 1, "give a text"),
    ],
)
async def test_what_is_refused(
    talk: Talk, line: bytes, field: str, value: object, remedy: str
) -> None:
    answer = await talk.say(line)
    assert answer["ok"] is False
    error = answer["error"]
    assert error["field"] == field
    if value is not None:
        assert error["value"] == value
    assert remedy in error["remedy"]
    assert error["remedy"] in error["text"]
    assert "ok" in await talk.say(b'{"do": "state"}')  # and it goes on


async def test_an_id_comes_back(talk: Talk) -> None:
    assert (await talk.say(b'{"do": "clock.get", "id": 7}'))["id"] == 7
    assert (await talk.say(b'{"do": "fly", "id": "x"}'))["id"] == "x"


async def test_a_failure_inside_is_told(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_server: Server) -> object:
        raise LookupError("a mistake")

    monkeypatch.setitem(COMMANDS, "state", ({}, fail))
    answer = await talk.say(b'{"do": "state"}')
    assert "see the log of the server" in answer["error"]["text"]
    assert "a mistake" in caplog.text


async def test_lines_may_be_cut_and_joined_but_not_be_endless(socket: AdminSocket) -> None:
    talk = await Talk.to(socket)
    for piece in (b'{"do": "clo', b'ck.get"}\n{"do": "clock.get"}\n'):
        talk.writer.write(piece)
        await talk.writer.drain()
        await asyncio.sleep(0)
    for _ in range(2):
        assert json.loads(await talk.reader.readline())["ok"] is True
    talk.writer.write(b"x" * (MAX_LINE + 1))
    answer = json.loads(await asyncio.wait_for(talk.reader.readline(), PATIENCE))
    assert answer["error"]["remedy"] == f"send up to {MAX_LINE} bytes"
    assert await talk.is_over()
    await talk.close()


async def test_there_is_room_for_some(socket: AdminSocket) -> None:
    talks = [await Talk.to(socket) for _ in range(MAX_CONNECTIONS + 1)]
    for talk in talks[:-1]:
        assert (await talk.say(b'{"do": "clock.get"}'))["ok"] is True
    answer = await talks[-1].say(b'{"do": "clock.get"}')
    assert answer["error"]["field"] == "connections"
    assert await talks[-1].is_over()
    for talk in talks:
        await talk.close()


# ------------------------------------------------------------------ who may


async def test_a_path_is_for_its_owner_and_does_not_stay(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "admin"
    async with AdminSocket(server, path=str(path)) as socket:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert socket.address == {"path": str(path)}
        with pytest.raises(ConnectionFailed, match="another process listens there"):
            await AdminSocket(server, path=str(path)).start()
    assert not path.exists()


async def test_what_a_killed_process_left_is_replaced_but_no_file(
    server: Server, tmp_path: Path
) -> None:
    import socket as sockets

    path = tmp_path / "admin"
    with sockets.socket(sockets.AF_UNIX) as left:
        left.bind(str(path))
    async with AdminSocket(server, path=str(path)):
        pass
    path.write_text("precious")
    for given in (str(path), str(tmp_path / "no" / "where"), "x" * 200):
        with pytest.raises(ConnectionFailed, match="give the path of a new file"):
            await AdminSocket(server, path=given).start()
    assert path.read_text() == "precious"


async def test_a_port_wants_its_token(server: Server) -> None:
    async with AdminSocket(server, port=0) as socket:
        assert len(socket.token or "") > 16
        with pytest.raises(ConnectionFailed, match="choose another port"):
            await AdminSocket(server, port=socket.port).start()
        talk = await Talk.to(socket)
        assert (await talk.ask("state"))["remedy"] == 'say {"do": "auth", "token": ...} first'
        assert await talk.ask("auth", token=socket.token) is None
        assert "clock" in await talk.ask("state")
        await talk.close()
        guesser = await Talk.to(socket)
        for _ in range(3):
            assert (await guesser.ask("auth", token="guess"))["field"] == "token"
        assert await guesser.is_over()
        await guesser.close()


def test_a_socket_is_at_one_place_and_a_token_is_long() -> None:
    server: Any = None
    for places in ({}, {"path": "a", "port": 1}):
        with pytest.raises(AdminError, match="give one of the two"):
            AdminSocket(server, **places)  # type: ignore[arg-type]
    with pytest.raises(AdminError, match="give 8 characters or more"):
        AdminSocket(server, port=0, token="short")


# ------------------------------------------------------------------ the other end


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("admin") / "socket"
    with Served(arguments=("--admin", str(path))) as served:
        assert served.address.admin == {"path": str(path)}
        yield served


@pytest.fixture
def place(served: Served) -> str:
    assert served.address.admin is not None
    return str(served.address.admin["path"])


@pytest.mark.slow
def test_a_program_asks(place: str) -> None:
    with AdminClient(place) as client:
        assert client.ask("state")["users"] >= 1
        assert client.ask("user.code", phone="9996620001") == "22222"
        with pytest.raises(AdminClientError, match="choose from state") as caught:
            client.ask("fly")
        assert (caught.value.field, caught.value.value) == ("do", "fly")


@pytest.mark.slow
def test_commands(place: str) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, arguments, env={"RADIOGRAM_ADMIN": place})
        assert done.exit_code == 0, done.output
        return done.output

    assert json.loads(run("admin", "state"))["waiting"] == 0
    assert json.loads(run("admin", "users").splitlines()[0])["id"] == 777000
    assert run("admin", "code", "--phone", "9996620001") == "22222\n"
    frozen = json.loads(run("admin", "clock", "--freeze", "--set", "1800000000"))
    assert frozen == {"now": 1_800_000_000, "frozen": True}
    moved = json.loads(run("admin", "clock", "--advance", "5", "--resume"))
    assert moved["frozen"] is False
    assert moved["now"] >= 1_800_000_005
    assert run("admin", "drop", "--reset") == "0 connections\n"
    assert run("admin", "release") == ""
    added = run("fault", "flood_wait:messages.sendMessage:30", "lose_acks,times=all")
    assert added.splitlines() == [
        "error messages.sendMessage FLOOD_WAIT_30,times=1",
        "ack,times=all",
    ]
    assert run("fault", "--clear") == ""
    run("fault", "skew_clock:1")
    assert run("fault", "--injected").endswith("clock +1, user 0\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fault", "flood_wiat:x"], "did you mean flood_wait?"),
        (["admin", "--to", "/nowhere", "state"], "/nowhere: No such file or directory; give the"),
        (["fault", "--to", "127.0.0.1:1", "lose_acks"], "127.0.0.1:1: Connection refused; give"),
    ],
)
def test_commands_that_fail(place: str, arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(cli, arguments, env={"RADIOGRAM_ADMIN": place})
    assert done.exit_code == 1
    assert sentence in done.output


@pytest.mark.slow
def test_a_port_is_told_with_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADIOGRAM_ADMIN_TOKEN", "a token of mine")
    with Served(arguments=("--admin", "0")) as served:
        told = served.address.admin
        assert told is not None
        assert told["token"] == "a token of mine"
        to = f"{told['host']}:{told['port']}"
        done = CliRunner().invoke(cli, ["admin", "--to", to, "state"])
        assert json.loads(done.output)["injected"] == 0
        with pytest.raises(AdminClientError, match="give the one that the server has told"):
            AdminClient(to, "another token")
        with AdminClient(told["port"]) as client, pytest.raises(AdminClientError, match="auth"):
            client.ask("state")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--admin", "70000"), "--admin 70000: there is no such port; give one up to 65535"),
        (("--admin", "0", "--admin-token", "x"), "--admin-token: give 8 characters or more"),
        (("--admin", "/no/where"), "cannot listen at /no/where"),
    ],
)
def test_a_process_says_what_it_cannot_use(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(RuntimeError) as caught, Served(arguments=arguments):
        pass
    assert sentence in str(caught.value)


def test_a_server_that_ends_or_babbles(tmp_path: Path) -> None:
    import socket as sockets
    import threading

    def serve(answer: Callable[[sockets.socket], None]) -> str:
        path = str(tmp_path / f"fake{len(list(tmp_path.iterdir()))}")
        listener = sockets.socket(sockets.AF_UNIX)
        listener.bind(path)
        listener.listen()

        def run() -> None:
            with listener, listener.accept()[0] as conn:
                conn.recv(1000)
                answer(conn)

        threading.Thread(target=run).start()
        return path

    with (
        AdminClient(serve(lambda conn: None)) as client,
        pytest.raises(AdminClientError, match="no answer"),
    ):
        client.ask("state")
