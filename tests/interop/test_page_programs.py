"""The programs on the page of messages.updatePinnedMessage run as they are printed there.

Only what each leaves to its reader is put in: a session, the two names of the application, and
where the server is. GramJS judges JavaScript, the TypeScript compiler the types.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from radiogram.crypto.rsa import PublicKey
from radiogram.docs.markdown import programs
from radiogram.docs.model import Model
from radiogram.docs.world import API_HASH, API_ID, DemoWorld
from radiogram.sessions import MemorySession, SessionCopy, SessionData

from .conftest import missing, unavailable
from .gramjs_driver import FOLDER

pytestmark = pytest.mark.slow

PAGE = Model().method("messages.updatePinnedMessage")
EXAMPLES = range(len(PAGE.examples))
PYTHON = """\
import radiogram, radiogram.sync, radiogram.client.client, functools, json, os
from radiogram import ServerAddress
server = ServerAddress.from_json(os.environ["RADIOGRAM_SERVER"])
for module in (radiogram, radiogram.sync):
    module.TelegramClient = functools.partial(module.TelegramClient, server=server)
api_id, api_hash = 1, "any"
"""


def program(number: int, tab: str) -> str:
    return next(text for title, _, text in programs(PAGE.examples[number]) if title == tab)


@pytest.fixture
async def demo() -> AsyncIterator[DemoWorld]:
    async with DemoWorld() as world:
        yield world


def session_of(demo: DemoWorld) -> SessionCopy:
    """Sign in as Ada once more."""
    server = demo.server
    data = SessionData(
        dc_id=server.dc_id,
        host=server.host,
        port=server.port,
        auth_key=server.world.sign_in(demo.ids["ada"]).data,
        user_id=demo.ids["ada"],
    )
    return SessionCopy.of(MemorySession(data))


def address_of(demo: DemoWorld) -> dict[str, object]:
    server = demo.server
    key = PublicKey.from_pem(server.public_key)
    return {
        "host": server.host, "port": server.port, "dc_id": server.dc_id,
        "public_key": server.public_key, "fingerprint": str(server.fingerprint),
        "n": f"{key.n:x}", "e": key.e, "apiId": API_ID, "apiHash": API_HASH,
    }  # fmt: skip


async def run(command: list[str], source: str, demo: DemoWorld, folder: Path, end: str) -> str:
    """Give a program to an interpreter; return what it printed up to a line, or to its end."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=os.environ | {"RADIOGRAM_SERVER": json.dumps(address_of(demo))},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(source.encode())
    process.stdin.close()
    said = ""
    try:
        async with asyncio.timeout(60):
            async for line in process.stdout:
                said += re.sub(r"\x1b\[[0-9;]*m", "", line.decode())
                if end and said.endswith(f"\n{end}\n"):
                    break  # GramJS goes on after the result, since the example never disconnects
    finally:
        if process.returncode is None and end:
            process.kill()
        await process.wait()
    return said


@pytest.mark.parametrize("tab", ["asyncio", "Script"])
@pytest.mark.parametrize("number", EXAMPLES)
async def test_python(demo: DemoWorld, tmp_path: Path, number: int, tab: str) -> None:
    text = program(number, tab)
    place = 'StringSession("")'
    assert place in text
    text = text.replace(place, f'StringSession("{session_of(demo).text()}")')
    said = await run([sys.executable, "-"], PYTHON + text, demo, tmp_path, "")
    check(number, said)


@pytest.mark.parametrize("number", EXAMPLES)
async def test_command_line(demo: DemoWorld, number: int) -> None:
    if len(PAGE.examples[number].calls) > 1:
        pytest.skip("a command makes one call; this example is about what comes of two")
    command = program(number, "Command line").strip() + " --demo --output python"
    done = await asyncio.to_thread(
        subprocess.run, command.replace("radiogram", f"{sys.executable} -m radiogram", 1),
        shell=True, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    check(number, done.stdout + done.stderr)


@pytest.mark.parametrize("number", EXAMPLES)
async def test_javascript(demo: DemoWorld, number: int) -> None:
    if reason := missing("gramjs"):
        unavailable(reason)
    text = program(number, "JavaScript")
    place = "new StringSession('')"
    assert place in text
    session = session_of(demo).text("gramjs")
    preamble = (FOLDER / "preamble.js").read_text("utf-8")
    fails = PAGE.examples[number].output and PAGE.examples[number].output.error
    text = text.replace(place, f"new StringSession('{session}')")
    said = await run(["node", "-"], preamble + text, demo, FOLDER, "" if fails else "}")
    check(number, said)


def test_typescript_has_the_right_types(tmp_path: Path) -> None:
    if reason := missing("gramjs"):
        unavailable(reason)
    source = FOLDER / "page_programs.ts"
    declared = "declare const apiId: number, apiHash: string;\n"
    try:
        body = "".join(
            f"{{\n{re.sub(r'(?m)^import .*$', '', program(number, 'TypeScript'))}}}\n"
            for number in EXAMPLES
        )
        imports = "\n".join(re.findall(r"(?m)^import .*$", program(0, "TypeScript")))
        source.write_text(f"{imports}\n{declared}{body}", "utf-8")
        done = subprocess.run(
            ["node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--target",
             "es2022", "--module", "commonjs", "--types", "node", "--esModuleInterop", source.name],
            cwd=FOLDER, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
    finally:
        source.unlink(missing_ok=True)
    assert done.returncode == 0, done.stdout


def check(number: int, said: str) -> None:
    """What was printed is what the page shows, apart from the language."""
    output = PAGE.examples[number].output
    assert output is not None
    if output.error:
        assert output.error in said
        return
    for name in re.findall(r"Update\w+", output.result):
        assert name in said, said
    assert "UpdatePinnedMessages" in said
