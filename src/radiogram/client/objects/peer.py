"""Layer 4, client: what users, groups and channels have in common.

Knows the client's methods that take a chat. Must not know requests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, TypeVar

from radiogram.client.objects.base import Friendly
from radiogram.tl.base import TLObject

if TYPE_CHECKING:
    from typing import Unpack

    from radiogram.client.objects.message import Message
    from radiogram.client.objects.options import ListOptions, PinnedOptions, SendOptions

R = TypeVar("R", bound=TLObject)


class PeerObject(Friendly[R]):
    """Somebody to write to, or something to write into."""

    __slots__ = ()

    async def send_message(self, text: str, **options: Unpack[SendOptions]) -> Message:
        """Write to it; `options` are those of ``client.send_message``."""
        return await self._client.send_message(self, text, **options)

    def iter_messages(self, **options: Unpack[ListOptions]) -> AsyncIterator[Message]:
        """Read its messages; `options` are those of ``client.iter_messages``."""
        return self._client.iter_messages(self, **options)

    def get_pinned_messages(self, **options: Unpack[PinnedOptions]) -> AsyncIterator[Message]:
        """Read its pinned messages; `options` are those of ``client.get_pinned_messages``."""
        return self._client.get_pinned_messages(self, **options)

    async def unpin_all_messages(self) -> int:
        """Unpin everything in it; gives how many were unpinned."""
        return await self._client.unpin_all_messages(self)

    async def read(self) -> None:
        """Mark everything in it as read."""
        await self._client.read(self)
