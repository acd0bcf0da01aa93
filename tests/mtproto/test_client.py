"""The client's half of a session: calls, answers, time, salts, and what it asks the server."""

from __future__ import annotations

from itertools import pairwise
from struct import pack

import pytest

from radiogram.crypto.keys import seal
from radiogram.errors import LocalProtocolError, RemoteProtocolError, SecurityError
from radiogram.mtproto import client as module
from radiogram.mtproto import events as ev
from radiogram.mtproto import repair, rtt
from radiogram.mtproto.message import MAX_CONTAINER, MAX_IDS, MAX_PARTS, Part, join, split, time_of
from radiogram.tl import mtproto
from radiogram.tl.base import TLObject

from .pair import (
    CALL,
    KEY,
    START,
    UPDATE,
    Host,
    Pair,
    at,
    call_body,
    decode,
    encode,
    flat,
    new_server,
)
from .test_server import copy_of, gzip, rpc_result


@pytest.fixture
def host() -> Host:
    """Return a client whose server has said something, so that the clock is known."""
    host = Host()
    assert host.say(UPDATE) == [ev.Update(UPDATE)]
    return host


def said(host: Host) -> list[TLObject]:
    return [decode(part.body) for part in host.read()]


# ── calls ────────────────────────────────────────────────────────────────────────────────────────


def test_calls_have_odd_numbers(host: Host) -> None:
    """A4.5, from the client's side."""
    first = host.call(1)
    host.client.call(CALL, now=host.now, content_related=False)
    second = host.call(2)
    assert (first, second) == (1, 3)
    (packet,) = host.packets()
    parts = flat([packet])
    assert [part.seq_no for part in parts] == [1, 2, 3]
    assert [part.msg_id % 4 for part in parts] == [0, 0, 0]
    assert all(one.msg_id < other.msg_id for one, other in pairwise(parts))
    assert packet.msg_id > parts[-1].msg_id
    assert packet.seq_no == 4
    assert host.client.unanswered == 3


def test_one_call_needs_no_container(host: Host) -> None:
    host.call()
    (packet,) = host.packets()
    assert packet.body == call_body(1)
    assert host.packets() == []


@pytest.mark.parametrize("size", [1, 2, 3, module.MAX_BODY + 4])
def test_impossible_calls(host: Host, size: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"{size} bytes"):
        host.client.call(bytes(size), now=host.now)


def test_largest_call() -> None:
    host = Host(gzip_threshold=None)
    host.client.call(CALL * (module.MAX_BODY // 4), now=host.now)
    host.call()
    large, small = host.packets()
    assert (large.body, small.body) == (CALL * (module.MAX_BODY // 4), call_body(1))
    host.client.connection_made(now=host.now)
    large, small = host.packets()
    assert len(large.body) == MAX_CONTAINER + 8


def test_long_calls_are_compressed() -> None:
    """A9.4."""
    host = Host(gzip_threshold=100)
    for body in (CALL * 24, CALL * 25):
        host.client.call(body, now=host.now)
    short, long = host.read()
    assert short.body == CALL * 24
    assert isinstance(decode(long.body), mtproto.GzipPacked)


def test_containers_have_a_limit(host: Host) -> None:
    """A9.5."""
    for n in range(MAX_PARTS + 5):
        host.call(n)
    packets = host.packets()
    assert [len(split(packet.body)) for packet in packets] == [MAX_PARTS, 5]
    assert [part.body for part in flat(packets)] == [call_body(n) for n in range(MAX_PARTS + 5)]


def test_large_calls_share_no_container() -> None:
    host = Host(gzip_threshold=None)
    for _ in range(5):
        host.client.call(CALL * 100_000, now=host.now)
    assert [len(flat([packet])) for packet in host.packets()] == [2, 2, 1]


def test_old_calls_need_a_container(host: Host) -> None:
    """A4.3 of the server would refuse an old id as the id of a packet."""
    host.client.connection_lost(now=host.now)
    host.call()
    assert host.packets() == []
    host.now += 100
    host.client.connection_made(now=host.now)
    (packet,) = host.packets()
    (part,) = split(packet.body)
    assert time_of(part.msg_id) == pytest.approx(START, abs=1)
    assert time_of(packet.msg_id) == pytest.approx(START + 100, abs=1)


def test_result(host: Host) -> None:
    call = host.call()
    (part,) = host.read()
    assert host.answer(part.msg_id) == [ev.Result(call, b"done")]
    assert host.client.unanswered == 0
    # Answers to what was never asked, or answered before, mean nothing.
    assert host.answer(part.msg_id) == []
    assert host.answer(99) == []


@pytest.mark.parametrize("packed", [False, True])
def test_error(host: Host, packed: bool) -> None:
    """A11.2."""
    call = host.call()
    (part,) = host.read()
    error = encode(mtproto.RpcError(error_code=420, error_message="FLOOD_WAIT_31"))
    events = host.answer(part.msg_id, gzip(error) if packed else error)
    assert events == [ev.ResultError(call, 420, "FLOOD_WAIT_31")]


def test_compressed_result(host: Host) -> None:
    call = host.call()
    (part,) = host.read()
    assert host.answer(part.msg_id, gzip(CALL * 100)) == [ev.Result(call, CALL * 100)]
    call = host.call()
    (part,) = host.read()
    whole = gzip(rpc_result(part.msg_id, b"done"))
    assert host.say(whole, seq_no=1) == [ev.Result(call, b"done")]


@pytest.mark.parametrize(
    "result",
    [
        encode(mtproto.RpcError(error_code=400, error_message="X"))[:-4],
        gzip(CALL)[:-4],
        gzip(bytes(17 << 20)),
    ],
    ids=["error", "damaged", "bomb"],
)
def test_result_that_cannot_be_read(host: Host, result: bytes) -> None:
    """Only that call fails."""
    call = host.call()
    (part,) = host.read()
    (failed,) = host.answer(part.msg_id, result)
    assert isinstance(failed, ev.CallFailed)
    assert failed.call_id == call
    assert isinstance(failed.error, RemoteProtocolError)
    assert host.client.unanswered == 0


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (mtproto.Ping(ping_id=5), mtproto.Pong(msg_id=0, ping_id=5)),
        (mtproto.GetFutureSalts(num=1), mtproto.FutureSalts(req_msg_id=0, now=3, salts=[])),
        (mtproto.DestroySession(session_id=5), mtproto.DestroySessionOk(session_id=5)),
        (mtproto.DestroySession(session_id=5), mtproto.DestroySessionNone(session_id=5)),
        (mtproto.DestroyAuthKey(), mtproto.DestroyAuthKeyNone()),
        (mtproto.DestroyAuthKey(), mtproto.DestroyAuthKeyFail()),
        (mtproto.DestroyAuthKey(), mtproto.DestroyAuthKeyOk()),
    ],
    ids=lambda value: value.TL_NAME,
)
def test_bare_answers(host: Host, query: TLObject, answer: TLObject) -> None:
    """A6.3, A7.4, A7.5, A10.1."""
    assert host.say(answer) == []
    host.call()
    call = host.client.call(encode(query), now=host.now)
    asked = host.read()[-1].msg_id
    for name in ("msg_id", "req_msg_id"):
        if hasattr(answer, name):
            answer = type(answer)(**{**fields(answer), name: asked})
    events: list[ev.Event] = [ev.Result(call, encode(answer))]
    if isinstance(answer, mtproto.DestroyAuthKeyOk):
        events.append(ev.AuthKeyDestroyed())
    assert host.say(answer) == events
    assert host.client.unanswered == 1


def fields(value: TLObject) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def test_unknown_call(host: Host) -> None:
    with pytest.raises(LocalProtocolError, match="no call 7"):
        host.client.msg_id_of(7)


# ── dropping (A11.4) ─────────────────────────────────────────────────────────────────────────────


def test_drop(host: Host) -> None:
    call = host.call()
    (part,) = host.read()
    host.client.drop(call, now=host.now)
    (drop,) = host.read()
    assert decode(drop.body) == mtproto.RpcDropAnswer(req_msg_id=part.msg_id)
    assert host.client.unanswered == 0
    assert host.answer(part.msg_id) == []
    answer = encode(mtproto.RpcAnswerUnknown())
    assert host.answer(drop.msg_id, answer) == [ev.CallDropped(call)]


def test_drop_before_sending(host: Host) -> None:
    call = host.call()
    host.client.drop(call, now=host.now)
    assert host.packets() == []
    host.client.drop(call, now=host.now)
    host.client.drop(99, now=host.now)
    assert host.packets() == []


def test_drop_while_unconnected(host: Host) -> None:
    sent, unsent = host.call(1), 0
    host.read()
    host.client.connection_lost(now=host.now)
    unsent = host.call(2)
    for call in (sent, unsent):
        host.client.drop(call, now=host.now)
    host.client.connection_made(now=host.now)
    assert [type(value) for value in said(host)] == [mtproto.RpcDropAnswer]


# ── updates, acknowledgements, containers ────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [UPDATE * 30, gzip(UPDATE * 30)], ids=["plain", "packed"])
def test_updates_are_handed_over_once(host: Host, body: bytes) -> None:
    msg_id = host.next_id()
    assert host.say(body, msg_id=msg_id, seq_no=1) == [ev.Update(UPDATE * 30)]
    assert host.say(body, msg_id=msg_id, seq_no=1) == []
    assert host.say(join([Part(msg_id, 1, body)])) == []


def test_acks_wait_for_company(host: Host) -> None:
    ids = [host.next_id() for _ in range(3)]
    for msg_id in ids:
        host.say(UPDATE, msg_id=msg_id, seq_no=1)
        assert host.packets() == []
    due = host.client.next_deadline()
    assert due == host.now + host.client.ACK_DELAY
    host.now = due
    assert host.client.handle_deadline(now=due) == []
    assert said(host) == [mtproto.MsgsAck(msg_ids=ids)]
    # A repetition means that the acknowledgement was lost.
    host.say(UPDATE, msg_id=ids[0], seq_no=1)
    host.now += 5
    assert said(host) == [mtproto.MsgsAck(msg_ids=ids[:1])]


def test_acks_wait_for_a_connection(host: Host) -> None:
    msg_id = host.next_id()
    host.say(UPDATE, msg_id=msg_id, seq_no=1)
    host.client.connection_lost(now=host.now)
    assert host.client.next_deadline() is None
    assert host.client.handle_deadline(now=host.now + 1000) == []
    host.client.connection_made(now=host.now)
    assert said(host) == [mtproto.MsgsAck(msg_ids=[msg_id])]


def test_containers(host: Host) -> None:
    parts = [
        Part(host.next_id(), 1, UPDATE),
        Part(host.next_id(), 3, gzip(UPDATE * 30)),
        Part(host.next_id(), 4, copy_of(Part(host.next_id(), 5, UPDATE * 2))),
    ]
    events = [ev.Update(UPDATE), ev.Update(UPDATE * 30), ev.Update(UPDATE * 2)]
    msg_id = host.next_id()
    assert host.say(join(parts), msg_id=msg_id) == events
    assert host.say(join(parts), msg_id=msg_id) == []
    assert host.say(join([])) == []


def test_old_messages_are_ignored(host: Host) -> None:
    """The security guidelines: what is below the window cannot be told from a repetition."""
    old = host.next_id()
    container = host.packet(join([Part(host.next_id(), 1, UPDATE)]))
    for n in range(1200):
        host.say(pack("<Iqq", 0x347773C5, n, n))
    assert host.say(UPDATE, msg_id=old, seq_no=1) == []
    assert host.client.receive(container, now=host.now) == []
    assert host.packets() == []


# ── what cannot come from a server ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("msg_id", [0, 2, at(0), at(0) | 2, -1, 2**63 - 1, -(2**63) + 1])
def test_ids_that_no_server_gives(host: Host, msg_id: int) -> None:
    with pytest.raises(SecurityError, match="id"):
        host.say(UPDATE, msg_id=msg_id)


def test_other_sessions(host: Host) -> None:
    head = pack("<qqqii", 0, host.client.session_id + 1, host.next_id(), 0, 4)
    packet = seal(KEY, head + UPDATE, from_client=False, random=bytes)
    with pytest.raises(SecurityError, match="another session"):
        host.client.receive(packet, now=host.now)


def test_reflected_packets(host: Host) -> None:
    host.call()
    (packet,) = host.client.packets(now=host.now)
    with pytest.raises(SecurityError):
        host.client.receive(packet, now=host.now)


BROKEN = {
    "nothing": b"",
    "short result": pack("<Iq", 0xF35C6D01, 1),
    "short pong": pack("<Iq", 0x347773C5, 1),
    "nested container": join([Part(1, 0, join([]))]),
    "part with an id of ours": join([Part(4, 0, UPDATE)]),
    "lengths": join([Part(1, 0, UPDATE)])[:-4],
    "list": pack("<III", 0x62D6B459, 0x1CB5C415, 5),
    "long list": pack("<III", 0x62D6B459, 0x1CB5C415, MAX_IDS + 1) + bytes(8 * MAX_IDS + 8),
    "salts": encode(mtproto.FutureSalts(req_msg_id=1, now=1, salts=[]))[:-4],
    "states": encode(mtproto.MsgsStateInfo(req_msg_id=1, info=b"abcd"))[:-4],
    "all states": encode(mtproto.MsgsAllInfo(msg_ids=[1], info=b"abcd"))[:-4],
    "compressed container": gzip(join([])),
    "compressed copy": gzip(copy_of(Part(1, 0, UPDATE))),
    "damaged": gzip(UPDATE)[:-4],
    "bomb": gzip(bytes((16 << 20) + 1)),
    "copied container": copy_of(Part(1, 0, join([]))),
    "copied copy": copy_of(Part(1, 0, copy_of(Part(1, 0, UPDATE)))),
    "half a copy": copy_of(Part(1, 0, UPDATE))[:12],
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_broken_messages(host: Host, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        host.say(body)


def test_what_came_before_the_mistake_counts(host: Host) -> None:
    parts = [Part(host.next_id(), 1, UPDATE), Part(host.next_id(), 0, b"")]
    assert host.say(join(parts)) == [ev.Update(UPDATE), ev.ConnectionDead()]


def test_bombs_have_a_common_limit(host: Host) -> None:
    """A9.4: what one packet inflates to is bounded, however many bombs it holds."""
    bomb = gzip(UPDATE * (3 << 20))
    parts = [Part(host.next_id(), 1, bomb) for _ in range(4)]
    events = host.say(join(parts))
    assert [type(event) for event in events] == [ev.Update, ev.Update, ev.ConnectionDead]


# ── time ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ahead", [-10_000, -301, 31, 10_000])
def test_first_packet_sets_the_clock(ahead: float) -> None:
    host = Host()
    (changed, update) = host.say(UPDATE, msg_id=at(ahead, 1))
    assert isinstance(changed, ev.TimeChanged)
    assert changed.offset == host.client.time_offset == pytest.approx(ahead, abs=1)
    assert update == ev.Update(UPDATE)
    host.call()
    assert time_of(host.packets()[0].msg_id) == pytest.approx(START + ahead, abs=1)


@pytest.mark.parametrize("ahead", [-299, 29])
def test_small_differences_are_left(ahead: float) -> None:
    host = Host()
    assert host.say(UPDATE, msg_id=at(ahead, 1)) == [ev.Update(UPDATE)]
    assert host.client.time_offset == 0


@pytest.mark.parametrize("ahead", [-10_000, -301, 31, 10_000])
def test_later_packets_set_no_clock(host: Host, ahead: float) -> None:
    """What is old is a repetition; what is newer must not get lost, so the connection ends."""
    events = host.say(UPDATE, msg_id=at(ahead, 1))
    assert events == ([ev.ConnectionDead()] if ahead > 0 else [])
    assert host.client.time_offset == 0
    host.client.connection_made(now=host.now)
    assert host.say(UPDATE, msg_id=at(ahead, 1))[-1] == ev.Update(UPDATE)


@pytest.mark.parametrize("contained", [False, True])
def test_later_packets_that_complain_set_the_clock(host: Host, contained: bool) -> None:
    """A5.6: the computer's clock was changed under a running connection."""
    call = host.call()
    (packet,) = host.packets()
    bad = mtproto.BadMsgNotification(bad_msg_id=packet.msg_id, bad_msg_seqno=1, error_code=16)
    body = encode(bad)
    if contained:
        body = join([Part(at(999, 1), 1, UPDATE), Part(at(999, 3), 0, body)])
    events = host.say(body, msg_id=at(1000, 1))
    assert isinstance(events[0], ev.TimeChanged)
    assert host.client.time_offset == pytest.approx(1000, abs=1)
    (again,) = [p for p in host.packets() if p.body != UPDATE]
    assert time_of(again.msg_id) == pytest.approx(START + 1000, abs=1)
    assert call == 1


def test_broken_containers_do_not_complain(host: Host) -> None:
    body = join([Part(at(999, 1), 1, UPDATE)])[:-4]
    assert host.say(body, msg_id=at(1000, 1)) == [ev.ConnectionDead()]


def test_repeated_packets_set_no_clock(host: Host) -> None:
    """Also not the first ones of a new connection."""
    old = host.packet(UPDATE, seq_no=1)
    host.client.receive(old, now=host.now)
    host.now += 10_000
    host.client.connection_made(now=host.now)
    assert host.client.receive(old, now=host.now) == []
    assert host.client.time_offset == 0


# ── deadlines ────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_due_while_unconnected() -> None:
    host = Host()
    host.call()
    host.client.connection_lost(now=host.now)
    assert host.client.next_deadline() is None
    assert host.client.packets(now=host.now) == []


def ring(host: Host, *, until: float = 1e9) -> list[ev.Event]:
    """Let time pass to the next deadline."""
    due = host.client.next_deadline()
    assert due is not None
    assert due <= START + until
    host.now = due
    return host.client.handle_deadline(now=due)


def test_pings(host: Host) -> None:
    """A10.2."""
    host.say(mtproto.FutureSalts(req_msg_id=1, now=1, salts=[]))
    pings: list[tuple[float, TLObject]] = []
    while len(pings) < 3:
        ring(host)
        pings += [
            (host.now - START, value)
            for value in said(host)
            if isinstance(value, mtproto.PingDelayDisconnect)
        ]
        host.say(mtproto.Pong(msg_id=5, ping_id=1))
    assert pings == [
        (60.0 * n, mtproto.PingDelayDisconnect(ping_id=n, disconnect_delay=75)) for n in (1, 2, 3)
    ]


def test_dead_connections_are_noticed(host: Host) -> None:
    while not any(isinstance(v, mtproto.PingDelayDisconnect) for v in said(host)):
        assert ring(host) == []
    asked = host.now
    events: list[ev.Event] = []
    while not events:
        events = ring(host)
    assert events == [ev.ConnectionDead()]
    assert host.now == asked + repair.ANSWER_TIMEOUT


def test_a_ping_that_comes_too_late(host: Host) -> None:
    """A10.2: whoever did not run for so long has no connection any more."""
    host.now += module.PING_INTERVAL + module.OVERSLEPT
    assert host.client.handle_deadline(now=host.now) == []
    host.client.connection_lost(now=host.now)
    host.client.connection_made(now=host.now)
    host.now += module.PING_INTERVAL + module.OVERSLEPT + 1
    host.client.call(CALL, now=host.now)
    assert host.client.handle_deadline(now=host.now) == [ev.Overslept()]
    assert host.client.handle_deadline(now=host.now) == []


def test_any_packet_is_a_sign_of_life(host: Host) -> None:
    while not any(isinstance(v, mtproto.PingDelayDisconnect) for v in said(host)):
        ring(host)
    asked = host.now
    host.now += repair.ANSWER_TIMEOUT - 1
    host.say(UPDATE)
    while host.now <= asked + repair.ANSWER_TIMEOUT:
        assert ring(host) == []
        host.read()


def test_salts_are_asked_for_and_used(host: Host) -> None:
    """A6.3."""
    host.now += 20
    host.client.handle_deadline(now=host.now)
    (question,) = host.read()
    assert decode(question.body) == mtproto.GetFutureSalts(num=32)
    salts = [
        mtproto.FutureSalt(valid_since=int(START + since), valid_until=int(START + until), salt=n)
        for n, since, until in ((1, -9000, -1), (4, 900, 2700), (2, -900, 900), (3, 0, 1800))
    ]
    answer = mtproto.FutureSalts(req_msg_id=question.msg_id, now=int(START), salts=salts)
    assert host.say(answer) == [ev.SaltChanged(3)]
    host.call()
    assert host.packets()[0].salt == 3
    told: list[ev.Event] = []
    while host.now < START + 900:
        assert told == []
        told = ring(host)
        host.say(UPDATE)
    assert (host.now, told) == (START + 900, [ev.SaltChanged(4)])
    # The last one is in use, so more are needed; a new connection does not wait for that.
    host.now += module.SALTS_RETRY
    host.client.handle_deadline(now=host.now)
    assert mtproto.GetFutureSalts(num=32) in said(host)


def test_known_salts_are_not_asked_for_again(host: Host) -> None:
    salt = mtproto.FutureSalt(valid_since=int(START + 500), valid_until=int(START + 5000), salt=4)
    host.say(mtproto.FutureSalts(req_msg_id=1, now=int(START), salts=[salt]))
    host.client.connection_made(now=host.now)
    host.now += 499
    host.client.handle_deadline(now=host.now)
    assert mtproto.GetFutureSalts(num=32) not in said(host)


def test_salts_of_a_hostile_server_are_bounded(host: Host) -> None:
    salts = [
        mtproto.FutureSalt(valid_since=2**31 - 1 - n, valid_until=2**31 - 1, salt=n)
        for n in range(5000)
    ]
    assert host.say(mtproto.FutureSalts(req_msg_id=1, now=1, salts=salts)) == []
    assert len(host.client._future) == 64


# ── states (A8.4) ────────────────────────────────────────────────────────────────────────────────


def overdue(host: Host, calls: int = 1) -> tuple[list[Part], int]:
    """Return sent calls that are waited for too long, and the id of the question about them."""
    for n in range(calls):
        host.call(n)
    parts = host.read()
    host.now += rtt.FIRST
    host.client.handle_deadline(now=host.now)
    (question,) = host.read()
    assert decode(question.body) == mtproto.MsgsStateReq(msg_ids=[p.msg_id for p in parts])
    return parts, question.msg_id


@pytest.mark.parametrize(
    ("state", "again"),
    [(1, True), (2, True), (3, True), (4, False), (12, False), (44, False), (108, True)],
)
def test_calls_are_asked_about(host: Host, state: int, again: bool) -> None:
    (part,), question = overdue(host)
    info = mtproto.MsgsStateInfo(req_msg_id=question, info=bytes([state]))
    assert host.say(info) == []
    assert host.read() == ([part] if again else [])
    # The same answer once more is not one to a question.
    assert host.say(info) == []
    assert host.read() == []


def test_unasked_states(host: Host) -> None:
    """msgs_all_info: the server tells by itself."""
    parts, _ = overdue(host, 3)
    ids = [part.msg_id for part in parts] + [77]
    assert host.say(mtproto.MsgsAllInfo(msg_ids=ids, info=b"\x04\x03\x6c\x01")) == []
    assert host.read() == parts[1:]


def test_answers_about_fewer_calls_than_asked(host: Host) -> None:
    parts, question = overdue(host, 3)
    assert host.say(mtproto.MsgsStateInfo(req_msg_id=question, info=b"\x01")) == []
    assert host.read() == parts[:1]


def test_questions_become_rare(host: Host) -> None:
    host.call()
    host.read()
    asked: list[float] = []
    while len(asked) < 8:
        ring(host)
        if any(isinstance(value, mtproto.MsgsStateReq) for value in said(host)):
            asked.append(host.now - START)
        host.say(UPDATE)
    assert asked == [1, 3, 7, 15, 31, 63, 123, 183]
    assert len(host.client._state_requests) == 8
    # Answered: nothing to ask about, until there is a call again.
    host.answer(host.client.msg_id_of(1))
    assert host.client._check_due == float("inf")
    host.now += 1
    host.call()
    assert host.client._check_due == host.now + rtt.FIRST


def test_remembered_questions_are_bounded(host: Host) -> None:
    host.call()
    host.read()
    for _ in range(60):
        ring(host)
        host.read()
        host.say(UPDATE)
    assert len(host.client._state_requests) == 8


def test_young_calls_are_not_asked_about(host: Host) -> None:
    host.call(1)
    (old,) = host.read()
    host.now += rtt.FIRST / 2
    host.call(2)
    host.read()
    host.now += rtt.FIRST / 2
    host.client.handle_deadline(now=host.now)
    assert said(host) == [mtproto.MsgsStateReq(msg_ids=[old.msg_id])]


def test_unsent_calls_are_not_asked_about(host: Host) -> None:
    host.call()
    host.now += rtt.FIRST
    host.client.handle_deadline(now=host.now)
    assert [part.body for part in host.read()] == [call_body(1)]


def test_questions_of_the_server(host: Host) -> None:
    """A8.4, from the other side; A8.5: what can be sent again is, the rest is told."""
    host.call(1)
    (call,) = host.read()
    update = host.next_id()
    host.say(UPDATE, msg_id=update, seq_no=1)
    question = host.next_id()
    host.say(mtproto.MsgsStateReq(msg_ids=[update, update - 4, 2**63 - 3]), msg_id=question)
    info = mtproto.MsgsStateInfo(req_msg_id=question, info=b"\x04\x14\x03")
    assert said(host) == [info]
    host.say(mtproto.MsgResendReq(msg_ids=[call.msg_id]))
    assert host.read()[0] == call


def test_losing_calls_for_ever(host: Host) -> None:
    host.call()
    for n in range(repair.MAX_REPAIRS + 1):
        host.read()
        assert host.client.unanswered == 1
        events = host.say(mtproto.MsgsAllInfo(msg_ids=[host.client.msg_id_of(1)], info=b"\x01"))
        assert bool(events) is (n == repair.MAX_REPAIRS)
    assert isinstance(events[0], ev.CallFailed)
    assert "keeps losing it" in str(events[0].error)


# ── detailed info (A5.3, A8.6) ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("new", [False, True])
def test_offered_messages(host: Host, new: bool) -> None:
    known = host.next_id()
    host.say(UPDATE, msg_id=known, seq_no=1)
    host.now += 5
    host.read()
    for answer_id in (known, 77):
        offer: TLObject
        if new:
            offer = mtproto.MsgNewDetailedInfo(answer_msg_id=answer_id, bytes=9, status=0)
        else:
            offer = mtproto.MsgDetailedInfo(msg_id=3, answer_msg_id=answer_id, bytes=9, status=0)
        assert host.say(offer) == []
    wanted, ack = said(host)
    assert wanted == mtproto.MsgResendReq(msg_ids=[77])
    assert ack == mtproto.MsgsAck(msg_ids=[known])


def test_large_answer_is_fetched() -> None:
    """A5.3: the whole way, after the answer was lost."""
    large = bytes(range(256)) * 100
    pair = Pair.make(gzip_threshold=None)
    pair.handle = lambda body: large
    call = pair.call()
    for packet in pair.client.packets(now=pair.now):
        pair.to_server(packet)
    pair.server.packets(now=pair.now)
    (event,) = [e for e in pair.wait(15) if isinstance(e, ev.Result)]
    assert event == ev.Result(call, large)
    assert len(pair.requests) == 1


# ── sessions (A7) ────────────────────────────────────────────────────────────────────────────────


def test_new_session(host: Host) -> None:
    """What is older than the session's first message is sent again, once."""
    for n in range(3):
        host.call(n)
        host.read()
    unsent = host.call(3)
    ids = [host.client.msg_id_of(n) for n in (1, 2, 3)]
    created = mtproto.NewSessionCreated(first_msg_id=ids[1], unique_id=5, server_salt=-3)
    assert host.say(created, seq_no=1) == [ev.SaltChanged(-3), ev.NewSession(5)]
    bodies = [part.body for part in host.read()]
    assert bodies == [call_body(3), call_body(0), encode(mtproto.MsgsAck(msg_ids=[host.last | 1]))]
    assert unsent == 4


def test_server_that_forgot_the_session() -> None:
    """A7.3."""
    pair = Pair.make()
    pair.call()
    pair.run()
    first, second = pair.call(call_body(1)), pair.call(call_body(2))
    pair.client.packets(now=pair.now)
    pair.client.connection_lost(now=pair.now)
    pair.server = new_server(pair.client.session_id, now=pair.now)
    pair.now += 1
    pair.client.connection_made(now=pair.now)
    events = pair.run()
    assert {e.call_id for e in events if isinstance(e, ev.Result)} == {first, second}
    assert any(isinstance(e, ev.NewSession) for e in events)
