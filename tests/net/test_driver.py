"""The packet connection over a link in memory: what a connection is, whatever carries it."""

from __future__ import annotations

import asyncio
import os

import pytest

from radiogram import wire
from radiogram.errors import FramingError, TransportError
from radiogram.net.driver import PacketConnection
from radiogram.wire import ErrorCode, Packet, QuickAck
from tests.net.conftest import MakePair, Recorder


class Written(asyncio.Transport):
    """A transport that keeps each write, and how much of it is still unsent."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 443)})
        self.aborted = asyncio.Event()
        self.writes: list[bytes] = []
        self.unsent = 0
        self.ended = ""
        self.reading = True

    def write(self, data: object) -> None:
        self.writes.append(bytes(data))  # type: ignore[call-overload]

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"
        self.aborted.set()


def connection(**options: object) -> tuple[PacketConnection, Written, Recorder]:
    owner, transport = Recorder(), Written()
    conn = PacketConnection(
        wire.client_codec("intermediate", random=os.urandom),
        owner,
        **options,  # type: ignore[arg-type]
    )
    conn.connection_made(transport)
    return conn, transport, owner


async def test_packets_cross_in_both_directions_in_order(make_pair: MakePair) -> None:
    pair = make_pair(echo=True)
    sent = [bytes([n]) * 24 for n in range(50)]
    for payload in sent:
        pair.client.send(payload)
    await pair.near.until(lambda owner: len(owner.frames) == 50)
    assert pair.far.payloads == pair.near.payloads == sent


async def test_everything_sent_in_one_turn_is_one_write() -> None:
    conn, transport, _ = connection()
    for n in range(5):
        conn.send(bytes([n]) * 24)
    assert transport.writes == []
    await asyncio.sleep(0)
    assert len(transport.writes) == 1
    conn.send(b"x" * 24)
    await asyncio.sleep(0)
    assert len(transport.writes) == 2


async def test_write_goes_out_at_once_behind_what_was_queued() -> None:
    conn, transport, _ = connection()
    conn.send(b"a" * 24)
    conn.write([b"b" * 24, b"c" * 24])
    assert len(transport.writes) == 1
    data = transport.writes[0]
    assert data.index(b"a") < data.index(b"b") < data.index(b"c")
    await asyncio.sleep(0)
    assert len(transport.writes) == 1


async def test_errors_and_quick_acks_cross(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.client.send(b"p" * 24, quick_ack=True)
    await pair.far.until(lambda owner: bool(owner.frames))
    pair.server.send_quick_ack(0x80000001)
    pair.server.send_error(-404)
    await pair.near.until(lambda owner: len(owner.frames) == 2)
    assert pair.near.frames == [QuickAck(0x80000001), ErrorCode(-404)]


async def test_close_lets_what_was_sent_arrive(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.client.send(b"last" * 6)
    pair.client.close()
    await pair.far.until(lambda owner: bool(owner.lost))
    assert pair.far.payloads == [b"last" * 6]
    assert pair.far.lost == [None]
    await pair.client.wait_closed()
    assert pair.near.lost == [None]
    assert pair.client.closed
    assert pair.server.closed


async def test_a_closed_connection_swallows_what_is_sent(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.client.close()
    pair.client.send(b"late" * 6)
    pair.client.write([b"late" * 6])
    pair.client.send_error(-404)
    pair.client.send_quick_ack(1)
    pair.client.close()
    await pair.client.wait_closed()
    await pair.server.wait_closed()
    assert pair.far.frames == []


async def test_abort_drops_what_was_queued_and_tells_why(make_pair: MakePair) -> None:
    pair = make_pair()
    why = TransportError("enough")
    pair.client.send(b"lost" * 6)
    pair.client.abort(why)
    await pair.client.wait_closed()
    await pair.server.wait_closed()
    assert pair.near.lost == [why]
    assert pair.far.frames == []


async def test_a_broken_stream_ends_the_connection_after_its_good_packets(
    make_pair: MakePair,
) -> None:
    pair = make_pair()
    good = b"good" * 6
    pair.client._queue(pair.client.codec.pack(good) + b"\x00\x00\x00\x00" + b"rest")
    await pair.far.until(lambda owner: bool(owner.lost))
    assert pair.far.payloads == [good]
    assert isinstance(pair.far.lost[0], FramingError)
    await pair.near.until(lambda owner: bool(owner.lost))


async def test_garbage_from_the_start_ends_the_connection(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.client._queue(b"\xee\xee\xee\xee\x00\x00\x00\x00")
    await pair.far.until(lambda owner: bool(owner.lost))
    assert isinstance(pair.far.lost[0], FramingError)


async def test_a_throttled_end_does_not_read_while_it_cannot_write() -> None:
    conn, transport, _ = connection(throttle=True)
    conn.pause_writing()
    assert conn.paused
    assert not transport.reading
    conn.resume_writing()
    assert transport.reading


async def test_an_end_that_is_not_throttled_reads_on_and_hears_when_there_is_room() -> None:
    conn, transport, _ = connection()
    heard = []
    conn.drained = lambda: heard.append(conn.paused)
    conn.pause_writing()
    assert transport.reading
    conn.resume_writing()
    assert heard == [False]


async def test_a_peer_that_never_reads_is_given_up() -> None:
    conn, transport, owner = connection(max_unsent=1000)
    transport.unsent = 1001
    conn.send(b"x" * 24)
    await asyncio.sleep(0)
    assert not transport.ended, "only when the transport has complained"
    conn.pause_writing()
    conn.send(b"x" * 24)
    await asyncio.sleep(0)
    assert transport.ended == "aborted"
    conn.connection_lost(None)
    assert "does not read" in str(owner.lost[0])


async def test_a_flood_is_held_back_and_arrives_whole(make_pair: MakePair) -> None:
    pair = make_pair(echo=True)
    sent = [os.urandom(40_000) for _ in range(20)]
    pair.client.write(sent)
    await pair.near.until(lambda owner: len(owner.frames) == 20)
    assert pair.near.payloads == sent


async def test_the_peer_is_named() -> None:
    conn, _, _ = connection()
    assert conn.peer == "192.0.2.7:443"
    fresh = PacketConnection(wire.client_codec("abridged", random=os.urandom), Recorder())
    assert fresh.peer == "nobody yet"
    await fresh.wait_closed()


async def test_what_arrives_after_the_end_is_ignored() -> None:
    conn, _, owner = connection()
    conn.close()
    frame = wire.client_codec("intermediate", random=os.urandom).pack(b"late" * 6)[4:]
    conn.get_buffer(-1)[: len(frame)] = frame
    conn.buffer_updated(len(frame))
    assert owner.frames == []


async def test_a_connection_given_up_while_it_opened_stays_closed() -> None:
    owner, transport = Recorder(), Written()
    conn = PacketConnection(wire.client_codec("abridged", random=os.urandom), owner)
    conn.abort()
    conn.connection_made(transport)
    assert transport.ended == "aborted"
    assert owner.conn is None


async def test_what_does_not_close_is_cut_off() -> None:
    conn, transport, _ = connection()
    conn.close()
    waiting = asyncio.ensure_future(conn.wait_closed(timeout=0))
    await transport.aborted.wait()
    conn.connection_lost(None)
    await waiting


@pytest.mark.parametrize("name", ["abridged", "intermediate", "padded", "full"])
async def test_every_transport(make_pair: MakePair, name: str) -> None:
    pair = make_pair(name=name, echo=True)
    sent = [os.urandom(size) for size in (24, 504, 520, 70_008)]  # as long as sealed ones
    for payload in sent:
        pair.client.send(payload)
    await pair.near.until(lambda owner: len(owner.frames) == len(sent))
    assert pair.near.payloads == sent


async def test_connections_of_one_thread_share_what_they_read_into() -> None:
    """An idle connection costs no buffer; what one has read is its own nevertheless."""
    first, _, first_owner = connection()
    second, _, second_owner = connection()
    assert first.get_buffer(-1) is second.get_buffer(-1)
    for conn, payload in ((first, b"one." * 4), (second, b"two." * 4)):
        frame = len(payload).to_bytes(4, "little") + payload
        for piece in (frame[:5], frame[5:]):
            conn.get_buffer(-1)[: len(piece)] = piece
            conn.buffer_updated(len(piece))
    assert first_owner.frames == [Packet(b"one." * 4)]
    assert second_owner.frames == [Packet(b"two." * 4)]


async def test_a_read_that_stays_under_way_has_its_own_buffer() -> None:
    """The loop of Windows takes a buffer in one turn and fills it in another."""
    transport = type("Transport", (Written,), {"__module__": "asyncio.proactor_events"})
    conns = []
    for _ in range(2):
        conn, _, _ = connection()
        conn.connection_made(transport())
        conns.append(conn)
    assert conns[0].get_buffer(-1) is not conns[1].get_buffer(-1)
    assert conns[0].get_buffer(-1) is conns[0].get_buffer(-1)
