"""Random objects of random layers, random schemas and random bytes."""

from __future__ import annotations

import contextlib
import pickle
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiogram.errors import DecodeError, EncodeError, SchemaError
from radiogram.tl import api, mtproto
from radiogram.tl.base import TLObject
from radiogram.tl.build import Registry, registry
from radiogram.tl.schema.definition import Field
from radiogram.tl.schema.tables import FIRST_LAYER, LAYER
from radiogram.tl.schema.tlfile import parse
from tests.tl.objects import Maker

LAYERS = st.integers(FIRST_LAYER, LAYER)
QUERY = Field("query", "!X")
SEEDS = st.integers(0, 2**32)


def some_object(layer: int, seed: int) -> TLObject:
    reg = registry(layer)
    name = random.Random(seed).choice([n for n in reg.names() if not n.startswith("bool")])
    return Maker(reg, seed).make(reg.definition(name), depth=3)


def is_wrapper(made: TLObject) -> bool:
    """Tell whether the end of the data is the end of the object."""
    return made.TL_DEFINITION is not None and made.TL_DEFINITION.params[-1:] == (QUERY,)


@given(LAYERS, SEEDS)
def test_what_was_written_is_read(layer: int, seed: int) -> None:
    reg, made = registry(layer), some_object(layer, seed)
    data = reg.encode(made)
    assert reg.decode(data) == made
    if not is_wrapper(made):
        assert reg.decode_prefix(data + b"1234") == (made, len(data))
    # A large input is read by another set of readers.
    assert reg._counted.read("Object", data, 0) == (made, len(data))


@given(LAYERS, SEEDS)
@settings(max_examples=25)
def test_truncated_at_every_offset(layer: int, seed: int) -> None:
    reg, made = registry(layer), some_object(layer, seed)
    data = reg.encode(made)
    ends = range(0 if is_wrapper(made) else len(data))
    for end in ends if len(ends) < 400 else random.Random(seed).sample(ends, 400):
        with pytest.raises(DecodeError) as caught:
            reg.decode_prefix(data[:end])
        assert caught.value.offset <= end


@given(LAYERS, SEEDS)
def test_a_word_that_is_changed_raises_nothing_else(layer: int, seed: int) -> None:
    reg = registry(layer)
    data = bytearray(reg.encode(some_object(layer, seed)))
    source = random.Random(seed)
    for _ in range(20):
        position = source.randrange(0, len(data), 4)
        before = data[position : position + 4]
        data[position : position + 4] = source.choice(
            (source.randbytes(4), b"\xff\xff\xff\xff", bytes(4), b"\x15\xc4\xb5\x1c", b"\1\0\0\0")
        )
        with contextlib.suppress(DecodeError):
            reg.encode(reg.decode(data))
        if source.random() < 0.5:
            data[position : position + 4] = before


@given(LAYERS, SEEDS, LAYERS)
def test_an_object_of_any_layer_is_written_in_any_other_or_refused(
    layer: int, seed: int, other: int
) -> None:
    made = some_object(layer, seed)
    reg = registry(other)
    with contextlib.suppress(EncodeError):
        data = reg.encode(made)
        again = reg.decode(data)
        assert again.TL_NAME == made.TL_NAME
        assert reg.encode(again) == data


@given(LAYERS, SEEDS)
def test_objects_survive_pickling_and_copying(layer: int, seed: int) -> None:
    made = some_object(layer, seed)
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert repr(again) == repr(made)
    assert again.to_json() == made.to_json()
    assert again.stringify().count("\n") >= again.stringify().count("(\n")


IDS = [api.Message.TL_ID, api.Updates.TL_ID, api.TextConcat.TL_ID, 0x1CB5C415, api.User.TL_ID]
WORDS = st.one_of(
    st.sampled_from([*IDS, 0, 1, 0xFFFFFFFF]).map(lambda n: n.to_bytes(4, "little")),
    st.binary(min_size=4, max_size=4),
)


@given(st.one_of(st.binary(max_size=200), st.lists(WORDS, max_size=40).map(b"".join)), LAYERS)
@settings(max_examples=200)
def test_any_bytes_raise_only_what_is_documented(data: bytes, layer: int) -> None:
    for reg in (registry(layer), mtproto.REGISTRY):
        for read in (reg.decode, reg.decode_request, reg.decode_prefix):
            with contextlib.suppress(DecodeError):
                read(data)
    for method in (api.users.GetUsers, api.contacts.GetContactIDs, api.account.CheckUsername):
        with contextlib.suppress(DecodeError):
            registry().decode_result(method, data)


@given(st.binary(max_size=64), st.sampled_from(IDS))
def test_any_bytes_cost_little_memory(tail: bytes, id: int) -> None:
    """What is announced is not believed."""
    data = id.to_bytes(4, "little") + b"\xff" * 64 + tail
    with contextlib.suppress(DecodeError):
        registry().decode(data)  # the classes that it meets are made once
    tracemalloc.start()
    try:
        with contextlib.suppress(DecodeError):
            registry().decode(data)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


# Schemas

ATTRIBUTES = ("id", "from", "self", "to_dict", "cls", "x", "value", "class", "Upper", "a__b", "mro")
FLAT = ("int", "long", "double", "string", "bytes", "int128", "int256", "Bool", "Object", "Peer")
BARE = ("row", "%Row", "peerUser", "ns.row", "%ns.Row", "true")
BOXED = ("Row", "ns.Row", "Tree", "ns.Tree", "messages.Chats", "True")


@st.composite
def types(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["flat"] * 4 + ["bare", "boxed", "vector", "vector"]))
    if kind == "vector":
        item = draw(types().filter(lambda t: t != "true"))
        return f"{draw(st.sampled_from(['Vector', 'vector', '%Vector']))}<{item}>"
    return draw(st.sampled_from({"flat": FLAT, "bare": BARE, "boxed": BOXED}[kind]))


@st.composite
def declarations(draw: st.DrawFn) -> str:
    """A constructor with fields of any type behind flags of any bit."""
    names = draw(st.lists(st.sampled_from(ATTRIBUTES), unique=True, max_size=len(ATTRIBUTES)))
    words, fields = 0, []
    for name in names:
        if draw(st.integers(0, 3)) == 0 or not words:
            words += 1
            fields.append(f"w{words}:#")
        condition = ""
        if draw(st.booleans()):
            word, bit = draw(st.integers(1, words)), draw(st.sampled_from((0, 1, 2, 31)))
            condition = f"w{word}.{bit}?"
        tl_type = "true" if condition and draw(st.booleans()) else draw(types())
        fields.append(f"{name}:{condition}{tl_type}")
    return " ".join(fields)


SCHEMA = """
row x:int y:string = Row;
ns.row flags:# x:flags.3?int y:flags.3?Vector<Row> = ns.Row;
leaf = Tree;
ns.leaf = ns.Tree;
tree.a {} = Tree;
tree.b {} = ns.Tree;
---functions---
tree.call {} = Vector<Tree>;
"""


@pytest.mark.slow
@given(declarations(), declarations(), declarations(), SEEDS)
def test_objects_of_random_schemas(one: str, two: str, three: str, seed: int) -> None:
    reg = Registry.from_tl(SCHEMA.format(one, two, three), layer=999)
    for name in ("tree.a", "tree.b", "tree.call"):
        made = Maker(reg, seed).make(reg.definition(name), depth=4)
        data = reg.encode(made)
        assert reg.decode(data) == made
        assert reg._counted.read("Object", data, 0) == (made, len(data))
        assert pickle.loads(pickle.dumps(made)) == made
        assert repr(made)
        for end in random.Random(seed).sample(range(len(data)), min(len(data), 10)):
            with pytest.raises(DecodeError) as caught:
                reg.decode_prefix(data[:end])
            assert caught.value.offset <= end


PIECES = (
    "a", "#1", "#", ":", "int", "Vector<", ">", "%", "!", "X", "{X:Type}", " ", "=", "Peer", ";",
    "flags:#", "flags.0?", ".", "true", "//", "\0", "\u00e9", "\n", "\n---functions---\n",
)  # fmt: skip
TEXT = (
    "a#1 flags:# x:flags.0?Vector<Peer> y:flags.1?true = A;\n"
    "b#2 {X:Type} z:%A q:!X = B;\n---functions---\nf#3 x:vector<row> = Vector<B>;\n"
    "row#4 x:int = Row;\n"
)


@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.sampled_from(PIECES)), max_size=4), SEEDS)
@settings(max_examples=300)
def test_any_text_is_a_schema_or_is_refused_with_a_line(
    edits: list[tuple[int, str]], seed: int
) -> None:
    source, text = random.Random(seed), TEXT
    for position, piece in edits:
        text = text[:position] + piece + text[position + source.choice((0, 1, len(piece), 9)) :]
    refused = None
    try:
        parse(text)
        Registry.from_tl(text, layer=999)
    except SchemaError as error:
        refused = str(error)
    assert refused is None or refused.startswith("line ")
