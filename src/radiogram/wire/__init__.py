"""Layer 1, bytes <-> packets: Telegram's transports over a byte stream, for both ends.

Knows framing, obfuscation, quick acknowledgements and transport errors; must not know what is in
a packet, nor where bytes come from and go to.
"""

from __future__ import annotations

from radiogram.errors import LocalProtocolError
from radiogram.wire.base import (
    MAX_PACKET,
    Codec,
    ErrorCode,
    Frame,
    Packet,
    QuickAck,
    Random,
)
from radiogram.wire.detect import ServerCodec
from radiogram.wire.framing import CLIENT_ENDS
from radiogram.wire.obfuscation import TAGS, Obfuscated, make_opening
from radiogram.wire.secret import ProxySecret
from radiogram.wire.tunnel import Tunnel, Tunnelled

__all__ = [
    "MAX_PACKET",
    "Codec",
    "ErrorCode",
    "Frame",
    "Packet",
    "ProxySecret",
    "QuickAck",
    "ServerCodec",
    "Tunnel",
    "Tunnelled",
    "check_transport",
    "client_codec",
]


def check_transport(name: str, *, obfuscated: bool = False) -> None:
    """Raise ``LocalProtocolError`` for a combination that :func:`client_codec` cannot make."""
    if name not in CLIENT_ENDS:
        raise LocalProtocolError(f"no transport is called {name!r}: {', '.join(CLIENT_ENDS)}")
    if obfuscated and name not in TAGS.values():
        raise LocalProtocolError(f"the {name} transport cannot be obfuscated")


def client_codec(
    name: str,
    *,
    obfuscated: bool = False,
    dc_id: int = 0,
    secret: bytes = b"",
    random: Random,
    max_packet: int = MAX_PACKET,
) -> Codec:
    """Make the codec of a client: ``abridged``, ``intermediate``, ``padded`` or ``full``.

    ``dc_id`` and ``secret`` are for obfuscated connections: the DC that a proxy should reach
    (10000 more for a test DC, negative for media) and the 16 bytes that it shares with its users.
    ``LocalProtocolError`` for a combination that does not exist, or for a source of randomness
    that cannot open an obfuscated connection.
    """
    check_transport(name, obfuscated=obfuscated)
    end = CLIENT_ENDS[name]
    if not obfuscated:
        return end(random=random, max_packet=max_packet)
    opening, incoming, outgoing = make_opening(name, dc_id=dc_id, secret=secret, random=random)
    inner = end(random=random, max_packet=max_packet, named=False)
    return Obfuscated(inner, incoming, outgoing, opening)
