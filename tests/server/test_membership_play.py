"""Random play with who is in a channel: what must hold whatever anybody does (C5, C0.1.3)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from radiogram.server import chat_store
from radiogram.server.rights import ADMIN, BANNED
from radiogram.server.rpc import RpcFault
from radiogram.tl import api
from tests.server.stage import NOON, Stage

RIGHTS = ("ban_users", "add_admins", "invite_users", "anonymous", "change_info", "other")
BANS = ("view_messages", "send_messages", "invite_users")


class Play:
    """Five accounts who do to each other whatever the methods take."""

    def __init__(self, stage: Stage, seed: int, kind: str) -> None:
        self.stage = stage
        self.random = Random(seed)
        self.room = stage.channel(stage.ann, stage.bob, **{kind: True})
        self.now = NOON
        self.pts = 1
        self.qts = {bot: stage.state(bot).qts for bot in (stage.bot, stage.bot2)}

    def flags(self, names: tuple[str, ...]) -> dict[str, bool]:
        return {name: True for name in names if self.random.random() < 0.4}

    def act(self) -> None:
        stage, random, room = self.stage, self.random, self.room
        who, target = random.choice(stage.everybody), random.choice(stage.everybody)
        until = random.choice((0, self.now + 100))
        acts: list[Callable[[], Any]] = [
            lambda: stage.join(who, room),
            lambda: stage.leave(who, room),
            lambda: stage.invite(who, room, target),
            lambda: stage.promote(who, room, target, **self.flags(RIGHTS)),
            lambda: stage.ban(who, room, target, until_date=until, **self.flags(BANS)),
            lambda: stage.ban(who, room, target),
            lambda: stage.publish(who, room, random.choice(("", "somename"))),
            lambda: stage.send(who, room),
        ]
        before = self.rows()
        refused = None
        try:
            random.choice(acts)()
        except RpcFault as error:
            refused = error
        if refused is not None:
            assert refused.code != 500
            assert self.rows() == before
            return
        self.check(before, target)
        if random.random() < 0.1:
            self.now += 60
            stage.world.clock.freeze(self.now)

    def rows(self) -> dict[int, chat_store.MemberRow]:
        with self.stage.world.db.begin() as tx:
            return chat_store.load_members(tx, self.room, self.stage.everybody)

    def check(self, before: dict[int, chat_store.MemberRow], target: int) -> None:
        stage, rows = self.stage, self.rows()
        with stage.world.db.begin() as tx:
            chat = chat_store.find_chat(tx, self.room)
        assert chat is not None
        inside = {number for number, row in rows.items() if row.is_present}
        assert chat.participants_count == len(inside)
        assert stage.ann in inside
        assert rows[stage.ann].is_creator
        for row in rows.values():
            if not row.is_present:
                assert row.admin_rights is None
            if row.state == chat_store.KICKED:
                assert row.banned_rights & BANNED["view_messages"]
            if row.admin_rights is not None and not row.is_creator:
                assert not row.banned_rights
                assert row.promoted_by
            if row.admin_rights and chat.is_broadcast:
                assert not row.admin_rights & ADMIN["anonymous"]
        changed = {number for number in rows if rows[number] != before.get(number)}
        assert stage.pushed_to() <= inside | changed | {target}
        for who in stage.pushed_to() - inside:
            updates = stage.pushes(who)
            told = (api.UpdateChannel, api.UpdateChannelParticipant)
            assert all(isinstance(one, told) for one in updates)
        self.check_state(chat, inside)

    def check_state(self, chat: chat_store.ChatRow, inside: set[int]) -> None:
        stage = self.stage
        new = [
            update
            for update in stage.pushes(stage.ann)
            if isinstance(update, api.UpdateNewChannelMessage)
        ]
        for update in new:
            assert update.pts > self.pts
            self.pts = update.pts
        assert chat.pts >= self.pts
        for bot in self.qts:
            for update in stage.pushes(bot):
                if isinstance(update, api.UpdateChannelParticipant):
                    self.qts[bot] += 1
                    assert update.qts == self.qts[bot]
        # From here on the calls push something else.
        assert {bot: stage.state(bot).qts for bot in self.qts} == self.qts
        for who in stage.everybody:
            where = stage.input_channel(who, self.room)
            (shown,) = stage.call(who, api.channels.GetChannels(id=[where])).chats
            if who in inside:
                assert isinstance(shown, api.Channel)
                assert not shown.left
            elif isinstance(shown, api.Channel):
                assert shown.left
                assert chat.username is not None
            else:
                assert isinstance(shown, api.ChannelForbidden)


@pytest.mark.parametrize("kind", ["megagroup", "broadcast"])
@pytest.mark.parametrize("seed", range(3))
def test_c5_whatever_anybody_does(stage: Stage, kind: str, seed: int) -> None:
    play = Play(stage, seed, kind)
    for _ in range(60):
        play.act()
