"""Layer 4, client: somebody in a group or channel, as programs like to see them.

Knows raw participants. Must not know requests.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from radiogram.client.objects.base import Company, Friendly, marked_peer, moment
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.chat import Chat
    from radiogram.client.objects.user import User

_CREATORS = (api.ChatParticipantCreator, api.ChannelParticipantCreator)
_ADMINS = (*_CREATORS, api.ChatParticipantAdmin, api.ChannelParticipantAdmin)


class Participant(Friendly[api.TypeChatParticipant | api.TypeChannelParticipant]):
    """Somebody in a group or channel, or shut out of it, and what they may do there."""

    __slots__ = ("_company",)

    def __init__(
        self,
        client: TelegramClient,
        raw: api.TypeChatParticipant | api.TypeChannelParticipant,
        company: Company,
    ) -> None:
        super().__init__(client, raw)
        self._company = company

    def __repr__(self) -> str:
        return f"<Participant {self.id}, {self.status}>"

    def __hash__(self) -> int:
        return hash((Participant, self.id))

    @property
    def id(self) -> int:
        """Marked id of who it is."""
        raw: Any = self.raw
        marked_id = marked_peer(getattr(raw, "peer", None))
        return int(raw.user_id) if marked_id is None else marked_id

    @property
    def user(self) -> User | Chat | None:
        """Who it is, a channel if a channel was banned; None if the server did not tell."""
        from radiogram.client.objects.results import peer_object

        return peer_object(self._client, self._company.peers.get(self.id))

    @property
    def status(self) -> str:
        """One of "creator", "admin", "member", "restricted", "banned" and "left"."""
        if self.is_creator:
            return "creator"
        if self.is_admin:
            return "admin"
        if self.is_banned:
            return "banned"
        if isinstance(self.raw, api.ChannelParticipantBanned):
            return "left" if self.raw.left else "restricted"
        return "left" if isinstance(self.raw, api.ChannelParticipantLeft) else "member"

    @property
    def is_creator(self) -> bool:
        """Whether they own the chat."""
        return isinstance(self.raw, _CREATORS)

    @property
    def is_admin(self) -> bool:
        """Whether they are an admin, or the owner."""
        return isinstance(self.raw, _ADMINS)

    @property
    def is_banned(self) -> bool:
        """Whether they may not come back."""
        rights = self.banned_rights
        return rights is not None and rights.view_messages

    @property
    def date(self) -> datetime | None:
        """When they came, or were restricted, in UTC; None if it is not told."""
        return moment(getattr(self.raw, "date", None))

    @property
    def inviter_id(self) -> int | None:
        """Who brought them; None if it is not told."""
        return getattr(self.raw, "inviter_id", None)

    @property
    def rank(self) -> str:
        """The title that is shown beside the name; empty if there is none."""
        return getattr(self.raw, "rank", None) or ""

    @property
    def admin_rights(self) -> api.TypeChatAdminRights | None:
        """What they may do as an admin; None for others, and in basic groups."""
        return getattr(self.raw, "admin_rights", None)

    @property
    def banned_rights(self) -> api.TypeChatBannedRights | None:
        """What they may not do; None if nothing is forbidden to them alone."""
        return getattr(self.raw, "banned_rights", None)
