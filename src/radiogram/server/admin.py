"""Server layer: the admin socket: a server is told what to do, from another process.

Knows requests as lines of JSON, each an object with ``do`` and fields, and answers each with one
line: ``{"ok": true, "result": ...}``, or ``{"ok": false, "error": {"field", "value", "remedy",
"text"}}``. An ``id`` is sent back. Knows of the server what its public methods give; knows no
packet and no method of the API.

Whoever reaches the socket owns the server: it is a file that only its owner can open, or a port of
this machine with a token that has to be said first (``{"do": "auth", "token": ...}``).
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import func, select

from radiogram.errors import RadiogramError
from radiogram.net.lines import MAX_LINE, LineConnection, listen_at_path, listen_at_port
from radiogram.server import fault_spec
from radiogram.server.tables import users

if TYPE_CHECKING:
    from radiogram.server.server import Server

log = logging.getLogger("radiogram.server.admin")

MAX_CONNECTIONS = 16
MAX_ATTEMPTS = 3
"""Wrong tokens on one connection."""
MAX_ITEMS = 1000
"""Items of a list in one answer."""


class AdminError(RadiogramError):
    """A request cannot be answered: which field, what value, and what would do."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        super().__init__(f"{field}: {value!r} cannot be used; {remedy}")
        self.field = field
        self.value = value
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a request."""

    kinds: tuple[type, ...]
    wanted: str
    """What to give, for the remedy."""
    required: bool = True


TEXT = Field((str,), "give a text")
WORD = Field((str,), "give a text, or leave it out", required=False)
WHO = Field((int,), "give the id of an account")
NUMBER = Field((int, float), "give a number")
USER = Field((int,), "give the id of an account, or leave it out for all", required=False)
SWITCH = Field((bool,), "give true or false", required=False)
SINCE = Field((int,), "give how many of the first to leave out", required=False)
LIMIT = Field((int,), f"give how many are wanted, up to {MAX_ITEMS}", required=False)


class AdminSocket:
    """Listens at a path or a port for those who administer one server.

    ``async with AdminSocket(server, path="admin.sock")`` or ``AdminSocket(server, port=0)``. With a
    port there is a token: the one given, or one made up.
    """

    def __init__(
        self,
        server: Server,
        *,
        path: str | None = None,
        port: int | None = None,
        token: str | None = None,
    ) -> None:
        if (path is None) == (port is None):
            raise AdminError("path, port", (path, port), "give one of the two")
        if token is not None and len(token) < 8:
            raise AdminError("token", token, "give 8 characters or more")
        self.path = path
        self.host = "127.0.0.1"
        self.port = port
        self.token = None if path is not None else token or secrets.token_urlsafe(16)
        self._server = server
        self._listener: asyncio.Server | None = None
        self._known: dict[LineConnection, bool] = {}
        """The connections, and which have said the token."""
        self._attempts: dict[LineConnection, int] = {}

    # -------------------------------------------------------------- life

    async def start(self) -> None:
        """Listen. Raises ConnectionFailed."""
        if self.path is not None:
            self._listener = await listen_at_path(self.path, self._accept)
        else:
            self._listener = await listen_at_port(self.host, self.port or 0, self._accept)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Listen no longer, and end what is connected."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._remove()
        for conn in list(self._known):
            conn.close()

    def _remove(self) -> None:
        if self.path is not None:
            Path(self.path).unlink(missing_ok=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def address(self) -> dict[str, Any]:
        """Where it is, for ``radiogram serve --json``."""
        if self.path is not None:
            return {"path": self.path}
        return {"host": self.host, "port": self.port, "token": self.token}

    # -------------------------------------------------------------- lines

    def _accept(self) -> LineConnection:
        conn = LineConnection(self)
        self._known[conn] = self.token is None
        return conn

    def connection_lost(self, conn: LineConnection) -> None:
        self._known.pop(conn, None)
        self._attempts.pop(conn, None)

    def line_too_long(self, conn: LineConnection) -> None:
        self._refuse(conn, AdminError("line", "...", f"send up to {MAX_LINE} bytes"), None)

    def line_received(self, conn: LineConnection, line: bytes) -> None:
        """Answer one request."""
        number: object = None
        if list(self._known).index(conn) >= MAX_CONNECTIONS:
            self._refuse(conn, AdminError("connections", len(self._known), "close some"), None)
            conn.close()
            return
        try:
            request = _read(line)
            number = request.pop("id", None)
            result = self._perform(conn, request)
        except AdminError as error:
            self._refuse(conn, error, number)
        except fault_spec.FaultSpecError as error:
            self._refuse(conn, _told("spec", error), number)
        except RadiogramError as error:
            self._refuse(conn, _told("do", error), number)
        except Exception:
            log.exception("a request of an admin failed")
            self._refuse(conn, AdminError("do", "...", "see the log of the server"), number)
        else:
            _send(conn, {"ok": True, "result": result}, number)

    def _refuse(self, conn: LineConnection, error: AdminError, number: object) -> None:
        told = {
            "field": error.field,
            "value": error.value,
            "remedy": error.remedy,
            "text": str(error),
        }
        _send(conn, {"ok": False, "error": told}, number)

    def _perform(self, conn: LineConnection, request: dict[str, Any]) -> object:
        name = request.pop("do", None)
        if name == "auth":
            return self._authenticate(conn, request)
        if not self._known.get(conn):
            raise AdminError("do", name, 'say {"do": "auth", "token": ...} first')
        command = COMMANDS.get(name) if isinstance(name, str) else None
        if command is None:
            raise AdminError("do", name, f"choose from {', '.join(COMMANDS)}")
        fields, function = command
        return function(self._server, **_check(request, fields))

    def _authenticate(self, conn: LineConnection, request: dict[str, Any]) -> object:
        given = _check(request, {"token": TEXT})["token"]
        if self.token is None or hmac.compare_digest(given.encode(), self.token.encode()):
            self._known[conn] = True
            return None
        self._attempts[conn] = self._attempts.get(conn, 0) + 1
        if self._attempts[conn] >= MAX_ATTEMPTS:
            asyncio.get_running_loop().call_soon(conn.close)
        raise AdminError("token", "...", "give the one that the server has told at its start")


def _told(field: str, error: RadiogramError) -> AdminError:
    """Return an error that says what another part has said already."""
    text = str(error)
    problem, _, remedy = text.rpartition("; ")
    made = AdminError(field, problem or text, remedy if problem else "see what it says")
    made.args = (text,)
    return made


def _read(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        shown = line[:40].decode("utf-8", "replace")
        raise AdminError("line", shown, 'send one line of JSON, such as {"do": "state"}') from None
    if not isinstance(request, dict):
        raise AdminError("line", str(request)[:40], 'send an object, such as {"do": "state"}')
    return request


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _check(request: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    for name in request:
        if name not in fields:
            known = ", ".join(fields) or "nothing else"
            raise AdminError(name, request[name], f"this request takes {known}")
    checked = {}
    for name, field in fields.items():
        value = request.get(name)
        if value is None:
            if field.required:
                raise AdminError(name, None, field.wanted)
            continue
        if not isinstance(value, field.kinds) or (
            isinstance(value, bool) and bool not in field.kinds
        ):
            raise AdminError(name, value, field.wanted)
        if isinstance(value, float) and not isfinite(value):
            raise AdminError(name, str(value), field.wanted)
        checked[name] = value
    return checked


def _send(conn: LineConnection, answer: dict[str, Any], number: object) -> None:
    if number is not None:
        answer["id"] = number
    conn.send(json.dumps(answer, default=str).encode())


# ------------------------------------------------------------------ what can be asked


def _add_fault(server: Server, spec: str) -> object:
    fault_spec.apply(server.faults, spec)
    return _waiting(server)


def _waiting(server: Server) -> list[str]:
    plan = server.faults.chaos_plan
    return [*([str(plan)] if plan is not None else []), *map(str, server.faults.waiting)]


def _injected(server: Server, since: int = 0, limit: int = MAX_ITEMS) -> object:
    _check_page(since, limit)
    return [asdict(one) for one in server.faults.injected[since : since + limit]]


def _check_page(since: int, limit: int) -> None:
    if not 0 <= since < 2**31:
        raise AdminError("since", since, SINCE.wanted)
    if not 0 < limit <= MAX_ITEMS:
        raise AdminError("limit", limit, LIMIT.wanted)


def _clear(server: Server) -> None:
    server.faults.clear()


def _release(server: Server) -> None:
    server.faults.release_answers()
    server.faults.release_updates()


def _clock(server: Server) -> dict[str, object]:
    clock = server.world.clock
    return {"now": clock.now(), "frozen": clock.is_frozen}


def _set_clock(server: Server, to: float) -> object:
    if not 0 <= to < 2**31:
        raise AdminError("to", to, "give unix seconds, from 0 to 2147483647")
    server.world.clock.set(float(to))
    return _clock(server)


def _advance_clock(server: Server, seconds: float) -> object:
    return _set_clock(server, server.world.clock.now() + seconds)


def _freeze_clock(server: Server, frozen: bool = True) -> object:
    clock = server.world.clock
    if frozen:
        clock.freeze()
    else:
        clock.resume()
    return _clock(server)


def _users(server: Server, since: int = 0, limit: int = MAX_ITEMS) -> object:
    _check_page(since, limit)
    online = set(server.world.online())
    with server.world.db.begin() as tx:
        rows = tx.execute(
            select(
                users.c.id,
                users.c.phone,
                users.c.first_name,
                users.c.last_name,
                users.c.username,
                users.c.is_bot,
                users.c.deleted,
            )
            .order_by(users.c.id)
            .offset(since)
            .limit(limit)
        ).all()
    return [{**row._asdict(), "online": row.id in online} for row in rows]


def _code(server: Server, phone: str) -> object:
    return server.world.login_code(phone)


def _mails(server: Server) -> object:
    return [mail._asdict() for mail in server.world.mails]


def _set_password(
    server: Server, user_id: int, password: str, hint: str = "", email: str = ""
) -> None:
    server.world.set_password(user_id, password, hint=hint, email=email)


def _drop(server: Server, user_id: int | None = None, reset: bool = False) -> object:
    before = len(server.faults.injected)
    server.faults.drop_connections(user_id, reset=reset)
    return server.faults.injected[before].detail


def _state(server: Server) -> object:
    with server.world.db.begin() as tx:
        accounts = tx.execute(select(func.count()).select_from(users)).scalar()
    return {
        "dcs": {str(one.dc_id): f"{one.host}:{one.port}" for one in server.addresses.values()},
        **server.counts(),
        "users": accounts,
        "online": len(server.world.online()),
        "clock": _clock(server),
        "seed": server.faults.seed,
        "waiting": len(_waiting(server)),
        "injected": len(server.faults.injected),
    }


Command = tuple[Mapping[str, Field], Callable[..., object]]

COMMANDS: dict[str, Command] = {
    "state": ({}, _state),
    "fault.add": ({"spec": TEXT}, _add_fault),
    "fault.waiting": ({}, _waiting),
    "fault.injected": ({"since": SINCE, "limit": LIMIT}, _injected),
    "fault.release": ({}, _release),
    "fault.clear": ({}, _clear),
    "clock.get": ({}, _clock),
    "clock.set": ({"to": NUMBER}, _set_clock),
    "clock.advance": ({"seconds": NUMBER}, _advance_clock),
    "clock.freeze": ({"frozen": SWITCH}, _freeze_clock),
    "user.list": ({"since": SINCE, "limit": LIMIT}, _users),
    "user.code": ({"phone": TEXT}, _code),
    "user.password": (
        {"user_id": WHO, "password": TEXT, "hint": WORD, "email": WORD},
        _set_password,
    ),
    "mail.list": ({}, _mails),
    "connection.drop": ({"user_id": USER, "reset": SWITCH}, _drop),
}
"""What can be asked, with its fields."""
