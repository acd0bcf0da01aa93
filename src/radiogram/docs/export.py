"""Layer 5, docs: the site as files, which need no server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from radiogram.docs.html import STATIC, Site, static

_LINK = re.compile(r'<\w[^<>]*? (href|src)="([^"]*)"')
"""A link of a tag; what an example shows of one is text."""
_ID = re.compile(r' id="([^"]*)"')


def export(site: Site, target: Path) -> int:
    """Write every page and what they need below `target`; give the number of pages.

    Files of the same names are overwritten, others are left alone.
    """
    count = 0
    for where in site.addresses():
        text = site.render(unquote(where))
        assert text is not None, where
        path = target / unquote(where)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        count += 1
    (target / "static").mkdir(exist_ok=True)
    for name in STATIC:
        (target / "static" / name).write_bytes(static(name))
    (target / "static" / "index.js").write_text(site.search_index(), "utf-8")
    return count


def broken_links(target: Path) -> Iterator[str]:
    """Give each link of an exported site that leads to nothing, and each that leads outside."""
    ids: dict[Path, frozenset[str]] = {}
    for page in sorted(target.rglob("*.html")):
        text = page.read_text("utf-8")
        for attribute, link in sorted(set(_LINK.findall(text))):
            if re.match("https?:", link):
                if attribute == "src":
                    yield f"{page.relative_to(target)}: loads {link} from elsewhere"
                continue
            where, _, part = link.partition("#")
            path = (page.parent / unquote(where)).resolve() if where else page
            if not path.is_file():
                yield f"{page.relative_to(target)}: {link}"
            elif part and path.suffix == ".html":
                if path not in ids:
                    ids[path] = frozenset(_ID.findall(path.read_text("utf-8")))
                if part not in ids[path]:
                    yield f"{page.relative_to(target)}: {link} has no such heading"
