"""Telethon 1.45 (layer 229) behind the interface of :mod:`drivers`.

Knows Telethon and where its own limits need a hook; knows no scenario.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import telethon
from telethon import errors, events, functions, types
from telethon.crypto import rsa
from telethon.network import mtprotosender
from telethon.network.connection import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpMTProxyAbridged,
    ConnectionTcpMTProxyIntermediate,
    ConnectionTcpMTProxyRandomizedIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.sessions import MemorySession
from telethon.tl import alltlobjects
from telethon.tl.tlobject import TLObject, TLRequest

from ..served import Address
from .drivers import API_HASH, API_ID, CallError, Driver, channel_of
from .plain import Plain

TRANSPORTS = {
    "full": ConnectionTcpFull,
    "abridged": ConnectionTcpAbridged,
    "intermediate": ConnectionTcpIntermediate,
    "obfuscated": ConnectionTcpObfuscated,
    "mtproxy abridged": ConnectionTcpMTProxyAbridged,
    "mtproxy intermediate": ConnectionTcpMTProxyIntermediate,
    "mtproxy dd": ConnectionTcpMTProxyRandomizedIntermediate,
}

RENAMED = {"is_self": "self"}
"""Fields that Telethon calls otherwise, since a Python method has a `self` of its own."""

_to_error = mtprotosender.rpc_message_to_error


def _to_error_with_words(rpc_error: Any, request: Any) -> Exception:
    """Keep the words of the wire: Telethon's own classes forget them."""
    error = _to_error(rpc_error, request)
    error.words = (rpc_error.error_code, rpc_error.error_message)
    return error


mtprotosender.rpc_message_to_error = _to_error_with_words


def dump(value: Any) -> Any:
    """Return a Telethon value in the tests' form."""
    if isinstance(value, TLObject):
        kind = type(value)
        space = kind.__module__.removeprefix("telethon.tl.types").removeprefix(
            "telethon.tl.patched"
        )
        name = f"{space}.{kind.__name__[0].lower()}{kind.__name__[1:]}".lstrip(".")
        fields = {RENAMED.get(field, field): dump(getattr(value, field)) for field in _fields(kind)}
        return Plain(name, **fields)
    if isinstance(value, list):
        return [dump(item) for item in value]
    if isinstance(value, dt.datetime):
        return int(value.timestamp())
    return value


@functools.cache
def _fields(kind: type[TLObject]) -> list[str]:
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    return [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]


def load(value: Any) -> Any:
    """Return a value of the tests as Telethon wants it."""
    if isinstance(value, Plain):
        kind = _class_of(types, value.kind) or _class_of(functions, value.kind, "Request")
        return kind(**{field: load(item) for field, item in value.fields.items()})
    if isinstance(value, list):
        return [load(item) for item in value]
    return value


def _listed(value: Any) -> list[Any]:
    """Return a list of one for one: Telethon calls many methods at once, too."""
    return value if isinstance(value, list) else [value]


def _class_of(root: Any, name: str, suffix: str = "") -> Any:
    *spaces, last = name.split(".")
    for space in spaces:
        root = getattr(root, space, None)
    return getattr(root, last[0].upper() + last[1:] + suffix, None)


class TelethonDriver(Driver):
    """One `telethon.TelegramClient`."""

    library = "telethon"
    layer = alltlobjects.LAYER
    transports = tuple(TRANSPORTS)

    async def open(self, server: Address, *, transport: str | None = None) -> None:
        rsa.add_key(server.public_key, old=False)
        name = transport or self.transports[0]
        self._transport, self._proxy = TRANSPORTS[name], None
        if name.startswith("mtproxy"):
            host, port, secret = server.mtproxy
            self._proxy = host, port, f"dd{secret}" if name.endswith("dd") else secret
        session = MemorySession()
        session.set_dc(server.dc_id, server.host, server.port)
        await self._connect(session, catch_up=False)

    async def _connect(self, session: MemorySession, *, catch_up: bool) -> None:
        # Telethon keeps what help.getConfig told in the class, whichever server that was.
        own = type("TelegramClient", (telethon.TelegramClient,), {"_config": None})
        self._client = own(
            session,
            API_ID,
            API_HASH,
            connection=self._transport,
            proxy=self._proxy,
            device_model="Telethon",
            catch_up=catch_up,
            connection_retries=3,
            retry_delay=0,
            request_retries=1,
            flood_sleep_threshold=0,
        )
        handle_update = self._client._sender._handle_update

        async def tell(message: Any) -> None:
            self.on_push(dump(message.obj))
            await handle_update(message)

        self._client._sender._handle_update = tell
        call = self._client._call

        async def tell_result(sender: Any, request: TLRequest, *more: Any, **options: Any) -> Any:
            result = await call(sender, request, *more, **options)
            for one, answer in zip(*map(_listed, (request, result)), strict=True):
                self.on_result(dump(answer), channel_of(one))
            return result

        self._client._call = tell_result
        if catch_up:
            await self.listen()
        await self._client.connect()

    async def call(self, method: str, **params: Any) -> Any:
        request: TLRequest = _class_of(functions, method, "Request")(
            **{name: load(value) for name, value in params.items()}
        )
        try:
            return dump(await self._client(request))
        except errors.RPCError as error:
            raise CallError(*error.words) from error

    async def call_in(self, dc_id: int, method: str, **params: Any) -> Any:
        """Call a method in another DC; Telethon takes the account there."""
        request: TLRequest = _class_of(functions, method, "Request")(
            **{name: load(value) for name, value in params.items()}
        )
        sender = await self._client._borrow_exported_sender(dc_id)
        try:
            return dump(await self._client._call(sender, request))
        finally:
            await self._client._return_exported_sender(sender)

    @property
    def dc_id(self) -> int:
        """Where the session says that the account lives."""
        return int(self._client.session.dc_id)

    async def login(self, phone: str, code: str, password: str | None = None) -> None:
        await self._client.send_code_request(phone)
        try:
            await self._client.sign_in(phone, code)
        except errors.SessionPasswordNeededError as error:
            await self._give_password(password, error)

    async def _give_password(self, password: str | None, error: Exception) -> None:
        if password is None:
            raise CallError(*error.words) from error
        try:
            await self._client.sign_in(password=password)
        except errors.RPCError as refused:
            raise CallError(*refused.words) from refused

    async def login_by_qr(
        self, show: Callable[[bytes], Awaitable[None]], password: str | None = None
    ) -> None:
        qr = await self._client.qr_login()
        try:
            await asyncio.gather(qr.wait(20), show(qr.token))
        except errors.SessionPasswordNeededError as error:
            await self._give_password(password, error)

    async def set_password(self, before: str | None, after: str | None, hint: str = "") -> None:
        try:
            await self._client.edit_2fa(before, after, hint=hint)
        except errors.RPCError as error:
            raise CallError(*error.words) from error

    async def set_password_with_email(
        self, password: str, email: str, code: Callable[[int], str]
    ) -> None:
        """Set a password and an address, of which `code` gets the length of the code sent there."""
        await self._client.edit_2fa(new_password=password, email=email, email_code_callback=code)

    async def login_bot(self, token: str) -> None:
        await self._client.sign_in(bot_token=token)

    async def listen(self) -> None:
        def tell(kind: str) -> Any:
            async def handler(event: Any) -> None:
                self.on_event({"kind": kind, "id": event.id, "text": event.text, "out": event.out})

            return handler

        async def deleted(event: Any) -> None:
            self.on_event({"kind": "deleted", "ids": event.deleted_ids})

        self._client.parse_mode = None
        self._client.add_event_handler(tell("new"), events.NewMessage())
        self._client.add_event_handler(tell("edited"), events.MessageEdited())
        self._client.add_event_handler(deleted, events.MessageDeleted())

    async def leave(self) -> None:
        await self._client.disconnect()

    async def come_back(self, *, listen: bool = False) -> None:
        await self._connect(self._client.session, catch_up=listen)

    async def close(self) -> None:
        await self._client.disconnect()

    async def send(self, peer: Any, text: str) -> Plain:
        return dump(await self._client.send_message(load(peer), text, parse_mode=None))

    async def edit(self, peer: Any, message_id: int, text: str) -> Plain:
        return dump(await self._client.edit_message(load(peer), message_id, text, parse_mode=None))

    async def delete(self, peer: Any, ids: list[int]) -> None:
        await self._client.delete_messages(load(peer), ids, revoke=True)

    async def forward(self, to_peer: Any, ids: list[int], from_peer: Any) -> list[Plain]:
        return dump(await self._client.forward_messages(load(to_peer), ids, load(from_peer)))

    async def pin(self, peer: Any, message_id: int, *, notify: bool = False) -> Plain | None:
        return dump(await self._client.pin_message(load(peer), message_id, notify=notify))

    async def unpin(self, peer: Any, message_id: int) -> Plain | None:
        return dump(await self._client.unpin_message(load(peer), message_id))

    async def unpin_all(self, peer: Any) -> None:
        await self._client.unpin_message(load(peer))

    async def history(self, peer: Any, limit: int) -> list[Plain]:
        return dump(list(await self._client.get_messages(load(peer), limit)))

    async def dialogs(self) -> list[dict[str, Any]]:
        return [
            {"id": dialog.id, "unread": dialog.unread_count, "top": dialog.message.id}
            for dialog in await self._client.get_dialogs()
        ]

    async def part(self, room: Plain) -> None:
        await self._client.kick_participant(load(room), "me")

    async def promote(self, room: Plain, user: Plain, *rights: str) -> None:
        if room.kind == "inputPeerChat":  # Telethon looks for rights, and does not find them
            await self._client.edit_admin(load(room), load(user), is_admin=True)
            return
        await self._client.edit_admin(load(room), load(user), **dict.fromkeys(rights, True))

    async def ban(self, room: Plain, user: Plain) -> None:
        if room.kind == "inputPeerChat":
            await self._client.kick_participant(load(room), load(user))
        else:
            await self._client.edit_permissions(load(room), load(user), view_messages=False)

    async def members(self, room: Plain) -> list[int]:
        return [user.id for user in await self._client.get_participants(load(room))]
