"""The list of chats with groups and channels in it (C4)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import chat_store
from radiogram.tl import api
from tests.server.stage import NOON, Stage, fault


def dialogs(stage: Stage, who: int, **options: Any) -> Any:
    fields: dict[str, Any] = {
        "offset_date": 0,
        "offset_id": 0,
        "offset_peer": api.InputPeerEmpty(),
        "limit": 100,
        "hash": 0,
    }
    return stage.call(who, api.messages.GetDialogs(**{**fields, **options}))


def named(found: Any) -> list[int]:
    """Return the ids of the chats of a list, in its order."""
    numbers = []
    for dialog in found.dialogs:
        match dialog.peer:
            case api.PeerUser():
                numbers.append(dialog.peer.user_id)
            case api.PeerChat():
                numbers.append(dialog.peer.chat_id)
            case _:
                numbers.append(dialog.peer.channel_id)
    return numbers


def test_c4_merged_by_date_of_the_top_message(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    group = stage.group(stage.ann, stage.bob)
    news = stage.channel(stage.ann, stage.bob, broadcast=True)
    for number, where in enumerate((news, group, stage.bob, room)):
        stage.world.clock.freeze(NOON + 10 * number + 10)
        stage.send(stage.ann, where)
    found = dialogs(stage, stage.ann)
    assert isinstance(found, api.messages.Dialogs)
    assert named(found) == [room, stage.bob, group, news]
    assert [message.date for message in found.messages] == [NOON + n for n in (40, 30, 20, 10)]
    assert [dialog.pts for dialog in found.dialogs] == [4, None, None, 3]
    assert {chat.id for chat in found.chats} == {room, group, news}
    stage.world.clock.advance(10)
    stage.send(stage.bob, group)
    assert named(dialogs(stage, stage.ann)) == [group, room, stage.bob, news]


def test_c4_pages_of_a_merged_list(stage: Stage) -> None:
    made = [stage.channel(stage.ann, title=str(n), megagroup=True) for n in range(4)]
    made += [stage.group(stage.ann, stage.bob, title=str(n)) for n in range(3)]
    stage.send(stage.ann, stage.bob)
    whole = dialogs(stage, stage.ann)
    assert len(whole.dialogs) == 8
    seen: list[int] = []
    options: dict[str, Any] = {}
    while True:
        page = dialogs(stage, stage.ann, limit=3, **options)
        seen += named(page)
        if isinstance(page, api.messages.Dialogs) or len(page.dialogs) < 3:
            break
        assert page.count == 8
        last = page.messages[-1]
        options = {
            "offset_date": last.date,
            "offset_id": last.id,
            "offset_peer": stage.input_peer(stage.ann, named(page)[-1]),
        }
    assert seen == named(whole)
    assert sorted(seen) == sorted([*made, stage.bob])


def test_c4_a_chat_that_moved_during_paging_is_no_obstacle(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    stage.world.clock.freeze(NOON + 5)
    stage.send(stage.ann, stage.bob)
    stage.world.clock.freeze(NOON + 9)
    stage.send(stage.ann, stage.eve)
    page = dialogs(stage, stage.ann, limit=1)
    stage.world.clock.freeze(NOON + 20)
    stage.send(stage.ann, stage.eve)
    rest = dialogs(
        stage,
        stage.ann,
        offset_date=page.messages[0].date,
        offset_id=page.messages[0].id,
        offset_peer=stage.input_peer(stage.ann, stage.eve),
    )
    assert named(rest) == [stage.bob, room]


def test_c4_an_id_alone_is_one_of_the_common_box(stage: Stage) -> None:
    stage.channel(stage.ann, megagroup=True)
    first = stage.send(stage.ann, stage.bob)
    second = stage.send(stage.ann, stage.eve)
    assert named(dialogs(stage, stage.ann, offset_id=second)) == [stage.bob]
    assert named(dialogs(stage, stage.ann, offset_id=first)) == []


def test_c4_a_member_without_an_entry_gets_one_by_reading(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, room, stage.bob, state=chat_store.MEMBER, date=NOON)
    assert named(dialogs(stage, stage.bob)) == []
    request = api.channels.ReadHistory(channel=stage.input_channel(stage.bob, room), max_id=0)
    assert stage.call(stage.bob, request)
    assert named(dialogs(stage, stage.bob)) == [room]


def test_c4_unread_of_a_channel(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, stage.eve, megagroup=True)
    stage.send(stage.ann, room)
    stage.send(stage.eve, room)
    entry = stage.dialog(stage.bob, room)
    assert (entry.unread_count, entry.top_message, entry.read_inbox_max_id) == (3, 4, 1)
    assert stage.state(stage.bob).unread_count == 3
    stage.send(stage.bob, room)  # who writes has read
    assert stage.dialog(stage.bob, room).unread_count == 0
    assert stage.state(stage.bob).unread_count == 0
    assert stage.dialog(stage.ann, room).read_outbox_max_id == 3
    assert stage.dialog(stage.ann, room).unread_count == 2


def test_c5_only_channels_one_is_in(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    for values in ({"state": chat_store.LEFT}, {"state": chat_store.KICKED}):
        with stage.world.db.begin() as tx:
            chat_store.save_member(tx, room, stage.bob, **values)
        assert named(dialogs(stage, stage.bob)) == []
        assert stage.state(stage.bob).unread_count == 0
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, room, stage.bob, state=chat_store.MEMBER)
        chat_store.change_chat(tx, room, deleted=True)
    assert named(dialogs(stage, stage.bob)) == []
    with fault("CHANNEL_PRIVATE"):
        stage.dialog(stage.bob, room)


def test_c4_a_basic_group_stays_in_the_list_of_who_has_left(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, group, stage.bob, state=chat_store.LEFT)
    found = dialogs(stage, stage.bob)
    assert named(found) == [group]
    assert found.chats[0].left


def test_c4_hidden_prehistory_in_the_list(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    with stage.world.db.begin() as tx:
        chat_store.change_chat(tx, room, prehistory_hidden=True)
    sent = stage.send(stage.ann, room, "before")
    with stage.world.db.begin() as tx:
        chat_store.save_member(
            tx,
            room,
            stage.bob,
            state=chat_store.MEMBER,
            date=NOON,
            available_min_id=sent + 1,
        )
    assert stage.dialog(stage.bob, room).top_message == 0
    assert stage.dialog(stage.bob, room).unread_count == 0
    after = stage.send(stage.ann, room, "after")
    entry = stage.dialog(stage.bob, room)
    assert (entry.top_message, entry.unread_count) == (after, 1)


# -------------------------------------------------------------------- reading basic groups


def test_c4_reading_a_basic_group(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that ids differ
    group = stage.group(stage.ann, stage.bob, stage.eve)
    hers = stage.send(stage.ann, group)
    result = stage.read(stage.bob, group)
    assert (result.pts, result.pts_count) == (stage.state(stage.bob).pts, 1)
    stage.read(stage.bob, group)
    assert not stage.pushed_to()
    assert stage.dialog(stage.ann, group).read_outbox_max_id == hers
    assert stage.dialog(stage.bob, group).unread_count == 0
    third = stage.send(stage.eve, group)
    hers_last = stage.send(stage.ann, group)
    stage.read(stage.bob, group)
    peer = api.PeerChat(chat_id=group)
    (told,) = stage.pushes(stage.ann)
    assert (told.peer, told.max_id) == (peer, hers_last)
    (told,) = stage.pushes(stage.eve)
    assert (told.peer, told.max_id) == (peer, third)
    assert stage.pushed_to() == {stage.ann, stage.bob, stage.eve}
    stage.read(stage.ann, group)  # of what was read before, nobody is told again
    assert stage.pushed_to() == {stage.ann}


def test_c4_who_left_learns_of_no_reader(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    stage.send(stage.eve, group)
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, group, stage.eve, state=chat_store.LEFT)
    stage.read(stage.bob, group)
    assert stage.eve not in stage.pushed_to()


def test_c4_channels_are_read_by_their_own_method(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    with fault("PEER_ID_INVALID"):
        stage.read(stage.ann, room)


# -------------------------------------------------------------------- clearing basic groups


def clear(stage: Stage, who: int, chat: int, **options: Any) -> Any:
    options.setdefault("max_id", 0)
    request = api.messages.DeleteHistory(peer=stage.input_peer(who, chat), **options)
    return stage.call(who, request)


@pytest.mark.parametrize("just_clear", [True, False])
def test_c3_clearing_a_basic_group_for_oneself(stage: Stage, just_clear: bool) -> None:
    group = stage.group(stage.ann, stage.bob)
    stage.send(stage.ann, group)
    assert clear(stage, stage.bob, group, just_clear=just_clear).pts_count == 2
    assert stage.pushed_to() == {stage.bob}
    assert (named(dialogs(stage, stage.bob)) == [group]) == just_clear
    assert len(stage.history(stage.ann, group).messages) == 2


def test_c3_clearing_a_basic_group_for_all(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    stage.send(stage.bob, group)
    with fault("CHAT_ADMIN_REQUIRED"):
        clear(stage, stage.bob, group, revoke=True)
    assert clear(stage, stage.ann, group, revoke=True, just_clear=True).pts_count == 2
    assert stage.history(stage.bob, group).messages == []
    assert named(dialogs(stage, stage.bob)) == [group]
    with fault("PEER_ID_INVALID"):
        clear(stage, stage.ann, stage.channel(stage.ann, megagroup=True))
