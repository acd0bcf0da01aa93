"""mtcute 0.30 (layer 227) behind the interface of :mod:`drivers`."""

from __future__ import annotations

from pathlib import Path

from .node import NodeDriver
from .plain import Plain

FOLDER = Path(__file__).parent / "mtcute"


class MtcuteDriver(NodeDriver):
    """One mtcute `TelegramClient`."""

    library = "mtcute"
    layer = 227
    transports = (
        "intermediate",
        "padded",
        "obfuscated",
        "mtproxy",
        "mtproxy dd",
        "mtproxy ee",
    )
    script = FOLDER / "driver.mjs"

    async def make(self, kind: str, title: str, members: list[Plain]) -> int:
        return await self._ask("make", kind=kind, title=title, members=members)

    async def invite(self, room: Plain, user: Plain) -> None:
        await self._ask("invite", room=room, user=user)

    async def join(self, room: Plain) -> None:
        await self._ask("join", room=room)

    async def part(self, room: Plain) -> None:
        await self._ask("part", room=room)

    async def promote(self, room: Plain, user: Plain, *rights: str) -> None:
        if room.kind == "inputPeerChat":  # mtcute has no method for admins of basic groups
            await super().promote(room, user)
        else:
            await self._ask("promote", room=room, user=user, rights=list(rights))

    async def ban(self, room: Plain, user: Plain) -> None:
        await self._ask("ban", room=room, user=user)
