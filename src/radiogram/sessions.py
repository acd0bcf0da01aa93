"""Public names of the sessions: ``from radiogram.sessions import StringSession``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radiogram.client.sessions import (
    MemorySession,
    PeerRecord,
    Session,
    SessionData,
    State,
    StringSession,
)

if TYPE_CHECKING:
    from radiogram.client.sessions.sqlite import SqliteSession

__all__ = [
    "MemorySession",
    "PeerRecord",
    "Session",
    "SessionData",
    "SqliteSession",
    "State",
    "StringSession",
]


def __getattr__(name: str) -> object:
    if name == "SqliteSession":  # loads sqlite3, which most programs do without
        from radiogram.client.sessions.sqlite import SqliteSession

        return SqliteSession
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
