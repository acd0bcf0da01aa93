"""Server layer: the list of chats of an account (C4).

Knows that what a private chat or basic group shows is kept in the account's own rows, while that
of a channel is made when it is asked for, from the channel's box: so a message there costs the
same however many members have it in their lists. Knows the order and the pages of the list.
Changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from radiogram.server import dialog_store, history_store, message_store, render
from radiogram.server.peers import Room, Target
from radiogram.server.rows import DialogRow, MessageRow, Peer
from radiogram.server.tables import PEER_CHANNEL, PEER_USER
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


class Entry(NamedTuple):
    """A chat in the list; counters of a channel are not made yet."""

    row: DialogRow
    date: int
    """Of the top message."""
    pts: int | None = None
    """Of a channel's box."""
    first_id: int = 0
    """The lowest id that the account may see."""

    @property
    def key(self) -> tuple[int, int, int, int]:
        """Where the entry stands in the list: the highest key comes first."""
        return self.date, self.row.top_message, self.row.peer_type, self.row.peer_id


def entries(ctx: Context) -> list[Entry]:
    """Return the caller's whole list, the chat with the newest message first."""
    rows = dialog_store.select_dialogs(ctx.tx, ctx.user_id)
    dates = message_store.dates_of(ctx.tx, ctx.user_id, (row.top_message for row in rows))
    found = [Entry(row, dates.get(row.top_message, 0)) for row in rows]
    for channel in dialog_store.select_channel_dialogs(ctx.tx, ctx.user_id):
        row = channel.row._replace(top_message=channel.top_message)
        found.append(Entry(row, channel.date, channel.pts, channel.first_id))
    found.sort(key=lambda entry: entry.key, reverse=True)
    return found


def after(
    found: Sequence[Entry], *, date: int, message_id: int, peer: Peer | None
) -> Sequence[Entry]:
    """Return the rest of a list after a chat, as the offsets of messages.getDialogs name it.

    They are the date and id of its top message, and the chat itself; what is not known is 0 or
    None. Where the chat has moved meanwhile, the date decides.
    """
    if not date and not message_id and peer is None:
        return found
    if peer is not None:
        for index, entry in enumerate(found):
            if entry.row.peer == peer and message_id in (0, entry.row.top_message):
                return found[index + 1 :]
    if not date:  # an id alone means something in the common box only
        return [
            entry
            for entry in found
            if entry.pts is None and (not message_id or entry.row.top_message < message_id)
        ]
    boundary = (date, message_id)
    return [entry for entry in found if (entry.date, entry.row.top_message) < boundary]


def entry_of(ctx: Context, target: Target) -> Entry:
    """Return the entry of one chat, also of one that is not in the list."""
    row = target.dialog or DialogRow(
        ctx.user_id, *target.peer, 0, 0, 0, 0, hidden=True, can_pin=True
    )
    if not isinstance(target, Room) or target.chat.is_group:
        return Entry(row, 0)
    top = history_store.last_message_id(ctx.tx, target.box_id, target.peer)
    top = top if top >= target.first_id else 0
    return Entry(row._replace(top_message=top), 0, target.chat.pts, target.first_id)


def dialog(ctx: Context, entry: Entry) -> api.Dialog:
    """Return an entry as a client is told it."""
    row = entry.row
    if entry.pts is not None:
        unread = history_store.count_unread_of_others(
            ctx.tx,
            -row.peer_id,
            row.peer,
            ctx.user_id,
            after=max(row.read_inbox_max_id, entry.first_id - 1),
        )
        row = row._replace(unread_count=unread)
    shown = render.dialog(row)
    shown.pts = entry.pts
    return shown


def top_messages(ctx: Context, found: Sequence[Entry]) -> list[api.TypeMessage]:
    """Return the top messages of some chats, in their order."""
    common = [entry.row.top_message for entry in found if entry.row.peer_type != PEER_CHANNEL]
    by_id = message_store.find_messages(ctx.tx, ctx.user_id, common)
    messages: list[api.TypeMessage] = []
    for entry in found:
        top: MessageRow | None
        if entry.row.peer_type == PEER_CHANNEL:
            top = message_store.find_message(ctx.tx, -entry.row.peer_id, entry.row.top_message)
        else:
            top = by_id.get(entry.row.top_message)
        if top is not None:
            messages.append(render.message(top, ctx.user_id))
    return messages


def shown(
    ctx: Context, found: Sequence[Entry], messages: Sequence[api.TypeMessage]
) -> render.Shown:
    """Return the accounts and chats that entries and their top messages mention."""
    people = render.People(ctx.tx, ctx.now)
    return people.mentioned(
        ctx.user_id,
        list(messages),
        users=[entry.row.peer_id for entry in found if entry.row.peer_type == PEER_USER],
        chats=[entry.row.peer_id for entry in found if entry.row.peer_type != PEER_USER],
    )


__all__ = ["Entry", "after", "dialog", "entries", "entry_of", "shown", "top_messages"]
