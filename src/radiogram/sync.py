"""Layer 4, client: the same client for scripts without an event loop.

::

    from radiogram.sync import TelegramClient

    with TelegramClient(session, api_id, api_hash) as client:
        for message in client.iter_messages("username", limit=3):
            print(message.text)

The client lives on an event loop in a thread of its own, so that its connection stays alive while
the script does something else. Every method waits for what the method of the same name in
:class:`radiogram.TelegramClient` gives; what it gives as an asynchronous iterator or context
manager is an ordinary one here. Handlers (``client.on``) are coroutines and run on that loop.
Knows nothing of what the methods do.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from radiogram.client import client as client_module
from radiogram.client.thread import LoopThread
from radiogram.errors import ClientError
from radiogram.tl.base import Request

if TYPE_CHECKING:
    from typing import Self

R = TypeVar("R")
T = TypeVar("T")

_END: Any = object()


class TelegramClient:
    """A client whose methods wait; takes what :class:`radiogram.TelegramClient` takes.

    Use it from any thread but its own (that of handlers). Ends when :meth:`disconnect` is called
    or its ``with`` block is left; then it can be connected again.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._client = client_module.TelegramClient(*arguments, **options)
        self._thread: LoopThread | None = None

    def __repr__(self) -> str:
        return f"<sync {self._client!r}>"

    @property
    def asynchronous(self) -> client_module.TelegramClient:
        """The client that does the work, for handlers and coroutines of one's own."""
        return self._client

    # ── life ─────────────────────────────────────────────────────────────────────────────────

    def connect(self) -> None:
        """Connect; see :meth:`radiogram.TelegramClient.connect`."""
        if self._thread is None:
            self._thread = LoopThread("radiogram")
            self._thread.start()
        try:
            self.wait(self._client.connect())
        except BaseException:
            self._end()
            raise

    def disconnect(self) -> None:
        """Disconnect and end the thread. Does nothing if it is not connected."""
        if self._thread is None:
            return
        try:
            self.wait(self._client.disconnect())
        finally:
            self._end()

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        assert thread is not None
        thread.stop()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    def invoke(self, request: Request[R], **options: Any) -> R:
        """Make a call and give its result; see :meth:`radiogram.TelegramClient.invoke`."""
        return self.wait(self._client.invoke(request, **options))

    def __call__(self, request: Request[R], **options: Any) -> R:
        return self.invoke(request, **options)

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Run something of the asynchronous client, such as ``message.reply("yes")``, to its end.

        Raises ClientError before the client is connected and on the client's own thread.
        """
        thread = self._thread
        if thread is None or thread.is_current:
            if inspect.iscoroutine(awaitable):
                awaitable.close()  # never started: there is nothing to warn of
            if thread is None:
                raise ClientError("this client is not connected; use `with TelegramClient(...)`")
            raise ClientError(
                "this is the client's own thread, which must not wait for itself; in handlers, "
                "await the methods of event.client instead"
            )
        return thread.run(_coroutine(awaitable))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._client, name)
        return self._waiting(value) if inspect.ismethod(value) else value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(n for n in dir(self._client) if n[0] != "_")})

    def _waiting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def there(arguments: Any, options: Any) -> Any:
            value = method(*arguments, **options)
            return await value if inspect.isawaitable(value) else value

        def call(*arguments: Any, **options: Any) -> Any:
            return self._result(self.wait(there(arguments, options)))

        call.__name__, call.__doc__ = method.__name__, method.__doc__
        return call

    def _result(self, value: Any) -> Any:
        if hasattr(value, "__aiter__"):
            return self._iterate(aiter(value))
        if hasattr(value, "__aenter__") and value is not self._client:
            return self._manage(value)
        if inspect.isfunction(value) and not inspect.iscoroutinefunction(value):
            return self._waiting(value)  # a decorator: what it does belongs on the loop
        return value

    def _iterate(self, iterator: AsyncIterator[Any]) -> Iterator[Any]:
        try:
            while (value := self.wait(_next(iterator))) is not _END:
                yield value
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None and self._thread is not None:
                self.wait(close())

    @contextmanager
    def _manage(self, manager: Any) -> Iterator[Any]:
        entered = self.wait(manager.__aenter__())
        try:
            yield _Waiting(self, entered)
        except BaseException as error:
            if not self.wait(manager.__aexit__(type(error), error, error.__traceback__)):
                raise
        else:
            self.wait(manager.__aexit__(None, None, None))


class _Waiting:
    """Something that was entered, a conversation for one, whose methods wait."""

    def __init__(self, client: TelegramClient, entered: Any) -> None:
        self._client = client
        self._entered = entered

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._entered, name)
        return self._client._waiting(value) if inspect.ismethod(value) else value


async def _coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator, _END)
