"""Layer 4, client: sessions of many accounts in one database, whichever SQLAlchemy reaches.

Knows who has which account's, and how what changed gets there. Must not know what the
facts mean.

Theory of operation. A session is read once, when it is opened, and answers from memory. The key and
who is signed in are written at once; peers and lines, which change with every update, are written
behind by one thread for the whole database, in the order in which they changed, all that came
together in one transaction. What has not got there is written by :meth:`SqlSession.flush` and
`close`, and at the end of the interpreter. When the process is killed, the last moments may be
missing: updates of these are then told once more, since a line is never written before the peers
that were met on the way to it.

Who has a session is in its row: a token, and when it was last renewed. The thread renews it; who
does not for LEASE seconds, or is a process of this machine that is gone, has lost it. Each
transaction begins with a look at the token, so a process that slept through the loss of its session
cannot write over the new holder's.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict, replace
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from radiogram.client.sessions import sql_rows as rows
from radiogram.client.sessions.base import PeerRecord, SessionData, State
from radiogram.client.sessions.lease import this_process
from radiogram.client.sessions.memory import MemorySession
from radiogram.errors import SessionError, SessionInUse, SessionTooNew

if TYPE_CHECKING:
    from typing import Self

FORMAT = 1
LEASE = 30.0
"""Seconds without a sign of life after which a session is free."""
BEAT = 10.0
"""Seconds between two signs of life."""
LINGER = 0.05
"""Seconds in which changes gather before they are written together."""
_RETRY = 2.0
_POLL = 0.1
_PATIENCE = 10.0


class SqlSession(MemorySession):
    """Keep an account's data under a name in a database that may have many.

    `url` is SQLAlchemy's: ``postgresql+psycopg://user@host/name``, ``mysql+pymysql://...``,
    ``sqlite:///accounts.sqlite``. Sessions with the same URL share a connection and a thread. If
    another process has the session, `wait` is how many seconds to wait for it, blocking the thread.

    Whoever reads the database has the accounts. Raises SessionInUse, SessionTooNew, or SessionError
    if the database cannot be used. Close the session, or use it in a ``with`` block.
    """

    def __init__(self, url: str, name: str, *, wait: float = 0.0) -> None:
        super().__init__()
        if not 0 < len(name) <= 190:
            raise SessionError(f"a session's name has 1 to 190 characters, not {len(name)}")
        self.name = name
        self._changed_peers: dict[int, PeerRecord] = {}
        self._changed_lines: dict[int, State | int | None] = {}
        self._trouble: SessionError | None = None
        self._closed = False
        self._token = os.urandom(16).hex()
        self._store = _Store.at(url)
        try:
            self._store.open(self, wait)
        except BaseException:
            self._store.let_go(self)
            raise

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} in {self._store.name} {self._data}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def names(url: str) -> list[str]:
        """List the sessions that a database has."""
        store = _Store.at(url)
        try:
            with store.transaction() as tx:
                return list(
                    tx.scalars(sa.select(rows.sessions.c.name).order_by(rows.sessions.c.name))
                )
        finally:
            store.let_go(None)

    def close(self) -> None:
        """Write what is left, and give the session back; it cannot be used any more.

        Raises SessionError if it cannot be written; the session is given back all the same.
        """
        if self._closed:
            return
        self._closed = True
        if self._trouble is not None and not isinstance(self._trouble, SessionInUse):
            return  # forked: all that is the parent's
        try:
            self._store.close(self)
        finally:
            self._store.let_go(self)

    def flush(self) -> None:
        """Write what has not been written yet. Raises SessionError if that cannot be done."""
        self._check()
        self._store.write([self])

    @property
    def data(self) -> SessionData:
        """Where the account lives and how to get in."""
        return self._data

    @data.setter
    def data(self, value: SessionData) -> None:
        self._check()
        self._store.write([self], data=value)
        self._data = value

    def remember(self, peers: Iterable[PeerRecord]) -> None:
        """Keep these peers, in place of what was known of them."""
        self._check()
        new = [peer for peer in peers if self.by_id(peer.marked_id) != peer]
        if new:
            with self._store.changing(self):
                super().remember(new)
                self._changed_peers.update((peer.marked_id, peer) for peer in new)

    def keep_line(self, channel_id: int | None, state: State | int) -> None:
        """Note where updates stand: of a channel its pts, without a channel the account's state."""
        self._check()
        with self._store.changing(self):
            super().keep_line(channel_id, state)
            self._changed_lines[channel_id or rows.ACCOUNT] = state

    def forget_line(self, channel_id: int) -> None:
        """Drop what is known of a channel's updates."""
        self._check()
        with self._store.changing(self):
            super().forget_line(channel_id)
            self._changed_lines[channel_id] = None

    def forget(self) -> None:
        """Drop the key, the account, its updates and all peers; the address stays."""
        self._check()
        empty = replace(self._data, auth_key=b"", user_id=0, is_bot=False)
        self._store.write([self], data=empty, forget=True)
        super().forget()

    def _check(self) -> None:
        if self._trouble is not None:
            raise self._trouble
        if self._closed:
            raise SessionError(f"the session {self.name!r} was closed; open it again")


class PostgresSession(SqlSession):
    """A :class:`SqlSession` in PostgreSQL, by the driver psycopg."""

    def __init__(self, url: str, name: str, *, wait: float = 0.0) -> None:
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
            raise SessionError(
                f"a URL of PostgreSQL begins with postgresql://, not {scheme + separator!r}; "
                "SqlSession takes those of other databases"
            )
        super().__init__(f"postgresql+psycopg://{rest}", name, wait=wait)


class _Store:
    """One database: its connection, its thread, and the sessions of this process in it."""

    _stores: dict[str, _Store] = {}  # noqa: RUF012 - shared on purpose
    _guard = threading.Lock()

    def __init__(self, url: str) -> None:
        try:
            self._url = sa.make_url(url)
            self._engine = rows.engine(self._url)
        except ModuleNotFoundError as error:
            raise SessionError(
                f"the driver of that database, {error.name}, is not installed; install it "
                "(PostgreSQL: pip install 'radiogram[postgres]')"
            ) from None
        except SQLAlchemyError as error:
            raise SessionError(f"the database's URL cannot be used ({rows.brief(error)})") from None
        self.name = self._url.set(query={}).render_as_string(hide_password=True)
        self._users = 0
        self._sessions: set[SqlSession] = set()
        self._dirty: set[SqlSession] = set()
        self._change = threading.Condition()
        """Guards the sessions' changes and the sets of sessions."""
        self._writing = threading.Lock()
        """Held while one writes, so that what was changed later is written later."""
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._prepared = False

    # ── sharing ──────────────────────────────────────────────────────────────────────────────

    @classmethod
    def at(cls, url: str) -> _Store:
        """Return the store of a URL for one more user."""
        with cls._guard:
            store = cls._stores.get(url)
            if store is None or store._stopped:
                store = cls._stores[url] = _Store(url)
            store._users += 1
            return store

    def let_go(self, session: SqlSession | None) -> None:
        """End one use of the store; the last one ends its thread and connections."""
        with self._guard:
            self._users -= 1
            last = self._users == 0
            with self._change:
                if session is not None:
                    self._sessions.discard(session)
                    self._dirty.discard(session)
                self._stopped = last
                self._change.notify_all()
        if last:
            if self._thread is not None:
                self._thread.join(_PATIENCE)
            self._engine.dispose()

    @classmethod
    def end(cls) -> None:
        """Write what is left when the interpreter ends."""
        for store in list(cls._stores.values()):
            for session in list(store._sessions):
                with contextlib.suppress(SessionError):
                    session.close()

    # ── reading and writing ──────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Run the block in a transaction, and tell of trouble in Radiogram's words."""
        try:
            if not self._prepared:
                self._prepare()
            with self._engine.begin() as tx:
                yield tx
        except SQLAlchemyError as error:
            raise SessionError(
                f"the database {self.name} cannot be used ({rows.brief(error)}); what was written "
                "before is still there: check that it runs, and the URL"
            ) from error

    def _prepare(self) -> None:
        with contextlib.suppress(SQLAlchemyError):  # another process may be making them, too
            rows.metadata.create_all(self._engine)
        try:
            with self._engine.begin() as tx:
                version = rows.format_of(tx)
                if version is None:
                    tx.execute(rows.meta.insert().values(name="format", value=str(FORMAT)))
        except IntegrityError:
            with self._engine.begin() as tx:
                version = rows.format_of(tx)
        if version is not None and version != str(FORMAT):
            raise SessionTooNew(
                f"the sessions in {self.name} have format {version}, this version of Radiogram "
                f"reads {FORMAT}; use the version that wrote them, or a later one"
            )
        self._prepared = True

    def open(self, session: SqlSession, wait: float) -> None:
        """Take a session for this process, and read it."""
        deadline = time.monotonic() + wait
        while True:
            try:
                self._take(session)
                break
            except SessionInUse:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(_POLL)
        with self._change:
            self._sessions.add(session)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name=f"radiogram sessions in {self.name}", daemon=True
                )
                self._thread.start()

    def _take(self, session: SqlSession) -> None:
        name = session.name
        mine = {
            "token": session._token,
            "holder": msgspec.json.encode(this_process()).decode(),
        }
        with self.transaction() as tx:
            now = rows.now(tx)
            row = tx.execute(sa.select(rows.sessions).where(rows.sessions.c.name == name)).first()
            try:
                if row is None:
                    empty = asdict(SessionData())
                    tx.execute(
                        rows.sessions.insert().values(name=name, renewed=now, **mine, **empty)
                    )
                    return
            except IntegrityError:  # another process was quicker by a moment
                raise SessionInUse(f"{name!r} in {self.name}") from None
            holder = rows.holder(row.holder)
            if row.token and now - row.renewed < LEASE and not (holder and holder.is_gone):
                raise rows.in_use(name, self.name, holder)
            taken = tx.execute(
                rows.sessions.update()
                .where(rows.sessions.c.name == name, rows.sessions.c.token == row.token)
                .values(renewed=now, **mine)
            )
            if not taken.rowcount:
                raise SessionInUse(f"{name!r} in {self.name}")
            session._data = rows.read_data(name, row)
            MemorySession.remember(session, rows.read_peers(tx, name))
            for channel_id, line in rows.read_lines(tx, name):
                if channel_id == rows.ACCOUNT:
                    session._state = line
                else:
                    session._channels[channel_id] = line.pts

    def close(self, session: SqlSession) -> None:
        """Write what a session has left, and give it back."""
        if session._trouble is not None:
            return
        try:
            self.write([session])
        finally:
            with contextlib.suppress(SessionError), self.transaction() as tx:
                tx.execute(
                    rows.sessions.update()
                    .where(rows.mine(session.name, session._token))
                    .values(token="", holder="", renewed=0)
                )

    @contextlib.contextmanager
    def changing(self, session: SqlSession) -> Iterator[None]:
        """Let a session change, and see that it is written soon."""
        with self._change:
            yield
            if not self._dirty:
                self._change.notify_all()
            self._dirty.add(session)

    def write(
        self,
        sessions: Iterable[SqlSession],
        *,
        data: SessionData | None = None,
        forget: bool = False,
    ) -> None:
        """Write what these sessions changed, one transaction for each.

        Raises SessionError; what could not be written stays among the changes.
        """
        with self._writing:
            for session in sessions:
                with self._change:
                    peers, session._changed_peers = session._changed_peers, {}
                    lines, session._changed_lines = session._changed_lines, {}
                    self._dirty.discard(session)
                try:
                    with self.transaction() as tx:
                        self._renew(tx, session)
                        if forget:
                            for table in (rows.peers, rows.lines):
                                tx.execute(table.delete().where(table.c.session == session.name))
                        else:
                            rows.write_peers(tx, session.name, peers)
                            rows.write_lines(tx, session.name, lines)
                        if data is not None:
                            tx.execute(
                                rows.sessions.update()
                                .where(rows.mine(session.name, session._token))
                                .values(**asdict(data))
                            )
                except BaseException:
                    with self._change:
                        session._changed_peers = peers | session._changed_peers
                        session._changed_lines = lines | session._changed_lines
                        self._dirty.add(session)
                    raise

    def _renew(self, tx: sa.Connection, session: SqlSession) -> None:
        """Show that the session is in use; find out if another took it."""
        renewed = tx.execute(
            rows.sessions.update()
            .where(rows.mine(session.name, session._token))
            .values(renewed=rows.now(tx))
        )
        if renewed.rowcount:
            return
        found = tx.scalar(
            sa.select(rows.sessions.c.holder).where(rows.sessions.c.name == session.name)
        )
        session._trouble = rows.in_use(session.name, self.name, rows.holder(found or ""))
        raise session._trouble

    # ── the thread ───────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        beat = time.monotonic() + BEAT
        retry = 0.0
        while True:
            with self._change:
                while not self._stopped:
                    now = time.monotonic()
                    due = min(beat, max(retry, now)) if self._dirty else beat
                    if now >= due:
                        break
                    self._change.wait(due - now)
                if self._stopped:
                    return
                if time.monotonic() < beat:
                    self._change.wait(LINGER)
                    todo = set(self._dirty)
                else:
                    beat = time.monotonic() + BEAT
                    todo = set(self._sessions)
            for session in todo:
                try:
                    if session._trouble is None:
                        self.write([session])
                except SessionInUse:
                    with self._change:
                        self._dirty.discard(session)
                except SessionError:
                    retry = time.monotonic() + _RETRY
                    break


def _forked() -> None:
    """Leave to the parent what it has: connections cannot be shared, and the thread is not here."""
    for store in _Store._stores.values():
        for session in store._sessions:
            session._trouble = SessionError(
                f"this process was forked from the one that opened the session {session.name!r}; "
                "open sessions in the process that uses them"
            )
        store._engine.dispose(close=False)
    _Store._stores = {}
    _Store._guard = threading.Lock()


atexit.register(_Store.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
