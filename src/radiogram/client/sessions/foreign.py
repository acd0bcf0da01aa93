"""Layer 4, client: session strings of other libraries, read and written.

Knows the layouts of Telethon's, Pyrogram's, GramJS' and mtcute's strings; Kurigram writes
Pyrogram's and teleproto GramJS'. Must not know sessions or files. All numbers are big-endian but
mtcute's, who writes TL.

- Telethon: ``1``, then base64 of dc (1 byte), address (4 or 16), port (2), key.
- GramJS: ``1``, then base64 of dc (1), length of the address (2), address as text, port (2), key.
- Pyrogram: base64 of dc (1), api_id (4), test mode (1), key, user id (8), bot or not (1). Two older
  ones lack the api_id, and the older of these has 4 bytes for the user id.
- mtcute: base64 of ``3``, flags (4), the data centre, that for media, user id (8) and bot or not
  (a TL Bool), key; each data centre and the key as TL bytes.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from radiogram.client.sessions.base import SessionData
from radiogram.errors import SessionDamaged, SessionError

if TYPE_CHECKING:
    from radiogram.client.sessions.copies import SessionCopy

KEY_BYTES = 256
_MAX_GRAMJS_PORT = (1 << 15) - 1
"""GramJS reads and writes ports with a sign."""
_TELETHON_CHARACTERS = 352
"""By this length after the ``1``, GramJS knows one of Telethon's strings."""
_PYROGRAM = {
    263: struct.Struct(">B?256sI?"),
    267: struct.Struct(">B?256sQ?"),
    271: struct.Struct(">BI?256sQ?"),
}
MAX_HOST = 255
"""Bytes of a host name."""
_TRUE, _FALSE = 0x997275B5, 0xBC799737
_HAS_SELF, _TEST, _HAS_MEDIA = 1, 2, 4
_DC_IPV6, _DC_TEST = 1, 4


def read(text: str) -> dict[str, Any]:
    """Read a string of whichever library, and return the parameters of a SessionCopy.

    Raises SessionDamaged, or SessionError if it is no library's.
    """
    if text[:1] == "1":
        raw = _decode(text[1:])
        format_, data, api_id = _read_telethon_or_gramjs(raw)
    else:
        raw = _decode(text)
        if len(raw) in _PYROGRAM:
            format_, data, api_id = _read_pyrogram(raw)
        elif raw[:1] == b"\3":
            format_, data, api_id = _read_mtcute(raw)
        else:
            raise SessionError(
                "this is no session string of Radiogram, Telethon, Pyrogram, Kurigram, GramJS or "
                f"mtcute: none has {len(raw)} bytes that begin with {raw[:1].hex()}; copy it again "
                "as a whole (for a file, use SqliteSession)"
            )
    check(data)
    return {"data": data, "api_id": api_id, "format": format_}


def check(data: SessionData) -> None:
    """Refuse what no session can be about. Raises SessionDamaged, which names the part."""
    if len(data.auth_key) not in {0, KEY_BYTES}:
        raise SessionDamaged(f"the key in the session has {len(data.auth_key)} bytes")
    for name, value, least, most in (
        ("port", data.port, 0, 65_535),
        ("data centre", data.dc_id, -32_768, 32_767),
        ("user id", data.user_id, -(2**63), 2**63 - 1),
    ):
        if not least <= value <= most:
            raise SessionDamaged(f"the {name} in the session is {value}; copy it again as a whole")
    if len(data.host.encode("utf-8", "replace")) > MAX_HOST:
        raise SessionDamaged(
            f"the address in the session has {len(data.host)} letters; copy it again as a whole"
        )


def write(copy: SessionCopy, kind: str) -> str:
    """Write a session as one library's string. Raises SessionError for what it cannot hold."""
    return _WRITERS[kind](copy)


# ── Telethon and GramJS ──────────────────────────────────────────────────────────────────────────


def _read_telethon_or_gramjs(raw: bytes) -> tuple[str, SessionData, int]:
    from radiogram.client.sessions.copies import is_test_address

    size = len(raw) - KEY_BYTES - 3
    dc_id, key = raw[:1], raw[-KEY_BYTES:]
    port = int.from_bytes(raw[-KEY_BYTES - 2 : -KEY_BYTES], "big")
    address = raw[1 : 1 + max(size, 0)]
    if size > 2 and int.from_bytes(address[:2], "big") == size - 2:
        # Before IPv6, which may have this length: no address of the internet begins with 00.
        try:
            host = address[2:].decode("ascii")
        except UnicodeDecodeError:
            raise SessionDamaged("the address in the session string is not text") from None
        format_ = "gramjs"
    elif size in {4, 16}:
        host = ipaddress.ip_address(address).compressed
        format_ = "telethon"
    else:
        raise SessionDamaged(
            f"the session string begins like Telethon's and GramJS' but has {len(raw)} bytes; "
            "copy it again as a whole"
        )
    return (
        format_,
        SessionData(
            dc_id=dc_id[0],
            host=host,
            port=port,
            auth_key=key if any(key) else b"",
            test_mode=is_test_address(host),
        ),
        0,
    )


def _write_telethon(copy: SessionCopy) -> str:
    data = copy.data
    host, port = where(data)
    packed = _numeric(host, "Telethon").packed
    raw = struct.pack(f">B{len(packed)}sH", _dc(data), packed, port) + data.auth_key
    return "1" + base64.urlsafe_b64encode(raw).decode()


def _write_gramjs(copy: SessionCopy) -> str:
    data = copy.data
    host, port = where(data)
    if port > _MAX_GRAMJS_PORT:
        raise SessionError(
            f"GramJS reads ports up to {_MAX_GRAMJS_PORT}, and {host} has {port}; let the server "
            "listen on a lower one"
        )
    name = host.encode()
    raw = struct.pack(f">BH{len(name)}sH", _dc(data), len(name), name, port) + data.auth_key
    text = "1" + base64.b64encode(raw).decode()
    if len(text) == 1 + _TELETHON_CHARACTERS:
        raise SessionError(
            f"GramJS would take a session with the short address {host!r} for one of Telethon's; "
            "connect by a longer form of the address once"
        )
    return text


# ── Pyrogram ─────────────────────────────────────────────────────────────────────────────────────


def _read_pyrogram(raw: bytes) -> tuple[str, SessionData, int]:
    layout = _PYROGRAM[len(raw)]
    if raw[-1] > 1 or raw[5 if len(raw) == 271 else 1] > 1:  # struct takes any byte for a truth
        raise SessionDamaged(
            f"the session string has the length of Pyrogram's, {len(raw)} bytes, but was cut off "
            "or changed; copy it again as a whole"
        )
    dc_id, *middle, test_mode, key, user_id, is_bot = layout.unpack(raw)
    return (
        "pyrogram",
        SessionData(dc_id=dc_id, auth_key=key, user_id=user_id, is_bot=is_bot, test_mode=test_mode),
        middle[0] if middle else 0,
    )


def _write_pyrogram(copy: SessionCopy) -> str:
    data = copy.data
    raw = _PYROGRAM[271].pack(
        _dc(data), copy.api_id, data.test_mode, data.auth_key, data.user_id, data.is_bot
    )
    return _urlsafe(raw)


# ── mtcute ───────────────────────────────────────────────────────────────────────────────────────


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._raw[self._at : self._at + count]
        if len(part) != count:
            raise SessionDamaged("mtcute's session string is cut off; copy it again as a whole")
        self._at += count
        return part

    def number(self, count: int = 4) -> int:
        return int.from_bytes(self.take(count), "little")

    def tl_bytes(self) -> bytes:
        head, size = 1, self.number(1)
        if size == 254:
            head, size = 4, self.number(3)
        content = self.take(size)
        self.take(-(head + size) % 4)
        return content


def _read_mtcute(raw: bytes) -> tuple[str, SessionData, int]:
    reader = _Reader(raw[1:])
    flags = reader.number()
    option = _Reader(reader.tl_bytes())
    version, dc_id, dc_flags = option.take(3)
    if version not in {1, 2}:
        raise SessionError(f"mtcute's session string has a data centre of unknown form {version}")
    host, port = option.tl_bytes(), option.number()
    if flags & _HAS_MEDIA:
        reader.tl_bytes()  # the address for media is found anew
    user_id, is_bot = 0, False
    if flags & _HAS_SELF:
        user_id = reader.number(8)
        is_bot = reader.number() == _TRUE
    key = reader.tl_bytes()
    try:
        address = host.decode("ascii")
    except UnicodeDecodeError:
        raise SessionDamaged("the address in mtcute's session string is not text") from None
    return (
        "mtcute",
        SessionData(
            dc_id=dc_id,
            host=address,
            port=port,
            auth_key=key,
            user_id=user_id,
            is_bot=is_bot,
            test_mode=bool(flags & _TEST or (version == 2 and dc_flags & _DC_TEST)),
        ),
        0,
    )


def _write_mtcute(copy: SessionCopy) -> str:
    data = copy.data
    host, port = where(data)
    ipv6 = _numeric(host, "mtcute").version == 6
    dc_flags = (_DC_IPV6 if ipv6 else 0) | (_DC_TEST if data.test_mode else 0)
    option = bytes([2, _dc(data), dc_flags]) + _tl_bytes(host.encode())
    option += port.to_bytes(4, "little")
    raw = b"\3" + (_HAS_SELF if data.user_id else 0).to_bytes(4, "little") + _tl_bytes(option)
    if data.user_id:
        raw += data.user_id.to_bytes(8, "little")
        raw += (_TRUE if data.is_bot else _FALSE).to_bytes(4, "little")
    return _urlsafe(raw + _tl_bytes(data.auth_key))


def _tl_bytes(content: bytes) -> bytes:
    size = len(content)
    head = bytes([size]) if size < 254 else b"\xfe" + size.to_bytes(3, "little")
    return head + content + bytes(-(len(head) + size) % 4)


_WRITERS: dict[str, Callable[[SessionCopy], str]] = {
    "telethon": _write_telethon,
    "gramjs": _write_gramjs,
    "pyrogram": _write_pyrogram,
    "kurigram": _write_pyrogram,
    "mtcute": _write_mtcute,
}


# ── what they share ──────────────────────────────────────────────────────────────────────────────


def _decode(text: str) -> bytes:
    text = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SessionDamaged(
            f"this is no session string ({len(text)} characters that are not base64, or cut off); "
            "copy it again as a whole (for a file, use SqliteSession)"
        ) from None
    return raw


def _urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _dc(data: SessionData) -> int:
    if not 0 < data.dc_id < 256:
        raise SessionError(f"other libraries' data centres have ids of 1 to 255, not {data.dc_id}")
    return data.dc_id


def where(data: SessionData) -> tuple[str, int]:
    """Return where the data centre is; the usual address if the session does not say."""
    from radiogram.client.sessions.copies import usual_address

    host, port = (data.host, data.port) if data.host else usual_address(data)
    if not host:
        raise SessionError(
            f"the session does not say where DC {data.dc_id} is, and Telegram has none of that id"
        )
    return host, port


def _numeric(host: str, library: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        raise SessionError(
            f"a session string of {library} has a numeric address only, and the session has "
            f"{host!r}; connect by the number once, or use a format with names (gramjs)"
        ) from None
