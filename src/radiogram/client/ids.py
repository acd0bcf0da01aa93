"""Layer 4, client: one number for every peer, as bots and links write it.

Users keep their id, basic groups are negative, channels are below -1000000000000 ("-100...").
Knows only arithmetic.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

CHANNEL_BASE = 1_000_000_000_000
MAX_ID = (1 << 53) - 1
"""Larger numbers are no ids of Telegram's."""

PeerKind = Literal["user", "chat", "channel"]


class PeerId(NamedTuple):
    """What a marked id stands for."""

    kind: PeerKind
    id: int


def mark_chat(chat_id: int) -> int:
    """Give the marked id of a basic group."""
    return -chat_id


def mark_channel(channel_id: int) -> int:
    """Give the marked id of a channel or supergroup."""
    return -CHANNEL_BASE - channel_id


def unmark(marked: int) -> PeerId | None:
    """Tell which peer a marked id stands for; None if it stands for none."""
    if 0 < marked <= MAX_ID:
        return PeerId("user", marked)
    if -CHANNEL_BASE < marked < 0:
        return PeerId("chat", -marked)
    if -CHANNEL_BASE - MAX_ID <= marked < -CHANNEL_BASE:
        return PeerId("channel", -CHANNEL_BASE - marked)
    return None
