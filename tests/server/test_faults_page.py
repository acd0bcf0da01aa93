"""docs/faults.md: every line of its tables does what it says, in both ways to write it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radiogram.server import Server
from radiogram.server.admin import COMMANDS, AdminSocket
from radiogram.server.fault_spec import KINDS, apply
from radiogram.server.faults import ALL_KINDS, Injected

from .test_admin import Talk

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text("utf-8")
ROWS = re.findall(r"^\| (E\d+) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
CHAOS = re.findall(r"^\| (chaos) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
PAIRS = [
    pytest.param(python, spec, id=f"{rule}-{spec}")
    for rule, _, pythons, specs, *_ in [*ROWS, *((one[0], "", *one[1:]) for one in CHAOS)]
    for python, spec in zip(CODE.findall(pythons), CODE.findall(specs), strict=True)
]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


def test_all_thirty_three_are_there() -> None:
    assert [row[0] for row in ROWS] == [f"E{number}" for number in range(1, 34)]


def test_every_fault_can_be_found() -> None:
    written = {re.split("[:,]", spec)[0] for spec in re.findall(r"`([a-z_]+[^`(]*)`", PAGE)}
    assert set(KINDS) <= written
    text = PAGE.partition("## Chance")[2]
    assert all(f"`{kind}`" in text for kind in ALL_KINDS)


def test_every_fault_has_a_test_that_names_its_rule() -> None:
    tests = "".join(
        path.read_text("utf-8")
        for path in (ROOT / "tests").rglob("test_*.py")
        if path.name != Path(__file__).name
    )
    for rule, *_ in ROWS:
        number = rule[1:]
        assert re.search(rf'\bE{number}\b|"E{number}"|test_e{number}_', tests), rule


@pytest.mark.parametrize(("python", "spec"), PAIRS)
async def test_both_ways_to_write_it_are_one(server: Server, python: str, spec: str) -> None:
    faults = server.faults

    def left() -> tuple[list[str], list[Injected], str]:
        found = list(map(str, faults.waiting)), list(faults.injected), str(faults.chaos_plan)
        faults.clear()
        faults.injected.clear()
        return found

    eval(python, {"f": faults})  # our own page
    first = left()
    apply(faults, spec)
    second = left()
    assert first == second
    assert first != ([], [], "None")


async def test_requests_and_answers_are_as_shown(server: Server, tmp_path: Path) -> None:
    lines = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
    async with AdminSocket(server, path=str(tmp_path / "admin")) as socket:
        talk = await Talk.to(socket)
        for request, answer in zip(lines[::2], lines[1::2], strict=True):
            assert await talk.say(request.encode()) == json.loads(answer)
        await talk.close()


def test_every_request_is_documented() -> None:
    table = PAGE.partition("| `do` |")[2].partition("\n\n")[0]
    for name, (fields, _) in COMMANDS.items():
        assert f"`{name}`" in table
        assert all(f"`{field}`" in table for field in fields)
