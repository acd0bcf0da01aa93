"""Layer 1, bytes <-> packets: the server's end, which learns the transport from the first bytes.

Knows the order in which transports are told apart (A1.1), and hands over to the one it found. In a
tunnel the same begins anew: the codec inside is one of these, too.
"""

from __future__ import annotations

from collections.abc import Callable

from radiogram.errors import FramingError, LocalProtocolError
from radiogram.wire.base import MAX_PACKET, Buffer, Codec, Frame, Random
from radiogram.wire.framing import SERVER_ENDS, Abridged, Intermediate, Padded
from radiogram.wire.obfuscation import INIT_SIZE, Obfuscated, read_opening
from radiogram.wire.tunnel import Tunnel, Tunnelled
from radiogram.wire.websocket import WebSocketServer

PROXY_PADDING = 3
"""Bytes that an MTProxy adds at most: others add no more, and Telethon takes no more off."""

_HTTP = (b"POST", b"HEAD", b"OPTI")
_TLS_HELLO = b"\x16\x03\x01"


def detect(head: bytes) -> str | None:
    """Name the transport that a connection opens with, or ``None`` while that is open.

    ``websocket`` and ``tls`` are tunnels. Anything that is nothing else counts as ``obfuscated``
    once all of its opening is there. ``FramingError`` for HTTP that is not served here.
    """
    if head[:1] == Abridged.tag:
        return Abridged.name
    if len(head) < 4:
        return None
    first = head[:4]
    if first == Intermediate.tag:
        return Intermediate.name
    if first == Padded.tag:
        return Padded.name
    if first == b"GET ":
        return "websocket"
    if first in _HTTP:
        raise FramingError("of HTTP only WebSocket is spoken here")
    if first[:3] == _TLS_HELLO:
        # An obfuscated opening may begin like that, but hardly go on like a client's hello.
        if len(head) < 6:
            return None
        if head[5] == 1:
            return "tls"
    if len(head) >= 8 and not any(head[4:8]):
        return "full"
    return "obfuscated" if len(head) >= INIT_SIZE else None


class ServerCodec:
    """The codec of a server: none in particular until the client has shown which one it speaks."""

    def __init__(
        self,
        *,
        random: Random,
        max_packet: int = MAX_PACKET,
        secret: bytes = b"",
        only_obfuscated: bool = False,
        tls: Callable[[], Tunnel] | None = None,
    ) -> None:
        """Wait for a client.

        `secret` is an MTProxy's: then all but obfuscated connections that know it are refused, as
        they are with `only_obfuscated`. `tls` makes the end of a tunnel for whoever begins TLS.
        """
        self._random = random
        self._max_packet = max_packet
        self._secret = secret
        self._only_obfuscated = only_obfuscated or bool(secret)
        self._tls = tls
        self._head = b""
        self._codec: Codec | None = None
        self._inside: ServerCodec | None = None
        self._failure = ""
        self._name: str | None = None
        self._obfuscated = False
        self._dc_id: int | None = None
        self._tunnels: tuple[str, ...] = ()

    @property
    def name(self) -> str | None:
        """The framing that was detected, also where it is obfuscated or in a tunnel."""
        return self._inside.name if self._inside else self._name

    @property
    def obfuscated(self) -> bool:
        """Whether the framing is obfuscated."""
        return self._inside.obfuscated if self._inside else self._obfuscated

    @property
    def dc_id(self) -> int | None:
        """The DC that an obfuscated client names, which may be chance (A1.10)."""
        return self._inside.dc_id if self._inside else self._dc_id

    @property
    def tunnels(self) -> tuple[str, ...]:
        """The tunnels that all runs in, outermost first: ``tls``, ``websocket``."""
        return self._tunnels + (self._inside.tunnels if self._inside else ())

    @property
    def broken(self) -> bool:
        return bool(self._failure) if self._codec is None else self._codec.broken

    @property
    def ready(self) -> bool:
        return self._codec is not None and self._codec.ready

    def outgoing(self) -> bytes:
        return b"" if self._codec is None else self._codec.outgoing()

    def farewell(self) -> bytes:
        return b"" if self._codec is None else self._codec.farewell()

    def feed(self, data: Buffer) -> list[Frame]:
        if self._codec is not None:
            return self._codec.feed(data)
        if self._failure:
            raise FramingError(self._failure)
        self._head += bytes(data)
        try:
            used = self._begin()
        except FramingError as error:
            self._failure = str(error)
            raise
        if self._codec is None:
            return []
        rest, self._head = self._head[used:], b""
        return self._codec.feed(rest)

    def pack(self, payload: bytes, *, quick_ack: bool = False) -> bytes:
        return self._known().pack(payload, quick_ack=quick_ack)

    def pack_error(self, code: int) -> bytes:
        return self._known().pack_error(code)

    def pack_quick_ack(self, token: int) -> bytes:
        return self._known().pack_quick_ack(token)

    def _begin(self) -> int:
        """Set the codec if the head tells which; return how much of the head that uses up."""
        name = detect(self._head)
        if name == "tls":
            if self._tls is not None:
                return self._enter(name, self._tls(), only_obfuscated=self._only_obfuscated)
            name = "obfuscated" if len(self._head) >= INIT_SIZE else None
        if name is None:
            return 0
        if name == "obfuscated":
            return self._begin_obfuscated()
        if self._only_obfuscated:
            raise FramingError(f"{name} is refused here: only obfuscated connections are accepted")
        if name == "websocket":
            tunnel = WebSocketServer(max_packet=self._max_packet)
            return self._enter(name, tunnel, only_obfuscated=True)
        self._name = name
        end = SERVER_ENDS[name](random=self._random, max_packet=self._max_packet)
        self._codec = end
        return len(end.tag)

    def _begin_obfuscated(self) -> int:
        name, dc_id, incoming, outgoing = read_opening(self._head[:INIT_SIZE], secret=self._secret)
        self._name, self._dc_id, self._obfuscated = name, dc_id, True
        end = SERVER_ENDS[name](random=self._random, max_packet=self._max_packet)
        if self._secret and isinstance(end, Padded):
            end.most_padding = PROXY_PADDING
        self._codec = Obfuscated(end, incoming, outgoing)
        return INIT_SIZE

    def _enter(self, name: str, tunnel: Tunnel, *, only_obfuscated: bool) -> int:
        self._tunnels = (name,)
        self._inside = ServerCodec(
            random=self._random,
            max_packet=self._max_packet,
            secret=self._secret,
            only_obfuscated=only_obfuscated,
        )
        self._codec = Tunnelled(self._inside, tunnel)
        return 0

    def _known(self) -> Codec:
        if self._codec is None:
            raise LocalProtocolError("nothing can be sent before the client has sent something")
        return self._codec
