"""Supergroups and channels: made, read, named, switched and deleted (C5, B8.1, C0.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radiogram.server import message_store
from radiogram.server.rpc import RpcFault
from radiogram.server.tables import users
from radiogram.tl import api
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds

KINDS = ("megagroup", "broadcast")
channels = api.channels


def make(stage: Stage, kind: str, *others: int, **options: Any) -> int:
    return stage.channel(stage.ann, *others, **{kind: True}, **options)


def do(stage: Stage, who: int, method: Any, channel: int, **fields: Any) -> Any:
    return stage.call(who, method(channel=stage.input_channel(who, channel), **fields))


def full(stage: Stage, who: int, channel: int) -> Any:
    found = do(stage, who, channels.GetFullChannel, channel)
    assert channel in {chat.id for chat in found.chats}
    return found.full_chat


def chat_of(stage: Stage, who: int, channel: int) -> Any:
    where = stage.input_channel(who, channel)
    (chat,) = stage.call(who, channels.GetChannels(id=[where])).chats
    return chat


def actions(updates: list[Any]) -> list[Any]:
    new = [update for update in updates if isinstance(update, api.UpdateNewChannelMessage)]
    return [
        update.message.action for update in new if isinstance(update.message, api.MessageService)
    ]


# ------------------------------------------------------------------ made and deleted


@pytest.mark.parametrize("kind", [*KINDS, "forum"])
def test_c5_a_channel_is_made(stage: Stage, kind: str) -> None:
    request = channels.CreateChannel(title=" News ", about=" what is new ", **{kind: True})
    result = stage.call(stage.ann, request)
    first, second = result.updates
    (chat,) = result.chats
    assert first == api.UpdateChannel(channel_id=chat.id)
    assert second.message.id == 1
    assert second.message.action == api.MessageActionChannelCreate(title="News")
    assert (second.pts, second.pts_count) == (2, 1)
    assert second.message.post == (kind == "broadcast")
    assert (chat.title, chat.creator, chat.left, chat.participants_count) == (
        "News",
        True,
        False,
        1,
    )
    assert (chat.broadcast, chat.megagroup, chat.forum) == (
        kind == "broadcast",
        kind != "broadcast",
        kind == "forum",
    )
    assert chat.admin_rights.add_admins
    assert kinds(stage.pushes(stage.ann)) == ["UpdateChannel", "UpdateNewChannelMessage"]
    stage.chats[chat.id] = chat
    assert full(stage, stage.ann, chat.id).about == "what is new"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": " "}, "CHAT_TITLE_EMPTY"),
        ({"about": "a" * 256}, "CHAT_ABOUT_TOO_LONG"),
        ({"ttl_period": 86400}, "TTL_PERIOD_INVALID"),
        (
            {"address": "here", "geo_point": api.InputGeoPoint(lat=1.0, long=2.0)},
            "ADDRESS_INVALID",
        ),
        ({"megagroup": True, "broadcast": True}, "CHAT_INVALID"),
    ],
)
def test_c5_faults_of_making_a_channel(stage: Stage, fields: Any, message: str) -> None:
    with fault(message):
        stage.call(stage.ann, channels.CreateChannel(**{"title": "T", "about": "", **fields}))


def test_c5_bots_make_and_delete_no_channels(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bot)
    with fault("BOT_METHOD_INVALID"):
        stage.call(stage.bot, channels.CreateChannel(title="T", about=""))
    with fault("BOT_METHOD_INVALID"):
        do(stage, stage.bot, channels.DeleteChannel, room)


@pytest.mark.parametrize("kind", KINDS)
def test_c5_a_deleted_channel_is_gone_for_everybody(stage: Stage, kind: str) -> None:
    room = make(stage, kind, stage.bob, stage.eve)
    stage.publish(stage.ann, room)
    stage.go_offline(stage.eve)
    result = do(stage, stage.ann, channels.DeleteChannel, room)
    assert result.updates == [api.UpdateChannel(channel_id=room)]
    assert isinstance(result.chats[0], api.ChannelForbidden)
    assert stage.pushed_to() == {stage.ann, stage.bob}
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    for who in (stage.ann, stage.bob, stage.eve, stage.bot):
        with fault("CHANNEL_PRIVATE"):
            do(stage, who, channels.GetFullChannel, room)
        assert isinstance(chat_of(stage, who, room), api.ChannelForbidden)
    with fault("USERNAME_NOT_OCCUPIED"):
        stage.call(stage.bob, api.contacts.ResolveUsername(username="roomname"))
    other = make(stage, kind)
    stage.publish(stage.ann, other)  # the name is free again


def test_c5_who_may_delete_a_channel(make_stage: MakeStage) -> None:
    stage = make_stage(channel_delete_max=2)
    room = make(stage, "megagroup", stage.bob)
    stage.publish(stage.ann, room)
    stage.promote(stage.ann, room, stage.bob, change_info=True, add_admins=True)
    with fault("CHAT_ADMIN_REQUIRED"):
        do(stage, stage.bob, channels.DeleteChannel, room)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        do(stage, stage.eve, channels.DeleteChannel, room)
    assert full(stage, stage.ann, room).can_delete_channel
    stage.join(stage.eve, room)
    with fault("CHANNEL_TOO_LARGE", 406):
        do(stage, stage.ann, channels.DeleteChannel, room)
    assert not full(stage, stage.ann, room).can_delete_channel


# ------------------------------------------------------------------ reading


def test_c0_1_3_channels_by_id(stage: Stage) -> None:
    public = make(stage, "broadcast")
    stage.publish(stage.ann, public)
    private = make(stage, "megagroup", title="Secret")
    where = [stage.input_channel(stage.eve, number) for number in (public, private)]
    found = stage.call(stage.eve, channels.GetChannels(id=where)).chats
    assert [type(chat).__name__ for chat in found] == ["Channel", "ChannelForbidden"]
    assert (found[0].left, found[0].creator, found[0].admin_rights) == (True, False, None)
    with fault("CHANNEL_INVALID"):
        stage.call(stage.eve, channels.GetChannels(id=[stage.input_channel(stage.ann, public)]))
    with fault("CHANNEL_INVALID"):
        stage.call(stage.eve, channels.GetChannels(id=[api.InputChannelEmpty()]))
    with fault("CHANNEL_INVALID"):
        stage.call(stage.eve, channels.GetChannels(id=where * 101))
    assert stage.call(stage.eve, channels.GetChannels(id=[])).chats == []


def test_c5_all_about_a_supergroup(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve, stage.bot)
    stage.go_offline(stage.eve)
    first = stage.send(stage.ann, room, "first")
    second = stage.send(stage.ann, room, "second")
    seen = full(stage, stage.bob, room)
    assert (seen.participants_count, seen.online_count) == (4, 2)
    assert (seen.can_view_participants, seen.can_set_username, seen.can_delete_channel) == (
        True,
        False,
        False,
    )
    assert (seen.read_inbox_max_id, seen.unread_count, seen.pts) == (1, 3, 5)
    assert (seen.admins_count, seen.kicked_count, seen.exported_invite) == (None, None, None)
    assert [bot.user_id for bot in seen.bot_info] == [stage.bot]
    assert (seen.pinned_msg_id, seen.available_min_id, seen.slowmode_seconds) == (None, None, None)
    do(stage, stage.bob, channels.ReadHistory, room, max_id=first)
    seen = full(stage, stage.bob, room)
    assert (seen.read_inbox_max_id, seen.unread_count) == (first, 1)
    mine = full(stage, stage.ann, room)
    assert (mine.read_outbox_max_id, mine.unread_count) == (first, 0)
    assert (mine.admins_count, mine.kicked_count, mine.banned_count) == (1, 0, 0)
    assert (mine.can_set_username, mine.can_delete_channel) == (True, True)
    assert mine.exported_invite.permanent
    stage.ban(stage.ann, room, stage.eve, view_messages=True)
    stage.ban(stage.ann, room, stage.bot, send_messages=True)
    stage.promote(stage.ann, room, stage.bob, other=True)
    seen = full(stage, stage.bob, room)
    assert (seen.admins_count, seen.kicked_count, seen.banned_count) == (2, 1, 1)
    assert seen.exported_invite is None  # not without the right to invite
    assert second > first


def test_c5_all_about_a_channel_is_less(stage: Stage) -> None:
    room = make(stage, "broadcast", stage.bob, stage.bot)
    seen = full(stage, stage.bob, room)
    assert (seen.can_view_participants, seen.online_count, seen.bot_info) == (False, None, [])
    assert full(stage, stage.ann, room).can_view_participants


def test_c0_1_3_a_stranger_reads_about_a_public_channel(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.send(stage.ann, room)
    with fault("CHANNEL_PRIVATE"):
        full(stage, stage.eve, room)
    stage.publish(stage.ann, room)
    seen = full(stage, stage.eve, room)
    assert (seen.unread_count, seen.read_inbox_max_id, seen.exported_invite) == (0, 0, None)
    assert (seen.admins_count, seen.requests_pending) == (None, None)
    assert full(stage, stage.bot, room).participants_count == 2


def test_b8_1_the_newest_pin_that_one_may_see(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    first, second = (stage.send(stage.ann, room) for _ in range(2))
    with stage.world.db.begin() as tx:
        message_store.set_pinned(tx, -room, [first, second], True)
    assert full(stage, stage.bob, room).pinned_msg_id == second
    do(stage, stage.bob, channels.DeleteHistory, room, max_id=second)
    seen = full(stage, stage.bob, room)
    assert (seen.pinned_msg_id, seen.available_min_id) == (None, second + 1)
    assert full(stage, stage.ann, room).pinned_msg_id == second


def test_c5_slow_mode_says_when_one_may_write(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    do(stage, stage.ann, channels.ToggleSlowMode, room, seconds=60)
    assert chat_of(stage, stage.bob, room).slowmode_enabled
    seen = full(stage, stage.bob, room)
    assert (seen.slowmode_seconds, seen.slowmode_next_send_date) == (60, None)
    stage.send(stage.bob, room)
    assert full(stage, stage.bob, room).slowmode_next_send_date == NOON + 60
    with fault("SLOWMODE_WAIT_60", 420):
        stage.send(stage.bob, room)
    stage.send(stage.ann, room)
    assert full(stage, stage.ann, room).slowmode_next_send_date is None
    stage.world.clock.freeze(NOON + 60)
    assert full(stage, stage.bob, room).slowmode_next_send_date is None


def test_b6_17_a_migrated_group_is_named(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    stage.send(stage.bob, stage.eve)  # so that ids differ
    stage.send(stage.ann, group)
    updates = stage.call(stage.ann, api.messages.MigrateChat(chat_id=group))
    (room,) = {chat.id for chat in updates.chats if isinstance(chat, api.Channel)}
    stage.chats[room] = next(chat for chat in updates.chats if chat.id == room)
    for who in (stage.ann, stage.bob):
        seen = full(stage, who, room)
        assert seen.migrated_from_chat_id == group
        last = stage.history(who, group).messages[0].id
        assert seen.migrated_from_max_id == last


# ------------------------------------------------------------------ titles


@pytest.mark.parametrize("kind", KINDS)
def test_c5_a_new_title_is_told(stage: Stage, kind: str) -> None:
    room = make(stage, kind, stage.bob)
    result = do(stage, stage.ann, channels.EditTitle, room, title=" Other ")
    said = [api.MessageActionChatEditTitle(title="Other")]
    assert actions(result.updates) == said == actions(stage.pushes(stage.bob))
    assert kinds(stage.pushes(stage.bob)) == ["UpdateChannel", "UpdateNewChannelMessage"]
    assert result.chats[0].title == "Other"
    assert chat_of(stage, stage.bob, room).title == "Other"
    with fault("CHAT_NOT_MODIFIED"):
        do(stage, stage.ann, channels.EditTitle, room, title="Other")
    with fault("CHAT_TITLE_EMPTY"):
        do(stage, stage.ann, channels.EditTitle, room, title="  ")


@pytest.mark.parametrize("kind", KINDS)
def test_c5_there_are_no_pictures(stage: Stage, kind: str) -> None:
    room = make(stage, kind)
    with fault("CHAT_NOT_MODIFIED"):
        do(stage, stage.ann, channels.EditPhoto, room, photo=api.InputChatPhotoEmpty())
    with fault("PHOTO_INVALID"):
        photo = api.InputChatPhoto(id=api.InputPhotoEmpty())
        do(stage, stage.ann, channels.EditPhoto, room, photo=photo)


def test_c5_the_description_is_told(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    peer = stage.input_peer(stage.ann, room)
    assert stage.call(stage.ann, api.messages.EditChatAbout(peer=peer, about="new"))
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    assert full(stage, stage.bob, room).about == "new"


# ------------------------------------------------------------------ names


@pytest.mark.parametrize("kind", KINDS)
def test_c5_a_channel_becomes_public_and_private(stage: Stage, kind: str) -> None:
    room = make(stage, kind, stage.bob)
    stage.publish(stage.ann, room, "NewsRoom")
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    assert stage.pushed_to() == {stage.ann, stage.bob}
    found = stage.call(stage.eve, api.contacts.ResolveUsername(username="newsroom"))
    assert found.peer == api.PeerChannel(channel_id=room)
    assert (found.chats[0].username, found.chats[0].left) == ("NewsRoom", True)
    stage.history(stage.eve, room)
    with fault("USERNAME_NOT_MODIFIED"):
        stage.publish(stage.ann, room, "NewsRoom")
    stage.publish(stage.ann, room, "newsroom")  # another case is another name
    stage.publish(stage.ann, room, "")
    assert chat_of(stage, stage.bob, room).username is None
    with fault("USERNAME_NOT_OCCUPIED"):
        stage.call(stage.eve, api.contacts.ResolveUsername(username="newsroom"))
    with fault("CHANNEL_PRIVATE"):
        stage.history(stage.eve, room)
    with fault("USERNAME_NOT_MODIFIED"):
        stage.publish(stage.ann, room, "")


def test_c2_users_and_channels_share_one_space_of_names(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    check = lambda name: do(stage, stage.ann, channels.CheckUsername, room, username=name)  # noqa: E731
    for taken in ("annie", "ANNIE", "botty_bot"):
        assert not check(taken)
        with fault("USERNAME_OCCUPIED"):
            stage.publish(stage.ann, room, taken)
    for wrong in ("abc", "1abcde", "a b c d", "ab__é", "x" * 33):
        with fault("USERNAME_INVALID"):
            check(wrong)
        with fault("USERNAME_INVALID"):
            stage.publish(stage.ann, room, wrong)
    assert check("newsroom")
    stage.publish(stage.ann, room, "NewsRoom")
    assert check("newsroom")  # it is its own
    assert not stage.call(stage.bob, api.account.CheckUsername(username="newsroom"))
    with fault("USERNAME_OCCUPIED"):
        stage.call(stage.bob, api.account.UpdateUsername(username="newsroom"))
    with fault("USERNAME_OCCUPIED"):
        other = make(stage, "broadcast")
        stage.publish(stage.ann, other, "NEWSROOM")
    with pytest.raises(Exception, match="taken"):
        stage.world.add_user("9996624444", "Tim", username="newsroom")
    stage.publish(stage.ann, room, "")
    stage.call(stage.bob, api.account.UpdateUsername(username="newsroom"))
    assert not check("newsroom")
    empty = channels.CheckUsername(channel=api.InputChannelEmpty(), username="newsroom")
    assert not stage.call(stage.ann, empty)


def test_c5_only_some_channels_can_be_public(make_stage: MakeStage) -> None:
    stage = make_stage(channels_public_max=1)
    room, other = make(stage, "megagroup"), make(stage, "broadcast")
    get = channels.GetAdminedPublicChannels
    assert stage.call(stage.ann, get(check_limit=True)).chats == []
    stage.publish(stage.ann, room)
    for name in ("nextroom", "annie"):
        with fault("CHANNELS_ADMIN_PUBLIC_TOO_MUCH"):
            do(stage, stage.ann, channels.CheckUsername, other, username=name)
        request = channels.CheckUsername(channel=api.InputChannelEmpty(), username=name)
        with fault("CHANNELS_ADMIN_PUBLIC_TOO_MUCH"):
            stage.call(stage.ann, request)
    with fault("CHANNELS_ADMIN_PUBLIC_TOO_MUCH"):
        stage.publish(stage.ann, other, "nextroom")
    assert do(stage, stage.ann, channels.CheckUsername, room, username="nextroom")
    stage.publish(stage.ann, room, "nextroom")
    assert [chat.id for chat in stage.call(stage.ann, get()).chats] == [room]
    assert stage.call(stage.ann, get(for_personal=True)).chats == []
    assert stage.call(stage.ann, get(by_location=True)).chats == []
    assert stage.call(stage.bob, get()).chats == []
    with fault("CHANNELS_ADMIN_PUBLIC_TOO_MUCH"):
        stage.call(stage.ann, get(check_limit=True))


def test_c2_search_finds_channels(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, title="Gardeners of Rome")
    news = make(stage, "broadcast", title="Secret garden")
    stage.publish(stage.ann, news, "gardenews")
    group = stage.group(stage.ann, stage.bob, title="Our garden")

    def search(who: int, q: str, **options: bool) -> tuple[list[Any], list[Any]]:
        found = stage.call(who, api.contacts.Search(q=q, limit=10, **options))
        listed = {chat.id for chat in found.chats} | {user.id for user in found.users}
        both = []
        for peers in (found.my_results, found.results):
            numbers = [
                getattr(p, "channel_id", 0) or getattr(p, "chat_id", 0) or p.user_id for p in peers
            ]
            assert set(numbers) <= listed
            both.append(sorted(numbers))
        return both[0], both[1]

    assert search(stage.bob, "garden") == (sorted((room, group)), [news])
    assert search(stage.ann, "garden") == (sorted((room, group, news)), [])
    assert search(stage.eve, "garden") == ([], [news])  # no private one is found
    assert search(stage.bob, "garden", broadcasts=True) == ([], [news])
    assert search(stage.bob, "garden", bots=True) == ([], [])
    assert search(stage.eve, "ga") == ([], [])
    stage.join(stage.eve, news)
    stage.ban(stage.ann, news, stage.eve, view_messages=True)
    assert search(stage.eve, "garden") == ([], [])


# ------------------------------------------------------------------ links


def test_c5_links_to_messages(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    sent = stage.send(stage.ann, room)
    link = do(stage, stage.bob, channels.ExportMessageLink, room, id=sent)
    assert (link.link, link.html) == (f"https://t.me/c/{room}/{sent}", "")
    stage.publish(stage.ann, room)
    link = do(stage, stage.eve, channels.ExportMessageLink, room, id=sent, thread=True)
    assert link.link == f"https://t.me/roomname/{sent}"
    assert f'data-telegram-post="roomname/{sent}"' in link.html
    for wrong in (0, -1, 1, sent + 1, 2**31 - 1):  # 1 is a message of service
        with fault("MESSAGE_ID_INVALID"):
            do(stage, stage.bob, channels.ExportMessageLink, room, id=wrong)
    do(stage, stage.bob, channels.DeleteHistory, room, max_id=sent)
    with fault("MESSAGE_ID_INVALID"):
        do(stage, stage.bob, channels.ExportMessageLink, room, id=sent)


def test_c5_links_into_topics(stage: Stage) -> None:
    room = make(stage, "forum")
    sent = stage.send(stage.ann, room)
    link = do(stage, stage.ann, channels.ExportMessageLink, room, id=sent, thread=True)
    assert link.link == f"https://t.me/c/{room}/1/{sent}"


# ------------------------------------------------------------------ switches


SWITCHES: dict[str, tuple[str | None, str, Any, dict[str, Any], dict[str, Any]]] = {
    "signatures": (
        "change_info", "broadcast", channels.ToggleSignatures,
        {"signatures_enabled": True}, {},
    ),
    "profiles": (
        "change_info", "broadcast", channels.ToggleSignatures,
        {"signatures_enabled": True, "profiles_enabled": True}, {},
    ),
    "slow mode": (
        "ban_users", "megagroup", channels.ToggleSlowMode, {"seconds": 30}, {"seconds": 0},
    ),
    "prehistory": (
        "change_info", "megagroup", channels.TogglePreHistoryHidden,
        {"enabled": True}, {"enabled": False},
    ),
    "join to send": (
        "ban_users", "megagroup", channels.ToggleJoinToSend, {"enabled": True}, {"enabled": False},
    ),
    "members": (
        "ban_users", "megagroup", channels.ToggleParticipantsHidden,
        {"enabled": True}, {"enabled": False},
    ),
    "forum": (
        None, "megagroup", channels.ToggleForum,
        {"enabled": True, "tabs": True}, {"enabled": False, "tabs": False},
    ),
}  # fmt: skip
"""Right, kind, method, how it is turned on, and off."""


@pytest.mark.parametrize("name", SWITCHES)
def test_c5_a_switch_is_told_to_everybody(make_stage: MakeStage, name: str) -> None:
    stage = make_stage(hidden_members_min=1)
    _, kind, method, on, off = SWITCHES[name]
    room = make(stage, kind, stage.bob)
    with fault("CHAT_NOT_MODIFIED"):
        do(stage, stage.ann, method, room, **off)
    for fields in (on, off):
        result = do(stage, stage.ann, method, room, **fields)
        assert result.updates == [api.UpdateChannel(channel_id=room)]
        assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
        assert stage.pushed_to() == {stage.ann, stage.bob}
        with fault("CHAT_NOT_MODIFIED"):
            do(stage, stage.ann, method, room, **fields)
    other = make(stage, next(one for one in KINDS if one != kind))
    with fault("CHAT_ID_INVALID"):
        do(stage, stage.ann, method, other, **on)


@pytest.mark.parametrize("name", SWITCHES)
def test_c5_who_may_switch(make_stage: MakeStage, name: str) -> None:
    stage = make_stage(hidden_members_min=1)
    right, kind, method, on, off = SWITCHES[name]
    room = make(stage, kind, stage.bob, stage.bot)
    stage.publish(stage.ann, room)
    stage.publish(stage.ann, room, "")

    def attempt(who: int, fields: Any) -> str:
        try:
            do(stage, who, method, room, **fields)
        except RpcFault as error:
            return error.message
        return "ok"

    assert attempt(stage.bob, on) == "CHAT_ADMIN_REQUIRED"
    assert attempt(stage.bot, on) == "BOT_METHOD_INVALID"
    every = ("change_info", "ban_users", "pin_messages", "add_admins", "delete_messages")
    stage.promote(stage.ann, room, stage.bob, **{other: True for other in every if other != right})
    assert attempt(stage.bob, on) == "CHAT_ADMIN_REQUIRED"
    if right is not None:
        stage.promote(stage.ann, room, stage.bob, **{right: True})
        assert attempt(stage.bob, on) == "ok"
        assert attempt(stage.bob, off) == "ok"
    assert attempt(stage.eve, on) == "CHANNEL_PRIVATE"
    stage.publish(stage.ann, room)
    assert attempt(stage.eve, on) == "CHAT_ADMIN_REQUIRED"


@pytest.mark.parametrize("seconds", [-1, 1, 7, 61, 3601, 2**31 - 1])
def test_c5_slow_mode_has_steps(stage: Stage, seconds: int) -> None:
    room = make(stage, "megagroup")
    with fault("SECONDS_INVALID"):
        do(stage, stage.ann, channels.ToggleSlowMode, room, seconds=seconds)


def test_c5_signatures(stage: Stage) -> None:
    room = make(stage, "broadcast", stage.bob)
    do(stage, stage.ann, channels.ToggleSignatures, room, signatures_enabled=True)
    assert chat_of(stage, stage.bob, room).signatures
    sent = stage.send(stage.ann, room)
    assert stage.message(stage.bob, sent, room).post_author == "Ann"
    fields = {"signatures_enabled": True, "profiles_enabled": True}
    do(stage, stage.ann, channels.ToggleSignatures, room, **fields)
    sent = stage.send(stage.ann, room)
    assert stage.message(stage.bob, sent, room).from_id == api.PeerUser(user_id=stage.ann)
    do(stage, stage.ann, channels.ToggleSignatures, room, profiles_enabled=True)
    chat = chat_of(stage, stage.bob, room)
    assert (chat.signatures, chat.signature_profiles) == (False, False)  # no profile without a name


def test_c5_hidden_prehistory(stage: Stage) -> None:
    room = make(stage, "megagroup")
    before = stage.send(stage.ann, room)
    do(stage, stage.ann, channels.TogglePreHistoryHidden, room, enabled=True)
    stage.invite(stage.ann, room, stage.bob)
    after = stage.send(stage.ann, room)
    assert before not in {message.id for message in stage.history(stage.bob, room).messages}
    seen = full(stage, stage.bob, room)
    assert seen.hidden_prehistory
    assert before < seen.available_min_id <= after
    with fault("MESSAGE_ID_INVALID"):
        do(stage, stage.bob, channels.ExportMessageLink, room, id=before)
    stage.publish(stage.ann, room)  # what is public hides nothing
    assert not full(stage, stage.bob, room).hidden_prehistory
    with fault("CHAT_LINK_EXISTS"):
        do(stage, stage.ann, channels.TogglePreHistoryHidden, room, enabled=True)
    forum = make(stage, "forum")
    with fault("FORUM_ENABLED"):
        do(stage, stage.ann, channels.TogglePreHistoryHidden, forum, enabled=True)


def test_c5_requests_to_join_are_for_public_supergroups(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    toggle = channels.ToggleJoinRequest
    with fault("CHAT_PUBLIC_REQUIRED"):
        do(stage, stage.ann, toggle, room, enabled=True)
    stage.publish(stage.ann, room)
    with fault("BOT_INVALID"):
        guard = stage.input_user(stage.ann, stage.bot)
        do(stage, stage.ann, toggle, room, enabled=True, guard_bot=guard)
    with fault("CHAT_ADMIN_REQUIRED"):
        do(stage, stage.bob, toggle, room, enabled=True)
    do(stage, stage.ann, toggle, room, enabled=True)
    assert chat_of(stage, stage.bob, room).join_request
    with fault("CHAT_NOT_MODIFIED"):
        do(stage, stage.ann, toggle, room, enabled=True)
    stage.publish(stage.ann, room, "")
    assert not chat_of(stage, stage.bob, room).join_request
    with fault("CHAT_ID_INVALID"):
        do(stage, stage.ann, toggle, make(stage, "broadcast"), enabled=True)


def test_c5_small_supergroups_hide_nobody(stage: Stage) -> None:
    room = make(stage, "megagroup")
    with fault("PARTICIPANTS_TOO_FEW"):
        do(stage, stage.ann, channels.ToggleParticipantsHidden, room, enabled=True)


def test_c4_a_supergroup_becomes_a_forum(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    do(stage, stage.ann, channels.ToggleForum, room, enabled=True, tabs=False)
    chat = chat_of(stage, stage.bob, room)
    assert (chat.forum, chat.forum_tabs) == (True, False)
    do(stage, stage.ann, channels.ToggleForum, room, enabled=True, tabs=True)
    assert chat_of(stage, stage.bob, room).forum_tabs
    do(stage, stage.ann, channels.ToggleForum, room, enabled=False, tabs=True)
    chat = chat_of(stage, stage.bob, room)
    assert (chat.forum, chat.forum_tabs) == (False, False)


# ------------------------------------------------------------------ whose name one writes in


def send_as(stage: Stage, who: int, chat: int) -> list[Any]:
    peer = stage.input_peer(who, chat)
    found = stage.call(who, channels.GetSendAs(peer=peer))
    shown = {chat.id for chat in found.chats} | {user.id for user in found.users}
    peers = [one.peer for one in found.peers]
    assert {getattr(p, "channel_id", 0) or p.user_id for p in peers} <= shown
    return peers


def test_c5_in_whose_name_one_can_write(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    news = stage.channel(stage.bob, broadcast=True)
    bob, own = api.PeerUser(user_id=stage.bob), api.PeerChannel(channel_id=news)
    assert send_as(stage, stage.bob, room) == [bob, own]
    stage.promote(stage.ann, room, stage.bob, anonymous=True)
    assert send_as(stage, stage.bob, room) == [api.PeerChannel(channel_id=room), own]
    assert send_as(stage, stage.bob, news) == [own]
    subscribed = make(stage, "broadcast", stage.bob)
    assert send_as(stage, stage.bob, subscribed) == [bob]
    for peer in (api.PeerChannel(channel_id=room), own):
        named = stage.input_peer(stage.bob, peer.channel_id)
        sent = stage.send(stage.bob, room, send_as=named)
        assert stage.message(stage.ann, sent, room).from_id == peer
    group = stage.group(stage.ann, stage.bob)
    assert send_as(stage, stage.bob, group) == [bob]
    with fault("PEER_ID_INVALID"):
        send_as(stage, stage.bob, stage.eve)
    with fault("CHANNEL_PRIVATE"):
        send_as(stage, stage.eve, room)


# ------------------------------------------------------------------ other lists


def test_c5_channels_that_one_has_left(stage: Stage) -> None:
    rooms = [make(stage, "megagroup", stage.bob) for _ in range(3)]
    for room in rooms[:2]:
        stage.leave(stage.bob, room)
    stage.ban(stage.ann, rooms[2], stage.bob, view_messages=True)
    stage.publish(stage.ann, rooms[1])
    found = stage.call(stage.bob, channels.GetLeftChannels(offset=0))
    assert [type(chat).__name__ for chat in found.chats] == ["ChannelForbidden", "Channel"]
    rest = stage.call(stage.bob, channels.GetLeftChannels(offset=1))
    assert (rest.count, [chat.id for chat in rest.chats]) == (2, [rooms[1]])
    assert stage.call(stage.ann, channels.GetLeftChannels(offset=-1)).chats == []


def test_c5_channels_where_nothing_happens(stage: Stage) -> None:
    quiet, busy = make(stage, "megagroup", stage.bob), make(stage, "broadcast", stage.bob)
    stage.world.clock.freeze(NOON + 31 * 86400)
    stage.send(stage.ann, busy)
    found = stage.call(stage.bob, channels.GetInactiveChannels())
    assert ([chat.id for chat in found.chats], found.dates) == ([quiet], [NOON])


# ------------------------------------------------------------------ who may do it


EDITS: dict[str, tuple[str | None, Callable[[Stage, int, int], object]]] = {
    "title": ("change_info", lambda s, who, room: do(s, who, channels.EditTitle, room, title="X")),
    "name": (None, lambda s, who, room: s.publish(who, room, "othername")),
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("kind", KINDS)
def test_b2_who_may_edit(stage: Stage, kind: str, name: str) -> None:
    right, edit = EDITS[name]

    def attempt(who: int) -> str:
        try:
            edit(stage, who, room)
        except RpcFault as error:
            return error.message
        return "ok"

    room = make(stage, kind, stage.bob)
    if kind == "megagroup":
        peer = stage.input_peer(stage.ann, room)
        rights = api.ChatBannedRights(change_info=True, until_date=0)
        request = api.messages.EditChatDefaultBannedRights(peer=peer, banned_rights=rights)
        stage.call(stage.ann, request)
    assert attempt(stage.bob) == "CHAT_ADMIN_REQUIRED"
    stage.promote(stage.ann, room, stage.bob, add_admins=True, delete_messages=True)
    assert attempt(stage.bob) == "CHAT_ADMIN_REQUIRED"
    stage.promote(stage.ann, room, stage.bob, change_info=True)
    assert attempt(stage.bob) == ("ok" if right else "CHAT_ADMIN_REQUIRED")
    assert attempt(stage.eve) == "CHANNEL_PRIVATE"
    stage.publish(stage.ann, room)
    assert attempt(stage.eve) == "CHAT_WRITE_FORBIDDEN"
    stage.ban(stage.ann, room, stage.eve, view_messages=True)
    assert attempt(stage.eve) == "CHANNEL_PRIVATE"


def test_c0_1_5_members_may_change_what_nothing_forbids(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.bot)
    do(stage, stage.bob, channels.EditTitle, room, title="Bob's")
    with fault("CHAT_ADMIN_REQUIRED", 403):
        do(stage, stage.bot, channels.EditTitle, room, title="Bot's")
    stage.ban(stage.ann, room, stage.bob, change_info=True)
    with fault("CHAT_ADMIN_REQUIRED", 403):
        do(stage, stage.bob, channels.EditTitle, room, title="Bob's own")


# ------------------------------------------------------------------ hostile


METHODS: list[tuple[Any, dict[str, Any]]] = [
    (channels.DeleteChannel, {}),
    (channels.GetFullChannel, {}),
    (channels.EditTitle, {"title": "X"}),
    (channels.EditPhoto, {"photo": api.InputChatPhotoEmpty()}),
    (channels.CheckUsername, {"username": "freename"}),
    (channels.UpdateUsername, {"username": "freename"}),
    (channels.ExportMessageLink, {"id": 1}),
    (channels.ToggleSignatures, {"signatures_enabled": True}),
    (channels.ToggleSlowMode, {"seconds": 30}),
    (channels.TogglePreHistoryHidden, {"enabled": True}),
    (channels.ToggleJoinToSend, {"enabled": True}),
    (channels.ToggleJoinRequest, {"enabled": True}),
    (channels.ToggleParticipantsHidden, {"enabled": True}),
    (channels.ToggleForum, {"enabled": True, "tabs": False}),
    (channels.GetAdminLog, {"q": "", "max_id": 0, "min_id": 0, "limit": 10}),
]


@pytest.mark.parametrize(("method", "fields"), METHODS)
def test_c0_1_1_nobody_gets_in_by_another_s_hash(stage: Stage, method: Any, fields: Any) -> None:
    room = make(stage, "megagroup", stage.bob)
    theirs = stage.input_channel(stage.ann, room)
    for channel_id, access_hash in ((room, 0), (room, -1), (0, 0), (-1, 1), (2**62, 5)):
        wrong = api.InputChannel(channel_id=channel_id, access_hash=access_hash)
        with fault("CHANNEL_INVALID"):
            stage.call(stage.bob, method(channel=wrong, **fields))
    for who in (stage.bob, stage.eve):
        with fault("CHANNEL_INVALID"):
            stage.call(who, method(channel=theirs, **fields))
    with fault("CHANNEL_PRIVATE"):
        do(stage, stage.eve, method, room, **fields)
    group = stage.group(stage.ann, stage.bob)
    with fault("CHANNEL_INVALID"):
        do(stage, stage.ann, method, group, **fields)


def test_c0_1_2_a_channel_named_by_a_message_is_checked(stage: Stage) -> None:
    room = make(stage, "broadcast")
    post = stage.send(stage.ann, room)
    stage.forward(stage.ann, room, [post], stage.bob)
    seen = stage.history(stage.bob, stage.ann).messages[0]
    where = api.InputChannelFromMessage(
        peer=stage.input_peer(stage.bob, stage.ann), msg_id=seen.id, channel_id=room
    )
    with fault("CHANNEL_PRIVATE"):
        stage.call(stage.bob, channels.GetFullChannel(channel=where))
    stage.publish(stage.ann, room)
    stage.call(stage.bob, channels.GetFullChannel(channel=where))
    lie = api.InputChannelFromMessage(
        peer=stage.input_peer(stage.bob, stage.ann), msg_id=seen.id, channel_id=room + 1
    )
    with fault("CHANNEL_INVALID"):
        stage.call(stage.bob, channels.GetFullChannel(channel=lie))


def test_nothing_of_a_private_channel_reaches_who_is_out(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve, title="Before")
    stage.leave(stage.eve, room)
    stage.ban(stage.ann, room, stage.bob, view_messages=True)
    for act in (
        lambda: do(stage, stage.ann, channels.EditTitle, room, title="After"),
        lambda: do(stage, stage.ann, channels.ToggleSlowMode, room, seconds=10),
        lambda: stage.send(stage.ann, room),
        lambda: stage.invite(stage.ann, room, stage.bot),
        lambda: stage.promote(stage.ann, room, stage.bot, other=True),
        lambda: do(stage, stage.ann, channels.DeleteChannel, room),
    ):
        act()
        assert not stage.pushed_to() & {stage.bob, stage.eve}
    for who in (stage.bob, stage.eve):
        state = stage.state(who)
        stage.world.clock.freeze(NOON + 60)
        found = stage.difference(who, state.pts)
        assert isinstance(found, api.updates.DifferenceEmpty)


def test_c5_a_limited_account_makes_no_channel(stage: Stage) -> None:
    with stage.world.db.begin() as tx:
        tx.execute(users.update().where(users.c.id == stage.bob).values(limited=True))
    with fault("USER_RESTRICTED", 406):
        stage.call(stage.bob, channels.CreateChannel(title="T", about=""))
