"""Who is in supergroups and channels: coming, going, admins, bans, lists (C5, C0.1.3, C0.3.4)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import paging
from radiogram.server.rpc import RpcFault
from radiogram.server.tables import contacts, users
from radiogram.tl import api
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds

KINDS = ("megagroup", "broadcast")
RECENT = api.ChannelParticipantsRecent()
ADMINS = api.ChannelParticipantsAdmins()
BOTS = api.ChannelParticipantsBots()


def make(stage: Stage, kind: str, *others: int) -> int:
    return stage.channel(stage.ann, *others, **{kind: True})


def participants(stage: Stage, who: int, channel: int, kind: Any = RECENT, **options: int) -> Any:
    fields = {"offset": 0, "limit": 100, "hash": 0, **options}
    return stage.call(
        who,
        api.channels.GetParticipants(
            channel=stage.input_channel(who, channel), filter=kind, **fields
        ),
    )


def ids(stage: Stage, who: int, channel: int, kind: Any = RECENT) -> list[int]:
    found = participants(stage, who, channel, kind)
    listed = [getattr(one, "user_id", None) or one.peer.user_id for one in found.participants]
    assert found.count == len(listed)
    assert set(listed) <= {user.id for user in found.users}
    return listed


def participant(stage: Stage, who: int, channel: int, target: int) -> Any:
    peer: api.TypeInputPeer = stage.input_peer(who, target)
    found = stage.call(
        who,
        api.channels.GetParticipant(channel=stage.input_channel(who, channel), participant=peer),
    )
    assert target in {user.id for user in found.users}
    return found.participant


def actions(updates: list[Any]) -> list[Any]:
    new = [update for update in updates if isinstance(update, api.UpdateNewChannelMessage)]
    return [
        update.message.action for update in new if isinstance(update.message, api.MessageService)
    ]


def chat_of(stage: Stage, who: int, channel: int) -> Any:
    where = [stage.input_channel(who, channel)]
    (chat,) = stage.call(who, api.channels.GetChannels(id=where)).chats
    return chat


# ------------------------------------------------------------------ coming


def test_c5_who_is_invited_becomes_a_member(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    result = stage.invite(stage.ann, room, stage.eve, stage.bot)
    assert result.missing_invitees == []
    added = api.MessageActionChatAddUser(users=[stage.eve, stage.bot])
    assert actions(result.updates.updates) == [added]
    assert actions(stage.pushes(stage.bob)) == [added]
    assert kinds(stage.pushes(stage.eve)) == ["UpdateChannel", "UpdateNewChannelMessage"]
    chat = chat_of(stage, stage.eve, room)
    assert (chat.left, chat.participants_count) == (False, 4)
    assert participant(stage, stage.eve, room, stage.eve) == api.ChannelParticipantSelf(
        user_id=stage.eve, inviter_id=stage.ann, date=NOON
    )


def test_c5_a_subscriber_is_added_without_a_message(stage: Stage) -> None:
    room = make(stage, "broadcast", stage.bob)
    result = stage.invite(stage.ann, room, stage.eve)
    assert actions(result.updates.updates) == []
    assert stage.pushes(stage.eve) == [api.UpdateChannel(channel_id=room)]
    assert stage.pushed_to() <= {stage.eve}


def test_c5_members_who_are_invited_again_do_not_matter(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    assert stage.invite(stage.ann, room, stage.bob, stage.ann).updates.updates == []
    assert stage.pushed_to() == set()


def test_c5_whom_one_cannot_invite(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.ban(stage.ann, room, stage.eve, view_messages=True)
    with fault("USER_KICKED"):
        stage.invite(stage.ann, room, stage.eve)
    stage.ban(stage.ann, room, stage.eve)
    stage.block(stage.ann, stage.eve)
    with fault("USER_BLOCKED"):
        stage.invite(stage.ann, room, stage.eve)
    stage.unblock(stage.ann, stage.eve)
    stage.leave(stage.bob, room)
    with fault("USER_NOT_MUTUAL_CONTACT", 403):
        stage.invite(stage.ann, room, stage.bob)
    stage.delete_account(stage.eve)
    with fault("INPUT_USER_DEACTIVATED"):
        stage.invite(stage.ann, room, stage.eve)
    with fault("USER_ID_INVALID"):
        wrong = [api.InputUser(user_id=stage.eve, access_hash=1)]
        where = stage.input_channel(stage.ann, room)
        stage.call(stage.ann, api.channels.InviteToChannel(channel=where, users=wrong))
    news = make(stage, "broadcast")
    with fault("USER_BOT"):
        stage.invite(stage.ann, news, stage.bot)


def test_c5_who_was_let_go_by_a_ban_can_be_invited_again(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.ban(stage.ann, room, stage.bob, view_messages=True)
    stage.ban(stage.ann, room, stage.bob)
    stage.invite(stage.ann, room, stage.bob)
    assert ids(stage, stage.bob, room, api.ChannelParticipantsSearch(q="bob")) == [stage.bob]


def test_c5_a_mutual_contact_can_be_brought_back(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.leave(stage.bob, room)
    with stage.world.db.begin() as tx:
        values = {"owner_id": stage.ann, "user_id": stage.bob, "mutual": True}
        tx.execute(contacts.insert().values(**values))
    stage.invite(stage.ann, room, stage.bob)
    assert chat_of(stage, stage.bob, room).participants_count == 2


def test_c5_who_does_not_want_to_be_added_is_reported(stage: Stage) -> None:
    room = make(stage, "megagroup")
    stage.block(stage.eve, stage.ann)
    result = stage.invite(stage.ann, room, stage.eve, stage.bob)
    assert result.missing_invitees == [api.MissingInvitee(user_id=stage.eve)]
    assert actions(result.updates.updates) == [api.MessageActionChatAddUser(users=[stage.bob])]
    assert stage.eve not in stage.pushed_to()
    with fault("USER_PRIVACY_RESTRICTED", 403):  # an older layer cannot say it
        request = api.channels.InviteToChannel(
            channel=stage.input_channel(stage.ann, room),
            users=[stage.input_user(stage.ann, stage.eve)],
        )
        stage.world.call(stage.ann, request, layer=160)


def test_c5_a_limited_account_adds_nobody(stage: Stage) -> None:
    room = make(stage, "megagroup")
    with stage.world.db.begin() as tx:
        tx.execute(users.update().where(users.c.id == stage.ann).values(limited=True))
    with fault("USER_BANNED_IN_CHANNEL"):
        stage.invite(stage.ann, room, stage.bob)
    with fault("USER_RESTRICTED", 406):
        make(stage, "megagroup")


def test_c5_limits_of_size(make_stage: MakeStage) -> None:
    stage = make_stage(megagroup_size_max=2, chat_size_max=2, bots_max=1, channels_max=2)
    room = make(stage, "megagroup", stage.bob)
    with fault("USERS_TOO_MUCH"):
        stage.invite(stage.ann, room, stage.eve)
    news = make(stage, "broadcast", stage.bob)
    with fault("USERS_TOO_MUCH"):
        stage.invite(stage.ann, news, stage.eve)
    with fault("USERS_TOO_MUCH"):
        stage.invite(stage.ann, news, stage.eve, stage.bob, stage.ann)
    with fault("CHANNELS_TOO_MUCH"):
        make(stage, "broadcast")
    with fault("CHANNELS_TOO_MUCH"):
        public = stage.channel(stage.eve, megagroup=True)
        stage.publish(stage.eve, public)
        stage.join(stage.bob, public)
    with fault("USER_CHANNELS_TOO_MUCH", 403):
        stage.invite(stage.eve, public, stage.bob)
    stage.invite(stage.eve, public, stage.bot)
    with fault("USERS_TOO_MUCH"):
        stage.invite(stage.eve, public, stage.bot2)


def test_c5_the_number_of_bots_is_limited(make_stage: MakeStage) -> None:
    stage = make_stage(bots_max=1)
    room = make(stage, "megagroup", stage.bot)
    with fault("BOTS_TOO_MUCH"):
        stage.invite(stage.ann, room, stage.bot2)
    with fault("BOTS_TOO_MUCH"):
        stage.promote(stage.ann, room, stage.bot2, other=True)


@pytest.mark.parametrize("kind", KINDS)
def test_c5_whoever_finds_a_public_channel_can_join(stage: Stage, kind: str) -> None:
    room = make(stage, kind, stage.bob)
    with fault("CHANNEL_PRIVATE"):
        stage.join(stage.eve, room)
    stage.publish(stage.ann, room)
    updates = stage.join(stage.eve, room).updates
    said = [api.MessageActionChatAddUser(users=[stage.eve])] if kind == "megagroup" else []
    assert actions(updates) == said == actions(stage.pushes(stage.bob))
    assert updates[0] == api.UpdateChannel(channel_id=room)
    with fault("USER_ALREADY_PARTICIPANT"):
        stage.join(stage.eve, room)
    mine = participant(stage, stage.eve, room, stage.eve)
    assert mine == api.ChannelParticipantSelf(user_id=stage.eve, inviter_id=0, date=NOON)


def test_c5_bots_do_not_join(stage: Stage) -> None:
    room = make(stage, "megagroup")
    stage.publish(stage.ann, room)
    for request in (
        api.channels.JoinChannel(channel=stage.input_channel(stage.bot, room)),
        api.channels.InviteToChannel(channel=stage.input_channel(stage.bot, room), users=[]),
    ):
        with fault("BOT_METHOD_INVALID"):
            stage.call(stage.bot, request)


def test_c5_joining_may_need_an_admin(stage: Stage) -> None:
    room = make(stage, "megagroup")
    stage.publish(stage.ann, room)
    where = stage.input_channel(stage.ann, room)
    stage.call(stage.ann, api.channels.ToggleJoinRequest(channel=where, enabled=True))
    with fault("INVITE_REQUEST_SENT"):
        stage.join(stage.eve, room)
    assert kinds(stage.pushes(stage.ann)) == ["UpdatePendingJoinRequests"]
    full = stage.call(stage.ann, api.channels.GetFullChannel(channel=where)).full_chat
    assert (full.requests_pending, full.recent_requesters) == (1, [stage.eve])
    stage.invite(stage.ann, room, stage.eve)  # answers the request
    full = stage.call(stage.ann, api.channels.GetFullChannel(channel=where)).full_chat
    assert full.requests_pending is None


# ------------------------------------------------------------------ going


def test_c5_who_leaves_a_supergroup_is_seen_to_go(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve)
    updates = stage.leave(stage.bob, room)
    gone = api.MessageActionChatDeleteUser(user_id=stage.bob)
    assert actions(updates.updates) == [gone] == actions(stage.pushes(stage.eve))
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    (chat,) = updates.chats
    assert isinstance(chat, api.ChannelForbidden)
    for request in (
        api.channels.LeaveChannel(channel=stage.input_channel(stage.bob, room)),
        api.channels.GetFullChannel(channel=stage.input_channel(stage.bob, room)),
    ):
        with fault("CHANNEL_PRIVATE"):
            stage.call(stage.bob, request)
    assert room not in {
        chat.id
        for chat in stage.call(
            stage.bob,
            api.messages.GetDialogs(
                offset_date=0, offset_id=0, offset_peer=api.InputPeerEmpty(), limit=10, hash=0
            ),
        ).chats
    }


def test_c5_who_leaves_a_broadcast_channel_is_not_missed(stage: Stage) -> None:
    room = make(stage, "broadcast", stage.bob, stage.eve)
    stage.publish(stage.ann, room)
    updates = stage.leave(stage.bob, room)
    assert updates.updates == [api.UpdateChannel(channel_id=room)]
    assert updates.chats[0].left
    assert stage.pushed_to() == {stage.bob}
    with fault("USER_NOT_PARTICIPANT"):
        stage.leave(stage.bob, room)


@pytest.mark.parametrize("kind", KINDS)
def test_c5_the_creator_cannot_leave(stage: Stage, kind: str) -> None:
    room = make(stage, kind)
    with fault("USER_CREATOR"):
        stage.leave(stage.ann, room)


def test_c5_an_admin_who_leaves_is_none_after(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.publish(stage.ann, room)
    stage.promote(stage.ann, room, stage.bob, ban_users=True, rank="chief")
    stage.leave(stage.bob, room)
    stage.join(stage.bob, room)
    assert isinstance(participant(stage, stage.bob, room, stage.bob), api.ChannelParticipantSelf)


def test_c5_restrictions_stay_with_who_leaves(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.publish(stage.ann, room)
    stage.ban(stage.ann, room, stage.bob, send_messages=True)
    stage.leave(stage.bob, room)
    kind = api.ChannelParticipantsBanned(q="")
    (listed,) = participants(stage, stage.ann, room, kind).participants
    assert (listed.left, listed.kicked_by) == (True, stage.ann)
    stage.join(stage.bob, room)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.send(stage.bob, room)


# ------------------------------------------------------------------ bans


@pytest.mark.parametrize("kind", KINDS)
def test_c5_who_is_banned_is_out(stage: Stage, kind: str) -> None:
    room = make(stage, kind, stage.bob, stage.eve)
    stage.publish(stage.ann, room)
    updates = stage.ban(stage.ann, room, stage.bob, view_messages=True)
    gone = [api.MessageActionChatDeleteUser(user_id=stage.bob)] if kind == "megagroup" else []
    assert actions(updates.updates) == gone == actions(stage.pushes(stage.eve))
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    (push,) = (push for push in stage.world.pushed if push.user_id == stage.bob)
    assert isinstance(push.updates, api.Updates)
    assert isinstance(push.updates.chats[0], api.ChannelForbidden)
    for request in (
        api.channels.JoinChannel(channel=stage.input_channel(stage.bob, room)),
        api.channels.GetFullChannel(channel=stage.input_channel(stage.bob, room)),
        api.channels.GetParticipant(
            channel=stage.input_channel(stage.bob, room), participant=api.InputPeerSelf()
        ),
    ):
        with fault("CHANNEL_PRIVATE"):
            stage.call(stage.bob, request)
    found = participant(stage, stage.ann, room, stage.bob)
    assert isinstance(found, api.ChannelParticipantBanned)
    assert (found.left, found.kicked_by, found.date) == (True, stage.ann, NOON)
    assert found.banned_rights == api.ChatBannedRights(view_messages=True, until_date=0x7FFFFFFF)
    assert stage.ban(stage.ann, room, stage.bob, view_messages=True).updates == []
    assert ids(stage, stage.ann, room, api.ChannelParticipantsKicked(q="")) == [stage.bob]
    assert ids(stage, stage.ann, room, api.ChannelParticipantsBanned(q="")) == []
    stage.ban(stage.ann, room, stage.bob)
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    with fault("USER_NOT_PARTICIPANT"):
        participant(stage, stage.ann, room, stage.bob)
    stage.join(stage.bob, room)
    assert stage.bob in ids(stage, stage.ann, room)


def test_c0_1_4_a_ban_may_end(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.publish(stage.ann, room)
    stage.ban(stage.ann, room, stage.bob, view_messages=True, until_date=NOON + 3600)
    found = participant(stage, stage.ann, room, stage.bob)
    assert found.banned_rights.until_date == NOON + 3600
    stage.world.clock.freeze(NOON + 3599)
    with fault("CHANNEL_PRIVATE"):
        stage.join(stage.bob, room)
    stage.world.clock.freeze(NOON + 3600)
    assert ids(stage, stage.ann, room, api.ChannelParticipantsKicked(q="")) == []
    stage.join(stage.bob, room)
    assert isinstance(participant(stage, stage.bob, room, stage.bob), api.ChannelParticipantSelf)


@pytest.mark.parametrize("until", [NOON - 5, NOON + 29, NOON + 367 * 86400, -1, 0x7FFFFFFF])
def test_c0_1_4_strange_ends_are_no_ends(stage: Stage, until: int) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.ban(stage.ann, room, stage.bob, send_messages=True, until_date=until)
    found = participant(stage, stage.ann, room, stage.bob)
    assert found.banned_rights.until_date == 0x7FFFFFFF


def test_c5_who_is_restricted_stays_and_is_told(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve)
    stage.ban(stage.ann, room, stage.bob, send_messages=True, until_date=NOON + 100)
    assert stage.pushed_to() == {stage.bob}
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    assert chat_of(stage, stage.bob, room).banned_rights == api.ChatBannedRights(
        send_messages=True, until_date=NOON + 100
    )
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.send(stage.bob, room)
    assert isinstance(participant(stage, stage.eve, room, stage.bob), api.ChannelParticipantBanned)
    assert ids(stage, stage.ann, room, api.ChannelParticipantsBanned(q="")) == [stage.bob]
    stage.world.clock.freeze(NOON + 100)
    stage.send(stage.bob, room)
    assert ids(stage, stage.ann, room, api.ChannelParticipantsBanned(q="")) == []
    assert isinstance(participant(stage, stage.eve, room, stage.bob), api.ChannelParticipant)


def test_c5_a_stranger_can_be_restricted_before_they_come(stage: Stage) -> None:
    room = make(stage, "megagroup")
    stage.publish(stage.ann, room)
    stage.ban(stage.ann, room, stage.bob, send_messages=True)
    assert chat_of(stage, stage.ann, room).participants_count == 1
    stage.join(stage.bob, room)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.send(stage.bob, room)
    assert stage.ban(stage.ann, room, stage.eve).updates == []  # there is nothing to lift


def test_c5_whom_one_cannot_ban(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve)
    stage.promote(stage.ann, room, stage.bob, ban_users=True, add_admins=True)
    stage.promote(stage.ann, room, stage.eve, ban_users=True)
    for target in (stage.ann, stage.eve):
        with fault("USER_ADMIN_INVALID"):
            stage.ban(stage.bob, room, target, view_messages=True)
    with fault("USER_ID_INVALID"):
        stage.ban(stage.bob, room, stage.bob, view_messages=True)
    with fault("USER_ID_INVALID"):
        stage.ban(stage.ann, room, stage.ann)
    where = stage.input_channel(stage.ann, room)
    news = make(stage, "broadcast", stage.bob)
    out = api.ChatBannedRights(view_messages=True, until_date=0)
    for peer in (api.InputPeerEmpty(), stage.input_peer(stage.ann, news)):
        with fault("PARTICIPANT_ID_INVALID"):
            request = api.channels.EditBanned(channel=where, participant=peer, banned_rights=out)
            stage.call(stage.ann, request)
    with fault("PEER_ID_INVALID"):
        wrong = api.InputPeerUser(user_id=stage.bob, access_hash=7)
        request = api.channels.EditBanned(channel=where, participant=wrong, banned_rights=out)
        stage.call(stage.ann, request)
    with fault("BANNED_RIGHTS_INVALID", 406):
        stage.ban(stage.ann, news, stage.bob, send_messages=True)
    stage.delete_account(stage.bot)
    with fault("INPUT_USER_DEACTIVATED"):
        stage.ban(stage.ann, room, stage.bot, view_messages=True)


def test_c5_who_has_promoted_an_admin_may_ban_them(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve)
    stage.promote(stage.ann, room, stage.bob, ban_users=True, add_admins=True)
    stage.promote(stage.bob, room, stage.eve, ban_users=True)
    stage.ban(stage.bob, room, stage.eve, view_messages=True)
    found = participant(stage, stage.ann, room, stage.eve)
    assert (found.kicked_by, found.left) == (stage.bob, True)
    stage.ban(stage.ann, room, stage.bob, view_messages=True)
    assert ids(stage, stage.ann, room, ADMINS) == [stage.ann]


# ------------------------------------------------------------------ admins


def test_c5_an_admin_is_made_and_unmade(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve)
    updates = stage.promote(
        stage.ann, room, stage.bob, ban_users=True, pin_messages=True, rank=" chief "
    )
    assert isinstance(updates, api.Updates)
    assert stage.pushed_to() == {stage.bob}
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    own = api.ChatAdminRights(ban_users=True, pin_messages=True)
    assert chat_of(stage, stage.bob, room).admin_rights == own
    assert participant(stage, stage.ann, room, stage.bob) == api.ChannelParticipantAdmin(
        can_edit=True,
        user_id=stage.bob,
        promoted_by=stage.ann,
        date=NOON,
        admin_rights=own,
        rank="chief",
    )
    mine = participant(stage, stage.bob, room, stage.bob)
    assert (mine.self, mine.can_edit, mine.inviter_id) == (True, False, stage.ann)
    assert not participant(stage, stage.eve, room, stage.bob).can_edit
    assert participant(stage, stage.eve, room, stage.ann).rank is None
    # No rank said: it stays. The same again: nothing happens.
    stage.promote(stage.ann, room, stage.bob, ban_users=True)
    assert participant(stage, stage.ann, room, stage.bob).rank == "chief"
    stage.promote(stage.ann, room, stage.bob, ban_users=True)
    assert stage.pushed_to() == set()
    stage.promote(stage.ann, room, stage.bob, ban_users=True, rank="")
    assert participant(stage, stage.ann, room, stage.bob).rank is None
    stage.promote(stage.ann, room, stage.bob)
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    assert chat_of(stage, stage.bob, room).admin_rights is None
    assert ids(stage, stage.ann, room, ADMINS) == [stage.ann]
    stage.promote(stage.ann, room, stage.bob)
    assert stage.pushed_to() == set()


def test_c5_who_is_made_an_admin_becomes_a_member(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    updates = stage.promote(stage.ann, room, stage.eve, other=True)
    added = [api.MessageActionChatAddUser(users=[stage.eve])]
    assert actions(updates.updates) == added == actions(stage.pushes(stage.bob))
    assert chat_of(stage, stage.eve, room).admin_rights == api.ChatAdminRights(other=True)
    news = make(stage, "broadcast")
    stage.promote(stage.ann, news, stage.bot, post_messages=True)
    assert chat_of(stage, stage.bot, news).admin_rights == api.ChatAdminRights(post_messages=True)
    assert stage.promote(stage.ann, news, stage.eve).updates == []  # nothing makes nobody
    with fault("CHANNEL_PRIVATE"):
        stage.call(
            stage.eve, api.channels.GetFullChannel(channel=stage.input_channel(stage.eve, news))
        )


def test_c5_a_new_admin_is_not_restricted(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.ban(stage.ann, room, stage.bob, send_messages=True)
    stage.promote(stage.ann, room, stage.bob, other=True)
    stage.send(stage.bob, room)
    stage.promote(stage.ann, room, stage.bob)
    stage.send(stage.bob, room)


def test_c0_1_4_rights_of_the_other_kind_of_channel_are_dropped(stage: Stage) -> None:
    news = make(stage, "broadcast", stage.bob)
    stage.promote(stage.ann, news, stage.bob, post_messages=True, pin_messages=True, anonymous=True)
    assert chat_of(stage, stage.bob, news).admin_rights == api.ChatAdminRights(post_messages=True)
    room = make(stage, "megagroup", stage.bob)
    stage.promote(stage.ann, room, stage.bob, post_messages=True, pin_messages=True)
    assert chat_of(stage, stage.bob, room).admin_rights == api.ChatAdminRights(pin_messages=True)


def test_c5_one_promotes_only_within_own_rights(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve)
    stage.promote(stage.ann, room, stage.bob, add_admins=True, ban_users=True)
    with fault("RIGHT_FORBIDDEN", 403):
        stage.promote(stage.bob, room, stage.eve, pin_messages=True)
    with fault("RIGHT_FORBIDDEN", 403):
        stage.promote(stage.bob, room, stage.bob, ban_users=True, pin_messages=True)
    with fault("USER_CREATOR"):
        stage.promote(stage.bob, room, stage.ann)
    stage.promote(stage.bob, room, stage.eve, ban_users=True, other=True)
    assert participant(stage, stage.bob, room, stage.eve).can_edit
    stage.promote(stage.ann, room, stage.eve, ban_users=True)  # by now the creator's admin
    with fault("CHAT_ADMIN_REQUIRED", 403):
        stage.promote(stage.bob, room, stage.eve)
    stage.promote(stage.bob, room, stage.bob)  # to step down is free
    assert ids(stage, stage.ann, room, ADMINS) == [stage.ann, stage.eve]
    with fault("CHAT_ADMIN_REQUIRED", 403):
        stage.promote(stage.bob, room, stage.bob)


def test_c5_faults_of_making_admins(make_stage: MakeStage) -> None:
    stage = make_stage(admins_max=2)
    room = make(stage, "megagroup", stage.bob)
    with fault("ADMIN_RANK_INVALID"):
        stage.promote(stage.ann, room, stage.bob, other=True, rank="seventeen letters")
    with fault("ADMIN_RANK_EMOJI_NOT_ALLOWED"):
        stage.promote(stage.ann, room, stage.bob, other=True, rank="king 👑")
    stage.ban(stage.ann, room, stage.eve, view_messages=True)
    with fault("USER_KICKED"):
        stage.promote(stage.ann, room, stage.eve, other=True)
    stage.block(stage.bot, stage.ann)
    with fault("USER_PRIVACY_RESTRICTED", 403):
        stage.promote(stage.ann, room, stage.bot, other=True)
    stage.promote(stage.ann, room, stage.bob, add_admins=True)
    with fault("ADMINS_TOO_MUCH"):
        stage.promote(stage.ann, room, stage.bot2, other=True)
    with stage.world.db.begin() as tx:
        tx.execute(users.update().where(users.c.id == stage.bot2).values(deleted=True))
    with fault("INPUT_USER_DEACTIVATED"):
        stage.promote(stage.ann, room, stage.bot2, other=True)
    where = stage.input_channel(stage.ann, room)
    default = api.ChatBannedRights(invite_users=True, until_date=0)
    stage.call(
        stage.ann,
        api.messages.EditChatDefaultBannedRights(
            peer=stage.input_peer(stage.ann, room), banned_rights=default
        ),
    )
    with fault("CHAT_ADMIN_INVITE_REQUIRED", 403):
        stage.promote(stage.bob, room, stage.bot, other=True)
    with fault("USER_ID_INVALID"):
        stage.call(
            stage.ann,
            api.channels.EditAdmin(
                channel=where,
                user_id=api.InputUserEmpty(),
                admin_rights=api.ChatAdminRights(),
                rank="",
            ),
        )


def test_c5_bots_promote_within_a_channel_s_own_rights(stage: Stage) -> None:
    news = make(stage, "broadcast", stage.bob)
    stage.promote(stage.ann, news, stage.bot, add_admins=True, post_messages=True)
    with fault("BOT_CHANNELS_NA"):
        stage.promote(stage.bot, news, stage.bob, pin_messages=True)
    stage.promote(stage.bot, news, stage.bob, post_messages=True)
    assert chat_of(stage, stage.bob, news).admin_rights == api.ChatAdminRights(post_messages=True)


def test_b6_15_the_creator_may_be_anonymous(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.promote(stage.ann, room, stage.ann, anonymous=True, rank="boss")
    assert participant(stage, stage.ann, room, stage.ann).admin_rights.anonymous
    sent = stage.send(stage.ann, room)
    message = stage.message(stage.bob, sent, room)
    assert (message.from_id, message.post_author) == (api.PeerChannel(channel_id=room), "boss")
    assert ids(stage, stage.bob, room) == [stage.bob]  # nobody sees who leads here
    assert ids(stage, stage.bob, room, ADMINS) == []
    with fault("USER_NOT_PARTICIPANT"):
        participant(stage, stage.bob, room, stage.ann)
    stage.promote(stage.ann, room, stage.ann)
    assert ids(stage, stage.bob, room, ADMINS) == [stage.ann]
    assert participant(stage, stage.bob, room, stage.ann).rank == "boss"


# ------------------------------------------------------------------ what bots are told


def test_c0_3_4_bots_that_are_admins_hear_of_members(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.bot, stage.bot2)
    stage.publish(stage.ann, room)
    stage.promote(stage.ann, room, stage.bot, other=True)
    (about_itself,) = (
        update
        for update in stage.pushes(stage.bot)
        if isinstance(update, api.UpdateChannelParticipant)
    )
    qts = about_itself.qts
    assert isinstance(about_itself.prev_participant, api.ChannelParticipant)
    assert isinstance(about_itself.new_participant, api.ChannelParticipantAdmin)

    def told() -> Any:
        assert not any(
            isinstance(update, api.UpdateChannelParticipant)
            for who in (stage.ann, stage.bob, stage.eve, stage.bot2)
            for update in stage.pushes(who)
        )
        (update,) = (
            update
            for update in stage.pushes(stage.bot)
            if isinstance(update, api.UpdateChannelParticipant)
        )
        shown = [
            None if value is None else type(value).__name__.removeprefix("ChannelParticipant")
            for value in (update.prev_participant, update.new_participant)
        ]
        return update.actor_id, update.user_id, *shown, update.qts - qts

    stage.join(stage.eve, room)
    assert told() == (stage.eve, stage.eve, None, "", 1)
    stage.promote(stage.ann, room, stage.eve, other=True)
    assert told() == (stage.ann, stage.eve, "", "Admin", 2)
    stage.promote(stage.ann, room, stage.eve)
    assert told() == (stage.ann, stage.eve, "Admin", "", 3)
    stage.ban(stage.ann, room, stage.eve, send_messages=True)
    assert told() == (stage.ann, stage.eve, "", "Banned", 4)
    stage.ban(stage.ann, room, stage.eve, view_messages=True)
    assert told() == (stage.ann, stage.eve, "Banned", "Banned", 5)
    stage.ban(stage.ann, room, stage.eve)
    assert told() == (stage.ann, stage.eve, "Banned", None, 6)
    stage.leave(stage.bob, room)
    assert told() == (stage.bob, stage.bob, "", None, 7)
    stage.go_offline(stage.bot)  # and what it missed it is told in the end
    stage.invite(stage.ann, room, stage.eve)
    request = api.updates.GetDifference(pts=1, date=NOON, qts=qts)
    missed = stage.call(stage.bot, request)
    counted = [one for one in missed.other_updates if isinstance(one, api.UpdateChannelParticipant)]
    assert [one.qts - qts for one in counted] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_c0_3_4_a_bot_hears_of_its_own_ban(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bot)
    stage.ban(stage.ann, room, stage.bot, view_messages=True)
    assert kinds(stage.pushes(stage.bot)) == ["UpdateChannel", "UpdateChannelParticipant"]


# ------------------------------------------------------------------ lists


def test_c5_lists_of_members(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve, stage.bot)
    stage.promote(stage.ann, room, stage.eve, other=True)
    assert ids(stage, stage.bob, room, ADMINS) == [stage.ann, stage.eve]
    assert ids(stage, stage.bob, room, BOTS) == [stage.bot]
    assert set(ids(stage, stage.bob, room)) == {stage.ann, stage.bob, stage.eve, stage.bot}
    search = api.ChannelParticipantsSearch
    assert ids(stage, stage.bob, room, search(q="")) == [
        stage.ann,
        stage.eve,
        *sorted((stage.bob, stage.bot)),
    ]
    assert ids(stage, stage.bob, room, search(q="BO")) == sorted((stage.bob, stage.bot))
    assert ids(stage, stage.bob, room, search(q="@annie")) == [stage.ann]
    assert ids(stage, stage.bob, room, search(q="%")) == []
    assert ids(stage, stage.bob, room, api.ChannelParticipantsMentions(q="ev")) == [stage.eve]
    assert ids(stage, stage.bob, room, api.ChannelParticipantsContacts(q="")) == []
    with stage.world.db.begin() as tx:
        tx.execute(contacts.insert().values(owner_id=stage.bob, user_id=stage.eve))
    assert ids(stage, stage.bob, room, api.ChannelParticipantsContacts(q="")) == [stage.eve]
    assert ids(stage, stage.bot, room, BOTS) == [stage.bot]


def test_c0_4_pages_of_members(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve, stage.bot)
    everybody = ids(stage, stage.ann, room)
    for options, expected in (
        ({"limit": 2}, everybody[:2]),
        ({"limit": 2, "offset": 1}, everybody[1:3]),
        ({"offset": 3}, everybody[3:]),
        ({"offset": -1, "limit": 1}, everybody[:1]),
        ({"limit": 0}, []),
        ({"limit": -1}, []),
        ({"offset": 2**31 - 1}, []),
    ):
        page = participants(stage, stage.ann, room, **options)
        assert [getattr(one, "user_id", 0) for one in page.participants] == expected
        assert page.count == 4
    same = paging.list_hash(everybody)
    unchanged = participants(stage, stage.ann, room, hash=same)
    assert isinstance(unchanged, api.channels.ChannelParticipantsNotModified)
    assert len(participants(stage, stage.ann, room, hash=same + 1).participants) == 4


@pytest.mark.parametrize(
    "kind",
    [
        RECENT,
        ADMINS,
        BOTS,
        api.ChannelParticipantsKicked(q=""),
        api.ChannelParticipantsSearch(q=""),
    ],
)
def test_c5_the_subscribers_of_a_channel_are_for_admins(stage: Stage, kind: Any) -> None:
    room = make(stage, "broadcast", stage.bob, stage.eve)
    stage.publish(stage.ann, room)
    for who in (stage.bob, stage.bot2):
        with fault("CHAT_ADMIN_REQUIRED", 403):
            participants(stage, who, room, kind)
    stage.promote(stage.ann, room, stage.eve, other=True)
    participants(stage, stage.eve, room, kind)


def test_c5_others_in_a_channel_are_for_admins(stage: Stage) -> None:
    room = make(stage, "broadcast", stage.bob)
    for target in (stage.ann, stage.eve):
        with fault("CHAT_ADMIN_REQUIRED", 403):
            participant(stage, stage.bob, room, target)
    assert participant(stage, stage.bob, room, stage.bob).user_id == stage.bob


def test_c5_hidden_members(make_stage: MakeStage) -> None:
    stage = make_stage(hidden_members_min=2)
    room = make(stage, "megagroup", stage.bob, stage.eve, stage.bot)
    where = stage.input_channel(stage.ann, room)
    stage.call(stage.ann, api.channels.ToggleParticipantsHidden(channel=where, enabled=True))
    search = api.ChannelParticipantsSearch(q="eve")
    for kind in (RECENT, search, api.ChannelParticipantsContacts(q="")):
        with fault("CHAT_ADMIN_REQUIRED", 403):
            participants(stage, stage.bob, room, kind)
    assert ids(stage, stage.bob, room, ADMINS) == [stage.ann]
    assert ids(stage, stage.bob, room, BOTS) == [stage.bot]
    assert participant(stage, stage.bob, room, stage.ann)
    with fault("CHAT_ADMIN_REQUIRED", 403):
        participant(stage, stage.bob, room, stage.eve)
    stage.promote(stage.ann, room, stage.bob, other=True)
    assert ids(stage, stage.bob, room, search) == [stage.eve]


def test_c5_lists_of_the_banned_are_for_admins(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve)
    stage.ban(stage.ann, room, stage.eve, view_messages=True)
    for kind in (api.ChannelParticipantsKicked(q=""), api.ChannelParticipantsBanned(q="")):
        with fault("CHAT_ADMIN_REQUIRED", 403):
            participants(stage, stage.bob, room, kind)
    assert ids(stage, stage.ann, room, api.ChannelParticipantsKicked(q="e")) == [stage.eve]
    assert ids(stage, stage.ann, room, api.ChannelParticipantsKicked(q="x")) == []
    with fault("USER_NOT_PARTICIPANT"):
        participant(stage, stage.bob, room, stage.eve)


def test_c5_what_somebody_is(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.bot)
    everything = participant(stage, stage.bob, room, stage.ann).admin_rights
    assert everything.add_admins
    assert not everything.anonymous
    assert participant(stage, stage.bob, room, stage.bot) == api.ChannelParticipant(
        user_id=stage.bot, date=NOON
    )
    mine = participant(stage, stage.bot, room, stage.bot)
    assert isinstance(mine, api.ChannelParticipantSelf)
    with fault("USER_NOT_PARTICIPANT"):
        participant(stage, stage.bob, room, stage.eve)
    where = stage.input_channel(stage.bot, room)
    found = stage.call(
        stage.bot,
        api.channels.GetParticipant(channel=where, participant=api.InputPeerSelf()),
    )
    assert found.participant == mine
    by_id = api.InputPeerUser(user_id=stage.bot, access_hash=stage.hash_of(stage.bot, stage.bot))
    request = api.channels.GetParticipant(channel=where, participant=by_id)
    assert stage.call(stage.bot, request).participant == mine
    with fault("USER_ID_INVALID"):
        by_id = api.InputPeerUser(user_id=stage.bot, access_hash=1)
        stage.call(stage.bot, api.channels.GetParticipant(channel=where, participant=by_id))


# ------------------------------------------------------------------ who may do it


RIGHTS = {
    "invite": ("invite_users", lambda s, who, room: s.invite(who, room, s.bot2)),
    "kick": ("ban_users", lambda s, who, room: s.ban(who, room, s.eve, view_messages=True)),
    "restrict": ("ban_users", lambda s, who, room: s.ban(who, room, s.eve, send_messages=True)),
    "promote": ("add_admins", lambda s, who, room: s.promote(who, room, s.eve, other=True)),
    "banned": (
        "other",
        lambda s, who, room: participants(s, who, room, api.ChannelParticipantsKicked(q="")),
    ),
}
"""What may be done, and the right that it takes."""


def attempt(stage: Stage, name: str, who: int, room: int) -> str:
    try:
        RIGHTS[name][1](stage, who, room)
    except RpcFault as error:
        return error.message
    return "ok"


@pytest.mark.parametrize("name", RIGHTS)
def test_b2_rights_in_a_supergroup(stage: Stage, name: str) -> None:
    right = RIGHTS[name][0]
    room = make(stage, "megagroup", stage.bob, stage.eve)
    default = api.ChatBannedRights(invite_users=True, until_date=0)
    peer = stage.input_peer(stage.ann, room)
    for restrict in (True, False):
        if restrict:
            stage.call(
                stage.ann,
                api.messages.EditChatDefaultBannedRights(peer=peer, banned_rights=default),
            )
        assert attempt(stage, name, stage.bob, room) == "CHAT_ADMIN_REQUIRED"
        stage.ban(stage.ann, room, stage.bob, send_messages=True)
        assert attempt(stage, name, stage.bob, room) == "CHAT_ADMIN_REQUIRED"
    every = [n for n in ("ban_users", "add_admins", "invite_users", "pin_messages") if n != right]
    if right != "other":
        stage.promote(stage.ann, room, stage.bob, **dict.fromkeys(every, True))
        assert attempt(stage, name, stage.bob, room) == "CHAT_ADMIN_REQUIRED"
    stage.promote(stage.ann, room, stage.bob, **{right: True})
    assert attempt(stage, name, stage.bob, room) == "ok"
    stage.leave(stage.bob, room)
    assert attempt(stage, name, stage.bob, room) == "CHANNEL_PRIVATE"
    stage.publish(stage.ann, room)
    outside = "CHAT_ADMIN_REQUIRED" if name == "banned" else "CHAT_WRITE_FORBIDDEN"
    assert attempt(stage, name, stage.bob, room) == outside
    stage.ban(stage.ann, room, stage.bob, view_messages=True)
    assert attempt(stage, name, stage.bob, room) == "CHANNEL_PRIVATE"
    assert attempt(stage, name, stage.ann, room) == "ok"


def test_c0_1_5_everybody_may_invite_where_nothing_forbids_it(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.invite(stage.bob, room, stage.eve)
    stage.ban(stage.ann, room, stage.bob, invite_users=True)
    with fault("CHAT_ADMIN_REQUIRED", 403):
        stage.invite(stage.bob, room, stage.bot)


@pytest.mark.parametrize("name", ["kick", "promote", "banned"])
def test_b2_a_bot_needs_the_right(stage: Stage, name: str) -> None:
    right = RIGHTS[name][0]
    room = make(stage, "megagroup", stage.eve, stage.bot)
    assert attempt(stage, name, stage.bot, room) == "CHAT_ADMIN_REQUIRED"
    stage.promote(stage.ann, room, stage.bot, **{right: True})
    assert attempt(stage, name, stage.bot, room) == "ok"


# ------------------------------------------------------------------ hostile


def test_c0_1_1_another_account_s_hash_is_of_no_use(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.eve)
    theirs = stage.input_channel(stage.ann, room)
    rights = api.ChatAdminRights(ban_users=True)
    banned = api.ChatBannedRights(view_messages=True, until_date=0)
    eve = stage.input_user(stage.bob, stage.eve)
    peer = stage.input_peer(stage.bob, stage.eve)
    zero = api.InputChannel(channel_id=room, access_hash=0)
    for where in (theirs, zero, api.InputChannelEmpty()):
        for request in (
            api.channels.JoinChannel(channel=where),
            api.channels.LeaveChannel(channel=where),
            api.channels.InviteToChannel(channel=where, users=[eve]),
            api.channels.EditAdmin(channel=where, user_id=eve, admin_rights=rights, rank=""),
            api.channels.EditBanned(channel=where, participant=peer, banned_rights=banned),
            api.channels.GetParticipant(channel=where, participant=peer),
            api.channels.GetParticipants(channel=where, filter=RECENT, offset=0, limit=9, hash=0),
        ):
            with fault("CHANNEL_INVALID"):
                stage.call(stage.bob, request)
    group = stage.group(stage.ann, stage.bob)
    with fault("CHANNEL_INVALID"):  # a basic group is no channel
        stage.leave(stage.bob, group)


BROKEN = "a\udcffb"
"""Text whose bytes are no UTF-8, as it comes out of a packet."""


def test_a11_broken_text_is_mended(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.promote(stage.ann, room, stage.bob, other=True, rank=BROKEN)
    assert participant(stage, stage.ann, room, stage.bob).rank == "a\N{REPLACEMENT CHARACTER}b"
    assert ids(stage, stage.ann, room, api.ChannelParticipantsSearch(q=BROKEN)) == []
    assert stage.call(stage.ann, api.contacts.Search(q=BROKEN, limit=9)).results == []
    name = api.account.UpdateProfile(first_name=BROKEN, about=BROKEN)
    assert stage.call(stage.bob, name).first_name == "a\N{REPLACEMENT CHARACTER}b"
    user = stage.input_user(stage.ann, stage.bob)
    contact = api.contacts.AddContact(id=user, first_name=BROKEN, last_name=BROKEN, phone="")
    (shown,) = (one for one in stage.call(stage.ann, contact).users if one.id == stage.bob)
    assert shown.last_name == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("layer", [133, 160, 200])
def test_a12_results_of_older_layers(stage: Stage, layer: int) -> None:
    room = make(stage, "megagroup", stage.bob)
    stage.publish(stage.ann, room)
    where = stage.input_channel(stage.eve, room)
    joined = stage.world.call(stage.eve, api.channels.JoinChannel(channel=where), layer=layer)
    assert joined.TL_NAME == "updates"
    users = [stage.input_user(stage.ann, stage.bot)]
    request = api.channels.InviteToChannel(
        channel=stage.input_channel(stage.ann, room), users=users
    )
    invited = stage.world.call(stage.ann, request, layer=layer)
    assert ("updates" if layer < 177 else "messages.invitedUsers") == invited.TL_NAME
    request = api.channels.GetFullChannel(channel=where)
    full = stage.world.call(stage.eve, request, layer=layer).full_chat
    assert (full.id, full.participants_count) == (room, 4)
    listed = stage.world.call(
        stage.eve,
        api.channels.GetParticipants(channel=where, filter=RECENT, offset=0, limit=10, hash=0),
        layer=layer,
    )
    assert listed.count == 4
