"""Server layer, faults: what happens at once instead of waiting for a victim.

That is a part of E21, E22, E24, E27, E32 and E33.
Knows what a server can be told to do. Needs one that runs.
"""

from __future__ import annotations

from typing import Any

from radiogram.server.faults import results
from radiogram.server.faults.base import Board, FaultError, Who
from radiogram.tl import api
from radiogram.tl.base import Request

FROZEN_FOR = 7 * 86400
"""Seconds that a frozen account has for its appeal."""
READING = ("get", "search", "check", "resolve", "read", "init")
"""How the names of methods begin that a frozen account may still call, after the dot."""
REACHING_OUT = frozenset(
    (
        "messages.sendMessage",
        "messages.sendMedia",
        "messages.sendMultiMedia",
        "messages.forwardMessages",
        "messages.sendInlineBotResult",
        "messages.createChat",
        "messages.addChatUser",
        "channels.inviteToChannel",
        "contacts.addContact",
    )
)
"""What an account that is limited for spam may not do to strangers."""


class Acts(Board):
    """Faults that happen when they are asked for."""

    # -------------------------------------------------------------- salts, clock, memory, keys

    def rotate_salts(self) -> None:
        """Make new salts for every key; the old ones are good no longer (E21)."""
        self.server.rotate_salts()
        self.note("salt", "all")

    def skew_clock(self, seconds: float) -> None:
        """Let the server's clock go wrong by so many seconds, ahead or (below 0) behind (E22)."""
        self.server.world.clock.advance(seconds)
        self.note("clock", f"{seconds:+g}")

    def forget_sessions(self, user_id: int | None = None) -> None:
        """Forget the sessions of an account, or all; connections stay (E24)."""
        count = self.server.forget_sessions(user_id)
        self.note("forget", f"{count} sessions", user_id or 0)

    def forget_everything(self) -> None:
        """Forget what is only in memory, as in a restart: sessions, key exchanges, lines (E24)."""
        self.server.forget_sessions(None)
        self.server.forget_exchanges()
        self.server.drop_connections(None, reset=True)
        self.note("forget", "everything")

    def drop_connections(self, user_id: int | None = None, *, reset: bool = False) -> None:
        """Close the connections of an account, or all (E17); `reset`: as by a crash."""
        count = self.server.drop_connections(user_id, reset=reset)
        self.note("drop", f"{count} connections", user_id or 0)

    def expire_temp_keys(self, user_id: int | None = None) -> None:
        """Let temporary keys in use be over: their packets are answered -404 (E27)."""
        count = self.server.expire_temp_keys(user_id)
        self.note("expire", f"{count} keys", user_id or 0)

    # -------------------------------------------------------------- accounts: E32

    def limit_account(self, user_id: int, *, limited: bool = True) -> None:
        """Limit an account for spam, or no longer.

        PEER_FLOOD is what it gets for writing to others, USER_BANNED_IN_CHANNEL in channels.
        """
        self.server.world.limit_account(user_id, limited=limited)
        self._state(user_id, "limited", limited)

    def freeze_account(self, user_id: int, *, frozen: bool = True) -> None:
        """Freeze an account, or no longer.

        What changes anything gets FROZEN_METHOD_INVALID, who asks for members of a channel
        FROZEN_PARTICIPANT_MISSING; ``help.getAppConfig`` tells since when and until when.
        """
        self._state(user_id, "frozen", frozen)
        self.frozen_since[user_id] = int(self.server.world.clock.now())

    def delete_account(self, user_id: int) -> None:
        """Delete an account: its sessions get USER_DEACTIVATED, others INPUT_USER_DEACTIVATED."""
        self.server.world.delete_account(user_id)
        self.note("account", "deleted", user_id)

    def premium_account(self, user_id: int, *, premium: bool = True) -> None:
        """Give an account Premium, or take it away; everybody sees it from now on."""
        self._state(user_id, "premium", premium)

    # -------------------------------------------------------------- configuration: E33

    def push_config(self, user_id: int | None = None) -> None:
        """Push updateConfig: the client is to ask for help.getConfig again."""
        self._push(user_id, api.UpdateConfig())

    def push_dc_options(self, port: int = 0, user_id: int | None = None) -> None:
        """Push updateDcOptions: the server is at another port from now on."""
        options = [
            api.DcOption(
                id=dc_id,
                ip_address=address.host,
                port=port or address.port,
                ipv6=":" in address.host,
                static=True,
                this_port_only=True,
            )
            for dc_id, address in sorted(self.server.world.addresses.items())
        ]
        self._push(user_id, api.UpdateDcOptions(dc_options=options))

    def _push(self, user_id: int | None, update: api.TypeUpdate) -> None:
        world = self.server.world
        for number in world.online() if user_id is None else [user_id]:
            world.deliver(number, api.UpdateShort(update=update, date=int(world.clock.now())))
        self.note("push", update.TL_NAME, user_id or 0)

    # -------------------------------------------------------------- asked by the server

    def refusal(self, request: Request[Any], who: Who) -> tuple[int, str] | None:
        """Return the error that the state of an account gives a call, None if there is none."""
        states = self.states.get(who.user_id)
        if not states:
            return None
        name = request.TL_NAME
        if "frozen" in states:
            if name.startswith("channels.getParticipant"):
                return 400, "FROZEN_PARTICIPANT_MISSING"
            area, _, verb = name.rpartition(".")
            if area not in ("auth", "help", "updates") and not verb.startswith(READING):
                return 420, "FROZEN_METHOD_INVALID"
        if "limited" in states and name in REACHING_OUT:
            peer = getattr(request, "peer", None) or getattr(request, "to_peer", None)
            if not isinstance(peer, api.InputPeerSelf | api.InputPeerChannel):
                return 400, "PEER_FLOOD"
        return None

    def dress(self, value: Any, user_id: int) -> Any:
        """Return a result or update as the states of accounts let it look."""
        premium = {one for one, states in self.states.items() if "premium" in states}
        if premium:
            value = results.with_premium(value, premium)
        if "frozen" in self.states.get(user_id, ()):
            since = self.frozen_since[user_id]
            value = results.frozen_config(value, since, since + FROZEN_FOR)
        return value

    def _state(self, user_id: int, state: str, on: bool) -> None:
        if user_id <= 0:
            raise FaultError(f"user_id: {user_id} is no account; give the id of one")
        states = self.states.setdefault(user_id, set())
        if on:
            states.add(state)
        else:
            states.discard(state)
        if not states:
            del self.states[user_id]
        self.note("account", state if on else f"no longer {state}", user_id)
