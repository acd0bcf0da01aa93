"""``radiogram login``, ``logout``, ``sessions``: what they write, and that no secret is shown."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import pytest
import segno
from click.testing import CliRunner, Result
from msgspec.structs import replace

from radiogram import api
from radiogram.cli import accounts, cli, login
from radiogram.client.datacenters import ServerAddress
from radiogram.crypto.keys import AuthKey
from radiogram.sessions import SqliteSession, StringSession
from radiogram.testing.server import TelegramServer
from tests.client.test_asking import type_in

PHONE, CODE = "+9996620001", "22222"
PASSWORD = "correct horse battery"
API_HASH = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the commands a folder of their own, and no settings of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("RADIOGRAM_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "radiogram" / "accounts"


@pytest.fixture
def address(telegram_server: TelegramServer, tmp_path: Path) -> str:
    """Write the line that ``radiogram serve --json`` prints; gives the file."""
    path = tmp_path / "server.json"
    path.write_text(telegram_server.to_json(), "utf-8")
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


def sign_in(address: str, *more: str) -> Result:
    return run("login", "--server", address, "--phone", PHONE, "--code", CODE, *more)


def secrets_of(home: Path) -> Iterator[str]:
    """List everything that the files know and no output may tell, in the usual spellings."""
    for path in home.glob("*.session"):
        with SqliteSession(path) as session:
            key = session.data.auth_key
        copy = StringSession("")
        copy.data = session.data
        yield from (key.hex(), key.hex()[:32], repr(key)[2:40], copy.save())
        yield base64.b64encode(key).decode()[:32]
        yield base64.urlsafe_b64encode(key).decode()[:32]
        yield AuthKey(key).aux_hash.hex()
    for token in accounts.read_tokens():
        yield from (token.hex(), base64.b64encode(token).decode())


def check_silent(home: Path, *results: Result, also: tuple[str, ...] = ()) -> None:
    told = "".join(result.output + str(result.exception or "") for result in results)
    for secret in (*secrets_of(home), API_HASH, PASSWORD, *also):
        assert secret not in told


# ── login ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_session_is_written_and_used(
    telegram_server: TelegramServer, address: str, home: Path
) -> None:
    telegram_server.make_user("Anna", phone=PHONE)
    first = sign_in(address, "--api-hash", API_HASH)
    assert first.exit_code == 0, first.output
    assert first.output == f"Signed in as Anna; the session is {home / 'default.session'}.\n"
    again = sign_in(address)
    assert again.output == "Signed in as Anna already; `radiogram logout` ends that.\n"
    listed = run("accounts")
    assert re.fullmatch(r"default\tAnna\t127\.0\.0\.1:\d+\n", listed.output)
    shown = run("sessions", "--json")
    (one,) = map(json.loads, shown.output.splitlines())
    assert one["current"]
    table = run("sessions")
    assert "this one" in table.output
    check_silent(home, first, again, listed, shown, table)


@pytest.mark.slow
def test_files_are_for_their_owner(
    telegram_server: TelegramServer, address: str, home: Path
) -> None:
    telegram_server.make_user("Anna", phone=PHONE)
    sign_in(address, "--account", "work")
    assert sorted(path.name for path in home.iterdir() if path.suffix != ".lock") == [
        "work.json", "work.session",
    ]  # fmt: skip
    for path in home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    known = accounts.read(accounts.session_path("work"))
    assert (known.name, known.api_id, known.server is not None) == ("Anna", 1, True)
    assert known.where.startswith("127.0.0.1:")
    assert accounts.names() == ["work"]


@pytest.mark.slow
def test_a_string_is_printed_when_asked_for_and_nothing_written(
    telegram_server: TelegramServer, address: str, home: Path
) -> None:
    account = telegram_server.make_user("Anna", phone=PHONE)
    result = sign_in(address, "--print-string")
    assert result.stderr == "Signed in as Anna.\n"
    string = result.stdout.strip()
    assert StringSession(string).data.user_id == account.id
    assert not home.exists()


@pytest.mark.slow
def test_a_new_number_and_a_file_of_ones_own(
    telegram_server: TelegramServer, address: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine"
    result = sign_in(address, "--session", str(path), "--first-name", "Anna", "--last-name", "Bee")
    assert result.output == f"Signed in as Anna Bee; the session is {path}.session.\n"
    gone = run("logout", "--session", str(path))
    assert gone.output == f"Signed out Anna Bee; {path}.session was removed.\n"
    assert [one.name for one in tmp_path.iterdir()] == ["server.json"]


@pytest.mark.slow
def test_a_bot_signs_in_by_a_variable(
    telegram_server: TelegramServer, address: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = telegram_server.make_bot("Helper", username="helper_bot")
    monkeypatch.setenv("RADIOGRAM_BOT_TOKEN", bot.token)
    result = run("login", "--server", address)
    assert result.output.startswith("Signed in as Helper (@helper_bot);")
    check_silent(home, result, also=(bot.token,))


@pytest.mark.slow
@pytest.mark.parametrize("given", ["variable", "terminal"])
def test_a_password_is_never_shown(
    telegram_server: TelegramServer,
    address: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: str,
) -> None:
    account = telegram_server.make_user("Anna", phone=PHONE)
    telegram_server.world.set_password(account.id, PASSWORD, hint="a comic")
    refused = sign_in(address)
    assert refused.exit_code == 1
    assert "the password (RADIOGRAM_PASSWORD) is needed" in refused.output
    if given == "variable":
        monkeypatch.setenv("RADIOGRAM_PASSWORD", PASSWORD)
        result = sign_in(address)
    else:
        asked: list[str] = []
        with monkeypatch.context() as patch:
            # Not by CliRunner, which takes the terminal away: the command's own function.
            asked = type_in(patch, "wrong", PASSWORD)
            login.login.main(
                ["--server", address, "--phone", PHONE, "--code", CODE], standalone_mode=False
            )
        assert asked[0] == "(hidden) Password of two-step verification (hint: a comic): "
        result = sign_in(address)
    assert "Signed in as Anna" in result.output
    check_silent(home, refused, result)


@pytest.mark.slow
def test_a_session_can_be_encrypted(
    telegram_server: TelegramServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    telegram_server.make_user("Anna", phone=PHONE)
    arguments = ["login", "--server", address, "--phone", PHONE, "--code", CODE, "--encrypt"]
    result = CliRunner().invoke(cli, arguments, input="open sesame\nopen sesame\n")
    assert result.exit_code == 0, result.output
    assert "open sesame" not in result.output
    locked = run("sessions")
    assert locked.exit_code == 1
    assert "passphrase" in locked.output
    monkeypatch.setenv("RADIOGRAM_PASSPHRASE", "open sesame")
    assert "this one" in run("sessions").output


@pytest.mark.slow
def test_an_interrupt_ends_the_question_for_a_passphrase(home: Path) -> None:
    """The session is opened within an event loop, which keeps interrupts for itself."""
    pty = pytest.importorskip("pty")
    path = accounts.session_path("work")
    accounts.write(path, accounts.Account(1, API_HASH, name="Anna"))
    SqliteSession(path, passphrase=PASSWORD).close()
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "radiogram", "sessions", "--account=work"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        told = b""
        while b"Passphrase of" not in told:
            told += os.read(ours, 1000)
        process.send_signal(signal.SIGINT)
        with suppress(OSError):  # how a terminal ends on Linux
            while piece := os.read(ours, 1000):
                told += piece
        assert process.wait(10) != 0
    os.close(ours)
    assert b"Abort" in told
    assert b"Traceback" not in told


@pytest.mark.slow
def test_a_qr_code_is_drawn(
    telegram_server: TelegramServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = telegram_server.make_user("Anna", phone=PHONE)
    drawn: list[str] = []

    def scan(url: str) -> None:
        from radiogram.client.qr import read_token

        drawn.append(url)
        telegram_server.call(account, api.auth.AcceptLoginToken(token=read_token(url)))

    monkeypatch.setattr(login, "show_code", scan)
    result = run("login", "--server", address, "--qr")
    assert result.output.startswith("Signed in as Anna;")
    assert len(drawn) == 1
    assert drawn[0] not in result.output


def test_what_is_drawn_is_the_link(capsys: pytest.CaptureFixture[str]) -> None:
    url = "tg://login?token=dG9rZW4"
    login.show_code(url)
    told = capsys.readouterr()
    assert told.out == ""
    assert url not in told.err
    assert len(told.err.splitlines()) > 1 + len(segno.make(url, error="l").matrix) // 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "--api-id and --api-hash are needed"),
        (["--api-id", "1"], "--api-id and --api-hash are needed"),
        (["--qr", "--phone", PHONE], "choose one way in"),
        (["--api-id", "1", "--api-hash", "x", "--account", "../a"], "an account's name is"),
        (["--server", "{nonsense}"], "--server"),
        (["--server", "{address}", "--test"], "--test means Telegram's servers"),
        (["--server", "{address}"], "--phone is needed, and there is no terminal to ask on"),
        (["--server", "{address}", "--phone", PHONE], "--code is needed"),
        (["--server", "{address}", "--phone", PHONE, "--code", CODE], "--first-name is needed"),
        (["--server", "{address}", "--phone", "+1"], "phone number"),
    ],
)
def test_what_is_missing_or_wrong_is_told(
    telegram_server: TelegramServer, address: str, tmp_path: Path, arguments: list[str], text: str
) -> None:
    nonsense = tmp_path / "nonsense.json"
    nonsense.write_text("{}", "utf-8")
    places = {"{address}": address, "{nonsense}": str(nonsense)}
    result = run("login", *(places.get(one, one) for one in arguments))
    assert result.exit_code in {1, 2}
    assert text in result.output
    assert "Traceback" not in result.output


# ── logout and sessions ──────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_login_that_fails_leaves_no_session(
    telegram_server: TelegramServer, address: str, home: Path
) -> None:
    telegram_server.make_user("Anna", phone=PHONE)
    telegram_server.faults.error("auth.exportLoginToken", 400, "API_ID_INVALID")
    for options in (("--phone", PHONE, "--code", "11111"), ("--phone", PHONE), ("--qr",)):
        failed = run("login", "--server", address, *options)
        assert failed.exit_code == 1
        assert not [path for path in home.iterdir() if path.suffix != ".lock"], options
    assert sign_in(address).exit_code == 0


@pytest.mark.slow
def test_a_session_that_the_server_does_not_know_stays_and_is_named(
    telegram_server: TelegramServer, address: str, home: Path
) -> None:
    """Nobody but its owner can tell whether it was deleted or belongs to another server."""
    telegram_server.make_user("Anna", phone=PHONE)
    sign_in(address)
    path = home / "default.session"
    with SqliteSession(path) as session:
        data = session.data
        session.data = replace(data, auth_key=data.auth_key[::-1])
    failed = sign_in(address)
    assert failed.exit_code == 1
    assert "does not know this session's key" in failed.output
    assert f"remove {path} and call `radiogram login` once more" in failed.output
    assert path.exists()
    check_silent(home, failed)


@pytest.mark.slow
def test_after_a_logout_no_code_is_needed(
    telegram_server: TelegramServer, address: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = telegram_server.make_user("Anna", phone=PHONE)
    telegram_server.world.set_password(account.id, PASSWORD)
    monkeypatch.setenv("RADIOGRAM_PASSWORD", PASSWORD)
    sign_in(address)
    out = run("logout")
    assert out.output == f"Signed out Anna; {home / 'default.session'} was removed.\n"
    tokens = home / "tokens.json"
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    assert len(accounts.read_tokens()) == 1
    assert accounts.names() == []
    again = run("login", "--server", address, "--phone", PHONE)
    assert again.output.startswith("Signed in as Anna;"), again.output
    check_silent(home, out, again)


@pytest.mark.slow
def test_sessions_are_ended(telegram_server: TelegramServer, address: str) -> None:
    telegram_server.make_user("Anna", phone=PHONE)
    for name in ("one", "two", "three"):
        sign_in(address, "--account", name)
    lines = run("sessions", "--account", "one", "--json").output.splitlines()
    others = [one["id"] for one in map(json.loads, lines) if not one["current"]]
    assert len(others) == 2
    left = run("sessions", "--account", "one", "--json", "--end", str(others[0]))
    assert len(left.output.splitlines()) == 2
    unknown = run("sessions", "--account", "one", "--end", "77")
    assert unknown.exit_code == 1
    assert "There is no session with this hash" in unknown.output
    assert (
        len(run("sessions", "--account", "one", "--json", "--end-others").output.splitlines()) == 1
    )
    over = run("logout", "--account", "two")
    assert over.exit_code == 0
    assert over.output.startswith("The session was over already;")
    assert accounts.names() == ["one", "three"]


@pytest.mark.slow
def test_a_login_that_lacks_its_password_is_marked(
    telegram_server: TelegramServer, address: str
) -> None:
    account = telegram_server.make_user("Anna", phone=PHONE)
    sign_in(address)
    telegram_server.world.set_password(account.id, PASSWORD)
    assert "password (RADIOGRAM_PASSWORD) is needed" in sign_in(address, "--account", "two").output
    told = [json.loads(line) for line in run("sessions", "--json").output.splitlines()]
    assert sorted(one["needs_password"] for one in told) == [False, True]
    assert "password" in run("sessions").output


@pytest.mark.parametrize("command", ["logout", "sessions"])
def test_an_account_that_is_not_there_is_named(command: str) -> None:
    result = run(command, "--account", "nobody")
    assert result.exit_code == 1
    assert "nobody is signed in as 'nobody' (known accounts: none)" in result.output


# ── the folder ───────────────────────────────────────────────────────────────────────────────────


def test_an_account_that_cannot_be_read_hides_no_other(home: Path) -> None:
    for name in ("one", "three"):
        accounts.write(accounts.session_path(name), accounts.Account(1, API_HASH, name="Anna"))
    (home / "two.json").write_text("{", "utf-8")
    result = run("accounts")
    assert result.exit_code == 1
    assert result.stdout == "one\tAnna\tTelegram\nthree\tAnna\tTelegram\n"
    assert re.match(r"Error: two: .*two\.json cannot be read .*`radiogram login`", result.stderr)


def test_without_accounts_the_list_says_so(home: Path) -> None:
    result = run("accounts")
    assert result.stdout == ""
    assert str(home) in result.stderr


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"RADIOGRAM_HOME": "/a", "XDG_CONFIG_HOME": "/b"}, "/a/accounts"),
        ({"XDG_CONFIG_HOME": "/b"}, "/b/radiogram/accounts"),
        ({"XDG_CONFIG_HOME": "", "HOME": "/c"}, "/c/.config/radiogram/accounts"),
    ],
)
def test_where_accounts_are(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, Any], place: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert accounts.folder() == Path(place)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "x" * 65, "é"])
def test_names_that_are_no_file_names_are_refused(name: str) -> None:
    with pytest.raises(click.BadParameter):
        accounts.session_path(name)


def test_what_is_known_of_an_account_survives(home: Path) -> None:
    path = accounts.session_path("work")
    for known, where in [
        (accounts.Account(1, API_HASH), "Telegram"),
        (accounts.Account(1, API_HASH, test_mode=True), "Telegram, test servers"),
        (accounts.Account(1, API_HASH, server=ServerAddress("h", 1, 2, "pem")), "h:1"),
    ]:
        accounts.write(path, known)
        assert accounts.read(path) == known
        assert known.where == where
    path.with_suffix(".json").write_text("{}", "utf-8")
    with pytest.raises(click.ClickException, match="sign in again"):
        accounts.read(path)
    assert [one.name for one in home.iterdir()] == ["work.json"], "no draft is left"


def test_a_folder_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADIOGRAM_HOME", os.devnull)
    with pytest.raises(click.ClickException, match="cannot be made"):
        accounts.write(accounts.session_path("work"), accounts.Account(1, ""))
