"""Libraries of JavaScript behind the interface of :mod:`drivers`, by way of a node process.

Knows the JSON lines that ``gramjs/driver.js`` and ``mtcute/driver.mjs`` speak; knows no library
and no scenario. One :class:`Host` process serves many clients, since starting node costs more
than most tests.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

from radiogram.crypto.rsa import PublicKey

from ..served import Address
from .drivers import API_HASH, API_ID, CallError, Driver
from .plain import Plain, from_json, to_json


class Host:
    """The node process of one library: calls out by id, answers and notices in."""

    def __init__(self, script: Path) -> None:
        self._script = script
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.drivers: dict[str, NodeDriver] = {}

    async def start(self) -> None:
        """Start node."""
        self._process = await asyncio.create_subprocess_exec(
            "node",
            self._script.name,
            cwd=self._script.parent,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        self._reader = asyncio.create_task(self._read())

    async def stop(self) -> None:
        """End node and wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader

    async def ask(self, client: str, op: str, **arguments: Any) -> Any:
        """Run one operation of the script; raise CallError or RuntimeError."""
        if self._reader.done():
            raise RuntimeError(f"{self._script.name} ended")
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        line = {"id": number, "client": client, "op": op}
        line |= {name: to_json(value) for name, value in arguments.items()}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        return await answer

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for text in self._process.stdout:
            line = json.loads(text)
            if "push" in line:
                self.drivers[line["client"]].on_push(from_json(line["push"]))
            elif "result" in line:
                self.drivers[line["client"]].on_result(from_json(line["result"]), line["channel"])
            elif "event" in line:
                self.drivers[line["client"]].on_event(line["event"])
            else:
                self._answer(self._waiting.pop(line["id"]), line)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(RuntimeError(f"{self._script.name} ended"))

    def _answer(self, answer: asyncio.Future[Any], line: dict[str, Any]) -> None:
        if answer.done():
            return
        if "ok" in line:
            answer.set_result(from_json(line["ok"]))
        elif line["error"]["words"] is not None:
            answer.set_exception(CallError(**line["error"]["words"]))
        else:
            answer.set_exception(RuntimeError(f"{self._script}: {line['error']['text']}"))


class NodeDriver(Driver):
    """One client of a JavaScript library inside a :class:`Host`."""

    script: ClassVar[Path]
    """What node runs; its folder has the library's ``package.json``."""

    _names = itertools.count(1)

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self._session: str | None = None
        self.pfs = False
        """Encrypt with temporary keys, if the library can."""
        self.server: dict[str, object] = {}
        """The address and key as the JavaScript side wants them."""

    async def open(self, server: Address, *, transport: str | None = None) -> None:
        key = PublicKey.from_pem(server.public_key)
        self.server = {
            "host": server.host,
            "port": server.port,
            "dc_id": server.dc_id,
            "public_key": server.public_key,
            "fingerprint": str(server.fingerprint),
            "dcs": {str(one["dc_id"]): one["port"] for one in server.dcs},
            "n": f"{key.n:x}",
            "e": key.e,
        }
        if server.mtproxy_link is not None:
            host, port, secret = server.mtproxy
            self.server["mtproxy"] = {"host": host, "port": port, "secret": secret}
        self._transport = transport or self.transports[0]
        await self._connect(listen=False)

    async def _connect(self, *, listen: bool) -> None:
        self._name = f"client{next(self._names)}"
        self._host.drivers[self._name] = self
        await self._ask(
            "open",
            server=self.server,
            transport=self._transport,
            session=self._session,
            listen=listen,
            pfs=self.pfs,
            api_id=API_ID,
            api_hash=API_HASH,
        )

    async def _ask(self, op: str, **arguments: Any) -> Any:
        return await self._host.ask(self._name, op, **arguments)

    async def call_in(self, dc_id: int, method: str, **params: Any) -> Any:
        """Call a method in another DC; the library takes the account there."""
        given = {name: to_json(value) for name, value in params.items()}
        return await self._ask("call", method=method, params=given, dc_id=dc_id)

    async def call(self, method: str, **params: Any) -> Any:
        return await self._ask(
            "call", method=method, params={name: to_json(value) for name, value in params.items()}
        )

    async def login(self, phone: str, code: str, password: str | None = None) -> None:
        await self._ask("start", phone=phone, code=code, password=password, first_name="Nobody")

    async def login_by_qr(
        self, show: Callable[[bytes], Awaitable[None]], password: str | None = None
    ) -> None:
        showing = []

        def seen(event: dict[str, Any]) -> None:
            if event["kind"] == "qr":
                showing.append(asyncio.ensure_future(show(bytes.fromhex(event["token"]))))

        before, self.on_event = self.on_event, seen
        try:
            await self._ask("start_by_qr", password=password)
            await asyncio.gather(*showing)
        finally:
            self.on_event = before

    async def set_password(self, before: str | None, after: str | None, hint: str = "") -> None:
        await self._ask("set_password", before=before, after=after, hint=hint)

    async def login_bot(self, token: str) -> None:
        await self._ask("start", token=token)

    async def listen(self) -> None:
        await self._ask("listen")

    async def leave(self) -> None:
        await self.leave_with_session()

    async def leave_with_session(self) -> str:
        """Disconnect, and return the session as the library writes it."""
        self._session = await self._ask("save")
        await self._ask("close")
        return self._session

    async def come_back(self, *, listen: bool = False) -> None:
        await self._connect(listen=listen)

    async def close(self) -> None:
        await self._ask("close")

    async def send(self, peer: Any, text: str) -> Plain:
        return await self._ask("send", peer=peer, text=text)

    async def edit(self, peer: Any, message_id: int, text: str) -> Plain:
        return await self._ask("edit", peer=peer, message_id=message_id, text=text)

    async def delete(self, peer: Any, ids: list[int]) -> None:
        await self._ask("delete", peer=peer, ids=ids)

    async def forward(self, to_peer: Any, ids: list[int], from_peer: Any) -> list[Plain]:
        return await self._ask("forward", to_peer=to_peer, ids=ids, from_peer=from_peer)

    async def pin(self, peer: Any, message_id: int, *, notify: bool = False) -> Plain | None:
        return await self._ask("pin", peer=peer, message_id=message_id, notify=notify)

    async def unpin(self, peer: Any, message_id: int) -> Plain | None:
        await self._ask("unpin", peer=peer, message_id=message_id)
        return None

    async def unpin_all(self, peer: Any) -> None:
        await self._ask("unpin_all", peer=peer)

    async def history(self, peer: Any, limit: int) -> list[Plain]:
        return await self._ask("history", peer=peer, limit=limit)

    async def dialogs(self) -> list[dict[str, Any]]:
        return await self._ask("dialogs")

    async def members(self, room: Plain) -> list[int]:
        return await self._ask("members", room=room)
