"""Layer 4, client: one holder at a time for a session's file, and who that is.

Knows the operating system's locks, process ids and start times. Must not know what is held.

The lock is the system's own, on a file beside the session's: it goes when its holder goes, by
``kill -9`` too. What the holder wrote into that file only serves to name it. Windows locks bytes
against reading as well, so there a byte far behind the text is locked.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import weakref
from pathlib import Path

import msgspec
from msgspec.structs import replace

from radiogram.errors import SessionError, SessionInUse

SUFFIX = ".lock"
POLL = 0.05
"""Seconds between two tries for a lock that another process has."""
_GRACE = 3.0
"""Seconds that a new holder is given to sign, before it is reported without a name."""
_FAR = 1 << 30
_TEXT_BYTES = 1000


class Holder(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who has a session."""

    pid: int
    host: str = ""
    since: str = ""
    """Date and time in UTC."""
    machine: str = ""
    """Boot and process namespace: only within these does a pid mean a process."""
    started: str = ""
    """When the process began, by the system's own count; empty where that cannot be told."""

    @property
    def is_gone(self) -> bool:
        """Whether this process surely ended, be there another with its pid by now.

        False when it cannot be told from here.
        """
        if not self.machine or self.machine != machine():
            return False
        return bool(self.started) and started(self.pid) != self.started


def this_process() -> Holder:
    """Describe the running process."""
    return Holder(os.getpid(), host_name(), _moment(), machine(), started(os.getpid()))


def _moment() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())


def host_name() -> str:
    """Return the machine's name."""
    if sys.platform == "win32":
        return os.environ.get("COMPUTERNAME", "")
    return os.uname().nodename


def machine() -> str:
    """Return what tells apart the places in which a pid has a meaning; empty if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def started(pid: int) -> str:
    """Return when a process began, in ticks since the boot; empty if none has that pid."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    fields = status.rpartition(")")[2].split()  # the name before it may hold anything
    return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else ""


class Lease:
    """The right to use a file, until :meth:`release` or the end of the process.

    Waits up to `wait` seconds for another holder to give it back, blocking the thread. Raises
    SessionInUse, which names the holder, and SessionError if the lock's file cannot be made. The
    lock's file stays behind: were it removed, two processes might each lock one of that name.
    """

    def __init__(self, path: Path, *, wait: float = 0.0) -> None:
        self._path = path
        self._file: int | None = None
        lock = path.with_name(path.name + SUFFIX)
        try:
            file = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise SessionError(
                f"the session file {path} cannot be used ({error.strerror}: {lock}); give a "
                "folder that exists and can be written"
            ) from None
        holder = this_process()  # before it is locked: others wait to be told the name
        try:
            self._acquire(file, wait)
            signature = msgspec.json.encode(replace(holder, since=_moment()))
            os.ftruncate(file, 0)
            os.lseek(file, 0, os.SEEK_SET)
            os.write(file, signature)
        except BaseException:
            os.close(file)
            raise
        self._file = file
        _leases.add(self)

    def __bool__(self) -> bool:
        """Tell whether it is still held by this process."""
        return self._file is not None

    def release(self) -> None:
        """Give the file back."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(file, 0)  # or the next holder might be taken for this one
            os.close(file)  # the lock goes with it

    def _acquire(self, file: int, wait: float) -> None:
        now = time.monotonic()
        deadline, settled = now + wait, now + _GRACE
        while not _lock(file):
            holder = _read(file)
            # One that is gone did not have this lock: the one that has it has yet to sign.
            named = holder is not None and not holder.is_gone
            if time.monotonic() >= (deadline if named else max(deadline, settled)):
                if holder is None or not named:
                    raise SessionInUse(str(self._path))
                raise SessionInUse(
                    str(self._path), pid=holder.pid, host=holder.host, since=holder.since
                )
            time.sleep(POLL)


def _read(file: int) -> Holder | None:
    try:
        os.lseek(file, 0, os.SEEK_SET)
        return msgspec.json.decode(os.read(file, _TEXT_BYTES), type=Holder)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


_leases: weakref.WeakSet[Lease] = weakref.WeakSet()


def _forked() -> None:
    """Leave to the parent what it holds: the child would go on holding it after the parent."""
    for lease in _leases:
        file, lease._file = lease._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.close(file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> bool:
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    os.register_at_fork(after_in_child=_forked)
