"""How results are shown: tables for a terminal or a Markdown file. Knows no number's meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows under a title; the first column holds names, the others numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def plain(self) -> str:
        """Return the table for a terminal."""
        lines = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        shown = [self.title]
        for name, *numbers in lines:
            cells = [name.ljust(widths[0])]
            cells += [one.rjust(width) for one, width in zip(numbers, widths[1:], strict=True)]
            shown.append("  " + "  ".join(cells).rstrip())
        return "\n".join(shown) + "\n"

    def markdown(self) -> str:
        """Return the table for a Markdown file."""
        rule = ["---", *["--:"] * (len(self.header) - 1)]
        lines = [f"| {' | '.join(cells)} |" for cells in (self.header, rule, *self.rows)]
        return "\n".join([f"{self.title}:", "", *lines, ""])
