"""Server layer: the text of a message and its entities (C0.2.4, C0.2.5).

Offsets and lengths of entities count UTF-16 code units. Knows how a text is cleaned, checked
and marked up; knows nothing of who writes to whom.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from msgspec.structs import replace

from radiogram.server.rpc import RpcFault
from radiogram.tl import api

MAX_ENTITIES = 100
"""Further entities of one message are left out."""
MAX_ENTITY_TEXT = 65536
"""Characters of all texts within entities (links, languages)."""

# Everything below U+0020 but tab and newline, and U+007F: shown as nothing, so stored as spaces.
_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127], " ")
_SURROGATE = re.compile("[\ud800-\udfff]")

_MAYBE_AUTOMATIC = re.compile(r"[@/#$+.]")


UserOf = Callable[[api.TypeInputUser], int]
"""From the InputUser of a caller to an id; raises RpcFault if there is no such account."""


class Formatted(NamedTuple):
    """A text that is fit to be stored."""

    text: str
    entities: list[api.TypeMessageEntity]


@cache
def _automatic_pattern() -> re.Pattern[str]:
    """Compiled when first needed: that takes a tenth of the server's start."""
    return re.compile(
        r"""
        (?P<email>(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b)
      | (?P<url>(?<![\w@/.])(?:
            (?:https?|ftp|tg|ton)://[^\s<>"]{1,2000}
          | (?:www\.)?(?:[A-Za-z0-9-]{1,63}\.){1,4}(?:com|org|net|me|io|dev|info|gov|edu)
            (?![\w.-])(?:[/?\#:][^\s<>"]{0,2000})?
        ))
      | (?P<mention>(?<![\w@/])@[A-Za-z][A-Za-z0-9_]{2,31}\b)
      | (?P<hashtag>(?<![\w\#])\#(?!\d+\b)\w{1,256})
      | (?P<cashtag>(?<![\w$])\$[A-Z]{1,8}\b)
      | (?P<bot_command>(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z][A-Za-z0-9_]{2,31})?\b)
      | (?P<phone>(?<![\w+])\+\d{7,15}\b)
        """,
        re.VERBOSE,
    )


def clean(text: str) -> str:
    """Replace what cannot be stored or shown; the length in UTF-16 units stays the same."""
    if not text.isprintable():
        text = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text.translate(_CONTROLS))
    return text


def utf16_length(text: str) -> int:
    """Count UTF-16 code units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def occurrences(whole: str, part: str) -> list[int]:
    """Return the UTF-16 offsets at which a text contains another."""
    found = []
    at = whole.find(part)
    while at >= 0:
        found.append(utf16_length(whole[:at]))
        at = whole.find(part, at + 1)
    return found


def prepare(
    text: str,
    entities: Sequence[api.TypeMessageEntity] | None,
    *,
    limit: int,
    user_of: UserOf,
    automatic: bool = True,
) -> Formatted:
    """Clean a text and its entities, and (if `automatic`) add those that are found in it.

    Whitespace at both ends is cut off before the length is looked at.
    Faults: MESSAGE_EMPTY, MESSAGE_TOO_LONG (more than `limit` code points),
    ENTITY_BOUNDS_INVALID, ENTITIES_TOO_LONG, ENTITY_MENTION_USER_INVALID.
    """
    if len(text) > 4 * limit + 1024:  # however much of it is space
        raise RpcFault(400, "MESSAGE_TOO_LONG")
    text = clean(text)
    marks = _check(text, entities or (), user_of)
    text, marks = _drop_carriage_returns(text, marks)
    text, marks = _trim(text, marks)
    if not text:
        raise RpcFault(400, "MESSAGE_EMPTY")
    if len(text) > limit:
        raise RpcFault(400, "MESSAGE_TOO_LONG")
    if automatic and _MAYBE_AUTOMATIC.search(text):
        marks += _automatic(text, marks)
    marks.sort(key=lambda entity: (entity.offset, -entity.length))
    return Formatted(text, marks[:MAX_ENTITIES])


def _check(
    text: str,
    entities: Sequence[Any],
    user_of: UserOf,
) -> list[Any]:
    if not entities:
        return []
    length = utf16_length(text)
    units = b"" if text.isascii() else text.encode("utf-16-le")
    size = 0
    good: list[Any] = []
    for entity in entities[: 10 * MAX_ENTITIES]:
        start, end = entity.offset, entity.offset + entity.length
        if start < 0 or entity.length < 0 or end > length:
            raise RpcFault(400, "ENTITY_BOUNDS_INVALID")
        if units and (_splits_pair(units, start) or _splits_pair(units, end)):
            raise RpcFault(400, "ENTITY_BOUNDS_INVALID")
        shown = _shown(entity, user_of)
        if shown is not None and entity.length:
            good.append(shown)
            size += sum(len(getattr(shown, name, "")) for name in ("url", "language", "old_text"))
    if size > MAX_ENTITY_TEXT:
        raise RpcFault(400, "ENTITIES_TOO_LONG")
    return good


def _shown(entity: Any, user_of: UserOf) -> Any:
    """Return an entity as others see it, None if they see none."""
    match entity:
        case api.InputMessageEntityMentionName():
            try:
                user_id = user_of(entity.user_id)
            except RpcFault:
                raise RpcFault(400, "ENTITY_MENTION_USER_INVALID") from None
            return api.MessageEntityMentionName(
                offset=entity.offset, length=entity.length, user_id=user_id
            )
        # A mention without an access hash proves nothing, so it is not a mention.
        case api.MessageEntityUnknown() | api.MessageEntityMentionName():
            return None
        case api.MessageEntityTextUrl():
            url = clean(entity.url).strip()
            return replace(entity, url=url) if url else None
        case api.MessageEntityPre():
            return replace(entity, language=clean(entity.language))
        case api.MessageEntityDiffReplace():
            return replace(entity, old_text=clean(entity.old_text))
        case _:
            return entity


def _splits_pair(units: bytes, offset: int) -> bool:
    """Tell whether an offset lies between the two halves of a surrogate pair."""
    high_byte = units[2 * offset + 1] if 2 * offset < len(units) else 0
    return 0xDC <= high_byte <= 0xDF


def _move(entity: Any, start: int, end: int) -> Any:
    return replace(entity, offset=start, length=end - start)


def _drop_carriage_returns(text: str, entities: list[Any]) -> tuple[str, list[Any]]:
    if "\r" not in text:
        return text, entities
    units = text.encode("utf-16-le")
    gone = [at // 2 for at in range(0, len(units), 2) if units[at : at + 2] == b"\r\0"]
    moved = []
    for entity in entities:
        start, end = entity.offset, entity.offset + entity.length
        start, end = start - bisect_left(gone, start), end - bisect_left(gone, end)
        if start < end:
            moved.append(_move(entity, start, end))
    return text.replace("\r", ""), moved


def _trim(text: str, entities: list[Any]) -> tuple[str, list[Any]]:
    stripped = text.strip()
    if len(stripped) == len(text) or not entities:
        return stripped, entities
    lead = utf16_length(text) - utf16_length(text.lstrip())
    last = utf16_length(stripped)
    moved = []
    for entity in entities:
        start = max(0, entity.offset - lead)
        end = min(last, entity.offset + entity.length - lead)
        if start < end:
            moved.append(_move(entity, start, end))
    return stripped, moved


_KINDS = {
    "email": api.MessageEntityEmail,
    "url": api.MessageEntityUrl,
    "mention": api.MessageEntityMention,
    "hashtag": api.MessageEntityHashtag,
    "cashtag": api.MessageEntityCashtag,
    "bot_command": api.MessageEntityBotCommand,
    "phone": api.MessageEntityPhone,
}
_STYLES = (
    api.MessageEntityBold,
    api.MessageEntityItalic,
    api.MessageEntityUnderline,
    api.MessageEntityStrike,
    api.MessageEntitySpoiler,
    api.MessageEntityBlockquote,
)
"""Entities within which, or around which, others may lie."""


def _automatic(text: str, entities: list[Any]) -> list[Any]:
    """Find links, mentions, tags and commands that the sender did not mark."""
    taken = [
        (entity.offset, entity.offset + entity.length)
        for entity in entities
        if not isinstance(entity, _STYLES)
    ]
    narrow = max(text) <= "\uffff"
    found = []
    for match in _automatic_pattern().finditer(text):
        kind = match.lastgroup or ""
        value = match.group()
        if kind == "url":
            value = value.rstrip(".,:;!?'\"")
            if value.endswith(")") and "(" not in value:
                value = value.rstrip(")")
        start = match.start() if narrow else utf16_length(text[: match.start()])
        end = start + utf16_length(value)
        if not any(start < other_end and other_start < end for other_start, other_end in taken):
            found.append(_KINDS[kind](offset=start, length=end - start))
    return found
