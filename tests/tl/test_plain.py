"""Plain data -> objects: the way back from to_json, and what is said of mistakes."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram import api
from radiogram.errors import EncodeError
from radiogram.tl.build import registry
from radiogram.tl.plain import closest, object_from_plain, request_from_plain
from tests.tl.objects import Maker

PEERS = frozenset({"InputPeer"})


@pytest.mark.slow
def test_every_constructor_and_method_comes_back_from_its_json() -> None:
    layer = registry()
    maker = Maker(layer, 4)
    for name in layer.names():
        definition = layer.definition(name)
        if any(field.type.startswith("!X") for field in definition.fields):
            continue  # a wrapped request is bytes there
        made = maker.make(definition)
        assert object_from_plain(json.loads(made.to_json())) == made, name


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["_", "peer", "id", "message", "user_id", "from", "x"]),
            inner | st.sampled_from(["inputPeerUser", "inputPeerSelf", "keyboardButton"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    name=st.sampled_from(["messages.sendMessage", "messages.updatePinnedMessage", "messages.x"]),
    values=st.dictionaries(
        st.sampled_from(["peer", "id", "message", "reply_markup", "entities", "silent", "y"]),
        json_values,
        max_size=5,
    ),
)
def test_nonsense_is_refused_with_the_documented_error(
    name: str, values: dict[str, object]
) -> None:
    with contextlib.suppress(EncodeError):
        request_from_plain(name, values, castable=PEERS)


def test_names_and_numbers_stay_for_the_client_where_it_converts() -> None:
    made = request_from_plain(
        "messages.updatePinnedMessage", {"peer": "username", "id": 43}, castable=PEERS
    )
    assert made == api.messages.UpdatePinnedMessage(peer="username", id=43)
    with pytest.raises(EncodeError, match="InputPeer is one of: inputPeerChannel, "):
        request_from_plain("messages.updatePinnedMessage", {"peer": "username", "id": 43})


def test_a_constructor_without_fields_may_be_its_name() -> None:
    found = object_from_plain("inputMessagesFilterPinned", "MessagesFilter")
    assert found == api.InputMessagesFilterPinned()


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("messages.updatePinedMessage", {}, "did you mean messages.updatePinnedMessage?"),
        ("UpdatePinnedMessage", {}, "did you mean messages.updatePinnedMessage"),
        ("message", {}, "there is no method 'message'"),
        ("messages.updatePinnedMessage", {"pmOneside": True}, "did you mean pm_oneside?"),
        ("messages.updatePinnedMessage", {"x": 1}, "it takes silent, unpin, pm_oneside, peer, id"),
        ("messages.updatePinnedMessage", {"id": "x"}, r"\.id: got str 'x', but it wants a whole"),
        ("messages.updatePinnedMessage", {"id": True}, r"\.id: got bool True, but"),
        ("messages.updatePinnedMessage", {"id": 2**31}, "fits into 32 bits"),
        ("messages.updatePinnedMessage", {"unpin": 1}, r"\.unpin: got int 1, but it wants true or"),
        ("messages.updatePinnedMessage", {"peer": 1.5}, "a name, a number or an object of"),
        ("messages.updatePinnedMessage", {"peer": {"_": "inputPeerUsr"}}, "is one of: .*PeerUser,"),
        ("messages.updatePinnedMessage", {"peer": {"_": "user"}}, "'_' is str 'user', but"),
        ("messages.updatePinnedMessage", {}, "missing 'peer'"),
        ("messages.search", {"filter": "inputMessagesFilterPined"}, "mean inputMessagesFilterPinn"),
        ("messages.getMessages", {"id": 5}, "a list of InputMessage"),
        ("auth.importAuthorization", {"id": 1, "bytes": "!"}, "bytes in base64"),
        ("help.getConfig", {"a": 1}, "it takes no parameters"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_the_remedy(
    name: str, values: dict[str, object], said: str
) -> None:
    with pytest.raises(EncodeError, match=said):
        request_from_plain(name, values, castable=PEERS)


def test_nesting_is_bounded() -> None:
    deep: object = {"_": "textEmpty"}
    for _ in range(200):
        deep = {"_": "textBold", "text": deep}
    with pytest.raises(EncodeError, match="nested more than"):
        object_from_plain(deep)


def test_the_likeliest_names_come_first() -> None:
    names = ["messages.sendMessage", "messages.sendMedia", "auth.sendCode", "users.getUsers"]
    assert closest("send_message", names) == ["messages.sendMessage"]
    assert closest("zzzz", names) == []
