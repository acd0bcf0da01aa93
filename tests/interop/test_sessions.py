"""Sessions of other libraries, judged by these libraries: strings, files, and calls with them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from radiogram import TelegramClient
from radiogram.sessions import PeerRecord, SessionCopy, SessionData, State, StringSession

from .conftest import Guests, missing, phone_of, unavailable
from .drivers import API_HASH, API_ID, Driver
from .node import NodeDriver
from .plain import Plain

KEY = bytes(range(1, 256)) + b"\7"
DATA = SessionData(dc_id=2, host="149.154.167.51", port=443, auth_key=KEY, user_id=5_000_000_001)
ANNA = PeerRecord(5_000_000_002, 111, ("anna",), "999660001")
GROUP = PeerRecord(-77)
NEWS = PeerRecord(-1001234567890, -222, ("news",))
FULL = SessionCopy(
    data=DATA,
    peers=(PeerRecord(DATA.user_id, 999), ANNA, GROUP, NEWS),
    state=State(7, 8, 1_700_000_000, 10),
    channels={1234567890: 55},
    api_id=6,
)
PACKAGES = {"gramjs": "telegram", "teleproto": "teleproto", "mtcute": "mtcute"}


def need(library: str) -> None:
    sentence = missing(library)
    if sentence is not None:
        unavailable(sentence)


# ── strings ──────────────────────────────────────────────────────────────────────────────────────


def in_node(library: str, texts: list[str]) -> list[dict[str, Any]]:
    """Let a library of JavaScript read strings and write them again."""
    need(library)
    done = subprocess.run(
        ["node", "../strings.js", PACKAGES[library]],
        cwd=Path(__file__).parent / library,
        input="\n".join(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("library", list(PACKAGES))
def test_strings_of_javascript(library: str) -> None:
    datas = [
        DATA,
        msgspec.structs.replace(DATA, is_bot=True, host="127.0.0.1", port=20443, dc_id=4),
        msgspec.structs.replace(DATA, user_id=0, host="2001:67c:4e8:f002::a"),
        msgspec.structs.replace(DATA, host="149.154.167.40", test_mode=True),
    ]
    texts = [SessionCopy(data=data).text(library) for data in datas]
    for data, text, told in zip(datas, texts, in_node(library, texts), strict=True):
        wanted = msgspec.structs.asdict(data) | {"auth_key": data.auth_key.hex()}
        assert {name: told[name] for name in wanted if told[name] is not None} == {
            name: value for name, value in wanted.items() if told[name] is not None
        }
        assert told["again"] == text
        again = SessionCopy.read(told["again"])
        assert again.format == ("mtcute" if library == "mtcute" else "gramjs")
        assert again.data.auth_key == KEY
        assert (again.data.host, again.data.port) == (data.host, data.port)


def test_gramjs_reads_what_is_written_for_telethon() -> None:
    text = FULL.text("telethon")
    (told,) = in_node("gramjs", [text])
    assert (told["host"], told["port"], told["auth_key"]) == (DATA.host, 443, KEY.hex())
    assert SessionCopy.read(told["again"]).data == msgspec.structs.replace(DATA, user_id=0)


@pytest.mark.parametrize("host", ["149.154.167.51", "2001:67c:4e8:f002::a", "127.0.0.1"])
def test_strings_of_telethon(host: str) -> None:
    need("telethon")
    from telethon.crypto import AuthKey
    from telethon.sessions import StringSession as Telethons

    data = msgspec.structs.replace(DATA, host=host, port=40443)
    text = SessionCopy(data=data).text("telethon")
    theirs = Telethons(text)
    assert (theirs.dc_id, theirs.server_address, theirs.port) == (2, host, 40443)
    assert theirs.auth_key.key == KEY
    assert theirs.save() == text

    fresh = Telethons()
    fresh.set_dc(2, host, 40443)
    fresh.auth_key = AuthKey(KEY)
    assert StringSession(fresh.save()).data == msgspec.structs.replace(data, user_id=0)


@asynccontextmanager
async def kurigrams(name: str, folder: Path, text: str | None = None) -> AsyncIterator[Any]:
    """Open one of Kurigram's storages."""
    from pyrogram.storage.sqlite_storage import SQLiteStorage

    storage = SQLiteStorage(name, folder, session_string=text, in_memory=text is not None)
    await storage.open()
    try:
        yield storage
    finally:
        await storage.close()


async def test_strings_of_kurigram(tmp_path: Path) -> None:
    need("kurigram")
    for data in (DATA, msgspec.structs.replace(DATA, is_bot=True, test_mode=True)):
        text = SessionCopy(data=data, api_id=6).text("kurigram")
        async with kurigrams("a", tmp_path, text) as theirs:
            assert await theirs.auth_key() == KEY
            assert await theirs.user_id() == DATA.user_id
            assert await theirs.api_id() == 6
            assert bool(await theirs.is_bot()) == data.is_bot
            assert bool(await theirs.test_mode()) == data.test_mode
            again = await theirs.export_session_string()
        assert again == text
        assert SessionCopy.read(again).data == msgspec.structs.replace(data, host="", port=0)


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def test_telethon_reads_our_file_and_we_read_its(tmp_path: Path) -> None:
    need("telethon")
    from telethon.sessions import SQLiteSession
    from telethon.tl import types

    path = FULL.save(tmp_path / "ours", "telethon")
    theirs = SQLiteSession(str(path))
    try:
        assert (theirs.dc_id, theirs.server_address, theirs.port) == (2, DATA.host, 443)
        assert theirs.auth_key.key == KEY
        assert theirs.get_input_entity(ANNA.marked_id) == types.InputPeerUser(5_000_000_002, 111)
        assert theirs.get_input_entity("anna") == types.InputPeerUser(5_000_000_002, 111)
        assert theirs.get_input_entity("+999660001") == types.InputPeerUser(5_000_000_002, 111)
        assert theirs.get_input_entity(GROUP.marked_id) == types.InputPeerChat(77)
        assert theirs.get_input_entity("news") == types.InputPeerChannel(1234567890, -222)
        assert theirs.get_input_entity(0).access_hash == DATA.user_id  # how it knows itself
        states = {number: state.pts for number, state in theirs.get_update_states()}
        assert states == {0: 7, 1234567890: 55}
        # What it writes itself, we read:
        theirs.process_entities([types.InputPeerChannel(99, 5)])
        theirs.set_dc(2, "127.0.0.1", 20443)
        theirs.save()
    finally:
        theirs.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT version FROM version").fetchone()[0] >= 7
    copy = SessionCopy.read(path)
    assert copy.data == msgspec.structs.replace(DATA, host="127.0.0.1", port=20443)
    assert PeerRecord(-1000000000099, 5) in copy.peers
    assert ANNA in copy.peers
    assert (copy.state, copy.channels) == (FULL.state, FULL.channels)


@pytest.mark.parametrize("name", ["pyrogram", "kurigram"])
async def test_kurigram_reads_our_file_and_we_read_its(name: str, tmp_path: Path) -> None:
    need("kurigram")
    from pyrogram import raw

    FULL.save(tmp_path / "ours", name)
    async with kurigrams("ours", tmp_path) as theirs:  # which upgrades that of version 3
        assert await theirs.auth_key() == KEY
        assert await theirs.user_id() == DATA.user_id
        assert await theirs.api_id() == 6
        assert (await theirs.server_address(), await theirs.port()) == (DATA.host, 443)
        user = raw.types.InputPeerUser(user_id=5_000_000_002, access_hash=111)
        assert await theirs.get_peer_by_id(ANNA.marked_id) == user
        assert await theirs.get_peer_by_phone_number(ANNA.phone) == user
        assert await theirs.get_peer_by_id(GROUP.marked_id) == raw.types.InputPeerChat(chat_id=77)
        channel = raw.types.InputPeerChannel(channel_id=1234567890, access_hash=-222)
        assert await theirs.get_peer_by_id(NEWS.marked_id) == channel
        if name == "kurigram":
            assert await theirs.get_peer_by_username("anna") == user
            states = {state.id: state.pts for state in await theirs.get_update_states()}
            assert states == {0: 7, NEWS.marked_id: 55}
        await theirs.update_peers([(5_000_000_009, 99, "bot", None)])
        await theirs.update_usernames([(5_000_000_009, ["Helper_Bot"])])
        await theirs.save()
    copy = SessionCopy.read(tmp_path / "ours.session")
    assert copy.data == DATA
    assert copy.api_id == 6
    assert PeerRecord(5_000_000_009, 99, ("helper_bot",)) in copy.peers
    assert ANNA.marked_id in {peer.marked_id for peer in copy.peers}
    if name == "kurigram":
        assert (copy.state, copy.channels) == (FULL.state, FULL.channels)


async def test_a_file_in_use_is_read_as_it_stands(tmp_path: Path) -> None:
    need("kurigram")
    FULL.save(tmp_path / "ours", "kurigram")
    async with kurigrams("ours", tmp_path) as theirs:
        await theirs.update_peers([(5_000_000_009, 99, "bot", None)])  # not committed yet
        assert SessionCopy.read(tmp_path / "ours.session").data == DATA
        shutil.copy(tmp_path / "ours.session", tmp_path / "copy.session")
    assert SessionCopy.read(tmp_path / "copy.session").data == DATA


# ── calls ────────────────────────────────────────────────────────────────────────────────────────


async def exported(driver: Driver) -> str:
    """Return the session as the library itself writes it down."""
    match driver.library:
        case "telethon":
            from telethon.sessions import StringSession as Telethons

            return Telethons.save(driver._client.session)  # type: ignore[attr-defined]
        case "kurigram":
            text = await driver._client.export_session_string()  # type: ignore[attr-defined]
            return str(text)
        case "gramjs":
            assert isinstance(driver, NodeDriver)
            return str(await driver._ask("save"))
        case _:
            assert isinstance(driver, NodeDriver)
            return str(await driver._ask("export"))


async def own(driver: Driver) -> int:
    (user,) = await driver.call("users.getUsers", id=[Plain("inputUserSelf")])
    return int(user.id)


@pytest.mark.asyncio(loop_scope="session")
async def test_whoever_signed_in_there_is_signed_in_here(guests: Guests, library: str) -> None:
    driver = await guests.driver(library)
    await driver.login(phone_of(next(guests.town.users)), "22222")
    me = await own(driver)
    session = StringSession(await exported(driver))
    await driver.leave()
    async with TelegramClient(session, API_ID, API_HASH, server=guests.town.address) as client:
        assert await client.is_authorized()
        found = await client.get_me()
        assert found is not None
        assert found.id == me
        assert client.session.data.user_id == me
    await driver.come_back()


@pytest.mark.asyncio(loop_scope="session")
async def test_whoever_signed_in_here_is_signed_in_there(guests: Guests, library: str) -> None:
    address, session = guests.town.address, StringSession()
    async with TelegramClient(session, API_ID, API_HASH, server=address) as client:
        await client.start(phone=phone_of(next(guests.town.users)), code="22222")
        me = client.session.data.user_id
    text = SessionCopy.of(session).known_as(0, api_id=API_ID).text(library)
    driver = await guests.town.driver(library)
    if isinstance(driver, NodeDriver):
        driver._session = text
        await driver.open(address)
        guests.drivers.append(driver)
        assert await own(driver) == me
    elif library == "telethon":
        await open_telethon(text, address, me)
    else:
        await driver.open(address)  # makes the server known to Kurigram
        guests.drivers.append(driver)
        await open_kurigram(text, driver, me)


async def open_telethon(text: str, address: Any, me: int) -> None:
    import telethon
    from telethon.crypto import rsa
    from telethon.sessions import StringSession as Telethons

    rsa.add_key(address.public_key, old=False)
    client = telethon.TelegramClient(Telethons(text), API_ID, API_HASH)
    await client.connect()
    try:
        assert await client.is_user_authorized()
        assert (await client.get_me()).id == me
    finally:
        await client.disconnect()


async def open_kurigram(text: str, driver: Any, me: int) -> None:
    from pyrogram import Client

    client = Client(
        "copy",
        API_ID,
        API_HASH,
        session_string=text,
        in_memory=True,
        connection_factory=driver._connection,
        protocol_factory=driver._transport,
        skip_updates=True,
        workers=1,
    )
    assert await client.connect()  # that is: somebody is signed in
    try:
        assert (await client.get_me()).id == me
    finally:
        await client.disconnect()
