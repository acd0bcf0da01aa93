"""The site: every page is there, every link leads somewhere, nothing comes from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from radiogram.docs.export import broken_links, export
from radiogram.docs.html import Site, breakable, inline
from radiogram.docs.model import program_model


@pytest.fixture(scope="module")
def site() -> Site:
    return Site(program_model())


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_all_pages_are_written_and_no_link_is_broken(site: Site, tmp_path: Path) -> None:
    count = export(site, tmp_path)
    model = site.model
    names = len(model.methods) + len(model.constructors) + len(model.types) + len(model.errors)
    assert count > names
    assert count == len(list(tmp_path.rglob("*.html")))
    assert list(broken_links(tmp_path)) == []
    shown = (tmp_path / "index.html").read_text("utf-8")
    assert f"{model.coverage().described} of 859 methods" in shown
    index = (tmp_path / "static" / "index.js").read_text("utf-8")
    entries = json.loads(index[index.index("[") : index.rindex("]") + 1])
    assert ["method", "messages.updatePinnedMessage"] in [entry[:2] for entry in entries]


def test_the_link_check_finds_what_is_broken(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="x"></h1><a href="b.html">b</a><a href="#y">y</a><a href="#x">x</a>'
        '<script src="https://example.org/a.js"></script><a href="https://example.org">out</a>'
        '<pre>&lt;script src="https://example.org/b.js"&gt;</pre>'
    )
    assert sorted(broken_links(tmp_path)) == [
        "a.html: #y has no such heading",
        "a.html: b.html",
        "a.html: loads https://example.org/a.js from elsewhere",
    ]


def test_the_show_piece_has_what_the_project_began_with(site: Site) -> None:
    page = site.render("method/messages.updatePinnedMessage.html")
    assert page is not None
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert headings[:6] == [
        "Example", "Parameters", "What happens where", "Result", "Possible errors",
        "Can bots use this method?",
    ]  # fmt: skip
    assert "Related pages" in headings
    assert "whose copy is pinned" in page
    text = re.sub(r"<wbr>", "", page)
    for name in ("silent", "unpin", "pm_oneside", "peer", "id"):
        assert f'<code class="name">{name}</code>' in text
    for name in (
        "BOT_ONESIDE_NOT_AVAIL", "CHANNEL_PRIVATE", "CHAT_ADMIN_REQUIRED", "CHAT_NOT_MODIFIED",
        "CHAT_WRITE_FORBIDDEN", "MESSAGE_ID_INVALID", "PEER_ID_INVALID", "PIN_RESTRICTED",
        "USER_BANNED_IN_CHANNEL",
    ):  # fmt: skip
        assert f">{name}</a>" in text
    for tab in ("asyncio", "Script", "Command line", "JavaScript", "TypeScript"):
        assert f'data-tab="{tab}"' in page


@pytest.mark.parametrize(
    "where",
    ["", "method/messages.fly.html", "nothing/x.html", "method/../index.html", "guide/x.html",
     "layer/133.html", "layer/999.html", "index", "render.html", "page.html"],
)  # fmt: skip
def test_what_is_no_page_is_none(site: Site, where: str) -> None:
    assert site.render(where) is None


def test_names_and_sentences_are_escaped() -> None:
    assert breakable("a<b.cD") == "a&lt;b.<wbr>c<wbr>D"
    assert inline("`a<b` & c") == "<code>a&lt;b</code> &amp; c"


def test_nothing_is_loaded_from_elsewhere(site: Site) -> None:
    page = site.render("index.html")
    assert page is not None
    assert not re.search(r'(src|href)="(https?:)?//', page)
