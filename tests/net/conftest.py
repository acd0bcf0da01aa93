"""Owners that write down what they are told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable

import pytest

from radiogram import wire
from radiogram.net import memory
from radiogram.net.driver import PacketConnection
from radiogram.wire import Frame, Packet


class Recorder:
    """An owner that keeps everything, and can be waited for."""

    def __init__(self, *, echo: bool = False) -> None:
        self.conn: PacketConnection | None = None
        self.frames: list[Frame] = []
        self.lost: list[Exception | None] = []
        self.echo = echo
        self._changed = asyncio.Event()

    def connection_made(self, conn: PacketConnection) -> None:
        self.conn = conn
        self._changed.set()

    def frames_received(self, conn: PacketConnection, frames: list[Frame]) -> None:
        self.frames += frames
        for frame in frames:
            if self.echo and isinstance(frame, Packet):
                conn.send(frame.payload)
        self._changed.set()

    def connection_lost(self, conn: PacketConnection, error: Exception | None) -> None:
        self.lost.append(error)
        self._changed.set()

    @property
    def payloads(self) -> list[bytes]:
        return [frame.payload for frame in self.frames if isinstance(frame, Packet)]

    async def until(self, condition: Callable[[Recorder], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()


class Pair:
    """Two ends of a link in memory."""

    def __init__(
        self, *, name: str = "intermediate", echo: bool = False, chop: memory.Chop | None = None
    ) -> None:
        self.near, self.far = Recorder(), Recorder(echo=echo)
        self.client, self.server = memory.link(
            self.near,
            wire.client_codec(name, random=os.urandom),
            lambda: PacketConnection(
                wire.ServerCodec(random=os.urandom), self.far, throttle=True, max_unsent=1 << 20
            ),
            chop=chop,
        )


MakePair = Callable[..., Pair]


@pytest.fixture
async def make_pair() -> AsyncIterator[MakePair]:
    pairs: list[Pair] = []

    def make(**how: object) -> Pair:
        pairs.append(Pair(**how))  # type: ignore[arg-type]
        return pairs[-1]

    yield make
    for pair in pairs:
        pair.client.abort()
        pair.server.abort()
        await pair.client.wait_closed()
        await pair.server.wait_closed()
