"""Who takes part in the chaos run: the same, played by Telethon, for comparison.

It gets what its documentation tells those who must not miss anything: a session file,
``catch_up=True``, ``sequential_updates=True``; it is ended in order, and reconnects for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from random import Random
from typing import Any

from telethon import TelegramClient, events, functions, types
from telethon.crypto import rsa
from telethon.errors import ChatNotModifiedError, RandomIdDuplicateError
from telethon.sessions import SQLiteSession

from radiogram.server import Server

from .chaos_keys import key_of, sent_id
from .chaos_people import CODE, Person, WentAway
from .chaos_world import Room, Truth, input_peer, phone_of

PATIENCE = 30.0
"""Seconds after which a call is given up: a packet that is lost is not sent again by itself."""


class TelethonPerson(Person):
    """Somebody who uses Telethon."""

    def __init__(self, number: int, random: Random, folder: Path | None) -> None:
        super().__init__(number, random, folder)
        assert folder is not None
        self.client: Any = None
        self.own_pins: set[str] = set()
        """Keys of the pins that it has made."""
        logging.getLogger("telethon").setLevel(logging.CRITICAL)

    def due(self, truth: Truth) -> set[str]:
        # By design, what this client did itself is not told to its handlers.
        return truth.foreign - self.own_pins

    @property
    def is_there(self) -> bool:
        return self.client is not None and self.client.is_connected()

    async def come(self, server: Server) -> None:
        assert self.folder is not None
        rsa.add_key(server.public_key, old=False)
        session = SQLiteSession(str(self.folder / f"telethon{self.number}"))
        session.set_dc(server.dc_id, server.host, server.port)
        client = TelegramClient(
            session,
            1,
            "any",
            catch_up=True,
            sequential_updates=True,
            connection_retries=None,
            retry_delay=0.05,
        )

        @client.on(events.Raw())
        async def note(update: Any) -> None:
            await self.note("box", update)

        for _ in range(200):
            try:
                async with asyncio.timeout(PATIENCE):
                    await client.connect()
                    if not self.user_id:
                        sent = await client.send_code_request(phone_of(self.number))
                        me = await client.sign_in(
                            phone_of(self.number), CODE, phone_code_hash=sent.phone_code_hash
                        )
                        self.user_id = me.id
                        await client.get_dialogs()
            except (OSError, TimeoutError):
                await client.disconnect()
            else:
                break
        self.client = client
        self.starts += 1

    async def go(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            await client.disconnect()

    async def send(self, room: Room, text: str, random_id: int) -> int:
        request = functions.messages.SendMessageRequest(
            peer=input_peer(types, room, self.number), message=text, random_id=random_id
        )
        result = await self._invoke(request)
        return sent_id(result) if result is not None else 0

    async def pin(self, room: Room, message_id: int) -> None:
        peer = input_peer(types, room, self.number)
        result = await self._invoke(functions.messages.UpdatePinnedMessageRequest(peer, message_id))
        if result is not None:
            self.own_pins |= {key for one in result.updates if (key := key_of(one)) is not None}

    async def _invoke(self, request: Any) -> Any:
        client = self.client
        if client is None:
            raise WentAway
        try:
            async with asyncio.timeout(PATIENCE):
                return await client(request)
        except TimeoutError as error:
            self.given_up += 1
            raise WentAway from error
        except (ChatNotModifiedError, RandomIdDuplicateError):
            return None
        except (OSError, asyncio.CancelledError, ValueError) as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            raise WentAway from error

    async def look_again(self) -> None:
        await self.client.catch_up()
        with contextlib.suppress(WentAway):
            await self._invoke(functions.help.GetNearestDcRequest())


def _is_cancelled() -> bool:
    """Tell whether this task is, and not only the call that it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
