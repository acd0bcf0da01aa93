"""Layer 4, client: the updates of one client: raw as they are pushed, and in order for handlers.

Knows who listens, and when the pump runs that puts updates in order and fetches missed ones. Must
not know how it does that.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakSet

from msgspec.structs import replace

from radiogram.client.ending import Ended
from radiogram.client.ids import mark_channel
from radiogram.errors import ClientError, RadiogramError
from radiogram.tl import api

if TYPE_CHECKING:
    from typing import Self

    from radiogram.client.client import TelegramClient
    from radiogram.client.dispatch import Dispatcher
    from radiogram.client.peers import Peers
    from radiogram.client.pump import Health, UpdatePump

log = logging.getLogger("radiogram.client")

MAX_WAITING = 10_000
"""Updates that an iterator keeps for a reader that does not come."""

LAST_WORDS = 5.0
"""Seconds that handlers of the client's end have when it is disconnected meanwhile."""

Callback = Callable[["api.TypeUpdates"], object]


class UpdateIterator:
    """Gives every Updates pushed since it was made: ``async for update in client.updates()``.

    It ends when the client is disconnected, and raises what the client failed with. A reader that
    is more than `limit` updates behind loses the oldest; ``api.UpdatesTooLong()`` stands in their
    place, Telegram's own way to say that something was missed.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[api.TypeUpdates] = deque()
        self._lost = False
        self._over = False
        self._failure: RadiogramError | None = None
        self._wake: asyncio.Future[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> api.TypeUpdates:
        while not self._waiting and not self._lost:
            if self._failure is not None:
                raise self._failure
            if self._over:
                raise StopAsyncIteration
            self._wake = asyncio.get_running_loop().create_future()
            try:
                await self._wake
            finally:
                self._wake = None
        if self._lost:
            self._lost = False
            return api.UpdatesTooLong()
        return self._waiting.popleft()

    def close(self) -> None:
        """End the iteration after what is waiting has been read."""
        self._end(None)

    def _put(self, update: api.TypeUpdates) -> None:
        if self._over:
            return
        self._waiting.append(update)
        if len(self._waiting) > self._limit:
            self._waiting.popleft()
            self._lost = True
        self._notify()

    def _end(self, failure: RadiogramError | None) -> None:
        if not self._over:
            self._over = True
            self._failure = failure
            self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class UpdateFeed:
    """Hands every update to every listener, in the order of arrival."""

    def __init__(self) -> None:
        self._callbacks: list[Callback] = []
        self._iterators: WeakSet[UpdateIterator] = WeakSet()

    def listen(self, callback: Callback) -> Callable[[], None]:
        """Call `callback` with every update; gives a function that ends this."""
        if inspect.iscoroutinefunction(callback):
            raise TypeError(
                "on_update() takes a plain function; in a coroutine, read updates with "
                "`async for update in client.updates()`"
            )
        self._callbacks.append(callback)

        def stop() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return stop

    def iterate(self, limit: int = MAX_WAITING) -> UpdateIterator:
        """Start to collect updates for one reader."""
        iterator = UpdateIterator(limit)
        self._iterators.add(iterator)
        return iterator

    def emit(self, update: api.TypeUpdates) -> None:
        """Give an update to everybody; a callback that raises is logged and goes on listening."""
        for iterator in list(self._iterators):
            iterator._put(update)
        for callback in list(self._callbacks):
            try:
                callback(update)
            except Exception:
                log.exception("a callback given to on_update() failed")

    def end(self, failure: RadiogramError | None) -> None:
        """End every iteration, with an error if the client failed."""
        for iterator in list(self._iterators):
            iterator._end(failure)


class Updates:
    """The updates of one client, ``client.updates``.

    Called, it gives the raw stream. The ordered one, for handlers and event streams, runs from
    when somebody is signed in and anybody has asked for events; then nothing is lost.
    """

    def __init__(self, client: TelegramClient, peers: Peers, clock: Callable[[], float]) -> None:
        self.feed = UpdateFeed()
        """The raw stream."""
        self._client = client
        self._peers = peers
        self._clock = clock
        self._dispatcher: Dispatcher | None = None
        self._pump: UpdatePump | None = None
        self._start: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None

    def __call__(self, *, limit: int = MAX_WAITING) -> UpdateIterator:
        """Read every Updates as it is pushed: ``async for update in client.updates()``.

        Collects from the moment of the call, up to `limit` updates ahead of the reader. Gaps are
        not looked for. Ends when the client is disconnected.
        """
        return self.feed.iterate(limit)

    def health(self) -> Health:
        """Tell how the ordered stream is doing. Raises ClientError while it does not run."""
        if self._pump is None:
            raise ClientError(
                "no events are being handled; add a handler with client.on(), sign in and connect"
            )
        health = self._pump.health()
        return replace(health, failures=health.failures + self.dispatcher.failures)

    @property
    def dispatcher(self) -> Dispatcher:
        """The handlers; made when first asked for."""
        if self._dispatcher is None:
            from radiogram.client.dispatch import Dispatcher

            self._dispatcher = Dispatcher(self._client)
        return self._dispatcher

    # ── from the client ──────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Start the ordered stream if somebody is signed in and wants events."""
        if self._pump is not None or self._dispatcher is None or not self._dispatcher.is_used:
            return
        data = self._client.session.data
        if not data.user_id or not self._client.is_connected:
            return
        from radiogram.client.pump import UpdatePump

        self._pump = UpdatePump(
            handle=self._dispatcher.dispatch,
            offer=self._dispatcher.offer,
            invoke=self._client.invoke,
            input_channel=lambda number: self._peers.input_channel(mark_channel(number)),
            knows=self._peers.knows,
            wants_albums=self._dispatcher.wants_albums,
            keeper=self._client.session,
            clock=self._clock,
            self_id=data.user_id,
            is_bot=data.is_bot,
        )
        self._start = asyncio.get_running_loop().create_task(self._run(self._pump))

    async def resume(self) -> None:
        """Start the ordered stream, a new one if the client has failed since the last start."""
        pump = self._pump
        if pump is not None and pump.is_halted:
            await pump.stop()
            if self._pump is pump:
                self._pump = None
        self.run()

    async def _run(self, pump: UpdatePump) -> None:
        try:
            await pump.start()
        finally:
            self._start = None

    async def started(self) -> None:
        """Wait until the ordered stream knows where the account stands."""
        self.run()
        start = self._start
        if start is not None:
            await asyncio.shield(start)

    def received(self, updates: api.TypeUpdates) -> None:
        """Take what the server has pushed."""
        self.feed.emit(updates)
        if self._pump is not None:
            self._pump.push(updates)

    def result(self, request: object, result: object) -> None:
        """Take the result of an own call: it may have moved the account's line."""
        if self._pump is not None:
            self._pump.result(request, result)

    def missed(self) -> None:
        """Take the news that pushes may have been lost."""
        self.feed.emit(api.UpdatesTooLong())
        if self._pump is not None:
            self._pump.missed()

    async def stop(self) -> None:
        """End both streams; handlers that run are cancelled, and will be called again."""
        if self._start is not None:
            self._start.cancel()
        telling, self._telling = self._telling, None
        if telling is not None and telling is not asyncio.current_task():
            await asyncio.wait([telling], timeout=LAST_WORDS)
            telling.cancel()
        pump, self._pump = self._pump, None
        if pump is not None:
            await pump.stop()
        self.end(None)

    def end(self, failure: RadiogramError | None) -> None:
        """End everybody who reads a stream, with an error if the client failed.

        Handlers that run are then cancelled: what they did not finish is told again.
        """
        self.feed.end(failure)
        if failure is not None and self._pump is not None:
            self._pump.halt()
        if self._dispatcher is not None:
            if failure is not None:
                self._tell(self._dispatcher, Ended(failure))
            self._dispatcher.end_all(failure)

    def _tell(self, dispatcher: Dispatcher, ended: Ended) -> None:
        """Give handlers and readers the event that the client is over."""
        from radiogram.client.gaps import Delivery

        key = f"Ended:{ended.reason}"
        delivery = Delivery(update=ended, channel_id=None, key=key, users={}, chats={})
        dispatcher.offer(delivery, lambda: _nothing)
        self._telling = asyncio.get_running_loop().create_task(dispatcher.dispatch(delivery))


def _nothing() -> None:
    """Release what nobody keeps."""
