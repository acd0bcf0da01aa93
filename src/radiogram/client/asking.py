"""Layer 4, client: values that a login needs, from wherever they come.

Knows values, functions, awaitables and the terminal. Must not know what the values are for.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Any, TypeVar

from radiogram import errors

T = TypeVar("T")

Answer = str | int | Awaitable[str | int] | Callable[..., str | int | Awaitable[str | int]]
"""A value; or an awaitable that gives it; or a function, plain or async, that is called for it."""

MAX_TRIES = 3
"""How often a person, or a function, may give a wrong answer."""


class Question:
    """One value that is needed: given by the program, or asked for on the terminal.

    `argument` is what the program could have given, as a call is written: ``start(phone=)``.
    """

    def __init__(
        self, argument: str, given: Answer | None, prompt: str, *, secret: bool = False
    ) -> None:
        self.argument = argument
        self.prompt = prompt
        self._given = given
        self._secret = secret

    @property
    def on_terminal(self) -> bool:
        """Whether a person is asked."""
        return self._given is None

    @property
    def tries(self) -> int:
        """How many answers it can give: a fixed value is not going to be another one."""
        return MAX_TRIES if self._given is None or callable(self._given) else 1

    async def ask(self, about: object = None, complaint: str = "") -> str:
        """Get an answer.

        A function that takes an argument is given `about`. `complaint` tells a person what was
        wrong with the last answer. Raises AnswerMissing when there is nobody to ask.
        """
        value: Any = self._given
        if value is None:
            return await self._from_terminal(complaint)
        if callable(value):
            value = value(about) if _takes_one(value) else value()
        if inspect.isawaitable(value):
            value = await value
        if not isinstance(value, str | int):
            raise errors.ClientError(
                f"{self.argument} gave {type(value).__name__}, where text was wanted"
            )
        return str(value)

    async def attempt(
        self,
        act: Callable[[str], Awaitable[T]],
        *,
        wrong: Collection[str],
        about: object = None,
    ) -> T:
        """Act on an answer; get another one while the server says that it is wrong.

        `wrong` lists the names of the errors that say so; after the last try they are raised.
        """
        left = self.tries
        complaint = ""
        while True:
            value = await self.ask(about, complaint)
            try:
                return await act(value)
            except errors.RpcError as error:
                left -= 1
                if error.name not in wrong or left <= 0:
                    raise
                complaint = str(error).rpartition(" [")[0] + "\n"

    async def _from_terminal(self, complaint: str) -> str:
        """Ask a person, without stopping the event loop."""
        if not has_terminal():
            raise errors.AnswerMissing(self.argument)
        while True:
            try:
                answer = await read_line(complaint + self.prompt, secret=self._secret)
            except EOFError:
                raise errors.AnswerMissing(self.argument, "the terminal was closed") from None
            if not self._secret:
                answer = answer.strip()
            if answer:
                return answer


def has_terminal() -> bool:
    """Tell whether there is a person to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


async def read_line(prompt: str, *, secret: bool = False) -> str:
    """Read a line from the terminal while the event loop goes on; a secret is not echoed.

    The prompt goes to standard error, so that output can be piped. Raises EOFError at the end.
    """
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    sys.stderr.write(prompt)
    sys.stderr.flush()
    with _without_echo(secret):
        try:
            loop.add_reader(sys.stdin.fileno(), read)
        except NotImplementedError:  # the usual loop of Windows waits for sockets only
            line = await asyncio.to_thread(sys.stdin.readline)
        else:
            try:
                line = await typed
            finally:
                loop.remove_reader(sys.stdin.fileno())
    if not line:
        raise EOFError
    return str(line).removesuffix("\n").removesuffix("\r")


@contextlib.contextmanager
def _without_echo(secret: bool) -> Iterator[None]:
    """Keep what is typed off the screen."""
    if not secret:
        yield
        return
    try:
        import termios
    except ImportError:  # Windows: nothing can be done about a thread that reads
        yield
        return
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(fd, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
        sys.stderr.write("\n")
        sys.stderr.flush()


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except (TypeError, ValueError):
        return False
    return True
