"""The command ``radiogram session``: look at sessions, convert them, rescue damaged ones.

Top layer. Knows the options and what is told; sessions are read and written by the client's part.
Keys and session strings are shown only where an option asks for them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from radiogram.sessions import SessionCopy

FORMATS = ("radiogram", "telethon", "pyrogram", "kurigram", "gramjs", "teleproto", "mtcute")
MIN_TEXT = 256
"""Characters: a key alone has more, however it is written; only Radiogram's own may have none."""
MAX_TEXT = 1 << 24


@click.group()
def session() -> None:
    """Look at sessions, convert them, rescue damaged ones.

    SOURCE is a file of Radiogram, Telethon, Pyrogram or Kurigram, a file with a session string in
    it, a session string itself, or - for a session string from the standard input. Of a string on
    the command line, other users of the machine and the shell's history learn: a file is better.
    """


_source = click.argument("source")
_passphrase = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File whose first line is the passphrase of SOURCE; asked for on the terminal otherwise.",
)


@session.command()
@_source
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
@click.option("--secret", is_flag=True, help="Show the session string, too: it is the account.")
@_passphrase
def show(source: str, as_json: bool, secret: bool, passphrase_file: Path | None) -> None:
    """Tell what a session holds, without its secrets."""
    copy = _read(source, passphrase_file)
    facts = _facts(copy)
    if secret:
        with _told():
            facts["string"] = copy.text()
    if as_json:
        import json

        click.echo(json.dumps(facts))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):{width}}  {_words(value)}")


@session.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@_passphrase
def check(sources: tuple[str, ...], passphrase_file: Path | None) -> None:
    """Say whether sessions are whole; exit with 1 if one is not. Nothing is changed."""
    wrong = 0
    for source in sources:
        name = source if _is_file(source) else "session string"
        try:
            copy = _read(source, passphrase_file)
        except click.ClickException as error:
            wrong += 1
            click.echo(f"{name}: {error.message}", err=True)
            continue
        key = "with a key" if copy.data.auth_key else "without a key yet"
        click.echo(f"{name}: whole, of {copy.format}, {key}")
    sys.exit(1 if wrong else 0)


@session.command()
@_source
@click.option(
    "--to", "format_", type=click.Choice(FORMATS), required=True, help="Whose session to write."
)
@click.option("--file", type=click.Path(path_type=Path), help="Write a new SQLite file.")
@click.option("--text", type=click.Path(path_type=Path), help="Write the string to a new file.")
@click.option("--print", "print_", is_flag=True, help="Show the session string: it is the account.")
@click.option("--encrypt", is_flag=True, help="Encrypt (radiogram only); asks for a passphrase.")
@click.option(
    "--new-passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File whose first line is the passphrase to encrypt with.",
)
@click.option("--user-id", type=int, default=0, help="Whose session it is, if it does not say so.")
@click.option("--bot", is_flag=True, help="With --user-id: that account is a bot.")
@click.option("--api-id", type=int, default=0, help="The api_id to note in it (Pyrogram).")
@_passphrase
def convert(
    source: str,
    format_: str,
    file: Path | None,
    text: Path | None,
    print_: bool,
    encrypt: bool,
    new_passphrase_file: Path | None,
    user_id: int,
    bot: bool,
    api_id: int,
    passphrase_file: Path | None,
) -> None:
    """Write a session as another library's, or encrypt it. SOURCE stays as it is."""
    if [file is not None, text is not None, print_].count(True) != 1:
        raise click.UsageError("give one of --file, --text and --print: where the session goes")
    copy = _read(source, passphrase_file).known_as(user_id, is_bot=bot, api_id=api_id)
    passphrase = None
    if new_passphrase_file is not None:
        passphrase = _first_line(new_passphrase_file)
    elif encrypt:
        passphrase = _ask("New passphrase", confirm=True)
    with _told():
        if file is not None:
            where = str(copy.save(file, format_, passphrase=passphrase))
        else:
            line = copy.text(format_, passphrase=passphrase)
            where = _written(line, text)
        for loss in copy.losses(format_, file=file is not None):
            click.echo(f"not in it: {loss}", err=True)
    if where:
        who = "it" if passphrase is None else "it and the passphrase"
        click.echo(f"{where}: a session of {format_}; whoever has {who} has the account")


@session.command()
@click.argument("damaged", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@_passphrase
def recover(damaged: Path, new: Path, passphrase_file: Path | None) -> None:
    """Write what can be read of a damaged file of Radiogram's into a new one."""
    from radiogram.errors import WrongPassphrase
    from radiogram.sessions import SessionCopy

    passphrase = None if passphrase_file is None else _first_line(passphrase_file)
    with _told():
        try:
            copy, lost = SessionCopy.rescue(damaged, passphrase=passphrase)
        except WrongPassphrase:
            if passphrase is not None:
                raise
            passphrase = _ask("Passphrase")
            copy, lost = SessionCopy.rescue(damaged, passphrase=passphrase)
        where = copy.save(new, passphrase=passphrase)
    for sentence in lost:
        click.echo(f"lost: {sentence}", err=True)
    click.echo(f"{where}: the key and {len(copy.peers)} peers; {damaged} is as it was")


# ── what the commands share ──────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _told() -> Iterator[None]:
    from radiogram.errors import RadiogramError

    try:
        yield
    except RadiogramError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None


def _read(source: str, passphrase_file: Path | None) -> SessionCopy:
    """Read a session; ask for the passphrase if it has one and nobody gave it."""
    from radiogram.errors import WrongPassphrase
    from radiogram.sessions import SessionCopy

    given: str | Path = source
    is_text = source.startswith(("rg1.", "rge1.")) or len(source) >= MIN_TEXT
    if source != "-" and not is_text and not _is_file(source):
        raise click.ClickException(
            f"there is no file {source}, and a session string is longer; check the name, or give a "
            "file that has the string"
        )
    if source == "-":
        given = sys.stdin.read(MAX_TEXT)
    passphrase = None if passphrase_file is None else _first_line(passphrase_file)
    with _told():
        try:
            return SessionCopy.read(given, passphrase=passphrase)
        except WrongPassphrase:
            if passphrase is not None:
                raise
            return SessionCopy.read(given, passphrase=_ask("Passphrase"))


def _ask(what: str, *, confirm: bool = False) -> str:
    if not sys.stdin.isatty():
        raise click.ClickException(
            "a passphrase is needed, and there is no terminal to ask on; give a file that has it "
            "(--passphrase-file, --new-passphrase-file)"
        )
    value: str = click.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True)
    return value


def _first_line(path: Path) -> str:
    return path.read_text("utf-8").partition("\n")[0].rstrip("\r")


def _is_file(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):
        return False


def _written(line: str, path: Path | None) -> str:
    """Show a string, or write it into a new file that only its owner reads."""
    if path is None:
        click.echo(line)
        return ""
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{path} exists already, and is not overwritten") from None
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(line + "\n")
    return str(path)


def _facts(copy: SessionCopy) -> dict[str, object]:
    data = copy.data
    facts: dict[str, object] = {
        "format": copy.format,
        "data_centre": data.dc_id,
        "address": f"{data.host}:{data.port}" if data.host else None,
        "test_mode": data.test_mode,
        "key": _fingerprint(data.auth_key),
        "user_id": data.user_id or None,
        "is_bot": data.is_bot if data.user_id else None,
        "peers": len(copy.peers),
        "channels": len(copy.channels),
        "pts": copy.state.pts if copy.state is not None else None,
    }
    if copy.api_id:
        facts["api_id"] = copy.api_id
    return facts


def _fingerprint(key: bytes) -> str | None:
    """Return the number of a key, which every packet shows; it tells two sessions apart."""
    if not key:
        return None
    from radiogram.crypto.keys import AuthKey

    try:
        return AuthKey(key).key_id.hex()
    except ValueError as error:
        raise click.ClickException(
            f"the key in this session cannot be used ({error}); sign in again with a new session"
        ) from None


def _words(value: object) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
