"""mtcute 0.30 (layer 227) behind the interface of :mod:`drivers`."""

from __future__ import annotations

from pathlib import Path

from .node import NodeDriver

FOLDER = Path(__file__).parent / "mtcute"


class MtcuteDriver(NodeDriver):
    """One mtcute `TelegramClient`."""

    library = "mtcute"
    layer = 227
    transports = ("intermediate", "padded", "obfuscated")
    script = FOLDER / "driver.mjs"
