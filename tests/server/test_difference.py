"""updates.getState and updates.getDifference (C6)."""

from __future__ import annotations

import pytest

from radiogram.tl import api
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds


def test_c6_1_new_account(stage: Stage) -> None:
    assert stage.state(stage.ann) == api.updates.State(
        pts=1, qts=0, date=NOON, seq=0, unread_count=0
    )


def test_c6_1_unread_count(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann)
    stage.send(stage.eve, stage.ann)
    stage.send(stage.ann, stage.eve)
    assert stage.state(stage.ann).unread_count == 2


def test_c6_2_empty(stage: Stage) -> None:
    stage.world.clock.advance(5)
    assert stage.difference(stage.ann, 1) == api.updates.DifferenceEmpty(date=NOON + 5, seq=0)


@pytest.mark.parametrize(
    ("pts", "date", "qts", "error"),
    [
        (0, 1, 0, "PERSISTENT_TIMESTAMP_EMPTY"),
        (1, 0, 0, "DATE_EMPTY"),
        (2, 1, 0, "PERSISTENT_TIMESTAMP_INVALID"),
        (-1, 1, 0, "PERSISTENT_TIMESTAMP_INVALID"),
        (2**31 - 1, 1, 0, "PERSISTENT_TIMESTAMP_INVALID"),
        (1, 1, -1, "PERSISTENT_TIMESTAMP_INVALID"),
    ],
)
def test_c6_2_errors(stage: Stage, pts: int, date: int, qts: int, error: str) -> None:
    with fault(error):
        stage.call(stage.ann, api.updates.GetDifference(pts=pts, date=date, qts=qts))


def test_c6_3_new_messages_in_their_final_form(stage: Stage) -> None:
    first = stage.send(stage.ann, stage.bob, "one", random_id=70)
    second = stage.send(stage.ann, stage.bob, "two", random_id=71)
    stage.edit(stage.ann, stage.bob, first, "changed")
    stage.delete(stage.ann, second, revoke=True)
    found = stage.difference(stage.bob, 1)
    assert [message.message for message in found.new_messages] == ["changed"]
    assert found.other_updates == [api.UpdateDeleteMessages(messages=[2], pts=5, pts_count=1)]
    assert found.state == stage.state(stage.bob)
    assert {user.id for user in found.users} == {stage.ann}
    assert found.chats == found.new_encrypted_messages == []


def test_c0_2_3_message_ids_for_the_sender(stage: Stage) -> None:
    stage.send(stage.ann, stage.bob, random_id=70)
    gone = stage.send(stage.ann, stage.bob, random_id=71)
    stage.delete(stage.ann, gone)
    found = stage.difference(stage.ann, 1)
    assert found.other_updates[0] == api.UpdateMessageID(id=1, random_id=70)
    assert kinds(found.other_updates) == ["UpdateMessageID", "UpdateDeleteMessages"]
    assert "UpdateMessageID" not in kinds(stage.difference(stage.bob, 1).other_updates)


def test_c6_3_edit_of_an_older_message_is_told_once(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob, "one")
    before = stage.state(stage.bob).pts
    stage.edit(stage.ann, stage.bob, sent, "two")
    stage.edit(stage.ann, stage.bob, sent, "three")
    found = stage.difference(stage.bob, before)
    assert found.new_messages == []
    (update,) = found.other_updates
    assert isinstance(update, api.UpdateEditMessage)
    assert (update.message.message, update.pts) == ("three", before + 2)


def test_c6_3_reads_and_pins(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    before = stage.state(stage.ann).pts
    pushed = []
    stage.read(stage.bob, stage.ann)
    pushed += stage.pushes(stage.ann)
    stage.pin(stage.bob, stage.ann, 1)
    pushed += stage.pushes(stage.ann)
    found = stage.difference(stage.ann, before)
    assert found.other_updates == pushed[:2]
    assert kinds(pushed) == ["UpdateReadHistoryOutbox", "UpdatePinnedMessages", "UpdateNewMessage"]
    assert [message.id for message in found.new_messages] == [sent + 1]


@pytest.mark.parametrize("by_setting", [True, False])
def test_c6_4_slices(make_stage: MakeStage, by_setting: bool) -> None:
    stage = make_stage(difference_slice=2) if by_setting else make_stage()
    options = {} if by_setting else {"pts_limit": 2}
    for _ in range(5):
        stage.send(stage.ann, stage.bob)
    pts, messages, answers = 1, [], []
    while True:
        found = stage.difference(stage.bob, pts, **options)
        answers.append(type(found).__name__)
        messages += [message.id for message in found.new_messages]
        if isinstance(found, api.updates.Difference):
            break
        assert found.intermediate_state.pts == pts + 2
        pts = found.intermediate_state.pts
    assert answers == ["DifferenceSlice", "DifferenceSlice", "Difference"]
    assert messages == [1, 2, 3, 4, 5]


def test_c6_4_too_long(stage: Stage) -> None:
    for _ in range(5):
        stage.send(stage.ann, stage.bob)
    too_long = stage.difference(stage.bob, 1, pts_total_limit=4)
    assert too_long == api.updates.DifferenceTooLong(pts=6)
    assert isinstance(stage.difference(stage.bob, 1, pts_total_limit=5), api.updates.Difference)


def test_bots_have_a_difference(stage: Stage) -> None:
    stage.send(stage.ann, stage.bot, "/start")
    found = stage.difference(stage.bot, 1)
    assert found.new_messages[0].entities == [api.MessageEntityBotCommand(offset=0, length=6)]
