"""TL values in the one form in which the tests compare every library's answers.

Knows no library: each driver turns its own objects into :class:`Plain` and back.
"""

from __future__ import annotations

from typing import Any


class Plain:
    """A TL object: its name (``messages.updatePinnedMessage``) and the fields that are there.

    A field that is absent and a flag that is not set both read as None, and so does a Bool that
    is false: libraries differ in how they show these.
    """

    def __init__(self, name: str, /, **fields: Any) -> None:
        self.kind = name
        self.fields = {
            key: value for key, value in fields.items() if value is not None and value is not False
        }

    def __getattr__(self, field: str) -> Any:
        if field.startswith("__") or field == "fields":
            raise AttributeError(field)
        return self.fields.get(field)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and self.kind == other.kind and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{key}={value!r}" for key, value in self.fields.items())
        return f"{self.kind}({fields})"

    def only(self, kind: str) -> Plain:
        """Return the single update of that kind in this ``updates``."""
        found = [update for update in self.updates if update.kind == kind]
        assert len(found) == 1, f"{len(found)} {kind} in {self}"
        return found[0]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the updates in this ``updates``, in order."""
        return [update.kind for update in self.updates]


def input_channel(peer: Plain) -> Plain:
    """Return the InputChannel that an InputPeer names."""
    return Plain("inputChannel", channel_id=peer.channel_id, access_hash=peer.access_hash)


def input_user(peer: Plain) -> Plain:
    """Return the InputUser that an InputPeer names."""
    return Plain("inputUser", user_id=peer.user_id, access_hash=peer.access_hash)


def to_json(value: Any) -> Any:
    """Return `value` in the JSON that ``gramjs/driver.js`` reads."""
    if isinstance(value, Plain):
        return {"_": value.kind} | {key: to_json(field) for key, field in value.fields.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 31:
        return {"$int": str(value)}
    return value


def from_json(value: Any) -> Any:
    """Return what ``gramjs/driver.js`` wrote; the inverse of :func:`to_json`."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$int" in value:
        return int(value["$int"])
    if "$bytes" in value:
        return bytes.fromhex(value["$bytes"])
    if "$dict" in value:
        return {key: from_json(item) for key, item in value["$dict"].items()}
    fields = {key: from_json(item) for key, item in value.items() if key != "_"}
    return Plain(value["_"], **fields)
