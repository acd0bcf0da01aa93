"""Server layer: what goes wrong on purpose (part E).

A test tells a server which call, packet or update is to meet which fault, and how often; the other
parts of the server ask here at the moment when it could happen. Knows what each fault is and
whom it is for; knows nothing of how it is carried out.

Everything that was injected is written to :attr:`Faults.injected`, so that a test can say "the
client tried again exactly once".
"""

from __future__ import annotations

from radiogram.server.faults.acts import Acts
from radiogram.server.faults.base import (
    Aim,
    CallFault,
    FaultError,
    Injected,
    PacketFault,
    PushFault,
    Who,
    Withheld,
)
from radiogram.server.faults.calls import CallFaults
from radiogram.server.faults.chaos import ALL_KINDS, CHAOS_KINDS
from radiogram.server.faults.pushes import PushFaults
from radiogram.server.faults.wire import WireFaults

__all__ = [
    "ALL_KINDS",
    "CHAOS_KINDS",
    "Aim",
    "CallFault",
    "FaultError",
    "Faults",
    "Injected",
    "PacketFault",
    "PushFault",
    "Who",
    "Withheld",
]


class Faults(CallFaults, WireFaults, PushFaults, Acts):
    """The faults of one server. Every method adds some; :meth:`clear` takes all away.

    Methods of the API are named as in TL (``messages.sendMessage``), or by a pattern
    (``messages.*``). The keywords of :class:`Aim` (`user_id`, `key_id`, `session_id`, `times`,
    `after`, `when`) and `lasting` (seconds of the server's clock) go with every fault that waits.
    Nothing here touches a client that no fault is aimed at.
    """

    def clear(self) -> None:
        """Take away every fault that waits; what was held back goes out now.

        What has become of accounts stays.
        """
        self.calls.clear()
        self.packets.clear()
        self.lines.clear()
        self.pushes.clear()
        self.exchanges.clear()
        self.chaos_plan = None
        self.release_updates()
        for user_id in list(self.overtaken):
            self.release_overtaken(user_id)
        self.release_answers()

    def report(self) -> str:
        """Tell the seed, the chaos, what was injected and what still waits, line by line."""
        lines = [f"seed {self.seed}"]
        if self.chaos_plan is not None:
            lines.append(str(self.chaos_plan))
        for one in self.injected:
            which = f" (number {one.at} of the account's)" if one.at else ""
            lines.append(f"{one.kind} {one.detail}, user {one.user_id}{which}")
        lines += [f"waiting: {one}" for one in self.waiting]
        return "\n".join(lines)
