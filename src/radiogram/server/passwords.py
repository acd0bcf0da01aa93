"""Server layer: two-step verification: what is stored of a password, and how one is proved (C1.1).

Knows the ``passwords`` table and the arithmetic of :mod:`radiogram.crypto.srp`. Knows who must
prove a password, and no method.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select, update

from radiogram.crypto.dh import PRIME
from radiogram.crypto.srp import MAX_SALT, Algo, ServerProof, new_salt, new_verifier
from radiogram.server import accounts
from radiogram.server.rpc import Context, RpcFault
from radiogram.server.tables import passwords
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.settings import Settings

DAY = 86400
CHECKS_KEPT = 10_000
MAX_EMAIL = 128
EMAIL_CODE_LENGTH = 6

_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)


def load(tx: Connection, user_id: int) -> Row[Any] | None:
    """Return what is stored of an account's password; None if it never had one."""
    return tx.execute(select(passwords).where(passwords.c.user_id == user_id)).first()


def save(tx: Connection, user_id: int, **values: object) -> None:
    """Write columns of an account's row, made if there is none."""
    if load(tx, user_id) is None:
        tx.execute(insert(passwords).values(user_id=user_id))
    tx.execute(update(passwords).where(passwords.c.user_id == user_id).values(**values))


def is_set(row: Row[Any] | None) -> bool:
    """Whether a password is in force."""
    return row is not None and row.verifier is not None


def remove(tx: Connection, user_id: int) -> None:
    """Take a password away with all that belongs to it."""
    row = load(tx, user_id)
    save(
        tx,
        user_id,
        version=(row.version if row is not None else 0) + 1,
        salt1=None,
        salt2=None,
        verifier=None,
        hint="",
        email=None,
        secure=None,
        recovery_code=None,
        recovery_since=None,
        reset_at=None,
        **NOTHING_WAITS,
    )


NOTHING_WAITS: dict[str, None] = {"waiting": None, "waiting_code": None, "waiting_since": None}
"""The columns of settings that wait for an e-mail code, when none do."""


# ------------------------------------------------------------------ setting one


def offered(tx: Connection, user_id: int, version: int) -> Algo:
    """Return what the next password of an account is to be hashed with.

    Its first salt is a beginning, to which the client adds 32 bytes. The same until the password
    changes, without being stored.
    """
    secret = bytes(accounts.own(tx, user_id).access_secret)
    salts = hashlib.sha512(b"password %d" % version + secret).digest()
    return Algo(salts[:8], salts[8:24])


def check_new(
    tx: Connection, user_id: int, version: int, settings: api.account.PasswordInputSettings
) -> None:
    """Check what a client wants to have stored. Faults: NEW_SALT_INVALID, NEW_SETTINGS_INVALID."""
    algo, v = settings.new_algo, settings.new_password_hash or b""
    if not v:  # no password from now on, whatever it would have been hashed with
        return
    if isinstance(algo, api.PasswordKdfAlgoUnknown) or algo is None:
        raise RpcFault(400, "NEW_SETTINGS_INVALID")
    offer = offered(tx, user_id, version)
    begins = algo.salt1.startswith(offer.salt1) and len(algo.salt1) > len(offer.salt1)
    if not begins or len(algo.salt1) > MAX_SALT or algo.salt2 != offer.salt2:
        raise RpcFault(400, "NEW_SALT_INVALID")
    if algo.g != offer.g or int.from_bytes(algo.p, "big") != offer.p:
        raise RpcFault(400, "NEW_SETTINGS_INVALID")
    if len(v) > 256 or not 1 < int.from_bytes(v, "big") < PRIME:
        raise RpcFault(400, "NEW_SETTINGS_INVALID")


def store_password(
    tx: Connection,
    user_id: int,
    password: str,
    *,
    hint: str,
    email: str,
    random: Callable[[int], bytes],
    now: int,
) -> None:
    """Put a password into force as if its owner had; an empty one takes it away.

    One that is in force already stays as it is stored; hint and address become those given.
    """
    if not password:
        remove(tx, user_id)
        return
    row = load(tx, user_id)
    if row is not None and row.verifier is not None:
        stored = Algo(bytes(row.salt1), bytes(row.salt2))
        if new_verifier(stored, password.encode()) == bytes(row.verifier):
            save(tx, user_id, hint=hint, email=email or None)
            return
    version = row.version if row is not None else 0
    offer = offered(tx, user_id, version)
    algo = Algo(new_salt(offer.salt1, random), offer.salt2)
    save(
        tx,
        user_id,
        version=version + 1,
        salt1=algo.salt1,
        salt2=algo.salt2,
        verifier=new_verifier(algo, password.encode()),
        hint=hint,
        email=email or None,
        changed=now,
        reset_at=None,
    )


def is_email(email: str) -> bool:
    """Tell whether a text has the form of an e-mail address."""
    return len(email) <= MAX_EMAIL and _EMAIL.fullmatch(email) is not None


def check_email(email: str) -> str:
    """Return an address as it is stored. Fault: EMAIL_INVALID."""
    if not is_email(email.strip()):
        raise RpcFault(400, "EMAIL_INVALID")
    return email.strip()


def email_pattern(email: str) -> str:
    """Return an address as it is shown to somebody who should know it already."""
    name, _, domain = email.rpartition("@")
    return f"{name[0]}{'*' * max(3, len(name) - 2)}{name[-1] if len(name) > 1 else ''}@{domain}"


def email_code(random: Callable[[int], bytes]) -> str:
    """Make a code for an e-mail."""
    return f"{int.from_bytes(random(8), 'big') % 10**EMAIL_CODE_LENGTH:0{EMAIL_CODE_LENGTH}d}"


# ------------------------------------------------------------------ proving one


@dataclass(frozen=True, slots=True)
class _Check:
    user_id: int
    version: int
    proof: ServerProof
    expires: float


class PasswordChecks:
    """The checks that were begun and not used yet, and who failed lately.

    In memory only: whoever loses a check to a restart is told SRP_ID_INVALID, and begins again.
    """

    def __init__(self, settings: Settings, random: Callable[[int], bytes]) -> None:
        self._settings = settings
        self._random = random
        self._open: dict[int, _Check] = {}
        self._failures: dict[int, list[float]] = {}

    def begin(self, user_id: int, row: Row[Any], now: float) -> tuple[int, bytes]:
        """Begin a check of an account's password; return ``srp_id`` and ``srp_B``."""
        algo = Algo(bytes(row.salt1), bytes(row.salt2))
        proof = ServerProof(algo, int.from_bytes(bytes(row.verifier), "big"), self._random)
        srp_id = int.from_bytes(self._random(8), "little", signed=True)
        expires = now + self._settings.password_check_lifetime
        self._open[srp_id] = _Check(user_id, row.version, proof, expires)
        if len(self._open) > CHECKS_KEPT:
            del self._open[next(iter(self._open))]
        return srp_id, proof.B

    def prove(
        self, user_id: int, row: Row[Any] | None, given: api.TypeInputCheckPasswordSRP, now: float
    ) -> None:
        """Take a client's proof of a password, which uses up its check.

        Nothing needs to be proved where no password is set. Faults: PASSWORD_HASH_INVALID,
        SRP_ID_INVALID, SRP_PASSWORD_CHANGED, FLOOD_WAIT_X.
        """
        if isinstance(given, api.InputCheckPasswordEmpty):
            if is_set(row):
                raise RpcFault(400, "PASSWORD_HASH_INVALID")
            return
        wait = self.wait(user_id, now)
        if wait:
            raise RpcFault(420, f"FLOOD_WAIT_{wait}")
        check = self._open.pop(given.srp_id, None)
        if check is None or check.user_id != user_id or now >= check.expires:
            raise RpcFault(400, "SRP_ID_INVALID")
        if row is None or row.version != check.version:
            raise RpcFault(400, "SRP_PASSWORD_CHANGED")
        if not check.proof.verify(given.A, given.M1):
            self._failures.setdefault(user_id, []).append(now)
            raise RpcFault(400, "PASSWORD_HASH_INVALID")
        self._failures.pop(user_id, None)

    def wait(self, user_id: int, now: float) -> int:
        """Return the seconds until an account may be tried again; 0: at once."""
        limit = self._settings.password_attempts
        if not limit:
            return 0
        failures = [when for when in self._failures.get(user_id, ()) if when > now - DAY]
        if failures:
            self._failures[user_id] = failures
        return int(failures[-limit] + DAY - now) + 1 if len(failures) >= limit else 0


def prove(ctx: Context, user_id: int, given: api.TypeInputCheckPasswordSRP) -> Row[Any] | None:
    """Have the caller prove an account's password, and return what is stored of it."""
    row = load(ctx.tx, user_id)
    ctx.world.password_checks.prove(user_id, row, given, ctx.world.clock.now())
    return row
