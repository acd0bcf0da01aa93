"""Faults of connections, packets, sessions and key exchanges, as they look on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from struct import unpack_from
from typing import Any

import pytest

from radiogram.crypto.keys import unseal
from radiogram.errors import SecurityError
from radiogram.mtproto.message import open_envelope, open_plain, pack_plain, time_of
from radiogram.server import Server
from radiogram.server.faults import FaultError, Faults
from radiogram.server.faults.looking import methods_in
from radiogram.tl import api, mtproto
from radiogram.wire.base import ErrorCode, Packet

from .raw import PATIENCE, RawClient, dial, exchange_keys, service
from .wiretap import Message, messages_of, nearest_dc, next_envelope, next_packet, until

PHONE = "9996620001"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        server.world.add_user(PHONE, "Ada")
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[RawClient]:
    client = await RawClient.start(server)
    await client.call(api.help.GetNearestDc())  # the session is known
    yield client
    await client.close()


async def ping(client: RawClient, number: int = 7) -> int:
    """Send a ping, which is answered without a queue; return its msg_id."""
    call_id = client.send(service(mtproto.Ping(ping_id=number)))
    return client.session.msg_id_of(call_id)


class Stream(asyncio.Protocol):
    """A socket whose bytes are kept as they come."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.error: Exception | None = None
        self.over = asyncio.Event()
        self.arrived = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self.arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = exc
        self.over.set()
        self.arrived.set()


async def stream_to(server: Server) -> tuple[asyncio.Transport, Stream]:
    loop = asyncio.get_running_loop()
    return await loop.create_connection(Stream, server.host, server.port)


def req_pq(number: int = 1) -> bytes:
    """A first step of a key exchange, as an abridged packet."""
    body = service(mtproto.ReqPqMulti(nonce=number.to_bytes(16, "little")))
    packet = pack_plain(4, body)
    return bytes([len(packet) // 4]) + packet


# ------------------------------------------------------------------ E16


@pytest.mark.parametrize("code", [-404, -429, -444, -403])
async def test_e16_transport_errors(server: Server, client: RawClient, code: int) -> None:
    """E16, A2.1: a payload of four bytes, and then the end."""
    server.faults.transport_error(code)
    await ping(client)
    frame = await client.line.next()
    assert frame == ErrorCode(code)
    assert await client.line.next() is None


async def test_e16_a_transport_error_without_the_end(server: Server, client: RawClient) -> None:
    server.faults.transport_error(-429, "help.getConfig", close=False)
    await ping(client)
    assert isinstance((await until(client, mtproto.Pong))[0], mtproto.Pong)
    client.send(client.encode(api.help.GetConfig()))
    assert await client.line.next() == ErrorCode(-429)
    await ping(client, 8)
    pong, _ = await until(client, mtproto.Pong)
    assert pong.ping_id == 8


# ------------------------------------------------------------------ E17


@pytest.mark.parametrize("reset", [False, True])
async def test_e17_the_end_is_orderly_or_not(server: Server, reset: bool) -> None:
    """E17: FIN or RST."""
    transport, stream = await stream_to(server)
    transport.write(b"\xef" + req_pq())
    await asyncio.wait_for(stream.arrived.wait(), PATIENCE)
    server.faults.drop_connections(reset=reset)
    await asyncio.wait_for(stream.over.wait(), PATIENCE)
    assert isinstance(stream.error, ConnectionResetError) is reset
    assert server.faults.count("drop", "1 connections") == 1


async def test_e17_before_reading_and_by_account(server: Server, client: RawClient) -> None:
    me = await client.log_in(PHONE)
    other = await client.another_session()
    server.faults.drop_after_packets(1, user_id=me.id)
    await ping(client)
    await until(client, mtproto.Pong)
    await ping(client)
    assert await client.line.next() is None
    server.faults.drop_connections(user_id=me.id + 1)
    await ping(other)
    await until(other, mtproto.Pong)
    server.faults.drop_connections(user_id=me.id)
    assert await other.line.next() is None


@pytest.mark.parametrize("size", [0, 1, 40])
async def test_e17_in_the_middle_of_a_frame(server: Server, size: int) -> None:
    """E17: after N bytes; resPQ has more than 40."""
    server.faults.cut_connection(size)
    transport, stream = await stream_to(server)
    transport.write(b"\xef" + req_pq())
    await asyncio.wait_for(stream.over.wait(), PATIENCE)
    assert len(b"".join(stream.pieces)) == size


async def test_e17_bytes_are_counted_from_the_next_packet_of_an_account(
    server: Server, client: RawClient
) -> None:
    me = await client.log_in(PHONE)
    server.faults.cut_connection(5, user_id=me.id)
    await ping(client)
    assert await client.line.next() is None
    assert server.faults.count("cut") == 1


# ------------------------------------------------------------------ E18


async def test_e18_refused(server: Server) -> None:
    """E18: the connection is reset before anything was said."""
    server.faults.refuse_connections()
    _, stream = await stream_to(server)
    await asyncio.wait_for(stream.over.wait(), PATIENCE)
    assert stream.pieces == []
    assert isinstance(stream.error, ConnectionResetError)
    client = await RawClient.start(server)
    await client.close()


async def test_e18_stalled(server: Server, client: RawClient) -> None:
    """E18: accepted, and never an answer; others are served meanwhile."""
    server.faults.stall_connections()
    transport, stream = await stream_to(server)
    transport.write(b"\xef" + req_pq())
    for number in range(3):
        await ping(client, number)
        await until(client, mtproto.Pong)
    assert stream.pieces == []
    assert not stream.over.is_set()
    transport.abort()


async def test_e18_answers_wait_until_they_are_released(server: Server, client: RawClient) -> None:
    """E18, E20: and later ones overtake them."""
    server.faults.hold_answers("help.getNearestDc")
    first = nearest_dc(client)
    second = nearest_dc(client)
    answered: list[int] = []

    async def answers(count: int) -> None:
        while len(answered) < count:
            answered.extend(
                one.answers for one in messages_of(await next_envelope(client)) if one.answers
            )

    await answers(1)
    server.faults.release_answers()
    await answers(2)
    assert answered == [second, first]


# ------------------------------------------------------------------ E19


async def test_e19_one_byte_at_a_time(server: Server) -> None:
    """E19: every piece is one byte."""
    server.faults.fragment(1, seconds=0.0005)
    transport, stream = await stream_to(server)
    transport.write(b"\xef" + req_pq())
    data = b""
    while not data or len(data) < 1 + 4 * data[0]:
        await asyncio.wait_for(stream.arrived.wait(), PATIENCE)
        stream.arrived.clear()
        data = b"".join(stream.pieces)
    assert len(stream.pieces) > 20  # several may be read at once on a busy machine
    answer = mtproto.REGISTRY.decode(open_plain(data[1:])[1])
    assert isinstance(answer, mtproto.ResPQ)
    transport.abort()


async def test_e19_a_whole_session_in_pieces(server: Server) -> None:
    server.faults.fragment(3)
    client = await RawClient.start(server)
    await client.log_in(PHONE)
    server.faults.drop_connections()  # what was not written is lost
    assert server.faults.count("fragment", "3") == 1
    await client.close()


async def test_e19_what_is_left_goes_out_before_the_end(server: Server, client: RawClient) -> None:
    me = await client.log_in(PHONE)
    server.faults.fragment(1, seconds=60, user_id=me.id)
    server.faults.transport_error(-404, after=1)
    await ping(client)
    await until_count(server, "fragment")
    await ping(client)
    pong, _ = await until(client, mtproto.Pong)
    assert pong.ping_id == 7
    assert await client.line.next() == ErrorCode(-404)


async def test_e19_frames_come_together(server: Server) -> None:
    """E19: the answers to two packets in one piece."""
    server.faults.coalesce(2)
    transport, stream = await stream_to(server)
    transport.write(b"\xef" + req_pq(1))
    await until_count(server, "coalesce")
    transport.write(req_pq(2))
    await asyncio.wait_for(stream.arrived.wait(), PATIENCE)
    (piece,) = stream.pieces
    assert len(piece) == 2 * (1 + piece[0] * 4)
    transport.write(req_pq(3))  # nothing follows: it comes late
    stream.arrived.clear()
    await asyncio.wait_for(stream.arrived.wait(), PATIENCE)
    assert len(stream.pieces) == 2
    transport.abort()


async def until_count(server: Server, kind: str, count: int = 1) -> None:
    async with asyncio.timeout(PATIENCE):
        while server.faults.count(kind) < count:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


# ------------------------------------------------------------------ E20


async def test_e20_an_answer_comes_twice(server: Server, client: RawClient) -> None:
    """E20: the same msg_id in two packets."""
    server.faults.repeat_answer("help.getNearestDc")
    msg_id = nearest_dc(client)
    found: list[Message] = []
    packets = 0
    while len(found) < 2:
        packets += 1
        for one in messages_of(await next_envelope(client)):
            if one.answers == msg_id:
                found.append(one)
    assert found[0] == found[1]
    assert packets >= 2


async def test_e20_a_lost_answer_is_kept(server: Server, client: RawClient) -> None:
    server.faults.lose_answer("help.getNearestDc")
    msg_id = nearest_dc(client)
    await until_count(server, "lose")
    client.send(service(mtproto.MsgResendReq(msg_ids=[msg_id])))
    while True:
        if any(one.answers == msg_id for one in messages_of(await next_envelope(client))):
            break


async def test_e20_an_acknowledgement_is_lost(server: Server, client: RawClient) -> None:
    """E20, A8.1: what takes long is acknowledged after a second, unless that gets lost."""
    server.faults.hold_answers("help.getNearestDc", times=None)
    server.world.clock.freeze()
    first = nearest_dc(client)
    await until_count(server, "hold")
    server.world.clock.advance(2)
    ack, _ = await until(client, mtproto.MsgsAck)
    assert first in ack.msg_ids
    server.faults.lose_acks()
    second = nearest_dc(client)
    await until_count(server, "hold", 2)
    server.world.clock.advance(2)
    await until_count(server, "ack")
    third = nearest_dc(client)
    await until_count(server, "hold", 3)
    server.world.clock.advance(2)
    ack, _ = await until(client, mtproto.MsgsAck)
    assert third in ack.msg_ids
    assert second not in ack.msg_ids


# ------------------------------------------------------------------ E21 to E24


async def test_e21_a_storm_of_bad_salts(server: Server, client: RawClient) -> None:
    """E21, A5 48: bad_server_salt names the message, and brings another salt each time."""
    server.faults.bad_salts(times=3)
    seen = set()
    for _ in range(3):
        msg_id = await ping(client)
        answer, others = await until(client, mtproto.BadServerSalt)
        assert (answer.bad_msg_id, answer.error_code) == (msg_id, 48)
        assert not any(isinstance(one.value, mtproto.Pong) for one in others)
        seen.add(answer.new_server_salt)
        client.session.salt = answer.new_server_salt
    assert len(seen) == 3
    await ping(client)
    await until(client, mtproto.Pong)


async def test_e21_salts_are_rotated_for_everybody(server: Server, client: RawClient) -> None:
    old = client.session.salt
    server.faults.rotate_salts()
    await ping(client)
    answer, _ = await until(client, mtproto.BadServerSalt)
    assert answer.new_server_salt != old
    other = await RawClient.start(server)  # a key that is made later has a good first salt
    server.world.clock.advance(1)
    await other.call(api.help.GetNearestDc())
    await other.close()


@pytest.mark.parametrize(("seconds", "code"), [(400, 16), (-100, 17)])
async def test_e22_the_clock_is_wrong(
    server: Server, client: RawClient, seconds: int, code: int
) -> None:
    """E22, A5 16 and 17: too old or too new; the id of the answer tells the server's time.

    The ids of a session never fall (A4.5): of a clock that was set back tells only a new one.
    """
    before = server.world.clock.now()
    client_now = before
    server.faults.skew_clock(seconds)
    server.faults.forget_sessions()
    call_id = client.session.call(service(mtproto.Ping(ping_id=1)), now=client_now)
    for packet in client.session.packets(now=client_now):
        client.line.conn.send(packet)
    answer, seen = await until(client, mtproto.BadMsgNotification)
    assert (answer.bad_msg_id, answer.error_code) == (client.session.msg_id_of(call_id), code)
    assert abs(time_of(seen[-1].msg_id) - (before + seconds)) < 5
    assert server.faults.count("clock", f"{seconds:+}") == 1


@pytest.mark.parametrize("code", [16, 17, 18, 19, 20, 32, 33, 34, 35, 64])
async def test_e23_refusals(server: Server, client: RawClient, code: int) -> None:
    """E23, A5: bad_msg_notification with the message's id and seq_no; it is not executed."""
    server.faults.bad_msg(code, "help.getNearestDc", after=1)
    nearest_dc(client)
    msg_id = nearest_dc(client)
    answer, seen = await until(client, mtproto.BadMsgNotification)
    assert (answer.bad_msg_id, answer.error_code) == (msg_id, code)
    assert answer.bad_msg_seqno % 2 == 1
    assert seen[-1].msg_id % 4 == 1
    assert seen[-1].seq_no % 2 == 0  # A5.1
    assert not any(one.answers == msg_id for one in seen)


async def test_e23_number_48_is_a_bad_salt(server: Server, client: RawClient) -> None:
    server.faults.bad_msg(48)
    await ping(client)
    answer, _ = await until(client, mtproto.BadServerSalt)
    assert answer.error_code == 48


async def test_e24_one_session_is_forgotten(server: Server, client: RawClient) -> None:
    """E24, A7.1: the next message starts the session again, on the same connection."""
    server.faults.forget_session("help.*")
    msg_id = nearest_dc(client)
    created, seen = await until(client, mtproto.NewSessionCreated)
    assert created.first_msg_id == msg_id
    while not any(one.answers == msg_id for one in seen):
        seen += messages_of(await next_envelope(client))


async def test_e24_all_sessions_of_an_account(server: Server, client: RawClient) -> None:
    me = await client.log_in(PHONE)
    server.faults.forget_sessions(me.id + 1)
    server.faults.forget_sessions(me.id)
    assert [one.detail for one in server.faults.injected] == ["0 sessions", "1 sessions"]
    nearest_dc(client)
    await until(client, mtproto.NewSessionCreated)


async def test_e24_everything_is_forgotten(server: Server, client: RawClient) -> None:
    """E24: connections end, sessions start anew, and a key exchange has to begin again."""
    line = await dial(server)
    line.conn.send(pack_plain(4, service(mtproto.ReqPqMulti(nonce=bytes(16)))))
    frame = await line.next()
    assert isinstance(frame, Packet)
    server.faults.forget_everything()
    assert await line.next() is None
    assert await client.line.next() is None
    await client.reconnect()
    nearest_dc(client)
    await until(client, mtproto.NewSessionCreated)


# ------------------------------------------------------------------ E28


async def steps(server: Server) -> None:
    line = await dial(server)
    try:
        await exchange_keys(server, line)
    finally:
        await line.close()


@pytest.mark.parametrize(
    ("spoiling", "sentence"),
    [
        ("unknown_fingerprint", "none of the public keys"),
        ("wrong_nonce", "nonces differ"),
        ("wrong_inner_nonce", "nonces differ"),
        ("bad_prime", "prime"),
        ("bad_g_a", "public"),
        ("bad_hash", "."),
        ("fail", "."),
        ("wrong_new_nonce_hash", "prove"),
    ],
)
async def test_e28_a_client_aborts(server: Server, spoiling: str, sentence: str) -> None:
    """E28, A3: what is wrong is wrong in that respect only, and the next run is good."""
    server.faults.spoil_exchange(spoiling)
    with pytest.raises(SecurityError, match=sentence):
        await steps(server)
    assert server.faults.count("exchange", spoiling) == 1
    await steps(server)


async def test_e28_a_client_is_asked_to_try_again(server: Server) -> None:
    """E28, A3.13: dh_gen_retry, and then another key."""
    server.faults.spoil_exchange("retry", times=2)
    await steps(server)
    assert server.faults.count("exchange", "retry") == 2


async def test_e28_the_first_answer_on_the_wire(server: Server) -> None:
    server.faults.spoil_exchange("unknown_fingerprint")
    server.faults.spoil_exchange("wrong_nonce")
    line = await dial(server)
    answers = []
    for number in (1, 2):
        nonce = bytes([number]) * 16
        line.conn.send(pack_plain(4, service(mtproto.ReqPqMulti(nonce=nonce))))
        frame = await line.next()
        assert isinstance(frame, Packet)
        answer = mtproto.REGISTRY.decode(open_plain(frame.payload)[1])
        assert isinstance(answer, mtproto.ResPQ)
        answers.append((answer.nonce == nonce, answer.server_public_key_fingerprints))
    assert answers[0][0] is True
    assert answers[0][1] != [server.fingerprint]
    assert answers[1] == (False, [server.fingerprint])
    await line.close()


async def test_e28_answers_come_late(server: Server) -> None:
    server.world.clock.freeze()
    server.faults.delay_exchange(30)
    making = asyncio.create_task(steps(server))
    await until_count(server, "exchange")
    assert not making.done()
    server.world.clock.advance(30)
    await making


# ------------------------------------------------------------------ E29


Check = Callable[[RawClient, bytes, Any], None]


def bad_key(client: RawClient, packet: bytes, good: Any) -> None:
    with pytest.raises(SecurityError, match="message key"):
        unseal(client.key, packet, from_client=False)


def bad_session(client: RawClient, packet: bytes, good: Any) -> None:
    envelope = open_envelope(client.key, packet, from_client=False)
    assert envelope.session_id != client.session.session_id


def bad_parity(client: RawClient, packet: bytes, good: Any) -> None:
    assert open_envelope(client.key, packet, from_client=False).msg_id % 4 == 0


def off_by(seconds: int) -> Check:
    def check(client: RawClient, packet: bytes, good: Any) -> None:
        envelope = open_envelope(client.key, packet, from_client=False)
        assert round(time_of(envelope.msg_id) - time_of(good.msg_id)) == seconds

    return check


def bad_padding(client: RawClient, packet: bytes, good: Any) -> None:
    text = unseal(client.key, packet, from_client=False).plaintext
    padding = len(text) - 32 - unpack_from("<i", text, 28)[0]
    assert not 12 <= padding <= 1024
    assert padding >= 0


def bad_length(client: RawClient, packet: bytes, good: Any) -> None:
    text = unseal(client.key, packet, from_client=False).plaintext
    assert unpack_from("<i", text, 28)[0] > len(text) - 32


@pytest.mark.parametrize(
    ("spoiling", "check"),
    [
        ("msg_key", bad_key),
        ("session_id", bad_session),
        ("parity", bad_parity),
        ("too_old", off_by(-3600)),
        ("too_new", off_by(3600)),
        ("padding", bad_padding),
        ("length", bad_length),
    ],
)
@pytest.mark.parametrize("instead", [False, True])
async def test_e29_packets_that_no_client_may_accept(
    server: Server, client: RawClient, spoiling: str, check: Check, instead: bool
) -> None:
    """E29, A4: one thing is wrong; the good packet follows, or not."""
    server.faults.spoil_packets(spoiling, instead=instead)
    await ping(client, 1)
    spoilt = await next_packet(client)
    if instead:
        await ping(client, 2)
    good = await next_envelope(client)
    pong = messages_of(good)[-1].value
    assert isinstance(pong, mtproto.Pong)
    assert pong.ping_id == (2 if instead else 1)
    check(client, spoilt, good)
    assert server.faults.count("spoil", spoiling) == 1


async def test_e29_an_id_comes_again(server: Server, client: RawClient) -> None:
    server.faults.spoil_packets("repeated_id", times=2)
    ids = []
    for number in (1, 2):
        await ping(client, number)
        for _ in range(2):
            ids.append((await next_envelope(client)).msg_id)
    first_spoilt, first, second_spoilt, second = ids
    assert first_spoilt == first
    assert second_spoilt == first
    assert second > first


# ------------------------------------------------------------------ aims and mistakes


def test_calls_are_found_inside_wrappers_and_containers() -> None:
    from radiogram.mtproto.message import Part, compress, join
    from radiogram.tl.build import registry

    encode = registry(api.LAYER).encode
    query = encode(api.help.GetNearestDc())
    wrapped = encode(api.InvokeWithLayer(layer=api.LAYER, query=encode(
        api.InvokeWithoutUpdates(query=query)
    )))  # fmt: skip
    assert methods_in(wrapped) == {
        "invokeWithLayer",
        "invokeWithoutUpdates",
        "help.getNearestDc",
    }
    long = encode(
        api.messages.SendMessage(peer=api.InputPeerSelf(), message="x" * 900, random_id=1)
    )
    packed = compress(long)
    assert packed is not None
    container = join([Part(4, 1, query), Part(8, 3, packed)])
    assert methods_in(container) == {"help.getNearestDc", "messages.sendMessage"}
    for nonsense in (b"", b"\0\0\0\0", packed[:20], container[:30], wrapped[:6]):
        methods_in(nonsense)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda f: f.transport_error(404), "code: 404 is no transport error; give one below 0"),
        (lambda f: f.bad_msg(15), "code: 15 is not known to clients; choose from 16, 17"),
        (
            lambda f: f.spoil_packets("colour"),
            "spoiling: 'colour' is not known; choose from msg_key",
        ),
        (lambda f: f.spoil_exchange("x"), "spoiling: 'x' is not known; choose from unknown_finger"),
        (lambda f: f.fragment(0), "size: 0 bytes never arrive; give 1 or more"),
        (lambda f: f.coalesce(1), "packets: 1 is no gathering; give 2 or more"),
        (lambda f: f.cut_connection(-1), "size: -1 bytes cannot be sent; give 0 or more"),
    ],
)
def test_what_cannot_be_is_said(ask: Callable[[Faults], None], sentence: str) -> None:
    faults = Faults()
    with pytest.raises(FaultError) as caught:
        ask(faults)
    assert sentence in str(caught.value)
    assert faults.waiting == []
