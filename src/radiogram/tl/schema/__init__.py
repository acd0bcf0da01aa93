"""Layer 0: what Telegram's schema says, as data.

:mod:`~radiogram.tl.schema.definition` is one declaration, :mod:`~radiogram.tl.schema.table` the
package's table over all layers, :mod:`~radiogram.tl.schema.tlfile` reads ``.tl`` texts, and
:mod:`~radiogram.tl.schema.difference` compares two layers. No classes, no bytes on a wire.
"""

from __future__ import annotations

from radiogram.tl.schema.definition import Definition, Field
from radiogram.tl.schema.difference import Change, Diff, diff
from radiogram.tl.schema.table import Table
from radiogram.tl.schema.tables import FIRST_LAYER, LAYER, api_table, mtproto_table

__all__ = [
    "FIRST_LAYER",
    "LAYER",
    "Change",
    "Definition",
    "Diff",
    "Field",
    "Table",
    "api_table",
    "diff",
    "mtproto_table",
]
