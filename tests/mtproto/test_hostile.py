"""Peers that know the key and mean no good: only documented errors, and memory that is bounded."""

from __future__ import annotations

import tracemalloc
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.errors import DecodeError, RemoteProtocolError, SecurityError
from radiogram.mtproto import client as client_module
from radiogram.mtproto import events as ev
from radiogram.mtproto import server as server_module
from radiogram.mtproto import session as session_module
from radiogram.mtproto.message import MAX_IDS, Part, join
from radiogram.tl import mtproto

from .pair import CALL, START, UPDATE, Host, Peer, at, call_body, encode
from .test_server import copy_of, gzip

longs = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-400, 400).map(at),
    st.integers(-20, 20).map(lambda n: at(0) + n),
    st.integers(-2, 40),
)
ints = st.integers(-(2**31), 2**31 - 1) | st.integers(-2, 70)
constructors = st.sampled_from(
    sorted(
        {*server_module.ServerSession.HANDLERS, *client_module.ClientSession.HANDLERS}
        | {session_module.VECTOR, 0x73F1F8DC, int.from_bytes(CALL, "little")}
    )
)
words = st.one_of(
    ints.map(lambda n: pack("<i", n)),
    longs.map(lambda n: pack("<q", n)),
    constructors.map(lambda n: pack("<I", n)),
)
loose = st.builds(
    lambda constructor, rest: pack("<I", constructor) + b"".join(rest),
    constructors,
    st.lists(words, max_size=6),
)
lists = st.builds(
    session_module.pack_ids,
    st.sampled_from((0x62D6B459, 0xDA69FB52, 0x7D861A08, 0x8610BAEB)),
    st.lists(longs, max_size=6),
)
refusals = st.builds(
    lambda bad_id, code: pack("<Iqii", 0xA7EFF811, bad_id, 0, code),
    longs,
    st.sampled_from((16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64)),
)
single = st.one_of(loose, lists, refusals, st.binary(max_size=5).map(lambda b: b * 4))
bodies = st.recursive(
    single,
    lambda inner: st.one_of(
        st.lists(st.builds(Part, longs, ints, inner), max_size=4).map(join),
        st.builds(Part, longs, ints, inner).map(copy_of),
        inner.map(gzip),
    ),
    max_leaves=6,
)


@given(st.lists(st.tuples(bodies, longs, ints, st.floats(0, 400)), max_size=8))
def test_server_survives_any_client(messages: list[tuple[bytes, int, int, float]]) -> None:
    """Whatever the client wants, it is told by number or answered; nothing is raised."""
    peer = Peer()
    for body, msg_id, seq_no, pause in messages:
        for event in peer.send(body, msg_id, seq_no):
            if isinstance(event, ev.Request):
                peer.server.reply(event.msg_id, b"done", now=peer.now)
        peer.read()
        peer.now += pause
        peer.server.handle_deadline(now=peer.now)
    assert len(peer.server._kept) <= server_module.MAX_KEPT


@given(st.lists(st.tuples(bodies, longs, ints, st.floats(0, 400)), max_size=8))
def test_client_survives_any_server(messages: list[tuple[bytes, int, int, float]]) -> None:
    host = Host()
    for n, (body, msg_id, seq_no, pause) in enumerate(messages):
        host.call(n)
        host.read()
        try:
            host.say(body, msg_id=msg_id | 1, seq_no=seq_no)
        except (RemoteProtocolError, SecurityError):
            host.client.connection_lost(now=host.now)
            host.client.connection_made(now=host.now)
        host.now += pause
        host.client.handle_deadline(now=host.now)
        host.read()
        assert host.client.next_deadline() is not None


@given(st.binary(max_size=200))
def test_garbage_instead_of_packets(data: bytes) -> None:
    with pytest.raises(SecurityError):
        Host().client.receive(data, now=START)


def test_names_of_errors_need_not_be_text() -> None:
    host = Host()
    call = host.call()
    (part,) = host.read()
    body = pack("<Ii", 0x2144CA19, 400) + b"\x03\xff\xfe\xfd"
    (error,) = host.answer(part.msg_id, body)
    assert isinstance(error, ev.ResultError)
    assert error.call_id == call
    with pytest.raises(DecodeError):
        mtproto.REGISTRY.decode(body[:-1])


# ── memory ───────────────────────────────────────────────────────────────────────────────────────


def test_client_against_a_flood() -> None:
    """Everything that a server can make a client remember has an end."""
    host = Host()
    for n in range(3000):
        host.now += 0.001
        host.say(UPDATE, seq_no=1)
        host.say(mtproto.MsgNewDetailedInfo(answer_msg_id=n, bytes=4, status=0))
        host.say(mtproto.MsgsStateReq(msg_ids=[n]))
        host.read()
    client = host.client
    assert len(client._seen.seq_nos) == len(client._seen._heap) == 1024
    assert len(client._acks) < 16
    assert len(client._sent_acks) == 16
    assert not client._queue
    assert not client._kept


def test_one_packet_makes_a_client_queue_little() -> None:
    host = Host()
    offer = encode(mtproto.MsgNewDetailedInfo(answer_msg_id=5, bytes=4, status=0))
    question = encode(mtproto.MsgsStateReq(msg_ids=[0] * MAX_IDS))
    parts = [Part(host.next_id(), 1, offer) for _ in range(500)]
    parts += [Part(host.next_id(), 1, question) for _ in range(500)]
    host.say(join(parts))
    packets = host.client.packets(now=host.now)
    assert sum(map(len, packets)) < 5 << 20


def test_server_against_a_flood() -> None:
    peer = Peer()
    for n in range(3000):
        peer.now += 0.001
        moment = peer.now - START
        peer.send(call_body(n), at(moment), 2 * n + 1)
        peer.send(mtproto.RpcDropAnswer(req_msg_id=n), at(moment) + 4, 2 * n + 3)
        peer.send(join([]), at(moment) + 8, 0)
        peer.send(call_body(n), at(50) + 4 * n, 1)
        peer.read()
    server = peer.server
    assert len(server._seen.seq_nos) == 1024
    assert len(server._requests) <= server_module.MAX_REQUESTS
    assert len(server._kept) <= server_module.MAX_KEPT
    assert len(server._refused) <= server_module.MAX_REFUSED
    assert len(server._acks) < 16
    assert not server._queue


def test_bombs_in_one_packet() -> None:
    """A9.4: neither memory nor time; damaged ones count with what they can have cost."""
    bomb = gzip(bytes(20 << 20))
    peer = Peer()
    parts = [Part(at(1) + 4 * n, 2 * n + 1, bomb) for n in range(1000)]
    tracemalloc.start()
    try:
        assert peer.send_parts(parts, at(2)) == [ev.SessionStarted(at(1))]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 120 << 20
    assert len(peer.read()) == 1001
    # All that one packet may cost was spent by the first two.
    assert peer.server._inflatable == 0


def test_small_damage_costs_little() -> None:
    peer = Peer()
    damaged = gzip(call_body(1))[:-4]
    good = gzip(CALL * 1000)
    parts = [Part(at(1) + 4 * n, 2 * n + 1, damaged) for n in range(100)]
    parts.append(Part(at(1.5), 201, good))
    assert peer.send_parts(parts, at(2))[1:] == [ev.Request(at(1.5), CALL * 1000)]
