"""The command ``radiogram demo``: two people and a bot at work.

Top layer. Knows the options and hands them on; what it does is imported when it runs.
"""

from __future__ import annotations

import click


@click.command()
def demo() -> None:
    """Show two people and a bot at work.

    They write over real MTProto on this machine, and one pins a message with every flag. Starts
    a server on a free port, shows every call, its result and what the other side received.
    Touches no other machine and writes no file.
    """
    from radiogram.demo import main

    raise SystemExit(main())
