"""Layer 4, client: values that a login needs, from wherever they come.

Knows values, functions, awaitables and the terminal. Must not know what the values are for.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Collection
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
        wrong with the last answer. Raises ClientError, which names the argument, when there is
        nobody to ask.
        """
        value: Any = self._given
        if value is None:
            return await self._from_terminal(complaint)
        if callable(value):
            value = value(about) if _takes_one(value) else value()
        if inspect.isawaitable(value):
            value = await value
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
                complaint = str(error).rpartition(" [")[0] + " "

    async def _from_terminal(self, complaint: str) -> str:
        """Ask a person, without stopping the event loop."""
        if not has_terminal():
            raise errors.ClientError(
                f"{self.argument} is needed, and there is no terminal to ask on"
            )
        while True:
            try:
                answer = await asyncio.to_thread(_read, complaint + self.prompt, self._secret)
            except EOFError:
                raise errors.ClientError(
                    f"{self.argument} is needed, and the terminal was closed"
                ) from None
            if not self._secret:
                answer = answer.strip()
            if answer:
                return answer


def has_terminal() -> bool:
    """Tell whether there is a person to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def _read(prompt: str, secret: bool) -> str:
    if secret:
        import getpass

        return getpass.getpass(prompt)
    return input(prompt)


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except (TypeError, ValueError):
        return False
    return True
