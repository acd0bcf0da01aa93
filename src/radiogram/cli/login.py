"""The command ``radiogram login``: an account signs in, and commands can act as it.

Top layer. Knows the options, what is shown to a person, and where the session goes; signing in is
the client's affair. Shows no secret, unless a session string is asked for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from msgspec.structs import replace

from radiogram.cli import accounts

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.datacenters import ServerAddress
    from radiogram.client.objects.user import User


@click.command()
@accounts.options
@click.option("--phone", metavar="NUMBER", help="Phone number in international form.")
@click.option("--code", metavar="CODE", help="Login code, where it is known before it was sent.")
@click.option("--qr", is_flag=True, help="Show a QR code for a device that is signed in to scan.")
@click.option(
    "--bot-token",
    metavar="TOKEN",
    envvar="RADIOGRAM_BOT_TOKEN",
    help="Sign in as a bot. Better in the variable RADIOGRAM_BOT_TOKEN: others can see options.",
)
@click.option("--first-name", metavar="NAME", help="Name of a new account, to sign up a number.")
@click.option("--last-name", metavar="NAME", default="", help="Last name of a new account.")
@click.option(
    "--api-id", type=int, envvar="RADIOGRAM_API_ID", help="Your api_id of my.telegram.org."
)
@click.option(
    "--api-hash",
    metavar="HASH",
    envvar="RADIOGRAM_API_HASH",
    help="Your api_hash. Both are also taken from RADIOGRAM_API_ID and RADIOGRAM_API_HASH.",
)
@click.option("--test", is_flag=True, help="Go to Telegram's test servers.")
@click.option(
    "--server",
    type=click.File("r"),
    help="Go to a server of your own: file with the line of `radiogram serve --json`, - for input.",
)
@click.option(
    "--encrypt", is_flag=True, help="Encrypt the session by a passphrase, which is asked for."
)
@click.option(
    "--print-string",
    is_flag=True,
    help="Print the session as a string, which lets anybody in, and write no file.",
)
def login(
    account: str,
    session: Path | None,
    phone: str | None,
    code: str | None,
    qr: bool,
    bot_token: str | None,
    first_name: str | None,
    last_name: str,
    api_id: int | None,
    api_hash: str | None,
    test: bool,
    server: Any,
    encrypt: bool,
    print_string: bool,
) -> None:
    """Sign in to an account, and keep its session.

    What is not given is asked on the terminal. A password of two-step verification is asked for, or
    taken from the variable RADIOGRAM_PASSWORD. Commands such as `radiogram sessions` then act as
    the account.
    """
    if qr and (phone or bot_token):
        raise click.UsageError("--qr needs neither --phone nor --bot-token: choose one way in")
    address = _address(server)
    if address is not None and test:
        raise click.UsageError("--test means Telegram's servers, --server one of your own")
    known = accounts.Account(*_api(api_id, api_hash, address), server=address, test_mode=test)
    values = {
        "phone": phone,
        "code": code,
        "bot_token": bot_token,
        "first_name": first_name,
        "last_name": last_name,
        "password": os.environ.get(accounts.PASSWORD) or None,
    }
    if print_string:
        from radiogram.sessions import StringSession

        string = StringSession("")
        done = accounts.run(_sign_in(string, known, values, qr=qr))
        click.echo(f"Signed in as {done.name}.", err=True)
        click.echo(string.save())
        return
    path = accounts.chosen(account, session)
    accounts.prepare(path)
    passphrase = _passphrase() if encrypt else None
    work = _to_file(path, passphrase, known, values, qr=qr, is_new=not path.exists())
    done = accounts.run(work)
    if done.was_signed_in:
        click.echo(f"Signed in as {done.name} already; `radiogram logout` ends that.")
    else:
        click.echo(f"Signed in as {done.name}; the session is {path}.")


class _Done(NamedTuple):
    """How a login ended."""

    user: User
    was_signed_in: bool

    @property
    def name(self) -> str:
        user = self.user
        return f"{user.name} (@{user.username})" if user.username else user.name


async def _to_file(
    path: Path,
    passphrase: str | None,
    known: accounts.Account,
    values: dict[str, Any],
    *,
    qr: bool,
    is_new: bool,
) -> _Done:
    from radiogram import errors

    with accounts.open_session(path, passphrase) as session:
        try:
            done = await _sign_in(session, known, values, qr=qr)
        except errors.KeyUnknown as error:
            raise click.ClickException(
                f"{error}. If it is over, remove {path} and call `radiogram login` once more"
            ) from None
        finally:
            if is_new and not session.data.user_id:  # a key without an account is of no use
                accounts.discard(path)
    accounts.write(path, replace(known, user_id=done.user.id, name=done.name))
    return done


async def _sign_in(
    session: Any, known: accounts.Account, values: dict[str, Any], *, qr: bool
) -> _Done:
    client = accounts.client_of(known, session)
    async with client:
        if await client.is_authorized():
            return _Done(await client.get_me(), was_signed_in=True)
        if qr:
            user = await _scan(client, values["password"])
        else:
            user = await client.start(**values)
        accounts.write_tokens(client.future_auth_tokens)
        return _Done(user, was_signed_in=False)


async def _scan(client: TelegramClient, password: str | None) -> User:
    async with client.qr_login(password=password, show=show_code) as login:
        return await login.wait()


def show_code(url: str) -> None:
    """Draw the QR code of a link on the terminal."""
    import sys

    import segno

    click.echo("Scan this with the Telegram app: Settings, Devices, Link Desktop Device.", err=True)
    segno.make(url, error="l", micro=False).terminal(out=sys.stderr, compact=True)


def _address(file: Any) -> ServerAddress | None:
    if file is None:
        return None
    from radiogram import errors
    from radiogram.client.datacenters import ServerAddress

    try:
        return ServerAddress.from_json(file.readline())
    except errors.ClientError as error:
        raise click.BadParameter(str(error), param_hint="--server") from None


def _api(
    api_id: int | None, api_hash: str | None, address: ServerAddress | None
) -> tuple[int, str]:
    if address is not None:  # Radiogram's server takes any
        return api_id or 1, api_hash or "none"
    if not api_id or not api_hash:
        raise click.UsageError(
            "--api-id and --api-hash are needed: get your own at https://my.telegram.org, and keep "
            "them in the variables RADIOGRAM_API_ID and RADIOGRAM_API_HASH"
        )
    return api_id, api_hash


def _passphrase() -> str:
    given = os.environ.get(accounts.PASSPHRASE)
    if given:
        return given
    value: str = click.prompt(
        "Passphrase of the session", hide_input=True, confirmation_prompt=True, err=True
    )
    return value
