"""Layer 5, docs: values for a call that nobody has written an example of, by rule.

They fit the types, and where a name says what a value is they make sense in the furnished world of
:mod:`radiogram.docs.world`. Such an example is shown, not run.
"""

from __future__ import annotations

from typing import Any

from radiogram.tl.build import Registry, registry
from radiogram.tl.schema.definition import Definition, Field, vector_item

_NAMED: dict[str, Any] = {
    "limit": 100,
    "id": 43,
    "msg_id": 43,
    "max_id": 44,
    "offset_rate": 0,
    "date": 1_790_000_000,
    "dc_id": 2,
    "api_id": 12345,
    "api_hash": "0123456789abcdef0123456789abcdef",
    "period": 86_400,
    "title": "Harbour talk",
    "about": "Boats, tides and coffee",
    "message": "Noon, at the harbour.",
    "text": "Noon, at the harbour.",
    "q": "harbour",
    "query": "harbour",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "phone_number": "9996620001",
    "phone": "9996620001",
    "phone_code": "22222",
    "code": "22222",
    "username": "ada_at_sea",
    "email": "ada@example.org",
    "url": "https://example.org/boats",
    "link": "https://t.me/harbour_news",
    "lang_code": "en",
    "lang_pack": "tdesktop",
    "emoticon": "⛵",
    "emoji": "⛵",
    "short_name": "boats",
    "slug": "harbour",
    "domain": "harbour",
    "currency": "EUR",
    "amount": 100,
    "data": "{}",
    "bot_token": "1000001:AAHarbourBotOfTheDemonstrationWorld",
}
_PEERS = {
    "InputPeer": "username",
    "InputUser": "username",
    "InputChannel": "harbour_talk",
    "InputDialogPeer": "username",
    "InputNotifyPeer": "username",
}
_LIKELY = {
    "InputMedia": "inputMediaContact",
    "InputGroupCall": "inputGroupCallSlug",
    "MessagesFilter": "inputMessagesFilterPinned",
    "ReportReason": "inputReportReasonSpam",
    "SendMessageAction": "sendMessageTypingAction",
    "Reaction": "reactionEmoji",
    "InputPrivacyKey": "inputPrivacyKeyPhoneNumber",
    "InputPrivacyRule": "inputPrivacyValueAllowContacts",
}
"""Constructors that say more than the shortest one."""
_SCALARS: dict[str, Any] = {
    "int": 0,
    "long": 0,
    "double": 0.5,
    "string": "text",
    "bytes": "AAEC",
    "int128": "AAAAAAAAAAAAAAAAAAAAAA==",
    "int256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "Bool": True,
    "true": True,
}
_DEEP = 50


def sample(definition: Definition, layer: Registry | None = None) -> dict[str, Any]:
    """Give values for everything that a method must be told, as plain data."""
    return _Sampler(layer or registry()).fields(definition)


class _Sampler:
    def __init__(self, layer: Registry) -> None:
        self._layer = layer

    def fields(self, definition: Definition) -> dict[str, Any]:
        return {
            field.attribute: self.value(field, field.type)
            for field in definition.fields
            if not field.optional and not definition.may_omit(field)
        }

    def value(self, field: Field, tl_type: str) -> Any:
        item = vector_item(tl_type)
        if item is not None:
            return [self.value(field, item)]
        if tl_type in _SCALARS:
            named = _NAMED.get(field.name)
            fits = type(named) is type(_SCALARS[tl_type]) and tl_type != "bytes"
            return named if fits and not tl_type.startswith("int1") else _SCALARS[tl_type]
        if tl_type in _PEERS:
            return _PEERS[tl_type]
        if tl_type == "InputMessage":
            return 43
        if tl_type.startswith("!"):
            return {"_": "help.getConfig"}
        name = self.simplest(tl_type)
        return {"_": name, **self.fields(self._layer.definition(name))}

    def simplest(self, tl_type: str) -> str:
        """Choose the constructor that is told the most with the fewest values."""
        likely = _LIKELY.get(tl_type)
        if likely is not None:
            return likely
        names = self._layer.constructors(tl_type)
        return min(names, key=lambda name: (self._cost(name, frozenset()), len(name), name))

    def _cost(self, name: str, seen: frozenset[str]) -> int:
        """Count the values that a constructor needs; what says nothing comes after short ones."""
        empty = 4 if name.endswith(("Empty", "Default", "None")) else 0
        cost = empty
        for field in self._layer.definition(name).fields:
            if field.optional:
                continue
            cost += 1
            inner = field.type
            while (item := vector_item(inner)) is not None:
                inner = item
            if inner in _SCALARS or inner in _PEERS or inner == "InputMessage":
                continue
            if inner in seen:
                return cost + _DEEP
            cost += min(self._cost(one, seen | {inner}) for one in self._layer.constructors(inner))
        return cost
