"""Server layer, faults: what can happen to updates on their way (E25).

Knows updates as TL objects. Knows nothing of sessions: how a push leaves is for the world to know.
"""

from __future__ import annotations

import fnmatch
from typing import Any

from msgspec.structs import replace

from radiogram.server.faults import names
from radiogram.server.faults.base import Aim, Board, PushFault, Who
from radiogram.tl import api


class PushFaults(Board):
    """Faults of updates. `update` names those that are meant, as in TL, or by a pattern."""

    def lose_updates(self, update: str = "*", **aim: Any) -> None:
        """Do not push updates, though they happened: the client finds a gap (E25)."""
        self._add_push("lose", update, aim)

    def repeat_updates(self, update: str = "*", **aim: Any) -> None:
        """Push updates twice (E25)."""
        self._add_push("repeat", update, aim)

    def reorder_updates(self, update: str = "*", **aim: Any) -> None:
        """Push updates behind the next ones for the same account (E25)."""
        self._add_push("reorder", update, aim)

    def hold_updates(self, update: str = "*", **aim: Any) -> None:
        """Keep updates back until :meth:`release_updates`; later ones overtake them (E25)."""
        self._add_push("hold", update, aim)

    def release_updates(self) -> None:
        """Push what was held back."""
        held, self.held = self.held, []
        for push in held:
            push()

    def release_overtaken(self, user_id: int) -> None:
        """Push what was to come behind the next updates of an account."""
        for push in self.overtaken.pop(user_id, ()):
            push()

    def wrong_pts_count(self, by: int = 1, update: str = "*", **aim: Any) -> None:
        """Push updates whose pts_count is off by a number (E25)."""
        self._add_push("pts_count", update, aim, number=by)

    def updates_too_long(self, update: str = "*", **aim: Any) -> None:
        """Push ``updatesTooLong`` in the place of updates (C0.3.8, E25)."""
        self._add_push("too_long", update, aim)

    def channel_too_long(self, update: str = "*", **aim: Any) -> None:
        """Push ``updateChannelTooLong`` in the place of updates of a channel (E25)."""
        self._add_push("channel_too_long", update, aim)

    # -------------------------------------------------------------- asked by the server

    @property
    def has_pushes(self) -> bool:
        """Whether any fault waits for an update."""
        plan = self.chaos_plan
        return bool(self.pushes) or bool(self.overtaken) or (plan is not None and plan.may("push"))

    def of_push(self, user_id: int, updates: Any) -> PushFault | None:
        """Return what happens to updates for an account."""
        plan = self.chaos_plan
        planned = None
        if plan is not None and plan.may("push"):
            self.release_updates()  # the next one has overtaken them
            planned = plan.next("push", user_id)
        who, now = Who(user_id), self._now()
        for fault in self.pushes:
            if not self._is_meant(fault, updates) or not fault.aim.hits(who, updates, now):
                continue
            self.note("push", fault.kind, user_id)
            self.pushes = [one for one in self.pushes if not one.aim.is_over(now)]
            return fault
        if planned is None:
            return None
        self.note("push", planned.kind, user_id, planned.number)
        return PushFault(kind=planned.kind, aim=Aim())

    def _is_meant(self, fault: PushFault, updates: Any) -> bool:
        if fault.kind == "channel_too_long" and channel_of(updates) is None:
            return False
        return fault.update == "*" or any(
            fnmatch.fnmatchcase(one.TL_NAME, fault.update) for one in parts(updates)
        )

    def _add_push(self, kind: str, update: str, aim: dict[str, Any], number: int = 0) -> None:
        names.check("update", update)
        self.pushes.append(PushFault(kind=kind, aim=self._aim(**aim), update=update, number=number))


# ------------------------------------------------------------------ updates as objects


def parts(updates: Any) -> list[Any]:
    """Return the single updates of a push; a short form counts as itself."""
    if isinstance(updates, api.Updates | api.UpdatesCombined):
        return list(updates.updates)
    return [updates.update] if isinstance(updates, api.UpdateShort) else [updates]


def channel_of(updates: Any) -> tuple[int, int | None] | None:
    """Return id and pts of the channel that updates are of; None if there is none."""
    for one in reversed(parts(updates)):
        pts: int | None = getattr(one, "pts", None)
        peer = getattr(getattr(one, "message", None), "peer_id", None)
        if isinstance(peer, api.PeerChannel):
            return peer.channel_id, pts
        if pts is not None and isinstance(number := getattr(one, "channel_id", None), int):
            return number, pts
    return None


def channel_too_long(updates: Any, now: int) -> Any:
    """Return what says no more than that a channel has news."""
    found = channel_of(updates)
    if found is None:
        return updates
    update = api.UpdateChannelTooLong(channel_id=found[0], pts=found[1])
    return api.UpdateShort(update=update, date=now)


def with_pts_count(updates: Any, by: int) -> Any:
    """Return updates whose pts_count is off."""

    def change(one: Any) -> Any:
        count = getattr(one, "pts_count", None)
        return one if count is None else replace(one, pts_count=count + by)

    if isinstance(updates, api.Updates | api.UpdatesCombined):
        return replace(updates, updates=[change(one) for one in updates.updates])
    if isinstance(updates, api.UpdateShort):
        return replace(updates, update=change(updates.update))
    return change(updates)
