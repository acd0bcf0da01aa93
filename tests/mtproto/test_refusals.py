"""Refusals by number: when the server says which (A5), and what the client makes of each."""

from __future__ import annotations

from struct import pack

import pytest

from radiogram.errors import RemoteProtocolError
from radiogram.mtproto import events as ev
from radiogram.mtproto import server as server_module
from radiogram.mtproto.message import Part, join
from radiogram.mtproto.repair import MAX_REPAIRS
from radiogram.tl import mtproto
from radiogram.tl.base import TLObject

from .pair import (
    CALL,
    START,
    UPDATE,
    Host,
    Pair,
    Peer,
    at,
    call_body,
    decode,
    encode,
    flat,
    results,
)
from .test_server import acknowledge, copy_of, gzip

PING = encode(mtproto.Ping(ping_id=1))
ACK = encode(mtproto.MsgsAck(msg_ids=[3]))


def refusal(msg_id: int, seq_no: int, code: int) -> TLObject:
    return mtproto.BadMsgNotification(bad_msg_id=msg_id, bad_msg_seqno=seq_no, error_code=code)


@pytest.fixture
def peer() -> Peer:
    peer = Peer()
    peer.send(call_body(0), at(1), 1)
    peer.server.reply(at(1), b"done", now=peer.now)
    acknowledge(peer, at(1) + 4)
    return peer


# ── what the server refuses (A5) ─────────────────────────────────────────────────────────────────


def fill_window(peer: Peer) -> None:
    for n in range(1100):
        peer.send(PING, at(2) + 4 * n, 2)
        peer.read()


REFUSED = {
    # code: what is sent, msg_id, seq_no
    "16 too old": (16, call_body(1), at(-301), 3),
    "16 old container": (16, join([Part(at(-302), 3, call_body(1))]), at(-301), 2),
    "17 too new": (17, call_body(1), at(31), 3),
    "17 new container": (17, join([Part(at(1.5), 3, call_body(1))]), at(31), 2),
    "17 broken container": (17, join([])[:4], at(31), 2),
    "18 an id of the server": (18, call_body(1), at(2) + 1, 3),
    "18 in a container": (18, join([Part(at(2) + 2, 3, call_body(1))]), at(3), 2),
    "34 container": (34, join([Part(at(2), 3, call_body(1))]), at(3), 3),
    "34 copy": (34, copy_of(Part(at(2), 3, call_body(1))), at(3), 3),
    "34 compressed copy": (34, gzip(copy_of(Part(at(2), 3, call_body(1)))), at(2.5), 3),
    "34 in a container": (
        34,
        join([Part(at(2), 3, copy_of(Part(at(1.5), 3, call_body(1))))]),
        at(3),
        2,
    ),
    "35 call": (35, call_body(1), at(2), 2),
    "35 compressed call": (35, gzip(call_body(1)), at(2), 2),
    "35 nothing": (35, b"", at(2), 2),
    "35 damaged": (35, gzip(call_body(1))[:-4], at(2), 2),
    "35 in a container": (35, join([Part(at(2), 2, call_body(1))]), at(3), 2),
    "64 nested": (64, join([Part(at(2), 2, join([]))]), at(3), 2),
    "64 newer part": (64, join([Part(at(4), 3, call_body(1))]), at(3), 2),
    "64 part of the same id": (64, join([Part(at(3), 3, call_body(1))]), at(3), 2),
    "64 wrong length": (64, join([Part(at(2), 3, call_body(1))])[:-4], at(3), 2),
    "64 more behind": (64, join([Part(at(2), 3, call_body(1))]) + bytes(4), at(3), 2),
    "64 no count": (64, join([])[:4], at(3), 2),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refused(peer: Peer, case: tuple[int, bytes, int, int]) -> None:
    code, body, msg_id, seq_no = case
    assert peer.send(body, msg_id, seq_no) == []
    answers = peer.read()
    assert [decode(part.body) for part in answers] == [refusal(msg_id, seq_no, code)]
    assert not answers[0].seq_no & 1  # A5.1
    assert answers[0].msg_id & 3 == 1
    # It left no trace: the same call under a good id and number is a new one.
    assert peer.send(call_body(1), at(4), 3) == [ev.Request(at(4), call_body(1))]


@pytest.mark.parametrize("edge", [-299.9, 29.9])
def test_edges_of_time(peer: Peer, edge: float) -> None:
    assert peer.send(call_body(1), at(edge), 3) == [ev.Request(at(edge), call_body(1))]


def test_old_and_new_limits_follow_the_clock(peer: Peer) -> None:
    peer.now += 1000
    peer.send(call_body(1), at(1), 3)
    assert peer.answers() == [refusal(at(1), 3, 16)]
    assert peer.send(call_body(1), at(1029), 3) == [ev.Request(at(1029), call_body(1))]


def test_too_new_stays_refused(peer: Peer) -> None:
    """17: the client sends the call under another id, so this one must never be executed."""
    early = Part(at(40), 3, call_body(1))
    container = join([Part(at(1.5), 5, call_body(2)), early])
    peer.send(container, at(41), 2)
    peer.send(call_body(3), at(42), 7)
    assert peer.answers() == [refusal(at(41), 2, 17), refusal(at(42), 7, 17)]
    peer.now += 20
    for msg_id in (at(41), at(42)):
        assert peer.send(container, msg_id, 2) == []
        assert peer.answers() == [refusal(msg_id, 2, 17)]
    # What was no offence by itself may come in another container, the rest may not.
    assert peer.send(container, at(43), 2) == [ev.Request(at(1.5), call_body(2))]
    assert peer.answers() == [refusal(at(40), 3, 17)]


def test_records_of_what_is_too_new_are_bounded(peer: Peer) -> None:
    for n in range(server_module.MAX_REFUSED + 10):
        peer.send(PING, at(40) + 4 * n, 2)
        peer.read()
    assert len(peer.server._refused) == server_module.MAX_REFUSED


def test_repeated_container(peer: Peer) -> None:
    """19."""
    parts = [Part(at(2), 3, call_body(1))]
    assert len(peer.send_parts(parts, at(3))) == 1
    assert peer.send_parts(parts, at(3)) == []
    assert refusal(at(3), 0, 19) in peer.answers()


def test_below_the_window(peer: Peer) -> None:
    """20: for a container, a message of its own, and a part, which alone is refused."""
    fill_window(peer)
    assert peer.send_parts([Part(at(1.1), 3, call_body(1))], at(1.2)) == []
    assert peer.send(call_body(1), at(1.3), 3) == []
    parts = [Part(at(1.4), 3, call_body(1)), Part(at(2.5), 5, call_body(2))]
    assert peer.send_parts(parts, at(3)) == [ev.Request(at(2.5), call_body(2))]
    assert peer.answers() == [
        refusal(at(1.2), 0, 20),
        refusal(at(1.3), 3, 20),
        refusal(at(1.4), 3, 20),
        mtproto.MsgsAck(msg_ids=[at(2.5)]),
    ]


def test_order_of_numbers_is_checked_if_wanted() -> None:
    """32, 33, A5.2."""
    peer = Peer(strict_seqno=True)
    peer.send(call_body(1), at(1), 1)
    peer.send(call_body(2), at(3), 5)
    peer.read()
    assert peer.send(call_body(3), at(2), 5) == []
    assert peer.send(call_body(3), at(2), 7) == []
    assert peer.send(call_body(3), at(4), 5) == []
    assert peer.answers()[:3] == [
        refusal(at(2), 5, 33),
        refusal(at(2), 7, 33),
        refusal(at(4), 5, 32),
    ]
    assert peer.send(call_body(3), at(2), 3) == [ev.Request(at(2), call_body(3))]
    assert peer.send(call_body(3), at(2), 3) == []
    assert peer.send(PING, at(5), 4) == []
    assert mtproto.Pong(msg_id=at(5), ping_id=1) in peer.answers()


@pytest.mark.parametrize("strict", [False, True])
def test_numbered_acknowledgement(strict: bool) -> None:
    """34, A5.2: mtcute numbers its acks as if they had content; only a strict server minds."""
    peer = Peer(strict_seqno=strict)
    peer.send(call_body(1), at(1), 1)
    peer.read()
    assert peer.send(ACK, at(2), 3) == []
    assert (refusal(at(2), 3, 34) in peer.answers()) is strict
    assert peer.send(join([Part(at(3), 5, ACK), Part(at(3.5), 7, call_body(2))]), at(4), 6) == (
        [] if strict else [ev.Request(at(3.5), call_body(2))]
    )


def test_order_of_numbers_is_the_clients_matter_by_default(peer: Peer) -> None:
    """A5.2."""
    for n, seq_no in enumerate((99, 1, 1, -5)):
        assert len(peer.send(call_body(n), at(2 + n), seq_no)) == 1


def test_container_of_too_many(peer: Peer) -> None:
    """A9.5."""
    parts = [Part(at(2) + 4 * n, 2, PING) for n in range(1025)]
    assert peer.send_parts(parts, at(3)) == [ev.FloodError()]
    assert peer.read() == []
    assert peer.send_parts(parts[:-1], at(3)) == []
    assert len(peer.read()) == 1024


@pytest.mark.parametrize("salt", [0, 5])
def test_wrong_salt(peer: Peer, salt: int) -> None:
    """48 comes before everything else, and carries the salt to use (A6.2, A6.4)."""
    for body, msg_id, seq_no in ((call_body(1), at(2), 3), (join([])[:4], at(-900) + 1, 5)):
        assert peer.send(body, msg_id, seq_no, salt=salt) == []
        assert peer.answers() == [
            mtproto.BadServerSalt(
                bad_msg_id=msg_id,
                bad_msg_seqno=seq_no,
                error_code=48,
                new_server_salt=peer.book.current(peer.now),
            )
        ]


def test_previous_salt(peer: Peer) -> None:
    """A6.1."""
    old = peer.book.current(peer.now)
    peer.now += 1800
    assert len(peer.send(call_body(1), at(1800), 3, salt=old)) == 1
    peer.now += 1800
    assert peer.send(call_body(2), at(3600), 5, salt=old) == []
    assert isinstance(peer.answers()[0], mtproto.BadServerSalt)


# ── what the client does about it (A5.6) ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", [16, 19, 48, 64, 99])
def test_sent_again_under_the_old_id(code: int) -> None:
    """The server may know the id, and then must not execute the call again."""
    host = Host()
    call = host.call()
    (first,) = host.packets()
    assert host.refuse(first.msg_id, code) == []
    (again,) = host.packets()
    assert flat([again]) == [Part(first.msg_id, first.seq_no, first.body)]
    assert again.msg_id > first.msg_id
    assert again.seq_no == 2
    assert host.answer(first.msg_id) == [ev.Result(call, b"done")]


@pytest.mark.parametrize(("code", "seq_no"), [(17, 3), (18, 3), (20, 3), (34, 2), (35, 3)])
def test_sent_again_as_a_new_message(code: int, seq_no: int) -> None:
    host = Host()
    call = host.call()
    (first,) = host.packets()
    assert host.client.msg_id_of(call) == first.msg_id
    assert host.refuse(first.msg_id, code) == []
    (again,) = host.packets()
    assert again.body == first.body
    assert again.msg_id > first.msg_id
    assert again.seq_no == seq_no
    assert host.client.msg_id_of(call) == again.msg_id
    assert host.answer(first.msg_id) == []
    assert host.answer(again.msg_id) == [ev.Result(call, b"done")]


def test_even_number_for_a_call_that_wants_an_odd_one() -> None:
    """35."""
    host = Host()
    host.client.call(CALL, now=host.now, content_related=False)
    (first,) = host.packets()
    assert first.seq_no == 0
    host.refuse(first.msg_id, 35)
    (again,) = host.packets()
    assert again.seq_no == 1


@pytest.mark.parametrize("code", [18, 34, 35])
def test_refused_container_is_divided(code: int) -> None:
    """Only a call that is refused alone is known not to have been executed."""
    host = Host()
    for n in range(20):
        host.call(n)
    (first,) = host.packets()
    parts = flat([first])
    assert len(parts) == 20
    host.refuse(first.msg_id, code)
    packets = host.packets()
    assert [len(flat([packet])) for packet in packets] == [5] * 4
    assert flat(packets) == parts
    host.refuse(packets[0].msg_id, code)
    packets = host.packets()
    assert [len(flat([packet])) for packet in packets] == [1] * 5
    assert flat(packets) == parts[:5]
    host.refuse(packets[0].msg_id, code)
    (renewed,) = host.packets()
    assert renewed.body == parts[0].body
    assert renewed.msg_id > packets[-1].msg_id
    # A new connection starts with large containers again.
    host.client.connection_made(now=host.now)
    assert len(host.packets()) == 1


@pytest.mark.parametrize("code", [16, 17, 19, 20, 48])
def test_refused_container_is_sent_again(code: int) -> None:
    host = Host()
    for n in range(20):
        host.call(n)
    (first,) = host.packets()
    host.refuse(first.msg_id, code)
    (again,) = host.packets()
    assert again.body == first.body
    assert again.msg_id > first.msg_id


def test_container_of_a_server_that_takes_none() -> None:
    """64."""
    host = Host()
    for n in range(3):
        host.call(n)
    (first,) = host.packets()
    host.refuse(first.msg_id, 64)
    assert len(host.packets()) == 3


def test_part_below_the_window_is_renewed() -> None:
    """20 naming a part of a container."""
    host = Host()
    host.call(1)
    host.call(2)
    (first,) = host.packets()
    one, two = flat([first])
    host.refuse(two.msg_id, 20)
    (again,) = host.packets()
    assert again.body == two.body
    assert again.msg_id > first.msg_id
    assert host.answer(one.msg_id) == [ev.Result(1, b"done")]


def test_refusals_of_what_is_not_waited_for() -> None:
    host = Host()
    call = host.call()
    (first,) = host.packets()
    host.answer(first.msg_id)
    for code in (16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64):
        assert host.refuse(first.msg_id, code) == []
        assert host.refuse(12345, code) == []
    assert host.client.unanswered == 0
    assert call == 1
    assert host.packets() == []


def test_late_refusal_of_an_earlier_packet() -> None:
    """A call that went out in another packet since is not meant."""
    host = Host()
    host.call(1)
    host.call(2)
    (first,) = host.packets()
    host.client.connection_made(now=host.now)
    (second,) = host.packets()
    assert host.refuse(first.msg_id, 19) == []
    assert host.packets() == []
    assert host.refuse(second.msg_id, 19) == []
    assert len(host.packets()) == 1


@pytest.mark.parametrize("code", [17, 18, 19, 48, 64])
def test_repairs_end(code: int) -> None:
    host = Host()
    call = host.call()
    for _ in range(MAX_REPAIRS):
        (packet,) = host.packets()
        assert host.refuse(packet.msg_id, code) == []
    (packet,) = host.packets()
    (failed,) = host.refuse(packet.msg_id, code)
    assert isinstance(failed, ev.CallFailed)
    assert failed.call_id == call
    assert isinstance(failed.error, RemoteProtocolError)
    assert f"code {code}" in str(failed.error)
    assert host.client.unanswered == 0
    assert host.packets() == []


def test_repairs_of_a_drop_end() -> None:
    host = Host()
    call = host.call()
    host.read()
    host.client.drop(call, now=host.now)
    for _ in range(MAX_REPAIRS):
        (packet,) = host.packets()
        assert host.refuse(packet.msg_id, 48) == []
    (packet,) = host.packets()
    assert host.refuse(packet.msg_id, 48) == [ev.CallDropped(call)]


@pytest.mark.parametrize("code", [32, 33])
def test_new_session_when_numbers_are_wrong(code: int) -> None:
    """32, 33: what else was sent may have been executed, what was refused was not."""
    host = Host()
    sent = host.call(1)
    host.read()
    refused = host.call(2)
    (packet,) = host.packets()
    waiting = host.call(3)
    dropped = host.call(4)
    host.read()
    host.client.drop(dropped, now=host.now)
    host.read()
    unsent = host.call(5)
    old = host.client.session_id
    update = host.packet(UPDATE, seq_no=1)
    events = host.refuse(packet.msg_id, code)
    assert host.client.session_id != old
    failed = [event for event in events if isinstance(event, ev.CallFailed)]
    assert [event.call_id for event in failed] == [sent, waiting]
    assert all("may have been executed" in str(event.error) for event in failed)
    assert ev.CallDropped(dropped) in events
    (again,) = host.packets()
    assert again.session_id == host.client.session_id
    parts = flat([again])
    assert [part.body for part in parts] == [call_body(2), call_body(5)]
    assert [part.seq_no for part in parts] == [1, 3]
    # What the server still sends in the old session is of no interest, and no offence.
    assert host.client.receive(update, now=host.now) == []
    assert host.answer(parts[0].msg_id) == [ev.Result(refused, b"done")]
    assert host.answer(parts[1].msg_id) == [ev.Result(unsent, b"done")]


def test_sessions_cannot_be_given_up_for_ever() -> None:
    host = Host()
    call = host.call()
    failed: list[ev.Event] = []
    while not failed:
        (packet,) = host.packets()
        failed = host.refuse(packet.msg_id, 32)
    assert isinstance(failed[0], ev.CallFailed)
    assert failed[0].call_id == call
    assert len(host.client._former) == 4


def test_acks_in_a_refused_packet_are_repeated() -> None:
    host = Host()
    update = host.next_id()
    host.say(UPDATE, msg_id=update, seq_no=1)
    host.call()
    host.call()
    (packet,) = host.packets()
    bodies = [part.body for part in flat([packet])]
    assert encode(mtproto.MsgsAck(msg_ids=[update])) in bodies
    host.refuse(packet.msg_id, 48)
    (again,) = host.packets()
    assert encode(mtproto.MsgsAck(msg_ids=[update])) in [p.body for p in flat([again])]


def test_salt_of_a_refusal_is_used() -> None:
    """48, A6.4."""
    host = Host(salt=0)
    call = host.call()
    (packet,) = host.packets()
    assert packet.salt == 0
    bad = mtproto.BadServerSalt(
        bad_msg_id=packet.msg_id, bad_msg_seqno=1, error_code=48, new_server_salt=-9
    )
    assert host.say(bad) == [ev.SaltChanged(-9)]
    (again,) = host.packets()
    assert again.salt == host.client.salt == -9
    assert host.say(bad) == []
    assert host.answer(packet.msg_id) == [ev.Result(call, b"done")]


# ── both together ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("skew", [0, 29, 31, -299, -301, 86400, -86400, 10**8, -(10**8)])
def test_wrong_clocks_are_put_right(skew: float) -> None:
    """16, 17, A5.6."""
    pair = Pair.make(skew=skew)
    calls = [pair.call(call_body(n)) for n in range(3)]
    assert set(results(pair.run())) == set(calls)
    if not -300 <= skew <= 30:
        assert pair.client.time_offset == pytest.approx(-skew, abs=1)
    calls = [pair.call(call_body(n)) for n in range(3, 6)]
    assert set(results(pair.run())) == set(calls)
    assert [request.body for request in pair.requests] == [call_body(n) for n in range(6)]


def test_salt_of_a_restored_session() -> None:
    """48, A6.2."""
    pair = Pair.make(salt=0)
    call = pair.call()
    events = pair.run()
    assert results(events) == {call: b"echo" + CALL}
    assert ev.SaltChanged(pair.client.salt) in events
    assert pair.client.salt == pair.server._salts.current(START)
    assert len(pair.requests) == 1


def test_salts_change_in_time() -> None:
    """A6.3: nothing is ever refused for its salt by a server whose salts are known."""
    pair = Pair.make()
    pair.run()
    for _ in range(60):
        pair.wait(1000)
        call = pair.call()
        assert set(results(pair.run())) == {call}
    changes = [event for event in pair.at_client if isinstance(event, ev.SaltChanged)]
    assert len(changes) > 30


def test_strict_server() -> None:
    """32, 33: a client that loses nothing never hears of them."""
    pair = Pair.make(strict_seqno=True)
    calls = [pair.call(call_body(n)) for n in range(30)]
    pair.client.drop(calls[5], now=pair.now)
    pair.reconnect()
    assert len(results(pair.run())) == 29
    pair.reconnect()
    call = pair.call()
    assert results(pair.run()) == {call: b"echo" + CALL}


def test_window_of_the_server_is_no_obstacle() -> None:
    """20: an unanswered call is older than everything the server remembers, and yet not lost."""
    pair = Pair.make()
    pair.call(call_body(0))
    pair.run()
    lost = pair.call(call_body(1))
    pair.client.packets(now=pair.now)
    for n in range(1100):
        pair.client.call(pack("<Iq", 0x7ABE77EC, n), now=pair.now, content_related=False)
    pair.run()
    pair.reconnect()
    assert results(pair.run()) == {lost: b"echo" + call_body(1)}
    assert [request.body for request in pair.requests] == [call_body(0), call_body(1)]


def test_refused_while_the_clock_is_set() -> None:
    """What was sent too early and comes late is not executed beside what replaced it."""
    pair = Pair.make(skew=45.0)
    call = pair.call(call_body(1))
    early = pair.client.packets(now=pair.now + 45)
    pair.to_server(early[0])
    pair.client.connection_made(now=pair.now + 45)
    again = pair.client.packets(now=pair.now + 45)
    assert results(pair.run()) == {call: b"echo" + call_body(1)}
    pair.now += 20
    for packet in early + again:
        pair.to_server(packet)
    pair.run()
    assert [request.body for request in pair.requests] == [call_body(1)]


def test_late_refusal_does_not_turn_the_clock() -> None:
    """16, 17: the first may come when the clock has long been put right."""
    host = Host()
    first = host.call()
    (packet,) = host.packets()
    late = host.packet(
        mtproto.BadMsgNotification(bad_msg_id=packet.msg_id, bad_msg_seqno=1, error_code=16)
    )
    host.now += 250
    assert host.client.receive(late, now=host.now) == []
    assert host.client.time_offset == 0
    assert host.client.unanswered == first == 1


def test_what_is_unsent_gets_ids_of_the_new_time() -> None:
    """A call that waits in the queue while the clock is set is never sent under the wrong id."""
    host = Host()
    host.client.time_offset = 45.0
    host.call(1)
    (packet,) = host.packets()
    waiting = host.call(2)
    question = encode(mtproto.MsgsStateReq(msg_ids=[5]))
    body = encode(refusal(packet.msg_id, 1, 17))
    parts = [Part(host.next_id(), 0, question), Part(host.next_id(), 0, body)]
    (changed,) = host.say(join(parts))
    assert isinstance(changed, ev.TimeChanged)
    assert host.client.time_offset == pytest.approx(0, abs=1e-3)
    assert host.client.msg_id_of(waiting) <= at(1)
    # The answer to the question had an id of the wrong time too; the server can ask again.
    assert [part.body for part in host.read()] == [call_body(2), call_body(1)]


def test_what_was_sent_too_early_goes_alone() -> None:
    """No container can hold it: its id is newer than any that is given out now."""
    host = Host()
    host.client.time_offset = 1000.0
    host.call(1)
    (early,) = host.packets()
    host.client.connection_made(now=host.now)
    host.say(UPDATE)
    host.call(2)
    host.call(3)
    alone, others = host.packets()
    assert (alone.msg_id, alone.body) == (early.msg_id, early.body)
    assert [part.body for part in flat([others])] == [call_body(2), call_body(3)]
    assert others.msg_id < alone.msg_id
    host.client.connection_made(now=host.now)
    host.answer(others.msg_id - 1024)
    host.answer(others.msg_id - 2048)
    (alone,) = host.packets()
    assert alone.msg_id == early.msg_id
    host.refuse(alone.msg_id, 17)
    (again,) = host.packets()
    assert again.body == early.body
    assert again.msg_id <= at(1)


def test_several_that_were_sent_too_early() -> None:
    host = Host()
    host.client.time_offset = 1000.0
    host.call(1)
    host.call(2)
    (early,) = host.packets()
    host.client.connection_made(now=host.now)
    host.say(UPDATE)
    packets = host.packets()
    assert [part.body for part in packets] == [call_body(1), call_body(2)]
    assert [Part(p.msg_id, p.seq_no, p.body) for p in packets] == flat([early])
