"""The flood governor: no call that is known to be under a wait reaches the server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from radiogram import errors
from radiogram.client import flood
from radiogram.client.flood import FloodGovernor, subject_of
from radiogram.client.invoke import Call
from radiogram.tl import api
from tests.client.fake import Clock, FakeServer, known_session, make_client
from tests.client.test_invoke import End, error

ANNA = api.InputPeerUser(user_id=1, access_hash=11)
BEN = api.InputPeerUser(user_id=2, access_hash=22)
ROOM = api.InputPeerChannel(channel_id=3, access_hash=33)


def send(peer: Any = ANNA) -> Call:
    return Call(api.messages.SendMessage(peer=peer, message="hello", random_id=1), b"")


def media(peer: Any) -> Call:
    return Call(
        api.messages.SendMedia(
            peer=peer, media=api.InputMediaEmpty(), message="hello", random_id=1
        ),
        b"",
    )


def resolve(name: str) -> Call:
    return Call(api.contacts.ResolveUsername(username=name), b"")


class Stage:
    """A governor on a clock that sleeping moves."""

    def __init__(self, threshold: float = 10, *, clock_follows: bool = True) -> None:
        self.clock = Clock()
        self.pauses: list[float] = []
        self._follows = clock_follows
        self.flood = FloodGovernor(threshold, clock=self.clock, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if self._follows:
            self.clock.now += seconds
        await asyncio.sleep(0)

    async def call(self, end: End, call: Call | None = None) -> Any:
        return await self.flood(call or send(), end)

    async def flooded(self, message: str, call: Call | None = None, code: int = 420) -> None:
        """Have a call answered with a wait that is not slept through."""
        with pytest.raises(errors.RpcError, match=message):
            await self.call(End(error(code, message)), call)


@pytest.fixture
def stage() -> Stage:
    return Stage()


# ── one call ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_short_wait_is_slept_through(stage: Stage) -> None:
    end = End(error(420, "FLOOD_WAIT_3"), error(420, "FLOOD_WAIT_4"), "done")
    assert await stage.call(end) == "done"
    assert stage.pauses == [3, 4]


async def test_a_clock_that_does_not_follow_makes_nobody_wait_twice() -> None:
    stage = Stage(clock_follows=False)
    end = End(error(420, "FLOOD_WAIT_3"), error(420, "FLOOD_WAIT_4"), "done")
    assert await stage.call(end) == "done"
    assert stage.pauses == [3, 4]


async def test_a_long_wait_is_the_callers_affair(stage: Stage) -> None:
    with pytest.raises(errors.FloodWait) as raised:
        await stage.call(End(error(420, "FLOOD_WAIT_11")))
    assert raised.value.seconds == 11
    assert stage.pauses == []


async def test_the_threshold_counts_for_all_waits_of_a_call(stage: Stage) -> None:
    with pytest.raises(errors.FloodWait):
        await stage.call(End(error(420, "FLOOD_WAIT_6"), error(420, "FLOOD_WAIT_6")))
    assert stage.pauses == [6]


async def test_a_wait_of_zero_seconds_cannot_go_on_for_ever(stage: Stage) -> None:  # D6
    with pytest.raises(errors.FloodWait):
        await stage.call(End(*[error(420, "FLOOD_WAIT_0")] * 20))
    assert stage.pauses == [1] * 10


@pytest.mark.parametrize(
    "message", ["SLOWMODE_WAIT_5", "FLOOD_PREMIUM_WAIT_5", "FLOOD_TEST_PHONE_WAIT_5"]
)
async def test_other_waits_are_slept_through_too(stage: Stage, message: str) -> None:
    assert await stage.call(End(error(420, message), "done")) == "done"
    assert stage.pauses == [5]


async def test_other_errors_are_not_waited_for(stage: Stage) -> None:
    end = End(error(400, "MESSAGE_ID_INVALID"))
    with pytest.raises(errors.MessageIdInvalid):
        await stage.call(end)
    assert end.calls == 1
    assert stage.flood.budget().blocked == ()


async def test_a_wait_without_a_number_is_told_and_not_remembered(stage: Stage) -> None:
    with pytest.raises(errors.FloodWait):
        await stage.call(End(error(420, "FLOOD_WAIT_X")))
    assert stage.flood.budget().blocked == ()


# ── the calls after it ───────────────────────────────────────────────────────────────────────────


async def test_a_call_under_a_long_wait_is_refused_without_asking(stage: Stage) -> None:
    await stage.flooded("FLOOD_WAIT_100")
    stage.clock.now += 30.5
    end = End()
    with pytest.raises(errors.FloodWait) as raised:
        await stage.call(end)
    assert end.calls == 0
    assert raised.value.seconds == 70, "what is left, rounded up"
    assert raised.value.code == 420
    assert raised.value.request == send().request
    assert "client.flood.budget()" in raised.value.__notes__[0]


async def test_a_call_under_the_rest_of_a_wait_is_held_back(stage: Stage) -> None:
    await stage.flooded("FLOOD_WAIT_100")
    stage.clock.now += 95
    assert await stage.call(End("done")) == "done"
    assert stage.pauses == [5]


async def test_when_it_is_over_nobody_waits(stage: Stage) -> None:
    await stage.flooded("FLOOD_WAIT_100")
    stage.clock.now += 100
    assert await stage.call(End("done")) == "done"
    assert stage.pauses == []
    assert stage.flood.budget().blocked == ()


async def test_a_wait_holds_for_its_method_and_peer_only(stage: Stage) -> None:
    await stage.flooded("FLOOD_WAIT_100", send(ANNA))
    assert await stage.call(End("done"), send(BEN)) == "done"
    assert await stage.call(End("done"), media(ANNA)) == "done"
    with pytest.raises(errors.FloodWait):
        await stage.call(End(), send(ANNA))


async def test_usernames_share_one_wait(stage: Stage) -> None:
    await stage.flooded("FLOOD_WAIT_100", resolve("anna"))
    with pytest.raises(errors.FloodWait):
        await stage.call(End(), resolve("ben"))


async def test_slow_mode_holds_for_all_that_is_sent_to_one_chat(stage: Stage) -> None:
    await stage.flooded("SLOWMODE_WAIT_100", send(ROOM))
    assert [one.method for one in stage.flood.budget().blocked] == ["sending"]
    with pytest.raises(errors.SlowmodeWait) as raised:
        await stage.call(End(), media(ROOM))
    assert raised.value.name == "SLOWMODE_WAIT_X"
    assert await stage.call(End("done"), send(ANNA)) == "done"
    read = Call(api.messages.ReadHistory(peer=ROOM, max_id=0), b"")
    assert await stage.call(End("done"), read) == "done"


async def test_of_two_waits_the_longer_one_counts(stage: Stage) -> None:
    await stage.flooded("SLOWMODE_WAIT_20", send(ROOM))
    stage.flood._remember(send(ROOM), error(420, "FLOOD_WAIT_50"), 50)  # was on its way by then
    assert stage.flood.seconds_left("messages.sendMessage", -1_000_000_000_003) == 50
    assert stage.flood.seconds_left("messages.sendMedia", -1_000_000_000_003) == 20
    assert stage.flood.seconds_left("messages.sendMedia") == 0


async def test_a_shorter_answer_does_not_end_a_longer_wait(stage: Stage) -> None:
    ends = [End(error(420, "FLOOD_WAIT_100")), End(error(420, "FLOOD_WAIT_50"))]
    results = await asyncio.gather(*map(stage.call, ends), return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["FloodWait", "FloodWait"]
    stage.clock.now += 60
    with pytest.raises(errors.FloodWait):
        await stage.call(End())


async def test_peer_flood_leaves_the_peer_alone_and_nobody_sleeps() -> None:
    stage = Stage(threshold=10_000)
    await stage.flooded("PEER_FLOOD", send(ANNA), code=400)
    with pytest.raises(errors.PeerFlood) as raised:
        await stage.call(End(), send(ANNA))
    assert (raised.value.code, raised.value.message) == (400, "PEER_FLOOD")
    assert await stage.call(End("done"), send(BEN)) == "done"
    stage.clock.now += flood.PEER_FLOOD_PAUSE
    assert await stage.call(End("done"), send(ANNA)) == "done"
    assert stage.pauses == []


async def test_a_wait_that_may_end_early_is_asked_about_again(stage: Stage) -> None:
    call = Call(api.account.InitTakeoutSession(), b"")
    await stage.flooded("TAKEOUT_INIT_DELAY_100", call)
    assert await stage.call(End("done"), call) == "done"


async def test_waits_are_forgotten_when_told(stage: Stage) -> None:
    await stage.flooded("FLOOD_WAIT_100")
    stage.flood.clear()
    assert await stage.call(End("done")) == "done"


async def test_memory_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood, "MAX_BLOCKED", 3)
    for number in range(1, 6):
        await stage.flooded("FLOOD_WAIT_100", send(api.InputPeerChat(chat_id=number)))
    assert [one.subject for one in stage.flood.budget().blocked] == [-3, -4, -5]
    stage.clock.now += 100
    await stage.flooded("FLOOD_WAIT_100", send())
    assert [one.subject for one in stage.flood.budget().blocked] == [1]


# ── what it tells ────────────────────────────────────────────────────────────────────────────────


async def test_the_budget_tells_what_is_blocked_and_what_was_called(stage: Stage) -> None:
    start = stage.clock.now
    await stage.flooded("FLOOD_WAIT_100", send(ROOM))
    await stage.flooded("FLOOD_WAIT_50", resolve("anna"))
    await stage.call(End(error(420, "FLOOD_WAIT_2"), "done"), send(BEN))
    with pytest.raises(errors.FloodWait):
        await stage.call(End(), send(ROOM))
    told = stage.flood.budget()
    assert told.blocked == (
        flood.Blocked("contacts.resolveUsername", None, "FLOOD_WAIT_X", start + 50),
        flood.Blocked("messages.sendMessage", -1_000_000_000_003, "FLOOD_WAIT_X", start + 100),
    )
    assert told.uses == {
        "messages.sendMessage": flood.MethodUse(calls=3, floods=2, refused=1, slept=2),
        "contacts.resolveUsername": flood.MethodUse(calls=1, floods=1),
    }
    assert told.calls == 4
    assert repr(stage.flood) == "<FloodGovernor, 2 waits>"


@pytest.mark.parametrize(
    ("request_", "subject"),
    [
        (send(ANNA).request, 1),
        (send(api.InputPeerSelf()).request, "me"),
        (send(api.InputPeerChat(chat_id=5)).request, -5),
        (send(ROOM).request, -1_000_000_000_003),
        (send(api.InputPeerUserFromMessage(peer=ROOM, msg_id=1, user_id=7)).request, 7),
        (send(api.InputPeerEmpty()).request, None),
        (api.messages.GetFullChat(chat_id=5), -5),
        (api.users.GetFullUser(id=api.InputUser(user_id=4, access_hash=1)), 4),
        (api.channels.LeaveChannel(
            channel=api.InputChannel(channel_id=3, access_hash=1)), -1_000_000_000_003),
        (api.InvokeWithoutUpdates(query=send(ANNA).request), 1),
        (api.auth.ResendCode(phone_number="999", phone_code_hash=""), "999"),
        (api.help.GetConfig(), None),
    ],
)  # fmt: skip
def test_whom_a_request_is_about(request_: Any, subject: Any) -> None:
    assert subject_of(request_) == subject


# ── in a client ──────────────────────────────────────────────────────────────────────────────────


async def test_usernames_are_asked_for_once_and_remembered() -> None:
    server = FakeServer()
    found = api.contacts.ResolvedPeer(
        peer=api.PeerUser(user_id=1),
        chats=[],
        users=[api.User(id=1, access_hash=11, username="anna", first_name="Anna")],
    )
    server.answer = lambda request: (
        found if isinstance(request, api.contacts.ResolveUsername) else None
    )
    async with make_client(server, known_session()) as client:
        ids = await asyncio.gather(*(client.marked_id("@Anna") for _ in range(20)))
        assert set(ids) == {1}
        assert await client.marked_id("https://t.me/anna") == 1
        assert client.flood.budget().uses["contacts.resolveUsername"].calls == 1
    assert server.executed(api.contacts.ResolveUsername) == 1


async def test_a_client_does_not_ask_again_under_a_wait() -> None:
    server = FakeServer()
    server.answer = lambda request: (
        (420, "FLOOD_WAIT_300") if isinstance(request, api.contacts.ResolveUsername) else None
    )
    async with make_client(server, known_session()) as client:
        for name in ("anna", "ben", "carl"):
            with pytest.raises(errors.FloodWait):
                await client.marked_id(name)
        (blocked,) = client.flood.budget().blocked
    assert server.executed(api.contacts.ResolveUsername) == 1
    assert blocked.until == server.clock() + 300
