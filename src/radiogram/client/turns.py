"""Layer 4, client: how many chats are handled at the same time.

Knows who has a turn, and that a handler which waits for an event needs none meanwhile. Must not
know what a handler does.

A handler that asks a person something may wait for minutes. If it kept its turn, a hundred such
people would keep everybody else from being heard.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from types import TracebackType


class Turn:
    """Leave of one task to handle updates: ``async with Turn(free): ...``."""

    __slots__ = ("_free", "_is_held", "_task")

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free = free
        self._is_held = False
        self._task: asyncio.Task[object] | None = None

    async def __aenter__(self) -> None:
        await self.take()
        self._task = asyncio.current_task()
        _TURN.set(self)  # of this task and of those that it starts

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._task = None
        self.lend()

    async def take(self) -> None:
        """Wait for a turn."""
        await self._free.acquire()
        self._is_held = True

    def lend(self) -> None:
        """Let somebody else have it."""
        if self._is_held:
            self._is_held = False
            self._free.release()

    @property
    def is_mine(self) -> bool:
        """Whether the running task has it, and not one that a handler has started."""
        return self._is_held and self._task is asyncio.current_task()


_TURN: ContextVar[Turn | None] = ContextVar("turn", default=None)


async def wait(event: asyncio.Event) -> None:
    """Wait for an event; a handler that does so lends its turn.

    If the wait is cut short, by a timeout, it goes on at once and without a turn: it is about to
    end, or to do something about it.
    """
    turn = _TURN.get()
    if turn is None or not turn.is_mine:
        await event.wait()
        return
    turn.lend()
    await event.wait()
    await turn.take()
