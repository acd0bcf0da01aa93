"""Faults of updates (E25), and chaos: the same one for the same seed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from radiogram.server import Server
from radiogram.server.faults import ALL_KINDS, FaultError, Faults, Injected
from radiogram.server.faults.chaos import Chaos
from radiogram.tl import api

from .raw import RawClient

PHONE = "9996620001"


class Pair(NamedTuple):
    """One account at two devices: what one does, the other is told."""

    acts: RawClient
    hears: RawClient
    id: int


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        server.world.add_user(PHONE, "Ada")
        yield server


@pytest.fixture
async def pair(server: Server) -> AsyncIterator[Pair]:
    acts = await RawClient.start(server)
    me = await acts.log_in(PHONE)
    hears = await RawClient.start(server)
    await hears.log_in(PHONE)
    await hears.call(api.updates.GetState())
    yield Pair(acts, hears, me.id)
    await acts.close()
    await hears.close()


async def send(pair: Pair, text: str) -> Any:
    return await pair.acts.call(
        api.messages.SendMessage(
            peer=api.InputPeerSelf(), message=text, random_id=sum(text.encode())
        )
    )


async def heard(pair: Pair) -> Any:
    """The next update; of several at once the last."""
    pushed = await pair.hears.next_push()
    return pushed.updates[-1] if isinstance(pushed, api.Updates) else pushed


async def test_a_pts_is_skipped(server: Server, pair: Pair) -> None:
    server.faults.lose_updates("updateNewMessage")
    first = await send(pair, "one")
    await send(pair, "two")
    update = await heard(pair)
    assert update.message.message == "two"
    assert update.pts - update.pts_count == first.pts  # and not what this device knows


async def test_twice(server: Server, pair: Pair) -> None:
    server.faults.repeat_updates()
    await send(pair, "one")
    assert await heard(pair) == await heard(pair)


async def test_held_and_released(server: Server, pair: Pair) -> None:
    server.faults.hold_updates()
    await send(pair, "one")
    await send(pair, "two")
    assert (await heard(pair)).message.message == "two"
    server.faults.release_updates()
    assert (await heard(pair)).message.message == "one"


async def test_out_of_order(server: Server, pair: Pair) -> None:
    server.faults.reorder_updates()
    await send(pair, "one")
    await send(pair, "two")
    updates = [await heard(pair), await heard(pair)]
    assert [one.message.message for one in updates] == ["two", "one"]
    assert updates[0].pts > updates[1].pts
    assert not server.faults.has_pushes


async def test_nothing_stays_behind_when_faults_are_cleared(server: Server, pair: Pair) -> None:
    server.faults.reorder_updates()
    await send(pair, "one")
    server.faults.clear()
    assert (await heard(pair)).message.message == "one"


async def test_a_wrong_pts_count(server: Server, pair: Pair) -> None:
    server.faults.wrong_pts_count(3)
    await send(pair, "one")
    assert (await heard(pair)).pts_count == 4


async def test_updates_too_long(server: Server, pair: Pair) -> None:
    server.faults.updates_too_long(user_id=pair.id)
    await send(pair, "one")
    assert await heard(pair) == api.UpdatesTooLong()


async def test_update_channel_too_long(server: Server, pair: Pair) -> None:
    made = await pair.acts.call(api.channels.CreateChannel(broadcast=True, title="C", about=""))
    channel = made.chats[0]
    server.faults.channel_too_long("updateNewChannelMessage")
    await send(pair, "not of a channel")
    await pair.acts.call(
        api.messages.SendMessage(
            peer=api.InputPeerChannel(channel_id=channel.id, access_hash=channel.access_hash),
            message="news",
            random_id=9,
        )
    )
    while not isinstance(update := await heard(pair), api.UpdateShort):
        pass
    assert isinstance(update.update, api.UpdateChannelTooLong)
    assert update.update.channel_id == channel.id
    assert (update.update.pts or 0) > 1


async def test_differences_that_are_too_long_or_tiny(server: Server, pair: Pair) -> None:
    for text in ("one", "two", "three"):
        await send(pair, text)
    ask = api.updates.GetDifference(pts=1, date=1, qts=0)
    server.faults.difference_too_long()
    answer = await pair.hears.call(ask)
    assert isinstance(answer, api.updates.DifferenceTooLong)
    state = await pair.hears.call(api.updates.GetState())
    assert answer.pts == state.pts
    server.faults.tiny_slices(1)
    answer = await pair.hears.call(ask)
    assert isinstance(answer, api.updates.DifferenceSlice)
    assert answer.intermediate_state.pts == 2
    answer = await pair.hears.call(ask)
    assert isinstance(answer, api.updates.Difference)
    assert len(answer.new_messages) >= 3


async def test_channel_differences_that_are_too_long_or_tiny(server: Server, pair: Pair) -> None:
    made = await pair.acts.call(api.channels.CreateChannel(broadcast=True, title="C", about=""))
    channel = made.chats[0]
    for number in (1, 2, 3):
        await pair.acts.call(
            api.messages.SendMessage(
                peer=api.InputPeerChannel(channel_id=channel.id, access_hash=channel.access_hash),
                message="news",
                random_id=number,
            )
        )
    ask = api.updates.GetChannelDifference(
        channel=api.InputChannel(channel_id=channel.id, access_hash=channel.access_hash),
        filter=api.ChannelMessagesFilterEmpty(),
        pts=1,
        limit=100,
    )
    server.faults.channel_difference_too_long()
    answer = await pair.acts.call(ask)
    assert isinstance(answer, api.updates.ChannelDifferenceTooLong)
    assert isinstance(answer.dialog, api.Dialog)
    assert len(answer.messages) >= 3
    server.faults.tiny_slices()
    answer = await pair.acts.call(ask)
    assert isinstance(answer, api.updates.ChannelDifference)
    assert answer.final is False
    assert answer.pts == 2


# ------------------------------------------------------------------ chaos


def test_the_schedule_follows_from_the_seed() -> None:
    def play(seed: int, order: list[tuple[str, int]]) -> list[Injected]:
        faults = Faults(seed)
        faults.chaos(every=5, kinds=ALL_KINDS)
        plan = faults.chaos_plan
        assert plan is not None
        for direction, user_id in order:
            planned = plan.next(direction, user_id)
            if planned is not None:
                faults.note(planned.kind, direction, user_id, planned.number)
        return sorted(faults.injected, key=lambda one: (one.detail, one.user_id, one.at))

    def exact(found: list[Injected]) -> list[tuple[Any, ...]]:
        return [(one.kind, one.detail, one.user_id, one.at) for one in found]

    streams = [(direction, user) for direction in ("in", "out", "push") for user in (1, 2)]
    one_by_one = [stream for stream in streams for _ in range(100)]
    in_turn = streams * 100
    first = play(7, one_by_one)
    assert exact(first) == exact(play(7, in_turn))  # however they interleave
    assert exact(first) != exact(play(8, one_by_one))
    assert {one.kind for one in first} >= {"drop", "repeat", "salt", "spoil", "forget"}
    chaos = Chaos.of(7, 5, ALL_KINDS)
    assert [(one.kind, one.at) for one in first if (one.detail, one.user_id) == ("out", 2)] == [
        (planned.kind, planned.number) for planned in chaos.schedule("out", 2, 100)
    ]
    assert 60 < len(first) < 180  # one in five of 600


def test_chaos_without_a_kind_for_a_direction_leaves_it_alone() -> None:
    chaos = Chaos.of(0, 1, ["push"])
    assert [chaos.may(one) for one in ("in", "out", "push")] == [False, False, True]
    assert chaos.schedule("in", 1, 50) == []
    assert len(chaos.schedule("push", 1, 50)) == 50


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"kinds": ["burn"]}, "kinds: ['burn']; choose from drop, lose"),
        ({"kinds": []}, "kinds: none; choose from drop"),
        ({"every": 0}, "every: 0 is not a number of packets; give 1 or more"),
    ],
)
def test_chaos_says_what_is_wrong(wish: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FaultError) as caught:
        Faults().chaos(**wish)
    assert sentence in str(caught.value)


async def test_chaos_of_every_kind_is_survived(server: Server, pair: Pair) -> None:
    """The raw client repairs little: it is enough that the server goes on."""
    server.faults.chaos(every=3, seed=1, kinds=["repeat", "reorder", "push"])
    for number in range(20):
        await send(pair, str(number))
    assert server.faults.injected
    server.faults.clear()
    await send(pair, "the last")


def test_the_report_tells_seed_chaos_and_what_happened() -> None:
    faults = Faults(seed=11)
    faults.chaos(every=9, kinds=["drop"])
    faults.flood_wait("messages.*", 30, times=2, user_id=5)
    faults.note("drop", "in", 5, 17)
    assert faults.report().splitlines() == [
        "seed 11",
        "chaos,every=9,seed=11,kinds=drop",
        "drop in, user 5 (number 17 of the account's)",
        "waiting: error messages.* FLOOD_WAIT_30,user_id=5,times=2",
    ]
