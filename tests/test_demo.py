"""The demonstration shows what it promises, anywhere, and notices when something is wrong."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from radiogram import api, demo


def watch(**options: object) -> tuple[int, str]:
    """Return the exit code of the demonstration and what it printed."""
    output = io.StringIO()
    code = demo.main(Console(file=output, **options))  # type: ignore[arg-type]
    return code, output.getvalue()


@pytest.mark.slow
def test_it_shows_every_flag_the_updates_and_an_error_explained() -> None:
    started = time.perf_counter()
    code, text = watch()
    assert code == 0, text
    assert time.perf_counter() - started < 30  # five seconds on an idle machine
    assert max(map(len, text.splitlines())) <= demo.WIDTH
    assert "\x1b" not in text
    lines = re.sub(r"\s+", " ", text)
    for flags, _, _ in demo.PINS:
        shown = "".join(f", {flag}=True" for flag in sorted(flags, key=demo.FLAGS.index))
        call = rf'UpdatePinnedMessage\(peer="username", id=\d+{shown}\)'
        assert re.search(call, lines), call
    assert 'UpdatePinnedMessage(peer="username", id=43, unpin=True, pm_oneside=True)' in lines
    assert "errors.MessageIdInvalid" in lines
    assert "[400 MESSAGE_ID_INVALID, answer to messages.updatePinnedMessage]" in lines
    for name in ("Ada", "Ben", "Bot"):
        assert f"{name} →" in lines
    assert "Ben ← UpdatePinnedMessages(" in lines
    assert "telethon" in lines
    assert "GramJS" in lines


@pytest.mark.slow
def test_colours_on_a_terminal_and_not_where_they_are_unwanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, text = watch(force_terminal=True, color_system="standard", width=60)
    assert code == 0, text
    assert "\x1b[36m" in text or "\x1b[1;36m" in text
    monkeypatch.setenv("NO_COLOR", "1")
    code, text = watch(force_terminal=True, width=60)
    assert code == 0
    assert not re.search(r"\x1b\[[\d;]*3\dm", text)


@pytest.mark.slow
def test_it_fails_when_something_else_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PINS", ((("pm_oneside",), True, False),))
    monkeypatch.setattr(demo, "PATIENCE", 0.05)
    code, text = watch()
    assert code == 1
    assert "The demonstration failed: nothing reached Ben" in text


def test_the_short_form_leaves_out_what_is_empty() -> None:
    message = api.Message(
        id=3, peer_id=api.PeerUser(user_id=7), date=1, message="hi", out=True, entities=[]
    )
    assert demo.short([message]) == (
        "[Message(out=True, id=3, peer_id=PeerUser(user_id=7), message='hi')]"
    )
    request = api.messages.UpdatePinnedMessage(peer="username", id=43, unpin=True)
    assert demo.code(request) == (
        'api.messages.UpdatePinnedMessage(peer="username", id=43, unpin=True)'
    )
