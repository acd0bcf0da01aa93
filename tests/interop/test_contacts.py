"""Finding people: usernames, phone numbers, access hashes (C0.1, C2)."""

from __future__ import annotations

import pytest

from .account import Account
from .conftest import Guests, phone_of
from .drivers import CallError
from .plain import Plain

pytestmark = pytest.mark.asyncio(loop_scope="session")

Duo = tuple[Account, Account]


async def test_resolve_username(duo: Duo) -> None:
    """A username leads to the peer and the user it stands for, in any case of its letters."""
    ann, bob = duo
    for username in (bob.username, bob.username.upper()):
        found = await ann.call("contacts.resolveUsername", username=username)
        assert (found.kind, found.peer) == ("contacts.resolvedPeer", bob.peer)
        assert [user.username for user in found.users] == [bob.username]

    for username, error in (
        ("nobody_has_this", "USERNAME_NOT_OCCUPIED"),
        ("no spaces!", "USERNAME_INVALID"),
    ):
        with pytest.raises(CallError, match=f"^400 {error}$"):
            await ann.call("contacts.resolveUsername", username=username)


async def test_the_library_resolves_a_username_itself(duo: Duo) -> None:
    """A username where a peer belongs: the library asks, and the call arrives."""
    ann, bob = duo
    await ann.driver.send(f"@{bob.username}", "by name")
    assert (await bob.expect_message()).message == "by name"


async def test_import_contacts(duo: Duo) -> None:
    """A phone number leads to the account that has it (C2, importContacts)."""
    ann, bob = duo
    known, unknown = 1 << 40, (1 << 40) + 1

    result = await ann.call(
        "contacts.importContacts",
        contacts=[
            Plain(
                "inputPhoneContact",
                client_id=client_id,
                phone=phone,
                first_name="Robert",
                last_name="",
            )
            for client_id, phone in ((known, f"+{phone_of(bob.number)}"), (unknown, "+15550109999"))
        ],
    )

    assert result.kind == "contacts.importedContacts"
    assert [(found.user_id, found.client_id) for found in result.imported] == [(bob.id, known)]
    (user,) = result.users
    assert (user.id, user.contact) == (bob.id, True)
    assert user.first_name == "Robert"

    contacts = await ann.call("contacts.getContacts", hash=0)
    assert [contact.user_id for contact in contacts.contacts] == [bob.id]

    await ann.call(
        "messages.sendMessage",
        peer=Plain("inputPeerUser", user_id=user.id, access_hash=user.access_hash),
        message="found you",
        random_id=1,
    )
    assert (await bob.expect_message()).message == "found you"


async def test_access_hashes_belong_to_who_got_them(guests: Guests, duo: Duo) -> None:
    """An access hash works for the account that received it, and for no other (C0.1.1)."""
    ann, bob = duo
    carl = await guests.user(ann.driver.library)
    hers, theirs = await ann.meet(bob), await carl.meet(bob)
    assert hers.access_hash != theirs.access_hash

    for peer in (
        Plain("inputPeerUser", user_id=bob.id, access_hash=theirs.access_hash),
        Plain("inputPeerUser", user_id=bob.id, access_hash=0),
        Plain("inputPeerEmpty"),
        Plain("inputPeerChat", chat_id=77),
    ):
        with pytest.raises(CallError, match=r"^400 PEER_ID_INVALID$"):
            await ann.call("messages.sendMessage", peer=peer, message="not delivered", random_id=2)


async def test_usernames_and_profile(guests: Guests, pair: tuple[str, str]) -> None:
    """Renaming oneself is told to oneself's other sessions and found by others (C2)."""
    ann = await guests.user(pair[0])
    again = await guests.user(pair[1], ann.number)
    bob = await guests.user(pair[1])
    name = f"renamed{ann.number}"

    assert await ann.call("account.checkUsername", username=name) is True
    user = await ann.call("account.updateUsername", username=name)
    assert user.username == name
    told = await again.expect("updateUserName")
    assert told.user_id == ann.id
    found = await bob.call("contacts.resolveUsername", username=name)
    assert found.peer == ann.peer

    for username, error in (
        (bob.username, "USERNAME_OCCUPIED"),
        ("1abc5", "USERNAME_INVALID"),
        (name, "USERNAME_NOT_MODIFIED"),
    ):
        with pytest.raises(CallError, match=f"^400 {error}$"):
            await ann.call("account.updateUsername", username=username)

    user = await ann.call("account.updateProfile", first_name="Anne", about="about me")
    assert user.first_name == "Anne"
    full = await ann.call("users.getFullUser", id=Plain("inputUserSelf"))
    assert full.full_user.about == "about me"
