"""Differences of channels, and channels and qts in the common one (C0.3, C6.3 to C6.7)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import chat_store, render, tables
from radiogram.server.rpc import Context
from radiogram.server.updates import Changes
from radiogram.tl import api
from tests.server.stage import NOON, Listener, MakeStage, Stage, fault, kinds


def set_member(stage: Stage, chat: int, who: int, **values: Any) -> None:
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, chat, who, **values)


def publish(stage: Stage, chat: int, username: str = "open_room") -> None:
    with stage.world.db.begin() as tx:
        chat_store.change_chat(tx, chat, username=username)


# -------------------------------------------------------------------- updates.getChannelDifference


def test_c6_6_equal_states(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    assert stage.channel_difference(stage.ann, room, 2) == api.updates.ChannelDifferenceEmpty(
        final=True, pts=2, timeout=30
    )


@pytest.mark.parametrize(
    ("pts", "limit", "error"),
    [
        (0, 10, "PERSISTENT_TIMESTAMP_EMPTY"),
        (3, 10, "PERSISTENT_TIMESTAMP_INVALID"),
        (-1, 10, "PERSISTENT_TIMESTAMP_INVALID"),
        (1, 0, "LIMIT_INVALID"),
        (1, 100_001, "LIMIT_INVALID"),
    ],
)
def test_c6_6_errors(stage: Stage, pts: int, limit: int, error: str) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    with fault(error):
        stage.channel_difference(stage.ann, room, pts, limit=limit)


def test_c6_6_only_for_those_who_may_see_it(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    with fault("CHANNEL_PRIVATE"):
        stage.channel_difference(stage.eve, room, 1)
    for state in (chat_store.LEFT, chat_store.KICKED):
        set_member(stage, room, stage.bob, state=state)
        with fault("CHANNEL_PRIVATE"):
            stage.channel_difference(stage.bob, room, 1)


def test_c6_6_everything_in_its_final_form(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    old = stage.send(stage.ann, room, "old")
    before = 4
    gone = stage.send(stage.ann, room, "gone")
    kept = stage.send(stage.bob, room, "kept", random_id=77)
    stage.edit(stage.bob, room, kept, "changed")
    stage.edit(stage.ann, room, old, "older")
    channel = stage.input_channel(stage.ann, room)
    stage.call(stage.ann, api.channels.DeleteMessages(channel=channel, id=[gone]))
    found = stage.channel_difference(stage.bob, room, before)
    assert [(m.id, m.message, m.out) for m in found.new_messages] == [(kept, "changed", True)]
    assert kinds(found.other_updates) == [
        "UpdateMessageID",
        "UpdateEditChannelMessage",
        "UpdateDeleteChannelMessages",
    ]
    assert found.other_updates[0] == api.UpdateMessageID(id=kept, random_id=77)
    assert (found.pts, found.final) == (9, True)
    assert {user.id for user in found.users} == {stage.ann, stage.bob}
    assert [chat.id for chat in found.chats] == [room]
    theirs = stage.channel_difference(stage.ann, room, before).other_updates
    assert kinds(theirs) == ["UpdateEditChannelMessage", "UpdateDeleteChannelMessages"]
    assert theirs[0].message.out


def test_c6_7_slices(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    for _ in range(4):
        stage.send(stage.ann, room)
    pts, seen = 1, []
    for final in (False, False, True):
        found = stage.channel_difference(stage.ann, room, pts, limit=2)
        assert (found.final, found.timeout) == (final, 30)
        seen += [m.id for m in found.new_messages]
        pts = found.pts
    assert seen == [1, 2, 3, 4, 5]


def test_c6_6_too_long(make_stage: MakeStage) -> None:
    stage = make_stage(channel_difference_window=3)
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = [stage.send(stage.ann, room) for _ in range(3)]
    assert isinstance(stage.channel_difference(stage.bob, room, 3), api.updates.ChannelDifference)
    found = stage.channel_difference(stage.bob, room, 2, limit=2)
    assert isinstance(found, api.updates.ChannelDifferenceTooLong)
    assert [m.id for m in found.messages] == [sent[2], sent[1]]
    dialog = found.dialog
    assert isinstance(dialog, api.Dialog)
    assert (dialog.pts, dialog.top_message, dialog.unread_count) == (6, sent[2], 4)
    assert (found.final, found.timeout) == (True, 30)


def test_c6_6_filters(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = [stage.send(stage.ann, room) for _ in range(3)]

    def ask(*ranges: tuple[int, int], **flags: bool) -> Any:
        wanted = api.ChannelMessagesFilter(
            ranges=[api.MessageRange(min_id=low, max_id=high) for low, high in ranges], **flags
        )
        channel = stage.input_channel(stage.bob, room)
        request = api.updates.GetChannelDifference(channel=channel, filter=wanted, pts=1, limit=100)
        return stage.call(stage.bob, request)

    assert [m.id for m in ask((sent[0], sent[1])).new_messages] == sent[:2]
    assert ask((1, 100), exclude_new_messages=True).new_messages == []
    assert ask().pts == 6
    with fault("RANGES_INVALID"):
        ask((5, 4))
    with fault("RANGES_INVALID"):
        ask(*[(1, 2)] * 101)


def test_c6_6_hidden_prehistory(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    old = stage.send(stage.ann, room, "secret")
    set_member(stage, room, stage.bob, available_min_id=old + 1)
    stage.edit(stage.ann, room, old, "secret still")
    assert stage.pushes(stage.bob) == [api.UpdateChannelTooLong(channel_id=room, pts=5)]
    assert kinds(stage.pushes(stage.ann)) == ["UpdateEditChannelMessage"]
    found = stage.channel_difference(stage.bob, room, 1)
    assert (found.new_messages, found.other_updates, found.pts) == ([], [], 5)
    for asked in (api.InputMessageID(id=old), api.InputMessageReplyTo(id=old)):
        channel = stage.input_channel(stage.bob, room)
        (shown,) = stage.call(
            stage.bob, api.channels.GetMessages(channel=channel, id=[asked])
        ).messages
        assert isinstance(shown, api.MessageEmpty)
    with fault("MESSAGE_ID_INVALID"):
        stage.forward(stage.bob, room, [old], stage.eve)
    with fault("REPLY_MESSAGE_ID_INVALID"):
        stage.send(stage.bob, room, reply_to=api.InputReplyToMessage(reply_to_msg_id=old))
    assert stage.search(stage.bob, room, q="secret").count == 0
    assert stage.history(stage.bob, room).count == 0


def test_c6_7_polling_a_public_channel(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    publish(stage, room)
    stage.send(stage.ann, room)
    assert stage.pushed_to() == {stage.ann}
    assert stage.channel_difference(stage.bob, room, 1).final
    stage.send(stage.ann, room)
    assert stage.pushed_to() == {stage.ann, stage.bob}
    (update,) = stage.pushes(stage.bob)
    assert isinstance(update, api.UpdateNewChannelMessage)
    stage.world.clock.advance(61)
    stage.send(stage.ann, room)
    assert stage.pushed_to() == {stage.ann}


def test_c6_7_a_poller_who_is_banned_hears_no_more(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    publish(stage, room)
    stage.channel_difference(stage.bob, room, 1)
    set_member(stage, room, stage.bob, state=chat_store.KICKED, date=NOON)
    stage.send(stage.ann, room)
    assert stage.pushed_to() == {stage.ann}
    stage.channel_difference(stage.eve, room, 1)
    with stage.world.db.begin() as tx:
        chat_store.change_chat(tx, room, username=None)
    stage.send(stage.ann, room)
    assert stage.pushed_to() == {stage.ann}


# -------------------------------------------------------------------- pushes of channels


def test_c0_1_2_everybody_is_told_who_is_who_in_their_own_way(stage: Stage) -> None:
    others = [stage.world.add_user(f"99966244{n:02}", f"User{n}").id for n in range(5)]
    for number in others:
        Listener(stage.world, number, is_bot=False)
    room = stage.channel(stage.ann, stage.bob, stage.eve, *others, megagroup=True)
    stage.call(
        stage.eve,
        api.contacts.AddContact(
            id=stage.input_user(stage.eve, stage.ann), first_name="Annie", last_name="", phone=""
        ),
    )
    entity = api.InputMessageEntityMentionName(
        offset=0, length=3, user_id=stage.input_user(stage.ann, stage.bob)
    )
    stage.send(stage.ann, room, "you there", entities=[entity])
    names = {}
    for push in stage.world.pushed:
        assert isinstance(push.updates, api.Updates)
        assert [chat.id for chat in push.updates.chats] == [room]
        shown = {u.id: u for u in push.updates.users if isinstance(u, api.User)}
        assert shown.keys() == {stage.ann, stage.bob, push.user_id}
        names[push.user_id] = shown[stage.ann].first_name
        assert shown[stage.ann].access_hash == stage.hash_of(push.user_id, stage.ann)
        assert shown[push.user_id].self
    assert names.pop(stage.eve) == "Annie"
    assert set(names.values()) == {"Ann"}
    assert names.keys() == {stage.ann, stage.bob, *others}


def test_a_channel_message_costs_no_row_per_member(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, stage.eve, megagroup=True)
    stage.go_offline(stage.bob)

    def rows() -> int:
        with stage.world.db.begin() as tx:
            return sum(
                len(tx.execute(table.select()).all())
                for table in (tables.boxes, tables.events, tables.dialogs, tables.messages)
            )

    before = rows()
    stage.send(stage.ann, room)
    assert rows() == before + 3  # the message, its copy, its event
    assert stage.pushed_to() == {stage.ann, stage.eve}


# -------------------------------------------------------------------- updates.getDifference


def test_c6_3_only_joined_channels_with_news(stage: Stage) -> None:
    stage.world.clock.freeze(NOON - 100)
    quiet = stage.channel(stage.ann, stage.bob, megagroup=True)
    left = stage.channel(stage.ann, stage.bob, megagroup=True)
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    set_member(stage, left, stage.bob, state=chat_store.LEFT)
    stage.world.clock.freeze(NOON)
    stage.send(stage.ann, left)
    stage.send(stage.ann, news)
    assert stage.difference(stage.bob, 1).other_updates == [
        api.UpdateChannelTooLong(channel_id=news, pts=3)
    ]
    assert quiet


def test_c6_4_qts_in_slices(stage: Stage) -> None:
    ctx = Context(stage.world, Listener(stage.world, stage.ann, is_bot=False))
    changes = Changes(ctx, render.People(ctx.tx, ctx.now))
    bot = changes.people.rows([stage.bot])[stage.bot]
    for _ in range(3):
        changes.tell_by_qts(
            bot,
            lambda qts: api.UpdateBotStopped(user_id=stage.ann, date=NOON, stopped=True, qts=qts),
        )
    changes.finish()
    ctx.commit()
    assert [update.qts for update in stage.pushes(stage.bot)] == [1, 2, 3]
    stage.send(stage.ann, stage.bot)
    assert stage.state(stage.bot).qts == 3

    def ask(qts: int, **options: int) -> Any:
        request = api.updates.GetDifference(pts=1, date=NOON, qts=qts, **options)
        return stage.call(stage.bot, request)

    first = ask(0, qts_limit=2)
    assert isinstance(first, api.updates.DifferenceSlice)
    assert (first.intermediate_state.qts, first.intermediate_state.pts) == (2, 2)
    assert [update.qts for update in first.other_updates] == [1, 2]
    second = ask(2, qts_limit=2)
    assert isinstance(second, api.updates.Difference)
    assert ([u.qts for u in second.other_updates], second.state.qts) == ([3], 3)
    assert [user.id for user in second.users] == [stage.ann]
