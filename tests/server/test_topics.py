"""The topics of a forum (C4)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import layers
from radiogram.server.rpc import RpcFault
from radiogram.server.tables import users
from radiogram.tl import api
from radiogram.tl.build import registry
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds


def forum(stage: Stage, *others: int) -> int:
    return stage.channel(stage.ann, *others, forum=True)


def do(stage: Stage, who: int, method: Any, chat: int, **fields: Any) -> Any:
    return stage.call(who, method(peer=stage.input_peer(who, chat), **fields))


def create(stage: Stage, who: int, chat: int, title: str = "Topic", **fields: Any) -> int:
    fields.setdefault("random_id", stage.random_id())
    result = do(stage, who, api.messages.CreateForumTopic, chat, title=title, **fields)
    first, second = result.updates
    assert isinstance(first, api.UpdateMessageID)
    assert first.id == second.message.id
    return int(first.id)


def edit(stage: Stage, who: int, chat: int, topic_id: int, **fields: Any) -> Any:
    return do(stage, who, api.messages.EditForumTopic, chat, topic_id=topic_id, **fields)


def topics(stage: Stage, who: int, chat: int, **options: Any) -> Any:
    fields = {"offset_date": 0, "offset_id": 0, "offset_topic": 0, "limit": 100, **options}
    return do(stage, who, api.messages.GetForumTopics, chat, **fields)


def ids(stage: Stage, who: int, chat: int, **options: Any) -> list[int]:
    return [topic.id for topic in topics(stage, who, chat, **options).topics]


def by_id(stage: Stage, who: int, chat: int, *numbers: int) -> Any:
    return do(stage, who, api.messages.GetForumTopicsByID, chat, topics=list(numbers)).topics


def pin(stage: Stage, who: int, chat: int, topic_id: int, pinned: bool = True) -> Any:
    method = api.messages.UpdatePinnedForumTopic
    return do(stage, who, method, chat, topic_id=topic_id, pinned=pinned)


def reorder(stage: Stage, who: int, chat: int, *order: int, force: bool = False) -> Any:
    method = api.messages.ReorderPinnedForumTopics
    return do(stage, who, method, chat, order=list(order), force=force)


def delete(stage: Stage, who: int, chat: int, topic_id: int) -> Any:
    return do(stage, who, api.messages.DeleteTopicHistory, chat, top_msg_id=topic_id)


def write(stage: Stage, who: int, chat: int, topic_id: int) -> int:
    return stage.send(who, chat, reply_to=api.InputReplyToMessage(reply_to_msg_id=topic_id))


# ------------------------------------------------------------------ opening


def test_c4_a_topic_has_the_id_of_the_message_that_opened_it(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    topic = create(stage, stage.ann, room, " Cats ", icon_color=0xFFD67E, icon_emoji_id=77)
    (told,) = stage.pushes(stage.bob)
    assert told.message.id == topic
    assert told.message.action == api.MessageActionTopicCreate(
        title="Cats", icon_color=0xFFD67E, icon_emoji_id=77
    )
    assert told.message.reply_to is None
    (seen,) = by_id(stage, stage.bob, room, topic)
    assert (seen.title, seen.icon_color, seen.icon_emoji_id) == ("Cats", 0xFFD67E, 77)
    assert (seen.id, seen.top_message, seen.date) == (topic, topic, NOON)
    assert (seen.my, seen.closed, seen.pinned, seen.hidden) == (False, False, False, False)
    assert seen.from_id == api.PeerUser(user_id=stage.ann)
    assert seen.peer == api.PeerChannel(channel_id=room)
    (mine,) = by_id(stage, stage.ann, room, topic)
    assert (mine.my, mine.unread_count, seen.unread_count) == (True, 0, 1)


def test_c4_general_is_there_from_the_start(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    found = topics(stage, stage.bob, room)
    (general,) = found.topics
    assert (general.id, general.title, found.count) == (1, "General", 1)
    sent = stage.send(stage.ann, room)
    found = topics(stage, stage.bob, room)
    assert found.topics[0].top_message == sent
    assert [message.id for message in found.messages] == [sent]
    assert found.pts == stage.dialog(stage.bob, room).pts
    assert {user.id for user in found.users} >= {stage.ann}
    assert [chat.id for chat in found.chats] == [room]


def test_c4_messages_of_a_topic(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    topic = create(stage, stage.ann, room)
    sent = write(stage, stage.bob, room, topic)
    message = stage.message(stage.ann, sent, room)
    assert message.reply_to == api.MessageReplyHeader(forum_topic=True, reply_to_msg_id=topic)
    other = stage.send(stage.bob, room)
    for where, expected in ((topic, sent), (1, other)):
        found = stage.search(stage.ann, room, q="hello", top_msg_id=where)
        assert [one.id for one in found.messages] == [expected]
    (seen,) = by_id(stage, stage.ann, room, topic)
    assert (seen.top_message, seen.unread_count) == (sent, 1)
    assert by_id(stage, stage.ann, room, 1)[0].top_message == other


def test_c4_strange_colours_are_the_usual_one(stage: Stage) -> None:
    room = forum(stage)
    topic = create(stage, stage.ann, room, icon_color=123, icon_emoji_id=0)
    (seen,) = by_id(stage, stage.ann, room, topic)
    assert (seen.icon_color, seen.icon_emoji_id) == (0x6FB9F0, None)


def test_c4_faults_of_opening(stage: Stage) -> None:
    room = forum(stage)
    with fault("TOPIC_TITLE_EMPTY"):
        create(stage, stage.ann, room, "  ")
    with fault("RANDOM_ID_EMPTY"):
        create(stage, stage.ann, room, random_id=0)
    create(stage, stage.ann, room, random_id=7777)
    with fault("RANDOM_ID_DUPLICATE", 500):
        create(stage, stage.ann, room, random_id=7777)
    assert len(ids(stage, stage.ann, room)) == 2
    with fault("SEND_AS_PEER_INVALID"):
        create(stage, stage.ann, room, send_as=stage.input_peer(stage.ann, stage.bob))
    broken = create(stage, stage.ann, room, "a\udcffb")
    (seen,) = by_id(stage, stage.ann, room, broken)
    assert seen.title == "a\N{REPLACEMENT CHARACTER}b"
    long = create(stage, stage.ann, room, "a" * 300)
    assert len(by_id(stage, stage.ann, room, long)[0].title) == 128


def test_b6_15_an_anonymous_admin_opens_a_topic(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    stage.promote(stage.ann, room, stage.ann, anonymous=True)
    topic = create(stage, stage.ann, room)
    general, seen = (by_id(stage, stage.bob, room, number)[0] for number in (1, topic))
    assert seen.from_id == general.from_id == api.PeerChannel(channel_id=room)


METHODS: list[tuple[Any, dict[str, Any]]] = [
    (api.messages.CreateForumTopic, {"title": "T", "random_id": 5}),
    (api.messages.EditForumTopic, {"topic_id": 1, "title": "T"}),
    (
        api.messages.GetForumTopics,
        {"offset_date": 0, "offset_id": 0, "offset_topic": 0, "limit": 9},
    ),
    (api.messages.GetForumTopicsByID, {"topics": [1]}),
    (api.messages.UpdatePinnedForumTopic, {"topic_id": 1, "pinned": True}),
    (api.messages.ReorderPinnedForumTopics, {"order": [1]}),
    (api.messages.DeleteTopicHistory, {"top_msg_id": 2}),
]


@pytest.mark.parametrize(("method", "fields"), METHODS)
def test_c4_where_there_are_no_topics(stage: Stage, method: Any, fields: Any) -> None:
    plain = stage.channel(stage.ann, megagroup=True)
    news = stage.channel(stage.ann, broadcast=True)
    room = forum(stage)
    for chat in (plain, news):
        with fault("CHANNEL_FORUM_MISSING"):
            do(stage, stage.ann, method, chat, **fields)
    for chat in (stage.group(stage.ann, stage.bob), stage.bob, stage.ann):
        with fault("PEER_ID_INVALID"):
            do(stage, stage.ann, method, chat, **fields)
    with fault("CHANNEL_PRIVATE"):
        do(stage, stage.bob, method, room, **fields)
    with fault("CHANNEL_INVALID"):
        peer = stage.input_peer(stage.ann, room)
        stage.call(stage.bob, method(peer=peer, **fields))


# ------------------------------------------------------------------ changing


def test_c4_a_topic_is_renamed_closed_and_opened(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    topic = create(stage, stage.ann, room)
    for fields in ({"title": "Dogs"}, {"icon_emoji_id": 5}, {"closed": True}, {"closed": False}):
        result = edit(stage, stage.ann, room, topic, **fields)
        (told,) = stage.pushes(stage.bob)
        assert told.message.action == api.MessageActionTopicEdit(**fields)
        assert told.message.reply_to.reply_to_msg_id == topic
        assert told.message.reply_to.forum_topic
        assert kinds(result.updates) == ["UpdateNewChannelMessage"]
        (seen,) = by_id(stage, stage.bob, room, topic)
        assert all(getattr(seen, name) == value for name, value in fields.items())
        with fault("TOPIC_NOT_MODIFIED"):
            edit(stage, stage.ann, room, topic, **fields)
    with fault("TOPIC_NOT_MODIFIED"):
        edit(stage, stage.ann, room, topic)


def test_c4_nobody_but_managers_writes_in_a_closed_topic(stage: Stage) -> None:
    room = forum(stage, stage.bob, stage.eve, stage.bot)
    topic = create(stage, stage.bob, room)
    edit(stage, stage.ann, room, topic, closed=True)
    with fault("TOPIC_CLOSED"):
        write(stage, stage.eve, room, topic)
    write(stage, stage.ann, room, topic)
    write(stage, stage.bob, room, topic)  # it is his
    stage.promote(stage.ann, room, stage.eve, pin_messages=True)
    with fault("TOPIC_CLOSED"):
        write(stage, stage.eve, room, topic)
    stage.promote(stage.ann, room, stage.eve, manage_topics=True)
    write(stage, stage.eve, room, topic)
    edit(stage, stage.ann, room, 1, closed=True)
    with fault("TOPIC_CLOSED"):
        stage.send(stage.bob, room)
    edit(stage, stage.ann, room, 1, closed=False)
    stage.send(stage.bob, room)


def test_c4_general_can_be_hidden(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    edit(stage, stage.ann, room, 1, hidden=True)
    (told,) = stage.pushes(stage.bob)
    assert told.message.action == api.MessageActionTopicEdit(hidden=True)
    assert told.message.reply_to is None
    (seen,) = by_id(stage, stage.bob, room, 1)
    assert (seen.hidden, seen.closed) == (True, True)
    edit(stage, stage.ann, room, 1, hidden=False)
    assert not by_id(stage, stage.bob, room, 1)[0].hidden
    edit(stage, stage.ann, room, 1, title="Lobby")
    assert by_id(stage, stage.bob, room, 1)[0].title == "Lobby"


@pytest.mark.parametrize(
    ("general", "fields", "message"),
    [
        (True, {"icon_emoji_id": 5}, "GENERAL_MODIFY_ICON_FORBIDDEN"),
        (False, {"hidden": True}, "NOGENERAL_HIDE_FORBIDDEN"),
        (True, {"hidden": True, "title": "x"}, "TOPIC_HIDE_SEPARATELY"),
        (True, {"hidden": True, "closed": True}, "TOPIC_HIDE_SEPARATELY"),
        (False, {"closed": True, "title": "x"}, "TOPIC_CLOSE_SEPARATELY"),
        (False, {"title": " "}, "TOPIC_TITLE_EMPTY"),
    ],
)
def test_c4_faults_of_changing(stage: Stage, general: bool, fields: Any, message: str) -> None:
    room = forum(stage)
    topic = 1 if general else create(stage, stage.ann, room)
    with fault(message):
        edit(stage, stage.ann, room, topic, **fields)


@pytest.mark.parametrize("topic", [0, -1, 2, 3, 2**31 - 1])
def test_c4_there_is_no_such_topic(stage: Stage, topic: int) -> None:
    room = forum(stage)
    stage.send(stage.ann, room)  # 2
    for act in (
        lambda: edit(stage, stage.ann, room, topic, title="x"),
        lambda: pin(stage, stage.ann, room, topic),
        lambda: delete(stage, stage.ann, room, topic),
        lambda: reorder(stage, stage.ann, room, topic),
        lambda: reorder(stage, stage.ann, room, topic, force=True),
    ):
        with fault("TOPIC_ID_INVALID"):
            act()
    assert by_id(stage, stage.ann, room, topic) == [api.ForumTopicDeleted(id=topic)]


# ------------------------------------------------------------------ pinning


def test_c4_topics_are_pinned(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    first, second = (create(stage, stage.ann, room) for _ in range(2))
    assert ids(stage, stage.bob, room) == [second, first, 1]
    result = pin(stage, stage.ann, room, 1)
    peer = api.PeerChannel(channel_id=room)
    update = api.UpdatePinnedForumTopic(pinned=True, peer=peer, topic_id=1)
    assert result.updates == [update] == stage.pushes(stage.bob)
    assert [chat.id for chat in result.chats] == [room]
    assert ids(stage, stage.bob, room) == [1, second, first]
    pin(stage, stage.ann, room, first)
    assert ids(stage, stage.bob, room) == [first, 1, second]
    with fault("PINNED_TOPIC_NOT_MODIFIED"):
        pin(stage, stage.ann, room, first)
    result = reorder(stage, stage.ann, room, 1, first)
    update = api.UpdatePinnedForumTopics(peer=peer, order=[1, first])
    assert result.updates == [update] == stage.pushes(stage.bob)
    assert ids(stage, stage.bob, room) == [1, first, second]
    with fault("TOPIC_ID_INVALID"):
        reorder(stage, stage.ann, room, second)
    reorder(stage, stage.ann, room, first)  # the rest follow
    assert ids(stage, stage.bob, room) == [first, 1, second]
    reorder(stage, stage.ann, room, second, force=True)
    assert ids(stage, stage.bob, room) == [second, first, 1]
    assert [topic.pinned for topic in topics(stage, stage.bob, room).topics] == [True, False, False]
    pin(stage, stage.ann, room, second, pinned=False)
    with fault("PINNED_TOPIC_NOT_MODIFIED"):
        pin(stage, stage.ann, room, second, pinned=False)


def test_c4_only_some_topics_are_pinned(make_stage: MakeStage) -> None:
    stage = make_stage(topics_pinned_max=1)
    room = forum(stage)
    topic = create(stage, stage.ann, room)
    pin(stage, stage.ann, room, topic)
    with fault("PINNED_TOO_MUCH"):
        pin(stage, stage.ann, room, 1)
    with fault("PINNED_TOO_MUCH"):
        reorder(stage, stage.ann, room, 1, topic, force=True)


# ------------------------------------------------------------------ deleting


def test_c4_a_topic_goes_with_all_that_is_in_it(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    topic = create(stage, stage.ann, room)
    sent = write(stage, stage.bob, room, topic)
    other = stage.send(stage.bob, room)
    result = delete(stage, stage.ann, room, topic)
    (told,) = stage.pushes(stage.bob)
    assert told == api.UpdateDeleteChannelMessages(
        channel_id=room, messages=[topic, sent], pts=result.pts, pts_count=2
    )
    assert (result.pts_count, result.offset) == (2, 0)
    assert ids(stage, stage.bob, room) == [1]
    assert [message.id for message in stage.history(stage.bob, room).messages] == [other, 2, 1]
    with fault("TOPIC_DELETED"):
        top = api.InputReplyToMessage(reply_to_msg_id=other, top_msg_id=topic)
        stage.send(stage.bob, room, reply_to=top)
    with fault("TOPIC_ID_INVALID"):
        delete(stage, stage.ann, room, 1)


def test_c4_a_topic_is_deleted_in_parts(make_stage: MakeStage) -> None:
    stage = make_stage(affected_batch=2)
    room = forum(stage)
    topic = create(stage, stage.ann, room)
    for _ in range(2):
        write(stage, stage.ann, room, topic)
    first = delete(stage, stage.ann, room, topic)
    assert (first.pts_count, first.offset) == (2, 1)
    assert topic in ids(stage, stage.ann, room)
    second = delete(stage, stage.ann, room, topic)
    assert (second.pts_count, second.offset) == (1, 0)
    assert ids(stage, stage.ann, room) == [1]


def test_c4_who_opened_a_topic_may_delete_it_while_alone_in_it(stage: Stage) -> None:
    room = forum(stage, stage.bob, stage.eve)
    first, second = (create(stage, stage.bob, room) for _ in range(2))
    delete(stage, stage.bob, room, first)
    write(stage, stage.eve, room, second)
    with fault("CHAT_ADMIN_REQUIRED", 403):
        delete(stage, stage.bob, room, second)


# ------------------------------------------------------------------ reading


def test_c0_4_pages_of_topics(stage: Stage) -> None:
    room = forum(stage)
    made = [create(stage, stage.ann, room, f"Topic {number}") for number in range(4)]
    pin(stage, stage.ann, room, made[0])
    whole = [made[0], made[3], made[2], made[1], 1]
    assert ids(stage, stage.ann, room) == whole
    first = topics(stage, stage.ann, room, limit=2)
    assert ([topic.id for topic in first.topics], first.count) == (whole[:2], 5)
    last = first.topics[-1]
    assert (
        ids(stage, stage.ann, room, offset_topic=last.id, offset_id=last.top_message) == whole[2:]
    )
    assert ids(stage, stage.ann, room, offset_topic=last.id) == whole[2:]
    assert ids(stage, stage.ann, room, offset_id=made[2]) == whole[3:]
    assert ids(stage, stage.ann, room, offset_date=NOON + 1) == whole[1:]
    assert ids(stage, stage.ann, room, offset_date=NOON) == []
    assert ids(stage, stage.ann, room, limit=0) == whole
    assert ids(stage, stage.ann, room, limit=-1, offset_topic=-5, offset_id=-1) == whole
    found = topics(stage, stage.ann, room, q="TOPIC 2")
    assert ([topic.id for topic in found.topics], found.count) == ([made[2]], 1)
    write(stage, stage.ann, room, made[1])
    assert ids(stage, stage.ann, room)[1] == made[1]  # the newest message comes first
    with fault("TOPICS_EMPTY"):
        by_id(stage, stage.ann, room)
    with fault("TOPIC_ID_INVALID"):
        by_id(stage, stage.ann, room, *range(101))


def test_c4_a_stranger_reads_a_public_forum(stage: Stage) -> None:
    room = forum(stage)
    create(stage, stage.ann, room)
    stage.publish(stage.ann, room)
    assert [topic.unread_count for topic in topics(stage, stage.eve, room).topics] == [0, 0]
    assert by_id(stage, stage.bot, room, 1)[0].id == 1
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        create(stage, stage.eve, room)


def test_c4_what_one_may_not_see_is_no_top_message(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    topic = create(stage, stage.ann, room)
    sent = write(stage, stage.ann, room, topic)
    where = stage.input_channel(stage.bob, room)
    stage.call(stage.bob, api.channels.DeleteHistory(channel=where, max_id=sent))
    found = topics(stage, stage.bob, room)
    assert found.messages == []
    assert [one.top_message for one in found.topics] == [topic, 1]


# ------------------------------------------------------------------ who may do it


ACTS: dict[str, tuple[str, Any]] = {
    "create": ("manage_topics", lambda s, who, room, topic: create(s, who, room)),
    "edit": ("manage_topics", lambda s, who, room, topic: edit(s, who, room, topic, title="Other")),
    "hide": ("manage_topics", lambda s, who, room, topic: edit(s, who, room, 1, hidden=True)),
    "pin": ("manage_topics", pin),
    "reorder": ("manage_topics", lambda s, who, room, topic: reorder(s, who, room)),
    "delete": ("delete_messages", delete),
}


@pytest.mark.parametrize("name", ACTS)
def test_b2_who_may_manage_topics(stage: Stage, name: str) -> None:
    right, act = ACTS[name]
    room = forum(stage, stage.bob, stage.bot)
    topic = create(stage, stage.ann, room)

    def attempt(who: int) -> str:
        try:
            act(stage, who, room, topic)
        except RpcFault as error:
            return error.message
        return "ok"

    refused = "CHAT_WRITE_FORBIDDEN" if name == "create" else "CHAT_ADMIN_REQUIRED"
    assert attempt(stage.bob) == ("ok" if name == "create" else refused)
    rights = api.ChatBannedRights(manage_topics=True, until_date=0)
    peer = stage.input_peer(stage.ann, room)
    request = api.messages.EditChatDefaultBannedRights(peer=peer, banned_rights=rights)
    stage.call(stage.ann, request)
    for who in (stage.bob, stage.bot):
        bots_not = who == stage.bot and name in ("pin", "reorder")
        assert attempt(who) == ("BOT_METHOD_INVALID" if bots_not else refused)
        every = ("manage_topics", "delete_messages", "pin_messages", "change_info")
        stage.promote(stage.ann, room, who, **{one: True for one in every if one != right})
        assert attempt(who) == ("BOT_METHOD_INVALID" if bots_not else refused)
    stage.promote(stage.ann, room, stage.bot if name == "create" else stage.bob, **{right: True})
    assert attempt(stage.bot if name == "create" else stage.bob) == "ok"
    assert attempt(stage.eve) == "CHANNEL_PRIVATE"
    stage.publish(stage.ann, room)
    assert attempt(stage.eve) == "CHAT_WRITE_FORBIDDEN"


def test_c4_one_may_rename_one_s_own_topic(stage: Stage) -> None:
    room = forum(stage, stage.bob, stage.eve)
    topic = create(stage, stage.bob, room)
    edit(stage, stage.bob, room, topic, title="Mine")
    edit(stage, stage.bob, room, topic, closed=True)
    with fault("CHAT_ADMIN_REQUIRED", 403):
        edit(stage, stage.eve, room, topic, title="Hers")
    with fault("CHAT_ADMIN_REQUIRED", 403):
        pin(stage, stage.bob, room, topic)
    stage.leave(stage.bob, room)
    stage.publish(stage.ann, room)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        edit(stage, stage.bob, room, topic, closed=False)


def test_b4_a_limited_account_opens_no_topic(stage: Stage) -> None:
    room = forum(stage, stage.bob)
    with stage.world.db.begin() as tx:
        tx.execute(users.update().where(users.c.id == stage.bob).values(limited=True))
    with fault("USER_BANNED_IN_CHANNEL"):
        create(stage, stage.bob, room)


# ------------------------------------------------------------------ the log, and older layers


def test_b8_6_topics_in_the_log(stage: Stage) -> None:
    room = forum(stage)
    topic = create(stage, stage.ann, room)
    edit(stage, stage.ann, room, topic, title="Other")
    pin(stage, stage.ann, room, topic)
    reorder(stage, stage.ann, room, 1, force=True)
    delete(stage, stage.ann, room, topic)
    events = stage.call(
        stage.ann,
        api.channels.GetAdminLog(
            channel=stage.input_channel(stage.ann, room),
            q="",
            events_filter=api.ChannelAdminLogEventsFilter(forums=True),
            max_id=0,
            min_id=0,
            limit=10,
        ),
    ).events
    assert [
        type(event.action).__name__.removeprefix("ChannelAdminLogEventAction") for event in events
    ] == [
        "DeleteTopic",
        "PinTopic",
        "PinTopic",
        "PinTopic",
        "EditTopic",
        "CreateTopic",
    ]
    edited = events[4].action
    assert (edited.prev_topic.title, edited.new_topic.title) == ("Topic", "Other")
    unpinned, other, pinned = (event.action for event in events[1:4])
    assert (unpinned.new_topic, other.prev_topic, pinned.prev_topic) == (None, None, None)


@pytest.mark.parametrize("layer", [150, 200, 220])
def test_c4_older_layers_call_it_by_channel(stage: Stage, layer: int) -> None:
    room = forum(stage, stage.bob)
    old = registry(layer)
    where = stage.input_channel(stage.ann, room)

    def call(name: str, **fields: Any) -> Any:
        method: Any = old.get(f"channels.{name}")
        return stage.world.call(stage.ann, method(channel=where, **fields), layer=layer)

    result = call("createForumTopic", title="Old", random_id=5)
    topic = result.updates[0].id
    call("editForumTopic", topic_id=topic, title="Older")
    found = call("getForumTopics", offset_date=0, offset_id=0, offset_topic=0, limit=10)
    assert [one.title for one in found.topics] == ["Older", "General"]
    assert [one.id for one in call("getForumTopicsByID", topics=[topic, 9]).topics] == [topic, 9]
    (update,) = call("updatePinnedForumTopic", topic_id=topic, pinned=True).updates
    assert update.pinned
    assert update.topic_id == topic
    if layer < 220:
        assert (update.TL_NAME, update.channel_id) == ("updateChannelPinnedTopic", room)
    (update,) = call("reorderPinnedForumTopics", order=[topic]).updates
    assert update.order == [topic]
    assert call("deleteTopicHistory", top_msg_id=topic).pts_count == 2
    with fault("PEER_ID_INVALID"):
        wrong: Any = old.get("channels.getForumTopicsByID")
        empty = wrong(channel=api.InputChannelEmpty(), topics=[1])
        stage.world.call(stage.ann, empty, layer=layer)


def test_a13_members_with_an_old_app_are_told_of_pins_by_channel() -> None:
    update = api.UpdatePinnedForumTopics(peer=api.PeerChannel(channel_id=5), order=[1])
    said: Any = layers.downgrade(update, registry(200))
    assert (said.TL_NAME, said.channel_id, said.order) == ("updateChannelPinnedTopics", 5, [1])
