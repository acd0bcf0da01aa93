"""Layer 2: server salts, as the server makes them and as a client plans them.

Knows only arithmetic on time.  Must not know sessions.
"""

from __future__ import annotations

import hmac
from math import inf
from typing import NamedTuple

EPOCH = 1800
"""Seconds for which a salt is the current one; it is accepted for as long again (A6.1)."""
MAX_FUTURE = 64


class FutureSalt(NamedTuple):
    """A salt and when it may be used: unix seconds of the server's clock."""

    valid_since: int
    valid_until: int
    salt: int


class SaltBook:
    """The salts of one key.

    They are made from a secret of the server's, so that they are the same after a restart.  `first`
    is the salt that the key exchange left both sides with; it is good for an hour from `created`,
    or for ever if that is not told.
    """

    __slots__ = ("_accepted", "_epoch", "_key_id", "_secret", "_until", "first")

    def __init__(
        self,
        secret: bytes,
        key_id: bytes,
        *,
        first: int | None = None,
        created: float = inf,
    ) -> None:
        self._secret = secret
        self._key_id = key_id
        self.first = first
        self._until = created + 2 * EPOCH
        self._epoch = -1
        self._accepted: tuple[int, int] = (0, 0)

    def current(self, now: float) -> int:
        """Return the salt to announce."""
        self._turn(now)
        return self._accepted[0]

    def accepted(self, salt: int, now: float) -> bool:
        """Tell whether a client may use a salt now: the current, the previous or the first one."""
        self._turn(now)
        return salt in self._accepted or (salt == self.first and salt != 0 and now < self._until)

    def future(self, count: int, now: float) -> list[FutureSalt]:
        """Return the current salt and those after it, at most 64, earliest first (A6.3)."""
        epoch = int(now // EPOCH)
        return [
            FutureSalt(e * EPOCH, (e + 2) * EPOCH, self._salt(e))
            for e in range(epoch, epoch + max(1, min(count, MAX_FUTURE)))
        ]

    def _turn(self, now: float) -> None:
        epoch = int(now // EPOCH)
        if epoch != self._epoch:
            self._epoch = epoch
            self._accepted = self._salt(epoch), self._salt(epoch - 1)

    def _salt(self, epoch: int) -> int:
        text = self._key_id + epoch.to_bytes(8, "little", signed=True)
        digest = hmac.digest(self._secret, text, "sha256")
        # Restored sessions start with a salt of 0, which must not be good by accident (A6.2).
        return int.from_bytes(digest[:8], "little", signed=True) or 1
