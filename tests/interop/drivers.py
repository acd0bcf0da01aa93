"""What the scenarios need of a client library, and the errors it may answer with.

Knows no library and no scenario. Each library has a module that implements :class:`Driver`, and
one line in ``conftest.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from ..served import Address
from .plain import Plain, input_channel, input_user

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
        self.on_result: Callable[[Any, int | None], None] = lambda *_: None
        """Called with results, whoever called; at least with those that tell of pts. The second
        argument is the channel that the call was about, if it was about one."""
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
    async def login(self, phone: str, code: str, password: str | None = None) -> None:
        """Sign in to an existing account the way the library's users do; raise CallError.

        `password` is that of two-step verification, if the account has one.
        """

    @abstractmethod
    async def login_by_qr(
        self, show: Callable[[bytes], Awaitable[None]], password: str | None = None
    ) -> None:
        """Sign in by a token that another session scans: `show` has it accepted."""

    @abstractmethod
    async def set_password(self, before: str | None, after: str | None, hint: str = "") -> None:
        """Set, change or remove the password of two-step verification; raise CallError."""

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
    async def pin(self, peer: Any, message_id: int, *, notify: bool = False) -> Plain | None:
        """Pin on both sides and return the service message that the library found, if any."""

    @abstractmethod
    async def unpin(self, peer: Any, message_id: int) -> Plain | None:
        """Unpin on both sides; libraries find no message in the result."""

    @abstractmethod
    async def unpin_all(self, peer: Any) -> None:
        """Unpin everything in a chat."""

    @abstractmethod
    async def history(self, peer: Any, limit: int) -> list[Plain]:
        """Return the newest messages of a chat, newest first."""

    @abstractmethod
    async def dialogs(self) -> list[dict[str, Any]]:
        """Return ``id``, ``unread`` and ``top`` (id of the last message) of every dialog."""

    # The same for groups and channels. Libraries that have no method of their own for something
    # leave it to their users to call Telegram's, which is what these do.

    async def make(self, kind: str, title: str, members: list[Plain]) -> int:
        """Make a ``group``, ``supergroup`` or ``channel`` and return its bare id.

        A basic group begins with its members; the others are empty, and `invite` comes next.
        """
        if kind == "group":
            users = [input_user(member) for member in members]
            result = await self.call("messages.createChat", title=title, users=users)
            return result.updates.chats[0].id
        flag = {"supergroup": "megagroup", "channel": "broadcast"}[kind]
        result = await self.call("channels.createChannel", title=title, about="", **{flag: True})
        return result.chats[0].id

    async def invite(self, room: Plain, user: Plain) -> None:
        """Add a user."""
        if room.kind == "inputPeerChat":
            await self.call(
                "messages.addChatUser",
                chat_id=room.chat_id,
                user_id=input_user(user),
                fwd_limit=100,
            )
        else:
            await self.call(
                "channels.inviteToChannel", channel=input_channel(room), users=[input_user(user)]
            )

    async def join(self, room: Plain) -> None:
        """Join a public supergroup or channel."""
        await self.call("channels.joinChannel", channel=input_channel(room))

    async def part(self, room: Plain) -> None:
        """Leave a group or channel."""
        if room.kind == "inputPeerChat":
            await self.call(
                "messages.deleteChatUser", chat_id=room.chat_id, user_id=Plain("inputUserSelf")
            )
        else:
            await self.call("channels.leaveChannel", channel=input_channel(room))

    async def promote(self, room: Plain, user: Plain, *rights: str) -> None:
        """Make an admin with these rights; of a basic group, with all that there are."""
        if room.kind == "inputPeerChat":
            await self.call(
                "messages.editChatAdmin",
                chat_id=room.chat_id,
                user_id=input_user(user),
                is_admin=True,
            )
        else:
            await self.call(
                "channels.editAdmin",
                channel=input_channel(room),
                user_id=input_user(user),
                admin_rights=Plain("chatAdminRights", **dict.fromkeys(rights, True)),
                rank="",
            )

    async def ban(self, room: Plain, user: Plain) -> None:
        """Throw a user out; of a supergroup or channel, for ever."""
        if room.kind == "inputPeerChat":
            await self.call(
                "messages.deleteChatUser", chat_id=room.chat_id, user_id=input_user(user)
            )
        else:
            await self.call(
                "channels.editBanned",
                channel=input_channel(room),
                participant=user,
                banned_rights=Plain("chatBannedRights", view_messages=True, until_date=0),
            )

    @abstractmethod
    async def members(self, room: Plain) -> list[int]:
        """Return the ids of the members of a group or channel."""


def channel_of(request: Any) -> int | None:
    """Return the id of the channel that a call in a library's own form is about, if any."""
    for field in ("channel", "peer"):
        found = getattr(getattr(request, field, None), "channel_id", None)
        if found is not None:
            return int(found)
    return None
