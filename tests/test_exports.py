"""The façade: which names are public, and that importing it costs nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import radiogram

PUBLIC = [
    "ClientPool",
    "ServerAddress",
    "TelegramClient",
    "api",
    "errors",
    "events",
    "sessions",
    "types",
]
SESSIONS = [
    "MemorySession",
    "PeerRecord",
    "PostgresSession",
    "Session",
    "SessionCopy",
    "SessionData",
    "SqlSession",
    "SqliteSession",
    "State",
    "StringSession",
]

TYPES = [
    "Blocked",
    "Budget",
    "Chat",
    "Dialog",
    "LoginCode",
    "LoginSession",
    "Message",
    "Participant",
    "QrLogin",
    "TwoStep",
    "TwoStepReset",
    "User",
]


def test_the_public_names_are_these() -> None:
    assert sorted(radiogram.__all__) == PUBLIC
    assert sorted(radiogram.sessions.__all__) == SESSIONS
    assert sorted(radiogram.types.__all__) == TYPES


@pytest.mark.parametrize("name", PUBLIC)
def test_each_is_there(name: str) -> None:
    assert getattr(radiogram, name) is not None
    assert name in dir(radiogram)


def test_public_objects_live_where_they_are_found() -> None:
    from radiogram import ServerAddress, TelegramClient, api, errors, sessions
    from radiogram.client.client import TelegramClient as Client
    from radiogram.client.datacenters import ServerAddress as Address

    assert TelegramClient is Client
    assert ServerAddress is Address
    assert api.LAYER == 232
    assert issubclass(errors.FloodWait, errors.RpcError)
    assert sessions.StringSession("").save() == ""


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="'radiogram' has no attribute 'Client'"):
        radiogram.Client  # noqa: B018


def loaded(statement: str) -> set[str]:
    """Tell which modules a statement loads in a fresh interpreter."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return set(json.loads(done.stdout))


def test_the_import_alone_loads_nothing_heavy() -> None:
    modules = loaded("import radiogram")
    assert {name for name in modules if name.startswith("radiogram")} == {"radiogram"}
    assert not modules & {"asyncio", "msgspec", "cryptography", "cryptg", "sqlalchemy", "ssl"}


def test_a_client_does_not_load_the_server() -> None:
    modules = loaded("from radiogram import TelegramClient, api; api.help.GetConfig()")
    assert not {name for name in modules if name.startswith("radiogram.server")}
    assert not {name for name in modules if name.startswith("radiogram.client.objects")}
    assert not modules & {"sqlalchemy", "click", "rich"}
