"""Names and numbers of other people's chats, in every method that takes some (C0.1)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from radiogram.server import chat_store
from radiogram.server.rpc import RpcFault
from radiogram.tl import api
from tests.server.stage import Stage

SECRET = "the secret"
EXTREMES = (0, -1, 2, 4, 2**31 - 1, -(2**31))
NO_FILTER = api.ChannelMessagesFilterEmpty()
EMPTY = api.InputMessagesFilterEmpty()
PINNED = api.InputMessagesFilterPinned()
NOWHERE = api.InputPeerEmpty()


def channel_of(peer: Any) -> Any:
    if isinstance(peer, api.InputPeerChannel):
        return api.InputChannel(channel_id=peer.channel_id, access_hash=peer.access_hash)
    return api.InputChannelEmpty()


def requests(peer: Any, number: int, stage: Stage) -> Iterator[Any]:
    """Yield every call about messages, of one peer and with one id."""
    channel = channel_of(peer)
    name = api.InputMessageID(id=number)
    reply = api.InputReplyToMessage(reply_to_msg_id=number)
    across = api.InputReplyToMessage(reply_to_msg_id=number, reply_to_peer_id=peer)
    myself = api.InputPeerSelf()
    page: dict[str, Any] = {"min_id": 0, "max_id": 0, "hash": 0}
    yield api.messages.GetMessages(id=[name, api.InputMessageReplyTo(id=number)])
    yield api.channels.GetMessages(
        channel=channel,
        id=[name, api.InputMessageReplyTo(id=number), api.InputMessagePinned()],
    )
    for add_offset, limit in ((0, 5), (-3, number), (number, 3)):
        yield api.messages.GetHistory(
            peer=peer,
            offset_id=number,
            offset_date=number,
            add_offset=add_offset,
            limit=limit,
            **page,
        )
    for kind in (EMPTY, PINNED):
        yield api.messages.Search(
            peer=peer,
            q="secret",
            filter=kind,
            from_id=peer if number % 2 else None,
            top_msg_id=number,
            min_date=number,
            max_date=number,
            offset_id=number,
            add_offset=number,
            limit=number,
            **page,
        )
    yield api.messages.GetSearchCounters(peer=peer, filters=[EMPTY, PINNED], top_msg_id=number)
    yield api.messages.SendMessage(
        peer=peer, message="hi", random_id=stage.random_id(), reply_to=reply
    )
    yield api.messages.SendMessage(
        peer=myself, message="hi", random_id=stage.random_id(), reply_to=across
    )
    yield api.messages.SendMessage(
        peer=myself, message="hi", random_id=stage.random_id(), send_as=peer
    )
    for source, target in ((peer, myself), (myself, peer)):
        yield api.messages.ForwardMessages(
            from_peer=source,
            to_peer=target,
            id=[number],
            random_id=[stage.random_id()],
            top_msg_id=number,
        )
    yield api.messages.EditMessage(peer=peer, id=number, message="hi")
    yield api.messages.DeleteMessages(id=[number], revoke=True)
    yield api.channels.DeleteMessages(channel=channel, id=[number])
    yield api.messages.ReadHistory(peer=peer, max_id=number)
    yield api.channels.ReadHistory(channel=channel, max_id=number)
    yield api.messages.DeleteHistory(peer=peer, max_id=number, revoke=True)
    yield api.channels.DeleteHistory(channel=channel, max_id=number, for_everyone=True)
    yield api.channels.DeleteHistory(channel=channel, max_id=number)
    yield api.channels.DeleteParticipantHistory(channel=channel, participant=peer)
    yield api.messages.SetTyping(peer=peer, action=api.SendMessageTypingAction(), top_msg_id=number)
    yield api.messages.GetMessagesViews(peer=peer, id=[number], increment=True)
    yield api.messages.GetPeerDialogs(peers=[api.InputDialogPeer(peer=peer)])
    yield api.messages.GetDialogs(
        offset_date=number, offset_id=number, offset_peer=peer, limit=number, hash=0
    )
    yield api.messages.GetUnreadMentions(
        peer=peer, offset_id=number, add_offset=0, limit=number, max_id=0, min_id=0
    )
    yield api.messages.ReadMentions(peer=peer)
    for limit in (10, number):
        yield api.updates.GetChannelDifference(
            channel=channel, filter=NO_FILTER, pts=number, limit=limit
        )


def call(stage: Stage, who: int, request: Any) -> Any:
    """Return what a call gives, None if it is refused; no call may fail within the server."""
    try:
        return stage.call(who, request)
    except RpcFault as error:
        refusal = error.message
    assert refusal != "RPC_CALL_FAIL", request
    return None


@pytest.fixture
def rooms(stage: Stage) -> dict[str, int]:
    """A room of every kind in which two people talk, and their private chat."""
    made = {
        "group": stage.group(stage.ann, stage.bob),
        "room": stage.channel(stage.ann, stage.bob, megagroup=True),
        "forum": stage.channel(stage.ann, stage.bob, forum=True),
        "news": stage.channel(stage.ann, stage.bob, broadcast=True),
    }
    for chat in (*made.values(), stage.bob):
        for _ in range(3):
            stage.send(stage.ann, chat, SECRET)
    return made


def test_c0_1_outsiders_learn_and_change_nothing(stage: Stage, rooms: dict[str, int]) -> None:
    stage.send(stage.eve, stage.eve, "mine")
    peers: list[Any] = [
        *(stage.input_peer(stage.eve, chat) for chat in rooms.values()),
        *(stage.input_peer(stage.ann, chat) for chat in rooms.values()),
        api.InputPeerUser(user_id=stage.bob, access_hash=stage.hash_of(stage.ann, stage.bob)),
        api.InputPeerChat(chat_id=rooms["room"]),
        api.InputPeerChannel(channel_id=rooms["group"], access_hash=0),
        api.InputPeerChannel(
            channel_id=rooms["group"], access_hash=stage.channel_hash(stage.eve, rooms["group"])
        ),
        api.InputPeerUserFromMessage(peer=NOWHERE, msg_id=1, user_id=stage.bob),
        api.InputPeerChannelFromMessage(
            peer=api.InputPeerSelf(), msg_id=1, channel_id=rooms["news"]
        ),
        NOWHERE,
    ]
    for peer, number in product(peers, EXTREMES):
        for request in requests(peer, number, stage):
            result = call(stage, stage.eve, request)
            assert SECRET not in repr(result), request
            assert stage.pushed_to() <= {stage.eve}, request
    for chat in rooms.values():
        texts = [getattr(m, "message", "") for m in stage.history(stage.bob, chat).messages]
        assert texts.count(SECRET) == 3


def test_c0_1_who_has_left_changes_nothing(stage: Stage, rooms: dict[str, int]) -> None:
    with stage.world.db.begin() as tx:
        for chat in rooms.values():
            chat_store.save_member(tx, chat, stage.bob, state=chat_store.LEFT)
    before = {chat: stage.history(stage.ann, chat).messages for chat in rooms.values()}
    top = max(m.id for m in stage.history(stage.bob, rooms["group"]).messages)
    for chat, number in product(rooms.values(), (*EXTREMES, top)):
        for request in requests(stage.input_peer(stage.bob, chat), number, stage):
            if isinstance(request, api.messages.DeleteMessages | api.messages.DeleteHistory):
                continue  # these also reach the private chat, where they are allowed
            call(stage, stage.bob, request)
            assert stage.pushed_to() <= {stage.bob}, request
    assert before == {chat: stage.history(stage.ann, chat).messages for chat in rooms.values()}


def test_members_cannot_break_anything(stage: Stage, rooms: dict[str, int]) -> None:
    for chat, number in product(rooms.values(), EXTREMES):
        for request in requests(stage.input_peer(stage.bob, chat), number, stage):
            call(stage, stage.bob, request)
            assert stage.pushed_to() <= {stage.ann, stage.bob}, request


def test_huge_lists_are_refused(stage: Stage, rooms: dict[str, int]) -> None:
    peer = stage.input_peer(stage.bob, rooms["room"])
    channel = channel_of(peer)
    many = list(range(1, 5001))
    names: list[api.TypeInputMessage] = [api.InputMessageID(id=number) for number in many]
    for request in (
        api.messages.GetMessages(id=names),
        api.channels.GetMessages(channel=channel, id=names),
        api.messages.DeleteMessages(id=many),
        api.channels.DeleteMessages(channel=channel, id=many),
        api.messages.ForwardMessages(from_peer=peer, to_peer=peer, id=many, random_id=many),
        api.messages.GetMessagesViews(peer=peer, id=many, increment=True),
        api.messages.GetPeerDialogs(peers=[api.InputDialogPeer(peer=peer)] * 5000),
    ):
        assert call(stage, stage.bob, request) is None
