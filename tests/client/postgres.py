"""A PostgreSQL server for the tests that need one: started on a socket, gone with the run.

Knows the programs of PostgreSQL. Its own user runs it where the tests run as root, which
PostgreSQL refuses.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

USER = "postgres"


def program(name: str) -> str | None:
    """Find one of PostgreSQL's programs, which few systems have in the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or (str(versions[0]) if versions else None)


def missing() -> str | None:
    """Say why no server can be started; None if one can."""
    for name in ("initdb", "pg_ctl"):
        if program(name) is None:
            return f"{name} is not installed: apt-get install postgresql brings it"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(USER)
        except KeyError:
            return f"root may not run PostgreSQL, and there is no user {USER}"
    return None


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Run a server, and yield the URL of a database in it."""
    user = USER if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="radiogram-pg-", dir="/tmp"))  # sockets have short paths
    if user is not None:
        shutil.chown(folder, user)

    def run(*command: str | Path | None) -> None:
        subprocess.run(
            [str(part) for part in command],
            user=user,
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=100,
        )

    options = f"-c listen_addresses='' -c fsync=off -k {folder}"
    data, log = folder / "data", folder / "log"
    try:
        run(program("initdb"), "-D", data, "-U", USER, "-A", "trust", "-N")
        run(program("pg_ctl"), "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql://{USER}@/postgres?host={folder}"
        finally:
            run(program("pg_ctl"), "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
