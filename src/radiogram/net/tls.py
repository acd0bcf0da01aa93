"""Layer 3: the server's end of TLS, as a tunnel that can begin after some bytes were read.

Knows Python's ``ssl`` in memory. Must not know what travels inside. (A client needs none of this:
asyncio begins TLS before anything is sent.)
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

from radiogram.errors import ConnectionFailed
from radiogram.wire.base import Buffer

_PIECE = 64 * 1024


def server_context(certificate: str | Path, key: str | Path) -> ssl.SSLContext:
    """Read a certificate chain and its key (PEM files). Raises ConnectionFailed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise ConnectionFailed(
            f"TLS cannot be offered with {certificate} and {key}: {error.strerror or error}; give "
            "the PEM files of a certificate and of its key"
        ) from error
    return context


class TlsServer:
    """One connection's end."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.ready = False
        self.failure = ""
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._in, self._out, server_side=True)

    def receive(self, data: Buffer) -> bytes:
        if self.failure:
            return b""
        self._in.write(data)
        inside = []
        try:
            if not self.ready:
                self._ssl.do_handshake()
                self.ready = True
            while piece := self._ssl.read(_PIECE):
                inside.append(piece)
            self.failure = "TLS was ended by the other side"
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.failure = f"TLS failed: {error.reason or error}"
        return b"".join(inside)

    def wrap(self, data: bytes) -> bytes:
        if data and not self.failure:
            self._ssl.write(data)
        return self._out.read()

    def outgoing(self) -> bytes:
        return self._out.read()

    def farewell(self) -> bytes:
        with suppress(ssl.SSLError):  # it waits for the other side's farewell, which nobody does
            self._ssl.unwrap()
        return self._out.read()
