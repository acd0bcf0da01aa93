"""Peers in requests: every way to write one, at any depth; and what is learned from results."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from radiogram import errors
from radiogram.client.peers import Peers
from radiogram.errors import PeerNotFound
from radiogram.sessions import MemorySession, PeerRecord, SessionData
from radiogram.tl import api
from radiogram.tl.build import registry

ANNA, BEN, NEWS, CLUB = 5_000_000_001, 5_000_000_002, 1_234_567_890, 77
NEWS_MARKED = -1001234567890
PEER_ANNA = api.InputPeerUser(user_id=ANNA, access_hash=11)
PEER_NEWS = api.InputPeerChannel(channel_id=NEWS, access_hash=33)
USER_ANNA = api.InputUser(user_id=ANNA, access_hash=11)
CHANNEL_NEWS = api.InputChannel(channel_id=NEWS, access_hash=33)


def user(user_id: int, access_hash: int | None, **more: Any) -> api.User:
    return api.User(id=user_id, access_hash=access_hash, first_name="x", **more)


def channel(channel_id: int, access_hash: int | None, **more: Any) -> api.Channel:
    return api.Channel(
        id=channel_id,
        access_hash=access_hash,
        title="x",
        photo=api.ChatPhotoEmpty(),
        date=0,
        **more,
    )


class Server:
    """Answers resolveUsername and resolvePhone, and counts how often."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: errors.RpcError | None = None
        self.peers: Peers

    async def __call__(self, request: Any) -> Any:
        name = request.username if "sername" in request.TL_NAME else request.phone
        self.asked.append(name)
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        known: dict[str, tuple[Any, list[Any], list[Any]]] = {
            "ben": (api.PeerUser(user_id=BEN), [user(BEN, 22, username="Ben")], []),
            "999660002": (api.PeerUser(user_id=BEN), [user(BEN, 22, phone="999660002")], []),
            "talk": (api.PeerChannel(channel_id=9), [], [channel(9, 99, username="talk")]),
        }
        peer, users, chats = known[name]
        result = api.contacts.ResolvedPeer(peer=peer, users=users, chats=chats)
        self.peers.learn(result)
        return result


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def session() -> MemorySession:
    session = MemorySession(SessionData(user_id=1))
    session.remember(
        [
            PeerRecord(ANNA, 11, ("anna",), "999660001"),
            PeerRecord(NEWS_MARKED, 33, ("news",)),
        ]
    )
    return session


@pytest.fixture
def peers(server: Server, session: MemorySession) -> Peers:
    numbers = itertools.count(1)
    server.peers = Peers(session, server, lambda n: next(numbers).to_bytes(n, "little"))
    return server.peers


def cast(peers: Peers, request: Any) -> Any:
    result, missing = peers.cast(request)
    assert missing == []
    registry().encode(result)
    return result


async def resolve(peers: Peers, request: Any) -> Any:
    result, missing = peers.cast(request)
    return await peers.find_and_cast(request, missing) if missing else result


def read(peer: Any) -> api.messages.ReadHistory:
    return api.messages.ReadHistory(peer=peer, max_id=0)


MESSAGE = api.Message(
    id=5, peer_id=api.PeerUser(user_id=ANNA), date=0, message="x", from_id=api.PeerUser(user_id=BEN)
)


# ── InputPeer ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("anna", PEER_ANNA),
        ("@Anna", PEER_ANNA),
        ("https://t.me/anna", PEER_ANNA),
        ("+999660001", PEER_ANNA),
        (ANNA, PEER_ANNA),
        ("news", PEER_NEWS),
        (NEWS_MARKED, PEER_NEWS),
        (str(NEWS_MARKED), PEER_NEWS),
        (f"https://t.me/c/{NEWS}/7", PEER_NEWS),
        (-CLUB, api.InputPeerChat(chat_id=CLUB)),
        ("me", api.InputPeerSelf()),
        ("self", api.InputPeerSelf()),
        (1, api.InputPeerSelf()),
        (PEER_ANNA, PEER_ANNA),
        (user(BEN, 22), api.InputPeerUser(user_id=BEN, access_hash=22)),
        (user(9, None, self=True), api.InputPeerSelf()),
        (user(ANNA, 999, min=True), PEER_ANNA),
        (api.UserEmpty(id=ANNA), PEER_ANNA),
        (channel(NEWS, 44), api.InputPeerChannel(channel_id=NEWS, access_hash=44)),
        (channel(NEWS, 999, min=True), PEER_NEWS),
        (channel(NEWS, None), PEER_NEWS),
        (
            api.ChannelForbidden(id=NEWS, access_hash=44, title="x"),
            api.InputPeerChannel(channel_id=NEWS, access_hash=44),
        ),
        (api.ChatForbidden(id=CLUB, title="x"), api.InputPeerChat(chat_id=CLUB)),
        (api.ChatEmpty(id=CLUB), api.InputPeerChat(chat_id=CLUB)),
        (api.PeerUser(user_id=ANNA), PEER_ANNA),
        (api.PeerChat(chat_id=CLUB), api.InputPeerChat(chat_id=CLUB)),
        (api.PeerChannel(channel_id=NEWS), PEER_NEWS),
        (USER_ANNA, PEER_ANNA),
        (api.InputUserSelf(), api.InputPeerSelf()),
        (api.InputUserEmpty(), api.InputPeerEmpty()),
        (
            api.InputUserFromMessage(peer="news", msg_id=3, user_id=BEN),
            api.InputPeerUserFromMessage(peer=PEER_NEWS, msg_id=3, user_id=BEN),
        ),
        (CHANNEL_NEWS, PEER_NEWS),
        (
            api.InputChannelFromMessage(peer="anna", msg_id=3, channel_id=9),
            api.InputPeerChannelFromMessage(peer=PEER_ANNA, msg_id=3, channel_id=9),
        ),
        (
            api.InputPeerUserFromMessage(peer="news", msg_id=3, user_id=BEN),
            api.InputPeerUserFromMessage(peer=PEER_NEWS, msg_id=3, user_id=BEN),
        ),
        (MESSAGE, PEER_ANNA),
        (api.contacts.ResolvedPeer(peer=api.PeerUser(user_id=ANNA), chats=[], users=[]), PEER_ANNA),
        (api.DialogPeer(peer=api.PeerChannel(channel_id=NEWS)), PEER_NEWS),
        (api.Contact(user_id=ANNA, mutual=False), PEER_ANNA),
        (api.ChannelParticipant(user_id=ANNA, date=0), PEER_ANNA),
        (api.UpdateChannelTooLong(channel_id=NEWS), PEER_NEWS),
        (
            api.auth.Authorization(user=user(BEN, 22)),
            api.InputPeerUser(user_id=BEN, access_hash=22),
        ),
    ],
    ids=repr,
)
def test_an_input_peer_is_written_in_many_ways(peers: Peers, written: Any, wanted: Any) -> None:
    assert cast(peers, read(written)).peer == wanted


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("two words", "no username"),
        (BEN, "has not been seen by this session.*username"),
        (-1009999999999, "channel with the id -1009999999999 has not been seen"),
        (0, "is no id"),
        (api.PeerUser(user_id=BEN), "has not been seen"),
        (user(BEN, None), "has not been seen"),
        (api.InputMessageID(id=1), "inputMessageID is not about a peer"),
        ("https://t.me/+AAAAAEkk2WdoDrB4", "an invitation"),
    ],
    ids=repr,
)
def test_who_cannot_be_addressed_is_named(peers: Peers, written: Any, reason: str) -> None:
    with pytest.raises(PeerNotFound, match=reason):
        peers.cast(read(written))


def test_bots_may_address_by_id_alone(peers: Peers, session: MemorySession) -> None:
    session.data = SessionData(user_id=1, is_bot=True)
    assert cast(peers, read(BEN)).peer == api.InputPeerUser(user_id=BEN, access_hash=0)


@pytest.mark.parametrize("written", [1.5, True, None, b"anna", ["anna"]])
def test_what_is_no_peer_at_all_is_left_to_the_encoder(peers: Peers, written: Any) -> None:
    result, missing = peers.cast(read(written))
    assert missing == []
    with pytest.raises(errors.EncodeError, match="peer"):
        registry().encode(result)


def test_what_is_no_list_is_left_to_the_encoder(peers: Peers) -> None:
    result, _ = peers.cast(api.users.GetUsers(id="me"))
    with pytest.raises(errors.EncodeError, match="id"):
        registry().encode(result)


# ── other types ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("anna", USER_ANNA),
        (ANNA, USER_ANNA),
        (PEER_ANNA, USER_ANNA),
        (USER_ANNA, USER_ANNA),
        ("me", api.InputUserSelf()),
        (
            api.InputPeerUserFromMessage(peer="news", msg_id=3, user_id=BEN),
            api.InputUserFromMessage(peer=PEER_NEWS, msg_id=3, user_id=BEN),
        ),
    ],
    ids=repr,
)
def test_input_users_and_vectors(peers: Peers, written: Any, wanted: Any) -> None:
    assert cast(peers, api.users.GetFullUser(id=written)).id == wanted
    assert cast(peers, api.users.GetUsers(id=[written, "me"])).id == [wanted, api.InputUserSelf()]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("news", CHANNEL_NEWS),
        (NEWS_MARKED, CHANNEL_NEWS),
        (PEER_NEWS, CHANNEL_NEWS),
        (CHANNEL_NEWS, CHANNEL_NEWS),
        (channel(NEWS, 33), CHANNEL_NEWS),
        (
            api.InputPeerChannelFromMessage(peer="anna", msg_id=3, channel_id=9),
            api.InputChannelFromMessage(peer=PEER_ANNA, msg_id=3, channel_id=9),
        ),
    ],
    ids=repr,
)
def test_input_channels(peers: Peers, written: Any, wanted: Any) -> None:
    assert cast(peers, api.channels.JoinChannel(channel=written)).channel == wanted


def test_the_wrong_kind_of_peer_is_refused(peers: Peers) -> None:
    with pytest.raises(PeerNotFound, match="'news' is no user"):
        peers.cast(api.users.GetFullUser(id="news"))
    with pytest.raises(PeerNotFound, match="'anna' is no channel"):
        peers.cast(api.channels.JoinChannel(channel="anna"))
    with pytest.raises(PeerNotFound, match="-77 is no channel"):
        peers.cast(api.channels.JoinChannel(channel=-CLUB))


def test_input_dialog_peers(peers: Peers) -> None:
    folder = api.InputDialogPeerFolder(folder_id=1)
    ready = api.InputDialogPeer(peer=PEER_NEWS)
    request = api.messages.GetPeerDialogs(
        peers=["anna", NEWS_MARKED, folder, api.InputDialogPeer(peer="me"), ready]
    )
    assert cast(peers, request).peers == [
        api.InputDialogPeer(peer=PEER_ANNA),
        ready,
        folder,
        api.InputDialogPeer(peer=api.InputPeerSelf()),
        ready,
    ]


def test_input_notify_peers(peers: Peers) -> None:
    assert cast(peers, api.account.GetNotifySettings(peer="anna")).peer == api.InputNotifyPeer(
        peer=PEER_ANNA
    )
    everybody = api.InputNotifyUsers()
    assert cast(peers, api.account.GetNotifySettings(peer=everybody)).peer is everybody


def test_input_messages(peers: Peers) -> None:
    pinned = api.InputMessagePinned()
    request = api.messages.GetMessages(id=[5, MESSAGE, pinned])
    assert cast(peers, request).id == [
        api.InputMessageID(id=5),
        api.InputMessageID(id=5),
        pinned,
    ]


def test_photos_and_documents(peers: Peers) -> None:
    photo = api.Photo(
        id=1, access_hash=2, file_reference=b"r", date=0, sizes=[], dc_id=2, has_stickers=False
    )
    request = api.messages.SaveGif(
        id=api.Document(
            id=3,
            access_hash=4,
            file_reference=b"s",
            date=0,
            mime_type="image/gif",
            size=1,
            dc_id=2,
            attributes=[],
        ),
        unsave=False,
    )
    assert cast(peers, request).id == api.InputDocument(id=3, access_hash=4, file_reference=b"s")
    assert cast(peers, api.photos.UpdateProfilePhoto(id=photo)).id == api.InputPhoto(
        id=1, access_hash=2, file_reference=b"r"
    )
    ready = api.InputDocumentEmpty()
    assert cast(peers, api.messages.SaveGif(id=ready, unsave=False)).id is ready
    given = api.InputPhotoEmpty()
    assert cast(peers, api.photos.UpdateProfilePhoto(id=given)).id is given


# ── depth ────────────────────────────────────────────────────────────────────────────────────────


def test_peers_are_converted_at_any_depth(peers: Peers) -> None:
    request = api.InvokeWithLayer(
        layer=232,
        query=api.messages.SendMessage(
            peer="me",
            message="@anna",
            reply_to=api.InputReplyToMessage(reply_to_msg_id=1, reply_to_peer_id="news"),
            entities=[
                api.MessageEntityBold(offset=0, length=1),
                api.InputMessageEntityMentionName(offset=0, length=5, user_id="anna"),
            ],
            reply_markup=api.ReplyInlineMarkup(
                rows=[
                    api.KeyboardInlineButtonRow(
                        buttons=[
                            api.KeyboardInlineButton(
                                text="x", type=api.InputInlineButtonTypeUserProfile(user_id=ANNA)
                            )
                        ]
                    )
                ]
            ),
            random_id=5,
        ),
    )
    before = repr(request)
    result = cast(peers, request).query
    assert result.peer == api.InputPeerSelf()
    assert result.reply_to.reply_to_peer_id == PEER_NEWS
    assert result.entities[1].user_id == USER_ANNA
    assert result.reply_markup.rows[0].buttons[0].type.user_id == USER_ANNA
    assert repr(request) == before, "the caller's request is left as it was"


def test_a_request_without_anything_to_convert_is_passed_on_as_it_is(peers: Peers) -> None:
    for request in (
        api.help.GetConfig(),
        read(PEER_ANNA),
        api.messages.GetMessages(id=[api.InputMessageID(id=1)]),
    ):
        assert cast(peers, request) is request


# ── random_id ────────────────────────────────────────────────────────────────────────────────────


def test_a_missing_random_id_is_made_up(peers: Peers) -> None:
    request = api.messages.SendMessage(peer="me", message="x")
    assert cast(peers, request).random_id == 1
    assert cast(peers, request).random_id == 2
    assert request.random_id == 0
    assert cast(peers, api.messages.SendMessage(peer="me", message="x", random_id=9)).random_id == 9


def test_one_random_id_for_each_message_that_is_forwarded(peers: Peers) -> None:
    request = api.messages.ForwardMessages(from_peer="me", id=[4, 5, 6], to_peer="anna")
    assert cast(peers, request).random_id == [1, 2, 3]
    assert request.random_id == []


def test_random_ids_inside(peers: Peers) -> None:
    media = api.InputMediaDice(emoticon="x")
    request = api.messages.SendMultiMedia(
        peer="me",
        multi_media=[
            api.InputSingleMedia(media=media, message=""),
            api.InputSingleMedia(media=media, message="", random_id=8),
        ],
    )
    assert [item.random_id for item in cast(peers, request).multi_media] == [1, 8]


def test_a_random_id_of_32_bits(peers: Peers) -> None:
    request = api.phone.RequestCall(
        user_id="anna",
        g_a_hash=bytes(32),
        protocol=api.PhoneCallProtocol(min_layer=65, max_layer=92, library_versions=[]),
    )
    assert cast(peers, request).random_id == 1


def test_a_random_id_is_never_zero(session: MemorySession) -> None:
    numbers = iter([bytes(8), bytes(8), b"\xff" * 8])
    peers = Peers(session, Server(), lambda _: next(numbers))
    assert cast(peers, api.messages.SendMessage(peer="me", message="x")).random_id == -1


# ── asking the server ────────────────────────────────────────────────────────────────────────────


async def test_an_unknown_username_is_asked_about_once(peers: Peers, server: Server) -> None:
    wanted = api.InputPeerUser(user_id=BEN, access_hash=22)
    assert (await resolve(peers, read("@Ben"))).peer == wanted
    assert (await resolve(peers, read("ben"))).peer == wanted
    assert (await resolve(peers, read(BEN))).peer == wanted
    assert server.asked == ["ben"]


async def test_an_unknown_phone_number_is_asked_about_once(peers: Peers, server: Server) -> None:
    wanted = api.InputPeerUser(user_id=BEN, access_hash=22)
    assert (await resolve(peers, read("+999660002"))).peer == wanted
    assert (await resolve(peers, read("999660002"))).peer == wanted
    assert server.asked == ["999660002"]


async def test_those_who_ask_at_the_same_time_share_the_answer(
    peers: Peers, server: Server
) -> None:
    requests = [read("ben"), read("BEN"), api.users.GetUsers(id=["ben", "anna", "t.me/ben"])]
    results = await asyncio.gather(*(resolve(peers, request) for request in requests))
    assert results[2].id[0] == api.InputUser(user_id=BEN, access_hash=22)
    assert server.asked == ["ben"]


async def test_several_names_are_asked_about_together(peers: Peers, server: Server) -> None:
    request = api.messages.GetPeerDialogs(peers=["ben", "talk", "anna"])
    result = await resolve(peers, request)
    assert result.peers[1].peer == api.InputPeerChannel(channel_id=9, access_hash=99)
    assert sorted(server.asked) == ["ben", "talk"]


async def test_every_wanted_type_can_be_asked_about(peers: Peers) -> None:
    result = await resolve(peers, api.channels.JoinChannel(channel="talk"))
    assert result.channel == api.InputChannel(channel_id=9, access_hash=99)
    result = await resolve(peers, api.account.GetNotifySettings(peer="ben"))
    assert result.peer.peer.user_id == BEN


async def test_one_who_gives_up_does_not_spoil_it_for_the_others(
    peers: Peers, server: Server
) -> None:
    one = asyncio.ensure_future(resolve(peers, read("ben")))
    other = asyncio.ensure_future(resolve(peers, read("ben")))
    await asyncio.sleep(0)
    one.cancel()
    assert (await other).peer.user_id == BEN
    assert one.cancelled()
    assert server.asked == ["ben"]


@pytest.mark.parametrize(
    ("name", "message", "reason"),
    [
        ("ben", "USERNAME_NOT_OCCUPIED", "nobody has the username @ben"),
        ("ben", "USERNAME_INVALID", "nobody has the username @ben"),
        ("+999660002", "PHONE_NOT_OCCUPIED", r"phone number \+999660002"),
    ],
)
async def test_nobody_by_that_name(
    peers: Peers, server: Server, name: str, message: str, reason: str
) -> None:
    server.error = errors.rpc_error(400, message)
    with pytest.raises(PeerNotFound, match=reason):
        await resolve(peers, read(name))
    server.error = None
    assert (await resolve(peers, read(name))).peer.user_id == BEN, "a failure is not remembered"


async def test_other_errors_come_through(peers: Peers, server: Server) -> None:
    server.error = errors.rpc_error(401, "AUTH_KEY_UNREGISTERED")
    with pytest.raises(errors.AuthKeyUnregistered):
        await resolve(peers, read("ben"))


# ── learning ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "result",
    [
        [user(BEN, 22)],
        user(BEN, 22),
        api.auth.Authorization(user=user(BEN, 22)),
        api.auth.SentCodeSuccess(authorization=api.auth.Authorization(user=user(BEN, 22))),
        api.contacts.ResolvedPeer(peer=api.PeerUser(user_id=BEN), users=[user(BEN, 22)], chats=[]),
        api.messages.Messages(messages=[], topics=[], chats=[], users=[user(BEN, 22)]),
        api.Updates(updates=[], users=[user(BEN, 22)], chats=[], date=0, seq=0),
        api.messages.InvitedUsers(
            updates=api.Updates(updates=[], users=[user(BEN, 22)], chats=[], date=0, seq=0),
            missing_invitees=[],
        ),
    ],
    ids=lambda result: type(result).__qualname__,
)
def test_users_are_learned_from_results(peers: Peers, session: MemorySession, result: Any) -> None:
    peers.learn(result)
    assert session.by_id(BEN) == PeerRecord(BEN, 22)


def test_channels_are_learned(peers: Peers, session: MemorySession) -> None:
    forbidden = api.ChannelForbidden(id=8, access_hash=88, title="x")
    peers.learn(api.messages.Chats(chats=[channel(9, 99, username="Talk"), forbidden]))
    assert session.by_username("talk") == PeerRecord(-1000000000009, 99, ("talk",))
    assert session.by_id(-1000000000008) == PeerRecord(-1000000000008, 88)


def test_all_active_usernames_are_learned(peers: Peers, session: MemorySession) -> None:
    names = [
        api.Username(username="Ben", active=True),
        api.Username(username="ben2", active=True),
        api.Username(username="old", active=False),
    ]
    peers.learn([user(BEN, 22, username="Ben", usernames=names, phone="999660002")])
    assert session.by_id(BEN) == PeerRecord(BEN, 22, ("ben", "ben2"), "999660002")
    assert session.by_username("old") is None


def test_hashes_of_min_objects_are_not_learned(peers: Peers, session: MemorySession) -> None:
    before = session.peers
    peers.learn([user(ANNA, 999, min=True), user(BEN, None), channel(NEWS, 999, min=True)])
    assert session.peers == before


@pytest.mark.parametrize(
    "result",
    [
        True,
        [1, 2],
        [],
        None,
        api.help.GetConfig(),
        api.messages.DialogFilters(filters=[]),
        api.ChatInviteAlready(
            chat=api.Chat(
                id=1, title="x", photo=api.ChatPhotoEmpty(), participants_count=1, date=0, version=1
            )
        ),
        api.help.TermsOfServiceUpdateEmpty(expires=0),
    ],
    ids=repr,
)
def test_other_results_teach_nothing(peers: Peers, session: MemorySession, result: Any) -> None:
    before = session.peers
    peers.learn(result)
    assert session.peers == before


# ── groups that became supergroups, and people known by a message only ───────────────────────────


def group(**more: Any) -> api.Chat:
    photo = api.ChatPhotoEmpty()
    return api.Chat(
        id=CLUB, title="x", photo=photo, participants_count=1, date=0, version=1, **more
    )


def test_where_a_group_has_moved_is_learned(peers: Peers, session: MemorySession) -> None:
    moved = group(migrated_to=api.InputChannel(channel_id=9, access_hash=99))
    peers.learn(api.messages.Chats(chats=[moved]))
    assert session.by_id(-1000000000009) == PeerRecord(-1000000000009, 99)
    assert cast(peers, read(moved)).peer == api.InputPeerChat(chat_id=CLUB)


def test_a_supergroup_keeps_its_names_when_its_old_group_is_met(
    peers: Peers, session: MemorySession
) -> None:
    moved = group(migrated_to=api.InputChannel(channel_id=9, access_hash=99))
    room = channel(9, 99, username="room")
    for chats in ([moved, room], [room, moved], [moved]):
        peers.learn(api.messages.Chats(chats=chats))
        known = session.by_username("room")
        assert known is not None
        assert known.marked_id == -1000000000009


@pytest.mark.parametrize("moved_to", [None, api.InputChannelEmpty()])
def test_a_group_that_has_not_moved(
    peers: Peers, session: MemorySession, moved_to: api.TypeInputChannel | None
) -> None:
    before = session.peers
    peers.learn(api.messages.Chats(chats=[group(migrated_to=moved_to)]))
    assert session.peers == before


def test_who_is_min_is_addressed_by_a_message(peers: Peers) -> None:
    """C0.1.2: whichever result or update brings the message; the newest counts."""
    stranger = user(777, 5, min=True)
    come = {"users": [stranger], "chats": []}

    def said(msg_id: int) -> api.Message:
        return api.Message(
            id=msg_id,
            peer_id=api.PeerChannel(channel_id=NEWS),
            from_id=api.PeerUser(user_id=777),
            date=0,
            message="x",
        )

    def update(msg_id: int) -> api.UpdateNewChannelMessage:
        return api.UpdateNewChannelMessage(message=said(msg_id), pts=1, pts_count=1)

    with pytest.raises(PeerNotFound):
        peers.input_peer(777)
    for result, msg_id in (
        (api.messages.ChannelMessages(pts=1, count=1, messages=[said(1)], topics=[], **come), 1),
        (api.Updates(updates=[update(2)], date=0, seq=0, **come), 2),
        (
            api.updates.ChannelDifference(
                pts=1, new_messages=[said(3)], other_updates=[], final=True, **come
            ),
            3,
        ),
        (
            api.messages.InvitedUsers(
                updates=api.Updates(updates=[update(4)], date=0, seq=0, **come),
                missing_invitees=[],
            ),
            4,
        ),
    ):
        peers.learn(result)
        wanted = api.InputPeerUserFromMessage(peer=PEER_NEWS, msg_id=msg_id, user_id=777)
        assert cast(peers, read(777)).peer == wanted
        assert cast(peers, read(stranger)).peer == wanted
    request = api.channels.InviteToChannel(channel="news", users=[777])
    assert cast(peers, request).users == [
        api.InputUserFromMessage(peer=PEER_NEWS, msg_id=4, user_id=777)
    ]
    peers.learn([user(777, 55)])
    assert cast(peers, read(777)).peer == api.InputPeerUser(user_id=777, access_hash=55)


def test_who_is_min_in_a_private_chat_is_not_addressed_by_it(peers: Peers) -> None:
    peers.learn(
        api.messages.Messages(
            messages=[MESSAGE], topics=[], chats=[], users=[user(BEN, 5, min=True)]
        )
    )
    with pytest.raises(PeerNotFound):
        peers.input_peer(BEN)


def test_messages_of_strangers_do_not_fill_the_memory(
    peers: Peers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radiogram.client.peers.MAX_SEEN", 3)
    for number in range(700, 706):
        said = api.Message(
            id=1,
            peer_id=api.PeerChat(chat_id=CLUB),
            from_id=api.PeerUser(user_id=number),
            date=0,
            message="x",
        )
        peers.learn(
            api.messages.Messages(
                messages=[said], topics=[], chats=[], users=[user(number, 5, min=True)]
            )
        )
    for number in (700, 702):
        with pytest.raises(PeerNotFound):
            peers.input_peer(number)
    assert peers.input_peer(703).peer == api.InputPeerChat(chat_id=CLUB)


@pytest.mark.parametrize("access_hash", [0, None])
def test_a_channel_without_a_hash_is_looked_up(
    peers: Peers, session: MemorySession, access_hash: int | None
) -> None:
    forbidden = api.ChannelForbidden(id=NEWS, access_hash=0, title="x")
    peers.learn(api.messages.Chats(chats=[forbidden]))
    assert cast(peers, read(forbidden)).peer == PEER_NEWS
    assert cast(peers, read(channel(NEWS, access_hash))).peer == PEER_NEWS
