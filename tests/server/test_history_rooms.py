"""History and search in groups and channels (B8, C4)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import chat_store, message_store
from radiogram.server.tables import messages
from radiogram.tl import api
from tests.server.stage import MakeStage, Stage, fault

KINDS: list[dict[str, bool]] = [{}, {"megagroup": True}, {"broadcast": True}]
PINNED = api.InputMessagesFilterPinned()


def make_room(stage: Stage, kind: dict[str, bool], *others: int) -> int:
    return stage.channel(stage.ann, *others, **kind) if kind else stage.group(stage.ann, *others)


def pin(stage: Stage, box: int, *ids: int) -> None:
    with stage.world.db.begin() as tx:
        message_store.set_pinned(tx, box, ids, True)


def counters(stage: Stage, who: int, chat: int, **options: Any) -> list[int]:
    request = api.messages.GetSearchCounters(
        peer=stage.input_peer(who, chat),
        filters=[api.InputMessagesFilterEmpty(), PINNED],
        **options,
    )
    return [counter.count for counter in stage.call(who, request)]


@pytest.mark.parametrize("kind", KINDS)
def test_b8_2_pinned_messages(stage: Stage, kind: dict[str, bool]) -> None:
    room = make_room(stage, kind, stage.bob)
    other = make_room(stage, kind, stage.bob)
    sent = [stage.send(stage.ann, room, str(number)) for number in range(5)]
    elsewhere = stage.send(stage.ann, other)
    pin(stage, -room if kind else stage.ann, *sent[:3])
    pin(stage, -other if kind else stage.ann, elsewhere)
    found = stage.search(stage.ann, room, filter=PINNED)
    assert [m.id for m in found.messages] == sent[2::-1]
    assert all(m.pinned for m in found.messages)
    if kind:
        assert isinstance(found, api.messages.ChannelMessages)
        assert (found.count, found.pts) == (3, stage.dialog(stage.ann, room).pts)
    page = stage.search(stage.ann, room, filter=PINNED, limit=1, offset_id=sent[2])
    assert ([m.id for m in page.messages], page.count) == ([sent[1]], 3)
    none = stage.search(stage.ann, room, filter=PINNED, limit=0)
    assert (none.messages, none.count) == ([], 3)
    assert counters(stage, stage.ann, room)[1] == 3
    theirs = stage.search(stage.bob, room, filter=PINNED).messages
    assert len(theirs) == (3 if kind else 0)  # every copy has its own pin (B1.2)


def test_b8_4_the_latest_pinned_of_a_channel(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = [stage.send(stage.ann, room) for _ in range(3)]
    pin(stage, -room, sent[0], sent[1])
    request = api.channels.GetMessages(
        channel=stage.input_channel(stage.bob, room), id=[api.InputMessagePinned()]
    )
    assert [m.id for m in stage.call(stage.bob, request).messages] == [sent[1]]
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, room, stage.bob, available_min_id=sent[2])
    assert isinstance(stage.call(stage.bob, request).messages[0], api.MessageEmpty)
    assert stage.search(stage.bob, room, filter=PINNED).count == 0
    assert counters(stage, stage.bob, room) == [1, 0]


@pytest.mark.parametrize("kind", KINDS[:2])
def test_c4_by_sender(stage: Stage, kind: dict[str, bool]) -> None:
    room = make_room(stage, kind, stage.bob)
    stage.send(stage.ann, room, "hers")
    stage.send(stage.bob, room, "his")
    for who, name in ((stage.ann, "hers"), (stage.bob, "his")):
        peer = stage.input_peer(stage.bob, who)
        found = stage.search(stage.bob, room, from_id=peer).messages
        assert [m.message for m in found if isinstance(m, api.Message)] == [name]
    with fault("FROM_PEER_INVALID"):
        stage.search(stage.bob, room, from_id=api.InputPeerEmpty())


def test_c4_by_the_chat_in_whose_name_it_was_sent(stage: Stage) -> None:
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    post = stage.send(stage.ann, news)
    itself = stage.input_peer(stage.bob, news)
    assert [m.id for m in stage.search(stage.bob, news, from_id=itself).messages] == [post, 1]
    author = stage.input_peer(stage.bob, stage.ann)
    assert stage.search(stage.bob, news, from_id=author).count == 0


def test_c4_by_topic(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, forum=True)
    general, inside = stage.send(stage.ann, room), stage.send(stage.ann, room)
    with stage.world.db.begin() as tx:
        row = message_store.find_message(tx, -room, inside)
        assert row is not None
        tx.execute(
            messages.update().where(messages.c.content_id == row.content_id).values(topic_id=9)
        )
    pin(stage, -room, general, inside)
    for topic, expected in ((9, [inside]), (1, [general]), (8, [])):
        found = stage.search(stage.bob, room, filter=PINNED, top_msg_id=topic)
        assert [m.id for m in found.messages] == expected
        assert counters(stage, stage.bob, room, top_msg_id=topic)[1] == len(expected)
    group = stage.channel(stage.ann, megagroup=True)
    pin(stage, -group, stage.send(stage.ann, group))
    assert stage.search(stage.ann, group, filter=PINNED, top_msg_id=1).count == 0


@pytest.mark.parametrize("kind", KINDS)
def test_c4_members_only(stage: Stage, kind: dict[str, bool]) -> None:
    room = make_room(stage, kind, stage.bob)
    stage.send(stage.ann, room)
    refusal = "CHANNEL_PRIVATE" if kind else "PEER_ID_INVALID"
    for ask in (stage.history, stage.search):
        with fault(refusal):
            ask(stage.eve, room)  # type: ignore[operator]
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, room, stage.bob, state=chat_store.LEFT)
    if kind:
        with fault("CHANNEL_PRIVATE"):
            stage.history(stage.bob, room)
    else:  # what was received is one's own
        assert len(stage.history(stage.bob, room).messages) == 2


def test_c4_history_of_a_channel_in_pages(make_stage: MakeStage) -> None:
    stage = make_stage()
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    sent = [stage.send(stage.ann, room) for _ in range(6)]
    first = stage.history(stage.bob, room, limit=3)
    assert isinstance(first, api.messages.ChannelMessages)
    assert [m.id for m in first.messages] == sent[:2:-1]
    assert (first.count, first.pts) == (8, 9)
    second = stage.history(stage.bob, room, limit=3, offset_id=sent[3])
    assert [m.id for m in second.messages] == sent[2::-1]
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, room, stage.bob, available_min_id=sent[2])
    third = stage.history(stage.bob, room, limit=3, offset_id=sent[3])
    assert ([m.id for m in third.messages], third.count) == ([sent[2]], 4)
