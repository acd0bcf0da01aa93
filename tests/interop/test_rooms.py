"""Groups, supergroups and channels, as four libraries make and use them (C0.1, C3, C6, part B)."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import pytest_asyncio

from .account import Account, Room
from .conftest import PAIRS, Guests
from .drivers import CallError
from .plain import Plain, input_channel

pytestmark = pytest.mark.asyncio(loop_scope="session")

KINDS = ("group", "supergroup", "channel")


class Party(NamedTuple):
    """A room of the first's, and one member who watches."""

    ann: Account
    bob: Account
    room: Room


async def throw(guests: Guests, kind: str, pair: str) -> Party:
    """Make a room with the library's own methods and let the other in."""
    actor, watcher = pair.split("-")
    ann, bob = await guests.user(actor), await guests.user(watcher)
    member = await ann.meet(bob)
    title = f"The {kind} of {ann.id}"
    room = Room(kind, await ann.driver.make(kind, title, [member]), title)
    await ann.enter(room)
    if room.is_channel:
        await ann.driver.invite(await ann.meet(room), member)
        await bob.expect("updateChannel")
    else:
        await bob.expect_message()
    await bob.enter(room)
    bob.inbox.clear()
    return Party(ann, bob, room)


@pytest_asyncio.fixture(loop_scope="session", params=PAIRS)
async def pair_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest_asyncio.fixture(loop_scope="session", params=KINDS)
async def party(guests: Guests, request: pytest.FixtureRequest, pair_name: str) -> Party:
    """A room of every kind, for each pair of libraries."""
    return await throw(guests, request.param, pair_name)


async def test_messages(party: Party) -> None:
    """Sent, edited and deleted by the library, told to the other library as its own events."""
    ann, bob, room = party
    hers = await ann.meet(room)
    await bob.driver.listen()

    sent = await ann.driver.send(hers, "hello")
    assert sent.message == "hello"
    event = await bob.expect_event("new")
    assert (event["text"], bool(event["out"])) == ("hello", False)
    got = await bob.message_in(room, event["id"])
    assert (got.message, got.peer_id) == ("hello", room.peer)
    assert got.from_id == (None if room.kind == "channel" else ann.peer)
    assert bool(got.post) == (room.kind == "channel")
    assert not room.is_channel or got.id == sent.id  # B1.1: one box, one id

    edited = await ann.driver.edit(hers, sent.id, "hello again")
    assert (edited.id, edited.message) == (sent.id, "hello again")
    changed = await bob.expect_event("edited")
    assert (changed["id"], changed["text"]) == (event["id"], "hello again")

    (newest,) = await bob.driver.history(await bob.meet(room), 1)
    assert (newest.id, newest.message) == (event["id"], "hello again")
    dialogs = {dialog["id"]: dialog for dialog in await bob.driver.dialogs()}
    assert dialogs[room.marked_id]["top"] == event["id"]
    assert dialogs[room.marked_id]["unread"] > 0

    await ann.driver.delete(hers, [sent.id])
    assert (await bob.expect_event("deleted"))["ids"] == [event["id"]]
    assert (await bob.message_in(room, event["id"])).kind == "messageEmpty"


async def test_members(party: Party, guests: Guests) -> None:
    """Members come, go, become admins and are thrown out, by the library's own methods."""
    ann, bob, room = party
    carl = await guests.user(ann.driver.library)
    hers = await ann.meet(room)

    await ann.driver.invite(hers, await ann.meet(carl))
    await carl.expect("updateChannel", "updateNewMessage")
    await carl.enter(room)
    assert set(await ann.driver.members(hers)) == {ann.id, bob.id, carl.id}
    assert room.title in [chat.title for chat in (await carl.raw_dialogs()).chats]

    await ann.driver.promote(hers, await ann.meet(bob), "delete_messages", "pin_messages")
    if room.is_channel:
        found = await bob.call(
            "channels.getParticipant",
            channel=input_channel(await bob.meet(room)),
            participant=Plain("inputPeerSelf"),
        )
        assert found.participant.kind == "channelParticipantAdmin"
        assert found.participant.admin_rights.delete_messages
    else:
        participants = (await bob.full(room)).participants.participants
        kinds = {one.user_id: one.kind for one in participants}
        assert kinds[bob.id] == "chatParticipantAdmin"
        assert kinds[carl.id] == "chatParticipant"

    await carl.driver.part(await carl.meet(room))
    carl.forget(room)
    await ann.driver.ban(hers, await ann.meet(bob))
    bob.forget(room)
    assert await ann.driver.members(hers) == [ann.id]
    with pytest.raises(CallError) as caught:
        await bob.send(room, "no longer")
    assert caught.value.message == (
        "CHANNEL_PRIVATE" if room.is_channel else "CHAT_WRITE_FORBIDDEN"
    )


async def test_pins(party: Party) -> None:
    """Pinned loudly and silently, unpinned, and all unpinned, by the library (B5 to B9)."""
    ann, bob, room = party
    hers, his = await ann.meet(room), await bob.meet(room)
    ids, theirs = [], []
    for text in ("first", "second", "third"):
        ids.append(await ann.send(room, text))
        theirs.append((await bob.expect_message()).id)
    kind = "updatePinnedChannelMessages" if room.is_channel else "updatePinnedMessages"

    for index, notify in ((1, True), (0, False)):
        pts = await bob.room_pts(room)
        service = await ann.driver.pin(hers, ids[index], notify=notify)
        assert service is not None
        assert service.action.kind == "messageActionPinMessage"
        assert service.reply_to.reply_to_msg_id == ids[index]
        assert bool(service.silent) == (not notify or room.kind == "channel")  # B5.5, B6.12

        pinned = await bob.expect(kind)
        assert (pinned.messages, pinned.pinned) == ([theirs[index]], True)
        assert (pinned.pts, pinned.pts_count) == (pts + 1, 1)  # B7.3
        told = await bob.expect("updateNewMessage", "updateNewChannelMessage")
        assert told.pts == pts + 2
        assert told.message.reply_to.reply_to_msg_id == theirs[index]
        assert told.message.from_id == (None if room.kind == "channel" else ann.peer)
        assert (await bob.message_in(room, theirs[index])).pinned  # B5.2
    with pytest.raises(CallError, match=r"^400 CHAT_NOT_MODIFIED$"):  # B5.6
        await ann.pin(room, ids[0])
    assert await bob.pinned(room) == [theirs[1], theirs[0]]  # B8.2
    assert (await bob.full(room)).pinned_msg_id == theirs[1]  # B8.1

    await ann.driver.unpin(hers, ids[1])
    unpinned = await bob.expect(kind)
    assert (unpinned.messages, unpinned.pinned) == ([theirs[1]], None)
    assert (await bob.full(room)).pinned_msg_id == theirs[0]

    await ann.driver.pin(hers, ids[2])
    await bob.expect(kind)
    await ann.driver.unpin_all(hers)
    gone = await bob.expect(kind)
    assert (sorted(gone.messages), gone.pinned, gone.pts_count) == ([theirs[0], theirs[2]], None, 2)
    assert await bob.pinned(room) == []
    assert (await bob.full(room)).pinned_msg_id is None

    if room.kind == "group":  # B2.4
        await bob.driver.pin(his, theirs[0])
        assert (await ann.expect(kind)).messages == [ids[0]]
        return
    with pytest.raises(CallError, match=r"^400 CHAT_ADMIN_REQUIRED$"):
        await bob.pin(room, theirs[0])
    right = "edit_messages" if room.kind == "channel" else "pin_messages"
    await ann.driver.promote(hers, await ann.meet(bob), right)
    service = await bob.driver.pin(his, theirs[0])
    assert service is not None
    assert service.from_id == (None if room.kind == "channel" else bob.peer)
    assert (await ann.expect(kind)).messages == [ids[0]]


async def test_away(party: Party) -> None:
    """Who was away finds everything in the difference, the pins among the other updates (B7.5)."""
    ann, bob, room = party
    old = await ann.send(room, "sent before")
    old_there = (await bob.expect_message()).id
    state, pts = await bob.call("updates.getState"), await bob.room_pts(room)
    await bob.driver.leave()

    kept = await ann.send(room, "kept")
    deleted = await ann.send(room, "to be deleted")
    hers = await ann.meet(room)
    await ann.call("messages.editMessage", peer=hers, id=kept, message="kept and edited")
    await ann.driver.delete(hers, [deleted])
    await ann.driver.pin(hers, old)
    await ann.driver.pin(hers, kept)
    await ann.driver.unpin(hers, old)

    await bob.driver.come_back(listen=True)
    if bob.driver.library != "gramjs":
        event = await bob.expect_event("new")
        assert (event["text"], event["id"]) == ("kept and edited", old_there + 1)
    if room.is_channel:
        difference = await bob.channel_difference(room, pts)
        assert difference.final
        assert difference.pts == await bob.room_pts(room)
    else:
        difference = await bob.difference(state.pts, state.date)
    new = difference.new_messages
    assert [message.message for message in new] == ["kept and edited", None, None]
    assert [message.reply_to.reply_to_msg_id for message in new[1:]] == [old_there, new[0].id]
    assert [message.pinned for message in new] == [True, None, None]
    others = difference.other_updates
    pins = [update for update in others if update.kind.startswith("updatePinned")]
    assert [(update.messages, update.pinned) for update in pins] == [
        ([old_there], True),
        ([new[0].id], True),
        ([old_there], None),
    ]
    (gone,) = [update for update in others if update.kind.startswith("updateDelete")]
    assert gone.messages == [new[0].id + 1]
    assert room.id in [chat.id for chat in difference.chats]

    # The pushes go on from there.
    await ann.send(room, "and on")
    while (await bob.expect_message()).message != "and on":
        pass


@pytest.mark.parametrize("kind", ["supergroup", "channel"])
async def test_public(guests: Guests, pair_name: str, kind: str) -> None:
    """A room with a name is found by it, read without being in it, and joined."""
    ann, bob, room = await throw(guests, kind, pair_name)
    carl = await guests.user(bob.driver.library)
    name = f"room{room.id}"
    assert await ann.call(
        "channels.updateUsername", channel=input_channel(await ann.meet(room)), username=name
    )
    sent = await ann.send(room, "for all to read")

    found = await carl.call("contacts.resolveUsername", username=name)
    assert found.peer == room.peer
    assert found.chats[0].left
    await carl.enter(room)
    his = await carl.meet(room)
    assert sent in [message.id for message in await carl.history(room)]
    if kind == "channel":
        with pytest.raises(CallError, match=r"^40[03] CHAT_(WRITE_FORBIDDEN|ADMIN_REQUIRED)$"):
            await carl.send(room, "nothing to say")

    await carl.driver.join(his)
    assert carl.id in await ann.driver.members(await ann.meet(room))
    await ann.send(room, "welcome")
    while (await carl.expect_message()).message != "welcome":
        pass
    await carl.driver.part(his)
    carl.forget(room)
    assert carl.id not in await ann.driver.members(await ann.meet(room))
    assert await bob.room_pts(room) == await ann.room_pts(room)
