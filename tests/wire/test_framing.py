from __future__ import annotations

from random import Random
from typing import Any

import pytest

from radiogram import wire
from radiogram.errors import FramingError, LocalProtocolError
from radiogram.wire import ErrorCode, Packet, QuickAck
from radiogram.wire.framing import CLIENT_ENDS, SERVER_ENDS

from ..vectors import load
from .helpers import (
    PLAIN,
    QUICK,
    TRANSPORTS,
    client_of,
    label,
    pair_of,
    plain,
    sealed,
    server_of,
    stream_of,
)

VECTORS = load("transport")
LOOSER = {"abridged": {""}, "intermediate": {"", "0501020304"}, "full": {"", "616263"}}
"""Payloads that other libraries take and that are refused here (A1.5)."""


def server_end(name: str, random: Any = bytes, max_packet: int = wire.MAX_PACKET) -> Any:
    return SERVER_ENDS[name](random=random, max_packet=max_packet)


def client_end(name: str, random: Any = bytes, max_packet: int = wire.MAX_PACKET) -> Any:
    return CLIENT_ENDS[name](random=random, max_packet=max_packet)


# ── published values ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", VECTORS["packed"])
def test_packed(case: dict[str, Any]) -> None:
    """A1.3."""
    name, payload = case["transport"], bytes.fromhex(case["payload"])
    if case["payload"] in LOOSER.get(name, ()):
        with pytest.raises(LocalProtocolError):
            server_end(name).pack(payload)
        return
    noise = bytes.fromhex(case.get("padding", ""))
    codec = (
        client_end(name)
        if "first" in case
        else server_end(name, lambda n: bytes([len(noise)]) + noise.ljust(n - 1, b"\x00"))
    )
    for _ in range(case.get("number", 0)):
        codec.pack(payload)
    assert codec.pack(payload).hex() == case["wire"]


@pytest.mark.parametrize("case", VECTORS["opened"])
def test_opened(case: dict[str, Any]) -> None:
    """A1.3, A1.4, A2.1, as a client sees what a server sends."""
    codec = client_end(case["transport"])
    data = bytes.fromhex(case["wire"])
    expected = case.get("expect", "")
    loose = any(payload in LOOSER[case["transport"]] for payload in case.get("payloads", ()))
    if expected.startswith("error") or loose:
        with pytest.raises(FramingError):
            codec.feed(data)
    elif expected == "incomplete":
        assert codec.feed(data) == []
    elif expected == "transport error 404":
        assert codec.feed(data) == [ErrorCode(-404)]
    else:
        assert codec.feed(data) == [Packet(bytes.fromhex(p)) for p in case["payloads"]]


def test_quick_ack_on_the_wire() -> None:
    """A1.7."""
    case = VECTORS["quick_ack"]
    token = int.from_bytes(bytes.fromhex(case["token"]), "little")
    for name in ("abridged", "intermediate"):
        assert server_end(name).pack_quick_ack(token).hex() == case[name]
        assert client_end(name).feed(bytes.fromhex(case[name])) == [QuickAck(token)]
    packet = server_end("padded").pack_quick_ack(token)
    assert packet.hex() == "08000000" + case["padded_payload"]
    assert client_end("padded").feed(packet) == [QuickAck(token)]


@pytest.mark.parametrize("case", VECTORS["quick_ack"]["wishes"])
def test_quick_ack_wanted(case: dict[str, Any]) -> None:
    """A1.6."""
    client = client_end(case["transport"])
    payload = bytes(case["size"])
    client.pack(payload)
    packet = client.pack(payload, quick_ack=True)
    assert packet.hex() == case["head"] + payload.hex()
    assert server_end(case["transport"]).feed(packet) == [Packet(payload, quick_ack=True)]


# ── both ends ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("transport", TRANSPORTS, ids=label)
def test_there_and_back(transport: tuple[str, bool]) -> None:
    client, server, _ = pair_of(transport)
    for payload in (plain(0), plain(1), sealed(1), sealed(31), sealed(32), sealed(70000)):
        assert server.feed(client.pack(payload)) == [Packet(payload)]
        assert client.feed(server.pack(payload)) == [Packet(payload)]
    assert not client.broken
    assert not server.broken


@pytest.mark.parametrize("transport", TRANSPORTS, ids=label)
def test_transport_errors(transport: tuple[str, bool]) -> None:
    """A2.1."""
    client, server, payload = pair_of(transport)
    for code in (-404, -429, -444, -403, -2, -999):
        both = server.pack_error(code) + server.pack(payload)
        assert client.feed(both) == [ErrorCode(code), Packet(payload)]
    for code in (404, 0, -1, -1000, -(1 << 40)):
        with pytest.raises(LocalProtocolError, match="transport error"):
            server.pack_error(code)


@pytest.mark.parametrize("transport", QUICK, ids=label)
def test_quick_acks(transport: tuple[str, bool]) -> None:
    """A1.6, A1.7, between packets."""
    client, server, payload = pair_of(transport)
    assert server.feed(client.pack(payload, quick_ack=True)) == [Packet(payload, quick_ack=True)]
    for token in (0x80000000, 0xFFFFFFFF, 0xCD571D82, 0x80FFFFFF, 0x800000EF):
        data = server.pack(payload) + server.pack_quick_ack(token) + server.pack(payload)
        assert client.feed(data) == [Packet(payload), QuickAck(token), Packet(payload)]


@pytest.mark.parametrize("transport", QUICK, ids=label)
def test_quick_ack_of_a_first_packet(transport: tuple[str, bool]) -> None:
    for blocks in (1, 200):
        client, server = client_of(transport), server_of()
        packet = client.pack(sealed(blocks), quick_ack=True)
        assert server.feed(packet) == [Packet(sealed(blocks), quick_ack=True)]


def test_full_has_no_quick_acks() -> None:
    client, server, payload = pair_of(("full", False))
    with pytest.raises(LocalProtocolError, match="quick"):
        client.pack(payload, quick_ack=True)
    with pytest.raises(LocalProtocolError, match="quick"):
        server.pack_quick_ack(0x80000000)
    assert server.feed(client.pack(payload)) == [Packet(payload)], "the refusal counted as a packet"


@pytest.mark.parametrize("transport", TRANSPORTS, ids=label)
def test_each_end_does_its_own_work(transport: tuple[str, bool]) -> None:
    client, server, payload = pair_of(transport)
    with pytest.raises(LocalProtocolError, match="only a client"):
        server.pack(payload, quick_ack=True)
    with pytest.raises(LocalProtocolError, match="only a server"):
        client.pack_error(-404)
    with pytest.raises(LocalProtocolError, match="only a server"):
        client.pack_quick_ack(0x80000000)


@pytest.mark.parametrize("name", PLAIN)
def test_the_tag_is_sent_once(name: str) -> None:
    """A1.2."""
    codec = client_end(name)
    first, second = codec.pack(plain(1)), codec.pack(plain(1))
    assert first.startswith(codec.tag)
    assert len(first) - len(codec.tag) == len(second)
    assert len(server_end(name).pack(plain(1))) == len(second)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("name", PLAIN)
def test_what_is_fed_may_change_afterwards(name: str, kind: type) -> None:
    sender, codec = server_end(name), client_end(name)
    data = b"".join(sender.pack(sealed(2, fill)) for fill in (b"\x01", b"\x02"))
    frames = []
    for piece in (data[:30], data[30:70], data[70:]):
        buffer = bytearray(piece)
        frames += codec.feed(kind(buffer))
        buffer[:] = bytes(len(buffer))
    assert frames == [Packet(sealed(2, b"\x01")), Packet(sealed(2, b"\x02"))]
    assert all(type(frame.payload) is bytes for frame in frames)


# ── limits ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 25, 1028])
def test_payloads_that_cannot_be_sent(name: str, size: int) -> None:
    """A1.5."""
    for codec in (client_end(name, max_packet=1024), server_end(name, max_packet=1024)):
        with pytest.raises(LocalProtocolError, match=f"{size} bytes"):
            codec.pack(bytes(size))


def head(name: str, length: int) -> bytes:
    """Return how a frame begins that declares a payload of this length."""
    if name == "abridged":
        words = length // 4
        return bytes([words]) if words < 127 else b"\x7f" + words.to_bytes(3, "little")
    if name == "full":
        length += 12
    return (length % (1 << 32)).to_bytes(4, "little")


BAD = {
    "abridged": [0, 1028, 65536, (1 << 26) - 4],
    "intermediate": [0, 1, 2, 3, 5, 25, 1025, 1028, 1 << 24, (1 << 31) - 4],
    "padded": [0, 1, 2, 3, 1024 + 16, 1 << 24, (1 << 31) - 4],
    "full": [-12, -11, -4, 0, 1, 2, 3, 5, 25, 1028, 1 << 24, (1 << 31) - 16, 1 << 31],
}


@pytest.mark.parametrize(
    ("name", "length"), [(name, length) for name, lengths in BAD.items() for length in lengths]
)
def test_declared_lengths(name: str, length: int) -> None:
    """A1.5: refused as soon as the head is there, before anything is waited for."""
    for codec in (client_end(name, max_packet=1024), server_end(name, max_packet=1024)):
        data = head(name, length)
        for piece in range(len(data) - 1):
            assert codec.feed(data[piece : piece + 1]) == []
        with pytest.raises(FramingError, match="not allowed"):
            codec.feed(data[-1:])
        assert codec.broken
        with pytest.raises(FramingError, match="not allowed"):
            codec.feed(sealed(1))


@pytest.mark.parametrize("name", PLAIN)
def test_the_largest_packet(name: str) -> None:
    largest = sealed(62)
    assert len(largest) == 1016
    codec = server_end(name, Random(5).randbytes, max_packet=1016)
    for _ in range(50):
        for size in (24, 1016):
            frame = client_end(name, Random(6).randbytes)
            frame.pack(largest[:size]) if name != "full" else None
            assert codec.feed(frame.pack(largest[:size])) == [Packet(largest[:size])]
            codec = server_end(name, Random(5).randbytes, max_packet=1016)


@pytest.mark.parametrize("name", PLAIN)
def test_good_packets_before_a_break_are_not_lost(name: str) -> None:
    sender, codec = server_end(name), client_end(name)
    data = sender.pack(sealed(1)) + sender.pack(plain(3)) + bytes(16)
    assert codec.feed(data) == [Packet(sealed(1)), Packet(plain(3))]
    assert codec.broken
    for _ in range(2):
        with pytest.raises(FramingError):
            codec.feed(b"")


@pytest.mark.parametrize("name", PLAIN)
def test_bytes_are_looked_at_in_proportion(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A packet that comes byte by byte is measured a few times, not once for each byte."""
    sender, codec = server_end(name), client_end(name)
    data = sender.pack(sealed(2000)) * (1 if name == "full" else 2)
    measured = 0
    kind = type(codec)
    original = kind._size

    def counting(self: Any, view: Any, start: int, available: int) -> int:
        nonlocal measured
        measured += 1
        size: int = original(self, view, start, available)
        return size

    monkeypatch.setattr(kind, "_size", counting)
    frames = stream_of(codec, [data[at : at + 1] for at in range(len(data))])
    assert frames == [Packet(sealed(2000))] * (1 if name == "full" else 2)
    assert measured <= 6
    assert len(codec._buffer) == 0


@pytest.mark.parametrize("name", PLAIN)
def test_memory_is_bounded(name: str) -> None:
    """A peer that declares the largest packet and sends without end holds one packet, no more."""
    codec = server_end(name, max_packet=4096)
    sender = client_end(name)
    sender.pack(sealed(1))
    data = server_end(name).pack(sealed(250)) if name == "full" else sender.pack(sealed(250))
    largest = 0
    for at in range(0, len(data) * 20, 100):
        try:
            codec.feed((data * 2)[at % len(data) :][:100])
        except FramingError:
            break
        largest = max(largest, len(codec._buffer))
    assert largest <= 4096 + 100


# ── padded ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("noise", range(256))
def test_padding_comes_off(noise: int) -> None:
    """A1.3: up to 15 bytes behind an encrypted message or a plain one."""
    sender = server_end("padded", lambda n: bytes([noise]) * n)
    for payload in (sealed(1), sealed(9), plain(0), plain(1), plain(2), plain(3), plain(4)):
        packet = sender.pack(payload)
        assert len(packet) - 4 - len(payload) == noise % 16
        assert client_end("padded").feed(packet) == [Packet(payload)]
        assert server_end("padded").feed(packet) == [Packet(payload)]
    assert client_end("padded").feed(sender.pack_error(-404)) == [ErrorCode(-404)]
    token = sender.pack_quick_ack(0x80000001)
    assert 12 <= len(token) <= 20
    assert client_end("padded").feed(token) == [QuickAck(0x80000001)]


def test_padding_of_a_published_packet() -> None:
    case = next(case for case in load("crypto")["packets"] if "behind" in case)
    packet = bytes.fromhex(case["packet"])
    data = packet + bytes.fromhex(case["behind"])
    codec = client_end("padded")
    assert codec.feed(len(data).to_bytes(4, "little") + data) == [Packet(packet)]


def test_a_plain_message_whose_length_makes_no_sense_stays_whole() -> None:
    """Above this layer it is refused; cutting it here would hide what came."""
    for length in (0, 3, 200, 0xFFFFFFFF):
        data = bytes(16) + length.to_bytes(4, "little") + b"\x01" * 40
        codec = server_end("padded")
        assert codec.feed(len(data).to_bytes(4, "little") + data) == [Packet(data)]


def test_a_token_without_padding_transport_form_is_understood() -> None:
    """Some servers send the short form of a token here too."""
    assert client_end("padded").feed(b"\x01\x00\x00\x80") == [QuickAck(0x80000001)]


# ── full ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", range(4, 52))
def test_full_notices_a_changed_byte(place: int) -> None:
    """A1.4."""
    packet = bytearray(server_end("full").pack(sealed(1)))
    packet[place] ^= 0x10
    with pytest.raises(FramingError):
        client_end("full").feed(bytes(packet))


def test_full_counts_each_direction() -> None:
    client, server = client_end("full"), server_end("full")
    packets = [client.pack(sealed(1)) for _ in range(3)]
    assert [packet[4:8] for packet in packets] == [bytes([n, 0, 0, 0]) for n in range(3)]
    assert server.pack(sealed(1))[4:8] == bytes(4)
    server.feed(packets[0])
    with pytest.raises(FramingError, match="packet 2 came where 1 was due"):
        server.feed(packets[2])
    again = server_end("full")
    again.feed(packets[0])
    with pytest.raises(FramingError, match="packet 0 came where 1 was due"):
        again.feed(packets[0])


def test_full_counts_round() -> None:
    client, server = client_end("full"), server_end("full")
    client._outgoing = server._incoming = 0xFFFFFFFF
    for _ in range(2):
        assert server.feed(client.pack(sealed(1))) == [Packet(sealed(1))]


def test_bare_error_code_in_full() -> None:
    """In place of the length: -999 to -1 are codes, anything lower is a length gone wrong."""
    codec = client_end("full")
    assert codec.feed((-404 % (1 << 32)).to_bytes(4, "little")) == [ErrorCode(-404)]
    with pytest.raises(FramingError):
        codec.feed((-1000 % (1 << 32)).to_bytes(4, "little"))
    with pytest.raises(FramingError):
        server_end("full").feed((-404 % (1 << 32)).to_bytes(4, "little"))


# ── making codecs ─────────────────────────────────────────────────────────────────────────────


def test_names_of_transports() -> None:
    with pytest.raises(LocalProtocolError, match="abridged"):
        wire.client_codec("http", random=bytes)
    with pytest.raises(LocalProtocolError, match="cannot be obfuscated"):
        wire.client_codec("full", obfuscated=True, random=bytes)
    for name, obfuscated in TRANSPORTS:
        wire.check_transport(name, obfuscated=obfuscated)
    for name in PLAIN:
        assert wire.client_codec(name, random=bytes).feed(b"") == []


def test_abridged_cannot_write_longer_lengths() -> None:
    assert server_end("abridged", max_packet=1 << 30)._max_packet == (1 << 26) - 4
