"""Layer 4, client: everything that a client takes from the outside world, in one replaceable place.

Knows the system's clock, randomness and sockets. Must not know what they are used for.
"""

from __future__ import annotations

import asyncio
import os
import random as chance
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from radiogram.client.clock import STEADY
from radiogram.net import dial
from radiogram.net.driver import PacketConnection, PacketOwner
from radiogram.wire.base import Codec


class Dial(Protocol):
    """Opens a connection to an address, or raises ConnectionFailed within `timeout` seconds."""

    async def __call__(
        self,
        host: str,
        port: int,
        codec: Codec,
        owner: PacketOwner,
        *,
        timeout: float,
        route: dial.Route | None = None,
    ) -> PacketConnection: ...


class Environment(msgspec.Struct, frozen=True):
    """Where a client gets time, randomness and connections; tests put their own in."""

    dial: Dial = dial.connect
    random: Callable[[int], bytes] = os.urandom
    """Gives that many unpredictable bytes."""
    clock: Callable[[], float] = STEADY
    """Unix time in seconds; whoever sets the system's clock does not move this one."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    """Waits that many seconds: between attempts to connect, and for floods to pass."""
    jitter: Callable[[], float] = chance.random
    """From 0 to 1: spreads the attempts of many clients."""
