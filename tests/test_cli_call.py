"""``radiogram call``, ``schema`` and ``repl``: the API from a shell."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from radiogram import errors
from radiogram.cli import cli, values
from radiogram.cli.call import exit_code
from radiogram.client.casts import CASTABLE
from radiogram.tl.plain import request_from_plain


def run(*arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, list(arguments), input=stdin)
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


# ── parameters ───────────────────────────────────────────────────────────────────────────────────

PIN = values.method_of("messages.updatePinnedMessage")


@pytest.mark.parametrize(
    "name", ["messages.updatePinnedMessage", "messages.UpdatePinnedMessage",
             "api.messages.UpdatePinnedMessage"],
)  # fmt: skip
def test_a_method_is_found_by_each_of_its_names(name: str) -> None:
    assert values.method_of(name).name == "messages.updatePinnedMessage"


def field(method: str, name: str) -> Any:
    found = values.method_of(method).field(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("method", "name", "text", "read"),
    [
        ("messages.updatePinnedMessage", "id", "43", 43),
        ("messages.updatePinnedMessage", "id", "-1", -1),
        ("messages.updatePinnedMessage", "unpin", "yes", True),
        ("messages.updatePinnedMessage", "unpin", "FALSE", False),
        ("messages.updatePinnedMessage", "peer", "@ada", "@ada"),
        ("messages.updatePinnedMessage", "peer", "-100123", -100123),
        ("messages.updatePinnedMessage", "peer", '{"_": "inputPeerSelf"}', {"_": "inputPeerSelf"}),
        ("messages.sendMessage", "message", "43", "43"),
        ("messages.sendMessage", "message", "a=b", "a=b"),
        ("messages.readMessageContents", "id", "1,2", [1, 2]),
        ("messages.readMessageContents", "id", "[1, 2]", [1, 2]),
        ("messages.readMessageContents", "id", "", []),
        ("users.getUsers", "id", "me,@ada,7", ["me", "@ada", 7]),
        ("messages.search", "filter", "inputMessagesFilterPinned", "inputMessagesFilterPinned"),
        ("auth.importAuthorization", "bytes", "hex:00ff", "AP8="),
        ("auth.importAuthorization", "bytes", "AP8=", "AP8="),
        ("auth.importAuthorization", "bytes", "base64:AP8=", "AP8="),
    ],
)
def test_values_are_read_by_type(method: str, name: str, text: str, read: object) -> None:
    assert values.read(field(method, name), text) == read


def test_values_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x00\xff")
    assert values.read(field("auth.importAuthorization", "bytes"), f"@{path}") == "AP8="
    (tmp_path / "a.txt").write_text("Grüße\n", "utf-8")
    read = values.read(field("messages.sendMessage", "message"), f"@@{tmp_path / 'a.txt'}")
    assert read == "Grüße\n"
    with pytest.raises(click.UsageError, match="cannot be read"):
        values.read(field("messages.sendMessage", "message"), "@@/no/such/file")
    monkeypatch.setattr(values, "MAX_FILE", 1)
    with pytest.raises(click.UsageError, match="more than 1 bytes"):
        values.read(field("auth.importAuthorization", "bytes"), f"@{path}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pmOneside=1"], "did you mean pm_oneside?"),
        (["zzz=1"], "it takes silent, unpin, pm_oneside, peer, id"),
        (["id=x"], "id=x: give a whole number"),
        (["unpin=maybe"], "unpin=maybe: give true or false"),
        (["peer"], "peer needs a value: peer=@username"),
        (["id=1", "id=2"], "id is given twice"),
        (["peer={"], "peer: this is no JSON"),
    ],
)
def test_mistakes_name_the_parameter_and_the_remedy(words: list[str], said: str) -> None:
    with pytest.raises(click.UsageError, match=said.replace("?", r"\?")):
        values.read_all(PIN, words)


@given(st.lists(st.text(max_size=12), max_size=3), st.sampled_from(values.methods()))
def test_anything_typed_is_a_request_or_a_usage_error(texts: list[str], method: str) -> None:
    definition = values.method_of(method)
    words = [f"{f.attribute}={text}" for f, text in zip(definition.fields, texts, strict=False)]
    if any("@" in text for text in texts):
        return  # would read files
    try:
        request_from_plain(method, values.read_all(definition, words), castable=CASTABLE)
    except (click.UsageError, errors.EncodeError):
        return


def test_completion() -> None:
    assert values.complete(PIN, [], "") == ["silent=", "unpin=", "pm_oneside=", "peer=", "id="]
    assert values.complete(PIN, ["peer=me"], "p") == ["pm_oneside="]
    assert values.complete(PIN, [], "unpin=") == ["unpin=true", "unpin=false"]
    assert values.complete(PIN, [], "peer=m") == ["peer=me"]
    assert values.complete(PIN, [], "nothing=") == []
    search = values.method_of("messages.search")
    proposed = values.complete(search, [], "filter=inputMessagesFilterPi")
    assert proposed == ["filter=inputMessagesFilterPinned"]


@pytest.mark.slow
def test_the_shell_completes_methods_and_parameters() -> None:
    def complete(line: str) -> list[str]:
        words = line.split(" ")
        done = subprocess.run(
            [sys.executable, "-m", "radiogram"], capture_output=True, text=True, check=True,
            env={**os.environ, "_RADIOGRAM_COMPLETE": "bash_complete", "COMP_WORDS": line,
                 "COMP_CWORD": str(len(words) - 1)},
        )  # fmt: skip
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert "messages.updatePinnedMessage" in complete("radiogram call messages.updateP")
    assert complete("radiogram call messages.updatePinnedMessage pe") == ["peer="]


# ── calls ────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_in_the_furnished_world() -> None:
    code, out, _ = run(
        "call", "messages.updatePinnedMessage", "peer=@username", "id=43", "unpin", "pm_oneside=1",
        "--demo",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["updates"][0]["messages"] == [43]


def test_json_goes_in_and_python_comes_out() -> None:
    text = json.dumps({"id": ["me", {"_": "inputUserSelf"}]})
    code, out, _ = run("call", "users.getUsers", "--json", "-", "--demo", "--output", "python",
                       "--as", "ben", stdin=text)  # fmt: skip
    assert code == 0
    assert out.count("first_name='Ben'") == 2
    code, out, _ = run("call", "account.updateStatus", "--json", '{"offline": true}', "--demo")
    assert (code, out) == (0, "true\n")
    code, out, _ = run("call", "users.getUsers", "id=me", "--demo")
    assert json.loads(out)[0]["first_name"] == "Ada"


def test_a_dry_run_makes_no_call() -> None:
    code, out, _ = run("call", "messages.updatePinnedMessage", "peer=me", "id=43", "--dry-run")
    assert (code, out.split()) == (
        0,
        ["messages.UpdatePinnedMessage(", "peer='me',", "id=43,", ")"],
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["messages.updatePinnedMessage", "peer=me", "id=9", "--demo"], 10, "MESSAGE_ID_INVALID"),
        (["messages.updatePinnedMessage", "peer=me", "id=9999", "--demo", "--as", "nobody"], 11,
         "AUTH_KEY_UNREGISTERED"),
        (["messages.updatePinnedMessage", "peer=@noone", "id=1", "--demo"], 22, "noone"),
        (["messages.updatePinedMessage"], 2, "did you mean messages.updatePinnedMessage?"),
        (["messages.updatePinnedMessage", "peer=me"], 2, "missing 'id'"),
        (["help.getConfig", "--json", "[]"], 2, "give an object"),
        (["help.getConfig", "--json", "{"], 2, "this is no JSON"),
        (["messages.search", "peer=me", "q=", "filter=inputMessagesFilterPined"], 2,
         "did you mean inputMessagesFilterPinned"),
    ],
)  # fmt: skip
def test_what_fails_is_explained_and_has_its_exit_code(
    arguments: list[str], code: int, said: str
) -> None:
    found, out, err = run("call", *arguments)
    assert (found, out) == (code, "")
    assert said in err


def test_exit_codes_tell_the_kinds_of_errors_apart() -> None:
    codes = {
        exit_code(errors.rpc_error(number, "SOME_ERROR"))
        for number in (303, 400, 401, 403, 404, 406, 420, 500, 999)
    }
    assert codes == set(range(10, 19))
    assert exit_code(errors.ConnectionFailed("")) == 20
    assert exit_code(errors.SessionError("")) == 21
    assert exit_code(errors.ClientError("")) == 1


def test_without_an_account_it_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RADIOGRAM_HOME", str(tmp_path))
    code, _, err = run("call", "help.getConfig")
    assert code == 1
    assert "radiogram login" in err


# ── the schema ───────────────────────────────────────────────────────────────────────────────────


def test_schema_shows_declarations_and_differences() -> None:
    _, out, _ = run("schema", "show", "messages.updatePinnedMessage")
    assert out.startswith("messages.updatePinnedMessage#d2aaf7ec flags:# silent:flags.0?true")
    _, out, _ = run("schema", "show", "InputPeer")
    assert out.count("= InputPeer\n") == 7
    _, out, _ = run("schema", "diff", "198", "232")
    assert "+ messages." in out
    assert "~ message" in out
    found = json.loads(run("schema", "diff", "231", "232", "--json")[1])
    assert {"added", "removed", "changed"} == set(found)
    _, older, _ = run("schema", "show", "message", "--layer", "160")
    assert older != run("schema", "show", "message")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "messages.fly"], "has no 'messages.fly'"),
        (["show", "mesage"], "did you mean message"),
        (["show", "message", "--layer", "1"], "--layer"),
        (["diff", "1", "232"], "layer 1 is not in the table"),
    ],
)
def test_schema_names_mistakes(arguments: list[str], said: str) -> None:
    code, _, err = run("schema", *arguments)
    assert code != 0
    assert said in err


# ── the prompt ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("gone", [False, True], ids=["end of input", "terminal gone"])
def test_the_prompt_awaits(tmp_path: Path, gone: bool) -> None:
    """In a terminal of its own: what is typed is awaited, and the end of input ends it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "radiogram", "repl", "--demo"],
        stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
        env={**os.environ, "TERM": "dumb", "HOME": str(tmp_path), "COLUMNS": "200"},
    )  # fmt: skip
    os.close(theirs)
    seen = b""

    def wait_for(text: bytes) -> None:
        """Read until a text has come; what came after it counts for the next time."""
        nonlocal seen
        while text not in seen:
            ready, _, _ = select.select([ours], [], [], 60)
            assert ready, f"{text!r} did not come, but {seen!r}"
            seen += os.read(ours, 65536)
        seen = seen.partition(text)[2]

    try:
        wait_for(b">>>")
        os.write(ours, b"(await client.get_me()).first_name\r")
        wait_for(b"'Ada'")
        wait_for(b">>>")
        if gone:
            os.close(ours)
        else:
            os.write(ours, b"\x04")
            with contextlib.suppress(OSError):
                while os.read(ours, 65536):
                    pass
            os.close(ours)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_the_prompt_needs_a_terminal() -> None:
    code, _, err = run("repl", "--demo")
    assert code == 2
    assert "needs a terminal" in err
