"""A client that believes what it is told: one account as updates and differences describe it.

Written from part C0.3 alone, without the server's code, so that the two can disagree.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Any

from radiogram.tl import api

NEW = (api.UpdateNewMessage, api.UpdateNewChannelMessage)
EDITS = (api.UpdateEditMessage, api.UpdateEditChannelMessage)
DELETIONS = (api.UpdateDeleteMessages, api.UpdateDeleteChannelMessages)
PINS = (api.UpdatePinnedMessages, api.UpdatePinnedChannelMessages)
OF_CHANNELS = (
    api.UpdateNewChannelMessage,
    api.UpdateEditChannelMessage,
    api.UpdateDeleteChannelMessages,
    api.UpdatePinnedChannelMessages,
)


def where(peer: Any) -> int:
    """Return the id of a peer; accounts, groups and channels have none in common."""
    for name in ("user_id", "chat_id", "channel_id"):
        number = getattr(peer, name, None)
        if number is not None:
            return int(number)
    raise AssertionError(peer)


def place(update: Any) -> int:
    """Return the channel to whose box an update belongs, 0 for the common box."""
    if isinstance(update, api.UpdateNewChannelMessage | api.UpdateEditChannelMessage):
        return where(update.message.peer_id)
    return update.channel_id if isinstance(update, OF_CHANNELS) else 0


@dataclass
class BoxMirror:
    """One box."""

    pts: int = 1
    messages: dict[int, Any] = field(default_factory=dict)

    def snapshot(self) -> BoxMirror:
        return BoxMirror(self.pts, dict(self.messages))

    def apply(self, update: Any) -> None:
        if isinstance(update, NEW + EDITS):
            self.messages[update.message.id] = update.message
        elif isinstance(update, DELETIONS):
            for number in update.messages:
                self.messages.pop(number, None)
        else:
            assert isinstance(update, PINS)
            for number in update.messages:
                if number in self.messages:
                    changed = copy(self.messages[number])
                    changed.pinned = update.pinned
                    self.messages[number] = changed


class Mirror:
    """The boxes that one account sees, and its read marks."""

    def __init__(self, user_id: int, *channels: int) -> None:
        self.user_id = user_id
        self.boxes = {number: BoxMirror() for number in (0, *channels)}
        self.read_inbox: dict[int, int] = {}
        self.read_outbox: dict[int, int] = {}

    @property
    def pts(self) -> int:
        return self.boxes[0].pts

    @property
    def messages(self) -> dict[int, Any]:
        return self.boxes[0].messages

    def known(self) -> list[tuple[int, int]]:
        """Return (chat, id) of all messages."""
        return sorted(
            (where(message.peer_id), message.id)
            for box in self.boxes.values()
            for message in box.messages.values()
        )

    def find(self, chat: int, number: int) -> Any:
        return self.boxes[chat if chat in self.boxes else 0].messages.get(number)

    def snapshot(self) -> Mirror:
        other = copy(self)
        other.boxes = {number: box.snapshot() for number, box in self.boxes.items()}
        other.read_inbox = dict(self.read_inbox)
        other.read_outbox = dict(self.read_outbox)
        return other

    def contents(self) -> tuple[Any, ...]:
        """Return what the common difference tells."""
        own = {chat: mark for chat, mark in self.read_inbox.items() if chat not in self.boxes}
        theirs = {chat: mark for chat, mark in self.read_outbox.items() if chat not in self.boxes}
        return self.pts, self.messages, own, theirs

    # -------------------------------------------------------------- pushes

    def push(self, updates: Any) -> None:
        """Apply what a session receives; every update must continue from the last (C0.3.2)."""
        assert isinstance(updates, api.Updates)
        assert updates.seq == 0
        for update in updates.updates:
            if hasattr(update, "pts_count"):
                box = self.boxes[place(update)]
                assert box.pts + update.pts_count == update.pts, (box.pts, update)
                box.pts = update.pts
            self.apply(update, names(updates))

    def apply(self, update: Any, known: set[int]) -> None:
        match update:
            case api.UpdateReadHistoryInbox() | api.UpdateReadHistoryOutbox():
                assert where(update.peer) in known
                inbox = isinstance(update, api.UpdateReadHistoryInbox)
                marks = self.read_inbox if inbox else self.read_outbox
                marks[where(update.peer)] = update.max_id
            case api.UpdateReadChannelInbox():
                assert update.channel_id in known
                self.read_inbox[update.channel_id] = update.max_id
            case api.UpdateReadChannelOutbox():
                assert update.channel_id in known
                self.read_outbox[update.channel_id] = update.max_id
            case api.UpdateMessageID() | api.UpdateChannelTooLong():
                pass
            case api.UpdateChatParticipants():
                assert update.participants.chat_id in known
            case _:
                if isinstance(update, NEW + EDITS):
                    check_names(update.message, known)
                elif isinstance(update, PINS):
                    assert where(getattr(update, "peer", update)) in known
                self.boxes[place(update)].apply(update)

    # -------------------------------------------------------------- differences

    def difference(self, found: Any) -> bool:
        """Apply one answer to updates.getDifference; tell whether there is more."""
        if isinstance(found, api.updates.DifferenceEmpty):
            return False
        self._take(found, 0)
        complete = isinstance(found, api.updates.Difference)
        state = found.state if complete else found.intermediate_state
        assert state.pts >= self.pts
        self.boxes[0].pts = state.pts
        return not complete

    def channel_difference(self, channel: int, found: Any) -> bool:
        """Apply one answer to updates.getChannelDifference; tell whether there is more."""
        if isinstance(found, api.updates.ChannelDifferenceEmpty):
            assert found.pts == self.boxes[channel].pts
            return False
        assert isinstance(found, api.updates.ChannelDifference)
        self._take(found, channel)
        assert found.pts > self.boxes[channel].pts
        self.boxes[channel].pts = found.pts
        return not found.final

    def _take(self, found: Any, channel: int) -> None:
        known = names(found)
        ids = [message.id for message in found.new_messages]
        assert ids == sorted(set(ids))
        for message in found.new_messages:
            check_names(message, known)
            self.boxes[channel].messages[message.id] = message
        for update in found.other_updates:
            if hasattr(update, "pts_count"):
                assert place(update) == channel
            self.apply(update, known)


def names(found: Any) -> set[int]:
    """Return whom a result lists."""
    return {user.id for user in found.users} | {chat.id for chat in found.chats}


def check_names(message: Any, known: set[int]) -> None:
    """Whoever a message mentions is listed beside it (C0.1.2)."""
    assert where(message.peer_id) in known
    if message.from_id is not None:
        assert where(message.from_id) in known
    header = getattr(message, "fwd_from", None)
    if header is not None and header.from_id is not None:
        assert where(header.from_id) in known
