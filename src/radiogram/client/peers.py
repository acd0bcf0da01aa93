"""Layer 4, client: who is meant, and with which access hash.

Knows every way to write a peer, remembers the access hashes of everybody that results and updates
mention, and asks the server about names it has not seen. A password, too, is written as text and
proved in the way that the server asks for. Must not know how requests travel.

An access hash is what makes an id usable, and it is valid for one account only (C0.1.1). Objects
marked ``min`` carry a hash that cannot be used in this way; it is not kept. Users who are known no
better are addressed by a message of theirs (C0.1.2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from radiogram import errors
from radiogram.client.casts import Caster
from radiogram.client.ids import mark_channel, mark_chat, unmark
from radiogram.client.names import Marked, Me, Phone, Username, read_name
from radiogram.client.proofs import Password, prove
from radiogram.client.sessions import PeerRecord, Session
from radiogram.errors import PeerNotFound
from radiogram.tl import api
from radiogram.tl.base import TLObject
from radiogram.tl.schema.definition import vector_item

Sought = Username | Phone | Password
"""What only the server can turn into a peer, or tell how to prove."""

_HOLDERS = ("peer_id", "peer", "full_user", "full_chat", "user", "chat", "user_id", "channel_id")
"""Attributes that tell which peer an object of any other kind is about, most telling first."""
_ABOUT = {"User", "Chat"}
_HOLD_MESSAGES = ("messages", "new_messages", "updates", "other_updates")
"""Attributes of results and updates that hold messages, or updates about them."""

MAX_SEEN = 10_000
"""Users of whom a message is remembered in place of an access hash."""


class Peers:
    """Converts, resolves and remembers the peers of one account."""

    def __init__(
        self,
        session: Session,
        invoke: Callable[[Any], Awaitable[Any]],
        random: Callable[[int], bytes],
    ) -> None:
        self._session = session
        self._invoke = invoke
        self._random = random
        self._caster = Caster(
            {
                "InputPeer": self.input_peer,
                "InputUser": self.input_user,
                "InputChannel": self.input_channel,
                "InputDialogPeer": self._input_dialog_peer,
                "InputNotifyPeer": self._input_notify_peer,
                "InputMessage": _input_message,
                "InputPhoto": _input_photo,
                "InputDocument": _input_document,
                "InputCheckPasswordSRP": self._input_check_password,
            },
            self._random_number,
        )
        self._mentions: dict[type, tuple[tuple[str, bool], ...]] = {}
        self._missing: dict[Sought, None] = {}
        self._found: dict[Sought, Any] = {}
        self._searches: dict[Username | Phone, asyncio.Task[Any]] = {}
        self._strangers: set[int] = set()
        self._seen: dict[int, tuple[Any, int]] = {}

    # ── requests ─────────────────────────────────────────────────────────────────────────────

    def cast(self, request: Any) -> tuple[Any, list[Sought]]:
        """Convert everything in a request; names that the server must be asked about are listed.

        Raises PeerNotFound for what can be seen to name nobody.
        """
        self._missing = {}
        result = self._caster.cast(request)
        return result, list(self._missing)

    async def find_and_cast(self, request: Any, missing: Iterable[Sought]) -> Any:
        """Ask the server about the missing names, all at once, and convert the request with them.

        Raises PeerNotFound for a name that nobody has.
        """
        names = list(missing)
        peers = await asyncio.gather(*map(self.find, names))
        self._found = dict(zip(names, peers, strict=True))
        try:
            return self.cast(request)[0]
        finally:
            self._found = {}

    async def find(self, name: Sought) -> Any:
        """Ask the server who has a name, once however many ask at the same time.

        Of a password it asks for each by itself: a proof is good for one call.
        """
        if isinstance(name, Password):
            state = await self._invoke(api.account.GetPassword())
            return await prove(state, name.text, self._random)
        search = self._searches.get(name)
        if search is None:
            search = asyncio.get_running_loop().create_task(self._search(name))
            self._searches[name] = search
            search.add_done_callback(lambda done: self._search_done(name, done))
        return await asyncio.shield(search)

    async def _search(self, name: Username | Phone) -> Any:
        try:
            if isinstance(name, Phone):
                result = await self._invoke(api.contacts.ResolvePhone(phone=name.digits))
            else:
                result = await self._invoke(api.contacts.ResolveUsername(username=name.name))
        except errors.RpcError as error:
            if isinstance(name, Phone) and error.name == "PHONE_NOT_OCCUPIED":
                raise PeerNotFound(
                    f"no account that may be found has the phone number +{name.digits}; an id is "
                    "written as a number, not as text"
                ) from error
            if isinstance(name, Username) and error.name in {
                "USERNAME_NOT_OCCUPIED",
                "USERNAME_INVALID",
            }:
                raise PeerNotFound(
                    f"nobody has the username @{name.name}; check its spelling"
                ) from error
            raise
        return self.input_peer(result.peer)

    def _search_done(self, name: Username | Phone, done: asyncio.Task[Any]) -> None:
        self._searches.pop(name, None)
        if not done.cancelled():
            done.exception()  # whoever still waits gets it; nobody may

    # ── conversions ──────────────────────────────────────────────────────────────────────────

    def input_peer(self, value: Any) -> Any:
        """Convert a name, a marked id, or an object that is about a peer, to an InputPeer.

        A name that must be looked up stays as it is and is noted. Raises PeerNotFound.
        """
        if isinstance(value, TLObject):
            return self._of_object(value)
        if isinstance(value, str):
            return self._of_text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._of_id(value, value)
        raw = getattr(value, "raw", None)  # friendly objects hold theirs
        if isinstance(raw, TLObject):
            return self._of_object(raw)
        return value  # the encoder says what was expected

    def input_user(self, value: Any) -> Any:
        """Convert to an InputUser, as :meth:`input_peer` does. Raises PeerNotFound."""
        if isinstance(value, api.TypeInputUser):
            return value
        peer = self.input_peer(value)
        match peer:
            case api.InputPeerUser():
                return api.InputUser(user_id=peer.user_id, access_hash=peer.access_hash)
            case api.InputPeerSelf():
                return api.InputUserSelf()
            case api.InputPeerUserFromMessage():
                return api.InputUserFromMessage(
                    peer=peer.peer, msg_id=peer.msg_id, user_id=peer.user_id
                )
            case TLObject():
                raise PeerNotFound(f"{_show(value)} is no user, but a user is wanted here")
        return peer

    def input_channel(self, value: Any) -> Any:
        """Convert to an InputChannel, as :meth:`input_peer` does. Raises PeerNotFound."""
        if isinstance(value, api.TypeInputChannel):
            return value
        peer = self.input_peer(value)
        match peer:
            case api.InputPeerChannel():
                return api.InputChannel(channel_id=peer.channel_id, access_hash=peer.access_hash)
            case api.InputPeerChannelFromMessage():
                return api.InputChannelFromMessage(
                    peer=peer.peer, msg_id=peer.msg_id, channel_id=peer.channel_id
                )
            case TLObject():
                raise PeerNotFound(
                    f"{_show(value)} is no channel or supergroup, but one is wanted here"
                )
        return peer

    def _input_dialog_peer(self, value: Any) -> Any:
        if isinstance(value, api.TypeInputDialogPeer):
            return value
        peer = self.input_peer(value)
        return api.InputDialogPeer(peer=peer) if isinstance(peer, api.TypeInputPeer) else peer

    def _input_notify_peer(self, value: Any) -> Any:
        if isinstance(value, api.TypeInputNotifyPeer):
            return value
        peer = self.input_peer(value)
        return api.InputNotifyPeer(peer=peer) if isinstance(peer, api.TypeInputPeer) else peer

    def _input_check_password(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        password = Password(value)
        found = self._found.get(password)
        if found is None:
            self._missing[password] = None
            return value
        return found

    def _of_text(self, text: str) -> Any:
        name = read_name(text)
        if isinstance(name, Me):
            return api.InputPeerSelf()
        if isinstance(name, Marked):
            return self._of_id(name.id, text)
        if isinstance(name, Phone):
            record = self._session.by_phone(name.digits)
        else:
            record = self._session.by_username(name.name)
        if record is not None:
            return _of_record(record)
        found = self._found.get(name)
        if found is None:
            self._missing[name] = None
            return text
        return found

    def _of_id(self, marked_id: int, value: object) -> Any:
        peer = unmark(marked_id)
        if peer is None:
            raise PeerNotFound(f"{value!r} is no id of a user, group or channel")
        data = self._session.data
        if peer.kind == "chat":
            return api.InputPeerChat(chat_id=peer.id)
        if marked_id == data.user_id:
            return api.InputPeerSelf()
        record = self._session.by_id(marked_id)
        if record is not None:
            return _of_record(record)
        if data.is_bot:
            # Telegram lets bots address whom they have met without a hash.
            return _of_record(PeerRecord(marked_id))
        if marked_id in self._seen:
            where, msg_id = self._seen[marked_id]
            return api.InputPeerUserFromMessage(
                peer=self._of_object(where), msg_id=msg_id, user_id=marked_id
            )
        raise PeerNotFound(
            f"the {peer.kind} with the id {value!r} has not been seen by this session, so its "
            "access hash is not known; give a username, or first call something that lists it, "
            "such as messages.GetDialogs"
        )

    def _of_object(self, value: Any) -> Any:
        if isinstance(value, api.TypeInputPeer):
            return value
        convert = _OBJECTS.get(value.TL_NAME)
        if convert is not None:
            return convert(self, value)
        for attribute in _HOLDERS:
            held = getattr(value, attribute, None)
            if isinstance(held, TLObject):
                return self._of_object(held)
            if type(held) is int:
                return self._of_id(mark_channel(held) if attribute == "channel_id" else held, value)
        raise PeerNotFound(f"{_show(value)} is not about a peer")

    async def resolve(self, value: Any) -> Any:
        """Give the InputPeer of anything that names a peer, asking the server if need be.

        Raises PeerNotFound.
        """
        self._missing = {}
        peer = self.input_peer(value)
        if self._missing:
            (name,) = self._missing
            peer = await self.find(name)
        if not isinstance(peer, api.TypeInputPeer):
            raise PeerNotFound(f"{_show(value)} names no peer")
        return peer

    async def marked_id(self, value: Any) -> int:
        """Give the marked id of anything that names a peer. Raises PeerNotFound."""
        peer = await self.resolve(value)
        match peer:
            case api.InputPeerUser() | api.InputPeerUserFromMessage():
                return peer.user_id
            case api.InputPeerChat():
                return mark_chat(peer.chat_id)
            case api.InputPeerChannel() | api.InputPeerChannelFromMessage():
                return mark_channel(peer.channel_id)
            case api.InputPeerSelf():
                return self._session.data.user_id
        raise PeerNotFound(f"{_show(value)} names no peer")

    def knows(self, user_ids: Iterable[int]) -> bool:
        """Tell whether all of some users can be addressed."""
        own = self._session.data.user_id
        for number in user_ids:
            record = self._session.by_id(number)
            if number != own and (record is None or not record.access_hash):
                return False
        return True

    # ── memory ───────────────────────────────────────────────────────────────────────────────

    def learn(self, result: Any) -> None:
        """Remember the access hashes of everybody that a result or an update mentions."""
        records: list[PeerRecord] = []
        if type(result) is list:
            for item in result:
                if not isinstance(item, TLObject):
                    break
                self._collect(item, records, deep=True)
        elif isinstance(result, TLObject):
            self._collect(result, records, deep=True)
        if records:
            self._session.remember(records)
        if self._strangers:
            self._look_for_messages(result, deep=True)
            self._strangers.clear()

    def _collect(self, obj: TLObject, records: list[PeerRecord], *, deep: bool) -> None:
        if obj.TL_NAME in _KEPT:
            self._note(obj, records)
            return
        plan = self._mentions.get(type(obj))
        if plan is None:
            plan = self._mentions[type(obj)] = _plan_mentions(obj)
        for attribute, nested in plan:
            value = getattr(obj, attribute)
            if value is None:
                continue
            if nested:
                if deep:
                    self._collect(value, records, deep=False)
                continue
            for peer in value if type(value) is list else (value,):
                self._note(peer, records)

    def _note(self, peer: Any, records: list[PeerRecord]) -> None:
        """Take down one user or chat."""
        record = _record(peer)
        if record is not None:
            records.append(record)
        elif isinstance(peer, api.User):
            self._strangers.add(peer.id)
        elif isinstance(peer, api.Chat) and isinstance(peer.migrated_to, api.InputChannel):
            # What is known of the supergroup otherwise, its username too, goes before.
            marked_id = mark_channel(peer.migrated_to.channel_id)
            if self._session.by_id(marked_id) is None:
                records.insert(0, PeerRecord(marked_id, peer.migrated_to.access_hash))

    def _look_for_messages(self, result: Any, *, deep: bool) -> None:
        """Remember a message of each user who came without a usable hash."""
        for attribute in _HOLD_MESSAGES:
            held = getattr(result, attribute, None)
            if deep and isinstance(held, TLObject):
                self._look_for_messages(held, deep=False)
            for item in held if type(held) is list else ():
                self._see(getattr(item, "message", None))
                self._see(item)
        self._see(getattr(getattr(result, "update", None), "message", None))

    def _see(self, message: Any) -> None:
        if not isinstance(message, api.Message | api.MessageService):
            return
        user_id = getattr(message.from_id, "user_id", None)
        if user_id in self._strangers and not isinstance(message.peer_id, api.PeerUser):
            self._seen.pop(user_id, None)
            self._seen[user_id] = message.peer_id, message.id
            if len(self._seen) > MAX_SEEN:
                del self._seen[next(iter(self._seen))]

    def _random_number(self, bits: int) -> int:
        number = 0
        while number == 0:
            number = int.from_bytes(self._random(bits // 8), "little", signed=True)
        return number


def _plan_mentions(obj: TLObject) -> tuple[tuple[str, bool], ...]:
    """List the attributes that hold users or chats, and those whose objects may in turn."""
    plan = []
    definition = type(obj).TL_DEFINITION
    for field in definition.fields if definition else ():
        item = vector_item(field.type)
        if (item or field.type) in _ABOUT:
            plan.append((field.attribute, False))
        elif item is None and field.type != "Bool" and field.type.rpartition(".")[2][:1].isupper():
            plan.append((field.attribute, True))
    return tuple(plan)


_KEPT = {"user", "chat", "channel", "channelForbidden"}
"""Kinds of users and chats of which something is remembered."""


def _record(peer: Any) -> PeerRecord | None:
    """Note down a user or a channel; None for what has no usable hash."""
    name = peer.TL_NAME
    if name == "user":
        marked_id, phone = peer.id, peer.phone or ""
    elif name == "channel":
        marked_id, phone = mark_channel(peer.id), ""
    elif name == "channelForbidden":
        return PeerRecord(mark_channel(peer.id), peer.access_hash) if peer.access_hash else None
    else:
        return None
    if peer.min or peer.access_hash is None:
        return None
    usernames = (peer.username.lower(),) if peer.username else ()
    if peer.usernames:
        usernames += tuple(
            other.username.lower()
            for other in peer.usernames
            if other.active and other.username.lower() not in usernames
        )
    return PeerRecord(marked_id, peer.access_hash, usernames, phone)


def _of_record(record: PeerRecord) -> Any:
    peer = unmark(record.marked_id)
    assert peer is not None
    if peer.kind == "user":
        return api.InputPeerUser(user_id=peer.id, access_hash=record.access_hash)
    return api.InputPeerChannel(channel_id=peer.id, access_hash=record.access_hash)


def _of_user(peers: Peers, user: Any) -> Any:
    if user.self:
        return api.InputPeerSelf()
    if user.min or user.access_hash is None:
        return peers._of_id(user.id, user.id)
    return api.InputPeerUser(user_id=user.id, access_hash=user.access_hash)


def _of_channel(peers: Peers, channel: Any) -> Any:
    if getattr(channel, "min", False) or not channel.access_hash:
        marked_id = mark_channel(channel.id)
        return peers._of_id(marked_id, marked_id)
    return api.InputPeerChannel(channel_id=channel.id, access_hash=channel.access_hash)


_OBJECTS: dict[str, Callable[[Peers, Any], Any]] = {
    "user": _of_user,
    "userEmpty": lambda peers, user: peers.input_peer(user.id),
    "userFull": lambda peers, user: peers.input_peer(user.id),
    "peerUser": lambda peers, peer: peers.input_peer(peer.user_id),
    "inputUser": lambda _, user: api.InputPeerUser(
        user_id=user.user_id, access_hash=user.access_hash
    ),
    "inputUserSelf": lambda _, __: api.InputPeerSelf(),
    "inputUserEmpty": lambda _, __: api.InputPeerEmpty(),
    "inputUserFromMessage": lambda _, user: api.InputPeerUserFromMessage(
        peer=user.peer, msg_id=user.msg_id, user_id=user.user_id
    ),
    "chat": lambda _, chat: api.InputPeerChat(chat_id=chat.id),
    "chatEmpty": lambda _, chat: api.InputPeerChat(chat_id=chat.id),
    "chatForbidden": lambda _, chat: api.InputPeerChat(chat_id=chat.id),
    "chatFull": lambda _, chat: api.InputPeerChat(chat_id=chat.id),
    "peerChat": lambda _, peer: api.InputPeerChat(chat_id=peer.chat_id),
    "channel": _of_channel,
    "channelForbidden": _of_channel,
    "channelFull": lambda peers, channel: peers.input_peer(mark_channel(channel.id)),
    "peerChannel": lambda peers, peer: peers.input_peer(mark_channel(peer.channel_id)),
    "inputChannel": lambda _, channel: api.InputPeerChannel(
        channel_id=channel.channel_id, access_hash=channel.access_hash
    ),
    "inputChannelFromMessage": lambda _, channel: api.InputPeerChannelFromMessage(
        peer=channel.peer, msg_id=channel.msg_id, channel_id=channel.channel_id
    ),
}
"""Objects that are about a peer in a way of their own, by TL name."""


def _input_message(value: Any) -> Any:
    """Convert a message id, or a message, to an InputMessage."""
    if isinstance(value, int) and not isinstance(value, bool):
        return api.InputMessageID(id=value)
    raw = getattr(value, "raw", value)
    if isinstance(raw, TLObject) and raw.TL_NAME in {"message", "messageService"}:
        return api.InputMessageID(id=raw.id)  # type: ignore[attr-defined]
    return value


def _input_photo(value: Any) -> Any:
    if isinstance(value, TLObject) and value.TL_NAME == "photo":
        return api.InputPhoto(**_file(value))
    return value


def _input_document(value: Any) -> Any:
    if isinstance(value, TLObject) and value.TL_NAME == "document":
        return api.InputDocument(**_file(value))
    return value


def _file(file: Any) -> dict[str, Any]:
    return {name: getattr(file, name) for name in ("id", "access_hash", "file_reference")}


def _show(value: Any) -> str:
    return value.TL_NAME if isinstance(value, TLObject) else repr(value)
