"""Layer 2: the key exchange, both sides of it, bodies in and bodies out.

Knows every check of the protocol's description and of the security guidelines.  Must not know
connections, nor where keys are kept.

The client's side is a generator: it yields the body of each request and is sent the body of the
reply with the time it came at.  The server's side is a table of runs, since requests may come over
any connection and more than once (A3.15, A3.16).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Generator, Sequence
from hashlib import sha1, sha256
from typing import Any, TypeVar

from msgspec import Struct

from radiogram.crypto import dh
from radiogram.crypto.aes import ige_decrypt, ige_encrypt
from radiogram.crypto.factor import factorise
from radiogram.crypto.keys import AuthKey, first_salt, new_nonce_hash, tmp_aes
from radiogram.crypto.prime import is_prime
from radiogram.crypto.rsa import PrivateKey, PublicKey
from radiogram.errors import DecodeError, SecurityError
from radiogram.mtproto.message import Random
from radiogram.tl import mtproto
from radiogram.tl.base import TLObject

REFUSED, WRONG_DC = -404, -444
"""Transport errors that end a run (A2.2, A2.4)."""

MAX_RETRIES = 5
"""How often the client tries again because the server has such a key already."""
LIFETIME = 600.0
"""Seconds for which a run exists (A3.15)."""
MAX_RUNS = 1024
"""Runs that the server remembers; the oldest leaves first."""
MAX_INNER = 144
"""Bytes of the inner data, without its padding (A3.5)."""
MAX_EXPIRES_IN = 7 * 86400
"""Seconds that a temporary key lives at most."""


class HandshakeResult(Struct, frozen=True):
    """What a finished key exchange leaves a side with."""

    auth_key: AuthKey
    salt: int
    """The first server salt (A3.14)."""
    time_offset: float
    """Seconds to add to local time to get the server's; 0 on the server itself."""
    expires_at: int | None = None
    """When a temporary key ends, in the server's unix time; None for a permanent key."""
    dc: int | None = None
    """The DC that the client named (A3.7); negative for its media-only side."""


_T = TypeVar("_T", bound=TLObject)


# ── client ───────────────────────────────────────────────────────────────────────────────────────

ClientHandshake = Generator[bytes, tuple[bytes, float], HandshakeResult]


def client_handshake(
    *,
    keys: Sequence[PublicKey],
    dc: int | None,
    random: Random,
    legacy_padding: bool = False,
    expires_in: int | None = None,
) -> ClientHandshake:
    """Make a key with a server that has one of `keys`.

    `dc` is the number the server must answer to, None to leave it open; `expires_in` makes a
    temporary key that lives for so many seconds.  ``SecurityError`` if any check fails: the run is
    then over, and so is the trust in what is at the other end.
    """
    nonce = random(16)
    reply, _ = yield _encode(mtproto.ReqPqMulti(nonce=nonce))
    question = _expect(reply, mtproto.ResPQ)
    server_nonce = question.server_nonce
    _check_nonces(question, nonce, server_nonce)
    if len(question.pq) != 8:
        raise SecurityError(f"pq has {len(question.pq)} bytes, not 8")
    offered = set(question.server_public_key_fingerprints)
    key = next((k for k in keys if k.fingerprint in offered), None)
    if key is None:
        raise SecurityError("the server has none of the public keys this client trusts")
    p, q = factorise(int.from_bytes(question.pq, "big"))

    new_nonce = random(32)
    inner = _encode(
        _inner_data(
            dc,
            expires_in,
            pq=question.pq,
            p=_number(p),
            q=_number(q),
            nonce=nonce,
            server_nonce=server_nonce,
            new_nonce=new_nonce,
        )
    )
    encrypt = key.encrypt_sha1 if legacy_padding else key.encrypt_pad
    reply, now = yield _encode(
        mtproto.ReqDHParams(
            nonce=nonce,
            server_nonce=server_nonce,
            p=_number(p),
            q=_number(q),
            public_key_fingerprint=key.fingerprint,
            encrypted_data=encrypt(inner, random),
        )
    )
    params = _server_params(reply, nonce, server_nonce, new_nonce)
    time_offset = params.server_time - now

    retry_id = 0
    for _ in range(MAX_RETRIES):
        exchange = dh.Exchange.new(random, prime=params.dh_prime, g=params.g)
        auth_key = AuthKey(exchange.shared(params.g_a))
        answer = mtproto.ClientDHInnerData(
            nonce=nonce, server_nonce=server_nonce, retry_id=retry_id, g_b=exchange.public_bytes
        )
        reply, now = yield _encode(
            mtproto.SetClientDHParams(
                nonce=nonce,
                server_nonce=server_nonce,
                encrypted_data=_hide(_encode(answer), new_nonce, server_nonce, random),
            )
        )
        if _is_done(reply, nonce, server_nonce, new_nonce, auth_key):
            expires_at = None if expires_in is None else int(now + time_offset) + expires_in
            salt = first_salt(new_nonce, server_nonce)
            return HandshakeResult(auth_key, salt, time_offset, expires_at)
        retry_id = int.from_bytes(auth_key.aux_hash, "little", signed=True)
    raise SecurityError("the server has seen every key that was tried")


def _server_params(
    reply: bytes, nonce: bytes, server_nonce: bytes, new_nonce: bytes
) -> mtproto.ServerDHInnerData:
    """Open and check the server's half of the exchange."""
    answer = _expect(reply, mtproto.ServerDHParamsOk, mtproto.ServerDHParamsFail)
    _check_nonces(answer, nonce, server_nonce)
    if isinstance(answer, mtproto.ServerDHParamsFail):
        _check_hash(answer.new_nonce_hash, sha1(new_nonce).digest()[4:])
        raise SecurityError("the server refuses the key exchange")
    params = _reveal(answer.encrypted_answer, new_nonce, server_nonce, mtproto.ServerDHInnerData)
    _check_nonces(params, nonce, server_nonce)
    dh.check_prime(params.dh_prime, params.g)
    dh.check_public(params.g_a, params.dh_prime)
    return params


def _is_done(
    reply: bytes, nonce: bytes, server_nonce: bytes, new_nonce: bytes, auth_key: AuthKey
) -> bool:
    """Tell whether the server takes the key; False if it wants another one."""
    answer = _expect(reply, mtproto.DhGenOk, mtproto.DhGenRetry, mtproto.DhGenFail)
    _check_nonces(answer, nonce, server_nonce)
    if isinstance(answer, mtproto.DhGenOk):
        _check_hash(answer.new_nonce_hash1, new_nonce_hash(new_nonce, 1, auth_key))
        return True
    if isinstance(answer, mtproto.DhGenRetry):
        _check_hash(answer.new_nonce_hash2, new_nonce_hash(new_nonce, 2, auth_key))
        return False
    _check_hash(answer.new_nonce_hash3, new_nonce_hash(new_nonce, 3, auth_key))
    raise SecurityError("the server gives up the key exchange")


def _inner_data(dc: int | None, expires_in: int | None, **numbers: bytes) -> TLObject:
    """Choose among the four kinds of what only the server may read (A3.7)."""
    if expires_in is None:
        if dc is None:
            return mtproto.PQInnerData(**numbers)
        return mtproto.PQInnerDataDc(dc=dc, **numbers)
    if dc is None:
        return mtproto.PQInnerDataTemp(expires_in=expires_in, **numbers)
    return mtproto.PQInnerDataTempDc(dc=dc, expires_in=expires_in, **numbers)


# ── server ───────────────────────────────────────────────────────────────────────────────────────


class Outcome(Struct, frozen=True):
    """What the server does about a body that came unencrypted: one of `reply` and `error`."""

    reply: bytes | None = None
    error: int | None = None
    """A transport error: -404, or -444 for a wrong DC."""
    result: HandshakeResult | None = None
    """The new key, the first time its last reply is given."""


class _Run:
    """One key exchange, from the server's side."""

    def __init__(self, nonce: bytes, server_nonce: bytes, p: int, q: int, now: float) -> None:
        self.nonce = nonce
        self.server_nonce = server_nonce
        self.p, self.q = p, q
        self.created = now
        self.answers: dict[bytes, bytes] = {}
        """Reply by hash of the request, for repetitions (A3.15)."""
        self.new_nonce = b""
        self.exchange: dh.Exchange | None = None
        self.retry_id = 0
        self.expires_in: int | None = None
        self.dc: int | None = None
        self.over = False
        """True once a key was made, or a check failed."""


class _Refusal(Exception):
    """Ends a run; never leaves this module."""

    def __init__(self, code: int = REFUSED) -> None:
        self.code = code


class ServerHandshakes:
    """The key exchanges that a server has under way."""

    def __init__(
        self,
        key: PrivateKey,
        *,
        dc_id: int,
        random: Random,
        accept_dc: Callable[[int], bool] | None = None,
        is_taken: Callable[[AuthKey], bool],
        spoiling: Callable[[str], str] = lambda _step: "",
    ) -> None:
        """`accept_dc` judges the DC that a client names (A3.7), by default only `dc_id` is good.

        `is_taken` tells whether a key with the same id exists. `spoiling` tells of each answer
        (``resPQ``, ``server_DH_params``, ``dh_gen``) what is to be wrong with it on purpose; it is
        nothing by default.
        """
        self._key = key
        self._random = random
        self._accept_dc = accept_dc or (lambda dc: dc == dc_id)
        self._is_taken = is_taken
        self._spoiling = spoiling
        self._runs: dict[bytes, _Run] = {}

    def handle(self, body: bytes, *, now: float) -> Outcome:
        """Answer the body of a plain message; raises nothing, whatever it is."""
        self._expire(now)
        try:
            request = mtproto.REGISTRY.decode_request(body)
        except DecodeError:
            return Outcome(error=REFUSED)
        digest = sha256(body).digest()
        run = self._runs.get(getattr(request, "nonce", b""))
        if run is not None and digest in run.answers:
            return Outcome(reply=run.answers[digest])
        if isinstance(request, mtproto.ReqPq | mtproto.ReqPqMulti):
            run = self._begin(request.nonce, now)
            run.answers[digest] = reply = self._question(run)
            return Outcome(reply=reply)
        if run is None or run.over:
            return Outcome(error=REFUSED)
        result = None
        try:
            if not hmac.compare_digest(getattr(request, "server_nonce", b""), run.server_nonce):
                raise _Refusal
            if isinstance(request, mtproto.ReqDHParams):
                reply = self._give_params(run, request, now)
            elif isinstance(request, mtproto.SetClientDHParams):
                reply, result = self._take_public(run, request, now)
            else:
                raise _Refusal
        except (_Refusal, SecurityError) as error:
            run.over = True
            run.answers.clear()
            return Outcome(error=error.code if isinstance(error, _Refusal) else REFUSED)
        run.answers[digest] = reply
        return Outcome(reply=reply, result=result)

    def forget(self) -> None:
        """Forget every run."""
        self._runs.clear()

    def _expire(self, now: float) -> None:
        while self._runs:
            nonce, oldest = next(iter(self._runs.items()))
            if len(self._runs) <= MAX_RUNS and 0 <= now - oldest.created <= LIFETIME:
                return
            del self._runs[nonce]

    def _begin(self, nonce: bytes, now: float) -> _Run:
        # The product fills 8 bytes and stays below 2^63; a short p spares the client's time.
        p, q = _random_prime(self._random, 28), _random_prime(self._random, 32)
        run = _Run(nonce, self._random(16), p, q, now)
        self._runs.pop(nonce, None)
        self._runs[nonce] = run
        return run

    def _question(self, run: _Run) -> bytes:
        spoiling = self._spoiling("resPQ")
        fingerprint = self._key.public.fingerprint
        return _encode(
            mtproto.ResPQ(
                nonce=_other(run.nonce) if spoiling == "wrong_nonce" else run.nonce,
                server_nonce=run.server_nonce,
                pq=_number(run.p * run.q),
                server_public_key_fingerprints=[
                    fingerprint ^ 1 if spoiling == "unknown_fingerprint" else fingerprint
                ],
            )
        )

    def _give_params(self, run: _Run, request: mtproto.ReqDHParams, now: float) -> bytes:
        """Answer req_DH_params (A3.4 to A3.9)."""
        p, q = int.from_bytes(request.p, "big"), int.from_bytes(request.q, "big")
        if (
            run.exchange is not None
            or (p, q) != (run.p, run.q)
            or request.public_key_fingerprint != self._key.public.fingerprint
        ):
            raise _Refusal
        inner = self._read_inner(request.encrypted_data)
        numbers = [int.from_bytes(n, "big") for n in (inner.pq, inner.p, inner.q)]
        if numbers != [p * q, p, q]:
            raise _Refusal
        _check_nonces(inner, run.nonce, run.server_nonce)
        run.dc = dc = getattr(inner, "dc", None)
        if dc is not None and not self._accept_dc(dc):
            raise _Refusal(WRONG_DC)
        run.expires_in = getattr(inner, "expires_in", None)
        if run.expires_in is not None and run.expires_in <= 0:
            raise _Refusal
        run.new_nonce = inner.new_nonce
        run.exchange = exchange = dh.Exchange.new(self._random)
        spoiling = self._spoiling("server_DH_params")
        prime = exchange.prime - 2 if spoiling == "bad_prime" else exchange.prime
        inner_data = mtproto.ServerDHInnerData(
            nonce=_other(run.nonce) if spoiling == "wrong_inner_nonce" else run.nonce,
            server_nonce=run.server_nonce,
            g=exchange.g,
            dh_prime=prime.to_bytes(dh.SIZE, "big"),
            g_a=b"\1" if spoiling == "bad_g_a" else exchange.public_bytes,
            server_time=int(now),
        )
        answer = _encode(inner_data)
        hidden = _hide(
            answer,
            run.new_nonce,
            run.server_nonce,
            self._random,
            digest=_other(sha1(answer).digest()) if spoiling == "bad_hash" else None,
        )
        return _encode(
            mtproto.ServerDHParamsOk(
                nonce=run.nonce, server_nonce=run.server_nonce, encrypted_answer=hidden
            )
        )

    def _read_inner(self, encrypted: bytes) -> Any:
        """Decrypt what only this server can read, in either padding."""
        for data in self._key.decrypt(encrypted):
            try:
                inner, end = mtproto.REGISTRY.decode_prefix(data)
            except DecodeError:
                continue
            if isinstance(inner, mtproto.TypePQInnerData) and end <= MAX_INNER:
                return inner
        raise _Refusal

    def _take_public(
        self, run: _Run, request: mtproto.SetClientDHParams, now: float
    ) -> tuple[bytes, HandshakeResult | None]:
        """Answer set_client_DH_params (A3.11 to A3.13)."""
        if run.exchange is None:
            raise _Refusal
        answer = _reveal(
            request.encrypted_data, run.new_nonce, run.server_nonce, mtproto.ClientDHInnerData
        )
        _check_nonces(answer, run.nonce, run.server_nonce)
        if answer.retry_id != run.retry_id or len(run.answers) > MAX_RETRIES + 2:
            raise _Refusal
        auth_key = AuthKey(run.exchange.shared(answer.g_b))
        nonces = {"nonce": run.nonce, "server_nonce": run.server_nonce}
        spoiling = self._spoiling("dh_gen")
        if spoiling == "fail":
            run.over = True
            proof = new_nonce_hash(run.new_nonce, 3, auth_key)
            return _encode(mtproto.DhGenFail(**nonces, new_nonce_hash3=proof)), None
        if spoiling == "retry" or self._is_taken(auth_key):
            run.retry_id = int.from_bytes(auth_key.aux_hash, "little", signed=True)
            proof = new_nonce_hash(run.new_nonce, 2, auth_key)
            return _encode(mtproto.DhGenRetry(**nonces, new_nonce_hash2=proof)), None
        run.over = True
        expires_at = None
        if run.expires_in is not None:
            expires_at = int(now) + min(run.expires_in, MAX_EXPIRES_IN)
        salt = first_salt(run.new_nonce, run.server_nonce)
        proof = new_nonce_hash(run.new_nonce, 1, auth_key)
        if spoiling == "wrong_new_nonce_hash":
            proof = _other(proof)
        reply = _encode(mtproto.DhGenOk(**nonces, new_nonce_hash1=proof))
        return reply, HandshakeResult(auth_key, salt, 0.0, expires_at, run.dc)


def _random_prime(random: Random, bits: int) -> int:
    """Return a prime of exactly so many bits, at most 32."""
    top = 1 << (bits - 1)
    n = int.from_bytes(random(4), "big") % top | top | 1
    while not is_prime(n):
        n = n + 2 if n + 2 < 2 * top else top | 1
    return n


# ── both ─────────────────────────────────────────────────────────────────────────────────────────


def _encode(value: TLObject) -> bytes:
    return mtproto.REGISTRY.encode(value)


def _number(value: int) -> bytes:
    """Write a number as the exchange does: big-endian, without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _expect(body: bytes, *kinds: type[Any]) -> Any:
    """Read a reply of one of some kinds.

    What follows it is not looked at: Telegram's servers put up to 88 bytes of padding there.
    """
    try:
        value, _ = mtproto.REGISTRY.decode_prefix(body)
    except DecodeError as error:
        raise SecurityError(f"a reply of the key exchange cannot be read: {error}") from error
    if not isinstance(value, kinds):
        expected = " or ".join(kind.TL_NAME for kind in kinds)
        found = getattr(value, "TL_NAME", "a bare value")
        raise SecurityError(f"the key exchange wants {expected} now, not {found}")
    return value


def _check_nonces(value: Any, nonce: bytes, server_nonce: bytes) -> None:
    same = hmac.compare_digest(value.nonce + value.server_nonce, nonce + server_nonce)
    if not same:
        raise SecurityError("a reply belongs to another key exchange: its nonces differ")


def _check_hash(given: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(given, expected):
        raise SecurityError("the other side does not prove that it knows the new key")


def _other(data: bytes) -> bytes:
    """Return something of the same length that is not the same."""
    return bytes([data[0] ^ 1]) + data[1:]


def _hide(
    data: bytes,
    new_nonce: bytes,
    server_nonce: bytes,
    random: Random,
    *,
    digest: bytes | None = None,
) -> bytes:
    """Encrypt a half of the exchange with the temporary key (A3.9); `digest`: a wrong one."""
    with_hash = (digest or sha1(data).digest()) + data
    with_hash += random(-len(with_hash) % 16)
    return ige_encrypt(with_hash, *tmp_aes(new_nonce, server_nonce))


def _reveal(hidden: bytes, new_nonce: bytes, server_nonce: bytes, kind: type[_T]) -> _T:
    """Decrypt a half of the exchange; ``SecurityError`` unless its hash and kind are right."""
    if not hidden or len(hidden) % 16:
        raise SecurityError(f"{len(hidden)} bytes cannot be a half of the key exchange")
    with_hash = ige_decrypt(hidden, *tmp_aes(new_nonce, server_nonce))
    try:
        value, end = mtproto.REGISTRY.decode_prefix(with_hash, 20)
    except DecodeError as error:
        raise SecurityError(f"a half of the key exchange cannot be read: {error}") from error
    if not isinstance(value, kind) or len(with_hash) - end > 15:
        raise SecurityError("a half of the key exchange is something else")
    _check_hash(with_hash[:20], sha1(with_hash[20:end]).digest())
    return value
