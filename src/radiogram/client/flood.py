"""Layer 4, client: waits that Telegram asks for, remembered so that none is asked for twice.

Knows which errors tell to wait, for which calls they hold, and until when. Must not know
connections: it is one station of the chain of :mod:`~radiogram.client.invoke`.

Theory of operation: a wait holds for one method and, where the request names a peer or a phone
number, for that one only; slow mode holds for everything that is sent to one chat. Until it is
over, calls under it do not reach the server: a short rest is slept through, a long one raises the
error that the server would answer, with what is left. Asking in vain makes such waits longer.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from radiogram import errors
from radiogram.client.ids import mark_channel, mark_chat
from radiogram.client.invoke import Call, Invoker
from radiogram.tl.base import TLObject

log = logging.getLogger("radiogram.client")

Subject = int | str | None
"""Whom a call is about: a marked id, "me", a phone number; None for nobody in particular."""

MAX_BLOCKED = 10_000
"""Waits that are remembered at once; the oldest make room."""
PEER_FLOOD_PAUSE = 600.0
"""Seconds for which a peer is left alone after PEER_FLOOD, which names no time."""

SENDING = frozenset({
    "messages.sendMessage", "messages.sendMedia", "messages.sendMultiMedia",
    "messages.forwardMessages", "messages.sendInlineBotResult",
    "messages.sendQuickReplyMessages",
})  # fmt: skip
"""What slow mode holds back, whichever of them it was told for."""
_ANY_SENDING = "sending"

_REMEMBERED = {"FLOOD_WAIT_X", "FLOOD_PREMIUM_WAIT_X", "FLOOD_TEST_PHONE_WAIT_X", "SLOWMODE_WAIT_X"}
"""Other waits may end early by what the user does elsewhere, so the server is asked again."""
_SUBJECTS = ("peer", "to_peer", "channel", "user_id", "chat_id", "id", "phone_number", "phone")
"""Fields that tell whom a request is about, most telling first."""


class Blocked(msgspec.Struct, frozen=True):
    """Calls that the server has asked to wait with."""

    method: str
    """Telegram's name of the method; "sending" for slow mode, which holds for all of them."""
    subject: Subject
    """Marked id of the peer, or the phone number, that it holds for; None: for every such call."""
    reason: str
    """Name of the error: ``FLOOD_WAIT_X``."""
    until: float
    """Unix time from which the server may be asked again."""


class MethodUse(msgspec.Struct):
    """How often a method was called."""

    calls: int = 0
    """Calls that went to the server."""
    floods: int = 0
    """How many of them were answered with a wait."""
    refused: int = 0
    """Calls that were refused here, without asking."""
    slept: float = 0.0
    """Seconds that calls were held back for."""


class Budget(NamedTuple):
    """What may be called now, and what was called so far."""

    blocked: tuple[Blocked, ...]
    """Waits that are not over, the first to end first."""
    uses: dict[str, MethodUse]
    """By Telegram's name of the method."""

    @property
    def calls(self) -> int:
        """Calls of all methods that went to the server."""
        return sum(use.calls for use in self.uses.values())


class _Wait(msgspec.Struct, frozen=True):
    code: int
    reason: str
    until: float


class _Patience(msgspec.Struct):
    """How long one call may still sleep, and until when it has waited."""

    left: float
    waited_until: float = 0.0


class FloodGovernor:
    """The memory of waits, ``client.flood``; called, it is a link of the chain of calls.

    `threshold` is the longest wait, in seconds, that one call sleeps through. `clock` gives Unix
    time, `sleep` waits. `peer_flood_pause` is for how long a peer is left alone after PEER_FLOOD.
    """

    def __init__(
        self,
        threshold: float,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
        peer_flood_pause: float = PEER_FLOOD_PAUSE,
    ) -> None:
        self.threshold = threshold
        """Longest wait, in seconds, that one call sleeps through."""
        self.peer_flood_pause = peer_flood_pause
        self._clock = clock
        self._sleep = sleep
        self._waits: dict[tuple[str, Subject], _Wait] = {}
        self._uses: dict[str, MethodUse] = {}

    def __repr__(self) -> str:
        return f"<FloodGovernor, {len(self.budget().blocked)} waits>"

    def budget(self) -> Budget:
        """Tell what is blocked until when, and how many calls were made; a copy."""
        self._drop_what_is_over()
        blocked = [
            Blocked(method, subject, wait.reason, wait.until)
            for (method, subject), wait in self._waits.items()
        ]
        blocked.sort(key=lambda one: one.until)
        uses = {name: msgspec.structs.replace(use) for name, use in self._uses.items()}
        return Budget(tuple(blocked), uses)

    def seconds_left(self, method: str, subject: Subject = None) -> float:
        """Tell how long a call would have to wait: by Telegram's name, and a marked id if any."""
        wait = self._wait_of(method, subject)
        return 0.0 if wait is None else max(0.0, wait.until - self._clock())

    def clear(self) -> None:
        """Forget all waits, as for another account; the counts stay."""
        self._waits.clear()

    # ── one call ─────────────────────────────────────────────────────────────────────────────

    async def __call__(self, call: Call, next: Invoker) -> Any:
        """Send a call when it may be sent, or raise the wait that it is under."""
        name = call.name
        use = self._uses.get(name)
        if use is None:
            use = self._uses[name] = MethodUse()
        patience = _Patience(self.threshold)
        while True:
            if self._waits:
                await self._hold(call, use, patience)
            use.calls += 1
            try:
                return await next(call)
            except errors.Wait as error:
                use.floods += 1
                # FLOOD_WAIT_0 has been seen (D6): without a pause it could go on for ever.
                seconds = max(1, error.seconds)
                if error.value is None:
                    raise
                until = self._remember(call, error, seconds)
                if seconds > patience.left:
                    raise
                log.info("%s: waiting %d s as asked (%s)", name, seconds, error.message)
            except errors.PeerFlood as error:
                use.floods += 1
                self._remember(call, error, self.peer_flood_pause)
                raise
            await self._rest(seconds, until, use, patience)

    async def _hold(self, call: Call, use: MethodUse, patience: _Patience) -> None:
        """Sleep until a call is under no wait, or refuse it."""
        subject = subject_of(call.request)
        while True:
            wait = self._wait_of(call.name, subject)
            now = self._clock()
            if wait is None or wait.until <= max(now, patience.waited_until):
                return
            left = wait.until - now
            if wait.reason == "PEER_FLOOD" or left > patience.left:
                use.refused += 1
                raise _refusal(wait, left, call)
            log.info("%s: held back for %.1f s, still under %s", call.name, left, wait.reason)
            await self._rest(left, wait.until, use, patience)

    async def _rest(
        self, seconds: float, until: float, use: MethodUse, patience: _Patience
    ) -> None:
        patience.left -= seconds
        patience.waited_until = until
        use.slept += seconds
        await self._sleep(seconds)

    def _wait_of(self, method: str, subject: Subject) -> _Wait | None:
        """Give the wait that a call is under; the longer one if there are two."""
        wait = self._waits.get((method, subject))
        if method in SENDING:
            slow = self._waits.get((_ANY_SENDING, subject))
            if slow is not None and (wait is None or slow.until > wait.until):
                return slow
        return wait

    def _remember(self, call: Call, error: errors.RpcError, seconds: float) -> float:
        """Note what an error asks for; gives the time until which it holds."""
        name = error.name
        until = self._clock() + seconds
        if name not in _REMEMBERED and not isinstance(error, errors.PeerFlood):
            return until
        method = call.name
        if name == "SLOWMODE_WAIT_X" and method in SENDING:
            method = _ANY_SENDING
        key = (method, subject_of(call.request))
        known = self._waits.pop(key, None)
        if known is not None and known.until > until:
            until = known.until
        self._waits[key] = _Wait(error.code, name, until)
        if len(self._waits) > MAX_BLOCKED:
            self._drop_what_is_over()
            if len(self._waits) > MAX_BLOCKED:
                del self._waits[next(iter(self._waits))]
        return until

    def _drop_what_is_over(self) -> None:
        now = self._clock()
        for key in [key for key, wait in self._waits.items() if wait.until <= now]:
            del self._waits[key]


def subject_of(request: Any) -> Subject:
    """Tell whom a request is about: a marked id, "me", or a phone number; None for nobody."""
    inner = getattr(request, "query", None)
    if isinstance(inner, TLObject):  # invokeWithoutUpdates and its like
        return subject_of(inner)
    for field in _SUBJECTS:
        value = getattr(request, field, None)
        if isinstance(value, str) and field.startswith("phone"):
            return value
        if isinstance(value, int) and field == "chat_id":
            return mark_chat(value)
        if isinstance(value, TLObject):
            subject = _peer(value)
            if subject is not None:
                return subject
    return None


def _peer(value: Any) -> Subject:
    name = value.TL_NAME
    if name in {"inputPeerSelf", "inputUserSelf"}:
        return "me"
    channel_id = getattr(value, "channel_id", None)
    if type(channel_id) is int:
        return mark_channel(channel_id)
    user_id = getattr(value, "user_id", None)
    if type(user_id) is int:
        return user_id
    chat_id = getattr(value, "chat_id", None)
    return mark_chat(chat_id) if type(chat_id) is int else None


def _refusal(wait: _Wait, left: float, call: Call) -> errors.RpcError:
    """Make the error that the server would answer, if it were asked."""
    message = wait.reason.removesuffix("X") + (
        str(math.ceil(left)) if wait.reason.endswith("_X") else ""
    )
    error = errors.rpc_error(wait.code, message, call.request)
    error.add_note(
        "Not sent: an earlier call was answered so, and that wait is not over. "
        "`client.flood.budget()` tells what is blocked until when."
    )
    return error
