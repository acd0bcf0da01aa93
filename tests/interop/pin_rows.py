"""Plays the central rows of ``tests/pins/cases.py`` with one library's raw calls.

The rows are data, and what their words mean is said there. Five accounts, all of one library, play
them on one server; every row has a chat of its own, but for private chats.
"""

from __future__ import annotations

import re
from asyncio import gather
from collections import Counter
from itertools import count
from typing import NamedTuple

from ..pins.cases import Case
from .account import NEW, Account, Room
from .drivers import CallError
from .plain import Plain, input_user

NAMES = ("ann", "bob", "cat", "eve", "bot")
MEMBERS = ("ann", "bob", "cat", "bot")
ROOMS = ("group", "supergroup", "channel")
TEXT = re.compile(r"\d+:(\w)")
SILENT = ("updateMessageID", "updateReadChannelInbox", "updateReadHistoryInbox")
"""Updates that no row speaks of."""
LATER = 2**31 - 1
"""A date after which no channel has news."""

Told = dict[str, list[str]]


class State(NamedTuple):
    """Where somebody's boxes stand."""

    pts: int
    qts: int
    own: int
    """The pts of the chat's own box, if it has one and they are in it."""


_numbers = count(1)


class Play:
    """One row, played by a cast."""

    def __init__(self, cast: dict[str, Account], case: Case) -> None:
        self.cast = cast
        self.case = case
        self.number = next(_numbers)
        self.room: Room | None = None
        self.ids: dict[str, dict[str, int]] = {name: {} for name in cast}
        """What each calls its messages by: label and id."""

    async def run(self) -> None:
        """Play the row; AssertionError where it is not as the row says."""
        await self._begin()
        for step in filter(None, map(str.strip, self.case.steps.split(";"))):
            await self._step(step)
            await self._listen()
        await self._check()
        await gather(*(account.balance() for account in self.cast.values()))

    # The chat.

    async def _begin(self) -> None:
        kind, ann = self.case.chat, self.cast["ann"]
        if kind not in ROOMS:
            await ann.call("messages.unpinAllMessages", peer=await self._peer("ann"))
            await self._listen()
            return
        others = [await ann.meet(self.cast[name]) for name in ("bob", "cat", "bot")]
        title = f"Row {self.number}"
        self.room = Room(kind, await ann.driver.make(kind, title, others), title)
        await ann.enter(self.room)
        if self.room.is_channel:
            room = await ann.meet(self.room)
            for other in others[: 2 if kind == "channel" else 3]:
                await ann.driver.invite(room, other)
            if kind == "channel":
                await ann.driver.promote(room, others[2], "post_messages")
        await self._listen()
        await gather(*(self.cast[name].enter(self.room) for name in MEMBERS[1:]))
        await self._listen()

    def _target(self, name: str) -> Account | Room:
        """Return the chat as this person addresses it."""
        if self.room is not None:
            return self.room
        partner = {"saved": "ann", "private": "bob", "bot": "bot"}[self.case.chat]
        return self.cast[partner if name == "ann" else "ann"]

    async def _peer(self, name: str) -> Plain:
        if name == "eve" and self.room is not None:
            return Plain("inputPeerChat", chat_id=self.room.id)
        return await self.cast[name].meet(self._target(name))

    # Steps.

    async def _step(self, step: str) -> Plain | None:
        who, verb, *words = step.split()
        ann = await self._peer("ann")
        if who == "members":
            rights = Plain("chatBannedRights", pin_messages="not" in words, until_date=0)
            await self.cast["ann"].call(
                "messages.editChatDefaultBannedRights", peer=ann, banned_rights=rights
            )
        elif verb == "sends":
            sent = await self.cast[who].send(self._target(who), f"{self.number}:{words[0]}")
            self.ids[who][words[0]] = sent
        elif verb == "leaves":
            await self.cast[who].driver.part(await self._peer(who))
            self._forget(who)
        elif verb == "kicks":
            await self.cast[who].driver.ban(ann, await self._user(words[0]))
            self._forget(words[0])
        elif verb == "promotes":
            await self.cast[who].driver.promote(ann, await self._user(words[0]), *words[2:])
        else:
            return await self._pin(who, verb, *words)
        return None

    def _forget(self, name: str) -> None:
        assert self.room is not None
        self.cast[name].forget(self.room)

    async def _user(self, name: str) -> Plain:
        return await self.cast["ann"].meet(self.cast[name])

    async def _pin(self, who: str, verb: str, what: str, *words: str) -> Plain:
        peer = await self._peer(who)
        if what == "all":
            return await self.cast[who].call("messages.unpinAllMessages", peer=peer)
        if "nowhere" in words:
            peer = Plain("inputPeerEmpty")
        elif "hash" in words:
            peer = Plain(peer.kind, **(peer.fields | {"access_hash": 12345}))
        label = "service" if what == "the" else what
        result = await self.cast[who].call(
            "messages.updatePinnedMessage",
            peer=peer,
            id=int(what[1:]) if what[0] == "#" else self.ids[who][label],
            unpin=verb == "unpins",
            silent="silent" in words,
            pm_oneside="oneside" in words,
        )
        self._learn(who, result.updates)
        return result

    # What is heard.

    async def _listen(self) -> Told:
        """Put into words what was pushed to each since the last time."""
        said = {}
        # All that was pushed before is here when this is answered.
        await gather(*(account.call("updates.getState") for account in self.cast.values()))
        for name, account in self.cast.items():
            pushed = account.inbox.copy()
            account.inbox.clear()
            self._learn(name, pushed)
            said[name] = self._say(name, pushed)
        return {name: words for name, words in said.items() if words}

    def _learn(self, name: str, updates: list[Plain]) -> None:
        for update in updates:
            if update.kind in NEW:
                message = self.cast[name].message_of(update)
                match = TEXT.fullmatch(message.message or "")
                label = match[1] if match else "service"
                self.ids[name][label] = message.id

    def _say(self, name: str, updates: list[Plain]) -> list[str]:
        said = []
        for update in updates:
            if update.kind in ("updatePinnedMessages", "updatePinnedChannelMessages"):
                verb = "pinned" if update.pinned else "unpinned"
                said.append(" ".join([verb, *(self._label(name, i) for i in update.messages)]))
            elif update.kind in NEW:
                said.append(self._say_message(name, self.cast[name].message_of(update)))
            elif update.kind not in SILENT:
                said.append(update.kind)
        return said

    def _say_message(self, name: str, message: Plain) -> str:
        if message.action is None or message.action.kind != "messageActionPinMessage":
            return message.kind
        about = message.reply_to and message.reply_to.reply_to_msg_id
        words = ["says", self._label(name, about) if about else "-"]
        words += ["silently"] * bool(message.silent) + ["as a post"] * bool(message.post)
        return " ".join(words)

    def _label(self, name: str, message_id: int) -> str:
        return next((label for label, i in self.ids[name].items() if i == message_id), "?")

    # What must be.

    async def _check(self) -> None:
        before = {name: await self._state(name) for name in self.cast}
        who = self.case.call.split()[0]
        mine: list[str] = []
        try:
            result = await self._step(self.case.call)
        except CallError as error:
            said = f"! {error.message}"
        else:
            assert result is not None
            if result.kind == "messages.affectedHistory":
                mine = await self._missed(who, before[who], common=not self._has_box())
            else:
                mine = self._say(who, result.updates)
            said = ", ".join(mine) or "nothing"
        told = await self._listen()
        assert said == self.case.result, "the result"
        assert told == _parse(self.case.told), "what was pushed"
        if mine:
            told[who] = told.get(who, []) + mine
        for name in self.cast:
            common = not (self._has_box() and name in told)
            missed = await self._missed(name, before[name], common=common)
            assert Counter(missed) == Counter(told.get(name, ())), f"{name}'s difference"
        for name, words in _parse(self.case.shows).items():
            await self._check_shows(name, words[0])

    def _has_box(self) -> bool:
        return self.room is not None and self.room.is_channel

    async def _state(self, name: str) -> State:
        account = self.cast[name]
        own = 0
        if self.room is not None and self.room.id in account.channels:
            own = await account.room_pts(self.room)
        state = await account.call("updates.getState")
        return State(state.pts, state.qts, own)

    async def _missed(self, name: str, before: State, *, common: bool) -> list[str]:
        """Put a difference into words: what somebody finds who was away (B7.5)."""
        account = self.cast[name]
        if common:
            found = await account.difference(before.pts, LATER, qts=before.qts)
            kind = "updateNewMessage"
        else:
            assert self.room is not None
            found = await account.channel_difference(self.room, before.own)
            kind = "updateNewChannelMessage"
        updates = [Plain(kind, message=message) for message in found.new_messages or ()]
        return self._say(name, updates + (found.other_updates or []))

    async def _check_shows(self, name: str, label: str) -> None:
        """The full object and the filter show the last pinned message (B8.1, B8.2)."""
        account, target = self.cast[name], self._target(name)
        if isinstance(target, Room):
            full = await account.full(target)
        else:
            peer = await account.meet(target)
            mine = peer.kind == "inputPeerSelf"
            user = Plain("inputUserSelf") if mine else input_user(peer)
            full = (await account.call("users.getFullUser", id=user)).full_user
        last = full.pinned_msg_id
        assert (self._label(name, last) if last else "-") == label, f"what {name} is shown"
        assert (await account.pinned(target))[:1] == ([last] if last else [])


def _parse(words: str) -> Told:
    """Read ``ann: this, that; bob: this``."""
    parts = [part.partition(":") for part in words.split(";") if part.strip()]
    return {name.strip(): said.strip().split(", ") for name, _, said in parts}
