"""Layer 4, client: one line of the list of chats, as programs like to see it.

Knows raw dialogs. Must not know requests.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from radiogram.client.objects.base import Company, Friendly, marked_peer
from radiogram.tl import api

if TYPE_CHECKING:
    from typing import Unpack

    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.chat import Chat
    from radiogram.client.objects.message import Message
    from radiogram.client.objects.options import SendOptions
    from radiogram.client.objects.user import User


class Dialog(Friendly[api.Dialog]):
    """A chat in the list of chats, with its last message."""

    __slots__ = ("_company", "message")

    def __init__(
        self, client: TelegramClient, raw: api.Dialog, message: Message | None, company: Company
    ) -> None:
        super().__init__(client, raw)
        self._company = company
        self.message = message
        """The last message; None if there is none."""

    def __repr__(self) -> str:
        return f"<Dialog {self.id} {self.name!r}, {self.unread_count} unread>"

    def __hash__(self) -> int:
        return hash((Dialog, self.id))

    @property
    def id(self) -> int:
        """Marked id of the chat."""
        marked_id = marked_peer(self.raw.peer)
        assert marked_id is not None
        return marked_id

    @property
    def chat(self) -> Chat | User:
        """The group, the channel, or the partner of a private chat."""
        from radiogram.client.objects.results import known_peer

        return known_peer(self._client, self._company.peers.get(self.id), self.id)

    @property
    def name(self) -> str:
        """The title, or the partner's name."""
        return self.chat.name

    @property
    def date(self) -> datetime | None:
        """When the last message was sent, in UTC; None if there is none."""
        return None if self.message is None else self.message.date

    @property
    def pinned(self) -> bool:
        """Whether it is pinned to the top of the list."""
        return self.raw.pinned

    @property
    def unread_count(self) -> int:
        """How many messages are unread."""
        return self.raw.unread_count

    @property
    def unread_mentions_count(self) -> int:
        """How many unread messages name this account."""
        return self.raw.unread_mentions_count

    # ── methods ──────────────────────────────────────────────────────────────────────────────

    async def send_message(self, text: str, **options: Unpack[SendOptions]) -> Message:
        """Write into it; `options` are those of ``client.send_message``."""
        return await self._client.send_message(self.raw.peer, text, **options)

    async def read(self) -> None:
        """Mark everything in it as read."""
        await self._client.read(self.raw.peer)
