"""Layer 4, client: messages to and from one chat, in turns.

Knows a stream of the chat's messages. Must not know how the stream is filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radiogram.client.dispatch import Stream, first
from radiogram.client.events import NewMessageEvent
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient


class Conversation:
    """Messages to and from one chat, in turns."""

    def __init__(
        self,
        client: TelegramClient,
        peer: Any,
        stream: Stream[NewMessageEvent],
        timeout: float | None,
    ) -> None:
        self._client = client
        self._peer = peer
        self._stream = stream
        self._timeout = timeout

    async def send(self, text: str, **options: Any) -> api.TypeUpdates:
        """Write into the chat; `options` are parameters of messages.sendMessage."""
        request = api.messages.SendMessage(peer=self._peer, message=text, **options)
        return await self._client.invoke(request)

    async def answer(self, *, timeout: float | None = None) -> NewMessageEvent:
        """Give the next message of the other side, even if it came before this call.

        Raises TimeoutError.
        """
        return await first(self._stream, self._timeout if timeout is None else timeout)
