"""Server layer: everything that a server knows besides its sockets.

Ties the database, the clock, the settings and the authorisations together, and lets the program
that embeds the server fill it: accounts by call or from a TOML file, calls made in process.
Knows no socket and no packet.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, update

from radiogram.crypto.keys import AuthKey
from radiogram.errors import RadiogramError
from radiogram.server import accounts, botfather, dialog_store, handlers, layers
from radiogram.server.account_fields import (
    Account,
    WorldError,
    check_code,
    check_name,
    check_phone,
    check_token,
    check_username,
)
from radiogram.server.authorizations import Authorization, AuthorizationBook
from radiogram.server.clock import Clock
from radiogram.server.codes import SentCode
from radiogram.server.db import Database
from radiogram.server.dispatch import dispatch
from radiogram.server.faults import Faults
from radiogram.server.faults.pushes import channel_too_long, with_pts_count
from radiogram.server.observer import Observer
from radiogram.server.passwords import PasswordChecks, is_email, store_password
from radiogram.server.rows import Peer
from radiogram.server.rpc import Caller, Context
from radiogram.server.settings import Settings
from radiogram.server.tables import (
    PEER_USER,
    auth_keys,
    future_tokens,
    login_tokens,
    passwords,
    phone_codes,
    users,
)
from radiogram.server.world_file import load_toml
from radiogram.tl import api
from radiogram.tl.base import Request
from radiogram.tl.build import registry

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

log = logging.getLogger("radiogram.server")


class Address(NamedTuple):
    """Where a DC can be dialled."""

    host: str
    port: int


class Mail(NamedTuple):
    """An e-mail with a code."""

    to: str
    code: str
    purpose: str
    """``confirm`` an address, or ``recover`` an account without its password."""


class Push(NamedTuple):
    """An update that was sent out: to whom, and what."""

    user_id: int
    updates: api.TypeUpdates


class World:
    """The state of one server. Use it from the event loop's thread only."""

    def __init__(
        self,
        *,
        db: Database,
        dc_id: int,
        clock: Clock | None = None,
        settings: Settings | None = None,
        seed: int | None = None,
    ) -> None:
        handlers.load()
        self.db = db
        self.dc_id = dc_id
        self.clock = clock or Clock()
        self.settings = settings or Settings()
        self.chance = None if seed is None else Random(seed)
        """Where random bytes come from if the server was given a seed."""
        self.random: Callable[[int], bytes] = (
            os.urandom if self.chance is None else self.chance.randbytes
        )
        """Makes n random bytes; repeatable if the server was given a seed."""
        self.addresses: dict[int, Address] = {}
        """Where each DC listens, by its id; what help.getConfig names."""
        self.authorizations = AuthorizationBook(db, self.clock, self.random)
        self.faults = Faults()
        """What goes wrong on purpose; see :class:`~radiogram.server.faults.Faults`."""
        self.observer: Observer | None = None
        """Is told of every call and push."""
        self.shared_results: dict[tuple[int, int, bytes], tuple[int, bytes]] = {}
        """Encoded results that are the same for everybody, by DC, layer and call."""
        self.code_attempts: dict[str, int] = {}
        """Wrong codes so far, by phone_code_hash, or by what an e-mail was for and for whom."""
        self.password_checks = PasswordChecks(self.settings, self.random)
        """Checks of passwords that were begun, and wrong passwords so far."""
        self.botfather = botfather.BotFather(self)
        """The account that makes bots for those who write to it."""
        self.sent_codes: deque[SentCode] = deque(maxlen=256)
        """The login codes that were sent last, newest at the end."""
        self.mails: deque[Mail] = deque(maxlen=256)
        """The e-mails that were sent last, newest at the end: nobody delivers them."""
        self._watchers: dict[int, dict[int, int]] = {}
        """When accounts stop being told of channels that they only poll, by chat and account."""
        self.pushed: deque[Push] = deque(maxlen=256)
        """The updates that were pushed last, for tests."""
        with db.begin() as tx:
            if accounts.by_id(tx, accounts.SERVICE_ID) is None:
                accounts.create(
                    tx,
                    now=int(self.clock.now()),
                    random=self.random,
                    user_id=accounts.SERVICE_ID,
                    phone=accounts.SERVICE_PHONE,
                    first_name=accounts.SERVICE_NAME,
                )
            if accounts.by_id(tx, botfather.BOTFATHER_ID) is None:
                accounts.create(
                    tx,
                    now=int(self.clock.now()),
                    random=self.random,
                    user_id=botfather.BOTFATHER_ID,
                    first_name=botfather.NAME,
                    username=botfather.NAME,
                    is_bot=True,
                )

    # -------------------------------------------------------------- accounts

    def add_user(
        self,
        phone: str,
        first_name: str,
        last_name: str = "",
        username: str | None = None,
        code: str | None = None,
        dc_id: int | None = None,
    ) -> Account:
        """Make an account that can log in with `phone`. Raises WorldError.

        `code` is its login code; without it the rules of :func:`accounts.login_code` hold. `dc_id`
        is the DC where it lives, and where alone it can log in; without it that of a test number
        (D1) if this server plays it, else the server's own.
        """
        digits = check_phone(phone)
        home = self.check_dc(dc_id)
        name = check_name(first_name)
        with self.db.begin() as tx:
            username = check_username(tx, username, owner=None)
            if accounts.by_phone(tx, digits) is not None:
                raise WorldError(f"phone: {phone} has an account already; take another number")
            user_id = accounts.create(
                tx,
                now=int(self.clock.now()),
                random=self.random,
                phone=digits,
                first_name=name,
                last_name=last_name,
                username=username,
                login_code=check_code(code),
                dc_id=home or self.home_of_number(digits),
            )
        return Account(user_id, name, last_name, username, digits)

    def add_bot(
        self,
        name: str,
        username: str | None = None,
        token: str | None = None,
        dc_id: int | None = None,
    ) -> Account:
        """Make a bot; without `token` one is made up. Raises WorldError.

        `dc_id` is the DC where it lives, by default the server's own.
        """
        name = check_name(name)
        home = self.check_dc(dc_id)
        with self.db.begin() as tx:
            username = check_username(tx, username, owner=None)
            bot_id = None
            if token is not None:
                bot_id = check_token(token)
                if accounts.by_id(tx, bot_id) is not None:
                    raise WorldError(
                        f"token: the id {bot_id} is taken; change the number before the colon"
                    )
            bot_id = accounts.create(
                tx,
                now=int(self.clock.now()),
                random=self.random,
                user_id=bot_id,
                first_name=name,
                username=username,
                is_bot=True,
                bot_token=token,
                dc_id=home,
            )
            if token is None:
                token = accounts.new_token(bot_id, self.random)
                accounts.change(tx, bot_id, bot_token=token)
        return Account(bot_id, name, "", username, None, token)

    @property
    def dcs(self) -> tuple[int, ...]:
        """The DCs that this server plays."""
        return tuple(sorted({*self.addresses, self.dc_id}))

    def home_of(self, account: Row[Any]) -> int:
        """Return the DC where an account lives: one that this server plays."""
        return account.dc_id if account.dc_id in self.dcs else self.dc_id

    def home_of_number(self, phone: str) -> int:
        """Return the DC where a number without an account would get one (D1)."""
        named = accounts.test_number_dc(phone)
        return named if named in self.dcs else self.dc_id

    def check_dc(self, dc_id: int | None) -> int:
        """Return the id of a DC that this server plays, 0 for None. Raises WorldError."""
        if dc_id is not None and dc_id not in self.dcs:
            raise WorldError(
                f"dc_id: this server does not play DC {dc_id}; start it with dcs= that name it"
            )
        return dc_id or 0

    def load_toml(self, path: str | Path) -> list[Account]:
        """Make the accounts of a TOML file, tables ``[[users]]`` and ``[[bots]]``.

        An account that exists already (same phone, or same token or username of a bot) is brought
        up to date instead, so a server can be started with the same file again. Raises
        WorldError, which names file, entry, field and remedy; then nothing was changed.
        """
        return load_toml(self, path)

    def login_code(self, phone: str) -> str:
        """Return the code with which a phone number can log in now."""
        digits = check_phone(phone)
        with self.db.begin() as tx:
            sent = tx.execute(
                select(phone_codes.c.code)
                .where(phone_codes.c.phone == digits, phone_codes.c.state != "used")
                .order_by(phone_codes.c.created.desc())
            ).scalar()
            row = accounts.by_phone(tx, digits)
        own = row.login_code if row is not None else None
        return sent or accounts.login_code(self.settings, digits, own)

    # -------------------------------------------------------------- what Telegram does to accounts

    def limit_account(self, user_id: int, *, limited: bool = True) -> None:
        """Let an account be limited, as after complaints about spam, or no longer.

        It may write and pin in no supergroup or channel then: USER_BANNED_IN_CHANNEL (B4). Raises
        WorldError for an account that does not exist.
        """
        with self.db.begin() as tx:
            self.change_account(tx, user_id, limited=limited)

    def delete_account(self, user_id: int) -> None:
        """Let an account be deleted: others see it without a name, and cannot write to it.

        INPUT_USER_DEACTIVATED (B4) is what they are answered; its own sessions get
        USER_DEACTIVATED once. Raises WorldError.
        """
        with self.acting(user_id) as context:
            self.erase_account(context, user_id)

    def erase_account(self, context: Context, user_id: int) -> None:
        """Delete an account as part of a transaction: see :meth:`delete_account`."""
        self.change_account(
            context.tx,
            user_id,
            deleted=True,
            first_name="",
            last_name="",
            username=None,
            username_key=None,
            phone=None,
            about="",
            bot_token=None,
            deletion_at=None,
        )
        for table in (passwords, future_tokens, login_tokens):
            context.tx.execute(table.delete().where(table.c.user_id == user_id))
        self.authorizations.log_out_all(context, user_id, "USER_DEACTIVATED")

    def set_password(self, user_id: int, password: str, *, hint: str = "", email: str = "") -> None:
        """Give an account a two-step verification password; an empty one takes it away.

        `email` is where a code goes if the password is forgotten. Raises WorldError.
        """
        with self.db.begin() as tx:
            if accounts.by_id(tx, user_id) is None:
                raise WorldError(f"there is no account {user_id}; make one with add_user")
            self.change_password(tx, user_id, password, hint, email)

    def change_password(
        self, tx: Connection, user_id: int, password: str, hint: str, email: str
    ) -> None:
        """Write the password of an account, as :meth:`set_password` does, in a transaction."""
        if email and not is_email(email):
            raise WorldError(
                f"password_email: {email!r} is no address; write one like ann@example.com"
            )
        now = int(self.clock.now())
        store_password(tx, user_id, password, hint=hint, email=email, random=self.random, now=now)

    def send_mail(self, to: str, code: str, purpose: str) -> None:
        """Let an e-mail with a code go out, to :attr:`mails` and the log."""
        log.info("an e-mail to %s: the code to %s is %s", to, purpose, code)
        self.mails.append(Mail(to, code, purpose))

    def forbid_pins(self, user_id: int, other_id: int, *, forbidden: bool = True) -> None:
        """Let an account pin nothing in its private chat with another, or allow it again.

        ``userFull.can_pin_message`` says so, and pins are answered PIN_RESTRICTED (B2.1). Raises
        WorldError.
        """
        with self.db.begin() as tx:
            for number in (user_id, other_id):
                if accounts.by_id(tx, number) is None:
                    raise WorldError(f"there is no account {number}; make one with add_user")
            dialog_store.save_dialog(tx, user_id, Peer(PEER_USER, other_id), can_pin=not forbidden)

    def change_account(self, tx: Connection, user_id: int, **values: object) -> None:
        """Write columns of an account, which must have been checked. Raises WorldError."""
        done = tx.execute(update(users).where(users.c.id == user_id).values(**values))
        if not done.rowcount:
            raise WorldError(f"there is no account {user_id}; make one with add_user")

    # -------------------------------------------------------------- calls and pushes

    @contextmanager
    def acting(self, user_id: int) -> Iterator[Context]:
        """Give what a handler would get if an account called it; committed unless that raises."""
        context = Context(self, Caller(Authorization(user_id=user_id)))
        try:
            yield context
        except BaseException as error:
            context.roll_back(error)
            raise
        context.commit()

    def call(self, user_id: int, request: Request[Any], layer: int = api.LAYER) -> Any:
        """Execute a request as an account (0: as nobody), in process, and return its result.

        It takes the way of every other call, encoded in `layer` and decoded again; what it pushes
        goes to the sessions of the server and to :attr:`pushed`. Raises RpcFault.
        """
        with self.db.begin() as tx:
            row = accounts.by_id(tx, user_id) if user_id else None
        if user_id and row is None:
            raise WorldError(f"there is no account {user_id}; make one with add_user")
        authorization = Authorization(
            user_id=user_id, is_bot=bool(row is not None and row.is_bot), layer=layer
        )
        speaks = registry(layer)
        result = dispatch(self, Caller(authorization, layer=layer), speaks.encode(request))
        return speaks.decode_result(request, result)

    def sign_in(self, user_id: int, dc_id: int | None = None) -> AuthKey:
        """Return a new key that is signed in already: no key exchange, no code.

        Raises WorldError if there is no such account.
        """
        key = AuthKey(self.random(256))
        self.authorizations.add(
            key, dc_id=self.dc_id if dc_id is None else dc_id, first_salt=0, expires_at=None
        )
        with self.db.begin() as tx:
            if accounts.by_id(tx, user_id) is None:
                raise WorldError(f"there is no account {user_id}; make one with add_user")
            tx.execute(
                update(auth_keys).where(auth_keys.c.key_id == key.key_id).values(user_id=user_id)
            )
        return key

    def online(self) -> list[int]:
        """Return the accounts that have a live session now."""
        return self.authorizations.online()

    def watch(self, chat_id: int, user_id: int, now: int) -> None:
        """Note that an account polls a channel that it has not joined (C6.7)."""
        until = now + 2 * self.settings.channel_poll_timeout
        self._watchers.setdefault(chat_id, {})[user_id] = until

    def watching(self, chat_id: int, now: int) -> list[int]:
        """Return the accounts that poll a channel without having joined it."""
        watchers = self._watchers.get(chat_id, {})
        for user_id in [one for one, until in watchers.items() if until <= now]:
            del watchers[user_id]
        return list(watchers)

    def deliver(
        self, user_id: int, updates: api.TypeUpdates, *, exclude: Caller | None = None
    ) -> None:
        """Push updates to the live sessions of an account that want them (A13)."""
        self.pushed.append(Push(user_id, updates))
        if self.observer is not None:
            self.observer.pushed(user_id, updates)
        if self.faults.states:
            updates = self.faults.dress(updates, user_id)
        if not self.faults.has_pushes:
            self._push(user_id, updates, exclude)
        else:
            self._push_with_faults(user_id, updates, exclude)

    def _push_with_faults(
        self, user_id: int, updates: api.TypeUpdates, exclude: Caller | None
    ) -> None:
        """Push updates as a test wants it (E25)."""
        faults = self.faults
        fault = faults.of_push(user_id, updates)
        kind = fault.kind if fault is not None else ""
        if kind in ("hold", "reorder"):
            held = faults.held if kind == "hold" else faults.overtaken.setdefault(user_id, [])
            held.append(lambda: self._push(user_id, updates, exclude))
            return
        if kind == "too_long":
            updates = api.UpdatesTooLong()
        elif kind == "channel_too_long":
            updates = channel_too_long(updates, int(self.clock.now()))
        elif fault is not None and kind == "pts_count":
            updates = with_pts_count(updates, fault.number)
        if kind == "repeat":
            self._push(user_id, updates, exclude)
        if kind != "lose":
            self._push(user_id, updates, exclude)
        faults.release_overtaken(user_id)

    def _push(self, user_id: int, updates: api.TypeUpdates, exclude: Caller | None) -> None:
        encoded: dict[int, bytes] = {}
        for session in self.authorizations.sessions_of(user_id):
            if session is exclude or not session.wants_updates:
                continue
            if session.authorization.origin is not None:
                continue  # connections to other DCs than home get no updates (A13.4)
            target = session.registry
            body = encoded.get(target.layer)
            if body is None:
                try:
                    body = target.encode(layers.downgrade(updates, target))
                except RadiogramError:
                    log.exception("an update cannot be said in layer %d", target.layer)
                    body = target.encode(api.UpdatesTooLong())  # makes the client ask (C0.3.8)
                encoded[target.layer] = body
            session.push(body)
