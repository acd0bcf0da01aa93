"""Layer 4, client: what ends a session for good, and what to do then.

Knows the errors after which trying again is of no use. Must not know connections.
"""

from __future__ import annotations

import msgspec

from radiogram import errors

_SIGN_IN = "sign in again: call `client.session.forget()`, then `await client.start(...)`"

REMEDIES = {
    "AUTH_KEY_UNREGISTERED": f"the login was ended elsewhere or has expired; {_SIGN_IN}",
    "AUTH_KEY_INVALID": f"the server does not accept the key; {_SIGN_IN}",
    "AUTH_KEY_DUPLICATED": (
        "two programs used the session at the same time, and it is dead for both; give each "
        f"program a session of its own, and {_SIGN_IN}"
    ),
    "SESSION_REVOKED": f"the login was ended from another device; {_SIGN_IN}",
    "SESSION_EXPIRED": f"the login has expired; {_SIGN_IN}",
    "USER_DEACTIVATED": "the account was deleted; sign in with another one",
    "USER_DEACTIVATED_BAN": (
        "the account was banned; write to recover@telegram.org, or sign in with another one"
    ),
    "KEY_UNKNOWN": f"the key was deleted, or belongs to another server; {_SIGN_IN}",
    "KEY_DESTROYED": f"the key was destroyed; {_SIGN_IN}",
}
"""What to do about each reason: names of Telegram's errors, and two of our own."""

_NOBODY = {"AUTH_KEY_INVALID", "AUTH_KEY_DUPLICATED"}
"""Those that mean the same when nobody is signed in. The others then are ordinary answers."""


class Ended(msgspec.Struct, frozen=True):
    """A client is over, though nobody has disconnected it: what its events carry as update."""

    error: errors.RadiogramError

    @property
    def reason(self) -> str:
        """Name what happened."""
        error = self.error
        if isinstance(error, errors.RpcError):
            return error.name
        if isinstance(error, errors.KeyUnknown):
            return "KEY_UNKNOWN"
        if isinstance(error, errors.KeyDestroyed):
            return "KEY_DESTROYED"
        return type(error).__name__

    @property
    def is_session(self) -> bool:
        """Whether the session is of no more use; else only the connection was lost."""
        return self.reason in REMEDIES

    @property
    def remedy(self) -> str:
        """Say what to do."""
        return REMEDIES.get(self.reason) or (
            "see that the server can be reached, then call `await client.connect()`"
        )


def ends_session(error: errors.RpcError, *, signed_in: bool) -> bool:
    """Tell whether an answer means that the session is of no more use (E11, E12, E14)."""
    return error.code in (401, 406) and error.name in (REMEDIES if signed_in else _NOBODY)
