"""Pins in basic groups, supergroups, channels and forums: order of checks, reads, logs (B)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.tl import api
from radiogram.tl.build import registry
from tests.server.stage import MakeStage, Stage, fault, kinds


def supergroup(stage: Stage, *others: int) -> int:
    return stage.channel(stage.ann, *others, megagroup=True)


def let_everybody_pin(stage: Stage, chat: int) -> None:
    stage.call(
        stage.ann,
        api.messages.EditChatDefaultBannedRights(
            peer=stage.input_peer(stage.ann, chat),
            banned_rights=api.ChatBannedRights(until_date=0),
        ),
    )


def unpin_all(stage: Stage, who: int, chat: int, **options: Any) -> Any:
    return stage.call(
        who, api.messages.UnpinAllMessages(peer=stage.input_peer(who, chat), **options)
    )


def leave_group(stage: Stage, who: int, chat: int) -> None:
    stage.call(who, api.messages.DeleteChatUser(chat_id=chat, user_id=api.InputUserSelf()))


def open_topic(stage: Stage, chat: int) -> int:
    result = stage.call(
        stage.ann,
        api.messages.CreateForumTopic(
            peer=stage.input_peer(stage.ann, chat), title="Topic", random_id=stage.random_id()
        ),
    )
    return int(result.updates[0].id)


def in_topic(topic: int) -> api.InputReplyToMessage:
    return api.InputReplyToMessage(reply_to_msg_id=topic, top_msg_id=topic)


def pinned_ids(stage: Stage, who: int, chat: int, **options: Any) -> list[int]:
    found = stage.search(who, chat, filter=api.InputMessagesFilterPinned(), **options)
    return [message.id for message in found.messages]


def last_pinned(stage: Stage, who: int, chat: int) -> int | None:
    if isinstance(stage.chats[chat], api.Chat):
        full = stage.call(who, api.messages.GetFullChat(chat_id=chat))
    else:
        where = stage.input_channel(who, chat)
        full = stage.call(who, api.channels.GetFullChannel(channel=where))
    found: int | None = full.full_chat.pinned_msg_id
    return found


def log_of(stage: Stage, chat: int, **flags: bool) -> list[Any]:
    result = stage.call(
        stage.ann,
        api.channels.GetAdminLog(
            channel=stage.input_channel(stage.ann, chat),
            q="",
            events_filter=api.ChannelAdminLogEventsFilter(**flags) if flags else None,
            max_id=0,
            min_id=0,
            limit=100,
        ),
    )
    return [event.action for event in result.events]


# ------------------------------------------------------------------ B3: one error after the other


def test_b3_order_of_checks_in_a_supergroup(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    stage.ban(stage.ann, chat, stage.bob, view_messages=True)
    stage.world.limit_account(stage.bob)
    wrong = api.InputPeerChannel(channel_id=chat, access_hash=1)
    with fault("CHANNEL_INVALID"):
        stage.call(stage.bob, api.messages.UpdatePinnedMessage(peer=wrong, id=999))
    with fault("CHANNEL_PRIVATE"):
        stage.pin(stage.bob, chat, 999)
    stage.ban(stage.ann, chat, stage.bob)
    stage.publish(stage.ann, chat)
    with fault("USER_BANNED_IN_CHANNEL"):
        stage.pin(stage.bob, chat, 999)
    stage.world.limit_account(stage.bob, limited=False)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.pin(stage.bob, chat, 999)
    stage.join(stage.bob, chat)
    with fault("CHAT_ADMIN_REQUIRED"):
        stage.pin(stage.bob, chat, 999)
    let_everybody_pin(stage, chat)
    with fault("MESSAGE_ID_INVALID"):
        stage.pin(stage.bob, chat, 999)
    message = stage.send(stage.bob, chat)
    stage.pin(stage.bob, chat, message)
    with fault("CHAT_NOT_MODIFIED"):
        stage.pin(stage.bob, chat, message)


def test_b3_order_of_checks_in_a_basic_group(stage: Stage) -> None:
    chat = stage.group(stage.ann, stage.bob)
    stage.call(
        stage.ann,
        api.messages.EditChatDefaultBannedRights(
            peer=stage.input_peer(stage.ann, chat),
            banned_rights=api.ChatBannedRights(until_date=0, pin_messages=True),
        ),
    )
    with fault("PEER_ID_INVALID"):
        stage.pin(stage.eve, chat, 999)
    with fault("CHAT_ADMIN_REQUIRED"):
        stage.pin(stage.bob, chat, 999)
    with fault("MESSAGE_ID_INVALID"):
        stage.pin(stage.ann, chat, 999)
    message = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, message)
    with fault("CHAT_NOT_MODIFIED"):
        stage.pin(stage.ann, chat, message)
    leave_group(stage, stage.bob, chat)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.pin(stage.bob, chat, 999)
    stage.call(stage.ann, api.messages.MigrateChat(chat_id=chat))
    for who in (stage.ann, stage.bob):
        with fault("CHAT_INVALID"):
            stage.pin(who, chat, 999)


def test_b4_a_message_of_another_chat(stage: Stage) -> None:
    one, other = stage.group(stage.ann, stage.bob), stage.group(stage.ann, stage.bob)
    message = stage.send(stage.ann, one)
    for chat in (other, stage.bob, stage.ann):
        with fault("MESSAGE_ID_INVALID"):
            stage.pin(stage.ann, chat, message)


def test_b2_2_slow_mode_and_closed_topics_do_not_matter(stage: Stage) -> None:
    chat = stage.channel(stage.ann, stage.bob, forum=True)
    let_everybody_pin(stage, chat)
    topic = open_topic(stage, chat)
    message = stage.send(stage.bob, chat, reply_to=in_topic(topic))
    where = stage.input_channel(stage.ann, chat)
    stage.call(stage.ann, api.channels.ToggleSlowMode(channel=where, seconds=60))
    stage.call(
        stage.ann,
        api.messages.EditForumTopic(
            peer=stage.input_peer(stage.ann, chat), topic_id=topic, closed=True
        ),
    )
    stage.pin(stage.bob, chat, message)
    assert pinned_ids(stage, stage.ann, chat) == [message]


# ------------------------------------------------------------------ B5 to B7: what comes of a pin


def test_b1_3_everybody_in_a_basic_group_has_ids_of_their_own(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that bob's ids run ahead
    chat = stage.group(stage.ann, stage.bob)
    message = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, message)
    pin, notice = stage.pushes(stage.bob)
    assert pin.messages == [message + 1]
    assert notice.message.reply_to.reply_to_msg_id == message + 1
    assert notice.message.id == message + 2
    assert stage.message(stage.bob, message + 1).pinned  # B5.2
    assert last_pinned(stage, stage.bob, chat) == message + 1


def test_b7_result_in_a_supergroup(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    message = stage.send(stage.bob, chat)
    result = stage.pin(stage.ann, chat, message)
    pin, notice = result.updates
    assert isinstance(pin, api.UpdatePinnedChannelMessages)
    assert isinstance(notice, api.UpdateNewChannelMessage)
    assert (pin.pinned, pin.channel_id, pin.messages, pin.pts_count) == (True, chat, [message], 1)
    assert (notice.pts, notice.pts_count) == (pin.pts + 1, 1)  # B7.3
    assert isinstance(notice.message, api.MessageService)
    assert notice.message.out
    assert notice.message.from_id == api.PeerUser(user_id=stage.ann)
    assert notice.message.reply_to == api.MessageReplyHeader(reply_to_msg_id=message)
    assert result.seq == 0
    assert stage.ann in [user.id for user in result.users]
    assert [one.id for one in result.chats] == [chat]
    told = stage.pushes(stage.bob)
    assert told[0] == pin
    assert not told[1].message.out


def test_b7_4_unpin_has_one_update(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    message = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, message)
    (update,) = stage.pin(stage.ann, chat, message, unpin=True).updates
    assert isinstance(update, api.UpdatePinnedChannelMessages)
    assert not update.pinned


def test_b6_12_post_about_a_pin(stage: Stage) -> None:
    chat = stage.channel(stage.ann, stage.bob, broadcast=True)
    message = stage.send(stage.ann, chat)
    _, notice = stage.pin(stage.ann, chat, message).updates
    assert isinstance(notice, api.UpdateNewChannelMessage)
    assert isinstance(notice.message, api.MessageService)
    assert notice.message.post
    assert notice.message.silent
    assert notice.message.from_id is None


def test_b6_15_anonymous_admin(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    stage.promote(stage.ann, chat, stage.bob, pin_messages=True, anonymous=True)
    message = stage.send(stage.ann, chat)
    _, mine = stage.pin(stage.bob, chat, message).updates
    _, theirs = stage.pushes(stage.ann)
    assert isinstance(mine, api.UpdateNewChannelMessage)
    assert isinstance(mine.message, api.MessageService)
    assert mine.message.out
    assert not theirs.message.out
    assert theirs.message.from_id == api.PeerChannel(channel_id=chat)
    shown: list[Any] = [push.updates for push in stage.world.pushed if push.user_id == stage.ann]
    assert [user.id for one in shown for user in one.users] == []  # nobody learns who it was


def test_b6_14_service_message_stays_in_the_topic(stage: Stage) -> None:
    chat = stage.channel(stage.ann, stage.bob, forum=True)
    topic = open_topic(stage, chat)
    message = stage.send(stage.ann, chat, reply_to=in_topic(topic))
    _, notice = stage.pin(stage.ann, chat, message).updates
    assert isinstance(notice, api.UpdateNewChannelMessage)
    assert isinstance(notice.message, api.MessageService)
    assert notice.message.reply_to == api.MessageReplyHeader(
        forum_topic=True, reply_to_msg_id=message, reply_to_top_id=topic
    )
    general = stage.send(stage.ann, chat)
    _, notice = stage.pin(stage.ann, chat, general).updates
    assert isinstance(notice, api.UpdateNewChannelMessage)
    assert isinstance(notice.message, api.MessageService)
    assert notice.message.reply_to == api.MessageReplyHeader(reply_to_msg_id=general)
    assert pinned_ids(stage, stage.bob, chat, top_msg_id=topic) == [message]
    assert pinned_ids(stage, stage.bob, chat, top_msg_id=1) == [general]


def test_b5_9_service_message_is_unread(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    message = stage.send(stage.ann, chat)
    where = stage.input_channel(stage.bob, chat)
    stage.call(stage.bob, api.channels.ReadHistory(channel=where, max_id=message))
    _, notice = stage.pin(stage.ann, chat, message, silent=True).updates
    assert isinstance(notice, api.UpdateNewChannelMessage)
    dialog = stage.dialog(stage.bob, chat)
    assert dialog.top_message == notice.message.id
    assert dialog.unread_count == 1
    assert not dialog.pinned  # B8.5


def test_b5_10_there_is_no_limit(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    ids = [stage.send(stage.ann, chat, str(n)) for n in range(120)]
    pts = []
    for message in ids:
        update, _ = stage.pin(stage.ann, chat, message).updates
        assert isinstance(update, api.UpdatePinnedChannelMessages)
        pts.append(update.pts)
    assert pts == list(range(pts[0], pts[0] + 240, 2))  # B10.7
    found = stage.search(stage.bob, chat, filter=api.InputMessagesFilterPinned(), limit=100)
    assert (found.count, len(found.messages)) == (120, 100)


# ------------------------------------------------------------------ B8: what reads show


def test_b8_1_and_b8_4_newest_pin(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    first, second = stage.send(stage.ann, chat), stage.send(stage.ann, chat)
    for message in (second, first):
        stage.pin(stage.ann, chat, message)
    notice = stage.history(stage.ann, chat).messages[0]
    assert last_pinned(stage, stage.bob, chat) == second
    where = stage.input_channel(stage.bob, chat)
    names = [api.InputMessagePinned(), api.InputMessageReplyTo(id=notice.id)]
    found = stage.call(stage.bob, api.channels.GetMessages(channel=where, id=names)).messages
    assert [message.id for message in found] == [second, first]
    assert all(message.pinned for message in found)
    unpin_all(stage, stage.ann, chat)
    assert last_pinned(stage, stage.bob, chat) is None
    (gone,) = stage.call(
        stage.bob, api.channels.GetMessages(channel=where, id=[api.InputMessagePinned()])
    ).messages
    assert isinstance(gone, api.MessageEmpty)


def test_b8_1_hidden_history_hides_its_pins(stage: Stage) -> None:
    chat = supergroup(stage)
    where = stage.input_channel(stage.ann, chat)
    old = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, old)
    stage.call(stage.ann, api.channels.TogglePreHistoryHidden(channel=where, enabled=True))
    stage.invite(stage.ann, chat, stage.bob)
    assert last_pinned(stage, stage.bob, chat) is None
    assert pinned_ids(stage, stage.bob, chat) == []
    new = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, new)
    assert last_pinned(stage, stage.bob, chat) == new
    assert pinned_ids(stage, stage.bob, chat) == [new]
    assert pinned_ids(stage, stage.ann, chat) == [new, old]
    let_everybody_pin(stage, chat)
    with fault("MESSAGE_ID_INVALID"):
        stage.pin(stage.bob, chat, old, unpin=True)


def test_b8_2_paging(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    ids = [stage.send(stage.ann, chat, str(n)) for n in range(5)]
    for message in ids[1:]:
        stage.pin(stage.ann, chat, message, silent=True)
    pinned = ids[:0:-1]
    pts = stage.call(
        stage.bob, api.channels.GetFullChannel(channel=stage.input_channel(stage.bob, chat))
    ).full_chat.pts
    found = stage.search(stage.bob, chat, filter=api.InputMessagesFilterPinned(), limit=2)
    assert isinstance(found, api.messages.ChannelMessages)
    assert (found.pts, found.count) == (pts, 4)
    assert [message.id for message in found.messages] == pinned[:2]
    assert pinned_ids(stage, stage.bob, chat, limit=2, offset_id=pinned[1]) == pinned[2:]
    assert pinned_ids(stage, stage.bob, chat, limit=2, add_offset=1) == pinned[1:3]
    assert pinned_ids(stage, stage.bob, chat, min_id=ids[2]) == pinned[:2]
    assert pinned_ids(stage, stage.bob, chat, max_id=ids[2]) == pinned[3:]
    assert pinned_ids(stage, stage.bob, chat, q="3") == [ids[3]]
    none = stage.search(stage.bob, chat, filter=api.InputMessagesFilterPinned(), limit=0)
    assert (none.count, none.messages) == (4, [])


def test_b8_2_bots_may_not_search(stage: Stage) -> None:
    chat = supergroup(stage, stage.bot)
    with fault("BOT_METHOD_INVALID"):
        pinned_ids(stage, stage.bot, chat)


@pytest.mark.parametrize("topic", [False, True])
def test_b8_3_counters(stage: Stage, topic: bool) -> None:
    chat = stage.channel(stage.ann, stage.bob, forum=True)
    root = open_topic(stage, chat)
    stage.pin(stage.ann, chat, stage.send(stage.ann, chat))
    stage.pin(stage.ann, chat, stage.send(stage.ann, chat, reply_to=in_topic(root)))
    (counter,) = stage.call(
        stage.bob,
        api.messages.GetSearchCounters(
            peer=stage.input_peer(stage.bob, chat),
            top_msg_id=root if topic else None,
            filters=[api.InputMessagesFilterPinned()],
        ),
    )
    assert counter.count == (1 if topic else 2)


def test_b8_6_and_b9_6_recent_actions(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    first, second = stage.send(stage.ann, chat, "one"), stage.send(stage.ann, chat, "two")
    stage.pin(stage.ann, chat, first)
    stage.pin(stage.ann, chat, first, unpin=True)
    stage.pin(stage.ann, chat, first)
    stage.pin(stage.ann, chat, second)
    unpin_all(stage, stage.ann, chat)
    actions = log_of(stage, chat, pinned=True)
    assert set(kinds(actions)) == {"ChannelAdminLogEventActionUpdatePinned"}
    found = [(one.message.id, one.message.pinned) for one in actions]
    assert sorted(found[:2]) == [(first, False), (second, False)]
    assert found[2:] == [(second, True), (first, True), (first, False), (first, True)]
    assert actions[-1].message.message == "one"
    assert not log_of(stage, chat, delete=True)


# ------------------------------------------------------------------ B9: unpinAllMessages


def test_b9_4_one_update_with_all_ids(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    ids = [stage.send(stage.ann, chat) for _ in range(3)]
    for message in ids:
        stage.pin(stage.ann, chat, message)
    before = stage.history(stage.bob, chat).pts
    result = unpin_all(stage, stage.ann, chat)
    assert (result.pts, result.pts_count, result.offset) == (before + 3, 3, 0)
    (told,) = stage.pushes(stage.bob)
    assert told == api.UpdatePinnedChannelMessages(
        channel_id=chat, messages=ids, pts=before + 3, pts_count=3
    )
    missed = stage.channel_difference(stage.bob, chat, before)
    assert (missed.other_updates, missed.new_messages, missed.pts) == ([told], [], before + 3)


def test_b9_2_general_topic(stage: Stage) -> None:
    chat = stage.channel(stage.ann, forum=True)
    topic = open_topic(stage, chat)
    inside = stage.send(stage.ann, chat, reply_to=in_topic(topic))
    general = stage.send(stage.ann, chat)
    for message in (inside, general):
        stage.pin(stage.ann, chat, message)
    assert unpin_all(stage, stage.ann, chat, top_msg_id=1).pts_count == 1
    assert pinned_ids(stage, stage.ann, chat) == [inside]


def test_b9_3_batches_in_a_basic_group(make_stage: MakeStage) -> None:
    stage = make_stage(affected_batch=2)
    chat = stage.group(stage.ann, stage.bob)
    ids = [stage.send(stage.ann, chat) for _ in range(5)]
    for message in ids:
        stage.pin(stage.ann, chat, message)
    left: list[int] = []
    while not left or left[-1]:
        left.append(unpin_all(stage, stage.bob, chat).offset)
    assert left == [3, 1, 0]
    assert pinned_ids(stage, stage.ann, chat) == []


def test_b9_copies_that_the_caller_has_not(stage: Stage) -> None:
    chat = stage.group(stage.ann, stage.bob)
    message = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, message)
    stage.delete(stage.ann, message)
    result = unpin_all(stage, stage.ann, chat)
    assert result.pts_count == 0
    assert kinds(stage.pushes(stage.bob)) == ["UpdatePinnedMessages"]
    assert last_pinned(stage, stage.bob, chat) is None


@pytest.mark.parametrize("layer", [133, 158, 198, 228])
def test_b9_older_layers(stage: Stage, layer: int) -> None:
    chat = supergroup(stage, stage.bob)
    message = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, message)
    method: Any = registry(layer).get("messages.unpinAllMessages")
    request = method(peer=stage.input_peer(stage.ann, chat))
    assert stage.world.call(stage.ann, request, layer).pts_count == 1
    pin: Any = registry(layer).get("messages.updatePinnedMessage")
    request = pin(peer=stage.input_peer(stage.ann, chat), id=message)
    result = stage.world.call(stage.ann, request, layer)
    assert kinds(result.updates) == ["UpdatePinnedChannelMessages", "UpdateNewChannelMessage"]


# ------------------------------------------------------------------ B10: what else may happen


def test_b10_1_deleting_in_a_supergroup(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    first, second = stage.send(stage.ann, chat), stage.send(stage.ann, chat)
    for message in (first, second):
        stage.pin(stage.ann, chat, message)
    where = stage.input_channel(stage.ann, chat)
    stage.call(stage.ann, api.channels.DeleteMessages(channel=where, id=[second]))
    assert kinds(stage.pushes(stage.bob)) == ["UpdateDeleteChannelMessages"]
    assert last_pinned(stage, stage.bob, chat) == first


def test_b10_3_deleting_the_history_of_a_basic_group(stage: Stage) -> None:
    chat = stage.group(stage.ann, stage.bob)
    message = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, message)
    peer = stage.input_peer(stage.ann, chat)
    stage.call(stage.ann, api.messages.DeleteHistory(peer=peer, max_id=0, just_clear=True))
    assert last_pinned(stage, stage.ann, chat) is None
    assert last_pinned(stage, stage.bob, chat) is not None


def test_b10_3_forwards_are_not_pinned(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    message = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, message)
    result = stage.forward(stage.ann, chat, [message], chat)
    (copy,) = [update.message for update in result.updates if hasattr(update, "message")]
    assert not copy.pinned


def test_b6_17_pins_stay_behind_when_a_group_moves(stage: Stage) -> None:
    chat = stage.group(stage.ann, stage.bob)
    message = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, message)
    result = stage.call(stage.ann, api.messages.MigrateChat(chat_id=chat))
    (channel,) = [one for one in result.chats if isinstance(one, api.Channel)]
    stage.chats[channel.id] = channel
    assert last_pinned(stage, stage.ann, channel.id) is None
    assert pinned_ids(stage, stage.ann, channel.id) == []
    assert pinned_ids(stage, stage.ann, chat) == [message]


def test_b6_9_who_left_keeps_the_pins_of_then(stage: Stage) -> None:
    chat = stage.group(stage.ann, stage.bob)
    message = stage.send(stage.ann, chat)
    stage.pin(stage.ann, chat, message)
    leave_group(stage, stage.bob, chat)
    stage.pin(stage.ann, chat, message, unpin=True)
    assert stage.pushed_to() <= {stage.ann}
    assert stage.message(stage.bob, stage.history(stage.bob, chat).messages[-2].id).pinned


def test_offline_members_find_the_pin_in_the_difference(stage: Stage) -> None:
    chat = supergroup(stage, stage.bob)
    message = stage.send(stage.ann, chat)
    pts = stage.history(stage.bob, chat).pts
    stage.go_offline(stage.bob)
    stage.pin(stage.ann, chat, message)
    assert stage.bob not in stage.pushed_to()
    missed = stage.channel_difference(stage.bob, chat, pts)
    assert kinds(missed.other_updates) == ["UpdatePinnedChannelMessages"]
    assert kinds(missed.new_messages) == ["MessageService"]
    assert missed.pts == pts + 2
