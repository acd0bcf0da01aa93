"""Entry point of the command ``radiogram`` and of ``python -m radiogram``.

Top layer. Knows only how to say what is missing when the client alone is installed.
"""

from __future__ import annotations

import sys

EXTRA = {"click", "rich", "sqlalchemy"}
"""Modules that come with the extra ``server`` and that the commands need."""


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
            "Install the server and the command line with: pip install 'radiogram[server]'\n"
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
