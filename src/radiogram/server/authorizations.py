"""Server layer: auth keys, who is logged in with them, and which sessions use them.

Knows the ``auth_keys`` table and a cache of the keys that are in use. Knows nothing of sockets,
packets or calls. An :class:`Authorization` is what Telegram calls by that name: one permanent
key and the account behind it. A temporary key (A16) stands for its permanent one once bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, delete, insert, literal, or_, select, update

from radiogram.crypto.keys import AuthKey
from radiogram.server.db import Database
from radiogram.server.tables import auth_keys, users
from radiogram.tl import api

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from radiogram.server.clock import Clock
    from radiogram.server.rpc import Caller, Context

DAY = 86400
ACTIVE_EVERY = 60
"""Seconds between two notes that a key is in use."""


@dataclass(slots=True, eq=False)
class Authorization:
    """One auth key as the server remembers it."""

    key: AuthKey | None = None
    """None for a call made in process."""
    dc_id: int = 0
    """The DC where it was made, and where alone it is known; 0 for a call made in process."""
    user_id: int = 0
    is_bot: bool = False
    pending_user_id: int = 0
    """The account that it would act for, if its two-step verification were not missing (C1)."""
    layer: int = 0
    """Layer of the last initConnection; 0 before the first."""
    api_id: int = 0
    device_model: str = ""
    system_version: str = ""
    app_version: str = ""
    system_lang_code: str = ""
    lang_pack: str = ""
    lang_code: str = ""
    created: int = 0
    last_active: int = 0
    hash: int = 0
    """The number by which account.getAuthorizations names it to other sessions."""
    expires_at: int | None = None
    """End of a temporary key's life; None for a permanent key."""
    first_salt: int = 0
    address: str = ""
    """Where its last connection came from."""
    fault: str | None = None
    """What the next call is answered instead of being executed, once (SESSION_REVOKED)."""
    permanent: Authorization | None = None
    """The authorization that a temporary key was bound to."""
    media: bool = False
    """Made for a media-only connection (A3.7)."""
    origin: bytes | None = None
    """Id of the key from which it was exported to this DC; None where the account logged in."""
    sessions: set[Caller] = field(default_factory=set)
    """Live sessions that act for it, through whatever key."""

    @property
    def key_id(self) -> bytes:
        """Id of the key in wire order; empty for a call made in process."""
        return self.key.key_id if self.key is not None else b""


_COLUMNS = (
    "layer",
    "api_id",
    "device_model",
    "system_version",
    "app_version",
    "system_lang_code",
    "lang_pack",
    "lang_code",
)


class AuthorizationBook:
    """All auth keys of a server."""

    def __init__(self, db: Database, clock: Clock, random: Callable[[int], bytes]) -> None:
        self._db = db
        self._clock = clock
        self._random = random
        self._in_use: dict[bytes, Authorization] = {}
        self._by_user: dict[int, set[Authorization]] = {}
        self.gone: Callable[[Authorization], object] = lambda key: None
        """Is told of every key that was forgotten, so that its sessions end."""
        with db.begin() as tx:
            tx.execute(delete(auth_keys).where(auth_keys.c.expires_at < int(clock.now())))

    # -------------------------------------------------------------- keys

    def exists(self, key: AuthKey) -> bool:
        """Tell whether a key with the same id is known already (A3.13)."""
        return self.get(key.key_id) is not None

    def add(
        self,
        key: AuthKey,
        *,
        dc_id: int,
        first_salt: int,
        expires_at: int | None,
        media: bool = False,
    ) -> None:
        """Keep the key of a finished key exchange; it is durable when this returns."""
        now = int(self._clock.now())
        with self._db.begin() as tx:
            tx.execute(
                insert(auth_keys).values(
                    key_id=key.key_id,
                    key=key.data,
                    dc_id=dc_id,
                    media=media,
                    created=now,
                    last_active=now,
                    hash=int.from_bytes(self._random(8), "little", signed=True) | 1,
                    expires_at=expires_at,
                    first_salt=first_salt,
                )
            )

    def get(self, key_id: bytes) -> Authorization | None:
        """Return the key of that id, or None if there is none or its life is over."""
        found = self._in_use.get(key_id)
        if found is None:
            with self._db.begin() as tx:
                row = tx.execute(
                    select(auth_keys, users.c.is_bot, users.c.session_ttl_days)
                    .select_from(auth_keys.outerjoin(users, users.c.id == auth_keys.c.user_id))
                    .where(auth_keys.c.key_id == key_id)
                ).first()
            if row is None:
                return None
            if row.user_id and self._is_stale(row):
                row = self._end_stale(row)
            found = Authorization(
                key=AuthKey(bytes(row.key)),
                dc_id=row.dc_id,
                user_id=row.user_id or 0,
                is_bot=bool(row.is_bot),
                pending_user_id=row.pending_user_id or 0,
                fault=row.fault,
                created=row.created,
                last_active=row.last_active,
                hash=row.hash,
                expires_at=row.expires_at,
                first_salt=row.first_salt or 0,
                media=row.media,
                origin=bytes(row.origin) if row.origin is not None else None,
                **{name: getattr(row, name) for name in _COLUMNS if getattr(row, name)},
            )
            if row.permanent is not None:
                found.permanent = self.get(bytes(row.permanent))
        if found.expires_at is not None and self._clock.now() >= found.expires_at:
            self.destroy(found)
            return None
        return found

    def destroy(self, authorization: Authorization) -> None:
        """Forget a key for good, and the temporary keys bound to it: from now on it is unknown."""
        key_id = authorization.key_id
        with self._db.begin() as tx:
            tx.execute(
                delete(auth_keys).where(
                    or_(auth_keys.c.key_id == key_id, auth_keys.c.permanent == key_id)
                )
            )
        for one in list(self._in_use.values()):
            if one is authorization or one.permanent is authorization:
                self._in_use.pop(one.key_id, None)
                self.gone(one)
        self._set_user(authorization, 0, is_bot=False)

    # -------------------------------------------------------------- temporary keys (A16)

    def bind(
        self, context: Context, key: Authorization, permanent: Authorization, expires_at: int
    ) -> None:
        """Make a temporary key stand for a permanent one, as part of the transaction of the call.

        The one that did so before, in the same role, stands for nothing any more (A16.2).
        """
        before = self._bound(context, permanent, auth_keys.c.media == key.media)
        context.tx.execute(
            update(auth_keys)
            .where(auth_keys.c.key_id.in_([one for one in before if one != key.key_id]))
            .values(permanent=None)
        )
        context.tx.execute(
            update(auth_keys)
            .where(auth_keys.c.key_id == key.key_id)
            .values(permanent=permanent.key_id, expires_at=expires_at)
        )

        def apply() -> None:
            for other in [self._in_use.get(one) for one in before]:
                if other is not None and other is not key:
                    self._stand_for(other, None)
            key.expires_at = expires_at
            self._stand_for(key, permanent)
            self._clock.call_at(expires_at, lambda: self.get(key.key_id))

        context.after_commit(apply)

    def drop_temporary(self, context: Context, permanent: Authorization, but: set[bytes]) -> None:
        """Forget the temporary keys of a permanent one, except some, once the call has ended."""
        for key_id in self._bound(context, permanent):
            key = self.get(key_id) if key_id not in but else None
            if key is not None:
                context.after_commit(partial(self.destroy, key))

    def _bound(
        self, context: Context, permanent: Authorization, *where: ColumnElement[bool]
    ) -> list[bytes]:
        chosen = select(auth_keys.c.key_id).where(auth_keys.c.permanent == permanent.key_id, *where)
        return [bytes(key_id) for key_id in context.tx.execute(chosen).scalars()]

    def _stand_for(self, key: Authorization, permanent: Authorization | None) -> None:
        sessions = list(key.sessions)
        for session in sessions:
            self.detach(session, key)
        key.permanent = permanent
        for session in sessions:
            session.authorization = permanent or key
            self.attach(session, key)

    # -------------------------------------------------------------- sessions

    def attach(self, session: Caller, key: Authorization) -> None:
        """Note that a session uses a key, and acts for what the key stands for."""
        self._attach(session, key)
        if key.permanent is not None:
            self._attach(session, key.permanent)

    def _attach(self, session: Caller, authorization: Authorization) -> None:
        authorization.sessions.add(session)
        self._in_use[authorization.key_id] = authorization
        if authorization.user_id:
            self._by_user.setdefault(authorization.user_id, set()).add(authorization)
        now = int(self._clock.now())
        if now - authorization.last_active >= ACTIVE_EVERY:
            authorization.last_active = now
            with self._db.begin() as tx:
                tx.execute(
                    update(auth_keys)
                    .where(auth_keys.c.key_id == authorization.key_id)
                    .values(last_active=now)
                )

    def detach(self, session: Caller, key: Authorization) -> None:
        """Note that a session is over; a key without any leaves the cache."""
        self._detach(session, key)
        if key.permanent is not None:
            self._detach(session, key.permanent)

    def _detach(self, session: Caller, authorization: Authorization) -> None:
        authorization.sessions.discard(session)
        if authorization.sessions:
            return
        self._in_use.pop(authorization.key_id, None)
        of_user = self._by_user.get(authorization.user_id)
        if of_user is not None:
            of_user.discard(authorization)
            if not of_user:
                del self._by_user[authorization.user_id]

    def sessions_of(self, user_id: int) -> Iterator[Caller]:
        """Return the live sessions of an account."""
        for authorization in list(self._by_user.get(user_id, ())):
            yield from list(authorization.sessions)

    def online(self) -> list[int]:
        """Return the accounts that have a live session."""
        return list(self._by_user)

    def is_online(self, user_id: int) -> bool:
        """Whether an account has a live session."""
        return user_id in self._by_user

    def address_of(self, key_id: bytes) -> str:
        """Return where the last connection with a key came from; empty if it has none now."""
        found = self._in_use.get(key_id)
        return found.address if found is not None else ""

    # -------------------------------------------------------------- who is logged in

    def log_in(
        self, context: Context, user_id: int, *, is_bot: bool, origin: bytes | None = None
    ) -> None:
        """Make the calling key act for an account, as part of the transaction of the call.

        `origin` is the key that the authorization was exported from, away from home.
        """
        self._change_user(context, user_id, is_bot=is_bot, origin=origin)

    def half_log_in(self, context: Context, user_id: int) -> None:
        """Note that only the password is missing for the calling key to act for an account."""
        self._change_user(context, 0, pending=user_id)

    def _change_user(
        self,
        context: Context,
        user_id: int,
        *,
        is_bot: bool = False,
        pending: int = 0,
        origin: bytes | None = None,
    ) -> None:
        authorization = context.caller.authorization
        context.tx.execute(
            update(auth_keys)
            .where(auth_keys.c.key_id == authorization.key_id)
            .values(
                user_id=user_id or None,
                pending_user_id=pending or None,
                logged_in=context.now if user_id else None,
                last_active=context.now,
                fault=None,
                origin=origin,
                unconfirmed=False,
                no_secret_chats=False,
                no_calls=False,
            )
        )

        def apply() -> None:
            authorization.last_active = context.now
            authorization.fault = None
            authorization.origin = origin
            self._set_user(authorization, user_id, is_bot=is_bot)
            authorization.pending_user_id = pending

        context.after_commit(apply)

    def log_out(self, context: Context, key_id: bytes, *, fault: str | None = None) -> None:
        """Take the account from a key, as part of the transaction of the call.

        With `fault`, the next call with that key is answered by it, and its live sessions are told
        to make one: updatesTooLong has every client ask for what it missed. What was exported from
        it to other DCs ends with it.
        """
        imported = select(auth_keys.c.key_id).where(auth_keys.c.origin == key_id)
        for other in context.tx.execute(imported).scalars().all():
            self.log_out(context, bytes(other), fault=fault)
        context.tx.execute(
            update(auth_keys)
            .where(auth_keys.c.key_id == key_id)
            .values(user_id=None, pending_user_id=None, logged_in=None, fault=fault)
        )

        def apply() -> None:
            authorization = self._in_use.get(key_id)
            if authorization is not None:
                authorization.fault = fault
                self._set_user(authorization, 0, is_bot=False)
                if fault is not None:
                    self._rouse(authorization)

        context.after_commit(apply)

    def log_out_all(self, context: Context, user_id: int, fault: str, *, but: bytes = b"") -> None:
        """End every session of an account, except that of the key `but`."""
        for key_id in context.tx.execute(
            select(auth_keys.c.key_id).where(
                or_(auth_keys.c.user_id == user_id, auth_keys.c.pending_user_id == user_id),
                auth_keys.c.key_id != but,
            )
        ).scalars():
            self.log_out(context, bytes(key_id), fault=fault)

    def sessions_of_key(self, key_id: bytes) -> list[Caller]:
        """Return the live sessions of one key, whether it is logged in or not."""
        found = self._in_use.get(key_id)
        return list(found.sessions) if found is not None else []

    def take_fault(self, authorization: Authorization) -> str:
        """Return the error that waits for the next call of a key, and forget it."""
        fault, authorization.fault = authorization.fault, None
        with self._db.begin() as tx:
            tx.execute(
                update(auth_keys)
                .where(auth_keys.c.key_id == authorization.key_id)
                .values(fault=None)
            )
        return fault or "AUTH_KEY_UNREGISTERED"

    def _rouse(self, authorization: Authorization) -> None:
        for session in list(authorization.sessions):
            if session.wants_updates:
                session.push(session.registry.encode(api.UpdatesTooLong()))

    def _is_stale(self, row: Row[Any]) -> bool:
        """Whether nobody has used a session for as long as its owner allows."""
        ttl = row.session_ttl_days
        return bool(ttl) and self._clock.now() >= row.last_active + ttl * DAY

    def _end_stale(self, row: Row[Any]) -> Any:
        with self._db.begin() as tx:
            tx.execute(
                update(auth_keys)
                .where(auth_keys.c.key_id == row.key_id)
                .values(user_id=None, logged_in=None, fault="SESSION_EXPIRED")
            )
            return tx.execute(
                select(auth_keys, literal(False).label("is_bot")).where(
                    auth_keys.c.key_id == row.key_id
                )
            ).one()

    def remember_client(
        self,
        authorization: Authorization,
        *,
        layer: int,
        api_id: int,
        device_model: str,
        system_version: str,
        app_version: str,
        system_lang_code: str,
        lang_pack: str,
        lang_code: str,
    ) -> None:
        """Keep what initConnection told, whatever becomes of the call inside it (A12.1)."""
        told = {
            "layer": layer,
            "api_id": api_id,
            "device_model": device_model,
            "system_version": system_version,
            "app_version": app_version,
            "system_lang_code": system_lang_code,
            "lang_pack": lang_pack,
            "lang_code": lang_code,
        }
        if all(getattr(authorization, name) == value for name, value in told.items()):
            return
        with self._db.begin() as tx:
            tx.execute(
                update(auth_keys)
                .where(auth_keys.c.key_id == authorization.key_id)
                .values(**told, last_active=int(self._clock.now()))
            )
        for name, value in told.items():
            setattr(authorization, name, value)

    def _set_user(self, authorization: Authorization, user_id: int, *, is_bot: bool) -> None:
        of_user = self._by_user.get(authorization.user_id)
        if of_user is not None:
            of_user.discard(authorization)
            if not of_user:
                del self._by_user[authorization.user_id]
        authorization.user_id = user_id
        authorization.is_bot = is_bot
        authorization.pending_user_id = 0
        if user_id and authorization.sessions:
            self._by_user.setdefault(user_id, set()).add(authorization)
