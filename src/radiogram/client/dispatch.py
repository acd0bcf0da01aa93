"""Layer 4, client: from deliveries to the handlers that want them.

Knows handlers, their order, middleware, and who waits for an event. Must not know gaps or the
network.

Handlers run in the order of their groups, and of being added within a group. All see an event,
unless one of them raises StopPropagation. One that fails is logged and keeps nothing from others.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from bisect import insort
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from radiogram import errors
from radiogram.client.events import Album, Event, Pattern, StopPropagation
from radiogram.client.turns import wait

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.gaps import Delivery

log = logging.getLogger("radiogram.client.updates")

E = TypeVar("E", bound=Event)
Callback = Callable[[E], Awaitable[object]]
Next = Callable[[Event], Awaitable[None]]
Middleware = Callable[[Event, Next], Awaitable[None]]
"""Goes round every handler: calls the second argument with the event, or does not."""

Release = Callable[[], None]
"""Says that an event was dealt with."""
Hold = Callable[[], Release]
"""Keeps an event open until what comes back is called."""


class Handler(NamedTuple):
    """A function that is called with events."""

    group: int
    number: int
    pattern: Pattern[Any]
    callback: Callback[Any]


class Stream(Generic[E]):
    """Events for one reader, in the order of their coming: ``async for event in stream``.

    An event counts as dealt with when the reader asks for the next one.
    """

    def __init__(self, pattern: Pattern[E]) -> None:
        self.pattern = pattern
        """Which events."""
        self._waiting: deque[tuple[E, Release]] = deque()
        self._reading: Release | None = None
        self._filled = asyncio.Event()
        self._over = False
        self._failure: errors.RadiogramError | None = None

    def __aiter__(self) -> Stream[E]:
        return self

    async def __anext__(self) -> E:
        self._let_go()
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            if self._over:
                raise StopAsyncIteration
            self._filled.clear()
            await wait(self._filled)
        event, self._reading = self._waiting.popleft()
        return event

    def offer(self, client: TelegramClient, delivery: Delivery, hold: Hold) -> None:
        """Keep the event if it is wanted; `hold` keeps it open until it was read."""
        event = None if self._over else self.pattern.match(client, delivery)
        if event is not None:
            self._waiting.append((event, hold()))
            self._filled.set()

    def close(self, failure: errors.RadiogramError | None = None) -> None:
        """End the stream after what is waiting has been read."""
        if not self._over:
            self._over = True
            self._failure = failure
            self._filled.set()

    def discard(self) -> None:
        """End the stream now; what was not read counts as dealt with."""
        self.close()
        self._let_go()
        while self._waiting:
            self._waiting.popleft()[1]()

    def _let_go(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading()


class Dispatcher:
    """The handlers of one client."""

    def __init__(self, client: TelegramClient) -> None:
        self._client = client
        self._handlers: list[Handler] = []
        self._number = 0
        self._middleware: list[Middleware] = []
        self._streams: list[Stream[Any]] = []
        self.failures = 0
        """Handlers that raised."""

    @property
    def is_used(self) -> bool:
        """Whether anybody wants events."""
        return bool(self._handlers or self._streams)

    def wants_albums(self) -> bool:
        """Tell whether anybody wants albums."""
        patterns = [one.pattern for one in self._handlers] + [s.pattern for s in self._streams]
        return any(isinstance(pattern, Album) for pattern in patterns)

    def add(self, callback: Callback[E], pattern: Pattern[E], *, group: int = 0) -> None:
        """Call a coroutine function with every event of a pattern."""
        if not is_async(callback):
            raise TypeError(f"a handler is an async function, not {callback!r}; add `async` to it")
        _check(pattern)
        self._number += 1
        insort(
            self._handlers,
            Handler(group, self._number, pattern, callback),
            key=lambda handler: handler[:2],
        )

    def remove(self, callback: Callback[Any]) -> int:
        """Take a function away, from every pattern; give how many there were."""
        before = len(self._handlers)
        self._handlers = [one for one in self._handlers if one.callback != callback]
        return before - len(self._handlers)

    def wrap(self, middleware: Middleware) -> None:
        """Put a function round every handler; the first one added is the outermost."""
        if not is_async(middleware):
            raise TypeError(
                f"middleware is an async function of an event and of what to call with it, not "
                f"{middleware!r}; write `async def middleware(event, call): await call(event)`"
            )
        self._middleware.append(middleware)

    def stream(self, pattern: Pattern[E]) -> Stream[E]:
        """Collect events from now on; end it with :meth:`end`."""
        _check(pattern)
        stream = Stream(pattern)
        self._streams.append(stream)
        return stream

    def end(self, stream: Stream[Any]) -> None:
        """End a stream; nobody will read what it holds."""
        stream.discard()
        if stream in self._streams:
            self._streams.remove(stream)

    def end_all(self, failure: errors.RadiogramError | None) -> None:
        """End every stream, with an error if the client failed."""
        for stream in self._streams:
            stream.close(failure)
        self._streams.clear()

    def offer(self, delivery: Delivery, hold: Hold) -> None:
        """Give an update to the streams that want it, as soon as it is due.

        Not behind the handlers of its chat: one of them may be waiting for just this.
        """
        for stream in list(self._streams):
            try:
                stream.offer(self._client, delivery, hold)
            except Exception:
                self.failures += 1
                log.exception("a filter failed with %s", delivery.key)

    async def dispatch(self, delivery: Delivery) -> None:
        """Hand one update to the handlers that want it.

        Raises nothing, except CancelledError if the task that runs it was cancelled; a handler
        that has waited for something that was cancelled has failed like any other.
        """
        for handler in list(self._handlers):
            try:
                event = handler.pattern.match(self._client, delivery)
                if event is not None:
                    await self._call(handler.callback, event)
            except StopPropagation:
                return
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                self._failed(handler, delivery, error)
            except Exception as error:  # noqa: BLE001 - handlers may raise anything
                self._failed(handler, delivery, error)

    def _failed(self, handler: Handler, delivery: Delivery, error: BaseException) -> None:
        self.failures += 1
        log.error(
            "the handler %s failed with %s; the update was %r",
            getattr(handler.callback, "__qualname__", handler.callback),
            delivery.key,
            delivery.update,
            exc_info=error,
        )

    async def _call(self, callback: Callback[Any], event: Event) -> None:
        call = _end(callback)
        for middleware in reversed(self._middleware):
            call = _around(middleware, call)
        await call(event)


def is_async(function: object) -> bool:
    """Tell whether calling something gives a coroutine."""
    if isinstance(function, partial):
        return is_async(function.func)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object with a coroutine method
    )


def _check(pattern: object) -> None:
    is_like_one = hasattr(pattern, "fits") and hasattr(pattern, "match")
    if is_like_one and isinstance(pattern, type):
        name = pattern.__name__
        raise TypeError(f"which events is told by a pattern, and {name} is a class: {name}()")
    if not is_like_one:
        raise TypeError(
            f"which events is told by a pattern such as events.NewMessage(), not {pattern!r}"
        )


def _end(callback: Callback[Any]) -> Next:
    async def call(event: Event) -> None:
        await callback(event)

    return call


def _around(middleware: Middleware, inner: Next) -> Next:
    async def call(event: Event) -> None:
        await middleware(event, inner)

    return call


async def first(stream: Stream[E], timeout: float | None, what: str) -> E:
    """Return the next event of a stream. Raises TimeoutError, which says `what` did not come."""
    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            return await stream.__anext__()
    except TimeoutError:
        if not limit.expired():
            raise
        raise TimeoutError(
            f"{what} did not come within {timeout:g} s; a longer `timeout` waits longer, and None "
            "for ever"
        ) from None
