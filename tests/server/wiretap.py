"""What a server really sent: packets opened and messages told apart, without a client's engine."""

from __future__ import annotations

from typing import Any, NamedTuple

from radiogram.mtproto.message import (
    GZIP_PACKED,
    MSG_CONTAINER,
    Envelope,
    inflate,
    open_envelope,
    split,
)
from radiogram.tl import api, mtproto
from radiogram.tl.build import registry
from radiogram.wire.base import Packet

from .raw import RawClient

RPC_RESULT = 0xF35C6D01


class Message(NamedTuple):
    """One message of a packet."""

    msg_id: int
    seq_no: int
    body: bytes

    @property
    def value(self) -> Any:
        """What it says; of an rpc_result the result, if that can be told without its method."""
        body = self.body
        constructor = int.from_bytes(body[:4], "little")
        if constructor == RPC_RESULT:
            body = body[12:]
            constructor = int.from_bytes(body[:4], "little")
        if constructor == GZIP_PACKED:
            body = inflate(body)
            constructor = int.from_bytes(body[:4], "little")
        known = mtproto.REGISTRY.get_by_id(constructor)
        return (mtproto.REGISTRY if known is not None else registry(api.LAYER)).decode(body)

    @property
    def answers(self) -> int:
        """The message that an rpc_result answers; 0 if it is none."""
        if int.from_bytes(self.body[:4], "little") != RPC_RESULT:
            return 0
        return int.from_bytes(self.body[4:12], "little", signed=True)


def messages_of(envelope: Envelope) -> list[Message]:
    """Return the messages of a packet, whether it is a container or not."""
    if int.from_bytes(envelope.body[:4], "little") != MSG_CONTAINER:
        return [Message(envelope.msg_id, envelope.seq_no, envelope.body)]
    return [Message(part.msg_id, part.seq_no, part.body) for part in split(envelope.body)]


async def next_packet(client: RawClient) -> bytes:
    """Take the next packet as it is."""
    frame = await client.line.next()
    assert isinstance(frame, Packet), frame
    return frame.payload


async def next_envelope(client: RawClient) -> Envelope:
    """Take the next packet, opened."""
    return open_envelope(client.key, await next_packet(client), from_client=False)


async def until(client: RawClient, kind: type[Any]) -> tuple[Any, list[Message]]:
    """Take packets until a message of a kind has come; return it, and all that came."""
    seen: list[Message] = []
    while True:
        came = messages_of(await next_envelope(client))
        seen += came
        for message in came:
            if isinstance(message.value, kind):
                return message.value, seen


def nearest_dc(client: RawClient) -> int:
    """Send a call whose answer is small, and return its msg_id."""
    call_id = client.send(client.wrap(client.encode(api.help.GetNearestDc())))
    return client.session.msg_id_of(call_id)
