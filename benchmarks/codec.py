"""Encoding and decoding one page of messages, the same bytes for every library.

The page is encoded at layer 229, which is the one that Telethon and Kurigram speak.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from radiogram.tl.build import registry

from .measure import per_call
from .page import build_page, count_objects

LAYER = 229
MESSAGES = 100


@dataclass
class Codec:
    """What one library takes for the page, in seconds."""

    size: int
    objects: int
    decode: float
    encode: float


def measure(libraries: list[str]) -> dict[str, Codec]:
    """Let each library decode the page, and encode what it decoded."""
    page = build_page(MESSAGES)
    data = registry(LAYER).encode(page)
    results = {}
    for library in libraries:
        decode, encode = CODECS[library]()
        value = decode(data)
        if encode(value) != data:
            raise RuntimeError(f"{library} does not encode the page as it was")
        results[library] = Codec(
            len(data),
            count_objects(page),
            per_call(partial(decode, data)),
            per_call(partial(encode, value)),
        )
    return results


Functions = tuple[Callable[[bytes], object], Callable[..., bytes]]


def _radiogram() -> Functions:
    layer = registry(LAYER)
    return layer.decode, layer.encode


def _telethon() -> Functions:
    from telethon.extensions import BinaryReader

    return lambda data: BinaryReader(data).tgread_object(), bytes


def _kurigram() -> Functions:
    from pyrogram import raw
    from pyrogram.raw.core import TLObject

    del raw  # imported for its table of constructors
    return lambda data: TLObject.read(BytesIO(data)), lambda value: value.write()


CODECS = {"radiogram": _radiogram, "telethon": _telethon, "kurigram": _kurigram}
