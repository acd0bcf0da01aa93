"""Server layer: ``radiogram serve``: one server as a process of its own.

Knows how a person or a program at the other end of stdout wants to be told where the server is,
and how the process ends. Knows nothing of what the server does.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radiogram.errors import RadiogramError
from radiogram.server.identity import key_of_process

if TYPE_CHECKING:
    from radiogram.server.admin import AdminSocket
    from radiogram.server.server import Server

USAGE_ERROR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What ``radiogram serve`` was told."""

    host: str = "127.0.0.1"
    port: int | None = None
    """None takes the first free one from 20443 on, 0 any free one; all below 32768."""
    database: str | None = None
    """An SQLAlchemy URL, or the path of an SQLite file; None: in memory."""
    key: str | None = None
    """File of the RSA key in PEM form, made if it is missing."""
    login_code: str | None = None
    world: str | None = None
    """TOML file of accounts."""
    dc_id: int = 2
    dcs: str | None = None
    """Ids of all DCs to play, with commas between them; None: only `dc_id`."""
    mtproxy: str | None = None
    """Secret of an MTProxy on one more port."""
    tls_cert: str | None = None
    tls_key: str | None = None
    """PEM files with which the ports speak TLS, too, for wss."""
    faults: tuple[str, ...] = ()
    """Specifications for :mod:`radiogram.server.fault_spec`."""
    admin: str | None = None
    """Path or port of the admin socket."""
    admin_token: str | None = None
    as_json: bool = False


class ServeError(RadiogramError):
    """The server cannot start with these options; the text says what to change."""


def run(options: Options) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code of the process.

    What cannot be used is told in one line on stderr, with exit code 2.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=os.environ.get("RADIOGRAM_LOG", "INFO").upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # A tenth of the start would go into looking for garbage among what imports bring in.
    gc.disable()
    try:
        asyncio.run(serve(options))
    except KeyboardInterrupt:
        return 0
    except RadiogramError as error:
        sys.stderr.write(f"radiogram serve: {' '.join(str(error).split())}\n")
        return USAGE_ERROR
    return 0


async def serve(options: Options) -> None:
    """Run a server until the process is asked to end. Raises RadiogramError if it cannot start."""
    loop = asyncio.get_running_loop()
    making = None
    if options.database is None and options.key is None:
        # Made by OpenSSL in another thread, while this one imports the rest.
        making = loop.run_in_executor(None, key_of_process)
    from radiogram.server.server import Server

    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = Server(
        host=options.host,
        port=options.port,
        dc_id=options.dc_id,
        dcs=_dcs(options.dcs),
        database=_database_url(options.database),
        key=_key(options.key),
        login_code=_login_code(options.login_code),
        tls=_tls(options.tls_cert, options.tls_key),
        mtproxy_secret=options.mtproxy,
    )
    if making is not None:
        await making
    await _start(server, options)
    gc.freeze()
    gc.enable()
    try:
        if options.world is not None:
            server.world.load_toml(options.world)
        _add_faults(server, options.faults)
        async with AsyncExitStack() as stack:
            admin = _admin(server, options)
            if admin is not None:
                await stack.enter_async_context(admin)
            _announce(server, admin, as_json=options.as_json)
            await ended.wait()
    finally:
        await server.close()


async def _start(server: Server, options: Options) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        await server.start()
    except (SQLAlchemyError, ImportError) as error:
        reason = getattr(error, "orig", None) or error
        raise ServeError(
            f"--database {options.database}: {reason}; give the path of a file that can be written,"
            " or the URL of a database whose driver is installed"
        ) from None


def _add_faults(server: Server, specs: tuple[str, ...]) -> None:
    if specs:
        from radiogram.server import fault_spec

        for spec in specs:
            try:
                fault_spec.apply(server.faults, spec)
            except fault_spec.FaultSpecError as error:
                raise ServeError(f"--fault {error}") from None


def _admin(server: Server, options: Options) -> AdminSocket | None:
    """Make the admin socket: a number is a port of this machine, anything else a path."""
    given = options.admin
    if given is None:
        return None
    from radiogram.server.admin import AdminError, AdminSocket

    try:
        if not given.isdigit():
            return AdminSocket(server, path=given)
        if int(given) > 65535:
            raise ServeError(f"--admin {given}: there is no such port; give one up to 65535")
        return AdminSocket(server, port=int(given), token=options.admin_token)
    except AdminError as error:
        raise ServeError(f"--admin-token: {error.remedy}") from None


def _announce(server: Server, admin: AdminSocket | None, *, as_json: bool) -> None:
    """Tell where the server is: one line for programs, a few for people."""
    if as_json:
        address = {
            "host": server.host,
            "port": server.port,
            "dc_id": server.dc_id,
            "public_key": server.public_key,
            "fingerprint": server.fingerprint,
            "dcs": [
                {"dc_id": dc_id, "host": one.host, "port": one.port}
                for dc_id, one in sorted(server.addresses.items())
            ],
        }
        if server.mtproxy_link is not None:
            address["mtproxy_link"] = server.mtproxy_link
        if admin is not None:
            address["admin"] = admin.address
        _say(json.dumps(address))
        return
    others = "".join(
        f"and DC {dc_id} on {one.host}:{one.port}\n"
        for dc_id, one in sorted(server.addresses.items())
        if dc_id != server.dc_id
    )
    if server.mtproxy_link is not None:
        others += f"MTProxy: {server.mtproxy_link}\n"
    if admin is not None:
        where = ", ".join(f"{name} {value}" for name, value in admin.address.items())
        others += f"Admin socket: {where}\n"
    _say(
        f"Radiogram serves DC {server.dc_id} on {server.host}:{server.port}\n{others}"
        f"Public key, fingerprint {server.fingerprint}:\n{server.public_key.strip()}\n"
        "Log in with any 99966XYYYY number and the code XXXXX. Stop with Ctrl+C."
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _database_url(given: str | None) -> str | None:
    if given is None or "://" in given:
        return given
    return f"sqlite:///{Path(given).resolve()}"


def _dcs(given: str | None) -> tuple[int, ...]:
    names = given.split(",") if given is not None else []
    if not all(len(name.strip()) == 1 and name.strip() in "12345" for name in names):
        raise ServeError(
            f"--dcs {given}: give numbers from 1 to 5 with commas between them, such as 1,2,4"
        )
    return tuple(int(name) for name in names)


def _login_code(given: str | None) -> str | None:
    if given is not None and not (given.isascii() and given.isdigit() and 3 <= len(given) <= 10):
        raise ServeError(f"--login-code {given}: not a login code; give 3 to 10 digits")
    return given


def _tls(cert: str | None, key: str | None) -> tuple[str, str] | None:
    if cert is not None and key is not None:
        return cert, key
    if cert is not None or key is not None:
        missing = "--tls-key" if key is None else "--tls-cert"
        raise ServeError(
            f"{missing} is missing: TLS takes a certificate and its key, two PEM files"
        )
    return None


def _key(given: str | None) -> str | None:
    """Read the key file; make it, readable for its owner only, if there is none."""
    if given is None:
        return None
    from radiogram.crypto.rsa import PrivateKey

    path = Path(given)
    try:
        if not path.exists():
            pem = PrivateKey.generate().to_pem()
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(pem)
            return pem
        pem = path.read_text("utf-8")
        PrivateKey.from_pem(pem)
    except OSError as error:
        raise ServeError(
            f"--key {given}: {error.strerror}; give a file that can be read, or the name of a new"
            " one in a directory that can be written"
        ) from None
    except ValueError as error:
        raise ServeError(
            f"--key {given}: {error}; give another file, or the name of a new one"
        ) from None
    return pem
