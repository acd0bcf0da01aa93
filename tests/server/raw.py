"""A client made of the engine and nothing else, to say to a server whatever a test wants said."""

from __future__ import annotations

import asyncio
import os
from types import TracebackType
from typing import Any, Self

from radiogram.crypto.keys import AuthKey
from radiogram.crypto.rsa import PublicKey
from radiogram.mtproto import events
from radiogram.mtproto.client import ClientSession
from radiogram.mtproto.handshake import client_handshake
from radiogram.mtproto.message import open_plain, pack_plain
from radiogram.net.dial import connect
from radiogram.net.driver import PacketConnection
from radiogram.server import RpcFault, Server
from radiogram.tl import api, mtproto
from radiogram.tl.base import Request
from radiogram.tl.build import registry
from radiogram.wire import client_codec
from radiogram.wire.base import ErrorCode, Frame, Packet, QuickAck

PATIENCE = 10.0
"""Seconds after which a test fails instead of waiting on."""


class Line:
    """One TCP connection; what it brings waits in `inbox`."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.conn: PacketConnection

    def connection_made(self, conn: PacketConnection) -> None:
        self.conn = conn

    def frames_received(self, conn: PacketConnection, frames: list[Frame]) -> None:
        for frame in frames:
            self.inbox.put_nowait(frame)

    def connection_lost(self, conn: PacketConnection, error: Exception | None) -> None:
        self.inbox.put_nowait(None)

    async def next(self) -> Frame | None:
        """Return the next packet, quick ack or transport error; None at the end."""
        return await asyncio.wait_for(self.inbox.get(), PATIENCE)

    async def close(self) -> None:
        self.conn.close()
        await self.conn.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


async def dial(
    server: Server,
    transport: Any = "abridged",
    *,
    obfuscated: bool = False,
    dc_id: int | None = None,
) -> Line:
    """Open a connection to a server, or to one of the DCs that it plays."""
    line = Line()
    address = server.addresses[dc_id or server.dc_id]
    codec = client_codec(transport, obfuscated=obfuscated, random=os.urandom)
    await connect(address.host, address.port, codec, line, timeout=PATIENCE)
    return line


async def exchange_keys(
    server: Server, line: Line, *, dc: int | None = None, expires_in: int | None = None
) -> tuple[AuthKey, int]:
    """Make an auth key; return it with the first salt."""
    run = client_handshake(
        keys=[PublicKey.from_pem(server.public_key)],
        dc=dc,
        random=os.urandom,
        expires_in=expires_in,
    )
    body = next(run)
    msg_id = int(server.world.clock.now() * 2**32) & ~3
    while True:
        msg_id += 4
        line.conn.send(pack_plain(msg_id, body))
        frame = await line.next()
        if not isinstance(frame, Packet):
            raise ConnectionError(str(frame))
        answer = open_plain(frame.payload)[1]
        try:
            body = run.send((answer, server.world.clock.now()))
        except StopIteration as done:
            return done.value.auth_key, done.value.salt


class RawClient:
    """A session on a connection, without any of the client's repairs."""

    def __init__(
        self, server: Server, line: Line, key: AuthKey, salt: int, *, layer: int = api.LAYER
    ) -> None:
        self.server = server
        self.line = line
        self.key = key
        self.layer = layer
        self.pushed: list[Any] = []
        self.events: list[Any] = []
        self.session = ClientSession(key, salt=salt, random=os.urandom)
        self.session.connection_made(now=self.now)
        self._results: dict[int, bytes | RpcFault] = {}
        self._initialised = False

    @property
    def now(self) -> float:
        return self.server.world.clock.now()

    @classmethod
    async def start(
        cls, server: Server, *, layer: int = api.LAYER, dc_id: int | None = None
    ) -> RawClient:
        """Connect, make a key and begin a session."""
        line = await dial(server, dc_id=dc_id)
        key, salt = await exchange_keys(server, line)
        return cls(server, line, key, salt, layer=layer)

    async def another_session(self) -> RawClient:
        """Begin another session of the same key on another connection."""
        line = await dial(self.server)
        return type(self)(self.server, line, self.key, self.session.salt, layer=self.layer)

    async def reconnect(self) -> None:
        """Go on with the same session on a new connection."""
        self.session.connection_lost(now=self.now)
        await self.line.close()
        self.line = await dial(self.server)
        self.session.connection_made(now=self.now)
        self.flush()

    def encode(self, request: Request[Any]) -> bytes:
        return registry(self.layer).encode(request)

    def wrap(self, query: bytes) -> bytes:
        """Introduce the client, as the first call of a key must."""
        return self.encode(
            api.InvokeWithLayer(
                layer=self.layer,
                query=self.encode(
                    api.InitConnection(
                        api_id=1,
                        device_model="test",
                        system_version="1",
                        app_version="1",
                        system_lang_code="en",
                        lang_pack="",
                        lang_code="en",
                        query=query,
                    )
                ),
            )
        )

    def send(self, body: bytes) -> int:
        """Send one call, and return its number."""
        call_id = self.session.call(body, now=self.now)
        self.flush()
        return call_id

    def flush(self) -> None:
        for packet in self.session.packets(now=self.now):
            self.line.conn.send(packet)

    async def result(self, call_id: int) -> bytes:
        """Wait for the answer to a call; RpcFault if it is an error."""
        while call_id not in self._results:
            await self.pump()
        result = self._results.pop(call_id)
        if isinstance(result, RpcFault):
            raise result
        return result

    async def pump(self) -> None:
        """Take one packet."""
        frame = await self.line.next()
        if isinstance(frame, ErrorCode):
            raise ConnectionError(f"transport error {frame.code}")
        if frame is None:
            raise ConnectionError("the connection ended")
        if isinstance(frame, QuickAck):
            self.events.append(frame)
            return
        for event in self.session.receive(frame.payload, now=self.now):
            match event:
                case events.Result():
                    self._results[event.call_id] = event.body
                case events.ResultError():
                    self._results[event.call_id] = RpcFault(event.code, event.message)
                case events.Update():
                    self.pushed.append(registry(self.layer).decode(event.body))
                case _:
                    self.events.append(event)
        self.flush()

    async def call(self, request: Request[Any]) -> Any:
        """Call a method and return its result."""
        body = self.encode(request)
        if not self._initialised:
            self._initialised = True
            body = self.wrap(body)
        return registry(self.layer).decode_result(request, await self.result(self.send(body)))

    async def next_push(self) -> Any:
        """Wait for a pushed update."""
        while not self.pushed:
            await self.pump()
        return self.pushed.pop(0)

    async def log_in(self, phone: str) -> Any:
        """Sign in to an account that exists, and return its user."""
        sent = await self.call(
            api.auth.SendCode(
                phone_number=phone, api_id=1, api_hash="x", settings=api.CodeSettings()
            )
        )
        authorization = await self.call(
            api.auth.SignIn(
                phone_number=phone,
                phone_code_hash=sent.phone_code_hash,
                phone_code=self.server.world.login_code(phone),
            )
        )
        return authorization.user

    async def close(self) -> None:
        await self.line.close()


def service(message: Any) -> bytes:
    """Serialise a service message of MTProto."""
    return mtproto.REGISTRY.encode(message)
