"""Layer 5, docs: short neutral sentences, by rule, for what nobody has described yet.

A sentence may only say what follows from the names and types of a declaration: it is dull, never
wrong, and marked as derived wherever it is shown.
"""

from __future__ import annotations

import re

from radiogram.tl.schema.definition import Definition, Field, vector_item

PEERS = {
    "InputPeer": "A chat: a username, phone number, id, `me`, or an object that names one.",
    "InputUser": "A user: a username, phone number, id, `me`, or an object that names one.",
    "InputChannel": "A supergroup or channel: a username, id, or an object that names one.",
    "InputDialogPeer": "A chat in the list of chats: a username, id, or an object that names one.",
}
_NAMED = {
    ("limit", "int"): "At most so many items are wanted.",
    ("offset", "int"): "Where in the list to begin.",
    ("offset", "long"): "Where to begin.",
    ("offset", "string"): "Where to go on, as the last answer told; empty at first.",
    ("offset_id", "int"): "Id of the message from which to go on.",
    ("q", "string"): "Words to look for.",
    ("query", "string"): "Words to look for.",
    ("access_hash", "long"): "Number that entitles this account to use the id.",
    ("random_id", "long"): "Number that tells repetitions from new calls; made up when left out.",
    ("random_id", "int"): "Number that tells repetitions from new calls; made up when left out.",
    ("random_id", "Vector<long>"): "A number for each item, made up when left out.",
    ("top_msg_id", "int"): "Id of the message that a topic or thread begins with.",
    ("msg_id", "int"): "Id of a message.",
    ("lang_code", "string"): "Language, such as `en`.",
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SCALARS = {
    "int": "A number",
    "long": "A number",
    "int128": "16 bytes",
    "int256": "32 bytes",
    "double": "A number, with decimals",
    "string": "Text",
    "bytes": "Bytes",
    "Bool": "Yes or no",
}


def words(name: str) -> str:
    """Split a TL name into words: ``messages.getStatsURL`` -> ``get stats URL``."""
    found = _WORD.findall(name.rpartition(".")[2])
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in found)


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def method(definition: Definition) -> str:
    """Describe a method by its name."""
    return sentence(words(definition.name))


def constructor(definition: Definition, siblings: int) -> str:
    """Describe a constructor by its name and type, which has so many constructors."""
    if siblings <= 1:
        return sentence(words(definition.name))
    return sentence(f"{words(definition.name)}: one of the {siblings} forms of {definition.result}")


def parameter(field: Field, definition: Definition) -> str:
    """Describe a parameter by its name and type."""
    named = _NAMED.get((field.name, field.type))
    if named:
        return named
    meaning = words(field.name)
    if field.is_flag:
        return sentence(f"yes or no: {meaning}")
    item = vector_item(field.type)
    if item is not None:
        return sentence(f"a list of {item}: {meaning}")
    if field.type in PEERS:
        generic = meaning in ("peer", "id", "user id", "channel", "user")
        return PEERS[field.type] if generic else f"{sentence(meaning)} {PEERS[field.type]}"
    if field.type == "int" and (field.name == "date" or field.name.endswith("_date")):
        return sentence(f"{meaning}, as Unix time in seconds")
    kind = _SCALARS.get(field.type)
    if kind is not None:
        return sentence(f"{kind}: {meaning}")
    if field.type.startswith("!"):
        return "The request to pass on."
    return sentence(f"{meaning}, in one of the forms of {field.type}")


def result(tl_type: str) -> str:
    """Describe what comes back by its type."""
    item = vector_item(tl_type)
    if tl_type == "Bool":
        return "True if it was done."
    if tl_type == "X":
        return "What the request that was passed on is answered with."
    if item is not None:
        return f"A list of {item}."
    if tl_type == "Updates":
        return "What has changed, as updates."
    return f"One of the forms of {tl_type}."
