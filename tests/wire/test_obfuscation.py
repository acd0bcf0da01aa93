from __future__ import annotations

from random import Random
from typing import Any

import pytest

from radiogram import wire
from radiogram.crypto.aes import Ctr
from radiogram.errors import FramingError, LocalProtocolError
from radiogram.wire import ErrorCode, Packet, ServerCodec
from radiogram.wire.obfuscation import TAGS, make_opening, read_opening

from ..vectors import load, named
from .helpers import sealed

VECTORS = load("transport")
NOISE = bytes(range(1, 65))


def opening(case: dict[str, Any]) -> tuple[bytes, Ctr, Ctr]:
    return make_opening(
        case["inner"],
        dc_id=case["dc_id"],
        secret=bytes.fromhex(case["secret"]),
        random=lambda _: bytes.fromhex(case["random"]),
    )


@pytest.mark.parametrize("case", **named(VECTORS["obfuscated"]))
def test_opening(case: dict[str, Any]) -> None:
    """A1.8, A1.9: the 64 bytes, and the keystreams of both ends."""
    init, incoming, outgoing = opening(case)
    assert init.hex() == case["init"]
    name, dc_id, server_in, server_out = read_opening(init, secret=bytes.fromhex(case["secret"]))
    assert name == case["inner"]
    if case["dc_id"]:
        assert dc_id == case["dc_id"]
    theirs = Ctr(bytes.fromhex(case["client_key"]), bytes.fromhex(case["client_iv"]))
    theirs.process(bytes(64))
    stream = theirs.process(bytes(40))
    assert outgoing.process(bytes(40)) == server_in.process(bytes(40)) == stream
    theirs = Ctr(bytes.fromhex(case["server_key"]), bytes.fromhex(case["server_iv"]))
    stream = theirs.process(bytes(40))
    assert incoming.process(bytes(40)) == server_out.process(bytes(40)) == stream


@pytest.mark.parametrize("case", **named([c for c in VECTORS["obfuscated"] if "sent" in c]))
def test_frames(case: dict[str, Any]) -> None:
    codec = wire.client_codec(
        case["inner"], obfuscated=True, random=lambda _: bytes.fromhex(case["random"])
    )
    expected = case["init"]
    for sent in case["sent"]:
        assert codec.pack(bytes.fromhex(sent["payload"])).hex() == expected + sent["wire"]
        expected = ""
    for received in case["received"]:
        assert codec.feed(bytes.fromhex(received["wire"])) == [ErrorCode(-404)]


@pytest.mark.parametrize("case", **named([c for c in VECTORS["obfuscated"] if "raw_sent" in c]))
def test_streams(case: dict[str, Any]) -> None:
    _, incoming, outgoing = opening(case)
    for sent in case["raw_sent"]:
        assert outgoing.process(bytes.fromhex(sent["plain"])).hex() == sent["wire"]
    for received in case["raw_received"]:
        assert incoming.process(bytes.fromhex(received["wire"])).hex() == received["plain"]


@pytest.mark.parametrize("case", VECTORS["served"])
def test_served(case: dict[str, Any]) -> None:
    """A1.8, A1.9 at the server's end."""
    name, dc_id, incoming, outgoing = read_opening(
        bytes.fromhex(case["init"]), secret=bytes.fromhex(case["secret"])
    )
    assert (name, dc_id) == (case["inner"], case["dc_id"])
    given, expected = (bytes.fromhex(value) for value in case["incoming"])
    assert incoming.process(given) == expected
    given, expected = (bytes.fromhex(value) for value in case["outgoing"])
    assert outgoing.process(given) == expected


def test_reversed_opening() -> None:
    case = VECTORS["reversed"]
    init = bytes.fromhex(case["init"])
    taken = bytes.fromhex(case["server_key_iv"])
    assert init[::-1][8:56] == taken
    _, incoming, _ = make_opening("padded", dc_id=0, secret=b"", random=lambda _: init)
    stream = Ctr(taken[:32], taken[32:]).process(bytes(16))
    assert incoming.process(bytes(16)) == stream


@pytest.mark.parametrize("start", VECTORS["reserved"]["openings"])
def test_reserved_openings(start: str) -> None:
    """A1.8 must never be taken for another transport (A1.1)."""
    prefix = bytes.fromhex(start)
    draws = [prefix + NOISE[len(prefix) :], NOISE[:4] + bytes(4) + NOISE[8:], NOISE]
    init, _, _ = make_opening("padded", dc_id=0, secret=b"", random=lambda _: draws.pop(0))
    assert init[:56] == NOISE[:56]
    assert not draws


def test_randomness_that_repeats_itself_does_not_hang() -> None:
    with pytest.raises(LocalProtocolError, match="randomness"):
        wire.client_codec("abridged", obfuscated=True, random=bytes)


@pytest.mark.parametrize("name", sorted(TAGS.values()))
@pytest.mark.parametrize("dc_id", [1, 5, 10002, -2, -10002])
@pytest.mark.parametrize("secret", [b"", bytes(range(16))])
def test_server_learns_the_dc(name: str, dc_id: int, secret: bytes) -> None:
    """A1.10."""
    random = Random(dc_id).randbytes
    client = wire.client_codec(name, obfuscated=True, dc_id=dc_id, secret=secret, random=random)
    server = ServerCodec(random=random, secret=secret)
    assert server.feed(client.pack(sealed(1))) == [Packet(sealed(1))]
    assert (server.name, server.obfuscated, server.dc_id) == (name, True, dc_id)
    assert client.feed(server.pack(sealed(2))) == [Packet(sealed(2))]


def test_another_secret() -> None:
    client = wire.client_codec(
        "padded", obfuscated=True, secret=bytes(16), random=Random(1).randbytes
    )
    server = ServerCodec(random=bytes, secret=bytes(range(16)))
    with pytest.raises(FramingError, match="no transport"):
        server.feed(client.pack(sealed(1)))


def test_the_opening_hides_the_transport() -> None:
    openings = set()
    for seed in range(20):
        codec = wire.client_codec("padded", obfuscated=True, random=Random(seed).randbytes)
        data = codec.pack(sealed(1))
        assert b"\xdd\xdd" not in data[:64]
        openings.add(data[56:60])
    assert len(openings) == 20
