"""Saying the same thing in another layer: results down, requests up (A12.1)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.errors import EncodeError
from radiogram.server import layers
from radiogram.tl import api
from radiogram.tl.build import Registry, registry

from .samples import PLAIN, make

NEWEST = registry(api.LAYER)
LAYERS = range(158, api.LAYER)
UNSAYABLE = {
    "inputInvoiceStars": range(181, 185),  # only clients say it, and the other way round it works
    "messages.chatInviteJoinResultWebView": (227,),  # it had an address then, and has an id now
}
"""Constructors of which an older version cannot be made, and the layers of that version."""


def constructors(source: Registry) -> list[str]:
    """Name what becomes an object; Bool becomes a plain value."""
    return [
        name
        for name in source.names()
        if not source.definition(name).is_method and source.definition(name).result != "Bool"
    ]


@pytest.mark.parametrize("layer", LAYERS)
def test_every_constructor_of_the_newest_layer_can_be_said_in_an_older_one(layer: int) -> None:
    target = registry(layer)
    said = 0
    for name in constructors(NEWEST):
        newest = NEWEST.definition(name)
        if target.find(name) is None:
            continue
        if layer in UNSAYABLE.get(name, ()):
            continue
        older = layers.downgrade(make(NEWEST, target, name, 2), target)
        encoded = target.encode(older)
        assert target.decode(encoded) == older, name
        for field in target.definition(name).fields:
            before = newest.field(field.attribute)
            if before is not None and before.type == field.type and before.type in PLAIN:
                assert getattr(older, field.attribute) == PLAIN[field.type], (name, field.name)
        said += 1
    assert said > 1000


@pytest.mark.parametrize("layer", LAYERS)
def test_every_request_of_an_older_layer_can_be_brought_up(layer: int) -> None:
    source = registry(layer)
    brought = 0
    for name in source.names():
        definition = source.definition(name)
        if not definition.is_method or definition.generic or NEWEST.find(name) is None:
            continue
        request: Any = make(source, NEWEST, name, 2)
        newest = layers.upgrade(request, source)
        assert type(newest) is NEWEST.get(name)
        assert NEWEST.decode_request(NEWEST.encode(newest)) == newest, name
        brought += 1
    assert brought > 400


def test_what_is_the_same_in_both_layers_is_not_copied() -> None:
    updates = api.UpdateShort(
        update=api.UpdateUserTyping(user_id=1, action=api.SendMessageTypingAction()), date=2
    )
    assert layers.downgrade(updates, registry(229)) is updates
    assert layers.downgrade(updates, NEWEST) is updates
    assert layers.downgrade(True, registry(158)) is True


def test_an_object_is_copied_when_something_inside_differs() -> None:
    target = registry(198)
    user = api.User(id=5, first_name="Ann", usernames=[api.Username(username="ann")])
    newest = api.users.UserFull(
        full_user=api.UserFull(
            id=5,
            settings=api.PeerSettings(),
            notify_settings=api.PeerNotifySettings(),
            common_chats_count=0,
            about="me",
        ),
        chats=[],
        users=[user],
    )
    older = layers.downgrade(newest, target)
    assert older.full_user.about == "me"
    assert older.users[0].first_name == "Ann"
    assert type(older.users[0]) is target.get("user")
    assert newest.users == [user], "the original stays as it was"


def test_an_update_that_a_layer_does_not_know_is_left_out() -> None:
    updates = api.Updates(
        updates=[
            api.UpdateNewMessage(message=api.MessageEmpty(id=1), pts=2, pts_count=1),
            api.UpdateStarGiftAuctionState(gift_id=1, state=api.StarGiftAuctionStateNotModified()),
        ],
        users=[],
        chats=[],
        date=1,
        seq=0,
    )
    older = layers.downgrade(updates, registry(158))
    assert [type(update).TL_NAME for update in older.updates] == ["updateNewMessage"]


def test_an_unknown_entity_becomes_one_that_says_so() -> None:
    entity = api.MessageEntityFormattedDate(offset=3, length=4, date=5)
    older = layers.downgrade([entity], registry(198))
    assert older == [api.MessageEntityUnknown(offset=3, length=4)]


def test_a_reply_of_an_old_layer_is_found_by_its_old_name() -> None:
    source = registry(158)
    request: Any = source.get("messages.sendMessage")
    newest: Any = layers.upgrade(
        request(
            peer=api.InputPeerSelf(), message="x", random_id=1, reply_to_msg_id=7, top_msg_id=2
        ),
        source,
    )
    assert newest.reply_to == api.InputReplyToMessage(reply_to_msg_id=7, top_msg_id=2)
    without: Any = layers.upgrade(
        request(peer=api.InputPeerSelf(), message="x", random_id=1), source
    )
    assert without.reply_to is None


@pytest.mark.parametrize("layer", [158, 198, 222, 228])
def test_inline_buttons_survive_both_ways(layer: int) -> None:
    older = registry(layer)
    markup = api.ReplyInlineMarkup(
        rows=[
            api.KeyboardInlineButtonRow(
                buttons=[
                    api.KeyboardInlineButton(
                        text="Yes", type=api.InlineButtonTypeCallback(data=b"y")
                    ),
                    api.KeyboardInlineButton(
                        text="Site", type=api.InlineButtonTypeUrl(url="https://a.test")
                    ),
                ]
            )
        ]
    )
    said = layers.downgrade(markup, older)
    button = said.rows[0].buttons[0]
    assert (type(button).TL_NAME, button.text, button.data) == (
        "keyboardButtonCallback",
        "Yes",
        b"y",
    )
    assert older.decode(older.encode(said)) == said
    sent: Any = older.get("messages.sendMessage")
    request: Any = layers.upgrade(
        sent(peer=api.InputPeerSelf(), message="x", random_id=1, reply_markup=said), older
    )
    assert request.reply_markup == markup


def test_the_keyboard_of_an_old_layer_is_understood() -> None:
    older = registry(198)
    old: Any = older.get("keyboardButton")
    phone: Any = older.get("keyboardButtonRequestPhone")
    markup = api.ReplyKeyboardMarkup(
        rows=[api.KeyboardButtonRow(buttons=[old(text="A"), phone(text="B")])]
    )
    sent: Any = older.get("messages.sendMessage")
    request: Any = layers.upgrade(
        sent(peer=api.InputPeerSelf(), message="x", random_id=1, reply_markup=markup), older
    )
    assert request.reply_markup.rows[0].buttons == [
        api.KeyboardButton(text="A", type=api.ButtonTypeDefault()),
        api.KeyboardButton(text="B", type=api.ButtonTypeRequestPhone()),
    ]
    assert older.encode(layers.downgrade(request.reply_markup, older)) == older.encode(markup)


def test_a_result_whose_wrapping_is_newer_is_unwrapped() -> None:
    older = registry(158)
    method: Any = older.get("messages.createChat")
    updates = api.Updates(updates=[], users=[], chats=[], date=1, seq=0)
    newest = api.messages.InvitedUsers(updates=updates, missing_invitees=[])
    assert layers.downgrade_result(newest, method, older) == updates
    filters: Any = older.get("messages.getDialogFilters")
    found = layers.downgrade_result(api.messages.DialogFilters(filters=[]), filters, older)
    assert found == []


def test_what_an_old_layer_cannot_say_at_all_is_refused() -> None:
    with pytest.raises(EncodeError):
        layers.downgrade(api.WebPageAttributeStickerSet(stickers=[]), registry(158))
