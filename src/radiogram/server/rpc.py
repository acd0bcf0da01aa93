"""Server layer: what handlers of calls are made of.

Knows the table of handlers, who calls, the transaction of a call, and the error that is its
answer. Knows nothing of bytes, sockets, packets or message ids; how a call gets to its handler is
:mod:`radiogram.server.dispatch`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from radiogram.errors import RadiogramError
from radiogram.server.faults.base import Who
from radiogram.tl import api
from radiogram.tl.base import Request
from radiogram.tl.build import Registry, registry

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from radiogram.server.authorizations import Authorization
    from radiogram.server.world import World

log = logging.getLogger("radiogram.server.rpc")

R = TypeVar("R", bound="Request[Any]")


class RpcFault(RadiogramError):
    """The answer to a call is an error; `code` and `message` are what the client gets.

    With `keeps`, what the call wrote before it is committed all the same: the error is the way in
    which the API says that one half is done (SESSION_PASSWORD_NEEDED, EMAIL_UNCONFIRMED_X).
    """

    def __init__(self, code: int, message: str, *, keeps: bool = False) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.then: Callable[[], object] | None = None
        """What happens when the client has been told."""
        self.keeps = keeps


# ------------------------------------------------------------------ the table of handlers


@dataclass(frozen=True, slots=True)
class Handler:
    """A method that this server answers, and who may call it."""

    function: Callable[[Context, Any], object]
    method: type[Request[Any]]
    users: bool
    bots: bool
    login: bool
    shared: bool


HANDLERS: dict[type[Request[Any]], Handler] = {}


def handles(
    method: type[R],
    *,
    users: bool = True,
    bots: bool = True,
    login: bool = True,
    shared: bool = False,
) -> Callable[[Callable[[Context, R], object]], Callable[[Context, R], Any]]:
    """Register the decorated function as the handler of `method` (a class of the newest layer).

    `users` and `bots` say who may call it, `login` whether the key must be logged in. `shared`
    promises that the result depends on nothing but the DC and the second of the clock, so
    that it is encoded once and kept for that second; such a handler must not write or push.
    """

    def register(function: Callable[[Context, R], object]) -> Callable[[Context, R], Any]:
        if method in HANDLERS:
            raise RuntimeError(f"{method.TL_NAME} has two handlers")
        if shared and (login or not users or not bots):
            raise RuntimeError(f"{method.TL_NAME} cannot be shared: not everybody may call it")
        HANDLERS[method] = Handler(function, method, users, bots, login, shared)
        return function

    return register


# ------------------------------------------------------------------ who calls, and its context


@dataclass(slots=True, eq=False)
class Caller:
    """One MTProto session as the rpc layer sees it."""

    authorization: Authorization
    """What it acts for: never a temporary key that was bound."""
    session_id: int = 0
    msg_id: int = 0
    """The message that carries the call which is being executed."""
    layer: int = 0
    """Layer that this session announced; 0: use what the key remembers."""
    wants_updates: bool = False
    """Has called an API method without invokeWithoutUpdates (A13.1)."""

    @property
    def encrypted_by(self) -> Authorization:
        """The key that encrypts the session; not what it acts for if that key is temporary."""
        return self.authorization

    @property
    def registry(self) -> Registry:
        """The layer in which this session reads."""
        return registry(self.layer or self.authorization.layer or api.LAYER)

    @property
    def who(self) -> Who:
        """Whose calls these are, as faults are aimed."""
        return Who(
            self.authorization.user_id,
            int.from_bytes(self.encrypted_by.key_id, "little"),
            self.session_id,
        )

    def outcome(self, msg_id: int) -> str:
        """Return the state of an earlier call of the session: unknown, running, ok or failed."""
        return "unknown"

    def push(self, body: bytes) -> None:
        """Send a serialised update; a call made in process has nobody who listens."""


class Context:
    """What a handler may use. It lives for one call."""

    __slots__ = ("_after", "_begin", "_pushes", "_transaction", "caller", "now", "world")

    def __init__(self, world: World, caller: Caller) -> None:
        self.world = world
        self.caller = caller
        self.now: int = int(world.clock.now())
        """Unix time of this call in whole seconds."""
        self._begin: AbstractContextManager[Connection] | None = None
        self._transaction: Connection | None = None
        self._pushes: list[tuple[int, api.TypeUpdates]] = []
        self._after: list[Callable[[], object]] = []

    @property
    def tx(self) -> Connection:
        """The transaction of this call; begun when first used, so that cheap calls have none."""
        if self._transaction is None:
            self._begin = self.world.db.begin()
            self._transaction = self._begin.__enter__()
        return self._transaction

    @property
    def user_id(self) -> int:
        """The account that calls; 0 when the key is not logged in."""
        return self.caller.authorization.user_id

    @property
    def is_bot(self) -> bool:
        """Whether that account is a bot."""
        return self.caller.authorization.is_bot

    @property
    def dc_id(self) -> int:
        """The DC to which the call came; the server's own for an in-process call."""
        return self.caller.authorization.dc_id or self.world.dc_id

    @property
    def session_id(self) -> int:
        """The MTProto session that calls; 0 for an in-process call."""
        return self.caller.session_id

    @property
    def layer(self) -> int:
        """The layer in which the result will be encoded. Handlers rarely need it."""
        return self.caller.registry.layer

    def push(self, user_id: int, updates: api.TypeUpdates) -> None:
        """Send `updates` to the sessions of `user_id` after commit, but not to the calling one."""
        self._pushes.append((user_id, updates))

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call back once the transaction is durable; not at all if the call fails."""
        self._after.append(callback)

    def commit(self) -> None:
        """End the call well: commit, then run what waits for it, then push."""
        begin, self._begin, self._transaction = self._begin, None, None
        if begin is not None:
            begin.__exit__(None, None, None)
        for callback in self._after:
            callback()
        for user_id, updates in self._pushes:
            self.world.deliver(user_id, updates, exclude=self.caller)

    def roll_back(self, error: BaseException) -> None:
        """End the call badly: nothing that it wrote or wanted to push remains."""
        begin, self._begin, self._transaction = self._begin, None, None
        if begin is not None:
            begin.__exit__(type(error), error, error.__traceback__)
