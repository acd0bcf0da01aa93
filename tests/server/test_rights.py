"""How rights and restrictions add up (B2, C0.1.3 to C0.1.5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.server import chat_store, rights
from radiogram.server.chat_store import BROADCAST, GROUP, SUPERGROUP, ChatRow, MemberRow
from radiogram.server.rights import ADMIN, BANNED, Standing
from radiogram.tl import api

NOW = 1_700_000_000


def chat(kind: int = SUPERGROUP, *, default_banned: int = 0) -> ChatRow:
    values: dict[str, Any] = dict.fromkeys(ChatRow._fields)
    values.update(id=5, kind=kind, default_banned=default_banned)
    return ChatRow(**values)


def member(**values: Any) -> MemberRow:
    row: dict[str, Any] = dict.fromkeys(MemberRow._fields)
    row.update(
        chat_id=5,
        user_id=7,
        state=chat_store.MEMBER,
        is_creator=False,
        banned_rights=0,
        until_date=0,
    )
    return MemberRow(**{**row, **values})


def standing(
    kind: int = SUPERGROUP, *, default: int = 0, bot: bool = False, **values: Any
) -> Standing:
    return Standing(chat(kind, default_banned=default), member(**values), bot, NOW)


STRANGER = Standing(chat(), None, False, NOW)


@given(st.integers(0, rights.ALL_ADMIN))
def test_c0_1_4_masks_of_admins_and_objects_are_the_same(mask: int) -> None:
    mask &= rights.ALL_ADMIN
    assert rights.to_mask(rights.admin_rights(mask), ADMIN) == mask


@given(st.integers(0, sum(BANNED.values())))
def test_c0_1_4_masks_of_restrictions_and_objects_are_the_same(mask: int) -> None:
    mask &= sum(BANNED.values())
    shown = rights.banned_rights(mask)
    assert rights.to_mask(shown, BANNED) == mask
    assert shown.until_date == (0x7FFFFFFF if mask else 0)
    assert rights.banned_rights(mask, 77).until_date == 77


def test_c0_1_4_bits_are_those_of_the_schema() -> None:
    assert ADMIN["change_info"] == 1
    assert ADMIN["pin_messages"] == 1 << 7
    assert BANNED["view_messages"] == 1
    assert BANNED["pin_messages"] == 1 << 17
    assert api.ChatBannedRights(pin_messages=True, until_date=0).pin_messages


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (0, 0),
        (-1, 0),
        (NOW, 0),
        (NOW + 29, 0),
        (NOW + 30, NOW + 30),
        (NOW + 366 * 86400, NOW + 366 * 86400),
        (NOW + 366 * 86400 + 1, 0),
        (0x7FFFFFFF, 0),
    ],
)
def test_c0_1_4_ends_of_restrictions(until: int, expected: int) -> None:
    assert rights.normal_until(until, NOW) == expected


def test_c0_1_3_states() -> None:
    inside = standing()
    assert (inside.is_present, inside.is_admin, inside.is_creator) == (True, False, False)
    for state in (chat_store.LEFT, chat_store.KICKED):
        gone = standing(state=state, is_creator=True, admin_rights=rights.ALL_ADMIN)
        assert (gone.is_present, gone.is_admin, gone.is_creator) == (False, False, False)
        assert gone.admin_mask == 0
    assert (STRANGER.is_present, STRANGER.is_admin, STRANGER.is_kicked) == (False, False, False)
    assert not STRANGER.may("pin_messages")
    assert not STRANGER.is_free("send_messages")


def test_c0_1_3_a_ban_ends_by_itself() -> None:
    out = {"state": chat_store.KICKED, "banned_rights": rights.VIEW}
    assert standing(**out).is_kicked
    assert standing(**out, until_date=NOW + 1).is_kicked
    assert not standing(**out, until_date=NOW).is_kicked


def test_c0_1_5_the_creator_has_every_right_that_the_chat_has() -> None:
    owner = standing(is_creator=True)
    assert owner.has_right("pin_messages")
    assert not owner.has_right("post_messages")
    assert not owner.is_anonymous  # but is anonymous only by choice
    assert standing(is_creator=True, admin_rights=ADMIN["anonymous"]).is_anonymous
    poster = standing(BROADCAST, is_creator=True)
    assert poster.has_right("post_messages")
    assert not poster.has_right("pin_messages")
    assert not standing(BROADCAST, admin_rights=ADMIN["anonymous"]).is_anonymous


def test_c0_1_5_admins_are_not_restricted() -> None:
    admin = standing(
        admin_rights=ADMIN["other"],
        default=BANNED["send_messages"],
        banned_rights=BANNED["send_messages"],
    )
    assert admin.banned_mask == 0
    assert admin.is_free("send_messages")


SHARED = ("change_info", "invite_users", "pin_messages", "manage_topics")


@pytest.mark.parametrize("right", SHARED)
@pytest.mark.parametrize("bot", [False, True])
def test_b2_what_everybody_may_do_admins_may_too_but_not_bots(right: str, bot: bool) -> None:
    off = BANNED[right]
    has, lacks = {"admin_rights": ADMIN[right]}, {"admin_rights": ADMIN["other"]}
    for kind in (SUPERGROUP, GROUP):
        assert standing(kind, bot=bot, default=off, **has).may(right)
        assert not standing(kind, bot=bot, default=off, **lacks).may(right)
        assert not standing(kind, bot=bot, default=off).may(right)
        assert standing(kind, bot=bot, **lacks).may(right) == (not bot)
        assert standing(kind, bot=bot).may(right) == (not bot)
        assert not standing(kind, bot=bot, banned_rights=off).may(right)
    assert standing(BROADCAST, bot=bot, **has).may(right)
    assert not standing(BROADCAST, bot=bot, **lacks).may(right)
    assert not standing(BROADCAST, bot=bot).may(right)
    assert not standing(state=chat_store.LEFT, bot=bot).may(right)


def test_c0_1_5_a_member_is_free_of_neither_restriction() -> None:
    off = BANNED["send_messages"]
    assert standing().is_free("send_messages")
    assert not standing(default=off).is_free("send_messages")
    assert not standing(banned_rights=off).is_free("send_messages")
    assert standing(banned_rights=off, until_date=NOW).is_free("send_messages")
    assert not standing(BROADCAST).is_free("send_messages")


def test_c0_1_4_rights_fit_the_kind_of_chat() -> None:
    everything = rights.ALL_ADMIN
    for name in ("pin_messages", "anonymous", "manage_topics"):
        assert not rights.fitting(chat(BROADCAST), everything) & ADMIN[name]
        assert rights.fitting(chat(SUPERGROUP), everything) & ADMIN[name]
    for name in ("post_messages", "edit_messages"):
        assert rights.fitting(chat(BROADCAST), everything) & ADMIN[name]
        assert not rights.fitting(chat(SUPERGROUP), everything) & ADMIN[name]
