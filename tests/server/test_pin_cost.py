"""A pin in a supergroup costs the same however many of its members are offline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert

from radiogram.server import chat_store
from radiogram.server.tables import PEER_CHANNEL, dialogs, members, users
from tests.server.stage import MakeStage, Stage

CALLS: dict[str, Callable[[Stage, int, int], Any]] = {
    "pin": lambda stage, chat, message: stage.pin(stage.ann, chat, message),
    "pin of somebody else's message": lambda stage, chat, _: stage.pin(
        stage.ann, chat, stage.send(stage.bob, chat)
    ),
    "pin and unpin": lambda stage, chat, message: (
        stage.pin(stage.ann, chat, message),
        stage.pin(stage.ann, chat, message, unpin=True),
    ),
}


def work(stage: Stage, strangers: int, call: Callable[[Stage, int, int], Any]) -> tuple[int, int]:
    """Return how many statements a call takes, and how many steps of SQLite's machine."""
    chat = stage.channel(stage.ann, stage.bob, megagroup=True)
    message = stage.send(stage.ann, chat)
    ids = [{"id": 1_000_000 + n} for n in range(strangers)]
    rows = [{"user_id": one["id"]} for one in ids]
    statements = steps = 0

    def on_statement(_text: str) -> None:
        nonlocal statements
        statements += 1

    def on_step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with stage.world.db.begin() as tx:
        if strangers:
            tx.execute(insert(users).values(first_name="?", access_secret=b"?", created=0), ids)
            tx.execute(insert(members).values(chat_id=chat, state=chat_store.MEMBER, date=0), rows)
            tx.execute(insert(dialogs).values(peer_type=PEER_CHANNEL, peer_id=chat), rows)
            chat_store.recount(tx, chat)
        driver: Any = tx.connection.dbapi_connection
    driver.set_trace_callback(on_statement)
    driver.set_progress_handler(on_step, 1)
    try:
        call(stage, chat, message)
    finally:
        driver.set_trace_callback(None)
        driver.set_progress_handler(None, 0)
    return statements, steps


@pytest.mark.parametrize("name", CALLS)
def test_offline_members_cost_nothing(make_stage: MakeStage, name: str) -> None:
    few, few_steps = work(make_stage(), 0, CALLS[name])
    many, many_steps = work(make_stage(), 2000, CALLS[name])
    assert few == many > 5
    assert many_steps < few_steps + 50
