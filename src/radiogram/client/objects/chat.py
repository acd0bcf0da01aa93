"""Layer 4, client: a group or channel, as programs like to see it.

Knows raw chats and the client's methods about them. Must not know requests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from radiogram.client.ids import mark_channel
from radiogram.client.objects.base import marked_chat, moment
from radiogram.client.objects.peer import PeerObject
from radiogram.tl import api

if TYPE_CHECKING:
    from typing import Unpack

    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.options import ParticipantOptions
    from radiogram.client.objects.participant import Participant
    from radiogram.client.objects.user import User


class Chat(PeerObject[api.TypeChat]):
    """A basic group, a supergroup or a channel."""

    __slots__ = ("missing",)

    def __init__(
        self, client: TelegramClient, raw: api.TypeChat, *, missing: Iterable[User] = ()
    ) -> None:
        super().__init__(client, raw)
        self.missing = tuple(missing)
        """Users who could not be added, where ``client.create_group`` has just made it."""

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
    def name(self) -> str:
        """The title, by the word that users have too."""
        return self.title

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

    @property
    def migrated_to(self) -> int | None:
        """Marked id of the supergroup that a basic group has become; None if it has not."""
        moved = self.raw.migrated_to if isinstance(self.raw, api.Chat) else None
        return mark_channel(moved.channel_id) if isinstance(moved, api.InputChannel) else None

    # ── methods ──────────────────────────────────────────────────────────────────────────────

    def iter_participants(
        self, **options: Unpack[ParticipantOptions]
    ) -> AsyncIterator[Participant]:
        """List who is in it; `options` are those of ``client.iter_participants``."""
        return self._client.iter_participants(self, **options)

    async def invite(self, *users: api.UserLike) -> list[User]:
        """Add users; gives those who could not be added."""
        return await self._client.invite(self, *users)

    async def leave(self) -> None:
        """Leave it."""
        await self._client.leave(self)
