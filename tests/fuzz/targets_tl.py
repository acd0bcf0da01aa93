"""Fuzz targets of the tl layer: reading objects, requests and results of several layers."""

from __future__ import annotations

from random import Random
from typing import Any

from radiogram.errors import DecodeError
from radiogram.tl import api, mtproto
from radiogram.tl.base import TLObject
from radiogram.tl.build import Registry, registry
from radiogram.tl.schema.definition import Definition, Field, vector_item

DOCUMENTED = (DecodeError,)

OLD_LAYER = 158
DEPTH = 5
"""Objects within objects of a generated value."""


class Maker:
    """Makes valid objects of a registry at random, every field of every type as it comes."""

    def __init__(self, layer: Registry, seed: str) -> None:
        self.registry = layer
        self.random = Random(seed)

    def build(self, definition: Definition, depth: int = DEPTH) -> TLObject:
        """Return an object of that definition; below `depth` optional fields stay away."""
        kind = self.registry.get(definition.name)
        assert kind is not None
        likely = 0.4 if depth > 0 else 0.0
        # Fields of one bit are there together or not at all.
        bits = {(field.word, field.bit) for field in definition.fields if field.optional}
        there = {bit for bit in sorted(bits) if self.random.random() < likely}
        values = {
            field.attribute: self.value(field, depth)
            for field in definition.fields
            if not field.optional or (field.word, field.bit) in there
        }
        return kind(**values)

    def value(self, field: Field, depth: int) -> Any:
        """Return a value for a field."""
        return True if field.is_flag else self._of(field.type, depth)

    def _of(self, tl_type: str, depth: int) -> Any:
        random = self.random
        item = vector_item(tl_type)
        if item is not None:
            return [self._of(item, depth) for _ in range(random.randrange(3) if depth > 0 else 0)]
        match tl_type:
            case "int":
                return random.randrange(-(1 << 31), 1 << 31)
            case "long":
                return random.randrange(-(1 << 63), 1 << 63)
            case "double":
                return random.uniform(-1e9, 1e9)
            case "string":
                return "".join(random.choices("aé€🌍\n", k=random.choice((0, 1, 5, 300))))
            case "bytes":
                return random.randbytes(random.choice((0, 1, 253, 254, 300)))
            case "int128":
                return random.randbytes(16)
            case "int256":
                return random.randbytes(32)
            case "Bool" | "true":
                return random.random() < 0.5
            case "!X":
                return self._method(depth)
        names = self.registry.constructors(tl_type) or [tl_type]  # or a bare constructor
        choices = [self.registry.definition(name) for name in names]
        if depth <= 0:  # the shortest one, so that types that hold themselves come to an end
            choices = sorted(choices, key=_weight)[:1]
        return self.build(random.choice(choices), depth - 1)

    def _method(self, depth: int) -> TLObject:
        names = ("help.getConfig", "messages.sendMessage", "updates.getState")
        definition = self.registry.definition(self.random.choice(names))
        return self.build(definition, depth - 1)


def _weight(definition: Definition) -> int:
    return sum(not field.optional for field in definition.fields)


def _objects(layer: Registry, names: tuple[str, ...], each: int) -> list[bytes]:
    maker = Maker(layer, f"objects of {layer.layer}")
    return [
        layer.encode(maker.build(layer.definition(name))) for name in names for _ in range(each)
    ]


CONSTRUCTORS = (
    "message",
    "messageService",
    "updates",
    "updateShortMessage",
    "updateShort",
    "messages.messagesSlice",
    "messages.dialogs",
    "updates.difference",
    "users.userFull",
    "user",
    "config",
    "pageBlockDetails",
    "jsonObject",
    "inputPeerUserFromMessage",
)
METHODS = (
    "messages.updatePinnedMessage",
    "messages.sendMessage",
    "messages.editMessage",
    "messages.forwardMessages",
    "messages.search",
    "contacts.importContacts",
    "auth.sendCode",
    "auth.signIn",
    "updates.getDifference",
    "invokeWithLayer",
    "initConnection",
    "invokeAfterMsgs",
    "messages.sendMultiMedia",
)
SERVICE = ("resPQ", "msgs_ack", "bad_server_salt", "new_session_created", "future_salts", "pong")


def fuzz_decode(data: bytes) -> None:
    registry().decode(data)


def seeds_decode() -> list[bytes]:
    return _objects(registry(), CONSTRUCTORS, 8)


def fuzz_decode_old(data: bytes) -> None:
    registry(OLD_LAYER).decode(data)


def seeds_decode_old() -> list[bytes]:
    return _objects(registry(OLD_LAYER), CONSTRUCTORS, 4)


def fuzz_request(data: bytes) -> None:
    registry().decode_request(data)


def seeds_request() -> list[bytes]:
    return _objects(registry(), METHODS, 8)


def fuzz_result(data: bytes) -> None:
    """The three kinds of results: an object, a vector of objects, a vector of numbers."""
    for method in (api.users.GetUsers, api.contacts.GetContactIDs, api.messages.GetHistory):
        try:
            registry().decode_result(method, data)
        except DecodeError as error:
            refused = error
        else:
            return
    raise refused


def seeds_result() -> list[bytes]:
    layer = registry()
    maker = Maker(layer, "results")
    users = [maker.build(layer.definition("user"), 2) for _ in range(3)]
    return [
        layer.encode_result(api.users.GetUsers, users),
        layer.encode_result(api.contacts.GetContactIDs, [1, 2, 3]),
        *_objects(layer, ("messages.messages", "messages.messagesSlice"), 4),
    ]


def fuzz_service(data: bytes) -> None:
    mtproto.REGISTRY.decode(data)


def seeds_service() -> list[bytes]:
    return _objects(mtproto.REGISTRY, SERVICE, 8)
