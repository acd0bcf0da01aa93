"""Kurigram 2.2 (package ``pyrogram``, layer 229) behind the interface of :mod:`drivers`.

Knows Kurigram and where its own limits need a hook; knows no scenario.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pyrogram import Client, enums, errors, handlers, raw, types, utils
from pyrogram.connection import Connection
from pyrogram.connection.transport import (
    TCPAbridged,
    TCPAbridgedO,
    TCPFull,
    TCPIntermediate,
    TCPIntermediateO,
    TCPIntermediatePadded,
)
from pyrogram.crypto import rsa
from pyrogram.errors import RPCError
from pyrogram.qrlogin import QRLogin
from pyrogram.raw.all import layer
from pyrogram.raw.core import TLObject
from pyrogram.session import Session

from radiogram.crypto.rsa import PublicKey

from ..served import Address
from .drivers import API_HASH, API_ID, CallError, Driver, channel_of
from .plain import Plain

TRANSPORTS = {
    "abridged": TCPAbridged,
    "full": TCPFull,
    "intermediate": TCPIntermediate,
    "padded": TCPIntermediatePadded,
    "obfuscated": TCPAbridgedO,
    "obfuscated intermediate": TCPIntermediateO,
}

RENAMED = {"is_self": "self"}
"""Fields that Kurigram calls otherwise, since a Python method has a `self` of its own."""

Session.START_TIMEOUT = 15
"""Kurigram gives a server two seconds for the first ping, which is little on a busy machine."""

errors.rpc_error.Path = lambda _: Path(os.devnull)
"""Kurigram would collect errors that it does not know in a file where the tests run."""

_raise = RPCError.raise_it


def _raise_with_words(rpc_error: raw.types.RpcError, rpc_type: type[TLObject[Any]]) -> None:
    """Keep the words of the wire: Kurigram's own classes forget them."""
    try:
        _raise(rpc_error, rpc_type)
    except RPCError as error:
        error.words = (rpc_error.error_code, rpc_error.error_message)
        raise


RPCError.raise_it = staticmethod(_raise_with_words)


def dump(value: Any) -> Any:
    """Return one of Kurigram's raw values in the tests' form."""
    if isinstance(value, list):
        return [dump(item) for item in value]
    if isinstance(value, TLObject):
        *spaces, last = value.QUALNAME.split(".")[1:]
        name = ".".join([*spaces, last[0].lower() + last[1:]])
        fields = {
            RENAMED.get(field, field): dump(getattr(value, field)) for field in value.__slots__
        }
        return Plain(name, **fields)
    return value


def load(value: Any) -> Any:
    """Return a value of the tests as Kurigram's raw API wants it."""
    if isinstance(value, Plain):
        kind = _class_of(raw.types, value.kind) or _class_of(raw.functions, value.kind)
        return kind(**{field: load(item) for field, item in value.fields.items()})
    if isinstance(value, list):
        return [load(item) for item in value]
    return value


def _class_of(root: Any, name: str) -> Any:
    *spaces, last = name.split(".")
    for space in spaces:
        root = getattr(root, space, None)
    return getattr(root, last[0].upper() + last[1:], None)


def chat_id(peer: Any) -> int | str:
    """Return the one number by which Kurigram's friendly methods know a peer."""
    if not isinstance(peer, Plain):
        return peer
    if peer.kind == "inputPeerSelf":
        return "me"
    if peer.kind == "inputPeerUser":
        return peer.user_id
    if peer.kind == "inputPeerChat":
        return -peer.chat_id
    return utils.get_channel_id(peer.channel_id)


class KurigramDriver(Driver):
    """One `pyrogram.Client`, with its session in a file as its users have it."""

    library = "kurigram"
    layer = layer
    transports = tuple(TRANSPORTS)

    async def open(self, server: Address, *, transport: str | None = None) -> None:
        key = PublicKey.from_pem(server.public_key)
        rsa.server_public_keys[server.fingerprint] = rsa.PublicKey(key.n, key.e)

        class ToServer(Connection):
            """Dials our server, wherever the session says that Telegram is."""

            def __init__(self, **arguments: Any) -> None:
                place = {"server_address": server.host, "port": server.port}
                super().__init__(**(arguments | place))

        self._connection = ToServer
        self._transport = TRANSPORTS[transport or self.transports[0]]
        self._folder = tempfile.TemporaryDirectory(prefix="radiogram-kurigram-")
        try:
            await self._connect(skip_updates=True)
        except BaseException:
            self._folder.cleanup()
            raise

    async def _connect(self, *, skip_updates: bool) -> None:
        self._client = Client(
            "session",
            API_ID,
            API_HASH,
            workdir=self._folder.name,
            device_model="Kurigram",
            parse_mode=enums.ParseMode.DISABLED,
            sleep_threshold=0,
            skip_updates=skip_updates,
            workers=1,
            connection_factory=self._connection,
            protocol_factory=self._transport,
        )
        handle_updates, invoke = self._client.handle_updates, self._client.invoke

        async def tell(updates: Any) -> None:
            self.on_push(dump(updates))
            await handle_updates(updates)

        async def tell_result(query: TLObject[Any], *more: Any, **options: Any) -> Any:
            result = await invoke(query, *more, **{"retries": 1, **options})
            self.on_result(dump(result), channel_of(query))
            return result

        self._client.handle_updates = tell
        self._client.invoke = tell_result
        self._authorized = await self._client.connect()

    async def _start(self) -> None:
        """Do what `Client.start` does, of which `open` did the first part."""

        async def is_connected() -> bool:
            return self._authorized

        connect, self._client.connect = self._client.connect, is_connected
        try:
            await self._client.start()
        finally:
            self._client.connect = connect

    async def call(self, method: str, **params: Any) -> Any:
        request = _class_of(raw.functions, method)(
            **{name: load(value) for name, value in params.items()}
        )
        try:
            return dump(await self._client.invoke(request))
        except RPCError as error:
            raise CallError(*error.words) from error

    async def login(self, phone: str, code: str, password: str | None = None) -> None:
        if password is not None:
            # What start() does, but without asking the terminal when the password is wrong.
            sent = await self._client.send_code(phone)
            await self._with_password(
                self._client.sign_in(phone, sent.phone_code_hash, code), password
            )
        self._client.phone_number = phone
        self._client.phone_code = code
        await self._start()

    async def _with_password(self, signing_in: Awaitable[object], password: str | None) -> None:
        try:
            await signing_in
        except errors.SessionPasswordNeeded as error:
            if password is None:
                raise CallError(*error.words) from error
            try:
                await self._client.check_password(password)
            except RPCError as error:
                raise CallError(*error.words) from error
        self._authorized = True

    async def login_by_qr(
        self, show: Callable[[bytes], Awaitable[None]], password: str | None = None
    ) -> None:
        qr = QRLogin(self._client)
        await qr.recreate()
        await self._with_password(asyncio.gather(qr.wait(20), show(qr.r.token)), password)
        await self._start()

    async def set_password(self, before: str | None, after: str | None, hint: str = "") -> None:
        try:
            if before is None:
                await self._client.enable_cloud_password(after, hint)
            elif after is None:
                await self._client.remove_cloud_password(before)
            else:
                await self._client.change_cloud_password(before, after, hint)
        except RPCError as error:
            raise CallError(*error.words) from error

    async def login_bot(self, token: str) -> None:
        self._client.bot_token = token
        await self._start()

    async def listen(self) -> None:
        def tell(kind: str) -> Any:
            async def handler(_: Client, message: types.Message) -> None:
                self.on_event(
                    {
                        "kind": kind,
                        "id": message.id,
                        "text": message.text,
                        "out": message.outgoing,
                    }
                )

            return handler

        async def deleted(_: Client, messages: list[types.Message]) -> None:
            self.on_event({"kind": "deleted", "ids": [message.id for message in messages]})

        self._client.add_handler(handlers.MessageHandler(tell("new")))
        self._client.add_handler(handlers.EditedMessageHandler(tell("edited")))
        self._client.add_handler(handlers.DeletedMessagesHandler(deleted))

    async def leave(self) -> None:
        await self._stop()

    async def _stop(self) -> None:
        if self._client.is_initialized:
            await self._client.terminate()
        if self._client.is_connected:
            await self._client.disconnect()
        self._client.executor.shutdown(wait=False)

    async def come_back(self, *, listen: bool = False) -> None:
        await self._connect(skip_updates=not listen)
        if listen:
            await self.listen()
        if self._authorized:
            await self._start()

    async def close(self) -> None:
        try:
            await self._stop()
        finally:
            self._folder.cleanup()

    async def send(self, peer: Any, text: str) -> Plain:
        return self._raw(await self._client.send_message(chat_id(peer), text))

    async def edit(self, peer: Any, message_id: int, text: str) -> Plain:
        return self._raw(await self._client.edit_message_text(chat_id(peer), message_id, text))

    async def delete(self, peer: Any, ids: list[int]) -> None:
        await self._client.delete_messages(chat_id(peer), ids)

    async def forward(self, to_peer: Any, ids: list[int], from_peer: Any) -> list[Plain]:
        forwarded = await self._client.forward_messages(chat_id(to_peer), chat_id(from_peer), ids)
        return [self._raw(message) for message in forwarded]

    async def pin(self, peer: Any, message_id: int, *, notify: bool = False) -> Plain | None:
        return self._raw(
            await self._client.pin_chat_message(
                chat_id(peer), message_id, disable_notification=not notify, both_sides=True
            )
        )

    async def unpin(self, peer: Any, message_id: int) -> Plain | None:
        await self._client.unpin_chat_message(chat_id(peer), message_id)
        return None

    async def unpin_all(self, peer: Any) -> None:
        await self._client.unpin_all_chat_messages(chat_id(peer))

    async def history(self, peer: Any, limit: int) -> list[Plain]:
        return [
            self._raw(message)
            async for message in self._client.get_chat_history(chat_id(peer), limit=limit)
        ]

    async def dialogs(self) -> list[dict[str, Any]]:
        return [
            {
                "id": dialog.chat.id,
                "unread": dialog.unread_messages_count,
                "top": dialog.top_message.id,
            }
            async for dialog in self._client.get_dialogs()
        ]

    async def make(self, kind: str, title: str, members: list[Plain]) -> int:
        if kind == "group":
            chat = await self._client.create_group(title, [chat_id(user) for user in members])
        elif kind == "supergroup":
            chat = await self._client.create_supergroup(title)
        else:
            chat = await self._client.create_channel(title)
        return utils.get_raw_peer_id(chat.id)

    async def invite(self, room: Plain, user: Plain) -> None:
        await self._client.add_chat_members(chat_id(room), chat_id(user))

    async def join(self, room: Plain) -> None:
        await self._client.join_chat(chat_id(room))

    async def part(self, room: Plain) -> None:
        await self._client.leave_chat(chat_id(room))

    async def promote(self, room: Plain, user: Plain, *rights: str) -> None:
        if room.kind == "inputPeerChat":  # Kurigram has no method for admins of basic groups
            await super().promote(room, user)
            return
        granted = types.ChatAdministratorRights(**{f"can_{right}": True for right in rights})
        await self._client.promote_chat_member(chat_id(room), chat_id(user), granted)

    async def ban(self, room: Plain, user: Plain) -> None:
        await self._client.ban_chat_member(chat_id(room), chat_id(user))

    async def members(self, room: Plain) -> list[int]:
        return [member.user.id async for member in self._client.get_chat_members(chat_id(room))]

    @staticmethod
    def _raw(message: types.Message | None) -> Any:
        if message is None:
            return None
        if message.raw is None:  # made of an updateShortSentMessage
            return Plain("message", id=message.id, message=message.text, out=message.outgoing)
        return dump(message.raw)
