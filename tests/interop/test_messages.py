"""Sending, changing and reading messages in private chats (C0.2, C3, C4), on both sides."""

from __future__ import annotations

import pytest

from .account import Account, random_id
from .conftest import Guests
from .drivers import CallError
from .plain import Plain

pytestmark = pytest.mark.asyncio(loop_scope="session")

Duo = tuple[Account, Account]


async def test_send(duo: Duo) -> None:
    """Each side has its own copy with its own id, and the text arrives at once (B1.1, C3)."""
    ann, bob = duo
    await bob.send(bob, "so that ids of the two boxes differ")
    before = await ann.pts(), await bob.pts()

    result = await ann.call(
        "messages.sendMessage",
        peer=await ann.meet(bob),
        message="  Grüße, 🌍!  ",
        random_id=random_id(),
    )
    got = await bob.expect_message()

    # C3: updateShortSentMessage, or updates with updateMessageID first (C0.2.3).
    if result.kind == "updateShortSentMessage":
        assert result.out
        sent_id, sent_pts = result.id, result.pts
    else:
        assert result.kind == "updates"
        assert result.kinds[:2] == ["updateMessageID", "updateNewMessage"]
        sent_id = result.only("updateMessageID").id
        sent_pts = result.only("updateNewMessage").pts
    assert sent_pts == before[0] + 1
    assert await bob.pts() == before[1] + 1

    assert got.message == "Grüße, 🌍!"  # C0.2.4: trimmed
    assert not got.out
    assert got.peer_id == ann.peer
    assert got.id != sent_id

    mine, theirs = await ann.message(sent_id), await bob.message(got.id)
    assert (mine.message, theirs.message) == ("Grüße, 🌍!", "Grüße, 🌍!")
    assert (mine.out, theirs.out) == (True, None)
    assert (mine.peer_id, theirs.peer_id) == (bob.peer, ann.peer)
    assert mine.date == theirs.date


async def test_send_by_the_library_and_its_events(duo: Duo) -> None:
    """The library's own send returns the message; the other's own event shows it."""
    ann, bob = duo
    await bob.driver.listen()

    sent = await ann.driver.send(await ann.meet(bob), "hello")
    event = await bob.expect_event("new")
    assert (event["text"], bool(event["out"])) == ("hello", False)
    assert sent.out
    assert sent.message == "hello"

    edited = await ann.driver.edit(await ann.meet(bob), sent.id, "hello again")
    assert (edited.id, edited.message) == (sent.id, "hello again")
    changed = await bob.expect_event("edited")
    assert (changed["id"], changed["text"]) == (event["id"], "hello again")

    await ann.driver.delete(await ann.meet(bob), [sent.id])
    assert (await bob.expect_event("deleted"))["ids"] == [event["id"]]


async def test_other_sessions_of_the_sender_see_the_message(
    guests: Guests, pair: tuple[str, str]
) -> None:
    """The calling session has the result, every other session of the account a push (A13.3)."""
    ann = await guests.user(pair[0])
    again = await guests.user(pair[1], ann.number)
    bob = await guests.user(pair[1])
    ann.inbox.clear()  # of the news that the account signed in once more

    sent = await ann.send(bob, "from here")
    seen = await again.expect_message()

    assert (seen.id, seen.message, seen.out) == (sent, "from here", True)
    assert (seen.peer_id) == bob.peer
    assert await ann.pts() == await again.pts()
    assert ann.inbox == []


async def test_edit(duo: Duo) -> None:
    """An edit changes every copy, each under its own id (C3, editMessage)."""
    ann, bob = duo
    sent = await ann.send(bob, "first")
    got = await bob.expect_message()
    peer = await ann.meet(bob)

    result = await ann.call("messages.editMessage", peer=peer, id=sent, message="second")
    pushed = await bob.expect("updateEditMessage")

    assert result.kind == "updates"
    own = result.only("updateEditMessage")
    assert (own.message.id, own.message.message) == (sent, "second")
    assert (pushed.message.id, pushed.message.message) == (got.id, "second")
    assert own.message.edit_date == pushed.message.edit_date >= own.message.date
    assert (own.pts_count, pushed.pts_count) == (1, 1)  # C0.3.5

    for params, error in (
        ({"id": sent, "message": "second"}, "400 MESSAGE_NOT_MODIFIED"),
        ({"id": sent, "message": ""}, "400 MESSAGE_EMPTY"),
        ({"id": sent + 1000, "message": "x"}, "400 MESSAGE_ID_INVALID"),
    ):
        with pytest.raises(CallError, match=f"^{error}$"):
            await ann.call("messages.editMessage", peer=peer, **params)
    with pytest.raises(CallError, match=r"^403 MESSAGE_AUTHOR_REQUIRED$"):
        await bob.call(
            "messages.editMessage", peer=await bob.meet(ann), id=got.id, message="mine now"
        )


async def test_delete_on_both_sides(duo: Duo) -> None:
    """With revoke both copies go; each side is told its own ids (C3, deleteMessages)."""
    ann, bob = duo
    sent = [await ann.send(bob, text) for text in "abc"]
    got = [(await bob.expect_message()).id for _ in sent]
    before = await ann.pts()

    result = await ann.call("messages.deleteMessages", id=[*sent[:2], 10**6], revoke=True)
    pushed = await bob.expect("updateDeleteMessages")

    assert result == Plain("messages.affectedMessages", pts=before + 2, pts_count=2)
    assert (sorted(pushed.messages), pushed.pts_count) == (got[:2], 2)
    assert [message.id for message in await ann.history(bob)] == sent[2:]
    assert [message.id for message in await bob.history(ann)] == got[2:]
    assert (await ann.message(sent[0])).kind == "messageEmpty"  # C4: never left out


async def test_delete_on_one_side(duo: Duo) -> None:
    """Without revoke only the caller's copy goes, and nobody else hears of it."""
    ann, bob = duo
    sent = await ann.send(bob, "yours to keep")
    got = (await bob.expect_message()).id
    before = await bob.pts()

    result = await ann.call("messages.deleteMessages", id=[sent])

    assert result.pts_count == 1
    assert await bob.pts() == before
    assert bob.inbox == []
    assert (await bob.message(got)).message == "yours to keep"
    assert await ann.history(bob) == []


async def test_receiver_may_delete_for_both(duo: Duo) -> None:
    """In a private chat any message may be revoked, by either side."""
    ann, bob = duo
    sent = await ann.send(bob, "regret")
    got = (await bob.expect_message()).id

    await bob.call("messages.deleteMessages", id=[got], revoke=True)

    assert (await ann.expect("updateDeleteMessages")).messages == [sent]


async def test_forward(duo: Duo) -> None:
    """A forward keeps who wrote the text and when, on both sides (C3, forwardMessages)."""
    ann, bob = duo
    await bob.send(ann, "quotable")
    original = await ann.expect_message()
    peer = await ann.meet(bob)
    ids = [random_id(), random_id()]

    result = await ann.call(
        "messages.forwardMessages",
        from_peer=peer,
        id=[original.id, original.id],
        random_id=ids,
        to_peer=peer,
    )

    assert result.kind == "updates"
    renamed = [update for update in result.updates if update.kind == "updateMessageID"]
    new = [update for update in result.updates if update.kind == "updateNewMessage"]
    assert [update.random_id for update in renamed] == ids  # C0.2.3
    assert [update.id for update in renamed] == [update.message.id for update in new]
    assert [update.pts for update in new] == [new[0].pts, new[0].pts + 1]
    for update in new:
        assert update.message.out
        assert update.message.message == "quotable"
        assert update.message.fwd_from.from_id == bob.peer
        assert update.message.fwd_from.date == original.date
        assert not update.message.pinned
    for _ in new:
        got = await bob.expect_message()
        assert got.peer_id == ann.peer
        assert got.fwd_from.from_id == bob.peer

    for params, error in (
        ({"id": [10**6], "random_id": [random_id()]}, "400 MESSAGE_ID_INVALID"),
        ({"id": [original.id], "random_id": [random_id(), 3]}, "400 RANDOM_ID_INVALID"),
    ):
        with pytest.raises(CallError, match=f"^{error}$"):
            await ann.call("messages.forwardMessages", from_peer=peer, to_peer=peer, **params)


async def test_forward_by_the_library(duo: Duo) -> None:
    """The library finds its forwarded messages in the result."""
    ann, bob = duo
    peer = await ann.meet(bob)
    sent = await ann.send(bob, "once")
    (forwarded,) = await ann.driver.forward(peer, [sent], peer)
    if isinstance(forwarded, list):  # GramJS: a list per chat
        (forwarded,) = forwarded
    assert forwarded.message == "once"
    assert forwarded.fwd_from.from_id == ann.peer


async def test_history_pages(duo: Duo) -> None:
    """Newest first, by offset_id, add_offset and limit, bounds exclusive (C0.4)."""
    ann, bob = duo
    sent = [await ann.send(bob, f"n{n}") for n in range(7)]
    newest = sent[::-1]

    async def ids(**paging: int) -> list[int]:
        return [message.id for message in await ann.history(bob, **paging)]

    assert await ids() == newest
    assert await ids(limit=3) == newest[:3]
    assert await ids(limit=3, offset_id=newest[2]) == newest[3:6]
    assert await ids(limit=3, add_offset=2) == newest[2:5]
    assert await ids(limit=4, offset_id=newest[3], add_offset=-2) == newest[2:6]
    assert await ids(max_id=newest[1], min_id=newest[5]) == newest[2:5]

    by_library = await ann.driver.history(await ann.meet(bob), 5)
    assert [(message.id, message.message) for message in by_library] == [
        (sent[6 - n], f"n{6 - n}") for n in range(5)
    ]


async def test_reading(duo: Duo) -> None:
    """Reading clears the unread count and tells the writer how far it was read (C4)."""
    ann, bob = duo
    sent = [await ann.send(bob, text) for text in "abc"]
    got = [(await bob.expect_message()).id for _ in sent]

    async def dialog(account: Account, other: Account) -> Plain:
        found = await account.call(
            "messages.getPeerDialogs",
            peers=[Plain("inputDialogPeer", peer=await account.meet(other))],
        )
        assert found.state.pts == await account.pts()
        (dialog,) = found.dialogs
        assert dialog.peer == other.peer
        return dialog

    unread = await dialog(bob, ann)
    assert (unread.unread_count, unread.top_message) == (3, got[-1])
    assert (await dialog(ann, bob)).read_outbox_max_id < sent[0]

    result = await bob.call("messages.readHistory", peer=await bob.meet(ann), max_id=got[1])
    told = await ann.expect("updateReadHistoryOutbox")

    assert (result.kind, result.pts) == ("messages.affectedMessages", await bob.pts())
    assert (told.peer, told.max_id) == (bob.peer, sent[1])
    read = await dialog(bob, ann)
    assert (read.unread_count, read.read_inbox_max_id) == (1, got[1])
    assert (await dialog(ann, bob)).read_outbox_max_id == sent[1]


async def test_dialogs(guests: Guests, duo: Duo) -> None:
    """Dialogs come newest first, each with its top message (C4, getDialogs)."""
    ann, bob = duo
    carl = await guests.user(ann.driver.library)
    await ann.send(bob, "older")
    await bob.send(ann, "newer, and unread")
    newest = await carl.send(carl, "Saved Messages of another account stay there")
    assert newest
    await ann.expect_message()
    to_carl = await ann.send(carl, "last")

    dialogs = await ann.driver.dialogs()

    assert [dialog["id"] for dialog in dialogs] == [carl.id, bob.id]
    assert [dialog["unread"] for dialog in dialogs] == [0, 1]
    assert dialogs[0]["top"] == to_carl


async def test_typing(duo: Duo) -> None:
    """Typing is told at once, has no pts, and is not stored (C0.3.9)."""
    ann, bob = duo
    await bob.send(ann, "we know each other")
    before = await bob.pts()

    assert await ann.call(
        "messages.setTyping",
        peer=await ann.meet(bob),
        action=Plain("sendMessageTypingAction"),
    )
    told = await bob.expect("updateUserTyping")

    assert (told.user_id, told.action.kind) == (ann.id, "sendMessageTypingAction")
    assert await bob.pts() == before


async def test_reply(duo: Duo) -> None:
    """A reply points to the reader's own copy of what it answers (B1.3)."""
    ann, bob = duo
    await bob.send(bob, "so that ids of the two boxes differ")
    sent = await ann.send(bob, "question")
    got = (await bob.expect_message()).id

    await bob.call(
        "messages.sendMessage",
        peer=await bob.meet(ann),
        message="answer",
        reply_to=Plain("inputReplyToMessage", reply_to_msg_id=got),
        random_id=random_id(),
    )
    answer = await ann.expect_message()

    assert answer.reply_to.reply_to_msg_id == sent


async def test_entities(duo: Duo) -> None:
    """Entities survive with their offsets in UTF-16 code units (C0.2.5)."""
    ann, bob = duo
    entities = [
        Plain("messageEntityBold", offset=0, length=2),
        Plain("messageEntityTextUrl", offset=3, length=4, url="https://example.org/"),
    ]
    await ann.call(
        "messages.sendMessage",
        peer=await ann.meet(bob),
        message="🌍 link",
        random_id=random_id(),
        entities=entities,
    )
    got = await bob.expect_message()
    got = await bob.message(got.id)
    # Telethon shows the offset 0 as 0, GramJS too: both are there.
    assert got.entities == entities


@pytest.mark.parametrize(
    ("text", "error"),
    [("", "MESSAGE_EMPTY"), ("  \n ", "MESSAGE_EMPTY"), ("x" * 4097, "MESSAGE_TOO_LONG")],
)
async def test_texts_that_cannot_be_sent(
    guests: Guests, library: str, text: str, error: str
) -> None:
    """Empty and overlong texts are refused (C0.2.4)."""
    ann = await guests.user(library)
    with pytest.raises(CallError, match=f"^400 {error}$"):
        await ann.call(
            "messages.sendMessage",
            peer=Plain("inputPeerSelf"),
            message=text,
            random_id=random_id(),
        )


async def test_long_history_comes_compressed(guests: Guests, library: str) -> None:
    """A result that gzip makes smaller is understood by the client (A9.4)."""
    ann = await guests.user(library)
    for n in range(20):
        await ann.send(ann, f"{n} " + "the same words over and over " * 100)
    history = await ann.history(ann)
    assert [message.message.split()[0] for message in history] == [
        str(n) for n in range(19, -1, -1)
    ]


async def test_saved_messages(guests: Guests, library: str) -> None:
    """A text to oneself has one copy and is never unread (C0.1.1, B1.1)."""
    ann = await guests.user(library)
    before = await ann.pts()
    sent = await ann.send(ann, "note to self")

    assert await ann.pts() == before + 1
    (message,) = await ann.history(ann)
    assert (message.id, message.message, message.peer_id) == (sent, "note to self", ann.peer)
    (dialog,) = await ann.driver.dialogs()
    assert (dialog["id"], dialog["unread"], dialog["top"]) == (ann.id, 0, sent)


async def test_user_and_bot(guests: Guests, pair: tuple[str, str]) -> None:
    """A user and a bot write to each other; both see it live (C3)."""
    user, bot = await guests.user(pair[0]), await guests.bot(pair[1])

    await user.send(bot, "/start")
    got = await bot.expect_message()
    assert (got.message, got.peer_id) == ("/start", user.peer)
    await bot.send(user, "welcome")
    answer = await user.expect_message()
    assert (answer.message, answer.peer_id) == ("welcome", bot.peer)

    with pytest.raises(CallError, match=r"^400 BOT_METHOD_INVALID$"):  # A11.6
        await bot.history(user)
