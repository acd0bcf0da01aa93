"""The central rows of ``tests/pins/cases.py``, played by Telethon and by GramJS (part B)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from ..pins.cases import CASES, Case
from .account import Account
from .conftest import Guests, Town
from .pin_rows import NAMES, Play

CENTRAL = [case for case in CASES if case.central]

Casts = Callable[[str], Awaitable[dict[str, Account]]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def casts(town: Town) -> AsyncIterator[Casts]:
    """The five people of the rows, signed in once with each library."""
    guests = Guests(town)
    known: dict[str, dict[str, Account]] = {}

    async def cast(library: str) -> dict[str, Account]:
        if library not in known:
            known[library] = {
                name: await (guests.bot(library) if name == "bot" else guests.user(library))
                for name in NAMES
            }
        return known[library]

    yield cast
    await guests.close()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("library", ["telethon", "gramjs"])
@pytest.mark.parametrize("case", CENTRAL, ids=str)
async def test_row(casts: Casts, library: str, case: Case) -> None:
    await Play(await casts(library), case).run()


def test_there_are_enough() -> None:
    assert len(CENTRAL) >= 30
    assert not any(case.settings for case in CENTRAL), "they share one server"
