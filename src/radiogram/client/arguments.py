"""Layer 4, client: what TelegramClient is made with, looked at before it is used.

Knows which values make sense, each for itself. Must not know what goes together with what.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from radiogram.client.sessions import Session, StringSession
from radiogram.errors import ClientError


def check_account(api_id: int, api_hash: str) -> None:
    """Refuse what my.telegram.org does not give. Raises ClientError."""
    if type(api_id) is not int or api_id <= 0:
        raise ClientError(
            f"api_id must be the positive number from my.telegram.org, not {api_id!r}"
        )
    if not isinstance(api_hash, str):
        raise ClientError(f"api_hash must be text, not {type(api_hash).__name__}")


def session_of(given: Session | str) -> Session:
    """Return a session; a text is read as one. Raises ClientError, SessionError."""
    if isinstance(given, str):
        return StringSession(given)
    if isinstance(given, type) or not hasattr(given, "data"):
        raise ClientError(
            f"session= takes a session string or a session, not {type(given).__name__}; for a file "
            'give SqliteSession("name"), for a new account StringSession("")'
        )
    return given


def check_limits(
    *, timeout: float, flood_sleep_threshold: float, reconnect_attempts: int | None
) -> None:
    """Refuse times and numbers that cannot be kept to. Raises ClientError."""
    if not _is_number(timeout) or timeout <= 0:
        raise ClientError(f"timeout= takes a number of seconds above 0, not {timeout!r}")
    if not _is_number(flood_sleep_threshold) or flood_sleep_threshold < 0:
        raise ClientError(
            "flood_sleep_threshold= takes a number of seconds, 0 for never, not "
            f"{flood_sleep_threshold!r}"
        )
    if reconnect_attempts is not None and (
        type(reconnect_attempts) is not int or reconnect_attempts < 0
    ):
        raise ClientError(
            "reconnect_attempts= takes a whole number, or None for as often as it takes, not "
            f"{reconnect_attempts!r}"
        )


def tokens_of(given: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return what log-outs have left. Raises ClientError."""
    if isinstance(given, bytes | str) or not all(isinstance(one, bytes) for one in given):
        raise ClientError(
            "future_auth_tokens= takes a list of bytes, as client.future_auth_tokens has them"
        )
    return tuple(given)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and not math.isnan(value)
