"""``radiogram docs``: pages in the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from radiogram.cli import cli


def said(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["docs", *arguments])
    return result.exit_code, result.output


def test_a_method() -> None:
    code, text = said("messages.updatePinnedMessage")
    assert code == 0
    for part in (
        "Example", "Parameters", "Possible errors", "CHAT_NOT_MODIFIED", "pm_oneside",
        "Can bots use this method? Yes", "client.pin_message", "the embedded server has it",
        'peer="username",',
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(
    ("name", "part"),
    [("InputPeer", "Taken by"), ("inputPeerUser", "access_hash"), ("FloodWait", "Code 420"),
     ("api.messages.SendMessage", "messages.sendMessage")],
)  # fmt: skip
def test_other_pages(name: str, part: str) -> None:
    code, text = said(name)
    assert (code, part in text) == (0, True)


def test_tabs_and_markdown() -> None:
    assert "radiogram call messages.updatePinnedMessage peer=username" in said(
        "messages.updatePinnedMessage", "--tab", "command"
    )[1].replace("\n", " ").replace("     ", " ")
    assert said("messages.updatePinnedMessage", "--markdown")[1].startswith(
        "# messages.updatePinnedMessage\n\nPin a message"
    )


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["messages.updatePinedMessage"], "did you mean messages.updatePinnedMessage?"),
        (["a", "--export", "b"], "do not go together"),
    ],
)
def test_mistakes_are_named(arguments: list[str], part: str) -> None:
    code, text = said(*arguments)
    assert code != 0
    assert part in " ".join(text.split())


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    code, text = said("--export", str(tmp_path / "a" / "b"))
    assert code == 1
    assert "give a directory that can be written" in " ".join(text.split())
