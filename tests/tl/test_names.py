"""How classes are found: namespaces, facades, and what is said when there is no such name."""

from __future__ import annotations

import pytest

from radiogram.errors import SchemaError
from radiogram.tl import api, mtproto
from radiogram.tl.build import mtproto_registry, registry
from radiogram.tl.schema.definition import class_name


@pytest.mark.slow
def test_every_name_of_the_newest_layer_is_found() -> None:
    reg = registry()
    for name in reg.names():
        definition = reg.definition(name)
        home = getattr(api, definition.namespace) if definition.namespace else api
        assert getattr(home, definition.class_name) is reg.get(name), name
    for name in reg.types():
        space, _, last = name.rpartition(".")
        home = getattr(api, space) if space else api
        found = getattr(home, f"Type{class_name(last)}")
        assert found is reg.get_type(name)
        assert found.TL_ID == 0


def test_every_service_message_is_found() -> None:
    reg = mtproto_registry()
    assert mtproto.REGISTRY is reg
    for name in reg.names():
        definition = reg.definition(name)
        home = getattr(mtproto, definition.namespace) if definition.namespace else mtproto
        assert getattr(home, definition.class_name) is reg.get(name), name


def test_dir_lists_what_is_there() -> None:
    assert {"InputPeerUser", "TypeInputPeer", "messages", "LAYER", "PeerLike"} <= {*dir(api)}
    assert {"UpdatePinnedMessage", "ChatFull", "TypeChats"} <= {*dir(api.messages)}
    assert {"ReqPqMulti", "TypeResPQ", "REGISTRY"} <= {*dir(mtproto)}
    assert "InputPeerUser" not in dir(api.messages)
    old = registry(133).api
    assert "InputPeerUser" in dir(old)
    assert "ReactionPaid" not in dir(old)
    for name in dir(api.messages):
        assert getattr(api.messages, name)


@pytest.mark.parametrize(
    ("where", "name", "complaint"),
    [
        (api, "UpdatePinnedMessage", "in api; did you mean messages.UpdatePinnedMessage or "),
        (api, "InputPeerUsr", "did you mean InputPeerUser or "),
        (api, "sendMessage", "did you mean ephemeral.SendMessage or messages.SendMessage "),
        (api.messages, "Sendmessage", "in namespace 'messages'; did you mean SendMessage?"),
        (api.messages, "updatePinnedMessage", "did you mean messages.UpdatePinnedMessage or "),
        (api, "Qwxz", "layer 232 has no 'Qwxz' in api"),
        (mtproto, "ReqPQMulti", "MTProto has no 'ReqPQMulti' in mtproto; did you mean ReqPqMulti"),
        (registry(133).api, "ReactionPaid", "layer 133 has no 'ReactionPaid' in api"),
        (registry(133).api, "__wrapped__", "layer 133 has no '__wrapped__' in api"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_name_that_is_not_there(where: object, name: str, complaint: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(where, name)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("module", [api, mtproto])
def test_questions_of_the_import_system_cost_nothing(module: object) -> None:
    with pytest.raises(AttributeError, match="has no attribute '__wrapped__'"):
        module.__wrapped__  # noqa: B018
    assert not hasattr(module, "__path__")


def test_registries_and_namespaces_say_what_they_are() -> None:
    assert repr(registry(198)) == "<Registry layer 198>"
    assert repr(mtproto.REGISTRY) == "<Registry MTProto>"
    assert repr(registry(198).api) == "<namespace api of layer 198>"
    assert repr(registry(198).api.messages) == "<namespace messages of layer 198>"


def test_definitions_by_name() -> None:
    reg = registry(198)
    assert reg.definition("message").last_layer >= 198
    assert reg.find("nothing") is None
    assert reg.get("nothing") is None
    assert reg.get_by_id(1) is None
    with pytest.raises(SchemaError, match="layer 198 has no 'nothing'"):
        reg.definition("nothing")
    assert reg.bare("%PeerSettings").name == reg.bare("peerSettings").name == "peerSettings"
    with pytest.raises(SchemaError, match="Peer has 3 constructors: it cannot be bare"):
        reg.bare("%Peer")
    assert reg.constructors("Nothing") == []
