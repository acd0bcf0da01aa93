"""The pool: which connection a call takes, how an account gets there, and when it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from radiogram.client.datacenters import Endpoint
from radiogram.client.pool import WITHOUT_UPDATES, Pool, Purpose
from radiogram.crypto import rsa
from radiogram.crypto.keys import AuthKey
from radiogram.errors import ClientClosed, ClientError, KeyUnknown, RadiogramError, RpcError
from radiogram.mtproto.events import ResultError
from radiogram.tl import api
from radiogram.tl.build import registry
from tests.client.fake import KEY

HOME = 2
HOME_KEY = AuthKey(b"h" * 256)
NEW_KEY = AuthKey(b"n" * 256)
IMPORT = api.auth.ImportAuthorization.TL_ID.to_bytes(4, "little")
REFUSED = "AUTH_BYTES_INVALID"


class FakeSender:
    """Answers whatever it is asked, from a list if there is one."""

    def __init__(self, endpoint: Endpoint, key: AuthKey | None) -> None:
        self.endpoint = endpoint
        self.key = key
        self.over = False
        self.initialised = True
        self.asked: list[bytes] = []
        self.answers: list[bytes | ResultError | RadiogramError] = []
        self.closed = asyncio.Event()

    async def connect(self) -> None:
        await asyncio.sleep(0)

    async def request(self, body: bytes) -> bytes | ResultError:
        self.asked.append(body)
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if self.answers else b"done"
        if isinstance(answer, RadiogramError):
            raise answer
        return answer

    async def close(self) -> None:
        self.over = True
        self.closed.set()


class FakeOwner:
    """An account in DC 2."""

    def __init__(self) -> None:
        self.account = 7
        self.senders: list[FakeSender] = []
        self.calls: list[Any] = []
        self.cdn_keys: list[api.CdnPublicKey] = []
        self.prepare: Callable[[FakeSender], object] = lambda sender: None

    @property
    def home(self) -> tuple[int, AuthKey | None, int]:
        return HOME, HOME_KEY, self.account

    def find(self, dc_id: int, purpose: Purpose, keys: tuple[rsa.PublicKey, ...] = ()) -> Endpoint:
        return Endpoint("127.0.0.1", 1, dc_id, dc_id, keys or (KEY.public,), own=True)

    def make_sender(
        self, endpoint: Endpoint, key: AuthKey | None, key_made: Callable[[AuthKey], None]
    ) -> Any:
        sender = FakeSender(endpoint, key)
        if key is None:
            key_made(NEW_KEY)
        self.prepare(sender)
        self.senders.append(sender)
        return sender

    async def call_home(self, request: Any) -> Any:
        self.calls.append(request)
        await asyncio.sleep(0)
        if isinstance(request, api.help.GetCdnConfig):
            return api.CdnConfig(public_keys=self.cdn_keys)
        return api.auth.ExportedAuthorization(id=self.account, bytes=b"%d" % len(self.calls))


class Stage:
    def __init__(self) -> None:
        self.now = 1000.0
        self.owner = FakeOwner()
        self.pool = Pool(self.owner, clock=lambda: self.now)

    @property
    def sender(self) -> FakeSender:
        return self.owner.senders[-1]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def imports(sender: FakeSender) -> list[api.auth.ImportAuthorization]:
    head = len(WITHOUT_UPDATES)
    return [
        registry(api.LAYER).decode_request(body[head:])
        for body in sender.asked
        if body[head:].startswith(IMPORT)
    ]


async def test_a_call_to_another_dc_is_made_there_by_the_account(stage: Stage) -> None:
    assert await stage.pool.request(b"call", 4) == b"done"
    assert stage.owner.calls == [api.auth.ExportAuthorization(dc_id=4)]
    assert imports(stage.sender) == [api.auth.ImportAuthorization(id=7, bytes=b"1")]
    assert stage.sender.asked[-1] == WITHOUT_UPDATES + b"call"  # A13.4
    assert stage.pool.open == [(4, "home")]
    await stage.pool.request(b"again", 4)
    assert (len(stage.owner.senders), len(stage.owner.calls)) == (1, 1)
    await stage.pool.close()


async def test_calls_at_the_same_time_share_one_connection_and_one_import(stage: Stage) -> None:
    answers = await asyncio.gather(*[stage.pool.request(b"%d" % n, 4) for n in range(20)])
    assert answers == [b"done"] * 20
    assert (len(stage.owner.senders), len(stage.owner.calls)) == (1, 1)
    await stage.pool.close()


async def test_who_is_not_signed_in_is_not_exported(stage: Stage) -> None:
    stage.owner.account = 0
    assert await stage.pool.request(b"call", 4) == b"done"
    assert stage.owner.calls == []
    stage.owner.account = 8  # signs in later
    await stage.pool.request(b"call", 4)
    assert [request.id for request in imports(stage.sender)] == [8]
    await stage.pool.close()


async def test_each_purpose_has_a_connection(stage: Stage) -> None:
    await stage.pool.request(b"call", 4)
    await stage.pool.request(b"part", 4, "media")
    assert stage.pool.open == [(4, "home"), (4, "media")]
    assert stage.sender.key == NEW_KEY, "one key for each data centre"
    await stage.pool.close()


async def test_media_at_home_has_the_key_of_home(stage: Stage) -> None:
    await stage.pool.request(b"part", HOME, "media")
    assert stage.sender.key == HOME_KEY
    assert stage.owner.calls == []
    await stage.pool.close()


async def test_an_import_that_comes_too_late_is_made_again(stage: Stage) -> None:
    stage.owner.prepare = lambda sender: sender.answers.append(ResultError(1, 400, REFUSED))
    assert await stage.pool.request(b"call", 4) == b"done"
    assert [request.bytes for request in imports(stage.sender)] == [b"1", b"2"]
    await stage.pool.close()


async def test_an_import_that_is_refused_is_an_error(stage: Stage) -> None:
    stage.owner.prepare = lambda sender: sender.answers.extend([ResultError(1, 400, REFUSED)] * 2)
    with pytest.raises(RpcError, match=REFUSED):
        await stage.pool.request(b"call", 4)
    await stage.pool.close()


async def test_e11_who_is_thrown_out_comes_in_again(stage: Stage) -> None:
    await stage.pool.request(b"call", 4)
    unknown = ResultError(1, 401, "AUTH_KEY_UNREGISTERED")
    stage.sender.answers = [unknown]
    assert await stage.pool.request(b"call", 4) == b"done"
    assert len(imports(stage.sender)) == 2
    stage.sender.answers = [unknown, b"imported", unknown]
    assert await stage.pool.request(b"call", 4) == unknown, "once"
    await stage.pool.close()


async def test_a_key_that_is_unknown_there_is_made_anew(stage: Stage) -> None:
    await stage.pool.request(b"call", 4)
    first = stage.sender
    await stage.pool.close()

    def forget(sender: FakeSender) -> None:
        if sender.key == NEW_KEY:
            sender.over = True
            sender.answers.append(KeyUnknown("-404"))

    stage.owner.prepare = forget
    assert await stage.pool.request(b"call", 4) == b"done"
    assert first.key is None
    assert [sender.key for sender in stage.owner.senders] == [None, NEW_KEY, None]
    await stage.pool.close()


async def test_an_idle_connection_is_closed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radiogram.net.deadline.LONGEST", 0.001)
    await stage.pool.request(b"call", 4)
    stage.now += 30
    await stage.pool.request(b"call", 5)
    four, five = stage.owner.senders
    stage.now += 31  # 61 seconds for DC 4, 31 for DC 5
    async with asyncio.timeout(5):
        await four.closed.wait()
    assert stage.pool.open == [(5, "home")]
    assert not five.closed.is_set()
    await stage.pool.request(b"call", 4)
    assert stage.sender.key == NEW_KEY, "the key is kept"
    await stage.pool.close()
    assert five.closed.is_set()


async def test_a_connection_with_a_call_is_not_idle(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radiogram.net.deadline.LONGEST", 0.001)
    await stage.pool.request(b"call", 4)
    going = asyncio.Event()

    async def request(body: bytes) -> bytes:
        await going.wait()
        return b"late"

    stage.sender.request = request  # type: ignore[method-assign]
    task = asyncio.create_task(stage.pool.request(b"long", 4))
    await asyncio.sleep(0)
    stage.now += 600
    await asyncio.sleep(0.01)
    assert stage.pool.open == [(4, "home")]
    going.set()
    assert await task == b"late"
    await stage.pool.close()


async def test_a_connection_that_opens_while_the_client_is_disconnected(stage: Stage) -> None:
    opening = asyncio.Event()
    stage.owner.prepare = lambda sender: opening.set()
    task = asyncio.create_task(stage.pool.request(b"call", 4))
    await opening.wait()
    await stage.pool.close()
    with pytest.raises(ClientClosed):
        await task
    assert stage.sender.closed.is_set()


async def test_another_account_makes_its_own_keys(stage: Stage) -> None:
    await stage.pool.request(b"call", 4)
    await stage.pool.close(forget=True)
    await stage.pool.request(b"call", 4)
    assert stage.sender.key is None
    await stage.pool.close()


async def test_a_cdn_has_keys_of_its_own_and_nobody_signs_in(stage: Stage) -> None:
    other = rsa.PrivateKey.generate().public
    stage.owner.cdn_keys = [
        api.CdnPublicKey(dc_id=201, public_key=KEY.public.to_pem()),
        api.CdnPublicKey(dc_id=203, public_key=other.to_pem()),
    ]
    assert await stage.pool.request(b"part", 203, "cdn") == b"done"
    assert stage.sender.endpoint.keys == (other,)
    assert stage.sender.asked == [b"part"], "a CDN knows no wrapper and no account (C7.12)"
    await stage.pool.close()


async def test_a_cdn_that_nobody_has_told_of(stage: Stage) -> None:
    with pytest.raises(ClientError, match="names no key of the CDN 203"):
        await stage.pool.request(b"part", 203, "cdn")
