"""The call that the project began with: its JavaScript example runs as it is printed.

``gramjs/example.js`` is that example, unchanged. Only the session goes in between its quotes, and
``gramjs/preamble.js`` before it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re

import pytest

from .conftest import Guests
from .drivers import API_HASH, API_ID
from .gramjs_driver import FOLDER, GramJSDriver
from .plain import Plain

pytestmark = pytest.mark.asyncio(loop_scope="session")

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


async def printed_result(server: dict[str, object], session: str) -> str:
    """Run the example under node and return the object that it prints."""
    example = (FOLDER / "example.js").read_text(encoding="utf-8")
    place = "new StringSession('')"
    assert place in example
    example = example.replace(place, f"new StringSession('{session}')")
    source = (FOLDER / "preamble.js").read_text(encoding="utf-8") + example

    environment = os.environ | {
        "RADIOGRAM_SERVER": json.dumps(server | {"apiId": API_ID, "apiHash": API_HASH})
    }
    node = await asyncio.create_subprocess_exec(
        "node",
        "-",
        cwd=FOLDER,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert node.stdin is not None
    assert node.stdout is not None
    node.stdin.write(source.encode())
    node.stdin.close()
    said: list[str] = []
    try:
        async with asyncio.timeout(30):
            # The example never disconnects, so node goes on after the result.
            async for line in node.stdout:
                said.append(ESCAPE.sub("", line.decode()).rstrip("\n"))
                if said[-1] == "}":
                    return "\n".join(said[said.index("{") :])
    finally:
        if node.returncode is None:
            node.kill()
        await node.wait()
    raise AssertionError("the example printed no result:\n" + "\n".join(said))


async def test_the_example_runs_as_it_is_printed(guests: Guests) -> None:
    """Message 43 of the chat with "username" is unpinned on the caller's side only (B6.5)."""
    ann, bob = await guests.user("gramjs"), await guests.user("telethon")
    await bob.call("account.updateUsername", username="username")
    bob.username = "username"
    while (sent := await ann.send(bob, "one more")) < 43:
        pass
    assert sent == 43
    await ann.pin(bob, 43)
    pts = await ann.pts(), await bob.pts()
    his = await bob.pinned(ann)
    assert len(his) == 1
    driver = ann.driver
    assert isinstance(driver, GramJSDriver)
    session, server = await driver.leave_with_session(), driver.server

    result = await printed_result(server, session)

    await driver.come_back()
    assert "className: 'Updates'" in result
    assert result.count("className: 'UpdatePinnedMessages'") == 1, result
    assert re.search(r"\bpinned: (false|undefined)", result), result
    assert re.search(rf"\bpts: {pts[0] + 1}\b", result), result
    difference = await ann.difference(pts[0], (await ann.call("updates.getState")).date)
    assert difference.other_updates == [
        Plain("updatePinnedMessages", peer=bob.peer, messages=[43], pts=pts[0] + 1, pts_count=1)
    ]
    assert await ann.pinned(bob) == []
    assert await bob.pinned(ann) == his
    assert await bob.pts() == pts[1]
    await bob.call("account.updateUsername", username=f"user{bob.number:04}")
