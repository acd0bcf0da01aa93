"""Server layer: how a request changes message boxes, and who learns of it.

Theory of operation. A request opens the boxes that it changes, from account and chat rows that
it has read in the same transaction. Each change takes the next pts (C0.3.2), becomes an event in
the log of the box, and one Update. When the request is done, :meth:`Changes.finish` writes the
events and counters in the transaction, hands each account's updates to ``ctx.push`` (which
sends them after commit to every session but the calling one, A13.3), and the caller's own
updates become the result.

Of a channel's box only those members learn at once who have a session now, so that the cost of a
change does not grow with the number of members; the others ask for the difference.

New and edited messages are logged by id only: a difference shows them as they are by then
(C6.3). Everything else is logged as the Update that was pushed.

Knows boxes, pts and updates; knows no rule of who may do what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec

from radiogram.server import box_store, chat_store, render
from radiogram.server.chat_store import ChatRow
from radiogram.server.mentions import Mentions
from radiogram.server.rows import EventRow, MessageRow, Peer, UserRow
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

    def __init__(self, box_id: int, pts: int, next_id: int, now: int) -> None:
        self.box_id = box_id
        self.pts = pts
        self.updates: list[api.TypeUpdate] = []
        self._now = now
        self._next_id = next_id
        self._events: list[EventRow] = []

    def take_id(self) -> int:
        """Return the id of the next new message (C0.2.1)."""
        message_id = self._next_id
        self._next_id += 1
        return message_id

    def add_new(self, row: MessageRow, random_id: int | None = None) -> None:
        """Note a message that has just been stored."""
        self._log(1, EventKind.NEW, message_id=row.id, random_id=random_id)
        message = render.message(row, self.box_id)
        self.updates.append(api.UpdateNewMessage(message=message, pts=self.pts, pts_count=1))

    def add_edit(self, row: MessageRow) -> None:
        """Note a message whose content has changed."""
        self._log(1, EventKind.EDIT, message_id=row.id)
        message = render.message(row, self.box_id)
        self.updates.append(api.UpdateEditMessage(message=message, pts=self.pts, pts_count=1))

    def add_deletion(self, ids: Sequence[int]) -> None:
        """Note messages that are gone."""
        self._add(
            len(ids),
            lambda pts: api.UpdateDeleteMessages(messages=list(ids), pts=pts, pts_count=len(ids)),
        )

    def add_pins(self, peer: Peer, ids: Sequence[int], *, pinned: bool) -> None:
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

    def add_read_inbox(self, peer: Peer, max_id: int, unread: int) -> None:
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

    def add_read_outbox(self, peer: Peer, max_id: int) -> None:
        """Note that somebody has read what the owner sent."""
        self._add(
            1,
            lambda pts: api.UpdateReadHistoryOutbox(
                peer=render.peer(peer), max_id=max_id, pts=pts, pts_count=1
            ),
        )

    def counters(self) -> tuple[int, int, int]:
        """Return (id of the account or channel, pts, next message id) as they are now."""
        return abs(self.box_id), self.pts, self._next_id

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
            EventRow(self.box_id, self.pts, count, self._now, kind, message_id, random_id, payload)
        )


class ChannelBox(Box):
    """The box of a supergroup or a broadcast channel, while a request changes it."""

    def __init__(self, chat: ChatRow, now: int) -> None:
        super().__init__(chat.box_id, chat.pts, chat.next_message_id, now)
        self.chat_id = chat.id
        self._authors: dict[int, int] = {}
        self._lowest_edit = 0x7FFFFFFF

    def add_new(self, row: MessageRow, random_id: int | None = None) -> None:
        """Note a message that has just been stored."""
        self._log(1, EventKind.NEW, message_id=row.id, random_id=random_id)
        message = self._message(row)
        self.updates.append(api.UpdateNewChannelMessage(message=message, pts=self.pts, pts_count=1))

    def add_edit(self, row: MessageRow) -> None:
        """Note a message whose content has changed."""
        self._log(1, EventKind.EDIT, message_id=row.id)
        self._lowest_edit = min(self._lowest_edit, row.id)
        message = self._message(row)
        self.updates.append(
            api.UpdateEditChannelMessage(message=message, pts=self.pts, pts_count=1)
        )

    def add_deletion(self, ids: Sequence[int]) -> None:
        """Note messages that are gone."""
        self._add(
            len(ids),
            lambda pts: api.UpdateDeleteChannelMessages(
                channel_id=self.chat_id, messages=list(ids), pts=pts, pts_count=len(ids)
            ),
        )

    def add_pins(self, peer: Peer, ids: Sequence[int], *, pinned: bool) -> None:
        """Note messages that were pinned or unpinned (B5.3)."""
        self._add(
            len(ids),
            lambda pts: api.UpdatePinnedChannelMessages(
                pinned=pinned,
                channel_id=self.chat_id,
                messages=list(ids),
                pts=pts,
                pts_count=len(ids),
            ),
        )

    def seen_by(self, viewer_id: int, first_id: int = 0) -> list[api.TypeUpdate]:
        """Return what has happened; of a message, only its author is told that it is theirs.

        An edit below `first_id` is hidden prehistory: the viewer is only told to ask for the
        difference, which leads past it.
        """
        if viewer_id not in self._authors.values() and first_id <= self._lowest_edit:
            return self.updates
        told: list[api.TypeUpdate] = []
        for update in self.updates:
            if isinstance(update, api.UpdateEditChannelMessage) and update.message.id < first_id:
                told.append(api.UpdateChannelTooLong(channel_id=self.chat_id, pts=update.pts))
                continue
            if isinstance(update, api.UpdateNewChannelMessage | api.UpdateEditChannelMessage):
                message = update.message
                mine = self._authors.get(message.id) == viewer_id
                if mine and isinstance(message, api.Message | api.MessageService):
                    own = msgspec.structs.replace(message, out=True, mentioned=False)
                    told.append(msgspec.structs.replace(update, message=own))
                    continue
            told.append(update)
        return told

    def _message(self, row: MessageRow) -> api.TypeMessage:
        self._authors[row.id] = row.sender_id
        return render.message(row, 0)


class Changes:
    """The boxes that one request changes, and what else it has to tell."""

    def __init__(self, ctx: Context, people: render.People) -> None:
        self._ctx = ctx
        self._people = people
        self._boxes: dict[int, Box] = {}
        self._channels: dict[int, ChannelBox] = {}
        self._told: dict[int, list[api.TypeUpdate]] = {}
        self._qts: dict[int, int] = {}

    @property
    def people(self) -> render.People:
        """The accounts and chats that the request shows."""
        return self._people

    def box(self, user: UserRow) -> Box:
        """Open the box of an account; `user` must be its row as of this transaction."""
        box = self._boxes.get(user.id)
        if box is None:
            box = Box(user.id, user.pts, user.next_message_id, self._ctx.now)
            self._boxes[user.id] = box
        return box

    def channel(self, chat: ChatRow) -> ChannelBox:
        """Open the box of a channel; `chat` must be its row as of this transaction."""
        box = self._channels.get(chat.id)
        if box is None:
            box = self._channels[chat.id] = ChannelBox(chat, self._ctx.now)
        return box

    def tell(self, user_ids: Iterable[int], update: api.TypeUpdate) -> None:
        """Add an update that carries no pts to what accounts are told; who is offline is not."""
        for user_id in user_ids:
            self._told.setdefault(user_id, []).append(update)

    def tell_read(self, user_id: int, chat: ChatRow, max_id: int, unread: int) -> None:
        """Tell an account's sessions that it has read a channel, whose state goes with it."""
        self.tell(
            [user_id],
            api.UpdateReadChannelInbox(
                channel_id=chat.id,
                max_id=max_id,
                still_unread_count=unread,
                pts=self.channel(chat).pts,
            ),
        )

    def tell_by_qts(self, user: UserRow, make: Callable[[int], api.TypeUpdate]) -> None:
        """Add an update that is counted by qts (C0.3.4); `make` gets the state after it.

        It is kept for updates.getDifference. `user` must be a row as of this transaction.
        """
        qts = self._qts.get(user.id, user.qts) + 1
        self._qts[user.id] = qts
        update = make(qts)
        box_store.insert_bot_event(self._ctx.tx, user.id, qts, self._ctx.now, render.encode(update))
        self.tell([user.id], update)

    def audience(self, chat: ChatRow) -> list[int]:
        """Return those who are told of a change of a chat at once.

        All members of a basic group; of a channel those members who have a session now, and, if
        it is public, accounts that poll it and are not banned (C6.7).
        """
        if chat.is_group:
            return chat_store.member_ids(self._ctx.tx, chat.id)
        world = self._ctx.world
        polls = chat.username is not None and not chat.deleted
        watching = world.watching(chat.id, self._ctx.now) if polls else ()
        found = chat_store.load_members(self._ctx.tx, chat.id, {*world.online(), *watching})
        self._people.keep_chat(chat, found.values())
        present = {number for number, row in found.items() if row.is_present}
        strangers = {
            number
            for number in watching
            if number not in found or found[number].state != chat_store.KICKED
        }
        return sorted(present | strangers)

    def finish(self, short: Callable[[Box], api.TypeUpdates | None] | None = None) -> None:
        """Write events and counters, and push to everyone's sessions after commit.

        `short` may give a short form of what a box received, to be pushed in its place.
        """
        tx = self._ctx.tx
        changed = [box for box in self._boxes.values() if box.events()]
        channels = [box for box in self._channels.values() if box.events()]
        events = [event for box in (*changed, *channels) for event in box.events()]
        if events:
            box_store.insert_events(tx, events)
        if changed:
            box_store.save_counters(tx, [box.counters() for box in changed])
        if channels:
            chat_store.save_counters(tx, [box.counters() for box in channels])

        pushes: dict[int, list[api.TypeUpdate]] = {
            user_id: list(updates) for user_id, updates in self._told.items()
        }
        shortened: dict[int, api.TypeUpdates] = {}
        for box in changed:
            brief = short(box) if short is not None and box.box_id not in self._told else None
            if brief is not None:
                shortened[box.box_id] = brief
            else:
                pushes.setdefault(box.box_id, []).extend(box.updates)
        for channel in channels:
            chat = chat_store.find_chat(tx, channel.chat_id)
            assert chat is not None
            viewers = self.audience(chat)
            self._people.prepare_chat(chat.id, viewers)
            for viewer in viewers:
                first_id = self._people.first_id(chat.id, viewer)
                pushes.setdefault(viewer, []).extend(channel.seen_by(viewer, first_id))
        for user_id, updates in shortened.items():
            self._ctx.push(user_id, updates)
        # Nothing is made for those who have nobody to hear it.
        is_online = self._ctx.world.authorizations.is_online
        found = {user_id: Mentions(*said) for user_id, said in pushes.items() if is_online(user_id)}
        if len(found) > 2 or channels:  # both sides of a private chat are known already
            self._people.prepare(found)
        for user_id, mentions in found.items():
            self._ctx.push(user_id, self._say(user_id, pushes[user_id], mentions))

    def result(self, user: UserRow, message_ids: Iterable[tuple[int, int]] = ()) -> api.Updates:
        """Return what the caller's call has changed, as its result (B7.1).

        `message_ids` are (id, random_id) of new messages; they come first (C0.2.3).
        """
        updates: list[api.TypeUpdate] = [
            api.UpdateMessageID(id=message_id, random_id=random_id)
            for message_id, random_id in message_ids
        ]
        updates += self._told.get(user.id, ())
        updates += self.box(user).updates
        for channel in self._channels.values():
            updates += channel.seen_by(user.id)
        return self.say(user.id, updates)

    def say(self, viewer_id: int, updates: list[api.TypeUpdate]) -> api.Updates:
        """Return updates with everybody whom they mention, as one account is told them."""
        return self._say(viewer_id, updates, Mentions(*updates))

    def _say(self, viewer_id: int, updates: list[api.TypeUpdate], found: Mentions) -> api.Updates:
        if found.users:
            found.users.add(viewer_id)  # both sides of a chat are told (B7.1)
        return api.Updates(
            updates=updates,
            date=self._ctx.now,
            seq=0,
            users=self._people.seen_by(viewer_id, found.users),
            chats=self._people.chats_seen_by(viewer_id, found.chats),
        )
