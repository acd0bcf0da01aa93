"""Friendly methods about messages: what is sent for each kind of chat, what comes of answers."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from radiogram import errors
from radiogram.client.client import TelegramClient
from radiogram.client.objects.options import (
    EditOptions,
    ForwardOptions,
    ListOptions,
    ParticipantOptions,
    PinnedOptions,
    ReplyOptions,
    SendOptions,
)
from radiogram.tl import api
from radiogram.types import Chat, Message, User
from tests.client.script import (
    ANNA,
    BEN,
    CLUB,
    IN_ROOM,
    ME,
    NEWS_ID,
    PEERS,
    ROOM_ID,
    USER_ANNA,
    Script,
    channel,
    edited,
    listed,
    message,
    new,
    sent_as,
    service,
    signed_in,
    updates,
    user,
)

KINDS = list(PEERS)
COMMON = ["saved", "private", "group"]
"""Kinds whose messages are in the account's box."""
BOXED = ["supergroup", "channel"]
"""Kinds with a box of their own."""
PIN = api.MessageActionPinMessage()


@pytest.fixture
def server() -> Script:
    return Script()


@pytest.fixture
async def client(server: Script) -> AsyncIterator[TelegramClient]:
    async with signed_in(server) as client:
        yield client


@pytest.fixture
async def bot(server: Script) -> AsyncIterator[TelegramClient]:
    async with signed_in(server, is_bot=True) as client:
        yield client


# ── sending ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
async def test_sending(server: Script, client: TelegramClient, kind: str) -> None:
    name, peer, input_peer = PEERS[kind]
    other = message(8, peer, "not this one")
    answer = updates(new(other), sent_as(9), new(message(9, peer)), users=[user(ME, "Ada")])
    server.on(api.messages.SendMessage, answer)
    found = await client.send_message(name, "hello", silent=True)
    assert (found.id, found.text, found.raw.peer_id) == (9, "hello", peer)
    assert isinstance(found.sender, User)
    assert found.sender.name == "Ada"
    (request,) = server.asked
    assert (request.peer, request.message, request.silent) == (input_peer, "hello", True)
    assert request.random_id != 0
    assert request.reply_to is None
    assert not request.no_webpage


@pytest.mark.parametrize("kind", COMMON)
async def test_a_short_answer_is_completed(
    server: Script, client: TelegramClient, kind: str
) -> None:
    name, peer, _ = PEERS[kind]
    short = api.UpdateShortSentMessage(out=True, id=9, pts=4, pts_count=1, date=1_700_000_000)
    server.on(api.messages.SendMessage, short)
    found = await client.send_message(name, "hello", reply_to=5)
    assert found.raw.peer_id == peer
    assert (found.id, found.text, found.out, found.sender_id) == (9, "hello", True, ME)
    assert found.reply_to == 5
    assert found.date == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


async def test_all_that_a_message_can_have(server: Script, client: TelegramClient) -> None:
    _, peer, _ = PEERS["supergroup"]
    server.on(api.messages.SendMessage, updates(sent_as(9), new(message(9, peer))))
    bold = api.MessageEntityBold(offset=0, length=5)
    buttons = api.ReplyKeyboardHide()
    await client.send_message(
        ROOM_ID,
        "hello",
        reply_to=message(5, peer),
        topic=3,
        entities=(bold,),
        buttons=buttons,
        link_preview=False,
        protect=True,
        schedule=datetime(2030, 1, 1, tzinfo=UTC),
        send_as=NEWS_ID,
    )
    (request,) = server.asked
    assert request.reply_to == api.InputReplyToMessage(reply_to_msg_id=5, top_msg_id=3)
    assert request.entities == [bold]
    assert request.reply_markup == buttons
    assert request.no_webpage
    assert request.noforwards
    assert request.schedule_date == 1_893_456_000
    assert request.send_as == PEERS["channel"][2]


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({"topic": 3}, api.InputReplyToMessage(reply_to_msg_id=3)),
        ({"reply_to": 5}, api.InputReplyToMessage(reply_to_msg_id=5)),
        (
            {"reply_to": api.InputReplyToMessage(reply_to_msg_id=5, quote_text="x")},
            api.InputReplyToMessage(reply_to_msg_id=5, quote_text="x"),
        ),
    ],
)
async def test_what_is_replied_to(
    server: Script, client: TelegramClient, options: dict[str, Any], header: Any
) -> None:
    _, peer, _ = PEERS["supergroup"]
    server.on(api.messages.SendMessage, updates(sent_as(9), new(message(9, peer))))
    await client.send_message(ROOM_ID, "hello", **options)
    assert server.asked[0].reply_to == header


async def test_a_reply_in_another_chat(server: Script, client: TelegramClient) -> None:
    _, peer, _ = PEERS["private"]
    server.on(api.messages.SendMessage, updates(sent_as(9), new(message(9, peer))))
    await client.send_message(ANNA, "hello", reply_to=message(5, PEERS["supergroup"][1]))
    assert server.asked[0].reply_to == api.InputReplyToMessage(
        reply_to_msg_id=5, reply_to_peer_id=PEERS["supergroup"][2]
    )


async def test_a_scheduled_message_is_found(server: Script, client: TelegramClient) -> None:
    _, peer, _ = PEERS["private"]
    planned = api.UpdateNewScheduledMessage(message=message(2, peer, from_scheduled=True))
    server.on(api.messages.SendMessage, updates(sent_as(2), planned))
    assert (await client.send_message(ANNA, "hello", schedule=1_893_456_000)).id == 2


async def test_an_answer_without_the_message(server: Script, client: TelegramClient) -> None:
    server.on(api.messages.SendMessage, updates())
    with pytest.raises(errors.ClientError, match="no message"):
        await client.send_message(ANNA, "hello")
    server.on(api.messages.EditMessage, updates())
    with pytest.raises(errors.ClientError, match="no message"):
        await client.edit_message(ANNA, 5, "hello")


async def test_errors_of_the_server_come_through(server: Script, client: TelegramClient) -> None:
    server.on(api.messages.SendMessage, (403, "CHAT_WRITE_FORBIDDEN"))
    with pytest.raises(errors.ChatWriteForbidden):
        await client.send_message(ROOM_ID, "hello")


# ── changing ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
async def test_editing(server: Script, client: TelegramClient, kind: str) -> None:
    name, peer, input_peer = PEERS[kind]
    answer = updates(edited(message(5, peer, "better", edit_date=1_700_000_060)))
    server.on(api.messages.EditMessage, answer)
    found = await client.edit_message(name, message(5, peer), "better", link_preview=False)
    assert (found.id, found.text) == (5, "better")
    assert found.edit_date == datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)
    (request,) = server.asked
    assert (request.peer, request.id, request.message) == (input_peer, 5, "better")
    assert request.no_webpage


@pytest.mark.parametrize("kind", COMMON)
@pytest.mark.parametrize("revoke", [True, False])
async def test_deleting(server: Script, client: TelegramClient, kind: str, revoke: bool) -> None:
    name, peer, _ = PEERS[kind]
    server.on(api.messages.DeleteMessages, api.messages.AffectedMessages(pts=9, pts_count=2))
    assert await client.delete_messages(name, [5, message(6, peer)], revoke=revoke) == 2
    assert server.asked == [api.messages.DeleteMessages(id=[5, 6], revoke=revoke)]


async def test_deleting_in_a_channel(server: Script, client: TelegramClient) -> None:
    server.on(api.channels.DeleteMessages, api.messages.AffectedMessages(pts=9, pts_count=1))
    assert await client.delete_messages(ROOM_ID, 5) == 1
    assert server.asked == [api.channels.DeleteMessages(channel=IN_ROOM, id=[5])]


async def test_many_are_deleted_a_hundred_at_a_time(server: Script, client: TelegramClient) -> None:
    server.on(
        api.channels.DeleteMessages,
        lambda request: api.messages.AffectedMessages(pts=9, pts_count=len(request.id)),
    )
    assert await client.delete_messages(ROOM_ID, range(1, 251)) == 250
    assert [len(request.id) for request in server.asked] == [100, 100, 50]


async def test_deleting_none_asks_nobody(server: Script, client: TelegramClient) -> None:
    assert await client.delete_messages(ROOM_ID, []) == 0
    assert server.asked == []


@pytest.mark.parametrize("kind", KINDS)
async def test_forwarding(server: Script, client: TelegramClient, kind: str) -> None:
    name, peer, input_peer = PEERS[kind]
    answer = updates(
        sent_as(11), sent_as(10), new(message(10, peer, "one")), new(message(11, peer, "two"))
    )
    server.on(api.messages.ForwardMessages, answer)
    found = await client.forward_messages(name, [1, 2], ROOM_ID, silent=True, hide_sender=True)
    assert [one.text for one in found] == ["one", "two"]
    (request,) = server.asked
    assert (request.from_peer, request.to_peer) == (PEERS["supergroup"][2], input_peer)
    assert request.id == [1, 2]
    assert len(set(request.random_id)) == 2
    assert request.silent
    assert request.drop_author


async def test_a_message_knows_where_it_is_forwarded_from(
    server: Script, client: TelegramClient
) -> None:
    source = Message(client, message(5, PEERS["channel"][1]))
    server.on(api.messages.ForwardMessages, updates(sent_as(9), new(message(9, PEERS["saved"][1]))))
    assert (await source.forward("me")).id == 9
    assert server.asked[0].from_peer == PEERS["channel"][2]
    with pytest.raises(errors.ClientError, match="from_chat"):
        await client.forward_messages("me", 5)


# ── finding ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", COMMON)
async def test_by_id(server: Script, client: TelegramClient, kind: str) -> None:
    name, peer, _ = PEERS[kind]
    elsewhere = message(6, api.PeerUser(user_id=BEN))
    server.on(
        api.messages.GetMessages,
        listed(api.MessageEmpty(id=7), elsewhere, message(5, peer)),
    )
    found = await client.get_messages(name, [5, 6, 7])
    assert [one and one.id for one in found] == [5, None, None]
    ids = [api.InputMessageID(id=number) for number in (5, 6, 7)]
    assert server.asked[-1] == api.messages.GetMessages(id=ids)


@pytest.mark.parametrize("kind", BOXED)
async def test_by_id_in_a_channel(server: Script, client: TelegramClient, kind: str) -> None:
    name, peer, _ = PEERS[kind]
    server.on(
        api.channels.GetMessages,
        lambda request: listed(*(message(one.id, peer) for one in request.id)),
    )
    one = await client.get_messages(name, 5)
    assert one is not None
    assert one.id == 5
    found = await client.get_messages(name, range(1, 151))
    assert [one and one.id for one in found] == list(range(1, 151))
    assert [len(request.id) for request in server.asked] == [1, 100, 50]


def history(peer: api.TypePeer, last: int, *gone: int) -> Any:
    """Answer as a server with messages 1 to `last` does, some of which are empty."""

    def answer(request: Any) -> Any:
        ids = [
            number
            for number in range(last, 0, -1)
            if (not request.offset_id or number < request.offset_id) and number > request.min_id
        ][: min(request.limit, 100)]
        return listed(
            *(api.MessageEmpty(id=one) if one in gone else message(one, peer) for one in ids),
            count=last,
        )

    return answer


@pytest.mark.parametrize("kind", KINDS)
async def test_history_comes_in_pages(server: Script, client: TelegramClient, kind: str) -> None:
    name, peer, input_peer = PEERS[kind]
    server.on(api.messages.GetHistory, history(peer, 250))
    found = [one.id async for one in client.iter_messages(name)]
    assert found == list(range(250, 0, -1))
    assert {request.limit for request in server.asked} == {100}
    assert [request.offset_id for request in server.asked[:3]] == [0, 151, 51]
    assert all(request.peer == input_peer for request in server.asked)


@pytest.mark.parametrize(("limit", "sizes"), [(0, []), (3, [3]), (100, [100]), (130, [100, 30])])
async def test_no_more_is_fetched_than_wanted(
    server: Script, client: TelegramClient, limit: int, sizes: list[int]
) -> None:
    server.on(api.messages.GetHistory, history(PEERS["group"][1], 250))
    found = [one.id async for one in client.iter_messages(-CLUB, limit=limit)]
    assert found == list(range(250, 250 - limit, -1))
    assert [request.limit for request in server.asked] == sizes


async def test_pages_are_fetched_when_they_are_needed(
    server: Script, client: TelegramClient
) -> None:
    server.on(api.messages.GetHistory, history(PEERS["group"][1], 250))
    async for one in client.iter_messages(-CLUB):
        if one.id == 200:
            break
    assert len(server.asked) == 1


async def test_between_two_messages(server: Script, client: TelegramClient) -> None:
    peer = PEERS["group"][1]
    server.on(api.messages.GetHistory, history(peer, 50))
    found = [
        one.id async for one in client.iter_messages(-CLUB, before=message(20, peer), after=15)
    ]
    assert found == [19, 18, 17, 16]


async def test_a_page_of_nothing_but_gaps_is_passed(server: Script, client: TelegramClient) -> None:
    server.on(api.messages.GetHistory, history(PEERS["group"][1], 250, *range(100, 230)))
    found = [one.id async for one in client.iter_messages(-CLUB)]
    assert found == [*range(250, 229, -1), *range(99, 0, -1)]


async def test_a_server_that_repeats_itself_is_left(server: Script, client: TelegramClient) -> None:
    page = listed(message(5, PEERS["group"][1]), message(4, PEERS["group"][1]), count=1000)
    server.on(api.messages.GetHistory, page)
    found = [one.id async for one in client.iter_messages(-CLUB)]
    assert found[:2] == [5, 4]
    assert len(server.asked) <= 2


async def test_searching(server: Script, client: TelegramClient) -> None:
    server.on(api.messages.Search, listed(message(5, PEERS["supergroup"][1])), listed())
    wanted = api.InputMessagesFilterPhotos()
    found = client.iter_messages(ROOM_ID, search="word", sender="@anna", filter=wanted)
    assert [one.id async for one in found] == [5]
    request = server.asked[0]
    assert (request.q, request.from_id) == ("word", PEERS["private"][2])
    assert request.filter == wanted


@pytest.mark.parametrize("options", [{"search": "word"}, {"sender": ANNA}])
async def test_searching_everything(
    server: Script, client: TelegramClient, options: dict[str, Any]
) -> None:
    server.on(api.messages.Search, listed())
    assert [one async for one in client.iter_messages(ROOM_ID, **options)] == []
    assert server.asked[0].filter == api.InputMessagesFilterEmpty()


async def test_bots_are_told_that_they_may_not_list(server: Script, bot: TelegramClient) -> None:
    server.on(api.messages.GetHistory, (400, "BOT_METHOD_INVALID"))
    with pytest.raises(errors.RadiogramError, match=r"[Bb]ots"):
        [one async for one in bot.iter_messages(ROOM_ID)]


@pytest.mark.parametrize("kind", KINDS)
async def test_marking_as_read(server: Script, client: TelegramClient, kind: str) -> None:
    name, peer, input_peer = PEERS[kind]
    server.on(api.messages.ReadHistory, api.messages.AffectedMessages(pts=1, pts_count=0))
    server.on(api.channels.ReadHistory, True)
    await client.read(name)
    await client.read(name, message(7, peer))
    if kind in COMMON:
        assert server.asked == [api.messages.ReadHistory(peer=input_peer, max_id=n) for n in (0, 7)]
    else:
        assert [request.max_id for request in server.asked] == [0, 7]
        assert server.asked[0].channel.channel_id == getattr(input_peer, "channel_id", 0)


# ── pins ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("silent", [False, True])
async def test_pinning_gives_the_service_message(
    server: Script, client: TelegramClient, kind: str, silent: bool
) -> None:
    """B7.4: it is looked for in the result, wherever it stands there."""
    name, peer, input_peer = PEERS[kind]
    header = api.MessageReplyHeader(reply_to_msg_id=5)
    answer = updates(
        api.UpdatePinnedMessages(pinned=True, peer=peer, messages=[5], pts=8, pts_count=1),
        new(message(11, peer, "something else")),
        new(service(12, peer, PIN, reply_to=header, silent=silent)),
    )
    server.on(api.messages.UpdatePinnedMessage, answer)
    notice = await client.pin_message(name, message(5, peer), silent=silent)
    assert notice is not None
    assert (notice.id, notice.action, notice.reply_to, notice.silent) == (12, PIN, 5, silent)
    assert notice.text == ""
    (request,) = server.asked
    assert request == api.messages.UpdatePinnedMessage(peer=input_peer, id=5, silent=silent)


async def test_pinning_without_a_service_message(server: Script, client: TelegramClient) -> None:
    """B6.3, B5.6: on one side, and again."""
    server.on(api.messages.UpdatePinnedMessage, updates())
    assert await client.pin_message(ANNA, 5, one_sided=True) is None
    peer = PEERS["private"][2]
    assert server.asked == [api.messages.UpdatePinnedMessage(peer=peer, id=5, pm_oneside=True)]


@pytest.mark.parametrize("one_sided", [False, True])
async def test_unpinning(server: Script, client: TelegramClient, one_sided: bool) -> None:
    server.on(api.messages.UpdatePinnedMessage, updates())
    await client.unpin_message(ANNA, 5, one_sided=one_sided)
    assert server.asked == [
        api.messages.UpdatePinnedMessage(
            peer=PEERS["private"][2], id=5, unpin=True, pm_oneside=one_sided
        )
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_unpinning_everything(server: Script, client: TelegramClient, kind: str) -> None:
    """B9.3: again and again while the server says that there is more."""
    name, _, input_peer = PEERS[kind]
    server.on(
        api.messages.UnpinAllMessages,
        api.messages.AffectedHistory(pts=5, pts_count=100, offset=30),
        api.messages.AffectedHistory(pts=6, pts_count=30, offset=0),
    )
    assert await client.unpin_all_messages(name, topic=4) == 130
    assert server.asked == [api.messages.UnpinAllMessages(peer=input_peer, top_msg_id=4)] * 2


async def test_a_server_that_unpins_nothing_for_ever_is_left(
    server: Script, client: TelegramClient
) -> None:
    answers = iter(range(50))

    def answer(request: Any) -> Any:
        if next(answers, None) is None:
            return 400, "ENOUGH"
        return api.messages.AffectedHistory(pts=5, pts_count=0, offset=1)

    server.on(api.messages.UnpinAllMessages, answer)
    assert await client.unpin_all_messages(ROOM_ID) == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_pinned(server: Script, client: TelegramClient, kind: str) -> None:
    """B8.2: the search that has a filter for it, newest first, in pages."""
    name, peer, input_peer = PEERS[kind]
    server.on(api.messages.Search, history(peer, 130))
    found = [one.id async for one in client.get_pinned_messages(name)]
    assert found == list(range(130, 0, -1))
    for request in server.asked:
        assert request.filter == api.InputMessagesFilterPinned()
        assert (request.peer, request.q, request.limit) == (input_peer, "", 100)


async def test_what_is_pinned_in_a_topic(server: Script, client: TelegramClient) -> None:
    server.on(api.messages.Search, history(PEERS["supergroup"][1], 130))
    found = [one.id async for one in client.get_pinned_messages(ROOM_ID, topic=4, limit=2)]
    assert found == [130, 129]
    assert [(request.top_msg_id, request.limit) for request in server.asked] == [(4, 2)]


async def test_a_bot_sees_what_was_pinned_last(server: Script, bot: TelegramClient) -> None:
    """B8.1, B8.4: bots may not search."""
    server.on(api.channels.GetMessages, listed(message(5, PEERS["supergroup"][1], pinned=True)))
    (found,) = [one async for one in bot.get_pinned_messages(ROOM_ID)]
    assert found.pinned
    assert server.asked == [
        api.channels.GetMessages(channel=IN_ROOM, id=[api.InputMessagePinned()])
    ]


@pytest.mark.parametrize("pinned", [None, 5])
async def test_a_bot_sees_what_was_pinned_last_in_private(
    server: Script, bot: TelegramClient, pinned: int | None
) -> None:
    full = api.UserFull(
        id=ANNA,
        settings=api.PeerSettings(),
        notify_settings=api.PeerNotifySettings(),
        common_chats_count=0,
        pinned_msg_id=pinned,
    )
    server.on(api.users.GetFullUser, api.users.UserFull(full_user=full, users=[], chats=[]))
    server.on(api.messages.GetMessages, listed(message(5, PEERS["private"][1])))
    found = [one.id async for one in bot.get_pinned_messages(ANNA)]
    assert found == ([5] if pinned else [])
    assert server.asked[0] == api.users.GetFullUser(id=USER_ANNA)


# ── a message's id means something in its own chat only ──────────────────────────────────────────


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("name", ["anna", "me", -CLUB, NEWS_ID])
async def test_a_message_of_another_chat_is_refused(
    server: Script, client: TelegramClient, name: Any, raw: bool
) -> None:
    inner = message(5, PEERS["supergroup"][1])
    other = inner if raw else Message(client, inner)
    for call in (
        client.pin_message(name, other),
        client.unpin_message(name, other),
        client.edit_message(name, other, "new"),
        client.delete_messages(name, other),
        client.delete_messages(name, [4, other]),
        client.forward_messages("me", [4, other], from_chat=name),
        client.get_messages(name, other),
        client.read(name, other),
    ):
        with pytest.raises(errors.ClientError, match=f"message 5 is in the chat {ROOM_ID}"):
            await call
    assert server.asked == []


async def test_messages_of_two_chats_are_not_forwarded_at_once(
    server: Script, client: TelegramClient
) -> None:
    both = [message(5, PEERS["supergroup"][1]), message(6, PEERS["channel"][1])]
    with pytest.raises(errors.ClientError, match="message 6"):
        await client.forward_messages("me", both)
    assert server.asked == []


async def test_what_does_not_arrive_is_an_error(server: Script, client: TelegramClient) -> None:
    server.on(api.messages.ForwardMessages, updates())
    with pytest.raises(errors.ClientError, match="not forwarded"):
        await Message(client, message(5, PEERS["group"][1])).forward("me")


# ── the objects ──────────────────────────────────────────────────────────────────────────────────


async def test_what_a_message_tells(server: Script, client: TelegramClient) -> None:
    _, peer, _ = PEERS["supergroup"]
    raw = message(
        5,
        peer,
        "a text that is somewhat longer than what is shown of it",
        from_id=api.PeerUser(user_id=ANNA),
        pinned=True,
        media=api.MessageMediaEmpty(),
    )
    server.on(
        api.channels.GetMessages,
        listed(raw, users=[user(ANNA, "Anna", username="anna")], chats=[channel()]),
    )
    found = await client.get_messages(ROOM_ID, 5)
    assert found is not None
    assert found.raw == raw
    assert found.client is client
    assert (found.chat_id, found.sender_id, found.pinned) == (ROOM_ID, ANNA, True)
    assert isinstance(found.chat, Chat)
    assert found.chat.title == "Room"
    assert isinstance(found.sender, User)
    assert found.sender.username == "anna"
    assert found.media == api.MessageMediaEmpty()
    assert (found.action, found.edit_date, found.reply_to) == (None, None, None)
    assert repr(found) == f"<Message 5 in {ROOM_ID}: 'a text that is somewhat longer than wha…'>"
    assert found == Message(client, raw)
    assert len({found, Message(client, raw)}) == 1
    assert found != raw


@pytest.mark.parametrize(
    ("peer", "more", "sender"),
    [
        (api.PeerUser(user_id=ANNA), {"from_id": None}, ANNA),
        (api.PeerUser(user_id=ANNA), {"from_id": None, "out": True}, ME),
        (api.PeerUser(user_id=ANNA), {"from_id": api.PeerUser(user_id=ANNA)}, ANNA),
        (PEERS["channel"][1], {"from_id": None, "post": True}, None),
        (PEERS["supergroup"][1], {"from_id": PEERS["channel"][1]}, NEWS_ID),
    ],
)
async def test_who_has_sent_it(
    client: TelegramClient, peer: Any, more: dict[str, Any], sender: int | None
) -> None:
    found = Message(client, message(5, peer, **more))
    assert found.sender_id == sender
    assert found.sender is None


async def test_a_service_message_shows_what_happened(client: TelegramClient) -> None:
    notice = Message(client, service(5, PEERS["group"][1], PIN))
    assert repr(notice) == f"<Message 5 in -{CLUB}: messageActionPinMessage>"
    assert not notice.pinned
    assert notice.media is None


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_message_can_do(server: Script, client: TelegramClient, kind: str) -> None:
    _, peer, input_peer = PEERS[kind]
    found = Message(client, message(5, peer, reply_to=api.MessageReplyHeader(reply_to_msg_id=4)))
    server.on(api.messages.UpdatePinnedMessage, updates())
    server.on(api.messages.SendMessage, updates(sent_as(6), new(message(6, peer))))
    server.on(api.messages.EditMessage, updates(edited(message(5, peer, "new"))))
    for method in (api.messages.GetMessages, api.channels.GetMessages):
        server.on(method, listed(message(4, peer)))
    for method in (api.messages.DeleteMessages, api.channels.DeleteMessages):
        server.on(method, api.messages.AffectedMessages(pts=9, pts_count=1))
    assert await found.pin(silent=True) is None
    await found.unpin()
    assert (await found.reply("yes", silent=True)).id == 6
    assert (await found.edit("new")).text == "new"
    replied = await found.get_reply_message()
    assert replied is not None
    assert replied.id == 4
    assert await found.delete() == 1
    pin, unpin, reply, edit, *_ = server.asked
    assert (pin.id, pin.silent, unpin.id, unpin.unpin) == (5, True, 5, True)
    assert reply.reply_to == api.InputReplyToMessage(reply_to_msg_id=5)
    assert edit.id == 5
    assert {request.peer == input_peer for request in (pin, unpin, reply, edit)} == {True}


@pytest.mark.parametrize(
    ("method", "options", "but"),
    [
        ("send_message", SendOptions, set()),
        ("send_message", ReplyOptions, {"reply_to"}),
        ("edit_message", EditOptions, set()),
        ("forward_messages", ForwardOptions, set()),
        ("iter_messages", ListOptions, set()),
        ("get_pinned_messages", PinnedOptions, set()),
        ("iter_participants", ParticipantOptions, set()),
    ],
)
def test_type_checkers_know_the_options_of_objects(
    method: str, options: type, but: set[str]
) -> None:
    parameters = inspect.signature(getattr(TelegramClient, method)).parameters.values()
    keywords = {one.name: one.annotation for one in parameters if one.kind is one.KEYWORD_ONLY}
    wanted = {name: kind for name, kind in keywords.items() if name not in but}
    # A TypedDict collects those of its bases.
    annotations = inspect.get_annotations(options)
    assert {name: kind.__forward_arg__ for name, kind in annotations.items()} == wanted


async def test_what_is_no_message(server: Script, client: TelegramClient) -> None:
    for wrong in ("5", True, None, api.User(id=5)):
        with pytest.raises(TypeError, match="message"):
            await client.pin_message(ROOM_ID, wrong)  # type: ignore[arg-type]
    assert server.asked == []
