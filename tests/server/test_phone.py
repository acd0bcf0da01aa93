"""An account gets another number: account.sendChangePhoneCode and changePhone (C1)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.tl import api

from .keyed import Keyed
from .stage import MakeStage, Stage
from .two_step import PHONE, refused, sign_in

NEW, CODE = "9996629876", "22222"


def ask(device: Keyed, phone: str = NEW) -> Any:
    return device.call(asking(phone))


def asking(phone: str) -> api.account.SendChangePhoneCode:
    return api.account.SendChangePhoneCode(phone_number=phone, settings=api.CodeSettings())


def change(sent: Any, phone: str = NEW, code: str = CODE) -> api.account.ChangePhone:
    return api.account.ChangePhone(
        phone_number=phone, phone_code_hash=sent.phone_code_hash, phone_code=code
    )


def test_the_account_moves_to_the_number(stage: Stage) -> None:
    device = Keyed(stage.world)
    sign_in(device)
    sent = ask(device, "+" + NEW)
    assert sent.type == api.auth.SentCodeTypeSms(length=5), "nobody has an app with this number"

    user = device.call(change(sent))

    assert (user.id, user.phone, user.self) == (stage.ann, NEW, True)
    other = Keyed(stage.world)
    assert sign_in(other, NEW).user.id == stage.ann
    sent = other.send_code(PHONE)
    request = api.auth.SignIn(
        phone_number=PHONE, phone_code_hash=sent.phone_code_hash, phone_code=CODE
    )
    assert isinstance(Keyed(stage.world).call(request), api.auth.AuthorizationSignUpRequired)


def test_those_hear_of_it_who_may_see_the_number(stage: Stage) -> None:
    """Bob has her in his contacts, Eve only a chat with her."""
    stage.send(stage.eve, stage.ann)
    stage.call(
        stage.bob,
        api.contacts.AddContact(
            id=stage.input_user(stage.bob, stage.ann), first_name="A", last_name="", phone=PHONE
        ),
    )
    sent = stage.call(stage.ann, asking(NEW))
    stage.call(stage.ann, change(sent))
    assert stage.pushed_to() == {stage.ann, stage.bob}
    assert stage.pushes(stage.bob) == [api.UpdateUserPhone(user_id=stage.ann, phone=NEW)]


def test_who_awaits_the_number_has_a_contact(stage: Stage) -> None:
    contact = api.InputPhoneContact(client_id=1, phone=NEW, first_name="Her", last_name="")
    stage.call(stage.bob, api.contacts.ImportContacts(contacts=[contact]))
    stage.call(stage.ann, change(stage.call(stage.ann, asking(NEW))))
    (found,) = stage.call(stage.bob, api.contacts.GetContacts(hash=0)).users
    assert (found.id, found.first_name, found.phone) == (stage.ann, "Her", NEW)


@pytest.mark.parametrize(
    ("phone", "fault"),
    [
        ("", (406, "PHONE_NUMBER_INVALID")),
        ("nonsense", (406, "PHONE_NUMBER_INVALID")),
        ("42777", (406, "PHONE_NUMBER_INVALID")),
        (PHONE, (400, "PHONE_NUMBER_OCCUPIED")),
        ("9996622222", (400, "PHONE_NUMBER_OCCUPIED")),
        ("15550001", (400, "PHONE_NUMBER_BANNED")),
    ],
)
def test_numbers_that_it_may_not_have(
    make_stage: MakeStage, phone: str, fault: tuple[int, str]
) -> None:
    stage = make_stage(banned_numbers=("15550001",))
    device = Keyed(stage.world)
    sign_in(device)
    assert refused(device, asking(phone)) == fault
    assert refused(device, change(ask(device), phone)) == fault


def test_codes_that_are_wrong(make_stage: MakeStage) -> None:
    stage = make_stage(login_code_lifetime=60)
    device = Keyed(stage.world)
    sign_in(device)
    sent = ask(device)
    assert refused(device, change(sent, code="")) == (400, "PHONE_CODE_EMPTY")
    assert refused(device, change(sent, code="11111")) == (400, "PHONE_CODE_INVALID")
    assert refused(device, change(sent, "9996629999")) == (400, "PHONE_CODE_EXPIRED")
    stage.world.clock.advance(60)
    assert refused(device, change(sent)) == (400, "PHONE_CODE_EXPIRED")
    (me,) = device.call(api.users.GetUsers(id=[api.InputUserSelf()]))
    assert me.phone == PHONE


def test_a_number_that_somebody_took_meanwhile(stage: Stage) -> None:
    first, second = Keyed(stage.world), Keyed(stage.world)
    sign_in(first)
    sign_in(second, "9996622222")
    sent, other = ask(first), ask(second)
    first.call(change(sent))
    assert refused(second, change(other)) == (400, "PHONE_NUMBER_OCCUPIED")


def test_a_code_can_be_resent_and_cancelled(make_stage: MakeStage) -> None:
    """Also where the new number is one of another DC: this is no login, and moves nobody."""
    stage = make_stage(migrate_test_numbers=True)
    device = Keyed(stage.world)
    sign_in(device)
    phone = "9996610001"
    known = {"phone_number": phone, "phone_code_hash": ask(device, phone).phone_code_hash}
    sent = device.call(api.auth.ResendCode(**known))
    assert refused(device, api.auth.CancelCode(**known)) == (400, "PHONE_CODE_EXPIRED")
    known["phone_code_hash"] = sent.phone_code_hash
    assert device.call(api.auth.CancelCode(**known)) is True
    assert refused(device, change(sent, phone, "11111")) == (400, "PHONE_CODE_EXPIRED")


def test_a_new_session_may_not(make_stage: MakeStage) -> None:
    stage = make_stage(fresh_reset_wait=86400)
    device = Keyed(stage.world)
    sign_in(device)
    assert refused(device, asking(NEW)) == (406, "FRESH_CHANGE_PHONE_FORBIDDEN")
    stage.world.clock.advance(86400)
    assert ask(device)


def test_nobody_and_bots_may_not(stage: Stage) -> None:
    assert refused(Keyed(stage.world), asking(NEW)) == (401, "AUTH_KEY_UNREGISTERED")
