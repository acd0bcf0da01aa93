"""Every example on a page does what the page shows, in a world that is the same every time."""

from __future__ import annotations

import pytest

from radiogram import api
from radiogram.docs.examples import examples, namespaces, outputs, read
from radiogram.docs.run import all_methods, resolve, run_example
from radiogram.docs.texts import TextsError
from radiogram.docs.world import ACTORS, DemoWorld
from radiogram.tl.build import registry

EACH = [
    pytest.param(method, number, id=f"{method}-{number}")
    for method in all_methods()
    for number in range(1, len(examples(method)) + 1)
]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "number"), EACH)
async def test_the_example_gives_what_its_page_shows(method: str, number: int) -> None:
    output = await run_example(method, examples(method)[number - 1])
    assert output == outputs(method)[number - 1], "run: python -m radiogram.docs.run"


def test_examples_are_of_methods_and_by_actors_that_exist() -> None:
    for namespace in namespaces():
        for method, found in read(namespace).items():
            assert registry().definition(method).is_method
            assert (method.rpartition(".")[0] or "base") == namespace
            for example in found:
                assert {example.actor, *example.watch} <= set(ACTORS)
                assert all(step.actor in ("", *ACTORS) for step in example.steps)
    assert set(all_methods()) >= {"messages.updatePinnedMessage"}


async def test_the_world_is_the_same_every_time() -> None:
    async with DemoWorld(frozen=True) as one, DemoWorld(frozen=True) as other:
        assert one.ids == other.ids
        history = api.messages.GetHistory(
            peer="username", offset_id=0, offset_date=0, add_offset=0, limit=100, max_id=0,
            min_id=0, hash=0,
        )  # fmt: skip
        assert await (await one.client("ada")).invoke(history) == await (
            await other.client("ada")
        ).invoke(history)
        pinned = await (await one.client("ada")).get_messages("username", 43)
        assert pinned is not None
        assert (pinned.text, pinned.raw.pinned) == ("Noon, at the harbour.", True)


def test_references_lead_to_what_steps_gave() -> None:
    given = {
        "1": api.PeerUser(user_id=7),
        "2": [api.PeerChat(chat_id=9)],
        "scanned": api.PeerChat(chat_id=11),
    }
    plain = {"a": ["$1.user_id"], "b": "$2[0].chat_id", "c": "$ 5", "d": "$scanned.chat_id"}
    assert resolve(plain, given) == {"a": [7], "b": 9, "c": "$ 5", "d": 11}
    for wrong in ("$3", "$x", "$1.name", "$2[4]"):
        with pytest.raises(TextsError):
            resolve(wrong, given)
