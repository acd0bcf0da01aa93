"""Friendly methods and objects against answers that the embedded server does not give."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from radiogram import TelegramClient, api, errors
from radiogram.client.objects.base import Company, seconds_of
from radiogram.client.objects.chat import Chat
from radiogram.client.objects.message import Message, message_id, message_ids
from radiogram.client.objects.participant import Participant
from radiogram.client.objects.results import known_peer
from radiogram.client.objects.user import User
from tests.client.fake import FakeServer, known_session, make_client

ME, BEN = 1000, 2000
GROUP = api.PeerChat(chat_id=5)
CHANNEL = api.Channel(id=7, access_hash=77, title="News", photo=api.ChatPhotoEmpty(), date=1)
CHANNEL_ID = -1000000000007


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def client(server: FakeServer) -> AsyncIterator[TelegramClient]:
    session = known_session()
    session.data = replace(session.data, user_id=ME)
    async with make_client(server, session) as client:
        yield client


def answers(server: FakeServer, give: Callable[[Any], Any]) -> list[Any]:
    """Answer all calls but the first; gives the list of those that come."""
    calls: list[Any] = []

    def answer(request: Any) -> Any:
        if isinstance(request, api.help.GetConfig):
            return None
        calls.append(request)
        return give(request)

    server.answer = answer
    return calls


def message(number: int, text: str = "text", **more: Any) -> api.Message:
    more.setdefault("peer_id", GROUP)
    return api.Message(id=number, date=number, message=text, **more)


def updates(*found: Any, chats: Any = ()) -> api.Updates:
    return api.Updates(updates=list(found), users=[], chats=list(chats), date=0, seq=0)


def new(raw: Any) -> api.UpdateNewMessage:
    return api.UpdateNewMessage(message=raw, pts=1, pts_count=1)


async def test_everything_is_unpinned_until_nothing_is_left(
    server: FakeServer, client: TelegramClient
) -> None:
    offsets = [2, 1, 0]
    calls = answers(
        server,
        lambda _: api.messages.AffectedHistory(pts=1, pts_count=100, offset=offsets.pop(0)),
    )
    assert await client.unpin_all_messages(-5) == 300
    assert calls == [api.messages.UnpinAllMessages(peer=api.InputPeerChat(chat_id=5))] * 3


async def test_a_short_answer_becomes_a_message(server: FakeServer, client: TelegramClient) -> None:
    answers(
        server,
        lambda _: api.UpdateShortSentMessage(out=True, id=9, pts=1, pts_count=1, date=86400),
    )
    sent = await client.send_message(-5, "hello", reply_to=3)
    assert (sent.id, sent.text, sent.chat_id, sent.sender_id) == (9, "hello", -5, ME)
    assert (sent.out, sent.reply_to) == (True, 3)
    assert sent.date == datetime(1970, 1, 2, tzinfo=UTC)
    assert (await client.send_message("me", "note")).chat_id == ME


async def test_all_options_are_sent(server: FakeServer, client: TelegramClient) -> None:
    calls = answers(
        server, lambda _: updates(api.UpdateMessageID(id=9, random_id=1), new(message(9)))
    )
    bold = api.MessageEntityBold(offset=0, length=1)
    buttons = api.ReplyKeyboardHide()
    sent = await client.send_message(
        -5,
        "text",
        topic=4,
        silent=True,
        entities=(bold,),
        buttons=buttons,
        link_preview=False,
        protect=True,
        schedule=datetime.fromtimestamp(5000, UTC),
        send_as=CHANNEL,
    )
    assert sent.raw == message(9)
    (call,) = calls
    assert call.random_id
    assert call.reply_to == api.InputReplyToMessage(reply_to_msg_id=4)
    assert (call.silent, call.no_webpage, call.noforwards) == (True, True, True)
    assert (call.entities, call.reply_markup, call.schedule_date) == ([bold], buttons, 5000)
    assert call.send_as == api.InputPeerChannel(channel_id=7, access_hash=77)
    quote = api.InputReplyToMessage(reply_to_msg_id=3, quote_text="a")
    await client.send_message(-5, "text", reply_to=quote)
    assert calls[-1].reply_to == quote


async def test_answers_without_a_message_are_errors(
    server: FakeServer, client: TelegramClient
) -> None:
    answers(server, lambda _: updates())
    for call in (client.send_message(-5, "a"), client.edit_message(-5, 1, "a")):
        with pytest.raises(errors.ClientError, match="holds no message"):
            await call
    with pytest.raises(errors.ClientError, match="tells of no chat"):
        await client.create_channel("a")
    assert await client.pin_message(-5, 1) is None


async def test_forwards_come_in_the_order_asked_for(
    server: FakeServer, client: TelegramClient
) -> None:
    answers(
        server,
        lambda _: updates(
            api.UpdateMessageID(id=12, random_id=1),
            api.UpdateMessageID(id=11, random_id=2),
            new(message(12, "second")),
            new(message(11, "first")),
            new(message(13, "of somebody else")),
        ),
    )
    found = await client.forward_messages(-5, [1, 2], -6)
    assert [one.text for one in found] == ["first", "second"]


async def test_many_ids_go_in_pieces(server: FakeServer, client: TelegramClient) -> None:
    client._peers.learn(updates(chats=[CHANNEL]))
    calls = answers(server, lambda request: api.messages.AffectedMessages(pts=1, pts_count=1))
    assert await client.delete_messages(-5, range(1, 251), revoke=False) == 3
    assert [len(call.id) for call in calls] == [100, 100, 50]
    assert not calls[0].revoke
    assert await client.delete_messages(CHANNEL_ID, 1) == 1
    assert isinstance(calls[-1], api.channels.DeleteMessages)


async def test_a_server_that_repeats_a_page_is_left(
    server: FakeServer, client: TelegramClient
) -> None:
    page = api.messages.MessagesSlice(
        count=9, messages=[message(2), message(1)], topics=[], chats=[], users=[]
    )
    calls = answers(server, lambda _: page)
    assert [one.id async for one in client.iter_messages(-5)] == [2, 1]
    assert len(calls) == 2


async def test_a_list_of_dialogs_that_repeats_is_left(
    server: FakeServer, client: TelegramClient
) -> None:
    dialog = api.Dialog(
        peer=GROUP,
        top_message=3,
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        unread_count=2,
        unread_mentions_count=1,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=api.PeerNotifySettings(),
    )
    page = api.messages.DialogsSlice(
        count=9, dialogs=[dialog], messages=[message(3)], chats=[], users=[]
    )
    calls = answers(server, lambda _: page)
    (found,) = [one async for one in client.iter_dialogs()]
    assert [call.exclude_pinned for call in calls] == [False, True]
    assert (calls[1].offset_id, calls[1].offset_date) == (3, 3)
    assert (found.id, found.name, found.unread_mentions_count) == (-5, "", 1)
    assert repr(found) == "<Dialog -5 '', 2 unread>"
    assert found.chat.id == -5


async def test_who_could_not_be_invited(server: FakeServer, client: TelegramClient) -> None:
    ben = api.User(id=BEN, access_hash=3, first_name="Ben")
    result = updates()
    result.users.append(ben)
    invited = api.messages.InvitedUsers(
        updates=result, missing_invitees=[api.MissingInvitee(user_id=BEN)]
    )
    answers(server, lambda _: invited)
    (missing,) = await client.invite(-5, ben)
    assert missing.raw == ben


@pytest.mark.parametrize(
    "link",
    ["https://t.me/+AbC-_1", "t.me/joinchat/AbC-_1", "tg://join?invite=AbC-_1"],
)
async def test_invitations(server: FakeServer, client: TelegramClient, link: str) -> None:
    calls = answers(
        server,
        lambda _: api.messages.ChatInviteJoinResultOk(updates=updates(chats=[CHANNEL])),
    )
    assert (await client.join(link)).id == CHANNEL_ID
    assert calls == [api.messages.ImportChatInvite(hash="AbC-_1")]


async def test_joining_that_is_not_finished(server: FakeServer, client: TelegramClient) -> None:
    answers(
        server, lambda _: api.messages.ChatInviteJoinResultWebView(bot_id=1, query_id=2, users=[])
    )
    with pytest.raises(errors.ClientError, match="not finished"):
        await client.join("t.me/+AbC")


async def test_participants_of_a_basic_group_are_chosen_by_few_things(
    client: TelegramClient,
) -> None:
    kicked = api.ChannelParticipantsKicked(q="")
    with pytest.raises(errors.ClientError, match="channelParticipantsKicked"):
        await anext(aiter(client.iter_participants(-5, filter=kicked)))


# ── objects ──────────────────────────────────────────────────────────────────────────────────────


def test_messages() -> None:
    client = make_client(FakeServer())
    raw = message(4, "x" * 60, pinned=True, edit_date=60, from_id=api.PeerUser(user_id=BEN))
    one = Message(client, raw)
    assert one == Message(
        client, message(4, "x" * 60, pinned=True, edit_date=60, from_id=raw.from_id)
    )
    assert one != raw
    assert len({one, Message(client, raw)}) == 1
    assert one.client is client
    assert (one.pinned, one.silent, one.media, one.sender_id) == (True, False, None, BEN)
    assert one.edit_date == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert (one.chat, one.sender) == (None, None)
    assert repr(one) == f"<Message 4 in -5: '{'x' * 39}…'>"
    service = Message(
        client,
        api.MessageService(id=5, peer_id=GROUP, date=1, action=api.MessageActionPinMessage()),
    )
    assert (service.text, service.pinned, service.edit_date, service.media) == (
        "",
        False,
        None,
        None,
    )
    assert repr(service) == "<Message 5 in -5: messageActionPinMessage>"


def test_ids() -> None:
    client = make_client(FakeServer())
    raw = message(4)
    assert message_ids([1, raw, Message(client, raw)]) == [1, 4, 4]
    assert message_ids(raw) == [4]
    for wrong in ("4", None, True):
        with pytest.raises(TypeError, match="a message, or the id of one"):
            message_id(wrong)  # type: ignore[arg-type]
    assert seconds_of(None) is None
    assert seconds_of(5) == 5


def test_users_and_chats() -> None:
    client = make_client(FakeServer())
    names = [
        api.Username(username="old_name"),
        api.Username(active=True, username="new_name"),
    ]
    user = User(client, api.User(id=1, first_name="A", last_name="B", usernames=names, phone="123"))
    assert (user.name, user.username, user.phone, user.is_contact) == (
        "A B",
        "new_name",
        "123",
        False,
    )
    gone = User(client, api.UserEmpty(id=2))
    assert (gone.name, gone.username, gone.phone) == ("", None, None)
    assert (gone.is_deleted, gone.is_bot, gone.is_self) == (True, False, False)
    chat = Chat(client, CHANNEL)
    assert (chat.id, chat.kind, chat.is_group, chat.is_forbidden) == (
        CHANNEL_ID,
        "channel",
        False,
        False,
    )
    assert chat.date == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert (chat.username, chat.participants_count, chat.admin_rights) == (None, None, None)
    shut = Chat(client, api.ChannelForbidden(megagroup=True, id=8, access_hash=1, title="Out"))
    assert (shut.kind, shut.left, shut.is_creator, shut.date) == ("supergroup", True, False, None)
    group = Chat(client, api.ChatForbidden(id=5, title="Out"))
    assert (group.id, group.kind, group.left, group.username) == (-5, "group", True, None)


def test_whom_the_server_left_out() -> None:
    client = make_client(FakeServer())
    assert [known_peer(client, None, one).id for one in (1, -5, CHANNEL_ID)] == [1, -5, CHANNEL_ID]
    client._peers.learn(updates(chats=[CHANNEL]))
    assert client._peers.input_peer(known_peer(client, None, CHANNEL_ID)) == api.InputPeerChannel(
        channel_id=7, access_hash=77
    )


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (api.ChatParticipant(user_id=BEN, inviter_id=ME, date=1), "member"),
        (api.ChatParticipantCreator(user_id=BEN), "creator"),
        (api.ChannelParticipantLeft(peer=api.PeerUser(user_id=BEN)), "left"),
        (
            api.ChannelParticipantBanned(
                left=True,
                peer=api.PeerUser(user_id=BEN),
                kicked_by=ME,
                date=1,
                banned_rights=api.ChatBannedRights(send_messages=True, until_date=0),
            ),
            "left",
        ),
    ],
)
def test_participants(raw: Any, status: str) -> None:
    client = make_client(FakeServer())
    one = Participant(client, raw, Company())
    assert (one.id, one.status, one.user, one.rank) == (BEN, status, None, "")
    assert repr(one) == f"<Participant {BEN}, {status}>"
    assert len({one, Participant(client, raw, Company())}) == 1
