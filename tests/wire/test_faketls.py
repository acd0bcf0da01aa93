"""MTProxy's imitation of TLS: hellos of other implementations, and a hostile network."""

from __future__ import annotations

import ssl
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.wire.faketls import (
    CHANGE,
    MAX_ANSWER,
    MAX_SKEW,
    FakeTlsClient,
    FakeTlsServer,
    Replays,
    make_client_hello,
    read_client_hello,
)

from ..vectors import load, named

VECTORS = load("transport")
KEY = bytes(range(16))
NOW = 1_900_000_000.0


def server_of(
    key: bytes = KEY,
    *,
    domain: str = "",
    now: float = NOW,
    replays: Replays | None = None,
    seed: int = 1,
) -> FakeTlsServer:
    return FakeTlsServer(
        key,
        domain=domain,
        random=Random(seed).randbytes,
        now=lambda: now,
        replays=replays or Replays(),
    )


def client_of(key: bytes = KEY, *, domain: str = "example.com", seed: int = 2) -> FakeTlsClient:
    return FakeTlsClient(key, domain, random=Random(seed).randbytes, now=lambda: NOW)


def pair() -> tuple[FakeTlsClient, FakeTlsServer]:
    """Return both ends after their hellos."""
    client, server = client_of(), server_of()
    assert server.receive(client.outgoing()) == b""
    assert client.receive(server.outgoing()) == b""
    assert client.ready
    assert server.ready
    return client, server


@pytest.mark.parametrize("case", **named(VECTORS["tls_hellos"]))
def test_published_hellos(case: dict[str, Any]) -> None:
    hello, key = bytes.fromhex(case["hello"]), bytes.fromhex(case["key"])
    session_id, cipher, domain = read_client_hello(hello)
    assert (cipher, domain) == (0x1301, case["domain"])
    time = case["time"] or NOW
    server = server_of(key, domain=case["domain"], now=time)
    assert server.receive(hello) == b""
    assert server.ready == case["good"], server.failure
    if not case["good"]:
        assert "not made with the secret" in server.failure
        assert server.outgoing() == b""
        return
    assert session_id.hex() == case["session_id"]
    early = server_of(key, now=time - MAX_SKEW - 1)
    early.receive(hello)
    assert f"{MAX_SKEW + 1:+.0f} seconds off" in early.failure
    elsewhere = server_of(key, domain="example.com", now=time)
    elsewhere.receive(hello)
    assert "not for 'example.com'" in elsewhere.failure


@pytest.mark.parametrize("case", **named(VECTORS["tls_answers"]))
def test_published_answers(case: dict[str, Any]) -> None:
    packet = bytes.fromhex(case["packet"])

    def client() -> FakeTlsClient:
        made = client_of(bytes.fromhex(case["key"]))
        made._client_random = bytes.fromhex(case["client_random"])
        return made

    good = client()
    assert good.receive(packet) == b""
    assert good.ready
    wrong = client()
    wrong.receive(packet[:60] + bytes([packet[60] ^ 1]) + packet[61:])
    assert "does not know the secret" in wrong.failure
    assert not wrong.ready


@pytest.mark.parametrize("case", **named(VECTORS["tls_records"]["cases"]))
def test_published_records(case: dict[str, Any]) -> None:
    client, _ = pair()
    inside = client.receive(bytes.fromhex(case["wire"]))
    if case["read"] is None:
        assert client.failure
    else:
        assert inside.hex() == case["read"]
        assert not client.failure


def test_what_a_client_sends_first() -> None:
    client, server = pair()
    first = client.wrap(b"x" * 6000)
    assert first.startswith(bytes.fromhex(VECTORS["tls_records"]["first"]) + b"\x17\x03\x03")
    piece = VECTORS["tls_records"]["piece"]
    assert first[len(CHANGE) + 3 : len(CHANGE) + 5] == piece.to_bytes(2, "big")
    assert server.receive(first) == b"x" * 6000
    assert client.wrap(b"abc") == b"\x17\x03\x03\0\x03abc"
    assert client.wrap(b"") == server.wrap(b"") == b""
    assert client.receive(server.wrap(b"y" * 40000)) == b"y" * 40000


def test_a_real_tls_stack_reads_the_hello() -> None:
    """OpenSSL takes the hello for one, and answers with a hello of its own or asks for a retry."""
    hello = make_client_hello(KEY, "example.com", random=Random(5).randbytes, now=NOW)
    assert len(hello) == 517
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    context.sni_callback = lambda _, name, __: names.append(name)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    end = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(hello)
    with pytest.raises(ssl.SSLError, match=r"(?i)no.suitable|no.shared.cipher"):
        end.do_handshake()  # without a certificate it gets no further than that
    assert names == ["example.com"]


@given(st.integers(0, 1 << 30), st.from_regex(r"[a-z.]{1,182}", fullmatch=True))
def test_every_hello_has_the_size_of_a_browsers(seed: int, domain: str) -> None:
    hello = make_client_hello(KEY, domain, random=Random(seed).randbytes, now=NOW)
    assert len(hello) == 517
    assert read_client_hello(hello)[2] == domain
    server = server_of(domain=domain)
    server.receive(hello)
    assert server.ready


def test_a_hello_counts_once() -> None:
    replays, hello = Replays(), client_of().outgoing()
    server_of(replays=replays).receive(hello)
    second = server_of(replays=replays, now=NOW + MAX_SKEW)
    second.receive(hello)
    assert second.failure == "the hello of a TLS client was seen before"


def test_memory_of_hellos_is_bounded_and_fades() -> None:
    replays = Replays(remembered=2)
    assert replays.first_time(b"1", now=NOW)
    assert replays.first_time(b"2", now=NOW + 1)
    assert not replays.first_time(b"3", now=NOW + 2)
    assert not replays.first_time(b"1", now=NOW + 2 * MAX_SKEW)
    assert replays.first_time(b"3", now=NOW + 2 * MAX_SKEW + 0.5)
    assert not replays.first_time(b"2", now=NOW + 2 * MAX_SKEW + 0.5)


def test_another_secret() -> None:
    client, server = client_of(b"another secret.."), server_of()
    server.receive(client.outgoing())
    assert "not made with the secret" in server.failure
    assert server.receive(b"more") == b""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda hello: b"\x17" + hello[1:], "no hello"),
        (lambda hello: hello[:3] + b"\xff\xff" + hello[5:], "no hello"),
        (lambda hello: hello[:3] + b"\0\x10" + hello[5:], "no hello"),
        (lambda hello: hello[:5] + b"\x02" + hello[6:], "another message"),
        (lambda hello: hello[:43] + b"\xff" + hello[44:], "long session id"),
        (lambda hello: hello[:8] + b"\x00" + hello[9:], "something follows its end"),
        (lambda hello: hello[:7] + b"\xff" + hello[8:], "ends too early"),
        (lambda hello: hello.replace(b"\x13\x01\x13\x02\x13\x03", b"\x12" * 6), "no TLS 1.3"),
    ],
)
def test_hellos_that_are_none(change: Any, reason: str) -> None:
    server = server_of()
    server.receive(change(client_of().outgoing()))
    assert reason in server.failure
    assert not server.ready


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"HTTP/1.1 400", "not that of a TLS server"),
        (b"\x17\x03\x03\0\x01x", "not that of a TLS server"),
        (b"\x16\x03\x03\0\x01x" + b"\x17\x03\x03\0\x01x", "not that of a TLS server"),
        (b"\x16\x03\x03\0\x01x" + CHANGE + b"\x16\x03\x03\0\x01x", "not that of a TLS server"),
        (b"\x16\x03\x03\xff\xff", "too long"),
        (b"\x16\x03\x03\x40\0" + bytes(0x4000), None),
        ((b"\x16\x03\x03\x40\0" + bytes(0x4000)) * 4, "too long"),
        (b"\x16\x03\x03\0\x01x" + CHANGE + b"\x17\x03\x03\0\x01x", "does not know the secret"),
    ],
)
def test_answers_that_are_none(packet: bytes, reason: str | None) -> None:
    client = client_of()
    client.receive(packet)
    assert not client.ready
    if reason is None:
        assert not client.failure
    else:
        assert reason in client.failure
        assert client.receive(b"more") == b""
    assert len(packet) <= MAX_ANSWER + 64


def test_several_records_may_be_the_servers_hello() -> None:
    """As some proxies send it; the proof covers them all."""
    packet = bytes.fromhex(VECTORS["tls_answers"][0]["packet"])
    size = 5 + int.from_bytes(packet[3:5], "big")
    client = client_of()
    client.receive(packet[:size] + b"\x16\x03\x03\0\x01x" + packet[size:])
    assert "does not know the secret" in client.failure  # not: "not that of a TLS server"


def test_empty_records_come_to_an_end() -> None:
    client, _ = pair()
    assert client.receive(b"\x17\x03\x03\0\0" * 60) == b""
    assert not client.failure
    client.receive(b"\x17\x03\x03\0\0" * 10)
    assert "empty records" in client.failure


@given(
    st.lists(st.binary(min_size=1, max_size=7000), max_size=3),
    st.lists(st.integers(0, 1 << 15), max_size=8),
)
def test_however_it_is_cut(sent: list[bytes], cuts: list[int]) -> None:
    """Both directions, hellos and all."""
    client, server = client_of(), server_of()
    hello, reference = client.outgoing(), server_of()
    reference.receive(hello)
    client.receive(reference.outgoing())
    data = hello + b"".join(map(client.wrap, sent))
    assert b"".join(map(server.receive, _cut(data, cuts))) == b"".join(sent)
    other = client_of()
    other.outgoing()
    data = server.outgoing() + b"".join(map(server.wrap, sent))
    assert b"".join(map(other.receive, _cut(data, cuts))) == b"".join(sent)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]
