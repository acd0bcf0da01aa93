"""Layer 5, docs: pages as HTML, by the templates beside this module.

Knows how a page looks and where the others are. Knows no file and no web server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from radiogram import __version__
from radiogram.docs import guides
from radiogram.docs.markdown import SIMPLE, callers, programs
from radiogram.docs.model import ErrorPage, Model, Page
from radiogram.tl.schema.definition import vector_item
from radiogram.tl.schema.difference import Diff, diff
from radiogram.tl.schema.tables import FIRST_LAYER, LAYER

if TYPE_CHECKING:
    from pygments.lexer import Lexer

FOLDERS = {"method", "constructor", "type", "error", "layer", "guide"}
PICKERS = frozenset({"InputPeer", "InputUser", "InputChannel", "InputDialogPeer"})
"""Types whose fields propose chats and users."""
STATIC = ("style.css", "site.js", "icon.svg")


class Live(msgspec.Struct, frozen=True):
    """What pages need to run calls."""

    token: str
    """Proves that a request comes from one of these pages."""
    actors: tuple[str, ...]
    """Who can act."""
    peers: tuple[str, ...]
    """What fields for chats and users propose."""


class Group(msgspec.Struct, frozen=True):
    """Pages under one heading."""

    name: str
    pages: tuple[Page, ...]


class Site:
    """Makes the HTML of every address. Addresses are relative and end in ``.html``."""

    def __init__(self, model: Model, *, live: Live | None = None) -> None:
        self.model = model
        self._env = Environment(
            loader=PackageLoader("radiogram.docs"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.filters.update(
            breakable=breakable,
            inline=inline,
            markdown=guides.to_html,
            highlight=highlight,
            item=vector_item,
            anchor=anchor,
            json=lambda value: json.dumps(value, ensure_ascii=False),
            actor=lambda name: {"nobody": "Nobody", "bot": "The bot"}.get(name, name.capitalize()),
        )
        self._env.tests.update(
            vector=lambda tl_type: vector_item(tl_type) is not None,
            simple=lambda tl_type: tl_type.lstrip("!") in SIMPLE,
            known=model.has,
        )
        self._env.globals.update(
            programs=programs,
            callers=callers,
            layer=LAYER,
            first_layer=FIRST_LAYER,
            version=__version__,
            live=live,
            pickers=PICKERS,
            guide=guides.guide,
            section=guides.section,
        )

    # ── addresses ────────────────────────────────────────────────────────────────────────────

    def addresses(self) -> Iterable[str]:
        """Give the address of every page."""
        yield from ("index.html", "methods.html", "constructors.html", "types.html", "errors.html")
        yield from ("changes.html", "guides.html")
        for kind, names in self._named().items():
            for name in names:
                yield address(kind, name)

    def _named(self) -> dict[str, Iterable[str]]:
        return {
            "method": self.model.methods,
            "constructor": self.model.constructors,
            "type": self.model.types,
            "error": self.model.errors,
            "layer": [str(number) for number in range(FIRST_LAYER + 1, LAYER + 1)],
            "guide": [guide.name for guide in guides.all_guides()],
        }

    def render(self, where: str) -> str | None:
        """Give the HTML of an address; None if there is no such page."""
        folder, _, name = where.removesuffix(".html").rpartition("/")
        if not where.endswith(".html"):
            return None
        if not folder:
            page = getattr(self, f"_{name}", None) if name in TOP_PAGES else None
            return page() if page is not None else None
        if folder not in FOLDERS:
            return None
        try:
            made: str = getattr(self, f"_{folder}")(name)
        except KeyError:
            return None
        return made

    # ── pages ────────────────────────────────────────────────────────────────────────────────

    def _method(self, name: str) -> str:
        return self._page("method.html", self.model.method(name))

    def _constructor(self, name: str) -> str:
        return self._page("constructor.html", self.model.constructor(name))

    def _type(self, name: str) -> str:
        return self._page("type.html", self.model.type(name))

    def _error(self, name: str) -> str:
        return self._page("error.html", self.model.error(name))

    def _layer(self, name: str) -> str:
        if not re.fullmatch("[0-9]{3}", name) or not FIRST_LAYER < int(name) <= LAYER:
            raise KeyError(name)
        number = int(name)
        changes = layer_changes(number)
        return self._made(
            "layer.html",
            "../",
            title=f"Layer {number}",
            number=number,
            new=changes.added,
            changed=changes.changed,
            gone=changes.removed,
        )

    def _guide(self, name: str) -> str:
        guide = guides.guide(name)
        return self._made(
            "guide.html", "../", title=guide.title, body=guides.to_html(guide.text, guide=True)
        )

    def _index(self) -> str:
        return self._made(
            "index.html",
            "",
            title="Telegram's API",
            coverage=self.model.coverage(),
            constructors=len(self.model.constructors),
            types=len(self.model.types),
            errors=len(self.model.errors),
            guides=guides.all_guides(),
            namespaces=[(group.name, len(group.pages)) for group in self._method_groups],
        )

    def _guides(self) -> str:
        return self._made("guides.html", "", title="Guides", guides=guides.all_guides())

    def _methods(self) -> str:
        return self._list("Methods", self._method_groups)

    def _constructors(self) -> str:
        pages = map(self.model.constructor, self.model.constructors)
        return self._list("Constructors", _by_namespace(pages))

    def _types(self) -> str:
        return self._list("Types", _by_namespace(map(self.model.type, self.model.types)))

    def _errors(self) -> str:
        groups: dict[str, list[ErrorPage]] = {}
        for name in self.model.errors:
            page = self.model.error(name)
            codes = ", ".join(map(str, page.codes[:1])) or "Others"
            groups.setdefault(codes, []).append(page)
        ordered = sorted(groups.items(), key=lambda item: (not item[0][-1].isdigit(), item[0]))
        return self._list("Errors", [Group(name, tuple(pages)) for name, pages in ordered])

    def _changes(self) -> str:
        rows = []
        for number in range(LAYER, FIRST_LAYER, -1):
            found = layer_changes(number)
            rows.append(
                {
                    "number": number,
                    "new": len(found.added),
                    "changed": len(found.changed),
                    "gone": len(found.removed),
                }
            )
        return self._made("layers.html", "", title="Layers", rows=rows)

    # ── parts ────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _method_groups(self) -> list[Group]:
        return _by_namespace(map(self.model.method, self.model.methods))

    def search_index(self) -> str:
        """Give the script with the kind, name and sentence of every page."""
        entries = [["guide", guide.name, guide.title] for guide in guides.all_guides()]
        for names in (
            self.model.methods,
            self.model.constructors,
            self.model.types,
            self.model.errors,
        ):
            for page in map(self.model.find, names):
                if page is not None:
                    entries.append([page.kind, page.name, page.about.text])
        return f"window.RADIOGRAM_INDEX = {msgspec.json.encode(entries).decode()};\n"

    def _list(self, title: str, groups: Iterable[Group], intro: str = "") -> str:
        return self._made("list.html", "", title=title, groups=list(groups), intro=intro)

    def _page(self, template: str, page: Page) -> str:
        return self._made(template, "../", title=page.name, page=page)

    def _made(self, template: str, root: str, **values: Any) -> str:
        return self._env.get_template(template).render(
            root=root, address=lambda kind, name: root + address(kind, name), **values
        )


TOP_PAGES = ("index", "methods", "constructors", "types", "errors", "changes", "guides")


def address(kind: str, name: str) -> str:
    """Give the address of a page, from the root of the site."""
    return f"{kind}/{quote(name)}.html"


def static(name: str) -> bytes:
    """Give a file that pages use. Raises KeyError."""
    if name not in (*STATIC, "explorer.js"):
        raise KeyError(name)
    return (files("radiogram.docs") / "static" / name).read_bytes()


@cache
def layer_changes(number: int) -> Diff:
    """Compare a layer with the one before."""
    return diff(number - 1, number)


def breakable(text: str) -> Markup:
    """Let a long name break between its words."""
    escaped = str(escape(text))
    return Markup(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[._])(?=\w)", "<wbr>", escaped))  # noqa: S704


def inline(text: str) -> Markup:
    """Show what stands between backquotes as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def anchor(name: str) -> str:
    """Make the name of a heading into an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@cache
def _lexer(language: str) -> Lexer:
    from pygments.lexers import get_lexer_by_name

    lexer: Lexer = get_lexer_by_name({"sh": "bash"}.get(language, language))
    return lexer


def highlight(text: str, language: str) -> Markup:
    """Colour a program."""
    from pygments import highlight as coloured
    from pygments.formatters import HtmlFormatter

    made: str = coloured(text, _lexer(language), HtmlFormatter(nowrap=True))
    return Markup(made)  # noqa: S704


def _by_namespace(pages: Iterable[Page]) -> list[Group]:
    groups: dict[str, list[Page]] = {}
    for page in pages:
        groups.setdefault(page.name.rpartition(".")[0] or "base", []).append(page)
    return [Group(name, tuple(found)) for name, found in sorted(groups.items())]
