"""An account of the server, held by some library's client, with its books kept.

Knows the rules of the update sequences (C0.3) and the short forms (C0.3.7): whatever a scenario
does, the pts of every account that took part must come out without a gap (C0.3.2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .drivers import Driver
from .plain import Plain, input_channel

PATIENCE = 20.0
"""Seconds to wait for something that should come at once: reached only when a test fails."""

AFFECTED = ("messages.affectedMessages", "messages.affectedHistory")
SHORT = ("updateShortMessage", "updateShortChatMessage", "updateShortSentMessage")
NEW = (
    "updateNewMessage",
    "updateShortMessage",
    "updateShortChatMessage",
    "updateNewChannelMessage",
)


@dataclass(frozen=True)
class Room:
    """A group or channel."""

    kind: str
    """``group``, ``supergroup`` or ``channel``."""
    id: int
    title: str

    @property
    def is_channel(self) -> bool:
        """Whether it has a box of its own (B1.1)."""
        return self.kind != "group"

    @property
    def peer(self) -> Plain:
        """The room as updates name it."""
        if self.is_channel:
            return Plain("peerChannel", channel_id=self.id)
        return Plain("peerChat", chat_id=self.id)

    @property
    def marked_id(self) -> int:
        """Its id as libraries show it, in one space with those of users."""
        return -1000000000000 - self.id if self.is_channel else -self.id


class Ledger:
    """Every step of one account's pts, from whatever it came."""

    def __init__(self, pts: int) -> None:
        self._start = pts
        self._steps: dict[int, tuple[int, str]] = {}
        self._differences: list[tuple[int, int]] = []

    def step(self, pts: int, pts_count: int, source: str) -> None:
        """Book a change that leads to `pts`; the same one may come twice (A8.2, C6.5)."""
        if pts_count == 0 or pts <= self._start:
            return
        known = self._steps.setdefault(pts, (pts_count, source))
        assert known[0] == pts_count, f"pts {pts}: {source} after {known[1]}"

    def difference(self, before: int, after: int) -> None:
        """Book what getDifference told between two states."""
        self._differences.append((before, after))

    @property
    def reached(self) -> int:
        """The highest pts to which everything is known without a gap."""
        reached = self._start
        moved = True
        while moved:
            moved = False
            for pts, (count, _) in self._steps.items():
                if pts - count == reached:
                    reached, moved = pts, True
            for before, after in self._differences:
                if before <= reached < after:
                    reached, moved = after, True
        return reached

    @property
    def steps(self) -> str:
        """The steps for a failure message."""
        return ", ".join(
            f"{pts - count}->{pts} {source}" for pts, (count, source) in sorted(self._steps.items())
        )


class Account:
    """A logged-in client, what was pushed to it, and the ledger of its pts."""

    def __init__(self, driver: Driver, username: str, *, number: int) -> None:
        self.driver = driver
        self.username = username
        self.number = number
        """Its place in the world file."""
        self.gone = False
        """Whether its session ended, so that its books cannot be closed."""
        self.inbox: list[Plain] = []
        """Updates that were pushed and not yet taken by `expect`, oldest first."""
        self.events: list[dict[str, Any]] = []
        """The library's own events that were not yet taken by `expect_event`."""
        self._arrived = asyncio.Event()
        self._peers: dict[int, Plain] = {}
        self._rooms: dict[int, Plain] = {}
        self._hashes: dict[int, int] = {}
        """Access hashes of channels, as far as anything told them."""
        self._ledger: Ledger | None = None
        self.channels: dict[int, Ledger] = {}
        """The books of each channel's box that this account is in."""
        driver.on_push = self._take_push
        driver.on_result = self._book
        driver.on_event = self._take_event

    async def settle(self) -> None:
        """Learn the account's id and where its pts stands, and begin the books."""
        (self.user,) = await self.driver.call("users.getUsers", id=[Plain("inputUserSelf")])
        self.id: int = self.user.id
        self.peer = Plain("peerUser", user_id=self.id)
        """The account as others' updates name it."""
        self._ledger = Ledger((await self.driver.call("updates.getState")).pts)

    # What comes in.

    def _take_push(self, push: Plain) -> None:
        self._learn(push)
        if push.kind in ("updates", "updatesCombined"):
            self.inbox += push.updates
            if self._ledger is not None:
                # An update is unordered unless it is part of the seq line (C0.3.6, B7.1).
                assert not push.seq or not any(update.pts for update in push.updates), push
        else:
            self.inbox.append(push.update if push.kind == "updateShort" else push)
        self._book(push, None)
        self._arrived.set()

    def _learn(self, told: Any) -> None:
        if isinstance(told, Plain):
            for chat in (told.updates if isinstance(told.updates, Plain) else told).chats or ():
                if chat.kind == "channel" and chat.access_hash and not chat.min:
                    self._hashes[chat.id] = chat.access_hash

    def _take_event(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self._arrived.set()

    def _book(self, result: Any, channel: int | None) -> None:
        if self._ledger is None or not isinstance(result, Plain):
            return
        for change in changes_in(result):
            if change.pts is None or change.pts_count is None:
                continue
            if change.kind not in AFFECTED:
                channel = channel_told_of(change)
            ledger = self._ledger if channel is None else self.channels.get(channel)
            if ledger is not None:
                ledger.step(change.pts, change.pts_count, change.kind)
        self._arrived.set()

    async def _until(self, look: Any, what: str) -> Any:
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    self._arrived.clear()
                    found = look()
                    if found is not None:
                        return found
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(
                f"{self.driver.library} got no {what}; pushed: {self.inbox}; events: {self.events}"
            ) from None

    async def expect(self, *kinds: str) -> Plain:
        """Take the oldest pushed update of one of these kinds, waiting for it if need be."""

        def look() -> Plain | None:
            for update in self.inbox:
                if update.kind in kinds:
                    self.inbox.remove(update)
                    return update
            return None

        return await self._until(look, " or ".join(kinds))

    async def expect_message(self) -> Plain:
        """Take the oldest pushed new message, whichever form it has (C0.3.7)."""
        return self.message_of(await self.expect(*NEW))

    async def expect_event(self, kind: str) -> dict[str, Any]:
        """Take the oldest event of the library's own of this kind."""

        def look() -> dict[str, Any] | None:
            for event in self.events:
                if event["kind"] == kind:
                    self.events.remove(event)
                    return event
            return None

        return await self._until(look, f"{kind} event")

    def message_of(self, update: Plain) -> Plain:
        """Return the message in a new-message update of either form."""
        if update.kind in ("updateNewMessage", "updateNewChannelMessage"):
            return update.message
        fields = dict(update.fields)
        if update.kind == "updateShortMessage":
            fields["peer_id"] = Plain("peerUser", user_id=fields.pop("user_id"))
        else:
            fields["peer_id"] = Plain("peerChat", chat_id=fields.pop("chat_id"))
            fields["from_id"] = Plain("peerUser", user_id=update.from_id)
        fields.pop("pts")
        fields.pop("pts_count")
        return Plain("message", **fields)

    async def pts(self) -> int:
        """Ask the server where this account's pts stands."""
        return (await self.driver.call("updates.getState")).pts

    async def balance(self) -> None:
        """Check that the books explain every step of pts up to the server's own state."""
        assert self._ledger is not None
        await self._balance(self._ledger, await self.pts())
        for channel, ledger in self.channels.items():
            await self._balance(ledger, await self._channel_pts(channel))

    async def _balance(self, ledger: Ledger, pts: int) -> None:
        try:
            await self._until(lambda: ledger.reached >= pts or None, "further update")
        except AssertionError:
            raise AssertionError(
                f"pts of {self.driver.library} stops at {ledger.reached}, the server is at {pts}; "
                f"steps: {ledger.steps}"
            ) from None
        assert ledger.reached == pts, f"pts ran past the server's {pts}: {ledger.steps}"

    async def difference(self, before: int, date: int, *, qts: int = 0) -> Plain:
        """Call updates.getDifference from `before` and book what it covers."""
        result = await self.driver.call("updates.getDifference", pts=before, date=date, qts=qts)
        if result.kind == "updates.difference":
            assert self._ledger is not None
            self._ledger.difference(before, result.state.pts)
        return result

    async def channel_difference(self, room: Room, before: int) -> Plain:
        """Call updates.getChannelDifference from `before` and book what it covers."""
        result = await self.driver.call(
            "updates.getChannelDifference",
            channel=input_channel(self._rooms[room.id]),
            filter=Plain("channelMessagesFilterEmpty"),
            pts=before,
            limit=100,
        )
        if result.kind == "updates.channelDifference" and room.id in self.channels:
            self.channels[room.id].difference(before, result.pts)
        return result

    # Rooms.

    async def enter(self, room: Room) -> None:
        """Find out how to address a room, and begin the books of its box if it has one."""
        if not room.is_channel:
            self._rooms[room.id] = Plain("inputPeerChat", chat_id=room.id)
            return
        if room.id not in self._hashes:
            await self.raw_dialogs()
        self._rooms[room.id] = Plain(
            "inputPeerChannel", channel_id=room.id, access_hash=self._hashes[room.id]
        )
        self.channels[room.id] = Ledger(await self._channel_pts(room.id))

    def forget(self, room: Room) -> None:
        """Close the books of a room that this account is no longer in."""
        self.channels.pop(room.id, None)

    async def _channel_pts(self, channel: int) -> int:
        peer = input_channel(self._rooms[channel])
        return (await self.driver.call("channels.getFullChannel", channel=peer)).full_chat.pts

    async def room_pts(self, room: Room) -> int:
        """Ask the server where the box of this room stands, for this account."""
        return await self._channel_pts(room.id) if room.is_channel else await self.pts()

    async def raw_dialogs(self) -> Plain:
        """Return what messages.getDialogs has to say."""
        return await self.call(
            "messages.getDialogs",
            offset_date=0,
            offset_id=0,
            offset_peer=Plain("inputPeerEmpty"),
            limit=100,
            hash=0,
        )

    async def full(self, room: Room) -> Plain:
        """Return the chatFull or channelFull of a room."""
        peer = self._rooms[room.id]
        if room.is_channel:
            found = await self.call("channels.getFullChannel", channel=input_channel(peer))
        else:
            found = await self.call("messages.getFullChat", chat_id=room.id)
        return found.full_chat

    # What goes out.

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method by its TL name."""
        result = await self.driver.call(method, **params)
        self._learn(result)
        return result

    async def meet(self, other: Account | Room) -> Plain:
        """Return the InputPeer by which this account addresses the other (C0.1.1)."""
        if isinstance(other, Room):
            return self._rooms[other.id]
        if other is self:
            return Plain("inputPeerSelf")
        if other.id not in self._peers:
            found = await self.driver.call("contacts.resolveUsername", username=other.username)
            assert found.peer == other.peer
            (user,) = found.users
            self._peers[other.id] = Plain(
                "inputPeerUser", user_id=user.id, access_hash=user.access_hash
            )
        return self._peers[other.id]

    async def send(self, other: Account | Room, text: str) -> int:
        """Send a text by messages.sendMessage; return the id of the sender's copy."""
        result = await self.call(
            "messages.sendMessage",
            peer=await self.meet(other),
            message=text,
            random_id=random_id(),
        )
        if result.kind == "updateShortSentMessage":
            return result.id
        return result.only("updateMessageID").id

    async def pin(self, other: Account | Room, message_id: int, **flags: bool) -> Plain:
        """Call messages.updatePinnedMessage; return the Updates."""
        peer = await self.meet(other)
        return await self.call("messages.updatePinnedMessage", peer=peer, id=message_id, **flags)

    async def unpin(self, other: Account | Room, message_id: int, **flags: bool) -> Plain:
        """Call messages.updatePinnedMessage with `unpin`; return the Updates."""
        return await self.pin(other, message_id, unpin=True, **flags)

    async def pinned(self, other: Account | Room) -> list[int]:
        """Return the ids of the pinned messages of a chat, newest first (B8.2)."""
        found = await self.driver.call(
            "messages.search",
            peer=await self.meet(other),
            q="",
            filter=Plain("inputMessagesFilterPinned"),
            min_date=0,
            max_date=0,
            offset_id=0,
            add_offset=0,
            limit=100,
            max_id=0,
            min_id=0,
            hash=0,
        )
        assert all(message.pinned for message in found.messages)
        return [message.id for message in found.messages]

    async def history(self, other: Account | Room, **paging: int) -> list[Plain]:
        """Return a page of messages.getHistory; the newest 100 by default."""
        found = await self.driver.call(
            "messages.getHistory",
            **{
                "peer": await self.meet(other),
                "offset_id": 0,
                "offset_date": 0,
                "add_offset": 0,
                "limit": 100,
                "max_id": 0,
                "min_id": 0,
                "hash": 0,
                **paging,
            },
        )
        return found.messages

    async def message(self, message_id: int) -> Plain:
        """Return one message by messages.getMessages."""
        found = await self.driver.call(
            "messages.getMessages", id=[Plain("inputMessageID", id=message_id)]
        )
        (message,) = found.messages
        return message

    async def message_in(self, room: Room, message_id: int) -> Plain:
        """Return one message of a room."""
        if not room.is_channel:
            return await self.message(message_id)
        found = await self.driver.call(
            "channels.getMessages",
            channel=input_channel(self._rooms[room.id]),
            id=[Plain("inputMessageID", id=message_id)],
        )
        (message,) = found.messages
        return message


def changes_in(result: Plain) -> Iterator[Plain]:
    """Return what in a result or a push may move a pts."""
    if result.kind in ("updates", "updatesCombined"):
        yield from result.updates
    elif result.kind == "updateShort":
        yield result.update
    elif result.kind in AFFECTED or result.kind in SHORT:
        yield result
    elif isinstance(result.updates, Plain):  # messages.invitedUsers and the like
        yield from changes_in(result.updates)


def channel_told_of(change: Plain) -> int | None:
    """Return the channel whose box an update belongs to, None for the common box."""
    peer = getattr(change.message, "peer_id", None)
    return change.channel_id or (peer.channel_id if peer else None)


_random_ids = iter(range(1 << 40, 1 << 41))


def random_id() -> int:
    """Return a random_id that no other send of this run has."""
    return next(_random_ids)
