"""Settings that all tests share: small, the same everywhere, safe in any order."""

from __future__ import annotations

import asyncio
import os

from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("RADIOGRAM_HYPOTHESIS", "default"))

# Otherwise pytest-asyncio's first question for the current loop makes one that nobody closes, and
# whichever test runs when it is collected is blamed.
asyncio.set_event_loop(None)
