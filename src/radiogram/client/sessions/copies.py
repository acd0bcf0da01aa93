"""Layer 4, client: everything that a session holds, on its way to another session or library.

Knows what each library's strings and files have room for. Must not know how they are written; that
is what `foreign` and `foreign_files` know.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec.structs import replace

from radiogram.client.sessions.base import PeerRecord, Session, SessionData, State
from radiogram.errors import SessionError

if TYPE_CHECKING:
    from typing import Self

FORMATS = {
    "radiogram": "radiogram",
    "telethon": "telethon",
    "pyrogram": "pyrogram",
    "kurigram": "kurigram",
    "gramjs": "gramjs",
    "teleproto": "gramjs",
    "mtcute": "mtcute",
}
"""Names of formats; teleproto's are GramJS', and Kurigram's strings are Pyrogram's."""
FILE_FORMATS = ("radiogram", "telethon", "pyrogram", "kurigram")
"""Formats that have a file, an SQLite database."""

_SQLITE = b"SQLite format 3\0"
_MAX_TEXT = 1 << 24


class WithPeers(Session, Protocol):
    """A session that can list its peers."""

    @property
    def peers(self) -> tuple[PeerRecord, ...]:
        """Every peer that is remembered."""
        ...


class SessionCopy(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that a session holds: read from one, written to another, be it another library's."""

    data: SessionData
    peers: tuple[PeerRecord, ...] = ()
    state: State | None = None
    channels: dict[int, int] = {}
    """The pts of channels by their id."""
    api_id: int = 0
    """Pyrogram's sessions keep it; 0 when it is not known."""
    format: str = "radiogram"
    """What it was read from, one of FORMATS."""

    def __repr__(self) -> str:
        return (
            f"<SessionCopy from {self.format}: {self.data}, peers={len(self.peers)}, "
            f"channels={len(self.channels)}>"
        )

    @classmethod
    def read(cls, source: str | os.PathLike[str], *, passphrase: str | None = None) -> Self:
        """Read a session string, or a file that is one or holds one, of any library.

        Which library's is found out. Nothing in the file is changed. Raises SessionError and what
        derives from it.
        """
        if isinstance(source, str) and not _is_file(source):
            return cls._from_text(source, passphrase)
        path = Path(source)
        try:
            with path.open("rb") as file:
                head = file.read(_MAX_TEXT)
        except OSError as error:
            raise SessionError(f"{path} cannot be read ({error.strerror})") from None
        if head[:16] == _SQLITE:
            return cls._from_file(path, passphrase)
        try:
            return cls._from_text(head.decode("ascii"), passphrase)
        except UnicodeDecodeError:
            raise SessionError(
                f"{path} is neither an SQLite file nor a text with a session string; give a file "
                "of Radiogram, Telethon, Pyrogram or Kurigram"
            ) from None

    @classmethod
    def rescue(
        cls, path: str | os.PathLike[str], *, passphrase: str | None = None
    ) -> tuple[Self, list[str]]:
        """Read what can be read of a damaged file of Radiogram's, without changing it.

        Returns it, and a sentence about each part that is lost. Raises SessionDamaged if the key
        is.
        """
        from radiogram.client.sessions import sqlite

        found = sqlite.resolve(path)
        if not found.is_file():
            raise SessionError(f"there is no file {found}")
        data, peers, state, channels, lost = sqlite.rescue(found, passphrase)
        return cls(data=data, peers=tuple(peers), state=state, channels=channels), lost

    @classmethod
    def of(cls, session: WithPeers) -> Self:
        """Copy what a session of Radiogram's holds."""
        state, channels = session.lines()
        return cls(data=session.data, peers=session.peers, state=state, channels=channels)

    def into(self, session: Session) -> None:
        """Write everything into a session of Radiogram's, in place of what it held."""
        session.forget()
        session.remember(self.peers)
        if self.state is not None:
            session.keep_line(None, self.state)
        for channel_id, pts in self.channels.items():
            session.keep_line(channel_id, pts)
        session.data = self.data

    def text(self, format: str = "radiogram", *, passphrase: str | None = None) -> str:
        """Write the session as one line of text, as a library reads it.

        `passphrase` encrypts Radiogram's own. Raises SessionError for what the format has no way
        to write; what it silently lacks, :meth:`losses` tells.
        """
        kind = _known(format)
        if not self.data.auth_key:
            raise SessionError(
                "the session has no key yet, so there is nothing to write; connect or log in first"
            )
        if kind == "radiogram":
            from radiogram.client.sessions.string import StringSession

            session = StringSession()
            self.into(session)
            return session.save(peers=True, updates=True, passphrase=passphrase)
        if passphrase is not None:
            raise SessionError(f"a session string of {format} cannot be encrypted")
        from radiogram.client.sessions import foreign

        return foreign.write(self, kind)

    def save(
        self,
        path: str | os.PathLike[str],
        format: str = "radiogram",
        *,
        passphrase: str | None = None,
    ) -> Path:
        """Write the session as a new file of a library, and return its path.

        Never overwrites. `passphrase` encrypts Radiogram's own.
        """
        kind = _known(format)
        if kind not in FILE_FORMATS:
            raise SessionError(
                f"{format} keeps sessions as text only; formats with a file are "
                f"{', '.join(FILE_FORMATS)}"
            )
        from radiogram.client.sessions import sqlite

        target = sqlite.resolve(path)
        if target.exists():
            raise SessionError(f"{target} exists already, and is not overwritten; give a new name")
        if kind == "radiogram":
            with sqlite.SqliteSession(target, passphrase=passphrase) as session:
                self.into(session)
            return target
        if passphrase is not None:
            raise SessionError(f"a session file of {format} cannot be encrypted")
        from radiogram.client.sessions import foreign_files

        foreign_files.write(self, kind, target)
        return target

    def losses(self, format: str, *, file: bool = False) -> list[str]:
        """Tell, a sentence each, what a format has no room for, or lacks and its library needs."""
        kind = _known(format)
        pyrogram = kind in {"pyrogram", "kurigram"}
        found = []
        keeps = kind == "radiogram" or (file and kind in FILE_FORMATS)
        if self.peers and not keeps:
            found.append(f"{len(self.peers)} remembered peers: they have to be met again")
        if self.state is not None and not (keeps and kind != "pyrogram"):
            found.append("where updates stand: what happens before the next start is not told")
        if (
            pyrogram
            and not (file and kind == "kurigram")
            and self.data.host not in {"", usual_address(self.data)[0]}
        ):
            found.append(
                f"the address {self.data.host}:{self.data.port}: only the number of the DC"
            )
        if pyrogram and not self.data.user_id:
            found.append(
                "the account's id, which this session does not know: without it Pyrogram asks to "
                "log in again"
            )
        return found

    def known_as(self, user_id: int, *, is_bot: bool = False, api_id: int = 0) -> Self:
        """Add what the session itself did not say: whose it is, and the program's api_id."""
        data = replace(self.data, user_id=user_id, is_bot=is_bot) if user_id else self.data
        return replace(self, data=data, api_id=api_id or self.api_id)

    @classmethod
    def _from_text(cls, text: str, passphrase: str | None) -> Self:
        from radiogram.client.sessions.string import StringSession, is_own

        text = "".join(text.split())
        if not text:
            raise SessionError("there is no session string, only an empty text")
        if is_own(text):
            return cls.of(StringSession(text, passphrase=passphrase))
        from radiogram.client.sessions import foreign

        return cls(**foreign.read(text))

    @classmethod
    def _from_file(cls, path: Path, passphrase: str | None) -> Self:
        from radiogram.client.sessions import foreign_files, sqlite

        kind = foreign_files.kind_of(path)
        if kind == "radiogram":
            with sqlite.reading(path, passphrase) as tables:
                state, channels = tables.lines()
                return cls(data=tables.data, peers=tables.peers, state=state, channels=channels)
        return cls(**foreign_files.read(path, kind))


def usual_address(data: SessionData) -> tuple[str, int]:
    """Return Telegram's own address of a session's data centre; empty if there is none."""
    from radiogram.client import datacenters

    table = datacenters.TEST if data.test_mode else datacenters.PRODUCTION
    return (table[data.dc_id], datacenters.PORT) if data.dc_id in table else ("", 0)


def is_test_address(host: str) -> bool:
    """Tell whether an address is one of Telegram's test environment."""
    from radiogram.client import datacenters

    return host in datacenters.TEST.values()


def _known(name: str) -> str:
    if name not in FORMATS:
        raise SessionError(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    return FORMATS[name]


def _is_file(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):  # a long string is no name of a file
        return False
