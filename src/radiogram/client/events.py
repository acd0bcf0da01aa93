"""Layer 4, client: what handlers are told: updates as events, and patterns that choose among them.

Knows the kinds of updates and what is convenient to know of each. Must not know where updates come
from or in which order handlers run.

A pattern says which events a handler wants: ``NewMessage(filters.private & filters.reply)``.
Every event carries the raw update and a key that is the same when the update comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from radiogram.client import albums
from radiogram.client.ending import Ended
from radiogram.client.ids import mark_channel, mark_chat
from radiogram.client.objects.base import marked_peer
from radiogram.tl import api
from radiogram.tl.base import TLObject

if TYPE_CHECKING:
    from typing import Unpack

    from radiogram.client.client import TelegramClient
    from radiogram.client.gaps import Delivery
    from radiogram.client.objects.chat import Chat
    from radiogram.client.objects.message import Message
    from radiogram.client.objects.options import ReplyOptions, SendOptions
    from radiogram.client.objects.user import User
    from radiogram.errors import RadiogramError


class Event:
    """One update, as a handler gets it."""

    def __init__(self, client: TelegramClient, delivery: Delivery) -> None:
        self.client = client
        """The client that received it."""
        self.update: Any = delivery.update
        """The raw update."""
        self.key = delivery.key
        """Names what happened: the same if it is told again after a crash. Keep it, and do
        nothing the second time, where doing a thing twice matters."""
        self.users = delivery.users
        """Users that came with the update, by id."""
        self.chats = delivery.chats
        """Groups and channels that came with the update, by id."""
        self._channel_id = delivery.channel_id

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key}>"

    @property
    def chat_id(self) -> int | None:
        """Marked id of the chat in which it happened; None if it happened in none."""
        update = self.update
        message = getattr(update, "message", None)
        found = marked_peer(getattr(message, "peer_id", None)) or marked_peer(
            getattr(update, "peer", None)
        )
        if found is not None:
            return found
        if self._channel_id is not None:
            return mark_channel(self._channel_id)
        chat_id = getattr(update, "chat_id", None)
        if isinstance(chat_id, int):
            return mark_chat(chat_id)
        user_id = getattr(update, "user_id", None)
        return user_id if isinstance(user_id, int) else None

    @property
    def is_private(self) -> bool:
        """Whether it happened in a private chat."""
        chat_id = self.chat_id
        return chat_id is not None and chat_id > 0

    @property
    def is_channel(self) -> bool:
        """Whether it happened in a broadcast channel."""
        chat = self.chats.get(self._channel_id or 0)
        return isinstance(chat, api.Channel) and chat.broadcast

    @property
    def is_group(self) -> bool:
        """Whether it happened in a basic group or a supergroup."""
        chat_id = self.chat_id
        return chat_id is not None and chat_id < 0 and not self.is_channel


class MessageEvent(Event):
    """Something about one message."""

    @cached_property
    def message(self) -> Message:
        """The message; ``.message.raw`` is the raw one."""
        return self._friendly(self.raw)

    def _friendly(self, raw: api.Message | api.MessageService) -> Message:
        from radiogram.client.objects.base import Company
        from radiogram.client.objects.message import Message

        return Message(self.client, raw, Company(self.users.values(), self.chats.values()))

    @property
    def raw(self) -> api.Message | api.MessageService:
        """The raw message."""
        raw: api.Message | api.MessageService = self.update.message
        return raw

    @property
    def id(self) -> int:
        """The message's id."""
        return self.raw.id

    @property
    def text(self) -> str:
        """The text; empty if there is none."""
        raw = self.raw
        return raw.message if isinstance(raw, api.Message) else ""

    @property
    def out(self) -> bool:
        """Whether this account sent it."""
        return self.raw.out

    @property
    def sender_id(self) -> int | None:
        """Marked id of who sent it; None for posts of a channel."""
        return self.message.sender_id

    @property
    def sender(self) -> Chat | User | None:
        """Who sent it; None for posts of a channel, or if the server did not tell."""
        return self.message.sender

    @property
    def chat(self) -> Chat | User | None:
        """The chat it is in; None if the server did not tell about it."""
        return self.message.chat

    async def reply(self, text: str, **options: Unpack[ReplyOptions]) -> Message:
        """Answer in the same chat, as a reply to the message; gives what was sent.

        `options` are those of ``client.send_message``.
        """
        return await self.message.reply(text, **options)

    async def respond(self, text: str, **options: Unpack[SendOptions]) -> Message:
        """Write into the same chat; `options` are those of ``client.send_message``."""
        return await self.client.send_message(self.raw.peer_id, text, **options)


class NewMessageEvent(MessageEvent):
    """A message was sent or received."""


class MessageEditedEvent(MessageEvent):
    """A message was changed."""


class ActionEvent(MessageEvent):
    """A service message: somebody came, went, pinned, changed the title ..."""

    @property
    def action(self) -> api.TypeMessageAction:
        """What was done."""
        raw = self.raw
        assert isinstance(raw, api.MessageService)
        return raw.action


class AlbumEvent(MessageEvent):
    """Messages that were sent together. What is said of one message is said of the first."""

    @cached_property
    def messages(self) -> list[Message]:
        """The messages, in the order of their ids."""
        return [self._friendly(raw) for raw in self.update.messages]

    @property
    def ids(self) -> list[int]:
        """Their ids."""
        return [raw.id for raw in self.update.messages]

    @property
    def text(self) -> str:
        """The first text that one of them has; clients show it below the album."""
        return next((raw.message for raw in self.update.messages if raw.message), "")

    @property
    def grouped_id(self) -> int:
        """What its messages have in common."""
        return int(self.update.grouped_id)


class MessagesDeletedEvent(Event):
    """Messages are gone. Outside of channels Telegram does not say from which chat."""

    @property
    def ids(self) -> list[int]:
        """Their ids."""
        return list(self.update.messages)


class MessagesPinnedEvent(Event):
    """Messages were pinned or unpinned."""

    @property
    def ids(self) -> list[int]:
        """Their ids."""
        return list(self.update.messages)

    @property
    def pinned(self) -> bool:
        """True if they were pinned, False if they were unpinned."""
        return bool(self.update.pinned)


class MessagesReadEvent(Event):
    """Messages were read: by this account, or by others what it has sent."""

    @property
    def max_id(self) -> int:
        """Everything up to this id was read."""
        return int(self.update.max_id)

    @property
    def outbox(self) -> bool:
        """True if others have read what this account sent."""
        return "Outbox" in type(self.update).__name__


class TypingEvent(Event):
    """Somebody types, records, chooses ... It is not repeated when it was missed."""

    @property
    def user_id(self) -> int | None:
        """Marked id of who does it."""
        sender = marked_peer(getattr(self.update, "from_id", None))
        return sender if sender is not None else getattr(self.update, "user_id", None)

    @property
    def action(self) -> api.TypeSendMessageAction:
        """What they do."""
        action: api.TypeSendMessageAction = self.update.action
        return action


class CallbackQueryEvent(Event):
    """A button under a message of this bot was pressed."""

    @property
    def data(self) -> bytes:
        """What the button carries."""
        return self.update.data or b""

    @property
    def user_id(self) -> int:
        """Who pressed it."""
        return int(self.update.user_id)


class InlineQueryEvent(Event):
    """Somebody writes this bot's name and a query into another chat."""

    @property
    def query(self) -> str:
        """What they have written."""
        return str(self.update.query)


class UpdatesLostEvent(Event):
    """Telegram has not kept what was missed: there is a hole in the past of the account.

    Of a channel :attr:`Event.chat_id` says which; read its history to fill the hole.
    """


class SessionEndedEvent(Event):
    """The session is of no more use: the login was ended, the account is gone, the key is dead.

    The client has disconnected; calls raise :attr:`error`. The session's file is left as it is.
    """

    @property
    def error(self) -> RadiogramError:
        """What calls raise from now on."""
        error: RadiogramError = self.update.error
        return error

    @property
    def reason(self) -> str:
        """Telegram's name of it (``AUTH_KEY_DUPLICATED``), or KEY_UNKNOWN, KEY_DESTROYED."""
        return str(self.update.reason)

    @property
    def remedy(self) -> str:
        """What to do."""
        return str(self.update.remedy)


class ConnectionLostEvent(SessionEndedEvent):
    """The connection was lost and the client has given up: ``reconnect_attempts`` have failed.

    The session is good. ``await event.client.connect()`` begins anew, and nothing is lost.
    """


E = TypeVar("E", bound=Event)


class Filter(Generic[E]):
    """A condition on events; combine them with ``&``, ``|`` and ``~``."""

    def __init__(self, test: Callable[[E], object], name: str = "") -> None:
        self._test = test
        self._name = name or getattr(test, "__name__", "filter")

    def __call__(self, event: E) -> bool:
        return bool(self._test(event))

    def __and__(self, other: Filter[E]) -> Filter[E]:
        return Filter(lambda event: self(event) and other(event), f"({self!r} & {other!r})")

    def __or__(self, other: Filter[E]) -> Filter[E]:
        return Filter(lambda event: self(event) or other(event), f"({self!r} | {other!r})")

    def __invert__(self) -> Filter[E]:
        return Filter(lambda event: not self(event), f"~{self!r}")

    def __repr__(self) -> str:
        return self._name


class Pattern(Generic[E]):
    """Which events a handler wants."""

    updates: Sequence[type] = ()
    """Constructors of updates that can be such an event; empty: all."""
    event: type[E]

    def __init__(self, *filters: Filter[E]) -> None:
        """Take filters which must all agree."""
        for one in filters:
            if not callable(one):
                raise TypeError(
                    f"{type(self).__name__}() takes filters, such as filters.text({one!r}), and "
                    f"functions of an event, not {one!r}"
                )
        self.filters = filters

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.filters))})"

    def match(self, client: TelegramClient, delivery: Delivery) -> E | None:
        """Return the event if it is wanted."""
        if self.updates and not isinstance(delivery.update, tuple(self.updates)):
            return None
        event = self.event(client, delivery)
        if not self.fits(event) or not all(wanted(event) for wanted in self.filters):
            return None
        return event

    def fits(self, _event: E) -> bool:
        """Tell whether it is such an event at all; for what the constructor does not say."""
        return True


class NewMessage(Pattern[NewMessageEvent]):
    """A message was sent or received; service messages are :class:`ChatAction`."""

    updates = (api.UpdateNewMessage, api.UpdateNewChannelMessage)
    event = NewMessageEvent

    def fits(self, event: NewMessageEvent) -> bool:
        return isinstance(event.update.message, api.Message)


class MessageEdited(Pattern[MessageEditedEvent]):
    """A message was changed."""

    updates = (api.UpdateEditMessage, api.UpdateEditChannelMessage)
    event = MessageEditedEvent

    def fits(self, event: MessageEditedEvent) -> bool:
        return isinstance(event.update.message, api.Message)


class Album(Pattern[AlbumEvent]):
    """Messages that were sent together; each of them is a :class:`NewMessage` as well."""

    updates = (albums.Album,)
    event = AlbumEvent


class ChatAction(Pattern[ActionEvent]):
    """A service message came."""

    updates = (api.UpdateNewMessage, api.UpdateNewChannelMessage)
    event = ActionEvent

    def fits(self, event: ActionEvent) -> bool:
        return isinstance(event.update.message, api.MessageService)


class MessagesDeleted(Pattern[MessagesDeletedEvent]):
    """Messages are gone."""

    updates = (api.UpdateDeleteMessages, api.UpdateDeleteChannelMessages)
    event = MessagesDeletedEvent


class MessagesPinned(Pattern[MessagesPinnedEvent]):
    """Messages were pinned or unpinned."""

    updates = (api.UpdatePinnedMessages, api.UpdatePinnedChannelMessages)
    event = MessagesPinnedEvent


class MessagesRead(Pattern[MessagesReadEvent]):
    """Messages were read."""

    updates = (
        api.UpdateReadHistoryInbox,
        api.UpdateReadHistoryOutbox,
        api.UpdateReadChannelInbox,
        api.UpdateReadChannelOutbox,
    )
    event = MessagesReadEvent


class Typing(Pattern[TypingEvent]):
    """Somebody types, records, chooses ..."""

    updates = (api.UpdateUserTyping, api.UpdateChatUserTyping, api.UpdateChannelUserTyping)
    event = TypingEvent


class CallbackQuery(Pattern[CallbackQueryEvent]):
    """A button under a message of this bot was pressed."""

    updates = (api.UpdateBotCallbackQuery, api.UpdateInlineBotCallbackQuery)
    event = CallbackQueryEvent


class InlineQuery(Pattern[InlineQueryEvent]):
    """Somebody writes this bot's name and a query into another chat."""

    updates = (api.UpdateBotInlineQuery,)
    event = InlineQueryEvent


class UpdatesLost(Pattern[UpdatesLostEvent]):
    """There is a hole in the past of the account, or of a channel."""

    updates = (api.UpdatesTooLong, api.UpdateChannelTooLong)
    event = UpdatesLostEvent


class SessionEnded(Pattern[SessionEndedEvent]):
    """The session is of no more use."""

    updates = (Ended,)
    event = SessionEndedEvent

    def fits(self, event: SessionEndedEvent) -> bool:
        return bool(event.update.is_session)


class ConnectionLost(Pattern[ConnectionLostEvent]):
    """The connection was lost and the client has given up."""

    updates = (Ended,)
    event = ConnectionLostEvent

    def fits(self, event: ConnectionLostEvent) -> bool:
        return not event.update.is_session


class Raw(Pattern[Event]):
    """Every update; or those of some constructors: ``Raw(types=[api.UpdateUserStatus])``."""

    event = Event

    def __init__(self, *filters: Filter[Event], types: Sequence[type] = ()) -> None:
        super().__init__(*filters)
        self.updates = tuple(types)

    def fits(self, event: Event) -> bool:
        return isinstance(event.update, TLObject)


class StopPropagation(Exception):
    """Raise it in a handler to keep the event from handlers that come later."""
