"""Updates in order and what is missing: scripts that other libraries test themselves with (C0.3).

`vectors/gaps.json` has the scripts, one step a line, and names where each was published.
"""

from __future__ import annotations

import json
import random
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiogram.client.gaps import Delivery, Forgotten, Gaps
from radiogram.client.placing import key_of, order, place_of, referenced
from radiogram.sessions import State
from radiogram.tl import api

VECTORS = Path(__file__).parent.parent / "vectors" / "gaps.json"
SCRIPTS = json.loads(VECTORS.read_text())["scripts"]
UPDATE = re.compile(r"(common|qts|channel):?(\d*)@(\d+)(?:\+(\d+))?")
ME = 999


def numbers(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", text)}


def points(text: str) -> dict[int, int]:
    return {int(name): int(pts) for name, pts in re.findall(r"(\d+)@(\d+)", text)}


def update_of(line: str, channel: str, pts: int, count: int) -> Any:
    """Make the simplest update that the line counts."""
    match line:
        case "common":
            return api.UpdateDeleteMessages(messages=[pts], pts=pts, pts_count=count)
        case "qts":
            return api.UpdateBotStopped(user_id=1, date=1, stopped=True, qts=pts)
        case _:
            return api.UpdateDeleteChannelMessages(
                channel_id=int(channel), messages=[pts], pts=pts, pts_count=count
            )


def described(delivery: Delivery) -> str:
    update: Any = delivery.update
    if isinstance(update, api.UpdateNewMessage | api.UpdateNewChannelMessage):
        return update.message.message  # type: ignore[union-attr]
    if isinstance(update, api.UpdateBotStopped):
        return f"qts@{update.qts}"
    line = "common" if delivery.channel_id is None else f"channel:{delivery.channel_id}"
    return f"{line}@{update.pts}"


def text_message(text: str, peer: api.TypePeer | None = None, **options: Any) -> api.Message:
    options.setdefault("id", int.from_bytes(text.encode(), "big"))
    return api.Message(peer_id=peer or api.PeerUser(user_id=5), date=1, message=text, **options)


class Script:
    """Runs the steps of one script."""

    def __init__(self, script: dict[str, Any]) -> None:
        self.now = 0.0
        state = State(**numbers(script["account"])) if script["account"] else None
        self.gaps = Gaps(
            now=self.now,
            state=state,
            channels=points(script["channels"]),
            fresh=script["begin"] == "fresh_login",
        )
        self.wanted: dict[int | None, str] = {}

    def look(self) -> None:
        for fetch in self.gaps.fetches():
            if fetch.channel_id is None:
                text = f"pts={fetch.pts} qts={fetch.qts} date={fetch.date}"
            else:
                text = f"{fetch.channel_id}@{fetch.pts}"
            self.wanted[fetch.channel_id] = text

    def run(self, line: str) -> None:
        step, _, expected = line.partition(" -> ")
        told = self.step(step)
        if expected:
            wanted, _, at_once = expected.partition(" !")
            lost = (api.UpdatesTooLong, api.UpdateChannelTooLong)
            shown = [described(one) for one in told if not isinstance(one.update, lost)]
            assert (" ".join(shown) or "nothing") == wanted
            if expected.endswith("!"):
                assert self.gaps.is_fetching(None), at_once

    def step(self, step: str) -> list[Delivery]:
        verb, _, rest = step.partition(" ")
        match verb:
            case "push":
                return self.gaps.feed(self.container(rest), self.now)
            case "wait":
                self.now += float(rest)
            case "timers":
                self.gaps.handle_deadline(self.now)
            case "affected":
                _, channel, pts, count = self.parsed(rest)
                number = int(channel) if channel else None
                return self.gaps.affected(number, pts, count, self.now)
            case "learn":
                ((channel_id, pts),) = points(rest).items()
                self.gaps.learn_channel(channel_id, pts, self.now)
            case "begin":
                self.gaps.want(None if rest == "common" else int(rest.partition(":")[2]))
            case "answer":
                return self.answer(rest)
            case "fail":
                channel_id = int(re.findall(r"\d+", rest)[0])
                del self.wanted[channel_id]
                closed = "banned" in rest
                said = self.gaps.failed(channel_id, self.now, closed=closed)
                assert said == ([Forgotten(channel_id)] if closed else [])
            case _:
                self.check(verb, rest)
        return []

    def check(self, verb: str, rest: str) -> None:
        self.look()
        if verb == "wants":
            kind, _, request = rest.partition(" ")
            found = {
                text
                for channel_id, text in self.wanted.items()
                if (channel_id is None) == (kind == "account")
            }
            assert (request in found) if request != "nothing" else not found
        elif verb == "order":
            assert list(self.gaps.channels) == [int(number) for number in rest.split()]
        else:
            assert verb == "state"
            account, _, channels = rest.partition("channels ")
            state = self.gaps.state or State()
            for name, value in numbers(account).items():
                assert getattr(state, name) == value
            if channels:
                assert self.gaps.channels == points(channels)

    def parsed(self, text: str) -> tuple[str, str, int, int]:
        match = UPDATE.fullmatch(text)
        assert match, text
        return match[1], match[2], int(match[3]), int(match[4] or 0)

    def container(self, text: str) -> api.TypeUpdates:
        if text == "too-long":
            return api.UpdatesTooLong()
        updates: list[api.TypeUpdate] = []
        options = {"date": 0}
        seq = seq_start = 0
        for word in text.split():
            if word.startswith("date="):
                options["date"] = int(word[5:])
            elif word.startswith("seq="):
                first, _, last = word[4:].partition("..")
                seq_start, seq = int(first), int(last or first)
            elif word.startswith("updateChannelTooLong"):
                updates.append(api.UpdateChannelTooLong(channel_id=int(word.partition(":")[2])))
            else:
                updates.append(update_of(*self.parsed(word)))
        if seq_start != seq:
            return api.UpdatesCombined(
                updates=updates, users=[], chats=[], seq_start=seq_start, seq=seq, **options
            )
        return api.Updates(updates=updates, users=[], chats=[], seq=seq, **options)

    def answer(self, text: str) -> list[Delivery]:
        words, _, names = text.partition(" : ")
        values = numbers(words)
        if words.startswith("channel:"):
            channel_id = int(re.findall(r"\d+", words)[0])
            self.wanted.pop(channel_id, None)
            peer = api.PeerChannel(channel_id=channel_id)
            final = " final" in words
            answer: Any = api.updates.ChannelDifferenceEmpty(pts=values["pts"], final=final)
            if " difference" in words:
                answer = api.updates.ChannelDifference(
                    pts=values["pts"],
                    final=final,
                    new_messages=[text_message(name, peer) for name in names.split()],
                    other_updates=[],
                    chats=[],
                    users=[],
                )
            return self.gaps.channel_difference(channel_id, answer, self.now)
        self.wanted.pop(None, None)
        kind = words.split()[0]
        if kind == "empty":
            result: Any = api.updates.DifferenceEmpty(date=values["date"], seq=values["seq"])
        elif kind == "too_long":
            result = api.updates.DifferenceTooLong(pts=values["pts"])
        else:
            state = api.updates.State(**values, unread_count=0)
            fields: dict[str, Any] = {
                "new_messages": [text_message(name) for name in names.split()],
                "new_encrypted_messages": [],
                "other_updates": [],
                "chats": [],
                "users": [],
            }
            result = (
                api.updates.DifferenceSlice(**fields, intermediate_state=state)
                if kind == "slice"
                else api.updates.Difference(**fields, state=state)
            )
        return self.gaps.difference(result, self.now)


@pytest.mark.parametrize("script", SCRIPTS, ids=[script["name"] for script in SCRIPTS])
def test_published_script(script: dict[str, Any]) -> None:
    run = Script(script)
    for line in script["script"]:
        run.run(line)


# ------------------------------------------------------------------ single rules


def container(*updates: Any, users: list[Any] | None = None) -> api.Updates:
    return api.Updates(updates=list(updates), users=users or [], chats=[], date=0, seq=0)


def fresh(**options: Any) -> Gaps:
    return Gaps(now=0, state=State(pts=1, date=1), fresh=True, self_id=ME, **options)


def channel_read(channel_id: int, pts: int) -> api.UpdateReadChannelInbox:
    return api.UpdateReadChannelInbox(
        channel_id=channel_id, max_id=1, still_unread_count=0, pts=pts
    )


def gone(channel: int, pts: int) -> Any:
    return update_of("channel", str(channel), pts, 1)


def test_order_inside_a_container() -> None:
    read, new, other = channel_read(1, 26), gone(1, 24), gone(2, 24)
    first, second = update_of("common", "", 24, 1), update_of("common", "", 25, 1)
    bots = [update_of("qts", "", number, 0) for number in (25, 26, 27)]
    config = api.UpdateConfig()
    mixed = [read, other, second, bots[1], first, bots[0], bots[2], new, config]
    assert sorted(mixed, key=order) == [config, first, second, *bots, new, read, other]


@pytest.mark.parametrize(
    ("pts", "stored"), [((10, 10), (9, 10)), ((1, 2), (1, 2))], ids=["later", "first"]
)
def test_what_moves_nothing_may_come_before_its_message(
    pts: tuple[int, int], stored: tuple[int, int]
) -> None:
    gaps = fresh()
    assert len(gaps.feed(container(channel_read(5, pts[0])), 0)) == 1
    assert gaps.channels == {5: stored[0]}
    assert len(gaps.feed(container(gone(5, pts[1])), 0)) == 1
    assert gaps.channels == {5: stored[1]}


def test_qts_of_zero_resets_nothing() -> None:
    gaps = Gaps(now=0, state=State(pts=1, qts=100, date=1), fresh=True)
    assert len(gaps.feed(container(update_of("qts", "", 0, 0)), 0)) == 1
    assert gaps.state is not None
    assert gaps.state.qts == 100


def secret(number: int) -> api.EncryptedMessage:
    return api.EncryptedMessage(
        random_id=number, chat_id=2, date=1, bytes=b"", file=api.EncryptedFileEmpty()
    )


def test_what_qts_count_comes_by_difference_too() -> None:  # C0.3.4, C6.3
    gaps = Gaps(now=0, state=State(pts=1, qts=5, date=1), fresh=True)
    pushed = gaps.feed(container(api.UpdateNewEncryptedMessage(message=secret(1), qts=6)), 0)
    assert gaps.feed(container(update_of("qts", "", 9, 0)), 0) == []
    gaps.handle_deadline(1)
    (fetch,) = gaps.fetches()
    assert fetch.qts == 6
    assert gaps.feed(container(update_of("qts", "", 11, 0)), 1) == []
    answer = api.updates.Difference(
        new_messages=[],
        new_encrypted_messages=[secret(1), secret(2)],
        other_updates=[update_of("qts", "", qts, 0) for qts in (6, 8, 9, 10)],
        chats=[],
        users=[],
        state=api.updates.State(pts=1, qts=10, date=2, seq=0, unread_count=0),
    )
    told = gaps.difference(answer, 1)
    assert [one.key for one in pushed + told] == [
        "NewEncryptedMessage:2:1",
        "NewEncryptedMessage:2:2",
        "BotStopped:8",
        "BotStopped:9",
        "BotStopped:10",
        "BotStopped:11",
    ]
    assert gaps.state == State(1, 11, 2, 0)


def test_a_gap_in_seq_keeps_nothing_from_channels() -> None:  # C0.3.6
    gaps = fresh(channels={7: 3})
    config = api.UpdateConfig()
    late = api.Updates(updates=[config, gone(7, 4)], users=[], chats=[], date=5, seq=9)
    (told,) = gaps.feed(late, 0)
    assert told.channel_id == 7
    assert gaps.is_fetching(None)
    assert gaps.state == State(pts=1, date=1)


def test_a_difference_that_does_not_help_is_fetched_again_later() -> None:
    gaps = fresh()
    behind = api.updates.DifferenceEmpty(date=1, seq=0)
    gaps.feed(container(update_of("common", "", 3, 1)), 0)
    waits, now = [], 0.5
    for _ in range(4):
        gaps.handle_deadline(now)
        assert gaps.fetches()
        assert gaps.difference(behind, now) == []
        deadline = gaps.next_deadline()
        assert deadline is not None
        waits.append(deadline - now)
        now = deadline
    assert waits == [1, 2, 4, 8]
    assert len(gaps.feed(container(update_of("common", "", 2, 1)), now)) == 2


def test_the_server_says_when_a_channel_may_be_asked_again() -> None:  # C6.7
    gaps = fresh(channels={7: 3})
    gaps.want(7)
    gaps.fetches()
    gaps.channel_difference(
        7, api.updates.ChannelDifferenceEmpty(final=True, pts=3, timeout=5000), 100
    )
    gaps.handle_deadline(5099)
    assert not gaps.is_fetching(7)
    gaps.handle_deadline(5100)
    assert gaps.is_fetching(7)


def test_a_hole_before_the_first_state_is_filled() -> None:
    gaps = Gaps(now=0)
    assert len(gaps.feed(container(update_of("common", "", 6, 1)), 0)) == 1
    assert len(gaps.feed(container(update_of("common", "", 8, 1)), 0)) == 1
    gaps.start(api.updates.State(pts=8, qts=0, date=1, seq=0, unread_count=0), 0)
    assert [fetch.pts for fetch in gaps.fetches()] == [5]


def test_no_hole_before_the_first_state_is_none() -> None:
    gaps = Gaps(now=0)
    for pts in (6, 7):
        gaps.feed(container(update_of("common", "", pts, 1)), 0)
    gaps.start(api.updates.State(pts=7, qts=0, date=1, seq=0, unread_count=0), 0)
    assert gaps.fetches() == []


def test_keys_differ_where_the_line_does_not_move() -> None:
    reads = [
        api.UpdateReadChannelInbox(channel_id=5, max_id=max_id, still_unread_count=0, pts=4)
        for max_id in (1, 2, 2)
    ]
    assert [key_of(read) for read in reads] == [
        "5:ReadChannelInbox:4:1",
        "5:ReadChannelInbox:4:2",
        "5:ReadChannelInbox:4:2",
    ]
    typing = [api.UpdateUserTyping(user_id=n, action=api.SendMessageTypingAction()) for n in (1, 2)]
    assert len({key_of(one) for one in typing}) == 2


def short(**options: Any) -> api.UpdateShortMessage:
    return api.UpdateShortMessage(
        id=10, user_id=555, message="hi", pts=2, pts_count=1, date=1, **options
    )


@pytest.mark.parametrize("known", [False, True])
def test_short_forms_need_known_users(known: bool) -> None:
    gaps = fresh(knows=lambda ids: known or not list(ids))
    group = api.UpdateShortChatMessage(
        id=11, from_id=555, chat_id=42, message="hi", pts=3, pts_count=1, date=1
    )
    told = gaps.feed(short(), 0) + gaps.feed(group, 0)
    assert len(told) == (2 if known else 0)
    assert gaps.is_fetching(None) != known
    if known:
        first, second = (one.update.message for one in told)  # type: ignore[union-attr]
        assert (first.from_id, first.peer_id) == (api.PeerUser(user_id=555),) * 2
        assert second.peer_id == api.PeerChat(chat_id=42)


def test_an_unknown_sender_is_fetched_and_comes_with_the_message() -> None:
    gaps = fresh(knows=lambda ids: not list(ids))
    message = text_message("hi", api.PeerUser(user_id=555), from_id=api.PeerUser(user_id=555))
    new = api.UpdateNewMessage(message=message, pts=2, pts_count=1)
    sender = api.User(id=555, access_hash=7777)
    assert gaps.feed(container(new), 0) == []
    (fetch,) = gaps.fetches()
    answer = api.updates.Difference(
        new_messages=[message],
        new_encrypted_messages=[],
        other_updates=[],
        users=[sender],
        chats=[],
        state=api.updates.State(pts=2, qts=0, date=2, seq=0, unread_count=1),
    )
    (told,) = gaps.difference(answer, 0)
    assert (fetch.pts, told.users) == (1, {555: sender})
    assert told.key == key_of(new)
    assert gaps.feed(container(new, users=[sender]), 0) == []  # it was told already
    channel = api.UpdateNewChannelMessage(
        message=text_message("post", api.PeerChannel(channel_id=42), from_id=sender_of(9)),
        pts=5,
        pts_count=1,
    )
    assert len(gaps.feed(container(channel), 0)) == 1  # channels are exempt


def sender_of(user_id: int) -> api.PeerUser:
    return api.PeerUser(user_id=user_id)


def test_whom_a_message_refers_to() -> None:
    message = text_message(
        "x",
        sender_of(111),
        from_id=sender_of(222),
        fwd_from=api.MessageFwdHeader(
            date=1, from_id=sender_of(333), saved_from_peer=sender_of(444)
        ),
        via_bot_id=555,
        entities=[api.MessageEntityMentionName(offset=0, length=1, user_id=666)],
    )
    assert referenced(message, ME) == [111, 222, 333, 444, 555, 666]
    assert referenced(text_message("x", sender_of(ME)), ME) == []
    in_channel = text_message("x", api.PeerChannel(channel_id=42), from_id=api.PeerChat(chat_id=7))
    assert referenced(in_channel, ME) == []


def test_no_more_than_some_channels_are_fetched_at_once() -> None:
    gaps = Gaps(now=0, state=State(1), channels=dict.fromkeys(range(1, 31), 5))
    first = gaps.fetches()
    assert [fetch.channel_id for fetch in first] == [None, *range(1, 11)]
    gaps.failed(3, 0)
    assert [fetch.channel_id for fetch in gaps.fetches()] == [11]


def test_a_difference_that_fails_is_tried_again_later_and_later() -> None:
    gaps = Gaps(now=0, state=State(1))
    waits = []
    now = 0.0
    for _ in range(9):
        assert gaps.fetches()
        gaps.failed(None, now)
        deadline = gaps.next_deadline()
        assert deadline is not None
        waits.append(deadline - now)
        now = deadline
        gaps.handle_deadline(now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_hole_that_telegram_does_not_fill_is_told() -> None:
    gaps = fresh(channels={7: 3})
    gaps.want(7)
    gaps.fetches()
    answer = api.updates.ChannelDifferenceTooLong(
        final=True,
        dialog=api.Dialog(
            peer=api.PeerChannel(channel_id=7),
            top_message=9,
            read_inbox_max_id=0,
            read_outbox_max_id=0,
            unread_count=0,
            unread_mentions_count=0,
            unread_reactions_count=0,
            unread_poll_votes_count=0,
            notify_settings=api.PeerNotifySettings(),
            pts=500,
        ),
        messages=[],
        chats=[],
        users=[],
    )
    (told,) = gaps.channel_difference(7, answer, 0)
    assert told.update == api.UpdateChannelTooLong(channel_id=7, pts=500)
    assert gaps.channels == {7: 500}


def test_an_unknown_channel_that_is_too_long_is_fetched_from_its_start() -> None:
    gaps = fresh()
    assert gaps.feed(container(api.UpdateChannelTooLong(channel_id=8, pts=50)), 0) == []
    (fetch,) = gaps.fetches()
    assert (fetch.channel_id, fetch.pts) == (8, 1)


# ------------------------------------------------------------------ any loss, any order


class Source:
    """A server with one account and two channels: what it says, and what it tells who asks."""

    def __init__(self) -> None:
        self.lines: dict[int | None, list[Any]] = {None: [], 1: [], 2: []}
        self.said = 0

    def happen(self, channel: int | None) -> Any:
        line = self.lines[channel]
        pts = len(line) + 2
        self.said += 1
        if channel is None:
            message = text_message(f"a{pts}", id=pts)
            update: Any = api.UpdateNewMessage(message=message, pts=pts, pts_count=1)
        else:
            peer = api.PeerChannel(channel_id=channel)
            message = text_message(f"{channel}-{pts}", peer, id=pts)
            update = api.UpdateNewChannelMessage(message=message, pts=pts, pts_count=1)
        line.append(update)
        return update

    def answer(self, gaps: Gaps, now: float, limit: int) -> list[Delivery]:
        told: list[Delivery] = []
        for fetch in gaps.fetches():
            line = self.lines[fetch.channel_id]
            news = [update.message for update in line[fetch.pts - 1 :]]
            part = news[:limit]
            pts = fetch.pts + len(part)
            if fetch.channel_id is not None:
                told += gaps.channel_difference(
                    fetch.channel_id,
                    api.updates.ChannelDifference(
                        final=len(part) == len(news),
                        pts=pts,
                        new_messages=part,
                        other_updates=[],
                        chats=[],
                        users=[],
                    ),
                    now,
                )
                continue
            state = api.updates.State(pts=pts, qts=0, date=1, seq=0, unread_count=0)
            fields: dict[str, Any] = {
                "new_messages": part,
                "new_encrypted_messages": [],
                "other_updates": [],
                "chats": [],
                "users": [],
            }
            if len(part) < len(news):
                slice_ = api.updates.DifferenceSlice(**fields, intermediate_state=state)
                told += gaps.difference(slice_, now)
            else:
                told += gaps.difference(api.updates.Difference(**fields, state=state), now)
        return told


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([None, 1, 2]), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
    st.integers(1, 5),
)
def test_nothing_is_lost_or_repeated_whatever_happens_to_pushes(
    events: list[int | None], dice: random.Random, limit: int
) -> None:
    source = Source()
    gaps = Gaps(now=0, state=State(pts=1, date=1), channels={1: 1, 2: 1}, fresh=True)
    told: list[Delivery] = []
    now = 0.0
    under_way: list[Any] = []
    for channel in events:
        under_way.append(source.happen(channel))
        while under_way and dice.random() < 0.6:
            update = under_way.pop(dice.randrange(len(under_way)))
            if dice.random() < 0.2:
                continue  # lost
            if dice.random() < 0.2:
                under_way.append(update)  # comes twice
            told += gaps.feed(container(update), now)
        now += dice.random() / 2
        gaps.handle_deadline(now)
        if dice.random() < 0.5:
            told += source.answer(gaps, now, limit)
    now += 1000
    gaps.handle_deadline(now)
    for _ in range(len(events) + 2):
        told += source.answer(gaps, now, limit)
    for channel, line in source.lines.items():
        ids = [one.update.message.id for one in told if one.channel_id == channel]  # type: ignore[union-attr]
        assert ids == [update.message.id for update in line]
        assert all(before < after for before, after in pairwise(ids))
    assert gaps.state == State(len(source.lines[None]) + 1, 0, 1, 0)
    assert gaps.channels == {1: len(source.lines[1]) + 1, 2: len(source.lines[2]) + 1}


def test_place_of_other_updates() -> None:
    assert place_of(api.UpdateConfig()) is None
    assert place_of(channel_read(3, 4)) is not None
