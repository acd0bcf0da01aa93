"""Random play of three accounts: pushes, results, reads and differences must agree (C0.3, C6).

They have private chats, a basic group and a supergroup; one of them comes and goes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from radiogram.server import chat_store
from radiogram.server.rpc import RpcFault
from radiogram.tl import api
from tests.server.mirror import Mirror
from tests.server.stage import Stage, fault

ACTIONS = (
    "send",
    "send",
    "send",
    "reply",
    "forward",
    "edit",
    "edit",
    "delete",
    "revoke",
    "pin",
    "pin",
    "unpin",
    "oneside",
    "unpin_all",
    "read",
    "read",
    "clear",
    "block",
    "leave",
)
"""Weighted by repetition."""

step = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2), st.integers(0, 4), st.integers(0, 12))


@dataclass
class Play:
    """A stage, and what each account would know of it by pushes alone."""

    stage: Stage = field(default_factory=Stage)

    def __post_init__(self) -> None:
        stage = self.stage
        self.people = [stage.ann, stage.bob, stage.eve]
        self.group = stage.group(*self.people)
        self.room = stage.channel(*self.people, megagroup=True)
        self.chats = [*self.people, self.group, self.room]
        self.mirrors = {user: Mirror(user, self.room) for user in self.people}
        for user in self.people:
            self.catch_up(self.mirrors[user])
            self.mirrors[user].read_inbox[self.room] = stage.dialog(
                user, self.room
            ).read_inbox_max_id
        self.past = {user: [self.mirrors[user].snapshot()] for user in self.people}
        self.blocks: set[tuple[int, int]] = set()
        self.is_out = False

    def run(self, action: str, who: int, other: int, number: int) -> None:
        me, chat = self.people[who], self.chats[other]
        known = self.mirrors[me].known()
        if known and number:  # else the number itself, which is often nobody's
            place, number = known[-number % len(known)]
            if action not in ("send", "forward", "block"):
                chat = place
        if action == "block":
            self.toggle_block(me, chat)
            return
        if action == "leave":
            self.come_or_go()
            return
        self.stage.world.clock.advance(other)
        result = None
        try:
            result = self.act(action, me, chat, number)
        except RpcFault as error:
            refusal = error.message
        if result is None:
            assert refusal != "RPC_CALL_FAIL"
            assert not self.stage.world.pushed
            return
        self.check_result(me, chat, result)
        for push in self.stage.world.pushed:
            mirror = self.mirrors[push.user_id]
            mirror.push(push.updates)
            self.past[push.user_id].append(mirror.snapshot())

    def toggle_block(self, me: int, chat: int) -> None:
        if me == chat or chat not in self.people:
            return
        if (me, chat) in self.blocks:
            self.blocks.remove((me, chat))
            self.stage.unblock(me, chat)
        else:
            self.blocks.add((me, chat))
            self.stage.block(me, chat)

    def come_or_go(self) -> None:
        self.is_out = not self.is_out
        state = chat_store.LEFT if self.is_out else chat_store.MEMBER
        eve = self.stage.eve
        with self.stage.world.db.begin() as tx:
            for chat in (self.group, self.room):
                chat_store.save_member(tx, chat, eve, state=state)
        if not self.is_out:
            self.catch_up(self.mirrors[eve])

    def catch_up(self, mirror: Mirror, limit: int = 100) -> None:
        stage, user = self.stage, mirror.user_id
        while mirror.difference(stage.difference(user, mirror.pts, pts_limit=limit)):
            pass
        box = mirror.boxes[self.room]
        while mirror.channel_difference(
            self.room, stage.channel_difference(user, self.room, box.pts, limit=limit)
        ):
            pass

    def act(self, action: str, me: int, chat: int, number: int) -> Any:
        stage, peer = self.stage, self.stage.input_peer(me, chat)
        channel = stage.input_channel(me, chat) if chat == self.room else None
        match action:
            case "send" | "reply":
                reply = api.InputReplyToMessage(reply_to_msg_id=number)
                request = api.messages.SendMessage(
                    peer=peer,
                    message=f"text {number}",
                    random_id=stage.random_id(),
                    silent=number % 2 == 0,
                    reply_to=reply if action == "reply" else None,
                )
                return stage.call(me, request)
            case "forward":
                source = next(
                    (place for place, one in self.mirrors[me].known() if one == number), chat
                )
                return stage.forward(me, source, [number, number + 1], chat)
            case "edit":
                return stage.edit(me, chat, number, f"edited {len(self.past[me])}")
            case "delete" | "revoke" if channel is not None:
                ids = [number, number + 1]
                return stage.call(me, api.channels.DeleteMessages(channel=channel, id=ids))
            case "delete" | "revoke":
                return stage.delete(me, number, number + 1, revoke=action == "revoke")
            case "pin":
                return stage.pin(me, chat, number)
            case "unpin":
                return stage.pin(me, chat, number, unpin=True, pm_oneside=number % 3 == 0)
            case "oneside":
                return stage.pin(me, chat, number, pm_oneside=True)
            case "unpin_all":
                return stage.call(me, api.messages.UnpinAllMessages(peer=peer))
            case "read" if channel is not None:
                return stage.call(me, api.channels.ReadHistory(channel=channel, max_id=number))
            case "read":
                return stage.read(me, chat, number)
            case _ if channel is not None:
                return stage.call(
                    me,
                    api.channels.DeleteHistory(
                        channel=channel, max_id=min(number, 4), for_everyone=True
                    ),
                )
            case _:
                return stage.call(
                    me,
                    api.messages.DeleteHistory(
                        peer=peer, max_id=number, revoke=number % 2 == 0, just_clear=number > 9
                    ),
                )

    def check_result(self, me: int, chat: int, result: Any) -> None:
        """The caller learns by the result what its other sessions learn by pushes (A13.3)."""
        pushed = self.stage.pushes(me)
        before = self.mirrors[me].boxes[chat if chat == self.room else 0].pts
        match result:
            case api.Updates():
                said = [u for u in result.updates if not isinstance(u, api.UpdateMessageID)]
                assert said == pushed
            case api.UpdateShortSentMessage():
                (update,) = pushed
                assert (result.id, result.date) == (update.message.id, update.message.date)
                assert (result.pts, result.pts_count) == (update.pts, update.pts_count)
                assert result.out == update.message.out
            case api.messages.AffectedMessages() | api.messages.AffectedHistory():
                assert result.pts == before + result.pts_count
                assert sum(update.pts_count for update in pushed) == result.pts_count
            case True:
                assert len(pushed) <= 1
            case _:
                raise AssertionError(result)

    # -------------------------------------------------------------- at the end

    def check(self) -> None:
        for user, mirror in self.mirrors.items():
            self.check_reads(user, mirror)
            self.check_differences(user, mirror, self.past[user], 500)
            self.check_differences(user, mirror, self.past[user][::4], 2)

    def check_reads(self, user: int, mirror: Mirror) -> None:
        """What the account reads is what the pushes said."""
        assert self.stage.state(user).pts == mirror.pts
        out = self.is_out and user == self.stage.eve
        shown = {}
        unread = 0
        for chat in self.chats:
            if out and chat == self.room:
                with fault("CHANNEL_PRIVATE"):
                    self.stage.history(user, chat)
                continue
            messages = self.stage.history(user, chat).messages
            dialog = self.stage.dialog(user, chat)
            assert dialog.top_message == max((m.id for m in messages), default=0)
            if chat != user:
                assert dialog.read_inbox_max_id == mirror.read_inbox.get(chat, 0)
                assert dialog.read_outbox_max_id == mirror.read_outbox.get(chat, 0)
                new = [m for m in messages if not m.out and m.id > dialog.read_inbox_max_id]
                assert dialog.unread_count == len(new)
                unread += len(new)
            pinned = self.stage.search(user, chat, filter=api.InputMessagesFilterPinned())
            assert pinned.messages == [m for m in messages if getattr(m, "pinned", False)]
            if chat == self.room:
                assert {m.id: m for m in messages} == mirror.boxes[chat].messages
                assert dialog.pts == mirror.boxes[chat].pts
            else:
                shown.update({message.id: message for message in messages})
        assert shown == mirror.messages
        assert self.stage.state(user).unread_count == unread

    def check_differences(self, user: int, mirror: Mirror, past: list[Mirror], limit: int) -> None:
        """A difference from any earlier state leads to the same (B7.5, C6.3)."""
        if self.is_out and user == self.stage.eve:
            return
        for earlier in past:
            behind = earlier.snapshot()
            self.catch_up(behind, limit)
            assert behind.contents() == mirror.contents()
            assert behind.boxes[self.room] == mirror.boxes[self.room]


@settings(max_examples=20)
@given(steps=st.lists(step, min_size=12, max_size=40))
def test_pushes_reads_and_differences_agree(steps: list[tuple[str, int, int, int]]) -> None:
    play = Play()
    try:
        for number in range(10):  # something to begin with
            play.run("send", number % 3, number % 5, number)
        for action, who, other, number in steps:
            play.run(action, who, other, number)
        play.check()
    finally:
        play.stage.close()
