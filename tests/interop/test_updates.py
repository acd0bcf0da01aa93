"""updates.getState and getDifference: what a client finds that was away (C6)."""

from __future__ import annotations

import pytest

from .account import Account
from .conftest import Guests
from .drivers import CallError

pytestmark = pytest.mark.asyncio(loop_scope="session")

Duo = tuple[Account, Account]


async def test_nothing_new(guests: Guests, library: str) -> None:
    """At the state of the server there is no difference (C6.2)."""
    ann = await guests.user(library)
    state = await ann.call("updates.getState")
    difference = await ann.difference(state.pts, state.date)
    assert difference.kind == "updates.differenceEmpty"


async def test_bad_states(guests: Guests, library: str) -> None:
    """States that no server ever gave out (C6.2)."""
    ann = await guests.user(library)
    state = await ann.call("updates.getState")
    for pts, date, error in (
        (0, state.date, "PERSISTENT_TIMESTAMP_EMPTY"),
        (-1, state.date, "PERSISTENT_TIMESTAMP_INVALID"),
        (state.pts + 1, state.date, "PERSISTENT_TIMESTAMP_INVALID"),
        (state.pts, 0, "DATE_EMPTY"),
    ):
        with pytest.raises(CallError, match=f"^400 {error}$"):
            await ann.difference(pts, date)


async def test_difference_after_being_away(duo: Duo) -> None:
    """Messages in their final form; edits, deletes and pins as updates (C6.3, B7.5)."""
    ann, bob = duo
    old = await ann.send(bob, "sent before")
    old_there = (await bob.expect_message()).id
    state = await bob.call("updates.getState")
    await bob.driver.leave()

    kept = await ann.send(bob, "kept")
    edited = await ann.send(bob, "to be edited")
    deleted = await ann.send(bob, "to be deleted")
    peer = await ann.meet(bob)
    await ann.call("messages.editMessage", peer=peer, id=edited, message="edited")
    await ann.call("messages.editMessage", peer=peer, id=old, message="edited, too")
    await ann.call("messages.deleteMessages", id=[deleted], revoke=True)
    await ann.pin(bob, kept)
    await ann.unpin(bob, kept)
    await ann.pin(bob, old)

    await bob.driver.come_back()
    difference = await bob.difference(state.pts, state.date)

    assert difference.kind == "updates.difference"
    new = difference.new_messages
    assert [message.id for message in new] == sorted(message.id for message in new)
    assert [(message.kind, message.message) for message in new] == [
        ("message", "kept"),
        ("message", "edited"),
        ("messageService", None),
        ("messageService", None),
    ]
    assert [message.pinned for message in new] == [None] * 4
    assert [message.reply_to.reply_to_msg_id for message in new[2:]] == [new[0].id, old_there]
    others = difference.other_updates
    assert all(update.kind != "updateNewMessage" for update in others)
    assert (old_there, "edited, too") in [
        (update.message.id, update.message.message)
        for update in others
        if update.kind == "updateEditMessage"
    ]
    assert [update.messages for update in others if update.kind == "updateDeleteMessages"] == [
        [new[1].id + 1]
    ]
    pins = [update for update in others if update.kind == "updatePinnedMessages"]
    assert [(update.messages, update.pinned) for update in pins] == [
        ([new[0].id], True),
        ([new[0].id], None),
        ([old_there], True),
    ]
    assert {user.id for user in difference.users} >= {ann.id}
    assert difference.state.pts == await bob.pts()

    # C6.5: the pushes go on from there.
    await ann.send(bob, "and on")
    assert (await bob.expect_message()).message == "and on"


async def test_difference_from_the_beginning_is_everything(duo: Duo) -> None:
    """From pts 1 on, a client of an account of any age finds every message (C6.1, C6.3)."""
    ann, bob = duo
    sent = [await ann.send(bob, f"n{n}") for n in range(5)]
    state = await ann.call("updates.getState")
    difference = await ann.difference(1, state.date)
    assert [message.id for message in difference.new_messages] == sent
    # C0.2.3: the sender finds the ids of its sends there, too.
    ids = [update.id for update in difference.other_updates if update.kind == "updateMessageID"]
    assert ids == sent


@pytest.mark.parametrize("library", ["telethon", "kurigram", "mtcute"])
async def test_the_library_catches_up(guests: Guests, library: str) -> None:
    """The library's own way to catch up turns new messages of the difference into its events.

    Telethon makes no events of what has a pts there (edits, deletes, pins); GramJS has no such way.
    """
    bob = await guests.user(library)
    ann = await guests.user("gramjs")
    await ann.send(bob, "met before")
    got = await bob.expect_message()
    state = await bob.call("updates.getState")
    await bob.driver.leave()

    first = await ann.send(bob, "while you were away")
    second = await ann.send(bob, "soon gone")
    peer = await ann.meet(bob)
    await ann.call("messages.editMessage", peer=peer, id=first, message="while you slept")
    await ann.call("messages.deleteMessages", id=[second], revoke=True)

    await bob.driver.come_back(listen=True)

    event = await bob.expect_event("new")
    assert (event["id"], event["text"]) == (got.id + 1, "while you slept")
    if library != "telethon":
        assert (await bob.expect_event("deleted"))["ids"] == [got.id + 2]
    await bob.difference(state.pts, state.date)


async def test_pushes_are_not_lost_while_a_connection_is_replaced(duo: Duo) -> None:
    """Reconnecting, both libraries hear of what comes from then on, gaps or not (A13.1)."""
    ann, bob = duo
    state = await bob.call("updates.getState")
    for n in range(3):
        await bob.driver.leave()
        await bob.driver.come_back()
        await ann.send(bob, f"after return {n}")
        await bob.call("updates.getState")
    await bob.difference(state.pts, state.date)
    texts = [message.message for message in await bob.history(ann)]
    assert texts == ["after return 2", "after return 1", "after return 0"]
