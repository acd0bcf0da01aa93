"""Copies between sessions, strings and files of other libraries, against published strings.

What the libraries themselves make of it is in tests/interop/test_sessions.py.
"""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.client.sessions import foreign
from radiogram.errors import (
    RadiogramError,
    SessionDamaged,
    SessionError,
    WrongPassphrase,
)
from radiogram.sessions import (
    MemorySession,
    PeerRecord,
    SessionCopy,
    SessionData,
    SqliteSession,
    State,
    StringSession,
)
from tests import vectors

KEY = bytes(range(1, 256)) + b"\7"
DATA = SessionData(
    dc_id=2, host="149.154.167.51", port=443, auth_key=KEY, user_id=5_000_000_001, is_bot=True
)
ANNA = PeerRecord(5_000_000_002, 111, ("anna", "anna_b"), "999660001")
GROUP = PeerRecord(-77)
NEWS = PeerRecord(-1001234567890, -222, ("news",))
FULL = SessionCopy(
    data=DATA,
    peers=(ANNA, GROUP, NEWS),
    state=State(7, 8, 9, 10),
    channels={1234567890: 55},
    api_id=6,
)
STRINGS = vectors.load("sessions")["strings"]
OTHER_LENGTHS = {351, 352, 356, 367, 368, 369}
"""At these lengths a string of another form ends: no form has a checksum."""
READABLE = [case for case in STRINGS if "error" not in case]


# ── strings ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", **vectors.named(READABLE))
def test_published_strings_are_read(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "KEY_BYTES", len(case["value"]["auth_key"]) // 2)
    copy = SessionCopy.read(case["text"])
    value = {**case["value"], "auth_key": bytes.fromhex(case["value"]["auth_key"])}
    read = {name: getattr(copy.data, name) for name in value}
    if case["format"] == "pyrogram":
        value = {**value, "host": "", "port": 0}
    assert read == value
    assert copy.format == case["format"]
    assert copy.api_id == case["api_id"]


@pytest.mark.parametrize("case", **vectors.named([case for case in READABLE if case["again"]]))
def test_and_written_again_as_they_were(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "KEY_BYTES", len(case["value"]["auth_key"]) // 2)
    assert SessionCopy.read(case["text"]).text(case["format"]) == case["text"]


@pytest.mark.parametrize("case", **vectors.named([case for case in STRINGS if "error" in case]))
def test_published_mistakes_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SessionError):
        SessionCopy.read(case["text"])


@pytest.mark.parametrize("case", **vectors.named(READABLE))
def test_any_cut_is_refused(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "KEY_BYTES", len(case["value"]["auth_key"]) // 2)
    text = case["text"].rstrip("=")
    for end in range(1, len(text)):
        if end not in OTHER_LENGTHS:
            with pytest.raises(SessionError):
                StringSession(text[:end])


@given(st.text() | st.text("1Aw_-+/=", max_size=700) | st.binary(max_size=400).map(bytes.hex))
def test_any_other_text_is_refused(text: str) -> None:
    try:
        StringSession(text)
    except RadiogramError:
        return
    assert not text.strip()


def test_a_telethon_string_is_a_session() -> None:
    (case,) = (case for case in STRINGS if case["name"] == "telethon_v1-1")
    session = StringSession(case["text"])
    assert session.data.auth_key.hex() == case["value"]["auth_key"]
    assert session.data.test_mode  # by its address
    assert StringSession(session.save()).data == session.data
    assert StringSession(case["text"].rstrip("=")).data == session.data
    (wrapped,) = (case for case in STRINGS if case["name"] == "telethon_v1-5")
    assert StringSession(wrapped["text"]).data.host == "192.168.0.1"


@pytest.mark.parametrize("name", ["telethon", "gramjs", "teleproto", "mtcute"])
@pytest.mark.parametrize("host", ["149.154.167.51", "2001:67c:4e8:f002::a"])
def test_strings_come_back(name: str, host: str) -> None:
    data = msgspec.structs.replace(DATA, host=host)
    again = SessionCopy.read(SessionCopy(data=data).text(name)).data
    if name != "mtcute":
        data = msgspec.structs.replace(data, user_id=0, is_bot=False)
    assert again == data


@pytest.mark.parametrize("name", ["pyrogram", "kurigram"])
def test_pyrogram_has_the_number_of_the_dc_only(name: str) -> None:
    again = SessionCopy.read(FULL.text(name))
    assert again.data == msgspec.structs.replace(DATA, host="", port=0)
    assert again.api_id == 6
    assert SessionCopy.read(again.text("telethon")).data.host == DATA.host


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("telethon", {"host": "localhost"}, "numeric address"),
        ("mtcute", {"host": "localhost"}, "numeric address"),
        ("gramjs", {"port": 40000}, "up to 32767"),
        ("gramjs", {"host": "::1"}, "longer form"),
        ("telethon", {"dc_id": 300}, "1 to 255"),
        ("telethon", {"host": "", "dc_id": 9}, "where DC 9 is"),
        ("telethon", {"auth_key": b""}, "no key yet"),
        ("winogram", {}, "there is no format 'winogram'"),
    ],
)
def test_what_a_string_cannot_hold_is_refused(
    name: str, change: dict[str, Any], reason: str
) -> None:
    copy = SessionCopy(data=msgspec.structs.replace(DATA, **change))
    with pytest.raises(SessionError, match=reason):
        copy.text(name)


def test_what_is_left_out_is_told() -> None:
    assert FULL.losses("radiogram") == []
    assert FULL.losses("kurigram", file=True) == []
    assert len(FULL.losses("telethon")) == 2
    away = SessionCopy(data=SessionData(dc_id=2, host="10.0.0.1", port=80, auth_key=KEY))
    address, account = away.losses("pyrogram")
    assert "10.0.0.1:80" in address
    assert "log in again" in account
    named = away.known_as(5, is_bot=True, api_id=6)
    assert (named.data.user_id, named.data.is_bot, named.api_id) == (5, True, 6)
    assert len(named.losses("pyrogram")) == 1


# ── files ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["radiogram", "telethon", "pyrogram", "kurigram"])
def test_files_come_back(name: str, tmp_path: Path) -> None:
    path = FULL.save(tmp_path / "copy", name)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    again = SessionCopy.read(path)
    assert path.read_bytes() == before
    assert again.format == name
    assert again.data.auth_key == KEY
    assert again.data.user_id == DATA.user_id
    assert {peer.marked_id: peer.access_hash for peer in again.peers} == {
        peer.marked_id: peer.access_hash for peer in FULL.peers
    }
    found = {peer.marked_id: peer for peer in again.peers}
    assert found[ANNA.marked_id].phone == ANNA.phone
    several = name in {"radiogram", "kurigram"}
    assert found[ANNA.marked_id].usernames == (ANNA.usernames if several else ("anna",))
    if name == "pyrogram":
        assert again.losses("pyrogram", file=True) == []
    else:
        assert again.state == FULL.state
        assert again.channels == FULL.channels
        assert (again.data.host, again.data.port) == (DATA.host, DATA.port)
    with pytest.raises(SessionError, match="not overwritten"):
        FULL.save(path, name)
    assert path.read_bytes() == before


def test_a_copy_of_a_session_and_into_another(tmp_path: Path) -> None:
    memory = MemorySession()
    memory.remember([GROUP])
    FULL.into(memory)
    with SqliteSession(tmp_path / "a", passphrase="of many words") as session:
        SessionCopy.of(memory).into(session)
        copy = SessionCopy.of(session)
    assert msgspec.structs.replace(copy, api_id=6) == FULL
    read = SessionCopy.read(tmp_path / "a.session", passphrase="of many words")
    assert set(read.peers) == set(FULL.peers)
    assert KEY.hex() not in repr(read)
    with pytest.raises(WrongPassphrase, match="give its passphrase"):
        SessionCopy.read(tmp_path / "a.session")


def test_a_text_in_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "session.txt"
    path.write_text(FULL.text("gramjs") + "\n", "utf-8")
    assert SessionCopy.read(path).data.auth_key == KEY
    assert SessionCopy.read(str(path)).format == "gramjs"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe\x00", "neither an SQLite file"), (b"", "empty text"), (b"a note", "no session")],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(SessionError, match=reason):
        SessionCopy.read(path)
    with pytest.raises(SessionError, match="cannot be read"):
        SessionCopy.read(tmp_path / "missing" / "file" if not content else tmp_path)


def test_other_databases_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    db.close()
    with pytest.raises(SessionError, match="no session of Radiogram, Telethon"):
        SessionCopy.read(path)


@pytest.mark.parametrize("name", ["telethon", "pyrogram", "kurigram"])
def test_damaged_files_of_others_are_left_alone(name: str, tmp_path: Path) -> None:
    path = FULL.save(tmp_path / "copy", name)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE sessions SET auth_key = 'no key'")
    db.close()
    with pytest.raises(SessionDamaged, match="256 bytes"):
        SessionCopy.read(path)
    content = path.read_bytes()
    path.write_bytes(content[:5000])
    with pytest.raises(SessionError):
        SessionCopy.read(path)
    assert path.read_bytes() == content[:5000]


def test_a_file_in_which_nobody_is_logged_in(tmp_path: Path) -> None:
    path = FULL.save(tmp_path / "copy", "telethon")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE sessions SET auth_key = x''")
    db.close()
    with pytest.raises(SessionError, match="nobody is logged in"):
        SessionCopy.read(path)


def test_only_some_formats_have_files_and_passphrases(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="as text only"):
        FULL.save(tmp_path / "a", "mtcute")
    for name in ("telethon", "kurigram"):
        with pytest.raises(SessionError, match="cannot be encrypted"):
            FULL.save(tmp_path / "a", name, passphrase="x")
    with pytest.raises(SessionError, match="cannot be encrypted"):
        FULL.text("telethon", passphrase="x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (SessionData(2, "127.0.0.1", 70_000), "the port in the session is 70000"),
        (SessionData(2, "127.0.0.1", -1), "the port"),
        (SessionData(40_000, "127.0.0.1", 443), "the data centre"),
        (SessionData(2, "127.0.0.1", 443, b"", 2**63), "the user id"),
        (SessionData(2, "a" * 300, 443), "the address"),
        (SessionData(2, "127.0.0.1", 443, b"short"), "the key"),
    ],
)
def test_what_no_session_can_be_about_is_refused(data: SessionData, said: str) -> None:
    with pytest.raises(SessionDamaged, match=said):
        foreign.check(data)


def test_a_port_out_of_range_in_a_string_is_refused() -> None:
    text = SessionCopy(data=SessionData(2, "127.0.0.1", 443, bytes(range(256)))).text("mtcute")
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    place = raw.index((443).to_bytes(4, "little"))
    raw[place + 2] = 1
    with pytest.raises(SessionDamaged, match="the port in the session is"):
        SessionCopy.read(base64.urlsafe_b64encode(raw).decode().rstrip("="))
