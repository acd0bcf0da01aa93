"""What every TL object can do: construction, showing, comparing, copying, pickling, matching."""

from __future__ import annotations

import copy
import json
import math
import pickle
import re
import subprocess
import sys
from typing import Any

import pytest

from radiogram.errors import EncodeError
from radiogram.tl import api, build, mtproto
from radiogram.tl.base import Request, TLObject
from radiogram.tl.build import Registry, registry
from tests.tl.objects import Maker

PIN = (
    "silent: true (optional), unpin: true (optional), pm_oneside: true (optional), "
    "peer: InputPeer, id: int"
)
NEW = "gift#0000abcd flags:# from:flags.0?Peer notes:Vector<Vector<string>> = Update;"


def message(text: str = "hi") -> api.Message:
    return api.Message(
        id=7,
        peer_id=api.PeerUser(user_id=5),
        date=1_700_000_000,
        message=text,
        out=True,
        entities=[
            api.MessageEntityBold(offset=0, length=2),
            api.MessageEntityUrl(offset=0, length=1),
        ],
    )


# Construction


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"peer": "a", "id": 1, "pmOneside": True},
         "no parameter 'pmOneside' (got bool True); did you mean 'pm_oneside'?"),
        ({"peer": "a", "id": 1, "pm_one_side": True},
         "no parameter 'pm_one_side' (got bool True); did you mean 'pm_oneside'?"),
        ({"peer": "a", "id": 1, "qwxz": b"z" * 99},
         f"no parameter 'qwxz' (got bytes b'{'z' * 55}...)"),
        ({"peer": "a"}, "missing 'id' (int)"),
        ({"silent": True}, "missing 'peer' (InputPeer), 'id' (int)"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(EncodeError) as caught:
        api.messages.UpdatePinnedMessage(**values)
    assert str(caught.value) == f"messages.UpdatePinnedMessage: {complaint}; it takes {PIN}"
    assert isinstance(caught.value, TypeError)


def test_parameters_are_given_by_keyword() -> None:
    with pytest.raises(EncodeError) as caught:
        api.messages.UpdatePinnedMessage("username", 43, unpin=True)
    assert str(caught.value) == (
        "messages.UpdatePinnedMessage: parameters are given by keyword, "
        f"got str 'username', int 43; it takes {PIN}"
    )
    with pytest.raises(EncodeError, match=r"got True_\(\); it takes no parameters"):
        api.help.GetConfig(api.True_())


@pytest.mark.parametrize("cls", [api.TypeInputPeer, TLObject, Request])
def test_abstract_types_are_not_constructed(cls: type) -> None:
    with pytest.raises(EncodeError, match=f"^{cls.__name__} is an abstract type"):
        cls()


def test_a_python_keyword_gets_an_underscore() -> None:
    """And whoever writes it without is told."""
    reg = Registry.from_tl(NEW, layer=999)
    with pytest.raises(EncodeError, match=r"no parameter 'from' .*did you mean 'from_'"):
        reg.api.Gift(**{"from": None}, notes=[])
    assert reg.api.Gift(from_=None, notes=[]).from_ is None


def test_parameters_that_the_client_makes_up_may_be_left_out() -> None:
    sent = api.messages.SendMessage(peer="me", message="text")
    assert sent.random_id == 0
    assert api.messages.ForwardMessages(from_peer="me", to_peer="me", id=[1]).random_id == []
    assert api.InputSingleMedia(media=api.InputMediaEmpty(), message="").random_id == 0
    # This one names a chat that exists, so it has to be told.
    # Here it names what exists already.
    with pytest.raises(EncodeError, match=r"missing 'random_id' \(long\)"):
        api.UpdateMessageID(id=1)
    with pytest.raises(EncodeError, match=r"missing 'random_id' \(bytes\)"):
        api.messages.ViewSponsoredMessage()


def test_objects_have_no_other_attributes() -> None:
    made = message()
    made.message = "changed"
    assert made.message == "changed"
    with pytest.raises(AttributeError):
        made.text = "no such field"
    with pytest.raises(AttributeError):
        made.TL_ID = 5


def test_requests_take_a_parameter_for_checkers() -> None:
    assert Request[int] is Request
    query = api.InvokeWithLayer[api.TypeUpdates](layer=1, query=b"")
    assert type(query) is api.InvokeWithLayer


# Names and types


def test_a_class_tells_what_it_is() -> None:
    cls = api.messages.UpdatePinnedMessage
    assert cls.TL_NAME == "messages.updatePinnedMessage"
    assert cls.TL_ID == 0xD2AAF7EC
    assert cls.TL_FAMILY == "api"
    assert cls.TL_DEFINITION is not None
    assert str(cls.TL_DEFINITION) in (cls.__doc__ or "")
    assert str(cls.TL_DEFINITION).startswith("messages.updatePinnedMessage#d2aaf7ec flags:# silent")
    assert (cls.__module__, cls.__qualname__) == (
        "radiogram.tl.api",
        "messages.UpdatePinnedMessage",
    )
    assert issubclass(cls, Request)
    assert TLObject.TL_DEFINITION is None


def test_isinstance_against_unions() -> None:
    assert isinstance(message(), api.TypeMessage)
    assert isinstance(api.UpdateShort(update=api.UpdateConfig(), date=1), api.TypeUpdates)
    assert not isinstance(message(), api.TypeUpdates)
    assert not isinstance(message(), Request)
    assert issubclass(api.messages.ChatFull, api.messages.TypeChatFull)
    assert issubclass(mtproto.Pong, mtproto.TypePong)
    assert not issubclass(mtproto.Message, api.TypeMessage)
    # Of every layer, and of one that was read at run time.
    old = registry(158).api
    assert old.Message is not api.Message
    assert issubclass(old.Message, api.TypeMessage)
    assert old.TypeMessage is api.TypeMessage
    assert issubclass(Registry.from_tl(NEW, layer=999).api.Gift, api.TypeUpdate)


def test_a_class_is_the_same_in_all_layers_that_agree() -> None:
    assert registry(133).api.PeerUser is not api.PeerChat
    assert registry(158).api.InputPeerSelf is api.InputPeerSelf
    same = Registry.from_tl(f"{api.PeerUser.TL_DEFINITION};", layer=999)
    assert same.api.PeerUser is api.PeerUser


def test_match_statements() -> None:
    match api.UpdateShort(
        update=api.UpdateNewMessage(message=message(), pts=1, pts_count=1), date=0
    ):
        case api.Updates():
            raise AssertionError
        case api.UpdateShort(update=api.UpdateNewMessage(message=api.Message(message=text))):
            assert text == "hi"
        case _:
            raise AssertionError
    with pytest.raises(TypeError, match="positional"):
        match_by_position(message())


def match_by_position(value: object) -> None:
    match value:
        case api.Message(7):
            raise AssertionError


# Comparing


def test_equality_is_by_value_and_class() -> None:
    assert message() == message()
    assert message() != message("other")
    assert api.PeerUser(user_id=1) != api.PeerChat(chat_id=1)
    assert api.InputPeerSelf() == api.InputPeerSelf()
    assert registry(158).api.Message.TL_NAME == api.Message.TL_NAME
    assert api.JsonNumber(value=1.0) == api.JsonNumber(value=1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(message())


# Showing


def test_repr_leaves_out_what_is_not_there() -> None:
    assert repr(message()) == (
        "Message(out=True, id=7, peer_id=PeerUser(user_id=5), date=1700000000, message='hi', "
        "entities=[MessageEntityBold(offset=0, length=2), MessageEntityUrl(offset=0, length=1)])"
    )
    assert repr(api.messages.GetAllDrafts()) == "messages.GetAllDrafts()"
    assert repr(api.Updates(updates=[], users=[], chats=[], date=0, seq=0)) == (
        "Updates(updates=[], users=[], chats=[], date=0, seq=0)"
    )
    # What is there shows even if it looks empty.
    assert repr(api.messages.SendMedia(peer="me", media=api.InputMediaEmpty(), message="")) == (
        "messages.SendMedia(peer='me', media=InputMediaEmpty(), message='', random_id=0)"
    )
    assert repr(api.ReplyInlineMarkup(rows=[])) == "ReplyInlineMarkup(rows=[])"


def test_stringify_indents() -> None:
    assert message("\udcff\n").stringify() == (
        "Message(\n"
        "    out=True,\n"
        "    id=7,\n"
        "    peer_id=PeerUser(\n"
        "        user_id=5,\n"
        "    ),\n"
        "    date=1700000000,\n"
        "    message='\\udcff\\n',\n"
        "    entities=[\n"
        "        MessageEntityBold(\n"
        "            offset=0,\n"
        "            length=2,\n"
        "        ),\n"
        "        MessageEntityUrl(\n"
        "            offset=0,\n"
        "            length=1,\n"
        "        ),\n"
        "    ],\n"
        ")"
    )
    assert api.InputPeerSelf().stringify() == "InputPeerSelf()"
    assert api.ReplyInlineMarkup(rows=[]).stringify() == "ReplyInlineMarkup(\n    rows=[],\n)"


def test_to_dict_has_every_field() -> None:
    sticker = api.InputDocument(id=1, access_hash=2, file_reference=b"\0\xff")
    assert sticker.to_dict() == {
        "_": "inputDocument", "id": 1, "access_hash": 2, "file_reference": b"\0\xff",
    }  # fmt: skip
    plain = message().to_dict()
    assert list(plain)[:3] == ["_", "out", "mentioned"]
    assert plain["silent"] is False
    assert plain["media"] is None
    assert plain["peer_id"] == {"_": "peerUser", "user_id": 5}
    assert plain["entities"][1] == {"_": "messageEntityUrl", "offset": 0, "length": 1}
    assert api.messages.DeleteMessages(id=(1, 2)).to_dict()["id"] == [1, 2]


def test_to_json() -> None:
    sticker = api.InputDocument(id=2**62, access_hash=-1, file_reference=b"\0\xff")
    assert sticker.to_json() == (
        f'{{"_": "inputDocument", "id": {2**62}, "access_hash": -1, "file_reference": "AP8="}}'
    )
    assert sticker.to_json(indent=1).startswith('{\n "_": "inputDocument",\n')
    text = message("\udcff\N{GRINNING FACE}").to_json()
    assert text.isascii()
    assert json.loads(text)["message"] == "\udcff\N{GRINNING FACE}"
    view = api.InputDocument(id=1, access_hash=1, file_reference=memoryview(b"a"))
    assert '"YQ=="' in view.to_json()
    with pytest.raises(EncodeError, match=r"object .* has no JSON form"):
        api.messages.DeleteMessages(id=object()).to_json()


def test_json_has_no_nan() -> None:
    """Python writes NaN, which other languages refuse to read."""
    numbers = [math.nan, math.inf, -math.inf, 1.5]
    made = api.JsonArray(value=[api.JsonNumber(value=number) for number in numbers])
    plain = json.loads(made.to_json(), parse_constant=pytest.fail)
    assert [item["value"] for item in plain["value"]] == ["NaN", "Infinity", "-Infinity", 1.5]


# Copying and pickling


def test_copies() -> None:
    made = message()
    shallow, deep = copy.copy(made), copy.deepcopy(made)
    assert shallow == deep == made
    assert shallow.peer_id is made.peer_id
    assert deep.peer_id is not made.peer_id
    assert deep.entities is not made.entities
    deep.message = "changed"
    assert made.message == "hi"
    assert copy.deepcopy(api.Message) is api.Message


@pytest.mark.parametrize("layer", [133, 158, 198, 216, api.LAYER])
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_objects_of_every_layer_are_pickled(layer: int, protocol: int) -> None:
    reg = registry(layer)
    for name in ("message", "user", "messages.sendMessage", "updateShort", "true"):
        made = Maker(reg, layer).make(reg.definition(name))
        again = pickle.loads(pickle.dumps(made, protocol))
        assert again == made
        assert type(again) is type(made)


def test_service_messages_and_classes_are_pickled() -> None:
    pong = mtproto.Pong(msg_id=1, ping_id=2)
    assert pickle.loads(pickle.dumps(pong)) == pong
    for cls in (
        mtproto.Pong,
        api.Message,
        api.TypeMessage,
        api.messages.TypeChats,
        TLObject,
        Request,
    ):
        assert pickle.loads(pickle.dumps(cls)) is cls


def test_a_subclass_of_a_user_is_pickled_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(Own)) is Own
    made = Own(user_id=1)
    assert type(pickle.loads(pickle.dumps(made))) is Own
    assert registry().encode(made) == registry().encode(api.PeerUser(user_id=1))


class Own(api.PeerUser):
    """A user's own class."""


def test_pickles_are_read_by_another_process() -> None:
    """Also those of older layers, and of a schema that it has not read."""
    old = registry(158)
    text = f"{NEW}\n---functions---\nwrap#77 {{T:Type}} query:!T = T;"
    new = Registry.from_tl(text, layer=999)
    objects = [
        message(),
        Maker(old, 1).make(old.definition("message")),
        new.api.Gift(from_=api.PeerUser(user_id=5), notes=[["a"], []]),
        new.api.Wrap(query=b"abcd"),
        mtproto.RpcResult(req_msg_id=1, result=b"abcd"),
        mtproto.Message(msg_id=1, seqno=1, bytes=4, body=b"abcd"),
    ]
    script = (
        "import pickle, sys\n"
        "objects = pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(pickle.dumps([objects, [repr(o) for o in objects]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(objects), capture_output=True, check=True
    )
    again, shown = pickle.loads(done.stdout)
    assert again == objects
    assert [type(o) for o in again] == [type(o) for o in objects]
    assert shown == [repr(o) for o in objects]


def test_a_class_that_was_never_met_is_found_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    old = registry(133).definition("message")
    kept = pickle.dumps([registry(133).class_of(old), api.Message, mtproto.Pong])
    monkeypatch.setattr(build, "_classes", {})
    first, second, third = pickle.loads(kept)
    assert old == first.TL_DEFINITION
    assert registry().definition("message") == second.TL_DEFINITION
    assert third.TL_FAMILY == "mtproto"


def test_a_spoilt_pickle_of_a_class_is_refused() -> None:
    data = pickle.dumps(Registry.from_tl(NEW, layer=999).api.Gift(notes=[]))
    spoilt = re.sub(rb"= Update", rb"= +pdate", data)
    with pytest.raises(ValueError, match="is not a type"):
        pickle.loads(spoilt)
