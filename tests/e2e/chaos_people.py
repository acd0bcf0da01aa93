"""Who takes part in the chaos run: an account whose client comes and goes, played by Radiogram."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

from radiogram import TelegramClient, api, errors, events
from radiogram.client.environment import Environment
from radiogram.server import Server
from radiogram.sessions import MemorySession, Session, SqliteSession

from .chaos_keys import key_of, sent_id
from .chaos_world import Room, Truth, input_peer, phone_of

CODE = "22222"
HARMLESS = {"RANDOM_ID_DUPLICATE", "CHAT_NOT_MODIFIED"}
"""Answers to a call that was executed before, under another message id."""


STREAM = "stream"
"""Where a person notes what an event stream told beside the handler: for its order."""


class WentAway(Exception):
    """A call has no answer: only the server knows whether it was executed."""


class Person(ABC):
    """One account: its client of the moment, and what its handlers were told."""

    def __init__(self, number: int, random: Random, folder: Path | None) -> None:
        self.number = number
        self.random = random
        self.folder = folder
        """Where its session lives; None: in memory."""
        self.user_id = 0
        self.told: defaultdict[object, list[str]] = defaultdict(list)
        """Keys as the handler was told them, by box or, where chats go side by side, by chat."""
        self.calls = 0
        """How often the handler was called for something with a key."""
        self.starts = 0
        self.given_up = 0
        """Calls that were never answered while the client was there."""
        self.moving = asyncio.Lock()
        """Held while the client goes and comes."""

    @property
    def keys(self) -> set[str]:
        return {key for box, keys in self.told.items() if box != STREAM for key in keys}

    @property
    def ambiguous(self) -> int:
        """How often keys of the library's own did not name one happening each."""
        return 0

    def due(self, truth: Truth) -> set[str]:
        """Return what the handler must have been told in the end."""
        return truth.keys

    @property
    @abstractmethod
    def is_there(self) -> bool:
        """Whether its client can be asked to do something."""

    @abstractmethod
    async def come(self, server: Server) -> None:
        """Start a client with the session that the last one left."""

    @abstractmethod
    async def go(self) -> None:
        """Stop in the middle of whatever happens."""

    @abstractmethod
    async def send(self, room: Room, text: str, random_id: int) -> int:
        """Send a text; return its id, 0 if it had been sent before. Raises WentAway."""

    @abstractmethod
    async def pin(self, room: Room, message_id: int) -> None:
        """Pin a message. Raises WentAway."""

    @abstractmethod
    async def look_again(self) -> None:
        """Ask for what was missed, as after a long silence."""

    async def note(self, box: object, update: Any) -> str | None:
        """Be the handler."""
        if self.random.random() < 0.05:
            await asyncio.sleep(0)
        key = key_of(update)
        if key is not None:
            self.calls += 1
            self.told[box].append(key)
        return key


async def _short_pause(_seconds: float) -> None:
    await asyncio.sleep(0.001)


ENVIRONMENT = Environment(sleep=_short_pause, jitter=lambda: 0.0)


class RadiogramPerson(Person):
    """Somebody who uses Radiogram."""

    def __init__(self, number: int, random: Random, folder: Path | None) -> None:
        super().__init__(number, random, folder)
        self.client: TelegramClient | None = None
        self.named: defaultdict[str, set[str]] = defaultdict(set)
        """For each key of an event, what it stood for: one thing, or keys are worthless."""
        self._memory = MemorySession()
        self._reading: asyncio.Task[None] | None = None

    @property
    def is_there(self) -> bool:
        return self.client is not None and self.client.is_connected

    async def come(self, server: Server) -> None:
        session: Session = self._memory
        if self.folder is not None:
            session = SqliteSession(self.folder / f"radiogram{self.number}")
        client = TelegramClient(
            session, 1, "any", server=server, reconnect_attempts=None, environment=ENVIRONMENT
        )

        @client.on(events.Raw())
        async def note(event: events.Event) -> None:
            # Chats of the account's box are handled side by side; each in its order.
            key = await self.note(event.chat_id, event.update)
            if key is not None:
                self.named[event.key].add(key)

        self._reading = asyncio.create_task(self._read(client))
        await asyncio.sleep(0)  # it is there before the first event
        for _ in range(200):  # a first connection that fails is an error at once
            try:
                if self.user_id:
                    await client.connect()
                else:
                    self.user_id = (await client.start(phone=phone_of(self.number), code=CODE)).id
                    await client.invoke(_dialogs())
            except (errors.ConnectionFailed, errors.ClientClosed, errors.SecurityError):
                await client.disconnect()
            else:
                break
        self.client = client
        self.starts += 1

    @property
    def ambiguous(self) -> int:
        meant = [name for names in self.named.values() for name in names]
        return len(meant) - len(set(meant)) + len(meant) - len(self.named)

    async def _read(self, client: TelegramClient) -> None:
        """Read the stream of all events, which keeps the order of each box across its chats."""
        async with client.events(events.Raw()) as stream:
            async for event in stream:
                key = key_of(event.update)
                if key is not None:
                    self.told[STREAM].append(key)

    async def go(self) -> None:
        client, self.client = self.client, None
        if client is None:
            return
        await client.disconnect()
        if self._reading is not None:
            await self._reading  # which reads what it had been given
        if isinstance(client.session, SqliteSession):
            client.session.close()

    async def send(self, room: Room, text: str, random_id: int) -> int:
        request = api.messages.SendMessage(
            peer=input_peer(api, room, self.number), message=text, random_id=random_id
        )
        result = await self._invoke(request)
        return sent_id(result) if result is not None else 0

    async def pin(self, room: Room, message_id: int) -> None:
        await self._invoke(
            api.messages.UpdatePinnedMessage(peer=input_peer(api, room, self.number), id=message_id)
        )

    async def _invoke(self, request: Any) -> Any:
        if self.client is None:
            raise WentAway
        try:
            return await self.client.invoke(request)
        except errors.RpcError as error:
            if error.name in HARMLESS:
                return None
            raise
        except errors.RadiogramError as error:
            raise WentAway from error

    async def look_again(self) -> None:
        assert self.client is not None
        self.client.updates.missed()
        await self.client.invoke(api.help.GetNearestDc())


def _dialogs() -> api.messages.GetDialogs:
    return api.messages.GetDialogs(
        offset_date=0, offset_id=0, offset_peer=api.InputPeerEmpty(), limit=100, hash=0
    )
