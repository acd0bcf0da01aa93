"""Layer 4, client: an event loop in a thread of its own.

Knows threads and loops. Must not know what runs there: a client of a script without a loop, or the
servers of a test run.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """A thread that runs an event loop from :meth:`start` to :meth:`stop`.

    `patience` bounds, in seconds, how long others wait for what runs there; None: for ever.
    """

    def __init__(self, name: str, *, patience: float | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._patience = patience

    @property
    def is_current(self) -> bool:
        """Whether this is asked in that very thread."""
        return threading.current_thread() is self._thread

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the loop and wait for the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(self._patience)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and return its result. Not to be called from there.

        It is cancelled if the wait for it is cut short.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(self._patience)
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Call a function there and return its result; from there, simply call it."""
        if self.is_current:
            return function(*arguments, **keywords)

        async def there() -> T:
            return function(*arguments, **keywords)

        return self.run(there())

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
