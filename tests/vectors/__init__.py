"""Published values that the tests compare with; every group names its source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def load(name: str) -> dict[str, Any]:
    """Return the values in ``name.json``; bytes in them are hex."""
    path = Path(__file__).with_name(f"{name}.json")
    values: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return values


def named(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the arguments of ``parametrize`` after the name: one case each, with its name."""
    return {"argvalues": cases, "ids": [case["name"] for case in cases]}
