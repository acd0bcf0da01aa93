"""Server layer: the other end of the admin socket, for the command line and for programs.

Knows the lines that :mod:`radiogram.server.admin` answers, and blocks while it waits for one. Loads
nothing of the server.
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import Any, Self

from radiogram.errors import RadiogramError

TIMEOUT = 10.0
"""Seconds that an answer may take."""
MAX_ANSWER = 16 * 1024 * 1024


class AdminClientError(RadiogramError):
    """The server cannot be reached, or has refused; the text says what to change."""

    def __init__(self, text: str, *, field: str = "", value: object = None) -> None:
        super().__init__(text)
        self.field = field
        """What the server has refused."""
        self.value = value


class AdminClient:
    """A connection to an admin socket, such as ``AdminClient("admin.sock")``.

    `to` is the path, the port, or ``host:port`` that ``radiogram serve --admin`` has told.
    """

    def __init__(self, to: str | int, token: str | None = None) -> None:
        self._to = str(to)
        self._socket = _connect(self._to)
        self._file = self._socket.makefile("rb")
        if token is not None and not isinstance(_place(self._to), str):
            try:
                self.ask("auth", token=token)
            except BaseException:
                self.close()
                raise

    def ask(self, do: str, **fields: Any) -> Any:
        """Send one request and return its result. Raises AdminClientError.

        Fields that are None are left out.
        """
        request = {"do": do, **{name: one for name, one in fields.items() if one is not None}}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            line = self._file.readline(MAX_ANSWER)
        except OSError as error:
            raise AdminClientError(f"{self._to}: {error}; see whether the server runs") from error
        if not line.endswith(b"\n"):
            raise AdminClientError(f"{self._to}: no answer; see whether the server runs")
        answer = json.loads(line)
        if not answer["ok"]:
            told = answer["error"]
            raise AdminClientError(told["text"], field=told["field"], value=told["value"])
        return answer["result"]

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):
            self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _place(to: str) -> str | tuple[str, int]:
    """Return the path, or host and port."""
    host, _, port = to.rpartition(":")
    if port.isdigit() and "/" not in host:
        return host or "127.0.0.1", int(port)
    return to


def _connect(to: str) -> socket.socket:
    place = _place(to)
    made = socket.socket(
        socket.AF_UNIX if isinstance(place, str) else socket.AF_INET, socket.SOCK_STREAM
    )
    made.settimeout(TIMEOUT)
    try:
        made.connect(place)
    except (OSError, OverflowError) as error:
        made.close()
        raise AdminClientError(
            f"{to}: {getattr(error, 'strerror', None) or error}; give the path or port that"
            " `radiogram serve --admin` has told, and see whether the server runs"
        ) from error
    return made
