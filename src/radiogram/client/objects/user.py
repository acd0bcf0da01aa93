"""Layer 4, client: a user, or a bot, as programs like to see it.

Knows raw users. Must not know requests.
"""

from __future__ import annotations

from radiogram.client.objects.peer import PeerObject
from radiogram.tl import api


class User(PeerObject[api.TypeUser]):
    """A user, a bot, or this account: its chat is Saved Messages."""

    __slots__ = ()

    def __repr__(self) -> str:
        name = f"@{self.username}" if self.username else repr(self.name)
        return f"<User {self.id} {name}{' bot' * self.is_bot}>"

    @property
    def id(self) -> int:
        """The user's id."""
        return self.raw.id

    @property
    def first_name(self) -> str:
        """The first name; empty for deleted accounts."""
        return (self.raw.first_name or "") if isinstance(self.raw, api.User) else ""

    @property
    def last_name(self) -> str:
        """The last name; empty if there is none."""
        return (self.raw.last_name or "") if isinstance(self.raw, api.User) else ""

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def username(self) -> str | None:
        """The public name without @; None if there is none."""
        if not isinstance(self.raw, api.User):
            return None
        return self.raw.username or next(
            (one.username for one in self.raw.usernames or () if one.active), None
        )

    @property
    def phone(self) -> str | None:
        """The phone number, digits only; None if it is not shown to this account."""
        return self.raw.phone if isinstance(self.raw, api.User) else None

    @property
    def is_bot(self) -> bool:
        """Whether it is a bot."""
        return isinstance(self.raw, api.User) and self.raw.bot

    @property
    def is_self(self) -> bool:
        """Whether it is this account."""
        return isinstance(self.raw, api.User) and self.raw.self

    @property
    def is_contact(self) -> bool:
        """Whether it is in this account's contacts."""
        return isinstance(self.raw, api.User) and self.raw.contact

    @property
    def is_deleted(self) -> bool:
        """Whether the account is no more."""
        return not isinstance(self.raw, api.User) or self.raw.deleted
