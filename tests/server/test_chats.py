"""Basic groups: members, admins, names, rights, and what each of them is told (C5)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from radiogram.server import chat_store, message_store, render
from radiogram.server.tables import admin_log, contacts, users
from radiogram.tl import api
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds

OPEN = api.ChatBannedRights(until_date=0)


def add(stage: Stage, who: int, group: int, target: int, fwd_limit: int = 0) -> Any:
    user = stage.input_user(who, target)
    request = api.messages.AddChatUser(chat_id=group, user_id=user, fwd_limit=fwd_limit)
    return stage.call(who, request)


def remove(stage: Stage, who: int, group: int, target: int, *, revoke: bool = False) -> Any:
    user = stage.input_user(who, target)
    request = api.messages.DeleteChatUser(chat_id=group, user_id=user, revoke_history=revoke)
    return stage.call(who, request)


def set_admin(stage: Stage, who: int, group: int, target: int, *, is_admin: bool = True) -> Any:
    user = stage.input_user(who, target)
    request = api.messages.EditChatAdmin(chat_id=group, user_id=user, is_admin=is_admin)
    return stage.call(who, request)


def set_title(stage: Stage, who: int, group: int, title: str) -> Any:
    return stage.call(who, api.messages.EditChatTitle(chat_id=group, title=title))


def set_about(stage: Stage, who: int, chat: int, about: str) -> Any:
    peer = stage.input_peer(who, chat)
    return stage.call(who, api.messages.EditChatAbout(peer=peer, about=about))


def set_default(stage: Stage, who: int, chat: int, until_date: int = 0, **banned: bool) -> Any:
    banned_rights = api.ChatBannedRights(until_date=until_date, **banned)
    request = api.messages.EditChatDefaultBannedRights(
        peer=stage.input_peer(who, chat), banned_rights=banned_rights
    )
    return stage.call(who, request)


def set_noforwards(stage: Stage, who: int, chat: int, *, enabled: bool = True) -> Any:
    peer = stage.input_peer(who, chat)
    return stage.call(who, api.messages.ToggleNoForwards(peer=peer, enabled=enabled))


def chat_of(stage: Stage, who: int, group: int) -> Any:
    (chat,) = stage.call(who, api.messages.GetChats(id=[group])).chats
    return chat


def full(stage: Stage, who: int, group: int) -> Any:
    return stage.call(who, api.messages.GetFullChat(chat_id=group)).full_chat


def listed(stage: Stage, who: int, group: int) -> dict[int, str]:
    found = full(stage, who, group).participants.participants
    return {one.user_id: type(one).__name__.removeprefix("ChatParticipant") for one in found}


def make_contacts(stage: Stage, one: int, other: int) -> None:
    with stage.world.db.begin() as tx:
        for owner, user in ((one, other), (other, one)):
            tx.execute(contacts.insert().values(owner_id=owner, user_id=user, mutual=True))


def recent_actions(stage: Stage, chat: int) -> list[Any]:
    with stage.world.db.begin() as tx:
        statement = select(admin_log.c.action).where(admin_log.c.chat_id == chat)
        rows = tx.execute(statement.order_by(admin_log.c.id)).scalars()
        return [render.decode(row) for row in rows]


def service(updates: list[Any]) -> Any:
    """Return the only new message among updates."""
    (found,) = [one.message for one in updates if isinstance(one, api.UpdateNewMessage)]
    return found


def new_messages(stage: Stage, who: int, pts: int) -> list[Any]:
    return list(stage.difference(who, pts).new_messages)


# -------------------------------------------------------------------- making one


def test_c5_a_new_group_is_announced_to_all(stage: Stage) -> None:
    before = {who: stage.state(who).pts for who in stage.everybody}
    users_named = [stage.input_user(stage.ann, one) for one in (stage.bob, stage.eve, stage.bob)]
    result = stage.call(stage.ann, api.messages.CreateChat(users=users_named, title="  Trip \n"))
    assert result.missing_invitees == []
    assert stage.pushed_to() == {stage.ann, stage.bob, stage.eve}
    everybody = [stage.ann, stage.bob, stage.eve]
    for updates in (result.updates.updates, stage.pushes(stage.bob)):
        assert kinds(updates) == ["UpdateChatParticipants", "UpdateNewMessage"]
        assert [one.user_id for one in updates[0].participants.participants] == everybody
        message = service(updates)
        assert message.action == api.MessageActionChatCreate(title="Trip", users=everybody)
        assert message.from_id == api.PeerUser(user_id=stage.ann)
    (chat,) = result.updates.chats
    assert (chat.title, chat.creator, chat.participants_count) == ("Trip", True, 3)
    missed = stage.difference(stage.eve, before[stage.eve])
    assert kinds(missed.new_messages) == ["MessageService"]
    assert [(one.id, one.creator) for one in missed.chats] == [(chat.id, False)]
    assert {one.id for one in missed.users} == set(everybody)


def test_c5_a_group_cannot_be_made_of_nothing(make_stage: MakeStage) -> None:
    stage = make_stage(chat_size_max=3)

    def create(*others: int, title: str = "Group", **options: Any) -> Any:
        users_named = [stage.input_user(stage.ann, one) for one in others]
        request = api.messages.CreateChat(users=users_named, title=title, **options)
        return stage.call(stage.ann, request)

    with fault("CHAT_TITLE_EMPTY"):
        create(stage.bob, title=" \n")
    with fault("USERS_TOO_FEW"):
        create()
    with fault("USERS_TOO_FEW"):
        create(stage.ann)
    with fault("USERS_TOO_MUCH"):
        create(stage.bob, stage.eve, stage.bot)
    with fault("USERS_TOO_MUCH"):
        create(*[stage.bob] * 4)
    with fault("TTL_PERIOD_INVALID"):
        create(stage.bob, ttl_period=86400)
    with fault("USER_ID_INVALID"):
        wrong = api.InputUser(user_id=stage.bob, access_hash=1)
        stage.call(stage.ann, api.messages.CreateChat(users=[wrong], title="Group"))
    with fault("BOT_METHOD_INVALID"):
        stage.call(stage.bot, api.messages.CreateChat(users=[], title="Group"))
    stage.delete_account(stage.eve)
    with fault("INPUT_USER_DEACTIVATED"):
        create(stage.bob, stage.eve)
    with stage.world.db.begin() as tx:
        tx.execute(users.update().where(users.c.id == stage.ann).values(limited=True))
    with fault("USER_RESTRICTED", 406):
        create(stage.bob)
    assert stage.dialogs_of(stage.bob) == 0


def test_c5_whoever_blocks_the_maker_is_left_out_and_named(stage: Stage) -> None:
    stage.block(stage.bob, stage.ann)
    users_named = [stage.input_user(stage.ann, one) for one in (stage.bob, stage.eve)]
    result = stage.call(stage.ann, api.messages.CreateChat(users=users_named, title="Group"))
    assert result.missing_invitees == [api.MissingInvitee(user_id=stage.bob)]
    assert stage.pushed_to() == {stage.ann, stage.eve}
    (chat,) = result.updates.chats
    assert chat.participants_count == 2


def test_c5_titles_are_cut(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, title="x" * 200)
    assert chat_of(stage, stage.bob, group).title == "x" * 128


# -------------------------------------------------------------------- adding


def test_c5_a_new_member_is_announced_with_the_next_version(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    version = chat_of(stage, stage.ann, group).version
    pts = stage.state(stage.eve).pts
    result = add(stage, stage.bob, group, stage.eve)
    assert result.missing_invitees == []
    update = api.UpdateChatParticipantAdd(
        chat_id=group, user_id=stage.eve, inviter_id=stage.bob, date=NOON, version=version + 1
    )
    for updates in (result.updates.updates, stage.pushes(stage.ann)):
        assert kinds(updates) == ["UpdateChatParticipantAdd", "UpdateNewMessage"]
        assert updates[0] == update
        assert service(updates).action == api.MessageActionChatAddUser(users=[stage.eve])
        assert service(updates).from_id == api.PeerUser(user_id=stage.bob)
    told = stage.pushes(stage.eve)
    assert kinds(told) == ["UpdateChatParticipants", "UpdateNewMessage"]
    assert told[0].participants.version == version + 1
    assert len(told[0].participants.participants) == 3
    assert chat_of(stage, stage.ann, group).version == version + 1
    assert chat_of(stage, stage.eve, group).participants_count == 3
    assert listed(stage, stage.eve, group) == {
        stage.ann: "Creator",
        stage.bob: "",
        stage.eve: "",
    }
    (message,) = new_messages(stage, stage.eve, pts)
    assert message.action == api.MessageActionChatAddUser(users=[stage.eve])
    assert stage.dialog(stage.eve, group).unread_count == 1


def test_c5_fwd_limit_gives_the_newest_messages(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    stage.send(stage.bob, stage.eve)  # so that ids differ
    stage.send(stage.ann, group, "one")
    two = stage.send(stage.ann, group, "two")
    stage.send(stage.ann, group, "three", reply_to=api.InputReplyToMessage(reply_to_msg_id=two))
    pts = stage.state(stage.eve).pts
    add(stage, stage.ann, group, stage.eve, 2)
    told = stage.pushes(stage.eve)
    given = [one.message for one in told if isinstance(one, api.UpdateNewMessage)]
    assert [getattr(one, "message", None) for one in given] == ["two", "three", None]
    assert given[1].reply_to.reply_to_msg_id == given[0].id
    assert [one.pts for one in told if hasattr(one, "pts")] == [pts + 1, pts + 2, pts + 3]
    assert [one.id for one in stage.history(stage.eve, group).messages] == [
        one.id for one in reversed(given)
    ]
    assert stage.dialog(stage.eve, group).unread_count == 3
    assert new_messages(stage, stage.eve, pts) == given
    stage.edit(stage.ann, group, two, "TWO")  # a copy of the very message
    assert stage.message(stage.eve, given[0].id).message == "TWO"


def test_c5_what_somebody_holds_already_is_not_given_twice(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    stage.send(stage.ann, group, "old")
    remove(stage, stage.ann, group, stage.eve)
    stage.send(stage.ann, group, "new")
    add(stage, stage.ann, group, stage.eve, 1000)
    texts = [getattr(m, "message", "-") for m in stage.history(stage.eve, group).messages]
    assert texts == ["-", "new", "-", "old", "-"]
    remove(stage, stage.ann, group, stage.eve)
    add(stage, stage.ann, group, stage.eve, 1)  # of which the newest says that they go
    assert kinds(stage.pushes(stage.eve)) == ["UpdateChatParticipants", "UpdateNewMessage"]


def test_c5_bots_and_the_returned_are_given_no_history(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.eve)
    stage.send(stage.ann, group, "old")
    add(stage, stage.ann, group, stage.bot, 10)
    assert kinds(stage.pushes(stage.bot)) == [
        "UpdateChatParticipants",
        "UpdateChatParticipant",
        "UpdateNewMessage",
    ]
    remove(stage, stage.eve, group, stage.eve)
    stage.send(stage.ann, group, "missed")
    add(stage, stage.eve, group, stage.eve, 10)
    texts = [getattr(m, "message", "-") for m in stage.history(stage.eve, group).messages]
    assert "missed" not in texts


@pytest.mark.parametrize("number", [-5, 0])
def test_c5_no_fwd_limit_no_history(stage: Stage, number: int) -> None:
    group = stage.group(stage.ann, stage.bob)
    add(stage, stage.ann, group, stage.eve, number)
    assert kinds(stage.pushes(stage.eve)) == ["UpdateChatParticipants", "UpdateNewMessage"]


def test_c5_who_may_add(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    with fault("CHAT_ID_INVALID"):
        add(stage, stage.eve, group, stage.bot)
    set_default(stage, stage.ann, group, invite_users=True)
    with fault("CHAT_ADMIN_REQUIRED", 403):
        add(stage, stage.bob, group, stage.eve)
    set_admin(stage, stage.ann, group, stage.bob)
    add(stage, stage.bob, group, stage.eve)
    remove(stage, stage.eve, group, stage.eve)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        add(stage, stage.eve, group, stage.bot)
    with fault("BOT_METHOD_INVALID"):
        add(stage, stage.bot, group, stage.eve)


def test_c5_who_can_be_added(make_stage: MakeStage) -> None:
    stage = make_stage(chat_size_max=3)
    group = stage.group(stage.ann, stage.bob)
    with fault("USER_ALREADY_PARTICIPANT"):
        add(stage, stage.ann, group, stage.bob)
    with fault("USER_ALREADY_PARTICIPANT"):
        add(stage, stage.ann, group, stage.ann)
    with fault("USER_ID_INVALID"):
        request = api.messages.AddChatUser(chat_id=group, user_id=api.InputUserEmpty(), fwd_limit=0)
        stage.call(stage.ann, request)
    stage.block(stage.ann, stage.eve)
    with fault("YOU_BLOCKED_USER"):
        add(stage, stage.ann, group, stage.eve)
    stage.unblock(stage.ann, stage.eve)
    stage.block(stage.eve, stage.ann)
    result = add(stage, stage.ann, group, stage.eve)
    assert result.missing_invitees == [api.MissingInvitee(user_id=stage.eve)]
    assert result.updates.updates == []
    assert stage.pushed_to() == set()
    with fault("USER_PRIVACY_RESTRICTED", 403):
        request = api.messages.AddChatUser(
            chat_id=group, user_id=stage.input_user(stage.ann, stage.eve), fwd_limit=0
        )
        stage.world.call(stage.ann, request, layer=176)
    add(stage, stage.bob, group, stage.eve)
    with fault("USERS_TOO_MUCH"):
        add(stage, stage.ann, group, stage.bot)
    remove(stage, stage.ann, group, stage.eve)
    stage.delete_account(stage.eve)
    with fault("INPUT_USER_DEACTIVATED"):
        add(stage, stage.ann, group, stage.eve)


def test_c5_who_left_comes_back_alone_or_by_a_mutual_contact(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    remove(stage, stage.bob, group, stage.bob)
    with fault("USER_NOT_MUTUAL_CONTACT", 403):
        add(stage, stage.ann, group, stage.bob)
    make_contacts(stage, stage.ann, stage.bob)
    add(stage, stage.ann, group, stage.bob)
    remove(stage, stage.bob, group, stage.bob)
    set_default(stage, stage.ann, group, invite_users=True)
    result = add(stage, stage.bob, group, stage.bob)
    assert service(result.updates.updates).action == api.MessageActionChatAddUser(users=[stage.bob])
    remove(stage, stage.ann, group, stage.bob)
    with fault("CHAT_WRITE_FORBIDDEN", 403):  # thrown out: no way back
        add(stage, stage.bob, group, stage.bob)
    remove(stage, stage.ann, group, stage.ann)
    add(stage, stage.ann, group, stage.ann)
    assert kinds(stage.pushes(stage.eve))[0] == "UpdateChatParticipants"  # the creator is back
    assert chat_of(stage, stage.ann, group).creator


# -------------------------------------------------------------------- going


def test_c5_leaving(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    set_admin(stage, stage.ann, group, stage.bob)
    version = chat_of(stage, stage.ann, group).version
    pts = stage.state(stage.bob).pts
    result = remove(stage, stage.bob, group, stage.bob)
    assert kinds(result.updates) == ["UpdateChatParticipants", "UpdateNewMessage"]
    assert result.updates[0].participants == api.ChatParticipantsForbidden(chat_id=group)
    action = api.MessageActionChatDeleteUser(user_id=stage.bob)
    assert service(result.updates).action == action
    (chat,) = result.chats
    assert (chat.left, chat.participants_count, chat.admin_rights) == (True, 2, None)
    told = stage.pushes(stage.eve)
    assert told[0] == api.UpdateChatParticipantDelete(
        chat_id=group, user_id=stage.bob, version=version + 1
    )
    assert service(told).action == action
    assert service(told).from_id == api.PeerUser(user_id=stage.bob)
    (message,) = new_messages(stage, stage.bob, pts)
    assert message.action == action
    stage.send(stage.ann, group, "they are gone")
    assert stage.bob not in stage.pushed_to()
    assert isinstance(full(stage, stage.bob, group).participants, api.ChatParticipantsForbidden)
    with fault("USER_NOT_PARTICIPANT"):
        remove(stage, stage.bob, group, stage.bob)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.send(stage.bob, group)
    assert set(listed(stage, stage.ann, group)) == {stage.ann, stage.eve}


def test_c5_being_thrown_out(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    pts = stage.state(stage.bob).pts
    result = remove(stage, stage.ann, group, stage.bob)
    assert kinds(result.updates) == ["UpdateChatParticipantDelete", "UpdateNewMessage"]
    told = stage.pushes(stage.bob)
    assert kinds(told) == ["UpdateChatParticipants", "UpdateNewMessage"]
    assert service(told).from_id == api.PeerUser(user_id=stage.ann)
    (push,) = [one for one in stage.world.pushed if one.user_id == stage.bob]
    assert isinstance(push.updates, api.Updates)
    assert push.updates.chats == [api.ChatForbidden(id=group, title="Group")]
    missed = stage.difference(stage.bob, pts)
    assert missed.chats == [api.ChatForbidden(id=group, title="Group")]
    assert kinds(missed.new_messages) == ["MessageService"]
    assert len(stage.history(stage.bob, group).messages) == 2  # the past stays theirs


def test_c5_who_may_throw_out_whom(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    add(stage, stage.bob, group, stage.bot)
    with fault("CHAT_ADMIN_REQUIRED"):
        remove(stage, stage.bob, group, stage.eve)
    with fault("CHAT_ADMIN_REQUIRED"):
        remove(stage, stage.bob, group, stage.ann)
    with fault("CHAT_ADMIN_REQUIRED"):
        remove(stage, stage.bot, group, stage.eve)
    remove(stage, stage.bob, group, stage.bot)  # whom one brought in, one may take out
    with fault("USER_NOT_PARTICIPANT"):
        remove(stage, stage.ann, group, stage.bot)
    set_admin(stage, stage.ann, group, stage.bob)
    set_admin(stage, stage.ann, group, stage.eve)
    with fault("CHAT_ADMIN_REQUIRED"):
        remove(stage, stage.bob, group, stage.eve)
    with fault("CHAT_ADMIN_REQUIRED"):
        remove(stage, stage.bob, group, stage.ann)
    set_admin(stage, stage.ann, group, stage.eve, is_admin=False)
    remove(stage, stage.bob, group, stage.eve)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        remove(stage, stage.eve, group, stage.bob)
    with fault("CHAT_ID_INVALID"):
        remove(stage, stage.bot2, group, stage.bob)
    remove(stage, stage.ann, group, stage.bob)
    with fault("USER_ID_INVALID"):
        request = api.messages.DeleteChatUser(
            chat_id=group, user_id=api.InputUser(user_id=1, access_hash=1)
        )
        stage.call(stage.ann, request)


def test_c5_bots_leave_and_admin_bots_throw_out(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.bot, stage.bot2)
    set_admin(stage, stage.ann, group, stage.bot)
    remove(stage, stage.bot, group, stage.bob)
    remove(stage, stage.bot2, group, stage.bot2)
    assert set(listed(stage, stage.ann, group)) == {stage.ann, stage.bot}


def test_c5_deleted_accounts_can_be_taken_out(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    stage.delete_account(stage.bob)
    remove(stage, stage.ann, group, stage.bob)
    assert set(listed(stage, stage.ann, group)) == {stage.ann}


def test_c5_revoke_history_deletes_all_they_wrote(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    stage.send(stage.bob, group, "one")
    stage.send(stage.ann, group, "mine")
    hidden = stage.send(stage.bob, group, "two")
    stage.delete(stage.bob, hidden)  # for themselves only
    pts = {who: stage.state(who).pts for who in (stage.ann, stage.bob, stage.eve)}
    result = remove(stage, stage.ann, group, stage.bob, revoke=True)
    assert kinds(result.updates) == [
        "UpdateChatParticipantDelete",
        "UpdateDeleteMessages",
        "UpdateNewMessage",
    ]
    assert [one.pts for one in result.updates[1:]] == [pts[stage.ann] + 2, pts[stage.ann] + 3]
    for who, gone in ((stage.ann, 2), (stage.eve, 2), (stage.bob, 1)):
        texts = [getattr(one, "message", "-") for one in stage.history(who, group).messages]
        assert texts == ["-", "mine", "-"]
        missed = stage.difference(who, pts[who])
        (deletion,) = missed.other_updates
        assert deletion.pts_count == gone
        assert kinds(missed.new_messages) == ["MessageService"]


def test_c5_the_last_one_leaves_an_empty_group(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    remove(stage, stage.bob, group, stage.bob)
    remove(stage, stage.ann, group, stage.ann)
    assert chat_of(stage, stage.ann, group).participants_count == 0
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.send(stage.ann, group)


# -------------------------------------------------------------------- admins


def test_c5_admins_are_made_by_the_creator(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    version = chat_of(stage, stage.ann, group).version
    assert set_admin(stage, stage.ann, group, stage.bob) is True
    update = api.UpdateChatParticipantAdmin(
        chat_id=group, user_id=stage.bob, is_admin=True, version=version + 1
    )
    assert stage.pushes(stage.eve) == [update]
    assert stage.pushes(stage.ann) == [update]  # the caller's other sessions
    assert chat_of(stage, stage.bob, group).admin_rights.pin_messages
    assert chat_of(stage, stage.eve, group).admin_rights is None
    assert listed(stage, stage.eve, group)[stage.bob] == "Admin"
    assert set_admin(stage, stage.ann, group, stage.bob) is True  # nothing new
    assert stage.pushed_to() == set()
    with fault("CHAT_ADMIN_REQUIRED"):
        set_admin(stage, stage.bob, group, stage.eve)
    with fault("USER_NOT_PARTICIPANT"):
        set_admin(stage, stage.ann, group, stage.bot)
    with fault("USER_ID_INVALID"):
        set_admin(stage, stage.ann, group, stage.ann, is_admin=False)
    with fault("CHAT_ID_INVALID"):
        set_admin(stage, stage.ann, group + 1, stage.bob)
    with fault("BOT_METHOD_INVALID"):
        set_admin(stage, stage.bot, group, stage.bob)
    set_admin(stage, stage.ann, group, stage.bob, is_admin=False)
    assert chat_of(stage, stage.bob, group).admin_rights is None
    assert chat_of(stage, stage.bob, group).version == version + 2


def test_c0_3_4_bots_hear_of_members_by_qts(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.bot)
    state = stage.state(stage.bot)
    set_admin(stage, stage.ann, group, stage.bot)
    (update,) = [u for u in stage.pushes(stage.bot) if isinstance(u, api.UpdateChatParticipant)]
    assert (update.user_id, update.actor_id, update.qts) == (stage.bot, stage.ann, state.qts + 1)
    assert kinds([update.prev_participant, update.new_participant]) == [
        "ChatParticipant",
        "ChatParticipantAdmin",
    ]
    add(stage, stage.bob, group, stage.eve)
    (update,) = [u for u in stage.pushes(stage.bot) if isinstance(u, api.UpdateChatParticipant)]
    assert (update.user_id, update.prev_participant) == (stage.eve, None)
    remove(stage, stage.ann, group, stage.bot)
    (update,) = [u for u in stage.pushes(stage.bot) if isinstance(u, api.UpdateChatParticipant)]
    assert (update.user_id, update.new_participant) == (stage.bot, None)
    remove(stage, stage.ann, group, stage.eve)
    assert stage.bot not in stage.pushed_to()
    missed = stage.call(
        stage.bot, api.updates.GetDifference(pts=state.pts, date=NOON, qts=state.qts)
    )
    logged = [u for u in missed.other_updates if isinstance(u, api.UpdateChatParticipant)]
    assert [one.qts for one in logged] == [state.qts + number for number in (1, 2, 3)]
    assert missed.state.qts == state.qts + 3
    assert {stage.eve, stage.ann, stage.bot} <= {one.id for one in missed.users}


def test_c0_3_4_a_bot_hears_that_it_was_put_into_a_new_group(stage: Stage) -> None:
    stage.group(stage.ann, stage.bob, stage.bot)
    assert kinds(stage.pushes(stage.bot)) == [
        "UpdateChatParticipants",
        "UpdateChatParticipant",
        "UpdateNewMessage",
    ]
    assert "UpdateChatParticipant" not in kinds(stage.pushes(stage.bob))


# -------------------------------------------------------------------- name, picture, description


def test_c5_a_new_title_is_announced(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    pts = stage.state(stage.eve).pts
    result = set_title(stage, stage.bob, group, " New ")
    action = api.MessageActionChatEditTitle(title="New")
    assert service(result.updates).action == action
    assert service(stage.pushes(stage.eve)).action == action
    assert [one.title for one in result.chats] == ["New"]
    missed = stage.difference(stage.eve, pts)
    assert [one.title for one in missed.chats] == ["New"]
    with fault("CHAT_NOT_MODIFIED"):
        set_title(stage, stage.bob, group, "New")
    with fault("CHAT_TITLE_EMPTY"):
        set_title(stage, stage.bob, group, "")


def test_c5_who_may_change_a_title(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve, stage.bot)
    with fault("CHAT_ADMIN_REQUIRED"):  # what everybody may do, bots may not (B2)
        set_title(stage, stage.bot, group, "Bot's")
    set_default(stage, stage.ann, group, change_info=True)
    with fault("CHAT_ADMIN_REQUIRED"):
        set_title(stage, stage.bob, group, "Bob's")
    for admin in (stage.bob, stage.bot):
        set_admin(stage, stage.ann, group, admin)
        set_title(stage, admin, group, f"{admin}'s")
    remove(stage, stage.eve, group, stage.eve)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        set_title(stage, stage.eve, group, "Eve's")
    with fault("CHAT_ID_INVALID"):
        set_title(stage, stage.bot2, group, "Mine")


def test_c5_pictures_are_refused(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)

    def set_photo(who: int, photo: api.TypeInputChatPhoto) -> Any:
        return stage.call(who, api.messages.EditChatPhoto(chat_id=group, photo=photo))

    with fault("CHAT_NOT_MODIFIED"):
        set_photo(stage.ann, api.InputChatPhotoEmpty())
    with fault("PHOTO_INVALID"):
        set_photo(stage.bob, api.InputChatPhoto(id=api.InputPhotoEmpty()))
    with fault("CHAT_ID_INVALID"):
        set_photo(stage.eve, api.InputChatPhotoEmpty())


@pytest.mark.parametrize("kind", [None, "megagroup", "broadcast"])
def test_c5_descriptions(stage: Stage, kind: str | None) -> None:
    chat = (
        stage.channel(stage.ann, stage.bob, **{kind: True})
        if kind
        else stage.group(stage.ann, stage.bob)
    )
    assert set_about(stage, stage.ann, chat, " About us ") is True
    expected: Any = api.UpdateChannel(channel_id=chat) if kind else api.UpdateChat(chat_id=chat)
    assert stage.pushes(stage.bob) == [expected]
    with fault("CHAT_ABOUT_NOT_MODIFIED"):
        set_about(stage, stage.ann, chat, "About us")
    with fault("CHAT_ABOUT_TOO_LONG"):
        set_about(stage, stage.ann, chat, "x" * 256)
    if kind is None:
        assert full(stage, stage.bob, chat).about == "About us"
        set_default(stage, stage.ann, chat, change_info=True)
    if kind != "megagroup":
        with fault("CHAT_ADMIN_REQUIRED"):
            set_about(stage, stage.bob, chat, "Bob's")
    with fault("CHANNEL_PRIVATE" if kind else "PEER_ID_INVALID"):
        set_about(stage, stage.eve, chat, "Eve's")
    with fault("PEER_ID_INVALID"):
        set_about(stage, stage.ann, stage.bob, "Bob")


# -------------------------------------------------------------------- rights of everybody


def test_c5_default_rights_of_a_group(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    version = chat_of(stage, stage.ann, group).version
    result = set_default(stage, stage.ann, group, send_messages=True, pin_messages=True)
    (update,) = result.updates
    assert update.peer == api.PeerChat(chat_id=group)
    assert update.version == version + 1
    assert update.default_banned_rights.send_messages
    assert stage.pushes(stage.eve) == [update]
    assert chat_of(stage, stage.eve, group).default_banned_rights.pin_messages
    with fault("CHAT_NOT_MODIFIED"):
        set_default(stage, stage.ann, group, send_messages=True, pin_messages=True)
    with fault("BANNED_RIGHTS_INVALID"):
        set_default(stage, stage.ann, group, view_messages=True)
    with fault("UNTIL_DATE_INVALID"):
        set_default(stage, stage.ann, group, until_date=NOON + 60, send_messages=True)
    with fault("CHAT_ADMIN_REQUIRED"):
        set_default(stage, stage.bob, group)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.send(stage.bob, group)
    set_admin(stage, stage.ann, group, stage.bob)
    set_default(stage, stage.bob, group, until_date=0x7FFFFFFF)
    stage.send(stage.eve, group)
    with fault("PEER_ID_INVALID"):
        set_default(stage, stage.ann, stage.bob)
    with fault("PEER_ID_INVALID"):
        set_default(stage, stage.bot, group)


def test_c5_default_rights_of_a_supergroup(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    result = set_default(stage, stage.ann, room, send_messages=True)
    assert result.updates == [api.UpdateChannel(channel_id=room)]
    assert stage.pushes(stage.bob) == [api.UpdateChannel(channel_id=room)]
    (push,) = [one for one in stage.world.pushed if one.user_id == stage.bob]
    assert isinstance(push.updates, api.Updates)
    (chat,) = push.updates.chats
    assert isinstance(chat, api.Channel)
    assert chat.default_banned_rights is not None
    assert chat.default_banned_rights.send_messages
    with fault("CHAT_ADMIN_REQUIRED"):
        set_default(stage, stage.bob, room)
    with fault("CHANNEL_PRIVATE"):
        set_default(stage, stage.eve, room)
    news = stage.channel(stage.ann, broadcast=True)
    with fault("PEER_ID_INVALID"):
        set_default(stage, stage.ann, news, send_messages=True)


@pytest.mark.parametrize("kind", [None, "megagroup", "broadcast"])
def test_c3_protected_content(stage: Stage, kind: str | None) -> None:
    chat = (
        stage.channel(stage.ann, stage.bob, **{kind: True})
        if kind
        else stage.group(stage.ann, stage.bob)
    )
    said = stage.send(stage.ann, chat)
    result = set_noforwards(stage, stage.ann, chat)
    expected: Any = api.UpdateChannel(channel_id=chat) if kind else api.UpdateChat(chat_id=chat)
    assert result.updates == [expected]
    assert [one.noforwards for one in result.chats] == [True]
    assert stage.pushes(stage.bob) == [expected]
    with fault("CHAT_FORWARDS_RESTRICTED"):
        stage.forward(stage.ann, chat, [said], stage.eve)
    with fault("CHAT_NOT_MODIFIED"):
        set_noforwards(stage, stage.ann, chat)
    with fault("CHAT_ADMIN_REQUIRED"):
        set_noforwards(stage, stage.bob, chat, enabled=False)
    with fault("REQUEST_MSG_EXPIRED"):
        request = api.messages.ToggleNoForwards(
            peer=stage.input_peer(stage.ann, chat), enabled=False, request_msg_id=said
        )
        stage.call(stage.ann, request)
    set_noforwards(stage, stage.ann, chat, enabled=False)
    stage.forward(stage.ann, chat, [said], stage.eve)
    with fault("PEER_ID_INVALID"):
        set_noforwards(stage, stage.ann, stage.bob)


# -------------------------------------------------------------------- reading


def test_c5_get_full_chat(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.bot)
    result = stage.call(stage.ann, api.messages.GetFullChat(chat_id=group))
    info = result.full_chat
    assert info.bot_info == [api.BotInfo(user_id=stage.bot, commands=[])]
    assert info.available_reactions == api.ChatReactionsNone()
    assert info.can_set_username
    assert info.exported_invite.permanent
    assert info.pinned_msg_id is None
    assert {one.id for one in result.users} == {stage.ann, stage.bob, stage.bot}
    assert [one.id for one in result.chats] == [group]
    others = full(stage, stage.bob, group)
    assert (others.exported_invite, others.can_set_username) == (None, False)
    assert full(stage, stage.bot, group).participants == info.participants
    with fault("CHAT_ID_INVALID"):
        full(stage, stage.eve, group)
    remove(stage, stage.ann, group, stage.bob)
    thrown = stage.call(stage.bob, api.messages.GetFullChat(chat_id=group))
    assert isinstance(thrown.full_chat.participants, api.ChatParticipantsForbidden)
    assert thrown.chats == [api.ChatForbidden(id=group, title="Group")]


def test_b8_7_the_pin_of_a_group_is_each_members_own(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that ids differ
    group = stage.group(stage.ann, stage.bob)
    mine = stage.send(stage.ann, group, "pin me")
    (told,) = stage.pushes(stage.bob)
    with stage.world.db.begin() as tx:
        message_store.set_pinned(tx, stage.ann, [mine], True)
        message_store.set_pinned(tx, stage.bob, [told.message.id], True)
    assert full(stage, stage.ann, group).pinned_msg_id == mine
    assert full(stage, stage.bob, group).pinned_msg_id == told.message.id


def test_c5_get_chats(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    other = stage.group(stage.ann, stage.eve)
    room = stage.channel(stage.ann, megagroup=True)
    get = api.messages.GetChats
    assert [one.id for one in stage.call(stage.ann, get(id=[other, group, other])).chats] == [
        group,
        other,
    ]
    assert stage.call(stage.ann, get(id=[])).chats == []
    for ids in ([group, other], [room], [0], [-group], [2**63 - 1], [group] * 201):
        with fault("CHAT_ID_INVALID"):
            stage.call(stage.bob, get(id=ids))


# -------------------------------------------------------------------- its end


def test_c5_deleting_a_group(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)
    remove(stage, stage.eve, group, stage.eve)
    stage.send(stage.ann, group, "gone")
    delete = api.messages.DeleteChat(chat_id=group)
    with fault("CHAT_ADMIN_REQUIRED"):
        stage.call(stage.bob, delete)
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        stage.call(stage.eve, delete)
    with fault("CHAT_ID_INVALID"):
        stage.call(stage.ann, api.messages.DeleteChat(chat_id=group + 1))
    with fault("BOT_METHOD_INVALID"):
        stage.call(stage.bot, delete)
    pts = stage.state(stage.bob).pts
    assert stage.call(stage.ann, delete) is True
    assert stage.pushed_to() == {stage.ann, stage.bob}
    assert kinds(stage.pushes(stage.bob)) == ["UpdateChatParticipants", "UpdateDeleteMessages"]
    assert stage.pushes(stage.bob)[1].pts_count == 3
    missed = stage.difference(stage.bob, pts)
    assert kinds(missed.other_updates) == ["UpdateDeleteMessages"]
    assert stage.history(stage.bob, group).messages == []
    assert len(stage.history(stage.eve, group).messages) == 2  # who left keeps the past
    assert isinstance(chat_of(stage, stage.ann, group), api.ChatForbidden)
    for call in (
        lambda: stage.call(stage.ann, delete),
        lambda: stage.send(stage.bob, group),
        lambda: add(stage, stage.eve, group, stage.eve),
        lambda: set_about(stage, stage.ann, group, "x"),
    ):
        with fault("CHAT_INVALID"):
            call()


def test_c5_giving_a_chat_away_needs_a_password(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve)

    def give(who: int, target: int) -> Any:
        return stage.call(
            who,
            api.messages.EditChatCreator(
                peer=stage.input_peer(who, group),
                user_id=stage.input_user(who, target),
                password=api.InputCheckPasswordEmpty(),
            ),
        )

    with fault("CHAT_ADMIN_REQUIRED"):
        give(stage.bob, stage.eve)
    with fault("PASSWORD_MISSING"):
        give(stage.ann, stage.bob)
    stage.delete_account(stage.eve)
    with fault("INPUT_USER_DEACTIVATED"):
        give(stage.ann, stage.eve)


def test_c5_changes_of_a_channel_are_recent_actions(stage: Stage) -> None:
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    set_about(stage, stage.ann, room, "About us")
    set_default(stage, stage.ann, room, send_polls=True)
    set_noforwards(stage, stage.ann, room)
    about, default, protected = recent_actions(stage, room)[-3:]
    assert about == api.ChannelAdminLogEventActionChangeAbout(prev_value="", new_value="About us")
    assert default.prev_banned_rights.pin_messages
    assert default.new_banned_rights.send_polls
    assert protected == api.ChannelAdminLogEventActionToggleNoForwards(new_value=True)
    group = stage.group(stage.ann, stage.bob)
    set_about(stage, stage.ann, group, "About us")
    assert recent_actions(stage, group) == []  # basic groups keep no log


# -------------------------------------------------------------------- older layers, bad input


def test_c5_older_layers_get_plain_updates(stage: Stage) -> None:
    users_named = [stage.input_user(stage.ann, stage.bob)]
    request = api.messages.CreateChat(users=users_named, title="Old")
    result: Any = stage.world.call(stage.ann, request, layer=158)
    assert type(result).TL_NAME == "updates"
    (chat,) = result.chats
    added: Any = stage.world.call(
        stage.ann,
        api.messages.AddChatUser(
            chat_id=chat.id, user_id=stage.input_user(stage.ann, stage.eve), fwd_limit=0
        ),
        layer=158,
    )
    assert [type(one).TL_NAME for one in added.updates] == [
        "updateChatParticipantAdd",
        "updateNewMessage",
    ]


WRONG_IDS = [0, -1, 1, 2**31, 2**63 - 1, -(2**63)]


@pytest.mark.parametrize("number", WRONG_IDS)
def test_wrong_ids_are_refused_everywhere(stage: Stage, number: int) -> None:
    stage.group(stage.ann, stage.bob)
    me = api.InputUserSelf()
    peer = api.InputPeerChat(chat_id=number)
    for request in (
        api.messages.GetFullChat(chat_id=number),
        api.messages.AddChatUser(chat_id=number, user_id=me, fwd_limit=1),
        api.messages.DeleteChatUser(chat_id=number, user_id=me),
        api.messages.EditChatTitle(chat_id=number, title="x"),
        api.messages.EditChatPhoto(chat_id=number, photo=api.InputChatPhotoEmpty()),
        api.messages.EditChatAdmin(chat_id=number, user_id=me, is_admin=True),
        api.messages.DeleteChat(chat_id=number),
        api.messages.MigrateChat(chat_id=number),
    ):
        with fault("CHAT_ID_INVALID"):
            stage.call(stage.ann, request)
    for request in (
        api.messages.EditChatAbout(peer=peer, about="x"),
        api.messages.EditChatDefaultBannedRights(peer=peer, banned_rights=OPEN),
        api.messages.ToggleNoForwards(peer=peer, enabled=True),
    ):
        with fault("PEER_ID_INVALID"):
            stage.call(stage.ann, request)


def test_texts_that_are_no_utf_8_are_cleaned(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, title="a\udcff\0b")
    title = chat_of(stage, stage.bob, group).title
    assert title.encode()
    set_title(stage, stage.ann, group, "\udcffnew")
    set_about(stage, stage.ann, group, "\udc80about")
    assert full(stage, stage.bob, group).about.endswith("about")


def test_a_hundred_thousand_names_are_not_looked_up(stage: Stage) -> None:
    request = api.messages.CreateChat(users=[api.InputUserSelf()] * 100_000, title="Big")
    with fault("USERS_TOO_MUCH"):
        stage.call(stage.ann, request)


LAYERS = [158, 177, 198, 214, 228]


@pytest.mark.parametrize("layer", LAYERS)
def test_c5_a_group_in_older_layers(stage: Stage, layer: int) -> None:
    group = stage.group(stage.ann, stage.bob, stage.bot)
    found: Any = stage.world.call(stage.ann, api.messages.GetFullChat(chat_id=group), layer=layer)
    assert type(found.full_chat).TL_NAME == "chatFull"
    assert found.full_chat.exported_invite.permanent
    assert len(found.full_chat.participants.participants) == 3
    assert [type(one).TL_NAME for one in found.chats] == ["chat"]
    gone: Any = stage.world.call(
        stage.ann,
        api.messages.DeleteChatUser(chat_id=group, user_id=stage.input_user(stage.ann, stage.bob)),
        layer=layer,
    )
    assert [type(one).TL_NAME for one in gone.updates] == [
        "updateChatParticipantDelete",
        "updateNewMessage",
    ]


def test_versions_rise_by_one_with_every_change(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    seen = [chat_of(stage, stage.ann, group).version]

    def note(updates: list[Any]) -> None:
        seen.extend(one.version for one in updates if hasattr(one, "version"))

    note(add(stage, stage.ann, group, stage.eve).updates.updates)
    set_admin(stage, stage.ann, group, stage.eve)
    note(stage.pushes(stage.ann))
    note(set_default(stage, stage.ann, group, send_polls=True).updates)
    note(remove(stage, stage.ann, group, stage.eve).updates)
    assert seen == list(range(seen[0], seen[0] + 5))
    assert chat_of(stage, stage.ann, group).version == seen[-1]


@pytest.mark.slow
def test_a_full_group_of_two_hundred(stage: Stage) -> None:
    owner = stage.ann
    others = [stage.world.add_user(f"99966{n:05d}", f"U{n}").id for n in range(10100, 10299)]
    group = stage.group(owner, *others)
    assert chat_of(stage, owner, group).participants_count == 200
    with fault("USERS_TOO_MUCH"):
        add(stage, owner, group, stage.bob)
    with stage.world.db.begin() as tx:
        assert len(chat_store.member_ids(tx, group)) == 200
