"""A ``radiogram serve`` process, as a user starts it: for interop, e2e tests and benchmarks.

Knows the command line and the line of ``--json``. Imports nothing of the package.
"""

from __future__ import annotations

import json
import os
import random
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import parse_qs, urlsplit

START_TIMEOUT = 30.0
"""Seconds that the line may take: plenty on a busy machine, but not for ever."""


def free_port() -> int:
    """Return a port below 32768 that was free a moment ago (GramJS writes it as an int16)."""
    while True:
        port = random.randint(20000, 32767)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass(frozen=True)
class Address:
    """What the process said about itself."""

    host: str
    port: int
    dc_id: int
    public_key: str
    fingerprint: int
    dcs: list[dict[str, Any]]
    """Of each DC: dc_id, host, port."""
    mtproxy_link: str | None = None

    @property
    def mtproxy(self) -> tuple[str, int, str]:
        """Host, port and secret of the MTProxy."""
        assert self.mtproxy_link is not None
        query = parse_qs(urlsplit(self.mtproxy_link).query)
        return query["server"][0], int(query["port"][0]), query["secret"][0]

    admin: dict[str, Any] | None = None
    """Of the admin socket: path, or host, port and token."""


class Served:
    """One server process, for ``with``: it starts there, and its folder is gone afterwards.

    `kill` and `start` once more inside to test durability.
    """

    def __init__(
        self,
        *,
        database: str | None = None,
        world: str | None = None,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="radiogram-served-")
        self.database = database
        self.port = 0
        """0: not started yet; the server then finds one itself, and has it again afterwards."""
        self.arguments = list(arguments)
        if world is not None:
            path = Path(self.folder.name, "world.toml")
            path.write_text(world, encoding="utf-8")
            self.arguments += ["--world", str(path)]
        self.process: subprocess.Popen[bytes] | None = None
        self.address: Address
        self.start_seconds = 0.0

    @property
    def log(self) -> str:
        """Everything that the process wrote to stderr since it was first started."""
        return Path(self.folder.name, "stderr").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> Address:
        """Start the process, each time on the port of the first, and wait for its line."""
        command = [sys.executable, "-m", "radiogram", "serve", "--json"]
        command += ["--port", str(self.port), *self.arguments]
        if self.database is not None:
            command += ["--database", self.database]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        started = time.perf_counter()
        with Path(self.folder.name, "stderr").open("ab") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, env=environment
            )
        assert self.process.stdout is not None
        try:
            line = _read_line(self.process.stdout, START_TIMEOUT)
            self.start_seconds = time.perf_counter() - started
            self.address = Address(**json.loads(line))
        except (ValueError, TypeError, TimeoutError) as error:
            self.kill()
            raise RuntimeError(f"radiogram serve said {error}; stderr:\n{self.log}") from error
        self.port = self.address.port
        return self.address

    def kill(self) -> None:
        """End the process as a crash would (``kill -9``)."""
        if self.process is not None:
            self.process.kill()
            self._reap()

    def stop(self) -> int:
        """Ask the process to end, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return self._reap()

    def _reap(self) -> int:
        assert self.process is not None
        code = self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.folder.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None:
            self.stop()
        self.folder.cleanup()


def _read_line(stream: IO[bytes], timeout: float) -> str:
    """Read one line from a pipe within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError(f"nothing within {timeout:g} s")
            piece = os.read(stream.fileno(), 65536)
            if not piece:
                raise ValueError(f"nothing but {line!r} before it ended")
            line += piece
    return line.decode()
