"""Messages of supergroups and broadcast channels: by id, deleting, reading (C3, C4, B8, B10)."""

from __future__ import annotations

import pytest

from radiogram.tl import api
from tests.server.stage import Stage, fault, kinds


def get(stage: Stage, who: int, room: int, *names: api.TypeInputMessage) -> api.messages.Messages:
    channel = stage.input_channel(who, room)
    found: api.messages.Messages = stage.call(
        who, api.channels.GetMessages(channel=channel, id=list(names))
    )
    return found


# -------------------------------------------------------------------- channels.getMessages


def test_c4_by_id_in_the_order_asked_for(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = stage.send(stage.ann, room, "one")
    found = get(
        stage, stage.bob, room, api.InputMessageID(id=sent), api.InputMessageID(id=sent + 1)
    )
    assert isinstance(found, api.messages.ChannelMessages)
    first, second = found.messages
    assert (first.id, first.message, first.out) == (sent, "one", False)
    assert second == api.MessageEmpty(id=sent + 1, peer_id=api.PeerChannel(channel_id=room))
    assert (found.pts, found.count) == (4, 2)
    assert [chat.id for chat in found.chats] == [room]
    assert [user.id for user in found.users] == [stage.ann]


def test_b8_4_what_a_message_replies_to(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = stage.send(stage.ann, room, "one")
    reply = api.InputReplyToMessage(reply_to_msg_id=sent)
    answer = stage.send(stage.bob, room, "two", reply_to=reply)
    (found,) = get(stage, stage.ann, room, api.InputMessageReplyTo(id=answer)).messages
    assert found.id == sent
    (found,) = get(stage, stage.ann, room, api.InputMessageReplyTo(id=sent)).messages
    assert isinstance(found, api.MessageEmpty)


def test_b8_4_pinned_of_this_channel_and_no_other(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    stage.pin(stage.ann, stage.bob, stage.send(stage.ann, stage.bob))
    (found,) = get(stage, stage.ann, room, api.InputMessagePinned()).messages
    assert isinstance(found, api.MessageEmpty)


def test_channels_get_messages_errors(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    with fault("MESSAGE_IDS_EMPTY"):
        get(stage, stage.ann, room)
    with fault("MESSAGE_ID_INVALID"):
        get(stage, stage.ann, room, *[api.InputMessageID(id=1)] * 201)
    with fault("CHANNEL_PRIVATE"):
        get(stage, stage.bob, room, api.InputMessageID(id=1))


# -------------------------------------------------------------------- channels.deleteMessages


def delete(stage: Stage, who: int, room: int, *ids: int) -> api.messages.AffectedMessages:
    channel = stage.input_channel(who, room)
    found: api.messages.AffectedMessages = stage.call(
        who, api.channels.DeleteMessages(channel=channel, id=list(ids))
    )
    return found


def test_c3_own_messages_go_for_everybody(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, stage.eve, megagroup=True)
    sent = [stage.send(stage.bob, room) for _ in range(2)]
    result = delete(stage, stage.bob, room, *sent, 999)
    assert result == api.messages.AffectedMessages(pts=7, pts_count=2)
    told = api.UpdateDeleteChannelMessages(channel_id=room, messages=sent, pts=7, pts_count=2)
    for who in (stage.ann, stage.bob, stage.eve):
        assert stage.pushes(who) == [told]
    assert stage.pushed_to() == {stage.ann, stage.bob, stage.eve}
    assert [m.id for m in stage.history(stage.eve, room).messages] == [2, 1]


def test_c3_others_messages_need_the_right(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    hers, his = stage.send(stage.ann, room), stage.send(stage.bob, room)
    with fault("MESSAGE_DELETE_FORBIDDEN", 403):
        delete(stage, stage.bob, room, hers, his)
    assert delete(stage, stage.ann, room, hers, his).pts_count == 2


def test_c3_subscribers_delete_nothing(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    post = stage.send(stage.ann, news)
    with fault("CHAT_ADMIN_REQUIRED"):
        delete(stage, stage.bob, news, post)
    with fault("CHANNEL_PRIVATE"):
        delete(stage, stage.eve, news, post)


def test_deleting_what_is_not_there_changes_nothing(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    assert delete(stage, stage.ann, room, 55, -1, 0) == api.messages.AffectedMessages(
        pts=2, pts_count=0
    )
    assert not stage.pushed_to()
    with fault("MSG_ID_INVALID"):
        delete(stage, stage.ann, room, *range(1, 1002))


# -------------------------------------------------------------------- channels.readHistory


def read(stage: Stage, who: int, room: int, max_id: int = 0) -> None:
    channel = stage.input_channel(who, room)
    assert stage.call(who, api.channels.ReadHistory(channel=channel, max_id=max_id)) is True


def test_c4_readers_and_senders_are_told(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, stage.eve, megagroup=True)
    first = stage.send(stage.ann, room)
    second = stage.send(stage.ann, room)
    read(stage, stage.bob, room, first)
    assert stage.pushes(stage.bob) == [
        api.UpdateReadChannelInbox(channel_id=room, max_id=first, still_unread_count=1, pts=5)
    ]
    assert stage.pushes(stage.ann) == [api.UpdateReadChannelOutbox(channel_id=room, max_id=first)]
    assert stage.pushed_to() == {stage.ann, stage.bob}
    assert stage.dialog(stage.ann, room).read_outbox_max_id == first
    read(stage, stage.eve, room, first)  # somebody has read it before
    assert stage.pushed_to() == {stage.eve}
    read(stage, stage.eve, room, 9999)  # clamped
    assert stage.pushes(stage.ann) == [api.UpdateReadChannelOutbox(channel_id=room, max_id=second)]
    read(stage, stage.eve, room, first)  # backwards
    assert not stage.pushed_to()


@pytest.mark.parametrize("max_id", [0, 9999])
def test_c4_posts_have_no_readers(stage: Stage, max_id: int) -> None:
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    post = stage.send(stage.ann, news)
    read(stage, stage.bob, news, max_id)
    assert kinds(stage.pushes(stage.bob)) == ["UpdateReadChannelInbox"]
    assert stage.pushed_to() == {stage.bob}
    assert stage.dialog(stage.ann, news).read_outbox_max_id == 0
    assert post == 2
