"""What pages say, before anybody decides how they look."""

from __future__ import annotations

import re

import pytest

from radiogram import errors
from radiogram.client.casts import CASTABLE
from radiogram.docs import derive, markdown
from radiogram.docs.markdown import programs
from radiogram.docs.model import (
    ConstructorPage,
    ErrorPage,
    MethodPage,
    Model,
    TypePage,
    is_described,
)
from radiogram.tl.plain import request_from_plain
from radiogram.tl.schema.tables import LAYER

MODEL = Model(implemented=["messages.updatePinnedMessage"])


def test_every_name_of_the_table_has_a_page() -> None:
    assert len(MODEL.methods) == 859
    assert len(MODEL.constructors) > 1700
    for names, kind in (
        (MODEL.methods, MethodPage),
        (MODEL.constructors, ConstructorPage),
        (MODEL.types, TypePage),
        (MODEL.errors, ErrorPage),
    ):
        for name in names:
            page = MODEL.find(name)
            assert isinstance(page, kind), name
            assert page.about.text.endswith((".", ")")), (name, page.about)
    assert {known.name for known in errors.known_errors().values()} <= set(MODEL.errors)


def test_nothing_is_left_unsaid() -> None:
    for name in MODEL.methods:
        page = MODEL.method(name)
        said = [page.about, page.result_about, *(one.about for one in page.parameters)]
        said += [one.about for one in page.errors]
        assert all(re.match(r"\S.*[.!?)]$", one.text, re.DOTALL) for one in said), name


def test_the_show_piece_is_written_by_hand() -> None:
    page = MODEL.method("messages.updatePinnedMessage")
    assert is_described(page)
    assert page.implemented
    assert (page.facts.users, page.facts.bots, page.facts.business) == (True, True, True)
    assert page.friendly == ("pin_message", "unpin_message")
    assert [one.name for one in page.parameters] == ["silent", "unpin", "pm_oneside", "peer", "id"]
    assert [one.condition for one in page.parameters[:3]] == ["flags.0", "flags.1", "flags.2"]
    names = {one.name: one for one in page.errors}
    assert {"CHAT_NOT_MODIFIED", "PIN_RESTRICTED", "BOT_ONESIDE_NOT_AVAIL"} <= set(names)
    assert names["CHAT_WRITE_FORBIDDEN"].code == 403
    assert names["CHAT_WRITE_FORBIDDEN"].class_name == "ChatWriteForbidden"


@pytest.mark.parametrize(
    "name",
    ["messages.updatePinnedMessage", "messages.UpdatePinnedMessage",
     "api.messages.UpdatePinnedMessage"],
)  # fmt: skip
def test_a_method_is_found_by_each_of_its_names(name: str) -> None:
    assert MODEL.find(name) == MODEL.method("messages.updatePinnedMessage")


def test_other_names() -> None:
    for name, found in (
        ("InputPeer", TypePage),
        ("TypeInputPeer", TypePage),
        ("InputPeerUser", ConstructorPage),
        ("FLOOD_WAIT_X", ErrorPage),
        ("FloodWait", ErrorPage),
    ):
        assert isinstance(MODEL.find(name), found), name
    assert MODEL.find("messages.fly") is None
    assert MODEL.closest("messages.updatePinedMessage")[0] == "messages.updatePinnedMessage"


def test_links_lead_both_ways() -> None:
    peer = MODEL.type("InputPeer")
    assert "messages.updatePinnedMessage" in peer.taken_by
    assert "inputDialogPeer" in peer.part_of
    assert "inputPeerSelf" in peer.constructors
    assert "messages.updatePinnedMessage" in MODEL.type("Updates").returned_by
    assert "messages.updatePinnedMessage" in MODEL.error("PIN_RESTRICTED").raised_by
    user = MODEL.constructor("inputPeerUser")
    assert user.type == "InputPeer"
    assert "inputPeerSelf" in user.siblings
    assert MODEL.type("User").returned_by == MODEL.type("User").returned_by != ()  # Vector<User>


def test_history_is_that_of_the_schema() -> None:
    steps = MODEL.constructor("message").history
    assert [step.layer for step in steps] == sorted((s.layer for s in steps), reverse=True)
    assert all(133 < step.layer <= LAYER for step in steps)
    assert "rich_message:flags2.13?RichMessage" in steps[0].text
    assert MODEL.constructor("message").first_layer == 0  # older than the table


def test_derived_sentences_say_what_follows_from_names() -> None:
    definition = (
        MODEL.registry.definition("messages.getStatsURL")
        if MODEL.find("messages.getStatsURL")
        else MODEL.registry.definition("messages.getWebPage")
    )
    assert derive.words("messages.getStatsURL") == "get stats URL"
    assert derive.words("account.resetTTL") == "reset TTL"
    assert derive.method(definition) == "Get web page."


def test_coverage_counts_what_was_written() -> None:
    coverage = MODEL.coverage()
    assert coverage.methods == 859
    assert (coverage.implemented, coverage.implemented_described) == (1, 1)
    assert 1 <= coverage.described <= 859


def test_each_method_has_an_example_that_can_be_written_and_made() -> None:
    for name in MODEL.methods:
        for example in MODEL.method(name).examples:
            *_, call = example.calls
            if not example.actor:
                request_from_plain(name, call.values, castable=CASTABLE)
            for _, language, text in programs(example):
                assert text.endswith("\n")
                if language == "python":
                    compile(text, name, "exec")


def test_values_that_are_too_long_for_a_line_are_broken() -> None:
    (_, _, with_buttons) = MODEL.method("messages.sendMessage").examples
    for name, language, text in programs(with_buttons):
        if language == "python":
            assert max(map(len, text.splitlines())) <= 88, name
            assert 'text="Read",\n' in text


def test_pages_as_markdown() -> None:
    page = MODEL.method("messages.updatePinnedMessage")
    text = markdown.page(page, lambda kind, name: f"{kind}/{name}.md")
    headings = re.findall("^## (.+)$", text, re.MULTILINE)
    # In the order that the project began with.
    assert headings[:5] == [
        "Example", "Parameters", "Result", "Possible errors", "Can bots use this method?",
    ]  # fmt: skip
    assert headings[-1] == "Related pages"
    assert "| 400 | [CHAT\\_NOT\\_MODIFIED](error/CHAT_NOT_MODIFIED.md) |" in text
    assert "[Updates](type/Updates.md)" in text
    for kind in ("InputPeer", "inputPeerUser", "PIN_RESTRICTED"):
        found = MODEL.find(kind)
        assert found is not None
        assert markdown.page(found).startswith(f"# {kind}".replace("_", "_"))
