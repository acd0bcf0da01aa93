"""However a stream is cut, the same frames come out, through the entry points of production."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.wire import Codec, Frame, Packet

from .helpers import (
    TRANSPORTS,
    client_of,
    cut,
    label,
    payloads,
    plain,
    sealed,
    server_of,
    single_bytes,
    stream_of,
)

CUTS = st.lists(st.integers(0, 1 << 20), max_size=12)
TOKENS = st.integers(0x80000000, 0xFFFFFFFF)
each_transport = pytest.mark.parametrize("transport", TRANSPORTS, ids=label)


def both_ends(transport: tuple[str, bool], *, max_packet: int = 1 << 16) -> tuple[Codec, Codec]:
    """Return a client that a packet of was received from, and the server that received it."""
    client, server = client_of(transport), server_of(max_packet=max_packet)
    server.feed(client.pack(sealed(1)))
    return client, server


@each_transport
@given(sent=st.lists(st.tuples(payloads, st.booleans()), max_size=5), cuts=CUTS)
def test_to_the_server(
    transport: tuple[str, bool], sent: list[tuple[bytes, bool]], cuts: list[int]
) -> None:
    client = client_of(transport)
    quick = transport[0] != "full"
    data = b"".join(client.pack(payload, quick_ack=wish and quick) for payload, wish in sent)
    expected: list[Frame] = [Packet(payload, wish and quick) for payload, wish in sent]
    assert stream_of(server_of(), [data]) == expected
    assert stream_of(server_of(), cut(data, cuts)) == expected


@each_transport
@given(
    sent=st.lists(st.one_of(payloads, TOKENS, st.integers(-999, -2)), max_size=5),
    cuts=CUTS,
)
def test_to_the_client(
    transport: tuple[str, bool], sent: list[bytes | int], cuts: list[int]
) -> None:
    _, server = both_ends(transport)
    data = b""
    for item in sent:
        if isinstance(item, bytes):
            data += server.pack(item)
        elif item < 0:
            data += server.pack_error(item)
        elif transport[0] != "full":
            data += server.pack_quick_ack(item)
    whole = stream_of(client_of(transport), [data])
    assert [frame.payload for frame in whole if isinstance(frame, Packet)] == [
        item for item in sent if isinstance(item, bytes)
    ]
    assert stream_of(client_of(transport), cut(data, cuts)) == whole


@each_transport
def test_a_packet_of_40_bytes_cut_everywhere(transport: tuple[str, bool]) -> None:
    """Where other libraries have forgotten the bytes of the head."""
    for payload in (sealed(1), plain(5)):
        assert len(payload) == 40
        data = client_of(transport).pack(payload)
        for place in range(len(data) + 1):
            assert stream_of(server_of(), cut(data, [place])) == [Packet(payload)]
        assert stream_of(server_of(), single_bytes(data)) == [Packet(payload)]
        _, server = both_ends(transport)
        data = server.pack(payload)
        for place in range(len(data) + 1):
            assert stream_of(client_of(transport), cut(data, [place])) == [Packet(payload)]
        assert stream_of(client_of(transport), single_bytes(data)) == [Packet(payload)]


@each_transport
@given(
    good=st.lists(payloads, max_size=3),
    garbage=st.binary(max_size=300),
    cuts=CUTS,
)
def test_streams_that_break(
    transport: tuple[str, bool], good: list[bytes], garbage: bytes, cuts: list[int]
) -> None:
    client = client_of(transport)
    data = b"".join(client.pack(payload) for payload in good) + garbage
    whole = stream_of(server_of(max_packet=1 << 16), [data])
    assert stream_of(server_of(max_packet=1 << 16), cut(data, cuts)) == whole
    assert stream_of(server_of(max_packet=1 << 16), single_bytes(data)) == whole
    _, server = both_ends(transport)
    data = b"".join(server.pack(payload) for payload in good) + garbage
    whole = stream_of(client_of(transport, max_packet=1 << 16), [data])
    assert whole[: len(good)] == [Packet(payload) for payload in good]
    assert stream_of(client_of(transport, max_packet=1 << 16), cut(data, cuts)) == whole
    assert stream_of(client_of(transport, max_packet=1 << 16), single_bytes(data)) == whole


@given(data=st.binary(max_size=600), cuts=CUTS)
def test_garbage(data: bytes, cuts: list[int]) -> None:
    """Frames, or a FramingError that says why not; nothing else."""
    whole = stream_of(server_of(max_packet=1 << 16), [data])
    assert stream_of(server_of(max_packet=1 << 16), cut(data, cuts)) == whole
    for transport in TRANSPORTS:
        whole = stream_of(client_of(transport, max_packet=1 << 16), [data])
        assert stream_of(client_of(transport, max_packet=1 << 16), cut(data, cuts)) == whole
