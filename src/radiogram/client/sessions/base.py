"""Layer 4, client: the protocol that every kind of session follows.

Knows which facts survive a process: where the account lives, the key, who is signed in, the access
hashes of peers that were seen, and how far updates were dealt with. Must not know how a client uses
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec


class SessionData(msgspec.Struct, frozen=True, gc=False):
    """Where an account lives and how to get in."""

    dc_id: int = 0
    """Data centre that the key belongs to; 0 when none was chosen yet."""
    host: str = ""
    """Address of that data centre; empty when it is not known."""
    port: int = 0
    auth_key: bytes = b""
    """256 bytes; empty before the key exchange."""
    user_id: int = 0
    """Account that is signed in; 0 when nobody is, as far as is known."""
    is_bot: bool = False
    test_mode: bool = False
    """True for Telegram's test environment."""

    def __repr__(self) -> str:
        key = "with a key" if self.auth_key else "without a key"
        return (
            f"<SessionData DC {self.dc_id} at {self.host}:{self.port}, {key}, "
            f"user_id={self.user_id}, is_bot={self.is_bot}, test_mode={self.test_mode}>"
        )


class PeerRecord(msgspec.Struct, frozen=True, gc=False):
    """What must be remembered of a peer to address it again."""

    marked_id: int
    """See :mod:`radiogram.client.ids`."""
    access_hash: int = 0
    """Valid for this account only; basic groups have none."""
    usernames: tuple[str, ...] = ()
    """Without "@", in lower case."""
    phone: str = ""
    """Digits only."""

    def __repr__(self) -> str:
        return f"PeerRecord(marked_id={self.marked_id}, usernames={self.usernames})"


class State(msgspec.Struct, frozen=True, gc=False):
    """Where the updates of the account stand, apart from those of channels (C0.3.1)."""

    pts: int = 0
    qts: int = 0
    date: int = 0
    seq: int = 0


class Session(Protocol):
    """Keeps one account's data. All methods are quick and do not wait."""

    @property
    def data(self) -> SessionData:
        """Where the account lives and how to get in."""
        ...

    @data.setter
    def data(self, value: SessionData) -> None: ...

    def remember(self, peers: Iterable[PeerRecord]) -> None:
        """Keep these peers, in place of what was known of them."""

    def by_id(self, marked_id: int) -> PeerRecord | None:
        """Find a peer by its marked id."""

    def by_username(self, username: str) -> PeerRecord | None:
        """Find the peer last seen with a username (lower case, no "@")."""

    def by_phone(self, phone: str) -> PeerRecord | None:
        """Find the user last seen with a phone number (digits)."""

    def lines(self) -> tuple[State | None, dict[int, int]]:
        """Tell where updates stood: the account's state if any, and the pts of channels by id."""
        ...

    def keep_line(self, channel_id: int | None, state: State | int) -> None:
        """Note where updates stand: of a channel its pts, without a channel the account's state.

        Everything before that was dealt with, so a later run goes on from there.
        """

    def forget_line(self, channel_id: int) -> None:
        """Drop what is known of a channel's updates."""

    def forget(self) -> None:
        """Drop the key, the account, its updates and all peers; the address stays."""
