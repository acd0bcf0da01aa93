"""Layer 4, client: a session in a file, which survives the process however it ends.

Knows files, SQLite's settings, and the formats that were ever written. Must not know what the facts
in the tables mean.

Every change is a transaction of its own in a write-ahead log: whoever kills the process finds the
file as of the last change. One process holds a file at a time, by the system's lock (see `lease`);
SQLite's own lock, held as long, keeps other programs from writing in between.

Formats: 1 had the tables in the clear. 2 adds the table ``meta`` and, with a passphrase, has the
table ``sealed`` in place of the others.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radiogram.client.sessions.base import PeerRecord, SessionData, State
from radiogram.client.sessions.lease import Lease
from radiogram.client.sessions.tables import (
    CLEAR,
    DATABASE_ERRORS,
    META,
    SEALED,
    ClearTables,
    SealedTables,
    checked_data,
    transaction,
)
from radiogram.errors import (
    SessionDamaged,
    SessionError,
    SessionInUse,
    SessionTooNew,
    WrongPassphrase,
)

if TYPE_CHECKING:
    from typing import Self

    from radiogram.client.sessions.sealing import Sealer

APPLICATION_ID = 0x52474D31
"""Marks a file as Radiogram's ("RGM1")."""
FORMAT = 2
SUFFIX = ".session"

_MAGIC = b"SQLite format 3\0"
_HEAD_BYTES = 100
_LEFT = (
    "it was left as it is: put back a copy from before, save what can be read with `radiogram "
    "session recover`, or sign in again with another file"
)


class SqliteSession:
    """Keep the account's data in a file.

    `path` is the file; without a suffix it gets ``.session``. It is made, readable for its owner
    only, if it is missing. Whoever has the file has the account, unless it has a `passphrase`: then
    everything in it is encrypted. If another process has the file, `wait` is how many seconds to
    wait for it, blocking the thread.

    Raises SessionInUse, SessionDamaged (the file is left as it is), SessionTooNew, WrongPassphrase,
    or SessionError for a file of another program or a folder that cannot be used. A file of an
    older format is brought up to date, and a copy of it kept beside it. Close the session, or use
    it in a ``with`` block.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        passphrase: str | None = None,
        wait: float = 0.0,
    ) -> None:
        self.path = resolve(path)
        self._lease = Lease(self.path, wait=wait)
        try:
            self._db, self._tables = _open(self.path, passphrase)
        except BaseException:
            self._lease.release()
            raise

    def __repr__(self) -> str:
        return f"<SqliteSession {str(self.path)!r} {self._tables.data}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back; the session cannot be used any more."""
        if self._lease:  # not in a process that was forked: the connection is its parent's
            self._db.close()
        self._lease.release()

    @property
    def is_encrypted(self) -> bool:
        """Whether the file has a passphrase."""
        return isinstance(self._tables, SealedTables)

    @property
    def data(self) -> SessionData:
        """Where the account lives and how to get in."""
        return self._tables.data

    @data.setter
    def data(self, value: SessionData) -> None:
        with self._writing():
            self._tables.data = value
            # On the disk at once, not only past the process: there is no second copy of a key.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def peers(self) -> tuple[PeerRecord, ...]:
        """Every peer that is remembered."""
        with self._using():
            return self._tables.peers

    def remember(self, peers: Iterable[PeerRecord]) -> None:
        """Keep these peers, in place of what was known of them."""
        with self._writing():
            self._tables.remember(peers)

    def by_id(self, marked_id: int) -> PeerRecord | None:
        """Find a peer by its marked id."""
        with self._using():
            return self._tables.by_id(marked_id)

    def by_username(self, username: str) -> PeerRecord | None:
        """Find the peer last seen with a username (lower case, no "@")."""
        with self._using():
            return self._tables.by_username(username)

    def by_phone(self, phone: str) -> PeerRecord | None:
        """Find the user last seen with a phone number (digits)."""
        with self._using():
            return self._tables.by_phone(phone)

    def lines(self) -> tuple[State | None, dict[int, int]]:
        """Tell where updates stood: the account's state if any, and the pts of channels by id."""
        with self._using():
            return self._tables.lines()

    def keep_line(self, channel_id: int | None, state: State | int) -> None:
        """Note where updates stand: of a channel its pts, without a channel the account's state."""
        with self._writing():
            self._tables.keep_line(channel_id, state)

    def forget_line(self, channel_id: int) -> None:
        """Drop what is known of a channel's updates."""
        with self._writing():
            self._tables.forget_line(channel_id)

    def forget(self) -> None:
        """Drop the key, the account, its updates and all peers; the address stays."""
        with self._writing():
            self._tables.forget()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextlib.contextmanager
    def _using(self) -> Iterator[None]:
        if not self._lease:
            raise SessionError(
                f"the session file {self.path} was closed, or this process was forked from the one "
                "that opened it; open the session in the process that uses it"
            )
        try:
            yield
        except DATABASE_ERRORS as error:
            raise SessionDamaged(
                f"the session file {self.path} cannot be read any more ({error}); {_LEFT}"
            ) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._using():
            try:
                yield
            except sqlite3.OperationalError as error:
                raise SessionError(
                    f"nothing can be written to the session file {self.path} ({error}); what was "
                    "in it before is still there: check the disk's space and the permissions"
                ) from error


def resolve(path: str | os.PathLike[str]) -> Path:
    """Return the file that a session of this name has. Raises SessionError for no name."""
    found = Path(path)
    if not found.name or "\0" in found.name:
        raise SessionError(
            f"{str(path)!r} is no name of a session file; give one such as ada, or the path of "
            "ada.session"
        )
    return found if found.suffix else found.with_suffix(SUFFIX)


@contextlib.contextmanager
def reading(path: Path, passphrase: str | None) -> Iterator[ClearTables | SealedTables]:
    """Look into a file without changing it, as its holder meanwhile. Raises as SqliteSession."""
    lease = Lease(path)
    try:
        version = _look(path)
        if version is None:
            raise SessionError(f"there is no session in {path}; it is missing or empty")
        with _told(path), _read_only(path) as db:
            yield ClearTables(db) if version == 1 else _tables(db, path, passphrase)
    finally:
        lease.release()


def rescue(
    path: Path, passphrase: str | None
) -> tuple[SessionData, list[PeerRecord], State | None, dict[int, int], list[str]]:
    """Read what can be read of a damaged file, without changing it.

    Returns what a session holds, and a sentence about each part that is lost. Raises SessionDamaged
    if the key is.
    """
    lease = Lease(path)
    try:
        lost: list[str] = []
        with _told(path), _read_only(path) as db:
            if _all(db, "meta", "value", [], "name = 'seal'"):
                return *_rescued_sealed(db, path, passphrase, lost), lost
            return *_rescued_clear(db, path, lost), lost
    finally:
        lease.release()


Rescued = tuple[SessionData, list[PeerRecord], State | None, dict[int, int]]


def _rescued_clear(db: sqlite3.Connection, path: Path, lost: list[str]) -> Rescued:
    rows = _all(db, "data", "*", lost)
    if not rows:
        raise SessionDamaged(f"the key in {path} cannot be read; take a copy from before")
    names: dict[int, list[str]] = {}
    for name, marked_id in _all(db, "usernames", "username, marked_id", lost):
        names.setdefault(marked_id, []).append(name)
    peers = [
        PeerRecord(marked_id, access_hash, tuple(names.get(marked_id, ())), phone)
        for marked_id, access_hash, phone in _all(db, "peers", "*", lost)
    ]
    lines = {row[0]: row[1:] for row in _all(db, "lines", "*", lost)}
    state = State(*lines.pop(0)) if 0 in lines else None
    return checked_data(rows[0]), peers, state, {number: line[0] for number, line in lines.items()}


def _rescued_sealed(
    db: sqlite3.Connection, path: Path, passphrase: str | None, lost: list[str]
) -> Rescued:
    sealer = _sealer(dict(_all(db, "meta", "name, value", lost)), path, passphrase)
    tables = SealedTables(db, sealer, _all(db, "sealed", "label, record", lost), lost)
    if not tables.data.auth_key:
        raise SessionDamaged(f"the key in {path} cannot be read; take a copy from before")
    return tables.data, list(tables.peers), *tables.lines()


def _all(
    db: sqlite3.Connection, table: str, columns: str, lost: list[str], where: str = "1"
) -> list[tuple[Any, ...]]:
    """Return the rows of a table up to where it is damaged."""
    rows: list[tuple[Any, ...]] = []
    try:
        query = f"SELECT {columns} FROM {table} WHERE {where}"  # noqa: S608 - names of our own
        for row in db.execute(query):
            rows.append(row)  # noqa: PERF402 - what came before the damage counts
    except DATABASE_ERRORS as error:
        lost.append(f"the table {table} can be read for {len(rows)} rows only ({error})")
    return rows


def _open(
    path: Path, passphrase: str | None
) -> tuple[sqlite3.Connection, ClearTables | SealedTables]:
    version = _look(path)
    if version is not None and version < FORMAT:
        _back_up(path, version)
    try:
        if version is None:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        db = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    except (OSError, *DATABASE_ERRORS) as error:
        raise SessionError(
            f"the session file {path} cannot be opened ({error}); check the folder and the "
            "permissions"
        ) from None
    try:
        with _told(path):
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")  # a kill loses nothing; the system's end may
            db.execute("PRAGMA secure_delete = ON")  # an old key is wiped, not only let go of
            # Left by a look into the file after a kill; a sole holder has its like in memory.
            path.with_name(path.name + "-shm").unlink(missing_ok=True)
            if version is None:
                _make(db, passphrase)
            elif version == 1:
                _upgrade(db)
            return db, _tables(db, path, passphrase)
    except BaseException:
        db.close()
        raise


def _look(path: Path) -> int | None:
    """Tell a file's format, None if there is nothing in it, without changing anything.

    Raises for files that must not be opened for writing: others', damaged ones, newer ones.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SessionError(
            f"the session file {path} cannot be opened ({error.strerror}); check the permissions"
        ) from None
    if not head and not _has_log(path):
        return None
    with _told(path):
        if head and not head.startswith(_MAGIC):
            raise SessionDamaged(f"{path} is no session file, or is damaged at its start; {_LEFT}")
        if head and not _has_log(path):  # SQLite itself takes some stumps for empty files
            page, pages = (int.from_bytes(head[at:end], "big") for at, end in ((16, 18), (28, 32)))
            size = path.stat().st_size
            if len(head) < _HEAD_BYTES or size < pages * (page if page > 1 else 1 << 16):
                raise SessionDamaged(
                    f"the session file {path} was cut off at {size} bytes; {_LEFT}"
                )
        with _read_only(path) as db:
            (mark,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
            (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not tables:
                return None
            if mark != APPLICATION_ID:
                raise SessionError(
                    f"{path} is an SQLite file of another program; give another name, or convert "
                    "it first: `radiogram session convert` reads Telethon's and Pyrogram's"
                )
            if version > FORMAT:
                raise SessionTooNew(
                    f"the session file {path} has format {version}, this version of Radiogram "
                    f"reads up to {FORMAT}; use the version that wrote it, or a later one"
                )
            answer = db.execute("PRAGMA quick_check").fetchone()
            if answer != ("ok",):
                raise sqlite3.DatabaseError(answer[0] if answer else "no answer")
    return int(version)


def _read_only(path: Path) -> contextlib.closing[sqlite3.Connection]:
    # What nobody can change, since the lease is held, needs no files beside it for reading.
    option = "" if _has_log(path) else "&immutable=1"
    uri = f"{path.absolute().as_uri()}?mode=ro{option}"
    return contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1))


def _has_log(path: Path) -> bool:
    """Tell whether a killed process left changes beside the file."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in Radiogram's words what SQLite finds wrong with a file."""
    try:
        yield
    except DATABASE_ERRORS as error:
        if "locked" in str(error):
            raise SessionInUse(str(path)) from None
        found = " ".join(str(error).split())
        raise SessionDamaged(f"the session file {path} cannot be read ({found}); {_LEFT}") from None
    except SessionDamaged as error:
        if str(path) in str(error):
            raise
        raise SessionDamaged(f"the session file {path}: {error}; {_LEFT}") from None


def _make(db: sqlite3.Connection, passphrase: str | None) -> None:
    with transaction(db):
        _run(db, META + (CLEAR if passphrase is None else SEALED))
        if passphrase is not None:
            from radiogram.client.sessions.sealing import Sealer

            sealer = Sealer(passphrase)
            db.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("seal", sealer.head), ("mark", sealer.mark())],
            )
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {FORMAT}")


def _upgrade(db: sqlite3.Connection) -> None:
    with transaction(db):
        _run(db, META)
        db.execute(f"PRAGMA user_version = {FORMAT}")


def _run(db: sqlite3.Connection, script: str) -> None:
    """Run statements inside a transaction, which ``executescript`` would end."""
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)


def _back_up(path: Path, version: int) -> None:
    """Copy a file of an older format aside, whole or not at all."""
    copy = path.with_name(f"{path.name}.format{version}")
    part = copy.with_name(copy.name + ".part")
    if copy.exists():
        return  # of an upgrade that was killed: what it copied is what there is now
    with _told(path):
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with _read_only(path) as old, contextlib.closing(sqlite3.connect(part)) as new:
            old.backup(new)
    part.replace(copy)


def _tables(
    db: sqlite3.Connection, path: Path, passphrase: str | None
) -> ClearTables | SealedTables:
    meta = dict(db.execute("SELECT name, value FROM meta").fetchall())
    if "seal" not in meta:
        if passphrase is not None:
            raise WrongPassphrase(
                f"the session file {path} is not encrypted, but a passphrase was given; leave it "
                "out, or make an encrypted copy with `radiogram session convert --encrypt`"
            )
        return ClearTables(db)
    sealer = _sealer(meta, path, passphrase)  # first: no cursor is left open when that fails
    return SealedTables(db, sealer, db.execute("SELECT label, record FROM sealed"))


def _sealer(meta: dict[str, Any], path: Path, passphrase: str | None) -> Sealer:
    if passphrase is None:
        raise WrongPassphrase(
            f"the session file {path} is encrypted; give its passphrase: "
            "SqliteSession(path, passphrase=...)"
        )
    from radiogram.client.sessions.sealing import Sealer

    sealer = Sealer(passphrase, meta["seal"])
    sealer.check(meta.get("mark", b""), f"the session file {path}")
    return sealer
