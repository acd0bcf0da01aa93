"""Server layer: who may do what in a basic group, supergroup or channel (C0.1.3 to C0.1.5).

Knows the bits of chatAdminRights and chatBannedRights and how they add up. Knows no method and
reads nothing: whoever asks brings the rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from radiogram.server.chat_store import ChatRow, MemberRow
from radiogram.tl import api
from radiogram.tl.base import TLObject
from radiogram.tl.build import registry

_FOREVER = 366 * 86400
_TOO_SHORT = 30


def bits_of(name: str) -> dict[str, int]:
    """Return the bit of each flag of a constructor, by its name in TL."""
    definition = registry(api.LAYER).definition(name)
    return {
        field.name: 1 << field.bit
        for field in definition.fields
        if field.type == "true" and field.bit is not None
    }


ADMIN = bits_of("chatAdminRights")
"""The bit of each right of an admin, by its name in TL."""
BANNED = bits_of("chatBannedRights")
"""The bit of each restriction, by its name in TL."""

ALL_ADMIN = sum(ADMIN.values())
GROUP_ADMIN = ALL_ADMIN & ~(ADMIN["add_admins"] | ADMIN["anonymous"])
"""What an admin of a basic group has; there are no single rights there."""
VIEW = BANNED["view_messages"]

_BROADCAST_ONLY = ADMIN["post_messages"] | ADMIN["edit_messages"]
_GROUP_ONLY = ADMIN["pin_messages"] | ADMIN["anonymous"] | ADMIN["manage_topics"]


def to_mask(rights: TLObject, bits: dict[str, int]) -> int:
    """Return the bits of a TL object of rights (or other flags); `bits` is ADMIN or BANNED."""
    return sum(bit for name, bit in bits.items() if getattr(rights, name))


def admin_rights(mask: int) -> api.ChatAdminRights:
    """Return the TL form of an admin's rights."""
    flags: dict[str, Any] = {name: True for name, bit in ADMIN.items() if mask & bit}
    return api.ChatAdminRights(**flags)


def banned_rights(mask: int, until_date: int = 0) -> api.ChatBannedRights:
    """Return the TL form of restrictions; an `until_date` of 0 is for ever."""
    flags: dict[str, Any] = {name: True for name, bit in BANNED.items() if mask & bit}
    return api.ChatBannedRights(until_date=until_date or 0x7FFFFFFF * bool(mask), **flags)


def fitting(chat: ChatRow, mask: int) -> int:
    """Drop rights that admins of this kind of chat cannot have."""
    return mask & ~(_GROUP_ONLY if chat.is_broadcast else _BROADCAST_ONLY)


def normal_until(until_date: int, now: int) -> int:
    """Return when a restriction ends, 0 for never (C0.1.4)."""
    return until_date if now + _TOO_SHORT <= until_date <= now + _FOREVER else 0


class Standing(NamedTuple):
    """What an account is in a chat at some moment, and what follows from that."""

    chat: ChatRow
    member: MemberRow | None
    is_bot: bool
    now: int

    @property
    def is_present(self) -> bool:
        """Whether the account is in the chat."""
        return self.member is not None and self.member.is_present

    @property
    def is_creator(self) -> bool:
        return self.is_present and self.member is not None and self.member.is_creator

    @property
    def is_admin(self) -> bool:
        """Whether the account is the creator or an admin."""
        return self.member is not None and self.member.is_admin

    @property
    def is_anonymous(self) -> bool:
        """Whether what the account does is shown as done by the chat."""
        return bool(self.admin_mask & ADMIN["anonymous"]) and not self.chat.is_broadcast

    @property
    def admin_mask(self) -> int:
        """The admin's rights as bits; the creator has all, but is anonymous only by choice."""
        if not self.is_admin or self.member is None:
            return 0
        own = self.member.admin_rights or 0
        if self.member.is_creator:
            return fitting(self.chat, ALL_ADMIN & ~ADMIN["anonymous"]) | own & ADMIN["anonymous"]
        return own

    @property
    def banned_mask(self) -> int:
        """The account's own restrictions as bits, those that have ended left out."""
        if self.member is None or self.is_admin:
            return 0
        ended = 0 < self.member.until_date <= self.now
        return 0 if ended else self.member.banned_rights

    @property
    def is_kicked(self) -> bool:
        """Whether the account may not see the chat (view_messages)."""
        return bool(self.banned_mask & VIEW)

    def is_free(self, restriction: str) -> bool:
        """Whether no restriction, the chat's or the account's own, forbids something.

        Nothing is forbidden to admins; in a broadcast channel members may do nothing.
        """
        if self.is_admin:
            return True
        bit = BANNED[restriction]
        if self.chat.is_broadcast or not self.is_present:
            return False
        return not (self.chat.default_banned | self.banned_mask) & bit

    def has_right(self, right: str) -> bool:
        """Whether the account is an admin with a right."""
        return bool(self.admin_mask & ADMIN[right])

    def may(self, right: str) -> bool:
        """Whether the account may do what both admins' rights and restrictions speak of.

        That is change_info, invite_users, pin_messages and manage_topics. What everybody may do,
        admins may do without the right, but bots may not (B2).
        """
        if not self.is_present:
            return False
        if self.has_right(right):
            return True
        if self.chat.is_broadcast or self.is_bot:
            return False
        everybody = not self.chat.default_banned & BANNED[right]
        return everybody and not self.banned_mask & BANNED[right]
