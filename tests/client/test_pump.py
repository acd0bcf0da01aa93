"""Updates on their way to handlers: kept when dealt with, repeated after a crash, never lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest

from radiogram import errors
from radiogram.client.gaps import Delivery
from radiogram.client.pump import UpdatePump, affected_line, chat_of
from radiogram.client.turns import wait
from radiogram.sessions import MemorySession, State
from radiogram.tl import api

from .test_gaps import Source, container, text_message, update_of


class Notebook(MemorySession):
    """Keeps the state in memory, and survives the pump."""

    def __init__(self, state: State | None = None, channels: dict[int, int] | None = None) -> None:
        super().__init__()
        if state is not None:
            self.keep_line(None, state)
        for channel_id, pts in (channels or {}).items():
            self.keep_line(channel_id, pts)

    @property
    def state(self) -> State | None:
        return self.lines()[0]

    @property
    def channels(self) -> dict[int, int]:
        return self.lines()[1]


class Telegram:
    """Answers differences from a source."""

    def __init__(self) -> None:
        self.source = Source()
        self.asked: list[Any] = []
        self.refuse: dict[type, Exception] = {}

    async def invoke(self, request: Any) -> Any:
        self.asked.append(request)
        if type(request) in self.refuse:
            raise self.refuse[type(request)]
        account = len(self.source.lines[None]) + 1
        state = api.updates.State(pts=account, qts=0, date=1, seq=0, unread_count=0)
        match request:
            case api.updates.GetState():
                return state
            case api.updates.GetDifference():
                return api.updates.Difference(
                    new_messages=self.since(None, request.pts),
                    new_encrypted_messages=[],
                    other_updates=[],
                    chats=[],
                    users=[],
                    state=state,
                )
            case _:
                line = request.channel.channel_id
                return api.updates.ChannelDifference(
                    final=True,
                    pts=len(self.source.lines[line]) + 1,
                    new_messages=self.since(line, request.pts),
                    other_updates=[],
                    chats=[],
                    users=[],
                )

    def since(self, line: int | None, pts: int) -> list[Any]:
        return [update.message for update in self.source.lines[line][pts - 1 :]]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def telegram() -> Telegram:
    return Telegram()


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[..., UpdatePump]


@pytest.fixture
async def make(telegram: Telegram, clock: Clock) -> AsyncIterator[Make]:
    pumps = []

    def make(handle: Callable[[Delivery], Awaitable[None]], **options: Any) -> UpdatePump:
        fields: dict[str, Any] = {
            "handle": handle,
            "invoke": telegram.invoke,
            "input_channel": lambda number: api.InputChannel(channel_id=number, access_hash=1),
            "knows": lambda ids: True,
            "keeper": Notebook(),
            "clock": clock,
            "self_id": 999,
        }
        pump = UpdatePump(**{**fields, **options})
        pumps.append(pump)
        return pump

    yield make
    for pump in pumps:
        await pump.stop()


class Handler:
    """Notes what it was given."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.keys: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False

    async def __call__(self, delivery: Delivery) -> None:
        await self.gate.wait()
        update: Any = delivery.update
        self.seen.append(
            getattr(getattr(update, "message", None), "message", type(update).__name__)
        )
        self.keys.append(delivery.key)
        if self.broken:
            raise RuntimeError("a handler that fails")


async def test_a_first_start_begins_where_the_server_is(make: Make, telegram: Telegram) -> None:
    telegram.source.happen(None)
    handler, notes = Handler(), Notebook()
    pump = make(handler, keeper=notes)
    await pump.start()
    pump.push(container(telegram.source.happen(None)))
    await pump.drain()
    assert handler.seen == ["a3"]
    assert notes.state == State(3, 0, 1, 0)


async def test_a_later_start_fetches_what_was_missed(make: Make, telegram: Telegram) -> None:
    for line in (None, 1, 1, None):
        telegram.source.happen(line)
    handler, notes = Handler(), Notebook(State(2, 0, 1, 0), {1: 2})
    pump = make(handler, keeper=notes)
    await pump.start()
    await pump.drain()
    assert sorted(handler.seen) == ["1-3", "a3"]
    assert (notes.state, notes.channels) == (State(3, 0, 1, 0), {1: 3})


async def test_what_was_not_dealt_with_comes_again(make: Make, telegram: Telegram) -> None:
    handler, notes = Handler(), Notebook(State(1, 0, 1, 0))
    pump = make(handler, keeper=notes)
    handler.gate.clear()
    pump.push(container(telegram.source.happen(None)))
    await asyncio.sleep(0)
    await pump.stop()  # as in a crash: the handler never ended
    assert notes.state == State(1, 0, 1, 0)
    again = Handler()
    pump = make(again, keeper=notes)
    await pump.start()
    await pump.drain()
    assert again.seen == ["a2"]
    assert notes.state == State(2, 0, 1, 0)


async def test_the_key_is_the_same_by_push_and_by_difference(
    make: Make, telegram: Telegram
) -> None:
    update = telegram.source.happen(None)
    pushed, fetched = Handler(), Handler()
    first = make(pushed, keeper=Notebook(State(1, 0, 1, 0)))
    first.push(container(update))
    second = make(fetched, keeper=Notebook(State(1, 0, 1, 0)))
    await second.start()
    await first.drain()
    await second.drain()
    assert pushed.keys == fetched.keys == ["NewMessage:2"]


async def test_a_handler_that_fails_stops_nothing(make: Make, telegram: Telegram) -> None:
    handler, notes = Handler(), Notebook(State(1, 0, 1, 0))
    handler.broken = True
    pump = make(handler, keeper=notes)
    for _ in range(3):
        pump.push(container(telegram.source.happen(None)))
    await pump.drain()
    assert handler.seen == ["a2", "a3", "a4"]
    assert pump.health().failures == 3
    assert notes.state == State(4, 0, 1, 0)


async def test_chats_do_not_wait_for_each_other(make: Make, telegram: Telegram) -> None:
    gate = asyncio.Event()
    seen: list[int | None] = []

    async def handle(delivery: Delivery) -> None:
        if delivery.channel_id == 1:
            await gate.wait()
        seen.append(delivery.channel_id)

    pump = make(handle, keeper=Notebook(State(1, 0, 1, 0), {1: 1, 2: 1}))
    for line in (1, 2, 1, None):
        pump.push(container(telegram.source.happen(line)))
    for _ in range(20):
        await asyncio.sleep(0)
    assert Counter(seen) == {2: 1, None: 1}
    gate.set()
    await pump.drain()
    assert seen[-2:] == [1, 1]


async def test_slow_handlers_lose_nothing_and_fill_no_memory(
    make: Make, telegram: Telegram
) -> None:
    handler, notes = Handler(), Notebook(State(1, 0, 1, 0), {1: 1})
    handler.gate.clear()
    pump = make(handler, keeper=notes, limit=10)
    for number in range(100):
        pump.push(container(telegram.source.happen(1 if number % 3 else None)))
    assert pump.health().open == 10
    assert pump.health().is_behind
    handler.gate.set()
    await pump.drain()
    assert len(handler.seen) == len(set(handler.seen)) == 100
    assert not pump.health().is_behind
    assert (notes.state, notes.channels) == (State(35, 0, 1, 0), {1: 67})


async def test_new_channels_and_long_ones_are_not_lost_while_handlers_are_slow(
    make: Make, telegram: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    handler, notes = Handler(), Notebook(State(1, 0, 1, 0), {2: 1})
    handler.gate.clear()
    pump = make(handler, keeper=notes, limit=4)
    for _ in range(4):
        pump.push(container(telegram.source.happen(None)))
    pump.push(container(telegram.source.happen(1)))
    telegram.source.happen(2)
    pump.push(container(api.UpdateChannelTooLong(channel_id=2)))
    handler.gate.set()
    await pump.drain()
    assert sorted(handler.seen) == ["1-2", "2-2", "a2", "a3", "a4", "a5"]
    assert "4 updates wait for their handlers" in caplog.text


@pytest.mark.parametrize("how", ["cancels itself", "awaits what was cancelled"])
async def test_cancelling_inside_a_handler_ends_no_chat(
    make: Make, telegram: Telegram, how: str
) -> None:
    seen = []

    async def handle(delivery: Delivery) -> None:
        seen.append(delivery.key)
        if len(seen) > 1:
            return
        task = asyncio.current_task()
        if how == "awaits what was cancelled":
            task = asyncio.create_task(asyncio.sleep(60))
        assert task is not None
        task.cancel()
        await (asyncio.sleep(0) if task is asyncio.current_task() else task)

    notes = Notebook(State(1, 0, 1, 0))
    pump = make(handle, keeper=notes)
    for _ in range(3):
        pump.push(container(telegram.source.happen(None)))
    await pump.drain()
    assert seen == ["NewMessage:2", "NewMessage:3", "NewMessage:4"]
    assert pump.health().failures == 1
    assert notes.state == State(4, 0, 1, 0)


async def test_a_handler_that_stops_the_stream_is_the_last(make: Make, telegram: Telegram) -> None:
    seen = []

    async def handle(delivery: Delivery) -> None:
        seen.append(delivery.key)
        await pump.stop()

    notes = Notebook(State(1, 0, 1, 0))
    pump = make(handle, keeper=notes)
    for _ in range(3):
        pump.push(container(telegram.source.happen(None)))
    await pump.drain()
    assert seen == ["NewMessage:2"]
    assert notes.state == State(2, 0, 1, 0), "it was dealt with, the others come again"


async def test_who_waits_for_an_event_keeps_nobody_from_being_heard(make: Make) -> None:
    answer = asyncio.Event()
    running = most = 0

    async def handle(delivery: Delivery) -> None:
        nonlocal running, most
        if delivery.channel_id != 9:
            await wait(answer)
            child = asyncio.create_task(wait(answer))  # has no turn to lend
            await child
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        if delivery.channel_id == 9:
            answer.set()

    pump = make(handle, keeper=Notebook(State(1, 0, 1, 0)), parallel=2)
    for line in range(1, 10):
        pump.push(container(update_of("channel", str(line), 2, 1)))
    async with asyncio.timeout(5):
        await pump.drain()
    assert most <= 2
    assert pump._turns._value == 2


async def test_a_wait_that_is_cut_short_leaves_the_turns_right(
    make: Make, telegram: Telegram
) -> None:
    async def handle(delivery: Delivery) -> None:
        async with asyncio.timeout(0):
            await wait(asyncio.Event())

    pump = make(handle, keeper=Notebook(State(1, 0, 1, 0)), parallel=3)
    pump.push(container(telegram.source.happen(None)))
    await pump.drain()
    assert pump.health().failures == 1
    assert pump._turns._value == 3


async def test_a_gap_is_fetched_when_its_time_is_over(
    make: Make, telegram: Telegram, clock: Clock
) -> None:
    handler = Handler()
    pump = make(handler, keeper=Notebook(State(1, 0, 1, 0)))
    await pump.start()
    await pump.drain()
    telegram.source.happen(None)
    pump.push(container(telegram.source.happen(None)))
    await pump.drain()
    assert handler.seen == []
    clock.now += 0.6
    pump._deadline_reached()
    await pump.drain()
    assert handler.seen == ["a2", "a3"]


async def test_what_a_bot_does_for_somebody_else_is_not_its_own(
    make: Make, telegram: Telegram
) -> None:
    handler, notes = Handler(), Notebook()
    pump = make(handler, keeper=notes)
    await pump.start()
    call = api.messages.UpdatePinnedMessage(peer=api.InputPeerSelf(), id=7)
    theirs = api.UpdatePinnedMessages(
        pinned=True, peer=api.PeerUser(user_id=5), messages=[7], pts=2, pts_count=1
    )
    pump.result(api.InvokeWithBusinessConnection(connection_id="c", query=call), container(theirs))
    await pump.drain()
    assert handler.seen == []
    assert notes.state == State(1, 0, 1, 0)


async def test_a_closed_channel_is_forgotten(make: Make, telegram: Telegram) -> None:
    handler, notes = Handler(), Notebook(State(1, 0, 1, 0), {1: 1})
    telegram.refuse[api.updates.GetChannelDifference] = errors.rpc_error(400, "CHANNEL_PRIVATE")
    pump = make(handler, keeper=notes)
    await pump.start()
    await pump.drain()
    assert notes.channels == {}


async def test_a_state_that_the_server_does_not_know(make: Make, telegram: Telegram) -> None:
    handler, notes = Handler(), Notebook(State(1000, 0, 1, 0))
    error = errors.rpc_error(400, "PERSISTENT_TIMESTAMP_INVALID")
    telegram.refuse[api.updates.GetDifference] = error
    pump = make(handler, keeper=notes)
    await pump.start()
    await asyncio.sleep(0)
    del telegram.refuse[api.updates.GetDifference]
    await pump.drain()
    assert handler.seen == ["UpdatesTooLong"]
    assert pump.health().lost == 1
    assert notes.state == State(1, 0, 1, 0)


async def test_a_state_that_cannot_be_had_is_asked_for_again(
    make: Make, telegram: Telegram, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """E8: else the stream would stand still for ever."""
    handler, notes = Handler(), Notebook()
    telegram.refuse[api.updates.GetState] = errors.rpc_error(500, "RPC_CALL_FAIL")
    pump = make(handler, keeper=notes)
    await pump.start()
    assert "asking again in 1 s" in caplog.text
    clock.now += 1
    pump._deadline_reached()
    await pump.drain()
    assert "asking again in 2 s" in caplog.text
    del telegram.refuse[api.updates.GetState]
    clock.now += 2
    pump._deadline_reached()
    await pump.drain()
    pump.push(container(telegram.source.happen(None)))
    await pump.drain()
    assert (handler.seen, notes.state) == (["a2"], State(2, 0, 1, 0))


async def test_starting_over_may_fail_and_is_tried_again(
    make: Make, telegram: Telegram, clock: Clock
) -> None:
    handler, notes = Handler(), Notebook(State(1000, 0, 1, 0))
    error = errors.rpc_error(400, "PERSISTENT_TIMESTAMP_INVALID")
    telegram.refuse[api.updates.GetDifference] = error
    telegram.refuse[api.updates.GetState] = errors.rpc_error(500, "RPC_CALL_FAIL")
    pump = make(handler, keeper=notes)
    await pump.start()
    await pump.drain()
    assert pump.health().fetching == ()
    telegram.refuse.clear()
    clock.now += 1
    pump._deadline_reached()
    await pump.drain()
    assert notes.state == State(1000, 0, 1, 0)


@pytest.mark.parametrize("why", ["PERSISTENT_TIMESTAMP_INVALID", "no access hash"])
async def test_a_channel_whose_past_cannot_be_had_is_told(
    make: Make, telegram: Telegram, why: str
) -> None:  # E10
    handler, notes = Handler(), Notebook(State(1, 0, 1, 0), {7: 1000})
    options: dict[str, Any] = {}
    if why == "no access hash":

        def input_channel(number: int) -> api.InputChannel:
            raise errors.PeerNotFound(f"channel {number} was never seen")

        options["input_channel"] = input_channel
    telegram.refuse[api.updates.GetChannelDifference] = errors.rpc_error(400, why)
    pump = make(handler, keeper=notes, **options)
    await pump.start()
    await pump.drain()
    assert handler.seen == ["UpdateChannelTooLong"]
    assert handler.keys == ["7TooLong:1000"]
    assert pump.health().lost == 1
    assert notes.channels == {}


async def test_a_server_that_fails_is_asked_again(
    make: Make, telegram: Telegram, clock: Clock
) -> None:
    telegram.source.happen(None)
    handler = Handler()
    telegram.refuse[api.updates.GetDifference] = errors.rpc_error(500, "RPC_CALL_FAIL")
    pump = make(handler, keeper=Notebook(State(1, 0, 1, 0)))
    await pump.start()
    await pump.drain()
    assert handler.seen == []
    telegram.refuse.clear()
    clock.now += 1
    pump._deadline_reached()
    await pump.drain()
    assert handler.seen == ["a2"]


async def test_results_of_own_calls_feed_the_same_lines(make: Make, telegram: Telegram) -> None:
    handler, notes = Handler(), Notebook(State(1, 0, 1, 0), {1: 1})
    pump = make(handler, keeper=notes)
    telegram.source.happen(None)
    deleted = api.messages.AffectedMessages(pts=2, pts_count=1)
    pump.result(api.messages.DeleteMessages(id=[1]), deleted)
    pump.push(container(telegram.source.happen(None)))
    await pump.drain()
    assert handler.seen == ["a3"]
    assert notes.state == State(3, 0, 1, 0)


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (api.messages.DeleteMessages(id=[1, 2]), None),
        (
            api.messages.ReadHistory(peer=api.InputPeerUser(user_id=1, access_hash=1), max_id=1),
            None,
        ),
        (
            api.channels.DeleteMessages(
                channel=api.InputChannel(channel_id=77, access_hash=1), id=[1]
            ),
            77,
        ),
        (api.messages.ReadMentions(peer=api.InputPeerChannel(channel_id=88, access_hash=1)), 88),
        (
            api.channels.DeleteMessages(
                channel=api.InputChannelFromMessage(
                    peer=api.InputPeerSelf(), msg_id=1, channel_id=99
                ),
                id=[1],
            ),
            99,
        ),
        (api.channels.DeleteMessages(channel=api.InputChannelEmpty(), id=[1]), False),
    ],
)
def test_whose_line_an_own_call_moves(request_: Any, line: int | bool | None) -> None:
    assert affected_line(request_) == line


def test_what_is_kept_in_order() -> None:
    def chat(update: Any, channel_id: int | None = None) -> object:
        return chat_of(Delivery(update, channel_id, "", {}, {}))

    def new(peer: api.TypePeer) -> api.UpdateNewMessage:
        return api.UpdateNewMessage(message=text_message("x", peer), pts=1, pts_count=1)

    typing = api.UpdateUserTyping(user_id=5, action=api.SendMessageTypingAction())
    assert chat(new(api.PeerUser(user_id=5))) == chat(typing) == ("user", 5)
    assert chat(new(api.PeerChat(chat_id=5))) == ("chat", 5)
    assert chat(new(api.PeerChannel(channel_id=5)), 5) == 5
    assert chat(api.UpdateConfig()) is None
    many: Iterable[object] = {chat(new(api.PeerUser(user_id=number))) for number in range(3)}
    assert len(list(many)) == 3
