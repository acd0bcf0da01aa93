"""TelegramClient against a server without semantics: connecting, calls, breaks, cancellation."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from radiogram import errors
from radiogram.client.client import TelegramClient
from radiogram.mtproto import events
from radiogram.mtproto.message import pack_plain
from radiogram.sessions import MemorySession, SessionData, StringSession
from radiogram.tl import api
from tests.client.fake import (
    KEY,
    KNOWN,
    OTHER_KEY,
    START,
    FakeServer,
    Sleeps,
    config,
    known_session,
    make_client,
    refused,
)

PING = api.help.GetNearestDc
PONG = api.NearestDc(country="DE", this_dc=2, nearest_dc=2)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def client(server: FakeServer) -> AsyncIterator[TelegramClient]:
    client = make_client(server)
    yield client
    await client.disconnect()


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something is so; nothing here waits for time to pass."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came to that")


def answer_pings(request: Any) -> Any:
    return PONG if isinstance(request, PING) else None


# ── connecting ───────────────────────────────────────────────────────────────────────────────────


async def test_a_first_connection_makes_a_key_and_introduces_the_client(
    server: FakeServer,
) -> None:
    server.keys.clear()
    client = make_client(server, "")
    assert not client.is_connected
    async with client:
        assert client.is_connected
        data = client.session.data
    assert (data.dc_id, data.host, data.port) == (2, "fake.invalid", 443)
    assert [key.data for key in server.keys.values()] == [data.auth_key]
    assert server.calls == [api.help.GetConfig()]
    assert server.wrapped == [True]


async def test_a_second_connection_uses_the_key(server: FakeServer) -> None:
    server.keys.clear()
    first = make_client(server, "")
    async with first:
        saved = first.session.save()  # type: ignore[attr-defined]
    second = make_client(server, saved)
    async with second:
        assert len(server.keys) == 1
        assert second.session.data == first.session.data


async def test_only_the_first_call_brings_the_introduction(
    server: FakeServer, client: TelegramClient
) -> None:
    server.answer = answer_pings
    await client.connect()
    await client.invoke(PING())
    await client(PING())
    assert server.wrapped == [True, False, False]


async def test_connecting_twice_is_connecting_once(
    server: FakeServer, client: TelegramClient
) -> None:
    await asyncio.gather(client.connect(), client.connect())
    await client.connect()
    assert len(server.dialled) == 1


async def test_a_client_may_connect_again(server: FakeServer, client: TelegramClient) -> None:
    server.answer = answer_pings
    await client.connect()
    await client.disconnect()
    await client.disconnect()
    await client.connect()
    assert await client.invoke(PING()) == PONG
    assert len(server.keys) == 1


async def test_every_transport_and_obfuscation(server: FakeServer) -> None:
    for name, obfuscated in [
        ("abridged", False),
        ("intermediate", False),
        ("padded", False),
        ("full", False),
        ("abridged", True),
        ("padded", True),
    ]:
        async with make_client(server, connection=name, obfuscated=obfuscated):
            pass
    assert server.executed(api.help.GetConfig) == 6


async def test_any_cutting_of_the_stream(server: FakeServer) -> None:
    server.chop = lambda data: [data[i : i + 7] for i in range(0, len(data), 7)]
    server.answer = answer_pings
    async with make_client(server, "") as client:
        assert await client.invoke(PING()) == PONG


def test_what_cannot_work_is_refused_before_connecting() -> None:
    with pytest.raises(errors.ClientError, match="api_id must be the positive number"):
        TelegramClient("", 0, "hash")
    with pytest.raises(errors.ClientError, match="api_id"):
        TelegramClient("", "123", "hash")  # type: ignore[arg-type]
    with pytest.raises(errors.ClientError, match="api_hash must be text"):
        TelegramClient("", 1, None)  # type: ignore[arg-type]
    with pytest.raises(errors.LocalProtocolError, match="'carrier pigeon'"):
        TelegramClient("", 1, "hash", connection="carrier pigeon")
    with pytest.raises(errors.LocalProtocolError, match="obfuscated"):
        TelegramClient("", 1, "hash", connection="full", obfuscated=True)
    with pytest.raises(errors.SessionError):
        TelegramClient("my_account", 1, "hash")


# ── connections that fail ────────────────────────────────────────────────────────────────────────


async def failing(client: TelegramClient) -> errors.RadiogramError:
    """Connect, and give the error; afterwards the client is closed and says so."""
    with pytest.raises((errors.RadiogramError,)) as raised:
        await client.connect()
    assert not client.is_connected
    with pytest.raises(errors.ClientClosed):
        await client.invoke(PING())
    return raised.value


async def test_a_dead_port(server: FakeServer, client: TelegramClient) -> None:
    server.failures = [refused()]
    error = await failing(client)
    assert isinstance(error, errors.ConnectionFailed)
    assert len(server.dialled) == 1, "the first connection is tried once"


async def test_a_key_that_is_not_the_servers(server: FakeServer) -> None:
    address = server.address
    wrong = type(address)(address.host, address.port, 2, OTHER_KEY.public.to_pem())
    error = await failing(make_client(server, "", server=wrong))
    assert isinstance(error, errors.SecurityError)
    assert "DC 2 at fake.invalid:443" in str(error)
    assert "public key" in str(error)


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (-404, errors.SecurityError, "refused it (-404)"),
        (-444, errors.ConnectionFailed, "is not DC 2 (-444); correct the dc_id"),
        (-429, errors.ConnectionFailed, "error -429"),
    ],
)
async def test_a_key_exchange_that_is_refused(
    server: FakeServer, code: int, kind: type[Exception], text: str
) -> None:
    server.error = code
    error = await failing(make_client(server, ""))
    assert isinstance(error, kind)
    assert text in str(error)
    assert "fake.invalid:443" in str(error)


async def test_a_server_that_stays_silent(server: FakeServer) -> None:
    server.silent = True
    error = await failing(make_client(server, "", timeout=0.01))
    assert isinstance(error, errors.ConnectionFailed)
    assert "did not answer the key exchange within 0.01 seconds" in str(error)


async def test_a_server_that_only_exchanges_keys(server: FakeServer) -> None:
    server.deaf_to_calls = True
    error = await failing(make_client(server, timeout=0.01))
    assert isinstance(error, errors.ConnectionFailed)
    assert "did not answer the first call within 0.01 seconds" in str(error)


async def test_a_server_that_closes_during_the_key_exchange(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_handshake", lambda conn, _: conn.close())
    error = await failing(make_client(server, ""))
    assert isinstance(error, errors.ConnectionFailed)
    assert "closed the connection during the key exchange" in str(error)


@pytest.mark.parametrize(
    "garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 64, b"\xff" * 9]
)
async def test_a_server_that_speaks_something_else(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, garbage: bytes
) -> None:
    def talk(conn: Any, _: bytes) -> None:
        conn._transport.write(garbage)
        conn.close()

    monkeypatch.setattr(server, "_handshake", talk)
    error = await failing(make_client(server, ""))
    assert isinstance(error, errors.ConnectionFailed)
    assert "MTProto" in str(error)


async def test_a_reply_that_is_no_key_exchange(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_handshake", lambda conn, _: conn.send(os.urandom(40)))
    error = await failing(make_client(server, ""))
    assert isinstance(error, errors.ConnectionFailed | errors.SecurityError)
    assert "fake.invalid:443" in str(error)


async def test_a_plain_reply_with_junk_inside(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talk(conn: Any, packet: bytes) -> None:
        for _ in range(2):
            conn.send(pack_plain(int(START) << 32 | 1, b"junk" * 5))

    monkeypatch.setattr(server, "_handshake", talk)
    error = await failing(make_client(server, ""))
    assert isinstance(error, errors.ConnectionFailed | errors.SecurityError)
    assert "fake.invalid:443" in str(error)


async def test_a_connection_that_is_over_before_it_is_used(server: FakeServer) -> None:
    async def dial(*args: Any, **more: Any) -> Any:
        conn = await FakeServer.dial(server, *args, **more)
        conn.abort()
        await conn.wait_closed()
        return conn

    server.dial = dial  # type: ignore[method-assign]
    error = await failing(make_client(server))
    assert "closed the connection as soon as it was open" in str(error)
    error = await failing(make_client(server, ""))
    assert "closed the connection during the key exchange" in str(error)


async def test_a_first_answer_that_nobody_with_the_key_made(
    server: FakeServer, client: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        server, "_encrypted", lambda conn, _: conn.send(KNOWN.key_id + os.urandom(80))
    )
    error = await failing(client)
    assert isinstance(error, errors.SecurityError)
    assert "fake.invalid:443" in str(error)


async def test_too_many_connections(server: FakeServer, client: TelegramClient) -> None:
    server.error = -429
    error = await failing(client)
    assert isinstance(error, errors.ConnectionFailed)
    assert "too many connections (-429); try later" in str(error)


async def test_a_connection_that_ends_before_the_first_answer(
    server: FakeServer, client: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_encrypted", lambda conn, _: conn.close())
    error = await failing(client)
    assert isinstance(error, errors.ConnectionFailed)
    assert "before it answered" in str(error)
    assert len(server.dialled) == 1


async def test_a_key_that_the_server_has_lost(server: FakeServer) -> None:
    server.keys.clear()
    sleeps = Sleeps()
    error = await failing(make_client(server, sleep=sleeps))
    assert isinstance(error, errors.SessionError)
    assert "does not know this session's key (-404)" in str(error)
    assert "sign in again" in str(error)
    assert len(server.dialled) == 1
    assert sleeps.pauses == [], "trying again would not help"


async def test_a_client_that_is_refused(server: FakeServer, client: TelegramClient) -> None:
    server.answer = lambda request: (400, "CONNECTION_API_ID_INVALID")
    error = await failing(client)
    assert isinstance(error, errors.ConnectionApiIdInvalid)


async def test_giving_up_while_connecting_leaves_nothing_behind(server: FakeServer) -> None:
    server.silent = True
    client = make_client(server, "")
    connecting = asyncio.ensure_future(client.connect())
    await until(lambda: server.connections)
    connecting.cancel()
    await asyncio.wait([connecting])
    assert connecting.cancelled()
    await until(lambda: not server.connections)
    server.silent = False
    async with client:
        pass


async def test_a_client_that_never_connected_says_so(client: TelegramClient) -> None:
    with pytest.raises(errors.ClientClosed, match=r"connect\(\)"):
        await client.invoke(PING())


# ── calls ────────────────────────────────────────────────────────────────────────────────────────


async def test_calls_of_one_turn_travel_in_one_packet(
    server: FakeServer, client: TelegramClient
) -> None:
    server.answer = answer_pings
    await client.connect()
    server.incoming.clear()
    results = await asyncio.gather(*(client.invoke(PING()) for _ in range(100)))
    assert results == [PONG] * 100
    assert [requests for requests in server.incoming if requests] == [100]


async def test_answers_may_come_in_any_order(server: FakeServer, client: TelegramClient) -> None:
    await client.connect()
    calls = [
        asyncio.ensure_future(client.invoke(api.langpack.GetLanguages(lang_pack=str(n))))
        for n in range(10)
    ]
    await until(lambda: len(server.unanswered) == 10)
    server.unanswered.reverse()
    server.answer_now(
        lambda request: [
            api.LangPackLanguage(
                name=request.lang_pack,
                native_name="",
                lang_code="",
                plural_code="",
                strings_count=0,
                translated_count=0,
                translations_url="",
            )
        ]
    )
    results = await asyncio.gather(*calls)
    assert [result[0].name for result in results] == [str(n) for n in range(10)]


async def test_an_error_is_raised_with_its_request(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    server.answer = lambda request: (400, "MESSAGE_ID_INVALID")
    request = api.messages.UpdatePinnedMessage(peer="me", id=43, unpin=True, pm_oneside=True)
    with pytest.raises(errors.MessageIdInvalid) as raised:
        await client.invoke(request)
    assert raised.value.code == 400
    assert raised.value.request == api.messages.UpdatePinnedMessage(
        peer=api.InputPeerSelf(), id=43, unpin=True, pm_oneside=True
    )


async def test_floods_are_slept_through(server: FakeServer) -> None:
    sleeps = Sleeps()
    async with make_client(server, sleep=sleeps, flood_sleep_threshold=5) as client:
        answers: list[Any] = [(420, "FLOOD_WAIT_5"), PONG, (420, "FLOOD_WAIT_6")]
        server.answer = lambda request: answers.pop(0)
        assert await client.invoke(PING()) == PONG
        server.clock.now += 5
        with pytest.raises(errors.FloodWait):
            await client.invoke(PING())
    assert sleeps.pauses == [5]


@pytest.mark.parametrize("message", ["CONNECTION_NOT_INITED", "CONNECTION_LAYER_INVALID"])
async def test_a_server_that_forgot_the_client_is_introduced_again(
    server: FakeServer, client: TelegramClient, message: str
) -> None:
    await client.connect()
    answers: list[Any] = [(400, message), PONG, PONG]
    server.answer = lambda request: answers.pop(0)
    assert await client.invoke(PING()) == PONG
    assert await client.invoke(PING()) == PONG
    assert server.wrapped == [True, False, True, False]


async def test_a_result_that_cannot_be_read_fails_its_call_only(
    server: FakeServer, client: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.connect()
    server.answer = answer_pings
    monkeypatch.setattr(server._registry, "encode_result", lambda *_: b"junk")
    with pytest.raises(errors.DecodeError):
        await client.invoke(PING())
    monkeypatch.undo()
    assert await client.invoke(PING()) == PONG


async def test_only_methods_are_called(client: TelegramClient) -> None:
    await client.connect()
    with pytest.raises(errors.EncodeError, match="not the constructor inputPeerSelf"):
        await client.invoke(api.InputPeerSelf())  # type: ignore[arg-type]
    with pytest.raises(errors.EncodeError, match=r"not str 'help\.getConfig'"):
        await client.invoke("help.getConfig")  # type: ignore[arg-type]
    with pytest.raises(errors.EncodeError, match="offset_id"):
        await client.invoke(
            api.messages.GetHistory(
                peer="me",
                offset_id="x",  # type: ignore[arg-type]
                offset_date=0,
                add_offset=0,
                limit=1,
                max_id=0,
                min_id=0,
                hash=0,
            )
        )


async def test_users_add_links_of_their_own(server: FakeServer) -> None:
    seen = []

    async def watch(call: Any, next: Any) -> Any:
        seen.append(call.name)
        return await next(call)

    server.answer = answer_pings
    async with make_client(server, links=[watch]) as client:
        await client.invoke(PING())
    assert seen == ["help.getNearestDc"]


# ── cancellation ─────────────────────────────────────────────────────────────────────────────────


async def test_cancelling_a_call_drops_its_answer(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    call = asyncio.ensure_future(client.invoke(PING()))
    await until(lambda: server.unanswered)
    _, msg_id, _ = server.unanswered[0]
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()
    await until(lambda: server.dropped)
    assert server.dropped == [msg_id]
    server.answer = answer_pings
    assert await client.invoke(PING()) == PONG


async def test_a_call_cancelled_before_it_left_is_never_sent(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    server.answer = answer_pings
    call = asyncio.ensure_future(client.invoke(PING()))
    call.cancel()
    other = asyncio.ensure_future(client.invoke(PING()))
    await asyncio.wait([call])
    assert await other == PONG
    assert server.executed(PING) == 1


# ── connections that break ───────────────────────────────────────────────────────────────────────


async def test_what_was_not_answered_is_asked_again_and_executed_once(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    calls = [asyncio.ensure_future(client.invoke(PING())) for _ in range(5)]
    await until(lambda: len(server.unanswered) == 5)
    server.break_connections()
    await until(lambda: len(server.dialled) == 2)
    server.answer_now(answer_pings)
    assert await asyncio.gather(*calls) == [PONG] * 5
    assert server.executed(PING) == 5


async def test_an_answer_lost_on_its_way_is_not_executed_again(
    server: FakeServer, client: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.connect()
    monkeypatch.setattr(server, "flush", server.break_connections)
    server.answer = answer_pings
    call = asyncio.ensure_future(client.invoke(PING()))
    await until(lambda: server.executed(PING))
    await until(lambda: len(server.dialled) == 2)
    monkeypatch.undo()
    assert await call == PONG
    assert server.executed(PING) == 1


async def test_a_call_lost_on_its_way_is_executed_after_all(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    server.answer = answer_pings
    server.deaf_to_calls = True
    call = asyncio.ensure_future(client.invoke(PING()))
    for _ in range(20):
        await asyncio.sleep(0)
    server.break_connections()
    server.deaf_to_calls = False
    assert await call == PONG
    assert server.executed(PING) == 1


async def test_calls_made_while_there_is_no_connection_wait_for_it(server: FakeServer) -> None:
    may_go_on = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await may_go_on.wait()

    server.answer = answer_pings
    async with make_client(server, sleep=sleep) as client:
        server.break_connections()
        await until(lambda: not server.connections)
        call = asyncio.ensure_future(client.invoke(PING()))
        await asyncio.sleep(0)
        assert client.is_connected
        assert not call.done()
        may_go_on.set()
        assert await call == PONG


async def test_pauses_grow_and_end(server: FakeServer) -> None:
    sleeps = Sleeps()
    client = make_client(server, sleep=sleeps, reconnect_attempts=9)
    await client.connect()
    call = asyncio.ensure_future(client.invoke(PING()))
    await until(lambda: server.unanswered)
    server.failures = [refused() for _ in range(20)]
    server.break_connections()
    with pytest.raises(errors.ConnectionFailed, match="9 attempts to get it back have failed"):
        await call
    assert sleeps.pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert not client.is_connected
    with pytest.raises(errors.ConnectionFailed, match="may have been executed"):
        await client.invoke(PING())
    server.failures = []
    server.answer = answer_pings
    await client.connect()
    assert await client.invoke(PING()) == PONG
    await client.disconnect()


async def test_pauses_are_spread(server: FakeServer) -> None:
    sleeps = Sleeps()
    async with make_client(server, sleep=sleeps, jitter=lambda: 0.0):
        server.break_connections()
        await until(lambda: len(server.dialled) == 2)
    assert sleeps.pauses == [0.25]


async def test_a_connection_that_works_again_starts_the_pauses_anew(server: FakeServer) -> None:
    sleeps = Sleeps()
    server.answer = answer_pings
    async with make_client(server, sleep=sleeps) as client:
        for _ in range(3):
            server.break_connections()
            await until(lambda: not server.connections)
            await client.invoke(PING())
    assert sleeps.pauses == [0.5, 0.5, 0.5]


async def test_a_connection_that_breaks_at_once_each_time_does_not(server: FakeServer) -> None:
    sleeps = Sleeps()
    client = make_client(server, sleep=sleeps, reconnect_attempts=4)
    await client.connect()
    call = asyncio.ensure_future(client.invoke(PING()))
    await until(lambda: server.unanswered)
    server.frames_received = lambda conn, frames: conn.abort()  # type: ignore[method-assign]
    server.break_connections()
    with pytest.raises(errors.ConnectionFailed):
        await call
    assert sleeps.pauses == [0.5, 1, 2, 4]


async def test_a_key_lost_while_connected_ends_the_client_at_once(server: FakeServer) -> None:
    sleeps = Sleeps()
    client = make_client(server, sleep=sleeps)
    await client.connect()
    server.keys.clear()
    with pytest.raises(errors.SessionError, match="-404"):
        await client.invoke(PING())
    assert not client.is_connected
    assert sleeps.pauses == []


async def test_a_failure_that_trying_again_cannot_mend_ends_the_attempts(
    server: FakeServer,
) -> None:
    client = make_client(server)
    await client.connect()
    server.failures = [errors.LocalProtocolError("no such transport")]
    server.break_connections()
    with pytest.raises(errors.LocalProtocolError):
        await client.invoke(PING())
    assert not client.is_connected


async def test_a_key_that_is_destroyed_ends_the_client(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    sender = client._sender
    assert sender is not None
    call = asyncio.ensure_future(client.invoke(PING()))
    await until(lambda: server.unanswered)
    sender._handle([events.AuthKeyDestroyed()])
    with pytest.raises(errors.SessionError, match="was destroyed"):
        await call


async def test_a_call_that_the_engine_gives_up_fails_alone(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    sender = client._sender
    assert sender is not None
    call = asyncio.ensure_future(client.invoke(PING()))
    await until(lambda: server.unanswered)
    (call_id,) = sender._calls
    why = errors.RemoteProtocolError("refused ten times")
    sender._handle([events.CallFailed(call_id, why), events.CallFailed(call_id, why)])
    with pytest.raises(errors.RemoteProtocolError, match="refused ten times"):
        await call
    server.answer = answer_pings
    assert await client.invoke(PING()) == PONG


async def test_a_flood_of_connections_is_waited_out(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    server.error = -429
    call = asyncio.ensure_future(client.invoke(PING()))
    await until(lambda: len(server.dialled) >= 2)
    server.error = None
    server.answer = answer_pings
    assert await call == PONG


async def test_other_transport_errors_end_the_client(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    server.error = -403
    with pytest.raises(errors.ConnectionFailed, match="error -403"):
        await client.invoke(PING())


async def test_packets_that_nobody_with_the_key_made_end_the_connection_only(
    server: FakeServer, client: TelegramClient
) -> None:
    server.answer = answer_pings
    await client.connect()
    key_id = next(iter(server.keys))
    server.connections[-1].send(key_id + os.urandom(16 + 64))
    await until(lambda: len(server.dialled) == 2)
    assert await client.invoke(PING()) == PONG


async def test_a_server_that_no_longer_answers_is_noticed(server: FakeServer) -> None:
    async with make_client(server) as client:
        server.deaf_to_calls = True
        call = asyncio.ensure_future(client.invoke(PING()))
        await asyncio.sleep(0)
        sender = client._sender
        assert sender is not None
        for _ in range(10):
            server.clock.now += 10
            sender._deadline_reached()
            await asyncio.sleep(0)
        server.deaf_to_calls = False
        server.answer = answer_pings
        assert await call == PONG
    assert len(server.dialled) >= 2
    assert server.executed(PING) == 1


async def test_disconnecting_ends_calls_and_attempts(server: FakeServer) -> None:
    client = make_client(server)
    await client.connect()
    call = asyncio.ensure_future(client.invoke(PING()))
    await until(lambda: server.unanswered)
    server.failures = [refused() for _ in range(5)]
    server.break_connections()
    await until(lambda: len(server.dialled) == 2)
    await client.disconnect()
    with pytest.raises(errors.ClientClosed, match="disconnected"):
        await call
    with pytest.raises(errors.ClientClosed, match="not connected"):
        await client.invoke(PING())


async def test_a_peer_that_does_not_read_is_not_flooded(
    server: FakeServer, client: TelegramClient
) -> None:
    server.answer = answer_pings
    await client.connect()
    conn = server.connections[-1]
    conn._transport.pause_reading()  # type: ignore[union-attr]
    texts = ["x" * 30_000 + os.urandom(20_000).hex() for _ in range(8)]
    calls = [
        asyncio.ensure_future(client.invoke(api.help.SaveAppLog(events=[event])))
        for event in (
            api.InputAppEvent(time=0.0, type=text, peer=0, data=api.JsonNull()) for text in texts
        )
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert client._sender._conn.paused  # type: ignore[union-attr]
    late = asyncio.ensure_future(client.invoke(PING()))
    for _ in range(5):
        await asyncio.sleep(0)
    assert client._sender._session._queue, "what came later waits in the engine"  # type: ignore[union-attr]
    server.answer = lambda request: PONG if isinstance(request, PING) else True
    conn._transport.resume_reading()  # type: ignore[union-attr]
    assert await asyncio.gather(*calls) == [True] * 8
    assert await late == PONG


# ── updates ──────────────────────────────────────────────────────────────────────────────────────


def _short(n: int) -> api.UpdateShort:
    return api.UpdateShort(update=api.UpdateConfig(), date=n)


async def test_updates_reach_callbacks_and_readers(
    server: FakeServer, client: TelegramClient
) -> None:
    heard: list[Any] = []
    stop = client.on_update(heard.append)
    await client.connect()
    stream = client.updates()
    for n in range(3):
        server.push(_short(n))
    assert [await anext(stream) for _ in range(3)] == [_short(n) for n in range(3)]
    assert heard == [_short(n) for n in range(3)]
    stop()
    stop()
    server.push(_short(3))
    assert await anext(stream) == _short(3)
    assert len(heard) == 3


async def test_updates_teach_access_hashes(server: FakeServer, client: TelegramClient) -> None:
    await client.connect()
    stream = client.updates()
    user = api.User(id=77, access_hash=5, first_name="x")
    server.push(api.Updates(updates=[], users=[user], chats=[], date=0, seq=0))
    await anext(stream)
    record = client.session.by_id(77)
    assert record is not None
    assert record.access_hash == 5


async def test_an_update_lost_on_its_way_comes_again(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    stream = client.updates()
    server.push(_short(1))
    server.break_connections()
    server.push(_short(2))
    server.answer = answer_pings
    await client.invoke(PING())
    assert {(await anext(stream)).date for _ in range(2)} == {1, 2}  # type: ignore[union-attr]


async def test_a_callback_that_raises_harms_nobody(
    server: FakeServer, client: TelegramClient, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(update: Any) -> None:
        raise ValueError("mine")

    client.on_update(fail)
    await client.connect()
    stream = client.updates()
    server.push(_short(1))
    assert await anext(stream) == _short(1)
    assert "on_update" in caplog.text


async def test_a_coroutine_function_is_no_callback(client: TelegramClient) -> None:
    async def later(update: Any) -> None: ...

    with pytest.raises(TypeError, match=r"client\.updates\(\)"):
        client.on_update(later)


async def test_a_slow_reader_loses_the_oldest_and_is_told(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    stream = client.updates(limit=2)
    for n in range(5):
        server.push(_short(n))
    await until(lambda: len(stream._waiting) == 2 and stream._waiting[-1] == _short(4))
    assert [await anext(stream) for _ in range(3)] == [
        api.UpdatesTooLong(),
        _short(3),
        _short(4),
    ]


async def test_readers_end_with_the_client(server: FakeServer, client: TelegramClient) -> None:
    await client.connect()
    stream = client.updates()
    reading = asyncio.ensure_future(anext(stream, "end"))
    await asyncio.sleep(0)
    await client.disconnect()
    assert await reading == "end"
    assert [update async for update in stream] == []


async def test_a_reader_may_stop(server: FakeServer, client: TelegramClient) -> None:
    await client.connect()
    stream = client.updates()
    server.push(_short(1))
    await until(lambda: stream._waiting)
    stream.close()
    server.push(_short(2))
    assert [update async for update in stream] == [_short(1)]


async def test_a_server_that_forgot_the_session_and_the_account(server: FakeServer) -> None:
    session = known_session()
    session.data = replace(session.data, user_id=7)
    async with make_client(server, session) as client:
        stream = client.updates()
        server.sessions.clear()
        server.clock.now += 1
        server.answer = lambda request: (401, "AUTH_KEY_UNREGISTERED")
        server.break_connections()
        with pytest.raises(errors.Unauthorized):
            await client.invoke(PING())
        await until(lambda: client._catching_up is None)
        assert await anext(stream) == api.UpdatesTooLong()


async def test_readers_learn_what_the_client_failed_with(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    stream = client.updates()
    server.error = -404
    with pytest.raises(errors.SessionError):
        await client.invoke(PING())
    with pytest.raises(errors.SessionError, match="-404"):
        await anext(stream)


async def test_an_update_that_cannot_be_read_is_reported_as_a_gap(
    server: FakeServer, client: TelegramClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.connect()
    stream = client.updates()
    for session in server.sessions.values():
        session.push(b"\x01\x02\x03\x04", now=server.clock())
    server.flush()
    assert await anext(stream) == api.UpdatesTooLong()
    assert "cannot be read" in caplog.text


async def test_a_server_that_forgot_the_session_is_a_gap_and_is_called_again(  # A7.3, A13.1
    server: FakeServer,
) -> None:
    session = known_session()
    session.data = replace(session.data, user_id=7)
    async with make_client(server, session) as client:
        stream = client.updates()
        server.sessions.clear()
        server.clock.now += 1  # or the new session would use the ids of the old
        server.answer = answer_pings
        server.break_connections()
        await client.invoke(PING())
        assert await anext(stream) == api.UpdatesTooLong()
        await until(lambda: server.executed(api.updates.GetState))
        assert server.wrapped[server.calls.index(api.updates.GetState())]


# ── data centres ─────────────────────────────────────────────────────────────────────────────────


async def test_an_account_is_followed_to_its_data_centre(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from radiogram.crypto import rsa

    monkeypatch.setattr(rsa, "PRODUCTION_KEYS", (KEY.public,))
    options = [
        api.DcOption(id=4, ip_address="::4", port=443, ipv6=True),
        api.DcOption(id=4, ip_address="192.0.2.5", port=443, media_only=True),
        api.DcOption(id=4, ip_address="192.0.2.4", port=5222),
    ]
    answers: list[Any] = [(303, "PHONE_MIGRATE_4"), None, PONG]

    def answer(request: Any) -> Any:
        if isinstance(request, api.help.GetConfig):
            return config(dc_options=options)
        return answers.pop(0) if len(answers) != 2 else answers.pop()

    server.answer = answer
    async with make_client(server, "", server=None) as client:
        first_key = client.session.data.auth_key
        assert await client.invoke(PING()) == PONG
        data = client.session.data
    assert server.dialled == [("149.154.167.51", 443), ("192.0.2.4", 5222)]
    assert (data.dc_id, data.host, data.port) == (4, "192.0.2.4", 5222)
    assert data.auth_key != first_key


async def test_a_server_of_ones_own_has_no_other_data_centres(
    server: FakeServer, client: TelegramClient
) -> None:
    await client.connect()
    server.answer = lambda request: (303, "PHONE_MIGRATE_4")
    with pytest.raises(errors.PhoneMigrate) as raised:
        await client.invoke(PING())
    assert raised.value.dc == 4
    assert len(server.dialled) == 1


async def test_the_session_remembers_where_to_go(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from radiogram.crypto import rsa

    monkeypatch.setattr(rsa, "TEST_KEYS", (KEY.public,))
    server.keys.clear()
    async with make_client(server, "", server=None, test_mode=True) as client:
        saved = client.session.save()  # type: ignore[attr-defined]
    async with make_client(server, saved, server=None) as client:
        assert client.session.data.test_mode
    assert server.dialled == [("149.154.167.40", 443)] * 2
    assert len(server.keys) == 1


async def test_a_session_of_the_other_environment_is_refused(server: FakeServer) -> None:
    session = MemorySession(SessionData(dc_id=2, auth_key=os.urandom(256)))
    with pytest.raises(errors.SessionError, match="production"):
        await make_client(server, session, server=None, test_mode=True).connect()


async def test_a_key_that_is_none_is_refused(server: FakeServer) -> None:
    session = MemorySession(SessionData(dc_id=2, auth_key=b"short"))
    with pytest.raises(errors.SessionError, match="256 bytes"):
        await make_client(server, session).connect()


async def test_the_repr_tells_the_state(server: FakeServer, client: TelegramClient) -> None:
    assert repr(client).startswith("<TelegramClient not connected, <StringSession")
    await client.connect()
    assert "TelegramClient connected" in repr(client)
    assert isinstance(client.session, StringSession)
