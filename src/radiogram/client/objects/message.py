"""Layer 4, client: a message, as programs like to see it.

Knows raw messages and the client's methods about messages. Must not know updates or requests.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from radiogram import errors
from radiogram.client.objects.base import Company, Friendly, marked_peer, moment
from radiogram.tl import api

if TYPE_CHECKING:
    from typing import Unpack

    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.chat import Chat
    from radiogram.client.objects.options import EditOptions, ForwardOptions, ReplyOptions
    from radiogram.client.objects.user import User

MAX_SHOWN = 40
"""Characters of the text in the repr."""


class Message(Friendly[api.Message | api.MessageService]):
    """A message, or a service message: what happened in a chat."""

    __slots__ = ("_company",)

    def __init__(
        self,
        client: TelegramClient,
        raw: api.Message | api.MessageService,
        company: Company | None = None,
    ) -> None:
        super().__init__(client, raw)
        self._company = company or Company()

    def __repr__(self) -> str:
        if isinstance(self.raw, api.MessageService):
            shown = self.raw.action.TL_NAME
        else:
            text = self.text
            shown = repr(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…")
        return f"<Message {self.id} in {self.chat_id}: {shown}>"

    @property
    def id(self) -> int:
        """Its number, in the chat's own box for channels, else in the account's."""
        return self.raw.id

    @property
    def text(self) -> str:
        """The text; empty if there is none."""
        return self.raw.message if isinstance(self.raw, api.Message) else ""

    @property
    def date(self) -> datetime:
        """When it was sent, in UTC."""
        return datetime.fromtimestamp(self.raw.date, UTC)

    @property
    def edit_date(self) -> datetime | None:
        """When it was changed last, in UTC; None if never."""
        return moment(self.raw.edit_date) if isinstance(self.raw, api.Message) else None

    @property
    def chat_id(self) -> int:
        """Marked id of the chat it is in; of a private chat: of the partner."""
        chat_id = marked_peer(self.raw.peer_id)
        assert chat_id is not None
        return chat_id

    @property
    def sender_id(self) -> int | None:
        """Marked id of who sent it; None for posts of a channel."""
        sender = marked_peer(self.raw.from_id)
        if sender is not None or self.chat_id < 0:
            return sender
        return self._client.session.data.user_id if self.out else self.chat_id

    @property
    def chat(self) -> Chat | User | None:
        """The chat it is in; None if the server did not tell about it."""
        return self._known(self.chat_id)

    @property
    def sender(self) -> Chat | User | None:
        """Who sent it; None for posts of a channel, or if the server did not tell."""
        sender_id = self.sender_id
        return None if sender_id is None else self._known(sender_id)

    def _known(self, marked_id: int) -> Chat | User | None:
        from radiogram.client.objects.results import peer_object

        return peer_object(self._client, self._company.peers.get(marked_id))

    @property
    def out(self) -> bool:
        """Whether this account sent it."""
        return self.raw.out

    @property
    def pinned(self) -> bool:
        """Whether it was pinned when it was received."""
        return isinstance(self.raw, api.Message) and self.raw.pinned

    @property
    def silent(self) -> bool:
        """Whether it was sent without a sound."""
        return self.raw.silent

    @property
    def reply_to(self) -> int | None:
        """Id of the message it replies to, or that it pins; None if it does neither."""
        return getattr(self.raw.reply_to, "reply_to_msg_id", None)

    @property
    def media(self) -> api.TypeMessageMedia | None:
        """The raw photo, file, place ...; None if there is none."""
        return self.raw.media if isinstance(self.raw, api.Message) else None

    @property
    def action(self) -> api.TypeMessageAction | None:
        """What a service message tells; None for others."""
        return self.raw.action if isinstance(self.raw, api.MessageService) else None

    # ── methods ──────────────────────────────────────────────────────────────────────────────

    async def reply(self, text: str, **options: Unpack[ReplyOptions]) -> Message:
        """Answer it, in the same chat; `options` are those of ``client.send_message``."""
        return await self._client.send_message(self.raw.peer_id, text, reply_to=self, **options)

    async def pin(self, *, silent: bool = False, one_sided: bool = False) -> Message | None:
        """Pin it; see ``client.pin_message``."""
        return await self._client.pin_message(
            self.raw.peer_id, self, silent=silent, one_sided=one_sided
        )

    async def unpin(self, *, one_sided: bool = False) -> None:
        """Unpin it; see ``client.unpin_message``."""
        await self._client.unpin_message(self.raw.peer_id, self, one_sided=one_sided)

    async def edit(self, text: str, **options: Unpack[EditOptions]) -> Message:
        """Change its text; gives it as it is then. `options` are of ``client.edit_message``."""
        return await self._client.edit_message(self.raw.peer_id, self, text, **options)

    async def delete(self, *, revoke: bool = True) -> int:
        """Delete it, for everybody unless `revoke` is false; gives how many were deleted."""
        return await self._client.delete_messages(self.raw.peer_id, self, revoke=revoke)

    async def forward(self, chat: api.PeerLike, **options: Unpack[ForwardOptions]) -> Message:
        """Forward it to a chat; gives what is there then.

        `options` are those of ``client.forward_messages``. Raises ClientError if nothing was sent.
        """
        for message in await self._client.forward_messages(chat, self, **options):
            return message
        raise errors.ClientError(f"{self!r} was not forwarded: the server told of no new message")

    async def get_reply_message(self) -> Message | None:
        """Fetch the message it replies to; None if there is none, or no more."""
        number = self.reply_to
        if number is None:
            return None
        return await self._client.get_messages(self.raw.peer_id, number)

    async def read(self) -> None:
        """Mark everything up to it as read."""
        await self._client.read(self.raw.peer_id, self)


MessageLike = int | api.Message | api.MessageService | Message
"""A message, or its id."""


def message_id(message: MessageLike) -> int:
    """Return the id of a message. Raises TypeError for anything else."""
    if isinstance(message, int) and not isinstance(message, bool):
        return message
    if isinstance(message, Message | api.Message | api.MessageService):
        return message.id
    raise TypeError(f"a message, or the id of one, is wanted here, not {message!r}")


def chat_of(message: MessageLike) -> int | None:
    """Return the marked id of the chat that a message is in; None if only its id was given."""
    raw = message.raw if isinstance(message, Message) else message
    return None if isinstance(raw, int) else marked_peer(raw.peer_id)


def message_ids(messages: MessageLike | Iterable[MessageLike]) -> list[int]:
    """Return the ids of one message or of several."""
    if isinstance(messages, int | Message | api.Message | api.MessageService):
        return [message_id(messages)]
    return [message_id(message) for message in messages]
