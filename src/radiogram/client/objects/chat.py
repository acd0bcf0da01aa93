"""Layer 4, client: a group or channel, as programs like to see it.

Knows raw chats and the client's methods about them. Must not know requests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from radiogram.client.objects.base import marked_chat, moment
from radiogram.client.objects.peer import PeerObject
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.objects.participant import Participant
    from radiogram.client.objects.user import User


class Chat(PeerObject[api.TypeChat]):
    """A basic group, a supergroup or a channel."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Chat {self.id} {self.title!r}, {self.kind}>"

    @property
    def id(self) -> int:
        """The marked id: -5 for basic groups, -1000000000005 for supergroups and channels."""
        return marked_chat(self.raw)

    @property
    def title(self) -> str:
        """The title; empty if the server does not tell."""
        return getattr(self.raw, "title", "")

    @property
    def kind(self) -> str:
        """One of "group", "supergroup", "forum" and "channel"."""
        if not self.is_supergroup and not self.is_broadcast:
            return "group"
        if self.is_broadcast:
            return "channel"
        return "forum" if self.is_forum else "supergroup"

    @property
    def username(self) -> str | None:
        """The public name without @; None if there is none."""
        if not isinstance(self.raw, api.Channel):
            return None
        return self.raw.username or next(
            (one.username for one in self.raw.usernames or () if one.active), None
        )

    @property
    def date(self) -> datetime | None:
        """When this account joined, or else when it was made, in UTC."""
        return moment(getattr(self.raw, "date", None))

    @property
    def is_group(self) -> bool:
        """Whether it is a basic group or a supergroup."""
        return not self.is_broadcast

    @property
    def is_supergroup(self) -> bool:
        """Whether it is a supergroup."""
        return isinstance(self.raw, api.Channel | api.ChannelForbidden) and self.raw.megagroup

    @property
    def is_broadcast(self) -> bool:
        """Whether it is a channel, where only admins post."""
        channel = isinstance(self.raw, api.Channel | api.ChannelForbidden)
        return channel and not self.is_supergroup

    @property
    def is_forum(self) -> bool:
        """Whether it has topics."""
        return isinstance(self.raw, api.Channel) and self.raw.forum

    @property
    def is_creator(self) -> bool:
        """Whether this account owns it."""
        return isinstance(self.raw, api.Chat | api.Channel) and self.raw.creator

    @property
    def is_forbidden(self) -> bool:
        """Whether this account was shut out."""
        return isinstance(self.raw, api.ChatForbidden | api.ChannelForbidden)

    @property
    def left(self) -> bool:
        """Whether this account is not in it."""
        return self.is_forbidden or bool(getattr(self.raw, "left", False))

    @property
    def participants_count(self) -> int | None:
        """How many are in it; None if the server did not tell."""
        return getattr(self.raw, "participants_count", None)

    @property
    def admin_rights(self) -> api.TypeChatAdminRights | None:
        """What this account may do as an admin; None if it is none."""
        return getattr(self.raw, "admin_rights", None)

    @property
    def default_banned_rights(self) -> api.TypeChatBannedRights | None:
        """What nobody but admins may do."""
        return getattr(self.raw, "default_banned_rights", None)

    # ── methods ──────────────────────────────────────────────────────────────────────────────

    def iter_participants(self, **options: Any) -> AsyncIterator[Participant]:
        """List who is in it; `options` are those of ``client.iter_participants``."""
        return self._client.iter_participants(self, **options)

    async def invite(self, *users: Any) -> list[User]:
        """Add users; gives those who could not be added."""
        return await self._client.invite(self, *users)

    async def leave(self) -> None:
        """Leave it."""
        await self._client.leave(self)
