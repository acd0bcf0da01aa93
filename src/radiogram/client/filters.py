"""Layer 4, client: conditions on events that programs need often.

Knows events. Each is a Filter; combine them with ``&``, ``|`` and ``~``.
"""

from __future__ import annotations

import re
from typing import Any

from radiogram.client.events import Event, Filter, MessageEvent

incoming: Filter[Any] = Filter(lambda event: not event.out, "incoming")
"""Messages that others sent."""
outgoing: Filter[Any] = Filter(lambda event: event.out, "outgoing")
"""Messages that this account sent, from whatever device."""
private: Filter[Any] = Filter(lambda event: event.is_private, "private")
"""What happens in private chats."""
group: Filter[Any] = Filter(lambda event: event.is_group, "group")
"""What happens in basic groups and supergroups."""
channel: Filter[Any] = Filter(lambda event: event.is_channel, "channel")
"""What happens in broadcast channels."""
reply: Filter[Any] = Filter(
    lambda event: getattr(event.raw.reply_to, "reply_to_msg_id", None) is not None, "reply"
)
"""Messages that reply to another."""
forwarded: Filter[Any] = Filter(
    lambda event: getattr(event.raw, "fwd_from", None) is not None, "forwarded"
)
"""Messages that were forwarded."""


def chat(*ids: int) -> Filter[Any]:
    """What happens in one of some chats, by marked id."""
    wanted = frozenset(ids)

    def test(event: Event) -> bool:
        return event.chat_id in wanted

    return Filter(test, f"chat({', '.join(map(str, ids))})")


def sender(*ids: int) -> Filter[Any]:
    """Messages of some senders, by marked id."""
    wanted = frozenset(ids)

    def test(event: MessageEvent) -> bool:
        return event.sender_id in wanted

    return Filter(test, f"sender({', '.join(map(str, ids))})")


def text(wanted: str) -> Filter[Any]:
    """Messages with exactly this text, in whatever case."""
    folded = wanted.casefold()

    def test(event: MessageEvent) -> bool:
        return event.text.casefold() == folded

    return Filter(test, f"text({wanted!r})")


def regex(pattern: str | re.Pattern[str]) -> Filter[Any]:
    """Messages in whose text a regular expression is found."""
    compiled = re.compile(pattern)

    def test(event: MessageEvent) -> bool:
        return compiled.search(event.text) is not None

    return Filter(test, f"regex({compiled.pattern!r})")


def command(*names: str, prefix: str = "/") -> Filter[Any]:
    """Messages that begin with a bot command: ``/start``, ``/start@my_bot argument``."""
    wanted = frozenset(name.casefold() for name in names)
    shape = re.compile(rf"{re.escape(prefix)}(\w+)(?:@\w+)?(?:\s|$)")

    def test(event: MessageEvent) -> bool:
        match = shape.match(event.text)
        return match is not None and (not wanted or match[1].casefold() in wanted)

    return Filter(test, f"command({', '.join(map(repr, names))})")
