"""Layer 4, client: a session that lives as long as the object.

Knows how to index peers. Must not know files or formats.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from radiogram.client.sessions.base import PeerRecord, SessionData, State


class MemorySession:
    """Keep the account's data in memory only; it is gone with the process."""

    def __init__(self, data: SessionData | None = None) -> None:
        self._data = data or SessionData()
        self._peers: dict[int, PeerRecord] = {}
        self._usernames: dict[str, int] = {}
        self._phones: dict[str, int] = {}
        self._state: State | None = None
        self._channels: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._data} peers={len(self._peers)}>"

    @property
    def data(self) -> SessionData:
        """Where the account lives and how to get in."""
        return self._data

    @data.setter
    def data(self, value: SessionData) -> None:
        self._data = value

    @property
    def peers(self) -> tuple[PeerRecord, ...]:
        """Every peer that is remembered."""
        return tuple(self._peers.values())

    def remember(self, peers: Iterable[PeerRecord]) -> None:
        """Keep these peers, in place of what was known of them."""
        for peer in peers:
            known = self._peers.get(peer.marked_id)
            if known == peer:
                continue
            if known is not None:
                self._unlist(known)
            self._peers[peer.marked_id] = peer
            for username in peer.usernames:
                self._usernames[username] = peer.marked_id
            if peer.phone:
                self._phones[peer.phone] = peer.marked_id

    def by_id(self, marked_id: int) -> PeerRecord | None:
        """Find a peer by its marked id."""
        return self._peers.get(marked_id)

    def by_username(self, username: str) -> PeerRecord | None:
        """Find the peer last seen with a username (lower case, no "@")."""
        marked_id = self._usernames.get(username)
        return None if marked_id is None else self._peers.get(marked_id)

    def by_phone(self, phone: str) -> PeerRecord | None:
        """Find the user last seen with a phone number (digits)."""
        marked_id = self._phones.get(phone)
        return None if marked_id is None else self._peers.get(marked_id)

    def lines(self) -> tuple[State | None, dict[int, int]]:
        """Tell where updates stood: the account's state if any, and the pts of channels by id."""
        return self._state, dict(self._channels)

    def keep_line(self, channel_id: int | None, state: State | int) -> None:
        """Note where updates stand: of a channel its pts, without a channel the account's state."""
        if channel_id is None and isinstance(state, State):
            self._state = state
        elif channel_id is not None and isinstance(state, int):
            self._channels[channel_id] = state

    def forget_line(self, channel_id: int) -> None:
        """Drop what is known of a channel's updates."""
        self._channels.pop(channel_id, None)

    def forget(self) -> None:
        """Drop the key, the account, its updates and all peers; the address stays."""
        self._data = replace(self._data, auth_key=b"", user_id=0, is_bot=False)
        self._peers.clear()
        self._usernames.clear()
        self._phones.clear()
        self._state = None
        self._channels.clear()

    def _unlist(self, known: PeerRecord) -> None:
        """Drop the names that lead to a record, unless another peer has them by now."""
        for username in known.usernames:
            if self._usernames.get(username) == known.marked_id:
                del self._usernames[username]
        if self._phones.get(known.phone) == known.marked_id:
            del self._phones[known.phone]
