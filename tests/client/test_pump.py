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
from radiogram.sessions import MemorySession, State
from radiogram.tl import api

from .test_gaps import Source, container, text_message


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
