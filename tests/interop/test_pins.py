"""messages.updatePinnedMessage in private chats with every flag (part B), on both sides."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import pytest_asyncio

from .account import Account
from .conftest import Guests
from .drivers import CallError
from .plain import Plain

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Chat(NamedTuple):
    """Two users and one message of the first to the second, with the id of each copy."""

    ann: Account
    bob: Account
    hers: int
    his: int


@pytest_asyncio.fixture(loop_scope="session")
async def chat(duo: tuple[Account, Account]) -> Chat:
    """A chat in which the ids of the two copies differ."""
    ann, bob = duo
    await bob.send(bob, "so that ids of the two boxes differ")
    hers = await ann.send(bob, "pin me")
    his = (await bob.expect_message()).id
    assert hers != his
    return Chat(ann, bob, hers, his)


def pin_update(peer: Plain, message_id: int, pts: int, *, pinned: bool = True) -> Plain:
    """Return updatePinnedMessages as B5.3 wants it for one message."""
    return Plain(
        "updatePinnedMessages",
        pinned=pinned,
        peer=peer,
        messages=[message_id],
        pts=pts,
        pts_count=1,
    )


def check_form(result: Plain, *mentioned: Account) -> None:
    """Check what B7.1 says of the form of a result."""
    assert result.kind == "updates"
    assert not result.seq
    assert {account.id for account in mentioned} <= {user.id for user in result.users}


@pytest.mark.parametrize("silent", [False, True], ids=["loud", "silent"])
async def test_pin_on_both_sides(chat: Chat, silent: bool) -> None:
    """Both copies are pinned, and a service message tells of it (B5.3, B5.4, B6.2, B7)."""
    ann, bob, hers, his = chat
    pts = await ann.pts(), await bob.pts()

    result = await ann.pin(bob, hers, silent=silent)

    check_form(result, ann, bob)
    assert result.kinds == ["updatePinnedMessages", "updateNewMessage"]  # B7.2
    pin, told = result.updates
    assert pin == pin_update(bob.peer, hers, pts[0] + 1)  # B7.3
    assert (told.pts, told.pts_count) == (pts[0] + 2, 1)
    service = told.message
    assert service.kind == "messageService"
    assert service.action.kind == "messageActionPinMessage"
    assert service.out
    assert service.peer_id == bob.peer
    assert service.from_id == ann.peer
    assert service.reply_to.reply_to_msg_id == hers
    assert service.silent  # B5.5: always in a private chat

    assert await bob.expect("updatePinnedMessages") == pin_update(ann.peer, his, pts[1] + 1)
    seen = await bob.expect("updateNewMessage")
    assert (seen.pts, seen.pts_count) == (pts[1] + 2, 1)
    assert seen.message.action.kind == "messageActionPinMessage"
    assert not seen.message.out
    assert seen.message.peer_id == ann.peer
    assert seen.message.from_id == ann.peer
    assert seen.message.reply_to.reply_to_msg_id == his
    assert seen.message.id != service.id or hers == his

    assert await ann.pinned(bob) == [hers]  # B5.2, B8.2
    assert await bob.pinned(ann) == [his]
    # B5.9: it is in history like any message.
    assert [message.id for message in await ann.history(bob)] == [service.id, hers]
    assert [message.id for message in await bob.history(ann)] == [seen.message.id, his]


@pytest.mark.parametrize("silent", [False, True], ids=["loud", "silent"])
async def test_pin_on_one_side(chat: Chat, silent: bool) -> None:
    """With pm_oneside only the caller's copy is pinned; nobody else hears of it (B6.3)."""
    ann, bob, hers, _ = chat
    pts = await ann.pts(), await bob.pts()

    result = await ann.pin(bob, hers, pm_oneside=True, silent=silent)

    check_form(result, bob)
    assert result.updates == [pin_update(bob.peer, hers, pts[0] + 1)]
    assert await ann.pinned(bob) == [hers]
    assert await bob.pts() == pts[1]
    assert bob.inbox == []
    assert await bob.pinned(ann) == []


@pytest.mark.parametrize("silent", [False, True], ids=["loud", "silent"])
async def test_unpin_on_both_sides(chat: Chat, silent: bool) -> None:
    """Both copies are unpinned, without a service message (B6.4)."""
    ann, bob, hers, his = chat
    await ann.pin(bob, hers)
    await bob.expect("updateNewMessage")
    await bob.expect("updatePinnedMessages")
    pts = await ann.pts(), await bob.pts()

    result = await ann.unpin(bob, hers, silent=silent)

    check_form(result, bob)
    assert result.updates == [pin_update(bob.peer, hers, pts[0] + 1, pinned=False)]
    told = await bob.expect("updatePinnedMessages")
    assert told == pin_update(ann.peer, his, pts[1] + 1, pinned=False)
    assert await ann.pinned(bob) == await bob.pinned(ann) == []
    assert (await ann.pts(), await bob.pts()) == (pts[0] + 1, pts[1] + 1)


@pytest.mark.parametrize("silent", [False, True], ids=["loud", "silent"])
async def test_unpin_on_one_side(chat: Chat, silent: bool) -> None:
    """unpin with pm_oneside leaves the other side's pin (B6.5)."""
    ann, bob, hers, his = chat
    await ann.pin(bob, hers)
    await bob.expect("updateNewMessage")
    pts = await ann.pts(), await bob.pts()

    result = await ann.unpin(bob, hers, pm_oneside=True, silent=silent)

    assert result.updates == [pin_update(bob.peer, hers, pts[0] + 1, pinned=False)]
    assert await ann.pinned(bob) == []
    assert await bob.pinned(ann) == [his]
    assert await bob.pts() == pts[1]


@pytest.mark.parametrize("flags", [{}, {"pm_oneside": True}, {"silent": True}])
async def test_pinning_again_changes_nothing(chat: Chat, flags: dict[str, bool]) -> None:
    """In a private chat a pin of a pinned message is an empty success (B5.6, B7.4)."""
    ann, bob, hers, _ = chat
    await ann.pin(bob, hers)
    await bob.expect("updateNewMessage")
    pts = await ann.pts(), await bob.pts()

    result = await ann.pin(bob, hers, **flags)

    assert (result.kind, result.updates) == ("updates", [])
    assert (await ann.pts(), await bob.pts()) == pts


async def test_unpinning_what_is_not_pinned_changes_nothing(chat: Chat) -> None:
    """The same for an unpin (B5.6)."""
    ann, bob, hers, _ = chat
    pts = await ann.pts(), await bob.pts()
    result = await ann.unpin(bob, hers)
    assert (result.kind, result.updates) == ("updates", [])
    assert (await ann.pts(), await bob.pts()) == pts


async def test_both_sides_after_one_side(chat: Chat) -> None:
    """Only the copy that is not pinned yet changes; there is a service message (B5.7)."""
    ann, bob, hers, his = chat
    await ann.pin(bob, hers, pm_oneside=True)
    pts = await ann.pts(), await bob.pts()

    result = await ann.pin(bob, hers)

    assert result.kinds == ["updateNewMessage"]
    assert result.only("updateNewMessage").pts == pts[0] + 1
    assert await bob.expect("updatePinnedMessages") == pin_update(ann.peer, his, pts[1] + 1)
    assert (await bob.expect("updateNewMessage")).pts == pts[1] + 2


async def test_the_receiver_pins(chat: Chat) -> None:
    """Either side may pin any message of the chat, by its own id (B1.3, B2)."""
    ann, bob, hers, his = chat
    result = await bob.pin(ann, his)
    assert result.only("updatePinnedMessages").messages == [his]
    assert (await ann.expect("updatePinnedMessages")).messages == [hers]
    assert (await ann.expect("updateNewMessage")).message.from_id == bob.peer


async def test_several_pins(chat: Chat) -> None:
    """Pins add up; the latest is the one sent last, not the one pinned last (B5.1, B8)."""
    ann, bob, first, _ = chat
    second = await ann.send(bob, "second")
    third = await ann.send(bob, "third")
    for sent in (second, third, first):
        await ann.pin(bob, sent)
    assert await ann.pinned(bob) == [third, second, first]

    user = await ann.meet(bob)
    input_user = Plain("inputUser", user_id=bob.id, access_hash=user.access_hash)

    async def latest() -> int | None:
        full = (await ann.call("users.getFullUser", id=input_user)).full_user
        assert full.can_pin_message  # B2.1
        return full.pinned_msg_id

    assert await latest() == third  # B8.1
    await ann.unpin(bob, third)
    assert await latest() == second
    await ann.call("messages.deleteMessages", id=[second], revoke=True)
    assert await latest() == first  # B10.1
    await ann.unpin(bob, first)
    assert await latest() is None


async def test_unpin_all(chat: Chat) -> None:
    """unpinAllMessages empties both sides at once (B9)."""
    ann, bob, first, his_first = chat
    second = await ann.send(bob, "second")
    his_second = (await bob.expect_message()).id
    for sent in (first, second):
        await ann.pin(bob, sent)
        await bob.expect("updatePinnedMessages")
        await bob.expect("updateNewMessage")
    pts = await ann.pts(), await bob.pts()

    result = await ann.call("messages.unpinAllMessages", peer=await ann.meet(bob))

    assert result == Plain("messages.affectedHistory", pts=pts[0] + 2, pts_count=2, offset=0)
    told = await bob.expect("updatePinnedMessages")
    assert (sorted(told.messages), told.pts, told.pts_count) == (
        [his_first, his_second],
        pts[1] + 2,
        2,
    )
    assert not told.pinned
    assert await ann.pinned(bob) == await bob.pinned(ann) == []

    again = await ann.call("messages.unpinAllMessages", peer=await ann.meet(bob))
    assert (again.pts, again.pts_count) == (pts[0] + 2, 0)  # B9.5


async def test_edits_keep_the_pin(chat: Chat) -> None:
    """An edited message stays pinned, and says so (B10.3)."""
    ann, bob, hers, _ = chat
    await ann.pin(bob, hers)
    result = await ann.call(
        "messages.editMessage", peer=await ann.meet(bob), id=hers, message="pinned still"
    )
    assert result.only("updateEditMessage").message.pinned
    assert (await bob.expect("updateEditMessage")).message.pinned
    assert await ann.pinned(bob) == [hers]


async def test_pin_when_the_other_side_deleted_its_copy(chat: Chat) -> None:
    """Then there is no pin there, and the service message points nowhere (B6.2)."""
    ann, bob, hers, his = chat
    await bob.call("messages.deleteMessages", id=[his])

    result = await ann.pin(bob, hers)

    assert result.kinds == ["updatePinnedMessages", "updateNewMessage"]
    service = (await bob.expect("updateNewMessage")).message
    assert service.action.kind == "messageActionPinMessage"
    assert service.reply_to is None
    assert await bob.pinned(ann) == []


async def test_the_library_pins_and_unpins(chat: Chat) -> None:
    """The library's own methods find the service message, or none (B7.4)."""
    ann, bob, hers, his = chat
    peer = await ann.meet(bob)

    service = await ann.driver.pin(peer, hers)
    assert service is not None
    assert service.action.kind == "messageActionPinMessage"
    assert service.reply_to.reply_to_msg_id == hers
    assert await bob.pinned(ann) == [his]
    assert await ann.driver.pin(peer, hers) is None
    assert await ann.driver.unpin(peer, hers) is None
    assert await bob.pinned(ann) == []


async def test_message_that_is_pinned_can_be_asked_for(chat: Chat) -> None:
    """inputMessagePinned gives the latest pinned message, or an empty one (B8.4)."""
    ann, bob, hers, _ = chat
    result = await ann.pin(bob, hers)
    service = result.only("updateNewMessage").message
    found = await ann.call("messages.getMessages", id=[Plain("inputMessageReplyTo", id=service.id)])
    assert [message.id for message in found.messages] == [hers]


async def test_saved_messages(guests: Guests, pair: tuple[str, str]) -> None:
    """To oneself: one copy, no service message, other sessions are told (B6.1)."""
    ann = await guests.user(pair[0])
    again = await guests.user(pair[1], ann.number)
    sent = await ann.send(ann, "note")
    await again.expect_message()
    pts = await ann.pts()

    pinned = await ann.pin(ann, sent, pm_oneside=True)
    assert pinned.updates == [pin_update(ann.peer, sent, pts + 1)]
    assert await again.expect("updatePinnedMessages") == pinned.updates[0]
    assert await again.pinned(again) == [sent]

    unpinned = await again.unpin(again, sent)
    assert unpinned.updates == [pin_update(ann.peer, sent, pts + 2, pinned=False)]
    assert await ann.expect("updatePinnedMessages") == unpinned.updates[0]


async def test_other_sessions_of_the_pinner_are_told(guests: Guests, pair: tuple[str, str]) -> None:
    """What the calling session has as a result, the account's others get pushed (A13.3)."""
    ann = await guests.user(pair[0])
    again = await guests.user(pair[1], ann.number)
    bob = await guests.user(pair[1])
    ann.inbox.clear()  # of the news that the account signed in once more
    sent = await ann.send(bob, "pin me")
    await again.expect_message()

    result = await ann.pin(bob, sent)

    assert await again.expect("updatePinnedMessages") == result.updates[0]
    told = await again.expect("updateNewMessage")
    assert (told.message.id, told.pts) == (result.updates[1].message.id, result.updates[1].pts)
    assert await ann.pts() == told.pts
    assert ann.inbox == []


async def test_bots(guests: Guests, pair: tuple[str, str]) -> None:
    """A bot pins on both sides, never for itself alone (B2, B4)."""
    bot, user = await guests.bot(pair[0]), await guests.user(pair[1])
    await user.send(bot, "/start")
    await bot.expect_message()
    sent = await bot.send(user, "rules")
    got = (await user.expect_message()).id

    with pytest.raises(CallError, match=r"^400 BOT_ONESIDE_NOT_AVAIL$"):
        await bot.pin(user, sent, pm_oneside=True)
    result = await bot.pin(user, sent)
    assert result.kinds == ["updatePinnedMessages", "updateNewMessage"]
    assert (await user.expect("updatePinnedMessages")).messages == [got]
    assert (await user.expect("updateNewMessage")).message.from_id == bot.peer

    result = await user.pin(bot, got, unpin=True)
    assert result.kinds == ["updatePinnedMessages"]
    assert (await bot.expect("updatePinnedMessages")).messages == [sent]
    with pytest.raises(CallError, match=r"^400 PEER_ID_INVALID$"):  # B2: no Saved Messages
        await bot.call("messages.updatePinnedMessage", peer=Plain("inputPeerSelf"), id=sent)


async def test_message_id_invalid(guests: Guests, chat: Chat) -> None:
    """Ids that name no message one could pin in that chat (B4)."""
    ann, bob, hers, _ = chat
    carl = await guests.user(ann.driver.library)
    elsewhere = await ann.send(carl, "in another chat")
    deleted = await ann.send(bob, "deleted")
    await ann.call("messages.deleteMessages", id=[deleted], revoke=True)
    service = (await ann.pin(bob, hers)).only("updateNewMessage").message.id
    pts = await ann.pts()

    for wrong in (0, -1, 10**6, elsewhere, deleted, service):
        for flags in ({}, {"unpin": True}, {"pm_oneside": True}):
            with pytest.raises(CallError, match=r"^400 MESSAGE_ID_INVALID$"):
                await ann.pin(bob, wrong, **flags)
    assert await ann.pts() == pts


async def test_peer_id_invalid(chat: Chat) -> None:
    """Peers that the caller cannot address, whatever the id (B3, B4)."""
    ann, bob, hers, _ = chat
    for peer in (
        Plain("inputPeerEmpty"),
        Plain("inputPeerUser", user_id=bob.id, access_hash=12345),
        Plain("inputPeerUser", user_id=1 << 40, access_hash=0),
        Plain("inputPeerChat", chat_id=12345),
    ):
        with pytest.raises(CallError, match=r"^400 PEER_ID_INVALID$"):
            await ann.call("messages.updatePinnedMessage", peer=peer, id=hers)
