"""The command ``radiogram version``: what is installed.

Top layer. Knows the options and hands them on; what it does is imported when it runs.
"""

from __future__ import annotations

import click

from radiogram import __version__


@click.command()
def version() -> None:
    """Show versions, also of the TL schema."""
    import platform

    from radiogram import api

    click.echo(f"radiogram {__version__}, TL layer {api.LAYER}, Python {platform.python_version()}")
