"""contacts.*: finding people, the address book, and who is blocked (C2)."""

from __future__ import annotations

from typing import Any

import pytest

from radiogram.server.rpc import RpcFault
from radiogram.tl import api

from .stage import NOON, Stage


def refused(stage: Stage, who: int, request: Any) -> str:
    with pytest.raises(RpcFault) as caught:
        stage.call(who, request)
    return f"{caught.value.code} {caught.value.message}"


def add(stage: Stage, who: int, whom: int, first_name: str = "N.", **fields: Any) -> Any:
    values: dict[str, Any] = {"last_name": "", "phone": ""}
    return stage.call(
        who,
        api.contacts.AddContact(
            id=stage.input_user(who, whom), first_name=first_name, **{**values, **fields}
        ),
    )


def entry(phone: str, number: int, first_name: str = "", last_name: str = "") -> Any:
    return api.InputPhoneContact(
        client_id=number, phone=phone, first_name=first_name, last_name=last_name
    )


# ------------------------------------------------------------------ finding


@pytest.mark.parametrize("username", ["annie", "ANNIE", "@annie"])
def test_resolve_username(stage: Stage, username: str) -> None:
    for who in (stage.bob, stage.bot):
        found = stage.call(who, api.contacts.ResolveUsername(username=username))
        assert found.peer == api.PeerUser(user_id=stage.ann)
        (user,) = found.users
        assert user.access_hash == stage.hash_of(who, stage.ann)


@pytest.mark.parametrize(
    ("username", "error"),
    [
        ("nobody_here", "400 USERNAME_NOT_OCCUPIED"),
        ("", "400 USERNAME_INVALID"),
        ("a b", "400 USERNAME_INVALID"),
    ],
)
def test_resolve_username_refusals(stage: Stage, username: str, error: str) -> None:
    request = api.contacts.ResolveUsername(username=username)
    assert refused(stage, stage.ann, request) == error


def test_resolve_phone(stage: Stage) -> None:
    found = stage.call(stage.ann, api.contacts.ResolvePhone(phone="+999 66 2 2222"))
    assert found.peer == api.PeerUser(user_id=stage.bob)
    for phone in ("9996620000", "", "x"):
        request = api.contacts.ResolvePhone(phone=phone)
        assert refused(stage, stage.ann, request) == "400 PHONE_NOT_OCCUPIED"


def test_search(stage: Stage) -> None:
    def search(q: str, **fields: Any) -> tuple[list[int], list[int]]:
        found = stage.call(stage.bob, api.contacts.Search(q=q, limit=10, **fields))
        named = {user.id for user in found.users}
        lists = (
            [peer.user_id for peer in found.my_results],
            [peer.user_id for peer in found.results],
        )
        assert named == set(lists[0] + lists[1])
        return lists

    assert search("ann") == ([], [stage.ann]), "by username, everywhere"
    assert search("an") == ([], []), "too short to look everywhere"
    stage.send(stage.bob, stage.ann)
    assert search("an") == ([stage.ann], [])
    assert search("Ann") == ([stage.ann], [])
    assert search("@annie") == ([stage.ann], [])
    assert search("second", bots=True) == ([], [stage.bot2])
    assert search("ann", bots=True) == ([], [])
    assert search("second", broadcasts=True) == ([], [])
    assert search("%%%") == ([], []), "no pattern of the database"
    assert search("ann_e") == ([], [])
    empty = api.contacts.Search(q=" ", limit=10)
    assert refused(stage, stage.bob, empty) == "400 SEARCH_QUERY_EMPTY"


# ------------------------------------------------------------------ the address book


def test_import_contacts(stage: Stage) -> None:
    result = stage.call(
        stage.ann,
        api.contacts.ImportContacts(
            contacts=[
                entry("+999 66 2 2222", 10, "Bobby", "B."),
                entry("9996620000", 11, "Nobody"),
                entry("9996623333", 12),
                entry("9996621111", 13, "Myself"),
                entry("rubbish", 14),
            ]
        ),
    )
    assert result.imported == [
        api.ImportedContact(user_id=stage.bob, client_id=10),
        api.ImportedContact(user_id=stage.eve, client_id=12),
    ]
    bob, eve = result.users
    assert (bob.first_name, bob.last_name, bob.phone) == ("Bobby", "B.", "9996622222")
    assert eve.first_name == "Eve", "without a name of one's own it is theirs"
    assert bob.contact
    assert not bob.mutual_contact
    assert stage.pushed_to() == {stage.ann}
    assert [update.peer.user_id for update in stage.pushes(stage.ann)] == [stage.bob, stage.eve]


def test_mutual_contacts(stage: Stage) -> None:
    add(stage, stage.ann, stage.bob)
    result = add(stage, stage.bob, stage.ann)
    assert result.users[0].mutual_contact
    mine = stage.call(stage.ann, api.contacts.GetContacts(hash=0))
    assert mine.contacts == [api.Contact(user_id=stage.bob, mutual=True)]
    stage.call(stage.bob, api.contacts.DeleteContacts(id=[stage.input_user(stage.bob, stage.ann)]))
    mine = stage.call(stage.ann, api.contacts.GetContacts(hash=0))
    assert mine.contacts == [api.Contact(user_id=stage.bob, mutual=False)]


def test_get_contacts_by_hash(stage: Stage) -> None:
    add(stage, stage.ann, stage.bob)
    add(stage, stage.ann, stage.eve)
    found = stage.call(stage.ann, api.contacts.GetContacts(hash=0))
    assert (found.saved_count, len(found.users)) == (2, 2)

    value = 0
    for number in [2, *sorted((stage.bob, stage.eve))]:
        value ^= value >> 21
        value = (value ^ (value << 35)) % 2**64
        value ^= value >> 4
        value = (value + number) % 2**64
    signed = value - 2**64 if value >= 2**63 else value
    same = stage.call(stage.ann, api.contacts.GetContacts(hash=signed))
    assert same == api.contacts.ContactsNotModified()
    add(stage, stage.ann, stage.bot)
    changed = stage.call(stage.ann, api.contacts.GetContacts(hash=signed))
    assert isinstance(changed, api.contacts.Contacts)


def test_add_contact(stage: Stage) -> None:
    result = add(stage, stage.ann, stage.bob, " Robert ", last_name="X")
    (update,) = result.updates
    assert update == api.UpdatePeerSettings(
        peer=api.PeerUser(user_id=stage.bob), settings=api.PeerSettings()
    )
    assert (result.users[0].first_name, result.users[0].last_name) == ("Robert", "X")
    again = add(stage, stage.ann, stage.bob, "Rob")
    assert again.users[0].first_name == "Rob", "the entry is replaced"
    assert len(stage.call(stage.ann, api.contacts.GetContacts(hash=0)).contacts) == 1


def test_add_contact_refusals(stage: Stage) -> None:
    unnamed = api.contacts.AddContact(
        id=stage.input_user(stage.ann, stage.bob), first_name=" ", last_name="", phone=""
    )
    assert refused(stage, stage.ann, unnamed) == "400 CONTACT_NAME_EMPTY"
    myself = api.contacts.AddContact(id=api.InputUserSelf(), first_name="x", last_name="", phone="")
    assert refused(stage, stage.ann, myself) == "400 CONTACT_ID_INVALID"


def test_delete_contacts(stage: Stage) -> None:
    add(stage, stage.ann, stage.bob)
    add(stage, stage.ann, stage.eve)
    result = stage.call(
        stage.ann,
        api.contacts.DeleteContacts(
            id=[stage.input_user(stage.ann, who) for who in (stage.bob, stage.bot)]
        ),
    )
    (update,) = result.updates
    assert update.settings == api.PeerSettings(add_contact=True, block_contact=True)
    assert [user.contact for user in result.users] == [False]
    request = api.contacts.DeleteByPhones(phones=["+9996623333", "x", "9996620000"])
    assert stage.call(stage.ann, request) is True
    assert stage.call(stage.ann, api.contacts.GetContacts(hash=0)).contacts == []


def test_statuses_of_contacts(stage: Stage) -> None:
    add(stage, stage.ann, stage.bob)
    add(stage, stage.ann, stage.bot)
    stage.call(stage.bob, api.account.UpdateStatus(offline=False))
    assert stage.pushed_to() == {stage.ann}, "who has him as a contact sees him come"
    found = stage.call(stage.ann, api.contacts.GetStatuses())
    assert found == [
        api.ContactStatus(user_id=stage.bob, status=api.UserStatusOnline(expires=NOON + 300))
    ]


# ------------------------------------------------------------------ who is blocked


def test_block_and_unblock(stage: Stage) -> None:
    peer = stage.input_peer(stage.ann, stage.bob)
    assert stage.call(stage.ann, api.contacts.Block(id=peer)) is True
    assert stage.pushes(stage.ann) == [
        api.UpdatePeerBlocked(peer_id=api.PeerUser(user_id=stage.bob), blocked=True)
    ]
    assert stage.call(stage.ann, api.contacts.Block(id=peer)) is True
    assert not stage.pushed_to(), "nothing has changed"
    assert stage.call(stage.ann, api.contacts.Unblock(id=peer)) is True
    assert not stage.pushes(stage.ann)[0].blocked
    assert stage.call(stage.ann, api.contacts.Unblock(id=peer)) is True
    assert refused(stage, stage.ann, api.contacts.Block(id=api.InputPeerSelf())) == (
        "400 CONTACT_ID_INVALID"
    )
    assert refused(stage, stage.ann, api.contacts.Block(id=api.InputPeerEmpty())) == (
        "400 PEER_ID_INVALID"
    )


def test_get_blocked(stage: Stage) -> None:
    for number, who in enumerate((stage.bob, stage.eve, stage.bot)):
        stage.world.clock.set(NOON + number)
        stage.call(stage.ann, api.contacts.Block(id=stage.input_peer(stage.ann, who)))
    found = stage.call(stage.ann, api.contacts.GetBlocked(offset=0, limit=10))
    assert isinstance(found, api.contacts.Blocked)
    assert [one.peer_id.user_id for one in found.blocked] == [stage.bot, stage.eve, stage.bob]
    assert {user.id for user in found.users} == {stage.bob, stage.eve, stage.bot}
    part = stage.call(stage.ann, api.contacts.GetBlocked(offset=1, limit=1))
    assert isinstance(part, api.contacts.BlockedSlice)
    assert (part.count, part.blocked[0].peer_id.user_id) == (3, stage.eve)
