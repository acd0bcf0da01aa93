"""Layer 1, bytes <-> packets: the secret that an MTProxy shares with its users, and links to one.

Knows the three kinds (plain, ``dd``, ``ee``) and how they are written. Must not know what a
connection does with one.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from msgspec import Struct

from radiogram.errors import LocalProtocolError

KEY_SIZE = 16
PADDED, FAKE_TLS = 0xDD, 0xEE
MAX_DOMAIN = 182


class ProxySecret(Struct, frozen=True):
    """What goes into the keys of an obfuscated connection, and how it is to look."""

    key: bytes
    """16 bytes."""
    padded: bool = False
    """The padded framing is wanted (``dd``, ``ee``)."""
    domain: str = ""
    """The site that a fake TLS connection claims to go to (``ee``)."""

    def __repr__(self) -> str:  # a secret does not belong into a log
        kind = "ee" if self.domain else "dd" if self.padded else "plain"
        return f"<ProxySecret {kind}{f' {self.domain}' if self.domain else ''}>"

    def __str__(self) -> str:
        """Write it as links do: fake TLS in base64url, others in hex."""
        if self.domain:
            raw = bytes([FAKE_TLS]) + self.key + self.domain.encode()
            return urlsafe_b64encode(raw).decode().rstrip("=")
        return ("dd" if self.padded else "") + self.key.hex()

    @classmethod
    def parse(cls, text: str) -> ProxySecret:
        """Read a secret in hex, base64url or base64. Raises LocalProtocolError."""
        for decode in (bytes.fromhex, _base64url, _base64):
            try:
                raw = decode(text)
            except ValueError:
                continue
            secret = cls._read(raw)
            if secret is not None:
                return secret
        raise LocalProtocolError(
            "this is no secret of an MTProxy: it has 16 bytes, or dd and 16 bytes, or ee, 16 bytes"
            " and the name of a site, in hex or base64"
        )

    @classmethod
    def _read(cls, raw: bytes) -> ProxySecret | None:
        if len(raw) == KEY_SIZE:
            return cls(raw)
        key, domain = raw[1 : 1 + KEY_SIZE], raw[1 + KEY_SIZE :]
        if len(raw) == 1 + KEY_SIZE and raw[0] == PADDED:
            return cls(key, padded=True)
        if domain and raw[0] == FAKE_TLS and len(domain) <= MAX_DOMAIN:
            try:
                name = domain.decode("ascii")
            except UnicodeDecodeError:
                return None
            if name.isprintable() and " " not in name:
                return cls(key, padded=True, domain=name)
        return None


def make_link(host: str, port: int, secret: ProxySecret) -> str:
    """Return the ``tg://proxy`` link with which people share a proxy."""
    query = urlencode({"server": host, "port": port, "secret": str(secret)}, quote_via=quote)
    return f"tg://proxy?{query}"


def read_link(url: str) -> tuple[str, int, ProxySecret]:
    """Read ``tg://proxy?...``, ``https://t.me/proxy?...`` or ``mtproxy://host:port/secret``.

    Raises LocalProtocolError.
    """
    parts = urlsplit(url)
    if parts.scheme == "mtproxy":
        host, port_text, secret = parts.hostname or "", _port_of(parts.netloc), parts.path[1:]
    else:
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        host, port_text = query.get("server", ""), query.get("port", "")
        # In a query a plus means a space, but those who write base64 mean a plus.
        secret = query.get("secret", "").replace(" ", "+")
    if not host:
        raise LocalProtocolError("the link to an MTProxy names no server")
    if not (port_text.isascii() and port_text.isdigit() and 0 < int(port_text) < 1 << 16):
        raise LocalProtocolError(f"the link to an MTProxy has no usable port ({port_text!r})")
    return host, int(port_text), ProxySecret.parse(secret)


def _port_of(netloc: str) -> str:
    return netloc.rpartition(":")[2] if ":" in netloc.rpartition("]")[2] else ""


def _base64url(text: str) -> bytes:
    return urlsafe_b64decode(_clean(text, "-_"))


def _base64(text: str) -> bytes:
    return b64decode(_clean(text, "+/"))


def _clean(text: str, extra: str) -> str:
    """Return the text with its padding; ValueError for what does not belong."""
    text = text.rstrip("=")
    if not text.isascii() or not all(char.isalnum() or char in extra for char in text):
        raise binascii.Error("not base64")
    return text + "=" * (-len(text) % 4)
