"""Messages of supergroups and broadcast channels: by id, deleting, reading (C3, C4, B8, B10)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import admin_log, chat_store
from radiogram.server.rpc import Context
from radiogram.tl import api
from tests.server.stage import Listener, MakeStage, Stage, fault, kinds


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


def test_c3_outsiders_of_a_public_group(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    sent = stage.send(stage.ann, room)
    with stage.world.db.begin() as tx:
        chat_store.change_chat(tx, room, username="open_room")
    with fault("CHAT_ADMIN_REQUIRED"):
        delete(stage, stage.bob, room, sent)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        request = api.channels.DeleteParticipantHistory(
            channel=stage.input_channel(stage.bob, room), participant=api.InputPeerSelf()
        )
        stage.call(stage.bob, request)
    read(stage, stage.bob, room)
    assert not stage.pushed_to()
    assert stage.dialog(stage.bob, room).read_inbox_max_id == 0


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


# -------------------------------------------------------------------- clearing


def clear(stage: Stage, who: int, room: int, max_id: int = 0, **flags: bool) -> Any:
    channel = stage.input_channel(who, room)
    return stage.call(who, api.channels.DeleteHistory(channel=channel, max_id=max_id, **flags))


def test_c5_clearing_for_oneself(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = stage.send(stage.ann, room, "one")
    result = clear(stage, stage.bob, room)
    told = api.UpdateChannelAvailableMessages(channel_id=room, available_min_id=sent + 1)
    assert result.updates == stage.pushes(stage.bob) == [told]
    assert stage.pushed_to() == {stage.bob}
    assert stage.history(stage.bob, room).messages == []
    assert stage.dialog(stage.bob, room).unread_count == 0
    assert len(stage.history(stage.ann, room).messages) == 3
    assert clear(stage, stage.bob, room).updates == []
    after = stage.send(stage.ann, room, "two")
    assert [m.id for m in stage.history(stage.bob, room).messages] == [after]


def test_c5_clearing_for_everybody(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = [stage.send(stage.ann, room) for _ in range(2)]
    with fault("CHAT_ADMIN_REQUIRED"):
        clear(stage, stage.bob, room, for_everyone=True)
    result = clear(stage, stage.ann, room, sent[0], for_everyone=True)
    told = api.UpdateDeleteChannelMessages(
        channel_id=room, messages=[1, 2, sent[0]], pts=8, pts_count=3
    )
    assert result.updates == stage.pushes(stage.bob) == [told]
    assert [m.id for m in stage.history(stage.bob, room).messages] == [sent[1]]


def test_c5_clearing_errors(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    with fault("CHANNEL_TOO_BIG"):
        clear(stage, stage.bob, news)
    with stage.world.db.begin() as tx:
        chat_store.change_chat(tx, news, username="news_of_ann")
    with fault("CHANNEL_PARICIPANT_MISSING"):
        clear(stage, stage.eve, news)


def test_c5_all_of_one_participant(make_stage: MakeStage) -> None:
    stage = make_stage(affected_batch=2)
    room = stage.channel(stage.ann, stage.bob, stage.eve, megagroup=True)
    for _ in range(3):
        stage.send(stage.bob, room)
    kept = stage.send(stage.eve, room)

    def call(who: int, whose: int) -> Any:
        request = api.channels.DeleteParticipantHistory(
            channel=stage.input_channel(who, room), participant=stage.input_peer(who, whose)
        )
        return stage.call(who, request)

    with fault("CHAT_ADMIN_REQUIRED"):
        call(stage.eve, stage.bob)
    first = call(stage.ann, stage.bob)
    assert (first.pts_count, first.offset) == (2, 1)
    (update,) = stage.pushes(stage.eve)
    assert (update.pts, update.pts_count) == (first.pts, 2)
    second = call(stage.ann, stage.bob)
    assert (second.pts, second.pts_count, second.offset) == (first.pts + 1, 1, 0)
    assert [m.id for m in stage.history(stage.eve, room).messages] == [kept, 2, 1]
    with fault("PARTICIPANT_ID_INVALID"):
        request = api.channels.DeleteParticipantHistory(
            channel=stage.input_channel(stage.ann, room), participant=api.InputPeerEmpty()
        )
        stage.call(stage.ann, request)
    news = stage.channel(stage.ann, broadcast=True)
    with fault("CHANNEL_INVALID"):
        request = api.channels.DeleteParticipantHistory(
            channel=stage.input_channel(stage.ann, news), participant=api.InputPeerSelf()
        )
        stage.call(stage.ann, request)


# -------------------------------------------------------------------- views, mentions


def views(stage: Stage, who: int, chat: int, *ids: int, increment: bool = True) -> Any:
    request = api.messages.GetMessagesViews(
        peer=stage.input_peer(who, chat), id=list(ids), increment=increment
    )
    return stage.call(who, request).views


def test_c4_everybody_counts_once(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, stage.eve, broadcast=True)
    post = stage.send(stage.ann, news)
    assert views(stage, stage.ann, news, post) == [api.MessageViews(views=1, forwards=0)]
    assert views(stage, stage.bob, news, post, post)[0].views == 2
    assert views(stage, stage.bob, news, post)[0].views == 2
    assert views(stage, stage.eve, news, post, increment=False)[0].views == 2
    assert views(stage, stage.eve, news, post)[0].views == 3
    stage.forward(stage.bob, news, [post], stage.eve)
    assert views(stage, stage.eve, news, post, 99) == [
        api.MessageViews(views=3, forwards=1),
        api.MessageViews(),
    ]
    shown = stage.message(stage.ann, post, news)
    assert (shown.views, shown.forwards) == (3, 1)
    assert views(stage, stage.eve, stage.ann, 1) == [api.MessageViews()]
    with fault("MSG_ID_INVALID"):
        views(stage, stage.eve, news, *range(201))


def test_views_go_with_their_post(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    post = stage.send(stage.ann, news)
    views(stage, stage.bob, news, post)
    delete(stage, stage.ann, news, post)
    again = stage.send(stage.ann, news)
    assert views(stage, stage.bob, news, again, increment=False)[0].views == 1
    assert views(stage, stage.bob, news, again)[0].views == 2


def test_mentions_are_never_unread(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    for chat, pts in ((room, 3), (stage.ann, 1)):
        peer = stage.input_peer(stage.bob, chat)
        found = stage.call(
            stage.bob,
            api.messages.GetUnreadMentions(
                peer=peer, offset_id=0, add_offset=0, limit=10, max_id=0, min_id=0
            ),
        )
        assert found.messages == []
        assert stage.call(
            stage.bob, api.messages.ReadMentions(peer=peer)
        ) == api.messages.AffectedHistory(pts=pts, pts_count=0, offset=0)
    channel = stage.input_channel(stage.bob, room)
    assert stage.call(stage.bob, api.channels.ReadMessageContents(channel=channel, id=[1]))
    assert stage.call(
        stage.bob, api.messages.ReadMessageContents(id=[1])
    ) == api.messages.AffectedMessages(pts=1, pts_count=0)
    assert stage.call(stage.bob, api.messages.ReceivedMessages(max_id=5)) == []


# -------------------------------------------------------------------- recent actions


def test_b8_6_recent_actions(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    post = stage.send(stage.ann, news, "one")
    stage.edit(stage.ann, news, post, "two")
    delete(stage, stage.ann, news, post)
    stage.send(stage.ann, news, "three")
    clear(stage, stage.ann, news, for_everyone=True)  # too much to be told one by one
    ctx = Context(stage.world, Listener(stage.world, stage.ann, is_bot=False))
    chat = chat_store.find_chat(ctx.tx, news)
    assert chat is not None
    found = [event.action for event in admin_log.read(ctx, chat, limit=100)]
    ctx.commit()
    said = [
        (type(action).__name__.removeprefix("ChannelAdminLogEventAction"), texts(action))
        for action in reversed(found)
        if not isinstance(action, api.ChannelAdminLogEventActionParticipantInvite)
    ]
    assert said == [
        ("SendMessage", ["one"]),
        ("EditMessage", ["one", "two"]),
        ("DeleteMessage", ["two"]),
        ("SendMessage", ["three"]),
    ]


def texts(action: Any) -> list[str]:
    """Return the texts of the messages that an action shows."""
    names = ("message", "prev_message", "new_message")
    return [getattr(action, name).message for name in names if hasattr(action, name)]
