"""The command ``radiogram session``: what it tells, what it writes, and what it keeps to itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from radiogram.cli import cli
from radiogram.client.sessions import sealing
from radiogram.sessions import PeerRecord, SessionCopy, SessionData, SqliteSession, State

KEY = bytes(range(256))
COPY = SessionCopy(
    data=SessionData(
        dc_id=2, host="149.154.167.51", port=443, auth_key=KEY, user_id=5, is_bot=True
    ),
    peers=tuple(PeerRecord(number, -number, (f"name{number}",)) for number in range(1, 900)),
    state=State(7, 8, 9, 10),
    channels={77: 5},
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scrypt cost next to nothing."""
    monkeypatch.setattr(sealing, "_COST", (4, 8, 1))


def run(*arguments: object, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, ["session", *map(str, arguments)], input=stdin)


def secrets() -> list[str]:
    return [COPY.text(name)[10:60] for name in ("radiogram", "telethon", "mtcute")] + [KEY.hex()]


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, command: str) -> None:
    for name in (tmp_path / "nobody.session", tmp_path):
        result = run(command, name)
        assert result.exit_code == 1
        assert f"there is no file {name}, and a session string is longer" in result.output


def test_show_tells_no_secrets_unless_asked(tmp_path: Path) -> None:
    path = COPY.save(tmp_path / "a")
    plain, as_json = run("show", path), run("show", "--json", path)
    assert plain.exit_code == as_json.exit_code == 0
    assert "149.154.167.51:443" in plain.output
    assert json.loads(as_json.output) == {
        "format": "radiogram",
        "data_centre": 2,
        "address": "149.154.167.51:443",
        "test_mode": False,
        "key": "32d1586ea457dfc8",
        "user_id": 5,
        "is_bot": True,
        "peers": 899,
        "channels": 1,
        "pts": 7,
    }
    for result in (plain, as_json):
        assert not any(secret in result.output for secret in secrets())
    assert COPY.text() in run("show", "--secret", path).output


def test_a_string_from_the_standard_input() -> None:
    shown = run("show", "-", stdin=COPY.text("gramjs") + "\n")
    assert shown.exit_code == 0
    assert "gramjs" in shown.output
    assert "user id      not known" in shown.output


def test_convert_needs_a_place_and_overwrites_none(tmp_path: Path) -> None:
    path = COPY.save(tmp_path / "a")
    assert run("convert", path, "--to", "telethon").exit_code == 2
    assert run("convert", path, "--to", "telethon", "--print", "--text", "x").exit_code == 2
    for option, name in [("--file", "b.session"), ("--text", "b.txt")]:
        target = tmp_path / name
        done = run("convert", path, "--to", "telethon", option, target)
        assert done.exit_code == 0, done.output
        assert not any(secret in done.output for secret in secrets())
        assert target.stat().st_mode & 0o777 == 0o600
        assert SessionCopy.read(target).format == "telethon"
        content = target.read_bytes()
        again = run("convert", path, "--to", "telethon", option, target)
        assert again.exit_code == 1
        assert "not overwritten" in again.output
        assert target.read_bytes() == content
    shown = run("convert", path, "--to", "mtcute", "--print")
    assert COPY.text("mtcute") in shown.output
    assert "not in it: 899 remembered peers" in shown.stderr


def test_what_pyrogram_needs_can_be_given() -> None:
    text = COPY.text("telethon")
    lacking = run("convert", "-", "--to", "pyrogram", "--print", stdin=text)
    assert "log in again" in lacking.stderr
    given = run(
        *("convert", "-", "--to", "pyrogram", "--print"),
        *("--user-id", 5, "--bot", "--api-id", 6),
        stdin=text,
    )
    assert "log in again" not in given.stderr
    copy = SessionCopy.read(given.stdout.strip())
    assert (copy.data.user_id, copy.data.is_bot, copy.api_id) == (5, True, 6)


def test_passphrases_come_from_files(tmp_path: Path) -> None:
    path = COPY.save(tmp_path / "a")
    word = tmp_path / "word"
    word.write_text("of many words\nand more\n", "utf-8")
    target = tmp_path / "b.session"
    done = run(
        *("convert", path, "--to", "radiogram", "--file", target, "--new-passphrase-file", word)
    )
    assert done.exit_code == 0, done.output
    with SqliteSession(target, passphrase="of many words") as session:
        assert session.data == COPY.data
    assert run("show", target, "--passphrase-file", word).exit_code == 0
    asked = run("show", target)
    assert asked.exit_code == 1
    assert "--passphrase-file" in asked.output
    word.write_text("another", "utf-8")
    wrong = run("show", target, "--passphrase-file", word)
    assert wrong.exit_code == 1
    assert "not with this passphrase" in wrong.output


def test_check_says_which_are_whole(tmp_path: Path) -> None:
    good = COPY.save(tmp_path / "good")
    foreign = COPY.save(tmp_path / "foreign", "kurigram")
    bad = tmp_path / "bad.session"
    bad.write_bytes(good.read_bytes()[:9000])
    done = run("check", good, foreign)
    assert done.exit_code == 0
    assert f"{foreign}: whole, of kurigram, with a key" in done.output
    done = run("check", good, bad, "rg1.broken")
    assert done.exit_code == 1
    assert f"{good}: whole" in done.output
    assert "was cut off at 9000 bytes" in done.output
    assert "session string: " in done.output
    assert bad.read_bytes() == good.read_bytes()[:9000]
    with SqliteSession(good):
        used = run("check", good)
    assert used.exit_code == 1
    assert "is used by process" in used.output


@pytest.mark.parametrize("encrypted", [False, True])
def test_recover_saves_the_key_of_a_damaged_file(tmp_path: Path, encrypted: bool) -> None:
    passphrase = "of many words" if encrypted else None
    word = tmp_path / "word"
    word.write_text("of many words", "utf-8")
    options = ["--passphrase-file", word] if encrypted else []
    path = COPY.save(tmp_path / "a", passphrase=passphrase)
    content = path.read_bytes()
    rescued = 0
    for page in range(3, len(content) // 4096):
        damaged = content[: 4096 * page] + b"\xff" * 4096 + content[4096 * (page + 1) :]
        path.write_bytes(damaged)
        new = tmp_path / f"new{page}.session"
        done = run("recover", path, new, *options)
        assert path.read_bytes() == damaged
        if done.exit_code:
            assert "key in" in done.output or "cannot be read" in done.output, done.output
            continue
        rescued += 1
        with SqliteSession(new, passphrase=passphrase) as session:
            assert session.data == COPY.data
            if len(session.peers) < len(COPY.peers):
                assert "lost: " in done.output
    assert rescued
    missing = run("recover", path, new, *options)
    assert missing.exit_code == 1
