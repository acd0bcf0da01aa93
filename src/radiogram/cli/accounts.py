"""The accounts that are signed in on this machine, for all commands that act as one of them.

Top layer. Knows where their files are and what is in them. Must not know what commands do.

``$XDG_CONFIG_HOME/radiogram/accounts`` (``~/.config`` without that variable; ``$RADIOGRAM_HOME``
goes before both) has for each account ``NAME.session``, which lets its reader in, and
``NAME.json``, which tells how to get there. Both can be read by their owner only.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from radiogram import errors
from radiogram.client.asking import has_terminal
from radiogram.client.datacenters import ServerAddress

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.sessions import Session, SqliteSession

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])

DEFAULT = "default"
PASSPHRASE = "RADIOGRAM_PASSPHRASE"  # noqa: S105 - the name of a variable, not a secret
"""Environment variable with the passphrase of encrypted sessions."""
PASSWORD = "RADIOGRAM_PASSWORD"  # noqa: S105 - the name of a variable, not a secret
"""Environment variable with the password of two-step verification."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}")
_TOKENS = "tokens"


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to get to an account; its session, a file of its own, is what lets one in."""

    api_id: int
    api_hash: str
    server: ServerAddress | None = None
    """A server of one's own; None for Telegram."""
    test_mode: bool = False
    user_id: int = 0
    name: str = ""
    """What the account calls itself, to show to people."""

    @property
    def where(self) -> str:
        """Name of the place for people."""
        if self.server is not None:
            return f"{self.server.host}:{self.server.port}"
        return "Telegram, test servers" if self.test_mode else "Telegram"


class Tokens(msgspec.Struct, frozen=True):
    """What log-outs have left: each lets its account in once without a code."""

    tokens: tuple[bytes, ...] = ()


def folder() -> Path:
    """Return the folder of the accounts, which need not exist."""
    own = os.environ.get("RADIOGRAM_HOME")
    if own:
        return Path(own, "accounts")
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config, "radiogram", "accounts")


def check_name(name: str) -> str:
    """Return the name of an account, or refuse it. Raises click.BadParameter."""
    if not _NAME.fullmatch(name):
        raise click.BadParameter(
            f"an account's name is up to 64 letters, digits and _ . @ + -, not {name!r}"
        )
    return name


def session_path(name: str) -> Path:
    """Return the path of an account's session."""
    return folder() / f"{check_name(name)}.session"


def names() -> list[str]:
    """List the accounts of this machine."""
    return sorted(path.stem for path in folder().glob("*.json") if path.stem != _TOKENS)


def write(path: Path, account: Account) -> None:
    """Keep what is known of the account whose session is at `path`."""
    _write(path.with_suffix(".json"), account)


def read(path: Path) -> Account:
    """Return what is known of the account whose session is at `path`. Raises ClickException."""
    try:
        return msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Account)
    except FileNotFoundError:
        known = ", ".join(names()) or "none"
        raise click.ClickException(
            f"nobody is signed in as {path.stem!r} (known accounts: {known}); sign in with "
            "`radiogram login`"
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise click.ClickException(
            f"{path.with_suffix('.json')} cannot be read ({error}); sign in again with "
            "`radiogram login`"
        ) from None


def forget(path: Path) -> None:
    """Remove the files of an account whose session is over."""
    path.with_suffix(".json").unlink(missing_ok=True)
    for ending in ("", "-wal", "-shm", ".lock"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Remove a session that this process still has, so that nobody can take it meanwhile."""
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):  # Windows lets nobody remove an open file: it stays
            path.with_name(path.name + ending).unlink()


def read_tokens() -> tuple[bytes, ...]:
    """Return the tokens that log-outs have left on this machine."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((folder() / f"{_TOKENS}.json").read_bytes(), type=Tokens).tokens
    return ()


def write_tokens(tokens: tuple[bytes, ...]) -> None:
    """Keep the tokens that are good by now."""
    if tokens or read_tokens():
        _write(folder() / f"{_TOKENS}.json", Tokens(tokens))


def _write(path: Path, value: msgspec.Struct) -> None:
    """Write a file that its owner alone can read; whole, or not at all."""
    prepare(path)
    try:
        fd, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # 0600 from the start
        with os.fdopen(fd, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(value)) + b"\n")
        Path(name).replace(path)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written ({error.strerror})") from None


def prepare(path: Path) -> None:
    """Make the folder of a file, for its owner alone. Raises ClickException."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(
            f"the folder {path.parent} cannot be made ({error.strerror})"
        ) from None


# ── what commands have in common ─────────────────────────────────────────────────────────────────


def options(command: C) -> C:
    """Give a command the options that say as whom it acts."""
    command = click.option(
        "--session",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File of the session, in place of an account's.",
    )(command)
    return click.option(
        "--account",
        metavar="NAME",
        default=DEFAULT,
        show_default=True,
        help="Account to act as: the name that it has on this machine.",
    )(command)


def chosen(account: str, session: Path | None) -> Path:
    """Return the path of the session that the options name."""
    if session is None:
        return session_path(account)
    return session if session.suffix else session.with_suffix(".session")


@contextlib.contextmanager
def open_session(path: Path, passphrase: str | None = None) -> Iterator[SqliteSession]:
    """Open a session; its passphrase is taken from the environment, or asked for."""
    from radiogram.sessions import SqliteSession

    passphrase = passphrase or os.environ.get(PASSPHRASE) or None
    try:
        session = SqliteSession(path, passphrase=passphrase)
    except errors.WrongPassphrase:
        if passphrase is not None or not has_terminal():
            raise
        session = SqliteSession(path, passphrase=_ask(f"Passphrase of {path}"))
    with session:
        yield session


def _ask(prompt: str) -> str:
    """Ask for a secret on the terminal, within an event loop that has nothing else to do yet.

    The loop takes Ctrl-C as a wish to end its task, which cannot hear it while it reads.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        asked: str = click.prompt(prompt, hide_input=True, err=True)
    finally:
        signal.signal(signal.SIGINT, before)
    return asked


def client_of(account: Account, session: Session) -> TelegramClient:
    """Return the client of an account, not connected yet."""
    from radiogram.client.client import TelegramClient

    return TelegramClient(
        session,
        account.api_id,
        account.api_hash,
        server=account.server,
        test_mode=account.test_mode,
        future_auth_tokens=read_tokens(),
    )


@contextlib.asynccontextmanager
async def acting_as(path: Path) -> AsyncIterator[TelegramClient]:
    """Connect as the account whose session is at `path`."""
    account = read(path)
    with open_session(path) as session:
        client = client_of(account, session)
        try:
            await client.connect()
            yield client
        finally:
            await client.disconnect()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; what goes wrong becomes a sentence. Raises ClickException."""
    try:
        return asyncio.run(work)
    except errors.AnswerMissing as error:
        option = "--" + error.argument.rpartition("(")[2].strip("=)").replace("_", "-")
        if option == "--password":
            option = f"the password ({PASSWORD})"
        raise click.ClickException(f"{option} is needed, and {error.reason}") from None
    except errors.RadiogramError as error:
        raise click.ClickException(str(error)) from None


@click.command()
def accounts() -> None:
    """List the accounts that are signed in on this machine."""
    wrong = False
    for name in names():
        try:
            known = read(session_path(name))
        except click.ClickException as error:  # the others are to be seen all the same
            wrong = True
            click.echo(f"Error: {name}: {error.message}", err=True)
        else:
            click.echo(f"{name}\t{known.name}\t{known.where}")
    if not names():
        click.echo(f"There are none in {folder()}; `radiogram login` makes one.", err=True)
    if wrong:
        raise click.exceptions.Exit(1)
