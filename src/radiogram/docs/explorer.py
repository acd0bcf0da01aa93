"""Layer 5, docs: the site with a server behind it, on which its examples can be run.

Answers on loopback only. Whoever wants to make a call must know the token that is in the pages, so
a page of another site, which can send requests here but not read what is here, makes none; a name
that somebody else points at this machine is refused by the ``Host`` header. Knows HTTP, and who
acts; the calls go through real clients of the furnished world.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from radiogram.client.casts import CASTABLE
from radiogram.docs.code import Written, asyncio_program
from radiogram.docs.html import Live, Site, address, static
from radiogram.docs.model import program_model
from radiogram.docs.people import BOT, PEOPLE
from radiogram.docs.world import DemoWorld
from radiogram.errors import RadiogramError, RpcError
from radiogram.tl import api
from radiogram.tl.base import TLObject
from radiogram.tl.plain import request_from_plain

ACTORS = ("ada", "ben", "bot")
"""Who can act; what is pushed to them is shown."""
PEERS = ("me", *(username for _, _, username in PEOPLE.values()), BOT, "harbour_talk",
         "workshop_talk", "harbour_news")  # fmt: skip
"""What the fields for chats and users propose."""
MAX_BODY = 256 * 1024
PATIENCE = 30.0
"""Seconds that a call may take."""
_EXACT = 2**53
"""Up to here a number of JavaScript is exact."""
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a form asks for."""

    method: str
    actor: str
    values: dict[str, Any]


class Stage:
    """The furnished world, its actors, and what was pushed to them."""

    def __init__(self, make: Callable[[], DemoWorld] = DemoWorld) -> None:
        self._make = make
        self._world = make()
        self._pushed: dict[str, list[Any]] = {}
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Start the world and connect everybody."""
        await self._world.start()
        self._pushed = {actor: [] for actor in ACTORS}
        for actor in ACTORS:
            client = await self._world.client(actor)
            client.on_update(partial(_keep, self._pushed[actor]))
            await client.invoke(api.updates.GetState())

    async def close(self) -> None:
        """Disconnect everybody and throw the world away."""
        await self._world.close()

    async def reset(self) -> None:
        """Begin again with everything as it was."""
        async with self._turn:
            await self._world.close()
            self._world = self._make()
            await self.open()

    async def call(self, call: Call) -> dict[str, Any]:
        """Make a call; tell its result or error, and what was pushed to whom."""
        if call.actor not in ACTORS:
            return {"error": {"name": "actor", "text": f"{call.actor!r} is none of {ACTORS}"}}
        async with self._turn:
            for updates in self._pushed.values():
                updates.clear()
            outcome = await self._invoke(call)
            outcome["updates"] = await self._collect(call.actor)
        outcome["code"] = _program(call)
        return outcome

    async def _invoke(self, call: Call) -> dict[str, Any]:
        try:
            request = request_from_plain(call.method, call.values, castable=CASTABLE)
            client = await self._world.client(call.actor)
            result = await asyncio.wait_for(client.invoke(request), PATIENCE)
        except RpcError as error:
            page = address("error", error.name)
            text = str(error).partition("\n")[0]
            return {"error": {"name": error.name, "code": error.code, "text": text, "page": page}}
        except RadiogramError as error:
            return {"error": {"name": type(error).__name__, "text": str(error)}}
        except TimeoutError:
            return {"error": {"name": "TimeoutError", "text": f"no answer in {PATIENCE:g} s"}}
        return {"result": exact(_plain(result))}

    async def _collect(self, actor: str) -> list[dict[str, Any]]:
        found = []
        for other, updates in self._pushed.items():
            # What was pushed before comes before the answer to this.
            try:
                await (await self._world.client(other)).invoke(api.updates.GetState())
            except RadiogramError:
                continue  # logged out by the call itself
            shown = [exact(_plain(update)) for update in updates]
            if shown:
                found.append({"to": other.capitalize(), "updates": shown})
        return found


class LocalOnly:
    """Refuses requests that were not meant for this machine's own pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host = headers.get(b"host", b"").decode("latin-1")
            origin = headers.get(b"origin", b"").decode("latin-1")
            if not is_local(host) or (origin and origin != f"http://{host}"):
                refusal = Response("This is for pages on this machine only.\n", 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_local(host: str) -> bool:
    """Tell whether a Host header names this machine by its own name or address."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def make_app(make_world: Callable[[], DemoWorld] = DemoWorld, *, token: str = "") -> Starlette:
    """Make the application; `token` is made up unless it is given."""
    token = token or secrets.token_urlsafe(24)
    site = Site(program_model(), live=Live(token=token, actors=ACTORS, peers=PEERS))
    stage = Stage(make_world)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await stage.open()
        try:
            yield
        finally:
            await stage.close()

    async def page(request: Request) -> Response:
        where = request.path_params["where"] or "index.html"
        text = site.render(where)
        if text is None:
            return Response("There is no such page.\n", 404, media_type="text/plain")
        return Response(text, media_type="text/html", headers=_HEADERS)

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "index.js":
            return Response(site.search_index(), media_type="text/javascript", headers=_HEADERS)
        try:
            body = static(name)
        except KeyError:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        return Response(body, media_type=_TYPES[name.rpartition(".")[2]], headers=_HEADERS)

    async def call(request: Request) -> Response:
        body = await _body(request, token)
        if isinstance(body, Response):
            return body
        try:
            asked = msgspec.json.decode(body, type=Call)
        except msgspec.DecodeError as error:
            return _refused(400, f"not a call: {error}")
        return JSONResponse(await stage.call(asked), headers=_HEADERS)

    async def reset(request: Request) -> Response:
        body = await _body(request, token)
        if isinstance(body, Response):
            return body
        await stage.reset()
        return JSONResponse({}, headers=_HEADERS)

    return Starlette(
        routes=[
            Route("/api/call", call, methods=["POST"]),
            Route("/api/reset", reset, methods=["POST"]),
            Route("/static/{name}", file),
            Route("/{where:path}", page),
        ],
        middleware=[Middleware(LocalOnly)],
        lifespan=lifespan,
    )


async def _body(request: Request, token: str) -> bytes | Response:
    """Read the body of a request that may act; refuse one that may not."""
    given = request.headers.get("x-radiogram-token", "")
    if not secrets.compare_digest(given.encode(), token.encode()):
        return _refused(403, "the token is not that of this run; load the page again")
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return _refused(415, "Content-Type must be application/json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return _refused(413, f"more than {MAX_BODY} bytes")
    return body


def _refused(status: int, text: str) -> Response:
    return JSONResponse({"error": {"name": "Refused", "text": text}}, status, headers=_HEADERS)


def _keep(pushed: list[Any], updates: api.TypeUpdates) -> None:
    pushed.append(updates)


def _program(call: Call) -> str:
    try:
        return asyncio_program([Written(call.method, call.values)])
    except (RadiogramError, KeyError, TypeError, ValueError):
        return ""  # what was asked for cannot be written either


def _plain(value: Any) -> Any:
    if isinstance(value, TLObject):
        return msgspec.json.decode(value.to_json())
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def exact(plain: Any) -> Any:
    """Wrap the numbers that JavaScript would round."""
    if isinstance(plain, Mapping):
        return {name: exact(value) for name, value in plain.items()}
    if isinstance(plain, list):
        return [exact(value) for value in plain]
    if type(plain) is int and abs(plain) > _EXACT:
        return {"$long": str(plain)}
    return plain


async def serve(host: str, port: int, *, announce: Callable[[str], None]) -> None:
    """Serve until the task is cancelled or the process is asked to end.

    `announce` is told the address. Raises OSError if it cannot be used.
    """
    import uvicorn

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        bound = listener.getsockname()[1]
        announce(f"http://{f'[{host}]' if ':' in host else host}:{bound}/")
        config = uvicorn.Config(make_app(), log_level="warning", lifespan="on")
        await uvicorn.Server(config).serve(sockets=[listener])
