"""A client that believes what it is told: one account as updates and differences describe it.

Written from part C0.3 alone, without the server's code, so that the two can disagree.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from radiogram.tl import api


class Mirror:
    """Messages and read marks of one account."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.pts = 1
        self.messages: dict[int, Any] = {}
        self.read_inbox: dict[int, int] = {}
        self.read_outbox: dict[int, int] = {}
        self.unread: dict[int, int] = {}

    def snapshot(self) -> Mirror:
        other = copy(self)
        other.messages = dict(self.messages)
        other.read_inbox = dict(self.read_inbox)
        other.read_outbox = dict(self.read_outbox)
        other.unread = dict(self.unread)
        return other

    def contents(self) -> tuple[Any, ...]:
        return self.pts, self.messages, self.read_inbox, self.read_outbox

    # -------------------------------------------------------------- pushes

    def push(self, updates: Any) -> None:
        """Apply what a session receives; every update must continue from the last (C0.3.2)."""
        assert isinstance(updates, api.Updates)
        assert updates.seq == 0
        known = {user.id for user in updates.users}
        for update in updates.updates:
            assert self.pts + update.pts_count == update.pts, (self.pts, update)
            self.pts = update.pts
            self.apply(update, known)

    def apply(self, update: Any, known: set[int]) -> None:
        match update:
            case api.UpdateNewMessage() | api.UpdateEditMessage():
                message = update.message
                self.put(message, known)
            case api.UpdateDeleteMessages():
                for number in update.messages:
                    self.messages.pop(number, None)
            case api.UpdatePinnedMessages():
                assert update.peer.user_id in known
                for number in update.messages:
                    if number in self.messages:
                        changed = copy(self.messages[number])
                        changed.pinned = update.pinned
                        assert changed.peer_id == update.peer
                        self.messages[number] = changed
            case api.UpdateReadHistoryInbox():
                assert update.peer.user_id in known
                self.read_inbox[update.peer.user_id] = update.max_id
            case api.UpdateReadHistoryOutbox():
                assert update.peer.user_id in known
                self.read_outbox[update.peer.user_id] = update.max_id
            case api.UpdateMessageID():
                pass
            case _:
                raise AssertionError(update)

    def put(self, message: Any, known: set[int]) -> None:
        assert message.peer_id.user_id in known
        assert message.from_id.user_id in known
        self.messages[message.id] = message

    # -------------------------------------------------------------- differences

    def difference(self, found: Any) -> bool:
        """Apply one answer to updates.getDifference; tell whether there is more."""
        if isinstance(found, api.updates.DifferenceEmpty):
            return False
        known = {user.id for user in found.users}
        ids = [message.id for message in found.new_messages]
        assert ids == sorted(set(ids))
        for message in found.new_messages:
            self.put(message, known)
        for update in found.other_updates:
            self.apply(update, known)
        complete = isinstance(found, api.updates.Difference)
        state = found.state if complete else found.intermediate_state
        assert state.pts > self.pts
        self.pts = state.pts
        return not complete
