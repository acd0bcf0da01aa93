"""Invite links and requests to join (C5)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from radiogram.server import chat_store, invites, render, rights
from radiogram.server.tables import admin_log, contacts, users
from radiogram.tl import api
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds

KINDS = ["group", "megagroup", "broadcast"]


def make(stage: Stage, kind: str, *others: int) -> int:
    if kind == "group":
        return stage.group(stage.ann, *(others or (stage.bob,)))
    return stage.channel(stage.ann, *(others or (stage.bob,)), **{kind: True})


def export(stage: Stage, who: int, chat: int, **options: Any) -> Any:
    peer = stage.input_peer(who, chat)
    return stage.call(who, api.messages.ExportChatInvite(peer=peer, **options))


def new_hash(stage: Stage, who: int, chat: int, **options: Any) -> str:
    return str(export(stage, who, chat, **options).link).rpartition("+")[2]


def check(stage: Stage, who: int, name: str) -> Any:
    return stage.call(who, api.messages.CheckChatInvite(hash=name))


def join(stage: Stage, who: int, name: str) -> Any:
    return stage.call(who, api.messages.ImportChatInvite(hash=name))


def edit(stage: Stage, who: int, chat: int, link: str, **options: Any) -> Any:
    peer = stage.input_peer(who, chat)
    request = api.messages.EditExportedChatInvite(peer=peer, link=link, **options)
    return stage.call(who, request)


def get(stage: Stage, who: int, chat: int, link: str) -> Any:
    peer = stage.input_peer(who, chat)
    return stage.call(who, api.messages.GetExportedChatInvite(peer=peer, link=link))


def links_of(stage: Stage, who: int, chat: int, admin: int, **options: Any) -> Any:
    options.setdefault("limit", 100)
    request = api.messages.GetExportedChatInvites(
        peer=stage.input_peer(who, chat), admin_id=stage.input_user(who, admin), **options
    )
    return stage.call(who, request)


def importers(stage: Stage, who: int, chat: int, **options: Any) -> Any:
    fields: dict[str, Any] = {"offset_date": 0, "offset_user": api.InputUserEmpty(), "limit": 100}
    peer = stage.input_peer(who, chat)
    return stage.call(who, api.messages.GetChatInviteImporters(peer=peer, **{**fields, **options}))


def decide(stage: Stage, who: int, chat: int, target: int, *, approved: bool = True) -> Any:
    request = api.messages.HideChatJoinRequest(
        peer=stage.input_peer(who, chat),
        user_id=stage.input_user(who, target),
        approved=approved,
    )
    return stage.call(who, request)


def decide_all(stage: Stage, who: int, chat: int, **options: Any) -> Any:
    peer = stage.input_peer(who, chat)
    return stage.call(who, api.messages.HideAllChatJoinRequests(peer=peer, **options))


def promote(stage: Stage, chat: int, who: int, *names: str) -> None:
    mask = sum(rights.ADMIN[name] for name in names or ("invite_users",))
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, chat, who, admin_rights=mask)


def change_member(stage: Stage, chat: int, who: int, **values: Any) -> None:
    with stage.world.db.begin() as tx:
        chat_store.save_member(tx, chat, who, **values)


def ask(stage: Stage, who: int, name: str) -> None:
    with fault("INVITE_REQUEST_SENT"):
        join(stage, who, name)


# -------------------------------------------------------------------- joining


def test_c5_joining_a_group_by_a_link(stage: Stage) -> None:
    group = make(stage, "group")
    name = new_hash(stage, stage.ann, group)
    result = join(stage, stage.eve, name)
    assert isinstance(result, api.messages.ChatInviteJoinResultOk)
    mine = result.updates.updates
    assert kinds(mine) == ["UpdateChatParticipants", "UpdateNewMessage"]
    message = mine[1].message
    assert message.action == api.MessageActionChatJoinedByLink(inviter_id=stage.ann)
    assert (message.from_id, message.out) == (api.PeerUser(user_id=stage.eve), True)
    assert stage.pushed_to() == {stage.ann, stage.bob, stage.eve}
    told = stage.pushes(stage.bob)
    assert kinds(told) == ["UpdateChatParticipantAdd", "UpdateNewMessage"]
    assert (told[0].user_id, told[0].inviter_id) == (stage.eve, stage.ann)
    assert told[1].message.from_id == api.PeerUser(user_id=stage.eve)
    with fault("USER_ALREADY_PARTICIPANT"):
        join(stage, stage.eve, name)
    assert get(stage, stage.ann, group, name).invite.usage == 1
    found = importers(stage, stage.ann, group, link=name)
    assert [(one.user_id, one.date, one.requested) for one in found.importers] == [
        (stage.eve, NOON, False)
    ]
    assert {one.id for one in found.users} == {stage.eve}


def test_c5_joining_a_supergroup_by_a_link(stage: Stage) -> None:
    room = make(stage, "megagroup")
    result = join(stage, stage.eve, new_hash(stage, stage.ann, room))
    assert kinds(result.updates.updates) == ["UpdateChannel", "UpdateNewChannelMessage"]
    (told,) = stage.pushes(stage.bob)
    assert told.message.action == api.MessageActionChatJoinedByLink(inviter_id=stage.ann)
    assert told.message.from_id == api.PeerUser(user_id=stage.eve)
    assert stage.pushed_to() == {stage.ann, stage.bob, stage.eve}
    stage.send(stage.eve, room, "hello")


def test_c5_joining_a_broadcast_channel_by_a_link_is_not_announced(stage: Stage) -> None:
    news = make(stage, "broadcast")
    result = join(stage, stage.eve, new_hash(stage, stage.ann, news))
    assert result.updates.updates == [api.UpdateChannel(channel_id=news)]
    assert [one.left for one in result.updates.chats] == [False]
    assert stage.pushed_to() == {stage.eve}


@pytest.mark.parametrize("kind", KINDS)
def test_c5_older_layers_get_plain_updates(stage: Stage, kind: str) -> None:
    name = new_hash(stage, stage.ann, make(stage, kind))
    request = api.messages.ImportChatInvite(hash=name)
    result: Any = stage.world.call(stage.eve, request, layer=198)
    assert type(result).TL_NAME == "updates"


@pytest.mark.parametrize("kind", KINDS)
def test_c5_links_that_are_good_for_nothing(stage: Stage, kind: str) -> None:
    chat = make(stage, kind)
    limited = new_hash(stage, stage.ann, chat, usage_limit=1)
    timed = new_hash(stage, stage.ann, chat, expire_date=NOON + 60)
    revoked = new_hash(stage, stage.ann, chat)
    edit(stage, stage.ann, chat, revoked, revoked=True)
    check(stage, stage.eve, timed)
    stage.world.clock.freeze(NOON + 60)
    join(stage, stage.eve, limited)
    other = stage.world.add_user("9996624444", "Dan").id
    for call in (check, join):
        for name in (limited, timed, revoked, "A" * 16):
            with fault("INVITE_HASH_EXPIRED", 406):
                call(stage, other, name)
        with fault("INVITE_HASH_EMPTY"):
            call(stage, other, "")
        for name in ("A", "A" * 17, "https://t.me/+" + timed, "\0" * 16, "é" * 16):
            with fault("INVITE_HASH_INVALID"):
                call(stage, other, name)
        with fault("BOT_METHOD_INVALID"):
            call(stage, stage.bot, timed)


def test_c5_who_was_thrown_out_stays_out(stage: Stage) -> None:
    group = make(stage, "group", stage.eve)
    name = new_hash(stage, stage.ann, group)
    user = stage.input_user(stage.ann, stage.eve)
    stage.call(stage.ann, api.messages.DeleteChatUser(chat_id=group, user_id=user))
    for call in (check, join):
        with fault("INVITE_HASH_EXPIRED", 406):
            call(stage, stage.eve, name)
    room = make(stage, "megagroup", stage.eve)
    name = new_hash(stage, stage.ann, room)
    change_member(stage, room, stage.eve, state=chat_store.KICKED, banned_rights=rights.VIEW)
    with fault("CHANNEL_PRIVATE", 406):
        check(stage, stage.eve, name)
    with fault("CHANNEL_PRIVATE"):
        join(stage, stage.eve, name)


def test_c5_who_left_may_come_back(stage: Stage) -> None:
    group = make(stage, "group", stage.eve)
    name = new_hash(stage, stage.ann, group)
    request = api.messages.DeleteChatUser(chat_id=group, user_id=api.InputUserSelf())
    stage.call(stage.eve, request)
    join(stage, stage.eve, name)
    stage.send(stage.eve, group)


def test_c5_a_full_group(make_stage: MakeStage) -> None:
    stage = make_stage(chat_size_max=2, megagroup_size_max=2)
    for kind in ("group", "megagroup"):
        name = new_hash(stage, stage.ann, make(stage, kind))
        with fault("USERS_TOO_MUCH"):
            join(stage, stage.eve, name)


def test_c5_who_is_in_too_many_channels(make_stage: MakeStage) -> None:
    stage = make_stage(channels_max=1)
    room = make(stage, "megagroup")
    open_one = new_hash(stage, stage.ann, room)
    closed = new_hash(stage, stage.ann, room, request_needed=True)
    ask(stage, stage.eve, closed)
    stage.channel(stage.eve, megagroup=True)
    with fault("CHANNELS_TOO_MUCH"):
        join(stage, stage.eve, open_one)
    with fault("USER_CHANNELS_TOO_MUCH", 403):
        decide(stage, stage.ann, room, stage.eve)
    decide_all(stage, stage.ann, room, approved=True)
    with fault("CHANNEL_PRIVATE"):
        stage.send(stage.eve, room)
    group = make(stage, "group")
    join(stage, stage.eve, new_hash(stage, stage.ann, group))
    with fault("CHANNELS_TOO_MUCH"):
        stage.call(stage.ann, api.messages.MigrateChat(chat_id=group))


def test_c0_3_4_bots_hear_who_joined_a_supergroup_and_how(stage: Stage) -> None:
    room = make(stage, "megagroup", stage.bob, stage.bot)
    promote(stage, room, stage.bot)
    name = new_hash(stage, stage.ann, room)
    join(stage, stage.eve, name)
    (update,) = [u for u in stage.pushes(stage.bot) if isinstance(u, api.UpdateChannelParticipant)]
    assert (update.user_id, update.actor_id) == (stage.eve, stage.eve)
    assert isinstance(update.invite, api.ChatInviteExported)
    assert update.invite.link.endswith(name)


def test_c5_who_joins_by_a_link_sees_no_hidden_prehistory(stage: Stage) -> None:
    room = make(stage, "megagroup")
    stage.send(stage.ann, room, "before")
    with stage.world.db.begin() as tx:
        chat_store.change_chat(tx, room, prehistory_hidden=True)
    join(stage, stage.eve, new_hash(stage, stage.ann, room))
    stage.send(stage.ann, room, "after")
    seen = [getattr(m, "message", "-") for m in stage.history(stage.eve, room).messages]
    assert seen == ["after", "-"]


def test_c5_the_creator_sees_links_of_who_was_an_admin(stage: Stage) -> None:
    group = make(stage, "group", stage.bob, stage.eve)
    promote(stage, group, stage.bob)
    promote(stage, group, stage.eve)
    link = export(stage, stage.bob, group).link
    change_member(stage, group, stage.bob, admin_rights=None)
    assert [one.link for one in links_of(stage, stage.ann, group, stage.bob).invites] == [link]
    assert links_of(stage, stage.ann, group, stage.eve).count == 0
    with fault("CHAT_ADMIN_REQUIRED"):
        links_of(stage, stage.bob, group, stage.bob)


def test_c5_a_deleted_group(stage: Stage) -> None:
    group = make(stage, "group")
    name = new_hash(stage, stage.ann, group)
    stage.call(stage.ann, api.messages.DeleteChat(chat_id=group))
    for call in (check, join):
        with fault("INVITE_HASH_EXPIRED", 406):
            call(stage, stage.eve, name)


# -------------------------------------------------------------------- looking at a link


@pytest.mark.parametrize("kind", KINDS)
def test_c5_what_a_link_leads_to(stage: Stage, kind: str) -> None:
    chat = make(stage, kind)
    with stage.world.db.begin() as tx:
        tx.execute(contacts.insert().values(owner_id=stage.eve, user_id=stage.bob))
        chat_store.change_chat(tx, chat, about="About us")
    name = new_hash(stage, stage.ann, chat)
    seen = check(stage, stage.eve, name)
    assert isinstance(seen, api.ChatInvite)
    flags = (seen.channel, seen.broadcast, seen.megagroup, seen.public)
    assert (
        flags
        == {
            "group": (False, False, False, False),
            "megagroup": (True, False, True, False),
            "broadcast": (True, True, False, False),
        }[kind]
    )
    assert (seen.participants_count, seen.about, seen.request_needed) == (2, "About us", False)
    known = None if kind == "broadcast" else [stage.bob]
    assert known == (seen.participants and [one.id for one in seen.participants])
    mine = check(stage, stage.bob, name)
    assert isinstance(mine, api.ChatInviteAlready)
    assert mine.chat.id == chat
    asked = check(stage, stage.eve, new_hash(stage, stage.ann, chat, request_needed=True))
    assert asked.request_needed


# -------------------------------------------------------------------- making links


@pytest.mark.parametrize("kind", KINDS)
def test_c5_every_chat_has_a_primary_link(stage: Stage, kind: str) -> None:
    chat = make(stage, kind)
    (invite,) = links_of(stage, stage.ann, chat, stage.ann).invites
    assert invite.permanent
    assert invite.link.startswith("https://t.me/+")
    join(stage, stage.eve, invite.link.rpartition("+")[2])
    new = export(stage, stage.ann, chat, legacy_revoke_permanent=True)
    assert new.permanent
    assert new.link != invite.link
    assert [one.link for one in links_of(stage, stage.ann, chat, stage.ann).invites] == [new.link]
    (old,) = links_of(stage, stage.ann, chat, stage.ann, revoked=True).invites
    assert (old.link, old.revoked) == (invite.link, True)


def test_c5_what_a_link_says(stage: Stage) -> None:
    group = make(stage, "group")
    invite = export(
        stage, stage.ann, group, expire_date=NOON + 60, usage_limit=5, title=" Friends " * 20
    )
    assert (invite.admin_id, invite.date) == (stage.ann, NOON)
    assert (invite.expire_date, invite.usage_limit, invite.usage) == (NOON + 60, 5, None)
    assert invite.title == (" Friends " * 20).strip()[:32]
    assert not invite.permanent
    open_one = export(stage, stage.ann, group, expire_date=0, usage_limit=0, title=" ")
    assert (open_one.expire_date, open_one.usage_limit, open_one.title) == (None, None, None)


@pytest.mark.parametrize("kind", KINDS)
def test_c5_links_are_made_by_admins_with_the_right(stage: Stage, kind: str) -> None:
    chat = make(stage, kind, stage.bob, stage.bot)
    for who in (stage.bob, stage.bot):
        with fault("CHAT_ADMIN_REQUIRED"):
            export(stage, who, chat)
        promote(stage, chat, who, "delete_messages")
        with fault("CHAT_ADMIN_REQUIRED"):
            export(stage, who, chat)
        promote(stage, chat, who, "invite_users")
        assert export(stage, who, chat).admin_id == who
    with fault("PEER_ID_INVALID" if kind == "group" else "CHANNEL_PRIVATE"):
        export(stage, stage.eve, chat)
    change_member(stage, chat, stage.bob, state=chat_store.LEFT)
    code = 403 if kind == "group" else 400
    with fault("CHAT_WRITE_FORBIDDEN" if kind == "group" else "CHANNEL_PRIVATE", code):
        export(stage, stage.bob, chat)


def test_c5_links_that_cannot_be_made(stage: Stage) -> None:
    group = make(stage, "group")
    with fault("EXPIRE_DATE_INVALID"):
        export(stage, stage.ann, group, expire_date=NOON)
    with fault("EXPIRE_DATE_INVALID"):
        export(stage, stage.ann, group, expire_date=-1)
    for number in (-1, 100_000, 2**31 - 1):
        with fault("USAGE_LIMIT_INVALID"):
            export(stage, stage.ann, group, usage_limit=number)
    with fault("USAGE_LIMIT_INVALID"):
        export(stage, stage.ann, group, usage_limit=1, request_needed=True)
    pricing = api.StarsSubscriptionPricing(period=60, amount=1)
    with fault("PRICING_CHAT_INVALID"):
        export(stage, stage.ann, group, subscription_pricing=pricing)
    with fault("PEER_ID_INVALID"):
        export(stage, stage.ann, stage.bob)


# -------------------------------------------------------------------- changing links


def test_c5_editing_a_link(stage: Stage) -> None:
    group = make(stage, "group")
    link = export(stage, stage.ann, group, usage_limit=1).link
    same = edit(stage, stage.ann, group, link, title="Name", expire_date=NOON + 9).invite
    assert (same.title, same.expire_date, same.usage_limit) == ("Name", NOON + 9, 1)
    with fault("USAGE_LIMIT_INVALID"):
        edit(stage, stage.ann, group, link, request_needed=True)
    open_one = edit(
        stage, stage.ann, group, link, usage_limit=0, expire_date=0, request_needed=True
    ).invite
    assert (open_one.expire_date, open_one.usage_limit) == (None, None)
    assert open_one.request_needed
    assert get(stage, stage.ann, group, link).invite == open_one
    for text in ("A" * 16, "", "nonsense", "https://example.com/+" + "A" * 16):
        with fault("INVITE_HASH_EXPIRED"):
            edit(stage, stage.ann, group, text, title="x")
    other = make(stage, "group")
    with fault("INVITE_HASH_EXPIRED"):
        edit(stage, stage.ann, other, link, title="x")
    with fault("USAGE_LIMIT_INVALID"):
        edit(stage, stage.ann, group, link, usage_limit=-1)


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "+{}",
        "t.me/+{}",
        "https://t.me/joinchat/{}",
        "tg://join?invite={}",
        "http://www.telegram.me/+{}/",
    ],
)
def test_c5_a_link_is_known_in_every_form(stage: Stage, form: str) -> None:
    group = make(stage, "group")
    name = new_hash(stage, stage.ann, group)
    found = get(stage, stage.ann, group, form.format(name))
    assert found.invite.link == "https://t.me/+" + name
    assert [one.id for one in found.users] == [stage.ann]


def test_c5_revoking_a_link(stage: Stage) -> None:
    group = make(stage, "group")
    link = export(stage, stage.ann, group).link
    result = edit(stage, stage.ann, group, link, revoked=True)
    assert isinstance(result, api.messages.ExportedChatInvite)
    assert isinstance(result.invite, api.ChatInviteExported)
    assert result.invite.revoked
    with fault("INVITE_HASH_EXPIRED"):
        edit(stage, stage.ann, group, link, revoked=True)
    (primary,) = links_of(stage, stage.ann, group, stage.ann).invites
    with fault("CHAT_INVITE_PERMANENT"):
        edit(stage, stage.ann, group, primary.link, title="x")
    replaced = edit(stage, stage.ann, group, primary.link, revoked=True)
    assert isinstance(replaced, api.messages.ExportedChatInviteReplaced)
    (current,) = links_of(stage, stage.ann, group, stage.ann).invites
    assert replaced.new_invite == current
    assert current.permanent


def test_c5_deleting_links(stage: Stage) -> None:
    group = make(stage, "group")
    peer = stage.input_peer(stage.ann, group)
    link = export(stage, stage.ann, group).link
    delete = api.messages.DeleteExportedChatInvite(peer=peer, link=link)
    with fault("INVITE_REVOKED_MISSING"):
        stage.call(stage.ann, delete)
    edit(stage, stage.ann, group, link, revoked=True)
    assert stage.call(stage.ann, delete) is True
    with fault("INVITE_HASH_EXPIRED"):
        stage.call(stage.ann, delete)
    for _ in range(3):
        export(stage, stage.ann, group, legacy_revoke_permanent=True)
    assert links_of(stage, stage.ann, group, stage.ann, revoked=True).count == 3
    clear = api.messages.DeleteRevokedExportedChatInvites(
        peer=peer, admin_id=stage.input_user(stage.ann, stage.ann)
    )
    assert stage.call(stage.ann, clear) is True
    assert links_of(stage, stage.ann, group, stage.ann, revoked=True).invites == []
    assert links_of(stage, stage.ann, group, stage.ann).count == 1


def test_c5_changes_of_links_are_recent_actions(stage: Stage) -> None:
    room = make(stage, "megagroup")
    link = export(stage, stage.ann, room).link
    edit(stage, stage.ann, room, link, title="Friends")
    edit(stage, stage.ann, room, link, revoked=True)
    peer = stage.input_peer(stage.ann, room)
    stage.call(stage.ann, api.messages.DeleteExportedChatInvite(peer=peer, link=link))
    with stage.world.db.begin() as tx:
        rows = tx.execute(select(admin_log.c.action).order_by(admin_log.c.id)).scalars()
        found: list[Any] = [render.decode(row) for row in rows]
    edited, revoked, deleted = found[-3:]
    assert (edited.prev_invite.title, edited.new_invite.title) == (None, "Friends")
    assert isinstance(revoked, api.ChannelAdminLogEventActionExportedInviteRevoke)
    assert isinstance(deleted, api.ChannelAdminLogEventActionExportedInviteDelete)
    assert deleted.invite.revoked


@pytest.mark.parametrize("kind", KINDS)
def test_c5_others_links_are_for_the_creator(stage: Stage, kind: str) -> None:
    chat = make(stage, kind, stage.bob, stage.eve, stage.bot)
    promote(stage, chat, stage.bob)
    promote(stage, chat, stage.bot)
    mine = export(stage, stage.ann, chat).link
    theirs = export(stage, stage.bob, chat).link
    bots = export(stage, stage.bot, chat).link
    with fault("CHAT_ADMIN_REQUIRED"):
        get(stage, stage.bob, chat, mine)
    with fault("CHAT_ADMIN_REQUIRED"):
        edit(stage, stage.bob, chat, mine, title="x")
    with fault("CHAT_ADMIN_REQUIRED"):
        links_of(stage, stage.bob, chat, stage.ann)
    with fault("CHAT_ADMIN_REQUIRED"):
        edit(stage, stage.bot, chat, theirs, title="x")
    assert [one.link for one in links_of(stage, stage.bob, chat, stage.bob).invites] == [theirs]
    assert get(stage, stage.ann, chat, theirs).invite.admin_id == stage.bob
    assert edit(stage, stage.ann, chat, theirs, revoked=True).invite.revoked
    with fault("EDIT_BOT_INVITE_FORBIDDEN", 403):
        edit(stage, stage.ann, chat, bots, title="x")
    assert edit(stage, stage.bot, chat, bots, title="Mine").invite.title == "Mine"
    with fault("ADMIN_ID_INVALID"):
        links_of(stage, stage.ann, chat, stage.eve)
    with fault("ADMIN_ID_INVALID"):
        wrong = api.InputUser(user_id=stage.bob, access_hash=1)
        request = api.messages.DeleteRevokedExportedChatInvites(
            peer=stage.input_peer(stage.ann, chat), admin_id=wrong
        )
        stage.call(stage.ann, request)
    admins = api.messages.GetAdminsWithInvites(peer=stage.input_peer(stage.ann, chat))
    found = stage.call(stage.ann, admins)
    counts = {one.admin_id: (one.invites_count, one.revoked_invites_count) for one in found.admins}
    assert counts == {stage.ann: (2, 0), stage.bob: (0, 1), stage.bot: (1, 0)}
    assert {one.id for one in found.users} == set(counts)
    with fault("CHAT_ADMIN_REQUIRED"):
        peer = stage.input_peer(stage.bob, chat)
        stage.call(stage.bob, api.messages.GetAdminsWithInvites(peer=peer))


def test_c5_pages_of_links(stage: Stage) -> None:
    group = make(stage, "group")
    for number in range(5):
        stage.world.clock.freeze(NOON + number // 2)
        export(stage, stage.ann, group)
    every = links_of(stage, stage.ann, group, stage.ann).invites
    assert len(every) == 6
    paged: list[Any] = []
    options: dict[str, Any] = {}
    while True:
        page = links_of(stage, stage.ann, group, stage.ann, limit=2, **options)
        assert page.count == 6
        if not page.invites:
            break
        paged += page.invites
        options = {"offset_date": paged[-1].date, "offset_link": paged[-1].link}
    assert paged == every
    assert len(links_of(stage, stage.ann, group, stage.ann, limit=-1).invites) == 6


# -------------------------------------------------------------------- requests


@pytest.mark.parametrize("kind", KINDS)
def test_c5_a_request_waits_for_an_admin(stage: Stage, kind: str) -> None:
    chat = make(stage, kind, stage.bob, stage.bot)
    promote(stage, chat, stage.bot)
    with stage.world.db.begin() as tx:
        tx.execute(users.update().where(users.c.id == stage.eve).values(about="I am Eve"))
    name = new_hash(stage, stage.ann, chat, request_needed=True)
    qts = stage.state(stage.bot).qts
    ask(stage, stage.eve, name)
    assert stage.pushed_to() == {stage.ann, stage.bot}
    peer: Any = api.PeerChat(chat_id=chat) if kind == "group" else api.PeerChannel(channel_id=chat)
    assert stage.pushes(stage.ann) == [
        api.UpdatePendingJoinRequests(peer=peer, requests_pending=1, recent_requesters=[stage.eve])
    ]
    (update,) = stage.pushes(stage.bot)
    assert isinstance(update, api.UpdateBotChatInviteRequester)
    assert (update.user_id, update.about, update.qts) == (stage.eve, "I am Eve", qts + 1)
    assert isinstance(update.invite, api.ChatInviteExported)
    assert update.invite.link.endswith(name)
    ask(stage, stage.eve, name)  # once more changes nothing
    assert stage.pushed_to() == set()
    invite = get(stage, stage.ann, chat, name).invite
    assert (invite.requested, invite.usage) == (1, None)
    (waiting,) = importers(stage, stage.ann, chat, requested=True).importers
    assert (waiting.user_id, waiting.about, waiting.requested) == (stage.eve, "I am Eve", True)
    if kind == "group":
        full = stage.call(stage.ann, api.messages.GetFullChat(chat_id=chat)).full_chat
        assert (full.requests_pending, full.recent_requesters) == (1, [stage.eve])
        full = stage.call(stage.bob, api.messages.GetFullChat(chat_id=chat)).full_chat
        assert full.requests_pending is None

    result = decide(stage, stage.ann, chat, stage.eve)
    told = stage.pushes(stage.bob)
    done = api.UpdatePendingJoinRequests(peer=peer, requests_pending=0, recent_requesters=[])
    assert done in result.updates
    if kind == "broadcast":
        assert told == []
        assert stage.pushes(stage.eve) == [api.UpdateChannel(channel_id=chat)]
    else:
        message = told[-1].message
        assert message.action == api.MessageActionChatJoinedByRequest()
        assert (message.from_id, message.out) == (api.PeerUser(user_id=stage.eve), False)
        own = stage.pushes(stage.eve)[-1].message
        assert (own.action, own.out) == (message.action, True)
    if kind == "group":
        assert kinds(stage.pushes(stage.eve)) == ["UpdateChatParticipants", "UpdateNewMessage"]
        assert kinds(stage.pushes(stage.bot)) == [
            "UpdateChatParticipantAdd",
            "UpdateChatParticipant",
            "UpdateNewMessage",
        ]
    (joined,) = importers(stage, stage.ann, chat, link=name).importers
    assert (joined.user_id, joined.approved_by, joined.about) == (stage.eve, stage.ann, None)
    with fault("USER_ALREADY_PARTICIPANT"):
        decide(stage, stage.ann, chat, stage.eve)
    with fault("USER_ALREADY_PARTICIPANT"):
        join(stage, stage.eve, name)


def test_c5_a_request_can_be_refused(stage: Stage) -> None:
    group = make(stage, "group")
    name = new_hash(stage, stage.ann, group, request_needed=True)
    ask(stage, stage.eve, name)
    result = decide(stage, stage.ann, group, stage.eve, approved=False)
    assert kinds(result.updates) == ["UpdatePendingJoinRequests"]
    assert stage.pushed_to() == {stage.ann}
    with fault("HIDE_REQUESTER_MISSING"):
        decide(stage, stage.ann, group, stage.eve)
    ask(stage, stage.eve, name)  # they may ask again
    stage.delete_account(stage.eve)
    with fault("INPUT_USER_DEACTIVATED"):
        decide(stage, stage.ann, group, stage.eve)
    decide(stage, stage.ann, group, stage.eve, approved=False)


def test_c5_who_may_decide(stage: Stage) -> None:
    group = make(stage, "group", stage.bob, stage.bot)
    name = new_hash(stage, stage.ann, group, request_needed=True)
    ask(stage, stage.eve, name)
    for who in (stage.bob, stage.bot):
        with fault("CHAT_ADMIN_REQUIRED"):
            decide(stage, who, group, stage.eve)
    with fault("CHAT_ADMIN_REQUIRED"):
        decide_all(stage, stage.bob, group)
    with fault("CHAT_ADMIN_REQUIRED"):
        importers(stage, stage.bob, group)
    with fault("BOT_METHOD_INVALID"):
        decide_all(stage, stage.bot, group)
    with fault("PEER_ID_INVALID"):
        decide(stage, stage.bot2, group, stage.eve)
    with fault("USER_ID_INVALID"):
        stage.call(
            stage.ann,
            api.messages.HideChatJoinRequest(
                peer=stage.input_peer(stage.ann, group), user_id=api.InputUserEmpty()
            ),
        )
    promote(stage, group, stage.bot)
    decide(stage, stage.bot, group, stage.eve)
    assert importers(stage, stage.ann, group).importers[0].approved_by == stage.bot


@pytest.mark.parametrize("kind", KINDS)
def test_c5_all_requests_at_once(stage: Stage, kind: str) -> None:
    chat = make(stage, kind, stage.bob)
    first = new_hash(stage, stage.ann, chat, request_needed=True)
    second = new_hash(stage, stage.ann, chat, request_needed=True)
    dan = stage.world.add_user("9996624444", "Dan").id
    fay = stage.world.add_user("9996625555", "Fay").id
    ask(stage, stage.eve, first)
    ask(stage, dan, second)
    ask(stage, fay, second)
    stage.delete_account(fay)
    pts = stage.state(stage.bob).pts
    decide_all(stage, stage.ann, chat, approved=True, link=first)
    assert {one.user_id for one in importers(stage, stage.ann, chat).importers} == {stage.eve}
    decide_all(stage, stage.ann, chat, approved=True)
    assert {one.user_id for one in importers(stage, stage.ann, chat).importers} == {
        stage.eve,
        dan,
    }
    with fault("HIDE_REQUESTER_MISSING"):
        decide_all(stage, stage.ann, chat, approved=False)
    with fault("INVITE_HASH_EXPIRED"):
        decide_all(stage, stage.ann, chat, link="A" * 16)
    if kind == "group":
        new = stage.difference(stage.bob, pts).new_messages
        assert [one.from_id.user_id for one in new] == [stage.eve, dan]
        (shown,) = stage.call(stage.bob, api.messages.GetChats(id=[chat])).chats
        assert (shown.participants_count, shown.version) == (4, 3)


def test_c5_a_full_group_lets_nobody_in(make_stage: MakeStage) -> None:
    stage = make_stage(chat_size_max=3)
    group = make(stage, "group", stage.bob)
    name = new_hash(stage, stage.ann, group, request_needed=True)
    ask(stage, stage.eve, name)
    user = stage.input_user(stage.ann, stage.bot)
    request = api.messages.AddChatUser(chat_id=group, user_id=user, fwd_limit=0)
    stage.call(stage.ann, request)
    with fault("USERS_TOO_MUCH"):
        decide(stage, stage.ann, group, stage.eve)
    assert importers(stage, stage.ann, group, requested=True).count == 1


def test_c5_being_added_ends_a_request(stage: Stage) -> None:
    group = make(stage, "group")
    ask(stage, stage.eve, new_hash(stage, stage.ann, group, request_needed=True))
    user = stage.input_user(stage.ann, stage.eve)
    request = api.messages.AddChatUser(chat_id=group, user_id=user, fwd_limit=0)
    stage.call(stage.ann, request)
    assert importers(stage, stage.ann, group, requested=True).count == 0


def test_c5_pages_of_requests(stage: Stage) -> None:
    room = make(stage, "megagroup")
    name = new_hash(stage, stage.ann, room, request_needed=True)
    people = []
    for number in range(5):
        stage.world.clock.freeze(NOON + number // 2)
        who = stage.world.add_user(f"99966260{number:02d}", f"Nr{number}", "100%").id
        people.append(who)
        ask(stage, who, name)
    found: list[int] = []
    options: dict[str, Any] = {}
    while True:
        page = importers(stage, stage.ann, room, requested=True, limit=2, **options)
        assert page.count == 5
        if not page.importers:
            break
        found += [one.user_id for one in page.importers]
        options = {
            "offset_date": page.importers[-1].date,
            "offset_user": stage.input_user(stage.ann, found[-1]),
        }
    assert sorted(found) == sorted(people)
    assert found[0] == people[4]
    searched = importers(stage, stage.ann, room, requested=True, q="nR3 100%")
    assert [one.user_id for one in searched.importers] == [people[3]]
    assert importers(stage, stage.ann, room, requested=True, q="_r3").importers == []
    with fault("SEARCH_WITH_LINK_NOT_SUPPORTED"):
        importers(stage, stage.ann, room, requested=True, q="x", link=name)
    with fault("USER_ID_INVALID"):
        wrong = api.InputUser(user_id=people[0], access_hash=1)
        importers(stage, stage.ann, room, offset_date=1, offset_user=wrong)


def test_c5_a_chat_can_ask_for_requests_whatever_the_link(stage: Stage) -> None:
    room = make(stage, "megagroup")
    name = new_hash(stage, stage.ann, room)
    with stage.world.db.begin() as tx:
        chat_store.change_chat(tx, room, join_request=True)
    assert check(stage, stage.eve, name).request_needed
    ask(stage, stage.eve, name)


def test_c5_odd_texts_and_numbers(stage: Stage) -> None:
    group = make(stage, "group")
    assert export(stage, stage.ann, group, title="\udcffa").title.endswith("a")
    for query in ("\udcff", "%" * 10_000, "\0", "_"):
        found = importers(stage, stage.ann, group, q=query, limit=-(2**31), offset_date=-5)
        assert found.importers == []
    page = {"offset_date": -1, "offset_link": "\udcff", "limit": 0}
    assert links_of(stage, stage.ann, group, stage.ann, **page).invites == []
    link = "tg://join?invite=" + "a" * 100_000
    with fault("INVITE_HASH_EXPIRED"):
        edit(stage, stage.ann, group, link)
    with fault("INVITE_HASH_INVALID"):
        join(stage, stage.eve, "x" * 100_000)


@pytest.mark.parametrize("layer", [158, 176, 198, 228])
def test_c5_links_in_older_layers(stage: Stage, layer: int) -> None:
    group = make(stage, "group")
    name = new_hash(stage, stage.ann, group, title="Name")
    peer = stage.input_peer(stage.ann, group)
    calls: list[tuple[int, Any, str]] = [
        (stage.eve, api.messages.CheckChatInvite(hash=name), "chatInvite"),
        (stage.bob, api.messages.CheckChatInvite(hash=name), "chatInviteAlready"),
        (
            stage.ann,
            api.messages.GetExportedChatInvite(peer=peer, link=name),
            "messages.exportedChatInvite",
        ),
        (stage.ann, api.messages.ExportChatInvite(peer=peer), "chatInviteExported"),
    ]
    for who, request, expected in calls:
        found: Any = stage.world.call(who, request, layer=layer)
        name_of = type(found).TL_NAME
        assert name_of == expected


def test_a_link_is_no_other_text() -> None:
    for text in ("", "+", "t.me/+", "t.me/abc/def", "https://t.me/+ab cd", "x" * 10_000 + " "):
        assert len(invites.hash_of(text)) in (0, 10_000)
    assert not invites.is_hash("x" * 10_000)
