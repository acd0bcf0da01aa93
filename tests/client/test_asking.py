"""Values that a login needs: given, made by functions, awaited, or typed by a person."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from radiogram import errors
from radiogram.client import asking
from radiogram.client.asking import MAX_TRIES, Question


class Terminal(io.StringIO):
    """Standard input with a person behind it."""

    def isatty(self) -> bool:
        return True


def type_in(monkeypatch: pytest.MonkeyPatch, *lines: str) -> list[str]:
    """Answer questions on the terminal; gives the list that they are written to."""
    asked: list[str] = []
    answers = list(lines)

    async def ask(prompt: str, *, secret: bool = False) -> str:
        asked.append("(hidden) " + prompt if secret else prompt)
        if not answers:
            raise EOFError
        return answers.pop(0)

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(asking, "read_line", ask)
    return asked


class Tty:
    """A pseudo-terminal: this process reads from one end, a person types at the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.person, self.slave = pty.openpty()
        self.stdin = os.fdopen(self.slave, "r")
        monkeypatch.setattr(sys, "stdin", self.stdin)

    def type(self, text: str) -> None:
        os.write(self.person, text.encode())

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self) -> None:
        self.stdin.close()
        os.close(self.person)


@pytest.fixture
def tty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tty]:
    made = Tty(monkeypatch)
    yield made
    made.close()


async def test_a_line_is_read_while_the_loop_goes_on(
    tty: Tty, capsys: pytest.CaptureFixture[str]
) -> None:
    reading = asyncio.create_task(asking.read_line("Phone: "))
    await asyncio.sleep(0)
    assert not reading.done()
    assert capsys.readouterr() == ("", "Phone: "), "output can be piped"
    tty.type("+999\n")
    assert await reading == "+999"


async def test_a_secret_is_not_echoed(tty: Tty) -> None:
    reading = asyncio.create_task(asking.read_line("Password: ", secret=True))
    await asyncio.sleep(0)
    assert not tty.echoes
    tty.type(" secret \n")
    assert await reading == " secret "
    assert tty.echoes


async def test_who_is_interrupted_gets_the_echo_back(tty: Tty) -> None:
    reading = asyncio.create_task(asking.read_line("Password: ", secret=True))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert tty.echoes


async def test_the_end_of_a_terminal_names_what_is_missing(tty: Tty) -> None:
    tty.type("\4")
    with pytest.raises(errors.AnswerMissing, match="the terminal was closed") as raised:
        await Question("start(phone=)", None, "Phone: ").ask()
    assert raised.value.argument == "start(phone=)"


async def test_a_loop_that_cannot_watch_files_reads_in_a_thread(
    tty: Tty, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", refuse)
    tty.type("+999\n")
    assert await asking.read_line("Phone: ") == "+999"


async def later() -> int:
    return 3


@pytest.mark.parametrize(
    ("given", "answer", "tries"),
    [
        ("1", "1", 1),
        (2, "2", 1),
        (lambda: 4, "4", MAX_TRIES),
        (later, "3", MAX_TRIES),
        (lambda about: f"for {about}", "for it", MAX_TRIES),
    ],
)
async def test_answers_come_from_values_and_functions(given: Any, answer: str, tries: int) -> None:
    question = Question("start(code=)", given, "Code: ")
    assert not question.on_terminal
    assert question.tries == tries
    assert await question.ask("it") == answer


async def test_an_awaitable_is_awaited_once() -> None:
    future = asyncio.get_running_loop().create_future()
    question = Question("start(code=)", future, "Code: ")
    assert question.tries == 1
    future.set_result("5")
    assert await question.ask() == "5"
    assert await Question("start(code=)", later(), "").ask() == "3"


async def test_a_function_that_has_no_signature_is_called_without_argument() -> None:
    assert await Question("start(code=)", str, "").ask() == ""


async def test_secrets_are_not_echoed_and_keep_their_spaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = type_in(monkeypatch, "", " secret ")
    question = Question("start(password=)", None, "Password: ", secret=True)
    assert await question.ask() == " secret "
    assert asked == ["(hidden) Password: "] * 2


async def test_a_wrong_answer_is_complained_of(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = type_in(monkeypatch, "1", "2")

    async def act(value: str) -> str:
        if value == "1":
            raise errors.rpc_error(400, "PHONE_CODE_INVALID")
        return value

    question = Question("start(code=)", None, "Code: ")
    assert await question.attempt(act, wrong={"PHONE_CODE_INVALID"}) == "2"
    assert asked[0] == "Code: "
    assert asked[1].startswith("The log-in code is wrong")
    assert asked[1].endswith("\nCode: ")


async def test_another_error_is_nobodys_wrong_answer() -> None:
    async def act(value: str) -> None:
        raise errors.rpc_error(400, "PHONE_NUMBER_BANNED")

    with pytest.raises(errors.PhoneNumberBanned):
        await Question("", lambda: 1, "").attempt(act, wrong={"PHONE_CODE_INVALID"})


@pytest.mark.parametrize("stdin", [None, io.StringIO("")])
async def test_without_a_terminal_the_argument_is_named(
    monkeypatch: pytest.MonkeyPatch, stdin: Any
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(errors.ClientError, match=r"start\(code=\) is needed, and there is no"):
        await Question("start(code=)", None, "Code: ").ask()


@pytest.mark.parametrize("given", [lambda: None, lambda: b"secret", asyncio.Queue])
async def test_what_is_no_answer_is_not_sent(given: Any) -> None:
    """The text "None" would be a wrong password, and three of them a flood."""
    question = Question("start(password=)", given, "")
    with pytest.raises(
        errors.ClientError, match=r"start\(password=\) gave \w+, where text"
    ) as raised:
        await question.ask()
    assert "secret" not in str(raised.value)
