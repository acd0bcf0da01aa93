"""Objects -> bytes: what does not fit is refused with its place, and with what was expected."""

from __future__ import annotations

import enum
import math
from typing import Any

import pytest

from radiogram.errors import EncodeError
from radiogram.tl import api, mtproto
from radiogram.tl.base import TLObject
from radiogram.tl.build import Registry, registry
from radiogram.tl.codec import MAX_LENGTH

NEW = registry()
ME = api.InputPeerSelf()


class Level(enum.IntEnum):
    ONE = 1


def refusal(value: Any, reg: Registry = NEW) -> str:
    with pytest.raises(EncodeError) as caught:
        reg.encode(value)
    return str(caught.value)


def pin(**values: Any) -> api.messages.UpdatePinnedMessage:
    return api.messages.UpdatePinnedMessage(**{"peer": ME, "id": 43, **values})


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"peer": "username"}, "peer: expected InputPeer, got str 'username'"),
        ({"peer": None}, "peer: expected InputPeer, got NoneType None"),
        ({"peer": api.PeerUser(user_id=1)}, "peer: expected InputPeer, got PeerUser(user_id=1)"),
        ({"peer": pin()}, "peer: expected InputPeer, got messages.UpdatePinnedMessage(peer=Input"),
        ({"peer": api.InputPeerSelf}, "peer: expected InputPeer, got TLMeta <class"),
        ({"peer": api.InputPeerUser(user_id="1", access_hash=2)},
         "peer.InputPeerUser.user_id: expected int (64-bit), got str '1'"),
        ({"id": "43"}, "id: expected int (32-bit), got str '43'"),
        ({"id": 43.0}, "id: expected int (32-bit), got float 43.0"),
        ({"id": True}, "id: expected int (32-bit), got bool True"),
        ({"id": None}, "id: expected int (32-bit), got NoneType None"),
        ({"id": 2**31}, "id: expected int (32-bit), got int 2147483648"),
        ({"id": -(2**31) - 1}, "id: expected int (32-bit), got int -2147483649"),
        ({"unpin": 1}, "unpin: expected bool, got int 1"),
        ({"unpin": None}, "unpin: expected bool, got NoneType None"),
        ({"silent": "yes"}, "silent: expected bool, got str 'yes'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(values: dict[str, Any], complaint: str) -> None:
    text = refusal(pin(**values))
    assert text.startswith(f"messages.UpdatePinnedMessage.{complaint}")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("long", 2**63, "int (64-bit), got int 9223372036854775808"),
        ("long", "1", "int (64-bit), got str '1'"),
        ("double", "1", "float, got str '1'"),
        ("double", True, "float, got bool True"),
        ("double", 10**400, f"float, got int 1{'0' * 56}..."),
        ("double", None, "float, got NoneType None"),
        ("string", b"a", "str, got bytes b'a'"),
        ("string", 1, "str, got int 1"),
        ("string", "\ud800", "str without lone surrogates, got str '\\ud800'"),
        ("bytes", "a", "bytes, got str 'a'"),
        ("bytes", [1], "bytes, got list [1]"),
        ("int128", b"1", "16 bytes, got bytes b'1'"),
        ("int128", "1234567890123456", "16 bytes, got str '1234567890123456'"),
        ("int256", 5, "32 bytes, got int 5"),
        ("Bool", 1, "bool, got int 1"),
        ("Bool", None, "bool, got NoneType None"),
        ("Object", 5, "a TL object, got int 5"),
        ("Vector<int>", 5, "list of int, got int 5"),
        ("Vector<int>", {1}, "list of int, got set {1}"),
        ("Vector<string>", "abc", "list of string, got str 'abc'"),
        ("Vector<Peer>", iter(()), "list of Peer, got tuple_iterator <tuple_iterator object"),
        ("Vector<Vector<int>>", 5, "list of Vector<int>, got int 5"),
        ("true", True, "true, got bool True"),
        ("peerUser", 5, "peerUser, got int 5"),
        ("peerUser", api.PeerChat(chat_id=1), "peerUser, got PeerChat(chat_id=1)"),
        ("%PeerSettings", ME, "%PeerSettings, got InputPeerSelf()"),
    ],
)
def test_values_by_type(field: str, value: Any, expected: str) -> None:
    reg = Registry.from_tl(f"probe#1 x:{field} = Probe;", layer=999)
    assert refusal(reg.api.Probe(x=value), reg).startswith(f"Probe.x: expected {expected}")
    reg = Registry.from_tl(f"probe#1 flags:# x:flags.3?{field} = Probe;", layer=999)
    if value is not None and field != "true":
        assert refusal(reg.api.Probe(x=value), reg).startswith(f"Probe.x: expected {expected}")


@pytest.mark.parametrize(
    ("item", "right", "wrong", "complaint"),
    [
        ("int", 1, True, "x[1]: expected int (32-bit), got bool True"),
        ("int", 1, 2**31, "x[1]: expected int (32-bit), got int 2147483648"),
        ("long", 1, "1", "x[1]: expected int (64-bit), got str '1'"),
        ("double", 1.0, None, "x[1]: expected float, got NoneType None"),
        ("string", "a", b"a", "x[1]: expected str, got bytes b'a'"),
        ("string", "a", "\udfff", "x[1]: expected str without lone surrogates, got str"),
        ("bytes", b"a", "a", "x[1]: expected bytes, got str 'a'"),
        ("int128", b"1" * 16, b"1", "x[1]: expected 16 bytes, got bytes b'1'"),
        ("Bool", True, 0, "x[1]: expected bool, got int 0"),
        ("InputPeer", ME, "me", "x[1]: expected InputPeer, got str 'me'"),
        ("InputPeer", ME, api.InputPeerChat(chat_id="1"),
         "x[1].InputPeerChat.chat_id: expected int (64-bit), got str '1'"),
        ("peerUser", api.PeerUser(user_id=1), api.PeerUser(user_id=None),
         "x[1].PeerUser.user_id: expected int (64-bit), got NoneType None"),
        ("peerUser", api.PeerUser(user_id=1), ME, "x[1]: expected peerUser, got InputPeerSelf()"),
        ("Vector<int>", [1], [1, "2"], "x[1][1]: expected int (32-bit), got str '2'"),
        ("Vector<int>", [1], 2, "x[1]: expected list of int, got int 2"),
        ("Vector<Vector<int>>", [[1]], [[1], 2], "x[1][1]: expected list of int, got int 2"),
        ("Vector<Peer>", [], [api.PeerUser(user_id="1")],
         "x[1][0].PeerUser.user_id: expected int (64-bit), got str '1'"),
        ("Object", True, [ME, 5], "x[1][1]: expected a TL object, got int 5"),
    ],
)  # fmt: skip
def test_items_have_their_place(item: str, right: Any, wrong: Any, complaint: str) -> None:
    reg = Registry.from_tl(f"probe#1 a:int x:Vector<{item}> = Probe;", layer=999)
    for value in ([right, wrong], (right, wrong)):
        text = refusal(reg.api.Probe(a=1, x=value), reg)
        assert text.startswith(f"Probe.{complaint}")
    for value in ([right, right], (right, right)):
        assert reg.decode(reg.encode(reg.api.Probe(a=1, x=value))).x == [right, right]


def test_deeper_faults_have_their_path() -> None:
    rows = [api.PageTableRow(cells=[]), api.PageTableRow(cells=[api.PageTableCell(), 5])]
    table = api.PageBlockTable(title=api.TextEmpty(), rows=rows)
    page = api.Page(url="", blocks=[table], photos=[], documents=[])
    assert refusal(page) == (
        "Page.blocks[0].PageBlockTable.rows[1].PageTableRow.cells[1]: "
        "expected PageTableCell, got int 5"
    )


def test_what_may_be_written() -> None:
    for value in (bytearray(b"ab"), memoryview(b"ab"), memoryview(b"xaxb")[1::2]):
        made = api.InputDocument(id=1, access_hash=2, file_reference=value)
        assert NEW.decode(NEW.encode(made)).file_reference == b"ab"
    assert NEW.decode(NEW.encode(pin(id=Level.ONE))).id == 1
    assert NEW.decode(NEW.encode(api.JsonNumber(value=5))).value == 5.0
    assert NEW.decode(NEW.encode(api.JsonNumber(value=-math.inf))).value == -math.inf
    assert NEW.decode(NEW.encode(api.messages.DeleteMessages(id=(1, 2)))).id == [1, 2]


def test_only_objects_are_written() -> None:
    for value in (5, None, "a", b"a", api.InputPeerSelf, object()):
        assert refusal(value).startswith("Object: expected a TL object, got ")
    assert refusal([True, [5]]) == "Object[1][0]: expected a TL object, got int 5"
    assert refusal(mtproto.Ping(ping_id=1)) == "Ping: Ping does not belong to api"
    assert refusal(api.InvokeWithLayer(layer=1, query="a")) == (
        "InvokeWithLayer.query: expected a TL object or bytes, got str 'a'"
    )
    assert refusal(api.InvokeWithLayer(layer=1, query=mtproto.Ping(ping_id=1))).endswith(
        "Ping does not belong to api"
    )
    assert "expected int" in refusal(api.InvokeWithLayer(layer=1, query=pin(id="1")))


def test_a_removed_attribute_is_missed() -> None:
    made = pin()
    del made.id
    assert refusal(made).startswith("messages.UpdatePinnedMessage.id: expected int")


def test_fields_that_share_a_bit_are_given_together() -> None:
    reg = Registry.from_tl(
        "probe#1 flags:# a:flags.0?int on:flags.0?true b:flags.1?int c:flags.0?string = Probe;",
        layer=999,
    )
    probe = reg.api.Probe
    assert len(reg.encode(probe())) == 8
    assert len(reg.encode(probe(a=0, on=True, c=""))) == 16
    assert refusal(probe(a=1), reg) == (
        "Probe: 'on' and 'c' must be given together with 'a': they share a flag bit"
    )
    assert refusal(probe(on=True, c="x"), reg) == (
        "Probe: 'a' must be given together with 'on' and 'c': they share a flag bit"
    )
    assert refusal(probe(a=1, on=1, c=""), reg) == "Probe.on: expected bool, got int 1"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [bytes, str])
def test_lengths(kind: type) -> None:
    cls, name = (api.JsonString, "value") if kind is str else (api.auth.ImportLoginToken, "token")
    for length in (253, 254, 255, 256, 65_536, MAX_LENGTH):
        made = cls(**{name: "a" * length if kind is str else bytes(length)})
        data = NEW.encode(made)
        assert len(data) % 4 == 0
        assert NEW.decode(data) == made
    made = cls(**{name: "a" * (MAX_LENGTH + 1) if kind is str else bytes(MAX_LENGTH + 1)})
    assert refusal(made).endswith(f".{name}: expected at most 16777215 bytes, got 16777216")


def test_depth() -> None:
    text = api.TextBold(text=api.TextEmpty())
    for _ in range(5000):
        text = api.TextBold(text=text)
    assert refusal(text).endswith("TextBold: nested too deeply")
    assert len(refusal(text)) < 400
    endless = api.TextConcat(texts=[])
    endless.texts.append(endless)
    assert refusal(endless).endswith(": nested too deeply")
    endless.texts.clear()


# Answers


def test_answers_that_do_not_fit() -> None:
    def answer(method: Any, value: Any) -> str:
        with pytest.raises(EncodeError) as caught:
            NEW.encode_result(method, value)
        return str(caught.value)

    user = api.UserEmpty(id=1)
    assert answer(api.users.GetUsers, [user, ME]) == (
        "Vector<User>[1]: expected User, got InputPeerSelf()"
    )
    assert answer(api.users.GetUsers, [user, api.UserEmpty(id="1")]) == (
        "Vector<User>[1].UserEmpty.id: expected int (64-bit), got str '1'"
    )
    assert answer(api.users.GetUsers(id=[]), user) == (
        "Vector<User>: expected list of User, got UserEmpty(id=1)"
    )
    assert answer(api.contacts.GetContactIDs, [1, True]) == (
        "Vector<int>[1]: expected int (32-bit), got bool True"
    )
    assert answer(api.account.CheckUsername, 1) == "Bool: expected bool, got int 1"
    assert answer(api.updates.GetState, user) == (
        "updates.State: expected updates.State, got UserEmpty(id=1)"
    )


@pytest.mark.parametrize("method", [5, None, api.InputPeerSelf, ME, TLObject, api.TypeUser, int])
def test_what_is_no_method_has_no_answer(method: Any) -> None:
    for call in (NEW.decode_result, NEW.encode_result):
        with pytest.raises(EncodeError, match=r"is not a method$"):
            call(method, b"")


def test_methods_of_others_have_no_answer_here() -> None:
    with pytest.raises(EncodeError, match="ping is not a method of layer 232"):
        NEW.encode_result(mtproto.Ping, b"")
    removed = registry(133).get("messages.getStatsURL") or registry(133).get("contacts.search")
    assert removed is not None
    text = "contacts.search#11f812d8 = Peer;"
    with pytest.raises(EncodeError, match=r"contacts\.search is not a method of layer 999"):
        Registry.from_tl(text, layer=999).encode_result(api.contacts.Search, b"")


# Objects of other layers


def test_an_object_of_another_layer_is_written_by_its_names() -> None:
    old = registry(158)
    message = api.Message(
        id=1, peer_id=api.PeerUser(user_id=2), date=3, message="a", out=True, effect=5
    )
    data = old.encode(api.UpdateNewMessage(message=message, pts=1, pts_count=1))
    again = old.decode(data).message
    assert type(again) is old.api.Message is not api.Message
    assert (again.id, again.date, again.message, again.out) == (1, 3, "a", True)
    assert not hasattr(again, "effect")
    # And the other way.
    upwards = NEW.decode(NEW.encode(again))
    assert upwards == api.Message(
        id=1, peer_id=api.PeerUser(user_id=2), date=3, message="a", out=True
    )


def test_what_the_other_layer_needs_has_to_be_there() -> None:
    reg = Registry.from_tl("peerUser#1 user_id:long name:string = Peer;", layer=999)
    for value in (api.PeerUser(user_id=1), [api.PeerUser(user_id=1)]):
        assert refusal(value, reg).endswith("PeerUser needs 'name' in layer 999")
    assert NEW.decode(NEW.encode(reg.api.PeerUser(user_id=1, name="a"))) == api.PeerUser(user_id=1)
    assert refusal(api.ReactionPaid(), registry(133)) == (
        "ReactionPaid: ReactionPaid does not exist in layer 133"
    )
    inside = api.UpdateShort(update=api.UpdateStory(peer=api.PeerUser(user_id=1), story=5), date=1)
    assert refusal(inside, registry(133)) == (
        "UpdateShort.update: UpdateStory does not exist in layer 133"
    )


def test_bare_objects_are_of_this_family() -> None:
    message = api.Message(id=1, peer_id=api.PeerUser(user_id=1), date=1, message="")
    text = refusal(mtproto.MsgContainer(messages=[message]), mtproto.REGISTRY)
    assert text.startswith("MsgContainer.messages[0]: ")
    assert "Message does not belong to mtproto" in text or "expected message" in text


def test_a_body_has_the_length_that_it_announces() -> None:
    for body in (b"abcd", bytearray(b"abcd"), memoryview(b"abcd"), memoryview(b"abcd").cast("I")):
        made = mtproto.Message(msg_id=1, seqno=1, bytes=4, body=body)
        assert mtproto.REGISTRY.encode(made).endswith(b"abcd")
        made.bytes = 3
        assert refusal(made, mtproto.REGISTRY) == (
            "Message.body: expected 3 bytes as announced, got 4"
        )
    ping = mtproto.Ping(ping_id=1)
    made = mtproto.Message(msg_id=1, seqno=1, bytes=12, body=ping)
    assert mtproto.REGISTRY.encode(made).endswith(mtproto.REGISTRY.encode(ping))
