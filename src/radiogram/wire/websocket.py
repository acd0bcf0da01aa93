"""Layer 1, bytes <-> packets: WebSocket (A1.11), for both ends.

Knows the handshake over HTTP, the path and the subprotocol that Telegram uses, and binary frames;
the rules of RFC 6455 are those of the ``websockets`` library, which also makes the masks. Must not
know that what runs inside is obfuscated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

from radiogram.wire.base import MAX_PACKET, Buffer

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.http11 import Request
    from websockets.server import ServerProtocol

SUBPROTOCOL = "binary"
PATHS = ("/apiws", "/apiws_test", "/apiws_premium", "/apiws_test_premium")
MAX_HEAD = 16 * 1024
"""Bytes that the HTTP head of a handshake may have."""
SLACK = 64 * 1024
"""What a message may hold beyond the largest packet: framing, and small packets beside it."""

_END = b"\r\n\r\n"
_SWITCHED = b"HTTP/1.1 101"


P = TypeVar("P", "ClientProtocol", "ServerProtocol")


class _WebSocket(Generic[P]):
    """What both ends share: an HTTP head, then frames."""

    def __init__(self, protocol: P) -> None:
        self._protocol: P = protocol
        self.ready = False
        self.failure = ""
        self._head = bytearray()

    def receive(self, data: Buffer) -> bytes:
        if self.failure:
            return b""
        if self.ready:
            return self._frames(bytes(data))
        head = self._head
        searched = max(0, len(head) - len(_END) + 1)
        head += data
        end = head.find(_END, searched)
        if max(end, 0) > MAX_HEAD or (end < 0 and len(head) > MAX_HEAD):
            self.failure = f"the head of the WebSocket handshake exceeds {MAX_HEAD} bytes"
            return b""
        if end < 0:
            return b""
        end += len(_END)
        whole, rest = bytes(head[:end]), bytes(head[end:])
        self._head = bytearray()
        self._shake(whole)
        return self._frames(rest) if self.ready and rest else b""

    def wrap(self, data: bytes) -> bytes:
        from websockets.protocol import State

        protocol = self._protocol
        if protocol.state is State.OPEN:
            protocol.send_binary(data)
        return self.outgoing()

    def outgoing(self) -> bytes:
        return b"".join(self._protocol.data_to_send())

    def farewell(self) -> bytes:
        from websockets.protocol import State

        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
        return self.outgoing()

    def _shake(self, head: bytes) -> None:
        raise NotImplementedError

    def _frames(self, data: bytes) -> bytes:
        from websockets.frames import CloseCode, Frame, Opcode
        from websockets.protocol import State

        protocol = self._protocol
        protocol.receive_data(data)
        inside = []
        for event in protocol.events_received():
            if not isinstance(event, Frame):
                continue
            if event.opcode is Opcode.BINARY or event.opcode is Opcode.CONT:
                inside.append(event.data)
            elif event.opcode is Opcode.TEXT:
                protocol.fail(CloseCode.UNSUPPORTED_DATA, "binary frames only")
                self.failure = "the WebSocket carries text"
                return b"".join(inside)
        if protocol.state is not State.OPEN:
            reason = protocol.parser_exc or "closed by the other side"
            self.failure = f"the WebSocket is over: {reason}"
        return b"".join(inside)


class WebSocketServer(_WebSocket["ServerProtocol"]):
    """The server's end, which begins with the client's ``GET``."""

    def __init__(self, *, max_packet: int = MAX_PACKET) -> None:
        from websockets.server import ServerProtocol
        from websockets.typing import Subprotocol

        super().__init__(
            ServerProtocol(subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=max_packet + SLACK)
        )

    def _shake(self, head: bytes) -> None:
        protocol = self._protocol
        protocol.receive_data(head)
        events = protocol.events_received()
        if not events:
            self.failure = f"no WebSocket handshake: {protocol.handshake_exc or 'no request'}"
            return
        request = cast("Request", events[0])
        if request.path.partition("?")[0] in PATHS:
            response = protocol.accept(request)
        else:
            response = protocol.reject(404, f"WebSocket is at {PATHS[0]}\n")
        protocol.send_response(response)
        if response.status_code == 101:
            self.ready = True
        else:
            reason = protocol.handshake_exc or response.reason_phrase
            self.failure = f"no WebSocket handshake: {reason}"


class WebSocketClient(_WebSocket["ClientProtocol"]):
    """The client's end, which asks for ``uri``."""

    def __init__(self, uri: str, *, max_packet: int = MAX_PACKET) -> None:
        from websockets.client import ClientProtocol
        from websockets.typing import Subprotocol
        from websockets.uri import parse_uri

        super().__init__(
            ClientProtocol(
                parse_uri(uri),
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                max_size=max_packet + SLACK,
            )
        )
        self._protocol.send_request(self._protocol.connect())

    def _shake(self, head: bytes) -> None:
        if not head.startswith(_SWITCHED):
            line = head.partition(b"\r\n")[0][:80].decode("ascii", "replace")
            self.failure = f"WebSocket was refused with {line!r}; connect without websocket="
            return
        protocol = self._protocol
        protocol.receive_data(head)
        if protocol.handshake_exc is not None:
            self.failure = f"no WebSocket handshake: {protocol.handshake_exc}"
            return
        self.ready = True
