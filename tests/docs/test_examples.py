"""Every example on a page does what the page shows, in a world that is the same every time."""

from __future__ import annotations

import pytest

from radiogram import api
from radiogram.docs.code import asyncio_program, javascript_program
from radiogram.docs.examples import Example, Step, examples, namespaces, outputs, read
from radiogram.docs.model import program_model
from radiogram.docs.people import ACTORS
from radiogram.docs.run import all_methods, masked, resolve, run_example, show
from radiogram.docs.texts import TextsError
from radiogram.docs.world import DemoWorld
from radiogram.tl.build import registry

MODEL = program_model()
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


def test_masked_values_are_not_shown() -> None:
    shown = show(api.auth.LoginToken(expires=5, token=b"\x00a,b"))
    assert masked(shown, ["token"]) == "auth.LoginToken(\n    expires=5,\n    token=...,\n)"
    assert masked(shown, ["other", "ken"]) == shown


def test_every_method_of_the_server_has_an_example() -> None:
    implemented = [name for name in MODEL.methods if MODEL.method(name).implemented]
    assert [name for name in implemented if not examples(name)] == []


def test_programs_expect_the_error_of_a_step_and_prove_passwords() -> None:
    (first, *_) = examples("auth.checkPassword")
    calls = first.written("auth.checkPassword")
    python = asyncio_program(calls)
    assert "from radiogram import TelegramClient, api, errors\n" in python
    assert "        except errors.SessionPasswordNeeded:\n" in python
    assert 'password="tide tables"' in python
    javascript = javascript_program(calls)
    assert "require('telegram/Password');" in javascript
    assert "if (error.errorMessage !== 'SESSION_PASSWORD_NEEDED') throw error;" in javascript
    assert "await computeCheck(await client.invoke(new Api.account.GetPassword())" in javascript


async def test_a_step_ends_as_it_says() -> None:
    state = Step("updates.getState", fails="TIMEOUT")
    with pytest.raises(TextsError, match="should fail with TIMEOUT"):
        await run_example("updates.getState", Example(steps=(state,)))
    search = Step("contacts.search", {"q": "", "limit": 1}, fails="TIMEOUT")
    with pytest.raises(TextsError, match=r"failed: .*SEARCH_QUERY_EMPTY"):
        await run_example("updates.getState", Example(steps=(search,)))
