"""The key exchange: published runs, both sides against each other, everything that can go wrong.

A3 is the server's rules; the client's are the security guidelines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha1
from random import Random
from typing import Any

import pytest

from radiogram.crypto import dh
from radiogram.crypto.aes import ige_decrypt, ige_encrypt
from radiogram.crypto.keys import AuthKey, first_salt, new_nonce_hash, tmp_aes
from radiogram.crypto.rsa import PRODUCTION_KEYS, TEST_KEYS, PrivateKey, PublicKey
from radiogram.errors import SecurityError
from radiogram.mtproto.handshake import (
    MAX_RUNS,
    ClientHandshake,
    HandshakeResult,
    Outcome,
    ServerHandshakes,
    client_handshake,
)
from radiogram.tl import mtproto
from radiogram.tl.base import TLObject
from tests.vectors import load

from .pair import START, decode, encode

RUNS = {run["name"]: run for run in load("auth_key")["runs"]}
WIRE = {run["run"]: run for run in load("mtproto_handshake")["runs"]}


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    return PrivateKey.generate()


def stream(*draws: bytes) -> Callable[[int], bytes]:
    """Return a source of randomness that gives these draws and then noise."""
    waiting = list(draws)
    noise = Random(5).randbytes

    def random(size: int) -> bytes:
        if waiting and len(waiting[0]) == size:
            return waiting.pop(0)
        return noise(size)

    return random


def finish(steps: ClientHandshake, reply: bytes, now: float) -> HandshakeResult:
    with pytest.raises(StopIteration) as done:
        steps.send((reply, now))
    result = done.value.value
    assert isinstance(result, HandshakeResult)
    return result


# ── published runs ───────────────────────────────────────────────────────────────────────────────


def test_official_run() -> None:
    run, wire = RUNS["official-2024"], WIRE["official-2024"]
    data = {name: bytes.fromhex(run[name]) for name in ("nonce", "new_nonce", "b")}
    steps = client_handshake(
        keys=PRODUCTION_KEYS,
        dc=wire["dc"],
        random=stream(data["nonce"], data["new_nonce"], data["b"], bytes.fromhex(wire["padding"])),
    )
    assert next(steps) == bytes.fromhex(wire["requests"]["req_pq_multi"])
    request = decode(steps.send((bytes.fromhex(wire["replies"]["resPQ"]), 0.0)))
    published = decode(bytes.fromhex(wire["req_DH_params"]))
    # The randomness of the RSA padding is not published, all else is.
    assert request.to_dict() | {"encrypted_data": b""} == published.to_dict() | {
        "encrypted_data": b""
    }
    reply = bytes.fromhex(wire["replies"]["server_DH_params_ok"])
    reply += bytes(wire["declared"]["server_DH_params_ok"] - len(reply))
    answer = steps.send((reply, wire["server_time"] - 7.5))
    assert answer == bytes.fromhex(wire["requests"]["set_client_DH_params"])
    result = finish(steps, bytes.fromhex(wire["replies"]["dh_gen_ok"]), 0.0)
    check_result(result, run)
    assert result.time_offset == 7.5
    assert result.expires_at is None


def test_full_run_of_another_library() -> None:
    run, wire = RUNS["grammers-full-flow"], WIRE["grammers-full-flow"]
    draws = [run[name] for name in ("nonce", "new_nonce", "rsa_padding", "rsa_temp_key", "b")]
    draws.append(wire["padding"])
    inner = bytes.fromhex(run["inner"])
    padding = bytes.fromhex(run["rsa_padding"])[: 192 - len(inner)]
    random = stream(*map(bytes.fromhex, draws[:2]), padding, *map(bytes.fromhex, draws[3:]))
    steps = client_handshake(keys=TEST_KEYS, dc=None, random=random)
    assert next(steps) == bytes.fromhex(wire["requests"]["req_pq_multi"])
    reply = bytes.fromhex(wire["replies"]["resPQ"])
    assert steps.send((reply, 0.0)) == bytes.fromhex(wire["requests"]["req_DH_params"])
    reply = bytes.fromhex(wire["replies"]["server_DH_params_ok"])
    answer = steps.send((reply, float(wire["server_time"])))
    assert answer == bytes.fromhex(wire["requests"]["set_client_DH_params"])
    result = finish(steps, bytes.fromhex(wire["replies"]["dh_gen_ok"]), 0.0)
    check_result(result, run)
    assert result.time_offset == 0


def check_result(result: HandshakeResult, run: dict[str, Any]) -> None:
    assert result.auth_key.data.hex() == run["auth_key"]
    assert result.auth_key.key_id.hex() == run["key_id"]
    assert result.auth_key.aux_hash.hex() == run["aux_hash"]
    assert result.salt.to_bytes(8, "little", signed=True).hex() == run["first_salt"]


def test_old_official_run_is_refused() -> None:
    """Its generator, 2, is none for the prime it uses: the guidelines forbid it today."""
    run, wire = RUNS["official-classic"], WIRE["official-classic"]
    private = PrivateKey.generate()
    steps = client_handshake(
        keys=[private.public],
        dc=None,
        random=stream(bytes.fromhex(run["nonce"]), bytes.fromhex(run["new_nonce"])),
    )
    next(steps)
    question = decode(bytes.fromhex(wire["replies"]["resPQ"]))
    steps.send(
        (encode(change(question, server_public_key_fingerprints=[private.public.fingerprint])), 0.0)
    )
    reply = mtproto.ServerDHParamsOk(
        nonce=bytes.fromhex(run["nonce"]),
        server_nonce=bytes.fromhex(run["server_nonce"]),
        encrypted_answer=bytes.fromhex(run["encrypted_answer"]),
    )
    with pytest.raises(SecurityError, match="2 is no generator"):
        steps.send((encode(reply), 0.0))


def test_latest_official_run() -> None:
    """Its secret is not published: what is checked is that its parts fit each other."""
    run, wire = RUNS["official-2026"], WIRE["official-2026"]
    steps = client_handshake(keys=PRODUCTION_KEYS, dc=2, random=stream(bytes.fromhex(run["nonce"])))
    assert next(steps) == bytes.fromhex(wire["requests"]["req_pq_multi"])
    request = decode(steps.send((bytes.fromhex(wire["replies"]["resPQ"]), 0.0)))
    assert request.public_key_fingerprint == PRODUCTION_KEYS[0].fingerprint
    auth_key = AuthKey(bytes.fromhex(run["auth_key"]))
    proof = new_nonce_hash(bytes.fromhex(run["new_nonce"]), 1, auth_key)
    assert decode(bytes.fromhex(wire["replies"]["dh_gen_ok"])).new_nonce_hash1 == proof
    answer = bytes.fromhex(run["answer_with_hash"])
    params, end = mtproto.REGISTRY.decode_prefix(answer, 20)
    assert sha1(answer[20:end]).digest() == answer[:20]
    assert params.server_time == wire["server_time"]


# ── both sides ───────────────────────────────────────────────────────────────────────────────────


class Bench:
    """A client and a server exchanging keys, with places to reach in."""

    def __init__(
        self,
        key: PrivateKey,
        *,
        seed: int = 1,
        taken: Callable[[AuthKey], bool] = lambda _: False,
        spoiling: Callable[[str], str] = lambda _: "",
        accept_dc: Callable[[int], bool] | None = None,
        **options: Any,
    ) -> None:
        self.key = key
        self.now = START
        self.server = ServerHandshakes(
            key,
            dc_id=2,
            random=Random(seed + 100).randbytes,
            accept_dc=accept_dc,
            is_taken=taken,
            spoiling=spoiling,
        )
        defaults: dict[str, Any] = {"keys": [key.public], "dc": 2, "random": Random(seed).randbytes}
        self.steps = client_handshake(**defaults | options)
        self.made: list[HandshakeResult] = []
        self.sent: list[bytes] = []

    def ask(self, body: bytes) -> Outcome:
        self.sent.append(body)
        outcome = self.server.handle(body, now=self.now)
        if outcome.result is not None:
            self.made.append(outcome.result)
        return outcome

    def run(
        self,
        *,
        requests: Callable[[int, bytes], bytes] = lambda _, body: body,
        replies: Callable[[int, bytes], bytes] = lambda _, body: body,
    ) -> HandshakeResult | Outcome:
        """Pump until the client is done, or until the server refuses."""
        body = next(self.steps)
        for step in range(20):
            outcome = self.ask(requests(step, body))
            if outcome.reply is None:
                return outcome
            try:
                body = self.steps.send((replies(step, outcome.reply), self.now - 3))
            except StopIteration as done:
                result = done.value
                assert isinstance(result, HandshakeResult)
                return result
        raise AssertionError("the exchange never ends")


@pytest.mark.parametrize("legacy", [False, True], ids=["rsa-pad", "sha1"])
@pytest.mark.parametrize("dc", [2, None])
@pytest.mark.parametrize("expires_in", [None, 86400])
def test_both_agree(key: PrivateKey, legacy: bool, dc: int | None, expires_in: int | None) -> None:
    """A3.2 to A3.14, with every kind of inner data (A3.7) in either wrapping (A3.6)."""
    bench = Bench(key, dc=dc, expires_in=expires_in, legacy_padding=legacy)
    client = bench.run()
    (server,) = bench.made
    assert isinstance(client, HandshakeResult)
    assert client.auth_key == server.auth_key
    assert client.salt == server.salt
    # The server tells whole seconds.
    assert client.time_offset == pytest.approx(3, abs=1)
    assert server.time_offset == 0
    assert client.expires_at == server.expires_at
    assert server.expires_at == (None if expires_in is None else int(START) + 86400)


def test_temporary_keys_do_not_live_for_ever(key: PrivateKey) -> None:
    bench = Bench(key, expires_in=2**31 - 1)
    bench.run()
    assert bench.made[0].expires_at == int(START) + 7 * 86400


def test_legacy_req_pq(key: PrivateKey) -> None:
    """A3.2: the older question gets the same answer."""
    nonce = bytes(range(16))

    def older(step: int, body: bytes) -> bytes:
        return encode(mtproto.ReqPq(nonce=decode(body).nonce)) if step == 0 else body

    bench = Bench(key, random=stream(nonce))
    assert isinstance(bench.run(requests=older), HandshakeResult)


def test_question_of_the_server(key: PrivateKey) -> None:
    for seed in range(20):
        bench = Bench(key, seed=seed)
        question = decode(bench.ask(next(bench.steps)).reply or b"")
        pq = int.from_bytes(question.pq, "big")
        assert len(question.pq) == 8
        assert pq < 1 << 63
        assert question.server_public_key_fingerprints == [key.public.fingerprint]


def test_params_of_the_server(key: PrivateKey) -> None:
    """A3.9, A3.10."""
    seen = []

    def look(step: int, body: bytes) -> bytes:
        if step == 1:
            seen.append(inner_of(body, bench))
        return body

    bench = Bench(key)
    bench.run(replies=look)
    (params,) = seen
    assert int.from_bytes(params.dh_prime, "big") == dh.PRIME
    assert params.g == 3
    assert params.server_time == int(START)
    dh.check_public(params.g_a, params.dh_prime)


def test_retries_until_the_key_is_new(key: PrivateKey) -> None:
    """A3.13: dh_gen_retry, with the failed key's hash in the next try."""
    refused: list[AuthKey] = []

    def taken(auth_key: AuthKey) -> bool:
        refused.append(auth_key)
        return len(refused) < 3

    bench = Bench(key, taken=taken)
    client = bench.run()
    assert isinstance(client, HandshakeResult)
    assert client.auth_key == refused[2]
    assert len({k.data for k in refused}) == 3


def test_gives_up_when_every_key_is_taken(key: PrivateKey) -> None:
    with pytest.raises(SecurityError, match="every key"):
        Bench(key, taken=lambda _: True).run()


def test_prefers_the_first_key_it_trusts(key: PrivateKey) -> None:
    bench = Bench(key, keys=[*PRODUCTION_KEYS, key.public])
    assert isinstance(bench.run(), HandshakeResult)


# ── what the client refuses ──────────────────────────────────────────────────────────────────────


def change(value: TLObject, **fields: Any) -> TLObject:
    return type(value)(**({f: getattr(value, f) for f in type(value).__struct_fields__} | fields))


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def secrets_of(bench: Bench) -> tuple[bytes, bytes]:
    """Return new_nonce and server_nonce of the one run, as the server knows them."""
    (run,) = bench.server._runs.values()
    return run.new_nonce, run.server_nonce


def inner_of(body: bytes, bench: Bench) -> Any:
    """Open what server_DH_params_ok hides."""
    plain = ige_decrypt(decode(body).encrypted_answer, *tmp_aes(*secrets_of(bench)))
    inner, _ = mtproto.REGISTRY.decode_prefix(plain, 20)
    assert isinstance(inner, TLObject)
    return inner


def hide(data: bytes, bench: Bench, *, digest: bytes | None = None, more: bytes = b"") -> bytes:
    plain = (sha1(data).digest() if digest is None else digest) + data + more
    return ige_encrypt(plain + bytes(-len(plain) % 16), *tmp_aes(*secrets_of(bench)))


Forgery = Callable[[Any, Bench], Any]


def hidden(**fields: Any) -> Forgery:
    """Forge a field of the inner data, and all that hides it."""

    def forge(reply: Any, bench: Bench) -> TLObject:
        inner = inner_of(encode(reply), bench)
        values = {n: v(inner) if callable(v) else v for n, v in fields.items()}
        return change(reply, encrypted_answer=hide(encode(change(inner, **values)), bench))

    return forge


def shown(**fields: Any) -> Forgery:
    """Forge a field of the reply itself."""

    def forge(reply: Any, bench: Bench) -> TLObject:
        return change(
            reply, **{n: v(getattr(reply, n)) if callable(v) else v for n, v in fields.items()}
        )

    return forge


def wrong_digest(reply: TLObject, bench: Bench) -> TLObject:
    inner = encode(inner_of(encode(reply), bench))
    return change(reply, encrypted_answer=hide(inner, bench, digest=bytes(20)))


def long_padding(reply: TLObject, bench: Bench) -> TLObject:
    inner = encode(inner_of(encode(reply), bench))
    return change(reply, encrypted_answer=hide(inner, bench, more=bytes(16)))


def other_inner(reply: TLObject, bench: Bench) -> TLObject:
    data = encode(mtproto.Pong(msg_id=1, ping_id=2))
    return change(reply, encrypted_answer=hide(data, bench))


def params_fail(proven: bool) -> Forgery:
    def forge(reply: Any, bench: Bench) -> TLObject:
        new_nonce, server_nonce = secrets_of(bench)
        proof = sha1(new_nonce).digest()[4:] if proven else bytes(16)
        return mtproto.ServerDHParamsFail(
            nonce=reply.nonce, server_nonce=server_nonce, new_nonce_hash=proof
        )

    return forge


def gen(kind: int, proven: bool) -> Forgery:
    """Answer the last step with ok, retry or fail."""

    def forge(reply: Any, bench: Bench) -> TLObject:
        new_nonce, server_nonce = secrets_of(bench)
        proof = bytes(16)
        if proven:
            proof = new_nonce_hash(new_nonce, kind, bench.made[0].auth_key)
        nonces = {"nonce": reply.nonce, "server_nonce": server_nonce}
        if kind == 1:
            return mtproto.DhGenOk(**nonces, new_nonce_hash1=proof)
        if kind == 2:
            return mtproto.DhGenRetry(**nonces, new_nonce_hash2=proof)
        return mtproto.DhGenFail(**nonces, new_nonce_hash3=proof)

    return forge


EDGE = 1 << (2048 - 64)


def number(value: int) -> bytes:
    return value.to_bytes(256, "big")


FORGERIES: dict[str, tuple[int, Forgery]] = {
    "resPQ of another run": (0, shown(nonce=flip)),
    "pq of 4 bytes": (0, shown(pq=bytes.fromhex("0000000f"))),
    "pq of 9 bytes": (0, shown(pq=bytes(1) + (15).to_bytes(8, "big"))),
    "pq prime": (0, shown(pq=(2**61 - 1).to_bytes(8, "big"))),
    "pq square": (0, shown(pq=(1000003**2).to_bytes(8, "big"))),
    "pq even": (0, shown(pq=(2 * 1000003).to_bytes(8, "big"))),
    "pq of three primes": (0, shown(pq=(1009 * 1013 * 1019).to_bytes(8, "big"))),
    "pq too large": (0, shown(pq=b"\xff" * 8)),
    "no known fingerprint": (0, shown(server_public_key_fingerprints=[1, 2, 3])),
    "no fingerprint": (0, shown(server_public_key_fingerprints=[])),
    "params of another run": (1, shown(nonce=flip)),
    "params of another server": (1, shown(server_nonce=flip)),
    "answer of odd length": (1, shown(encrypted_answer=lambda data: data[:-1])),
    "answer of nothing": (1, shown(encrypted_answer=b"")),
    "answer altered": (1, shown(encrypted_answer=flip)),
    "answer with a wrong hash": (1, wrong_digest),
    "answer with too much padding": (1, long_padding),
    "answer of another kind": (1, other_inner),
    "inner of another run": (1, hidden(nonce=lambda inner: flip(inner.nonce))),
    "inner of another server": (1, hidden(server_nonce=lambda inner: flip(inner.server_nonce))),
    **{f"generator {g}": (1, hidden(g=g)) for g in (-3, 0, 1, 2, 8)},
    "short prime": (1, hidden(dh_prime=number((1 << 2047) - 1))),
    "composite prime": (1, hidden(dh_prime=number(dh.PRIME - 24 * 7))),
    "prime not safe": (1, hidden(dh_prime=number(dh.PRIME - 564))),
    "long prime": (1, hidden(dh_prime=b"\1" + bytes(256))),
    "g_a of 0": (1, hidden(g_a=number(0))),
    "g_a of 1": (1, hidden(g_a=number(1))),
    "g_a of p - 1": (1, hidden(g_a=number(dh.PRIME - 1))),
    "g_a too small": (1, hidden(g_a=number(EDGE))),
    "g_a too large": (1, hidden(g_a=number(dh.PRIME - EDGE))),
    "g_a longer than p": (1, hidden(g_a=b"\1" + bytes(256))),
    "params refused": (1, params_fail(proven=True)),
    "params refused by somebody else": (1, params_fail(proven=False)),
    "ok of another run": (2, shown(nonce=flip)),
    "ok of another server": (2, shown(server_nonce=flip)),
    "ok without proof": (2, gen(1, proven=False)),
    "retry without proof": (2, gen(2, proven=False)),
    "fail without proof": (2, gen(3, proven=False)),
    "fail with proof": (2, gen(3, proven=True)),
    **{
        f"something else at step {step}": (
            step,
            lambda reply, bench: mtproto.Pong(msg_id=1, ping_id=2),
        )
        for step in range(3)
    },
}


@pytest.mark.parametrize("name", FORGERIES)
def test_client_refuses(key: PrivateKey, name: str) -> None:
    at_step, forge = FORGERIES[name]
    bench = Bench(key)

    def replies(step: int, body: bytes) -> bytes:
        return encode(forge(decode(body), bench)) if step == at_step else body

    with pytest.raises(SecurityError):
        bench.run(replies=replies)


@pytest.mark.parametrize("step", range(3))
@pytest.mark.parametrize(
    "body",
    [b"", b"abc", bytes(4), bytes(100), b"\xb5\x75\x72\x99", b"\x15\xc4\xb5\x1c" + bytes(4)],
    ids=["nothing", "cut", "zero", "zeros", "a boolean", "a list"],
)
def test_client_refuses_what_it_cannot_read(key: PrivateKey, step: int, body: bytes) -> None:
    bench = Bench(key)
    with pytest.raises(SecurityError):
        bench.run(replies=lambda i, reply: body if i == step else reply)


def test_padding_behind_replies_is_ignored(key: PrivateKey) -> None:
    """Telegram's own server sends up to 88 bytes there."""
    bench = Bench(key)
    assert isinstance(bench.run(replies=lambda _, body: body + bytes(88)), HandshakeResult)


# ── what the server refuses ──────────────────────────────────────────────────────────────────────


def raw_rsa(data: bytes, public: PublicKey) -> bytes:
    return public.encrypt_pad(data, Random(8).randbytes)


def reforge(key: PrivateKey, **fields: Any) -> Forgery:
    """Forge a field of the inner data that RSA hides."""

    def forge(request: Any, bench: Bench) -> TLObject:
        inner, _ = mtproto.REGISTRY.decode_prefix(key.decrypt(request.encrypted_data)[0])
        return change(request, encrypted_data=raw_rsa(encode(change(inner, **fields)), key.public))

    return forge


def client_inner(**fields: Any) -> Forgery:
    """Forge the client's half of Diffie and Hellman's exchange."""

    def forge(request: Any, bench: Bench) -> TLObject:
        plain = ige_decrypt(request.encrypted_data, *tmp_aes(*secrets_of(bench)))
        inner, _ = mtproto.REGISTRY.decode_prefix(plain, 20)
        return change(request, encrypted_data=hide(encode(change(inner, **fields)), bench))

    return forge


def server_refusals(key: PrivateKey) -> Iterator[tuple[str, int, Forgery, int]]:
    n16 = bytes(16)
    yield "params for an unknown run", 1, shown(nonce=n16), -404
    yield "params for another server", 1, shown(server_nonce=n16), -404
    yield "p and q swapped", 1, lambda r, _: change(r, p=r.q, q=r.p), -404
    yield "wrong p", 1, shown(p=b"\x11"), -404
    yield "unknown fingerprint", 1, shown(public_key_fingerprint=7), -404
    yield "short RSA", 1, shown(encrypted_data=lambda d: d[1:]), -404
    yield "RSA above the modulus", 1, shown(encrypted_data=b"\xff" * 256), -404
    yield "RSA of garbage", 1, shown(encrypted_data=bytes(255) + b"\x05"), -404
    yield "inner of another run", 1, reforge(key, nonce=n16), -404
    yield "inner of another server", 1, reforge(key, server_nonce=n16), -404
    yield "inner p", 1, reforge(key, p=b"\x11"), -404
    yield "inner pq", 1, reforge(key, pq=b"\x11"), -404
    yield "another DC", 1, reforge(key, dc=3), -444
    yield "a test DC", 1, reforge(key, dc=10002), -444

    def other(request: TLObject, bench: Bench) -> TLObject:
        data = encode(mtproto.Pong(msg_id=1, ping_id=2))
        return change(request, encrypted_data=raw_rsa(data, key.public))

    yield "inner of another kind", 1, other, -404
    yield "public for another server", 2, shown(server_nonce=n16), -404
    yield "public of odd length", 2, shown(encrypted_data=lambda d: d[1:]), -404
    yield "public of nothing", 2, shown(encrypted_data=b""), -404
    yield "public altered", 2, shown(encrypted_data=flip), -404
    yield "public of another run", 2, client_inner(nonce=n16), -404
    yield "public with another server's nonce", 2, client_inner(server_nonce=n16), -404
    yield "retry of nothing", 2, client_inner(retry_id=5), -404
    for name, g_b in (
        ("0", 0),
        ("1", 1),
        ("p - 1", dh.PRIME - 1),
        ("p", dh.PRIME),
        ("too small", EDGE),
        ("too large", dh.PRIME - EDGE),
    ):
        yield f"g_b of {name}", 2, client_inner(g_b=number(g_b)), -404


REFUSALS = [name for name, *_ in server_refusals(PrivateKey(TEST_KEYS[0], 1, 1, 1))]


@pytest.mark.parametrize("name", REFUSALS)
def test_server_refuses(key: PrivateKey, name: str) -> None:
    """A3.4, A3.7, A3.11: the answer is a transport error, and the run is dead."""
    _, at_step, forge, code = next(c for c in server_refusals(key) if c[0] == name)
    bench = Bench(key)
    original: list[bytes] = []

    def requests(step: int, body: bytes) -> bytes:
        if step != at_step:
            return body
        original.append(body)
        return encode(forge(decode(body), bench))

    assert bench.run(requests=requests) == Outcome(error=code)
    assert not bench.made
    if "unknown run" not in name:
        assert bench.ask(original[0]) == Outcome(error=-404)
    # A new question brings the nonce to life again.
    assert bench.ask(bench.sent[0]).reply is not None


@pytest.mark.parametrize(
    "body",
    [b"", b"abc", bytes(4), bytes(1000), encode(mtproto.Ping(ping_id=1))],
    ids=["nothing", "short", "zero", "zeros", "ping"],
)
def test_server_refuses_what_is_no_step(key: PrivateKey, body: bytes) -> None:
    """A3.1."""
    assert Bench(key).ask(body) == Outcome(error=-404)


def test_steps_out_of_order(key: PrivateKey) -> None:
    bench = Bench(key)
    bench.run()
    early = Bench(key)
    early.ask(next(early.steps))
    assert early.ask(bench.sent[2]).error == -404
    # Another request for the same step, once it was taken.
    late = Bench(key)
    body = late.steps.send((late.ask(next(late.steps)).reply or b"", START))
    late.ask(body)
    assert late.ask(encode(change(decode(body), encrypted_data=bytes(256)))).error == -404


def test_negative_lifetimes(key: PrivateKey) -> None:
    assert Bench(key, expires_in=-1).run() == Outcome(error=-404)


@pytest.mark.parametrize("dc", [2, -2, 10002])
def test_policy_for_dcs_is_the_servers(key: PrivateKey, dc: int) -> None:
    bench = Bench(key, dc=dc, accept_dc=lambda number: number in (2, -2, 10002))
    assert isinstance(bench.run(), HandshakeResult)


# ── repetition (A3.15) ───────────────────────────────────────────────────────────────────────────


def test_repeated_requests_get_the_same_reply(key: PrivateKey) -> None:
    bench = Bench(key, taken=lambda k: k.data[0] % 2 == 0, seed=11)
    replies: list[bytes] = []
    client = bench.run(replies=lambda _, body: replies.append(body) or body)  # type: ignore[func-returns-value]
    assert isinstance(client, HandshakeResult)
    bench.now += 599
    again = [bench.ask(body) for body in list(bench.sent)]
    assert [outcome.reply for outcome in again] == replies
    assert all(outcome.result is None for outcome in again)
    bench.now += 2
    assert bench.ask(bench.sent[-1]) == Outcome(error=-404)


def test_memory_is_bounded(key: PrivateKey) -> None:
    bench = Bench(key)
    first = next(bench.steps)
    bench.ask(first)
    for n in range(MAX_RUNS + 10):
        bench.server.handle(encode(mtproto.ReqPqMulti(nonce=n.to_bytes(16, "big"))), now=bench.now)
    assert len(bench.server._runs) <= MAX_RUNS + 1


def test_salt_is_that_of_both_nonces() -> None:
    """A3.14."""
    new_nonce, server_nonce = bytes(range(32)), bytes([255] * 16)
    salt = first_salt(new_nonce, server_nonce).to_bytes(8, "little", signed=True)
    assert salt == bytes(255 - i for i in range(8))


# ── what is wrong on purpose ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("spoiling", "step"),
    [
        ("unknown_fingerprint", "resPQ"),
        ("wrong_nonce", "resPQ"),
        ("bad_prime", "server_DH_params"),
        ("bad_g_a", "server_DH_params"),
        ("bad_hash", "server_DH_params"),
        ("wrong_inner_nonce", "server_DH_params"),
        ("fail", "dh_gen"),
        ("wrong_new_nonce_hash", "dh_gen"),
    ],
)
def test_a_server_can_be_wrong_in_one_respect(key: PrivateKey, spoiling: str, step: str) -> None:
    """E28: the client ends the run."""
    asked: list[str] = []

    def spoil(name: str) -> str:
        asked.append(name)
        return spoiling if name == step else ""

    bench = Bench(key, spoiling=spoil)
    with pytest.raises(SecurityError):
        bench.run()
    assert asked[-1] == step


def test_runs_can_be_forgotten(key: PrivateKey) -> None:
    """E24: what belongs to a run that is forgotten is refused (A3.4)."""
    bench = Bench(key)

    def forget(step: int, body: bytes) -> bytes:
        if step == 1:
            bench.server.forget()
        return body

    assert bench.run(requests=forget) == Outcome(error=-404)
