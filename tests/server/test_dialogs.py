"""The list of chats, reading them and clearing them (C3, C4)."""

from __future__ import annotations

from typing import Any

from radiogram.server import paging
from radiogram.tl import api
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds


def dialogs(stage: Stage, who: int, **options: Any) -> Any:
    fields: dict[str, Any] = {
        "offset_date": 0,
        "offset_id": 0,
        "offset_peer": api.InputPeerEmpty(),
        "limit": 100,
        "hash": 0,
    }
    return stage.call(who, api.messages.GetDialogs(**{**fields, **options}))


def peers(result: Any) -> list[int]:
    return [dialog.peer.user_id for dialog in result.dialogs]


def clear(stage: Stage, who: int, chat: int, **options: Any) -> Any:
    options.setdefault("max_id", 0)
    return stage.call(who, api.messages.DeleteHistory(peer=stage.input_peer(who, chat), **options))


# ------------------------------------------------------------------ getDialogs


def test_dialogs_newest_first(stage: Stage) -> None:
    for to in (stage.bob, stage.eve, stage.ann, stage.bob):
        stage.send(stage.ann, to, "text")
    found = dialogs(stage, stage.ann)
    assert isinstance(found, api.messages.Dialogs)
    assert peers(found) == [stage.bob, stage.ann, stage.eve]
    assert [dialog.top_message for dialog in found.dialogs] == [4, 3, 2]
    assert [message.id for message in found.messages] == [4, 3, 2]
    assert {user.id for user in found.users} == {stage.ann, stage.bob, stage.eve}


def test_dialogs_in_pages(stage: Stage) -> None:
    for to in (stage.bob, stage.eve, stage.bot):
        stage.send(stage.ann, to)
        stage.world.clock.advance(10)
    first = dialogs(stage, stage.ann, limit=2)
    assert (peers(first), first.count) == ([stage.bot, stage.eve], 3)
    last = first.messages[-1]
    second = dialogs(
        stage,
        stage.ann,
        limit=2,
        offset_date=last.date,
        offset_id=last.id,
        offset_peer=stage.input_peer(stage.ann, stage.eve),
    )
    assert (peers(second), second.count) == ([stage.bob], 3)
    assert peers(dialogs(stage, stage.ann, offset_date=NOON + 10)) == [stage.bob]


def test_dialogs_not_modified(stage: Stage) -> None:
    stage.send(stage.ann, stage.bob)
    known = paging.list_hash([1])
    assert dialogs(stage, stage.ann, hash=known) == api.messages.DialogsNotModified(count=1)


def test_dialogs_are_refused(stage: Stage) -> None:
    with fault("FOLDER_ID_INVALID"):
        dialogs(stage, stage.ann, folder_id=2)
    with fault("OFFSET_PEER_ID_INVALID"):
        dialogs(stage, stage.ann, offset_peer=api.InputPeerUser(user_id=1, access_hash=1))
    with fault("BOT_METHOD_INVALID"):
        dialogs(stage, stage.bot)


def test_archive_is_empty(stage: Stage) -> None:
    stage.send(stage.ann, stage.bob)
    assert peers(dialogs(stage, stage.ann, folder_id=1)) == []
    assert peers(dialogs(stage, stage.ann, folder_id=0)) == [stage.bob]


# ------------------------------------------------------------------ getPeerDialogs


def test_peer_dialogs(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann)
    asked: list[api.TypeInputDialogPeer] = [
        api.InputDialogPeer(peer=stage.input_peer(stage.ann, stage.bob)),
        api.InputDialogPeer(peer=stage.input_peer(stage.ann, stage.eve)),  # nothing yet
        api.InputDialogPeerFolder(folder_id=1),
    ]
    found = stage.call(stage.ann, api.messages.GetPeerDialogs(peers=asked))
    assert [(d.peer.user_id, d.top_message, d.unread_count) for d in found.dialogs] == [
        (stage.bob, 1, 1),
        (stage.eve, 0, 0),
    ]
    assert [message.id for message in found.messages] == [1]
    assert (found.state.pts, found.state.unread_count) == (2, 1)
    assert {user.id for user in found.users} == {stage.bob, stage.eve}


def test_peer_dialogs_are_refused(stage: Stage) -> None:
    with fault("INPUT_PEERS_EMPTY"):
        stage.call(stage.ann, api.messages.GetPeerDialogs(peers=[]))
    myself: list[api.TypeInputDialogPeer] = [api.InputDialogPeer(peer=api.InputPeerSelf())]
    with fault("PEER_ID_INVALID"):
        stage.call(stage.ann, api.messages.GetPeerDialogs(peers=myself * 101))


# ------------------------------------------------------------------ readHistory


def test_read_history(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that the ids of the two boxes differ
    for _ in range(3):
        stage.send(stage.bob, stage.ann)
    ann, bob = stage.state(stage.ann).pts, stage.state(stage.bob).pts
    result = stage.read(stage.ann, stage.bob, 2)
    assert result == api.messages.AffectedMessages(pts=ann + 1, pts_count=1)
    assert stage.pushes(stage.ann) == [
        api.UpdateReadHistoryInbox(
            peer=api.PeerUser(user_id=stage.bob),
            max_id=2,
            still_unread_count=1,
            pts=ann + 1,
            pts_count=1,
        )
    ]
    assert stage.pushes(stage.bob) == [
        api.UpdateReadHistoryOutbox(
            peer=api.PeerUser(user_id=stage.ann), max_id=3, pts=bob + 1, pts_count=1
        )
    ]
    mine, theirs = stage.dialog(stage.ann, stage.bob), stage.dialog(stage.bob, stage.ann)
    assert (mine.read_inbox_max_id, mine.unread_count) == (2, 1)
    assert theirs.read_outbox_max_id == 3
    assert stage.state(stage.ann).unread_count == 1


def test_read_history_is_clamped_and_never_goes_back(stage: Stage) -> None:
    for _ in range(2):
        stage.send(stage.bob, stage.ann)
    stage.read(stage.ann, stage.bob, 2**31 - 1)
    assert stage.dialog(stage.ann, stage.bob).read_inbox_max_id == 2
    before = stage.state(stage.ann).pts
    for max_id in (1, 2, 0, 99):
        result = stage.read(stage.ann, stage.bob, max_id)
        assert result == api.messages.AffectedMessages(pts=before, pts_count=0)
    assert not stage.world.pushed


def test_read_history_without_anything_to_read(stage: Stage) -> None:
    assert stage.read(stage.ann, stage.bob).pts_count == 0
    stage.send(stage.ann, stage.ann)
    assert stage.read(stage.ann, stage.ann).pts_count == 0
    found = stage.dialog(stage.ann, stage.ann)
    assert found.read_inbox_max_id == found.read_outbox_max_id == 1


def test_bots_are_not_told_who_reads(stage: Stage) -> None:
    stage.send(stage.bot, stage.ann)
    stage.read(stage.ann, stage.bot)
    assert stage.pushed_to() == {stage.ann}


def test_read_after_the_sender_deleted(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann)
    stage.delete(stage.bob, 1)
    stage.read(stage.ann, stage.bob)
    assert stage.pushed_to() == {stage.ann}


# ------------------------------------------------------------------ deleteHistory


def test_delete_history_for_oneself(stage: Stage) -> None:
    for _ in range(3):
        stage.send(stage.ann, stage.bob)
    before = stage.state(stage.ann).pts
    result = clear(stage, stage.ann, stage.bob)
    assert result == api.messages.AffectedHistory(pts=before + 3, pts_count=3, offset=0)
    assert stage.pushed_to() == {stage.ann}
    assert kinds(stage.pushes(stage.ann)) == ["UpdateDeleteMessages"]
    assert peers(dialogs(stage, stage.ann)) == []
    assert len(stage.history(stage.bob, stage.ann).messages) == 3
    stage.send(stage.bob, stage.ann)
    assert peers(dialogs(stage, stage.ann)) == [stage.bob]


def test_delete_history_for_both(stage: Stage) -> None:
    for _ in range(3):
        stage.send(stage.ann, stage.bob)
    clear(stage, stage.ann, stage.bob, revoke=True)
    assert kinds(stage.pushes(stage.bob)) == ["UpdateDeleteMessages"]
    assert stage.history(stage.bob, stage.ann).messages == []
    assert peers(dialogs(stage, stage.bob)) == []


def test_delete_a_part(stage: Stage) -> None:
    for _ in range(3):
        stage.send(stage.ann, stage.bob)
        stage.world.clock.advance(60)
    assert clear(stage, stage.ann, stage.bob, max_id=1).pts_count == 1
    assert clear(stage, stage.ann, stage.bob, min_date=NOON + 100).pts_count == 1
    assert [m.id for m in stage.history(stage.ann, stage.bob).messages] == [2]
    assert clear(stage, stage.ann, stage.bob, max_date=NOON).pts_count == 0
    assert peers(dialogs(stage, stage.ann)) == [stage.bob]


def test_just_clear_keeps_the_chat(stage: Stage) -> None:
    stage.send(stage.ann, stage.bob)
    clear(stage, stage.ann, stage.bob, just_clear=True)
    (found,) = dialogs(stage, stage.ann).dialogs
    assert (found.peer.user_id, found.top_message) == (stage.bob, 0)


def test_delete_history_in_batches(make_stage: MakeStage) -> None:
    stage = make_stage(affected_batch=2)
    for _ in range(5):
        stage.send(stage.ann, stage.bob)
    found = [clear(stage, stage.ann, stage.bob, revoke=True) for _ in range(3)]
    assert [(part.pts_count, part.offset) for part in found] == [(2, 3), (2, 1), (1, 0)]
    assert peers(dialogs(stage, stage.ann)) == []


def test_delete_history_is_refused(stage: Stage) -> None:
    with fault("MESSAGE_ID_INVALID"):
        clear(stage, stage.ann, stage.bob, max_id=-1)
    with fault("MIN_DATE_INVALID"):
        clear(stage, stage.ann, stage.bob, min_date=-1)
    with fault("MAX_DATE_INVALID"):
        clear(stage, stage.ann, stage.bob, max_date=NOON + 99)
    assert clear(stage, stage.ann, stage.bob).pts_count == 0
