"""The command ``radiogram call``: any method of the API, from a shell.

Top layer. Knows the options, how parameters are typed and what is printed. Must not know methods.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from radiogram import errors
from radiogram.cli import accounts, values
from radiogram.client.casts import CASTABLE
from radiogram.docs.people import ACTORS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from radiogram.client.client import TelegramClient
    from radiogram.tl.base import Request

EXIT_CODES = {
    errors.SeeOther: 13,
    errors.BadRequest: 10,
    errors.Unauthorized: 11,
    errors.Forbidden: 12,
    errors.NotFound: 14,
    errors.NotAcceptable: 16,
    errors.Flood: 15,
    errors.ServerError: 17,
    errors.RpcError: 18,
    errors.SessionError: 21,
    errors.PeerNotFound: 22,
    errors.ConnectionFailed: 20,
    errors.EncodeError: 2,
    errors.RadiogramError: 1,
}
"""What the process ends with, by the kind of error; the first that fits counts."""


def _methods(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(one) for one in values.methods() if one.startswith(incomplete)]


def _parameters(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    try:
        definition = values.method_of(context.params.get("method") or "")
    except click.UsageError:
        return []
    given = context.params.get("words") or ()
    return [CompletionItem(one) for one in values.complete(definition, given, incomplete)]


def actor_options(command: accounts.C) -> accounts.C:
    """Give a command the options that say as whom it acts, in the world of the pages too."""
    command = click.option(
        "--as",
        "actor",
        type=click.Choice(ACTORS),
        default="ada",
        show_default=True,
        help="With --demo: who acts.",
    )(command)
    command = click.option(
        "--demo", is_flag=True, help="Act in the furnished world of the pages, offline."
    )(command)
    return accounts.options(command)


@click.command()
@click.argument("method", shell_complete=_methods)
@click.argument("words", nargs=-1, metavar="[NAME=VALUE]...", shell_complete=_parameters)
@actor_options
@click.option(
    "--json",
    "document",
    metavar="JSON",
    help="Parameters as one JSON object; - reads it from standard input. NAME=VALUE goes before.",
)
@click.option(
    "--output",
    type=click.Choice(["json", "python"]),
    default="json",
    show_default=True,
    help="How the result is printed.",
)
@click.option("--dry-run", is_flag=True, help="Print the call as Python, and do not make it.")
def call(
    method: str,
    words: tuple[str, ...],
    account: str,
    session: Path | None,
    demo: bool,
    actor: str,
    document: str | None,
    output: str,
    dry_run: bool,
) -> None:
    """Call a method of the API.

    METHOD is Telegram's name or Python's. Chats and users are given as @name, phone number, id or
    me; flags as NAME or NAME=true; lists as a,b or as JSON; objects as JSON with their name under
    "_"; bytes as hex:00ff, in base64 or as @FILE; a text from a file as @@FILE.

    \b
    radiogram call messages.updatePinnedMessage peer=@username id=43 unpin=true --demo

    Exit codes: 2 wrong parameters; 10 to 18 the server's errors 400, 401, 403, 303, 404, 420, 406,
    500 and others, in this order; 20 no connection; 21 the session; 22 no such peer.
    """  # noqa: D301 - click reads it
    definition = values.method_of(method)
    given = _document(document) | values.read_all(definition, words)
    try:
        request = _request(definition.name, given)
    except errors.EncodeError as error:
        raise click.UsageError(str(error)) from None
    if dry_run:
        click.echo(request.stringify())
        return
    try:
        acting = choose(account, session, demo_actor=actor if demo else None)
        result = asyncio.run(_make(acting, request))
    except errors.RadiogramError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(exit_code(error))
    click.echo(as_json(result) if output == "json" else as_python(result))


def exit_code(error: errors.RadiogramError) -> int:
    """Give what the process ends with."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


def _request(name: str, given: dict[str, Any]) -> Request[Any]:
    from radiogram.tl.plain import request_from_plain

    return request_from_plain(name, given, castable=CASTABLE)


def _document(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        found = json.loads(sys.stdin.read(values.MAX_FILE) if text == "-" else text)
    except ValueError as error:
        raise click.UsageError(f"--json: this is no JSON ({error})") from None
    if not isinstance(found, dict):
        raise click.UsageError('--json: give an object, such as {"peer": "me"}')
    return found


async def _make(
    acting: contextlib.AbstractAsyncContextManager[TelegramClient], request: Request[Any]
) -> Any:
    async with acting as client:
        return await client.invoke(request)


def choose(
    account: str, session: Path | None, *, demo_actor: str | None
) -> contextlib.AbstractAsyncContextManager[TelegramClient]:
    """Give what connects as an account of this machine, or as somebody in the furnished world."""
    if demo_actor is not None:
        return _in_furnished_world(demo_actor)
    return accounts.acting_as(accounts.chosen(account, session))


@contextlib.asynccontextmanager
async def _in_furnished_world(actor: str) -> AsyncIterator[TelegramClient]:
    from radiogram.docs.world import DemoWorld

    async with DemoWorld() as world:
        yield await world.client(actor)


def as_json(result: Any) -> str:
    """Show a result as JSON."""
    from radiogram.tl.base import TLObject

    if isinstance(result, TLObject):
        return result.to_json(indent=2)
    if isinstance(result, list):
        inner = ",\n".join(as_json(one) for one in result)
        return "[\n" + re.sub("^", "  ", inner, flags=re.MULTILINE) + "\n]" if result else "[]"
    return json.dumps(result)


def as_python(result: Any) -> str:
    """Show a result as Python prints it."""
    from radiogram.tl.base import TLObject

    if isinstance(result, list):
        return "[" + ", ".join(as_python(one) for one in result) + "]"
    return result.stringify() if isinstance(result, TLObject) else repr(result)
