"""The command ``radiogram``: demo, serve, version.

Top layer. Knows the options and hands them on; what a command does is imported when it runs, so
that ``--help`` and ``--version`` cost nothing.
"""

from __future__ import annotations

import click

from radiogram import __version__


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"radiogram {__version__}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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


@cli.command()
def demo() -> None:
    """Show two people and a bot at work.

    They write over real MTProto on this machine, and one pins a message with every flag. Starts
    a server on a free port, shows every call, its result and what the other side received.
    Touches no other machine and writes no file.
    """
    from radiogram.demo import main

    raise SystemExit(main())


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one. Default: the first free one from 20443 on.",
)
@click.option(
    "--database",
    metavar="URL",
    help="Where accounts and messages live: path of an SQLite file, or an SQLAlchemy URL."
    " Default: in memory.",
)
@click.option(
    "--key",
    type=click.Path(dir_okay=False),
    help="File of the server's private RSA key (PEM); made if missing. Default: in the database.",
)
@click.option(
    "--login-code",
    metavar="N",
    help="Code of all numbers but the test numbers 99966XYYYY, which have XXXXX. Default: 12345.",
)
@click.option(
    "--world",
    type=click.Path(exists=True, dir_okay=False),
    help="TOML file of accounts: [[users]] phone, first_name, username; [[bots]] name, username,"
    " token.",
)
@click.option(
    "--dc-id", type=click.IntRange(1, 5), default=2, show_default=True, help="Data centre to play."
)
@click.option(
    "--fault",
    "faults",
    metavar="SPEC",
    multiple=True,
    help="What is to go wrong, such as flood_wait:messages.sendMessage,seconds=30,times=2; may be"
    " given more than once.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Tell address and public key as one line of JSON on standard output.",
)
def serve(
    host: str,
    port: int | None,
    database: str | None,
    key: str | None,
    login_code: str | None,
    world: str | None,
    dc_id: int,
    faults: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run a Telegram server.

    It ends on an interrupt (Ctrl-C) or when it is terminated.
    """
    from radiogram.server.serve import run

    raise SystemExit(
        run(
            host=host,
            port=port,
            database=database,
            key=key,
            login_code=login_code,
            world=world,
            dc_id=dc_id,
            faults=faults,
            as_json=as_json,
        )
    )


@cli.command()
def version() -> None:
    """Show versions, also of the TL schema."""
    import platform

    from radiogram import api

    click.echo(f"radiogram {__version__}, TL layer {api.LAYER}, Python {platform.python_version()}")
