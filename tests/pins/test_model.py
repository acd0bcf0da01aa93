"""Random play against a model of part B in a few lines: ten thousand steps, no difference.

The model knows who may pin, which copies a call touches and what stays pinned. It knows nothing of
rows, boxes or pts; those are checked by mirrors that believe what pushes and differences say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from radiogram.server.rpc import RpcFault
from radiogram.tl import api
from tests.server.mirror import Mirror
from tests.server.stage import Listener, Stage

PEOPLE = ("ann", "bob", "eve", "bot")
CHATS = ("saved", "pm", "group", "room", "news")
who_does = st.sampled_from(PEOPLE)
somewhere = st.sampled_from(CHATS)
any_number = st.integers(0, 30)
flag = st.booleans()


@dataclass
class Note:
    """A message: who has a copy of it, and for whom it is pinned."""

    chat: str
    text: str
    sender: str
    holders: set[str]
    pinned: set[str] = field(default_factory=set)


@dataclass
class Hall:
    """A group or channel as the model knows it; ann owns it."""

    members: set[str]
    admins: set[str] = field(default_factory=set)
    members_may_pin: bool = False
    kicked: set[str] = field(default_factory=set)


class Reader(Mirror):
    """A mirror to which only what pts count matters."""

    def apply(self, update: Any, known: set[int]) -> None:
        if hasattr(update, "pts_count"):
            super().apply(update, known)


class Pins(RuleBasedStateMachine):
    """One world, played with one call at a time."""

    # ── the world and the model of it ────────────────────────────────────────────────────────

    @initialize()
    def begin(self) -> None:
        self.stage = stage = Stage()
        self.ids = {"ann": stage.ann, "bob": stage.bob, "eve": stage.eve, "bot": stage.bot}
        others = stage.bob, stage.eve, stage.bot
        self.places = {
            "group": stage.group(stage.ann, *others),
            "room": stage.channel(stage.ann, *others, megagroup=True),
            "news": stage.channel(stage.ann, stage.bob, stage.eve, broadcast=True),
        }
        everybody = set(PEOPLE)
        self.halls = {
            "group": Hall(set(everybody), members_may_pin=True),
            "room": Hall(set(everybody)),
            "news": Hall(everybody - {"bot"}),
        }
        self.notes: list[Note] = []
        self.blocked: set[tuple[str, str]] = set()
        self.online = set(PEOPLE)
        self.mirrors = {
            name: Reader(number, self.places["room"], self.places["news"])
            for name, number in self.ids.items()
        }
        self.number = 0
        for name in PEOPLE:
            self.catch_up(name)

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            self.stage.close()

    def target(self, name: str, chat: str) -> int:
        if chat == "saved":
            return self.ids[name]
        if chat == "pm":
            return self.ids["bob" if name == "ann" else "ann"]
        return self.places[chat]

    def is_in(self, name: str, chat: str) -> bool:
        if chat == "saved":
            return name == "ann"
        if chat == "pm":
            return name in ("ann", "bob")
        return name in self.halls[chat].members

    def note(self, number: int, chat: str | None = None) -> Note | None:
        known = [one for one in self.notes if chat is None or one.chat == chat]
        return known[number % len(known)] if known else None

    def id_of(self, name: str, note: Note) -> int:
        """Return the id of a message as somebody knows it; one that nobody has, if they do not."""
        box = self.mirrors[name].boxes[
            self.places[note.chat] if note.chat in ("room", "news") else 0
        ]
        for number, message in box.messages.items():
            if getattr(message, "message", None) == note.text:
                return number
        return 2_000_000_000

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    def call(self, name: str, request: Any) -> tuple[Any, str]:
        """Execute a call; give the result or the error, and let everybody hear of it."""
        result, error = None, ""
        try:
            result = self.stage.call(self.ids[name], request)
        except RpcFault as fault:
            error = fault.message
        for push in self.stage.world.pushed:
            names = [one for one, number in self.ids.items() if number == push.user_id]
            assert names, "somebody outside was told"
            assert names[0] in self.online
            self.mirrors[names[0]].push(push.updates)
        return result, error

    def catch_up(self, name: str) -> None:
        mirror, number = self.mirrors[name], self.ids[name]
        while mirror.difference(self.stage.difference(number, mirror.pts, pts_limit=7)):
            pass
        for chat in ("room", "news"):
            if self.is_in(name, chat):
                channel = self.places[chat]
                box = mirror.boxes[channel]
                while mirror.channel_difference(
                    channel, self.stage.channel_difference(number, channel, box.pts, limit=5)
                ):
                    pass

    # ── what the model says about a pin ──────────────────────────────────────────────────────

    def refusal(self, name: str, chat: str) -> str:
        """Return why somebody may not pin in a chat (B2, B4); empty if they may."""
        if chat in ("saved", "pm"):
            return ""
        hall = self.halls[chat]
        if name not in hall.members:
            return "CHAT_WRITE_FORBIDDEN" if chat == "group" else "CHANNEL_PRIVATE"
        if name == "ann" or name in hall.admins:
            return ""
        if chat == "news" or name == "bot" or not hall.members_may_pin:
            return "CHAT_ADMIN_REQUIRED"
        return ""

    def touched(self, name: str, note: Note, *, one_side: bool) -> set[str]:
        """Return whose copies a call of somebody is about (B6)."""
        if note.chat == "saved":
            return {name}
        if note.chat == "pm":
            other = "bob" if name == "ann" else "ann"
            hidden = one_side or (other, name) in self.blocked
            return ({name} if hidden else {name, other}) & note.holders
        if note.chat == "group":
            return note.holders & self.halls["group"].members
        return {"everybody"}

    # ── rules ────────────────────────────────────────────────────────────────────────────────

    @rule(name=who_does, chat=somewhere)
    def send(self, name: str, chat: str) -> None:
        if name not in self.online or not self.is_in(name, chat):
            return
        if chat == "news" and name != "ann":
            return
        self.number += 1
        text = f"text {self.number}"
        request = api.messages.SendMessage(
            peer=self.stage.input_peer(self.ids[name], self.target(name, chat)),
            message=text,
            random_id=self.stage.random_id(),
        )
        _, error = self.call(name, request)
        other = {"ann": "bob", "bob": "ann"}.get(name, "")
        if chat == "pm" and (name, other) in self.blocked:
            assert error == "YOU_BLOCKED_USER"
            return
        assert not error
        holders = {"everybody"} if chat in ("room", "news") else {name}
        if chat == "pm" and (other, name) not in self.blocked:
            holders.add(other)
        if chat == "group":
            holders = set(self.halls["group"].members)
        self.notes.append(Note(chat, text, name, holders))

    @precondition(lambda self: getattr(self, "notes", None))
    @rule(name=who_does, number=any_number, unpin=flag, one_side=flag, silent=flag)
    def pin(self, name: str, number: int, unpin: bool, one_side: bool, silent: bool) -> None:
        note = self.note(number)
        assert note is not None
        if name not in self.online or (
            note.chat in ("saved", "pm") and not self.is_in(name, note.chat)
        ):
            return
        request = api.messages.UpdatePinnedMessage(
            peer=self.stage.input_peer(self.ids[name], self.target(name, note.chat)),
            id=self.id_of(name, note),
            unpin=unpin,
            pm_oneside=one_side,
            silent=silent,
        )
        expected = self.refusal(name, note.chat)
        holder = "everybody" if note.chat in ("room", "news") else name
        if not expected and holder not in note.holders:
            expected = "MESSAGE_ID_INVALID"
        changed: set[str] = set()
        if not expected:
            touched = self.touched(name, note, one_side=one_side and note.chat == "pm")
            changed = touched & note.pinned if unpin else touched - note.pinned
            if not changed and note.chat not in ("saved", "pm"):
                expected = "CHAT_NOT_MODIFIED"
        result, error = self.call(name, request)
        assert error == expected, (name, note)
        if error:
            return
        assert isinstance(result, api.Updates)
        if unpin:
            note.pinned -= changed
        else:
            note.pinned |= changed
        says = changed and not unpin and note.chat != "saved"
        says = says and not (note.chat == "pm" and one_side)
        new = (api.UpdateNewMessage, api.UpdateNewChannelMessage)
        assert sum(isinstance(update, new) for update in result.updates) == bool(says)

    @rule(name=who_does, chat=somewhere)
    def unpin_all(self, name: str, chat: str) -> None:
        if name not in self.online or (chat in ("saved", "pm") and not self.is_in(name, chat)):
            return
        peer = self.stage.input_peer(self.ids[name], self.target(name, chat))
        result, error = self.call(name, api.messages.UnpinAllMessages(peer=peer))
        assert error == self.refusal(name, chat)
        if error:
            return
        mine = 0
        for note in self.notes:
            if note.chat != chat:
                continue
            boxes = self.touched(name, note, one_side=False)
            if chat == "pm":  # also what only the other side has
                other = "bob" if name == "ann" else "ann"
                if (other, name) not in self.blocked:
                    boxes |= {other}
            gone = note.pinned & boxes
            mine += bool(gone & {name, "everybody"})
            note.pinned -= gone
        assert result.pts_count == mine

    @precondition(lambda self: getattr(self, "notes", None))
    @rule(name=who_does, number=any_number, revoke=flag)
    def delete(self, name: str, number: int, revoke: bool) -> None:
        note = self.note(number)
        assert note is not None
        if name not in self.online or not self.is_in(name, note.chat):
            return
        number = self.id_of(name, note)
        if note.chat in ("room", "news"):
            if name not in (note.sender, "ann"):
                return
            channel = self.stage.input_channel(self.ids[name], self.places[note.chat])
            _, error = self.call(name, api.channels.DeleteMessages(channel=channel, id=[number]))
            assert not error
            note.holders.clear()
            note.pinned.clear()
            return
        if name not in note.holders:
            return
        if note.chat == "group" and revoke and name not in (note.sender, "ann"):
            return
        _, error = self.call(name, api.messages.DeleteMessages(id=[number], revoke=revoke))
        assert not error
        gone = {name}
        if revoke:
            gone = set(note.holders)
            if note.chat == "group":  # who has left keeps theirs
                gone &= self.halls["group"].members
        note.holders -= gone
        note.pinned -= gone

    @rule(name=st.sampled_from(("bob", "eve")), chat=st.sampled_from(("group", "room", "news")))
    def kick_or_return(self, name: str, chat: str) -> None:
        if {"ann", name} - self.online:
            return
        hall, stage = self.halls[chat], self.stage
        ann, user = stage.ann, stage.input_user(stage.ann, self.ids[name])
        returns = name not in hall.members
        if returns and {(name, "ann"), ("ann", name)} & self.blocked:
            return  # neither lets the other in
        if chat == "group":
            request: Any = api.messages.DeleteChatUser(chat_id=self.places[chat], user_id=user)
            if returns:
                request = api.messages.AddChatUser(
                    chat_id=self.places[chat], user_id=user, fwd_limit=0
                )
            _, error = self.call("ann", request)
        else:
            channel = stage.input_channel(ann, self.places[chat])
            rights = api.ChatBannedRights(until_date=0, view_messages=not returns)
            _, error = self.call(
                "ann",
                api.channels.EditBanned(
                    channel=channel,
                    participant=stage.input_peer(ann, self.ids[name]),
                    banned_rights=rights,
                ),
            )
            if returns and not error:
                _, error = self.invite(name, channel, user)
        assert not error, error
        hall.admins.discard(name)
        if not returns:
            hall.members.discard(name)
            return
        hall.members.add(name)
        self.catch_up(name)

    def invite(self, name: str, channel: Any, user: Any) -> tuple[Any, str]:
        """Let somebody into a channel again, who first learns what they have missed."""
        self.online.discard(name)
        self.stage.go_offline(self.ids[name])
        told = self.call("ann", api.channels.InviteToChannel(channel=channel, users=[user]))
        self.come_online(name)
        return told

    @rule(
        name=st.sampled_from(("bob", "eve", "bot")), chat=st.sampled_from(("group", "room", "news"))
    )
    def promote_or_demote(self, name: str, chat: str) -> None:
        hall, stage = self.halls[chat], self.stage
        if "ann" not in self.online or name not in hall.members:
            return
        promotes = name not in hall.admins
        user = stage.input_user(stage.ann, self.ids[name])
        if chat == "group":
            request: Any = api.messages.EditChatAdmin(
                chat_id=self.places[chat], user_id=user, is_admin=promotes
            )
        else:
            right = "edit_messages" if chat == "news" else "pin_messages"
            flags: dict[str, Any] = {right: promotes}
            request = api.channels.EditAdmin(
                channel=stage.input_channel(stage.ann, self.places[chat]),
                user_id=user,
                admin_rights=api.ChatAdminRights(**flags),
                rank="",
            )
        _, error = self.call("ann", request)
        assert not error
        (hall.admins.add if promotes else hall.admins.discard)(name)

    @rule(chat=st.sampled_from(("group", "room")))
    def let_members_pin_or_not(self, chat: str) -> None:
        if "ann" not in self.online:
            return
        hall = self.halls[chat]
        rights = api.ChatBannedRights(until_date=0, pin_messages=hall.members_may_pin)
        peer = self.stage.input_peer(self.stage.ann, self.places[chat])
        _, error = self.call(
            "ann", api.messages.EditChatDefaultBannedRights(peer=peer, banned_rights=rights)
        )
        assert not error
        hall.members_may_pin = not hall.members_may_pin

    @rule(name=st.sampled_from(("ann", "bob")))
    def block_or_unblock(self, name: str) -> None:
        if name not in self.online:
            return
        other = "bob" if name == "ann" else "ann"
        act = self.stage.unblock if (name, other) in self.blocked else self.stage.block
        act(self.ids[name], self.ids[other])
        self.blocked ^= {(name, other)}

    @rule(name=who_does)
    def go_or_come_back(self, name: str) -> None:
        if name in self.online:
            self.online.discard(name)
            self.stage.go_offline(self.ids[name])
        else:
            self.come_online(name)

    def come_online(self, name: str) -> None:
        number = self.ids[name]
        listener = Listener(self.stage.world, number, is_bot=name == "bot")
        self.stage._listeners[number] = listener
        self.online.add(name)
        self.catch_up(name)

    # ── what is always so ────────────────────────────────────────────────────────────────────

    @invariant()
    def everybody_sees_the_pins_of_the_model(self) -> None:
        for name in getattr(self, "online", ()):
            mirror = self.mirrors[name]
            seen = {
                message.message
                for box in mirror.boxes.values()
                for message in box.messages.values()
                if getattr(message, "pinned", False)
            }
            wanted = set()
            for note in self.notes:
                if note.chat in ("room", "news") and not self.is_in(name, note.chat):
                    continue
                if note.pinned & {name, "everybody"}:
                    wanted.add(note.text)
            outside = {
                note.text
                for note in self.notes
                if note.chat in ("room", "news") and not self.is_in(name, note.chat)
            }
            assert seen - outside == wanted, name


MACHINE = settings(
    max_examples=25,
    stateful_step_count=100,
    deadline=None,
    # Making a failing play smaller takes minutes: `Phase.shrink` can be added by hand.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.parametrize("part", range(4))
def test_ten_thousand_steps(part: int) -> None:
    """Four parts of 25 plays of 100 steps each, so that they can run side by side."""
    case = type(f"Pins{part}", (Pins,), {})
    run_state_machine_as_test(case, settings=MACHINE)
