"""Layer 4: session strings and files of any library, from whoever hands them over."""

from __future__ import annotations

import tempfile
from pathlib import Path

from radiogram.client.sessions import sealing
from radiogram.errors import SessionError
from radiogram.sessions import PeerRecord, SessionCopy, SessionData, SqliteSession, State

DOCUMENTED = (SessionError,)

_COPY = SessionCopy(
    data=SessionData(2, "149.154.167.51", 443, bytes(range(1, 256)) + b"\7", 5_000_000_001),
    peers=(PeerRecord(7, -8, ("anna",), "999660001"), PeerRecord(-1001234567890, 5)),
    state=State(7, 8, 9, 10),
    channels={77: 5},
    api_id=6,
)
_TEXTS = ("radiogram", "telethon", "pyrogram", "gramjs", "mtcute")
_FILES = ("radiogram", "telethon", "pyrogram", "kurigram")


def fuzz_session_string(data: bytes) -> None:
    """Read the bytes as a session string; write what was read as every library's."""
    copy = SessionCopy.read(data.decode("latin-1") + " ")  # a blank at its end: no file's name
    assert SessionCopy.read(copy.text()).data == copy.data
    for name in _TEXTS:
        copy.text(name)


def seeds_session_string() -> list[bytes]:
    """Return strings of every library, one of them encrypted."""
    texts = [_COPY.text(name) for name in _TEXTS]
    cost, sealing._COST = sealing._COST, (4, 8, 1)
    try:
        texts.append(_COPY.text(passphrase="right"))
    finally:
        sealing._COST = cost
    return [text.encode() for text in texts]


def fuzz_session_file(data: bytes) -> None:
    """Open the bytes as a session's file, of whichever library; they stay as they are."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.session"
        path.write_bytes(data)
        try:
            SessionCopy.read(path)
            if data[68:72] == b"RGM1":
                copy = Path(folder) / "copy.session"
                copy.write_bytes(data)
                with SqliteSession(copy) as session:
                    session.keep_line(None, State(1))
                    SessionCopy.of(session)
        finally:
            assert path.read_bytes() == data


def seeds_session_file() -> list[bytes]:
    """Return files of every library."""
    with tempfile.TemporaryDirectory() as folder:
        return [_COPY.save(Path(folder) / name, name).read_bytes() for name in _FILES]
