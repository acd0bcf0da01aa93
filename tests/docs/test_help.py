"""``help()`` on the classes of ``api`` shows their pages."""

from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys

from radiogram import api
from radiogram.tl.build import registry


def test_a_method() -> None:
    text = inspect.getdoc(api.messages.UpdatePinnedMessage)
    assert text is not None
    assert text.startswith("Pin a message in a chat")
    for part in (
        'api.messages.UpdatePinnedMessage(peer="username", id=43, unpin=True, pm_oneside=True)',
        "pm_oneside: flag.", "400 CHAT_NOT_MODIFIED:", "Can bots use this method? Yes",
        "messages.updatePinnedMessage#d2aaf7ec",
    ):  # fmt: skip
        assert part in text
    assert "Pin a message in a chat" in pydoc.render_doc(api.messages.UpdatePinnedMessage)


def test_others() -> None:
    assert "Type: InputPeer." in (api.InputPeerUser.__doc__ or "")
    assert api.TypeInputPeer.__doc__ == "Base of all constructors of InputPeer."
    older = registry(160).get("message")
    assert older is not None
    assert (older.__doc__ or "").startswith("message#")
    for name in registry().names():
        found = registry().get(name)
        assert found is not None
        assert found.__doc__


def test_types_that_are_not_made_yet_do_no_harm() -> None:
    code = "from radiogram import api; help(api.messages.UpdatePinnedMessage)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "(*, peer: 'TypeInputPeer', id: 'int', silent: 'bool' = False" in done.stdout


def test_nothing_of_it_is_loaded_before_somebody_asks() -> None:
    code = (
        "import sys; from radiogram import api; api.messages.UpdatePinnedMessage(peer='me', id=1);"
        "print([m for m in sys.modules if m.startswith('radiogram.docs')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
