"""Pages that run calls: what they answer, and whom they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient

from radiogram.docs.explorer import MAX_BODY, exact, is_local, make_app
from radiogram.docs.world import DemoWorld

TOKEN = "a token"
PIN = {"peer": "username", "id": 43, "unpin": True, "pm_oneside": True}


@pytest.fixture(scope="module")
def web() -> Iterator[TestClient]:
    app = make_app(partial(DemoWorld, frozen=True), token=TOKEN)
    with TestClient(app, base_url="http://127.0.0.1:8043") as client:
        client.headers["X-Radiogram-Token"] = TOKEN
        yield client


@pytest.fixture
def run(web: TestClient) -> Any:
    """Make a call in a world that is as new."""
    assert web.post("/api/reset", json={}).status_code == 200

    def run(method: str, actor: str = "ada", **values: Any) -> Any:
        body = {"method": method, "actor": actor, "values": values}
        answer = web.post("/api/call", json=body)
        assert answer.status_code == 200
        return answer.json()

    return run


def test_a_call_gives_result_updates_and_the_program(run: Any) -> None:
    outcome = run("messages.updatePinnedMessage", **(PIN | {"pm_oneside": False}))
    assert outcome["result"]["_"] == "updates"
    assert outcome["result"]["updates"][0]["messages"] == [43]
    (pushed,) = outcome["updates"]
    assert pushed["to"] == "Ben"
    assert pushed["updates"][0]["updates"][0]["_"] == "updatePinnedMessages"
    assert "api.messages.UpdatePinnedMessage(" in outcome["code"]
    assert 'peer="username"' in outcome["code"]


def test_one_side_is_pushed_to_nobody_else(run: Any) -> None:
    assert run("messages.updatePinnedMessage", **PIN)["updates"] == []


@pytest.mark.parametrize("flag", ["silent", "unpin", "pm_oneside"])
@pytest.mark.parametrize("actor", ["ada", "ben", "bot"])
def test_everybody_may_try_each_flag(run: Any, actor: str, flag: str) -> None:
    peer, number = {"ada": ("username", 40), "ben": ("ada_at_sea", 40), "bot": ("ada_at_sea", 1)}[
        actor
    ]
    outcome = run("messages.updatePinnedMessage", actor, peer=peer, id=number, **{flag: True})
    if actor == "bot" and flag == "pm_oneside":
        assert outcome["error"]["name"] == "BOT_ONESIDE_NOT_AVAIL"
    else:
        assert outcome["result"]["_"] == "updates", outcome


def test_errors_are_explained(run: Any) -> None:
    first = run("messages.updatePinnedMessage", peer="harbour_talk", id=4)
    assert "result" in first
    error = run("messages.updatePinnedMessage", peer="harbour_talk", id=4)["error"]
    assert (error["name"], error["code"]) == ("CHAT_NOT_MODIFIED", 400)
    assert error["page"] == "error/CHAT_NOT_MODIFIED.html"
    assert "nothing was changed" in error["text"]


@pytest.mark.parametrize(
    ("method", "values", "said"),
    [
        ("messages.updatePinnedMessage", {"pmOneside": True}, "did you mean pm_oneside?"),
        ("messages.updatePinnedMessage", {"peer": "username", "id": "x"}, "a whole number"),
        ("messages.fly", {}, "there is no method"),
        ("messages.updatePinnedMessage", {"peer": "nobody_here", "id": 1}, "nobody_here"),
    ],
)
def test_mistakes_are_named(run: Any, method: str, values: dict[str, Any], said: str) -> None:
    assert said in run(method, **values)["error"]["text"]


def test_the_world_can_be_reset(run: Any, web: TestClient) -> None:
    assert run("messages.updatePinnedMessage", **PIN)["result"]["updates"]
    assert not run("messages.updatePinnedMessage", **PIN)["result"]["updates"]
    web.post("/api/reset", json={})
    assert run("messages.updatePinnedMessage", **PIN)["result"]["updates"]


def test_numbers_that_javascript_would_round_are_text() -> None:
    assert exact({"a": [2**53, 2**53 + 1, -(2**60)], "b": True}) == {
        "a": [2**53, {"$long": "9007199254740993"}, {"$long": "-1152921504606846976"}], "b": True,
    }  # fmt: skip


# ── who may not ──────────────────────────────────────────────────────────────────────────────────

CALL = {"method": "messages.updatePinnedMessage", "actor": "ada", "values": PIN}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Radiogram-Token": ""},
        {"X-Radiogram-Token": "another"},
        {"X-Radiogram-Token": "ü".encode("latin-1")},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8043"},
        {"Host": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_another_site_cannot_make_it_act(
    web: TestClient, run: Any, headers: dict[str, str | bytes]
) -> None:
    for path in ("/api/call", "/api/reset"):
        answer = web.post(
            path,
            content=json.dumps(CALL),
            headers={"Content-Type": "application/json", **headers},  # type: ignore[arg-type]
        )
        assert answer.status_code in (403, 415)
        assert "access-control-allow-origin" not in answer.headers
    # Nothing has happened: the pin is still there to be taken away.
    assert run("messages.updatePinnedMessage", **PIN)["result"]["updates"]


def test_reading_does_not_act_and_cannot_be_framed(web: TestClient) -> None:
    assert web.get("/api/call").status_code in (404, 405)
    assert web.options("/api/call").status_code == 405
    page = web.get("/method/messages.updatePinnedMessage.html")
    assert f'content="{TOKEN}"' in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert web.get("/", headers={"Host": "evil.example"}).status_code == 403


def test_too_much_and_nonsense(web: TestClient) -> None:
    big = web.post("/api/call", content=b"x" * (MAX_BODY + 1), headers={
        "Content-Type": "application/json"
    })  # fmt: skip
    assert big.status_code == 413
    for body in (
        b"",
        b"[]",
        b'{"method": 5}',
        b'{"method": "a", "actor": "b", "values": {}, "x": 1}',
    ):
        answer = web.post("/api/call", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
    bad = web.post("/api/call", json={"method": "help.getConfig", "actor": "eve", "values": {}})
    assert "'eve' is none of" in bad.json()["error"]["text"]


def test_files_and_pages(web: TestClient) -> None:
    assert "RADIOGRAM_INDEX" in web.get("/static/index.js").text
    assert web.get("/static/style.css").headers["content-type"].startswith("text/css")
    assert web.get("/static/../export.py").status_code == 404
    assert web.get("/static/nothing.js").status_code == 404
    assert web.get("/method/messages.fly.html").status_code == 404
    assert 'class="run"' not in web.get("/method/stories.togglePinned.html").text


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("localhost:8043", True), ("127.0.0.1:1", True), ("[::1]:8043", True),
     ("127.5.0.9", True), ("192.168.0.1", False), ("localhost.evil.example", False), ("", False),
     ("[::]:8043", False)],
)  # fmt: skip
def test_which_names_are_those_of_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local
