"""The command ``radiogram serve``: a Telegram server of one's own.

Top layer. Knows the options and hands them on; what it does is imported when it runs.
"""

from __future__ import annotations

from typing import Any

import click


@click.command()
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
    "--dcs",
    metavar="IDS",
    help="Data centres to play at once, such as 1,2,4: each has a port of its own, --port being"
    " that of --dc-id. Default: --dc-id alone.",
)
@click.option(
    "--mtproxy",
    metavar="SECRET",
    help="Be an MTProxy, too, on the next port: 32 hexadecimal digits, or the secret of a link.",
)
@click.option(
    "--tls-cert",
    type=click.Path(exists=True, dir_okay=False),
    help="Certificate (PEM) with which all ports speak TLS, too, for wss; needs --tls-key.",
)
@click.option(
    "--tls-key",
    type=click.Path(exists=True, dir_okay=False),
    help="Key (PEM) of the certificate.",
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
    "--admin",
    metavar="PATH|PORT",
    help="Listen for `radiogram admin` and `radiogram fault`: at a path, for this user only, or at"
    " a port of this machine (0: a free one), with a token.",
)
@click.option(
    "--admin-token",
    metavar="TOKEN",
    envvar="RADIOGRAM_ADMIN_TOKEN",
    help="Token of that port. Default: made up and told.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Tell address and public key as one line of JSON on standard output.",
)
def serve(**options: Any) -> None:
    """Run a Telegram server.

    It ends on an interrupt (Ctrl-C) or when it is terminated.
    """
    from radiogram.server.serve import Options, run

    raise SystemExit(run(Options(**options)))
