"""Friendly methods about chats: what is sent for each kind of chat, what comes of answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from radiogram import errors
from radiogram.client.client import TelegramClient
from radiogram.tl import api
from radiogram.types import Chat, Message, User
from tests.client.script import (
    ANNA,
    BEN,
    CLUB,
    CLUB_ID,
    IN_NEWS,
    IN_ROOM,
    ME,
    NEWS,
    NEWS_ID,
    PEERS,
    ROOM,
    ROOM_ID,
    USER_ANNA,
    USER_BEN,
    Script,
    channel,
    group,
    message,
    new,
    service,
    signed_in,
    updates,
    user,
)

BOXED = {"supergroup": IN_ROOM, "channel": IN_NEWS}
"""Kinds with a box of their own, and how they are named to channels.* methods."""


@pytest.fixture
def server() -> Script:
    return Script()


@pytest.fixture
async def client(server: Script) -> AsyncIterator[TelegramClient]:
    async with signed_in(server) as client:
        yield client


def invited(inner: Any, *missing: int) -> api.messages.InvitedUsers:
    return api.messages.InvitedUsers(
        updates=inner, missing_invitees=[api.MissingInvitee(user_id=one) for one in missing]
    )


# ── making ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("users", "sent"),
    [([], []), (["anna", BEN], [USER_ANNA, USER_BEN]), ("anna", [USER_ANNA])],
)
async def test_a_group(server: Script, client: TelegramClient, users: Any, sent: Any) -> None:
    server.on(api.messages.CreateChat, invited(updates(chats=[group(creator=True)])))
    made = await client.create_group("Club", users, ttl=86_400)
    assert isinstance(made, Chat)
    assert (made.id, made.title, made.kind, made.is_creator) == (CLUB_ID, "Club", "group", True)
    assert made.missing == ()
    assert server.asked == [api.messages.CreateChat(users=sent, title="Club", ttl_period=86_400)]


async def test_who_could_not_be_added_to_a_new_group(
    server: Script, client: TelegramClient
) -> None:
    answer = updates(chats=[group()], users=[user(BEN, "Ben")])
    server.on(api.messages.CreateChat, invited(answer, BEN, ANNA))
    made = await client.create_group("Club", ["anna", BEN])
    assert [(one.id, one.name) for one in made.missing] == [(BEN, "Ben"), (ANNA, "")]


@pytest.mark.parametrize(
    ("options", "flags", "raw", "kind"),
    [
        ({}, {"megagroup": True}, channel(), "supergroup"),
        ({"broadcast": True}, {"broadcast": True}, channel(NEWS), "channel"),
        ({"forum": True}, {"megagroup": True, "forum": True}, channel(forum=True), "forum"),
    ],
)
async def test_a_channel(
    server: Script,
    client: TelegramClient,
    options: dict[str, bool],
    flags: dict[str, bool],
    raw: api.Channel,
    kind: str,
) -> None:
    server.on(api.channels.CreateChannel, updates(chats=[raw]))
    made = await client.create_channel("Title", about="What it is about", **options)
    assert (made.raw, made.kind) == (raw, kind)
    assert server.asked == [
        api.channels.CreateChannel(title="Title", about="What it is about", **flags)
    ]


async def test_what_was_made_can_be_addressed(server: Script, client: TelegramClient) -> None:
    """The access hashes of chats in results are remembered, wherever in the result they are."""
    fresh = channel(888, access_hash=8, megagroup=True)
    server.on(api.messages.CreateChat, invited(updates(chats=[group(), fresh])))
    await client.create_group("Club")
    assert await client.input_peer(-1000000000888) == api.InputPeerChannel(
        channel_id=888, access_hash=8
    )


async def test_a_chat_that_was_not_told(server: Script, client: TelegramClient) -> None:
    server.on(api.channels.CreateChannel, updates())
    with pytest.raises(errors.ClientError, match="no chat"):
        await client.create_channel("Title")


# ── coming and going ─────────────────────────────────────────────────────────────────────────────


async def test_inviting_to_a_group(server: Script, client: TelegramClient) -> None:
    """One call for each, and those who could not be added."""
    server.on(
        api.messages.AddChatUser,
        invited(updates(chats=[group()])),
        invited(updates(users=[user(BEN, "Ben")]), BEN),
    )
    (missing,) = await client.invite(CLUB_ID, "anna", BEN)
    assert isinstance(missing, User)
    assert (missing.id, missing.name) == (BEN, "Ben")
    assert server.asked == [
        api.messages.AddChatUser(chat_id=CLUB, user_id=one, fwd_limit=100)
        for one in (USER_ANNA, USER_BEN)
    ]


@pytest.mark.parametrize("kind", BOXED)
async def test_inviting_to_a_channel(server: Script, client: TelegramClient, kind: str) -> None:
    server.on(api.channels.InviteToChannel, invited(updates(), ANNA))
    (missing,) = await client.invite(PEERS[kind][0], "anna", BEN)
    assert missing.id == ANNA
    assert server.asked == [
        api.channels.InviteToChannel(channel=BOXED[kind], users=[USER_ANNA, USER_BEN])
    ]


@pytest.mark.parametrize("name", ["the_room", "@the_room", "https://t.me/the_room", ROOM_ID])
async def test_joining(server: Script, client: TelegramClient, name: Any) -> None:
    answer = updates(chats=[channel(NEWS), channel()])
    server.on(api.channels.JoinChannel, api.messages.ChatInviteJoinResultOk(updates=answer))
    joined = await client.join(name)
    assert joined.id == ROOM_ID
    assert server.asked == [api.channels.JoinChannel(channel=IN_ROOM)]


@pytest.mark.parametrize(
    ("link", "secret"),
    [
        ("https://t.me/+AbC-d_9", "AbC-d_9"),
        ("t.me/joinchat/AbCd", "AbCd"),
        (" https://telegram.me/joinchat/AbCd ", "AbCd"),
        ("tg://join?invite=AbCd", "AbCd"),
    ],
)
async def test_joining_by_a_link(
    server: Script, client: TelegramClient, link: str, secret: str
) -> None:
    answer = updates(chats=[group()])
    server.on(api.messages.ImportChatInvite, api.messages.ChatInviteJoinResultOk(updates=answer))
    joined = await client.join(link)
    assert joined.id == CLUB_ID
    assert server.asked == [api.messages.ImportChatInvite(hash=secret)]


async def test_joining_where_admins_decide(server: Script, client: TelegramClient) -> None:
    server.on(api.messages.ImportChatInvite, (400, "INVITE_REQUEST_SENT"))
    with pytest.raises(errors.InviteRequestSent):
        await client.join("t.me/+AbCd")


async def test_leaving(server: Script, client: TelegramClient) -> None:
    server.on(api.messages.DeleteChatUser, updates())
    server.on(api.channels.LeaveChannel, updates())
    await client.leave(CLUB_ID)
    await client.leave("the_room")
    await Chat(client, channel(NEWS, access_hash=7)).leave()
    assert server.asked == [
        api.messages.DeleteChatUser(chat_id=CLUB, user_id=api.InputUserSelf()),
        api.channels.LeaveChannel(channel=IN_ROOM),
        api.channels.LeaveChannel(channel=IN_NEWS),
    ]


@pytest.mark.parametrize("name", ["anna", "me", ANNA])
async def test_people_are_no_groups(server: Script, client: TelegramClient, name: Any) -> None:
    for call in (
        client.leave(name),
        client.invite(name, BEN),
        client.set_admin(name, BEN),
        client.kick(name, BEN),
        client.ban(name, BEN),
        client.unban(name, BEN),
        client.restrict(name, BEN),
        client.join(name),
        anext(aiter(client.iter_participants(name))),
    ):
        with pytest.raises(errors.PeerNotFound):
            await call
    assert server.asked == []


# ── rights ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rights", "is_admin"),
    [
        (True, True),
        (False, False),
        (api.ChatAdminRights(pin_messages=True), True),
        (api.ChatAdminRights(), False),
    ],
)
async def test_admins_of_a_group(
    server: Script, client: TelegramClient, rights: Any, is_admin: bool
) -> None:
    server.on(api.messages.EditChatAdmin, True)
    await client.set_admin(CLUB_ID, "anna", rights)
    assert server.asked == [
        api.messages.EditChatAdmin(chat_id=CLUB, user_id=USER_ANNA, is_admin=is_admin)
    ]


@pytest.mark.parametrize("kind", BOXED)
async def test_admins_of_a_channel(server: Script, client: TelegramClient, kind: str) -> None:
    server.on(api.channels.EditAdmin, updates())
    only = api.ChatAdminRights(pin_messages=True)
    await client.set_admin(PEERS[kind][0], "anna", only, rank="keeper")
    await client.set_admin(PEERS[kind][0], "anna", False)
    assert server.asked == [
        api.channels.EditAdmin(
            channel=BOXED[kind], user_id=USER_ANNA, admin_rights=rights, rank=rank
        )
        for rights, rank in ((only, "keeper"), (api.ChatAdminRights(), ""))
    ]


def rights_of(rights: Any) -> set[str]:
    return {
        field.attribute
        for field in api.ChatAdminRights.TL_DEFINITION.fields
        if getattr(rights, field.attribute)
    }


@pytest.mark.parametrize(
    ("kind", "raw", "wanted"),
    [
        ("supergroup", channel(creator=True), {"pin_messages", "manage_topics"}),
        ("channel", channel(NEWS, creator=True), {"post_messages", "edit_messages"}),
    ],
)
async def test_usual_rights(
    server: Script, client: TelegramClient, kind: str, raw: api.Channel, wanted: set[str]
) -> None:
    """Those that the kind of chat has, without naming admins and without being anonymous."""
    server.on(api.channels.GetChannels, api.messages.Chats(chats=[raw]))
    server.on(api.channels.EditAdmin, updates())
    await client.set_admin(PEERS[kind][0], "anna")
    given = rights_of(server.asked[1].admin_rights)
    special = {"pin_messages", "manage_topics", "post_messages", "edit_messages"}
    assert given & special == wanted
    assert given > {"change_info", "delete_messages", "ban_users", "invite_users", "other"}
    assert not given & {"add_admins", "anonymous"}


async def test_nobody_gives_what_they_do_not_have(server: Script, client: TelegramClient) -> None:
    own = api.ChatAdminRights(pin_messages=True, add_admins=True, ban_users=True)
    chats = [channel(admin_rights=own)]
    server.on(api.channels.GetChannels, api.messages.Chats(chats=chats))
    server.on(api.channels.EditAdmin, updates())
    await client.set_admin(ROOM_ID, "anna")
    assert rights_of(server.asked[1].admin_rights) == {"pin_messages", "ban_users"}


async def test_restricting(server: Script, client: TelegramClient) -> None:
    server.on(api.channels.EditBanned, updates())
    forbidden = api.ChatBannedRights(pin_messages=True, until_date=0)
    await client.restrict(ROOM_ID, "anna")
    await client.restrict(ROOM_ID, "anna", forbidden, until=datetime(2030, 1, 1, tzinfo=UTC))
    await client.restrict(ROOM_ID, "anna", forbidden)
    everything, some, for_ever = (request.banned_rights for request in server.asked)
    assert everything == api.ChatBannedRights(send_messages=True, until_date=0)
    assert some == api.ChatBannedRights(pin_messages=True, until_date=1_893_456_000)
    assert for_ever == forbidden
    assert forbidden.until_date == 0
    assert server.asked[0].participant == PEERS["private"][2]


async def test_a_group_restricts_nobody_alone(server: Script, client: TelegramClient) -> None:
    with pytest.raises(errors.PeerNotFound, match="supergroup"):
        await client.restrict(CLUB_ID, "anna")
    with pytest.raises(errors.PeerNotFound, match="supergroup"):
        await client.unban(CLUB_ID, "anna")
    assert server.asked == []


@pytest.mark.parametrize("method", ["kick", "ban"])
async def test_removing_from_a_group(server: Script, client: TelegramClient, method: str) -> None:
    gone = api.MessageActionChatDeleteUser(user_id=ANNA)
    server.on(api.messages.DeleteChatUser, updates(new(service(9, PEERS["group"][1], gone))))
    notice = await getattr(client, method)(CLUB_ID, "anna")
    assert isinstance(notice, Message)
    assert notice.action == gone
    assert server.asked == [api.messages.DeleteChatUser(chat_id=CLUB, user_id=USER_ANNA)]


@pytest.mark.parametrize("kind", BOXED)
async def test_removing_from_a_channel(server: Script, client: TelegramClient, kind: str) -> None:
    name, peer, _ = PEERS[kind]
    gone = api.MessageActionChatDeleteUser(user_id=ANNA)
    out = api.ChatBannedRights(view_messages=True, until_date=0)
    free = api.ChatBannedRights(until_date=0)
    server.on(api.channels.EditBanned, updates(new(service(9, peer, gone))), updates(), updates())
    notice = await client.kick(name, "anna")
    assert notice is not None
    assert notice.id == 9
    await client.unban(name, "anna")
    assert [request.banned_rights for request in server.asked] == [out, free, free]
    server.on(api.channels.EditBanned, updates())
    assert await client.ban(name, NEWS_ID, until=1_893_456_000) is None
    last = server.asked[-1]
    assert (last.channel, last.participant) == (BOXED[kind], PEERS["channel"][2])
    assert last.banned_rights.until_date == 1_893_456_000


# ── who is in it ─────────────────────────────────────────────────────────────────────────────────


def club(*participants: api.TypeChatParticipant) -> api.messages.ChatFull:
    full = api.ChatFull(
        id=CLUB,
        about="",
        participants=api.ChatParticipants(chat_id=CLUB, participants=list(participants), version=1),
        notify_settings=api.PeerNotifySettings(),
    )
    people = [user(ME, "Ada"), user(ANNA, "Anna", last_name="Berg"), user(BEN, username="bennie")]
    return api.messages.ChatFull(full_chat=full, chats=[group()], users=people)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, [ME, ANNA, BEN]),
        ({"limit": 2}, [ME, ANNA]),
        ({"limit": 0}, []),
        ({"search": "an"}, [ANNA]),
        ({"search": "BERG"}, [ANNA]),
        ({"search": "benn"}, [BEN]),
        ({"search": "xyz"}, []),
        ({"filter": api.ChannelParticipantsAdmins()}, [ME, BEN]),
    ],
)
async def test_participants_of_a_group(
    server: Script, client: TelegramClient, options: dict[str, Any], wanted: list[int]
) -> None:
    server.on(
        api.messages.GetFullChat,
        club(
            api.ChatParticipantCreator(user_id=ME),
            api.ChatParticipant(user_id=ANNA, inviter_id=ME, date=1_700_000_000),
            api.ChatParticipantAdmin(user_id=BEN, inviter_id=ME, date=1_700_000_000),
        ),
    )
    found = [one async for one in client.iter_participants(CLUB_ID, **options)]
    assert [one.id for one in found] == wanted
    assert {one.id: one.status for one in found}.items() <= {
        (ME, "creator"),
        (ANNA, "member"),
        (BEN, "admin"),
    }


async def test_a_group_that_is_not_shown(server: Script, client: TelegramClient) -> None:
    """Who was removed is not told who is in it."""
    answer = club()
    full: Any = answer.full_chat
    full.participants = api.ChatParticipantsForbidden(chat_id=CLUB)
    server.on(api.messages.GetFullChat, answer)
    assert [one async for one in client.iter_participants(CLUB_ID)] == []


def crowd(count: int) -> Any:
    """Answer as a channel with so many members does."""

    def answer(request: Any) -> Any:
        ids = range(1000 + request.offset, min(1000 + request.offset + request.limit, 1000 + count))
        return api.channels.ChannelParticipants(
            count=count,
            participants=[api.ChannelParticipant(user_id=one, date=5) for one in ids],
            chats=[],
            users=[user(one, f"P{one}") for one in ids],
        )

    return answer


@pytest.mark.parametrize("kind", BOXED)
async def test_participants_of_a_channel_come_in_pages(
    server: Script, client: TelegramClient, kind: str
) -> None:
    server.on(api.channels.GetParticipants, crowd(450))
    found = [one async for one in client.iter_participants(PEERS[kind][0])]
    assert [one.id for one in found] == list(range(1000, 1450))
    assert isinstance(found[0].user, User)
    assert found[0].user.name == "P1000"
    sizes = [request.limit for request in server.asked]
    assert max(sizes) <= 200
    assert [request.offset for request in server.asked] == list(range(0, 450, sizes[0]))
    assert all(request.channel == BOXED[kind] for request in server.asked)


@pytest.mark.parametrize(
    ("options", "filter"),
    [
        ({"search": "an"}, api.ChannelParticipantsSearch(q="an")),
        ({"filter": api.ChannelParticipantsAdmins()}, api.ChannelParticipantsAdmins()),
        ({"filter": api.ChannelParticipantsKicked(q="")}, api.ChannelParticipantsKicked(q="")),
    ],
)
async def test_participants_are_chosen_by_the_server(
    server: Script, client: TelegramClient, options: dict[str, Any], filter: Any
) -> None:
    server.on(api.channels.GetParticipants, crowd(20))
    found = [one async for one in client.iter_participants(ROOM_ID, limit=7, **options)]
    assert len(found) == 7
    assert [request.filter for request in server.asked] == [filter]


async def test_who_moves_between_pages_is_seen_once(server: Script, client: TelegramClient) -> None:
    server.on(api.channels.GetParticipants, lambda request: _shifted(crowd(450), request))
    found = [one.id async for one in client.iter_participants(ROOM_ID)]
    assert len(found) == len(set(found))


def _shifted(answer: Any, request: Any) -> Any:
    request.offset = max(0, request.offset - 3)
    return answer(request)


# ── chats by name, and the list of them ──────────────────────────────────────────────────────────


async def test_get_chat(server: Script, client: TelegramClient) -> None:
    server.on(api.messages.GetChats, api.messages.Chats(chats=[group()]))
    server.on(api.channels.GetChannels, api.messages.Chats(chats=[channel()]))
    server.on(api.users.GetUsers, [user(ANNA, "Anna")], [user(ME, "Ada", self=True)], [])
    assert (await client.get_chat(CLUB_ID)).id == CLUB_ID
    assert (await client.get_chat("https://t.me/c/66/1")).id == ROOM_ID
    assert (await client.get_chat("@anna")).id == ANNA
    myself = await client.get_chat("me")
    assert isinstance(myself, User)
    assert myself.is_self
    with pytest.raises(errors.PeerNotFound):
        await client.get_chat(BEN)
    assert server.asked == [
        api.messages.GetChats(id=[CLUB]),
        api.channels.GetChannels(id=[IN_ROOM]),
        api.users.GetUsers(id=[USER_ANNA]),
        api.users.GetUsers(id=[api.InputUserSelf()]),
        api.users.GetUsers(id=[USER_BEN]),
    ]


def line(peer: api.TypePeer, top: int, **more: Any) -> api.Dialog:
    return api.Dialog(
        peer=peer,
        top_message=top,
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        **{"unread_count": 0, "unread_mentions_count": 0, **more},
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=api.PeerNotifySettings(),
    )


async def test_the_list_of_chats_comes_in_pages(server: Script, client: TelegramClient) -> None:
    """Each page begins after the last message of the one before; pinned ones come only once."""
    in_news, in_room, in_club, with_anna = (
        PEERS[kind][1] for kind in ("channel", "supergroup", "group", "private")
    )
    first = api.messages.DialogsSlice(
        count=4,
        dialogs=[line(in_room, 5, pinned=True, unread_count=3), line(in_news, 7)],
        messages=[message(5, in_room), message(7, in_news)],
        chats=[channel(), channel(NEWS, "News", access_hash=7)],
        users=[],
    )
    second = api.messages.DialogsSlice(
        count=4,
        dialogs=[line(in_club, 6), line(with_anna, 9, unread_mentions_count=1)],
        messages=[message(6, in_club), service(9, with_anna, api.MessageActionPinMessage())],
        chats=[group()],
        users=[user(ANNA, "Anna")],
    )
    last = api.messages.DialogsSlice(count=4, dialogs=[], messages=[], chats=[], users=[])
    server.on(api.messages.GetDialogs, first, second, last)
    found = [one async for one in client.iter_dialogs(folder=0)]
    assert [one.id for one in found] == [ROOM_ID, NEWS_ID, CLUB_ID, ANNA]
    assert [one.name for one in found] == ["Room", "News", "Club", "Anna"]
    assert [one.pinned for one in found] == [True, False, False, False]
    assert [one.unread_count for one in found] == [3, 0, 0, 0]
    assert [one.unread_mentions_count for one in found] == [0, 0, 0, 1]
    assert isinstance(found[3].chat, User)
    assert found[1].message is not None
    assert found[1].message.id == 7
    assert repr(found[0]) == f"<Dialog {ROOM_ID} 'Room', 3 unread>"
    one, two, three = server.asked
    assert (one.offset_id, one.offset_peer, one.exclude_pinned) == (0, api.InputPeerEmpty(), False)
    assert (two.offset_id, two.offset_peer, two.exclude_pinned) == (7, PEERS["channel"][2], True)
    assert (three.offset_id, three.offset_peer) == (9, PEERS["private"][2])
    assert {request.folder_id for request in server.asked} == {0}


async def test_a_whole_list_is_one_page(server: Script, client: TelegramClient) -> None:
    peer = PEERS["group"][1]
    whole = api.messages.Dialogs(
        dialogs=[line(peer, 6)], messages=[message(6, peer)], chats=[group()], users=[]
    )
    server.on(api.messages.GetDialogs, whole)
    (found,) = [one async for one in client.iter_dialogs()]
    server.on(api.messages.SendMessage, (403, "CHAT_WRITE_FORBIDDEN"))
    with pytest.raises(errors.ChatWriteForbidden):
        await found.send_message("hello")
    assert server.asked[1].peer == PEERS["group"][2]
    assert [one async for one in client.iter_dialogs(limit=0)] == []


# ── the objects ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("raw", "marked_id", "kind", "left"),
    [
        (group(), CLUB_ID, "group", False),
        (group(left=True), CLUB_ID, "group", True),
        (api.ChatForbidden(id=CLUB, title="Club"), CLUB_ID, "group", True),
        (channel(), ROOM_ID, "supergroup", False),
        (channel(forum=True), ROOM_ID, "forum", False),
        (channel(NEWS, "News"), NEWS_ID, "channel", False),
        (
            api.ChannelForbidden(id=ROOM, access_hash=6, title="Room", megagroup=True),
            ROOM_ID,
            "supergroup",
            True,
        ),
    ],
)
async def test_what_a_chat_tells(
    client: TelegramClient, raw: Any, marked_id: int, kind: str, left: bool
) -> None:
    chat = Chat(client, raw)
    assert (chat.id, chat.kind, chat.left) == (marked_id, kind, left)
    assert chat.is_group is (kind != "channel")
    assert chat.name == chat.title == raw.title
    assert repr(chat) == f"<Chat {marked_id} {raw.title!r}, {kind}>"


async def test_where_a_group_has_moved(client: TelegramClient) -> None:
    assert Chat(client, group(migrated_to=IN_ROOM)).migrated_to == ROOM_ID
    assert Chat(client, group()).migrated_to is None
    assert Chat(client, channel()).migrated_to is None


async def test_public_names(client: TelegramClient) -> None:
    several = [api.Username(username="old"), api.Username(username="new", active=True)]
    assert Chat(client, channel(username="one")).username == "one"
    assert Chat(client, channel(usernames=several)).username == "new"
    assert Chat(client, group()).username is None
    assert User(client, user(ANNA, usernames=several)).username == "new"
    assert repr(User(client, user(ANNA, "Anna", username="anna"))) == f"<User {ANNA} @anna>"
    assert repr(User(client, user(BEN, "Ben", bot=True))) == f"<User {BEN} 'Ben' bot>"


async def test_friendly_objects_name_peers(server: Script, client: TelegramClient) -> None:
    """Wherever a request wants a peer, at any depth."""
    room, anna = Chat(client, channel()), User(client, user(ANNA, "Anna"))
    note = Message(client, message(5, PEERS["group"][1]))
    server.on(api.messages.UpdatePinnedMessage, updates())
    server.on(api.channels.InviteToChannel, invited(updates()))
    await client.pin_message(note, note)
    await client.pin_message(room, 6)
    await client.pin_message(anna, 7)
    await room.invite(anna, user(BEN, "Ben"))
    peers = [request.peer for request in server.asked[:3]]
    assert peers == [PEERS[kind][2] for kind in ("group", "supergroup", "private")]
    assert server.asked[3].users == [USER_ANNA, USER_BEN]


async def test_what_is_known_by_its_id_only_is_looked_up(client: TelegramClient) -> None:
    """A min object's hash is not used, the one that is remembered is."""
    room = Chat(client, channel(min=True, access_hash=12345))
    anna = User(client, user(ANNA, min=True))
    assert await client.input_peer(room) == PEERS["supergroup"][2]
    assert await client.input_peer(anna) == PEERS["private"][2]
