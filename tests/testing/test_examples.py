"""The sample projects: their tests run by the command that their README tells."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize("name", [path.name for path in EXAMPLES.iterdir() if path.is_dir()])
def test_it_runs(name: str, tmp_path: Path) -> None:
    project = tmp_path / name
    shutil.copytree(EXAMPLES / name, project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    readme = (project / "README.md").read_text("utf-8")
    lines = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)[0].splitlines()
    assert lines[0] == "pip install '../..[server]' pytest pytest-asyncio"  # done, where we run
    for line in lines[1:]:
        program, *arguments = shlex.split(line)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", program, *arguments],
            cwd=project,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        tests = sum(path.read_text("utf-8").count("def test_") for path in project.rglob("test_*"))
        assert f"{tests} passed" in done.stdout


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.rglob("README.md")), ids=lambda path: path.parent.name
)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target
