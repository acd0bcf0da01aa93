"""Which layers there are."""

from __future__ import annotations

import pytest

from radiogram.errors import SchemaError
from radiogram.tl import api
from radiogram.tl.build import mtproto_registry, registry


@pytest.mark.parametrize("layer", [0, -1, 132, api.LAYER + 1])
def test_unknown_layers_are_refused_after_service_messages_are_loaded(layer: int) -> None:
    assert mtproto_registry() is mtproto_registry()
    with pytest.raises(SchemaError, match=f"layer {layer} is not in the table"):
        registry(layer)
