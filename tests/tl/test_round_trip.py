"""Every constructor and method, in several layers, comes back as it was written."""

from __future__ import annotations

import pytest

from radiogram.tl import api
from radiogram.tl.base import Request
from radiogram.tl.build import Registry, mtproto_registry, registry
from tests.tl.objects import Maker

LAYERS = (133, 158, 181, 198, 216, 229, api.LAYER)


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_every_definition_of_a_layer(layer: int) -> None:
    check(registry(layer), rounds=2 if layer == api.LAYER else 1)


def test_every_service_message() -> None:
    check(mtproto_registry(), rounds=20)


def check(reg: Registry, rounds: int) -> None:
    names = reg.names()
    assert names
    for name in names:
        definition = reg.definition(name)
        for seed in range(rounds):
            value = Maker(reg, seed).make(definition)
            data = reg.encode(value)
            assert len(data) % 4 == 0
            again = reg.decode(data)
            if name in ("boolTrue", "boolFalse"):
                assert again is (name == "boolTrue")
                continue
            assert again == value, name
            assert type(again) is reg.get(name)
            assert reg.encode(again) == data
            assert isinstance(again, Request) is definition.is_method


def test_every_answer() -> None:
    reg = registry()
    for name in reg.names():
        definition = reg.definition(name)
        method = reg.get(name)
        if not definition.is_method or definition.generic or method is None:
            continue
        assert issubclass(method, Request)
        value = Maker(reg, 7).value(definition.result, 2)
        data = reg.encode_result(method, value)
        assert reg.decode_result(method, data) == value, name
