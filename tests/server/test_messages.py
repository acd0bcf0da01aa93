"""Sending, editing, deleting, forwarding and typing in private chats (C0.2, C3)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.tl import api
from tests.server.stage import NOON, MakeStage, Stage, fault, kinds


def send(stage: Stage, who: int, to: int, **fields: Any) -> Any:
    """Send and return the whole result."""
    fields.setdefault("message", "hello")
    fields.setdefault("random_id", stage.random_id())
    return stage.call(who, api.messages.SendMessage(peer=stage.input_peer(who, to), **fields))


# ------------------------------------------------------------------ sending: boxes and updates


def test_c0_2_1_each_side_has_its_own_ids(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)
    assert stage.send(stage.ann, stage.bob, "one") == 1
    assert stage.send(stage.ann, stage.eve, "two") == 2
    assert stage.send(stage.bob, stage.ann, "three") == 3
    assert [m.message for m in stage.history(stage.ann, stage.bob).messages] == ["three", "one"]
    assert [m.id for m in stage.history(stage.bob, stage.ann).messages] == [3, 2]


def test_message_of_both_sides(stage: Stage) -> None:
    stage.send(stage.ann, stage.bob, "hi", silent=True, noforwards=True)
    mine = stage.message(stage.ann, 1)
    assert mine == api.Message(
        id=1,
        out=True,
        silent=True,
        noforwards=True,
        from_id=api.PeerUser(user_id=stage.ann),
        peer_id=api.PeerUser(user_id=stage.bob),
        date=NOON,
        message="hi",
    )
    theirs = stage.message(stage.bob, 1)
    assert theirs == api.Message(
        id=1,
        silent=True,
        noforwards=True,
        from_id=api.PeerUser(user_id=stage.ann),
        peer_id=api.PeerUser(user_id=stage.ann),
        date=NOON,
        message="hi",
    )


def test_saved_messages(stage: Stage) -> None:
    stage.send(stage.ann, stage.ann, "note")
    assert stage.pushed_to() == {stage.ann}
    me = api.PeerUser(user_id=stage.ann)
    assert stage.message(stage.ann, 1) == api.Message(
        id=1, from_id=me, peer_id=me, saved_peer_id=me, date=NOON, message="note"
    )
    assert stage.dialog(stage.ann, stage.ann).unread_count == 0


def test_saved_messages_by_id_and_hash(stage: Stage) -> None:
    peer = api.InputPeerUser(user_id=stage.ann, access_hash=stage.hash_of(stage.ann, stage.ann))
    stage.call(stage.ann, api.messages.SendMessage(peer=peer, message="x", random_id=5))
    assert stage.message(stage.ann, 1).saved_peer_id == api.PeerUser(user_id=stage.ann)


def test_c0_3_7_short_sent_message(stage: Stage) -> None:
    result = send(stage, stage.ann, stage.bob, message="see example.com")
    assert result == api.UpdateShortSentMessage(
        out=True,
        id=1,
        pts=2,
        pts_count=1,
        date=NOON,
        entities=[api.MessageEntityUrl(offset=4, length=11)],
    )


@pytest.mark.parametrize(
    "fields", [{"message": " hello "}, {"noforwards": True}, {"message": "a\rb"}]
)
def test_c0_3_7_long_form_when_short_does_not_say_it(stage: Stage, fields: Any) -> None:
    result = send(stage, stage.ann, stage.bob, **fields)
    assert kinds(result.updates) == ["UpdateMessageID", "UpdateNewMessage"]


def test_c0_2_3_message_id_comes_first(make_stage: MakeStage) -> None:
    stage = make_stage(short_updates="never")
    result = send(stage, stage.ann, stage.bob, random_id=-77)
    assert kinds(result.updates) == ["UpdateMessageID", "UpdateNewMessage"]
    assert result.updates[0] == api.UpdateMessageID(id=1, random_id=-77)
    assert {user.id for user in result.users} == {stage.ann, stage.bob}
    assert result.updates[1:] == stage.pushes(stage.ann)  # own other sessions (A13.3)
    assert kinds(stage.pushes(stage.bob)) == ["UpdateNewMessage"]


def test_c0_3_7_short_pushes(make_stage: MakeStage) -> None:
    stage = make_stage(short_updates="always")
    send(stage, stage.ann, stage.bob)
    assert isinstance(stage.world.pushed[0].updates, api.Updates)  # nobody knows anybody yet
    send(stage, stage.ann, stage.bob, message="again", silent=True)
    short = {push.user_id: push.updates for push in stage.world.pushed}
    assert short[stage.bob] == api.UpdateShortMessage(
        silent=True, id=2, user_id=stage.ann, message="again", pts=3, pts_count=1, date=NOON
    )
    assert short[stage.ann] == api.UpdateShortMessage(
        out=True,
        silent=True,
        id=2,
        user_id=stage.bob,
        message="again",
        pts=3,
        pts_count=1,
        date=NOON,
    )
    mention = api.InputMessageEntityMentionName(
        offset=0, length=1, user_id=stage.input_user(stage.ann, stage.eve)
    )
    send(stage, stage.ann, stage.bob, entities=[mention])  # names somebody else
    assert isinstance(stage.world.pushed[0].updates, api.Updates)


# ------------------------------------------------------------------ sending: what is refused


def test_c0_2_2_random_id(stage: Stage) -> None:
    with fault("RANDOM_ID_EMPTY"):
        send(stage, stage.ann, stage.bob, random_id=0)
    send(stage, stage.ann, stage.bob, random_id=9)
    before = stage.state(stage.ann)
    with fault("RANDOM_ID_DUPLICATE", 500):
        send(stage, stage.ann, stage.bob, random_id=9)
    with fault("RANDOM_ID_DUPLICATE", 500):
        send(stage, stage.ann, stage.eve, random_id=9)
    assert stage.state(stage.ann) == before
    send(stage, stage.bob, stage.ann, random_id=9)  # everyone has their own


def test_c0_2_2_remembered_after_the_message_is_gone(make_stage: MakeStage) -> None:
    stage = make_stage(random_id_duplicate_code=400)
    send(stage, stage.ann, stage.bob, random_id=9)
    stage.delete(stage.ann, 1, revoke=True)
    with fault("RANDOM_ID_DUPLICATE"):
        send(stage, stage.ann, stage.bob, random_id=9)


@pytest.mark.parametrize("empty", ["", "   ", "\n\t\n", "\r\r", "\x00"])
def test_c0_2_4_empty(stage: Stage, empty: str) -> None:
    with fault("MESSAGE_EMPTY"):
        send(stage, stage.ann, stage.bob, message=empty)


def test_c0_2_4_length_in_code_points(stage: Stage) -> None:
    longest = "\N{GRINNING FACE}" * 4096
    stage.send(stage.ann, stage.bob, f"  {longest}\n")
    assert stage.message(stage.bob, 1).message == longest
    with fault("MESSAGE_TOO_LONG"):
        send(stage, stage.ann, stage.bob, message=longest + "x")
    with fault("MESSAGE_TOO_LONG"):
        send(stage, stage.ann, stage.bob, message=" " * 100_000)


def test_input_user_deactivated(stage: Stage) -> None:
    stage.delete_account(stage.bob)
    with fault("INPUT_USER_DEACTIVATED"):
        send(stage, stage.ann, stage.bob)


def test_blocked(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann)
    stage.block(stage.ann, stage.bob)
    before = stage.state(stage.ann)
    stage.send(stage.bob, stage.ann, "unheard")
    assert stage.pushed_to() == {stage.bob}
    assert stage.state(stage.ann) == before
    with fault("YOU_BLOCKED_USER"):
        send(stage, stage.ann, stage.bob)


def test_bots(stage: Stage) -> None:
    with fault("USER_IS_BOT"):
        send(stage, stage.bot, stage.bot2)
    stage.send(stage.bot, stage.ann, "hello")
    assert stage.message(stage.ann, 1).from_id == api.PeerUser(user_id=stage.bot)
    stage.block(stage.ann, stage.bot)
    with fault("USER_IS_BLOCKED", 403):
        send(stage, stage.bot, stage.ann)


def test_bots_do_not_write_first(make_stage: MakeStage) -> None:
    stage = make_stage(bots_write_first=False)
    with fault("PEER_ID_INVALID"):
        send(stage, stage.bot, stage.ann)
    stage.send(stage.ann, stage.bot, "/start")
    stage.send(stage.bot, stage.ann, "welcome")


@pytest.mark.parametrize(
    ("who", "ahead", "error"),
    [
        ("ann", 60, "SCHEDULE_TOO_MUCH"),
        ("ann", 366 * 86400, "SCHEDULE_DATE_TOO_LATE"),
        ("bot", 60, "SCHEDULE_BOT_NOT_ALLOWED"),
    ],
)
def test_scheduling_is_refused(stage: Stage, who: str, ahead: int, error: str) -> None:
    with fault(error):
        send(stage, getattr(stage, who), stage.bob, schedule_date=NOON + ahead)


def test_schedule_date_close_by_means_now(stage: Stage) -> None:
    stage.send(stage.ann, stage.bob, schedule_date=NOON + 10)
    with fault("SCHEDULE_STATUS_PRIVATE"):
        send(stage, stage.ann, stage.bob, schedule_date=0x7FFFFFFE)


def test_options_that_private_chats_lack(stage: Stage) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"send_as": stage.input_peer(stage.ann, stage.eve)}, "SEND_AS_PEER_INVALID"),
        ({"send_as": api.InputPeerEmpty()}, "SEND_AS_PEER_INVALID"),
        ({"effect": 5}, "EFFECT_ID_INVALID"),
        ({"suggested_post": api.SuggestedPost()}, "SUGGESTED_POST_PEER_INVALID"),
        ({"rich_message": api.InputRichMessageHTML(html="<b>x</b>")}, "RICH_MESSAGE_UNSUPPORTED"),
        (
            {"quick_reply_shortcut": api.InputQuickReplyShortcut(shortcut="x")},
            "QUICK_REPLIES_TOO_MUCH",
        ),
    ]
    for fields, error in cases:
        with fault(error):
            send(stage, stage.ann, stage.bob, **fields)
    stage.send(stage.ann, stage.bob, send_as=api.InputPeerSelf(), clear_draft=True)


# ------------------------------------------------------------------ sending: replies


def reply(message_id: int, **fields: Any) -> api.InputReplyToMessage:
    return api.InputReplyToMessage(reply_to_msg_id=message_id, **fields)


def test_reply_points_to_each_sides_own_copy(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)
    sent = stage.send(stage.ann, stage.bob)
    answer = stage.send(stage.bob, stage.ann, "yes", reply_to=reply(2))
    assert stage.message(stage.bob, answer).reply_to.reply_to_msg_id == 2
    assert stage.message(stage.ann, 2).reply_to.reply_to_msg_id == sent


def test_reply_to_what_the_other_side_deleted(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    stage.delete(stage.bob, 1)
    stage.send(stage.ann, stage.bob, "yes", reply_to=reply(sent))
    assert stage.message(stage.bob, 2).reply_to is None


def test_reply_keeps_its_quote(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob, "\N{GRINNING FACE} one two one")
    bold = api.MessageEntityBold(offset=0, length=3)
    stage.send(
        stage.bob,
        stage.ann,
        "yes",
        reply_to=reply(sent, quote_text="one", quote_offset=10, quote_entities=[bold]),
    )
    header = stage.message(stage.ann, 2).reply_to
    assert header == api.MessageReplyHeader(
        reply_to_msg_id=sent, quote=True, quote_text="one", quote_entities=[bold], quote_offset=11
    )


def test_reply_across_chats_tells_only_the_author(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob, "secret")
    stage.send(
        stage.bob,
        stage.eve,
        "look",
        reply_to=reply(1, reply_to_peer_id=stage.input_peer(stage.bob, stage.ann)),
    )
    assert sent == 1
    assert stage.message(stage.eve, 1).reply_to == api.MessageReplyHeader(
        reply_from=api.MessageFwdHeader(from_id=api.PeerUser(user_id=stage.ann), date=NOON)
    )


def test_replies_that_are_refused(stage: Stage) -> None:
    stage.send(stage.ann, stage.bob, "text")
    elsewhere = stage.send(stage.ann, stage.eve, "guarded", noforwards=True)
    to_eve = stage.input_peer(stage.ann, stage.eve)
    cases: list[tuple[api.TypeInputReplyTo, str]] = [
        (reply(0), "REPLY_MESSAGE_ID_INVALID"),
        (reply(99), "REPLY_MESSAGE_ID_INVALID"),
        (reply(elsewhere), "REPLY_MESSAGE_ID_INVALID"),
        (reply(1, quote_text="other"), "QUOTE_TEXT_INVALID"),
        (reply(elsewhere, reply_to_peer_id=to_eve), "CHAT_FORWARDS_RESTRICTED"),
        (reply(1, reply_to_peer_id=api.InputPeerEmpty()), "PEER_ID_INVALID"),
        (reply(1, monoforum_peer_id=to_eve), "REPLY_TO_MONOFORUM_PEER_INVALID"),
        (reply(1, poll_option=b"x"), "POLL_OPTION_INVALID"),
        (reply(1, todo_item_id=1), "REPLY_TO_INVALID"),
        (api.InputReplyToStory(peer=to_eve, story_id=1), "STORY_ID_INVALID"),
    ]
    for reply_to, error in cases:
        with fault(error):
            send(stage, stage.ann, stage.bob, reply_to=reply_to)


# ------------------------------------------------------------------ sending: keyboards


def inline(*types: Any) -> api.ReplyInlineMarkup:
    buttons = [api.KeyboardInlineButton(text="press", type=kind) for kind in types]
    return api.ReplyInlineMarkup(rows=[api.KeyboardInlineButtonRow(buttons=buttons)])


def test_keyboard_of_a_bot_is_shown_to_both_sides(stage: Stage) -> None:
    keyboard = inline(api.InlineButtonTypeCallback(data=b"yes"))
    stage.send(stage.bot, stage.ann, reply_markup=keyboard)
    assert stage.message(stage.ann, 1).reply_markup == keyboard
    assert stage.message(stage.bot, 1).reply_markup == keyboard


def test_keyboard_of_a_user_is_left_out(stage: Stage) -> None:
    stage.send(stage.ann, stage.bob, reply_markup=inline(api.InlineButtonTypeDisabled()))
    assert stage.message(stage.bob, 1).reply_markup is None


def test_input_buttons_become_buttons(stage: Stage) -> None:
    keyboard = inline(
        api.InputInlineButtonTypeUserProfile(user_id=stage.input_user(stage.bot, stage.bob)),
        api.InlineButtonTypeUrl(url="example.com"),
    )
    stage.send(stage.bot, stage.ann, reply_markup=keyboard)
    assert stage.message(stage.ann, 1).reply_markup == inline(
        api.InlineButtonTypeUserProfile(user_id=stage.bob),
        api.InlineButtonTypeUrl(url="https://example.com"),
    )


def test_reply_keyboards(stage: Stage) -> None:
    row = api.KeyboardButtonRow(
        buttons=[api.KeyboardButton(text="yes", type=api.ButtonTypeDefault())]
    )
    keyboards: list[api.TypeReplyMarkup] = [
        api.ReplyKeyboardMarkup(rows=[row], resize=True, placeholder="choose"),
        api.ReplyKeyboardHide(selective=True),
        api.ReplyKeyboardForceReply(single_use=True),
    ]
    for keyboard in keyboards:
        sent = stage.send(stage.bot, stage.ann, reply_markup=keyboard)
        assert stage.message(stage.bot, sent).reply_markup == keyboard


def test_keyboards_that_are_refused(stage: Stage) -> None:
    cases: list[tuple[api.TypeReplyMarkup, str]] = [
        (inline(api.InlineButtonTypeCallback(data=b"")), "BUTTON_DATA_INVALID"),
        (inline(api.InlineButtonTypeCallback(data=bytes(65))), "BUTTON_DATA_INVALID"),
        (inline(api.InlineButtonTypeUrl(url="javascript://x")), "BUTTON_URL_INVALID"),
        (inline(api.InlineButtonTypeWebView(url="http://x.com")), "BUTTON_URL_INVALID"),
        (inline(api.InlineButtonTypeBuy()), "BUTTON_TYPE_INVALID"),
        (inline(api.InlineButtonTypeCopy(copy_text="")), "BUTTON_COPY_TEXT_INVALID"),
        (
            inline(api.InputInlineButtonTypeUserProfile(user_id=api.InputUserEmpty())),
            "BUTTON_USER_INVALID",
        ),
        (inline(*[api.InlineButtonTypeDisabled()] * 101), "REPLY_MARKUP_TOO_LONG"),
        (api.ReplyKeyboardMarkup(rows=[]), "REPLY_MARKUP_INVALID"),
    ]
    for keyboard, error in cases:
        with fault(error):
            send(stage, stage.bot, stage.ann, reply_markup=keyboard)


# ------------------------------------------------------------------ editing


def test_edit_changes_each_copy(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)
    sent = stage.send(stage.ann, stage.bob, "before")
    stage.world.clock.advance(60)
    result = stage.edit(stage.ann, stage.bob, sent, "after #tag")
    assert kinds(result.updates) == ["UpdateEditMessage"]
    assert result.updates == stage.pushes(stage.ann)
    (theirs,) = stage.pushes(stage.bob)
    assert (theirs.message.id, theirs.message.message) == (2, "after #tag")
    assert theirs.message.edit_date == NOON + 60
    assert theirs.message.date == NOON
    assert theirs.message.entities == [api.MessageEntityHashtag(offset=6, length=4)]
    assert not theirs.message.edit_hide
    assert stage.message(stage.bob, 2) == theirs.message


def test_edit_is_refused(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob, "text")
    received = stage.send(stage.bob, stage.ann, "text")
    stage.forward(stage.ann, stage.bob, [sent], stage.bob)
    (notice,) = [
        update.message.id
        for update in stage.pin(stage.ann, stage.bob, sent).updates
        if isinstance(update, api.UpdateNewMessage)
    ]
    cases = [
        (99, {}, "MESSAGE_ID_INVALID", 400),
        (notice, {}, "MESSAGE_ID_INVALID", 400),
        (received, {}, "MESSAGE_AUTHOR_REQUIRED", 403),
        (3, {}, "MESSAGE_AUTHOR_REQUIRED", 403),  # a forward
        (sent, {"message": "text"}, "MESSAGE_NOT_MODIFIED", 400),
        (sent, {"message": " "}, "MESSAGE_EMPTY", 400),
        (sent, {"message": "x" * 4097}, "MESSAGE_TOO_LONG", 400),
        (sent, {"media": api.InputMediaDice(emoticon="x")}, "MEDIA_PREV_INVALID", 400),
        (sent, {"schedule_date": NOON + 99}, "SCHEDULE_DATE_INVALID", 400),
        (sent, {"quick_reply_shortcut_id": 1}, "MESSAGE_ID_INVALID", 400),
    ]
    for number, fields, error, code in cases:
        with fault(error, code):
            stage.edit(stage.ann, stage.bob, number, **{"message": "new", **fields})
    with fault("MESSAGE_ID_INVALID"):
        stage.edit(stage.ann, stage.eve, sent, "new")


def test_edit_without_any_change(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    request = api.messages.EditMessage(peer=stage.input_peer(stage.ann, stage.bob), id=sent)
    with fault("MESSAGE_NOT_MODIFIED"):
        stage.call(stage.ann, request)


def test_edit_time_limit(stage: Stage) -> None:
    sent = stage.send(stage.ann, stage.bob)
    note = stage.send(stage.ann, stage.ann)
    stage.send(stage.bot, stage.ann)
    stage.world.clock.advance(172800)
    stage.edit(stage.ann, stage.bob, sent, "in time")
    stage.world.clock.advance(1)
    with fault("MESSAGE_EDIT_TIME_EXPIRED"):
        stage.edit(stage.ann, stage.bob, sent, "too late")
    stage.edit(stage.ann, stage.ann, note, "never too late")
    stage.edit(stage.bot, stage.ann, 1, "never too late")


def test_bot_edits_its_keyboard(stage: Stage) -> None:
    keyboard = inline(api.InlineButtonTypeCallback(data=b"1"))
    stage.send(stage.bot, stage.ann, "choose")
    peer = stage.input_peer(stage.bot, stage.ann)
    stage.call(stage.bot, api.messages.EditMessage(peer=peer, id=1, reply_markup=keyboard))
    found = stage.message(stage.ann, 1)
    assert (found.reply_markup, found.edit_hide) == (keyboard, True)
    stage.edit(stage.bot, stage.ann, 1, "chosen")  # a new text without keyboard removes it
    found = stage.message(stage.ann, 1)
    assert (found.reply_markup, found.edit_hide) == (None, False)


# ------------------------------------------------------------------ deleting


def test_delete_for_oneself(stage: Stage) -> None:
    sent = [stage.send(stage.ann, stage.bob) for _ in range(3)]
    before = stage.state(stage.ann).pts
    result = stage.delete(stage.ann, *sent[:2], 99, -1)
    assert result == api.messages.AffectedMessages(pts=before + 2, pts_count=2)
    assert stage.pushes(stage.ann) == [
        api.UpdateDeleteMessages(messages=sent[:2], pts=before + 2, pts_count=2)
    ]
    assert stage.pushed_to() == {stage.ann}
    assert [m.id for m in stage.history(stage.bob, stage.ann).messages] == [3, 2, 1]


def test_delete_for_everybody(stage: Stage) -> None:
    stage.send(stage.bob, stage.eve)
    stage.send(stage.ann, stage.bob)
    before = stage.state(stage.ann).pts
    stage.delete(stage.bob, 1, 2, revoke=True)  # in two chats, and one of Ann's messages
    assert stage.pushes(stage.ann) == [
        api.UpdateDeleteMessages(messages=[1], pts=before + 1, pts_count=1)
    ]
    assert stage.pushed_to() == {stage.ann, stage.bob, stage.eve}
    assert stage.message(stage.eve, 1) == api.MessageEmpty(id=1)


def test_delete_nothing(stage: Stage) -> None:
    assert stage.delete(stage.ann, 5) == api.messages.AffectedMessages(pts=1, pts_count=0)
    assert stage.delete(stage.ann) == api.messages.AffectedMessages(pts=1, pts_count=0)
    with fault("MESSAGE_ID_INVALID"):
        stage.delete(stage.ann, *range(1, 1002))


def test_deleted_ids_are_never_used_again(stage: Stage) -> None:
    stage.delete(stage.ann, stage.send(stage.ann, stage.bob), revoke=True)
    assert stage.send(stage.ann, stage.bob) == 2


def test_deleting_unread_messages(stage: Stage) -> None:
    sent = [stage.send(stage.ann, stage.bob) for _ in range(3)]
    stage.delete(stage.ann, sent[2], revoke=True)
    dialog = stage.dialog(stage.bob, stage.ann)
    assert (dialog.top_message, dialog.unread_count) == (2, 2)


# ------------------------------------------------------------------ forwarding


def test_forward(stage: Stage) -> None:
    first = stage.send(stage.bob, stage.ann, "one https://example.com")
    second = stage.send(stage.ann, stage.bob, "two")
    stage.world.clock.advance(10)
    result = stage.forward(stage.ann, stage.bob, [first, second], stage.eve, random_id=[5, 6])
    assert kinds(result.updates) == ["UpdateMessageID"] * 2 + ["UpdateNewMessage"] * 2
    assert result.updates[1] == api.UpdateMessageID(id=4, random_id=6)
    assert {user.id for user in result.users} == {stage.ann, stage.bob, stage.eve}
    copies = [update.message for update in stage.pushes(stage.eve)]
    assert [copy.message for copy in copies] == ["one https://example.com", "two"]
    assert copies[0].fwd_from == api.MessageFwdHeader(
        from_id=api.PeerUser(user_id=stage.bob), date=NOON
    )
    assert copies[0].entities == [api.MessageEntityUrl(offset=4, length=19)]
    assert copies[0].date == NOON + 10
    assert copies[1].fwd_from.from_id == api.PeerUser(user_id=stage.ann)
    assert stage.dialog(stage.eve, stage.ann).unread_count == 2


def test_forward_of_a_forward_keeps_the_first_author(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann, "one")
    stage.forward(stage.ann, stage.bob, [1], stage.eve)
    stage.forward(stage.eve, stage.ann, [1], stage.bob)
    assert stage.message(stage.bob, 2).fwd_from.from_id == api.PeerUser(user_id=stage.bob)


def test_forward_into_saved_messages(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann, "one")
    stage.forward(stage.ann, stage.bob, [1], stage.ann)
    bob = api.PeerUser(user_id=stage.bob)
    saved = stage.message(stage.ann, 2)
    assert saved.saved_peer_id == bob
    assert saved.fwd_from == api.MessageFwdHeader(
        from_id=bob, date=NOON, saved_from_peer=bob, saved_from_msg_id=1
    )
    stage.forward(stage.ann, stage.ann, [2], stage.eve)
    assert stage.message(stage.eve, 1).fwd_from == api.MessageFwdHeader(from_id=bob, date=NOON)
    stage.forward(stage.ann, stage.eve, [3], stage.ann)
    again = stage.message(stage.ann, 4).fwd_from
    assert (again.from_id, again.saved_out) == (bob, True)
    assert again.saved_from_id == api.PeerUser(user_id=stage.ann)
    assert again.saved_date == NOON


def test_forward_without_author(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann, "one")
    stage.forward(stage.ann, stage.bob, [1], stage.eve, drop_author=True, silent=True)
    found = stage.message(stage.eve, 1)
    assert (found.fwd_from, found.message, found.silent) == (None, "one", True)


def test_forward_leaves_out_what_is_gone(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann, "one")
    result = stage.forward(stage.ann, stage.bob, [1, 99], stage.eve)
    assert kinds(result.updates) == ["UpdateMessageID", "UpdateNewMessage"]


def test_forwards_that_are_refused(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann, "one")
    stage.send(stage.bob, stage.ann, "guarded", noforwards=True)
    stage.pin(stage.ann, stage.bob, 1)
    ann, bob, eve = stage.ann, stage.bob, stage.eve
    with fault("MESSAGE_IDS_EMPTY"):
        stage.forward(ann, bob, [], eve)
    with fault("MESSAGE_ID_INVALID"):
        stage.forward(ann, bob, [99], eve)
    with fault("MESSAGE_ID_INVALID"):  # not in that chat
        stage.forward(ann, eve, [1], bob)
    with fault("MESSAGE_ID_INVALID"):  # a service message
        stage.forward(ann, bob, [3], eve)
    with fault("MESSAGE_ID_INVALID"):
        stage.forward(ann, bob, [1] * 101, eve)
    with fault("CHAT_FORWARDS_RESTRICTED"):
        stage.forward(ann, bob, [1, 2], eve)
    for random_ids in ([], [0], [1, 2]):
        with fault("RANDOM_ID_INVALID"):
            stage.forward(ann, bob, [1], eve, random_id=random_ids)
    with fault("RANDOM_ID_DUPLICATE", 500):
        stage.forward(ann, bob, [1, 1], eve, random_id=[7, 7])
    with fault("PEER_ID_INVALID"):
        stage.call(
            ann,
            api.messages.ForwardMessages(
                from_peer=api.InputPeerEmpty(),
                id=[1],
                random_id=[1],
                to_peer=api.InputPeerSelf(),
            ),
        )
    assert stage.dialogs_of(eve) == 0


# ------------------------------------------------------------------ typing


def typing(stage: Stage, who: int, to: int, action: Any = None) -> Any:
    return stage.call(
        who,
        api.messages.SetTyping(
            peer=stage.input_peer(who, to), action=action or api.SendMessageTypingAction()
        ),
    )


def test_c0_3_9_typing(stage: Stage) -> None:
    assert typing(stage, stage.ann, stage.bob) is True
    (push,) = stage.world.pushed
    assert push.user_id == stage.bob
    assert push.updates == api.UpdateShort(
        update=api.UpdateUserTyping(user_id=stage.ann, action=api.SendMessageTypingAction()),
        date=NOON,
    )
    assert stage.state(stage.bob).pts == 1


def test_typing_reaches_nobody(stage: Stage) -> None:
    typing(stage, stage.ann, stage.ann)
    assert not stage.world.pushed
    typing(stage, stage.ann, stage.bot)
    assert not stage.world.pushed
    stage.block(stage.bob, stage.ann)
    typing(stage, stage.ann, stage.bob)
    typing(stage, stage.bob, stage.ann)
    assert not stage.world.pushed


def test_typing_is_refused(stage: Stage) -> None:
    with fault("USER_IS_BOT"):
        typing(stage, stage.bot, stage.bot2)
    stage.block(stage.ann, stage.bot)
    with fault("USER_IS_BLOCKED", 403):
        typing(stage, stage.bot, stage.ann)
    draft = api.SendMessageTextDraftAction(
        random_id=1, text=api.TextWithEntities(text="x", entities=[])
    )
    with fault("TEXTDRAFT_PEER_INVALID"):
        typing(stage, stage.ann, stage.bob, draft)
    typing(stage, stage.bot, stage.bob, draft)
    stage.delete_account(stage.bob)
    with fault("INPUT_USER_DEACTIVATED"):
        typing(stage, stage.ann, stage.bob)


# ------------------------------------------------------------------ names of peers


def test_c0_1_2_peer_from_a_message(stage: Stage) -> None:
    stage.send(stage.bob, stage.ann, "one")
    stage.forward(stage.ann, stage.bob, [1], stage.eve)
    via = api.InputPeerUserFromMessage(
        peer=stage.input_peer(stage.eve, stage.ann), msg_id=1, user_id=stage.bob
    )
    stage.call(stage.eve, api.messages.SendMessage(peer=via, message="hi", random_id=1))
    assert stage.message(stage.bob, 2).message == "hi"

    bad = [
        (
            api.InputPeerUserFromMessage(peer=via.peer, msg_id=9, user_id=stage.bob),
            "MSG_ID_INVALID",
        ),
        (
            api.InputPeerUserFromMessage(peer=via.peer, msg_id=1, user_id=stage.bot),
            "PEER_ID_INVALID",
        ),
        (api.InputPeerUserFromMessage(peer=via, msg_id=1, user_id=stage.bob), "PEER_ID_INVALID"),
    ]
    for peer, error in bad:
        with fault(error):
            stage.call(stage.eve, api.messages.SendMessage(peer=peer, message="x", random_id=2))
