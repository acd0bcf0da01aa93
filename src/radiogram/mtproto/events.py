"""Layer 2: what the engine tells its driver.

Frozen values, returned by ``receive`` and ``handle_deadline`` in the order in which they happened.
Must not know who listens.
"""

from __future__ import annotations

from msgspec import Struct

# ── client ───────────────────────────────────────────────────────────────────────────────────────


class Result(Struct, frozen=True):
    """The server answered a call."""

    call_id: int
    body: bytes
    """The serialised result, inflated."""


class ResultError(Struct, frozen=True):
    """The server answered a call with ``rpc_error``."""

    call_id: int
    code: int
    message: str
    """The name as it came: ``FLOOD_WAIT_31``."""


class Update(Struct, frozen=True):
    """The server pushed something that belongs to the API."""

    body: bytes
    """A serialised ``Updates``, inflated."""


class NewSession(Struct, frozen=True):
    """The server knows nothing of this session's past: updates may have been missed."""

    unique_id: int
    """Differs each time the server creates the session."""


class SaltChanged(Struct, frozen=True):
    """Another salt is in use; worth keeping together with the key."""

    salt: int


class TimeChanged(Struct, frozen=True):
    """The clock of the server was found to differ from what was believed."""

    offset: float
    """Seconds to add to local time to get the server's."""


class CallDropped(Struct, frozen=True):
    """The server confirmed that it forgets the answer of a dropped call."""

    call_id: int


class CallFailed(Struct, frozen=True):
    """A call will get no answer, although the connection works."""

    call_id: int
    error: Exception


class ConnectionDead(Struct, frozen=True):
    """Nothing came back for too long: the connection should be replaced."""


class Overslept(Struct, frozen=True):
    """This side did not run for so long that the server has closed the connection.

    It should be replaced, and updates may have been missed.
    """


class AuthKeyDestroyed(Struct, frozen=True):
    """The server destroyed the key of this session, as it was asked to."""


# ── server ───────────────────────────────────────────────────────────────────────────────────────


class Request(Struct, frozen=True):
    """The client calls a method; answer with ``reply`` or ``reply_error``, exactly once."""

    msg_id: int
    body: bytes
    """The serialised method with its wrappers, inflated."""


class RequestDropped(Struct, frozen=True):
    """The client dropped a request that still runs; its reply, if one comes, is ignored."""

    msg_id: int


class SessionStarted(Struct, frozen=True):
    """The first message of the session was accepted; the client is told by itself."""

    first_msg_id: int


class DestroySession(Struct, frozen=True):
    """The client wants another session of its key gone; answer with ``reply_service``."""

    msg_id: int
    session_id: int


class DestroyAuthKey(Struct, frozen=True):
    """The client wants its key gone; answer with ``reply_service``, then forget the key."""

    msg_id: int


class DisconnectAfter(Struct, frozen=True):
    """Close this connection after a delay, unless the event comes again first (A10.2)."""

    delay: float
    """Seconds; replaces an earlier delay."""


class FloodError(Struct, frozen=True):
    """A limit on service messages was exceeded: send a transport error and close (A9.5)."""

    code: int = -429


ClientEvent = (
    Result
    | ResultError
    | Update
    | NewSession
    | SaltChanged
    | TimeChanged
    | CallDropped
    | CallFailed
    | ConnectionDead
    | Overslept
    | AuthKeyDestroyed
)
ServerEvent = (
    Request
    | RequestDropped
    | SessionStarted
    | DestroySession
    | DestroyAuthKey
    | DisconnectAfter
    | FloodError
)
Event = ClientEvent | ServerEvent
