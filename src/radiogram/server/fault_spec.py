"""Server layer: faults as one writes them on a command line (``radiogram serve --fault SPEC``).

``KIND[:ARGUMENT[:ARGUMENT]...][,NAME=VALUE]...``, where KIND is a method of
:class:`~radiogram.server.faults.Faults` and the rest are its arguments::

    flood_wait:messages.sendMessage,seconds=30,times=2
    error:messages.*:400:PEER_ID_INVALID,after=5,times=all
    chaos,every=50,seed=7,kinds=drop+lose

Knows the signatures of those methods, and what to say about a specification that does not fit.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any

from radiogram.errors import RadiogramError
from radiogram.server.faults import Faults

KINDS = (
    "bad_msg",
    "bad_salts",
    "bind_error",
    "cdn_redirect",
    "cdn_reupload",
    "chain_broken",
    "change_config",
    "channel_difference_too_long",
    "channel_too_long",
    "chaos",
    "coalesce",
    "corrupt_chunk",
    "cut_connection",
    "delay_answer",
    "delay_exchange",
    "delete_account",
    "difference_too_long",
    "drop_after_packets",
    "drop_connection",
    "drop_connections",
    "duplicated_key",
    "error",
    "expire_temp_keys",
    "file_error",
    "flood_wait",
    "forget_everything",
    "forget_session",
    "forget_sessions",
    "fragment",
    "freeze_account",
    "hold_answers",
    "hold_updates",
    "internal_error",
    "invalid_layer",
    "invalid_timestamp",
    "limit_account",
    "lose_acks",
    "lose_answer",
    "lose_packets",
    "lose_updates",
    "migrate",
    "not_initialised",
    "notice",
    "old_layer",
    "outdated_timestamp",
    "premium_account",
    "premium_wait",
    "push_config",
    "push_dc_options",
    "refuse_connections",
    "reorder_packets",
    "reorder_updates",
    "repeat_answer",
    "repeat_packets",
    "repeat_updates",
    "rotate_salts",
    "short_chunk",
    "skew_clock",
    "slow_mode",
    "special_wait",
    "spoil_exchange",
    "spoil_packets",
    "stall_connections",
    "timeout",
    "tiny_slices",
    "transport_error",
    "unauthorized",
    "unbound_key",
    "updates_too_long",
    "wrong_pts_count",
)
"""The methods that can be named. Their annotations say how an argument is read."""


class FaultSpecError(RadiogramError, ValueError):
    """A fault was specified in a way that cannot be understood; the text says how to write it."""


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("a number") from None


def _times(text: str) -> int | None:
    if text == "all":
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number, or `all`") from None


def _switch(text: str) -> bool:
    switches = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in switches:
        raise ValueError("`yes` or `no`")
    return switches[text.lower()]


def _names(text: str) -> list[str]:
    return text.split("+")


_READERS: dict[str, Callable[[str], Any]] = {
    "int": _whole,
    "float": _number,
    "bool": _switch,
    "str": str,
    "Sequence[str]": _names,
    "str | None": str,
    "int | None": _whole,
    "float | None": _number,
}
"""How to read an argument, by its annotation."""
_AIM: dict[str, Callable[[str], Any]] = {
    "user_id": _whole,
    "key_id": _whole,
    "session_id": _whole,
    "times": _times,
    "after": _whole,
    "lasting": _number,
}
"""What goes with every fault that waits for its victim."""


def apply(faults: Faults, spec: str) -> None:
    """Add the fault that `spec` describes. Raises FaultSpecError; then nothing was added."""
    head, *settings = spec.split(",")
    kind, *positional = head.strip().split(":")
    kind = kind.replace("-", "_")
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, 1)
        meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(KINDS)}"
        raise FaultSpecError(f"{spec}: there is no fault {kind!r}; {meant}")
    method = getattr(faults, kind)
    readers, required, names = _parameters(method)
    arguments: dict[str, Any] = {}
    if len(positional) > len(names):
        raise FaultSpecError(f"{spec}: too many parts with colons; write {usage(kind)}")
    given = list(zip(names, positional, strict=False))
    for setting in settings:
        name, sign, value = setting.partition("=")
        name = name.strip()
        if not sign:
            raise FaultSpecError(f"{spec}: {setting!r} is no NAME=VALUE; write {usage(kind)}")
        given.append((name, value))
    for name, value in given:
        reader = readers.get(name)
        if reader is None:
            raise FaultSpecError(f"{spec}: {kind} takes no {name!r}; write {usage(kind)}")
        if name in arguments:
            raise FaultSpecError(f"{spec}: {name} is given twice; leave one out")
        try:
            arguments[name] = reader(value.strip())
        except ValueError as error:
            raise FaultSpecError(f"{spec}: {name} is {error}, not {value!r}") from None
    missing = [name for name in required if name not in arguments]
    if missing:
        raise FaultSpecError(f"{spec}: {missing[0]} is missing; write {usage(kind)}")
    try:
        method(**arguments)
    except ValueError as error:  # what the fault says of its numbers
        raise FaultSpecError(f"{spec}: {error}") from None


def usage(kind: str) -> str:
    """Return how to write a fault: ``flood_wait:METHOD:SECONDS[,user_id=..][,times=..]``."""
    readers, required, _ = _parameters(getattr(Faults, kind))
    parts = [kind, *(name.upper() for name in required)]
    options = [f"[,{name}=..]" for name in readers if name not in required]
    return ":".join(parts) + "".join(options)


def _parameters(
    method: Callable[..., None],
) -> tuple[dict[str, Callable[[str], Any]], list[str], list[str]]:
    """Return how each parameter is read, in their order, which must be given, and its own ones."""
    readers: dict[str, Callable[[str], Any]] = {}
    required = []
    own = []
    for name, parameter in inspect.signature(method).parameters.items():
        if name == "self":
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            readers.update({key: read for key, read in _AIM.items() if key not in readers})
            continue
        readers[name] = _READERS[parameter.annotation]
        own.append(name)
        if parameter.default is parameter.empty:
            required.append(name)
    return readers, required, own
