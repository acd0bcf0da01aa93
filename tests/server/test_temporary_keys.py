"""Temporary keys: what they may, how they are bound, and when they end (A16)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from radiogram.crypto.keys import AuthKey
from radiogram.mtproto.binding import Binding, write_binding
from radiogram.server import Clock, RpcFault, Server
from radiogram.tl import api
from tests.server.raw import RawClient, dial, exchange_keys

NOON = 1_700_000_000
PHONE = "9996621234"
DAY = 86400
GET_ME = api.users.GetUsers(id=[api.InputUserSelf()])


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    clock = Clock()
    clock.freeze(NOON)
    async with Server(dcs=(2, 4), clock=clock) as server:
        server.world.add_user(PHONE, "Ann")
        yield server
    clock.close()


class Device(RawClient):
    """A client with a permanent key, that sends what it is told with a temporary one."""

    permanent: AuthKey

    @classmethod
    async def make(
        cls, server: Server, permanent: AuthKey | None = None, *, dc: int | None = None
    ) -> Device:
        line = await dial(server)
        if permanent is None:
            permanent, _ = await exchange_keys(server, line)
        key, salt = await exchange_keys(server, line, expires_in=DAY, dc=dc)
        device = cls(server, line, key, salt)
        device.permanent = permanent
        return device

    async def bind(self, **changes: Any) -> Any:
        """Bind as a good client does, but for what a test wants otherwise."""
        body = changes.pop("body", None)
        session = self.session
        call_id = session.bind(self.permanent, expires_at=NOON + DAY, now=self.now)
        call = session._calls[call_id]
        if body is not None:
            call.body = body(call.msg_id)
        elif changes:
            call.body = self.binding(call.msg_id, **changes)
        self.flush()
        return registry_decode(await self.result(call_id))

    def binding(
        self,
        msg_id: int,
        *,
        outer: dict[str, Any] | None = None,
        encrypted_by: AuthKey | None = None,
        inner_msg_id: int = 0,
        encrypted_message: bytes | None = None,
        **inner: Any,
    ) -> bytes:
        """Build the call by hand: `outer` changes the call, `inner` what is encrypted in it."""
        right = Binding(
            nonce=77,
            temp_auth_key_id=signed(self.key),
            perm_auth_key_id=signed(self.permanent),
            temp_session_id=self.session.session_id,
            expires_at=NOON + DAY,
        )
        message = encrypted_message
        if message is None:
            message = write_binding(
                encrypted_by or self.permanent,
                replace(right, **inner),
                msg_id=inner_msg_id or msg_id,
                random=bytes,
            )
        told: dict[str, Any] = {
            "perm_auth_key_id": right.perm_auth_key_id,
            "nonce": right.nonce,
            "expires_at": right.expires_at,
        }
        request = api.auth.BindTempAuthKey(**told | (outer or {}), encrypted_message=message)
        return self.encode(request)


def signed(key: AuthKey) -> int:
    return int.from_bytes(key.key_id, "little", signed=True)


def registry_decode(body: bytes) -> bool:
    return body == api_true()


def api_true() -> bytes:
    return api.BoolTrue.TL_ID.to_bytes(4, "little")


@pytest_asyncio.fixture
async def device(server: Server) -> AsyncIterator[Device]:
    device = await Device.make(server)
    yield device
    await device.line.close()


# ------------------------------------------------------------------ before it is bound


async def test_a16_1_an_unbound_key_may_call_three_methods(device: Device) -> None:
    assert (await device.call(api.help.GetConfig())).this_dc == 2
    assert (await device.call(api.help.GetNearestDc())).this_dc == 2
    for request in (
        GET_ME,
        api.help.GetAppConfig(hash=0),
        api.auth.SendCode(phone_number=PHONE, api_id=1, api_hash="x", settings=api.CodeSettings()),
        api.auth.DropTempAuthKeys(except_auth_keys=[]),
    ):
        with pytest.raises(RpcFault, match=r"^401 AUTH_KEY_PERM_EMPTY$"):
            await device.call(request)
    assert await device.bind()


async def test_a16_1_not_even_wrapped(device: Device) -> None:
    body = device.wrap(device.encode(api.InvokeWithoutUpdates(query=device.encode(GET_ME))))
    with pytest.raises(RpcFault, match=r"^401 AUTH_KEY_PERM_EMPTY$"):
        await device.result(device.send(body))


# ------------------------------------------------------------------ binding


async def test_a16_7_a_bound_key_acts_for_the_permanent_one(device: Device) -> None:
    assert await device.bind()
    me = await device.log_in(PHONE)
    (again,) = await device.call(GET_ME)
    assert again.id == me.id

    # The permanent key itself is the same login, and so is the next temporary one.
    line = await dial(device.server)
    async with RawClient(device.server, line, device.permanent, 0).line as _:
        permanent = RawClient(device.server, line, device.permanent, 0)
        (same,) = await permanent.call(GET_ME)
        assert same.id == me.id
        listed = await permanent.call(api.account.GetAuthorizations())
        assert len(listed.authorizations) == 1


async def test_a12_4_the_layer_is_remembered_by_the_permanent_key(device: Device) -> None:
    assert await device.bind()
    await device.log_in(PHONE)
    other = await Device.make(device.server, device.permanent)
    async with other.line:
        assert await other.bind()
        other._initialised = True  # it does not introduce itself
        (me,) = await other.call(GET_ME)
        assert me.phone == PHONE


async def test_a16_3_the_same_binding_twice_is_no_harm(device: Device) -> None:
    assert await device.bind()
    assert await device.bind()
    await device.call(api.help.GetAppConfig(hash=0))


async def test_a16_4_a_permanent_key_cannot_be_bound(server: Server) -> None:
    client = await RawClient.start(server)
    async with client.line:
        request = api.auth.BindTempAuthKey(
            perm_auth_key_id=signed(client.key),
            nonce=1,
            expires_at=NOON + DAY,
            encrypted_message=b"",
        )
        with pytest.raises(RpcFault, match=r"^400 TEMP_AUTH_KEY_EMPTY$"):
            await client.call(request)


async def test_a16_4_a_key_is_bound_to_one_permanent_key(device: Device) -> None:
    assert await device.bind()
    stranger = await Device.make(device.server)
    async with stranger.line:
        device.permanent = stranger.permanent
        with pytest.raises(RpcFault, match=r"^400 TEMP_AUTH_KEY_ALREADY_BOUND$"):
            await device.bind()


@pytest.mark.parametrize("expires_at", [0, -1, NOON - 1, NOON, NOON + DAY + 61, 2**31 - 1])
async def test_a16_4_when_a_binding_cannot_end(device: Device, expires_at: int) -> None:
    with pytest.raises(RpcFault, match=r"^400 EXPIRES_AT_INVALID$"):
        await device.bind(outer={"expires_at": expires_at}, expires_at=expires_at)


async def test_a16_4_the_key_ends_when_the_binding_says(device: Device) -> None:
    assert await device.bind(outer={"expires_at": NOON + 100}, expires_at=NOON + 100)
    await device.call(api.help.GetAppConfig(hash=0))
    device.server.world.clock.advance(100)
    with pytest.raises(ConnectionError, match="-404"):
        await device.call(api.help.GetAppConfig(hash=0))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"nonce": 78}, id="nonce inside"),
        pytest.param({"outer": {"nonce": 78}}, id="nonce outside"),
        pytest.param({"temp_auth_key_id": 1}, id="temporary key"),
        pytest.param({"perm_auth_key_id": 1}, id="permanent key inside"),
        pytest.param({"outer": {"perm_auth_key_id": 1}}, id="permanent key outside"),
        pytest.param({"temp_session_id": 1}, id="session"),
        pytest.param({"expires_at": NOON + DAY - 1}, id="end inside"),
        pytest.param({"outer": {"expires_at": NOON + DAY - 1}}, id="end outside"),
        pytest.param({"inner_msg_id": 4}, id="message id"),
        pytest.param({"encrypted_by": AuthKey(b"x" * 256)}, id="another key's message"),
        pytest.param({"encrypted_message": b""}, id="no message"),
        pytest.param({"encrypted_message": bytes(104)}, id="zeros"),
        pytest.param({"encrypted_message": bytes(24)}, id="nothing encrypted"),
    ],
)
async def test_a16_4_a_message_that_does_not_fit(device: Device, changes: dict[str, Any]) -> None:
    with pytest.raises(RpcFault, match=r"^400 ENCRYPTED_MESSAGE_INVALID$"):
        await device.bind(**changes)
    with pytest.raises(RpcFault, match=r"^401 AUTH_KEY_PERM_EMPTY$"):
        await device.call(GET_ME)
    assert await device.bind()  # nothing is spoiled by that


async def test_a16_4_a_message_of_another_call_is_not_taken(device: Device) -> None:
    """What was seen on the wire once is of no use: the message id is in it."""
    seen = device.binding(1)
    with pytest.raises(RpcFault, match=r"^400 ENCRYPTED_MESSAGE_INVALID$"):
        await device.bind(body=lambda msg_id: seen)


async def test_a16_4_another_temporary_key_is_no_permanent_one(device: Device) -> None:
    other = await Device.make(device.server)
    async with other.line:
        device.permanent = other.key
        with pytest.raises(RpcFault, match=r"^400 ENCRYPTED_MESSAGE_INVALID$"):
            await device.bind()


async def test_a16_4_a_permanent_key_of_another_dc_is_unknown(device: Device) -> None:
    async with await dial(device.server, dc_id=4) as line:
        device.permanent, _ = await exchange_keys(device.server, line)
    with pytest.raises(RpcFault, match=r"^400 ENCRYPTED_MESSAGE_INVALID$"):
        await device.bind()


# ------------------------------------------------------------------ one at a time


async def test_a16_2_a_new_binding_replaces_the_old_one(device: Device) -> None:
    assert await device.bind()
    await device.log_in(PHONE)
    other = await Device.make(device.server, device.permanent)
    async with other.line:
        assert await other.bind()
        with pytest.raises(RpcFault, match=r"^401 AUTH_KEY_PERM_EMPTY$"):
            await device.call(GET_ME)
        (me,) = await other.call(GET_ME)
        assert me.phone == PHONE
        assert await device.bind()  # and back
        with pytest.raises(RpcFault, match=r"^401 AUTH_KEY_PERM_EMPTY$"):
            await other.call(GET_ME)


async def test_a16_2_media_connections_have_keys_of_their_own(device: Device) -> None:
    assert await device.bind()
    await device.log_in(PHONE)
    media = await Device.make(device.server, device.permanent, dc=-2)
    async with media.line:
        assert await media.bind()
        for one in (device, media):
            (me,) = await one.call(GET_ME)
            assert me.phone == PHONE


# ------------------------------------------------------------------ the end


async def test_a16_6_an_expired_key_is_unknown(device: Device) -> None:
    assert await device.bind()
    await device.call(api.help.GetAppConfig(hash=0))
    device.server.world.clock.advance(DAY)
    with pytest.raises(ConnectionError, match="-404"):
        await device.call(api.help.GetAppConfig(hash=0))


async def test_a16_6_an_unbound_key_expires_too(device: Device) -> None:
    device.server.world.clock.advance(DAY)
    with pytest.raises(ConnectionError, match="-404"):
        await device.call(api.help.GetConfig())


async def test_a16_6_temporary_keys_are_dropped(device: Device) -> None:
    assert await device.bind()
    await device.log_in(PHONE)
    media = await Device.make(device.server, device.permanent, dc=-2)
    async with media.line:
        assert await media.bind()
        (me,) = await media.call(GET_ME)
        spare = api.auth.DropTempAuthKeys(except_auth_keys=[signed(media.key)])
        assert await device.call(spare) is True
        assert (await media.call(GET_ME))[0].id == me.id
        assert await device.call(api.auth.DropTempAuthKeys(except_auth_keys=[])) is True
        with pytest.raises(ConnectionError, match="-404"):
            await media.call(GET_ME)
        assert (await device.call(GET_ME))[0].id == me.id  # the one that called is spared


async def test_the_keys_of_others_are_not_dropped(device: Device) -> None:
    stranger = await Device.make(device.server)
    async with stranger.line:
        assert await stranger.bind()
        assert await device.bind()
        await device.log_in(PHONE)
        assert await device.call(api.auth.DropTempAuthKeys(except_auth_keys=[]))
        await stranger.call(api.help.GetAppConfig(hash=0))


async def test_who_destroys_the_permanent_key_destroys_its_temporary_ones(device: Device) -> None:
    assert await device.bind()
    await device.call(api.help.GetAppConfig(hash=0))
    world = device.server.world
    permanent = world.authorizations.get(device.permanent.key_id)
    assert permanent is not None
    device.server.destroy_key(permanent)
    with pytest.raises(ConnectionError, match="-404"):
        await device.call(api.help.GetAppConfig(hash=0))


async def test_updates_reach_the_bound_key(device: Device) -> None:  # A13.1, A16.7
    assert await device.bind()
    me = await device.log_in(PHONE)
    world = device.server.world
    other = world.add_user("9996621235", "Bob")
    update = api.UpdateShort(update=api.UpdateConfig(), date=NOON)
    world.deliver(me.id, update)
    assert await device.next_push() == update
    assert other.id


async def test_a_binding_survives_a_restart(tmp_path: Any) -> None:
    clock = Clock()
    clock.freeze(NOON)
    options: dict[str, Any] = {"database": f"sqlite:///{tmp_path / 'world.db'}", "clock": clock}
    async with Server(**options) as server:
        server.world.add_user(PHONE, "Ann")
        device = await Device.make(server)
        assert await device.bind()
        await device.log_in(PHONE)
        port = server.port
        await device.line.close()
    clock.advance(1)  # or the server would give its message ids once more
    async with Server(**options, port=port) as server:
        device.server = server
        device.session.connection_lost(now=device.now)
        device.line = await dial(server)
        device.session.connection_made(now=device.now)
        async with device.line:
            (me,) = await device.call(GET_ME)
            assert me.phone == PHONE
    clock.close()
