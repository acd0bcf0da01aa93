"""Layer 4, client: the raw stream of what the server pushes.

Knows who listens. Must not know pts and gaps: putting updates in order and fetching missed ones
is the work of a part that sits on top of this one.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakSet

from radiogram.errors import RadiogramError
from radiogram.tl import api

if TYPE_CHECKING:
    from typing import Self

log = logging.getLogger("radiogram.client")

MAX_WAITING = 10_000
"""Updates that an iterator keeps for a reader that does not come."""

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
