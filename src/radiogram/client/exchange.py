"""Layer 4, client: run the key exchange over a connection.

Knows plain messages and the steps of the handshake. Must not know what the key is for.
"""

from __future__ import annotations

import asyncio

from radiogram.client.datacenters import Endpoint
from radiogram.client.environment import Environment
from radiogram.errors import (
    ConnectionFailed,
    DecodeError,
    FramingError,
    ProtocolError,
    SecurityError,
)
from radiogram.mtproto.handshake import HandshakeResult, client_handshake
from radiogram.mtproto.message import open_plain, pack_plain
from radiogram.net.driver import PacketConnection
from radiogram.wire.base import ErrorCode, Frame, Packet

REFUSED, WRONG_DC = -404, -444
"""Transport errors with a meaning during the exchange (A2.2, A2.4)."""


class KeyExchange:
    """One run of the handshake, as the owner of a connection."""

    def __init__(
        self, conn: PacketConnection, endpoint: Endpoint, environment: Environment
    ) -> None:
        self._conn = conn
        self._endpoint = endpoint
        self._env = environment
        self._reply: asyncio.Future[bytes] | None = None
        self._last_id = 0

    async def run(self, timeout: float, *, expires_in: int | None = None) -> HandshakeResult:
        """Exchange keys within `timeout` seconds; with `expires_in` the key is a temporary one.

        Raises SecurityError when the server is not the one whose key was given, ConnectionFailed
        when it does not answer or speaks something else; both name the address.
        """
        endpoint = self._endpoint
        try:
            async with asyncio.timeout(timeout):
                return await self._steps(expires_in)
        except TimeoutError:
            raise ConnectionFailed(
                f"{endpoint} accepted the connection but did not answer the key exchange within "
                f"{timeout:g} seconds; {endpoint.doubt}"
            ) from None
        except SecurityError as error:
            raise SecurityError(
                f"key exchange with {endpoint}: {error}; check that the public key is this server's"
            ) from error
        except (ProtocolError, DecodeError) as error:
            raise ConnectionFailed(
                f"{endpoint} does not follow the key exchange ({error}); {endpoint.doubt}"
            ) from error

    async def _steps(self, expires_in: int | None) -> HandshakeResult:
        env = self._env
        steps = client_handshake(
            keys=self._endpoint.keys,
            dc=self._endpoint.wire_dc,
            random=env.random,
            expires_in=expires_in,
        )
        body = next(steps)
        while True:
            reply = open_plain(await self._ask(body))[1]
            try:
                body = steps.send((reply, env.clock()))
            except StopIteration as done:
                result: HandshakeResult = done.value
                return result

    async def _ask(self, body: bytes) -> bytes:
        if self._conn.closed:
            raise self._closed(None)
        self._last_id = max(int(self._env.clock() * 2**32) & ~3, self._last_id + 4)
        self._reply = asyncio.get_running_loop().create_future()
        self._conn.write([pack_plain(self._last_id, body)])
        return await self._reply

    def frames_received(self, conn: PacketConnection, frames: list[Frame]) -> None:
        """Take the reply, or the error that stands for one; anything further is ignored."""
        for frame in frames:
            if isinstance(frame, Packet):
                self._settle(frame.payload)
            elif isinstance(frame, ErrorCode):
                self._settle(self._refusal(frame.code))

    def connection_lost(self, conn: PacketConnection, error: Exception | None) -> None:
        """Pass on that there will be no reply."""
        self._settle(self._closed(error))

    def _settle(self, reply: bytes | Exception) -> None:
        if self._reply is None or self._reply.done():
            return
        if isinstance(reply, Exception):
            self._reply.set_exception(reply)
        else:
            self._reply.set_result(reply)

    def _closed(self, error: Exception | None) -> ConnectionFailed:
        if isinstance(error, FramingError):
            return ConnectionFailed(
                f"{self._endpoint} does not speak MTProto ({error}); {self._endpoint.doubt}"
            )
        return ConnectionFailed(
            f"{self._endpoint} closed the connection during the key exchange "
            f"({error or 'in order'}); {self._endpoint.doubt}"
        )

    def _refusal(self, code: int) -> Exception:
        if code == REFUSED:
            return SecurityError("the server refused it (-404)")
        if code == WRONG_DC:
            return ConnectionFailed(
                f"{self._endpoint} is not DC {self._endpoint.wire_dc} (-444); correct the dc_id"
            )
        return ConnectionFailed(f"{self._endpoint} refuses this client (error {code})")
