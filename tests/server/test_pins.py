"""messages.updatePinnedMessage and unpinAllMessages in Saved Messages and private chats (B)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.tl import api
from tests.server.stage import MakeStage, Stage, fault, kinds


def pins(updates: list[Any]) -> list[tuple[bool, list[int], int, int]]:
    return [
        (update.pinned, update.messages, update.pts, update.pts_count)
        for update in updates
        if isinstance(update, api.UpdatePinnedMessages)
    ]


def notices(updates: list[Any]) -> list[api.MessageService]:
    return [
        update.message
        for update in updates
        if isinstance(update, api.UpdateNewMessage)
        and isinstance(update.message, api.MessageService)
    ]


def unpin_all(stage: Stage, who: int, chat: int, **options: Any) -> Any:
    return stage.call(
        who, api.messages.UnpinAllMessages(peer=stage.input_peer(who, chat), **options)
    )


# ------------------------------------------------------------------ B6: effects per peer


def test_b6_1_saved_messages(stage: Stage) -> None:
    note = stage.send(stage.ann, stage.ann)
    before = stage.state(stage.ann).pts
    result = stage.pin(stage.ann, stage.ann, note, pm_oneside=True)
    assert kinds(result.updates) == ["UpdatePinnedMessages"]
    assert pins(result.updates) == [(True, [note], before + 1, 1)]
    assert result.updates[0].peer == api.PeerUser(user_id=stage.ann)
    assert result.updates == stage.pushes(stage.ann)
    assert stage.pushed_to() == {stage.ann}
    assert stage.message(stage.ann, note).pinned


def test_b6_2_pin_for_both_sides(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that the ids of the two boxes differ
    sent = stage.send(stage.ann, stage.bob)
    ann, bob = stage.state(stage.ann).pts, stage.state(stage.bob).pts
    result = stage.pin(stage.ann, stage.bob, sent)
    mine, theirs = result.updates, stage.pushes(stage.bob)

    assert kinds(mine) == kinds(theirs) == ["UpdatePinnedMessages", "UpdateNewMessage"]
    assert pins(mine) == [(True, [sent], ann + 1, 1)]
    assert pins(theirs) == [(True, [2], bob + 1, 1)]
    assert mine[0].peer == api.PeerUser(user_id=stage.bob)
    assert theirs[0].peer == api.PeerUser(user_id=stage.ann)
    assert (mine[1].pts, theirs[1].pts) == (ann + 2, bob + 2)

    (notice,) = notices(mine)
    assert notice.out
    assert notice.from_id == api.PeerUser(user_id=stage.ann)
    assert notice.peer_id == api.PeerUser(user_id=stage.bob)
    assert notice.reply_to == api.MessageReplyHeader(reply_to_msg_id=sent)
    (other,) = notices(theirs)
    assert not other.out
    assert other.from_id == other.peer_id == api.PeerUser(user_id=stage.ann)
    assert other.reply_to == api.MessageReplyHeader(reply_to_msg_id=2)
    assert isinstance(other.action, api.MessageActionPinMessage)


def test_b6_2_other_side_deleted_its_copy(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.delete(stage.bob, 1)
    stage.pin(stage.ann, stage.bob, sent)
    theirs = stage.pushes(stage.bob)
    assert kinds(theirs) == ["UpdateNewMessage"]
    (notice,) = notices(theirs)
    assert notice.reply_to is None


def test_b6_3_oneside(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    before = stage.state(stage.ann).pts
    result = stage.pin(stage.ann, stage.bob, sent, pm_oneside=True)
    assert pins(result.updates) == [(True, [sent], before + 1, 1)]
    assert not notices(result.updates)
    assert stage.pushed_to() == {stage.ann}
    assert not stage.message(stage.bob, 1).pinned


def test_b6_4_unpin_both_sides(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent)
    ann, bob = stage.state(stage.ann).pts, stage.state(stage.bob).pts
    result = stage.pin(stage.bob, stage.ann, 1, unpin=True)
    assert pins(result.updates) == [(False, [1], bob + 1, 1)]
    assert pins(stage.pushes(stage.ann)) == [(False, [sent], ann + 1, 1)]
    assert not notices(result.updates)
    assert not notices(stage.pushes(stage.ann))


def test_b6_4_only_sides_that_change_are_told(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent, pm_oneside=True)
    result = stage.pin(stage.bob, stage.ann, 1, unpin=True)
    assert result.updates == []
    assert pins(stage.pushes(stage.ann)) == [(False, [sent], stage.state(stage.ann).pts, 1)]


def test_b6_5_unpin_oneside(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent)
    result = stage.pin(stage.ann, stage.bob, sent, unpin=True, pm_oneside=True)
    assert kinds(result.updates) == ["UpdatePinnedMessages"]
    assert stage.pushed_to() == {stage.ann}
    assert not stage.message(stage.ann, sent).pinned
    assert stage.message(stage.bob, 1).pinned


def test_b6_6_other_side_blocked_the_caller(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.block(stage.bob, stage.ann)
    before = stage.state(stage.bob)
    result = stage.pin(stage.ann, stage.bob, sent)
    assert kinds(result.updates) == ["UpdatePinnedMessages", "UpdateNewMessage"]
    assert stage.pushed_to() == {stage.ann}
    assert stage.state(stage.bob) == before
    result = stage.pin(stage.ann, stage.bob, sent, unpin=True)
    assert kinds(result.updates) == ["UpdatePinnedMessages"]
    assert stage.state(stage.bob) == before


def test_b6_6_caller_blocked_the_other_side(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.block(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent)
    assert kinds(stage.pushes(stage.bob)) == ["UpdatePinnedMessages", "UpdateNewMessage"]


def test_b6_6_knob_for_bots(make_stage: MakeStage) -> None:
    stage = make_stage(pin_blocked_bot=True)
    sent = stage.send(stage.bot, stage.ann)
    stage.block(stage.ann, stage.bot)
    with fault("USER_IS_BLOCKED"):
        stage.pin(stage.bot, stage.ann, sent)


# ------------------------------------------------------------------ B5: common part


def test_b5_1_pins_add_up(stage: Stage) -> None:
    ids = [stage.send(stage.ann, stage.bob) for _ in range(3)]
    for number in ids:
        stage.pin(stage.ann, stage.bob, number)
    stage.pin(stage.ann, stage.bob, ids[1], unpin=True)
    found = [stage.message(stage.ann, number).pinned for number in ids]
    assert found == [True, False, True]


def test_b5_4_no_notice_when_pinned_again(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent)
    assert stage.pin(stage.ann, stage.bob, sent).updates == []


@pytest.mark.parametrize("silent", [False, True])
def test_b5_5_notice_is_silent_in_private_chats(stage: Stage, silent: bool) -> None:
    sent = stage.send(stage.ann, stage.bob)
    (notice,) = notices(stage.pin(stage.ann, stage.bob, sent, silent=silent).updates)
    assert notice.silent
    assert stage.message(stage.bob, 2).silent


@pytest.mark.parametrize("unpin", [False, True])
@pytest.mark.parametrize("noop", ["split", "empty", "error"])
def test_b5_6_noop(make_stage: MakeStage, noop: str, unpin: bool) -> None:
    stage = make_stage(pin_noop=noop)
    sent = stage.send(stage.ann, stage.bob)
    if not unpin:
        stage.pin(stage.ann, stage.bob, sent)
    before = stage.state(stage.ann)
    if noop == "error":
        with fault("CHAT_NOT_MODIFIED"):
            stage.pin(stage.ann, stage.bob, sent, unpin=unpin)
    else:
        result = stage.pin(stage.ann, stage.bob, sent, unpin=unpin)
        assert (result.updates, result.seq) == ([], 0)  # B7.4
    assert stage.state(stage.ann) == before


def test_b5_7_oneside_then_both(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent, pm_oneside=True)
    result = stage.pin(stage.ann, stage.bob, sent)
    assert kinds(result.updates) == ["UpdateNewMessage"]
    assert kinds(stage.pushes(stage.bob)) == ["UpdatePinnedMessages", "UpdateNewMessage"]


def test_b5_9_notice_counts_as_a_message(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent)
    dialog = stage.dialog(stage.bob, stage.ann)
    assert (dialog.top_message, dialog.unread_count) == (2, 2)


# ------------------------------------------------------------------ B7: the result


def test_b7_1_form_of_the_result(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    result = stage.pin(stage.ann, stage.bob, sent)
    assert {user.id for user in result.users} == {stage.ann, stage.bob}
    assert (result.chats, result.seq) == ([], 0)
    assert result.date == int(stage.world.clock.now())


def test_b7_3_result_is_what_other_sessions_get(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    assert stage.pin(stage.ann, stage.bob, sent).updates == stage.pushes(stage.ann)


def test_b7_5_difference(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    before = stage.state(stage.bob).pts
    stage.pin(stage.ann, stage.bob, sent)
    pushed = stage.pushes(stage.bob)
    found = stage.difference(stage.bob, before)
    assert found.other_updates == pushed[:1]
    assert found.new_messages == notices(pushed)


# ------------------------------------------------------------------ B8: what reads show


def test_b8_2_search_finds_pins(stage: Stage) -> None:
    ids = [stage.send(stage.ann, stage.bob) for _ in range(5)]
    for number in (ids[3], ids[0], ids[1]):
        stage.pin(stage.ann, stage.bob, number, pm_oneside=True)
    pinned = api.InputMessagesFilterPinned()
    found = stage.search(stage.ann, stage.bob, filter=pinned)
    assert [message.id for message in found.messages] == [ids[3], ids[1], ids[0]]
    page = stage.search(stage.ann, stage.bob, filter=pinned, offset_id=ids[3], limit=1)
    assert [message.id for message in page.messages] == [ids[1]]
    assert page.count == 3
    counted = stage.search(stage.ann, stage.bob, filter=pinned, limit=0)
    assert (counted.messages, counted.count) == ([], 3)


def test_b8_3_search_counters(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent)
    filters = [api.InputMessagesFilterPinned(), api.InputMessagesFilterPhotos()]
    counters = stage.call(
        stage.bob,
        api.messages.GetSearchCounters(
            peer=stage.input_peer(stage.bob, stage.ann), filters=filters
        ),
    )
    assert [(counter.filter, counter.count) for counter in counters] == [
        (filters[0], 1),
        (filters[1], 0),
    ]


def test_b8_4_get_messages_by_pin_and_reply(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    (notice,) = notices(stage.pin(stage.ann, stage.bob, sent).updates)
    found = stage.call(
        stage.ann,
        api.messages.GetMessages(
            id=[api.InputMessagePinned(), api.InputMessageReplyTo(id=notice.id)]
        ),
    )
    assert [message.id for message in found.messages] == [sent, sent]


# ------------------------------------------------------------------ B9: unpinAllMessages


def test_b9_2_both_sides(stage: Stage) -> None:
    ids = [stage.send(stage.ann, stage.bob) for _ in range(3)]
    for number in ids[:2]:
        stage.pin(stage.ann, stage.bob, number)
    stage.pin(stage.bob, stage.ann, 3, pm_oneside=True)
    ann, bob = stage.state(stage.ann).pts, stage.state(stage.bob).pts
    result = unpin_all(stage, stage.ann, stage.bob)
    assert result == api.messages.AffectedHistory(pts=ann + 2, pts_count=2, offset=0)
    assert pins(stage.pushes(stage.ann)) == [(False, ids[:2], ann + 2, 2)]
    assert pins(stage.pushes(stage.bob)) == [(False, [1, 2, 3], bob + 3, 3)]
    assert not notices(stage.pushes(stage.bob))  # B9.6


def test_b9_3_batches(make_stage: MakeStage) -> None:
    stage = make_stage(affected_batch=2)
    for _ in range(3):
        stage.pin(stage.ann, stage.ann, stage.send(stage.ann, stage.ann))
    first = unpin_all(stage, stage.ann, stage.ann)
    assert (first.pts_count, first.offset) == (2, 1)
    second = unpin_all(stage, stage.ann, stage.ann)
    assert (second.pts_count, second.offset) == (1, 0)
    assert second.pts == first.pts + 1


def test_b9_5_nothing_pinned(stage: Stage) -> None:
    stage.send(stage.ann, stage.bob)
    before = stage.state(stage.ann).pts
    result = unpin_all(stage, stage.ann, stage.bob)
    assert result == api.messages.AffectedHistory(pts=before, pts_count=0, offset=0)
    assert not stage.world.pushed


def test_b9_5_knob(make_stage: MakeStage) -> None:
    stage = make_stage(pin_noop="error")
    with fault("CHAT_NOT_MODIFIED"):
        unpin_all(stage, stage.ann, stage.ann)


def test_unpin_all_from_one_origin(stage: Stage) -> None:
    sent = stage.send(stage.bob, stage.ann)
    stage.forward(stage.ann, stage.bob, [sent], stage.ann)
    note = stage.send(stage.ann, stage.ann)
    for number in (note, note - 1):
        stage.pin(stage.ann, stage.ann, number)
    result = unpin_all(
        stage,
        stage.ann,
        stage.ann,
        saved_peer_id=stage.input_peer(stage.ann, stage.bob),
    )
    assert result.pts_count == 1
    assert stage.message(stage.ann, note).pinned
    with fault("PEER_ID_INVALID"):
        unpin_all(stage, stage.ann, stage.bob, saved_peer_id=api.InputPeerSelf())


# ------------------------------------------------------------------ B10: interactions


def test_b10_1_deleting_takes_the_pin_away(stage: Stage) -> None:
    first, second = stage.send(stage.ann, stage.bob), stage.send(stage.ann, stage.bob)
    for number in (first, second):
        stage.pin(stage.ann, stage.bob, number)
    stage.delete(stage.ann, second, revoke=True)
    assert kinds(stage.pushes(stage.ann)) == ["UpdateDeleteMessages"]
    assert kinds(stage.pushes(stage.bob)) == ["UpdateDeleteMessages"]
    pinned = stage.call(stage.ann, api.messages.GetMessages(id=[api.InputMessagePinned()]))
    assert pinned.messages[0].id == first


def test_b10_2_one_sided_delete(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent)
    stage.delete(stage.ann, sent)
    assert stage.message(stage.bob, 1).pinned


def test_b10_3_editing_keeps_the_pin_and_forwards_have_none(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.pin(stage.ann, stage.bob, sent)
    result = stage.edit(stage.ann, stage.bob, sent, "changed")
    assert result.updates[0].message.pinned
    assert stage.pushes(stage.bob)[0].message.pinned
    result = stage.forward(stage.ann, stage.bob, [sent], stage.eve)
    assert not result.updates[-1].message.pinned


# ------------------------------------------------------------------ B2 to B4: rights and errors


def test_b2_bot_pins_for_both(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bot)
    result = stage.pin(stage.bot, stage.ann, 1)
    assert kinds(result.updates) == ["UpdatePinnedMessages", "UpdateNewMessage"]
    assert stage.message(stage.ann, sent).pinned


def test_b4_bot_oneside_not_avail(stage: Stage) -> None:
    stage.send(stage.ann, stage.bot)
    with fault("BOT_ONESIDE_NOT_AVAIL"):
        stage.pin(stage.bot, stage.ann, 1, pm_oneside=True)


def test_b4_peer_id_invalid(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    bad: list[api.TypeInputPeer] = [
        api.InputPeerEmpty(),
        api.InputPeerChat(chat_id=77),
        api.InputPeerUser(user_id=stage.bob, access_hash=1),
        api.InputPeerUser(user_id=12345, access_hash=stage.hash_of(stage.ann, 12345)),
        # What another account has seen is of no use.
        api.InputPeerUser(user_id=stage.bob, access_hash=stage.hash_of(stage.eve, stage.bob)),
    ]
    for peer in bad:
        with fault("PEER_ID_INVALID"):
            stage.call(stage.ann, api.messages.UpdatePinnedMessage(peer=peer, id=sent))
    with fault("PEER_ID_INVALID"):  # bots have no Saved Messages
        stage.pin(stage.bot, stage.bot, 1)


def test_b4_channel_invalid(stage: Stage) -> None:
    peer = api.InputPeerChannel(channel_id=5, access_hash=5)
    with fault("CHANNEL_INVALID"):
        stage.call(stage.ann, api.messages.UpdatePinnedMessage(peer=peer, id=1))


def test_b4_message_id_invalid(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    elsewhere = stage.send(stage.ann, stage.eve)
    deleted = stage.send(stage.ann, stage.bob)
    stage.delete(stage.ann, deleted)
    (notice,) = notices(stage.pin(stage.ann, stage.bob, sent).updates)
    for number in (0, -1, 999, elsewhere, deleted, notice.id, 2**31 - 1, -(2**31)):
        with fault("MESSAGE_ID_INVALID"):
            stage.pin(stage.ann, stage.bob, number)


def test_b4_input_user_deactivated(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.delete_account(stage.bob)
    with fault("INPUT_USER_DEACTIVATED"):
        stage.pin(stage.ann, stage.bob, sent)
    with fault("INPUT_USER_DEACTIVATED"):
        unpin_all(stage, stage.ann, stage.bob)


def test_b4_pin_restricted(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.forbid_pins(stage.ann, stage.bob)
    with fault("PIN_RESTRICTED"):
        stage.pin(stage.ann, stage.bob, sent)
    stage.pin(stage.bob, stage.ann, 1)  # the other side may


def test_b3_order_of_checks(stage: Stage) -> None:
    stage.forbid_pins(stage.ann, stage.bob)
    with fault("PIN_RESTRICTED"):  # before the message is looked up
        stage.pin(stage.ann, stage.bob, 999)
    stage.delete_account(stage.bob)
    with fault("INPUT_USER_DEACTIVATED"):  # before the right to pin
        stage.pin(stage.ann, stage.bob, 999)
