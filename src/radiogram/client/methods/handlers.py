"""Layer 4, client: handling what happens: handlers, streams of events, conversations.

Knows patterns and the dispatcher. Must not know pts, gaps or the network.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.conversation import Conversation
    from radiogram.client.dispatch import Middleware, Stream
    from radiogram.client.events import Event, Pattern

    E = TypeVar("E", bound=Event)
else:
    E = TypeVar("E")

C = TypeVar("C", bound=Callable[..., Awaitable[object]])


def on(
    client: TelegramClient, pattern: Pattern[E], *, group: int = 0
) -> Callable[[Callable[[E], Awaitable[object]]], Callable[[E], Awaitable[object]]]:
    """Call the decorated coroutine function with every event of a pattern.

    ``@client.on(events.NewMessage(filters.incoming))``. Handlers of a lower `group` come first.
    An event counts as handled when all have returned: after a crash it comes again.
    """

    def register(callback: Callable[[E], Awaitable[object]]) -> Callable[[E], Awaitable[object]]:
        add_handler(client, callback, pattern, group=group)
        return callback

    return register


def add_handler(
    client: TelegramClient,
    callback: Callable[[E], Awaitable[object]],
    pattern: Pattern[E],
    *,
    group: int = 0,
) -> None:
    """Call a coroutine function with every event of a pattern. Raises TypeError for any other."""
    client.updates.dispatcher.add(callback, pattern, group=group)
    if client.is_connected:
        client.updates.run()


def remove_handler(client: TelegramClient, callback: Callable[..., Awaitable[object]]) -> int:
    """Call a function no more; gives how many patterns it had."""
    return client.updates.dispatcher.remove(callback)


def use(client: TelegramClient, middleware: Middleware) -> None:
    """Put ``async def middleware(event, call)`` round every handler; it awaits ``call(event)``."""
    client.updates.dispatcher.wrap(middleware)


@asynccontextmanager
async def events(client: TelegramClient, pattern: Pattern[E]) -> AsyncIterator[Stream[E]]:
    """Read events one after the other.

    ``async with client.events(pattern) as stream: async for event in stream: ...``. Collects from
    the beginning of the block; an event counts as handled when the next one is asked for.
    """
    dispatcher = client.updates.dispatcher
    stream = dispatcher.stream(pattern)
    try:
        await client.updates.started()
        yield stream
    finally:
        dispatcher.end(stream)


async def wait_for(client: TelegramClient, pattern: Pattern[E], *, timeout: float | None = 60) -> E:
    """Wait for the next event of a pattern. Raises TimeoutError after `timeout` seconds.

    What came before the call is not seen: where an answer may be quick, use :func:`conversation`.
    """
    from radiogram.client.dispatch import first

    async with events(client, pattern) as stream:
        return await first(stream, timeout, f"{pattern!r}")


@asynccontextmanager
async def conversation(
    client: TelegramClient, chat: Any, *, timeout: float | None = 60
) -> AsyncIterator[Conversation]:
    """Talk to a chat: ``async with client.conversation("name") as talk``.

    Every message of the other side since the beginning of the block is kept until it was asked for,
    so a quick answer is not missed. `timeout` is for each :meth:`Conversation.answer`.
    """
    from radiogram.client import filters
    from radiogram.client.conversation import Conversation
    from radiogram.client.events import NewMessage

    marked_id = await client.marked_id(chat)
    pattern = NewMessage(filters.chat(marked_id) & filters.incoming)
    async with events(client, pattern) as stream:
        yield Conversation(client, chat, stream, timeout)
