"""What the chaos run calls one happening: from any library's update. Knows no library."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any


def key_of(update: Any) -> str | None:
    """Name what happened, alike pushed and fetched, for any account that it happened to.

    None for what no pts counts (who is online, who types) or what the run does not look at.
    """
    match type(update).__name__:
        case "UpdateNewMessage":
            return f"message {update.message.id}"
        case "UpdateNewChannelMessage":
            return f"{update.message.peer_id.channel_id}: message {update.message.id}"
        case "UpdatePinnedMessages":
            return f"pin {update.pts}"
        case "UpdatePinnedChannelMessages":
            return f"{update.channel_id}: pin {update.pts}"
    return None


def sent_id(result: Any) -> int:
    """Return the id of the message that a call has sent, from its result."""
    if type(result).__name__ == "UpdateShortSentMessage":
        return int(result.id)
    (found,) = [u.id for u in result.updates if type(u).__name__ == "UpdateMessageID"]
    return int(found)


def out_of_order(keys: Iterable[str]) -> int:
    """Count the boxes in which new messages were told in another order than that of their ids.

    Repetitions, which at-least-once allows, are left out.
    """
    boxes: dict[str, list[int]] = {}
    for key in dict.fromkeys(keys):
        box, _, what = key.rpartition(": ")
        kind, _, number = what.partition(" ")
        if kind == "message":
            boxes.setdefault(box, []).append(int(number))
    return sum(any(a > b for a, b in pairwise(ids)) for ids in boxes.values())
