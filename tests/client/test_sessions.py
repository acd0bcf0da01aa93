"""Sessions: one suite for every kind, and the text format of StringSession."""

from __future__ import annotations

import base64
import contextlib
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram import sessions
from radiogram.client.sessions import sealing
from radiogram.errors import SessionDamaged, SessionError, WrongPassphrase
from radiogram.sessions import (
    MemorySession,
    PeerRecord,
    Session,
    SessionData,
    SqliteSession,
    SqlSession,
    State,
    StringSession,
)

KEY = bytes(range(256))
DATA = SessionData(
    dc_id=2, host="127.0.0.1", port=20443, auth_key=KEY, user_id=5_000_000_001, is_bot=False
)
ANNA = PeerRecord(5_000_000_002, 111, ("anna", "anna_b"), "999660001")
NEWS = PeerRecord(-1001234567890, -222, ("news",))


# ── every kind ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=["memory", "string", "sqlite", "encrypted", "sql"])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    if request.param == "memory":
        yield MemorySession()
    elif request.param == "string":
        yield StringSession()
    elif request.param == "sql":
        with SqlSession(f"sqlite:///{tmp_path / 'accounts'}", "a") as kept:
            yield kept
    else:
        passphrase = "of many words" if request.param == "encrypted" else None
        with SqliteSession(tmp_path / "a", passphrase=passphrase) as kept:
            yield kept


def test_a_new_session_is_empty(session: Session) -> None:
    assert session.data == SessionData()
    assert session.by_id(1) is None


def test_data_is_kept(session: Session) -> None:
    session.data = DATA
    assert session.data == DATA


def test_peers_are_found_by_id_name_and_phone(session: Session) -> None:
    session.remember([ANNA, NEWS])
    assert session.by_id(ANNA.marked_id) == ANNA
    assert session.by_username("anna") == session.by_username("anna_b") == ANNA
    assert session.by_username("news") == NEWS
    assert session.by_phone("999660001") == ANNA
    assert session.by_username("nobody") is None
    assert session.by_phone("") is None


def test_a_name_that_moved_leads_to_its_new_owner(session: Session) -> None:
    session.remember([ANNA])
    ben = PeerRecord(5_000_000_003, 333, ("anna",))
    session.remember([ben])
    assert session.by_username("anna") == ben
    session.remember([PeerRecord(ANNA.marked_id, 111, ("anna_b",))])
    assert session.by_username("anna") == ben
    assert session.by_phone("999660001") is None


def test_a_name_that_was_given_up_leads_nowhere(session: Session) -> None:
    session.remember([ANNA])
    session.remember([PeerRecord(ANNA.marked_id, 111, ())])
    assert session.by_username("anna") is None
    assert session.by_id(ANNA.marked_id) is not None


def test_forgetting_keeps_only_the_address(session: Session) -> None:
    session.data = DATA
    session.remember([ANNA])
    session.forget()
    assert session.data == SessionData(dc_id=2, host="127.0.0.1", port=20443)
    assert session.by_id(ANNA.marked_id) is None
    assert session.by_username("anna") is None


def test_where_updates_stand_is_kept(session: Session) -> None:
    assert session.lines() == (None, {})
    session.keep_line(None, State(5, 1, 1_700_000_000, 3))
    session.keep_line(1400008779, 12)
    session.keep_line(1400008780, 7)
    session.keep_line(1400008779, 13)
    session.forget_line(1400008780)
    assert session.lines() == (State(5, 1, 1_700_000_000, 3), {1400008779: 13})
    session.forget()
    assert session.lines() == (None, {})


def test_secrets_stay_out_of_the_repr(session: Session) -> None:
    session.data = DATA
    session.remember([ANNA])
    assert repr(KEY)[2:20] not in repr(session)
    assert "111" not in repr(ANNA)


# ── StringSession ────────────────────────────────────────────────────────────────────────────────

DATAS = st.builds(
    SessionData,
    dc_id=st.integers(-(2**15), 2**15 - 1),
    host=st.text(max_size=40),
    port=st.integers(0, 65535),
    auth_key=st.binary(min_size=256, max_size=256),
    user_id=st.integers(0, 2**53),
    is_bot=st.booleans(),
    test_mode=st.booleans(),
)
RECORDS = st.lists(
    st.builds(PeerRecord, st.integers(-(2**62), 2**62), st.integers(-(2**63), 2**63 - 1)),
    max_size=5,
    unique_by=lambda record: record.marked_id,
)


@given(DATAS, RECORDS)
def test_what_is_saved_is_loaded(data: SessionData, records: list[PeerRecord]) -> None:
    session = StringSession()
    session.data = data
    session.remember(records)
    again = StringSession(session.save())
    assert again.data == data
    assert again.peers == ()
    assert StringSession(session.save(peers=True)).peers == tuple(records)


def test_the_format_is_pinned() -> None:
    session = StringSession()
    session.data = DATA
    body = b"\x01\x00\x02\x4f\xdb" + (5_000_000_001).to_bytes(8, "big") + b"\x09127.0.0.1" + KEY
    raw = body + zlib.crc32(body).to_bytes(4, "big")
    assert session.save() == "rg1." + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_names_and_phones_are_not_written_down() -> None:
    session = StringSession()
    session.data = DATA
    session.remember([ANNA])
    again = StringSession(session.save(peers=True))
    assert again.by_id(ANNA.marked_id) == PeerRecord(ANNA.marked_id, 111)
    assert again.by_username("anna") is None


def test_a_session_without_a_key_is_empty_text() -> None:
    assert StringSession("").save() == ""
    assert StringSession("").data == SessionData()


def test_white_space_around_is_no_harm() -> None:
    session = StringSession()
    session.data = DATA
    assert StringSession(f" {session.save()}\n").data == DATA


def saved() -> str:
    session = StringSession()
    session.data = DATA
    return session.save(peers=True)


def packed(body: bytes) -> str:
    raw = body + zlib.crc32(body).to_bytes(4, "big")
    return "rg1." + base64.urlsafe_b64encode(raw).decode().rstrip("=")


HEAD = b"\x00\x02\x4f\xdb" + bytes(8)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1BQANOTEuMTA4LjU2LjE1NQ", "has 16 bytes; copy it again"),
        ("name.session", "for a file, use SqliteSession"),
        ("rg2.AAAA", "reads 'rg1.'"),
        (saved()[:-10], "cut off"),
        (saved()[:200], "cut off"),
        ("rg1.", "cut off"),
        ("rg1.A", "cut off"),
        (saved()[:50] + "!" + saved()[51:], "holds '!'"),
        (saved()[:50] + " " + saved()[51:], "holds ' '"),
        (saved()[:50] + ("A" if saved()[50] != "A" else "B") + saved()[51:], "checksum"),
        (packed(b"\x80" + HEAD + b"\x00"), "newer version"),
        (packed(b"\x01" + HEAD + b"\x00" + KEY[:255]), "ends inside"),
        (packed(b"\x00" + HEAD + b"\x09127"), "ends inside"),
        (packed(b"\x00" + HEAD + b"\x00more"), "4 bytes too many"),
        (packed(b"\x08" + HEAD + b"\x00\x00\x00\x00\x02" + bytes(16)), "the 2 peers"),
        (packed(b"\x00" + HEAD + b"\x01\xff"), "not text"),
    ],
)
def test_a_malformed_text_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(SessionError, match=reason):
        StringSession(text)


def test_something_else_than_text_is_refused() -> None:
    with pytest.raises(SessionError, match="not bytes"):
        StringSession(b"rg1.")  # type: ignore[arg-type]


@given(st.text(max_size=60) | st.text("rg1.AB_-9", max_size=60).map("rg1.".__add__))
def test_any_text_is_loaded_or_refused(text: str) -> None:
    with contextlib.suppress(SessionError):
        StringSession(text)


def test_updates_are_written_down_when_asked_for() -> None:
    session = StringSession()
    session.data = DATA
    session.remember([ANNA])
    session.keep_line(None, State(5, 1, 1_700_000_000, 3))
    session.keep_line(1400008779, 12)
    again = StringSession(session.save(peers=True, updates=True))
    assert again.lines() == session.lines()
    assert again.by_id(ANNA.marked_id) is not None
    assert StringSession(session.save()).lines() == (None, {})


def test_the_public_module_has_them_all() -> None:
    for name in sessions.__all__:
        assert getattr(sessions, name) is not None


# ── an encrypted text ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scrypt cost next to nothing."""
    monkeypatch.setattr(sealing, "_COST", (4, 8, 1))


@pytest.mark.usefixtures("quick")
def test_an_encrypted_text_comes_back_and_tells_nothing() -> None:
    session = StringSession()
    session.data = DATA
    session.remember([NEWS])
    text = session.save(peers=True, passphrase="of many words")
    assert text.startswith("rge1.")
    raw = base64.urlsafe_b64decode(text[5:] + "==")
    assert not any(KEY[at : at + 8] in raw for at in range(0, 249, 8))
    assert b"127.0.0.1" not in raw
    again = StringSession(text, passphrase="of many words")
    assert again.data == DATA
    assert again.peers == (PeerRecord(NEWS.marked_id, NEWS.access_hash),)
    second = again.save(peers=True)  # as it was opened
    assert second.startswith("rge1.")
    assert second != text
    assert StringSession(second, passphrase="of many words").data == DATA
    other = again.save(passphrase="another")
    assert StringSession(other, passphrase="another").data == DATA


@pytest.mark.usefixtures("quick")
def test_passphrases_of_texts_are_checked() -> None:
    session = StringSession()
    session.data = DATA
    text = session.save(passphrase="right")
    for given_text, passphrase, reason in [
        (text, "wrong", "not with this passphrase"),
        (text, None, "is encrypted; give its passphrase"),
        (session.save(passphrase="right")[:-8], "right", "cut off"),
        (saved(), "right", "is not encrypted, but a passphrase was given"),
        ("1" + "A" * 352, "right", "another library, which does not encrypt"),
    ]:
        with pytest.raises(SessionError, match=reason) as caught:
            StringSession(given_text, passphrase=passphrase)
        assert isinstance(caught.value, WrongPassphrase | SessionDamaged)


@pytest.mark.slow
def test_only_what_is_used_is_loaded() -> None:
    code = (
        "import sys, radiogram.sessions as s; s.StringSession('')\n"
        "print({'sqlite3', 'sqlalchemy', 'asyncio', 'cryptography', 'socket'} & set(sys.modules))\n"
        "s.SqliteSession\n"
        "print({'sqlalchemy', 'asyncio', 'cryptography', 'socket'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\nset()\n"
