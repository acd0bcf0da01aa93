"""Faults of calls, each with its wire form (E1 to E15, E26, E27, E30 to E33)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from radiogram.server import RpcFault, Server
from radiogram.server.fault_spec import apply
from radiogram.server.faults import FaultError, Faults
from radiogram.tl import api
from radiogram.tl.build import registry

from .raw import RawClient, dial, exchange_keys
from .wiretap import messages_of, nearest_dc, next_envelope

PHONE = "9996620001"
CONFIG = "help.getNearestDc"

Ask = Callable[[Faults], None]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        server.world.add_user(PHONE, "Ada")
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[RawClient]:
    client = await RawClient.start(server)
    yield client
    await client.close()


ERRORS: list[tuple[str, Ask, str, int, str]] = [
    ("E1", lambda f: f.flood_wait(CONFIG, 0), f"flood_wait:{CONFIG}:0", 420, "FLOOD_WAIT_0"),
    (
        "E2",
        lambda f: f.premium_wait(7, "help.*"),
        "premium_wait:7,method=help.*",
        420,
        "FLOOD_PREMIUM_WAIT_7",
    ),
    ("E3", lambda f: f.slow_mode(9, CONFIG), f"slow_mode:9:{CONFIG}", 420, "SLOWMODE_WAIT_9"),
    *(
        (
            "E4",
            lambda f, name=name: f.special_wait(name, 5, CONFIG),
            f"special_wait:{name}:5:{CONFIG}",
            420,
            f"{name}_5",
        )
        for name in (
            "FLOOD_TEST_PHONE_WAIT",
            "TAKEOUT_INIT_DELAY",
            "2FA_CONFIRM_WAIT",
            "STORY_SEND_FLOOD",
        )
    ),
    *(
        (
            "E5",
            lambda f, kind=kind: f.migrate(CONFIG, 4, kind),
            f"migrate:{CONFIG}:4:{kind}",
            303,
            f"{kind}_MIGRATE_4",
        )
        for kind in ("USER", "PHONE", "NETWORK", "FILE", "STATS")
    ),
    ("E6", lambda f: f.timeout(CONFIG), f"timeout:{CONFIG}", -503, "Timeout"),
    ("E7", lambda f: f.chain_broken(CONFIG), f"chain_broken:{CONFIG}", -503, "MSG_WAIT_TIMEOUT"),
    (
        "E7",
        lambda f: f.chain_broken(CONFIG, "MSG_WAIT_FAILED"),
        f"chain_broken:{CONFIG}:MSG_WAIT_FAILED",
        400,
        "MSG_WAIT_FAILED",
    ),
    (
        "E7",
        lambda f: f.chain_broken(CONFIG, "MSG_WAIT_FAILED", code=500),
        f"chain_broken:{CONFIG}:MSG_WAIT_FAILED:500",
        500,
        "MSG_WAIT_FAILED",
    ),
    *(
        (
            "E8",
            lambda f, name=name: f.internal_error(CONFIG, name),
            f"internal_error:{CONFIG}:{name}",
            500,
            name,
        )
        for name in (
            "RPC_CALL_FAIL",
            "RPC_MCGET_FAIL",
            "INTERDC_2_CALL_ERROR",
            "INTERDC_2_CALL_RICH_ERROR",
            "WORKER_BUSY_TOO_LONG_RETRY",
            "HISTORY_GET_FAILED",
            "AUTH_RESTART",
            "MSGID_DECREASE_RETRY",
        )
    ),
    (
        "E8",
        lambda f: f.internal_error(CONFIG, "No workers running", code=-500),
        f"internal_error:{CONFIG}:No workers running,code=-500",
        -500,
        "No workers running",
    ),
    (
        "E9",
        lambda f: f.outdated_timestamp(CONFIG),
        f"outdated_timestamp:{CONFIG}",
        500,
        "PERSISTENT_TIMESTAMP_OUTDATED",
    ),
    *(
        (
            "E10",
            lambda f, name=name: f.invalid_timestamp(CONFIG, name),
            f"invalid_timestamp:{CONFIG}:{name}",
            400,
            name,
        )
        for name in ("PERSISTENT_TIMESTAMP_INVALID", "PERSISTENT_TIMESTAMP_EMPTY")
    ),
    *(
        (
            rule,
            lambda f, name=name: f.unauthorized(CONFIG, name),
            f"unauthorized:{CONFIG}:{name}",
            401,
            name,
        )
        for rule, name in (
            ("E11", "AUTH_KEY_UNREGISTERED"),
            ("E12", "SESSION_REVOKED"),
            ("E12", "SESSION_EXPIRED"),
            ("E12", "USER_DEACTIVATED"),
            ("E12", "USER_DEACTIVATED_BAN"),
            ("E12", "AUTH_KEY_INVALID"),
        )
    ),
    ("E13", lambda f: f.unbound_key(), "unbound_key", 401, "AUTH_KEY_PERM_EMPTY"),
    (
        "E26",
        lambda f: f.file_error("FILE_PART_3_MISSING", CONFIG),
        f"file_error:FILE_PART_3_MISSING:{CONFIG}",
        400,
        "FILE_PART_3_MISSING",
    ),
    ("E30", lambda f: f.not_initialised(), "not_initialised", 400, "CONNECTION_NOT_INITED"),
    ("E30", lambda f: f.invalid_layer(), "invalid_layer", 400, "CONNECTION_LAYER_INVALID"),
    (
        "E31",
        lambda f: f.error(CONFIG, 444, "NEVER_HEARD_OF_7"),
        f"error:{CONFIG}:444:NEVER_HEARD_OF_7",
        444,
        "NEVER_HEARD_OF_7",
    ),
]


@pytest.mark.parametrize(
    ("rule", "ask", "spec", "code", "message"), ERRORS, ids=[f"{e[0]}-{e[4]}" for e in ERRORS]
)
async def test_errors(
    server: Server, client: RawClient, rule: str, ask: Ask, spec: str, code: int, message: str
) -> None:
    """E1 to E13, E26, E30, E31: rpc_error in rpc_result (A11.2), in either way to ask for it."""
    for add in (ask, lambda faults: apply(faults, spec)):
        add(server.faults)
        msg_id = nearest_dc(client)
        answer = None
        while answer is None:
            for one in messages_of(await next_envelope(client)):
                if one.answers == msg_id:
                    answer = one.value
        assert (answer.error_code, answer.error_message) == (code, message), rule
        assert server.faults.waiting == []
    assert server.faults.count("error", f"{message} {CONFIG}") == 2


async def test_e4_without_a_method_a_wait_is_for_the_one_that_knows_it(server: Server) -> None:
    server.faults.special_wait("FLOOD_TEST_PHONE_WAIT", 5)
    with pytest.raises(RpcFault, match="420 FLOOD_TEST_PHONE_WAIT_5"):
        server.world.call(
            0,
            api.auth.SendCode(
                phone_number=PHONE, api_id=1, api_hash="x", settings=api.CodeSettings()
            ),
        )


async def test_e8_an_error_after_the_work_was_done(server: Server, client: RawClient) -> None:
    await client.log_in(PHONE)
    server.faults.internal_error("messages.sendMessage", executed=True)
    sending = api.messages.SendMessage(peer=api.InputPeerSelf(), message="text", random_id=1)
    with pytest.raises(RpcFault, match="500 RPC_CALL_FAIL"):
        await client.call(sending)
    with pytest.raises(RpcFault, match="RANDOM_ID_DUPLICATE"):
        await client.call(sending)


async def test_e14_a_duplicated_key_is_dead(server: Server, client: RawClient) -> None:
    await client.log_in(PHONE)
    server.faults.duplicated_key("updates.*")
    with pytest.raises(RpcFault, match="406 AUTH_KEY_DUPLICATED"):
        await client.call(api.updates.GetState())
    with pytest.raises(RpcFault, match="401 AUTH_KEY_UNREGISTERED"):
        await client.call(api.updates.GetState())


async def test_e15_what_the_client_is_to_show_follows_the_error(
    server: Server, client: RawClient
) -> None:
    await client.log_in(PHONE)
    server.faults.notice("updates.getState", "USER_RESTRICTED", "You cannot do that.")
    with pytest.raises(RpcFault, match="406 USER_RESTRICTED"):
        await client.call(api.updates.GetState())
    notification = (await client.next_push()).update
    assert isinstance(notification, api.UpdateServiceNotification)
    assert (notification.popup, notification.message) == (True, "You cannot do that.")
    assert notification.type == "USER_RESTRICTED"


# ------------------------------------------------------------------ files: E26


GET_FILE = api.upload.GetFile(
    location=api.InputDocumentFileLocation(id=1, access_hash=1, file_reference=b"", thumb_size=""),
    offset=0,
    limit=4096,
)


async def test_e26_pieces_that_are_short_or_wrong(server: Server, client: RawClient) -> None:
    await client.log_in(PHONE)
    piece = api.upload.File(type=api.storage.FilePng(), mtime=1, bytes=b"piece")
    server.faults.answer("upload.getFile", piece, times=3)
    server.faults.short_chunk(2)
    assert (await client.call(GET_FILE)).bytes == b"pie"
    server.faults.corrupt_chunk()
    assert (await client.call(GET_FILE)).bytes == b"qiece"
    assert (await client.call(GET_FILE)).bytes == b"piece"
    assert server.faults.count("short_chunk") == server.faults.count("corrupt_chunk") == 1


async def test_e26_a_cdn_redirects_and_asks_for_the_file(server: Server, client: RawClient) -> None:
    await client.log_in(PHONE)
    server.faults.cdn_redirect(203)
    redirect = await client.call(GET_FILE)
    assert isinstance(redirect, api.upload.FileCdnRedirect)
    assert (redirect.dc_id, len(redirect.encryption_key), len(redirect.encryption_iv)) == (
        203,
        32,
        16,
    )
    server.faults.cdn_reupload()
    needed = await client.call(
        api.upload.GetCdnFile(file_token=redirect.file_token, offset=0, limit=4096)
    )
    assert isinstance(needed, api.upload.CdnFileReuploadNeeded)
    assert needed.request_token


# ------------------------------------------------------------------ temporary keys: E27


async def test_e27_a_temporary_key_expires_now(server: Server) -> None:
    line = await dial(server)
    key, salt = await exchange_keys(server, line, expires_in=3600)
    client = RawClient(server, line, key, salt)
    await client.call(api.help.GetNearestDc())
    server.faults.expire_temp_keys()
    with pytest.raises(ConnectionError, match="-404"):
        await client.call(api.help.GetNearestDc())
    assert server.faults.count("expire", "1 keys") == 1
    await client.close()


@pytest.mark.parametrize("name", ["ENCRYPTED_MESSAGE_INVALID", "EXPIRES_AT_INVALID"])
async def test_e27_binding_fails(server: Server, client: RawClient, name: str) -> None:
    server.faults.bind_error(name)
    binding = api.auth.BindTempAuthKey(
        perm_auth_key_id=1, nonce=1, expires_at=1, encrypted_message=b""
    )
    with pytest.raises(RpcFault, match=f"400 {name}"):
        await client.call(binding)


# ------------------------------------------------------------------ layers: E30


async def test_e30_an_answer_of_an_older_layer(server: Server, client: RawClient) -> None:
    older = registry(150)
    server.faults.old_layer("users.getUsers", 150)
    await client.log_in(PHONE)
    body = client.encode(api.users.GetUsers(id=[api.InputUserSelf()]))
    answer = await client.result(client.send(body))
    constructor = int.from_bytes(answer[8:12], "little")
    user = older.get("user")
    assert user is not None
    assert constructor == user.TL_ID != api.User.TL_ID


# ------------------------------------------------------------------ accounts: E32


async def test_e32_limited_for_spam(server: Server, client: RawClient) -> None:
    me = await client.log_in(PHONE)
    other = server.world.add_user("9996620002", "Ben", username="ben_ben")
    found = await client.call(api.contacts.ResolveUsername(username="ben_ben"))
    peer = api.InputPeerUser(user_id=other.id, access_hash=found.users[0].access_hash)
    made = await client.call(api.channels.CreateChannel(megagroup=True, title="Group", about=""))
    server.faults.limit_account(me.id)
    with pytest.raises(RpcFault, match="400 PEER_FLOOD"):
        await client.call(api.messages.SendMessage(peer=peer, message="Buy!", random_id=1))
    await client.call(
        api.messages.SendMessage(peer=api.InputPeerSelf(), message="Note", random_id=2)
    )
    channel = made.chats[0]
    peer_channel = api.InputPeerChannel(channel_id=channel.id, access_hash=channel.access_hash)
    with pytest.raises(RpcFault, match="USER_BANNED_IN_CHANNEL"):
        await client.call(api.messages.SendMessage(peer=peer_channel, message="Buy!", random_id=3))
    server.faults.limit_account(me.id, limited=False)
    await client.call(api.messages.SendMessage(peer=peer, message="Hello", random_id=4))


async def test_e32_frozen(server: Server, client: RawClient) -> None:
    me = await client.log_in(PHONE)
    server.faults.freeze_account(me.id)
    with pytest.raises(RpcFault, match="420 FROZEN_METHOD_INVALID"):
        await client.call(
            api.messages.SendMessage(peer=api.InputPeerSelf(), message="text", random_id=1)
        )
    with pytest.raises(RpcFault, match="400 FROZEN_PARTICIPANT_MISSING"):
        await client.call(
            api.channels.GetParticipant(
                channel=api.InputChannelEmpty(), participant=api.InputPeerSelf()
            )
        )
    await client.call(api.updates.GetState())
    config = await client.call(api.help.GetAppConfig(hash=0))
    told = {entry.key: entry.value for entry in config.config.value}
    assert told["freeze_until_date"].value > told["freeze_since_date"].value
    assert told["freeze_appeal_url"].value.startswith("https://")
    server.faults.freeze_account(me.id, frozen=False)
    await client.call(
        api.messages.SendMessage(peer=api.InputPeerSelf(), message="text", random_id=1)
    )


async def test_e32_deleted(server: Server, client: RawClient) -> None:
    me = await client.log_in(PHONE)
    server.faults.delete_account(me.id)
    with pytest.raises(RpcFault, match="401 USER_DEACTIVATED"):
        await client.call(api.updates.GetState())


async def test_e32_premium_on_and_off(server: Server, client: RawClient) -> None:
    me = await client.log_in(PHONE)
    for premium in (True, False):
        server.faults.premium_account(me.id, premium=premium)
        (user,) = await client.call(api.users.GetUsers(id=[api.InputUserSelf()]))
        assert user.premium is premium


# ------------------------------------------------------------------ configuration: E33


async def test_e33_another_configuration(server: Server, client: RawClient) -> None:
    server.faults.change_config(port=1, expired=True)
    config = await client.call(api.help.GetConfig())
    assert {option.port for option in config.dc_options} == {1}
    assert config.expires < config.date
    config = await client.call(api.help.GetConfig())
    assert config.dc_options[0].port == server.port
    assert config.expires > config.date


async def test_e33_news_of_the_configuration(server: Server, client: RawClient) -> None:
    await client.log_in(PHONE)
    await client.call(api.updates.GetState())
    server.faults.push_config()
    assert isinstance((await client.next_push()).update, api.UpdateConfig)
    server.faults.push_dc_options(port=4430)
    update = (await client.next_push()).update
    assert isinstance(update, api.UpdateDcOptions)
    assert [(one.id, one.port) for one in update.dc_options] == [(2, 4430)]


# ------------------------------------------------------------------ what cannot be


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda f: f.special_wait("WAIT", 1), "name: 'WAIT' is no such wait; choose from FLOOD_"),
        (lambda f: f.migrate("*", 1, "MOON"), "kind: 'MOON' does not migrate; choose from USER"),
        (lambda f: f.chain_broken("*", "X"), "name: 'X' is no such error; choose from MSG_WAIT"),
        (lambda f: f.old_layer("*", 3), "layer: "),
        (lambda f: f.tiny_slices(0), "events: 0 lead nowhere; give 1 or more"),
        (lambda f: f.change_config(), "port, expired: nothing would change; give one"),
        (lambda f: f.short_chunk(0), "bytes_less: 0 is nothing; give 1 or more"),
        (lambda f: f.premium_account(0), "user_id: 0 is no account; give the id of one"),
        (lambda f: f.timeout("*", times=0), "times: 0 is not a number of times; give 1 or more"),
        (lambda f: f.timeout("*", after=-1), "after: -1 cannot pass first; give 0 or more"),
        (lambda f: f.timeout("*", often=1), "often: a fault cannot be aimed by that; use user_id"),
        (lambda f: f.rotate_salts(), "belong to no server that runs; start one"),
    ],
)
def test_what_cannot_be_is_said(ask: Ask, sentence: str) -> None:
    faults = Faults()
    with pytest.raises(FaultError) as caught:
        ask(faults)
    assert sentence in str(caught.value)
    assert faults.waiting == []


async def test_a_fault_is_aimed_at_a_key_a_session_and_a_time(
    server: Server, client: RawClient
) -> None:
    other = await client.another_session()
    aims: list[dict[str, Any]] = [
        {"session_id": client.session.session_id},
        {"key_id": client.key.id, "times": 1},
    ]
    await other.call(api.help.GetNearestDc())
    for aim in aims:
        server.faults.error("help.*", 400, "AIMED", **aim)
        if "session_id" in aim:
            await other.call(api.help.GetNearestDc())
        with pytest.raises(RpcFault, match="AIMED"):
            await client.call(api.help.GetNearestDc())
    server.faults.error("help.*", 400, "AIMED", lasting=60)
    for _ in range(3):
        with pytest.raises(RpcFault, match="AIMED"):
            await client.call(api.help.GetNearestDc())
    server.world.clock.advance(60)
    await client.call(api.help.GetNearestDc())
    assert server.faults.waiting == []
    await other.close()
