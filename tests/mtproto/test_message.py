"""The message: ids, the window of seen ids, containers, compression, packets (A3.1, A4, A9)."""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.crypto.keys import AuthKey, seal
from radiogram.errors import RemoteProtocolError, SecurityError
from radiogram.mtproto.message import (
    MAX_INFLATED,
    MessageIds,
    Part,
    SeenIds,
    compress,
    inflate,
    join,
    open_envelope,
    open_plain,
    pack_plain,
    part_count,
    split,
    time_of,
    tl_bytes,
)
from radiogram.tl import mtproto
from tests.vectors import load, named

from .pair import KEY, START, decode

VECTORS = load("mtproto")
NOISE = Random(9).randbytes(1 << 20)


# ── ids ──────────────────────────────────────────────────────────────────────────────────────────


def test_published_ids() -> None:
    first, question, answer = VECTORS["ids"]
    seconds = first["unix_nano"] / 1e9
    made = MessageIds().next(seconds, 0)
    # The other library counts nanoseconds in the fraction; the seconds and the parity agree.
    assert made >> 32 == first["msg_id"] >> 32
    assert made % 4 == first["msg_id"] % 4 == 0
    when = datetime.fromtimestamp(time_of(first["msg_id"]), UTC)
    assert when.replace(microsecond=0).isoformat() == "2018-10-10T23:42:06+00:00"
    assert int.from_bytes(bytes.fromhex(question["wire"]), "little") % 4 == 0
    assert int.from_bytes(bytes.fromhex(answer["wire"]), "little") % 4 == 1


@given(
    st.lists(
        st.tuples(st.floats(0, 2**31 - 1, allow_nan=False), st.sampled_from((0, 1, 3))), max_size=50
    )
)
def test_ids_only_grow(moments: list[tuple[float, int]]) -> None:
    ids = MessageIds()
    made = [ids.next(now, remainder) for now, remainder in moments]
    assert made == sorted(set(made))
    assert [i & 3 for i in made] == [remainder for _, remainder in moments]


def test_id_carries_time() -> None:
    assert time_of(MessageIds().next(START, 3)) == pytest.approx(START, abs=1e-6)


def test_no_id_is_given_out_twice() -> None:
    """Not even if the same moment comes again and again, because the clock was set back."""
    ids = MessageIds()
    made = []
    for _ in range(200):
        made += [ids.next(START, 0) for _ in range(20)]
        ids.turn_back(0)
    assert len(set(made)) == len(made)
    assert all(abs(time_of(msg_id) - START) < 1e-4 for msg_id in made)
    last = made[-1]
    ids.turn_back(last)
    assert ids.next(START - 5, 0) > last


@pytest.mark.parametrize("case", VECTORS["seen"])
def test_published_windows(case: dict[str, Any]) -> None:
    seen = SeenIds(case["capacity"])
    gone = []

    def add(msg_id: int) -> bool:
        if msg_id in seen or msg_id < seen.floor:
            return False
        gone.append(seen.add(msg_id, 1))
        return True

    for msg_id in range(*case.get("range", (0,))):
        add(msg_id)
    if "range" in case:
        seen.add(case["range"][1], 1)
    assert [add(i) for i in case["ids"]] == case["new"]
    if "gone" in case:
        assert [i for i in gone if i] == case["gone"]


@given(st.lists(st.integers(1, 200), max_size=120))
def test_window_admits_nothing_twice(ids: list[int]) -> None:
    seen = SeenIds(20)
    admitted = []
    for msg_id in ids:
        if msg_id not in seen and msg_id >= seen.floor:
            seen.add(msg_id, 1)
            admitted.append(msg_id)
    assert len(admitted) == len(set(admitted))
    assert len(seen.seq_nos) <= 20
    assert seen.highest == max(ids, default=0)
    # The window is what its name says: the largest ids that were admitted.
    assert sorted(seen.seq_nos) == sorted(admitted)[-20:]


# ── containers ───────────────────────────────────────────────────────────────────────────────────


def test_published_container() -> None:
    case = VECTORS["container"]
    body = bytes.fromhex(case["body"])
    parts = split(body)
    assert join(parts) == body
    assert [[p.msg_id, p.seq_no, len(p.body)] for p in parts] == [p[:3] for p in case["parts"]]
    session, pong = (decode(part.body) for part in parts)
    assert session == mtproto.NewSessionCreated(**case["new_session_created"])
    assert pong == mtproto.Pong(**case["pong"])


parts_lists = st.lists(
    st.builds(
        Part,
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-(2**31), 2**31 - 1),
        st.integers(0, 8).map(lambda words: bytes(4 * words)),
    ),
    max_size=6,
)


@given(parts_lists)
def test_containers_round_trip(parts: list[Part]) -> None:
    body = join(parts)
    assert split(body) == parts
    assert part_count(body) == len(parts)


@given(parts_lists, st.data())
def test_cut_containers_are_refused(parts: list[Part], data: st.DataObject) -> None:
    body = join(parts)
    end = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(RemoteProtocolError):
        split(body[:end])
    with pytest.raises(RemoteProtocolError):
        split(body + bytes(4))


@pytest.mark.parametrize("length", [-4, 3, 8, 2**31 - 1])
def test_wrong_lengths_in_containers(length: int) -> None:
    body = bytearray(join([Part(4, 1, bytes(4))]))
    body[20:24] = length.to_bytes(4, "little", signed=True)
    with pytest.raises(RemoteProtocolError, match="cannot have"):
        split(bytes(body))


@pytest.mark.parametrize("count", [1025, 2**31, 2**32 - 1])
def test_too_many_parts(count: int) -> None:
    body = join([])[:4] + count.to_bytes(4, "little") + bytes(16 * 1100)
    with pytest.raises(RemoteProtocolError, match=f"{count} messages"):
        split(body)


# ── compression (A9.4) ───────────────────────────────────────────────────────────────────────────


def test_published_result() -> None:
    case = VECTORS["result"]
    body = bytes.fromhex(case["body"])
    data = inflate(body[12:])
    assert len(data) == case["size"]
    assert hashlib.sha256(data).hexdigest() == case["sha256"]
    assert int.from_bytes(data[:4], "little") == int(case["constructor"], 16)


@given(st.binary(max_size=600).map(lambda b: b + bytes(-len(b) % 4)), st.integers(1, 200))
def test_compression_round_trips(body: bytes, times: int) -> None:
    packed = compress(body * times)
    if packed is not None:
        assert len(packed) < len(body * times)
        assert len(packed) % 4 == 0
        assert inflate(packed) == body * times
        assert decode(packed).TL_NAME == "gzip_packed"


def test_compression_without_the_head_of_gzip() -> None:
    """mtcute packs its long requests in zlib's own format, and Telegram takes them."""
    body = bytes(range(100)) * 40
    assert inflate((0x3072CFA1).to_bytes(4, "little") + tl_bytes(zlib.compress(body))) == body


@pytest.mark.parametrize("size", [0, 4, 100, 2000, 20_000, 1 << 20])
def test_what_cannot_shrink_is_left_alone(size: int) -> None:
    assert compress(NOISE[:size]) is None


def test_long_media_is_not_even_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("compressed in vain")

    monkeypatch.setattr(zlib, "compressobj", refuse)
    assert compress(NOISE) is None
    assert compress(bytes(1 << 24)) is None


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return (0x3072CFA1).to_bytes(4, "little") + tl_bytes(
        packer.compress(bytes(size)) + packer.flush()
    )


def test_bombs_do_not_go_off() -> None:
    case = VECTORS["bomb"]
    with pytest.raises(RemoteProtocolError, match="more than 10485760"):
        inflate(bomb(case["zeros"]), limit=10 << 20)
    assert len(inflate(bomb(MAX_INFLATED))) == MAX_INFLATED
    with pytest.raises(RemoteProtocolError, match="more than"):
        inflate(bomb(MAX_INFLATED + 1))
    with pytest.raises(RemoteProtocolError, match="more than"):
        inflate(bomb(64 << 20))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xa1\xcf\x72\x30",
        b"\xa1\xcf\x72\x30\xff\0\0\0",
        b"\xa1\xcf\x72\x30\xfe\xff\xff\xff",
        b"\xa1\xcf\x72\x30\x03abc",
        b"\xa1\xcf\x72\x30\x00\0\0\0",
        bomb(100)[:-4],
        bomb(100) + bytes(4),
        b"\xa1\xcf\x72\x30" + tl_bytes(bomb(100)[5:-8]),
        b"\xa1\xcf\x72\x30" + tl_bytes(zlib.compress(bytes(100))[2:]),
    ],
    ids=[
        *("nothing", "no-length", "length-255", "long-length", "no-gzip", "empty"),
        *("cut", "longer", "cut-inside", "bare"),
    ],
)
def test_damaged_compression(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        inflate(body)


@given(st.binary(max_size=2000))
def test_byte_strings_are_those_of_tl(data: bytes) -> None:
    body = (0x3072CFA1).to_bytes(4, "little") + tl_bytes(data)
    assert decode(body) == mtproto.GzipPacked(packed_data=data)


# ── packets ──────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 2**63 - 1), st.binary(max_size=40), st.binary(max_size=15))
def test_plain_messages_round_trip(msg_id: int, body: bytes, padding: bytes) -> None:
    body += bytes(-len(body) % 4)
    assert open_plain(pack_plain(msg_id, body) + padding) == (msg_id, body)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        bytes(19),
        b"\x01" + bytes(30),
        bytes(16) + b"\xff\xff\xff\xff",
        bytes(16) + b"\x04\0\0\0",
        bytes(16) + b"\x03\0\0\0abcd",
        bytes.fromhex("0102030405060708626f647962797465"),
    ],
)
def test_wrong_plain_messages(packet: bytes) -> None:
    with pytest.raises(SecurityError):
        open_plain(packet)


@pytest.mark.parametrize("case", **named(VECTORS["packets"]))
def test_published_packets(case: dict[str, Any]) -> None:
    key = AuthKey(bytes.fromhex(case["auth_key"]))
    packet = bytes.fromhex(case["packet"])
    session_id = int.from_bytes(bytes.fromhex(case["session_id"]), "little", signed=True)
    if case["expect"].startswith("reject") and "session" not in case["expect"]:
        with pytest.raises(SecurityError):
            open_envelope(key, packet, from_client=False)
        return
    # A padded transport leaves up to 15 bytes behind the packet.
    for spare in (b"", bytes.fromhex("deadbeef"), bytes(15)):
        envelope = open_envelope(key, packet + spare, from_client=False)
        assert (envelope.session_id == session_id) is case["expect"].startswith("ok")
        if "msg_id" in case:
            assert envelope.msg_id == case["msg_id"]
            assert envelope.seq_no == case["seq_no"]
            assert len(envelope.body) == case["length"]
            assert len(split(envelope.body)) == 2
        else:
            assert envelope.seq_no == 777
            assert envelope.body == b"hello, world!!!!"


def test_published_sealing() -> None:
    case = VECTORS["sealed"]
    key = AuthKey(bytes.fromhex(case["auth_key"]))
    padding = bytes.fromhex(case["padding"])
    packet = seal(
        key, bytes.fromhex(case["plaintext"]), from_client=True, random=lambda n: padding[:n]
    )
    assert packet.hex() == case["packet"]
    assert open_envelope(key, packet, from_client=True).body == b"hello, world!!!!"


@pytest.mark.parametrize("length", [-1, -4, 3, 17, 24, 2**31 - 1])
def test_lengths_inside_packets(length: int) -> None:
    head = bytes(28) + length.to_bytes(4, "little", signed=True)
    packet = seal(KEY, head + bytes(16), from_client=True, random=bytes)
    with pytest.raises(SecurityError):
        open_envelope(KEY, packet, from_client=True)


@pytest.mark.parametrize(("padding", "good"), [(0, False), (16, True), (1024, True), (1040, False)])
def test_amount_of_padding(padding: int, good: bool) -> None:
    # Everything behind the body counts: sealing itself adds 16 bytes here.
    extra = max(padding - 16, 0)
    length = 16 if padding else 32
    head = bytes(28) + length.to_bytes(4, "little")
    packet = seal(KEY, head + bytes(16 + extra), from_client=True, random=bytes)
    if good:
        assert open_envelope(KEY, packet, from_client=True).body == bytes(16)
    else:
        with pytest.raises(SecurityError):
            open_envelope(KEY, packet, from_client=True)


def test_quick_ack_token_is_told() -> None:
    packet = seal(KEY, bytes(32), from_client=True, random=bytes)
    assert open_envelope(KEY, packet, from_client=True).quick_ack_token >> 31 == 1
