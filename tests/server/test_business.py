"""Connected bots, and what they do over a business connection (A12.9, B4, B6.18)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.tl import api
from radiogram.tl.base import Request
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds

EVERYBODY = {"contacts": True, "non_contacts": True}


def connect(stage: Stage, *rights: str, bot: int = 0, **recipients: Any) -> str:
    """Connect a bot to ann with some rights (reply, if none are named); return the id."""
    bot = bot or stage.bot
    given: dict[str, Any] = recipients or EVERYBODY
    flags: dict[str, Any] = dict.fromkeys(rights or ("reply",), True)
    result = stage.call(
        stage.ann,
        api.account.UpdateConnectedBot(
            bot=stage.input_user(stage.ann, bot),
            rights=api.BusinessBotRights(**flags),
            recipients=api.InputBusinessBotRecipients(**given),
        ),
    )
    assert result.updates == []
    (update,) = stage.pushes(bot)
    return str(update.connection.connection_id)


def disconnect(stage: Stage, bot: int = 0) -> None:
    stage.call(
        stage.ann,
        api.account.UpdateConnectedBot(
            deleted=True,
            bot=stage.input_user(stage.ann, bot or stage.bot),
            recipients=api.InputBusinessBotRecipients(),
        ),
    )


def over(stage: Stage, link: str, call: Request[Any], *, who: int = 0) -> Any:
    """Execute a bot's call over a connection."""
    wrapped = api.InvokeWithBusinessConnection(connection_id=link, query=call)
    return stage.call(who or stage.bot, wrapped)


def pin(message_id: int, peer: api.TypeInputPeer, **flags: bool) -> Request[Any]:
    return api.messages.UpdatePinnedMessage(peer=peer, id=message_id, **flags)


def named(user_id: int) -> api.InputPeerUser:
    """Return the name of somebody whose access hash the bot does not know."""
    return api.InputPeerUser(user_id=user_id, access_hash=0)


def asked(stage: Stage, link: str, who: int = 0) -> api.BotBusinessConnection:
    """Return what the bot is answered about its connection."""
    request = api.account.GetBotBusinessConnection(connection_id=link)
    result = stage.call(who or stage.bot, request)
    (update,) = result.updates
    assert [user.id for user in result.users if user.self] == [who or stage.bot]
    return update.connection  # type: ignore[no-any-return]


# ------------------------------------------------------------------ pins (B6.18)


def test_b6_18_pin_acts_on_the_box_of_the_owner(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that the ids of the two boxes differ
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage)
    ann, bob, bot = (stage.state(who).pts for who in (stage.ann, stage.bob, stage.bot))
    result = over(stage, link, pin(sent, named(stage.bob)))

    told, theirs = stage.pushes(stage.ann), stage.pushes(stage.bob)
    assert kinds(told) == kinds(theirs) == ["UpdatePinnedMessages", "UpdateNewMessage"]
    assert stage.pushed_to() == {stage.ann, stage.bob, stage.bot}
    (heard,) = stage.pushes(stage.bot)
    assert heard.message == told[1].message
    assert heard.reply_to_message.id == sent
    assert told[0] == api.UpdatePinnedMessages(
        pinned=True,
        peer=api.PeerUser(user_id=stage.bob),
        messages=[sent],
        pts=ann + 1,
        pts_count=1,
    )
    assert theirs[0] == api.UpdatePinnedMessages(
        pinned=True,
        peer=api.PeerUser(user_id=stage.ann),
        messages=[2],
        pts=bob + 1,
        pts_count=1,
    )
    notice, copy = told[1].message, theirs[1].message
    assert (notice.out, copy.out) == (True, False)
    assert copy.from_id == api.PeerUser(user_id=stage.ann)
    assert (notice.reply_to.reply_to_msg_id, copy.reply_to.reply_to_msg_id) == (sent, 2)
    assert stage.message(stage.ann, sent).pinned
    assert stage.message(stage.bob, 2).pinned

    assert result.updates == told
    assert stage.state(stage.bot).pts == bot, "the bot's own box is not concerned"
    assert stage.state(stage.ann).pts == ann + 2


def test_b6_18_result_shows_people_as_the_bot_knows_them(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    result = over(stage, connect(stage), pin(sent, named(stage.bob)))
    hashes = {user.id: user.access_hash for user in result.users}
    assert hashes == {who: stage.hash_of(stage.bot, who) for who in (stage.ann, stage.bob)}
    assert not any(user.self for user in result.users)


def test_b6_18_unpin(stage: Stage) -> None:
    sent = stage.send(stage.bob, stage.ann)
    mine = stage.dialog(stage.ann, stage.bob).top_message
    link = connect(stage)
    over(stage, link, pin(mine, named(stage.bob)))
    result = over(stage, link, pin(mine, named(stage.bob), unpin=True))
    assert kinds(result.updates) == ["UpdatePinnedMessages"]
    assert result.updates == stage.pushes(stage.ann)
    assert kinds(stage.pushes(stage.bob)) == ["UpdatePinnedMessages"]
    assert not stage.message(stage.ann, mine).pinned
    assert not stage.message(stage.bob, sent).pinned
    again = over(stage, link, pin(mine, named(stage.bob), unpin=True))
    assert (again.updates, stage.pushed_to()) == ([], set())


def test_b6_18_pin_of_the_owners_side_only(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    result = over(stage, connect(stage), pin(sent, named(stage.bob), pm_oneside=True))
    assert kinds(result.updates) == ["UpdatePinnedMessages"]
    assert stage.pushed_to() == {stage.ann}


def test_b6_18_difference_of_the_owner(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    before = stage.state(stage.ann).pts
    link = connect(stage)
    stage.go_offline(stage.ann)
    over(stage, link, pin(sent, named(stage.bob)))
    missed = stage.difference(stage.ann, before)
    assert kinds(missed.other_updates) == ["UpdatePinnedMessages"]
    assert kinds(missed.new_messages) == ["MessageService"]


@pytest.mark.parametrize("viewer", ["ann", "bot"])
def test_b6_18_access_hash_of_the_owner_or_of_the_bot(stage: Stage, viewer: str) -> None:
    sent = stage.send(stage.ann, stage.bob)
    peer = stage.input_peer(getattr(stage, viewer), stage.bob)
    assert over(stage, connect(stage), pin(sent, peer)).updates


def test_b3_other_checks_are_those_of_the_owner(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage)
    with fault("PEER_ID_INVALID"):
        over(stage, link, pin(sent, stage.input_peer(stage.eve, stage.bob)))
    with fault("MESSAGE_ID_INVALID"):
        over(stage, link, pin(sent + 100, named(stage.bob)))
    stage.forbid_pins(stage.ann, stage.bob)
    with fault("PIN_RESTRICTED"):
        over(stage, link, pin(sent, named(stage.bob)))
    stage.delete_account(stage.bob)
    with fault("INPUT_USER_DEACTIVATED"):
        over(stage, link, pin(sent, named(stage.bob)))


# ------------------------------------------------------------------ B4: the wrapper's own errors


def test_b4_users_have_no_connections(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage)
    for who in (stage.ann, stage.bob):
        with fault("BUSINESS_CONNECTION_NOT_ALLOWED"):
            over(stage, link, pin(sent, named(stage.bob)), who=who)


def test_b4_connection_unknown_or_of_another_bot(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage)
    unknown = [(number, stage.bot) for number in ("", "x" + link, "\udcff", "\0")]
    for number, who in (*unknown, (link, stage.bot2)):
        with fault("BUSINESS_CONNECTION_INVALID"):
            over(stage, number, pin(sent, named(stage.bob)), who=who)


def test_b4_connection_ended(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage)
    disconnect(stage)
    with fault("BUSINESS_CONNECTION_INVALID"):
        over(stage, link, pin(sent, named(stage.bob)))
    again = connect(stage)
    assert again != link
    assert over(stage, again, pin(sent, named(stage.bob))).updates
    with fault("BUSINESS_CONNECTION_INVALID"):
        over(stage, link, pin(sent, named(stage.bob), unpin=True))


def test_b4_owner_deleted(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage)
    stage.delete_account(stage.ann)
    with fault("BUSINESS_CONNECTION_INVALID"):
        over(stage, link, pin(sent, named(stage.bob)))


def test_b4_right_missing(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage, "read_messages", "edit_name")
    with fault("BUSINESS_CONNECTION_NOT_ALLOWED"):
        over(stage, link, pin(sent, named(stage.bob)))
    assert connect(stage, "reply") == link
    assert over(stage, link, pin(sent, named(stage.bob))).updates


@pytest.mark.parametrize(
    "call",
    [
        api.help.GetConfig(),
        api.updates.GetState(),
        api.messages.UnpinAllMessages(peer=named(1)),
        api.account.GetConnectedBots(),
    ],
    ids=lambda call: call.TL_NAME,
)
def test_a12_9_other_methods(stage: Stage, call: Request[Any]) -> None:
    link = connect(stage)
    if isinstance(call, api.help.GetConfig):
        stage.call(stage.bot, call)  # its result is kept, and yet not given over a connection
    with fault("BUSINESS_CONNECTION_NOT_ALLOWED"):
        over(stage, link, call)


def test_b4_peer_that_is_no_private_chat_of_the_owner(stage: Stage) -> None:
    note = stage.send(stage.ann, stage.ann)
    group = stage.group(stage.ann, stage.bob)
    room = stage.channel(stage.ann, stage.bob, megagroup=True)
    link = connect(stage)
    for peer in (
        api.InputPeerEmpty(),
        api.InputPeerSelf(),
        named(stage.ann),
        named(stage.bot),
        named(123456789),
        stage.input_peer(stage.ann, group),
        stage.input_peer(stage.ann, room),
    ):
        with fault("BUSINESS_PEER_INVALID"):
            over(stage, link, pin(note, peer))


@pytest.mark.parametrize(
    ("recipients", "served"),
    [
        ({"contacts": True}, {"bob"}),
        ({"non_contacts": True}, {"eve"}),
        ({"existing_chats": True}, {"bob"}),
        ({"new_chats": True}, {"eve"}),
        ({"users": ["eve"]}, {"eve"}),
        ({"contacts": True, "users": ["eve"]}, {"bob", "eve"}),
        ({**EVERYBODY, "exclude_users": ["bob"]}, {"eve"}),
        ({"users": ["bob"], "exclude_users": ["bob"], "contacts": True}, set()),
        ({"exclude_selected": True}, {"bob", "eve"}),
        ({"exclude_selected": True, "contacts": True}, {"eve"}),
        ({"exclude_selected": True, "users": ["eve"]}, {"bob"}),
        ({"exclude_selected": True, "exclude_users": ["eve"]}, {"bob"}),
    ],
)
def test_b4_peer_not_among_the_recipients(
    stage: Stage, recipients: dict[str, Any], served: set[str]
) -> None:
    stage.call(
        stage.ann,
        api.contacts.AddContact(
            id=stage.input_user(stage.ann, stage.bob), first_name="Bob", last_name="", phone=""
        ),
    )
    sent = {"bob": stage.send(stage.ann, stage.bob)}
    given: dict[str, Any] = {
        name: [stage.input_user(stage.ann, getattr(stage, who)) for who in value]
        if isinstance(value, list)
        else value
        for name, value in recipients.items()
    }
    link = connect(stage, **given)
    stage.world.clock.freeze(NOON + 1)
    sent["eve"] = stage.send(stage.ann, stage.eve)
    for who, message_id in sent.items():
        call = pin(message_id, named(getattr(stage, who)))
        if who in served:
            assert over(stage, link, call).updates
        else:
            with fault("BUSINESS_PEER_INVALID"):
                over(stage, link, call)


# ------------------------------------------------------------------ other calls


def test_a12_9_send_and_edit(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann)
    link = connect(stage)
    bob = named(stage.bob)
    send = api.messages.SendMessage(peer=bob, message="hi", random_id=stage.random_id())
    sent = over(stage, link, send)
    (theirs,) = stage.pushes(stage.bob)
    assert theirs.message.from_id == api.PeerUser(user_id=stage.ann)
    assert theirs.message.peer_id == api.PeerUser(user_id=stage.ann)
    assert kinds(stage.pushes(stage.bot)) == ["UpdateBotNewBusinessMessage"]
    over(stage, link, api.messages.EditMessage(peer=bob, id=sent.id, message="ho"))
    assert stage.message(stage.ann, sent.id).message == "ho"


def test_a12_9_only_to_who_wrote_lately(stage: Stage) -> None:
    link = connect(stage)
    action = api.SendMessageTypingAction()
    calls: list[Request[Any]] = [
        api.messages.SetTyping(peer=named(stage.bob), action=action),
        api.messages.SendMessage(peer=named(stage.bob), message="hi", random_id=1),
    ]
    for call in calls:
        with fault("BUSINESS_PEER_USAGE_MISSING"):
            over(stage, link, call)
    stage.send(stage.bob, stage.ann)
    for call in calls:
        assert over(stage, link, call)
    stage.world.clock.freeze(NOON + 86400)
    for call in calls:
        with fault("BUSINESS_PEER_USAGE_MISSING"):
            over(stage, link, call)


def test_a12_9_read_and_delete(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann)
    mine = stage.send(stage.ann, stage.bob)
    theirs = mine - 1
    saved = stage.send(stage.ann, stage.ann)
    link = connect(stage, "read_messages", "delete_sent_messages")
    over(stage, link, api.messages.ReadHistory(peer=named(stage.bob), max_id=0))
    assert stage.dialog(stage.ann, stage.bob).unread_count == 0
    with fault("BUSINESS_CONNECTION_NOT_ALLOWED"):
        over(stage, link, api.messages.DeleteMessages(id=[mine, theirs], revoke=True))
    over(stage, link, api.messages.DeleteMessages(id=[mine], revoke=True))
    assert isinstance(stage.message(stage.ann, mine), api.MessageEmpty)
    connect(stage, "delete_sent_messages", "delete_received_messages")
    with fault("BUSINESS_PEER_INVALID"):
        over(stage, link, api.messages.DeleteMessages(id=[saved, theirs]))
    over(stage, link, api.messages.DeleteMessages(id=[theirs]))
    assert isinstance(stage.message(stage.ann, theirs), api.MessageEmpty)


def test_a12_9_profile(stage: Stage) -> None:
    link = connect(stage, "edit_bio", "edit_username")
    with fault("BUSINESS_CONNECTION_NOT_ALLOWED"):
        over(stage, link, api.account.UpdateProfile(first_name="Anna", about="x"))
    shown = over(stage, link, api.account.UpdateProfile(about="Shop"))
    assert (shown.id, shown.self) == (stage.ann, False)
    assert shown.access_hash == stage.hash_of(stage.bot, stage.ann)
    assert over(stage, link, api.account.UpdateUsername(username="annes_shop"))
    connect(stage, "edit_name")
    assert over(stage, link, api.account.UpdateProfile(first_name="Anna")).first_name == "Anna"
    with fault("BUSINESS_CONNECTION_NOT_ALLOWED"):
        over(stage, link, api.account.UpdateUsername(username="another_shop"))


# ------------------------------------------------------------------ the owner's choices


def test_c0_3_4_bot_is_told_of_its_connection(stage: Stage) -> None:
    link = connect(stage, "reply")
    (update,) = stage.pushes(stage.bot)
    assert update == api.UpdateBotBusinessConnect(
        connection=api.BotBusinessConnection(
            connection_id=link,
            user_id=stage.ann,
            dc_id=2,
            date=NOON,
            rights=api.BusinessBotRights(reply=True),
        ),
        qts=1,
    )
    stage.world.clock.freeze(NOON + 5)
    assert connect(stage, "reply", "edit_bio") == link
    (update,) = stage.pushes(stage.bot)
    assert (update.qts, update.connection.date) == (2, NOON)
    assert update.connection.rights == api.BusinessBotRights(reply=True, edit_bio=True)

    stage.go_offline(stage.bot)
    disconnect(stage)
    missed = stage.difference(stage.bot, stage.state(stage.bot).pts).other_updates
    assert [update.qts for update in missed] == [1, 2, 3]
    assert (missed[-1].connection.disabled, missed[-1].connection.rights) == (True, None)
    assert asked(stage, link) == missed[-1].connection


def test_same_choice_again_tells_nobody(stage: Stage) -> None:
    connect(stage)
    with pytest.raises(ValueError, match="not enough values"):
        connect(stage)
    disconnect(stage)
    assert kinds(stage.pushes(stage.bot)) == ["UpdateBotBusinessConnect"]
    disconnect(stage)
    assert stage.pushed_to() == set()


def test_another_bot_takes_the_place_of_the_first(stage: Stage) -> None:
    first = connect(stage)
    second = connect(stage, bot=stage.bot2)
    (ended,) = stage.pushes(stage.bot)
    assert (ended.connection.connection_id, ended.connection.disabled) == (first, True)
    disconnect(stage, stage.bot)
    assert stage.pushed_to() == set(), "that one is not connected"
    assert asked(stage, second, stage.bot2).rights == api.BusinessBotRights(reply=True)


def test_get_connected_bots(stage: Stage) -> None:
    empty = stage.call(stage.ann, api.account.GetConnectedBots())
    assert (empty.connected_bots, empty.users) == ([], [])
    connect(stage, users=[stage.input_user(stage.ann, stage.eve)])
    found = stage.call(stage.ann, api.account.GetConnectedBots())
    assert found.connected_bots == [
        api.ConnectedBot(
            bot_id=stage.bot,
            recipients=api.BusinessBotRecipients(users=[stage.eve]),
            rights=api.BusinessBotRights(reply=True),
        )
    ]
    assert {user.id for user in found.users} == {stage.bot, stage.eve}
    disconnect(stage)
    assert stage.call(stage.ann, api.account.GetConnectedBots()).connected_bots == []


def test_errors_of_update_connected_bot(stage: Stage) -> None:
    with fault("BOT_BUSINESS_MISSING"):
        connect(stage, bot=stage.bob)
    with fault("BUSINESS_RECIPIENTS_EMPTY"):
        connect(stage, contacts=False)
    with fault("BOT_METHOD_INVALID"):
        stage.call(stage.bot, api.account.GetConnectedBots())


def test_errors_of_get_bot_business_connection(stage: Stage) -> None:
    link = connect(stage)
    for who, number in ((stage.bot, "x"), (stage.bot2, link), (stage.ann, link)):
        with fault("CONNECTION_ID_INVALID"):
            asked(stage, number, who)


def test_pause(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage)
    other = stage.send(stage.ann, stage.eve)

    def pause(paused: bool, whom: int) -> Any:
        peer = stage.input_peer(stage.ann, whom)
        return stage.call(stage.ann, api.account.ToggleConnectedBotPaused(peer=peer, paused=paused))

    assert pause(True, stage.bob)
    assert pause(True, stage.bob)
    with fault("BUSINESS_PEER_INVALID"):
        over(stage, link, pin(sent, named(stage.bob)))
    assert over(stage, link, pin(other, named(stage.eve))).updates
    assert pause(False, stage.bob)
    assert over(stage, link, pin(sent, named(stage.bob))).updates
    with fault("PEER_ID_INVALID"):
        pause(True, stage.ann)
    pause(True, stage.bob)
    disconnect(stage)
    assert pause(True, stage.bob) is False
    assert over(stage, connect(stage), pin(sent, named(stage.bob), unpin=True)).updates


@pytest.mark.parametrize("recipients", [EVERYBODY, {"exclude_selected": True}])
def test_disable_for_one_chat(stage: Stage, recipients: dict[str, Any]) -> None:
    request = api.account.DisablePeerConnectedBot(peer=stage.input_peer(stage.ann, stage.bob))
    with fault("BOT_NOT_CONNECTED_YET"):
        stage.call(stage.ann, request)
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage, **recipients)
    assert stage.call(stage.ann, request)
    with fault("BUSINESS_PEER_INVALID"):
        over(stage, link, pin(sent, named(stage.bob)))
    with fault("BOT_ALREADY_DISABLED"):
        stage.call(stage.ann, request)


def test_a12_9_older_layers(make_stage: MakeStage) -> None:
    stage = make_stage()
    sent = stage.send(stage.ann, stage.bob)
    link = connect(stage)
    call = api.InvokeWithBusinessConnection(connection_id=link, query=pin(sent, named(stage.bob)))
    result = stage.world.call(stage.bot, call, layer=200)
    assert kinds(result.updates) == ["UpdatePinnedMessages", "UpdateNewMessage"]


# ------------------------------------------------------------------ what is written where bots act


def test_c0_3_4_bot_is_told_what_is_written(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)  # so that the ids of the two boxes differ
    link = connect(stage)
    qts = stage.state(stage.bot).qts
    stage.send(stage.bob, stage.ann, "one")
    (first,) = stage.pushes(stage.bot)
    assert (first.connection_id, first.qts) == (link, qts + 1)
    assert (first.message.message, first.message.id, first.message.out) == ("one", 1, False)
    reply = api.InputReplyToMessage(reply_to_msg_id=first.message.id)
    stage.send(stage.ann, stage.bob, "two", reply_to=reply)
    (second,) = stage.pushes(stage.bot)
    assert (second.message.message, second.message.out) == ("two", True)
    assert second.reply_to_message.message == "one"

    stage.edit(stage.bob, stage.ann, 2, "uno")
    (edited,) = stage.pushes(stage.bot)
    assert isinstance(edited, api.UpdateBotEditBusinessMessage)
    assert isinstance(edited.message, api.Message)
    assert (edited.message.id, edited.message.message) == (1, "uno")
    stage.delete(stage.ann, 1, 2)
    (gone,) = stage.pushes(stage.bot)
    assert gone == api.UpdateBotDeleteBusinessMessage(
        connection_id=link, peer=api.PeerUser(user_id=stage.bob), messages=[1, 2], qts=qts + 4
    )
    missed = stage.call(stage.bot, api.updates.GetDifference(pts=1, date=NOON, qts=qts))
    assert missed.other_updates == [first, second, edited, gone]


def test_bot_is_told_only_of_chats_that_it_serves(stage: Stage) -> None:
    connect(stage, users=[stage.input_user(stage.ann, stage.eve)])
    sent = stage.send(stage.bob, stage.ann)
    assert stage.bot not in stage.pushed_to()
    stage.delete(stage.bob, sent, revoke=True)
    assert stage.bot not in stage.pushed_to()
    stage.send(stage.eve, stage.ann)
    assert kinds(stage.pushes(stage.bot)) == ["UpdateBotNewBusinessMessage"]
    stage.send(stage.ann, stage.ann)
    stage.send(stage.ann, stage.group(stage.ann, stage.eve))
    assert stage.bot not in stage.pushed_to()
    disconnect(stage)
    stage.send(stage.eve, stage.ann)
    assert stage.bot not in stage.pushed_to()


def test_message_that_the_owner_did_not_get(stage: Stage) -> None:
    connect(stage)
    stage.block(stage.ann, stage.bob)
    stage.send(stage.bob, stage.ann)
    assert stage.bot not in stage.pushed_to()
