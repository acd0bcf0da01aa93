"""Entry point of the command ``radiogram`` and of ``python -m radiogram``.

Top layer. Knows only how to say what is missing when the client alone is installed.
"""

from __future__ import annotations

import sys

EXTRA = {
    "click": "server",
    "rich": "server",
    "segno": "cli",
    "sqlalchemy": "server",
    "jinja2": "docs",
    "markdown_it": "docs",
    "markupsafe": "docs",
    "ptpython": "repl",
    "pygments": "docs",
    "starlette": "docs",
    "uvicorn": "docs",
}
"""Modules that commands need, and the extra with which each comes."""


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from radiogram.cli import cli

        cli(prog_name="radiogram")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRA:
            raise
        sys.stderr.write(
            f"radiogram: this command needs {missing}, which is not installed.\n"
            f"Install what it takes with: pip install 'radiogram[{EXTRA[missing]}]'\n"
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
