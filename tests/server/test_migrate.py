"""A basic group becomes a supergroup (C5, B6.17)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server import message_store
from radiogram.tl import api
from tests.server.stage import Stage, fault, kinds


def migrate(stage: Stage, who: int, group: int) -> Any:
    return stage.call(who, api.messages.MigrateChat(chat_id=group))


def become_supergroup(stage: Stage, owner: int, group: int) -> int:
    result = migrate(stage, owner, group)
    (chat,) = [one for one in result.chats if isinstance(one, api.Channel)]
    stage.chats[chat.id] = chat
    return chat.id


def set_admin(stage: Stage, group: int, target: int) -> None:
    user = stage.input_user(stage.ann, target)
    stage.call(stage.ann, api.messages.EditChatAdmin(chat_id=group, user_id=user, is_admin=True))


def test_c5_everybody_is_told_and_led_to_the_supergroup(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that ids differ
    group = stage.group(stage.ann, stage.bob, stage.eve)
    pts = {who: stage.state(who).pts for who in (stage.ann, stage.bob)}
    result = migrate(stage, stage.ann, group)
    expected = ["UpdateChat", "UpdateChannel", "UpdateNewMessage", "UpdateNewChannelMessage"]
    assert kinds(result.updates) == expected
    assert stage.pushed_to() == {stage.ann, stage.bob, stage.eve}
    for updates in (result.updates, stage.pushes(stage.bob)):
        assert kinds(updates) == expected
        channel = updates[1].channel_id
        assert updates[2].message.action == api.MessageActionChatMigrateTo(channel_id=channel)
        assert updates[2].message.peer_id == api.PeerChat(chat_id=group)
        first = updates[3].message
        assert (first.id, first.peer_id) == (1, api.PeerChannel(channel_id=channel))
        assert first.action == api.MessageActionChannelMigrateFrom(title="Group", chat_id=group)
        assert first.from_id == api.PeerUser(user_id=stage.ann)
    (push,) = [one for one in stage.world.pushed if one.user_id == stage.bob]
    assert isinstance(push.updates, api.Updates)
    old, new = push.updates.chats
    assert isinstance(old, api.Chat)
    assert isinstance(new, api.Channel)
    assert old.deactivated
    assert old.migrated_to == api.InputChannel(
        channel_id=new.id, access_hash=stage.channel_hash(stage.bob, new.id)
    )
    assert (new.megagroup, new.participants_count, new.title) == (True, 3, "Group")
    missed = stage.difference(stage.bob, pts[stage.bob])
    (message,) = missed.new_messages
    assert message.action == api.MessageActionChatMigrateTo(channel_id=new.id)
    assert [one.channel_id for one in missed.other_updates] == [new.id]
    stage.chats[new.id] = new
    news = stage.channel_difference(stage.bob, new.id, 1)
    assert kinds(news.new_messages) == ["MessageService"]


def test_c5_members_admins_and_rights_go_along(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.eve, stage.bot)
    set_admin(stage, group, stage.bob)
    eve = stage.input_user(stage.ann, stage.eve)
    stage.call(stage.ann, api.messages.DeleteChatUser(chat_id=group, user_id=eve))
    peer = stage.input_peer(stage.ann, group)
    stage.call(stage.ann, api.messages.EditChatAbout(peer=peer, about="About us"))
    banned = api.ChatBannedRights(until_date=0, send_polls=True)
    request = api.messages.EditChatDefaultBannedRights(peer=peer, banned_rights=banned)
    stage.call(stage.ann, request)
    stage.call(stage.ann, api.messages.ToggleNoForwards(peer=peer, enabled=True))
    room = become_supergroup(stage, stage.ann, group)

    def seen(who: int) -> Any:
        channel = stage.input_channel(who, room)
        (chat,) = stage.call(who, api.channels.GetChannels(id=[channel])).chats
        return chat

    mine = seen(stage.ann)
    assert (mine.creator, mine.participants_count, mine.noforwards) == (True, 3, True)
    assert mine.default_banned_rights.send_polls
    assert not mine.default_banned_rights.pin_messages
    theirs = seen(stage.bob)
    assert theirs.admin_rights.pin_messages
    assert theirs.admin_rights.ban_users
    assert not theirs.admin_rights.add_admins
    assert not theirs.admin_rights.post_messages
    assert seen(stage.bot).admin_rights is None
    assert isinstance(seen(stage.eve), api.ChannelForbidden)
    stage.send(stage.bob, room, "hello")
    assert stage.eve not in stage.pushed_to()


def test_b6_17_the_old_group_is_history(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    said = stage.send(stage.ann, group, "old")
    become_supergroup(stage, stage.ann, group)
    assert [getattr(m, "message", "-") for m in stage.history(stage.bob, group).messages] == [
        "-",
        "old",
        "-",
    ]
    peer = stage.input_peer(stage.ann, group)
    me = stage.input_user(stage.ann, stage.ann)
    for request in (
        api.messages.MigrateChat(chat_id=group),
        api.messages.DeleteChat(chat_id=group),
        api.messages.AddChatUser(
            chat_id=group, user_id=stage.input_user(stage.ann, stage.eve), fwd_limit=0
        ),
        api.messages.DeleteChatUser(chat_id=group, user_id=me),
        api.messages.EditChatTitle(chat_id=group, title="x"),
        api.messages.EditChatPhoto(chat_id=group, photo=api.InputChatPhotoEmpty()),
        api.messages.EditChatAdmin(chat_id=group, user_id=me, is_admin=True),
        api.messages.EditChatAbout(peer=peer, about="x"),
        api.messages.EditChatDefaultBannedRights(
            peer=peer, banned_rights=api.ChatBannedRights(until_date=0)
        ),
        api.messages.ToggleNoForwards(peer=peer, enabled=True),
        api.messages.ExportChatInvite(peer=peer),
        api.messages.SendMessage(peer=peer, message="x", random_id=7),
    ):
        with fault("CHAT_INVALID"):
            stage.call(stage.ann, request)
    info = stage.call(stage.bob, api.messages.GetFullChat(chat_id=group))
    assert info.chats[0].deactivated
    assert info.full_chat.exported_invite is None
    assert stage.read(stage.bob, group).pts_count == 1
    assert stage.delete(stage.ann, said).pts_count == 1


def test_b6_17_each_knows_where_the_old_history_ends_and_pins_stay_there(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that ids differ
    group = stage.group(stage.ann, stage.bob)
    said = stage.send(stage.ann, group, "pin me")
    with stage.world.db.begin() as tx:
        message_store.set_pinned(tx, stage.ann, [said], True)
    room = become_supergroup(stage, stage.ann, group)
    for who in (stage.ann, stage.bob):
        channel = stage.input_channel(who, room)
        full = stage.call(who, api.channels.GetFullChannel(channel=channel)).full_chat
        last = stage.history(who, group).messages[0].id
        assert (full.migrated_from_chat_id, full.migrated_from_max_id) == (group, last)
        assert full.pinned_msg_id is None
    old = stage.call(stage.ann, api.messages.GetFullChat(chat_id=group)).full_chat
    assert old.pinned_msg_id == said


def test_c5_who_may_migrate(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob, stage.bot)
    set_admin(stage, group, stage.bob)
    with fault("CHAT_ADMIN_REQUIRED", 403):
        migrate(stage, stage.bob, group)
    with fault("CHAT_ID_INVALID"):
        migrate(stage, stage.eve, group)
    with fault("BOT_METHOD_INVALID"):
        migrate(stage, stage.bot, group)
    stage.call(stage.ann, api.messages.DeleteChatUser(chat_id=group, user_id=api.InputUserSelf()))
    with fault("CHAT_WRITE_FORBIDDEN", 403):
        migrate(stage, stage.ann, group)


def test_c5_links_lead_to_the_supergroup(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    link = stage.call(stage.ann, api.messages.GetFullChat(chat_id=group)).full_chat
    name = link.exported_invite.link.rpartition("+")[2]
    room = become_supergroup(stage, stage.ann, group)
    result = stage.call(stage.eve, api.messages.ImportChatInvite(hash=name))
    assert [one.id for one in result.updates.chats] == [room]
    mine = stage.call(
        stage.ann,
        api.messages.GetExportedChatInvites(
            peer=stage.input_peer(stage.ann, room), admin_id=api.InputUserSelf(), limit=10
        ),
    )
    assert [one.link for one in mine.invites] == [link.exported_invite.link]


@pytest.mark.parametrize("layer", [158, 198])
def test_c5_an_older_layer_reads_it_too(stage: Stage, layer: int) -> None:
    group = stage.group(stage.ann, stage.bob)
    result: Any = stage.world.call(stage.ann, api.messages.MigrateChat(chat_id=group), layer=layer)
    assert [type(one).TL_NAME for one in result.chats] == ["chat", "channel"]


def test_c5_the_new_chat_is_in_everybodys_list_with_nothing_old_unread(stage: Stage) -> None:
    group = stage.group(stage.ann, stage.bob)
    room = become_supergroup(stage, stage.ann, group)
    assert stage.dialog(stage.ann, room).unread_count == 0
    assert stage.dialog(stage.bob, room).unread_count == 1
    assert stage.dialog(stage.bob, group).unread_count == 2
