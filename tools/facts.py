"""Maintainers' tool: keeps the table of who may call a method, and of its possible errors.

    python -m tools.facts METHODS.tsv ERRORS.tsv    writes src/radiogram/docs/facts.tsv

The first list has the columns method, can_users, can_bots, can_business and unauthenticated (1, 0
or empty for unknown), the second code, name and methods (separated by commas).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "src" / "radiogram" / "docs" / "facts.tsv"

HEADER = (
    "# method\tusers bots business before-login: 1, 0 or ? (not known)\terrors; tools/facts.py\n"
)
WHO = "can_users", "can_bots", "can_business", "unauthenticated"


def make_table(methods: Iterable[Mapping[str, str]], errors: Iterable[Mapping[str, str]]) -> str:
    """Return the text of the table, sorted by method."""
    who = {row["method"]: "".join(row[column] or "?" for column in WHO) for row in methods}
    found: dict[str, dict[int, set[str]]] = {}
    for row in errors:
        for method in filter(None, row["methods"].split(",")):
            found.setdefault(method, {}).setdefault(int(row["code"]), set()).add(row["name"])
    return HEADER + "".join(
        f"{method}\t{who.get(method, '????')}\t"
        + " ".join(
            f"{code}:{','.join(sorted(names))}"
            for code, names in sorted(found.get(method, {}).items(), key=lambda item: abs(item[0]))
        )
        + "\n"
        for method in sorted({*who, *found})
    )


def main(arguments: list[str]) -> int:
    """Write the table; return the exit code."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    rows = [
        list(csv.DictReader(Path(path).read_text("utf-8").splitlines(), delimiter="\t"))
        for path in arguments
    ]
    TABLE.write_text(make_table(*rows), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
