"""Texts of schemas: what is read, what is refused and where, and layers made of them."""

from __future__ import annotations

import pytest

from radiogram.errors import DecodeError, EncodeError, SchemaError
from radiogram.tl import api, mtproto
from radiogram.tl.build import Registry, registry
from radiogram.tl.schema.definition import Definition, Field
from radiogram.tl.schema.tlfile import declarations, parse, parse_line, stated_layer

# What each field has to be like


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a#1 = A", "'a#1 = A' does not end with ';'"),
        ("a#1 = A\n---functions---\n", "'a#1 = A' does not end with ';'"),
        ("---methods---", "'---methods---' is neither types nor functions"),
        ("a#1 x:int;", "expected 'name#id fields = Type;', got 'a#1 x:int'"),
        ("a# = A;", "'a#' is not a name with an id"),
        ("a#xyz = A;", "'a#xyz' is not a name with an id"),
        ("a#123456789 = A;", "'a#123456789' is not a name with an id"),
        ("a.b.c#1 = A;", "'a.b.c#1' is not a name with an id"),
        ("9a#1 = A;", "'9a#1' is not a name with an id"),
        (" = A;", "'' is not a name with an id"),
        ("a#1 = ;", "'' is not a type"),
        ("a#1 = A B;", "'A B' is not a type"),
        ("a#1 = !X;", "'!X' is not a type"),
        ("a#1 = #;", "'#' is not a type"),
        ("a#1 = Vector<;", "'Vector<' is not a type"),
        ("a#1 = A.b.C;", "'A.b.C' is not a type"),
        ("a#1 x = A;", "'x' is not 'name:type'"),
        ("a#1 x: = A;", "'x:' is not 'name:type'"),
        ("a#1 x:in-t = A;", "'x:in-t' is not 'name:type': 'in-t' is no type"),
        ("a#1 _x:int = A;", "'_x:int' is not 'name:type'"),
        ("a#1 x:Vector<int = A;", "'x:Vector<int' is not 'name:type': 'Vector<int' is no type"),
        ("a#1 x:Vector<> = A;", "'Vector<>' is no type"),
        ("a#1 x:Vector<#> = A;", "'Vector<#>' is no type"),
        ("a#1 x:%% = A;", "'%%' is no type"),
        ("a#1 {X:Foo} = A;", "'{X:Foo}' is not 'name:type'"),
        ("a#1 x:!X = A;", "'!X' is not declared: {X:Type} is missing"),
        ("a#1 {T:Type} x:!X = A;", "'!X' is not declared: {X:Type} is missing"),
        ("a#1 x:int x:long = A;", "field 'x' appears twice"),
        ("a#1 from:int from_:int = A;", "field 'from_' appears twice"),
        ("a#1 TL_ID:int = A;", "no field can be called 'TL_ID' in Python"),
        ("a#1 is:# x:is.0?int = A;", "no field can be called 'is' in Python"),
        ("a#1 x:flags.0?int = A;", "'x' depends on 'flags', which is not a flag word before it"),
        ("a#1 x:flags.0?int flags:# = A;", "which is not a flag word before it"),
        ("a#1 flags:int x:flags.0?int = A;", "which is not a flag word before it"),
        ("a#1 flags:# x:flags.32?int = A;", "'x:flags.32?int' names bit 32, a word has 0 to 31"),
        ("a#1 flags:# x:flags.-1?int = A;", "'flags.-1?int' is no type"),
        ("a#1 flags:# x:flags.0? = A;", "'flags.0?' is no type"),
        ("a#1 flags:# x:flags.0?# = A;", "flag word 'x' depends on another"),
    ],
)
def test_what_is_badly_written_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse(f"// a comment\nok#5\n  x:int\n  = Ok;\n\n{text}")
    assert str(caught.value).startswith("line 6: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a#5 = A;", "a has the id 00000005 of ok in line 2"),
        ("ok#6 = A;", "ok is already defined in line 2"),
        ("---functions---\nok#6 = Ok;", "ok is already defined in line 2"),
        ("a#0 = A;", "a cannot have the id 00000000, nothing has"),
        ("a#1cb5c415 = A;", "a cannot have the id 1cb5c415, vector has"),
        ("a#997275b5 = A;", "a cannot have the id 997275b5, boolTrue has"),
        ("boolMaybe#1 = Bool;", "boolMaybe is neither boolTrue nor boolFalse, which Bool"),
        ("boolTrue#1 = Bool;", "boolTrue is neither"),
        ("a#1 = ok;", "a is a constructor and cannot make a ok"),
        ("a#1 {X:Type} x:!X = X;", "a is a constructor and cannot make a X"),
        ("a#1 = Vector<Ok>;", "a is a constructor and cannot make a Vector<Ok>"),
        ("a#1 = Vector Ok;", "a is a constructor and cannot make a Vector<Ok>"),
        ("a#1 = %Ok;", "a is a constructor and cannot make a %Ok"),
        ("a#1 x:Nothing = A;", "a.x: no constructor makes a Nothing"),
        ("a#1 x:help.Nothing = A;", "a.x: no constructor makes a help.Nothing"),
        ("a#1 x:Vector<Nothing> = A;", "a.x: no constructor makes a Nothing"),
        ("a#1 x:vector<Vector<%Nothing>> = A;", "a.x: %Nothing has 0 constructors"),
        ("a#1 x:%Peer = A;", "a.x: %Peer has 3 constructors: it cannot be bare"),
        ("a#1 x:nothing = A;", "a.x: layer 999 has no 'nothing'"),
        ("a#1 x:flags = A;", "a.x: layer 999 has no 'flags'"),
        ("a#1 x:updates.getState = A;", "a.x: updates.getState is a method, not a type"),
        ("a#1 x:Maybe<int> = A;", "a.x: no constructor makes a Maybe<int>"),
        ("a#1 {X:Type} x:Vector<!X> = A;", "a.x: layer 999 has no '!X'"),
        ("a#1 {X:Type} x:!X y:int = A;", "a.x: nothing can follow a field of type !X"),
        ("---functions---\na#1 = Nothing;", "the result of a: no constructor makes a Nothing"),
        ("---functions---\na#1 = Vector<nothing>;", "the result of a: layer 999 has no 'nothing'"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Registry.from_tl(f"\nok#5 x:int = Ok; // one\n{text}", layer=999)
    line = 4 if text.startswith("---") else 3
    assert str(caught.value).startswith(f"line {line}: {complaint}")


# What is read


def test_a_declaration_as_a_value() -> None:
    text = "a.b#1f {T:Type} flags:# x:flags.3?Vector<int> flags2:# y:flags2.31?true q:!T = T;"
    found = parse_line(text, is_method=True, layer=5)
    assert found == Definition(
        "a.b",
        31,
        (
            Field("flags", "#"),
            Field("x", "Vector<int>", "flags", 3),
            Field("flags2", "#"),
            Field("y", "true", "flags2", 31),
            Field("q", "!X"),
        ),
        "X",
        is_method=True,
        first_layer=5,
        last_layer=5,
    )
    # However the text calls the variable type.
    assert str(found) == (
        "a.b#0000001f {X:Type} flags:# x:flags.3?Vector<int> flags2:# y:flags2.31?true q:!X = X"
    )
    assert parse_line(str(found), is_method=True, layer=5) == found
    assert found.field("y") is found.params[3]
    assert found.field("z") is None
    assert (found.generic, found.namespace, found.class_name) == (True, "a", "B")


def test_lines_comments_and_sections() -> None:
    text = (
        "\ufeff// LAYER 233\r\n"
        "a#1 = A; b#2 = B; // c#3 = C;\r\n"
        "---functions---\r\n"
        "f#4\r\n"
        "  x:int   // the first\r\n"
        "\r\n"
        "  y:long\r\n"
        "= A;;\r\n"
        "---types---\r\n"
        "d#5 = D;\r\n"
    )
    found = [(line, d.name, d.is_method, d.last_layer) for line, d in declarations(text, layer=9)]
    assert found == [
        (2, "a", False, 9), (2, "b", False, 9), (4, "f", True, 9), (10, "d", False, 9),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("// LAYER 233", 233),
        ("a = A;\n  //LAYER 1 \r\n// LAYER 234\n", 234),
        ("// LAYER X", None),
        ("a = A; // LAYER 1", None),
        ("// LAYER 99999999999999999999", None),
        ("", None),
    ],
)
def test_the_layer_that_a_text_states(text: str, layer: int | None) -> None:
    assert stated_layer(text) == layer


def test_what_the_codec_knows_by_heart_may_be_declared() -> None:
    text = (
        "int ? = Int;\nint128 4*[ int ] = Int128;\nvector {t:Type} # [ t ] = Vector t;\n"
        "vector#1cb5c415 {t:Type} # [ t ] = Vector t;\n"
        "boolFalse#bc799737 = Bool;\nboolTrue = Bool;\ntrue#3fedd339 = True;\n"
    )
    reg = Registry.from_tl(text, layer=999)
    assert reg.decode(reg.encode(True)) is True
    assert reg.decode(reg.encode([False])) == [False]


# Layers


def test_a_layer_inherits_from_the_newest() -> None:
    reg = Registry.from_tl(
        "// LAYER 233\n"
        "updateGift#0000abcd flags:# gifts:flags.0?Vector<gift> peer:Peer = Update;\n"
        "gift#0000abce id:long = Gift;\n"
        "peerUser#59511722 user_id:long = Peer;\n"
        "peerChat#0000abcf chat_id:long title:string = Peer;\n"
        "---functions---\n"
        "messages.sendGift#0000abd0 peer:InputPeer gift:%Gift = Updates;\n"
    )
    assert reg.layer == 233
    assert repr(reg) == "<Registry layer 233>"
    new = reg.api
    # New constructors belong to the types that there are, so old code takes them.
    update = new.UpdateGift(gifts=[new.Gift(id=5)], peer=new.PeerChat(chat_id=1, title="a"))
    assert isinstance(update, api.TypeUpdate)
    short = api.UpdateShort(update=update, date=1)
    data = reg.encode(short)
    assert reg.decode(data) == short
    # Bare: no constructor number of the gift.
    assert reg.encode(update)[:24].hex() == (
        "cdab0000" "01000000" "15c4b51c" "01000000" "0500000000000000"
    )  # fmt: skip
    request = new.messages.SendGift(peer=api.InputPeerSelf(), gift=new.Gift(id=1))
    assert reg.decode_request(reg.encode(request)) == request
    assert reg.decode_result(request, data) == short
    # What did not change is the same class, what did is another.
    assert new.PeerUser is api.PeerUser
    assert new.PeerChat is not api.PeerChat
    assert new.Message is api.Message
    # The changed one's old number is not understood any more.
    with pytest.raises(DecodeError, match="no constructor 0x36c6019a in layer 233"):
        reg.decode(registry().encode(api.PeerChat(chat_id=1)))
    with pytest.raises(EncodeError, match="PeerChat needs 'title' in layer 233"):
        reg.encode(api.PeerChat(chat_id=1))
    # The newest layer of the package has not learnt anything.
    with pytest.raises(EncodeError, match=r"UpdateGift does not exist in layer 232"):
        registry().encode(update)
    with pytest.raises(DecodeError, match="no constructor 0x0000abcd in layer 232"):
        registry().decode(reg.encode(update))
    assert registry().get("updateGift") is None
    assert set(reg.constructors("Peer")) == {"peerUser", "peerChat", "peerChannel"}
    assert set(reg.names()) - set(registry().names()) == {
        "updateGift", "gift", "messages.sendGift",
    }  # fmt: skip
    assert reg.names().index("gift") < reg.names().index("messages.sendGift")
    assert len(reg.names()) == len(set(reg.names()))
    methods = [reg.definition(name).is_method for name in reg.names()]
    assert methods == sorted(methods)


def test_a_layer_on_top_of_another() -> None:
    first = Registry.from_tl("gift#0000abcd id:long = Gift;", layer=233)
    second = Registry.from_tl("gifts#0000abce all:Vector<Gift> = Gifts;", layer=234, base=first)
    made = second.api.Gifts(all=[first.api.Gift(id=1)])
    assert second.decode(second.encode(made)) == made
    assert second.get_type("Gift") is first.get_type("Gift")
    assert second.get_type("Nothing") is None
    assert second.get_by_id(0xABCD) is first.api.Gift
    assert second.get_by_id(0xABCF) is None


def test_a_name_that_changes_keeps_its_number() -> None:
    old, new = api.PeerUser(user_id=5), "peerPerson#59511722 user_id:long = Peer;"
    reg = Registry.from_tl(new, layer=233)
    data = registry().encode(old)
    assert type(reg.decode(data)) is reg.api.PeerPerson
    assert reg.get("peerUser") is None
    assert set(reg.constructors("Peer")) == {"peerPerson", "peerChat", "peerChannel"}
    with pytest.raises(EncodeError, match="PeerUser does not exist in layer 233"):
        reg.encode(old)


def test_a_constructor_may_become_a_method() -> None:
    reg = Registry.from_tl("---functions---\nupdateConfig#0000abcd = Updates;", layer=233)
    assert reg.definition("updateConfig").is_method
    assert "updateConfig" not in reg.constructors("Update")
    assert reg.decode_request(b"\xcd\xab\0\0") == reg.api.UpdateConfig()


def test_a_layer_of_service_messages() -> None:
    reg = Registry.from_tl("pang#0000abcd id:long = Pang;", layer=1, base=mtproto.REGISTRY)
    assert reg.family == "mtproto"
    assert reg.decode(reg.encode(reg.api.Pang(id=1))) == reg.api.Pang(id=1)
    with pytest.raises(EncodeError, match="PeerUser does not belong to mtproto"):
        reg.encode(api.PeerUser(user_id=1))


def test_a_layer_has_to_be_told() -> None:
    with pytest.raises(SchemaError, match="the text states no layer"):
        Registry.from_tl("a#1 = A;")
    assert Registry.from_tl("a#1 = A;\n// LAYER 300").layer == 300
    assert Registry.from_tl("a#1 = A;\n// LAYER 300", layer=301).layer == 301


def test_bare_types_that_a_later_text_spoils() -> None:
    """The first text is right, and so is the second: it is the value that cannot be laid out."""
    first = Registry.from_tl(
        "one#1 x:int = One;\nwrap#2 one:%One ones:Vector<%One> = Wrap;", layer=233
    )
    made = first.api.Wrap(one=first.api.One(x=1), ones=[first.api.One(x=2)])
    data = first.encode(made)
    assert first.decode(data) == made
    second = Registry.from_tl("two#3 = One;", layer=234, base=first)
    with pytest.raises(DecodeError, match="One has 2 constructors: it cannot be bare"):
        second.decode(data)
    with pytest.raises(EncodeError, match="One has 2 constructors: it cannot be bare"):
        second.encode(made)


def test_whole_layers_survive_being_written_and_read() -> None:
    """A text of everything that an older layer had, loaded as if it were new."""
    old = registry(198)
    text = ["// LAYER 198"]
    is_method = False
    for name in old.names():
        definition = old.definition(name)
        if definition.is_method and not is_method:
            is_method = True
            text.append("---functions---")
        text.append(f"{definition};")
    reg = Registry.from_tl("\n".join(text))
    for name in old.names():
        assert reg.get(name) is old.get(name), name
        assert reg.definition(name).id == old.definition(name).id
