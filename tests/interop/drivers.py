"""What the scenarios need of a client library, and the errors it may answer with.

Knows no library and no scenario. Each library has a module that implements :class:`Driver`, and
one line in ``conftest.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from ..served import Address
from .plain import Plain

API_ID = 94575
API_HASH = "a3406de8d171bb422bb6ddf3bbd800e2"


class CallError(Exception):
    """The server answered a call with an error, in the words of the wire."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class Driver(ABC):
    """One client of some library, with one auth key and, after `login`, one account.

    Values are :class:`Plain` objects, lists, numbers, strings and bytes, both ways. A peer may
    also be whatever the library itself takes for one, such as ``"@username"``.
    """

    library: ClassVar[str]
    layer: ClassVar[int]
    transports: ClassVar[tuple[str, ...]]
    """The transports that the library can speak, its own default first."""

    def __init__(self) -> None:
        self.on_push: Callable[[Plain], None] = lambda _: None
        """Called with every ``Updates`` object that the server pushes, as it came."""
        self.on_result: Callable[[Any], None] = lambda _: None
        """Called with results, whoever called; at least with those that tell of pts."""
        self.on_event: Callable[[dict[str, Any]], None] = lambda _: None
        """Called with the library's own events after `listen`: ``kind`` is new, edited or
        deleted; the first two have ``id``, ``text`` and ``out``, the last has ``ids``."""

    @abstractmethod
    async def open(self, server: Address, *, transport: str | None = None) -> None:
        """Connect: a key exchange, then initConnection."""

    @abstractmethod
    async def call(self, method: str, **params: Any) -> Any:
        """Call a method by its TL name and return the result; raise CallError."""

    @abstractmethod
    async def login(self, phone: str, code: str) -> None:
        """Sign in to an existing account the way the library's users do."""

    @abstractmethod
    async def login_bot(self, token: str) -> None:
        """Sign in as a bot the way the library's users do."""

    @abstractmethod
    async def listen(self) -> None:
        """Subscribe to the library's own events."""

    @abstractmethod
    async def leave(self) -> None:
        """Disconnect and keep the session."""

    @abstractmethod
    async def come_back(self, *, listen: bool = False) -> None:
        """Connect again with the session that `leave` kept; a library that can catches up."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect for good; the driver is of no more use."""

    # The library's friendly methods.

    @abstractmethod
    async def send(self, peer: Any, text: str) -> Plain:
        """Send a text and return the message that the library made of the result."""

    @abstractmethod
    async def edit(self, peer: Any, message_id: int, text: str) -> Plain:
        """Edit a text and return the message that the library made of the result."""

    @abstractmethod
    async def delete(self, peer: Any, ids: list[int]) -> None:
        """Delete messages on both sides."""

    @abstractmethod
    async def forward(self, to_peer: Any, ids: list[int], from_peer: Any) -> list[Plain]:
        """Forward messages and return the new ones as the library made them of the result."""

    @abstractmethod
    async def pin(self, peer: Any, message_id: int) -> Plain | None:
        """Pin on both sides and return the service message that the library found, if any."""

    @abstractmethod
    async def unpin(self, peer: Any, message_id: int) -> Plain | None:
        """Unpin on both sides; libraries find no message in the result."""

    @abstractmethod
    async def history(self, peer: Any, limit: int) -> list[Plain]:
        """Return the newest messages of a chat, newest first."""

    @abstractmethod
    async def dialogs(self) -> list[dict[str, Any]]:
        """Return ``id``, ``unread`` and ``top`` (id of the last message) of every dialog."""
