"""Layer 4, client: puts updates in order and finds out what is missing (C0.3, C6).

Knows pts, qts, seq and date, and the rules of https://core.telegram.org/api/updates. Has no
socket, task or clock: time is an argument, what must be fetched is asked for with
:meth:`Gaps.fetches`, and timers are a deadline. Must not know who handles updates.

Theory of operation. The account's updates form one line that is counted by pts; each channel has
a line of its own. An update says where its line stands after it and by how much it moved it:

- it fits: local pts + pts_count = pts. It is handed out, and so are held ones that fit after it;
- it was seen: local pts + pts_count > pts. It is dropped;
- something is missing: it is held. If the missing one has not come after half a second, the
  difference is fetched. Updates that arrive meanwhile are handed out if they fit, or held.

qts are counted by one, seq counts containers. Everything that is handed out is a
:class:`Delivery`; where the lines stand then is :attr:`Gaps.state` and :attr:`Gaps.channels`, which
may be written down once all deliveries before have been dealt with.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from radiogram.client.placing import Place, expand, key_of, order, place_of, referenced, short_ids
from radiogram.client.sessions import State
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.albums import Album
    from radiogram.client.ending import Ended

GAP_WAIT = 0.5
"""Seconds that a missing update is waited for before the difference is fetched."""
SILENCE = 900.0
"""Seconds without any update of a line after which its difference is fetched."""
RETRY_AFTER = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""Seconds before a difference that could not be fetched is tried again, by number of failures."""
CHANNELS_AT_ONCE = 10
"""Differences of channels that are fetched at the same time."""
MAX_HELD = 10_000
"""Updates of one line that are held; with more the difference is fetched and they are dropped."""
MAX_REMEMBERED = 10_000
"""Messages whose delivery is remembered, so that a difference does not repeat them."""

CHANNEL_LIMIT = 100
CHANNEL_LIMIT_BOT = 100_000
"""Events of a channel asked for at once, by users and by bots."""


class Delivery(msgspec.Struct, frozen=True):
    """An update whose turn has come."""

    update: api.TypeUpdate | api.UpdatesTooLong | api.UpdateChannelTooLong | Album | Ended
    """What happened. ``UpdatesTooLong``, or ``UpdateChannelTooLong``, means that Telegram has not
    kept what was missed: the line goes on after a hole. ``Album`` and ``Ended`` come from the
    client itself."""
    channel_id: int | None
    """The channel in whose line it was; None for the account's."""
    key: str
    """Names what happened. The same when it is delivered again, after a restart or by a
    difference; so whoever must not act twice remembers it."""
    users: dict[int, api.TypeUser]
    chats: dict[int, api.TypeChat]
    """Who was sent along, by id."""


class Fetch(msgspec.Struct, frozen=True):
    """A difference that is wanted."""

    channel_id: int | None
    pts: int
    qts: int = 0
    date: int = 0

    def request(self, channel: Any, *, is_bot: bool) -> Any:
        """Return the call; `channel` is the InputChannel, of a channel."""
        if self.channel_id is None:
            return api.updates.GetDifference(pts=self.pts, date=self.date, qts=self.qts)
        return api.updates.GetChannelDifference(
            channel=channel,
            filter=api.ChannelMessagesFilterEmpty(),
            pts=self.pts,
            limit=CHANNEL_LIMIT_BOT if is_bot else CHANNEL_LIMIT,
        )


class Forgotten(msgspec.Struct, frozen=True):
    """A channel is closed to the account: its line is not followed any more."""

    channel_id: int


class _Held(NamedTuple):
    update: Any
    place: Place
    users: dict[int, Any]
    chats: dict[int, Any]


class _Line:
    """What the account's line and a channel's have in common."""

    __slots__ = (
        "deadline",
        "failures",
        "fetching",
        "futile",
        "gap_until",
        "held",
        "last_update",
        "pts",
    )

    def __init__(self, pts: int, now: float) -> None:
        self.pts = pts
        self.held: list[_Held] = []
        self.gap_until: float | None = None
        self.deadline: float | None = now + SILENCE
        self.fetching = False
        self.failures = 0
        self.futile = 0  # differences in a row that did not close the gap
        self.last_update = now

    def touch(self, now: float) -> None:
        self.last_update = now
        if self.deadline is not None:
            self.deadline = now + SILENCE


_INFORMATIVE = ("updateReadChannelInbox", "updateChannelTooLong")
"""Updates of channels whose pts moves nothing."""


_NEW = (api.UpdateNewMessage, api.UpdateNewChannelMessage, api.UpdateNewEncryptedMessage)
"""What a difference tells as messages, which are not numbered one by one."""


def _is_of_channel(update: Any) -> bool:
    if isinstance(update, api.UpdateChannelTooLong):
        return True
    place = place_of(update)
    return place is not None and place.channel_id is not None


def _who(result: Any) -> tuple[dict[int, Any], dict[int, Any]]:
    return {user.id: user for user in result.users}, {chat.id: chat for chat in result.chats}


class Gaps:
    """The lines of one account."""

    def __init__(
        self,
        *,
        now: float,
        state: State | None = None,
        channels: dict[int, int] | None = None,
        self_id: int = 0,
        is_bot: bool = False,
        knows: Callable[[Iterable[int]], bool] = lambda _ids: True,
        catch_up: bool = True,
        fresh: bool = False,
    ) -> None:
        """Start from a state that was kept, or from none.

        `knows` tells whether all of some users can be addressed; a message from a user who cannot
        is fetched by difference, which brings its sender along. With `fresh`, the state was just
        given by the server and nothing can have been missed.
        """
        self._self_id = self_id
        self._is_bot = is_bot
        self._knows = knows
        self._qts = state.qts if state else 0
        self._date = state.date if state else 0
        self._seq = state.seq if state else 0
        self._known = state is not None
        self._account = _Line(state.pts if state else 0, now)
        self._channels: dict[int, _Line] = {
            channel_id: _Line(pts, now) for channel_id, pts in (channels or {}).items()
        }
        self._early: list[int] | None = None  # before the first state: from which pts, up to where
        self._held_qts: dict[int, _Held] = {}
        self._qts_until: float | None = None
        self._wanted: OrderedDict[int | None, None] = OrderedDict()
        self._moved: set[int | None] = set()
        self._remembered: OrderedDict[str, None] = OrderedDict()
        if self._known and catch_up and not fresh:
            self.want(None)
            for channel_id in self._channels:
                self.want(channel_id)

    # ── what is known ────────────────────────────────────────────────────────────────────────

    @property
    def state(self) -> State | None:
        """Where the account's line stands; None before the first state."""
        if not self._known:
            return None
        return State(self._account.pts, self._qts, self._date, self._seq)

    @property
    def channels(self) -> dict[int, int]:
        """Where the line of each channel stands."""
        return {channel_id: line.pts for channel_id, line in sorted(self._channels.items())}

    def moved(self) -> set[int | None]:
        """Return the lines that may stand elsewhere than when this was last asked."""
        moved, self._moved = self._moved, set()
        return moved

    def held(self, channel_id: int | None) -> int:
        """Return how many updates of a line wait for a missing one."""
        line = self._line(channel_id)
        return len(line.held) if line is not None else 0

    def last_update(self, channel_id: int | None) -> float | None:
        """Return when something last came for a line."""
        line = self._line(channel_id)
        return line.last_update if line is not None else None

    def is_fetching(self, channel_id: int | None) -> bool:
        """Tell whether the difference of a line is wanted or under way."""
        line = self._line(channel_id)
        return channel_id in self._wanted or (line is not None and line.fetching)

    def _line(self, channel_id: int | None) -> _Line | None:
        return self._account if channel_id is None else self._channels.get(channel_id)

    # ── timers ───────────────────────────────────────────────────────────────────────────────

    def next_deadline(self) -> float | None:
        """Return when :meth:`handle_deadline` is to be called next."""
        times = [self._qts_until] if self._qts_until is not None else []
        for channel_id, line in self._lines():
            if line.fetching or channel_id in self._wanted:
                continue
            times += [time for time in (line.gap_until, line.deadline) if time is not None]
        return min(times, default=None)

    def handle_deadline(self, now: float) -> None:
        """Ask for what did not come in time."""
        for channel_id, line in self._lines():
            waited = line.gap_until is not None and line.gap_until <= now
            silent = line.deadline is not None and line.deadline <= now
            if waited or silent:
                self.want(channel_id)
        if self._qts_until is not None and self._qts_until <= now:
            self._qts_until = None
            self.want(None)

    def _lines(self) -> list[tuple[int | None, _Line]]:
        found: list[tuple[int | None, _Line]] = list(self._channels.items())
        if self._known:
            found.insert(0, (None, self._account))
        return found

    # ── fetching ─────────────────────────────────────────────────────────────────────────────

    def want(self, channel_id: int | None) -> None:
        """Ask for the difference of a line as soon as possible."""
        line = self._line(channel_id)
        if line is None or (channel_id is None and not self._known):
            return
        line.gap_until = None
        if not line.fetching:
            self._wanted[channel_id] = None

    def fetches(self) -> list[Fetch]:
        """Take the differences that are to be fetched now.

        Answer each with :meth:`difference`, :meth:`channel_difference` or :meth:`failed`.
        """
        found: list[Fetch] = []
        busy = sum(line.fetching for line in self._channels.values())
        for channel_id in list(self._wanted):
            line = self._line(channel_id)
            if line is None or line.fetching:
                del self._wanted[channel_id]
                continue
            if channel_id is None:
                found.append(Fetch(None, line.pts, self._qts, self._date))
            elif busy < CHANNELS_AT_ONCE:
                busy += 1
                found.append(Fetch(channel_id, line.pts))
            else:
                continue
            del self._wanted[channel_id]
            line.fetching = True
        return found

    def failed(
        self, channel_id: int | None, now: float, *, closed: bool = False
    ) -> list[Forgotten]:
        """Note that a difference could not be fetched; `closed`: the channel may not be seen."""
        line = self._line(channel_id)
        if line is None:
            return []
        line.fetching = False
        self._wanted.pop(channel_id, None)
        if closed and channel_id is not None:
            del self._channels[channel_id]
            self._moved.add(channel_id)
            return [Forgotten(channel_id)]
        wait = RETRY_AFTER[min(line.failures, len(RETRY_AFTER) - 1)]
        line.failures += 1
        line.deadline = now + wait
        return []

    def lost_channel(self, channel_id: int) -> list[Delivery]:
        """Tell that what was missed in a channel cannot be had."""
        if channel_id not in self._channels:
            return []
        return [self._lost(api.UpdateChannelTooLong(channel_id=channel_id), channel_id)]

    # ── results ──────────────────────────────────────────────────────────────────────────────

    def start(self, state: api.updates.State, now: float) -> None:
        """Begin at a state that the server has just given."""
        self._known = True
        self._moved.add(None)
        self._account = _Line(state.pts, now)
        self._qts, self._date, self._seq = state.qts, state.date, state.seq
        early, self._early = self._early, None
        if early is not None and 0 < early[0] < state.pts != early[1]:
            # Something was handed out before, and something after it has not come.
            self._account.pts = early[0]
            self.want(None)

    def learn_channel(self, channel_id: int, pts: int, now: float) -> None:
        """Begin to follow a channel whose pts a dialog told; a known one stays where it is."""
        if channel_id not in self._channels and pts > 0:
            self._channels[channel_id] = _Line(pts, now)
            self._moved.add(channel_id)

    def difference(self, result: api.updates.TypeDifference, now: float) -> list[Delivery]:
        """Take the answer to the account's fetch."""
        line = self._account
        self._moved.add(None)
        line.fetching = False
        line.failures = 0
        line.deadline = now + SILENCE
        match result:
            case api.updates.DifferenceEmpty():
                self._date, self._seq = result.date, result.seq
                told: list[Delivery] = []
            case api.updates.DifferenceTooLong():
                line.pts = result.pts
                line.held.clear()
                told = [self._lost(api.UpdatesTooLong(), None)]
                self.want(None)
            case api.updates.DifferenceSlice():
                told = self._missed(None, result, result.intermediate_state, now)
                self.want(None)
            case api.updates.Difference():
                told = self._missed(None, result, result.state, now)
        told += self._drain_qts(now)
        return told + self._settle(None, now)

    def channel_difference(
        self, channel_id: int, result: api.updates.TypeChannelDifference, now: float
    ) -> list[Delivery]:
        """Take the answer to the fetch of a channel."""
        line = self._channels.get(channel_id)
        if line is None:
            return []
        self._moved.add(channel_id)
        line.fetching = False
        line.failures = 0
        line.deadline = now + SILENCE
        told: list[Delivery] = []
        final = result.final
        match result:
            case api.updates.ChannelDifferenceEmpty():
                line.pts = max(line.pts, result.pts)
            case api.updates.ChannelDifferenceTooLong():
                line.held.clear()
                pts = getattr(result.dialog, "pts", None)
                line.pts = pts or line.pts
                users, chats = _who(result)
                lost = api.UpdateChannelTooLong(channel_id=channel_id, pts=pts)
                told.append(self._lost(lost, channel_id, users, chats))
            case api.updates.ChannelDifference():
                told = self._missed(channel_id, result, result.pts, now)
        line.deadline = now + max(SILENCE, result.timeout or 0)  # C6.7: not before
        if not final:
            self.want(channel_id)
        return told + self._settle(channel_id, now)

    def _settle(self, channel_id: int | None, now: float) -> list[Delivery]:
        """Hand out what fits after a difference; ask again if that did not close the gap.

        It does not when the server that told the difference is behind the one that pushed.
        """
        told = self._drain(channel_id, now)
        line = self._line(channel_id)
        assert line is not None
        if not line.held:
            line.futile = 0
        elif line.gap_until is None and not self.is_fetching(channel_id):
            line.gap_until = now + RETRY_AFTER[min(line.futile, len(RETRY_AFTER) - 1)]
            line.futile += 1
        return told

    def affected(
        self, channel_id: int | None, pts: int, pts_count: int, now: float
    ) -> list[Delivery]:
        """Take the pts of ``messages.affectedMessages`` and its like, the result of an own call."""
        line = self._line(channel_id)
        if line is None or pts <= 0 or (channel_id is None and not self._known):
            return []
        place = Place(channel_id, pts, pts_count)
        return self._place(_Held(None, place, {}, {}), now)

    def _missed(
        self, channel_id: int | None, result: Any, state: Any, now: float
    ) -> list[Delivery]:
        """Hand out what a difference tells, then let the line stand where it says."""
        line = self._account if channel_id is None else self._channels[channel_id]
        users, chats = _who(result)
        new: list[Any]
        if channel_id is None:
            new = [
                api.UpdateNewMessage(message=message, pts=0, pts_count=0)
                for message in result.new_messages
            ] + [
                api.UpdateNewEncryptedMessage(message=message, qts=0)
                for message in result.new_encrypted_messages
            ]
        else:
            new = [
                api.UpdateNewChannelMessage(message=message, pts=0, pts_count=0)
                for message in result.new_messages
            ]
        updates = [update for update in new if key_of(update) not in self._remembered]
        before, qts_before = line.pts, self._qts
        later: list[Any] = []
        for update in result.other_updates:
            place = place_of(update)
            qts = getattr(update, "qts", None) if place is None and channel_id is None else None
            if qts:
                # Counted by the state that comes with them, so they are not to be held.
                if qts > qts_before:
                    updates.append(update)
            elif place is None or place.channel_id != channel_id:
                later.append(update)
            elif place.pts > before or place.moves == 0:
                updates.append(update)
        if channel_id is None:
            line.pts = max(line.pts, state.pts)
            self._qts = max(self._qts, state.qts)
            self._date, self._seq = state.date, state.seq
            self._held_qts = {qts: held for qts, held in self._held_qts.items() if qts > self._qts}
        else:
            line.pts = max(line.pts, state)
        told = [self._deliver(update, channel_id, users, chats) for update in updates]
        for update in later:
            told += self._feed_one(update, users, chats, now, by_difference=True)
        return told

    def _lost(
        self,
        update: Any,
        channel_id: int | None,
        users: dict[int, Any] | None = None,
        chats: dict[int, Any] | None = None,
    ) -> Delivery:
        line = self._account if channel_id is None else self._channels[channel_id]
        return Delivery(
            update,
            channel_id,
            f"{channel_id or ''}TooLong:{line.pts}",
            users or {},
            chats or {},
        )

    # ── what is pushed ───────────────────────────────────────────────────────────────────────

    def feed(self, updates: api.TypeUpdates, now: float) -> list[Delivery]:
        """Take what the server pushed, or the result of an own call."""
        match updates:
            case api.UpdatesTooLong():
                self.want(None)
                return []
            case api.UpdateShortSentMessage():
                return self.affected(None, updates.pts, updates.pts_count, now)
            case api.UpdateShortMessage() | api.UpdateShortChatMessage():
                if not self._knows(short_ids(updates, self._self_id)):
                    self.want(None)
                    return []
                return self._feed_all([expand(updates, self._self_id)], {}, {}, 0, 0, 0, now)
            case api.UpdateShort():
                return self._feed_all([updates.update], {}, {}, 0, 0, updates.date, now)
            case api.Updates():
                users, chats = _who(updates)
                seq = updates.seq
                return self._feed_all(updates.updates, users, chats, seq, seq, updates.date, now)
            case api.UpdatesCombined():
                users, chats = _who(updates)
                return self._feed_all(
                    updates.updates,
                    users,
                    chats,
                    updates.seq_start,
                    updates.seq,
                    updates.date,
                    now,
                )

    def _feed_all(
        self,
        updates: list[Any],
        users: dict[int, Any],
        chats: dict[int, Any],
        seq_start: int,
        seq: int,
        date: int,
        now: float,
    ) -> list[Delivery]:
        if self._known:
            self._account.touch(now)
        if seq_start:
            if self._known and seq_start > self._seq + 1:
                self.want(None)
                # The difference repeats nothing of channels: they have lines of their own.
                updates = [update for update in updates if _is_of_channel(update)]
                seq = date = 0
            elif seq_start <= self._seq:
                return []
        moved = not updates
        told: list[Delivery] = []
        for update in sorted(updates, key=order):
            done = self._feed_one(update, users, chats, now)
            moved = moved or bool(done)
            told += done
        if moved and self._known:
            self._moved.add(None)
            self._date = date or self._date
            self._seq = seq or self._seq
        return told

    def _feed_one(
        self,
        update: Any,
        users: dict[int, Any],
        chats: dict[int, Any],
        now: float,
        *,
        by_difference: bool = False,
    ) -> list[Delivery]:
        if isinstance(update, api.UpdateChannelTooLong):
            if update.channel_id in self._channels:
                self.want(update.channel_id)
            elif update.pts:
                # Nothing of it is known: from the start, or there would be a hole.
                self._channels[update.channel_id] = _Line(1, now)
                self.want(update.channel_id)
            return []
        place = place_of(update)
        held = _Held(update, place or Place(None, 0, 0), users, chats)
        if place is None:
            qts = getattr(update, "qts", None)
            if qts:
                return self._place_qts(qts, held, now)
            return [self._deliver(update, None, users, chats)]
        if not by_difference and place.channel_id is None and not self._has_sender(update, users):
            self.want(None)
            return []
        return self._place(held, now)

    def _has_sender(self, update: Any, users: dict[int, Any]) -> bool:
        """Tell whether everybody whom a new message names is known or was sent along."""
        message = getattr(update, "message", None)
        if not isinstance(message, api.Message):
            return True
        ids = [number for number in referenced(message, self._self_id) if number not in users]
        return not ids or self._knows(ids)

    def _place_qts(self, qts: int, held: _Held, now: float) -> list[Delivery]:
        if qts <= self._qts:
            return []
        self._held_qts[qts] = held
        return self._drain_qts(now)

    def _drain_qts(self, now: float) -> list[Delivery]:
        """Hand out held updates that fit by now."""
        told: list[Delivery] = []
        while (found := self._held_qts.pop(self._qts + 1, None)) is not None:
            self._qts += 1
            told.append(self._deliver(found.update, None, found.users, found.chats))
        if not self._held_qts:
            self._qts_until = None
        elif len(self._held_qts) > MAX_HELD:
            self._held_qts.clear()
            self.want(None)
        elif self._qts_until is None:
            self._qts_until = now + GAP_WAIT
        return told

    def _place(self, held: _Held, now: float) -> list[Delivery]:
        """Hand an update out, drop it or hold it, by its pts."""
        place = held.place
        self._moved.add(place.channel_id)
        line = self._line(place.channel_id)
        if line is None:
            if held.update is None or place.channel_id is None:
                return []
            # The first of a channel: whatever was before is none of ours. An update that moves
            # nothing may come before the message that it is about.
            first = place.pts if place.moves else max(1, place.pts - 1)
            self._channels[place.channel_id] = _Line(first, now)
            return self._hand_out(held)
        if place.channel_id is None and not self._known:
            before = place.pts - place.moves
            if self._early is None:
                self._early = [before, place.pts]
            elif before == self._early[1]:
                self._early[1] = place.pts
            return self._hand_out(held)
        line.touch(now)
        if place.moves == 0 and held.update is not None and held.update.TL_NAME in _INFORMATIVE:
            return self._hand_out(held)
        before = place.pts - place.moves
        if (place.moves > 0 and before < line.pts) or (place.moves == 0 and place.pts < line.pts):
            return []
        if before > line.pts:
            line.held.append(held)
            if len(line.held) > MAX_HELD:
                line.held.clear()
                self.want(place.channel_id)
            elif line.gap_until is None and not self.is_fetching(place.channel_id):
                line.gap_until = now + GAP_WAIT
            return []
        line.pts = place.pts
        return self._hand_out(held) + self._drain(place.channel_id, now)

    def _drain(self, channel_id: int | None, now: float) -> list[Delivery]:
        """Hand out held updates that fit by now."""
        line = self._line(channel_id)
        if line is None or not line.held:
            return []
        told: list[Delivery] = []
        line.held.sort(key=lambda held: held.place.pts - held.place.moves)
        left: list[_Held] = []
        for held in line.held:
            before = held.place.pts - held.place.moves
            if before == line.pts:
                line.pts = held.place.pts
                told += self._hand_out(held)
            elif before > line.pts:
                left.append(held)
        line.held = left
        if not left:
            line.gap_until = None
        elif told and not self.is_fetching(channel_id):
            line.gap_until = now + GAP_WAIT  # another gap: it has its own time
        return told

    def _hand_out(self, held: _Held) -> list[Delivery]:
        if held.update is None:  # the result of an own call: it moves the line and says nothing
            return []
        return [self._deliver(held.update, held.place.channel_id, held.users, held.chats)]

    def _deliver(
        self,
        update: Any,
        channel_id: int | None,
        users: dict[int, Any],
        chats: dict[int, Any],
    ) -> Delivery:
        key = key_of(update)
        if isinstance(update, _NEW):
            self._remembered[key] = None
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return Delivery(update, channel_id, key, users, chats)
