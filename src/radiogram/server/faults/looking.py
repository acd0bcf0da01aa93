"""Server layer, faults: which calls are in a message, for faults that are aimed at a method.

Knows containers, compression and wrappers as far as is needed to find names. Judges nothing: what
it cannot read has no names.
"""

from __future__ import annotations

from radiogram.errors import RadiogramError
from radiogram.mtproto.message import GZIP_PACKED, MSG_CONTAINER, inflate, split
from radiogram.tl import api
from radiogram.tl.build import registry

MAX_DEPTH = 16
"""Wrappers, and containers, that are looked into."""


def methods_in(body: bytes, depth: int = MAX_DEPTH) -> set[str]:
    """Return the TL names of the calls in a message, those of wrappers among them."""
    if len(body) < 4 or not depth:
        return set()
    constructor = int.from_bytes(body[:4], "little")
    try:
        if constructor == MSG_CONTAINER:
            return {name for part in split(body) for name in methods_in(part.body, depth - 1)}
        if constructor == GZIP_PACKED:
            return methods_in(inflate(body), depth - 1)
    except RadiogramError:
        return set()
    newest = registry(api.LAYER)
    method = newest.get_by_id(constructor)
    if method is None:
        return set()
    names = {method.TL_NAME}
    if "query" in method.__struct_fields__:
        try:
            query = getattr(newest.decode_request(body), "query", b"")
        except RadiogramError:
            return names
        if isinstance(query, bytes | bytearray | memoryview):
            names |= methods_in(bytes(query), depth - 1)
    return names
