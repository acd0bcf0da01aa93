"""Server layer: say the same thing in another layer.

Handlers know the newest layer only. A request of an older client is brought up to it, a result
or an update is brought down, both by name: the constructor of the same name, its fields of the
same names. What names cannot settle stands in the short tables below. Knows no method's meaning.

Theory of operation. A class is the same object in every layer in which its declaration is the
same, so most objects pass unchanged; for each class a *plan* says whether its own version
differs and which fields can hold other objects, and only those are looked at. An object is
copied only if it, or something in it, differs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import msgspec

from radiogram.errors import EncodeError
from radiogram.tl import api
from radiogram.tl.base import Request, TLObject
from radiogram.tl.build import Registry, registry
from radiogram.tl.schema.definition import Definition, vector_item

_NEWEST = registry(api.LAYER)

_BARE = frozenset(
    ("int", "long", "double", "string", "bytes", "int128", "int256", "true", "#", "Bool")
)
_ZERO: dict[str, Any] = {
    "int": 0,
    "long": 0,
    "double": 0.0,
    "string": "",
    "bytes": b"",
    "int128": bytes(16),
    "int256": bytes(32),
    "Bool": False,
    "true": False,
}

# ------------------------------------------------------------------ the tables of exceptions

_SUBSTITUTES: dict[str, str] = {
    "MessageAction": "messageActionEmpty",
    "MessageEntity": "messageEntityUnknown",
    "MessageMedia": "messageMediaUnsupported",
    "PageBlock": "pageBlockUnsupported",
    "RichText": "textEmpty",
    "SendMessageAction": "sendMessageCancelAction",
    "EmojiStatus": "emojiStatusEmpty",
    "Reaction": "reactionEmpty",
}
"""What is said instead of a constructor that the older layer has not, by abstract type. Of other
types the object is left out: of a vector, or of an optional field."""


def _months(obj: Any) -> int:
    days: int = obj.days
    return max(1, round(days / 30))


def _reply_to(obj: Any) -> api.TypeInputReplyTo | None:
    if not getattr(obj, "reply_to_msg_id", None):
        return None
    return api.InputReplyToMessage(
        reply_to_msg_id=obj.reply_to_msg_id, top_msg_id=getattr(obj, "top_msg_id", None)
    )


def _saved_gift(obj: Any) -> api.TypeInputSavedStarGift:
    return api.InputSavedStarGiftUser(msg_id=obj.msg_id)


_MOVED = {
    "updatePinnedForumTopic": "updateChannelPinnedTopic",
    "updatePinnedForumTopics": "updateChannelPinnedTopics",
    "channels.editCreator": "messages.editChatCreator",
    **{
        f"channels.{name}": f"messages.{name}"
        for name in (
            "createForumTopic",
            "deleteTopicHistory",
            "editForumTopic",
            "getForumTopics",
            "getForumTopicsByID",
            "reorderPinnedForumTopics",
            "updatePinnedForumTopic",
        )
    },
}
"""What is said by another name, where the other layer has no such name: by channel, once."""


def _peer_of_channel(obj: Any) -> api.TypeInputPeer:
    channel = obj.channel
    match channel:
        case api.InputChannel():
            return api.InputPeerChannel(
                channel_id=channel.channel_id, access_hash=channel.access_hash
            )
        case api.InputChannelFromMessage():
            return api.InputPeerChannelFromMessage(
                peer=channel.peer, msg_id=channel.msg_id, channel_id=channel.channel_id
            )
    return api.InputPeerEmpty()


_MADE: dict[tuple[str, str], Callable[[Any], Any]] = {
    # of results and updates, for older layers
    ("connectedBot", "can_reply"): lambda obj: obj.rights.reply,
    ("invoice", "recurring_terms_url"): lambda obj: obj.terms_url or "" if obj.recurring else None,
    ("messageActionGiftCode", "months"): _months,
    ("messageActionGiftPremium", "months"): _months,
    ("messageActionRequestedPeer", "peer"): lambda obj: next(iter(obj.peers), None),
    ("messageActionSetChatTheme", "emoticon"): lambda obj: getattr(obj.theme, "emoticon", ""),
    ("payments.checkedGiftCode", "months"): _months,
    ("starsTransaction", "stars"): lambda obj: obj.amount,
    ("updateGroupCallMessage", "from_id"): lambda obj: obj.message.from_id,
    ("updateGroupCall", "chat_id"): lambda obj: getattr(obj.peer, "chat_id", 0),
    ("updateMessagePollVote", "user_id"): lambda obj: getattr(obj.peer, "user_id", 0),
    ("updatePinnedForumTopic", "channel_id"): lambda obj: getattr(obj.peer, "channel_id", None),
    ("updatePinnedForumTopics", "channel_id"): lambda obj: getattr(obj.peer, "channel_id", None),
    # of requests, for the newest layer
    **{(name, "peer"): _peer_of_channel for name in _MOVED if name.startswith("channels.")},
    ("account.updateConnectedBot", "rights"): lambda obj: (
        api.BusinessBotRights(reply=True) if obj.can_reply else None
    ),
    ("channels.toggleSignatures", "signatures_enabled"): lambda obj: obj.enabled,
    ("messages.prolongWebView", "reply_to"): _reply_to,
    ("messages.requestWebView", "reply_to"): _reply_to,
    ("messages.saveDraft", "reply_to"): _reply_to,
    ("messages.sendBotRequestedPeer", "requested_peers"): lambda obj: [obj.requested_peer],
    ("messages.sendInlineBotResult", "reply_to"): _reply_to,
    ("messages.sendMedia", "reply_to"): _reply_to,
    ("messages.sendMessage", "reply_to"): _reply_to,
    ("messages.sendMultiMedia", "reply_to"): _reply_to,
    ("messages.sendScreenshotNotification", "reply_to"): _reply_to,
    ("inputInvoiceStars", "purpose"): lambda obj: api.InputStorePaymentStarsTopup(
        stars=obj.option.stars, currency=obj.option.currency, amount=obj.option.amount
    ),
    ("payments.convertStarGift", "stargift"): _saved_gift,
    ("payments.saveStarGift", "stargift"): _saved_gift,
    ("payments.transferStarGift", "stargift"): _saved_gift,
    ("payments.upgradeStarGift", "stargift"): _saved_gift,
    ("payments.updateStarGiftPrice", "resell_amount"): lambda obj: api.StarsAmount(
        amount=obj.resell_stars, nanos=0
    ),
    ("messages.setChatTheme", "theme"): lambda obj: api.InputChatTheme(emoticon=obj.emoticon),
}
"""Fields that one version makes from fields of other names in the other version."""


def _split_button(button: Any, target: Registry, convert: Callable[[Any], Any]) -> Any:
    """Say a button of today, a text and what it does, as the button of its own kind it was."""
    kind = button.type
    name = kind.TL_NAME
    for old, new in (
        ("inputInlineButtonType", "inputKeyboardButton"),
        ("inlineButtonType", "keyboardButton"),
        ("inputButtonType", "inputKeyboardButton"),
        ("buttonType", "keyboardButton"),
    ):
        if name.startswith(old):
            name = new + name.removeprefix(old).removesuffix("Default")
            break
    made = target.get(name) or target.get("keyboardButton")
    if made is None:
        return None
    values = {"text": button.text, "style": button.style}
    for field in _definition(made).fields:
        if field.attribute not in values and hasattr(kind, field.attribute):
            values[field.attribute] = convert(getattr(kind, field.attribute))
    return made(**{f.attribute: values[f.attribute] for f in _definition(made).fields})


def _join_button(button: Any, target: Registry, convert: Callable[[Any], Any]) -> Any:
    """Say a button of an older layer as a text and what it does."""
    start, _, kind = button.TL_NAME.rpartition("eyboardButton")
    prefix = "input" if start.startswith("input") else ""
    for base, made in (
        ("InlineButtonType", api.KeyboardInlineButton),
        ("ButtonType", api.KeyboardButton),
    ):
        name = prefix + base + (kind or "Default")
        action: Any = target.get(name[0].lower() + name[1:])
        if action is not None:
            values = {
                field.attribute: convert(getattr(button, field.attribute))
                for field in _definition(action).fields
                if hasattr(button, field.attribute)
            }
            return made(
                text=button.text, style=getattr(button, "style", None), type=action(**values)
            )
    return None


# ------------------------------------------------------------------ conversion


class _Plan(NamedTuple):
    """How objects of one class are said in one layer."""

    same: bool
    """The layer has the very same class."""
    nested: tuple[str, ...]
    """Attributes that can hold objects."""
    make: Callable[[Any], Any] | None
    """Makes the layer's own version; None: the layer has nothing by that name."""
    substitute: Callable[[Any], Any] | None


def downgrade(value: Any, target: Registry) -> Any:
    """Return a value of the newest layer as `target` says it; the same object if possible.

    Takes an object, a vector or a plain value. Raises EncodeError if it cannot be said at all.
    """
    if target is _NEWEST:
        return value
    said = _converter(target).convert(value)
    if said is None and value is not None:
        raise EncodeError(f"layer {target.layer} cannot say {type(value).__qualname__}")
    return said


def downgrade_result(value: Any, method: type[Request[Any]], target: Registry) -> Any:
    """Return a result of the newest layer as the result of `method`, a class of `target`.

    Where only the wrapping of a result changed since (``messages.InvitedUsers`` was once plain
    ``Updates``), the older form is taken out of the newer one.
    """
    if isinstance(value, TLObject) and target is not _NEWEST:
        wanted = _definition(method).result
        definition = _definition(type(value))
        if definition.result != wanted:
            for field in definition.fields:
                if field.type in (wanted, wanted.replace("vector", "Vector")):
                    value = getattr(value, field.attribute)
                    break
    return downgrade(value, target)


def upgrade(request: Request[Any], source: Registry) -> Request[Any]:
    """Return a request of an older layer as the newest layer says it."""
    if source is _NEWEST:
        return request
    said = _converter(_NEWEST).convert(request)
    if not isinstance(said, Request):
        raise EncodeError(f"{request.TL_NAME} is gone from the newest layer")
    return said


@cache
def _converter(target: Registry) -> _Converter:
    return _Converter(target)


class _Converter:
    """From one layer to another, with the plans it has made so far."""

    def __init__(self, target: Registry) -> None:
        self._target = target
        self._plans: dict[type[TLObject], _Plan] = {}

    def convert(self, value: Any) -> Any:
        """Return the value in the target layer; None if it cannot be said."""
        if isinstance(value, list):
            return self._list(value)
        if not isinstance(value, TLObject):
            return value
        cls = type(value)
        plan = self._plans.get(cls)
        if plan is None:
            plan = self._plans[cls] = self._plan(cls)
        if not plan.same:
            if plan.make is not None:
                return plan.make(value)
            return plan.substitute(value) if plan.substitute is not None else None
        changed: dict[str, Any] | None = None
        for name in plan.nested:
            item = getattr(value, name)
            if item is None:
                continue
            said = self._list(item) if isinstance(item, list) else self.convert(item)
            if said is not item:
                if changed is None:
                    changed = {}
                changed[name] = said
        if changed is None:
            return value
        if None in changed.values():
            for field in _definition(cls).fields:
                if field.attribute in changed and not field.optional:
                    if changed[field.attribute] is None:
                        return None  # a part that must be there cannot be said
        return msgspec.structs.replace(value, **changed)

    def _list(self, items: list[Any]) -> list[Any]:
        if not items or not isinstance(items[0], (TLObject, list)):
            return items
        said = [self.convert(item) for item in items]
        if all(new is old for new, old in zip(said, items, strict=True)):
            return items
        return [item for item in said if item is not None]

    # -------------------------------------------------------------- plans

    def _plan(self, cls: type[TLObject]) -> _Plan:
        definition = _definition(cls)
        nested = tuple(
            field.attribute
            for field in definition.fields
            if (vector_item(field.type) or field.type) not in _BARE and field.type != "!X"
        )
        target = self._target.get(definition.name)
        if target is None and definition.name in _MOVED:
            target = self._target.get(_MOVED[definition.name])
        if target is cls:
            return _Plan(True, nested, None, None)
        if definition.result in ("KeyboardButton", "KeyboardInlineButton"):
            return _Plan(False, nested, self._button_maker(definition), None)
        if target is None:
            return _Plan(False, nested, None, self._substitute(definition))
        return _Plan(False, nested, self._maker(definition, target), None)

    def _substitute(self, definition: Definition) -> Callable[[Any], Any] | None:
        name = _SUBSTITUTES.get(definition.result)
        target = self._target.get(name) if name is not None else None
        if target is None:
            return None
        shared = [
            field.attribute
            for field in _definition(target).fields
            if definition.field(field.attribute) is not None
        ]
        return lambda obj: target(**{name: getattr(obj, name) for name in shared})

    def _button_maker(self, definition: Definition) -> Callable[[Any], Any] | None:
        """Buttons were kinds of their own before they became a text with an action (layer 229)."""
        if definition.field("type") is not None:
            if self._target.get("keyboardInlineButton") is None:
                return lambda obj: _split_button(obj, self._target, self.convert)
        elif self._target.get("keyboardInlineButton") is not None:
            return lambda obj: _join_button(obj, self._target, self.convert)
        target = self._target.get(definition.name)
        return self._maker(definition, target) if target is not None else None

    def _maker(self, old: Definition, target: type[TLObject]) -> Callable[[Any], Any]:
        fields = [
            (field, old.field(field.attribute), _MADE.get((old.name, field.name)))
            for field in _definition(target).fields
        ]

        def make(obj: Any) -> Any:
            values: dict[str, Any] = {}
            for field, before, special in fields:
                if before is not None:
                    value = self._coerce(getattr(obj, before.attribute), before.type, field.type)
                elif special is not None:
                    value = self.convert(special(obj))
                else:
                    value = None
                if value is None:
                    if field.optional:
                        continue
                    value = self._zero(field.type)
                    if value is None:
                        return None
                values[field.attribute] = value
            return target(**values)

        return make

    def _coerce(self, value: Any, before: str, after: str) -> Any:
        """Return the value of a field whose type may have changed; None if it does not fit."""
        if value is None:
            return None
        if before != after:
            value = _reshape(value, before, after)
            if value is None:
                return None
        return self.convert(value)

    def _zero(self, tl_type: str) -> Any:
        if tl_type in _ZERO:
            return _ZERO[tl_type]
        if vector_item(tl_type) is not None:
            return []
        # An object that must be there: the type's emptiest constructor will do.
        name = _SUBSTITUTES.get(tl_type) or _EMPTY.get(tl_type)
        target = self._target.get(name) if name is not None else None
        return target() if target is not None and not _definition(target).fields else None


_EMPTY = {"InputPeer": "inputPeerEmpty", "InputUser": "inputUserEmpty"}


def _reshape(value: Any, before: str, after: str) -> Any:
    """Change the shape of a value between the types that one field has had."""
    inner_before, inner_after = vector_item(before), vector_item(after)
    match before, after:
        case "double", "int" | "long":
            return int(value)
        case "int" | "long", "double":
            return float(value)
        case "true" | "Bool", "true" | "Bool":
            return bool(value)
        case "TextWithEntities", "string":
            return value.text
        case "string", "TextWithEntities":
            return api.TextWithEntities(text=value, entities=[])
        case "Peer", "long":
            return next(
                (getattr(value, name) for name in ("user_id", "chat_id") if hasattr(value, name)),
                None,
            )
        case "long", "Peer":
            return api.PeerUser(user_id=value)
        case "string", "int" | "long":
            return int(value) if value.isdecimal() and len(value) < 10 else None
        case "int" | "long", "string":
            return str(value)
        case "InputUser", "InputPeer":
            return _peer_of_user(value)
        case "GroupCallMessage", "TextWithEntities":
            return value.message
        case "BusinessBotRecipients", "BusinessRecipients":
            return _recipients(api.BusinessRecipients, value)
        case "InputBusinessRecipients", "InputBusinessBotRecipients":
            return _recipients(api.InputBusinessBotRecipients, value)
        case "RecentStory", "int":
            return value.max_id
        case "Bool", "PaidReactionPrivacy":
            return api.PaidReactionPrivacyAnonymous() if value else api.PaidReactionPrivacyDefault()
        case "PaidReactionPrivacy", "Bool":
            return isinstance(value, api.PaidReactionPrivacyAnonymous)
        case "KeyboardInlineButtonRow", "KeyboardButtonRow":
            return api.KeyboardButtonRow(buttons=value.buttons)
        case "KeyboardButtonRow", "KeyboardInlineButtonRow":
            return api.KeyboardInlineButtonRow(buttons=value.buttons)
    if inner_before is not None and inner_after is not None:
        items = [_reshape(item, inner_before, inner_after) for item in value]
        return [item for item in items if item is not None]
    if inner_before == after:
        return value[0] if value else None
    if inner_after == before:
        return [value]
    return None


def _peer_of_user(user: Any) -> api.TypeInputPeer:
    match user:
        case api.InputUser():
            return api.InputPeerUser(user_id=user.user_id, access_hash=user.access_hash)
        case api.InputUserSelf():
            return api.InputPeerSelf()
        case api.InputUserFromMessage():
            return api.InputPeerUserFromMessage(
                peer=user.peer, msg_id=user.msg_id, user_id=user.user_id
            )
    return api.InputPeerEmpty()


def _recipients(made: Any, value: Any) -> Any:
    names = [field.attribute for field in _definition(made).fields]
    return made(**{name: getattr(value, name) for name in names if hasattr(value, name)})


def _definition(cls: type[TLObject]) -> Definition:
    definition = cls.TL_DEFINITION
    if definition is None:
        raise EncodeError(f"{cls.__qualname__} is an abstract type")
    return definition
