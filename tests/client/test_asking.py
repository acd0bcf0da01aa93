"""Values that a login needs: given, made by functions, awaited, or typed by a person."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import Any

import pytest

from radiogram import errors
from radiogram.client.asking import MAX_TRIES, Question


class Terminal(io.StringIO):
    """Standard input with a person behind it."""

    def isatty(self) -> bool:
        return True


def type_in(monkeypatch: pytest.MonkeyPatch, *lines: str) -> list[str]:
    """Answer questions on the terminal; gives the list that they are written to."""
    asked: list[str] = []
    answers = list(lines)

    def ask(prompt: str) -> str:
        asked.append(prompt)
        if not answers:
            raise EOFError
        return answers.pop(0)

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", ask)
    monkeypatch.setattr("getpass.getpass", lambda prompt: ask("(hidden) " + prompt))
    return asked


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
    assert await Question("start(code=)", dict, "").ask() == "{}"


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
    assert asked[1].endswith(" Code: ")


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
