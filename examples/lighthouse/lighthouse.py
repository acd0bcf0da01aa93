"""A bot that passes on what its keeper says to everybody who has signed up."""

from __future__ import annotations

import asyncio
import os

from radiogram import TelegramClient, errors, events
from radiogram.events import filters
from radiogram.sessions import StringSession


class Lighthouse:
    """The bot. `keeper` is the id of the account whose messages are passed on."""

    def __init__(self, client: TelegramClient, keeper: int) -> None:
        self.client = client
        self.keeper = keeper
        self.readers: set[int] = set()
        client.add_handler(self.start, events.NewMessage(filters.command("start")))
        client.add_handler(self.stop, events.NewMessage(filters.command("stop")))
        client.add_handler(self.say, events.NewMessage(filters.chat(keeper) & filters.incoming))

    async def start(self, event: events.NewMessageEvent) -> None:
        """Sign a reader up."""
        self.readers.add(event.chat_id)
        await event.reply("You will see the light.")

    async def stop(self, event: events.NewMessageEvent) -> None:
        """Sign a reader off."""
        self.readers.discard(event.chat_id)
        await event.reply("Good bye.")

    async def say(self, event: events.NewMessageEvent) -> None:
        """Pass a message of the keeper on."""
        if not event.text.startswith("/"):
            self.readers -= set(await broadcast(self.client, sorted(self.readers), event.text))


async def broadcast(client: TelegramClient, readers: list[int], text: str) -> list[int]:
    """Send a text to everybody, and give those who do not want to hear of this bot any more."""
    gone = []
    for reader in readers:
        try:
            await client.send_message(reader, text)
        except (errors.UserIsBlocked, errors.InputUserDeactivated):
            gone.append(reader)
    return gone


async def main() -> None:
    """Run the bot until it is interrupted."""
    client = TelegramClient(StringSession(""), int(os.environ["API_ID"]), os.environ["API_HASH"])
    async with client:
        await client.start(bot_token=os.environ["BOT_TOKEN"])
        Lighthouse(client, await client.marked_id(os.environ["KEEPER"]))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
