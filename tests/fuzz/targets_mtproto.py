"""Layer 2: the key exchange and the session, from both ends, also from behind the encryption.

An input for a handshake is one message: its first word says where in the exchange it comes and
whether it is what is encrypted inside. An input for a session is a script of blocks, each with a
head of four bytes - what it is, a number, the length of what follows - so that one input can be
many packets, with time and new connections between them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from copy import copy
from functools import cache
from random import Random
from struct import pack, unpack_from

from radiogram.crypto import dh
from radiogram.crypto.aes import ige_decrypt
from radiogram.crypto.keys import AuthKey, seal, tmp_aes
from radiogram.crypto.rsa import PrivateKey, PublicKey
from radiogram.errors import RemoteProtocolError, SecurityError
from radiogram.mtproto import events as ev
from radiogram.mtproto.client import ClientSession
from radiogram.mtproto.handshake import (
    REFUSED,
    WRONG_DC,
    ClientHandshake,
    ServerHandshakes,
    _hide,
    client_handshake,
)
from radiogram.mtproto.message import Part, join, open_envelope, open_plain, tl_bytes
from radiogram.mtproto.salts import SaltBook
from radiogram.mtproto.server import ServerSession
from radiogram.tl import mtproto
from radiogram.tl.base import TLObject

DOCUMENTED = (SecurityError, RemoteProtocolError)

START = 1_700_000_100.0
KEY = AuthKey(Random(1).randbytes(256))
SESSION = 4242
BOOK = SaltBook(b"secret", KEY.key_id)
SALT = BOOK.current(START)
CALL = bytes.fromhex("11223344aabbccdd")
encode = mtproto.REGISTRY.encode


# ── the key exchange ─────────────────────────────────────────────────────────────────────────────


@cache
def _rsa() -> PrivateKey:
    """Return a key that is the same in every process, so that inputs can be repeated."""
    p, q = (3 << 1022) + 1037, (3 << 1022) + 1697
    return PrivateKey(PublicKey(p * q, 65537), pow(65537, -1, (p - 1) * (q - 1)), p, q)


def _new_client() -> ClientHandshake:
    return client_handshake(keys=[_rsa().public], dc=2, random=Random(3).randbytes)


@cache
def _exchange() -> tuple[list[bytes], list[bytes], list[ServerHandshakes], bytes]:
    """Return requests, replies, the server before each request, and the secret new nonce."""
    server = ServerHandshakes(
        _rsa(), dc_id=2, random=Random(4).randbytes, is_taken=lambda key: key.data[0] < 8
    )
    client = _new_client()
    requests = [next(client)]
    replies: list[bytes] = []
    before: list[ServerHandshakes] = []
    while True:
        before.append(_copy(server))
        reply = server.handle(requests[-1], now=START).reply
        assert reply is not None
        replies.append(reply if replies else _easier(server, requests[0], reply))
        try:
            requests.append(client.send((replies[-1], START)))
        except StopIteration:
            break
    before.append(_copy(server))
    (inner,) = (
        value
        for value in map(_opened, _rsa().decrypt(_read(requests[1], "encrypted_data")))
        if value is not None
    )
    return requests, replies, before, inner.new_nonce


def _easier(server: ServerHandshakes, request: bytes, reply: bytes) -> bytes:
    """Let a client find the factors at once: that is most of what an input would cost."""
    (run,) = server._runs.values()
    run.p, run.q = 65537, 2**46 + 15
    question = mtproto.REGISTRY.decode(reply)
    question.pq = (run.p * run.q).to_bytes(8, "big")
    (digest,) = run.answers
    run.answers[digest] = encode(question)
    return run.answers[digest]


def _copy(server: ServerHandshakes) -> ServerHandshakes:
    twin = copy(server)
    twin._runs = {nonce: copy(run) for nonce, run in server._runs.items()}
    for run in twin._runs.values():
        run.answers = dict(run.answers)
    return twin


def _opened(data: bytes) -> mtproto.PQInnerDataDc | None:
    value, _ = mtproto.REGISTRY.decode_prefix(data)
    return value if isinstance(value, mtproto.PQInnerDataDc) else None


def _read(body: bytes, name: str) -> bytes:
    value: bytes = getattr(mtproto.REGISTRY.decode(body), name)
    return value


def _nonces() -> dict[str, bytes]:
    replies = _exchange()[1]
    return {name: _read(replies[0], name) for name in ("nonce", "server_nonce")}


def fuzz_handshake_server(data: bytes) -> None:
    """Ask a server at some point of an exchange; word 3: inside RSA, word 4: inside AES."""
    requests, _, before, new_nonce = _exchange()
    place, body = data[0] % 6 if data else 0, data[4:]
    if place == 4:
        place, request = 1, mtproto.REGISTRY.decode(requests[1])
        request.encrypted_data = _rsa().public.encrypt_pad(body[:144], Random(5).randbytes)
        body = encode(request)
    elif place == 5:
        hidden = _hide(body, new_nonce, _nonces()["server_nonce"], Random(5).randbytes)
        place, body = 2, encode(mtproto.SetClientDHParams(**_nonces(), encrypted_data=hidden))
    server = _copy(before[place])
    outcome = server.handle(body, now=START)
    assert (outcome.reply is None) != (outcome.error is None)
    assert outcome.error in (None, REFUSED, WRONG_DC)
    # The same again gets the same, or is refused: never a second key.
    again = server.handle(body, now=START)
    assert again.result is None
    assert outcome.error is not None or again.reply in (outcome.reply, None) or place == 0
    assert len(server._runs) <= 2
    if outcome.error is not None:
        raise SecurityError(str(outcome.error))


def seeds_handshake_server() -> list[bytes]:
    """Return every request in every state; those that cost an exponentiation are few."""
    requests, _, before, _ = _exchange()
    places = [(step, request) for step in range(len(before)) for request in requests]
    places += [(0, encode(mtproto.ReqPq(nonce=bytes(16)))), (0, requests[0])] * 12
    places += [(4, data[:144]) for data in _rsa().decrypt(_read(requests[1], "encrypted_data"))]
    places += [(5, _shown(_read(requests[2], "encrypted_data")))]
    return [pack("<I", place) + body for place, body in places]


def _shown(hidden: bytes) -> bytes:
    """Return what a half of the exchange hides, without hash and padding."""
    data = ige_decrypt(hidden, *tmp_aes(_exchange()[3], _nonces()["server_nonce"]))
    _, end = mtproto.REGISTRY.decode_prefix(data, 20)
    return data[20:end]


def fuzz_handshake_client(data: bytes) -> None:
    """Answer a client at some point of an exchange; word 3: inside AES."""
    _, replies, _, new_nonce = _exchange()
    place, body = data[0] % 4 if data else 0, data[4:]
    if place == 3:
        hidden = _hide(body, new_nonce, _nonces()["server_nonce"], Random(5).randbytes)
        place, body = 1, encode(mtproto.ServerDHParamsOk(**_nonces(), encrypted_answer=hidden))
    client = _new_client()
    next(client)
    for reply in replies[:place]:
        client.send((reply, START))
    try:
        request = client.send((body, START))
    except StopIteration:
        return
    assert len(request) < 1024


def seeds_handshake_client() -> list[bytes]:
    """Return replies of every kind; those that cost exponentiations are few."""
    replies = _exchange()[1]
    params = _shown(_read(replies[1], "encrypted_answer"))
    places = [(place, reply) for place, reply in enumerate(replies)]
    places += [(0, replies[0])] * 16 + [(3, params)]
    places += [(3, params.replace(dh.PRIME.to_bytes(256, "big"), bytes(252) + b"prim"))] * 8
    places += [(3, params[:-260] + bytes(256) + params[-4:])] * 8
    failure = mtproto.ServerDHParamsFail(**_nonces(), new_nonce_hash=bytes(16))
    places += [(1, encode(failure))] * 8
    return [pack("<I", place) + body for place, body in places]


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────

PACKET, PLAINTEXT, BODY, NAMED, TIME, CONNECTION, REPLY = range(7)
"""Kinds of blocks. NAMED is a body behind its msg_id, REPLY is said by the side under test."""
LARGEST_OUTPUT = 1 << 20
"""Bytes that an input can make a side send; no input is near that size."""


def _block(kind: int, number: int = 0, data: bytes = b"") -> bytes:
    return pack("<BBH", kind, number, len(data)) + data


def _blocks(script: bytes) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    while offset + 4 <= len(script):
        kind, number, length = unpack_from("<BBH", script, offset)
        yield kind % 7, number, script[offset + 4 : offset + 4 + length]
        offset += 4 + length


def _packet(kind: int, number: int, data: bytes, msg_id: int, *, from_client: bool) -> bytes:
    """Return the packet that a block stands for."""
    if kind == PACKET:
        return data
    if kind == PLAINTEXT:
        text = data
    else:
        if kind == NAMED and len(data) >= 8:
            (msg_id,), data = unpack_from("<q", data), data[8:]
        data = data[: len(data) & ~3]
        text = pack("<qqqii", SALT, SESSION, msg_id, number, len(data)) + data
    return seal(KEY, text, from_client=from_client, random=Random(6).randbytes)


def _id(number: int, remainder: int, now: float = START) -> int:
    return (int(now * 2**32) & ~3) + 4 * number | remainder


def fuzz_session_client(data: bytes) -> None:
    """Play a server that knows the key to a client with calls of every kind."""
    client = _client()
    client.packets(now=START)
    now, refused = START, None
    for count, (kind, number, block) in enumerate(_blocks(data)):
        if kind == TIME:
            now += number
            client.handle_deadline(now=now)
        elif kind == CONNECTION:
            client.connection_lost(now=now)
            client.connection_made(now=now)
        elif kind == REPLY:
            client.call(block[: len(block) & ~3], now=now)
        else:
            msg_id = _id(count, 1, now)
            packet = _packet(kind, number, block, msg_id, from_client=False)
            waiting = len(client._kept)
            try:
                events = client.receive(packet, now=now)
            except (SecurityError, RemoteProtocolError) as error:
                refused = refused or error
                client.connection_made(now=now)
                continue
            assert len(events) <= waiting + 4 + len(block) // 4
        assert sum(map(len, client.packets(now=now))) < LARGEST_OUTPUT
    client.connection_made(now=now)
    client.packets(now=now)
    assert client.unanswered <= len(_CALLS) + len(data) // 4
    assert len(client._seen.seq_nos) <= 1024
    assert len(client._future) <= 64
    if refused is not None:
        raise refused


_CALLS = (
    CALL,
    CALL * 2,
    encode(mtproto.Ping(ping_id=5)),
    encode(mtproto.DestroySession(session_id=5)),
    encode(mtproto.DestroyAuthKey()),
    CALL * 3,
)


def _client() -> ClientSession:
    """Return a client that waits for answers, one of them to a drop."""
    client = ClientSession(
        KEY, salt=SALT, random=Random(7).randbytes, session_id=SESSION, gzip_threshold=None
    )
    client.connection_made(now=START)
    for body in _CALLS:
        client.call(body, now=START)
    client.packets(now=START)
    client.drop(len(_CALLS), now=START)
    return client


def seeds_session_client() -> list[bytes]:
    client = _client()
    ids = [client.msg_id_of(call) for call in range(1, len(_CALLS))]
    (packet,) = client.packets(now=START)
    drop = open_envelope(KEY, packet, from_client=True).msg_id
    codes = (16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64)
    salts = [mtproto.FutureSalt(valid_since=n, valid_until=2**31 - 1, salt=n) for n in range(3)]
    error = mtproto.RpcError(error_code=420, error_message="FLOOD_WAIT_3")
    bodies = [
        _result(ids[0], b"done"),
        _result(ids[0], encode(error)),
        _result(ids[1], _gzip(b"done" * 30)),
        _result(drop, encode(mtproto.RpcAnswerUnknown())),
        _gzip(_result(ids[1], b"done" * 30)),
        CALL,
        _gzip(CALL * 9),
        *map(encode, _common(ids)),
        *(
            encode(mtproto.BadMsgNotification(bad_msg_id=i, bad_msg_seqno=1, error_code=code))
            for i, code in zip(ids * 3, codes, strict=False)
        ),
        *map(
            encode,
            (
                mtproto.BadServerSalt(
                    bad_msg_id=ids[0], bad_msg_seqno=1, error_code=48, new_server_salt=9
                ),
                mtproto.NewSessionCreated(first_msg_id=ids[1], unique_id=5, server_salt=8),
                mtproto.Pong(msg_id=ids[2], ping_id=5),
                mtproto.FutureSalts(req_msg_id=ids[0], now=int(START), salts=salts),
                mtproto.DestroySessionOk(session_id=5),
                mtproto.DestroySessionNone(session_id=5),
                mtproto.DestroyAuthKeyOk(),
            ),
        ),
    ]
    return _scripts(bodies, from_client=False)


def fuzz_session_server(data: bytes) -> None:
    """Play a client that knows the key to a server that answers at once, later or never."""
    server = ServerSession(
        *(KEY, SESSION),
        salts=BOOK,
        random=Random(8).randbytes,
        now=START,
        strict_seqno=len(data) & 4 > 0,
    )
    server.connection_made(now=START)
    running: list[int] = []
    now, refused = START, None
    for count, (kind, number, block) in enumerate(_blocks(data)):
        if kind == TIME:
            now += number
            server.handle_deadline(now=now)
        elif kind == CONNECTION:
            server.connection_lost(now=now)
            server.connection_made(now=now)
        elif kind == REPLY:
            server.push(block, now=now)
            if running:
                server.reply(running.pop(number % len(running)), block, now=now)
        else:
            packet = _packet(kind, number, block, _id(count, 0, now), from_client=True)
            try:
                envelope = open_envelope(KEY, packet, from_client=True)
            except SecurityError as error:
                refused = refused or error
                continue
            _serve(server, server.receive(envelope, now=now), running, now)
        assert sum(map(len, server.packets(now=now))) < LARGEST_OUTPUT
    assert len(server._kept) <= 4 + len(data) // 4
    assert len(server._seen.seq_nos) <= 1024
    assert len(server._refused) <= 2048
    if refused is not None:
        raise refused


def _serve(server: ServerSession, events: list[ev.Event], running: list[int], now: float) -> None:
    for event in events:
        if isinstance(event, ev.Request):
            assert server.outcome(event.msg_id) == "running"
            if len(event.body) % 8:
                running.append(event.msg_id)
            else:
                server.reply(event.msg_id, event.body[:64], now=now)
        elif isinstance(event, ev.RequestDropped):
            assert server.outcome(event.msg_id) == "failed"
        elif isinstance(event, ev.DestroySession):
            none = mtproto.DestroySessionNone(session_id=event.session_id)
            server.reply_service(event.msg_id, encode(none), now=now)


def seeds_session_server() -> list[bytes]:
    ids = [_id(number, 0) for number in range(4)]
    answers = [_id(256 * number, 1) for number in range(1, 4)]
    drop = _block(BODY, 3, encode(mtproto.RpcDropAnswer(req_msg_id=ids[0])))
    ack = _block(BODY, 2, encode(mtproto.MsgsAck(msg_ids=answers)))
    running, answered = _block(BODY, 1, CALL + CALL[:4]), _block(BODY, 1, CALL)
    again = _block(BODY, 2, join([Part(ids[0], 1, CALL)]))
    bodies = [
        CALL,
        CALL + CALL[:4],
        _gzip(CALL * 20),
        *map(
            encode,
            (
                *_common(ids),
                mtproto.Ping(ping_id=1),
                mtproto.PingDelayDisconnect(ping_id=1, disconnect_delay=75),
                mtproto.GetFutureSalts(num=3),
                mtproto.RpcDropAnswer(req_msg_id=ids[0]),
                mtproto.DestroySession(session_id=SESSION),
                mtproto.DestroySession(session_id=6),
                mtproto.DestroyAuthKey(),
                mtproto.HttpWait(max_delay=1, wait_after=1, max_wait=1),
            ),
        ),
    ]
    return [
        *_scripts(bodies, from_client=True),
        *(first + drop + again for first in (running, answered)),
        *(answered + between + again for between in (ack, _block(CONNECTION), drop, b"")),
        answered + ack + drop + again,
        running + _block(REPLY, 0, CALL * 900) + again,
    ]


def _common(ids: list[int]) -> list[TLObject]:
    return [
        mtproto.MsgsAck(msg_ids=ids),
        mtproto.MsgsStateReq(msg_ids=ids),
        mtproto.MsgResendReq(msg_ids=ids),
        mtproto.MsgResendAnsReq(msg_ids=ids),
        mtproto.MsgsStateInfo(req_msg_id=ids[0], info=b"\x01\x04"),
        mtproto.MsgsAllInfo(msg_ids=ids, info=b"\x01\x04\x6c\x0c"),
        mtproto.MsgDetailedInfo(msg_id=ids[0], answer_msg_id=9, bytes=4, status=0),
        mtproto.MsgNewDetailedInfo(answer_msg_id=9, bytes=4, status=0),
    ]


def _scripts(bodies: list[bytes], *, from_client: bool) -> list[bytes]:
    """Return scripts that send each body alone, copied, in containers, and again."""
    remainder = 0 if from_client else 1
    odd = [_block(BODY, 1, body) for body in bodies]
    even = [_block(BODY, 2, body) for body in bodies]
    parts = [
        Part(_id(n - 300, remainder), 2 * n + 1 - n % 2, body) for n, body in enumerate(bodies)
    ]
    named = pack("<q", _id(900, remainder)) + bodies[0]
    text = pack("<qqqii", SALT, SESSION, _id(1, remainder), 1, 8) + CALL
    whole = _packet(BODY, 1, CALL, _id(1, remainder), from_client=from_client)
    between = _block(TIME, 2) + _block(REPLY, 0, CALL) + _block(CONNECTION)
    return [
        *odd,
        *(first + between + second for first, second in zip(odd, reversed(even), strict=True)),
        *(_block(BODY, 2, join(parts[n : n + 3])) for n in range(0, len(parts), 3)),
        _block(BODY, 2, _gzip(join(parts[:3]))),
        *(_block(BODY, 2, b"\xb2\x46\x60\xe0" + join([part])[8:]) for part in parts[:3]),
        _block(NAMED, 1, named) + between + _block(NAMED, 1, named),
        _block(PLAINTEXT, 0, text),
        _block(PACKET, 0, whole),
        b"".join(odd[:6]) + _block(TIME, 250) + b"".join(even[:6]),
    ]


def _result(msg_id: int, result: bytes) -> bytes:
    return pack("<Iq", 0xF35C6D01, msg_id) + result


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return b"\xa1\xcf\x72\x30" + tl_bytes(packer.compress(data) + packer.flush())


# ── packets ──────────────────────────────────────────────────────────────────────────────────────


def fuzz_packet(data: bytes) -> None:
    """Open what arrives, as either side does before it knows anything about it."""
    openers: list[Callable[[], object]] = [
        lambda: open_plain(data),
        lambda: open_envelope(KEY, data, from_client=True),
        lambda: open_envelope(KEY, data, from_client=False),
    ]
    refused: SecurityError | None = None
    for opener in openers:
        try:
            opener()
        except SecurityError as error:
            refused = error
        else:
            return
    assert refused is not None
    raise refused


def seeds_packet() -> list[bytes]:
    plain = pack("<qqi", 0, _id(0, 0), len(CALL)) + CALL
    return [
        plain,
        plain + bytes(12),
        *(
            _packet(BODY, 1, CALL * n, _id(0, 0), from_client=side)
            for n in (0, 1, 20)
            for side in (True, False)
        ),
    ]
