"""Server layer: one data centre that a server plays: an address, and the key exchanges there.

Knows which DC a client may mean, and where keys go that were made. Knows no socket's inside, no
session and no call: all DCs of a server share one world.
"""

from __future__ import annotations

import asyncio

from radiogram.crypto.rsa import PrivateKey
from radiogram.mtproto.handshake import ServerHandshakes
from radiogram.mtproto.message import pack_plain
from radiogram.server.world import World

TEST_DC = 10000
"""What the id of a test DC is raised by on the wire (D4)."""


class DataCenter:
    """One DC of a server; it is an address that clients take as their ``server=``."""

    def __init__(self, dc_id: int, key: PrivateKey, world: World, *, host: str) -> None:
        self.dc_id = dc_id
        self.host = host
        self.port = 0
        """Known once it listens."""
        self.listener: asyncio.Server | None = None
        self._key = key
        self._world = world
        self._last_plain_id = 0
        self._handshakes = ServerHandshakes(
            key,
            dc_id=dc_id,
            random=world.random,
            accept_dc=self._accepts,
            is_taken=world.authorizations.exists,
            spoiling=self._spoiling,
        )

    def __repr__(self) -> str:
        return f"<DataCenter {self.dc_id} at {self.host}:{self.port}>"

    @property
    def public_key(self) -> str:
        """The key that a client needs, in PEM form (PKCS#1): the same in every DC."""
        return self._key.public.to_pem()

    def key_exchange(self, body: bytes) -> tuple[bytes | None, int | None]:
        """Take one step of a key exchange: the packet to answer with, the error to answer with."""
        now = self._world.clock.now()
        outcome = self._handshakes.handle(body, now=now)
        if outcome.result is not None:  # kept before the client hears of it
            self._world.authorizations.add(
                outcome.result.auth_key,
                dc_id=self.dc_id,
                first_salt=outcome.result.salt,
                expires_at=outcome.result.expires_at,
                media=(outcome.result.dc or 0) < 0,
            )
        if outcome.reply is None:
            return None, outcome.error
        # Server ids of answers are 1 modulo 4, and never repeat (A3.1, A4.5).
        msg_id = max(int(now * 2**32) & ~3 | 1, self._last_plain_id + 4)
        self._last_plain_id = msg_id
        return pack_plain(msg_id, outcome.reply), outcome.error

    def forget_exchanges(self) -> None:
        """Forget the key exchanges that are under way, as in a restart (E24)."""
        self._handshakes.forget()

    def _spoiling(self, step: str) -> str:
        """Return what is to be wrong with an answer of a key exchange (E28)."""
        faults = self._world.faults
        fault = faults.of_exchange(step) if faults.exchanges else None
        return fault.kind if fault is not None else ""

    def _accepts(self, dc: int) -> bool:
        """Tell whether a client means this DC (A3.7); negative: its media-only side."""
        return abs(dc) == self.dc_id + (TEST_DC if self._world.settings.test_mode else 0)
