"""Layer 0: the tables that come with the package, read when first asked for."""

from __future__ import annotations

from functools import cache

from radiogram.tl.schema.table import Table

FIRST_LAYER = 133
"""Oldest layer in the table."""
LAYER = 232
"""Newest layer in the table; the one that the client speaks."""


@cache
def api_table() -> Table:
    """Give the table of Telegram's API."""
    return Table.load("api")


@cache
def mtproto_table() -> Table:
    """Give the table of MTProto's own service messages."""
    return Table.load("mtproto")
