"""docs/testing.md: every program in it runs, with the settings that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import radiogram.testing.server
import radiogram.testing.stub
import radiogram.testing.telethon  # noqa: F401
from radiogram.server import handlers

# Loaded here: pytester forgets what a project has imported, and SQLAlchemy cannot be loaded twice.
handlers.load()

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")
SETTINGS = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
PROGRAMS = dict(re.findall(r"```py\n# (\w+)\.py\n(.*?)```", PAGE, re.DOTALL))
FOREIGN = {"test_telethon": "ignore", "test_kurigram": "ignore"}
"""Whose own warnings are not ours."""


def test_all_are_found() -> None:
    assert len(SETTINGS) == 1
    assert len(PROGRAMS) == PAGE.count("```py\n") == 9


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_runs(name: str, pytester: pytest.Pytester) -> None:
    pytester.makefile(".ini", pytest=SETTINGS[0])
    pytester.makepyfile(**{name: PROGRAMS[name]})
    warnings = FOREIGN.get(name, "error")
    result = pytester.runpytest_inprocess("-p", "no:randomly", "-n0", "-W", warnings)
    expected = len(re.findall(r"^(?:async )?def test_", PROGRAMS[name], re.MULTILINE))
    result.assert_outcomes(passed=expected)
