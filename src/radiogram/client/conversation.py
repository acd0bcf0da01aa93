"""Layer 4, client: messages to and from one chat, in turns.

Knows a stream of the chat's messages. Must not know how the stream is filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radiogram.client.dispatch import Stream, first
from radiogram.client.events import NewMessageEvent

if TYPE_CHECKING:
    from typing import Unpack

    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.message import Message
    from radiogram.client.objects.options import SendOptions


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

    async def send(self, text: str, **options: Unpack[SendOptions]) -> Message:
        """Write into the chat; `options` are those of ``client.send_message``."""
        return await self._client.send_message(self._peer, text, **options)

    async def answer(self, *, timeout: float | None = None) -> NewMessageEvent:
        """Give the next message of the other side, even if it came before this call.

        Raises TimeoutError.
        """
        seconds = self._timeout if timeout is None else timeout
        return await first(self._stream, seconds, f"an answer of {self._peer!r}")
