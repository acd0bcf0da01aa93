"""Sending, forwarding, editing and deleting in groups, supergroups and channels (C3)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import chat_store, message_store, rights
from radiogram.server.tables import topics, users
from radiogram.tl import api
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds

KINDS: list[dict[str, bool]] = [{}, {"megagroup": True}, {"broadcast": True}]


def make_room(stage: Stage, kind: dict[str, bool], *others: int) -> int:
    return stage.channel(stage.ann, *others, **kind) if kind else stage.group(stage.ann, *others)


def change_chat(stage: Stage, chat: int, **values: Any) -> None:
    with stage.world.db.begin() as tx:
        chat_store.change_chat(tx, chat, **values)


def change_member(stage: Stage, chat: int, who: int, **values: Any) -> None:
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, chat, who, **values)


def leave(stage: Stage, chat: int, who: int) -> None:
    change_member(stage, chat, who, state=chat_store.LEFT)


def promote(stage: Stage, chat: int, who: int, *names: str, rank: str | None = None) -> None:
    mask = sum(rights.ADMIN[name] for name in names)
    change_member(stage, chat, who, admin_rights=mask, rank=rank)


def restrict(stage: Stage, chat: int, who: int, *names: str) -> None:
    mask = sum(rights.BANNED[name] for name in names)
    change_member(stage, chat, who, banned_rights=mask)


def add_topic(
    stage: Stage, chat: int, topic: int, *, closed: bool = False, creator: int = 0
) -> None:
    with stage.world.db.begin() as tx:
        tx.execute(
            topics.insert().values(
                chat_id=chat,
                id=topic,
                title="Topic",
                icon_color=0,
                creator_id=creator or stage.ann,
                date=NOON,
                closed=closed,
            )
        )


def told(stage: Stage, who: int) -> Any:
    """Return the message of the only new-message update that was pushed to somebody."""
    new = (api.UpdateNewMessage, api.UpdateNewChannelMessage)
    (update,) = [update for update in stage.pushes(who) if isinstance(update, new)]
    return update.message


# -------------------------------------------------------------------- sending


@pytest.mark.parametrize("kind", KINDS)
def test_c3_members_get_it_and_nobody_else(stage: Stage, kind: dict[str, bool]) -> None:
    room = make_room(stage, kind, stage.bob, stage.eve)
    leave(stage, room, stage.eve)
    stage.send(stage.ann, room, "hello")
    assert stage.pushed_to() == {stage.ann, stage.bob}
    assert told(stage, stage.bob).out is False
    assert told(stage, stage.ann).out is True


@pytest.mark.parametrize("kind", KINDS)
def test_c3_who_is_not_in_it_does_not_write(stage: Stage, kind: dict[str, bool]) -> None:
    room = make_room(stage, kind, stage.bob)
    outside = "CHANNEL_PRIVATE" if kind else "PEER_ID_INVALID"
    with fault(outside):
        stage.send(stage.eve, room)
    leave(stage, room, stage.bob)
    if kind:
        with fault("CHANNEL_PRIVATE"):
            stage.send(stage.bob, room)
    else:
        with fault("CHAT_WRITE_FORBIDDEN", 403):
            stage.send(stage.bob, room)
    assert not stage.pushed_to()


def test_c3_a_public_group_is_read_but_not_written_by_outsiders(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    change_chat(stage, room, username="open_room")
    assert stage.history(stage.bob, room).messages
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.send(stage.bob, room)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_c3_the_result_of_a_send_to_a_channel(stage: Stage, kind: dict[str, bool]) -> None:
    room = make_room(stage, kind)
    result = stage.call(
        stage.ann,
        api.messages.SendMessage(
            peer=stage.input_peer(stage.ann, room), message="one", random_id=9, clear_draft=True
        ),
    )
    identity, read, new = result.updates
    assert identity == api.UpdateMessageID(id=2, random_id=9)
    assert read == api.UpdateReadChannelInbox(
        channel_id=room, max_id=2, still_unread_count=0, pts=3
    )
    assert isinstance(new, api.UpdateNewChannelMessage)
    assert (new.pts, new.pts_count, new.message.out) == (3, 1, True)
    assert [chat.id for chat in result.chats] == [room]


def test_c3_short_sent_message_in_a_basic_group(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    request = api.messages.SendMessage(
        peer=stage.input_peer(stage.ann, group), message="one", random_id=9
    )
    result = stage.call(stage.ann, request)
    assert isinstance(result, api.UpdateShortSentMessage)
    assert stage.message(stage.ann, result.id).message == "one"


def test_c0_3_7_short_pushes_in_a_basic_group(make_stage: MakeStage) -> None:
    stage = make_stage(short_updates="always")
    group = stage.group(stage.ann, stage.bob)
    stage.world.pushed.clear()
    request = api.messages.SendMessage(
        peer=stage.input_peer(stage.ann, group), message="one", random_id=9
    )
    stage.world.call(stage.ann, request)
    pushed = {push.user_id: push.updates for push in stage.world.pushed}
    assert pushed[stage.bob] == api.UpdateShortChatMessage(
        id=2, from_id=stage.ann, chat_id=group, message="one", pts=3, pts_count=1, date=NOON
    )
    mine = pushed[stage.ann]
    assert isinstance(mine, api.UpdateShortChatMessage)
    assert mine.out


def test_c0_3_7_what_no_short_form_can_say(make_stage: MakeStage) -> None:
    stage = make_stage(short_updates="always")
    group = stage.group(stage.ann, stage.bob)
    news = stage.channel(stage.ann, broadcast=True)
    post = stage.send(stage.ann, news)
    mention = api.InputMessageEntityMentionName(
        offset=0, length=3, user_id=stage.input_user(stage.ann, stage.eve)
    )
    peer = stage.input_peer(stage.ann, group)
    for request in (
        api.messages.SendMessage(peer=peer, message="hey", random_id=801, entities=[mention]),
        api.messages.SendMessage(peer=peer, message="hey", random_id=802, noforwards=True),
        api.messages.ForwardMessages(
            from_peer=stage.input_peer(stage.ann, news), to_peer=peer, id=[post], random_id=[803]
        ),
        api.messages.SendMessage(
            peer=stage.input_peer(stage.ann, news), message="hey", random_id=804
        ),
    ):
        stage.call(stage.ann, request)
        assert stage.world.pushed
        assert all(isinstance(push.updates, api.Updates) for push in stage.world.pushed)


def test_c3_replies_across_chats(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    group = stage.group(stage.ann, stage.bob)
    sent, other = stage.send(stage.ann, room, "one"), stage.send(stage.ann, group, "two")
    for target in (group, stage.bob):
        source = api.InputReplyToMessage(
            reply_to_msg_id=sent, reply_to_peer_id=stage.input_peer(stage.ann, room)
        )
        stage.send(stage.ann, target, "look", reply_to=source)
        header = told(stage, stage.bob).reply_to
        assert header.reply_to_msg_id == sent
        assert header.reply_to_peer_id == api.PeerChannel(channel_id=room)
        assert header.reply_from.from_id == api.PeerUser(user_id=stage.ann)
    source = api.InputReplyToMessage(
        reply_to_msg_id=other, reply_to_peer_id=stage.input_peer(stage.ann, group)
    )
    stage.send(stage.ann, room, "look", reply_to=source)
    header = told(stage, stage.bob).reply_to  # an id of her own box means nothing to him
    assert (header.reply_to_msg_id, header.reply_to_peer_id) == (None, None)
    assert header.reply_from is not None
    change_chat(stage, group, noforwards=True)
    with fault("CHAT_FORWARDS_RESTRICTED"):
        stage.send(stage.ann, room, "look", reply_to=source)


def test_c0_2_2_random_ids_of_channels(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    stage.send(stage.ann, room, random_id=5)
    with fault("RANDOM_ID_DUPLICATE", 500):
        stage.send(stage.ann, room, random_id=5)
    with fault("RANDOM_ID_DUPLICATE", 500):
        stage.send(stage.ann, stage.bob, random_id=5)
    stage.send(stage.bob, room, random_id=5)


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize(
    ("what", "error"),
    [("send_messages", "CHAT_WRITE_FORBIDDEN"), ("send_plain", "CHAT_SEND_PLAIN_FORBIDDEN")],
)
def test_c0_1_4_default_restrictions(
    stage: Stage, kind: dict[str, bool], what: str, error: str
) -> None:
    room = make_room(stage, kind, stage.bob)
    change_chat(stage, room, default_banned=rights.BANNED[what])
    with fault(error, 403):
        stage.send(stage.bob, room)
    stage.send(stage.ann, room)


def test_c0_1_4_own_restrictions_end(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    restrict(stage, room, stage.bob, "send_messages")
    change_member(stage, room, stage.bob, until_date=NOON + 60)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.send(stage.bob, room)
    stage.world.clock.advance(60)
    stage.send(stage.bob, room)


def test_c3_posting_needs_the_right(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    with fault("CHAT_ADMIN_REQUIRED"):
        stage.send(stage.bob, news)
    promote(stage, news, stage.bob, "post_messages")
    stage.send(stage.bob, news, "post")
    heard = told(stage, stage.ann)
    assert (heard.post, heard.from_id, heard.out) == (True, None, False)
    assert told(stage, stage.bob).out


def test_c3_signed_posts(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    change_chat(stage, news, signatures=True)
    stage.send(stage.ann, news)
    assert told(stage, stage.bob).post_author == "Ann"
    change_chat(stage, news, signature_profiles=True)
    stage.send(stage.ann, news)
    heard = told(stage, stage.bob)
    assert (heard.from_id, heard.post) == (api.PeerUser(user_id=stage.ann), True)


def test_c3_anonymous_admins(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, stage.eve, megagroup=True)
    promote(stage, room, stage.bob, "anonymous", rank="boss")
    stage.send(stage.bob, room)
    (push,) = [push for push in stage.world.pushed if push.user_id == stage.eve]
    heard = told(stage, stage.eve)
    assert heard.from_id == api.PeerChannel(channel_id=room)
    assert (heard.out, heard.post, heard.post_author) == (False, False, "boss")
    assert stage.bob not in {user.id for user in push.updates.users}
    assert told(stage, stage.bob).out
    found = stage.search(stage.eve, room, from_id=stage.input_peer(stage.eve, stage.bob))
    assert found.messages == []


def test_c5_send_as(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    news = stage.channel(stage.ann, broadcast=True)
    stage.send(stage.ann, room, send_as=stage.input_peer(stage.ann, news))
    assert told(stage, stage.bob).from_id == api.PeerChannel(channel_id=news)
    stage.send(stage.ann, room, send_as=api.InputPeerSelf())
    assert told(stage, stage.bob).from_id == api.PeerUser(user_id=stage.ann)
    promote(stage, room, stage.bob, "anonymous")
    stage.send(stage.bob, room, send_as=stage.input_peer(stage.bob, room))
    assert told(stage, stage.ann).from_id == api.PeerChannel(channel_id=room)
    for who, name in (
        (stage.bob, api.InputPeerSelf()),  # an anonymous admin
        (stage.ann, stage.input_peer(stage.ann, room)),  # no anonymous admin
        (stage.ann, stage.input_peer(stage.ann, stage.bob)),
        (stage.bob, stage.input_peer(stage.ann, news)),
        (stage.ann, api.InputPeerEmpty()),
    ):
        with fault("SEND_AS_PEER_INVALID"):
            stage.send(who, room, send_as=name)


def test_c5_slow_mode(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = [stage.send(stage.ann, stage.bob) for _ in range(2)]
    change_chat(stage, room, slowmode_seconds=30)
    stage.send(stage.bob, room)
    stage.world.clock.advance(10)
    with fault("SLOWMODE_WAIT_20", 420):
        stage.send(stage.bob, room)
    with fault("SLOWMODE_MULTI_MSGS_DISABLED"):
        stage.forward(stage.bob, stage.ann, [1, 2], room)
    stage.send(stage.ann, room)  # not for admins
    stage.forward(stage.ann, stage.bob, sent, room)
    typing = api.messages.SetTyping(
        peer=stage.input_peer(stage.bob, room), action=api.SendMessageTypingAction()
    )
    assert stage.call(stage.bob, typing)
    stage.world.clock.advance(20)
    stage.send(stage.bob, room)


def test_limited_accounts_write_in_no_channel(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    with stage.world.db.begin() as tx:
        tx.execute(users.update().where(users.c.id == stage.bob).values(limited=True))
    with fault("USER_BANNED_IN_CHANNEL"):
        stage.send(stage.bob, room)


# -------------------------------------------------------------------- topics


def reply(message_id: int, topic: int | None = None) -> api.InputReplyToMessage:
    return api.InputReplyToMessage(reply_to_msg_id=message_id, top_msg_id=topic)


def test_c4_topics(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, forum=True)
    add_topic(stage, room, 50)
    first = stage.send(stage.bob, room, "in it", reply_to=reply(50))
    assert told(stage, stage.ann).reply_to == api.MessageReplyHeader(
        forum_topic=True, reply_to_msg_id=50
    )
    same = stage.send(stage.bob, room, "in it", reply_to=reply(50, 50))
    assert told(stage, stage.ann).reply_to.reply_to_msg_id == 50
    answer = stage.send(stage.ann, room, "yes", reply_to=reply(first))
    assert told(stage, stage.bob).reply_to == api.MessageReplyHeader(
        forum_topic=True, reply_to_msg_id=first, reply_to_top_id=50
    )
    general = stage.send(stage.ann, room, "elsewhere")
    assert told(stage, stage.bob).reply_to is None
    for name in (reply(1), reply(1, 1)):
        stage.send(stage.ann, room, "elsewhere", reply_to=name)
        assert told(stage, stage.bob).reply_to is None
    found = stage.search(stage.bob, room, q="", top_msg_id=50, from_id=None, filter=PINNED)
    assert found.messages == []
    found = stage.search(stage.bob, room, q="e", top_msg_id=50)
    assert [m.id for m in found.messages] == [answer]
    assert stage.search(stage.bob, room, q="i", top_msg_id=50).count == 2
    found = stage.search(stage.bob, room, q="else", top_msg_id=1)
    assert general in [m.id for m in found.messages]
    assert same not in [m.id for m in found.messages]


PINNED = api.InputMessagesFilterPinned()


def test_c4_forwards_into_a_topic(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, forum=True)
    add_topic(stage, room, 50)
    sent = stage.send(stage.ann, stage.bob)
    stage.forward(stage.ann, stage.bob, [sent], room, top_msg_id=50)
    assert told(stage, stage.bob).reply_to.reply_to_msg_id == 50


def test_c4_topics_that_are_closed_or_gone(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, stage.eve, forum=True)
    add_topic(stage, room, 50, closed=True, creator=stage.eve)
    inside = stage.send(stage.ann, room, reply_to=reply(50))
    for name in (reply(50), reply(inside)):
        with fault("TOPIC_CLOSED"):
            stage.send(stage.bob, room, reply_to=name)
    stage.send(stage.eve, room, reply_to=reply(50))
    with fault("TOPIC_DELETED"):
        stage.send(stage.bob, room, reply_to=reply(60, 60))
    with fault("REPLY_MESSAGE_ID_INVALID"):
        stage.send(stage.bob, room, reply_to=reply(60))
    add_topic(stage, room, 1, closed=True)
    with fault("TOPIC_CLOSED"):
        stage.send(stage.bob, room)


# -------------------------------------------------------------------- forwards


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_c3_forwards_between_all_kinds(
    stage: Stage, source: dict[str, bool], target: dict[str, bool]
) -> None:
    first, second = make_room(stage, source, stage.bob), make_room(stage, target, stage.bob)
    sent = stage.send(stage.ann, first, "hello")
    stage.forward(stage.ann, first, [sent], second)
    header = told(stage, stage.bob).fwd_from
    if source == {"broadcast": True}:
        assert header.from_id == api.PeerChannel(channel_id=first)
        assert header.channel_post == sent
    else:
        assert header == api.MessageFwdHeader(from_id=api.PeerUser(user_id=stage.ann), date=NOON)


def test_c3_a_forward_tells_no_anonymous_admin(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    promote(stage, room, stage.ann, "anonymous")
    sent = stage.send(stage.ann, room)
    copied = stage.forward(stage.bob, room, [sent], stage.eve)
    assert told(stage, stage.eve).fwd_from.from_id == api.PeerChannel(channel_id=room)
    again = copied.updates[1].message.id
    stage.forward(stage.bob, stage.eve, [again], stage.bob)
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    post = stage.send(stage.ann, news)
    second = stage.forward(stage.ann, news, [post], news).updates[-1].message.id
    stage.forward(stage.bob, news, [second], stage.bob)
    saved = told(stage, stage.bob).fwd_from
    assert saved.saved_from_id == api.PeerChannel(channel_id=news)
    assert saved.saved_from_peer == api.PeerChannel(channel_id=news)


def test_c3_protected_rooms(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = stage.send(stage.ann, room)
    loose = stage.send(stage.ann, room, noforwards=True)
    with fault("CHAT_FORWARDS_RESTRICTED"):
        stage.forward(stage.bob, room, [loose], stage.eve)
    change_chat(stage, room, noforwards=True)
    with fault("CHAT_FORWARDS_RESTRICTED"):
        stage.forward(stage.bob, room, [sent], stage.eve)


def test_b10_3_forwards_are_not_pinned_and_edits_keep_the_pin(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    sent = stage.send(stage.ann, group)
    with stage.world.db.begin() as tx:
        message_store.set_pinned(tx, stage.ann, [sent], True)
    stage.forward(stage.ann, group, [sent], stage.bob)
    assert told(stage, stage.bob).pinned is False
    stage.edit(stage.ann, group, sent, "two")
    (update,) = stage.pushes(stage.ann)
    assert update.message.pinned
    (update,) = stage.pushes(stage.bob)
    assert not update.message.pinned


# -------------------------------------------------------------------- editing


@pytest.mark.parametrize("kind", KINDS)
def test_c3_edits_reach_members(stage: Stage, kind: dict[str, bool]) -> None:
    room = make_room(stage, kind, stage.bob)
    sent = stage.send(stage.ann, room, "one")
    stage.edit(stage.ann, room, sent, "two")
    name = "UpdateEditChannelMessage" if kind else "UpdateEditMessage"
    for who in (stage.ann, stage.bob):
        (update,) = stage.pushes(who)
        assert type(update).__name__ == name
        assert (update.message.message, update.message.out) == ("two", who == stage.ann)
    error, code = "MESSAGE_AUTHOR_REQUIRED", 403
    if kind == {"broadcast": True}:
        error, code = "CHAT_ADMIN_REQUIRED", 400
    with fault(error, code):
        stage.edit(stage.bob, room, stage.history(stage.bob, room).messages[0].id, "three")


def test_c3_posts_are_edited_by_admins_with_the_right(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, stage.eve, broadcast=True)
    post = stage.send(stage.ann, news, "one")
    promote(stage, news, stage.bob, "edit_messages")
    stage.edit(stage.bob, news, post, "two")
    promote(stage, news, stage.eve, "post_messages")
    with fault("MESSAGE_AUTHOR_REQUIRED", 403):
        stage.edit(stage.eve, news, post, "three")
    stage.world.clock.advance(200_000)
    stage.edit(stage.bob, news, post, "three")
    own = stage.send(stage.eve, news)
    change_member(stage, news, stage.eve, admin_rights=None)
    with fault("CHAT_ADMIN_REQUIRED"):
        stage.edit(stage.eve, news, own, "mine")


def test_c3_edit_time(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = stage.send(stage.bob, room)
    stage.world.clock.advance(200_000)
    with fault("MESSAGE_EDIT_TIME_EXPIRED"):
        stage.edit(stage.bob, room, sent, "late")
    promote(stage, room, stage.bob, "pin_messages")
    stage.edit(stage.bob, room, sent, "late")


@pytest.mark.parametrize("kind", KINDS[:2])
def test_c3_who_left_or_is_silenced_edits_nothing(stage: Stage, kind: dict[str, bool]) -> None:
    room = make_room(stage, kind, stage.bob)
    sent = stage.send(stage.bob, room, "one")
    change_chat(stage, room, default_banned=rights.BANNED["send_messages"])
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.edit(stage.bob, room, sent, "two")
    leave(stage, room, stage.bob)
    if kind:
        with fault("CHANNEL_PRIVATE"):
            stage.edit(stage.bob, room, sent, "two")
    else:
        with fault("CHAT_WRITE_FORBIDDEN", 403):
            stage.edit(stage.bob, room, sent, "two")


def test_c3_who_left_a_group_keeps_what_was_said(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    sent = stage.send(stage.ann, group, "one")
    leave(stage, group, stage.eve)
    stage.edit(stage.ann, group, sent, "two")
    assert stage.pushed_to() == {stage.ann, stage.bob}
    newest = stage.history(stage.eve, group).messages[0]
    assert (newest.message, newest.edit_date) == ("one", None)
    assert stage.history(stage.bob, group).messages[0].message == "two"
    stage.delete(stage.ann, sent, revoke=True)
    assert stage.pushed_to() == {stage.ann, stage.bob}
    assert stage.history(stage.eve, group).messages[0].message == "one"
    assert stage.history(stage.bob, group).messages[0].id == 1


# -------------------------------------------------------------------- deleting in basic groups


def test_c3_revoke_in_a_basic_group(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    hers, his = stage.send(stage.ann, group), stage.send(stage.bob, group)
    his_hers = stage.history(stage.bob, group).messages[1].id
    with fault("MESSAGE_DELETE_FORBIDDEN", 403):
        stage.delete(stage.bob, his, his_hers, revoke=True)
    result = stage.delete(stage.bob, his, revoke=True)
    assert result.pts_count == 1
    assert stage.pushed_to() == {stage.ann, stage.bob, stage.eve}
    assert kinds(stage.pushes(stage.eve)) == ["UpdateDeleteMessages"]
    stage.delete(stage.bob, his_hers)  # for oneself
    assert stage.pushed_to() == {stage.bob}
    other = stage.send(stage.bob, group)
    hers_other = stage.history(stage.ann, group).messages[0].id
    assert stage.delete(stage.ann, hers, hers_other, revoke=True).pts_count == 2
    assert other
    assert [m.id for m in stage.history(stage.eve, group).messages] == [1]


def test_c3_admins_of_a_basic_group_revoke_everything(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    stage.send(stage.ann, group)
    promote(stage, group, stage.bob, "change_info")
    mine = stage.history(stage.bob, group).messages[0].id
    stage.delete(stage.bob, mine, revoke=True)
    assert len(stage.history(stage.ann, group).messages) == 1


def test_c3_who_left_revokes_nothing(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    sent = stage.send(stage.bob, group)
    leave(stage, group, stage.bob)
    with fault("MESSAGE_DELETE_FORBIDDEN", 403):
        stage.delete(stage.bob, sent, revoke=True)
    stage.delete(stage.bob, sent)
    assert len(stage.history(stage.ann, group).messages) == 2


# -------------------------------------------------------------------- typing


def typing(stage: Stage, who: int, room: int, **options: Any) -> bool:
    request = api.messages.SetTyping(
        peer=stage.input_peer(who, room), action=api.SendMessageTypingAction(), **options
    )
    return bool(stage.call(who, request))


def test_c0_3_9_typing_in_rooms(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.bot)
    action = api.SendMessageTypingAction()
    me = api.PeerUser(user_id=stage.ann)
    assert typing(stage, stage.ann, group)
    assert stage.pushes(stage.bob) == [
        api.UpdateChatUserTyping(chat_id=group, from_id=me, action=action)
    ]
    assert stage.pushed_to() == {stage.bob}
    room = stage.channel(stage.ann, stage.bob, stage.bot, forum=True)
    assert typing(stage, stage.ann, room, top_msg_id=7)
    assert stage.pushes(stage.bob) == [
        api.UpdateChannelUserTyping(channel_id=room, from_id=me, action=action, top_msg_id=7)
    ]
    assert stage.pushed_to() == {stage.bob}
    promote(stage, room, stage.bob, "anonymous")
    assert typing(stage, stage.bob, room)
    (update,) = stage.pushes(stage.ann)
    assert update.from_id == api.PeerChannel(channel_id=room)
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    assert typing(stage, stage.ann, news)
    assert not stage.pushed_to()


def test_drafts_are_not_typed_in_rooms(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    text = api.TextWithEntities(text="x", entities=[])
    draft = api.SendMessageTextDraftAction(random_id=1, text=text)
    with fault("TEXTDRAFT_PEER_INVALID"):
        stage.call(
            stage.ann,
            api.messages.SetTyping(peer=stage.input_peer(stage.ann, group), action=draft),
        )


def test_a_group_that_is_no_more(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    sent = stage.send(stage.ann, group)
    change_chat(stage, group, deleted=True)
    with fault("CHAT_INVALID"):
        stage.send(stage.ann, group)
    with fault("CHAT_INVALID"):
        stage.edit(stage.ann, group, sent, "two")
    with fault("CHAT_INVALID"):
        typing(stage, stage.ann, group)
    assert len(stage.history(stage.ann, group).messages) == 2


def test_typing_where_one_must_not_write(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    leave(stage, group, stage.bob)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        typing(stage, stage.bob, group)
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    with fault("CHAT_ADMIN_REQUIRED"):
        typing(stage, stage.bob, news)
