"""Top layer, testing: an event loop in a thread of its own, where the servers of a process live.

Knows threads and loops; knows nothing of Telegram. A server there answers whatever the test does
meanwhile: it may run any event loop, none, or block on a process of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds after which a server that does not answer a test counts as hung."""


class LoopThread:
    """A thread that runs an event loop from :meth:`start` to :meth:`stop`."""

    def __init__(self, name: str = "telegram server") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the loop and wait for the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and return its result. Not to be called from there."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    def call(self, function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Call a function there and return its result; from there, simply call it."""
        if threading.current_thread() is self._thread:
            return function(*arguments, **keywords)

        async def there() -> T:
            return function(*arguments, **keywords)

        return self.run(there())

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


class Remote:
    """Stands for an object of the other thread: its methods are called there.

    What they return, and the attributes, are the object's own: numbers, texts, copies of lists.
    """

    def __init__(self, thread: LoopThread, find: Callable[[], object]) -> None:
        self._thread = thread
        self._find = find

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._find(), name)
        if isinstance(value, list):
            return self._thread.call(value.copy)
        if not callable(value):
            return value

        def method(*arguments: Any, **keywords: Any) -> Any:
            return self._thread.call(getattr(self._find(), name), *arguments, **keywords)

        return method

    def __repr__(self) -> str:
        return f"<{self._find()!r} of another thread>"


def remote(thread: LoopThread, find: Callable[[], T]) -> T:
    """Return something that can be used like what `find` returns, from any thread."""
    return cast(T, Remote(thread, find))
