"""A pin in a supergroup costs the same however many of its members are offline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, insert

from radiogram.server import chat_store
from radiogram.server.db import PEER_CHANNEL, dialogs, members, users
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
    """Return how many statements a call takes, and how many values they are given."""
    chat = stage.channel(stage.ann, stage.bob, megagroup=True)
    message = stage.send(stage.ann, chat)
    ids = [{"id": 1_000_000 + n} for n in range(strangers)]
    rows = [{"user_id": one["id"]} for one in ids]
    if strangers:
        with stage.world.db.begin() as tx:
            tx.execute(insert(users).values(first_name="?", access_secret=b"?", created=0), ids)
            tx.execute(insert(members).values(chat_id=chat, state=chat_store.MEMBER, date=0), rows)
            tx.execute(insert(dialogs).values(peer_type=PEER_CHANNEL, peer_id=chat), rows)
            chat_store.recount(tx, chat)
    statements = values = 0

    def note(_c: Any, _cursor: Any, _text: str, parameters: Any, *_: Any) -> None:
        nonlocal statements, values
        statements += 1
        values += len(parameters)

    engine = stage.world.db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        call(stage, chat, message)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return statements, values


@pytest.mark.parametrize("name", CALLS)
def test_offline_members_cost_nothing(make_stage: MakeStage, name: str) -> None:
    few = work(make_stage(), 0, CALLS[name])
    many = work(make_stage(), 1000, CALLS[name])
    assert few == many
