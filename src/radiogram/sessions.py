"""Public names of the sessions: ``from radiogram.sessions import StringSession``."""

from __future__ import annotations

from importlib import import_module
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
    from radiogram.client.sessions.copies import SessionCopy
    from radiogram.client.sessions.sql import PostgresSession, SqlSession
    from radiogram.client.sessions.sqlite import SqliteSession

__all__ = [
    "MemorySession",
    "PeerRecord",
    "PostgresSession",
    "Session",
    "SessionCopy",
    "SessionData",
    "SqlSession",
    "SqliteSession",
    "State",
    "StringSession",
]


_LATER = {
    "PostgresSession": "radiogram.client.sessions.sql",
    "SessionCopy": "radiogram.client.sessions.copies",
    "SqlSession": "radiogram.client.sessions.sql",
    "SqliteSession": "radiogram.client.sessions.sqlite",
}
"""What loads sqlite3 or SQLAlchemy, which most programs do without."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
