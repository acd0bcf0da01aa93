"""Layer 4, client: what happens to every call on its way: a chain of ``async (call, next)``.

Knows errors and how to answer them by waiting, repeating or moving. Must not know connections:
the end of the chain, which does, is a function with one argument, and what a test replaces.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol

import msgspec

from radiogram import errors
from radiogram.client.pool import Purpose

log = logging.getLogger("radiogram.client")

MAX_REPEATS = 3
"""How often a call is repeated when the server says that it failed inside."""
FIRST_PAUSE = 0.5

_PASSING = {
    "RPC_CALL_FAIL",
    "RPC_MCGET_FAIL",
    "INTERDC_X_CALL_ERROR",
    "INTERDC_X_CALL_RICH_ERROR",
    "HISTORY_GET_FAILED",
    "MSGID_DECREASE_RETRY",
    "NO WORKERS RUNNING",
    "PERSISTENT_TIMESTAMP_OUTDATED",
    "WORKER_BUSY_TOO_LONG_RETRY",
    "MSG_WAIT_TIMEOUT",
    "TIMEOUT",
}
"""Errors that ask for the same call again (E6 to E9). Others of code 500 mean what they say: a call
with RANDOM_ID_DUPLICATE would be answered alike for ever."""
_NOT_INTRODUCED = {"CONNECTION_NOT_INITED", "CONNECTION_LAYER_INVALID"}
_MOVES = {"PHONE_MIGRATE_X", "USER_MIGRATE_X", "NETWORK_MIGRATE_X"}
"""The account lives elsewhere."""
_ELSEWHERE: dict[str, Purpose] = {"FILE_MIGRATE_X": "media", "STATS_MIGRATE_X": "home"}
"""One call belongs elsewhere, and over which kind of connection."""
MAX_MOVES = 5
"""How often one call is sent on."""


class Call(msgspec.Struct, frozen=True):
    """One request on its way."""

    request: Any
    """The TL method, with every peer resolved."""
    body: bytes
    """The same, serialised: done once, however often it is sent."""
    dc_id: int = 0
    """The data centre to which it goes; 0: wherever the account lives."""
    purpose: Purpose = "home"
    """The kind of connection over which it goes."""

    @property
    def name(self) -> str:
        """Telegram's name of the method."""
        return str(getattr(self.request, "TL_NAME", type(self.request).__name__))


Invoker = Callable[[Call], Awaitable[Any]]
"""Sends a call and gives its decoded result, or raises RpcError."""


class Link(Protocol):
    """One station of the chain: calls `next` with the call as often as it likes."""

    async def __call__(self, call: Call, next: Invoker) -> Any: ...


class Home(Protocol):
    """What the chain may ask of the client."""

    def introduce_again(self, call: Call) -> None:
        """Send the next call, over the connection of this one, behind initConnection."""

    async def move(self, dc_id: int) -> bool:
        """Go to another data centre; False when there is none to go to."""
        ...


def compose(links: Sequence[Link], end: Invoker) -> Invoker:
    """Make one function of a chain, the first link outermost."""
    for link in reversed(links):
        end = partial(link, next=end)
    return end


async def logged(call: Call, next: Invoker) -> Any:
    """Tell the log of ``radiogram.client``, level DEBUG, what is called and how it ends."""
    if not log.isEnabledFor(logging.DEBUG):
        return await next(call)
    log.debug("%s: %d bytes", call.name, len(call.body))
    try:
        result = await next(call)
    except errors.RadiogramError as error:
        log.debug("%s: %s", call.name, error)
        raise
    log.debug("%s: %s", call.name, type(result).__name__)
    return result


def repeat(sleep: Callable[[float], Awaitable[object]], home: Home) -> Link:
    """Repeat a call that failed inside the server, or that came before initConnection."""

    async def link(call: Call, next: Invoker) -> Any:
        repeats = 0
        introduced = False
        while True:
            try:
                return await next(call)
            except errors.RpcError as error:
                name = error.name.upper()
                if name in _NOT_INTRODUCED and not introduced:
                    introduced = True
                    home.introduce_again(call)
                    continue
                if name not in _PASSING or repeats == MAX_REPEATS:
                    raise
                log.info("%s: %s, trying again", call.name, error.message)
            await sleep(FIRST_PAUSE * 2**repeats)
            repeats += 1

    return link


def migrate(home: Home) -> Link:
    """Follow an account to the data centre where it lives, and a call to where it belongs.

    A data centre that sends a call back to where it has been is not believed.
    """

    async def link(call: Call, next: Invoker) -> Any:
        seen: set[int] = set()
        while True:
            try:
                return await next(call)
            except errors.Migrate as error:
                if error.dc in seen or len(seen) == MAX_MOVES:
                    raise
                seen.add(error.dc)
                if error.name in _ELSEWHERE:
                    purpose = _ELSEWHERE[error.name]
                    call = msgspec.structs.replace(call, dc_id=error.dc, purpose=purpose)
                elif error.name not in _MOVES or call.dc_id or not await home.move(error.dc):
                    raise

    return link
