"""The guides tell the truth: names exist, ours and the other libraries', and commands run."""

from __future__ import annotations

import ast
import builtins
import inspect
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pyrogram
import pyrogram.handlers
import pytest
import telethon
from click.testing import CliRunner
from telethon.tl import custom

import radiogram
from radiogram import api, errors, events, sessions, types
from radiogram.cli import COMMANDS, cli
from radiogram.cli.call import EXIT_CODES
from radiogram.client.conversation import Conversation
from radiogram.docs import guides
from radiogram.events import filters

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parents[2] / "docs"
GRAMJS = Path(__file__).parents[1] / "interop" / "gramjs" / "node_modules" / "telegram"
CELL = re.compile(r"`([^`]+)`")


def rows(page: str) -> Iterator[tuple[str, str]]:
    """Give the rows of a page's tables of two columns, but for their heads."""
    for table in re.findall(
        r"(?:^\|.*\n)+", (DOCS / f"{page}.md").read_text("utf-8"), re.MULTILINE
    ):
        for line in table.splitlines()[2:]:
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if len(cells) == 2:
                yield cells[0], cells[1]


def spans(page: str, column: int) -> list[str]:
    return [span for row in rows(page) for span in CELL.findall(row[column])]


# ── Python: names and keyword arguments ──────────────────────────────────────────────────────────


def tree_of(span: str) -> ast.AST:
    """Parse what stands between backticks; some are a line of more."""
    for shape in (
        "async def f():\n {}", "async def f():\n {}: pass", "async def f():\n f({})",
        "async def f():\n {}\n async def g(): pass", "async def f():\n try: pass\n {}: pass",
    ):  # fmt: skip
        try:
            return ast.parse(shape.format(span))
        except SyntaxError:
            continue
    raise AssertionError(f"this is no Python: {span}")


class Library:
    """What the names in a column stand for."""

    def __init__(self, objects: dict[str, object], free: str) -> None:
        self.objects = objects
        """What is looked into: modules, and classes for their instances."""
        self.free = set(free.split())
        """Names that stand for anything."""

    def check(self, span: str) -> int:
        """Check a span; give how many names in it were looked up."""
        looked = 0
        for node in ast.walk(tree_of(span)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                known = node.id in self.objects or hasattr(builtins, node.id)
                assert known or node.id in self.free, f"{span}: what is {node.id}?"
            elif isinstance(node, ast.Attribute):
                looked += self.find(node, span) is not None
            elif isinstance(node, ast.Call):
                self.call(node, span)
        return looked

    def find(self, node: ast.expr, span: str) -> object | None:
        """Give what an expression stands for; None for anything that is not looked into."""
        if ast.unparse(node) in self.objects:
            return self.objects[ast.unparse(node)]
        if not isinstance(node, ast.Attribute):
            return None
        owner = self.find(node.value, span)
        if owner is None or isinstance(owner, property):
            return None
        if owner is errors:
            assert node.attr in errors.known_errors() or node.attr in vars(errors), span
            return getattr(errors, node.attr, None)
        if inspect.isclass(owner) and not hasattr(owner, node.attr):
            assert node.attr in instance_names(owner), f"{span}: {owner!r} has no {node.attr}"
            return None
        assert hasattr(owner, node.attr), f"{span}: {owner!r} has no {node.attr}"
        return getattr(owner, node.attr)

    def call(self, node: ast.Call, span: str) -> None:
        """Check the names of arguments."""
        function = self.find(node.func, span)
        if function is None or inspect.ismodule(function) or isinstance(function, property):
            return
        if isinstance(node.func, ast.Name) and node.func.id in ("client", "app"):
            return
        names = {keyword.arg for keyword in node.keywords if keyword.arg}
        if inspect.isclass(function) and issubclass(function, api.InputPeerUser.__mro__[-2]):
            known = set(function.__struct_fields__)  # type: ignore[attr-defined]
        else:
            known = set(inspect.signature(function).parameters)  # type: ignore[arg-type]
        if function is events.Raw:
            known = {"types"}
        assert names <= known, f"{span}: {names - known}"


@cache
def instance_names(owner: type) -> set[str]:
    """Give attributes that instances have and the class does not."""
    found: set[str] = set()
    for one in owner.__mro__:
        found |= set(getattr(one, "__annotations__", ()))
        try:
            source = inspect.getsource(one)
        except (OSError, TypeError):
            continue
        found |= set(re.findall(r"self\.(\w+)(?::[^=\n]+)? = ", source))
    return found


OURS = Library(
    {
        "TelegramClient": radiogram.TelegramClient,
        "ClientPool": radiogram.ClientPool,
        "client": radiogram.TelegramClient,
        "other": radiogram.TelegramClient,
        "api": api,
        "errors": errors,
        "events": events,
        "filters": filters,
        "types": types,
        **{name: getattr(sessions, name) for name in sessions.__all__},
        "event": events.NewMessageEvent,
        "event.message": types.Message,
        "message": types.Message,
        "talk": Conversation,
        "error": errors.RpcError,
    },
    "f session text api_id api_hash phone password code token chat user users id ids a b m topic "
    "date markup from_chat forbidden title description login first second asyncio name show stream "
    "pattern expression handler event dc_id result request radiogram",
)
TELETHON = Library(
    {
        "TelegramClient": telethon.TelegramClient,
        "client": telethon.TelegramClient,
        "functions": telethon.functions,
        "types": telethon.types,
        "errors": telethon.errors,
        "events": telethon.events,
        # What an event of Telethon's does not have, it takes from its message.
        "event": type("Event", (telethon.events.NewMessage.Event, custom.Message), {}),
        "event.message": custom.Message,
        "conv": custom.conversation.Conversation,
        "StringSession": telethon.sessions.StringSession,
        "MemorySession": telethon.sessions.MemorySession,
    },
    "f session text api_id api_hash phone password code token chat user id ids a b from_peer name "
    "host port request result expression event telethon ConnectionTcpObfuscated",
)
PYROGRAM = Library(
    {
        "Client": pyrogram.Client,
        "app": pyrogram.Client,
        "compose": pyrogram.compose,
        "idle": pyrogram.idle,
        "raw": pyrogram.raw,
        "errors": pyrogram.errors,
        "filters": pyrogram.filters,
        "enums": pyrogram.enums,
        "message": pyrogram.types.Message,
        "MessageHandler": pyrogram.handlers.MessageHandler,
        "ChatPermissions": pyrogram.types.ChatPermissions,
    },
    "f text api_id api_hash phone password code code_hash token chat user users id ids from_chat "
    "topic date markup title description permissions handler expression error other result",
)
PAGES = {"from-telethon": TELETHON, "from-pyrogram": PYROGRAM}


@pytest.mark.parametrize("page", [*PAGES, "from-gramjs"])
def test_our_names_exist(page: str) -> None:
    looked = sum(OURS.check(span) for span in spans(page, 1) if not skipped(span))
    assert looked > 60


@pytest.mark.parametrize("page", PAGES)
def test_their_names_exist(page: str) -> None:
    looked = sum(PAGES[page].check(span) for span in spans(page, 0) if not skipped(span))
    assert looked > 50


def skipped(span: str) -> bool:
    """Tell whether a span is a text rather than code, or keyword arguments alone."""
    return span.startswith(("@", '"')) or bool(re.fullmatch(r"[a-z_]+", span)) or "{" in span


def test_the_check_finds_what_is_wrong() -> None:
    for wrong in (
        "client.send_massage(chat)", "client.send_message(chat, txt=1)", "events.NewMassage()",
        "errors.ChatNotModifed", "filters.privat", "api.messages.SendMassage", "nobody()",
        "event.message.txt", "TelegramClient(session, api_id, api_hash, ipv4=True)",
    ):  # fmt: skip
        with pytest.raises(AssertionError):
            OURS.check(wrong)


def test_names_of_gramjs_exist() -> None:
    if not GRAMJS.is_dir():
        pytest.skip("GramJS is not installed; the tests in tests/interop install it")
    known = " ".join(
        path.read_text("utf-8")
        for path in GRAMJS.rglob("*.d.ts")
        if path.name != "api.d.ts" and "node_modules" not in path.parts[len(GRAMJS.parts) :]
    )
    names = set(re.findall(r"\w+", known)) | {"peer", "id", "className"}  # of all
    for span in spans("from-gramjs", 0):
        for name in re.findall(r"(?<=\.)[a-z]\w+|\b[a-z]\w*(?=:)|\b[A-Z]\w+(?=\()", span):
            assert name in names or "Api." in span, f"{span}: {name}"


# ── other tables ─────────────────────────────────────────────────────────────────────────────────


def test_exit_codes() -> None:
    text = (DOCS / "errors.md").read_text("utf-8").partition("## Exit codes")[2]
    told: dict[str, int] = {}
    for line in re.findall(r"^\| (\d+.*?) \| (.+) \|$", text, re.MULTILINE):
        classes = re.findall(r"`errors\.(\w+)`", line[1])
        told |= dict(zip(classes, map(int, line[0].split(", ")), strict=False))
    assert told == {
        kind.__name__: code for kind, code in EXIT_CODES.items() if code > 2
    }  # 1 and 2 are told in words


def test_every_error_of_our_own_is_explained() -> None:
    text = (DOCS / "errors.md").read_text("utf-8")
    for name in re.findall(r"`errors\.(\w+)`", text):
        assert name in errors.known_errors() or name in vars(errors), name
    for name in ("SeeOther", "NotAcceptable", "Wait", "Migrate", "PeerNotFound", "AnswerMissing"):
        assert f"`errors.{name}`" in text


# ── the site ─────────────────────────────────────────────────────────────────────────────────────


def test_guides_that_are_listed_first_exist() -> None:
    assert [one.name for one in guides.all_guides()][: len(guides.FIRST)] == list(guides.FIRST)


def test_marks_for_tests_are_not_shown() -> None:
    for one in guides.all_guides():
        assert "not run: " not in guides.to_html(one.text, guide=True), one.name


# ── commands ─────────────────────────────────────────────────────────────────────────────────────

ELSEWHERE = {
    "radiogram docs": "test_explorer.py",
    "radiogram docs --export site": "test_site.py",
    "radiogram repl": "test_cli_call.py",
    "radiogram repl --demo": "test_cli_call.py",
    "radiogram demo": "test_demo.py",
}
"""Commands that do not end by themselves, or take long, and where they are tried."""


def commands(page: str) -> list[str]:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    return re.findall(r"^\$ (radiogram .+)$", text, re.MULTILINE)


def test_every_command_is_described() -> None:
    lines = "\n".join(commands("command-line"))
    for name in COMMANDS:
        assert f"radiogram {name}" in lines, name


@pytest.mark.slow
def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the lines of the page in order, in a directory of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RADIOGRAM_HOME", str(tmp_path / "home"))
    session = sessions.SessionCopy(
        data=sessions.SessionData(2, "127.0.0.1", 443, bytes(range(256)))
    )
    session.save(tmp_path / "old.session", "telethon")
    server: subprocess.Popen[bytes] | None = None
    try:
        for line in commands("command-line"):
            if line in ELSEWHERE:
                continue
            words = shlex.split(line)[1:]
            if words[-1] == "&":
                server = in_background(words)
                continue
            result = CliRunner().invoke(cli, words)
            assert result.exit_code == 0, f"{line}: {result.output}"
    finally:
        if server is not None:
            server.send_signal(signal.SIGTERM)
            server.wait()
    assert server is not None


def in_background(words: list[str]) -> subprocess.Popen[bytes]:
    """Do what a shell does with ``command > file &``; wait for the first line."""
    file = Path(words[-2])
    with file.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "radiogram", *words[:-3]], stdout=out, stderr=subprocess.DEVNULL
        )
    until = time.monotonic() + 30
    while not file.read_bytes().endswith(b"\n") and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


@pytest.mark.slow
@pytest.mark.parametrize("page", ["quickstart", "docs-site"])
def test_other_commands_offline(page: str) -> None:
    for line in commands(page):
        if line in ELSEWHERE or not ("--demo" in line or line.startswith("radiogram docs ")):
            continue
        result = CliRunner().invoke(cli, shlex.split(line)[1:])
        assert result.exit_code == 0, f"{line}: {result.output}"


@pytest.mark.slow
def test_completion() -> None:
    def complete(*words: str) -> list[str]:
        environment = {
            **os.environ, "_RADIOGRAM_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1),
        }  # fmt: skip
        told = subprocess.run(
            [sys.executable, "-m", "radiogram"], env=environment, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return told.stdout.split()

    assert "plain,messages.updatePinnedMessage" in complete("radiogram", "call", "messages.updateP")
    assert "plain,peer=" in complete("radiogram", "call", "messages.updatePinnedMessage", "p")
    assert "plain,fault" in complete("radiogram", "fa")


def test_the_first_test(pytester: pytest.Pytester) -> None:
    text = (DOCS / "quickstart.md").read_text("utf-8")
    program = re.search(r"guides\.py runs it -->\n```python\n(.*?)```", text, re.DOTALL)
    assert program is not None
    pytester.makepyfile(test_echo=program[1])
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-q")
    result.assert_outcomes(passed=1)
