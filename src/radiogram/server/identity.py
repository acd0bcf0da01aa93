"""Server layer: the RSA key of servers that keep nothing.

Knows only how to make it once. Imports so little that it can be at work while the rest is loaded.
"""

from __future__ import annotations

from functools import cache

from radiogram.crypto.rsa import PrivateKey


@cache
def key_of_process() -> PrivateKey:
    """Return the key of every server in memory; making one takes a good part of a start."""
    return PrivateKey.generate()
