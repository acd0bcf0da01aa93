"""Layer 4, client: what methods of friendly objects pass on, for type checkers.

Knows the keyword parameters of the client's methods; tests compare them. Never loaded to run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from radiogram.client.objects.message import MessageLike
from radiogram.tl import api


class ReplyOptions(TypedDict, total=False):
    """Of ``client.send_message``, but for what is replied to."""

    topic: int | None
    silent: bool
    entities: Sequence[api.TypeMessageEntity] | None
    buttons: api.TypeReplyMarkup | None
    link_preview: bool
    protect: bool
    schedule: datetime | int | None
    send_as: api.PeerLike | None


class SendOptions(ReplyOptions, total=False):
    """Of ``client.send_message``."""

    reply_to: MessageLike | api.TypeInputReplyTo | None


class EditOptions(TypedDict, total=False):
    """Of ``client.edit_message``."""

    entities: Sequence[api.TypeMessageEntity] | None
    buttons: api.TypeReplyMarkup | None
    link_preview: bool


class ForwardOptions(TypedDict, total=False):
    """Of ``client.forward_messages``."""

    silent: bool
    hide_sender: bool
    protect: bool
    topic: int | None


class ListOptions(TypedDict, total=False):
    """Of ``client.iter_messages``."""

    limit: int | None
    before: MessageLike
    after: MessageLike
    search: str
    sender: api.PeerLike | None
    filter: api.TypeMessagesFilter | None


class PinnedOptions(TypedDict, total=False):
    """Of ``client.get_pinned_messages``."""

    topic: int | None
    limit: int | None


class ParticipantOptions(TypedDict, total=False):
    """Of ``client.iter_participants``."""

    limit: int | None
    search: str
    filter: api.TypeChannelParticipantsFilter | None
