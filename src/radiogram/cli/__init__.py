"""The command ``radiogram``, with a module for each command.

Top layer. Knows the commands' names and one line about each; a command's module is imported when
it is used, so that ``--help`` and ``--version`` cost nothing.
"""

from __future__ import annotations

import importlib

import click

from radiogram import __version__

COMMANDS = {
    "accounts": "List the accounts that are signed in on this machine.",
    "admin": "Tell a running server what to do, through its admin socket.",
    "call": "Call a method of the API.",
    "demo": "Show two people and a bot at work.",
    "docs": "Show the page of a method, type or error, or all pages as a site.",
    "fault": "Let something go wrong in a running server.",
    "login": "Sign in to an account, and keep its session.",
    "logout": "Sign an account out, and remove its session from this machine.",
    "repl": "Try things out at a prompt that awaits.",
    "schema": "Show declarations, and what changed between two layers.",
    "serve": "Run a Telegram server.",
    "session": "Look at sessions, convert them, rescue damaged ones.",
    "sessions": "List where an account is signed in, or log out there.",
    "version": "Show versions, also of the TL schema.",
}
"""Each is the command of that name in the module of that name, whose help begins with the line."""


class Commands(click.Group):
    """Commands that are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"radiogram.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"radiogram {__version__}")
        context.exit()


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Telegram's API for Python: a client, and a server to develop and test against offline."""
