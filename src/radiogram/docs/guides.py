"""Layer 5, docs: the guides of the project (``docs/*.md``), and Markdown as HTML."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import msgspec
from markdown_it import MarkdownIt
from markupsafe import Markup

FIRST = (
    "quickstart", "client", "friendly", "updates", "errors", "sync", "command-line", "docs-site",
    "server", "testing", "from-telethon", "from-pyrogram", "from-gramjs",
)  # fmt: skip
"""Guides for beginners, in the order of reading; the others follow by name."""
LEFT_OUT = frozenset({"README", "index"})
_COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE)
"""What is meant for tests: on lines of its own."""


class Guide(msgspec.Struct, frozen=True):
    """A guide."""

    name: str
    title: str
    text: str
    """Markdown."""


def folder() -> Path:
    """Find the guides: in the installed package, or in the project that it is part of."""
    installed = Path(__file__).with_name("guides")
    return installed if installed.is_dir() else Path(__file__).parents[3] / "docs"


@cache
def all_guides() -> tuple[Guide, ...]:
    """Read all guides."""
    found = {
        path.stem: Guide(path.stem, _title(text), text)
        for path in sorted(folder().glob("*.md"))
        if path.stem not in LEFT_OUT
        for text in [path.read_text("utf-8")]
    }
    first = [found.pop(name) for name in FIRST if name in found]
    return (*first, *found.values())


def guide(name: str) -> Guide:
    """Give one guide. Raises KeyError."""
    for one in all_guides():
        if one.name == name:
            return one
    raise KeyError(name)


def section(name: str, heading: str) -> str:
    """Give the text below a heading of a guide. Raises KeyError."""
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", guide(name).text, re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise KeyError(heading)
    return found[1].strip()


def to_html(text: str, *, guide: bool = False) -> Markup:
    """Render Markdown; links between guides lead to their pages, others of the project nowhere."""
    tokens = _renderer().parse(_COMMENT.sub("", text))
    if guide:
        for token in tokens:
            for child in token.children or ():
                if child.type == "link_open":
                    child.attrSet("href", _target(str(child.attrGet("href"))))
    made: str = _renderer().renderer.render(tokens, _renderer().options, {})
    return Markup(made)  # noqa: S704 - raw HTML is off


def _target(href: str) -> str:
    if re.match(r"[a-z]+:|#", href):
        return href
    page, _, part = href.partition("#")
    name = page.removesuffix(".md")
    if "/" in name or not page.endswith(".md") or not (folder() / page).exists():
        return "../guides.html"
    return f"{name}.html#{part}" if part else f"{name}.html"


@cache
def _renderer() -> MarkdownIt:
    from markdown_it.renderer import RendererHTML

    made = MarkdownIt("commonmark", {"html": False, "highlight": _highlight})
    made.enable("table")
    made.add_render_rule("heading_open", _heading)
    made.add_render_rule("html_block", lambda *_: "")
    assert isinstance(made.renderer, RendererHTML)
    return made


def _heading(renderer: object, tokens: list, index: int, options: object, env: object) -> str:  # type: ignore[type-arg]
    from radiogram.docs.html import anchor

    return f'<{tokens[index].tag} id="{anchor(tokens[index + 1].content)}">'


def _highlight(text: str, language: str, _: str) -> str:
    from radiogram.docs.html import highlight

    return (
        str(highlight(text, language)) if language in ("python", "sh", "js", "ts", "toml") else ""
    )


def _title(text: str) -> str:
    match = re.search(r"^# (.+)$", text, re.MULTILINE)
    return match[1].replace("`", "") if match else "Untitled"
