"""One session's file and many processes, kills in its writes (see :mod:`lease`)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .lease import ROOT


@pytest.mark.slow
def test_one_of_200_holds_it_and_kills_lose_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.lease", "--processes", "200", "--points", "16"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 processes at once: 1 held the session, 199 were told by whom" in done.stdout
    assert done.stdout.count(" 0 sessions that did not open") == 4
