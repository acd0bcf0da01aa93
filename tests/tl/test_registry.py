"""Which layers there are."""

from __future__ import annotations

import pytest

from radiogram.errors import DecodeError, SchemaError
from radiogram.tl import api
from radiogram.tl.build import mtproto_registry, registry


@pytest.mark.parametrize("layer", [0, -1, 132, api.LAYER + 1])
def test_unknown_layers_are_refused_after_service_messages_are_loaded(layer: int) -> None:
    assert mtproto_registry() is mtproto_registry()
    with pytest.raises(SchemaError, match=f"layer {layer} is not in the table"):
        registry(layer)


@pytest.mark.parametrize("layer", [158, 198, 229, 232])
def test_an_input_peer_is_taken_for_what_it_means(layer: int) -> None:
    """Where an InputUser or InputChannel is expected; Pyrogram writes nothing else (A11.5)."""
    reg = registry(layer)
    user = {"user_id": 5, "access_hash": 6}
    channel = {"channel_id": 7, "access_hash": 8}
    message = {"peer": api.InputPeerSelf(), "msg_id": 9}
    for written, read in (
        (api.InputPeerSelf(), api.InputUserSelf()),
        (api.InputPeerEmpty(), api.InputUserEmpty()),
        (api.InputPeerUser(**user), api.InputUser(**user)),
        (
            api.InputPeerUserFromMessage(**message, user_id=5),
            api.InputUserFromMessage(**message, user_id=5),
        ),
    ):
        head = reg.encode(api.users.GetUsers(id=[]))[:-4] + (1).to_bytes(4, "little")
        assert reg.decode(head + reg.encode(written)) == api.users.GetUsers(id=[read])
    for written, read in (
        (api.InputPeerEmpty(), api.InputChannelEmpty()),
        (api.InputPeerChannel(**channel), api.InputChannel(**channel)),
        (
            api.InputPeerChannelFromMessage(**message, channel_id=7),
            api.InputChannelFromMessage(**message, channel_id=7),
        ),
    ):
        request = api.channels.GetFullChannel(channel=api.InputChannelEmpty())
        head = reg.encode(request)[:4]
        assert reg.decode(head + reg.encode(written)).channel == read
    for wrong in (api.InputPeerChat(chat_id=1), api.InputPeerUser(**user), api.InputUserSelf()):
        with pytest.raises(DecodeError, match="expected InputChannel"):
            reg.decode(head + reg.encode(wrong))
