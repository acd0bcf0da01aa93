"""Faults as one writes them on a command line."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from radiogram import TelegramClient, errors
from radiogram.server.fault_spec import KINDS, FaultSpecError, apply, usage
from radiogram.server.faults import Faults, Who
from radiogram.tl import api

from ..served import Served


class Noted(Faults):
    """Faults that keep what they were told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: tuple[str, dict[str, Any]] = ("", {})

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name not in KINDS:
            return value
        signature = inspect.signature(value)

        def method(**arguments: Any) -> None:
            self.told = name, arguments

        method.__signature__ = signature  # type: ignore[attr-defined]
        return method


@pytest.mark.parametrize(
    ("spec", "kind", "arguments"),
    [
        (
            "flood_wait:messages.sendMessage,seconds=30,times=2",
            "flood_wait",
            {"method": "messages.sendMessage", "seconds": 30, "times": 2},
        ),
        ("flood-wait:*:0,times=all", "flood_wait", {"method": "*", "seconds": 0, "times": None}),
        (
            "error:messages.*:400:PEER_ID_INVALID,after=5, user_id=7",
            "error",
            {
                "method": "messages.*",
                "code": 400,
                "message": "PEER_ID_INVALID",
                "after": 5,
                "user_id": 7,
            },
        ),
        ("timeout,method=x.y", "timeout", {"method": "x.y"}),
        ("unauthorized", "unauthorized", {}),
        ("transport_error:-404", "transport_error", {"code": -404}),
        ("delay_answer:*:1.5", "delay_answer", {"method": "*", "seconds": 1.5}),
        ("lose_packets,incoming=yes", "lose_packets", {"incoming": True}),
        (
            "chaos,every=50,seed=7,kinds=drop+lose",
            "chaos",
            {"every": 50, "seed": 7, "kinds": ["drop", "lose"]},
        ),
    ],
)
def test_what_is_understood(spec: str, kind: str, arguments: dict[str, Any]) -> None:
    faults = Noted()
    apply(faults, spec)
    assert faults.told == (kind, arguments)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("flood_wiat:x:1", "there is no fault 'flood_wiat'; did you mean flood_wait?"),
        ("", "there is no fault ''; known are bad_msg, bad_salts, "),
        ("clear", "there is no fault 'clear'"),
        ("flood_wait:x", "seconds is missing; write flood_wait:METHOD:SECONDS[,user_id=..]"),
        ("flood_wait:x:soon", "seconds is a whole number, not 'soon'"),
        ("flood_wait:x:1:2", "too many parts with colons; write flood_wait:METHOD:SECONDS"),
        ("flood_wait:x,seconds", "'seconds' is no NAME=VALUE; write flood_wait:METHOD"),
        ("flood_wait:x:1,seconds=2", "seconds is given twice; leave one out"),
        ("flood_wait:x:1,often=2", "flood_wait takes no 'often'; write flood_wait"),
        ("flood_wait:x:1,times=ever", "times is a whole number, or `all`, not 'ever'"),
        ("delay_answer:x:soon", "seconds is a number, not 'soon'"),
        ("lose_packets,incoming=perhaps", "incoming is `yes` or `no`, not 'perhaps'"),
        ("chaos,kinds=burn", "choose from drop, lose, repeat, reorder"),
        ("chaos,times=2", "chaos takes no 'times'"),
    ],
)
def test_what_is_not_understood_is_explained(spec: str, sentence: str) -> None:
    faults = Faults()
    with pytest.raises(FaultSpecError) as caught:
        apply(faults, spec)
    assert str(caught.value).startswith(f"{spec}: ")
    assert sentence in str(caught.value)
    assert (faults.has_calls, faults.has_packets, faults.has_pushes) == (False, False, False)


def test_a_fault_is_added() -> None:
    faults = Faults()
    apply(faults, "flood_wait:help.*:30,times=1")
    fault = faults.of_call(api.help.GetConfig(), Who(), "before")
    assert fault is not None
    assert fault.error == (420, "FLOOD_WAIT_30")
    assert faults.of_call(api.help.GetConfig(), Who(), "before") is None


def test_every_fault_can_be_written_and_is_documented() -> None:
    not_faults = {
        "answer",  # takes an object
        "attach", "clear", "count", "dress", "loses_ack", "note", "refusal", "report",
        "release_answers", "release_overtaken", "release_updates",
    }  # fmt: skip
    methods = {
        name
        for name, value in inspect.getmembers(Faults, inspect.isfunction)
        if not name.startswith(("_", "of_")) and name not in not_faults
    }
    assert methods == set(KINDS)
    text = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")
    documented = set(re.findall(r"`([a-z_]+)[:,`]", text))
    assert set(KINDS) <= documented
    for kind in KINDS:
        assert usage(kind).startswith(kind)


@pytest.mark.slow
async def test_a_process_is_told() -> None:
    with Served(arguments=("--fault", "error:help.getNearestDc:400:PEER_ID_INVALID")) as server:
        async with TelegramClient("", 1, "any", server=server.address) as client:
            with pytest.raises(errors.PeerIdInvalid):
                await client.invoke(api.help.GetNearestDc())
            await client.invoke(api.help.GetNearestDc())


@pytest.mark.slow
def test_a_process_refuses_what_it_does_not_understand() -> None:
    with pytest.raises(RuntimeError) as caught, Served(arguments=("--fault", "flood_wiat:x")):
        pass
    assert "serve: --fault flood_wiat:x: there is no fault 'flood_wiat'" in str(caught.value)
