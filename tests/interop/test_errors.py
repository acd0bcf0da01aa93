"""Errors that belong to no one method (A11), as other people's clients hear them."""

from __future__ import annotations

import pytest

from .conftest import Guests
from .drivers import CallError
from .plain import Plain

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("messages.getSplitRanges", {}),
        ("stats.getMegagroupStats", {"channel": Plain("inputChannelEmpty")}),
        ("phone.getCallConfig", {}),
    ],
)
async def test_method_that_the_server_does_not_have(
    guests: Guests, library: str, method: str, params: dict[str, object]
) -> None:
    """An error that names the method, at once; never 500, which GramJS swallows (A11.5)."""
    ann = await guests.user(library)
    with pytest.raises(CallError) as caught:
        await ann.call(method, **params)
    assert caught.value.code in (400, 404)
    words = caught.value.message
    assert method.replace(".", "_").upper() in words or method in words, words
    assert (await ann.call("updates.getState")).kind == "updates.state"


async def test_wrong_layer(guests: Guests, library: str) -> None:
    """A layer that no server speaks is refused (A12.1)."""
    driver = await guests.driver(library)
    with pytest.raises(CallError, match=r"^400 CONNECTION_LAYER_INVALID$"):
        await driver.call("invokeWithLayer", layer=9999, query=Plain("help.getNearestDc"))
