"""The command line: what it says, and what it passes on."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from radiogram import __version__, api
from radiogram.cli import COMMANDS, cli


def run(*arguments: str, hide: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as if some modules were not installed."""
    code = (
        "import sys, runpy\n"
        f"for name in {hide!r}: sys.modules[name] = None\n"
        f"sys.argv = ['radiogram', *{arguments!r}]\n"
        "runpy.run_module('radiogram', run_name='__main__')\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_version_and_help() -> None:
    runner = CliRunner()
    assert runner.invoke(cli, ["--version"]).output == f"radiogram {__version__}\n"
    text = runner.invoke(cli, ["--help"]).output
    assert all(command in text for command in COMMANDS)
    told = runner.invoke(cli, ["version"]).output
    assert f"layer {api.LAYER}" in told


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_explains_itself(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert (command.help or "").startswith(COMMANDS[name])
    subcommands = command.commands.values() if isinstance(command, click.Group) else ()
    for one in (command, *subcommands):
        assert one.help
        for parameter in one.params:
            assert isinstance(parameter, click.Argument) or getattr(parameter, "help", None), (
                parameter.name
            )
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0


@pytest.mark.slow
def test_help_and_version_load_neither_client_nor_server() -> None:
    for option in ("--help", "--version"):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "radiogram", option],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        for heavy in ("asyncio", "sqlalchemy", "rich", "msgspec", "radiogram.tl"):
            assert heavy not in done.stderr, option


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "module", "extra"),
    [
        (["serve"], "sqlalchemy", "server"),
        (["demo"], "rich", "server"),
        (["docs", "--export", "site"], "jinja2", "docs"),
    ],
)
def test_what_is_not_installed_is_named_with_the_remedy(
    command: list[str], module: str, extra: str
) -> None:
    done = run(*command, hide=(module,))
    assert done.returncode == 2
    assert f"needs {module}" in done.stderr
    assert f"pip install 'radiogram[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_without_click_too() -> None:
    done = run("--version", hide=("click",))
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install" in done.stderr


def test_serve_passes_its_options_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from radiogram.server import serve

    told: dict[str, Any] = {}

    def fake(options: serve.Options) -> int:
        told.update(asdict(options))
        return 3

    monkeypatch.setattr(serve, "run", fake)
    world = tmp_path / "world.toml"
    world.write_text("")
    arguments = ["serve", "--host", "0.0.0.0", "--port", "0", "--database", "sqlite:///a.db"]
    arguments += ["--key", "k.pem", "--login-code", "777", "--world", str(world), "--dc-id", "4"]
    arguments += ["--dcs", "1,4"]
    arguments += ["--admin", "/run/socket", "--admin-token", "12345678"]
    arguments += ["--fault", "lose_updates", "--fault", "timeout:*"]
    result = CliRunner().invoke(cli, [*arguments, "--json"])
    assert result.exit_code == 3
    assert told == {
        "host": "0.0.0.0",
        "port": 0,
        "database": "sqlite:///a.db",
        "key": "k.pem",
        "login_code": "777",
        "world": str(world),
        "dc_id": 4,
        "dcs": "1,4",
        "mtproxy": None,
        "tls_cert": None,
        "tls_key": None,
        "faults": ("lose_updates", "timeout:*"),
        "admin": "/run/socket",
        "admin_token": "12345678",
        "as_json": True,
    }


@pytest.mark.parametrize(
    "arguments",
    [["serve", "--port", "70000"], ["serve", "--world", "nowhere.toml"], ["serve", "--dc-id", "0"],
     ["fly"], ["serve", "--quietly"]],
)  # fmt: skip
def test_nonsense_is_refused_with_a_sentence(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "Error: " in result.output
