"""The server's half of a session: requests, answers, pushes, and what it says about messages."""

from __future__ import annotations

import zlib
from struct import pack

import pytest

from radiogram.errors import LocalProtocolError
from radiogram.mtproto import events as ev
from radiogram.mtproto import server as module
from radiogram.mtproto.message import MAX_IDS, Envelope, Part, join, tl_bytes
from radiogram.tl import mtproto
from radiogram.tl.base import TLObject

from .pair import CALL, START, UPDATE, Peer, at, call_body, decode, encode

INPUT_FETCH_FAIL = mtproto.RpcError(error_code=400, error_message="INPUT_FETCH_FAIL")
LONG = bytes(range(256)) * 80
"""A result that is neither small nor compressed away."""


def gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return b"\xa1\xcf\x72\x30" + tl_bytes(packer.compress(data) + packer.flush())


def rpc_result(msg_id: int, result: bytes | TLObject) -> bytes:
    if isinstance(result, TLObject):
        result = encode(result)
    return pack("<Iq", 0xF35C6D01, msg_id) + result


def copy_of(part: Part) -> bytes:
    return b"\xb2\x46\x60\xe0" + join([part])[8:]


@pytest.fixture
def peer() -> Peer:
    """Return a server that has answered one request, at 1 second, and heard that it arrived."""
    peer = Peer(gzip_threshold=None)
    assert peer.send(call_body(0), at(1), 1) == [
        ev.SessionStarted(at(1)),
        ev.Request(at(1), call_body(0)),
    ]
    peer.server.reply(at(1), b"done", now=peer.now)
    acknowledge(peer, at(1, 0) + 4)
    return peer


def acknowledge(peer: Peer, msg_id: int) -> None:
    ids = [part.msg_id for part in peer.read() if part.seq_no & 1]
    assert peer.send(mtproto.MsgsAck(msg_ids=ids), msg_id, 0) == []


# ── the session ──────────────────────────────────────────────────────────────────────────────────


def test_new_session_is_announced_before_the_result() -> None:
    """A7.1."""
    peer = Peer()
    parts = [Part(at(2), 3, call_body(2)), Part(at(1), 1, call_body(1))]
    events = peer.send_parts(parts, at(3))
    assert events == [
        ev.SessionStarted(at(1)),
        ev.Request(at(2), call_body(2)),
        ev.Request(at(1), call_body(1)),
    ]
    peer.server.reply(at(2), b"done", now=peer.now)
    created, answer, ack = peer.read()
    assert decode(created.body) == mtproto.NewSessionCreated(
        first_msg_id=at(1),
        unique_id=peer.server.unique_id,
        server_salt=peer.book.current(START),
    )
    assert answer.body == rpc_result(at(2), b"done")
    assert decode(ack.body) == mtproto.MsgsAck(msg_ids=[at(1)])
    assert created.seq_no & 1
    assert answer.seq_no == created.seq_no + 2


def test_earlier_messages_are_announced_again(peer: Peer) -> None:
    """A7.2."""
    assert peer.send(call_body(1), at(2), 3) == [ev.Request(at(2), call_body(1))]
    assert peer.send(call_body(2), at(-1), 5) == [ev.Request(at(-1), call_body(2))]
    assert peer.send(call_body(2), at(-1), 5) == []
    assert peer.send(call_body(3), at(0.5), 7) == [ev.Request(at(0.5), call_body(3))]
    values = [decode(part.body) for part in peer.read()]
    created = [value for value in values if isinstance(value, mtproto.NewSessionCreated)]
    assert [value.first_msg_id for value in created] == [at(-1)]


def test_old_parts_of_a_container_are_announced(peer: Peer) -> None:
    """A7.2: also where only a part is older, in time out of reach for a packet of its own."""
    assert peer.send_parts([Part(at(-900), 1, call_body(1))], at(2)) == [
        ev.Request(at(-900), call_body(1))
    ]
    created = decode(peer.read()[0].body)
    assert isinstance(created, mtproto.NewSessionCreated)
    assert created.first_msg_id == at(-900)


def test_ids_of_the_server(peer: Peer) -> None:
    """A4.5."""
    peer.send(call_body(1), at(2), 3)
    peer.server.reply(at(2), b"done", now=peer.now)
    update = peer.server.push(UPDATE, now=peer.now)
    peer.send(mtproto.Ping(ping_id=5), at(3), 4)
    answer, push, pong = peer.read()
    assert [part.msg_id % 4 for part in (answer, push, pong)] == [1, 3, 1]
    assert update == push.msg_id
    assert answer.msg_id < push.msg_id < pong.msg_id
    assert [answer.seq_no % 2, push.seq_no % 2, pong.seq_no % 2] == [1, 1, 0]
    assert push.seq_no == answer.seq_no + 2
    assert pong.seq_no == push.seq_no + 1


def test_repetitions_are_not_announced(peer: Peer) -> None:
    """A7.2: an older message that was known before the session's first one is none."""
    peer.server._first_msg_id = at(2)
    assert peer.send(call_body(0), at(1), 1) == []
    assert peer.answers() == [mtproto.MsgsAck(msg_ids=[at(1)])]


# ── acknowledgements (A8) ────────────────────────────────────────────────────────────────────────


def test_slow_answers_are_announced_by_an_ack(peer: Peer) -> None:
    """A8.1."""
    peer.send(call_body(1), at(2), 3)
    assert peer.read() == []
    due = peer.server.next_deadline()
    assert due == peer.now + 1.0
    peer.now = due
    assert peer.server.handle_deadline(now=due) == []
    assert peer.answers() == [mtproto.MsgsAck(msg_ids=[at(2)])]
    assert peer.server.next_deadline() is None


def test_answers_are_acks(peer: Peer) -> None:
    """A8.1."""
    peer.send(call_body(1), at(2), 3)
    peer.server.reply(at(2), b"done", now=peer.now)
    assert [part.body for part in peer.read()] == [rpc_result(at(2), b"done")]
    assert peer.server.next_deadline() is None


def test_many_acks_do_not_wait(peer: Peer) -> None:
    ids = [at(2 + n) for n in range(16)]
    for n, msg_id in enumerate(ids):
        assert peer.read() == []
        peer.send(call_body(n), msg_id, 3 + 2 * n)
    assert peer.answers() == [mtproto.MsgsAck(msg_ids=ids)]


def test_what_is_not_acknowledged_is_sent_again(peer: Peer) -> None:
    """A8.2."""
    peer.send(call_body(1), at(2), 3)
    peer.server.reply(at(2), b"done", now=peer.now)
    update = peer.server.push(UPDATE, now=peer.now)
    sent = peer.read()
    peer.server.connection_lost(now=peer.now)
    assert peer.read() == []
    late = peer.server.push(UPDATE * 2, now=peer.now)
    assert peer.server.next_deadline() is None
    peer.server.connection_made(now=peer.now)
    again = peer.read()
    assert again[:2] == sent
    assert again[2].msg_id == late
    acks = mtproto.MsgsAck(msg_ids=[update, late, 12345])  # 12345: A8.3, unknown ids are ignored
    peer.send(acks, at(3), 4)
    peer.server.connection_made(now=peer.now)
    assert peer.read() == [sent[0]]


def test_acked_before_it_was_sent(peer: Peer) -> None:
    """Impossible to know for a client; nothing is sent any more."""
    update = peer.server.push(UPDATE, now=peer.now)
    peer.send(mtproto.MsgsAck(msg_ids=[update]), at(2), 2)
    assert peer.read() == []


@pytest.mark.parametrize(
    "constructor", [0x62D6B459, 0xDA69FB52, 0x7D861A08, 0x8610BAEB], ids=lambda n: f"{n:x}"
)
def test_lists_of_ids_have_a_limit(peer: Peer, constructor: int) -> None:
    """A8.3, A9.5."""
    head = pack("<II", constructor, 0x1CB5C415)
    assert peer.send(head + pack("<i", MAX_IDS) + bytes(8 * MAX_IDS), at(2), 2) == []
    too_many = head + pack("<i", MAX_IDS + 1) + bytes(8 * MAX_IDS + 8)
    assert peer.send(too_many, at(3), 2) == [ev.FloodError()]
    assert ev.FloodError().code == -429


@pytest.mark.parametrize(
    "body",
    [
        pack("<I", 0x62D6B459),
        pack("<IIi", 0x62D6B459, 0, 0),
        pack("<IIi", 0x62D6B459, 0x1CB5C415, 1),
        pack("<IIiq", 0x62D6B459, 0x1CB5C415, 2, 5),
        pack("<IIii", 0x62D6B459, 0x1CB5C415, 1, 5),
    ],
)
def test_wrong_lists_of_ids(peer: Peer, body: bytes) -> None:
    """Nobody waits for an answer to them, so there is none."""
    assert peer.send(body, at(2), 2) == []
    assert peer.read() == []


# ── states and sending again (A8.4, A8.5) ────────────────────────────────────────────────────────


def states(peer: Peer, ids: list[int], msg_id: int) -> list[int]:
    peer.send(mtproto.MsgsStateReq(msg_ids=ids), msg_id, 2)
    (answer,) = [v for v in peer.answers() if isinstance(v, mtproto.MsgsStateInfo)]
    assert answer.req_msg_id == msg_id
    return list(answer.info)


def test_states(peer: Peer) -> None:
    """A8.4."""
    peer.send(call_body(1), at(2), 3)
    peer.send(call_body(2), at(3), 5)
    peer.server.reply(at(3), b"done", now=peer.now)
    peer.send(mtproto.Ping(ping_id=1), at(4), 6)
    assert states(peer, [at(1), at(2), at(3), at(4), at(1.5), at(9)], at(5)) == [
        *(4 + 8 + 32 + 64 + 128, 4 + 32, 4 + 8 + 32 + 64),
        *(4 + 16, 2, 3),
    ]
    # The acknowledgement left together with that answer.
    assert states(peer, [at(2)], at(6)) == [4 + 8 + 32]


def test_state_of_what_left_the_window(peer: Peer) -> None:
    """A8.4, A5.4."""
    for start in range(0, 1100, 100):
        pings = [
            Part(at(2) + 4 * n, 2, encode(mtproto.Ping(ping_id=n)))
            for n in range(start, start + 100)
        ]
        peer.send_parts(pings, at(3) + 4 * start)
        peer.read()
    assert states(peer, [at(1.5), at(3) + 1, at(2) + 400, at(2) + 4000], at(5)) == [1, 2, 20, 20]


def test_state_of_messages_without_a_record(peer: Peer) -> None:
    ids = [at(2) + 4 * n for n in range(2)]
    peer.send(mtproto.HttpWait(max_delay=0, wait_after=0, max_wait=0), ids[0], 3)
    peer.send(mtproto.MsgsAllInfo(msg_ids=[], info=b""), ids[1], 4)
    assert states(peer, ids, at(3)) == [4, 4 + 16]
    peer.now += 1
    assert peer.answers() == [mtproto.MsgsAck(msg_ids=[ids[0]])]
    assert states(peer, ids, at(4)) == [4 + 8, 4 + 16]


def test_no_ids_no_answer(peer: Peer) -> None:
    peer.send(mtproto.MsgsStateReq(msg_ids=[]), at(2), 2)
    peer.send(mtproto.MsgResendReq(msg_ids=[]), at(3), 2)
    assert peer.read() == []


@pytest.mark.parametrize("request_type", ["MsgResendReq", "MsgResendAnsReq"])
def test_sent_again_on_request(peer: Peer, request_type: str) -> None:
    """A8.5; msg_resend_ans_req names the requests instead."""
    kind = getattr(mtproto, request_type)
    peer.send(call_body(1), at(2), 3)
    peer.server.reply(at(2), LONG, now=peer.now)
    (answer,) = peer.read()
    peer.send(kind(msg_ids=[answer.msg_id]), at(3), 4)
    assert peer.read() == [answer]
    peer.send(kind(msg_ids=[at(2)]), at(4), 4)
    assert peer.read() == [answer]
    peer.send(kind(msg_ids=[answer.msg_id, 99]), at(5), 4)
    again, state = peer.read()
    assert again == answer
    info = decode(state.body)
    assert isinstance(info, mtproto.MsgsStateInfo)
    assert (info.req_msg_id, len(info.info)) == (at(5), 2)


@pytest.mark.parametrize(
    "body",
    [
        mtproto.MsgsStateInfo(req_msg_id=3, info=b"\x04"),
        mtproto.MsgsAllInfo(msg_ids=[3], info=b"\x04"),
        mtproto.MsgDetailedInfo(msg_id=1, answer_msg_id=3, bytes=4, status=0),
        mtproto.MsgNewDetailedInfo(answer_msg_id=3, bytes=4, status=0),
        mtproto.HttpWait(max_delay=0, wait_after=0, max_wait=0),
    ],
    ids=lambda body: body.TL_NAME,
)
def test_what_needs_no_answer(peer: Peer, body: TLObject) -> None:
    """A8.6."""
    assert peer.send(body, at(2), 2) == []
    assert peer.read() == []


# ── repetitions (A5.3) ───────────────────────────────────────────────────────────────────────────


def test_repeated_while_running(peer: Peer) -> None:
    peer.send(call_body(1), at(2), 3)
    assert peer.send(call_body(1), at(2), 3) == []
    assert peer.answers() == [mtproto.MsgsAck(msg_ids=[at(2)])]


def test_repeated_with_a_small_answer(peer: Peer) -> None:
    peer.send(call_body(1), at(2), 3)
    peer.server.reply(at(2), b"done", now=peer.now)
    sent = peer.read()
    assert peer.send_parts([Part(at(2), 3, call_body(1))], at(3)) == []
    assert peer.read() == sent


def test_repeated_with_a_large_answer(peer: Peer) -> None:
    peer.send(call_body(1), at(2), 3)
    peer.server.reply(at(2), LONG, now=peer.now)
    # Still in the queue: what is about to go out is not offered.
    assert peer.send(call_body(1), at(2), 3) == []
    (answer,) = peer.read()
    assert peer.send(call_body(1), at(2), 3) == []
    assert peer.answers() == [
        mtproto.MsgDetailedInfo(
            msg_id=at(2), answer_msg_id=answer.msg_id, bytes=len(answer.body), status=0
        )
    ]
    peer.send(mtproto.MsgResendReq(msg_ids=[answer.msg_id]), at(3), 4)
    assert peer.read() == [answer]


def test_repeated_after_the_ack(peer: Peer) -> None:
    assert peer.send(call_body(0), at(1), 1) == []
    assert peer.answers() == [mtproto.MsgsAck(msg_ids=[at(1)])]


def test_repeated_outside_the_window() -> None:
    """A request is not executed again as long as its answer may be missed."""
    peer = Peer()
    peer.send(call_body(1), at(1), 1)
    peer.server.reply(at(1), b"done", now=peer.now)
    (_, answer) = peer.read()
    for n in range(1200):
        peer.send(mtproto.Ping(ping_id=n), at(2) + 4 * n, 2)
        peer.read()
    assert peer.send(call_body(1), at(1), 1) == []
    assert peer.read() == [answer]
    peer.send(mtproto.MsgsAck(msg_ids=[answer.msg_id]), at(3), 2)
    assert peer.send(call_body(1), at(1), 1) == []
    assert peer.answers() == [
        mtproto.BadMsgNotification(bad_msg_id=at(1), bad_msg_seqno=1, error_code=20)
    ]


@pytest.mark.parametrize(
    "query",
    [
        mtproto.Ping(ping_id=5),
        mtproto.PingDelayDisconnect(ping_id=5, disconnect_delay=75),
        mtproto.GetFutureSalts(num=2),
        mtproto.DestroySession(session_id=4242),
    ],
    ids=lambda query: query.TL_NAME,
)
def test_repeated_queries_are_answered_anew(peer: Peer, query: TLObject) -> None:
    peer.send(query, at(2), 3)
    answers = peer.answers()
    assert len(answers) == 1
    peer.send(query, at(2), 3)
    assert peer.answers() == answers


def test_repeated_with_even_number(peer: Peer) -> None:
    ack = mtproto.MsgsAck(msg_ids=[])
    peer.send(ack, at(2), 2)
    peer.send(ack, at(2), 2)
    assert peer.read() == []


# ── queries of MTProto's own ─────────────────────────────────────────────────────────────────────


def test_ping(peer: Peer) -> None:
    """A10.1."""
    assert peer.send(mtproto.Ping(ping_id=-5), at(2), 2) == []
    assert peer.answers() == [mtproto.Pong(msg_id=at(2), ping_id=-5)]


@pytest.mark.parametrize(("delay", "after"), [(75, 75.0), (0, 0.0), (-7, 0.0)])
def test_ping_with_a_delay(peer: Peer, delay: int, after: float) -> None:
    """A10.2."""
    ping = mtproto.PingDelayDisconnect(ping_id=9, disconnect_delay=delay)
    assert peer.send(ping, at(2), 2) == [ev.DisconnectAfter(after)]
    assert peer.answers() == [mtproto.Pong(msg_id=at(2), ping_id=9)]


@pytest.mark.parametrize(("wanted", "given"), [(1, 1), (64, 64), (65, 64), (0, 1), (-3, 1)])
def test_future_salts(peer: Peer, wanted: int, given: int) -> None:
    """A6.3: bare, and an acknowledgement of the query."""
    peer.send(mtproto.GetFutureSalts(num=wanted), at(2), 3)
    (answer,) = peer.answers()
    assert isinstance(answer, mtproto.FutureSalts)
    assert answer.req_msg_id == at(2)
    assert answer.now == int(START)
    assert [salt.salt for salt in answer.salts] == [
        salt.salt for salt in peer.book.future(given, START)
    ]
    assert peer.server.next_deadline() is None


def test_destroying_sessions(peer: Peer) -> None:
    """A7.4: others are for the server to know; the current one is none of them."""
    current = mtproto.DestroySession(session_id=peer.session_id)
    assert peer.send(current, at(2), 3) == []
    assert peer.answers() == [mtproto.DestroySessionNone(session_id=peer.session_id)]
    other = mtproto.DestroySession(session_id=7)
    assert peer.send(other, at(3), 5) == [ev.DestroySession(at(3), 7)]
    answer = mtproto.DestroySessionOk(session_id=7)
    peer.server.reply_service(at(3), encode(answer), now=peer.now)
    assert peer.answers() == [answer]


def test_destroying_the_key(peer: Peer) -> None:
    """A7.5."""
    assert peer.send(mtproto.DestroyAuthKey(), at(2), 3) == [ev.DestroyAuthKey(at(2))]
    peer.server.reply_service(at(2), encode(mtproto.DestroyAuthKeyOk()), now=peer.now)
    assert peer.answers() == [mtproto.DestroyAuthKeyOk()]


@pytest.mark.parametrize(
    "body",
    [
        encode(mtproto.Ping(ping_id=5)) + bytes(4),
        encode(mtproto.GetFutureSalts(num=2))[:-4],
        encode(mtproto.DestroyAuthKey()) + bytes(4),
        encode(mtproto.RpcDropAnswer(req_msg_id=3))[:-4],
        gzip(encode(mtproto.Ping(ping_id=5)) + bytes(4)),
        gzip(call_body(1))[:-4],
        gzip(gzip(call_body(1))),
        gzip(b"\xb2\x46\x60\xe0" + bytes(16)),
    ],
)
def test_what_cannot_be_read(peer: Peer, body: bytes) -> None:
    """A9.4, A11.5: answered like a method that cannot be read, if an answer is waited for."""
    for msg_id, seq_no in ((at(2), 3), (at(3), 4)):
        assert peer.send_parts([Part(msg_id, seq_no, body)], msg_id + 4) == []
        bodies = [part.body for part in peer.read()]
        if seq_no & 1:
            assert bodies == [rpc_result(msg_id, INPUT_FETCH_FAIL)]
    assert peer.server.outcome(at(2)) == "failed"


# ── results (A11) ────────────────────────────────────────────────────────────────────────────────


def test_errors(peer: Peer) -> None:
    """A11.2."""
    peer.send(call_body(1), at(2), 3)
    peer.server.reply_error(at(2), 420, "FLOOD_WAIT_31", now=peer.now)
    error = mtproto.RpcError(error_code=420, error_message="FLOOD_WAIT_31")
    assert [part.body for part in peer.read()] == [rpc_result(at(2), error)]


def test_outcomes(peer: Peer) -> None:
    """A12.5."""
    for n in range(4):
        peer.send(call_body(n), at(2 + n), 3 + 2 * n)
    peer.server.reply(at(3), b"done", now=peer.now)
    peer.server.reply_error(at(4), 400, "PEER_ID_INVALID", now=peer.now)
    peer.send(mtproto.RpcDropAnswer(req_msg_id=at(5)), at(6), 11)
    assert [peer.server.outcome(at(n)) for n in (2, 3, 4, 5, 9)] == [
        *("running", "ok", "failed", "failed", "unknown")
    ]


def test_answering_twice_is_the_callers_mistake(peer: Peer) -> None:
    peer.send(call_body(1), at(2), 3)
    peer.server.reply(at(2), b"done", now=peer.now)
    with pytest.raises(LocalProtocolError, match="answered before"):
        peer.server.reply_error(at(2), 500, "INTERNAL", now=peer.now)


@pytest.mark.parametrize("threshold", [None, 512])
def test_long_results_are_compressed(threshold: int | None) -> None:
    """A9.4."""
    peer = Peer(gzip_threshold=threshold)
    for n, size in enumerate((512, 516)):
        peer.send(call_body(n), at(2 + n), 1 + 2 * n)
        peer.server.reply(at(2 + n), bytes(size), now=peer.now)
    _, short, long = peer.read()
    assert short.body[12:] == bytes(512)
    if threshold is None:
        assert long.body[12:] == bytes(516)
    else:
        packed = decode(long.body[12:])
        assert isinstance(packed, mtproto.GzipPacked)
        assert zlib.decompress(packed.packed_data, 31) == bytes(516)


def test_dropping_what_nobody_knows(peer: Peer) -> None:
    """A11.4."""
    for n, dropped in enumerate((12345, at(1))):  # never seen; answered and acknowledged
        msg_id = at(2 + n)
        peer.send(mtproto.RpcDropAnswer(req_msg_id=dropped), msg_id, 3 + 2 * n)
        (answer,) = peer.read()
        assert answer.body == rpc_result(msg_id, mtproto.RpcAnswerUnknown())


def test_dropping_what_runs(peer: Peer) -> None:
    """A11.4."""
    peer.send(call_body(1), at(2), 3)
    drop = mtproto.RpcDropAnswer(req_msg_id=at(2))
    assert peer.send(drop, at(3), 5) == [ev.RequestDropped(at(2))]
    dropped = mtproto.RpcAnswerDroppedRunning()
    both = [rpc_result(at(2), dropped), rpc_result(at(3), dropped)]
    assert [part.body for part in peer.read()] == both
    peer.server.reply(at(2), b"too late", now=peer.now)
    assert peer.read() == []
    # Neither is executed again.
    assert peer.send(call_body(1), at(2), 3) == []
    assert peer.answers() == [mtproto.MsgsAck(msg_ids=[at(2)])]
    assert peer.send(drop, at(3), 5) == []
    assert [part.body for part in peer.read()] == both[1:]


@pytest.mark.parametrize("sent", [True, False])
def test_dropping_an_answer(peer: Peer, sent: bool) -> None:
    """A11.4."""
    peer.send(call_body(1), at(2), 3)
    peer.server.reply(at(2), b"done", now=peer.now)
    if sent:
        (answer,) = peer.read()
    assert peer.send(mtproto.RpcDropAnswer(req_msg_id=at(2)), at(3), 5) == []
    (about,) = peer.read()
    told = decode(about.body[12:])
    assert isinstance(told, mtproto.RpcAnswerDropped)
    assert told.bytes == len(rpc_result(at(2), b"done"))
    if sent:
        assert (told.msg_id, told.seq_no) == answer[:2]
    assert peer.server.outcome(at(2)) == "failed"
    peer.server.connection_made(now=peer.now)
    assert peer.read() == [about]


def test_dropped_requests_leave_with_the_window(peer: Peer) -> None:
    peer.send(call_body(1), at(2), 3)
    peer.send(mtproto.RpcDropAnswer(req_msg_id=at(2)), at(3), 5)
    for n in range(1200):
        peer.send(mtproto.Ping(ping_id=n), at(4) + 4 * n, 6)
        peer.read()
    assert peer.server.outcome(at(2)) == "unknown"
    # A reply that comes now finds no record; the client has no use for it either.
    peer.server.reply(at(2), b"late", now=peer.now)
    assert [part.body for part in peer.read()] == [rpc_result(at(2), b"late")]


# ── containers, compression, copies (A9) ─────────────────────────────────────────────────────────


def test_parts_are_handled_in_their_order(peer: Peer) -> None:
    """A9.1, A9.2."""
    parts = [
        Part(at(3), 5, call_body(3)),
        Part(at(2), 2, encode(mtproto.Ping(ping_id=1))),
        Part(at(-900), 3, call_body(2)),
        Part(at(4), 7, gzip(call_body(4))),
        Part(at(3), 5, call_body(3)),
    ]
    assert peer.send_parts(parts, at(5)) == [
        ev.Request(at(3), call_body(3)),
        ev.Request(at(-900), call_body(2)),
        ev.Request(at(4), call_body(4)),
    ]


def test_empty_containers(peer: Peer) -> None:
    """A9.3; also as the very first message."""
    assert peer.send_parts([], at(2)) == []
    assert peer.read() == []
    fresh = Peer()
    assert fresh.send_parts([], at(1)) == []
    assert fresh.read() == []


@pytest.mark.parametrize("inner", [False, True], ids=["bare", "in a container"])
def test_compressed_calls(peer: Peer, inner: bool) -> None:
    """A9.4."""
    body = gzip(CALL * 500)
    wrapped = join([Part(at(2), 3, body)])
    events = peer.send(wrapped, at(3), 2) if inner else peer.send(body, at(2), 3)
    assert events == [ev.Request(at(2), CALL * 500)]


def test_compressed_containers(peer: Peer) -> None:
    parts = [Part(at(2) + 4 * n, 3 + 2 * n, call_body(n)) for n in range(100)]
    assert peer.send(gzip(join(parts)), at(3), 2) == [
        ev.Request(msg_id, body) for msg_id, _, body in parts
    ]


def test_compressed_service_messages(peer: Peer) -> None:
    peer.send_parts([Part(at(2), 3, gzip(encode(mtproto.Ping(ping_id=1))))], at(3))
    assert peer.answers() == [mtproto.Pong(msg_id=at(2), ping_id=1)]


def test_copies(peer: Peer) -> None:
    """A9.6."""
    part = Part(at(1.5), 3, call_body(1))
    assert peer.send(copy_of(part), at(2), 4) == [ev.Request(at(1.5), call_body(1))]
    assert peer.send(copy_of(part), at(3), 4) == []
    peer.server.reply(at(1.5), b"done", now=peer.now)
    assert peer.send(copy_of(part), at(4), 4) == []
    assert [part.body for part in peer.read()] == [rpc_result(at(1.5), b"done")]


def test_copies_of_what_cannot_be_read(peer: Peer) -> None:
    broken = Part(at(1.5), 3, encode(mtproto.GetFutureSalts(num=1))[:-4])
    assert peer.send(copy_of(broken), at(2), 4) == []
    assert [part.body for part in peer.read()] == [rpc_result(at(1.5), INPUT_FETCH_FAIL)]


@pytest.mark.parametrize(
    "body",
    [
        b"\xb2\x46\x60\xe0",
        copy_of(Part(8, 3, call_body(1)))[:-4],
        copy_of(Part(8, 3, call_body(1))) + bytes(4),
        copy_of(Part(8, 2, copy_of(Part(8, 3, call_body(1))))),
        copy_of(Part(8, 2, join([]))),
    ],
)
def test_wrong_copies(peer: Peer, body: bytes) -> None:
    assert peer.send(body, at(2), 2) == []
    assert peer.read() == []


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────


def test_pushes_that_nobody_acknowledges(peer: Peer) -> None:
    assert not peer.server.take_updates_lost()
    for n in range(module.MAX_KEPT + 10):
        peer.server.push(pack("<I", n), now=peer.now)
    assert len(peer.server._kept) == module.MAX_KEPT
    assert peer.server.take_updates_lost()
    assert not peer.server.take_updates_lost()
    # They leave once, all of them; what comes again are the latest.
    assert len(peer.read()) == module.MAX_KEPT + 10
    peer.server.connection_made(now=peer.now)
    assert peer.read()[0].body == pack("<I", 10)


def test_answers_that_nobody_acknowledges(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT_BYTES", 3 * len(LONG))
    for n in range(4):
        peer.send(call_body(n), at(2 + n), 3 + 2 * n)
        peer.server.reply(at(2 + n), LONG, now=peer.now)
        peer.read()
    assert not peer.server.take_updates_lost()
    assert len(peer.server._kept) == 2
    # The result of the first is lost; what it did cannot be undone, so it does not run again.
    assert peer.send(call_body(0), at(2), 3) == []
    (answer,) = peer.read()
    timeout = mtproto.RpcError(error_code=-503, error_message="Timeout")
    assert answer.body == rpc_result(at(2), timeout)
    # Dropping one that is gone.
    peer.send(mtproto.RpcDropAnswer(req_msg_id=at(3)), at(9), 11)
    assert peer.read()[-1].body == rpc_result(at(9), mtproto.RpcAnswerUnknown())


def test_one_huge_answer_is_kept(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT_BYTES", 100)
    peer.server.push(LONG, now=peer.now)
    assert len(peer.server._kept) == 1


def test_requests_that_never_end(peer: Peer) -> None:
    for n in range(module.MAX_REQUESTS + 10):
        peer.send(call_body(n), at(2) + 4 * n, 3 + 2 * n)
    assert len(peer.server._requests) == module.MAX_REQUESTS
    assert len(peer.server._seen.seq_nos) == 1024


# ── what a test wants (part E) ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", [16, 20, 33, 48, 64])
def test_a_message_is_refused_by_any_number(peer: Peer, code: int) -> None:
    """E23: and leaves no trace, so that it is executed when it comes again."""
    refused = Envelope(0, peer.server.session_id, at(2), 3, call_body(1))
    peer.server.refuse(refused, code, now=peer.now)
    (answer,) = peer.read()
    told = decode(answer.body)
    if code == 48:
        assert isinstance(told, mtproto.BadServerSalt)
    else:
        assert isinstance(told, mtproto.BadMsgNotification)
    assert (told.bad_msg_id, told.bad_msg_seqno, told.error_code) == (at(2), 3, code)
    assert peer.send(call_body(1), at(2), 3) == [ev.Request(at(2), call_body(1))]


def test_an_answer_is_sent_once_more(peer: Peer) -> None:
    """E20: the same message; nothing for what was not answered."""
    peer.send(call_body(1), at(2), 3)
    peer.server.send_again(at(2))
    peer.server.reply(at(2), b"answers!", now=peer.now)
    (first,) = peer.read()
    peer.server.send_again(at(2))
    (second,) = peer.read()
    assert first.body == second.body
    assert first.msg_id == second.msg_id


def test_acknowledgements_can_get_lost(peer: Peer) -> None:
    """E20, A8.1: no acknowledgement, though it was due."""
    peer.send(call_body(1), at(2), 3)
    assert not peer.server.acks_due(now=peer.now)
    peer.now += 2
    assert peer.server.acks_due(now=peer.now)
    peer.server.drop_acks()
    assert not peer.server.acks_due(now=peer.now)
    assert peer.read() == []


def test_salts_are_changed_before_their_time(peer: Peer) -> None:
    """E21: what was good is refused, and the answer has the new one."""
    book = module.SaltBook(b"another secret", b"key id 8")
    peer.server.use_salts(book)
    assert peer.send(call_body(1), at(2), 3) == []
    told = decode(peer.read()[-1].body)
    assert isinstance(told, mtproto.BadServerSalt)
    assert told.new_server_salt == book.current(peer.now)
