"""The chain of a call: waiting, repeating, introducing again, moving; no sleep takes time."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from radiogram import errors
from radiogram.client.invoke import (
    Call,
    Invoker,
    Link,
    compose,
    logged,
    migrate,
    repeat,
)
from radiogram.tl import api

CALL = Call(api.help.GetConfig(), b"")


class End:
    """The end of a chain: answers from a list, errors are raised."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.taken: list[Call] = []

    async def __call__(self, call: Call) -> Any:
        self.calls += 1
        self.taken.append(call)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Sleep:
    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


class Home:
    def __init__(self, *, can_move: bool = True) -> None:
        self.introduced = 0
        self.moves: list[int] = []
        self.can_move = can_move

    def introduce_again(self, call: Call) -> None:
        self.introduced += 1

    async def move(self, dc_id: int) -> bool:
        self.moves.append(dc_id)
        return self.can_move


def error(code: int, message: str) -> errors.RpcError:
    return errors.rpc_error(code, message)


async def run(link: Link, end: End) -> Any:
    return await compose([link], end)(CALL)


async def test_links_run_from_the_outside_in() -> None:
    order = []

    def named(name: str) -> Link:
        async def link(call: Call, next: Invoker) -> Any:
            order.append(name)
            return await next(call)

        return link

    assert await compose([named("a"), named("b")], End("result"))(CALL) == "result"
    assert order == ["a", "b"]


# ── failures inside the server ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (500, "RPC_CALL_FAIL"),
        (-503, "Timeout"),
        (500, "INTERDC_2_CALL_ERROR"),
        (-500, "RPC_MCGET_FAIL"),
        (-500, "No workers running"),
        (500, "HISTORY_GET_FAILED"),
        (500, "MSGID_DECREASE_RETRY"),
        (500, "WORKER_BUSY_TOO_LONG_RETRY"),
        (500, "PERSISTENT_TIMESTAMP_OUTDATED"),
        (-503, "MSG_WAIT_TIMEOUT"),
    ],
)
async def test_a_failure_that_passes_is_repeated(code: int, message: str) -> None:
    sleep, end = Sleep(), End(error(code, message), error(code, message), "done")
    assert await run(repeat(sleep, Home()), end) == "done"
    assert sleep.pauses == [0.5, 1.0]


async def test_repeating_ends() -> None:
    sleep, end = Sleep(), End(*[error(500, "RPC_CALL_FAIL")] * 10)
    with pytest.raises(errors.RpcCallFail):
        await run(repeat(sleep, Home()), end)
    assert end.calls == 4


@pytest.mark.parametrize("message", ["RANDOM_ID_DUPLICATE", "AUTH_RESTART", "SOMETHING_NEW"])
async def test_other_errors_of_code_500_are_not_repeated(message: str) -> None:
    end = End(error(500, message))
    with pytest.raises(errors.ServerError):
        await run(repeat(Sleep(), Home()), end)
    assert end.calls == 1


@pytest.mark.parametrize("message", ["CONNECTION_NOT_INITED", "CONNECTION_LAYER_INVALID"])
async def test_a_server_that_does_not_know_us_is_told_once(message: str) -> None:  # A12.1, A12.3
    home, sleep = Home(), Sleep()
    assert await run(repeat(sleep, home), End(error(400, message), "done")) == "done"
    assert home.introduced == 1
    assert sleep.pauses == []
    with pytest.raises(errors.BadRequest):
        await run(repeat(sleep, home), End(error(400, message), error(400, message)))
    assert home.introduced == 2


# ── other data centres ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("message", ["PHONE_MIGRATE_4", "USER_MIGRATE_4", "NETWORK_MIGRATE_4"])
async def test_an_account_is_followed_to_its_data_centre(message: str) -> None:
    home, end = Home(), End(error(303, message), "done")
    assert await run(migrate(home), end) == "done"
    assert home.moves == [4]


async def test_with_one_server_there_is_nowhere_to_go() -> None:
    home = Home(can_move=False)
    with pytest.raises(errors.PhoneMigrate):
        await run(migrate(home), End(error(303, "PHONE_MIGRATE_4")))


@pytest.mark.parametrize(
    ("message", "purpose"), [("FILE_MIGRATE_4", "media"), ("STATS_MIGRATE_4", "home")]
)
async def test_one_call_goes_elsewhere_without_the_account(message: str, purpose: str) -> None:
    home, end = Home(), End(error(303, message), "done")
    assert await run(migrate(home), end) == "done"
    assert home.moves == []
    assert [(call.dc_id, call.purpose) for call in end.taken] == [(0, "home"), (4, purpose)]


async def test_a_call_that_is_sent_back_and_forth_ends() -> None:
    home = Home()
    end = End(*[error(303, f"PHONE_MIGRATE_{dc}") for dc in (2, 1, 2)])
    with pytest.raises(errors.PhoneMigrate):
        await run(migrate(home), end)
    assert home.moves == [2, 1]


async def test_a_call_that_is_sent_ever_further_ends() -> None:
    home, end = Home(), End(*[error(303, f"USER_MIGRATE_{dc}") for dc in range(1, 20)])
    with pytest.raises(errors.UserMigrate):
        await run(migrate(home), end)
    assert home.moves == [1, 2, 3, 4, 5]


async def test_a_call_to_one_data_centre_does_not_move_the_account() -> None:
    home, end = Home(), End(error(303, "USER_MIGRATE_4"))
    with pytest.raises(errors.UserMigrate):
        await compose([migrate(home)], end)(Call(api.help.GetConfig(), b"", dc_id=3))
    assert home.moves == []


# ── the log ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_log_tells_what_is_called_and_how_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "radiogram.client"):
        await run(logged, End(True))
        with pytest.raises(errors.RpcError):
            await run(logged, End(error(400, "PEER_ID_INVALID")))
    assert "help.getConfig: 0 bytes" in caplog.text
    assert "help.getConfig: bool" in caplog.text
    assert "PEER_ID_INVALID" in caplog.text


async def test_without_a_reader_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "radiogram.client"):
        await run(logged, End(True))
    assert caplog.text == ""
