"""How long an answer is waited for: the arithmetic of RFC 6298, and how the engine uses it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from math import inf
from random import Random

import pytest

from radiogram.mtproto import events as ev
from radiogram.mtproto import rtt
from radiogram.mtproto.rtt import RoundTrip
from radiogram.mtproto.session import MSGS_STATE_REQ
from radiogram.tl import mtproto

from .pair import START, Host, Pair, call_body, decode, flat, opened, results


def test_the_arithmetic() -> None:
    """RFC 6298, 2.2 and 2.3: R, R/2; then 3/4 and 1/4 of the deviation, 7/8 and 1/8 of the mean."""
    trip = RoundTrip()
    assert trip.timeout == rtt.FIRST
    trip.measured(2.0)
    assert trip.timeout == 2.0 + 4 * 1.0
    trip.measured(1.0)  # stray 3/4 * 1 + 1/4 * 1, mean 7/8 * 2 + 1/8 * 1
    assert trip.timeout == pytest.approx(1.875 + 4 * 1.0)
    trip.measured(1.875)
    assert trip.timeout == pytest.approx(1.875 + 4 * 0.75)


def test_the_bounds() -> None:
    trip = RoundTrip()
    trip.measured(0.001)
    assert trip.timeout == rtt.SHORTEST
    trip.measured(-3600.0)
    assert trip.timeout == rtt.SHORTEST
    for _ in range(20):
        trip.measured(50.0)
    assert trip.timeout == rtt.LONGEST


def test_what_is_measured() -> None:
    """An answered call, a pong, a state; not a call that was asked about (Karn's rule)."""
    host = Host()
    trip = host.client._round_trip
    number = host.call()
    (call,) = host.read()
    host.now += 0.4
    assert host.answer(call.msg_id) == [ev.Result(number, b"done")]
    assert trip.timeout == pytest.approx(0.4 + 4 * 0.2)

    host.call()
    (call,) = host.read()
    host.now += trip.timeout + 0.001
    host.client.handle_deadline(now=host.now)
    (question,) = host.read()
    assert decode(question.body) == mtproto.MsgsStateReq(msg_ids=[call.msg_id])
    host.now += 0.4
    before = trip.timeout
    host.say(mtproto.MsgsStateInfo(req_msg_id=question.msg_id, info=b"\x04"))
    after = trip.timeout
    assert after < before, "a steady round trip is trusted more"
    host.now += 30
    host.answer(call.msg_id)
    assert trip.timeout == after, "a call that only took long says nothing about the network"

    host.now = START + 60
    host.client.handle_deadline(now=host.now)
    ping = next(p for p in host.read() if isinstance(decode(p.body), mtproto.PingDelayDisconnect))
    host.now += 8
    host.say(mtproto.Pong(msg_id=ping.msg_id, ping_id=1))
    assert trip.timeout > 5


def test_a_new_connection_is_measured_anew() -> None:
    host = Host()
    host.client._round_trip.measured(9.0)
    host.call()
    host.client.connection_lost(now=host.now)
    host.client.connection_made(now=host.now)
    host.read()
    assert host.client.next_deadline() == host.now + rtt.FIRST


class Network:
    """A pair over a living connection: packets take their time, and some are lost."""

    def __init__(self, *, delay: float = 0.05) -> None:
        self.delay = delay
        self.is_lost: Callable[[], object] = lambda: False
        self.pair = Pair.make()
        self.travelling: list[tuple[float, int, bool, bytes]] = []
        self.questions = 0
        self._sent = 0

    def send(self) -> None:
        pair = self.pair
        there, back = pair.client.packets(now=pair.now), pair.server.packets(now=pair.now)
        for part in flat(opened(there, from_client=True)):
            self.questions += part.body[:4] == MSGS_STATE_REQ.to_bytes(4, "little")
        for is_call, packets in ((True, there), (False, back)):
            for packet in packets:
                self._sent += 1
                if not self.is_lost():
                    arrival = pair.now + self.delay
                    heapq.heappush(self.travelling, (arrival, self._sent, is_call, packet))

    def call(self, number: int, *, limit: float) -> float:
        """Make a call; give the seconds until it is answered."""
        pair = self.pair
        began = pair.now
        pair.call(call_body(number))
        while pair.client.unanswered:
            self.send()
            due = [d for d in (pair.client.next_deadline(), pair.server.next_deadline()) if d]
            arrival = self.travelling[0][0] if self.travelling else inf
            if arrival <= min(due):
                pair.now, _, is_call, packet = heapq.heappop(self.travelling)
                (pair.to_server if is_call else pair.to_client)(packet)
            else:
                pair.now = min(due)
                pair.at_client += pair.client.handle_deadline(now=pair.now)
                pair.server.handle_deadline(now=pair.now)
            assert pair.now - began < limit
        return pair.now - began


@pytest.mark.parametrize("lost", [0, 1])
def test_a_call_or_its_answer_is_lost(lost: int) -> None:
    """E20, A8.4: it is repaired within a second, and executed once."""
    network = Network()
    network.call(0, limit=0.2)
    losses = iter([n == lost for n in range(100)])
    network.is_lost = lambda: next(losses)
    assert network.call(1, limit=1) > 0.5
    assert network.questions == 1
    assert [request.body for request in network.pair.requests] == [call_body(0), call_body(1)]
    assert len(results(network.pair.at_client)) == 2


@pytest.mark.parametrize("seed", range(20))
def test_a_network_that_goes_on_losing(seed: int) -> None:
    """A tenth of all packets, questions and their answers among them."""
    random = Random(seed)
    network = Network()
    network.is_lost = lambda: random.random() < 0.1
    seconds = sorted(network.call(number, limit=16) for number in range(40))
    assert seconds[35] < 2
    assert [request.body for request in network.pair.requests] == [call_body(n) for n in range(40)]
    assert ev.ConnectionDead() not in network.pair.at_client


def test_a_slow_network_is_asked_only_before_it_is_known() -> None:
    network = Network(delay=1.5)
    for number in range(10):
        assert network.call(number, limit=4) == pytest.approx(3.0)
    assert network.questions <= 2
    assert len(network.pair.requests) == 10
