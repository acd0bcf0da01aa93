"""Server layer, faults: what can happen to calls and their answers.

That is E1 to E15, E30, E31, and a part of E17, E18, E20, E25 to E27 and E33.
Knows which error or change each fault is. Knows nothing of connections.
"""

from __future__ import annotations

import fnmatch
from typing import Any

from radiogram.server.faults import names, results
from radiogram.server.faults.base import Board, CallFault, FaultError, Moment, Who
from radiogram.tl.base import Request

MIGRATIONS = ("USER", "PHONE", "NETWORK", "FILE", "STATS")
WAITS = {
    "FLOOD_TEST_PHONE_WAIT": "auth.sendCode",
    "TAKEOUT_INIT_DELAY": "account.initTakeoutSession",
    "2FA_CONFIRM_WAIT": "account.deleteAccount",
    "STORY_SEND_FLOOD": "stories.sendStory",
}
"""Waits of one method each, and the method (E4)."""


class CallFaults(Board):
    """Faults of calls."""

    # -------------------------------------------------------------- errors

    def error(
        self, method: str, code: int, message: str, *, executed: bool = False, **aim: Any
    ) -> None:
        """Answer calls with an error (E31); `executed`: after they have done their work (E8)."""
        self._error(method, code, message, executed=executed, **aim)

    def flood_wait(self, method: str, seconds: int, **aim: Any) -> None:
        """Answer FLOOD_WAIT_X (E1). 0 seconds are possible."""
        self._error(method, 420, f"FLOOD_WAIT_{seconds}", **aim)

    def premium_wait(self, seconds: int, method: str = "upload.*", **aim: Any) -> None:
        """Answer FLOOD_PREMIUM_WAIT_X to who has no Premium (E2)."""
        self._error(method, 420, f"FLOOD_PREMIUM_WAIT_{seconds}", **aim)

    def slow_mode(self, seconds: int, method: str = "messages.send*", **aim: Any) -> None:
        """Answer SLOWMODE_WAIT_X to sends (E3)."""
        self._error(method, 420, f"SLOWMODE_WAIT_{seconds}", **aim)

    def special_wait(self, name: str, seconds: int, method: str = "", **aim: Any) -> None:
        """Answer one of the waits of special methods (E4).

        Names: FLOOD_TEST_PHONE_WAIT, TAKEOUT_INIT_DELAY, 2FA_CONFIRM_WAIT and STORY_SEND_FLOOD;
        `method` is by default the one that knows the wait.
        """
        if name not in WAITS:
            raise FaultError(f"name: {name!r} is no such wait; choose from {', '.join(WAITS)}")
        self._error(method or WAITS[name], 420, f"{name}_{seconds}", **aim)

    def migrate(self, method: str, dc_id: int, kind: str = "USER", **aim: Any) -> None:
        """Send a call to another data centre (E5): kind USER, PHONE, NETWORK, FILE or STATS."""
        if kind not in MIGRATIONS:
            raise FaultError(
                f"kind: {kind!r} does not migrate; choose from {', '.join(MIGRATIONS)}"
            )
        self._error(method, 303, f"{kind}_MIGRATE_{dc_id}", **aim)

    def timeout(self, method: str, **aim: Any) -> None:
        """Answer that a bot or the back end was too slow (E6)."""
        self._error(method, -503, "Timeout", **aim)

    def chain_broken(
        self, method: str, name: str = "MSG_WAIT_TIMEOUT", *, code: int = 0, **aim: Any
    ) -> None:
        """Answer that an earlier call of a chain is not done, or has failed (E7).

        MSG_WAIT_TIMEOUT has the code -503, MSG_WAIT_FAILED 400, or 500 if `code` says so.
        """
        codes = {"MSG_WAIT_TIMEOUT": -503, "MSG_WAIT_FAILED": 400}
        if name not in codes:
            raise FaultError(f"name: {name!r} is no such error; choose from {', '.join(codes)}")
        self._error(method, code or codes[name], name, **aim)

    def internal_error(
        self,
        method: str,
        name: str = "RPC_CALL_FAIL",
        *,
        code: int = 500,
        executed: bool = False,
        **aim: Any,
    ) -> None:
        """Answer an error of the server's own (E8), before or after executing the call."""
        self._error(method, code, name, executed=executed, **aim)

    def outdated_timestamp(self, method: str = "updates.getChannelDifference", **aim: Any) -> None:
        """Answer that a replica lags behind: PERSISTENT_TIMESTAMP_OUTDATED (E9)."""
        self._error(method, 500, "PERSISTENT_TIMESTAMP_OUTDATED", **aim)

    def invalid_timestamp(
        self,
        method: str = "updates.get*ifference",
        name: str = "PERSISTENT_TIMESTAMP_INVALID",
        **aim: Any,
    ) -> None:
        """Answer that a pts cannot be (E10): PERSISTENT_TIMESTAMP_INVALID or ..._EMPTY."""
        self._error(method, 400, name, **aim)

    def unauthorized(self, method: str = "*", name: str = "SESSION_REVOKED", **aim: Any) -> None:
        """Say that the login is over (E11, E12), without ending it."""
        self._error(method, 401, name, **aim)

    def unbound_key(self, method: str = "*", **aim: Any) -> None:
        """Say that a temporary key is bound to no permanent one: AUTH_KEY_PERM_EMPTY (E13)."""
        self._error(method, 401, "AUTH_KEY_PERM_EMPTY", **aim)

    def duplicated_key(self, method: str = "*", **aim: Any) -> None:
        """Say that a key was used from two places at once, and log it out for good (E14)."""
        self._error(method, 406, "AUTH_KEY_DUPLICATED", ends_login=True, **aim)

    def notice(self, method: str, message: str, text: str, *, code: int = 406, **aim: Any) -> None:
        """Answer an error that the client need not show, and then push what it is to show (E15)."""
        self._error(method, code, message, popup=text, **aim)

    def file_error(
        self, name: str = "FILE_REFERENCE_EXPIRED", method: str = "upload.getFile", **aim: Any
    ) -> None:
        """Answer an error of files (E26).

        FILE_REFERENCE_EXPIRED, ..._INVALID, ..._EMPTY, FILE_REFERENCE_0_EXPIRED,
        FILE_PART_3_MISSING, MD5_CHECKSUM_INVALID.
        """
        self._error(method, 400, name, **aim)

    def bind_error(self, name: str = "ENCRYPTED_MESSAGE_INVALID", **aim: Any) -> None:
        """Refuse to bind a temporary key (E27): ENCRYPTED_MESSAGE_INVALID, EXPIRES_AT_INVALID."""
        self._error("auth.bindTempAuthKey", 400, name, **aim)

    def not_initialised(self, method: str = "*", **aim: Any) -> None:
        """Ask for initConnection again: CONNECTION_NOT_INITED (E30)."""
        self._error(method, 400, "CONNECTION_NOT_INITED", **aim)

    def invalid_layer(self, method: str = "*", **aim: Any) -> None:
        """Refuse the layer of the client: CONNECTION_LAYER_INVALID (E30)."""
        self._error(method, 400, "CONNECTION_LAYER_INVALID", **aim)

    # -------------------------------------------------------------- other results

    def answer(self, method: str, result: object, **aim: Any) -> None:
        """Answer calls with `result`, a TL object of the newest layer, without executing them.

        Not for the command line: there is no way to write an object there.
        """
        self._add_call(method, aim, "answer", answer=lambda _request: result)

    def old_layer(self, method: str, layer: int, **aim: Any) -> None:
        """Answer in constructors of an older layer than the client's (E30)."""
        results.check_layer(layer)
        self._add_call(method, aim, "layer", "result", detail=str(layer), layer=layer)

    def short_chunk(self, bytes_less: int = 1, method: str = "upload.get*File", **aim: Any) -> None:
        """Leave away the end of a piece of a file (E26)."""
        self._change(method, aim, "short_chunk", results.shortener(bytes_less))

    def corrupt_chunk(self, method: str = "upload.get*File", **aim: Any) -> None:
        """Change a byte in a piece of a file (E26)."""
        self._change(method, aim, "corrupt_chunk", results.corrupt)

    def cdn_redirect(self, dc_id: int = 203, method: str = "upload.getFile", **aim: Any) -> None:
        """Send who wants a file to a CDN (E26): upload.fileCdnRedirect, with keys made up."""
        self._add_call(method, aim, "cdn_redirect", answer=results.cdn_redirect(dc_id))

    def cdn_reupload(self, **aim: Any) -> None:
        """Let a CDN ask for the file itself (E26): upload.cdnFileReuploadNeeded."""
        self._add_call("upload.getCdnFile", aim, "cdn_reupload", answer=results.reupload_needed)

    def difference_too_long(self, **aim: Any) -> None:
        """Answer updates.differenceTooLong to updates.getDifference (E25)."""
        self._change("updates.getDifference", aim, "difference_too_long", results.too_long)

    def channel_difference_too_long(self, **aim: Any) -> None:
        """Answer updates.channelDifferenceTooLong to updates.getChannelDifference (E25)."""
        method = "updates.getChannelDifference"
        self._change(method, aim, "channel_difference_too_long", results.channel_too_long)

    def tiny_slices(self, events: int = 1, **aim: Any) -> None:
        """Tell no more than so many events in one difference (E25)."""
        if events < 1:
            raise FaultError(f"events: {events} lead nowhere; give 1 or more")
        alter = results.slicer(events)
        self._add_call("updates.get*ifference", aim, "slice", detail=str(events), alter=alter)

    def change_config(self, *, port: int = 0, expired: bool = False, **aim: Any) -> None:
        """Answer another help.getConfig (E33): other ports, or one that is over already."""
        if not port and not expired:
            raise FaultError("port, expired: nothing would change; give one of them")
        self._change("help.getConfig", aim, "config", results.config_changer(port, expired))

    # -------------------------------------------------------------- the way of answers

    def lose_answer(self, method: str, **aim: Any) -> None:
        """Execute calls and never send the answer by itself (E20)."""
        self._add_call(method, aim, "lose", "after")

    def repeat_answer(self, method: str, **aim: Any) -> None:
        """Send answers twice, in two packets (E20)."""
        self._add_call(method, aim, "repeat", "after")

    def delay_answer(self, method: str, seconds: float, **aim: Any) -> None:
        """Send answers later, by the server's clock; later ones overtake them (E18, E20)."""
        self._add_call(method, aim, "delay", "after", delay=float(seconds))

    def hold_answers(self, method: str, **aim: Any) -> None:
        """Keep answers back until :meth:`release_answers` (E18); later ones overtake them (E20)."""
        self._add_call(method, aim, "hold", "after")

    def release_answers(self) -> None:
        """Send the answers that were kept back."""
        held, self.answers = self.answers, []
        for send in held:
            send()

    def drop_connection(
        self, method: str, *, executed: bool = False, reset: bool = False, **aim: Any
    ) -> None:
        """Close the connection instead of answering, before or after executing the call (E17).

        `reset`: as by a crash (RST), else in an orderly way (FIN).
        """
        self._add_call(method, aim, "drop", "after" if executed else "before", reset=reset)

    # -------------------------------------------------------------- asked by the server

    @property
    def has_calls(self) -> bool:
        """Whether any fault waits for a call."""
        return bool(self.calls) or bool(self.states)

    def of_call(self, request: Request[Any], who: Who, moment: Moment) -> CallFault | None:
        """Return what happens to a call at this moment, the first fault that is meant for it."""
        for fault in self.calls:
            if fault.moment == moment and self._meets(fault, request, who):
                return fault
        return None

    def of_result(self, request: Request[Any], who: Who) -> list[CallFault]:
        """Return everything that happens to the result of a call."""
        if not self.calls:
            return []
        return [
            one for one in list(self.calls) if one.moment == "result"
            and self._meets(one, request, who)
        ]  # fmt: skip

    def _meets(self, fault: CallFault, request: Request[Any], who: Who) -> bool:
        if not fnmatch.fnmatchcase(request.TL_NAME, fault.method):
            return False
        now = self._now()
        if not fault.aim.hits(who, request, now):
            return False
        detail = request.TL_NAME
        if fault.detail:
            detail = f"{fault.detail} {detail}"
        self.note(fault.kind, detail, who.user_id)
        self.calls = [one for one in self.calls if not one.aim.is_over(now)]
        return True

    # -------------------------------------------------------------- adding

    def _error(
        self,
        method: str,
        code: int,
        message: str,
        *,
        executed: bool = False,
        ends_login: bool = False,
        popup: str | None = None,
        **aim: Any,
    ) -> None:
        self._add_call(
            method,
            aim,
            "error",
            "after" if executed else "before",
            detail=message,
            error=(code, message),
            ends_login=ends_login,
            popup=popup,
        )

    def _change(self, method: str, aim: dict[str, Any], kind: str, change: results.Change) -> None:
        self._add_call(method, aim, kind, "result", change=change)

    def _add_call(
        self,
        method: str,
        aim: dict[str, Any],
        kind: str,
        moment: Moment = "before",
        *,
        detail: str = "",
        **more: Any,
    ) -> None:
        names.check("method", method)
        self.calls.append(
            CallFault(
                kind=kind,
                method=method,
                aim=self._aim(**aim),
                moment=moment,
                detail=detail,
                **more,
            )
        )
