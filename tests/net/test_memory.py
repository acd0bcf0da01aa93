"""The link in memory: any cutting on the way gives the same packets, and pressure is felt."""

from __future__ import annotations

import asyncio
import os

from hypothesis import given
from hypothesis import strategies as st

from radiogram.net.memory import HIGH_WATER
from tests.net.conftest import MakePair, Pair

SIZES = st.lists(st.integers(6, 40).map(lambda words: words * 4), min_size=1, max_size=8)


@given(sizes=SIZES, cuts=st.lists(st.integers(1, 60), min_size=1, max_size=10))
def test_any_cutting_gives_the_same_packets(sizes: list[int], cuts: list[int]) -> None:
    def chop(data: bytes) -> list[bytes]:
        pieces, position, n = [], 0, 0
        while position < len(data):
            size = cuts[n % len(cuts)]
            pieces.append(data[position : position + size])
            position, n = position + size, n + 1
        return pieces

    async def run() -> None:
        pair = Pair(name="abridged", echo=True, chop=chop)
        sent = [os.urandom(size) for size in sizes]
        for payload in sent:
            pair.client.send(payload)
        await pair.near.until(lambda owner: len(owner.frames) == len(sent))
        assert pair.near.payloads == sent
        pair.client.close()
        await pair.client.wait_closed()
        await pair.server.wait_closed()

    asyncio.run(run())


async def test_writing_faster_than_the_other_end_reads_is_felt(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.server._transport.pause_reading()  # type: ignore[union-attr]
    pair.client.write([b"x" * (HIGH_WATER + 8)])
    assert pair.client.paused
    resumed = asyncio.Event()
    pair.client.drained = resumed.set
    pair.server._transport.resume_reading()  # type: ignore[union-attr]
    async with asyncio.timeout(10):
        await resumed.wait()
    assert not pair.client.paused
    assert len(pair.far.frames) == 1


async def test_the_end_is_heard_on_both_sides_once(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.server.close()
    await pair.near.until(lambda owner: bool(owner.lost))
    await pair.far.until(lambda owner: bool(owner.lost))
    pair.client.abort()
    pair.server.abort()
    await asyncio.sleep(0)
    assert pair.near.lost == pair.far.lost == [None]


async def test_a_link_tells_its_state(make_pair: MakePair) -> None:
    pair = make_pair()
    transport = pair.client._transport
    assert transport is not None
    assert transport.is_reading()
    assert not transport.is_closing()
    assert pair.client.peer == "memory"
    pair.client.close()
    assert transport.is_closing()
    assert not transport.is_reading()
