"""Layer 4, client: which updates have been dealt with, and so what may be written down.

Knows the order in which updates were handed out, and where their line stood between them. Must
not know what handles them, or where the state is kept.

A line's state may be kept only once everything handed out before it has been dealt with: after a
crash the rest is fetched again by difference, and handled a second time rather than never.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from radiogram.client.sessions import State

LineState = State | int
"""Of the account, or the pts of a channel."""
Keep = Callable[[int | None, LineState], None]
"""Writes down where a line stands: the channel's id (None: the account), and the state."""


class Entry:
    """An update that was handed out, or a state between two of them."""

    __slots__ = ("channel_id", "done", "state")

    def __init__(self, channel_id: int | None, state: LineState | None) -> None:
        self.channel_id = channel_id
        self.state = state
        self.done = state is not None


class Journal:
    """What is open in every line."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._lines: dict[int | None, deque[Entry]] = {}
        self.open = 0
        """Updates that were handed out and not dealt with."""

    def hand_out(self, channel_id: int | None) -> Entry:
        """Note an update; give what comes back to :meth:`done`."""
        entry = Entry(channel_id, None)
        self._lines.setdefault(channel_id, deque()).append(entry)
        self.open += 1
        return entry

    def reach(self, channel_id: int | None, state: LineState) -> None:
        """Note where a line stands after all that was handed out so far."""
        line = self._lines.get(channel_id)
        if not line:
            self._keep(channel_id, state)
            return
        if line[-1].state is not None:
            line[-1].state = state  # nothing came between
        else:
            line.append(Entry(channel_id, state))

    def done(self, entry: Entry) -> None:
        """Note that an update was dealt with, and keep the state if it was the oldest open one."""
        if entry.done:
            return
        entry.done = True
        self.open -= 1
        line = self._lines.get(entry.channel_id)
        if line is None:
            return
        reached: LineState | None = None
        while line and line[0].done:
            first = line.popleft()
            reached = first.state if first.state is not None else reached
        if not line:
            del self._lines[entry.channel_id]
        if reached is not None:
            self._keep(entry.channel_id, reached)

    def forget(self, channel_id: int | None) -> None:
        """Keep nothing more of a line; what is open in it may still end."""
        line = self._lines.pop(channel_id, None)
        if line is not None:
            for entry in line:
                if not entry.done:
                    entry.done = True
                    self.open -= 1
