"""The table of all layers: its form, what a layer has, and what changed between two."""

from __future__ import annotations

import pytest

from radiogram.errors import SchemaError
from radiogram.tl.build import registry
from radiogram.tl.schema.definition import class_name, vector_item
from radiogram.tl.schema.difference import diff
from radiogram.tl.schema.table import Table
from radiogram.tl.schema.tables import FIRST_LAYER, LAYER, api_table, mtproto_table
from radiogram.tl.schema.tlfile import parse_line

TABLE = Table(
    "small",
    "layers 10-14\n"
    "gone 00000001:-11 x:int =Gone\n"
    "item 00000002:-12,00000003:12-13,00000004:13- flags:#@1- x:int@-1 x:long@2 "
    "on:3?@1- title:flags2.5?string@0,2 =Item@0-1 =Thing@2\n"
    "lone 00000005 =Lone\n"
    "---methods---\n"
    "do.it 00000006:11-,00000007:10-10 x:int@0 =Bool\n",
)


@pytest.mark.parametrize(
    "head", ["", "layers", "layers 1", "layers a-b", "layers 1-", "layer 1-2", "layers 1 2"]
)
def test_a_table_begins_with_its_layers(head: str) -> None:
    with pytest.raises(SchemaError, match="does not begin with its layers"):
        Table("broken", f"{head}\na 00000001 =A\n")


def test_versions_of_a_name() -> None:
    assert (TABLE.first_layer, TABLE.last_layer) == (10, 14)
    assert [(str(d), d.first_layer, d.last_layer) for d in TABLE.versions("item")] == [
        ("item#00000002 x:int title:flags2.5?string = Item", 10, 12),
        ("item#00000003 flags:# x:int on:flags.3?true = Item", 12, 13),
        ("item#00000004 flags:# x:long on:flags.3?true title:flags2.5?string = Thing", 13, 14),
    ]
    assert TABLE.versions("nothing") == ()


def test_the_younger_of_two_answers_to_the_name_and_both_to_their_ids() -> None:
    def id_of(layer: int) -> int:
        found = TABLE.find("item", layer)
        assert found is not None
        return found.id

    assert [id_of(layer) for layer in range(10, 15)] == [2, 2, 3, 4, 4]
    assert [layer for layer in range(10, 15) if TABLE.find_id(2, layer)] == [10, 11, 12]
    assert [layer for layer in range(10, 15) if TABLE.find_id(3, layer)] == [12, 13]
    assert TABLE.find("gone", 12) is None
    assert TABLE.find_id(1, 12) is None
    assert TABLE.find_id(99, 12) is None


def test_names_and_results_of_a_layer() -> None:
    assert TABLE.names() == ["gone", "item", "lone", "do.it"]
    assert [TABLE.is_method(name) for name in TABLE.names()] == [False, False, False, True]
    assert list(TABLE.results(11)) == [
        ("gone", "Gone"), ("item", "Item"), ("lone", "Lone"), ("do.it", "Bool"),
    ]  # fmt: skip
    assert list(TABLE.results(14)) == [("item", "Thing"), ("lone", "Lone"), ("do.it", "Bool")]


def test_a_table_without_methods() -> None:
    table = Table("small", "layers 0-0\na 00000001 =A\n")
    assert table.names() == ["a"]
    assert not table.is_method("a")


def test_every_line_of_the_tables_is_what_it_says() -> None:
    for table in (api_table(), mtproto_table()):
        for name in table.names():
            for definition in table.versions(name):
                assert definition.name == name
                assert table.first_layer <= definition.first_layer <= definition.last_layer
                assert definition.last_layer <= table.last_layer
                assert definition.result
                assert table.find_id(definition.id, definition.last_layer) == definition
                words = {p.name for p in definition.params if p.type == "#"}
                assert all(f.word in words for f in definition.fields if f.optional), definition


def test_declarations_of_the_table_are_read_from_their_text() -> None:
    for name in api_table().names():
        for definition in api_table().versions(name):
            again = parse_line(str(definition), is_method=definition.is_method)
            assert str(again) == str(definition)
            assert (again.id, again.params) == (definition.id, definition.params)


@pytest.mark.parametrize(
    ("layer", "name", "fields"),
    [
        # A published layer each: what it added, and what the layer before did not have.
        (158, "messages.sendMessage", {"noforwards", "update_stickersets_order", "send_as"}),
        (195, "message", {"effect"}),
        (198, "message", {"factcheck"}),
    ],
)
def test_fields_by_layer(layer: int, name: str, fields: set[str]) -> None:
    assert fields <= {field.name for field in registry(layer).definition(name).fields}


def test_one_id_may_mean_more_in_a_later_layer() -> None:
    """Flags are added to constructors that keep their number: each layer has its own variant."""
    table = api_table()
    shared = 0
    for name in table.names():
        by_id: dict[int, list[tuple[int, str]]] = {}
        for version in table.versions(name):
            by_id.setdefault(version.id, []).append((version.first_layer, str(version)))
        for variants in by_id.values():
            shared += len({text for _, text in variants}) > 1
    assert shared > 10


# Differences


def test_difference_of_two_layers() -> None:
    found = diff(10, 14, TABLE)
    assert [d.name for d in found.added] == []
    assert [d.name for d in found.removed] == ["gone"]
    assert [c.name for c in found.changed] == ["do.it", "item"]
    item = found.changed[1]
    assert item.added_fields == ("flags:#", "x:long", "on:flags.3?true")
    assert item.removed_fields == ("x:int",)
    assert [d.name for d in diff(12, 11, TABLE).added] == ["gone"]
    same = diff(11, 11, TABLE)
    assert (same.added, same.removed, same.changed) == ((), (), ())


def test_a_declaration_that_comes_back_is_no_change() -> None:
    table = Table("small", "layers 1-3\na 00000001:-1,00000001:3- =A\n")
    assert [d.name for d in diff(1, 2, table).removed] == ["a"]
    assert diff(1, 3, table).changed == ()


@pytest.mark.parametrize("layers", [(9, 10), (10, 15), (0, 0)])
def test_difference_of_layers_that_are_not_there(layers: tuple[int, int]) -> None:
    with pytest.raises(SchemaError, match=r"layer \d+ is not in the table, which has 10 to 14"):
        diff(*layers, TABLE)


@pytest.mark.slow
def test_differences_lead_from_each_layer_to_the_next() -> None:
    table = api_table()
    have = dict(table.results(FIRST_LAYER)).keys()
    moved = 0
    for layer in range(FIRST_LAYER, LAYER):
        found = diff(layer, layer + 1)
        moved += bool(found.added or found.removed or found.changed)
        added, removed = {d.name for d in found.added}, {d.name for d in found.removed}
        assert not added & have
        assert removed <= have
        have = (have | added) - removed
        assert have == dict(table.results(layer + 1)).keys()
        for change in found.changed:
            assert change.before == table.find(change.name, layer)
            assert change.after == table.find(change.name, layer + 1)
    # Nearly every layer brought something; those of which no text was found did not.
    assert moved > 80


# Names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("inputPeerUser", "InputPeerUser"),
        ("messages.updatePinnedMessage", "UpdatePinnedMessage"),
        ("true", "True_"),
        ("null", "Null"),
        ("p_q_inner_data_dc", "PQInnerDataDc"),
        ("req_DH_params", "ReqDHParams"),
        ("resPQ", "ResPQ"),
        ("P_Q_inner_data", "PQInnerData"),
        ("none", "None_"),
    ],
)
def test_class_names(name: str, expected: str) -> None:
    assert class_name(name) == expected


@pytest.mark.parametrize(
    ("tl_type", "item"),
    [
        ("Vector<int>", "int"),
        ("vector<%Message>", "%Message"),
        ("Vector<Vector<int>>", "Vector<int>"),
        ("VectorOf", None),
        ("help.Vector<int>", None),
        ("int", None),
    ],
)
def test_items_of_vectors(tl_type: str, item: str | None) -> None:
    assert vector_item(tl_type) == item
