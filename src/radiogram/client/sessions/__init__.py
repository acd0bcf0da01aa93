"""Layer 4, client: what an account keeps between runs of a program.

`base` says what a session is; the other modules are ways to keep one.
"""

from radiogram.client.sessions.base import PeerRecord, Session, SessionData, State
from radiogram.client.sessions.memory import MemorySession
from radiogram.client.sessions.string import StringSession

__all__ = ["MemorySession", "PeerRecord", "Session", "SessionData", "State", "StringSession"]
