"""Server layer: how a request changes message boxes, and who learns of it.

Theory of operation. A request opens the boxes that it changes, from account rows that it has
read in the same transaction. Each change takes the next pts (C0.3.2), becomes an event in the
log of the box, and one Update. When the request is done, :meth:`Changes.finish` writes the
events and counters in the transaction, hands each account's updates to ``ctx.push`` (which
sends them after commit to every session but the calling one, A13.3), and the caller's own
updates become the result.

New and edited messages are logged by id only: a difference shows them as they are by then
(C6.3). Everything else is logged as the Update that was pushed.

Knows boxes, pts and updates; knows no rule of who may do what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from radiogram.server import render, store
from radiogram.server.store import EventRow, MessageRow, UserRow
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


class EventKind(IntEnum):
    """What a row of the event log stands for."""

    NEW = 1
    EDIT = 2
    OTHER = 3


class Box:
    """The common box of one account, while a request changes it."""

    def __init__(self, user: UserRow, now: int) -> None:
        self.user_id = user.id
        self.pts = user.pts
        self.updates: list[api.TypeUpdate] = []
        self._now = now
        self._next_id = user.next_message_id
        self._events: list[EventRow] = []

    def take_id(self) -> int:
        """Return the id of the next new message (C0.2.1)."""
        message_id = self._next_id
        self._next_id += 1
        return message_id

    def add_new(self, row: MessageRow, random_id: int | None = None) -> None:
        """Note a message that has just been stored."""
        self._log(1, EventKind.NEW, message_id=row.id, random_id=random_id)
        self.updates.append(
            api.UpdateNewMessage(message=render.message(row), pts=self.pts, pts_count=1)
        )

    def add_edit(self, row: MessageRow) -> None:
        """Note a message whose content has changed."""
        self._log(1, EventKind.EDIT, message_id=row.id)
        self.updates.append(
            api.UpdateEditMessage(message=render.message(row), pts=self.pts, pts_count=1)
        )

    def add_deletion(self, ids: Sequence[int]) -> None:
        """Note messages that are gone."""
        self._add(
            len(ids),
            lambda pts: api.UpdateDeleteMessages(messages=list(ids), pts=pts, pts_count=len(ids)),
        )

    def add_pins(self, peer: store.Peer, ids: Sequence[int], *, pinned: bool) -> None:
        """Note messages that were pinned or unpinned (B5.3)."""
        self._add(
            len(ids),
            lambda pts: api.UpdatePinnedMessages(
                pinned=pinned,
                peer=render.peer(peer),
                messages=list(ids),
                pts=pts,
                pts_count=len(ids),
            ),
        )

    def add_read_inbox(self, peer: store.Peer, max_id: int, unread: int) -> None:
        """Note that the owner has read a chat."""
        self._add(
            1,
            lambda pts: api.UpdateReadHistoryInbox(
                peer=render.peer(peer),
                max_id=max_id,
                still_unread_count=unread,
                pts=pts,
                pts_count=1,
            ),
        )

    def add_read_outbox(self, peer: store.Peer, max_id: int) -> None:
        """Note that somebody has read what the owner sent."""
        self._add(
            1,
            lambda pts: api.UpdateReadHistoryOutbox(
                peer=render.peer(peer), max_id=max_id, pts=pts, pts_count=1
            ),
        )

    def counters(self) -> tuple[int, int, int]:
        """Return (user id, pts, next message id) as they are now."""
        return self.user_id, self.pts, self._next_id

    def events(self) -> list[EventRow]:
        """Return the rows that the log gains."""
        return self._events

    def _add(self, count: int, make: Callable[[int], api.TypeUpdate]) -> None:
        update = make(self.pts + count)
        self._log(count, EventKind.OTHER, payload=render.encode(update))
        self.updates.append(update)

    def _log(
        self,
        count: int,
        kind: EventKind,
        *,
        message_id: int | None = None,
        random_id: int | None = None,
        payload: bytes | None = None,
    ) -> None:
        self.pts += count
        self._events.append(
            EventRow(self.user_id, self.pts, count, self._now, kind, message_id, random_id, payload)
        )


class Changes:
    """The boxes that one request changes."""

    def __init__(self, ctx: Context, people: render.People) -> None:
        self._ctx = ctx
        self._people = people
        self._boxes: dict[int, Box] = {}

    def box(self, user: UserRow) -> Box:
        """Open the box of an account; `user` must be its row as of this transaction."""
        box = self._boxes.get(user.id)
        if box is None:
            box = self._boxes[user.id] = Box(user, self._ctx.now)
        return box

    def finish(self, short: Callable[[Box], api.TypeUpdates | None] | None = None) -> None:
        """Write events and counters, and push to everyone's sessions after commit.

        `short` may give a short form of what a box received, to be pushed in its place.
        """
        changed = [box for box in self._boxes.values() if box.events()]
        if not changed:
            return
        store.insert_events(self._ctx.tx, [event for box in changed for event in box.events()])
        store.save_counters(self._ctx.tx, [box.counters() for box in changed])
        for box in changed:
            pushed = short(box) if short is not None else None
            self._ctx.push(box.user_id, pushed or self._say(box.user_id, box.updates))

    def result(self, user: UserRow, message_ids: Iterable[tuple[int, int]] = ()) -> api.Updates:
        """Return the changes of the caller's box as the result of its call (B7.1).

        `message_ids` are (id, random_id) of new messages; they come first (C0.2.3).
        """
        updates: list[api.TypeUpdate] = [
            api.UpdateMessageID(id=message_id, random_id=random_id)
            for message_id, random_id in message_ids
        ]
        return self._say(user.id, updates + self.box(user).updates)

    def _say(self, viewer_id: int, updates: list[api.TypeUpdate]) -> api.Updates:
        ids: set[int] = set().union(*map(render.user_ids, updates))
        if ids:
            ids.add(viewer_id)  # both sides of a chat are told (B7.1)
        return api.Updates(
            updates=updates,
            users=self._people.seen_by(viewer_id, ids),
            chats=[],
            date=self._ctx.now,
            seq=0,
        )
