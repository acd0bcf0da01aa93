"""The way of a call is short: few functions, and no task between the caller and the transport."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any

import pytest

from radiogram.client.client import TelegramClient
from radiogram.client.sender import Sender
from radiogram.mtproto.client import ClientSession
from radiogram.net.memory import MemoryTransport
from radiogram.tl import api
from tests.client.fake import FakeServer, make_client

MOST_DOWN, MOST_UP = 10, 7


@pytest.fixture
async def client() -> AsyncIterator[TelegramClient]:
    server = FakeServer()
    server.answer = lambda request: (
        api.NearestDc(country="", this_dc=2, nearest_dc=2)
        if isinstance(request, api.help.GetNearestDc)
        else None
    )
    async with make_client(server) as client:
        yield client


def functions(frame: FrameType | None) -> list[str]:
    """List the package's functions on the stack, innermost first."""
    found = []
    while frame is not None:
        if "/radiogram/" in frame.f_code.co_filename:
            found.append(frame.f_code.co_name)
        frame = frame.f_back
    return found


async def test_the_way_down(client: TelegramClient, monkeypatch: pytest.MonkeyPatch) -> None:
    ways: list[list[str]] = []
    call, write = ClientSession.call, MemoryTransport.write

    def watched_call(session: ClientSession, body: bytes, **more: Any) -> int:
        ways.append(["call", *functions(sys._getframe(1))])
        return call(session, body, **more)

    def watched_write(transport: MemoryTransport, data: bytes) -> None:
        if transport is client._sender._conn._transport:  # type: ignore[union-attr]
            ways.append(functions(sys._getframe(1)))
        write(transport, data)

    monkeypatch.setattr(ClientSession, "call", watched_call)
    monkeypatch.setattr(MemoryTransport, "write", watched_write)
    await client.invoke(api.help.GetNearestDc())
    to_engine, to_transport = ways[:2]
    assert to_engine[-1] == "invoke"
    assert to_transport == ["write", "_flush"]
    assert len(to_engine) + len(to_transport) <= MOST_DOWN, ways


async def test_the_way_up(client: TelegramClient, monkeypatch: pytest.MonkeyPatch) -> None:
    ways: list[list[str]] = []
    settle = Sender._settle

    def watched(sender: Sender, call_id: int, answer: Any) -> None:
        ways.append(["_settle", *functions(sys._getframe(1))])
        settle(sender, call_id, answer)

    monkeypatch.setattr(Sender, "_settle", watched)
    await client.invoke(api.help.GetNearestDc())
    (way,) = ways
    assert way[:4] == ["_settle", "_handle", "frames_received", "buffer_updated"]
    assert len(way) - len(["_deliver"]) <= MOST_UP, "_deliver is the link's, not the client's"


async def test_no_task_is_made_for_a_call(client: TelegramClient) -> None:
    made: list[Any] = []

    def make(loop: asyncio.AbstractEventLoop, coro: Any, **more: Any) -> asyncio.Task[Any]:
        made.append(coro)
        return asyncio.Task(coro, loop=loop, **more)

    asyncio.get_running_loop().set_task_factory(make)
    try:
        assert (await client.invoke(api.help.GetNearestDc())).this_dc == 2
    finally:
        asyncio.get_running_loop().set_task_factory(None)
    assert made == []
