"""Both halves of a session over a network that loses, repeats, delays and reorders packets.

Whatever happened in between: once packets get through again every call has been executed once and
answered once, and every push has been handed over once (A5.3, A8.1, A8.2).
"""

from __future__ import annotations

from collections import Counter
from struct import pack
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radiogram.mtproto import events as ev
from radiogram.mtproto.message import open_envelope

from .pair import KEY, START, UPDATE, Pair, call_body, new_client, new_server

MAX_RESULT = 40_000


class Network(Pair):
    """A pair whose packets wait until somebody says what becomes of them."""

    @classmethod
    def start(cls, *, skew: float = 0.0, **options: Any) -> Network:
        client = new_client(now=START + skew, **options)
        network = cls(client, new_server(client.session_id), skew=skew)
        network.there, network.back = [], []
        network.executed, network.running = Counter(), []
        network.wanted, network.pushed, network.dropped = {}, [], set()
        return network

    there: list[bytes]
    back: list[bytes]
    executed: Counter[bytes]
    running: list[ev.Request]
    wanted: dict[int, bytes]
    pushed: list[bytes]
    dropped: set[int]

    # ── what the two users do ────────────────────────────────────────────────────────────────────

    def call_many(self, count: int, *, content_related: bool = True) -> None:
        for _ in range(count):
            body = call_body(len(self.wanted))
            number = self.client.call(
                body, now=self.now + self.skew, content_related=content_related
            )
            self.wanted[number] = body
        self.collect()

    def drop(self, choice: int) -> None:
        waiting = [n for n in self.wanted if n not in self.dropped and n not in self.answers]
        if waiting:
            number = waiting[choice % len(waiting)]
            self.client.drop(number, now=self.now + self.skew)
            self.dropped.add(number)
            self.collect()

    def push(self) -> None:
        body = UPDATE + pack("<I", len(self.pushed))
        self.pushed.append(body)
        self.server.push(body, now=self.now)
        self.collect()

    def reply(self, choice: int) -> None:
        """Finish a request; every fourth answer is one that is not sent again unasked."""
        if self.running:
            request = self.running.pop(choice % len(self.running))
            number = int.from_bytes(request.body[4:8], "little")
            self.server.reply(request.msg_id, result_of(number), now=self.now)
            self.collect()

    # ── what the network does ────────────────────────────────────────────────────────────────────

    def collect(self) -> None:
        self.there += self.client.packets(now=self.now + self.skew)
        self.back += self.server.packets(now=self.now)

    def carry(self, there: bool, choice: int, *, keep: bool = False) -> None:
        packets = self.there if there else self.back
        if not packets:
            return
        index = choice % len(packets)
        packet = packets[index] if keep else packets.pop(index)
        if there:
            self.to_server(packet)
        else:
            before = len(self.at_client)
            self.to_client(packet)
            self.replace_dead(self.at_client[before:])
        self.collect()

    def to_server(self, packet: bytes) -> None:
        envelope = open_envelope(KEY, packet, from_client=True)
        for event in self.server.receive(envelope, now=self.now):
            if isinstance(event, ev.Request):
                self.executed[event.body] += 1
                self.running.append(event)
            elif isinstance(event, ev.RequestDropped):
                self.running = [r for r in self.running if r.msg_id != event.msg_id]

    def lose(self, there: bool, choice: int) -> None:
        packets = self.there if there else self.back
        if packets:
            del packets[choice % len(packets)]

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.ring()

    def ring(self) -> None:
        events = self.client.handle_deadline(now=self.now + self.skew)
        self.at_client += events
        self.server.handle_deadline(now=self.now)
        self.replace_dead(events)
        self.collect()

    def replace_dead(self, events: list[ev.Event]) -> None:
        """Do as the driver does: what was on its way to the client cannot arrive any more."""
        if ev.ConnectionDead() in events:
            self.back.clear()
            self.reconnect()

    def heal(self) -> None:
        """Connect anew, and let everything through until nothing is left to do."""
        self.reconnect()
        for _ in range(400):
            self.collect()
            if self.there or self.back or self.running:
                while self.there:
                    self.carry(True, 0)
                while self.back:
                    self.carry(False, 0)
                while self.running:
                    self.reply(0)
            elif self.settled:
                return
            else:
                self.pass_time(5.0)
        raise AssertionError("the two never come to rest")

    # ── what must have come of it ────────────────────────────────────────────────────────────────

    @property
    def settled(self) -> bool:
        return not (self.client._kept or self.server._kept or self.client._acks)

    @property
    def answers(self) -> Counter[int]:
        return Counter(
            event.call_id
            for event in self.at_client
            if isinstance(event, ev.Result | ev.ResultError | ev.CallFailed)
        )

    def check(self) -> None:
        failures = [e for e in self.at_client if isinstance(e, ev.CallFailed | ev.ResultError)]
        assert not failures
        for number, body in self.wanted.items():
            if number in self.dropped:
                assert self.executed[body] <= 1
                assert self.answers[number] == 0
            else:
                assert self.executed[body] == 1
                assert self.answers[number] == 1
        for event in self.at_client:
            if isinstance(event, ev.Result):
                number = int.from_bytes(self.wanted[event.call_id][4:8], "little")
                assert event.body == result_of(number)
        updates = [event.body for event in self.at_client if isinstance(event, ev.Update)]
        assert sorted(updates) == sorted(self.pushed)
        assert self.client.unanswered == 0


def result_of(number: int) -> bytes:
    body = b"done" + pack("<I", number)
    return body * (2500 if number % 4 == 3 else 1)


SKEWS = (0.0, 0.0, 45.0123, -45.0123, 4000.0321, -4000.0321)

numbers = st.integers(0, 40)
sides = st.booleans()
steps = st.one_of(
    st.tuples(st.just("call_many"), st.integers(1, 3)),
    st.tuples(st.just("drop"), numbers),
    st.tuples(st.just("push")),
    st.tuples(st.just("reply"), numbers),
    st.tuples(st.just("carry"), sides, numbers),
    st.tuples(st.just("carry"), sides, numbers),
    st.tuples(st.just("carry"), sides, numbers),
    st.tuples(st.just("repeat"), sides, numbers),
    st.tuples(st.just("lose"), sides, numbers),
    st.tuples(st.just("pass_time"), st.sampled_from((0.001, 0.5, 6.0, 16.0, 100.0, 1000.0))),
    st.tuples(st.just("reconnect")),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=60), st.sampled_from(SKEWS))
def test_calls_and_pushes_survive(steps: list[tuple[Any, ...]], skew: float) -> None:
    network = Network.start(skew=skew)
    for name, *arguments in steps:
        if name == "repeat":
            network.carry(*arguments, keep=True)
        else:
            getattr(network, name)(*arguments)
            network.collect()
    network.heal()
    network.check()
