"""Server layer: everything that a server knows besides its sockets.

Ties the database, the clock, the settings and the authorisations together, and lets the program
that embeds the server fill it: accounts by call or from a TOML file, calls made in process.
Knows no socket and no packet.
"""

from __future__ import annotations

import logging
import os
import tomllib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, update

from radiogram.crypto.keys import AuthKey
from radiogram.errors import RadiogramError
from radiogram.server import accounts, botfather, dialog_store, handlers, layers, usernames
from radiogram.server.authorizations import Authorization, AuthorizationBook
from radiogram.server.clock import Clock
from radiogram.server.codes import SentCode
from radiogram.server.db import (
    PEER_USER,
    Database,
    auth_keys,
    future_tokens,
    login_tokens,
    passwords,
    phone_codes,
    users,
)
from radiogram.server.faults import Faults
from radiogram.server.faults.pushes import channel_too_long, with_pts_count
from radiogram.server.observer import Observer
from radiogram.server.passwords import PasswordChecks, is_email, store_password
from radiogram.server.rows import Peer
from radiogram.server.rpc import Caller, Context, dispatch
from radiogram.server.settings import Settings
from radiogram.tl import api
from radiogram.tl.base import Request
from radiogram.tl.build import registry

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

log = logging.getLogger("radiogram.server")


class WorldError(RadiogramError, ValueError):
    """An account cannot be made as it was described."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account that :class:`World` made."""

    id: int
    first_name: str
    last_name: str = ""
    username: str | None = None
    phone: str | None = None
    token: str | None = None
    """Of a bot: what auth.importBotAuthorization wants."""


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
        self.random: Callable[[int], bytes] = os.urandom if seed is None else Random(seed).randbytes
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
        digits = _check_phone(phone)
        home = self._check_dc(dc_id)
        name = _check_name(first_name)
        with self.db.begin() as tx:
            username = _check_username(tx, username, owner=None)
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
                login_code=_check_code(code),
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
        name = _check_name(name)
        home = self._check_dc(dc_id)
        with self.db.begin() as tx:
            username = _check_username(tx, username, owner=None)
            bot_id = None
            if token is not None:
                bot_id = _check_token(token)
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

    def _check_dc(self, dc_id: int | None) -> int:
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
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise WorldError(
                f"{path}: cannot be read ({reason}); check the name and the permissions"
            ) from None
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise WorldError(f"{path}: not valid TOML: {error}; correct that place") from None
        unknown = sorted(set(document) - set(_FIELDS))
        if unknown:
            raise WorldError(
                f"{path}: unknown table {unknown[0]!r}; use [[users]] and [[bots]] only"
            )
        made = []
        with self.db.begin() as tx:
            for table, known in _FIELDS.items():
                entries = document.get(table, [])
                if not isinstance(entries, list):
                    raise WorldError(f"{path}: {table}: write [[{table}]] with double brackets")
                for number, entry in enumerate(entries, 1):
                    try:
                        fields = _check_fields(entry, known)
                        load = self._load_bot if table == "bots" else self._load_user
                        made.append(load(tx, fields))
                    except WorldError as error:
                        raise WorldError(f"{path}: [[{table}]] entry {number}: {error}") from None
        return made

    def login_code(self, phone: str) -> str:
        """Return the code with which a phone number can log in now."""
        digits = _check_phone(phone)
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
            self._store_password(tx, user_id, password, hint, email)

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

    # -------------------------------------------------------------- the parts of load_toml

    def _load_user(self, tx: Connection, fields: Mapping[str, str]) -> Account:
        digits = _check_phone(_required(fields, "phone"))
        first_name = _check_name(_required(fields, "first_name"))
        last_name = fields.get("last_name", "")
        code = _check_code(fields.get("code"))
        home = self._read_dc(fields)
        row = accounts.by_phone(tx, digits)
        username = _check_username(tx, fields.get("username"), owner=row.id if row else None)
        if row is None:
            user_id = accounts.create(
                tx,
                now=int(self.clock.now()),
                random=self.random,
                phone=digits,
                first_name=first_name,
                last_name=last_name,
                username=username,
                login_code=code,
                dc_id=home or self.home_of_number(digits),
            )
        else:
            user_id = row.id
            accounts.change(
                tx,
                user_id,
                first_name=first_name,
                last_name=last_name,
                username=username,
                login_code=code,
            )
        if "password" in fields:
            self._store_password(
                tx,
                user_id,
                fields["password"],
                fields.get("password_hint", ""),
                fields.get("password_email", ""),
            )
        return Account(user_id, first_name, last_name, username, digits)

    def _store_password(
        self, tx: Connection, user_id: int, password: str, hint: str, email: str
    ) -> None:
        if email and not is_email(email):
            raise WorldError(
                f"password_email: {email!r} is no address; write one like ann@example.com"
            )
        now = int(self.clock.now())
        store_password(tx, user_id, password, hint=hint, email=email, random=self.random, now=now)

    def _read_dc(self, fields: Mapping[str, str]) -> int:
        told = fields.get("dc_id")
        if told is not None and not (told.isascii() and told.isdigit()):
            raise WorldError(f"dc_id: {told!r} is not a number; write that of a data centre")
        return self._check_dc(int(told) if told is not None else None)

    def _load_bot(self, tx: Connection, fields: Mapping[str, str]) -> Account:
        name = _check_name(_required(fields, "name"), field="name")
        token = fields.get("token")
        username = fields.get("username")
        home = self._read_dc(fields)
        token_id = _check_token(token) if token is not None else None
        row = None
        if token_id is not None:
            row = accounts.by_id(tx, token_id)
        elif username is not None:
            row = accounts.by_username(tx, username.removeprefix("@"))
        if row is not None and not row.is_bot:
            raise WorldError("a user has that id or username already; take another one")
        username = _check_username(tx, username, owner=row.id if row else None)
        if row is None:
            bot_id = accounts.create(
                tx,
                now=int(self.clock.now()),
                random=self.random,
                user_id=token_id,
                first_name=name,
                username=username,
                is_bot=True,
                dc_id=home,
            )
        else:
            bot_id = row.id
            token = token or row.bot_token
        token = token or accounts.new_token(bot_id, self.random)
        accounts.change(tx, bot_id, first_name=name, username=username, bot_token=token)
        return Account(bot_id, name, "", username, None, token)


_FIELDS = {
    "users": (
        "phone",
        "first_name",
        "last_name",
        "username",
        "code",
        "dc_id",
        "password",
        "password_hint",
        "password_email",
    ),
    "bots": ("name", "username", "token", "dc_id"),
}


def _check_fields(entry: object, known: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(entry, dict):
        raise WorldError('not a table; write its fields as name = "value" lines')
    for name, value in entry.items():
        if name not in known:
            raise WorldError(f"{name}: unknown field; known are {', '.join(known)}")
        if isinstance(value, int) and not isinstance(value, bool):
            entry[name] = str(value)  # phone = 9996621234 is clear enough
        elif not isinstance(value, str):
            raise WorldError(f"{name}: not a text; put it in quotes")
    return entry


def _required(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise WorldError(f'{name}: missing; add a line {name} = "..."')
    return fields[name]


def _check_phone(phone: str) -> str:
    digits = accounts.normalise_phone(phone)
    if not digits:
        raise WorldError(f"phone: {phone!r} is not a number; write 5 to 15 digits")
    return digits


def _check_name(name: str, field: str = "first_name") -> str:
    name = name.strip()
    if not 1 <= len(name) <= 64:
        raise WorldError(f"{field}: {name!r} has not between 1 and 64 characters; give another")
    return name


def _check_code(code: str | None) -> str | None:
    if code is not None and not (code.isascii() and code.isdigit() and 3 <= len(code) <= 10):
        raise WorldError(f"code: {code!r} is not a login code; write 3 to 10 digits")
    return code


def _check_token(token: str) -> int:
    bot_id = accounts.token_id(token)
    if not bot_id:
        raise WorldError(
            f"token: {token!r} is no bot token; write an id, a colon and 35 letters and digits"
        )
    return bot_id


def _check_username(tx: Connection, username: str | None, *, owner: int | None) -> str | None:
    if not username:
        return None
    username = username.removeprefix("@")
    if not accounts.is_username(username):
        raise WorldError(
            f"username: {username!r} is not allowed; write 5 to 32 letters, digits and"
            " underscores, starting with a letter"
        )
    taken = usernames.owner(tx, username)
    if taken is not None and taken != (PEER_USER, owner):
        raise WorldError(f"username: {username!r} is taken; choose another")
    return username
