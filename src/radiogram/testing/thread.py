"""Top layer, testing: what lives in the thread of the servers, used from any other.

Knows threads; knows nothing of Telegram. A server in a thread of its own answers whatever the test
does meanwhile: it may run any event loop, none, or block on a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from radiogram.client.thread import LoopThread

T = TypeVar("T")


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
