"""Server layer: who may watch what a server is asked and what it tells.

Knows the moments that can be watched. Knows nothing of those who watch: a test's record of its
traffic is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from radiogram.server.rpc import Caller, RpcFault
    from radiogram.tl import api
    from radiogram.tl.base import Request


class Observer(Protocol):
    """Is told of every call and push, in the server's thread; it must not raise."""

    def called(self, caller: Caller, request: Request[Any]) -> None:
        """A call was read, and is to be executed next; it is of the newest layer."""

    def answered(self, caller: Caller, request: Request[Any], result: Any) -> None:
        """The call was executed, and this is its result."""

    def refused(self, caller: Caller, fault: RpcFault) -> None:
        """The latest call, or what could not be read as one, is answered with an error."""

    def pushed(self, user_id: int, updates: api.TypeUpdates) -> None:
        """Updates are to go to the sessions of an account, unless a fault prevents it."""
