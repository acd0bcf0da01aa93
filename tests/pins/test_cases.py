"""The rows of :mod:`cases`, over TCP with Radiogram's client (part B)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from radiogram import TelegramClient, api, errors
from radiogram.server import Server
from radiogram.sessions import StringSession

from .cases import CASES, Case
from .play import Theatre


class Stages:
    """A server for each kind of settings, opened when first needed."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._theatres: dict[str, Theatre] = {}

    def play(self, case: Case) -> None:
        """Play a row on the stage that it needs."""
        if case.settings not in self._theatres:
            self._theatres[case.settings] = self._runner.run(Theatre.open(case.settings))
        self._runner.run(self._theatres[case.settings].play(case))

    def close(self) -> None:
        """Close all servers."""
        for theatre in self._theatres.values():
            self._runner.run(theatre.close())


@pytest.fixture(scope="module")
def stages() -> Iterator[Stages]:
    with asyncio.Runner() as runner:
        stages = Stages(runner)
        yield stages
        stages.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_row(stages: Stages, case: Case) -> None:
    stages.play(case)


async def test_b4_who_is_not_logged_in() -> None:
    async with (
        Server() as server,
        TelegramClient(StringSession(""), 1, "any", server=server) as nobody,
    ):
        pin = api.messages.UpdatePinnedMessage(peer=api.InputPeerSelf(), id=1)
        with pytest.raises(errors.AuthKeyUnregistered):
            await nobody.invoke(pin)


def test_there_are_enough() -> None:
    assert len(CASES) >= 100
    assert sum(case.central for case in CASES) >= 30
    assert all(case.rule[0] in "BC" for case in CASES)
