"""The command ``radiogram admin``: what one can tell a server that runs already.

Top layer. Knows how a person writes requests of the admin socket, and how answers are shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

Request = tuple[str, dict[str, Any]]


def where(command: F) -> F:
    """Give a command the options that say which server is meant."""
    command = click.option(
        "--token",
        envvar="RADIOGRAM_ADMIN_TOKEN",
        help="Token of the port. Default: $RADIOGRAM_ADMIN_TOKEN.",
    )(command)
    return click.option(
        "--to",
        required=True,
        envvar="RADIOGRAM_ADMIN",
        metavar="PATH|PORT",
        help="Admin socket of the server, as `radiogram serve --admin` told. Default:"
        " $RADIOGRAM_ADMIN.",
    )(command)


def ask(to: str, token: str | None, *requests: Request) -> Any:
    """Send requests and return the last result; what is refused ends the command."""
    from radiogram.server.admin_client import AdminClient, AdminClientError

    result = None
    try:
        with AdminClient(to, token) as client:
            for name, fields in requests:
                result = client.ask(name, **fields)
    except AdminClientError as error:
        raise click.ClickException(str(error)) from None
    return result


def show(value: Any) -> None:
    """Print a result: lines of JSON for lists, one object otherwise."""
    if isinstance(value, list):
        for item in value:
            click.echo(json.dumps(item, ensure_ascii=False))
    elif value is not None:
        click.echo(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


@click.group()
@where
@click.pass_context
def admin(context: click.Context, to: str, token: str | None) -> None:
    """Tell a running server what to do, through its admin socket."""
    context.obj = to, token


def _tell(context: click.Context, *requests: Request) -> None:
    to, token = context.obj
    show(ask(to, token, *requests))


@admin.command()
@click.pass_context
def state(context: click.Context) -> None:
    """Show what the server has and does."""
    _tell(context, ("state", {}))


@admin.command()
@click.pass_context
def users(context: click.Context) -> None:
    """List the accounts."""
    _tell(context, ("user.list", {}))


@admin.command()
@click.option("--phone", required=True, help="Number of the account.")
@click.pass_context
def code(context: click.Context, phone: str) -> None:
    """Show the login code of a number."""
    _tell(context, ("user.code", {"phone": phone}))


@admin.command()
@click.pass_context
def mails(context: click.Context) -> None:
    """Show the e-mails with codes that nobody delivers, newest last."""
    _tell(context, ("mail.list", {}))


@admin.command()
@click.option("--set", "to", type=float, help="Unix time in seconds that it is to be.")
@click.option("--advance", type=float, help="Seconds to go forward, or back if below 0.")
@click.option("--freeze/--resume", default=None, help="Stop it, or let it go on.")
@click.pass_context
def clock(
    context: click.Context, to: float | None, advance: float | None, freeze: bool | None
) -> None:
    """Show the server's clock, and change it before that."""
    requests: list[Request] = []
    if freeze is not None:
        requests.append(("clock.freeze", {"frozen": freeze}))
    if to is not None:
        requests.append(("clock.set", {"to": to}))
    if advance is not None:
        requests.append(("clock.advance", {"seconds": advance}))
    _tell(context, *requests, ("clock.get", {}))


@admin.command()
@click.option("--user-id", type=int, help="Only those of one account.")
@click.option("--reset", is_flag=True, help="As by a crash (RST instead of FIN).")
@click.pass_context
def drop(context: click.Context, user_id: int | None, reset: bool) -> None:
    """Close connections."""
    _tell(context, ("connection.drop", {"user_id": user_id, "reset": reset}))


@admin.command()
@click.pass_context
def release(context: click.Context) -> None:
    """Let answers and updates go that faults have held back."""
    _tell(context, ("fault.release", {}))
