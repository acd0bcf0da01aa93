"""mypy and pyright agree on the files beside this one, and infer what a call gives."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
SOURCES = ("invoke.py", "friendly.py", "stub.py")
UPDATES = {
    "UpdateShort",
    "UpdateShortChatMessage",
    "UpdateShortMessage",
    "UpdateShortSentMessage",
    "Updates",
    "UpdatesCombined",
    "UpdatesTooLong",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("checker", "options"), [("mypy", ["--strict", "--no-incremental"]), ("pyright", [])]
)
def test_checkers_infer_results(checker: str, options: list[str]) -> None:
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed; pip install '.[dev]' brings it")
    done = subprocess.run(
        [sys.executable, "-m", checker, *options, *(str(HERE / name) for name in SOURCES)],
        capture_output=True,
        text=True,
        cwd=HERE.parents[1],
        env={**os.environ, "MYPYPATH": str(SOURCE), "PYTHONPATH": str(SOURCE)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    revealed = re.search(r'(?:Revealed type is|Type of "pinned" is) "([^"]*)"', done.stdout)
    assert revealed, done.stdout
    names = {name.strip().rpartition(".")[2] for name in revealed[1].split("|")}
    assert names == UPDATES
