"""The command ``radiogram repl``: a prompt with a connected client.

Top layer. Knows the options and what names are there at the prompt.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from radiogram import errors
from radiogram.cli.call import actor_options, choose

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient


@click.command()
@actor_options
def repl(account: str, session: Path | None, demo: bool, actor: str) -> None:
    """Try things out at a prompt that awaits.

    There are client (connected), api, errors, events and types. Tab completes; Ctrl-D ends.

    \b
    >>> await client.invoke(api.help.GetNearestDc())
    >>> (await client.get_me()).first_name
    """  # noqa: D301 - click reads it
    if not sys.stdin.isatty():
        raise click.UsageError("the prompt needs a terminal; for one call, use `radiogram call`")
    acting = choose(account, session, demo_actor=actor if demo else None)
    try:
        asyncio.run(_prompt(acting))
    except errors.RadiogramError as error:
        raise click.ClickException(str(error)) from None


async def _prompt(acting: contextlib.AbstractAsyncContextManager[TelegramClient]) -> None:
    from ptpython.repl import embed

    async with acting as client:
        names = names_for(client)
        title = f"Radiogram: {', '.join(names)}"
        with contextlib.suppress(SystemExit):
            prompt: Any = embed(
                globals=names,
                locals=names,
                title=title,
                configure=_configure,
                return_asyncio_coroutine=True,
                patch_stdout=True,
            )
            await prompt


def _configure(prompt: Any) -> None:
    prompt.confirm_exit = False
    read = prompt.read

    def read_or_end() -> str:
        """Read a line; a terminal that is gone ends the prompt, which else would ask for ever."""
        try:
            text: str = read()
        except OSError:
            raise EOFError from None
        return text

    prompt.read = read_or_end


def names_for(client: TelegramClient) -> dict[str, Any]:
    """Give the names that are there at the prompt."""
    from radiogram import api, events, types

    return {"client": client, "api": api, "errors": errors, "events": events, "types": types}
