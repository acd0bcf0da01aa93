"""Write ``src/radiogram/tl/schema/*.txt`` from a collected history of the schema.

Usage: ``python -m tools.schema DIRECTORY [--check]``. The directory holds ``history.tsv`` (every
declaration with the layers it lived in), ``history_variants.tsv`` (declarations that changed
without changing their id) and ``mtproto.tl``. With ``--check`` nothing is written and a
difference is an error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.schema.fold import api_text, mtproto_text

TARGET = Path(__file__).parents[2] / "src" / "radiogram" / "tl" / "schema"


def main() -> int:
    """Write or compare the tables; 1 if they differ."""
    parser = argparse.ArgumentParser(prog="tools.schema", description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()
    texts = {
        "api.txt": api_text(
            (options.directory / "history.tsv").read_text("utf-8"),
            (options.directory / "history_variants.tsv").read_text("utf-8"),
        ),
        "mtproto.txt": mtproto_text((options.directory / "mtproto.tl").read_text("utf-8")),
    }
    differing = []
    for name, text in texts.items():
        path = TARGET / name
        if options.check:
            if not path.exists() or path.read_text("ascii") != text:
                differing.append(name)
        else:
            path.write_text(text, "ascii")
            print(f"{path}: {len(text):,} bytes, {text.count(chr(10)) - 2} names")
    if differing:
        print(f"out of date: {', '.join(differing)}; run without --check", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
