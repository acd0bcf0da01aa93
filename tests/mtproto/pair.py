"""Both halves of a session in one process, with a clock that only moves when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from struct import pack
from typing import Any

from radiogram.crypto.keys import AuthKey, seal
from radiogram.mtproto import events as ev
from radiogram.mtproto.client import ClientSession
from radiogram.mtproto.message import MSG_CONTAINER, Envelope, Part, join, open_envelope, split
from radiogram.mtproto.salts import SaltBook
from radiogram.mtproto.server import ServerSession
from radiogram.tl import mtproto
from radiogram.tl.base import TLObject

START = 1_700_000_100.0
KEY = AuthKey(Random(1).randbytes(256))
CALL = bytes.fromhex("11223344")
"""Opens the bodies of calls in these tests: a constructor that MTProto does not have."""
UPDATE = bytes.fromhex("55667788")


def encode(value: TLObject) -> bytes:
    return mtproto.REGISTRY.encode(value)


def decode(body: bytes) -> Any:
    value = mtproto.REGISTRY.decode(body)
    assert isinstance(value, TLObject)
    return value


def call_body(number: int) -> bytes:
    return CALL + number.to_bytes(4, "little")


def at(seconds: float, remainder: int = 0) -> int:
    """Return the message id of a moment after START."""
    return (int((START + seconds) * 2**32) & ~3) | remainder


def new_book() -> SaltBook:
    return SaltBook(b"secret of the server", KEY.key_id)


def new_client(*, now: float = START, seed: int = 2, **options: Any) -> ClientSession:
    salt = options.pop("salt", new_book().current(START))
    client = ClientSession(KEY, salt=salt, random=Random(seed).randbytes, **options)
    client.connection_made(now=now)
    return client


def new_server(session_id: int, *, now: float = START, **options: Any) -> ServerSession:
    server = ServerSession(
        KEY,
        session_id,
        salts=new_book(),
        random=Random(3).randbytes,
        now=now,
        **options,
    )
    server.connection_made(now=now)
    return server


def opened(packets: Iterable[bytes], *, from_client: bool) -> list[Envelope]:
    return [open_envelope(KEY, packet, from_client=from_client) for packet in packets]


def flat(envelopes: Iterable[Envelope]) -> list[Part]:
    """Return the messages of some packets, taken out of their containers."""
    parts: list[Part] = []
    for envelope in envelopes:
        if int.from_bytes(envelope.body[:4], "little") == MSG_CONTAINER:
            parts += split(envelope.body)
        else:
            parts.append(Part(envelope.msg_id, envelope.seq_no, envelope.body))
    return parts


class Peer:
    """A server session under test, and a client whose every number the test chooses."""

    def __init__(self, **options: Any) -> None:
        self.now = START
        self.session_id = 4242
        self.book = new_book()
        self.server = new_server(self.session_id, **options)
        self.seconds = 0.0

    def send(
        self, body: bytes | TLObject, msg_id: int, seq_no: int, *, salt: int | None = None
    ) -> list[ev.Event]:
        if isinstance(body, TLObject):
            body = encode(body)
        salt = self.book.current(self.now) if salt is None else salt
        envelope = Envelope(salt, self.session_id, msg_id, seq_no, body)
        return self.server.receive(envelope, now=self.now)

    def send_parts(
        self, parts: list[Part], msg_id: int, seq_no: int = 0, **options: int
    ) -> list[ev.Event]:
        return self.send(join(parts), msg_id, seq_no, **options)

    def read(self) -> list[Part]:
        return flat(opened(self.server.packets(now=self.now), from_client=False))

    def answers(self) -> list[TLObject]:
        """Return what the server says in MTProto's own terms, without new_session_created."""
        return [
            value
            for value in (decode(part.body) for part in self.read())
            if not isinstance(value, mtproto.NewSessionCreated)
        ]


class Host:
    """A client session under test, and a server whose every number the test chooses."""

    def __init__(self, **options: Any) -> None:
        self.now = START
        self.client = new_client(**options)
        self.last = 0

    def call(self, number: int = 1) -> int:
        return self.client.call(call_body(number), now=self.now)

    def read(self) -> list[Part]:
        return flat(self.packets())

    def packets(self) -> list[Envelope]:
        return opened(self.client.packets(now=self.now), from_client=True)

    def packet(
        self, body: bytes | TLObject, *, msg_id: int | None = None, seq_no: int = 0
    ) -> bytes:
        """Seal a message of the server's."""
        if isinstance(body, TLObject):
            body = encode(body)
        if msg_id is None:
            msg_id = self.next_id()
        head = pack("<qqqii", 0, self.client.session_id, msg_id, seq_no, len(body))
        return seal(KEY, head + body, from_client=False, random=Random(4).randbytes)

    def next_id(self) -> int:
        self.last = max(self.last + 4, int(self.now * 2**32) & ~3)
        return self.last | 1

    def say(self, body: bytes | TLObject, **options: int) -> list[ev.Event]:
        return self.client.receive(self.packet(body, **options), now=self.now)

    def refuse(self, bad_id: int, code: int, **options: int) -> list[ev.Event]:
        return self.say(
            mtproto.BadMsgNotification(bad_msg_id=bad_id, bad_msg_seqno=0, error_code=code),
            **options,
        )

    def answer(self, msg_id: int, result: bytes = b"done", **options: int) -> list[ev.Event]:
        options.setdefault("seq_no", 1)
        return self.say(pack("<Iq", 0xF35C6D01, msg_id) + result, **options)


def echo(body: bytes) -> bytes:
    return b"echo" + body


@dataclass
class Pair:
    """A client session and a server session with a perfect network between them."""

    client: ClientSession
    server: ServerSession
    now: float = START
    skew: float = 0.0
    """How much the client's clock is ahead."""
    handle: Callable[[bytes], bytes] = echo
    requests: list[ev.Request] = field(default_factory=list)
    at_client: list[ev.Event] = field(default_factory=list)
    at_server: list[ev.Event] = field(default_factory=list)

    @classmethod
    def make(cls, *, skew: float = 0.0, **options: Any) -> Pair:
        server_options = {
            name: options.pop(name)
            for name in ("strict_seqno", "gzip_threshold")
            if name in options
        }
        client = new_client(now=START + skew, **options)
        return cls(client, new_server(client.session_id, **server_options), skew=skew)

    def call(self, body: bytes = CALL) -> int:
        return self.client.call(body, now=self.now + self.skew)

    def to_server(self, packet: bytes) -> None:
        envelope = open_envelope(KEY, packet, from_client=True)
        if envelope.session_id != self.server.session_id:
            self.server = new_server(envelope.session_id, now=self.now)
        for event in self.server.receive(envelope, now=self.now):
            self.at_server.append(event)
            if isinstance(event, ev.Request):
                self.requests.append(event)
                self.server.reply(event.msg_id, self.handle(event.body), now=self.now)

    def to_client(self, packet: bytes) -> None:
        self.at_client += self.client.receive(packet, now=self.now + self.skew)

    def run(self) -> list[ev.Event]:
        """Carry packets until both are silent; return what the client was told meanwhile."""
        before = len(self.at_client)
        for _ in range(50):
            there = self.client.packets(now=self.now + self.skew)
            for packet in there:
                self.to_server(packet)
            back = self.server.packets(now=self.now)
            for packet in back:
                self.to_client(packet)
            if not there and not back:
                return self.at_client[before:]
        raise AssertionError("the two never come to rest")

    def wait(self, seconds: float) -> list[ev.Event]:
        """Let time pass, ringing every deadline on its way; return what the client was told."""
        before = len(self.at_client)
        end = self.now + seconds
        while True:
            self.run()
            theirs, ours = self.client.next_deadline(), self.server.next_deadline()
            due = min(
                end if theirs is None else theirs - self.skew,
                end if ours is None else ours,
            )
            if due >= end:
                self.now = end
                self.run()
                return self.at_client[before:]
            self.now = max(self.now, due)
            self.at_client += self.client.handle_deadline(now=self.now + self.skew)
            self.at_server += self.server.handle_deadline(now=self.now)
            self.run()
            self.now += 0.001

    def reconnect(self) -> None:
        self.client.connection_lost(now=self.now + self.skew)
        self.server.connection_lost(now=self.now)
        self.client.connection_made(now=self.now + self.skew)
        self.server.connection_made(now=self.now)


def results(events: Iterable[ev.Event]) -> dict[int, bytes]:
    """Return the results among some events; a call answered twice is an error."""
    found: dict[int, bytes] = {}
    for event in events:
        if isinstance(event, ev.Result):
            assert event.call_id not in found
            found[event.call_id] = event.body
    return found
