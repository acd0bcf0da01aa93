"""Albums: messages with one grouped_id become one event, without a wait that has no bound.

The server has no files yet, so the messages of an album are scripted: what a client receives is a
row of new messages, each with its own pts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from radiogram import events
from radiogram.client.albums import LONGEST_WAIT, MOST, WAIT, Albums, Complete
from radiogram.client.gaps import Delivery
from radiogram.client.pump import chat_of
from radiogram.events import filters
from radiogram.sessions import MemorySession, SessionData
from radiogram.tl import api
from tests.client.fake import KNOWN, FakeServer, make_client

ADA = api.User(id=5, access_hash=1, first_name="Ada")


def message(number: int, grouped_id: int | None = None, text: str = "", **more: Any) -> api.Message:
    more.setdefault("peer_id", api.PeerUser(user_id=5))
    return api.Message(id=number, date=1, message=text, grouped_id=grouped_id, **more)


def delivery(raw: api.Message) -> Delivery:
    update = api.UpdateNewMessage(message=raw, pts=raw.id, pts_count=1)
    return Delivery(
        update=update, channel_id=None, key=f"NewMessage:{raw.id}", users={5: ADA}, chats={}
    )


class Collector:
    def __init__(self) -> None:
        self.albums: Albums[int] = Albums()
        self.now = 100.0
        self.found: list[Complete[int]] = []

    def tell(self, *raws: api.Message) -> None:
        for raw in raws:
            one = delivery(raw)
            self.found += self.albums.add(one, chat_of(one), self.now)
            if raw.grouped_id is not None:
                self.found += self.albums.keep(one, chat_of(one), raw.id, self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.found += self.albums.handle_deadline(self.now)

    @property
    def ids(self) -> list[list[int]]:
        found: list[Any] = [one.delivery.update for one in self.found]
        return [[raw.id for raw in album.messages] for album in found]


def test_an_album_ends_when_nothing_more_comes() -> None:
    collector = Collector()
    assert collector.albums.next_deadline() is None
    collector.tell(message(1, 77), message(2, 77))
    assert collector.albums.next_deadline() == collector.now + WAIT
    collector.wait(WAIT - 0.01)
    assert collector.ids == []
    collector.tell(message(3, 77))
    collector.wait(WAIT)
    assert collector.ids == [[1, 2, 3]]
    (album,) = collector.found
    assert album.tokens == [1, 2, 3]
    assert album.delivery.key == "Album:77:1"
    assert album.delivery.users == {5: ADA}
    assert collector.albums.next_deadline() is None


@pytest.mark.parametrize("then", [message(3), message(3, 78)])
def test_another_message_ends_it_at_once(then: api.Message) -> None:
    collector = Collector()
    collector.tell(message(1, 77), message(2, 77), then)
    assert collector.ids == [[1, 2]]


def test_other_chats_do_not_end_it() -> None:
    collector = Collector()
    other = api.PeerChat(chat_id=9)
    collector.tell(message(1, 77), message(2, peer_id=other), message(3, 78, peer_id=other))
    collector.tell(message(4, 77))
    collector.wait(WAIT)
    assert sorted(collector.ids) == [[1, 4], [3]]


def test_what_is_no_new_message_does_not_end_it() -> None:
    collector = Collector()
    collector.tell(message(1, 77))
    edit = api.UpdateEditMessage(message=message(9), pts=2, pts_count=1)
    one = Delivery(update=edit, channel_id=None, key="k", users={}, chats={})
    assert list(collector.albums.add(one, ("user", 5), collector.now)) == []


def test_the_wait_is_bounded() -> None:
    collector = Collector()
    for number in range(9):
        collector.tell(message(number + 1, 77))
        collector.wait(WAIT * 0.9)
    assert collector.ids[0] == [1, 2, 3, 4]
    assert WAIT * 0.9 * 4 >= LONGEST_WAIT
    assert len({one.delivery.key for one in collector.found}) == len(collector.found) > 1


def test_a_full_album_is_not_waited_for() -> None:
    collector = Collector()
    collector.tell(*(message(n, 77) for n in range(1, MOST + 1)))
    assert collector.ids == [list(range(1, MOST + 1))]


def test_repeated_and_disordered_messages() -> None:
    collector = Collector()
    collector.tell(message(2, 77), message(1, 77), message(2, 77))
    collector.wait(WAIT)
    assert collector.ids == [[1, 2]]
    assert len(collector.found[0].tokens) == 3


def test_albums_of_channels_have_their_line_in_the_key() -> None:
    albums: Albums[int] = Albums()
    raw = message(1, 77, peer_id=api.PeerChannel(channel_id=3))
    update = api.UpdateNewChannelMessage(message=raw, pts=1, pts_count=1)
    one = Delivery(update=update, channel_id=3, key="k", users={}, chats={})
    list(albums.keep(one, 3, 0, 0.0))
    (album,) = albums.handle_deadline(WAIT)
    assert (album.delivery.key, album.delivery.channel_id) == ("3:Album:77:1", 3)


# ── the whole client ─────────────────────────────────────────────────────────────────────────────


class Party:
    """A client that is signed in, and pushes in the order of its account."""

    def __init__(self, session: MemorySession | None = None) -> None:
        self.server = FakeServer()
        self.server.answer = self._answer
        self.session = session or MemorySession(
            SessionData(dc_id=2, auth_key=KNOWN.data, user_id=7)
        )
        self.client = make_client(self.server, self.session)
        self.pts = 1

    def _answer(self, request: Any) -> Any:
        if isinstance(request, api.updates.GetState):
            return api.updates.State(pts=1, qts=0, date=1, seq=0, unread_count=0)
        if isinstance(request, api.updates.GetDifference):
            return api.updates.DifferenceEmpty(date=1, seq=0)
        return None

    def push(self, *raws: api.Message) -> None:
        updates = []
        for raw in raws:
            self.pts += 1
            updates.append(api.UpdateNewMessage(message=raw, pts=self.pts, pts_count=1))
        self.server.push(api.Updates(updates=updates, users=[ADA], chats=[], date=1, seq=0))

    def pass_time(self, seconds: float) -> None:
        self.server.clock.now += seconds
        pump = self.client.updates._pump
        assert pump is not None
        pump._deadline_reached()


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not happen")


async def test_a_handler_gets_the_album_after_its_messages() -> None:
    party = Party()
    order: list[Any] = []

    @party.client.on(events.Album(filters.incoming & filters.private))
    async def album(event: events.AlbumEvent) -> None:
        order.append(event)

    @party.client.on(events.NewMessage())
    async def single(event: events.NewMessageEvent) -> None:
        order.append(event.id)

    @party.client.on(events.Raw())
    async def raw(event: events.Event) -> None:
        assert isinstance(event.update, api.UpdateNewMessage)

    async with party.client as client:
        await client.updates.started()
        party.push(message(1, 77), message(2, 77, "caption"), message(3))
        await until(lambda: len(order) == 4)
        first, second, event, third = order
        assert (first, second, third) == (1, 2, 3)
        assert event.ids == [1, 2]
        assert [one.text for one in event.messages] == ["", "caption"]
        assert (event.text, event.grouped_id, event.id) == ("caption", 77, 1)
        assert event.chat_id == event.sender_id == 5
        assert event.sender.raw == ADA
        assert not client.updates.health().failures
        assert not client.updates.health().open


async def test_a_stream_of_albums() -> None:
    party = Party()
    async with party.client as client, client.events(events.Album()) as stream:
        party.push(message(1, 77), message(2, 77))
        await until(lambda: client.updates.health().open == 2)
        party.pass_time(WAIT)
        event = await anext(aiter(stream))
        assert event.ids == [1, 2]


async def test_without_handlers_for_albums_nothing_is_kept() -> None:
    party = Party()
    seen: list[int] = []

    @party.client.on(events.NewMessage())
    async def single(event: events.NewMessageEvent) -> None:
        seen.append(event.id)

    async with party.client as client:
        await client.updates.started()
        party.push(message(1, 77), message(2, 77))
        await until(lambda: seen == [1, 2] and not client.updates.health().open)


async def test_an_album_that_was_not_handled_comes_again_as_a_whole() -> None:
    party = Party()
    begun = asyncio.Event()

    async def never(event: events.AlbumEvent) -> None:
        begun.set()
        await asyncio.Event().wait()

    party.client.add_handler(never, events.Album())
    async with party.client as client:
        await client.updates.started()
        party.push(message(1, 77), message(2, 77), message(3))
        await begun.wait()
    state, _ = party.session.lines()
    assert state is not None
    assert state.pts == 1, "nothing was dealt with"


async def test_reply_and_respond_are_the_friendly_methods() -> None:
    party = Party()
    sent: list[Any] = []

    def answer(request: Any) -> Any:
        if isinstance(request, api.messages.SendMessage):
            sent.append(request)
            return api.UpdateShortSentMessage(out=True, id=9, pts=3, pts_count=1, date=1)
        return party._answer(request)

    party.server.answer = answer
    answers: list[Any] = []

    @party.client.on(events.NewMessage(filters.incoming))
    async def react(event: events.NewMessageEvent) -> None:
        answers.append(await event.reply("one", silent=True))
        answers.append(await event.respond("two", reply_to=event.message))

    async with party.client as client:
        await client.updates.started()
        party.push(message(1, text="hello"))
        await until(lambda: len(answers) == 2)
    assert [one.text for one in answers] == ["one", "two"]
    assert [one.reply_to.reply_to_msg_id for one in sent] == [1, 1]
    assert sent[0].silent
    assert all(isinstance(one.peer, api.InputPeerUser) for one in sent)
