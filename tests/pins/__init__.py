"""Pins, row by row (part B)."""

import pytest

pytest.register_assert_rewrite("tests.pins.play")
