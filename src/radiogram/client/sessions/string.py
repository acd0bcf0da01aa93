"""Layer 4, client: a session that fits in one line of text.

Knows Radiogram's own format. Must not know other libraries' formats; `foreign` does.

Format 1: ``rg1.`` and, in unpadded base64url: flags (1 byte), dc_id (signed 2), port (2), user_id
(8), length of the host (1), host, auth_key (256, with flag 1), count (4) and for each remembered
peer its marked id and access hash (8 and 8, with flag 8), pts, qts, date and seq of the account (4
each), count (4) and for each channel its id and pts (8 and 4, with flag 16), CRC-32 of all before
it (4). Numbers are big-endian. Names and phone numbers of peers are not kept: they change owners.

With a passphrase: ``rge1.`` and, in the same way: salt and cost (19), all of the above sealed (see
`sealing`), CRC-32 of all before it (4).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zlib
from typing import TYPE_CHECKING

from radiogram.client.sessions.base import PeerRecord, SessionData, State
from radiogram.client.sessions.memory import MemorySession
from radiogram.errors import SessionDamaged, SessionError, SessionTooNew, WrongPassphrase

if TYPE_CHECKING:
    from radiogram.client.sessions.sealing import Sealer

PREFIX = "rg1."
SEALED_PREFIX = "rge1."

_HEAD = struct.Struct(">BhHqB")
_PEER = struct.Struct(">qq")
_STATE = struct.Struct(">4iI")
_LINE = struct.Struct(">qi")
_KEY_BYTES = 256
_HAS_KEY, _IS_BOT, _TEST_MODE, _HAS_PEERS, _HAS_UPDATES = 1, 2, 4, 8, 16
_KNOWN_FLAGS = 31
_TEXT = r"[A-Za-z0-9_-]*"


class StringSession(MemorySession):
    """Keep the account's data in memory; :meth:`save` writes it down as one line of text.

    An empty text starts a new session. Session strings of Telethon, Pyrogram, Kurigram, GramJS,
    teleproto and mtcute are understood, too. Whoever has the text has the account, unless it has a
    `passphrase`: treat it like a password. Raises SessionDamaged, WrongPassphrase or SessionError,
    which say what is wrong, for any other text.
    """

    def __init__(self, text: str = "", *, passphrase: str | None = None) -> None:
        super().__init__()
        if not isinstance(text, str):
            raise SessionError(
                f"a session string is text, not {type(text).__name__}; "
                "pass what StringSession.save() returned, or an empty string for a new session"
            )
        self._passphrase = passphrase
        self._sealer: Sealer | None = None
        text = text.strip()
        if not text:
            return
        if not is_own(text):
            self._load_foreign(text, passphrase)
            return
        if text.startswith(SEALED_PREFIX):
            body = self._unseal(text, passphrase)
        else:
            if passphrase is not None:
                raise WrongPassphrase(
                    "the session string is not encrypted, but a passphrase was given; leave it out "
                    "here, and give it to save() to write an encrypted one"
                )
            body = _body(text, PREFIX)
        self._data, peers, state, channels = _load(body)
        self.remember(peers)
        if state is not None:
            self.keep_line(None, state)
        for channel_id, pts in channels.items():
            self.keep_line(channel_id, pts)

    def save(
        self, *, peers: bool = False, updates: bool = False, passphrase: str | None = None
    ) -> str:
        """Write the session down.

        With `peers`, the access hashes of every peer seen so far go along (about 21 characters
        each), so that numeric ids can be used at once after a restart. With `updates`, the next run
        is told what happened since this one; save again before it ends. With `passphrase`, the text
        is encrypted; so it is with the passphrase that the session was opened with, if there was
        one. A session without a key is empty text.
        """
        if not self.data.auth_key:
            return ""
        body = self._pack(peers=peers, updates=updates)
        passphrase = self._passphrase if passphrase is None else passphrase
        if passphrase is None:
            return _written(PREFIX, body)
        from radiogram.client.sessions.sealing import Sealer

        if self._sealer is None or passphrase != self._passphrase:
            self._sealer, self._passphrase = Sealer(passphrase), passphrase
        sealer = self._sealer
        return _written(SEALED_PREFIX, sealer.head + sealer.seal(body, sealer.head))

    def _pack(self, *, peers: bool, updates: bool) -> bytes:
        data = self.data
        host = data.host.encode()
        records = self.peers if peers else ()
        state, channels = self.lines() if updates else (None, {})
        flags = (
            _HAS_KEY
            | (_IS_BOT if data.is_bot else 0)
            | (_TEST_MODE if data.test_mode else 0)
            | (_HAS_PEERS if records else 0)
            | (_HAS_UPDATES if state is not None else 0)
        )
        out = bytearray(_HEAD.pack(flags, data.dc_id, data.port, data.user_id, len(host)))
        out += host + data.auth_key
        if records:
            out += len(records).to_bytes(4, "big")
            for record in records:
                out += _PEER.pack(record.marked_id, record.access_hash)
        if state is not None:
            out += _STATE.pack(state.pts, state.qts, state.date, state.seq, len(channels))
            for channel_id, pts in channels.items():
                out += _LINE.pack(channel_id, pts)
        return bytes(out)

    def _unseal(self, text: str, passphrase: str | None) -> bytes:
        raw = _body(text, SEALED_PREFIX)
        if passphrase is None:
            raise WrongPassphrase(
                "the session string is encrypted; give its passphrase: "
                "StringSession(text, passphrase=...)"
            )
        from radiogram.client.sessions.sealing import HEAD_BYTES, Sealer

        self._sealer = sealer = Sealer(passphrase, raw[:HEAD_BYTES])
        try:
            return sealer.open(raw[HEAD_BYTES:], sealer.head)
        except SessionDamaged:  # the checksum was right
            raise WrongPassphrase(
                "the session string is encrypted, and not with this passphrase; check for typing "
                "errors and the keyboard's layout (there is no way in without it)"
            ) from None

    def _load_foreign(self, text: str, passphrase: str | None) -> None:
        from radiogram.client.sessions import foreign

        if passphrase is not None:
            raise WrongPassphrase(
                "the session string is of another library, which does not encrypt; leave the "
                "passphrase out here, and give it to save() to write an encrypted one"
            )
        self._data = foreign.read("".join(text.split()))["data"]


def is_own(text: str) -> bool:
    """Tell whether a text is meant as a session string of Radiogram's."""
    return text.startswith("rg") and "." in text[:8]


def _written(prefix: str, body: bytes) -> str:
    raw = body + zlib.crc32(body).to_bytes(4, "big")
    return prefix + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _body(text: str, prefix: str) -> bytes:
    """Return what a text holds, after a look at its checksum."""
    if not text.startswith(prefix):
        raise SessionTooNew(
            f"the session string begins with {text[:5]!r}; this version of Radiogram reads "
            f"{PREFIX!r} and {SEALED_PREFIX!r}: use the version that wrote it, or a later one"
        )
    raw = _decode(text[len(prefix) :])
    body, checksum = raw[:-4], raw[-4:]
    if len(raw) < 4 or zlib.crc32(body).to_bytes(4, "big") != checksum:
        raise SessionDamaged(
            f"the session string ({len(text)} characters) was cut off or changed: "
            "its checksum does not match; copy it again as a whole"
        )
    return body


def _load(body: bytes) -> tuple[SessionData, list[PeerRecord], State | None, dict[int, int]]:
    if len(body) < _HEAD.size:
        raise SessionDamaged(f"the session string holds {len(body)} bytes, which is too few")
    flags, dc_id, port, user_id, host_length = _HEAD.unpack_from(body)
    if flags & ~_KNOWN_FLAGS:
        raise SessionTooNew(
            "the session string was written by a newer version of Radiogram; upgrade to read it"
        )
    rest = memoryview(body)[_HEAD.size :]
    host, rest = bytes(rest[:host_length]), rest[host_length:]
    key_length = _KEY_BYTES if flags & _HAS_KEY else 0
    key, rest = bytes(rest[:key_length]), rest[key_length:]
    if len(host) != host_length or len(key) != key_length:
        raise SessionDamaged("the session string ends inside the address or the key")
    peers: list[PeerRecord] = []
    if flags & _HAS_PEERS:
        count = int.from_bytes(rest[:4], "big")
        part, rest = rest[4 : 4 + count * _PEER.size], rest[4 + count * _PEER.size :]
        if len(part) != count * _PEER.size:
            raise SessionDamaged(f"the session string does not hold the {count} peers it announces")
        peers = [PeerRecord(marked, access) for marked, access in _PEER.iter_unpack(part)]
    state: State | None = None
    channels: dict[int, int] = {}
    if flags & _HAS_UPDATES:
        if len(rest) < _STATE.size:
            raise SessionDamaged("the session string ends inside the state of updates")
        *numbers, count = _STATE.unpack_from(rest)
        state = State(*numbers)
        rest = rest[_STATE.size :]
        part, rest = rest[: count * _LINE.size], rest[count * _LINE.size :]
        if len(part) != count * _LINE.size:
            raise SessionDamaged(
                f"the session string does not hold the {count} channels it announces"
            )
        channels = dict(_LINE.iter_unpack(part))
    if rest:
        raise SessionDamaged(f"the session string has {len(rest)} bytes too many")
    try:
        name = host.decode()
    except UnicodeDecodeError:
        raise SessionDamaged("the address in the session string is not text") from None
    return (
        SessionData(
            dc_id=dc_id,
            host=name,
            port=port,
            auth_key=key,
            user_id=user_id,
            is_bot=bool(flags & _IS_BOT),
            test_mode=bool(flags & _TEST_MODE),
        ),
        peers,
        state,
        channels,
    )


def _decode(text: str) -> bytes:
    if not re.fullmatch(_TEXT, text):
        wrong = next(char for char in text if not re.fullmatch(_TEXT, char))
        raise SessionDamaged(
            f"the session string holds {wrong!r}, which no session string does; copy it again"
        )
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise SessionDamaged(f"the session string was cut off ({error}); copy it again") from None
