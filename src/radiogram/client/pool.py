"""Layer 4, client: the connections besides the one at home: to other data centres, and for media.

Knows which connection a call needs, how an account gets into another data centre, and when a
connection is of no more use. Must not know what calls mean, nor how one connection works.

Theory of operation. There is one connection for each data centre and purpose, made when it is first
needed and closed when it was idle. A data centre has keys of its own, so the account is exported at
home and imported there; the home's own media connections have the home's key. None of them gets
updates: those come home. A CDN holds files of everybody: its keys are told by help.getCdnConfig,
and nobody signs in there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Literal, Protocol

from radiogram.client.datacenters import Endpoint
from radiogram.client.sender import Answer, Sender
from radiogram.crypto import rsa
from radiogram.crypto.keys import AuthKey
from radiogram.errors import ClientClosed, ClientError, KeyUnknown, rpc_error
from radiogram.net.deadline import Timer
from radiogram.tl import api
from radiogram.tl.base import Request
from radiogram.tl.build import registry

log = logging.getLogger("radiogram.client")

Purpose = Literal["home", "media", "cdn"]
"""What a connection is for: calls in general, the parts of files, or files of a CDN."""

IDLE = 60.0
"""Seconds without a call after which a connection is closed."""
LOST = {"AUTH_KEY_UNREGISTERED", "SESSION_REVOKED", "SESSION_EXPIRED"}
"""Answers of another data centre that mean: come in again (E11)."""
WITHOUT_UPDATES = api.InvokeWithoutUpdates.TL_ID.to_bytes(4, "little")


class Owner(Protocol):
    """What the pool asks of the client."""

    @property
    def home(self) -> tuple[int, AuthKey | None, int]:
        """Data centre of the account, the key there, and who is signed in (0: nobody)."""
        ...

    def find(self, dc_id: int, purpose: Purpose, keys: tuple[rsa.PublicKey, ...] = ()) -> Endpoint:
        """Tell where a data centre is. Raises ClientError if that is not known."""
        ...

    def make_sender(
        self, endpoint: Endpoint, key: AuthKey | None, key_made: Callable[[AuthKey], None]
    ) -> Sender:
        """Make a sender that is not connected yet and tells nobody of updates."""
        ...

    async def call_home(self, request: Request[Any]) -> Any:
        """Call a method at home."""
        ...


class _Line:
    """One connection."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.account = 0
        """Who is signed in there, as far as this process knows."""
        self.busy = 0
        """Calls under way."""
        self.used = 0.0
        """When the last call ended."""


class Pool:
    """The connections of one client that are not its main one."""

    def __init__(self, owner: Owner, *, clock: Callable[[], float], idle: float = IDLE) -> None:
        self.idle = idle
        """Seconds without a call after which a connection is closed."""
        self._owner = owner
        self._clock = clock
        self._lines: dict[tuple[int, Purpose], _Line] = {}
        self._opening: dict[tuple[int, Purpose], asyncio.Lock] = {}
        self._keys: dict[tuple[int, bool], AuthKey] = {}
        """Keys of other data centres, by id and whether it is a CDN."""
        self._timer: Timer | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._times_closed = 0

    def __repr__(self) -> str:
        return f"<Pool {self.open}>"

    @property
    def open(self) -> list[tuple[int, Purpose]]:
        """The connections that there are: data centre and purpose."""
        return sorted(name for name, line in self._lines.items() if not line.sender.over)

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    async def request(self, body: bytes, dc_id: int, purpose: Purpose = "home") -> Answer:
        """Send one serialised call to a data centre; give the answer, as a sender does.

        Raises ClientError when nobody knows that data centre, ConnectionFailed when it does not
        answer, and the RpcError with which the account is not let in.
        """
        if purpose != "cdn":
            body = WITHOUT_UPDATES + body
        for last in (False, True):
            line = await self._line(dc_id, purpose)
            line.busy += 1
            try:
                await self._let_in(line, dc_id, purpose)
                answer = await line.sender.request(body)
            except KeyUnknown:  # it was deleted there; another one is as good
                self._keys.pop((dc_id, purpose == "cdn"), None)
                if last or dc_id == self._owner.home[0]:
                    raise
                continue
            finally:
                line.busy -= 1
                line.used = self._clock()
                self._wait_idle()
            away = purpose != "cdn" and dc_id != self._owner.home[0]
            if last or not away or isinstance(answer, bytes) or answer.message not in LOST:
                return answer
            log.info("DC %d: %s, importing the account again", dc_id, answer.message)
            line.account = 0
        raise AssertionError  # the last round returns or raises

    async def _line(self, dc_id: int, purpose: Purpose) -> _Line:
        """Return the connection, opened if there is none; one at a time, whoever waits for it."""
        name = dc_id, purpose
        async with self._opening.setdefault(name, asyncio.Lock()):
            line = self._lines.get(name)
            if line is not None and not line.sender.over:
                return line
            home, home_key, _ = self._owner.home
            cdn = purpose == "cdn"
            keys = await self._cdn_keys(dc_id) if cdn else ()
            key = home_key if dc_id == home and not cdn else self._keys.get((dc_id, cdn))

            def keep(made: AuthKey) -> None:
                self._keys[dc_id, cdn] = made

            sender = self._owner.make_sender(self._owner.find(dc_id, purpose, keys), key, keep)
            times_closed = self._times_closed
            await sender.connect()
            if self._times_closed != times_closed:  # meanwhile the client was disconnected
                await sender.close()
                raise ClientClosed("the client was disconnected; call `await client.connect()`")
            line = self._lines[name] = _Line(sender)
            log.debug("opened a connection to DC %d for %s", dc_id, purpose)
            return line

    async def _let_in(self, line: _Line, dc_id: int, purpose: Purpose) -> None:
        """Sign the account in at another data centre, if it is signed in at home."""
        home, _, account = self._owner.home
        if purpose == "cdn" or dc_id == home or line.account == account:
            return
        async with self._opening[dc_id, purpose]:
            for last in (False, True):
                if line.account == account:
                    return
                exported = await self._owner.call_home(api.auth.ExportAuthorization(dc_id=dc_id))
                request = api.auth.ImportAuthorization(id=exported.id, bytes=exported.bytes)
                answer = await line.sender.request(
                    WITHOUT_UPDATES + registry(api.LAYER).encode(request)
                )
                if isinstance(answer, bytes):
                    line.account = account
                elif last or answer.message != "AUTH_BYTES_INVALID":  # they live for a minute
                    raise rpc_error(answer.code, answer.message, request)

    async def _cdn_keys(self, dc_id: int) -> tuple[rsa.PublicKey, ...]:
        config = await self._owner.call_home(api.help.GetCdnConfig())
        found = tuple(
            rsa.PublicKey.from_pem(one.public_key)
            for one in config.public_keys
            if one.dc_id == dc_id
        )
        if not found:
            raise ClientError(
                f"help.getCdnConfig names no key of the CDN {dc_id}; get the file from its own "
                "data centre instead"
            )
        return found

    # ── life ─────────────────────────────────────────────────────────────────────────────────

    def introduce_again(self, dc_id: int, purpose: Purpose) -> None:
        """Send the next call of a connection behind initConnection."""
        line = self._lines.get((dc_id, purpose))
        if line is not None:
            line.sender.initialised = False

    async def close(self, *, forget: bool = False) -> None:
        """Close every connection; `forget` the keys too, since the account is another one now."""
        self._times_closed += 1
        if self._timer is not None:
            self._timer.cancel()
        lines, self._lines = self._lines, {}
        for line in lines.values():
            self._close(line)
        if forget:
            self._keys.clear()
        if self._closing:
            await asyncio.wait(self._closing)

    def _close(self, line: _Line) -> None:
        task = asyncio.get_running_loop().create_task(line.sender.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _wait_idle(self) -> None:
        """Wake up when the next connection has been idle for long enough."""
        resting = [line.used for line in self._lines.values() if not line.busy]
        if resting:
            if self._timer is None:
                self._timer = Timer(self._close_idle, self._clock)
            self._timer.set(min(resting) + self.idle)

    def _close_idle(self) -> None:
        latest = self._clock() - self.idle
        for name, line in list(self._lines.items()):
            if not line.busy and line.used <= latest:
                log.debug("DC %d, %s: closed, it was idle", *name)
                del self._lines[name]
                self._close(line)
        self._wait_idle()
