"""Layer 4, client: moves updates from the server to their handlers, and none gets lost.

Knows the gap machine, the journal, and when to ask the server for a difference. Must not know
what a handler does, or where the state is kept.

Theory of operation. Whatever arrives goes through :class:`~radiogram.client.gaps.Gaps`, which
says what is due. Each delivery joins the queue of its chat; a task for each chat that has
something to do hands its deliveries over one after the other, chats beside each other. Only when
a handler has returned is the state after its update kept, so a crash repeats updates and never
skips them.

Handlers that are too slow do not fill the memory: with `limit` updates open, pushes are let go and
their lines are noted as behind; once half of them are done, the differences are fetched, which
bring what was let go.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Protocol

import msgspec

from radiogram import errors
from radiogram.client.albums import Albums, Complete, grouped_id_of
from radiogram.client.dispatch import Hold, Release
from radiogram.client.gaps import RETRY_AFTER, Delivery, Fetch, Gaps
from radiogram.client.journal import Entry, Journal, LineState
from radiogram.client.placing import place_of, sent_message
from radiogram.client.sessions import State
from radiogram.client.turns import Turn
from radiogram.net.deadline import Timer
from radiogram.tl import api

log = logging.getLogger("radiogram.client.updates")

LIMIT = 5_000
"""Updates that may wait for their handlers before pushes are let go."""
PARALLEL = 100
"""Chats whose handlers run at the same time; those that wait for an event do not count."""

_CLOSED = {
    "CHANNEL_INVALID",
    "CHANNEL_PRIVATE",
    "CHANNEL_PUBLIC_GROUP_NA",
    "USER_BANNED_IN_CHANNEL",
}
_JUMP = {"PERSISTENT_TIMESTAMP_INVALID", "PERSISTENT_TIMESTAMP_EMPTY"}


class Keeper(Protocol):
    """Where the state of the lines lives between runs: a session."""

    def lines(self) -> tuple[State | None, dict[int, int]]:
        """Return where the lines stood: the account's state, and the pts of channels."""
        ...

    def keep_line(self, channel_id: int | None, state: LineState) -> None:
        """Write down where a line stands."""

    def forget_line(self, channel_id: int) -> None:
        """Drop the line of a channel."""


class Health(msgspec.Struct, frozen=True):
    """How the stream of updates is doing."""

    open: int
    """Updates that were handed out and not dealt with."""
    is_behind: bool
    """Whether pushes are being let go because handlers are too slow."""
    fetching: tuple[int | None, ...]
    """Lines whose difference is wanted or under way; None is the account's."""
    gaps: int
    """Differences that were fetched because something was missing or silent for long."""
    lost: int
    """Holes that Telegram could not fill."""
    failures: int
    """Handlers that raised."""
    last_update: dict[int | None, float]
    """When something last came, by line, in the client's clock."""


class UpdatePump:
    """The stream of updates of one account, from start() to stop()."""

    def __init__(
        self,
        *,
        handle: Callable[[Delivery], Awaitable[None]],
        offer: Callable[[Delivery, Hold], None] = lambda _delivery, _hold: None,
        invoke: Callable[[Any], Awaitable[Any]],
        input_channel: Callable[[int], Any],
        knows: Callable[[Iterable[int]], bool],
        keeper: Keeper,
        clock: Callable[[], float],
        self_id: int,
        is_bot: bool = False,
        wants_albums: Callable[[], bool] = lambda: False,
        limit: int = LIMIT,
        parallel: int = PARALLEL,
    ) -> None:
        """Take what it needs of the client.

        `handle` deals with a delivery when the earlier ones of its chat have been; `offer` is told
        of it at once, and may keep it open: ``release = hold()``, later ``release()``.
        `input_channel` gives the InputChannel of a channel id or raises PeerNotFound; `knows`
        tells whether users can be addressed; `wants_albums` whether anybody handles albums.
        """
        self._handle = handle
        self._offer = offer
        self._invoke = invoke
        self._input_channel = input_channel
        self._keeper = keeper
        self._clock = clock
        self._is_bot = is_bot
        self._self_id = self_id
        self._limit = limit
        self._turns = asyncio.Semaphore(parallel)
        self._start_at: float | None = None
        self._failed_starts = 0
        state, channels = keeper.lines()
        self._gaps = Gaps(
            now=clock(),
            state=state,
            channels=channels,
            self_id=self_id,
            is_bot=is_bot,
            knows=knows,
        )
        self._journal = Journal(keeper.keep_line)
        self._albums: Albums[Entry] = Albums()
        self._wants_albums = wants_albums
        self._timer = Timer(self._deadline_reached, clock)
        self._queues: dict[object, deque[tuple[Delivery, list[Entry]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._behind: set[int | None] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopped = False
        self._fetched = self._lost = self.failures = 0

    # ── from the client ──────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Find out where the account stands, or what was missed since the state that was kept.

        What keeps the server from telling is logged, and it is asked again later.
        """
        if self._gaps.state is None:
            try:
                state = await self._invoke(api.updates.GetState())
            except errors.RadiogramError as error:
                wait = RETRY_AFTER[min(self._failed_starts, len(RETRY_AFTER) - 1)]
                self._failed_starts += 1
                if not self._stopped:
                    log.warning(
                        "updates cannot be followed yet, since the server does not tell where the "
                        "account stands (%s); asking again in %g s",
                        error,
                        wait,
                    )
                    self._start_at = self._clock() + wait
                    self._set_timer()
                return
            self._gaps.start(state, self._clock())
            self._after([])
        self._fetch()

    async def stop(self) -> None:
        """End at once; what is open is handed out again after the next start."""
        await asyncio.gather(*self.halt(), return_exceptions=True)
        self._queues.clear()

    def halt(self) -> list[asyncio.Task[None]]:
        """Begin to end: take nothing more, cancel what runs; gives what has to be waited for."""
        self._stopped = True
        self._timer.cancel()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        return tasks

    @property
    def is_halted(self) -> bool:
        """Whether it was stopped, or begins to."""
        return self._stopped

    async def drain(self) -> None:
        """Wait until nothing is open and nothing is being fetched."""
        await self._idle.wait()

    def push(self, updates: api.TypeUpdates) -> None:
        """Take what the server pushed, or the result of an own call."""
        if self._stopped:
            return
        if self._journal.open >= self._limit:
            self._let_go(updates)
            return
        self._after(self._gaps.feed(updates, self._clock()))

    def result(self, request: Any, result: Any) -> None:
        """Take the result of an own call, whatever it is."""
        # Over a business connection the boxes and the pts are somebody else's.
        if self._stopped or isinstance(request, api.InvokeWithBusinessConnection):
            return
        if isinstance(result, api.UpdateShortSentMessage):
            # Only here is it known what was sent, and where to.
            new = sent_message(request, result, self._self_id)
            self.push(result if new is None else api.UpdateShort(update=new, date=result.date))
        elif isinstance(result, api.TypeUpdates):
            self.push(result)
        elif isinstance(result, _AFFECTED):
            line = affected_line(request)
            if line is not False:
                told = self._gaps.affected(line, result.pts, result.pts_count, self._clock())
                self._after(told)
        elif isinstance(result, _DIALOGS):
            for dialog in result.dialogs:
                if not isinstance(dialog, api.Dialog) or not dialog.pts:
                    continue
                peer, pts = dialog.peer, dialog.pts
                if isinstance(peer, api.PeerChannel):
                    self._gaps.learn_channel(peer.channel_id, pts, self._clock())
            self._after([])
        elif isinstance(result, api.messages.InvitedUsers | api.messages.ChatInviteJoinResultOk):
            self.push(result.updates)

    def missed(self) -> None:
        """Take the news that the server has started over and forgotten what it had not pushed."""
        if not self._stopped:
            self._gaps.want(None)
            self._fetch()

    def health(self) -> Health:
        """Tell how things stand."""
        lines: list[int | None] = [None, *self._gaps.channels]
        return Health(
            open=self._journal.open,
            is_behind=bool(self._behind),
            fetching=tuple(line for line in lines if self._gaps.is_fetching(line)),
            gaps=self._fetched,
            lost=self._lost,
            failures=self.failures,
            last_update={line: self._gaps.last_update(line) or 0.0 for line in lines},
        )

    # ── to the handlers ──────────────────────────────────────────────────────────────────────

    def _after(self, told: list[Delivery]) -> None:
        """Queue what is due, note where the lines stand, and ask for what is missing."""
        for delivery in told:
            if isinstance(delivery.update, api.UpdatesTooLong | api.UpdateChannelTooLong):
                self._lost += 1
            self._hand_out(delivery)
        channels: dict[int, int] | None = None
        for line in self._gaps.moved():
            if line is None:
                state = self._gaps.state
                if state is not None:
                    self._journal.reach(None, state)
                continue
            channels = self._gaps.channels if channels is None else channels
            if line in channels:
                self._journal.reach(line, channels[line])
        self._set_timer()
        self._fetch()

    def _hand_out(self, delivery: Delivery) -> None:
        line = delivery.channel_id
        chat = chat_of(delivery)
        now = self._clock()
        self._complete(self._albums.add(delivery, chat, now))
        self._offer(delivery, partial(self._hold, line))
        self._queue(delivery, chat, [self._journal.hand_out(line)])
        if grouped_id_of(delivery) is not None and self._wants_albums():
            # It stays open until the album was handled: after a crash it has to come again.
            part = self._journal.hand_out(line)
            self._complete(self._albums.keep(delivery, chat, part, now))

    def _complete(self, albums: Iterable[Complete[Entry]]) -> None:
        for delivery, entries in albums:
            self._offer(delivery, partial(self._hold, delivery.channel_id))
            self._queue(delivery, chat_of(delivery), entries)

    def _hold(self, line: int | None) -> Release:
        return partial(self._done, self._journal.hand_out(line))

    def _done(self, entry: Entry) -> None:
        self._journal.done(entry)
        if self._behind and self._journal.open <= self._limit // 2:
            self._catch_up()

    def _queue(self, delivery: Delivery, chat: object, entries: list[Entry]) -> None:
        queue = self._queues.get(chat)
        if queue is not None:
            queue.append((delivery, entries))
            return
        self._queues[chat] = deque([(delivery, entries)])
        self._spawn(self._serve(chat))

    async def _serve(self, chat: object) -> None:
        """Hand the updates of one chat over, one after the other, until there are none."""
        queue = self._queues[chat]
        while queue and not self._stopped:  # a handler may have disconnected
            delivery, entries = queue[0]
            async with Turn(self._turns):
                try:
                    await self._handle(delivery)
                except asyncio.CancelledError as error:
                    task = asyncio.current_task()
                    if self._stopped or task is None:
                        raise
                    # Not by us: a handler has cancelled its own task. Its chat goes on.
                    while task.uncancel():
                        pass
                    self._failed(delivery, error)
                except Exception as error:  # noqa: BLE001 - handlers may raise anything
                    self._failed(delivery, error)
            queue.popleft()
            for entry in entries:
                self._done(entry)
        if self._queues.get(chat) is queue:
            del self._queues[chat]

    def _failed(self, delivery: Delivery, error: BaseException) -> None:
        self.failures += 1
        log.error("a handler failed with %s", delivery.key, exc_info=error)

    def _spawn(self, work: Any) -> None:
        self._idle.clear()
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("the stream of updates failed", exc_info=task.exception())
        if not self._tasks:
            self._idle.set()

    # ── too much at once ─────────────────────────────────────────────────────────────────────

    def _let_go(self, updates: api.TypeUpdates) -> None:
        if not self._behind:
            log.warning(
                "%d updates wait for their handlers: what is pushed is let go, and fetched when "
                "half of them are done; is a handler stuck, or a stream of events not read?",
                self._journal.open,
            )
        self._behind.add(None)
        inner: list[Any] = getattr(updates, "updates", None) or [getattr(updates, "update", None)]
        for update in inner:
            place = place_of(update) if update is not None else None
            if place is not None:
                if place.channel_id is not None:
                    # A channel that is new begins before its first update, which is let go.
                    before = max(1, place.pts - max(1, place.moves))
                    self._gaps.learn_channel(place.channel_id, before, self._clock())
                self._behind.add(place.channel_id)
            elif isinstance(update, api.UpdateChannelTooLong):
                self._behind.add(update.channel_id)

    def _catch_up(self) -> None:
        behind, self._behind = self._behind, set()
        for line in behind:
            self._gaps.want(line)
        self._fetch()

    # ── what is missing ──────────────────────────────────────────────────────────────────────

    def _deadline_reached(self) -> None:
        now = self._clock()
        if self._start_at is not None and self._start_at <= now:
            self._start_at = None
            self._spawn(self.start())
        self._gaps.handle_deadline(now)
        self._complete(self._albums.handle_deadline(now))
        self._set_timer()
        self._fetch()

    def _set_timer(self) -> None:
        if self._stopped:
            return
        times = (self._gaps.next_deadline(), self._albums.next_deadline(), self._start_at)
        self._timer.set(min((time for time in times if time is not None), default=None))

    def _fetch(self) -> None:
        if self._stopped or self._behind:
            return
        for fetch in self._gaps.fetches():
            self._fetched += 1
            self._spawn(self._fetch_one(fetch))

    async def _fetch_one(self, fetch: Fetch) -> None:
        line = fetch.channel_id
        try:
            channel = None if line is None else self._input_channel(line)
            result = await self._invoke(fetch.request(channel, is_bot=self._is_bot))
        except errors.RpcError as error:
            if line is not None and error.name in _CLOSED:
                log.info("channel %d is closed to the account: %s", line, error)
                self._close(line)
            elif error.name in _JUMP:
                await self._jump(line, error)
            else:
                self._put_off(line, error)
            return
        except errors.PeerNotFound as error:
            assert line is not None
            self._lose(line, error)
            return
        except errors.RadiogramError as error:
            self._put_off(line, error)
            return
        except Exception as error:
            log.exception("a difference could not be fetched")
            self._put_off(line, error)
            return
        now = self._clock()
        if line is None:
            self._after(self._gaps.difference(result, now))
        else:
            self._after(self._gaps.channel_difference(line, result, now))

    def _put_off(self, line: int | None, error: Exception) -> None:
        log.info("a difference could not be fetched: %s", error)
        self._gaps.failed(line, self._clock())
        self._set_timer()
        self._fetch()

    async def _jump(self, line: int | None, error: errors.RpcError) -> None:
        """Go on from where the server is: it knows no such past, as after a restored backup."""
        if line is not None:
            self._lose(line, error)
            return
        log.warning("the state of updates is unknown to the server (%s); starting over", error)
        try:
            state = await self._invoke(api.updates.GetState())
        except errors.RadiogramError as failure:
            self._put_off(None, failure)
            return
        answer = api.updates.DifferenceTooLong(pts=state.pts)
        told = self._gaps.difference(answer, self._clock())
        self._gaps.start(state, self._clock())
        self._after(told)

    def _lose(self, channel_id: int, error: Exception) -> None:
        """Tell that what was missed in a channel cannot be had; its next update begins anew."""
        log.warning("what was missed in channel %d cannot be fetched: %s", channel_id, error)
        told = self._gaps.lost_channel(channel_id)
        self._close(channel_id)
        self._after(told)

    def _close(self, channel_id: int) -> None:
        self._gaps.failed(channel_id, self._clock(), closed=True)
        self._gaps.moved()
        self._journal.forget(channel_id)
        self._keeper.forget_line(channel_id)
        self._fetch()


_AFFECTED = (
    api.messages.AffectedMessages,
    api.messages.AffectedHistory,
    api.messages.AffectedFoundMessages,
)
_DIALOGS = (api.messages.Dialogs, api.messages.DialogsSlice, api.messages.PeerDialogs)


def affected_line(request: Any) -> int | bool | None:
    """Return the line that ``affectedMessages`` and its like count; False if it is none."""
    where = getattr(request, "channel", None)
    if where is None:
        where = getattr(request, "peer", None)
    if isinstance(where, api.InputChannelEmpty):
        return False
    channel_id: int | None = getattr(where, "channel_id", None)
    return channel_id


def chat_of(delivery: Delivery) -> object:
    """Return what keeps updates in order among themselves: their chat, or else their line."""
    update: Any = delivery.update
    if delivery.channel_id is not None:
        return delivery.channel_id
    message = getattr(update, "message", None)
    peer = getattr(message, "peer_id", None) or getattr(update, "peer", None)
    if peer is None:
        user_id = getattr(update, "user_id", None)
        return ("user", user_id) if user_id is not None else None
    for kind in ("user", "chat", "channel"):
        number = getattr(peer, f"{kind}_id", None)
        if number is not None:
            return (kind, number)
    return None
