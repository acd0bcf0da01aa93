"""The recent actions of supergroups and channels (C5, B8.6)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import admin_log
from radiogram.tl import api
from tests.server.stage import NOON, Stage, fault

channels = api.channels
PREFIX = "ChannelAdminLogEventAction"


def log(stage: Stage, who: int, channel: int, **options: Any) -> Any:
    fields = {"q": "", "max_id": 0, "min_id": 0, "limit": 100, **options}
    where = stage.input_channel(who, channel)
    return stage.call(who, channels.GetAdminLog(channel=where, **fields))


def names(stage: Stage, channel: int, **options: Any) -> list[str]:
    """Return what happened, newest first."""
    found = log(stage, stage.ann, channel, **options).events
    return [type(event.action).__name__.removeprefix(PREFIX) for event in found]


def only(**kinds: bool) -> Any:
    return {"events_filter": api.ChannelAdminLogEventsFilter(**kinds)}


def do(stage: Stage, who: int, method: Any, channel: int, **fields: Any) -> Any:
    return stage.call(who, method(channel=stage.input_channel(who, channel), **fields))


def test_b8_6_members_come_and_go(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    assert names(stage, room) == ["ParticipantInvite"]
    stage.publish(stage.ann, room)
    stage.join(stage.eve, room)
    stage.leave(stage.eve, room)
    stage.promote(stage.ann, room, stage.bob, ban_users=True)
    stage.promote(stage.ann, room, stage.bob)
    stage.ban(stage.ann, room, stage.bob, send_messages=True)
    stage.ban(stage.ann, room, stage.bob)
    stage.ban(stage.ann, room, stage.bob, view_messages=True)
    stage.ban(stage.ann, room, stage.bob)
    assert names(stage, room) == [
        *["ParticipantToggleBan"] * 4,
        *["ParticipantToggleAdmin"] * 2,
        "ParticipantLeave",
        "ParticipantJoin",
        "ChangeUsername",
        "ParticipantInvite",
    ]
    found = log(stage, stage.ann, room)
    by_kind = {
        kind: [event.id for event in log(stage, stage.ann, room, **only(**{kind: True})).events]
        for kind in admin_log.FILTER
    }
    ids = [event.id for event in found.events]
    assert ids == sorted(ids, reverse=True)
    assert {
        kind: [ids.index(number) for number in said] for kind, said in by_kind.items() if said
    } == {
        "unkick": [0],
        "kick": [1],
        "unban": [2],
        "ban": [3],
        "demote": [4],
        "promote": [5],
        "leave": [6],
        "join": [7],
        "info": [8],
        "invite": [9],
    }
    users = {user.id for user in found.users}
    assert {stage.ann, stage.bob, stage.eve} <= users
    assert [chat.id for chat in found.chats] == [room]
    unkick, kick = (event.action for event in found.events[:2])
    assert isinstance(unkick.new_participant, api.ChannelParticipantLeft)
    assert isinstance(kick.prev_participant, api.ChannelParticipant)
    assert kick.new_participant.left
    assert [event.user_id for event in found.events[6:8]] == [stage.eve, stage.eve]


def test_b8_6_who_is_made_an_admin_from_outside_is_invited_first(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    stage.promote(stage.ann, room, stage.bob, other=True)
    assert names(stage, room) == ["ParticipantToggleAdmin", "ParticipantInvite"]


def test_b8_6_an_admin_who_is_banned_or_leaves_is_logged_once(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, stage.eve, megagroup=True)
    stage.promote(stage.ann, room, stage.bob, other=True)
    stage.promote(stage.ann, room, stage.eve, other=True)
    stage.ban(stage.ann, room, stage.bob, view_messages=True)
    stage.leave(stage.eve, room)
    assert names(stage, room)[:2] == ["ParticipantLeave", "ParticipantToggleBan"]
    assert names(stage, room).count("ParticipantToggleAdmin") == 2


def test_b8_6_a_rank_alone_is_a_change_of_an_admin(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    stage.promote(stage.ann, room, stage.bob, other=True)
    stage.promote(stage.ann, room, stage.bob, other=True, rank="chief")
    assert names(stage, room, **only(promote=True)) == ["ParticipantToggleAdmin"] * 2


def test_b8_6_joining_by_a_link(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    peer = stage.input_peer(stage.ann, room)
    for asks, who in ((False, stage.bob), (True, stage.eve)):
        request = api.messages.ExportChatInvite(peer=peer, request_needed=asks)
        link = stage.call(stage.ann, request).link
        join = api.messages.ImportChatInvite(hash=link.rpartition("+")[2])
        if not asks:
            stage.call(who, join)
            continue
        with fault("INVITE_REQUEST_SENT"):
            stage.call(who, join)
        user = stage.input_user(stage.ann, who)
        approve = api.messages.HideChatJoinRequest(peer=peer, user_id=user, approved=True)
        stage.call(stage.ann, approve)
    said = ["ParticipantJoinByRequest", "ParticipantJoinByInvite"]
    assert names(stage, room, **only(join=True)) == said
    found = log(stage, stage.ann, room, **only(join=True)).events
    assert [event.user_id for event in found] == [stage.eve, stage.bob]
    assert found[0].action.approved_by == stage.ann
    assert found[1].action.invite.admin_id == stage.ann


def test_b8_6_what_a_channel_is_like(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True, title="Old")
    do(stage, stage.ann, channels.EditTitle, room, title="New")
    stage.publish(stage.ann, room, "newname")
    do(stage, stage.ann, channels.ToggleSlowMode, room, seconds=10)
    stage.publish(stage.ann, room, "")
    do(stage, stage.ann, channels.TogglePreHistoryHidden, room, enabled=True)
    do(stage, stage.ann, channels.ToggleForum, room, enabled=True, tabs=False)
    assert names(stage, room, **only(info=True)) == [
        "ChangeUsername",
        "ChangeUsername",
        "ChangeTitle",
    ]
    assert names(stage, room, **only(settings=True)) == [
        "ToggleForum",
        "TogglePreHistoryHidden",
        "ToggleSlowMode",
    ]
    title = log(stage, stage.ann, room, q="New", **only(info=True)).events[-1].action
    assert (title.prev_value, title.new_value) == ("Old", "New")
    news = stage.channel(stage.ann, broadcast=True)
    fields = {"signatures_enabled": True, "profiles_enabled": True}
    do(stage, stage.ann, channels.ToggleSignatures, news, **fields)
    assert names(stage, news) == ["ToggleSignatureProfiles", "ToggleSignatures"]


def test_b8_6_others_note_what_they_do(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    peer = stage.input_peer(stage.ann, room)
    stage.call(stage.ann, api.messages.EditChatAbout(peer=peer, about="what it is about"))
    rights = api.ChatBannedRights(send_media=True, until_date=0)
    request = api.messages.EditChatDefaultBannedRights(peer=peer, banned_rights=rights)
    stage.call(stage.ann, request)
    sent = stage.send(stage.ann, room, "first words")
    stage.edit(stage.ann, room, sent, "second thoughts")
    do(stage, stage.ann, channels.DeleteMessages, room, id=[sent])
    assert names(stage, room) == [
        "DeleteMessage",
        "EditMessage",
        "DefaultBannedRights",
        "ChangeAbout",
    ]
    assert names(stage, room, **only(edit=True)) == ["EditMessage"]
    assert names(stage, room, **only(delete=True)) == ["DeleteMessage"]
    (gone,) = log(stage, stage.ann, room, **only(delete=True)).events
    assert gone.action.message.message == "second thoughts"
    assert names(stage, room, q="FIRST") == ["EditMessage"]


def test_b8_6_a_search_in_the_log(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, stage.eve, megagroup=True, title="Old")
    do(stage, stage.ann, channels.EditTitle, room, title="Hanging Gardens")
    assert names(stage, room, q="gardens") == ["ChangeTitle"]
    assert names(stage, room, q=" Eve ") == ["ParticipantInvite"]
    assert names(stage, room, q="annie") == ["ChangeTitle", *["ParticipantInvite"] * 2]
    assert names(stage, room, q="annie", limit=1) == ["ChangeTitle"]
    assert names(stage, room, q="nothing of the kind") == []
    sent = stage.send(stage.ann, room, "see example.org/here")
    do(stage, stage.ann, channels.DeleteMessages, room, id=[sent])
    assert names(stage, room, q="EXAMPLE.org") == ["DeleteMessage"]


def test_b8_6_joining_by_request_to_a_public_supergroup(stage: Stage) -> None:
    room = stage.channel(stage.ann, megagroup=True)
    stage.publish(stage.ann, room)
    do(stage, stage.ann, channels.ToggleJoinRequest, room, enabled=True)
    with fault("INVITE_REQUEST_SENT"):
        stage.join(stage.eve, room)
    approve = api.messages.HideChatJoinRequest(
        peer=stage.input_peer(stage.ann, room),
        user_id=stage.input_user(stage.ann, stage.eve),
        approved=True,
    )
    stage.call(stage.ann, approve)
    (event,) = log(stage, stage.ann, room, **only(join=True)).events
    assert event.action == api.ChannelAdminLogEventActionParticipantJoinByRequest(
        invite=api.ChatInvitePublicJoinRequests(), approved_by=stage.ann
    )


def test_c0_4_pages_of_the_log(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    for number in range(5):
        do(stage, stage.ann, channels.EditTitle, room, title=f"Title {number}")
    stage.promote(stage.ann, room, stage.bob, change_info=True)
    do(stage, stage.bob, channels.EditTitle, room, title="Bob's")
    ids = [event.id for event in log(stage, stage.ann, room).events]
    assert len(ids) == 8

    def page(**options: Any) -> list[int]:
        return [event.id for event in log(stage, stage.ann, room, **options).events]

    assert page(limit=3) == ids[:3]
    assert page(max_id=ids[2], limit=3) == ids[3:6]
    assert page(min_id=ids[2]) == ids[:2]
    assert page(max_id=ids[0], min_id=ids[3]) == ids[1:3]
    assert page(limit=0) == ids
    assert page(limit=-1, max_id=-1, min_id=-1) == ids
    assert page(max_id=2**63 - 1, min_id=-(2**63)) == ids
    assert page(admins=[stage.input_user(stage.ann, stage.bob)]) == ids[:1]
    assert page(admins=[stage.input_user(stage.ann, stage.eve)]) == []
    with fault("USER_ID_INVALID"):
        page(admins=[api.InputUser(user_id=stage.bob, access_hash=1)])


def test_b8_6_the_log_forgets(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    stage.world.clock.freeze(NOON + admin_log.KEPT - 1)
    assert names(stage, room) == ["ParticipantInvite"]
    stage.world.clock.freeze(NOON + admin_log.KEPT)
    assert names(stage, room) == []


def test_b8_6_the_log_is_for_admins(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, stage.bot, megagroup=True)
    with fault("CHAT_ADMIN_REQUIRED", 403):
        log(stage, stage.bob, room)
    stage.promote(stage.ann, room, stage.bob, other=True)
    assert log(stage, stage.bob, room).events
    stage.promote(stage.ann, room, stage.bot, other=True)
    with fault("BOT_METHOD_INVALID"):
        log(stage, stage.bot, room)
    with fault("CHANNEL_PRIVATE"):
        log(stage, stage.eve, room)
    stage.publish(stage.ann, room)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        log(stage, stage.eve, room)


def test_b8_6_basic_groups_have_no_log(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    peer = stage.input_peer(stage.ann, group)
    stage.call(stage.ann, api.messages.EditChatAbout(peer=peer, about="new"))
    with fault("CHANNEL_INVALID"):
        log(stage, stage.ann, group)


@pytest.mark.parametrize("layer", [133, 160, 200])
def test_b8_6_older_layers_read_the_log(stage: Stage, layer: int) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    stage.promote(stage.ann, room, stage.bob, ban_users=True, rank="chief")
    do(stage, stage.ann, channels.ToggleForum, room, enabled=True, tabs=False)
    where = stage.input_channel(stage.ann, room)
    request = channels.GetAdminLog(channel=where, q="", max_id=0, min_id=0, limit=9)
    found = stage.world.call(stage.ann, request, layer=layer).events
    assert len(found) == (2 if layer == 133 else 3)  # forums are younger
