"""Top layer, testing: a client that is scripted, for unit tests without a server.

Knows which calls a test expects and what they are answered. Knows no rule of Telegram, except that
an answer must be of the type that the method has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload
from zlib import crc32

from radiogram import errors
from radiogram.client.client import TelegramClient
from radiogram.client.gaps import Delivery
from radiogram.client.ids import unmark
from radiogram.client.objects.base import marked_peer
from radiogram.client.objects.user import User
from radiogram.client.placing import key_of, place_of
from radiogram.client.pool import Purpose
from radiogram.client.sessions import MemorySession, SessionData
from radiogram.testing.traffic import brief
from radiogram.tl import api
from radiogram.tl.base import Request, TLObject
from radiogram.tl.build import registry

if TYPE_CHECKING:
    from typing import Self

R = TypeVar("R")

ME = 777
"""Id of the account that a stub is signed in as, unless it is told another."""
NAMED = 1_000_000_000
"""Ids of users whom a test has only named are higher than this."""

_registry = registry(api.LAYER)


class UnexpectedCall(AssertionError):
    """A call was made that no expectation is left for."""


class _Unanswered:
    """Stands for an answer that nobody has given."""


_UNANSWERED = _Unanswered()


class Expectation(Generic[R]):
    """One call that a test expects, and what it is answered."""

    def __init__(self, method: type[Request[R]], fields: dict[str, Any]) -> None:
        known = method.__struct_fields__
        unknown = sorted(set(fields) - set(known))
        if unknown:
            raise TypeError(
                f"{method.TL_NAME} has no field {unknown[0]!r}; it has {', '.join(known) or 'none'}"
            )
        self.method = method
        self.fields = fields
        self.calls: list[Request[R]] = []
        """The calls that have met it so far."""
        self._times: int | None = 1
        self._answer: object = _UNANSWERED
        self._error: Exception | None = None

    def answer(self, result: R | Callable[[Any], R]) -> Expectation[R]:
        """Give this result, or what a function makes of the request. Raises EncodeError.

        Without it, methods that give Bool are answered True, messages.sendMessage that message 1
        was sent, and other methods that give Updates none.
        """
        if not callable(result):
            _registry.encode_result(self.method, result)
        self._answer, self._error = result, None
        return self

    def error(self, code: int, message: str) -> Expectation[R]:
        """Raise the error that Telegram would answer: ``error(400, "PEER_ID_INVALID")``."""
        return self.raises(errors.rpc_error(code, message))

    def flood_wait(self, seconds: int) -> Expectation[R]:
        """Raise FloodWait, as for a wait that is too long to be slept through."""
        return self.error(420, f"FLOOD_WAIT_{seconds}")

    def raises(self, error: Exception) -> Expectation[R]:
        """Raise any exception, such as ConnectionFailed."""
        self._error = error
        return self

    def times(self, times: int | None) -> Expectation[R]:
        """Expect so many such calls instead of one; None: any number, or none at all."""
        self._times = times
        return self

    # -------------------------------------------------------------- asked by the stub

    @property
    def is_open(self) -> bool:
        """Whether it takes another call."""
        return self._times is None or len(self.calls) < self._times

    @property
    def is_met(self) -> bool:
        """Whether nothing is missing."""
        return self._times is None or len(self.calls) == self._times

    def difference(self, request: Request[Any]) -> str | None:
        """Return why a call is not the expected one; None if it is."""
        if type(request) is not self.method:
            return "another method"
        for name, wanted in self.fields.items():
            value = getattr(request, name)
            fits = wanted(value) if callable(wanted) else value == wanted
            if not fits:
                return f"{name} is {brief(value)}"
        return None

    def take(self, request: Request[R]) -> R:
        """Note a call, and give or raise what it is answered."""
        self.calls.append(request)
        if isinstance(self._error, errors.RpcError):
            raise errors.rpc_error(self._error.code, self._error.message, request)
        if self._error is not None:
            raise self._error
        answer: Any = self._answer
        if callable(answer):
            answer = answer(request)
            _registry.encode_result(self.method, answer)
        if answer is _UNANSWERED:
            answer = _usual_answer(self.method)
        return answer  # type: ignore[no-any-return]  # encoded, so it is one

    def __str__(self) -> str:
        fields = ", ".join(
            f"{name}=<fits {getattr(value, '__name__', value)}>"
            if callable(value)
            else f"{name}={brief(value)}"
            for name, value in self.fields.items()
        )
        times = "any number of times" if self._times is None else f"{self._times} times"
        often = "" if self._times == 1 else f", {times}"
        return f"{self.method.TL_NAME}({fields}){often}"

    __repr__ = __str__


class StubTelegram(TelegramClient):
    """A TelegramClient without a server: it answers the calls that a test has announced.

    ::

        with StubTelegram() as client:
            client.expect(api.messages.SendMessage, message="hello").flood_wait(30)
            await greet(client)

    At the end of the block, or by :meth:`check`, every expectation must be met. Calls may come in
    any order, unless `ordered`. `me` is the account; nobody has to sign in.
    """

    def __init__(self, *, me: api.User | None = None, ordered: bool = False) -> None:
        self.me = me or api.User(id=ME, self=True, first_name="Stub")
        """Who is signed in."""
        super().__init__(
            MemorySession(SessionData(user_id=self.me.id, is_bot=self.me.bot)), 1, "stub"
        )
        self.calls: list[Request[Any]] = []
        """Everything that was called, in order."""
        self._ordered = ordered
        self._expectations: list[Expectation[Any]] = []
        self._unexpected: list[UnexpectedCall] = []
        self._connected = False

    def __repr__(self) -> str:
        return f"<StubTelegram, {len(self._expectations)} expectations>"

    # -------------------------------------------------------------- what the test says

    @overload
    def expect(self, method: type[Request[R]], **fields: Any) -> Expectation[R]: ...
    @overload
    def expect(self, method: str, **fields: Any) -> Expectation[Any]: ...
    def expect(self, method: type[Request[Any]] | str, **fields: Any) -> Expectation[Any]:
        """Announce a call: a method, or its TL name, and fields that matter.

        A field may be a value or a function that says whether a value fits. Fields are compared
        with what the program wrote: ``peer="me"`` is not resolved.
        """
        if isinstance(method, str):
            found = _registry.get(method)
            if found is None or not issubclass(found, Request):
                raise TypeError(
                    f"there is no method {method!r}; write it as in messages.getHistory"
                )
            method = found
        expectation: Expectation[Any] = Expectation(method, fields)
        self._expectations.append(expectation)
        return expectation

    async def push(self, *updates: TLObject) -> None:
        """Let updates come in, and return when every handler has run.

        They may be whole (api.Updates, ...) or single (api.UpdateNewMessage, ...).
        """
        update: Any
        for update in updates:
            whole = update
            if not isinstance(update, api.TypeUpdates):
                whole = api.Updates(updates=[update], users=[], chats=[], date=0, seq=0)
            self._peers.learn(whole)
            self.updates.feed.emit(whole)
            for delivery in _deliveries(whole):
                self.updates.dispatcher.offer(delivery, lambda: lambda: None)
                await self.updates.dispatcher.dispatch(delivery)

    def check(self) -> None:
        """Raise AssertionError if a call is missing, or if there was one that nobody expected.

        Also if the program has swallowed the error that such a call raises.
        """
        if self._unexpected:
            raise self._unexpected[0]
        missing = [str(one) for one in self._expectations if not one.is_met]
        if missing:
            made = "\n".join(f"  {brief(call)}" for call in self.calls) or "  nothing"
            wanted = "\n".join(f"  {one}" for one in missing)
            raise AssertionError(f"not called:\n{wanted}\ncalled:\n{made}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self.check()

    # -------------------------------------------------------------- what the program does

    async def invoke(
        self, request: Request[R], *, dc_id: int | None = None, purpose: Purpose = "home"
    ) -> R:
        """Answer a call as it was announced, wherever it is sent. Raises UnexpectedCall."""
        if not isinstance(request, Request):
            raise errors.EncodeError(f"invoke() takes a method, not {request!r}")
        self.calls.append(request)
        for expectation in self._expectations:
            if not expectation.is_open:
                continue
            if expectation.difference(request) is None:
                result: R = expectation.take(request)
                self._peers.learn(result)
                return result
            if self._ordered and not expectation.is_met:
                break
        unexpected = UnexpectedCall(self._explain(request))
        self._unexpected.append(unexpected)
        raise unexpected

    __call__ = invoke

    async def input_peer(self, peer: Any) -> Any:
        """Give what the program wrote; objects become the id of the peer that they are about.

        Only channels become an InputPeer, since other methods are called for them.
        """
        if isinstance(peer, str | api.TypeInputPeer):
            return peer
        number = await self.marked_id(peer)
        found = unmark(number)
        if found is not None and found.kind == "channel":
            return api.InputPeerChannel(channel_id=found.id, access_hash=0)
        return number

    async def marked_id(self, peer: Any) -> int:
        """Give the marked id of a peer; a name that was not told of has one made of its letters."""
        if isinstance(peer, str) and peer not in ("me", "self"):
            known = self.session.by_username(peer.lstrip("@").lower())
            return NAMED + crc32(peer.encode()) if known is None else known.marked_id
        number = peer if isinstance(peer, int) else marked_peer(peer)
        return await super().marked_id(peer) if number is None else number

    def _explain(self, request: Request[Any]) -> str:
        lines = [f"unexpected call {brief(request)}"]
        lines.append("expected were, in this order:" if self._ordered else "expected were:")
        for expectation in self._expectations:
            reason = expectation.difference(request)
            if not expectation.is_open:
                reason = "was called already"
            elif reason is None:
                reason = "its turn comes later"
            lines.append(f"  {expectation} - {reason}")
        if not self._expectations:
            lines.append("  nothing")
        return "\n".join(lines)

    @property
    def is_connected(self) -> bool:
        return self._connected

    async def connect(self) -> None:
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False
        self.updates.end(None)

    async def start(self, *_: Any, **__: Any) -> User:
        await self.connect()
        return await self.get_me()

    async def is_authorized(self) -> bool:
        return True

    async def get_me(self) -> User:
        return User(self, self.me)


def _deliveries(whole: Any) -> list[Delivery]:
    """Return what handlers are told of an Updates."""
    inner: list[Any] = []
    users: dict[int, Any] = {}
    chats: dict[int, Any] = {}
    if isinstance(whole, api.Updates | api.UpdatesCombined):
        inner = list(whole.updates)
        users = {user.id: user for user in whole.users}
        chats = {chat.id: chat for chat in whole.chats}
    elif isinstance(whole, api.UpdateShort):
        inner = [whole.update]
    found = []
    for update in inner:
        place = place_of(update)
        channel_id = place.channel_id if place is not None else None
        found.append(Delivery(update, channel_id, key_of(update), users, chats))
    return found


def _usual_answer(method: type[Request[Any]]) -> Any:
    definition = _registry.definition(method.TL_NAME)
    if definition.result == "Bool":
        return True
    if method is api.messages.SendMessage:
        return api.UpdateShortSentMessage(out=True, id=1, pts=0, pts_count=0, date=0)
    if definition.result == "Updates":
        return api.Updates(updates=[], users=[], chats=[], date=0, seq=0)
    raise AssertionError(
        f"{method.TL_NAME} was called as expected, but what is the answer? A"
        f" {definition.result}: expect(...).answer(...)"
    )
