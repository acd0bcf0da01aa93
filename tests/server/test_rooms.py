"""Basic groups and channels, end to end: made, written in, read, and the difference (B1, C5)."""

from __future__ import annotations

from radiogram.tl import api
from tests.server.stage import NOON, Stage


def test_b1_1_everybody_in_a_basic_group_has_an_own_copy(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that ids differ
    group = stage.group(stage.ann, stage.bob, stage.eve)
    mine = stage.send(stage.ann, group, "hello all")
    (told,) = stage.pushes(stage.bob)
    assert (told.message.peer_id, told.message.message) == (
        api.PeerChat(chat_id=group),
        "hello all",
    )
    assert not told.message.out
    assert told.message.id != mine
    answer = stage.send(
        stage.bob, group, "yes", reply_to=api.InputReplyToMessage(reply_to_msg_id=told.message.id)
    )
    (heard,) = stage.pushes(stage.ann)
    assert heard.message.reply_to.reply_to_msg_id == mine
    assert stage.message(stage.bob, answer).out
    missed = stage.difference(stage.eve, 1)
    assert [getattr(m, "message", None) for m in missed.new_messages] == [
        "hello",
        None,
        "hello all",
        "yes",
    ]
    assert [chat.id for chat in missed.chats] == [group]


def test_b1_1_a_channel_has_one_box_for_everybody(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    first = stage.send(stage.ann, room, "one")
    (told,) = stage.pushes(stage.bob)
    assert (told.message.id, told.message.out) == (first, False)
    assert stage.pushed_to() == {stage.ann, stage.bob}
    assert [m.id for m in stage.history(stage.bob, room).messages] == [first, 2, 1]
    missed = stage.channel_difference(stage.bob, room, 1)
    assert missed.final
    assert [m.id for m in missed.new_messages] == [1, 2, first]
    assert missed.pts == told.pts
    own = stage.channel_difference(stage.ann, room, 1)
    assert [m.out for m in own.new_messages] == [True, True, True]
    assert own.other_updates == [api.UpdateMessageID(id=first, random_id=1)]


def test_c6_3_a_difference_names_channels_with_news(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    stage.go_offline(stage.bob)
    stage.send(stage.ann, room)
    assert stage.pushed_to() == {stage.ann}
    missed = stage.difference(stage.bob, stage.state(stage.bob).pts)
    (news,) = missed.other_updates
    assert news == api.UpdateChannelTooLong(channel_id=room, pts=4)
    stage.world.clock.freeze(NOON + 60)
    request = api.updates.GetDifference(pts=1, date=NOON + 1, qts=0)
    assert isinstance(stage.call(stage.bob, request), api.updates.DifferenceEmpty)


def test_posts_of_a_broadcast_channel_have_no_author(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    stage.send(stage.ann, news, "post")
    (told,) = stage.pushes(stage.bob)
    assert (told.message.from_id, told.message.post, told.message.views) == (None, True, 1)
    assert told.message.peer_id == api.PeerChannel(channel_id=news)
