"""The command ``radiogram sessions``: where an account is signed in.

Top layer. Knows the options and how sessions are shown.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radiogram.cli import accounts

if TYPE_CHECKING:
    from radiogram.client.objects.login import LoginSession


@click.command()
@accounts.options
@click.option(
    "--end",
    "ended",
    type=int,
    multiple=True,
    metavar="ID",
    help="Log out this session; may be given more than once.",
)
@click.option("--end-others", is_flag=True, help="Log out all sessions but this one.")
@click.option("--json", "as_json", is_flag=True, help="Tell them as JSON, one on each line.")
def sessions(
    account: str, session: Path | None, ended: tuple[int, ...], end_others: bool, as_json: bool
) -> None:
    """List where an account is signed in, or log out there."""
    path = accounts.chosen(account, session)
    found = accounts.run(_work(path, ended, end_others=end_others))
    if as_json:
        for one in found:
            click.echo(json.dumps(_plain(one)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Id", "App", "Device", "Address", "Last used")
    for one in found:
        used = one.last_active.strftime("%Y-%m-%d %H:%M UTC") if one.last_active else ""
        place = f"{one.ip} ({one.place})" if one.place else one.ip
        number = "this one" if one.is_current else str(one.id)
        if one.needs_password:
            used += ", still without the password"
        table.add_row(number, one.app, one.device, place, used)
    Console().print(table)


async def _work(path: Path, ended: tuple[int, ...], *, end_others: bool) -> list[LoginSession]:
    async with accounts.acting_as(path) as client:
        for number in ended:
            await client.end_session(number)
        if end_others:
            await client.end_other_sessions()
        return await client.get_sessions()


def _plain(one: LoginSession) -> dict[str, object]:
    return {
        "id": one.id,
        "current": one.is_current,
        "app": one.app,
        "device": one.device,
        "ip": one.ip,
        "place": one.place,
        "created": one.created.isoformat() if one.created else None,
        "last_active": one.last_active.isoformat() if one.last_active else None,
        "official": one.is_official,
        "unconfirmed": one.is_unconfirmed,
        "needs_password": one.needs_password,
    }
