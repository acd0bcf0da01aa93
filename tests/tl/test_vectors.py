"""Values that other implementations agree on: bytes, ids, texts, and what must be refused."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest

from radiogram.errors import DecodeError, SchemaError, SecurityError
from radiogram.mtproto.message import open_plain
from radiogram.tl import api, mtproto
from radiogram.tl.base import TLObject
from radiogram.tl.build import Registry, registry
from radiogram.tl.schema.definition import declared_id
from radiogram.tl.schema.tlfile import parse, parse_line
from tests.vectors import load

OBJECTS = load("tl_objects")
VALUES = load("tl_values")


def build(reg: Registry, value: Any) -> Any:
    """Make a value of the form that the vectors have."""
    if isinstance(value, dict):
        if "hex" in value:
            return bytes.fromhex(value["hex"])
        return [build(reg, item) for item in value["list"]]
    if isinstance(value, list):
        name, fields = value
        cls = reg.get(name)
        assert cls is not None, name
        if name in ("boolTrue", "boolFalse"):
            return name == "boolTrue"
        names = {f.name: f.attribute for f in reg.definition(name).fields}
        return cls(**{names[k]: build(reg, v) for k, v in fields.items()})
    return value


@pytest.mark.parametrize("layer", [190, 196, 228])
def test_objects_that_independent_implementations_write_alike(layer: int) -> None:
    reg = registry(layer)
    for hex, value in OBJECTS["api"]:
        check_object(reg, bytes.fromhex(hex), value)


def test_service_messages_that_independent_implementations_write_alike() -> None:
    for hex, value in OBJECTS["mtproto"]:
        check_object(mtproto.REGISTRY, bytes.fromhex(hex), value)


def check_object(reg: Registry, data: bytes, value: Any) -> None:
    made = build(reg, value)
    assert reg.encode(made) == data, value[0]
    again = reg.decode(data)
    query = getattr(made, "query", None)
    if isinstance(query, TLObject):
        # A wrapper leaves what it wraps as it is.
        assert again.query == reg.encode(query)
        again.query = query
    assert again == made, value[0]
    if isinstance(made, TLObject):
        assert reg.get_by_id(int.from_bytes(data[:4], "little")) is type(made)


@pytest.mark.parametrize("row", VALUES["primitives"], ids=lambda row: f"{row[0]} {row[2][:20]}")
def test_primitives(row: Any) -> None:
    tl_type, value, hex, _ = row
    data = bytes.fromhex(hex)
    if tl_type in ("uint32", "uint64"):
        # No such type: the same bytes read as signed.
        tl_type = {"uint32": "int", "uint64": "long"}[tl_type]
        value = int.from_bytes(value.to_bytes(len(data), "little"), "little", signed=True)
    elif tl_type == "int128_le_int":
        tl_type, value = "int128", {"hex": value.to_bytes(16, "little").hex()}
    elif tl_type == "true":
        tl_type, value = "True", ["true", {}]
    elif tl_type == "double":
        value = float(value)
    expected = build(registry(), value)
    reg = Registry.from_tl(f"probe#12345678 value:{tl_type} = Probe;", layer=999)
    prefix = (0x12345678).to_bytes(4, "little")
    probe = reg.decode(prefix + data)
    assert probe.value == expected
    assert reg.encode(reg.api.Probe(value=expected)) == prefix + data


@pytest.mark.parametrize("row", VALUES["broken"], ids=lambda row: f"{row[0]} {row[1][:20]}")
def test_broken_values(row: Any) -> None:
    tl_type, hex, expected, _ = row
    if tl_type == "plain message":
        with pytest.raises(SecurityError):
            open_plain(bytes.fromhex(hex))
        return
    tl_type = {"Vector header": "Vector<int>"}.get(tl_type, tl_type)
    reg = Registry.from_tl(f"probe#12345678 value:{tl_type} = Probe;", layer=999)
    data = (0x12345678).to_bytes(4, "little") + bytes.fromhex(hex)
    if expected == 0:
        assert reg.decode(data).value == []
        return
    with pytest.raises(DecodeError, match=r"^Probe\.value"):
        reg.decode(data)


@pytest.mark.parametrize("case", VALUES["objects"], ids=lambda case: case["id"])
def test_objects_of_other_schemas(case: Any) -> None:
    reg = Registry.from_tl("\n".join(case["schema"]), layer=999)
    data = bytes.fromhex(case["hex"])
    objects = [build(reg, value) for value in case["objects"]]
    if case["vector"]:
        assert reg.decode(data) == objects
        assert reg.encode(objects) == data
        return
    offset = 0
    for made in objects:
        value, offset = reg.decode_prefix(data, offset)
        assert value == made
    assert offset == len(data)
    assert b"".join(map(reg.encode, objects)) == data


@pytest.mark.parametrize("row", VALUES["json_values"], ids=lambda row: repr(row[0]))
def test_json_values_are_ordinary_objects(row: Any) -> None:
    made = build(registry(), row[1])
    assert isinstance(made, api.TypeJSONValue)
    assert registry().decode(registry().encode(made)) == made


def test_container_holds_bare_messages() -> None:
    data = bytes.fromhex(VALUES["service"][0]["hex"])
    container = mtproto.REGISTRY.decode(data)
    assert [m.msg_id for m in container.messages] == [6787078096601327617, 6787078096601336833]
    assert mtproto.REGISTRY.decode(container.messages[1].body) == mtproto.Pong(
        msg_id=6787078096239721924, ping_id=3147876
    )
    assert mtproto.REGISTRY.encode(container) == data


def test_rpc_result_leaves_the_answer_alone() -> None:
    data = bytes.fromhex(VALUES["service"][1]["hex"])
    result = mtproto.REGISTRY.decode(data)
    assert result.req_msg_id == 6787288809891834244
    assert result.result == data[12:]
    assert mtproto.REGISTRY.encode(result) == data


def test_ids_follow_from_declarations() -> None:
    for declaration, id, _ in VALUES["ids"]:
        assert f"{declared_id(declaration):08x}" == id, declaration


def test_a_stated_id_wins() -> None:
    for declaration, stated, computed, _ in VALUES["stated_ids"]:
        assert f"{parse_line(declaration).id:08x}" == stated
        assert f"{declared_id(declaration):08x}" == computed, declaration


@pytest.mark.parametrize("row", VALUES["texts"], ids=lambda row: repr(row[0][:40]))
def test_schema_texts(row: Any) -> None:
    text, expected, _ = row
    if text.startswith(("int ?", "\n// leading")):
        # Primitives are known by heart; one bad statement spoils the text, with its line.
        if "bad" in text:
            with pytest.raises(SchemaError, match="line 4"):
                parse(text)
        else:
            assert all(d.name not in ("int", "vector", "bytes") for d in parse(text + ";"))
    elif isinstance(expected, str) and expected.startswith("error"):
        with pytest.raises(SchemaError, match=r"line \d|bare"):
            Registry.from_tl(text + ";" if text else "= ;", layer=999)
    elif isinstance(expected, dict):
        definition = parse(text if ";" in text else text + ";")[0]
        assert f"{definition.id:08x}" == expected["id"]
        if "type" in expected:
            assert definition.result == expected["type"]
    else:
        reg = Registry.from_tl(text, layer=999, base=mtproto.REGISTRY)
        assert reg.bare("%Message").name == "message"
        container = reg.api.MsgContainer(messages=[])
        assert reg.decode(reg.encode(container)) == container


def test_blobs_of_a_fuzzing_corpus_raise_nothing_else() -> None:
    for hex in VALUES["blobs"]:
        for reg in (registry(), mtproto.REGISTRY):
            with contextlib.suppress(DecodeError):
                reg.decode(bytes.fromhex(hex))


def test_infinity_and_nan_survive() -> None:
    value = api.JsonNumber(value=math.nan)
    assert math.isnan(registry().decode(registry().encode(value)).value)
