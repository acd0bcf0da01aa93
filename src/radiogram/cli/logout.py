"""The command ``radiogram logout``: a session ends, here and at the server.

Top layer. Knows the options and which files go.
"""

from __future__ import annotations

from pathlib import Path

import click

from radiogram import errors
from radiogram.cli import accounts


@click.command()
@accounts.options
def logout(account: str, session: Path | None) -> None:
    """Sign an account out, and remove its session from this machine.

    Other sessions of the account go on. If the server gives a token to come back without a code,
    it is kept, and `radiogram login` uses it.
    """
    path = accounts.chosen(account, session)
    known = accounts.read(path)
    was_over = accounts.run(_log_out(path))
    accounts.forget(path)
    what = "The session was over already" if was_over else f"Signed out {known.name}"
    click.echo(f"{what}; {path} was removed.")


async def _log_out(path: Path) -> bool:
    """Log out; True if the server had ended the session before."""
    try:
        async with accounts.acting_as(path) as client:
            await client.log_out()
            accounts.write_tokens(client.future_auth_tokens)
    except (errors.Unauthorized, errors.KeyUnknown):
        return True
    return False
