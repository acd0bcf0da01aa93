"""Bytes -> objects: what is refused, where and why, and how much a hostile input may cost."""

from __future__ import annotations

import inspect
import sys
import traceback
import tracemalloc
from typing import Any

import pytest

from radiogram.errors import DecodeError
from radiogram.tl import api, build, mtproto, reader
from radiogram.tl.base import TLObject
from radiogram.tl.build import Registry, registry
from radiogram.tl.codec import MAX_DEPTH

NEW = registry()
VECTOR = bytes.fromhex("15c4b51c")
TRUE = bytes.fromhex("b5757299")


def number(value: int) -> bytes:
    return value.to_bytes(4, "little")


def head(cls: type[TLObject]) -> bytes:
    return number(cls.TL_ID)


def probe(declaration: str) -> Registry:
    """Give a layer with one more constructor, ``probe``, of number 1."""
    return Registry.from_tl(f"probe#00000001 {declaration} = Probe;", layer=999)


def refusal(data: bytes, reg: Registry = NEW) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        reg.decode(data)
    assert str(caught.value).endswith(f"at byte {caught.value.offset}: {caught.value.message}")
    return caught.value


SENT = api.messages.SendMessage(
    peer=api.InputPeerUser(user_id=1, access_hash=2),
    message="text",
    random_id=3,
    entities=[
        api.MessageEntityBold(offset=0, length=1),
        api.MessageEntityTextUrl(offset=0, length=1, url="https://t.me"),
    ],
)
DATA = NEW.encode(SENT)


# Errors name constructor, field and offset


@pytest.mark.parametrize(
    ("end", "path", "offset", "message"),
    [
        (0, "", 0, "the data ends, 0 bytes are left"),
        (3, "", 0, "the data ends, 3 bytes are left"),
        (4, "messages.SendMessage.flags", 4, "the data ends, 0 bytes are left"),
        (10, "messages.SendMessage.peer", 4, "the data ends, 6 bytes are left"),
        (19, "messages.SendMessage.peer.InputPeerUser.user_id", 12, "the data ends, 7 bytes"),
        (20, "messages.SendMessage.peer.InputPeerUser.access_hash", 12, "the data ends, 8 bytes"),
        (28, "messages.SendMessage.message", 28, "the data ends, 0 bytes are left"),
        (32, "messages.SendMessage.message", 28, "the data ends within"),
        (36, "messages.SendMessage.random_id", 36, "the data ends, 0 bytes are left"),
        (44, "messages.SendMessage.entities", 44, "the data ends, 0 bytes are left"),
        (52, "messages.SendMessage.entities", 48, "2 items announced, 0 bytes left"),
        (60, "messages.SendMessage.entities[0].MessageEntityBold.length", 56, "the data ends, 4"),
        (64, "messages.SendMessage.entities[1]", 64, "the data ends, 0 bytes are left"),
        (
            80,
            "messages.SendMessage.entities[1].MessageEntityTextUrl.url",
            76,
            "the data ends within",
        ),
    ],
)
def test_where_the_data_ends(end: int, path: str, offset: int, message: str) -> None:
    error = refusal(DATA[:end])
    assert (error.path, error.offset) == (path, offset)
    assert error.message.startswith(message)


def test_truncated_at_every_byte() -> None:
    assert NEW.decode(DATA) == SENT
    for end in range(len(DATA)):
        error = refusal(DATA[:end])
        assert error.path.startswith("messages.SendMessage" if end >= 4 else "")
        assert error.offset <= end
    for end in range(len(DATA)):
        with pytest.raises(DecodeError):
            NEW.decode_prefix(DATA[:end])


def test_what_follows_the_value() -> None:
    error = refusal(DATA + b"1234")
    assert (error.path, error.offset) == ("messages.SendMessage", len(DATA))
    assert error.message == "4 bytes follow the value"
    assert refusal(TRUE + b"12").path == ""
    assert NEW.decode_prefix(DATA + b"12") == (SENT, len(DATA))


@pytest.mark.parametrize(
    ("position", "wrong", "path", "offset", "message"),
    [
        (0, b"\1\2\3\4", "", 0, "no constructor 0x04030201 in layer 232"),
        (8, b"\1\2\3\4", "messages.SendMessage.peer", 8,
         "no constructor 0x04030201 in layer 232 where InputPeer is expected"),
        (8, head(api.PeerUser), "messages.SendMessage.peer", 8, "expected InputPeer, got PeerUser"),
        (8, head(api.messages.GetDialogs), "messages.SendMessage.peer", 8,
         "expected InputPeer, got messages.GetDialogs"),
        (8, TRUE, "messages.SendMessage.peer", 8, "expected InputPeer, got BoolTrue"),
        (44, TRUE, "messages.SendMessage.entities", 44, "expected a vector"),
        (64, head(api.PeerUser), "messages.SendMessage.entities[1]", 64,
         "expected MessageEntity, got PeerUser"),
    ],
)  # fmt: skip
def test_a_constructor_that_does_not_belong(
    position: int, wrong: bytes, path: str, offset: int, message: str
) -> None:
    error = refusal(DATA[:position] + wrong + DATA[position + 4 :])
    assert (error.path, error.offset, error.message) == (path, offset, message)


def test_a_bool_is_one_of_two() -> None:
    error = refusal(head(api.JsonBool) + head(api.JsonNull))
    assert (error.path, error.offset) == ("JsonBool.value", 4)
    assert error.message == "expected boolTrue or boolFalse, got 0x3f6d7b68"
    with pytest.raises(DecodeError, match="expected boolTrue or boolFalse"):
        NEW.decode_result(api.account.CheckUsername, head(api.JsonNull))


@pytest.mark.parametrize(
    ("field", "data", "offset", "message"),
    [
        ("x:string", b"\xff\0\0\0", 4, "a length cannot begin with byte 255"),
        ("x:string", b"\xfe\4\0\0abc", 4, "4 bytes announced, 3 left"),
        ("x:bytes", b"\xfe\xff\xff\xff", 4, "16777215 bytes announced, 0 left"),
        ("x:bytes", b"\5abc", 4, "the data ends within"),
        ("flags:# x:flags.0?bytes", b"\1\0\0\0\5abc", 8, "5 bytes announced, 3 left"),
        ("x:Vector<string>", VECTOR + b"\1\0\0\0\xff\0\0\0", 12, "a length cannot begin"),
        ("x:Vector<int>", VECTOR + b"\2\0\0\0abcd", 8, "2 items announced, 4 bytes left"),
        ("x:Vector<long>", VECTOR + b"\1\0\0\0abcd", 8, "1 items announced, 4 bytes left"),
        ("x:Vector<int256>", VECTOR + b"\1\0\0\0" + b"x" * 16, 8, "1 items announced, 16 bytes"),
        ("x:Vector<Bool>", VECTOR + b"\1\0\0\0abcd", 12, "expected boolTrue or boolFalse"),
        ("x:Vector<Vector<int>>", VECTOR + b"\1\0\0\0abcd", 12, "expected a vector, got 0x6463"),
        ("x:Vector<Vector<int>>", VECTOR + b"\1\0\0\0" + VECTOR + b"\2\0\0\0abcd", 16,
         "2 items announced, 4 bytes left"),
        ("x:vector<int128>", b"\xff\xff\xff\xff", 4, "4294967295 items announced, 0 bytes left"),
        ("x:int128", b"123456789012", 4, "the data ends, 12 bytes are left"),
        ("x:Object", b"abcd", 4, "no constructor 0x64636261 in layer 999"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(field: str, data: bytes, offset: int, message: str) -> None:
    error = refusal(number(1) + data, probe(field))
    assert error.path.startswith("Probe.x")
    assert (error.offset, error.message[: len(message)]) == (offset, message)


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("int", 5), ("long", -5), ("double", 1.5), ("string", "\udcff"), ("bytes", b"ab"),
        ("int128", b"x" * 16), ("int256", b"x" * 32), ("Bool", True), ("Object", [True]),
        ("Peer", api.PeerUser(user_id=1)), ("peerUser", api.PeerUser(user_id=1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("outer", ["Vector<Vector<{}>>", "vector<vector<Vector<{}>>>"])
def test_nested_vectors(outer: str, item: str, value: Any) -> None:
    reg = probe(f"x:{outer.format(item)} y:int")
    items = [[], [value, value]]
    made = reg.api.Probe(x=[items, []] if outer[0] == "v" else items, y=5)
    data = reg.encode(made)
    assert reg.decode(data) == made
    for end in range(0, len(data), 2):
        assert refusal(data[:end], reg).offset <= end


def test_items_of_nested_vectors_have_their_place() -> None:
    data = VECTOR + number(2) + (VECTOR + number(1) + number(7)) + (VECTOR + number(2) + number(8))
    assert refusal(number(1) + data, probe("x:Vector<Vector<int>>")).path == "Probe.x[1]"
    bare = probe("x:Vector<Vector<peerUser>>")
    data = VECTOR + number(1) + VECTOR + number(2) + bytes(12)
    assert refusal(number(1) + data, bare).path == "Probe.x[0][1].PeerUser.user_id"


def test_long_paths_are_cut_in_the_middle() -> None:
    path = refusal(head(api.TextBold) * 50).path
    assert path.startswith("TextBold.text.TextBold.text.")
    assert " ... " in path
    assert len(path) == 305


# What may be read


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_in_any_form(kind: Any) -> None:
    assert NEW.decode(kind(DATA)) == SENT
    assert NEW.decode_request(kind(DATA)) == SENT
    assert NEW.decode_result(api.users.GetUsers, kind(VECTOR + number(0))) == []


@pytest.mark.parametrize("before", range(9))
def test_a_value_may_begin_anywhere(before: int) -> None:
    assert NEW.decode(b"x" * before + DATA, before) == SENT
    assert NEW.decode_prefix(b"x" * before + DATA, before) == (SENT, before + len(DATA))
    with pytest.raises(DecodeError):
        NEW.decode(DATA, len(DATA) + before)


def test_padding_is_not_looked_at() -> None:
    data = head(api.InputPhoneContact) + bytes(8) + b"\1aXY" + b"\2abZ" + b"\3abc"
    data = NEW.encode(api.JsonString(value="ab"))
    assert NEW.decode(data[:-1] + b"\7") == api.JsonString(value="ab")
    long = NEW.encode(api.JsonString(value="a" * 254))
    assert NEW.decode(long[:-1] + b"\7") == api.JsonString(value="a" * 254)
    # A short length in the long form is read too.
    short = head(api.JsonString) + b"\xfe\1\0\0a\0\0\0"
    assert NEW.decode(short) == api.JsonString(value="a")


@pytest.mark.parametrize(
    "text",
    [b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"ok \xfe" * 80, bytes(range(256))],
)
def test_strings_that_are_not_utf_8_survive(text: bytes) -> None:
    for declaration in ("x:string", "flags:# x:flags.0?string", "x:Vector<string>"):
        reg = probe(declaration)
        wanted = text.decode("utf-8", "surrogateescape")
        made = reg.api.Probe(x=[wanted] if "Vector" in declaration else wanted)
        data = reg.encode(made)
        assert text in data
        again = reg.decode(data)
        assert again == made
        assert reg.encode(again) == data
        assert repr(again).isprintable()


def test_flag_bits_that_nobody_knows_are_ignored() -> None:
    plain = NEW.encode(api.messages.GetDialogs(
        offset_date=0, offset_id=0, offset_peer=api.InputPeerEmpty(), limit=1, hash=0
    ))  # fmt: skip
    flagged = plain[:4] + number(1 << 31) + plain[8:]
    assert NEW.decode(flagged) == NEW.decode(plain)


def test_fields_that_share_a_bit_come_together() -> None:
    reg = probe("flags:# a:flags.0?int on:flags.0?true b:flags.1?int c:flags.0?string")
    assert reg.decode(number(1) + number(0)) == reg.api.Probe()
    assert reg.decode(number(1) + number(1) + number(5) + b"\1x\0\0") == reg.api.Probe(
        a=5, on=True, c="x"
    )
    assert refusal(number(1) + number(1) + number(5), reg).path == "Probe.c"


def test_flags_in_several_words() -> None:
    reg = probe("a:# x:a.31?int b:# y:b.31?true z:a.0?true w:b.0?Vector<int>")
    for values in ({}, {"x": 1}, {"y": True}, {"z": True, "w": []}, {"x": 0, "y": True, "w": [1]}):
        made = reg.api.Probe(**values)
        assert reg.decode(reg.encode(made)) == made


def test_anything_where_an_object_is_expected() -> None:
    reg = probe("x:Object")
    for value in (True, False, [], [True, [api.PeerUser(user_id=1)]], api.InputPeerSelf()):
        made = reg.api.Probe(x=value)
        assert reg.decode(reg.encode(made)) == made
        assert reg.decode(reg.encode(value)) == value
    assert reg.encode((True,)) == reg.encode([True])


def test_types_whose_names_look_like_others() -> None:
    reg = Registry.from_tl(
        "one#1 = A_B;\ntwo#2 = A__B;\nthree#3 = A.B;\n"
        "all#4 a:A_B b:A__B c:A.B d:%A_B e:%A__B f:%A.B = All;",
        layer=999,
    )
    one, two, three = reg.api.One(), reg.api.Two(), reg.api.Three()
    made = reg.api.All(a=one, b=two, c=three, d=one, e=two, f=three)
    assert reg.decode(reg.encode(made)) == made
    data = reg.encode(made)
    assert len(data) == 16
    assert refusal(data[:4] + number(2) + data[8:], reg).message == "expected A_B, got Two"


def test_a_bare_type_may_hold_itself() -> None:
    reg = probe("x:int more:vector<%Probe>")
    made = reg.api.Probe(x=1, more=[reg.api.Probe(x=2, more=[]), reg.api.Probe(x=3, more=[])])
    assert reg.decode(reg.encode(made)) == made
    assert len(reg.encode(made)) == 28
    assert refusal(reg.encode(made)[:-4], reg).path == "Probe.more[1].Probe.more"


def test_true_without_a_flag_is_an_object_of_no_bytes() -> None:
    reg = probe("x:true y:True")
    made = reg.api.Probe(x=api.True_(), y=api.True_())
    assert reg.encode(made) == number(1) + head(api.True_)
    assert reg.decode(reg.encode(made)) == made


def test_a_variable_type_without_an_exclamation_mark_is_read() -> None:
    text = "---functions---\necho#1 {T:Type} x:T y:int = T;"
    reg = Registry.from_tl(text, layer=999)
    made = reg.api.Echo(x=api.InputPeerSelf(), y=5)
    assert reg.decode_request(reg.encode(made)) == made


# Methods and answers


def test_a_wrapper_leaves_the_rest_alone() -> None:
    wrapped = api.InvokeWithLayer(layer=5, query=api.InvokeWithoutUpdates(query=SENT))
    data = NEW.encode(wrapped)
    outer = NEW.decode_request(data)
    assert outer == api.InvokeWithLayer(layer=5, query=data[8:])
    inner = NEW.decode_request(outer.query)
    assert inner == api.InvokeWithoutUpdates(query=DATA)
    assert NEW.encode(outer) == data
    # What is inside is nobody's business here.
    assert NEW.decode_request(data[:8] + b"not TL").query == b"not TL"


def test_only_methods_are_requests() -> None:
    for value in (api.InputPeerSelf(), True, []):
        with pytest.raises(DecodeError, match="expected a method, got "):
            NEW.decode_request(NEW.encode(value))


def test_answers_are_read_by_the_type_of_the_method() -> None:
    user = api.UserEmpty(id=1)
    for method, value in (
        (api.users.GetUsers, [user]),
        (api.users.GetUsers(id=[]), []),
        (api.contacts.GetContactIDs, [1, -1]),
        (api.account.CheckUsername, True),
        (api.messages.GetMessagesViews, api.messages.MessageViews(views=[], chats=[], users=[])),
        (api.InvokeWithLayer(layer=1, query=api.users.GetUsers(id=[])), [user]),
        (api.InvokeAfterMsg(msg_id=1, query=api.InvokeWithLayer(
            layer=1, query=api.account.CheckUsername(username=""))), False),
    ):  # fmt: skip
        assert NEW.decode_result(method, NEW.encode_result(method, value)) == value
    # Nobody knows what was wrapped: whatever comes is the answer.
    for query in (api.InvokeWithLayer(layer=1, query=b""), api.InvokeWithLayer):
        assert NEW.decode_result(query, NEW.encode(user)) == user
    with pytest.raises(DecodeError, match=r"expected User, got PeerUser"):
        NEW.decode_result(api.users.GetUsers, NEW.encode([api.PeerUser(user_id=1)]))
    with pytest.raises(DecodeError) as caught:
        NEW.decode_result(api.contacts.GetContactIDs, VECTOR + number(1) + b"ab")
    assert caught.value.path == ""
    assert caught.value.offset == 4


def test_answers_by_layer() -> None:
    """`users.getFullUser` once answered with a userFull alone."""
    method = registry(133).get("users.getFullUser")
    assert method is not None
    assert registry(133).definition("users.getFullUser").result == "users.UserFull"[6:]
    old = registry(133).api.Null()
    with pytest.raises(DecodeError, match="expected UserFull, got Null"):
        registry(133).decode_result(method, NEW.encode(old))
    with pytest.raises(DecodeError, match=r"expected users\.UserFull, got Null"):
        NEW.decode_result(method, NEW.encode(old))


# Limits


def test_depth() -> None:
    bold, plain = head(api.TextBold), NEW.encode(api.TextPlain(text=""))
    deepest = NEW.decode(bold * (MAX_DEPTH - 1) + plain)
    assert NEW.decode(NEW.encode(deepest)) == deepest
    for depth in (MAX_DEPTH + 1, 1000, 100_000):
        assert refusal(bold * depth + plain).message == "nested too deeply"


def test_a_stack_that_is_nearly_full() -> None:
    """Whoever calls from deep inside gets the same error, not Python's."""
    data = head(api.TextBold) * 50 + NEW.encode(api.TextEmpty())

    def call(frames: int) -> None:
        if frames:
            call(frames - 1)
        NEW.decode(data)

    here = len(inspect.stack())
    with pytest.raises(DecodeError, match="nested too deeply"):
        call(sys.getrecursionlimit() - here - 30)


def test_depth_of_vectors() -> None:
    vector = VECTOR + number(1)
    assert NEW.decode(vector * (MAX_DEPTH // 2) + TRUE)
    for depth in (MAX_DEPTH + 2, 100_000):
        assert refusal(vector * depth + TRUE).message == "nested too deeply"
    reg = probe("x:Object")
    assert refusal((number(1) + vector) * 100 + TRUE, reg).message == "nested too deeply"


def test_depth_of_bare_types() -> None:
    reg = probe("more:vector<probe>")
    assert refusal(number(1) + number(1) * 100 + number(0), reg).message == "nested too deeply"


@pytest.mark.parametrize("count", [2**24, 2**31, 2**32 - 1])
def test_counts_are_held_against_what_is_there(count: int) -> None:
    for data in (VECTOR, head(api.messages.DeleteMessages) + number(0) + VECTOR):
        tracemalloc.start()
        try:
            assert "items announced" in refusal(data + number(count)).message
            assert tracemalloc.get_traced_memory()[1] < 100_000
        finally:
            tracemalloc.stop()


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make the number of objects in one input small enough for a quick test."""
    assert build.MAX_OBJECTS == reader.MAX_OBJECTS == 262_144
    for module in (build, reader):
        monkeypatch.setattr(module, "MAX_OBJECTS", 1000)
    return 1000


@pytest.mark.parametrize(
    ("declaration", "item"),
    [
        ("x:Vector<True>", head(api.True_)),
        ("x:Vector<string>", bytes(4)),
        ("x:Vector<int>", bytes(4)),
        ("x:Vector<int256>", bytes(32)),
        ("x:Vector<Object>", TRUE),
        ("x:Vector<Vector<int>>", VECTOR + number(0)),
        ("x:Vector<Bool>", TRUE),
        ("x:Vector<peerUser>", bytes(8)),
    ],
)
def test_objects_are_counted(limit: int, declaration: str, item: bytes) -> None:
    reg = probe(declaration)
    start = number(1) + VECTOR

    def data(count: int) -> bytes:
        return start + number(count) + item * count

    assert len(reg.decode(data(limit - 1)).x) == limit - 1
    error = refusal(data(limit + 1), reg)
    assert error.message == f"more than {limit} objects"
    # The next input is counted from nothing.
    assert len(reg.decode(data(limit - 1)).x) == limit - 1


def test_the_longest_answer_costs_a_bounded_amount_of_memory(limit: int) -> None:
    """Megabytes of the smallest things that there are, in vectors and in vectors of vectors."""
    empty = VECTOR + number(0)
    for data in (
        VECTOR + number(1 << 20) + head(api.True_) * (1 << 20),
        VECTOR + number(1 << 20) + empty * (1 << 20),
        head(api.TextConcat) + VECTOR + number(1 << 20) + head(api.TextEmpty) * (1 << 20),
    ):
        tracemalloc.start()
        try:
            assert refusal(data).message == f"more than {limit} objects"
            assert tracemalloc.get_traced_memory()[1] < 300_000
        finally:
            tracemalloc.stop()


def test_the_source_of_a_reader_shows_in_tracebacks() -> None:
    with pytest.raises(DecodeError) as caught:
        NEW.decode(DATA[:-4])
    assert caught.value.__context__ is not None
    shown = "".join(traceback.format_exception(caught.value.__context__))
    assert "    entities = []\n" not in shown
    assert "_x, _p = _T_MessageEntity[_U_I(_b, _p)[0]](_b, _p + 4, _d)\n" in shown


def test_service_messages_have_their_own_numbers() -> None:
    ping = mtproto.REGISTRY.encode(mtproto.Ping(ping_id=1))
    assert refusal(ping).message == "no constructor 0x7abe77ec in layer 232"
    assert refusal(DATA, mtproto.REGISTRY).message.endswith("in MTProto")


def test_a_body_has_the_length_that_it_announces() -> None:
    made = mtproto.Message(msg_id=1, seqno=2, bytes=8, body=b"12345678")
    data = mtproto.REGISTRY.encode(made)
    assert mtproto.REGISTRY.decode(data) == made
    for length in (-4, -1, 2**31 - 4, 12, 6):
        wrong = data[:16] + length.to_bytes(4, "little", signed=True) + data[20:]
        error = refusal(wrong, mtproto.REGISTRY)
        assert (error.path, error.message) == ("Message.body", f"a body of {length} bytes")
