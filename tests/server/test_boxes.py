"""Random play of three accounts: pushes, results, reads and differences must agree (C0.3, C6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from radiogram.server.rpc import RpcFault
from radiogram.tl import api
from tests.server.mirror import Mirror
from tests.server.stage import Stage

ACTIONS = (
    "send",
    "send",
    "send",
    "reply",
    "forward",
    "edit",
    "delete",
    "revoke",
    "pin",
    "pin",
    "unpin",
    "oneside",
    "unpin_all",
    "read",
    "clear",
    "block",
)
"""Weighted by repetition."""

step = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2), st.integers(0, 2), st.integers(0, 12))


@dataclass
class Play:
    """A stage, and what each account would know of it by pushes alone."""

    stage: Stage = field(default_factory=Stage)

    def __post_init__(self) -> None:
        self.people = [self.stage.ann, self.stage.bob, self.stage.eve]
        self.mirrors = {user: Mirror(user) for user in self.people}
        self.past = {user: [self.mirrors[user].snapshot()] for user in self.people}
        self.blocks: set[tuple[int, int]] = set()

    def run(self, action: str, who: int, other: int, number: int) -> None:
        me, chat = self.people[who], self.people[other]
        known = sorted(self.mirrors[me].messages)
        if known and number:  # else the number itself, which is often nobody's
            number = known[-number % len(known)]
            if action not in ("send", "forward", "block"):
                chat = self.mirrors[me].messages[number].peer_id.user_id
        if action == "block":
            self.toggle_block(me, chat)
            return
        self.stage.world.clock.advance(other)
        try:
            result = self.act(action, me, chat, number)
        except RpcFault:
            assert not self.stage.world.pushed
            return
        self.check_result(me, result)
        for push in self.stage.world.pushed:
            mirror = self.mirrors[push.user_id]
            mirror.push(push.updates)
            self.past[push.user_id].append(mirror.snapshot())

    def toggle_block(self, me: int, chat: int) -> None:
        if me == chat:
            return
        if (me, chat) in self.blocks:
            self.blocks.remove((me, chat))
            self.stage.unblock(me, chat)
        else:
            self.blocks.add((me, chat))
            self.stage.block(me, chat)

    def act(self, action: str, me: int, chat: int, number: int) -> Any:
        stage, peer = self.stage, self.stage.input_peer(me, chat)
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
                message = self.mirrors[me].messages.get(number)
                source = message.peer_id.user_id if message else chat
                return stage.forward(me, source, [number, number + 1], chat)
            case "edit":
                return stage.edit(me, chat, number, f"edited {len(self.past[me])}")
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
            case "read":
                return stage.read(me, chat, number)
            case _:
                return stage.call(
                    me,
                    api.messages.DeleteHistory(
                        peer=peer, max_id=number, revoke=number % 2 == 0, just_clear=number > 9
                    ),
                )

    def check_result(self, me: int, result: Any) -> None:
        """The caller learns by the result what its other sessions learn by pushes (A13.3)."""
        pushed = self.stage.pushes(me)
        before = self.mirrors[me].pts
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
            case _:
                raise AssertionError(result)

    # -------------------------------------------------------------- at the end

    def check(self) -> None:
        for user, mirror in self.mirrors.items():
            self.check_reads(user, mirror)
            for limit in (2, 500):
                self.check_differences(user, mirror, limit)

    def check_reads(self, user: int, mirror: Mirror) -> None:
        """What the account reads is what the pushes said."""
        assert self.stage.state(user).pts == mirror.pts
        shown = {}
        unread = 0
        for chat in self.people:
            messages = self.stage.history(user, chat).messages
            shown.update({message.id: message for message in messages})
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
        assert shown == mirror.messages
        assert self.stage.state(user).unread_count == unread

    def check_differences(self, user: int, mirror: Mirror, limit: int) -> None:
        """A difference from any earlier state leads to the same (B7.5, C6.3)."""
        for past in self.past[user]:
            behind = past.snapshot()
            while behind.difference(self.stage.difference(user, behind.pts, pts_limit=limit)):
                pass
            assert behind.contents() == mirror.contents()


@settings(max_examples=25)
@given(steps=st.lists(step, min_size=12, max_size=40))
def test_pushes_reads_and_differences_agree(steps: list[tuple[str, int, int, int]]) -> None:
    play = Play()
    try:
        for number in range(6):  # something to begin with
            play.run("send", number % 3, number % 2, number)
        for action, who, other, number in steps:
            play.run(action, who, other, number)
        play.check()
    finally:
        play.stage.close()
