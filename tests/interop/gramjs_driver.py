"""GramJS 2.26 (layer 198) behind the interface of :mod:`drivers`."""

from __future__ import annotations

from pathlib import Path

from .node import NodeDriver

FOLDER = Path(__file__).parent / "gramjs"


class GramJSDriver(NodeDriver):
    """One GramJS `TelegramClient`."""

    library = "gramjs"
    layer = 198
    transports = ("full", "abridged", "obfuscated", "websocket", "mtproxy")
    script = FOLDER / "driver.js"
