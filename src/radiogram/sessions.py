"""Public names of the sessions: ``from radiogram.sessions import StringSession``."""

from radiogram.client.sessions import (
    MemorySession,
    PeerRecord,
    Session,
    SessionData,
    State,
    StringSession,
)

__all__ = ["MemorySession", "PeerRecord", "Session", "SessionData", "State", "StringSession"]
