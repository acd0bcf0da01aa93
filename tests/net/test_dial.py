"""TCP on loopback: connecting, listening, and what goes wrong with either."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import pytest

from radiogram import wire
from radiogram.errors import ConnectionFailed
from radiogram.net import dial
from radiogram.net.driver import PacketConnection
from tests.net.conftest import Recorder


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    def accept() -> PacketConnection:
        return PacketConnection(wire.ServerCodec(random=os.urandom), Recorder(echo=True))

    server = await dial.listen("127.0.0.1", 0, accept)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def connect(host: str, port: int, owner: Recorder, timeout: float = 10) -> PacketConnection:
    codec = wire.client_codec("abridged", random=os.urandom)
    return await dial.connect(host, port, codec, owner, timeout=timeout)


async def test_packets_cross_over_tcp(echo_port: int) -> None:
    owner = Recorder()
    conn = await connect("127.0.0.1", echo_port, owner)
    assert owner.conn is conn
    assert conn.peer == f"127.0.0.1:{echo_port}"
    big = os.urandom(1 << 20)
    conn.write([b"ping" * 6, big])
    await owner.until(lambda owner: len(owner.frames) == 2)
    assert owner.payloads == [b"ping" * 6, big]
    conn.close()
    await conn.wait_closed()
    assert owner.lost == [None]


async def test_a_dead_port_is_named_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else's
        port = probe.getsockname()[1]
        with pytest.raises(ConnectionFailed, match=rf"127\.0\.0\.1:{port}: connection refused"):
            await connect("127.0.0.1", port, Recorder())


async def test_silence_while_connecting_ends_with_the_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    with pytest.raises(ConnectionFailed, match=r"no answer from 192\.0\.2\.1:443 within 0 s"):
        await connect("192.0.2.1", 443, Recorder(), timeout=0)


async def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(ConnectionFailed, match=r"'nowhere\.invalid' cannot be resolved"):
        await connect("nowhere.invalid", 443, Recorder())


async def test_a_port_that_is_no_port() -> None:
    with pytest.raises(ConnectionFailed, match=r"cannot connect to 127\.0\.0\.1:70000"):
        await connect("127.0.0.1", 70000, Recorder())


async def test_a_port_in_use_cannot_be_listened_on(echo_port: int) -> None:
    with pytest.raises(ConnectionFailed, match=f"cannot listen on 127.0.0.1:{echo_port}"):
        await dial.listen("127.0.0.1", echo_port, lambda: pytest.fail("nobody comes"))


async def test_ipv6() -> None:
    def accept() -> PacketConnection:
        return PacketConnection(wire.ServerCodec(random=os.urandom), Recorder(echo=True))

    try:
        server = await dial.listen("::1", 0, accept)
    except ConnectionFailed as error:
        pytest.skip(f"no IPv6 here: {error}")
    port = server.sockets[0].getsockname()[1]
    owner = Recorder()
    conn = await connect("::1", port, owner)
    assert conn.peer == f"[::1]:{port}"
    conn.write([b"ping" * 6])
    await owner.until(lambda owner: bool(owner.frames))
    conn.close()
    await conn.wait_closed()
    server.close()
    with pytest.raises(ConnectionFailed, match=rf"\[::1\]:{port}: connection refused"):
        await connect("::1", port, Recorder())


@pytest.mark.parametrize("turns", range(5))
async def test_a_listener_that_stops_leaves_no_connection_half_made(turns: int) -> None:
    """One that the system has accepted by then is made; asyncio would forget its socket."""
    owners: list[Recorder] = []

    def accept() -> PacketConnection:
        owners.append(Recorder())
        return PacketConnection(wire.ServerCodec(random=os.urandom), owners[-1])

    server = await dial.listen("127.0.0.1", 0, accept)
    with socket.create_connection(server.sockets[0].getsockname()):
        for _ in range(turns):
            await asyncio.sleep(0)
        await dial.stop([server])
        assert not server.is_serving()
        for owner in owners:
            assert owner.conn is not None
            owner.conn.abort()
            await owner.conn.wait_closed()
